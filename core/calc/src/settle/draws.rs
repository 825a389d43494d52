//! Draws and guarantees of a payee, and the chain of balances from period to period.

use crate::Run;
use crate::lookup::{ONE, Step};
use crate::spans::{Assignment, assigned_days, last_assigned};
use attain_domain::fixed::{divide, from_decimal_rounded};
use attain_domain::plan::Proration;
use attain_domain::settlement::{Draw, DrawEnd, DrawPays};
use attain_domain::{MONEY_SCALE, RATE_SCALE, RoundingMode};
use std::ops::Range;

/// One draw of one payee.
#[derive(Debug, Clone)]
pub struct DrawTerms {
    pub plan: u32,
    pub component: u32,
    pays: DrawPays,
    pub recoverable: bool,
    /// By period: what it guarantees or advances; `None` where it is not in force.
    amounts: Vec<Option<i64>>,
    recovery: Range<usize>,
    share: Option<i64>,
    at_end: DrawEnd,
}

impl DrawTerms {
    /// Floors before what comes on top of them, guarantees before draws, then by plan and id.
    pub fn place(&self) -> (bool, bool, u32, u32) {
        (self.pays == DrawPays::OnTop, self.recoverable, self.plan, self.component)
    }

    /// In force in these periods at most.
    pub fn only(mut self, in_force: impl Fn(usize) -> bool) -> DrawTerms {
        for (period, amount) in self.amounts.iter_mut().enumerate() {
            *amount = amount.filter(|_| in_force(period));
        }
        self
    }

    /// With the amounts of earlier terms where these have none.
    pub fn with_amounts_of(mut self, earlier: &DrawTerms) -> DrawTerms {
        for (own, before) in self.amounts.iter_mut().zip(&earlier.amounts) {
            *own = own.or(*before);
        }
        self
    }
}

/// What a period brings in, or what was posted for it already.
#[derive(Debug, Clone)]
pub enum Due {
    /// Released for payment, and beside it by draw what guarantees pay: they are not taken for what is owed.
    Open { released: i128, guaranteed: Vec<i128> },
    /// Posted: changes of the carried balance and of each draw's, and what was paid.
    Frozen { carried: i128, draws: Vec<i128>, paid: i128 },
}

/// What a period makes of it. `due + guarantees = paid + carried + draws` (all of them changes).
#[derive(Debug, Clone, Default)]
pub struct Settled {
    pub carried: i128,
    /// By draw; negative where it was drawn.
    pub draws: Vec<i128>,
    /// By draw: what a guarantee adds. Only where guarantees are asked for.
    pub guarantees: Vec<i128>,
    /// By draw: what need not be given back any more.
    pub forgiven: Vec<i128>,
    pub paid: i128,
}

/// The draw of a plan for a payee, by period. `None` where an amount of it does not fit.
pub fn terms(
    run: &Run<'_>,
    draw: &Draw,
    codes: (u32, u32),
    assignments: &[Assignment],
    params: &dyn Fn(&str, i32) -> Option<i64>,
    until: usize,
) -> Option<DrawTerms> {
    let book = &run.book;
    let periods = &book.calendar.periods;
    let first = (0..periods.len()).find(|period| assigned_days(assignments, book, *period) > 0);
    let step = Step::new(&run.inputs.settings.rounding);
    // No amount at all is `Some(None)`.
    let amount = |period: usize| -> Option<Option<i64>> {
        let Some(((day, assignment), first)) = last_assigned(assignments, book, period).zip(first) else { return Some(None) };
        if draw.periods.is_some_and(|count| period - first >= count as usize) {
            return Some(None);
        }
        let own = draw.param.as_deref().and_then(|name| params(name, day)).map(|value| value / 10_000);
        let amount = match (own, draw.rate, assignment.target, draw.amount) {
            (Some(own), ..) => own,
            (None, Some(rate), Some(target), _) => step.scale(target, from_decimal_rounded(rate, RATE_SCALE)?)?,
            (None, .., Some(amount)) => from_decimal_rounded(amount, MONEY_SCALE)?,
            (None, ..) => return Some(None),
        };
        Some(Some(match draw.prorate {
            Proration::None => amount,
            Proration::CalendarDays => {
                let days = i128::from(assigned_days(assignments, book, period));
                let all = i128::from(periods[period].days().max(1)) * i128::from(step.step);
                i64::try_from(divide(i128::from(amount) * days, all, step.mode) * i128::from(step.step)).ok()?
            }
        }))
    };
    let start = first.unwrap_or(0).saturating_add(draw.recover_after as usize);
    Some(DrawTerms {
        plan: codes.0,
        component: codes.1,
        pays: draw.pays,
        recoverable: draw.recoverable,
        amounts: (0..until).map(amount).collect::<Option<_>>()?,
        recovery: start..draw.recover_for.map_or(usize::MAX, |count| start.saturating_add(count as usize)),
        share: draw.recover_share.and_then(|share| from_decimal_rounded(share, RATE_SCALE)),
        at_end: draw.at_end,
    })
}

/// Whether any of the periods of a draw is in force.
pub fn is_in_force(terms: &DrawTerms) -> bool {
    terms.amounts.iter().any(Option::is_some)
}

/// Goes through the periods in order: what is owed is taken from what is due, draws are given and recovered. With `guarantee`, draws that
/// need not be given back are computed; without, they are known. Draws are in the order of [`DrawTerms::place`].
pub fn chain(due: &[Due], draws: &[DrawTerms], guarantee: bool) -> Vec<Settled> {
    let mut carried = 0i128;
    let mut owed = vec![0i128; draws.len()];
    let mut steps = Vec::with_capacity(due.len());
    for (period, due) in due.iter().enumerate() {
        let mut step =
            Settled { draws: vec![0; draws.len()], guarantees: vec![0; draws.len()], forgiven: vec![0; draws.len()], ..Settled::default() };
        match due {
            Due::Frozen { carried: change, draws: changes, paid } => {
                step.carried = *change;
                step.draws.clone_from(changes);
                step.paid = *paid;
            }
            Due::Open { released, guaranteed } => {
                let known = if guarantee { None } else { Some(guaranteed.as_slice()) };
                settle(period, *released, carried, &owed, draws, known, &mut step);
            }
        }
        carried += step.carried;
        for (owed, change) in owed.iter_mut().zip(&step.draws) {
            *owed -= change;
        }
        steps.push(step);
    }
    steps
}

fn settle(period: usize, due: i128, carried: i128, owed: &[i128], draws: &[DrawTerms], guaranteed: Option<&[i128]>, step: &mut Settled) {
    let mut rest = carried + due;
    if rest < 0 {
        step.carried = rest - carried;
        rest = 0;
    } else {
        step.carried = -carried;
    }
    for (at, draw) in draws.iter().enumerate().filter(|(_, draw)| draw.recoverable) {
        if owed[at] > 0 && draw.recovery.contains(&period) {
            let most = draw.share.map_or(rest, |share| divide(rest * i128::from(share), i128::from(ONE), RoundingMode::Down));
            let taken = owed[at].min(most);
            rest -= taken;
            step.draws[at] += taken;
            if draw.at_end == DrawEnd::Forgive && period + 1 == draw.recovery.end {
                step.forgiven[at] = owed[at] - taken;
                step.draws[at] += step.forgiven[at];
            }
        } else if owed[at] < 0 {
            // A correction gave back more than was owed: it is paid out.
            rest -= owed[at];
            step.draws[at] += owed[at];
        }
    }
    for (at, draw) in draws.iter().enumerate() {
        if let Some(known) = guaranteed.filter(|_| !draw.recoverable) {
            rest += known.get(at).copied().unwrap_or(0);
            continue;
        }
        let Some(amount) = draw.amounts.get(period).copied().flatten().map(i128::from) else { continue };
        let given = match draw.pays {
            DrawPays::Floor => (amount - rest).max(0),
            DrawPays::OnTop => amount,
        };
        rest += given;
        if draw.recoverable {
            step.draws[at] -= given;
        } else {
            step.guarantees[at] = given;
        }
    }
    step.paid = rest;
}
