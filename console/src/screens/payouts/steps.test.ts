import { describe, expect, it } from "vitest";
import type { Payout, PayoutHead, PayoutLine } from "@/api/settlement";
import { acts, approvalRefused, byAttention, doneBy, exportRefused, flagWords } from "./steps";

const line = (own: Partial<PayoutLine>): PayoutLine => ({ payee_id: "p", payee_name: "P", state: "due", flags: [], mark: null, reasons: [], ...own }) as PayoutLine;
const hand = (user_id: string, action: string) => ({ user_id, user_name: user_id, action, note: "", recorded_at: "" });

describe("a payout", () => {
  it("goes one way", () => {
    expect(acts("draft")).toContain("review");
    expect(acts("reviewed")[0]).toBe("approve");
    expect(acts("exported")).toEqual(["confirm"]);
    expect(acts("cancelled")).toEqual([]);
  });
  it("is approved by a second person", () => {
    const payout = { hands: [hand("fin", "draft-payout"), hand("fin", "review-payout")], lines: [] };
    expect(approvalRefused(payout, "fin")).toMatch(/somebody else/);
    expect(approvalRefused(payout, "cora")).toBeNull();
    expect(approvalRefused({ hands: [hand("cora", "approve-payout")], lines: [] }, "cora")).toBeNull();
  });
  it("waits for what is disputed, not for what is excluded", () => {
    const held = (kind: "excluded" | "disputed") => ({ hands: [], lines: [line({ mark: { kind, reason: "", actor: "" } })] });
    expect(approvalRefused(held("disputed"), "cora")).toMatch(/disputed or on hold/);
    expect(approvalRefused(held("excluded"), "cora")).toBeNull();
  });
  it("waits for a dispute that holds pay, unless the payee is left out", () => {
    const reasons = (blocks: boolean) => [{ kind: "dispute" as const, id: "d", text: "line 1 is disputed", blocks }];
    const held = (state: PayoutLine["state"], blocks: boolean) => ({ hands: [], open_periods: [] as string[], lines: [line({ state, reasons: reasons(blocks) })] });
    expect(approvalRefused(held("due", true), "cora")).toMatch(/hold the pay of one payee/);
    expect(exportRefused(held("due", true))).toMatch(/hold the pay/);
    expect(approvalRefused(held("excluded", true), "cora")).toBeNull();
    expect(approvalRefused(held("due", false), "cora")).toBeNull();
  });
  it("is exported when its periods are approved", () => {
    expect(exportRefused({ open_periods: ["2026-01"], lines: [] as PayoutLine[] } as Payout)).toContain("2026-01");
    expect(exportRefused({ open_periods: [] as string[], lines: [] as PayoutLine[] } as Payout)).toBeNull();
  });
  it("says who did what", () => {
    const payout = { made_by: "Fin", made_at: "2026-01-01T00:00:00Z", reviewed_by: null, reviewed_at: null } as PayoutHead;
    expect(doneBy(payout, "draft")?.name).toBe("Fin");
    expect(doneBy(payout, "reviewed")).toBeNull();
  });
  it("shows first what needs a look", () => {
    const order = byAttention([line({ payee_name: "A" }), line({ payee_name: "B", flags: ["raised"] }), line({ payee_name: "C", mark: { kind: "on-hold", reason: "", actor: "" } }), line({ payee_name: "D", state: "left" })]);
    expect(order.map((one) => one.payee_name)).toEqual(["C", "B", "A", "D"]);
    expect(flagWords("new-flag")).toBe("new flag");
  });
});
