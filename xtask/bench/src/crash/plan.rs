//! Where the server of each round dies: at every kind of point, spread over all that it passes, and at random moments.

use std::collections::BTreeMap;

/// What ends the server in a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The n-th time that it passes the point.
    At(&'static str, u64),
    /// After so many milliseconds.
    After(u64),
    /// Nothing; the yardstick.
    Never,
}

impl End {
    /// Whether it lies where a home is set up: the round begins without one.
    pub fn is_cold(&self) -> bool {
        matches!(self, End::At(point, _) if COLD.contains(point))
    }

    pub fn name(&self) -> &'static str {
        match self {
            End::At(point, _) => point,
            End::After(_) => RANDOM,
            End::Never => "none",
        }
    }
}

pub const RANDOM: &str = "random moment";

/// Of a hundred rounds so many end at each point. Those in a write transaction come first.
const SHARES: [(&str, usize); 11] = [
    ("statement", 34),
    ("before-commit", 12),
    ("after-begin", 8),
    ("after-commit", 6),
    ("before-ack", 5),
    ("after-ack", 4),
    ("before-send", 3),
    ("after-send", 3),
    ("before-anchor", 2),
    ("half-anchor", 2),
    ("after-anchor", 1),
];
/// Keys and caches, which are written by the first start alone: once each.
const COLD: [&str; 4] = ["before-link", "after-link", "before-cache-write", "before-cache-rename"];
/// Each is ended at every single time that it is passed, where everything is asked for.
pub const EVERY: [&str; 11] = [
    "after-begin",
    "before-commit",
    "after-commit",
    "before-ack",
    "after-ack",
    "before-send",
    "after-send",
    "before-anchor",
    "half-anchor",
    "after-anchor",
    "statement",
];

/// Numbers that look like chance and are the same in every battery of that seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides.max(1)
    }
}

/// The ends of so many rounds, in an order in which every kind comes early. `passed` is how often undisturbed work passes each point.
pub fn ends(rounds: usize, passed: &BTreeMap<String, u64>, millis: u64, dice: &mut Dice) -> Vec<End> {
    let mut all = Vec::new();
    for (point, share) in SHARES {
        let count = (rounds * share).div_ceil(100) as u64;
        let hits = passed.get(point).copied().unwrap_or(0);
        // Spread evenly, each at a place of its own in its part; the last ones may not be passed again.
        let reach = (hits - hits / 20).max(1);
        for index in 0..count.min(reach) {
            let (from, until) = (index * reach / count.min(reach), (index + 1) * reach / count.min(reach));
            all.push(End::At(point, 1 + from + dice.roll(until - from)));
        }
    }
    if rounds >= 20 {
        all.extend(COLD.map(|point| End::At(point, 1)));
    }
    while all.len() < rounds {
        all.push(End::After(dice.roll(millis)));
    }
    // A shuffle, so that a short battery has some of each.
    for index in (1..all.len()).rev() {
        let other = dice.roll(index as u64 + 1) as usize;
        all.swap(index, other);
    }
    all.truncate(rounds);
    all
}
