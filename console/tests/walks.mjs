// Every screen of every persona on the demo company: nothing fails, nothing is out of reach, by day and by night.

import assert from "node:assert/strict";

/** The addresses beside those of the navigation. Made when the walk begins, from what the interface has. */
const MORE = {
  ana: async (visitor) => {
    const { current_period: period } = await visitor.api("/session");
    const { components } = await visitor.api(`/payees/${(await visitor.api("/session")).payee_id}/periods/${period}/statement`);
    const line = components[0]?.line ?? 1;
    return ["/notices", `/statements/${period}`, `/statements/${period}?line=${line}`, `/statements/${period}?line=${line}&show=credits`, "/account"];
  },
  mia: async (visitor) => {
    const { current_period: period } = await visitor.api("/session");
    const { tree } = await visitor.api(`/team?period=${period}`);
    const report = tree.reports[0]?.payee_id;
    return report ? [`/home?payee=${report}`, `/statements?payee=${report}`, `/team?of=${report}`] : [];
  },
  cora: async (visitor) => {
    const [run] = (await visitor.api("/runs?limit=1")).items;
    const { items: extensions } = await visitor.api("/extensions");
    const [account] = (await visitor.api("/entities/accounts/rows?limit=1")).items;
    const [formula] = (await visitor.api("/formulas")).items.filter((one) => one.editable);
    const [entry] = (await visitor.api("/audit?limit=1")).items;
    const { current_period: period } = await visitor.api("/session");
    return [
      "/notices",
      "/disputes?kind=question",
      "/plans/account-executive",
      `/periods/${period}`,
      "/accounting?tab=accruals",
      "/accounting?tab=journal",
      ...["", "?tab=findings", "?tab=changes", "?tab=pinned", "?tab=compare"].map((tab) => `/runs/${run.run_id}${tab}`),
      ...["about", "versions", "cases", "log"].map((view) => `/extensions?point=${extensions[0].point}&name=${extensions[0].name}&view=${view}`),
      "/data?entity=accounts",
      `/data?entity=accounts&row=${account.id}`,
      `/audit?entry=${entry.sequence}`,
      "/schedules?tab=jobs",
      ...(formula ? [`/formulas/${formula.name}`, `/formulas/${formula.name}?view=history`] : []),
    ];
  },
  fin: async (visitor) => {
    const { current_period: period } = await visitor.api("/session");
    return [`/periods/${period}`, `/adjustments?period=${period}`, "/payouts?state=paid", "/disputes?scope=overdue"];
  },
  audi: async (visitor) => [`/periods/${(await visitor.api("/session")).current_period}`],
  pat: async (visitor) => {
    const [user] = (await visitor.api("/users")).items;
    return ["/schedules?tab=jobs", `/users?user=${user.user_id}`];
  },
};

async function placesOf(visitor) {
  const hrefs = await visitor.page.locator("aside nav a[href]").evaluateAll((links) => links.map((link) => new URL(link.href).pathname));
  assert.ok(hrefs.length > 0, "the navigation offers nothing");
  return [...new Set(hrefs)];
}

export const walks = [
  ...Object.keys(MORE).map((persona) => [
    `every screen of ${persona} works, fits a phone and has no fault of accessibility, light and dark`,
    async (stage) => {
      const visitor = await stage.signedIn(persona);
      for (const path of [...(await placesOf(visitor)), ...(await MORE[persona](visitor))]) {
        await visitor.go(path);
        await visitor.expectQuiet(path);
        await visitor.expectAccessible(path);
        await visitor.expectFits(path, 390);
        await visitor.expectQuiet(path);
      }
    },
  ]),
  [
    "the keyboard alone reaches the main act of each screen",
    async (stage) => {
      const acts = {
        ana: [["/home", "Try a deal"], ["/what-if", "Add a deal"]],
        cora: [["/runs", "Start a run"], ["/extensions", "Upload"], ["/imports", "Choose a CSV file"], ["/audit", "Verify the trail"], ["/schedules", "Add a schedule"], ["/adjustments", "Adjust pay"], ["/plan-documents", "Send a plan"], ["/policy", "Propose a change"], ["/webhooks", "Add a webhook"]],
        fin: [["/payouts", "Draft a payout"], ["/delegations", "Give approvals"], ["/accounting", "CSV"]],
        pat: [["/users", "Add a user"]],
      };
      for (const [persona, screens] of Object.entries(acts)) {
        const visitor = await stage.signedIn(persona);
        for (const [path, name] of screens) {
          await visitor.go(path);
          await visitor.tabTo(name);
        }
        await visitor.close();
      }
    },
  ],
  [
    "a dialog that the keyboard opened takes the focus and gives it back",
    async (stage) => {
      const cora = await stage.signedIn("cora");
      await cora.go("/runs");
      await cora.tabTo("Start a run");
      await cora.page.keyboard.press("Enter");
      const dialog = cora.page.getByRole("dialog", { name: "Start a run" });
      await dialog.waitFor();
      assert.ok(await dialog.evaluate((element) => element.contains(document.activeElement)), "the focus is not in the dialog");
      await cora.page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      await cora.page.waitForFunction(() => document.activeElement?.textContent?.trim() === "Start a run");
    },
  ],
];
