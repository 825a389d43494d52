// All statements of one payee, the newest first.

import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { path } from "@/api/client";
import { useRead } from "@/api/read";
import { useCurrency, useMay, useSession } from "@/api/session";
import type { Items, StatementSummary } from "@/api/types";
import { MonthBars } from "@/marks";
import { StateBadge } from "@/parts/Badge";
import { Card } from "@/parts/Card";
import { type Column, DataTable } from "@/parts/DataTable";
import { Money } from "@/parts/Money";
import { usePayeeName } from "@/parts/People";
import { Screen } from "@/parts/Screen";
import { ScopeSelector } from "@/parts/ScopeSelector";
import { Empty, Reading } from "@/parts/states";
import { useAllSearch, usePayeeId } from "@/url";
import { showPeriod } from "@/words";

const MONTHS_SHOWN = 12;

const COLUMNS: Column<StatementSummary>[] = [
  { id: "period", header: "Period", value: (row) => row.period_id, cell: (row) => <span className="font-medium whitespace-nowrap">{showPeriod(row.period_id)}</span> },
  { id: "state", header: "State", wideOnly: true, value: (row) => row.state, cell: (row) => <StateBadge state={row.state} /> },
  { id: "earned", header: "Earned", align: "right", value: (row) => row.earned, cell: (row) => <Money amount={row.earned} /> },
  { id: "held", header: "Held", align: "right", wideOnly: true, value: (row) => row.held, cell: (row) => <Money amount={row.held} /> },
  { id: "carried", header: "Carried", align: "right", wideOnly: true, value: (row) => row.carried, cell: (row) => <Money amount={row.carried} /> },
  { id: "paid", header: "Paid", align: "right", value: (row) => row.paid, cell: (row) => <Money amount={row.paid} className="font-semibold" /> },
];

export default function Statements() {
  const session = useSession();
  const may = useMay();
  const currency = useCurrency();
  const navigate = useNavigate();
  const payeeId = usePayeeId();
  const { payee } = useAllSearch();
  const own = payeeId === session.payee_id;
  const name = usePayeeName(own ? null : payeeId, session.current_period);
  const statements = useRead<Items<StatementSummary>>(path`/payees/${payeeId ?? ""}/statements`, {
    parts: ["company", "runs"],
    enabled: payeeId !== null,
  });
  const rows = useMemo(() => [...(statements.data?.items ?? [])].sort((a, b) => b.period_id.localeCompare(a.period_id)), [statements.data]);
  const open = (period: string) => void navigate({ to: "/statements/$period", params: { period }, search: { payee } as never });
  return (
    <Screen title={own ? "My statements" : name ? `Statements of ${name}` : "Statements"} selectors={may("see-team-pay", "see-all-pay") ? <ScopeSelector /> : undefined}>
      {payeeId === null ? (
        <Empty icon="users" title="Whose statements?" next="Choose a person above." />
      ) : (
        <Reading
          of={statements}
          isEmpty={(data) => data.items.length === 0}
          empty={<Empty icon="statement" title="No statements yet" next="They appear after the first calculation of a period." />}
        >
          {() => (
            <>
              <Card title="Earned by month">
                <MonthBars
                  months={rows
                    .slice(0, MONTHS_SHOWN)
                    .reverse()
                    .map((row) => ({ period_id: row.period_id, earned: row.earned }))}
                  current={rows[0]?.period_id}
                  currency={currency}
                  onChoose={open}
                  legend={`the last ${Math.min(MONTHS_SHOWN, rows.length)} periods`}
                />
              </Card>
              <Card flush>
                <DataTable label="Statements" columns={COLUMNS} rows={rows} rowKey={(row) => row.period_id} onRow={(row) => open(row.period_id)} />
              </Card>
            </>
          )}
        </Reading>
      )}
    </Screen>
  );
}
