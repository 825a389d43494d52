// From what was earned to what is paid and booked: periods, adjustments, payouts, accounting, and who would get credit.

import type { Decimal } from "@/money";
import type { ChangeState, Day, Finding, Instant, Page } from "./types";

export type PeriodState = "open" | "in-review" | "approved" | "closed";

export interface PeriodStep {
  from: PeriodState;
  to: PeriodState;
  /** The run whose statements stand from here on. */
  run_id: string | null;
  /** The id of the user. */
  actor: string;
  reason: string;
  recorded_at: Instant;
}

export interface PeriodStatus {
  period_id: string;
  from: Day;
  until: Day;
  state: PeriodState;
  steps: PeriodStep[];
}

export type AdjustmentReason = "correction" | "dispute" | "goodwill" | "guarantee" | "referral" | "spif" | "write-off" | "other";

export interface Adjustment {
  adjustment_id: string;
  payee_id: string;
  payee_name: string;
  period_id: string;
  amount: Decimal;
  reason: AdjustmentReason | (string & {});
  note: string | null;
  dispute_id: string | null;
  state: ChangeState;
  /** Null where it came with the company's data. */
  change_id: string | null;
  author: string | null;
  author_name: string | null;
  created_at: Instant | null;
  decided_by_name: string | null;
  decided_at: Instant | null;
  plan_id: string | null;
  component_id: string | null;
  transaction_id: string | null;
}

export interface PaidIn {
  batch_id: string;
  paid_on: Day;
  amount: Decimal;
}

export type PayoutState = "draft" | "reviewed" | "approved" | "exported" | "paid" | "cancelled";

export interface PayoutHead {
  batch_id: string;
  pay_group_id: string;
  period_id: string;
  pay_on: Day;
  state: PayoutState;
  currency: string;
  company_currency: string;
  payee_count: number;
  amount: Decimal;
  company_amount: Decimal;
  /** Names of people. */
  made_by: string;
  made_at: Instant;
  reviewed_by: string | null;
  reviewed_at: Instant | null;
  approved_by: string | null;
  approved_at: Instant | null;
  exported_by: string | null;
  exported_at: Instant | null;
  paid_by: string | null;
  paid_on: Day | null;
  reference: string | null;
  content_hash: string;
  version: number;
}

export type MarkKind = "excluded" | "disputed" | "on-hold" | "none";

export interface PayoutLine {
  payee_id: string;
  payee_name: string;
  state: "due" | "left" | "excluded" | "returned";
  amount: Decimal;
  company_amount: Decimal;
  left_amount: Decimal;
  residue: Decimal;
  before_amount: Decimal | null;
  flags: string[];
  reference: string;
  mark: { kind: MarkKind; reason: string; actor: string } | null;
  /** Disputes that are not settled and holds, those that the payout waits for first. */
  reasons: { kind: "dispute" | "hold"; id: string; text: string; blocks: boolean }[];
  rates: {
    plan_id: string;
    component_id: string;
    policy: string;
    rate_on: Day;
    quote: string;
    rate: Decimal;
    company_amount: Decimal;
    converted: Decimal;
  }[];
  returned: { returned_on: Day; reason: string } | null;
}

export interface Payout extends PayoutHead {
  lines: PayoutLine[];
  hands: { user_id: string; user_name: string; action: string; note: string; recorded_at: Instant }[];
  file: { name: string; sha256: string; byte_count: number; mapping: string; mapping_digest: string } | null;
  open_periods: string[];
}

export interface RollForward {
  opening: Decimal;
  correction: Decimal;
  addition: Decimal;
  amortized: Decimal;
  impaired: Decimal;
  closing: Decimal;
}

export interface JournalLine {
  dated_on: Day;
  account: string;
  debit: Decimal | null;
  credit: Decimal | null;
  text: string;
}

interface AccountingHead {
  period_id: string;
  run_id: string;
  currency: string;
  journal: JournalLine[];
}

export interface ContractLine extends RollForward {
  contract_id: string;
}

export interface AmortizationView extends AccountingHead {
  totals: RollForward;
  contracts: Page<ContractLine>;
}

export interface AccrualTotals {
  earned: Decimal;
  expected: Decimal;
  accrual: Decimal;
  reversal: Decimal;
}

export interface AccrualLine extends AccrualTotals {
  payee_id: string;
  plan_id: string;
  component_id: string;
}

export interface AccrualsView extends AccountingHead {
  totals: AccrualTotals;
  lines: Page<AccrualLine>;
}

export interface CreditPreviewAsked {
  on: Day;
  amount: Decimal;
  currency?: string;
  kind?: string;
  account_id?: string;
  product_id?: string;
  payee_id?: string;
  tag?: string;
  about?: string;
}

export interface CreditPath {
  kind: string;
  coverage_id: string | null;
  position_id: string | null;
  name: string | null;
  from: (string | null)[];
}

export interface CreditPreview {
  complete: boolean;
  period_id: string | null;
  territory_id: string | null;
  amount: Decimal;
  currency: string;
  house: boolean;
  windfall: boolean;
  credits: { payee_id: string | null; payee_name: string; kind: string; rule: string; amount: Decimal; share: Decimal; via: CreditPath[] }[];
  not_credited: { payee_id: string | null; payee_name: string; via: CreditPath; why: string[] }[];
  findings: Pick<Finding, "severity" | "code" | "record" | "message">[];
}
