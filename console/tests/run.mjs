// The console's browser tests: people sign in and work on the demo company. `node run.mjs [PART OF A NAME]` with the environment
// ATTAIN_URL, ATTAIN_LINKS (persona to reusable sign-in link, JSON) and ATTAIN_CHROMIUM. To add tests: a file that exports a list, and
// a line here. They run one after another and share one record.

import { Stage } from "./stage.mjs";
import { access } from "./access.mjs";
import { formulas } from "./formulas.mjs";
import { operation } from "./operation.mjs";
import { walks } from "./walks.mjs";

const all = [...access, ...walks, ...operation, ...formulas];
const wanted = process.argv[2] ?? "";
const chosen = all.filter(([name]) => name.includes(wanted));

const stage = await Stage.open();
let failed = 0;
for (const [name, test] of chosen) {
  const begun = performance.now();
  try {
    await test(stage);
    console.log(`ok    ${name} (${Math.round(performance.now() - begun)} ms)`);
  } catch (error) {
    failed += 1;
    const kept = await stage.keep(name);
    console.log(`FAIL  ${name}\n      ${String(error?.stack ?? error).split("\n").slice(0, 40).join("\n      ")}\n      see ${kept}`);
  }
  await stage.clear();
}
await stage.close();
console.log(`browser tests: ${chosen.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0;
