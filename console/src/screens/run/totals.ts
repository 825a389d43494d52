// Control totals: what came in must be what was credited, left uncredited and put aside.

import type { Run } from "@/api/types";
import { type Decimal, compare, isDecimal, subtract, sum } from "@/money";

export interface Tie {
  /** `count` or `amount`. */
  of: string;
  given: Decimal;
  parts: { name: string; value: Decimal }[];
  /** What is given less the parts; zero where they tie. */
  rest: Decimal;
}

/** The totals that must tie (`in-…` against all others of the same ending), and the other ones. */
export function ties(totals: Run["totals"]): { tied: Tie[]; others: Run["totals"] } {
  const ending = (name: string) => name.slice(name.lastIndexOf("-") + 1);
  const tied: Tie[] = [];
  const used = new Set<string>();
  for (const given of totals) {
    if (!given.name.startsWith("in-") || !isDecimal(given.value)) continue;
    const of = ending(given.name);
    const parts = totals.filter((one) => one !== given && ending(one.name) === of && /^(credited|uncredited|house|quarantined)-/.test(one.name) && isDecimal(one.value));
    if (parts.length === 0) continue;
    tied.push({ of, given: given.value, parts: parts.map(({ name, value }) => ({ name: name.slice(0, name.lastIndexOf("-")), value })), rest: subtract(given.value, sum(parts.map((one) => one.value))) });
    for (const one of [given, ...parts]) used.add(one.name);
  }
  return { tied, others: totals.filter((one) => !used.has(one.name)) };
}

export function isTied(tie: Tie): boolean {
  return compare(tie.rest, "0") === 0;
}
