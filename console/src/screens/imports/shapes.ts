// What the interface answers about an import.

import type { Decimal } from "@/money";
import type { Instant } from "@/api/types";

export interface RowError {
  /** Of the file that was sent, the header's is 1; null where the file is wrong as a whole. */
  line: number | null;
  /** Null where the whole row is wrong. */
  column: string | null;
  /** What stands there, shortened. */
  value: string | null;
  message: string;
}

/** The rows given are those inserted, changed and unchanged. */
export interface ImportReceipt {
  row_count: number;
  /** The sum over the file of each amount, by field. */
  totals: Record<string, Decimal>;
  inserted: number;
  changed: number;
  unchanged: number;
}

/** `unchanged`: the record held these rows already; `checked`: it was only tried. */
export type ImportState = "applied" | "unchanged" | "refused" | "waiting-for-approval" | "checked";

export interface ImportOutcome {
  import_id: string | null;
  state: ImportState;
  receipt: ImportReceipt | null;
  errors: RowError[];
  /** All of them; not all are listed where there are very many. */
  error_count: number;
  change_id: string | null;
}

export interface ImportHead {
  import_id: string;
  entity: string;
  source: string;
  digest: string;
  byte_count: number;
  state: ImportState;
  receipt: ImportReceipt | null;
  error_count: number;
  batch_id: number | null;
  change_id: string | null;
  /** The first attempt, where this is a mended file. */
  first_id: string | null;
  /** The import that was taken in the place of this refused one. */
  mended_by: string | null;
  sent_by: string;
  sent_by_name: string;
  sent_at: Instant;
}

export interface ImportView extends ImportHead {
  errors: RowError[];
  /** The refused text, its wrong rows first; null where there is none to mend. */
  csv: string | null;
  /** The line of the sent file for each line of `csv`. */
  csv_lines: number[];
  csv_complete: boolean;
}
