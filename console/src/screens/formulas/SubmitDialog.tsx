// Before a text is submitted: what differs from the active one, and why, for the person who decides.

import { useMemo, useState } from "react";
import { TextDiff } from "@/editor/TextDiff";
import { diffLines } from "@/editor/lines";
import type { Draft } from "@/editor/useDraft";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { TextArea } from "@/parts/Field";
import { FormProblem } from "@/parts/states";

export default function SubmitDialog({ onOpenChange, draft, name }: { onOpenChange: (open: boolean) => void; draft: Draft; name: string }) {
  const [comment, setComment] = useState(draft.mine?.comment ?? "");
  const { text, active, submit } = draft;
  const source = useMemo(() => diffLines(active?.source ?? "", text?.source ?? ""), [active, text]);
  const cases = useMemo(() => diffLines(active?.cases ?? "", text?.cases ?? ""), [active, text]);
  const differ = (ops: typeof source) => ops.some((op) => op.tag !== " ");
  const send = () => {
    if (comment.trim() !== "" && !submit.isPending) submit.mutate({ comment: comment.trim() }, { onSuccess: () => onOpenChange(false) });
  };
  return (
    <Dialog
      open
      onOpenChange={onOpenChange}
      width="lg"
      title={`Submit the change of ${name}`}
      description="A second person sees this difference and what it costs, then approves or rejects. Until then nobody is paid by it."
      footer={
        <>
          <Button look="quiet" onClick={() => onOpenChange(false)}>
            Cancel
          </Button>
          <Button look="primary" busy={submit.isPending} disabled={comment.trim() === ""} onClick={send}>
            Submit
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4">
        <TextArea
          label="Why"
          hint="For the person who decides, and for whoever reads the history later."
          value={comment}
          maxLength={2000}
          rows={3}
          autoFocus
          onChange={(event) => setComment(event.target.value)}
          onKeyDown={(event) => {
            if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
              event.preventDefault();
              send();
            }
          }}
        />
        <FormProblem error={submit.error} />
        {differ(source) ? <TextDiff ops={source} name={`text of ${name}`} height="18rem" sides={["active", "submitted"]} /> : null}
        {differ(cases) ? (
          <div>
            <h3 className="mb-1 font-medium">Cases</h3>
            <TextDiff ops={cases} name={`cases of ${name}`} height="14rem" sides={["active", "submitted"]} />
          </div>
        ) : null}
      </div>
    </Dialog>
  );
}
