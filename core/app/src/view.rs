//! The record as it is now, kept in memory until it changes: the company, its hierarchy, the last complete run. What is read
//! often is read from here; a change anywhere is seen by its version.

use crate::access::{Caller, Hierarchy, Visible};
use crate::company::no_company;
use crate::folder::Company;
use crate::refusal::Refusal;
use crate::{Instance, runs};
use anyhow::Result;
use attain_domain::calendar::Period;
use attain_domain::table::Table;
use attain_domain::{Calendar, Finding};
use attain_store::runs::Manifest;
use attain_store::versions::Versions;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// What visibility depends on: who somebody is as a payee, and what she may do.
type Permissions = (Option<String>, Vec<crate::access::Action>);

/// The company at one version of the record.
pub struct CompanyView {
    pub version: i64,
    pub company: Company,
    pub calendar: Calendar,
    pub hierarchy: Hierarchy,
    /// Personal data: payee id to name.
    pub names: BTreeMap<String, String>,
    /// What was visible to a caller with these permissions is kept.
    visible: Mutex<HashMap<Permissions, Arc<Visible>>>,
}

/// The last complete run. Credits stay in the record; [`Instance::credits_of`] reads those of one payee.
pub struct RunView {
    pub run_id: String,
    pub recorded_at: i64,
    /// When its statements were published.
    pub published_at: Option<i64>,
    pub manifest: Manifest,
    /// The company as the run saw it, without personal data.
    pub company: Company,
    pub findings: Vec<Finding>,
    /// Every result table but `credits`, each sorted by payee where it has one. Statements and earnings of a period that is approved or
    /// closed are those of the run that stands for it.
    pub tables: BTreeMap<String, Table>,
    /// By frozen period the run that stands for it.
    pub standing: BTreeMap<String, String>,
    /// The ledger, this run's postings included.
    pub posted: Table,
    /// The last day of which the run has a transaction.
    pub data_through: Option<attain_domain::Day>,
    /// Table and payee to her rows.
    ranges: HashMap<&'static str, HashMap<String, Range<usize>>>,
}

/// One consistent picture: the answers to one request are made of one.
#[derive(Clone)]
pub struct View {
    pub versions: Versions,
    pub company: Arc<CompanyView>,
    /// `None` before the first complete run.
    pub run: Option<Arc<RunView>>,
}

/// Result tables of which rows are looked up by payee.
const BY_PAYEE: [&str; 6] = ["statements", "earnings", "slices", "attainments", "measures", "kpis"];

impl CompanyView {
    pub fn visible_to(&self, caller: &Caller) -> Arc<Visible> {
        let key = (caller.payee_id.clone(), caller.actions().collect());
        let mut kept = self.visible.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(kept.entry(key).or_insert_with(|| Arc::new(self.hierarchy.visible_to(caller))))
    }

    pub fn name(&self, payee_id: &str) -> &str {
        self.names.get(payee_id).map_or("", String::as_str)
    }

    /// Refuses a period that the calendar does not have.
    pub fn period(&self, period_id: &str) -> Result<&Period, Refusal> {
        let at = self.calendar.index_of(period_id).ok_or_else(|| {
            let ends = self.calendar.periods.first().zip(self.calendar.periods.last());
            let known = ends.map_or_else(String::new, |(first, last)| format!("; there are {} to {}", first.id, last.id));
            Refusal::not_found(format!("there is no period `{period_id}`{known}"))
        })?;
        Ok(&self.calendar.periods[at])
    }
}

impl RunView {
    /// The run that a period's statements are of.
    pub fn run_of(&self, period_id: &str) -> &str {
        self.standing.get(period_id).map_or(self.run_id.as_str(), String::as_str)
    }

    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The numbers of a payee's rows in one of the tables that are sorted by payee; empty where she has none.
    pub fn rows(&self, table: &str, payee_id: &str) -> Range<usize> {
        self.ranges.get(table).and_then(|own| own.get(payee_id)).cloned().unwrap_or(0..0)
    }
}

impl View {
    /// The last complete run, or the refusal that says to make one.
    pub fn run(&self) -> Result<&Arc<RunView>, Refusal> {
        self.run.as_ref().ok_or_else(|| Refusal::not_found("nothing was calculated yet; start a run"))
    }

    /// What was posted so far; nothing before the first run.
    pub fn posted(&self) -> Table {
        self.run.as_ref().map_or_else(|| Table::new("posted"), |run| run.posted.clone())
    }

    /// Refuses a payee of whom the caller may not know, as if she did not exist.
    pub fn known_payee(&self, caller: &Caller, payee_id: &str) -> Result<Arc<Visible>, Refusal> {
        use crate::access::Action::{SeeAllPay, SeeOwnPay, SeeTeamPay};
        caller.require_one(&[SeeOwnPay, SeeTeamPay, SeeAllPay])?;
        let visible = self.company.visible_to(caller);
        let exists =
            || self.company.company.tables["payees"].texts("payee_id").is_some_and(|ids| ids.dictionary.iter().any(|id| id == payee_id));
        if visible.knows(payee_id) && exists() { Ok(visible) } else { Err(unknown_payee(payee_id)) }
    }

    /// The period, where the caller may see the payee's pay of it.
    pub fn visible_period(&self, caller: &Caller, payee_id: &str, period_id: &str) -> Result<&Period, Refusal> {
        let visible = self.known_payee(caller, payee_id)?;
        let period = self.company.period(period_id)?;
        if visible.sees(payee_id, period.from, period.until) { Ok(period) } else { Err(unknown_payee(payee_id)) }
    }
}

pub(crate) fn unknown_payee(payee_id: &str) -> Refusal {
    Refusal::not_found(format!("there is no payee `{payee_id}` there"))
}

/// Results that stand with a frozen period.
const STANDING: [&str; 3] = ["statements", "earnings", "slices"];

/// The rows of `now`, those of one period replaced by the ones of `then`; in order of payee and period as before.
fn with_period_of(now: &Table, then: &Table, period_id: &str) -> Table {
    let of = |table: &Table, own: bool| -> Table {
        let periods = table.texts("period_id");
        let rows: Vec<usize> =
            (0..table.row_count()).filter(|row| (periods.and_then(|column| column.get(*row)) == Some(period_id)) == own).collect();
        table.take(&rows)
    };
    let (kept, stands) = (of(now, false), of(then, true));
    let parts: Vec<&Table> = [&kept, &stands].into_iter().filter(|table| table.row_count() > 0).collect();
    let all = match parts[..] {
        [] => return Table::new(&now.name),
        [one] => one.clone(),
        _ => Table::concat(&now.name, &parts),
    };
    let mut order: Vec<usize> = (0..all.row_count()).collect();
    let key = |row: &usize| (all.texts("payee_id").and_then(|own| own.get(*row)), all.texts("period_id").and_then(|own| own.get(*row)));
    order.sort_by(|left, right| key(left).cmp(&key(right)));
    all.take(&order)
}

/// Where each payee's rows begin and end.
fn ranges(table: &Table) -> HashMap<String, Range<usize>> {
    let mut found = HashMap::new();
    let Some(payees) = table.texts("payee_id") else { return found };
    let mut start = 0;
    while start < table.row_count() {
        let end = (start..table.row_count()).find(|row| payees.codes[*row] != payees.codes[start]).unwrap_or(table.row_count());
        found.insert(payees.get(start).unwrap_or_default().to_owned(), start..end);
        start = end;
    }
    found
}

impl Instance {
    /// The record as it is now. One small query where nothing has changed.
    pub async fn view(&self) -> Result<View> {
        let mut connection = self.database.read().await?;
        let versions = attain_store::versions::current(&mut connection).await?;
        drop(connection);
        self.view_at(versions).await
    }

    /// As [`Instance::view`], for a caller who has read the versions with something else already.
    pub async fn view_at(&self, versions: Versions) -> Result<View> {
        if let Some(view) = self.live.kept(versions) {
            return Ok(view);
        }
        // One reads, the others wait for it.
        let _turn = self.live.loading.lock().await;
        if let Some(view) = self.live.kept(versions) {
            return Ok(view);
        }
        let mut read = self.database.read().await?;
        // Of the same snapshot as what is read below.
        let versions = attain_store::versions::current(&mut read).await?;
        let before = self.live.view.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let company = match before.as_ref().filter(|view| view.versions.company == versions.company) {
            Some(view) => Arc::clone(&view.company),
            None => {
                let company = self.company_at(&mut read).await?.ok_or_else(no_company)?;
                Arc::new(view_of(&mut read, company, versions.company).await?)
            }
        };
        let run = match before.filter(|view| view.versions.runs == versions.runs) {
            Some(view) => view.run,
            None => self.load_run(&mut read, &company.company).await?.map(Arc::new),
        };
        let view = View { versions, company, run };
        *self.live.view.lock().unwrap_or_else(PoisonError::into_inner) = Some(view.clone());
        Ok(view)
    }
}

async fn view_of(read: &mut attain_database::Connection, company: Company, version: i64) -> Result<CompanyView> {
    let calendar = Calendar::new(&company.settings.calendar).map_err(Refusal::invalid)?;
    let hierarchy = Hierarchy::new(&company.tables["hierarchy"], &company.tables["occupancies"]);
    let names = runs::names(read).await?;
    Ok(CompanyView { version, company, calendar, hierarchy, names, visible: Mutex::default() })
}

impl Instance {
    async fn load_run(&self, read: &mut attain_database::Connection, company_now: &Company) -> Result<Option<RunView>> {
        let Some(head) = attain_store::runs::list(read).await?.into_iter().find(|head| head.complete) else { return Ok(None) };
        let Some(saved) = attain_store::runs::load(read, &head.run_id).await? else { return Ok(None) };
        let company = self.company_of(read, &saved.manifest).await?;
        let mut tables = BTreeMap::new();
        for table in saved.manifest.results.iter().filter(|table| table.name != "credits") {
            let own = match self.live.kept.result(table) {
                Some(own) => own,
                None => attain_store::runs::read_table(read, table).await?,
            };
            tables.insert(table.name.clone(), own);
        }
        let standing = crate::periods::standing(company_now, &attain_store::periods::events(read).await?);
        for (period, run_id) in standing.iter().filter(|(_, run_id)| **run_id != head.run_id.0) {
            let Some(older) = attain_store::runs::load(read, &attain_domain::ids::RunId(run_id.clone())).await? else { continue };
            for name in STANDING {
                let Some(manifest) = older.manifest.result(name) else { continue };
                let of_then = attain_store::runs::read_table(read, manifest).await?;
                let now = tables.remove(name).unwrap_or_else(|| Table::new(name));
                tables.insert(name.to_owned(), with_period_of(&now, &of_then, period));
            }
        }
        let posted = self.posted_at(read).await?;
        let ranges = BY_PAYEE.into_iter().filter_map(|name| Some((name, ranges(tables.get(name)?)))).collect();
        let days = company.tables.get("transactions").and_then(|own| own.numbers(company.settings.crediting.date.field()));
        let last = days.unwrap_or(&[]).iter().copied().filter(|day| *day != attain_domain::NULL_NUMBER).max();
        let published = attain_store::run_facts::publication(read, head.run_id.as_str()).await?;
        Ok(Some(RunView {
            published_at: published.map(|(at, _)| at),
            run_id: saved.summary.run_id.0,
            recorded_at: saved.summary.created_at,
            manifest: saved.manifest,
            company,
            findings: saved.findings,
            tables,
            standing,
            posted,
            data_through: last.and_then(|day| i32::try_from(day).ok()).map(attain_domain::Day),
            ranges,
        }))
    }
}
