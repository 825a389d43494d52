// What is installed at each point, what it may reach, what it costs; a new version comes in by its file and becomes active by a
// change that a second person approves.

import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { useEvent } from "@/api/live";
import { useRead, useWrite } from "@/api/read";
import { useMay } from "@/api/session";
import type { ExtensionSummary, Items } from "@/api/types";
import { number } from "@/money";
import { Badge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { type Column, DataTable } from "@/parts/DataTable";
import { Dialog } from "@/parts/Dialog";
import { Digest } from "@/parts/Digest";
import { DropZone } from "@/parts/DropZone";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { toast } from "@/parts/Toast";
import { Empty, FormProblem, LoadingCards, Reading } from "@/parts/states";
import { useChangeSearch, useUrlState } from "@/url";
import { count, plain } from "@/words";
import { Cases, ExtensionDrawer } from "./ExtensionDrawer";
import type { Uploaded } from "./shapes";

export const EXTENSIONS = "/extensions";

export default function Extensions() {
  return useMay()("see-extensions") ? <ExtensionsScreen /> : <Denied />;
}

function ExtensionsScreen() {
  const may = useMay();
  const change = useChangeSearch();
  const [point] = useUrlState("point");
  const [name] = useUrlState("name");
  const [filter = "", setFilter] = useUrlState("q");
  const [uploading, setUploading] = useState(false);
  const extensions = useRead<Items<ExtensionSummary>>(EXTENSIONS, { parts: ["extensions", "runs"] });
  useEvent("reload", (event) => toast(event.message || `${event.name} was ${event.accepted ? "swapped in" : "kept out"}`, event.accepted ? "done" : "failed"));

  return (
    <Screen
      title="Extensions"
      lead="Formulas, crediting, connectors and models that run in a sandbox, each at its point."
      wide
      actions={
        may("manage-extensions") ? (
          <Button look="primary" icon="plus" onClick={() => setUploading(true)}>
            Upload
          </Button>
        ) : null
      }
    >
      <Reading
        of={extensions}
        loading={<LoadingCards />}
        isEmpty={(found) => found.items.length === 0}
        empty={
          <Empty
            icon="extension"
            title="No extension is installed"
            next="Upload a built plugin (.wasm) or a script (.rhai). `attain plugin new` writes one to begin with."
            action={
              may("manage-extensions") ? (
                <Button look="primary" onClick={() => setUploading(true)}>
                  Upload
                </Button>
              ) : undefined
            }
          />
        }
      >
        {(found) => {
          const text = filter.trim().toLowerCase();
          const shown = found.items.filter((one) => text === "" || [one.name, one.point, one.description, one.digest].some((part) => part.toLowerCase().includes(text)));
          const points = [...new Set(shown.map((one) => one.point))].sort();
          return (
            <>
              <div className="max-w-80">
                <input type="search" className="input" aria-label="Filter extensions" placeholder="Filter by name, point or digest" value={filter} onChange={(event) => setFilter(event.target.value || undefined)} />
              </div>
              {points.length === 0 ? <p className="text-ink-2">No extension matches the filter.</p> : null}
              {points.map((at) => (
                <Point
                  key={at}
                  point={at}
                  extensions={shown.filter((one) => one.point === at)}
                  selected={point === at && name ? name : null}
                  onOpen={(one) => change({ point: one.point, name: one.name }, true)}
                />
              ))}
            </>
          );
        }}
      </Reading>
      <ExtensionDrawer of={point && name ? { point, name } : null} onClose={() => change({ point: undefined, name: undefined })} />
      {uploading ? <Upload onClose={() => setUploading(false)} onOpen={(one) => change({ point: one.point, name: one.name }, true)} /> : null}
    </Screen>
  );
}

function Point({ point, extensions, selected, onOpen }: { point: string; extensions: ExtensionSummary[]; selected: string | null; onOpen: (one: ExtensionSummary) => void }) {
  const columns: Column<ExtensionSummary>[] = [
    {
      id: "name",
      header: "Name",
      width: "30%",
      value: (one) => one.name,
      cell: (one) => (
        <span className="flex min-w-48 flex-col">
          <span className="font-medium">
            {one.name} <span className="font-normal text-ink-3">{one.version}</span>
          </span>
          {one.description ? <span className="line-clamp-1 text-[0.87rem] text-ink-3">{one.description}</span> : null}
        </span>
      ),
    },
    { id: "active", header: "State", value: (one) => (one.active ? "active" : "installed"), cell: (one) => (one.active ? <Badge tone="accent">active</Badge> : <Badge>installed</Badge>) },
    { id: "origin", header: "Kind", value: (one) => one.origin, cell: (one) => ORIGINS[one.origin] ?? one.origin },
    { id: "source", header: "From", value: (one) => plain(one.source), cell: (one) => <span className="whitespace-nowrap">{plain(one.source)}</span> },
    { id: "digest", header: "Digest", value: (one) => one.digest, cell: (one) => <Digest of={one.digest} /> },
    { id: "signature", header: "Signature", value: (one) => one.signature, cell: (one) => <Badge tone={one.signature === "unsigned" ? "neutral" : "accent"}>{one.signature}</Badge> },
    {
      id: "hosts",
      header: "Reaches",
      value: (one) => one.granted.length,
      cell: (one) => {
        if (one.asks_for.length === 0) return <span className="text-ink-3">nothing</span>;
        if (one.asks_for.includes("*") && one.granted.length === 0) return <Badge tone="warn">nothing granted</Badge>;
        const open = one.asks_for.filter((host) => host !== "*" && !one.granted.includes(host)).length;
        return open > 0 ? <Badge tone="warn">{open} of {one.asks_for.length} not granted</Badge> : <span className="whitespace-nowrap">{count(one.granted.length, "host")}</span>;
      },
    },
    { id: "calls", header: "Calls in last run", align: "right", value: (one) => one.use?.calls, cell: (one) => (one.use ? number(one.use.calls) : <span className="text-ink-3">–</span>) },
  ];
  return (
    <Card title={POINTS[point] ?? plain(point, true)} aside={count(extensions.length, "extension")} flush>
      <DataTable label={`Extensions at ${plain(point)}`} columns={columns} rows={extensions} rowKey={(one) => one.name} selected={selected} onRow={onOpen} />
    </Card>
  );
}

const POINTS: Record<string, string> = { kpi: "Key figures" };

export const ORIGINS: Record<string, string> = { wasm: "Wasm plugin", rhai: "Rhai script", rust: "built in" };

/** The media type by which the server knows what a file is. */
function typeOf(name: string): string | null {
  if (/\.wasm$/i.test(name)) return "application/wasm";
  if (/\.rhai$/i.test(name)) return "text/x-rhai";
  return null;
}

function Upload({ onClose, onOpen }: { onClose: () => void; onOpen: (one: Uploaded) => void }) {
  const [wrong, setWrong] = useState<string | null>(null);
  const upload = useWrite(
    (given: { file: File; type: string }, options) => api.post<Uploaded>(EXTENSIONS, undefined, { ...options, raw: { content: given.file, type: given.type } }),
    { refresh: [EXTENSIONS] },
  );
  const done = upload.data;
  return (
    <Dialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={done ? `${done.name} ${done.version} is installed` : "Upload an extension"}
      description={done ? undefined : "It is checked and its cases are run. It stays inactive until a second person approves."}
      width="md"
      footer={
        done ? (
          <>
            <Button look="quiet" onClick={onClose}>
              Close
            </Button>
            <Button
              look="primary"
              onClick={() => {
                onClose();
                onOpen(done);
              }}
            >
              Look at it
            </Button>
          </>
        ) : undefined
      }
    >
      {done ? (
        <div className="flex flex-col gap-4">
        <p>
          {done.known_already ? "These very bytes were there already." : "It is not active yet."}{" "}
          {done.change_id ? (
            <>
              <Link className="link" to="/changes/$id" params={{ id: done.change_id } as never}>
                Change {done.change_id}
              </Link>{" "}
              makes it active once somebody else approved it.
            </>
          ) : (
            "Ask for its activation where its versions are listed."
          )}
          {done.asks_for.length > 0 ? ` It asks to reach ${done.asks_for.map((host) => (host === "*" ? "hosts that its settings name" : host)).join(", ")}.` : null}
        </p>
        <Cases of={done} />
        </div>
      ) : (
        <div className="flex flex-col gap-3">
          <DropZone
            label="Choose a file"
            accept=".wasm,.rhai"
            hint="Drop a plugin (.wasm) or a script (.rhai) here."
            busy={upload.isPending}
            onFile={(file) => {
              const type = typeOf(file.name);
              setWrong(type ? null : `\`${file.name}\` is neither a .wasm nor a .rhai file`);
              if (type) upload.mutate({ file, type });
            }}
          />
          <FormProblem error={wrong ?? upload.error} />
        </div>
      )}
    </Dialog>
  );
}
