// TOML for the eye: what the header of a script and its cases are written in. A tokenizer, not a parser: the server judges.

import type { StringStream } from "@codemirror/language";

export interface TomlState {
  /** Inside a string of several lines, the quotes that end it. */
  long: '"""' | "'''" | null;
  /** After the `=` of the line: names are values there. */
  value: boolean;
}

export const startToml = (): TomlState => ({ long: null, value: false });

function longString(stream: StringStream, state: TomlState): string {
  while (!stream.eol()) {
    if (state.long && stream.match(state.long)) {
      state.long = null;
      break;
    }
    if (stream.next() === "\\" && state.long === '"""') stream.next();
  }
  return "string";
}

/** One token of TOML. `lineStart` says that nothing of the line was read yet. */
export function tomlToken(stream: StringStream, state: TomlState, lineStart: boolean): string | null {
  if (state.long) return longString(stream, state);
  if (lineStart) state.value = false;
  if (stream.eatSpace()) return null;
  if (stream.eat("#")) {
    stream.skipToEnd();
    return "comment";
  }
  if (!state.value && stream.match(/^\[\[?[^\]#]*\]?\]?/)) return "heading";
  const quotes = stream.match(/^("""|''')/) as RegExpMatchArray | null;
  if (quotes) {
    state.long = quotes[1] as '"""' | "'''";
    return longString(stream, state);
  }
  if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'[^']*'?/)) {
    return stream.match(/^\s*[.=]/, false) ? "property" : "string";
  }
  if (stream.eat("=")) {
    state.value = true;
    return "operator";
  }
  if (stream.match(state.value ? /^[A-Za-z0-9_-]+(?=\s*=)/ : /^[A-Za-z0-9_-]+(?=\s*[.=])/)) return "property";
  if (stream.match(/^(true|false)\b/)) return "atom";
  if (stream.match(/^[+-]?\d[\d_]*(?:[-:.T\d_]*\d)?(?:[eE][+-]?\d+)?Z?/)) return "number";
  if (stream.match(/^[A-Za-z0-9_-]+/)) return state.value ? null : "property";
  stream.next();
  return "punctuation";
}
