// One payout: how far it is, who did what, what each payee gets, and the next step.

import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, download, path } from "@/api/client";
import { Problem } from "@/api/problem";
import { useRead, useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Payout as PayoutData, PayoutState } from "@/api/settlement";
import { StateBadge } from "@/parts/Badge";
import { Button, DownloadLink } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { ConfirmDialog } from "@/parts/Dialog";
import { Digest } from "@/parts/Digest";
import { TextField } from "@/parts/Field";
import { Icon } from "@/parts/Icon";
import { Menu, type MenuItem } from "@/parts/Menu";
import { Money } from "@/parts/Money";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { toast, toastProblem } from "@/parts/Toast";
import { FormProblem, Loading, Reading } from "@/parts/states";
import { STATES, acts, approvalRefused, doneBy, exportRefused } from "@/screens/payouts/steps";
import { ago, count, plain, showDay, showInstant, showPeriod } from "@/words";
import { Lines } from "./Lines";

export default function Payout() {
  return useMay()("see-payouts") ? <PayoutScreen /> : <Denied />;
}

function PayoutScreen() {
  const { id } = useParams({ strict: false }) as { id: string };
  const at = path`/payouts/${id}`;
  const payout = useRead<PayoutData>(at, { parts: ["work", "company", "runs"] });
  const data = payout.data;
  return (
    <Screen
      title={data ? `Payout up to ${showPeriod(data.period_id)}` : "Payout"}
      wide
      lead={
        data ? (
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <StateBadge state={data.state} />
            {data.pay_group_id === "default" ? "those in no group" : data.pay_group_id}, {count(data.payee_count, "payee")}, pay day {showDay(data.pay_on)}
          </span>
        ) : undefined
      }
      actions={data ? <Acts at={at} payout={data} /> : undefined}
    >
      <Link to="/payouts" className="link -mt-1 inline-flex items-center gap-1 self-start">
        <Icon name="left" size={14} />
        All payouts
      </Link>
      <Reading of={payout} loading={<Loading lines={10} />}>
        {(shown) => (
          <>
            <Path payout={shown} />
            <Lines at={at} payout={shown} />
            <div className="grid items-start gap-4 lg:grid-cols-2">
              <Hands payout={shown} />
              <Proof payout={shown} />
            </div>
          </>
        )}
      </Reading>
    </Screen>
  );
}

const NAMES: Record<PayoutState, string> = { draft: "Drafted", reviewed: "Reviewed", approved: "Approved", exported: "Exported", paid: "Paid", cancelled: "Cancelled" };

/** The way from draft to paid, and the sum. */
function Path({ payout }: { payout: PayoutData }) {
  const at = STATES.indexOf(payout.state);
  return (
    <section aria-label="How far it is" className="card flex flex-wrap items-center gap-x-8 gap-y-4 p-4 sm:px-5">
      <div>
        <p className="label">{payout.state === "paid" ? "Paid" : "To be paid"}</p>
        <Money amount={payout.amount} currency={payout.currency} className="text-[1.4rem] leading-tight font-semibold" />
        {payout.currency !== payout.company_currency ? (
          <p className="text-[0.87rem] text-ink-3">
            <Money amount={payout.company_amount} currency={payout.company_currency} />
          </p>
        ) : null}
      </div>
      {payout.state === "cancelled" ? (
        <p className="text-ink-2">It was cancelled; what it held is due in the next payout.</p>
      ) : (
        <ol className="flex flex-1 flex-wrap gap-x-6 gap-y-3">
          {STATES.map((state, place) => {
            const done = place <= at;
            const by = doneBy(payout, state);
            return (
              <li key={state} aria-current={place === at ? "step" : undefined} className="flex min-w-28 items-start gap-2">
                <span
                  className={`mt-0.5 inline-flex size-5 shrink-0 items-center justify-center rounded-full text-[0.75rem] font-semibold ${done ? "bg-accent text-on-accent" : "border border-line-strong text-ink-3"}`}
                >
                  {done ? <Icon name="check" size={13} /> : place + 1}
                </span>
                <span>
                  <span className={`block ${done ? "font-medium" : "text-ink-2"}`}>
                    {NAMES[state]}
                    <span className="sr-only">{done ? ": done" : ": to come"}</span>
                  </span>
                  {done && by ? (
                    <span className="block text-[0.83rem] text-ink-3" title={state === "paid" ? undefined : showInstant(by.at)}>
                      {by.name}, {state === "paid" ? showDay(by.at, true) : ago(by.at)}
                    </span>
                  ) : null}
                </span>
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}

type Asked = "confirm" | "cancel" | "approve";

function Acts({ at, payout }: { at: string; payout: PayoutData }) {
  const may = useMay();
  const session = useSession();
  const [asked, setAsked] = useState<Asked | null>(null);
  const refresh = [at, "/payouts"];
  const step = useWrite(({ name, body }: { name: string; body?: unknown }, options) => api.post<PayoutData>(`${at}/${name}`, body, options), {
    refresh,
    onDone: (now, { name }) => {
      setAsked(null);
      toast(name === "refresh" ? (now.content_hash === payout.content_hash ? "Nothing came since." : "It holds what came since; look at it again.") : `The payout is ${now.state}.`);
    },
  });
  const possible = may("manage-payouts") ? acts(payout.state) : [];
  const act = (name: string) => step.mutate({ name }, { onError: toastProblem });
  const refusedApproval = approvalRefused(payout, session.user_id);
  const refusedExport = exportRefused(payout);
  const busy = step.isPending;
  const more: MenuItem[] = [];
  if (payout.state !== "cancelled") {
    const journal = (format: string) => () => window.location.assign(download(`${at}/journal`, { format }));
    more.push({ label: "Journal as CSV", icon: "download", onSelect: journal("csv") }, { label: "Journal for hledger", icon: "download", onSelect: journal("hledger") });
  }
  if (possible.includes("cancel")) more.push({ kind: "line" }, { label: "Cancel the payout…", danger: true, onSelect: () => setAsked("cancel") });
  return (
    <>
      {possible.includes("refresh") ? (
        <Button disabled={busy} onClick={() => act("refresh")} title="Takes what was posted since">
          Refresh
        </Button>
      ) : null}
      {payout.file ? (
        <DownloadLink size="md" href={download(`${at}/file`)}>
          Payment file
        </DownloadLink>
      ) : null}
      {possible.includes("review") ? (
        <Button look="primary" icon="check" busy={busy} onClick={() => act("review")}>
          Mark as reviewed
        </Button>
      ) : null}
      {possible.includes("approve") ? (
        <Button look="primary" icon="check" disabled={refusedApproval !== null} title={refusedApproval ?? undefined} busy={busy} onClick={() => setAsked("approve")}>
          Approve
        </Button>
      ) : null}
      {possible.includes("export") ? (
        <Button look="primary" icon="file" disabled={refusedExport !== null} title={refusedExport ?? undefined} busy={busy} onClick={() => act("export")}>
          Export
        </Button>
      ) : null}
      {possible.includes("confirm") ? (
        <Button look="primary" icon="check" busy={busy} onClick={() => setAsked("confirm")}>
          Confirm payment
        </Button>
      ) : null}
      {more.length > 0 ? (
        <Menu
          label="More acts on this payout"
          trigger={
            <Button aria-label="More acts on this payout">
              <Icon name="more" size={16} />
            </Button>
          }
          items={more}
        />
      ) : null}
      {asked === "approve" ? (
        <ApproveDialog payout={payout} busy={busy} error={step.error} onClose={() => setAsked(null)} onConfirm={(comment) => step.mutate({ name: "approval", body: { content_hash: payout.content_hash, ...(comment ? { comment } : {}) } })} />
      ) : null}
      {asked === "confirm" ? (
        <ConfirmPayment payout={payout} busy={busy} error={step.error} onClose={() => setAsked(null)} onConfirm={(body) => step.mutate({ name: "confirmation", body })} />
      ) : null}
      {asked === "cancel" ? <Cancel busy={busy} error={step.error} onClose={() => setAsked(null)} onConfirm={(reason) => step.mutate({ name: "cancellation", body: { reason } })} /> : null}
    </>
  );
}

interface Asking {
  busy: boolean;
  error: unknown;
  onClose: () => void;
}

function ApproveDialog({ payout, busy, error, onClose, onConfirm }: Asking & { payout: PayoutData; onConfirm: (comment: string) => void }) {
  const [comment, setComment] = useState("");
  const stale = error instanceof Problem && error.status === 409;
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Approve the payout"
      description={`You approve exactly these ${count(payout.payee_count, "payment")}. Where a line changes it is a draft again.`}
      act="Approve"
      busy={busy}
      onConfirm={() => onConfirm(comment.trim())}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          onConfirm(comment.trim());
        }}
      >
        <p>
          <Money amount={payout.amount} currency={payout.currency} className="text-lg font-semibold" /> on {showDay(payout.pay_on)}, content <Digest of={payout.content_hash} name="content hash" />
        </p>
        <TextField label="Comment" hint="May stay empty." maxLength={500} value={comment} onChange={(event) => setComment(event.target.value)} />
        <FormProblem error={error} />
        {stale ? <p className="text-ink-2">What you see is read again: look at it once more.</p> : null}
      </form>
    </ConfirmDialog>
  );
}

function ConfirmPayment({ payout, busy, error, onClose, onConfirm }: Asking & { payout: PayoutData; onConfirm: (given: { reference: string; paid_on: string }) => void }) {
  const [reference, setReference] = useState("");
  const [paidOn, setPaidOn] = useState(payout.pay_on);
  const send = () => {
    if (reference.trim() && paidOn) onConfirm({ reference: reference.trim(), paid_on: paidOn });
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Confirm payment"
      description="Payees see on their statements when it was paid."
      act="Confirm payment"
      busy={busy}
      disabled={reference.trim() === "" || paidOn === ""}
      onConfirm={send}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <TextField label="Reference" hint="What the bank calls the payment." required maxLength={100} autoFocus value={reference} onChange={(event) => setReference(event.target.value)} />
        <TextField label="Paid on" type="date" required value={paidOn} onChange={(event) => setPaidOn(event.target.value)} />
        <FormProblem error={error} />
        <button type="submit" className="hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </ConfirmDialog>
  );
}

function Cancel({ busy, error, onClose, onConfirm }: Asking & { onConfirm: (reason: string) => void }) {
  const [reason, setReason] = useState("");
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Cancel the payout"
      description="What it holds is due again and comes into the next payout. This cannot be taken back."
      act="Cancel the payout"
      look="danger"
      busy={busy}
      disabled={reason.trim() === ""}
      onConfirm={() => onConfirm(reason.trim())}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          if (reason.trim()) onConfirm(reason.trim());
        }}
      >
        <TextField label="Why" required autoFocus maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
        <FormProblem error={error} />
      </form>
    </ConfirmDialog>
  );
}

function Hands({ payout }: { payout: PayoutData }) {
  return (
    <Card title="Who did what">
      <ol className="flex flex-col gap-2.5">
        {[...payout.hands].reverse().map((hand, at) => (
          <li key={at} className="flex gap-3">
            <span aria-hidden="true" className="mt-1.5 size-2 shrink-0 rounded-full bg-(--control)" />
            <span className="min-w-0">
              {plain(hand.action.replace(/-payout$/, ""), true)} by {hand.user_name}, <time title={showInstant(hand.recorded_at)}>{ago(hand.recorded_at)}</time>
              {hand.note && !hand.note.startsWith("sha256 ") ? <span className="block text-[0.87rem] [overflow-wrap:anywhere] text-ink-2">{hand.note}</span> : null}
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Proof({ payout }: { payout: PayoutData }) {
  return (
    <Card title="What was agreed">
      <dl className="grid grid-cols-[max-content_1fr] gap-x-5 gap-y-1.5">
        <dt className="text-ink-3">Content</dt>
        <dd>
          <Digest of={payout.content_hash} name="content hash" />
        </dd>
        {payout.file ? (
          <>
            <dt className="text-ink-3">File</dt>
            <dd className="[overflow-wrap:anywhere]">{payout.file.name}</dd>
            <dt className="text-ink-3">SHA-256</dt>
            <dd>
              <Digest of={payout.file.sha256} name="file's SHA-256" />
            </dd>
            <dt className="text-ink-3">Laid out by</dt>
            <dd>{payout.file.mapping}</dd>
          </>
        ) : null}
        {payout.reference ? (
          <>
            <dt className="text-ink-3">Reference</dt>
            <dd className="[overflow-wrap:anywhere]">{payout.reference}</dd>
          </>
        ) : null}
      </dl>
      {payout.open_periods.length > 0 ? (
        <p className="mt-3 text-warn">
          Before it can be exported, {payout.open_periods.length === 1 ? "this period has" : "these periods have"} to be approved:{" "}
          {payout.open_periods.map((period, at) => (
            <span key={period}>
              {at > 0 ? ", " : ""}
              <Link className="link" to="/periods/$id" params={{ id: period }}>
                {showPeriod(period)}
              </Link>
            </span>
          ))}
          .
        </p>
      ) : null}
    </Card>
  );
}
