import { describe, expect, it } from "vitest";
import { absolute, add, compare, measure, money, negate, number, percent, rate, sign, subtract, sum, typed } from "./money";

describe("arithmetic", () => {
  it("adds what floats cannot", () => {
    expect(add("0.1", "0.2")).toBe("0.3");
    expect(add("9007199254740993", "0.01")).toBe("9007199254740993.01");
  });
  it("subtracts over zero and keeps the sign", () => {
    expect(subtract("10", "12.5")).toBe("-2.5");
    expect(subtract("-0.0001", "-0.0001")).toBe("0");
  });
  it("sums the lines of a statement to the cent", () => {
    expect(sum(["38426.93", "1200", "93.60", "-0.01"])).toBe("39720.52");
    expect(sum([])).toBe("0");
  });
  it("compares numbers, not texts", () => {
    expect(compare("9", "10")).toBe(-1);
    expect(compare("1.50", "1.5")).toBe(0);
    expect(["10", "-2", "9.99"].sort(compare)).toEqual(["-2", "9.99", "10"]);
  });
  it("knows signs", () => {
    expect([sign("-0.00"), sign("-0.01"), sign("3")]).toEqual([0, -1, 1]);
    expect(negate("-0.50")).toBe("0.5");
    expect(absolute("-7.25")).toBe("7.25");
  });
  it("refuses what is no decimal", () => {
    for (const wrong of ["", "1e3", "NaN", "1,5", "--1"]) expect(() => add(wrong, "1")).toThrow(RangeError);
  });
});

describe("what a person types", () => {
  it("is read with separators and spaces", () => {
    expect(typed(" 1,234.50 ")).toBe("1234.5");
    expect(typed("$18 400")).toBe("18400");
    expect(typed("about 3")).toBeNull();
    expect(typed("")).toBeNull();
  });
});

describe("formatting", () => {
  it("shows every digit of a large amount", () => {
    expect(money("9007199254740993.07", "USD")).toBe("$9,007,199,254,740,993.07");
  });
  it("shows at least the currency's digits and never rounds away", () => {
    expect(money("1200", "USD")).toBe("$1,200.00");
    expect(money("11913.27858", "USD")).toBe("$11,913.27858");
    expect(money("1200", "JPY")).toBe("¥1,200");
  });
  it("puts a sign before a gain when asked", () => {
    expect(money("5", "USD", { sign: "always" })).toBe("+$5.00");
    expect(money("-5", "USD", { sign: "always" })).toBe("-$5.00");
    expect(money("0", "USD", { sign: "always" })).toBe("$0.00");
  });
  it("shortens for axes only", () => {
    expect(money("1250000", "USD", { short: true })).toBe("$1.3M");
    expect(money("1250000.49", "USD", { whole: true })).toBe("$1,250,000");
  });
  it("shows rates as percentages", () => {
    expect(percent("0.886888")).toBe("88.7%");
    expect(percent("0.042")).toBe("4.2%");
    expect(percent("1.115647", 4)).toBe("111.5647%");
  });
  it("shows a rate as a share of an amount or as an amount for each", () => {
    expect(rate("0.042")).toBe("4.2%");
    expect(rate("1200")).toBe("1,200");
    expect(measure("2904715.2")).toBe("2,904,715.2");
    expect(measure("2904715.2", true)).toBe("2.9M");
  });
  it("shows plain numbers with separators", () => {
    expect(number("3653966.38")).toBe("3,653,966.38");
    expect(number(12)).toBe("12");
  });
});
