import { describe, expect, it } from "vitest";
import type { Anomaly } from "@/api/work";
import { byKind, chosen } from "./anomalies";

const one = (payee_name: string, kind: Anomaly["kind"], reviewed: boolean): Anomaly =>
  ({ payee_name, kind, review: reviewed ? { reviewed_by: "fin", reviewed_at: "", comment: "" } : null }) as Anomaly;
const all = [one("Zoe", "off-trend", false), one("Ana", "negative", true), one("Ben", "off-trend", true), one("Cid", "negative", false)];

describe("unusual statements", () => {
  it("shows what nobody has looked at", () => {
    expect(chosen(all, undefined, false).map((each) => each.payee_name)).toEqual(["Cid", "Zoe"]);
    expect(chosen(all, undefined, true).map((each) => each.payee_name)).toEqual(["Cid", "Zoe", "Ana", "Ben"]);
    expect(chosen(all, "negative", true).map((each) => each.payee_name)).toEqual(["Cid", "Ana"]);
  });
  it("counts kinds", () => {
    expect(byKind(all)).toEqual([
      { kind: "off-trend", count: 2 },
      { kind: "negative", count: 2 },
    ]);
  });
});
