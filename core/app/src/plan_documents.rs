//! Plans as documents: sent to payees, read, accepted or returned with a comment. What was sent is kept word by word; a text that
//! has changed asks again. Where a plan says so, pay is held until its document is accepted, by rows of `holds` made here.

mod joiners;

use crate::access::{Action, Caller};
use crate::company::{no_company, refused};
use crate::folder::{self, Company};
use crate::plan_text::{PlanText, Subject, plan_text};
use crate::refusal::Refusal;
use crate::users::new_id;
use crate::view::View;
use crate::{Instance, now_ms, shown_ms};
use anyhow::{Context, Result};
use attain_audit::Entry;
use attain_calc::Assignments;
use attain_domain::schema::entity;
use attain_domain::{Column, Day, NULL_NUMBER, Table};
use attain_store::plan_documents::{self, PlanDocument};
use attain_store::versions::{Part, bump, hold};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use utoipa::ToSchema;

const COMMENT_LENGTH_MAX: usize = 5_000;
/// The reason of holds that wait for acceptance.
pub const HOLD_REASON: &str = "plan-not-accepted";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentState {
    /// It waits for an answer.
    Sent,
    Accepted,
    /// With a comment.
    Returned,
    /// Another text was sent before it was answered.
    Replaced,
}

impl DocumentState {
    fn name(self) -> &'static str {
        match self {
            DocumentState::Sent => "sent",
            DocumentState::Accepted => "accepted",
            DocumentState::Returned => "returned",
            DocumentState::Replaced => "replaced",
        }
    }
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDocuments {
    pub plan_id: String,
    /// A day on which the version holds that is sent; the last version by default.
    #[serde(default)]
    pub on: Option<String>,
    /// To these; to everybody on that version by default.
    #[serde(default)]
    pub payee_ids: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentHead {
    pub document_id: String,
    pub plan_id: String,
    pub payee_id: String,
    pub payee_name: String,
    /// First day of the plan's version; `null` for one that holds from the beginning.
    pub version: Option<String>,
    /// SHA-256 of the exact text.
    pub sha256: String,
    pub state: String,
    /// Whether pay of the plan is held until it is accepted.
    pub holds_pay: bool,
    pub sent_by: String,
    pub sent_at: String,
    pub answered_at: Option<String>,
    /// Why it was returned.
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentView {
    #[serde(flatten)]
    pub head: DocumentHead,
    /// Exactly what is accepted, as Markdown.
    pub text: String,
    pub content: PlanText,
}

/// What sending did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sent {
    pub documents: Vec<DocumentHead>,
    /// Payees who have this very text already, accepted or waiting.
    pub unchanged_count: usize,
}

/// A plan as a payee would read it, before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct DocumentDraft {
    pub sha256: String,
    pub text: String,
    pub content: PlanText,
}

/// A file to hand out.
pub struct PlanFilePrint {
    /// Letters, digits, `-`, `_` and `.` only.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// SHA-256 of a text, in lower-case hexadecimal.
fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |mut shown, byte| {
        let _ = write!(shown, "{byte:02x}");
        shown
    })
}

fn today() -> Day {
    Day::from_date(chrono::Utc::now().date_naive())
}

fn unknown(document_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no plan document `{document_id}`"))
}

fn no_plan(plan_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no plan `{plan_id}`"))
}

/// A plan document is seen by who may know of the payee.
fn sees(view: &View, caller: &Caller, document: &PlanDocument) -> bool {
    view.known_payee(caller, &document.payee_id).is_ok()
}

fn head(view: &View, own: &PlanDocument) -> DocumentHead {
    DocumentHead {
        document_id: own.document_id.clone(),
        plan_id: own.plan_id.clone(),
        payee_id: own.payee_id.clone(),
        payee_name: view.company.name(&own.payee_id).to_owned(),
        version: own.version_on.and_then(|day| i32::try_from(day).ok()).map(|day| Day(day).to_string()),
        sha256: own.digest.clone(),
        state: own.state.clone(),
        holds_pay: own.hold_id.is_some(),
        sent_by: own.sent_by.clone(),
        sent_at: shown_ms(own.sent_at),
        answered_at: own.answered_at.map(shown_ms),
        comment: own.comment.clone(),
    }
}

/// A version of a plan with the days on which it holds.
struct Version<'a> {
    plan: &'a attain_domain::plan::Plan,
    from: Option<Day>,
    until: Option<Day>,
}

impl Version<'_> {
    /// The first day of the version on which a payee is on its plan; `None` where she never is.
    fn days(&self, assignments: &Assignments, payee_id: &str) -> Option<Day> {
        let (start, end) = (self.from.map_or(i32::MIN, |day| day.0), self.until.map_or(i32::MAX, |day| day.0));
        let held = assignments.of(payee_id);
        let first = held.get(self.plan.id.as_str())?.iter().find(|own| own.from < end && start < own.until)?;
        Some(Day(first.from.max(start)))
    }
}

/// The version that holds on a day; the last where none is named.
fn version<'a>(company: &'a Company, plan_id: &str, on: Option<Day>) -> Result<Version<'a>, Refusal> {
    let versions = company.plan_versions(plan_id);
    let start = |place: usize| versions[place].plan.from.map_or(i32::MIN, |day| day.0);
    let place = match on {
        None => versions.len().checked_sub(1).ok_or_else(|| no_plan(plan_id))?,
        Some(day) => (0..versions.len()).rfind(|place| start(*place) <= day.0).ok_or_else(|| no_plan(plan_id))?,
    };
    let next = versions.get(place + 1).and_then(|file| file.plan.from);
    Ok(Version { plan: &versions[place].plan, from: versions[place].plan.from, until: next })
}

/// The document of a version for a payee; `None` where she is never on it.
fn text_for(
    company: &Company,
    assignments: &Assignments,
    names: &dyn Fn(&str) -> String,
    version: &Version<'_>,
    payee_id: &str,
) -> Option<PlanText> {
    let from = version.days(assignments, payee_id)?;
    let name = names(payee_id);
    let subject = Subject { company, assignments, payee_id, payee_name: &name, plan: version.plan, from, until: version.until };
    Some(plan_text(&subject))
}

/// The company with rows of `holds` in place of those with the same ids.
fn with_holds(have: &Company, ids: &[&str], rows: &[Hold]) -> Result<Company> {
    let schema = entity("holds").context("holds are an entity")?;
    let present = have.tables.get("holds").cloned().unwrap_or_else(|| folder::canonical(schema, &Table::new("holds")));
    let id = |row: usize| present.texts("hold_id").and_then(|own| own.get(row)).unwrap_or_default();
    let others: Vec<usize> = (0..present.row_count()).filter(|row| !ids.contains(&id(*row))).collect();
    let text = |value: fn(&Hold) -> &str| Column::text(&rows.iter().map(|own| Some(value(own))).collect::<Vec<_>>());
    let added = Table::new("holds")
        .with("hold_id", text(|own| &own.hold_id))
        .with("payee_id", text(|own| &own.payee_id))
        .with("plan_id", text(|own| &own.plan_id))
        .with("from_on", Column::integer(rows.iter().map(|own| i64::from(own.from.0)).collect()))
        .with("until_on", Column::integer(rows.iter().map(|own| own.until.map_or(NULL_NUMBER, |day| i64::from(day.0))).collect()))
        .with("reason", text(|_| HOLD_REASON));
    let wanted = Table::concat("holds", &[&present.take(&others), &folder::canonical(schema, &added)]);
    let mut tables = have.tables.clone();
    tables.insert("holds".to_owned(), folder::canonical(schema, &wanted));
    Ok(Company::assemble(&have.documents(), tables.into_values()).map_err(|problems| refused("the hold", &problems))?)
}

/// A row of `holds` that waits for acceptance.
struct Hold {
    hold_id: String,
    payee_id: String,
    plan_id: String,
    from: Day,
    until: Option<Day>,
}

/// The first day of a hold, where it is there.
fn hold_start(company: &Company, hold_id: &str) -> Option<Day> {
    let table = company.tables.get("holds")?;
    let row = (0..table.row_count()).find(|row| table.texts("hold_id").and_then(|own| own.get(*row)) == Some(hold_id))?;
    table.numbers("from_on")?.get(row).and_then(|day| i32::try_from(*day).ok()).map(Day)
}

impl Instance {
    /// The plan as a payee would read it.
    pub fn plan_draft(&self, view: &View, caller: &Caller, payee_id: &str, plan_id: &str, on: Option<Day>) -> Result<DocumentDraft> {
        view.known_payee(caller, payee_id)?;
        let company = &view.company.company;
        let version = version(company, plan_id, on)?;
        let assignments = company.assignments();
        let content = text_for(company, &assignments, &|id| view.company.name(id).to_owned(), &version, payee_id)
            .ok_or_else(|| Refusal::not_found(format!("payee `{payee_id}` is not on plan `{plan_id}` then")))?;
        let text = content.markdown();
        Ok(DocumentDraft { sha256: sha256(&text), text, content })
    }

    /// Sends a plan to those who are on it. Who has this very text already is passed over.
    pub async fn send_plan(&self, view: &View, caller: &Caller, new: &NewDocuments) -> Result<Sent> {
        caller.require(Action::DraftChanges)?;
        let on = new
            .on
            .as_deref()
            .map(|text| text.parse::<Day>().map_err(|()| Refusal::invalid(format!("`{text}` is not a day; write YYYY-MM-DD"))));
        let on = on.transpose()?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        hold(&mut tx, Part::Company).await?;
        let company = self.company_at(&mut tx).await?.ok_or_else(no_company)?;
        let mut holds: Vec<Hold> = Vec::new();
        let version = version(&company, &new.plan_id, on)?;
        let name = |id: &str| view.company.name(id).to_owned();
        let assignments = company.assignments();
        let wanted: BTreeSet<String> = match &new.payee_ids {
            Some(ids) => ids.iter().cloned().collect(),
            None => assignments.payees().map(str::to_owned).collect(),
        };
        let before = plan_documents::list(&mut tx).await?;
        let version_on = version.from.map(|day| i64::from(day.0));
        let (mut sent, mut unchanged_count) = (Vec::new(), 0);
        for payee_id in &wanted {
            let Some(content) = text_for(&company, &assignments, &name, &version, payee_id) else {
                if new.payee_ids.is_some() {
                    let message = format!("payee `{payee_id}` is not on plan `{}` while that version holds", new.plan_id);
                    return Err(Refusal::invalid(message).into());
                }
                continue;
            };
            let text = content.markdown();
            let digest = sha256(&text);
            let mut own =
                before.iter().filter(|own| own.payee_id == *payee_id && own.plan_id == new.plan_id && own.version_on == version_on);
            // Newest first.
            let last = own.next();
            if last.is_some_and(|last| last.digest == digest && matches!(last.state.as_str(), "sent" | "accepted")) {
                unchanged_count += 1;
                continue;
            }
            let was_accepted = last.is_some_and(|last| last.state == "accepted") || own.any(|own| own.state == "accepted");
            // One that was not accepted yet keeps its hold.
            let kept = last.filter(|last| last.state != "accepted").and_then(|last| last.hold_id.clone());
            let kept = kept.filter(|hold_id| hold_start(&company, hold_id).is_some());
            let hold_id = match (version.plan.requires_acceptance, kept) {
                (false, _) => None,
                (true, Some(kept)) => Some(kept),
                (true, None) => {
                    let hold_id = new_id("plan")?;
                    let start: Day = content.from.parse().map_err(|()| anyhow::anyhow!("the document has a first day"))?;
                    // What was accepted before stays paid: another text holds what comes.
                    let from = if was_accepted { today().max(start) } else { start };
                    holds.push(Hold {
                        hold_id: hold_id.clone(),
                        payee_id: payee_id.clone(),
                        plan_id: new.plan_id.clone(),
                        from,
                        until: None,
                    });
                    Some(hold_id)
                }
            };
            if let Some(open) = last.filter(|last| last.state == "sent") {
                plan_documents::answer(&mut tx, &open.document_id, DocumentState::Replaced.name(), None, None, None).await?;
            }
            let document = PlanDocument {
                document_id: new_id("document")?,
                plan_id: new.plan_id.clone(),
                payee_id: payee_id.clone(),
                version_on,
                digest,
                content: serde_json::to_string(&content)?,
                text,
                state: DocumentState::Sent.name().to_owned(),
                hold_id,
                sent_by: caller.user_id.clone(),
                sent_at: now,
                answered_by: None,
                answered_at: None,
                comment: None,
            };
            plan_documents::add(&mut tx, &document).await?;
            sent.push(document);
        }
        if !holds.is_empty() {
            self.put_holds(&mut tx, &company, &[], &holds, "sent").await?;
        }
        if !sent.is_empty() {
            bump(&mut tx, Part::Work).await?;
            for document in &sent {
                let object = format!("{}/{}", document.plan_id, document.payee_id);
                let entry = Entry::new(&self.actor, "send-plan", &object).after(&document.digest).reason(&document.document_id);
                attain_audit::append(&mut tx, entry, now_ms()).await?;
            }
            tx.commit().await?;
            self.seal().await?;
        }
        Ok(Sent { documents: sent.iter().map(|own| head(view, own)).collect(), unchanged_count })
    }

    /// Writes holds that wait for acceptance in place of those with these ids.
    async fn put_holds(&self, tx: &mut attain_database::Tx, have: &Company, ids: &[&str], rows: &[Hold], why: &str) -> Result<()> {
        let want = with_holds(have, ids, rows)?;
        self.write(tx, Some(have), &want, "plan-hold", &format!("made by the system: the document of a plan was {why}")).await?;
        Ok(())
    }

    /// Those that the caller may see, newest first.
    pub async fn plan_documents(
        &self,
        view: &View,
        caller: &Caller,
        plan_id: Option<&str>,
        payee_id: Option<&str>,
        state: Option<DocumentState>,
    ) -> Result<Vec<DocumentHead>> {
        caller.require_one(&[Action::SeeOwnPay, Action::SeeTeamPay, Action::SeeAllPay])?;
        let mut connection = self.database.glance().await?;
        let all = plan_documents::list(&mut connection).await?;
        Ok(all
            .iter()
            .filter(|own| plan_id.is_none_or(|plan| own.plan_id == plan))
            .filter(|own| payee_id.is_none_or(|payee| own.payee_id == payee))
            .filter(|own| state.is_none_or(|state| own.state == state.name()))
            .filter(|own| sees(view, caller, own))
            .map(|own| head(view, own))
            .collect())
    }

    async fn sent_document(&self, view: &View, caller: &Caller, document_id: &str) -> Result<PlanDocument> {
        caller.require_one(&[Action::SeeOwnPay, Action::SeeTeamPay, Action::SeeAllPay])?;
        let mut read = self.database.read().await?;
        let own = plan_documents::get(&mut read, document_id).await?;
        Ok(own.filter(|own| sees(view, caller, own)).ok_or_else(|| unknown(document_id))?)
    }

    pub async fn plan_document(&self, view: &View, caller: &Caller, document_id: &str) -> Result<DocumentView> {
        let own = self.sent_document(view, caller, document_id).await?;
        Ok(DocumentView { head: head(view, &own), content: serde_json::from_str(&own.content)?, text: own.text })
    }

    /// As a page to print: the same bytes every time.
    pub async fn plan_document_pdf(&self, view: &View, caller: &Caller, document_id: &str) -> Result<PlanFilePrint> {
        let own = self.sent_document(view, caller, document_id).await?;
        let content: PlanText = serde_json::from_str(&own.content)?;
        let document = content.document(&own.digest, &[("Document", own.document_id.clone())]);
        let bytes = tokio::task::spawn_blocking(move || attain_print::pdf(&document)).await.context("the document could not be drawn")?;
        let safe = |own: char| if own.is_ascii_alphanumeric() || "-_".contains(own) { own } else { '_' };
        let name: String = format!("plan-{}-{}", own.plan_id, own.payee_id).chars().map(safe).take(100).collect();
        Ok(PlanFilePrint { name: format!("{name}.pdf"), bytes: bytes.map_err(|error| Refusal::invalid(format!("{error:#}")))? })
    }

    /// By the payee alone. `digest` is that of the text she has read.
    pub async fn accept_plan(&self, view: &View, caller: &Caller, document_id: &str, digest: &str) -> Result<DocumentView> {
        self.answer_plan(view, caller, document_id, DocumentState::Accepted, Some(digest), None).await
    }

    /// Back to who sent it, with a comment. Pay that waits for acceptance stays held.
    pub async fn return_plan(&self, view: &View, caller: &Caller, document_id: &str, comment: &str) -> Result<DocumentView> {
        let comment = comment.trim();
        if !(1..=COMMENT_LENGTH_MAX).contains(&comment.chars().count()) {
            return Err(Refusal::invalid(format!("the comment has 1 to {COMMENT_LENGTH_MAX} characters")).into());
        }
        self.answer_plan(view, caller, document_id, DocumentState::Returned, None, Some(comment)).await
    }

    async fn answer_plan(
        &self,
        view: &View,
        caller: &Caller,
        document_id: &str,
        state: DocumentState,
        digest: Option<&str>,
        comment: Option<&str>,
    ) -> Result<DocumentView> {
        caller.require(Action::SeeOwnPay)?;
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        hold(&mut tx, Part::Company).await?;
        let own = plan_documents::get(&mut tx, document_id).await?;
        let own = own.filter(|own| sees(view, caller, own)).ok_or_else(|| unknown(document_id))?;
        if caller.payee_id.as_deref() != Some(own.payee_id.as_str()) {
            return Err(Refusal::forbidden("only the payee herself can answer for her plan").into());
        }
        if own.state != DocumentState::Sent.name() {
            return Err(Refusal::conflict(format!("this document was {} already", own.state)).into());
        }
        if digest.is_some_and(|digest| digest != own.digest) {
            return Err(Refusal::conflict("this is not the text of the document; read it again and send its `sha256`").into());
        }
        if let Some(hold_id) = own.hold_id.as_deref().filter(|_| state == DocumentState::Accepted) {
            let have = self.company_at(&mut tx).await?.ok_or_else(no_company)?;
            if let Some(from) = hold_start(&have, hold_id) {
                // One that was accepted before it began holds nothing.
                let (payee_id, plan_id, until) = (own.payee_id.clone(), own.plan_id.clone(), today());
                let row = Hold { hold_id: hold_id.to_owned(), payee_id, plan_id, from, until: Some(until) };
                let rows: Vec<Hold> = [row].into_iter().filter(|_| from < until).collect();
                self.put_holds(&mut tx, &have, &[hold_id], &rows, "accepted").await?;
            }
        }
        if !plan_documents::answer(&mut tx, document_id, state.name(), Some(&caller.user_id), Some(now), comment).await? {
            return Err(Refusal::conflict("the document was answered at the same time; read it again").into());
        }
        bump(&mut tx, Part::Work).await?;
        let object = format!("{}/{}", own.plan_id, own.payee_id);
        let action = if state == DocumentState::Accepted { "accept-plan" } else { "return-plan" };
        let entry = Entry::new(&self.actor, action, &object).before(&own.digest).after(state.name()).reason(comment.unwrap_or(document_id));
        attain_audit::append(&mut tx, entry, now_ms()).await?;
        tx.commit().await?;
        self.seal().await?;
        self.plan_document(view, caller, document_id).await
    }
}
