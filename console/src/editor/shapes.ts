// The shapes of formulas and changes as the server sends them.

import type { ChangeKind, ChangeState, Impact, Instant } from "@/api/types";
import type { PlanLint } from "@/api/work";

type Digest = string;

export interface UsedBy {
  /** Null where it is not a plan that uses it. */
  plan_id: string | null;
  component_id: string | null;
  /** `plan`, or the part of `company.toml`: `crediting`, `kpis` … */
  place: string;
}

export interface FormulaHead {
  name: string;
  point: string;
  /** `rhai` or `wasm`. */
  origin: string;
  version: string;
  digest: Digest;
  /** `company`, `bundled`, `record`, or the path of its file. */
  source: string;
  used_by: UsedBy[];
  editable: boolean;
}

export interface Formula extends FormulaHead {
  /** Null for a Wasm module. */
  source_text: string | null;
  cases_text: string | null;
  manifest: unknown;
  /** What a change of it replaces: text and cases together. */
  base_digest: Digest;
  /** The newest change of it that is not decided, whoever wrote it. */
  draft: { change_id: string } | null;
}

export interface FormulaVersion {
  /** 0 for the text that Attain came with. */
  version: number;
  digest: Digest;
  recorded_at: Instant | null;
  source_text: string;
  cases_text: string | null;
  author: string | null;
  change_id: string | null;
}

export interface CheckError {
  file: "source" | "cases";
  line: number;
  column: number;
  message: string;
}

export interface FormulaCheck {
  ok: boolean;
  errors: CheckError[];
  cases: { name: string; passed: boolean; differences: string[] }[];
  millis: number;
}

/** A change in a list. */
export interface ChangeHead {
  change_id: string;
  kind: ChangeKind;
  object: string;
  state: ChangeState;
  author: string;
  author_name: string;
  created_at: Instant;
  submitted_at: Instant | null;
  decided_by: string | null;
  decided_by_name: string | null;
  decided_at: Instant | null;
  comment: string;
  decision_comment: string | null;
  base_digest: Digest;
  content_hash: string;
  version: number;
}

export interface Change extends ChangeHead {
  payload: Record<string, unknown>;
  /** Of what is in force now: other than `base_digest` where that changed since the draft. */
  current_digest: Digest;
  text_diff: { tag: " " | "-" | "+"; text: string }[];
  /** What is to be looked at in the plans that it brings. */
  lints: PlanLint[];
  /** As it was at the submission or approval; null for those who may not see everybody's pay. */
  impact: Impact | null;
  revisions: { revision: number; editor: string; content_hash: string; recorded_at: Instant }[];
}
