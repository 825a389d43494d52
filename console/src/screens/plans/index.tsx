// Plans: the text of each version, what is to be looked at in it, and changing it by a change that a second person decides on.

import { Link, useParams } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { path } from "@/api/client";
import { useRead } from "@/api/read";
import { useMay } from "@/api/session";
import type { Items } from "@/api/types";
import type { Plan, PlanSummary, PlanVersion } from "@/api/work";
import { Badge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Icon } from "@/parts/Icon";
import { Lints, lintsSaid } from "@/parts/Lints";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { Empty, Loading, Reading } from "@/parts/states";
import { count, showDay } from "@/words";
import { Edit } from "./Edit";

export default function Plans() {
  const { id } = useParams({ strict: false }) as { id?: string };
  if (!useMay()("see-rules")) return <Denied />;
  return id ? <One key={id} id={id} /> : <All />;
}

function All() {
  const plans = useRead<Items<PlanSummary>>("/plans", { parts: ["company"] });
  return (
    <Screen title="Plans" lead="What is allowed in a plan but seldom meant is named beside it: holes between tiers, pay that jumps or falls at a bound.">
      <Reading of={plans} isEmpty={(data) => data.items.length === 0} empty={<Empty icon="plan" title="No plans" next="They come with the company folder, in plans/." />}>
        {(data) => (
          <ul className="card divide-y divide-line overflow-hidden" aria-label="Plans">
            {data.items.map((one) => (
              <li key={one.plan_id}>
                <Link to="/plans/$id" params={{ id: one.plan_id }} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-3 hover:bg-sunken sm:px-5">
                  <span className="min-w-0 flex-1 basis-52">
                    <span className="block font-medium">{one.name}</span>
                    <span className="block text-[0.87rem] text-ink-3">
                      {one.plan_id} · {count(one.versions.length, "version")}
                    </span>
                  </span>
                  {one.warning_count > 0 ? <Badge tone="warn">{count(one.warning_count, "warning")}</Badge> : null}
                  {one.note_count > 0 ? <Badge>{count(one.note_count, "note")}</Badge> : null}
                  <Icon name="right" size={16} className="text-ink-3" />
                </Link>
              </li>
            ))}
          </ul>
        )}
      </Reading>
    </Screen>
  );
}

function One({ id }: { id: string }) {
  const plan = useRead<Plan>(path`/plans/${id}`, { parts: ["company"] });
  return (
    <Screen title={plan.data?.name ?? "Plan"} lead={plan.data ? plan.data.plan_id : undefined} wide>
      <Link to="/plans" className="link -mt-1 inline-flex items-center gap-1 self-start">
        <Icon name="left" size={14} />
        All plans
      </Link>
      <Reading of={plan} loading={<Loading lines={12} />}>
        {(data) => (
          <>
            {[...data.versions].reverse().map((version) => (
              <Version key={version.file} of={version} />
            ))}
          </>
        )}
      </Reading>
    </Screen>
  );
}

function span(version: PlanVersion): string {
  const from = version.from ? `from ${showDay(version.from)}` : "from the beginning";
  return version.until ? `${from} until ${showDay(version.until)}` : from;
}

function Version({ of: version }: { of: PlanVersion }) {
  const may = useMay();
  const [editing, setEditing] = useState(false);
  // Another text in force is looked at anew.
  useEffect(() => setEditing(false), [version.text]);
  return (
    <Card title={`Version ${span(version)}`} aside={`plans/${version.file}, ${lintsSaid(version.lints)}`}>
      <div className="flex flex-col gap-4">
        {editing ? (
          <Edit version={version} onClose={() => setEditing(false)} />
        ) : (
          <>
            <Lints of={version.lints} />
            <pre className="max-h-[34rem] overflow-auto rounded-control bg-sunken px-4 py-3 font-mono text-[0.85rem]" tabIndex={0} role="region" aria-label={`Text of plans/${version.file}`}>
              {version.text}
            </pre>
            {may("draft-changes") ? (
              <Button icon="change" className="self-start" onClick={() => setEditing(true)}>
                Change it…
              </Button>
            ) : null}
          </>
        )}
      </div>
    </Card>
  );
}
