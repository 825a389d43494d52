//! Acting for somebody else: a person gives another her approvals for some days. What was given cannot be given on, and gives no sight of
//! anything: who receives it must see changes anyway.

use crate::access::{Action, Caller};
use crate::notices::{Everybody, caller_of};
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_database::Connection;
use attain_domain::Day;
use attain_store::teamwork::{self as store, Delegation};
use attain_store::versions::{Part, bump};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const DAY_MS: i64 = 24 * 3_600_000;
const DAYS_MAX: i64 = 366;
const REASON_LENGTH_MAX: usize = 500;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDelegation {
    /// Who is to act.
    pub to: String,
    #[schema(value_type = String, format = Date)]
    pub from_on: Day,
    /// The first day on which it counts no more.
    #[schema(value_type = String, format = Date)]
    pub until_on: Day,
    pub reason: String,
    /// For whom; the caller herself where it is left out. Somebody else's are given by who manages users, while she is away.
    #[serde(default)]
    pub from: Option<String>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DelegationView {
    pub delegation_id: String,
    pub from: String,
    pub from_name: String,
    pub to: String,
    pub to_name: String,
    pub from_on: String,
    pub until_on: String,
    pub reason: String,
    /// `coming`, `in-force`, `over` or `revoked`.
    pub state: &'static str,
    pub created_by: String,
    pub created_at: String,
}

/// The day of an instant, in UTC.
pub(crate) fn day_of(now: i64) -> i64 {
    now.div_euclid(DAY_MS)
}

/// Whether `to` may act for `from` on the day of `now`.
pub(crate) async fn is_given(connection: &mut Connection, from: &str, to: &str, now: i64) -> Result<bool> {
    let today = day_of(now);
    let given = |own: &Delegation| {
        own.from_user == from && own.to_user == to && own.revoked_at.is_none() && own.from_on <= today && today < own.until_on
    };
    Ok(store::delegations(connection).await?.iter().any(given))
}

/// Who may act for which of these users on the day of `now`.
pub(crate) async fn acting_for(
    connection: &mut Connection,
    users: &std::collections::BTreeSet<String>,
    now: i64,
) -> Result<std::collections::BTreeSet<(String, String)>> {
    let today = day_of(now);
    let given =
        |own: &Delegation| users.contains(&own.from_user) && own.revoked_at.is_none() && own.from_on <= today && today < own.until_on;
    Ok(store::delegations(connection).await?.into_iter().filter(given).map(|own| (own.to_user, own.from_user)).collect())
}

fn shown(own: Delegation, everybody: &Everybody, today: i64) -> DelegationView {
    let day = |day: i64| i32::try_from(day).map_or_else(|_| String::new(), |day| Day(day).to_string());
    let state = match &own {
        own if own.revoked_at.is_some() => "revoked",
        own if today < own.from_on => "coming",
        own if today < own.until_on => "in-force",
        _ => "over",
    };
    DelegationView {
        from_name: everybody.name(&own.from_user).to_owned(),
        to_name: everybody.name(&own.to_user).to_owned(),
        delegation_id: own.delegation_id,
        from: own.from_user,
        to: own.to_user,
        from_on: day(own.from_on),
        until_on: day(own.until_on),
        reason: own.reason,
        state,
        created_by: own.created_by,
        created_at: shown_ms(own.created_at),
    }
}

impl Instance {
    /// Newest first: all for who sees the trail or manages users, else those that the caller gave or received.
    pub async fn delegations(&self, caller: &Caller) -> Result<Vec<DelegationView>> {
        caller.require_one(&[Action::SeeRules, Action::ApproveChanges, Action::ManageUsers])?;
        let sees_all = caller.may(Action::SeeAudit) || caller.may(Action::ManageUsers);
        let mut read = self.database.read().await?;
        let everybody = Everybody::read(&mut read).await?;
        let today = day_of(now_ms());
        let all = store::delegations(&mut read).await?;
        let own = all.into_iter().filter(|own| sees_all || [&own.from_user, &own.to_user].contains(&&caller.user_id));
        Ok(own.map(|own| shown(own, &everybody, today)).collect())
    }

    pub async fn delegate(&self, caller: &Caller, new: &NewDelegation) -> Result<DelegationView> {
        let from = new.from.as_deref().unwrap_or(&caller.user_id);
        caller.require(if from == caller.user_id { Action::ApproveChanges } else { Action::ManageUsers })?;
        let reason = new.reason.trim();
        if !(1..=REASON_LENGTH_MAX).contains(&reason.chars().count()) {
            return Err(Refusal::invalid(format!("the reason has 1 to {REASON_LENGTH_MAX} characters")).into());
        }
        let now = now_ms();
        let (from_on, until_on) = (i64::from(new.from_on.0), i64::from(new.until_on.0));
        if from_on >= until_on || until_on - from_on > DAYS_MAX {
            return Err(Refusal::invalid(format!("`until_on` is the first day after it, at most {DAYS_MAX} days after `from_on`")).into());
        }
        if until_on <= day_of(now) {
            return Err(Refusal::invalid("these days are over").into());
        }
        if from == new.to {
            return Err(Refusal::invalid("nobody acts for herself").into());
        }
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let everybody = Everybody::read(&mut tx).await?;
        let known = |user: &str| everybody.get(user).ok_or_else(|| Refusal::not_found(format!("there is no user `{user}`")));
        let (giver, receiver) = (known(from)?, known(&new.to)?);
        // By her own roles: what was given to her she cannot give on.
        if !caller_of(giver).may(Action::ApproveChanges) {
            return Err(Refusal::invalid(format!("`{}` has no approvals to give", giver.name)).into());
        }
        let reads = caller_of(receiver);
        if !reads.may(Action::SeeRules) || !reads.may(Action::SeeData) {
            let message =
                format!("`{}` does not see changes; give it to somebody whose role has `see-rules` and `see-data`", receiver.name);
            return Err(Refusal::invalid(message).into());
        }
        if giver.payee_id.is_some() && giver.payee_id == receiver.payee_id {
            return Err(Refusal::invalid("both accounts are of one payee; a second person is needed").into());
        }
        let own = Delegation {
            delegation_id: new_id("delegation")?,
            from_user: from.to_owned(),
            to_user: new.to.clone(),
            from_on,
            until_on,
            reason: reason.to_owned(),
            created_by: caller.user_id.clone(),
            created_at: now,
            revoked_at: None,
        };
        store::add_delegation(&mut tx, &own).await?;
        let span = format!("{} {} {} {}", own.from_user, own.to_user, new.from_on, new.until_on);
        let entry = Entry::new(&caller.user_id, "delegate", &own.delegation_id).after(&span).reason(&own.reason);
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(shown(own, &everybody, day_of(now)))
    }

    /// By who gave it, by who received it, or by who manages users.
    pub async fn revoke_delegation(&self, caller: &Caller, delegation_id: &str) -> Result<DelegationView> {
        caller.require_one(&[Action::SeeRules, Action::ApproveChanges, Action::ManageUsers])?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let everybody = Everybody::read(&mut tx).await?;
        let found = store::delegations(&mut tx).await?.into_iter().find(|own| {
            let is_own = [&own.from_user, &own.to_user, &own.created_by].contains(&&caller.user_id);
            own.delegation_id == delegation_id && (is_own || caller.may(Action::ManageUsers))
        });
        let own = found.ok_or_else(|| Refusal::not_found(format!("there is no delegation `{delegation_id}`")))?;
        if !store::revoke_delegation(&mut tx, delegation_id, &caller.user_id, now).await? {
            return Err(Refusal::conflict("it was revoked already").into());
        }
        attain_audit::append(&mut tx, Entry::new(&caller.user_id, "revoke-delegation", delegation_id), now).await?;
        tx.commit().await?;
        self.seal().await?;
        Ok(shown(Delegation { revoked_at: Some(now), ..own }, &everybody, day_of(now)))
    }
}
