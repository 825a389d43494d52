// What can be done with a period next, by whom.

import type { PeriodState, PeriodStatus } from "@/api/settlement";
import type { Action } from "@/api/types";

export interface NextStep {
  to: PeriodState;
  act: string;
  /** What it does, for the question before it is done. */
  says: string;
  /** Why this person cannot do it; null where she can. */
  refused: string | null;
  primary: boolean;
}

/** The person who asked for the review that is under way. */
export function askedBy(period: Pick<PeriodStatus, "steps">): string | null {
  return period.steps.findLast((step) => step.to === "in-review")?.actor ?? null;
}

export function nextSteps(period: Pick<PeriodStatus, "state" | "steps">, userId: string, may: (...actions: Action[]) => boolean): NextStep[] {
  const drafts = may("draft-changes", "approve-changes") ? null : "This is for those who draft or approve changes.";
  const approves = may("approve-changes") ? null : "This is for those who may approve changes.";
  switch (period.state) {
    case "open":
      return [{ to: "in-review", act: "Ask for review", says: "Somebody else looks at its statements and approves it. Figures may still change by the next run.", refused: drafts, primary: true }];
    case "in-review":
      return [
        { to: "open", act: "Back to open", says: "The review ends; what has to be changed is changed, then review is asked for again.", refused: drafts, primary: false },
        {
          to: "approved",
          act: "Approve",
          says: "What the last run says of it stands from here on and can be paid. Later differences are posted in a later period.",
          refused: approves ?? (askedBy(period) === userId ? "You asked for its review, so somebody else has to approve it." : null),
          primary: true,
        },
      ];
    case "approved":
      return [{ to: "closed", act: "Close the period", says: "Nothing changes in it any more. Two people can open it again.", refused: approves, primary: true }];
    default:
      return [];
  }
}

/** The order of a year's end: those first in which there is something to do, the newest first. */
export function inOrder(periods: PeriodStatus[], today: string): { current: PeriodStatus[]; closed: PeriodStatus[]; planned: PeriodStatus[] } {
  const newest = [...periods].reverse();
  return {
    current: newest.filter((one) => one.state !== "closed" && one.from <= today),
    closed: newest.filter((one) => one.state === "closed"),
    planned: periods.filter((one) => one.state !== "closed" && one.from > today),
  };
}

/** What a person said at a step; the server writes the period and its state before it. */
export function said(period: string, step: Pick<PeriodStatus["steps"][number], "to" | "reason">): string {
  const before = `${period} ${step.to}:`;
  return (step.reason.startsWith(before) ? step.reason.slice(before.length) : step.reason).trim();
}
