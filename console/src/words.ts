// Days, instants and names as people read them.

import type { Day, Instant } from "@/api/types";

const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const shortDay = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
const month = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });
const shortMonth = new Intl.DateTimeFormat(undefined, { month: "short", timeZone: "UTC" });
const instant = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export function showDay(on: Day | null | undefined, short = false): string {
  if (!on) return "–";
  const date = new Date(`${on}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? on : (short ? shortDay : day).format(date);
}

export function showInstant(at: Instant | null | undefined): string {
  if (!at) return "–";
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? at : instant.format(date);
}

/** `2 minutes ago`. */
export function ago(at: Instant, now = Date.now()): string {
  const seconds = (new Date(at).getTime() - now) / 1000;
  if (Number.isNaN(seconds)) return at;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["year", 31_536_000],
    ["month", 2_592_000],
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ];
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return "just now";
}

/** A period `2026-09` as `September 2026`; other names of periods stay as they are. */
export function showPeriod(periodId: string, short = false): string {
  const match = /^(\d{4})-(\d{2})$/.exec(periodId);
  if (!match) return periodId;
  const date = new Date(`${periodId}-01T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? periodId : (short ? shortMonth : month).format(date);
}

/** `see-own-pay` as `see own pay`, `comp-admin` as `Comp admin` with `capital`. */
export function plain(kebab: string, capital = false): string {
  const words = kebab.replace(/[-_]/g, " ");
  return capital ? words.charAt(0).toUpperCase() + words.slice(1) : words;
}

/** The beginning of a digest, enough to tell two apart. */
export function shortDigest(digest: string): string {
  return digest.slice(0, 12);
}

export function count(many: number, one: string, more = `${one}s`): string {
  return `${new Intl.NumberFormat().format(many)} ${many === 1 ? one : more}`;
}
