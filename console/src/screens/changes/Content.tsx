// What a change without a text difference brings: rows, a module's digest, files.

import { useMemo } from "react";
import type { Change } from "@/editor/shapes";
import { count, shortDigest } from "@/words";
import { readCsv } from "./csv";
import { Value } from "../formulas/ModuleView";

const ROWS_SHOWN = 20;
const text = (value: unknown) => (typeof value === "string" ? value : "");

export function Content({ change }: { change: Change }) {
  const { payload } = change;
  switch (change.kind) {
    case "import":
    case "table":
      return <Rows entity={text(payload.entity)} csv={text(payload.csv)} from={text(payload.source)} reason={text(payload.reason)} />;
    case "extension":
      return <Module before={change.base_digest} after={text(payload.digest)} name={text(payload.name)} />;
    case "company":
      return <Files files={payload.files} />;
    case "formula":
    case "plan":
      return <p className="text-ink-2">The text is the same as the active one.</p>;
    default:
      return <Value value={payload} />;
  }
}

function Rows({ entity, csv, from, reason }: { entity: string; csv: string; from: string; reason: string }) {
  const table = useMemo(() => readCsv(csv, ROWS_SHOWN), [csv]);
  return (
    <div className="flex min-w-0 flex-col gap-2">
      <p>
        <strong className="font-semibold">{count(table.count, "row")}</strong> of <span className="font-medium">{entity}</span>
        {from ? <span className="text-ink-2"> from source {from}</span> : null}
        {reason ? <span className="block text-ink-2">Reason: {reason}</span> : null}
      </p>
      {table.head.length > 0 ? (
        <div className="max-h-96 overflow-auto rounded-control border border-line" role="region" aria-label={`Rows of ${entity}`} tabIndex={0}>
          <table className="w-full border-separate border-spacing-0 text-[0.87rem]">
            <caption className="sr-only">The first rows</caption>
            <thead>
              <tr>
                {table.head.map((name) => (
                  <th key={name} scope="col" className="sticky top-0 border-b border-line bg-sunken px-3 py-1.5 text-left font-medium whitespace-nowrap text-ink-2">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.rows.map((row, at) => (
                <tr key={at}>
                  {row.map((cell, n) => (
                    <td key={n} className="num border-b border-line/60 px-3 py-1">
                      {cell || <span className="text-ink-3">–</span>}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
      {table.count > table.rows.length ? <p className="text-[0.87rem] text-ink-2">and {count(table.count - table.rows.length, "more row", "more rows")}</p> : null}
    </div>
  );
}

function Module({ name, before, after }: { name: string; before: string | null; after: string }) {
  return (
    <div className="flex flex-col gap-2">
      <p>
        The module <span className="font-medium">{name}</span> is replaced by another build. Its cases, limits and what it asks for are shown under Extensions.
      </p>
      <dl className="grid grid-cols-[max-content_1fr] gap-x-4 gap-y-1">
        <dt className="text-ink-3">Digest before</dt>
        <dd className="rounded bg-loss-soft px-2 font-mono text-[0.87rem] [overflow-wrap:anywhere]">{before ?? "none: it is new"}</dd>
        <dt className="text-ink-3">Digest after</dt>
        <dd className="rounded bg-gain-soft px-2 font-mono text-[0.87rem] [overflow-wrap:anywhere]" title={shortDigest(after)}>
          {after}
        </dd>
      </dl>
    </div>
  );
}

function Files({ files }: { files: unknown }) {
  const all = Object.entries((typeof files === "object" && files !== null ? files : {}) as Record<string, unknown>);
  return (
    <div className="flex flex-col gap-2">
      <p>
        <strong className="font-semibold">{count(all.length, "file")}</strong> of the company's folder
      </p>
      <ul className="flex max-h-96 flex-col divide-y divide-line/60 overflow-y-auto">
        {all.map(([at, content]) => (
          <li key={at} className="py-1">
            <details>
              <summary className="flex flex-wrap justify-between gap-2">
                <span className="font-mono text-[0.9rem]">{at}</span>
                <span className="num text-[0.83rem] text-ink-2">{count(text(content).split("\n").length, "line")}</span>
              </summary>
              <pre className="mt-1 max-h-72 overflow-auto rounded-control bg-sunken p-3 font-mono text-[0.83rem]">{text(content)}</pre>
            </details>
          </li>
        ))}
      </ul>
    </div>
  );
}
