// Signing in: by password, by a link with a one-time token, or through the company's identity provider.

import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { BASE, api } from "@/api/client";
import { useRead, useWrite } from "@/api/read";
import { SESSION, startOf, useSignedIn } from "@/api/session";
import type { Session, SignInMethods } from "@/api/types";
import { Button, buttonLook } from "@/parts/Button";
import { TextField } from "@/parts/Field";
import { Front, takeToken } from "@/parts/Front";
import { FormProblem, Loading } from "@/parts/states";
import { useAllSearch } from "@/url";

/** Only an address of this console: nobody is sent elsewhere by a link. */
function safeNext(next: string | undefined): string | null {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith("/sign-in") ? next : null;
}

export default function SignIn() {
  const search = useAllSearch();
  const navigate = useNavigate();
  const signedIn = useSignedIn();
  const methods = useRead<SignInMethods>("/session/methods", { parts: [] });
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [byLink, setByLink] = useState(() => window.location.hash.includes("token="));
  const tried = useRef(false);

  const enter = (session: Session) => {
    signedIn(session);
    void navigate({ to: safeNext(search.next) ?? startOf(session), replace: true });
  };
  const byPassword = useWrite((given: { login: string; password: string }) => api.post<Session>(SESSION, given), { onDone: enter });
  const link = useWrite((token: string) => api.post<Session>("/session/link", { token }), { onDone: enter });

  const followLink = link.mutate;
  useEffect(() => {
    if (tried.current || !byLink) return;
    tried.current = true;
    const token = takeToken();
    if (token) followLink(token, { onError: () => setByLink(false) });
    else setByLink(false);
  }, [byLink, followLink]);

  if (byLink)
    return (
      <Front title="Signing you in">
        <Loading lines={2} label="Signing in by your link" />
      </Front>
    );
  if (methods.data?.needs_setup)
    return (
      <Front title="This server is new">
        <p>
          Open the set-up link that the server printed when it started. It looks like <code className="font-mono text-[0.9em]">/setup#token=…</code> and
          works once.
        </p>
      </Front>
    );
  return (
    <Front title="Sign in">
      <FormProblem error={link.error} />
      <form
        className="flex flex-col gap-3.5"
        onSubmit={(event) => {
          event.preventDefault();
          link.reset();
          byPassword.mutate({ login: login.trim(), password });
        }}
      >
        <TextField label="Login" name="login" autoComplete="username" autoFocus required value={login} onChange={(event) => setLogin(event.target.value)} />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <FormProblem error={byPassword.error} />
        <Button type="submit" look="primary" busy={byPassword.isPending} className="mt-1">
          Sign in
        </Button>
      </form>
      {methods.data?.oidc ? (
        <>
          <p className="text-center text-[0.83rem] text-ink-3">or</p>
          <a className={buttonLook("plain")} href={`${BASE}/oidc/start`}>
            Continue with {methods.data.oidc.name}
          </a>
        </>
      ) : null}
      <p className="text-[0.83rem] text-ink-3">No password yet? The person who manages users can send you a sign-in link.</p>
    </Front>
  );
}
