// Amounts and rates on the screen: tabular digits, never broken over lines, a gain or loss said by sign and colour together.

import { useCurrency } from "@/api/session";
import { type Decimal, type MoneyOptions, money, percent, sign } from "@/money";

export function Money({
  amount,
  currency,
  className = "",
  ...options
}: { amount: Decimal | null | undefined; currency?: string | null; className?: string } & MoneyOptions) {
  const company = useCurrency();
  if (amount === null || amount === undefined) return <span className="text-ink-3">–</span>;
  return <span className={`num ${className}`}>{money(amount, currency === undefined ? company : currency, options)}</span>;
}

/** A difference: `+$12.00` in the colour of gains, `-$12.00` in that of losses. */
export function Difference({ amount, currency, className = "" }: { amount: Decimal; currency?: string | null; className?: string }) {
  const way = sign(amount);
  return (
    <Money
      amount={amount}
      currency={currency}
      sign="always"
      className={`${way > 0 ? "text-gain" : way < 0 ? "text-loss" : "text-ink-2"} ${className}`}
    />
  );
}

export function Percent({ rate, digits = 1, className = "" }: { rate: Decimal | null | undefined; digits?: number; className?: string }) {
  if (rate === null || rate === undefined) return <span className="text-ink-3">–</span>;
  return <span className={`num ${className}`}>{percent(rate, digits)}</span>;
}
