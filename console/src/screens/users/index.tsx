// People who sign in: what they may do and whose pay is theirs. A link that signs somebody in is shown once.

import { useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { useMay } from "@/api/session";
import type { Items, SignInLink, User } from "@/api/types";
import { Badge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { type Column, DataTable } from "@/parts/DataTable";
import { Dialog } from "@/parts/Dialog";
import { CopyButton } from "@/parts/Digest";
import { Icon } from "@/parts/Icon";
import { Menu } from "@/parts/Menu";
import { Screen } from "@/parts/Screen";
import { Denied } from "@/parts/Shell";
import { toast, toastProblem } from "@/parts/Toast";
import { Empty, Reading } from "@/parts/states";
import { useUrlState } from "@/url";
import { ago, plain, showInstant } from "@/words";
import { UserForm } from "./UserForm";

export const USERS = "/users";

export default function Users() {
  return useMay()("manage-users") ? <UsersScreen /> : <Denied />;
}

function UsersScreen() {
  const users = useRead<Items<User>>(USERS, { parts: ["work"] });
  const [edited, setEdited] = useUrlState("user", true);
  const [adding, setAdding] = useState(false);
  const [linked, setLinked] = useState<{ user: User; link: SignInLink } | null>(null);
  const link = useWrite((user: User, options) => api.post<SignInLink>(path`/users/${user.user_id}/link`, undefined, options), {
    onDone: (made, user) => setLinked({ user, link: made }),
  });
  const makeLink = (user: User) => link.mutate(user, { onError: toastProblem });

  const columns: Column<User>[] = [
    {
      id: "name",
      header: "Name",
      value: (user) => user.name,
      cell: (user) => (
        <span className="flex min-w-36 flex-col leading-tight">
          <span className={`font-medium ${user.disabled ? "text-ink-3 line-through" : ""}`}>{user.name}</span>
          <span className="text-[0.83rem] text-ink-3">{user.login}</span>
        </span>
      ),
    },
    {
      id: "roles",
      header: "Roles",
      value: (user) => user.roles.join(" "),
      cell: (user) => (
        <span className="flex flex-wrap gap-1">
          {user.roles.map((role) => (
            <Badge key={role}>{plain(role)}</Badge>
          ))}
        </span>
      ),
    },
    { id: "payee", header: "Payee", value: (user) => user.payee_id },
    {
      id: "state",
      header: "Sign-in",
      value: (user) => (user.disabled ? "disabled" : user.has_password ? "password" : "link"),
      cell: (user) => (user.disabled ? <Badge tone="bad">disabled</Badge> : user.has_password ? "password" : <span className="text-ink-2">no password yet</span>),
    },
    {
      id: "created",
      header: "Added",
      value: (user) => user.created_at,
      cell: (user) => (
        <time dateTime={user.created_at} title={showInstant(user.created_at)} className="whitespace-nowrap">
          {ago(user.created_at)}
        </time>
      ),
    },
    {
      id: "acts",
      header: "Acts",
      sortable: false,
      align: "right",
      value: () => "",
      cell: (user) => (
        <Menu
          label={`Acts on ${user.name}`}
          trigger={
            <button type="button" aria-label={`Acts on ${user.name}`} className="inline-flex size-8 items-center justify-center rounded-control text-ink-2 hover:bg-sunken hover:text-ink">
              <Icon name="more" />
            </button>
          }
          items={[
            { label: "Edit", icon: "account", onSelect: () => setEdited(user.user_id) },
            { label: "Make a sign-in link", icon: "link", disabled: user.disabled, onSelect: () => makeLink(user) },
          ]}
        />
      ),
    },
  ];

  return (
    <Screen
      title="Users"
      lead="A role says what a person may do; whose pay she sees follows from the hierarchy."
      wide
      actions={
        <Button look="primary" icon="plus" onClick={() => setAdding(true)}>
          Add a user
        </Button>
      }
    >
      <Reading
        of={users}
        isEmpty={(found) => found.items.length === 0}
        empty={
          <Empty
            icon="users"
            title="Nobody can sign in yet"
            next="Add the first user and hand her a sign-in link."
            action={
              <Button look="primary" onClick={() => setAdding(true)}>
                Add a user
              </Button>
            }
          />
        }
      >
        {(found) => (
          <div className="card min-w-0 overflow-hidden">
            <DataTable label="Users" columns={columns} rows={found.items} rowKey={(user) => user.user_id} selected={edited ?? null} onRow={(user) => setEdited(user.user_id)} filterable />
          </div>
        )}
      </Reading>
      {adding ? (
        <UserForm
          onClose={() => setAdding(false)}
          onDone={(user) => {
            setAdding(false);
            toast(`${user.name} is added.`);
            makeLink(user);
          }}
        />
      ) : null}
      {edited ? (
        <UserForm
          key={edited}
          userId={edited}
          onClose={() => setEdited(undefined)}
          onDone={(user) => {
            setEdited(undefined);
            toast(`${user.name} is changed; her sessions ended.`);
          }}
          onLink={makeLink}
        />
      ) : null}
      <Link of={linked} onClose={() => setLinked(null)} />
    </Screen>
  );
}

function Link({ of: linked, onClose }: { of: { user: User; link: SignInLink } | null; onClose: () => void }) {
  return (
    <Dialog
      open={linked !== null}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      width="md"
      title={linked ? `A link for ${linked.user.name}` : ""}
      description="It signs her in once. Copy it now: it is not shown again, and the server keeps only its hash."
      footer={
        <>
          {linked ? (
            <CopyButton text={linked.link.url} look="primary">
              Copy the link
            </CopyButton>
          ) : null}
          <Button look="quiet" onClick={onClose}>
            Close
          </Button>
        </>
      }
    >
      {linked ? (
        <div className="flex flex-col gap-2">
          <p tabIndex={0} aria-label="Sign-in link" className="rounded-control bg-sunken px-3.5 py-2.5 font-mono text-[0.87rem] [overflow-wrap:anywhere] select-all">
            {linked.link.url}
          </p>
          <p className="text-[0.87rem] text-ink-3">It ends {ago(linked.link.expires_at)}. Hand it over by a way that only she reads.</p>
        </div>
      ) : null}
    </Dialog>
  );
}
