// The quiet lines and figures beside a picture.

import type { ScaleLinear } from "d3-scale";

export function ValueAxis({ scale, width, left, show, ticks = 4 }: { scale: ScaleLinear<number, number>; width: number; left: number; show: (value: number) => string; ticks?: number }) {
  return (
    <g aria-hidden="true">
      {scale.ticks(ticks).map((tick) => (
        <g key={tick} transform={`translate(0 ${scale(tick)})`}>
          <line x1={left} x2={width} className={tick === 0 ? "stroke-line-strong" : "stroke-line"} strokeWidth={1} />
          <text x={left - 6} dy="0.32em" textAnchor="end" className="fill-ink-3">
            {show(tick)}
          </text>
        </g>
      ))}
    </g>
  );
}

/** A label that stays inside the picture. */
export function anchorAt(x: number, width: number, room = 60): "start" | "middle" | "end" {
  return x < room ? "start" : x > width - room ? "end" : "middle";
}

/** A bar with round corners at its outer end only; `to` may be above or below `from`. */
export function barPath(x: number, width: number, from: number, to: number, radius = 3): string {
  const r = Math.min(radius, width / 2, Math.abs(to - from));
  if (r <= 0 || width <= 0) return `M${x} ${from}h${Math.max(width, 0)}V${to}h${-Math.max(width, 0)}z`;
  const down = to > from;
  const inner = down ? to - r : to + r;
  const sweep = down ? 0 : 1;
  return `M${x} ${from}V${inner}A${r} ${r} 0 0 ${sweep} ${x + r} ${to}H${x + width - r}A${r} ${r} 0 0 ${sweep} ${x + width} ${inner}V${from}z`;
}
