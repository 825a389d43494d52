import { describe, expect, it } from "vitest";
import type { Change } from "./shapes";
import { type Facts, savedText, standing } from "./draft";

const active = { source: "credited * 0.05", cases: "" };
const edited = { source: "credited * 0.06", cases: "" };
const change = (over: Partial<Change> = {}): Change => ({
  change_id: "C1",
  kind: "formula",
  object: "comp-flat",
  payload: edited,
  base_digest: "d1",
  state: "draft",
  author: "U1",
  author_name: "Cora",
  created_at: "2026-10-01T00:00:00Z",
  submitted_at: null,
  decided_by: null,
  decided_by_name: null,
  decided_at: null,
  comment: "",
  decision_comment: null,
  content_hash: "h",
  version: 1,
  text_diff: [],
  lints: [],
  impact: null,
  current_digest: "d1",
  revisions: [],
  ...over,
});
const at = (over: Partial<Facts> = {}) =>
  standing({ me: { userId: "U1", mayDraft: true, mayApprove: true }, active, editable: true, mine: null, others: [], text: active, outdated: false, ok: true, red: 0, ...over });

describe("a formula on its way", () => {
  it("is active while nothing was typed", () => {
    const now = at();
    expect(now.phase).toBe("active");
    expect([now.save.allowed, now.submit.allowed, now.withdraw.allowed, now.revert.allowed]).toEqual([false, false, false, false]);
  });
  it("is unsaved once something was typed, and may be saved and submitted", () => {
    const now = at({ text: edited });
    expect(now.phase).toBe("unsaved");
    expect([now.save.allowed, now.submit.allowed, now.revert.allowed]).toEqual([true, true, true]);
  });
  it("may be saved with errors, not submitted", () => {
    const now = at({ text: edited, ok: false });
    expect(now.save.allowed).toBe(true);
    expect(now.submit).toEqual({ allowed: false, why: "Mend the errors first." });
    expect(now.says).toMatch(/mend the errors/);
  });
  it("may be submitted with a red case, for talking about it, and says that it is not approved so", () => {
    const now = at({ text: edited, red: 1 });
    expect(now.submit.allowed).toBe(true);
    expect(now.says).toMatch(/not approved while a case is red/);
  });
  it("is not submitted before the check has answered", () => {
    expect(at({ text: edited, ok: null }).submit.why).toMatch(/checked/);
  });
  it("is a draft after saving", () => {
    const now = at({ text: edited, mine: change() });
    expect(now.phase).toBe("draft");
    expect([now.save.allowed, now.submit.allowed, now.withdraw.allowed]).toEqual([false, true, true]);
  });
  it("goes back to what was active as a change of the draft", () => {
    const now = at({ text: active, mine: change() });
    expect(now.phase).toBe("unsaved");
    expect(now.save.allowed).toBe(true);
    expect(now.submit.allowed).toBe(false);
  });
  it("waits for somebody else once submitted", () => {
    const now = at({ text: edited, mine: change({ state: "submitted" }) });
    expect(now.phase).toBe("submitted");
    expect(now.submit.why).toBe("It is submitted already.");
    expect(now.says).toMatch(/somebody else/);
  });
  it("says that saving takes a submitted text back", () => {
    const now = at({ text: { ...edited, cases: "x" }, mine: change({ state: "submitted" }) });
    expect(now.says).toMatch(/back to a draft/);
    expect([now.save.allowed, now.submit.allowed]).toEqual([true, true]);
  });
  it("notices that the active text moved under the draft", () => {
    expect(at({ text: edited, mine: change(), outdated: true }).submit).toEqual({ allowed: false, why: "Compare with what is active now first." });
  });
  it("tells an approver of somebody else's change", () => {
    const others = [change({ author: "U2", author_name: "Fin", state: "submitted" })];
    expect(at({ others }).says).toBe("Fin submitted a change to this formula. You may decide on it.");
    expect(at({ others, me: { userId: "U1", mayDraft: true, mayApprove: false } }).says).toMatch(/waits for approval/);
  });
  it("is read only for readers, for what comes with the server, and for Wasm", () => {
    expect(at({ me: { userId: "U1", mayDraft: false, mayApprove: true } }).phase).toBe("read-only");
    expect(at({ editable: false }).phase).toBe("read-only");
    expect(at({ active: null }).says).toMatch(/Wasm/);
    expect(at({ active: null, text: { source: "", cases: "" } }).save.allowed).toBe(false);
  });
  it("keeps the draft's text before the active one", () => {
    expect(savedText(active, change())).toEqual(edited);
    expect(savedText(active, null)).toEqual(active);
    expect(savedText(active, change({ payload: { digest: "x" } }))).toEqual(active);
  });
});
