// The record's entities as tables: searched, filtered and sorted by the server, each row with its history and where it came from.

import { useState } from "react";
import { download, path } from "@/api/client";
import { usePages, useRead } from "@/api/read";
import { useMay } from "@/api/session";
import type { Entity, EntityField, EntityRow, Items } from "@/api/types";
import { isDecimal, number } from "@/money";
import { Badge } from "@/parts/Badge";
import { Button, ButtonLink } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { Icon } from "@/parts/Icon";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { Empty, Failed, Loading, Reading } from "@/parts/states";
import { useAllSearch, useChangeSearch, useTypedUrlState, useUrlState } from "@/url";
import { plain, showDay } from "@/words";
import { RowDrawer } from "./RowDrawer";

/** Before the name of a filtered field in the address. */
const FILTER = "is.";

export default function Data() {
  return useMay()("see-data") ? <DataScreen /> : <Denied />;
}

function DataScreen() {
  const entities = useRead<Items<Entity>>("/entities", { parts: ["company"] });
  const [asked] = useUrlState("entity");
  return (
    <Screen title="Data" lead="What the record holds now. Every row knows who brought it, and what it was before." wide>
      <Reading of={entities} isEmpty={(found) => found.items.length === 0} empty={<Empty icon="data" title="There are no entities" next="Load a company folder with `attain load`." />}>
        {(found) => {
          const entity = found.items.find((one) => one.name === asked) ?? found.items.find((one) => one.name === "transactions") ?? found.items[0];
          return (
            <div className="grid items-start gap-4 lg:grid-cols-[13rem_minmax(0,1fr)]">
              <Entities entities={found.items} chosen={entity?.name ?? ""} />
              {entity ? <Rows key={entity.name} entity={entity} /> : null}
            </div>
          );
        }}
      </Reading>
    </Screen>
  );
}

/** Another entity has other fields: of the address only the entity stays. */
function useOpenEntity(): (name: string) => void {
  const change = useChangeSearch();
  const search = useAllSearch();
  return (name) => change({ ...Object.fromEntries(Object.keys(search).map((key) => [key, key === "period" ? search[key] : undefined])), entity: name }, true);
}

function Entities({ entities, chosen }: { entities: Entity[]; chosen: string }) {
  const open = useOpenEntity();
  return (
    <>
      <label className="flex items-center gap-2.5 lg:hidden">
        <span className="font-medium">Entity</span>
        <select className="input" value={chosen} onChange={(event) => open(event.target.value)}>
          {entities.map((one) => (
            <option key={one.name} value={one.name}>
              {plain(one.name)} ({number(one.row_count)})
            </option>
          ))}
        </select>
      </label>
      <nav aria-label="Entities" className="hidden lg:block">
        <ul className="flex flex-col gap-0.5">
          {entities.map((one) => (
            <li key={one.name}>
              <button
                type="button"
                aria-current={one.name === chosen ? "true" : undefined}
                onClick={() => open(one.name)}
                className={`flex w-full items-baseline justify-between gap-2 rounded-control px-2.5 py-1.5 text-left ${one.name === chosen ? "bg-accent-soft font-medium text-accent" : "hover:bg-sunken"}`}
              >
                <span className="truncate">{plain(one.name, true)}</span>
                <span className={`num text-[0.83rem] ${one.name === chosen ? "" : "text-ink-3"}`}>{number(one.row_count)}</span>
              </button>
            </li>
          ))}
        </ul>
      </nav>
    </>
  );
}

const NUMBERS = new Set(["money", "rate"]);

function show(field: EntityField, value: string | null | undefined): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (field.kind === "day") return showDay(value);
  if (field.kind === "money" && isDecimal(value)) return number(value);
  return value;
}

function Rows({ entity }: { entity: Entity }) {
  const may = useMay();
  const change = useChangeSearch();
  const search = useAllSearch();
  const [text, setText] = useTypedUrlState("q");
  const [sort, setSort] = useUrlState("sort");
  const [row] = useUrlState("row");
  const filters = entity.fields.flatMap((field) => {
    const value = search[FILTER + field.name];
    return value === undefined ? [] : [{ field, value }];
  });
  const query = { "filter[q]": search.q, sort, ...Object.fromEntries(filters.map(({ field, value }) => [`filter[${field.name}]`, value])) };
  const at = path`/entities/${entity.name}/rows`;
  const rows = usePages<EntityRow>(at, { query, parts: ["company"], keep: true, limit: 200 });
  const columns: Column<EntityRow>[] = entity.fields.map((field) => ({
    id: field.name,
    header: plain(field.name, true),
    align: NUMBERS.has(field.kind) ? "right" : "left",
    value: (one) => one.values[field.name],
    cell: (one) => {
      const shown = show(field, one.values[field.name]);
      return shown === null ? <span className="text-ink-3">–</span> : <span className="block max-w-80 truncate" title={shown}>{shown}</span>;
    },
  }));
  const narrowed = filters.length > 0 || Boolean(search.q);
  const clear = () => change({ q: undefined, ...Object.fromEntries(filters.map(({ field }) => [FILTER + field.name, undefined])) });
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <h2 className="text-lg font-semibold">{plain(entity.name, true)}</h2>
        {entity.personal ? <Badge tone="warn" title="Never an input of a calculation">personal data</Badge> : null}
        <span className="text-[0.87rem] text-ink-3">
          identified by {entity.key.map((name) => plain(name)).join(", ")}
        </span>
        {may("import") ? (
          <ButtonLink size="sm" icon="import" className="ml-auto" to="/imports" search={{ entity: entity.name } as never}>
            Import
          </ButtonLink>
        ) : null}
      </div>
      {entity.row_count === 0 ? (
        <div className="card">
          <Empty
            icon="data"
            title={`There are no ${plain(entity.name)}`}
            next={may("import") ? "Import a CSV file of them." : "Whoever may import brings the first."}
            action={
              may("import") ? (
                <ButtonLink look="primary" to="/imports" search={{ entity: entity.name } as never}>
                  Import
                </ButtonLink>
              ) : undefined
            }
          />
        </div>
      ) : rows.isPending ? (
        <Loading lines={10} />
      ) : rows.error ? (
        <Failed error={rows.error} retry={rows.retry} />
      ) : (
        <div className="card min-w-0 overflow-hidden">
          <DataTable
            label={plain(entity.name, true)}
            columns={columns}
            rows={rows.items}
            rowKey={(one) => one.id}
            selected={row ?? null}
            onRow={(one) => change({ row: one.id }, true)}
            sort={sort ? { id: sort.replace(/^-/, ""), descending: sort.startsWith("-") } : null}
            onSort={(next) => setSort(next ? `${next.descending ? "-" : ""}${next.id}` : undefined)}
            hasMore={rows.hasMore}
            onMore={rows.more}
            total={rows.total}
            height="68vh"
            exportHref={download(`${at}.csv`, query)}
            empty={
              <div className="flex flex-col items-center gap-3 px-4 py-10">
                <p className="text-ink-2">{narrowed ? "No row fits the search and the filters." : "There are no rows."}</p>
                {narrowed ? <Button onClick={clear}>Clear them</Button> : null}
              </div>
            }
            toolbar={
              <>
                <div className="relative min-w-40 flex-1 sm:max-w-72">
                  <Icon name="search" size={15} className="pointer-events-none absolute top-1/2 left-2.5 -translate-y-1/2 text-ink-3" />
                  <input type="search" aria-label={`Search ${plain(entity.name)}`} placeholder="Search all fields" className="input !pl-8" value={text} onChange={(event) => setText(event.target.value)} />
                </div>
                <AddFilter entity={entity} onAdd={(field, value) => change({ [FILTER + field]: value })} />
                {filters.map(({ field, value }) => (
                  <button
                    key={field.name}
                    type="button"
                    aria-label={`Remove the filter ${plain(field.name)} ${value}`}
                    onClick={() => change({ [FILTER + field.name]: undefined })}
                    className="inline-flex min-h-8 items-center gap-1.5 rounded-full bg-accent-soft px-3 py-0.5 text-[0.87rem] text-accent"
                  >
                    {plain(field.name)}: <strong className="font-semibold">{value}</strong>
                    <Icon name="close" size={13} />
                  </button>
                ))}
              </>
            }
          />
        </div>
      )}
      <RowDrawer entity={entity} rowKey={row ?? null} onClose={() => change({ row: undefined })} />
    </div>
  );
}

function AddFilter({ entity, onAdd }: { entity: Entity; onAdd: (field: string, value: string) => void }) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const field = entity.fields.find((one) => one.name === name);
  const choices = field?.kind === "flag" ? ["true", "false"] : (field?.choices ?? []);
  const add = (given: string) => {
    if (name !== "" && given.trim() !== "") {
      onAdd(name, given.trim());
      setName("");
      setValue("");
    }
  };
  return (
    <form
      className="flex flex-wrap items-center gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        add(value);
      }}
    >
      <select className="input !w-auto" aria-label="Filter by field" value={name} onChange={(event) => setName(event.target.value)}>
        <option value="">Filter by…</option>
        {entity.fields.map((one) => (
          <option key={one.name} value={one.name}>
            {plain(one.name)}
          </option>
        ))}
      </select>
      {field && choices.length > 0 ? (
        <select className="input !w-auto" aria-label={`${plain(name)} is`} value="" onChange={(event) => add(event.target.value)}>
          <option value="">choose</option>
          {choices.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
      ) : field ? (
        <>
          <input className="input !w-40" aria-label={`${plain(name)} is`} placeholder={field.kind === "day" ? "2026-09-30" : "value"} value={value} onChange={(event) => setValue(event.target.value)} />
          <Button type="submit">Add filter</Button>
        </>
      ) : null}
    </form>
  );
}
