// How much of a quota is reached, against how much of its time is gone. The figures stand beside it in words, so it has a name and no
// table of its own.

import { scaleLinear } from "d3-scale";
import { type Decimal, percent, toPixels } from "@/money";

export function AttainmentBullet({
  attainment,
  pace,
  name,
  slim = false,
  max = null,
}: {
  attainment: Decimal | null;
  /** The share of the span gone by. */
  pace?: Decimal | null;
  name: string;
  slim?: boolean;
  /** The largest attainment among bars that are compared with each other. */
  max?: Decimal | null;
}) {
  if (attainment === null) return <span className="text-ink-3">no quota</span>;
  const value = toPixels(attainment);
  const x = scaleLinear([0, Math.max(1.25, value * 1.04, max ? toPixels(max) * 1.04 : 0)], [0, 100]).clamp(true);
  const height = slim ? "h-2" : "h-3.5";
  const behind = pace !== null && pace !== undefined && value < toPixels(pace);
  return (
    <div
      role="img"
      aria-label={`${name}: ${percent(attainment)} of quota${pace ? `, ${percent(pace, 0)} of the time gone by` : ""}`}
      className="relative w-full min-w-16 py-1"
    >
      <div className={`relative ${height} w-full overflow-hidden rounded-full bg-sunken`}>
        <div className="absolute inset-y-0 left-0 bg-(--line)" style={{ width: `${x(1)}%` }} />
        <div className={`absolute inset-y-0 left-0 rounded-full ${behind ? "bg-(--mark-3)" : "bg-accent"}`} style={{ width: `${Math.max(x(value), value > 0 ? 1 : 0)}%` }} />
      </div>
      <div className="absolute inset-y-0 w-0.5 rounded bg-ink-2" style={{ left: `${x(1)}%` }} title="quota" />
      {pace ? (
        <div
          className="absolute inset-y-0 -ml-1 flex w-2 flex-col items-center justify-between"
          style={{ left: `${x(toPixels(pace))}%` }}
          title={`${percent(pace, 0)} of the time gone by`}
        >
          <span className="size-0 border-x-4 border-t-[5px] border-x-transparent border-t-ink" />
          <span className="size-0 border-x-4 border-b-[5px] border-x-transparent border-b-ink" />
        </div>
      ) : null}
    </div>
  );
}
