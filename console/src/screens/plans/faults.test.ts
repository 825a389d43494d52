import { describe, expect, it } from "vitest";
import { faultOf } from "./faults";

describe("a problem at its place", () => {
  it("takes the line and the column where they are told", () => {
    expect(faultOf("plans/ae.toml:12:5: `x` is no key", "ae.toml")).toEqual({ line: 12, column: 5, message: "`x` is no key", severity: "error" });
    expect(faultOf("plans/ae.toml:3, column rate: `a` is no number", "ae.toml")?.line).toBe(3);
    expect(faultOf("plans/ae.toml: is the id of another plan too", "ae.toml")).toMatchObject({ line: 0, message: "is the id of another plan too" });
  });
  it("leaves other files alone", () => {
    expect(faultOf("quotas.csv:2: `x` is no measure", "ae.toml")).toBeNull();
    expect(faultOf("plans/aerial.toml:2: x", "ae.toml")).toBeNull();
  });
});
