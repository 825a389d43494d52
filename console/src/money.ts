// Exact amounts: every amount is a decimal string from the server, arithmetic is on BigInt, formatting is by Intl on the string.
// Nothing here is a float except `toPixels`, which is for positions on a screen and says so.

/** A decimal number as text, such as `-8784.04`. */
export type Decimal = string;

const PATTERN = /^([+-]?)(\d+)(?:\.(\d*))?$/;

interface Exact {
  units: bigint;
  scale: number;
}

function exact(text: Decimal): Exact {
  const match = PATTERN.exec(text.trim());
  if (!match) throw new RangeError(`\`${text}\` is not a decimal number`);
  const [, sign, whole = "0", part = ""] = match;
  const units = BigInt(whole + part);
  return { units: sign === "-" ? -units : units, scale: part.length };
}

function show({ units, scale }: Exact): Decimal {
  const negative = units < 0n;
  const digits = (negative ? -units : units).toString().padStart(scale + 1, "0");
  const whole = digits.slice(0, digits.length - scale);
  const part = scale === 0 ? "" : digits.slice(digits.length - scale).replace(/0+$/, "");
  const text = part === "" ? whole : `${whole}.${part}`;
  return negative && text !== "0" ? `-${text}` : text;
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const x = exact(a);
  const y = exact(b);
  const scale = Math.max(x.scale, y.scale);
  return [x.units * 10n ** BigInt(scale - x.scale), y.units * 10n ** BigInt(scale - y.scale), scale];
}

export function isDecimal(text: string): boolean {
  return PATTERN.test(text.trim());
}

export function add(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return show({ units: x + y, scale });
}

export function subtract(a: Decimal, b: Decimal): Decimal {
  const [x, y, scale] = aligned(a, b);
  return show({ units: x - y, scale });
}

export function sum(amounts: Iterable<Decimal>): Decimal {
  let total = "0";
  for (const amount of amounts) total = add(total, amount);
  return total;
}

/** Negative, zero or positive, as `Array.sort` wants it. */
export function compare(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

export function sign(amount: Decimal): -1 | 0 | 1 {
  const { units } = exact(amount);
  return units < 0n ? -1 : units > 0n ? 1 : 0;
}

export function negate(amount: Decimal): Decimal {
  const { units, scale } = exact(amount);
  return show({ units: -units, scale });
}

export function absolute(amount: Decimal): Decimal {
  return sign(amount) < 0 ? negate(amount) : amount;
}

/** What a person typed in her own way (`1,234.50`, ` 1 234 `), as a decimal, or null where it is none. */
export function typed(text: string): Decimal | null {
  const bare = text.replace(/[\s,_'\u00a0\u202f$€£]/g, "");
  return isDecimal(bare) ? show(exact(bare)) : null;
}

/** A position on a screen. Never for an amount that is shown or sent. */
export function toPixels(amount: Decimal): number {
  return Number(amount);
}

const formats = new Map<string, Intl.NumberFormat>();

function format(options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = JSON.stringify(options);
  let found = formats.get(key);
  if (!found) {
    found = new Intl.NumberFormat(undefined, options);
    formats.set(key, found);
  }
  return found;
}

function text(options: Intl.NumberFormatOptions, amount: Decimal): string {
  // Intl takes the string as it is and keeps every digit (ECMA-402, Intl.StringNumericLiteral).
  return format(options).format(amount as Intl.StringNumericLiteral);
}

export interface MoneyOptions {
  /** `always` puts a plus before a gain. */
  sign?: "auto" | "always";
  /** Whole units: for axes and summaries, never for what somebody is paid. */
  whole?: boolean;
  /** `1.2M`: for axes. */
  short?: boolean;
}

/** An amount with its currency, or as a plain number where none is known. All the digits that the server sent are shown, at least the currency's own. */
export function money(amount: Decimal, currency: string | null | undefined, options: MoneyOptions = {}): string {
  const signDisplay = options.sign === "always" ? ("exceptZero" as const) : ("negative" as const);
  const digits = options.short
    ? { notation: "compact" as const, maximumFractionDigits: 1 }
    : options.whole
      ? { maximumFractionDigits: 0, minimumFractionDigits: 0 }
      : { maximumFractionDigits: Math.max(exact(amount).scale, currency ? 2 : 0) };
  return currency
    ? text({ style: "currency", currency, currencyDisplay: "narrowSymbol", signDisplay, ...digits }, amount)
    : text({ signDisplay, ...digits }, amount);
}

/** A rate or an attainment (`0.886888`) as a percentage. */
export function percent(rate: Decimal, digits = 1): string {
  return text({ style: "percent", minimumFractionDigits: 0, maximumFractionDigits: digits }, rate);
}

export function number(value: Decimal | number, digits?: number): string {
  return format(digits === undefined ? { maximumFractionDigits: 10 } : { maximumFractionDigits: digits }).format(value as Intl.StringNumericLiteral);
}

/** What one more unit pays: `4.2%` of an amount, or `1,200` for each of something counted. */
export function rate(value: Decimal): string {
  return compare(absolute(value), "2") <= 0 ? percent(value, 4) : number(value);
}

/** A value of a measure, whose unit is not known here: `2,904,715.2`, shortened where it is large and `short`. */
export function measure(value: Decimal, short = false): string {
  return text(short ? { notation: "compact", maximumFractionDigits: 1 } : { maximumFractionDigits: 4 }, value);
}
