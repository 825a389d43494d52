import { describe, expect, it } from "vitest";
import { binsOf } from "./bins";

describe("bins of differences", () => {
  it("counts each difference once and leaves out what did not move", () => {
    const differences = ["-900", "-0.01", "0", "0.00", "0.01", "1500", "12.5", "199.99", "200"];
    const bins = binsOf(differences);
    expect(bins.reduce((all, bin) => all + bin.count, 0)).toBe(7);
  });

  it("has zero as a bound", () => {
    for (const differences of [["-3", "5"], ["10"], ["-10"], ["0.03", "-0.02"], ["-1000000", "1"]]) {
      const bins = binsOf(differences);
      expect(bins.some((bin) => Number(bin.from) === 0 || Number(bin.until) === 0)).toBe(true);
      expect(bins.reduce((all, bin) => all + bin.count, 0)).toBe(differences.length);
    }
  });

  it("is empty where nothing moved", () => {
    expect(binsOf(["0", "0.0"])).toEqual([]);
  });
});
