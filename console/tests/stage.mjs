// A browser before a running server: visitors signed in as personas, who notice every error of the console and every fault of
// accessibility. Nothing here waits for a time; all waits are for something to be seen.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

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
const SEEN_WITHIN_MS = 60_000;
const FAILURES = fileURLToPath(new URL("../../target/browser-tests/", import.meta.url));

function need(name) {
  const value = process.env[name];
  if (!value) throw new Error(`set \`${name}\`: the address of a server on the demo company (ATTAIN_URL) and the personas' reusable sign-in links as JSON (ATTAIN_LINKS)`);
  return value;
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** As the console writes it: the currency's own digits and any more that the server sent. */
export function money(amount, currency, sign = "negative") {
  const digits = Math.max(2, amount.split(".")[1]?.length ?? 0);
  return new Intl.NumberFormat("en-US", { style: "currency", currency, currencyDisplay: "narrowSymbol", signDisplay: sign, minimumFractionDigits: 2, maximumFractionDigits: digits }).format(amount);
}

/** A decimal string in 10⁻⁴, exactly. */
export function scaled(amount) {
  const [, minus, whole, part = ""] = /^(-?)(\d+)(?:\.(\d{1,4}))?$/.exec(amount) ?? assert.fail(`\`${amount}\` is no amount`);
  return (minus ? -1n : 1n) * BigInt(whole + part.padEnd(4, "0"));
}

export class Stage {
  #browser;
  #sessions = new Map();
  #visitors = new Set();

  static async open() {
    const stage = new Stage();
    stage.url = need("ATTAIN_URL").replace(/\/$/, "");
    stage.links = JSON.parse(need("ATTAIN_LINKS"));
    stage.#browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    return stage;
  }

  close() {
    return this.#browser.close();
  }

  /** A window of its own, in which nobody is signed in. */
  async visitor({ scheme = "light", width = 1280, height = width < 600 ? 844 : 860, scale = 1, session } = {}) {
    const context = await this.#browser.newContext({
      colorScheme: scheme,
      viewport: { width, height },
      deviceScaleFactor: scale,
      locale: "en-US",
      timezoneId: "UTC",
      reducedMotion: "reduce",
      acceptDownloads: true,
      storageState: session,
    });
    context.setDefaultTimeout(SEEN_WITHIN_MS);
    const visitor = new Visitor(this, context, await context.newPage());
    this.#visitors.add(visitor);
    return visitor;
  }

  /** At her first screen. She signs in once: the server limits how often one address may. */
  async signedIn(persona, look = {}) {
    const session = this.#sessions.get(persona);
    const visitor = await this.visitor({ ...look, session });
    if (session) await visitor.go("/");
    else {
      await visitor.signIn(persona);
      this.#sessions.set(persona, await visitor.context.storageState());
    }
    return visitor;
  }

  /** What was on the screens when a test failed, and what the consoles said. */
  async keep(name) {
    mkdirSync(FAILURES, { recursive: true });
    const slug = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 80);
    let at = 0;
    for (const visitor of this.#visitors) {
      at += 1;
      const file = `${FAILURES}${slug}-${at}`;
      writeFileSync(`${file}.log`, `${visitor.page.url()}\n${visitor.said.join("\n")}\n`);
      await visitor.page.screenshot({ path: `${file}.png`, fullPage: true }).catch(() => undefined);
    }
    return FAILURES;
  }

  async clear() {
    for (const visitor of this.#visitors) await visitor.context.close().catch(() => undefined);
    this.#visitors.clear();
  }

  forget(visitor) {
    this.#visitors.delete(visitor);
  }
}

class Visitor {
  /** Errors and warnings of the console, and exceptions. */
  errors = [];
  /** Everything that the console said. */
  said = [];

  constructor(stage, context, page) {
    this.stage = stage;
    this.context = context;
    this.page = page;
    page.on("console", (message) => {
      this.said.push(`${message.type()}: ${message.text()}`);
      if (message.type() === "error" || message.type() === "warning") this.errors.push(message.text());
    });
    page.on("pageerror", (error) => {
      this.said.push(`exception: ${error.stack ?? error.message}`);
      this.errors.push(error.message);
    });
  }

  async signIn(persona) {
    const link = this.stage.links[persona];
    assert.ok(link, `there is no sign-in link for \`${persona}\``);
    const { pathname, hash } = new URL(link);
    await this.page.goto(this.stage.url + pathname + hash);
    await this.page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
    await this.settled();
  }

  async go(path) {
    await this.page.goto(this.stage.url + path);
    await this.settled();
  }

  /** Nothing is loading any more. */
  async settled() {
    await this.page.locator("h1").first().waitFor();
    await this.page.waitForFunction(() => document.querySelector('[role="status"][aria-label^="Loading"], [role="status"][aria-label="Calculating"], [aria-busy="true"]') === null);
  }

  /** Text on the main part of the screen. */
  text() {
    return this.page.locator("main").innerText();
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: typeof name === "string" });
  }

  /** What the interface answers to this person, whatever its status. */
  async ask(path, { method = "GET", body, headers = {} } = {}) {
    return this.page.evaluate(
      async ({ path, method, body, headers }) => {
        const sent = new Headers(headers);
        if (method !== "GET") sent.set("x-attain", "console");
        if (method === "POST") sent.set("idempotency-key", Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join(""));
        if (body !== undefined) sent.set("content-type", "application/json");
        const response = await fetch(`/api/v1${path}`, { method, headers: sent, body: body === undefined ? undefined : JSON.stringify(body) });
        const text = await response.text();
        let value = text;
        try {
          value = JSON.parse(text);
        } catch {
          // A download is text.
        }
        return { status: response.status, value, etag: response.headers.get("etag") };
      },
      { path, method, body, headers },
    );
  }

  async api(path, options) {
    const answer = await this.ask(path, options);
    assert.ok(answer.status < 300, `${options?.method ?? "GET"} ${path} answered ${answer.status}: ${JSON.stringify(answer.value).slice(0, 400)}`);
    return answer.value;
  }

  /** The errors that a test brings about on purpose, such as an answer 404. */
  forgive(pattern) {
    this.errors = this.errors.filter((error) => !pattern.test(error));
  }

  /** No error in the console, and no failure on the screen. */
  async expectQuiet(what) {
    const failures = await this.page.getByRole("alert").allInnerTexts();
    assert.deepEqual({ what, errors: this.errors, failures }, { what, errors: [], failures: [] });
  }

  /** No fault that axe knows of, in each of the schemes. */
  async expectAccessible(what, schemes = ["light", "dark"]) {
    for (const scheme of schemes) {
      await this.page.emulateMedia({ colorScheme: scheme, reducedMotion: "reduce" });
      await this.page.waitForFunction((wanted) => (document.documentElement.dataset.theme ?? "light") === wanted, scheme);
      await this.settled();
      // Colours are on their way for a moment: what is looked at is where they come to rest.
      await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => Promise.allSettled(document.getAnimations().map((one) => one.finished))));
      // The server's policy forbids script tags that are not its own; what the debugger evaluates is none.
      await this.page.evaluate(axe);
      const faults = await this.page.evaluate(async () => {
        const found = await window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
        return found.violations.flatMap((violation) => violation.nodes.slice(0, 3).map((node) => `${violation.id}: ${node.html.slice(0, 200)} ${node.failureSummary.split("\n").slice(1, 2).join("").trim().slice(0, 200)}`));
      });
      assert.deepEqual({ what, scheme, faults }, { what, scheme, faults: [] });
    }
  }

  /** Nothing is wider than the window. */
  async expectFits(what, width) {
    const before = this.page.viewportSize();
    await this.page.setViewportSize({ width, height: 844 });
    const wider = await this.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(document.documentElement.scrollWidth - document.documentElement.clientWidth)))));
    await this.page.setViewportSize(before);
    assert.deepEqual({ what, width, wider }, { what, width, wider: 0 });
  }

  /** By the Tab key alone, from the top of the screen to the element of this name; it then has the focus. */
  async tabTo(name, steps = 150) {
    await this.page.evaluate(() => {
      document.activeElement instanceof HTMLElement && document.activeElement.blur();
      window.scrollTo(0, 0);
    });
    const passed = [];
    for (let step = 0; step < steps; step++) {
      await this.page.keyboard.press("Tab");
      const focused = await this.page.evaluate(() => {
        const element = document.activeElement;
        return (element?.getAttribute("aria-label") ?? element?.textContent ?? "").trim();
      });
      passed.push(focused);
      if (typeof name === "string" ? focused === name : name.test(focused)) return;
    }
    assert.fail(`the Tab key does not reach \`${name}\`; it passed ${[...new Set(passed)].slice(0, 40).join(" | ")}`);
  }

  async close() {
    this.stage.forget(this);
    await this.context.close();
  }
}
