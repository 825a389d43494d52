//! Who comes onto a plan after its document was sent gets it too, and her pay waits for her answer like everybody's: with the write that
//! puts her there.

use super::{DocumentState, HOLD_REASON, Hold, PlanDocument, Version, sha256, text_for, with_holds};
use crate::folder::Company;
use crate::users::new_id;
use crate::{Instance, now_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_database::Tx;
use attain_domain::Day;
use attain_store::plan_documents;
use attain_store::versions::{Part, bump};
use std::collections::{BTreeMap, BTreeSet};

/// The versions of a company's plans that wait for acceptance.
fn waiting(company: &Company) -> Vec<Version<'_>> {
    let ids: BTreeSet<&str> = company.plans.iter().map(|own| own.plan.id.as_str()).collect();
    let mut found = Vec::new();
    for id in ids {
        let versions = company.plan_versions(id);
        for (place, own) in versions.iter().enumerate().filter(|(_, own)| own.plan.requires_acceptance) {
            let until = versions.get(place + 1).and_then(|next| next.plan.from);
            found.push(Version { plan: &own.plan, from: own.plan.from, until });
        }
    }
    found
}

fn names(company: &Company) -> BTreeMap<String, String> {
    let Some(people) = company.tables.get("people") else { return BTreeMap::new() };
    let text = |name: &str, row: usize| people.texts(name).and_then(|own| own.get(row)).map(str::to_owned);
    (0..people.row_count()).filter_map(|row| Some((text("payee_id", row)?, text("name", row)?))).collect()
}

impl Instance {
    /// Sends the plans that were sent already to whom `want` puts on them and `have` does not. Answers the company with their holds, where
    /// there are any. For the transaction that writes `want`, before its entry in the trail.
    pub(crate) async fn send_to_joiners(&self, tx: &mut Tx, have: &Company, want: &Company) -> Result<Option<Company>> {
        let versions = waiting(want);
        if versions.is_empty() {
            return Ok(None);
        }
        let before = plan_documents::list(tx).await?;
        if before.is_empty() {
            return Ok(None);
        }
        let (old, new) = (have.assignments(), want.assignments());
        let names = names(want);
        let name = |id: &str| names.get(id).cloned().unwrap_or_default();
        let (mut sent, mut holds) = (Vec::new(), Vec::new());
        for version in &versions {
            let version_on = version.from.map(|day| i64::from(day.0));
            let is_of = |own: &&PlanDocument| own.plan_id == version.plan.id && own.version_on == version_on;
            // Newest first.
            let Some(last) = before.iter().find(is_of) else { continue };
            let had: BTreeSet<&str> = before.iter().filter(is_of).map(|own| own.payee_id.as_str()).collect();
            for payee_id in new.payees().filter(|payee| !had.contains(payee)) {
                if version.days(&old, payee_id).is_some() {
                    continue;
                }
                let Some(content) = text_for(want, &new, &name, version, payee_id) else { continue };
                let from: Day = content.from.parse().map_err(|()| anyhow::anyhow!("the document has a first day"))?;
                let (text, hold_id) = (content.markdown(), new_id("plan")?);
                let (payee_id, plan_id) = (payee_id.to_owned(), version.plan.id.clone());
                holds.push(Hold { hold_id: hold_id.clone(), payee_id: payee_id.clone(), plan_id: plan_id.clone(), from, until: None });
                sent.push(PlanDocument {
                    document_id: new_id("document")?,
                    plan_id,
                    payee_id,
                    version_on,
                    digest: sha256(&text),
                    content: serde_json::to_string(&content)?,
                    text,
                    state: DocumentState::Sent.name().to_owned(),
                    hold_id: Some(hold_id),
                    sent_by: last.sent_by.clone(),
                    sent_at: now_ms(),
                    answered_by: None,
                    answered_at: None,
                    comment: None,
                });
            }
        }
        if sent.is_empty() {
            return Ok(None);
        }
        bump(tx, Part::Work).await?;
        for own in &sent {
            plan_documents::add(tx, own).await?;
        }
        for own in &sent {
            let object = format!("{}/{}", own.plan_id, own.payee_id);
            let entry = Entry::new(&self.actor, "send-plan", &object).after(&own.digest);
            let reason = format!("{}: came onto the plan after it was sent; {HOLD_REASON}", own.document_id);
            attain_audit::append(tx, entry.reason(&reason), own.sent_at).await?;
        }
        with_holds(want, &[], &holds).map(Some)
    }
}
