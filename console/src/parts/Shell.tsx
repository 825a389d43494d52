// The frame around all screens of somebody who is signed in: navigation by what she may do, palette, theme, live connection.

import { useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import { Suspense, lazy, useEffect, useLayoutEffect, useState } from "react";
import { live, useConnection } from "@/api/live";
import { SessionContext, useSession, useSessionQuery } from "@/api/session";
import type { Session } from "@/api/types";
import { useAllSearch } from "@/url";
import { Bell } from "./Bell";
import { Button, IconButton } from "./Button";
import { Icon, Logo } from "./Icon";
import { type Place, placesFor } from "./navigation";
import { Failed, Loading } from "./states";

const CommandPalette = lazy(() => import("./CommandPalette"));
const UserMenu = lazy(() => import("./UserMenu"));

/** Places on the phone's bottom bar beside “More”. */
const BAR_MAX = 4;

export function Shell() {
  const session = useSessionQuery();
  if (session.isPending) {
    return (
      <div className="p-8">
        <Loading label="Signing in" />
      </div>
    );
  }
  if (session.data === null) return <ToSignIn />;
  if (!session.data) {
    return (
      <div className="p-8">
        <Failed error={session.error} retry={() => void session.refetch()} />
      </div>
    );
  }
  return (
    <SessionContext value={session.data}>
      <Frame session={session.data} />
    </SessionContext>
  );
}

/** Goes to the sign-in once, with the address to come back to; the address changes while it is on its way. */
function ToSignIn() {
  const navigate = useNavigate();
  const [wanted] = useState(useLocation().href);
  useEffect(() => {
    void navigate({ to: "/sign-in", search: { next: wanted === "/" ? undefined : wanted } as never, replace: true });
  }, [navigate, wanted]);
  return null;
}

function Frame({ session }: { session: Session }) {
  const client = useQueryClient();
  const [palette, setPalette] = useState(false);
  const [more, setMore] = useState(false);
  const location = useLocation();
  const places = placesFor(session);
  const userId = session.user_id;
  // The stream belongs to the person who is signed in; it begins at the versions of her session.
  useEffect(() => live.start(client, session.versions), [client, userId]);
  useEffect(() => setMore(false), [location.pathname]);
  // Before anything is painted: who sees the shell can use its keys.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setPalette((open) => !open);
      }
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return (
    <div className="flex min-h-dvh flex-col md:flex-row">
      <a
        href="#content"
        className="sr-only rounded-control bg-accent px-3 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
        style={{ zIndex: "var(--z-toast)" }}
      >
        Skip to content
      </a>
      <aside
        className="sticky top-0 hidden h-dvh w-56 shrink-0 flex-col border-r border-line bg-surface md:flex"
        style={{ zIndex: "var(--z-bar)" }}
      >
        <div className="flex items-center gap-2.5 px-4 pt-4 pb-3">
          <Logo />
          <div className="min-w-0 flex-1">
            <p className="leading-tight font-semibold">Attain</p>
            <p className="truncate text-[0.8rem] text-ink-3" title={session.company?.name}>
              {session.company?.name ?? "no company yet"}
            </p>
          </div>
          <Bell />
        </div>
        <div className="px-3 pb-2">
          <button
            type="button"
            onClick={() => setPalette(true)}
            className="flex h-9 w-full items-center gap-2 rounded-control border border-line bg-canvas px-2.5 text-ink-3 hover:border-line-strong"
          >
            <Icon name="search" size={16} />
            <span className="flex-1 text-left">Go to…</span>
            <kbd className="rounded border border-line bg-surface px-1.5 text-[0.73rem]">Ctrl K</kbd>
          </button>
        </div>
        <nav aria-label="Screens" className="flex-1 overflow-y-auto px-3 pb-3">
          <Groups places={places} />
        </nav>
        <div className="flex items-center gap-2.5 border-t border-line px-4 py-2.5">
          <Suspense fallback={<span className="size-9" />}>
            <UserMenu />
          </Suspense>
          <div className="min-w-0 flex-1">
            <p className="truncate text-[0.87rem] font-medium">{session.name}</p>
            <ConnectionDot />
          </div>
        </div>
      </aside>
      <header
        className="sticky top-0 flex h-13 items-center gap-2.5 border-b border-line bg-surface px-4 md:hidden"
        style={{ zIndex: "var(--z-bar)" }}
      >
        <Logo size={24} />
        <span className="min-w-0 flex-1 truncate font-semibold">{session.company?.name ?? "Attain"}</span>
        <ConnectionDot quiet />
        <Bell />
        <IconButton icon="search" label="Go to" onClick={() => setPalette(true)} />
        <Suspense fallback={<span className="size-9" />}>
          <UserMenu />
        </Suspense>
      </header>
      <main id="content" tabIndex={-1} className="min-w-0 flex-1 pb-16 outline-none md:pb-0">
        <Outlet />
      </main>
      <BottomBar places={places} more={more} onMore={setMore} />
      {palette ? (
        <Suspense fallback={null}>
          <CommandPalette open onOpenChange={setPalette} />
        </Suspense>
      ) : null}
    </div>
  );
}

/** What a person chose stays when she goes to another screen: the period and whose figures. */
function useCarried(): { period?: string; payee?: string } {
  const { period, payee } = useAllSearch();
  const location = useLocation();
  const inPath = /^\/statements\/([^/]+)/.exec(location.pathname)?.[1];
  const chosen = period ?? (inPath ? decodeURIComponent(inPath) : undefined);
  return { ...(chosen ? { period: chosen } : {}), ...(payee ? { payee } : {}) };
}

function PlaceLink({ place, className, activeClassName }: { place: Place; className: string; activeClassName: string }) {
  const carried = useCarried();
  const search = place.group === "Pay" ? carried : {};
  return (
    <Link
      to={place.to}
      search={search as never}
      className={className}
      activeOptions={{ includeSearch: false }}
      activeProps={{ className: activeClassName, "aria-current": "page" }}
    >
      <Icon name={place.icon} />
      <span className="truncate">{place.label}</span>
    </Link>
  );
}

function Groups({ places }: { places: Place[] }) {
  const groups = [...new Set(places.map((place) => place.group))];
  return (
    <>
      {groups.map((group) => (
        <section key={group} aria-label={group} className="pt-3">
          {groups.length > 1 ? <p className="px-2.5 pb-1 text-[0.78rem] text-ink-3">{group}</p> : null}
          <ul className="flex flex-col gap-0.5">
            {places
              .filter((place) => place.group === group)
              .map((place) => (
                <li key={place.to}>
                  <PlaceLink
                    place={place}
                    className="flex min-h-9 items-center gap-2.5 rounded-control px-2.5 font-medium text-ink-2 transition-colors hover:bg-sunken hover:text-ink"
                    activeClassName="!bg-accent-soft !text-accent"
                  />
                </li>
              ))}
          </ul>
        </section>
      ))}
    </>
  );
}

function BottomBar({ places, more, onMore }: { places: Place[]; more: boolean; onMore: (open: boolean) => void }) {
  const fits = places.length <= BAR_MAX + 1;
  const onBar = fits ? places : places.slice(0, BAR_MAX);
  const item = "flex min-h-14 flex-1 flex-col items-center justify-center gap-0.5 px-1 text-[0.72rem] font-medium text-ink-2";
  return (
    <>
      {more ? (
        <div className="fixed inset-x-0 top-13 bottom-14 overflow-y-auto bg-surface px-4 pb-6 fade-in md:hidden" style={{ zIndex: "var(--z-bar)" }}>
          <nav aria-label="All screens">
            <Groups places={places} />
          </nav>
        </div>
      ) : null}
      <nav
        aria-label="Main screens"
        className="fixed inset-x-0 bottom-0 flex border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
        style={{ zIndex: "var(--z-bar)" }}
      >
        {onBar.map((place) => (
          <PlaceLink key={place.to} place={place} className={item} activeClassName="!text-accent" />
        ))}
        {fits ? null : (
          <button type="button" className={item} aria-expanded={more} onClick={() => onMore(!more)}>
            <Icon name={more ? "close" : "menu"} />
            More
          </button>
        )}
      </nav>
    </>
  );
}

const CONNECTIONS = {
  live: { look: "bg-accent", text: "live" },
  connecting: { look: "bg-(--mark-quiet)", text: "connecting" },
  away: { look: "bg-(--warn)", text: "reconnecting" },
} as const;

function ConnectionDot({ quiet = false }: { quiet?: boolean }) {
  const { look, text } = CONNECTIONS[useConnection()];
  return (
    <span className="inline-flex items-center gap-1.5 text-[0.78rem] text-ink-3" title={`updates: ${text}`}>
      <span className={`size-2 rounded-full ${look}`} aria-hidden="true" />
      <span className={quiet ? "sr-only" : ""}>{text}</span>
    </span>
  );
}

/** A screen that somebody may not see says so in her words, before it asks the server. */
export function Denied() {
  const session = useSession();
  return (
    <div className="mx-auto w-full max-w-xl p-8">
      <h1 className="text-xl font-semibold">This screen is not for you</h1>
      <p className="mt-1 text-ink-2">
        You are signed in as {session.name}. Ask the person who manages users in your company for the role that this screen needs.
      </p>
      <Button className="mt-4" onClick={() => window.history.back()}>
        Go back
      </Button>
    </div>
  );
}
