// Who was sent which plan, and who has accepted it. A plan is sent from here.

import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { usePages, useRead, useWrite } from "@/api/read";
import { useMay } from "@/api/session";
import type { EntityRow, Page } from "@/api/types";
import type { PlanDocumentHead } from "@/api/work";
import { StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Choices } from "@/parts/Choices";
import { type Column, DataTable } from "@/parts/DataTable";
import { ConfirmDialog } from "@/parts/Dialog";
import { Field, TextField } from "@/parts/Field";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { toast } from "@/parts/Toast";
import { Empty, Failed, FormProblem, Loading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, count, showDay, showInstant } from "@/words";
import { shownState, summary } from "./words";

const STATES = [
  { value: undefined, label: "All" },
  { value: "sent", label: "Waiting" },
  { value: "accepted", label: "Accepted" },
  { value: "returned", label: "Returned" },
  { value: "replaced", label: "Replaced" },
] as const;

const COLUMNS: Column<PlanDocumentHead>[] = [
  { id: "payee", header: "Payee", value: (row) => `${row.payee_name} ${row.payee_id}`, cell: (row) => <span className="font-medium">{row.payee_name}</span> },
  {
    id: "plan",
    header: "Plan",
    value: (row) => row.plan_id,
    cell: (row) => (
      <span>
        {row.plan_id}
        {row.version ? <span className="block text-[0.83rem] text-ink-3">from {showDay(row.version)}</span> : null}
      </span>
    ),
  },
  {
    id: "state",
    header: "State",
    value: (row) => row.state,
    cell: (row) => (
      <span className="flex flex-wrap items-center gap-x-2">
        <StateBadge state={shownState(row.state)} />
        {row.holds_pay && row.state !== "accepted" ? <span className="text-[0.83rem] text-warn">holds pay</span> : null}
      </span>
    ),
  },
  { id: "comment", header: "Comment", wideOnly: true, value: (row) => row.comment, cell: (row) => (row.comment ? <span className="line-clamp-2 min-w-32">{row.comment}</span> : <span className="text-ink-3">–</span>) },
  { id: "sent", header: "Sent", wideOnly: true, value: (row) => row.sent_at, cell: (row) => <time title={showInstant(row.sent_at)} className="whitespace-nowrap">{ago(row.sent_at)}</time> },
  { id: "answered", header: "Answered", wideOnly: true, value: (row) => row.answered_at, cell: (row) => (row.answered_at ? <time title={showInstant(row.answered_at)} className="whitespace-nowrap">{ago(row.answered_at)}</time> : <span className="text-ink-3">–</span>) },
];

export default function PlanDocuments() {
  return useMay()("see-team-pay", "see-all-pay") ? <PlanDocumentsScreen /> : <Denied />;
}

function PlanDocumentsScreen() {
  const may = useMay();
  const navigate = useNavigate();
  const [state, setState] = useUrlState("state");
  const [sending, setSending] = useState(false);
  const documents = usePages<PlanDocumentHead>("/plan-documents", { query: { state }, parts: ["work", "company"], keep: true, limit: 200 });
  const start = may("draft-changes") ? (
    <Button look="primary" icon="plan" onClick={() => setSending(true)}>
      Send a plan
    </Button>
  ) : undefined;
  return (
    <Screen title="Plan documents" lead={`Each payee reads her plan in words and accepts it${state === undefined && documents.items.length > 0 && !documents.hasMore ? `: ${summary(documents.items)}.` : "."}`} wide selectors={<Choices label="State" choices={STATES} value={state} onChange={setState} />} actions={start}>
      {documents.error ? (
        <Failed error={documents.error} retry={documents.retry} />
      ) : documents.isPending ? (
        <Loading />
      ) : documents.items.length === 0 ? (
        <div className="card">
          <Empty icon="plan" title={state ? "No document is like that" : "No plan was sent yet"} next={state ? "Choose another state above." : "Send a plan to those who are on it; each gets her own text with her own quota and target."} action={state ? undefined : start} />
        </div>
      ) : (
        <div className="card min-w-0 overflow-hidden">
          <DataTable
            label="Plan documents"
            columns={COLUMNS}
            rows={documents.items}
            rowKey={(row) => row.document_id}
            onRow={(row) => void navigate({ to: "/plan-documents/$id", params: { id: row.document_id } })}
            filterable
            hasMore={documents.hasMore}
            onMore={documents.more}
          />
        </div>
      )}
      {sending ? <Send onClose={() => setSending(false)} /> : null}
    </Screen>
  );
}

function Send({ onClose }: { onClose: () => void }) {
  const may = useMay();
  // The plans that somebody is assigned to by name; others can be typed.
  const assignments = useRead<Page<EntityRow>>("/entities/plan_assignments/rows", { query: { limit: 1000 }, parts: ["company"], enabled: may("see-data") });
  const plans = [...new Set((assignments.data?.items ?? []).flatMap((row) => row.values.plan_id ?? []))].sort();
  const [plan, setPlan] = useState("");
  const [on, setOn] = useState("");
  const [to, setTo] = useState("");
  const payees = to.split(/[\s,;]+/).filter((one) => one !== "");
  const send = useWrite((given: { plan_id: string; on?: string; payee_ids?: string[] }, options) => api.post<{ documents: PlanDocumentHead[]; unchanged_count: number }>("/plan-documents", given, options), {
    refresh: ["/plan-documents"],
    onDone: (sent) => {
      onClose();
      toast(`${count(sent.documents.length, "document")} sent${sent.unchanged_count > 0 ? `; ${count(sent.unchanged_count, "payee has", "payees have")} this very text already` : ""}.`);
    },
  });
  const go = () => {
    if (plan.trim()) send.mutate({ plan_id: plan.trim(), ...(on ? { on } : {}), ...(payees.length > 0 ? { payee_ids: payees } : {}) });
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Send a plan"
      description="To everybody who is on it, or to some. Where the plan requires acceptance, its pay is held until then."
      act="Send"
      busy={send.isPending}
      disabled={plan.trim() === ""}
      onConfirm={go}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          go();
        }}
      >
        <Field label="Plan" hint="Its id.">
          {(ties) => (
            <>
              <input className="input" list="plans-known" autoComplete="off" autoFocus required value={plan} onChange={(event) => setPlan(event.target.value)} {...ties} />
              <datalist id="plans-known">
                {plans.map((one) => (
                  <option key={one} value={one} />
                ))}
              </datalist>
            </>
          )}
        </Field>
        <TextField label="Version of" type="date" hint="A day on which the version holds; the last one where it is left out." value={on} onChange={(event) => setOn(event.target.value)} />
        <TextField label="Only to" hint="Ids of payees with commas between them; everybody on it where it is left out." value={to} onChange={(event) => setTo(event.target.value)} />
        <FormProblem error={send.error} />
        <button type="submit" className="hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </ConfirmDialog>
  );
}
