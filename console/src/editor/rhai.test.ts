import { StringStream, type StreamParser } from "@codemirror/language";
import { describe, expect, it } from "vitest";
import { type NameKind, rhaiParser, tomlParser } from "./rhai";

const known = new Map<string, NameKind>([
  ["credited", "input"],
  ["settings", "input"],
  ["slice", "function"],
]);

/** Every token with its kind, as `kind:text`; what has no kind is left out. */
function tokens<S>(parser: StreamParser<S>, text: string): string[] {
  const state = parser.startState?.(4) as S;
  const found: string[] = [];
  for (const line of text.split("\n")) {
    if (line === "") {
      parser.blankLine?.(state, 4);
      continue;
    }
    const stream = new StringStream(line, 4, 4);
    while (!stream.eol()) {
      stream.start = stream.pos;
      const kind = parser.token(stream, state);
      expect(stream.pos, `no progress in \`${line}\` at ${stream.pos}`).toBeGreaterThan(stream.start);
      if (kind) found.push(`${kind}:${stream.current().trim()}`);
    }
  }
  return found;
}
const rhai = (text: string) => tokens(rhaiParser(known), text);

describe("rhai", () => {
  it("tells keywords, the context, built-in calls and settings apart", () => {
    expect(rhai("let base = slice(credited, settings.rate);")).toEqual([
      "keyword:let",
      "definition:base",
      "operator:=",
      "builtinCall:slice",
      "bracket:(",
      "context:credited",
      "punctuation:,",
      "context:settings",
      "operator:.",
      "property:rate",
      "bracket:)",
      "punctuation:;",
    ]);
  });
  it("reads the header as TOML", () => {
    expect(rhai('//! name = "x"\n//! [settings.properties.rate]\n//! default = false')).toEqual([
      "meta://!",
      "property:name",
      "operator:=",
      'string:"x"',
      "meta://!",
      "heading:[settings.properties.rate]",
      "meta://!",
      "property:default",
      "operator:=",
      "atom:false",
    ]);
  });
  it("ends the header with its line", () => {
    expect(rhai("//! a = 1\nx")).toEqual(["meta://!", "property:a", "operator:=", "number:1", "variable:x"]);
  });
  it("keeps a range apart from a decimal", () => {
    expect(rhai("for i in 1..10 { 1.5 }")).toContain("number:1.5");
    expect(rhai("1..10")).toEqual(["number:1", "operator:..", "number:10"]);
  });
  it("nests block comments over lines", () => {
    expect(rhai("/* a /* b */\n still */ 1")).toEqual(["comment:/* a /* b */", "comment:still */", "number:1"]);
  });
  it("finds code inside of a text", () => {
    expect(rhai("`a ${#{b: 1}.b} c`")).toEqual([
      "string:`",
      "string:a",
      "escape:${",
      "bracket:#{",
      "variable:b",
      "punctuation::",
      "number:1",
      "bracket:}",
      "operator:.",
      "property:b",
      "escape:}",
      "string:c`",
    ]);
  });
  it("does not take a slash or a comment mark in a text for a comment", () => {
    expect(rhai('"http://x" / 2')).toEqual(['string:"http://x"', "operator:/", "number:2"]);
  });
  it("knows what a method is", () => {
    expect(rhai("settings.families.is_empty()")).toContain("method:is_empty");
  });
  it("makes progress on anything", () => {
    expect(() => rhai("§ \u{1F600} \\ @ # $ ' \" `${")).not.toThrow();
  });
});

describe("toml", () => {
  it("tells keys, tables and values apart", () => {
    expect(tokens(tomlParser, '[[cases]]\nname = "a # b" # c\nsettings = { rate = "0.03", n = -1.5 }\nlist = [true, 2026-10-01]')).toEqual([
      "heading:[[cases]]",
      "property:name",
      "operator:=",
      'string:"a # b"',
      "comment:# c",
      "property:settings",
      "operator:=",
      "punctuation:{",
      "property:rate",
      "operator:=",
      'string:"0.03"',
      "punctuation:,",
      "property:n",
      "operator:=",
      "number:-1.5",
      "punctuation:}",
      "property:list",
      "operator:=",
      "punctuation:[",
      "atom:true",
      "punctuation:,",
      "number:2026-10-01",
      "punctuation:]",
    ]);
  });
  it("keeps a text over several lines together", () => {
    expect(tokens(tomlParser, 'a = """x\n[not a table]\ny""" # end')).toEqual([
      "property:a",
      "operator:=",
      'string:"""x',
      "string:[not a table]",
      'string:y"""',
      "comment:# end",
    ]);
  });
});
