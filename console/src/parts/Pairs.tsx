// Names and their values, one pair a line.

import type { ReactNode } from "react";

export function Pairs({ pairs }: { pairs: (readonly [name: string, value: ReactNode] | null | false)[] }) {
  return (
    <dl className="grid grid-cols-[minmax(5.5rem,max-content)_minmax(0,1fr)] gap-x-5 gap-y-1.5">
      {pairs.map((pair) =>
        pair ? (
          <div key={pair[0]} className="contents">
            <dt className="text-ink-3">{pair[0]}</dt>
            <dd className="min-w-0 [overflow-wrap:anywhere]">{pair[1]}</dd>
          </div>
        ) : null,
      )}
    </dl>
  );
}
