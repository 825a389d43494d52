// The rows that were refused, each with what is wrong; the wrong cells are mended in place.

import { useMemo } from "react";
import { count, plain } from "@/words";
import type { CsvRow } from "./csv";
import type { RowError } from "./shapes";

/** More wrong rows than these are mended in the file, or after these. */
const ROWS_MAX = 200;

export function ErrorGrid({ rows, errors, onChange }: { rows: CsvRow[]; errors: RowError[]; onChange: (row: number, column: number, value: string) => void }) {
  const head = rows[0]?.fields ?? [];
  const { wrong, general } = useMemo(() => sort(rows, errors), [rows, errors]);
  const shown = wrong.slice(0, ROWS_MAX);
  return (
    <div className="flex flex-col gap-3">
      {general.length > 0 ? (
        <ul className="list-disc rounded-control bg-bad-soft py-2.5 pr-4 pl-8">
          {general.map((error, at) => (
            <li key={at}>
              {error.line === null ? "" : `line ${error.line}: `}
              {error.column ? `${error.column}: ` : ""}
              {error.message}
            </li>
          ))}
        </ul>
      ) : null}
      {shown.length > 0 ? (
        <div className="max-h-[60vh] overflow-auto rounded-card border border-line" role="region" aria-label="Rows to mend" tabIndex={0}>
          <table className="w-full border-separate border-spacing-0 text-[0.93rem]">
            <caption className="sr-only">Rows to mend</caption>
            <thead className="sticky top-0 bg-surface" style={{ zIndex: "var(--z-sticky)" }}>
              <tr>
                <th scope="col" className="border-b border-line px-3 py-2 text-right text-[0.83rem] font-medium text-ink-3">
                  Line
                </th>
                {head.map((name, at) => (
                  <th key={at} scope="col" className="border-b border-line px-2 py-2 text-left text-[0.83rem] font-medium whitespace-nowrap text-ink-3">
                    {plain(name)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {shown.map(({ at, row, errors: own }) => {
                const whole = own.some((error) => error.column === null || !head.includes(error.column));
                return [
                  <tr key={`${at} cells`}>
                    <th scope="row" className="num px-3 pt-2 text-right font-normal text-ink-3">
                      {row.line}
                    </th>
                    {head.map((name, column) => {
                      const wrongHere = own.some((error) => error.column === name);
                      const value = row.fields[column] ?? "";
                      return (
                        <td key={column} className="px-1 pt-2">
                          {wrongHere || whole ? (
                            <input
                              className="input !min-h-8 !w-auto min-w-28 !px-2 !py-0.5"
                              size={Math.min(Math.max(value.length, 10), 30)}
                              aria-label={`Line ${row.line}, ${plain(name)}`}
                              aria-invalid={wrongHere || undefined}
                              aria-describedby={`wrong-${at}`}
                              value={value}
                              onChange={(event) => onChange(at, column, event.target.value)}
                            />
                          ) : (
                            <span className="block max-w-64 truncate px-1.5 whitespace-nowrap text-ink-2" title={value}>
                              {value || "–"}
                            </span>
                          )}
                        </td>
                      );
                    })}
                  </tr>,
                  <tr key={`${at} errors`}>
                    <td className="border-b border-line" />
                    <td colSpan={head.length} id={`wrong-${at}`} className="border-b border-line px-2.5 pt-0.5 pb-2 text-[0.87rem] text-bad">
                      {own.map((error) => `${error.column ? `${plain(error.column)}: ` : ""}${error.message}`).join(" · ")}
                    </td>
                  </tr>,
                ];
              })}
            </tbody>
          </table>
        </div>
      ) : null}
      {wrong.length > shown.length ? <p className="text-ink-2">{count(wrong.length - shown.length, "more row is", "more rows are")} wrong; mend these first.</p> : null}
    </div>
  );
}

interface Wrong {
  at: number;
  row: CsvRow;
  errors: RowError[];
}

/** Errors by the row they stand in, and those that stand in none. */
function sort(rows: CsvRow[], errors: RowError[]): { wrong: Wrong[]; general: RowError[] } {
  const byLine = new Map(rows.map((row, at) => [row.line, at]));
  const wrong = new Map<number, Wrong>();
  const general: RowError[] = [];
  for (const error of errors) {
    const at = error.line === null ? undefined : byLine.get(error.line);
    const row = at === undefined ? undefined : rows[at];
    if (at === undefined || at === 0 || !row) general.push(error);
    else {
      const own = wrong.get(at) ?? { at, row, errors: [] };
      own.errors.push(error);
      wrong.set(at, own);
    }
  }
  return { wrong: [...wrong.values()].sort((a, b) => a.at - b.at), general };
}
