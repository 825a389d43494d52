// One row: its values, what it was before, and the import and audit entry that each version came with.

import { Link } from "@tanstack/react-router";
import { path } from "@/api/client";
import { useRead } from "@/api/read";
import { useMay } from "@/api/session";
import type { Entity, Mention, RowHistory, RowVersion } from "@/api/types";
import { number } from "@/money";
import { Badge } from "@/parts/Badge";
import { Drawer } from "@/parts/Drawer";
import { Icon } from "@/parts/Icon";
import { Reading } from "@/parts/states";
import { ago, plain, showInstant } from "@/words";

export function RowDrawer({ entity, rowKey, onClose }: { entity: Entity; rowKey: string | null; onClose: () => void }) {
  return (
    <Drawer
      open={rowKey !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={rowKey?.split("~").join(" · ") ?? ""}
      description={`A row of ${plain(entity.name)}, with all it ever was.`}
    >
      {rowKey !== null ? <Asked entity={entity} rowKey={rowKey} /> : null}
    </Drawer>
  );
}

function Asked({ entity, rowKey }: { entity: Entity; rowKey: string }) {
  const history = useRead<RowHistory>(path`/entities/${entity.name}/rows/${rowKey}/history`, { parts: ["company"] });
  return (
    <Reading of={history}>
      {(found) => {
        const versions = [...found.versions].sort((a, b) => b.version - a.version);
        const [now] = versions;
        return (
          <div className="flex flex-col gap-6">
            {now ? <Values entity={entity} of={now} /> : null}
            <section className="flex flex-col gap-2">
              <h3 className="font-semibold">History and lineage</h3>
              <ol className="flex flex-col gap-3">
                {versions.map((version, at) => (
                  <li key={version.version} className="flex flex-col gap-1.5 rounded-card border border-line px-3.5 py-2.5">
                    <Origin version={version} isNow={at === 0 && version.superseded_at === null} />
                    <Changes entity={entity} before={versions[at + 1]} after={version} />
                  </li>
                ))}
              </ol>
            </section>
          </div>
        );
      }}
    </Reading>
  );
}

function Values({ entity, of: version }: { entity: Entity; of: RowVersion }) {
  const { values } = version;
  return (
    <section className="flex flex-col gap-2">
      {version.superseded_at ? (
        <p className="rounded-control bg-warn-soft px-3.5 py-2 text-warn">
          This row was removed {ago(version.superseded_at)}
          {version.superseded_by ? ` by ${version.superseded_by.actor}` : ""}; these were its last values.
        </p>
      ) : null}
      <dl className="grid grid-cols-[minmax(7rem,max-content)_minmax(0,1fr)] gap-x-5 gap-y-1.5">
        {entity.fields.map((field) => {
          const value = values[field.name];
          return (
            <div key={field.name} className="contents">
              <dt className="text-ink-3">
                {plain(field.name)}
                {entity.key.includes(field.name) ? <span className="sr-only"> (key)</span> : null}
              </dt>
              <dd className="num !whitespace-normal [overflow-wrap:anywhere]">
                {value === null || value === undefined || value === "" ? (
                  <span className="text-ink-3">–</span>
                ) : field.reference ? (
                  <Link className="link" to="/data" search={{ entity: field.reference, row: value } as never}>
                    {value}
                  </Link>
                ) : (
                  value
                )}
              </dd>
            </div>
          );
        })}
      </dl>
    </section>
  );
}

function Origin({ version, isNow }: { version: RowVersion; isNow: boolean }) {
  const may = useMay();
  const { batch } = version;
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <strong className="font-semibold">Version {version.version}</strong>
        {isNow ? <Badge tone="accent">now</Badge> : null}
        <time dateTime={version.recorded_at} title={showInstant(version.recorded_at)} className="text-[0.87rem] text-ink-3">
          {ago(version.recorded_at)}
        </time>
      </div>
      <p className="text-[0.93rem] [overflow-wrap:anywhere]">
        from <code className="font-mono text-[0.9em]">{version.source}</code>
        {batch ? (
          <>
            , batch {batch.batch_id}: {number(batch.inserted)} inserted, {number(batch.changed)} changed, {number(batch.removed)} removed, {number(batch.unchanged)} unchanged
          </>
        ) : null}
        {batch?.import_id && may("import") ? (
          <>
            {" · "}
            <Link className="link" to="/imports" search={{ import: batch.import_id } as never}>
              the import
            </Link>
          </>
        ) : null}
      </p>
      <By mention={version.recorded_by} />
    </>
  );
}

function By({ mention }: { mention: Mention | null }) {
  const may = useMay();
  if (!mention) return null;
  return (
    <p className="text-[0.93rem] text-ink-2 [overflow-wrap:anywhere]">
      {plain(mention.action)} by {mention.actor}
      {mention.reason ? `: ${mention.reason}` : ""}
      {may("see-audit") ? (
        <>
          {" · "}
          <Link className="link" to="/audit" search={{ entry: String(mention.sequence) } as never}>
            audit entry {mention.sequence}
          </Link>
        </>
      ) : null}
    </p>
  );
}

function Changes({ entity, before, after }: { entity: Entity; before: RowVersion | undefined; after: RowVersion }) {
  if (!before) return <p className="text-[0.87rem] text-ink-3">the first version</p>;
  const changed = entity.fields.filter((field) => (before.values[field.name] ?? "") !== (after.values[field.name] ?? ""));
  if (changed.length === 0) return <p className="text-[0.87rem] text-ink-3">the same values again</p>;
  return (
    <ul className="flex flex-col gap-0.5 text-[0.93rem]">
      {changed.map((field) => (
        <li key={field.name} className="flex flex-wrap items-center gap-x-2">
          <span className="text-ink-3">{plain(field.name)}</span>
          <del className="num !whitespace-normal text-loss [overflow-wrap:anywhere]">{before.values[field.name] || "nothing"}</del>
          <Icon name="right" size={13} className="text-ink-3" />
          <ins className="num !whitespace-normal text-gain no-underline [overflow-wrap:anywhere]">{after.values[field.name] || "nothing"}</ins>
        </li>
      ))}
    </ul>
  );
}
