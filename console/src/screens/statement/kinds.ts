// What a line of a statement is, in words, and the arithmetic from what was earned to what is paid.

import type { Statement, StatementLine } from "@/api/types";
import { type Decimal, absolute, sign } from "@/money";
import { showPeriod } from "@/words";

export interface KindWords {
  /** A short name for a badge; none for what a plan earns. */
  label: string;
  /** Why the line is there, in a sentence. */
  why: string;
}

const KINDS: Record<string, KindWords> = {
  adjustment: { label: "adjustment", why: "adjusted by hand; two people decided it" },
  guarantee: { label: "guarantee", why: "fills up to what the plan guarantees" },
  clawback: { label: "taken back", why: "what was paid for a deal that did not last" },
  lapse: { label: "lapsed", why: "was held and can no longer be paid" },
  forgiven: { label: "forgiven", why: "a debt that need not be paid back" },
  retro: { label: "correction", why: "what an earlier period would have earned now, less what it had" },
};

export function kindOf(line: Pick<StatementLine, "kind" | "origin_period_id">): KindWords | null {
  const known = KINDS[line.kind];
  if (!known) return null;
  return line.origin_period_id ? { label: `${known.label} of ${showPeriod(line.origin_period_id)}`, why: known.why } : known;
}

/** The line's name; where the server has none but the kind's own id, the kind in words. */
export function nameOf(line: StatementLine): string {
  const kind = KINDS[line.kind];
  if (!kind || (line.name !== "" && line.name !== line.kind)) return line.name;
  return kind.label.charAt(0).toUpperCase() + kind.label.slice(1);
}

export interface Term {
  name: string;
  sign: "" | "+" | "−";
  amount: Decimal;
}

/** An amount that is added where it is positive and taken off where it is negative, each under its own name. */
function signed(amount: Decimal, more: string, less: string, turned: boolean): Term {
  const negative = sign(amount) < 0;
  return { name: negative ? less : more, sign: negative !== turned ? "−" : "+", amount: absolute(amount) };
}

/** Earned + carried in − newly held − carried out = paid. What is nothing is left out, but for what was earned and held. */
export function terms(totals: Statement["totals"]): Term[] {
  return [
    { name: "Earned", sign: "" as const, amount: totals.earned },
    ...(sign(totals.carried_in) === 0 ? [] : [signed(totals.carried_in, "Carried in", "Owed before", false)]),
    signed(totals.held, "Held", "Released", true),
    ...(sign(totals.carried_balance) === 0 ? [] : [signed(totals.carried_balance, "Carried out", "Owed after", true)]),
  ];
}

/** Kinds of lines that no credit and no formula made. */
export const RULELESS = ["adjustment", "guarantee", "forgiven"];

/** Whether deals of the period count towards the line. */
export function isCredited(line: Pick<StatementLine, "kind">): boolean {
  return line.kind === "formula" || line.kind === "retro";
}

/** Why an adjustment was made, out of the label of its slice (`adjustment A-1: goodwill: sorry`). */
export function adjustmentReason(label: string): string {
  return label.replace(/^adjustment \S+: /, "");
}
