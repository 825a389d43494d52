//! Balanced, compact territories: a power diagram with a price per territory and measure, then seeded annealing by shifts and
//! swaps under an adaptive penalty. Loads are exact integers; floats only steer, and go through `libm`.

use crate::random::Random;

/// Nearest territories that an account may go to, where there are more.
const CANDIDATE_COUNT: usize = 24;
/// The search keeps a little clear of the tolerance, which the last noise may touch.
const NEARLY: f64 = 0.99;
const SAMPLE_COUNT: usize = 2_000;
const SWEEP_COUNT: usize = 40;
const CENTRE_ROUNDS: usize = 4;
/// Temperatures are in units of the mean cost of an account.
const FIRST_TEMPERATURE: f64 = 0.03;
const LAST_TEMPERATURE: f64 = 0.003;
const STAGE_COUNT: u64 = 60;

/// A place as a point on the unit sphere: chords have no date line and no poles.
pub type Place = [f64; 3];

pub fn place(latitude_degrees: f64, longitude_degrees: f64) -> Place {
    let (latitude, longitude) = (latitude_degrees.to_radians(), longitude_degrees.to_radians());
    [libm::cos(latitude) * libm::cos(longitude), libm::cos(latitude) * libm::sin(longitude), libm::sin(latitude)]
}

#[derive(Debug, Clone)]
pub struct Problem {
    pub places: Vec<Option<Place>>,
    /// Present territory.
    pub present: Vec<Option<usize>>,
    /// A locked account has a present territory.
    pub locked: Vec<bool>,
    /// One column per measure that counts, none negative.
    pub measures: Vec<Vec<i64>>,
    pub weights: Vec<f64>,
    /// `None`: the middle of what it gets.
    pub centres: Vec<Option<Place>>,
}

#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Deviation from the mean load that costs nothing, as a fraction.
    pub tolerance: f64,
    pub compactness: f64,
    /// What a moved account costs, in mean costs of an account.
    pub move_price: f64,
    pub seed: u64,
    /// Tries of the local search; `None`: by the number of accounts.
    pub iterations: Option<u64>,
}

/// Figures of an assignment, for tests and the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// The largest relative deviation of a territory's load from the mean, over all measures.
    pub worst_deviation: f64,
    pub moved_count: usize,
}

/// The territory of every account. Same problem, options and seed: same answer on every machine.
pub fn assign(problem: &Problem, options: &Options) -> Vec<usize> {
    let mut search = Search::new(problem, options);
    if search.free.is_empty() || problem.centres.len() < 2 {
        return search.owner.iter().map(|owner| *owner as usize).collect();
    }
    search.settle_centres();
    search.find_candidates();
    search.balance_prices(SWEEP_COUNT);
    // Where the nearest territories cannot hold what lies around them, the prices tell which others can.
    if search.candidate_count < problem.centres.len() {
        search.find_candidates();
        search.balance_prices(SWEEP_COUNT / 2);
    }
    search.anneal();
    search.owner.iter().map(|owner| *owner as usize).collect()
}

pub fn quality(problem: &Problem, owners: &[usize]) -> Quality {
    let territory_count = problem.centres.len();
    let mut worst = 0.0f64;
    for values in &problem.measures {
        let mut loads = vec![0i64; territory_count];
        for (account, owner) in owners.iter().enumerate() {
            loads[*owner] += values[account];
        }
        let mean = loads.iter().sum::<i64>() as f64 / territory_count as f64;
        for load in loads {
            worst = worst.max((load as f64 / mean - 1.0).abs());
        }
    }
    let moved_count =
        owners.iter().zip(&problem.present).filter(|(owner, present)| present.is_some_and(|present| present != **owner)).count();
    Quality { worst_deviation: worst, moved_count }
}

struct Search<'a> {
    problem: &'a Problem,
    options: &'a Options,
    /// Accounts that may move.
    free: Vec<u32>,
    /// Positions in `free` of those without a place, the largest first: prices would throw them all into one territory.
    placeless: Vec<u32>,
    owner: Vec<u32>,
    centres: Vec<Option<Place>>,
    /// Mean load of a territory per measure.
    targets: Vec<f64>,
    /// `[free account × measure]`: its value in means of an account.
    relative: Vec<f64>,
    /// `[territory × measure]`
    prices: Vec<f64>,
    loads: Vec<i64>,
    candidate_count: usize,
    /// `[account × candidate]`: territory and its cost without prices.
    candidates: Vec<u32>,
    costs: Vec<f64>,
    /// Divides squared distances, so that the mean account costs one.
    unit: f64,
}

fn squared_distance(left: &Place, right: &Place) -> f64 {
    let (x, y, z) = (left[0] - right[0], left[1] - right[1], left[2] - right[2]);
    x * x + y * y + z * z
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem, options: &'a Options) -> Search<'a> {
        let account_count = problem.places.len();
        let territory_count = problem.centres.len();
        let measure_count = problem.measures.len();
        let free: Vec<u32> = (0..account_count as u32).filter(|account| !problem.locked[*account as usize]).collect();
        let totals: Vec<f64> = problem.measures.iter().map(|values| values.iter().map(|value| *value as f64).sum()).collect();
        let size = |index: u32| -> f64 {
            let account = free[index as usize] as usize;
            problem.measures.iter().zip(&totals).map(|(values, total)| values[account] as f64 / total).sum()
        };
        let mut placeless: Vec<u32> =
            (0..free.len() as u32).filter(|index| problem.places[free[*index as usize] as usize].is_none()).collect();
        placeless.sort_by(|left, right| size(*right).total_cmp(&size(*left)).then(left.cmp(right)));
        let mut relative = Vec::with_capacity(free.len() * measure_count);
        for account in &free {
            for (values, total) in problem.measures.iter().zip(&totals) {
                relative.push(values[*account as usize] as f64 * account_count as f64 / total);
            }
        }
        Search {
            problem,
            options,
            free,
            placeless,
            owner: problem.present.iter().map(|present| present.unwrap_or(0) as u32).collect(),
            centres: problem.centres.clone(),
            targets: totals.iter().map(|total| total / territory_count as f64).collect(),
            relative,
            prices: vec![0.0; territory_count * measure_count],
            loads: vec![0; territory_count * measure_count],
            candidate_count: territory_count.min(CANDIDATE_COUNT),
            candidates: Vec::new(),
            costs: Vec::new(),
            unit: 1.0,
        }
    }

    fn measure_count(&self) -> usize {
        self.problem.measures.len()
    }

    /// Gives a centre to the territories without one: the middle of their present accounts, else the place farthest from all
    /// others; then moves it to the middle of what the balanced diagram gives it.
    fn settle_centres(&mut self) {
        let missing: Vec<usize> = (0..self.centres.len()).filter(|territory| self.centres[*territory].is_none()).collect();
        if missing.is_empty() || self.problem.places.iter().all(Option::is_none) {
            return;
        }
        let present: Vec<Option<usize>> = self.problem.present.clone();
        self.move_centres(&missing, &present);
        for territory in &missing {
            if self.centres[*territory].is_none() {
                self.centres[*territory] = self.farthest_place();
            }
        }
        for _ in 0..CENTRE_ROUNDS {
            self.find_candidates();
            self.balance_prices(SWEEP_COUNT / 4);
            let owners: Vec<Option<usize>> = self.owner.iter().map(|owner| Some(*owner as usize)).collect();
            self.move_centres(&missing, &owners);
        }
    }

    fn move_centres(&mut self, territories: &[usize], owners: &[Option<usize>]) {
        let mut sums = vec![([0.0f64; 3], 0u32); self.centres.len()];
        for (owner, place) in owners.iter().zip(&self.problem.places) {
            if let (Some(owner), Some(place)) = (owner, place) {
                let (sum, count) = &mut sums[*owner];
                (0..3).for_each(|axis| sum[axis] += place[axis]);
                *count += 1;
            }
        }
        for territory in territories {
            let (sum, count) = sums[*territory];
            if count > 0 {
                self.centres[*territory] = Some(sum.map(|axis| axis / f64::from(count)));
            }
        }
    }

    fn farthest_place(&self) -> Option<Place> {
        let known: Vec<Place> = self.centres.iter().flatten().copied().collect();
        let mut best: Option<(f64, Place)> = None;
        for account in &self.free {
            let Some(place) = self.problem.places[*account as usize] else { continue };
            let distance = known.iter().map(|centre| squared_distance(&place, centre)).fold(f64::INFINITY, f64::min);
            if best.is_none_or(|(farthest, _)| distance > farthest) {
                best = Some((distance, place));
            }
        }
        best.map(|(_, place)| place)
    }

    fn distance(&self, account: usize, territory: usize) -> f64 {
        match (&self.problem.places[account], &self.centres[territory]) {
            (Some(place), Some(centre)) => squared_distance(place, centre),
            _ => 0.0,
        }
    }

    /// What a free account pays in a territory for its measures.
    fn price(&self, index: usize, territory: usize) -> f64 {
        let measure_count = self.measure_count();
        let prices = &self.prices[territory * measure_count..][..measure_count];
        let relative = &self.relative[index * measure_count..][..measure_count];
        prices.iter().zip(relative).map(|(price, value)| price * value).sum()
    }

    /// The mean squared distance to the nearest centre, by a sample of accounts.
    fn mean_distance(&self) -> f64 {
        let stride = self.free.len().div_ceil(SAMPLE_COUNT);
        let (mut sum, mut count) = (0.0, 0.0);
        for account in self.free.iter().step_by(stride) {
            sum += (0..self.centres.len()).map(|territory| self.distance(*account as usize, territory)).fold(f64::INFINITY, f64::min);
            count += 1.0;
        }
        if sum > 0.0 { sum / count } else { 1.0 }
    }

    /// The cheapest territories of every free account at present prices, and its present one.
    fn find_candidates(&mut self) {
        let territory_count = self.centres.len();
        self.unit = self.mean_distance();
        let count = self.candidate_count;
        let mut candidates = Vec::with_capacity(self.free.len() * count);
        let mut costs = Vec::with_capacity(self.free.len() * count);
        let mut order: Vec<(f64, u32)> = Vec::with_capacity(count + 1);
        for (index, account) in self.free.iter().enumerate() {
            let account = *account as usize;
            order.clear();
            for territory in 0..territory_count {
                // Without a place all are equally near: each such account starts its round elsewhere.
                let cost = if self.problem.places[account].is_none() {
                    ((territory + account) % territory_count) as f64
                } else {
                    self.options.compactness * self.distance(account, territory) / self.unit + self.price(index, territory)
                };
                // Kept in ascending order; nearly all are dearer than the dearest kept and end here.
                if order.len() == count && order.last().is_some_and(|(dearest, _)| cost >= *dearest) {
                    continue;
                }
                if order.len() == count {
                    order.pop();
                }
                let place = order.partition_point(|(own, _)| *own <= cost);
                order.insert(place, (cost, territory as u32));
            }
            if let Some(present) = self.problem.present[account]
                && !order.iter().any(|(_, territory)| *territory as usize == present)
            {
                order[count - 1].1 = present as u32;
            }
            order.sort_unstable_by_key(|(_, territory)| *territory);
            for (_, territory) in &order {
                let moves = self.problem.present[account].is_some_and(|present| present != *territory as usize);
                candidates.push(*territory);
                costs.push(
                    self.options.compactness * self.distance(account, *territory as usize) / self.unit
                        + if moves { self.options.move_price } else { 0.0 },
                );
            }
        }
        self.candidates = candidates;
        self.costs = costs;
    }

    /// Subgradient steps on the prices: where too much lies, it becomes dear. Keeps the prices of the best balanced sweep.
    fn balance_prices(&mut self, sweeps: usize) {
        let measure_count = self.measure_count();
        let mut best: Option<(f64, Vec<f64>)> = None;
        for sweep in 0..sweeps {
            self.take_cheapest();
            let gap = self.imbalance();
            if best.as_ref().is_none_or(|(least, _)| gap < *least) {
                best = Some((gap, self.prices.clone()));
            }
            let step = 0.8 / (1.0 + sweep as f64 / 8.0);
            for (index, price) in self.prices.iter_mut().enumerate() {
                let target = self.targets[index % measure_count];
                // A bound on the step: one huge account must not throw the prices away.
                let deviation = (self.loads[index] as f64 / target - 1.0).clamp(-1.0, 2.0);
                *price += step * deviation;
            }
        }
        if let Some((_, prices)) = best {
            self.prices = prices;
        }
        self.take_cheapest();
    }

    fn take_cheapest(&mut self) {
        let measure_count = self.measure_count();
        for (index, account) in self.free.iter().enumerate() {
            let account = *account as usize;
            if self.problem.places[account].is_none() {
                continue;
            }
            let relative = &self.relative[index * measure_count..][..measure_count];
            let from = index * self.candidate_count;
            let mut best = (f64::INFINITY, 0u32);
            for position in from..from + self.candidate_count {
                let territory = self.candidates[position];
                let mut cost = self.costs[position];
                let prices = &self.prices[territory as usize * measure_count..][..measure_count];
                for (price, value) in prices.iter().zip(relative) {
                    cost += price * value;
                }
                if cost < best.0 {
                    best = (cost, territory);
                }
            }
            self.owner[account] = best.1;
        }
        self.loads.fill(0);
        for account in 0..self.owner.len() {
            if self.problem.locked[account] || self.problem.places[account].is_some() {
                self.add_load(account);
            }
        }
        for position in 0..self.placeless.len() {
            let index = self.placeless[position] as usize;
            let account = self.free[index] as usize;
            self.owner[account] = self.least_loaded(index);
            self.add_load(account);
        }
    }

    fn add_load(&mut self, account: usize) {
        let measure_count = self.measure_count();
        for measure in 0..measure_count {
            self.loads[self.owner[account] as usize * measure_count + measure] += self.problem.measures[measure][account];
        }
    }

    /// The candidate of a free account with the smallest relative load, its price on moves included.
    fn least_loaded(&self, index: usize) -> u32 {
        let measure_count = self.measure_count();
        let from = index * self.candidate_count;
        let mut best = (f64::INFINITY, 0);
        for position in from..from + self.candidate_count {
            let territory = self.candidates[position];
            let mut load = self.costs[position];
            for measure in 0..measure_count {
                load +=
                    self.problem.weights[measure] * self.loads[territory as usize * measure_count + measure] as f64 / self.targets[measure];
            }
            if load < best.0 {
                best = (load, territory);
            }
        }
        best.1
    }

    fn imbalance(&self) -> f64 {
        let measure_count = self.measure_count();
        self.loads
            .iter()
            .enumerate()
            .map(|(index, load)| {
                let measure = index % measure_count;
                let deviation = *load as f64 / self.targets[measure] - 1.0;
                self.problem.weights[measure] * deviation * deviation
            })
            .sum()
    }

    /// What the loads of a territory exceed, weighted; 0 where all lie within tolerance.
    fn excess(&self, territory: usize, change: impl Fn(usize) -> i64) -> f64 {
        let measure_count = self.measure_count();
        let mut sum = 0.0;
        for measure in 0..measure_count {
            let load = self.loads[territory * measure_count + measure] + change(measure);
            let deviation = (load as f64 / self.targets[measure] - 1.0).abs() - NEARLY * self.options.tolerance;
            if deviation > 0.0 {
                sum += self.problem.weights[measure] * deviation * (1.0 + deviation);
            }
        }
        sum
    }

    fn total_excess(&self) -> f64 {
        (0..self.centres.len()).map(|territory| self.excess(territory, |_| 0)).sum()
    }

    fn candidate(&self, index: usize, territory: u32) -> Option<usize> {
        let from = index * self.candidate_count;
        self.candidates[from..from + self.candidate_count].iter().position(|own| *own == territory).map(|position| from + position)
    }

    /// Shifts one account or swaps two, by the Metropolis rule at falling temperature. The penalty rises while loads are out of
    /// tolerance. The last part runs nearly cold, so the end is the best found but for noise.
    fn anneal(&mut self) {
        let free_count = self.free.len();
        let territory_count = self.centres.len();
        let tries = self.options.iterations.unwrap_or((free_count as u64 * 1_000).clamp(100_000, 6_000_000));
        let per_territory = free_count as f64 / territory_count as f64;
        let mut penalty = self.prices.iter().fold(1.0f64, |largest, price| largest.max(price.abs())) * per_territory * 1.5;
        let mut random = Random::new(self.options.seed);
        let mut members: Vec<Vec<u32>> = vec![Vec::new(); territory_count];
        let mut slots = vec![0u32; free_count];
        let mut position: Vec<usize> = Vec::with_capacity(free_count);
        for (index, account) in self.free.iter().enumerate() {
            let owner = self.owner[*account as usize];
            slots[index] = members[owner as usize].len() as u32;
            members[owner as usize].push(index as u32);
            let from = index * self.candidate_count;
            position.push(self.candidate(index, owner).unwrap_or(from));
        }
        let cooling = libm::pow(LAST_TEMPERATURE / FIRST_TEMPERATURE, 1.0 / (STAGE_COUNT - 1) as f64);
        let mut temperature = FIRST_TEMPERATURE;
        for stage in 0..STAGE_COUNT {
            let stage_tries = tries * (stage + 1) / STAGE_COUNT - tries * stage / STAGE_COUNT;
            for _ in 0..stage_tries {
                let index = random.below(free_count);
                let to = index * self.candidate_count + random.below(self.candidate_count);
                let (old, new) = (self.candidates[position[index]], self.candidates[to]);
                if old == new {
                    continue;
                }
                let partner = if random.below(2) == 0 && !members[new as usize].is_empty() {
                    let other = members[new as usize][random.below(members[new as usize].len())] as usize;
                    match self.candidate(other, old) {
                        Some(back) => Some((other, back)),
                        None => continue,
                    }
                } else {
                    None
                };
                let account = self.free[index] as usize;
                let mut change = self.costs[to] - self.costs[position[index]];
                let other_account = partner.map(|(other, back)| {
                    change += self.costs[back] - self.costs[position[other]];
                    self.free[other] as usize
                });
                let measures = &self.problem.measures;
                let moved = |measure: usize| measures[measure][account] - other_account.map_or(0, |other| measures[measure][other]);
                change += penalty
                    * (self.excess(old as usize, |measure| -moved(measure)) + self.excess(new as usize, moved)
                        - self.excess(old as usize, |_| 0)
                        - self.excess(new as usize, |_| 0));
                if change > 0.0 && random.unit() >= libm::exp(-change / temperature) {
                    continue;
                }
                let measure_count = self.measure_count();
                for measure in 0..measure_count {
                    let value = moved(measure);
                    self.loads[old as usize * measure_count + measure] -= value;
                    self.loads[new as usize * measure_count + measure] += value;
                }
                move_member(&mut members, &mut slots, index, old, new);
                position[index] = to;
                self.owner[account] = new;
                if let (Some((other, back)), Some(other_account)) = (partner, other_account) {
                    move_member(&mut members, &mut slots, other, new, old);
                    position[other] = back;
                    self.owner[other_account] = old;
                }
            }
            temperature *= cooling;
            if self.total_excess() > 0.0 {
                penalty *= 1.15;
            } else if stage < STAGE_COUNT / 2 {
                penalty *= 0.95;
            }
        }
    }
}

fn move_member(members: &mut [Vec<u32>], slots: &mut [u32], index: usize, from: u32, to: u32) {
    let slot = slots[index] as usize;
    members[from as usize].swap_remove(slot);
    if let Some(filler) = members[from as usize].get(slot) {
        slots[*filler as usize] = slot as u32;
    }
    slots[index] = members[to as usize].len() as u32;
    members[to as usize].push(index as u32);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options { tolerance: 0.05, compactness: 1.0, move_price: 0.0, seed: 1, iterations: None }
    }

    /// Accounts scattered over a square of ten degrees with skewed measures.
    fn problem(account_count: usize, territory_count: usize, measure_count: usize) -> Problem {
        let mut random = Random::new(7);
        let mut scatter = |_| Some(place(40.0 + 10.0 * random.unit(), -100.0 + 10.0 * random.unit()));
        let places: Vec<_> = (0..account_count).map(&mut scatter).collect();
        let centres: Vec<_> = (0..territory_count).map(&mut scatter).collect();
        let mut random = Random::new(8);
        let measures = (0..measure_count)
            .map(|_| (0..account_count).map(|_| 10_000 + (libm::exp(3.0 * random.unit()) * 10_000.0) as i64).collect())
            .collect();
        Problem {
            places,
            present: vec![None; account_count],
            locked: vec![false; account_count],
            measures,
            weights: vec![1.0; measure_count],
            centres,
        }
    }

    fn mean_cost(problem: &Problem, owners: &[usize]) -> f64 {
        let cost = |(account, owner): (usize, &usize)| match (&problem.places[account], &problem.centres[*owner]) {
            (Some(place), Some(centre)) => squared_distance(place, centre),
            _ => 0.0,
        };
        owners.iter().enumerate().map(cost).sum::<f64>() / owners.len() as f64
    }

    #[test]
    fn two_measures_are_balanced_within_tolerance_and_territories_stay_compact() {
        let problem = problem(1_500, 40, 2);
        let owners = assign(&problem, &options());
        let quality = quality(&problem, &owners);
        assert!(quality.worst_deviation <= 0.0501, "{quality:?}");
        let nearest: Vec<usize> = (0..1_500)
            .map(|account| {
                let distance = |territory: &usize| match (&problem.places[account], &problem.centres[*territory]) {
                    (Some(place), Some(centre)) => squared_distance(place, centre),
                    _ => 0.0,
                };
                (0..40).min_by(|left, right| distance(left).total_cmp(&distance(right))).expect("territories")
            })
            .collect();
        let (cost, lower_bound) = (mean_cost(&problem, &owners), mean_cost(&problem, &nearest));
        let scattered: Vec<usize> = (0..1_500).map(|account| account % 40).collect();
        assert!(cost < 0.35 * mean_cost(&problem, &scattered), "{cost} against {lower_bound} unbalanced");
    }

    #[test]
    fn locked_accounts_stay_and_a_price_on_moves_keeps_most_others() {
        let mut problem = problem(600, 12, 1);
        problem.present = (0..600).map(|account| Some(account * 7 % 12)).collect();
        problem.locked = (0..600).map(|account| account % 10 == 0).collect();
        let free = assign(&problem, &options());
        for account in (0..600).step_by(10) {
            assert_eq!(Some(free[account]), problem.present[account]);
        }
        let dear = assign(&problem, &Options { move_price: 1e6, ..options() });
        let (free, dear) = (quality(&problem, &free), quality(&problem, &dear));
        assert!(dear.moved_count * 4 < free.moved_count, "{dear:?} against {free:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_answer_and_another_one_a_good_one_too() {
        let problem = problem(400, 9, 2);
        let first = assign(&problem, &options());
        assert_eq!(first, assign(&problem, &options()));
        let other = assign(&problem, &Options { seed: 2, ..options() });
        assert!(quality(&problem, &other).worst_deviation <= 0.06);
    }

    #[test]
    fn territories_without_a_centre_find_one() {
        let mut problem = problem(500, 10, 1);
        problem.centres = vec![None; 10];
        let owners = assign(&problem, &options());
        assert!(quality(&problem, &owners).worst_deviation <= 0.051);
        assert!((0..10).all(|territory| owners.contains(&territory)));
    }

    #[test]
    fn accounts_without_a_place_are_balanced_all_the_same() {
        let mut problem = problem(300, 30, 1);
        problem.places = vec![None; 300];
        let owners = assign(&problem, &options());
        assert!(quality(&problem, &owners).worst_deviation <= 0.06, "{:?}", quality(&problem, &owners));
    }

    #[test]
    fn one_territory_gets_everything() {
        let mut problem = problem(5, 1, 1);
        problem.locked[0] = true;
        problem.present[0] = Some(0);
        assert_eq!(assign(&problem, &options()), [0; 5]);
    }
}
