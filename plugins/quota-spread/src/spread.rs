//! Top-down spread of a total over nodes and periods in whole steps: water-filling between bounds, then largest remainders.

/// The number that stands for "no value".
pub const NULL: i64 = i64::MIN;

#[derive(Debug, Clone)]
pub struct Node {
    pub name: String,
    pub weight: i64,
    /// [`NULL`] is no bound.
    pub floor: i64,
    pub ceiling: i64,
}

/// A node in whole steps.
struct Bounds {
    weight: i128,
    floor: i128,
    ceiling: Option<i128>,
}

/// The amount of every node (outer) in every period (inner). The amounts sum to `total`; a node's amounts keep its bounds.
/// `show` writes an amount for the words of a refusal.
pub fn spread(
    nodes: &[Node],
    seasons: &[i64],
    total: i64,
    step: i64,
    equal_share: i64,
    show: impl Fn(i128) -> String,
) -> Result<Vec<Vec<i64>>, String> {
    if nodes.is_empty() || seasons.is_empty() {
        return Err("there is nothing to spread over; give at least one node and one period".to_owned());
    }
    if total < 0 {
        return Err(format!("the total `{}` is negative; a quota is spread from zero up", show(total.into())));
    }
    if step <= 0 {
        return Err("the step must be above zero, for example `1`".to_owned());
    }
    let step = i128::from(step);
    let bounds = bounds(nodes, step, equal_share, &show)?;
    let (units, rest) = (i128::from(total) / step, i128::from(total) % step);
    let floors: i128 = bounds.iter().map(|node| node.floor).sum();
    if floors > units {
        return Err(format!(
            "the floors need `{}` in steps of `{}`, the total is `{}`; lower a floor or raise the total",
            show(floors * step),
            show(step),
            show(total.into())
        ));
    }
    let shares = fill(&bounds, units, |missing| {
        format!(
            "the ceilings leave `{}` of the total `{}` without a receiver; raise a ceiling, or give weight to a node that has room",
            show(missing * step + rest),
            show(total.into())
        )
    })?;
    let mut sums: Vec<i128> = shares.iter().map(|share| share * step).collect();
    if rest > 0 {
        let receiver = (0..nodes.len())
            .filter(|index| bounds[*index].weight > 0)
            .find(|index| nodes[*index].ceiling == NULL || sums[*index] + rest <= i128::from(nodes[*index].ceiling))
            .ok_or_else(|| {
                format!(
                    "the total has `{}` over whole steps and no node has room for it; raise a ceiling or use a smaller step",
                    show(rest)
                )
            })?;
        sums[receiver] += rest;
    }
    Ok(over_periods(&sums, seasons, step))
}

fn bounds(nodes: &[Node], step: i128, equal_share: i64, show: &impl Fn(i128) -> String) -> Result<Vec<Bounds>, String> {
    for node in nodes {
        if node.weight != NULL && node.weight < 0 {
            return Err(format!("node `{}` has the weight `{}`; a weight is zero or more", node.name, show(node.weight.into())));
        }
    }
    let weight = |node: &Node| if node.weight == NULL { 0 } else { i128::from(node.weight) };
    let sum: i128 = nodes.iter().map(weight).sum();
    let whole = i128::from(crate::WHOLE);
    let equal = i128::from(equal_share);
    let mut bounds = Vec::with_capacity(nodes.len());
    for node in nodes {
        // With no weight at all everybody counts the same.
        let weight = if sum == 0 { 1 } else { weight(node) * (whole - equal) * nodes.len() as i128 + sum * equal };
        let floor = if node.floor == NULL { 0 } else { (i128::from(node.floor).max(0) + step - 1) / step };
        let ceiling = (node.ceiling != NULL).then(|| i128::from(node.ceiling).div_euclid(step));
        if ceiling.is_some_and(|ceiling| ceiling < floor) {
            return Err(format!(
                "node `{}` has no amount between floor `{}` and ceiling `{}` in steps of `{}`",
                node.name,
                if node.floor == NULL { show(0) } else { show(node.floor.into()) },
                show(node.ceiling.into()),
                show(step)
            ));
        }
        bounds.push(Bounds { weight, floor, ceiling });
    }
    Ok(bounds)
}

/// Units by weight between the bounds. Nodes that would break a bound are set to it, the side that is broken by more first:
/// what one side takes can only push the rest further that way, so nothing set is ever regretted.
fn fill(bounds: &[Bounds], units: i128, too_little_room: impl Fn(i128) -> String) -> Result<Vec<i128>, String> {
    let mut shares: Vec<Option<i128>> = bounds.iter().map(|node| (node.weight == 0).then_some(node.floor)).collect();
    loop {
        let left = units - shares.iter().flatten().sum::<i128>();
        let free: Vec<usize> = (0..bounds.len()).filter(|index| shares[*index].is_none()).collect();
        let weight: i128 = free.iter().map(|index| bounds[*index].weight).sum();
        if free.is_empty() {
            return if left == 0 { Ok(shares.into_iter().flatten().collect()) } else { Err(too_little_room(left)) };
        }
        let large = || "the weights are too large to spread exactly; divide them all by the same number".to_owned();
        let (mut above, mut below) = (0i128, 0i128);
        let mut breaks = Vec::with_capacity(free.len());
        for index in &free {
            let node = &bounds[*index];
            let exact = left.checked_mul(node.weight).ok_or_else(large)?;
            let over = match node.ceiling {
                Some(ceiling) => (exact - ceiling.checked_mul(weight).ok_or_else(large)?).max(0),
                None => 0,
            };
            let under = (node.floor.checked_mul(weight).ok_or_else(large)? - exact).max(0);
            above = above.checked_add(over).ok_or_else(large)?;
            below = below.checked_add(under).ok_or_else(large)?;
            breaks.push((over, under));
        }
        if above == 0 && below == 0 {
            let weights: Vec<i128> = free.iter().map(|index| bounds[*index].weight).collect();
            for (index, part) in free.iter().zip(largest_remainder(left, &weights, &mut vec![0; weights.len()])) {
                shares[*index] = Some(part);
            }
            return Ok(shares.into_iter().flatten().collect());
        }
        for (index, (over, under)) in free.iter().zip(breaks) {
            if above >= below && over > 0 {
                shares[*index] = bounds[*index].ceiling;
            } else if above < below && under > 0 {
                shares[*index] = Some(bounds[*index].floor);
            }
        }
    }
}

/// Parts of `units` by `weights` (positive in sum). Left-over units go to the largest remainders, of equal ones to the first.
/// `carried` is what earlier calls kept back from each part, in 1 ÷ sum of weights; it is added to the remainders and kept up.
fn largest_remainder(units: i128, weights: &[i128], carried: &mut [i128]) -> Vec<i128> {
    let sum: i128 = weights.iter().sum();
    let mut parts: Vec<i128> = weights.iter().map(|weight| units * weight / sum).collect();
    let left_over = units - parts.iter().sum::<i128>();
    let mut order: Vec<usize> = (0..weights.len()).filter(|index| units * weights[*index] % sum != 0).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(units * weights[*index] % sum + carried[*index]), *index));
    for index in order.into_iter().take(left_over as usize) {
        parts[index] += 1;
    }
    for (index, weight) in weights.iter().enumerate() {
        carried[index] += units * weight - parts[index] * sum;
    }
    parts
}

/// Every node's sum by season. What rounding keeps from a period at one node it gets at a later one, so that the periods' own
/// sums follow the seasons too.
fn over_periods(sums: &[i128], seasons: &[i64], step: i128) -> Vec<Vec<i64>> {
    let mut weights: Vec<i128> =
        seasons.iter().map(|season| if *season == NULL { i128::from(crate::WHOLE) } else { i128::from(*season) }).collect();
    if weights.iter().sum::<i128>() == 0 {
        weights.fill(1);
    }
    let mut carried = vec![0i128; weights.len()];
    let largest = (0..weights.len()).max_by_key(|index| (weights[*index], std::cmp::Reverse(*index))).unwrap_or(0);
    sums.iter()
        .map(|sum| {
            let mut parts: Vec<i64> =
                largest_remainder(sum / step, &weights, &mut carried).into_iter().map(|part| (part * step) as i64).collect();
            parts[largest] += (sum % step) as i64;
            parts
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str, weight: i64, floor: i64, ceiling: i64) -> Node {
        Node { name: name.to_owned(), weight, floor, ceiling }
    }

    fn sums(nodes: &[Node], total: i64) -> Result<Vec<i64>, String> {
        spread(nodes, &[NULL], total, 1, 0, |amount| amount.to_string()).map(|rows| rows.into_iter().map(|row| row.iter().sum()).collect())
    }

    #[test]
    fn a_total_follows_the_weights() {
        assert_eq!(sums(&[node("a", 1, NULL, NULL), node("b", 3, NULL, NULL)], 100), Ok(vec![25, 75]));
        assert_eq!(sums(&[node("a", 1, NULL, NULL), node("b", 1, NULL, NULL), node("c", 1, NULL, NULL)], 100), Ok(vec![34, 33, 33]));
    }

    #[test]
    fn what_a_ceiling_cuts_off_goes_to_the_others_by_weight() {
        assert_eq!(sums(&[node("a", 2, NULL, 20), node("b", 1, NULL, NULL), node("c", 1, NULL, NULL)], 100), Ok(vec![20, 40, 40]));
    }

    #[test]
    fn a_floor_is_paid_for_by_the_others() {
        assert_eq!(sums(&[node("a", 1, 40, NULL), node("b", 3, NULL, NULL), node("c", 6, NULL, NULL)], 100), Ok(vec![40, 20, 40]));
    }

    #[test]
    fn floors_and_ceilings_can_bind_together() {
        let nodes = [node("a", 10, NULL, 30), node("b", 1, 30, NULL), node("c", 1, NULL, 50), node("d", 1, NULL, NULL)];
        assert_eq!(sums(&nodes, 100), Ok(vec![30, 30, 20, 20]));
    }

    #[test]
    fn bounds_that_cannot_be_kept_are_refused_in_words() {
        assert!(sums(&[node("a", 1, 60, NULL), node("b", 1, 50, NULL)], 100).is_err_and(|message| message.contains("floors need `110`")));
        assert!(sums(&[node("a", 1, NULL, 60), node("b", 1, NULL, 30)], 100).is_err_and(|message| message.contains("leave `10`")));
        assert!(sums(&[node("a", 1, 7, 6)], 6).is_err_and(|message| message.contains("node `a`")));
        assert!(sums(&[node("a", -1, NULL, NULL)], 6).is_err_and(|message| message.contains("weight")));
        assert!(sums(&[node("a", 1, NULL, NULL)], -6).is_err_and(|message| message.contains("negative")));
        assert!(sums(&[], 6).is_err());
    }

    #[test]
    fn without_any_weight_all_count_the_same() {
        assert_eq!(sums(&[node("a", 0, NULL, NULL), node("b", 0, NULL, 10)], 100), Ok(vec![90, 10]));
        assert_eq!(sums(&[node("a", 0, 5, NULL), node("b", 1, NULL, NULL)], 100), Ok(vec![5, 95]));
    }

    #[test]
    fn an_equal_share_softens_the_weights() {
        let nodes = [node("a", 1, NULL, NULL), node("b", 3, NULL, NULL)];
        let rows = spread(&nodes, &[NULL], 100, 1, crate::WHOLE / 2, |amount| amount.to_string()).expect("spread");
        assert_eq!(rows, [[38], [62]]);
    }

    #[test]
    fn amounts_are_whole_steps_and_the_rest_has_a_receiver() {
        let nodes = [node("a", 1, NULL, NULL), node("b", 1, NULL, NULL), node("c", 1, NULL, NULL)];
        let rows = spread(&nodes, &[1, 1], 1_007, 100, 0, |amount| amount.to_string()).expect("spread");
        assert_eq!(rows, [[207, 200], [200, 100], [100, 200]]);
    }

    #[test]
    fn periods_follow_the_seasons_in_their_sums_too() {
        let nodes: Vec<Node> = (0..30).map(|_| node("n", 1, NULL, NULL)).collect();
        let rows = spread(&nodes, &[1, 1, 1, 1], 30 * 5, 1, 0, |amount| amount.to_string()).expect("spread");
        for period in 0..4 {
            let sum: i64 = rows.iter().map(|row| row[period]).sum();
            assert!((37..=38).contains(&sum), "{sum} in period {period}");
        }
        assert!(rows.iter().all(|row| row.iter().sum::<i64>() == 5));
    }

    #[test]
    fn whatever_the_bounds_sums_are_exact_and_bounds_kept() {
        let mut state = 5u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let (mut spread_count, mut refused_count) = (0, 0);
        for _ in 0..3_000 {
            let nodes: Vec<Node> = (0..1 + next(8))
                .map(|index| {
                    let floor = if next(3) == 0 { next(500) as i64 } else { NULL };
                    let ceiling = if next(3) == 0 { floor.max(0) + next(900) as i64 } else { NULL };
                    node(&index.to_string(), next(50) as i64, floor, ceiling)
                })
                .collect();
            let total = next(3_000) as i64;
            let step = [1, 10, 7][next(3) as usize];
            let seasons: Vec<i64> = (0..1 + next(5)).map(|_| next(4) as i64).collect();
            match spread(&nodes, &seasons, total, step, 0, |amount| amount.to_string()) {
                Ok(rows) => {
                    spread_count += 1;
                    assert_eq!(rows.iter().flatten().sum::<i64>(), total);
                    for (node, row) in nodes.iter().zip(&rows) {
                        let sum: i64 = row.iter().sum();
                        assert!(node.floor == NULL || sum >= node.floor, "{node:?} {sum}");
                        assert!(node.ceiling == NULL || sum <= node.ceiling, "{node:?} {sum}");
                        assert!(row.iter().all(|amount| *amount >= 0));
                    }
                }
                Err(_) => refused_count += 1,
            }
        }
        assert!(spread_count > 1_000 && refused_count > 100, "{spread_count} spread, {refused_count} refused");
    }
}
