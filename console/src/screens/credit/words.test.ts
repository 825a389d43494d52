import { describe, expect, it } from "vitest";
import type { CreditPath } from "@/api/settlement";
import { nearestFirst, pathWords, whyNot } from "./words";

const path = (own: Partial<CreditPath>): CreditPath => ({ kind: "coverage", coverage_id: null, position_id: null, name: null, from: [], ...own });

describe("reasons of credit", () => {
  it("says how somebody comes to it", () => {
    expect(pathWords(path({ name: "owner" }))).toBe("covers it as owner");
    expect(pathWords(path({ kind: "hierarchy", from: ["ana", null, "mia"] }))).toBe("is above the one who has it (from ana, then mia)");
    expect(pathWords(path({ kind: "hierarchy", from: ["ana"] }), () => "Ana")).toBe("is above the one who has it (from Ana)");
    expect(pathWords(path({ kind: "some-new-way" }))).toBe("some new way");
  });
  it("begins with those nearest to the deal", () => {
    const far = { name: "far", via: [path({ from: ["a", "b"] })] };
    const near = { name: "near", via: [path({})] };
    const unseen = { name: "unseen", via: [] };
    expect(nearestFirst([unseen, far, near]).map((one) => one.name)).toEqual(["near", "far", "unseen"]);
  });
  it("says why not", () => {
    expect(whyNot("vacant")).toBe("nobody sits there on that day");
    expect(whyNot("some-new-why")).toBe("some new why");
  });
});
