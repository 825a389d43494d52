// Payouts: batches of payments, the newest first, and the draft of a new one.

import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { usePages, useRead, useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Payout, PayoutHead } from "@/api/settlement";
import type { EntityRow, Page } from "@/api/types";
import { StateBadge } from "@/parts/Badge";
import { Button, DownloadLink } from "@/parts/Button";
import { Choices } from "@/parts/Choices";
import { type Column, DataTable } from "@/parts/DataTable";
import { ConfirmDialog } from "@/parts/Dialog";
import { SelectField, TextField } from "@/parts/Field";
import { Money } from "@/parts/Money";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { download } from "@/api/client";
import { toast } from "@/parts/Toast";
import { Empty, Failed, FormProblem, Loading } from "@/parts/states";
import { useUrlState } from "@/url";
import { showDay, showPeriod } from "@/words";
import { STATES } from "./steps";

const FILTERS = [{ value: undefined, label: "All" }, ...STATES.map((state) => ({ value: state as string, label: state.charAt(0).toUpperCase() + state.slice(1) })), { value: "cancelled", label: "Cancelled" }];

const COLUMNS: Column<PayoutHead>[] = [
  {
    id: "period",
    header: "Up to",
    value: (row) => row.period_id,
    cell: (row) => (
      <span>
        <span className="block font-medium whitespace-nowrap">{showPeriod(row.period_id)}</span>
        <span className="block text-[0.83rem] text-ink-3 sm:hidden">{row.pay_group_id}</span>
      </span>
    ),
  },
  { id: "group", header: "Group", wideOnly: true, value: (row) => row.pay_group_id },
  { id: "pay_on", header: "Pay day", value: (row) => row.pay_on, cell: (row) => <span className="whitespace-nowrap">{showDay(row.pay_on)}</span> },
  { id: "state", header: "State", value: (row) => row.state, cell: (row) => <StateBadge state={row.state} /> },
  { id: "payees", header: "Payees", align: "right", wideOnly: true, value: (row) => row.payee_count },
  { id: "amount", header: "Amount", align: "right", value: (row) => row.amount, cell: (row) => <Money amount={row.amount} currency={row.currency} className="font-semibold" /> },
  { id: "made_by", header: "Drafted by", wideOnly: true, value: (row) => row.made_by },
];

export default function Payouts() {
  return useMay()("see-payouts") ? <PayoutsScreen /> : <Denied />;
}

function PayoutsScreen() {
  const may = useMay();
  const navigate = useNavigate();
  const [state, setState] = useUrlState("state");
  const [drafting, setDrafting] = useState(false);
  const payouts = usePages<PayoutHead>("/payouts", { query: { state }, parts: ["work", "company"], keep: true, limit: 50 });
  const start = may("manage-payouts") ? (
    <Button look="primary" icon="plus" onClick={() => setDrafting(true)}>
      Draft a payout
    </Button>
  ) : undefined;
  return (
    <Screen
      title="Payouts"
      lead="What the ledger says is due becomes payments: drafted, reviewed, approved by a second person, exported once, confirmed."
      wide
      actions={
        <>
          <DownloadLink size="md" href={download("/ledger", { format: "csv" })}>
            Ledger
          </DownloadLink>
          {start}
        </>
      }
    >
      <div>
        <Choices label="State" choices={FILTERS} value={state} onChange={setState} />
      </div>
      {payouts.error ? (
        <Failed error={payouts.error} retry={payouts.retry} />
      ) : payouts.isPending ? (
        <Loading />
      ) : payouts.items.length === 0 ? (
        <div className="card">
          <Empty
            icon="payout"
            title={state ? `No payout is ${state}` : "Nothing was paid out yet"}
            next={state ? "Choose another state above." : "A draft takes all that is due to a pay group up to a period and is in no payout yet."}
            action={state ? undefined : start}
          />
        </div>
      ) : (
        <div className="card min-w-0 overflow-hidden">
          <DataTable
            label="Payouts"
            columns={COLUMNS}
            rows={payouts.items}
            rowKey={(row) => row.batch_id}
            onRow={(row) => void navigate({ to: "/payouts/$id", params: { id: row.batch_id } })}
            hasMore={payouts.hasMore}
            onMore={payouts.more}
          />
        </div>
      )}
      {drafting ? <Draft onClose={() => setDrafting(false)} /> : null}
    </Screen>
  );
}

function Draft({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const may = useMay();
  const navigate = useNavigate();
  const groups = useRead<Page<EntityRow>>("/entities/pay_groups/rows", { query: { limit: 200 }, parts: ["company"], enabled: may("see-data") });
  const [group, setGroup] = useState("default");
  const [period, setPeriod] = useState(session.current_period ?? "");
  const [payOn, setPayOn] = useState(session.today);
  const draft = useWrite((given: { pay_group_id: string; period_id: string; pay_on: string }, options) => api.post<Payout>("/payouts", given, options), {
    refresh: ["/payouts"],
    onDone: (payout) => {
      onClose();
      toast("The payout is drafted.");
      void navigate({ to: "/payouts/$id", params: { id: payout.batch_id } });
    },
  });
  const known = (groups.data?.items ?? []).map((row) => ({ id: row.key[0] ?? row.id, currency: row.values.currency }));
  const send = () => draft.mutate({ pay_group_id: group, period_id: period, pay_on: payOn });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Draft a payout"
      description="It takes everything up to and with the period that is due to the group and is in no payout yet."
      act="Draft"
      busy={draft.isPending}
      disabled={period === "" || payOn === ""}
      onConfirm={send}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <SelectField label="Pay group" value={group} onChange={(event) => setGroup(event.target.value)}>
          {known.some((one) => one.id === "default") ? null : <option value="default">Everybody who is in no group</option>}
          {known.map((one) => (
            <option key={one.id} value={one.id}>
              {one.id}
              {one.currency ? `, ${one.currency}` : ""}
            </option>
          ))}
        </SelectField>
        <SelectField label="Up to and with" value={period} onChange={(event) => setPeriod(event.target.value)}>
          {period === "" ? <option value="">Choose a period</option> : null}
          {[...session.periods]
            .reverse()
            .filter((one) => one.state !== "planned")
            .map((one) => (
              <option key={one.period_id} value={one.period_id}>
                {showPeriod(one.period_id)}
              </option>
            ))}
        </SelectField>
        <TextField label="Pay day" type="date" required hint="Rates of exchange are those of now, for that day." value={payOn} onChange={(event) => setPayOn(event.target.value)} />
        <FormProblem error={draft.error} />
        <button type="submit" className="hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </ConfirmDialog>
  );
}
