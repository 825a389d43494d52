//! Why a payee is paid what she is paid: the tree from payout to earning to slice to credit to transaction to source row.

use crate::folder::Company;
use attain_domain::fixed;
use attain_domain::plan::{Component, Plan};
use attain_domain::point::{Identity, Point};
use attain_domain::table::Table;
use serde::Serialize;
use std::collections::BTreeMap;

/// One step of an explanation. `text` is a sentence for people, `fields` are the same facts for programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Node {
    pub step: &'static str,
    pub text: String,
    pub fields: BTreeMap<String, String>,
    #[schema(no_recursion)]
    pub children: Vec<Node>,
}

impl Node {
    fn new(step: &'static str, text: String) -> Node {
        Node { step, text, fields: BTreeMap::new(), children: Vec::new() }
    }

    /// The values of a row under the names of its columns.
    fn of_row(step: &'static str, text: String, table: &Table, row: usize) -> Node {
        let fields = table.columns.iter().filter_map(|(name, column)| column.show(row).map(|value| (name.clone(), value))).collect();
        Node { step, text, fields, children: Vec::new() }
    }
}

/// Where the current version of a source row came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRow {
    pub version: i64,
    pub source: String,
    pub batch_id: Option<i64>,
    pub recorded_at: String,
}

/// What an explanation reads: the rows of one payee, and what the run pinned.
pub struct Subject<'a> {
    pub payee_id: &'a str,
    pub payee_name: &'a str,
    pub period_id: &'a str,
    pub company: &'a Company,
    pub run_id: &'a str,
    pub complete: bool,
    /// `statements`, `earnings`, `slices`, `credits` of this payee.
    pub statements: &'a Table,
    pub earnings: &'a Table,
    pub slices: &'a Table,
    pub credits: &'a Table,
    /// For each measure, which rows of `credits` count.
    pub counted: &'a BTreeMap<String, Vec<bool>>,
    /// The rates by which the run converted.
    pub conversion: Option<&'a attain_calc::Conversion>,
    pub transactions: &'a Table,
    pub used: &'a [Identity],
    pub sources: &'a BTreeMap<String, SourceRow>,
    /// Ids of the periods in order, each with its quarter and year.
    pub periods: &'a [(String, String, String)],
}

/// How many credits of a line are shown when the whole statement is asked for.
const CREDITS_SHOWN: usize = 5;

fn show(table: &Table, row: usize, name: &str) -> String {
    table.column(name).and_then(|column| column.show(row)).unwrap_or_else(|| "-".to_owned())
}

fn is(table: &Table, row: usize, name: &str, value: &str) -> bool {
    table.texts(name).and_then(|column| column.get(row)) == Some(value)
}

/// An attainment or a rate as a percentage without trailing zeros.
pub fn percent(value: i64) -> String {
    (fixed::to_decimal(value, fixed::RATE_SCALE) * rust_decimal::Decimal::ONE_HUNDRED).round_dp(4).normalize().to_string()
}

/// The whole statement, or with `line` (from 1) that line alone with all of its credits.
pub fn explain(subject: &Subject<'_>, line: Option<usize>) -> Node {
    let statements = subject.statements;
    let of_period =
        |table: &Table| -> Vec<usize> { (0..table.row_count()).filter(|row| is(table, *row, "period_id", subject.period_id)).collect() };
    let currency = &subject.company.settings.currency;
    let state = if subject.complete { "" } else { " (incomplete run, not posted)" };
    let mut root = match of_period(statements).first() {
        Some(row) => {
            let amount = |name| show(statements, *row, name);
            Node::of_row(
                "payout",
                format!(
                    "{} ({}) in {}: paid {} {currency} = earned {} - held {} - carried {}{state}",
                    subject.payee_name,
                    subject.payee_id,
                    subject.period_id,
                    amount("paid"),
                    amount("earned"),
                    amount("held"),
                    amount("carried")
                ),
                statements,
                *row,
            )
        }
        None => Node::new("payout", format!("{} ({}) has no statement for {}", subject.payee_name, subject.payee_id, subject.period_id)),
    };
    root.fields.insert("run_id".to_owned(), subject.run_id.to_owned());
    for (index, row) in of_period(subject.earnings).into_iter().enumerate() {
        if line.is_none_or(|line| line == index + 1) {
            root.children.push(earning(subject, row, index + 1, line.is_some()));
        }
    }
    root
}

fn earning(subject: &Subject<'_>, row: usize, number: usize, whole: bool) -> Node {
    let earnings = subject.earnings;
    let cell = |name| show(earnings, row, name);
    let (plan_id, component_id) = (cell("plan_id"), cell("component_id"));
    let plan = subject.company.plan_in(&plan_id, &cell("period_id"));
    let component = plan.and_then(|file| file.plan.components.iter().find(|component| component.id == component_id));
    let attainment = earnings.numbers("attainment").map(|values| values[row]).filter(|value| *value != attain_domain::NULL_NUMBER);
    let against = match attainment {
        Some(value) => format!(", {} of quota {} = {} %", cell("to_date"), cell("quota"), percent(value)),
        None => String::new(),
    };
    let what = match cell("kind").as_str() {
        "formula" => format!("{plan_id}/{component_id} earned"),
        "adjustment" => "adjusted by".to_owned(),
        "guarantee" => format!("guarantee {plan_id}/{component_id} added"),
        "clawback" => format!("{plan_id}/{component_id} takes back for {}:", cell("transaction_id")),
        "lapse" => format!("{plan_id}/{component_id} is not paid any more for {}:", cell("transaction_id")),
        "forgiven" => format!("draw {plan_id}/{component_id} need not be given back:"),
        _ => format!("correction of {} for {plan_id}/{component_id}:", cell("origin_period_id")),
    };
    let is_formula = cell("kind") == "formula";
    let component = component.filter(|_| is_formula);
    let mut node = Node::of_row("earning", format!("line {number}: {what} {}{against}", cell("amount")), earnings, row);
    if let (Some(file), Some(component)) = (plan, component) {
        let mut rule = rule(subject, &file.file, &file.text, &file.plan, component);
        for (path, value) in subject.company.overrides_in(&plan_id, &cell("payee_id"), &cell("period_id")) {
            let own = path.strip_prefix(component.id.as_str()).is_some_and(|rest| rest.starts_with('.'));
            if own {
                let otherwise = attain_domain::overrides::value_at(&file.plan, &path).unwrap_or_default();
                rule.children.push(Node::new("override", format!("{path} is {value} for this payee, in place of {otherwise}")));
            }
        }
        node.children.push(rule);
    }
    let same = |table: &Table, other: usize| {
        ["period_id", "plan_id", "component_id", "transaction_id", "kind", "origin_period_id"]
            .iter()
            .all(|name| show(table, other, name) == cell(name))
    };
    let slices = subject.slices;
    for other in (0..slices.row_count()).filter(|other| same(slices, *other)) {
        let text = format!(
            "slice {}: {} × {} = {}",
            show(slices, other, "label"),
            show(slices, other, "input"),
            show(slices, other, "rate"),
            show(slices, other, "amount")
        );
        node.children.push(Node::of_row("slice", text, slices, other));
    }
    if let Some(component) = component {
        node.children.push(credits(subject, component, row, whole));
    }
    node
}

fn rule(subject: &Subject<'_>, file: &str, text: &str, plan: &Plan, component: &Component) -> Node {
    let digest = blake3::hash(text.as_bytes()).to_hex();
    let clause = component.clause.as_ref().map_or_else(String::new, |clause| format!(", clause {clause}"));
    let mut node = Node::new("rule", format!("rule {} of plans/{file} ({}){clause}", component.id, digest.get(..12).unwrap_or_default()));
    node.fields.insert("plan_digest".to_owned(), digest.to_string());
    node.fields.insert("plan_id".to_owned(), plan.id.clone());
    node.children.extend(extension(subject, Point::Compensation, &component.formula));
    node
}

fn extension(subject: &Subject<'_>, point: Point, name: &str) -> Option<Node> {
    let identity = subject.used.iter().find(|identity| identity.point == point && identity.name == name)?;
    let digest = identity.digest.as_str();
    let kind = match identity.origin {
        attain_domain::point::Origin::Wasm => "Wasm plugin",
        attain_domain::point::Origin::Rhai => "Rhai script",
    };
    let mut node = Node::new("extension", format!("by {kind} {name} {} ({})", identity.version, digest.get(..12).unwrap_or(digest)));
    node.fields.insert("digest".to_owned(), digest.to_owned());
    Some(node)
}

/// The periods whose credits an earning row adds up.
fn span(subject: &Subject<'_>, component: &Component) -> Vec<String> {
    use attain_domain::plan::Accumulate;
    let Some(at) = subject.periods.iter().position(|(id, _, _)| id == subject.period_id) else { return Vec::new() };
    let (_, quarter, year) = &subject.periods[at];
    subject.periods[..=at]
        .iter()
        .filter(|(id, own_quarter, own_year)| match component.accumulate {
            Accumulate::Transaction | Accumulate::Period => id == subject.period_id,
            Accumulate::Quarter => own_quarter == quarter && own_year == year,
            Accumulate::Year => own_year == year,
        })
        .map(|(id, _, _)| id.clone())
        .collect()
}

fn credits(subject: &Subject<'_>, component: &Component, earning: usize, whole: bool) -> Node {
    let credits = subject.credits;
    let periods = span(subject, component);
    let nothing = Vec::new();
    let counted = subject.counted.get(&component.measure).unwrap_or(&nothing);
    let own_transaction = subject.earnings.texts("transaction_id").and_then(|column| column.get(earning));
    let mut rows: Vec<usize> = (0..credits.row_count())
        .filter(|row| counted.get(*row).copied().unwrap_or(false))
        .filter(|row| periods.contains(&show(credits, *row, "period_id")))
        .filter(|row| own_transaction.is_none_or(|id| is(credits, *row, "transaction_id", id)))
        .collect();
    let amounts = credits.numbers("amount").unwrap_or(&[]);
    rows.sort_by_key(|row| (std::cmp::Reverse(amounts[*row].unsigned_abs()), *row));
    let total: i128 = rows.iter().map(|row| i128::from(amounts[*row])).sum();
    let total = i64::try_from(total).map_or_else(|_| total.to_string(), |total| fixed::format(total, fixed::MONEY_SCALE));
    let span = match (periods.first(), periods.last()) {
        (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
        (Some(only), _) => only.clone(),
        _ => "no period".to_owned(),
    };
    let head = match &component.earnings {
        Some(earned) => format!("what component {} earned others over {span}", earned.component),
        None => format!("credited for measure {} over {span}: {} credits, amounts sum to {total}", component.measure, rows.len()),
    };
    let mut node = Node::new("credits", head);
    let shown = if whole { rows.len() } else { CREDITS_SHOWN };
    for row in rows.iter().take(shown) {
        node.children.push(credit(subject, *row));
    }
    if rows.len() > shown {
        node.children
            .push(Node::new("more", format!("and {} smaller ones; ask for this line alone with --line to see all", rows.len() - shown)));
    }
    node
}

/// The rows of `manual_credits` that a credit by hand comes from.
fn by_hand(subject: &Subject<'_>, credits: &Table, row: usize) -> Vec<Node> {
    let rule = show(credits, row, "rule");
    let (Some(reason), Some(given)) = (rule.strip_prefix("manual:"), subject.company.tables.get("manual_credits")) else {
        return Vec::new();
    };
    let (transaction_id, origin) = (show(credits, row, "transaction_id"), show(credits, row, "origin_payee_id"));
    (0..given.row_count())
        .filter(|at| is(given, *at, "transaction_id", &transaction_id) && is(given, *at, "payee_id", &origin))
        .filter(|at| is(given, *at, "reason", reason))
        .map(|at| {
            let cell = |name| show(given, at, name);
            let text = format!("given by hand as {}: {} {} {}", cell("credit_id"), cell("mode"), cell("share"), cell("note"));
            Node::of_row("manual-credit", text.trim_end().to_owned(), given, at)
        })
        .collect()
}

fn credit(subject: &Subject<'_>, row: usize) -> Node {
    let credits = subject.credits;
    let cell = |name| show(credits, row, name);
    let from = if is(credits, row, "kind", "rollup") { format!(" from {}", cell("origin_payee_id")) } else { String::new() };
    let mut node = Node::of_row(
        "credit",
        format!("credit {} {}{from} by rule {} (share {} %)", cell("amount"), cell("kind"), cell("rule"), {
            credits.numbers("share").map(|shares| percent(shares[row])).unwrap_or_default()
        }),
        credits,
        row,
    );
    // A rule's label names the extension that gave the credit where they are the same word; all crediting rules are listed else.
    let rules = &subject.company.settings.crediting.rules;
    let is_rules = !cell("rule").starts_with("manual:") && (cell("rule") != "house" || subject.company.settings.crediting.house.is_empty());
    node.children.extend(by_hand(subject, credits, row));
    node.children.extend(rules.iter().filter(|_| is_rules).filter_map(|step| {
        let label = step.settings.get("rule").and_then(serde_json::Value::as_str);
        (rules.len() == 1 || label == Some(cell("rule").as_str()) || step.extension.ends_with(&cell("rule")))
            .then(|| extension(subject, Point::Crediting, &step.extension))?
    }));
    let transaction_id = cell("transaction_id");
    let transactions = subject.transactions;
    if let Some(at) = (0..transactions.row_count()).find(|at| is(transactions, *at, "transaction_id", &transaction_id)) {
        let field = subject.company.settings.crediting.date.field();
        let day = transactions.numbers(field).and_then(|days| i32::try_from(days[at]).ok()).map(attain_domain::Day);
        let currency = show(transactions, at, "currency");
        let rate = day.and_then(|day| subject.conversion?.rate(&currency, day)).filter(|_| currency != subject.company.settings.currency);
        let rate = rate.map_or_else(String::new, |rate| {
            format!(" at {} {}", fixed::format(rate, fixed::RATE_SCALE), subject.company.settings.currency)
        });
        let mut source = Node::of_row(
            "transaction",
            format!(
                "transaction {transaction_id}: {} of {} {currency}{rate}, {} {}, account {}, product {}",
                show(transactions, at, "kind"),
                show(transactions, at, "amount"),
                field.replace('_', " "),
                day.map_or_else(String::new, |day| day.to_string()),
                show(transactions, at, "account_id"),
                show(transactions, at, "product_id")
            ),
            transactions,
            at,
        );
        if let Some(row) = subject.sources.get(&transaction_id) {
            let batch = row.batch_id.map_or_else(String::new, |batch| format!(", import {batch}"));
            let mut leaf =
                Node::new("source", format!("source row {transaction_id} from `{}`{batch}, recorded {}", row.source, row.recorded_at));
            leaf.fields.insert("source".to_owned(), row.source.clone());
            leaf.fields.insert("version".to_owned(), row.version.to_string());
            source.children.push(leaf);
        }
        node.children.push(source);
    }
    node
}
