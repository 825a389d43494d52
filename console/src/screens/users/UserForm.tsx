// Adding a user, or changing one. When somebody else changed her meanwhile, nothing is overwritten: the form says so and shows her as
// she is now.

import { useState } from "react";
import { api, path } from "@/api/client";
import { Problem } from "@/api/problem";
import { useVersioned, useWrite } from "@/api/read";
import { useSession } from "@/api/session";
import type { Role, User } from "@/api/types";
import { Button } from "@/parts/Button";
import { Checkbox, TextField } from "@/parts/Field";
import { Dialog } from "@/parts/Dialog";
import { FormProblem, Reading } from "@/parts/states";
import { plain } from "@/words";

const ROLES: { role: Role; may: string }[] = [
  { role: "seller", may: "sees her own pay and asks about it" },
  { role: "manager", may: "sees the pay of those who report to her" },
  { role: "comp-admin", may: "keeps data, plans and formulas; drafts and approves changes" },
  { role: "finance", may: "sees all pay, approves changes, calculates" },
  { role: "auditor", may: "sees everything, changes nothing" },
  { role: "platform", may: "runs the server: users, extensions, jobs; sees no pay" },
];

interface Values {
  login: string;
  name: string;
  payee_id: string;
  roles: Role[];
  disabled: boolean;
}

interface Given {
  onClose: () => void;
  onDone: (user: User) => void;
}

export function UserForm({ userId, onLink, ...given }: Given & { userId?: string; onLink?: (user: User) => void }) {
  return userId ? <Known userId={userId} onLink={onLink} {...given} /> : <New {...given} />;
}

function New({ onClose, onDone }: Given) {
  const add = useWrite(
    (values: Values, options) =>
      api.post<User>("/users", { login: values.login.trim(), name: values.name.trim(), roles: values.roles, ...(values.payee_id.trim() ? { payee_id: values.payee_id.trim() } : {}) }, options),
    { refresh: ["/users"], onDone },
  );
  return (
    <Framed title="Add a user" description="She signs in by a link at first, which you get next." onClose={onClose}>
      <Fields first={{ login: "", name: "", payee_id: "", roles: ["seller"], disabled: false }} isNew act="Add" busy={add.isPending} error={add.error} onSend={(values) => add.mutate(values)} onClose={onClose} />
    </Framed>
  );
}

function Known({ userId, onClose, onDone, onLink }: Given & { userId: string; onLink?: (user: User) => void }) {
  const at = path`/users/${userId}`;
  const user = useVersioned<User>(at, { parts: [] });
  const change = useWrite(
    ({ values, etag }: { values: Values; etag: string }) =>
      api.patch<User>(at, { name: values.name.trim(), payee_id: values.payee_id.trim(), roles: values.roles, disabled: values.disabled }, { ifMatch: etag }),
    { refresh: ["/users", at], onDone },
  );
  const isStale = change.error instanceof Problem && change.error.status === 412;
  return (
    <Framed title={user.data ? user.data.value.name : "User"} description={user.data?.value.login} onClose={onClose}>
      <Reading of={user}>
        {(found) => (
          <>
            {isStale ? (
              <div role="alert" className="mb-4 flex flex-wrap items-center gap-3 rounded-control border border-warn/50 bg-warn-soft px-3.5 py-2.5">
                <p className="min-w-0 flex-1">Somebody changed this user meanwhile, so nothing was saved. Look at her as she is now, then change her again.</p>
                <Button
                  size="sm"
                  onClick={() => {
                    change.reset();
                    void user.refetch();
                  }}
                >
                  Show her as she is now
                </Button>
              </div>
            ) : null}
            <Fields
              key={found.etag}
              first={{ login: found.value.login, name: found.value.name, payee_id: found.value.payee_id ?? "", roles: found.value.roles, disabled: found.value.disabled }}
              isSelf={found.value.user_id}
              act="Save"
              busy={change.isPending}
              error={isStale ? null : change.error}
              onSend={(values) => change.mutate({ values, etag: found.etag ?? `"${found.value.version}"` })}
              onClose={onClose}
              extra={
                onLink && !found.value.disabled ? (
                  <Button icon="link" className="mr-auto" onClick={() => onLink(found.value)}>
                    Make a sign-in link
                  </Button>
                ) : null
              }
            />
          </>
        )}
      </Reading>
    </Framed>
  );
}

function Framed({ title, description, onClose, children }: { title: string; description?: string; onClose: () => void; children: React.ReactNode }) {
  return (
    <Dialog
      open
      width="md"
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={title}
      description={description}
    >
      {children}
    </Dialog>
  );
}

function Fields({
  first,
  isNew = false,
  isSelf,
  act,
  busy,
  error,
  extra,
  onSend,
  onClose,
}: {
  first: Values;
  isNew?: boolean;
  /** Whose form it is, to keep people from shutting themselves out. */
  isSelf?: string;
  act: string;
  busy: boolean;
  error: unknown;
  extra?: React.ReactNode;
  onSend: (values: Values) => void;
  onClose: () => void;
}) {
  const session = useSession();
  const own = isSelf === session.user_id;
  const [values, setValues] = useState(first);
  const set = <K extends keyof Values>(name: K, value: Values[K]) => setValues((before) => ({ ...before, [name]: value }));
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        onSend(values);
      }}
    >
      <div className="grid gap-3 sm:grid-cols-2">
        {isNew ? <TextField label="Login" required autoComplete="off" maxLength={200} value={values.login} onChange={(event) => set("login", event.target.value)} /> : null}
        <TextField label="Name" required autoComplete="off" maxLength={200} value={values.name} onChange={(event) => set("name", event.target.value)} />
        <TextField
          label="Payee"
          hint="Her id as a payee, such as E1003; empty where she is paid by no plan."
          autoComplete="off"
          spellCheck={false}
          maxLength={100}
          value={values.payee_id}
          onChange={(event) => set("payee_id", event.target.value)}
        />
      </div>
      <fieldset className="flex flex-col gap-2">
        <legend className="mb-1.5 text-[0.87rem] font-medium text-ink-2">Roles</legend>
        {ROLES.map(({ role, may }) => (
          <Checkbox
            key={role}
            checked={values.roles.includes(role)}
            disabled={own && role === "platform"}
            onChange={(event) => set("roles", event.target.checked ? [...values.roles, role] : values.roles.filter((one) => one !== role))}
            label={
              <>
                <span className="font-medium">{plain(role, true)}</span> <span className="text-ink-3">{may}</span>
              </>
            }
          />
        ))}
      </fieldset>
      {isNew ? null : (
        <Checkbox
          checked={values.disabled}
          disabled={own}
          onChange={(event) => set("disabled", event.target.checked)}
          label={
            <>
              <span className="font-medium">Disabled</span> <span className="text-ink-3">{own ? "not yourself" : "she cannot sign in; her sessions and tokens end"}</span>
            </>
          }
        />
      )}
      <FormProblem error={error} />
      <div className="flex flex-wrap items-center justify-end gap-2 border-t border-line pt-3">
        {extra}
        <Button look="quiet" onClick={onClose}>
          Cancel
        </Button>
        <Button type="submit" look="primary" busy={busy} disabled={values.roles.length === 0}>
          {act}
        </Button>
      </div>
    </form>
  );
}
