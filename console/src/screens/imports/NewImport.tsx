// A CSV file on its way into the record: chosen, tried without consequence, mended where it is wrong, then sent.

import { useState } from "react";
import { api } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import type { Entity, Items } from "@/api/types";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { DropZone } from "@/parts/DropZone";
import { SelectField, TextField } from "@/parts/Field";
import { Icon } from "@/parts/Icon";
import { toast } from "@/parts/Toast";
import { FormProblem } from "@/parts/states";
import { useUrlState } from "@/url";
import { count, plain } from "@/words";
import { ErrorGrid } from "./ErrorGrid";
import { Totals, Waiting } from "./Outcome";
import { type CsvRow, parseCsv, printCsv } from "./csv";
import type { ImportOutcome } from "./shapes";

/** A browser holds this much text without pain; more goes by the command line. */
const BYTES_MAX = 32 * 1_048_576;

interface Chosen {
  name: string;
  /** As it was read; null once a cell was mended. */
  text: string | null;
  rows: CsvRow[];
}

/** The entity that a file is of, by its name or else by its columns. */
export function guess(fileName: string, head: string[], entities: Entity[]): string | null {
  const bare = fileName.toLowerCase().replace(/\.[^.]*$/, "");
  const named = entities.filter((one) => bare === one.name || bare.startsWith(one.name)).sort((a, b) => b.name.length - a.name.length)[0];
  if (named) return named.name;
  const fits = entities
    .filter((one) => one.key.every((name) => head.includes(name)))
    .map((one) => ({ name: one.name, score: head.filter((name) => one.fields.some((field) => field.name === name)).length - head.filter((name) => !one.fields.some((field) => field.name === name)).length }))
    .sort((a, b) => b.score - a.score);
  return fits[0]?.name ?? null;
}

export function NewImport({ onDone }: { onDone: (imported: ImportOutcome) => void }) {
  const entities = useRead<Items<Entity>>("/entities", { parts: ["company"] });
  const [entity = "", setEntity] = useUrlState("entity");
  const [source, setSource] = useState("");
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const [wrong, setWrong] = useState<string | null>(null);
  const [mended, setMended] = useState(false);
  const all = entities.data?.items ?? [];

  const send = (given: { file: Chosen; entity: string; source: string; dry: boolean }, options: { idempotencyKey?: string }) =>
    api.post<ImportOutcome>("/imports", undefined, {
      ...options,
      query: { entity: given.entity, source: given.source, dry_run: given.dry },
      raw: { content: given.file.text ?? printCsv(given.file.rows.map((row) => row.fields)), type: "text/csv" },
    });
  const trial = useWrite(send, { onDone: () => setMended(false) });
  const real = useWrite(send, {
    refresh: ["/imports", "/entities"],
    onDone: (imported) => {
      if (imported.state === "applied") toast("The import is in the record.");
      if (imported.state === "unchanged") toast("The record held these rows already.", "info");
      setChosen(null);
      trial.reset();
      onDone(imported);
    },
  });
  const check = (file: Chosen, into: string, named: string) => {
    real.reset();
    if (into !== "") trial.mutate({ file, entity: into, source: named, dry: true });
  };
  const take = async (file: File) => {
    trial.reset();
    real.reset();
    setWrong(null);
    if (file.size > BYTES_MAX) {
      setChosen(null);
      setWrong(`\`${file.name}\` has more than ${BYTES_MAX / 1_048_576} MiB; import it with \`attain import\` on the server`);
      return;
    }
    const text = await file.text();
    const rows = parseCsv(text);
    if (rows.length < 2) {
      setChosen(null);
      setWrong(`\`${file.name}\` has no rows under its heading`);
      return;
    }
    const into = guess(file.name, rows[0]?.fields ?? [], all) ?? entity;
    const own = { name: file.name, text, rows };
    setChosen(own);
    setSource(file.name);
    setMended(false);
    setEntity(into || undefined);
    check(own, into, file.name);
  };
  const mend = (at: number, column: number, value: string) => {
    setMended(true);
    setChosen((before) => {
      if (!before) return before;
      const rows = [...before.rows];
      const row = rows[at];
      if (!row) return before;
      const fields = [...row.fields];
      while (fields.length <= column) fields.push("");
      fields[column] = value;
      rows[at] = { ...row, fields: fields.slice(0, before.rows[0]?.fields.length ?? fields.length) };
      return { ...before, text: null, rows };
    });
  };
  const tried = trial.data;
  const faults = tried?.errors ?? [];
  const faultCount = tried?.error_count ?? 0;
  const needsApproval = all.find((one) => one.name === entity)?.needs_approval ?? false;
  const isGood = tried !== undefined && tried.state !== "refused" && !mended;

  return (
    <Card title="New import">
      <div className="flex flex-col gap-4">
        <DropZone
          label={chosen ? "Choose another file" : "Choose a CSV file"}
          accept=".csv,text/csv"
          busy={trial.isPending || real.isPending}
          hint={chosen ? <>{chosen.name}: {count(chosen.rows.length - 1, "row")}</> : "Drop a CSV file here. It is only tried at first; nothing is changed."}
          onFile={(file) => void take(file)}
        />
        <FormProblem error={wrong} />
        {chosen ? (
          <>
            <div className="grid gap-3 sm:grid-cols-2">
              <SelectField
                label="Entity"
                value={entity}
                onChange={(event) => {
                  setEntity(event.target.value || undefined);
                  check(chosen, event.target.value, source);
                }}
              >
                <option value="">choose what the rows are</option>
                {all.map((one) => (
                  <option key={one.name} value={one.name}>
                    {plain(one.name)}
                  </option>
                ))}
              </SelectField>
              <TextField label="Source" hint="Where the rows come from; it stays with them." maxLength={200} value={source} onChange={(event) => setSource(event.target.value)} />
            </div>
            <FormProblem error={trial.error ?? real.error} />
            {trial.isPending ? <p role="status">Trying {count(chosen.rows.length - 1, "row")}…</p> : null}
            {tried && !trial.isPending ? (
              <section aria-label="What the import would do" className="flex flex-col gap-3">
                <p role="status" className="flex items-center gap-2 font-medium">
                  <Icon name={faults.length > 0 ? "warn" : "check"} className={faults.length > 0 ? "text-bad" : "text-accent"} />
                  {faults.length > 0
                    ? `${count(faultCount, "thing is", "things are")} wrong; nothing was changed. Mend the cells here and try again.`
                    : mended
                      ? "Mended; try it again."
                      : "It would go in as it is:"}
                </p>
                {faults.length > 0 ? <ErrorGrid rows={chosen.rows} errors={faults} onChange={mend} /> : null}
                {tried.receipt && faults.length === 0 ? <Totals of={tried.receipt} /> : null}
                {needsApproval && faults.length === 0 ? (
                  <p className="flex gap-2.5 rounded-control bg-warn-soft px-4 py-3">
                    <Icon name="warn" className="mt-0.5 text-warn" />
                    It decides what people are paid, so that a second person must approve it after you send it.
                  </p>
                ) : null}
              </section>
            ) : null}
            <div className="flex flex-wrap gap-2">
              {isGood ? (
                <Button look="primary" busy={real.isPending} onClick={() => real.mutate({ file: chosen, entity, source, dry: false })}>
                  {needsApproval ? "Submit for approval" : `Import ${count(chosen.rows.length - 1, "row")}`}
                </Button>
              ) : (
                <Button look="primary" disabled={entity === ""} busy={trial.isPending} onClick={() => check(chosen, entity, source)}>
                  Try it again
                </Button>
              )}
              {faults.length > 0 ? (
                <Button busy={real.isPending} onClick={() => real.mutate({ file: chosen, entity, source, dry: false })}>
                  Keep it for later
                </Button>
              ) : null}
              <Button
                look="quiet"
                onClick={() => {
                  setChosen(null);
                  trial.reset();
                  real.reset();
                }}
              >
                Put it away
              </Button>
            </div>
          </>
        ) : null}
        {real.data?.state === "waiting-for-approval" ? <Waiting changeId={real.data.change_id} /> : null}
      </div>
    </Card>
  );
}
