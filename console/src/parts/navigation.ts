// All screens that the navigation and the palette offer, and the action that each needs. To add a screen: add it here and in routes.tsx.

import type { Action, Session } from "@/api/types";
import type { IconName } from "./Icon";

export interface Place {
  to: "/home" | "/statements" | "/what-if" | "/team" | "/questions" | "/formulas" | "/changes" | "/runs" | "/extensions" | "/data" | "/imports" | "/audit" | "/schedules" | "/users";
  label: string;
  icon: IconName;
  group: "Pay" | "Rules" | "Operation";
  /** One of these is needed. */
  needs: Action[];
  /** Only for those who are paid themselves. */
  ownPay?: boolean;
}

const PLACES: Place[] = [
  { to: "/home", label: "My earnings", icon: "home", group: "Pay", needs: ["see-own-pay"], ownPay: true },
  { to: "/team", label: "Team", icon: "team", group: "Pay", needs: ["see-team-pay", "see-all-pay"] },
  { to: "/statements", label: "Statements", icon: "statement", group: "Pay", needs: ["see-own-pay", "see-team-pay", "see-all-pay"] },
  { to: "/what-if", label: "What if", icon: "whatif", group: "Pay", needs: ["see-own-pay", "see-team-pay", "see-all-pay"] },
  { to: "/questions", label: "Questions", icon: "question", group: "Pay", needs: ["ask", "answer-questions"] },
  { to: "/formulas", label: "Formulas", icon: "formula", group: "Rules", needs: ["see-rules"] },
  { to: "/changes", label: "Changes", icon: "change", group: "Rules", needs: ["draft-changes", "approve-changes", "see-rules"] },
  { to: "/extensions", label: "Extensions", icon: "extension", group: "Rules", needs: ["see-extensions"] },
  { to: "/runs", label: "Runs", icon: "run", group: "Operation", needs: ["see-runs"] },
  { to: "/schedules", label: "Schedules", icon: "schedule", group: "Operation", needs: ["see-jobs"] },
  { to: "/data", label: "Data", icon: "data", group: "Operation", needs: ["see-data"] },
  { to: "/imports", label: "Imports", icon: "import", group: "Operation", needs: ["import"] },
  { to: "/audit", label: "Audit", icon: "audit", group: "Operation", needs: ["see-audit"] },
  { to: "/users", label: "Users", icon: "users", group: "Operation", needs: ["manage-users"] },
];

export function placesFor(session: Session): Place[] {
  return PLACES.filter(
    (place) => place.needs.some((action) => session.actions.includes(action)) && (!place.ownPay || session.payee_id !== null),
  );
}
