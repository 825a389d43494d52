// The console's browser tests: people sign in and work on the demo company. `node run.mjs [PART OF A NAME]` with the environment
// ATTAIN_URL, ATTAIN_LINKS (persona to reusable sign-in link, JSON), ATTAIN_CHROMIUM and ATTAIN_BINARY. To add tests: a file that
// exports a list, and a line here. They run one after another and share one record; those of `*.test.ts` run first, by vitest.

import { fileURLToPath } from "node:url";
import { startVitest } from "vitest/node";
import { Stage } from "./stage.mjs";
import { access } from "./access.mjs";
import { formulas } from "./formulas.mjs";
import { oidc } from "./oidc.mjs";
import { operation } from "./operation.mjs";
import { people } from "./people.mjs";
import { walks } from "./walks.mjs";

const all = [...access, ...walks, ...operation, ...formulas, ...people, ...oidc];
const wanted = process.argv[2] ?? "";
const chosen = all.filter(([name]) => name.includes(wanted));

let failed = 0;
let passed = 0;
if (!wanted) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const vitest = await startVitest("test", [], { root, config: "vitest.browser.config.ts", watch: false });
  const modules = vitest.state.getTestModules();
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  passed = tests.filter((test) => test.result().state === "passed").length;
  // A file that did not load has no tests, and must count.
  failed = tests.length - passed + modules.filter((module) => module.state() === "failed" && module.children.size === 0).length;
  await vitest.close();
}

const stage = await Stage.open();
for (const [name, test] of chosen) {
  const begun = performance.now();
  try {
    await test(stage);
    passed += 1;
    console.log(`ok    ${name} (${Math.round(performance.now() - begun)} ms)`);
  } catch (error) {
    failed += 1;
    const kept = await stage.keep(name);
    console.log(`FAIL  ${name}\n      ${String(error?.stack ?? error).split("\n").slice(0, 40).join("\n      ")}\n      see ${kept}`);
  }
  await stage.clear();
}
await stage.close();
console.log(`browser tests: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
