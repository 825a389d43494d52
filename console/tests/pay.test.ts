// The seller's and the manager's screens against a running server.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Home, Session, Statement, Team, WhatIf } from "../src/api/types";
import { measure, money, percent } from "../src/money";
import { LOOKS, Stage } from "./pay-stage";

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open();
});

afterAll(() => stage.close());

describe("everybody", () => {
  it("is sent to sign in and back to where she wanted to go", async () => {
    const visitor = await stage.visitor();
    await visitor.go("/statements");
    await visitor.page.waitForURL(/\/sign-in\?next=%2Fstatements/);
    visitor.errors.length = 0;
    await visitor.expectSound("sign-in");
    await visitor.close();
  });

  it("is told that a link is no good", async () => {
    const visitor = await stage.visitor();
    await visitor.go("/sign-in#token=nonsense");
    await visitor.page.getByRole("alert").waitFor();
    expect(visitor.page.url()).not.toContain("nonsense");
    await visitor.close();
  });

  it("finds a screen by Ctrl-K and signs out by the menu", async () => {
    const visitor = await stage.visitor();
    await visitor.signIn("ana");
    await visitor.page.keyboard.press("Control+k");
    await visitor.page.getByRole("combobox", { name: "Go to" }).fill("what");
    await visitor.page.keyboard.press("Enter");
    await visitor.page.waitForURL(/\/what-if/);
    await visitor.page.getByRole("button", { name: /account menu/ }).first().click();
    await visitor.page.getByRole("menuitem", { name: "Sign out" }).click();
    await visitor.page.waitForURL(/\/sign-in/);
    await visitor.close();
  });
});

describe("a seller", () => {
  it("reads on her page what the interface answers", async () => {
    const visitor = await stage.signedIn("ana");
    const session = await visitor.api<Session>("/session");
    const home = await visitor.api<Home>(`/payees/${session.payee_id}/periods/${session.current_period}/home`);
    const page = await visitor.page.locator("main").innerText();
    expect(page).toContain(home.sentence);
    for (const amount of [home.buckets.earned, home.buckets.held, home.buckets.payable, home.buckets.paid, home.to_date.year])
      expect(page).toContain(money(amount, home.currency));
    for (const quota of home.quotas) expect(page).toContain(percent(quota.attainment));
    await visitor.page.getByRole("button", { name: "Pay curve: show as table" }).click();
    const rows = await visitor.page.getByRole("region", { name: "Pay curve" }).locator("tbody tr").count();
    expect(rows).toBe((home.curve?.points.length ?? 0) + 1);
    await visitor.close();
  });

  it("opens an amount down to the imported row and the rule", async () => {
    const visitor = await stage.signedIn("ana");
    const session = await visitor.api<Session>("/session");
    const at = `/payees/${session.payee_id}/periods/${session.current_period}`;
    const statement = await visitor.api<Statement>(`${at}/statement`);
    const line = statement.components.find((component) => component.quota !== null);
    if (!line) throw new Error("the statement has no line with a quota");
    await visitor.go(`/statements/${session.current_period}`);
    await visitor.page.getByRole("button", { name: `: explain ${line.name}` }).click();
    const drawer = visitor.page.getByRole("dialog");
    await drawer.getByRole("treeitem", { name: /^Paid/ }).waitFor();
    await drawer.getByRole("tab", { name: "Credits" }).click();
    const credits = await visitor.api<{ items: { transaction_id: string }[] }>(`${at}/lines/${line.line}/credits?limit=1`);
    const first = credits.items[0]?.transaction_id ?? "";
    await drawer.getByRole("row").filter({ hasText: first }).first().click();
    const trail = drawer.getByRole("region", { name: `Where ${first} comes from` });
    await trail.getByRole("treeitem", { name: /^Transaction/ }).click();
    await trail.getByRole("treeitem", { name: /^Source row/ }).waitFor();
    await drawer.getByRole("tab", { name: "Rule" }).click();
    const rule = await visitor.api<{ plan_digest: string }>(`${at}/lines/${line.line}/rule`);
    await drawer.getByText(rule.plan_digest).waitFor();
    expect(visitor.page.url()).toContain(`line=${line.line}`);
    await visitor.page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    expect(visitor.errors).toEqual([]);
    await visitor.close();
  });

  it("asks about a line, and the answer comes without a reload", async () => {
    const seller = await stage.signedIn("ana");
    const session = await seller.api<Session>("/session");
    await seller.go(`/statements/${session.current_period}`);
    await seller.page.getByRole("button", { name: /^Ask about/ }).first().click();
    await seller.page.getByLabel("Your question").fill("Which deals are in this?");
    await seller.page.getByRole("button", { name: "Send question" }).click();
    await seller.page.waitForURL(/\/disputes\/./);
    await seller.settled();
    const admin = await stage.signedIn("cora");
    await admin.go(new URL(seller.page.url()).pathname);
    await admin.page.getByLabel("Answer").fill("All of September, as the credits show.");
    await admin.page.getByRole("button", { name: "Send" }).click();
    await seller.page.getByText("All of September, as the credits show.").waitFor();
    await seller.page.getByText("answered", { exact: true }).waitFor();
    await admin.page.getByRole("button", { name: "Close question" }).click();
    await seller.page.getByText("This question is closed.").waitFor();
    await seller.expectSound("question");
    expect(admin.errors).toEqual([]);
    await admin.close();
    await seller.close();
  });

  it("tries a what-if deal: the screen shows what the plan pays, and the address holds the trial", async () => {
    const visitor = await stage.signedIn("ana");
    const session = await visitor.api<Session>("/session");
    const day = session.periods.find((period) => period.period_id === session.current_period)?.from;
    await visitor.go(`/what-if?period=${session.current_period}`);
    await visitor.page.getByRole("button", { name: "Add a deal" }).click();
    await visitor.page.getByLabel("Amount of deal 1").fill("250,000");
    await visitor.page.getByLabel("Day of deal 1").fill(day ?? "");
    await visitor.page.waitForURL(/deals=d~250000~/);
    const result = await visitor.page.evaluate(
      async ({ at, close_on }) => {
        const headers = { "content-type": "application/json", "x-attain": "console", "idempotency-key": crypto.randomUUID() };
        const body = JSON.stringify({ opportunities: [], deals: [{ amount: "250000", close_on }], transactions: [] });
        return (await (await fetch(at, { method: "POST", headers, body })).json()) as WhatIf;
      },
      { at: `/api/v1/payees/${session.payee_id}/periods/${session.current_period}/what-if`, close_on: day },
    );
    const shown = money(result.difference, session.company?.currency, { sign: "always" });
    await visitor.page.getByRole("region", { name: "What it pays" }).getByText(shown, { exact: true }).first().waitFor();
    await visitor.page.getByRole("checkbox").first().check();
    await visitor.page.waitForURL(/deals=o~/);
    await visitor.page.reload();
    await visitor.settled();
    expect(await visitor.page.getByRole("checkbox").first().isChecked()).toBe(true);
    expect(await visitor.page.getByLabel("Amount of deal 1").inputValue()).toBe("250000");
    await visitor.expectSound("what-if");
    await visitor.close();
  });

  it("takes her statement home as a file", async () => {
    const visitor = await stage.signedIn("ana");
    await visitor.go(`/statements/${(await visitor.api<Session>("/session")).current_period}`);
    for (const kind of ["PDF", "XLSX", "CSV"]) {
      const [download] = await Promise.all([visitor.page.waitForEvent("download"), visitor.page.getByRole("link", { name: kind, exact: true }).click()]);
      expect(await download.failure()).toBeNull();
      expect(download.suggestedFilename().toUpperCase()).toContain(kind);
    }
    await visitor.close();
  });

  it("may not open anybody else's statement", async () => {
    const visitor = await stage.signedIn("ana");
    const session = await visitor.api<Session>("/session");
    await visitor.go(`/statements/${session.current_period}?payee=E1001`);
    await visitor.page.getByRole("alert").getByText("There is nothing here for you").waitFor();
    await visitor.close();
  });
});

describe("a manager", () => {
  it("sees her team's figures and goes from a report to the statement and back", async () => {
    const visitor = await stage.signedIn("mia");
    await visitor.page.waitForURL(/\/team/);
    const session = await visitor.api<Session>("/session");
    const team = await visitor.api<Team>(`/team?period=${session.current_period}`);
    const page = await visitor.page.locator("main").innerText();
    for (const report of team.tree.reports) {
      expect(page).toContain(report.name);
      if (report.attainment) expect(page).toContain(percent(report.attainment));
    }
    if (team.tree.value) expect(page).toContain(measure(team.tree.value));
    const report = team.tree.reports.find((each) => each.earned !== null);
    if (!report) throw new Error("she sees nobody's pay");
    await visitor.page.getByRole("link", { name: `Statement of ${report.name}` }).click();
    await visitor.page.getByRole("heading", { level: 1, name: new RegExp(report.name) }).waitFor();
    await visitor.page.goBack();
    await visitor.page.getByRole("heading", { level: 1, name: "My team" }).waitFor();
    expect(visitor.errors).toEqual([]);
    await visitor.close();
  });
});

describe("every screen of pay is sound", () => {
  const screens: Record<string, string[]> = {
    ana: ["/home", "/statements", "/statements/{period}", "/statements/{period}?line=1", "/statements/{period}?line=1&show=credits", "/statements/{period}?line=1&show=rule", "/disputes", "/account"],
    mia: ["/team", "/home", "/home?payee={report}", "/statements?payee={report}"],
    cora: ["/team", "/statements", "/disputes?kind=question", "/plans", "/plans/account-executive"],
  };
  for (const look of LOOKS) {
    it(`${look.scheme}, ${look.width} wide`, async () => {
      for (const [persona, paths] of Object.entries(screens)) {
        const visitor = await stage.signedIn(persona, look);
        const period = (await visitor.api<Session>("/session")).current_period ?? "";
        const report = persona === "mia" ? ((await visitor.api<Team>(`/team?period=${period}`)).tree.reports[0]?.payee_id ?? "") : "";
        for (const each of paths) {
          const path = each.replace("{period}", period).replace("{report}", report);
          await visitor.go(path);
          await visitor.expectSound(`${persona} ${path}`);
        }
        await visitor.close();
      }
    });
  }
});
