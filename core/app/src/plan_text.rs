//! A plan in the words of whoever is paid by it: components, rates and tiers, caps, draws, when it is paid and taken back, with the
//! payee's own quota, target and values. The same plan gives the same text; no clock and no run is asked.

mod conditions;
mod figures;

use crate::folder::Company;
use attain_domain::fixed::{self, MONEY_SCALE};
use attain_domain::overrides::value_at;
use attain_domain::plan::{Accumulate, Cap, CapOf, Component, MeasureValue, Plan, Proration, QuotaBasis};
use attain_domain::settlement::{AgeFrom, AgeUnit, Clawback, ClawbackMethod, Draw, DrawEnd, DrawPays, Due, PayShare, Unpaid};
use attain_domain::terms::{AfterLeaving, OnStart, Ramp, RampBy, RampFrom, RampOf};
use attain_domain::tiers::{NegativeResult, TierBound, TierBy, TierMethod, TierTable};
use attain_domain::{Calendar, Day, NULL_NUMBER};
use attain_print::{Column, Document, Kind, Section};
use figures::{RateOf, heading, money, named, number, percent, rate, setting};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use utoipa::ToSchema;

/// One column of a table of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanColumn {
    pub name: String,
    /// `text`, `amount`, `rate` or `day`.
    pub kind: String,
}

/// A part of the document, such as one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanSection {
    pub heading: String,
    /// The clause that it is.
    pub clause: Option<String>,
    pub paragraphs: Vec<String>,
    pub columns: Vec<PlanColumn>,
    pub rows: Vec<Vec<Option<String>>>,
}

/// A plan as a document for one payee.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PlanText {
    pub company: String,
    pub plan_id: String,
    pub title: String,
    pub payee_id: String,
    pub payee_name: String,
    /// First day on which this version holds for her.
    pub from: String,
    /// The first day on which another version holds; `null` where none is known.
    pub until: Option<String>,
    pub sections: Vec<PlanSection>,
}

/// Whose plan it is and which of its versions.
pub struct Subject<'a> {
    pub company: &'a Company,
    pub assignments: &'a attain_calc::Assignments,
    pub payee_id: &'a str,
    pub payee_name: &'a str,
    pub plan: &'a Plan,
    /// Days of the version, of those on which the payee is on the plan.
    pub from: Day,
    pub until: Option<Day>,
}

impl PlanSection {
    fn new(heading: &str) -> PlanSection {
        PlanSection { heading: heading.to_owned(), clause: None, paragraphs: Vec::new(), columns: Vec::new(), rows: Vec::new() }
    }

    fn say(&mut self, text: impl Into<String>) {
        self.paragraphs.push(text.into());
    }

    fn table(&mut self, columns: &[(&str, &str)], rows: Vec<Vec<Option<String>>>) {
        self.columns = columns.iter().map(|(name, kind)| PlanColumn { name: (*name).to_owned(), kind: (*kind).to_owned() }).collect();
        self.rows = rows;
    }
}

fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// See the module.
pub fn plan_text(of: &Subject<'_>) -> PlanText {
    let plan = of.plan;
    let title = if plan.name.is_empty() { plan.id.clone() } else { plan.name.clone() };
    let mut sections = vec![general(of)];
    sections.extend(plan.components.iter().map(|component| component_section(of, component)));
    sections.extend(plan.draws.iter().map(|draw| draw_section(of, draw)));
    sections.extend(own_section(of));
    PlanText {
        company: of.company.settings.name.clone(),
        plan_id: plan.id.clone(),
        title,
        payee_id: of.payee_id.to_owned(),
        payee_name: of.payee_name.to_owned(),
        from: of.from.to_string(),
        until: of.until.map(|day| day.to_string()),
        sections,
    }
}

fn general(of: &Subject<'_>) -> PlanSection {
    let (plan, currency) = (of.plan, &of.company.settings.currency);
    let mut section = PlanSection::new("This plan");
    let until = of
        .until
        .map_or_else(|| "until another version or plan takes its place".to_owned(), |day| format!("up to and with {}", Day(day.0 - 1)));
    section.say(format!("It holds from {} {until}. All amounts are in {currency}.", of.from));
    let names: Vec<String> = plan.components.iter().map(|own| name_of(own).to_owned()).collect();
    section.say(match names.as_slice() {
        [only] => format!("It pays one component: {only}."),
        _ => format!("It pays {} components: {}.", names.len(), listed(&names)),
    });
    if plan.on_start == OnStart::Restart {
        section.say("Results that add up over a quarter or a year start again on its first day.");
    }
    for own in &plan.caps {
        section.say(format!("{} together pay {}.", listed(&own.components), cap_words(&own.cap(), currency)));
    }
    if let Some(cap) = &plan.cap {
        section.say(format!("All components together pay {}.", cap_words(cap, currency)));
    }
    if let Some(target) = &plan.target_from {
        section.say(format!(
            "The target pay of a period is {} of your {} a year, divided by {} periods.",
            percent(target.variable),
            target.param,
            target.periods_per_year
        ));
    }
    if let Some(ramp) = &plan.ramp {
        section.say(ramp_words(ramp));
    }
    section.say(match plan.after_leaving {
        AfterLeaving::Stop => "After you leave nothing more is credited under this plan.",
        AfterLeaving::PayBooked => "After you leave, what was booked before your last day is still credited when it counts.",
    });
    if plan.requires_acceptance {
        section.say("Pay of this plan is held until you have accepted this document.");
    }
    section
}

fn name_of(component: &Component) -> &str {
    if component.name.is_empty() { &component.id } else { &component.name }
}

fn measure_words(of: &Subject<'_>, id: &str) -> String {
    let measure = of.company.settings.measures.iter().find(|own| own.id == id);
    let name = measure.map(|own| own.name.as_str()).filter(|name| !name.is_empty()).unwrap_or(id);
    let unit = match measure.map(|own| own.value) {
        Some(MeasureValue::Units) => " (in units)",
        Some(MeasureValue::Margin) => " (margin)",
        Some(MeasureValue::Count) => " (number of credits)",
        Some(MeasureValue::Transactions) => " (number of deals)",
        Some(MeasureValue::Objectives) => " (objectives reached)",
        Some(MeasureValue::Amount) | None => "",
    };
    format!("“{name}”{unit}")
}

/// What a rate on the results of a component is a rate of.
fn rate_of(of: &Subject<'_>, component: &Component) -> RateOf {
    if component.earnings.is_some() {
        return RateOf::Amount;
    }
    match of.company.settings.measures.iter().find(|own| own.id == component.measure).map(|own| own.value) {
        Some(MeasureValue::Units) => RateOf::Each("unit"),
        Some(MeasureValue::Count) => RateOf::Each("credit"),
        Some(MeasureValue::Transactions) => RateOf::Each("deal"),
        _ => RateOf::Amount,
    }
}

fn span(accumulate: Accumulate) -> &'static str {
    match accumulate {
        Accumulate::Transaction => "deal",
        Accumulate::Period => "period",
        Accumulate::Quarter => "quarter",
        Accumulate::Year => "year",
    }
}

fn component_section(of: &Subject<'_>, component: &Component) -> PlanSection {
    let currency = &of.company.settings.currency;
    let mut section = PlanSection::new(name_of(component));
    section.clause.clone_from(&component.clause);
    let measure = match &component.earnings {
        Some(earned) => conditions::earned_words(earned),
        None => measure_words(of, &component.measure),
    };
    section.say(match component.accumulate {
        Accumulate::Transaction => format!("Every credit that counts as {measure} is paid by itself."),
        Accumulate::Period => format!("What counts as {measure} is added up in each period and starts again in the next."),
        own => format!("What counts as {measure} is added up from the start of the {} on.", span(own)),
    });
    if component.true_up {
        section.say("Earlier results are computed again at the rate now reached, and the difference is paid.");
    }
    if let Some(quota) = &component.quota {
        let mut text = format!("It stands against your quota of {}", measure_words(of, quota));
        if matches!(component.accumulate, Accumulate::Quarter | Accumulate::Year) {
            text += match component.quota_basis {
                QuotaBasis::Span => " of the whole ",
                QuotaBasis::ToDate => " from its start to date, of the ",
            };
            text += span(component.accumulate);
        }
        if component.prorate_quota == Proration::CalendarDays {
            text += ", by the days on which you are on the plan";
        }
        section.say(format!("{text}."));
    }
    if component.prorate_target == Proration::CalendarDays {
        section.say("Your target pay counts by the days on which you are on the plan.");
    }
    let each = rate_of(of, component);
    formula_words(component, &each, currency, &mut section);
    for (name, value) in &component.params {
        section.say(format!("{}: {}, unless another value was agreed with you.", heading(name), named(name, *value, &each, currency)));
    }
    for (name, id) in &component.inputs {
        section.say(format!("{}: your result of {}.", heading(name), measure_words(of, id)));
    }
    conditions::say(of, component, currency, &mut section);
    if let Some(cap) = &component.cap {
        section.say(format!("It pays {}.", cap_words(cap, currency)));
    }
    section.say(pay_words(&component.pay));
    if let Some(clawback) = &component.clawback {
        clawback_words(clawback, &mut section);
    }
    section
}

/// The setting that chooses among several ways of one formula.
const VARIANT: &str = "formula";

/// What is known of every formula: its rate and its tiers; all other settings by their names.
fn formula_words(component: &Component, each: &RateOf, currency: &str, section: &mut PlanSection) {
    let settings = component.settings.as_object();
    let table = settings
        .filter(|own| own.contains_key("tiers"))
        .and_then(|_| serde_json::from_value::<TierTable>(component.settings.clone()).ok())
        .filter(|table| !table.tiers.is_empty());
    if let Some(table) = &table {
        tier_words(table, each, currency, section);
    }
    let known = ["tiers", "method", "bound", "by", "negative"];
    for (key, value) in settings.into_iter().flatten().filter(|(key, _)| table.is_none() || !known.contains(&key.as_str())) {
        let is_base = table.as_ref().is_some_and(|own| own.method == TierMethod::OverageMultiplier);
        if key == VARIANT {
            continue;
        }
        let name = if key == "rate" && is_base { "Rate up to quota".to_owned() } else { heading(key) };
        section.say(format!("{name}: {}.", setting(key, value, each, currency)));
    }
    let variant = settings.and_then(|own| own.get(VARIANT)).and_then(|own| own.as_str());
    let variant = variant.map_or(String::new(), |name| format!(" ({})", name.replace('-', " ")));
    section.say(format!("It is computed by the formula {}{variant}.", component.formula));
}

fn tier_words(table: &TierTable, each: &RateOf, currency: &str, section: &mut PlanSection) {
    section.say(match table.method {
        TierMethod::Marginal => "Each part of the result is paid at the rate of its own tier in the table.",
        TierMethod::WholeAmount => "The whole result is paid at the rate of the tier in the table that it reaches.",
        TierMethod::InterpolatedAmount => {
            "Each tier that is filled pays its amount, the one that is reached the part that is filled, as in the table."
        }
        TierMethod::InterpolatedRate => {
            "The whole result is paid at the rates of all filled tiers and the filled part of the one reached, as in the table."
        }
        TierMethod::OverageMultiplier => {
            "What lies above quota is paid at the rate times the multiplier of the tier that is reached in the table."
        }
    });
    let by_attainment = table.by == TierBy::Attainment;
    // What is counted is no amount of money.
    let is_counted = matches!(each, RateOf::Each(_));
    let bound = match (by_attainment, is_counted) {
        (true, _) => "rate",
        (false, true) => "text",
        (false, false) => "amount",
    };
    let with_amounts = table.tiers.iter().any(|tier| tier.amount.is_some());
    let with_rates = !with_amounts || table.tiers.iter().any(|tier| !tier.rate.is_zero());
    let multiplier = table.method == TierMethod::OverageMultiplier;
    let mut columns = vec![("Tier", "text"), ("From", bound), ("Up to", bound)];
    if with_rates {
        columns.push(match (multiplier, is_counted) {
            (true, _) => ("Multiplier", "text"),
            (false, true) => ("Rate", "text"),
            (false, false) => ("Rate", "rate"),
        });
    }
    if with_amounts {
        columns.push(("Amount", "amount"));
    }
    let rows = table.tiers.iter().enumerate().map(|(place, tier)| {
        let until = tier.until.or_else(|| table.tiers.get(place + 1).map(|next| next.from));
        // Columns of a kind are written by it; a text is as it is.
        let plain = |value: Decimal| value.normalize().to_string();
        let at = |value: Decimal| if bound == "text" { number(value) } else { plain(value) };
        let mut row = vec![Some((place + 1).to_string()), Some(at(tier.from)), until.map(at)];
        if with_rates {
            row.push(Some(match (multiplier, is_counted) {
                (true, _) => format!("{} ×", number(tier.rate)),
                (false, true) => rate(tier.rate, each, currency),
                (false, false) => plain(tier.rate),
            }));
        }
        if with_amounts {
            row.push(tier.amount.map(plain));
        }
        row
    });
    section.table(&columns, rows.collect());
    section.say(match (table.bound, by_attainment) {
        (TierBound::LowerInclusive, true) => {
            "Bounds are shares of the quota; one who is exactly on a bound is in the tier that starts there."
        }
        (TierBound::LowerInclusive, false) => "A result exactly on a bound is in the tier that starts there.",
        (TierBound::UpperInclusive, true) => {
            "Bounds are shares of the quota; one who is exactly on a bound is in the tier that ends there."
        }
        (TierBound::UpperInclusive, false) => "A result exactly on a bound is in the tier that ends there.",
    });
    if table.negative == NegativeResult::Zero {
        section.say("A result below zero takes nothing away.");
    }
}

fn cap_words(cap: &Cap, currency: &str) -> String {
    let most = match (cap.amount, cap.rate, cap.of) {
        (Some(amount), ..) => money(amount, currency),
        (None, Some(rate), Some(CapOf::Target)) => format!("{} of your target pay", percent(rate)),
        (None, Some(rate), Some(CapOf::Credited)) => format!("{} of what was credited", percent(rate)),
        (None, Some(rate), Some(CapOf::Quota) | None) => format!("{} of your quota", percent(rate)),
        (None, None, _) => "without limit".to_owned(),
    };
    let rest = if cap.refundable { "; what is above is held back and paid in later spans that have room" } else { "" };
    format!("at most {most} a {}{rest}", span(cap.per))
}

fn due_words(due: Due) -> &'static str {
    match due {
        Due::Earned => "with the pay of the period in which it is earned",
        Due::Booked => "when the deal is booked",
        Due::Invoiced => "when the deal is invoiced",
        Due::Paid => "when the customer has paid all of it",
        Due::Received => "as the customer pays, in proportion",
        Due::QuarterEnd => "at the end of the quarter",
        Due::YearEnd => "at the end of the year",
    }
}

fn periods_words(count: u32) -> String {
    if count == 1 { "1 period".to_owned() } else { format!("{count} periods") }
}

fn pay_words(shares: &[PayShare]) -> String {
    if shares.is_empty() {
        return format!("It is paid {}.", due_words(Due::Earned));
    }
    let words: Vec<String> = shares
        .iter()
        .map(|own| {
            let mut text = format!("{} {}", percent(own.share), due_words(own.when));
            if own.after_periods > 0 {
                let _ = write!(text, ", {} later", periods_words(own.after_periods));
            }
            if own.installments > 1 {
                let _ = write!(text, ", in {} equal parts a period apart", own.installments);
            }
            text
        })
        .collect();
    format!("It is paid in shares: {}.", listed(&words))
}

fn clawback_words(clawback: &Clawback, section: &mut PlanSection) {
    let unit = |count: u32| match clawback.unit {
        AgeUnit::Days => format!("{count} days"),
        AgeUnit::Months => format!("{count} months"),
    };
    let from = match clawback.from {
        AgeFrom::Sale => "the sale",
        AgeFrom::Payout => "the first payment to you",
    };
    let kinds = listed(&clawback.kinds);
    let how = match clawback.method {
        ClawbackMethod::Full => format!("{} of what was paid for it is taken back", percent(clawback.rate.unwrap_or(Decimal::ONE))),
        ClawbackMethod::Bands => {
            let bands: Vec<String> = clawback
                .bands
                .iter()
                .map(|band| {
                    let tags = if band.tags.is_empty() { String::new() } else { format!(" for {}", listed(&band.tags)) };
                    format!("{} up to {}{tags}", percent(band.rate), unit(band.until))
                })
                .collect();
            format!("what was paid for it is taken back by its age since {from}: {}, nothing later", bands.join("; "))
        }
        ClawbackMethod::ProRata => format!(
            "what was paid for it is taken back: all up to {} after {from}, then less by the day, nothing from {} on",
            unit(clawback.full_until),
            unit(clawback.until)
        ),
    };
    section.say(format!("Where a deal is taken back ({kinds}), {how}."));
    section.say(match clawback.unpaid {
        Unpaid::Lapse => "What was not paid yet of such a deal lapses.",
        Unpaid::Keep => "What was not paid yet of such a deal stays due.",
    });
    if !clawback.revive.is_empty() {
        section.say(format!("Events marked {} give back what earlier ones took.", listed(&clawback.revive)));
    }
}

fn ramp_words(ramp: &Ramp) -> String {
    let what = match ramp.of {
        RampOf::Quota => "Your quota grows",
        RampOf::Target => "Your target pay grows",
        RampOf::Both => "Your quota and your target pay grow",
    };
    let from = match ramp.from {
        RampFrom::Assignment => "since you are on this plan",
        RampFrom::Hire => "since you were hired",
    };
    let step = match ramp.by {
        RampBy::Periods => "a step for each period, the one in which it starts included",
        RampBy::FullPeriods => "a step for each whole period",
        RampBy::Months => "a step for each month from that day",
    };
    let factors: Vec<String> = ramp.factors.iter().map(|factor| percent(*factor)).collect();
    format!("{what} {from}: {}, then 100 %; {step}.", listed(&factors))
}

fn draw_section(of: &Subject<'_>, draw: &Draw) -> PlanSection {
    let currency = &of.company.settings.currency;
    let mut section = PlanSection::new(if draw.name.is_empty() { &draw.id } else { &draw.name });
    let amount = match (draw.amount, draw.rate, &draw.param) {
        (_, _, Some(name)) => format!("the amount agreed with you as {name}"),
        (_, Some(rate), None) => format!("{} of your target pay", percent(rate)),
        (Some(amount), None, None) => money(amount, currency),
        (None, None, None) => "nothing".to_owned(),
    };
    let how = match draw.pays {
        DrawPays::Floor => format!("Where the pay of a period is less than {amount}, the rest is added"),
        DrawPays::OnTop => format!("In each period {amount} is paid beside everything else"),
    };
    let long = draw.periods.map_or(String::new(), |count| format!(" for the first {}", periods_words(count)));
    let days = if draw.prorate == Proration::CalendarDays { ", by the days on which you are on the plan" } else { "" };
    section.say(format!("{how}{long}{days}."));
    if draw.recoverable {
        let start = if draw.recover_after == 0 { "at once".to_owned() } else { format!("after {}", periods_words(draw.recover_after)) };
        let long = draw.recover_for.map_or(String::new(), |count| format!(", for {}", periods_words(count)));
        let share = draw.recover_share.map_or(String::new(), |share| format!(", at most {} of a period’s pay", percent(share)));
        section.say(format!("It is an advance: later pay gives it back, starting {start}{long}{share}."));
        section.say(match draw.at_end {
            DrawEnd::Keep => "What is not given back then stays owed.",
            DrawEnd::Forgive => "What is not given back then is yours to keep.",
        });
    } else {
        section.say("It is guaranteed: it is not given back.");
    }
    section
}

/// What is the payee's own: target, quotas and other values.
fn own_section(of: &Subject<'_>) -> Vec<PlanSection> {
    let mut sections = Vec::new();
    let end = of.until.map_or(i32::MAX, |day| day.0);
    let currency = &of.company.settings.currency;
    let meets = |from: i64, until: Option<i64>| from < i64::from(end) && until.is_none_or(|until| i64::from(of.from.0) < until);
    let mut own = PlanSection::new("Your own figures");
    for held in of.assignments.of(of.payee_id).get(of.plan.id.as_str()).into_iter().flatten() {
        if let Some(target) = held.target.filter(|_| meets(i64::from(held.from), Some(i64::from(held.until)))) {
            let from = Day(held.from.max(of.from.0));
            own.say(format!("Target pay from {from} on: {} a period.", money(Decimal::new(target, u32::from(MONEY_SCALE)), currency)));
        }
    }
    for row in rows_of(of, "parameters") {
        if meets(row.from, row.until) {
            let (name, value) = (row.text("name"), row.shown("value"));
            let value = value.parse().map_or(value, |own| named(&name, own, &RateOf::Amount, currency));
            own.say(format!("{} from {} on: {value}.", heading(&name), Day(row.from as i32)));
        }
    }
    for row in rows_of(of, "plan_overrides") {
        if meets(row.from, row.until) {
            let (path, value) = (row.text("path"), row.text("value"));
            let until = row.until.map_or(String::new(), |day| format!(" up to and with {}", Day(day as i32 - 1)));
            let (what, last, each) = place_words(of, &path);
            let shown = |text: String| text.parse().map_or(text, |own| named(&last, own, &each, currency));
            let otherwise = value_at(of.plan, &path).map_or(String::new(), |own| format!(" in place of {}", shown(own)));
            own.say(format!("{what} is {}{otherwise}, from {}{until}.", shown(value), Day(row.from as i32)));
        }
    }
    let quotas = quotas(of, end);
    if !quotas.is_empty() {
        own.say("Your quotas stand in the table.");
        own.table(&[("Measure", "text"), ("Period", "text"), ("Quota", "amount")], quotas);
    }
    if !own.paragraphs.is_empty() {
        sections.push(own);
    }
    sections
}

/// The place of another value in words, the name of what stands there, and what a rate there is a rate of:
/// `commission.settings.tiers.2.rate` is `Commission, tier 2, rate`.
fn place_words(of: &Subject<'_>, path: &str) -> (String, String, RateOf) {
    let parts: Vec<&str> = path.split('.').collect();
    let component = parts.first().and_then(|id| of.plan.components.iter().find(|own| own.id == *id));
    let mut words: Vec<String> = component.map(|own| name_of(own).to_owned()).into_iter().collect();
    let mut rest = parts.iter().skip(words.len()).filter(|part| **part != "settings").peekable();
    while let Some(part) = rest.next() {
        let one = part.strip_suffix('s').unwrap_or(part);
        match rest.peek().filter(|next| next.bytes().all(|byte| byte.is_ascii_digit())) {
            Some(next) => {
                words.push(format!("{} {next}", figures::label(one)));
                rest.next();
            }
            None => words.push(figures::label(part)),
        }
    }
    let last = parts.iter().rfind(|part| !part.bytes().all(|byte| byte.is_ascii_digit())).copied().unwrap_or_default();
    (words.join(", "), last.to_owned(), component.map_or(RateOf::Amount, |own| rate_of(of, own)))
}

/// Quotas of the measures that the plan reads, in periods that the version has days of.
fn quotas(of: &Subject<'_>, end: i32) -> Vec<Vec<Option<String>>> {
    let (Ok(calendar), Some(table)) = (Calendar::new(&of.company.settings.calendar), of.company.tables.get("quotas")) else {
        return Vec::new();
    };
    let text = |name: &str, row: usize| table.texts(name).and_then(|own| own.get(row)).unwrap_or_default();
    let measures: Vec<&str> = of.plan.components.iter().filter_map(|own| own.quota.as_deref()).collect();
    let mut found: Vec<(&str, usize, i64)> = (0..table.row_count())
        .filter(|row| text("payee_id", *row) == of.payee_id && measures.contains(&text("measure_id", *row)))
        .filter_map(|row| {
            let period = calendar.index_of(text("period_id", row))?;
            let days = &calendar.periods[period];
            let amount = table.numbers("amount").and_then(|own| own.get(row)).copied()?;
            (days.from.0 < end && of.from.0 < days.until.0).then(|| (text("measure_id", row), period, amount))
        })
        .collect();
    found.sort_unstable();
    let shown = found.into_iter().map(|(measure, period, amount)| {
        vec![Some(measure.to_owned()), Some(calendar.periods[period].id.0.clone()), Some(fixed::format(amount, MONEY_SCALE))]
    });
    shown.collect()
}

/// A dated row about the payee and the plan.
struct Row<'a> {
    table: &'a attain_domain::Table,
    row: usize,
    from: i64,
    until: Option<i64>,
}

impl Row<'_> {
    fn text(&self, name: &str) -> String {
        self.table.texts(name).and_then(|own| own.get(self.row)).unwrap_or_default().to_owned()
    }

    fn shown(&self, name: &str) -> String {
        self.table.column(name).and_then(|own| own.show(self.row)).unwrap_or_default()
    }
}

fn rows_of<'a>(of: &'a Subject<'_>, entity: &str) -> Vec<Row<'a>> {
    let Some(table) = of.company.tables.get(entity) else { return Vec::new() };
    let number = |name: &str, row: usize| table.numbers(name).and_then(|own| own.get(row)).copied().filter(|own| *own != NULL_NUMBER);
    let rows =
        (0..table.row_count()).map(|row| Row { table, row, from: number("from_on", row).unwrap_or(0), until: number("until_on", row) });
    rows.filter(|row| row.text("payee_id") == of.payee_id && row.text("plan_id") == of.plan.id).collect()
}

impl PlanText {
    /// The exact text that is accepted, as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", self.title);
        let name = if self.payee_name.is_empty() { &self.payee_id } else { &self.payee_name };
        let _ = writeln!(text, "{}: plan {} for {name} ({}), from {}\n", self.company, self.plan_id, self.payee_id, self.from);
        for section in &self.sections {
            let clause = section.clause.as_ref().map_or(String::new(), |clause| format!(" (clause {clause})"));
            let _ = writeln!(text, "## {}{clause}\n", section.heading);
            for paragraph in &section.paragraphs {
                let _ = writeln!(text, "{paragraph}\n");
            }
            if !section.columns.is_empty() {
                let cells = |row: Vec<String>| format!("| {} |\n", row.join(" | "));
                text += &cells(section.columns.iter().map(|own| own.name.clone()).collect());
                text += &cells(section.columns.iter().map(|_| "---".to_owned()).collect());
                for row in &section.rows {
                    let shown = row.iter().zip(&section.columns).map(|(cell, column)| {
                        cell.as_deref().map_or(String::new(), |cell| attain_print::printed(kind(&column.kind), cell).replace('|', "\\|"))
                    });
                    text += &cells(shown.collect());
                }
                text.push('\n');
            }
        }
        text
    }

    /// The same to print. `digest` names the text.
    pub fn document(&self, digest: &str, facts: &[(&str, String)]) -> Document {
        let name = if self.payee_name.is_empty() { &self.payee_id } else { &self.payee_name };
        let mut all = vec![("Plan".to_owned(), self.plan_id.clone()), ("Payee".to_owned(), self.payee_id.clone())];
        all.push(("From".to_owned(), attain_print::printed(Kind::Day, &self.from)));
        all.extend(facts.iter().map(|(label, value)| ((*label).to_owned(), value.clone())));
        let sections = self.sections.iter().map(|section| Section {
            heading: section.heading.clone(),
            aside: section.clause.as_ref().map_or(String::new(), |clause| format!("clause {clause}")),
            columns: section.columns.iter().map(|own| Column::new(&own.name, kind(&own.kind))).collect(),
            rows: section.rows.clone(),
            total: None,
            note: section.paragraphs.join(" "),
        });
        Document {
            issuer: self.company.clone(),
            title: self.title.clone(),
            subtitle: format!("Compensation plan for {name}"),
            facts: all,
            totals: Vec::new(),
            sections: sections.collect(),
            footer: format!("SHA-256 {digest}"),
            link: String::new(),
            dated_on: Some(self.from.clone()),
        }
    }
}

fn kind(name: &str) -> Kind {
    match name {
        "amount" => Kind::Amount,
        "rate" => Kind::Rate,
        "day" => Kind::Day,
        _ => Kind::Text,
    }
}

#[cfg(test)]
mod tests;
