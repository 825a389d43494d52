//! TOML documents: `company.toml` and plans, parsed and judged, each defect with its line and character.

use super::problem::{Problem, Problems, advice, nearest, shortened};
use super::rows::Sheet;
use attain_domain::payouts::Payouts;
use attain_domain::plan::{Accumulate, Cap, Component, Condition, ConditionField, Measure, MeasureOf, MeasureValue, Plan};
use attain_domain::settings::{Rollup, Settings, Step, WindfallOf};
use attain_domain::tiers::TierTable;
use attain_domain::{Calendar, Rounding, schema};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Unknown keys of one document that are named before the rest is left.
const UNKNOWN_KEYS_MAX: usize = 50;

type Sheets = BTreeMap<&'static str, Sheet>;

/// A document that is being judged.
struct Document<'a> {
    file: &'a str,
    text: &'a str,
    root: Spanned<DeTable<'a>>,
    problems: Problems,
}

/// Problems of form only: syntax.
pub(super) fn syntax(file: &str, text: &str, problems: &mut Problems) {
    parsed(file, text, problems);
}

/// The settings, where they can be understood at all. What they name is held against `sheets`.
pub(super) fn settings(file: &str, text: &str, sheets: &Sheets, problems: &mut Problems) -> Option<Settings> {
    let mut document = Document::open(file, text, problems)?;
    let settings: Option<Settings> = document.understand();
    if let Some(settings) = &settings {
        document.judge_settings(settings, sheets);
    }
    problems.append(document.problems);
    settings
}

/// The plan, where it can be understood at all. Its measures are held against `settings` where those are known.
pub(super) fn plan(file: &str, text: &str, settings: Option<&Settings>, problems: &mut Problems) -> Option<Plan> {
    let mut document = Document::open(file, text, problems)?;
    let plan: Option<Plan> = document.understand();
    if let Some(plan) = &plan {
        document.judge_plan(plan, settings);
    }
    problems.append(document.problems);
    plan
}

fn parsed<'a>(file: &str, text: &'a str, problems: &mut Problems) -> Option<Spanned<DeTable<'a>>> {
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let problem = Problem::new(file, format!("is not TOML: {}", first_line(error.message())));
        problems.push(placed(problem, text, error.span()));
    }
    errors.is_empty().then_some(root)
}

fn first_line(message: &str) -> &str {
    message.lines().next().unwrap_or_default()
}

/// The problem with the line and the character at which `span` starts.
fn placed(problem: Problem, text: &str, span: Option<Range<usize>>) -> Problem {
    let Some(before) = span.and_then(|span| text.get(..span.start)) else { return problem };
    let line = before.matches('\n').count() as u64 + 1;
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let position = before[start..].trim_start_matches('\u{feff}').chars().count() as u64 + 1;
    Problem { position: Some(position), ..problem.at(Some(line)) }
}

impl<'a> Document<'a> {
    fn open(file: &'a str, text: &'a str, problems: &mut Problems) -> Option<Document<'a>> {
        let root = parsed(file, text, problems)?;
        Some(Document { file, text, root, problems: Problems::default() })
    }

    fn push(&mut self, path: &[&str], value: Option<&str>, message: impl Into<String>) {
        let span = self.span(path);
        let problem = placed(Problem::new(self.file, message), self.text, span);
        self.problems.push(match value {
            Some(value) => problem.value(value),
            None => problem,
        });
    }

    /// Where the value at `path` stands, or the deepest of its ancestors that is there. Numbers are indexes of arrays.
    fn span(&self, path: &[&str]) -> Option<Range<usize>> {
        let (first, rest) = path.split_first()?;
        let mut node = self.root.get_ref().get(*first)?;
        for part in rest {
            let next = match node.get_ref() {
                DeValue::Table(table) => table.get(*part),
                DeValue::Array(array) => part.parse::<usize>().ok().and_then(|index| array.get(index)),
                _ => None,
            };
            match next {
                Some(next) => node = next,
                None => break,
            }
        }
        Some(node.span())
    }

    /// The document as a value of its type. Unknown keys are named one by one and taken for the key that was
    /// probably meant, to find what else is wrong.
    fn understand<T: DeserializeOwned>(&mut self) -> Option<T> {
        let mut unfit = Vec::new();
        for (_, value) in self.root.get_ref() {
            not_exact(value, &mut unfit);
        }
        let is_exact = unfit.is_empty();
        for (span, message) in unfit {
            let value = self.text.get(span.clone()).unwrap_or_default();
            let problem = placed(Problem::new(self.file, message), self.text, Some(span.clone())).value(value);
            self.problems.push(problem);
        }
        let mut root = self.root.clone();
        let mut is_understood = true;
        for _ in 0..=UNKNOWN_KEYS_MAX {
            let error = match T::deserialize(toml::de::Deserializer::from(root.clone())) {
                Ok(value) => return (is_exact && is_understood).then_some(value),
                Err(error) => error,
            };
            let unknown =
                error.message().strip_prefix("unknown field `").and_then(|rest| rest.split_once('`')).map(|(key, _)| key.to_owned());
            let Some(key) = unknown else {
                // A number that is not exact was named already, with better words.
                if is_exact {
                    let problem = Problem::new(self.file, worded(first_line(error.message())));
                    self.problems.push(placed(problem, self.text, error.span()));
                }
                return None;
            };
            let known: Vec<&str> = error.message().split('`').skip(3).step_by(2).collect();
            let otherwise =
                if known.is_empty() { "remove it".to_owned() } else { format!("the keys are {}", super::value::quoted(&known)) };
            let message = format!("is not a key here{}", advice(&key, known.iter().copied(), &otherwise));
            let meant = nearest(&key, known);
            let corrected =
                correct(root.get_mut(), &key, error.span().as_ref(), meant).or_else(|| correct(root.get_mut(), &key, None, meant));
            let span = corrected.clone().or_else(|| error.span());
            self.problems.push(placed(Problem::new(self.file, message).value(&key), self.text, span));
            is_understood = false;
            corrected?;
        }
        None
    }

    fn judge_settings(&mut self, settings: &Settings, sheets: &Sheets) {
        if settings.format != 1 {
            self.push(&["format"], Some(&settings.format.to_string()), "is no format this version knows; write 1");
        }
        if settings.name.trim().is_empty() {
            self.push(&["name"], None, "`name` is empty; write the name of the company");
        }
        if settings.currency.len() != 3 || !settings.currency.bytes().all(|letter| letter.is_ascii_uppercase()) {
            self.push(&["currency"], Some(&settings.currency), "is not a currency; write the three letters of ISO 4217, for example EUR");
        }
        self.judge_rounding(&["rounding"], &settings.rounding);
        self.judge_rounding(&["accounting", "rounding"], &settings.accounting.rounding);
        if let Err(message) = Calendar::new(&settings.calendar) {
            self.push(&["calendar"], None, message);
        }
        if let Rollup::Difference { rate } = settings.crediting.rollup
            && !(Decimal::ZERO..=Decimal::ONE).contains(&rate)
        {
            self.push(&["crediting", "rollup", "rate"], Some(&rate.to_string()), "is not a share; write a number from 0 to 1");
        }
        self.judge_crediting(settings, sheets);
        for (index, step) in settings.crediting.rules.iter().enumerate() {
            self.judge_step(&["crediting", "rules", &index.to_string()], step);
        }
        for (list, steps) in [("kpis", &settings.kpis), ("insights", &settings.insights)] {
            for (index, step) in steps.iter().enumerate() {
                self.judge_step(&[list, &index.to_string()], step);
            }
        }
        for (name, step) in [("territory", &settings.territory), ("quota", &settings.quota), ("forecast", &settings.forecast)] {
            if let Some(step) = step {
                self.judge_step(&[name], step);
            }
        }
        self.judge_payouts(&settings.payouts);
        let mut ids = BTreeSet::new();
        for (index, measure) in settings.measures.iter().enumerate() {
            let number = index.to_string();
            self.judge_id(&["measures", &number, "id"], &measure.id, &mut ids, "measure");
            self.judge_objectives(&number, measure);
            self.judge_conditions(&["measures", &number, "where"], &measure.conditions, sheets);
        }
    }

    fn judge_crediting(&mut self, settings: &Settings, sheets: &Sheets) {
        for (index, house) in settings.crediting.house.iter().enumerate() {
            let number = index.to_string();
            let path = ["crediting", "house", number.as_str()];
            if house.conditions.is_empty() {
                self.push(&[&path[..], &["where"]].concat(), None, "without a condition everything would be the house's; add one");
            }
            if house.conditions.iter().any(|condition| condition.field == ConditionField::Rule) {
                self.push(&[&path[..], &["where"]].concat(), None, "no rule sees what the house keeps; test another field than `rule`");
            }
            self.judge_conditions(&[&path[..], &["where"]].concat(), &house.conditions, sheets);
            if let (Some(payee), Some(payees)) = (&house.payee, sheets.get("payees").filter(|sheet| sheet.complete)) {
                let ids = payees.table.texts("payee_id").map_or(&[] as &[String], |column| &column.dictionary);
                if !ids.contains(payee) {
                    let advice = advice(payee, ids.iter().map(String::as_str), "add it there");
                    self.push(&[&path[..], &["payee"]].concat(), Some(payee), format!("is not in payees.csv{advice}"));
                }
            }
        }
        let Some(windfall) = &settings.crediting.windfall else { return };
        if windfall.at_least <= Decimal::ZERO {
            let text = windfall.at_least.to_string();
            self.push(&["crediting", "windfall", "at_least"], Some(&text), "is not above zero; then everything would be a windfall");
        }
        if let Some(measure) = &windfall.measure
            && settings.measures.iter().all(|own| own.id != *measure)
        {
            let ids = settings.measures.iter().map(|own| own.id.as_str());
            let message = format!("is no measure{}", advice(measure, ids, "add it or correct the name"));
            self.push(&["crediting", "windfall", "measure"], Some(measure), message);
        }
        if windfall.of == WindfallOf::QuotaShare && settings.measures.is_empty() {
            self.push(&["crediting", "windfall"], None, "a share of a quota needs a measure; add one");
        }
    }

    fn judge_payouts(&mut self, payouts: &Payouts) {
        self.judge_step(&["payouts", "export"], &payouts.export);
        let accounts = &payouts.accounts;
        let mut named = vec![
            (vec!["payouts", "accounts", "expense"], &accounts.expense),
            (vec!["payouts", "accounts", "payable"], &accounts.payable),
            (vec!["payouts", "accounts", "held"], &accounts.held),
            (vec!["payouts", "accounts", "carried"], &accounts.carried),
            (vec!["payouts", "accounts", "cash"], &accounts.cash),
            (vec!["payouts", "accounts", "exchange"], &accounts.exchange),
        ];
        named.extend(accounts.components.iter().map(|(name, account)| (vec!["payouts", "accounts", "components", name.as_str()], account)));
        for (path, account) in named {
            let legal = |level: &str| {
                !level.is_empty()
                    && level.chars().all(|own| own.is_alphanumeric() || matches!(own, '-' | '_' | '.' | ' '))
                    && level.trim() == level
            };
            if !account.split(':').all(legal) || account.contains("  ") {
                self.push(&path, Some(account), "is no account; write levels of letters, digits, `-`, `_` and `.`, parted by `:`");
            }
        }
    }

    fn judge_step(&mut self, path: &[&str], step: &Step) {
        if step.extension.trim().is_empty() {
            self.push(&[path, &["extension"]].concat(), None, "`extension` is empty; write the name of an extension");
        }
        self.judge_extension_settings(&[path, &["settings"]].concat(), &step.settings);
    }

    fn judge_extension_settings(&mut self, path: &[&str], settings: &serde_json::Value) {
        let Some(settings_table) = settings.as_object() else {
            self.push(path, None, "`settings` is not a table; write `settings = { … }`");
            return;
        };
        if !settings_table.contains_key("tiers") {
            return;
        }
        let path = [path, &["tiers"]].concat();
        match serde_json::from_value::<TierTable>(settings.clone()) {
            Ok(table) => {
                for defect in table.defects() {
                    self.push(&path, None, defect);
                }
            }
            Err(error) => self.push(&path, None, format!("is not a tier table: {error}")),
        }
    }

    fn judge_rounding(&mut self, path: &[&str], rounding: &Rounding) {
        if rounding.step < Decimal::ZERO {
            self.push(&[path, &["step"]].concat(), Some(&rounding.step.to_string()), "is negative; write the step, for example \"0.01\"");
        }
    }

    fn judge_id<'b>(&mut self, path: &[&str], id: &'b str, ids: &mut BTreeSet<&'b str>, what: &str) {
        if id.is_empty() {
            self.push(path, None, format!("the id of the {what} is empty; write one"));
        } else if let Some(message) = super::value::text_defect(schema::Kind::Id, id) {
            self.push(path, Some(id), message);
        } else if !ids.insert(id) {
            self.push(path, Some(id), format!("is the id of another {what} too; choose another"));
        }
    }

    /// What a measure of objectives must leave out.
    fn judge_objectives(&mut self, number: &str, measure: &Measure) {
        let of_objectives = measure.value == MeasureValue::Objectives;
        if of_objectives && (measure.of != MeasureOf::Payee || !measure.credits.is_empty() || !measure.conditions.is_empty()) {
            self.push(&["measures", number], None, "objectives are the payee's own and no credits; remove `of`, `credits` and `where`");
        }
        if measure.full.is_some_and(|full| full <= Decimal::ZERO || !of_objectives) {
            self.push(
                &["measures", number, "full"],
                None,
                "is what reached objectives come to: above zero, and for `value = \"objectives\"` only",
            );
        }
    }

    fn judge_conditions(&mut self, path: &[&str], conditions: &[Condition], sheets: &Sheets) {
        for (index, condition) in conditions.iter().enumerate() {
            let index = index.to_string();
            let path = [path, &[index.as_str()]].concat();
            let numeric = condition.field.is_number();
            let has_words = condition.any_of.is_some() || condition.not_in.is_some();
            let has_bounds = condition.at_least.is_some() || condition.below.is_some();
            if !has_words && !has_bounds {
                self.push(&path, None, "the condition tests nothing; add `in`, `not_in`, `at_least` or `below`");
            }
            if numeric && has_words {
                self.push(&path, None, "the field is a number; test it with `at_least` and `below`");
            }
            if !numeric && has_bounds {
                self.push(&path, None, "the field is a text; test it with `in` and `not_in`");
            }
            if let (Some(least), Some(below)) = (condition.at_least, condition.below)
                && least >= below
            {
                self.push(&path, None, format!("nothing is at least {least} and below {below}; correct the bounds"));
            }
            self.judge_condition_words(&path, condition, sheets);
        }
    }

    /// Words of a condition that name a record or a kind which is not there.
    fn judge_condition_words(&mut self, path: &[&str], condition: &Condition, sheets: &Sheets) {
        let entity = match condition.field {
            ConditionField::Account => "accounts",
            ConditionField::Product => "products",
            ConditionField::Family => "families",
            ConditionField::Territory => "territories",
            ConditionField::Kind => "transactions",
            _ => return,
        };
        let Some(schema) = schema::entity(entity) else { return };
        let kinds = match schema.field("kind").map(|field| field.kind) {
            Some(schema::Kind::Choice(words)) if condition.field == ConditionField::Kind => Some(words),
            _ => None,
        };
        let sheet = &sheets[entity];
        if kinds.is_none() && !sheet.complete {
            return;
        }
        let ids = sheet.table.texts(schema.fields[0].name).map_or(&[] as &[String], |column| &column.dictionary);
        let ids: Vec<&str> = kinds.map_or_else(|| ids.iter().map(String::as_str).collect(), <[&str]>::to_vec);
        for (list, words) in [("in", &condition.any_of), ("not_in", &condition.not_in)] {
            for (index, word) in words.iter().flatten().enumerate() {
                if !ids.contains(&word.as_str()) {
                    let message = match kinds {
                        Some(words) => format!("is no kind of transaction; the kinds are {}", super::value::quoted(words)),
                        None => {
                            format!("is not in {entity}.csv{}", advice(word, ids.iter().copied(), "add it there or correct the condition"))
                        }
                    };
                    self.push(&[path, &[list, &index.to_string()]].concat(), Some(word), message);
                }
            }
        }
    }

    fn judge_plan(&mut self, plan: &Plan, settings: Option<&Settings>) {
        self.judge_id(&["id"], &plan.id, &mut BTreeSet::new(), "plan");
        if plan.components.is_empty() {
            self.push(&["components"], None, "the plan has no components; write at least one `[[components]]`");
        }
        if let Some(cap) = &plan.cap {
            self.judge_cap(&["cap"], cap);
            if cap.refundable {
                self.push(&["cap", "refundable"], None, "belongs to the cap of a component; write it there");
            }
        }
        let mut draws = BTreeSet::new();
        for (index, draw) in plan.draws.iter().enumerate() {
            let number = index.to_string();
            self.judge_id(&["draws", number.as_str(), "id"], &draw.id, &mut draws, "draw of this plan");
            if plan.components.iter().any(|component| component.id == draw.id) {
                self.push(&["draws", number.as_str(), "id"], Some(&draw.id), "is a component of this plan too; choose another");
            }
            for defect in draw.defects() {
                self.push(&["draws", number.as_str()], None, defect);
            }
        }
        for (path, value, message) in super::plan_checks::terms(plan) {
            self.push(&path, value.as_deref(), message);
        }
        // Without settings that could be read, no measure is held to be unknown.
        let measures: Option<Vec<&str>> = settings.map(|settings| settings.measures.iter().map(|measure| measure.id.as_str()).collect());
        let mut ids = BTreeSet::new();
        for (index, component) in plan.components.iter().enumerate() {
            let number = index.to_string();
            let path = ["components", number.as_str()];
            self.judge_id(&[&path[..], &["id"]].concat(), &component.id, &mut ids, "component of this plan");
            self.judge_component(&path, component, measures.as_deref());
            self.judge_span(&path, component, settings);
        }
        for defect in plan.defects() {
            let path: Vec<&str> = defect.path.iter().map(String::as_str).collect();
            self.push(&path, defect.value.as_deref(), defect.message);
        }
    }

    /// What belongs to a team or a period is not paid credit by credit.
    fn judge_span(&mut self, path: &[&str], component: &Component, settings: Option<&Settings>) {
        let measures = settings.map_or(&[][..], |settings| &settings.measures);
        let is_whole = |measure: &Measure| measure.of == MeasureOf::Team || measure.value == MeasureValue::Objectives;
        let whole = measures.iter().any(|measure| measure.id == component.measure && is_whole(measure));
        if whole && (component.accumulate == Accumulate::Transaction || component.stacked) {
            let message = "is a measure of a team or of objectives, which is not paid credit by credit; accumulate it over a period";
            self.push(&[path, &["measure"]].concat(), Some(&component.measure), message);
        }
    }

    fn judge_component(&mut self, path: &[&str], component: &Component, measures: Option<&[&str]>) {
        if component.formula.trim().is_empty() {
            self.push(&[path, &["formula"]].concat(), None, "`formula` is empty; write the name of a compensation extension");
        }
        let mut used = Vec::new();
        if !component.measure.is_empty() {
            used.push((vec!["measure"], component.measure.as_str()));
        }
        used.extend(component.rank.iter().filter_map(|rank| Some((vec!["rank", "measure"], rank.measure.as_deref()?))));
        used.extend(component.pool.iter().filter_map(|pool| Some((vec!["pool", "measure"], pool.measure.as_deref()?))));
        used.extend(component.gates.iter().filter_map(|gate| Some((vec!["gates"], gate.measure.as_deref()?))));
        used.extend(component.multipliers.iter().filter_map(|own| Some((vec!["multipliers"], own.measure.as_deref()?))));
        used.extend(component.quota.as_deref().map(|quota| (vec!["quota"], quota)));
        used.extend(component.inputs.iter().map(|(name, measure)| (vec!["inputs", name.as_str()], measure.as_str())));
        if let Some(measures) = measures {
            for (key, measure) in used {
                if !measures.contains(&measure) {
                    let message =
                        format!("is no measure{}", advice(measure, measures.iter().copied(), "add it to `measures` in company.toml"));
                    self.push(&[path, &key].concat(), Some(measure), message);
                }
            }
        }
        self.judge_rounding(&[path, &["rounding"]].concat(), &component.rounding);
        if let Some(cap) = &component.cap {
            self.judge_cap(&[path, &["cap"]].concat(), cap);
        }
        for defect in attain_domain::settlement::pay_defects(&component.pay) {
            self.push(&[path, &["pay"]].concat(), None, defect);
        }
        for defect in component.clawback.iter().flat_map(attain_domain::settlement::Clawback::defects) {
            self.push(&[path, &["clawback"]].concat(), None, defect);
        }
        self.judge_extension_settings(&[path, &["settings"]].concat(), &component.settings);
    }

    fn judge_cap(&mut self, path: &[&str], cap: &Cap) {
        match (cap.amount, cap.rate, cap.of) {
            (None, None, _) => self.push(path, None, "the cap limits nothing; write `amount`, or `rate` and `of`"),
            (Some(_), Some(_), _) => self.push(path, None, "the cap has `amount` and `rate`; write one of them"),
            (None, Some(_), None) => self.push(path, None, "the cap has a `rate` of nothing; write `of = \"target\"` or `of = \"quota\"`"),
            (Some(_), None, Some(_)) => self.push(path, None, "`of` belongs to a `rate`; remove it or write `rate` in place of `amount`"),
            _ => {}
        }
        for (key, value) in [("amount", cap.amount), ("rate", cap.rate)] {
            if let Some(value) = value.filter(|value| *value < Decimal::ZERO) {
                self.push(&[path, &[key]].concat(), Some(&value.to_string()), "is negative; a cap is 0 or more");
            }
        }
    }
}

/// Numbers with a point and dates that are not written as strings.
fn not_exact(value: &Spanned<DeValue<'_>>, found: &mut Vec<(Range<usize>, String)>) {
    match value.get_ref() {
        DeValue::Float(number) => {
            found.push((value.span(), format!("is a floating-point number; write it in quotes: \"{}\"", shortened(number.as_str()))))
        }
        DeValue::Datetime(day) => found.push((value.span(), format!("is a TOML date; write it in quotes: \"{day}\""))),
        DeValue::Array(array) => array.iter().for_each(|value| not_exact(value, found)),
        DeValue::Table(table) => table.iter().for_each(|(_, value)| not_exact(value, found)),
        _ => {}
    }
}

fn worded(message: &str) -> String {
    match message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(key) => format!("the key `{key}` is missing; add it"),
        None => message.to_owned(),
    }
}

/// Takes an unknown key out of the table that `span` lies in and puts its value under the key `meant`, where that is free.
/// Where the unknown key stood.
fn correct(table: &mut DeTable<'_>, key: &str, span: Option<&Range<usize>>, meant: Option<&str>) -> Option<Range<usize>> {
    let found = table.iter().find(|(own, value)| {
        let matches = |span: &Range<usize>| value.span() == *span || contains(span, &own.span());
        own.get_ref().as_ref() == key && span.is_none_or(matches)
    });
    if let Some(own) = found.map(|(own, _)| own.clone()) {
        let value = table.remove(&own)?;
        if let Some(meant) = meant.filter(|meant| table.get(*meant).is_none()) {
            table.insert(Spanned::new(own.span(), Cow::Owned(meant.to_owned())), value);
        }
        return Some(own.span());
    }
    table.iter_mut().find_map(|(_, value)| correct_in(value, key, span, meant))
}

// The span of a table with a header is that of the header: its keys lie outside of it.

fn correct_in(value: &mut Spanned<DeValue<'_>>, key: &str, span: Option<&Range<usize>>, meant: Option<&str>) -> Option<Range<usize>> {
    let span = span.filter(|span| value.span() != **span);
    match value.get_mut() {
        DeValue::Table(table) => correct(table, key, span, meant),
        DeValue::Array(array) => array.iter_mut().find_map(|value| correct_in(value, key, span, meant)),
        _ => None,
    }
}

fn contains(outer: &Range<usize>, inner: &Range<usize>) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}
