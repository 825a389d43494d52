// One question: its thread, and the explanation as it was when it was asked.

import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { api, path } from "@/api/client";
import { useVersioned, useWrite } from "@/api/read";
import { useMay } from "@/api/session";
import type { Question as QuestionData } from "@/api/types";
import { StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { TextArea } from "@/parts/Field";
import { Icon } from "@/parts/Icon";
import { Messages } from "@/parts/Messages";
import { Screen } from "@/parts/Screen";
import { TraceTree } from "@/parts/Trace";
import { toastProblem } from "@/parts/Toast";
import { FormProblem, Loading, Reading } from "@/parts/states";
import { ago, showPeriod } from "@/words";

export default function Question() {
  const { id } = useParams({ strict: false }) as { id: string };
  const at = path`/questions/${id}`;
  const question = useVersioned<QuestionData>(at, { parts: ["work"] });
  const data = question.data?.value;
  return (
    <Screen
      title={data?.subject ?? "Question"}
      lead={
        data ? (
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <StateBadge state={data.state} />
            <Link
              to="/statements/$period"
              params={{ period: data.period_id }}
              search={{ payee: data.payee_id, line: data.line === null ? undefined : String(data.line) } as never}
              className="link"
            >
              {data.payee_name}, {showPeriod(data.period_id)}
              {data.line === null ? "" : `, line ${data.line}`}
            </Link>
          </div>
        ) : undefined
      }
      actions={data && question.data ? <StateActs at={at} question={data} etag={question.data.etag} /> : undefined}
    >
      <Link to="/questions" className="link -mt-1 inline-flex items-center gap-1 self-start">
        <Icon name="left" size={14} />
        All questions
      </Link>
      <Reading of={question} loading={<Loading lines={8} />}>
        {({ value }) => (
          <div className="grid items-start gap-4 lg:grid-cols-[1fr_1fr]">
            <Thread at={at} question={value} />
            <Card title="As it was when it was asked">
              {value.trace ? <TraceTree tree={value.trace} label="Explanation when the question was asked" /> : <p className="text-ink-2">No explanation was kept.</p>}
            </Card>
          </div>
        )}
      </Reading>
    </Screen>
  );
}

function StateActs({ at, question, etag }: { at: string; question: QuestionData; etag: string | null }) {
  const may = useMay();
  const set = useWrite((state: string) => api.patch<QuestionData>(at, { state }, { ifMatch: etag ?? undefined }), { refresh: [at, "/questions"] });
  if (!may("ask", "answer-questions")) return null;
  const closed = question.state === "closed";
  return (
    <Button busy={set.isPending} icon={closed ? undefined : "check"} onClick={() => set.mutate(closed ? "open" : "closed", { onError: toastProblem })}>
      {closed ? "Open again" : "Close question"}
    </Button>
  );
}

function Thread({ at, question }: { at: string; question: QuestionData }) {
  const may = useMay();
  const [body, setBody] = useState("");
  const write = useWrite((text: string, options) => api.post<QuestionData>(`${at}/messages`, { body: text }, options), {
    refresh: [at, "/questions"],
    onDone: () => setBody(""),
  });
  return (
    <Card title="Thread" aside={`asked ${ago(question.asked_at)}`}>
      <Messages messages={question.messages} />
      {question.state === "closed" ? (
        <p className="mt-4 text-ink-2">This question is closed. Open it again to write more.</p>
      ) : may("ask", "answer-questions") ? (
        <form
          className="mt-4 flex flex-col gap-2.5"
          onSubmit={(event) => {
            event.preventDefault();
            if (body.trim()) write.mutate(body.trim());
          }}
        >
          <TextArea
            label={may("answer-questions") ? "Answer" : "Your message"}
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
          <Button type="submit" look="primary" className="self-start" busy={write.isPending} disabled={body.trim() === ""}>
            Send
          </Button>
        </form>
      ) : null}
    </Card>
  );
}
