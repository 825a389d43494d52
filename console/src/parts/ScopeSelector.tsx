// Whose figures a screen shows: mine, my team's, or one person's among those I may see. The choice lives in the address.

import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMay, useSession } from "@/api/session";
import { useChangeSearch, usePayeeId, usePeriod } from "@/url";
import { buttonLook } from "./Button";
import { Finder, type Found } from "./Finder";
import { Icon } from "./Icon";
import { usePayeeName, usePeople } from "./People";

export function ScopeSelector({ onChange, team = true }: { onChange?: (payeeId: string) => void; team?: boolean }) {
  const session = useSession();
  const may = useMay();
  const navigate = useNavigate();
  const change = useChangeSearch();
  const period = usePeriod();
  const payeeId = usePayeeId();
  const [open, setOpen] = useState(false);
  const [asked, setAsked] = useState("");
  const others = may("see-team-pay", "see-all-pay");
  const { people, isPending } = usePeople(asked, period, others && open);
  const name = usePayeeName(others && payeeId !== session.payee_id ? payeeId : null, period);
  if (!others) return null;
  const choose = onChange ?? ((payee: string) => change({ payee: payee === session.payee_id ? undefined : payee }, true));
  const found: Found[] = [];
  if (asked.trim() === "") {
    if (session.payee_id)
      found.push({ id: "me", group: "Scope", label: "My own pay", icon: "account", onChoose: () => choose(session.payee_id as string) });
    if (team && may("see-team-pay"))
      found.push({ id: "team", group: "Scope", label: "My team", icon: "team", onChoose: () => void navigate({ to: "/team" }) });
  }
  for (const payee of people) {
    if (payee.payee_id === session.payee_id) continue;
    found.push({
      id: payee.payee_id,
      group: "People",
      label: payee.name,
      detail: payee.title ?? undefined,
      icon: "users",
      onChoose: () => choose(payee.payee_id),
    });
  }
  const shown = payeeId === null ? "Choose a person" : payeeId === session.payee_id ? "Me" : (name ?? payeeId);
  return (
    <>
      <button type="button" className={buttonLook("plain")} aria-haspopup="dialog" onClick={() => setOpen(true)}>
        <Icon name="users" size={16} className="text-ink-3" />
        <span className="sr-only">Shown for: </span>
        <span className="max-w-44 truncate">{shown}</span>
        <Icon name="down" size={14} className="text-ink-3" />
      </button>
      <Finder
        open={open}
        onOpenChange={(now) => {
          setOpen(now);
          setAsked("");
        }}
        title="Whose figures?"
        placeholder="Find a person by name or id"
        asked={asked}
        onAsk={setAsked}
        found={found}
        nothing={isPending ? "Looking…" : "Nobody by that name whom you may see."}
      />
    </>
  );
}
