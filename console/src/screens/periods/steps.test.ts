import { describe, expect, it } from "vitest";
import type { PeriodStatus, PeriodStep } from "@/api/settlement";
import type { Action } from "@/api/types";
import { askedBy, inOrder, nextSteps, said } from "./steps";

const step = (to: PeriodStep["to"], actor: string): PeriodStep => ({ from: "open", to, actor, run_id: null, reason: "", recorded_at: "2026-01-01T00:00:00Z" });
const may =
  (...own: Action[]) =>
  (...asked: Action[]) =>
    asked.some((one) => own.includes(one));

describe("the steps of a period", () => {
  it("are for two people", () => {
    const period = { state: "in-review" as const, steps: [step("in-review", "cora")] };
    const approve = (who: string) => nextSteps(period, who, may("approve-changes")).find((one) => one.to === "approved");
    expect(approve("cora")?.refused).toMatch(/somebody else/);
    expect(approve("fin")?.refused).toBeNull();
  });
  it("go by who asked last", () => {
    expect(askedBy({ steps: [step("in-review", "cora"), step("open", "fin"), step("in-review", "fin")] })).toBe("fin");
    expect(askedBy({ steps: [] })).toBeNull();
  });
  it("need the action", () => {
    expect(nextSteps({ state: "open", steps: [] }, "audi", may())[0]?.refused).toBeTruthy();
    expect(nextSteps({ state: "approved", steps: [] }, "fin", may("approve-changes"))[0]).toMatchObject({ to: "closed", refused: null });
    expect(nextSteps({ state: "closed", steps: [] }, "fin", may("approve-changes"))).toEqual([]);
  });
});

describe("what was said at a step", () => {
  it("is shown without what the server wrote before it", () => {
    expect(said("2026-01", { to: "in-review", reason: "2026-01 in-review: looks complete" })).toBe("looks complete");
    expect(said("2026-01", { to: "closed", reason: "2026-01 closed: " })).toBe("");
    expect(said("2026-01", { to: "open", reason: "import periods" })).toBe("import periods");
  });
});

describe("the list of periods", () => {
  it("has what is to be done first", () => {
    const period = (period_id: string, from: string, state: PeriodStatus["state"]): PeriodStatus => ({ period_id, from, until: from, state, steps: [] });
    const all = [period("1", "2026-01-01", "closed"), period("2", "2026-02-01", "approved"), period("3", "2026-03-01", "open"), period("4", "2026-04-01", "open")];
    const { current, closed, planned } = inOrder(all, "2026-03-15");
    expect(current.map((one) => one.period_id)).toEqual(["3", "2"]);
    expect(closed.map((one) => one.period_id)).toEqual(["1"]);
    expect(planned.map((one) => one.period_id)).toEqual(["4"]);
  });
});
