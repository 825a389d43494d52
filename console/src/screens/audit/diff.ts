// Two texts line by line: what both have, what only the one before has, what only the one after has.

export interface DiffLine {
  tag: " " | "-" | "+";
  text: string;
}

/** Beyond this the table of common lines would take too much memory; then all lines are told as replaced. */
const CELLS_MAX = 4_000_000;

export function diff(before: string[], after: string[]): DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < before.length - head && tail < after.length - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  const a = before.slice(head, before.length - tail);
  const b = after.slice(head, after.length - tail);
  const same = (lines: string[]): DiffLine[] => lines.map((text) => ({ tag: " ", text }));
  return [...same(before.slice(0, head)), ...middle(a, b), ...same(before.slice(before.length - tail))];
}

function middle(a: string[], b: string[]): DiffLine[] {
  const lines: DiffLine[] = [];
  const gone = (text: string) => lines.push({ tag: "-", text });
  const come = (text: string) => lines.push({ tag: "+", text });
  if (a.length * b.length > CELLS_MAX) {
    a.forEach(gone);
    b.forEach(come);
    return lines;
  }
  const width = b.length + 1;
  // The longest common part of what is left of both, from each pair of places.
  const common = new Uint32Array((a.length + 1) * width);
  const at = (x: number, y: number) => common[x * width + y] ?? 0;
  for (let x = a.length - 1; x >= 0; x--)
    for (let y = b.length - 1; y >= 0; y--) common[x * width + y] = a[x] === b[y] ? at(x + 1, y + 1) + 1 : Math.max(at(x + 1, y), at(x, y + 1));
  let x = 0;
  let y = 0;
  while (x < a.length || y < b.length) {
    if (x < a.length && y < b.length && a[x] === b[y]) {
      lines.push({ tag: " ", text: a[x] as string });
      x++;
      y++;
    } else if (x < a.length && (y >= b.length || at(x + 1, y) >= at(x, y + 1))) gone(a[x++] as string);
    else come(b[y++] as string);
  }
  return lines;
}

/** A state as lines: JSON laid out, other text as it is, nothing as no line. */
export function linesOf(state: unknown): string[] {
  if (state === null || state === undefined || state === "") return [];
  let value = state;
  if (typeof state === "string") {
    try {
      value = JSON.parse(state);
    } catch {
      return state.split("\n");
    }
    if (value === null || typeof value !== "object") return state.split("\n");
  }
  return JSON.stringify(value, null, 2).split("\n");
}
