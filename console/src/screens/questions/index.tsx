// All questions about statements that one may see, the newest first.

import { Link } from "@tanstack/react-router";
import { usePages } from "@/api/read";
import { useMay } from "@/api/session";
import type { QuestionSummary } from "@/api/types";
import { StateBadge } from "@/parts/Badge";
import { Button, ButtonLink } from "@/parts/Button";
import { Choices } from "@/parts/Choices";
import { Icon } from "@/parts/Icon";
import { Screen } from "@/parts/Screen";
import { Empty, Failed, Loading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, showInstant, showPeriod } from "@/words";

const STATES = [
  { value: undefined, label: "All" },
  { value: "open", label: "Open" },
  { value: "answered", label: "Answered" },
  { value: "closed", label: "Closed" },
] as const;

export default function Questions() {
  const may = useMay();
  const [state, setState] = useUrlState("state");
  const questions = usePages<QuestionSummary>("/questions", { query: { state }, parts: ["work"], keep: true });
  return (
    <Screen
      title="Questions"
      lead={may("answer-questions") ? "What people ask about their statements." : "What you asked about your statements, and the answers."}
      selectors={<Choices label="State" choices={STATES} value={state} onChange={setState} />}
    >
      {questions.error ? (
        <Failed error={questions.error} retry={questions.retry} />
      ) : questions.isPending ? (
        <Loading />
      ) : questions.items.length === 0 ? (
        <Empty
          icon="question"
          title={state ? `No ${state} questions` : "No questions"}
          next="Open a statement and ask about the line that you do not understand."
          action={<ButtonLink to="/statements">Statements</ButtonLink>}
        />
      ) : (
        <ul className="card divide-y divide-line overflow-hidden">
          {questions.items.map((question) => (
            <li key={question.question_id}>
              <Link to="/questions/$id" params={{ id: question.question_id }} className="flex items-center gap-3 px-4 py-3 hover:bg-sunken sm:px-5">
                <span className="min-w-0 flex-1">
                  <span className="block truncate font-medium">{question.subject}</span>
                  <span className="block truncate text-[0.87rem] text-ink-3">
                    {question.payee_name} · {showPeriod(question.period_id)}
                    {question.line !== null ? ` · line ${question.line}` : ""} · <time title={showInstant(question.asked_at)}>{ago(question.asked_at)}</time>
                  </span>
                </span>
                <StateBadge state={question.state} />
                <Icon name="right" size={16} className="text-ink-3" />
              </Link>
            </li>
          ))}
        </ul>
      )}
      {questions.hasMore ? (
        <Button className="self-center" busy={questions.isFetchingMore} onClick={questions.more}>
          Show more
        </Button>
      ) : null}
    </Screen>
  );
}
