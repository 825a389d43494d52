// Who comes in, and who sees what.

import assert from "node:assert/strict";
import { money } from "./stage.mjs";

const PERSONAS = { ana: "/home", mia: "/team", cora: "/runs", fin: "/runs", audi: "/runs", pat: "/users" };

/** Somebody who is paid and is neither she nor below her. */
async function somebodyElse(stage, me) {
  const finance = await stage.signedIn("fin");
  const session = await finance.api("/session");
  const period = session.current_period;
  const { items } = await finance.api(`/payees?period=${period}&limit=1000`);
  for (const payee of items) {
    if (payee.payee_id === me.payee_id) continue;
    const home = await finance.ask(`/payees/${payee.payee_id}/periods/${period}/home`);
    if (home.status === 200 && !/^0(\.0+)?$/.test(home.value.buckets.earned)) {
      await finance.close();
      return { ...payee, period, earned: home.value.buckets.earned, currency: home.value.currency };
    }
  }
  return assert.fail("nobody else is paid anything in the demo company");
}

export const access = [
  [
    "who is not signed in is sent to sign in, whatever the address",
    async (stage) => {
      const visitor = await stage.visitor();
      for (const path of ["/", "/statements", "/runs", "/users"]) {
        await visitor.page.goto(stage.url + path);
        await visitor.page.waitForURL(/\/sign-in/);
      }
      visitor.forgive(/401/);
      await visitor.expectQuiet("sign-in");
      await visitor.expectAccessible("sign-in");
    },
  ],
  ...Object.entries(PERSONAS).map(([persona, start]) => [
    `${persona} signs in by her link and begins where her work is`,
    async (stage) => {
      const visitor = await stage.signedIn(persona);
      assert.equal(new URL(visitor.page.url()).pathname, start);
      assert.equal(new URL(visitor.page.url()).hash, "", "the secret of the link stays in the address");
      await visitor.expectQuiet(start);
    },
  ]),
  [
    "ana does not reach another person's pay by any address",
    async (stage) => {
      const ana = await stage.signedIn("ana");
      const me = await ana.api("/session");
      const other = await somebodyElse(stage, me);
      const shown = money(other.earned, other.currency);
      for (const path of [`/statements/${other.period}?payee=${other.payee_id}`, `/home?payee=${other.payee_id}`, `/statements?payee=${other.payee_id}`, `/what-if?payee=${other.payee_id}`, `/team?of=${other.payee_id}`]) {
        await ana.go(path);
        await ana.page.getByText(/There is nothing here for you|This screen is not for you|You may not see this/).first().waitFor();
        const text = await ana.text();
        assert.ok(!text.includes(other.name) && !text.includes(shown), `${path} shows ana something of ${other.name}:\n${text}`);
      }
      const at = `/payees/${other.payee_id}`;
      const within = `${at}/periods/${other.period}`;
      for (const path of [`${at}/statements`, `${at}/pipeline`, `${within}/home`, `${within}/statement`, `${within}/explanation`, `${within}/explanation?line=1`, `${within}/lines/1/credits`, `${within}/lines/1/rule`, `${within}/statement.pdf`, `${within}/statement.xlsx`, `${within}/statement.csv`]) {
        assert.equal((await ana.ask(path)).status, 404, `GET ${path} as ana`);
      }
      const nothing = { method: "POST", body: { opportunities: [], deals: [], transactions: [] } };
      assert.equal((await ana.ask(`${within}/what-if`, nothing)).status, 404, "what-if of another person as ana");
      // The same addresses with her own id are there: what was refused was the person, not the address.
      const own = `/payees/${me.payee_id}/periods/${other.period}`;
      for (const path of ["home", "statement", "explanation", "explanation?line=1", "lines/1/credits", "lines/1/rule", "statement.pdf", "statement.xlsx", "statement.csv"]) assert.equal((await ana.ask(`${own}/${path}`)).status, 200, `GET ${path} of her own`);
      assert.equal((await ana.ask(`${own}/what-if`, nothing)).status, 200, "her own what-if");
      ana.forgive(/status of 40[34]/);
      assert.deepEqual(ana.errors, []);
    },
  ],
  [
    "screens that a role does not have say so and show nothing",
    async (stage) => {
      const refused = { ana: ["/runs", "/data", "/imports", "/audit", "/extensions", "/schedules", "/users", "/changes", "/periods", "/payouts", "/adjustments", "/accounting", "/plan-documents", "/policy", "/delegations", "/webhooks"], pat: ["/runs", "/data", "/audit", "/imports", "/payouts", "/periods", "/adjustments"], audi: ["/users", "/imports", "/webhooks"] };
      for (const [persona, paths] of Object.entries(refused)) {
        const visitor = await stage.signedIn(persona);
        for (const path of paths) {
          await visitor.go(path);
          await visitor.page.getByText(/This screen is not for you|You may not see this/).first().waitFor();
          assert.equal(await visitor.page.getByRole("table").count(), 0, `${path} as ${persona} shows a table`);
        }
        await visitor.close();
      }
    },
  ],
  [
    "mia sees her team's statements and no others",
    async (stage) => {
      const mia = await stage.signedIn("mia");
      const session = await mia.api("/session");
      const team = await mia.api(`/team?period=${session.current_period}`);
      const report = team.tree.reports.find((one) => one.earned !== null);
      assert.ok(report, "nobody in mia's team is paid");
      await mia.go(`/statements/${session.current_period}?payee=${report.payee_id}`);
      await mia.page.getByRole("heading", { level: 1, name: new RegExp(report.name) }).waitFor();
      await mia.expectQuiet("the statement of a report");
      const below = new Set();
      (function walk(member) {
        below.add(member.payee_id);
        member.reports.forEach(walk);
      })(team.tree);
      const fin = await stage.signedIn("fin");
      const { items } = await fin.api(`/payees?period=${session.current_period}&limit=1000`);
      const stranger = items.find((one) => !below.has(one.payee_id));
      assert.ok(stranger, "everybody reports to mia");
      await mia.go(`/statements/${session.current_period}?payee=${stranger.payee_id}`);
      await mia.page.getByText("There is nothing here for you").waitFor();
      assert.ok(!(await mia.text()).includes(stranger.name));
    },
  ],
];
