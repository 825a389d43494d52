// The payee's answer: she accepts exactly the text that she has read, or returns it with a comment.

import { useState } from "react";
import { api, path } from "@/api/client";
import { useWrite } from "@/api/read";
import { useSession } from "@/api/session";
import type { PlanDocument } from "@/api/work";
import { Button } from "@/parts/Button";
import { Checkbox, TextArea } from "@/parts/Field";
import { ConfirmDialog } from "@/parts/Dialog";
import { Digest } from "@/parts/Digest";
import { toast } from "@/parts/Toast";
import { FormProblem } from "@/parts/states";
import { showInstant } from "@/words";

const SAYS: Record<PlanDocument["state"], string> = {
  sent: "waits for an answer",
  accepted: "Accepted",
  returned: "Returned",
  replaced: "Another text was sent in its place",
};

export function Answer({ document }: { document: PlanDocument }) {
  const session = useSession();
  const [read, setRead] = useState(false);
  const [returning, setReturning] = useState(false);
  const at = path`/plan-documents/${document.document_id}`;
  const refresh = [at, "/plan-documents"];
  const accept = useWrite((sha256: string, options) => api.post<PlanDocument>(`${at}/accept`, { sha256 }, options), { refresh, onDone: () => toast("You have accepted your plan.") });
  const own = session.payee_id === document.payee_id;
  if (document.state !== "sent" || !own)
    return (
      <section aria-label="Answer" className="card flex flex-col gap-1.5 px-4 py-3 sm:px-5">
        <p>
          {document.state === "sent" ? `It ${SAYS.sent}.` : `${SAYS[document.state]}${document.answered_at ? `, ${showInstant(document.answered_at)}` : ""}.`}
          {document.holds_pay && document.state !== "accepted" ? " Pay of this plan is held until it is accepted." : ""}
        </p>
        {document.comment ? <blockquote className="max-w-prose border-l-3 border-accent pl-3 whitespace-pre-wrap">{document.comment}</blockquote> : null}
        <p className="text-[0.87rem] text-ink-3">
          Text <Digest of={document.sha256} name="SHA-256 of the text" />
        </p>
      </section>
    );
  return (
    <section aria-label="Answer" className="card sticky bottom-16 flex flex-col gap-3 px-4 py-3 shadow-high sm:px-5 md:bottom-3" style={{ zIndex: "var(--z-sticky)" }}>
      {document.holds_pay ? <p className="text-warn">Pay of this plan is held until you accept it.</p> : null}
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Checkbox label="I have read this plan and accept it." checked={read} onChange={(event) => setRead(event.target.checked)} />
        <div className="flex flex-wrap gap-2">
          <Button onClick={() => setReturning(true)}>Return it…</Button>
          <Button look="primary" icon="check" busy={accept.isPending} disabled={!read} onClick={() => accept.mutate(document.sha256)}>
            Accept
          </Button>
        </div>
      </div>
      <FormProblem error={accept.error} />
      <p className="text-[0.83rem] text-ink-3">
        You accept exactly this text: <Digest of={document.sha256} name="SHA-256 of the text" />
      </p>
      {returning ? <Return at={at} refresh={refresh} onClose={() => setReturning(false)} /> : null}
    </section>
  );
}

function Return({ at, refresh, onClose }: { at: string; refresh: string[]; onClose: () => void }) {
  const [comment, setComment] = useState("");
  const give = useWrite((text: string, options) => api.post<PlanDocument>(`${at}/return`, { comment: text }, options), {
    refresh,
    onDone: () => {
      onClose();
      toast("Returned. Whoever sent it reads your comment.");
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Return the plan"
      description="Say what is wrong; a corrected text is sent to you anew."
      act="Return it"
      busy={give.isPending}
      disabled={comment.trim() === ""}
      onConfirm={() => give.mutate(comment.trim())}
    >
      <div className="flex flex-col gap-3.5">
        <TextArea label="Comment" required autoFocus rows={4} maxLength={5_000} value={comment} onChange={(event) => setComment(event.target.value)} />
        <FormProblem error={give.error} />
      </div>
    </ConfirmDialog>
  );
}
