import { describe, expect, it } from "vitest";
import type { RunStanding } from "@/api/work";
import { openSaid, runCheck } from "./checks";

const standing = (own: Partial<RunStanding>): RunStanding => ({ state: "current", run_id: "r", recorded_at: null, since: null, changes: [], change_count: 0, incomplete_run_id: null, ...own });

describe("whether a period's figures are current", () => {
  it("needs a complete run of what is there now", () => {
    expect(runCheck(standing({ state: "none" })).state).toBe("open");
    expect(runCheck(standing({ incomplete_run_id: "x" })).says).toMatch(/incomplete/);
    expect(runCheck(standing({})).state).toBe("good");
    const later = runCheck(standing({ state: "stale", changes: [{ at: "", kind: "document", object: "plans/ae.toml", source: null }], change_count: 1 }));
    expect(later).toEqual({ state: "open", says: "plans/ae.toml changed since the last run: run again." });
  });
});

describe("what people still wait for", () => {
  it("tells questions and disputes apart", () => {
    const one = (kind: "question" | "dispute", overdue = false, holds_pay = false) => ({ kind, overdue, holds_pay });
    expect(openSaid([one("dispute", true, true), one("question"), one("question")])).toBe("1 open dispute and 2 open questions, 1 overdue, 1 holds pay");
    expect(openSaid([one("question")])).toBe("1 open question");
  });
});
