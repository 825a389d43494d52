// What finance books for a period: costs to obtain contracts that are spread over time, what is accrued, and both as journal lines.

import { download } from "@/api/client";
import { useRead } from "@/api/read";
import { useMay } from "@/api/session";
import type { AccrualLine, AccrualsView, AmortizationView, ContractLine, JournalLine, RollForward } from "@/api/settlement";
import { sum } from "@/money";
import { DownloadLink } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { type Column, DataTable } from "@/parts/DataTable";
import { Money } from "@/parts/Money";
import { PeriodSelector } from "@/parts/PeriodSelector";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { Tabs } from "@/parts/Tabs";
import { Empty, Reading } from "@/parts/states";
import { usePeriod, useUrlState } from "@/url";
import { shortDigest, showDay, showPeriod } from "@/words";

const PARTS = ["company", "runs"] as const;
const SHOWN_MAX = 1000;

export default function Accounting() {
  return useMay()("see-all-pay") ? <AccountingScreen /> : <Denied />;
}

function AccountingScreen() {
  const period = usePeriod();
  const [tab, setTab] = useUrlState("tab");
  return (
    <Screen title="Accounting" lead="An approved period stays as it was booked; what would be otherwise now is the correction of the next one." wide selectors={<PeriodSelector />}>
      {period === null ? (
        <Empty icon="book" title="Nothing is calculated yet" next="Accruals and amortisation appear after the first run." />
      ) : (
        <Tabs
          label="What is booked"
          value={tab ?? "amortization"}
          onChange={(next) => setTab(next === "amortization" ? undefined : next)}
          tabs={[
            { value: "amortization", label: "Amortisation", content: <Amortization period={period} /> },
            { value: "accruals", label: "Accruals", content: <Accruals period={period} /> },
            { value: "journal", label: "Journal", content: <Journal period={period} /> },
          ]}
        />
      )}
    </Screen>
  );
}

function Head({ of, file }: { of: { period_id: string; run_id: string }; file: string }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-2">
      <p className="text-[0.9rem] text-ink-3">
        {showPeriod(of.period_id)} by run <span className="font-mono text-[0.95em]">{shortDigest(of.run_id)}</span>
      </p>
      <span className="flex flex-wrap gap-x-4">
        <DownloadLink href={download(`/accounting/${file}.csv`, { period: of.period_id })}>CSV</DownloadLink>
        <DownloadLink href={download("/accounting/workbook.xlsx", { period: of.period_id })}>All as XLSX</DownloadLink>
      </span>
    </div>
  );
}

const STEPS: { name: keyof RollForward; label: string; sign: string }[] = [
  { name: "opening", label: "Opening", sign: "" },
  { name: "correction", label: "Correction", sign: "+" },
  { name: "addition", label: "Capitalised", sign: "+" },
  { name: "amortized", label: "Amortised", sign: "−" },
  { name: "impaired", label: "Impaired", sign: "−" },
  { name: "closing", label: "Closing", sign: "=" },
];

function Sum({ terms, currency }: { terms: { label: string; sign: string; amount: string }[]; currency: string }) {
  return (
    <section aria-label="Totals" className="card flex flex-wrap gap-x-1 gap-y-3 p-4 sm:px-5">
      {terms.map((term) => (
        <div key={term.label} className="flex items-end gap-2 pr-3">
          {term.sign ? (
            <span className="pb-0.5 text-xl text-ink-3" role="img" aria-label={{ "+": "plus", "−": "minus", "=": "is" }[term.sign] ?? term.sign}>
              {term.sign}
            </span>
          ) : null}
          <div>
            <p className="label">{term.label}</p>
            <Money amount={term.amount} currency={currency} className={term.sign === "=" ? "text-[1.3rem] font-semibold" : "text-[1.1rem] font-medium"} />
          </div>
        </div>
      ))}
    </section>
  );
}

function Amortization({ period }: { period: string }) {
  const found = useRead<AmortizationView>("/accounting/amortization", { query: { period, limit: SHOWN_MAX }, parts: PARTS, keep: true });
  return (
    <Reading of={found}>
      {(data) => {
        const columns: Column<ContractLine>[] = [
          { id: "contract_id", header: "Contract", value: (row) => row.contract_id, cell: (row) => <span className="font-medium">{row.contract_id}</span> },
          ...STEPS.map((step) => ({
            id: step.name,
            header: step.label,
            align: "right" as const,
            wideOnly: step.name !== "closing",
            value: (row: ContractLine) => row[step.name],
            cell: (row: ContractLine) => <Money amount={row[step.name]} currency={data.currency} className={step.name === "closing" ? "font-semibold" : ""} />,
          })),
        ];
        return (
          <div className="flex flex-col gap-4">
            <Head of={data} file="amortization" />
            <Sum currency={data.currency} terms={STEPS.map((step) => ({ label: step.label, sign: step.sign, amount: data.totals[step.name] }))} />
            {data.contracts.items.length === 0 ? (
              <div className="card">
                <Empty icon="book" title="No costs are capitalised" next="Contracts whose commissions are spread over time come with the entity `contracts` and the company's settings." />
              </div>
            ) : (
              <div className="card min-w-0 overflow-hidden">
                <DataTable label="Contracts" columns={columns} rows={data.contracts.items} rowKey={(row) => row.contract_id} filterable />
                {data.contracts.next_cursor ? <p className="px-4 py-3 text-center text-ink-3">The first {SHOWN_MAX} are shown; the file has all of them.</p> : null}
              </div>
            )}
            <Booked lines={data.journal} currency={data.currency} />
          </div>
        );
      }}
    </Reading>
  );
}

function Accruals({ period }: { period: string }) {
  const found = useRead<AccrualsView>("/accounting/accruals", { query: { period, limit: SHOWN_MAX }, parts: PARTS, keep: true });
  return (
    <Reading of={found}>
      {(data) => {
        const amount = (id: keyof AccrualsView["totals"], header: string, wideOnly: boolean): Column<AccrualLine> => ({
          id,
          header,
          align: "right",
          wideOnly,
          value: (row) => row[id],
          cell: (row) => <Money amount={row[id]} currency={data.currency} className={id === "expected" ? "font-semibold" : ""} />,
        });
        const columns: Column<AccrualLine>[] = [
          { id: "payee_id", header: "Payee", value: (row) => row.payee_id, cell: (row) => <span className="font-medium">{row.payee_id}</span> },
          { id: "component", header: "Component", wideOnly: true, value: (row) => `${row.plan_id} ${row.component_id}`, cell: (row) => `${row.plan_id}, ${row.component_id}` },
          amount("earned", "Earned", true),
          amount("accrual", "Accrued", true),
          amount("reversal", "Turned back", true),
          amount("expected", "Expense", false),
        ];
        return (
          <div className="flex flex-col gap-4">
            <Head of={data} file="accruals" />
            <Sum
              currency={data.currency}
              terms={[
                { label: "Earned", sign: "", amount: data.totals.earned },
                { label: "Accrued at expected results", sign: "+", amount: data.totals.accrual },
                { label: "Turned back", sign: "+", amount: data.totals.reversal },
                { label: "Expense of the period", sign: "=", amount: data.totals.expected },
              ]}
            />
            {data.lines.items.length === 0 ? (
              <div className="card">
                <Empty icon="book" title="Nothing is accrued" next="The company’s settings ask for no accruals, or nothing is expected in this period." />
              </div>
            ) : (
              <div className="card min-w-0 overflow-hidden">
                <DataTable label="Accruals" columns={columns} rows={data.lines.items} rowKey={(row) => `${row.payee_id} ${row.plan_id} ${row.component_id}`} filterable />
                {data.lines.next_cursor ? <p className="px-4 py-3 text-center text-ink-3">The first {SHOWN_MAX} are shown; the file has all of them.</p> : null}
              </div>
            )}
            <Booked lines={data.journal} currency={data.currency} />
          </div>
        );
      }}
    </Reading>
  );
}

function Journal({ period }: { period: string }) {
  const amortization = useRead<AmortizationView>("/accounting/amortization", { query: { period, limit: SHOWN_MAX }, parts: PARTS, keep: true });
  const accruals = useRead<AccrualsView>("/accounting/accruals", { query: { period, limit: SHOWN_MAX }, parts: PARTS, keep: true });
  return (
    <Reading of={amortization}>
      {(left) => (
        <Reading of={accruals}>
          {(right) => (
            <div className="flex flex-col gap-4">
              <Head of={left} file="journal" />
              <Booked lines={[...left.journal, ...right.journal]} currency={left.currency} />
            </div>
          )}
        </Reading>
      )}
    </Reading>
  );
}

/** Journal lines with their sums, which are equal. */
function Booked({ lines, currency }: { lines: JournalLine[]; currency: string }) {
  if (lines.length === 0) return <p className="text-ink-2">Nothing is booked in this period.</p>;
  const cell = "border-t border-line px-3 py-2";
  const debit = sum(lines.flatMap((line) => (line.debit === null ? [] : [line.debit])));
  const credit = sum(lines.flatMap((line) => (line.credit === null ? [] : [line.credit])));
  return (
    <Card flush title="Journal lines" className="overflow-hidden">
      <div className="overflow-x-auto" role="region" aria-label="Journal lines" tabIndex={0}>
        <table className="w-full text-[0.93rem]">
          <caption className="sr-only">Journal lines</caption>
          <thead>
            <tr className="text-[0.83rem] text-ink-3">
              <th scope="col" className="hidden px-3 pb-2 text-left font-medium sm:table-cell">
                Day
              </th>
              <th scope="col" className="px-3 pb-2 text-left font-medium">
                Account
              </th>
              <th scope="col" className="px-3 pb-2 text-right font-medium">
                Debit
              </th>
              <th scope="col" className="px-3 pb-2 text-right font-medium">
                Credit
              </th>
            </tr>
          </thead>
          <tbody>
            {lines.map((line, at) => (
              <tr key={at}>
                <td className={`${cell} hidden whitespace-nowrap sm:table-cell`}>{showDay(line.dated_on)}</td>
                <td className={cell}>
                  <span className="block [overflow-wrap:anywhere]">{line.account}</span>
                  <span className="block text-[0.83rem] text-ink-3">{line.text}</span>
                </td>
                <td className={`${cell} text-right`}>{line.debit === null ? "" : <Money amount={line.debit} currency={currency} />}</td>
                <td className={`${cell} text-right`}>{line.credit === null ? "" : <Money amount={line.credit} currency={currency} />}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr className="font-semibold">
              <td className={`${cell} hidden sm:table-cell`} />
              <th scope="row" className={`${cell} text-left`}>
                Sum
              </th>
              <td className={`${cell} text-right`}>
                <Money amount={debit} currency={currency} />
              </td>
              <td className={`${cell} text-right`}>
                <Money amount={credit} currency={currency} />
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
    </Card>
  );
}
