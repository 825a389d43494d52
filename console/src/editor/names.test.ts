import { describe as suite, expect, it } from "vitest";
import type { LanguageName } from "@/api/types";
import { callAt, declaredSettings, describe, offersAt, parametersOf } from "./names";

const name = (of: string, kind: LanguageName["kind"], signature = of, doc = ""): LanguageName => ({ name: of, kind, signature, doc });
const names = [
  name("credited", "input", "credited: decimal", "What was credited."),
  name("params.<name>", "input", "params.<name>", "A parameter of the payee."),
  name("slice", "function", "slice(label, input, rate)", "Input times rate."),
  name("settings", "input"),
];
const labels = (source: string, asked = false) => offersAt(source, source.length, names, asked)?.offers.map((one) => one.label) ?? null;
const header = '//! [settings.properties.rate]\n//! type = "string"\n//! default = "0.03"\n//! description = "For all."\n//! [settings.properties.cap]\n';

suite("completion", () => {
  it("offers the context, functions, own names and keywords", () => {
    const found = labels("let base = 1;\nb");
    expect(found).toEqual(expect.arrayContaining(["credited", "slice", "params", "base", "if"]));
  });
  it("offers the declared settings after `settings.`", () => {
    expect(labels(`${header}settings.`)).toEqual(["rate", "cap"]);
    expect(labels(`${header}settings.ra`)).toEqual(["rate", "cap"]);
  });
  it("is silent in a number and before anything is typed", () => {
    expect(labels("1.")).toBeNull();
    expect(labels("")).toBeNull();
    expect(labels("", true)).toContain("credited");
  });
  it("knows what the header says of a setting", () => {
    expect(declaredSettings(header)[0]).toEqual({ label: "rate", kind: "setting", signature: 'settings.rate: string = "0.03"', doc: "For all." });
  });
});

suite("hover", () => {
  const at = (source: string, word: string) => {
    const from = source.lastIndexOf(word);
    return describe(source, from, from + word.length, names);
  };
  it("says what a name is", () => expect(at("slice(1)", "slice")?.doc).toBe("Input times rate."));
  it("says what a setting is", () => expect(at(`${header}settings.rate`, "rate")?.doc).toBe("For all."));
  it("says what any parameter is", () => expect(at("params.bonus", "bonus")?.doc).toBe("A parameter of the payee."));
  it("says nothing of a strange word", () => expect(at("strange", "strange")).toBeNull());
});

suite("the call around the cursor", () => {
  const at = (source: string) => callAt(source, source.length);
  it("is found with its parameter", () => {
    expect(at("slice(")).toEqual({ name: "slice", parameter: 0 });
    expect(at('slice("a, b", max(1, 2), ')).toEqual({ name: "slice", parameter: 2 });
    expect(at("slice(max(1, ")).toEqual({ name: "max", parameter: 1 });
  });
  it("is none outside of one", () => {
    expect(at("slice(1, 2);")).toBeNull();
    expect(at("if (a, ")).toBeNull();
    expect(at("let a = 1; ")).toBeNull();
  });
  it("has the parameters of its signature", () => {
    expect(parametersOf("slice(label, input: decimal, rate = 1) -> decimal")).toEqual(["label", "input", "rate"]);
    expect(parametersOf("credited: decimal")).toBeNull();
    expect(parametersOf("now()")).toEqual([]);
  });
});
