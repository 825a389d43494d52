// How the console talks to the server: one function for each verb. Every change carries the console's header (the server refuses
// a cookie without it), every POST an idempotency key, and every refusal arrives as a `Problem`.

import { Problem } from "./problem";

export const BASE = "/api/v1";

export type Query = Record<string, string | number | boolean | null | undefined>;

/** A path under the base with its query; what is null, undefined or empty is left out. */
export function path(parts: TemplateStringsArray, ...values: (string | number)[]): string {
  return parts.reduce((text, part, at) => text + part + (at < values.length ? encodeURIComponent(String(values[at])) : ""), "");
}

export function withQuery(at: string, query?: Query): string {
  if (!query) return at;
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") asked.set(name, String(value));
  }
  const text = asked.toString();
  return text === "" ? at : `${at}${at.includes("?") ? "&" : "?"}${text}`;
}

/** The address of a download, for an ordinary link. */
export function download(at: string, query?: Query): string {
  return BASE + withQuery(at, query);
}

/** Random and unique; `crypto.randomUUID` is missing on plain-http addresses other than localhost. */
export function freshKey(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export interface Ask {
  query?: Query;
  body?: unknown;
  /** A file or text sent as it is, with its media type. */
  raw?: { content: BodyInit; type: string };
  /** The version that an edit was made on, as `ETag` gave it. */
  ifMatch?: string;
  /** The same key for the second try of one act. */
  idempotencyKey?: string;
  signal?: AbortSignal;
}

export interface Answer<T> {
  value: T;
  etag: string | null;
  status: number;
  location: string | null;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

export async function ask<T>(method: Method, at: string, options: Ask = {}): Promise<Answer<T>> {
  const headers = new Headers({ accept: "application/json" });
  let body: BodyInit | undefined;
  if (options.raw) {
    headers.set("content-type", options.raw.type);
    body = options.raw.content;
  } else if (options.body !== undefined) {
    headers.set("content-type", "application/json");
    body = JSON.stringify(options.body);
  }
  if (method !== "GET") headers.set("x-attain", "console");
  if (method === "POST") headers.set("idempotency-key", options.idempotencyKey ?? freshKey());
  if (options.ifMatch) headers.set("if-match", options.ifMatch);
  let response: Response;
  try {
    response = await fetch(BASE + withQuery(at, options.query), {
      method,
      headers,
      body,
      credentials: "same-origin",
      signal: options.signal,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw Problem.unreachable();
  }
  if (!response.ok) throw await Problem.from(response);
  const empty = response.status === 204 || response.headers.get("content-length") === "0";
  const value = empty ? undefined : await response.json();
  return {
    value: value as T,
    etag: response.headers.get("etag"),
    status: response.status,
    location: response.headers.get("location"),
  };
}

async function value<T>(method: Method, at: string, options?: Ask): Promise<T> {
  return (await ask<T>(method, at, options)).value;
}

export const api = {
  get: <T>(at: string, options?: Ask) => value<T>("GET", at, options),
  post: <T>(at: string, body?: unknown, options?: Ask) => value<T>("POST", at, { ...options, body }),
  put: <T>(at: string, body: unknown, options?: Ask) => value<T>("PUT", at, { ...options, body }),
  patch: <T>(at: string, body: unknown, options?: Ask) => value<T>("PATCH", at, { ...options, body }),
  delete: <T = void>(at: string, options?: Ask) => value<T>("DELETE", at, options),
  /** With the version (`etag`) that a later edit must name. */
  versioned: <T>(at: string, options?: Ask) => ask<T>("GET", at, options),
};
