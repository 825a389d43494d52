import { describe, expect, it } from "vitest";
import type { Policy } from "@/api/work";
import { differences, faults, ruleWords, sent, shown } from "./form";

const policy: Policy = {
  dispute_days: 10,
  escalate_after_days: 3,
  acknowledgement_wanted: false,
  approvals: [{ kind: "import", object: "adjustments", at_least: "5000", role: "finance" }, { role: "comp-admin" }],
  anomalies: { percent: 50, target_times: "3", adjustment_at_least: "1000" },
};

describe("the policy's form", () => {
  it("gives back what it was given", () => {
    expect(sent(shown(policy))).toEqual(policy);
    expect(faults(shown(policy))).toEqual({});
  });
  it("takes amounts as people type them", () => {
    expect(sent({ ...shown(policy), adjustment_at_least: "2,500.00" }).anomalies.adjustment_at_least).toBe("2500");
  });
  it("names what is wrong", () => {
    const own = { ...shown(policy), dispute_days: "0", percent: "half", target_times: "-1", approvals: [{ kind: "", object: "", at_least: "much", role: "finance" as const }] };
    expect(Object.keys(faults(own)).sort()).toEqual(["approvals.0", "dispute_days", "percent", "target_times"]);
  });
  it("says what a proposal changes", () => {
    const after: Policy = { ...policy, dispute_days: 5, approvals: [{ role: "comp-admin" }] };
    expect(differences(policy, after)).toEqual(["days for a dispute: 10 → 5", "no longer: a change of kind import of adjustments that moves 5000 or more needs finance"]);
    expect(differences(policy, policy)).toEqual([]);
    expect(ruleWords({ role: "finance" })).toBe("any change needs finance");
  });
});
