// All formulas and what uses them.

import { Link, useNavigate } from "@tanstack/react-router";
import { useRead } from "@/api/read";
import type { Items } from "@/api/types";
import type { FormulaHead } from "@/editor/shapes";
import { placeOf } from "./ModuleView";
import { Badge } from "@/parts/Badge";
import { type Column, DataTable } from "@/parts/DataTable";
import { Screen } from "@/parts/Screen";
import { Empty, Reading } from "@/parts/states";
import { useUrlState } from "@/url";
import { plain, shortDigest } from "@/words";

const SOURCES: Record<string, string> = { company: "company folder", bundled: "comes with Attain", record: "changed here", path: "from a folder" };

const COLUMNS: Column<FormulaHead>[] = [
  {
    id: "name",
    header: "Formula",
    value: (row) => row.name,
    cell: (row) => (
      <Link to="/formulas/$name" params={{ name: row.name }} className="link font-medium">
        {row.name}
      </Link>
    ),
  },
  { id: "point", header: "Decides", value: (row) => plain(row.point) },
  { id: "origin", header: "Kind", value: (row) => (row.origin === "wasm" ? "Wasm" : "Rhai"), cell: (row) => <Badge tone={row.origin === "wasm" ? "neutral" : "accent"}>{row.origin === "wasm" ? "Wasm" : "Rhai"}</Badge> },
  { id: "version", header: "Version", value: (row) => row.version },
  {
    id: "used",
    header: "Used by",
    value: (row) => row.used_by.map(placeOf).join(", "),
    cell: (row) =>
      row.used_by.length === 0 ? (
        <span className="text-ink-3">nothing</span>
      ) : (
        <span title={row.used_by.map(placeOf).join("\n")}>
          {row.used_by.slice(0, 1).map(placeOf)}
          {row.used_by.length > 1 ? <span className="text-ink-3"> +{row.used_by.length - 1}</span> : null}
        </span>
      ),
  },
  { id: "source", header: "Comes from", value: (row) => SOURCES[row.source] ?? row.source },
  { id: "digest", header: "Digest", value: (row) => row.digest, cell: (row) => <span className="font-mono text-[0.87em] text-ink-3" title={row.digest}>{shortDigest(row.digest)}</span>, sortable: false },
];

export default function Formulas() {
  const navigate = useNavigate();
  const [point, setPoint] = useUrlState("point");
  const formulas = useRead<Items<FormulaHead>>("/formulas", { parts: ["company", "extensions"] });
  const points = [...new Set(formulas.data?.items.map((one) => one.point) ?? [])];
  return (
    <Screen title="Formulas" lead="What decides credits, pay and figures. Open one to change it and see in money who gains and who loses before anybody is paid by it.">
      <div className="card min-w-0 overflow-hidden">
        <Reading
          of={formulas}
          loading={<div className="p-5"><LoadingRows /></div>}
          isEmpty={(found) => found.items.length === 0}
          empty={<Empty icon="formula" title="There is no formula yet" next="Load a company: its plans name the formulas that pay, and its folder `scripts` holds your own." />}
        >
          {(found) => (
            <DataTable
              label="Formulas"
              columns={COLUMNS}
              rows={found.items.filter((one) => !point || one.point === point)}
              rowKey={(row) => row.name}
              filterable
              onRow={(row) => void navigate({ to: "/formulas/$name", params: { name: row.name } })}
              toolbar={
                <select aria-label="Decides" className="input !w-auto" value={point ?? ""} onChange={(event) => setPoint(event.target.value || undefined)}>
                  <option value="">All</option>
                  {points.map((one) => (
                    <option key={one} value={one}>
                      {plain(one, true)}
                    </option>
                  ))}
                </select>
              }
            />
          )}
        </Reading>
      </div>
    </Screen>
  );
}

function LoadingRows() {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-4">
      {Array.from({ length: 8 }, (_, at) => (
        <div key={at} className="h-5 rounded shimmer" />
      ))}
    </div>
  );
}
