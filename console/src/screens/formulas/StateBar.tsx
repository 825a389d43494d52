// Where the text stands on its way to being active, and who may do what next.

import { Link } from "@tanstack/react-router";
import { Suspense, lazy, useState } from "react";
import type { Standing } from "@/editor/draft";
import { payloadText } from "@/editor/draft";
import type { Draft } from "@/editor/useDraft";
import { Button, IconButton } from "@/parts/Button";
import { ConfirmDialog } from "@/parts/Dialog";
import { Icon } from "@/parts/Icon";
import { Menu } from "@/parts/Menu";
import { ago } from "@/words";

const OutdatedDialog = lazy(() => import("./ConflictDialog").then((found) => ({ default: found.OutdatedDialog })));

const STEPS = ["Draft", "Submitted", "Approved and active"] as const;

function stepOf(now: Standing, submitted: boolean): number {
  if (now.phase === "active" || now.phase === "read-only") return 2;
  return submitted && !now.unsaved ? 1 : 0;
}

export function StateBar({ draft, now, onSubmit }: { draft: Draft; now: Standing; onSubmit: () => void }) {
  const [withdrawing, setWithdrawing] = useState(false);
  const [comparing, setComparing] = useState(false);
  const { mine } = draft;
  const at = stepOf(now, mine?.state === "submitted");
  const waiting = draft.others[0];
  const { rejected } = draft;
  return (
    <section className="card flex flex-col" aria-label="Standing of the text">
      <div className="flex flex-wrap items-center gap-x-5 gap-y-2.5 px-4 py-2.5 sm:px-5">
        <ol className="flex flex-wrap items-center gap-x-2 gap-y-1 text-[0.87rem]">
          {STEPS.map((step, n) => (
            <li key={step} aria-current={n === at ? "step" : undefined} className="inline-flex items-center gap-2">
              {n > 0 ? <span aria-hidden="true" className="h-px w-5 bg-line-strong" /> : null}
              <span
                className={`inline-flex items-center gap-1.5 rounded-full px-2.5 py-0.5 font-medium whitespace-nowrap ${n === at ? (n === 2 ? "bg-accent-soft text-accent" : n === 1 ? "bg-warn-soft text-warn" : "bg-sunken text-ink") : "text-ink-3"}`}
              >
                {n === at && n === 2 ? <Icon name="check" size={13} /> : null}
                {step}
                {n === 0 && n === at && now.unsaved ? <span className="text-warn">· unsaved</span> : null}
              </span>
            </li>
          ))}
        </ol>
        <p className="flex min-h-[2.6em] min-w-[14rem] flex-1 flex-wrap content-center items-center gap-x-2 text-[0.93rem] leading-[1.3] text-ink-2" role="status">
          <span>{now.says}</span>
          {now.phase === "active" && waiting ? (
            <Link to="/changes/$id" params={{ id: waiting.change_id }} className="link">
              {draft.me.mayApprove ? "Look and decide" : "Look at it"}
            </Link>
          ) : null}
          {now.phase === "submitted" && mine ? (
            <Link to="/changes/$id" params={{ id: mine.change_id }} className="link">
              As approvers see it
            </Link>
          ) : null}
        </p>
        {now.phase === "read-only" ? null : (
          <div className="flex items-center gap-2">
            <Button onClick={() => draft.save()} disabled={!now.save.allowed} title={now.save.why ?? "Ctrl S"} busy={draft.saving}>
              Save draft
            </Button>
            <Button look="primary" onClick={onSubmit} disabled={!now.submit.allowed || draft.saving} title={now.submit.why ?? "Ctrl Enter"}>
              Submit…
            </Button>
            <Menu
              label="More acts"
              trigger={<IconButton icon="more" label="More acts" />}
              items={[
                {
                  label: "Back to the saved text",
                  disabled: !now.unsaved,
                  onSelect: () => draft.setText(mine ? payloadText(mine) : draft.active),
                },
                { label: "Back to the active text", disabled: !now.revert.allowed, onSelect: () => draft.setText(draft.active) },
                { kind: "line" },
                { label: "Withdraw…", danger: true, disabled: !now.withdraw.allowed, onSelect: () => setWithdrawing(true) },
              ]}
            />
          </div>
        )}
      </div>
      {draft.restoredAt ? (
        <Note act="Give it up" onAct={() => draft.setText(mine ? payloadText(mine) : draft.active)}>
          Text that you had not saved was kept, last typed {ago(new Date(draft.restoredAt).toISOString())}.
        </Note>
      ) : null}
      {draft.outdated && now.phase !== "read-only" ? (
        <Note act="Compare with it" onAct={() => setComparing(true)}>
          The active text has changed since this one was begun.
        </Note>
      ) : null}
      {rejected && now.phase === "active" ? (
        <Note act="Take up that text again" onAct={() => draft.takeUp(rejected)}>
          Your last change was rejected{rejected.decision_comment ? `: “${rejected.decision_comment}”` : "."}
        </Note>
      ) : null}
      <Suspense fallback={null}>{comparing ? <OutdatedDialog draft={draft} onClose={() => setComparing(false)} /> : null}</Suspense>
      <ConfirmDialog
        open={withdrawing}
        onOpenChange={setWithdrawing}
        title="Withdraw your change?"
        description="The draft is closed; its text stays readable under Changes. The active text stays as it is."
        act="Withdraw"
        look="danger"
        onConfirm={() => {
          setWithdrawing(false);
          if (mine) draft.withdraw(mine);
        }}
      />
    </section>
  );
}

function Note({ children, act, onAct }: { children: React.ReactNode; act?: string; onAct?: () => void }) {
  return (
    <p className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line bg-warn-soft px-4 py-1.5 text-[0.9rem] last:rounded-b-card sm:px-5">
      <span className="min-w-0">{children}</span>
      {act ? (
        <button type="button" className="link" onClick={onAct}>
          {act}
        </button>
      ) : null}
    </p>
  );
}
