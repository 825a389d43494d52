//! The second person: who may decide on a change, for herself or for somebody who is away, and who is asked.

use super::{ChangeKind, independent, kind_of};
use crate::access::{Action, Caller, Role};
use crate::folder::Company;
use crate::impact::Impact;
use crate::notices::{Everybody, Happening, NoticeKind, caller_of};
use crate::refusal::Refusal;
use crate::work_policy::{WorkPolicy, in_force};
use crate::{Instance, delegations, disputes, now_ms};
use anyhow::Result;
use attain_database::{Connection, Tx};
use attain_domain::{MONEY_SCALE, Table, fixed};
use attain_store::changes::{self as store, Change};
use attain_store::users::User;
use std::collections::{BTreeMap, BTreeSet};

/// Who decides: whose roles count, and the payees whose pay must not be decided on.
pub(super) struct Standing {
    roles: BTreeSet<Role>,
    payees: BTreeSet<String>,
    on_behalf_of: Option<String>,
}

impl Standing {
    /// The reason in the trail.
    pub fn reason(&self, comment: &str) -> String {
        match &self.on_behalf_of {
            Some(user) if comment.is_empty() => format!("on behalf of {user}"),
            Some(user) => format!("on behalf of {user}: {comment}"),
            None => comment.to_owned(),
        }
    }
}

/// Refuses who may not decide on the change by what the record says now. Neither who decides nor for whom she does may have written any
/// part of it, by user and by payee.
pub(super) async fn standing(tx: &mut Tx, change: &Change, caller: &Caller, on_behalf_of: Option<&str>) -> Result<Standing> {
    let refused = |message: &str| Refusal::forbidden(message);
    let enabled = |user: Option<User>| user.filter(|user| !user.disabled);
    let user = enabled(attain_store::users::by_id(tx, &caller.user_id).await?);
    let Some(giver) = on_behalf_of else {
        independent(tx, change, caller).await?;
        let user = user.ok_or_else(|| refused("only somebody who signs in can approve; sign in"))?;
        let payees = user.payee_id.iter().chain(&caller.payee_id).cloned().collect();
        return Ok(Standing { roles: caller_of(&user).roles, payees, on_behalf_of: None });
    };
    let user = user.ok_or_else(|| refused("only somebody who signs in can approve; sign in"))?;
    // A token that is limited gives no more than it says; it cannot say that it acts for others.
    if caller_of(&user).actions().any(|action| !caller.may(action)) {
        return Err(refused("a limited token cannot act for somebody else").into());
    }
    let giver = enabled(attain_store::users::by_id(tx, giver).await?);
    let giver = giver.ok_or_else(|| refused("who gave you her approvals does not sign in any more"))?;
    if !delegations::is_given(tx, &giver.user_id, &user.user_id, now_ms()).await? {
        return Err(refused("nobody of that id gave you her approvals for today").into());
    }
    let for_giver = caller_of(&giver);
    if !for_giver.may(Action::ApproveChanges) {
        return Err(refused("who gave you her approvals has none any more").into());
    }
    let people = [&user, &giver];
    if writers(tx, change).await?.is_one_of(&people) {
        return Err(refused("a change needs a second person; you, or the one for whom you act, wrote a part of this one").into());
    }
    let payees = people.iter().filter_map(|user| user.payee_id.clone()).chain(caller.payee_id.clone()).collect();
    Ok(Standing { roles: for_giver.roles, payees, on_behalf_of: Some(giver.user_id) })
}

/// Everybody who wrote a part of a change, by user and by payee.
struct Writers {
    users: BTreeSet<String>,
    payees: BTreeSet<String>,
}

impl Writers {
    fn is_one_of(&self, people: &[&User]) -> bool {
        people
            .iter()
            .any(|user| self.users.contains(&user.user_id) || user.payee_id.as_ref().is_some_and(|payee| self.payees.contains(payee)))
    }
}

async fn writers(connection: &mut Connection, change: &Change) -> Result<Writers> {
    let mut known = Writers { users: BTreeSet::from([change.author.clone()]), payees: BTreeSet::new() };
    for (editor, payee) in store::editors(connection, &change.change_id).await? {
        known.users.insert(editor);
        known.payees.extend(payee);
    }
    for user in known.users.clone() {
        known.payees.extend(attain_store::users::by_id(connection, &user).await?.and_then(|user| user.payee_id));
    }
    Ok(known)
}

/// Payee to the amounts of adjustments that a change brings, or takes away.
pub(super) fn adjusted(have: &Company, want: &Company) -> Vec<(String, i64)> {
    let rows = |company: &Company| -> BTreeMap<Vec<Option<String>>, (String, i64)> {
        let Some(table) = company.tables.get("adjustments") else { return BTreeMap::new() };
        let line = |table: &Table, row: usize| table.columns.iter().map(|(_, column)| column.show(row)).collect();
        let payee = |row: usize| table.texts("payee_id").and_then(|own| own.get(row)).unwrap_or_default().to_owned();
        let amounts = table.numbers("amount").unwrap_or(&[]);
        (0..table.row_count()).map(|row| (line(table, row), (payee(row), amounts.get(row).copied().unwrap_or(0)))).collect()
    };
    let (before, after) = (rows(have), rows(want));
    let new = after.iter().filter(|(line, _)| !before.contains_key(*line)).map(|(_, own)| own.clone());
    let gone = before.iter().filter(|(line, _)| !after.contains_key(*line)).map(|(_, (payee, amount))| (payee.clone(), -amount));
    new.chain(gone).collect()
}

/// What a change moves: its difference in pay, or its adjustments where those are more. `None` where its difference is not known.
fn moved(impact: Option<&str>, adjusted: &[(String, i64)]) -> Option<i128> {
    let sum = adjusted.iter().map(|(_, amount)| i128::from(*amount).abs()).sum::<i128>();
    let impact: Impact = serde_json::from_str(impact?).ok()?;
    let difference = fixed::parse(&impact.totals.difference, MONEY_SCALE).filter(|_| impact.complete)?;
    Some(sum.max(i128::from(difference).abs()))
}

/// Refuses a decision that the policy gives to another role, and one on pay of one's own.
pub(super) async fn check_route(
    tx: &mut Tx,
    standing: &Standing,
    change: &Change,
    impact: Option<&str>,
    have: &Company,
    want: &Company,
) -> Result<()> {
    let adjusted = adjusted(have, want);
    if adjusted.iter().any(|(payee, _)| standing.payees.contains(payee)) {
        return Err(
            Refusal::forbidden("this adjusts your own pay, or that of the one for whom you act; somebody else has to decide").into()
        );
    }
    let policy = in_force(tx).await?;
    match policy.role_for(kind_of(change)?, &change.object, moved(impact, &adjusted)) {
        Some(role) if !standing.roles.contains(&role) => {
            let message = format!("the policy gives this change to the role `{}`; somebody who has it has to approve", role.name());
            Err(Refusal::forbidden(message).into())
        }
        _ => Ok(()),
    }
}

/// What programs are told of the state of a change: nothing of what it holds.
pub(crate) fn told_of(change: &Change) -> serde_json::Value {
    serde_json::json!({
        "kind": change.kind,
        "of": change.object,
        "state": change.state,
        "author": change.author,
        "decided_by": change.decided_by,
        "content_hash": change.content_hash,
    })
}

/// Those who can decide on a submitted change, and who may act for which of them today. `is_routed` asks the role that the policy names
/// alone.
pub(crate) async fn deciding(
    connection: &mut Connection,
    everybody: &Everybody,
    policy: &WorkPolicy,
    change: &Change,
    is_routed: bool,
) -> Result<(BTreeSet<String>, BTreeSet<(String, String)>)> {
    let writers = writers(connection, change).await?;
    let kind = ChangeKind::from_name(&change.kind);
    let draft = attain_store::teamwork::adjustment_of(connection, &change.change_id).await?;
    let adjusted: Vec<(String, i64)> = draft.map(|own| (own.payee_id, own.amount)).into_iter().collect();
    let role = kind.and_then(|kind| policy.role_for(kind, &change.object, moved(change.impact.as_deref(), &adjusted)));
    let is_free = |user: &User| !writers.is_one_of(&[user]) && adjusted.iter().all(|(payee, _)| user.payee_id.as_ref() != Some(payee));
    let can = |user: &&User| {
        let own = caller_of(user);
        own.may(Action::ApproveChanges) && (!is_routed || role.is_none_or(|role| own.roles.contains(&role)))
    };
    let own: BTreeSet<String> = everybody.iter().filter(can).filter(|user| is_free(user)).map(|user| user.user_id.clone()).collect();
    let acting = delegations::acting_for(connection, &own, now_ms()).await?;
    let acting = acting.into_iter().filter(|(user, _)| everybody.get(user).is_some_and(is_free)).collect();
    Ok((own, acting))
}

/// Everybody of [`deciding`].
pub(crate) async fn deciders(
    tx: &mut Tx,
    everybody: &Everybody,
    policy: &WorkPolicy,
    change: &Change,
    is_routed: bool,
) -> Result<BTreeSet<String>> {
    let (own, acting) = deciding(tx, everybody, policy, change, is_routed).await?;
    Ok(own.into_iter().chain(acting.into_iter().map(|(user, _)| user)).collect())
}

impl Instance {
    /// What follows when a change goes on its way: who is asked, who is told, what waits for it.
    pub(super) async fn follow_change(&self, tx: &mut Tx, action: &str, change: &Change) -> Result<()> {
        let now = now_ms();
        let link = format!("/changes/{}", change.change_id);
        let told = |kind: NoticeKind, body: String| Happening {
            kind,
            object: &change.change_id,
            body,
            link: link.clone(),
            once_key: None,
            payee_id: None,
            period_id: None,
            state: told_of(change),
        };
        match action {
            "submit-change" => {
                let everybody = Everybody::read(tx).await?;
                let policy = in_force(tx).await?;
                let asked = deciders(tx, &everybody, &policy, change, true).await?;
                let body = format!("{} asks you to decide on a change of {}", everybody.name(&change.author), change.object);
                self.announce(tx, &told(NoticeKind::ChangeWaiting, body), &asked, now).await?;
            }
            "approve-change" | "reject-change" => {
                let body = format!("your change of {} was {}", change.object, change.state);
                let author = BTreeSet::from([change.author.clone()]);
                self.announce(tx, &told(NoticeKind::ChangeDecided, body), &author, now).await?;
                disputes::follow(self, tx, change, now).await?;
            }
            "withdraw-change" => disputes::follow(self, tx, change, now).await?,
            // What was promised in a dispute, and what the list of adjustments shows, is what was drafted.
            "edit-change" if attain_store::teamwork::adjustment_of(tx, &change.change_id).await?.is_some() => {
                return Err(Refusal::conflict("an adjustment is not edited; withdraw this one and draft another").into());
            }
            _ => {}
        }
        Ok(())
    }
}
