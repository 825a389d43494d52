import { describe, expect, it } from "vitest";
import { dayAfter, lastDay } from "./days";

describe("days of a span", () => {
  it("go over months, years and leap days", () => {
    expect(dayAfter("2026-12-31")).toBe("2027-01-01");
    expect(dayAfter("2028-02-28")).toBe("2028-02-29");
    expect(lastDay("2027-03-01")).toBe("2027-02-28");
    expect(lastDay(dayAfter("2026-10-25"))).toBe("2026-10-25");
  });
});
