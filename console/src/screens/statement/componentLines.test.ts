import { expect, it } from "vitest";
import { componentLines } from "./componentLines";

const PLAN = ['id = "ae"', "", "[[components]]", 'id = "commission"', "", "[components.settings]", 'method = "marginal"', "", "[[components]]", 'id = "new-logo"'].join("\n");

it("finds the lines of one component, with its settings", () => {
  expect(componentLines(PLAN, "commission")).toEqual({ from: 2, until: 7 });
  expect(componentLines(PLAN, "new-logo")).toEqual({ from: 8, until: 10 });
});

it("finds nothing where there is no such component", () => {
  expect(componentLines(PLAN, "comm")).toBeNull();
});
