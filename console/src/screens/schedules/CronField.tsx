// A time to be chosen in everyday terms or written as a pattern; either way it says in words when it comes round and shows the next
// five times.

import { useMemo, useState } from "react";
import { Field, SelectField } from "@/parts/Field";
import { Icon } from "@/parts/Icon";
import { inWords, nextTimes, offsetOf, parseCron } from "./cron";

const SHOWN = 5;

const PRESETS: { name: string; cron: string }[] = [
  { name: "Every hour", cron: "0 * * * *" },
  { name: "Every night", cron: "0 2 * * *" },
  { name: "Weekdays at six", cron: "0 6 * * 1-5" },
  { name: "Every Monday", cron: "0 6 * * 1" },
  { name: "First of the month", cron: "0 8 1 * *" },
];

function hereZone(): string {
  const minutes = -new Date().getTimezoneOffset();
  if (minutes === 0) return "UTC";
  const two = (value: number) => String(value).padStart(2, "0");
  return `${minutes < 0 ? "-" : "+"}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
}

const ZONES = ["UTC", ...[-12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map((hours) => `${hours < 0 ? "-" : "+"}${String(Math.abs(hours)).padStart(2, "0")}:00`)];

export function CronField({ cron, zone, onCron, onZone }: { cron: string; zone: string; onCron: (cron: string) => void; onZone: (zone: string) => void }) {
  const [now] = useState(() => Date.now());
  const pattern = useMemo(() => parseCron(cron), [cron]);
  const offset = offsetOf(zone);
  const times = useMemo(() => (pattern && offset !== null ? nextTimes(pattern, offset, now, SHOWN) : []), [pattern, offset, now]);
  const zones = [...new Set([...ZONES.slice(0, 1), hereZone(), ...ZONES.slice(1), zone])];
  const shown = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC" });
  const here = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
  return (
    <div className="flex flex-col gap-3">
      <div role="group" aria-label="Times to begin with" className="flex flex-wrap gap-2">
        {PRESETS.map((preset) => (
          <button
            key={preset.cron}
            type="button"
            aria-pressed={cron.trim() === preset.cron}
            onClick={() => onCron(preset.cron)}
            className={`min-h-8 rounded-full border px-3 py-0.5 text-[0.87rem] ${cron.trim() === preset.cron ? "border-accent bg-accent-soft text-accent" : "border-line-strong hover:bg-sunken"}`}
          >
            {preset.name}
          </button>
        ))}
      </div>
      <div className="grid gap-3 sm:grid-cols-[1fr_10rem]">
        <Field label="Pattern" hint="minute, hour, day, month, weekday">
          {(ties) => (
            <input type="text" className="input font-mono" spellCheck={false} autoComplete="off" maxLength={100} value={cron} onChange={(event) => onCron(event.target.value)} {...ties} />
          )}
        </Field>
        <SelectField label="Zone" hint="the same all year" value={zone} onChange={(event) => onZone(event.target.value)}>
          {zones.map((one) => (
            <option key={one} value={one}>
              {one === "UTC" ? "UTC" : `UTC${one}`}
              {one === hereZone() && one !== "UTC" ? " (here now)" : ""}
            </option>
          ))}
        </SelectField>
      </div>
      <div className="rounded-card bg-sunken px-4 py-3" role="status">
        {pattern && times.length > 0 ? (
          <>
            <p className="font-semibold first-letter:uppercase">{inWords(pattern)}</p>
            <p className="mt-1 text-[0.87rem] text-ink-3">The next five times{offset === 0 ? ", UTC" : `, UTC${zone}`}</p>
            <ol className="mt-0.5 flex flex-col gap-y-0.5">
              {times.map((at) => (
                <li key={at} className="num !whitespace-normal">
                  {shown.format(at + (offset ?? 0) * 60_000)}
                  {zone === hereZone() ? null : <span className="text-ink-3"> ({here.format(at)} here)</span>}
                </li>
              ))}
            </ol>
          </>
        ) : (
          <p className="flex gap-2 text-ink-2">
            <Icon name="warn" size={17} className="mt-0.5 text-warn" />
            {pattern ? "This never comes round." : "This is no pattern that can be put in words. Write five fields, such as 0 6 * * 1 for every Monday at 06:00; the server decides."}
          </p>
        )}
      </div>
    </div>
  );
}
