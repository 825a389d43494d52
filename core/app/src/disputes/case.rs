//! A dispute as a case of its formula: what the formula was given for the line, and what was expected. The case is drafted as a change of
//! the formula; while the formula pays something else, the case is red.

use super::{Dispute, is_undecided, sees, stale, store, unknown};
use crate::access::{Action, Caller};
use crate::changes::{ChangeKind, NewChange};
use crate::impact::in_turn;
use crate::refusal::Refusal;
use crate::runs::{inputs_of, pinned_company};
use crate::view::View;
use crate::{Instance, now_ms, pay};
use anyhow::{Context as _, Result};
use attain_audit::Entry;
use attain_calc::Prepared;
use attain_domain::Table;
use attain_domain::ids::RunId;
use attain_domain::point::{Answer, Call, Extension, Extensions, Fault, Identity, Origin, Point};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A line by payee, period and transaction.
struct Wanted<'a> {
    payee_id: &'a str,
    period_id: &'a str,
    transaction_id: Option<&'a str>,
    settings: serde_json::Value,
}

/// What the formula was given for one line.
struct Heard {
    settings: serde_json::Value,
    tables: Vec<Table>,
}

/// The formula itself, which keeps what it is given for the wanted line.
struct Listening<'a> {
    formula: &'a dyn Extension,
    wanted: &'a Wanted<'a>,
    heard: Mutex<Vec<Heard>>,
}

impl Extension for Listening<'_> {
    fn identity(&self) -> &Identity {
        self.formula.identity()
    }

    fn run(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        if let Some(rows) = call.input.first() {
            let is = |name: &str, row: usize, value: Option<&str>| rows.texts(name).and_then(|own| own.get(row)) == value;
            let found = (0..rows.row_count()).find(|row| {
                is("payee_id", *row, Some(self.wanted.payee_id))
                    && is("period_id", *row, Some(self.wanted.period_id))
                    && is("transaction_id", *row, self.wanted.transaction_id)
            });
            if let Some(row) = found {
                let mut tables = vec![rows.take(&[row])];
                tables.extend(call.input[1..].iter().cloned());
                let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
                heard.push(Heard { settings: call.settings.clone(), tables });
            }
        }
        self.formula.run(call)
    }
}

/// The extensions of a calculation with one of them listening.
struct With<'a> {
    all: &'a dyn Extensions,
    name: &'a str,
    listening: &'a Listening<'a>,
}

impl Extensions for With<'_> {
    fn get(&self, point: Point, name: &str) -> Result<&dyn Extension, Fault> {
        if point == Point::Compensation && name == self.name { Ok(self.listening) } else { self.all.get(point, name) }
    }
}

/// JSON as TOML; what is null is left out, as TOML knows no such value.
fn toml_of(value: &serde_json::Value) -> Option<toml::Value> {
    match value {
        serde_json::Value::Null => None,
        serde_json::Value::Bool(own) => Some(toml::Value::Boolean(*own)),
        serde_json::Value::Number(own) => Some(own.as_i64().map_or_else(|| toml::Value::String(own.to_string()), toml::Value::Integer)),
        serde_json::Value::String(own) => Some(toml::Value::String(own.clone())),
        serde_json::Value::Array(own) => Some(toml::Value::Array(own.iter().filter_map(toml_of).collect())),
        serde_json::Value::Object(own) => {
            Some(toml::Value::Table(own.iter().filter_map(|(name, value)| Some((name.clone(), toml_of(value)?))).collect()))
        }
    }
}

fn case_text(name: &str, heard: &Heard, expected: &str) -> Result<String> {
    let mut input = toml::Table::new();
    for table in &heard.tables {
        let mut columns = toml::Table::new();
        for (name, column) in &table.columns {
            let values = (0..table.row_count()).map(|row| toml::Value::String(column.show(row).unwrap_or_default()));
            columns.insert(name.clone(), toml::Value::Array(values.collect()));
        }
        input.insert(table.name.clone(), toml::Value::Table(columns));
    }
    let earnings = toml::Table::from_iter([("amount".to_owned(), toml::Value::Array(vec![toml::Value::String(expected.to_owned())]))]);
    let mut case = toml::Table::new();
    case.insert("name".to_owned(), toml::Value::String(name.to_owned()));
    if let Some(settings) = toml_of(&heard.settings).filter(|own| own.as_table().is_some_and(|own| !own.is_empty())) {
        case.insert("settings".to_owned(), settings);
    }
    case.insert("input".to_owned(), toml::Value::Table(input));
    case.insert("answer".to_owned(), toml::Value::Table(toml::Table::from_iter([("earnings".to_owned(), toml::Value::Table(earnings))])));
    let all: BTreeMap<&str, Vec<toml::Table>> = BTreeMap::from([("cases", vec![case])]);
    toml::to_string(&all).context("the case cannot be written")
}

impl Instance {
    /// Drafts a change that adds the dispute's line as a case to its formula's cases.
    pub async fn case_of_dispute(&self, view: &View, caller: &Caller, dispute_id: &str) -> Result<super::DisputeView> {
        caller.require(Action::DraftChanges)?;
        let mut read = self.database.read().await?;
        let own = store::get(&mut read, dispute_id).await?.filter(|own| sees(view, caller, own)).ok_or_else(|| unknown(dispute_id))?;
        let (Some(plan_id), Some(component_id), Some(line)) = (&own.plan_id, &own.component_id, own.line) else {
            return Err(Refusal::invalid("only a dispute of a line can become a case; a formula knows no other").into());
        };
        let expected = own.expected.ok_or_else(|| Refusal::invalid("a case needs what is expected; this dispute does not say it"))?;
        if own.case_change_id.is_some() {
            return Err(Refusal::conflict("this dispute was made a case already").into());
        }
        let run_id = RunId(own.run_id.clone().context("the dispute of a line names its run")?);
        let saved = attain_store::runs::load(&mut read, &run_id).await?;
        let saved = saved.ok_or_else(|| Refusal::not_found(format!("run {run_id} is not in the record any more")))?;
        // As the run saw it, whatever was changed since.
        let then = pinned_company(&mut read, &saved.manifest).await?;
        drop(read);
        let plan = then.plan_for_period(plan_id, &own.payee_id, &own.period_id);
        let component = plan.as_ref().and_then(|plan| plan.components.iter().find(|own| own.id == *component_id));
        let component = component.ok_or_else(|| Refusal::not_found(format!("the run has no component {plan_id}/{component_id}")))?;
        let name = component.formula.clone();
        let now = self.formula_now(&view.company.company, &name)?;
        let source = match (&now.identity, &now.source) {
            (Some(identity), _) if identity.origin == Origin::Wasm => {
                let message = format!(
                    "`{name}` is a Wasm plugin, whose cases lie in its file; give {plan_id}/{component_id} a Rhai formula to keep cases of it"
                );
                return Err(Refusal::invalid(message).into());
            }
            (_, Some(source)) => source.clone(),
            _ => return Err(Refusal::not_found(format!("there is no formula `{name}` any more")).into()),
        };
        let set = self.extensions_for(&then)?;
        // A transaction that the dispute itself names is none of the line where the line adds many.
        let per_transaction = component.accumulate == attain_domain::plan::Accumulate::Transaction;
        let wanted = Wanted {
            payee_id: &own.payee_id,
            period_id: &own.period_id,
            transaction_id: own.transaction_id.as_deref().filter(|_| per_transaction),
            settings: component.settings.clone(),
        };
        let heard = in_turn(|| -> Result<Option<Heard>, Fault> {
            let formula = set.get(Point::Compensation, &name)?;
            let listening = Listening { formula, wanted: &wanted, heard: Mutex::default() };
            let prepared = Prepared::new(Arc::new(inputs_of(&then, Table::new("posted"))), &set);
            prepared.pay(&With { all: &set, name: &name, listening: &listening });
            let mut heard = listening.heard.into_inner().unwrap_or_else(PoisonError::into_inner);
            // Of several components with one formula that with the settings of this one; a payee's own settings may differ from them.
            let own = heard.iter().position(|own| own.settings == wanted.settings).unwrap_or(0);
            Ok((own < heard.len()).then(|| heard.swap_remove(own)))
        })
        .await?
        .map_err(|fault| Refusal::extension(&name, &fault))?;
        let heard = heard.ok_or_else(|| Refusal::not_found(format!("`{name}` is not asked about line {line}")))?;
        let title = format!("{} in {}: {dispute_id}", own.payee_id, own.period_id);
        let case = case_text(&title, &heard, &pay::money(expected))?;
        let before = now.cases.unwrap_or_default();
        let between = if before.is_empty() || before.ends_with("\n\n") { "" } else { "\n" };
        let new = NewChange {
            kind: ChangeKind::Formula,
            object: name.clone(),
            payload: serde_json::json!({ "source": source, "cases": format!("{before}{between}{case}") }),
            comment: format!("the case of {dispute_id}"),
            base_digest: None,
        };
        let readied = self.ready_change(caller, view, new).await?;
        self.keep_case(view, caller, &own, &readied).await?;
        self.dispute(view, caller, dispute_id).await
    }

    async fn keep_case(&self, view: &View, caller: &Caller, read: &Dispute, readied: &crate::changes::Readied) -> Result<()> {
        let now = now_ms();
        let mut tx = self.database.begin().await?;
        let mut own = self.own_dispute(&mut tx, view, caller, &read.dispute_id).await?;
        if own.version != read.version || (!is_undecided(&own) && own.state != read.state) {
            return Err(stale().into());
        }
        let change = self.change_within(&mut tx, caller, &view.company.company, readied, false, now).await?;
        own.case_change_id = Some(change.change_id.clone());
        if !store::replace(&mut tx, &own).await? {
            return Err(stale().into());
        }
        self.note_new_change(&mut tx, caller, &change).await?;
        let entry = Entry::new(&self.actor, "case-of-dispute", &own.dispute_id).after(&change.change_id);
        attain_audit::append(&mut tx, entry, now).await?;
        tx.commit().await?;
        self.seal().await
    }
}
