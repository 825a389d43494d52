// What one was told, the newest first, and whether it comes by mail too.

import { useNavigate } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api } from "@/api/client";
import { Problem } from "@/api/problem";
import { usePages, useVersioned, useWrite } from "@/api/read";
import type { MailPreference, Notice, NoticeCount } from "@/api/work";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { Choices } from "@/parts/Choices";
import { Checkbox, TextField } from "@/parts/Field";
import { Icon, type IconName } from "@/parts/Icon";
import { Screen } from "@/parts/Screen";
import { toast, toastProblem } from "@/parts/Toast";
import { Empty, Failed, FormProblem, Loading, Reading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, plain, showInstant } from "@/words";

const SHOWN = [
  { value: undefined, label: "All" },
  { value: "unread", label: "Unread" },
] as const;

function iconOf(kind: string): IconName {
  if (kind.startsWith("dispute")) return "dispute";
  if (kind.startsWith("change") || kind.startsWith("approval")) return "change";
  if (kind.startsWith("statement")) return "statement";
  return kind.startsWith("period") ? "period" : "bell";
}

/** Addresses of the console alone; whatever else a notice names is not followed. */
export function placeOf(link: string): string | null {
  return /^\/(?!\/)[\w\-./%?=&,:~]*$/.test(link) ? link : null;
}

export default function Notices() {
  const [shown, setShown] = useUrlState("show");
  const navigate = useNavigate();
  const notices = usePages<Notice>("/notices", { query: { unread: shown === "unread" ? true : null }, parts: ["work"], keep: true, limit: 50 });
  const refresh = ["/notices", "/notices/count"];
  const read = useWrite((ids: string[] | null, options) => api.post<NoticeCount>("/notices/read", ids ? { notice_ids: ids } : {}, options), { refresh });
  const unread = notices.items.some((one) => one.read_at === null);
  const open = (notice: Notice) => {
    if (notice.read_at === null) read.mutate([notice.notice_id]);
    const place = placeOf(notice.link);
    if (place) void navigate({ href: place });
  };
  return (
    <Screen
      title="Notices"
      selectors={<Choices label="Which" choices={SHOWN} value={shown} onChange={setShown} />}
      actions={
        <Button icon="check" busy={read.isPending} disabled={!unread} onClick={() => read.mutate(null, { onSuccess: () => toast("All are read."), onError: toastProblem })}>
          Mark all as read
        </Button>
      }
    >
      <div className="grid items-start gap-4 lg:grid-cols-[1fr_20rem]">
        <div className="flex min-w-0 flex-col gap-4">
          {notices.error ? (
            <Failed error={notices.error} retry={notices.retry} />
          ) : notices.isPending ? (
            <Loading />
          ) : notices.items.length === 0 ? (
            <div className="card">
              <Empty icon="bell" title={shown === "unread" ? "Nothing unread" : "Nothing yet"} next="You are told here of disputes, changes that wait for you, published statements and periods." />
            </div>
          ) : (
            <ul className="card divide-y divide-line overflow-hidden" aria-label="Notices">
              {notices.items.map((notice) => (
                <li key={notice.notice_id}>
                  <button type="button" onClick={() => open(notice)} className={`flex w-full items-start gap-3 px-4 py-3 text-left hover:bg-sunken sm:px-5 ${notice.read_at === null ? "" : "text-ink-2"}`}>
                    <Icon name={iconOf(notice.kind)} className="mt-0.5 text-ink-3" />
                    <span className="min-w-0 flex-1">
                      <span className={`block [overflow-wrap:anywhere] ${notice.read_at === null ? "font-medium" : ""}`}>{notice.text}</span>
                      <span className="block text-[0.83rem] text-ink-3">
                        {plain(notice.kind, true)} · <time title={showInstant(notice.created_at)}>{ago(notice.created_at)}</time>
                      </span>
                    </span>
                    {notice.read_at === null ? (
                      <span className="mt-1.5 inline-flex items-center">
                        <span className="size-2 rounded-full bg-accent" aria-hidden="true" />
                        <span className="sr-only">unread</span>
                      </span>
                    ) : null}
                  </button>
                </li>
              ))}
            </ul>
          )}
          {notices.hasMore ? (
            <Button className="self-center" busy={notices.isFetchingMore} onClick={notices.more}>
              Show more
            </Button>
          ) : null}
        </div>
        <Mail />
      </div>
    </Screen>
  );
}

function Mail() {
  const at = "/mail-preference";
  const mail = useVersioned<MailPreference>(at, { parts: ["work"] });
  return (
    <Card title="By mail">
      <Reading of={mail} loading={<Loading lines={3} />}>
        {(found) => <MailForm key={found.etag} at={at} mail={found.value} etag={found.etag} onStale={() => void mail.refetch()} />}
      </Reading>
    </Card>
  );
}

function MailForm({ at, mail, etag, onStale }: { at: string; mail: MailPreference; etag: string | null; onStale: () => void }) {
  const [address, setAddress] = useState(mail.address ?? "");
  const [wanted, setWanted] = useState(!mail.opted_out);
  const save = useWrite((given: { address?: string; opted_out: boolean }) => api.patch<MailPreference>(at, given, { ifMatch: etag ?? `"${mail.version}"` }), {
    refresh: [at],
    onDone: (now) => toast(now.opted_out ? "No mail is sent to you." : "You get mail."),
  });
  const stale = save.error instanceof Problem && save.error.status === 412;
  useEffect(() => {
    if (stale) onStale();
  }, [stale]);
  const changed = wanted === mail.opted_out || address.trim() !== (mail.address ?? "");
  return (
    <form
      className="flex flex-col gap-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate({ opted_out: !wanted, ...(address.trim() === (mail.address ?? "") ? {} : { address: address.trim() }) });
      }}
    >
      <p className="text-[0.93rem] text-ink-2">
        {mail.sends_mail ? "A mail says that something waits, never a figure or a name." : "This server sends no mail; what you choose counts once it does."}
      </p>
      <Checkbox label="Send me mail" checked={wanted} onChange={(event) => setWanted(event.target.checked)} />
      <TextField label="Address" type="email" autoComplete="email" hint="Empty for the one that the company has of you." disabled={!wanted} value={address} onChange={(event) => setAddress(event.target.value)} />
      <FormProblem error={stale ? null : save.error} />
      <Button type="submit" className="self-start" busy={save.isPending} disabled={!changed}>
        Save
      </Button>
    </form>
  );
}
