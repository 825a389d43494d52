// Finding a person among those whom one may see.

import { useDeferredValue } from "react";
import { useRead } from "@/api/read";
import type { Items, Payee } from "@/api/types";

const SHOWN_MAX = 30;

export function usePeople(asked: string, period: string | null, enabled = true) {
  const text = useDeferredValue(asked.trim());
  const found = useRead<Items<Payee>>("/payees", {
    query: { period, "filter[q]": text },
    parts: ["company", "runs"],
    enabled,
    keep: true,
  });
  return { people: found.data?.items.slice(0, SHOWN_MAX) ?? [], isPending: found.isPending && enabled };
}

/** The name of a payee whom one may see. */
export function usePayeeName(payeeId: string | null, period: string | null): string | null {
  const found = useRead<Items<Payee>>("/payees", {
    query: { period, "filter[q]": payeeId },
    parts: ["company", "runs"],
    enabled: payeeId !== null,
  });
  return found.data?.items.find((payee) => payee.payee_id === payeeId)?.name ?? null;
}
