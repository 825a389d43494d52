// A browser before a running server, signed in as a persona, that notices every error of the console and every fault of accessibility.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { expect } from "vitest";

const CHROMIUM = process.env.ATTAIN_CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function need(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`set \`${name}\`; see vitest.browser.config.ts`);
  return value;
}

export const URL_OF_SERVER = need("ATTAIN_URL").replace(/\/$/, "");

/** Reusable sign-in links by persona. */
const links = JSON.parse(need("ATTAIN_LINKS")) as Record<string, string>;

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export interface Look {
  scheme: "light" | "dark";
  width: 390 | 1280;
}

export const LOOKS: Look[] = [
  { scheme: "light", width: 1280 },
  { scheme: "dark", width: 1280 },
  { scheme: "light", width: 390 },
  { scheme: "dark", width: 390 },
];

type Kept = Awaited<ReturnType<BrowserContext["storageState"]>>;

export class Stage {
  /** The session of each persona: the server limits how often one address signs in. */
  private readonly sessions = new Map<string, Kept>();

  private constructor(private readonly browser: Browser) {}

  static async open(): Promise<Stage> {
    return new Stage(await chromium.launch({ executablePath: CHROMIUM, args: FLAGS }));
  }

  close(): Promise<void> {
    return this.browser.close();
  }

  /** A window of its own, with its own session. */
  async visitor(look: Look = { scheme: "light", width: 1280 }, session?: Kept): Promise<Visitor> {
    const context = await this.browser.newContext({
      colorScheme: look.scheme,
      viewport: { width: look.width, height: look.width < 600 ? 844 : 860 },
      locale: "en-US",
      timezoneId: "UTC",
      reducedMotion: "reduce",
      acceptDownloads: true,
      storageState: session,
    });
    return new Visitor(context, await context.newPage());
  }

  /** At her first screen. */
  async signedIn(persona: string, look?: Look): Promise<Visitor> {
    const session = this.sessions.get(persona);
    const visitor = await this.visitor(look, session);
    if (session) {
      await visitor.go("/");
    } else {
      await visitor.signIn(persona);
      this.sessions.set(persona, await visitor.context.storageState());
    }
    return visitor;
  }
}

export class Visitor {
  readonly errors: string[] = [];

  constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(error.message));
  }

  async signIn(persona: string): Promise<void> {
    const link = links[persona];
    if (!link) throw new Error(`there is no sign-in link for \`${persona}\``);
    const { pathname, hash } = new URL(link);
    await this.page.goto(URL_OF_SERVER + pathname + hash);
    await this.page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
    // The heading may still be that of the screen before.
    await this.page.getByRole("button", { name: /^Go to/ }).first().waitFor();
    await this.settled();
  }

  async go(path: string): Promise<void> {
    await this.page.goto(URL_OF_SERVER + path);
    await this.settled();
  }

  /** Nothing is loading any more. */
  async settled(): Promise<void> {
    await this.page.locator("h1").first().waitFor();
    await this.page.waitForFunction(() => document.querySelector('[role="status"][aria-label^="Loading"], [aria-busy="true"]') === null);
  }

  /** What the interface answers to this person. */
  async api<T>(path: string): Promise<T> {
    return this.page.evaluate(async (at) => {
      const response = await fetch(`/api/v1${at}`);
      if (!response.ok) throw new Error(`${at} answered ${response.status}`);
      return (await response.json()) as unknown;
    }, path) as Promise<T>;
  }

  /** No error in the console, nothing wider than the window, no fault that axe knows of. */
  async expectSound(what: string): Promise<void> {
    // The policy of the server forbids script tags that are not its own; evaluating through the debugger is no script tag.
    await this.page.evaluate(axe);
    const faults = await this.page.evaluate(async () => {
      const run = (window as unknown as { axe: { run: (root: Document, options: object) => Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } }).axe;
      const found = await run.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] });
      return found.violations.map((violation) => `${violation.id}: ${violation.nodes[0]?.html ?? ""}`);
    });
    const wider = await this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect({ what, faults, wider, errors: this.errors }).toEqual({ what, faults: [], wider: 0, errors: [] });
  }

  close(): Promise<void> {
    return this.context.close();
  }
}
