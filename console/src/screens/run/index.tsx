// One calculation: what it took, whether its totals tie, what it found, whom it moved and why, what it was pinned to, and whether
// it comes out the same when it is calculated again.

import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api, path } from "@/api/client";
import { usePages, useRead, useWrite } from "@/api/read";
import { useCurrency, useMay } from "@/api/session";
import type { Entity, Finding, Items, Page, Receipt, Replay, Run as RunShape, RunSummary } from "@/api/types";
import { isDecimal, money, number } from "@/money";
import { Badge, StateBadge } from "@/parts/Badge";
import { Button, ButtonLink } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { DataTable } from "@/parts/DataTable";
import { Digest } from "@/parts/Digest";
import { Icon } from "@/parts/Icon";
import { Pairs } from "@/parts/Pairs";
import { Screen } from "@/parts/Screen";
import { Since, StandingBadge } from "@/parts/Standing";
import { Denied } from "@/parts/Shell";
import { Tabs } from "@/parts/Tabs";
import { toastProblem } from "@/parts/Toast";
import { Empty, Failed, Loading, Reading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, count, plain, shortDigest, showInstant } from "@/words";
import { Moved } from "./Moved";
import { StageBars } from "./StageBars";
import { type Tie, isTied, ties } from "./totals";

export default function Run() {
  return useMay()("see-runs") ? <RunScreen /> : <Denied />;
}

function RunScreen() {
  const { id = "" } = useParams({ strict: false }) as { id?: string };
  const run = useRead<RunShape>(path`/runs/${id}`, { parts: ["runs"] });
  const [tab = "overview", setTab] = useUrlState("tab", true);
  const replay = useWrite((_: void, options) => api.post<Replay>(path`/runs/${id}/replay`, undefined, options));
  const shown = run.data;
  return (
    <Screen
      title={`Run ${shortDigest(id)}`}
      wide
      lead={
        shown ? (
          <span className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
            {shown.complete ? <Badge tone="accent">complete</Badge> : <StateBadge state="incomplete" />}
            <StandingBadge run={shown.run_id} />
            <time dateTime={shown.recorded_at} title={showInstant(shown.recorded_at)}>
              {ago(shown.recorded_at)}
            </time>
            {shown.trigger ? <span>{TRIGGERS[shown.trigger] ?? plain(shown.trigger)}{shown.requested_by ? ` of ${shown.requested_by}` : ""}</span> : null}
            {shown.note ? <span className="[overflow-wrap:anywhere]">“{shown.note}”</span> : null}
          </span>
        ) : undefined
      }
      actions={
        <>
          <ButtonLink look="quiet" icon="left" to="/runs">
            All runs
          </ButtonLink>
          <Button look="primary" icon="run" busy={replay.isPending} disabled={!shown} onClick={() => replay.mutate(undefined, { onError: toastProblem })}>
            Replay
          </Button>
        </>
      }
    >
      {replay.data ? <Verdict of={replay.data} /> : null}
      {shown ? <Since run={shown.run_id} /> : null}
      <Reading of={run}>
        {(found) => (
          <>
            {found.complete ? null : (
              <p role="alert" className="card !border-warn/50 !bg-warn-soft px-5 py-3">
                This run is incomplete: an extension failed, and what hangs on it was not posted. The findings name it; mend it and start another run.
              </p>
            )}
            <Tabs
              label="About this run"
              value={tab}
              onChange={(next) => setTab(next === "overview" ? undefined : next)}
              tabs={[
                { value: "overview", label: "Overview", content: <Overview run={found} /> },
                { value: "findings", label: <>Findings <span className="num text-ink-3">{found.findings.reduce((all, one) => all + one.count, 0)}</span></>, content: <Findings run={found} /> },
                { value: "changes", label: "What it changed", content: found.complete ? <Changed id={id} /> : <Empty icon="warn" title="This run changed nothing" next="It is incomplete: nothing was calculated again or posted. Its findings say why." /> },
                { value: "pinned", label: "Pinned", content: <Pinned run={found} /> },
                { value: "compare", label: "Compare", content: <Compare run={found} /> },
              ]}
            />
          </>
        )}
      </Reading>
    </Screen>
  );
}

function Verdict({ of: replay }: { of: Replay }) {
  return (
    <section role="status" aria-label="Replay" className={`card flex gap-3 px-5 py-4 ${replay.equal ? "!border-accent/50" : "!border-bad/50 !bg-bad-soft"}`}>
      <Icon name={replay.equal ? "check" : "warn"} size={22} className={`mt-0.5 ${replay.equal ? "text-accent" : "text-bad"}`} />
      <div className="flex min-w-0 flex-col gap-1">
        <strong className="font-semibold">
          {replay.equal ? "Calculated again, it is the same to the byte" : "Calculated again, it came out otherwise"} <span className="num font-normal text-ink-3">in {number(replay.millis)} ms</span>
        </strong>
        <p className="font-mono text-[0.87rem] [overflow-wrap:anywhere] text-ink-2">{replay.recomputed}</p>
        {replay.equal ? null : (
          <>
            <p>The run in the record is {replay.run_id}. These parts differ:</p>
            <ul className="list-disc pl-5">
              {replay.differences.map((one, at) => (
                <li key={at}>{one}</li>
              ))}
            </ul>
          </>
        )}
      </div>
    </section>
  );
}

function Overview({ run }: { run: RunShape }) {
  const currency = useCurrency();
  const { tied, others } = ties(run.totals);
  return (
    <div className="grid items-start gap-4 lg:grid-cols-2">
      <Card title="Control totals">
        <div className="flex flex-col gap-4">
          {tied.map((tie) => (
            <Tied key={tie.of} tie={tie} show={(value) => (tie.of === "amount" ? money(value, currency) : number(value))} />
          ))}
          {tied.length === 0 && others.length === 0 ? <p className="text-ink-2">This run kept no totals.</p> : null}
          {others.length > 0 ? <Pairs pairs={others.map((one) => [plain(one.name, true), <span className="num">{isDecimal(one.value) ? number(one.value) : one.value}</span>] as const)} /> : null}
        </div>
      </Card>
      <div className="flex flex-col gap-4">
        {run.stages.length > 0 ? (
          <Card title="Time by stage">
            <StageBars stages={run.stages} />
          </Card>
        ) : null}
        <Card title="The run">
          <Pairs
            pairs={[
              ["Run", <Digest of={run.run_id} name="run" />],
              ["Root hash", <Digest of={run.root} name="root hash" />],
              ["Recorded", showInstant(run.recorded_at)],
              ["Engine", run.engine_version],
              ["Published", run.published_at ? showInstant(run.published_at) : "not yet"],
            ]}
          />
        </Card>
      </div>
    </div>
  );
}

function Tied({ tie, show }: { tie: Tie; show: (value: string) => string }) {
  const ok = isTied(tie);
  return (
    <table className="w-full">
      <caption className="pb-1 text-left text-[0.87rem] text-ink-3">{tie.of === "amount" ? "Amount of the transactions" : "Number of transactions"}</caption>
      <tbody>
        <Total name="in" value={show(tie.given)} strong />
        {tie.parts.map((part) => (
          <Total key={part.name} name={plain(part.name)} value={show(part.value)} />
        ))}
        <tr>
          <th scope="row" className="pt-1.5 text-left font-medium">
            {ok ? "They tie" : "They do not tie"}
          </th>
          <td className="pt-1.5 text-right">
            {ok ? (
              <span className="inline-flex items-center gap-1 font-medium text-accent">
                <Icon name="check" size={16} /> to the last digit
              </span>
            ) : (
              <span className="num font-medium text-bad">{show(tie.rest)} is missing</span>
            )}
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function Total({ name, value, strong }: { name: string; value: string; strong?: boolean }): ReactNode {
  return (
    <tr className={strong ? "font-semibold" : ""}>
      <th scope="row" className={`border-b border-line py-1 text-left ${strong ? "" : "pl-3 font-normal text-ink-2"}`}>
        {name}
      </th>
      <td className="num border-b border-line py-1 text-right">{value}</td>
    </tr>
  );
}

/** What started a run. */
const TRIGGERS: Record<string, string> = { request: "at the request", command: "by a command", schedule: "by a schedule", change: "after a change" };

const SEVERITIES = ["error", "warning", "info"];

function Findings({ run }: { run: RunShape }) {
  const may = useMay();
  const [code, setCode] = useUrlState("code");
  const entities = useRead<Items<Entity>>("/entities", { parts: ["company"], enabled: may("see-data") });
  const isEntity = (name: string) => entities.data?.items.some((one) => one.name === name) ?? false;
  const page = usePages<Finding>(path`/runs/${run.run_id}/findings`, { query: { "filter[code]": code }, parts: ["runs"], keep: true });
  const groups = [...run.findings].sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || b.count - a.count);
  if (groups.length === 0) return <Empty icon="check" title="Nothing was found" next="All records were taken as they are, and no figure stood out." />;
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[20rem_1fr]">
      <div role="group" aria-label="Filter by kind of finding" className="flex flex-col gap-2">
        {groups.map((group) => {
          const on = code === group.code;
          return (
            <button
              key={`${group.severity} ${group.code}`}
              type="button"
              aria-pressed={on}
              onClick={() => setCode(on ? undefined : group.code)}
              className={`card flex flex-col gap-1 px-4 py-2.5 text-left ${on ? "!border-accent !bg-accent-soft" : "hover:!bg-sunken"}`}
            >
              <span className="flex w-full items-center gap-2">
                <StateBadge state={group.severity} />
                <span className="min-w-0 flex-1 truncate font-medium">{plain(group.code)}</span>
                <span className="num">{number(group.count)}</span>
              </span>
              <span className="line-clamp-2 text-[0.87rem] text-ink-2 [overflow-wrap:anywhere]">{group.example}</span>
            </button>
          );
        })}
      </div>
      <div className="card min-w-0 overflow-hidden">
        {page.isPending ? (
          <div className="p-5">
            <Loading />
          </div>
        ) : page.error ? (
          <Failed error={page.error} retry={page.retry} />
        ) : (
          <DataTable
            label="Findings"
            filterable
            columns={[
              { id: "severity", header: "Severity", value: (one) => one.severity, cell: (one) => <StateBadge state={one.severity} />, width: "6rem" },
              { id: "code", header: "Kind", value: (one) => plain(one.code), cell: (one) => <span className="whitespace-nowrap">{plain(one.code)}</span> },
              {
                id: "record",
                header: "Record",
                value: (one) => one.record,
                cell: (one) =>
                  isEntity(one.entity) ? (
                    <Link className="link whitespace-nowrap" to="/data" search={{ entity: one.entity, row: one.record } as never}>
                      {one.record}
                    </Link>
                  ) : (
                    <span className="whitespace-nowrap">{one.record}</span>
                  ),
              },
              { id: "message", header: "Message", value: (one) => one.message, cell: (one) => <span className="block min-w-56 [overflow-wrap:anywhere]">{one.message}</span> },
            ]}
            rows={page.items.map((one, at) => ({ ...one, at }))}
            rowKey={(one) => String(one.at)}
            hasMore={page.hasMore}
            onMore={page.more}
            total={page.total}
          />
        )}
      </div>
    </div>
  );
}

function Changed({ id }: { id: string }) {
  const receipt = useRead<Receipt>(path`/runs/${id}/receipt`, { parts: ["runs"] });
  return (
    <Reading
      of={receipt}
      isEmpty={(found) => found.previous_run_id === null && found.recalculated.length === 0}
      empty={<Empty icon="run" title="This was the first run" next="There is no run before it to compare with; everything was calculated for the first time." />}
    >
      {(found) => (
        <div className="flex flex-col gap-3">
          {found.previous_run_id ? (
            <p className="text-ink-2">
              Against the run before,{" "}
              <Link className="link font-mono text-[0.9em]" to="/runs/$id" params={{ id: found.previous_run_id }}>
                {shortDigest(found.previous_run_id)}
              </Link>
              .
            </p>
          ) : null}
          <Moved receipt={found} unmoved="Everything came out as in the run before it." />
        </div>
      )}
    </Reading>
  );
}

function Pinned({ run }: { run: RunShape }) {
  const documents = Object.entries(run.documents).map(([file, digest]) => ({ file, digest }));
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <Card title="Documents" aside={count(documents.length, "file")} flush>
        <DataTable
          label="Pinned documents"
          columns={[
            { id: "file", header: "File", value: (one) => one.file },
            { id: "digest", header: "Digest", value: (one) => one.digest, cell: (one) => <Digest of={one.digest} /> },
          ]}
          rows={documents}
          rowKey={(one) => one.file}
        />
      </Card>
      <Card title="Extensions" aside={`${count(run.extensions.length, "extension")} asked`} flush>
        <DataTable
          label="Pinned extensions"
          columns={[
            { id: "name", header: "Name", value: (one) => one.name },
            { id: "digest", header: "Digest", value: (one) => one.digest, cell: (one) => <Digest of={one.digest} /> },
            { id: "calls", header: "Calls", align: "right", value: (one) => one.calls, cell: (one) => (one.calls === null ? "–" : number(one.calls)) },
            { id: "fuel", header: "Fuel", align: "right", value: (one) => one.fuel, cell: (one) => (one.fuel === null ? "–" : number(one.fuel)) },
          ]}
          rows={run.extensions}
          rowKey={(one) => `${one.name} ${one.digest}`}
        />
      </Card>
      <Chunks title="Inputs" of={run.inputs} />
      <Chunks title="Results" of={run.results} />
    </div>
  );
}

function Chunks({ title, of: rows }: { title: string; of: RunShape["inputs"] }) {
  return (
    <Card title={title} flush>
      <DataTable
        label={`Pinned ${title.toLowerCase()}`}
        columns={[
          { id: "name", header: "Name", value: (one) => one.name, cell: (one) => plain(one.name) },
          { id: "rows", header: "Rows", align: "right", value: (one) => one.row_count, cell: (one) => number(one.row_count) },
          { id: "chunks", header: "Hashed chunks", align: "right", value: (one) => one.chunks.length },
        ]}
        rows={rows}
        rowKey={(one) => one.name}
      />
    </Card>
  );
}

function Compare({ run }: { run: RunShape }) {
  const [other, setOther] = useUrlState("with");
  const runs = useRead<Page<RunSummary>>("/runs", { query: { limit: 100 }, parts: ["runs"] });
  const recorded = (id: string) => runs.data?.items.find((one) => one.run_id === id)?.recorded_at ?? "";
  // From the earlier of the two to the later one, whichever this is.
  const isLater = other === undefined || recorded(other) <= run.recorded_at;
  const [before, after] = isLater ? [other ?? "", run.run_id] : [run.run_id, other ?? ""];
  const comparison = useRead<Receipt>(path`/runs/${before}/comparison/${after}`, { parts: ["runs"], enabled: other !== undefined && runs.data !== undefined });
  return (
    <Reading of={runs} isEmpty={(found) => found.items.every((one) => one.run_id === run.run_id)} empty={<Empty icon="run" title="There is no other run" next="Start a second run to compare the two." />}>
      {(found) => (
        <div className="flex flex-col gap-4">
          <label className="flex flex-wrap items-center gap-2.5">
            <span className="font-medium">Compare with</span>
            <select className="input !w-auto max-w-full" value={other ?? ""} onChange={(event) => setOther(event.target.value || undefined)}>
              <option value="">choose a run</option>
              {found.items
                .filter((one) => one.run_id !== run.run_id)
                .map((one) => (
                  <option key={one.run_id} value={one.run_id}>
                    {shortDigest(one.run_id)} · {ago(one.recorded_at)}
                    {one.note ? ` · ${one.note}` : ""}
                  </option>
                ))}
            </select>
          </label>
          {other === undefined ? (
            <p className="text-ink-2">Choose the run to compare with: it shows who moved from that one to this one, by how much and why.</p>
          ) : (
            <Reading of={comparison}>
              {(moved) => (
                <>
                  <p className="text-ink-2">
                    From <span className="font-mono text-[0.9em]">{shortDigest(before)}</span> to <span className="font-mono text-[0.9em]">{shortDigest(after)}</span>
                    {isLater ? "" : ", which is the later one"}.
                  </p>
                  <Moved receipt={moved} unmoved="Both runs pay everybody the same." />
                </>
              )}
            </Reading>
          )}
        </div>
      )}
    </Reading>
  );
}
