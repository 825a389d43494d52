// Cron patterns in words, and when they come round. Five fields (minute, hour, day, month, weekday), or six with seconds in front, at
// a fixed distance from UTC, as the server understands them; what only the server understands is answered with null here.

export interface Pattern {
  seconds: Set<number>;
  minutes: Set<number>;
  hours: Set<number>;
  days: Set<number>;
  months: Set<number>;
  /** 0 is Sunday. */
  weekdays: Set<number>;
  /** A day counts where either fits, unless one of them is free. */
  anyDay: boolean;
  anyWeekday: boolean;
  fields: { second: string; minute: string; hour: string; day: string; month: string; weekday: string };
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTH_NAMES = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const WEEKDAY_NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

function field(text: string, low: number, high: number, names: string[] = [], nameFrom = 0): Set<number> | null {
  const found = new Set<number>();
  const one = (word: string): number | null => {
    const named = names.indexOf(word.toUpperCase());
    if (named >= 0) return named + nameFrom;
    if (!/^\d{1,2}$/.test(word)) return null;
    const value = Number(word);
    return value >= low && value <= high ? value : null;
  };
  for (const part of text.split(",")) {
    const [span = "", step, more] = part.split("/");
    if (more !== undefined || (step !== undefined && !/^[1-9]\d?$/.test(step))) return null;
    let from: number | null;
    let until: number | null;
    if (span === "*") [from, until] = [low, high];
    else {
      const [first = "", last, third] = span.split("-");
      if (third !== undefined) return null;
      from = one(first);
      until = last === undefined ? (step === undefined ? from : high) : one(last);
    }
    if (from === null || until === null || from > until) return null;
    for (let value = from; value <= until; value += Number(step ?? 1)) found.add(value);
  }
  return found;
}

export function parseCron(text: string): Pattern | null {
  const words = text.trim().split(/\s+/);
  if (words.length !== 5 && words.length !== 6) return null;
  const [second, minute, hour, day, month, weekday] = (words.length === 5 ? ["0", ...words] : words).map((word) => (word === "?" ? "*" : word)) as [string, string, string, string, string, string];
  const seconds = field(second, 0, 59);
  const minutes = field(minute, 0, 59);
  const hours = field(hour, 0, 23);
  const days = field(day, 1, 31);
  const months = field(month, 1, 12, MONTHS, 1);
  const sevens = field(weekday, 0, 7, WEEKDAYS);
  if (!seconds || !minutes || !hours || !days || !months || !sevens) return null;
  const weekdays = new Set([...sevens].map((value) => value % 7));
  return { seconds, minutes, hours, days, months, weekdays, anyDay: day === "*", anyWeekday: weekday === "*", fields: { second, minute, hour, day, month, weekday } };
}

/** Minutes east of UTC, or null where it is no zone that the server takes. */
export function offsetOf(zone: string): number | null {
  if (zone === "UTC") return 0;
  const match = /^([+-])(\d\d):(\d\d)$/.exec(zone);
  if (!match) return null;
  const [hours, minutes] = [Number(match[2]), Number(match[3])];
  if (hours > 14 || minutes > 59) return null;
  return (match[1] === "-" ? -1 : 1) * (hours * 60 + minutes);
}

const DAY_MS = 86_400_000;
/** A leap day that falls on a given weekday comes within so many years. */
const DAYS_MAX = 366 * 41;

/** The next so many moments after `from`, unix ms. Fewer where it does not come round so often. */
export function nextTimes(pattern: Pattern, offsetMinutes: number, from: number, count: number): number[] {
  const shift = offsetMinutes * 60_000;
  const found: number[] = [];
  const ordered = (values: Set<number>) => [...values].sort((a, b) => a - b);
  const [hours, minutes, seconds] = [ordered(pattern.hours), ordered(pattern.minutes), ordered(pattern.seconds)];
  let day = Math.floor((from + shift) / DAY_MS) * DAY_MS;
  for (let looked = 0; looked < DAYS_MAX && found.length < count; looked++, day += DAY_MS) {
    if (!fitsDay(pattern, new Date(day))) continue;
    for (const hour of hours)
      for (const minute of minutes)
        for (const second of seconds) {
          const at = day + ((hour * 60 + minute) * 60 + second) * 1_000 - shift;
          if (at <= from) continue;
          found.push(at);
          if (found.length === count) return found;
        }
  }
  return found;
}

function fitsDay(pattern: Pattern, date: Date): boolean {
  if (!pattern.months.has(date.getUTCMonth() + 1)) return false;
  const day = pattern.days.has(date.getUTCDate());
  const weekday = pattern.weekdays.has(date.getUTCDay());
  if (pattern.anyDay) return weekday;
  return pattern.anyWeekday ? day : day || weekday;
}

function list(words: string[]): string {
  return words.length < 2 ? (words[0] ?? "") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function ordinal(value: number): string {
  const ending = value % 100 >= 11 && value % 100 <= 13 ? "th" : (["th", "st", "nd", "rd"][value % 10] ?? "th");
  return `${value}${ending}`;
}

const two = (value: number) => String(value).padStart(2, "0");
const ordered = (values: Set<number>) => [...values].sort((a, b) => a - b);

/** A run of neighbours as `Monday to Friday`, others one by one. */
function spans(values: number[], name: (value: number) => string): string {
  const first = values[0];
  const last = values.at(-1);
  if (first !== undefined && last !== undefined && values.length > 2 && last - first === values.length - 1) return `${name(first)} to ${name(last)}`;
  return list(values.map(name));
}

const TIMES_MAX = 6;

function times(pattern: Pattern): string {
  const { fields } = pattern;
  const [hours, minutes, seconds] = [ordered(pattern.hours), ordered(pattern.minutes), ordered(pattern.seconds)];
  const within = fields.hour === "*" ? "" : ` from ${two(hours[0] ?? 0)}:00 to ${two(hours.at(-1) ?? 0)}:59`;
  const isSpan = hours.length > 1 && (hours.at(-1) ?? 0) - (hours[0] ?? 0) === hours.length - 1;
  const step = (text: string) => /^\*\/(\d+)$/.exec(text)?.[1];
  if (!(seconds.length === 1 && seconds[0] === 0)) {
    const every = step(fields.second);
    const what = fields.second === "*" ? "every second" : every ? `every ${every} seconds` : `at second ${list(seconds.map(String))}`;
    return fields.minute === "*" && fields.hour === "*" ? what : `${what} of ${times({ ...pattern, seconds: new Set([0]) })}`;
  }
  if (fields.minute === "*" || step(fields.minute)) {
    const what = fields.minute === "*" || step(fields.minute) === "1" ? "every minute" : `every ${step(fields.minute)} minutes`;
    if (fields.hour === "*") return what;
    if (isSpan || hours.length === 1) return what + within;
    return `${what} of the hours ${list(hours.map(String))}`;
  }
  if (fields.hour === "*" || step(fields.hour) || (isSpan && hours.length * minutes.length > TIMES_MAX)) {
    const past = minutes.length === 1 && minutes[0] === 0 ? "" : ` at minute ${list(minutes.map(String))}`;
    const every = step(fields.hour);
    if (fields.hour === "*") return `every hour${past}`;
    if (every) return `every ${every === "1" ? "hour" : `${every} hours`}${past}`;
    return `every hour${past}${within}`;
  }
  const all = hours.flatMap((hour) => minutes.map((minute) => `${two(hour)}:${two(minute)}`));
  return all.length <= TIMES_MAX ? `at ${list(all)}` : `at minute ${list(minutes.map(String))} of the hours ${list(hours.map(String))}`;
}

/** Such as `Monday to Friday at 06:00`, or `every 15 minutes`. */
export function inWords(pattern: Pattern): string {
  const days = ordered(pattern.days);
  const weekdays = ordered(pattern.weekdays);
  const months = pattern.fields.month === "*" ? "" : ` in ${spans(ordered(pattern.months), (value) => MONTH_NAMES[value - 1] ?? "")}`;
  const onDays = `on the ${spans(days, ordinal)} of the month`;
  // The week begins on Monday where people read of a span.
  const week = weekdays.includes(0) && weekdays.length > 1 ? [...weekdays.slice(1), 7] : weekdays;
  const onWeekdays = spans(week, (value) => WEEKDAY_NAMES[value % 7] ?? "");
  const when = times(pattern);
  const isOften = when.startsWith("every");
  let day: string;
  if (pattern.anyDay && (pattern.anyWeekday || weekdays.length === 7)) day = isOften ? "" : "every day";
  else if (pattern.anyDay) day = isOften ? `on ${onWeekdays}` : weekdays.length === 1 ? `every ${onWeekdays}` : onWeekdays;
  else if (pattern.anyWeekday) day = onDays;
  else day = `${onDays} and every ${onWeekdays}`;
  const sentence = isOften ? [when, day].filter(Boolean).join(" ") : `${day} ${when}`;
  return sentence + months;
}
