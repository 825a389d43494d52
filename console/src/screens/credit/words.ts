// Why somebody would get credit, and why others would not, in words.

import type { CreditPath } from "@/api/settlement";

const WHY: Record<string, string> = {
  "no-rule": "no rule of crediting names this role",
  "another-came-first": "somebody nearer to the deal came first",
  "not-yet": "her assignment begins later",
  "no-longer": "her assignment has ended",
  vacant: "nobody sits there on that day",
  "other-account": "she covers another account",
  "other-territory": "she covers another territory",
  "other-family": "she covers other products",
  house: "the house keeps it",
};

export function whyNot(code: string): string {
  return WHY[code] ?? code.replace(/-/g, " ");
}

const PATHS: Record<string, string> = {
  coverage: "covers it",
  split: "has a share of it",
  payee: "is named on it",
  stage: "was on it in a stage",
  relationship: "stands beside the one who has it",
  hierarchy: "is above the one who has it",
  house: "is the house",
  manual: "was given credit by hand",
};

/** `covers it as owner`, `is above the one who has it (from Ana)`. */
export function pathWords(path: CreditPath, nameOf: (payeeId: string) => string = (id) => id): string {
  const words = PATHS[path.kind] ?? path.kind.replace(/-/g, " ");
  const name = path.name ? ` as ${path.name}` : "";
  const from = path.from.filter((one): one is string => one !== null).map(nameOf);
  const through = from.length > 0 ? ` (from ${from.join(", then ")})` : "";
  return `${words}${name}${through}`;
}

/** Those nearest to the deal first. */
export function nearestFirst<C extends { via: CreditPath[] }>(credits: C[]): C[] {
  const steps = (credit: C) => Math.min(...credit.via.map((path) => path.from.length), credit.via.length === 0 ? 99 : Number.POSITIVE_INFINITY);
  return [...credits].sort((a, b) => steps(a) - steps(b));
}
