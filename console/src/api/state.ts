// The state of what was read from the server, and the parts of the record that each answer hangs on.

import { QueryClient } from "@tanstack/react-query";
import { Problem } from "./problem";
import type { Versions } from "./types";

export type Part = keyof Versions;

export const ALL_PARTS: readonly Part[] = ["company", "runs", "extensions", "work"];

declare module "@tanstack/react-query" {
  interface Register {
    defaultError: Problem | Error;
    queryMeta: { parts?: readonly Part[] };
  }
}

function worthAnotherTry(count: number, error: unknown): boolean {
  const status = error instanceof Problem ? error.status : 0;
  return count < 2 && (status === 0 || status === 502 || status === 503 || status === 504);
}

export function newQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    defaultOptions: {
      queries: { retry: worthAnotherTry, staleTime: 60_000, refetchOnWindowFocus: false },
      mutations: { retry: false },
    },
  });
  // An answer 401 means that the session is over, whichever screen asked: the session is asked for again and shows the sign-in.
  client.getQueryCache().subscribe((event) => {
    if (event.type !== "updated" || event.action.type !== "error") return;
    const error = event.action.error;
    if (error instanceof Problem && error.status === 401 && event.query.queryKey[0] !== "/session") {
      void client.invalidateQueries({ queryKey: ["/session"] });
    }
  });
  return client;
}
