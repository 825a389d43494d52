// Programs elsewhere that are told what happens, and what each was told.

import { useState } from "react";
import { api, path } from "@/api/client";
import { usePages, useRead, useWrite } from "@/api/read";
import { useMay } from "@/api/session";
import type { Items } from "@/api/types";
import type { Delivery, Webhook } from "@/api/work";
import { Badge, StateBadge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { ConfirmDialog, Dialog } from "@/parts/Dialog";
import { CopyButton } from "@/parts/Digest";
import { Drawer } from "@/parts/Drawer";
import { Checkbox, SelectField, TextField } from "@/parts/Field";
import { Icon } from "@/parts/Icon";
import { Menu } from "@/parts/Menu";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { toast, toastProblem } from "@/parts/Toast";
import { Empty, Failed, FormProblem, Loading, Reading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, count, plain, showInstant } from "@/words";

const EVENTS = [
  "dispute-raised",
  "dispute-answered",
  "dispute-assigned",
  "dispute-resolved",
  "dispute-overdue",
  "change-waiting",
  "change-decided",
  "approval-overdue",
  "statement-published",
  "statement-to-acknowledge",
  "period-state",
];

export default function Webhooks() {
  return useMay()("manage-extensions") ? <WebhooksScreen /> : <Denied />;
}

function WebhooksScreen() {
  const webhooks = useRead<Items<Webhook>>("/webhooks", { parts: ["work"] });
  const [shown, setShown] = useUrlState("webhook");
  const [editing, setEditing] = useState<Webhook | "new" | null>(null);
  const [removing, setRemoving] = useState<Webhook | null>(null);
  const [made, setMade] = useState<Webhook | null>(null);
  const [rotating, setRotating] = useState<Webhook | null>(null);
  const toggle = useWrite((one: Webhook) => api.patch<Webhook>(path`/webhooks/${one.webhook_id}`, { active: one.state !== "active" }, { ifMatch: `"${one.version}"` }), {
    refresh: ["/webhooks"],
    onDone: (one) => toast(one.state === "active" ? "It is told again what happens." : "It is told nothing until you switch it on."),
  });
  const remove = useWrite((one: Webhook) => api.delete(path`/webhooks/${one.webhook_id}`), {
    refresh: ["/webhooks"],
    onDone: () => {
      setRemoving(null);
      toast("The webhook is removed.");
    },
  });
  const start = (
    <Button look="primary" icon="plus" onClick={() => setEditing("new")}>
      Add a webhook
    </Button>
  );
  const open = webhooks.data?.items.find((one) => one.webhook_id === shown) ?? null;
  return (
    <Screen title="Webhooks" lead="Other programs are told that something happened, never a figure. Each delivery is signed." actions={start}>
      <Reading
        of={webhooks}
        isEmpty={(data) => data.items.length === 0}
        empty={
          <div className="card">
            <Empty icon="hook" title="No program listens" next="Add the address of one: it is told of disputes, changes, published statements and periods." action={start} />
          </div>
        }
      >
        {(data) => (
          <ul className="card divide-y divide-line overflow-hidden" aria-label="Webhooks">
            {data.items.map((one) => (
              <li key={one.webhook_id} className="flex flex-wrap items-center gap-x-4 gap-y-1.5 px-4 py-3 sm:px-5">
                <button type="button" className="min-w-0 flex-1 basis-60 text-left" onClick={() => setShown(one.webhook_id)}>
                  <span className="link block [overflow-wrap:anywhere]">{one.url}</span>
                  <span className="block text-[0.87rem] text-ink-3">
                    {one.events.length === 0 ? "everything that happens" : one.events.map((event) => plain(event)).join(", ")}
                  </span>
                  {one.last_error ? <span className="block text-[0.87rem] [overflow-wrap:anywhere] text-loss">{one.last_error}</span> : null}
                </button>
                {one.secrets.length === 0 ? <Badge tone="bad">no secret</Badge> : one.secrets.length > 1 ? <Badge title={`until ${showInstant(one.secrets.at(-1)?.valid_until ?? "")}`}>an old secret signs along</Badge> : null}
                {one.failures > 0 ? <Badge tone="warn">{count(one.failures, "failure")} in a row</Badge> : null}
                <StateBadge state={one.state} />
                <Menu
                  label={`Acts on ${one.url}`}
                  trigger={
                    <Button size="sm" look="quiet" aria-label={`Acts on ${one.url}`}>
                      <Icon name="more" size={16} />
                    </Button>
                  }
                  items={[
                    { label: "What it was told", icon: "statement", onSelect: () => setShown(one.webhook_id) },
                    { label: "Change…", icon: "hook", onSelect: () => setEditing(one) },
                    { label: "Give it a new secret…", icon: "change", onSelect: () => setRotating(one) },
                    { label: one.state === "active" ? "Switch off" : "Switch on", icon: one.state === "active" ? "pause" : "run", onSelect: () => toggle.mutate(one, { onError: toastProblem }) },
                    { kind: "line" },
                    { label: "Remove…", danger: true, onSelect: () => setRemoving(one) },
                  ]}
                />
              </li>
            ))}
          </ul>
        )}
      </Reading>
      {editing ? (
        <Edit
          of={editing === "new" ? null : editing}
          onClose={() => setEditing(null)}
          onDone={(one) => {
            setEditing(null);
            if (one.secret) setMade(one);
            else toast("The webhook is changed.");
          }}
        />
      ) : null}
      <Dialog
        open={made !== null}
        onOpenChange={(now) => {
          if (!now) setMade(null);
        }}
        title="Its secret"
        description="Copy it now: it is shown this once. The program checks the header webhook-signature with it, as any library for Standard Webhooks does."
        footer={<CopyButton text={made?.secret ?? ""} look="primary">{"Copy the secret"}</CopyButton>}
      >
        <code className="block rounded-control bg-sunken px-3 py-2.5 font-mono break-all select-all" tabIndex={0}>
          {made?.secret}
        </code>
      </Dialog>
      {rotating ? (
        <Rotate
          of={rotating}
          onClose={() => setRotating(null)}
          onDone={(one) => {
            setRotating(null);
            setMade(one);
          }}
        />
      ) : null}
      <ConfirmDialog
        open={removing !== null}
        onOpenChange={(now) => {
          if (!now) setRemoving(null);
        }}
        title="Remove the webhook?"
        description={removing ? `${removing.url} is told nothing more, and the list of what it was told goes.` : ""}
        act="Remove"
        look="danger"
        busy={remove.isPending}
        onConfirm={() => {
          if (removing) remove.mutate(removing);
        }}
      >
        <FormProblem error={remove.error} />
      </ConfirmDialog>
      <Drawer
        open={open !== null}
        onOpenChange={(now) => {
          if (!now) setShown(undefined);
        }}
        title="What it was told"
        description={open?.url}
      >
        {open ? <Deliveries of={open} /> : null}
      </Drawer>
    </Screen>
  );
}

function Edit({ of: one, onClose, onDone }: { of: Webhook | null; onClose: () => void; onDone: (webhook: Webhook) => void }) {
  const [url, setUrl] = useState(one?.url ?? "");
  const [all, setAll] = useState(!one || one.events.length === 0);
  const [events, setEvents] = useState<string[]>(one?.events ?? []);
  const save = useWrite(
    (given: { url: string; events: string[] }, options) =>
      one ? api.patch<Webhook>(path`/webhooks/${one.webhook_id}`, given, { ifMatch: `"${one.version}"` }) : api.post<Webhook>("/webhooks", given, options),
    { refresh: ["/webhooks"], onDone },
  );
  const ready = url.trim() !== "" && (all || events.length > 0);
  const send = () => {
    if (ready) save.mutate({ url: url.trim(), events: all ? [] : events });
  };
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={one ? "Change the webhook" : "Add a webhook"}
      description="An address by https that the whole internet can reach, or one that the server was started for."
      act={one ? "Save" : "Add"}
      busy={save.isPending}
      disabled={!ready}
      onConfirm={send}
    >
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <TextField label="Address" type="url" required autoFocus placeholder="https://" maxLength={1_000} value={url} onChange={(event) => setUrl(event.target.value)} />
        <fieldset className="flex flex-col gap-1.5">
          <legend className="pb-1.5 text-[0.87rem] font-medium text-ink-2">What it is told</legend>
          <Checkbox label="Everything, also what comes with later versions" checked={all} onChange={(event) => setAll(event.target.checked)} />
          {all ? null : (
            <div className="grid gap-1.5 pt-1 sm:grid-cols-2">
              {EVENTS.map((event) => (
                <Checkbox
                  key={event}
                  label={plain(event, true)}
                  checked={events.includes(event)}
                  onChange={(change) => setEvents(change.target.checked ? [...events, event] : events.filter((each) => each !== event))}
                />
              ))}
            </div>
          )}
        </fieldset>
        <FormProblem error={save.error} />
        <button type="submit" className="hidden" tabIndex={-1} aria-hidden="true" />
      </form>
    </ConfirmDialog>
  );
}

const SPANS = [
  { hours: 0, label: "ends at once" },
  { hours: 1, label: "signs along for an hour" },
  { hours: 24, label: "signs along for a day" },
  { hours: 168, label: "signs along for a week" },
  { hours: 720, label: "signs along for 30 days" },
];

function Rotate({ of: one, onClose, onDone }: { of: Webhook; onClose: () => void; onDone: (webhook: Webhook) => void }) {
  const [hours, setHours] = useState(24);
  const rotate = useWrite((given: number) => api.put<Webhook>(path`/webhooks/${one.webhook_id}/secret`, { old_valid_hours: given }, { ifMatch: `"${one.version}"` }), { refresh: ["/webhooks"], onDone });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="Give it a new secret"
      description={`${one.url} gets a new secret. While both count, each delivery has two signatures, so that the program can change over.`}
      act="New secret"
      busy={rotate.isPending}
      onConfirm={() => rotate.mutate(hours)}
    >
      <div className="flex flex-col gap-3.5">
        <SelectField label="The one of now" value={String(hours)} onChange={(event) => setHours(Number(event.target.value))}>
          {SPANS.map((span) => (
            <option key={span.hours} value={span.hours}>
              {span.label}
            </option>
          ))}
        </SelectField>
        <FormProblem error={rotate.error} />
      </div>
    </ConfirmDialog>
  );
}

function Deliveries({ of: webhook }: { of: Webhook }) {
  const at = path`/webhooks/${webhook.webhook_id}/deliveries`;
  const deliveries = usePages<Delivery>(at, { parts: ["work"], limit: 50 });
  const [open, setOpen] = useState<string | null>(null);
  const again = useWrite((id: string, options) => api.post<Delivery>(at + path`/${id}/again`, undefined, options), { refresh: [at], onDone: () => toast("It is sent once more, under the same id.") });
  if (deliveries.error) return <Failed error={deliveries.error} retry={deliveries.retry} />;
  if (deliveries.isPending) return <Loading />;
  if (deliveries.items.length === 0) return <Empty icon="hook" title="Nothing yet" next="It is told when something happens next." />;
  return (
    <div className="flex flex-col gap-3">
      <ul className="divide-y divide-line rounded-card border border-line" aria-label="Deliveries">
        {deliveries.items.map((one) => (
          <li key={one.delivery_id} className="px-3.5 py-2.5">
            <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <button type="button" className="min-w-0 flex-1 text-left" aria-expanded={open === one.delivery_id} onClick={() => setOpen(open === one.delivery_id ? null : one.delivery_id)}>
                <span className="block font-medium">{plain(one.event, true)}</span>
                <span className="block text-[0.83rem] text-ink-3" title={showInstant(one.created_at)}>
                  {ago(one.created_at)}
                  {one.next_at ? `; again ${ago(one.next_at)}` : ""}
                </span>
                {one.last_error ? <span className="block text-[0.87rem] [overflow-wrap:anywhere] text-loss">{one.last_error}</span> : null}
              </button>
              <StateBadge state={one.state} />
              {one.state === "waiting" ? null : (
                <Button size="sm" busy={again.isPending && again.variables === one.delivery_id} onClick={() => again.mutate(one.delivery_id, { onError: toastProblem })}>
                  Send again
                </Button>
              )}
            </div>
            {open === one.delivery_id ? <Attempts at={at + path`/${one.delivery_id}`} /> : null}
          </li>
        ))}
      </ul>
      {deliveries.hasMore ? (
        <Button className="self-center" busy={deliveries.isFetchingMore} onClick={deliveries.more}>
          Show more
        </Button>
      ) : null}
    </div>
  );
}

function Attempts({ at }: { at: string }) {
  const delivery = useRead<Delivery>(at, { parts: ["work"] });
  return (
    <div className="flex flex-col gap-2 pt-2.5">
      <Reading of={delivery} loading={<Loading lines={2} />}>
        {(one) => (
          <>
            {one.attempts.length === 0 ? <p className="text-[0.9rem] text-ink-2">Not tried yet.</p> : null}
            <ol className="flex flex-col gap-1 text-[0.9rem]">
              {one.attempts.map((attempt) => (
                <li key={attempt.attempt} className="[overflow-wrap:anywhere]">
                  {attempt.attempt}. {showInstant(attempt.attempted_at)}: {attempt.status ?? "no answer"}
                  {attempt.error ? `, ${attempt.error}` : ""}
                </li>
              ))}
            </ol>
            <pre className="max-h-60 overflow-auto rounded-control bg-sunken px-3 py-2 font-mono text-[0.8rem]" tabIndex={0} role="region" aria-label="Body of the delivery">
              {JSON.stringify(one.body, null, 2)}
            </pre>
          </>
        )}
      </Reading>
    </div>
  );
}
