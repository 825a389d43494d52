// The server's events. A `record` event makes the answers that hang on the grown parts be asked for again; the others are for
// those who listen. The stream is opened again by itself, slower each time.

import type { QueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useSyncExternalStore } from "react";
import { BASE } from "./client";
import { ALL_PARTS, type Part } from "./state";
import type { Event, Versions } from "./types";

export type Connection = "connecting" | "live" | "away";

type Listener = (event: Event) => void;

const FIRST_WAIT_MS = 1_000;
const WAIT_MS_MAX = 30_000;

/** The parts whose version is higher than what was known; all of them where nothing was known. */
export function grown(known: Versions | null, now: Versions): Part[] {
  return ALL_PARTS.filter((part) => known === null || now[part] !== known[part]);
}

class Live {
  private source: EventSource | null = null;
  private known: Versions | null = null;
  private wait = FIRST_WAIT_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private state: Connection = "connecting";
  private changedAt = 0;
  private readonly watchers = new Set<() => void>();
  private readonly listeners = new Set<Listener>();
  private client: QueryClient | null = null;

  /** `versions` are those of the session: whatever was read since is at least as new. */
  start(client: QueryClient, versions: Versions): () => void {
    this.client = client;
    this.known = versions;
    this.open();
    return () => this.stop();
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.become("connecting");
  }

  private open(): void {
    this.source?.close();
    const source = new EventSource(`${BASE}/events`);
    this.source = source;
    source.onopen = () => {
      this.wait = FIRST_WAIT_MS;
      this.become("live");
    };
    source.onerror = () => {
      if (this.source !== source) return;
      this.become("away");
      // The browser tries again after a broken line, but not after a refusal.
      if (source.readyState === EventSource.CLOSED) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.open(), this.wait * (0.75 + Math.random() / 2));
        this.wait = Math.min(this.wait * 2, WAIT_MS_MAX);
        void this.client?.invalidateQueries({ queryKey: ["/session"] });
      }
    };
    for (const kind of ["record", "progress", "job", "reload"] as const) {
      source.addEventListener(kind, (message) => this.hear(kind, message.data as string));
    }
  }

  private hear(kind: Event["kind"], data: string): void {
    const event = { kind, ...(JSON.parse(data) as object) } as Event;
    if (event.kind === "record") {
      const parts = grown(this.known, event);
      this.known = { company: event.company, runs: event.runs, extensions: event.extensions, work: event.work };
      if (parts.length > 0) {
        this.changedAt = Date.now();
        void this.client?.invalidateQueries({
          predicate: (query) => query.meta?.parts?.some((part) => parts.includes(part)) ?? false,
        });
      }
    }
    for (const listener of this.listeners) listener(event);
  }

  private become(state: Connection): void {
    this.state = state;
    for (const watcher of this.watchers) watcher();
  }

  readonly watch = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  readonly connection = (): Connection => this.state;

  /** When an event last said that something changed, unix ms. */
  readonly lastChange = (): number => this.changedAt;

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

export const live = new Live();

export function useConnection(): Connection {
  return useSyncExternalStore(live.watch, live.connection);
}

/** Calls `heard` with each event of one kind while the component is shown. */
export function useEvent<K extends Event["kind"]>(kind: K, heard: (event: Extract<Event, { kind: K }>) => void): void {
  const latest = useRef(heard);
  latest.current = heard;
  useEffect(
    () =>
      live.listen((event) => {
        if (event.kind === kind) latest.current(event as Extract<Event, { kind: K }>);
      }),
    [kind],
  );
}
