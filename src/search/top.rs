//! The best of many, in order, after a place.

/// A place in an order: the greater key comes first, then the lower rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) key: u64,
    pub(super) rank: u32,
}

impl Place {
    /// Grows with the order.
    const fn order(self) -> u128 {
        (!self.key as u128) << 32 | self.rank as u128
    }
}

/// Collects the first `limit` after a place, and counts what comes after it.
#[derive(Debug)]
pub(super) struct Top {
    limit: usize,
    /// Where to begin: the first place that counts.
    begin: u128,
    /// What comes after this is not among the first.
    end: u128,
    kept: Vec<(u128, u32)>,
    rest: u64,
}

impl Top {
    pub(super) fn new(limit: usize, begin: Option<Place>) -> Self {
        let begin = begin.map_or(0, Place::order);
        Self { limit, begin, end: u128::MAX, kept: Vec::with_capacity(limit * 2), rest: 0 }
    }

    pub(super) fn take(&mut self, place: Place, slot: u32) {
        let order = place.order();
        if order < self.begin {
            return;
        }
        self.rest += 1;
        if order >= self.end || self.limit == 0 {
            return;
        }
        if self.kept.len() >= self.limit * 2 {
            self.cut();
        }
        self.kept.push((order, slot));
    }

    fn cut(&mut self) {
        if self.kept.len() > self.limit {
            let (_, last, _) = self.kept.select_nth_unstable(self.limit);
            self.end = last.0;
            self.kept.truncate(self.limit);
        }
    }

    /// The slots in order, and whether there are more.
    #[expect(clippy::cast_possible_truncation, reason = "the lower half, and the upper")]
    pub(super) fn finish(mut self) -> (Vec<(Place, u32)>, bool) {
        self.cut();
        self.kept.sort_unstable();
        let is_more = self.rest > self.kept.len() as u64;
        let place = |order: u128| Place { key: !((order >> 32) as u64), rank: order as u32 };
        (self.kept.into_iter().map(|(order, slot)| (place(order), slot)).collect(), is_more)
    }
}
