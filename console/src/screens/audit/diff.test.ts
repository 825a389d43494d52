import { describe, expect, it } from "vitest";
import { diff, linesOf } from "./diff";

const show = (a: string, b: string) => diff([...a], [...b]).map((line) => line.tag + line.text).join("");

describe("differences of texts", () => {
  it("keep what is common and tell the rest", () => {
    expect(show("abcd", "axcd")).toBe(" a-b+x c d");
    expect(show("", "ab")).toBe("+a+b");
    expect(show("ab", "")).toBe("-a-b");
    expect(show("abab", "baba")).toBe("-a b a b+a");
    expect(show("same", "same")).toBe(" s a m e");
  });

  it("rebuild both texts", () => {
    for (const [a, b] of [["kitten", "sitting"], ["aaa", "aa"], ["xyz", "abc"], ["abcabba", "cbabac"]] as const) {
      const lines = diff([...a], [...b]);
      expect(lines.filter((line) => line.tag !== "+").map((line) => line.text).join("")).toBe(a);
      expect(lines.filter((line) => line.tag !== "-").map((line) => line.text).join("")).toBe(b);
    }
  });

  it("lay JSON out and leave other text alone", () => {
    expect(linesOf('{"a":[1]}')).toEqual(["{", '  "a": [', "    1", "  ]", "}"]);
    expect(linesOf("run 0 2 * * *")).toEqual(["run 0 2 * * *"]);
    expect(linesOf("12")).toEqual(["12"]);
    expect(linesOf(null)).toEqual([]);
  });
});
