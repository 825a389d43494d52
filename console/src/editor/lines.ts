// What differs between two texts, line by line (Myers' greedy algorithm), and within a changed line.

export interface Op {
  tag: " " | "-" | "+";
  text: string;
}

/** Beyond this many differing lines the rest is shown as taken out and put in: still right, no longer the shortest. */
const EDITS_MAX = 600;

export function diffLines(before: string, after: string): Op[] {
  return diff(split(before), split(after));
}

function split(text: string): string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

function diff(a: string[], b: string[]): Op[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const same = (lines: string[]): Op[] => lines.map((text) => ({ tag: " ", text }));
  return [
    ...same(a.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(end > 0 ? a.slice(-end) : []),
  ];
}

function middle(a: string[], b: string[]): Op[] {
  const out = (text: string): Op => ({ tag: "-", text });
  const put = (text: string): Op => ({ tag: "+", text });
  if (a.length === 0 || b.length === 0) return [...a.map(out), ...b.map(put)];
  const most = Math.min(a.length + b.length, EDITS_MAX);
  // `reach[k]`: how far into `a` one gets on diagonal k; the rounds are kept to walk back.
  const rounds: Map<number, number>[] = [];
  let reach = new Map<number, number>([[1, 0]]);
  const get = (of: Map<number, number>, k: number) => of.get(k) ?? -1;
  for (let d = 0; d <= most; d++) {
    rounds.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && get(reach, k - 1) < get(reach, k + 1)) ? get(reach, k + 1) : get(reach, k - 1) + 1;
      let y = x - k;
      while (x < a.length && y < b.length && a[x] === b[y]) {
        x += 1;
        y += 1;
      }
      reach.set(k, x);
      if (x >= a.length && y >= b.length) return walkBack(rounds, a, b);
    }
  }
  return [...a.map(out), ...b.map(put)];
}

function walkBack(rounds: Map<number, number>[], a: string[], b: string[]): Op[] {
  const ops: Op[] = [];
  let x = a.length;
  let y = b.length;
  for (let d = rounds.length - 1; d >= 0; d--) {
    const reach = rounds[d] as Map<number, number>;
    const k = x - y;
    const get = (at: number) => reach.get(at) ?? -1;
    const from = k === -d || (k !== d && get(k - 1) < get(k + 1)) ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : get(from);
    const fromY = d === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY && x > 0 && y > 0 && a[x - 1] === b[y - 1]) {
      ops.push({ tag: " ", text: a[x - 1] as string });
      x -= 1;
      y -= 1;
    }
    if (d === 0) break;
    if (x > fromX) {
      ops.push({ tag: "-", text: a[x - 1] as string });
      x -= 1;
    } else {
      ops.push({ tag: "+", text: b[y - 1] as string });
      y -= 1;
    }
  }
  return grouped(ops.reverse());
}

/** Within one place of change first all that goes, then all that comes. */
function grouped(ops: Op[]): Op[] {
  const result: Op[] = [];
  let gone: Op[] = [];
  let come: Op[] = [];
  const flush = () => {
    result.push(...gone, ...come);
    gone = [];
    come = [];
  };
  for (const op of ops) {
    if (op.tag === "-") gone.push(op);
    else if (op.tag === "+") come.push(op);
    else {
      flush();
      result.push(op);
    }
  }
  flush();
  return result;
}

export interface Row {
  /** Line numbers, from 1; null where the side has no such line. */
  left: number | null;
  right: number | null;
  before: string | null;
  after: string | null;
  kind: "same" | "changed" | "gone" | "new";
}

/** Both sides next to each other: the nth line that goes beside the nth that comes. */
export function rows(ops: readonly Op[]): Row[] {
  const result: Row[] = [];
  let left = 0;
  let right = 0;
  let at = 0;
  while (at < ops.length) {
    const op = ops[at] as Op;
    if (op.tag === " ") {
      result.push({ left: ++left, right: ++right, before: op.text, after: op.text, kind: "same" });
      at += 1;
      continue;
    }
    const gone: string[] = [];
    const come: string[] = [];
    while (ops[at] && (ops[at] as Op).tag !== " ") {
      const one = ops[at] as Op;
      (one.tag === "-" ? gone : come).push(one.text);
      at += 1;
    }
    for (let n = 0; n < Math.max(gone.length, come.length); n++) {
      const before = gone[n] ?? null;
      const after = come[n] ?? null;
      result.push({
        left: before === null ? null : ++left,
        right: after === null ? null : ++right,
        before,
        after,
        kind: before === null ? "new" : after === null ? "gone" : "changed",
      });
    }
  }
  return result;
}

export type Block = { rows: Row[] } | { hidden: Row[] };

/** Unchanged stretches longer than `context` lines at each side are folded away. */
export function folded(all: Row[], context = 3): Block[] {
  const keep = all.map(() => false);
  all.forEach((row, at) => {
    if (row.kind === "same") return;
    for (let near = Math.max(0, at - context); near <= Math.min(all.length - 1, at + context); near++) keep[near] = true;
  });
  const blocks: Block[] = [];
  for (let at = 0; at < all.length; ) {
    let until = at;
    while (until < all.length && keep[until] === keep[at]) until += 1;
    const part = all.slice(at, until);
    blocks.push(keep[at] || part.length <= 2 ? { rows: part } : { hidden: part });
    at = until;
  }
  return blocks;
}

export function counts(ops: readonly Op[]): { put: number; out: number } {
  return { put: ops.filter((op) => op.tag === "+").length, out: ops.filter((op) => op.tag === "-").length };
}

/** What of a changed line is the same at its beginning and at its end: `[same, changed, same]` for both sides. A number or a word is never cut in two. */
export function within(before: string, after: string): [[string, string, string], [string, string, string]] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const joins = (text: string, at: number) => /[\w.]/.test(text[at - 1] ?? "") && /[\w.]/.test(text[at] ?? "");
  while (start > 0 && (joins(before, start) || joins(after, start))) start -= 1;
  while (end > 0 && (joins(before, before.length - end) || joins(after, after.length - end))) end -= 1;
  const cut = (text: string): [string, string, string] => [text.slice(0, start), text.slice(start, text.length - end), text.slice(text.length - end)];
  return [cut(before), cut(after)];
}
