// Plan documents in words.

import type { PlanDocumentHead } from "@/api/work";

/** What was sent waits for an answer. */
export function shownState(state: PlanDocumentHead["state"]): string {
  return state === "sent" ? "waiting" : state;
}

/** `12 of 37 accepted, 1 returned`; what was replaced does not count. */
export function summary(documents: Pick<PlanDocumentHead, "state">[]): string {
  const alive = documents.filter((one) => one.state !== "replaced");
  const many = (state: PlanDocumentHead["state"]) => alive.filter((one) => one.state === state).length;
  const returned = many("returned");
  return `${many("accepted")} of ${alive.length} accepted${returned > 0 ? `, ${returned} returned` : ""}`;
}

/** What waits, then the newest. */
export function waitingFirst<D extends Pick<PlanDocumentHead, "state" | "sent_at">>(documents: D[]): D[] {
  return [...documents].sort((a, b) => Number(b.state === "sent") - Number(a.state === "sent") || b.sent_at.localeCompare(a.sent_at));
}
