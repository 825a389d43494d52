// The course of one figure in the space of a word. It stands in a row of a table, which is its twin.

import { scaleLinear } from "d3-scale";
import { line } from "d3-shape";
import { type Decimal, percent, toPixels } from "@/money";

export function Sparkline({ values, name, width = 84, height = 24 }: { values: (Decimal | null)[]; name: string; width?: number; height?: number }) {
  const numbers = values.map((value) => (value === null ? null : toPixels(value)));
  const known = numbers.filter((value) => value !== null);
  const first = values.find((value) => value !== null);
  const last = values.findLast((value) => value !== null);
  if (known.length < 2 || !first || !last) return <span className="text-ink-3">–</span>;
  const x = scaleLinear([0, numbers.length - 1], [2, width - 4]);
  const y = scaleLinear([Math.min(...known, 0), Math.max(...known, 1)], [height - 3, 3]);
  const path = line<number | null>(
    (_, at) => x(at),
    (value) => y(value ?? 0),
  ).defined((value) => value !== null);
  const end = numbers.findLastIndex((value) => value !== null);
  return (
    <svg role="img" aria-label={`${name}: from ${percent(first, 0)} to ${percent(last, 0)}`} width={width} height={height} className="inline-block align-middle">
      <line x1={2} x2={width - 4} y1={y(1)} y2={y(1)} className="stroke-line-strong" strokeDasharray="2 3" />
      <path d={path(numbers) ?? ""} fill="none" className="stroke-accent" strokeWidth={1.75} strokeLinejoin="round" />
      <circle cx={x(end)} cy={y(numbers[end] ?? 0)} r={2.5} className="fill-accent" />
    </svg>
  );
}
