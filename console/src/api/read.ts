// Reading and writing for screens. A read names the parts of the record that its answer hangs on; when the server tells that one
// of them has a new version, the answers shown are asked for again.

import {
  keepPreviousData,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from "@tanstack/react-query";
import { type Answer, type Ask, type Query, api, freshKey, withQuery } from "./client";
import type { Problem } from "./problem";
import { ALL_PARTS, type Part } from "./state";
import type { Page } from "./types";

export type { Part } from "./state";

export interface ReadOptions {
  query?: Query;
  /** The parts of the record that the answer hangs on; all of them if not said. */
  parts?: readonly Part[];
  enabled?: boolean;
  /** Keep showing the last answer while another one is on its way. */
  keep?: boolean;
  refetchInterval?: number | false;
}

function queryFor<T>(at: string, options: ReadOptions) {
  const address = withQuery(at, options.query);
  return {
    queryKey: [at, address] as const,
    queryFn: ({ signal }: { signal: AbortSignal }) => api.get<T>(address, { signal }),
    enabled: options.enabled ?? true,
    meta: { parts: options.parts ?? ALL_PARTS },
    refetchInterval: options.refetchInterval ?? (false as const),
    ...(options.keep ? { placeholderData: keepPreviousData } : {}),
  };
}

export function useRead<T>(at: string, options: ReadOptions = {}): UseQueryResult<T> {
  return useQuery(queryFor<T>(at, options)) as UseQueryResult<T>;
}

/** Like `useRead`, with the version that an edit must name. */
export function useVersioned<T>(at: string, options: ReadOptions = {}): UseQueryResult<Answer<T>> {
  const address = withQuery(at, options.query);
  return useQuery({
    ...queryFor<Answer<T>>(at, options),
    queryKey: [at, address, "versioned"] as const,
    queryFn: ({ signal }: { signal: AbortSignal }) => api.versioned<T>(address, { signal }),
  } as Parameters<typeof useQuery>[0]) as UseQueryResult<Answer<T>>;
}

export interface PagedRead<T> {
  items: T[];
  total: number | null;
  isPending: boolean;
  isFetchingMore: boolean;
  hasMore: boolean;
  more: () => void;
  error: Error | null;
  retry: () => void;
}

/** A list that comes in pages: all the rows so far, and a way to the next ones. */
export function usePages<T>(at: string, options: ReadOptions & { limit?: number } = {}): PagedRead<T> {
  const query = { limit: options.limit ?? 100, ...options.query };
  const pages = useInfiniteQuery({
    queryKey: [at, withQuery(at, query), "pages"] as const,
    initialPageParam: null as string | null,
    queryFn: ({ pageParam, signal }) => api.get<Page<T>>(at, { query: { ...query, cursor: pageParam }, signal }),
    getNextPageParam: (last) => last.next_cursor,
    enabled: options.enabled ?? true,
    meta: { parts: options.parts ?? ALL_PARTS },
    ...(options.keep ? { placeholderData: keepPreviousData } : {}),
  });
  return {
    items: pages.data?.pages.flatMap((page) => page.items) ?? [],
    total: pages.data?.pages[0]?.total ?? null,
    isPending: pages.isPending,
    isFetchingMore: pages.isFetchingNextPage,
    hasMore: pages.hasNextPage,
    more: () => {
      if (pages.hasNextPage && !pages.isFetchingNextPage) void pages.fetchNextPage();
    },
    error: pages.error,
    retry: () => void pages.refetch(),
  };
}

export interface WriteOptions<V, T> {
  /** Paths whose answers are asked for again afterwards. The server's own event does the rest. */
  refresh?: readonly string[];
  onDone?: (value: T, given: V) => void;
}

/** A change: `run(given, options)` with a fresh idempotency key for each act. */
export function useWrite<V, T>(run: (given: V, options: Pick<Ask, "idempotencyKey">) => Promise<T>, options: WriteOptions<V, T> = {}) {
  const client = useQueryClient();
  return useMutation<T, Problem | Error, V>({
    mutationFn: (given) => run(given, { idempotencyKey: freshKey() }),
    onSuccess: (value, given) => {
      for (const at of options.refresh ?? []) void client.invalidateQueries({ queryKey: [at] });
      options.onDone?.(value, given);
    },
  });
}
