//! The files of a new plugin: for each point the smallest implementation that does something sensible.

use attain_domain::point::Point;
use std::path::Path;

struct Template {
    /// The body of `src/lib.rs` after its first lines.
    code: &'static str,
    /// Lines of the manifest.
    manifest: &'static str,
    cases: &'static str,
}

pub fn files(name: &str, point: Point, sdk: &Path) -> [(&'static str, String); 6] {
    let template = template(point);
    let cargo = format!(
        r#"[package]
name = "{name}"
version = "0.1.0"
edition = "2024"
publish = false

[lib]
crate-type = ["cdylib", "rlib"]

[dependencies]
attain-sdk = {{ path = {sdk:?} }}
serde = {{ version = "1", features = ["derive"] }}

[workspace]

[profile.plugin]
inherits = "release"
opt-level = 3
lto = true
codegen-units = 1
panic = "abort"
strip = "debuginfo"
"#
    );
    let capabilities = if point == Point::Connector { "[\"http\"]" } else { "[]" };
    let manifest = format!(
        "name = \"{name}\"\nversion = \"0.1.0\"\npoint = \"{point}\"\ncontract = 1\ndescription = \"\"\ncapabilities = {capabilities}\n{}",
        template.manifest
    );
    let code = format!("//! The extension `{name}` for point `{point}`.\n\n{}", template.code);
    let readme = format!(
        "# {name}\n\nAn Attain extension for the point `{point}`.\n\n    attain plugin build .     # writes {name}.wasm, with attain.toml and cases.toml inside\n    \
         attain plugin test .      # builds it and runs the cases of cases.toml\n\n`src/lib.rs` holds the algorithm, `attain.toml` says what it is and \
         which settings it has,\n`cases.toml` holds inputs and the answers expected. A version with a red case is not activated.\n"
    );
    [
        ("Cargo.toml", cargo),
        ("attain.toml", manifest),
        ("cases.toml", template.cases.to_owned()),
        ("src/lib.rs", code),
        ("README.md", readme),
        (".gitignore", "/target\n".to_owned()),
    ]
}

const NO_SETTINGS: &str = "\n[settings]\ntype = \"object\"\nadditionalProperties = false\n";

fn template(point: Point) -> Template {
    match point {
        Point::Crediting => Template {
            code: r#"use attain_sdk::{CreditKind, Crediting, CreditingBatch, Credits};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    #[serde(default = "owner")]
    role: String,
}

fn owner() -> String {
    "owner".to_owned()
}

/// Gives the whole amount to the first claim of one role.
struct FirstClaim {
    role: String,
}

impl Crediting for FirstClaim {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        Ok(FirstClaim { role: settings.role })
    }

    fn credit(&mut self, batch: &CreditingBatch, credits: &mut Credits) -> Result<(), String> {
        let role = batch.role(&self.role);
        let rule = credits.rule("first-claim");
        for transaction in batch.iter() {
            let claim = transaction.claims().find(|claim| role.is_some() && claim.role_text() == role);
            if let (Some(payee), Some(amount)) = (claim.and_then(|claim| claim.payee()), transaction.amount()) {
                credits.credit(transaction.index(), payee, CreditKind::Direct, rule, amount, 100_000_000);
            }
        }
        Ok(())
    }
}

attain_sdk::register!(crediting: FirstClaim);
"#,
            manifest: r#"
# Columns not named here are not sent: that saves most of the time of a batch.
[reads]
transactions = ["amount", "claims_from", "claims_until"]
claims = ["role", "payee_id"]

[settings]
type = "object"
additionalProperties = false

[settings.properties.role]
description = "Whose claim counts."
type = "string"
default = "owner"
"#,
            cases: r#"[[cases]]
name = "the first owner gets all"

[cases.input.transactions]
transaction_id = ["t1", "t2"]
amount = ["100", "50"]
claims_from = ["0", "2"]
claims_until = ["2", "2"]

[cases.input.claims]
role = ["overlay", "owner"]
payee_id = ["ana", "bo"]

[cases.answer.credits]
row = ["0"]
payee_id = ["bo"]
amount = ["100"]
share = ["1"]
"#,
        },
        Point::Compensation => Template {
            code: r#"use attain_sdk::{Compensation, CompensationBatch, Earnings, Exact};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    #[serde(deserialize_with = "attain_sdk::exact::rate")]
    rate: i64,
}

/// Pays one rate on what was credited.
struct Flat {
    rate: i64,
}

impl Compensation for Flat {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        Ok(Flat { rate: settings.rate })
    }

    fn pay(&mut self, batch: &CompensationBatch, earnings: &mut Earnings) -> Result<(), String> {
        let label = earnings.label("flat");
        for row in batch.iter() {
            let credited = row.credited().unwrap_or(0);
            let amount = Exact::product(credited, self.rate);
            earnings.slice(row.index(), label, Exact::money(credited), Exact::rate(self.rate), amount)?;
            earnings.pay(row.index(), amount)?;
        }
        Ok(())
    }
}

attain_sdk::register!(compensation: Flat);
"#,
            manifest: "\n[settings]\ntype = \"object\"\nrequired = [\"rate\"]\nadditionalProperties = false\n\n[settings.properties.rate]\ndescription = \"Paid on what was credited, for example \\\"0.05\\\".\"\ntype = \"string\"\n",
            cases: r#"[[cases]]
name = "five per cent, rounded to the cent"
settings = { rate = "0.05" }

[cases.input.rows]
payee_id = ["ana"]
credited = ["100.50"]

[cases.input.rounding]
mode = ["half-up"]
step = ["0.01"]

[cases.answer.earnings]
amount = ["5.03"]

[cases.answer.slices]
amount = ["5.025"]
"#,
        },
        Point::Territory => Template {
            code: r#"use attain_sdk::{Assignments, Territory, TerritoryBatch};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {}

/// Gives every account that is not locked to the nearest territory.
struct Nearest;

impl Territory for Nearest {
    type Settings = Settings;

    fn configure(_: Settings) -> Result<Self, String> {
        Ok(Nearest)
    }

    fn assign(&mut self, batch: &TerritoryBatch, assignments: &mut Assignments) -> Result<(), String> {
        let present = batch.present();
        for account in batch.accounts.iter() {
            let place = |latitude: Option<i64>, longitude: Option<i64>| Some((i128::from(latitude?), i128::from(longitude?)));
            let here = place(account.latitude(), account.longitude());
            let nearest = batch.territories.iter().min_by_key(|territory| match (here, place(territory.latitude(), territory.longitude())) {
                (Some(here), Some(there)) => (here.0 - there.0).pow(2) + (here.1 - there.1).pow(2),
                _ => i128::MAX,
            });
            let kept = present[account.index()].filter(|_| account.locked() == Some(1));
            if let Some(territory) = kept.or(nearest.map(|territory| territory.index())) {
                assignments.assign(account.index(), territory);
            }
        }
        Ok(())
    }
}

attain_sdk::register!(territory: Nearest);
"#,
            manifest: NO_SETTINGS,
            cases: r#"[[cases]]
name = "the nearest territory, but a locked account stays"

[cases.input.accounts]
account_id = ["a", "b"]
latitude = ["10", "10"]
longitude = ["10", "10"]
territory_id = ["far", "far"]
locked = ["0", "1"]

[cases.input.territories]
territory_id = ["far", "near"]
latitude = ["50", "11"]
longitude = ["50", "11"]

[cases.answer.assignments]
account_id = ["a", "b"]
territory_id = ["near", "far"]
"#,
        },
        Point::Quota => Template {
            code: r#"use attain_sdk::{Quota, QuotaBatch, Quotas};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {}

/// The same for everybody in every period; what is left over goes to the first.
struct Even;

impl Quota for Even {
    type Settings = Settings;

    fn configure(_: Settings) -> Result<Self, String> {
        Ok(Even)
    }

    fn spread(&mut self, batch: &QuotaBatch, quotas: &mut Quotas) -> Result<(), String> {
        let count = i64::try_from(batch.nodes.len() * batch.periods.len()).map_err(|_| "too many quotas")?;
        if count == 0 {
            return Err("there is nobody to spread the total over".to_owned());
        }
        let step = batch.step.max(1);
        let part = batch.total / count / step * step;
        let mut rest = batch.total - part * count;
        for node in 0..batch.nodes.len() {
            for period in 0..batch.periods.len() {
                quotas.set(node, period, part + std::mem::take(&mut rest));
            }
        }
        Ok(())
    }
}

attain_sdk::register!(quota: Even);
"#,
            manifest: NO_SETTINGS,
            cases: r#"[[cases]]
name = "the parts sum to the total"

[cases.input.nodes]
payee_id = ["ana", "bo", "cy"]

[cases.input.periods]
period_id = ["q1"]

[cases.input.total]
amount = ["100"]
step = ["1"]

[cases.answer.quotas]
payee_id = ["ana", "bo", "cy"]
amount = ["34", "33", "33"]
"#,
        },
        Point::Kpi => Template {
            code: r#"use attain_sdk::{Kpi, KpiBatch, RoundingMode, Values};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {}

/// What was earned for each unit attained.
struct CostOfSales;

impl Kpi for CostOfSales {
    type Settings = Settings;

    fn configure(_: Settings) -> Result<Self, String> {
        Ok(CostOfSales)
    }

    fn measure(&mut self, batch: &KpiBatch, values: &mut Values) -> Result<(), String> {
        for row in batch.iter() {
            if let (Some(earned), Some(attained @ 1..)) = (row.earned(), row.attained()) {
                let rate = attain_sdk::exact::divide(i128::from(earned) * 100_000_000, i128::from(attained), RoundingMode::HalfEven);
                values.set(row.index(), i64::try_from(rate).ok());
            }
        }
        Ok(())
    }
}

attain_sdk::register!(kpi: CostOfSales);
"#,
            manifest: NO_SETTINGS,
            cases: r#"[[cases]]
name = "nothing attained has no figure"

[cases.input.rows]
payee_id = ["ana", "bo"]
attained = ["1000", "0"]
earned = ["50", "50"]

[cases.answer.values]
value = ["0.05", ""]
"#,
        },
        Point::Forecast => Template {
            code: r#"use attain_sdk::{Forecast, ForecastBatch, Forecasts};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {}

/// Each season repeats the last one; the interval is as wide as the values seen.
struct SeasonalNaive;

impl Forecast for SeasonalNaive {
    type Settings = Settings;

    fn configure(_: Settings) -> Result<Self, String> {
        Ok(SeasonalNaive)
    }

    fn forecast(&mut self, batch: &ForecastBatch, forecasts: &mut Forecasts) -> Result<(), String> {
        for series in &batch.series {
            let seen: Vec<i64> = series.values.iter().flatten().copied().collect();
            let season = batch.season.min(seen.len());
            for step in 1..=batch.steps {
                let value = if season == 0 { None } else { Some(seen[seen.len() - season + (step - 1) % season]) };
                forecasts.push(&series.id, step, value, seen.iter().min().copied(), seen.iter().max().copied());
            }
        }
        Ok(())
    }
}

attain_sdk::register!(forecast: SeasonalNaive);
"#,
            manifest: NO_SETTINGS,
            cases: r#"[[cases]]
name = "the last season comes again"

[cases.input.series]
series_id = ["s", "s", "s"]
value = ["1", "2", "3"]

[cases.input.horizon]
steps = ["3"]
season = ["2"]
coverage = ["0.8"]

[cases.answer.forecast]
step = ["1", "2", "3"]
value = ["2", "3", "2"]
"#,
        },
        Point::Insight => Template {
            code: r#"use attain_sdk::{Insight, InsightBatch, Insights};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {}

/// Points at pay without any credit.
struct PaidForNothing;

impl Insight for PaidForNothing {
    type Settings = Settings;

    fn configure(_: Settings) -> Result<Self, String> {
        Ok(PaidForNothing)
    }

    fn look(&mut self, batch: &InsightBatch, insights: &mut Insights) -> Result<(), String> {
        for row in batch.iter() {
            if row.credited().unwrap_or(0) == 0 && row.earned().unwrap_or(0) > 0 {
                insights.push(row.index(), "paid-without-credit", 100_000_000, "was paid although nothing was credited");
            }
        }
        Ok(())
    }
}

attain_sdk::register!(insight: PaidForNothing);
"#,
            manifest: NO_SETTINGS,
            cases: r#"[[cases]]
name = "pay without credit is pointed at"

[cases.input.rows]
payee_id = ["ana", "bo"]
credited = ["0", "100"]
earned = ["50", "50"]

[cases.answer.insights]
row = ["0"]
code = ["paid-without-credit"]
"#,
        },
        Point::Payout => Template {
            code: r#"use attain_sdk::{Payout, PayoutBatch, PayoutFile};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {}

/// Who gets how much, parted by semicolons.
struct WhoAndHowMuch;

impl Payout for WhoAndHowMuch {
    type Settings = Settings;

    fn configure(_: Settings) -> Result<Self, String> {
        Ok(WhoAndHowMuch)
    }

    fn lay_out(&mut self, batch: &PayoutBatch, file: &mut PayoutFile) -> Result<(), String> {
        file.delimiter = ';';
        file.columns(&["Employee", "Amount"]);
        for line in batch.iter() {
            file.push([line.payee_id(), line.shown()]);
        }
        Ok(())
    }
}

attain_sdk::register!(payout: WhoAndHowMuch);
"#,
            manifest: NO_SETTINGS,
            cases: r#"[[cases]]
name = "a line a payee"

[cases.input.lines]
payee_id = ["ana", "bo"]
shown = ["10.00", "20.50"]

[cases.answer.columns]
title = ["Employee", "Amount"]

[cases.answer.records]
c0 = ["ana", "bo"]
c1 = ["10.00", "20.50"]

[cases.answer.form]
delimiter = [";"]
"#,
        },
        Point::Connector => Template {
            code: r#"use attain_sdk::{Connector, Http, Page, Request};
use serde::Deserialize;

#[derive(Deserialize)]
struct Settings {
    url: String,
}

/// Reads one id a line from a page of plain text.
struct Lines {
    url: String,
}

impl Connector for Lines {
    type Settings = Settings;

    fn configure(settings: Settings) -> Result<Self, String> {
        if !settings.url.starts_with("https://") {
            return Err(format!("`{}` is not an https address", settings.url));
        }
        Ok(Lines { url: settings.url })
    }

    fn page(&mut self, request: &Request, http: &dyn Http) -> Result<Page, String> {
        let response = http.get(&self.url, &[("accept", "text/plain")])?;
        if response.status != 200 {
            return Err(format!("`{}` answered {}", self.url, response.status));
        }
        let text = String::from_utf8(response.body).map_err(|_| "the answer is not UTF-8 text")?;
        let id = format!("{}_id", request.entity.trim_end_matches('s'));
        let mut page = Page::new(&[&id]);
        for line in text.lines() {
            page.push([Some(line.to_owned())]);
        }
        Ok(page)
    }
}

attain_sdk::register!(connector: Lines);
"#,
            manifest: "hosts = [\"example.com\"]\n\n[settings]\ntype = \"object\"\nrequired = [\"url\"]\nadditionalProperties = false\n\n[settings.properties.url]\ntype = \"string\"\n",
            cases: r#"[[cases]]
name = "only https"
settings = { url = "ftp://example.com/accounts" }
refused = "not an https address"

[cases.input.request]
entity = ["accounts"]
"#,
        },
    }
}
