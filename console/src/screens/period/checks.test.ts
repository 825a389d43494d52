import { describe, expect, it } from "vitest";
import type { RunSummary } from "@/api/types";
import { runCheck } from "./checks";

const run = (complete: boolean) => ({ run_id: "r", complete, recorded_at: "2026-03-01T10:00:00Z" }) as RunSummary;

describe("whether a period's figures are current", () => {
  it("needs a complete run", () => {
    expect(runCheck(null, [], []).state).toBe("open");
    expect(runCheck(run(false), [], []).says).toMatch(/incomplete/);
    expect(runCheck(run(true), [], []).state).toBe("good");
  });
  it("sees what came after the run", () => {
    expect(runCheck(run(true), [{ decided_at: "2026-03-01T09:59:59Z" }], []).state).toBe("good");
    const later = runCheck(run(true), [{ decided_at: "2026-03-01T10:00:01Z" }], [{ state: "applied", recorded_at: "2026-03-02T00:00:00Z" }]);
    expect(later.state).toBe("open");
    expect(later.says).toContain("1 approved change and 1 import");
    expect(runCheck(run(true), [], [{ state: "refused", recorded_at: "2026-03-02T00:00:00Z" }]).state).toBe("good");
  });
});
