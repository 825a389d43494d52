// One change: what differs in text and in money, who wrote it and why, and the decision.

import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { api, path } from "@/api/client";
import { Problem } from "@/api/problem";
import { useVersioned, useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Change } from "@/editor/shapes";
import { CaseList, ticks } from "@/editor/Cases";
import { ImpactPanel, useImpactPeriod } from "@/editor/ImpactPanel";
import { ImpactView } from "@/editor/ImpactView";
import { TextDiff } from "@/editor/TextDiff";
import { payloadText } from "@/editor/draft";
import { useCheck, useImpact } from "@/editor/live";
import { StateBadge } from "@/parts/Badge";
import { Button, ButtonLink } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { TextArea } from "@/parts/Field";
import { Icon } from "@/parts/Icon";
import { Lints } from "@/parts/Lints";
import { Difference } from "@/parts/Money";
import { FormProblem, Reading } from "@/parts/states";
import { toast } from "@/parts/Toast";
import { ago, count, plain, showInstant, showPeriod } from "@/words";
import { Content } from "./Content";

export function ChangeDetail({ id, onDecided }: { id: string; onDecided: (change: Change) => void }) {
  const found = useVersioned<Change>(path`/changes/${id}`, { parts: ["work", "company", "extensions"] });
  return (
    <Reading
      of={found}
      loading={
        <div role="status" aria-label="Loading" className="card flex min-h-96 flex-col gap-4 p-5">
          <div className="h-6 w-1/3 rounded shimmer" />
          <div className="h-4 w-1/2 rounded shimmer" />
          <div className="h-56 rounded shimmer" />
        </div>
      }
    >
      {(answer) => <Shown change={answer.value} onDecided={onDecided} />}
    </Reading>
  );
}

function Shown({ change, onDecided }: { change: Change; onDecided: (change: Change) => void }) {
  const text = change.kind === "formula" ? payloadText(change) : null;
  const waiting = change.state === "submitted" || change.state === "draft";
  const hasText = (change.text_diff ?? []).some((op) => op.tag !== " ");
  return (
    <article className="flex min-w-0 flex-col gap-4" aria-labelledby="change-title">
      <header className="card flex flex-col gap-3 p-4 sm:p-5">
        <div className="flex flex-wrap items-start justify-between gap-3">
          <div className="min-w-0">
            <Link to="/changes" search={((before: object) => before) as never} className="link mb-1 inline-flex items-center gap-1 text-[0.87rem] lg:hidden">
              <Icon name="left" size={14} /> All changes
            </Link>
            <h2 id="change-title" className="flex flex-wrap items-center gap-2.5 text-lg leading-snug font-semibold">
              <span className="[overflow-wrap:anywhere]">{change.object}</span>
              <StateBadge state={change.state} />
            </h2>
            <p className="text-[0.9rem] text-ink-2">
              {plain(change.kind, true)} by <strong className="font-medium text-ink">{change.author_name}</strong>
              {change.submitted_at ? (
                <>
                  , submitted{" "}
                  <time dateTime={change.submitted_at} title={showInstant(change.submitted_at)}>
                    {ago(change.submitted_at)}
                  </time>
                </>
              ) : null}
            </p>
          </div>
          {change.kind === "formula" ? (
            <ButtonLink size="sm" to="/formulas/$name" params={{ name: change.object } as never} icon="formula">
              Open the formula
            </ButtonLink>
          ) : null}
        </div>
        {change.comment ? <blockquote className="max-w-prose border-l-3 border-accent pl-3 whitespace-pre-wrap">{change.comment}</blockquote> : <p className="text-ink-3">No comment was given.</p>}
      </header>
      <div className={text ? "flex min-w-0 flex-col gap-4 2xl:grid 2xl:grid-cols-[minmax(0,11fr)_minmax(0,9fr)] 2xl:items-start" : "flex min-w-0 flex-col gap-4"}>
        <div className="contents min-w-0 flex-col gap-4 2xl:flex">
          <Card title="What differs" className="order-1">
            {change.lints.length > 0 ? (
              <div className="mb-4">
                <Lints of={change.lints} change />
              </div>
            ) : null}
            {hasText ? <TextDiff ops={change.text_diff} name={change.object} sides={["active", "this change"]} height="34rem" /> : <Content change={change} />}
          </Card>
          {text && waiting ? <Cases name={change.object} source={text.source} cases={text.cases} /> : null}
          <Path change={change} />
        </div>
        {text && waiting ? (
          <div className="order-2 min-w-0">
            <ImpactPanel name={change.object} source={text.source} ok />
          </div>
        ) : change.impact ? (
          <Card className="order-2" title="Impact in money" aside="as recorded with the change">
            <ImpactView impact={change.impact} current />
          </Card>
        ) : null}
      </div>
      <Decision key={`${change.change_id}-${change.version}`} change={change} onDecided={onDecided} />
    </article>
  );
}

/** In reach while one reads; above the phone's bar. */
const STICKY = "card sticky bottom-16 flex flex-col gap-3 px-4 py-3 shadow-high sm:px-5 md:bottom-3";

function Cases({ name, source, cases }: { name: string; source: string; cases: string }) {
  const text = useMemo(() => ({ source, cases }), [source, cases]);
  const check = useCheck(name, text);
  return (
    <Card title="Cases" aside={check.answer ? `run again in ${check.answer.millis} ms` : undefined} flush className="order-3">
      {check.answer && check.answer.errors.length > 0 ? (
        <ul className="px-4 pb-3 text-bad sm:px-5">
          {check.answer.errors.map((error, at) => (
            <li key={at}>
              line {error.line}: {ticks(error.message)}
            </li>
          ))}
        </ul>
      ) : null}
      <CaseList check={check.answer} current={check.current} cases={cases} />
    </Card>
  );
}

function Decision({ change, onDecided }: { change: Change; onDecided: (change: Change) => void }) {
  const session = useSession();
  const may = useMay();
  const [comment, setComment] = useState("");
  const [wantsReason, setWantsReason] = useState(false);
  const refresh = ["/changes", path`/changes/${change.change_id}`, "/formulas"];
  const approve = useWrite(
    (given: string, { idempotencyKey }) =>
      api.post<{ change: Change; job_id: string | null }>(
        path`/changes/${change.change_id}/approval`,
        { content_hash: change.content_hash, ...(given ? { comment: given } : {}) },
        { idempotencyKey },
      ),
    {
      refresh,
      onDone: (answer) => {
        toast(answer.job_id ? `Approved: ${change.object} is active, pay is being calculated.` : `Approved: ${change.object} is active.`);
        onDecided(change);
      },
    },
  );
  const reject = useWrite((given: string, { idempotencyKey }) => api.post<unknown>(path`/changes/${change.change_id}/rejection`, { comment: given }, { idempotencyKey }), {
    refresh,
    onDone: () => {
      toast(`Rejected: ${change.author_name} sees why.`);
      onDecided(change);
    },
  });
  const submit = useWrite((_: null, { idempotencyKey }) => api.post<unknown>(path`/changes/${change.change_id}/submission`, undefined, { idempotencyKey }), {
    refresh,
    onDone: () => toast("Submitted. It becomes active when a second person approves it."),
  });
  const withdraw = useWrite((_: null, { idempotencyKey }) => api.post<unknown>(path`/changes/${change.change_id}/withdrawal`, undefined, { idempotencyKey }), {
    refresh,
    onDone: () => toast("Withdrawn."),
  });
  const own = change.author === session.user_id;
  const moved = change.current_digest !== change.base_digest;
  const busy = approve.isPending || reject.isPending || submit.isPending || withdraw.isPending;

  if (change.state === "draft") {
    return (
      <Bar says={own ? "Your draft. Submit it, and a second person decides." : `${change.author_name} has not submitted it yet.`} error={submit.error ?? withdraw.error}>
        {own ? (
          <>
            <Button look="quiet" disabled={busy} onClick={() => withdraw.mutate(null)}>
              Withdraw
            </Button>
            <Button look="primary" busy={submit.isPending} disabled={busy} onClick={() => submit.mutate(null)}>
              Submit
            </Button>
          </>
        ) : null}
      </Bar>
    );
  }
  if (change.state !== "submitted") return null;
  const why = own
    ? "You wrote this change, so somebody else has to decide on it."
    : !may("approve-changes")
      ? "Deciding on changes is for those who may approve; you may read it."
      : null;
  if (why) {
    return (
      <Bar says={why} error={withdraw.error}>
        {own ? (
          <Button look="quiet" disabled={busy} onClick={() => withdraw.mutate(null)}>
            Withdraw
          </Button>
        ) : null}
        <Button disabled title={why}>
          Reject
        </Button>
        <Button look="primary" disabled title={why}>
          Approve
        </Button>
      </Bar>
    );
  }
  const given = comment.trim();
  const text = change.kind === "formula" ? payloadText(change) : null;
  const cost = text ? <Cost name={change.object} source={text.source} /> : null;
  const error = approve.error ?? reject.error;
  const reread = error instanceof Problem && (error.status === 409 || error.status === 412);
  return (
    <section className={STICKY} aria-label="Decision" style={{ zIndex: "var(--z-sticky)" }}>
      <div className="flex flex-wrap items-end gap-x-3 gap-y-2">
        <TextArea
          className="min-w-64 flex-1"
          label="Comment (needed to reject)"
          error={wantsReason && given === "" ? "Say why, so that the author can mend it." : null}
          rows={1}
          maxLength={2000}
          value={comment}
          onChange={(event) => setComment(event.target.value)}
          onKeyDown={(event) => {
            if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && !busy && !moved) {
              event.preventDefault();
              approve.mutate(given);
            }
          }}
        />
        <div className="flex gap-2">
          <Button look="danger" busy={reject.isPending} disabled={busy} onClick={() => (given === "" ? setWantsReason(true) : reject.mutate(given))}>
            Reject
          </Button>
          <Button look="primary" icon="check" busy={approve.isPending} disabled={busy || moved} title="Ctrl Enter in the comment" onClick={() => approve.mutate(given)}>
            Approve
          </Button>
        </div>
      </div>
      <FormProblem error={error} />
      {reread ? <p className="text-ink-2">What you see is read again now: look at it once more, then decide.</p> : null}
      {moved ? <p className="text-warn">What is active has changed since this was drafted: it cannot be approved until its author has taken that into account.</p> : null}
      {cost}
    </section>
  );
}

/** The sum of it all beside the buttons. */
function Cost({ name, source }: { name: string; source: string }) {
  const period = useImpactPeriod();
  const impact = useImpact(name, source, period, null, true).answer;
  return (
    <p className="num min-h-[1.45em] text-[0.9rem] !whitespace-normal text-ink-2">
      {impact?.complete ? (
        <>
          Net cost <Difference amount={impact.totals.difference} currency={impact.currency} className="font-semibold" />,{" "}
          {count(impact.totals.gain_count, "payee gains", "payees gain")}, {count(impact.totals.loss_count, "loses", "lose")},{" "}
          {impact.period ? showPeriod(impact.period) : "all periods"}
        </>
      ) : impact ? (
        "With this text the calculation does not get through."
      ) : (
        ""
      )}
    </p>
  );
}

function Bar({ says, error, children }: { says: string; error?: unknown; children?: ReactNode }) {
  return (
    <section className={STICKY} aria-label="Decision" style={{ zIndex: "var(--z-sticky)" }}>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="min-w-48 flex-1 text-ink-2">{says}</p>
        {children ? <div className="flex gap-2">{children}</div> : null}
      </div>
      <FormProblem error={error} />
    </section>
  );
}

/** What happened to the change, in order. */
function Path({ change }: { change: Change }) {
  const session = useSession();
  const name = (id: string) => (id === session.user_id ? "you" : (change.decided_by_name ?? id));
  const steps: { says: string; at: string; note?: string | null }[] = [
    { says: `begun by ${change.author_name}`, at: change.created_at },
    ...(change.submitted_at ? [{ says: "submitted", at: change.submitted_at, note: change.comment || null }] : []),
    ...(change.decided_at
      ? [{ says: change.state === "withdrawn" ? "withdrawn" : `${change.state}${change.decided_by ? ` by ${name(change.decided_by)}` : ""}`, at: change.decided_at, note: change.decision_comment }]
      : []),
  ];
  return (
    <Card className="order-4" title="What happened to it" aside={change.content_hash ? <span className="font-mono text-[0.8rem]" title="What an approver approves: the hash of the content">{change.content_hash.slice(0, 12)}</span> : undefined}>
      <ol className="flex flex-col gap-2.5">
        {steps.map((step) => (
          <li key={step.says} className="flex gap-3">
            <span aria-hidden="true" className="mt-1.5 size-2 shrink-0 rounded-full bg-(--control)" />
            <span className="min-w-0">
              {step.says}, <time dateTime={step.at}>{showInstant(step.at)}</time>
              {step.note ? <span className="block text-ink-2">“{step.note}”</span> : null}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}
