// What the server says when it refuses or fails (RFC 9457), as an error that a screen can show.

export interface Fault {
  message: string;
  pointer?: string;
}

export class Problem extends Error {
  readonly status: number;
  /** Stable and kebab-case; `unreachable` where no answer came at all. */
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly errors: Fault[];
  readonly requestId: string | null;
  /** Seconds after which to try again. */
  readonly retryAfter: number | null;

  constructor(fields: {
    status: number;
    code: string;
    title: string;
    detail: string;
    errors?: Fault[];
    requestId?: string | null;
    retryAfter?: number | null;
  }) {
    super(fields.detail || fields.title);
    this.name = "Problem";
    this.status = fields.status;
    this.code = fields.code;
    this.title = fields.title;
    this.detail = fields.detail;
    this.errors = fields.errors ?? [];
    this.requestId = fields.requestId ?? null;
    this.retryAfter = fields.retryAfter ?? null;
  }

  static unreachable(): Problem {
    return new Problem({
      status: 0,
      code: "unreachable",
      title: "The server cannot be reached",
      detail: "no answer from the server; check your connection and try again",
    });
  }

  static async from(response: Response): Promise<Problem> {
    const body: unknown = await response.json().catch(() => null);
    const said = (body && typeof body === "object" ? body : {}) as Record<string, unknown>;
    const text = (name: string, otherwise: string) => (typeof said[name] === "string" ? (said[name] as string) : otherwise);
    const retryAfter = Number(response.headers.get("retry-after"));
    return new Problem({
      status: response.status,
      code: text("code", "unknown"),
      title: text("title", response.statusText || `status ${response.status}`),
      detail: text("detail", `the server answered with status ${response.status}`),
      errors: Array.isArray(said.errors) ? (said.errors as Fault[]) : [],
      requestId: response.headers.get("x-request-id"),
      retryAfter: Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : null,
    });
  }
}
