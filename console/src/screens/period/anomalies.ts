// Which of the unusual statements are shown, and in which order.

import type { Anomaly, AnomalyKind } from "@/api/work";

export const KINDS: Record<AnomalyKind, { label: string; against: string }> = {
  "off-trend": { label: "far from the months before", against: "median" },
  "zero-after-pay": { label: "nothing after pay", against: "before" },
  "above-target": { label: "many times the target", against: "target" },
  "without-plan": { label: "new and on no plan", against: "" },
  negative: { label: "below zero", against: "" },
  "large-adjustment": { label: "large adjustment", against: "" },
};

/** Those that nobody has looked at first, then by name; of one kind where one is chosen. */
export function chosen(items: Anomaly[], kind: string | undefined, all: boolean): Anomaly[] {
  return items
    .filter((one) => (kind ? one.kind === kind : true) && (all || one.review === null))
    .sort((a, b) => Number(a.review !== null) - Number(b.review !== null) || a.payee_name.localeCompare(b.payee_name) || a.kind.localeCompare(b.kind));
}

/** How many of each kind there are, those that there are. */
export function byKind(items: Anomaly[]): { kind: AnomalyKind; count: number }[] {
  const counts = new Map<AnomalyKind, number>();
  for (const one of items) counts.set(one.kind, (counts.get(one.kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => ({ kind, count }));
}
