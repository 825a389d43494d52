// How much one was told and has not read; it counts by itself when the server tells of new work.

import { Link } from "@tanstack/react-router";
import { useRead } from "@/api/read";
import type { NoticeCount } from "@/api/work";
import { Icon } from "./Icon";

const SHOWN_MAX = 99;

export function Bell() {
  const count = useRead<NoticeCount>("/notices/count", { parts: ["work"] });
  const unread = count.data?.unread ?? 0;
  const label = unread === 0 ? "Notices: nothing new" : `Notices: ${unread} unread`;
  return (
    <Link
      to="/notices"
      aria-label={label}
      title={label}
      className="relative inline-flex size-9 shrink-0 items-center justify-center rounded-control text-ink-2 transition-colors hover:bg-sunken hover:text-ink"
      activeProps={{ "aria-current": "page" }}
    >
      <Icon name="bell" />
      {unread > 0 ? (
        <span aria-hidden="true" className="num absolute top-0 right-0 min-w-4.5 rounded-full bg-accent px-1 text-center text-[0.7rem] leading-[1.1rem] font-semibold text-on-accent">
          {unread > SHOWN_MAX ? `${SHOWN_MAX}+` : unread}
        </span>
      ) : null}
    </Link>
  );
}
