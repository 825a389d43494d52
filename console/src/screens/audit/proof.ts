// Checks in the browser that an entry is under a root: the tree of RFC 6962 over SHA-256, without trust in the server's word.

export type Checked = "proven" | "false" | "unable";

const bytesOf = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
const hexOf = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function hash(prefix: number, ...parts: Uint8Array[]): Promise<Uint8Array> {
  const all = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0));
  all[0] = prefix;
  let at = 1;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", all));
}

export function leafHash(body: string): Promise<string> {
  return hash(0, bytesOf(body)).then(hexOf);
}

/** The root that a leaf and the hashes beside its way lead to (RFC 9162, 2.1.3.2); null where the way does not fit the place. */
export async function rootOf(index: number, size: number, leaf: string, path: string[]): Promise<string | null> {
  if (index < 0 || index >= size) return null;
  let place = index;
  let last = size - 1;
  let own: Uint8Array = bytesOf(leaf);
  for (const beside of path.map(bytesOf)) {
    if (last === 0) return null;
    if (place % 2 === 1 || place === last) {
      own = await hash(1, beside, own);
      while (place % 2 === 0 && place !== 0) {
        place = Math.floor(place / 2);
        last = Math.floor(last / 2);
      }
    } else own = await hash(1, own, beside);
    place = Math.floor(place / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hexOf(own) : null;
}

/** Unable where the browser has no cryptography, as on plain http from elsewhere. */
export async function check(entry: { sequence: number; hash: string; body: string; proof: { size: number; root: string; path: string[] } | null }): Promise<Checked> {
  if (!entry.proof || !crypto.subtle) return "unable";
  const leaf = await leafHash(entry.body);
  const root = await rootOf(entry.sequence - 1, entry.proof.size, leaf, entry.proof.path);
  return leaf === entry.hash && root === entry.proof.root ? "proven" : "false";
}
