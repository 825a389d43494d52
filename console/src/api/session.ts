// Who is signed in, and what she may do.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, useContext } from "react";
import { api } from "./client";
import { Problem } from "./problem";
import type { Action, Period, Session } from "./types";

export const SESSION = "/session";

/** The session, or null where nobody is signed in. */
export function useSessionQuery() {
  return useQuery<Session | null>({
    queryKey: [SESSION],
    queryFn: async ({ signal }) => {
      try {
        return await api.get<Session>(SESSION, { signal });
      } catch (error) {
        if (error instanceof Problem && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: Number.POSITIVE_INFINITY,
    meta: { parts: ["company", "runs"] },
  });
}

export const SessionContext = createContext<Session | null>(null);

/** Only under the shell, where somebody is signed in. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) throw new Error("a screen of the shell was shown without a session");
  return session;
}

export function useMay(): (...actions: Action[]) => boolean {
  const session = useSession();
  return (...actions) => actions.some((action) => session.actions.includes(action));
}

export function useCurrency(): string | null {
  return useSession().company?.currency ?? null;
}

export function periodOf(session: Session, periodId: string | null | undefined): Period | undefined {
  return session.periods.find((period) => period.period_id === periodId);
}

/** Where a person starts: her own pay, her team, or the runs. */
export function startOf(session: Session): "/home" | "/team" | "/runs" | "/users" {
  if (session.roles.includes("manager")) return "/team";
  if (session.payee_id && session.actions.includes("see-own-pay")) return "/home";
  if (session.actions.includes("see-runs")) return "/runs";
  return session.actions.includes("manage-users") ? "/users" : "/home";
}

export function useSignedIn(): (session: Session) => void {
  const client = useQueryClient();
  return (session) => {
    client.clear();
    client.setQueryData([SESSION], session);
  };
}
