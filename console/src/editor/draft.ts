// Where a formula's text stands on its way to being active, who may do what next, and why not. Pure: a screen shows what this says.

import type { Change, ChangeHead } from "./shapes";

export interface Text {
  source: string;
  cases: string;
}

export const sameText = (a: Text, b: Text) => a.source === b.source && a.cases === b.cases;

export interface Facts {
  me: { userId: string; mayDraft: boolean; mayApprove: boolean };
  /** Null where the formula has no text: a Wasm module. */
  active: Text | null;
  editable: boolean;
  /** My change that is a draft or waits for approval. */
  mine: Change | null;
  /** Changes of others to the same formula that wait for approval. */
  others: readonly ChangeHead[];
  text: Text;
  /** What is in force is no longer what the text was begun on. */
  outdated: boolean;
  /** The text has no errors; null while it is being checked. */
  ok: boolean | null;
  /** How many cases are red. */
  red: number;
}

export type Phase = "read-only" | "active" | "unsaved" | "draft" | "submitted";

export interface Act {
  allowed: boolean;
  /** Why not, in a sentence for the button. */
  why: string | null;
}

export interface Standing {
  phase: Phase;
  /** What is so now, and who may do what next. */
  says: string;
  /** The text differs from what the server keeps of it. */
  unsaved: boolean;
  save: Act;
  submit: Act;
  withdraw: Act;
  revert: Act;
}

const may = (...reasons: (string | false | null)[]): Act => {
  const why = reasons.find((reason) => typeof reason === "string" && reason !== "") as string | undefined;
  return { allowed: why === undefined, why: why ?? null };
};

export function payloadText(change: Change): Text | null {
  const { source, cases } = change.payload;
  return typeof source === "string" ? { source, cases: typeof cases === "string" ? cases : "" } : null;
}

/** What the server keeps: my draft, else the active text. */
export function savedText(active: Text | null, mine: Change | null): Text | null {
  return (mine ? payloadText(mine) : null) ?? active;
}

export function standing(facts: Facts): Standing {
  const { me, active, mine, text } = facts;
  const none = (why: string): Act => ({ allowed: false, why });
  const readOnly = !active
    ? "This extension is a Wasm module: it is built elsewhere and installed as a file."
    : !me.mayDraft
      ? "You may read formulas. Drafting a change is for those who manage plans."
      : !facts.editable
        ? "This formula comes with the server and cannot be changed here."
        : null;
  if (readOnly || !active) {
    const act = none(readOnly ?? "");
    return { phase: "read-only", says: readOnly ?? "", unsaved: false, save: act, submit: act, withdraw: act, revert: act };
  }
  const saved = savedText(active, mine) as Text;
  const unsaved = !sameText(text, saved);
  const differs = !sameText(text, active);
  const submitted = mine?.state === "submitted";
  const phase: Phase = unsaved ? "unsaved" : submitted ? "submitted" : mine ? "draft" : "active";
  const waiting = facts.others[0];
  return {
    phase,
    says: says(phase, submitted, waiting, me.mayApprove, facts),
    unsaved,
    save: may(!unsaved && "There is nothing new to save.", !differs && !mine && "The text is the active one."),
    submit: may(
      !differs && "The text is the active one: there is nothing to submit.",
      submitted && !unsaved && "It is submitted already.",
      facts.ok === null && "The text is being checked.",
      facts.ok === false && "Mend the errors first.",
      facts.outdated && "Compare with what is active now first.",
    ),
    withdraw: may(!mine && "There is no draft to withdraw."),
    revert: may(!unsaved && !mine && "The text is the active one."),
  };
}

function says(phase: Phase, submitted: boolean, waiting: ChangeHead | undefined, mayApprove: boolean, facts: Facts): string {
  const red = facts.red > 0 ? ` It is not approved while ${facts.red === 1 ? "a case is" : "cases are"} red.` : "";
  switch (phase) {
    case "unsaved":
      if (facts.ok === false) return "Not saved yet. To submit it, mend the errors first.";
      if (red) return `Not saved yet.${red}`;
      return submitted
        ? "You changed what you had submitted. Saving takes it back to a draft."
        : "Not saved yet. Save it as your draft, or submit it.";
    case "draft":
      if (facts.ok === false) return "Saved as your draft. To submit it, mend the errors first.";
      if (red) return `Saved as your draft.${red}`;
      return "Saved as your draft. Submit it, and a second person decides.";
    case "submitted":
      return "It waits for a second person. You wrote it, so somebody else decides.";
    case "active":
      if (!waiting) return "This text is active. Type to begin a draft; nobody is paid by a draft.";
      return mayApprove ? `${waiting.author_name} submitted a change to this formula. You may decide on it.` : `${waiting.author_name} submitted a change to this formula. It waits for approval.`;
    case "read-only":
      return "";
  }
}
