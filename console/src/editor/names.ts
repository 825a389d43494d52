// What can be written where: the context's names from the server, the settings that the header declares, and what the text itself
// defines. Pure, so that it can be tested without an editor.

import type { LanguageName } from "@/api/types";
import { KEYWORDS, type NameKind } from "./rhai";

export interface Offer {
  label: string;
  kind: NameKind | "local";
  signature: string;
  doc: string;
}

export interface Offers {
  /** Where the word begins that is completed. */
  from: number;
  offers: Offer[];
}

const last = (name: string) => name.slice(name.lastIndexOf(".") + 1);
const group = (name: string) => (name.includes(".") ? name.slice(0, name.indexOf(".")) : null);
/** `params.<name>` stands for any name. */
const isPattern = (name: string) => /[<>*…]/.test(name);

/** The names as the tokenizer wants them. */
export function known(names: readonly LanguageName[]): Map<string, NameKind> {
  const found = new Map<string, NameKind>();
  for (const one of names) {
    if (one.kind === "keyword") continue;
    found.set(group(one.name) ?? one.name, one.kind);
  }
  return found;
}

/** The settings that the header declares, with their default and what is said about them. */
export function declaredSettings(source: string): Offer[] {
  const offers: Offer[] = [];
  let at: Offer | null = null;
  for (const line of source.split("\n")) {
    const header = /^\s*\/\/!\s?(.*)$/.exec(line)?.[1];
    if (header === undefined) continue;
    const table = /^\s*\[([^\]]+)\]/.exec(header)?.[1];
    if (table !== undefined) {
      const name = /^settings\.properties\.["']?([\w-]+)["']?$/.exec(table.trim())?.[1];
      at = name ? { label: name, kind: "setting", signature: `settings.${name}`, doc: "" } : null;
      if (at) offers.push(at);
      continue;
    }
    const [, key, value = ""] = /^\s*([\w-]+)\s*=\s*(.*)$/.exec(header) ?? [];
    if (!at || key === undefined) continue;
    if (key === "description") at.doc = value.replace(/^["']|["']$/g, "");
    if (key === "default") at.signature += ` = ${value}`;
    if (key === "type") at.signature = at.signature.replace(/^(settings\.[\w-]+)/, `$1: ${value.replace(/["']/g, "")}`);
  }
  return offers;
}

/** What the text itself defines with `let`, `const`, `for` and `fn`, before `pos`. */
export function locals(source: string): Offer[] {
  const code = source.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\//g, "");
  const offers = new Map<string, Offer>();
  for (const [, word, name] of code.matchAll(/\b(let|const|for)\s+([A-Za-z_]\w*)/g)) {
    if (name) offers.set(name, { label: name, kind: "local", signature: `${word} ${name}`, doc: "Defined in this text." });
  }
  for (const [, name, given] of code.matchAll(/\bfn\s+([A-Za-z_]\w*)\s*\(([^)]*)\)/g)) {
    if (name) offers.set(name, { label: name, kind: "function", signature: `${name}(${given})`, doc: "Defined in this text." });
  }
  return [...offers.values()];
}

const offer = (one: LanguageName, label = one.name): Offer => ({ label, kind: one.kind, signature: one.signature, doc: one.doc });

/** All that can be written at `pos` of `source`; null where nothing is asked. `asked` is by hand (Ctrl-Space). */
export function offersAt(source: string, pos: number, names: readonly LanguageName[], asked: boolean): Offers | null {
  const line = source.slice(source.lastIndexOf("\n", pos - 1) + 1, pos);
  const word = /[A-Za-z_]\w*$/.exec(line)?.[0] ?? "";
  const member = /([A-Za-z_]\w*)\s*\.\s*$/.exec(line.slice(0, line.length - word.length))?.[1];
  const from = pos - word.length;
  if (member !== undefined) {
    const ofMember = names.filter((one) => group(one.name) === member && !isPattern(one.name)).map((one) => offer(one, last(one.name)));
    if (member === "settings") {
      const declared = declaredSettings(source);
      const labels = new Set(declared.map((one) => one.label));
      const told = names.filter((one) => one.kind === "setting" && !one.name.includes(".") && one.name !== "settings").map((one) => offer(one));
      return { from, offers: [...declared, ...[...ofMember, ...told].filter((one) => !labels.has(one.label))] };
    }
    return ofMember.length > 0 ? { from, offers: ofMember } : null;
  }
  if (word === "" && !asked) return null;
  if (/(?:^|[^.\d])\d[\w.]*$/.test(line)) return null;
  const top = new Map<string, Offer>();
  for (const one of names) {
    const of = group(one.name);
    if (one.kind === "setting" && of === null && one.name !== "settings") continue;
    if (of !== null) {
      if (!top.has(of)) top.set(of, isPattern(one.name) ? offer(one, of) : { label: of, kind: "input", signature: `${of}.…`, doc: one.doc });
    } else if (!isPattern(one.name)) top.set(one.name, offer(one));
  }
  for (const one of locals(source)) if (one.label !== word || !top.has(one.label)) top.set(one.label, one);
  for (const keyword of KEYWORDS) if (!top.has(keyword)) top.set(keyword, { label: keyword, kind: "keyword", signature: keyword, doc: "" });
  return { from, offers: [...top.values()] };
}

/** What is known about the word at `from` to `until`. */
export function describe(source: string, from: number, until: number, names: readonly LanguageName[]): Offer | null {
  const word = source.slice(from, until);
  const member = /([A-Za-z_]\w*)\s*\.\s*$/.exec(source.slice(Math.max(0, from - 80), from))?.[1];
  if (member !== undefined) {
    const setting = member === "settings" ? declaredSettings(source).find((one) => one.label === word) : undefined;
    const named = names.find((one) => one.name === `${member}.${word}` || (member === "settings" && one.kind === "setting" && one.name === word));
    const pattern = names.find((one) => group(one.name) === member && isPattern(one.name));
    return setting ?? (named ? offer(named) : null) ?? (pattern ? offer(pattern) : null) ?? methodOf(word, names);
  }
  const named = names.find((one) => one.name === word) ?? names.find((one) => group(one.name) === word);
  return (named ? offer(named) : null) ?? locals(source).find((one) => one.label === word) ?? null;
}

/** `list.is_empty()` is `is_empty(list)`. */
function methodOf(word: string, names: readonly LanguageName[]): Offer | null {
  const found = names.find((one) => one.kind === "function" && one.name === word);
  return found ? offer(found) : null;
}

/** The parameters of a signature such as `slice(label, input, rate) -> amount`; null where it is no call. */
export function parametersOf(signature: string): string[] | null {
  const given = /\(([^)]*)\)/.exec(signature)?.[1];
  if (given === undefined) return null;
  return given
    .split(",")
    .map((one) => one.trim().replace(/\s*[:=].*$/, ""))
    .filter((one) => one !== "");
}

/** The call whose parentheses are open at `pos`, and which parameter stands there. */
export function callAt(source: string, pos: number): { name: string; parameter: number } | null {
  let depth = 0;
  let parameter = 0;
  for (let at = pos - 1; at >= Math.max(0, pos - 2_000); at--) {
    const letter = source[at] as string;
    if (letter === '"') {
      do at -= 1;
      while (at > 0 && source[at] !== '"' && source[at] !== "\n");
    } else if (/[)\]}]/.test(letter)) depth += 1;
    else if (/[[{]/.test(letter)) {
      if (depth === 0) return null;
      depth -= 1;
    } else if (letter === "(") {
      if (depth > 0) {
        depth -= 1;
        continue;
      }
      const name = /([A-Za-z_]\w*)\s*$/.exec(source.slice(Math.max(0, at - 80), at))?.[1];
      return name && !KEYWORDS.has(name) ? { name, parameter } : null;
    } else if (letter === "," && depth === 0) parameter += 1;
    else if (letter === ";" && depth === 0) return null;
  }
  return null;
}
