// Signing in through a real provider of OpenID Connect: the package `oidc-provider` in this process, a server of our own beside it.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const CLIENT = { client_id: "attain", client_secret: "a secret between the two" };

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** The provider, with its own sign-in pages: any name is believed. */
async function provider(callback) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const own = new Provider(issuer, {
    clients: [{ ...CLIENT, redirect_uris: [callback], response_types: ["code"], grant_types: ["authorization_code"] }],
    pkce: { required: () => true },
    cookies: { keys: ["only for this test"] },
  });
  const server = own.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { issuer, stop: () => server.close() };
}

/** A server over an empty record, with one user who has no password. */
async function attain(port, issuer) {
  const binary = process.env.ATTAIN_BINARY ?? assert.fail("set `ATTAIN_BINARY`: the program to start");
  const home = mkdtempSync(join(tmpdir(), "attain-oidc-"));
  const where = ["--database", `sqlite:${join(home, "attain.db")}`, "--home", home];
  const command = (...words) => execFileSync(binary, [...where, ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  command("user", "add", "dana", "--role", "auditor");
  const link = command("user", "link", "dana", "--reusable", "--url", `http://127.0.0.1:${port}`).trim();
  const server = spawn(binary, [...where, "serve", "--listen", `127.0.0.1:${port}`], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ATTAIN_OIDC_ISSUER: issuer, ATTAIN_OIDC_CLIENT_ID: CLIENT.client_id, ATTAIN_OIDC_CLIENT_SECRET: CLIENT.client_secret, ATTAIN_OIDC_NAME: "Example" },
  });
  for await (const line of createInterface({ input: server.stderr })) if (line.includes("serving on")) break;
  server.stderr.resume();
  const stop = async () => {
    server.kill("SIGTERM");
    await once(server, "exit");
    rmSync(home, { recursive: true });
  };
  return { url: `http://127.0.0.1:${port}`, link, stop };
}

/** Signs in at the provider as `name` and says yes to what it asks. */
async function through(page, name) {
  await page.getByPlaceholder(/login/i).fill(name);
  await page.getByPlaceholder(/password/i).fill("any");
  await page.getByRole("button", { name: /sign-in/i }).click();
  await page.getByRole("button", { name: /continue/i }).click();
}

export const oidc = [
  [
    "who is tied to a provider's subject signs in there, and nobody else does",
    async (stage) => {
      const port = await freePort();
      const callback = `http://127.0.0.1:${port}/api/v1/oidc/callback`;
      const issuer = await provider(callback);
      const server = await attain(port, issuer.issuer);
      try {
        const session = (page) => page.evaluate(async () => (await fetch("/api/v1/session")).status);

        // A stranger is not let in, though the provider vouches for her.
        const stranger = await stage.visitor();
        await stranger.page.goto(`${server.url}/sign-in`);
        await stranger.page.getByText(/Example/).click();
        await through(stranger.page, "somebody");
        await stranger.page.waitForURL(/oidc\/callback/);
        assert.match(await stranger.page.content(), /nobody here is tied to this identity/);
        assert.equal(await session(stranger.page), 401);

        // Dana comes by her link and connects the provider's subject to herself.
        const dana = await stage.visitor();
        await dana.page.goto(server.link);
        await dana.page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
        await dana.page.goto(`${server.url}/api/v1/oidc/start`);
        await through(dana.page, "dana-at-example");
        await dana.page.waitForURL((url) => url.origin === server.url && !url.pathname.startsWith("/api"));
        assert.equal(await session(dana.page), 200);

        // From then on she comes in through the provider alone.
        const again = await stage.visitor();
        await again.page.goto(`${server.url}/api/v1/oidc/start`);
        await through(again.page, "dana-at-example");
        await again.page.waitForURL((url) => url.origin === server.url && !url.pathname.startsWith("/api"));
        const me = await again.page.evaluate(async () => (await fetch("/api/v1/session")).json());
        assert.equal(me.name, "dana");

        // An answer of the provider that this browser did not ask for is refused, and so is one that is sent twice.
        const forged = await stage.visitor();
        const refused = await forged.page.goto(`${callback}?state=made-up&code=stolen`);
        assert.equal(refused.status(), 401);
        let used = "";
        forged.page.on("request", (request) => {
          if (request.url().startsWith(`${callback}?`)) used = request.url();
        });
        await forged.page.goto(`${server.url}/api/v1/oidc/start`);
        await through(forged.page, "dana-at-example");
        await forged.page.waitForURL((url) => url.origin === server.url && !url.pathname.startsWith("/api"));
        assert.match(used, /code=/);
        const replayed = await forged.page.goto(used);
        assert.equal(replayed.status(), 401);
      } finally {
        await server.stop();
        issuer.stop();
      }
    },
  ],
];
