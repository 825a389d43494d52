// What is tried out, as text in the address: `o~O4001` a deal of the pipeline as it stands, `o~O4001~25000~2026-11-01` with another amount
// or day, `d~40000~2026-10-15` a deal that is not in the pipeline yet.

import type { WhatIfAsked } from "@/api/types";
import { isDecimal } from "@/money";

export interface Tried {
  /** By opportunity; an empty value means as the pipeline has it. */
  opportunities: Map<string, { amount: string; closeOn: string }>;
  deals: { amount: string; closeOn: string }[];
}

export const NOTHING: Tried = { opportunities: new Map(), deals: [] };

const DAY = /^\d{4}-\d{2}-\d{2}$/;

const coded = (text: string) => encodeURIComponent(text).replace(/~/g, "%7E");

function plain(text: string | undefined): string {
  try {
    return decodeURIComponent(text ?? "");
  } catch {
    return "";
  }
}

export function parse(text: string | undefined): Tried {
  const tried: Tried = { opportunities: new Map(), deals: [] };
  for (const item of (text ?? "").split(";")) {
    const [kind, ...parts] = item.split("~");
    if (kind === "o" && parts[0]) tried.opportunities.set(plain(parts[0]), { amount: plain(parts[1]), closeOn: plain(parts[2]) });
    else if (kind === "d") tried.deals.push({ amount: plain(parts[0]), closeOn: plain(parts[1]) });
  }
  return tried;
}

export function format(tried: Tried): string | undefined {
  const items: string[] = [];
  for (const [id, { amount, closeOn }] of tried.opportunities) {
    const parts = [id, amount, closeOn];
    while (parts.length > 1 && parts.at(-1) === "") parts.pop();
    items.push(["o", ...parts.map(coded)].join("~"));
  }
  for (const { amount, closeOn } of tried.deals) items.push(["d", coded(amount), coded(closeOn)].join("~"));
  return items.length === 0 ? undefined : items.join(";");
}

/** What is asked of the server: what is half typed is left out. */
export function asked(tried: Tried): WhatIfAsked {
  return {
    opportunities: [...tried.opportunities].map(([opportunity_id, { amount, closeOn }]) => ({
      opportunity_id,
      ...(isDecimal(amount) ? { amount } : {}),
      ...(DAY.test(closeOn) ? { close_on: closeOn } : {}),
    })),
    deals: tried.deals.filter((deal) => isDecimal(deal.amount) && DAY.test(deal.closeOn)).map((deal) => ({ amount: deal.amount, close_on: deal.closeOn })),
    transactions: [],
  };
}
