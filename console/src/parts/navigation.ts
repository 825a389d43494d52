// All screens that the navigation and the palette offer, and the action that each needs. To add a screen: add it here and in routes.tsx.

import type { Action, Session } from "@/api/types";
import type { IconName } from "./Icon";

export interface Place {
  to: PlacePath;
  label: string;
  icon: IconName;
  group: "Pay" | "Close" | "Rules" | "Operation";
  /** One of these is needed. */
  needs: readonly Action[];
  /** Only for those who are paid themselves. */
  ownPay?: boolean;
}

const PLACES = [
  { to: "/home", label: "My earnings", icon: "home", group: "Pay", needs: ["see-own-pay"], ownPay: true },
  { to: "/team", label: "Team", icon: "team", group: "Pay", needs: ["see-team-pay", "see-all-pay"] },
  { to: "/statements", label: "Statements", icon: "statement", group: "Pay", needs: ["see-own-pay", "see-team-pay", "see-all-pay"] },
  { to: "/what-if", label: "What if", icon: "whatif", group: "Pay", needs: ["see-own-pay", "see-team-pay", "see-all-pay"] },
  { to: "/my-plan", label: "My plan", icon: "plan", group: "Pay", needs: ["see-own-pay"], ownPay: true },
  { to: "/disputes", label: "Inquiries", icon: "dispute", group: "Pay", needs: ["ask", "answer-questions", "see-all-pay"] },
  { to: "/credit", label: "Who gets credit", icon: "target", group: "Pay", needs: ["see-own-pay", "see-team-pay", "see-all-pay"] },
  { to: "/periods", label: "Periods", icon: "period", group: "Close", needs: ["see-runs"] },
  { to: "/adjustments", label: "Adjustments", icon: "adjust", group: "Close", needs: ["see-all-pay"] },
  { to: "/payouts", label: "Payouts", icon: "payout", group: "Close", needs: ["see-payouts"] },
  { to: "/accounting", label: "Accounting", icon: "book", group: "Close", needs: ["see-all-pay"] },
  { to: "/formulas", label: "Formulas", icon: "formula", group: "Rules", needs: ["see-rules"] },
  { to: "/changes", label: "Changes", icon: "change", group: "Rules", needs: ["draft-changes", "approve-changes", "see-rules"] },
  { to: "/plans", label: "Plans", icon: "plan", group: "Rules", needs: ["see-rules"] },
  { to: "/plan-documents", label: "Plan documents", icon: "plan", group: "Rules", needs: ["see-team-pay", "see-all-pay"] },
  { to: "/policy", label: "Work policy", icon: "policy", group: "Rules", needs: ["see-rules"] },
  { to: "/delegations", label: "Delegations", icon: "hand", group: "Rules", needs: ["see-rules", "approve-changes", "manage-users"] },
  { to: "/extensions", label: "Extensions", icon: "extension", group: "Rules", needs: ["see-extensions"] },
  { to: "/runs", label: "Runs", icon: "run", group: "Operation", needs: ["see-runs"] },
  { to: "/schedules", label: "Schedules", icon: "schedule", group: "Operation", needs: ["see-jobs"] },
  { to: "/data", label: "Data", icon: "data", group: "Operation", needs: ["see-data"] },
  { to: "/imports", label: "Imports", icon: "import", group: "Operation", needs: ["import"] },
  { to: "/webhooks", label: "Webhooks", icon: "hook", group: "Operation", needs: ["manage-extensions"] },
  { to: "/audit", label: "Audit", icon: "audit", group: "Operation", needs: ["see-audit"] },
  { to: "/users", label: "Users", icon: "users", group: "Operation", needs: ["manage-users"] },
] as const;

export type PlacePath = (typeof PLACES)[number]["to"];

const ALL: readonly Place[] = PLACES;

export function placesFor(session: Session): Place[] {
  return ALL.filter(
    (place) => place.needs.some((action) => session.actions.includes(action)) && (!place.ownPay || session.payee_id !== null),
  );
}
