// Whether the last run is of what the record holds now, and since which change it is not.

import { useRead } from "@/api/read";
import { useMay } from "@/api/session";
import type { RunStanding, SinceRun } from "@/api/work";
import { ago, count, showInstant } from "@/words";
import { Badge } from "./Badge";

const SHOWN_MAX = 5;

/** A change that the run did not see, in words. */
export function sinceSaid(one: SinceRun): string {
  const what = one.kind === "rows" ? `rows of ${one.object}` : one.kind === "extension" ? `extension ${one.object}` : one.object;
  return one.source ? `${what} (${one.source})` : what;
}

/** The standing as one sentence. */
export function standingSaid(standing: RunStanding): string {
  if (standing.incomplete_run_id) return "The last run is incomplete: mend what its findings say.";
  if (standing.state === "none") return "Nothing was calculated yet.";
  if (standing.state === "current") return "The last run is of everything that is there now.";
  const [first] = standing.changes;
  const more = standing.change_count - 1;
  return `${first ? sinceSaid(first) : "Something"}${more > 0 ? ` and ${count(more, "more thing")}` : ""} changed since the last run: run again.`;
}

export function useStanding() {
  const may = useMay();
  return useRead<RunStanding>("/run-standing", { parts: ["company", "runs", "extensions"], enabled: may("see-runs"), keep: true });
}

/** Current or stale, for the run with that id; nothing for another one. */
export function StandingBadge({ run }: { run: string }) {
  const standing = useStanding().data;
  if (!standing || standing.run_id !== run || standing.state === "none") return null;
  return standing.state === "current" ? (
    <Badge tone="accent" title={standingSaid(standing)}>
      current
    </Badge>
  ) : (
    <Badge tone="warn" title={standingSaid(standing)}>
      stale since {standing.since ? ago(standing.since) : "a change"}
    </Badge>
  );
}

/** What the last run did not see; nothing where it is current. */
export function Since({ run }: { run?: string }) {
  const standing = useStanding().data;
  if (!standing || standing.state !== "stale" || (run !== undefined && standing.run_id !== run)) return null;
  return (
    <section aria-label="Changed since the last run" className="card !border-warn/50 !bg-warn-soft px-5 py-3">
      <p className="font-medium">{count(standing.change_count, "thing")} changed since the last run: its figures are not of what is there now.</p>
      <ul className="mt-1.5 flex flex-col gap-0.5 text-[0.93rem]">
        {standing.changes.slice(0, SHOWN_MAX).map((one) => (
          <li key={`${one.kind}/${one.object}`} className="[overflow-wrap:anywhere]">
            {sinceSaid(one)}, <time title={showInstant(one.at)}>{ago(one.at)}</time>
          </li>
        ))}
        {standing.change_count > SHOWN_MAX ? <li className="text-ink-2">and {count(standing.change_count - SHOWN_MAX, "more thing")}</li> : null}
      </ul>
    </section>
  );
}
