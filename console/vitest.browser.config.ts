// The browser tests: Chromium against a running server. `ATTAIN_URL` is its address, `ATTAIN_LINKS` the
// reusable sign-in links by persona as JSON, `ATTAIN_CHROMIUM` the browser.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["tests/**/*.test.ts"], environment: "node", testTimeout: 240_000, hookTimeout: 60_000, fileParallelism: false },
});
