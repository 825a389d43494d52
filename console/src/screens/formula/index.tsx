// One formula: its text with what it pays in money as one types, its cases, its way to being active, its history.

import { useParams } from "@tanstack/react-router";
import { path } from "@/api/client";
import { useRead } from "@/api/read";
import type { Formula } from "@/editor/shapes";
import { Badge } from "@/parts/Badge";
import { ButtonLink } from "@/parts/Button";
import { Screen } from "@/parts/Screen";
import { Failed, Loading } from "@/parts/states";
import { plain, shortDigest } from "@/words";
import { FormulaEditor } from "../formulas/FormulaEditor";
import { ModuleView, placeOf } from "../formulas/ModuleView";

export default function FormulaScreen() {
  const { name = "" } = useParams({ strict: false }) as { name?: string };
  const formula = useRead<Formula>(path`/formulas/${name}`, { parts: ["company", "extensions", "work"] });
  const found = formula.data;
  if (found && found.source_text !== null) return <FormulaEditor key={name} name={name} lead={<Lead formula={found} />} />;
  return (
    <Screen title={name} lead={found ? <Lead formula={found} /> : undefined} actions={<ButtonLink to="/formulas">All formulas</ButtonLink>}>
      {found ? <ModuleView formula={found} /> : formula.error ? <Failed error={formula.error} retry={() => void formula.refetch()} /> : <Loading lines={10} />}
    </Screen>
  );
}

function Lead({ formula }: { formula: Formula }) {
  const { description } = (formula.manifest ?? {}) as { description?: unknown };
  return (
    <div className="flex flex-col gap-1">
      {typeof description === "string" && description ? <p>{description}</p> : null}
      <p className="flex flex-wrap items-center gap-x-2.5 gap-y-1 text-[0.83rem] text-ink-3">
        <Badge>{plain(formula.point)}</Badge>
        <span>
          active: {formula.origin === "wasm" ? "Wasm" : "Rhai"} {formula.version}{" "}
          <span className="font-mono" title={formula.digest}>
            {shortDigest(formula.digest)}
          </span>
        </span>
        <span>
          {formula.used_by.length === 0 ? "used by nothing" : `used by ${formula.used_by.slice(0, 3).map(placeOf).join(", ")}`}
          {formula.used_by.length > 3 ? ` and ${formula.used_by.length - 3} more` : ""}
        </span>
      </p>
    </div>
  );
}
