// A framed part of a screen with its heading.

import { type ReactNode, useId } from "react";

export function Card({
  title,
  aside,
  children,
  className = "",
  flush = false,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  children: ReactNode;
  className?: string;
  /** The content reaches the frame: for tables. */
  flush?: boolean;
}) {
  const id = useId();
  return (
    <section className={`card flex min-w-0 flex-col ${className}`} aria-labelledby={title ? id : undefined}>
      {title ? (
        <header className={`flex flex-wrap items-baseline justify-between gap-x-3 gap-y-1 px-4 pt-3.5 sm:px-5 ${flush ? "pb-3" : "pb-1.5"}`}>
          <h2 id={id} className="font-semibold">
            {title}
          </h2>
          {aside ? <div className="text-[0.87rem] text-ink-3">{aside}</div> : null}
        </header>
      ) : null}
      <div className={flush ? "min-w-0 flex-1" : `min-w-0 flex-1 px-4 pb-4 sm:px-5 sm:pb-5 ${title ? "pt-1" : "pt-4 sm:pt-5"}`}>{children}</div>
    </section>
  );
}
