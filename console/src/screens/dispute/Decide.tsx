// Who looks at a question or a dispute, the decision, and what else becomes of it. What is granted becomes a change that waits for a second
// person.

import { useState } from "react";
import { api } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import type { Items } from "@/api/types";
import { useSession } from "@/api/session";
import type { Candidate, Dispute, DisputeOutcome } from "@/api/work";
import { sign, subtract, typed } from "@/money";
import { ConfirmDialog } from "@/parts/Dialog";
import { SelectField, TextArea, TextField } from "@/parts/Field";
import { toast } from "@/parts/Toast";
import { FormProblem } from "@/parts/states";
import { showPeriod } from "@/words";

interface Given {
  at: string;
  dispute: Dispute;
  etag: string | null;
  refresh: string[];
  onClose: () => void;
}

export function AssignDialog({ at, dispute, etag, refresh, onClose }: Given) {
  const session = useSession();
  const who = useRead<Items<Candidate>>("/who-may", { query: { deed: "assign-dispute", object: dispute.dispute_id }, parts: ["work"] });
  const known = who.data?.items ?? [];
  const own = session.payee_id === dispute.payee_id;
  const [user, setUser] = useState(own ? "" : session.user_id);
  const [due, setDue] = useState("");
  const assign = useWrite((given: { user_id: string; due_on?: string }) => api.put<Dispute>(`${at}/assignment`, given, { ifMatch: etag ?? undefined }), {
    refresh,
    onDone: (now) => {
      onClose();
      toast(now.assigned_to === session.user_id ? "You look at it." : `${now.assigned_to_name ?? "Somebody"} looks at it.`);
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Assign"
      description="To somebody who may decide, and not to the payee whose pay it is."
      act="Assign"
      busy={assign.isPending}
      disabled={user === ""}
      onConfirm={() => assign.mutate({ user_id: user, ...(due ? { due_on: due } : {}) })}
    >
      <div className="flex flex-col gap-3.5">
        <SelectField label="Who looks at it" value={user} onChange={(event) => setUser(event.target.value)}>
          {user === "" ? <option value="">Choose somebody</option> : null}
          {known.map((one) => (
            <option key={one.user_id} value={one.user_id}>
              {one.user_id === session.user_id ? `${one.name} (you)` : one.name}
            </option>
          ))}
        </SelectField>
        <TextField label="Until" type="date" hint="The day on which it is to be decided; by the policy where it is left out." min={session.today} value={due} onChange={(event) => setDue(event.target.value)} />
        <FormProblem error={who.error ?? assign.error} />
      </div>
    </ConfirmDialog>
  );
}

const OUTCOMES: { value: DisputeOutcome; label: string }[] = [
  { value: "accepted", label: "Accept" },
  { value: "partly", label: "Accept partly" },
  { value: "rejected", label: "Reject" },
];

export function ResolveDialog({ at, dispute, etag, refresh, onClose }: Given) {
  const session = useSession();
  // What is missing, where both figures are known.
  const missing = dispute.expected === null ? "" : dispute.paid === null || dispute.about === "credit" ? dispute.expected : subtract(dispute.expected, dispute.paid);
  const [outcome, setOutcome] = useState<DisputeOutcome>("accepted");
  const [granted, setGranted] = useState(missing);
  // That of the dispute where it takes something still, else the next one that does.
  const takes = session.periods.filter((one) => one.close !== "closed" && one.close !== "approved");
  const [period, setPeriod] = useState(takes.find((one) => one.period_id >= dispute.period_id)?.period_id ?? dispute.period_id);
  const [comment, setComment] = useState("");
  const amount = granted.trim() === "" ? null : typed(granted);
  const wrong = granted.trim() !== "" && (amount === null || sign(amount) === 0) ? "Write an amount that is not zero, or leave it empty." : null;
  const paying = outcome !== "rejected" && amount !== null;
  const resolve = useWrite(
    (given: { outcome: DisputeOutcome; amount?: string; period_id?: string; comment: string }) => api.put<Dispute>(`${at}/resolution`, given, { ifMatch: etag ?? undefined }),
    {
      refresh,
      onDone: (now) => {
        onClose();
        toast(now.change_id ? "Decided. What is granted waits for a second person." : "Decided.");
      },
    },
  );
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Decide"
      description={paying ? "What you grant becomes an adjustment. It waits for a second person before it is paid." : "Nothing is adjusted by this decision."}
      act="Decide"
      busy={resolve.isPending}
      disabled={comment.trim() === "" || (outcome !== "rejected" && wrong !== null)}
      onConfirm={() => resolve.mutate({ outcome, comment: comment.trim(), ...(paying ? { amount, ...(period === dispute.period_id ? {} : { period_id: period }) } : {}) })}
    >
      <div className="flex flex-col gap-3.5">
        <fieldset className="flex flex-wrap gap-x-5 gap-y-2">
          <legend className="pb-1 text-[0.87rem] font-medium text-ink-2">Decision</legend>
          {OUTCOMES.map((each) => (
            <label key={each.value} className="inline-flex items-center gap-2">
              <input type="radio" name="outcome" className="size-4.5 accent-(--accent)" checked={outcome === each.value} onChange={() => setOutcome(each.value)} />
              {each.label}
            </label>
          ))}
        </fieldset>
        {outcome === "rejected" ? null : (
          <>
            <TextField
              label="Granted"
              inputMode="decimal"
              hint="Added to the payee's pay; a minus takes away. Empty where a plan or data are corrected instead."
              error={wrong}
              value={granted}
              onChange={(event) => setGranted(event.target.value)}
            />
            <SelectField label="Paid in" hint="An open period. A closed one takes no more." value={period} onChange={(event) => setPeriod(event.target.value)}>
              {takes
                .filter((one) => one.state !== "planned" || one.period_id === period)
                .map((one) => (
                  <option key={one.period_id} value={one.period_id}>
                    {showPeriod(one.period_id)}
                  </option>
                ))}
            </SelectField>
          </>
        )}
        <TextArea label="Comment" hint="The one who raised it reads this." required rows={4} maxLength={5_000} value={comment} onChange={(event) => setComment(event.target.value)} />
        <FormProblem error={resolve.error} />
      </div>
    </ConfirmDialog>
  );
}

/** A question whose answer is not enough. */
export function EscalateDialog({ at, etag, refresh, onClose }: Omit<Given, "dispute">) {
  const [expected, setExpected] = useState("");
  const [comment, setComment] = useState("");
  const amount = expected.trim() === "" ? null : typed(expected);
  const wrong = expected.trim() !== "" && amount === null;
  const make = useWrite((given: { expected?: string; comment: string }) => api.put<Dispute>(`${at}/escalation`, given, { ifMatch: etag ?? undefined }), {
    refresh,
    onDone: () => {
      onClose();
      toast("It is a dispute now; somebody decides on it.");
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Make a dispute of it"
      description="The thread stays. Somebody decides, and what is granted is paid."
      act="Make a dispute of it"
      busy={make.isPending}
      disabled={comment.trim() === "" || wrong}
      onConfirm={() => make.mutate({ comment: comment.trim(), ...(amount ? { expected: amount } : {}) })}
    >
      <div className="flex flex-col gap-3.5">
        <TextField label="What you expect" inputMode="decimal" hint="What it should say. May stay empty." error={wrong ? "Write an amount such as 1,250.50." : null} value={expected} onChange={(event) => setExpected(event.target.value)} />
        <TextArea label="What is wrong" required rows={4} maxLength={5_000} value={comment} onChange={(event) => setComment(event.target.value)} />
        <FormProblem error={make.error} />
      </div>
    </ConfirmDialog>
  );
}

export function HoldDialog({ at, dispute, etag, refresh, onClose }: Given) {
  const [reason, setReason] = useState("");
  const act = dispute.holds_pay ? "Release pay" : "Hold pay";
  const hold = useWrite((given: { holds_pay: boolean; reason: string }) => api.put<Dispute>(`${at}/hold`, given, { ifMatch: etag ?? undefined }), {
    refresh,
    onDone: (now) => {
      onClose();
      toast(now.holds_pay ? "Payouts of the payee wait for this." : "Payouts wait no longer.");
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={act}
      description={dispute.holds_pay ? "Payouts pay the payee again." : "No payout that pays the payee is approved or exported before this is settled; she can be excluded from it."}
      act={act}
      busy={hold.isPending}
      disabled={reason.trim() === ""}
      onConfirm={() => hold.mutate({ holds_pay: !dispute.holds_pay, reason: reason.trim() })}
    >
      <div className="flex flex-col gap-3.5">
        <TextArea label="Why" hint="It stands in the thread." required autoFocus rows={3} maxLength={5_000} value={reason} onChange={(event) => setReason(event.target.value)} />
        <FormProblem error={hold.error} />
      </div>
    </ConfirmDialog>
  );
}
