// What was earned in each period, the shown one strong.

import { scaleBand, scaleLinear } from "d3-scale";
import type { ReactNode } from "react";
import { type Decimal, money, sum, toPixels } from "@/money";
import { showPeriod } from "@/words";
import { Figure } from "./Figure";
import { ValueAxis, barPath } from "./axes";

const HEIGHT = 170;
const EDGE = { top: 12, right: 2, bottom: 22, left: 52 };

export function MonthBars({
  months,
  current,
  currency,
  onChoose,
  name = "Earned by period",
  legend,
}: {
  months: { period_id: string; earned: Decimal }[];
  current?: string | null;
  currency: string | null;
  /** A click on a bar; the periods are reachable by keyboard through the table and the selector. */
  onChoose?: (periodId: string) => void;
  name?: string;
  legend?: ReactNode;
}) {
  const values = months.map((month) => toPixels(month.earned));
  return (
    <Figure
      name={name}
      summary={`${months.length} periods, ${money(sum(months.map((month) => month.earned)), currency)} in all.`}
      height={HEIGHT}
      legend={legend}
      twin={{ head: ["Period", "Earned"], rows: months.map((month) => [showPeriod(month.period_id), money(month.earned, currency)]) }}
    >
      {(width) => {
        const x = scaleBand(
          months.map((month) => month.period_id),
          [EDGE.left, width - EDGE.right],
        )
          .paddingInner(0.28)
          .paddingOuter(0.14);
        const y = scaleLinear([Math.min(0, ...values), Math.max(0, ...values) || 1], [HEIGHT - EDGE.bottom, EDGE.top]).nice(3);
        const every = x.step() < 30 ? 2 : 1;
        const at0 = months.findIndex((month) => month.period_id === current);
        // Counted from the shown one, so that its name stands free.
        const named = (at: number) => (at - Math.max(at0, 0)) % every === 0;
        return (
          <>
            <ValueAxis scale={y} width={width} left={EDGE.left} ticks={3} show={(value) => money(String(Math.round(value)), currency, { short: true })} />
            {months.map((month, at) => {
              const left = x(month.period_id) ?? 0;
              const shown = month.period_id === current;
              return (
                <g key={month.period_id} className={onChoose ? "group cursor-pointer" : "group"} onClick={onChoose ? () => onChoose(month.period_id) : undefined}>
                  <title>{`${showPeriod(month.period_id)}: ${money(month.earned, currency)}`}</title>
                  <rect x={left - (x.step() - x.bandwidth()) / 2} y={EDGE.top} width={x.step()} height={HEIGHT - EDGE.top} fill="transparent" />
                  <path
                    d={barPath(left, x.bandwidth(), y(0), y(values[at] ?? 0))}
                    className={shown ? "fill-accent" : "fill-(--mark-quiet) transition-colors group-hover:fill-(--mark-2)"}
                  />
                  {named(at) ? (
                    <text x={left + x.bandwidth() / 2} y={HEIGHT - 6} textAnchor="middle" className={shown ? "fill-ink font-semibold" : "fill-ink-3"}>
                      {showPeriod(month.period_id, true)}
                    </text>
                  ) : null}
                </g>
              );
            })}
          </>
        );
      }}
    </Figure>
  );
}
