import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { check, leafHash, rootOf } from "./proof";

const sha = (...parts: Buffer[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
const leaf = (body: Buffer) => sha(Buffer.from([0]), body);
const node = (left: Buffer, right: Buffer) => sha(Buffer.from([1]), left, right);

/** The definition of RFC 6962, section 2.1: root and audit path by recursion. */
function tree(bodies: Buffer[]): Buffer {
  if (bodies.length === 1) return leaf(bodies[0] as Buffer);
  const left = 2 ** Math.ceil(Math.log2(bodies.length) - 1);
  return node(tree(bodies.slice(0, left)), tree(bodies.slice(left)));
}
function way(index: number, bodies: Buffer[]): Buffer[] {
  if (bodies.length === 1) return [];
  const left = 2 ** Math.ceil(Math.log2(bodies.length) - 1);
  return index < left ? [...way(index, bodies.slice(0, left)), tree(bodies.slice(left))] : [...way(index - left, bodies.slice(left)), tree(bodies.slice(0, left))];
}

describe("a proof of inclusion", () => {
  it("leads to the root from every place of trees of every shape", async () => {
    for (let size = 1; size <= 17; size++) {
      const bodies = Array.from({ length: size }, (_, at) => Buffer.from(`entry ${at + 1}`));
      const root = tree(bodies).toString("hex");
      for (const [index, body] of bodies.entries()) {
        const path = way(index, bodies).map((hash) => hash.toString("hex"));
        expect(await rootOf(index, size, await leafHash(body.toString("hex")), path)).toBe(root);
      }
    }
  });

  it("fails for another body, another place and another way", async () => {
    const bodies = Array.from({ length: 6 }, (_, at) => Buffer.from(`entry ${at + 1}`));
    const proof = { size: 6, root: tree(bodies).toString("hex"), path: way(2, bodies).map((hash) => hash.toString("hex")) };
    const body = (bodies[2] as Buffer).toString("hex");
    const entry = { sequence: 3, hash: await leafHash(body), body, proof };
    expect(await check(entry)).toBe("proven");
    expect(await check({ ...entry, body: Buffer.from("entry three").toString("hex") })).toBe("false");
    expect(await check({ ...entry, sequence: 4 })).toBe("false");
    expect(await check({ ...entry, proof: { ...proof, path: proof.path.slice(1) } })).toBe("false");
    expect(await check({ ...entry, proof: null })).toBe("unable");
  });
});
