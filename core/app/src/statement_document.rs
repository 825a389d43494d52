//! A statement to take along: as a printed page, a workbook and rows, from the same value that is shown on screen.

use crate::Instance;
use crate::access::Caller;
use crate::pay::{ComponentLine, CreditLine, Statement, credits_of};
use crate::refusal::Refusal;
use crate::view::{RunView, View};
use anyhow::{Context, Result};
use attain_domain::plan::MeasureValue;
use attain_print::{Column, Document, Kind, Section, printed};
use rust_decimal::Decimal;

/// Credits of one line on paper; the workbook has more.
const PRINTED_CREDIT_COUNT: usize = 50;
/// Credits in a workbook, of all lines together.
const CREDIT_COUNT_MAX: usize = 50_000;
const FILE_NAME_LENGTH_MAX: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Pdf,
    Xlsx,
    Csv,
}

impl Form {
    fn ending(self) -> &'static str {
        match self {
            Form::Pdf => "pdf",
            Form::Xlsx => "xlsx",
            Form::Csv => "csv",
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Form::Pdf => "application/pdf",
            Form::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Form::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// A file to hand out.
pub struct StatementFile {
    /// Letters, digits, `-`, `_` and `.` only.
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Instance {
    /// Refuses as the statement itself does. `public_url` is where the console is, for the link on the page; empty for none.
    pub async fn statement_file(
        &self,
        view: &View,
        caller: &Caller,
        payee_id: &str,
        period_id: &str,
        form: Form,
        public_url: &str,
    ) -> Result<StatementFile> {
        let statement = view.statement(caller, payee_id, period_id)?;
        let run = view.run()?;
        let name = file_name(&statement, form);
        let document = if form == Form::Csv {
            Document { sections: vec![rows(&statement)], ..Document::default() }
        } else {
            let count_max = if form == Form::Pdf { PRINTED_CREDIT_COUNT } else { CREDIT_COUNT_MAX };
            let groups = self.groups(view, run, &statement, count_max).await?;
            let link = link(public_url, &statement);
            let head = Document { issuer: run.company.settings.name.clone(), link, ..head(&statement) };
            if form == Form::Pdf { pages(head, &groups) } else { workbook(head, &groups) }
        };
        // Drawing pages takes a core for some milliseconds.
        let bytes = tokio::task::spawn_blocking(move || match (form, document.sections.as_slice()) {
            (Form::Csv, [section]) => attain_print::csv(&section.columns, &section.rows),
            (Form::Pdf, _) => attain_print::pdf(&document),
            _ => attain_print::xlsx(&document),
        });
        let bytes = bytes.await.context("the document could not be drawn")?;
        Ok(StatementFile { name, bytes: bytes.map_err(|error| Refusal::invalid(format!("{error:#}")))? })
    }

    /// The lines of each component with up to `count_max` of the credits behind them.
    async fn groups(&self, view: &View, run: &RunView, statement: &Statement, count_max: usize) -> Result<Vec<Group>> {
        let lines = self.lines_of(run, &statement.payee.payee_id, &statement.period.period_id).await?;
        let mut groups: Vec<Group> = Vec::new();
        for line in &statement.components {
            let is_next = groups
                .last()
                .and_then(|group| group.lines.first())
                .is_none_or(|own| own.transaction_id.is_none() || (&own.plan_id, &own.component_id) != (&line.plan_id, &line.component_id));
            if is_next {
                let measure = run.company.settings.measures.iter().find(|own| Some(&own.id) == line.measure_id.as_ref());
                let in_money = measure.is_none_or(|own| matches!(own.value, MeasureValue::Amount | MeasureValue::Margin));
                // Where each transaction is a line of its own, the lines say all that credits would.
                let (credit_count, credits) = match line.transaction_id {
                    Some(_) => (0, Vec::new()),
                    None => credits_of(view, run, &lines, line, &statement.period.period_id, count_max),
                };
                groups.push(Group { lines: Vec::new(), credits, credit_count, in_money });
            }
            if let Some(group) = groups.last_mut() {
                group.lines.push(line.clone());
            }
        }
        Ok(groups)
    }
}

/// One line of the statement, or all lines of a component that pays every transaction alone.
struct Group {
    lines: Vec<ComponentLine>,
    /// The largest of `credit_count`.
    credits: Vec<CreditLine>,
    credit_count: usize,
    /// Whether rates are fractions of money; else they are money for one piece.
    in_money: bool,
}

impl Group {
    fn rate_kind(&self) -> Kind {
        if self.in_money { Kind::Rate } else { Kind::Amount }
    }

    fn amount(&self) -> String {
        let sum: Decimal = self.lines.iter().filter_map(|line| line.amount.parse::<Decimal>().ok()).sum();
        sum.to_string()
    }
}

fn head(statement: &Statement) -> Document {
    let name = if statement.payee.name.is_empty() { &statement.payee.payee_id } else { &statement.payee.name };
    let last_day = last_day(&statement.period.until);
    let plans: Vec<&str> = statement.plans.iter().map(|plan| plan.name.as_str()).collect();
    let mut facts = vec![
        ("Period", format!("{} to {}", printed(Kind::Day, &statement.period.from), printed(Kind::Day, &last_day))),
        ("State", capitalized(&statement.as_of.state)),
        ("Currency", statement.currency.clone()),
        ("Payee", statement.payee.payee_id.clone()),
        ("Title", statement.payee.title.clone().unwrap_or_default()),
        ("Plan", plans.join(", ")),
        ("Data through", printed(Kind::Day, statement.as_of.data_through.as_deref().unwrap_or_default())),
        ("Calculated at", minute(&statement.as_of.recorded_at)),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    let totals = &statement.totals;
    let totals = [
        ("Earned", &totals.earned),
        ("Carried in", &totals.carried_in),
        ("Held", &totals.held),
        ("Carried out", &totals.carried_balance),
        ("Paid", &totals.paid),
    ];
    Document {
        title: name.clone(),
        subtitle: format!("Statement of pay for {}", statement.period.period_id),
        facts: facts.into_iter().map(|(label, value)| (label.to_owned(), value)).collect(),
        totals: totals.map(|(label, amount)| (label.to_owned(), amount.clone())).to_vec(),
        footer: format!("Run {}", statement.run_id),
        dated_on: statement.as_of.recorded_at.get(..10).map(str::to_owned),
        ..Document::default()
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// An instant of RFC 3339 in UTC, for reading.
fn minute(instant: &str) -> String {
    match (instant.get(..10), instant.get(11..16)) {
        (Some(day), Some(time)) => format!("{}, {time} UTC", printed(Kind::Day, day)),
        _ => instant.to_owned(),
    }
}

fn last_day(until: &str) -> String {
    let day = until.parse::<attain_domain::Day>().map(|day| attain_domain::Day(day.0 - 1).to_string());
    day.unwrap_or_else(|()| until.to_owned())
}

/// The statement's page of the console.
fn link(public_url: &str, statement: &Statement) -> String {
    if public_url.is_empty() {
        return String::new();
    }
    let escaped = |text: &str| {
        let byte = |own: u8| {
            if own.is_ascii_alphanumeric() || b"-_.".contains(&own) { char::from(own).to_string() } else { format!("%{own:02X}") }
        };
        text.bytes().map(byte).collect::<String>()
    };
    let (period, payee) = (escaped(&statement.period.period_id), escaped(&statement.payee.payee_id));
    format!("{}/statements/{period}?payee={payee}", public_url.trim_end_matches('/'))
}

/// Ids may hold anything; a name of a file and a header may not.
fn file_name(statement: &Statement, form: Form) -> String {
    let safe = |own: char| if own.is_ascii_alphanumeric() || "-_".contains(own) { own } else { '_' };
    let plain = format!("statement-{}-{}", statement.payee.payee_id, statement.period.period_id);
    let plain: String = plain.chars().map(safe).take(FILE_NAME_LENGTH_MAX).collect();
    format!("{plain}.{}", form.ending())
}

fn columns(all: &[(&str, Kind)]) -> Vec<Column> {
    all.iter().map(|(name, kind)| Column::new(name, *kind)).collect()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The lines with the names that the interface gives them.
fn rows(statement: &Statement) -> Section {
    let row = |line: &ComponentLine| {
        vec![
            some(&statement.payee.payee_id),
            some(&statement.period.period_id),
            Some(line.line.to_string()),
            some(&line.plan_id),
            some(&line.component_id),
            some(&line.name),
            line.clause.clone(),
            line.measure_id.clone(),
            line.transaction_id.clone(),
            line.credited.clone(),
            line.to_date.clone(),
            line.quota.clone(),
            line.attainment.clone(),
            some(&line.amount),
            some(&statement.currency),
            some(&statement.run_id),
        ]
    };
    Section {
        columns: columns(&[
            ("payee_id", Kind::Text),
            ("period_id", Kind::Text),
            ("line", Kind::Amount),
            ("plan_id", Kind::Text),
            ("component_id", Kind::Text),
            ("name", Kind::Text),
            ("clause", Kind::Text),
            ("measure_id", Kind::Text),
            ("transaction_id", Kind::Text),
            ("credited", Kind::Amount),
            ("to_date", Kind::Amount),
            ("quota", Kind::Amount),
            ("attainment", Kind::Rate),
            ("amount", Kind::Amount),
            ("currency", Kind::Text),
            ("run_id", Kind::Text),
        ]),
        rows: statement.components.iter().map(row).collect(),
        ..Section::default()
    }
}

fn pages(head: Document, groups: &[Group]) -> Document {
    let run_id = head.footer.clone();
    let mut sections = Vec::new();
    for group in groups {
        match group.lines.as_slice() {
            [line] if line.transaction_id.is_none() => {
                sections.push(line_section(group, line));
                if !group.credits.is_empty() {
                    sections.push(printed_credits(group, line));
                }
            }
            _ => sections.push(transactions_section(group)),
        }
    }
    let note = format!(
        "{run_id} names everything that this statement was computed from: data, plans and formulas by their hashes. Whoever keeps the record \
         can compute it again (attain replay, or the replay button of the run); the same run id then means the same pay to the cent. \
         Earned and carried in together are what is paid, held and carried out. Ask about a line where the statement is shown on screen."
    );
    sections.push(Section { heading: "How to check this statement".to_owned(), note, ..Section::default() });
    Document { sections, ..head }
}

/// What a line is made of. Its amount is rounded once and less what was earned before, so it need not be the sum of the slices.
fn line_section(group: &Group, line: &ComponentLine) -> Section {
    let rows = line.slices.iter().map(|slice| vec![some(&slice.label), slice.input.clone(), slice.rate.clone(), some(&slice.amount)]);
    let rate = if group.in_money { "Rate" } else { "For each" };
    Section {
        heading: line.name.clone(),
        aside: line.amount.clone(),
        columns: columns(&[("Part", Kind::Text), ("Of", Kind::Amount), (rate, group.rate_kind()), ("Amount", Kind::Amount)]),
        rows: rows.collect(),
        total: Some(vec![some("Earned on this line"), None, None, some(&line.amount)]),
        note: basis(line),
    }
}

/// The figures that the formula saw.
fn basis(line: &ComponentLine) -> String {
    let amount = |text: &Option<String>| text.as_deref().map(|own| printed(Kind::Amount, own));
    let mut words = Vec::new();
    words.extend(line.clause.as_ref().map(|clause| format!("clause {clause}")));
    words.extend(amount(&line.credited).map(|own| format!("credited in the period {own}")));
    words.extend(amount(&line.to_date).map(|own| format!("to date {own}")));
    words.extend(amount(&line.quota).map(|own| format!("quota {own}")));
    words.extend(line.attainment.as_deref().map(|own| format!("attainment {}", printed(Kind::Rate, own))));
    capitalized(&words.join(", "))
}

const CREDIT_COLUMNS: [(&str, Kind); 7] = [
    ("Transaction", Kind::Text),
    ("Day", Kind::Day),
    ("Account", Kind::Text),
    ("Kind", Kind::Text),
    ("Rule", Kind::Text),
    ("Share", Kind::Rate),
    ("Credit", Kind::Amount),
];

fn credit_row(credit: &CreditLine) -> Vec<Option<String>> {
    vec![
        some(&credit.transaction_id),
        credit.on.clone(),
        credit.account.clone().or_else(|| credit.account_id.clone()),
        some(&credit.kind),
        some(&credit.rule),
        credit.share.clone(),
        some(&credit.amount),
    ]
}

fn printed_credits(group: &Group, line: &ComponentLine) -> Section {
    let note = match group.credit_count.saturating_sub(group.credits.len()) {
        0 => String::new(),
        count => format!("The {PRINTED_CREDIT_COUNT} largest, and {count} more; the workbook has them all."),
    };
    Section {
        heading: format!("Credits behind {}{}", line.name, if line.to_date == line.credited { "" } else { ", to date" }),
        columns: columns(&CREDIT_COLUMNS),
        rows: group.credits.iter().map(credit_row).collect(),
        note,
        ..Section::default()
    }
}

/// Lines that each pay one transaction.
fn transactions_section(group: &Group) -> Section {
    let first = group.lines.first();
    let left_out = group.lines.len().saturating_sub(PRINTED_CREDIT_COUNT);
    let more = match left_out {
        0 => String::new(),
        count => format!("The first {PRINTED_CREDIT_COUNT}, and {count} more; the workbook has them all. "),
    };
    let clause = first.and_then(|line| line.clause.as_ref()).map(|clause| format!("Clause {clause}")).unwrap_or_default();
    let rows = group.lines.iter().take(PRINTED_CREDIT_COUNT).map(|line| {
        vec![Some(line.line.to_string()), line.transaction_id.clone(), line.credited.clone(), line.attainment.clone(), some(&line.amount)]
    });
    Section {
        heading: first.map(|line| line.name.clone()).unwrap_or_default(),
        aside: group.amount(),
        columns: columns(&[
            ("Line", Kind::Text),
            ("Transaction", Kind::Text),
            ("Credited", Kind::Amount),
            ("Attainment", Kind::Rate),
            ("Amount", Kind::Amount),
        ]),
        rows: rows.collect(),
        total: Some(vec![None, some("Earned on these lines"), None, None, Some(group.amount())]),
        note: format!("{more}{clause}"),
    }
}

fn workbook(head: Document, groups: &[Group]) -> Document {
    let lines = groups.iter().flat_map(|group| &group.lines);
    let line_rows = lines.map(|line| {
        vec![
            Some(line.line.to_string()),
            some(&line.name),
            line.clause.clone(),
            line.transaction_id.clone(),
            line.credited.clone(),
            line.to_date.clone(),
            line.quota.clone(),
            line.attainment.clone(),
            some(&line.amount),
        ]
    });
    let slice_rows = groups.iter().flat_map(|group| group.lines.iter().map(move |line| (group, line))).flat_map(|(group, line)| {
        line.slices.iter().map(move |slice| {
            let (rate, each) = if group.in_money { (slice.rate.clone(), None) } else { (None, slice.rate.clone()) };
            vec![Some(line.line.to_string()), some(&line.name), some(&slice.label), slice.input.clone(), rate, each, some(&slice.amount)]
        })
    });
    let credit_count: usize = groups.iter().map(|group| group.credit_count).sum();
    let kept_count = groups.iter().map(|group| group.credits.len()).sum::<usize>().min(CREDIT_COUNT_MAX);
    let credit_rows =
        groups.iter().flat_map(|group| group.lines.iter().take(1).map(move |line| (group, line))).flat_map(|(group, line)| {
            group.credits.iter().map(move |credit| {
                let mut row = vec![Some(line.line.to_string()), some(&line.name)];
                row.extend(credit_row(credit));
                row.extend([credit.origin_payee_id.clone(), credit.transaction_amount.clone(), credit.currency.clone()]);
                row
            })
        });
    let left_out = credit_count - kept_count;
    let credit_columns = [
        &[("Line", Kind::Text), ("Component", Kind::Text)],
        &CREDIT_COLUMNS[..],
        &[("From", Kind::Text), ("Transaction amount", Kind::Amount), ("Currency", Kind::Text)],
    ]
    .concat();
    let sections = vec![
        Section {
            heading: "Lines".to_owned(),
            columns: columns(&[
                ("Line", Kind::Text),
                ("Component", Kind::Text),
                ("Clause", Kind::Text),
                ("Transaction", Kind::Text),
                ("Credited", Kind::Amount),
                ("To date", Kind::Amount),
                ("Quota", Kind::Amount),
                ("Attainment", Kind::Rate),
                ("Amount", Kind::Amount),
            ]),
            rows: line_rows.collect(),
            ..Section::default()
        },
        Section {
            heading: "Parts".to_owned(),
            columns: columns(&[
                ("Line", Kind::Text),
                ("Component", Kind::Text),
                ("Part", Kind::Text),
                ("Of", Kind::Amount),
                ("Rate", Kind::Rate),
                ("For each", Kind::Amount),
                ("Amount", Kind::Amount),
            ]),
            rows: slice_rows.collect(),
            ..Section::default()
        },
        Section {
            heading: "Credits".to_owned(),
            columns: columns(&credit_columns),
            rows: credit_rows.take(CREDIT_COUNT_MAX).collect(),
            note: if left_out > 0 { format!("{left_out} more are left out; ask for them by line") } else { String::new() },
            ..Section::default()
        },
    ];
    Document { sections, ..head }
}
