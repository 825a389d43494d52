// One import that was sent: its totals, or what is wrong with it, to be mended and sent again.

import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { number } from "@/money";
import { StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Digest } from "@/parts/Digest";
import { Pairs } from "@/parts/Pairs";
import { toast } from "@/parts/Toast";
import { FormProblem, Reading } from "@/parts/states";
import { count, plain, showInstant } from "@/words";
import { ErrorGrid } from "./ErrorGrid";
import { Totals, Waiting } from "./Outcome";
import { type CsvRow, parseCsv, printCsv } from "./csv";
import type { ImportOutcome, ImportView as View } from "./shapes";

export function ImportView({ id, onSent, onClose }: { id: string; onSent: (sent: ImportOutcome) => void; onClose: () => void }) {
  const detail = useRead<View>(path`/imports/${id}`, { parts: ["work", "company"] });
  return (
    <Card
      title="An import"
      aside={
        <Button size="sm" look="quiet" icon="close" onClick={onClose}>
          Close
        </Button>
      }
    >
      <Reading of={detail}>
        {(found) => (
          <div className="flex flex-col gap-4">
            <Pairs
              pairs={[
                ["State", <StateBadge state={found.state} />],
                ["Entity", plain(found.entity)],
                ["Source", found.source],
                ["Sent", `${showInstant(found.sent_at)} by ${found.sent_by_name || found.sent_by}`],
                ["File", <span className="flex flex-wrap items-center gap-x-3"><Digest of={found.digest} name="digest of the file" /> <span className="num">{number(found.byte_count)} bytes</span></span>],
                found.first_id && found.first_id !== found.import_id ? ["Mends", <Other id={found.first_id}>the first attempt</Other>] : null,
                found.mended_by ? ["Mended", <Other id={found.mended_by}>what was taken in its place</Other>] : null,
              ]}
            />
            {found.receipt ? <Totals of={found.receipt} /> : null}
            {found.state === "waiting-for-approval" ? <Waiting changeId={found.change_id} /> : null}
            {found.state === "refused" ? <Wrong key={found.import_id} of={found} onSent={onSent} /> : null}
          </div>
        )}
      </Reading>
    </Card>
  );
}

function Other({ id, children }: { id: string; children: string }) {
  return (
    <Link className="link" to="/imports" search={{ import: id } as never}>
      {children}
    </Link>
  );
}

function Wrong({ of: refused, onSent }: { of: View; onSent: (sent: ImportOutcome) => void }) {
  if (refused.csv !== null && refused.csv_complete && !refused.mended_by) return <Mend of={refused} csv={refused.csv} onSent={onSent} />;
  return (
    <section aria-label="What is wrong" className="flex flex-col gap-3">
      <p className="font-medium">
        {count(refused.error_count, "thing was", "things were")} wrong; nothing of this file is in the record.{" "}
        {refused.mended_by ? "It was mended since." : "Its text is too large or no longer kept: mend the file itself and import it again."}
      </p>
      {refused.mended_by ? null : <ErrorGrid rows={[]} errors={refused.errors} onChange={() => undefined} />}
    </section>
  );
}

/** The rows of the shown text, each with its line in the file that was sent. */
function rowsOf(csv: string, lines: number[]): CsvRow[] {
  return parseCsv(csv).map((row) => ({ ...row, line: lines[row.line - 1] ?? row.line }));
}

function Mend({ of: refused, csv, onSent }: { of: View; csv: string; onSent: (sent: ImportOutcome) => void }) {
  const [rows, setRows] = useState(() => rowsOf(csv, refused.csv_lines));
  const [wrong, setWrong] = useState({ errors: refused.errors, count: refused.error_count });
  const resend = useWrite(
    (_: void, options) =>
      api.post<ImportOutcome>(path`/imports/${refused.import_id}/resend`, undefined, { ...options, raw: { content: printCsv(rows.map((row) => row.fields)), type: "text/csv" } }),
    {
      refresh: ["/imports", "/entities"],
      onDone: (sent) => {
        if (sent.state === "refused") {
          // The errors are of what was sent just now, whose lines are those of the rows as they stand here.
          setWrong({ errors: sent.errors, count: sent.error_count });
          setRows(parseCsv(printCsv(rows.map((row) => row.fields))));
        } else toast(sent.state === "waiting-for-approval" ? "Sent; it waits for a second person." : "The import is in the record.");
        onSent(sent);
      },
    },
  );
  return (
    <section aria-label="What is wrong" className="flex flex-col gap-3">
      <p className="font-medium">{count(wrong.count, "thing is", "things are")} wrong; nothing of this file is in the record. Mend the cells and send it again.</p>
      <ErrorGrid
        rows={rows}
        errors={wrong.errors}
        onChange={(at, column, value) =>
          setRows((before) =>
            before.map((row, place) => {
              if (place !== at) return row;
              const fields = [...row.fields];
              while (fields.length <= column) fields.push("");
              fields[column] = value;
              return { ...row, fields: fields.slice(0, before[0]?.fields.length ?? fields.length) };
            }),
          )
        }
      />
      <FormProblem error={resend.error} />
      <Button look="primary" className="self-start" busy={resend.isPending} onClick={() => resend.mutate()}>
        Send it again
      </Button>
    </section>
  );
}
