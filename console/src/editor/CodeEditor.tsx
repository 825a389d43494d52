// The text editor: CodeMirror with the console's colours, names of the context completed and explained, faults at their place.
// Loaded on its own, when an editor is first shown.

import {
  type Completion,
  type CompletionContext,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  snippet,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, bracketMatching, indentOnInput, indentService, indentUnit, syntaxHighlighting, syntaxTree } from "@codemirror/language";
import { type Diagnostic, lintGutter, nextDiagnostic, previousDiagnostic, setDiagnostics } from "@codemirror/lint";
import { Annotation, Compartment, EditorState, type Extension, Prec } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, hoverTooltip, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import type { LanguageName } from "@/api/types";
import { type Offer, describe, known, offersAt, parametersOf, callAt } from "./names";
import { rhaiParser, tomlParser } from "./rhai";

/** A fault at a place; lines and columns count from 1, 0 is no place. */
export interface Fault {
  line: number;
  column: number;
  message: string;
  severity: "error" | "warning";
}

export interface Call {
  offer: Offer;
  parameters: string[];
  parameter: number;
}

export interface CodeEditorProps {
  value: string;
  onChange: (value: string) => void;
  language: "rhai" | "toml";
  /** The accessible name. */
  label: string;
  names?: readonly LanguageName[];
  faults?: readonly Fault[];
  readOnly?: boolean;
  onSave?: () => void;
  onSubmit?: () => void;
  /** The call around the cursor, for showing its signature. */
  onCall?: (call: Call | null) => void;
  /** Where to put the cursor: a new object moves it there. */
  goTo?: { line: number; column: number } | null;
}

const fromOutside = Annotation.define<boolean>();
const NO_NAMES: readonly LanguageName[] = [];
const NO_FAULTS: readonly Fault[] = [];

/** `light-dark` follows the `color-scheme` that the theme sets. */
const COLOURS = HighlightStyle.define([
  { tag: tags.keyword, color: "light-dark(#8a2c7a, #e29ad6)" },
  { tag: [tags.bool, tags.number], color: "light-dark(#9a4a00, #f0b072)" },
  { tag: tags.string, color: "light-dark(#3d6b12, #a9cf7d)" },
  { tag: tags.escape, color: "light-dark(#8a2c7a, #e29ad6)" },
  { tag: tags.comment, color: "light-dark(#5d6a66, #98a5a1)", fontStyle: "italic" },
  { tag: tags.meta, color: "light-dark(#5d6a66, #98a5a1)" },
  { tag: tags.heading, color: "light-dark(#14201d, #e9eeec)", fontWeight: "600" },
  { tag: tags.special(tags.variableName), color: "light-dark(#0c6b5e, #5cc9b5)", fontWeight: "600" },
  { tag: tags.standard(tags.function(tags.variableName)), color: "light-dark(#1b5cb8, #85b4f7)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName)], color: "light-dark(#1b5cb8, #85b4f7)" },
  { tag: tags.propertyName, color: "light-dark(#0c6b5e, #5cc9b5)" },
  { tag: tags.definition(tags.variableName), color: "light-dark(#14201d, #e9eeec)", fontWeight: "600" },
  { tag: [tags.operator, tags.punctuation, tags.bracket], color: "light-dark(#465450, #b7c2be)" },
]);

const LOOK = EditorView.theme({
  "&": { height: "100%", fontSize: "0.83rem", color: "var(--ink)", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { padding: "0.5rem 0", caretColor: "var(--accent)" },
  ".cm-cursor": { borderLeftColor: "var(--accent)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-3)", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 0.5rem 0 0.75rem", minWidth: "2rem" },
  ".cm-gutter-lint": { width: "1rem" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--accent) 6%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "color-mix(in srgb, var(--accent) 24%, transparent)",
  },
  "&.cm-focused .cm-matchingBracket, .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-tooltip": {
    backgroundColor: "var(--surface)",
    color: "var(--ink)",
    border: "1px solid var(--line)",
    borderRadius: "0.5rem",
    boxShadow: "var(--shadow-high)",
    zIndex: "var(--z-menu)",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--font-mono)", fontSize: "0.83rem", maxHeight: "16rem", padding: "0.25rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "0.2rem 0.5rem", borderRadius: "0.3rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal", marginLeft: "1rem" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700", color: "var(--accent)" },
  ".cm-tooltip.cm-completionInfo": { padding: "0", maxWidth: "22rem", margin: "0 0.25rem" },
  ".cm-about": { padding: "0.5rem 0.7rem", maxWidth: "24rem", fontFamily: "var(--font-sans)", fontSize: "0.87rem", lineHeight: "1.4" },
  ".cm-about code": { display: "block", fontFamily: "var(--font-mono)", fontSize: "0.83rem", color: "var(--accent)", overflowWrap: "anywhere" },
  ".cm-about p": { marginTop: "0.25rem", color: "var(--ink-2)", whiteSpace: "pre-wrap" },
  ".cm-diagnostic": { padding: "0.4rem 0.7rem", borderLeft: "3px solid var(--bad)", fontFamily: "var(--font-sans)", fontSize: "0.87rem", maxWidth: "28rem" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textDecorationSkipInk: "none", textUnderlineOffset: "3px" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn)", textDecorationSkipInk: "none", textUnderlineOffset: "3px" },
  ".cm-lint-marker": { width: "0.6rem", height: "0.6rem", borderRadius: "50%", margin: "0.42rem 0 0 0.2rem", content: "none" },
  ".cm-lint-marker-error": { content: "none", backgroundColor: "var(--bad)" },
  ".cm-lint-marker-warning": { content: "none", backgroundColor: "var(--warn)" },
  ".cm-snippetField": { backgroundColor: "color-mix(in srgb, var(--accent) 14%, transparent)" },
});

const TYPES: Record<Offer["kind"], string> = { input: "variable", function: "function", setting: "property", keyword: "keyword", local: "constant" };

function about(offer: Offer): HTMLElement {
  const frame = document.createElement("div");
  frame.className = "cm-about";
  frame.appendChild(document.createElement("code")).textContent = offer.signature;
  if (offer.doc) frame.appendChild(document.createElement("p")).textContent = offer.doc;
  return frame;
}

function completion(offer: Offer): Completion {
  const parameters = offer.kind === "function" ? parametersOf(offer.signature) : null;
  const short = parameters ? `(${parameters.join(", ")})` : offer.kind === "local" || offer.kind === "keyword" ? "" : (/[:=].*$/.exec(offer.signature)?.[0] ?? "");
  return {
    label: offer.label,
    type: TYPES[offer.kind],
    detail: short.length > 40 ? `${short.slice(0, 39)}…` : short,
    info: offer.doc || offer.signature !== offer.label ? () => about(offer) : undefined,
    boost: { input: 3, setting: 3, local: 2, function: 1, keyword: 0 }[offer.kind],
    ...(parameters && parameters.length > 0
      ? { apply: snippet(`${offer.label}(${parameters.map((one) => `\${${one.replace(/[{}]/g, "")}}`).join(", ")})`) }
      : parameters
        ? { apply: `${offer.label}()` }
        : {}),
  };
}

const quiet = (state: EditorState, pos: number) => /comment|string|meta/.test(syntaxTree(state).resolveInner(pos, -1).name);

/** `names` is asked for when it is needed, so that names that arrive later are there. */
function helping(names: () => readonly LanguageName[]): Extension {
  return [
    autocompletion({
      activateOnTyping: true,
      icons: false,
      override: [
        (context: CompletionContext) => {
          if (quiet(context.state, context.pos)) return null;
          const found = offersAt(context.state.doc.toString(), context.pos, names(), context.explicit);
          return found && { from: found.from, options: found.offers.map(completion), validFor: /^\w*$/ };
        },
      ],
    }),
    hoverTooltip(
      (view, pos) => {
        const word = view.state.wordAt(pos);
        if (!word || quiet(view.state, pos)) return null;
        const found = describe(view.state.doc.toString(), word.from, word.to, names());
        return found && { pos: word.from, end: word.to, above: true, create: () => ({ dom: about(found) }) };
      },
      { hoverTime: 250 },
    ),
  ];
}

/** As deep as the line before, one step more after what it opens, one less before what closes. */
const indenting = indentService.of((context, pos) => {
  const line = context.lineAt(pos, 1);
  if (line.from === 0) return 0;
  let above = context.lineAt(line.from - 1);
  while (above.from > 0 && above.text.trim() === "") above = context.lineAt(above.from - 1);
  const opens = /[{([]\s*(?:\/\/.*)?$/.test(above.text) ? context.unit : 0;
  return Math.max(0, context.lineIndent(above.from) + opens - (/^\s*[}\])]/.test(line.text) ? context.unit : 0));
});

function place(state: EditorState, fault: Fault): Diagnostic {
  const at = state.doc.line(Math.min(Math.max(fault.line, 1), state.doc.lines));
  const column = Math.min(Math.max(fault.column, 1) - 1, at.length);
  let from = at.from + column;
  const word = state.wordAt(from);
  let to = word && word.from <= from ? word.to : Math.min(from + 1, at.to);
  if (fault.column === 0 || to <= from) {
    from = at.from + (/^\s*/.exec(at.text)?.[0].length ?? 0);
    to = at.to;
  }
  return { from, to, severity: fault.severity, message: fault.message };
}

export default function CodeEditor(props: CodeEditorProps) {
  const { value, language, label, names = NO_NAMES, faults = NO_FAULTS, readOnly = false, goTo } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const parts = useRef({ language: new Compartment(), readOnly: new Compartment(), label: new Compartment() });

  useEffect(() => {
    if (!host.current) return;
    const { language: languagePart, readOnly: readOnlyPart, label: labelPart } = parts.current;
    const editor = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          Prec.highest(
            keymap.of([
              { key: "Mod-s", preventDefault: true, run: () => (latest.current.onSave?.(), true) },
              { key: "Mod-Enter", preventDefault: true, run: () => (latest.current.onSubmit?.(), true) },
              { key: "F8", run: nextDiagnostic },
              { key: "Shift-F8", run: previousDiagnostic },
            ]),
          ),
          lineNumbers(),
          EditorView.lineWrapping,
          history(),
          drawSelection(),
          indentOnInput(),
          indentUnit.of("    "),
          indenting,
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          lintGutter(),
          syntaxHighlighting(COLOURS),
          LOOK,
          helping(() => (latest.current.language === "rhai" ? (latest.current.names ?? NO_NAMES) : NO_NAMES)),
          languagePart.of([]),
          readOnlyPart.of([]),
          labelPart.of([]),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, indentWithTab, ...defaultKeymap]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged && !update.transactions.some((one) => one.annotation(fromOutside))) {
              latest.current.onChange(update.state.doc.toString());
            }
            const { onCall, names: known = NO_NAMES } = latest.current;
            if (onCall && (update.docChanged || update.selectionSet || update.focusChanged)) {
              const text = update.state.doc.toString();
              const call = update.view.hasFocus ? callAt(text, update.state.selection.main.head) : null;
              const named = call && known.find((one) => one.name === call.name && one.kind === "function");
              const parameters = named ? parametersOf(named.signature) : null;
              onCall(call && named && parameters ? { offer: { label: named.name, kind: named.kind, signature: named.signature, doc: named.doc }, parameters, parameter: call.parameter } : null);
            }
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      view.current = null;
      editor.destroy();
    };
  }, []);

  useEffect(() => {
    const parser = language === "rhai" ? StreamLanguage.define(rhaiParser(known(names))) : StreamLanguage.define(tomlParser);
    view.current?.dispatch({ effects: parts.current.language.reconfigure(parser) });
  }, [language, names]);

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.readOnly.reconfigure([EditorState.readOnly.of(readOnly), EditorView.editable.of(true)]) });
  }, [readOnly]);

  useEffect(() => {
    view.current?.dispatch({ effects: parts.current.label.reconfigure(EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" })) });
  }, [label]);

  useEffect(() => {
    const editor = view.current;
    const now = editor?.state.doc.toString();
    if (!editor || now === undefined || now === value) return;
    // Only what differs is replaced, so that the cursor and the undo history keep their place.
    let start = 0;
    while (start < now.length && start < value.length && now[start] === value[start]) start += 1;
    let end = 0;
    while (end < now.length - start && end < value.length - start && now[now.length - 1 - end] === value[value.length - 1 - end]) end += 1;
    editor.dispatch({
      changes: { from: start, to: now.length - end, insert: value.slice(start, value.length - end) },
      annotations: fromOutside.of(true),
    });
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (editor) editor.dispatch(setDiagnostics(editor.state, faults.map((fault) => place(editor.state, fault)).sort((a, b) => a.from - b.from)));
  }, [faults]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !goTo) return;
    const line = editor.state.doc.line(Math.min(Math.max(goTo.line, 1), editor.state.doc.lines));
    const at = Math.min(line.from + Math.max(goTo.column, 1) - 1, line.to);
    editor.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    editor.focus();
  }, [goTo]);

  return <div ref={host} className="h-full min-h-0 overflow-hidden" />;
}
