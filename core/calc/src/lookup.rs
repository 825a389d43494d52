//! What resolving looks up for a transaction: its rate of exchange and the coverage rows that match it.

use crate::hierarchy::{Dated, Hierarchy, days_of};
use crate::names::{Names, Tree, number, numbers, texts};
use attain_domain::calendar::Calendar;
use attain_domain::fixed::{Rounding, RoundingMode, divide, from_decimal};
use attain_domain::settings::FxPolicy;
use attain_domain::{NULL_CODE, Table};

/// One, as a rate or share in a column.
pub const ONE: i64 = 100_000_000;

/// A rounding whose step is a scaled integer of money.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub mode: RoundingMode,
    pub step: i64,
}

impl Step {
    /// A step of zero or finer than a column keeps becomes the smallest one of a column.
    pub fn new(rounding: &Rounding) -> Step {
        Step { mode: rounding.mode, step: from_decimal(rounding.step, 4).filter(|step| *step > 0).unwrap_or(1) }
    }

    /// `value × rate`, rounded; `None` when it does not fit.
    pub fn scale(&self, value: i64, rate: i64) -> Option<i64> {
        if let Some(product) = value.checked_mul(rate)
            && self.mode == RoundingMode::HalfEven
            && let Some(divisor) = self.step.checked_mul(ONE)
        {
            // The common case in machine words; the same rule as `divide`.
            let quotient = product.div_euclid(divisor);
            let rest = product.rem_euclid(divisor);
            let up = rest > divisor - rest || (rest == divisor - rest && quotient % 2 != 0);
            return (quotient + i64::from(up)).checked_mul(self.step);
        }
        let steps = divide(i128::from(value) * i128::from(rate), i128::from(ONE) * i128::from(self.step), self.mode);
        i64::try_from(steps * i128::from(self.step)).ok().filter(|scaled| *scaled != i64::MIN)
    }
}

/// Rates of one kind by currency: each holds from its day until the next.
#[derive(Debug, Default)]
pub struct Rates {
    by_currency: Vec<Vec<(i32, i64)>>,
    company_currency: u32,
}

impl Rates {
    pub fn new(policy: FxPolicy, currencies: &Names, company_currency: &str, table: &Table) -> Rates {
        let kind = match policy {
            FxPolicy::TransactionDate => "spot",
            FxPolicy::PeriodAverage => "average",
            FxPolicy::PlanRate => "plan",
        };
        let mut by_currency = vec![Vec::new(); currencies.len()];
        let (kinds, codes) = (texts(table, "kind"), texts(table, "currency"));
        let (from_on, rates) = (numbers(table, "from_on"), numbers(table, "rate"));
        for row in 0..table.row_count() {
            if kinds.get(row) == Some(kind)
                && let Some(rows) = by_currency.get_mut(currencies.code_of(codes.get(row)) as usize)
                && let (Some(from), Some(rate)) = (number(from_on, row), number(rates, row))
            {
                rows.push((from as i32, rate));
            }
        }
        for rows in &mut by_currency {
            rows.sort_unstable();
        }
        Rates { by_currency, company_currency: currencies.code(company_currency) }
    }

    /// Company currency for one unit of `currency` on `day`.
    pub fn on(&self, currency: u32, day: i32) -> Option<i64> {
        if currency == self.company_currency && currency != NULL_CODE {
            return Some(ONE);
        }
        let rows = self.by_currency.get(currency as usize)?;
        let index = rows.partition_point(|(from, _)| *from <= day);
        Some(rows.get(index.checked_sub(1)?)?.1)
    }
}

/// For each period the day whose rate converts its transactions; `None` where the tested date itself does.
pub fn rate_days(policy: FxPolicy, calendar: &Calendar) -> Option<Vec<i32>> {
    let year_start = |year: &str| calendar.periods.iter().find(|period| period.year == year).map_or(0, |period| period.from.0);
    match policy {
        FxPolicy::TransactionDate => None,
        FxPolicy::PeriodAverage => Some(calendar.periods.iter().map(|period| period.from.0).collect()),
        FxPolicy::PlanRate => Some(calendar.periods.iter().map(|period| year_start(&period.year)).collect()),
    }
}

#[derive(Debug, Clone, Copy)]
struct CoverageRow {
    position: u32,
    role: u32,
    territory: u32,
    account: u32,
    family: u32,
    from: i32,
    until: i32,
}

/// Coverage rows in order of their id, found by account, territory and family without looking at the others.
#[derive(Debug, Default)]
pub struct Coverage {
    rows: Vec<CoverageRow>,
    by_account: Vec<Vec<u32>>,
    /// Of each territory: rows of itself and its ancestors.
    by_territory: Vec<Vec<u32>>,
    /// Of each family and, last, of no family: rows without territory and account.
    by_family: Vec<Vec<u32>>,
    /// Of each family: itself and its ancestors.
    family_lineage: Vec<Vec<u32>>,
    territory_lineage: Vec<Vec<u32>>,
}

impl Coverage {
    pub fn new(table: &Table, hierarchy: &Hierarchy, roles: &Names, territories: &Tree, accounts: &Names, families: &Tree) -> Coverage {
        let ids = texts(table, "coverage_id");
        let mut order: Vec<usize> = (0..table.row_count()).collect();
        order.sort_by(|left, right| ids.get(*left).cmp(&ids.get(*right)));
        let (positions, role_names) = (texts(table, "position_id"), texts(table, "role"));
        let (territory_ids, account_ids, family_ids) =
            (texts(table, "territory_id"), texts(table, "account_id"), texts(table, "family_id"));
        let (from_on, until_on) = (numbers(table, "from_on"), numbers(table, "until_on"));
        let mut rows = Vec::with_capacity(order.len());
        for row in order {
            if let Some((from, until)) = days_of(from_on, until_on, row) {
                rows.push(CoverageRow {
                    position: hierarchy.positions.code_of(positions.get(row)),
                    role: roles.code_of(role_names.get(row)),
                    territory: territories.names.code_of(territory_ids.get(row)),
                    account: accounts.code_of(account_ids.get(row)),
                    family: families.names.code_of(family_ids.get(row)),
                    from,
                    until,
                });
            }
        }
        let family_lineage: Vec<Vec<u32>> = (0..families.names.len() as u32).map(|family| families.lineage(family)).collect();
        let territory_lineage: Vec<Vec<u32>> =
            (0..territories.names.len() as u32).map(|territory| territories.lineage(territory)).collect();
        let mut by_account = vec![Vec::new(); accounts.len()];
        let mut own_territory = vec![Vec::new(); territory_lineage.len()];
        let mut own_family = vec![Vec::new(); family_lineage.len() + 1];
        for (index, row) in rows.iter().enumerate() {
            let list = if row.account != NULL_CODE {
                &mut by_account[row.account as usize]
            } else if row.territory != NULL_CODE {
                &mut own_territory[row.territory as usize]
            } else if row.family != NULL_CODE {
                &mut own_family[row.family as usize]
            } else {
                &mut own_family[family_lineage.len()]
            };
            list.push(index as u32);
        }
        let inherited = |own: &[Vec<u32>], lineage: &[u32]| {
            let mut all: Vec<u32> = lineage.iter().flat_map(|code| own[*code as usize].iter().copied()).collect();
            all.sort_unstable();
            all
        };
        let by_territory = territory_lineage.iter().map(|lineage| inherited(&own_territory, lineage)).collect();
        let global = own_family[family_lineage.len()].clone();
        let mut by_family: Vec<Vec<u32>> = Vec::with_capacity(own_family.len());
        for lineage in &family_lineage {
            let mut all = inherited(&own_family, lineage);
            all.extend_from_slice(&global);
            all.sort_unstable();
            by_family.push(all);
        }
        by_family.push(global);
        Coverage { rows, by_account, by_territory, by_family, family_lineage, territory_lineage }
    }

    /// Calls `claim(role, payee, position)` for each row that matches and whose position is occupied, in order of coverage id.
    pub fn claims(&self, hierarchy: &Hierarchy, account: u32, territory: u32, family: u32, day: i32, mut claim: impl FnMut(u32, u32, u32)) {
        let none: &[u32] = &[];
        let mut of_account = self.by_account.get(account as usize).map_or(none, Vec::as_slice);
        let mut of_territory = self.by_territory.get(territory as usize).map_or(none, Vec::as_slice);
        let place = if family == NULL_CODE { self.by_family.len().saturating_sub(1) } else { family as usize };
        let mut of_family = self.by_family.get(place).map_or(none, Vec::as_slice);
        let lineage = self.family_lineage.get(family as usize).map_or(none, Vec::as_slice);
        loop {
            let heads = [of_account.first(), of_territory.first(), of_family.first()];
            let Some(next) = heads.into_iter().flatten().min() else { return };
            let next = *next;
            for list in [&mut of_account, &mut of_territory, &mut of_family] {
                if list.first() == Some(&next) {
                    *list = &list[1..];
                    break;
                }
            }
            let row = &self.rows[next as usize];
            let matches = row.from <= day
                && day < row.until
                && (row.family == NULL_CODE || lineage.contains(&row.family))
                && (row.account == NULL_CODE || row.territory == NULL_CODE || self.within(territory, row.territory));
            if matches {
                let payee = hierarchy.occupant(row.position, day);
                if payee != NULL_CODE {
                    claim(row.role, payee, row.position);
                }
            }
        }
    }

    fn within(&self, territory: u32, ancestor: u32) -> bool {
        self.territory_lineage.get(territory as usize).is_some_and(|lineage| lineage.contains(&ancestor))
    }
}

/// The territory of each account over time.
pub fn account_territories(table: &Table, accounts: &Names, territories: &Names) -> Dated {
    let (account_ids, territory_ids) = (texts(table, "account_id"), texts(table, "territory_id"));
    let (from_on, until_on) = (numbers(table, "from_on"), numbers(table, "until_on"));
    let rows = (0..table.row_count()).filter_map(|row| {
        let (from, until) = days_of(from_on, until_on, row)?;
        Some((accounts.code_of(account_ids.get(row)), from, until, territories.code_of(territory_ids.get(row))))
    });
    Dated::new(accounts.len(), rows)
}
