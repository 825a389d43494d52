// How many people reached how much of their quota.

import { scaleBand, scaleLinear } from "d3-scale";
import type { Team } from "@/api/types";
import { compare, percent } from "@/money";
import { count } from "@/words";
import { Figure } from "./Figure";
import { barPath } from "./axes";

const HEIGHT = 160;
const EDGE = { top: 18, bottom: 38 };

export function Distribution({ bins, name = "Attainment" }: { bins: Team["distribution"]; name?: string }) {
  const people = bins.reduce((all, bin) => all + bin.count, 0);
  const over = bins.filter((bin) => compare(bin.from, "1") >= 0).reduce((all, bin) => all + bin.count, 0);
  const label = (bin: Team["distribution"][number]) => (bin.until === null ? `${percent(bin.from, 0)} +` : `${percent(bin.from, 0)} – ${percent(bin.until, 0)}`);
  return (
    <Figure
      name={name}
      summary={`${count(over, "person", "people")} of ${people} at or over quota.`}
      height={HEIGHT}
      legend={
        <span>
          <strong className="font-semibold text-ink">{over}</strong> of {people} at or over quota
        </span>
      }
      twin={{ head: ["Attainment", "People"], rows: bins.map((bin) => [label(bin), bin.count]) }}
    >
      {(width) => {
        const x = scaleBand(
          bins.map((_, at) => at),
          [0, width],
        ).padding(0.12);
        const y = scaleLinear([0, Math.max(1, ...bins.map((bin) => bin.count))], [HEIGHT - EDGE.bottom, EDGE.top]);
        const every = Math.max(1, Math.ceil(40 / x.step()));
        return (
          <>
            <line x1={0} x2={width} y1={y(0)} y2={y(0)} className="stroke-line-strong" />
            {bins.map((bin, at) => {
              const left = x(at) ?? 0;
              return (
                <g key={at}>
                  <title>{`${label(bin)}: ${count(bin.count, "person", "people")}`}</title>
                  <rect x={left} y={EDGE.top} width={x.bandwidth()} height={HEIGHT - EDGE.top - EDGE.bottom} fill="transparent" />
                  <path d={barPath(left, x.bandwidth(), y(0), y(bin.count))} className={compare(bin.from, "1") >= 0 ? "fill-accent" : "fill-(--mark-quiet)"} />
                  {bin.count > 0 ? (
                    <text x={left + x.bandwidth() / 2} y={y(bin.count) - 5} textAnchor="middle" className="num fill-ink-2">
                      {bin.count}
                    </text>
                  ) : null}
                  {at % every === 0 ? (
                    <text x={left} y={HEIGHT - 22} textAnchor={at === 0 ? "start" : "middle"} className="num fill-ink-3">
                      {percent(bin.from, 0)}
                    </text>
                  ) : null}
                </g>
              );
            })}
            <text x={width} y={HEIGHT - 4} textAnchor="end" className="fill-ink-3">
              of quota
            </text>
          </>
        );
      }}
    </Figure>
  );
}
