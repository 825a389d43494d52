// What people do together about pay: disputes, notices, delegations, the policy, acknowledgements, what is unusual, webhooks.

import type { Decimal } from "@/money";
import type { ChangeKind, ChangeState, Day, Instant, Role, TraceNode } from "./types";

export type DisputeKind = "question" | "dispute";
/** `answered` is of a question, `resolved` of a dispute. */
export type DisputeState = "open" | "assigned" | "answered" | "resolved" | "closed" | "withdrawn";
export type DisputeOutcome = "accepted" | "partly" | "rejected";

export interface DisputeHead {
  dispute_id: string;
  kind: DisputeKind;
  payee_id: string;
  payee_name: string;
  period_id: string;
  about: "line" | "statement" | "credit";
  line: number | null;
  plan_id: string | null;
  component_id: string | null;
  transaction_id: string | null;
  subject: string;
  /** What it said when the dispute was raised. */
  paid: Decimal | null;
  expected: Decimal | null;
  state: DisputeState;
  outcome: DisputeOutcome | null;
  granted: Decimal | null;
  /** The id of the user. */
  raised_by: string;
  raised_by_name: string;
  raised_at: Instant;
  assigned_to: string | null;
  assigned_to_name: string | null;
  due_at: Instant;
  overdue: boolean;
  /** Payouts of the payee wait for it. */
  holds_pay: boolean;
}

export interface Attachment {
  attachment_id: string;
  name: string;
  media_type: string;
  size: number;
  sha256: string;
  added_by: string;
  added_at: Instant;
}

export interface Dispute extends DisputeHead {
  run_id: string | null;
  /** As it was when the dispute was raised; null where there was no statement. */
  trace: TraceNode | null;
  messages: { author: string; author_name: string; body: string; written_at: Instant }[];
  attachments: Attachment[];
  /** The change that is to pay what was granted. */
  change_id: string | null;
  change_state: ChangeState | null;
  /** The change by which its line becomes a case of the formula. */
  case_change_id: string | null;
  version: number;
}

export interface NewDispute {
  kind?: DisputeKind;
  line?: number;
  transaction_id?: string;
  subject: string;
  body: string;
  expected?: Decimal;
}

export interface Notice {
  notice_id: string;
  kind: string;
  object: string;
  text: string;
  /** An address of the console. */
  link: string;
  created_at: Instant;
  read_at: Instant | null;
}

export interface NoticeCount {
  unread: number;
}

export interface MailPreference {
  address: string | null;
  opted_out: boolean;
  sends_mail: boolean;
  version: number;
}

export interface Acknowledgement {
  payee_id: string;
  payee_name: string;
  period_id: string;
  /** Of the statement as it was published last; null before. */
  content_hash: string | null;
  published_at: Instant | null;
  acknowledged_at: Instant | null;
  acknowledged_by: string | null;
  acknowledged_before: boolean;
}

export interface Acknowledgements {
  period_id: string;
  published: number;
  acknowledged: number;
  items: Acknowledgement[];
}

export type AnomalyKind = "off-trend" | "zero-after-pay" | "above-target" | "without-plan" | "negative" | "large-adjustment";

export interface Anomaly {
  payee_id: string;
  payee_name: string;
  period_id: string;
  kind: AnomalyKind;
  value: Decimal | null;
  /** What it stands against; the id of an adjustment for `large-adjustment`. */
  against: string | null;
  fact: string;
  review: { reviewed_by: string; reviewed_at: Instant; comment: string } | null;
}

export interface Anomalies {
  items: Anomaly[];
  unreviewed: number;
}

export interface Delegation {
  delegation_id: string;
  from: string;
  from_name: string;
  to: string;
  to_name: string;
  from_on: Day;
  /** The first day on which it counts no more. */
  until_on: Day;
  reason: string;
  state: "coming" | "in-force" | "over" | "revoked";
  created_by: string;
  created_at: Instant;
}

export interface ApprovalRule {
  kind?: ChangeKind;
  object?: string;
  at_least?: Decimal;
  role: Role;
}

export interface Policy {
  dispute_days: number;
  escalate_after_days: number;
  acknowledgement_wanted: boolean;
  approvals: ApprovalRule[];
  anomalies: { percent: number; target_times: Decimal; adjustment_at_least: Decimal };
}

export interface PolicyVersion {
  version: number;
  state: "proposed" | "approved" | "rejected";
  policy: Policy;
  proposed_by: string;
  proposed_at: Instant;
  decided_by: string | null;
  decided_at: Instant | null;
}

export interface PolicyView {
  in_force: Policy;
  versions: PolicyVersion[];
}

export interface Webhook {
  webhook_id: string;
  url: string;
  /** Empty for all. */
  events: string[];
  state: "active" | "disabled";
  failures: number;
  last_error: string | null;
  created_by: string;
  created_at: Instant;
  version: number;
  /** Those that sign, the newest first; an older one until then. */
  secrets: { made_at: Instant; valid_until: Instant | null }[];
  /** Only in the answer that made it. */
  secret?: string;
}

export interface Delivery {
  delivery_id: string;
  event: string;
  state: "waiting" | "sent" | "failed" | "dropped";
  created_at: Instant;
  ended_at: Instant | null;
  next_at: Instant | null;
  last_error: string | null;
  body: unknown;
  /** Only where one delivery is asked for. */
  attempts: { attempt: number; attempted_at: Instant; status: number | null; error: string | null }[];
}

/** A user who may do something next; for somebody else where she was given that one's approvals. */
export interface Candidate {
  user_id: string;
  name: string;
  on_behalf_of: string | null;
}

/** Something that the last run did not see. */
export interface SinceRun {
  at: Instant;
  kind: "rows" | "document" | "extension";
  object: string;
  source: string | null;
}

export interface RunStanding {
  state: "current" | "stale" | "none";
  run_id: string | null;
  recorded_at: Instant | null;
  since: Instant | null;
  changes: SinceRun[];
  change_count: number;
  incomplete_run_id: string | null;
}

/** What is allowed in a plan but seldom meant. */
export interface PlanLint {
  file: string;
  plan_id: string;
  version: Day | null;
  severity: "info" | "warning" | "error";
  code: string;
  place: string;
  message: string;
  /** The plan in force says the same already. */
  known: boolean;
}

export interface PlanSummary {
  plan_id: string;
  name: string;
  versions: (Day | null)[];
  warning_count: number;
  note_count: number;
}

export interface PlanVersion {
  file: string;
  from: Day | null;
  until: Day | null;
  text: string;
  lints: PlanLint[];
}

export interface Plan {
  plan_id: string;
  name: string;
  versions: PlanVersion[];
}

export interface PlanCheck {
  problems: string[];
  lints: PlanLint[];
}

export type PlanDocumentState = "sent" | "accepted" | "returned" | "replaced";

export interface PlanDocumentHead {
  document_id: string;
  plan_id: string;
  payee_id: string;
  payee_name: string;
  /** First day of the plan's version; null for one that holds from the beginning. */
  version: Day | null;
  /** Of the exact text. */
  sha256: string;
  state: PlanDocumentState;
  holds_pay: boolean;
  sent_by: string;
  sent_at: Instant;
  answered_at: Instant | null;
  comment: string | null;
}

export interface PlanSection {
  heading: string;
  clause: string | null;
  paragraphs: string[];
  columns: { name: string; kind: "text" | "amount" | "rate" | "day" | (string & {}) }[];
  rows: (string | null)[][];
}

export interface PlanText {
  company: string;
  plan_id: string;
  title: string;
  payee_id: string;
  payee_name: string;
  from: Day;
  until: Day | null;
  sections: PlanSection[];
}

export interface PlanDocument extends PlanDocumentHead {
  text: string;
  content: PlanText;
}
