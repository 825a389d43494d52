import { describe, expect, it } from "vitest";
import type { TraceNode } from "@/api/types";
import { type Pair, align, leading, shownRows } from "./traces";

const node = (step: string, text: string, fields: Record<string, string> = {}, children: TraceNode[] = []): TraceNode => ({ step, text, fields, children });
const slice = (label: string, amount: string) => node("slice", `slice ${label}: ${amount}`, { label, amount });
const credit = (id: string, amount: string) => node("credit", `credit ${amount}`, { transaction_id: id, amount });
const row = (pair: Pair) => `${pair.kind} ${pair.before?.text ?? "·"} / ${pair.after?.text ?? "·"}`;

describe("two traces side by side", () => {
  it("stand in one row where they speak of the same slice", () => {
    const pair = align(
      node("earning", "earned 100", { line: "1" }, [slice("tier 1", "60"), slice("tier 2", "40")]),
      node("earning", "earned 130", { line: "1" }, [slice("tier 1", "60"), slice("tier 2", "70")]),
    );
    expect(pair.kind).toBe("changed");
    expect(pair.children.map(row)).toEqual(["same slice tier 1: 60 / slice tier 1: 60", "changed slice tier 2: 40 / slice tier 2: 70"]);
    expect(pair.changesBelow).toBe(1);
  });
  it("keep an order where one credit is new and one is gone", () => {
    const pair = align(
      node("credits", "3 credits", {}, [credit("T1", "1"), credit("T2", "2"), credit("T3", "3")]),
      node("credits", "3 credits", {}, [credit("T0", "9"), credit("T1", "1"), credit("T3", "3")]),
    );
    expect(pair.children.map((child) => child.kind)).toEqual(["new", "same", "gone", "same"]);
  });
  it("pair a slice that was only renamed", () => {
    const pair = align(node("earning", "x", {}, [slice("flat", "5")]), node("earning", "x", {}, [slice("base", "5")]));
    expect(pair.children.map(row)).toEqual(["changed slice flat: 5 / slice base: 5"]);
  });
  it("never pair the credits of two transactions", () => {
    const pair = align(node("credits", "x", {}, [credit("T1", "5")]), node("credits", "x", {}, [credit("T2", "5")]));
    expect(pair.children.map((child) => child.kind)).toEqual(["gone", "new"]);
  });
  it("lose no step of either side", () => {
    const a = [credit("T1", "1"), slice("a", "1"), credit("T2", "1"), slice("b", "1"), credit("T1", "1")];
    const b = [slice("b", "1"), credit("T2", "1"), credit("T1", "1"), slice("c", "1")];
    const pair = align(node("x", "x", {}, a), node("x", "x", {}, b));
    const sorted = (nodes: (TraceNode | null)[]) => nodes.flatMap((one) => (one ? [one.text + (one.fields.transaction_id ?? "")] : [])).sort();
    expect(sorted(pair.children.map((child) => child.before))).toEqual(sorted(a));
    expect(sorted(pair.children.map((child) => child.after))).toEqual(sorted(b));
  });
  it("open at first only where something changed", () => {
    const pair = align(
      node("payout", "paid 1", {}, [
        node("earning", "line 1: 1", { line: "1" }, [slice("a", "1")]),
        node("earning", "line 2: 1", { line: "2" }, [slice("a", "1")]),
      ]),
      node("payout", "paid 2", {}, [
        node("earning", "line 1: 1", { line: "1" }, [slice("a", "1")]),
        node("earning", "line 2: 2", { line: "2" }, [slice("a", "2")]),
      ]),
    );
    expect(shownRows(pair, leading(pair)).map((one) => one.id)).toEqual(["0", "0.0", "0.1", "0.1.0"]);
  });
});
