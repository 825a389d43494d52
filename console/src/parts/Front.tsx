// The frame of the pages that are shown before somebody is signed in.

import { type ReactNode, useEffect } from "react";
import { Logo } from "./Icon";

export function Front({ title, children }: { title: string; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Attain`;
  }, [title]);
  return (
    <main className="grid min-h-dvh place-items-center px-4 py-10">
      <div className="flex w-full max-w-sm flex-col gap-6">
        <div className="flex items-center gap-3">
          <Logo size={40} />
          <div>
            <p className="text-xl leading-tight font-semibold tracking-tight">Attain</p>
            <p className="text-ink-3">Every cent explained</p>
          </div>
        </div>
        <section className="card flex flex-col gap-4 p-6">
          <h1 className="text-lg font-semibold">{title}</h1>
          {children}
        </section>
      </div>
    </main>
  );
}

/** A one-time token after `#token=`; it is taken out of the address at once, so that it stays in no history. */
export function takeToken(): string | null {
  const token = new URLSearchParams(window.location.hash.slice(1)).get("token");
  if (token !== null) window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
  return token;
}
