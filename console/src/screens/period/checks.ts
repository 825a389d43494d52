// Whether the last run is complete, and whether anything that one can see of was changed since.

import type { Change, ImportSummary, RunSummary } from "@/api/types";
import { count } from "@/words";

export type CheckState = "good" | "open" | "unknown";

export function runCheck(run: RunSummary | null, changes: Pick<Change, "decided_at">[], imports: Pick<ImportSummary, "state" | "recorded_at">[]): { state: CheckState; says: string } {
  if (!run) return { state: "open", says: "Nothing was calculated yet." };
  if (!run.complete) return { state: "open", says: "The last run is incomplete: mend what its findings say." };
  const since = changes.filter((one) => one.decided_at !== null && one.decided_at > run.recorded_at).length;
  const imported = imports.filter((one) => one.state === "applied" && (one.recorded_at ?? "") > run.recorded_at).length;
  if (since + imported > 0) {
    const parts = [since > 0 ? count(since, "approved change") : "", imported > 0 ? count(imported, "import") : ""].filter(Boolean);
    return { state: "open", says: `${parts.join(" and ")} came after the last run: run again.` };
  }
  return { state: "good", says: "The last run is complete, and no change or import came after it." };
}
