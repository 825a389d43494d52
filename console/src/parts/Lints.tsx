// What is allowed in a plan but seldom meant: holes between tiers, pay that jumps or falls. It refuses nothing.

import type { PlanLint } from "@/api/work";
import { count } from "@/words";
import { Badge } from "./Badge";

/** Those that a change brings stand first, warnings before notes. */
export function inOrder(lints: readonly PlanLint[]): PlanLint[] {
  const weight = (one: PlanLint) => (one.known ? 2 : 0) + (one.severity === "info" ? 1 : 0);
  return [...lints].sort((a, b) => weight(a) - weight(b));
}

/** How many there are, in words. */
export function lintsSaid(lints: readonly PlanLint[]): string {
  const warnings = lints.filter((one) => one.severity !== "info").length;
  const notes = lints.length - warnings;
  return [warnings > 0 ? count(warnings, "warning") : "", notes > 0 ? count(notes, "note") : ""].filter(Boolean).join(", ") || "nothing to look at";
}

export function Lints({ of: lints, change = false }: { of: readonly PlanLint[]; change?: boolean }) {
  if (lints.length === 0) return null;
  return (
    <ul className="flex flex-col gap-2" aria-label="To look at in the plan">
      {inOrder(lints).map((one, at) => (
        <li key={at} className="flex flex-wrap items-baseline gap-x-2.5 gap-y-0.5 text-[0.93rem]">
          <Badge tone={one.severity === "info" ? "neutral" : "warn"} title={one.code}>
            {one.severity === "info" ? "note" : "warning"}
          </Badge>
          {change ? <Badge tone={one.known ? "neutral" : "accent"}>{one.known ? "was there" : "new"}</Badge> : null}
          <span className="min-w-0 flex-1 basis-60 [overflow-wrap:anywhere]">
            <span className="font-medium">{one.place}</span>
            {one.version ? <span className="text-ink-3"> from {one.version}</span> : null}: {one.message}
          </span>
        </li>
      ))}
    </ul>
  );
}
