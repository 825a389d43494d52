// A question about a line or a whole statement. The server keeps the explanation of now beside it.

import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { useWrite } from "@/api/read";
import type { Question, StatementLine } from "@/api/types";
import { ConfirmDialog } from "@/parts/Dialog";
import { TextArea, TextField } from "@/parts/Field";
import { toast } from "@/parts/Toast";
import { FormProblem } from "@/parts/states";
import { showPeriod } from "@/words";

export function AskDialog({ at, line, period, onClose }: { at: string; line: StatementLine | null; period: string; onClose: () => void }) {
  const navigate = useNavigate();
  const [subject, setSubject] = useState(line ? `${line.name}, ${showPeriod(period)}` : `Statement of ${showPeriod(period)}`);
  const [body, setBody] = useState("");
  const ask = useWrite(
    (given: { line: number | null; subject: string; body: string }, options) => api.post<Question>(`${at}/questions`, given, options),
    {
      refresh: ["/questions"],
      onDone: (question) => {
        onClose();
        toast("Your question is sent.");
        void navigate({ to: "/questions/$id", params: { id: question.question_id } });
      },
    },
  );
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={line ? "Ask about this line" : "Ask about this statement"}
      description="The explanation as it stands now goes along, so nobody has to guess what you saw."
      act="Send question"
      busy={ask.isPending}
      disabled={subject.trim() === "" || body.trim() === ""}
      onConfirm={() => ask.mutate({ line: line?.line ?? null, subject: subject.trim(), body: body.trim() })}
    >
      <div className="flex flex-col gap-3.5">
        <TextField label="Subject" required maxLength={200} value={subject} onChange={(event) => setSubject(event.target.value)} />
        <TextArea label="Your question" required rows={5} maxLength={5_000} autoFocus value={body} onChange={(event) => setBody(event.target.value)} />
        <FormProblem error={ask.error} />
      </div>
    </ConfirmDialog>
  );
}
