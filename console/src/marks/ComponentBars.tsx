// What each component of a plan pays, the largest first; with `before`, what it paid until now as an outline.

import { scaleLinear } from "d3-scale";
import type { ReactNode } from "react";
import { type Decimal, compare, money, sum, toPixels } from "@/money";
import { Figure, Key } from "./Figure";

const ROW = 44;

export interface ComponentBar {
  component_id: string;
  name: string;
  amount: Decimal;
  before?: Decimal;
}

export function ComponentBars({ bars, currency, name = "Earned by component", legend }: { bars: ComponentBar[]; currency: string | null; name?: string; legend?: ReactNode }) {
  const sorted = [...bars].sort((a, b) => compare(b.amount, a.amount));
  const compared = bars.some((bar) => bar.before !== undefined);
  const values = sorted.flatMap((bar) => [toPixels(bar.amount), toPixels(bar.before ?? "0")]);
  return (
    <Figure
      name={name}
      summary={`${bars.length} components, ${money(sum(bars.map((bar) => bar.amount)), currency)} in all.`}
      height={sorted.length * ROW}
      legend={
        compared ? (
          <>
            <Key look="bg-accent">after</Key>
            <Key look="border-2 border-ink-3">before</Key>
          </>
        ) : (
          legend
        )
      }
      twin={
        compared
          ? { head: ["Component", "Before", "After"], rows: sorted.map((bar) => [bar.name, money(bar.before ?? "0", currency), money(bar.amount, currency)]) }
          : { head: ["Component", "Earned"], rows: sorted.map((bar) => [bar.name, money(bar.amount, currency)]) }
      }
    >
      {(width) => {
        const x = scaleLinear([Math.min(0, ...values), Math.max(0, ...values) || 1], [0, width]);
        return sorted.map((bar, at) => {
          const value = toPixels(bar.amount);
          const top = at * ROW;
          return (
            <g key={bar.component_id} transform={`translate(0 ${top})`}>
              <text x={0} y={16} className="fill-ink text-[0.87rem]">
                {fit(bar.name, width - 110)}
              </text>
              <text x={width} y={16} textAnchor="end" className="num fill-ink text-[0.87rem] font-medium">
                {money(bar.amount, currency)}
              </text>
              <rect x={0} y={23} width={width} height={9} rx={4.5} className="fill-sunken" />
              <rect
                x={Math.min(x(0), x(value))}
                y={23}
                width={Math.max(Math.abs(x(value) - x(0)), value === 0 ? 0 : 3)}
                height={9}
                rx={4.5}
                className={value < 0 ? "fill-(--loss)" : "fill-accent"}
              />
              {bar.before !== undefined ? (
                <rect
                  x={Math.min(x(0), x(toPixels(bar.before)))}
                  y={21.5}
                  width={Math.abs(x(toPixels(bar.before)) - x(0))}
                  height={12}
                  rx={5}
                  fill="none"
                  className="stroke-ink-3"
                  strokeWidth={1.5}
                />
              ) : null}
            </g>
          );
        });
      }}
    </Figure>
  );
}

/** Cut so that it about fits; the table twin has the whole name. */
function fit(text: string, width: number): string {
  const letters = Math.max(8, Math.floor(width / 7));
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`;
}
