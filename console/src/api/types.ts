// The shapes of the interface, by hand. `npm run types` writes the generated ones beside it from core/http/openapi.json.
// Amounts and rates are decimal strings, days are `YYYY-MM-DD`, instants are RFC 3339.

import type { Decimal } from "@/money";
import type { PaidIn, PeriodState } from "./settlement";

export type Day = string;
export type Instant = string;

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
  /** Only where the list counts its rows. */
  total?: number;
}

export interface Items<T> {
  items: T[];
}

export type Role = "seller" | "manager" | "comp-admin" | "finance" | "auditor" | "platform";

export type Action =
  | "see-own-pay"
  | "see-team-pay"
  | "see-all-pay"
  | "ask"
  | "answer-questions"
  | "see-rules"
  | "draft-changes"
  | "approve-changes"
  | "see-runs"
  | "calculate"
  | "see-data"
  | "import"
  | "plan"
  | "see-extensions"
  | "manage-extensions"
  | "see-audit"
  | "see-jobs"
  | "manage-jobs"
  | "manage-users"
  | "see-payouts"
  | "manage-payouts";

export interface Versions {
  company: number;
  runs: number;
  extensions: number;
  work: number;
}

export interface Period {
  period_id: string;
  from: Day;
  until: Day;
  quarter: string;
  year: string;
  /** `calculated` where the last run has statements of it. */
  state: "planned" | "calculated" | (string & {});
  /** An approved or closed one takes nothing more. */
  close: PeriodState;
}

export interface Session {
  user_id: string;
  name: string;
  payee_id: string | null;
  payee_name: string | null;
  roles: Role[];
  actions: Action[];
  company: { name: string; currency: string } | null;
  today: Day;
  periods: Period[];
  /** The period that a screen opens with: the last with statements. */
  current_period: string | null;
  versions: Versions;
}

export interface SignInMethods {
  password: boolean;
  oidc: { name: string } | null;
  needs_setup: boolean;
}

export interface User {
  user_id: string;
  login: string;
  name: string;
  payee_id: string | null;
  roles: Role[];
  disabled: boolean;
  has_password: boolean;
  created_at: Instant;
  version: number;
}

export interface SignInLink {
  url: string;
  expires_at: Instant;
}

export interface Token {
  token_id: string;
  name: string;
  scopes: Action[];
  created_at: Instant;
  expires_at: Instant;
  revoked_at: Instant | null;
  /** Only in the answer that made it. */
  secret?: string;
}

export interface Payee {
  payee_id: string;
  name: string;
  title: string | null;
  plan_ids: string[];
  reports_to: string | null;
}

export interface PayeeHead {
  payee_id: string;
  name: string;
  title: string | null;
}

export interface AsOf {
  run_id: string;
  recorded_at: Instant;
  data_through: Day | null;
  state: string;
}

export interface Buckets {
  earned: Decimal;
  held: Decimal;
  /** What this period pays. */
  payable: Decimal;
  /** What earlier periods of the fiscal year paid. */
  paid: Decimal;
  carried: Decimal;
}

export interface QuotaProgress {
  measure_id: string;
  name: string;
  value: Decimal;
  quota: Decimal;
  attainment: Decimal;
  /** The share of the span gone by. */
  pace: Decimal;
}

export interface CurvePoint {
  value: Decimal;
  pay: Decimal;
  rate: Decimal;
}

export interface PayCurveData {
  plan_id: string;
  component_id: string;
  name: string;
  measure_id: string;
  quota: Decimal;
  points: CurvePoint[];
  here: CurvePoint;
  next: { at: Decimal; rate: Decimal; distance: Decimal } | null;
}

export interface RecentCredit {
  transaction_id: string;
  period_id: string;
  on: Day | null;
  account: string | null;
  amount: Decimal;
  kind: string;
  rule: string;
}

export interface PayChange {
  period_id: string;
  component_id: string | null;
  name: string;
  before: Decimal;
  after: Decimal;
  difference: Decimal;
  reason: string;
}

export interface Home {
  payee: PayeeHead;
  period_id: string;
  as_of: AsOf;
  currency: string;
  buckets: Buckets;
  /** What was earned in each span so far. */
  to_date: { period: Decimal; quarter: Decimal; year: Decimal };
  quotas: QuotaProgress[];
  curve: PayCurveData | null;
  /** What one should know in one sentence; empty where nothing can be said. */
  sentence: string;
  months: { period_id: string; earned: Decimal }[];
  components: { plan_id: string; component_id: string; name: string; earned: Decimal }[];
  recent_credits: RecentCredit[];
  changes: { since: Instant | null; items: PayChange[] };
}

export interface StatementSummary {
  period_id: string;
  earned: Decimal;
  held: Decimal;
  carried: Decimal;
  paid: Decimal;
  state: string;
}

export interface Slice {
  label: string;
  input: Decimal | null;
  rate: Decimal | null;
  amount: Decimal;
}

export interface StatementLine {
  line: number;
  plan_id: string;
  component_id: string;
  name: string;
  clause: string | null;
  measure_id: string | null;
  /** Where the component pays each transaction alone. */
  transaction_id: string | null;
  kind: "formula" | "adjustment" | "guarantee" | "clawback" | "lapse" | "forgiven" | "retro" | (string & {});
  /** The period that it corrects, where that is another one. */
  origin_period_id: string | null;
  credited: Decimal | null;
  to_date: Decimal | null;
  quota: Decimal | null;
  attainment: Decimal | null;
  amount: Decimal;
  slices: Slice[];
}

export interface Statement {
  payee: PayeeHead;
  period: { period_id: string; from: Day; until: Day };
  as_of: AsOf;
  currency: string;
  plans: { plan_id: string; name: string }[];
  /** Earned = paid + held + carried, where held and carried are what the period changes of those balances. */
  totals: {
    earned: Decimal;
    held: Decimal;
    /** The balance at the start of the period; negative where the payee owes. */
    carried_in: Decimal;
    carried: Decimal;
    /** The part of `carried` that is drawn (negative) and recovered. */
    drawn: Decimal;
    paid: Decimal;
    /** At the end of the period. */
    held_balance: Decimal;
    carried_balance: Decimal;
  };
  components: StatementLine[];
  period_state: PeriodState;
  run_id: string;
  /** The last payout that paid some of it. */
  paid_in: PaidIn | null;
}

/** One step of an explanation: a sentence for people, the same facts for programs. */
export interface TraceNode {
  step: string;
  text: string;
  fields: Record<string, string>;
  children: TraceNode[];
}

export interface LineCredit {
  transaction_id: string;
  on: Day | null;
  account_id: string | null;
  account: string | null;
  product_id: string | null;
  amount: Decimal;
  kind: string;
  rule: string;
  share: Decimal | null;
  origin_payee_id: string | null;
  transaction_amount: Decimal | null;
  currency: string | null;
}

export interface LineRule {
  plan_id: string;
  component_id: string;
  name: string;
  clause: string | null;
  plan_file: string;
  plan_text: string;
  plan_digest: string;
  formula: { name: string; origin: string; version: string; digest: string; source: string | null };
}

export interface Opportunity {
  opportunity_id: string;
  account: string | null;
  product_id: string | null;
  amount: Decimal;
  currency: string;
  stage: string;
  close_on: Day | null;
}

export interface WhatIfAsked {
  opportunities: { opportunity_id: string; amount?: Decimal; close_on?: Day }[];
  deals: { amount: Decimal; product_id?: string; account_id?: string; close_on: Day }[];
  transactions: { transaction_id: string; ordered_on?: Day; amount?: Decimal }[];
}

export interface WhatIfTotals {
  earned: Decimal;
  held: Decimal;
  carried: Decimal;
  paid: Decimal;
}

export interface WhatIf {
  before: WhatIfTotals;
  after: WhatIfTotals;
  difference: Decimal;
  periods: { period_id: string; before: Decimal; after: Decimal }[];
  components: { plan_id: string; component_id: string; name: string; before: Decimal; after: Decimal }[];
  /** What one more unit of the main measure would pay after all this; `null` without a plan. */
  marginal_rate: Decimal | null;
  findings: Pick<Finding, "severity" | "code" | "record" | "message">[];
  millis: number;
}

export interface TeamMember {
  payee_id: string;
  name: string;
  title: string | null;
  measure_id: string | null;
  measure: string | null;
  /** So far in the fiscal year. */
  value: Decimal | null;
  /** Of the periods gone by in the fiscal year. */
  quota: Decimal | null;
  attainment: Decimal | null;
  /** In the fiscal year so far; only where one may see this person's pay. */
  earned: Decimal | null;
  reports: TeamMember[];
}

export interface Team {
  period_id: string;
  currency: string;
  as_of: AsOf;
  tree: TeamMember;
  /** `change`: ranks gained since the period before, negative for lost ones. */
  leaderboard: { rank: number; payee_id: string; name: string; attainment: Decimal; change: number }[];
  at_risk: string[];
  distribution: { from: Decimal; until: Decimal | null; count: number }[];
  spark: Record<string, (Decimal | null)[]>;
}

export interface UsedBy {
  plan_id: string;
  component_id: string;
}

export interface FormulaSummary {
  name: string;
  point: string;
  origin: string;
  version: string;
  digest: string;
  source: "company" | "bundled" | "record" | "path";
  used_by: UsedBy[];
  editable: boolean;
}

export interface Formula {
  name: string;
  point: string;
  origin: string;
  version: string;
  digest: string;
  source_text: string | null;
  cases_text: string | null;
  manifest: unknown;
  used_by: UsedBy[];
  draft: { change_id: string } | null;
}

export interface FormulaVersion {
  version: string;
  digest: string;
  recorded_at: Instant;
  source_text: string;
  cases_text: string;
  author: string | null;
  change_id: string | null;
}

export interface LanguageName {
  name: string;
  kind: "input" | "function" | "setting" | "keyword";
  signature: string;
  doc: string;
}

export interface FormulaCheck {
  ok: boolean;
  errors: { line: number; column: number; message: string }[];
  cases: { name: string; passed: boolean; differences: unknown[] }[];
  millis: number;
}

export interface Bin {
  from: Decimal | null;
  until: Decimal | null;
  count: number;
}

export interface Impact {
  period: string | null;
  complete: boolean;
  findings: unknown[];
  currency: string;
  totals: {
    before: Decimal;
    after: Decimal;
    difference: Decimal;
    gain_count: number;
    loss_count: number;
    same_count: number;
  };
  components: { plan_id: string; component_id: string; before: Decimal; after: Decimal; difference: Decimal }[];
  histogram: Bin[];
  largest: {
    payee_id: string;
    name: string;
    before: Decimal;
    after: Decimal;
    difference: Decimal;
    components: { component_id: string; before: Decimal; after: Decimal }[];
  }[];
  millis: number;
}

export interface TracePair {
  before: TraceNode;
  after: TraceNode;
}

export type ChangeState = "draft" | "submitted" | "approved" | "rejected" | "withdrawn";
export type ChangeKind = "formula" | "plan" | "extension" | "import" | "company" | "table";

export interface Change {
  change_id: string;
  kind: ChangeKind;
  object: string;
  payload: Record<string, unknown>;
  base_digest: string | null;
  state: ChangeState;
  author: string;
  author_name: string;
  created_at: Instant;
  submitted_at: Instant | null;
  decided_by: string | null;
  decided_at: Instant | null;
  comment: string;
  decision_comment: string | null;
  content_hash: string;
  version: number;
  text_diff: { tag: " " | "-" | "+"; text: string }[];
  impact: Impact | null;
}

export interface RunSummary {
  run_id: string;
  complete: boolean;
  recorded_at: Instant;
  engine_version: string;
  note: string;
  /** Null for a run of before these were kept. */
  earned: Decimal | null;
  posted_count: number | null;
  finding_count: number | null;
  /** `command`, `request`, `schedule` or `change`. */
  trigger: string | null;
}

export interface FindingCount {
  severity: string;
  code: string;
  count: number;
  example: string;
}

export interface PinnedTable {
  name: string;
  row_count: number;
  /** Digests in order. */
  chunks: string[];
}

export interface Run {
  run_id: string;
  root: string;
  complete: boolean;
  recorded_at: Instant;
  engine_version: string;
  note: string;
  trigger: string | null;
  requested_by: string | null;
  job_id: string | null;
  published_at: Instant | null;
  stages: { name: string; millis: number }[];
  totals: { name: string; value: string }[];
  documents: Record<string, string>;
  /** Named `point/name`. */
  extensions: { name: string; digest: string; calls: number | null; fuel: number | null }[];
  inputs: PinnedTable[];
  results: PinnedTable[];
  findings: FindingCount[];
  receipt: { previous_run_id: string | null; href: string };
}

export interface Finding {
  severity: string;
  code: string;
  entity: string;
  record: string;
  message: string;
}

export interface Cause {
  kind: string;
  object: string;
  before: string | null;
  after: string | null;
}

export interface Because {
  kind: string;
  object: string;
}

export interface Posted {
  payee_id: string;
  name: string;
  period_id: string;
  plan_id: string | null;
  component_id: string | null;
  account: string;
  revision: number;
  amount: Decimal;
}

export interface Receipt {
  run_id: string;
  previous_run_id: string | null;
  /** The largest differences first; so many are listed at most, all are counted. */
  recalculated: { payee_id: string; name: string; period_id: string; difference: Decimal; causes: Because[] }[];
  recalculated_count: number;
  unchanged_count: number;
  unchanged_hash_equal: boolean;
  unchanged_hash: string;
  chunk_count: number;
  chunk_count_as_before: number;
  causes: Cause[];
  posted: Posted[];
  posted_count: number;
}

export interface Replay {
  run_id: string;
  recomputed: string;
  equal: boolean;
  differences: string[];
  millis: number;
}

export type JobState = "waiting" | "running" | "done" | "failed";

export interface Job {
  job_id: string;
  kind: string;
  state: JobState;
  attempt: number;
  attempts_max: number;
  scheduled_for: Instant;
  started_at: Instant | null;
  ended_at: Instant | null;
  /** Of a waiting job after a failed attempt. */
  next_attempt_at: Instant | null;
  node: string | null;
  requested_by: string;
  schedule_id: string | null;
  payload: unknown;
  outcome: unknown;
  error: string | null;
  progress: { stage: string; done: number; stages: number } | null;
}

export interface Schedule {
  schedule_id: string;
  kind: "run" | "import" | "publish" | "reload-check" | "deliver" | "escalate";
  cron: string;
  /** `UTC` or a distance from it as `+02:00`. */
  zone: string;
  payload: unknown;
  paused: boolean;
  next_at: Instant;
  created_by: string;
  last: { job_id: string; state: JobState; ended_at: Instant | null } | null;
  version: number;
}

export interface ExtensionSummary {
  point: string;
  name: string;
  version: string;
  origin: string;
  source: string;
  active: boolean;
  digest: string;
  signature: string;
  asks_for: string[];
  granted: string[];
  /** Memory is null for scripts: what they hold is limited by number and length. */
  limits: { fuel: number; memory_bytes: number | null; wall_ms: number };
  use: { run_id: string; calls: number; fuel: number } | null;
  case_count: number;
  description: string;
}

export interface EntityField {
  name: string;
  kind: string;
  required: boolean;
  reference: string | null;
  choices: string[];
}

export interface Entity {
  name: string;
  row_count: number;
  fields: EntityField[];
  key: string[];
  personal: boolean;
  /** Whether an import of it waits for a second person. */
  needs_approval?: boolean;
}

export interface EntityRow {
  /** The key as one text, for addresses. */
  id: string;
  key: string[];
  values: Record<string, string | null>;
}

/** The entry of the audit trail that tells of a change. */
export interface Mention {
  sequence: number;
  actor: string;
  action: string;
  reason: string;
}

export interface Batch {
  batch_id: number;
  source: string;
  entity: string;
  digest: string;
  inserted: number;
  changed: number;
  removed: number;
  unchanged: number;
  totals: Record<string, string>;
  recorded_at: Instant;
  import_id: string | null;
}

export interface RowVersion {
  version: number;
  source: string;
  batch_id: number | null;
  recorded_at: Instant;
  recorded_by: Mention | null;
  superseded_at: Instant | null;
  superseded_by: Mention | null;
  values: Record<string, string | null>;
  batch: Batch | null;
}

export interface RowHistory {
  entity: string;
  key: string[];
  /** Oldest first. */
  versions: RowVersion[];
}

export interface ImportSummary {
  import_id: string;
  state: "applied" | "refused" | "waiting-for-approval";
  entity?: string;
  source?: string;
  recorded_at?: Instant;
  receipt: unknown;
  errors: { line: number; column: string | null; message: string }[];
  change_id: string | null;
}

export interface AuditEntry {
  sequence: number;
  recorded_at: Instant;
  /** A user's id, or the name that the command line was given. */
  actor: string;
  actor_name: string;
  action: string;
  object: string;
  reason: string;
}

/** Hashes and bytes are hexadecimal. The tree is that of RFC 6962 over SHA-256. */
export interface AuditDetail extends AuditEntry {
  before: string | null;
  after: string | null;
  /** Of `body`. */
  hash: string;
  body: string;
  /** Null until the entry is sealed. */
  proof: { size: number; root: string; path: string[]; sealed_at: Instant; key_id: string; signature: string } | null;
}

export interface Verification {
  entries: number;
  checkpoints: number;
  faults: unknown[];
}

/** What the server tells those who listen. Never holds pay. */
export type Event =
  | ({ kind: "record" } & Versions)
  | { kind: "progress"; job_id: string; stage: string; done: number; stages: number }
  | { kind: "job"; job_id: string; state: JobState }
  | { kind: "reload"; name: string; accepted: boolean; message: string };
