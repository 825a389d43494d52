//! What a component does beside its formula, in words: what it waits for, looks up, multiplies, shares out and pays at least.

use super::figures::{RateOf, heading, money, named, number, percent};
use super::{PlanSection, Subject, listed, measure_words, rate_of, span};
use attain_domain::component::{
    Among, Best, Between, EarnedBy, EarnedOf, FloorOn, Hurdle, HurdleCounts, JudgedBy, OncePer, Otherwise, Pool, PoolShare, RateRules, Ties,
};
use attain_domain::plan::{Accumulate, CapOf, Component, Condition, Proration};
use attain_domain::rate_table::{Cell, Choice, RateTable};
use rust_decimal::Decimal;

/// What somebody earned with a component.
pub(super) fn earned_words(earned: &EarnedOf) -> String {
    let whose = match earned.of {
        EarnedBy::Payee => "you earn",
        EarnedBy::Reports => "those who report to you earn",
        EarnedBy::Below => "everybody below you earns",
    };
    let plan = earned.plan.as_ref().map_or(String::new(), |plan| format!(" on plan {plan}"));
    format!("what {whose} with {}{plan}", earned.component)
}

/// In the order in which it is applied.
pub(super) fn say(of: &Subject<'_>, component: &Component, currency: &str, section: &mut PlanSection) {
    if component.stacked {
        section.say("Each credit is paid by itself, at what is reached with it.");
    }
    if let Some(hurdle) = &component.hurdle {
        section.say(hurdle_words(hurdle, currency));
    }
    for (name, uses) in &component.uses {
        section.say(format!("{name}: {}.", earned_words(&uses.earned())));
    }
    for (name, table) in &component.lookups {
        section.say(format!("{} is looked up in the table {table}, unless another value was agreed with you.", heading(name)));
    }
    // What is looked up for names what a table gives.
    let each = rate_of(of, component);
    let mut tables: Vec<(&String, &String)> =
        component.lookups.iter().map(|(name, table)| (table, name)).chain(component.tables.iter().map(|table| (table, table))).collect();
    tables.sort();
    tables.dedup_by_key(|(table, _)| *table);
    for (name, gives) in tables {
        if let Some(table) = of.plan.tables.get(name) {
            table_words(name, table, |value| named(gives, value, &each, currency), section);
        }
    }
    if let Some(rates) = &component.rates {
        rule_words(rates, currency, section);
    }
    if let Some(rank) = &component.rank {
        let best = if rank.best == Best::Highest { "the highest" } else { "the lowest" };
        let ties = match rank.ties {
            Ties::Competition => "after equals as many places are left out",
            Ties::Dense => "after equals no place is left out",
        };
        let what = judged(of, component, rank.by, rank.measure.as_deref(), None);
        section.say(format!("You are ranked among {} by {what}: {best} is first; {ties}.", among(rank.among)));
    }
    if let Some(pool) = &component.pool {
        section.say(pool_words(of, component, pool, currency));
    }
    for own in &component.multipliers {
        let what = judged(of, component, own.by, own.measure.as_deref(), own.component.as_deref());
        let steps: Vec<String> =
            own.steps.iter().map(|step| format!("{} from {} on", number(step.factor), at(step.from, own.by))).collect();
        let between = if own.between == Between::Linear { ", on a line between these" } else { "" };
        section.say(format!(
            "It is multiplied by a factor for {what}{}: {} below, {}{between}.",
            over(component, own.over),
            number(own.below),
            listed(&steps)
        ));
    }
    for gate in &component.gates {
        let what = judged(of, component, gate.by, gate.measure.as_deref(), gate.component.as_deref());
        let otherwise = match (gate.otherwise, gate.rate) {
            (Otherwise::Rate, Some(rate)) => format!("{} of it is paid", percent(rate)),
            _ => "nothing of it is paid".to_owned(),
        };
        let needed = at(gate.at_least, gate.by);
        section.say(format!("Where {what}{} is below {needed}, {otherwise}.", over(component, gate.over)));
    }
    if !component.requires.is_empty() {
        section.say(format!("It is paid only where you earn something with {}.", listed(&component.requires)));
    }
    if let Some(floor) = &component.floor {
        let least = match (floor.amount, floor.rate, floor.of) {
            (Some(amount), ..) => money(amount, currency),
            (None, rate, basis) => format!("{} of {}", percent(rate.unwrap_or_default()), basis_words(basis)),
        };
        let on = if floor.on == FloorOn::Paying { "Where it pays something, it pays" } else { "It pays" };
        section.say(format!("{on} at least {least}."));
    }
    if component.once {
        section.say(match component.once_per {
            OncePer::Year => "It is paid once a year: the first time that it pays something.",
            OncePer::Ever => "It is paid once: the first time that it pays something.",
        });
    }
}

fn basis_words(of: Option<CapOf>) -> &'static str {
    match of {
        Some(CapOf::Target) => "your target pay",
        Some(CapOf::Credited) => "what was credited",
        Some(CapOf::Quota) | None => "your quota",
    }
}

fn among(among: Among) -> &'static str {
    match among {
        Among::Plan => "all who are on this plan",
        Among::Team => "those in your team",
    }
}

/// A bound as it is judged.
fn at(bound: Decimal, by: JudgedBy) -> String {
    if by == JudgedBy::Attainment { percent(bound) } else { number(bound) }
}

fn judged(of: &Subject<'_>, component: &Component, by: JudgedBy, measure: Option<&str>, earned: Option<&str>) -> String {
    let own = if by == JudgedBy::Attainment { component.quota.as_deref() } else { None };
    let measure = || measure_words(of, measure.or(own).unwrap_or(&component.measure));
    match by {
        JudgedBy::Earned => format!("what you earn with {}", earned.unwrap_or_default()),
        JudgedBy::Attainment => format!("the attainment of {}", measure()),
        JudgedBy::Value => format!("the result of {}", measure()),
    }
}

fn over(component: &Component, over: Option<Accumulate>) -> String {
    over.filter(|over| *over != component.accumulate).map_or(String::new(), |over| format!(" over the {}", span(over)))
}

fn hurdle_words(hurdle: &Hurdle, currency: &str) -> String {
    let height = match (hurdle.amount, hurdle.share_of_quota) {
        (Some(amount), _) => money(amount, currency),
        (None, share) => format!("{} of your quota", percent(share.unwrap_or_default())),
    };
    match hurdle.counts {
        HurdleCounts::Above => format!("Only what lies above {height} counts."),
        HurdleCounts::All => format!("Nothing counts below {height}; from there on everything does."),
    }
}

fn pool_words(of: &Subject<'_>, component: &Component, pool: &Pool, currency: &str) -> String {
    let what = judged(of, component, JudgedBy::Value, pool.measure.as_deref(), None);
    let size = match (pool.amount, pool.rate) {
        (Some(amount), _) => money(amount, currency),
        (None, rate) => format!("{} of {what} of all of them", percent(rate.unwrap_or_default())),
    };
    let how = match pool.share {
        PoolShare::Equal => "in equal parts".to_owned(),
        PoolShare::Target => "by target pay".to_owned(),
        PoolShare::Measure => format!("by {what} of each"),
        PoolShare::TeamShare => "by the shares agreed in the team".to_owned(),
    };
    let days = if pool.prorate == Proration::CalendarDays { ", by the days on which each is on the plan" } else { "" };
    format!("A pool of {size} is shared among {} {how}{days}.", among(pool.among))
}

fn chosen(choice: Choice, what: &str) -> String {
    match choice {
        Choice::First => format!("the first {what} that fits counts"),
        Choice::Narrowest => format!("the {what} that says most counts"),
        Choice::All => format!("every {what} that fits counts, added up"),
    }
}

fn table_words(name: &str, table: &RateTable, shown: impl Fn(Decimal) -> String, section: &mut PlanSection) {
    let rows: Vec<String> = table
        .rows
        .iter()
        .map(|row| {
            let cells: Vec<String> =
                row.when.iter().map(|(dimension, cell)| format!("{dimension} {}", cell_words(dimension, cell))).collect();
            let when = if cells.is_empty() { "everything".to_owned() } else { cells.join(", ") };
            format!("{when}: {}", shown(row.result))
        })
        .collect();
    section.say(format!("Table {name} ({}): {}.", chosen(table.lookup, "row"), rows.join("; ")));
}

/// A bound in words: shares are named so.
fn bound_words(name: &str, bound: Decimal) -> String {
    let is_amount = name.contains("amount");
    if is_amount { number(bound) } else { named(name, bound, &RateOf::Amount, "") }
}

fn cell_words(dimension: &str, cell: &Cell) -> String {
    match cell {
        Cell::One(word) => word.clone(),
        Cell::AnyOf(words) => words.join(" or "),
        Cell::Range(range) => match (range.from, range.until) {
            (Some(from), Some(until)) => format!("from {} up to {}", bound_words(dimension, from), bound_words(dimension, until)),
            (Some(from), None) => format!("from {} on", bound_words(dimension, from)),
            (None, Some(until)) => format!("up to {}", bound_words(dimension, until)),
            (None, None) => "of any height".to_owned(),
        },
    }
}

fn rule_words(rates: &RateRules, currency: &str, section: &mut PlanSection) {
    let rules: Vec<String> = rates
        .rules
        .iter()
        .map(|rule| {
            let tests: Vec<String> = rule.conditions.iter().map(condition_words).collect();
            let when = if tests.is_empty() { "everything".to_owned() } else { tests.join(" and ") };
            let mut pays: Vec<String> = Vec::new();
            pays.extend(rule.rate.map(percent));
            pays.extend(rule.amount_per_unit.map(|amount| format!("{} a unit", money(amount, currency))));
            pays.extend(rule.amount.map(|amount| money(amount, currency)));
            let label = if rule.label.is_empty() { String::new() } else { format!("{}, ", rule.label) };
            format!("{label}{when}: {}", if pays.is_empty() { "nothing".to_owned() } else { pays.join(" and ") })
        })
        .collect();
    section.say(format!("The rate of a credit comes from rules ({}): {}.", chosen(rates.choice, "rule"), rules.join("; ")));
}

fn condition_words(condition: &Condition) -> String {
    let field = serde_json::to_value(condition.field).ok().and_then(|own| own.as_str().map(str::to_owned)).unwrap_or_default();
    let mut tests = Vec::new();
    tests.extend(condition.any_of.as_ref().map(|words| words.join(" or ")));
    tests.extend(condition.not_in.as_ref().map(|words| format!("not {}", words.join(" or "))));
    tests.extend(condition.at_least.map(|bound| format!("at least {}", bound_words(&field, bound))));
    tests.extend(condition.below.map(|bound| format!("below {}", bound_words(&field, bound))));
    format!("{} {}", field.replace('-', " "), tests.join(", "))
}
