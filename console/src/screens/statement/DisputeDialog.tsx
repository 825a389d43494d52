// Holding a line, a whole statement or a missing deal to be wrong: what is expected, why, and a file that shows it.

import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, path } from "@/api/client";
import { useWrite } from "@/api/read";
import type { StatementLine } from "@/api/types";
import type { Attachment, Dispute, NewDispute } from "@/api/work";
import { money, typed } from "@/money";
import { ConfirmDialog } from "@/parts/Dialog";
import { Field, TextArea, TextField } from "@/parts/Field";
import { toast, toastProblem } from "@/parts/Toast";
import { FormProblem } from "@/parts/states";
import { FILE_KINDS, fileFault, subjectOf } from "@/screens/disputes/words";
import { showPeriod } from "@/words";

export type Disputed = { kind: "line"; line: StatementLine } | { kind: "statement" } | { kind: "credit" };

export default function DisputeDialog({ at, of, period, currency, onClose }: { at: string; of: Disputed; period: string; currency: string; onClose: () => void }) {
  const navigate = useNavigate();
  const line = of.kind === "line" ? of.line : null;
  const [deal, setDeal] = useState("");
  const [subject, setSubject] = useState<string | null>(null);
  const [body, setBody] = useState("");
  const [expected, setExpected] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const amount = typed(expected);
  const wrongAmount = expected.trim() !== "" && amount === null;
  const wrongFile = file ? fileFault(file) : null;
  const said = subject ?? subjectOf({ line, transactionId: of.kind === "credit" ? deal.trim() || "a deal" : undefined }, period);
  const raise = useWrite((given: NewDispute, options) => api.post<Dispute>(`${at}/disputes`, given, options), {
    refresh: ["/disputes"],
    onDone: async (dispute) => {
      if (file) {
        try {
          await api.post<Attachment>(path`/disputes/${dispute.dispute_id}/attachments`, undefined, { query: { name: file.name }, raw: { content: file, type: "application/octet-stream" } });
        } catch (error) {
          toastProblem(error);
        }
      }
      onClose();
      toast("Your dispute is raised.");
      void navigate({ to: "/disputes/$id", params: { id: dispute.dispute_id } });
    },
  });
  const title = line ? "Dispute this line" : of.kind === "credit" ? "A deal is missing" : "Dispute this statement";
  const ready = said.trim() !== "" && body.trim() !== "" && !wrongAmount && wrongFile === null && (of.kind !== "credit" || deal.trim() !== "");
  const send = () => {
    if (!ready) return;
    raise.mutate({
      ...(line ? { line: line.line } : {}),
      ...(of.kind === "credit" ? { transaction_id: deal.trim() } : {}),
      subject: said.trim(),
      body: body.trim(),
      ...(amount ? { expected: amount } : {}),
    });
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={title}
      description={
        line
          ? `${line.name}, ${showPeriod(period)}, says ${money(line.amount, currency)}. The explanation as it stands now goes along.`
          : of.kind === "credit"
            ? "Name the deal for which you have no credit. Somebody looks at it and decides."
            : `The statement of ${showPeriod(period)} as it stands now goes along.`
      }
      act="Raise dispute"
      busy={raise.isPending}
      disabled={!ready}
      onConfirm={send}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        {of.kind === "credit" ? <TextField label="Deal" hint="Its id, as your CRM or order system calls it." required maxLength={100} autoFocus value={deal} onChange={(event) => setDeal(event.target.value)} /> : null}
        <TextField label="Subject" required maxLength={200} value={said} onChange={(event) => setSubject(event.target.value)} />
        <TextField
          label={`What you expect (${currency})`}
          inputMode="decimal"
          hint={line ? "What the line should say. May stay empty." : of.kind === "credit" ? "What the deal should pay. May stay empty." : "What you should have earned. May stay empty."}
          error={wrongAmount ? "Write an amount such as 1,250.50." : null}
          value={expected}
          onChange={(event) => setExpected(event.target.value)}
        />
        <TextArea label="Why" required rows={4} maxLength={5_000} autoFocus={of.kind !== "credit"} value={body} onChange={(event) => setBody(event.target.value)} />
        <Field label="File" hint="A contract, a mail, a picture: PDF, PNG, JPEG, XLSX, DOCX, CSV or text, at most 2 MiB. May be left out." error={wrongFile}>
          {(ties) => <input type="file" className="input" accept={FILE_KINDS} {...ties} onChange={(event) => setFile(event.target.files?.[0] ?? null)} />}
        </Field>
        <FormProblem error={raise.error} />
        <button type="submit" className="hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </ConfirmDialog>
  );
}
