//! What a batch takes and what it leaves, payee by payee, and in which parts a payment is converted. Pure: postings in, lines out.

use attain_domain::payouts::{Flag, OnDecrease, PayoutRate, Payouts, Standing, rerun};
use attain_store::payouts::Posting;
use std::collections::{BTreeMap, BTreeSet};

/// What becomes of a payee. `left` is due to her and not in the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settled {
    pub claims: Vec<Posting>,
    pub left: i64,
    pub state: &'static str,
    pub flags: BTreeSet<Flag>,
}

/// The sum; `None` where it does not fit.
pub(super) fn total<'a>(postings: impl IntoIterator<Item = &'a Posting>) -> Option<i64> {
    let sum: i128 = postings.into_iter().map(|own| i128::from(own.amount)).sum();
    i64::try_from(sum).ok().filter(|sum| *sum != i64::MIN)
}

/// Groups whose sums decide together: all of it where less now is taken off more elsewhere, else each period by itself.
fn groups(on_decrease: OnDecrease, due: &[Posting]) -> Vec<Vec<Posting>> {
    let mut found: BTreeMap<&str, Vec<Posting>> = BTreeMap::new();
    for own in due {
        let key = match on_decrease {
            OnDecrease::Recover => "",
            OnDecrease::KeepAndFlag => own.period_id.as_str(),
        };
        found.entry(key).or_default().push(own.clone());
    }
    found.into_values().collect()
}

/// What the batch holds of a payee after postings came up. `Ok(None)` where she has nothing to see; `None` where a sum does not fit.
pub(super) fn settle(
    options: &Payouts,
    standing: Standing,
    mark: Option<&str>,
    claimed: &[Posting],
    due: &[Posting],
) -> Option<Option<Settled>> {
    let existing = total(claimed)?;
    let coming = total(due)?;
    match mark {
        Some("excluded") => {
            let left = existing.checked_add(coming)?;
            return Some(Some(Settled { claims: Vec::new(), left, state: "excluded", flags: BTreeSet::new() }));
        }
        Some("disputed") => {
            let flags = (coming != 0).then_some(Flag::Disputed).into_iter().collect();
            let state = if claimed.is_empty() { "left" } else { "due" };
            return Some(Some(Settled { claims: claimed.to_vec(), left: coming, state, flags }));
        }
        _ => {}
    }
    let standing = if mark == Some("on-hold") { Standing::OnHold } else { standing };
    // The first draft takes what there is; only what is there already can be raised.
    let is_first = claimed.is_empty() && standing == Standing::Draft;
    let mut settled = Settled { claims: claimed.to_vec(), left: 0, state: "due", flags: BTreeSet::new() };
    let (mut gains, mut losses) = (Vec::new(), Vec::new());
    for group in groups(options.on_decrease, due) {
        match total(&group)? {
            0 => {}
            sum if sum > 0 => gains.extend(group),
            _ => losses.extend(group),
        }
    }
    for change in [gains, losses] {
        let sum = total(&change)?;
        let outcome = rerun(options, standing, existing, existing.checked_add(sum)?);
        if sum == 0 {
            continue;
        }
        if (is_first && sum > 0) || outcome.amount != existing {
            settled.claims.extend(change);
            settled.flags.extend(outcome.flag.filter(|_| !is_first));
        } else {
            settled.left = settled.left.checked_add(sum)?;
            settled.flags.extend(outcome.flag);
        }
    }
    settled.claims.sort();
    let sum = total(&settled.claims)?;
    if sum <= 0 {
        settled.leave(sum)?;
    }
    Some((settled.state == "due" || settled.left != 0).then_some(settled))
}

impl Settled {
    /// Pays nothing: `amount` stays due.
    pub fn leave(&mut self, amount: i64) -> Option<()> {
        self.claims.clear();
        self.left = self.left.checked_add(amount)?;
        self.state = "left";
        if amount < 0 {
            self.flags.remove(&Flag::Lowered);
            self.flags.insert(Flag::Negative);
        }
        Some(())
    }

    /// Of a line whose amount did not change, what `before` says of how it came about still holds.
    pub fn flags(&self, before: &str) -> String {
        let own = self.flags.iter().copied();
        let kept = [Flag::Raised, Flag::Lowered].into_iter().filter(|flag| before.split(',').any(|name| name == flag.name()));
        let all: BTreeSet<Flag> = own.chain(kept).collect();
        all.iter().map(|flag| flag.name()).collect::<Vec<_>>().join(",")
    }
}

/// A part of a payment that is converted at a rate of its own. No plan and no component is what belongs to the payment as a whole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Share {
    pub plan_id: String,
    pub component_id: String,
    pub policy: PayoutRate,
    pub period_id: String,
    pub amount: i64,
}

/// The parts of the payment that `claims` are. Where components have rates of their own, what each earned in the same run and period
/// is a part, and what was held or carried beside it is converted as the rest. The parts sum to the payment.
pub(super) fn shares(options: &Payouts, claims: &[Posting], earned: &[Posting]) -> Option<Vec<Share>> {
    type Key<'a> = (&'a str, &'a str, PayoutRate, &'a str);
    let mut sums: BTreeMap<Key<'_>, i128> = BTreeMap::new();
    for own in claims {
        *sums.entry(("", "", options.fx, &own.period_id)).or_default() += i128::from(own.amount);
    }
    if !options.component_fx.is_empty() {
        let paid: BTreeSet<(&str, &str)> = claims.iter().map(|own| (own.run_id.as_str(), own.period_id.as_str())).collect();
        for own in earned.iter().filter(|own| paid.contains(&(own.run_id.as_str(), own.period_id.as_str()))) {
            let policy = options.rate_of(&own.plan_id, &own.component_id);
            *sums.entry((&own.plan_id, &own.component_id, policy, &own.period_id)).or_default() += i128::from(own.amount);
            *sums.entry(("", "", options.fx, &own.period_id)).or_default() -= i128::from(own.amount);
        }
    }
    sums.into_iter()
        .filter(|(_, amount)| *amount != 0)
        .map(|((plan_id, component_id, policy, period_id), amount)| {
            Some(Share {
                plan_id: plan_id.to_owned(),
                component_id: component_id.to_owned(),
                policy,
                period_id: period_id.to_owned(),
                amount: i64::try_from(amount).ok()?,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn posting(period: &str, revision: i64, amount: i64) -> Posting {
        Posting {
            payee_id: "ana".to_owned(),
            period_id: period.to_owned(),
            origin_period_id: period.to_owned(),
            plan_id: String::new(),
            component_id: String::new(),
            account: "paid".to_owned(),
            revision,
            attempt: 1,
            run_id: format!("run-{revision}"),
            amount,
        }
    }

    fn options(on_decrease: OnDecrease) -> Payouts {
        Payouts { on_decrease, ..Payouts::default() }
    }

    /// State, what is paid, what is left, flags.
    fn settled(
        options: &Payouts,
        standing: Standing,
        mark: Option<&str>,
        claimed: &[Posting],
        due: &[Posting],
    ) -> (String, i64, i64, String) {
        match settle(options, standing, mark, claimed, due).expect("fits") {
            None => ("none".to_owned(), 0, 0, String::new()),
            Some(own) => (own.state.to_owned(), total(&own.claims).expect("fits"), own.left, own.flags("")),
        }
    }

    #[test]
    fn a_first_draft_takes_what_is_due() {
        let due = [posting("2026-01", 1, 1000), posting("2026-01", 2, -300), posting("2026-02", 1, 50)];
        for on_decrease in [OnDecrease::Recover, OnDecrease::KeepAndFlag] {
            let found = settled(&options(on_decrease), Standing::Draft, None, &[], &due);
            assert_eq!(found, ("due".to_owned(), 750, 0, String::new()), "{on_decrease:?}: nothing of it was ever paid");
        }
        assert_eq!(settled(&options(OnDecrease::Recover), Standing::Draft, None, &[], &[]).0, "none");
        let nothing = [posting("2026-01", 1, 10), posting("2026-01", 2, -10)];
        assert_eq!(settled(&options(OnDecrease::Recover), Standing::Draft, None, &[], &nothing).0, "none");
    }

    #[test]
    fn less_than_was_paid_is_recovered_or_flagged() {
        let due = [posting("2026-01", 2, -300), posting("2026-02", 1, 200)];
        let recover = settled(&options(OnDecrease::Recover), Standing::Draft, None, &[], &due);
        assert_eq!(recover, ("left".to_owned(), 0, -100, "negative".to_owned()), "it waits for the next pay");
        let more = [due[0].clone(), due[1].clone(), posting("2026-03", 1, 500)];
        assert_eq!(settled(&options(OnDecrease::Recover), Standing::Draft, None, &[], &more).1, 400);
        let keep = settled(&options(OnDecrease::KeepAndFlag), Standing::Draft, None, &[], &due);
        assert_eq!(keep, ("due".to_owned(), 200, -300, "lower-result".to_owned()));
        // Higher again: only what exceeds what was paid.
        let again = [due[0].clone(), posting("2026-01", 3, 350)];
        assert_eq!(settled(&options(OnDecrease::KeepAndFlag), Standing::Draft, None, &[], &again).1, 50);
    }

    #[test]
    fn a_refresh_raises_lowers_keeps_and_leaves_alone() {
        let claimed = [posting("2026-01", 1, 1000)];
        let (more, less) = ([posting("2026-01", 2, 500)], [posting("2026-01", 2, -400)]);
        let (recover, keep) = (options(OnDecrease::Recover), options(OnDecrease::KeepAndFlag));
        let shown = |state: &str, amount, left, flags: &str| (state.to_owned(), amount, left, flags.to_owned());
        assert_eq!(settled(&keep, Standing::Draft, None, &claimed, &more), shown("due", 1500, 0, ""));
        assert_eq!(settled(&keep, Standing::Approved, None, &claimed, &more), shown("due", 1500, 0, "raised"));
        assert_eq!(settled(&keep, Standing::Draft, Some("on-hold"), &claimed, &more), shown("due", 1500, 0, "raised"));
        assert_eq!(settled(&keep, Standing::Draft, Some("disputed"), &claimed, &more), shown("due", 1000, 500, "disputed"));
        assert_eq!(settled(&keep, Standing::Draft, None, &claimed, &less), shown("due", 1000, -400, "lower-result"));
        assert_eq!(settled(&recover, Standing::Draft, None, &claimed, &less), shown("due", 600, 0, "lowered"));
        assert_eq!(settled(&recover, Standing::Draft, Some("excluded"), &claimed, &less), shown("excluded", 0, 600, ""));
        let much_less = [posting("2026-01", 2, -1400)];
        assert_eq!(settled(&recover, Standing::Draft, None, &claimed, &much_less), shown("left", 0, -400, "negative"));
        assert_eq!(settled(&keep, Standing::Draft, None, &claimed, &[]), shown("due", 1000, 0, ""));
    }

    fn several(first_revision: i64) -> impl Strategy<Value = Vec<Posting>> {
        proptest::collection::vec((0..3, -500i64..500), 0..6).prop_map(move |rows| {
            let own = |(at, (period, amount)): (i64, (i32, i64))| posting(&format!("2026-0{}", period + 1), first_revision + at, amount);
            (0i64..).zip(rows).map(own).collect()
        })
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_paid_twice(
            claimed in several(1), due in several(100), keeps in any::<bool>(), standing in 0..3usize, mark in 0..4usize,
        ) {
            let on_decrease = if keeps { OnDecrease::KeepAndFlag } else { OnDecrease::Recover };
            let standing = [Standing::Draft, Standing::Reviewed, Standing::Approved][standing];
            let mark = [None, Some("excluded"), Some("disputed"), Some("on-hold")][mark];
            // What is in a batch is above zero.
            let claimed = if total(&claimed).expect("fits") > 0 { claimed } else { Vec::new() };
            let (existing, coming) = (total(&claimed).expect("fits"), total(&due).expect("fits"));
            let settled = settle(&options(on_decrease), standing, mark, &claimed, &due).expect("fits");
            let (paid, left) = settled.as_ref().map_or((0, 0), |own| (total(&own.claims).expect("fits"), own.left));
            prop_assert_eq!(paid + left, existing + coming);
            if let Some(own) = &settled {
                prop_assert_eq!(own.state == "due", paid > 0);
                let mut claims = own.claims.clone();
                claims.dedup();
                prop_assert_eq!(claims.len(), own.claims.len());
                prop_assert!(own.claims.iter().all(|claim| claimed.contains(claim) || due.contains(claim)));
            }
            if keeps && mark != Some("excluded") {
                prop_assert!(paid >= existing, "nobody gets less without a decision");
            }
        }
    }

    #[test]
    fn the_parts_of_a_payment_sum_to_it() {
        let mut own = Payouts::default();
        own.component_fx.insert("base".to_owned(), PayoutRate::PlanRate);
        let earned = |component: &str, amount: i64| Posting {
            plan_id: "plan".to_owned(),
            component_id: component.to_owned(),
            account: "earned".to_owned(),
            ..posting("2026-01", 1, amount)
        };
        let claims = [posting("2026-01", 1, 1200)];
        let found = shares(&own, &claims, &[earned("base", 1000), earned("extra", 300)]).expect("fits");
        let shown: Vec<(&str, PayoutRate, i64)> = found.iter().map(|own| (own.component_id.as_str(), own.policy, own.amount)).collect();
        // 100 of what was earned is held: the rest takes it.
        assert_eq!(shown, [("", PayoutRate::PayDate, -100), ("base", PayoutRate::PlanRate, 1000), ("extra", PayoutRate::PayDate, 300)]);
        assert_eq!(found.iter().map(|own| own.amount).sum::<i64>(), 1200);
        let plain = shares(&Payouts::default(), &claims, &[earned("base", 1000)]).expect("fits");
        assert_eq!(plain.len(), 1);
    }
}
