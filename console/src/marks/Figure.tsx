// The frame of every picture: an accessible name that says what it shows, and its table twin behind a button.

import { type ReactNode, useEffect, useRef, useState } from "react";
import { Icon } from "@/parts/Icon";

export interface Twin {
  head: string[];
  /** The first cell of a row is its heading. Cells after it are shown as numbers, at the right. */
  rows: ReactNode[][];
}

export function Figure({
  name,
  summary,
  twin,
  height,
  legend,
  children,
}: {
  /** What the picture is of. */
  name: string;
  /** What it shows, in a sentence, for those who do not see it. */
  summary: string;
  twin: Twin;
  height: number;
  legend?: ReactNode;
  /** Draws in the width there is. */
  children: (width: number) => ReactNode;
}) {
  const [asTable, setAsTable] = useState(false);
  const [frame, width] = useWidth();
  return (
    <figure className="flex min-w-0 flex-col gap-1.5">
      <div className="flex min-h-7 flex-wrap items-center justify-between gap-2">
        <figcaption className="flex min-w-0 flex-wrap items-center gap-x-4 gap-y-1 text-[0.83rem] text-ink-3">
          {legend ?? <span className="sr-only">{name}</span>}
        </figcaption>
        <button
          type="button"
          aria-pressed={asTable}
          aria-label={`${name}: show as table`}
          title={asTable ? "Show the picture" : "Show as table"}
          onClick={() => setAsTable(!asTable)}
          className="ml-auto inline-flex size-7 items-center justify-center rounded-md text-ink-3 hover:bg-sunken hover:text-ink aria-pressed:bg-sunken aria-pressed:text-ink"
        >
          <Icon name={asTable ? "chart" : "table"} size={15} />
        </button>
      </div>
      <div ref={frame} className="min-w-0">
        {asTable ? (
          <TwinTable name={name} twin={twin} />
        ) : (
          <svg role="img" aria-label={`${name}. ${summary}`} width={width} height={height} viewBox={`0 0 ${width} ${height}`} className="block max-w-full overflow-visible text-[0.8rem]">
            {width > 0 ? children(width) : null}
          </svg>
        )}
      </div>
    </figure>
  );
}

export function TwinTable({ name, twin }: { name: string; twin: Twin }) {
  return (
    <div className="max-h-80 overflow-auto" role="region" aria-label={name} tabIndex={0}>
      <table className="w-full text-[0.9rem]">
        <caption className="sr-only">{name}</caption>
        <thead>
          <tr>
            {twin.head.map((heading, at) => (
              <th key={heading} scope="col" className={`border-b border-line py-1.5 font-medium text-ink-3 ${at === 0 ? "pr-3 text-left" : "pl-3 text-right"}`}>
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {twin.rows.map((row, at) => (
            <tr key={at}>
              {row.map((cell, column) =>
                column === 0 ? (
                  <th key={column} scope="row" className="border-b border-line/60 py-1.5 pr-3 text-left font-normal">
                    {cell}
                  </th>
                ) : (
                  <td key={column} className="num border-b border-line/60 py-1.5 pl-3 text-right">
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The width that the layout gives, followed as it changes. */
export function useWidth(): [React.RefObject<HTMLDivElement | null>, number] {
  const frame = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [frame, width];
}

/** One entry of a legend. */
export function Key({ look, children, shape = "bar" }: { look: string; children: ReactNode; shape?: "bar" | "line" | "dot" }) {
  const shapes = { bar: "h-2.5 w-2.5 rounded-[3px]", line: "h-0.5 w-4", dot: "size-2.5 rounded-full" };
  return (
    <span className="inline-flex items-center gap-1.5">
      <span aria-hidden="true" className={`${shapes[shape]} ${look}`} />
      {children}
    </span>
  );
}
