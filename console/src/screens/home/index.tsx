// The seller's own page, phone first: what the next deal pays, what is earned and when it is paid, how the quota goes, what changed.

import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { api, path } from "@/api/client";
import { useRead } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Home as HomeData, PayChange, RecentCredit } from "@/api/types";
import { AttainmentBullet, ComponentBars, MonthBars, PayCurve } from "@/marks";
import { compare, measure, percent, rate, sign } from "@/money";
import { AsOf, UpdatedMark, useJustUpdated } from "@/parts/AsOf";
import { ButtonLink } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Icon } from "@/parts/Icon";
import { Difference, Money } from "@/parts/Money";
import { PeriodSelector } from "@/parts/PeriodSelector";
import { Screen } from "@/parts/Screen";
import { ScopeSelector } from "@/parts/ScopeSelector";
import { Empty, LoadingCards, Reading } from "@/parts/states";
import { useChangeSearch, usePayeeId, usePeriod } from "@/url";
import { ago, plain, showDay, showPeriod } from "@/words";

export default function Home() {
  const session = useSession();
  const may = useMay();
  const period = usePeriod();
  const payeeId = usePayeeId();
  const own = payeeId === session.payee_id;
  const home = useRead<HomeData>(path`/payees/${payeeId ?? ""}/periods/${period ?? ""}/home`, {
    parts: ["company", "runs"],
    enabled: payeeId !== null && period !== null,
  });
  const updated = useJustUpdated(home.data, `${payeeId} ${period}`);
  useVisit(own && home.data !== undefined);
  const others = may("see-team-pay", "see-all-pay");
  return (
    <Screen
      title={own ? "My earnings" : (home.data?.payee.name ?? "Earnings")}
      lead={home.data ? <Lead home={home.data} updated={updated} /> : undefined}
      selectors={
        <>
          {others ? <ScopeSelector /> : null}
          <PeriodSelector />
        </>
      }
    >
      {payeeId === null ? (
        <Empty
          icon="account"
          title="Nobody to show"
          next={others ? "Choose a person above." : "Your user is not linked to a payee yet. Ask the person who manages users to link it."}
        />
      ) : period === null ? (
        <Empty icon="schedule" title="Nothing is calculated yet" next="Your earnings appear here after the first calculation." />
      ) : (
        <Reading of={home} loading={<LoadingCards cards={6} />}>
          {(data) => <Content key={`${payeeId} ${period}`} home={data} />}
        </Reading>
      )}
    </Screen>
  );
}

/** Tells the server that she has seen it, once it was really shown. */
function useVisit(shown: boolean): void {
  const told = useRef(false);
  useEffect(() => {
    if (!shown || told.current) return;
    const timer = setTimeout(() => {
      if (document.visibilityState !== "visible") return;
      told.current = true;
      // Not being able to say so only means that the same changes are shown again.
      void api.post("/visits").catch(() => undefined);
    }, 2_000);
    return () => clearTimeout(timer);
  }, [shown]);
}

function Lead({ home, updated }: { home: HomeData; updated: boolean }) {
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <AsOf of={home.as_of} />
      <UpdatedMark shown={updated} />
    </div>
  );
}

function Content({ home }: { home: HomeData }) {
  const { currency } = home;
  const change = useChangeSearch();
  const changes = useChangesOfThisVisit(home);
  const carried = usePayeeSearch();
  const measured = home.curve ? (home.quotas.find((quota) => quota.measure_id === home.curve?.measure_id)?.name ?? plain(home.curve.measure_id)) : "";
  return (
    <>
      {home.sentence ? (
        <section aria-label="What the next deal pays" className="flex flex-wrap items-center justify-between gap-4 rounded-card bg-accent-soft px-5 py-4 sm:px-6 sm:py-5">
          <p className="max-w-[46ch] text-[1.2rem] leading-snug font-medium text-balance sm:text-[1.35rem]">{home.sentence}</p>
          <ButtonLink look="primary" icon="whatif" to="/what-if" search={carried as never}>
            Try a deal
          </ButtonLink>
        </section>
      ) : null}
      <Buckets home={home} />
      <div className="grid gap-4 lg:grid-cols-5">
        <Card title="Quota" aside="year to date" className="lg:col-span-2">
          <Quotas home={home} />
        </Card>
        <Card title="What the year pays" aside={measured} className="lg:col-span-3">
          {home.curve ? (
            <PayCurve curve={home.curve} currency={currency} measure={measured.toLowerCase()} />
          ) : (
            <p className="py-6 text-ink-2">No component of your plan depends on a quota in this period.</p>
          )}
        </Card>
        <Card title="Earned by month" className="lg:col-span-3">
          <MonthBars months={home.months} current={home.period_id} currency={currency} onChoose={(period) => change({ period }, true)} legend={<ToDate home={home} />} />
        </Card>
        <Card title="Where it comes from" className="lg:col-span-2">
          {home.components.length > 0 ? (
            <ComponentBars bars={home.components.map((each) => ({ component_id: `${each.plan_id}/${each.component_id}`, name: each.name, amount: each.earned }))} currency={currency} legend={showPeriod(home.period_id)} />
          ) : (
            <p className="py-6 text-ink-2">Nothing was earned in this period.</p>
          )}
        </Card>
        <Card title="Recent credits" className="lg:col-span-3" flush>
          <Credits credits={home.recent_credits} />
        </Card>
        <Card title="What changed" aside={changes.since ? `since your visit ${ago(changes.since)}` : undefined} className="self-start lg:col-span-2">
          <Changes items={changes.items} since={changes.since} />
        </Card>
      </div>
    </>
  );
}

function usePayeeSearch(): { period?: string; payee?: string } {
  const session = useSession();
  const payee = usePayeeId();
  const period = usePeriod();
  return { ...(period ? { period } : {}), ...(payee && payee !== session.payee_id ? { payee } : {}) };
}

function Buckets({ home }: { home: HomeData }) {
  const carried = usePayeeSearch();
  const { buckets } = home;
  return (
    <section aria-label="Your money" className="card grid grid-cols-2 overflow-hidden lg:grid-cols-4">
      <Bucket name="Earned" hint={`in ${showPeriod(home.period_id)}`} strong>
        <Link to="/statements/$period" params={{ period: home.period_id }} search={carried as never} className="hover:text-accent">
          <Money amount={buckets.earned} />
        </Link>
      </Bucket>
      <Bucket name="Held" hint={sign(buckets.held) === 0 ? "nothing waits" : "waits for its release"}>
        <Money amount={buckets.held} />
      </Bucket>
      <Bucket name="Payable" hint={sign(buckets.carried) === 0 ? "next payday" : "next payday, after what is carried"}>
        <Money amount={buckets.payable} />
      </Bucket>
      <Bucket name="Paid" hint="earlier this year">
        <Money amount={buckets.paid} />
      </Bucket>
      {sign(buckets.carried) !== 0 ? (
        <p className="col-span-full border-t border-line px-5 py-2 text-[0.87rem] text-ink-2">
          <Money amount={buckets.carried} /> is carried into the next period.
        </p>
      ) : null}
    </section>
  );
}

function Bucket({ name, hint, strong, children }: { name: string; hint: string; strong?: boolean; children: ReactNode }) {
  return (
    <div className="-mt-px -ml-px border-t border-l border-line px-4 py-3.5 sm:px-5">
      <p className="label">{name}</p>
      <p className={`num pt-0.5 leading-tight font-semibold tracking-tight ${strong ? "text-[1.3rem] sm:text-[1.7rem]" : "text-[1.15rem] sm:text-[1.4rem]"}`}>{children}</p>
      <p className="pt-0.5 text-[0.8rem] text-ink-3">{hint}</p>
    </div>
  );
}

function Quotas({ home }: { home: HomeData }) {
  if (home.quotas.length === 0) return <p className="py-6 text-ink-2">You have no quota in this period.</p>;
  return (
    <ul className="flex flex-col gap-5">
      {home.quotas.map((quota) => {
        const behind = compare(quota.attainment, quota.pace) < 0;
        return (
          <li key={quota.measure_id} className="flex flex-col gap-1">
            <div className="flex items-baseline justify-between gap-3">
              <span className="min-w-0 font-medium">{quota.name}</span>
              <span className="num text-[1.3rem] leading-none font-semibold">{percent(quota.attainment)}</span>
            </div>
            <AttainmentBullet attainment={quota.attainment} pace={quota.pace} name={quota.name} />
            <div className="flex flex-wrap justify-between gap-x-3 text-[0.83rem] text-ink-3">
              <span className="num !whitespace-normal">
                {measure(quota.value)} of {measure(quota.quota)}
              </span>
              <span>
                {behind ? "behind" : "ahead of"} the pace of {percent(quota.pace, 0)}
              </span>
            </div>
          </li>
        );
      })}
      {home.curve ? (
        <li className="grid grid-cols-2 gap-3 border-t border-line pt-4">
          <Fact name="Pays now" value={rate(home.curve.here.rate)} hint="of each further one" />
          {home.curve.next ? (
            <Fact name="Next rate" value={rate(home.curve.next.rate)} hint={`in ${measure(home.curve.next.distance)} more`} />
          ) : (
            <Fact name="Next rate" value="–" hint="you are at the last one" />
          )}
        </li>
      ) : null}
    </ul>
  );
}

function Fact({ name, value, hint }: { name: string; value: string; hint: string }) {
  return (
    <div>
      <p className="label">{name}</p>
      <p className="num text-[1.2rem] leading-tight font-semibold">{value}</p>
      <p className="num text-[0.8rem] !whitespace-normal text-ink-3">{hint}</p>
    </div>
  );
}

function ToDate({ home }: { home: HomeData }) {
  return (
    <span className="flex flex-wrap gap-x-4">
      <span>
        quarter <Money amount={home.to_date.quarter} className="font-medium text-ink" />
      </span>
      <span>
        year <Money amount={home.to_date.year} className="font-medium text-ink" />
      </span>
    </span>
  );
}

function Credits({ credits }: { credits: RecentCredit[] }) {
  const carried = usePayeeSearch();
  if (credits.length === 0) return <p className="px-5 pt-2 pb-6 text-ink-2">No deal was credited to you yet in this period.</p>;
  return (
    <ul className="divide-y divide-line border-t border-line">
      {credits.map((credit, at) => (
        <li key={`${credit.transaction_id} ${at}`}>
          <Link
            to="/statements/$period"
            params={{ period: credit.period_id }}
            search={{ ...carried, period: undefined } as never}
            className="flex items-center gap-3 px-4 py-2.5 hover:bg-sunken sm:px-5"
          >
            <span className="min-w-0 flex-1">
              <span className="block truncate font-medium">{credit.account ?? credit.transaction_id}</span>
              <span className="block truncate text-[0.83rem] text-ink-3">
                {credit.transaction_id} · {showDay(credit.on)} · {plain(credit.kind)}
                {credit.rule !== credit.kind ? ` by rule ${credit.rule}` : ""}
              </span>
            </span>
            <span className={`num font-medium ${sign(credit.amount) < 0 ? "text-loss" : ""}`}>{measure(credit.amount)}</span>
            <Icon name="right" size={15} className="text-ink-3" />
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** What had changed when the page was opened, and what changed while it is open: telling the server of the visit must not empty it. */
function useChangesOfThisVisit(home: HomeData): { since: string | null; items: PayChange[] } {
  const [first] = useState(home.changes);
  const known = new Map<string, PayChange>();
  for (const item of [...first.items, ...home.changes.items]) known.set(`${item.period_id} ${item.component_id}`, item);
  return { since: first.since, items: [...known.values()] };
}

function Changes({ items, since }: { items: PayChange[]; since: string | null }) {
  const session = useSession();
  if (items.length === 0) return <p className="py-3 text-ink-2">{since ? "Your pay is as you last saw it." : "From your next visit on, you see here what moved in between and why."}</p>;
  return (
    <ul className="flex flex-col gap-3">
      {items.map((item) => (
        <li key={`${item.period_id} ${item.component_id}`} className="flex items-start justify-between gap-3">
          <div className="min-w-0">
            <p>{item.reason}</p>
            <p className="text-[0.83rem] text-ink-3">
              {showPeriod(item.period_id)}
              {item.name ? ` · ${item.name}` : ""} · <Money amount={item.before} /> → <Money amount={item.after} />
            </p>
          </div>
          <Difference amount={item.difference} currency={session.company?.currency} className="font-semibold" />
        </li>
      ))}
    </ul>
  );
}
