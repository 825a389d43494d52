//! SplitMix64: the same seed gives the same company on every machine.

pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number of `from..=to`.
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        let span = (to - from + 1) as u128;
        from + ((u128::from(self.next()) * span) >> 64) as i64
    }

    pub fn per_mille(&mut self, chance: i64) -> bool {
        self.between(0, 999) < chance
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.between(0, from.len() as i64 - 1) as usize]
    }

    /// An index, each as likely as its weight.
    pub fn weighted(&mut self, weights: &[i64]) -> usize {
        let mut left = self.between(0, weights.iter().sum::<i64>() - 1);
        for (index, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0 {
                return index;
            }
        }
        weights.len() - 1
    }
}
