// A plan as its payee reads it.

import type { PlanDocument, PlanSection } from "@/api/work";
import { isDecimal, money, percent } from "@/money";
import { showDay } from "@/words";

function cellText(kind: string, cell: string | null): string {
  if (cell === null) return "";
  if (kind === "amount" && isDecimal(cell)) return money(cell, null);
  if (kind === "rate" && isDecimal(cell)) return percent(cell, 6);
  return kind === "day" ? showDay(cell) : cell;
}

export function Paper({ document }: { document: Pick<PlanDocument, "content"> }) {
  const { content } = document;
  return (
    <article className="card flex flex-col gap-6 px-5 py-6 sm:px-8 sm:py-8" aria-label={content.title}>
      <header>
        <p className="text-ink-3">{content.company}</p>
        <h2 className="text-xl font-semibold">{content.title}</h2>
        <p className="text-ink-2">
          for {content.payee_name || content.payee_id}, from {showDay(content.from)}
          {content.until ? ` until ${showDay(content.until)}` : ""}
        </p>
      </header>
      {content.sections.map((section, at) => (
        <Section key={at} section={section} />
      ))}
    </article>
  );
}

function Section({ section }: { section: PlanSection }) {
  return (
    <section className="flex flex-col gap-2">
      <h3 className="flex flex-wrap items-baseline justify-between gap-x-3 text-[1.05rem] font-semibold">
        {section.heading}
        {section.clause ? <span className="text-[0.87rem] font-normal text-ink-3">clause {section.clause}</span> : null}
      </h3>
      {section.paragraphs.map((paragraph, at) => (
        <p key={at} className="max-w-prose">
          {paragraph}
        </p>
      ))}
      {section.columns.length > 0 ? (
        <div className="overflow-x-auto rounded-card border border-line" role="region" aria-label={`Table of ${section.heading}`} tabIndex={0}>
          <table className="w-full text-[0.93rem]">
            <caption className="sr-only">{section.heading}</caption>
            <thead>
              <tr className="bg-sunken text-[0.83rem] text-ink-2">
                {section.columns.map((column) => (
                  <th key={column.name} scope="col" className={`px-3 py-2 font-medium ${column.kind === "amount" || column.kind === "rate" ? "text-right" : "text-left"}`}>
                    {column.name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {section.rows.map((row, at) => (
                <tr key={at}>
                  {section.columns.map((column, place) => (
                    <td key={column.name} className={`border-t border-line px-3 py-1.5 ${column.kind === "amount" || column.kind === "rate" ? "num text-right" : ""}`}>
                      {cellText(column.kind, row[place] ?? null)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </section>
  );
}
