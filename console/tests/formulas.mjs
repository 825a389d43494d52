// The show-piece: a formula is edited, its cases answer, its cost is shown in money, a second person approves, and the seller's page
// changes before her eyes.

import assert from "node:assert/strict";
import { money, scaled } from "./stage.mjs";

const FORMULA = "spif-automation";
/** Pays whoever stays below the hurdle, which no case does: the cases stay green and the seller gets more. */
const BONUS = 250;
const WIDER = `\n+ if to_date > 0 && to_date < settings.hurdle { ${BONUS} } else { 0 }`;

async function open(visitor) {
  await visitor.go(`/formulas/${FORMULA}`);
  const text = visitor.page.getByRole("textbox", { name: `Text of ${FORMULA}` });
  await text.waitFor();
  await visitor.page.getByText(/^all \d+ green$/).waitFor();
  return text;
}

async function appendTo(visitor, textbox, typed) {
  await textbox.click();
  await visitor.page.keyboard.press("Control+End");
  await visitor.page.keyboard.insertText(typed);
}

export const formulas = [
  [
    "a case goes red while cora types, and green again",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      const textbox = await open(cora);
      await appendTo(cora, textbox, "+ 100");
      await cora.page.getByText(/^\d+ of \d+ red$/).waitFor();
      await cora.page.getByRole("region", { name: "Results of the cases" }).getByText(/expected/).first().waitFor();
      await cora.expectAccessible("a red case");
      for (let letter = 0; letter < "+ 100".length; letter++) await cora.page.keyboard.press("Backspace");
      await cora.page.getByText(/^all \d+ green$/).waitFor();
      await cora.expectQuiet("formula editor");
    },
  ],
  [
    "an error stands at its line while cora types",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      const textbox = await open(cora);
      await appendTo(cora, textbox, "+ (");
      await cora.page.getByText(/^Line \d+:/).first().waitFor();
      await cora.expectQuiet("formula editor");
    },
  ],
  [
    "the difference in money that cora sees is the interface's own",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      const session = await cora.api("/session");
      const { source_text: source } = await cora.api(`/formulas/${FORMULA}`);
      const textbox = await open(cora);
      await appendTo(cora, textbox, WIDER);
      const impact = await cora.api(`/formulas/${FORMULA}/impact`, { method: "POST", body: { source: source + WIDER, period: session.current_period } });
      assert.ok(impact.complete, `the calculation did not get through: ${JSON.stringify(impact.findings)}`);
      assert.notEqual(scaled(impact.totals.difference), 0n, "the change moves nobody's pay");
      assert.equal(scaled(impact.totals.after) - scaled(impact.totals.before), scaled(impact.totals.difference));
      const net = cora.page.getByTestId("impact-net");
      await net.getByText(money(impact.totals.difference, impact.currency, "exceptZero"), { exact: true }).waitFor();
      const panel = cora.page.getByRole("region", { name: "Impact", exact: true });
      const rows = panel.getByRole("table", { name: /^Largest changes/ }).locator("tbody tr");
      assert.equal(await rows.count(), Math.min(10, impact.largest.length));
      for (const [at, payee] of impact.largest.slice(0, 3).entries()) {
        const row = await rows.nth(at).innerText();
        assert.ok(row.includes(payee.name) && row.includes(money(payee.difference, impact.currency, "exceptZero")), `row ${at + 1} is \`${row}\``);
      }
      await rows.first().getByRole("button").first().click();
      await cora.page.getByRole("dialog").waitFor();
      await cora.expectAccessible("both traces");
      await cora.expectQuiet("impact");
    },
  ],
  [
    "cora submits, fin approves as the second person, and ana's open page changes without a reload",
    async (stage) => {
      const ana = await stage.signedIn("ana");
      const me = await ana.api("/session");
      const at = `/payees/${me.payee_id}/periods/${me.current_period}/home`;
      const before = await ana.api(at);
      await ana.go("/home");
      await ana.page.getByText(money(before.buckets.earned, before.currency)).first().waitFor();
      await ana.page.evaluate(() => {
        window.openSince = "the beginning";
      });

      const cora = await stage.signedIn("cora");
      const textbox = await open(cora);
      await appendTo(cora, textbox, WIDER);
      await cora.page.getByText("No errors").waitFor();
      const submit = cora.button("Submit…");
      await cora.page.waitForFunction((name) => [...document.querySelectorAll("button")].some((button) => button.textContent?.trim() === name && !button.disabled), "Submit…");
      await submit.click();
      const dialog = cora.page.getByRole("dialog");
      await dialog.getByLabel("Why").fill("those below the hurdle get a start");
      await dialog.getByRole("button", { name: "Submit", exact: true }).click();
      await dialog.waitFor({ state: "detached" });
      const { items } = await cora.api("/changes?state=submitted");
      const change = items.find((one) => one.object === FORMULA);
      assert.ok(change, "nothing was submitted");

      await cora.go(`/changes/${change.change_id}`);
      assert.ok(await cora.button("Approve").isDisabled(), "the author may approve her own change");
      const { content_hash } = await cora.api(`/changes/${change.change_id}`);
      const own = await cora.ask(`/changes/${change.change_id}/approval`, { method: "POST", body: { content_hash } });
      assert.ok(own.status >= 400, `the interface let the author approve: ${own.status}`);
      cora.forgive(/status of 4\d\d/);

      const fin = await stage.signedIn("fin");
      await fin.go("/changes");
      await fin.page.getByRole("link", { name: new RegExp(FORMULA) }).first().click();
      await fin.settled();
      await fin.expectAccessible("a change that waits");
      await fin.button("Approve").click();
      await fin.page.getByText(/^Approved: /).first().waitFor();
      assert.equal((await fin.api(`/changes/${change.change_id}`)).state, "approved");

      const wanted = scaled(before.buckets.earned) + BigInt(BONUS) * 10_000n;
      const shown = money((Number(wanted) / 10_000).toFixed(2), before.currency);
      await ana.page.getByText(shown).first().waitFor({ timeout: 60_000 });
      assert.equal(await ana.page.evaluate(() => window.openSince), "the beginning", "the page was loaded again");
      assert.equal(scaled((await ana.api(at)).buckets.earned), wanted);
      for (const visitor of [ana, cora, fin]) await visitor.expectQuiet(visitor.page.url());
    },
  ],
  [
    "the run that the approval started says that the formula is the cause",
    async (stage) => {
      const fin = await stage.signedIn("fin");
      const [run] = (await fin.api("/runs?limit=1")).items;
      await fin.go(`/runs/${run.run_id}?tab=changes`);
      await fin.page.getByText(/payees? moved/).waitFor();
      const chip = fin.page.getByRole("group", { name: "Filter by cause" }).getByRole("button", { name: new RegExp(FORMULA) });
      await chip.click();
      await fin.page.waitForURL(/cause=/);
      await fin.expectAccessible("who moved and why");
      await fin.expectQuiet("receipt");
    },
  ],
  [
    "the history of the formula offers the way back",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      await cora.go(`/formulas/${FORMULA}?view=history`);
      await cora.page.getByRole("button", { name: /Roll back|Restore|Back to/ }).first().waitFor();
      await cora.expectQuiet("history");
    },
  ],
];
