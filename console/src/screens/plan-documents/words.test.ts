import { describe, expect, it } from "vitest";
import { shownState, summary, waitingFirst } from "./words";

const one = (state: "sent" | "accepted" | "returned" | "replaced", sent_at = "") => ({ state, sent_at });

describe("plan documents", () => {
  it("wait until they are answered", () => {
    expect(shownState("sent")).toBe("waiting");
    expect(shownState("returned")).toBe("returned");
  });
  it("are counted without those that were replaced", () => {
    expect(summary([one("sent"), one("accepted"), one("replaced")])).toBe("1 of 2 accepted");
    expect(summary([one("accepted"), one("returned")])).toBe("1 of 2 accepted, 1 returned");
  });
  it("begin with what waits", () => {
    const order = waitingFirst([one("accepted", "3"), one("sent", "1"), one("returned", "2")]);
    expect(order.map((each) => each.sent_at)).toEqual(["1", "3", "2"]);
  });
});
