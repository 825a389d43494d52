// A script's cases: what the last check said of each, and their text.

import { type ReactNode, Suspense, lazy, useMemo } from "react";
import { Icon } from "@/parts/Icon";
import type { Fault } from "./CodeEditor";
import type { FormulaCheck } from "./shapes";

const CodeEditor = lazy(() => import("./CodeEditor"));

/** The line of each case's name in the text, from 1; 0 where it is not found. */
export function lineOfCase(cases: string, name: string): number {
  const lines = cases.split("\n");
  const at = lines.findIndex((line) => {
    const found = /^\s*name\s*=\s*("(?:[^"\\]|\\.)*"|'[^']*')/.exec(line)?.[1];
    if (found === undefined) return false;
    if (found.startsWith("'")) return found.slice(1, -1) === name;
    try {
      return JSON.parse(found) === name;
    } catch {
      return found.slice(1, -1) === name;
    }
  });
  return at + 1;
}

/** A difference in whatever shape it comes, as a sentence. */
export function sayDifference(difference: unknown): string {
  if (typeof difference === "string") return difference;
  if (typeof difference !== "object" || difference === null) return String(difference);
  const { message, text, path, field, expected, actual, got } = difference as Record<string, unknown>;
  if (typeof message === "string") return message;
  if (typeof text === "string") return text;
  const where = path ?? field;
  if (expected !== undefined) return `${where ? `${String(where)}: ` : ""}expected \`${String(expected)}\`, got \`${String(actual ?? got ?? "nothing")}\``;
  return JSON.stringify(difference);
}

export function CaseList({ check, current, onGo, cases }: { check: FormulaCheck | undefined; current: boolean; cases: string; onGo?: (line: number) => void }) {
  if (!check) return <p className="px-4 py-3 text-ink-3 sm:px-5">Running the cases…</p>;
  if (check.cases.length === 0) {
    return (
      <p className="px-4 py-3 text-ink-2 sm:px-5">
        {check.errors.length > 0 ? "The cases run once the errors are mended." : cases.trim() === "" ? "There is no case yet. Write one: what goes in, and what should come out." : "No case was run."}
      </p>
    );
  }
  return (
    <ul className={`flex flex-col transition-opacity duration-150 ${current ? "" : "opacity-60"}`}>
      {check.cases.map((one, at) => {
        const line = lineOfCase(cases, one.name);
        return (
          <li key={`${one.name}-${at}`} className="border-t border-line/60 px-4 py-1.5 first:border-t-0 sm:px-5">
            <div className="flex items-start gap-2">
              <span
                className={`mt-0.5 inline-flex size-5 shrink-0 items-center justify-center rounded-full ${one.passed ? "bg-accent-soft text-accent" : "bg-bad-soft text-bad"}`}
                title={one.passed ? "green" : "red"}
              >
                <Icon name={one.passed ? "check" : "close"} size={12} />
                <span className="sr-only">{one.passed ? "green:" : "red:"}</span>
              </span>
              <div className="min-w-0 flex-1">
                {onGo && line > 0 ? (
                  <button type="button" className="text-left hover:underline" onClick={() => onGo(line)}>
                    {one.name}
                  </button>
                ) : (
                  <span>{one.name}</span>
                )}
                {one.passed ? null : (
                  <ul className="mt-0.5 flex flex-col gap-0.5 text-[0.87rem] text-ink-2">
                    {one.differences.slice(0, 6).map((difference, n) => (
                      <li key={n} className="[overflow-wrap:anywhere]">
                        {ticks(sayDifference(difference))}
                      </li>
                    ))}
                    {one.differences.length > 6 ? <li>and {one.differences.length - 6} more</li> : null}
                  </ul>
                )}
              </div>
            </div>
          </li>
        );
      })}
    </ul>
  );
}

/** What stands in backticks as code. */
export function ticks(text: string): ReactNode {
  return text.split(/`([^`]*)`/).map((part, at) =>
    at % 2 === 1 ? (
      <code key={at} className="rounded bg-sunken px-1 font-mono text-[0.92em] text-ink">
        {part}
      </code>
    ) : (
      part
    ),
  );
}

export function CasesEditor({
  cases,
  onChange,
  check,
  readOnly,
  goTo,
  onSave,
  onSubmit,
}: {
  cases: string;
  onChange: (cases: string) => void;
  check: FormulaCheck | undefined;
  readOnly: boolean;
  goTo: { line: number; column: number } | null;
  onSave: () => void;
  onSubmit: () => void;
}) {
  const faults = useMemo<Fault[]>(
    () =>
      [
        ...(check?.errors ?? []).filter((error) => error.file === "cases").map((error) => ({ ...error, severity: "error" as const })),
        ...(check?.cases ?? []).flatMap((one) => {
        const line = one.passed ? 0 : lineOfCase(cases, one.name);
        return line > 0 ? [{ line, column: 0, severity: "error" as const, message: one.differences.map(sayDifference).join("\n") || "this case is red" }] : [];
        }),
      ],
    // The lines are those of the text that was checked; the editor moves the marks with what is typed since.
    [check],
  );
  return (
    <Suspense fallback={<p className="p-4 text-ink-3">Loading the editor…</p>}>
      <CodeEditor language="toml" label="Cases" value={cases} onChange={onChange} faults={faults} readOnly={readOnly} goTo={goTo} onSave={onSave} onSubmit={onSubmit} />
    </Suspense>
  );
}
