// How fresh the figures are: which run, through which day its data goes, when it was recorded. And a mark when they have just changed.

import { useEffect, useRef, useState } from "react";
import { live } from "@/api/live";
import type { AsOf as Stamp } from "@/api/types";
import { ago, shortDigest, showDay, showInstant } from "@/words";
import { StateBadge } from "./Badge";

export function AsOf({ of: stamp }: { of: Stamp }) {
  return (
    <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-[0.83rem] text-ink-3">
      <StateBadge state={stamp.state} />
      <span title={stamp.run_id}>
        run <span className="font-mono text-[0.95em]">{shortDigest(stamp.run_id)}</span>
      </span>
      <span aria-hidden="true">·</span>
      <time dateTime={stamp.recorded_at} title={showInstant(stamp.recorded_at)}>
        {ago(stamp.recorded_at)}
      </time>
      {stamp.data_through ? (
        <>
          <span aria-hidden="true">·</span>
          <span>data through {showDay(stamp.data_through)}</span>
        </>
      ) : null}
    </p>
  );
}

const MARK_MS = 8_000;

/** True for a while after what is shown under the same `name` was replaced because the server told of a change. */
export function useJustUpdated(data: unknown, name: string): boolean {
  const before = useRef<{ name: string; data: unknown } | null>(null);
  const [updated, setUpdated] = useState(false);
  useEffect(() => {
    if (data === undefined) return;
    const last = before.current;
    before.current = { name, data };
    if (!last || last.name !== name || last.data === data) return;
    if (Date.now() - live.lastChange() > 30_000) return;
    setUpdated(true);
    const timer = setTimeout(() => setUpdated(false), MARK_MS);
    return () => clearTimeout(timer);
  }, [data, name]);
  return updated;
}

export function UpdatedMark({ shown }: { shown: boolean }) {
  return (
    <span role="status" className="inline-flex min-h-5 items-center">
      {shown ? (
        <span className="inline-flex items-center gap-1.5 rounded-full bg-accent-soft px-2 py-0.5 text-[0.8rem] font-medium text-accent fade-in">
          <span className="size-1.5 rounded-full bg-accent" aria-hidden="true" />
          updated
        </span>
      ) : null}
    </span>
  );
}
