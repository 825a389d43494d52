// A formula without a text: a Wasm module, with its manifest and where it is used.

import type { ReactNode } from "react";
import type { Formula, UsedBy } from "@/editor/shapes";
import { Card } from "@/parts/Card";
import { Icon } from "@/parts/Icon";
import { plain } from "@/words";

export function ModuleView({ formula }: { formula: Formula }) {
  return (
    <div className="grid gap-4 lg:grid-cols-[3fr_2fr]">
      <Card title="Manifest" aside="read only">
        <Value value={formula.manifest} />
        <dl className="mt-3 border-t border-line pt-3">
          <dt className="label">Digest</dt>
          <dd className="font-mono text-[0.87rem] [overflow-wrap:anywhere]">{formula.digest}</dd>
        </dl>
      </Card>
      <div className="flex flex-col gap-4">
        <Card title="Where it is used">
          <UsedByList formula={formula} />
        </Card>
        <p className="flex gap-2 rounded-card border border-line bg-sunken/60 px-4 py-3 text-ink-2">
          <Icon name="extension" className="mt-0.5" />
          <span>This one is a Wasm module: it is built from its own sources and installed as a file under Extensions, where its cases, limits and grants are shown.</span>
        </p>
      </div>
    </div>
  );
}

/** `plan/component`, or the part of `company.toml`. */
export function placeOf(one: UsedBy): string {
  return one.plan_id && one.component_id ? `${one.plan_id}/${one.component_id}` : plain(one.place);
}

export function UsedByList({ formula }: { formula: Formula }) {
  if (formula.used_by.length === 0) return <p className="text-ink-2">Nothing uses it. A plan names it as the `formula` of a component, or `company.toml` among its rules and figures.</p>;
  return (
    <ul className="flex flex-col divide-y divide-line/60">
      {formula.used_by.map((one) => (
        <li key={placeOf(one)} className="flex items-baseline gap-2 py-1.5">
          <span className="font-medium">{one.component_id ?? plain(one.place, true)}</span>
          <span className="text-ink-3">{one.plan_id ? `in plan ${one.plan_id}` : "in company.toml"}</span>
        </li>
      ))}
    </ul>
  );
}

/** Any JSON value as nested terms and lists. */
export function Value({ value }: { value: unknown }): ReactNode {
  if (value === null || value === undefined || value === "") return <span className="text-ink-3">–</span>;
  if (Array.isArray(value)) {
    if (value.length === 0) return <span className="text-ink-3">none</span>;
    if (value.every((one) => typeof one !== "object")) return <span>{value.map(String).join(", ")}</span>;
    return (
      <ul className="flex flex-col gap-1">
        {value.map((one, at) => (
          <li key={at}>
            <Value value={one} />
          </li>
        ))}
      </ul>
    );
  }
  if (typeof value === "object") {
    const entries = Object.entries(value);
    if (entries.length === 0) return <span className="text-ink-3">none</span>;
    return (
      <dl className="flex flex-col">
        {entries.map(([name, inner]) => {
          const deep = typeof inner === "object" && inner !== null && !Array.isArray(inner) && Object.keys(inner).length > 0;
          return (
            <div key={name} className={deep ? "border-t border-line/60 py-1.5 first:border-t-0" : "grid grid-cols-[minmax(7rem,max-content)_1fr] gap-x-4 py-0.5"}>
              <dt className="text-ink-3">{plain(name)}</dt>
              <dd className={`min-w-0 [overflow-wrap:anywhere] ${deep ? "pl-4" : ""}`}>
                <Value value={inner} />
              </dd>
            </div>
          );
        })}
      </dl>
    );
  }
  return <span>{String(value)}</span>;
}
