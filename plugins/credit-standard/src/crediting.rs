//! Direct, split and overlay credit in one pass over columns of codes. Knows nothing of how the columns came here.

use attain_sdk::exact::divide;
use attain_sdk::{CreditKind, NULL, NULL_CODE, RoundingMode};

/// A whole share, at 10⁻⁸.
pub const WHOLE: i64 = 100_000_000;

/// `step` is an amount; 0 leaves a part as it is, to the last digit that an amount has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounding {
    pub mode: RoundingMode,
    pub step: i64,
}

impl Rounding {
    /// `amount × share` as a multiple of the step; `None` when it does not fit.
    fn part(self, amount: i64, share: i64) -> Option<i64> {
        if share == WHOLE && (self.step <= 1 || amount % self.step == 0) {
            return Some(amount);
        }
        let (mode, step) = if self.step <= 0 { (RoundingMode::HalfEven, 1) } else { (self.mode, i128::from(self.step)) };
        let steps = divide(i128::from(amount) * i128::from(share), step * i128::from(WHOLE), mode);
        i64::try_from(steps.checked_mul(step)?).ok().filter(|part| *part != NULL)
    }
}

/// Who receives what the rounded parts of a split leave over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residue {
    /// The parts cut off most, a step each; of equal ones the earlier.
    LargestRemainder,
    /// The last part is the amount less the others.
    Last,
}

/// What the settings say, in codes of the batch at hand. A role without code occurs in no claim.
#[derive(Debug, Clone)]
pub struct Rules {
    pub residue: Residue,
    pub rounding: Rounding,
    pub overlay_rate: i64,
    pub owner: Option<u32>,
    pub overlay: Option<u32>,
    pub split: Option<u32>,
    pub payee: Option<u32>,
    /// Whether a family takes part in overlay, by code; `None` where all do, also transactions without family.
    pub overlay_families: Option<Vec<bool>>,
}

#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    pub amounts: &'a [i64],
    pub families: &'a [u32],
    pub claims_from: &'a [i64],
    pub claims_until: &'a [i64],
    pub roles: &'a [u32],
    pub payees: &'a [u32],
    pub shares: &'a [i64],
}

/// One credit; `payee` is a code of the claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credit {
    pub row: usize,
    pub payee: u32,
    pub kind: CreditKind,
    pub amount: i64,
    pub share: i64,
}

/// Room for the parts of one split, kept from row to row.
#[derive(Debug, Default)]
struct Parts {
    payees: Vec<u32>,
    shares: Vec<i64>,
    amounts: Vec<i64>,
    remainders: Vec<(i128, usize)>,
}

/// Gives credits in order of rows; of one row first direct or split, then overlay.
pub fn credit(batch: &Batch<'_>, rules: &Rules, mut give: impl FnMut(Credit)) -> Result<(), String> {
    let row_count = batch.amounts.len();
    if batch.claims_from.len() != row_count || batch.claims_until.len() != row_count || batch.payees.len() != batch.roles.len() {
        return Err("the claims of the transactions are missing; this is no batch of the crediting contract".to_owned());
    }
    let mut parts = Parts::default();
    for (row, amount) in batch.amounts.iter().copied().enumerate() {
        if amount == NULL {
            continue;
        }
        let claims = claims_of(batch, row)?;
        // One look at each claim decides everything; most transactions have one or two.
        let (mut owner, mut payee, mut split_count, mut overlay_count) = (None, None, 0usize, 0usize);
        for claim in claims.clone() {
            let role = Some(batch.roles[claim]);
            if batch.payees[claim] == NULL_CODE {
                continue;
            }
            if role == rules.split {
                split_count += 1;
            } else if role == rules.payee {
                payee = payee.or(Some(claim));
            } else if role == rules.owner {
                owner = owner.or(Some(claim));
            }
            // Not an alternative to the others: settings may give one role two meanings.
            if role == rules.overlay {
                overlay_count += 1;
            }
        }
        if split_count > 0 {
            split(batch, rules, row, amount, claims.clone(), &mut parts)?;
            for ((payee, amount), share) in parts.payees.iter().zip(&parts.amounts).zip(&parts.shares) {
                give(Credit { row, payee: *payee, kind: CreditKind::Split, amount: *amount, share: *share });
            }
        } else if let Some(claim) = payee.or(owner) {
            give(Credit { row, payee: batch.payees[claim], kind: CreditKind::Direct, amount, share: WHOLE });
        }
        let takes_part = || {
            rules.overlay_families.as_ref().is_none_or(|families| {
                let family = batch.families.get(row).copied().unwrap_or(NULL_CODE) as usize;
                families.get(family).copied().unwrap_or(false)
            })
        };
        if overlay_count > 0 && takes_part() {
            let amount = rules.rounding.part(amount, rules.overlay_rate).ok_or_else(|| too_large(row))?;
            for claim in claims.filter(|claim| Some(batch.roles[*claim]) == rules.overlay && batch.payees[*claim] != NULL_CODE) {
                give(Credit { row, payee: batch.payees[claim], kind: CreditKind::Overlay, amount, share: rules.overlay_rate });
            }
        }
    }
    Ok(())
}

fn claims_of(batch: &Batch<'_>, row: usize) -> Result<std::ops::Range<usize>, String> {
    let (from, until) = (batch.claims_from[row], batch.claims_until[row]);
    if from < 0 || until < from || until > batch.roles.len() as i64 {
        return Err(format!("row {row} names claims `{from}` to `{until}` of {}", batch.roles.len()));
    }
    Ok(from as usize..until as usize)
}

fn split(
    batch: &Batch<'_>,
    rules: &Rules,
    row: usize,
    amount: i64,
    claims: std::ops::Range<usize>,
    parts: &mut Parts,
) -> Result<(), String> {
    parts.payees.clear();
    parts.shares.clear();
    let (mut total, mut has_negative) = (0i128, false);
    for claim in claims.filter(|claim| Some(batch.roles[*claim]) == rules.split && batch.payees[*claim] != NULL_CODE) {
        let share = batch
            .shares
            .get(claim)
            .copied()
            .filter(|share| *share != NULL)
            .ok_or_else(|| format!("row {row} has a split without share"))?;
        total += i128::from(share);
        has_negative |= share < 0;
        parts.payees.push(batch.payees[claim]);
        parts.shares.push(share);
    }
    parts.amounts.clear();
    // Shares that do not total one have no whole whose residue could be given to anybody.
    let is_whole = total == i128::from(WHOLE) && !has_negative;
    if is_whole && rules.residue == Residue::LargestRemainder {
        parts.amounts.resize(parts.shares.len(), 0);
        largest_remainder(amount, &parts.shares, rules.rounding.step.max(1), &mut parts.remainders, &mut parts.amounts);
        return Ok(());
    }
    let mut given = 0i64;
    let last = parts.shares.len() - 1;
    for (index, share) in parts.shares.iter().enumerate() {
        let part = if is_whole && index == last { amount.checked_sub(given) } else { rules.rounding.part(amount, *share) };
        let part = part.ok_or_else(|| too_large(row))?;
        given = given.checked_add(part).ok_or_else(|| too_large(row))?;
        parts.amounts.push(part);
    }
    Ok(())
}

/// `shares` total [`WHOLE`] and none is negative. What is smaller than a step goes to the first receiver.
fn largest_remainder(amount: i64, shares: &[i64], step: i64, remainders: &mut Vec<(i128, usize)>, parts: &mut [i64]) {
    let sign = amount.signum();
    let units = i128::from(amount.unsigned_abs() / step.unsigned_abs());
    let rest = (amount.unsigned_abs() % step.unsigned_abs()) as i64;
    remainders.clear();
    let mut left_over = units;
    for (index, (part, share)) in parts.iter_mut().zip(shares).enumerate() {
        let exact = units * i128::from(*share);
        let whole = exact / i128::from(WHOLE);
        left_over -= whole;
        *part = whole as i64 * step * sign;
        remainders.push((exact % i128::from(WHOLE), index));
    }
    remainders.sort_unstable_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    for (_, index) in remainders.iter().take(left_over as usize) {
        parts[*index] += step * sign;
    }
    parts[remainders[0].1] += rest * sign;
}

fn too_large(row: usize) -> String {
    format!("the credit of row {row} does not fit an amount; look at its share and rate")
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: u32 = 0;
    const OVERLAY_ROLE: u32 = 1;
    const SPLIT_ROLE: u32 = 2;
    const PAYEE_ROLE: u32 = 3;

    fn rules() -> Rules {
        Rules {
            residue: Residue::LargestRemainder,
            rounding: Rounding { mode: RoundingMode::HalfEven, step: 100 },
            overlay_rate: WHOLE,
            owner: Some(OWNER),
            overlay: Some(OVERLAY_ROLE),
            split: Some(SPLIT_ROLE),
            payee: Some(PAYEE_ROLE),
            overlay_families: None,
        }
    }

    /// One transaction of `amount` with claims of (role, payee, share).
    fn one(amount: i64, claims: &[(u32, u32, i64)], rules: &Rules) -> Vec<(u32, CreditKind, i64, i64)> {
        let roles: Vec<u32> = claims.iter().map(|claim| claim.0).collect();
        let payees: Vec<u32> = claims.iter().map(|claim| claim.1).collect();
        let shares: Vec<i64> = claims.iter().map(|claim| claim.2).collect();
        let batch = Batch {
            amounts: &[amount],
            families: &[0],
            claims_from: &[0],
            claims_until: &[claims.len() as i64],
            roles: &roles,
            payees: &payees,
            shares: &shares,
        };
        let mut credits = Vec::new();
        credit(&batch, rules, |credit| credits.push((credit.payee, credit.kind, credit.amount, credit.share))).expect("credits");
        credits
    }

    #[test]
    fn an_unsplit_transaction_goes_whole_to_its_first_owner() {
        let claims = [(OWNER, 7, NULL), (OWNER, 8, NULL)];
        assert_eq!(one(1_234_567, &claims, &rules()), [(7, CreditKind::Direct, 1_234_567, WHOLE)]);
    }

    #[test]
    fn its_own_payee_comes_before_the_owner() {
        let claims = [(OWNER, 7, NULL), (PAYEE_ROLE, 9, NULL)];
        assert_eq!(one(500, &claims, &rules()), [(9, CreditKind::Direct, 500, WHOLE)]);
    }

    #[test]
    fn nobody_claims_nobody_is_credited() {
        assert!(one(500, &[], &rules()).is_empty());
        assert!(one(NULL, &[(OWNER, 7, NULL)], &rules()).is_empty());
    }

    #[test]
    fn an_odd_cent_goes_to_the_larger_remainder_and_then_to_the_first() {
        let third = 33_333_333;
        let claims = [(SPLIT_ROLE, 1, third), (SPLIT_ROLE, 2, third), (SPLIT_ROLE, 3, third + 1)];
        let amounts: Vec<i64> = one(1_000_000, &claims, &rules()).iter().map(|credit| credit.2).collect();
        assert_eq!(amounts, [333_300, 333_300, 333_400]);
        let halves = [(SPLIT_ROLE, 1, WHOLE / 2), (SPLIT_ROLE, 2, WHOLE / 2)];
        let amounts: Vec<i64> = one(-100, &halves, &rules()).iter().map(|credit| credit.2).collect();
        assert_eq!(amounts, [-100, 0]);
    }

    #[test]
    fn a_rest_below_the_step_stays_in_the_split() {
        let halves = [(SPLIT_ROLE, 1, WHOLE / 2), (SPLIT_ROLE, 2, WHOLE / 2)];
        let amounts: Vec<i64> = one(20_099, &halves, &rules()).iter().map(|credit| credit.2).collect();
        assert_eq!(amounts, [10_099, 10_000]);
    }

    #[test]
    fn the_last_part_can_be_what_the_others_leave() {
        let rules = Rules { residue: Residue::Last, ..rules() };
        let claims = [(SPLIT_ROLE, 1, 60_000_000), (SPLIT_ROLE, 2, 40_000_000)];
        assert_eq!(one(3_300, &claims, &rules).iter().map(|credit| credit.2).collect::<Vec<_>>(), [2_000, 1_300]);
        assert_eq!(one(-3_300, &claims, &rules).iter().map(|credit| credit.2).collect::<Vec<_>>(), [-2_000, -1_300]);
    }

    #[test]
    fn over_allocated_parts_are_rounded_each_by_itself() {
        let claims = [(SPLIT_ROLE, 1, WHOLE), (SPLIT_ROLE, 2, WHOLE / 2)];
        for residue in [Residue::LargestRemainder, Residue::Last] {
            let rules = Rules { residue, ..rules() };
            assert_eq!(one(2_500, &claims, &rules).iter().map(|credit| credit.2).collect::<Vec<_>>(), [2_500, 1_200]);
        }
    }

    #[test]
    fn overlay_comes_beside_a_split_and_only_for_its_families() {
        let claims = [(OVERLAY_ROLE, 5, NULL), (SPLIT_ROLE, 1, WHOLE)];
        let half = Rules { overlay_rate: WHOLE / 2, ..rules() };
        assert_eq!(one(300, &claims, &half), [(1, CreditKind::Split, 300, WHOLE), (5, CreditKind::Overlay, 200, WHOLE / 2)]);
        let other = Rules { overlay_families: Some(vec![false]), ..half };
        assert_eq!(one(300, &claims, &other), [(1, CreditKind::Split, 300, WHOLE)]);
    }

    #[test]
    fn large_and_small_numbers_are_rounded_alike() {
        for mode in RoundingMode::ALL {
            for (small, share) in [(150, WHOLE / 2), (-150, WHOLE / 2), (350, WHOLE / 2), (-350, WHOLE / 2), (10_001, 33_333_333)] {
                // The same quotient with a numerator that no longer fits 64 bits.
                let factor = 10_000_000_000_000;
                let narrow = Rounding { mode, step: 100 }.part(small, share).expect("fits");
                let wide = Rounding { mode, step: 100 * factor }.part(small * factor, share).expect("fits");
                assert_eq!(wide, narrow * factor, "{mode:?} of {small}");
            }
        }
    }

    #[test]
    fn parts_of_a_split_sum_to_the_whole() {
        let mut state = 1u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        for residue in [Residue::LargestRemainder, Residue::Last] {
            for _ in 0..2_000 {
                let amount = next(2_000_000_000) as i64 - 1_000_000_000;
                let count = 1 + next(6) as i64;
                let mut left = WHOLE;
                let mut claims = Vec::new();
                for index in 0..count {
                    let share = if index == count - 1 { left } else { next(left as u64 + 1) as i64 };
                    left -= share;
                    claims.push((SPLIT_ROLE, index as u32, share));
                }
                let sum: i64 = one(amount, &claims, &Rules { residue, ..rules() }).iter().map(|credit| credit.2).sum();
                assert_eq!(sum, amount, "{claims:?}");
            }
        }
    }

    #[test]
    fn claims_out_of_range_are_refused() {
        let batch = Batch { amounts: &[1], families: &[0], claims_from: &[0], claims_until: &[2], roles: &[0], payees: &[0], shares: &[0] };
        assert!(credit(&batch, &rules(), |_| ()).is_err_and(|message| message.contains("row 0")));
    }
}
