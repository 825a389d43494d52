import { describe, expect, it } from "vitest";
import type { Statement, StatementLine } from "@/api/types";
import { add, compare, subtract } from "@/money";
import { adjustmentReason, kindOf, nameOf, terms } from "./kinds";

const totals = (own: Partial<Statement["totals"]>): Statement["totals"] => ({
  earned: "0",
  held: "0",
  carried_in: "0",
  carried: "0",
  drawn: "0",
  paid: "0",
  held_balance: "0",
  carried_balance: "0",
  ...own,
});

describe("kinds of lines", () => {
  it("says nothing of what a plan earns", () => {
    expect(kindOf({ kind: "formula", origin_period_id: null })).toBeNull();
  });
  it("names the period that a correction is of", () => {
    expect(kindOf({ kind: "retro", origin_period_id: "Q1" })?.label).toBe("correction of Q1");
    expect(kindOf({ kind: "clawback", origin_period_id: null })?.label).toBe("taken back");
  });
  it("keeps a component's own name", () => {
    expect(nameOf({ kind: "guarantee", name: "New hire guarantee" } as StatementLine)).toBe("New hire guarantee");
    expect(nameOf({ kind: "adjustment", name: "adjustment" } as StatementLine)).toBe("Adjustment");
  });
});

describe("adjustments", () => {
  it("are shown by their reason", () => {
    expect(adjustmentReason("adjustment adjustment-1a2: dispute")).toBe("dispute");
    expect(adjustmentReason("adjustment A-1: goodwill: for the delay")).toBe("goodwill: for the delay");
    expect(adjustmentReason("tier 2")).toBe("tier 2");
  });
});

describe("the way from earned to paid", () => {
  it("adds up to what is paid", () => {
    const own = totals({ earned: "1000", held: "250", carried_in: "-300", carried: "300", carried_balance: "0", paid: "450" });
    const sum = terms(own).reduce((so, term) => (term.sign === "−" ? subtract(so, term.amount) : add(so, term.amount)), "0");
    expect(compare(sum, own.paid)).toBe(0);
    expect(terms(own).map((term) => term.name)).toEqual(["Earned", "Owed before", "Held"]);
  });
  it("adds up where the payee draws in advance", () => {
    const own = totals({ earned: "400", carried_in: "-600", carried: "-600", drawn: "-600", paid: "1000", carried_balance: "-1200" });
    expect(terms(own)).toEqual([
      { name: "Earned", sign: "", amount: "400" },
      { name: "Owed before", sign: "−", amount: "600" },
      { name: "Held", sign: "−", amount: "0" },
      { name: "Owed after", sign: "+", amount: "1200" },
    ]);
    const sum = terms(own).reduce((so, term) => (term.sign === "−" ? subtract(so, term.amount) : add(so, term.amount)), "0");
    expect(compare(sum, own.paid)).toBe(0);
  });
  it("shows what was released as a gain", () => {
    const own = totals({ earned: "100", held: "-40", paid: "140" });
    expect(terms(own)).toContainEqual({ name: "Released", sign: "+", amount: "40" });
  });
});
