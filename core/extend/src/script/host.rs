//! What a script can reach while it runs: the row it is at, its settings, the claims of a transaction, and where its slices,
//! credits and log lines go.

use attain_domain::point::{Call, FaultKind, Point};
use attain_domain::rate_table::RateTable;
use attain_domain::tiers::TierTable;
use attain_domain::{NULL_NUMBER, RATE_SCALE, Rounding, Table, TextColumn, fixed};
use rhai::{Dynamic, ImmutableString};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Why a builtin gave no value.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub kind: FaultKind,
    pub message: String,
}

impl From<String> for Trouble {
    fn from(message: String) -> Trouble {
        Trouble { kind: FaultKind::Trap, message }
    }
}

impl From<&str> for Trouble {
    fn from(message: &str) -> Trouble {
        Trouble::from(message.to_owned())
    }
}

/// Named values that scripts read and cannot change: settings and the objects within, or a row's `params` and `inputs`. A name that
/// is not there has no value.
#[derive(Debug, Clone)]
pub(super) struct Record(Arc<Fields>);

#[derive(Debug)]
struct Fields {
    values: BTreeMap<String, Dynamic>,
    json: serde_json::Value,
    tiers: OnceLock<Result<TierTable, String>>,
}

impl Record {
    pub fn from_json(json: &serde_json::Value) -> Record {
        let values = match json {
            serde_json::Value::Object(object) => object.iter().map(|(name, value)| (name.clone(), from_json(value))).collect(),
            _ => BTreeMap::new(),
        };
        Record(Arc::new(Fields { values, json: json.clone(), tiers: OnceLock::new() }))
    }

    pub fn from_values(values: BTreeMap<String, Dynamic>) -> Record {
        Record(Arc::new(Fields { values, json: serde_json::Value::Null, tiers: OnceLock::new() }))
    }

    pub fn get(&self, name: &str) -> Dynamic {
        self.0.values.get(name).cloned().unwrap_or(Dynamic::UNIT)
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.values.contains_key(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.0.values.keys()
    }

    /// These settings read as a tier table.
    pub fn tiers(&self) -> Result<&TierTable, String> {
        let parse = || {
            let table: TierTable = serde_json::from_value(self.0.json.clone()).map_err(|error| format!("no tier table: {error}"))?;
            match table.defects() {
                defects if defects.is_empty() => Ok(table),
                defects => Err(format!("the tier table is wrong: {}", defects.join("; "))),
            }
        };
        self.0.tiers.get_or_init(parse).as_ref().map_err(Clone::clone)
    }
}

/// Takes the tables of the plan out of settings; they stand there under `tables`.
pub(super) fn take_tables(settings: &serde_json::Value) -> Result<(serde_json::Value, BTreeMap<String, RateTable>), Trouble> {
    let mut rest = settings.clone();
    let mut tables = BTreeMap::new();
    if let Some(serde_json::Value::Object(given)) = rest.as_object_mut().and_then(|settings| settings.remove("tables")) {
        for (name, table) in given {
            let table: RateTable =
                serde_json::from_value(table).map_err(|error| Trouble::from(format!("`{name}` is no table of a plan: {error}")))?;
            if let Some(defect) = table.defects().first() {
                return Err(format!("table `{name}` is wrong: {defect}").into());
            }
            tables.insert(name, table);
        }
    }
    Ok((rest, tables))
}

/// Text that is a plain decimal becomes a number, as settings carry decimals as text.
pub(super) fn from_json(value: &serde_json::Value) -> Dynamic {
    match value {
        serde_json::Value::Null => Dynamic::UNIT,
        serde_json::Value::Bool(flag) => Dynamic::from_bool(*flag),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(integer) => Dynamic::from_int(integer),
            None => number.to_string().parse().map_or(Dynamic::UNIT, Dynamic::from_decimal),
        },
        serde_json::Value::String(text) => match text.parse::<Decimal>() {
            Ok(decimal) if text.starts_with(|first: char| first.is_ascii_digit() || first == '-') => Dynamic::from_decimal(decimal),
            _ => Dynamic::from(text.clone()),
        },
        serde_json::Value::Array(values) => Dynamic::from_array(values.iter().map(from_json).collect()),
        serde_json::Value::Object(_) => Dynamic::from(Record::from_json(value)),
    }
}

/// Distinct texts in order of their first use.
#[derive(Debug, Default)]
pub(super) struct Interner {
    dictionary: Vec<String>,
    index: HashMap<String, u32>,
}

impl Interner {
    pub fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.index.get(text) {
            return *code;
        }
        let code = self.dictionary.len() as u32;
        self.dictionary.push(text.to_owned());
        self.index.insert(text.to_owned(), code);
        code
    }
}

/// Texts with a code each, in the order in which they were given.
#[derive(Debug, Default)]
pub(super) struct CodedTexts {
    interner: Interner,
    codes: Vec<u32>,
}

impl CodedTexts {
    pub fn push(&mut self, text: &str) {
        let code = self.interner.code(text);
        self.codes.push(code);
    }

    pub fn push_code(&mut self, code: u32) {
        self.codes.push(code);
    }

    pub fn code(&mut self, text: &str) -> u32 {
        self.interner.code(text)
    }

    pub fn take(self, order: &[usize]) -> TextColumn {
        TextColumn { dictionary: self.interner.dictionary, codes: order.iter().map(|row| self.codes[*row]).collect() }.canonical()
    }
}

#[derive(Debug, Default)]
pub(super) struct Slices {
    pub rows: Vec<i64>,
    pub labels: CodedTexts,
    pub inputs: Vec<i64>,
    pub rates: Vec<i64>,
    pub amounts: Vec<i64>,
}

impl Slices {
    pub fn truncate(&mut self, count: usize) {
        self.rows.truncate(count);
        self.labels.codes.truncate(count);
        self.inputs.truncate(count);
        self.rates.truncate(count);
        self.amounts.truncate(count);
    }
}

#[derive(Debug, Default)]
pub(super) struct Credits {
    pub rows: Vec<i64>,
    pub payees: CodedTexts,
    pub kinds: CodedTexts,
    pub rules: CodedTexts,
    pub amounts: Vec<i64>,
    pub shares: Vec<i64>,
}

/// The claims of all transactions of a batch.
#[derive(Debug, Default)]
struct Claims {
    from: Vec<i64>,
    until: Vec<i64>,
    roles: Vec<u32>,
    role_names: Vec<String>,
    payees: Vec<u32>,
    payee_ids: Vec<ImmutableString>,
    shares: Vec<i64>,
    details: Details,
}

/// Columns of claims that are there only where the company has relationships or stages.
#[derive(Debug, Default)]
struct Details {
    of_payee: Option<TextColumn>,
    of_role: Option<TextColumn>,
    stage: Option<TextColumn>,
    from_on: Vec<i64>,
}

/// One claim as scripts see it.
#[derive(Debug)]
pub(super) struct Claim {
    pub payee: ImmutableString,
    pub share: Option<Decimal>,
    pub of: Option<ImmutableString>,
    pub of_role: Option<ImmutableString>,
    pub stage: Option<ImmutableString>,
    pub from_on: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Host {
    pub point: Point,
    pub row: usize,
    pub settings: Record,
    pub slices: Slices,
    pub credits: Credits,
    pub log: Vec<String>,
    /// Tables of the plan that the component names, by name.
    pub tables: BTreeMap<String, RateTable>,
    roundings: Vec<Rounding>,
    claims: Claims,
    answer_rows_max: usize,
}

const LOG_LINES_MAX: usize = 200;
const LOG_LINE_BYTES_MAX: usize = 1_000;

impl Host {
    pub fn new(point: Point, settings: Record, call: &Call<'_>, answer_rows_max: usize) -> Result<Host, Trouble> {
        let table = |name: &str| call.input.iter().find(|table| table.name == name);
        let roundings = table("rounding").map_or(Ok(Vec::new()), roundings)?;
        let claims = match (call.input.first(), table("claims")) {
            (Some(rows), Some(claims)) if point == Point::Crediting => Claims::new(rows, claims)?,
            _ => Claims::default(),
        };
        Ok(Host {
            point,
            row: 0,
            settings,
            slices: Slices::default(),
            credits: Credits::default(),
            log: Vec::new(),
            tables: BTreeMap::new(),
            roundings,
            claims,
            answer_rows_max,
        })
    }

    pub fn plan_table(&self, name: &str) -> Result<&RateTable, Trouble> {
        let known = || self.tables.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        self.tables.get(name).ok_or_else(|| {
            let advice =
                if self.tables.is_empty() { "name it in `tables` of the component".to_owned() } else { format!("there are {}", known()) };
            format!("there is no table `{name}`; {advice}").into()
        })
    }

    /// Forgets what was recorded, so that a second attempt starts anew.
    pub fn reset(&mut self) {
        self.slices = Slices::default();
        self.credits = Credits::default();
        self.log.clear();
        self.row = 0;
    }

    /// The rounding of the present row: the table has one row for each, or one for all.
    pub fn rounding(&self) -> Rounding {
        self.roundings.get(self.row).or(self.roundings.first()).copied().unwrap_or_default()
    }

    /// The rounding that all rows share.
    pub fn common_rounding(&self) -> Option<Rounding> {
        let first = self.roundings.first().copied().unwrap_or_default();
        self.roundings.iter().all(|rounding| *rounding == first).then_some(first)
    }

    pub fn write_log(&mut self, message: &str) {
        if self.log.len() < LOG_LINES_MAX {
            self.log.push(message.chars().take(LOG_LINE_BYTES_MAX).collect());
        }
    }

    fn check_answer_size(&self, rows: usize) -> Result<(), Trouble> {
        if rows >= self.answer_rows_max {
            return Err(Trouble {
                kind: FaultKind::OutputSize,
                message: format!("more than {} rows in the answer; record less per row", self.answer_rows_max),
            });
        }
        Ok(())
    }

    pub fn slice(&mut self, label: &str, input: Decimal, rate: Decimal, amount: Decimal) -> Result<(), Trouble> {
        let code = self.slices.labels.code(label);
        self.coded_slice(code, scaled(input)?, scaled(rate)?, scaled(amount)?)
    }

    /// The numbers at 10⁻⁸, the label as `slices.labels` codes it.
    pub fn coded_slice(&mut self, label: u32, input: i64, rate: i64, amount: i64) -> Result<(), Trouble> {
        self.check_answer_size(self.slices.rows.len())?;
        self.slices.rows.push(self.row as i64);
        self.slices.labels.push_code(label);
        self.slices.inputs.push(input);
        self.slices.rates.push(rate);
        self.slices.amounts.push(amount);
        Ok(())
    }

    /// Credits `who`; nobody and no amount is no credit.
    pub fn credit(&mut self, who: &str, amount: Decimal, kind: &str, rule: &str, share: Decimal) -> Result<(), Trouble> {
        if !matches!(kind, "direct" | "split" | "overlay") {
            return Err(format!("`{kind}` is no kind of credit; write `direct`, `split` or `overlay`").into());
        }
        let amount = fixed::from_decimal(amount, attain_domain::MONEY_SCALE)
            .ok_or_else(|| format!("the credit `{}` has more than 4 digits after the point; use `rounded(…)`", amount.normalize()))?;
        let share = fixed::from_decimal_rounded(share, RATE_SCALE).ok_or_else(|| format!("the share `{share}` is too large"))?;
        self.push_credit(who, amount, kind, rule, share)
    }

    fn push_credit(&mut self, who: &str, amount: i64, kind: &str, rule: &str, share: i64) -> Result<(), Trouble> {
        self.check_answer_size(self.credits.rows.len())?;
        self.credits.rows.push(self.row as i64);
        self.credits.payees.push(who);
        self.credits.kinds.push(kind);
        self.credits.rules.push(rule);
        self.credits.amounts.push(amount);
        self.credits.shares.push(share);
        Ok(())
    }

    /// The claims of that role on the present transaction, in their order.
    fn claims_of(&self, role: &str) -> impl Iterator<Item = usize> + use<> {
        let range = self.claims.range(self.row);
        let role = self.claims.role_names.iter().position(|name| name == role).map(|code| code as u32);
        let found: Vec<usize> = range.filter(|claim| role.is_some() && Some(self.claims.roles[*claim]) == role).collect();
        found.into_iter()
    }

    pub fn claim_count(&self, role: &str) -> usize {
        self.claims_of(role).count()
    }

    pub fn claim(&self, role: &str) -> Option<ImmutableString> {
        self.claims_of(role).find_map(|claim| self.payee_of(claim))
    }

    /// Payee and share of each claim of that role.
    pub fn claims(&self, role: &str) -> Vec<(ImmutableString, Option<Decimal>)> {
        self.claims_of(role)
            .filter_map(|claim| {
                let share = self.claims.shares[claim];
                let share = (share != NULL_NUMBER).then(|| fixed::to_decimal(share, RATE_SCALE));
                Some((self.payee_of(claim)?, share))
            })
            .collect()
    }

    /// The claims of that role with all that is known about them.
    pub fn claims_in_full(&self, role: &str) -> Vec<Claim> {
        let details = &self.claims.details;
        let text = |column: &Option<TextColumn>, claim: usize| column.as_ref()?.get(claim).map(ImmutableString::from);
        self.claims_of(role)
            .filter_map(|claim| {
                let share = self.claims.shares[claim];
                Some(Claim {
                    payee: self.payee_of(claim)?,
                    share: (share != NULL_NUMBER).then(|| fixed::to_decimal(share, RATE_SCALE)),
                    of: text(&details.of_payee, claim),
                    of_role: text(&details.of_role, claim),
                    stage: text(&details.stage, claim),
                    from_on: details.from_on.get(claim).copied().filter(|day| *day != NULL_NUMBER),
                })
            })
            .collect()
    }

    fn payee_of(&self, claim: usize) -> Option<ImmutableString> {
        self.claims.payee_ids.get(self.claims.payees[claim] as usize).cloned()
    }

    /// Credits `amount` by the shares of the claims of `role`. Shares that total one give parts that sum to the amount exactly: by
    /// largest remainder, or with the rest in the last part. Others give parts that are each rounded by themselves.
    pub fn credit_split(&mut self, role: &str, amount: Decimal, kind: &str, rule: &str, residue: &str) -> Result<(), Trouble> {
        let parts = self.claims(role);
        if parts.is_empty() {
            return Ok(());
        }
        let mut shares = Vec::with_capacity(parts.len());
        for (payee, share) in &parts {
            shares.push(share.ok_or_else(|| format!("the claim of `{payee}` as `{role}` has no share"))?);
        }
        let rounding = self.rounding();
        let total: Decimal = shares.iter().sum();
        let is_whole = total == Decimal::ONE && shares.iter().all(|share| !share.is_sign_negative() || share.is_zero());
        let too_large = || format!("a part of `{amount}` does not fit an amount");
        let whole = fixed::from_decimal(amount, attain_domain::MONEY_SCALE)
            .ok_or_else(|| format!("the amount `{}` has more than 4 digits after the point; use `rounded(…)`", amount.normalize()))?;
        let amounts = match residue {
            "largest-remainder" if is_whole => {
                let weights: Vec<i64> = shares.iter().filter_map(|share| fixed::from_decimal(*share, RATE_SCALE)).collect();
                let step = fixed::from_decimal(rounding.step, attain_domain::MONEY_SCALE).unwrap_or(1);
                fixed::split(whole, &weights, step)
            }
            "largest-remainder" | "last" => {
                let mut amounts = Vec::with_capacity(shares.len());
                for share in &shares {
                    let part = amount.checked_mul(*share).and_then(|part| rounding.apply(part));
                    amounts.push(part.and_then(|part| fixed::from_decimal(part, attain_domain::MONEY_SCALE)).ok_or_else(too_large)?);
                }
                if is_whole && let Some((last, others)) = amounts.split_last_mut() {
                    *last = whole - others.iter().sum::<i64>();
                }
                amounts
            }
            other => return Err(format!("`{other}` is no way to treat a residue; write `largest-remainder` or `last`").into()),
        };
        for (((payee, _), part), share) in parts.iter().zip(amounts).zip(shares) {
            self.credit(payee, fixed::to_decimal(part, attain_domain::MONEY_SCALE), kind, rule, share)?;
        }
        Ok(())
    }
}

impl Host {
    /// Credits, as overlay, whoever stands under `name` beside the sellers: all claims of `split`, else the first of the role. `share`
    /// counts where a relationship has none; of `part` it is a share of the parts of those beside whom the payee stands, and one credit.
    pub fn credit_beside(
        &mut self,
        name: &str,
        sellers: &str,
        amount: Decimal,
        share: Decimal,
        basis: &str,
        rule: &str,
    ) -> Result<(), Trouble> {
        if !matches!(basis, "transaction" | "part") {
            return Err(format!("`{basis}` is nothing a share can be of; write `transaction` or `part`").into());
        }
        if self.claim_count(name) == 0 {
            return Ok(());
        }
        let others = self.claims_in_full(name);
        let sellers_of: Vec<(ImmutableString, Decimal)> = match sellers {
            "split" => self.claims(sellers).into_iter().map(|(payee, share)| (payee, share.unwrap_or(Decimal::ZERO))).collect(),
            role => self.claim(role).into_iter().map(|payee| (payee, Decimal::ONE)).collect(),
        };
        let part_of = |other: &Claim| {
            let is_hers = |seller: &&(ImmutableString, Decimal)| other.of.as_ref() == Some(&seller.0);
            sellers_of.iter().find(is_hers).filter(|_| other.of_role.as_deref() == Some(sellers)).map(|(_, part)| *part)
        };
        // Payee and share, in the order of claims.
        let mut given: Vec<(ImmutableString, Decimal)> = Vec::new();
        // Beside whom a payee was counted already: two ways to the same seller are one.
        let mut counted: Vec<(&ImmutableString, Option<&ImmutableString>)> = Vec::new();
        for other in &others {
            let Some(part) = part_of(other) else { continue };
            let own = other.share.unwrap_or(share);
            if basis == "transaction" {
                given.push((other.payee.clone(), own));
            } else if !counted.contains(&(&other.payee, other.of.as_ref())) {
                counted.push((&other.payee, other.of.as_ref()));
                let own = own.checked_mul(part).ok_or_else(|| format!("the share `{own}` is too large"))?;
                match given.iter_mut().find(|(payee, _)| *payee == other.payee) {
                    Some((_, total)) => *total += own,
                    None => given.push((other.payee.clone(), own)),
                }
            }
        }
        for (payee, share) in given {
            let part = amount.checked_mul(share).and_then(|part| self.rounding().apply(part));
            let part = part.ok_or_else(|| format!("a part of `{amount}` does not fit an amount"))?;
            self.credit(&payee, part, "overlay", rule, share)?;
        }
        Ok(())
    }

    /// Credits `amount` by who owned it in which stage: `weight` of each stage, or the days until the next one and through `last_on`.
    pub fn credit_stages(
        &mut self,
        by: &str,
        weight: impl Fn(&ImmutableString) -> Result<Decimal, Trouble>,
        last_on: i64,
        amount: Decimal,
        rule: &str,
    ) -> Result<(), Trouble> {
        let stages = self.claims_in_full("stage");
        let mut parts = Vec::with_capacity(stages.len());
        for (place, stage) in stages.iter().enumerate() {
            let weight = match by {
                "stages" => weight(stage.stage.as_ref().unwrap_or(&ImmutableString::new()))?,
                "days" => {
                    let next = stages.get(place + 1).and_then(|next| next.from_on).unwrap_or(i64::MAX);
                    let from = stage.from_on.unwrap_or(i64::MAX);
                    Decimal::from(next.min(last_on.saturating_add(1)).saturating_sub(from).max(0))
                }
                other => return Err(format!("`{other}` is no way to divide by stages; write `stages` or `days`").into()),
            };
            parts.push((stage.payee.clone(), weight));
        }
        self.credit_parts(&parts, amount, "split", rule)
    }

    /// Credits `amount` by the weights of `parts`, so that the credits sum to it and their shares to one. Several parts of one payee
    /// are one credit; without any weight there is none.
    pub fn credit_parts(&mut self, parts: &[(ImmutableString, Decimal)], amount: Decimal, kind: &str, rule: &str) -> Result<(), Trouble> {
        let mut payees: Vec<&ImmutableString> = Vec::new();
        let mut weights: Vec<i64> = Vec::new();
        for (payee, weight) in parts {
            let weight = fixed::from_decimal_rounded(*weight, RATE_SCALE)
                .filter(|weight| *weight >= 0)
                .ok_or_else(|| format!("the weight `{}` of `{payee}` is negative or too large", weight.normalize()))?;
            let place = payees.iter().position(|own| *own == payee).unwrap_or_else(|| {
                payees.push(payee);
                weights.push(0);
                payees.len() - 1
            });
            weights[place] = weights[place].checked_add(weight).ok_or_else(|| format!("the weights of `{payee}` are too large"))?;
        }
        let with_weight: Vec<usize> = (0..weights.len()).filter(|place| weights[*place] > 0).collect();
        let payees: Vec<&ImmutableString> = with_weight.iter().map(|place| payees[*place]).collect();
        let weights: Vec<i64> = with_weight.iter().map(|place| weights[*place]).collect();
        let whole = fixed::from_decimal(amount, attain_domain::MONEY_SCALE)
            .ok_or_else(|| format!("the amount `{}` has more than 4 digits after the point; use `rounded(…)`", amount.normalize()))?;
        let step = fixed::from_decimal(self.rounding().step, attain_domain::MONEY_SCALE).unwrap_or(1);
        let shares = fixed::split(10i64.pow(u32::from(RATE_SCALE)), &weights, 1);
        for ((payee, part), share) in payees.into_iter().zip(fixed::split(whole, &weights, step)).zip(shares) {
            self.credit(payee, fixed::to_decimal(part, attain_domain::MONEY_SCALE), kind, rule, fixed::to_decimal(share, RATE_SCALE))?;
        }
        Ok(())
    }
}

fn scaled(value: Decimal) -> Result<i64, Trouble> {
    fixed::from_decimal_rounded(value, RATE_SCALE)
        .ok_or_else(|| format!("`{}` is too large for the trace, which keeps 8 digits after the point", value.normalize()).into())
}

fn roundings(table: &Table) -> Result<Vec<Rounding>, Trouble> {
    let Some(attain_domain::Column::Number { scale, values }) = table.column("step") else { return Ok(Vec::new()) };
    let modes = table.texts("mode");
    let read = |(row, step): (usize, &i64)| {
        let mode = modes.and_then(|modes| modes.get(row)).unwrap_or("half-even");
        let mode = serde_json::from_value(serde_json::Value::String(mode.to_owned()))
            .map_err(|_| Trouble::from(format!("`{mode}` is no rounding mode")))?;
        if *step == NULL_NUMBER {
            return Ok(Rounding { mode, ..Rounding::default() });
        }
        Ok(Rounding { mode, step: fixed::to_decimal(*step, *scale) })
    };
    values.iter().enumerate().map(read).collect()
}

impl Claims {
    fn new(transactions: &Table, claims: &Table) -> Result<Claims, Trouble> {
        let missing = |name: &str| Trouble::from(format!("the input has no column `{name}`"));
        let numbers = |table: &Table, name: &str| table.numbers(name).map(<[i64]>::to_vec).ok_or_else(|| missing(name));
        let roles = claims.texts("role").ok_or_else(|| missing("role"))?;
        let payees = claims.texts("payee_id").ok_or_else(|| missing("payee_id"))?;
        Ok(Claims {
            from: numbers(transactions, "claims_from")?,
            until: numbers(transactions, "claims_until")?,
            roles: roles.codes.clone(),
            role_names: roles.dictionary.clone(),
            payees: payees.codes.clone(),
            payee_ids: payees.dictionary.iter().map(ImmutableString::from).collect(),
            shares: numbers(claims, "share")?,
            details: Details {
                of_payee: claims.texts("of_payee_id").cloned(),
                of_role: claims.texts("of_role").cloned(),
                stage: claims.texts("stage").cloned(),
                from_on: claims.numbers("from_on").map(<[i64]>::to_vec).unwrap_or_default(),
            },
        })
    }

    fn range(&self, row: usize) -> Range<usize> {
        let bound = |values: &[i64]| values.get(row).map_or(0, |value| usize::try_from(*value).unwrap_or(0)).min(self.roles.len());
        let from = bound(&self.from);
        from..bound(&self.until).max(from)
    }
}
