// Every version a formula had: who made it, what differs from the active one in text and in money, and the way back.

import { Link, useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import type { Items } from "@/api/types";
import { type Text, sameText } from "@/editor/draft";
import type { Change, FormulaVersion } from "@/editor/shapes";
import { ImpactPanel } from "@/editor/ImpactPanel";
import { TextDiff } from "@/editor/TextDiff";
import { diffLines } from "@/editor/lines";
import { Badge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { ConfirmDialog } from "@/parts/Dialog";
import { Empty, FormProblem, Reading } from "@/parts/states";
import { toast } from "@/parts/Toast";
import { useUrlState } from "@/url";
import { ago, shortDigest, showInstant } from "@/words";

type Versions = Items<FormulaVersion>;
/** The newest first. */
const listed = (found: Versions): FormulaVersion[] => found.items.toSorted((a, b) => b.version - a.version);
const textOf = (of: FormulaVersion): Text => ({ source: of.source_text, cases: of.cases_text ?? "" });
const nameOf = (of: FormulaVersion) => (of.version === 0 ? "Original" : `Version ${of.version}`);

export default function History({ name, active, mayDraft }: { name: string; active: Text | null; mayDraft: boolean }) {
  const history = useRead<Versions>(path`/formulas/${name}/history`, { parts: ["extensions", "company", "work"] });
  return (
    <Reading
      of={history}
      isEmpty={(found) => listed(found).length === 0}
      empty={<Empty icon="formula" title="No version is recorded yet" next="The first is recorded with the first calculation or the first approved change." />}
    >
      {(found) => <Chosen name={name} versions={listed(found)} active={active} mayDraft={mayDraft} />}
    </Reading>
  );
}

function Chosen({ name, versions, active: activeText, mayDraft }: { name: string; versions: FormulaVersion[]; active: Text | null; mayDraft: boolean }) {
  const active = versions.find((one) => activeText !== null && sameText(textOf(one), activeText)) ?? versions[0];
  const [chosen, choose] = useUrlState("version");
  const shown = versions.find((one) => String(one.version) === chosen) ?? versions.find((one) => one !== active) ?? active;
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const rollback = useWrite(
    (of: FormulaVersion, { idempotencyKey }) => api.post<Change>(path`/formulas/${name}/rollback`, { digest: of.digest }, { idempotencyKey }),
    {
      refresh: ["/changes", path`/formulas/${name}`],
      onDone: (change) => {
        setAsking(false);
        toast("Submitted: a second person has to approve it.");
        void navigate({ to: "/changes/$id", params: { id: change.change_id } });
      },
    },
  );
  const source = useMemo(() => diffLines(active?.source_text ?? "", shown?.source_text ?? ""), [active, shown]);
  const cases = useMemo(() => diffLines(active?.cases_text ?? "", shown?.cases_text ?? ""), [active, shown]);
  if (!active || !shown) return null;
  const isActive = shown === active;
  return (
    <div className="grid min-w-0 items-start gap-4 lg:grid-cols-[17rem_minmax(0,1fr)]">
      <nav aria-label="Versions" className="card max-h-[70vh] overflow-y-auto p-1.5">
        <ul className="flex flex-col gap-0.5">
          {versions.map((one) => (
            <li key={one.version}>
              <button
                type="button"
                aria-current={one === shown ? "true" : undefined}
                onClick={() => choose(String(one.version))}
                className="w-full rounded-control px-3 py-2 text-left hover:bg-sunken aria-[current=true]:bg-accent-soft"
              >
                <span className="flex items-center justify-between gap-2 font-medium">
                  {nameOf(one)}
                  {one === active ? <Badge tone="accent">active</Badge> : null}
                </span>
                <span className="block text-[0.83rem] text-ink-2">{one.author ?? (one.version === 0 ? "comes with Attain" : "loaded with the company")}</span>
                <span className="block text-[0.8rem] text-ink-2" title={showInstant(one.recorded_at)}>
                  {one.recorded_at ? `${ago(one.recorded_at)} · ` : ""}
                  <span className="font-mono">{shortDigest(one.digest)}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <div className="flex min-w-0 flex-col gap-4">
        <section className="card flex min-w-0 flex-col gap-3 p-4 sm:p-5" aria-labelledby="version-title">
          <header className="flex flex-wrap items-center justify-between gap-3">
            <div>
              <h2 id="version-title" className="font-semibold">
                {nameOf(shown)} {isActive ? "is the active one" : "against the active one"}
              </h2>
              <p className="text-[0.87rem] text-ink-2">
                {shown.recorded_at ? `recorded ${showInstant(shown.recorded_at)}` : "the text that Attain came with"}
                {shown.author ? ` by ${shown.author}` : ""}
                {shown.change_id ? (
                  <>
                    {" · "}
                    <Link to="/changes/$id" params={{ id: shown.change_id }} className="link">
                      the change that brought it
                    </Link>
                  </>
                ) : null}
              </p>
            </div>
            {isActive || !mayDraft ? null : <Button onClick={() => setAsking(true)}>Roll back to it…</Button>}
          </header>
          {isActive ? (
            <p className="text-ink-2">Choose an earlier version at the side to see what differs, in text and in money.</p>
          ) : (
            <>
              <TextDiff key={shown.version} ops={source} name={`text of ${name}`} sides={["active", nameOf(shown)]} height="26rem" />
              {cases.some((op) => op.tag !== " ") ? (
                <div>
                  <h3 className="mb-1 font-medium">Cases</h3>
                  <TextDiff key={shown.version} ops={cases} name={`cases of ${name}`} sides={["active", nameOf(shown)]} height="16rem" />
                </div>
              ) : null}
            </>
          )}
        </section>
        {isActive ? null : <ImpactPanel name={name} source={shown.source_text} ok title="What going back would pay" />}
      </div>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={`Roll back to ${nameOf(shown).toLowerCase()}?`}
        description="This submits a change with that text. It becomes active when a second person approves it; until then the active text pays."
        act="Submit the rollback"
        busy={rollback.isPending}
        onConfirm={() => rollback.mutate(shown)}
      >
        <FormProblem error={rollback.error} />
      </ConfirmDialog>
    </div>
  );
}
