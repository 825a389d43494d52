// What waits for a second person, and what was decided. The list at the left, one change at the right; on a phone one of both.

import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useRead } from "@/api/read";
import { useSession } from "@/api/session";
import type { ChangeKind, ChangeState, Items } from "@/api/types";
import type { ChangeHead } from "@/editor/shapes";
import { StateBadge } from "@/parts/Badge";
import { Icon, type IconName } from "@/parts/Icon";
import { Screen } from "@/parts/Screen";
import { Empty, Failed } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, plain, showInstant } from "@/words";
import { ChangeDetail } from "./ChangeDetail";
import { inOrder, nextAfter } from "./order";

export const KINDS: Record<ChangeKind, { icon: IconName; says: string }> = {
  formula: { icon: "formula", says: "Formula" },
  plan: { icon: "statement", says: "Plan" },
  extension: { icon: "extension", says: "Extension" },
  import: { icon: "import", says: "Import" },
  company: { icon: "data", says: "Company" },
  table: { icon: "table", says: "Table" },
};

const FILTERS: { state: ChangeState | "all"; label: string; empty: string }[] = [
  { state: "submitted", label: "Waiting", empty: "Nothing waits for a second person. Changes come here when their author submits them." },
  { state: "draft", label: "Drafts", empty: "There is no draft. Open a formula and type: what you save is a draft." },
  { state: "approved", label: "Approved", empty: "Nothing was approved yet." },
  { state: "rejected", label: "Rejected", empty: "Nothing was rejected." },
  { state: "withdrawn", label: "Withdrawn", empty: "Nothing was withdrawn." },
  { state: "all", label: "All", empty: "There is no change yet." },
];

export default function Changes() {
  const { id } = useParams({ strict: false }) as { id?: string };
  const session = useSession();
  const navigate = useNavigate();
  const [asked, setState] = useUrlState("state");
  const state = FILTERS.find((one) => one.state === asked) ?? FILTERS[0];
  const list = useRead<Items<ChangeHead>>("/changes", { query: { limit: 200, state: state?.state === "all" ? null : state?.state }, parts: ["work"], keep: true });
  const items = inOrder(list.data?.items ?? [], state?.state ?? "submitted");
  const open = id ?? null;
  const decided = (change: ChangeHead) => {
    const next = nextAfter(items, change.change_id, session.user_id);
    void navigate({ to: next ? "/changes/$id" : "/changes", params: (next ? { id: next.change_id } : {}) as never, search: ((before: object) => before) as never });
  };
  return (
    <Screen title="Changes" wide lead="Nothing that decides pay changes by one person alone: who wrote it, what differs, what it costs, and who approved it.">
      <div className="grid min-w-0 items-start gap-4 lg:grid-cols-[20rem_minmax(0,1fr)]">
        <section aria-label="Changes" className={`card min-w-0 flex-col overflow-hidden lg:sticky lg:top-4 lg:flex lg:max-h-[calc(100dvh-2rem)] ${open ? "hidden" : "flex"}`}>
          <div className="flex flex-wrap gap-1 border-b border-line p-2" role="group" aria-label="State">
            {FILTERS.map((one) => (
              <button
                key={one.state}
                type="button"
                aria-pressed={one === state}
                onClick={() => setState(one.state === "submitted" ? undefined : one.state)}
                className="rounded-control px-2.5 py-1 text-[0.87rem] font-medium text-ink-2 hover:bg-sunken aria-pressed:bg-accent-soft aria-pressed:text-accent"
              >
                {one.label}
              </button>
            ))}
          </div>
          {list.data === undefined ? (
            list.error ? (
              <div className="p-3">
                <Failed error={list.error} retry={() => void list.refetch()} />
              </div>
            ) : (
              <div role="status" aria-label="Loading" className="flex flex-col gap-3 p-4">
                {Array.from({ length: 5 }, (_, at) => (
                  <div key={at} className="h-12 rounded shimmer" />
                ))}
              </div>
            )
          ) : items.length === 0 ? (
            <p className="px-5 py-10 text-center text-ink-2">{state?.empty}</p>
          ) : (
            <ul className="flex flex-col overflow-y-auto p-1.5">
              {items.map((change) => (
                <li key={change.change_id}>
                  <ListItem change={change} isOpen={change.change_id === open} own={change.author === session.user_id} />
                </li>
              ))}
            </ul>
          )}
        </section>
        <div className={`min-w-0 ${open ? "" : "hidden lg:block"}`}>
          {open ? (
            <ChangeDetail key={open} id={open} onDecided={decided} />
          ) : (
            <div className="card">
              <Empty icon="change" title={items.length > 0 ? "Choose a change" : "All is decided"} next={items.length > 0 ? "You see what differs in text and in money before you decide." : (state?.empty ?? "")} />
            </div>
          )}
        </div>
      </div>
    </Screen>
  );
}

function ListItem({ change, isOpen, own }: { change: ChangeHead; isOpen: boolean; own: boolean }) {
  const kind = KINDS[change.kind] ?? { icon: "change" as const, says: plain(change.kind, true) };
  const at = change.decided_at ?? change.submitted_at ?? change.created_at;
  return (
    <Link
      to="/changes/$id"
      params={{ id: change.change_id }}
      search={((before: object) => before) as never}
      resetScroll={false}
      aria-current={isOpen ? "true" : undefined}
      className="flex gap-2.5 rounded-control px-2.5 py-2 hover:bg-sunken aria-[current=true]:bg-accent-soft"
    >
      <Icon name={kind.icon} className="mt-0.5 text-ink-2" />
      <span className="min-w-0 flex-1">
        <span className="flex items-baseline justify-between gap-2">
          <span className="truncate font-medium">{change.object}</span>
          <span className="shrink-0 text-[0.8rem] text-ink-2">{kind.says}</span>
        </span>
        {change.comment ? <span className="line-clamp-2 text-[0.87rem] leading-snug text-ink-2">{change.comment}</span> : null}
        <span className="mt-0.5 flex flex-wrap items-center gap-x-2 text-[0.8rem] text-ink-2">
          {change.state === "submitted" ? null : <StateBadge state={change.state} />}
          <span>{own ? "you" : change.author_name}</span>
          <time dateTime={at} title={showInstant(at)}>
            {ago(at)}
          </time>
        </span>
      </span>
    </Link>
  );
}
