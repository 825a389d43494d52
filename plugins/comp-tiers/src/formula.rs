//! What a formula pays for one row, in exact integers. Only the interpolated methods divide inside a formula; they do it in
//! the decimals that the server's own tables use, so that both stop at the same digit.

use crate::exact::{Fraction, MONEY_SCALE, RATE_SCALE, power};
use crate::settings::{Bound, By, FormulaName, Method, Negative, Pay, Settings};
use attain_sdk::{NULL, RoundingMode};
use rust_decimal::Decimal;

/// One row of the compensation contract; [`NULL`] is no value.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub credited: i64,
    pub prior: i64,
    pub to_date: i64,
    pub quota: i64,
    pub target: i64,
    /// `params.rate` and `params.bonus`, at 10⁻⁸.
    pub param_rate: i64,
    pub param_bonus: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    pub mode: RoundingMode,
    /// At 10⁻⁸.
    pub step: i64,
}

/// `labels` are indexes into [`Formula::labels`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paid {
    pub amounts: Vec<i64>,
    pub rows: Vec<i64>,
    pub labels: Vec<u32>,
    pub inputs: Vec<i64>,
    pub rates: Vec<i64>,
    pub slice_amounts: Vec<i64>,
}

/// A tier with its bounds at `Tiers::bound_scale` and its rate at `Tiers::rate_scale`.
#[derive(Debug, Clone, Copy)]
struct Tier {
    from: i128,
    until: Option<i128>,
    rate: i128,
}

#[derive(Debug, Clone)]
struct Tiers {
    method: Method,
    bound: Bound,
    by: By,
    negative: Negative,
    pay: Pay,
    bound_scale: u32,
    rate_scale: u32,
    /// 10^`bound_scale`: moves an amount to the scale of positions, which is that of amounts and of bounds together.
    lift: i128,
    base_rate: i128,
    base_lift: i128,
    tiers: Vec<Tier>,
    /// For the interpolated methods.
    decimals: Vec<DecimalTier>,
}

#[derive(Debug, Clone, Copy)]
struct DecimalTier {
    from: Decimal,
    until: Option<Decimal>,
    rate: Decimal,
    amount: Decimal,
}

#[derive(Debug, Clone, Copy)]
struct Number {
    mantissa: i128,
    scale: u32,
}

#[derive(Debug, Clone)]
enum Kind {
    Tiered(Tiers),
    Flat { rate: Option<Number> },
    ThresholdBonus { threshold: Number, strictly: bool, amount: Option<Number>, rate: Option<Number> },
}

#[derive(Debug, Clone)]
pub struct Formula {
    kind: Kind,
    pub labels: Vec<String>,
}

impl Formula {
    pub fn new(settings: &Settings) -> Result<Formula, String> {
        let defects = settings.defects();
        if !defects.is_empty() {
            return Err(defects.join("; "));
        }
        let number = |value: Decimal| Number { mantissa: value.mantissa(), scale: value.scale() };
        match settings.formula {
            FormulaName::Tiered => {
                let tiers = Tiers::new(settings).ok_or("a bound of `tiers` has too many digits")?;
                let labels = tiers.labels();
                Ok(Formula { kind: Kind::Tiered(tiers), labels })
            }
            FormulaName::Accelerator => {
                let tier =
                    |from, rate: Option<Decimal>| crate::settings::Tier { from, until: None, rate: rate.unwrap_or_default(), amount: None };
                let table = Settings {
                    formula: FormulaName::Tiered,
                    method: if settings.retroactive { Method::WholeAmount } else { Method::Marginal },
                    bound: Some(settings.bound.unwrap_or(Bound::UpperInclusive)),
                    by: By::Attainment,
                    tiers: vec![
                        tier(Decimal::ZERO, settings.rate),
                        tier(settings.threshold.unwrap_or(Decimal::ONE), settings.accelerated_rate),
                    ],
                    ..settings.clone()
                };
                Formula::new(&table)
            }
            FormulaName::Flat => Ok(Formula { kind: Kind::Flat { rate: settings.rate.map(number) }, labels: vec!["flat".to_owned()] }),
            FormulaName::ThresholdBonus => Ok(Formula {
                kind: Kind::ThresholdBonus {
                    threshold: number(settings.threshold.unwrap_or(Decimal::ONE)),
                    strictly: settings.strictly,
                    amount: settings.amount.map(number),
                    rate: settings.rate.map(number),
                },
                labels: vec!["bonus".to_owned()],
            }),
        }
    }

    /// Pays the rows in order. Errors name the row and what is missing or does not fit.
    pub fn pay(&self, rows: impl ExactSizeIterator<Item = Row>, rounding: impl Fn(usize) -> Rounding) -> Result<Paid, String> {
        let mut paid = Paid::default();
        paid.amounts.reserve(rows.len());
        for (index, row) in rows.enumerate() {
            let rounding = rounding(index);
            let too_large = || format!("what row {index} pays does not fit an amount; look at its result and its rates");
            let mut sink = Sink { row: index as i64, paid: &mut paid, total: Total::Whole(Fraction::new(0, 0)) };
            match &self.kind {
                Kind::Tiered(tiers) => tiers.pay(&row, &mut sink),
                Kind::Flat { rate } => {
                    let rate = if row.param_rate == NULL {
                        rate.ok_or_else(|| format!("row {index} has no rate; write `rate` in the settings or `params.rate`"))?
                    } else {
                        Number { mantissa: i128::from(row.param_rate), scale: RATE_SCALE }
                    };
                    sink.slice(0, Fraction::new(i128::from(value(row.credited)), MONEY_SCALE), Fraction::new(rate.mantissa, rate.scale))
                }
                Kind::ThresholdBonus { threshold, strictly, amount, rate } => {
                    threshold_bonus(&row, *threshold, *strictly, *amount, *rate, &mut sink)
                }
            }
            .ok_or_else(too_large)?;
            let amount = match sink.total {
                Total::Whole(total) => total.rounded_to_step(rounding.step, rounding.mode),
                Total::Decimal(total) => Fraction::new(total.mantissa(), total.scale()).rounded_to_step(rounding.step, rounding.mode),
            };
            paid.amounts.push(amount.ok_or_else(too_large)?);
        }
        Ok(paid)
    }
}

/// No value counts as zero, as everywhere in a formula.
fn value(number: i64) -> i64 {
    if number == NULL { 0 } else { number }
}

enum Total {
    Whole(Fraction),
    Decimal(Decimal),
}

/// Where the slices of one row go, and their exact sum.
struct Sink<'a> {
    row: i64,
    paid: &'a mut Paid,
    total: Total,
}

impl Sink<'_> {
    /// Adds `input × rate`. All slices of a row have one scale and one divisor.
    fn slice(&mut self, label: u32, input: Fraction, rate: Fraction) -> Option<()> {
        let amount = Fraction {
            numerator: input.numerator.checked_mul(rate.numerator)?,
            divisor: input.divisor.checked_mul(rate.divisor)?,
            scale: input.scale + rate.scale,
        };
        let sum = match self.total {
            Total::Whole(total) if total.numerator != 0 => amount.numerator.checked_add(total.numerator)?,
            _ => amount.numerator,
        };
        self.total = Total::Whole(Fraction { numerator: sum, ..amount });
        let rounded = |fraction: Fraction| fraction.rounded_to_scale(RATE_SCALE, RoundingMode::HalfEven);
        self.trace(label, rounded(input)?, rounded(rate)?, rounded(amount)?);
        Some(())
    }

    /// Adds `amount`, which is `input × rate`, to the total and to the trace what `scale` makes of both.
    fn decimal_slice(
        &mut self,
        label: u32,
        input: Decimal,
        rate: Decimal,
        amount: Decimal,
        scale: impl Fn(Decimal) -> Option<Decimal>,
    ) -> Option<()> {
        let sum = match self.total {
            Total::Decimal(total) => total.checked_add(amount)?,
            Total::Whole(_) => amount,
        };
        self.total = Total::Decimal(sum);
        self.trace(label, rate_number(input)?, rate_number(scale(rate)?)?, rate_number(scale(amount)?)?);
        Some(())
    }

    fn trace(&mut self, label: u32, input: i64, rate: i64, amount: i64) {
        self.paid.rows.push(self.row);
        self.paid.labels.push(label);
        self.paid.inputs.push(input);
        self.paid.rates.push(rate);
        self.paid.slice_amounts.push(amount);
    }
}

fn rate_number(value: Decimal) -> Option<i64> {
    Fraction::new(value.mantissa(), value.scale()).rounded_to_scale(RATE_SCALE, RoundingMode::HalfEven)
}

fn threshold_bonus(
    row: &Row,
    threshold: Number,
    strictly: bool,
    amount: Option<Number>,
    rate: Option<Number>,
    sink: &mut Sink<'_>,
) -> Option<()> {
    if row.quota == NULL || row.quota <= 0 {
        return Some(());
    }
    let reached = i128::from(value(row.to_date)).checked_mul(power(threshold.scale)?)?;
    let needed = i128::from(row.quota).checked_mul(threshold.mantissa)?;
    if reached < needed || (strictly && reached == needed) {
        return Some(());
    }
    let one = Fraction::new(1, 0);
    if row.param_bonus != NULL {
        sink.slice(0, one, Fraction::new(i128::from(row.param_bonus), RATE_SCALE))
    } else if let Some(amount) = amount {
        sink.slice(0, one, Fraction::new(amount.mantissa, amount.scale))
    } else if let Some(rate) = rate {
        sink.slice(0, Fraction::new(i128::from(value(row.target)), MONEY_SCALE), Fraction::new(rate.mantissa, rate.scale))
    } else {
        Some(())
    }
}

impl Tiers {
    fn new(settings: &Settings) -> Option<Tiers> {
        let ends = |tier: &crate::settings::Tier| [Some(tier.from), tier.until].into_iter().flatten().collect::<Vec<_>>();
        let base = settings.rate.unwrap_or_default();
        let bound_scale = settings.tiers.iter().flat_map(ends).map(|bound| bound.scale()).max().unwrap_or(0);
        let rate_scale = settings.tiers.iter().map(|tier| tier.rate.scale()).chain([base.scale()]).max().unwrap_or(0);
        let lift = power(bound_scale)?;
        let scaled = |value: Decimal, scale: u32| value.mantissa().checked_mul(power(scale.checked_sub(value.scale())?)?);
        let bounds_unit = match settings.by {
            By::Amount => power(MONEY_SCALE)?,
            By::Attainment => 1,
        };
        let mut tiers = Vec::with_capacity(settings.tiers.len());
        let mut decimals = Vec::with_capacity(settings.tiers.len());
        for (index, tier) in settings.tiers.iter().enumerate() {
            let until = tier.until.or_else(|| settings.tiers.get(index + 1).map(|next| next.from));
            let bound = |value: Decimal| scaled(value, bound_scale)?.checked_mul(bounds_unit);
            tiers.push(Tier {
                from: bound(tier.from)?,
                until: match until {
                    Some(until) => Some(bound(until)?),
                    None => None,
                },
                rate: scaled(tier.rate, rate_scale)?,
            });
            decimals.push(DecimalTier { from: tier.from, until, rate: tier.rate, amount: tier.amount.unwrap_or_default() });
        }
        Some(Tiers {
            method: settings.method,
            bound: settings.bound.unwrap_or(Bound::LowerInclusive),
            by: settings.by,
            negative: settings.negative,
            pay: settings.pay,
            bound_scale,
            rate_scale,
            lift,
            base_rate: scaled(base, rate_scale)?,
            base_lift: power(rate_scale)?,
            tiers,
            decimals,
        })
    }

    /// Code `i` is tier `i`, then come the labels that belong to no tier, then those of overage per tier.
    fn labels(&self) -> Vec<String> {
        let count = self.tiers.len();
        let mut labels: Vec<String> = (1..=count).map(|number| format!("tier {number}")).collect();
        labels.extend(["interpolated", "up to quota", "above quota"].map(str::to_owned));
        labels.extend((1..=count).map(|number| format!("above quota, tier {number}")));
        labels
    }

    fn pay(&self, row: &Row, sink: &mut Sink<'_>) -> Option<()> {
        let has_quota = row.quota != NULL && row.quota > 0;
        if !has_quota && (self.by == By::Attainment || self.pay == Pay::Target || self.method == Method::OverageMultiplier) {
            return Some(());
        }
        if self.pay == Pay::Target && (row.target == NULL || row.target == 0) {
            return Some(());
        }
        let (mut prior, mut to_date) = (value(row.prior), value(row.to_date));
        if self.negative == Negative::Zero {
            (prior, to_date) = (prior.max(0), to_date.max(0));
        }
        match self.method {
            Method::Marginal | Method::WholeAmount | Method::OverageMultiplier => self.pay_whole(row, prior, to_date, sink),
            Method::InterpolatedAmount | Method::InterpolatedRate => self.pay_decimal(row, prior, to_date, sink),
        }
    }

    fn pay_whole(&self, row: &Row, prior: i64, to_date: i64, sink: &mut Sink<'_>) -> Option<()> {
        let unit = if self.by == By::Attainment { i128::from(row.quota) } else { 1 };
        let prior = i128::from(prior).checked_mul(self.lift)?;
        let to_date = i128::from(to_date).checked_mul(self.lift)?;
        let position_scale = MONEY_SCALE + self.bound_scale;
        let (target, divisor) = match self.pay {
            Pay::Credited => (1, 1),
            Pay::Target => (i128::from(row.target), i128::from(row.quota)),
        };
        let mut push = |label: usize, input: i128, rate: i128, rate_scale: u32| {
            let rate = Fraction { numerator: rate.checked_mul(target)?, divisor, scale: rate_scale };
            sink.slice(label as u32, Fraction::new(input, position_scale), rate)
        };
        match self.method {
            Method::WholeAmount => {
                let Some(index) = self.reached(unit, to_date)? else { return Some(()) };
                push(index, to_date - prior, self.tiers[index].rate, self.rate_scale)
            }
            Method::OverageMultiplier => {
                let quota = i128::from(row.quota).checked_mul(self.lift)?;
                let count = self.tiers.len();
                let scale = 2 * self.rate_scale;
                let within = to_date.min(quota) - prior.min(quota);
                if within != 0 {
                    push(count + 1, within, self.base_rate.checked_mul(self.base_lift)?, scale)?;
                }
                let above = to_date.max(quota) - prior.max(quota);
                if above != 0 {
                    let position = if self.by == By::Attainment { to_date } else { to_date - quota };
                    let (label, multiplier) = match self.reached(unit, position)? {
                        Some(index) => (count + 3 + index, self.tiers[index].rate),
                        None => (count + 2, self.base_lift),
                    };
                    push(label, above, self.base_rate.checked_mul(multiplier)?, scale)?;
                }
                Some(())
            }
            _ => {
                for (index, tier) in self.tiers.iter().enumerate() {
                    let from = tier.from.checked_mul(unit)?;
                    let until = match tier.until {
                        Some(until) => until.checked_mul(unit)?,
                        None => i128::MAX,
                    };
                    // Tiers ascend: nothing lies in this one or in those after it.
                    let is_open_below = index == 0 && tier.from == 0;
                    if !is_open_below && prior <= from && to_date <= from {
                        break;
                    }
                    let clamp = |position: i128| {
                        let position = position.min(until);
                        if is_open_below { position } else { position.max(from) }
                    };
                    let input = clamp(to_date) - clamp(prior);
                    if input != 0 {
                        push(index, input, tier.rate, self.rate_scale)?;
                    }
                }
                Some(())
            }
        }
    }

    /// Index of the tier that `position` belongs to. The outer `None`: does not fit.
    fn reached(&self, unit: i128, position: i128) -> Option<Option<usize>> {
        for (index, tier) in self.tiers.iter().enumerate() {
            let from = tier.from.checked_mul(unit)?;
            let until = match tier.until {
                Some(until) => Some(until.checked_mul(unit)?),
                None => None,
            };
            let is_open_below = index == 0 && tier.from == 0 && position <= 0;
            let is_inside = match self.bound {
                Bound::LowerInclusive => (from <= position || is_open_below) && until.is_none_or(|until| position < until),
                Bound::UpperInclusive => (from < position || is_open_below) && until.is_none_or(|until| position <= until),
            };
            if is_inside {
                return Some(Some(index));
            }
        }
        Some(None)
    }

    fn pay_decimal(&self, row: &Row, prior: i64, to_date: i64, sink: &mut Sink<'_>) -> Option<()> {
        let money = |number: i64| Decimal::new(number, MONEY_SCALE).normalize();
        let (prior, to_date) = (money(prior), money(to_date));
        let unit = if self.by == By::Attainment { money(row.quota) } else { Decimal::ONE };
        let mut bounds = Vec::with_capacity(self.decimals.len());
        for tier in &self.decimals {
            let until = match tier.until {
                Some(until) => Some(until.checked_mul(unit)?),
                None => None,
            };
            bounds.push((tier, tier.from.checked_mul(unit)?, until));
        }
        let scale = |value: Decimal| match self.pay {
            Pay::Credited => Some(value),
            Pay::Target => value.checked_mul(money(row.target))?.checked_div(money(row.quota)),
        };
        if self.method == Method::InterpolatedRate {
            // Divided last, so that what comes to a whole step is one.
            let input = to_date.checked_sub(prior)?;
            let (mut rate, mut amount) = (Decimal::ZERO, Decimal::ZERO);
            for (tier, from, until) in &bounds {
                let (part, whole) = filled_part(*from, *until, to_date)?;
                let filled = tier.rate.checked_mul(part)?;
                rate = rate.checked_add(filled.checked_div(whole)?)?;
                let own = filled.checked_mul(input).and_then(|own| own.checked_div(whole));
                amount = amount.checked_add(own.or_else(|| filled.checked_div(whole)?.checked_mul(input))?)?;
            }
            sink.decimal_slice(self.tiers.len() as u32, input, rate, amount, scale)?;
        } else {
            for (index, (tier, from, until)) in bounds.iter().enumerate() {
                let (now, before) = (filled_part(*from, *until, to_date)?, filled_part(*from, *until, prior)?);
                // Both are of the same whole, or filled or empty.
                let whole = if now.1 == Decimal::ONE { before.1 } else { now.1 };
                let of = |(part, own): (Decimal, Decimal)| if own == whole { Some(part) } else { part.checked_mul(whole) };
                let part = of(now)?.checked_sub(of(before)?)?;
                if !part.is_zero() {
                    let amount = part.checked_mul(tier.amount)?.checked_div(whole)?;
                    sink.decimal_slice(index as u32, part.checked_div(whole)?, tier.amount, amount, scale)?;
                }
            }
        }
        if let Total::Decimal(total) = sink.total {
            sink.total = Total::Decimal(scale(total)?);
        }
        Some(())
    }
}

/// The part of a tier that lies below `position`, and the whole that it is a part of. A tier without end is filled as soon as it is entered.
fn filled_part(from: Decimal, until: Option<Decimal>, position: Decimal) -> Option<(Decimal, Decimal)> {
    if position <= from {
        return Some((Decimal::ZERO, Decimal::ONE));
    }
    match until {
        Some(until) if position < until => Some((position.checked_sub(from)?, until.checked_sub(from)?)),
        _ => Some((Decimal::ONE, Decimal::ONE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Label, input, rate, amount.
    type Slice = (String, i64, i64, i64);

    const CENTS: Rounding = Rounding { mode: RoundingMode::HalfEven, step: 1_000_000 };

    fn scaled(text: &str, scale: u32) -> i64 {
        if text.is_empty() {
            return NULL;
        }
        let value: Decimal = text.parse().expect("a decimal");
        Fraction::new(value.mantissa(), value.scale()).rounded_to_scale(scale, RoundingMode::HalfEven).expect("fits")
    }

    fn row(prior: &str, to_date: &str, quota: &str) -> Row {
        let (prior, to_date) = (scaled(prior, 4), scaled(to_date, 4));
        Row { credited: to_date - prior, prior, to_date, quota: scaled(quota, 4), target: NULL, param_rate: NULL, param_bonus: NULL }
    }

    fn pay_row(settings: &str, row: Row, rounding: Rounding) -> Result<(i64, Vec<Slice>), String> {
        let settings: Settings = serde_json::from_str(settings).map_err(|error| error.to_string())?;
        let formula = Formula::new(&settings)?;
        let paid = formula.pay([row].into_iter(), |_| rounding)?;
        let slices = (0..paid.rows.len())
            .map(|index| {
                (formula.labels[paid.labels[index] as usize].clone(), paid.inputs[index], paid.rates[index], paid.slice_amounts[index])
            })
            .collect();
        Ok((paid.amounts[0], slices))
    }

    fn paid(settings: &str, prior: &str, to_date: &str, quota: &str) -> i64 {
        pay_row(settings, row(prior, to_date, quota), CENTS).expect("pays").0
    }

    const MARGINAL: &str =
        r#"{"by":"attainment","tiers":[{"from":"0","rate":"0.04"},{"from":"0.5","rate":"0.06"},{"from":"1","rate":"0.09"}]}"#;

    #[test]
    fn marginal_parts_add_up_whatever_the_cuts() {
        assert_eq!(paid(MARGINAL, "0", "1500", "1000"), scaled("95", 4));
        let parts = paid(MARGINAL, "0", "300", "1000") + paid(MARGINAL, "300", "900", "1000") + paid(MARGINAL, "900", "1500", "1000");
        assert_eq!(parts, scaled("95", 4));
        let (_, slices) = pay_row(MARGINAL, row("0", "600", "1000"), CENTS).expect("pays");
        assert_eq!(
            slices,
            [
                ("tier 1".to_owned(), scaled("500", 8), scaled("0.04", 8), scaled("20", 8)),
                ("tier 2".to_owned(), scaled("100", 8), scaled("0.06", 8), scaled("6", 8)),
            ]
        );
    }

    #[test]
    fn a_tie_goes_where_the_mode_says_after_all_slices_are_added() {
        // 0.50 at 3 % and 1.00 at 2 % are 0.035: rounded by themselves they would be 0.02 and 0.02.
        let settings = r#"{"tiers":[{"from":"0","rate":"0.03"},{"from":"0.5","rate":"0.02"}]}"#;
        let at = |mode| pay_row(settings, row("0", "1.5", ""), Rounding { mode, ..CENTS }).expect("pays").0;
        assert_eq!(at(RoundingMode::HalfEven), scaled("0.04", 4));
        assert_eq!(at(RoundingMode::HalfDown), scaled("0.03", 4));
        let even = r#"{"tiers":[{"from":"0","rate":"0.05"}]}"#;
        assert_eq!(paid(even, "0", "0.5", ""), scaled("0.02", 4));
        assert_eq!(paid(even, "0", "-0.5", ""), scaled("-0.02", 4));
        assert_eq!(paid(even, "0", "0.7", ""), scaled("0.04", 4));
    }

    #[test]
    fn a_result_on_the_bound_goes_where_the_option_says() {
        let json = |bound: &str| {
            format!(
                r#"{{"method":"whole-amount","bound":"{bound}","tiers":[{{"from":"0","rate":"0.05"}},{{"from":"10000","rate":"0.08"}}]}}"#
            )
        };
        assert_eq!(paid(&json("lower-inclusive"), "0", "10000", ""), scaled("800", 4));
        assert_eq!(paid(&json("upper-inclusive"), "0", "10000", ""), scaled("500", 4));
        assert_eq!(paid(&json("upper-inclusive"), "0", "10000.25", ""), scaled("800.02", 4));
    }

    #[test]
    fn reversals_cancel_unless_negative_results_pay_nothing() {
        let json = r#"{"tiers":[{"from":"0","rate":"0.05"},{"from":"100","rate":"0.1"}]}"#;
        assert_eq!(paid(json, "0", "-900", ""), scaled("-45", 4));
        assert_eq!(paid(json, "0", "250", "") + paid(json, "250", "0", ""), 0);
        let zero = r#"{"negative":"zero","tiers":[{"from":"0","rate":"0.05"}]}"#;
        assert_eq!(paid(zero, "0", "-900", ""), 0);
        assert_eq!(paid(zero, "100", "-900", ""), scaled("-5", 4));
    }

    #[test]
    fn a_hole_pays_nothing() {
        let json = r#"{"method":"whole-amount","tiers":[{"from":"15000","until":"16000","rate":"0.2"}]}"#;
        assert_eq!([paid(json, "0", "5", ""), paid(json, "0", "15500", ""), paid(json, "0", "17000", "")], [0, scaled("3100", 4), 0]);
        let marginal = r#"{"tiers":[{"from":"10","until":"20","rate":"0.1"},{"from":"30","rate":"0.2"}]}"#;
        assert_eq!(paid(marginal, "0", "40", ""), scaled("3", 4));
    }

    #[test]
    fn interpolated_amounts_pay_the_filled_part_of_a_tier() {
        let json = r#"{"method":"interpolated-amount","by":"attainment","tiers":[{"from":"0.5","until":"1","amount":"1000"},{"from":"1","until":"1.3","amount":"900"}]}"#;
        assert_eq!(paid(json, "0", "75", "100"), scaled("500", 4));
        assert_eq!(paid(json, "0", "110", "100"), scaled("1300", 4));
        assert_eq!(paid(json, "75", "200", "100"), scaled("1400", 4));
        assert_eq!(paid(json, "0", "110", ""), 0);
    }

    #[test]
    fn an_interpolated_rate_holds_for_the_whole_result() {
        let json = r#"{"method":"interpolated-rate","tiers":[{"from":"0","until":"100","rate":"0.04"},{"from":"100","until":"200","rate":"0.02"}]}"#;
        let (amount, slices) = pay_row(json, row("0", "150", ""), CENTS).expect("pays");
        assert_eq!(
            (amount, slices),
            (scaled("7.5", 4), vec![("interpolated".to_owned(), scaled("150", 8), scaled("0.05", 8), scaled("7.5", 8))])
        );
    }

    #[test]
    fn overage_takes_one_multiplier_for_all_of_it() {
        let json = r#"{"method":"overage-multiplier","by":"attainment","rate":"0.05","tiers":[{"from":"1","rate":"1.5"},{"from":"1.2","rate":"2"}]}"#;
        assert_eq!(paid(json, "0", "110", "100"), scaled("5.75", 4));
        assert_eq!(paid(json, "0", "130", "100"), scaled("8", 4));
        assert_eq!(paid(json, "0", "130", ""), 0);
        let (_, slices) = pay_row(json, row("0", "130", "100"), CENTS).expect("pays");
        assert_eq!(slices.iter().map(|slice| slice.0.as_str()).collect::<Vec<_>>(), ["up to quota", "above quota, tier 2"]);
    }

    #[test]
    fn tiers_can_pay_parts_of_the_target() {
        let json = r#"{"by":"attainment","pay":"target","tiers":[{"from":"0","rate":"1"},{"from":"1","rate":"2"}]}"#;
        let at = |target: &str| pay_row(json, Row { target: scaled(target, 4), ..row("0", "120", "90") }, CENTS).expect("pays").0;
        // Attainment 4/3: one target and two thirds of it.
        assert_eq!(at("1000"), scaled("1666.67", 4));
        assert_eq!(at(""), 0);
    }

    #[test]
    fn flat_takes_the_rate_of_the_payee_before_that_of_the_settings() {
        let json = r#"{"formula":"flat","rate":"0.025"}"#;
        assert_eq!(paid(json, "100", "300.2", ""), scaled("5", 4));
        let own = Row { param_rate: scaled("0.1", 8), ..row("0", "300", "") };
        assert_eq!(pay_row(json, own, CENTS).expect("pays").0, scaled("30", 4));
        assert!(pay_row(r#"{"formula":"flat"}"#, row("0", "1", ""), CENTS).is_err_and(|message| message.contains("`params.rate`")));
    }

    #[test]
    fn a_bonus_is_paid_from_the_threshold_on_or_only_above_it() {
        let json = |strictly: bool| format!(r#"{{"formula":"threshold-bonus","threshold":"0.9","amount":"500","strictly":{strictly}}}"#);
        assert_eq!([paid(&json(false), "0", "89.9999", "100"), paid(&json(false), "0", "90", "100")], [0, scaled("500", 4)]);
        assert_eq!([paid(&json(true), "0", "90", "100"), paid(&json(true), "0", "90.0001", "100")], [0, scaled("500", 4)]);
        assert_eq!([paid(&json(false), "0", "90", ""), paid(&json(false), "0", "90", "0")], [0, 0]);
        let of_target = r#"{"formula":"threshold-bonus","rate":"0.25"}"#;
        let reached = Row { target: scaled("1000", 4), ..row("0", "100", "100") };
        assert_eq!(pay_row(of_target, reached, CENTS).expect("pays").0, scaled("250", 4));
        assert_eq!(pay_row(of_target, Row { param_bonus: scaled("77", 8), ..reached }, CENTS).expect("pays").0, scaled("77", 4));
    }

    #[test]
    fn an_accelerator_is_marginal_or_goes_back_to_the_first_credit() {
        let json = |retroactive: bool| {
            format!(r#"{{"formula":"accelerator","rate":"0.05","accelerated_rate":"0.1","threshold":"1","retroactive":{retroactive}}}"#)
        };
        assert_eq!(paid(&json(false), "0", "150", "100"), scaled("10", 4));
        assert_eq!(paid(&json(true), "0", "150", "100"), scaled("15", 4));
        assert_eq!(paid(&json(true), "0", "100", "100"), scaled("5", 4));
    }

    #[test]
    fn defects_and_floats_are_named() {
        let refused = |json: &str| pay_row(json, row("0", "1", "1"), CENTS).err().unwrap_or_default();
        assert!(refused(r#"{"tiers":[{"from":"5"},{"from":"5"}]}"#).contains("tier 2 starts at or before tier 1"));
        assert_eq!(refused(r#"{"tiers":[]}"#), "", "no tiers pay nothing");
        assert!(refused(r#"{"tiers":[{"from":0.5}]}"#).contains("write it in quotes"));
        assert!(refused(r#"{"method":"interpolated-amount","tiers":[{"from":"0"}]}"#).contains("no `amount`"));
        assert!(refused(r#"{"formula":"accelerator","rate":"1","threshold":"0"}"#).contains("`threshold`"));
    }

    #[test]
    fn what_does_not_fit_is_refused_by_row() {
        let json = r#"{"tiers":[{"from":"0","rate":"90000000000"}]}"#;
        assert!(pay_row(json, row("0", "90000000000", ""), CENTS).is_err_and(|message| message.contains("row 0")));
    }

    #[test]
    fn steps_of_half_a_franc_and_no_rounding_at_all() {
        let json = r#"{"tiers":[{"from":"0","rate":"0.1"}]}"#;
        let at = |step: &str| {
            pay_row(json, row("0", "10.2345", ""), Rounding { mode: RoundingMode::HalfUp, step: scaled(step, 8) }).expect("pays").0
        };
        assert_eq!([at("0.05"), at("0.5"), at("0")], [scaled("1", 4), scaled("1", 4), scaled("1.0234", 4)]);
    }
}
