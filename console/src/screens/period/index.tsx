// The close of one period: every line of the list is a real check, with the way to what is left to do; then the next step.

import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { api, download, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { periodOf, useMay, useSession } from "@/api/session";
import type { Adjustment, PeriodStatus } from "@/api/settlement";
import type { Change, Items, Page, RunSummary } from "@/api/types";
import type { Acknowledgements, Anomalies, DisputeHead } from "@/api/work";
import { lastDay } from "@/days";
import { Badge, StateBadge } from "@/parts/Badge";
import { Button, DownloadLink } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { ConfirmDialog } from "@/parts/Dialog";
import { TextField } from "@/parts/Field";
import { Icon } from "@/parts/Icon";
import { Names, useNames } from "@/parts/Names";
import { PeriodSelector } from "@/parts/PeriodSelector";
import { Screen } from "@/parts/Screen";
import { useStanding } from "@/parts/Standing";
import { Denied } from "@/parts/Shell";
import { toast } from "@/parts/Toast";
import { Empty, FormProblem, Loading, Reading } from "@/parts/states";
import { type NextStep, askedBy, nextSteps, said } from "@/screens/periods/steps";
import { isUndecided } from "@/screens/disputes/words";
import { ago, count, plain, shortDigest, showDay, showInstant, showPeriod } from "@/words";
import { Unusual } from "./Unusual";
import { type CheckState, openSaid, runCheck } from "./checks";

const REASON_MAX = 500;

export default function Period() {
  return useMay()("see-runs") ? <PeriodScreen /> : <Denied />;
}

function PeriodScreen() {
  const { id } = useParams({ strict: false }) as { id: string };
  const session = useSession();
  const navigate = useNavigate();
  const periods = useRead<Items<PeriodStatus>>("/periods", { parts: ["company", "runs"] });
  const period = periods.data?.items.find((one) => one.period_id === id);
  return (
    <Names>
      <Screen
        title={`Close of ${showPeriod(id)}`}
        lead={
          period ? (
            <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <StateBadge state={period.state} />
              {showDay(period.from)} to {showDay(lastDay(period.until))}
            </span>
          ) : undefined
        }
        selectors={<PeriodSelector value={id} onChange={(next) => void navigate({ to: "/periods/$id", params: { id: next } })} />}
      >
        <Link to="/periods" className="link -mt-1 inline-flex items-center gap-1 self-start">
          <Icon name="left" size={14} />
          All periods
        </Link>
        <Reading of={periods} loading={<Loading lines={8} />}>
          {() =>
            period ? (
              <>
                <div className="grid items-start gap-4 lg:grid-cols-[3fr_2fr]">
                  <Checks period={period} />
                  <Steps period={period} />
                </div>
                {periodOf(session, id)?.state === "calculated" ? <Unusual period={period.period_id} /> : null}
              </>
            ) : (
              <Empty icon="period" title="There is no such period" next="The calendar of the company does not have it." />
            )
          }
        </Reading>
      </Screen>
    </Names>
  );
}

function Checks({ period }: { period: PeriodStatus }) {
  const may = useMay();
  const session = useSession();
  const id = period.period_id;
  const isCalculated = periodOf(session, id)?.state === "calculated";
  const sees = may("see-all-pay") && isCalculated;
  const runs = useRead<Page<RunSummary>>("/runs", { query: { limit: 1 }, parts: ["runs"] });
  const standing = useStanding().data;
  const disputes = useRead<Page<DisputeHead>>("/disputes", { query: { limit: 1000, period: id }, parts: ["work"], enabled: may("ask", "answer-questions", "see-all-pay") });
  const adjustments = useRead<Page<Adjustment>>("/adjustments", { query: { limit: 1000, period: id }, parts: ["work", "company"], enabled: sees });
  const unusual = useRead<Anomalies>(path`/periods/${id}/anomalies`, { parts: ["work", "runs", "company"], enabled: sees });
  const acknowledged = useRead<Acknowledgements>(path`/periods/${id}/acknowledgements`, { parts: ["work", "runs"], enabled: sees });
  const run = standing ? runCheck(standing) : null;
  const last = runs.data?.items[0];
  const open = disputes.data?.items.filter(isUndecided);
  const waiting = adjustments.data?.items.filter((one) => one.state === "submitted");
  const ack = acknowledged.data;
  return (
    <Card title="Is it ready?" aside="looked at live">
      <ul className="flex flex-col gap-3">
        <Check state={run?.state ?? "unknown"} says={run?.says ?? "Looking at the last run…"}>
          {last ? (
            <Link className="link" to="/runs/$id" params={{ id: last.run_id }}>
              run {shortDigest(last.run_id)}
            </Link>
          ) : null}
          {run && run.state !== "good" && may("calculate") ? (
            <Link className="link" to="/runs">
              start a run
            </Link>
          ) : null}
        </Check>
        {isCalculated ? null : (
          <Check state="open" says="Nothing is calculated in this period yet: no statement is there to look at.">
            {null}
          </Check>
        )}
        {sees ? (
          <Check
            state={unusual.error ? "unknown" : !unusual.data ? "unknown" : unusual.data.unreviewed === 0 ? "good" : "open"}
            says={
              unusual.error
                ? "Nothing is calculated to look at"
                : !unusual.data
                  ? "Looking at statements…"
                  : unusual.data.items.length === 0
                    ? "No statement is unusual"
                    : unusual.data.unreviewed === 0
                      ? `${count(unusual.data.items.length, "unusual statement")}, all looked at`
                      : `${count(unusual.data.unreviewed, "unusual statement")} of ${unusual.data.items.length} nobody has looked at`
            }
          >
            {unusual.data && unusual.data.items.length > 0 ? (
              <a className="link" href="#unusual">
                see below
              </a>
            ) : null}
          </Check>
        ) : null}
        <Check state={open ? (open.length === 0 ? "good" : "open") : "unknown"} says={open ? (open.length === 0 ? "No question or dispute is open" : openSaid(open)) : "Looking at questions and disputes…"}>
          {open && open.length > 0 ? (
            <Link className="link" to="/disputes" search={{ period: id } as never}>
              see them
            </Link>
          ) : null}
        </Check>
        {sees ? (
          <Check
            state={waiting ? (waiting.length === 0 ? "good" : "open") : "unknown"}
            says={waiting ? (waiting.length === 0 ? "No adjustment waits" : `${count(waiting.length, "adjustment waits", "adjustments wait")} for a second person`) : "Looking at adjustments…"}
          >
            {waiting && waiting.length > 0 ? (
              <Link className="link" to="/adjustments" search={{ period: id } as never}>
                adjustments
              </Link>
            ) : null}
          </Check>
        ) : null}
        {ack && ack.published > 0 ? (
          <Check state={ack.acknowledged === ack.published ? "good" : "open"} says={`${ack.acknowledged} of ${count(ack.published, "published statement")} acknowledged`}>
            {null}
          </Check>
        ) : null}
      </ul>
      {may("see-payouts") && last?.complete ? (
        <div className="mt-4 flex flex-wrap gap-2 border-t border-line pt-4">
          <DownloadLink href={download(path`/periods/${id}/journal`, { format: "csv" })}>Journal, CSV</DownloadLink>
          <DownloadLink href={download(path`/periods/${id}/journal`, { format: "hledger" })}>Journal, hledger</DownloadLink>
        </div>
      ) : null}
    </Card>
  );
}

const SIGNS: Record<CheckState, { icon: "check" | "warn" | "schedule"; look: string; said: string }> = {
  good: { icon: "check", look: "text-accent", said: "done" },
  open: { icon: "warn", look: "text-warn", said: "to do" },
  unknown: { icon: "schedule", look: "text-ink-3", said: "not known" },
};

function Check({ state, says, children }: { state: CheckState; says: string; children: ReactNode }) {
  const { icon, look, said } = SIGNS[state];
  return (
    <li className="flex items-start gap-2.5">
      <Icon name={icon} className={`mt-0.5 ${look}`} />
      <span className="min-w-0 flex-1">
        <span className="sr-only">{said}: </span>
        {says} <span className="inline-flex flex-wrap gap-x-3 text-[0.9rem]">{children}</span>
      </span>
    </li>
  );
}

function Steps({ period }: { period: PeriodStatus }) {
  const session = useSession();
  const may = useMay();
  const { nameOf } = useNames();
  const [asking, setAsking] = useState<NextStep | "reopen" | null>(null);
  const steps = nextSteps(period, session.user_id, may);
  const frozen = period.state === "approved" || period.state === "closed";
  const asked = period.state === "in-review" ? askedBy(period) : null;
  return (
    <Card title="Next step" aside={asked ? `${nameOf(asked)} asked for review` : undefined}>
      <div className="flex flex-col gap-4">
        {steps.length === 0 ? <p className="text-ink-2">It is closed. What changes later is posted in a later period.</p> : null}
        <div className="flex flex-wrap gap-2">
          {steps.map((step) => (
            <Button key={step.to} look={step.primary ? "primary" : "plain"} disabled={step.refused !== null} title={step.refused ?? undefined} onClick={() => setAsking(step)}>
              {step.act}
            </Button>
          ))}
          {frozen && may("draft-changes") ? <Button onClick={() => setAsking("reopen")}>Ask for reopening</Button> : null}
        </div>
        {steps
          .filter((step) => step.primary && step.refused !== null)
          .map((step) => (
            <p key={step.to} className="text-[0.93rem] text-ink-2">
              {step.refused}
            </p>
          ))}
        <ol className="flex flex-col gap-2.5 border-t border-line pt-4" aria-label="What happened to it">
          {period.steps.length === 0 ? <li className="text-ink-3">Nothing was done with it yet.</li> : null}
          {[...period.steps].reverse().map((step, at) => (
            <li key={at} className="flex gap-3">
              <span aria-hidden="true" className="mt-1.5 size-2 shrink-0 rounded-full bg-(--control)" />
              <span className="min-w-0">
                <Badge>{plain(step.to)}</Badge> by {nameOf(step.actor)}, <time title={showInstant(step.recorded_at)}>{ago(step.recorded_at)}</time>
                {said(period.period_id, step) ? <span className="block text-ink-2">“{said(period.period_id, step)}”</span> : null}
                {step.run_id && (step.to === "approved" || step.to === "closed") ? (
                  <span className="block text-[0.87rem] text-ink-3">
                    stands as{" "}
                    <Link className="link" to="/runs/$id" params={{ id: step.run_id }}>
                      run {shortDigest(step.run_id)}
                    </Link>
                  </span>
                ) : null}
              </span>
            </li>
          ))}
        </ol>
      </div>
      {asking === "reopen" ? <Reopen period={period} onClose={() => setAsking(null)} /> : asking ? <Take period={period} step={asking} onClose={() => setAsking(null)} /> : null}
    </Card>
  );
}

function Take({ period, step, onClose }: { period: PeriodStatus; step: NextStep; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const take = useWrite((given: { to: string; reason: string }, options) => api.post<Items<PeriodStatus>>(path`/periods/${period.period_id}/state`, given, options), {
    refresh: ["/periods", "/session"],
    onDone: () => {
      onClose();
      toast(`${showPeriod(period.period_id)} is ${plain(step.to)}.`);
    },
  });
  const send = () => take.mutate({ to: step.to, reason: reason.trim() });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={`${step.act}: ${showPeriod(period.period_id)}`}
      description={step.says}
      act={step.act}
      busy={take.isPending}
      onConfirm={send}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <TextField label="Comment" hint="One line; it is kept with the step. May stay empty." maxLength={REASON_MAX} value={reason} onChange={(event) => setReason(event.target.value)} />
        <FormProblem error={take.error} />
      </form>
    </ConfirmDialog>
  );
}

function Reopen({ period, onClose }: { period: PeriodStatus; onClose: () => void }) {
  const navigate = useNavigate();
  const [reason, setReason] = useState("");
  const ask = useWrite((given: { reason: string }, options) => api.post<Change>(path`/periods/${period.period_id}/reopening`, given, options), {
    refresh: ["/changes"],
    onDone: (change) => {
      onClose();
      toast("Asked. It is open once somebody else has approved that.");
      void navigate({ to: "/changes/$id", params: { id: change.change_id } });
    },
  });
  const send = () => {
    if (reason.trim()) ask.mutate({ reason: reason.trim() });
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={`Ask for reopening: ${showPeriod(period.period_id)}`}
      description="It becomes a change that a second person decides on. What was paid stays paid; differences come on top."
      act="Ask for reopening"
      busy={ask.isPending}
      disabled={reason.trim() === ""}
      onConfirm={send}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <TextField label="Why" required maxLength={REASON_MAX} value={reason} onChange={(event) => setReason(event.target.value)} />
        <FormProblem error={ask.error} />
      </form>
    </ConfirmDialog>
  );
}
