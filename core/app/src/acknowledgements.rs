//! Published statements and who has acknowledged hers. What is acknowledged is the content: a statement that changes is to be acknowledged
//! again.

use crate::access::{Action, Caller};
use crate::notices::{Everybody, Happening, NoticeKind};
use crate::refusal::Refusal;
use crate::view::{RunView, View};
use crate::work_policy::in_force;
use crate::{Instance, now_ms, shown_ms};
use anyhow::{Context as _, Result};
use attain_audit::Entry;
use attain_database::Tx;
use attain_domain::Table;
use attain_domain::ids::RunId;
use attain_store::teamwork::{self as store, Acknowledgement, PublishedStatement};
use attain_store::versions::{Part, bump};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

/// The tables of a result that a statement is made of, in the order in which they are hashed.
const CONTENT: [&str; 3] = ["statements", "earnings", "slices"];

/// Of published statements so many are named to a program.
const TOLD_MAX: usize = 1_000;

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAcknowledgement {
    /// The `content_hash` that the payee has read.
    pub content_hash: String,
}

/// Whether a payee has acknowledged her statement of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AcknowledgementView {
    pub payee_id: String,
    pub payee_name: String,
    pub period_id: String,
    /// Of the statement as it was published last; `null` before.
    pub content_hash: Option<String>,
    pub published_at: Option<String>,
    pub acknowledged_at: Option<String>,
    pub acknowledged_by: Option<String>,
    /// Whether an earlier content of it was acknowledged.
    pub acknowledged_before: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Acknowledgements {
    pub period_id: String,
    pub published: usize,
    pub acknowledged: usize,
    pub items: Vec<AcknowledgementView>,
}

/// Payee and period to the hash of the statement's content: every value that it shows, and no name.
pub(crate) fn content_hashes(tables: &[Table]) -> BTreeMap<(String, String), String> {
    let mut hashers: BTreeMap<(String, String), blake3::Hasher> = BTreeMap::new();
    for table in tables {
        let (Some(payees), Some(periods)) = (table.texts("payee_id"), table.texts("period_id")) else { continue };
        for row in 0..table.row_count() {
            let (Some(payee), Some(period)) = (payees.get(row), periods.get(row)) else { continue };
            let hasher = hashers.entry((payee.to_owned(), period.to_owned())).or_default();
            let mut feed = |text: &str| {
                hasher.update(&(text.len() as u64).to_le_bytes());
                hasher.update(text.as_bytes());
            };
            feed(&table.name);
            for (name, column) in &table.columns {
                // A column of which nothing is said says nothing: one that is new changes no statement without it.
                if let Some(value) = column.show(row) {
                    feed(name);
                    feed(&value);
                }
            }
        }
    }
    hashers.into_iter().map(|(key, hasher)| (key, hasher.finalize().to_hex().to_string())).collect()
}

/// The hash of one statement of the last run.
fn content_hash(run: &RunView, payee_id: &str, period_id: &str) -> Option<String> {
    let own = |name: &&'static str| {
        let rows: Vec<usize> = run.rows(name, payee_id).collect();
        run.table(name).map(|table| table.take(&rows))
    };
    let tables: Vec<Table> = CONTENT.iter().filter_map(own).collect();
    content_hashes(&tables).remove(&(payee_id.to_owned(), period_id.to_owned()))
}

fn shown(view: &View, key: (&str, &str), published: Option<&PublishedStatement>, given: &[Acknowledgement]) -> AcknowledgementView {
    let (payee_id, period_id) = key;
    let own: Vec<&Acknowledgement> = given.iter().filter(|own| own.payee_id == payee_id && own.period_id == period_id).collect();
    let current = published.and_then(|published| own.iter().find(|own| own.content_hash == published.content_hash));
    AcknowledgementView {
        payee_id: payee_id.to_owned(),
        payee_name: view.company.name(payee_id).to_owned(),
        period_id: period_id.to_owned(),
        content_hash: published.map(|own| own.content_hash.clone()),
        published_at: published.map(|own| shown_ms(own.published_at)),
        acknowledged_at: current.map(|own| shown_ms(own.acknowledged_at)),
        acknowledged_by: current.map(|own| own.user_id.clone()),
        acknowledged_before: current.is_none() && !own.is_empty(),
    }
}

impl Instance {
    /// Keeps the content of the statements of a run that is published, and tells the payees whose content is new. `Part::Work` is
    /// counted first.
    pub(crate) async fn statements_published(&self, tx: &mut Tx, run_id: &RunId, now: i64) -> Result<()> {
        bump(tx, Part::Work).await?;
        let saved = attain_store::runs::load(tx, run_id).await?.with_context(|| format!("run {run_id} is not there"))?;
        let mut tables = Vec::new();
        for name in CONTENT {
            if let Some(table) = saved.manifest.result(name) {
                tables.push(attain_store::runs::read_table(tx, table).await?);
            }
        }
        let before = store::published(tx, "").await?;
        let mut new = Vec::new();
        let mut by_payee: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for ((payee_id, period_id), content_hash) in content_hashes(&tables) {
            let earlier = before.get(&(payee_id.clone(), period_id.clone()));
            if earlier.is_some_and(|own| own.content_hash == content_hash) {
                continue;
            }
            by_payee.entry(payee_id.clone()).or_default().insert(period_id.clone());
            let sequence = earlier.map_or(1, |own| own.sequence + 1);
            let run_id = run_id.as_str().to_owned();
            new.push(PublishedStatement { payee_id, period_id, sequence, content_hash, run_id, published_at: now });
        }
        store::add_published(tx, &new).await?;
        let published: Vec<_> = new
            .iter()
            .map(|own| serde_json::json!({ "payee_id": own.payee_id, "period_id": own.period_id, "content_hash": own.content_hash }))
            .take(TOLD_MAX)
            .collect();
        let is_wanted = in_force(tx).await?.acknowledgement_wanted;
        let kind = if is_wanted { NoticeKind::StatementToAcknowledge } else { NoticeKind::StatementPublished };
        let everybody = Everybody::read(tx).await?;
        for user in everybody.iter() {
            let Some((payee_id, periods)) = user.payee_id.as_ref().and_then(|payee| by_payee.get_key_value(payee)) else { continue };
            let (Some(first), Some(last)) = (periods.first(), periods.last()) else { continue };
            let what = if first == last { format!("statement of {last} was") } else { format!("statements of {first} to {last} were") };
            let wanted = if is_wanted { "; please acknowledge" } else { "" };
            let happening = Happening {
                kind,
                object: last,
                body: format!("your {what} published{wanted}"),
                link: format!("/statements/{last}"),
                once_key: None,
                payee_id: Some(payee_id),
                period_id: Some(last),
                state: serde_json::Value::Null,
            };
            self.tell_known(tx, &everybody, &happening, &BTreeSet::from([user.user_id.clone()]), now).await?;
        }
        let happening = Happening {
            kind: NoticeKind::StatementPublished,
            object: run_id.as_str(),
            body: String::new(),
            link: format!("/runs/{}", run_id.as_str()),
            once_key: None,
            payee_id: None,
            period_id: None,
            state: serde_json::json!({ "run_id": run_id.as_str(), "state": "published", "statement_count": new.len(), "statements": published }),
        };
        self.tell_programs(tx, &happening, now).await
    }

    /// Whether the payee has acknowledged her statement.
    pub async fn acknowledgement(&self, view: &View, caller: &Caller, payee_id: &str, period_id: &str) -> Result<AcknowledgementView> {
        view.visible_period(caller, payee_id, period_id)?;
        let mut connection = self.database.read().await?;
        let published = store::published(&mut connection, period_id).await?;
        let given = store::acknowledgements(&mut connection, period_id).await?;
        Ok(shown(view, (payee_id, period_id), published.get(&(payee_id.to_owned(), period_id.to_owned())), &given))
    }

    /// The payee herself says that she has read her published statement. Saying it again changes nothing.
    pub async fn acknowledge(
        &self,
        view: &View,
        caller: &Caller,
        payee_id: &str,
        period_id: &str,
        new: &NewAcknowledgement,
    ) -> Result<AcknowledgementView> {
        view.visible_period(caller, payee_id, period_id)?;
        if caller.payee_id.as_deref() != Some(payee_id) || !caller.may(Action::SeeOwnPay) {
            return Err(Refusal::forbidden("only the payee herself acknowledges her statement").into());
        }
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        bump(&mut tx, Part::Work).await?;
        let published = store::published(&mut tx, period_id).await?.remove(&(payee_id.to_owned(), period_id.to_owned()));
        let Some(published) = published else {
            return Err(Refusal::not_found(format!("the statement of {period_id} was not published yet")).into());
        };
        let current = view.run.as_ref().and_then(|run| content_hash(run, payee_id, period_id));
        if published.content_hash != new.content_hash || current.as_ref() != Some(&new.content_hash) {
            let message = "the statement is not the one that you read, or is not published as it is now; read it again";
            return Err(Refusal::stale(message).into());
        }
        let own = Acknowledgement {
            payee_id: payee_id.to_owned(),
            period_id: period_id.to_owned(),
            content_hash: new.content_hash.clone(),
            user_id: caller.user_id.clone(),
            acknowledged_at: now,
        };
        if store::acknowledge(&mut tx, &own).await? {
            let entry = Entry::new(&caller.user_id, "acknowledge", &format!("{payee_id}/{period_id}")).after(&own.content_hash);
            attain_audit::append(&mut tx, entry, now).await?;
        }
        tx.commit().await?;
        self.seal().await?;
        self.acknowledgement(view, caller, payee_id, period_id).await
    }

    /// Who of those whom the caller may see has acknowledged the published statement of a period, those first who have not.
    pub async fn acknowledgements(&self, view: &View, caller: &Caller, period_id: &str) -> Result<Acknowledgements> {
        caller.require_one(&[Action::SeeTeamPay, Action::SeeAllPay])?;
        view.company.period(period_id)?;
        let mut connection = self.database.read().await?;
        let published = store::published(&mut connection, period_id).await?;
        let given = store::acknowledgements(&mut connection, period_id).await?;
        drop(connection);
        let mut items: Vec<AcknowledgementView> = published
            .values()
            .filter(|own| view.visible_period(caller, &own.payee_id, period_id).is_ok())
            .map(|own| shown(view, (&own.payee_id, period_id), Some(own), &given))
            .collect();
        items.sort_by(|left, right| {
            (left.acknowledged_at.is_some(), &left.payee_id).cmp(&(right.acknowledged_at.is_some(), &right.payee_id))
        });
        let acknowledged = items.iter().filter(|own| own.acknowledged_at.is_some()).count();
        Ok(Acknowledgements { period_id: period_id.to_owned(), published: items.len(), acknowledged, items })
    }
}
