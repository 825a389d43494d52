// Rhai for the eye: keywords, numbers, strings with their `${…}`, comments, the `//!` header as TOML, calls, and the names of the
// context in their own colour. A tokenizer, not a parser: the server judges.

import type { StreamParser, StringStream } from "@codemirror/language";
import { tags } from "@lezer/highlight";
import { type TomlState, startToml, tomlToken } from "./toml";

export const KEYWORDS: ReadonlySet<string> = new Set(
  "let const if else switch while loop for in do until break continue return fn throw try catch is private".split(" "),
);
const ATOMS: ReadonlySet<string> = new Set(["true", "false", "this"]);

export type NameKind = "input" | "function" | "setting" | "keyword";

interface RhaiState {
  /** How deep block comments are nested. */
  comment: number;
  /** What we are inside of: the text of a template, or the code of its `${…}` with the braces open in it. */
  inside: ("text" | number)[];
  /** The line is one of the header. */
  header: TomlState | null;
  headerStart: boolean;
  /** The word before, for what a name after it is. */
  before: "let" | "fn" | "dot" | null;
}

function blockComment(stream: StringStream, state: RhaiState): string {
  while (!stream.eol()) {
    if (stream.match("*/")) {
      state.comment -= 1;
      if (state.comment === 0) break;
    } else if (stream.match("/*")) state.comment += 1;
    else stream.next();
  }
  return "comment";
}

function templateText(stream: StringStream, state: RhaiState): string {
  while (!stream.eol()) {
    if (stream.match("${", false)) {
      if (stream.pos > stream.start) return "string";
      stream.match("${");
      state.inside.push(0);
      return "escape";
    }
    const letter = stream.next();
    if (letter === "`") {
      state.inside.pop();
      return "string";
    }
    if (letter === "\\") stream.next();
  }
  return "string";
}

function name(stream: StringStream, state: RhaiState, known: ReadonlyMap<string, NameKind>): string {
  const word = stream.current();
  const before = state.before;
  state.before = word === "let" || word === "const" || word === "for" ? "let" : word === "fn" ? "fn" : null;
  const called = Boolean(stream.match(/^\s*\(/, false));
  if (before === "dot") return called ? "method" : "property";
  if (KEYWORDS.has(word)) return "keyword";
  if (ATOMS.has(word)) return "atom";
  if (before === "let") return "definition";
  if (before === "fn") return "functionDefinition";
  const kind = known.get(word);
  if (called) return kind === "function" ? "builtinCall" : "call";
  return kind === "input" || kind === "setting" ? "context" : "variable";
}

/** A parser whose names of the context are `known`: their names with what they are. */
export function rhaiParser(known: ReadonlyMap<string, NameKind>): StreamParser<RhaiState> {
  return {
    name: "rhai",
    startState: () => ({ comment: 0, inside: [], header: null, headerStart: false, before: null }),
    copyState: (state) => ({ ...state, inside: [...state.inside], header: state.header && { ...state.header } }),
    blankLine: (state) => {
      state.header = null;
    },
    token(stream, state) {
      if (stream.sol()) state.header = null;
      if (state.comment > 0) return blockComment(stream, state);
      const inside = state.inside.at(-1);
      if (inside === "text") return templateText(stream, state);
      if (state.header) {
        const first = state.headerStart;
        state.headerStart = false;
        return tomlToken(stream, state.header, first);
      }
      if (stream.eatSpace()) return null;
      if (stream.match("//!")) {
        state.header = startToml();
        state.headerStart = true;
        stream.eatSpace();
        return "meta";
      }
      if (stream.match("//")) {
        stream.skipToEnd();
        return "comment";
      }
      if (stream.match("/*")) {
        state.comment = 1;
        return blockComment(stream, state);
      }
      if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'(?:[^'\\]|\\.)*'?/)) {
        state.before = null;
        return "string";
      }
      if (stream.eat("`")) {
        state.inside.push("text");
        state.before = null;
        return "string";
      }
      if (stream.match(/^0[xob][\da-fA-F_]+/) || stream.match(/^\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?/)) {
        state.before = null;
        return "number";
      }
      if (stream.match(/^[A-Za-z_]\w*/)) return name(stream, state, known);
      if (typeof inside === "number" && stream.match(/^(?:#?\{|\})/, false)) {
        stream.eat("#");
        const brace = stream.next();
        if (brace === "}" && inside === 0) {
          state.inside.pop();
          return "escape";
        }
        state.inside[state.inside.length - 1] = inside + (brace === "{" ? 1 : -1);
        return "bracket";
      }
      if (stream.match("..=") || stream.match("..")) return "operator";
      if (stream.eat(".")) {
        state.before = "dot";
        return "operator";
      }
      state.before = null;
      if (stream.match("#{") || stream.match(/^[()[\]{}]/)) return "bracket";
      if (stream.match(/^(?:\?\?|&&|\|\||[=!<>]=|[-+*/%<>=!&|^?])/)) return "operator";
      stream.next();
      return "punctuation";
    },
    languageData: {
      commentTokens: { line: "//", block: { open: "/*", close: "*/" } },
      closeBrackets: { brackets: ["(", "[", "{", '"', "`"] },
      indentOnInput: /^\s*[}\])]$/,
    },
    tokenTable: TOKENS,
  };
}

/** Names of our own: `builtin` and others of the older modes would be taken for theirs. */
export const TOKENS = {
  keyword: tags.keyword,
  atom: tags.bool,
  number: tags.number,
  string: tags.string,
  escape: tags.escape,
  comment: tags.comment,
  meta: tags.meta,
  heading: tags.heading,
  property: tags.propertyName,
  method: tags.function(tags.propertyName),
  builtinCall: tags.standard(tags.function(tags.variableName)),
  call: tags.function(tags.variableName),
  context: tags.special(tags.variableName),
  variable: tags.variableName,
  definition: tags.definition(tags.variableName),
  functionDefinition: tags.definition(tags.function(tags.variableName)),
  operator: tags.operator,
  bracket: tags.bracket,
  punctuation: tags.punctuation,
};

export const tomlParser: StreamParser<TomlState> = {
  name: "toml",
  startState: startToml,
  copyState: (state) => ({ ...state }),
  token: (stream, state) => tomlToken(stream, state, stream.sol()),
  languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["[", "{", '"'] } },
  tokenTable: TOKENS,
};
