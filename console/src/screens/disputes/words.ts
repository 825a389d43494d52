// Disputes in words, and which of them a choice shows.

import type { DisputeHead } from "@/api/work";
import { showPeriod } from "@/words";

export type Scope = "mine" | "team" | "assigned" | "overdue";

/** What a dispute is about: `line 3`, `the whole statement`, `deal TX-9`. */
export function about(dispute: Pick<DisputeHead, "about" | "line" | "transaction_id">): string {
  if (dispute.about === "credit") return `missing credit for ${dispute.transaction_id ?? "a deal"}`;
  if (dispute.about === "line" && dispute.line !== null) return `line ${dispute.line}`;
  return "the whole statement";
}

export function subjectOf(what: { line?: { name: string } | null; transactionId?: string }, period: string): string {
  if (what.transactionId) return `Missing credit for ${what.transactionId}, ${showPeriod(period)}`;
  return what.line ? `${what.line.name}, ${showPeriod(period)}` : `Statement of ${showPeriod(period)}`;
}

/** Of those that one may see: one's own pay, or that of others. */
export function within(disputes: DisputeHead[], scope: string | undefined, payeeId: string | null): DisputeHead[] {
  if (scope === "mine") return disputes.filter((one) => one.payee_id === payeeId);
  if (scope === "team") return disputes.filter((one) => one.payee_id !== payeeId);
  return disputes;
}

export function isUndecided(dispute: Pick<DisputeHead, "state">): boolean {
  return dispute.state === "open" || dispute.state === "assigned";
}

/** Kinds of files that can be attached, as an `input` names them. */
export const FILE_KINDS = ".pdf,.png,.jpg,.jpeg,.xlsx,.docx,.csv,.txt";
export const FILE_BYTES_MAX = 2 * 1024 * 1024;

/** Why a file cannot be attached, or null. The server looks at its bytes too. */
export function fileFault(file: { name: string; size: number }): string | null {
  const ending = file.name.split(".").at(-1)?.toLowerCase() ?? "";
  if (!FILE_KINDS.split(",").includes(`.${ending}`)) return `${file.name} is of no kind that can be attached: PDF, PNG, JPEG, XLSX, DOCX, CSV or text.`;
  if (file.size === 0) return `${file.name} is empty.`;
  if (file.size > FILE_BYTES_MAX) return `${file.name} is larger than 2 MiB.`;
  return null;
}

export function fileSize(bytes: number): string {
  return bytes < 1024 ? `${bytes} B` : bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
