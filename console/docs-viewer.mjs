// Puts the viewer of /api/docs beside the console: dist/docs/scalar.js, which the server's page loads, so that sites without a way out
// can read the interface too. Only the built file of the package is taken, checked against its pinned digest; installing the package
// would bring 270 others that the file already holds. `npm run build` calls this after vite.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = "@scalar/api-reference";
const VERSION = "1.72.1";
const INTEGRITY = "sha512-XpEJ0rfc/cXbCrR+iC4kK0o/WwX2dTtGQbT049OlPKAHD6IMIFdTeGz2r+M27P2EDWKyUITRm/NzlP8z2pw/Ow==";
const FILE = "package/dist/browser/standalone.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const kept = join(here, "node_modules", ".cache", "docs-viewer", VERSION);
const viewer = join(kept, "scalar.js");

if (!existsSync(viewer)) {
  mkdirSync(kept, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--silent", "--prefer-offline", "--pack-destination", kept, `${PACKAGE}@${VERSION}`], { encoding: "utf8", cwd: here });
  const archive = join(kept, packed.trim().split("\n").at(-1) ?? "");
  const digest = `sha512-${createHash("sha512").update(readFileSync(archive)).digest("base64")}`;
  if (digest !== INTEGRITY) {
    rmSync(archive);
    throw new Error(`${PACKAGE} ${VERSION} has the digest ${digest}, not the pinned ${INTEGRITY}`);
  }
  execFileSync("tar", ["-xzf", archive, "-C", kept, FILE]);
  renameSync(join(kept, FILE), viewer);
  rmSync(archive);
  rmSync(join(kept, "package"), { recursive: true });
}

mkdirSync(join(here, "dist", "docs"), { recursive: true });
copyFileSync(viewer, join(here, "dist", "docs", "scalar.js"));
