// One import that was sent: its totals, or what is wrong with it, to be mended and sent again.

import { useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Pairs } from "@/parts/Pairs";
import { toast } from "@/parts/Toast";
import { FormProblem, Reading } from "@/parts/states";
import { count, plain, showInstant } from "@/words";
import { ErrorGrid } from "./ErrorGrid";
import { Totals, Waiting } from "./Outcome";
import { parseCsv, printCsv } from "./csv";
import type { Import, ImportDetail } from "./shapes";

export function ImportView({ id, onSent, onClose }: { id: string; onSent: (sent: Import) => void; onClose: () => void }) {
  const detail = useRead<ImportDetail>(path`/imports/${id}`, { parts: ["work", "company"] });
  return (
    <Card
      title={`Import ${id}`}
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
                found.source ? ["Source", found.source] : null,
                found.recorded_at ? ["Sent", `${showInstant(found.recorded_at)}${found.recorded_by ? ` by ${found.recorded_by}` : ""}`] : null,
              ]}
            />
            {found.receipt ? <Totals of={found.receipt} /> : null}
            {found.state === "waiting-for-approval" ? <Waiting of={found} /> : null}
            {found.state === "refused" ? <Mend key={found.import_id} of={found} onSent={onSent} /> : null}
          </div>
        )}
      </Reading>
    </Card>
  );
}

function Mend({ of: refused, onSent }: { of: ImportDetail; onSent: (sent: Import) => void }) {
  const [rows, setRows] = useState(() => parseCsv(refused.csv));
  const [errors, setErrors] = useState(refused.errors);
  const resend = useWrite(
    (_: void, options) =>
      api.post<Import>(path`/imports/${refused.import_id}/resend`, undefined, { ...options, raw: { content: printCsv(rows.map((row) => row.fields)), type: "text/csv" } }),
    {
      refresh: ["/imports", "/entities"],
      onDone: (sent) => {
        if (sent.state === "refused") {
          // What is sent is what is shown, so that its lines are those of the errors.
          setErrors(sent.errors);
          setRows(parseCsv(printCsv(rows.map((row) => row.fields))));
        } else toast(sent.state === "applied" ? "The import is in the record." : "Sent; it waits for a second person.");
        onSent(sent);
      },
    },
  );
  return (
    <section aria-label="What is wrong" className="flex flex-col gap-3">
      <p className="font-medium">
        {count(errors.length, "thing is", "things are")} wrong; nothing of this file is in the record. Mend the cells and send it again.
      </p>
      <ErrorGrid
        rows={rows}
        errors={errors}
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
