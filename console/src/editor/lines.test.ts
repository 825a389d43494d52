import { describe, expect, it } from "vitest";
import { type Op, counts, diffLines, folded, rows, within } from "./lines";

const show = (ops: Op[]) => ops.map((op) => op.tag + op.text).join("|");
const side = (ops: Op[], without: "-" | "+") =>
  ops
    .filter((op) => op.tag !== without)
    .map((op) => op.text)
    .join("\n");

describe("the difference of two texts", () => {
  it("is empty of changes for the same text", () => {
    expect(show(diffLines("a\nb\n", "a\nb\n"))).toBe(" a| b");
  });
  it("shows one changed line with its neighbours", () => {
    expect(show(diffLines("a\nb\nc", "a\nB\nc"))).toBe(" a|-b|+B| c");
  });
  it("finds a line moved in between", () => {
    expect(show(diffLines("a\nc\nd\nf", "a\nb\nc\ne\nf"))).toBe(" a|+b| c|-d|+e| f");
  });
  it("takes all from and gives all to an empty text", () => {
    expect(show(diffLines("", "a\nb"))).toBe("+a|+b");
    expect(show(diffLines("a\nb", ""))).toBe("-a|-b");
  });
  it("gives both texts back, whatever they are, and never more changes than lines", () => {
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let round = 0; round < 300; round++) {
      const text = () => Array.from({ length: random(14) }, () => "abcd"[random(4)]).join("\n");
      const [before, after] = [text(), text()];
      const ops = diffLines(before, after);
      expect(side(ops, "+")).toBe(before);
      expect(side(ops, "-")).toBe(after);
      expect(counts(ops).out).toBeLessThanOrEqual(before === "" ? 0 : before.split("\n").length);
    }
  });
});

describe("the difference side by side", () => {
  it("puts the line that goes beside the one that comes", () => {
    expect(rows(diffLines("a\nb\nc\nd", "a\nB\nd"))).toEqual([
      { left: 1, right: 1, before: "a", after: "a", kind: "same" },
      { left: 2, right: 2, before: "b", after: "B", kind: "changed" },
      { left: 3, right: null, before: "c", after: null, kind: "gone" },
      { left: 4, right: 3, before: "d", after: "d", kind: "same" },
    ]);
  });
  it("folds what is far from a change", () => {
    const before = Array.from({ length: 30 }, (_, at) => `line ${at}`);
    const after = before.with(15, "changed");
    const blocks = folded(rows(diffLines(before.join("\n"), after.join("\n"))));
    expect(blocks.map((block) => ("hidden" in block ? -block.hidden.length : block.rows.length))).toEqual([-12, 7, -11]);
  });
  it("marks what changed within a line", () => {
    expect(within("rate = 0.05;", "rate = 0.065;")).toEqual([
      ["rate = ", "0.05", ";"],
      ["rate = ", "0.065", ";"],
    ]);
  });
});
