// Calculations that wait or are under way, stage by stage as the server tells of them.

import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, path } from "@/api/client";
import { useConnection, useEvent } from "@/api/live";
import { useRead } from "@/api/read";
import type { Job, Page } from "@/api/types";
import { Spinner } from "@/parts/Button";
import { Icon } from "@/parts/Icon";
import { toastProblem } from "@/parts/Toast";
import { ago, plain } from "@/words";

/** How often to ask while the server's own events do not come. */
const ASK_AGAIN_MS = 4_000;

interface Seen {
  stage: string;
  done: number;
  stages: number;
  names: string[];
}

export interface Ended {
  job_id: string;
  state: "done" | "failed";
  run_id: string | null;
  error: string | null;
}

function runOf(outcome: unknown): string | null {
  const id = outcome && typeof outcome === "object" ? (outcome as { run_id?: unknown }).run_id : null;
  return typeof id === "string" ? id : null;
}

/** The jobs that calculate now, and those that ended while one was looking. */
export function useCalculations() {
  const client = useQueryClient();
  const away = useConnection() !== "live";
  const options = { parts: ["work", "runs"] as const, refetchInterval: away ? ASK_AGAIN_MS : (false as const), keep: true };
  const waiting = useRead<Page<Job>>("/jobs", { query: { state: "waiting", limit: 20 }, ...options });
  const running = useRead<Page<Job>>("/jobs", { query: { state: "running", limit: 20 }, ...options });
  const [seen, setSeen] = useState<Record<string, Seen>>({});
  const [ended, setEnded] = useState<Ended[]>([]);
  useEvent("progress", (event) =>
    setSeen((before) => {
      const names = before[event.job_id]?.names ?? [];
      return {
        ...before,
        [event.job_id]: { stage: event.stage, done: event.done, stages: event.stages, names: names.includes(event.stage) ? names : [...names, event.stage] },
      };
    }),
  );
  useEvent("job", (event) => {
    void client.invalidateQueries({ queryKey: ["/jobs"] });
    if (event.state !== "done" && event.state !== "failed") return;
    api
      .get<Job>(path`/jobs/${event.job_id}`)
      .then((job) => {
        if (job.kind !== "run") return;
        void client.invalidateQueries({ queryKey: ["/runs"] });
        setEnded((before) => [
          { job_id: job.job_id, state: job.state === "failed" ? "failed" : "done", run_id: runOf(job.outcome), error: job.error },
          ...before.filter((one) => one.job_id !== job.job_id),
        ]);
      })
      .catch(toastProblem);
  });
  const over = new Set(ended.map((one) => one.job_id));
  const jobs = [...(running.data?.items ?? []), ...(waiting.data?.items ?? [])].filter((job) => job.kind === "run" && !over.has(job.job_id));
  return { jobs, seen, ended, dismiss: (jobId: string) => setEnded((before) => before.filter((one) => one.job_id !== jobId)) };
}

export function Calculations({ of: calculations }: { of: ReturnType<typeof useCalculations> }) {
  const { jobs, seen, ended, dismiss } = calculations;
  if (jobs.length === 0 && ended.length === 0) return null;
  return (
    <section aria-label="Calculations under way" className="flex flex-col gap-3">
      {jobs.map((job) => {
        const own = seen[job.job_id] ?? (job.progress ? { ...job.progress, names: [job.progress.stage] } : null);
        const known = own !== null && job.state !== "failed";
        return (
          <div key={job.job_id} className="card flex flex-col gap-2.5 px-5 py-4">
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <span className="text-accent">
                <Spinner />
              </span>
              <strong className="font-semibold">{known ? `Calculating: ${plain(own.stage)}` : job.state === "waiting" ? "Waiting for a worker" : "Calculating"}</strong>
              {known ? (
                <span className="num text-ink-3">
                  {own.done} of {own.stages} stages
                </span>
              ) : null}
              {job.started_at ? <span className="ml-auto text-[0.87rem] text-ink-3">began {ago(job.started_at)}</span> : null}
            </div>
            <progress className="sr-only" aria-label="Stages done" value={own?.done ?? 0} max={own?.stages ?? 1} />
            <div aria-hidden="true" className="flex gap-1">
              {Array.from({ length: own?.stages ?? 8 }, (_, at) => (
                <span key={at} className={`h-2 flex-1 rounded-full transition-colors ${known && at < own.done ? "bg-accent" : known && at === own.done ? "shimmer" : "bg-sunken"}`} />
              ))}
            </div>
            {own && own.names.length > 1 ? (
              <p className="text-[0.87rem] text-ink-3" aria-hidden="true">
                {own.names.map((name) => plain(name)).join(" · ")}
              </p>
            ) : null}
          </div>
        );
      })}
      {ended.map((one) => (
        <div key={one.job_id} role="status" className={`card flex flex-wrap items-center gap-x-3 gap-y-2 px-5 py-3 ${one.state === "failed" ? "!border-bad/40 !bg-bad-soft" : ""}`}>
          <Icon name={one.state === "failed" ? "warn" : "check"} className={one.state === "failed" ? "text-bad" : "text-accent"} />
          <span className="min-w-0 flex-1">
            {one.state === "failed" ? (
              <>The calculation failed: {one.error ?? "its job says no reason"}. <Link className="link" to="/schedules" search={{ tab: "jobs", state: "failed" } as never}>See the job</Link></>
            ) : one.run_id ? (
              <>
                The calculation is done: <Link className="link" to="/runs/$id" params={{ id: one.run_id }}>what it changed</Link>
              </>
            ) : (
              "The calculation is done."
            )}
          </span>
          <button type="button" className="link" onClick={() => dismiss(one.job_id)}>
            Dismiss
          </button>
        </div>
      ))}
    </section>
  );
}
