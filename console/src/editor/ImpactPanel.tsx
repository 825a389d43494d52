// The impact of a text as it is typed: which period, whose pay is watched, and what it costs.

import { Suspense, lazy, useState } from "react";
import { useSession } from "@/api/session";
import type { Impact, Period } from "@/api/types";
import { Button } from "@/parts/Button";
import { Finder } from "@/parts/Finder";
import { usePeople } from "@/parts/People";
import { Failed, Loading } from "@/parts/states";
import { useChangeSearch, useAllSearch } from "@/url";
import { count, showPeriod } from "@/words";
import { ImpactView, type Largest, PayeeTable } from "./ImpactView";
import { type Asked, useImpact } from "./live";

const TracesDialog = lazy(() => import("./TracePair").then((found) => ({ default: found.TracesDialog })));

const ALL = "all";
const PINS_MAX = 10;

/** The period of the impact, from the address: one, or null for all. */
export function useImpactPeriod(): string | null {
  const session = useSession();
  const { period } = useAllSearch();
  return period === ALL ? null : (period ?? session.current_period);
}

export function ImpactPeriod() {
  const { periods } = useSession();
  const chosen = useImpactPeriod();
  const change = useChangeSearch();
  const years = new Map<string, Period[]>();
  for (const period of periods) years.set(period.year, [...(years.get(period.year) ?? []), period]);
  return (
    <select
      aria-label="Period of the impact"
      className="h-8 min-w-0 cursor-pointer rounded-control border border-line-strong bg-surface px-2 text-[0.87rem] font-medium text-ink"
      value={chosen ?? ALL}
      onChange={(event) => change({ period: event.target.value })}
    >
      <option value={ALL}>All periods</option>
      {[...years].map(([year, inYear]) => (
        <optgroup key={year} label={`Year ${year}`}>
          {inYear.map((period) => (
            <option key={period.period_id} value={period.period_id}>
              {showPeriod(period.period_id)}
            </option>
          ))}
        </optgroup>
      ))}
    </select>
  );
}

export function ImpactPanel({
  name,
  source,
  ok,
  pins: withPins = false,
  title = "Impact in money",
}: {
  name: string;
  source: string;
  /** Null while it is checked; only a text without errors is calculated. */
  ok: boolean | null;
  pins?: boolean;
  title?: string;
}) {
  const period = useImpactPeriod();
  const { pin } = useAllSearch();
  const change = useChangeSearch();
  const pins = withPins && pin ? pin.split(",").slice(0, PINS_MAX) : [];
  const whole = useImpact(name, source, period, null, ok === true);
  const pinned = useImpact(name, source, period, pins, ok === true && pins.length > 0);
  const [finding, setFinding] = useState(false);
  const [traced, setTraced] = useState<Largest | null>(null);
  const setPins = (next: string[]) => change({ pin: next.join(",") || undefined });
  const impact = whole.answer;
  return (
    <section className="card flex min-w-0 flex-col" aria-labelledby="impact-title">
      <header className="flex flex-wrap items-center gap-2 px-4 pt-3 pb-2 sm:px-5">
        <h2 id="impact-title" className="mr-auto font-semibold">
          {title}
        </h2>
        {withPins ? (
          <Button size="sm" look="quiet" icon="plus" disabled={pins.length >= PINS_MAX} onClick={() => setFinding(true)}>
            Pin a payee
          </Button>
        ) : null}
        <ImpactPeriod />
      </header>
      <div className="flex h-7 items-center px-4 text-[0.83rem] text-ink-3 sm:px-5">
        <Status asked={whole} ok={ok} />
      </div>
      <div className="min-h-[38rem] px-4 pt-2 pb-5 sm:px-5">
        {whole.error && !impact ? (
          <Failed error={whole.error} retry={whole.retry} />
        ) : impact ? (
          <ImpactView
            impact={impact}
            current={whole.current}
            onTraces={ok ? setTraced : undefined}
            pinned={
              pins.length > 0 && pinned.answer ? (
                <PayeeTable
                  title="Pinned"
                  currency={pinned.answer.currency}
                  onTraces={setTraced}
                  rows={pinned.answer.largest.filter((row) => pins.includes(row.payee_id)).map((row) => ({ ...row, gone: () => setPins(pins.filter((one) => one !== row.payee_id)) }))}
                  aside={<Unmoved pins={pins} impact={pinned.answer} onGone={(id) => setPins(pins.filter((one) => one !== id))} />}
                />
              ) : null
            }
          />
        ) : ok === false ? (
          <p className="flex min-h-60 items-center justify-center text-center text-ink-2">What it pays is calculated once the errors are mended.</p>
        ) : (
          <Loading lines={12} label="Calculating" />
        )}
      </div>
      <Suspense fallback={null}>
        {traced ? <TracesDialog formula={name} source={source} of={traced} period={period} currency={impact?.currency ?? null} onClose={() => setTraced(null)} /> : null}
      </Suspense>
      {finding ? (
        <PinFinder
          period={period}
          onOpenChange={setFinding}
          onPin={(id) => {
            if (!pins.includes(id)) setPins([...pins, id]);
          }}
        />
      ) : null}
    </section>
  );
}

function Status({ asked, ok }: { asked: Asked<Impact>; ok: boolean | null }) {
  const impact = asked.answer;
  const payees = impact ? impact.totals.gain_count + impact.totals.loss_count + impact.totals.same_count : 0;
  if (ok === false) return <span className="text-warn">{impact ? "Of the last text without errors" : "Waiting for a text without errors"}</span>;
  if (asked.error && impact) return <span className="text-bad">{asked.error.message}</span>;
  if (!asked.current) return <span>Calculating…</span>;
  return impact ? (
    <span role="status">
      {count(payees, "payee")} calculated in <strong className="num font-semibold text-ink-2" data-testid="impact-millis">{impact.millis} ms</strong>
      {impact.period ? ` · ${showPeriod(impact.period)}` : " · all periods"}
    </span>
  ) : null;
}

/** Pinned payees whose pay stays as it is are named, not listed. */
function Unmoved({ pins, impact, onGone }: { pins: string[]; impact: Impact; onGone: (id: string) => void }) {
  const still = pins.filter((id) => !impact.largest.some((row) => row.payee_id === id));
  if (still.length === 0) return null;
  return (
    <span className="text-[0.83rem] font-normal text-ink-3">
      unchanged:{" "}
      {still.map((id) => (
        <button key={id} type="button" title="Unpin" aria-label={`Unpin ${id}`} className="mr-1 rounded bg-sunken px-1.5 hover:text-ink" onClick={() => onGone(id)}>
          {id} ×
        </button>
      ))}
    </span>
  );
}

function PinFinder({ period, onOpenChange, onPin }: { period: string | null; onOpenChange: (open: boolean) => void; onPin: (id: string) => void }) {
  const session = useSession();
  const [asked, setAsked] = useState("");
  const { people, isPending } = usePeople(asked, period ?? session.current_period);
  return (
    <Finder
      open
      onOpenChange={onOpenChange}
      title="Pin a payee"
      placeholder="Whose pay to watch while you type"
      asked={asked}
      onAsk={setAsked}
      found={people.map((one) => ({ id: one.payee_id, group: "Payees", label: one.name, detail: `${one.title} · ${one.payee_id}`, icon: "account" as const, onChoose: () => onPin(one.payee_id) }))}
      nothing={isPending ? "Looking…" : "Nobody by that name."}
    />
  );
}
