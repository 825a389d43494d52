// What the interface answers about an import.

import type { Instant } from "@/api/types";

export interface RowError {
  /** Of the file that was sent; the header is line 1. */
  line: number;
  /** Null where the whole row is wrong. */
  column: string | null;
  message: string;
}

export interface ControlCount {
  entity: string;
  inserted: number;
  changed: number;
  removed: number;
  unchanged: number;
}

export interface ImportReceipt {
  changes: ControlCount[];
  documents?: string[];
}

export type ImportState = "applied" | "refused" | "waiting-for-approval";

export interface Import {
  import_id: string | null;
  state: ImportState;
  entity?: string;
  source?: string;
  recorded_at?: Instant;
  recorded_by?: string;
  receipt: ImportReceipt | null;
  errors: RowError[];
  change_id: string | null;
}

export interface ImportDetail extends Import {
  import_id: string;
  entity: string;
  /** The file; where it was refused, the wrong rows come first. */
  csv: string;
}
