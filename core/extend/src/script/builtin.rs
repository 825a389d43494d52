//! The functions that scripts can call. One list serves rows and columns; the handbook page is `docs/formula-language.md`.
//!
//! To add one: write it here over single values, add its line to [`BUILTINS`] and to the page. Columns call it row by row; only
//! where that is too slow does `columnar` know it by name.

use super::host::{Host, Record, Trouble};
use super::value::{self, number, text};
use attain_domain::point::{FaultKind, Point};
use attain_domain::rate_table::{Key, NoMatch};
use attain_domain::{Rounding, RoundingMode};
use rhai::{Array, Dynamic, ImmutableString, Map};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

type Run = fn(&mut Host, &[&Dynamic]) -> Result<Dynamic, Trouble>;

pub(super) struct Builtin {
    pub name: &'static str,
    /// Names of the values that it takes.
    pub parameters: &'static [&'static str],
    /// A sentence for those who write scripts.
    pub doc: &'static str,
    /// The points where it makes sense; all where empty.
    points: &'static [Point],
    run: Run,
}

const fn builtin(name: &'static str, parameters: &'static [&'static str], doc: &'static str, run: Run) -> Builtin {
    Builtin { name, parameters, doc, points: &[], run }
}

const fn at(points: &'static [Point], name: &'static str, parameters: &'static [&'static str], doc: &'static str, run: Run) -> Builtin {
    Builtin { name, parameters, doc, points, run }
}

const PAY: &[Point] = &[Point::Compensation];
const CREDITING: &[Point] = &[Point::Crediting];

const PLAN_TABLE: &str = "The result of a table of the plan, by its name and a key for each of its dimensions; no value where no row matches and the table asks for a finding.";

pub(super) static BUILTINS: &[Builtin] = &[
    builtin("min", &["a", "b"], "The smaller of two numbers; no value where one of them has none.", |_, values| extreme(values, true)),
    builtin("min", &["a", "b", "c"], "The smallest of three numbers; no value where one of them has none.", |_, values| {
        extreme(values, true)
    }),
    builtin("max", &["a", "b"], "The larger of two numbers; no value where one of them has none.", |_, values| extreme(values, false)),
    builtin("max", &["a", "b", "c"], "The largest of three numbers; no value where one of them has none.", |_, values| {
        extreme(values, false)
    }),
    builtin("abs", &["x"], "The number without its sign.", |_, values| of_one(values, |number| Some(number.abs()))),
    builtin("floor", &["x"], "The next whole number below.", |_, values| of_one(values, |number| Some(number.floor()))),
    builtin("ceiling", &["x"], "The next whole number above.", |_, values| of_one(values, |number| Some(number.ceil()))),
    builtin("round", &["x"], "The nearest whole number; a tie goes to the even one.", |_, values| {
        of_one(values, |number| round(number, Decimal::ONE, RoundingMode::HalfEven))
    }),
    builtin(
        "round",
        &["x", "step"],
        "The nearest multiple of `step`, for example `round(x, 0.01)`; a tie goes to the even one.",
        |_, values| round_to(values, "half-even"),
    ),
    builtin(
        "round",
        &["x", "step", "mode"],
        "A multiple of `step`; `mode` is `half-even`, `half-up`, `half-down`, `up`, `down`, `ceiling` or `floor`.",
        |_, values| round_to(values, &text(values[2])?),
    ),
    builtin("int", &["x"], "The whole number that is left when the digits after the point are cut off.", |_, values| to_integer(values[0])),
    builtin("clamp", &["x", "low", "high"], "`x`, but not below `low` and not above `high`.", |_, values| {
        let upper = extreme(&[values[0], values[2]], true)?;
        extreme(&[&upper, values[1]], false)
    }),
    builtin("select", &["condition", "a", "b"], "`a` where the condition is true, else `b`; both are computed.", |_, values| {
        Ok(if value::flag(values[0])? { values[1].clone() } else { values[2].clone() })
    }),
    builtin("is_null", &["x"], "Whether `x` has no value.", |_, values| Ok(Dynamic::from_bool(values[0].is_unit()))),
    builtin("or", &["x", "default"], "`x`, or `default` where it has no value; of two conditions, whether one is true.", |_, values| {
        or(values[0], values[1])
    }),
    builtin("and", &["a", "b"], "Whether both conditions are true.", |_, values| {
        Ok(value::binary(value::Operator::And, values[0], values[1])?)
    }),
    builtin("not", &["a"], "Whether the condition is false.", |_, values| Ok(value::invert(values[0])?)),
    builtin("prorate", &["amount", "days", "of_days"], "`amount × days ÷ of_days`.", |_, values| prorate(values)),
    builtin(
        "lookup",
        &["table", "key", "default"],
        "The value of a table in the settings by its key, or `default` where there is none; of a table of the plan by name, with two keys.",
        |host, values| if is_name(values[0]) { plan_table(host, values) } else { lookup(values[0], values[1], values[2]) },
    ),
    at(PAY, "lookup", &["table", "a"], PLAN_TABLE, plan_table),
    at(PAY, "lookup", &["table", "a", "b", "c"], PLAN_TABLE, plan_table),
    at(PAY, "lookup", &["table", "a", "b", "c", "d"], PLAN_TABLE, plan_table),
    at(PAY, "lookup", &["table", "a", "b", "c", "d", "e"], PLAN_TABLE, plan_table),
    builtin("contains", &["list", "x"], "Whether a list, a map or a text contains `x`.", |_, values| {
        Ok(Dynamic::from_bool(contains(values[0], values[1])?))
    }),
    builtin("len", &["x"], "The number of values of a list or map, or of letters of a text.", |_, values| {
        length(values[0]).map(|length| Dynamic::from_int(length as i64))
    }),
    builtin("is_empty", &["x"], "Whether a list, a map or a text is empty or has no value.", |_, values| {
        length(values[0]).map(|length| Dynamic::from_bool(length == 0))
    }),
    builtin("keys", &["map"], "The keys of a map as a list.", |_, values| keys(values[0])),
    builtin("sum", &["list"], "The sum of the values of a list that have one.", |_, values| sum(values[0])),
    builtin("to_string", &["x"], "The value as text.", |_, values| Ok(Dynamic::from(value::show(values[0])))),
    builtin(
        "fail",
        &["text"],
        "Refuses the whole batch with this message; the run becomes incomplete and nothing is posted.",
        |_, values| Err(Trouble { kind: FaultKind::Refused, message: value::show(values[0]) }),
    ),
    builtin("log", &["text"], "A line in the run's log.", |host, values| {
        host.write_log(&value::show(values[0]));
        Ok(Dynamic::UNIT)
    }),
    builtin("rounded", &["x"], "`x` rounded as the component's `rounding` says.", |host, values| {
        let rounding = host.rounding();
        of_one(values, |number| rounding.apply(number))
    }),
    at(
        PAY,
        "tiers",
        &["to_date", "quota", "settings"],
        "What the tier table in the settings pays for `to_date`, with a slice for each tier.",
        |host, values| tiers(host, None, values[0], values[1], values[2], None),
    ),
    at(
        PAY,
        "tiers_between",
        &["prior", "to_date", "quota", "settings"],
        "What the tier table in the settings pays for the part from `prior` to `to_date`, with a slice for each tier.",
        |host, values| tiers(host, Some(values[0]), values[1], values[2], values[3], None),
    ),
    at(
        PAY,
        "tiers_between",
        &["prior", "to_date", "quota", "settings", "target"],
        "As with four values, the tiers paying shares of `target` for each whole quota.",
        |host, values| tiers(host, Some(values[0]), values[1], values[2], values[3], Some(values[4])),
    ),
    at(PAY, "slice", &["label", "input", "rate"], "`input × rate`, shown under that label on the statement.", slice),
    at(PAY, "explain", &["label", "amount"], "The amount as it is, shown under that label on the statement.", |host, values| {
        if let Some(amount) = number(values[1])? {
            host.slice(&text(values[0])?, amount, Decimal::ONE, amount)?;
        }
        Ok(values[1].clone())
    }),
    at(
        CREDITING,
        "claim",
        &["role"],
        "The first payee who claims the transaction in that role; `split` and `payee` are the transaction's own.",
        |host, values| Ok(value::of_text(host.claim(&text(values[0])?).as_ref())),
    ),
    at(CREDITING, "claim_count", &["role"], "How many payees claim the transaction in that role.", |host, values| {
        Ok(Dynamic::from_int(host.claim_count(&text(values[0])?) as i64))
    }),
    at(
        CREDITING,
        "claims",
        &["role"],
        "The claims of that role as a list of maps with `payee`, `share`, and what there is of `of`, `of_role`, `stage`, `from_on`.",
        |host, values| claims(host, values[0]),
    ),
    at(
        CREDITING,
        "credit",
        &["who", "amount", "kind", "rule", "share"],
        "Gives a credit; none where `who` or `amount` has no value. `kind` is `direct`, `split` or `overlay`.",
        |host, values| {
            let (Some(amount), Some(share), false) = (number(values[1])?, number(values[4])?, values[0].is_unit()) else {
                return Ok(Dynamic::UNIT);
            };
            host.credit(&text(values[0])?, amount, &text(values[2])?, &text(values[3])?, share)?;
            Ok(Dynamic::UNIT)
        },
    ),
    at(
        CREDITING,
        "credit_each",
        &["role", "amount", "kind", "rule", "share"],
        "Gives a credit to each claim of that role.",
        |host, values| {
            let (role, kind, rule) = (text(values[0])?, text(values[2])?, text(values[3])?);
            let (Some(amount), Some(share)) = (number(values[1])?, number(values[4])?) else { return Ok(Dynamic::UNIT) };
            for (payee, _) in host.claims(&role) {
                host.credit(&payee, amount, &kind, &rule, share)?;
            }
            Ok(Dynamic::UNIT)
        },
    ),
    at(
        CREDITING,
        "credit_split",
        &["role", "amount", "kind", "rule", "residue"],
        "Gives credits by the shares of the claims; `residue` is `largest-remainder` or `last`.",
        |host, values| {
            let (role, kind, rule, residue) = (text(values[0])?, text(values[2])?, text(values[3])?, text(values[4])?);
            if let Some(amount) = number(values[1])? {
                host.credit_split(&role, amount, &kind, &rule, &residue)?;
            }
            Ok(Dynamic::UNIT)
        },
    ),
    at(
        CREDITING,
        "credit_beside",
        &["name", "sellers", "amount", "share", "basis", "rule"],
        "Gives overlay credit to whoever stands under that name beside the sellers of that role; `basis` is `transaction` or `part`.",
        |host, values| {
            let (name, sellers, basis, rule) = (text(values[0])?, text(values[1])?, text(values[4])?, text(values[5])?);
            if let (Some(amount), Some(share)) = (number(values[2])?, number(values[3])?) {
                host.credit_beside(&name, &sellers, amount, share, &basis, &rule)?;
            }
            Ok(Dynamic::UNIT)
        },
    ),
    at(
        CREDITING,
        "credit_stages",
        &["by", "weights", "last_on", "amount", "rule"],
        "Gives split credit by who owned the deal in which stage; `by` is `stages`, with a table of weights, or `days`.",
        |host, values| {
            let (by, rule) = (text(values[0])?, text(values[4])?);
            let weight = |stage: &ImmutableString| {
                let found = lookup(values[1], &Dynamic::from(stage.clone()), &Dynamic::from_int(1))?;
                number(&found)?.ok_or_else(|| format!("stage `{stage}` has a weight without value").into())
            };
            if let (Some(last_on), Some(amount)) = (number(values[2])?.and_then(|day| day.to_i64()), number(values[3])?) {
                host.credit_stages(&by, weight, last_on, amount, &rule)?;
            }
            Ok(Dynamic::UNIT)
        },
    ),
    at(
        CREDITING,
        "credit_parts",
        &["parts", "amount", "kind", "rule"],
        "Gives credits by the weights of a list of maps with `payee` and `weight`; they sum to `amount`, one for each payee.",
        |host, values| {
            let parts = parts(values[0])?;
            if let Some(amount) = number(values[1])? {
                host.credit_parts(&parts, amount, &text(values[2])?, &text(values[3])?)?;
            }
            Ok(Dynamic::UNIT)
        },
    ),
];

impl Builtin {
    /// The number of values that it takes.
    pub fn arity(&self) -> usize {
        self.parameters.len()
    }

    pub fn find(name: &str, arity: usize) -> Option<&'static Builtin> {
        BUILTINS.iter().find(|builtin| builtin.name == name && builtin.arity() == arity)
    }

    pub fn call(&self, host: &mut Host, values: &[&Dynamic]) -> Result<Dynamic, Trouble> {
        if !self.is_at(host.point) {
            return Err(format!("`{}` is not available at point `{}`", self.name, host.point).into());
        }
        (self.run)(host, values)
    }

    /// Whether it neither depends on the row nor records anything.
    pub fn is_pure(&self) -> bool {
        self.points.is_empty() && !matches!(self.name, "log" | "rounded" | "fail")
    }

    pub fn is_at(&self, point: Point) -> bool {
        self.points.is_empty() || self.points.contains(&point)
    }
}

fn of_one(values: &[&Dynamic], apply: impl Fn(Decimal) -> Option<Decimal>) -> Result<Dynamic, Trouble> {
    let Some(number) = number(values[0])? else { return Ok(Dynamic::UNIT) };
    if values[0].is_int()
        && let Some(integer) = apply(number).and_then(|result| if result.fract().is_zero() { result.to_i64() } else { None })
    {
        return Ok(Dynamic::from_int(integer));
    }
    Ok(Dynamic::from_decimal(apply(number).ok_or_else(|| format!("`{number}` cannot be rounded to that step"))?))
}

fn extreme(values: &[&Dynamic], smaller: bool) -> Result<Dynamic, Trouble> {
    let mut best: Option<(Decimal, &Dynamic)> = None;
    for value in values {
        let Some(number) = number(value)? else { return Ok(Dynamic::UNIT) };
        let is_better = best.is_none_or(|(best, _)| if smaller { number < best } else { number > best });
        if is_better {
            best = Some((number, value));
        }
    }
    Ok(best.map_or(Dynamic::UNIT, |(_, value)| value.clone()))
}

fn round(number: Decimal, step: Decimal, mode: RoundingMode) -> Option<Decimal> {
    Rounding { mode, step }.apply(number)
}

fn round_to(values: &[&Dynamic], mode: &str) -> Result<Dynamic, Trouble> {
    let (mode, step) = rounding_of(mode, values[1])?;
    of_one(values, |number| round(number, step, mode))
}

/// A mode by its name and a step, which must be positive.
pub(super) fn rounding_of(mode: &str, step: &Dynamic) -> Result<(RoundingMode, Decimal), Trouble> {
    let parsed: RoundingMode = serde_json::from_value(serde_json::Value::String(mode.to_owned())).map_err(|_| {
        Trouble::from(format!("`{mode}` is no rounding mode; write one of half-even, half-up, half-down, up, down, ceiling, floor"))
    })?;
    match number(step)? {
        Some(step) if step > Decimal::ZERO => Ok((parsed, step)),
        _ => Err(format!("{} is no step to round to; write for example `0.01`", value::describe(step)).into()),
    }
}

fn to_integer(value: &Dynamic) -> Result<Dynamic, Trouble> {
    let Some(number) = number(value)? else { return Ok(Dynamic::UNIT) };
    number.trunc().to_i64().map(Dynamic::from_int).ok_or_else(|| format!("`{number}` does not fit an integer").into())
}

fn or(left: &Dynamic, right: &Dynamic) -> Result<Dynamic, Trouble> {
    if left.is_unit() {
        return Ok(right.clone());
    }
    if left.is_bool() {
        return Ok(value::binary(value::Operator::Or, left, right)?);
    }
    Ok(left.clone())
}

fn prorate(values: &[&Dynamic]) -> Result<Dynamic, Trouble> {
    let (Some(amount), Some(days), Some(of_days)) = (number(values[0])?, number(values[1])?, number(values[2])?) else {
        return Ok(Dynamic::UNIT);
    };
    let product = value::arithmetic(value::Operator::Multiply, amount, days)?;
    Ok(Dynamic::from_decimal(value::arithmetic(value::Operator::Divide, product, of_days)?))
}

fn lookup(table: &Dynamic, key: &Dynamic, default: &Dynamic) -> Result<Dynamic, Trouble> {
    if key.is_unit() {
        return Ok(default.clone());
    }
    if let Some(record) = table.read_lock::<Record>() {
        let name = value::show(key);
        return Ok(if record.has(&name) { record.get(&name) } else { default.clone() });
    }
    if let Some(map) = table.read_lock::<Map>() {
        return Ok(map.get(value::show(key).as_str()).cloned().unwrap_or_else(|| default.clone()));
    }
    if table.is_unit() {
        return Ok(default.clone());
    }
    Err(format!("`lookup` needs a table, not {}", value::describe(table)).into())
}

fn is_name(table: &Dynamic) -> bool {
    table.as_immutable_string_ref().is_ok()
}

/// Looks into a table that the component names in `tables`.
fn plan_table(host: &mut Host, values: &[&Dynamic]) -> Result<Dynamic, Trouble> {
    let name = text(values[0])?;
    let keys = values[1..].iter().map(|value| key_of(value)).collect::<Result<Vec<Key<'_>>, Trouble>>()?;
    let table = host.plan_table(&name)?;
    if keys.len() != table.dimensions.len() {
        let message = format!("table `{name}` has {} dimensions, {} keys are given", table.dimensions.len(), keys.len());
        return Err(message.into());
    }
    match (table.look(&keys), table.no_match) {
        (Some(looked), _) => Ok(Dynamic::from_decimal(looked.result)),
        (None, NoMatch::Zero) => Ok(Dynamic::from_int(0)),
        (None, NoMatch::Finding) => Ok(Dynamic::UNIT),
        (None, NoMatch::Error) => Err(format!("no row of table `{name}` holds what is looked up").into()),
    }
}

/// A number, a text, or a list of a node of a tree and its ancestors, nearest first.
fn key_of(value: &Dynamic) -> Result<Key<'static>, Trouble> {
    if value.is_unit() {
        return Ok(Key::Nothing);
    }
    if let Some(number) = value::as_number(value) {
        return Ok(Key::Number(number));
    }
    if let Some(nodes) = value.read_lock::<Array>() {
        return nodes.iter().map(|node| Ok(text(node)?.to_string())).collect::<Result<Vec<String>, Trouble>>().map(Key::OwnedLineage);
    }
    Ok(Key::Owned(text(value)?.to_string()))
}

fn contains(whole: &Dynamic, part: &Dynamic) -> Result<bool, Trouble> {
    if let Some(values) = whole.read_lock::<Array>() {
        return Ok(values
            .iter()
            .any(|value| value::binary(value::Operator::Equal, value, part).is_ok_and(|equal| equal.as_bool().unwrap_or_default())));
    }
    if let Some(record) = whole.read_lock::<Record>() {
        return Ok(record.has(&value::show(part)));
    }
    if let Some(map) = whole.read_lock::<Map>() {
        return Ok(map.contains_key(value::show(part).as_str()));
    }
    match whole.as_immutable_string_ref() {
        Ok(whole) => Ok(!part.is_unit() && whole.contains(&value::show(part))),
        Err(_) if whole.is_unit() => Ok(false),
        Err(_) => Err(format!("{} contains nothing", value::describe(whole)).into()),
    }
}

fn length(value: &Dynamic) -> Result<usize, Trouble> {
    if let Some(values) = value.read_lock::<Array>() {
        return Ok(values.len());
    }
    if let Some(map) = value.read_lock::<Map>() {
        return Ok(map.len());
    }
    if let Some(record) = value.read_lock::<Record>() {
        return Ok(record.names().count());
    }
    match value.as_immutable_string_ref() {
        Ok(text) => Ok(text.chars().count()),
        Err(_) if value.is_unit() => Ok(0),
        Err(_) => Err(format!("{} has no length", value::describe(value)).into()),
    }
}

fn keys(value: &Dynamic) -> Result<Dynamic, Trouble> {
    if let Some(map) = value.read_lock::<Map>() {
        return Ok(Dynamic::from_array(map.keys().map(|key| Dynamic::from(key.to_string())).collect()));
    }
    if let Some(record) = value.read_lock::<Record>() {
        return Ok(Dynamic::from_array(record.names().map(|name| Dynamic::from(name.clone())).collect()));
    }
    Err(format!("{} has no keys", value::describe(value)).into())
}

fn sum(values: &Dynamic) -> Result<Dynamic, Trouble> {
    let Some(values) = values.read_lock::<Array>() else {
        return Err(format!("`sum` needs a list, not {}", value::describe(values)).into());
    };
    let mut total = Dynamic::from_int(0);
    for value in values.iter().filter(|value| !value.is_unit()) {
        total = value::binary(value::Operator::Add, &total, value)?;
    }
    Ok(total)
}

fn claims(host: &Host, role: &Dynamic) -> Result<Dynamic, Trouble> {
    let maps = host.claims_in_full(&text(role)?).into_iter().map(|claim| {
        let mut map = Map::new();
        map.insert("payee".into(), Dynamic::from(claim.payee));
        map.insert("share".into(), value::of_number(claim.share));
        map.insert("of".into(), value::of_text(claim.of.as_ref()));
        map.insert("of_role".into(), value::of_text(claim.of_role.as_ref()));
        map.insert("stage".into(), value::of_text(claim.stage.as_ref()));
        map.insert("from_on".into(), claim.from_on.map_or(Dynamic::UNIT, Dynamic::from_int));
        Dynamic::from_map(map)
    });
    Ok(Dynamic::from_array(maps.collect()))
}

/// Payee and weight of each part; a part without one of them is none.
fn parts(list: &Dynamic) -> Result<Vec<(ImmutableString, Decimal)>, Trouble> {
    let Some(list) = list.read_lock::<Array>() else {
        return Err(format!("`credit_parts` needs a list, not {}", value::describe(list)).into());
    };
    let mut parts = Vec::with_capacity(list.len());
    for part in list.iter() {
        let Some(part) = part.read_lock::<Map>() else {
            return Err(format!("a part is a map with `payee` and `weight`, not {}", value::describe(part)).into());
        };
        let nothing = Dynamic::UNIT;
        let (payee, weight) = (part.get("payee").unwrap_or(&nothing), part.get("weight").unwrap_or(&nothing));
        if let (false, Some(weight)) = (payee.is_unit(), number(weight)?) {
            parts.push((text(payee)?, weight));
        }
    }
    Ok(parts)
}

fn slice(host: &mut Host, values: &[&Dynamic]) -> Result<Dynamic, Trouble> {
    let label: ImmutableString = text(values[0])?;
    let (Some(input), Some(rate)) = (number(values[1])?, number(values[2])?) else { return Ok(Dynamic::UNIT) };
    let amount = value::arithmetic(value::Operator::Multiply, input, rate)?;
    host.slice(&label, input, rate, amount)?;
    Ok(Dynamic::from_decimal(amount))
}

/// What the tier table in `settings` pays for the part from `prior` to `to_date`; with `target`, each slice in shares of it:
/// rate × target ÷ quota.
fn tiers(
    host: &mut Host,
    prior: Option<&Dynamic>,
    to_date: &Dynamic,
    quota: &Dynamic,
    settings: &Dynamic,
    target: Option<&Dynamic>,
) -> Result<Dynamic, Trouble> {
    let Some(record) = settings.read_lock::<Record>() else {
        return Err(format!("tiers are read from settings, not from {}", value::describe(settings)).into());
    };
    let table = record.tiers()?;
    let prior = prior.map_or(Ok(Some(Decimal::ZERO)), number)?;
    let (Some(prior), Some(to_date)) = (prior, number(to_date)?) else { return Ok(Dynamic::UNIT) };
    let quota = number(quota)?;
    let target = match target {
        None => None,
        Some(target) => match (number(target)?, quota.filter(|quota| *quota > Decimal::ZERO)) {
            (Some(target), Some(quota)) if !target.is_zero() => Some((target, quota)),
            _ => return Ok(Dynamic::from_int(0)),
        },
    };
    pay_tiers(host, table, prior, to_date, quota, target).map(Dynamic::from_decimal)
}

pub(super) fn pay_tiers(
    host: &mut Host,
    table: &attain_domain::tiers::TierTable,
    prior: Decimal,
    to_date: Decimal,
    quota: Option<Decimal>,
    target: Option<(Decimal, Decimal)>,
) -> Result<Decimal, Trouble> {
    let too_large = || Trouble::from(format!("what the tiers pay for `{to_date}` does not fit a decimal"));
    let paid = table.pay(prior, to_date, quota).ok_or_else(too_large)?;
    let scale = |amount: Decimal| match target {
        None => Some(amount),
        Some((target, quota)) => amount.checked_mul(target)?.checked_div(quota),
    };
    for slice in &paid.slices {
        let rate = scale(slice.rate).ok_or_else(too_large)?;
        host.slice(&slice.label, slice.input, rate, scale(slice.amount).ok_or_else(too_large)?)?;
    }
    scale(paid.amount).ok_or_else(too_large)
}
