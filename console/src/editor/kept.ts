// Unsaved text, kept in this tab until it is saved or given up: a reload loses nothing.

import type { Text } from "./draft";

interface Kept extends Text {
  kept_at: number;
}

const keyOf = (name: string, userId: string) => `attain.formula.${userId}.${name}`;

export function keep(name: string, userId: string, text: Text): void {
  try {
    sessionStorage.setItem(keyOf(name, userId), JSON.stringify({ ...text, kept_at: Date.now() } satisfies Kept));
  } catch {
    // A full or forbidden store: the question before leaving is still there.
  }
}

export function forget(name: string, userId: string): void {
  try {
    sessionStorage.removeItem(keyOf(name, userId));
  } catch {
    // As above.
  }
}

export function kept(name: string, userId: string): Kept | null {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(keyOf(name, userId)) ?? "null");
    if (typeof found !== "object" || found === null) return null;
    const { source, cases, kept_at } = found as Record<string, unknown>;
    return typeof source === "string" && typeof cases === "string" ? { source, cases, kept_at: Number(kept_at) } : null;
  } catch {
    return null;
  }
}
