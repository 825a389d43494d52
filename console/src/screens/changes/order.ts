// In which order changes are worked through, and which one opens itself after a decision.

import type { ChangeState } from "@/api/types";
import type { ChangeHead } from "@/editor/shapes";

const at = (change: ChangeHead) => change.decided_at ?? change.submitted_at ?? change.created_at;

/** What waits longest comes first among what waits; else the newest. */
export function inOrder(changes: readonly ChangeHead[], state: ChangeState | "all"): ChangeHead[] {
  const way = state === "submitted" ? 1 : -1;
  return [...changes].sort((a, b) => way * at(a).localeCompare(at(b)) || a.change_id.localeCompare(b.change_id));
}

/** The next one after `changeId` on which this person may decide, from the beginning again after the last; null when all is done. */
export function nextAfter(items: readonly ChangeHead[], changeId: string, userId: string): ChangeHead | null {
  const from = items.findIndex((one) => one.change_id === changeId);
  const order = [...items.slice(from + 1), ...items.slice(0, Math.max(from, 0))];
  return order.find((one) => one.change_id !== changeId && one.state === "submitted" && one.author !== userId) ?? null;
}
