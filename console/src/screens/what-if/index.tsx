// What a deal would pay: the real plan calculates with the chosen deals, while one types. The whole trial is in the address.

import { useQuery, keepPreviousData } from "@tanstack/react-query";
import { useEffect, useId, useMemo, useState } from "react";
import { api, path } from "@/api/client";
import { useRead } from "@/api/read";
import { periodOf, useCurrency, useMay, useSession } from "@/api/session";
import type { Items, Opportunity, Session, WhatIf as Result, WhatIfAsked } from "@/api/types";
import { ComponentBars } from "@/marks";
import { money, rate, sign, subtract, typed } from "@/money";
import { Badge } from "@/parts/Badge";
import { Button, IconButton, Spinner } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Difference, Money } from "@/parts/Money";
import { usePayeeName } from "@/parts/People";
import { PeriodSelector } from "@/parts/PeriodSelector";
import { Screen } from "@/parts/Screen";
import { ScopeSelector } from "@/parts/ScopeSelector";
import { toast } from "@/parts/Toast";
import { Empty, FormProblem, Loading, Reading } from "@/parts/states";
import { useChangeSearch, usePayeeId, usePeriod, useUrlState } from "@/url";
import { plain, showDay, showPeriod } from "@/words";
import { NOTHING, type Tried, asked, format, parse } from "./state";

const PAUSE_MS = 150;

export default function WhatIf() {
  const session = useSession();
  const may = useMay();
  const period = usePeriod();
  const payeeId = usePayeeId();
  const own = payeeId === session.payee_id;
  const name = usePayeeName(own ? null : payeeId, period);
  return (
    <Screen
      title="What if"
      lead={own ? "Choose deals and see what your plan would pay." : `Choose deals and see what the plan of ${name ?? payeeId ?? "a person"} would pay.`}
      selectors={
        <>
          {may("see-team-pay", "see-all-pay") ? <ScopeSelector team={false} /> : null}
          <PeriodSelector />
        </>
      }
    >
      {payeeId === null ? (
        <Empty icon="whatif" title="Whose plan?" next="Choose a person above." />
      ) : period === null ? (
        <Empty icon="schedule" title="Nothing is calculated yet" next="Deals can be tried out after the first calculation." />
      ) : (
        <Trial key={`${payeeId} ${period}`} payeeId={payeeId} period={period} />
      )}
    </Screen>
  );
}

/** The state of the trial: at once on the screen, a moment later in the address and at the server. */
function useTrial(): { tried: Tried; settled: WhatIfAsked; change: (next: Tried) => void } {
  const [text] = useUrlState("deals");
  const changeSearch = useChangeSearch();
  const [tried, setTried] = useState(() => parse(text));
  const [settled, setSettled] = useState(() => asked(tried));
  useEffect(() => {
    const timer = setTimeout(() => {
      setSettled(asked(tried));
      if (format(tried) !== text) changeSearch({ deals: format(tried) });
    }, PAUSE_MS);
    return () => clearTimeout(timer);
    // Only what is tried starts the clock; the address follows it.
  }, [tried]);
  return { tried, settled, change: setTried };
}

function Trial({ payeeId, period }: { payeeId: string; period: string }) {
  const session = useSession();
  const { tried, settled, change } = useTrial();
  const at = path`/payees/${payeeId}/periods/${period}/what-if`;
  const body = JSON.stringify(settled);
  const empty = settled.opportunities.length === 0 && settled.deals.length === 0;
  const result = useQuery<Result>({
    queryKey: [at, body],
    queryFn: ({ signal }) => api.post<Result>(at, settled, { signal }),
    placeholderData: keepPreviousData,
    meta: { parts: ["company", "runs"] },
  });
  const pipeline = useRead<Items<Opportunity>>(path`/payees/${payeeId}/pipeline`, { parts: ["company"] });
  const chosen = tried.opportunities.size + tried.deals.length;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[1fr_23rem]">
      <div className="flex min-w-0 flex-col gap-4">
        <Card
          title="A deal that is not in the pipeline"
          aside={
            <Button size="sm" icon="plus" onClick={() => change({ ...tried, deals: [...tried.deals, { amount: "", closeOn: likelyDay(session, period) }] })}>
              Add a deal
            </Button>
          }
        >
          {tried.deals.length === 0 ? (
            <p className="text-ink-2">Add one to see what any amount would pay.</p>
          ) : (
            <ul className="flex flex-col gap-2.5">
              {tried.deals.map((deal, index) => (
                <li key={index} className="flex flex-wrap items-end gap-2">
                  <AmountInput
                    label={`Amount of deal ${index + 1}`}
                    value={deal.amount}
                    autoFocus={deal.amount === ""}
                    onChange={(amount) => change({ ...tried, deals: tried.deals.map((each, other) => (other === index ? { ...each, amount } : each)) })}
                  />
                  <DayInput
                    label={`Day of deal ${index + 1}`}
                    value={deal.closeOn}
                    onChange={(closeOn) => change({ ...tried, deals: tried.deals.map((each, other) => (other === index ? { ...each, closeOn } : each)) })}
                  />
                  <IconButton icon="close" label={`Remove deal ${index + 1}`} onClick={() => change({ ...tried, deals: tried.deals.filter((_, other) => other !== index) })} />
                </li>
              ))}
            </ul>
          )}
        </Card>
        <Card flush title="Pipeline" aside={tried.opportunities.size > 0 ? `${tried.opportunities.size} chosen` : "open deals"}>
          <Reading
            of={pipeline}
            loading={
              <div className="p-5">
                <Loading />
              </div>
            }
            isEmpty={(data) => data.items.length === 0}
            empty={<Empty icon="whatif" title="No open deals" next="The pipeline holds none. Add a deal above to try an amount." />}
          >
            {(data) => <Pipeline opportunities={data.items} tried={tried} onChange={change} />}
          </Reading>
        </Card>
      </div>
      <div className="flex flex-col gap-4 lg:sticky lg:top-6">
        <Outcome result={result.data} error={result.error} busy={result.isFetching} empty={empty} />
        <div className="flex flex-wrap gap-2">
          <Button
            icon="link"
            disabled={chosen === 0}
            onClick={() => void navigator.clipboard?.writeText(window.location.href).then(() => toast("The link to this trial is copied."))}
          >
            Copy link
          </Button>
          <Button look="quiet" disabled={chosen === 0} onClick={() => change(NOTHING)}>
            Start over
          </Button>
        </div>
      </div>
      {result.data && !empty ? (
        <div
          className="fixed inset-x-0 bottom-14 flex items-center justify-between border-t border-line bg-surface px-4 py-2 lg:hidden"
          style={{ zIndex: "var(--z-sticky)" }}
          aria-hidden="true"
        >
          <span className="text-ink-2">These deals pay</span>
          <Difference amount={result.data.difference} className="text-lg font-semibold" />
        </div>
      ) : null}
    </div>
  );
}

/** Today where it is in the period, else the period's last day. */
function likelyDay(session: Session, periodId: string): string {
  const period = periodOf(session, periodId);
  if (!period || (session.today >= period.from && session.today < period.until)) return session.today;
  const last = new Date(`${period.until}T00:00:00Z`);
  last.setUTCDate(last.getUTCDate() - 1);
  return last.toISOString().slice(0, 10);
}

function AmountInput({ label, value, placeholder, disabled, autoFocus, onChange }: { label: string; value: string; placeholder?: string; disabled?: boolean; autoFocus?: boolean; onChange: (amount: string) => void }) {
  const [text, setText] = useState(value);
  const id = useId();
  // What came from outside (the address, “start over”) replaces the text; one's own typing does not.
  useEffect(() => setText((now) => ((typed(now) ?? "") === value ? now : value)), [value]);
  const wrong = text !== "" && typed(text) === null;
  return (
    <span className="inline-flex flex-col">
      <label htmlFor={id} className="sr-only">
        {label}
      </label>
      <input
        id={id}
        inputMode="decimal"
        autoComplete="off"
        className="input num !w-32 text-right"
        placeholder={placeholder ?? "Amount"}
        disabled={disabled}
        autoFocus={autoFocus}
        aria-invalid={wrong || undefined}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          onChange(typed(event.target.value) ?? "");
        }}
      />
    </span>
  );
}

function DayInput({ label, value, disabled, onChange }: { label: string; value: string; disabled?: boolean; onChange: (day: string) => void }) {
  return <input type="date" aria-label={label} className="input num !w-38" value={value} disabled={disabled} onChange={(event) => onChange(event.target.value)} />;
}

function Pipeline({ opportunities, tried, onChange }: { opportunities: Opportunity[]; tried: Tried; onChange: (next: Tried) => void }) {
  const sorted = useMemo(() => [...opportunities].sort((a, b) => (a.close_on ?? "9").localeCompare(b.close_on ?? "9")), [opportunities]);
  const set = (id: string, value: { amount: string; closeOn: string } | null) => {
    const next = new Map(tried.opportunities);
    if (value) next.set(id, value);
    else next.delete(id);
    onChange({ ...tried, opportunities: next });
  };
  return (
    <ul className="divide-y divide-line border-t border-line">
      {sorted.map((deal) => {
        const now = tried.opportunities.get(deal.opportunity_id);
        return (
          <li key={deal.opportunity_id} className={`flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-2.5 sm:px-5 ${now ? "bg-accent-soft/50" : ""}`}>
            <label className="flex min-w-0 flex-1 basis-52 cursor-pointer items-center gap-3">
              <input
                type="checkbox"
                className="size-4.5 shrink-0 accent-(--accent)"
                checked={now !== undefined}
                onChange={(event) => set(deal.opportunity_id, event.target.checked ? { amount: "", closeOn: "" } : null)}
              />
              <span className="min-w-0">
                <span className="block truncate font-medium">{deal.account ?? deal.opportunity_id}</span>
                <span className="block truncate text-[0.83rem] text-ink-3">
                  {[deal.opportunity_id, deal.product_id, plain(deal.stage)].filter(Boolean).join(" · ")}
                </span>
              </span>
            </label>
            {now ? (
              <span className="flex flex-wrap items-center gap-2 pl-7.5 sm:pl-0">
                <span className="text-[0.83rem] text-ink-3">{deal.currency}</span>
                <AmountInput
                  label={`Amount of ${deal.opportunity_id}`}
                  placeholder={deal.amount}
                  value={now.amount}
                  onChange={(amount) => set(deal.opportunity_id, { ...now, amount })}
                />
                <DayInput
                  label={`Close day of ${deal.opportunity_id}`}
                  value={now.closeOn || (deal.close_on ?? "")}
                  onChange={(closeOn) => set(deal.opportunity_id, { ...now, closeOn: closeOn === deal.close_on ? "" : closeOn })}
                />
              </span>
            ) : (
              <span className="flex items-baseline gap-4 pl-7.5 sm:pl-0">
                <span className="num text-[0.87rem] text-ink-3">{showDay(deal.close_on)}</span>
                <span className="num min-w-24 text-right">{money(deal.amount, deal.currency)}</span>
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

function Outcome({ result, error, busy, empty }: { result: Result | undefined; error: unknown; busy: boolean; empty: boolean }) {
  const currency = useCurrency();
  if (error)
    return (
      <Card title="What it pays">
        <FormProblem error={error} />
      </Card>
    );
  if (!result)
    return (
      <Card title="What it pays">
        <Loading lines={5} />
      </Card>
    );
  return (
    <Card
      title="What it pays"
      aside={
        <span className="inline-flex items-center gap-1.5">
          {busy ? <Spinner /> : null}
          {busy ? "calculating" : `calculated in ${result.millis} ms`}
        </span>
      }
    >
      <div aria-live="polite" aria-atomic="true">
        <p className="pt-1">
          {empty ? (
            <span className="text-[1.6rem] leading-tight font-semibold tracking-tight text-ink-3">no deal chosen</span>
          ) : (
            <Difference amount={result.difference} className="text-[1.9rem] leading-tight font-semibold tracking-tight" />
          )}
        </p>
        <p className="text-ink-2">
          <Money amount={result.before.earned} /> → <Money amount={result.after.earned} className="font-semibold text-ink" /> earned
        </p>
      </div>
      {result.marginal_rate ? (
        <p className="mt-2">
          From there every further one pays <strong className="num font-semibold">{rate(result.marginal_rate)}</strong>.
        </p>
      ) : null}
      {result.findings.length > 0 ? (
        <ul className="mt-3 flex flex-col gap-1.5">
          {result.findings.map((finding, at) => (
            <li key={at} className="rounded-control bg-warn-soft px-3 py-2 text-[0.9rem] text-warn">
              {finding.record ? `${finding.record}: ` : ""}
              {finding.message}
            </li>
          ))}
        </ul>
      ) : null}
      {result.periods.length > 0 ? (
        <table className="mt-4 w-full text-[0.9rem]">
          <caption className="pb-1 text-left text-[0.83rem] text-ink-3">By period</caption>
          <thead className="sr-only">
            <tr>
              <th scope="col">Period</th>
              <th scope="col">After</th>
              <th scope="col">Difference</th>
            </tr>
          </thead>
          <tbody>
            {result.periods.map((each) => (
              <tr key={each.period_id} className="border-t border-line">
                <th scope="row" className="py-1.5 text-left font-normal">
                  {showPeriod(each.period_id)}
                </th>
                <td className="num py-1.5 text-right">{money(each.after, currency)}</td>
                <td className="py-1.5 pl-3 text-right">
                  <Change before={each.before} after={each.after} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : null}
      {result.components.length > 0 ? (
        <div className="mt-3 border-t border-line pt-2">
          <ComponentBars
            name="By component, before and after"
            bars={result.components.map((each) => ({ component_id: `${each.plan_id}/${each.component_id}`, name: each.name, amount: each.after, before: each.before }))}
            currency={currency}
          />
        </div>
      ) : null}
      <p className="mt-2 text-[0.83rem] text-ink-3">
        <Badge>estimate</Badge> By the plan as it stands today; nothing is stored.
      </p>
    </Card>
  );
}

function Change({ before, after }: { before: string; after: string }) {
  const difference = subtract(after, before);
  return sign(difference) === 0 ? <span className="text-ink-3">–</span> : <Difference amount={difference} />;
}
