// All addresses of the console. Each screen is loaded when it is first shown. To add one: a folder under screens/, a line here, and
// a line in parts/navigation.ts if people go there by name.

import { Navigate, createRootRoute, createRoute, createRouter, lazyRouteComponent, Outlet, useParams } from "@tanstack/react-router";
import { startOf, useSession } from "@/api/session";
import { ScreenError } from "@/parts/ErrorBoundary";
import { Shell } from "@/parts/Shell";
import { Empty, Loading } from "@/parts/states";
import { ButtonLink } from "@/parts/Button";
import { type Search, parseSearch, stringifySearch } from "@/url";

const asSearch = (search: Record<string, unknown>) => search as Search;

const root = createRootRoute({ component: Outlet, validateSearch: asSearch, notFoundComponent: NotFound });

const shell = createRoute({ getParentRoute: () => root, id: "shell", component: Shell, notFoundComponent: NotFound });

const open = [
  createRoute({ getParentRoute: () => root, path: "/sign-in", component: lazyRouteComponent(() => import("@/screens/sign-in")) }),
  createRoute({ getParentRoute: () => root, path: "/setup", component: lazyRouteComponent(() => import("@/screens/setup")) }),
] as const;

const behind = [
  createRoute({ getParentRoute: () => shell, path: "/", component: Start }),
  createRoute({ getParentRoute: () => shell, path: "/home", component: lazyRouteComponent(() => import("@/screens/home")) }),
  createRoute({ getParentRoute: () => shell, path: "/statements", component: lazyRouteComponent(() => import("@/screens/statements")) }),
  createRoute({ getParentRoute: () => shell, path: "/statements/$period", component: lazyRouteComponent(() => import("@/screens/statement")) }),
  createRoute({ getParentRoute: () => shell, path: "/what-if", component: lazyRouteComponent(() => import("@/screens/what-if")) }),
  createRoute({ getParentRoute: () => shell, path: "/team", component: lazyRouteComponent(() => import("@/screens/team")) }),
  createRoute({ getParentRoute: () => shell, path: "/questions", component: Moved }),
  createRoute({ getParentRoute: () => shell, path: "/questions/$id", component: Moved }),
  createRoute({ getParentRoute: () => shell, path: "/disputes", component: lazyRouteComponent(() => import("@/screens/disputes")) }),
  createRoute({ getParentRoute: () => shell, path: "/disputes/$id", component: lazyRouteComponent(() => import("@/screens/dispute")) }),
  createRoute({ getParentRoute: () => shell, path: "/notices", component: lazyRouteComponent(() => import("@/screens/notices")) }),
  createRoute({ getParentRoute: () => shell, path: "/periods", component: lazyRouteComponent(() => import("@/screens/periods")) }),
  createRoute({ getParentRoute: () => shell, path: "/periods/$id", component: lazyRouteComponent(() => import("@/screens/period")) }),
  createRoute({ getParentRoute: () => shell, path: "/payouts", component: lazyRouteComponent(() => import("@/screens/payouts")) }),
  createRoute({ getParentRoute: () => shell, path: "/payouts/$id", component: lazyRouteComponent(() => import("@/screens/payout")) }),
  createRoute({ getParentRoute: () => shell, path: "/adjustments", component: lazyRouteComponent(() => import("@/screens/adjustments")) }),
  createRoute({ getParentRoute: () => shell, path: "/my-plan", component: lazyRouteComponent(() => import("@/screens/my-plan")) }),
  createRoute({ getParentRoute: () => shell, path: "/plans", component: lazyRouteComponent(() => import("@/screens/plans")) }),
  createRoute({ getParentRoute: () => shell, path: "/plans/$id", component: lazyRouteComponent(() => import("@/screens/plans")) }),
  createRoute({ getParentRoute: () => shell, path: "/plan-documents", component: lazyRouteComponent(() => import("@/screens/plan-documents")) }),
  createRoute({ getParentRoute: () => shell, path: "/plan-documents/$id", component: lazyRouteComponent(() => import("@/screens/plan-document")) }),
  createRoute({ getParentRoute: () => shell, path: "/accounting", component: lazyRouteComponent(() => import("@/screens/accounting")) }),
  createRoute({ getParentRoute: () => shell, path: "/credit", component: lazyRouteComponent(() => import("@/screens/credit")) }),
  createRoute({ getParentRoute: () => shell, path: "/policy", component: lazyRouteComponent(() => import("@/screens/policy")) }),
  createRoute({ getParentRoute: () => shell, path: "/delegations", component: lazyRouteComponent(() => import("@/screens/delegations")) }),
  createRoute({ getParentRoute: () => shell, path: "/webhooks", component: lazyRouteComponent(() => import("@/screens/webhooks")) }),
  createRoute({ getParentRoute: () => shell, path: "/formulas", component: lazyRouteComponent(() => import("@/screens/formulas")) }),
  createRoute({ getParentRoute: () => shell, path: "/formulas/$name", component: lazyRouteComponent(() => import("@/screens/formula")) }),
  createRoute({ getParentRoute: () => shell, path: "/changes", component: lazyRouteComponent(() => import("@/screens/changes")) }),
  createRoute({ getParentRoute: () => shell, path: "/changes/$id", component: lazyRouteComponent(() => import("@/screens/changes")) }),
  createRoute({ getParentRoute: () => shell, path: "/runs", component: lazyRouteComponent(() => import("@/screens/runs")) }),
  createRoute({ getParentRoute: () => shell, path: "/runs/$id", component: lazyRouteComponent(() => import("@/screens/run")) }),
  createRoute({ getParentRoute: () => shell, path: "/extensions", component: lazyRouteComponent(() => import("@/screens/extensions")) }),
  createRoute({ getParentRoute: () => shell, path: "/data", component: lazyRouteComponent(() => import("@/screens/data")) }),
  createRoute({ getParentRoute: () => shell, path: "/imports", component: lazyRouteComponent(() => import("@/screens/imports")) }),
  createRoute({ getParentRoute: () => shell, path: "/audit", component: lazyRouteComponent(() => import("@/screens/audit")) }),
  createRoute({ getParentRoute: () => shell, path: "/schedules", component: lazyRouteComponent(() => import("@/screens/schedules")) }),
  createRoute({ getParentRoute: () => shell, path: "/users", component: lazyRouteComponent(() => import("@/screens/users")) }),
  createRoute({ getParentRoute: () => shell, path: "/account", component: lazyRouteComponent(() => import("@/screens/account")) }),
] as const;

const tree = root.addChildren([...open, shell.addChildren([...behind])]);

export function newRouter() {
  return createRouter({
    routeTree: tree,
    parseSearch,
    stringifySearch,
    defaultPreload: "intent",
    defaultPendingComponent: Pending,
    defaultErrorComponent: ScreenError,
    scrollRestoration: true,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof newRouter>;
  }
}

function Start() {
  return <Navigate to={startOf(useSession())} replace />;
}

/** Questions have the addresses of disputes; old links lead there. */
function Moved() {
  const { id } = useParams({ strict: false }) as { id?: string };
  return id ? <Navigate to="/disputes/$id" params={{ id }} replace /> : <Navigate to="/disputes" replace />;
}

function Pending() {
  return (
    <div className="mx-auto w-full max-w-6xl px-4 pt-6 sm:px-6">
      <Loading />
    </div>
  );
}

function NotFound() {
  return (
    <Empty
      title="There is no such screen"
      next="The address may be mistyped, or the screen has another name now."
      action={
        <ButtonLink look="primary" to="/">
          Go to the start
        </ButtonLink>
      }
    />
  );
}
