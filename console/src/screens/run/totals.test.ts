import { describe, expect, it } from "vitest";
import { isTied, ties } from "./totals";

const GOOD = [
  { name: "in-count", value: "20000" },
  { name: "in-amount", value: "217968767.22" },
  { name: "credited-count", value: "19958" },
  { name: "credited-amount", value: "217484194.16" },
  { name: "uncredited-count", value: "40" },
  { name: "uncredited-amount", value: "472502.56" },
  { name: "quarantined-count", value: "2" },
  { name: "quarantined-amount", value: "12070.5" },
  { name: "payees", value: "106" },
];

describe("control totals", () => {
  it("tie to the cent", () => {
    const { tied, others } = ties(GOOD);
    expect(tied.map((tie) => [tie.of, tie.parts.length, isTied(tie)])).toEqual([
      ["count", 3, true],
      ["amount", 3, true],
    ]);
    expect(others.map((one) => one.name)).toEqual(["payees"]);
  });

  it("a lost cent is seen", () => {
    const { tied } = ties(GOOD.map((one) => (one.name === "uncredited-amount" ? { ...one, value: "472502.55" } : one)));
    expect(tied.find((tie) => tie.of === "amount")?.rest).toBe("0.01");
  });
});
