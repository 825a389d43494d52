//! How people work together: until when a dispute is to be answered, who has to approve what, when somebody else is asked. One person
//! proposes it, another approves it.

use crate::access::{Action, Caller, Role};
use crate::changes::ChangeKind;
use crate::notices::caller_of;
use crate::refusal::Refusal;
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_database::Connection;
use attain_domain::MONEY_SCALE;
use attain_domain::fixed;
use attain_store::teamwork::{self as store, Policy};
use attain_store::versions::{Part, bump};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const RULES_MAX: usize = 50;

/// A change that all of this is true of needs the role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRule {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ChangeKind>,
    /// What the change is about: a formula, a plan's file, an entity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// The least amount that it moves, up or down. A change whose amount is not known moves enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<String>,
    pub role: Role,
}

/// From where on something is unusual.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AnomalySettings {
    /// Further from the median of the three periods before, in per cent of it.
    pub percent: i64,
    /// So many times the target and more.
    pub target_times: String,
    /// An adjustment of so much and more, up or down.
    pub adjustment_at_least: String,
}

impl Default for AnomalySettings {
    fn default() -> AnomalySettings {
        AnomalySettings { percent: 50, target_times: "3".to_owned(), adjustment_at_least: "1000".to_owned() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WorkPolicy {
    /// A dispute is to be resolved within so many days.
    pub dispute_days: i64,
    /// Somebody else is asked where an approval waits for longer.
    pub escalate_after_days: i64,
    /// Whether payees are asked to acknowledge their published statements.
    pub acknowledgement_wanted: bool,
    /// The last one that is true of a change counts; without one, whoever may approve can.
    pub approvals: Vec<ApprovalRule>,
    pub anomalies: AnomalySettings,
}

impl Default for WorkPolicy {
    fn default() -> WorkPolicy {
        WorkPolicy {
            dispute_days: 10,
            escalate_after_days: 3,
            acknowledgement_wanted: false,
            approvals: Vec::new(),
            anomalies: AnomalySettings::default(),
        }
    }
}

/// A version of the policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyVersion {
    pub version: i64,
    /// `proposed`, `approved` or `rejected`.
    pub state: String,
    pub policy: WorkPolicy,
    pub proposed_by: String,
    pub proposed_at: String,
    pub decided_by: Option<String>,
    pub decided_at: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyView {
    pub in_force: WorkPolicy,
    /// Newest first.
    pub versions: Vec<PolicyVersion>,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDecision {
    pub approve: bool,
}

pub(crate) fn amount(what: &str, text: &str) -> Result<i64, Refusal> {
    fixed::parse(text, MONEY_SCALE).ok_or_else(|| Refusal::invalid(format!("{what} is `{text}`; write an amount as 1250.50")))
}

impl WorkPolicy {
    fn check(&self) -> Result<(), Refusal> {
        for (what, days) in [("dispute_days", self.dispute_days), ("escalate_after_days", self.escalate_after_days)] {
            if !(1..=365).contains(&days) {
                return Err(Refusal::invalid(format!("`{what}` is {days}; write 1 to 365")));
            }
        }
        if self.approvals.len() > RULES_MAX {
            return Err(Refusal::invalid(format!("there are {} rules of approval; {RULES_MAX} are allowed", self.approvals.len())));
        }
        for rule in &self.approvals {
            if !Caller::new("", "", None, [rule.role], None).may(Action::ApproveChanges) {
                return Err(Refusal::invalid(format!("role `{}` cannot approve; name one that can", rule.role.name())));
            }
            if let Some(text) = &rule.at_least {
                amount("`at_least`", text)?;
            }
        }
        self.anomalies.check()
    }

    /// The role that a change needs; `None` where anybody who may approve can. `moved` is what it moves, `None` where that is not known.
    pub fn role_for(&self, kind: ChangeKind, object: &str, moved: Option<i128>) -> Option<Role> {
        let fits = |rule: &&ApprovalRule| {
            let least = rule.at_least.as_deref().and_then(|text| fixed::parse(text, MONEY_SCALE));
            rule.kind.is_none_or(|own| own == kind)
                && rule.object.as_deref().is_none_or(|own| own == object)
                && least.is_none_or(|least| moved.is_none_or(|moved| moved.abs() >= i128::from(least)))
        };
        self.approvals.iter().rfind(fits).map(|rule| rule.role)
    }
}

impl AnomalySettings {
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if !(1..=100_000).contains(&self.percent) {
            return Err(Refusal::invalid(format!("`percent` is {}; write 1 to 100000", self.percent)));
        }
        for (what, text) in [("`target_times`", &self.target_times), ("`adjustment_at_least`", &self.adjustment_at_least)] {
            if amount(what, text)? <= 0 {
                return Err(Refusal::invalid(format!("{what} is `{text}`; it is above zero")));
            }
        }
        Ok(())
    }
}

/// The policy in force; that of a new record where none was approved yet.
pub(crate) async fn in_force(connection: &mut Connection) -> Result<WorkPolicy> {
    match store::policy_in_force(connection).await? {
        Some(text) => Ok(serde_json::from_str(&text)?),
        None => Ok(WorkPolicy::default()),
    }
}

fn shown(own: Policy) -> Result<PolicyVersion> {
    Ok(PolicyVersion {
        version: own.version,
        state: own.state,
        policy: serde_json::from_str(&own.body)?,
        proposed_by: own.proposed_by,
        proposed_at: shown_ms(own.proposed_at),
        decided_by: own.decided_by,
        decided_at: own.decided_at.map(shown_ms),
    })
}

impl Instance {
    pub async fn work_policy(&self, caller: &Caller) -> Result<PolicyView> {
        caller.require(Action::SeeRules)?;
        let mut read = self.database.read().await?;
        let versions = store::policies(&mut read).await?;
        Ok(PolicyView { in_force: in_force(&mut read).await?, versions: versions.into_iter().map(shown).collect::<Result<_>>()? })
    }

    /// Proposes a policy as a whole. It counts once somebody else has approved it.
    pub async fn propose_policy(&self, caller: &Caller, policy: &WorkPolicy) -> Result<PolicyView> {
        caller.require(Action::DraftChanges)?;
        policy.check()?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let version = store::policies(&mut tx).await?.first().map_or(1, |own| own.version + 1);
        let own = Policy {
            version,
            body: serde_json::to_string(policy)?,
            state: "proposed".to_owned(),
            proposed_by: caller.user_id.clone(),
            proposed_payee_id: caller.payee_id.clone(),
            proposed_at: now,
            decided_by: None,
            decided_at: None,
        };
        store::propose_policy(&mut tx, &own).await?;
        let entry = Entry::new(&caller.user_id, "propose-work-policy", &version.to_string());
        attain_audit::append(&mut tx, entry.after(&attain_store::digest(own.body.as_bytes())), now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.work_policy(caller).await
    }

    /// By somebody else than who proposed it, by user and by payee.
    pub async fn decide_policy(&self, caller: &Caller, version: i64, decision: &PolicyDecision) -> Result<PolicyView> {
        caller.require(Action::ApproveChanges)?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let own = store::policies(&mut tx).await?.into_iter().find(|own| own.version == version);
        let own = own.ok_or_else(|| Refusal::not_found(format!("the policy has no version {version}")))?;
        let user = attain_store::users::by_id(&mut tx, &caller.user_id).await?.filter(|user| !user.disabled);
        let user = user.ok_or_else(|| Refusal::forbidden("only somebody who signs in can approve; sign in"))?;
        caller_of(&user).require(Action::ApproveChanges)?;
        let proposer = attain_store::users::by_id(&mut tx, &own.proposed_by).await?;
        let payees = [own.proposed_payee_id.as_ref(), proposer.as_ref().and_then(|user| user.payee_id.as_ref())];
        let is_same = user.payee_id.is_some() && payees.contains(&user.payee_id.as_ref());
        if own.proposed_by == user.user_id || is_same {
            return Err(Refusal::forbidden("a policy needs a second person; you proposed this one").into());
        }
        let state = if decision.approve { "approved" } else { "rejected" };
        if !store::decide_policy(&mut tx, version, state, &user.user_id, now).await? {
            return Err(Refusal::conflict(format!("version {version} is {} already", own.state)).into());
        }
        let entry = Entry::new(&user.user_id, "decide-work-policy", &version.to_string()).before(&own.state).after(state);
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        self.work_policy(caller).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(kind: Option<ChangeKind>, at_least: Option<&str>, role: Role) -> ApprovalRule {
        ApprovalRule { kind, object: None, at_least: at_least.map(str::to_owned), role }
    }

    #[test]
    fn the_last_rule_that_is_true_of_a_change_counts() {
        let policy = WorkPolicy {
            approvals: vec![rule(Some(ChangeKind::Import), None, Role::CompAdmin), rule(None, Some("5000"), Role::Finance)],
            ..WorkPolicy::default()
        };
        let unit = i128::from(10i64.pow(u32::from(MONEY_SCALE)));
        assert_eq!(policy.role_for(ChangeKind::Plan, "a.toml", Some(0)), None);
        assert_eq!(policy.role_for(ChangeKind::Import, "adjustments", Some(4_999 * unit)), Some(Role::CompAdmin));
        assert_eq!(policy.role_for(ChangeKind::Import, "adjustments", Some(-5_000 * unit)), Some(Role::Finance));
        assert_eq!(policy.role_for(ChangeKind::Plan, "a.toml", None), Some(Role::Finance), "what is not known moves enough");
    }

    #[test]
    fn a_role_that_cannot_approve_is_no_rule() {
        let policy = WorkPolicy { approvals: vec![rule(None, None, Role::Seller)], ..WorkPolicy::default() };
        assert!(policy.check().is_err());
        assert!(WorkPolicy::default().check().is_ok());
    }
}
