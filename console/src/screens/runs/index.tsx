// All calculations: what each paid and found; one can be started here and watched, and two can be compared.

import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { usePages, useWrite } from "@/api/read";
import { useCurrency, useMay } from "@/api/session";
import type { RunSummary } from "@/api/types";
import { compare, money } from "@/money";
import { Badge, StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { ConfirmDialog } from "@/parts/Dialog";
import { TextField } from "@/parts/Field";
import { Money } from "@/parts/Money";
import { Screen } from "@/parts/Screen";
import { Since, StandingBadge } from "@/parts/Standing";
import { Denied } from "@/parts/Shell";
import { toast } from "@/parts/Toast";
import { Empty, Failed, FormProblem, Loading } from "@/parts/states";
import { ago, count, plain, shortDigest, showInstant } from "@/words";
import { Calculations, useCalculations } from "./progress";

const NOTE_MAX = 200;

export default function Runs() {
  return useMay()("see-runs") ? <RunsScreen /> : <Denied />;
}

function RunsScreen() {
  const may = useMay();
  const currency = useCurrency();
  const navigate = useNavigate();
  const runs = usePages<RunSummary>("/runs", { parts: ["runs"], limit: 50 });
  const calculations = useCalculations();
  const [asking, setAsking] = useState(false);
  const [picked, setPicked] = useState<string[]>([]);
  const pick = (id: string, on: boolean) => setPicked((before) => (on ? [...before.filter((one) => one !== id), id].slice(-2) : before.filter((one) => one !== id)));
  const order = runs.items.map((run) => run.run_id);
  const [newer, older] = [...picked].sort((a, b) => order.indexOf(a) - order.indexOf(b));

  const columns: Column<RunSummary>[] = [
    {
      id: "pick",
      header: "Compare",
      sortable: false,
      value: () => "",
      cell: (run) => (
        <input
          type="checkbox"
          className="size-4.5 accent-(--accent)"
          aria-label={`Compare run ${shortDigest(run.run_id)}`}
          checked={picked.includes(run.run_id)}
          onChange={(event) => pick(run.run_id, event.target.checked)}
        />
      ),
    },
    {
      id: "run",
      header: "Run",
      value: (run) => run.run_id,
      cell: (run) => (
        <Link className="link font-mono text-[0.9em] whitespace-nowrap" to="/runs/$id" params={{ id: run.run_id }}>
          {shortDigest(run.run_id)}
        </Link>
      ),
    },
    {
      id: "recorded",
      header: "Recorded",
      value: (run) => run.recorded_at,
      cell: (run) => (
        <time dateTime={run.recorded_at} title={showInstant(run.recorded_at)} className="whitespace-nowrap">
          {ago(run.recorded_at)}
        </time>
      ),
    },
    {
      id: "state",
      header: "State",
      value: (run) => (run.complete ? "complete" : "incomplete"),
      cell: (run) => (
        <span className="flex flex-wrap gap-1">
          {run.complete ? <Badge tone="accent">complete</Badge> : <StateBadge state="incomplete" />}
          <StandingBadge run={run.run_id} />
        </span>
      ),
    },
    { id: "trigger", header: "Started by", value: (run) => plain(run.trigger ?? "") },
    { id: "note", header: "Note", value: (run) => run.note, cell: (run) => (run.note ? <span className="line-clamp-2 min-w-32">{run.note}</span> : <span className="text-ink-3">–</span>) },
    { id: "earned", header: "Earned", align: "right", value: (run) => run.earned, cell: (run) => <Money amount={run.earned} /> },
    { id: "posted", header: "Posted", align: "right", value: (run) => run.posted_count },
    { id: "findings", header: "Findings", align: "right", value: (run) => run.finding_count },
  ];

  return (
    <Screen
      title="Runs"
      lead="Each run calculates everything from pinned inputs; its hash proves what was paid and why."
      wide
      actions={
        <>
          {picked.length > 0 ? (
            <Button
              disabled={picked.length < 2}
              onClick={() => {
                if (newer && older) void navigate({ to: "/runs/$id", params: { id: newer }, search: { tab: "compare", with: older } as never });
              }}
            >
              {picked.length < 2 ? "Choose one more to compare" : "Compare these two"}
            </Button>
          ) : null}
          {may("calculate") ? (
            <Button look="primary" icon="run" onClick={() => setAsking(true)}>
              Start a run
            </Button>
          ) : null}
        </>
      }
    >
      <Since />
      <Calculations of={calculations} />
      {runs.isPending ? (
        <Loading />
      ) : runs.error ? (
        <Failed error={runs.error} retry={runs.retry} />
      ) : runs.items.length === 0 ? (
        <Empty
          icon="run"
          title="Nothing was calculated yet"
          next={may("calculate") ? "Start a run: it calculates the pay of all payees in all periods." : "Whoever may calculate starts the first run."}
          action={
            may("calculate") ? (
              <Button look="primary" onClick={() => setAsking(true)}>
                Start a run
              </Button>
            ) : undefined
          }
        />
      ) : (
        <>
          <Trend runs={runs.items} currency={currency} />
          <div className="card overflow-hidden">
            <DataTable
              label="Runs"
              columns={columns}
              rows={runs.items}
              rowKey={(run) => run.run_id}
              onRow={(run) => void navigate({ to: "/runs/$id", params: { id: run.run_id } })}
              filterable
              hasMore={runs.hasMore}
              onMore={runs.more}
              total={runs.total}
            />
          </div>
        </>
      )}
      {asking ? <Start onClose={() => setAsking(false)} /> : null}
    </Screen>
  );
}

/** The newest complete run against the one before it, in a sentence. */
function Trend({ runs, currency }: { runs: RunSummary[]; currency: string | null }) {
  const [last, before] = runs.filter((run) => run.complete);
  if (!last?.earned || !before?.earned) return null;
  const way = compare(last.earned, before.earned);
  return (
    <p className="text-ink-2">
      The last complete run earns {money(last.earned, currency)}
      {way === 0 ? ", the same as the one before." : <>, {way > 0 ? "more" : "less"} than the {money(before.earned, currency)} of the one before.</>}{" "}
      <Link className="link" to="/runs/$id" params={{ id: last.run_id }} search={{ tab: "changes" } as never}>
        {count(last.posted_count ?? 0, "amount was", "amounts were")} posted: see why
      </Link>
    </p>
  );
}

function Start({ onClose }: { onClose: () => void }) {
  const [note, setNote] = useState("");
  const start = useWrite(
    (given: { note?: string }, options) => api.post<{ job_id: string; waited_already?: boolean }>("/runs", given, options),
    {
      refresh: ["/jobs"],
      onDone: (accepted) => {
        toast(accepted.waited_already ? "A run waits already; it will see the same record." : "The run is in the queue.");
        onClose();
      },
    },
  );
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Start a run"
      description="Everything is calculated from the record as it is now. What changed is posted as differences; nothing that was posted is overwritten."
      act="Start"
      busy={start.isPending}
      onConfirm={() => start.mutate(note.trim() === "" ? {} : { note: note.trim() })}
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate(note.trim() === "" ? {} : { note: note.trim() });
        }}
      >
        <TextField label="Note" hint="Why you start it; it is shown in the list. May stay empty." maxLength={NOTE_MAX} value={note} onChange={(event) => setNote(event.target.value)} />
        <FormProblem error={start.error} />
      </form>
    </ConfirmDialog>
  );
}
