// Two explanations of one payee's pay side by side: steps that speak of the same thing stand in one row, what changed is marked.

import type { TraceNode } from "@/api/types";

export interface Pair {
  id: string;
  level: number;
  before: TraceNode | null;
  after: TraceNode | null;
  kind: "same" | "changed" | "gone" | "new";
  /** How many steps under this one differ. */
  changesBelow: number;
  children: Pair[];
}

/** Fields that say what a step is of, the most telling first. */
const IDENTITIES = ["transaction_id", "line", "component_id", "label", "payee_id", "path", "name"];

/** What a step is of: two steps with the same key are the same step. */
export function keyOf(node: TraceNode): string {
  const of = IDENTITIES.flatMap((name) => (node.fields[name] === undefined ? [] : [`${name}=${node.fields[name]}`]));
  return `${node.step}:${of.join(",")}`;
}

function sameStep(a: TraceNode, b: TraceNode): boolean {
  if (a.text !== b.text) return false;
  const names = new Set([...Object.keys(a.fields), ...Object.keys(b.fields)]);
  return [...names].every((name) => a.fields[name] === b.fields[name]);
}

export function align(before: TraceNode | null, after: TraceNode | null, id = "0", level = 1): Pair {
  const children = alignAll(before?.children ?? [], after?.children ?? []).map(([a, b], at) => align(a, b, `${id}.${at}`, level + 1));
  const kind = before === null ? "new" : after === null ? "gone" : sameStep(before, after) ? "same" : "changed";
  const changesBelow = children.reduce((sum, child) => sum + child.changesBelow + (child.kind === "same" ? 0 : 1), 0);
  return { id, level, before, after, kind, changesBelow, children };
}

/** Same keys first, in order; of what is left between two of them, steps of the same kind. */
function alignAll(a: TraceNode[], b: TraceNode[]): [TraceNode | null, TraceNode | null][] {
  const anchored = anchors(a.map(keyOf), b.map(keyOf));
  const result: [TraceNode | null, TraceNode | null][] = [];
  let [x, y] = [0, 0];
  for (const [atA, atB] of [...anchored, [a.length, b.length] as const]) {
    result.push(...loose(a.slice(x, atA), b.slice(y, atB)));
    if (atA < a.length && atB < b.length) result.push([a[atA] as TraceNode, b[atB] as TraceNode]);
    x = atA + 1;
    y = atB + 1;
  }
  return result;
}

function loose(a: TraceNode[], b: TraceNode[]): [TraceNode | null, TraceNode | null][] {
  const left = [...b];
  const paired = a.map((node): [TraceNode | null, TraceNode | null] => {
    const at = left.findIndex((other) => other.step === node.step && !(other.fields.transaction_id ?? node.fields.transaction_id));
    return at < 0 ? [node, null] : [node, left.splice(at, 1)[0] as TraceNode];
  });
  return [...paired, ...left.map((node): [null, TraceNode] => [null, node])];
}

/** The nth of a key beside the nth of the same key, kept where the order agrees. */
function anchors(a: string[], b: string[]): [number, number][] {
  const places = new Map<string, number[]>();
  b.forEach((key, at) => places.set(key, [...(places.get(key) ?? []), at]));
  const pairs: [number, number][] = [];
  a.forEach((key, at) => {
    const to = places.get(key)?.shift();
    if (to !== undefined) pairs.push([at, to]);
  });
  // The longest part of the pairs that rises on both sides.
  const best: { length: number; before: number }[] = [];
  const tails: number[] = [];
  pairs.forEach(([, to], at) => {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((pairs[tails[middle] as number] as [number, number])[1] < to) low = middle + 1;
      else high = middle;
    }
    best[at] = { length: low + 1, before: low > 0 ? (tails[low - 1] as number) : -1 };
    tails[low] = at;
  });
  const chosen: [number, number][] = [];
  for (let at = tails.at(-1) ?? -1; at >= 0; at = (best[at] as { before: number }).before) chosen.unshift(pairs[at] as [number, number]);
  return chosen;
}

/** Open at first: the steps that lead to a change. */
export function leading(pair: Pair, open = new Set<string>()): Set<string> {
  if (pair.changesBelow > 0 || pair.id === "0") open.add(pair.id);
  for (const child of pair.children) leading(child, open);
  return open;
}

export function shownRows(pair: Pair, open: ReadonlySet<string>): Pair[] {
  return [pair, ...(open.has(pair.id) ? pair.children.flatMap((child) => shownRows(child, open)) : [])];
}
