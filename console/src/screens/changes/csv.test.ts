import { describe, expect, it } from "vitest";
import { readCsv } from "./csv";

describe("rows for looking at", () => {
  it("have a head and a count of all, also beyond those that are read", () => {
    expect(readCsv("a,b\n1,2\n3,4\n5,6\n", 2)).toEqual({ head: ["a", "b"], rows: [["1", "2"], ["3", "4"]], count: 3 });
  });
  it("keep commas, quotes and lines inside of quotes", () => {
    expect(readCsv('a,b\r\n"x, ""y""\nz",2\r\n', 5).rows).toEqual([['x, "y"\nz', "2"]]);
  });
  it("are none in an empty text", () => {
    expect(readCsv("", 5)).toEqual({ head: [], rows: [], count: 0 });
  });
});
