// How far a payout is, what can be done with it, and by whom.

import type { Payout, PayoutHead, PayoutLine, PayoutState } from "@/api/settlement";

export const STATES: PayoutState[] = ["draft", "reviewed", "approved", "exported", "paid"];

export type Act = "refresh" | "review" | "approve" | "export" | "confirm" | "cancel" | "mark" | "return";

const ACTS: Record<PayoutState, Act[]> = {
  draft: ["review", "refresh", "mark", "cancel"],
  reviewed: ["approve", "refresh", "mark", "cancel"],
  approved: ["export", "refresh", "mark", "cancel"],
  exported: ["confirm"],
  paid: ["return"],
  cancelled: [],
};

export function acts(state: PayoutState): Act[] {
  return ACTS[state] ?? [];
}

/** Why this person cannot approve it, or why nobody can yet; null where nothing is in the way. */
export function approvalRefused(payout: Pick<Payout, "hands" | "lines">, userId: string): string | null {
  if (payout.hands.some((hand) => hand.user_id === userId && hand.action !== "approve-payout")) return "You drafted, reviewed or changed it, so somebody else has to approve it.";
  const waits = payout.lines.filter((line) => line.mark && line.mark.kind !== "excluded").length;
  if (waits > 0) return `${waits === 1 ? "One payee is" : `${waits} payees are`} disputed or on hold: settle it, or exclude them.`;
  return heldFor(payout);
}

/** Disputes that keep payees of it from being paid. */
function heldFor(payout: Pick<Payout, "lines">): string | null {
  const held = payout.lines.filter((line) => line.state === "due" && line.reasons.some((reason) => reason.blocks)).length;
  return held > 0 ? `Disputes hold the pay of ${held === 1 ? "one payee" : `${held} payees`}: settle them, release the pay, or exclude the payees.` : null;
}

export function exportRefused(payout: Pick<Payout, "open_periods" | "lines">): string | null {
  return payout.open_periods.length > 0 ? `The pay of ${payout.open_periods.join(", ")} is not approved yet.` : heldFor(payout);
}

/** What was done, with who did it: for the row of steps. */
export function doneBy(payout: PayoutHead, state: PayoutState): { name: string; at: string } | null {
  const by: Record<PayoutState, [string | null, string | null]> = {
    draft: [payout.made_by, payout.made_at],
    reviewed: [payout.reviewed_by, payout.reviewed_at],
    approved: [payout.approved_by, payout.approved_at],
    exported: [payout.exported_by, payout.exported_at],
    paid: [payout.paid_by, payout.paid_on],
    cancelled: [null, null],
  };
  const [name, at] = by[state];
  return name && at ? { name, at } : null;
}

const FLAGS: Record<string, string> = {
  raised: "more than at the last look",
  lowered: "less than at the last look",
  "lower-result": "the ledger says less now",
  waits: "more came since; it waits",
  disputed: "disputed",
  negative: "below zero: nothing is paid",
};

export function flagWords(flag: string): string {
  return FLAGS[flag] ?? flag.replace(/-/g, " ");
}

/** Those that need a look stand first, then the largest. */
export function byAttention(lines: PayoutLine[]): PayoutLine[] {
  const weight = (line: PayoutLine) => (line.mark && line.mark.kind !== "excluded" ? 0 : line.reasons.some((reason) => reason.blocks) ? 0 : line.flags.length > 0 || line.reasons.length > 0 ? 1 : line.state === "due" ? 2 : 3);
  return [...lines].sort((a, b) => weight(a) - weight(b) || a.payee_name.localeCompare(b.payee_name));
}
