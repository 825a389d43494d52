// One statement: what is paid and why. Any amount opens down to the slices, credits, transactions, the imported row and the rule.

import { useNavigate, useParams } from "@tanstack/react-router";
import { Suspense, lazy, useState } from "react";
import { download, path } from "@/api/client";
import { useRead } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Statement as StatementData, StatementLine } from "@/api/types";
import { AttainmentBullet } from "@/marks";
import { absolute, measure, number, percent, rate, sign } from "@/money";
import { AsOf, UpdatedMark, useJustUpdated } from "@/parts/AsOf";
import { Badge, StateBadge } from "@/parts/Badge";
import { Button, ButtonLink, DownloadLink } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Icon } from "@/parts/Icon";
import { Money } from "@/parts/Money";
import { PeriodSelector } from "@/parts/PeriodSelector";
import { Screen } from "@/parts/Screen";
import { ScopeSelector } from "@/parts/ScopeSelector";
import { Empty, Loading, Reading } from "@/parts/states";
import { useAllSearch, useChangeSearch, usePayeeId } from "@/url";
import { showDay, showPeriod } from "@/words";
import { Acknowledge } from "./Acknowledge";
import { AskDialog } from "./AskDialog";
import type { Disputed } from "./DisputeDialog";
import { adjustmentReason, isCredited, kindOf, nameOf, terms } from "./kinds";

// Loaded when an amount is first opened.
const LineDrawer = lazy(() => import("./LineDrawer"));
const DisputeDialog = lazy(() => import("./DisputeDialog"));

/** In the address, `?line=all` is the explanation of the whole statement. */
export const WHOLE = "all";

export default function Statement() {
  const { period } = useParams({ strict: false }) as { period: string };
  const session = useSession();
  const may = useMay();
  const navigate = useNavigate();
  const search = useAllSearch();
  const change = useChangeSearch();
  const payeeId = usePayeeId();
  const own = payeeId === session.payee_id;
  const at = path`/payees/${payeeId ?? ""}/periods/${period}`;
  const statement = useRead<StatementData>(`${at}/statement`, { parts: ["company", "runs"], enabled: payeeId !== null });
  const updated = useJustUpdated(statement.data, at);
  const [asking, setAsking] = useState<StatementLine | "whole" | null>(null);
  const [disputing, setDisputing] = useState<Disputed | null>(null);
  const dispute = may("ask") ? setDisputing : null;
  const goTo = (next: string) => void navigate({ to: "/statements/$period", params: { period: next }, search: { payee: search.payee } as never });
  const data = statement.data;
  const line = data?.components.find((component) => String(component.line) === search.line) ?? null;
  return (
    <Screen
      title={data ? `${own ? "My statement" : data.payee.name || data.payee.payee_id}, ${showPeriod(period)}` : `Statement, ${showPeriod(period)}`}
      lead={
        data ? (
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <AsOf of={data.as_of} />
            <PeriodBadge state={data.period_state} />
            <UpdatedMark shown={updated} />
          </div>
        ) : undefined
      }
      selectors={
        <>
          {may("see-team-pay", "see-all-pay") ? <ScopeSelector /> : null}
          <PeriodSelector value={period} onChange={goTo} />
        </>
      }
    >
      {payeeId === null ? (
        <Empty icon="users" title="Whose statement?" next="Choose a person above." />
      ) : (
        <Reading of={statement} loading={<Loading lines={10} />}>
          {(shown) => (
            <>
              <Totals statement={shown} at={at} own={own} onTrace={() => change({ line: WHOLE, show: undefined }, true)} />
              <Card
                flush
                title="Components"
                aside={
                  <div className="flex flex-wrap items-center gap-1.5">
                    {(["pdf", "xlsx", "csv"] as const).map((kind) => (
                      <DownloadLink key={kind} href={download(`${at}/statement.${kind}`)}>
                        {kind.toUpperCase()}
                      </DownloadLink>
                    ))}
                  </div>
                }
              >
                <Lines
                  statement={shown}
                  onOpen={(one, show) => change({ line: String(one.line), show }, true)}
                  onAsk={may("ask", "answer-questions") ? setAsking : null}
                  onDispute={dispute ? (one) => dispute({ kind: "line", line: one }) : null}
                />
              </Card>
              <Proof statement={shown} onAsk={may("ask", "answer-questions") ? () => setAsking("whole") : null} onDispute={dispute} payee={search.payee} />
              {line || search.line === WHOLE ? (
                <Suspense fallback={null}>
                  <LineDrawer
                    at={at}
                    payeeId={shown.payee.payee_id}
                    line={line}
                    whole={search.line === WHOLE}
                    currency={shown.currency}
                    title={line ? nameOf(line) : `Statement of ${shown.payee.name || shown.payee.payee_id}`}
                    onClose={() => change({ line: undefined, show: undefined })}
                    onAsk={may("ask", "answer-questions") ? () => setAsking(line ?? "whole") : null}
                    onDispute={dispute ? () => dispute(line ? { kind: "line", line } : { kind: "statement" }) : null}
                  />
                </Suspense>
              ) : null}
              {disputing ? (
                <Suspense fallback={null}>
                  <DisputeDialog at={at} of={disputing} period={period} currency={shown.currency} onClose={() => setDisputing(null)} />
                </Suspense>
              ) : null}
              {asking ? <AskDialog at={at} line={asking === "whole" ? null : asking} period={period} onClose={() => setAsking(null)} /> : null}
            </>
          )}
        </Reading>
      )}
    </Screen>
  );
}

const PERIOD_STATES = {
  open: "figures may still change",
  "in-review": "the period is being reviewed",
  approved: "what was approved is paid",
  closed: "nothing changes in this period any more",
} as const;

function PeriodBadge({ state }: { state: StatementData["period_state"] }) {
  return (
    <span title={PERIOD_STATES[state]} className="inline-flex items-center gap-1.5 text-[0.83rem] text-ink-3">
      period <StateBadge state={state} />
    </span>
  );
}

/** The way from what was earned to what is paid, as one line of arithmetic, and what stays behind. */
function Totals({ statement, at, own, onTrace }: { statement: StatementData; at: string; own: boolean; onTrace: () => void }) {
  const { totals, currency } = statement;
  return (
    <section aria-label="Totals" className="card flex flex-col gap-3 p-4 sm:px-5">
      <div className="flex flex-wrap items-stretch gap-x-1 gap-y-3">
        {terms(totals).map((term) => (
          <div key={term.name} className="flex items-end gap-2 pr-3">
            {term.sign ? (
              <span className="pb-0.5 text-xl text-ink-3" aria-label={term.sign === "−" ? "minus" : "plus"} role="img">
                {term.sign}
              </span>
            ) : null}
            <div>
              <p className="label">{term.name}</p>
              <Money amount={term.amount} currency={currency} className="text-[1.15rem] font-medium" />
            </div>
          </div>
        ))}
        <div className="flex items-end gap-2">
          <span className="pb-0.5 text-xl text-ink-3" role="img" aria-label="is">
            =
          </span>
          <div>
            <p className="label">Paid</p>
            <button type="button" onClick={onTrace} className="text-left" title="Explain the whole statement">
              <Money amount={totals.paid} currency={currency} className="link text-[1.4rem] leading-tight font-semibold" />
              <span className="sr-only">: explain the whole statement</span>
            </button>
          </div>
        </div>
        <div className="ml-auto flex flex-wrap items-center gap-2">
          <Acknowledge at={at} own={own} />
          <Button icon="trace" onClick={onTrace}>
            Explain
          </Button>
        </div>
      </div>
      <Balances statement={statement} />
    </section>
  );
}

/** What is held, carried and drawn at the end of the period; nothing where all of it is nothing. */
function Balances({ statement: { totals, currency, paid_in } }: { statement: StatementData }) {
  const owes = sign(totals.carried_balance) < 0;
  const balances = [
    { name: "Held in all, until what it waits for", amount: totals.held_balance },
    { name: owes ? "Owed, taken off what is earned next" : "Carried to the next period", amount: totals.carried_balance },
    { name: sign(totals.drawn) < 0 ? "Drawn in this period, in advance" : "Draw paid back in this period", amount: totals.drawn },
  ].filter((one) => sign(one.amount) !== 0);
  if (balances.length === 0 && !paid_in) return null;
  return (
    <dl className="flex flex-wrap gap-x-8 gap-y-1.5 border-t border-line pt-3 text-[0.93rem]">
      {balances.map((one) => (
        <div key={one.name} className="flex flex-wrap items-baseline gap-x-2">
          <dt className="text-ink-3">{one.name}</dt>
          <dd>
            <Money amount={absolute(one.amount)} currency={currency} className="font-medium" />
          </dd>
        </div>
      ))}
      {paid_in ? (
        <div className="flex flex-wrap items-baseline gap-x-2">
          <dt className="text-ink-3">Paid out</dt>
          <dd>
            <Money amount={paid_in.amount} currency={currency} className="font-medium" /> on {showDay(paid_in.paid_on)}
          </dd>
        </div>
      ) : null}
    </dl>
  );
}

function Lines({
  statement,
  onOpen,
  onAsk,
  onDispute,
}: {
  statement: StatementData;
  onOpen: (line: StatementLine, show?: string) => void;
  onAsk: ((line: StatementLine) => void) | null;
  onDispute: ((line: StatementLine) => void) | null;
}) {
  if (statement.components.length === 0)
    return <Empty icon="statement" title="No lines" next="No component of the plan paid anything in this period." />;
  const head = "border-y border-line px-3 py-2 text-[0.83rem] font-medium text-ink-3 whitespace-nowrap";
  return (
    <table className="w-full text-[0.93rem]">
      <caption className="sr-only">Components of the statement</caption>
      <thead>
        <tr>
          <th scope="col" className={`${head} pl-4 text-left sm:pl-5`}>
            Component
          </th>
          <th scope="col" className={`${head} hidden text-right md:table-cell`}>
            Credited
          </th>
          <th scope="col" className={`${head} hidden w-56 text-left lg:table-cell`}>
            Of quota
          </th>
          <th scope="col" className={`${head} text-right`}>
            Amount
          </th>
          <th scope="col" className={`${head} hidden pr-4 sm:table-cell`}>
            <span className="sr-only">Acts</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {statement.components.map((line) => (
          <tr key={line.line} className="align-top">
            <td className="border-b border-line px-3 py-3 pl-4 sm:pl-5">
              <p className="flex flex-wrap items-center gap-x-2 gap-y-0.5 font-medium">
                {nameOf(line)}
                <KindBadge line={line} />
              </p>
              <p className="text-[0.83rem] text-ink-3">
                {(statement.plans.find((plan) => plan.plan_id === line.plan_id)?.name ?? line.plan_id) || kindOf(line)?.why}
                {line.transaction_id ? `, ${line.transaction_id}` : ""}
                {line.clause ? (
                  <>
                    {", "}
                    <button type="button" className="link" onClick={() => onOpen(line, "rule")}>
                      clause {line.clause}
                    </button>
                  </>
                ) : null}
              </p>
              <Slices line={line} currency={statement.currency} />
              <p className="num pt-1 text-[0.83rem] text-ink-3 lg:hidden">
                {line.quota && line.attainment ? `${percent(line.attainment)} of ${measure(line.quota)}` : line.credited && isCredited(line) ? `credited ${measure(line.credited)}` : ""}
              </p>
            </td>
            <td className="num hidden border-b border-line px-3 py-3 text-right md:table-cell">
              {line.credited && isCredited(line) ? (
                <button type="button" className="link" onClick={() => onOpen(line, "credits")}>
                  {measure(line.credited)}
                  <span className="sr-only">: credits of {nameOf(line)}</span>
                </button>
              ) : (
                <span className="text-ink-3">–</span>
              )}
            </td>
            <td className="hidden border-b border-line px-3 py-3 lg:table-cell">
              {line.quota && line.attainment ? (
                <>
                  <AttainmentBullet attainment={line.attainment} name={line.name} slim />
                  <p className="num text-[0.83rem] text-ink-3">
                    {percent(line.attainment, 2)}
                    {line.to_date ? ` · ${measure(line.to_date)}` : ""} of {measure(line.quota)}
                  </p>
                </>
              ) : (
                <span className="text-ink-3">{line.kind === "formula" ? "no quota" : "–"}</span>
              )}
            </td>
            <td className="border-b border-line px-3 py-3 text-right">
              <button type="button" className="link font-semibold" onClick={() => onOpen(line)} title="Explain">
                <Money amount={line.amount} currency={statement.currency} />
                <span className="sr-only">: explain {nameOf(line)}</span>
              </button>
            </td>
            <td className="hidden w-px border-b border-line px-2 py-2 pr-4 whitespace-nowrap sm:table-cell">
              {onAsk ? (
                <Button size="sm" look="quiet" icon="question" onClick={() => onAsk(line)} aria-label={`Ask about ${nameOf(line)}`}>
                  Ask
                </Button>
              ) : null}
              {onDispute ? (
                <Button size="sm" look="quiet" icon="dispute" onClick={() => onDispute(line)} aria-label={`Dispute ${nameOf(line)}`}>
                  Dispute
                </Button>
              ) : null}
            </td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row" className="px-3 py-3 pl-4 text-left font-medium sm:pl-5">
            Earned
          </th>
          <td className="hidden md:table-cell" />
          <td className="hidden lg:table-cell" />
          <td className="px-3 py-3 text-right font-semibold">
            <Money amount={statement.totals.earned} currency={statement.currency} />
          </td>
          <td className="hidden sm:table-cell" />
        </tr>
      </tfoot>
    </table>
  );
}

function KindBadge({ line }: { line: StatementLine }) {
  const kind = kindOf(line);
  if (!kind || nameOf(line).toLowerCase() === kind.label) return null;
  return (
    <Badge tone={line.kind === "clawback" || line.kind === "lapse" ? "loss" : "neutral"} title={kind.why}>
      {kind.label}
    </Badge>
  );
}

function Slices({ line, currency }: { line: StatementLine; currency: string }) {
  if (line.slices.length === 0) return null;
  if (line.kind === "adjustment")
    return (
      <ul className="pt-1.5 text-[0.87rem] leading-relaxed text-ink-2">
        {line.slices.map((slice, at) => (
          <li key={at}>
            {adjustmentReason(slice.label)}: <Money amount={slice.amount} currency={currency} />
          </li>
        ))}
      </ul>
    );
  return (
    <ul className="pt-1.5">
      {line.slices.map((slice, at) => (
        <li key={at} className="num text-[0.87rem] leading-relaxed !whitespace-normal text-ink-2">
          <span className="text-ink-3">{slice.label}:</span>{" "}
          {slice.input !== null && slice.rate !== null ? `${number(slice.input)} × ${rate(slice.rate)} = ` : slice.input !== null ? `${number(slice.input)} → ` : ""}
          <Money amount={slice.amount} currency={currency} />
        </li>
      ))}
    </ul>
  );
}

function Proof({
  statement,
  onAsk,
  onDispute,
  payee,
}: {
  statement: StatementData;
  onAsk: (() => void) | null;
  onDispute: ((what: Disputed) => void) | null;
  payee: string | undefined;
}) {
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Card title="What this rests on">
        <dl className="grid grid-cols-[max-content_1fr] gap-x-5 gap-y-1.5">
          <dt className="text-ink-3">Period</dt>
          <dd>
            {showDay(statement.period.from)} until {showDay(statement.period.until)}
          </dd>
          <dt className="text-ink-3">Plan</dt>
          <dd>{statement.plans.map((plan) => plan.name).join(", ") || "none"}</dd>
          <dt className="text-ink-3">Run</dt>
          <dd className="font-mono text-[0.9em] break-all">{statement.run_id}</dd>
        </dl>
      </Card>
      <Card title="Something not right?">
        <p className="text-ink-2">Ask about a line, or dispute what you hold to be wrong: somebody else looks at it and decides. Both carry the explanation as it stands now.</p>
        <div className="mt-3 flex flex-wrap gap-2">
          {onAsk ? (
            <Button icon="question" onClick={onAsk}>
              Ask a question
            </Button>
          ) : null}
          {onDispute ? (
            <>
              <Button icon="dispute" onClick={() => onDispute({ kind: "statement" })}>
                Dispute the statement
              </Button>
              <Button icon="search" onClick={() => onDispute({ kind: "credit" })}>
                A deal is missing
              </Button>
            </>
          ) : null}
          <ButtonLink look="quiet" to="/statements" search={{ payee } as never}>
            All statements
            <Icon name="right" size={15} />
          </ButtonLink>
        </div>
      </Card>
    </div>
  );
}
