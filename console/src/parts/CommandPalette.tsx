// Ctrl-K: every screen, person and period by its name.

import { useLocation, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { useMay, useSession } from "@/api/session";
import { useChangeSearch, usePeriod } from "@/url";
import { showPeriod } from "@/words";
import { Finder, type Found } from "./Finder";
import { placesFor } from "./navigation";
import { usePeople } from "./People";

const PERIODS_SHOWN_MAX = 8;

/** Screens that show one period. */
const WITH_PERIOD = ["/home", "/team", "/what-if"];

export default function CommandPalette({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const session = useSession();
  const may = useMay();
  const period = usePeriod();
  const navigate = useNavigate();
  const change = useChangeSearch();
  const [asked, setAsked] = useState("");
  const location = useLocation();
  const text = asked.trim().toLowerCase();
  /** The shown screen in that period, or where one's pay is where the screen knows no periods. */
  const goToPeriod = (next: string) => {
    if (location.pathname.startsWith("/statements/")) void navigate({ to: "/statements/$period", params: { period: next }, search: ((before: object) => before) as never });
    else if (WITH_PERIOD.includes(location.pathname)) change({ period: next }, true);
    else void navigate({ to: session.payee_id ? "/home" : "/team", search: { period: next } as never });
  };
  const others = may("see-team-pay", "see-all-pay");
  const { people } = usePeople(asked, period, open && others && text !== "");
  const found: Found[] = placesFor(session)
    .filter((place) => place.label.toLowerCase().includes(text))
    .map((place) => ({
      id: place.to,
      group: "Screens",
      label: place.label,
      icon: place.icon,
      onChoose: () => void navigate({ to: place.to, search: (period ? { period } : {}) as never }),
    }));
  if ("account password tokens".includes(text) && text !== "")
    found.push({ id: "/account", group: "Screens", label: "Account", icon: "account", onChoose: () => void navigate({ to: "/account" }) });
  if ("notices told inbox".includes(text) && text !== "")
    found.push({ id: "/notices", group: "Screens", label: "Notices", icon: "bell", onChoose: () => void navigate({ to: "/notices" }) });
  if (text !== "") {
    for (const payee of people)
      found.push({
        id: payee.payee_id,
        group: "People",
        label: payee.name,
        detail: payee.title ?? undefined,
        icon: "users",
        onChoose: () =>
          void navigate({
            to: "/statements/$period",
            params: { period: period ?? session.current_period ?? "" },
            search: { payee: payee.payee_id } as never,
          }),
      });
    for (const one of session.periods
      .filter((each) => each.period_id.includes(text) || showPeriod(each.period_id).toLowerCase().includes(text))
      .slice(0, PERIODS_SHOWN_MAX))
      found.push({
        id: `period-${one.period_id}`,
        group: "Periods",
        label: showPeriod(one.period_id),
        detail: one.state,
        icon: "schedule",
        onChoose: () => goToPeriod(one.period_id),
      });
  }
  return (
    <Finder
      open={open}
      onOpenChange={onOpenChange}
      title="Go to"
      placeholder={others ? "Go to a screen, a person, a period" : "Go to a screen or a period"}
      asked={asked}
      onAsk={setAsked}
      found={found}
      nothing="Nothing by that name."
    />
  );
}
