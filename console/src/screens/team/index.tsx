// A manager's team: attainment rolled up the tree, who is ahead and who is at risk. A click goes down the tree and the browser's back
// button comes up again.

import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { useRead } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Items, Payee, Team as TeamData, TeamMember } from "@/api/types";
import { AttainmentBullet, Distribution, Sparkline } from "@/marks";
import { compare, measure, percent } from "@/money";
import { AsOf, UpdatedMark, useJustUpdated } from "@/parts/AsOf";
import { Badge } from "@/parts/Badge";
import { Card } from "@/parts/Card";
import { Icon } from "@/parts/Icon";
import { Money } from "@/parts/Money";
import { PeriodSelector } from "@/parts/PeriodSelector";
import { Screen } from "@/parts/Screen";
import { Empty, LoadingCards, Reading } from "@/parts/states";
import { useAllSearch, useChangeSearch, usePeriod } from "@/url";
import { count } from "@/words";

const PARTS = ["company", "runs"] as const;
const BOARD_SHOWN = 10;

export default function Team() {
  const session = useSession();
  const may = useMay();
  const period = usePeriod();
  const { of } = useAllSearch();
  const top = useTop(session.payee_id, period);
  const shown = of ?? top;
  const team = useRead<TeamData>("/team", { query: { period, of: shown }, parts: PARTS, enabled: period !== null && shown !== null, keep: true });
  // The way down from the top, for the path above the figures.
  const whole = useRead<TeamData>("/team", { query: { period, of: top }, parts: PARTS, enabled: of !== undefined && of !== top && period !== null && top !== null, keep: true });
  const way = useMemo(() => wayTo((of && of !== top ? whole.data : team.data)?.tree ?? null, shown), [of, top, whole.data, team.data, shown]);
  const updated = useJustUpdated(team.data, `${shown} ${period}`);
  return (
    <Screen
      title={team.data && shown !== session.payee_id ? `Team of ${team.data.tree.name}` : "My team"}
      lead={
        team.data ? (
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <AsOf of={team.data.as_of} />
            <UpdatedMark shown={updated} />
          </div>
        ) : undefined
      }
      selectors={<PeriodSelector />}
    >
      {way.length > 1 ? <Way way={way} top={top} /> : null}
      {period === null ? (
        <Empty icon="schedule" title="Nothing is calculated yet" next="Your team's figures appear here after the first calculation." />
      ) : shown === null ? (
        <Empty icon="team" title="No team" next={may("see-all-pay") ? "The hierarchy names nobody whom others report to in this period." : "Your user is not linked to a payee."} />
      ) : (
        <Reading of={team} loading={<LoadingCards cards={6} />}>
          {(data) => <Content team={data} />}
        </Reading>
      )}
    </Screen>
  );
}

/** One's own place in the tree; for those who see everybody and are not in it, the head of the company. */
function useTop(own: string | null, period: string | null): string | null {
  const everybody = useRead<Items<Payee>>("/payees", { query: { period, limit: 1000 }, parts: PARTS, enabled: own === null && period !== null });
  return useMemo(() => {
    if (own !== null) return own;
    const reports = new Map<string, number>();
    for (const payee of everybody.data?.items ?? []) if (payee.reports_to) reports.set(payee.reports_to, (reports.get(payee.reports_to) ?? 0) + 1);
    const heads = (everybody.data?.items ?? []).filter((payee) => payee.reports_to === null && reports.has(payee.payee_id));
    heads.sort((a, b) => (reports.get(b.payee_id) ?? 0) - (reports.get(a.payee_id) ?? 0));
    return heads[0]?.payee_id ?? null;
  }, [own, everybody.data]);
}

function wayTo(tree: TeamMember | null, payeeId: string | null): TeamMember[] {
  if (!tree || !payeeId) return [];
  if (tree.payee_id === payeeId) return [tree];
  for (const report of tree.reports) {
    const below = wayTo(report, payeeId);
    if (below.length > 0) return [tree, ...below];
  }
  return [];
}

function Way({ way, top }: { way: TeamMember[]; top: string | null }) {
  const search = useAllSearch();
  return (
    <nav aria-label="Place in the hierarchy">
      <ol className="flex flex-wrap items-center gap-1.5 text-[0.93rem]">
        {way.map((member, at) => (
          <li key={member.payee_id} className="flex items-center gap-1.5">
            {at > 0 ? <Icon name="right" size={13} className="text-ink-3" /> : null}
            {at === way.length - 1 ? (
              <span aria-current="page" className="font-medium">
                {member.name}
              </span>
            ) : (
              <Link to="/team" search={{ ...search, of: member.payee_id === top ? undefined : member.payee_id } as never} className="link">
                {member.name}
              </Link>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function everybodyBelow(member: TeamMember): TeamMember[] {
  return member.reports.flatMap((report) => [report, ...everybodyBelow(report)]);
}

function Content({ team }: { team: TeamData }) {
  const { tree } = team;
  const below = useMemo(() => everybodyBelow(tree), [tree]);
  const names = new Map(below.map((member) => [member.payee_id, member]));
  const over = team.leaderboard.filter((line) => compare(line.attainment, "1") >= 0).length;
  return (
    <>
      <section aria-label="The team in figures" className="card grid grid-cols-3 gap-x-4 gap-y-4 p-4 sm:gap-x-6 sm:p-5 lg:grid-cols-[2fr_1fr_1fr_1fr]">
        <div className="col-span-3 lg:col-span-1">
          <p className="label">{tree.measure ?? "Attainment"}, year to date</p>
          {tree.attainment && tree.value && tree.quota ? (
            <>
              <p className="num text-[1.7rem] leading-tight font-semibold tracking-tight">{percent(tree.attainment)}</p>
              <AttainmentBullet attainment={tree.attainment} name={tree.measure ?? "Attainment"} />
              <p className="num text-[0.83rem] !whitespace-normal text-ink-3">
                {measure(tree.value)} of {measure(tree.quota)}
              </p>
            </>
          ) : (
            <p className="pt-1 text-ink-2">{tree.name} has no quota of her own.</p>
          )}
        </div>
        <Figure name="People" value={String(below.length)} hint={`${count(tree.reports.length, "direct report")}`} />
        <Figure name="At or over quota" value={String(over)} hint={`of ${team.leaderboard.length} with a quota`} />
        <Figure name="At risk" value={String(team.at_risk.length)} hint="under 80 % of quota" tone={team.at_risk.length > 0 ? "text-loss" : ""} />
      </section>
      {tree.reports.length === 0 ? (
        <Card>
          <Empty icon="team" title="Nobody reports here" next={`Nobody reports to ${tree.name} in this period.`} />
        </Card>
      ) : (
        <div className="grid items-start gap-4 xl:grid-cols-[1fr_21rem]">
          <div className="flex min-w-0 flex-col gap-4">
            <Reports team={team} />
            {team.at_risk.length > 0 ? (
              <Card title="At risk" aside="under 80 % of quota">
                <ul className="gap-x-8 sm:columns-2">
                  {team.at_risk.map((id) => {
                    const member = names.get(id);
                    return member ? (
                      <li key={id} className="flex break-inside-avoid items-baseline justify-between gap-3 py-0.5">
                        <PersonLink member={member} />
                        <span className="num text-loss">{member.attainment ? percent(member.attainment) : "–"}</span>
                      </li>
                    ) : null;
                  })}
                </ul>
              </Card>
            ) : null}
          </div>
          <div className="grid gap-4 sm:grid-cols-2 xl:grid-cols-1">
            <Card title="Attainment">
              <Distribution bins={team.distribution} name="Attainment of the team" />
            </Card>
            <Leaderboard team={team} />
          </div>
        </div>
      )}
    </>
  );
}

function Figure({ name, value, hint, tone = "" }: { name: string; value: string; hint: string; tone?: string }) {
  return (
    <div>
      <p className="label">{name}</p>
      <p className={`num text-[1.4rem] leading-tight font-semibold ${tone}`}>{value}</p>
      <p className="text-[0.8rem] text-ink-3">{hint}</p>
    </div>
  );
}

/** To her statement where one may see her pay, else just her name. */
function PersonLink({ member }: { member: TeamMember }) {
  const period = usePeriod();
  if (member.earned === null) return <span className="min-w-0 truncate">{member.name}</span>;
  return (
    <Link to="/statements/$period" params={{ period: period ?? "" }} search={{ payee: member.payee_id } as never} className="link min-w-0 truncate">
      {member.name}
    </Link>
  );
}

function Reports({ team }: { team: TeamData }) {
  const search = useAllSearch();
  const change = useChangeSearch();
  const rows = [...team.tree.reports].sort((a, b) => compare(b.attainment ?? "-1", a.attainment ?? "-1"));
  const max = rows[0]?.attainment ?? null;
  const head = "border-y border-line px-3 py-2 text-[0.83rem] font-medium whitespace-nowrap text-ink-3";
  return (
    <Card title="Reports" aside={rows.some((member) => member.reports.length > 0) ? "a name or bar goes down the tree" : undefined} flush>
      <table className="w-full text-[0.93rem]">
        <caption className="sr-only">Direct reports with their attainment</caption>
        <thead>
          <tr>
            <th scope="col" className={`${head} pl-4 text-left sm:pl-5`}>
              Person
            </th>
            <th scope="col" className={`${head} text-left`}>
              Of quota
            </th>
            <th scope="col" className={`${head} hidden text-left lg:table-cell`}>
              Trend
            </th>
            <th scope="col" className={`${head} hidden text-right md:table-cell`}>
              Earned
            </th>
            <th scope="col" className={`${head} pr-4`}>
              <span className="sr-only">Statement</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((member) => {
            const leads = member.reports.length > 0;
            return (
              <tr key={member.payee_id} className="hover:bg-sunken">
                <td className="border-b border-line px-3 py-2.5 pl-4 sm:pl-5">
                  {leads ? (
                    <Link to="/team" search={{ ...search, of: member.payee_id } as never} className="link font-medium">
                      {member.name}
                    </Link>
                  ) : (
                    <span className="font-medium">{member.name}</span>
                  )}
                  <p className="text-[0.83rem] text-ink-3">
                    {member.title ?? member.payee_id}
                    {leads ? ` · ${count(everybodyBelow(member).length, "person", "people")}` : ""}
                    {team.at_risk.includes(member.payee_id) ? (
                      <span className="pl-1.5">
                        <Badge tone="loss">at risk</Badge>
                      </span>
                    ) : null}
                  </p>
                </td>
                <td
                  className={`w-[34%] min-w-28 border-b border-line px-3 py-2.5 ${leads ? "cursor-pointer" : ""}`}
                  onClick={leads ? () => change({ of: member.payee_id }, true) : undefined}
                >
                  {member.attainment && member.value && member.quota ? (
                    <>
                      <AttainmentBullet attainment={member.attainment} name={member.name} slim max={max} />
                      <p className="num flex flex-wrap justify-between gap-x-2 text-[0.83rem]">
                        <span className="font-medium">{percent(member.attainment)}</span>
                        <span className="hidden text-ink-3 sm:inline">
                          {measure(member.value, true)} of {measure(member.quota, true)}
                        </span>
                      </p>
                    </>
                  ) : (
                    <span className="text-ink-3">no quota</span>
                  )}
                </td>
                <td className="hidden border-b border-line px-3 py-2.5 lg:table-cell">
                  <Sparkline values={team.spark[member.payee_id] ?? []} name={`Attainment of ${member.name} by period`} />
                </td>
                <td className="num hidden border-b border-line px-3 py-2.5 text-right md:table-cell">
                  <Money amount={member.earned} currency={team.currency} />
                </td>
                <td className="w-px border-b border-line px-2 py-2.5 pr-4">
                  {member.earned !== null ? (
                    <Link
                      to="/statements/$period"
                      params={{ period: team.period_id }}
                      search={{ payee: member.payee_id } as never}
                      aria-label={`Statement of ${member.name}`}
                      title="Statement"
                      className="inline-flex size-9 items-center justify-center rounded-control text-ink-2 hover:bg-surface hover:text-ink"
                    >
                      <Icon name="statement" />
                    </Link>
                  ) : null}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}

function Leaderboard({ team }: { team: TeamData }) {
  const [all, setAll] = useAllSwitch();
  const shown = all ? team.leaderboard : team.leaderboard.slice(0, BOARD_SHOWN);
  if (team.leaderboard.length === 0)
    return (
      <Card title="Leaderboard">
        <p className="text-ink-2">Nobody below has a quota in this period.</p>
      </Card>
    );
  return (
    <Card title="Leaderboard" aside="attainment, year to date">
      <ol className="flex flex-col">
        {shown.map((line) => (
          <li key={line.payee_id} className="flex items-center gap-2.5 border-b border-line/60 py-1.5 last:border-0">
            <span className="num w-6 text-right text-ink-3">{line.rank}</span>
            <span className="min-w-0 flex-1 truncate">{line.name}</span>
            <RankChange by={line.change} />
            <span className="num w-16 text-right font-medium">{percent(line.attainment)}</span>
          </li>
        ))}
      </ol>
      {team.leaderboard.length > BOARD_SHOWN ? (
        <button type="button" className="link mt-2" onClick={() => setAll(!all)}>
          {all ? "Only the first ten" : `All ${team.leaderboard.length}`}
        </button>
      ) : null}
    </Card>
  );
}

function useAllSwitch(): [boolean, (all: boolean) => void] {
  const { board } = useAllSearch();
  const change = useChangeSearch();
  return [board === "all", (all) => change({ board: all ? "all" : undefined })];
}

function RankChange({ by }: { by: number }) {
  if (by === 0) return <span className="w-9 text-center text-[0.8rem] text-ink-3">=</span>;
  const up = by > 0;
  return (
    <span className={`num inline-flex w-9 items-center justify-center gap-0.5 text-[0.8rem] ${up ? "text-gain" : "text-loss"}`}>
      <Icon name={up ? "up" : "down"} size={12} />
      <span className="sr-only">{up ? "up by" : "down by"}</span>
      {Math.abs(by)}
    </span>
  );
}
