//! Numbers that look random and are the same in every run, so that the same world is made everywhere.

/// The splitmix64 sequence from a seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// A sequence of its own for each pair.
    pub(crate) fn of(kind: u64, number: usize) -> Self {
        let mut random = Self(kind.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ number as u64);
        // Neighbouring seeds have nothing in common after one step.
        random.0 = random.next();
        random
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// From 0 on, below a bound, which must not be 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).unwrap_or(0)
    }

    /// One of some, which must not be none.
    pub(crate) fn pick<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.below(some.len())]
    }

    /// One of some words.
    pub(crate) fn word<'a>(&mut self, some: &'a [String]) -> &'a str {
        self.pick::<String>(some)
    }

    /// From 0 on, below 1.
    pub(crate) fn unit(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 32).unwrap_or(0)) / 4_294_967_296.0
    }

    pub(crate) fn chance(&mut self, part: f64) -> bool {
        self.unit() < part
    }

    /// A place in a list of so many by how often people use it: the n-th about 1/n times as often as the first (Zipf).
    pub(crate) fn rank(&mut self, length: usize) -> usize {
        let most = f64::from(u32::try_from(length).unwrap_or(u32::MAX)) + 1.0;
        whole(most.powf(self.unit()) - 1.0).min(length.saturating_sub(1))
    }

    /// One of some by that.
    pub(crate) fn frequent<'a, T>(&mut self, some: &'a [T]) -> &'a T {
        &some[self.rank(some.len())]
    }

    /// A number with this median, whose logarithm is spread normally by `spread`.
    pub(crate) fn skewed(&mut self, median: f64, spread: f64) -> f64 {
        let (radius, angle) = ((-2.0 * (1.0 - self.unit()).ln()).sqrt(), self.unit() * std::f64::consts::TAU);
        median * (spread * radius * angle.cos()).exp()
    }
}

/// The whole part of a number that is not negative.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "what is too large is cut, as wanted")]
pub(crate) fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}
