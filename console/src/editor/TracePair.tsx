// One payee's explanation before and after, step beside step, opened where something changed.

import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import { api, path } from "@/api/client";
import { useSession } from "@/api/session";
import type { TraceNode, TracePair as Traces } from "@/api/types";
import { Badge } from "@/parts/Badge";
import { Dialog } from "@/parts/Dialog";
import { Icon } from "@/parts/Icon";
import { PeriodSelector } from "@/parts/PeriodSelector";
import { Reading } from "@/parts/states";
import { Difference, Money } from "@/parts/Money";
import { count, plain, showPeriod } from "@/words";
import type { Decimal } from "@/money";
import { type Pair, align, leading, shownRows } from "./traces";
import { within } from "./lines";

export interface TracesOf {
  payee_id: string;
  name: string;
  before?: Decimal;
  after?: Decimal;
  difference?: Decimal;
}

export function TracesDialog({
  formula,
  source,
  of,
  period,
  currency,
  onClose,
}: {
  formula: string;
  source: string;
  of: TracesOf | null;
  /** Null where the impact is over all periods: one is chosen here. */
  period: string | null;
  currency: string | null;
  onClose: () => void;
}) {
  return (
    <Dialog
      open={of !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      width="lg"
      title={of ? `${of.name}: before and after` : ""}
      description="Every step of the pay by the active text at the left, by this text at the right. Steps that differ are marked."
    >
      {of ? <Asked key={of.payee_id} formula={formula} source={source} of={of} period={period} currency={currency} /> : null}
    </Dialog>
  );
}

function Asked({ formula, source, of, period, currency }: { formula: string; source: string; of: TracesOf; period: string | null; currency: string | null }) {
  const session = useSession();
  const [chosen, setChosen] = useState(period ?? session.current_period);
  const traces = useQuery({
    queryKey: ["formula-traces", formula, source, of.payee_id, chosen] as const,
    queryFn: ({ signal }) => api.post<Traces>(path`/formulas/${formula}/traces`, { source, payee_id: of.payee_id, period: chosen }, { signal }),
    enabled: chosen !== null,
    meta: { parts: ["company", "runs", "extensions"] },
  });
  return (
    <div className="flex min-h-[50vh] flex-col gap-3">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <PeriodSelector value={chosen} onChange={setChosen} />
        {of.difference !== undefined ? (
          <p className="text-[0.93rem] text-ink-2">
            {period ? showPeriod(period) : "All periods"}: <Money amount={of.before} currency={currency} /> → <Money amount={of.after} currency={currency} className="font-medium text-ink" />{" "}
            (<Difference amount={of.difference} currency={currency} className="font-medium" />)
          </p>
        ) : null}
      </div>
      <Reading of={traces}>{(found) => <TracePairView key={chosen} before={found.before} after={found.after} />}</Reading>
    </div>
  );
}

const MARKS: Record<Pair["kind"], { text: string; tone: "warn" | "gain" | "loss" } | null> = {
  same: null,
  changed: { text: "changed", tone: "warn" },
  gone: { text: "gone", tone: "loss" },
  new: { text: "new", tone: "gain" },
};

export function TracePairView({ before, after }: { before: TraceNode | null; after: TraceNode | null }) {
  const [pair] = useState(() => align(before, after));
  const [open, setOpen] = useState(() => leading(pair));
  const [onlyChanges, setOnlyChanges] = useState(false);
  const shown = shownRows(pair, open).filter((row) => !onlyChanges || row.kind !== "same" || row.changesBelow > 0);
  const changes = pair.changesBelow + (pair.kind === "same" ? 0 : 1);
  const toggle = (id: string) => {
    const next = new Set(open);
    if (next.has(id)) next.delete(id);
    else next.add(id);
    setOpen(next);
  };
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center justify-between gap-2 text-[0.87rem] text-ink-2">
        <span role="status">{changes === 0 ? "No step differs." : `${count(changes, "step differs", "steps differ")}.`}</span>
        <label className="inline-flex items-center gap-2">
          <input type="checkbox" className="size-4 accent-(--accent)" checked={onlyChanges} onChange={(event) => setOnlyChanges(event.target.checked)} />
          Only what changed
        </label>
      </div>
      <div className="overflow-x-auto rounded-control border border-line">
        <table className="w-full border-separate border-spacing-0 text-[0.9rem] max-sm:block">
          <caption className="sr-only">Steps of the pay before and after</caption>
          <thead className="max-sm:sr-only">
            <tr>
              <th scope="col" className="w-1/2 border-b border-line px-3 py-1.5 text-left font-medium text-ink-3">
                Before: the active text
              </th>
              <th scope="col" className="w-1/2 border-b border-l border-line px-3 py-1.5 text-left font-medium text-ink-3">
                After: this text
              </th>
            </tr>
          </thead>
          <tbody className="max-sm:block">
            {shown.map((row) => (
              <tr key={row.id} className="max-sm:block max-sm:border-b max-sm:border-line">
                <Side row={row} side="before" isOpen={open.has(row.id)} onToggle={toggle} />
                <Side row={row} side="after" isOpen={open.has(row.id)} onToggle={toggle} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function Side({ row, side, isOpen, onToggle }: { row: Pair; side: "before" | "after"; isOpen: boolean; onToggle: (id: string) => void }) {
  const node = row[side];
  const other = side === "before" ? row.after : row.before;
  const mark = MARKS[row.kind];
  const tint = row.kind === "same" ? "" : node === null ? "bg-sunken/50" : side === "before" ? "bg-loss-soft/70" : "bg-gain-soft/70";
  const parts = node && other && row.kind === "changed" ? within(row.before?.text ?? "", row.after?.text ?? "")[side === "before" ? 0 : 1] : null;
  return (
    <td
      className={`border-b border-line/60 py-1.5 pr-2 align-top max-sm:block ${side === "after" ? "sm:border-l sm:border-line" : ""} ${tint} ${node === null ? "max-sm:hidden" : ""} ${row.kind === "same" && side === "after" ? "max-sm:hidden" : ""}`}
      style={{ paddingLeft: `${0.5 + (row.level - 1) * 1.1}rem` }}
    >
      {node ? (
        <div className="flex items-start gap-1.5">
          {row.children.length > 0 ? (
            <button
              type="button"
              aria-expanded={isOpen}
              aria-label={`${isOpen ? "Close" : "Open"} ${node.step} (${side})`}
              onClick={() => onToggle(row.id)}
              className="mt-0.5 rounded text-ink-3 hover:text-ink"
            >
              <Icon name="right" size={15} className={`transition-transform ${isOpen ? "rotate-90" : ""}`} />
            </button>
          ) : (
            <span className="w-[15px] shrink-0" />
          )}
          <div className="min-w-0 flex-1">
            <span className="flex flex-wrap items-center gap-2 text-[0.78rem] text-ink-3">
              {plain(node.step, true)}
              {mark && (side === "after" || row.kind === "gone") ? <Badge tone={mark.tone}>{mark.text}</Badge> : null}
              {!isOpen && row.changesBelow > 0 && side === "after" ? <span>{count(row.changesBelow, "change")} under it</span> : null}
            </span>
            <p className={`leading-snug [overflow-wrap:anywhere] ${row.kind === "same" ? "text-ink-2" : ""}`}>
              {parts ? (
                <>
                  {parts[0]}
                  {parts[1] ? <strong className="font-semibold">{parts[1]}</strong> : null}
                  {parts[2]}
                </>
              ) : (
                node.text
              )}
            </p>
          </div>
        </div>
      ) : (
        <span className="text-[0.83rem] text-ink-3">–</span>
      )}
    </td>
  );
}
