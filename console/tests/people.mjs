// What people do together about pay: a dispute is raised, decided and approved; a period is closed; what is due is paid.

import assert from "node:assert/strict";
import { money, scaled } from "./stage.mjs";

/** The last statement of the persona that has a line which earned something. */
async function statementWithLine(visitor) {
  const { payee_id: payee, current_period: current } = await visitor.api("/session");
  const { items } = await visitor.api(`/payees/${payee}/statements`);
  for (const { period_id: period } of [{ period_id: current }, ...items]) {
    const answer = await visitor.ask(`/payees/${payee}/periods/${period}/statement`);
    const line = answer.status === 200 ? answer.value.components.find((one) => scaled(one.amount) > 0n) : undefined;
    if (line) return { payee, period, line, statement: answer.value };
  }
  return assert.fail("there is no line that earned something");
}

/** Calculates, and waits until it is done. */
async function calculate(visitor) {
  const { job_id: job } = await visitor.api("/runs", { method: "POST", body: { note: "before the close" } });
  await visitor.page.waitForFunction(
    async (path) => {
      const found = await (await fetch(path)).json();
      if (found.state === "failed") throw new Error(`the run failed: ${found.error}`);
      return found.state === "done";
    },
    `/api/v1/jobs/${job}`,
    { timeout: 120_000, polling: 500 },
  );
}

/** The earliest period that is not approved yet, in which somebody is paid. */
async function firstPayable(visitor) {
  const { items: periods } = await visitor.api("/periods");
  const period = periods.find((one) => one.state === "open");
  assert.ok(period, "no period is open");
  return period.period_id;
}

export const people = [
  [
    "ana disputes a line with a file, cora decides, fin approves as the second person, and ana is told",
    async (stage) => {
      const ana = await stage.signedIn("ana");
      const { payee, period, line, statement } = await statementWithLine(ana);
      await ana.go(`/statements/${period}?line=${line.line}`);
      await ana.button("Dispute this line").click();
      const form = ana.page.getByRole("dialog", { name: "Dispute this line" });
      await form.getByLabel("Subject").fill("The accelerator is missing");
      const expected = (Number(line.amount) + 125.5).toFixed(2);
      await form.getByLabel(/^What you expect/).fill(expected);
      await form.getByLabel("Why").fill("The deal closed in the quarter; see the contract.");
      await form.getByLabel("File").setInputFiles({ name: "contract.txt", mimeType: "text/plain", buffer: Buffer.from("signed on the last day") });
      await ana.expectAccessible("a dispute that is raised");
      await form.getByRole("button", { name: "Raise dispute" }).click();
      await ana.page.waitForURL(/\/disputes\/dispute-/);
      await ana.settled();
      const id = new URL(ana.page.url()).pathname.split("/").at(-1);
      await ana.page.getByRole("link", { name: "contract.txt" }).waitFor();
      await ana.page.getByText(money(expected, statement.currency), { exact: true }).first().waitFor();
      await ana.expectAccessible("one's own dispute");
      await ana.expectFits("a dispute", 390);
      await ana.expectQuiet("a dispute");

      const cora = await stage.signedIn("cora");
      await cora.page.getByRole("link", { name: /^Notices: \d+ unread$/ }).first().waitFor();
      await cora.go("/disputes?state=open");
      await cora.page.getByRole("link", { name: /The accelerator is missing/ }).first().click();
      await cora.button("Assign…").waitFor();
      await cora.button("Assign…").click();
      await cora.page.getByRole("dialog").getByRole("button", { name: "Assign", exact: true }).click();
      await cora.page.getByText("assigned", { exact: true }).first().waitFor();
      await cora.page.getByLabel("Your message").fill("I look at the contract.");
      await cora.button("Send").click();
      await cora.page.getByText("I look at the contract.").first().waitFor();
      await cora.button("Decide…").click();
      const decide = cora.page.getByRole("dialog", { name: "Decide" });
      assert.equal(await decide.getByLabel("Granted").inputValue(), "125.5", "what is missing is not suggested");
      await decide.getByLabel("Accept partly").check();
      await decide.getByLabel("Granted").fill("100");
      await decide.getByLabel("Comment").fill("The share of it that the plan pays.");
      await cora.expectAccessible("a decision");
      await decide.getByRole("button", { name: "Decide", exact: true }).click();
      await cora.page.getByText("What was granted waits for a second person").waitFor();
      await cora.expectQuiet("a decided dispute");
      const decided = await cora.api(`/disputes/${id}`);
      assert.deepEqual([decided.state, decided.outcome, decided.change_state], ["resolved", "partly", "submitted"]);

      const fin = await stage.signedIn("fin");
      await fin.go(`/disputes/${id}`);
      await fin.page.getByRole("link", { name: "open the change" }).click();
      await fin.settled();
      await fin.button("Approve").click();
      await fin.page.getByText(/^Approved: /).first().waitFor();
      assert.equal((await fin.api(`/disputes/${id}`)).state, "closed");
      const { items } = await fin.api(`/adjustments?payee=${payee}`);
      assert.ok(items.some((one) => one.dispute_id === id && one.state === "approved" && scaled(one.amount) === 1_000_000n), "the adjustment is not there");

      await ana.page.getByText("closed", { exact: true }).first().waitFor();
      await ana.go("/notices?show=unread");
      await ana.page.getByRole("list", { name: "Notices" }).getByText(/The accelerator is missing/).first().waitFor();
      await ana.button("Mark all as read").click();
      await ana.page.getByRole("link", { name: "Notices: nothing new" }).first().waitFor();
      await ana.expectQuiet("notices");
    },
  ],
  [
    "ana misses a deal and withdraws what she raised",
    async (stage) => {
      const ana = await stage.signedIn("ana");
      const { period } = await statementWithLine(ana);
      await ana.go(`/statements/${period}`);
      await ana.button("A deal is missing").click();
      const form = ana.page.getByRole("dialog", { name: "A deal is missing" });
      await form.getByLabel("Deal", { exact: true }).fill("T-99999");
      await form.getByLabel("Why").fill("I closed it with Mia.");
      await form.getByRole("button", { name: "Raise dispute" }).click();
      await ana.page.waitForURL(/\/disputes\/dispute-/);
      await ana.page.getByText("missing credit for T-99999").first().waitFor();
      await ana.button("Withdraw").click();
      await ana.page.getByRole("dialog").getByRole("button", { name: "Withdraw", exact: true }).click();
      await ana.page.getByText("withdrawn", { exact: true }).first().waitFor();
      await ana.button("Open again").waitFor();
      await ana.expectQuiet("a withdrawn dispute");
    },
  ],
  [
    "cora asks for the review of a period, fin approves and closes it, and reopening needs two people again",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      await calculate(cora);
      const period = await firstPayable(cora);
      await cora.go(`/periods/${period}`);
      await cora.page.getByText("The last run is of everything that is there now.").waitFor();
      await cora.expectAccessible("the close of a period");
      await cora.button("Ask for review").click();
      const dialog = cora.page.getByRole("dialog");
      await dialog.getByLabel("Comment").fill("looks complete");
      await dialog.getByRole("button", { name: "Ask for review", exact: true }).click();
      await cora.page.getByText("You asked for its review, so somebody else has to approve it.").waitFor();
      assert.ok(await cora.button("Approve").isDisabled(), "the one who asked for review may approve it");
      const own = await cora.ask(`/periods/${period}/state`, { method: "POST", body: { to: "approved" } });
      assert.equal(own.status, 403, "the interface let the one who asked approve it");
      cora.forgive(/status of 403/);

      const fin = await stage.signedIn("fin");
      await fin.go(`/periods/${period}`);
      await fin.page.getByText("“looks complete”").waitFor();
      await fin.button("Approve").click();
      await fin.page.getByRole("dialog").getByRole("button", { name: "Approve", exact: true }).click();
      await fin.button("Close the period").click();
      await fin.page.getByRole("dialog").getByRole("button", { name: "Close the period", exact: true }).click();
      await fin.page.getByText("It is closed. What changes later is posted in a later period.").waitFor();
      const { items } = await fin.api("/periods");
      assert.equal(items.find((one) => one.period_id === period).state, "closed");

      await cora.button("Ask for reopening").click();
      const reopen = cora.page.getByRole("dialog");
      await reopen.getByLabel("Why").fill("an invoice came late");
      await reopen.getByRole("button", { name: "Ask for reopening", exact: true }).click();
      await cora.page.waitForURL(/\/changes\//);
      await cora.settled();
      assert.ok(await cora.button("Approve").isDisabled(), "one person alone opens a closed period");
      await cora.button("Withdraw").click();
      await cora.page.getByText("Withdrawn.").first().waitFor();
      for (const visitor of [cora, fin]) await visitor.expectQuiet(visitor.page.url());
    },
  ],
  [
    "fin walks a payout from its draft to paid, with cora as the second person",
    async (stage) => {
      const fin = await stage.signedIn("fin");
      const { items } = await fin.api("/periods");
      const closed = items.filter((one) => one.state === "closed" || one.state === "approved").at(-1);
      assert.ok(closed, "no period is closed");
      await fin.go("/payouts");
      await fin.button("Draft a payout").first().click();
      const draft = fin.page.getByRole("dialog", { name: "Draft a payout" });
      await draft.getByLabel("Up to and with").selectOption(closed.period_id);
      await draft.getByRole("button", { name: "Draft", exact: true }).click();
      await fin.page.waitForURL(/\/payouts\/payout-/);
      await fin.settled();
      const id = new URL(fin.page.url()).pathname.split("/").at(-1);
      const first = await fin.api(`/payouts/${id}`);
      await fin.page.getByText(money(first.amount, first.currency), { exact: true }).first().waitFor();
      await fin.expectAccessible("a drafted payout");
      await fin.expectFits("a payout", 390);

      const left = first.lines.find((one) => one.state === "due");
      await fin.button(`Acts on ${left.payee_name}`).first().click();
      await fin.page.getByRole("menuitem", { name: "Exclude…" }).click();
      const mark = fin.page.getByRole("dialog");
      await mark.getByLabel("Why").fill("her account is being changed");
      await mark.getByRole("button", { name: "Exclude", exact: true }).click();
      await mark.waitFor({ state: "detached" });
      const without = await fin.api(`/payouts/${id}`);
      assert.equal(scaled(without.amount), scaled(first.amount) - scaled(left.amount), "the sum does not leave her out");
      await fin.button("Mark as reviewed").click();
      await fin.button("Approve").waitFor();
      assert.ok(await fin.button("Approve").isDisabled(), "whoever drafted it may approve it");

      const cora = await stage.signedIn("cora");
      await cora.go(`/payouts/${id}`);
      await cora.button("Approve").click();
      await cora.page.getByRole("dialog").getByRole("button", { name: "Approve", exact: true }).click();
      await cora.button("Export").click();
      const file = cora.page.getByRole("link", { name: "Payment file" });
      await file.waitFor();
      const [download] = await Promise.all([cora.page.waitForEvent("download"), file.click()]);
      assert.match(download.suggestedFilename(), /^payout-.*\.csv$/);

      await fin.button("Confirm payment").click();
      const confirm = fin.page.getByRole("dialog", { name: "Confirm payment" });
      await confirm.getByLabel("Reference").fill("BANK-2026-1");
      await confirm.getByRole("button", { name: "Confirm payment", exact: true }).click();
      await fin.page.getByText("paid", { exact: true }).first().waitFor();
      const paid = await fin.api(`/payouts/${id}`);
      assert.deepEqual([paid.state, paid.reference], ["paid", "BANK-2026-1"]);

      const back = paid.lines.find((one) => one.state === "due");
      await fin.button(`Acts on ${back.payee_name}`).first().click();
      await fin.page.getByRole("menuitem", { name: "The bank sent it back…" }).click();
      const came = fin.page.getByRole("dialog");
      await came.getByLabel("Why").fill("the account is closed");
      await came.getByRole("button", { name: "Record a return", exact: true }).click();
      await fin.page.getByText("returned", { exact: true }).first().waitFor();
      await fin.expectAccessible("a paid payout");
      for (const visitor of [fin, cora]) await visitor.expectQuiet(visitor.page.url());
    },
  ],
  [
    "who would get credit is answered with reasons",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      const [account] = (await cora.api("/entities/accounts/rows?limit=1")).items;
      const { today } = await cora.api("/session");
      await cora.go("/credit");
      await cora.page.getByLabel(/^Amount/).fill("48,000");
      await cora.page.getByLabel("Account").fill(account.key[0]);
      await cora.button("Ask the rules").click();
      await cora.page.getByRole("heading", { name: "Credited", exact: true }).waitFor();
      const answer = await cora.api("/credit-preview", { method: "POST", body: { on: today, amount: "48000", account_id: account.key[0] } });
      for (const credit of answer.credits) await cora.page.getByRole("link", { name: credit.payee_name, exact: true }).first().waitFor();
      await cora.page.waitForURL(/amount=48000/);
      await cora.expectAccessible("who gets credit");
      await cora.expectFits("who gets credit", 390);
      await cora.expectQuiet("who gets credit");
    },
  ],
  [
    "a policy that cora proposes counts once fin has approved it",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      const before = (await cora.api("/work-policy")).in_force.dispute_days;
      await cora.go("/policy");
      await cora.button("Propose a change").click();
      await cora.page.getByLabel("Days for a dispute").fill(String(before + 1));
      await cora.button("Propose").click();
      await cora.page.getByText(`days for a dispute: ${before} → ${before + 1}`).waitFor();
      assert.ok(await cora.button("Approve").isDisabled(), "one person alone changes the policy");
      const fin = await stage.signedIn("fin");
      await fin.go("/policy");
      await fin.button("Approve").click();
      await fin.page.getByText(`within ${before + 1} days`).waitFor();
      assert.equal((await fin.api("/work-policy")).in_force.dispute_days, before + 1);
      for (const visitor of [cora, fin]) await visitor.expectQuiet("the policy");
    },
  ],
  [
    "a published statement waits for ana's acknowledgement, and her open page shows it by itself",
    async (stage) => {
      const ana = await stage.signedIn("ana");
      const { payee, period } = await statementWithLine(ana);
      await ana.go(`/statements/${period}`);
      const cora = await stage.signedIn("cora");
      const schedule = await cora.api("/schedules", { method: "POST", body: { kind: "publish", cron: "* * * * *", zone: "UTC", payload: {} } });
      await ana.button("Acknowledge").waitFor({ timeout: 120_000 });
      const { etag } = await cora.ask(`/schedules/${schedule.schedule_id}`);
      assert.equal((await cora.ask(`/schedules/${schedule.schedule_id}`, { method: "DELETE", headers: { "if-match": etag } })).status, 204);
      await ana.expectAccessible("a published statement");
      await ana.button("Acknowledge").click();
      await ana.page.getByText(/^you acknowledged it/).waitFor();
      assert.ok((await ana.api(`/payees/${payee}/periods/${period}/acknowledgement`)).acknowledged_at, "it is not kept");
      const fin = await stage.signedIn("fin");
      await fin.go(`/periods/${period}`);
      await fin.page.getByText(/1 of \d+ published statements? acknowledged/).waitFor();
      await fin.expectQuiet("acknowledged");
      await ana.expectQuiet("acknowledged");
    },
  ],
  [
    "cora adjusts pay, and nothing is paid before fin approves it",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      const ana = await stage.signedIn("ana");
      const { payee_id: payee } = await ana.api("/session");
      await cora.go("/adjustments");
      await cora.button("Adjust pay").first().click();
      const form = cora.page.getByRole("dialog", { name: "Adjust pay" });
      await form.getByLabel("Payee").fill(payee);
      await form.getByLabel(/^Amount/).fill("1,250.50");
      await form.getByLabel("Reason").selectOption("goodwill");
      await form.getByLabel("Note").fill("for the delay");
      await cora.expectAccessible("an adjustment");
      await form.getByRole("button", { name: "Submit" }).click();
      await form.waitFor({ state: "detached" });
      const row = cora.page.getByRole("table", { name: "Adjustments" }).getByRole("row").filter({ hasText: "for the delay" });
      await row.getByText("submitted").waitFor();
      const [own] = (await cora.api(`/adjustments?payee=${payee}`)).items.filter((one) => one.note === "for the delay");
      assert.deepEqual([own.amount, own.reason, own.state], ["1250.5", "goodwill", "submitted"]);
      assert.ok(!(await ana.api("/adjustments")).items.some((one) => one.note === "for the delay"), "ana is told before it is approved");
      const fin = await stage.signedIn("fin");
      await fin.go(`/changes/${own.change_id}`);
      await fin.page.getByLabel(/^Comment/).fill("not agreed with her manager");
      await fin.button("Reject").click();
      await fin.page.getByText(/^Rejected: /).first().waitFor();
      await row.getByText("rejected").waitFor();
      await cora.expectQuiet("adjustments");
    },
  ],
  [
    "fin gives her approvals to cora for some days and takes them back",
    async (stage) => {
      const fin = await stage.signedIn("fin");
      const cora = await stage.signedIn("cora");
      const { user_id: to, today } = await cora.api("/session");
      await fin.go("/delegations");
      await fin.button("Give approvals").first().click();
      const form = fin.page.getByRole("dialog", { name: "Give approvals" });
      await form.getByLabel("Are done by").selectOption(to);
      await form.getByLabel("Up to and with").fill(today);
      await form.getByLabel("Why").fill("on leave");
      await fin.expectAccessible("approvals that are given");
      await form.getByRole("button", { name: "Give", exact: true }).click();
      await form.waitFor({ state: "detached" });
      await fin.page.getByText("in force", { exact: true }).waitFor();
      await cora.go("/delegations");
      await cora.page.getByText(/Approvals of fin are done by you/).waitFor();
      await fin.button(/^Take back: /).click();
      await fin.page.getByRole("dialog").getByRole("button", { name: "Take back", exact: true }).click();
      await fin.page.getByText("revoked", { exact: true }).waitFor();
      for (const visitor of [fin, cora]) await visitor.expectQuiet("delegations");
    },
  ],
  [
    "a webhook shows its secret once, gets a new one, and shows what it was told",
    async (stage) => {
      const pat = await stage.signedIn("pat");
      await pat.go("/webhooks");
      await pat.button("Add a webhook").first().click();
      await pat.page.getByLabel("Address").fill("https://hooks.example.com/attain");
      await pat.page.getByRole("dialog").getByRole("button", { name: "Add", exact: true }).click();
      const shown = pat.page.getByRole("dialog", { name: "Its secret" });
      const first = await shown.locator("code").textContent();
      assert.match(first ?? "", /^whsec_[A-Za-z0-9+/]{43}=$/);
      await pat.expectAccessible("the secret of a webhook");
      await pat.page.keyboard.press("Escape");
      await pat.button(/^Acts on https/).click();
      await pat.page.getByRole("menuitem", { name: "Give it a new secret…" }).click();
      await pat.page.getByRole("dialog").getByLabel("The one of now").selectOption({ label: "signs along for a week" });
      await pat.expectAccessible("a new secret");
      await pat.page.getByRole("dialog").getByRole("button", { name: "New secret", exact: true }).click();
      await shown.waitFor();
      assert.notEqual(await shown.locator("code").textContent(), first);
      await pat.page.keyboard.press("Escape");
      await pat.page.getByText("an old secret signs along").waitFor();
      const ana = await stage.signedIn("ana");
      const { period } = await statementWithLine(ana);
      const { payee_id: payee } = await ana.api("/session");
      await ana.api(`/payees/${payee}/periods/${period}/disputes`, { method: "POST", body: { subject: "for the webhook", body: "why" } });
      await pat.page.getByRole("list", { name: "Webhooks" }).getByRole("button", { name: /hooks\.example\.com/ }).first().click();
      await pat.page.getByRole("list", { name: "Deliveries" }).getByText("Dispute raised").first().waitFor();
      await pat.expectAccessible("what a webhook was told");
      await pat.page.keyboard.press("Escape");
      await pat.button(/^Acts on https/).click();
      await pat.page.getByRole("menuitem", { name: "Remove…" }).click();
      await pat.page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
      await pat.page.getByText("No program listens").waitFor();
      await pat.expectQuiet("webhooks");
    },
  ],
  [
    "cora asks nobody twice: a question is answered, and becomes a dispute that holds pay",
    async (stage) => {
      const ana = await stage.signedIn("ana");
      const { payee, period, line } = await statementWithLine(ana);
      const asked = await ana.api(`/payees/${payee}/periods/${period}/disputes`, { method: "POST", body: { kind: "question", line: line.line, subject: "a question of rates", body: "which rate?" } });
      const at = `/disputes/${asked.dispute_id}`;
      const cora = await stage.signedIn("cora");
      await cora.go("/disputes?kind=question&scope=unassigned");
      await cora.page.getByRole("link", { name: /a question of rates/ }).first().click();
      await cora.page.getByLabel("Answer").fill("That of the second tier.");
      await cora.button("Send").click();
      await cora.page.getByText("answered", { exact: true }).first().waitFor();
      // Old addresses of questions lead to the same thread.
      await ana.go(`/questions/${asked.dispute_id}`);
      await ana.page.waitForURL(new RegExp(`${at}$`));
      await ana.button("Make a dispute of it…").click();
      const form = ana.page.getByRole("dialog", { name: "Make a dispute of it" });
      await form.getByLabel("What is wrong").fill("The third tier is reached.");
      await ana.expectAccessible("a question that becomes a dispute");
      await form.getByRole("button", { name: "Make a dispute of it", exact: true }).click();
      await form.waitFor({ state: "detached" });
      await ana.page.getByText("The third tier is reached.").waitFor();
      await cora.button("Hold pay…").click();
      await cora.page.getByRole("dialog").getByLabel("Why").fill("The contract is looked at.");
      await cora.page.getByRole("dialog").getByRole("button", { name: "Hold pay", exact: true }).click();
      await cora.page.getByText("holds pay", { exact: true }).first().waitFor();
      assert.equal((await cora.api(at)).holds_pay, true);
      await cora.expectAccessible("a dispute that holds pay");
      await cora.button("Release pay…").click();
      await cora.page.getByRole("dialog").getByLabel("Why").fill("It is clear.");
      await cora.page.getByRole("dialog").getByRole("button", { name: "Release pay", exact: true }).click();
      await cora.page.getByText("holds pay", { exact: true }).first().waitFor({ state: "detached" });
      // Her page has taken in what cora did, or she would withdraw something else than she sees.
      await ana.page.getByText("Payouts wait no longer: It is clear.").waitFor();
      await ana.settled();
      await ana.button("Withdraw").click();
      await ana.page.getByRole("dialog").getByRole("button", { name: "Withdraw", exact: true }).click();
      await ana.page.getByText("withdrawn", { exact: true }).first().waitFor();
      for (const visitor of [ana, cora]) await visitor.expectQuiet("a question that became a dispute");
    },
  ],
  [
    "cora writes a plan that pays less above a bound, and who decides is told",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      await cora.go("/plans/account-executive");
      const { versions } = await cora.api("/plans/account-executive");
      const { text } = versions.at(-1);
      const whole = text.replace('method = "marginal"', 'method = "whole-amount"');
      assert.notEqual(whole, text, "the plan has no marginal tiers");
      await cora.button("Change it…").first().click();
      await cora.page.locator(".cm-content").first().click();
      await cora.page.keyboard.press("ControlOrMeta+a");
      await cora.page.keyboard.insertText(whole);
      const told = cora.page.getByRole("list", { name: "To look at in the plan" });
      await told.getByText(/pay falls/).waitFor();
      await told.getByText("new", { exact: true }).first().waitFor();
      await cora.expectAccessible("a plan that is written");
      await cora.page.getByLabel("Why").fill("all at the tier that is reached");
      await cora.button("Submit the change").click();
      await cora.page.waitForURL(/\/changes\/change-/);
      const id = new URL(cora.page.url()).pathname.split("/").at(-1);
      const fin = await stage.signedIn("fin");
      await fin.go(`/changes/${id}`);
      await fin.page.getByRole("list", { name: "To look at in the plan" }).getByText(/pay falls/).waitFor();
      await fin.expectAccessible("a change of a plan with something to look at");
      await cora.button("Withdraw").click();
      await cora.page.getByText("withdrawn", { exact: true }).first().waitFor();
      for (const visitor of [cora, fin]) await visitor.expectQuiet("a plan that is written");
    },
  ],
  [
    "cora sends a plan, and sees that ana accepted hers",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      const ana = await stage.signedIn("ana");
      const { payee_id: payee } = await ana.api("/session");
      const { items } = await cora.api("/entities/plan_assignments/rows?limit=1000");
      const plan = items.find((one) => one.values.payee_id === payee)?.values.plan_id;
      assert.ok(plan, "ana is on no plan");
      await cora.go("/plan-documents");
      await cora.button("Send a plan").first().click();
      const form = cora.page.getByRole("dialog", { name: "Send a plan" });
      await form.getByLabel("Plan").fill(plan);
      await form.getByLabel("Only to").fill(payee);
      await form.getByRole("button", { name: "Send", exact: true }).click();
      await cora.page.getByText("waiting", { exact: true }).first().waitFor();
      await ana.go("/my-plan");
      await ana.page.getByText("One plan waits for your answer.").waitFor();
      await ana.page.getByRole("list", { name: "My plans" }).getByRole("link").first().click();
      await ana.page.getByRole("article").waitFor();
      await ana.settled();
      await ana.expectAccessible("one's own plan");
      await ana.expectFits("one's own plan", 390);
      assert.ok(await ana.button("Accept").isDisabled(), "a plan is accepted unread");
      await ana.page.getByLabel("I have read this plan and accept it.").check();
      await ana.button("Accept").click();
      await ana.page.getByText(/^Accepted, /).waitFor();
      await cora.page.getByText("1 of 1 accepted").waitFor();
      for (const visitor of [ana, cora]) await visitor.expectQuiet("plan documents");
    },
  ],
  [
    "a line that ana disputes becomes a case of its formula",
    async (stage) => {
      const ana = await stage.signedIn("ana");
      const { payee_id: payee, current_period: period } = await ana.api("/session");
      const cora = await stage.signedIn("cora");
      const { components } = await ana.api(`/payees/${payee}/periods/${period}/statement`);
      const editable = (await cora.api("/formulas")).items.filter((one) => one.editable);
      const line = components.find((one) => one.kind === "formula" && editable.some((formula) => formula.used_by.some((by) => by.plan_id === one.plan_id && by.component_id === one.component_id)));
      assert.ok(line, "no line is paid by a formula that can be edited");
      const raised = await ana.api(`/payees/${payee}/periods/${period}/disputes`, { method: "POST", body: { line: line.line, subject: "a case of it", body: "why", expected: "777" } });
      await cora.go(`/disputes/${raised.dispute_id}`);
      await cora.button("Make a case of it").click();
      await cora.page.getByText("Its line is a case of the formula").waitFor();
      await cora.page.getByRole("link", { name: "open the draft" }).click();
      await cora.page.waitForURL(/\/changes\/change-/);
      await cora.settled();
      await cora.expectQuiet("a case");
    },
  ],
];
