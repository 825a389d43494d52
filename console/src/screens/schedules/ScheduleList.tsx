// The schedules, each in words; pausing, another time, removal, and its jobs.

import { useState } from "react";
import { api, path } from "@/api/client";
import { Problem } from "@/api/problem";
import { useRead, useWrite } from "@/api/read";
import { useMay } from "@/api/session";
import type { Items, Schedule } from "@/api/types";
import { Badge, StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { ConfirmDialog } from "@/parts/Dialog";
import { Icon } from "@/parts/Icon";
import { Menu } from "@/parts/Menu";
import { toast, toastProblem } from "@/parts/Toast";
import { Empty, FormProblem, LoadingCards, Reading } from "@/parts/states";
import { useChangeSearch } from "@/url";
import { ago, plain, showInstant } from "@/words";
import { CronField } from "./CronField";
import { KINDS } from "./NewSchedule";
import { inWords, offsetOf, parseCron } from "./cron";

const SCHEDULES = "/schedules";

interface Edit {
  schedule: Schedule;
  change: { paused?: boolean; cron?: string; zone?: string };
}

function useChange(onDone?: (given: Edit) => void) {
  return useWrite(({ schedule, change }: Edit) => api.patch<Schedule>(path`/schedules/${schedule.schedule_id}`, change, { ifMatch: `"${schedule.version}"` }), {
    refresh: [SCHEDULES],
    onDone: (_, given) => onDone?.(given),
  });
}

export function ScheduleList({ onAdd }: { onAdd?: () => void }) {
  const schedules = useRead<Items<Schedule>>(SCHEDULES, { parts: ["work"] });
  const [edited, setEdited] = useState<Schedule | null>(null);
  const [removed, setRemoved] = useState<Schedule | null>(null);
  return (
    <>
      <Reading
        of={schedules}
        loading={<LoadingCards />}
        isEmpty={(found) => found.items.length === 0}
        empty={
          <Empty
            icon="schedule"
            title="Nothing is scheduled"
            next={onAdd ? "Let the server calculate every night, pull from a connector, or publish at the start of the month." : "Whoever may manage jobs adds the first schedule."}
            action={
              onAdd ? (
                <Button look="primary" onClick={onAdd}>
                  Add a schedule
                </Button>
              ) : undefined
            }
          />
        }
      >
        {(found) => (
          <ul className="flex flex-col gap-3">
            {found.items.map((one) => (
              <Line key={one.schedule_id} schedule={one} onEdit={() => setEdited(one)} onRemove={() => setRemoved(one)} reread={() => void schedules.refetch()} />
            ))}
          </ul>
        )}
      </Reading>
      {edited ? <EditTime schedule={edited} onClose={() => setEdited(null)} reread={() => void schedules.refetch()} /> : null}
      {removed ? <Remove schedule={removed} onClose={() => setRemoved(null)} reread={() => void schedules.refetch()} /> : null}
    </>
  );
}

export function whenOf(schedule: Pick<Schedule, "cron" | "zone">): string {
  const pattern = parseCron(schedule.cron);
  const words = pattern ? inWords(pattern) : schedule.cron;
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function Line({ schedule, onEdit, onRemove, reread }: { schedule: Schedule; onEdit: () => void; onRemove: () => void; reread: () => void }) {
  const may = useMay();
  const change = useChangeSearch();
  const write = useChange((given) => toast(given.change.paused ? "Paused; no job is made until it goes on." : "It goes on."));
  const pause = () =>
    write.mutate(
      { schedule, change: { paused: !schedule.paused } },
      {
        onError: (error) => {
          toastProblem(error);
          if (error instanceof Problem && error.status === 412) reread();
        },
      },
    );
  const pull = schedule.kind === "import" && schedule.payload && typeof schedule.payload === "object" ? (schedule.payload as { connector?: string; entity?: string }) : null;
  const note = schedule.payload && typeof schedule.payload === "object" ? (schedule.payload as { note?: string }).note : undefined;
  return (
    <li className={`card flex flex-wrap items-center gap-x-5 gap-y-2 px-5 py-3.5 ${schedule.paused ? "!bg-sunken" : ""}`}>
      <div className="min-w-0 flex-1 basis-72">
        <h2 className="flex flex-wrap items-center gap-x-2.5 gap-y-1 font-semibold">
          {KINDS[schedule.kind]?.name ?? plain(schedule.kind, true)}
          {pull ? <span className="font-normal text-ink-2">{plain(pull.entity ?? "")} from {pull.connector}</span> : null}
          {note ? <span className="font-normal text-ink-2">“{note}”</span> : null}
          {schedule.paused ? <Badge tone="warn">paused</Badge> : null}
        </h2>
        <p>
          {whenOf(schedule)} <span className="text-ink-3">{schedule.zone === "UTC" ? "UTC" : `UTC${schedule.zone}`}</span>
        </p>
        <p className="text-[0.87rem] text-ink-3">
          <code className="font-mono">{schedule.cron}</code> · by {schedule.created_by}
        </p>
      </div>
      <dl className="grid grid-cols-[max-content_1fr] gap-x-3 text-[0.93rem]">
        <dt className="text-ink-3">Next</dt>
        <dd className="num" title={showInstant(schedule.next_at)}>
          {schedule.paused ? "–" : ago(schedule.next_at)}
        </dd>
        <dt className="text-ink-3">Last</dt>
        <dd className="flex items-center gap-2">
          {schedule.last ? (
            <>
              <StateBadge state={schedule.last.state} />
              {schedule.last.ended_at ? <span className="text-[0.87rem] text-ink-3">{ago(schedule.last.ended_at)}</span> : null}
            </>
          ) : (
            "never"
          )}
        </dd>
      </dl>
      <div className="flex items-center gap-1.5">
        <Button size="sm" look="quiet" onClick={() => change({ tab: "jobs", schedule: schedule.schedule_id, state: undefined }, true)}>
          History
        </Button>
        {may("manage-jobs") ? (
          <>
            <Button size="sm" icon={schedule.paused ? "run" : "pause"} busy={write.isPending} onClick={pause}>
              {schedule.paused ? "Resume" : "Pause"}
            </Button>
            <Menu
              label={`Acts on this schedule`}
              trigger={
                <button type="button" aria-label="More acts on this schedule" className="inline-flex size-9 items-center justify-center rounded-control text-ink-2 hover:bg-sunken hover:text-ink">
                  <Icon name="more" />
                </button>
              }
              items={[
                { label: "Change the time", icon: "schedule", onSelect: onEdit },
                { label: "Remove", icon: "close", danger: true, onSelect: onRemove },
              ]}
            />
          </>
        ) : null}
      </div>
    </li>
  );
}

/** What a refusal for an old version means, and the way on. */
function Stale({ error, reread }: { error: unknown; reread: () => void }) {
  if (!(error instanceof Problem) || error.status !== 412) return <FormProblem error={error} />;
  return (
    <div role="alert" className="flex flex-wrap items-center gap-3 rounded-control border border-warn/50 bg-warn-soft px-3.5 py-2.5">
      <p className="min-w-0 flex-1">Somebody changed this schedule meanwhile. Look at it again before you change it.</p>
      <Button size="sm" onClick={reread}>
        Show it as it is now
      </Button>
    </div>
  );
}

function EditTime({ schedule, onClose, reread }: { schedule: Schedule; onClose: () => void; reread: () => void }) {
  const [cron, setCron] = useState(schedule.cron);
  const [zone, setZone] = useState(schedule.zone);
  const write = useChange(() => {
    toast("The time is changed.");
    onClose();
  });
  return (
    <ConfirmDialog
      open
      width="md"
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Change the time"
      act="Change"
      busy={write.isPending}
      disabled={offsetOf(zone) === null || cron.trim() === ""}
      onConfirm={() => write.mutate({ schedule, change: { cron: cron.trim(), zone } })}
    >
      <div className="flex flex-col gap-4">
        <CronField cron={cron} zone={zone} onCron={setCron} onZone={setZone} />
        <Stale
          error={write.error}
          reread={() => {
            reread();
            onClose();
          }}
        />
      </div>
    </ConfirmDialog>
  );
}

function Remove({ schedule, onClose, reread }: { schedule: Schedule; onClose: () => void; reread: () => void }) {
  const write = useWrite((given: Schedule) => api.delete(path`/schedules/${given.schedule_id}`, { ifMatch: `"${given.version}"` }), {
    refresh: [SCHEDULES],
    onDone: () => {
      toast("The schedule is removed; its jobs stay in the history.");
      onClose();
    },
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Remove this schedule?"
      description={`${KINDS[schedule.kind]?.name ?? plain(schedule.kind, true)}: ${whenOf(schedule).toLowerCase()}. No job is made any more; those that were stay in the history.`}
      act="Remove"
      look="danger"
      busy={write.isPending}
      onConfirm={() => write.mutate(schedule)}
    >
      <Stale
        error={write.error}
        reread={() => {
          reread();
          onClose();
        }}
      />
    </ConfirmDialog>
  );
}
