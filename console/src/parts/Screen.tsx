// The frame of every screen: its title, the period and the person at the same place, its acts, then its content.

import { type ReactNode, useEffect } from "react";

export function Screen({
  title,
  lead,
  selectors,
  actions,
  children,
  wide = false,
}: {
  title: string;
  /** One line under the title. */
  lead?: ReactNode;
  /** Period and scope. */
  selectors?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  /** Takes the whole width: for large tables and editors. */
  wide?: boolean;
}) {
  useEffect(() => {
    document.title = `${title} · Attain`;
  }, [title]);
  return (
    <div className={`mx-auto flex w-full flex-col gap-4 px-4 pt-4 pb-8 sm:px-6 sm:pt-6 ${wide ? "max-w-[110rem]" : "max-w-6xl"}`}>
      <header className="flex flex-wrap items-end justify-between gap-x-6 gap-y-3">
        <div className="flex min-w-0 flex-col gap-1">
          <h1 className="text-[1.45rem] leading-tight font-semibold">{title}</h1>
          {lead ? <div className="text-ink-2">{lead}</div> : null}
        </div>
        {selectors || actions ? (
          <div className="flex flex-wrap items-center gap-2">
            {selectors}
            {actions}
          </div>
        ) : null}
      </header>
      {children}
    </div>
  );
}
