// Writing another text of a plan: what is wrong with it and what is new to look at are told while one writes; then it is submitted.

import { useNavigate } from "@tanstack/react-router";
import { Suspense, lazy, useEffect, useMemo, useState } from "react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, path } from "@/api/client";
import { useWrite } from "@/api/read";
import type { Change } from "@/api/types";
import type { PlanCheck, PlanVersion } from "@/api/work";
import { TextDiff } from "@/editor/TextDiff";
import { diffLines } from "@/editor/lines";
import { Button } from "@/parts/Button";
import { TextArea } from "@/parts/Field";
import { Lints } from "@/parts/Lints";
import { toast } from "@/parts/Toast";
import { FormProblem, Loading } from "@/parts/states";
import { faultOf } from "./faults";

const WAIT_MS = 300;

const CodeEditor = lazy(() => import("@/editor/CodeEditor"));

export function Edit({ version, onClose }: { version: PlanVersion; onClose: () => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState(version.text);
  const [comment, setComment] = useState("");
  // Not every key is a question.
  const [asked, setAsked] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setAsked(text), WAIT_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const check = useQuery<PlanCheck>({
    queryKey: ["/plan-checks", version.file, asked],
    queryFn: ({ signal }) => api.post<PlanCheck>("/plan-checks", { file: version.file, text: asked }, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    meta: { parts: ["company", "extensions"] },
  });
  const differs = text !== version.text;
  const problems = useMemo(() => check.data?.problems ?? [], [check.data]);
  const faults = useMemo(() => problems.map((problem) => faultOf(problem, version.file)).filter((fault) => fault !== null), [problems, version.file]);
  const diff = useMemo(() => diffLines(version.text, text), [version.text, text]);
  const submit = useWrite(
    async (why: string, options) => {
      const draft = await api.post<Change>("/changes", { kind: "plan", object: version.file, payload: { file: version.file, text }, comment: why }, options);
      return api.post<Change>(path`/changes/${draft.change_id}/submission`, undefined, { idempotencyKey: `${options.idempotencyKey}-submit` });
    },
    {
      refresh: ["/changes"],
      onDone: (change) => {
        toast("Submitted. It is in force when a second person approves it.");
        void navigate({ to: "/changes/$id", params: { id: change.change_id } });
      },
    },
  );
  return (
    <div className="flex flex-col gap-4">
      <div className="h-[30rem] overflow-hidden rounded-control border border-line-strong">
        <Suspense fallback={<Loading lines={10} />}>
          <CodeEditor value={text} onChange={setText} language="toml" label={`Text of plans/${version.file}`} faults={faults} />
        </Suspense>
      </div>
      {problems.length > 0 ? (
        <ul className="flex flex-col gap-1 text-bad" aria-label="What is wrong">
          {problems.map((problem) => (
            <li key={problem} className="[overflow-wrap:anywhere]">
              {problem}
            </li>
          ))}
        </ul>
      ) : null}
      {check.data ? <Lints of={check.data.lints} change /> : null}
      {differs ? <TextDiff ops={diff} name={version.file} sides={["in force", "this change"]} height="16rem" /> : null}
      <TextArea label="Why" hint="For the person who decides." rows={2} maxLength={2_000} value={comment} onChange={(event) => setComment(event.target.value)} />
      <FormProblem error={submit.error ?? check.error} />
      <div className="flex flex-wrap gap-2">
        <Button look="quiet" onClick={onClose}>
          Leave it as it is
        </Button>
        <Button look="primary" busy={submit.isPending} disabled={!differs || problems.length > 0 || comment.trim() === "" || asked !== text} onClick={() => submit.mutate(comment.trim())}>
          Submit the change
        </Button>
      </div>
    </div>
  );
}
