// All browser tests against the server of `ATTAIN_URL`; `cargo xtask test` starts one and calls this.

import { fileURLToPath } from "node:url";
import { startVitest } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = await startVitest("test", process.argv.slice(2), { root, config: "vitest.browser.config.ts", watch: false });
const modules = vitest.state.getTestModules();
const tests = modules.flatMap((module) => [...module.children.allTests()]);
const failed = tests.filter((test) => test.result().state === "failed").length;
const broken = modules.filter((module) => module.state() === "failed").length;
await vitest.close();
console.log(`browser: ${tests.length} tests, ${failed} failed`);
process.exit(failed + broken === 0 && tests.length > 0 ? 0 : 1);
