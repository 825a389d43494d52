// Asking while somebody types: the check of a text after a short pause, its impact in money after a longer one. A newer text ends
// the question about an older one, so an answer is never shown for another text than the one it is about.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, path } from "@/api/client";
import type { Impact } from "@/api/types";
import type { Text } from "./draft";
import type { FormulaCheck } from "./shapes";

export const CHECK_PAUSE_MS = 150;
export const IMPACT_PAUSE_MS = 250;

/** The value once it has stayed the same for a while; at once where it is the first. */
export function useSettled<T>(value: T, pauseMs: number, same: (a: T, b: T) => boolean = Object.is): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    if (same(settled, value)) return;
    const timer = setTimeout(() => setSettled(value), pauseMs);
    return () => clearTimeout(timer);
  }, [value, pauseMs, settled, same]);
  return settled;
}

const same = (a: Text | null, b: Text | null) => a === b || (a !== null && b !== null && a.source === b.source && a.cases === b.cases);

export interface Asked<T> {
  /** The last answer, also while a newer one is on its way. */
  answer: T | undefined;
  /** The answer is about the text as it stands now. */
  current: boolean;
  error: Error | null;
  retry: () => void;
}

export function useCheck(name: string, text: Text | null): Asked<FormulaCheck> {
  const settled = useSettled(text, CHECK_PAUSE_MS, same);
  const query = useQuery({
    queryKey: ["formula-check", name, settled?.source, settled?.cases] as const,
    queryFn: ({ signal }) => api.post<FormulaCheck>(path`/formulas/${name}/check`, settled, { signal }),
    enabled: settled !== null,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 60_000,
    meta: { parts: ["company", "extensions"] },
  });
  return {
    answer: query.data,
    current: query.data !== undefined && !query.isPlaceholderData && !query.isFetching && same(settled, text),
    error: query.error,
    retry: () => void query.refetch(),
  };
}

/** `enabled`: the text has no errors; red cases do not keep one from seeing what it would pay. `period` null: all periods. */
export function useImpact(name: string, source: string | null, period: string | null, payees: readonly string[] | null, enabled: boolean): Asked<Impact> {
  const settled = useSettled(source, IMPACT_PAUSE_MS);
  const isSettled = settled === source;
  const query = useQuery({
    queryKey: ["formula-impact", name, settled, period, payees] as const,
    queryFn: ({ signal }) =>
      api.post<Impact>(
        path`/formulas/${name}/impact`,
        { source: settled, ...(period ? { period } : {}), ...(payees ? { payees } : {}) },
        { signal },
      ),
    enabled: enabled && settled !== null && isSettled,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 120_000,
    meta: { parts: ["company", "runs", "extensions"] },
  });
  return {
    answer: query.data,
    current: query.data !== undefined && !query.isPlaceholderData && !query.isFetching && isSettled && enabled,
    error: query.error,
    retry: () => void query.refetch(),
  };
}
