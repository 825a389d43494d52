// Whether the last run is of what is there now, and what people still wait for.

import type { DisputeHead, RunStanding } from "@/api/work";
import { standingSaid } from "@/parts/Standing";
import { count } from "@/words";

export type CheckState = "good" | "open" | "unknown";

export function runCheck(standing: RunStanding): { state: CheckState; says: string } {
  return { state: standing.state === "current" && standing.incomplete_run_id === null ? "good" : "open", says: standingSaid(standing) };
}

/** Questions and disputes that wait, in words. */
export function openSaid(open: readonly Pick<DisputeHead, "kind" | "overdue" | "holds_pay">[]): string {
  const disputes = open.filter((one) => one.kind === "dispute").length;
  const questions = open.length - disputes;
  const overdue = open.filter((one) => one.overdue).length;
  const holding = open.filter((one) => one.holds_pay).length;
  const parts = [disputes > 0 ? count(disputes, "open dispute") : "", questions > 0 ? count(questions, "open question") : ""].filter(Boolean);
  return [parts.join(" and "), overdue > 0 ? `${overdue} overdue` : "", holding > 0 ? `${holding} ${holding === 1 ? "holds" : "hold"} pay` : ""].filter(Boolean).join(", ");
}
