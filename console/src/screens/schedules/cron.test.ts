import { describe, expect, it } from "vitest";
import { inWords, nextTimes, offsetOf, parseCron } from "./cron";

const words = (text: string) => {
  const pattern = parseCron(text);
  return pattern ? inWords(pattern) : null;
};
const next = (text: string, zone: string, from: string, count = 2) => {
  const pattern = parseCron(text);
  const offset = offsetOf(zone);
  if (!pattern || offset === null) throw new Error(`\`${text}\` in \`${zone}\` was not read`);
  return nextTimes(pattern, offset, Date.parse(from), count).map((at) => new Date(at).toISOString());
};

describe("a schedule in words", () => {
  it("says when it comes round", () => {
    expect(words("0 2 * * *")).toBe("every day at 02:00");
    expect(words("30 6 * * 1")).toBe("every Monday at 06:30");
    expect(words("0 6 * * 1-5")).toBe("Monday to Friday at 06:00");
    expect(words("0 6,18 * * MON,WED")).toBe("Monday and Wednesday at 06:00 and 18:00");
    expect(words("*/15 * * * *")).toBe("every 15 minutes");
    expect(words("*/15 6-20 * * 1-5")).toBe("every 15 minutes from 06:00 to 20:59 on Monday to Friday");
    expect(words("5 * * * *")).toBe("every hour at minute 5");
    expect(words("0 */4 * * *")).toBe("every 4 hours");
    expect(words("0 8 1 * *")).toBe("on the 1st of the month at 08:00");
    expect(words("0 8 1,15 1-3 *")).toBe("on the 1st and 15th of the month at 08:00 in January to March");
    expect(words("0 8 22 * 5")).toBe("on the 22nd of the month and every Friday at 08:00");
    expect(words("*/10 * * * * *")).toBe("every 10 seconds");
    expect(words("0 0 * * 6,0")).toBe("Saturday and Sunday at 00:00");
  });

  it("does not guess what it does not know", () => {
    for (const text of ["every day", "", "0 25 * * *", "0 6 * *", "0 6 L * *", "60 * * * *", "0 6 * * 8", "5-1 * * * *", "*/0 * * * *"]) expect(words(text)).toBeNull();
  });
});

// The same as the server's own tests of its timetable.
describe("the next times", () => {
  it("come round in their zone", () => {
    expect(next("0 6 * * *", "+02:00", "2026-03-01T00:00:00Z", 1)).toEqual(["2026-03-01T04:00:00.000Z"]);
    expect(next("0 6 * * *", "+02:00", "2026-03-01T04:00:00Z", 1)).toEqual(["2026-03-02T04:00:00.000Z"]);
    expect(next("30 23 * * 5", "-03:30", "2026-03-01T00:00:00Z", 1)).toEqual(["2026-03-07T03:00:00.000Z"]);
  });

  it("may have seconds in front", () => {
    expect(next("*/2 * * * * *", "UTC", "2026-03-01T00:00:00.500Z")).toEqual(["2026-03-01T00:00:02.000Z", "2026-03-01T00:00:04.000Z"]);
  });

  it("find a leap day after years, and tell nothing of what never comes", () => {
    expect(next("0 0 29 2 *", "UTC", "2026-03-01T00:00:00Z")).toEqual(["2028-02-29T00:00:00.000Z", "2032-02-29T00:00:00.000Z"]);
    expect(next("0 0 31 2 *", "UTC", "2026-03-01T00:00:00Z")).toEqual([]);
  });

  it("take either day where both are named", () => {
    expect(next("0 0 13 * 5", "UTC", "2026-02-01T00:00:00Z", 3)).toEqual(["2026-02-06T00:00:00.000Z", "2026-02-13T00:00:00.000Z", "2026-02-20T00:00:00.000Z"]);
  });

  it("know no zone of summer time", () => {
    expect(offsetOf("Europe/Berlin")).toBeNull();
    expect(offsetOf("+2")).toBeNull();
    expect(offsetOf("-05:30")).toBe(-330);
  });
});
