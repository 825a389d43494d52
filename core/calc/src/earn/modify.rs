//! What becomes of a formula's result before it is trued up and capped: multipliers, gates, requirements, the floor, and paying once.
//! Each leaves a line in the trace.

use super::{Earning, Earnings};
use crate::Run;
use crate::earned::{Earned, first_counted};
use crate::earning_rows::{Fact, FactOf, NO_MEASURE, Rows};
use crate::lookup::ONE;
use crate::slices::{self, Basis};
use crate::spans::spans;
use crate::terms::Line;
use attain_domain::component::{Floor, FloorOn, JudgedBy, OncePer, Otherwise};
use attain_domain::fixed::{from_decimal_rounded, to_decimal};
use attain_domain::plan::{Accumulate, CapOf, Component};
use attain_domain::{MONEY_SCALE, NULL_CODE, NULL_NUMBER, RATE_SCALE, Severity};
use rust_decimal::Decimal;

/// Which measures a component looks at, over which spans, and who looks at which of them.
#[derive(Debug, Default)]
pub struct Looks {
    pub of: Vec<FactOf>,
    gates: Vec<Option<usize>>,
    multipliers: Vec<Option<usize>>,
    pub rank: Option<usize>,
    pub pool: Option<usize>,
}

impl Looks {
    /// `find` gives the number of a measure, or says that there is none and the component is not paid.
    pub fn new(component: &Component, mut find: impl FnMut(&str) -> Option<usize>) -> Option<Looks> {
        let mut looks = Looks::default();
        let mut look = |by: JudgedBy, measure: Option<&str>, over: Option<Accumulate>| {
            if by == JudgedBy::Earned {
                return Some(None);
            }
            let own = if by == JudgedBy::Attainment { component.quota.as_deref() } else { None };
            let id = measure.or(own).unwrap_or(&component.measure);
            let measure = if id.is_empty() { NO_MEASURE } else { find(id)? };
            let of = FactOf { measure, over: over.unwrap_or(component.accumulate) };
            let place = looks.of.iter().position(|own| *own == of).unwrap_or_else(|| {
                looks.of.push(of);
                looks.of.len() - 1
            });
            Some(Some(place))
        };
        let mut gates = Vec::new();
        for gate in &component.gates {
            gates.push(look(gate.by, gate.measure.as_deref(), gate.over)?);
        }
        let mut multipliers = Vec::new();
        for own in &component.multipliers {
            multipliers.push(look(own.by, own.measure.as_deref(), own.over)?);
        }
        let mut rank = None;
        if let Some(own) = &component.rank {
            rank = look(own.by, own.measure.as_deref(), None)?;
        }
        let mut pool = None;
        if let Some(own) = &component.pool {
            pool = look(JudgedBy::Value, own.measure.as_deref(), None)?;
        }
        Some(Looks { gates, multipliers, rank, pool, ..looks })
    }
}

/// What a component is judged against.
pub struct Judging<'a> {
    pub component: &'a Component,
    /// Results of earlier days do not count.
    pub since: Option<i32>,
    pub looks: &'a Looks,
    pub rows: &'a Rows,
    pub earned: &'a Earned,
    /// The code of the plan, and of a component by its id.
    pub plan: u32,
    pub code: &'a dyn Fn(&str) -> u32,
}

impl Earnings {
    /// A slice of the core's own: `before × rate`, which came to `amount`.
    fn scaled(&mut self, earning: u32, label: &str, before: i64, rate: Decimal, amount: i64) {
        if amount != 0 {
            self.explain_rate(earning, label, before, from_decimal_rounded(rate, RATE_SCALE).unwrap_or(NULL_NUMBER), amount);
        }
    }
}

/// Sets the results of the rows from `first` on, which are those of one part of a component in the order of its rows.
pub fn results(run: &mut Run<'_>, judging: &Judging<'_>, first: usize, draft: &mut Earnings) {
    let component = judging.component;
    if component.gates.is_empty() && component.multipliers.is_empty() && component.requires.is_empty() {
        return;
    }
    let mut unfit = Vec::new();
    for index in first..draft.rows.len() {
        match judging.result(run, index - first, index, draft) {
            Some(result) => draft.rows[index].result = result,
            None => unfit.push(draft.rows[index].payee),
        }
    }
    unfit.dedup();
    for payee in unfit {
        let name = run.book.payees.get(payee).to_owned();
        let message = format!("what `{}` pays does not fit; correct its multipliers", component.id);
        run.findings.add(Severity::Error, "overflow", "payees", &name, message);
    }
}

impl Judging<'_> {
    fn result(&self, run: &Run<'_>, place: usize, index: usize, draft: &mut Earnings) -> Option<i64> {
        let row = draft.rows[index];
        let mut amount = row.formula_amount;
        for (own, fact) in self.component.multipliers.iter().zip(&self.looks.multipliers) {
            let (value, quota) = self.judged(run, draft, &row, place, *fact, own.component.as_deref(), own.over);
            let position = match own.by {
                JudgedBy::Attainment if quota > 0 && quota != NULL_NUMBER => Decimal::from(value).checked_div(Decimal::from(quota)),
                JudgedBy::Attainment => None,
                _ => Some(to_decimal(value, MONEY_SCALE)),
            };
            let factor = own.factor(position)?;
            let after = self.scale(amount, factor)?;
            let name =
                own.measure.as_deref().or(own.component.as_deref()).or(self.component.quota.as_deref()).unwrap_or(&self.component.measure);
            draft.scaled(index as u32, &format!("multiplier {name}"), amount, factor - Decimal::ONE, after - amount);
            amount = after;
        }
        for (gate, fact) in self.component.gates.iter().zip(&self.looks.gates) {
            let (value, quota) = self.judged(run, draft, &row, place, *fact, gate.component.as_deref(), gate.over);
            let is_open = match gate.by {
                JudgedBy::Attainment => {
                    let needed = to_decimal(quota.max(0), MONEY_SCALE).checked_mul(gate.at_least)?;
                    quota > 0 && to_decimal(value, MONEY_SCALE) >= needed
                }
                _ => to_decimal(value, MONEY_SCALE) >= gate.at_least,
            };
            if is_open {
                continue;
            }
            let rate = match gate.otherwise {
                Otherwise::Zero => Decimal::ZERO,
                Otherwise::Rate => gate.rate.unwrap_or_default(),
            };
            let after = self.scale(amount, rate)?;
            let name = gate
                .measure
                .as_deref()
                .or(gate.component.as_deref())
                .or(self.component.quota.as_deref())
                .unwrap_or(&self.component.measure);
            draft.scaled(index as u32, &format!("gate {name}"), amount, rate - Decimal::ONE, after - amount);
            amount = after;
        }
        for other in &self.component.requires {
            let (value, _) = self.judged(run, draft, &row, place, None, Some(other), None);
            if value <= 0 {
                draft.explain(index as u32, &format!("requires {other}"), -amount);
                amount = 0;
            }
        }
        Some(amount)
    }

    fn scale(&self, amount: i64, factor: Decimal) -> Option<i64> {
        let exact = to_decimal(amount, MONEY_SCALE).checked_mul(factor)?;
        let scaled = from_decimal_rounded(self.component.rounding.apply(exact)?, MONEY_SCALE)?;
        (-super::AMOUNT_MAX..=super::AMOUNT_MAX).contains(&scaled).then_some(scaled)
    }

    /// The value that is judged, and the quota against it where it is a measure.
    #[expect(clippy::too_many_arguments, reason = "what is judged comes from two kinds of options that share no type")]
    fn judged(
        &self,
        run: &Run<'_>,
        draft: &Earnings,
        row: &Earning,
        place: usize,
        fact: Option<usize>,
        component: Option<&str>,
        over: Option<Accumulate>,
    ) -> (i64, i64) {
        if let Some(fact) = fact {
            let Fact { value, quota } = self.rows.facts[fact][place];
            return (value, quota);
        }
        let over = over.unwrap_or(self.component.accumulate);
        let start = first_counted(&run.book, spans(&run.book, over)[row.period as usize].0, over, self.since);
        let codes = (self.plan, (self.code)(component.unwrap_or_default()));
        (self.earned.sum(&draft.rows, codes, row.payee, (start, row.period as usize), NULL_CODE), NULL_NUMBER)
    }
}

/// Raises the results of the rows from `first` on, which are those of one component, to its floor. Where a period is cut, that is the floor
/// of what its slices come to together, as the last of them has it.
pub fn floors(line: &Line, first: usize, draft: &mut Earnings) {
    if line.parts.iter().all(|part| part.component.floor.is_none()) {
        return;
    }
    for index in first..draft.rows.len() {
        let row = draft.rows[index];
        let component = &line.parts[row.slice.part as usize].component;
        let Some(floor) = &component.floor else { continue };
        // What is trued up says what it came to so far; other slices are added up.
        let is_to_date = component.true_up && !slices::stands_alone(component);
        let goes_on = draft.rows.get(index + 1).is_some_and(|next| slices::are_one(&row, next));
        if goes_on && !is_to_date {
            continue;
        }
        let Some(least) = least(floor, component, &slices::basis(draft, first, index, component)) else { continue };
        let earlier = draft.rows[first..index].iter().rev().take_while(|other| !is_to_date && slices::are_one(other, &row));
        let sum = earlier.fold(row.result, |sum, other| sum.saturating_add(other.result));
        let after = match floor.on {
            FloorOn::Paying if sum > 0 => sum.max(least),
            FloorOn::Paying if sum < 0 => sum.min(-least),
            FloorOn::Paying => sum,
            FloorOn::All => sum.max(least),
        };
        draft.explain(index as u32, "floor", after - sum);
        draft.rows[index].result = row.result.saturating_add(after - sum);
    }
}

fn least(floor: &Floor, component: &Component, basis: &Basis) -> Option<i64> {
    let of = match floor.of {
        Some(CapOf::Target) => basis.target,
        Some(CapOf::Credited) => basis.credited.saturating_abs(),
        Some(CapOf::Quota) | None => basis.quota,
    };
    let exact = match (floor.amount, floor.rate) {
        (Some(amount), _) => amount,
        (None, Some(rate)) if of != NULL_NUMBER => to_decimal(of, MONEY_SCALE).checked_mul(rate)?,
        _ => return None,
    };
    from_decimal_rounded(component.rounding.apply(exact)?, MONEY_SCALE)
}

/// Pays the first result of a span that pays anything, by day and then by id. What is below zero takes back no more than was paid; when all
/// is taken back, the next one is the first again. The rows from `first` on are those of one component, in order of payee, period and slice.
pub fn once(run: &Run<'_>, line: &Line, first: usize, draft: &mut Earnings) {
    let component = |row: &Earning| &line.parts[row.slice.part as usize].component;
    let (periods, tested_on) = (&run.book.calendar.periods, &run.book.transactions.tested_on);
    let day = |row: &Earning| if row.transaction == NULL_CODE { row.slice.from } else { tested_on[row.transaction as usize] };
    let mut order: Vec<usize> = (first..draft.rows.len()).filter(|index| component(&draft.rows[*index]).once).collect();
    order.sort_by_key(|index| (draft.rows[*index].payee, draft.rows[*index].period, day(&draft.rows[*index]), *index));
    let mut paid = 0i64;
    let mut span: Option<(u32, &str)> = None;
    for index in order {
        let row = draft.rows[index];
        let year = match component(&row).once_per {
            OncePer::Year => periods[row.period as usize].year.as_str(),
            OncePer::Ever => "",
        };
        if span != Some((row.payee, year)) {
            span = Some((row.payee, year));
            paid = 0;
        }
        let given = if row.result < 0 {
            row.result.max(-paid)
        } else if paid == 0 {
            row.result
        } else {
            0
        };
        paid += given;
        draft.explain(index as u32, "paid once", given - row.result);
        draft.rows[index].result = given;
    }
}

/// The part of a result that lies above the hurdle, as `prior` and `to_date`.
pub fn hurdle(component: &Component, rows: &mut Rows) {
    use attain_domain::component::HurdleCounts;
    let Some(hurdle) = &component.hurdle else { return };
    let fixed = hurdle.amount.and_then(|amount| from_decimal_rounded(amount, MONEY_SCALE));
    let share = hurdle.share_of_quota.and_then(|share| from_decimal_rounded(share, RATE_SCALE));
    for row in 0..rows.len() {
        let quota = rows.quota[row];
        let height = match (fixed, share) {
            (Some(fixed), _) => Some(fixed),
            (None, Some(share)) if quota != NULL_NUMBER && quota > 0 => {
                let exact = attain_domain::fixed::divide(
                    i128::from(quota) * i128::from(share),
                    i128::from(ONE),
                    attain_domain::RoundingMode::HalfEven,
                );
                i64::try_from(exact).ok()
            }
            _ => None,
        };
        let above = |value: i64| match (height, hurdle.counts) {
            (None, _) => 0,
            (Some(height), HurdleCounts::Above) => value.saturating_sub(height).max(0),
            (Some(height), HurdleCounts::All) => {
                if value >= height {
                    value
                } else {
                    0
                }
            }
        };
        (rows.prior[row], rows.to_date[row]) = (above(rows.prior[row]), above(rows.to_date[row]));
    }
}
