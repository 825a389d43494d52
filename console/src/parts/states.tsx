// What a screen shows while there is nothing to show yet, nothing at all, or a failure; and the frame that chooses among them.

import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "@/api/problem";
import { Button } from "./Button";
import { Icon, type IconName } from "./Icon";

/** Grey lines where content will be. */
export function Loading({ lines = 6, label = "Loading" }: { lines?: number; label?: string }) {
  return (
    <div role="status" aria-label={label} className="flex flex-col gap-3">
      {Array.from({ length: lines }, (_, at) => (
        <div key={at} className="h-4 rounded shimmer" style={{ width: `${92 - ((at * 17) % 45)}%` }} />
      ))}
    </div>
  );
}

export function LoadingCards({ cards = 3 }: { cards?: number }) {
  return (
    <div role="status" aria-label="Loading" className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
      {Array.from({ length: cards }, (_, at) => (
        <div key={at} className="card flex flex-col gap-3 p-5">
          <div className="h-3 w-1/3 rounded shimmer" />
          <div className="h-7 w-2/3 rounded shimmer" />
          <div className="h-3 w-1/2 rounded shimmer" />
        </div>
      ))}
    </div>
  );
}

/** Nothing is there. `next` says what to do about it. */
export function Empty({ title, next, action, icon = "search" }: { title: string; next: ReactNode; action?: ReactNode; icon?: IconName }) {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-12 text-center">
      <span className="mb-1 rounded-full bg-sunken p-3 text-ink-3">
        <Icon name={icon} size={22} />
      </span>
      <h2 className="text-lg font-semibold">{title}</h2>
      <p className="max-w-prose text-ink-2">{next}</p>
      {action ? <div className="mt-2">{action}</div> : null}
    </div>
  );
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof Problem ? error : null;
  const title =
    problem?.status === 404
      ? "There is nothing here for you"
      : problem?.status === 403
        ? "You may not see this"
        : (problem?.title ?? "Something went wrong");
  return (
    <div role="alert" className="flex flex-col items-start gap-2 rounded-card border border-bad/40 bg-bad-soft p-5">
      <h2 className="flex items-center gap-2 text-lg font-semibold">
        <Icon name="warn" className="text-bad" />
        {title}
      </h2>
      <p className="max-w-prose">{problem?.detail ?? (error instanceof Error ? error.message : String(error))}</p>
      {problem && problem.errors.length > 0 ? (
        <ul className="list-disc pl-5">
          {problem.errors.map((fault, at) => (
            <li key={at}>{fault.message}</li>
          ))}
        </ul>
      ) : null}
      {problem?.requestId ? (
        <p className="text-[0.87rem] text-ink-2">
          Request <code className="font-mono">{problem.requestId}</code>
        </p>
      ) : null}
      {retry ? (
        <Button size="sm" onClick={retry} className="mt-1">
          Try again
        </Button>
      ) : null}
    </div>
  );
}

/** What is wrong with a form, above its button. */
export function FormProblem({ error }: { error: unknown }) {
  if (!error) return null;
  const problem = error instanceof Problem ? error : null;
  return (
    <div role="alert" className="rounded-control border border-bad/40 bg-bad-soft px-3.5 py-2.5">
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {problem && problem.errors.length > 0 ? (
        <ul className="mt-1 list-disc pl-5">
          {problem.errors.map((fault, at) => (
            <li key={at}>{fault.message}</li>
          ))}
        </ul>
      ) : null}
      {problem && problem.status >= 500 && problem.requestId ? (
        <p className="mt-1 text-[0.87rem] text-ink-2">
          Request <code className="font-mono">{problem.requestId}</code>
        </p>
      ) : null}
    </div>
  );
}

/** Shows a read in whichever state it is. `empty` is shown where `isEmpty` says so. */
export function Reading<T>({
  of: query,
  loading = <Loading />,
  isEmpty,
  empty,
  children,
}: {
  of: Pick<UseQueryResult<T>, "data" | "error" | "isPending" | "refetch">;
  loading?: ReactNode;
  isEmpty?: (data: T) => boolean;
  empty?: ReactNode;
  children: (data: T) => ReactNode;
}) {
  if (query.data === undefined) {
    return query.error ? <Failed error={query.error} retry={() => void query.refetch()} /> : <>{loading}</>;
  }
  if (isEmpty?.(query.data)) return <>{empty}</>;
  return <>{children(query.data)}</>;
}
