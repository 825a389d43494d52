import { describe, expect, it } from "vitest";
import { parseCsv, printCsv } from "./csv";

describe("csv", () => {
  it("keeps commas, quotes and line breaks within quotes, and knows the line that a row begins on", () => {
    expect(parseCsv('\ufeffid,name\r\n1,"Baxter, ""Sons"""\r\n2,"two\nlines"\r\n3,last')).toEqual([
      { line: 1, fields: ["id", "name"] },
      { line: 2, fields: ["1", 'Baxter, "Sons"'] },
      { line: 3, fields: ["2", "two\nlines"] },
      { line: 5, fields: ["3", "last"] },
    ]);
  });

  it("reads what it wrote", () => {
    const rows = [["a", "b"], ['"', ",\n"], ["", "x y"], ["=1+1", "ü"]];
    expect(parseCsv(printCsv(rows)).map((row) => row.fields)).toEqual(rows);
  });

  it("leaves empty lines out and keeps empty fields", () => {
    expect(parseCsv("a,b\n\n,\n")).toEqual([
      { line: 1, fields: ["a", "b"] },
      { line: 3, fields: ["", ""] },
    ]);
  });
});
