import { describe, expect, it } from "vitest";
import type { ChangeHead } from "@/editor/shapes";
import { inOrder, nextAfter } from "./order";

const change = (id: string, author: string, at: string, state: ChangeHead["state"] = "submitted") =>
  ({ change_id: id, author, state, created_at: at, submitted_at: at, decided_at: null }) as ChangeHead;
const items = [change("A", "me", "1"), change("B", "you", "2"), change("C", "you", "3"), change("D", "you", "4", "approved")];

describe("the inbox", () => {
  it("begins with what waits longest", () => {
    expect(inOrder([...items].reverse(), "submitted").map((one) => one.change_id)).toEqual(["A", "B", "C", "D"]);
    expect(inOrder(items, "all").map((one) => one.change_id)).toEqual(["D", "C", "B", "A"]);
  });
  it("opens the next that somebody else wrote", () => {
    expect(nextAfter(items, "B", "me")?.change_id).toBe("C");
    expect(nextAfter(items, "A", "me")?.change_id).toBe("B");
  });
  it("begins again after the last", () => {
    expect(nextAfter(items, "C", "me")?.change_id).toBe("B");
  });
  it("opens nothing when nothing is left to decide", () => {
    expect(nextAfter([items[0], items[1]] as ChangeHead[], "B", "me")).toBeNull();
  });
});
