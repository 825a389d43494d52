//! The states of periods: open → in review → approved → closed. Whoever asked for the review does not approve it. An approved or closed
//! period keeps what was posted for it; opening one again needs two people.

use crate::access::{Action, Caller};
use crate::changes::{ChangeKind, ChangeView, NewChange};
use crate::company::no_company;
use crate::folder::Company;
use crate::refusal::Refusal;
use crate::{Instance, now_ms, shown_ms};
use anyhow::Result;
use attain_audit::Entry;
use attain_database::Tx;
use attain_domain::Table;
use attain_domain::schema;
use attain_store::periods::{self as store, PeriodEvent};
use attain_store::versions::{self, Part};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use utoipa::ToSchema;

const REASON_LENGTH_MAX: usize = 500;
/// Of what stands in the way of an approval so much is listed.
const LISTED_MAX: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PeriodState {
    Open,
    InReview,
    Approved,
    Closed,
}

impl PeriodState {
    pub fn name(self) -> &'static str {
        match self {
            PeriodState::Open => "open",
            PeriodState::InReview => "in-review",
            PeriodState::Approved => "approved",
            PeriodState::Closed => "closed",
        }
    }

    pub fn from_name(name: &str) -> PeriodState {
        match name {
            "in-review" => PeriodState::InReview,
            "approved" => PeriodState::Approved,
            "closed" => PeriodState::Closed,
            _ => PeriodState::Open,
        }
    }

    /// Whether what was posted stays as it is.
    pub fn is_frozen(self) -> bool {
        matches!(self, PeriodState::Approved | PeriodState::Closed)
    }
}

/// Whether a write may open a period again: only one that two people decided on may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Usual,
    Decided,
}

/// Whose decision an approval is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hands {
    Two,
    BreakGlass,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub to: PeriodState,
    #[serde(default)]
    pub reason: String,
}

#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reopening {
    pub reason: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StepView {
    pub from: String,
    pub to: String,
    /// The run whose statements stand from here on.
    pub run_id: Option<String>,
    pub actor: String,
    pub reason: String,
    pub recorded_at: String,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PeriodView {
    pub period_id: String,
    pub from: String,
    pub until: String,
    pub state: PeriodState,
    pub steps: Vec<StepView>,
}

/// States by period id; a period that is not there is open.
pub(crate) fn states(company: &Company) -> BTreeMap<String, PeriodState> {
    let Some(table) = company.tables.get("periods") else { return BTreeMap::new() };
    let (ids, states) = (table.texts("period_id"), table.texts("state"));
    let of = |row: usize| Some((ids?.get(row)?.to_owned(), PeriodState::from_name(states?.get(row)?)));
    (0..table.row_count()).filter_map(of).collect()
}

fn state_of(company: &Company, period_id: &str) -> PeriodState {
    states(company).get(period_id).copied().unwrap_or(PeriodState::Open)
}

/// Refuses what would change a period that is approved or closed, by whatever way it comes.
pub(crate) fn guard(have: Option<&Company>, want: &Company, door: Door) -> Result<(), Refusal> {
    let before = have.map(states).unwrap_or_default();
    let after = states(want);
    let mut problems = Vec::new();
    let mut frozen: BTreeSet<&str> = BTreeSet::new();
    for (period, was) in &before {
        let is = after.get(period).copied().unwrap_or(PeriodState::Open);
        if was.is_frozen() && is < *was && door == Door::Usual {
            problems.push(format!(
                "period {period} is {}; it is opened again with `attain period reopen {period}`, or in the console by two people",
                was.name()
            ));
        }
        if was.is_frozen() && is.is_frozen() {
            frozen.insert(period);
        }
    }
    // A record that begins with closed periods takes them over from where they were closed.
    if have.is_some() && door == Door::Usual {
        let was_open = |period: &str| !before.get(period).is_some_and(|was| was.is_frozen());
        for (period, is) in after.iter().filter(|(period, is)| is.is_frozen() && was_open(period)) {
            problems.push(format!(
                "period {period} is not {} by a file: it is reviewed and approved by two people, in the console or with `attain period set`",
                is.name()
            ));
        }
    }
    if let Some(have) = have.filter(|_| !frozen.is_empty()) {
        for row in changed_adjustments(have, want) {
            if frozen.contains(row.1.as_str()) {
                problems.push(format!("adjustment {} belongs to period {}, which takes no more; choose an open period", row.0, row.1));
            }
        }
        let bounds = |company: &Company| -> BTreeMap<String, (i32, i32)> {
            let calendar = attain_domain::Calendar::new(&company.settings.calendar);
            let periods = calendar.map(|calendar| calendar.periods).unwrap_or_default();
            periods.into_iter().map(|period| (period.id.0, (period.from.0, period.until.0))).collect()
        };
        if have.settings.calendar != want.settings.calendar {
            let (old, new) = (bounds(have), bounds(want));
            let moved = frozen.iter().filter(|period| old.get(**period) != new.get(**period));
            problems.extend(moved.map(|period| format!("period {period} is frozen: its days cannot change; keep it in the calendar")));
        }
        if have.settings.currency != want.settings.currency {
            problems.push("periods are closed in this currency; it cannot change any more".to_owned());
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Refusal::conflict("closed periods stay as they are; nothing was changed").with_details(problems))
    }
}

/// Id and period of the adjustments that differ.
fn changed_adjustments(have: &Company, want: &Company) -> Vec<(String, String)> {
    let rows = |company: &Company| -> BTreeMap<(String, String), Vec<Option<String>>> {
        let Some(table) = company.tables.get("adjustments") else { return BTreeMap::new() };
        let text = |name: &str, row: usize| table.texts(name).and_then(|column| column.get(row)).unwrap_or_default().to_owned();
        let whole = |row: usize| table.columns.iter().map(|(_, column)| column.show(row)).collect();
        (0..table.row_count()).map(|row| ((text("adjustment_id", row), text("period_id", row)), whole(row))).collect()
    };
    let (old, new) = (rows(have), rows(want));
    let keys: BTreeSet<&(String, String)> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter(|key| old.get(*key) != new.get(*key)).cloned().collect()
}

/// Keeps the steps that a write makes, each with the run that stands from then on.
pub(crate) async fn record(tx: &mut Tx, have: Option<&Company>, want: &Company, actor: &str, reason: &str) -> Result<()> {
    let before = have.map(states).unwrap_or_default();
    let after = states(want);
    let periods: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for period in periods {
        let state = |all: &BTreeMap<String, PeriodState>| all.get(period).copied().unwrap_or(PeriodState::Open);
        let (from, to) = (state(&before), state(&after));
        if from == to {
            continue;
        }
        let run_id = match (from.is_frozen(), to.is_frozen()) {
            (false, true) => store::last_complete_run(tx).await?.map(|(run_id, _)| run_id),
            (true, true) => {
                let events = store::events(tx).await?;
                events.into_iter().rfind(|event| event.period_id == *period && event.run_id.is_some()).and_then(|event| event.run_id)
            }
            _ => None,
        };
        let event = PeriodEvent {
            period_id: period.clone(),
            sequence: 0,
            from_state: from.name().to_owned(),
            to_state: to.name().to_owned(),
            run_id,
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            recorded_at: now_ms(),
        };
        store::add(tx, &event).await?;
    }
    Ok(())
}

/// The run that stands for each frozen period, by period id.
pub(crate) fn standing(company: &Company, events: &[PeriodEvent]) -> BTreeMap<String, String> {
    let frozen = states(company).into_iter().filter(|(_, state)| state.is_frozen());
    let run_of = |period: &str| events.iter().rfind(|event| event.period_id == period)?.run_id.clone();
    frozen.filter_map(|(period, _)| run_of(&period).map(|run| (period, run))).collect()
}

fn row(period_id: &str, state: PeriodState) -> Table {
    let text = |value: &str| attain_domain::Column::text(&[Some(value)]);
    Table::new("periods").with("period_id", text(period_id)).with("state", text(state.name()))
}

impl Instance {
    pub async fn periods(&self, caller: &Caller) -> Result<Vec<PeriodView>> {
        caller.require_one(&[Action::SeeRuns, Action::SeeOwnPay, Action::SeeTeamPay, Action::SeeAllPay])?;
        let view = self.view().await?;
        let mut read = self.database.read().await?;
        let events = if caller.require(Action::SeeRuns).is_ok() { store::events(&mut read).await? } else { Vec::new() };
        let states = states(&view.company.company);
        let shown = view.company.calendar.periods.iter().map(|period| PeriodView {
            period_id: period.id.0.clone(),
            from: period.from.to_string(),
            until: period.until.to_string(),
            state: states.get(period.id.as_str()).copied().unwrap_or(PeriodState::Open),
            steps: events
                .iter()
                .filter(|event| event.period_id == period.id.0)
                .map(|event| StepView {
                    from: event.from_state.clone(),
                    to: event.to_state.clone(),
                    run_id: event.run_id.clone(),
                    actor: event.actor.clone(),
                    reason: event.reason.clone(),
                    recorded_at: shown_ms(event.recorded_at),
                })
                .collect(),
        });
        Ok(shown.collect())
    }

    /// Brings a period one step on, or back from review. Opening one again is [`Instance::draft_reopening`].
    pub async fn step_period(&self, caller: &Caller, period_id: &str, step: &Step) -> Result<Vec<PeriodView>> {
        self.step_period_by(caller, period_id, step, Hands::Two).await
    }

    /// As [`Instance::step_period`], without the second person that an approval needs: for whoever runs the server, where nobody else can.
    /// The trail has an entry of its own for it.
    pub async fn break_glass_on_period(&self, caller: &Caller, period_id: &str, step: &Step) -> Result<Vec<PeriodView>> {
        self.step_period_by(caller, period_id, step, Hands::BreakGlass).await
    }

    async fn step_period_by(&self, caller: &Caller, period_id: &str, step: &Step, hands: Hands) -> Result<Vec<PeriodView>> {
        let reason = crate::periods::reason(&step.reason)?;
        if hands == Hands::BreakGlass && reason.is_empty() {
            return Err(Refusal::invalid("say with a reason why nobody else can approve").into());
        }
        match step.to {
            PeriodState::Open | PeriodState::InReview => caller.require_one(&[Action::DraftChanges, Action::ApproveChanges])?,
            PeriodState::Approved | PeriodState::Closed => caller.require(Action::ApproveChanges)?,
        }
        let view = self.view().await?;
        let unreviewed = match (step.to, &view.run) {
            (PeriodState::Approved, Some(_)) => self.unreviewed_anomalies(&view, period_id).await?,
            _ => Vec::new(),
        };
        let mut tx = self.database.begin().await?;
        versions::hold(&mut tx, Part::Company).await?;
        let have = self.company_at(&mut tx).await?.ok_or_else(no_company)?;
        let known = attain_domain::Calendar::new(&have.settings.calendar).map_err(Refusal::invalid)?;
        if known.index_of(period_id).is_none() {
            return Err(Refusal::not_found(format!("there is no period `{period_id}`")).into());
        }
        let from = state_of(&have, period_id);
        use PeriodState::{Approved, Closed, InReview, Open};
        if !matches!((from, step.to), (Open, Open | InReview) | (InReview, Approved) | (Approved, Closed) | (InReview, Open)) {
            let message = format!(
                "period {period_id} is {}; the next step is {}",
                from.name(),
                match from {
                    Open => "in-review",
                    InReview => "approved, or open again",
                    Approved => "closed; two people can open it again",
                    Closed => "none; two people can open it again",
                }
            );
            return Err(Refusal::conflict(message).into());
        }
        if step.to == Approved {
            self.approvable(&mut tx, caller, period_id, hands).await?;
            if !unreviewed.is_empty() {
                let lines = unreviewed
                    .iter()
                    .take(LISTED_MAX)
                    .map(|own| format!("{} {} {}", own.payee_id, own.kind.name(), own.value.as_deref().unwrap_or_default()))
                    .collect();
                let message =
                    format!("{} unusual statements of {period_id} were not looked at yet; review each, then approve", unreviewed.len());
                return Err(Refusal::conflict(message).with_details(lines).into());
            }
        }
        // Who may do so was asked above.
        self.write_state(&mut tx, &have, caller, period_id, step.to, Door::Decided, &reason).await?;
        if hands == Hands::BreakGlass {
            note_broken_glass(&mut tx, caller, period_id, from, step.to, &reason).await?;
        }
        tx.commit().await?;
        self.seal().await?;
        self.periods(caller).await
    }

    /// An approval needs results of what is there now, and a second person.
    async fn approvable(&self, tx: &mut Tx, caller: &Caller, period_id: &str, hands: Hands) -> Result<()> {
        let Some((_, made_at)) = store::last_complete_run(tx).await? else {
            return Err(Refusal::conflict("nothing was calculated yet; start a run, review it, then approve the period").into());
        };
        let newest = attain_store::runs::list(tx).await?.into_iter().next();
        if newest.is_some_and(|run| !run.complete) {
            return Err(Refusal::conflict("the last run is incomplete; mend what its findings say and run again").into());
        }
        if store::last_change(tx).await? > made_at {
            return Err(Refusal::conflict("something was changed since the last run; run again and review that").into());
        }
        let events = store::events(tx).await?;
        let asked = events.iter().rfind(|event| event.period_id == period_id && event.to_state == PeriodState::InReview.name());
        if let Some(asked) = asked.filter(|_| hands == Hands::Two) {
            let own = attain_store::users::by_id(tx, &caller.user_id).await?.and_then(|user| user.payee_id).or(caller.payee_id.clone());
            let theirs = attain_store::users::by_id(tx, &asked.actor).await?.and_then(|user| user.payee_id);
            if asked.actor == caller.user_id || (own.is_some() && own == theirs) {
                return Err(Refusal::forbidden("a period needs a second person; you asked for its review").into());
            }
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "one step, from two use cases")]
    async fn write_state(
        &self,
        tx: &mut Tx,
        have: &Company,
        caller: &Caller,
        period_id: &str,
        to: PeriodState,
        door: Door,
        reason: &str,
    ) -> Result<()> {
        let entity = schema::entity("periods").ok_or_else(|| anyhow::anyhow!("periods are an entity"))?;
        let wanted = crate::company::merged(entity, &have.table_of(entity), &row(period_id, to));
        let mut tables = have.tables.clone();
        tables.insert("periods".to_owned(), wanted);
        let want = Company::assemble(&have.documents(), tables.into_values())
            .map_err(|problems| crate::company::refused("the state", &problems))?;
        let acting = self.acting_as(caller);
        self.period_moved(tx, period_id, to.name(), &caller.user_id, now_ms()).await?;
        let said = format!("{period_id} {}: {reason}", to.name());
        acting.write_by(tx, Some(have), &want, "period", &said, door).await?;
        versions::bump(tx, Part::Runs).await?;
        Ok(())
    }

    /// Drafts and submits that a period be opened again; it is, once somebody else has approved it.
    pub async fn draft_reopening(&self, caller: &Caller, period_id: &str, reopening: &Reopening) -> Result<ChangeView> {
        let reason = reason(&reopening.reason)?;
        if reason.is_empty() {
            return Err(Refusal::invalid("say why the period is to be opened again").into());
        }
        let view = self.view().await?;
        view.company.period(period_id)?;
        if !state_of(&view.company.company, period_id).is_frozen() {
            return Err(Refusal::conflict(format!("period {period_id} is not closed; nothing keeps you from working in it")).into());
        }
        let csv = format!("period_id,state\n{period_id},open\n");
        let payload = serde_json::json!({ "entity": "periods", "csv": csv, "source": format!("reopening: {reason}") });
        let new = NewChange { kind: ChangeKind::Import, object: "periods".to_owned(), payload, comment: reason, base_digest: None };
        self.submit_new_change(caller, new).await
    }

    /// Opens a period again without a second person: for whoever runs the server, where nobody else can.
    pub async fn break_glass_to_reopen(&self, caller: &Caller, period_id: &str, said: &str) -> Result<Vec<PeriodView>> {
        let said = reason(said)?;
        if said.is_empty() {
            return Err(Refusal::invalid("say with a reason why nobody else can approve").into());
        }
        let mut tx = self.database.begin().await?;
        versions::hold(&mut tx, Part::Company).await?;
        let have = self.company_at(&mut tx).await?.ok_or_else(no_company)?;
        let from = state_of(&have, period_id);
        if !from.is_frozen() {
            return Err(Refusal::conflict(format!("period {period_id} is not closed; nothing keeps you from working in it")).into());
        }
        self.write_state(&mut tx, &have, caller, period_id, PeriodState::Open, Door::Decided, &said).await?;
        note_broken_glass(&mut tx, caller, period_id, from, PeriodState::Open, &said).await?;
        tx.commit().await?;
        self.seal().await?;
        self.periods(caller).await
    }
}

/// An entry that an auditor can look for.
async fn note_broken_glass(tx: &mut Tx, caller: &Caller, period_id: &str, from: PeriodState, to: PeriodState, reason: &str) -> Result<()> {
    let entry = Entry::new(&caller.user_id, "break-glass", &format!("period {period_id}"));
    attain_audit::append(tx, entry.before(from.name()).after(to.name()).reason(reason), now_ms()).await.map(drop)
}

fn reason(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().count() > REASON_LENGTH_MAX || text.chars().any(char::is_control) {
        return Err(Refusal::invalid(format!("a reason is one line of at most {REASON_LENGTH_MAX} characters")));
    }
    Ok(text.to_owned())
}
