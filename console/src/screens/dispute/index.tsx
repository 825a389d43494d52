// One question or dispute: what it said and what is expected, the thread, files, who looks at it, and what was answered or decided.

import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useRef, useState } from "react";
import { api, download, path } from "@/api/client";
import { useVersioned, useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Attachment, Dispute as DisputeData, DisputeState } from "@/api/work";
import { subtract } from "@/money";
import { Badge, StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { ConfirmDialog } from "@/parts/Dialog";
import { TextArea } from "@/parts/Field";
import { Icon } from "@/parts/Icon";
import { Messages } from "@/parts/Messages";
import { Difference, Money } from "@/parts/Money";
import { Pairs } from "@/parts/Pairs";
import { Screen } from "@/parts/Screen";
import { TraceTree } from "@/parts/Trace";
import { toast, toastProblem } from "@/parts/Toast";
import { FormProblem, Loading, Reading } from "@/parts/states";
import { FILE_KINDS, about, fileFault, fileSize, isUndecided } from "@/screens/disputes/words";
import { ago, plain, showInstant, showPeriod } from "@/words";
import { AssignDialog, EscalateDialog, HoldDialog, ResolveDialog } from "./Decide";

export default function Dispute() {
  const { id } = useParams({ strict: false }) as { id: string };
  const at = path`/disputes/${id}`;
  const dispute = useVersioned<DisputeData>(at, { parts: ["work"] });
  const data = dispute.data?.value;
  return (
    <Screen
      title={data?.subject ?? "Question or dispute"}
      lead={
        data ? (
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <Badge>{data.kind}</Badge>
            <StateBadge state={data.state} />
            {data.holds_pay ? <Badge tone="warn">holds pay</Badge> : null}
            {data.outcome ? <StateBadge state={data.outcome} /> : null}
            {data.overdue ? <Badge tone="bad">overdue</Badge> : null}
            <Link
              to="/statements/$period"
              params={{ period: data.period_id }}
              search={{ payee: data.payee_id, line: data.line === null ? undefined : String(data.line) } as never}
              className="link"
            >
              {data.payee_name}, {showPeriod(data.period_id)}, {about(data)}
            </Link>
          </div>
        ) : undefined
      }
      actions={data && dispute.data ? <Acts at={at} dispute={data} etag={dispute.data.etag} /> : undefined}
    >
      <Link to="/disputes" className="link -mt-1 inline-flex items-center gap-1 self-start">
        <Icon name="left" size={14} />
        All inquiries
      </Link>
      <Reading of={dispute} loading={<Loading lines={8} />}>
        {({ value }) => (
          <div className="grid items-start gap-4 lg:grid-cols-[1fr_1fr]">
            <div className="flex min-w-0 flex-col gap-4">
              <Figures dispute={value} />
              <Thread at={at} dispute={value} />
            </div>
            <div className="flex min-w-0 flex-col gap-4">
              <Files at={at} dispute={value} />
              <Card title={value.kind === "question" ? "As it was when it was asked" : "As it was when it was raised"}>
                {value.trace ? <TraceTree tree={value.trace} label={value.kind === "question" ? "Explanation when the question was asked" : "Explanation when the dispute was raised"} /> : <p className="text-ink-2">There was no statement to explain.</p>}
              </Card>
            </div>
          </div>
        )}
      </Reading>
    </Screen>
  );
}

function Figures({ dispute }: { dispute: DisputeData }) {
  const session = useSession();
  const who = (user: string, name: string | null) => (user === session.user_id ? "you" : (name ?? user));
  return (
    <Card title="What it is about">
      <div className="flex flex-col gap-4">
        <div className="flex flex-wrap gap-x-8 gap-y-3">
          {dispute.paid !== null ? <Figure name={dispute.about === "line" ? "The line said" : "Earned"} value={<Money amount={dispute.paid} />} /> : null}
          {dispute.expected !== null ? <Figure name="Expected" value={<Money amount={dispute.expected} />} /> : null}
          {dispute.paid !== null && dispute.expected !== null ? <Figure name="Difference" value={<Difference amount={subtract(dispute.expected, dispute.paid)} />} /> : null}
          {dispute.granted !== null ? <Figure name="Granted" value={<Difference amount={dispute.granted} className="font-semibold" />} /> : null}
        </div>
        <Pairs
          pairs={[
            [dispute.kind === "question" ? "Asked by" : "Raised by", `${who(dispute.raised_by, dispute.raised_by_name)}, ${ago(dispute.raised_at)}`],
            dispute.transaction_id ? ["Deal", dispute.transaction_id] : null,
            ["Looked at by", dispute.assigned_to ? who(dispute.assigned_to, dispute.assigned_to_name) : "nobody yet"],
            dispute.holds_pay ? ["Pay", "no payout pays the payee before this is settled"] : null,
            isUndecided(dispute) ? [dispute.kind === "question" ? "To be answered" : "To be decided", <time key="due" dateTime={dispute.due_at} title={showInstant(dispute.due_at)}>{ago(dispute.due_at)}</time>] : null,
            dispute.outcome ? ["Decision", plain(dispute.outcome, true)] : null,
          ]}
        />
        <Waiting dispute={dispute} />
      </div>
    </Card>
  );
}

function Figure({ name, value }: { name: string; value: ReactNode }) {
  return (
    <div>
      <p className="label">{name}</p>
      <p className="text-[1.15rem] font-medium">{value}</p>
    </div>
  );
}

/** The change by which what was granted is paid: it waits for a second person. */
function Waiting({ dispute }: { dispute: DisputeData }) {
  const may = useMay();
  if (!dispute.change_id && !dispute.case_change_id) return null;
  const seesChanges = may("see-rules", "draft-changes", "approve-changes");
  return (
    <div className="flex flex-col gap-1.5 rounded-control bg-sunken px-3.5 py-2.5 text-[0.93rem]">
      {dispute.change_id ? (
        <p>
          {dispute.change_state === "submitted" ? "What was granted waits for a second person" : `The adjustment is ${dispute.change_state ?? "decided"}`}
          {seesChanges ? (
            <>
              {": "}
              <Link className="link" to="/changes/$id" params={{ id: dispute.change_id }}>
                open the change
              </Link>
            </>
          ) : null}
          . {dispute.change_state === "submitted" ? "It is paid by the first run after the approval." : ""}
        </p>
      ) : null}
      {dispute.case_change_id ? (
        <p>
          Its line is a case of the formula
          {seesChanges ? (
            <>
              {": "}
              <Link className="link" to="/changes/$id" params={{ id: dispute.case_change_id }}>
                open the draft
              </Link>
            </>
          ) : null}
          .
        </p>
      ) : null}
    </div>
  );
}

function Acts({ at, dispute, etag }: { at: string; dispute: DisputeData; etag: string | null }) {
  const may = useMay();
  const session = useSession();
  const [open, setOpen] = useState<"assign" | "resolve" | "withdrawn" | "open" | "escalate" | "hold" | null>(null);
  const refresh = [at, "/disputes", "/changes", "/notices/count"];
  const move = useWrite(({ state, comment }: { state: DisputeState; comment: string }) => api.patch<DisputeData>(at, { state, comment }, { ifMatch: etag ?? undefined }), {
    refresh,
    onDone: (now) => {
      setOpen(null);
      toast(`The ${now.kind} is ${now.state}.`);
    },
  });
  const makeCase = useWrite((_: null, options) => api.post<DisputeData>(`${at}/case`, undefined, options), { refresh, onDone: () => toast("The line is drafted as a case of its formula.") });
  const decides = may("answer-questions") && session.payee_id !== dispute.payee_id;
  const raised = dispute.raised_by === session.user_id;
  const undecided = isUndecided(dispute);
  const question = dispute.kind === "question";
  const alive = undecided || dispute.state === "answered";
  const waits = dispute.change_state === "submitted" || dispute.change_state === "draft";
  return (
    <>
      {dispute.about === "line" && dispute.expected !== null && !dispute.case_change_id && may("draft-changes") ? (
        <Button icon="formula" busy={makeCase.isPending} onClick={() => makeCase.mutate(null, { onError: toastProblem })}>
          Make a case of it
        </Button>
      ) : null}
      {alive && raised ? <Button onClick={() => setOpen("withdrawn")}>Withdraw</Button> : null}
      {!undecided && !waits && (raised || may("answer-questions")) ? <Button onClick={() => setOpen("open")}>Open again</Button> : null}
      {question && alive && (raised || may("answer-questions")) ? (
        <Button icon="dispute" onClick={() => setOpen("escalate")}>
          Make a dispute of it…
        </Button>
      ) : null}
      {!question && decides && (undecided || (dispute.state === "resolved" && waits)) ? (
        <Button onClick={() => setOpen("hold")}>{dispute.holds_pay ? "Release pay…" : "Hold pay…"}</Button>
      ) : null}
      {((question && alive) || (dispute.state === "resolved" && !waits)) && (raised || may("answer-questions")) ? (
        <Button icon="check" busy={move.isPending} onClick={() => move.mutate({ state: "closed", comment: "" }, { onError: toastProblem })}>
          {question ? "Close question" : "Close"}
        </Button>
      ) : null}
      {undecided && may("answer-questions") ? <Button onClick={() => setOpen("assign")}>Assign…</Button> : null}
      {undecided && decides && !question ? (
        <Button look="primary" icon="check" onClick={() => setOpen("resolve")}>
          Decide…
        </Button>
      ) : null}
      {open === "assign" ? <AssignDialog at={at} dispute={dispute} etag={etag} refresh={refresh} onClose={() => setOpen(null)} /> : null}
      {open === "resolve" ? <ResolveDialog at={at} dispute={dispute} etag={etag} refresh={refresh} onClose={() => setOpen(null)} /> : null}
      {open === "escalate" ? <EscalateDialog at={at} etag={etag} refresh={refresh} onClose={() => setOpen(null)} /> : null}
      {open === "hold" ? <HoldDialog at={at} dispute={dispute} etag={etag} refresh={[...refresh, "/payouts"]} onClose={() => setOpen(null)} /> : null}
      {open === "withdrawn" || open === "open" ? (
        <StepDialog
          title={open === "open" ? "Open again" : "Withdraw"}
          description={open === "open" ? `It is to be ${question ? "answered" : "decided"} anew; say what is still wrong.` : "Nobody looks at it any more. You can open it again."}
          busy={move.isPending}
          error={move.error}
          onClose={() => setOpen(null)}
          onConfirm={(comment) => move.mutate({ state: open, comment })}
        />
      ) : null}
    </>
  );
}

function StepDialog({ title, description, busy, error, onClose, onConfirm }: { title: string; description: string; busy: boolean; error: unknown; onClose: () => void; onConfirm: (comment: string) => void }) {
  const [comment, setComment] = useState("");
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={title}
      description={description}
      act={title}
      busy={busy}
      onConfirm={() => onConfirm(comment.trim())}
    >
      <div className="flex flex-col gap-3.5">
        <TextArea label="Comment" hint="May stay empty." rows={3} maxLength={5_000} value={comment} onChange={(event) => setComment(event.target.value)} />
        <FormProblem error={error} />
      </div>
    </ConfirmDialog>
  );
}

function Thread({ at, dispute }: { at: string; dispute: DisputeData }) {
  const may = useMay();
  const own = useSession().user_id === dispute.raised_by;
  const [body, setBody] = useState("");
  const write = useWrite((text: string, options) => api.post<DisputeData>(`${at}/messages`, { body: text }, options), {
    refresh: [at, "/disputes"],
    onDone: () => setBody(""),
  });
  const over = dispute.state === "closed" || dispute.state === "withdrawn";
  return (
    <Card title="Thread" aside={`${dispute.kind === "question" ? "asked" : "raised"} ${ago(dispute.raised_at)}`}>
      <Messages messages={dispute.messages} />
      {over ? (
        <p className="mt-4 text-ink-2">
          This {dispute.kind} is {dispute.state}. Open it again to write more.
        </p>
      ) : may("ask", "answer-questions") ? (
        <form
          className="mt-4 flex flex-col gap-2.5"
          onSubmit={(event) => {
            event.preventDefault();
            if (body.trim()) write.mutate(body.trim());
          }}
        >
          <TextArea
            label={dispute.kind === "question" && may("answer-questions") && !own ? "Answer" : "Your message"}
            rows={3}
            maxLength={5_000}
            value={body}
            onChange={(event) => setBody(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) event.currentTarget.form?.requestSubmit();
            }}
            hint="Ctrl and Enter sends it."
          />
          <FormProblem error={write.error} />
          <Button type="submit" className="self-start" busy={write.isPending} disabled={body.trim() === ""}>
            Send
          </Button>
        </form>
      ) : null}
    </Card>
  );
}

function Files({ at, dispute }: { at: string; dispute: DisputeData }) {
  const may = useMay();
  const input = useRef<HTMLInputElement>(null);
  const attach = useWrite(
    (file: File, options) => api.post<Attachment>(`${at}/attachments`, undefined, { ...options, query: { name: file.name }, raw: { content: file, type: "application/octet-stream" } }),
    { refresh: [at], onDone: (file) => toast(`${file.name} is attached.`) },
  );
  const over = dispute.state === "closed" || dispute.state === "withdrawn";
  const choose = (file: File) => {
    const fault = fileFault(file);
    if (fault) toast(fault, "failed");
    else attach.mutate(file, { onError: toastProblem });
  };
  return (
    <Card
      title="Files"
      aside={
        over || !may("ask", "answer-questions") ? undefined : (
          <>
            <Button size="sm" icon="file" busy={attach.isPending} onClick={() => input.current?.click()}>
              Attach a file
            </Button>
            <input
              ref={input}
              type="file"
              accept={FILE_KINDS}
              aria-label="File to attach"
              tabIndex={-1}
              className="sr-only"
              onChange={(event) => {
                const file = event.target.files?.[0];
                event.target.value = "";
                if (file) choose(file);
              }}
            />
          </>
        )
      }
    >
      {dispute.attachments.length === 0 ? (
        <p className="text-ink-2">None.</p>
      ) : (
        <ul className="flex flex-col gap-1.5">
          {dispute.attachments.map((file) => (
            <li key={file.attachment_id} className="flex items-baseline gap-2">
              <Icon name="file" size={15} className="self-center text-ink-3" />
              <a className="link min-w-0 [overflow-wrap:anywhere]" href={download(at + path`/attachments/${file.attachment_id}`)} download>
                {file.name}
              </a>
              <span className="text-[0.83rem] whitespace-nowrap text-ink-3">
                {fileSize(file.size)} · {ago(file.added_at)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
