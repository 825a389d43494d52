// A problem of the server as a fault at its place in the editor.

import type { Fault } from "@/editor/CodeEditor";

/** `plans/ae.toml:12:5: message`, with or without its numbers; null for a problem of another file. */
export function faultOf(problem: string, file: string): Fault | null {
  const start = `plans/${file}`;
  if (!problem.startsWith(start)) return null;
  const found = /^(?::(\d+))?(?::(\d+))?(?:, column [^:]*)?: ?(.*)$/s.exec(problem.slice(start.length));
  if (!found) return null;
  return { line: Number(found[1] ?? 0), column: Number(found[2] ?? 0), message: found[3] ?? problem, severity: "error" };
}
