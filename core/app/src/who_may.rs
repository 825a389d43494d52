//! Who may do something next: decide on a change, look at a dispute, act for somebody, approve a payout or a period. The lists hold users who
//! have the right and are not the maker, as the rule itself would say when they try.

use crate::Instance;
use crate::access::{Action, Caller};
use crate::changes::deciding;
use crate::notices::{Everybody, caller_of};
use crate::refusal::Refusal;
use crate::work_policy::in_force;
use anyhow::Result;
use attain_store::users::User;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// What is to be done. To add one: add it here and its arm in [`Instance::who_may`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Decide on the change that `object` names.
    DecideChange,
    /// Look at the dispute or question that `object` names.
    AssignDispute,
    /// Act for the user that `object` names, or for the caller.
    ReceiveApprovals,
    /// Give approvals away: have some of one's own.
    GiveApprovals,
    /// Approve the payout that `object` names.
    ApprovePayout,
    /// Approve the period that `object` names, which somebody asked a review of.
    ApprovePeriod,
}

/// A user who may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Candidate {
    pub user_id: String,
    pub name: String,
    /// She may because somebody gave her approvals for today: this user.
    pub on_behalf_of: Option<String>,
}

fn needs(object: Option<&str>) -> Result<&str, Refusal> {
    object.ok_or_else(|| Refusal::invalid("`object` is missing; name what is to be done with"))
}

/// Those who have the right, but for some users and whoever else is the same payee as one of them.
fn free(everybody: &Everybody, action: Action, makers: &BTreeSet<String>) -> BTreeSet<String> {
    let payees: BTreeSet<&str> = makers.iter().filter_map(|user| everybody.get(user)?.payee_id.as_deref()).collect();
    let is_free = |user: &&User| !makers.contains(&user.user_id) && user.payee_id.as_deref().is_none_or(|payee| !payees.contains(payee));
    everybody.iter().filter(is_free).filter(|user| caller_of(user).may(action)).map(|user| user.user_id.clone()).collect()
}

impl Instance {
    pub async fn who_may(&self, caller: &Caller, deed: Deed, object: Option<&str>) -> Result<Vec<Candidate>> {
        let view = self.view().await?;
        let mut read = self.database.read().await?;
        let everybody = Everybody::read(&mut read).await?;
        let (users, acting) = match deed {
            Deed::DecideChange => {
                let change = self.visible_change(&mut read, caller, needs(object)?).await?;
                let policy = in_force(&mut read).await?;
                let known = deciding(&mut read, &everybody, &policy, &change, true).await?;
                if change.state == "submitted" { known } else { Default::default() }
            }
            Deed::AssignDispute => {
                caller.require(Action::AnswerQuestions)?;
                let own = self.seen_dispute(&mut read, &view, caller, needs(object)?).await?;
                let mut users = everybody.who_may(Action::AnswerQuestions);
                users.retain(|user| everybody.get(user).is_some_and(|user| user.payee_id.as_deref() != Some(own.payee_id.as_str())));
                (users, BTreeSet::new())
            }
            Deed::ReceiveApprovals => {
                let from = object.unwrap_or(&caller.user_id);
                caller.require(if from == caller.user_id { Action::ApproveChanges } else { Action::ManageUsers })?;
                let mut users = free(&everybody, Action::SeeRules, &BTreeSet::from([from.to_owned()]));
                users.retain(|user| everybody.get(user).is_some_and(|user| caller_of(user).may(Action::SeeData)));
                (users, BTreeSet::new())
            }
            Deed::GiveApprovals => {
                caller.require_one(&[Action::ApproveChanges, Action::ManageUsers])?;
                let mut users = everybody.who_may(Action::ApproveChanges);
                users.retain(|user| *user == caller.user_id || caller.may(Action::ManageUsers));
                (users, BTreeSet::new())
            }
            Deed::ApprovePayout => {
                caller.require(Action::SeePayouts)?;
                let makers = self.hands_of_payout(&mut read, needs(object)?).await?;
                (free(&everybody, Action::ManagePayouts, &makers), BTreeSet::new())
            }
            Deed::ApprovePeriod => {
                caller.require(Action::SeeRuns)?;
                let period = needs(object)?;
                view.company.period(period)?;
                let events = attain_store::periods::events(&mut read).await?;
                let asked = events.into_iter().rfind(|event| event.period_id == period && event.to_state == "in-review");
                let makers = asked.map(|event| event.actor).into_iter().collect();
                (free(&everybody, Action::ApproveChanges, &makers), BTreeSet::new())
            }
        };
        drop(read);
        let mut all: Vec<Candidate> = users
            .iter()
            .map(|user| (user.clone(), None))
            .chain(acting.into_iter().map(|(user, giver)| (user, Some(giver))))
            .map(|(user_id, on_behalf_of)| Candidate { name: everybody.name(&user_id).to_owned(), user_id, on_behalf_of })
            .collect();
        all.sort_by(|left, right| (&left.name, &left.user_id, &left.on_behalf_of).cmp(&(&right.name, &right.user_id, &right.on_behalf_of)));
        Ok(all)
    }
}
