// Those who run the company's pay: runs, data, imports, extensions, schedules, audit, users.

import assert from "node:assert/strict";

/** The first rows of an entity as the record has them. */
async function csvOf(visitor, entity, rows) {
  const text = await visitor.api(`/entities/${entity}/rows.csv`);
  return String(text).trimEnd().split(/\r?\n/).slice(0, rows + 1);
}

export const operation = [
  [
    "a run is started, watched stage by stage, and its control totals tie",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      await cora.go("/runs");
      await cora.button("Start a run").click();
      await cora.page.getByLabel("Note").fill("started in a browser");
      await cora.page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
      await cora.page.getByRole("link", { name: "what it changed" }).click();
      await cora.page.getByRole("tab", { name: "Overview" }).waitFor();
      await cora.settled();
      assert.equal(await cora.page.getByText("They tie", { exact: true }).count(), 2);
      const run = await cora.api(`/runs/${new URL(cora.page.url()).pathname.split("/").at(-1)}`);
      const text = await cora.text();
      for (const stageOf of run.stages) assert.ok((await cora.page.getByRole("img", { name: /^Time by stage/ }).textContent()).includes(stageOf.name), `the stage ${stageOf.name} is not shown`);
      assert.ok(text.includes(run.engine_version));
      await cora.expectQuiet("a run");
    },
  ],
  [
    "a replay answers with the hash verdict",
    async (stage) => {
      const audi = await stage.signedIn("audi");
      const [run] = (await audi.api("/runs?limit=1")).items;
      await audi.go(`/runs/${run.run_id}`);
      await audi.button("Replay").click();
      const verdict = audi.page.getByRole("status", { name: "Replay" });
      await verdict.getByText("it is the same to the byte").waitFor();
      await verdict.getByText(run.run_id).waitFor();
      await audi.expectQuiet("replay");
    },
  ],
  [
    "the findings of a run are grouped, and a group shows its records only",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      const [run] = (await cora.api("/runs?limit=1")).items;
      const detail = await cora.api(`/runs/${run.run_id}`);
      const group = [...detail.findings].sort((a, b) => a.count - b.count)[0];
      assert.ok(group, "the demo company has no findings");
      await cora.go(`/runs/${run.run_id}?tab=findings&code=${group.code}`);
      const rows = cora.page.getByRole("table", { name: "Findings" }).locator("tbody tr[data-row]");
      await rows.first().waitFor();
      assert.equal(await rows.count(), Math.min(group.count, 100));
      await cora.expectQuiet("findings");
    },
  ],
  [
    "data is searched, filtered and sorted by its address, and a row tells where it came from",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      await cora.go("/data?entity=transactions");
      await cora.page.getByLabel("Filter by field").selectOption("currency");
      await cora.page.getByLabel("currency is").fill("EUR");
      await cora.button("Add filter").click();
      await cora.page.waitForURL(/is\.currency=EUR/);
      await cora.button("Amount").click();
      await cora.page.waitForURL(/sort=/);
      await cora.settled();
      const sort = new URL(cora.page.url()).searchParams.get("sort");
      const answer = await cora.api(`/entities/transactions/rows?filter%5Bcurrency%5D=EUR&sort=${sort}&limit=5`);
      const first = cora.page.locator("tr[data-row='0']");
      await first.getByText(answer.items[0].key[0], { exact: true }).waitFor();
      const all = await cora.api("/entities/transactions/rows?limit=1");
      assert.ok(answer.total < all.total, "the filter lets everything through");
      await cora.page.getByText(`${new Intl.NumberFormat("en-US").format(answer.total)} rows`).waitFor();
      await first.focus();
      await cora.page.keyboard.press("Enter");
      await cora.page.getByRole("dialog").getByText("History and lineage").waitFor();
      await cora.page.getByRole("dialog").getByText(/^from /).first().waitFor();
      await cora.expectQuiet("data");
    },
  ],
  [
    "a wrong file is tried, mended in its cells, and imported",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      const lines = await csvOf(cora, "accounts", 3);
      const column = lines[0].split(",").indexOf("workload");
      const wrong = lines.map((line, at) => (at === 2 ? line.split(",").map((cell, place) => (place === column ? "many" : cell)).join(",") : line)).join("\n");
      const before = (await cora.api("/imports?limit=50")).items.length;
      await cora.go("/imports");
      await cora.page.locator("input[type=file]").setInputFiles({ name: "accounts.csv", mimeType: "text/csv", buffer: Buffer.from(`${wrong}\n`) });
      await cora.page.getByText("1 thing is wrong").waitFor();
      assert.equal((await cora.api("/imports?limit=50")).items.length, before, "a trial left something behind");
      const cell = cora.page.getByLabel("Line 3, workload");
      await cell.waitFor();
      await cora.expectAccessible("rows to mend");
      await cell.fill("12");
      await cora.button("Try it again").click();
      await cora.page.getByText("It would go in as it is").waitFor();
      await cora.button(/^(Import \d|Submit for approval)/).click();
      await cora.page.waitForURL(/import=/);
      await cora.settled();
      const [import_] = (await cora.api("/imports?limit=1")).items;
      assert.ok(["applied", "waiting-for-approval"].includes(import_.state), `the import is ${import_.state}`);
      await cora.expectQuiet("import");
    },
  ],
  [
    "an extension shows its digest, its cases and what it may reach",
    async (stage) => {
      const pat = await stage.signedIn("pat");
      const { items } = await pat.api("/extensions");
      const one = items.find((each) => each.case_count > 0);
      assert.ok(one, "no extension has cases");
      await pat.go(`/extensions?point=${one.point}&name=${one.name}`);
      const drawer = pat.page.getByRole("dialog");
      await drawer.getByText(one.digest.slice(0, 12)).first().waitFor();
      await drawer.getByText("What it may reach").waitFor();
      await drawer.getByRole("tab", { name: /^Cases/ }).click();
      await drawer.getByText(/cases? pass(es)?\.$/).waitFor();
      await pat.expectQuiet("an extension");
    },
  ],
  [
    "a schedule says in words when it comes round, is paused, goes on and is removed",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      await cora.go("/schedules");
      await cora.button("Add a schedule").first().click();
      const dialog = cora.page.getByRole("dialog");
      await dialog.getByLabel("Pattern").fill("30 5 * * 1-5");
      await dialog.getByText("Monday to Friday at 05:30").waitFor();
      assert.equal(await dialog.getByRole("listitem").count(), 5);
      await dialog.getByRole("button", { name: "Add", exact: true }).click();
      const line = cora.page.getByRole("listitem").filter({ hasText: "Monday to Friday at 05:30" });
      await line.first().waitFor();
      await line.first().getByRole("button", { name: "Pause" }).click();
      await line.first().getByText("paused").waitFor();
      await line.first().getByRole("button", { name: "Resume" }).click();
      await line.first().getByRole("button", { name: "Pause" }).waitFor();
      await line.first().getByRole("button", { name: "More acts on this schedule" }).click();
      await cora.page.getByRole("menuitem", { name: "Remove" }).click();
      await cora.page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
      await line.first().waitFor({ state: "detached" });
      await cora.expectQuiet("schedules");
    },
  ],
  [
    "the audit trail verifies, and an entry shows its proof",
    async (stage) => {
      const audi = await stage.signedIn("audi");
      await audi.go("/audit");
      await audi.button("Verify the trail").click();
      await audi.page.getByRole("status", { name: "Verification" }).getByText("The trail is whole").waitFor();
      const [entry] = (await audi.api("/audit?limit=1")).items;
      await audi.go(`/audit?entry=${entry.sequence}`);
      const detail = await audi.api(`/audit/${entry.sequence}`);
      await audi.page.getByRole("dialog").getByText(detail.hash.slice(0, 12)).waitFor();
      await audi.page.getByRole("dialog").getByText(detail.proof.root.slice(0, 12)).first().waitFor();
      await audi.page.getByText("Checked in this browser: the entry is in the sealed trail").waitFor();
      await audi.expectQuiet("audit");
    },
  ],
  [
    "pat adds a user, and the link that is shown once signs her in once",
    async (stage) => {
      const pat = await stage.signedIn("pat");
      const login = `zoe-${Date.now().toString(36)}`;
      await pat.go("/users");
      await pat.button("Add a user").click();
      await pat.page.getByLabel("Login").fill(login);
      await pat.page.getByLabel("Name", { exact: true }).fill("Zoe Zimmer");
      await pat.button("Add").click();
      const link = await pat.page.getByLabel("Sign-in link").innerText();
      const { pathname, hash } = new URL(link.trim());
      const zoe = await stage.visitor();
      await zoe.page.goto(stage.url + pathname + hash);
      await zoe.page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
      await zoe.settled();
      assert.equal((await zoe.api("/session")).name, "Zoe Zimmer");
      const again = await stage.visitor();
      await again.page.goto(stage.url + pathname + hash);
      await again.page.getByRole("alert").first().waitFor();
      await pat.expectQuiet("users");
    },
  ],
  [
    "an edit of a user that somebody else changed meanwhile overwrites nothing",
    async (stage) => {
      const pat = await stage.signedIn("pat");
      const { items } = await pat.api("/users");
      const user = items.find((one) => one.name === "Zoe Zimmer") ?? items.find((one) => one.login === "audi");
      await pat.go(`/users?user=${user.user_id}`);
      const dialog = pat.page.getByRole("dialog");
      await dialog.getByLabel("Name", { exact: true }).fill("Changed Second");
      const now = await pat.ask(`/users/${user.user_id}`);
      await pat.api(`/users/${user.user_id}`, { method: "PATCH", body: { name: "Changed First" }, headers: { "if-match": now.etag } });
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.getByText("Somebody changed this user meanwhile").waitFor();
      assert.equal((await pat.api(`/users/${user.user_id}`)).name, "Changed First");
      await dialog.getByRole("button", { name: "Show her as she is now" }).click();
      await dialog.getByText("Somebody changed this user meanwhile").waitFor({ state: "detached" });
      // She is read again, which takes its time.
      await pat.page.waitForFunction(() => [...document.querySelectorAll("[role=dialog] input")].some((input) => input.value === "Changed First"));
    },
  ],
];
