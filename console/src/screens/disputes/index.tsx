// Questions and disputes that one may see, the newest first: one's own, the team's, or the desk of those who decide.

import { Link } from "@tanstack/react-router";
import { usePages } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { DisputeHead } from "@/api/work";
import { Badge, StateBadge } from "@/parts/Badge";
import { Button, ButtonLink } from "@/parts/Button";
import { Choices } from "@/parts/Choices";
import { Icon } from "@/parts/Icon";
import { Money } from "@/parts/Money";
import { Screen } from "@/parts/Screen";
import { Empty, Failed, Loading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, plain, showInstant, showPeriod } from "@/words";
import { about, isUndecided, within } from "./words";

const STATES = [
  { value: undefined, label: "All" },
  { value: "open", label: "Open" },
  { value: "assigned", label: "Assigned" },
  { value: "answered", label: "Answered" },
  { value: "resolved", label: "Resolved" },
  { value: "closed", label: "Closed" },
  { value: "withdrawn", label: "Withdrawn" },
] as const;

const KINDS = [
  { value: undefined, label: "Both" },
  { value: "question", label: "Questions" },
  { value: "dispute", label: "Disputes" },
] as const;

const DESK = [
  { value: undefined, label: "All" },
  { value: "assigned", label: "Assigned to me" },
  { value: "unassigned", label: "Nobody’s" },
  { value: "overdue", label: "Overdue" },
  { value: "holding", label: "Holding pay" },
] as const;

const TEAM = [
  { value: undefined, label: "All" },
  { value: "mine", label: "My own" },
  { value: "team", label: "My team" },
] as const;

export default function Disputes() {
  const may = useMay();
  const session = useSession();
  const decides = may("answer-questions");
  const [state, setState] = useUrlState("state");
  const [scope, setScope] = useUrlState("scope");
  const [kind, setKind] = useUrlState("kind");
  const [period, setPeriod] = useUrlState("period");
  const disputes = usePages<DisputeHead>("/disputes", {
    query: {
      kind,
      state,
      period,
      mine: scope === "assigned" ? true : null,
      unassigned: scope === "unassigned" ? true : null,
      overdue: scope === "overdue" ? true : null,
      holding: scope === "holding" ? true : null,
    },
    parts: ["work", "company"],
    keep: true,
  });
  const shown = within(disputes.items, scope, session.payee_id);
  const filtered = [state, scope, kind, period].some((one) => one !== undefined);
  return (
    <Screen
      title="Inquiries"
      lead={decides ? "Questions and disputes: what people ask about their statements or hold to be wrong in them, and until when it is due." : "Questions and disputes: what you asked about a statement or hold to be wrong in it, and what became of it."}
      selectors={
        <>
          {decides ? <Choices label="Which" choices={DESK} value={scope} onChange={setScope} /> : may("see-team-pay") ? <Choices label="Whose" choices={TEAM} value={scope} onChange={setScope} /> : null}
          <Choices label="Kind" choices={KINDS} value={kind} onChange={setKind} />
          <Choices label="State" choices={STATES} value={state} onChange={setState} />
          <select aria-label="Period" className="input !w-auto" value={period ?? ""} onChange={(event) => setPeriod(event.target.value || undefined)}>
            <option value="">All periods</option>
            {session.periods
              .filter((one) => one.state !== "planned" || one.period_id === period)
              .map((one) => (
                <option key={one.period_id} value={one.period_id}>
                  {showPeriod(one.period_id)}
                </option>
              ))}
          </select>
        </>
      }
    >
      {disputes.error ? (
        <Failed error={disputes.error} retry={disputes.retry} />
      ) : disputes.isPending ? (
        <Loading />
      ) : shown.length === 0 ? (
        <Empty
          icon="dispute"
          title={filtered ? "None is like that" : "No questions and no disputes"}
          next={filtered ? "Choose other filters above." : "Open a statement: ask about a line, or dispute what you hold to be wrong in it."}
          action={filtered ? undefined : <ButtonLink to="/statements">Statements</ButtonLink>}
        />
      ) : (
        <ul className="card divide-y divide-line overflow-hidden" aria-label="Questions and disputes">
          {shown.map((dispute) => (
            <li key={dispute.dispute_id}>
              <Link to="/disputes/$id" params={{ id: dispute.dispute_id }} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-3 hover:bg-sunken sm:px-5">
                <span className="min-w-0 flex-1 basis-full sm:basis-52">
                  <span className="block font-medium [overflow-wrap:anywhere]">
                    <Icon name={dispute.kind} size={15} className="mr-1.5 inline-block align-[-0.15em] text-ink-3" />
                    <span className="sr-only">{plain(dispute.kind, true)}: </span>
                    {dispute.subject}
                  </span>
                  <span className="block text-[0.87rem] text-ink-3">
                    {dispute.payee_name} · {showPeriod(dispute.period_id)} · {about(dispute)} · <time title={showInstant(dispute.raised_at)}>{ago(dispute.raised_at)}</time>
                    {dispute.assigned_to_name ? ` · ${dispute.assigned_to === session.user_id ? "you look" : `${dispute.assigned_to_name} looks`} at it` : ""}
                  </span>
                </span>
                {dispute.expected ? (
                  <span className="text-[0.87rem] text-ink-2">
                    expects <Money amount={dispute.expected} />
                  </span>
                ) : null}
                {dispute.holds_pay ? <Badge tone="warn">holds pay</Badge> : null}
                {isUndecided(dispute) ? (
                  dispute.overdue ? (
                    <Badge tone="bad" title={showInstant(dispute.due_at)}>
                      overdue
                    </Badge>
                  ) : (
                    <span className="text-[0.83rem] text-ink-3" title={showInstant(dispute.due_at)}>
                      due {ago(dispute.due_at)}
                    </span>
                  )
                ) : dispute.outcome ? (
                  <StateBadge state={dispute.outcome} />
                ) : null}
                <StateBadge state={dispute.state} />
                <Icon name="right" size={16} className="ml-auto text-ink-3 sm:ml-0" />
              </Link>
            </li>
          ))}
        </ul>
      )}
      {disputes.hasMore ? (
        <Button className="self-center" busy={disputes.isFetchingMore} onClick={disputes.more}>
          Show more
        </Button>
      ) : null}
    </Screen>
  );
}
