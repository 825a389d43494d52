// How long each stage of a run took, one after another, as a bar from where it began.

import { scaleLinear } from "d3-scale";
import type { Run } from "@/api/types";
import { Figure } from "@/marks/Figure";
import { number } from "@/money";
import { plain } from "@/words";

const ROW = 26;
const NAME = 96;
const TIME = 64;

export function StageBars({ stages }: { stages: Run["stages"] }) {
  const all = stages.reduce((sum, stage) => sum + stage.millis, 0);
  const longest = stages.reduce<Run["stages"][number] | null>((best, stage) => (best === null || stage.millis > best.millis ? stage : best), null);
  return (
    <Figure
      name="Time by stage"
      summary={`${stages.length} stages took ${number(all)} ms${longest ? `, the longest was ${plain(longest.name)} with ${number(longest.millis)} ms` : ""}.`}
      height={stages.length * ROW}
      legend={
        <span>
          <strong className="num font-semibold text-ink">{number(all)} ms</strong> in all
        </span>
      }
      twin={{ head: ["Stage", "Milliseconds"], rows: stages.map((stage) => [plain(stage.name, true), number(stage.millis)]) }}
    >
      {(width) => {
        const x = scaleLinear([0, all || 1], [NAME, width - TIME]);
        let begun = 0;
        return stages.map((stage, at) => {
          const from = begun;
          begun += stage.millis;
          return (
            <g key={stage.name} transform={`translate(0 ${at * ROW})`}>
              <text x={0} y={17} className="fill-ink-2 text-[0.87rem]">
                {plain(stage.name)}
              </text>
              <line x1={NAME} x2={width - TIME} y1={13} y2={13} className="stroke-line" />
              <rect x={x(from)} y={6} width={Math.max(x(begun) - x(from), 2)} height={14} rx={3} className={stage === longest ? "fill-accent" : "fill-(--mark-2)"} />
              <text x={width} y={17} textAnchor="end" className="num fill-ink text-[0.87rem]">
                {number(stage.millis)} ms
              </text>
            </g>
          );
        });
      }}
    </Figure>
  );
}
