// Two texts and what differs: side by side or one under the other, long unchanged stretches folded away.

import { Fragment, type ReactNode, useMemo, useState } from "react";
import { count } from "@/words";
import { type Op, type Row, counts, folded, rows, within } from "./lines";

const CELL = "px-2 py-px align-top whitespace-pre-wrap [overflow-wrap:anywhere]";
const NUMBER = "w-10 min-w-10 px-2 py-px text-right align-top text-ink-3 select-none num";
const LOOK = { "-": "bg-loss-soft", "+": "bg-gain-soft", " ": "", none: "bg-sunken/60" } as const;

export function TextDiff({
  ops,
  name,
  sides = ["before", "after"],
  height = "30rem",
}: {
  ops: readonly Op[];
  /** What the texts are of, for the accessible name. */
  name: string;
  sides?: [string, string];
  height?: string;
}) {
  const [split, setSplit] = useState(() => typeof window !== "undefined" && window.matchMedia("(min-width: 1100px)").matches);
  const [shown, setShown] = useState<ReadonlySet<number>>(new Set());
  const blocks = useMemo(() => folded(rows(ops)), [ops]);
  const { put, out } = counts(ops);
  if (put === 0 && out === 0) return <p className="py-3 text-ink-2">The texts are the same.</p>;
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-[0.83rem] text-ink-3">
        <span>
          <span className="font-medium text-gain">+{put}</span> <span className="font-medium text-loss">−{out}</span> {put + out === 1 ? "line" : "lines"}
        </span>
        <span className="ml-auto inline-flex rounded-md border border-line p-0.5" role="group" aria-label="How to show the difference">
          {[true, false].map((way) => (
            <button
              key={String(way)}
              type="button"
              aria-pressed={split === way}
              onClick={() => setSplit(way)}
              className="rounded px-2 py-0.5 text-ink-2 hover:text-ink aria-pressed:bg-sunken aria-pressed:text-ink"
            >
              {way ? "Side by side" : "Unified"}
            </button>
          ))}
        </span>
      </div>
      <div className="overflow-auto rounded-control border border-line" style={{ maxHeight: height }} role="region" aria-label={`Difference of ${name}`} tabIndex={0}>
        <table className={`w-full border-separate border-spacing-0 font-mono text-[0.83rem] leading-[1.5] ${split ? "table-fixed" : ""}`}>
          <caption className="sr-only">
            {name}: {count(out, "line goes", "lines go")}, {count(put, "line comes", "lines come")}
          </caption>
          {split ? (
            <colgroup>
              <col className="w-10" />
              <col />
              <col className="w-10" />
              <col />
            </colgroup>
          ) : null}
          <thead className="sr-only">
            <tr>
              <th scope="col">line {sides[0]}</th>
              <th scope="col">{split ? sides[0] : `line ${sides[1]}`}</th>
              <th scope="col">{split ? `line ${sides[1]}` : "text"}</th>
              {split ? <th scope="col">{sides[1]}</th> : null}
            </tr>
          </thead>
          <tbody>
            {blocks.map((block, at) => {
              if ("rows" in block || shown.has(at)) {
                const all = "rows" in block ? block.rows : block.hidden;
                return <Fragment key={at}>{split ? all.map((row, n) => <SplitRow key={n} row={row} />) : <UnifiedRows rows={all} />}</Fragment>;
              }
              return (
                <tr key={at}>
                  <td colSpan={split ? 4 : 3} className="border-y border-line bg-sunken p-0 text-center">
                    <button type="button" className="w-full py-0.5 font-sans text-ink-2 hover:text-ink" onClick={() => setShown(new Set([...shown, at]))}>
                      Show {count(block.hidden.length, "unchanged line")}
                    </button>
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function SplitRow({ row }: { row: Row }) {
  const [before, after] = emphasised(row);
  const same = row.kind === "same";
  return (
    <tr>
      <td className={`${NUMBER} ${same ? "" : row.left === null ? LOOK.none : LOOK["-"]}`}>{row.left}</td>
      <td className={`${CELL} border-r border-line ${same ? "" : row.before === null ? LOOK.none : LOOK["-"]}`}>{before}</td>
      <td className={`${NUMBER} ${same ? "" : row.right === null ? LOOK.none : LOOK["+"]}`}>{row.right}</td>
      <td className={`${CELL} ${same ? "" : row.after === null ? LOOK.none : LOOK["+"]}`}>{after}</td>
    </tr>
  );
}

/** First the lines of a stretch that go, then those that come. */
function UnifiedRows({ rows: all }: { rows: Row[] }) {
  const lines: { tag: " " | "-" | "+"; left: number | null; right: number | null; text: ReactNode }[] = [];
  let come: typeof lines = [];
  for (const row of all) {
    const [before, after] = emphasised(row);
    if (row.kind === "same") {
      lines.push(...come, { tag: " ", left: row.left, right: row.right, text: after });
      come = [];
      continue;
    }
    if (row.before !== null) lines.push({ tag: "-", left: row.left, right: null, text: before });
    if (row.after !== null) come.push({ tag: "+", left: null, right: row.right, text: after });
  }
  lines.push(...come);
  return lines.map((line, at) => (
    <tr key={at} className={LOOK[line.tag]}>
      <td className={NUMBER}>{line.left}</td>
      <td className={NUMBER}>{line.right}</td>
      <td className={CELL}>
        <span aria-hidden="true" className="mr-2 inline-block w-2 text-ink-3 select-none">
          {line.tag}
        </span>
        {line.tag === " " ? null : <span className="sr-only">{line.tag === "-" ? "goes: " : "comes: "}</span>}
        {line.text}
      </td>
    </tr>
  ));
}

function emphasised(row: Row): [ReactNode, ReactNode] {
  if (row.kind !== "changed" || row.before === null || row.after === null) return [row.before, row.after];
  const [before, after] = within(row.before, row.after);
  // Where hardly anything is the same, emphasis says nothing.
  if (before[0].trim().length + before[2].trim().length < 3) return [row.before, row.after];
  const show = ([start, changed, end]: [string, string, string], look: string) => (
    <>
      {start}
      {changed === "" ? null : <mark className={`rounded-sm text-inherit ${look}`}>{changed}</mark>}
      {end}
    </>
  );
  return [show(before, "bg-loss/25"), show(after, "bg-gain/25")];
}
