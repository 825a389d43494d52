// What the interface tells of one extension beyond its line in the list.

import type { ExtensionSummary, Instant } from "@/api/types";

export interface ExtensionVersion {
  version: string;
  digest: string;
  origin: string;
  source: string;
  active: boolean;
  /** Null for what is not in the record. */
  installed_at: Instant | null;
}

export interface CaseResult {
  name: string;
  passed: boolean;
  differences: string[];
}

export interface LogLine {
  at: Instant;
  /** `log` by itself, `fault` for a call that failed, `reload` for a version that came in or stayed out. */
  kind: string;
  message: string;
}

export interface ExtensionDetail extends ExtensionSummary {
  versions: ExtensionVersion[];
  manifest: unknown;
  cases: CaseResult[];
  /** Interfaces that a component imports. */
  imports: string[];
  logs: LogLine[];
}

export interface Uploaded {
  point: string;
  name: string;
  version: string;
  digest: string;
  origin: string;
  signature: string;
  asks_for: string[];
  cases: CaseResult[];
  /** These bytes were there already. */
  known_already: boolean;
  change_id: string | null;
}
