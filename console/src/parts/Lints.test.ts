import { describe, expect, it } from "vitest";
import type { PlanLint } from "@/api/work";
import { inOrder, lintsSaid } from "./Lints";

const lint = (message: string, severity: PlanLint["severity"], known: boolean): PlanLint => ({ file: "p.toml", plan_id: "p", version: null, severity, code: "pay-cliff", place: "c", message, known });

describe("what is to be looked at in a plan", () => {
  it("shows first what a change brings, warnings before notes", () => {
    const all = [lint("a", "info", true), lint("b", "warning", true), lint("c", "info", false), lint("d", "warning", false)];
    expect(inOrder(all).map((one) => one.message)).toEqual(["d", "c", "b", "a"]);
  });
  it("counts in words", () => {
    expect(lintsSaid([])).toBe("nothing to look at");
    expect(lintsSaid([lint("a", "warning", true), lint("b", "info", true), lint("c", "info", true)])).toBe("1 warning, 2 notes");
  });
});
