// Who acts for whom: a person gives another her approvals for some days.

import { useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Items } from "@/api/types";
import type { Candidate, Delegation } from "@/api/work";
import { StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { ConfirmDialog } from "@/parts/Dialog";
import { SelectField, TextArea, TextField } from "@/parts/Field";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { toast } from "@/parts/Toast";
import { Empty, FormProblem, Reading } from "@/parts/states";
import { showDay } from "@/words";
import { dayAfter, lastDay } from "@/days";

export default function Delegations() {
  return useMay()("see-rules", "approve-changes", "manage-users") ? <DelegationsScreen /> : <Denied />;
}

function DelegationsScreen() {
  const session = useSession();
  const may = useMay();
  const delegations = useRead<Items<Delegation>>("/delegations", { parts: ["work"] });
  const [giving, setGiving] = useState(false);
  const [ending, setEnding] = useState<Delegation | null>(null);
  const revoke = useWrite((one: Delegation) => api.delete<Delegation>(path`/delegations/${one.delegation_id}`), {
    refresh: ["/delegations"],
    onDone: () => {
      setEnding(null);
      toast("It is taken back.");
    },
  });
  const start = may("approve-changes", "manage-users") ? (
    <Button look="primary" icon="hand" onClick={() => setGiving(true)}>
      Give approvals
    </Button>
  ) : undefined;
  const name = (id: string, shown: string) => (id === session.user_id ? "you" : shown);
  return (
    <Screen title="Delegations" lead="While somebody is away, another decides for her. Neither can approve what the other has written." actions={start}>
      <Reading
        of={delegations}
        isEmpty={(data) => data.items.length === 0}
        empty={
          <div className="card">
            <Empty icon="hand" title="Nobody acts for another" next="Who may approve gives her approvals to somebody else for some days, so that nothing waits for her." action={start} />
          </div>
        }
      >
        {(data) => (
          <ul className="card divide-y divide-line overflow-hidden" aria-label="Delegations">
            {data.items.map((one) => {
              const alive = one.state === "coming" || one.state === "in-force";
              const mine = [one.from, one.to, one.created_by].includes(session.user_id) || may("manage-users");
              return (
                <li key={one.delegation_id} className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-4 py-3 sm:px-5">
                  <span className="min-w-0 flex-1 basis-60">
                    <span className="block">
                      Approvals of <strong className="font-medium">{name(one.from, one.from_name)}</strong> are done by <strong className="font-medium">{name(one.to, one.to_name)}</strong>
                    </span>
                    <span className="block text-[0.87rem] text-ink-3">
                      {showDay(one.from_on)} until {showDay(lastDay(one.until_on))} · {one.reason}
                    </span>
                  </span>
                  <StateBadge state={one.state} />
                  {alive && mine ? (
                    <Button size="sm" look="danger" onClick={() => setEnding(one)} aria-label={`Take back: ${one.from_name} to ${one.to_name}`}>
                      Take back
                    </Button>
                  ) : null}
                </li>
              );
            })}
          </ul>
        )}
      </Reading>
      {giving ? <Give onClose={() => setGiving(false)} /> : null}
      <ConfirmDialog
        open={ending !== null}
        onOpenChange={(open) => {
          if (!open) setEnding(null);
        }}
        title="Take approvals back?"
        description={ending ? `${name(ending.to, ending.to_name)} no longer decides for ${name(ending.from, ending.from_name)} from now on.` : ""}
        act="Take back"
        look="danger"
        busy={revoke.isPending}
        onConfirm={() => {
          if (ending) revoke.mutate(ending);
        }}
      >
        <FormProblem error={revoke.error} />
      </ConfirmDialog>
    </Screen>
  );
}

function Give({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const may = useMay();
  const forOthers = may("manage-users");
  const givers = useRead<Items<Candidate>>("/who-may", { query: { deed: "give-approvals" }, parts: ["work"], enabled: forOthers });
  const [from, setFrom] = useState(may("approve-changes") ? session.user_id : "");
  const takers = useRead<Items<Candidate>>("/who-may", { query: { deed: "receive-approvals", object: from }, parts: ["work"], enabled: from !== "", keep: true });
  const [to, setTo] = useState("");
  const [first, setFirst] = useState(session.today);
  const [last, setLast] = useState("");
  const [reason, setReason] = useState("");
  const give = useWrite((given: Record<string, string>, options) => api.post<Delegation>("/delegations", given, options), {
    refresh: ["/delegations"],
    onDone: (made) => {
      onClose();
      toast(`${made.to_name} acts for ${made.from === session.user_id ? "you" : made.from_name}.`);
    },
  });
  const ready = from !== "" && to !== "" && first !== "" && last !== "" && last >= first && reason.trim() !== "";
  const send = () => {
    if (ready) give.mutate({ to, from_on: first, until_on: dayAfter(last), reason: reason.trim(), ...(from === session.user_id ? {} : { from }) });
  };
  const option = (one: { user_id: string; name: string }) => (
    <option key={one.user_id} value={one.user_id}>
      {one.name}
    </option>
  );
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Give approvals"
      description="To somebody who sees changes. What was given to her she cannot give on."
      act="Give"
      busy={give.isPending}
      disabled={!ready}
      onConfirm={send}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {forOthers ? (
          <SelectField label="Approvals of" value={from} onChange={(event) => setFrom(event.target.value)}>
            {from === "" ? <option value="">Choose somebody</option> : null}
            {(givers.data?.items ?? []).map(option)}
          </SelectField>
        ) : null}
        <SelectField label="Are done by" value={to} onChange={(event) => setTo(event.target.value)}>
          {to === "" ? <option value="">Choose somebody</option> : null}
          {(takers.data?.items ?? []).filter((one) => one.user_id !== from).map(option)}
        </SelectField>
        <div className="grid gap-3.5 sm:grid-cols-2">
          <TextField label="From" type="date" required value={first} onChange={(event) => setFirst(event.target.value)} />
          <TextField label="Up to and with" type="date" required min={first} value={last} onChange={(event) => setLast(event.target.value)} />
        </div>
        <TextArea label="Why" required rows={2} maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
        <FormProblem error={takers.error ?? give.error} />
        <button type="submit" className="hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </ConfirmDialog>
  );
}
