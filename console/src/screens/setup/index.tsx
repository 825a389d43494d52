// The first user of a new server, by the one-time link that the server printed.

import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api } from "@/api/client";
import { useWrite } from "@/api/read";
import { startOf, useSignedIn } from "@/api/session";
import type { Session } from "@/api/types";
import { Button } from "@/parts/Button";
import { TextField } from "@/parts/Field";
import { Front, takeToken } from "@/parts/Front";
import { FormProblem } from "@/parts/states";

// React's strict mode builds a component twice in development; the token leaves the address at the first.
let taken: string | null = null;

export default function Setup() {
  const navigate = useNavigate();
  const signedIn = useSignedIn();
  const [token] = useState(() => {
    taken = takeToken() ?? taken;
    return taken;
  });
  const [name, setName] = useState("");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== password;
  const setUp = useWrite((given: { token: string; login: string; name: string; password: string }) => api.post<Session>("/setup", given), {
    onDone: (session) => {
      taken = null;
      signedIn(session);
      void navigate({ to: startOf(session), replace: true });
    },
  });
  if (!token)
    return (
      <Front title="Set-up link needed">
        <p>
          This page works with the link that the server prints at its first start: open it whole, with everything after <code className="font-mono">#</code>.
        </p>
        <a className="link" href="/sign-in">
          Sign in instead
        </a>
      </Front>
    );
  return (
    <Front title="Set up this server">
      <p className="text-ink-2">You become the first user and may add all others.</p>
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          if (!differs) setUp.mutate({ token, login: login.trim(), name: name.trim(), password });
        }}
      >
        <TextField label="Your name" name="name" autoComplete="name" required autoFocus value={name} onChange={(event) => setName(event.target.value)} />
        <TextField label="Login" name="login" autoComplete="username" required value={login} onChange={(event) => setLogin(event.target.value)} />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          hint="At least 12 characters."
          minLength={12}
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <TextField
          label="Password again"
          name="again"
          type="password"
          autoComplete="new-password"
          required
          error={differs ? "This is not the same password." : null}
          value={again}
          onChange={(event) => setAgain(event.target.value)}
        />
        <FormProblem error={setUp.error} />
        <Button type="submit" look="primary" busy={setUp.isPending} className="mt-1">
          Set up
        </Button>
      </form>
    </Front>
  );
}
