// What a text would pay against the active one, in money: the whole, by component, who gains and who loses, the largest changes.
// Every part keeps its place while a newer answer is on its way.

import { type ReactNode, useMemo } from "react";
import type { Impact } from "@/api/types";
import { Histogram } from "@/marks";
import { type Decimal, absolute, compare, number, sign, toPixels } from "@/money";
import { Icon } from "@/parts/Icon";
import { Difference, Money } from "@/parts/Money";

export type Largest = Impact["largest"][number];

export function ImpactView({
  impact,
  current,
  onTraces,
  pinned,
}: {
  impact: Impact;
  /** It is about the text as it stands: else it is shown dimmed. */
  current: boolean;
  onTraces?: (of: Largest) => void;
  pinned?: ReactNode;
}) {
  const { totals, currency } = impact;
  const payees = totals.gain_count + totals.loss_count + totals.same_count;
  if (!impact.complete) {
    return (
      <div className={`transition-opacity duration-150 ${current ? "" : "opacity-50"}`} aria-busy={!current}>
        <Findings impact={impact} />
        <p className="mt-3 text-ink-2">There are no figures: a calculation with this text could not be posted.</p>
      </div>
    );
  }
  return (
    <div className={`@container flex flex-col gap-4 transition-opacity duration-150 ${current ? "" : "opacity-50"}`} aria-busy={!current}>
      <div className="flex flex-col gap-2.5">
        <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-2">
          <div>
            <p className="label">Net cost</p>
            <p className="text-[1.9rem] leading-tight font-semibold tracking-tight" data-testid="impact-net">
              <Difference amount={totals.difference} currency={currency} />
            </p>
          </div>
          <p className="num pb-1 text-right text-[0.87rem] text-ink-2">
            <Money amount={totals.before} currency={currency} /> <span className="text-ink-3">→</span> <Money amount={totals.after} currency={currency} className="font-medium text-ink" />
          </p>
        </div>
        <Shares totals={totals} payees={payees} />
      </div>
      {impact.findings.length === 0 ? null : <Findings impact={impact} />}
      {pinned}
      <Components impact={impact} />
      <section aria-label="Who gains and who loses" className="min-h-[12.5rem]">
        {impact.histogram.some((bin) => bin.count > 0) ? (
          <Histogram bins={impact.histogram} currency={currency} />
        ) : (
          <p className="flex h-[12.5rem] items-center justify-center rounded-control bg-sunken/60 px-6 text-center text-ink-2">
            Nobody's pay differs from what the active text pays.
          </p>
        )}
      </section>
      {impact.largest.length > 0 ? (
        <PayeeTable title="Largest changes" rows={impact.largest.slice(0, 10)} currency={currency} onTraces={onTraces} />
      ) : null}
    </div>
  );
}

function Shares({ totals, payees }: { totals: Impact["totals"]; payees: number }) {
  const part = (many: number) => (payees === 0 ? 0 : (many / payees) * 100);
  const parts = [
    { many: totals.loss_count, look: "bg-loss", text: totals.loss_count === 1 ? "loses" : "lose", mark: "−" },
    { many: totals.same_count, look: "bg-(--mark-quiet)", text: "unchanged", mark: "" },
    { many: totals.gain_count, look: "bg-gain", text: totals.gain_count === 1 ? "gains" : "gain", mark: "+" },
  ];
  return (
    <div>
      <div className="flex h-2.5 gap-0.5 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
        {parts.map((one) =>
          one.many > 0 ? <span key={one.text} className={`${one.look} transition-[width] duration-200`} style={{ width: `${Math.max(part(one.many), 1)}%` }} /> : null,
        )}
      </div>
      <ul className="mt-1.5 flex flex-wrap justify-between gap-x-4 text-[0.87rem] text-ink-2">
        {parts.map((one) => (
          <li key={one.look} className="inline-flex items-center gap-1.5">
            <span aria-hidden="true" className={`size-2.5 rounded-[3px] ${one.look}`} />
            <span className="num">
              <strong className="font-semibold text-ink">{number(one.many)}</strong> {one.text}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Findings({ impact }: { impact: Impact }) {
  const texts = impact.findings.map((finding) => {
    if (typeof finding === "string") return finding;
    const said = finding as { record?: string; message?: string };
    return said.message ? `${said.record ? `${said.record}: ` : ""}${said.message}` : JSON.stringify(finding);
  });
  return (
    <div role="status" className={`rounded-control border px-3.5 py-2.5 text-[0.93rem] ${impact.complete ? "border-warn/40 bg-warn-soft" : "border-bad/40 bg-bad-soft"}`}>
      <p className="flex items-center gap-2 font-medium">
        <Icon name="warn" size={16} className={impact.complete ? "text-warn" : "text-bad"} />
        {impact.complete ? "The calculation found something" : "With this text the calculation does not get through"}
      </p>
      <ul className="mt-1 list-disc pl-7">
        {texts.slice(0, 5).map((text, at) => (
          <li key={at} className="[overflow-wrap:anywhere]">
            {text}
          </li>
        ))}
      </ul>
      {texts.length > 5 ? <p className="mt-1 pl-2 text-ink-2">and {texts.length - 5} more</p> : null}
    </div>
  );
}

const HEAD = "border-b border-line py-1.5 text-[0.8rem] font-medium text-ink-3";

function Components({ impact }: { impact: Impact }) {
  const { components, currency } = impact;
  const most = useMemo(() => largestOf(components.map((one) => one.difference)), [components]);
  if (components.length === 0) return null;
  return (
    <table className="w-full border-separate border-spacing-0 text-[0.9rem]">
      <caption className="pb-1 text-left font-semibold">By component</caption>
      <thead>
        <tr>
          <th scope="col" className={`${HEAD} text-left`}>
            Component
          </th>
          <th scope="col" className={`${HEAD} pl-3 text-right @max-md:hidden`}>
            Before
          </th>
          <th scope="col" className={`${HEAD} pl-3 text-right @max-md:hidden`}>
            After
          </th>
          <th scope="col" className={`${HEAD} w-36 pl-3 text-right`}>
            Difference
          </th>
        </tr>
      </thead>
      <tbody>
        {components.map((one) => (
          <tr key={`${one.plan_id}/${one.component_id}`}>
            <th scope="row" className="border-b border-line/60 py-1.5 text-left font-normal">
              <span className="block [overflow-wrap:anywhere]">{one.component_id}</span>
              <span className="block text-[0.8rem] text-ink-3 [overflow-wrap:anywhere]">{one.plan_id}</span>
            </th>
            <td className="num border-b border-line/60 py-1.5 pl-3 text-right text-ink-2 @max-md:hidden">
              <Money amount={one.before} currency={currency} />
            </td>
            <td className="num border-b border-line/60 py-1.5 pl-3 text-right @max-md:hidden">
              <Money amount={one.after} currency={currency} />
            </td>
            <td className="border-b border-line/60 py-1.5 pl-3 text-right">
              <Difference amount={one.difference} currency={currency} className="font-medium" />
              <DifferenceBar amount={one.difference} most={most} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function largestOf(amounts: Decimal[]): Decimal {
  return amounts.map(absolute).reduce((most, amount) => (compare(amount, most) > 0 ? amount : most), "0");
}

/** Losses to the left of the middle, gains to the right. */
function DifferenceBar({ amount, most }: { amount: Decimal; most: Decimal }) {
  const share = sign(most) === 0 ? 0 : (toPixels(absolute(amount)) / toPixels(most)) * 50;
  const way = sign(amount);
  return (
    <span aria-hidden="true" className="relative mt-1 block h-1.5 rounded-full bg-sunken">
      {way === 0 ? null : (
        <span
          className={`absolute inset-y-0 rounded-full transition-[width] duration-200 ${way < 0 ? "right-1/2 bg-loss" : "left-1/2 bg-gain"}`}
          style={{ width: `${Math.max(share, 1.5)}%` }}
        />
      )}
      <span className="absolute inset-y-0 left-1/2 w-px bg-line-strong" />
    </span>
  );
}

export function PayeeTable({
  title,
  rows,
  currency,
  onTraces,
  aside,
}: {
  title: string;
  rows: (Largest & { gone?: () => void })[];
  currency: string | null;
  onTraces?: (of: Largest) => void;
  aside?: ReactNode;
}) {
  const most = largestOf(rows.map((row) => row.difference));
  return (
    <table className="w-full border-separate border-spacing-0 text-[0.9rem]">
      <caption className="pb-1 text-left font-semibold">
        {title} {aside}
      </caption>
      <thead>
        <tr>
          <th scope="col" className={`${HEAD} text-left`}>
            Payee
          </th>
          <th scope="col" className={`${HEAD} pl-3 text-right @max-md:hidden`}>
            Before
          </th>
          <th scope="col" className={`${HEAD} pl-3 text-right`}>
            After
          </th>
          <th scope="col" className={`${HEAD} w-36 pl-3 text-right`}>
            Difference
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.payee_id} className="group">
            <th scope="row" className="border-b border-line/60 py-1 text-left font-normal">
              <span className="flex items-center gap-1">
                {onTraces ? (
                  <button type="button" className="link text-left" onClick={() => onTraces(row)} title={`Compare both traces of ${row.name}`}>
                    {row.name}
                  </button>
                ) : (
                  <span>{row.name}</span>
                )}
                {row.gone ? (
                  <button type="button" aria-label={`Unpin ${row.name}`} title="Unpin" onClick={row.gone} className="rounded p-1 text-ink-3 hover:bg-sunken hover:text-ink">
                    <Icon name="close" size={13} />
                  </button>
                ) : null}
              </span>
              {row.components.length > 1 ? (
                <span className="block text-[0.8rem] text-ink-3">{row.components.map((one) => one.component_id).join(", ")}</span>
              ) : null}
            </th>
            <td className="num border-b border-line/60 py-1 pl-3 text-right text-ink-2 @max-md:hidden">
              <Money amount={row.before} currency={currency} />
            </td>
            <td className="num border-b border-line/60 py-1 pl-3 text-right">
              <Money amount={row.after} currency={currency} />
            </td>
            <td className="border-b border-line/60 py-1 pl-3 text-right">
              <Difference amount={row.difference} currency={currency} className="font-medium" />
              <DifferenceBar amount={row.difference} most={most} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
