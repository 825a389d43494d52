//! Small companies written as lines of `field=value`, and native extensions to calculate them with.

use attain_calc::{Inputs, Outcome, calculate, reference};
use attain_domain::fixed::{self, divide};
use attain_domain::ids::ExtensionDigest;
use attain_domain::plan::Plan;
use attain_domain::point::{Answer, Call, Extension, Extensions, Fault, FaultKind, Identity, Origin, Point};
use attain_domain::schema::{self, Kind};
use attain_domain::settings::Settings;
use attain_domain::tiers::TierTable;
use attain_domain::{Column, Day, NULL_NUMBER, Rounding, RoundingMode, Table, TextColumn};
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::sync::Arc;

pub const SETTINGS: &str = r#"
format = 1
name = "Small"
currency = "USD"
calendar = { pattern = "months", first = "2026-01-01", years = 1 }
measures = [{ id = "bookings" }]
[crediting]
rules = [{ extension = "credit-standard" }]
rollup = { mode = "gross" }
"#;

/// One column by kind of value, as the loader makes them.
fn column(kind: Kind, values: &[Option<&str>]) -> Column {
    let Some(scale) = kind.scale() else { return Column::text(values) };
    let number = |text: &str| match kind {
        Kind::Day => i64::from(text.parse::<Day>().unwrap_or_else(|()| panic!("`{text}` is no day")).0),
        Kind::Flag => i64::from(text == "true"),
        _ => fixed::parse(text, scale).unwrap_or_else(|| panic!("`{text}` is no number")),
    };
    Column::Number { scale, values: values.iter().map(|value| value.map_or(NULL_NUMBER, number)).collect() }
}

/// A table of the entity, a row a line: `payee_id=ana from_on=2026-01-01`.
pub fn table(entity: &str, lines: &[String]) -> Table {
    let known = schema::entity(entity).unwrap_or_else(|| panic!("`{entity}` is no entity"));
    let rows: Vec<BTreeMap<&str, &str>> =
        lines.iter().map(|line| line.split_whitespace().map(|pair| pair.split_once('=').expect("field=value")).collect()).collect();
    for field in rows.iter().flat_map(BTreeMap::keys) {
        assert!(known.field(field).is_some(), "`{entity}` has no field `{field}`");
    }
    known.fields.iter().filter(|field| rows.iter().any(|row| row.contains_key(field.name))).fold(Table::new(entity), |table, field| {
        table.with(field.name, column(field.kind, &rows.iter().map(|row| row.get(field.name).copied()).collect::<Vec<_>>()))
    })
}

#[derive(Debug, Clone)]
pub struct Company {
    pub settings: Settings,
    pub plans: Vec<Plan>,
    pub rows: BTreeMap<String, Vec<String>>,
    pub posted: Table,
}

impl Company {
    pub fn new(settings: &str, plans: &[&str]) -> Company {
        Company {
            settings: toml::from_str(settings).expect("settings"),
            plans: plans.iter().map(|plan| toml::from_str(plan).expect("a plan")).collect(),
            rows: BTreeMap::new(),
            posted: Table::new("postings"),
        }
    }

    pub fn add(mut self, entity: &str, lines: &str) -> Company {
        let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned);
        self.rows.entry(entity.to_owned()).or_default().extend(lines);
        self
    }

    pub fn inputs(&self) -> Inputs {
        Inputs {
            settings: self.settings.clone(),
            plans: self.plans.clone(),
            tables: self.rows.iter().map(|(entity, lines)| (entity.clone(), Arc::new(table(entity, lines)))).collect(),
            posted: self.posted.clone(),
            periods: None,
        }
    }

    pub fn run(&self) -> Outcome {
        run(&self.inputs())
    }
}

pub fn run(inputs: &Inputs) -> Outcome {
    calculate(inputs, &Native::default(), &mut |_| {})
}

/// The rows of a result as `a b c`, columns in the order asked for; no value is `-`.
pub fn rows(outcome: &Outcome, name: &str, columns: &str) -> Vec<String> {
    let table = outcome.table(name);
    let columns: Vec<&Column> =
        columns.split(' ').map(|column| table.column(column).unwrap_or_else(|| panic!("no column `{column}`"))).collect();
    (0..table.row_count())
        .map(|row| columns.iter().map(|column| column.show(row).unwrap_or_else(|| "-".to_owned())).collect::<Vec<_>>().join(" "))
        .collect()
}

pub fn codes(outcome: &Outcome) -> Vec<String> {
    rows(outcome, "findings", "severity code record")
}

type Body = fn(&Call<'_>) -> Result<Answer, Fault>;

pub struct NativeExtension(Identity, Body);

impl Extension for NativeExtension {
    fn identity(&self) -> &Identity {
        &self.0
    }

    fn run(&self, call: &Call<'_>) -> Result<Answer, Fault> {
        (self.1)(call)
    }
}

pub struct Native {
    bundled: reference::Native,
    own: Vec<NativeExtension>,
}

impl Default for Native {
    fn default() -> Self {
        let extension = |name: &str, point, body| {
            let digest = ExtensionDigest(format!("native-{name}"));
            NativeExtension(Identity { name: name.to_owned(), version: "1.0.0".to_owned(), point, origin: Origin::Rhai, digest }, body)
        };
        Native {
            bundled: reference::Native::default(),
            own: vec![
                extension("tiers", Point::Compensation, tiers as Body),
                extension("param-rate", Point::Compensation, param_rate),
                extension("half-cents", Point::Compensation, half_cents),
                extension("pool", Point::Compensation, |call| input(call, "inputs.pool")),
                extension("rank", Point::Compensation, |call| input(call, "inputs.rank")),
                extension("base", Point::Compensation, |call| input(call, "inputs.base")),
                extension("trap", Point::Compensation, trap),
                extension("own", Point::Crediting, own_payee),
                extension("each-claim", Point::Crediting, each_claim),
                extension("inventor", Point::Crediting, inventor),
                extension("short", Point::Crediting, short),
                extension("trap", Point::Crediting, trap),
            ],
        }
    }
}

impl Extensions for Native {
    fn get(&self, point: Point, name: &str) -> Result<&dyn Extension, Fault> {
        match self.own.iter().find(|own| own.0.point == point && own.0.name == name) {
            Some(own) => Ok(own),
            None => self.bundled.get(point, name),
        }
    }
}

fn trap(_: &Call<'_>) -> Result<Answer, Fault> {
    Err(Fault::new(FaultKind::Trap, "unreachable executed"))
}

fn credits(given: Vec<(usize, &str, &str, &str, i64)>) -> Answer {
    let text = |values: Vec<&str>| Column::text(&values.into_iter().map(Some).collect::<Vec<_>>());
    let table = Table::new("credits")
        .with("row", Column::integer(given.iter().map(|credit| credit.0 as i64).collect()))
        .with("payee_id", text(given.iter().map(|credit| credit.1).collect()))
        .with("kind", text(given.iter().map(|credit| credit.2).collect()))
        .with("rule", text(given.iter().map(|credit| credit.3).collect()))
        .with("amount", Column::money(given.iter().map(|credit| credit.4).collect()))
        .with("share", Column::rate(vec![100_000_000; given.len()]));
    Answer { tables: vec![table], log: vec![], fuel_used: given.len() as u64 }
}

/// The whole amount to the transaction's own payee; the answer comes in reverse order.
fn own_payee(call: &Call<'_>) -> Result<Answer, Fault> {
    let (transactions, claims) = (&call.input[0], &call.input[1]);
    let amounts = transactions.numbers("amount").expect("contract");
    let (starts, ends) = (transactions.numbers("claims_from").expect("contract"), transactions.numbers("claims_until").expect("contract"));
    let (roles, payees) = (claims.texts("role").expect("contract"), claims.texts("payee_id").expect("contract"));
    let claim = |row: usize| (starts[row] as usize..ends[row] as usize).find(|claim| roles.get(*claim) == Some("payee"));
    let given = (0..amounts.len()).rev().filter_map(|row| Some((row, payees.get(claim(row)?)?, "direct", "own", amounts[row])));
    Ok(credits(given.collect()))
}

/// A tenth of a tenth, as overlay, to each claim of the role in the settings; the rule names beside whom and in which stage.
fn each_claim(call: &Call<'_>) -> Result<Answer, Fault> {
    let (transactions, claims) = (&call.input[0], &call.input[1]);
    let amounts = transactions.numbers("amount").expect("contract");
    let (starts, ends) = (transactions.numbers("claims_from").expect("contract"), transactions.numbers("claims_until").expect("contract"));
    let role = call.settings["role"].as_str().expect("a role");
    let cell = |name: &str, claim: usize| claims.column(name).and_then(|column| column.show(claim)).unwrap_or_else(|| "-".to_owned());
    let mut given = Vec::new();
    for row in 0..amounts.len() {
        for claim in (starts[row] as usize..ends[row] as usize).filter(|claim| cell("role", *claim) == role) {
            let rule = ["of_payee_id", "of_role", "stage", "from_on", "share"].map(|name| cell(name, claim)).join("/");
            given.push((row, cell("payee_id", claim), rule, amounts[row] / 100));
        }
    }
    let given = given.iter().map(|(row, payee, rule, amount)| (*row, payee.as_str(), "overlay", rule.as_str(), *amount));
    Ok(credits(given.collect()))
}

fn inventor(call: &Call<'_>) -> Result<Answer, Fault> {
    Ok(credits(vec![(0, "mallory", "direct", "own", call.input[0].numbers("amount").expect("contract")[0])]))
}

fn short(call: &Call<'_>) -> Result<Answer, Fault> {
    let payee = call.input[1].texts("payee_id").and_then(|payees| payees.get(0)).expect("a claim");
    Ok(credits(vec![(0, payee, "direct", "own", call.input[0].numbers("amount").expect("contract")[0] - 1)]))
}

/// Row, label, input, rate and amount.
type Slice = (i64, String, Decimal, Decimal, Decimal);

fn earnings(amounts: Vec<i64>, slices: Vec<Slice>) -> Answer {
    let wide = |value: Decimal| fixed::from_decimal_rounded(value, 8).expect("fits");
    let rate = |of: &dyn Fn(&Slice) -> Decimal| Column::rate(slices.iter().map(|slice| wide(of(slice))).collect());
    let table = Table::new("slices")
        .with("row", Column::integer(slices.iter().map(|slice| slice.0).collect()))
        .with("label", Column::text(&slices.iter().map(|slice| Some(&slice.1)).collect::<Vec<_>>()))
        .with("input", rate(&|slice| slice.2))
        .with("rate", rate(&|slice| slice.3))
        .with("amount", rate(&|slice| slice.4));
    let earnings =
        Table::new("earnings").with("row", Column::integer((0..amounts.len() as i64).collect())).with("amount", Column::money(amounts));
    Answer { tables: vec![earnings, table], log: vec![], fuel_used: 1 }
}

/// The tier table of the settings, rounded half-even to the step.
fn tiers(call: &Call<'_>) -> Result<Answer, Fault> {
    let table: TierTable = serde_json::from_value(call.settings.clone()).expect("a tier table");
    let rows = &call.input[0];
    let (prior, to_date, quotas) =
        (rows.numbers("prior").expect("contract"), rows.numbers("to_date").expect("contract"), rows.numbers("quota").expect("contract"));
    let step = fixed::to_decimal(call.input[1].numbers("step").expect("contract")[0], 8);
    let (mut amounts, mut slices) = (vec![], vec![]);
    for row in 0..prior.len() {
        let quota = (quotas[row] != NULL_NUMBER).then(|| fixed::to_decimal(quotas[row], 4));
        let tiered = table.pay(fixed::to_decimal(prior[row], 4), fixed::to_decimal(to_date[row], 4), quota).expect("fits");
        let rounded = Rounding { mode: RoundingMode::HalfEven, step }.apply(tiered.amount).expect("fits");
        amounts.push(fixed::from_decimal(rounded, 4).expect("fits"));
        slices.extend(tiered.slices.into_iter().map(|slice| (row as i64, slice.label, slice.input, slice.rate, slice.amount)));
    }
    Ok(earnings(amounts, slices))
}

/// `credited × params.rate + inputs.extra`, where these are there.
fn param_rate(call: &Call<'_>) -> Result<Answer, Fault> {
    let rows = &call.input[0];
    let (credited, rates) = (rows.numbers("credited").expect("contract"), rows.numbers("params.rate").expect("a rate"));
    let extra = rows.numbers("inputs.extra");
    let amount = |row: usize| {
        let exact = i128::from(credited[row]) * i128::from(rates[row]);
        divide(exact, 10_000_000_000, RoundingMode::HalfEven) as i64 * 100 + extra.map_or(0, |extra| extra[row])
    };
    Ok(earnings((0..credited.len()).map(amount).collect(), vec![]))
}

/// An input as it is; nothing where it has no value.
fn input(call: &Call<'_>, name: &str) -> Result<Answer, Fault> {
    let values = call.input[0].numbers(name).ok_or_else(|| Fault::new(FaultKind::Refused, format!("there is no `{name}`")))?;
    Ok(earnings(values.iter().map(|value| if *value == NULL_NUMBER { 0 } else { *value }).collect(), vec![]))
}

fn half_cents(call: &Call<'_>) -> Result<Answer, Fault> {
    Ok(earnings(vec![50; call.input[0].row_count()], vec![]))
}

/// The same table with its rows and its dictionaries in another order.
pub fn shuffled(table: &Table, seed: u64) -> Table {
    let mut state = seed | 1;
    let mut next = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let mut permutation = |count: usize| {
        let mut order: Vec<usize> = (0..count).collect();
        for place in (1..count).rev() {
            order.swap(place, next(place + 1));
        }
        order
    };
    let order = permutation(table.row_count());
    let mut other = Table::new(&table.name);
    for (name, column) in &table.columns {
        let column = match column {
            Column::Number { scale, values } => Column::Number { scale: *scale, values: order.iter().map(|row| values[*row]).collect() },
            Column::Text(text) => {
                let places = permutation(text.dictionary.len());
                let mut inverse = vec![0u32; places.len()];
                for (place, entry) in places.iter().enumerate() {
                    inverse[*entry] = place as u32;
                }
                let code = |code: u32| inverse.get(code as usize).copied().unwrap_or(code);
                let mut dictionary: Vec<String> = places.iter().map(|entry| text.dictionary[*entry].clone()).collect();
                dictionary.push("zz-unused".to_owned());
                Column::Text(TextColumn { dictionary, codes: order.iter().map(|row| code(text.codes[*row])).collect() })
            }
        };
        other = other.with(name, column);
    }
    other
}
