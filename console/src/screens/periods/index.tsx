// All periods with their states, and who brought each where it is.

import { Link } from "@tanstack/react-router";
import { useRead } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { PeriodStatus } from "@/api/settlement";
import type { Items } from "@/api/types";
import { lastDay } from "@/days";
import { StateBadge } from "@/parts/Badge";
import { Card } from "@/parts/Card";
import { Icon } from "@/parts/Icon";
import { Names, useNames } from "@/parts/Names";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { Empty, Reading } from "@/parts/states";
import { ago, showDay, showInstant, showPeriod } from "@/words";
import { inOrder, said } from "./steps";

export default function Periods() {
  return useMay()("see-runs") ? <PeriodsScreen /> : <Denied />;
}

function PeriodsScreen() {
  const session = useSession();
  const periods = useRead<Items<PeriodStatus>>("/periods", { parts: ["company", "runs"] });
  return (
    <Names>
      <Screen title="Periods" lead="Open, in review, approved, closed: an approved period is paid as it stands, and two people bring it there.">
        <Reading of={periods} isEmpty={(data) => data.items.length === 0} empty={<Empty icon="period" title="There is no calendar yet" next="Load a company; its calendar gives the periods." />}>
          {(data) => {
            const { current, closed, planned } = inOrder(data.items, session.today);
            return (
              <>
                <Group title="To be closed" periods={current} nothing="Every period so far is closed." />
                {closed.length > 0 ? <Group title="Closed" periods={closed} nothing="" /> : null}
                {planned.length > 0 ? <Group title="To come" periods={planned} nothing="" /> : null}
              </>
            );
          }}
        </Reading>
      </Screen>
    </Names>
  );
}

function Group({ title, periods, nothing }: { title: string; periods: PeriodStatus[]; nothing: string }) {
  const { nameOf } = useNames();
  return (
    <Card flush title={title}>
      {periods.length === 0 ? (
        <p className="px-5 pb-5 text-ink-2">{nothing}</p>
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {periods.map((period) => {
            const last = period.steps.at(-1);
            return (
              <li key={period.period_id}>
                <Link to="/periods/$id" params={{ id: period.period_id }} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5 hover:bg-sunken sm:px-5">
                  <span className="min-w-0 flex-1 basis-44">
                    <span className="block font-medium">{showPeriod(period.period_id)}</span>
                    <span className="block text-[0.83rem] text-ink-3">
                      {showDay(period.from, true)} to {showDay(lastDay(period.until))}
                    </span>
                  </span>
                  {last ? (
                    <span className="text-[0.87rem] text-ink-2" title={said(period.period_id, last) || undefined}>
                      {nameOf(last.actor)}, <time title={showInstant(last.recorded_at)}>{ago(last.recorded_at)}</time>
                    </span>
                  ) : null}
                  <StateBadge state={period.state} />
                  <Icon name="right" size={16} className="text-ink-3" />
                </Link>
              </li>
            );
          })}
        </ul>
      )}
    </Card>
  );
}
