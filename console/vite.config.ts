// The console's build: hashed files under dist/assets, nothing inline, so that the server's content security policy holds.
import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { budget } from "./budget.ts";

const server = process.env.ATTAIN_SERVER ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/",
  plugins: [react(), tailwindcss(), budget()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    outDir: "dist",
    assetsDir: "assets",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    rolldownOptions: {
      output: {
        // What changes only with a new version of a library is one file, which browsers keep over releases of ours.
        codeSplitting: { groups: [{ name: "libraries", test: /node_modules\/(react|react-dom|scheduler|@tanstack\/(react-router|router-core|history|react-store|store))\// }] },
      },
    },
  },
  server: { proxy: { "/api": { target: server } } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
