// The names of users, as far as the person who is signed in may know of them. Some answers of the server name a user by id alone.

import { createContext, useContext, useMemo } from "react";
import { useRead } from "@/api/read";
import { useMay, useSession } from "@/api/session";
import type { AuditEntry, Change, Items, User } from "@/api/types";

export interface Known {
  user_id: string;
  name: string;
}

/** Users whom one knows of: all where one manages them, else those who left a trace that one may see. */
export function useKnownUsers(): Known[] {
  const session = useSession();
  const may = useMay();
  const users = useRead<Items<User>>("/users", { parts: [], enabled: may("manage-users") });
  const changes = useRead<Items<Change>>("/changes", { query: { limit: 200 }, parts: ["work"], enabled: may("see-rules", "draft-changes", "approve-changes") });
  const trail = useRead<Items<AuditEntry>>("/audit", { query: { limit: 200 }, parts: ["work", "company", "runs"], enabled: may("see-audit"), keep: true });
  return useMemo(() => {
    const known = new Map<string, string>([[session.user_id, session.name]]);
    for (const entry of trail.data?.items ?? []) if (entry.actor_name && entry.actor_name !== entry.actor) known.set(entry.actor, entry.actor_name);
    for (const change of changes.data?.items ?? []) known.set(change.author, change.author_name);
    for (const user of users.data?.items ?? []) if (!user.disabled) known.set(user.user_id, user.name);
    return [...known].map(([user_id, name]) => ({ user_id, name })).sort((a, b) => a.name.localeCompare(b.name));
  }, [session, users.data, changes.data, trail.data]);
}

const KnownContext = createContext<Known[] | null>(null);

/** Reads the names once for all parts of a screen. */
export function Names({ children }: { children: React.ReactNode }) {
  return <KnownContext value={useKnownUsers()}>{children}</KnownContext>;
}

export function useNames(): { known: Known[]; nameOf: (userId: string | null | undefined) => string } {
  const session = useSession();
  const known = useContext(KnownContext);
  return useMemo(() => {
    const names = new Map((known ?? []).map((one) => [one.user_id, one.name]));
    return {
      known: known ?? [],
      nameOf: (userId) => (!userId ? "–" : userId === session.user_id ? "you" : (names.get(userId) ?? userId)),
    };
  }, [known, session.user_id]);
}
