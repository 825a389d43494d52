import { expect, it } from "vitest";
import { asked, format, parse } from "./state";

const tried = {
  opportunities: new Map([
    ["O4001", { amount: "", closeOn: "" }],
    ["odd~;id", { amount: "25000", closeOn: "2026-11-01" }],
  ]),
  deals: [{ amount: "40000", closeOn: "2026-10-15" }],
};

it("survives the way through the address", () => {
  const text = format(tried);
  expect(text).toBe("o~O4001;o~odd%7E%3Bid~25000~2026-11-01;d~40000~2026-10-15");
  expect(parse(text)).toEqual(tried);
});

it("asks for what is typed whole and leaves out what is half typed", () => {
  expect(asked({ opportunities: new Map([["O1", { amount: "12x", closeOn: "2026-1" }]]), deals: [{ amount: "", closeOn: "2026-10-15" }] })).toEqual({
    opportunities: [{ opportunity_id: "O1" }],
    deals: [],
    transactions: [],
  });
});

it("is nothing without anything", () => {
  expect(format(parse(undefined))).toBeUndefined();
  expect(format(parse("junk;;x~"))).toBeUndefined();
});
