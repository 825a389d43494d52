// The state of a screen lives in its address, so that any view can be pasted into a chat. Every value is a plain string.

import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useRef, useState } from "react";
import { useSession } from "@/api/session";

const PAUSE_MS = 250;

export type Search = { [name: string]: string | undefined };

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== null && value !== "") asked.set(name, String(value));
  }
  // These are allowed in a query; addresses are read by people too.
  const text = asked.toString().replace(/%7E/g, "~").replace(/%3B/g, ";").replace(/%3A/g, ":").replace(/%2C/g, ",");
  return text === "" ? "" : `?${text}`;
}

export function useAllSearch(): Search {
  return useSearch({ strict: false }) as Search;
}

/** One value of the address. `push` keeps the step in the history, for what a person would want to go back from. */
export function useUrlState(name: string, push = false): [string | undefined, (value: string | undefined) => void] {
  const value = useAllSearch()[name];
  const change = useChangeSearch();
  const set = useCallback((next: string | undefined) => change({ [name]: next }, push), [change, name, push]);
  return [value, set];
}

export function useChangeSearch(): (values: Search, push?: boolean) => void {
  const navigate = useNavigate();
  return useCallback(
    (values, push = false) => {
      void navigate({
        to: ".",
        search: ((before: Search) => ({ ...before, ...values })) as never,
        replace: !push,
        resetScroll: false,
      });
    },
    [navigate],
  );
}

/** The period that a screen shows: the address's, else the last with statements. */
export function usePeriod(): string | null {
  const session = useSession();
  return useAllSearch().period ?? session.current_period;
}

/** The payee that a screen shows: the address's, else the one who is signed in. */
export function usePayeeId(): string | null {
  const session = useSession();
  return useAllSearch().payee ?? session.payee_id;
}

/** Like `useUrlState` for what is typed: shown at once, in the address when the typing pauses. */
export function useTypedUrlState(name: string): [string, (text: string) => void] {
  const [value = "", set] = useUrlState(name);
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    if (value !== sent.current) {
      sent.current = value;
      setText(value);
    }
  }, [value]);
  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text;
      set(text || undefined);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, set]);
  return [text, setText];
}
