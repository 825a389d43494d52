// What the interface tells of one extension beyond its line in the list.

import type { ExtensionSummary, Instant } from "@/api/types";

export interface ExtensionVersion {
  version: string;
  digest: string;
  active: boolean;
  recorded_at?: Instant | null;
  source?: string;
  author?: string | null;
  change_id?: string | null;
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
  cases: { name: string; passed: boolean; differences: string[] }[];
  imports: string[];
  logs: LogLine[];
}

export interface Uploaded {
  point: string;
  name: string;
  version: string;
  digest: string;
  change_id: string | null;
}
