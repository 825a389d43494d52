// A question about a line or a whole statement. The server keeps the explanation of now beside it.

import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { useWrite } from "@/api/read";
import type { StatementLine } from "@/api/types";
import type { Dispute, NewDispute } from "@/api/work";
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
    (given: NewDispute, options) => api.post<Dispute>(`${at}/disputes`, given, options),
    {
      refresh: ["/disputes"],
      onDone: (question) => {
        onClose();
        toast("Your question is sent.");
        void navigate({ to: "/disputes/$id", params: { id: question.dispute_id } });
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
      onConfirm={() => ask.mutate({ kind: "question", ...(line ? { line: line.line } : {}), subject: subject.trim(), body: body.trim() })}
    >
      <div className="flex flex-col gap-3.5">
        <TextField label="Subject" required maxLength={200} value={subject} onChange={(event) => setSubject(event.target.value)} />
        <TextArea label="Your question" required rows={5} maxLength={5_000} autoFocus value={body} onChange={(event) => setBody(event.target.value)} />
        <FormProblem error={ask.error} />
      </div>
    </ConfirmDialog>
  );
}
