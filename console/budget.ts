// What a page may weigh, gzipped: the shell's scripts at most 120 KiB, all styles 16 KiB, a screen at most 80 KiB more, a screen with the
// editor 120 KiB more on top.
// The build fails where a file crosses it.

import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const KIB = 1024;
const SHELL_MAX = 120 * KIB;
const STYLES_MAX = 16 * KIB;
const SCREEN_MAX = 80 * KIB;
const EDITOR_MAX = 120 * KIB;

interface Piece {
  size: number;
  imports: string[];
  modules: string[];
}

export function budget(): Plugin {
  return {
    name: "attain-budget",
    apply: "build",
    generateBundle(_, bundle) {
      const pieces = new Map<string, Piece>();
      let styles = 0;
      const screens: [string, string][] = [];
      let entry: string | null = null;
      for (const file of Object.values(bundle)) {
        if (file.type === "asset") {
          if (file.fileName.endsWith(".css")) styles += gzipSync(file.source).length;
          continue;
        }
        pieces.set(file.fileName, { size: gzipSync(file.code).length, imports: file.imports, modules: file.moduleIds });
        if (file.isEntry) entry = file.fileName;
        const screen = /\/src\/screens\/([^/]+)\/index\.tsx$/.exec(file.facadeModuleId ?? "")?.[1];
        if (screen) screens.push([screen, file.fileName]);
      }
      if (!entry) throw new Error("the build has no entry");
      const closure = (from: string, into = new Set<string>()): Set<string> => {
        if (into.has(from)) return into;
        into.add(from);
        for (const next of pieces.get(from)?.imports ?? []) closure(next, into);
        return into;
      };
      const weigh = (files: Iterable<string>) => [...files].reduce((sum, file) => sum + (pieces.get(file)?.size ?? 0), 0);
      const shell = closure(entry);
      const faults: string[] = [];
      const check = (what: string, size: number, max: number) => {
        const line = `${what}: ${(size / KIB).toFixed(1)} KiB of ${max / KIB}`;
        if (size > max) faults.push(line);
        return line;
      };
      const said = [check("shell", weigh(shell), SHELL_MAX), check("styles", styles, STYLES_MAX)];
      for (const [screen, file] of screens.sort()) {
        const more = [...closure(file)].filter((each) => !shell.has(each));
        const edits = more.some((each) => pieces.get(each)?.modules.some((id) => id.includes("/@codemirror/")));
        said.push(check(screen, weigh(more), SCREEN_MAX + (edits ? EDITOR_MAX : 0)));
      }
      this.info(`gzipped ${said.join(", ")}`);
      if (faults.length > 0) this.error(`over its budget: ${faults.join("; ")}`);
    },
  };
}
