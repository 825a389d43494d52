// A short word about the state of something.

import type { ReactNode } from "react";
import { plain } from "@/words";

export type Tone = "neutral" | "accent" | "gain" | "loss" | "warn" | "bad";

const TONES: Record<Tone, string> = {
  neutral: "bg-sunken text-ink-2",
  accent: "bg-accent-soft text-accent",
  gain: "bg-gain-soft text-gain",
  loss: "bg-loss-soft text-loss",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
};

export function Badge({ tone = "neutral", children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span title={title} className={`inline-flex items-center gap-1 rounded-full px-2 py-0.5 text-[0.8rem] font-medium whitespace-nowrap ${TONES[tone]}`}>
      {children}
    </span>
  );
}

const STATES: Record<string, Tone> = {
  done: "accent",
  approved: "accent",
  applied: "accent",
  active: "accent",
  posted: "accent",
  paid: "accent",
  calculated: "accent",
  answered: "accent",
  sent: "accent",
  accepted: "accent",
  "in-force": "accent",
  open: "warn",
  waiting: "warn",
  submitted: "warn",
  estimate: "warn",
  "waiting-for-approval": "warn",
  incomplete: "warn",
  "in-review": "warn",
  assigned: "warn",
  partly: "warn",
  proposed: "warn",
  coming: "warn",
  left: "warn",
  disputed: "warn",
  "on-hold": "warn",
  running: "gain",
  reviewed: "gain",
  exported: "gain",
  resolved: "gain",
  due: "gain",
  draft: "neutral",
  withdrawn: "neutral",
  closed: "neutral",
  cancelled: "neutral",
  replaced: "neutral",
  over: "neutral",
  revoked: "neutral",
  excluded: "neutral",
  dropped: "neutral",
  failed: "bad",
  rejected: "bad",
  returned: "bad",
  disabled: "bad",
  overdue: "bad",
  refused: "bad",
  error: "bad",
  warning: "warn",
};

/** The state of a record, in the colour that this state has everywhere. */
export function StateBadge({ state }: { state: string }) {
  return <Badge tone={STATES[state] ?? "neutral"}>{plain(state)}</Badge>;
}
