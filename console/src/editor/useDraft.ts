// One formula's text while it is worked on: what the server keeps, what is typed, and the acts between them. A save names the
// version that the typing began on; where the server has a newer one, both texts are shown instead of one being lost.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { type Answer, api, ask, path } from "@/api/client";
import { Problem } from "@/api/problem";
import { useRead, useVersioned, useWrite } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { Items } from "@/api/types";
import { toast, toastProblem } from "@/parts/Toast";
import { type Text, payloadText, sameText, savedText } from "./draft";
import { forget, keep, kept } from "./kept";
import type { Change, ChangeHead, Formula } from "./shapes";

interface Base {
  /** What the server had when the typing began. */
  text: Text;
  etag: string | null;
  /** What was in force then. */
  digest: string;
}

export interface Conflict {
  theirs: Change;
  etag: string | null;
}

const etagOf = (answer: Answer<Change>) => answer.etag ?? `"${answer.value.version}"`;

interface Put {
  comment?: string;
  over?: Conflict;
  rebase?: boolean;
}

const LISTED_MAX = 200;

/** Changes of one formula in one state. */
function useChanges(state: string, name: string): { items: ChangeHead[]; loaded: boolean } {
  const list = useRead<Items<ChangeHead>>("/changes", { query: { state, limit: LISTED_MAX }, parts: ["work"] });
  return { items: list.data?.items.filter((change) => change.kind === "formula" && change.object === name) ?? [], loaded: list.data !== undefined || list.error !== null };
}

function newest(changes: ChangeHead[]): ChangeHead | undefined {
  return [...changes].sort((a, b) => b.created_at.localeCompare(a.created_at))[0];
}

export function useDraft(name: string) {
  const session = useSession();
  const may = useMay();
  const client = useQueryClient();
  const formulaPath = path`/formulas/${name}`;
  const formula = useRead<Formula>(formulaPath, { parts: ["company", "extensions", "work"] });
  const [savedId, setSavedId] = useState<string | null>(null);
  const drafts = useChanges("draft", name);
  const submitted = useChanges("submitted", name);
  const rejected = useChanges("rejected", name);
  const isMine = (change: ChangeHead) => change.author === session.user_id;
  const listed = newest([...drafts.items, ...submitted.items].filter(isMine))?.change_id ?? null;
  const draftId = listed ?? savedId;
  const draft = useVersioned<Change>(path`/changes/${draftId ?? "none"}`, { enabled: draftId !== null, parts: ["work"] });
  const found = draftId !== null ? draft.data : undefined;
  const own = found && found.value.author === session.user_id && (found.value.state === "draft" || found.value.state === "submitted") ? found : null;
  const mine = own?.value ?? null;
  const mineEtag = own ? etagOf(own) : null;

  const source = formula.data?.source_text ?? null;
  const cases = formula.data?.cases_text ?? "";
  const active = useMemo<Text | null>(() => (source === null ? null : { source, cases }), [source, cases]);
  const loaded = formula.data !== undefined && drafts.loaded && submitted.loaded && (draftId === null || draft.data !== undefined || draft.error !== null);
  const saved = useMemo(() => (loaded ? savedText(active, mine) : null), [loaded, active, mine]);

  const inForce = formula.data?.base_digest ?? "";

  const [text, setText] = useState<Text | null>(null);
  const [base, setBase] = useState<Base | null>(null);
  const [restoredAt, setRestoredAt] = useState<number | null>(null);
  const [conflict, setConflict] = useState<Conflict | null>(null);

  useEffect(() => {
    if (!saved) return;
    if (text === null || base === null) {
      const before = kept(name, session.user_id);
      const again = before !== null && !sameText(before, saved);
      setText(again ? { source: before.source, cases: before.cases } : saved);
      setRestoredAt(again ? before.kept_at : null);
      setBase({ text: saved, etag: mineEtag, digest: inForce });
    } else if (sameText(text, base.text) || sameText(text, saved)) {
      if (!sameText(text, saved)) setText(saved);
      if (!sameText(base.text, saved) || base.etag !== mineEtag || base.digest !== inForce) setBase({ text: saved, etag: mineEtag, digest: inForce });
    }
    // What is typed decides only when the server has something new.
  }, [saved, mineEtag, inForce]);

  const dirty = text !== null && saved !== null && !sameText(text, saved);
  useEffect(() => {
    if (text === null || saved === null) return;
    if (dirty) keep(name, session.user_id, text);
    else {
      forget(name, session.user_id);
      setRestoredAt(null);
    }
  }, [text, dirty, saved, name, session.user_id]);

  const took = (answer: Answer<Change>, now: Text) => {
    const at = path`/changes/${answer.value.change_id}`;
    client.setQueryData([at, at, "versioned"], answer);
    setSavedId(answer.value.change_id);
    setBase({ text: now, etag: etagOf(answer), digest: inForce });
    setConflict(null);
  };

  /** Sends the text as my draft; null where the server has another one meanwhile, which is then shown. */
  const put = async (given: Put, key: string | undefined): Promise<Change | null> => {
    if (!text) return null;
    const now = text;
    const target = given.over?.theirs ?? mine;
    const etag = given.over?.etag ?? base?.etag ?? null;
    const comment = given.comment ?? target?.comment ?? "";
    try {
      const answer =
        target === null
          ? await ask<Change>("POST", "/changes", {
              body: { kind: "formula", object: name, payload: now, comment, base_digest: given.rebase ? inForce : base?.digest },
              idempotencyKey: key,
            })
          : etag === null
            ? null
            : await ask<Change>("PUT", path`/changes/${target.change_id}`, { body: { payload: now, comment, ...(given.rebase ? { base_digest: inForce } : {}) }, ifMatch: etag });
      if (answer) {
        took(answer, now);
        return answer.value;
      }
    } catch (error) {
      if (!(error instanceof Problem) || error.status !== 412) throw error;
    }
    if (target) {
      const newer = await api.versioned<Change>(path`/changes/${target.change_id}`);
      setConflict({ theirs: newer.value, etag: etagOf(newer) });
    }
    return null;
  };

  const refresh = ["/changes", formulaPath];
  const save = useWrite(
    (given: Put, { idempotencyKey }) => put(given, idempotencyKey),
    { refresh, onDone: (change) => change && toast("Saved as your draft.") },
  );
  const submit = useWrite(
    async (given: { comment: string }, { idempotencyKey }) => {
      const change = await put(given, idempotencyKey);
      if (!change) return null;
      await api.post<unknown>(path`/changes/${change.change_id}/submission`);
      const at = path`/changes/${change.change_id}`;
      await client.invalidateQueries({ queryKey: [at] });
      return change;
    },
    { refresh, onDone: (change) => change && toast("Submitted. It becomes active when a second person approves it.") },
  );
  const withdraw = useWrite(
    async (change: Change) => {
      await api.post<unknown>(path`/changes/${change.change_id}/withdrawal`);
      if (text && sameText(text, payloadText(change) ?? text) && active) {
        setText(active);
        setBase({ text: active, etag: null, digest: inForce });
      }
    },
    { refresh, onDone: () => toast("Withdrawn. The active text stays as it is.") },
  );

  const lastRejected = newest(rejected.items.filter(isMine));
  const takeUp = async (change: ChangeHead) => {
    try {
      const again = payloadText(await api.get<Change>(path`/changes/${change.change_id}`));
      if (again) setText(again);
    } catch (error) {
      toastProblem(error);
    }
  };

  return {
    formula,
    active,
    mine,
    others: submitted.items.filter((change) => !isMine(change)),
    /** My last change was rejected, and what is in force is still what it was made on. */
    rejected: lastRejected && !mine && lastRejected.base_digest === inForce ? lastRejected : null,
    takeUp: (change: ChangeHead) => void takeUp(change),
    /** What is in force is no longer what this text was begun on. */
    outdated: (mine !== null || dirty) && (mine?.base_digest ?? base?.digest) !== inForce,
    text,
    setText,
    dirty,
    restoredAt,
    conflict,
    closeConflict: () => setConflict(null),
    takeTheirs: (of: Conflict) => {
      const theirs = payloadText(of.theirs);
      if (!theirs) return;
      setText(theirs);
      setBase({ text: theirs, etag: of.etag, digest: inForce });
      setConflict(null);
      const at = path`/changes/${of.theirs.change_id}`;
      void client.invalidateQueries({ queryKey: [at] });
    },
    save: (over?: Conflict) => save.mutate({ over }, { onError: toastProblem }),
    /** Saves the text as one that takes what is in force now into account. */
    saveOnTop: () => save.mutate({ rebase: true }, { onError: toastProblem }),
    saveThen: (then: () => void) => save.mutate({}, { onError: toastProblem, onSuccess: (change) => change && then() }),
    submit,
    withdraw: (change: Change) => withdraw.mutate(change, { onError: toastProblem }),
    saving: save.isPending || submit.isPending || withdraw.isPending,
    me: { userId: session.user_id, mayDraft: may("draft-changes"), mayApprove: may("approve-changes") },
  };
}

export type Draft = ReturnType<typeof useDraft>;
