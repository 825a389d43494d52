import { describe, expect, it } from "vitest";
import type { DisputeHead } from "@/api/work";
import { about, fileFault, fileSize, subjectOf, within } from "./words";

const own = { payee_id: "ana" } as DisputeHead;
const other = { payee_id: "ben" } as DisputeHead;

describe("disputes in words", () => {
  it("names what a dispute is about", () => {
    expect(about({ about: "line", line: 3, transaction_id: "T-1" })).toBe("line 3");
    expect(about({ about: "statement", line: null, transaction_id: null })).toBe("the whole statement");
    expect(about({ about: "credit", line: null, transaction_id: "T-9" })).toBe("missing credit for T-9");
  });
  it("suggests a subject", () => {
    expect(subjectOf({ line: { name: "Accelerator" } }, "Q1")).toBe("Accelerator, Q1");
    expect(subjectOf({ transactionId: "T-9" }, "Q1")).toBe("Missing credit for T-9, Q1");
    expect(subjectOf({}, "Q1")).toBe("Statement of Q1");
  });
  it("parts one's own pay from that of others", () => {
    expect(within([own, other], "mine", "ana")).toEqual([own]);
    expect(within([own, other], "team", "ana")).toEqual([other]);
    expect(within([own, other], undefined, "ana")).toEqual([own, other]);
  });
  it("refuses files before they are sent", () => {
    expect(fileFault({ name: "deal.pdf", size: 10 })).toBeNull();
    expect(fileFault({ name: "page.html", size: 10 })).toMatch(/no kind/);
    expect(fileFault({ name: "deal.PDF", size: 3 * 1024 * 1024 })).toMatch(/larger/);
    expect(fileFault({ name: "rows.csv", size: 0 })).toMatch(/empty/);
    expect(fileSize(900)).toBe("900 B");
    expect(fileSize(1_572_864)).toBe("1.5 MiB");
  });
});
