// Light, dark, or as the system says. Kept in this browser only; it is taste, not data.

import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "system";

const KEPT = "attain-theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");
const watchers = new Set<() => void>();

function kept(): Theme {
  try {
    const value = localStorage.getItem(KEPT);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

let theme = kept();

function apply(): void {
  const dark = theme === "dark" || (theme === "system" && system.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const watcher of watchers) watcher();
}

export function startTheme(): void {
  system.addEventListener("change", apply);
  apply();
}

export function setTheme(next: Theme): void {
  theme = next;
  try {
    if (next === "system") localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, next);
  } catch {
    // A browser that keeps nothing still changes the theme of this visit.
  }
  apply();
}

export function useTheme(): Theme {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => theme,
  );
}
