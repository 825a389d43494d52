// Adjustments of pay by hand: who gets what and why, and which of them a second person has approved.

import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { usePages, useWrite } from "@/api/read";
import { useCurrency, useMay, useSession } from "@/api/session";
import type { Adjustment, AdjustmentReason } from "@/api/settlement";
import { sign, typed } from "@/money";
import { StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Choices } from "@/parts/Choices";
import { type Column, DataTable } from "@/parts/DataTable";
import { ConfirmDialog } from "@/parts/Dialog";
import { SelectField, TextArea, TextField } from "@/parts/Field";
import { Difference } from "@/parts/Money";
import { PayeeField } from "@/parts/PayeeField";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { toast } from "@/parts/Toast";
import { Empty, Failed, FormProblem, Loading } from "@/parts/states";
import { useUrlState } from "@/url";
import { plain, showInstant, showPeriod } from "@/words";

const REASONS: { value: AdjustmentReason; label: string }[] = [
  { value: "correction", label: "Correction of a mistake" },
  { value: "goodwill", label: "Goodwill" },
  { value: "guarantee", label: "Guarantee" },
  { value: "referral", label: "Referral" },
  { value: "spif", label: "SPIF" },
  { value: "write-off", label: "Write-off of a debt" },
  { value: "other", label: "Other" },
];

const STATES = [
  { value: undefined, label: "All" },
  { value: "submitted", label: "Waiting" },
  { value: "approved", label: "Approved" },
  { value: "rejected", label: "Rejected" },
  { value: "withdrawn", label: "Withdrawn" },
] as const;

const COLUMNS: Column<Adjustment>[] = [
  {
    id: "payee",
    header: "Payee",
    value: (row) => `${row.payee_name} ${row.payee_id}`,
    cell: (row) => (
      <Link className="link font-medium" to="/statements/$period" params={{ period: row.period_id }} search={{ payee: row.payee_id } as never}>
        {row.payee_name}
      </Link>
    ),
  },
  { id: "period", header: "Period", wideOnly: true, value: (row) => row.period_id, cell: (row) => <span className="whitespace-nowrap">{showPeriod(row.period_id)}</span> },
  {
    id: "reason",
    header: "Reason",
    value: (row) => `${row.reason} ${row.note ?? ""}`,
    cell: (row) => (
      <span className="block min-w-0">
        {row.dispute_id ? (
          <Link className="link" to="/disputes/$id" params={{ id: row.dispute_id }}>
            {plain(row.reason, true)}
          </Link>
        ) : (
          plain(row.reason, true)
        )}
        {row.component_id || row.transaction_id ? <span className="block text-[0.83rem] [overflow-wrap:anywhere] text-ink-3">{[row.plan_id, row.component_id, row.transaction_id].filter(Boolean).join(" · ")}</span> : null}
        {row.note ? <span className="block text-[0.83rem] [overflow-wrap:anywhere] text-ink-3">{row.note}</span> : null}
      </span>
    ),
  },
  {
    id: "state",
    header: "State",
    value: (row) => row.state,
    cell: (row) =>
      row.change_id ? (
        <Link to="/changes/$id" params={{ id: row.change_id }} title="Open the change">
          <StateBadge state={row.state} />
        </Link>
      ) : (
        <StateBadge state={row.state} />
      ),
  },
  { id: "created", header: "Drafted", wideOnly: true, value: (row) => row.created_at, cell: (row) => <span className="text-ink-2">{row.created_at ? `${row.author_name ?? ""}, ${showInstant(row.created_at)}` : "came with the data"}</span> },
  { id: "decided", header: "Decided", wideOnly: true, value: (row) => row.decided_at, cell: (row) => <span className="text-ink-2">{row.decided_at ? `${row.decided_by_name ?? ""}, ${showInstant(row.decided_at)}` : "–"}</span> },
  { id: "amount", header: "Amount", align: "right", value: (row) => row.amount, cell: (row) => <Difference amount={row.amount} className="font-semibold" /> },
];

export default function Adjustments() {
  return useMay()("see-all-pay") ? <AdjustmentsScreen /> : <Denied />;
}

function AdjustmentsScreen() {
  const session = useSession();
  const may = useMay();
  const [period, setPeriod] = useUrlState("period");
  const [drafting, setDrafting] = useState(false);
  const [state, setState] = useUrlState("state");
  const [reason, setReason] = useUrlState("reason");
  const all = usePages<Adjustment>("/adjustments", { query: { period, state, reason }, parts: ["work", "company"], keep: true });
  const start = may("draft-changes", "import") ? (
    <Button look="primary" icon="plus" onClick={() => setDrafting(true)}>
      Adjust pay
    </Button>
  ) : undefined;
  return (
    <Screen
      title="Adjustments"
      lead="An amount with a reason. It is paid once a second person has approved it and a run has posted it."
      selectors={
        <>
        <label className="inline-flex items-center gap-2">
          <span className="text-[0.87rem] text-ink-2">Period</span>
          <select className="input !w-auto" value={period ?? ""} onChange={(event) => setPeriod(event.target.value || undefined)}>
            <option value="">All</option>
            {[...session.periods].reverse().map((one) => (
              <option key={one.period_id} value={one.period_id}>
                {showPeriod(one.period_id)}
              </option>
            ))}
          </select>
        </label>
          <Choices label="State" choices={STATES} value={state} onChange={setState} />
          <select aria-label="Reason" className="input !w-auto" value={reason ?? ""} onChange={(event) => setReason(event.target.value || undefined)}>
            <option value="">All reasons</option>
            {REASONS.concat({ value: "dispute", label: "Outcome of a dispute" }).map((one) => (
              <option key={one.value} value={one.value}>
                {one.label}
              </option>
            ))}
          </select>
        </>
      }
      actions={start}
    >
      {all.error ? (
        <Failed error={all.error} retry={all.retry} />
      ) : all.isPending ? (
        <Loading />
      ) : all.items.length === 0 ? (
        <div className="card">
          <Empty icon="adjust" title={period ? `No adjustments in ${showPeriod(period)}` : "No adjustments"} next="What a plan does not say and pay still needs, such as a correction or goodwill, is an adjustment." action={start} />
        </div>
      ) : (
        <div className="card min-w-0 overflow-hidden">
          <DataTable label="Adjustments" columns={COLUMNS} rows={all.items} rowKey={(row) => row.adjustment_id} filterable hasMore={all.hasMore} onMore={all.more} />
        </div>
      )}
      {drafting ? <Draft period={period ?? session.current_period ?? ""} onClose={() => setDrafting(false)} /> : null}
    </Screen>
  );
}

function Draft({ period: first, onClose }: { period: string; onClose: () => void }) {
  const session = useSession();
  const currency = useCurrency();
  const [payee, setPayee] = useState("");
  const [period, setPeriod] = useState(first);
  const [amount, setAmount] = useState("");
  const [reason, setReason] = useState<AdjustmentReason>("correction");
  const [note, setNote] = useState("");
  const [deal, setDeal] = useState("");
  const value = typed(amount);
  const wrong = amount.trim() !== "" && (value === null || sign(value) === 0);
  const draft = useWrite((given: Record<string, string>, options) => api.post<Adjustment>("/adjustments", given, options), {
    refresh: ["/adjustments", "/changes"],
    onDone: () => {
      onClose();
      toast("Drafted. It waits for a second person under Changes.");
    },
  });
  const send = () => {
    if (value === null || wrong || payee.trim() === "") return;
    draft.mutate({
      payee_id: payee.trim(),
      period_id: period,
      amount: value,
      reason,
      ...(note.trim() ? { note: note.trim() } : {}),
      ...(deal.trim() ? { transaction_id: deal.trim() } : {}),
    });
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Adjust pay"
      description="It becomes a change that a second person decides on."
      act="Submit"
      busy={draft.isPending}
      disabled={value === null || wrong || payee.trim() === "" || period === ""}
      onConfirm={send}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <PayeeField label="Payee" hint="A name or an id." required autoFocus value={payee} onChange={setPayee} />
        <SelectField label="Paid in" hint="A closed period takes no more." value={period} onChange={(event) => setPeriod(event.target.value)}>
          {period === "" ? <option value="">Choose a period</option> : null}
          {[...session.periods].reverse().map((one) => (
            <option key={one.period_id} value={one.period_id}>
              {showPeriod(one.period_id)}
            </option>
          ))}
        </SelectField>
        <TextField
          label={`Amount${currency ? ` (${currency})` : ""}`}
          inputMode="decimal"
          required
          hint="A minus takes away."
          error={wrong ? "Write an amount that is not zero, such as 1,250.50." : null}
          value={amount}
          onChange={(event) => setAmount(event.target.value)}
        />
        <SelectField label="Reason" value={reason} onChange={(event) => setReason(event.target.value as AdjustmentReason)}>
          {REASONS.map((one) => (
            <option key={one.value} value={one.value}>
              {one.label}
            </option>
          ))}
        </SelectField>
        <TextField label="Deal" hint="Its id, where it is about one. May stay empty." value={deal} onChange={(event) => setDeal(event.target.value)} />
        <TextArea label="Note" hint="The payee reads it on her statement." rows={2} maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} />
        <FormProblem error={draft.error} />
        <button type="submit" className="hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </ConfirmDialog>
  );
}
