// The audit trail: who did what to what, searched; each entry with what was before and after and the proof that it is in the trail.

import { Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, path } from "@/api/client";
import { usePages, useRead, useWrite } from "@/api/read";
import { useMay } from "@/api/session";
import type { AuditDetail, AuditEntry, Verification } from "@/api/types";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { DiffLines } from "@/parts/DiffLines";
import { Digest } from "@/parts/Digest";
import { Drawer } from "@/parts/Drawer";
import { Icon } from "@/parts/Icon";
import { Pairs } from "@/parts/Pairs";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { toastProblem } from "@/parts/Toast";
import { Empty, Failed, Loading, Reading } from "@/parts/states";
import { useAllSearch, useChangeSearch, useTypedUrlState, useUrlState } from "@/url";
import { ago, count, plain, showInstant } from "@/words";
import { diff, linesOf } from "./diff";
import { type Checked, check } from "./proof";

const FIELDS = [
  { name: "q", label: "Text", hint: "in the object or the reason" },
  { name: "actor", label: "Actor", hint: "a user's id" },
  { name: "action", label: "Action", hint: "such as approve-change" },
  { name: "object", label: "Object", hint: "what it was done to" },
] as const;

const COLUMNS: Column<AuditEntry>[] = [
  { id: "sequence", header: "Entry", align: "right", width: "5rem", sortable: false, value: (one) => one.sequence },
  {
    id: "recorded",
    header: "When",
    sortable: false,
    value: (one) => one.recorded_at,
    cell: (one) => (
      <time dateTime={one.recorded_at} className="whitespace-nowrap" title={ago(one.recorded_at)}>
        {showInstant(one.recorded_at)}
      </time>
    ),
  },
  { id: "actor", header: "Actor", sortable: false, value: (one) => one.actor_name, cell: (one) => <span className="whitespace-nowrap" title={one.actor}>{one.actor_name}</span> },
  { id: "action", header: "Action", sortable: false, value: (one) => plain(one.action), cell: (one) => <span className="whitespace-nowrap">{plain(one.action)}</span> },
  { id: "object", header: "Object", sortable: false, value: (one) => one.object, cell: (one) => <span className="block max-w-72 truncate font-mono text-[0.9em]" title={one.object}>{one.object}</span> },
  { id: "reason", header: "Reason", sortable: false, value: (one) => one.reason, cell: (one) => <span className="line-clamp-1">{one.reason || <span className="text-ink-3">–</span>}</span> },
];

export default function Audit() {
  return useMay()("see-audit") ? <AuditScreen /> : <Denied />;
}

function AuditScreen() {
  const search = useAllSearch();
  const change = useChangeSearch();
  const [entry, setEntry] = useUrlState("entry", true);
  const query = Object.fromEntries(FIELDS.map(({ name }) => [name, search[name]]));
  const entries = usePages<AuditEntry>("/audit", { query, parts: ["company", "runs", "extensions", "work"], keep: true, limit: 100 });
  const verify = useWrite((_: void, options) => api.post<Verification>("/audit/verification", undefined, options));
  const narrowed = FIELDS.some(({ name }) => search[name]);
  return (
    <Screen
      title="Audit"
      lead="Everything that was done, in a chain of hashes that shows any change made to it afterwards."
      wide
      actions={
        <Button look="primary" icon="audit" busy={verify.isPending} onClick={() => verify.mutate(undefined, { onError: toastProblem })}>
          Verify the trail
        </Button>
      }
    >
      {verify.data ? <Verified of={verify.data} /> : null}
      <search className="grid grid-cols-2 gap-3 lg:grid-cols-4">
        {FIELDS.map((field) => (
          <SearchField key={field.name} {...field} />
        ))}
      </search>
      <div className="card min-w-0 overflow-hidden">
        {entries.isPending ? (
          <div className="p-5">
            <Loading lines={10} />
          </div>
        ) : entries.error ? (
          <Failed error={entries.error} retry={entries.retry} />
        ) : entries.items.length === 0 ? (
          <Empty
            icon="audit"
            title={narrowed ? "No entry fits" : "The trail is empty"}
            next={narrowed ? "Look for less, or clear the search." : "The first act on the record begins it."}
            action={narrowed ? <Button onClick={() => change(Object.fromEntries(FIELDS.map(({ name }) => [name, undefined])))}>Clear the search</Button> : undefined}
          />
        ) : (
          <DataTable
            label="Audit entries, newest first"
            columns={COLUMNS}
            rows={entries.items}
            rowKey={(one) => String(one.sequence)}
            selected={entry ?? null}
            onRow={(one) => setEntry(String(one.sequence))}
            hasMore={entries.hasMore}
            onMore={entries.more}
            total={entries.total}
            height="66vh"
          />
        )}
      </div>
      <Drawer
        open={entry !== undefined}
        onOpenChange={(open) => {
          if (!open) change({ entry: undefined });
        }}
        title={`Entry ${entry ?? ""}`}
      >
        {entry !== undefined ? <Detail sequence={entry} /> : null}
      </Drawer>
    </Screen>
  );
}

function SearchField({ name, label, hint }: { name: string; label: string; hint: string }) {
  const [text, setText] = useTypedUrlState(name);
  return (
    <label className="flex flex-col gap-1 text-[0.87rem] font-medium text-ink-2">
      {label}
      <input type="search" className="input text-base font-normal" placeholder={hint} value={text} onChange={(event) => setText(event.target.value)} />
    </label>
  );
}

function Verified({ of: answer }: { of: Verification }) {
  const good = answer.faults.length === 0;
  return (
    <section role="status" aria-label="Verification" className={`card flex gap-3 px-5 py-4 ${good ? "!border-accent/50" : "!border-bad/50 !bg-bad-soft"}`}>
      <Icon name={good ? "check" : "warn"} size={22} className={`mt-0.5 ${good ? "text-accent" : "text-bad"}`} />
      <div className="min-w-0">
        <strong className="font-semibold">{good ? "The trail is whole" : `The trail has ${count(answer.faults.length, "fault")}`}</strong>
        <p className="text-ink-2">
          {count(answer.entries, "entry", "entries")} hashed again, {count(answer.checkpoints, "signed checkpoint")} checked
          {good ? ": nothing was changed, removed or put in between." : "."}
        </p>
        {good ? null : (
          <ul className="mt-1 list-disc pl-5">
            {answer.faults.map((fault, at) => (
              <li key={at} className="[overflow-wrap:anywhere]">
                {typeof fault === "string" ? fault : JSON.stringify(fault)}
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function Detail({ sequence }: { sequence: string }) {
  const detail = useRead<AuditDetail>(path`/audit/${sequence}`, { parts: [] });
  return <Reading of={detail}>{(found) => <Entry of={found} />}</Reading>;
}

function Entry({ of: entry }: { of: AuditDetail }) {
  const [before, after] = [linesOf(entry.before), linesOf(entry.after)];
  const lines = diff(before, after);
  return (
    <div className="flex flex-col gap-6">
      <Pairs
        pairs={[
          ["Who", <WithFilter name="actor" value={entry.actor}>{entry.actor_name}</WithFilter>],
          ["Did", <WithFilter name="action" value={entry.action}>{plain(entry.action)}</WithFilter>],
          ["To", <ObjectLink entry={entry} />],
          ["When", showInstant(entry.recorded_at)],
          entry.reason ? ["Because", entry.reason] : null,
        ]}
      />
      <section className="flex flex-col gap-2">
        <h3 className="font-semibold">Before and after</h3>
        {lines.length === 0 ? (
          <p className="text-ink-2">This act has no state of before and after.</p>
        ) : (
          <>
            {before.length === 0 ? <p className="text-[0.87rem] text-ink-3">There was nothing before.</p> : after.length === 0 ? <p className="text-[0.87rem] text-ink-3">There is nothing after.</p> : null}
            <DiffLines lines={lines} label="Before and after" />
          </>
        )}
      </section>
      <Proof of={entry} />
    </div>
  );
}

const VERDICTS = {
  proven: { icon: "check", look: "text-accent", says: "Checked in this browser: the entry is in the sealed trail as it stands here." },
  false: { icon: "warn", look: "text-bad", says: "Checked in this browser: the entry does NOT lead to the sealed root. Somebody changed it, or the trail." },
  unable: { icon: "warn", look: "text-warn", says: "This browser checks it only over https or on the server's own machine; the hashes are here for another tool." },
} as const;

function Proof({ of: entry }: { of: AuditDetail }) {
  const [verdict, setVerdict] = useState<Checked | null>(null);
  useEffect(() => {
    let isShown = true;
    void check(entry).then((found) => {
      if (isShown) setVerdict(found);
    });
    return () => {
      isShown = false;
    };
  }, [entry]);
  const { proof } = entry;
  const shown = verdict ? VERDICTS[verdict] : null;
  return (
    <section className="flex flex-col gap-2">
      <h3 className="font-semibold">Proof</h3>
      {proof === null ? (
        <p className="text-ink-2">The entry is not sealed yet; that happens right after it is written.</p>
      ) : (
        <>
          {shown ? (
            <p role="status" className="flex gap-2 font-medium">
              <Icon name={shown.icon} className={`mt-0.5 ${shown.look}`} />
              {shown.says}
            </p>
          ) : null}
          <p className="text-ink-2">
            Its hash and the {count(proof.path.length, "hash", "hashes")} beside its way up lead to the root of {count(proof.size, "entry", "entries")}, which was signed{" "}
            <time dateTime={proof.sealed_at} title={showInstant(proof.sealed_at)}>
              {ago(proof.sealed_at)}
            </time>
            . Whoever keeps that root can check this entry without trusting the server.
          </p>
        </>
      )}
      <Pairs
        pairs={[
          ["Entry", <Digest of={entry.hash} name="hash of the entry" />],
          proof && ["Root", <Digest of={proof.root} name="root" />],
          proof && ["Signed by", <span className="font-mono text-[0.9em]">{proof.key_id}</span>],
          proof && ["Signature", <Digest of={proof.signature} name="signature" />],
          proof && [
            "Way up",
            proof.path.length === 0 ? (
              "none: it is the only entry"
            ) : (
              <ol className="flex flex-wrap gap-x-3 gap-y-1">
                {proof.path.map((hash, at) => (
                  <li key={at}>
                    <Digest of={hash} name={`hash ${at + 1}`} />
                  </li>
                ))}
              </ol>
            ),
          ],
        ]}
      />
    </section>
  );
}

/** Where the thing itself can be looked at, for those kinds of which the id says so. */
function ObjectLink({ entry }: { entry: AuditEntry }) {
  const may = useMay();
  const id = entry.object;
  const text = <span className="font-mono text-[0.9em] [overflow-wrap:anywhere]">{id || "–"}</span>;
  if (/^[0-9a-f]{64}$/.test(id) && /run|publish|replay/.test(entry.action) && may("see-runs"))
    return (
      <Link className="link" to="/runs/$id" params={{ id }}>
        {text}
      </Link>
    );
  if (/change/.test(entry.action) && !/schedule/.test(entry.action) && may("draft-changes", "approve-changes", "see-rules"))
    return (
      <Link className="link" to="/changes/$id" params={{ id: id } as never}>
        {text}
      </Link>
    );
  return text;
}

/** What it is, and a way to all entries that share it. */
function WithFilter({ name, value, children }: { name: "actor" | "action"; value: string; children: string }) {
  const change = useChangeSearch();
  return (
    <span className="flex flex-wrap items-baseline gap-x-3">
      {children}
      <button type="button" className="link text-[0.87rem]" onClick={() => change({ [name]: value, entry: undefined }, true)}>
        only these<span className="sr-only"> of {children}</span>
      </button>
    </span>
  );
}
