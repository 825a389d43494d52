// How many gain and how many lose, by how much. Losses stand at the left in orange, gains at the right in blue.

import { scaleBand, scaleLinear } from "d3-scale";
import type { Bin } from "@/api/types";
import { money, sign } from "@/money";
import { count } from "@/words";
import { Figure, Key } from "./Figure";
import { ValueAxis, barPath } from "./axes";

const HEIGHT = 170;
const EDGE = { top: 14, right: 2, bottom: 36, left: 36 };

function way(bin: Bin): -1 | 0 | 1 {
  if (bin.until !== null && sign(bin.until) <= 0 && !(bin.from !== null && sign(bin.from) === 0)) return -1;
  if (bin.from !== null && sign(bin.from) >= 0 && !(bin.until !== null && sign(bin.until) === 0)) return 1;
  return 0;
}

const LOOKS = { "-1": "fill-(--loss)", "0": "fill-(--mark-quiet)", "1": "fill-(--gain)" } as const;

export function binName(bin: Bin, currency: string | null): string {
  const show = (value: string) => money(value, currency, { sign: "always", short: true });
  if (bin.from === null && bin.until === null) return "all";
  if (bin.from === null) return `under ${show(bin.until as string)}`;
  if (bin.until === null) return `${show(bin.from)} and more`;
  return `${show(bin.from)} to ${show(bin.until)}`;
}

export function Histogram({ bins, currency, name = "Who gains and who loses" }: { bins: Bin[]; currency: string | null; name?: string }) {
  const totals = { "-1": 0, "0": 0, "1": 0 };
  for (const bin of bins) totals[`${way(bin)}`] += bin.count;
  return (
    <Figure
      name={name}
      summary={`${count(totals["-1"], "payee loses", "payees lose")}, ${count(totals["1"], "gains", "gain")}.`}
      height={HEIGHT}
      legend={
        <>
          <Key look="bg-loss">− loses ({totals["-1"]})</Key>
          <Key look="bg-gain">+ gains ({totals["1"]})</Key>
        </>
      }
      twin={{ head: ["Difference", "Payees"], rows: bins.map((bin) => [binName(bin, currency), bin.count]) }}
    >
      {(width) => {
        const x = scaleBand(
          bins.map((_, at) => at),
          [EDGE.left, width - EDGE.right],
        ).padding(0.08);
        const y = scaleLinear([0, Math.max(1, ...bins.map((bin) => bin.count))], [HEIGHT - EDGE.bottom, EDGE.top]).nice(3);
        const every = Math.max(1, Math.ceil(56 / x.step()));
        return (
          <>
            <ValueAxis scale={y} width={width} left={EDGE.left} ticks={3} show={(value) => (Number.isInteger(value) ? String(value) : "")} />
            {bins.map((bin, at) => {
              const left = x(at) ?? 0;
              return (
                <g key={at}>
                  <title>{`${binName(bin, currency)}: ${count(bin.count, "payee")}`}</title>
                  <rect x={left} y={EDGE.top} width={x.bandwidth()} height={HEIGHT - EDGE.top - EDGE.bottom} fill="transparent" />
                  <path d={barPath(left, x.bandwidth(), y(0), y(bin.count))} className={LOOKS[`${way(bin)}`]} />
                  {bin.count > 0 && x.bandwidth() > 14 ? (
                    <text x={left + x.bandwidth() / 2} y={y(bin.count) - 4} textAnchor="middle" className="num fill-ink-2">
                      {bin.count}
                    </text>
                  ) : null}
                  {at % every === 0 && bin.from !== null ? (
                    <text x={left} y={HEIGHT - 20} textAnchor="middle" className="num fill-ink-3">
                      {money(bin.from, currency, { short: true })}
                    </text>
                  ) : null}
                </g>
              );
            })}
            <text x={width} y={HEIGHT - 3} textAnchor="end" className="fill-ink-3">
              difference in pay
            </text>
          </>
        );
      }}
    </Figure>
  );
}
