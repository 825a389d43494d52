// One's own password and API tokens.

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, path } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { SESSION, useSession } from "@/api/session";
import type { Action, Items, Session, Token } from "@/api/types";
import { Badge } from "@/parts/Badge";
import { Button } from "@/parts/Button";
import { Card } from "@/parts/Card";
import { ConfirmDialog, Dialog } from "@/parts/Dialog";
import { Checkbox, SelectField, TextField } from "@/parts/Field";
import { Screen } from "@/parts/Screen";
import { toast } from "@/parts/Toast";
import { Empty, FormProblem, Reading } from "@/parts/states";
import { ago, plain, showInstant } from "@/words";

const TOKENS = "/tokens";

export default function Account() {
  const session = useSession();
  return (
    <Screen title="Account" lead={`${session.name} · ${session.roles.map((role) => plain(role)).join(", ")}`}>
      <div className="grid gap-4 lg:grid-cols-[22rem_1fr]">
        <Card title="Password">
          <PasswordForm />
        </Card>
        <Tokens />
      </div>
    </Screen>
  );
}

function PasswordForm() {
  const client = useQueryClient();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== next;
  const change = useWrite((given: { current: string; new: string }) => api.put<Session | undefined>("/session/password", given), {
    onDone: (session) => {
      if (session) client.setQueryData([SESSION], session);
      setCurrent("");
      setNext("");
      setAgain("");
      toast("Your password is changed; all your other sessions ended.");
    },
  });
  return (
    <form
      className="flex flex-col gap-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        if (!differs) change.mutate({ current, new: next });
      }}
    >
      <TextField
        label="Current password"
        type="password"
        autoComplete="current-password"
        hint="Leave it empty if you never had one."
        value={current}
        onChange={(event) => setCurrent(event.target.value)}
      />
      <TextField label="New password" type="password" autoComplete="new-password" hint="At least 12 characters." minLength={12} required value={next} onChange={(event) => setNext(event.target.value)} />
      <TextField
        label="New password again"
        type="password"
        autoComplete="new-password"
        required
        error={differs ? "This is not the same password." : null}
        value={again}
        onChange={(event) => setAgain(event.target.value)}
      />
      <FormProblem error={change.error} />
      <Button type="submit" look="primary" busy={change.isPending} className="self-start">
        Change password
      </Button>
    </form>
  );
}

function Tokens() {
  const tokens = useRead<Items<Token>>(TOKENS, { parts: ["work"] });
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Token | null>(null);
  const [ending, setEnding] = useState<Token | null>(null);
  const revoke = useWrite((token: Token) => api.delete(path`/tokens/${token.token_id}`), {
    refresh: [TOKENS],
    onDone: () => {
      setEnding(null);
      toast("The token is revoked.");
    },
  });
  return (
    <Card
      title="API tokens"
      aside={
        <Button size="sm" icon="plus" onClick={() => setMaking(true)}>
          New token
        </Button>
      }
    >
      <p className="text-ink-2">
        For programs that act as you, with <code className="font-mono text-[0.9em]">authorization: Bearer att_…</code>. The interface is described at{" "}
        <a className="link" href="/api/docs">
          /api/docs
        </a>
        .
      </p>
      <Reading
        of={tokens}
        isEmpty={(data) => data.items.length === 0}
        empty={<Empty icon="link" title="No tokens" next="Make one for a program that reads or writes on your behalf." />}
      >
        {(data) => (
          <ul className="mt-2 divide-y divide-line">
            {data.items.map((token) => {
              const over = token.revoked_at !== null && token.revoked_at !== undefined;
              return (
                <li key={token.token_id} className="flex flex-wrap items-center gap-x-3 gap-y-1 py-2.5">
                  <div className="min-w-0 flex-1">
                    <p className="font-medium">
                      {token.name} {over ? <Badge>revoked</Badge> : null}
                    </p>
                    <p className="text-[0.87rem] text-ink-3">
                      {token.scopes.length === 0 ? "everything you may" : token.scopes.map((scope) => plain(scope)).join(", ")} · made {ago(token.created_at)} · ends{" "}
                      {showInstant(token.expires_at)}
                    </p>
                  </div>
                  {over ? null : (
                    <Button size="sm" look="danger" onClick={() => setEnding(token)} aria-label={`Revoke ${token.name}`}>
                      Revoke
                    </Button>
                  )}
                </li>
              );
            })}
          </ul>
        )}
      </Reading>
      {making ? (
        <NewTokenDialog
          onClose={() => setMaking(false)}
          onMade={(token) => {
            setMaking(false);
            setMade(token);
          }}
        />
      ) : null}
      <Dialog
        open={made !== null}
        onOpenChange={(open) => {
          if (!open) setMade(null);
        }}
        title="Your new token"
        description="Copy it now: it is shown this once and kept only as a hash."
        footer={
          <Button
            look="primary"
            onClick={() => {
              void navigator.clipboard?.writeText(made?.secret ?? "").then(() => toast("Copied."));
            }}
          >
            Copy
          </Button>
        }
      >
        <code className="block rounded-control bg-sunken px-3 py-2.5 font-mono break-all">{made?.secret}</code>
      </Dialog>
      <ConfirmDialog
        open={ending !== null}
        onOpenChange={(open) => {
          if (!open) setEnding(null);
        }}
        title={`Revoke ${ending?.name ?? ""}?`}
        description="Programs that use it are refused from now on. This cannot be taken back."
        act="Revoke"
        look="danger"
        busy={revoke.isPending}
        onConfirm={() => {
          if (ending) revoke.mutate(ending);
        }}
      >
        <FormProblem error={revoke.error} />
      </ConfirmDialog>
    </Card>
  );
}

function NewTokenDialog({ onClose, onMade }: { onClose: () => void; onMade: (token: Token) => void }) {
  const session = useSession();
  const [name, setName] = useState("");
  const [days, setDays] = useState("90");
  const [scopes, setScopes] = useState<Action[]>([]);
  const make = useWrite((given: { name: string; scopes: Action[]; days: number }, options) => api.post<Token>(TOKENS, given, options), {
    refresh: [TOKENS],
    onDone: onMade,
  });
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title="New token"
      description="It may never do more than you."
      act="Make token"
      busy={make.isPending}
      disabled={name.trim() === "" || scopes.length === 0}
      onConfirm={() => make.mutate({ name: name.trim(), scopes, days: Number(days) })}
    >
      <div className="flex flex-col gap-3.5">
        <TextField label="Name" hint="What the program is." required value={name} onChange={(event) => setName(event.target.value)} />
        <SelectField label="Ends after" value={days} onChange={(event) => setDays(event.target.value)}>
          {[7, 30, 90, 180, 365].map((each) => (
            <option key={each} value={each}>
              {each} days
            </option>
          ))}
        </SelectField>
        <fieldset>
          <legend className="pb-1.5 text-[0.87rem] font-medium text-ink-2">What it may do</legend>
          <div className="grid gap-1.5 sm:grid-cols-2">
            {session.actions.map((action) => (
              <Checkbox
                key={action}
                label={plain(action)}
                checked={scopes.includes(action)}
                onChange={(event) => setScopes(event.target.checked ? [...scopes, action] : scopes.filter((each) => each !== action))}
              />
            ))}
          </div>
        </fieldset>
        <FormProblem error={make.error} />
      </div>
    </ConfirmDialog>
  );
}
