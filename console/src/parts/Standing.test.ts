import { describe, expect, it } from "vitest";
import type { RunStanding } from "@/api/work";
import { sinceSaid, standingSaid } from "./Standing";

const standing = (own: Partial<RunStanding>): RunStanding => ({ state: "current", run_id: "r", recorded_at: null, since: null, changes: [], change_count: 0, incomplete_run_id: null, ...own });

describe("whether the last run is current", () => {
  it("says so, or since which change it is not", () => {
    expect(standingSaid(standing({}))).toMatch(/everything that is there/);
    expect(standingSaid(standing({ state: "none", run_id: null }))).toMatch(/Nothing was calculated/);
    const change = { at: "2026-03-01T10:00:00Z", kind: "rows", object: "quotas", source: "q3.csv" } as const;
    expect(standingSaid(standing({ state: "stale", changes: [change], change_count: 3 }))).toBe("rows of quotas (q3.csv) and 2 more things changed since the last run: run again.");
    expect(standingSaid(standing({ incomplete_run_id: "x" }))).toMatch(/incomplete/);
  });
  it("names documents by their path", () => {
    expect(sinceSaid({ at: "", kind: "document", object: "plans/ae.toml", source: null })).toBe("plans/ae.toml");
    expect(sinceSaid({ at: "", kind: "extension", object: "compensation/flat", source: null })).toBe("extension compensation/flat");
  });
});
