// Jobs, newest first, those of one state or of one schedule; each with what it was given, what came out and why it failed.

import { Link } from "@tanstack/react-router";
import { path } from "@/api/client";
import { useEvent } from "@/api/live";
import { usePages, useRead } from "@/api/read";
import { useMay } from "@/api/session";
import type { Job } from "@/api/types";
import { useQueryClient } from "@tanstack/react-query";
import { StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { Drawer } from "@/parts/Drawer";
import { Pairs } from "@/parts/Pairs";
import { Empty, Failed, Loading, Reading } from "@/parts/states";
import { useChangeSearch, useUrlState } from "@/url";
import { ago, plain, shortDigest, showInstant } from "@/words";
import { KINDS } from "./NewSchedule";

const STATES = ["", "waiting", "running", "done", "failed"];

function kindName(kind: string): string {
  return (KINDS as Record<string, { name: string } | undefined>)[kind]?.name ?? plain(kind, true);
}

/** How long it took, as people say it. */
export function took(job: Pick<Job, "started_at" | "ended_at">): string {
  if (!job.started_at || !job.ended_at) return "";
  const millis = new Date(job.ended_at).getTime() - new Date(job.started_at).getTime();
  if (millis < 1_000) return `${millis} ms`;
  if (millis < 60_000) return `${(millis / 1_000).toFixed(1)} s`;
  return `${Math.floor(millis / 60_000)} min ${Math.round((millis % 60_000) / 1_000)} s`;
}

const COLUMNS: Column<Job>[] = [
  { id: "state", header: "State", sortable: false, width: "6rem", value: (job) => job.state, cell: (job) => <StateBadge state={job.state} /> },
  { id: "kind", header: "Job", sortable: false, value: (job) => kindName(job.kind), cell: (job) => <span className="whitespace-nowrap">{kindName(job.kind)}</span> },
  {
    id: "scheduled",
    header: "For",
    sortable: false,
    value: (job) => job.scheduled_for,
    cell: (job) => (
      <time dateTime={job.scheduled_for} title={showInstant(job.scheduled_for)} className="whitespace-nowrap">
        {ago(job.scheduled_for)}
      </time>
    ),
  },
  { id: "took", header: "Took", align: "right", sortable: false, value: (job) => took(job) },
  { id: "attempt", header: "Attempt", align: "right", sortable: false, value: (job) => job.attempt, cell: (job) => `${job.attempt} of ${job.attempts_max}` },
  { id: "by", header: "By", sortable: false, value: (job) => job.requested_by },
  {
    id: "error",
    header: "What happened",
    sortable: false,
    value: (job) => job.error ?? "",
    cell: (job) =>
      job.error ? (
        <span className={`line-clamp-2 min-w-48 ${job.state === "failed" ? "text-bad" : "text-warn"}`}>{job.error}</span>
      ) : job.progress ? (
        `${plain(job.progress.stage)}, ${job.progress.done} of ${job.progress.stages}`
      ) : (
        <span className="text-ink-3">–</span>
      ),
  },
];

export function Jobs() {
  const client = useQueryClient();
  const change = useChangeSearch();
  const [state = "", setState] = useUrlState("state");
  const [schedule] = useUrlState("schedule");
  const [open, setOpen] = useUrlState("job", true);
  const at = schedule ? path`/schedules/${schedule}/history` : "/jobs";
  const jobs = usePages<Job>(at, { query: schedule ? {} : { state }, parts: ["work"], keep: true, limit: 50 });
  useEvent("job", () => void client.invalidateQueries({ queryKey: [at] }));
  return (
    <div className="flex flex-col gap-3">
      {schedule ? (
        <p className="flex flex-wrap items-center gap-3">
          Jobs of one schedule.
          <Button size="sm" onClick={() => change({ schedule: undefined })}>
            Show all jobs
          </Button>
        </p>
      ) : (
        <div role="group" aria-label="Filter by state" className="flex flex-wrap gap-2">
          {STATES.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={state === one}
              onClick={() => setState(one || undefined)}
              className={`min-h-9 rounded-full border px-3.5 py-1 ${state === one ? "border-accent bg-accent-soft text-accent" : "border-line-strong bg-surface hover:bg-sunken"}`}
            >
              {one || "all"}
            </button>
          ))}
        </div>
      )}
      <div className="card min-w-0 overflow-hidden">
        {jobs.isPending ? (
          <div className="p-5">
            <Loading />
          </div>
        ) : jobs.error ? (
          <Failed error={jobs.error} retry={jobs.retry} />
        ) : jobs.items.length === 0 ? (
          <Empty icon="schedule" title={state === "failed" ? "No job failed" : "There are no such jobs"} next={state === "failed" ? "Failed jobs are listed here with their error." : "A job is made by a schedule, by starting a run, or by an approval."} />
        ) : (
          <DataTable
            label="Jobs"
            columns={COLUMNS}
            rows={jobs.items}
            rowKey={(job) => job.job_id}
            selected={open ?? null}
            onRow={(job) => setOpen(job.job_id)}
            hasMore={jobs.hasMore}
            onMore={jobs.more}
            total={jobs.total}
          />
        )}
      </div>
      <Drawer
        open={open !== undefined}
        onOpenChange={(now) => {
          if (!now) change({ job: undefined });
        }}
        title={`Job ${open ?? ""}`}
      >
        {open !== undefined ? <Detail id={open} /> : null}
      </Drawer>
    </div>
  );
}

function Detail({ id }: { id: string }) {
  const may = useMay();
  const client = useQueryClient();
  const at = path`/jobs/${id}`;
  const job = useRead<Job>(at, { parts: ["work"] });
  useEvent("progress", (event) => {
    if (event.job_id === id) void client.invalidateQueries({ queryKey: [at] });
  });
  return (
    <Reading of={job}>
      {(found) => {
        const run = found.outcome && typeof found.outcome === "object" ? (found.outcome as { run_id?: unknown }).run_id : undefined;
        return (
          <div className="flex flex-col gap-5">
            {found.error ? (
              <div role="alert" className="rounded-control border border-bad/40 bg-bad-soft px-4 py-3 [overflow-wrap:anywhere]">
                <p className="font-medium">{found.state === "failed" ? "It failed" : "Its last attempt failed"}</p>
                <p>{found.error}</p>
                {found.next_attempt_at ? <p className="mt-1 text-[0.87rem] text-ink-2">It is tried again {ago(found.next_attempt_at)}.</p> : null}
              </div>
            ) : null}
            <Pairs
              pairs={[
                ["State", <StateBadge state={found.state} />],
                ["Does", kindName(found.kind)],
                ["For", showInstant(found.scheduled_for)],
                found.started_at ? ["Began", showInstant(found.started_at)] : null,
                found.ended_at ? ["Ended", `${showInstant(found.ended_at)}${took(found) ? `, after ${took(found)}` : ""}`] : null,
                ["Attempt", `${found.attempt} of ${found.attempts_max}`],
                ["By", found.requested_by],
                found.node ? ["Node", found.node] : null,
                found.progress ? ["Progress", `${plain(found.progress.stage)}, ${found.progress.done} of ${found.progress.stages}`] : null,
                typeof run === "string" && may("see-runs")
                  ? ([
                      "Run",
                      <Link className="link font-mono text-[0.9em]" to="/runs/$id" params={{ id: run }}>
                        {shortDigest(run)}
                      </Link>,
                    ] as const)
                  : null,
              ]}
            />
            <Told name="Given" value={found.payload} />
            <Told name="Outcome" value={found.outcome} />
          </div>
        );
      }}
    </Reading>
  );
}

function Told({ name, value }: { name: string; value: unknown }) {
  if (value === null || value === undefined || (typeof value === "object" && Object.keys(value).length === 0)) return null;
  return (
    <section className="flex flex-col gap-1.5">
      <h3 className="font-semibold">{name}</h3>
      <pre tabIndex={0} aria-label={name} className="max-h-72 overflow-auto rounded-md bg-sunken p-3 text-[0.83rem]">
        {JSON.stringify(value, null, 2)}
      </pre>
    </section>
  );
}
