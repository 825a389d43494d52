// Whose pay moved between two runs, by how much and why. Each cause is a filter.

import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Because, Cause, Receipt } from "@/api/types";
import { Histogram } from "@/marks";
import { sign, sum } from "@/money";
import { useCurrency } from "@/api/session";
import { Badge } from "@/parts/Badge";
import { Card } from "@/parts/Card";
import { type Column, DataTable } from "@/parts/DataTable";
import { Digest } from "@/parts/Digest";
import { Icon } from "@/parts/Icon";
import { Difference } from "@/parts/Money";
import { Empty } from "@/parts/states";
import { useUrlState } from "@/url";
import { count, plain, showPeriod } from "@/words";
import { binsOf } from "../runs/bins";

type Row = Receipt["recalculated"][number];

function nameOf(cause: Because): string {
  return cause.object === "" ? plain(cause.kind) : `${plain(cause.kind)} ${cause.object}`;
}

export function Moved({ receipt, unmoved }: { receipt: Receipt; unmoved: string }) {
  const currency = useCurrency();
  const navigate = useNavigate();
  const [cause, setCause] = useUrlState("cause");
  const [all, setAll] = useUrlState("all");
  const causes = useMemo(() => {
    const found = new Map<string, Row[]>();
    for (const row of receipt.recalculated)
      for (const name of new Set(row.causes.map(nameOf))) {
        const own = found.get(name);
        if (own) own.push(row);
        else found.set(name, [row]);
      }
    return [...found].map(([name, rows]) => ({ name, rows, net: sum(rows.map((row) => row.difference)) })).sort((a, b) => b.rows.length - a.rows.length);
  }, [receipt]);
  const chosen = causes.find((one) => one.name === cause);
  const rows = chosen ? chosen.rows : receipt.recalculated;
  const moved = rows.filter((row) => sign(row.difference) !== 0);
  const shown = all === "yes" ? rows : moved;
  const bins = useMemo(() => binsOf(moved.map((row) => row.difference)), [moved]);
  const people = new Set(moved.map((row) => row.payee_id)).size;

  const columns: Column<Row>[] = [
    {
      id: "name",
      header: "Payee",
      value: (row) => row.name || row.payee_id,
      cell: (row) => (
        <span className="whitespace-nowrap">
          {row.name || row.payee_id} <span className="text-ink-3">{row.name ? row.payee_id : ""}</span>
        </span>
      ),
    },
    { id: "period", header: "Period", value: (row) => row.period_id, cell: (row) => <span className="whitespace-nowrap">{showPeriod(row.period_id)}</span> },
    { id: "difference", header: "Difference", align: "right", value: (row) => row.difference, cell: (row) => <Difference amount={row.difference} currency={currency} /> },
    {
      id: "causes",
      header: "Because of",
      value: (row) => row.causes.map(nameOf).join(", "),
      cell: (row) => (
        <span className="flex min-w-40 flex-wrap gap-1">
          {row.causes.map((cause, at) => (
            <Badge key={at}>{nameOf(cause)}</Badge>
          ))}
        </span>
      ),
    },
  ];

  if (receipt.recalculated.length === 0) {
    return (
      <div className="flex flex-col gap-4">
        <Empty icon="check" title="Nobody's pay moved" next={unmoved} />
        <Ledger receipt={receipt} />
        <Causes causes={receipt.causes} />
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-4">
      <p className="text-lg" role="status">
        <strong className="font-semibold">{count(people, "payee")} moved</strong>, net <Difference amount={sum(moved.map((row) => row.difference))} currency={currency} className="font-semibold" />
        {chosen ? <> by {chosen.name}</> : null}
        {receipt.recalculated_count > receipt.recalculated.length ? <> (the {count(receipt.recalculated.length, "largest difference")} of {receipt.recalculated_count})</> : null}.{" "}
        <span className="text-ink-2">
          {count(receipt.unchanged_count, "statement is", "statements are")} as before
          {receipt.unchanged_hash_equal ? (
            <>
              ; their hashes are equal <Icon name="check" size={16} className="inline align-[-0.15em] text-accent" />
            </>
          ) : (
            <strong className="text-bad">, but their hashes differ: replay both runs and look into it</strong>
          )}
          . Of {count(receipt.chunk_count, "stored part")} {receipt.chunk_count_as_before} {receipt.chunk_count_as_before === 1 ? "is" : "are"} used again.
        </span>
      </p>
      {causes.length > 0 ? (
        <div role="group" aria-label="Filter by cause" className="flex flex-wrap gap-2">
          {causes.map((one) => {
            const on = chosen === one;
            return (
              <button
                key={one.name}
                type="button"
                aria-pressed={on}
                onClick={() => setCause(on ? undefined : one.name)}
                className={`inline-flex min-h-9 flex-wrap items-center gap-x-2 rounded-full border px-3.5 py-1 text-left ${on ? "border-accent bg-accent-soft text-accent" : "border-line-strong bg-surface hover:bg-sunken"}`}
              >
                {on ? <Icon name="check" size={14} /> : null}
                <span className="[overflow-wrap:anywhere]">{one.name}</span>
                <span className="num text-[0.87rem]">{one.rows.length}</span>
                <Difference amount={one.net} currency={currency} className="text-[0.87rem]" />
              </button>
            );
          })}
        </div>
      ) : null}
      <div className="grid items-start gap-4 xl:grid-cols-[1fr_26rem]">
        <div className="card min-w-0 overflow-hidden">
          <DataTable
            label="Recalculated statements"
            columns={columns}
            rows={shown}
            rowKey={(row) => `${row.payee_id} ${row.period_id}`}
            filterable
            onRow={(row) => void navigate({ to: "/statements/$period", params: { period: row.period_id }, search: { payee: row.payee_id } as never })}
            toolbar={
              <label className="inline-flex items-center gap-2 text-[0.93rem]">
                <input type="checkbox" className="size-4.5 accent-(--accent)" checked={all === "yes"} onChange={(event) => setAll(event.target.checked ? "yes" : undefined)} />
                with those that came out the same
              </label>
            }
            empty={<p className="px-4 py-8 text-center text-ink-2">All of these came out the same.</p>}
          />
        </div>
        <div className="flex flex-col gap-4">
          {bins.length > 0 ? (
            <Card title="How far it moved">
              <Histogram bins={bins} currency={currency} name="Differences in pay" />
            </Card>
          ) : null}
          <Causes causes={receipt.causes} />
        </div>
      </div>
      <Ledger receipt={receipt} />
    </div>
  );
}

/** What the later run added to the ledger. */
function Ledger({ receipt }: { receipt: Receipt }) {
  if (receipt.posted.length === 0) return null;
  return (
    <Card
      title="What it posted"
      aside={receipt.posted_count > receipt.posted.length ? `the ${count(receipt.posted.length, "largest amount")} of ${receipt.posted_count}` : count(receipt.posted_count, "amount")}
      flush
    >
      <DataTable
        label="Posted amounts"
        height={receipt.posted.length > 8 ? "20rem" : undefined}
        columns={[
          { id: "name", header: "Payee", value: (one) => one.name || one.payee_id, cell: (one) => <span className="whitespace-nowrap">{one.name || one.payee_id}</span> },
          { id: "period", header: "Period", value: (one) => one.period_id, cell: (one) => <span className="whitespace-nowrap">{showPeriod(one.period_id)}</span> },
          { id: "account", header: "Account", value: (one) => plain(one.account) },
          { id: "of", header: "Component", value: (one) => [one.plan_id, one.component_id].filter(Boolean).join("/") },
          { id: "revision", header: "Revision", align: "right", value: (one) => one.revision },
          { id: "amount", header: "Amount", align: "right", value: (one) => one.amount, cell: (one) => <Difference amount={one.amount} /> },
        ]}
        rows={receipt.posted}
        rowKey={(one) => [one.payee_id, one.period_id, one.plan_id, one.component_id, one.account, one.revision].join(" ")}
      />
    </Card>
  );
}

function Causes({ causes }: { causes: Cause[] }) {
  if (causes.length === 0) return null;
  const sorted = [...causes].sort((a, b) => a.kind.localeCompare(b.kind) || a.object.localeCompare(b.object));
  return (
    <Card title="What was different">
      <ul className="flex flex-col gap-2.5">
        {sorted.map((cause, at) => (
          <li key={at} className="flex flex-col">
            <span className="[overflow-wrap:anywhere]">
              <span className="text-ink-3">{plain(cause.kind)}</span> {cause.object}
            </span>
            {cause.before || cause.after ? (
              <span className="flex flex-wrap items-center gap-2 text-[0.87rem]">
                <State of={cause.before} />
                <Icon name="right" size={13} className="text-ink-3" />
                <span className="sr-only">became</span>
                <State of={cause.after} />
              </span>
            ) : null}
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** A digest, or how many rows there were. */
function State({ of: state }: { of: string | null }) {
  if (state === null) return <span className="text-ink-3">nothing</span>;
  return /^[0-9a-f]{16,}$/.test(state) ? <Digest of={state} /> : <span className="[overflow-wrap:anywhere]">{state}</span>;
}
