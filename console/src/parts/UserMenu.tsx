// Behind the person's initials: theme, account, sign out.

import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { api } from "@/api/client";
import { SESSION, useSession } from "@/api/session";
import { plain } from "@/words";
import { Menu } from "./Menu";
import { setTheme, useTheme } from "./Theme";
import { toastProblem } from "./Toast";

export default function UserMenu() {
  const session = useSession();
  const theme = useTheme();
  const navigate = useNavigate();
  const client = useQueryClient();
  const signOut = async () => {
    try {
      await api.delete(SESSION);
      client.clear();
      client.setQueryData([SESSION], null);
      await navigate({ to: "/sign-in" });
    } catch (error) {
      toastProblem(error);
    }
  };
  return (
    <Menu
      label="You"
      trigger={
        <button
          type="button"
          title={session.name}
          className="inline-flex size-9 items-center justify-center rounded-full bg-accent-soft text-[0.83rem] font-semibold text-accent"
        >
          <span aria-hidden="true">{initials(session.name)}</span>
          <span className="sr-only">{session.name}: account menu</span>
        </button>
      }
      items={[
        {
          kind: "heading",
          label: (
            <span className="flex flex-col">
              <span className="font-semibold text-ink">{session.name}</span>
              <span>{session.roles.map((role) => plain(role)).join(", ")}</span>
            </span>
          ),
        },
        { kind: "line" },
        { kind: "choice", label: "Light", icon: "sun", checked: theme === "light", onSelect: () => setTheme("light") },
        { kind: "choice", label: "Dark", icon: "moon", checked: theme === "dark", onSelect: () => setTheme("dark") },
        { kind: "choice", label: "As the system", icon: "screen", checked: theme === "system", onSelect: () => setTheme("system") },
        { kind: "line" },
        { label: "Account and tokens", icon: "account", onSelect: () => void navigate({ to: "/account" }) },
        { label: "Sign out", icon: "out", onSelect: () => void signOut() },
      ]}
    />
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  return ((words[0]?.[0] ?? "") + (words.length > 1 ? (words.at(-1)?.[0] ?? "") : "")).toUpperCase() || "?";
}
