// Differences in pay sorted into spans of equal, round width, with zero as a bound.

import type { Bin } from "@/api/types";
import { type Decimal, compare, toPixels } from "@/money";

const BINS_ABOUT = 12;

/** What did not move is left out. The counts are exact; only the width of a bin is chosen by eye. */
export function binsOf(differences: Decimal[]): Bin[] {
  const moved = differences.filter((one) => compare(one, "0") !== 0);
  if (moved.length === 0) return [];
  const low = Math.min(0, ...moved.map(toPixels));
  const high = Math.max(0, ...moved.map(toPixels));
  const width = round((high - low) / BINS_ABOUT);
  const first = Math.floor(low / width);
  const last = Math.max(Math.ceil(high / width), first + 1);
  const bound = (at: number) => (width < 1 ? (at * width).toFixed(4) : String(Math.round(at * width)));
  return Array.from({ length: last - first }, (_, at) => {
    const [from, until] = [bound(first + at), bound(first + at + 1)];
    // A loss ends at its upper bound, a gain begins at its lower one, so that zero parts them.
    const within = (one: Decimal) =>
      compare(one, "0") < 0 ? compare(one, from) >= 0 && compare(one, until) < 0 : compare(one, from) >= 0 && (compare(one, until) < 0 || (at === last - first - 1 && compare(one, until) === 0));
    return { from, until, count: moved.filter(within).length };
  });
}

/** The next of 1, 2, 5, 10, 20 … */
function round(width: number): number {
  if (width <= 0) return 1;
  const ten = 10 ** Math.floor(Math.log10(width));
  const step = [1, 2, 5, 10].find((one) => one * ten >= width) ?? 10;
  return Math.max(step * ten, 0.01);
}
