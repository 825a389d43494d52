// Another schedule: what is done, and when.

import { useState } from "react";
import { api } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { useMay } from "@/api/session";
import type { Action, Entity, ExtensionSummary, Items, Schedule } from "@/api/types";
import { ConfirmDialog } from "@/parts/Dialog";
import { Field, SelectField, TextField } from "@/parts/Field";
import { toast } from "@/parts/Toast";
import { FormProblem } from "@/parts/states";
import { plain } from "@/words";
import { CronField } from "./CronField";
import { offsetOf } from "./cron";

type Kind = Schedule["kind"];

/** What each kind does, and the action that whoever schedules it needs for it. */
export const KINDS: Record<Kind, { name: string; does: string; needs: Action }> = {
  run: { name: "Calculate", does: "Calculates everything and posts what changed.", needs: "calculate" },
  import: { name: "Import", does: "Pulls an entity through a connector and imports it.", needs: "import" },
  publish: { name: "Publish statements", does: "Publishes the statements of the last complete run.", needs: "calculate" },
  "reload-check": { name: "Reload check", does: "Loads extensions again that were changed in the record or in watched folders.", needs: "manage-extensions" },
  escalate: { name: "Escalate", does: "Tells more people of changes that wait for too long and of disputes past their day, once a day.", needs: "manage-jobs" },
  deliver: { name: "Deliver", does: "Sends mails and webhooks that wait; it is asked for by itself.", needs: "manage-jobs" },
};

export function NewSchedule({ onClose }: { onClose: () => void }) {
  const may = useMay();
  const kinds = (Object.keys(KINDS) as Kind[]).filter((kind) => may(KINDS[kind].needs));
  const [kind, setKind] = useState<Kind>(kinds[0] ?? "reload-check");
  const [cron, setCron] = useState("0 2 * * *");
  const [zone, setZone] = useState("UTC");
  const [note, setNote] = useState("");
  const [connector, setConnector] = useState("");
  const [entity, setEntity] = useState("");
  const [settings, setSettings] = useState("{}");
  const isImport = kind === "import";
  const extensions = useRead<Items<ExtensionSummary>>("/extensions", { parts: ["extensions"], enabled: isImport && may("see-extensions") });
  const entities = useRead<Items<Entity>>("/entities", { parts: ["company"], enabled: isImport && may("see-data") });
  const connectors = extensions.data?.items.filter((one) => one.point === "connector") ?? [];
  const parsed = asObject(settings);
  const add = useWrite(
    (given: { kind: Kind; cron: string; zone: string; payload: unknown }, options) => api.post<Schedule>("/schedules", given, options),
    {
      refresh: ["/schedules"],
      onDone: () => {
        toast("The schedule is there.");
        onClose();
      },
    },
  );
  const ready = cron.trim() !== "" && offsetOf(zone) !== null && (!isImport || (connector !== "" && entity !== "" && parsed !== null));
  const payload = () => (isImport ? { connector, entity, settings: parsed } : kind === "run" && note.trim() !== "" ? { note: note.trim() } : {});
  return (
    <ConfirmDialog
      open
      width="md"
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Add a schedule"
      description="Its jobs are done in your name."
      act="Add"
      busy={add.isPending}
      disabled={!ready}
      onConfirm={() => add.mutate({ kind, cron: cron.trim(), zone, payload: payload() })}
    >
      <div className="flex flex-col gap-4">
        <SelectField label="What is done" hint={KINDS[kind].does} value={kind} onChange={(event) => setKind(event.target.value as Kind)}>
          {kinds.map((one) => (
            <option key={one} value={one}>
              {KINDS[one].name}
            </option>
          ))}
        </SelectField>
        {kind === "run" ? <TextField label="Note" hint="It is shown beside the runs. May stay empty." maxLength={200} value={note} onChange={(event) => setNote(event.target.value)} /> : null}
        {isImport ? (
          <>
            <div className="grid gap-3 sm:grid-cols-2">
              <SelectField
                label="Connector"
                hint={extensions.data && connectors.length === 0 ? "No connector is installed; upload one under Extensions." : undefined}
                value={connector}
                onChange={(event) => setConnector(event.target.value)}
              >
                <option value="">choose</option>
                {connectors.map((one) => (
                  <option key={one.name} value={one.name}>
                    {one.name}
                  </option>
                ))}
              </SelectField>
              <SelectField label="Entity" value={entity} onChange={(event) => setEntity(event.target.value)}>
                <option value="">choose</option>
                {(entities.data?.items ?? []).map((one) => (
                  <option key={one.name} value={one.name}>
                    {plain(one.name)}
                  </option>
                ))}
              </SelectField>
            </div>
            <Field label="Settings" hint="A JSON object that the connector reads; its manifest says what." error={parsed === null ? "This is no JSON object." : null}>
              {(ties) => <textarea rows={3} className="input font-mono" spellCheck={false} value={settings} onChange={(event) => setSettings(event.target.value)} {...ties} />}
            </Field>
          </>
        ) : null}
        <CronField cron={cron} zone={zone} onCron={setCron} onZone={setZone} />
        <FormProblem error={add.error} />
      </div>
    </ConfirmDialog>
  );
}

function asObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
