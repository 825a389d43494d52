import { expect, it, vi } from "vitest";

vi.mock("@/api/session", () => ({ useSession: () => null }));

const { parseSearch, stringifySearch } = await import("./url");

it("keeps every value as it is on the way through the address", () => {
  const search = { period: "2026-09", deals: "o~O1;d~250~2026-10-15", q: "a&b=c %7E + ü", time: "10:30,x" };
  expect(parseSearch(stringifySearch(search))).toEqual(search);
});

it("leaves out what is empty", () => {
  expect(stringifySearch({ a: undefined, b: "", c: null })).toBe("");
});

it("writes what people can read", () => {
  expect(stringifySearch({ deals: "o~O1;d~250~2026-10-15" })).toBe("?deals=o~O1;d~250~2026-10-15");
});
