// What just happened, said once at the edge of the screen and to assistive technology. Own code: a live region and a timer are
// all it takes, and the shell stays small.

import { useSyncExternalStore } from "react";
import { Problem } from "@/api/problem";
import { IconButton } from "./Button";
import { Icon } from "./Icon";

type Kind = "done" | "failed" | "info";

interface Said {
  id: number;
  kind: Kind;
  text: string;
}

const SHOWN_MS = 6_000;
const AT_ONCE_MAX = 4;

let said: Said[] = [];
let next = 1;
const watchers = new Set<() => void>();

function change(now: Said[]): void {
  said = now;
  for (const watcher of watchers) watcher();
}

function dismiss(id: number): void {
  change(said.filter((one) => one.id !== id));
}

/** Says it. A failure stays until it is dismissed. */
export function toast(text: string, kind: Kind = "done"): void {
  const id = next++;
  change([...said.slice(1 - AT_ONCE_MAX), { id, kind, text }]);
  if (kind !== "failed") setTimeout(() => dismiss(id), SHOWN_MS);
}

/** What went wrong, in the server's words, with what to quote when asking for help. */
export function toastProblem(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  const id = error instanceof Problem && error.requestId && error.status >= 500 ? ` (request ${error.requestId})` : "";
  toast(text + id, "failed");
}

const LOOKS: Record<Kind, string> = { done: "text-accent", failed: "text-bad", info: "text-ink-2" };

export function Toasts() {
  const shown = useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => said,
  );
  return (
    <section
      aria-label="Notifications"
      aria-live="polite"
      className="pointer-events-none fixed right-3 bottom-20 left-3 flex flex-col items-end gap-2 sm:left-auto md:bottom-4"
      style={{ zIndex: "var(--z-toast)" }}
    >
      {shown.map((one) => (
        <div
          key={one.id}
          className="pointer-events-auto flex max-w-md items-start gap-2 rounded-card border border-line bg-surface py-2 pr-1.5 pl-3.5 shadow-high fade-in"
        >
          <Icon name={one.kind === "failed" ? "warn" : "check"} className={`mt-1.5 ${LOOKS[one.kind]}`} />
          <p className="min-w-0 flex-1 py-1 break-words">{one.text}</p>
          <IconButton icon="close" label="Dismiss" size={16} onClick={() => dismiss(one.id)} />
        </div>
      ))}
    </section>
  );
}
