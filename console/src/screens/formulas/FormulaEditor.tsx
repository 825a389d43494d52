// The editor of one formula: text and cases at the left, what it pays at the right, its standing above both.

import { useBlocker } from "@tanstack/react-router";
import { type ReactNode, Suspense, lazy, useCallback, useEffect, useMemo, useState } from "react";
import { useRead } from "@/api/read";
import type { LanguageName } from "@/api/types";
import { CaseList, CasesEditor, ticks } from "@/editor/Cases";
import type { Call, Fault } from "@/editor/CodeEditor";
import { ImpactPanel } from "@/editor/ImpactPanel";
import { standing } from "@/editor/draft";
import { useCheck } from "@/editor/live";
import type { CheckError, FormulaCheck } from "@/editor/shapes";
import { useDraft } from "@/editor/useDraft";
import { Button, ButtonLink } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Dialog } from "@/parts/Dialog";
import { Icon } from "@/parts/Icon";
import { Screen } from "@/parts/Screen";
import { Tabs } from "@/parts/Tabs";
import { Failed, Loading } from "@/parts/states";
import { useUrlState } from "@/url";
import { count } from "@/words";
import { UsedByList, Value } from "./ModuleView";
import { StateBar } from "./StateBar";

const CodeEditor = lazy(() => import("@/editor/CodeEditor"));
const ConflictDialog = lazy(() => import("./ConflictDialog"));
const History = lazy(() => import("./History"));
const SubmitDialog = lazy(() => import("./SubmitDialog"));
const NO_NAMES: LanguageName[] = [];

type Place = { line: number; column: number } | null;

export function FormulaEditor({ name, lead }: { name: string; lead: ReactNode }) {
  const draft = useDraft(name);
  const { text, setText, active, mine } = draft;
  const formula = draft.formula.data;
  const [tab, setTab] = useUrlState("view");
  const [submitting, setSubmitting] = useState(false);
  const [sourceAt, setSourceAt] = useState<Place>(null);
  const [casesAt, setCasesAt] = useState<Place>(null);
  const [call, setCall] = useState<Call | null>(null);
  const language = useRead<{ names: LanguageName[] }>("/formula-language", { query: { point: formula?.point, formula: name }, enabled: formula !== undefined, parts: ["extensions"] });
  const names = language.data?.names ?? NO_NAMES;
  const check = useCheck(name, text);
  const answer = check.answer;
  const compiles = !check.current || !answer ? null : !answer.errors.some((error) => error.file !== "cases");
  const now =
    text && formula
      ? standing({
          me: draft.me,
          active,
          editable: formula.editable,
          mine,
          others: draft.others,
          text,
          outdated: draft.outdated,
          ok: check.current && answer ? answer.errors.length === 0 : null,
          red: check.current && answer ? answer.cases.filter((one) => !one.passed).length : 0,
        })
      : null;
  const faults = useMemo<Fault[]>(() => (answer?.errors ?? []).filter((error) => error.file !== "cases").map((error) => ({ ...error, severity: "error" as const })), [answer]);

  const unsaved = now?.unsaved ?? false;
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => unsaved && current.pathname !== next.pathname,
    enableBeforeUnload: () => unsaved,
    withResolver: true,
  });

  const save = useCallback(() => {
    if (now?.save.allowed && !draft.saving) draft.save();
  }, [now?.save.allowed, draft]);
  const submit = useCallback(() => {
    if (now?.submit.allowed) setSubmitting(true);
  }, [now?.submit.allowed]);
  useEffect(() => {
    // Also outside of the editors, where CodeMirror has not taken the key already.
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || !(event.ctrlKey || event.metaKey)) return;
      if (event.key.toLowerCase() === "s") save();
      else if (event.key === "Enter" && !submitting) submit();
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [save, submit, submitting]);

  if (!text || !now || !formula) {
    return (
      <Screen title={name} lead={lead} wide>
        {draft.formula.error ? <Failed error={draft.formula.error} retry={() => void draft.formula.refetch()} /> : <Loading lines={14} />}
      </Screen>
    );
  }
  const readOnly = now.phase === "read-only";
  return (
    <Screen
      title={name}
      lead={lead}
      wide
      actions={
        <ButtonLink to="/formulas" look="quiet" icon="left">
          All formulas
        </ButtonLink>
      }
    >
      <StateBar draft={draft} now={now} onSubmit={submit} />
      <Tabs
        label="Views of the formula"
        value={tab ?? "edit"}
        onChange={(next) => setTab(next === "edit" ? undefined : next)}
        tabs={[
          {
            value: "edit",
            label: readOnly ? "Text" : "Edit",
            content: (
              <div className="grid min-w-0 items-start gap-4 xl:grid-cols-[minmax(0,11fr)_minmax(0,9fr)]">
                <div className="flex min-w-0 flex-col gap-4">
                  <section className="card min-w-0 overflow-hidden" aria-label="Formula text">
                    <CheckLine check={answer} current={check.current} error={check.error} onGo={(error) => (error.file === "cases" ? setCasesAt : setSourceAt)({ line: error.line, column: error.column })} />
                    <div className="h-[min(34rem,62vh)] border-y border-line">
                      <Suspense fallback={<div className="p-5"><Loading lines={12} label="Loading the editor" /></div>}>
                        <CodeEditor
                          language="rhai"
                          label={`Text of ${name}`}
                          value={text.source}
                          onChange={(source) => setText((before) => before && { ...before, source })}
                          names={names}
                          faults={faults}
                          readOnly={readOnly}
                          goTo={sourceAt}
                          onCall={setCall}
                          onSave={save}
                          onSubmit={submit}
                        />
                      </Suspense>
                    </div>
                    <Signature call={call} />
                  </section>
                  <section className="card min-w-0 overflow-hidden" aria-labelledby="cases-title">
                    <header className="flex flex-wrap items-baseline justify-between gap-2 px-4 pt-3 pb-2 sm:px-5">
                      <h2 id="cases-title" className="font-semibold">
                        Cases
                      </h2>
                      <CaseCount check={answer} current={check.current} />
                    </header>
                    <div className="max-h-64 min-h-16 overflow-y-auto border-t border-line" role="region" aria-label="Results of the cases" tabIndex={0}>
                      <CaseList check={answer} current={check.current} cases={text.cases} onGo={(line) => setCasesAt({ line, column: 1 })} />
                    </div>
                    <div className="h-72 border-t border-line">
                      <CasesEditor
                        cases={text.cases}
                        onChange={(cases) => setText((before) => before && { ...before, cases })}
                        check={answer}
                        readOnly={readOnly}
                        goTo={casesAt}
                        onSave={save}
                        onSubmit={submit}
                      />
                    </div>
                  </section>
                </div>
                <div className="min-w-0 rounded-card xl:sticky xl:top-4 xl:max-h-[calc(100dvh-2rem)] xl:overflow-y-auto" role="region" aria-label="Impact" tabIndex={0}>
                  <ImpactPanel name={name} source={text.source} ok={compiles} pins />
                </div>
              </div>
            ),
          },
          { value: "history", label: "History", content: (
              <Suspense fallback={<Loading lines={12} />}>
                <History name={name} active={active} mayDraft={draft.me.mayDraft && formula.editable} />
              </Suspense>
            ),
          },
          {
            value: "about",
            label: "About",
            content: (
              <div className="grid gap-4 lg:grid-cols-[3fr_2fr]">
                <Card title="Manifest">
                  <Value value={formula.manifest} />
                </Card>
                <Card title="Where it is used">
                  <UsedByList formula={formula} />
                </Card>
              </div>
            ),
          },
        ]}
      />
      <Suspense fallback={null}>
        {submitting ? <SubmitDialog onOpenChange={setSubmitting} draft={draft} name={name} /> : null}
        {draft.conflict ? <ConflictDialog draft={draft} name={name} /> : null}
      </Suspense>
      <Dialog
        open={blocker.status === "blocked"}
        onOpenChange={(open) => {
          if (!open) blocker.reset?.();
        }}
        title="Leave with unsaved text?"
        description="The text is kept in this tab until you close it. As a draft it is kept for you everywhere."
        footer={
          <>
            <Button look="quiet" onClick={() => blocker.proceed?.()}>
              Leave
            </Button>
            <Button onClick={() => blocker.reset?.()}>Stay</Button>
            <Button look="primary" busy={draft.saving} disabled={!now.save.allowed} onClick={() => draft.saveThen(() => blocker.proceed?.())}>
              Save draft and leave
            </Button>
          </>
        }
      />
    </Screen>
  );
}

/** One line of a fixed height: right or not, where the first error is, how long the check took. */
function CheckLine({ check, current, error, onGo }: { check: FormulaCheck | undefined; current: boolean; error: Error | null; onGo: (error: CheckError) => void }) {
  const first = check?.errors[0];
  return (
    <div className={`flex min-h-10 items-center gap-2 px-4 text-[0.87rem] sm:px-5 ${first ? "bg-bad-soft" : ""}`} aria-live="polite">
      {error && !check ? (
        <span className="text-bad">{error.message}</span>
      ) : !check ? (
        <span className="text-ink-3">Checking…</span>
      ) : first ? (
        <>
          <Icon name="warn" size={16} className="text-bad" />
          <button type="button" className="min-w-0 flex-1 truncate text-left hover:underline" onClick={() => onGo(first)} title={check.errors.map((one) => `${one.line}:${one.column} ${one.message}`).join("\n")}>
            {first.line > 0 ? <span className="num font-medium">{first.file === "cases" ? "Cases, line" : "Line"} {first.line}: </span> : null}
            {ticks(first.message)}
          </button>
          <span className="shrink-0 text-ink-2">{check.errors.length > 1 ? `${count(check.errors.length, "error")}, F8 for the next` : "F8 goes there"}</span>
        </>
      ) : (
        <>
          <Icon name="check" size={16} className={current ? "text-accent" : "text-ink-3"} />
          <span className={current ? "" : "text-ink-3"}>No errors</span>
          <span className="num ml-auto text-ink-3">checked in {check.millis} ms</span>
        </>
      )}
    </div>
  );
}

function CaseCount({ check, current }: { check: FormulaCheck | undefined; current: boolean }) {
  if (!check || check.cases.length === 0) return null;
  const green = check.cases.filter((one) => one.passed).length;
  const all = check.cases.length;
  return (
    <span role="status" className={`text-[0.87rem] font-medium ${!current ? "text-ink-3" : green === all ? "text-accent" : "text-bad"}`}>
      {green === all ? `all ${all} green` : `${all - green} of ${all} red`}
    </span>
  );
}

/** The call that is being written, with the parameter that comes next; else the keys. */
function Signature({ call }: { call: Call | null }) {
  return (
    <div className="flex h-9 items-center gap-3 overflow-hidden px-4 text-[0.83rem] text-ink-3 sm:px-5">
      {call ? (
        <>
          <code className="shrink-0 font-mono text-ink-2">
            {call.offer.label}(
            {call.parameters.map((one, at) => (
              <span key={at}>
                {at > 0 ? ", " : ""}
                <span className={at === Math.min(call.parameter, call.parameters.length - 1) ? "font-bold text-accent" : ""}>{one}</span>
              </span>
            ))}
            )
          </code>
          <span className="min-w-0 truncate" title={call.offer.doc}>
            {call.offer.doc.split("\n")[0]}
          </span>
        </>
      ) : (
        <span className="flex h-9 flex-wrap gap-x-4 overflow-hidden">
          {[
            ["Ctrl Space", "names"],
            ["Ctrl S", "save draft"],
            ["Ctrl Enter", "submit"],
            ["F8", "next error"],
            ["Esc Tab", "leave the editor"],
          ].map(([key, does]) => (
            <span key={key} className="inline-flex h-9 items-center gap-1.5 whitespace-nowrap">
              <kbd className="rounded border border-line bg-canvas px-1.5 text-[0.73rem] text-ink-2">{key}</kbd>
              {does}
            </span>
          ))}
        </span>
      )}
    </div>
  );
}
