// People name the last day of a span; the record names the first day after it.

import type { Day } from "@/api/types";

function moved(day: Day, by: number): Day {
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) return day;
  date.setUTCDate(date.getUTCDate() + by);
  return date.toISOString().slice(0, 10);
}

export function dayAfter(day: Day): Day {
  return moved(day, 1);
}

export function lastDay(until: Day): Day {
  return moved(until, -1);
}
