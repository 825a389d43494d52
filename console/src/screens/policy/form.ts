// A policy as it is typed, and as it is sent.

import type { ApprovalRule, Policy } from "@/api/work";
import { sign, typed } from "@/money";

export interface Typed {
  dispute_days: string;
  escalate_after_days: string;
  acknowledgement_wanted: boolean;
  percent: string;
  target_times: string;
  adjustment_at_least: string;
  approvals: { kind: string; object: string; at_least: string; role: ApprovalRule["role"] }[];
}

export function shown(policy: Policy): Typed {
  return {
    dispute_days: String(policy.dispute_days),
    escalate_after_days: String(policy.escalate_after_days),
    acknowledgement_wanted: policy.acknowledgement_wanted,
    percent: String(policy.anomalies.percent),
    target_times: policy.anomalies.target_times,
    adjustment_at_least: policy.anomalies.adjustment_at_least,
    approvals: policy.approvals.map((rule) => ({ kind: rule.kind ?? "", object: rule.object ?? "", at_least: rule.at_least ?? "", role: rule.role })),
  };
}

function whole(text: string, max: number): number | null {
  const value = /^\d+$/.test(text.trim()) ? Number(text.trim()) : 0;
  return value >= 1 && value <= max ? value : null;
}

/** What is wrong, by field; `approvals.0` for a rule. */
export function faults(own: Typed): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of ["dispute_days", "escalate_after_days"] as const) if (whole(own[name], 365) === null) found[name] = "Write 1 to 365 days.";
  if (whole(own.percent, 100_000) === null) found.percent = "Write 1 to 100000 per cent.";
  for (const name of ["target_times", "adjustment_at_least"] as const) {
    const value = typed(own[name]);
    if (value === null || sign(value) <= 0) found[name] = "Write a number above zero.";
  }
  own.approvals.forEach((rule, at) => {
    if (rule.at_least.trim() !== "" && typed(rule.at_least) === null) found[`approvals.${at}`] = "Write an amount such as 5,000, or leave it empty.";
  });
  return found;
}

/** Only of what has no faults. */
export function sent(own: Typed): Policy {
  return {
    dispute_days: Number(own.dispute_days),
    escalate_after_days: Number(own.escalate_after_days),
    acknowledgement_wanted: own.acknowledgement_wanted,
    approvals: own.approvals.map((rule) => ({
      ...(rule.kind ? { kind: rule.kind as NonNullable<ApprovalRule["kind"]> } : {}),
      ...(rule.object.trim() ? { object: rule.object.trim() } : {}),
      ...(rule.at_least.trim() ? { at_least: typed(rule.at_least) ?? rule.at_least } : {}),
      role: rule.role,
    })),
    anomalies: { percent: Number(own.percent), target_times: typed(own.target_times) ?? own.target_times, adjustment_at_least: typed(own.adjustment_at_least) ?? own.adjustment_at_least },
  };
}

/** What a version of the policy changes, in sentences. */
export function differences(before: Policy, after: Policy): string[] {
  const found: string[] = [];
  const say = (what: string, one: unknown, other: unknown) => {
    if (one !== other) found.push(`${what}: ${String(one)} → ${String(other)}`);
  };
  say("days for a dispute", before.dispute_days, after.dispute_days);
  say("days before somebody else is asked", before.escalate_after_days, after.escalate_after_days);
  say("acknowledgement", before.acknowledgement_wanted ? "wanted" : "not wanted", after.acknowledgement_wanted ? "wanted" : "not wanted");
  say("off trend, per cent", before.anomalies.percent, after.anomalies.percent);
  say("times the target", before.anomalies.target_times, after.anomalies.target_times);
  say("large adjustment from", before.anomalies.adjustment_at_least, after.anomalies.adjustment_at_least);
  const rules = (policy: Policy) => policy.approvals.map(ruleWords);
  for (const gone of rules(before).filter((rule) => !rules(after).includes(rule))) found.push(`no longer: ${gone}`);
  for (const come of rules(after).filter((rule) => !rules(before).includes(rule))) found.push(`new: ${come}`);
  return found;
}

export function ruleWords(rule: ApprovalRule): string {
  const what = rule.kind ? `a change of kind ${rule.kind}` : "any change";
  const object = rule.object ? ` of ${rule.object}` : "";
  const least = rule.at_least ? ` that moves ${rule.at_least} or more` : "";
  return `${what}${object}${least} needs ${rule.role}`;
}
