// One extension: its versions, what it may reach, its limits and what it used, its cases, its log.

import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { useMay } from "@/api/session";
import { number } from "@/money";
import { Badge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { ConfirmDialog } from "@/parts/Dialog";
import { Digest } from "@/parts/Digest";
import { Drawer } from "@/parts/Drawer";
import { TextArea, TextField } from "@/parts/Field";
import { Icon } from "@/parts/Icon";
import { Pairs } from "@/parts/Pairs";
import { Tabs } from "@/parts/Tabs";
import { toast } from "@/parts/Toast";
import { FormProblem, Reading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, count, plain, shortDigest, showInstant } from "@/words";
import type { CaseResult, ExtensionDetail, ExtensionVersion } from "./shapes";

export function ExtensionDrawer({ of: asked, onClose }: { of: { point: string; name: string } | null; onClose: () => void }) {
  return (
    <Drawer
      open={asked !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={asked?.name ?? ""}
      description={asked ? `at ${plain(asked.point)}` : undefined}
    >
      {asked ? <Asked key={`${asked.point} ${asked.name}`} point={asked.point} name={asked.name} /> : null}
    </Drawer>
  );
}

function Asked({ point, name }: { point: string; name: string }) {
  const detail = useRead<ExtensionDetail>(path`/extensions/${point}/${name}`, { parts: ["extensions", "runs"] });
  const [tab = "about", setTab] = useUrlState("view");
  return (
    <Reading of={detail}>
      {(found) => {
        const failed = found.cases.filter((one) => !one.passed).length;
        return (
          <Tabs
            label={`About ${name}`}
            value={tab}
            onChange={(next) => setTab(next === "about" ? undefined : next)}
            tabs={[
              { value: "about", label: "About", content: <About of={found} /> },
              { value: "versions", label: "Versions", content: <Versions of={found} /> },
              {
                value: "cases",
                label: (
                  <>
                    Cases {failed > 0 ? <Badge tone="bad">{failed} failed</Badge> : <span className="num text-ink-3">{found.cases.length}</span>}
                  </>
                ),
                content: <Cases of={found} />,
              },
              { value: "log", label: "Log", content: <Log of={found} /> },
            ]}
          />
        );
      }}
    </Reading>
  );
}

function About({ of: one }: { of: ExtensionDetail }) {
  return (
    <div className="flex flex-col gap-5">
      {one.description ? <p className="text-ink-2">{one.description}</p> : null}
      <Pairs
        pairs={[
          ["State", one.active ? <Badge tone="accent">active</Badge> : <Badge>installed, not active</Badge>],
          ["Version", one.version],
          ["Digest", <Digest of={one.digest} />],
          ["From", plain(one.source)],
          ["Signature", one.signature],
        ]}
      />
      <Grants of={one} />
      <section className="flex flex-col gap-2">
        <h3 className="font-semibold">Limits and use</h3>
        <p className="text-[0.87rem] text-ink-3">Each call ends in a finding when it goes beyond these.</p>
        <Pairs
          pairs={[
            [one.origin === "rhai" ? "Operations" : "Fuel", <span className="num">{number(one.limits.fuel)} a call</span>],
            [one.limits.memory_bytes === null ? "Values" : "Memory", one.limits.memory_bytes === null ? "limited by number and length" : <span className="num">{number(Math.round(one.limits.memory_bytes / 1_048_576))} MiB</span>],
            ["Time", <span className="num">{number(one.limits.wall_ms)} ms a call</span>],
            [
              "Last run",
              one.use ? (
                <>
                  <span className="num">{number(one.use.calls)}</span> calls, <span className="num">{number(one.use.fuel)}</span> fuel, in{" "}
                  <Link className="link font-mono text-[0.9em]" to="/runs/$id" params={{ id: one.use.run_id }}>
                    {shortDigest(one.use.run_id)}
                  </Link>
                </>
              ) : (
                "not asked"
              ),
            ],
          ]}
        />
      </section>
      <section className="flex flex-col gap-2">
        <h3 className="font-semibold">Imports</h3>
        {one.imports.length === 0 ? (
          <p className="text-ink-2">None: it computes from what it is given and nothing else.</p>
        ) : (
          <ul className="flex flex-col gap-1 font-mono text-[0.87rem]">
            {one.imports.map((name) => (
              <li key={name} className="[overflow-wrap:anywhere]">
                {name}
              </li>
            ))}
          </ul>
        )}
      </section>
      <details>
        <summary className="font-semibold">Manifest</summary>
        <pre tabIndex={0} aria-label="Manifest" className="mt-2 max-h-80 overflow-auto rounded-md bg-sunken p-3 text-[0.83rem]">
          {typeof one.manifest === "string" ? one.manifest : JSON.stringify(one.manifest, null, 2)}
        </pre>
      </details>
    </div>
  );
}

function Grants({ of: one }: { of: ExtensionDetail }) {
  const may = useMay();
  const at = path`/extensions/${one.name}/grants`;
  const [asking, setAsking] = useState<string | null>(null);
  const refresh = ["/extensions", path`/extensions/${one.point}/${one.name}`];
  const grant = useWrite((host: string, options) => api.post<unknown>(at, { host }, options), {
    refresh,
    onDone: (_, host) => {
      toast(`${one.name} may reach ${host}.`);
      setAsking(null);
      setOther("");
    },
  });
  const revoke = useWrite((host: string) => api.delete(`${at}/${encodeURIComponent(host)}`), { refresh, onDone: (_, host) => toast(`${one.name} may no longer reach ${host}.`) });
  // `*`: its settings name the hosts.
  const isOpen = one.asks_for.includes("*");
  const [other, setOther] = useState("");
  const hosts = [...new Set([...one.asks_for.filter((host) => host !== "*"), ...one.granted])].sort();
  return (
    <section className="flex flex-col gap-2">
      <h3 className="font-semibold">What it may reach</h3>
      {isOpen ? <p className="text-ink-2">Its settings name the hosts; it reaches those that are granted here.</p> : null}
      {hosts.length === 0 ? (
        isOpen ? null : <p className="text-ink-2">It asks for no host; the sandbox has no network for it.</p>
      ) : (
        <ul className="flex flex-col divide-y divide-line rounded-card border border-line">
          {hosts.map((host) => {
            const granted = one.granted.includes(host);
            return (
              <li key={host} className="flex flex-wrap items-center gap-x-3 gap-y-1.5 px-3.5 py-2">
                <Icon name={granted ? "check" : "close"} size={16} className={granted ? "text-accent" : "text-ink-3"} />
                <span className="min-w-0 flex-1 font-mono text-[0.9em] [overflow-wrap:anywhere]">{host}</span>
                <span className="text-[0.87rem] text-ink-3">{granted ? "granted" : "asked for"}</span>
                {may("manage-extensions") ? (
                  granted ? (
                    <Button size="sm" look="danger" aria-label={`Revoke ${host}`} busy={revoke.isPending && revoke.variables === host} onClick={() => revoke.mutate(host)}>
                      Revoke
                    </Button>
                  ) : (
                    <Button size="sm" aria-label={`Grant ${host}`} onClick={() => setAsking(host)}>
                      Grant
                    </Button>
                  )
                ) : null}
              </li>
            );
          })}
        </ul>
      )}
      {isOpen && may("manage-extensions") ? (
        <form
          className="flex flex-wrap items-end gap-2"
          onSubmit={(event) => {
            event.preventDefault();
            if (other.trim() !== "") setAsking(other.trim());
          }}
        >
          <TextField label="Another host" className="min-w-52 flex-1" placeholder="crm.example.com" spellCheck={false} maxLength={253} value={other} onChange={(event) => setOther(event.target.value)} />
          <Button type="submit" disabled={other.trim() === ""}>
            Grant…
          </Button>
        </form>
      ) : null}
      <FormProblem error={revoke.error} />
      <ConfirmDialog
        open={asking !== null}
        onOpenChange={(open) => {
          if (!open) setAsking(null);
        }}
        title={`Let ${one.name} reach ${asking}?`}
        description="It can then send requests to this host and read the answers. All its versions can; the grant is in the audit trail."
        act="Grant"
        busy={grant.isPending}
        onConfirm={() => {
          if (asking) grant.mutate(asking);
        }}
      >
        <FormProblem error={grant.error} />
      </ConfirmDialog>
    </section>
  );
}

function Versions({ of: one }: { of: ExtensionDetail }) {
  const may = useMay();
  const [wanted, setWanted] = useState<ExtensionVersion | null>(null);
  return (
    <div className="flex flex-col gap-3">
      <p className="text-ink-2">A version becomes active by a change that a second person approves; a run pins the digest that it used.</p>
      <ol className="flex flex-col divide-y divide-line rounded-card border border-line">
        {one.versions.map((version) => (
          <li key={version.digest} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-3.5 py-2.5">
            <span className="font-medium">{version.version}</span>
            <Digest of={version.digest} />
            {version.active ? <Badge tone="accent">active</Badge> : null}
            <span className="text-[0.87rem] text-ink-3">
              {plain(version.source)}
              {version.installed_at ? <time dateTime={version.installed_at} title={showInstant(version.installed_at)}> · {ago(version.installed_at)}</time> : null}
            </span>
            {!version.active && may("draft-changes") ? (
              <Button size="sm" className="ml-auto" aria-label={`Ask to activate version ${version.version}, ${shortDigest(version.digest)}`} onClick={() => setWanted(version)}>
                {isEarlier(one.versions, version) ? "Roll back to it" : "Activate"}
              </Button>
            ) : null}
          </li>
        ))}
      </ol>
      {one.versions.length === 0 ? <p className="text-ink-2">Its file is all there is; no version of it is in the record.</p> : null}
      {may("draft-changes") ? null : <p className="text-[0.87rem] text-ink-3">Whoever may draft changes asks for another version.</p>}
      {wanted ? <Activate name={one.name} version={wanted} onClose={() => setWanted(null)} /> : null}
    </div>
  );
}

/** Whether it was recorded before the one that is active. The list has the newest first. */
function isEarlier(all: ExtensionVersion[], version: ExtensionVersion): boolean {
  const active = all.findIndex((one) => one.active);
  return active >= 0 && all.indexOf(version) > active;
}

function Activate({ name, version, onClose }: { name: string; version: ExtensionVersion; onClose: () => void }) {
  const [comment, setComment] = useState("");
  const navigate = useNavigate();
  const ask = useWrite(
    async (given: { comment: string }, options) => {
      const draft = await api.post<{ change_id: string }>("/changes", { kind: "extension", object: name, payload: { name, digest: version.digest }, comment: given.comment }, options);
      await api.post(path`/changes/${draft.change_id}/submission`);
      return draft;
    },
    {
      refresh: ["/changes"],
      onDone: (draft) => {
        toast("Submitted. It becomes active when somebody else approves it.");
        onClose();
        void navigate({ to: "/changes/$id", params: { id: draft.change_id } as never });
      },
    },
  );
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={`Ask to activate ${name} ${version.version}`}
      description={`Version ${shortDigest(version.digest)} goes to a second person; nothing changes until it is approved. The approval starts a run.`}
      act="Submit"
      busy={ask.isPending}
      disabled={comment.trim() === ""}
      onConfirm={() => ask.mutate({ comment: comment.trim() })}
    >
      <div className="flex flex-col gap-3">
        <TextArea label="Why" rows={3} value={comment} onChange={(event) => setComment(event.target.value)} />
        <FormProblem error={ask.error} />
      </div>
    </ConfirmDialog>
  );
}

export function Cases({ of: one }: { of: { cases: CaseResult[] } }) {
  if (one.cases.length === 0) return <p className="text-ink-2">It brings no cases. Add a file of cases beside it: input and what must come out.</p>;
  const failed = one.cases.filter((own) => !own.passed).length;
  return (
    <div className="flex flex-col gap-3">
      <p role="status">{failed > 0 ? `${failed} of ${count(one.cases.length, "case")} failed.` : one.cases.length === 1 ? "Its one case passes." : `All ${one.cases.length} cases pass.`}</p>
      <ul className="flex flex-col divide-y divide-line rounded-card border border-line">
        {[...one.cases]
          .sort((a, b) => Number(a.passed) - Number(b.passed))
          .map((own, at) => (
            <li key={at} className="flex gap-2.5 px-3.5 py-2">
              <Icon name={own.passed ? "check" : "close"} className={`mt-0.5 ${own.passed ? "text-accent" : "text-bad"}`} />
              <div className="min-w-0">
                <p>
                  <span className="sr-only">{own.passed ? "passed: " : "failed: "}</span>
                  {own.name}
                </p>
                {own.differences.map((difference, row) => (
                  <p key={row} className="font-mono text-[0.83rem] [overflow-wrap:anywhere] text-bad">
                    {difference}
                  </p>
                ))}
              </div>
            </li>
          ))}
      </ul>
    </div>
  );
}

const KINDS: Record<string, "neutral" | "bad" | "accent"> = { log: "neutral", fault: "bad", reload: "accent" };

function Log({ of: one }: { of: ExtensionDetail }) {
  if (one.logs.length === 0) return <p className="text-ink-2">It said nothing since the server started.</p>;
  return (
    <ol className="flex flex-col gap-1.5" aria-label="Newest first">
      {[...one.logs].reverse().map((line, at) => (
        <li key={at} className="flex flex-wrap items-baseline gap-x-2.5 gap-y-0.5 border-b border-line pb-1.5">
          <time dateTime={line.at} title={showInstant(line.at)} className="num text-[0.83rem] text-ink-3">
            {ago(line.at)}
          </time>
          <Badge tone={KINDS[line.kind] ?? "neutral"}>{plain(line.kind)}</Badge>
          <span className="min-w-0 flex-1 basis-60 font-mono text-[0.87rem] [overflow-wrap:anywhere]">{line.message}</span>
        </li>
      ))}
    </ol>
  );
}
