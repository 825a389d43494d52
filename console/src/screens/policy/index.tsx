// How people work together: days for a dispute, who approves what, what is unusual. One proposes a policy, another approves it.

import { useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { ChangeKind, Role } from "@/api/types";
import type { Policy, PolicyVersion, PolicyView } from "@/api/work";
import { StateBadge } from "@/parts/Badge";
import { Button, IconButton } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Dialog } from "@/parts/Dialog";
import { Checkbox, SelectField, TextField } from "@/parts/Field";
import { Money } from "@/parts/Money";
import { Names, useNames } from "@/parts/Names";
import { Pairs } from "@/parts/Pairs";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { toast, toastProblem } from "@/parts/Toast";
import { FormProblem, Reading } from "@/parts/states";
import { ago, count, plain, showInstant } from "@/words";
import { type Typed, differences, faults, ruleWords, sent, shown } from "./form";

const KINDS: ChangeKind[] = ["formula", "plan", "extension", "import", "company", "table"];
/** Those whose role has approvals at all. */
const APPROVERS: Role[] = ["comp-admin", "finance"];

export default function WorkPolicy() {
  return useMay()("see-rules") ? (
    <Names>
      <PolicyScreen />
    </Names>
  ) : (
    <Denied />
  );
}

function PolicyScreen() {
  const may = useMay();
  const policy = useRead<PolicyView>("/work-policy", { parts: ["work"] });
  const [proposing, setProposing] = useState(false);
  return (
    <Screen
      title="Work policy"
      lead="It counts once somebody other than its author has approved it."
      actions={
        may("draft-changes") && policy.data ? (
          <Button look="primary" icon="policy" onClick={() => setProposing(true)}>
            Propose a change
          </Button>
        ) : undefined
      }
    >
      <Reading of={policy}>
        {(data) => (
          <>
            <Proposals view={data} />
            <div className="grid items-start gap-4 lg:grid-cols-2">
              <InForce policy={data.in_force} />
              <Versions view={data} />
            </div>
            {proposing ? <Propose policy={data.in_force} onClose={() => setProposing(false)} /> : null}
          </>
        )}
      </Reading>
    </Screen>
  );
}

function InForce({ policy }: { policy: Policy }) {
  return (
    <Card title="In force">
      <Pairs
        pairs={[
          ["A dispute is decided", `within ${count(policy.dispute_days, "day")}`],
          ["Somebody else is asked", `after ${count(policy.escalate_after_days, "day")} without a decision`],
          ["Statements", policy.acknowledgement_wanted ? "payees are asked to acknowledge them" : "need no acknowledgement"],
          ["Unusual", `further than ${policy.anomalies.percent} % from the median of three periods, or ${policy.anomalies.target_times} times the target`],
          ["Large adjustment", <Money key="large" amount={policy.anomalies.adjustment_at_least} />],
          [
            "Approvals",
            policy.approvals.length === 0 ? (
              "whoever may approve decides on any change"
            ) : (
              <ol key="approvals" className="flex flex-col gap-1">
                {policy.approvals.map((rule, at) => (
                  <li key={at}>{ruleWords(rule)}</li>
                ))}
              </ol>
            ),
          ],
        ]}
      />
      {policy.approvals.length > 1 ? <p className="mt-3 text-[0.87rem] text-ink-3">The last one that is true of a change counts.</p> : null}
    </Card>
  );
}

function Proposals({ view }: { view: PolicyView }) {
  const waiting = view.versions.filter((one) => one.state === "proposed");
  return (
    <>
      {waiting.map((one) => (
        <Proposal key={one.version} of={one} now={view.in_force} />
      ))}
    </>
  );
}

function Proposal({ of: one, now }: { of: PolicyVersion; now: Policy }) {
  const session = useSession();
  const may = useMay();
  const { nameOf } = useNames();
  const decide = useWrite((approve: boolean, options) => api.post<PolicyView>(path`/work-policy/${one.version}/decision`, { approve }, options), {
    refresh: ["/work-policy"],
    onDone: (_, approve) => toast(approve ? "The policy is in force." : "The proposal is rejected."),
  });
  const own = one.proposed_by === session.user_id;
  const changes = differences(now, one.policy);
  return (
    <Card title={`Version ${one.version} waits for a second person`} aside={`proposed by ${nameOf(one.proposed_by)} ${ago(one.proposed_at)}`}>
      {changes.length === 0 ? (
        <p className="text-ink-2">It says what is in force already.</p>
      ) : (
        <ul className="flex list-disc flex-col gap-1 pl-5">
          {changes.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {may("approve-changes") ? (
        <div className="mt-4 flex flex-wrap items-center gap-2">
          <Button look="primary" icon="check" busy={decide.isPending} disabled={own} onClick={() => decide.mutate(true, { onError: toastProblem })}>
            Approve
          </Button>
          <Button look="danger" busy={decide.isPending} disabled={own} onClick={() => decide.mutate(false, { onError: toastProblem })}>
            Reject
          </Button>
          {own ? <span className="text-[0.93rem] text-ink-2">You proposed it, so somebody else has to decide.</span> : null}
        </div>
      ) : null}
    </Card>
  );
}

function Versions({ view }: { view: PolicyView }) {
  const { nameOf } = useNames();
  return (
    <Card title="Versions">
      {view.versions.length === 0 ? (
        <p className="text-ink-2">What a new record begins with is in force; nobody has proposed anything else.</p>
      ) : (
        <ol className="flex flex-col gap-2.5">
          {view.versions.map((one) => (
            <li key={one.version} className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
              <span className="font-medium">Version {one.version}</span>
              <StateBadge state={one.state} />
              <span className="text-[0.9rem] text-ink-2">
                {nameOf(one.proposed_by)}, <time title={showInstant(one.proposed_at)}>{ago(one.proposed_at)}</time>
                {one.decided_by && one.decided_at ? `; decided by ${nameOf(one.decided_by)}, ${ago(one.decided_at)}` : ""}
              </span>
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
}

function Propose({ policy, onClose }: { policy: Policy; onClose: () => void }) {
  const [own, setOwn] = useState<Typed>(() => shown(policy));
  const wrong = faults(own);
  const set = (part: Partial<Typed>) => setOwn((before) => ({ ...before, ...part }));
  const rule = (at: number, part: Partial<Typed["approvals"][number]>) => set({ approvals: own.approvals.map((one, place) => (place === at ? { ...one, ...part } : one)) });
  const propose = useWrite((given: Policy, options) => api.post<PolicyView>("/work-policy", given, options), {
    refresh: ["/work-policy"],
    onDone: () => {
      onClose();
      toast("Proposed. It counts once somebody else has approved it.");
    },
  });
  const ready = Object.keys(wrong).length === 0;
  const send = () => {
    if (ready) propose.mutate(sent(own));
  };
  return (
    <Dialog
      open
      width="md"
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Propose a policy"
      description="It replaces the one in force as a whole."
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Cancel
          </Button>
          <Button look="primary" busy={propose.isPending} disabled={!ready} onClick={send}>
            Propose
          </Button>
        </>
      }
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <div className="grid gap-3.5 sm:grid-cols-2">
          <TextField label="Days for a dispute" inputMode="numeric" value={own.dispute_days} error={wrong.dispute_days} onChange={(event) => set({ dispute_days: event.target.value })} />
          <TextField label="Days before somebody else is asked" inputMode="numeric" value={own.escalate_after_days} error={wrong.escalate_after_days} onChange={(event) => set({ escalate_after_days: event.target.value })} />
          <TextField label="Off trend (per cent of the median)" inputMode="numeric" value={own.percent} error={wrong.percent} onChange={(event) => set({ percent: event.target.value })} />
          <TextField label="Above target (times)" inputMode="decimal" value={own.target_times} error={wrong.target_times} onChange={(event) => set({ target_times: event.target.value })} />
          <TextField label="Large adjustment from" inputMode="decimal" value={own.adjustment_at_least} error={wrong.adjustment_at_least} onChange={(event) => set({ adjustment_at_least: event.target.value })} />
        </div>
        <Checkbox label="Payees are asked to acknowledge their statements" checked={own.acknowledgement_wanted} onChange={(event) => set({ acknowledgement_wanted: event.target.checked })} />
        <fieldset className="flex flex-col gap-3">
          <legend className="pb-1 font-medium">Who has to approve what</legend>
          {own.approvals.map((one, at) => (
            <div key={at} role="group" aria-label={`Rule ${at + 1}`} className="grid items-start gap-2 rounded-control bg-sunken p-3 sm:grid-cols-[1fr_1fr_1fr_1fr_auto]">
              <SelectField label="Kind" value={one.kind} onChange={(event) => rule(at, { kind: event.target.value })}>
                <option value="">any change</option>
                {KINDS.map((kind) => (
                  <option key={kind} value={kind}>
                    {kind}
                  </option>
                ))}
              </SelectField>
              <TextField label="Of" hint="Empty for all." value={one.object} onChange={(event) => rule(at, { object: event.target.value })} />
              <TextField label="From amount" inputMode="decimal" error={wrong[`approvals.${at}`]} value={one.at_least} onChange={(event) => rule(at, { at_least: event.target.value })} />
              <SelectField label="Needs" value={one.role} onChange={(event) => rule(at, { role: event.target.value as Role })}>
                {APPROVERS.map((role) => (
                  <option key={role} value={role}>
                    {plain(role)}
                  </option>
                ))}
              </SelectField>
              <IconButton icon="close" label={`Remove rule ${at + 1}`} className="sm:mt-5.5" onClick={() => set({ approvals: own.approvals.filter((_, place) => place !== at) })} />
            </div>
          ))}
          <Button size="sm" icon="plus" className="self-start" onClick={() => set({ approvals: [...own.approvals, { kind: "", object: "", at_least: "", role: "finance" }] })}>
            Add a rule
          </Button>
        </fieldset>
        <FormProblem error={propose.error} />
        <button type="submit" className="hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </Dialog>
  );
}
