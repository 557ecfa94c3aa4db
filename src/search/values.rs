//! What packages say of themselves in single values: capabilities, tags, model and the like, each with who has it.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use super::bits::Bits;
use super::chunked::Chunked;
use super::slots::Slots;
use crate::api::{Field, Pattern};

/// What a value is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Facet {
    Capability,
    Tag,
    Model,
    Runtime,
    Author,
    License,
    Kind,
    Namespace,
}

impl Facet {
    pub(super) const ALL: [Self; 8] = [
        Self::Capability,
        Self::Tag,
        Self::Model,
        Self::Runtime,
        Self::Author,
        Self::License,
        Self::Kind,
        Self::Namespace,
    ];

    /// The facet a field of the query asks for; the name is none.
    pub(super) const fn of(field: Field) -> Option<Self> {
        Some(match field {
            Field::Name => return None,
            Field::Namespace => Self::Namespace,
            Field::Capability => Self::Capability,
            Field::Tag => Self::Tag,
            Field::Author => Self::Author,
            Field::Model => Self::Model,
            Field::Runtime => Self::Runtime,
            Field::License => Self::License,
            Field::Kind => Self::Kind,
        })
    }

    /// Whether a pattern of a query means a value, as [`Field::matches`] has it of whole summaries.
    fn matches(self, pattern: &Pattern, lower: &str) -> bool {
        match self {
            Self::Author => pattern.occurs_in(lower),
            Self::Model => {
                let name = lower.split_once('/').map(|(_, name)| name);
                pattern.matches_lower(lower) || name.is_some_and(|name| pattern.matches_lower(name))
            }
            Self::License => {
                let mut parts = lower.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '/'));
                pattern.matches_lower(lower) || parts.any(|part| !part.is_empty() && pattern.matches_lower(part))
            }
            _ => pattern.matches_lower(lower),
        }
    }

    /// Whether a pattern can only mean values that are, or begin as, the pattern.
    const fn is_plain(self) -> bool {
        matches!(self, Self::Capability | Self::Tag | Self::Runtime | Self::Kind | Self::Namespace)
    }
}

/// Every value that any package ever had; its number never changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    facets: Chunked<Facet>,
    texts: Chunked<Arc<str>>,
    /// In lower case.
    lower: Chunked<Arc<str>>,
    slots: Chunked<Arc<Slots>>,
    /// The values of each facet, by lower case, then as written.
    order: [Arc<Vec<u32>>; Facet::ALL.len()],
}

impl Values {
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn facet(&self, value: u32) -> Facet {
        *self.facets.get(value as usize)
    }

    /// As written.
    pub(super) fn text(&self, value: u32) -> &Arc<str> {
        self.texts.get(value as usize)
    }

    pub(super) fn slots(&self, value: u32) -> &Slots {
        self.slots.get(value as usize)
    }

    /// The number of a value, a new one where nobody had it before.
    pub(super) fn number(&mut self, facet: Facet, text: &str) -> u32 {
        let lower = text.to_lowercase();
        let place = self.order[facet as usize].binary_search_by(|value| self.compare(*value, &lower, text));
        match place {
            Ok(at) => self.order[facet as usize][at],
            Err(at) => {
                let number = self.append(facet, text, &lower);
                Arc::make_mut(&mut self.order[facet as usize]).insert(at, number);
                number
            }
        }
    }

    /// The values of a facet, where they are known to be new and are given in any order.
    pub(super) fn fill(&mut self, facet: Facet, texts: impl Iterator<Item = String>) {
        let numbers: Vec<u32> = texts.map(|text| self.append(facet, &text, &text.to_lowercase())).collect();
        let mut order = Vec::clone(&self.order[facet as usize]);
        order.extend(numbers);
        order.sort_unstable_by(|one, other| self.compare(*one, self.lower(*other), self.text(*other)));
        self.order[facet as usize] = Arc::new(order);
    }

    #[expect(clippy::cast_possible_truncation, reason = "memory ends before 2^32 values")]
    fn append(&mut self, facet: Facet, text: &str, lower: &str) -> u32 {
        let number = self.texts.len() as u32;
        let text: Arc<str> = text.into();
        self.lower.push(if *text == *lower { Arc::clone(&text) } else { lower.into() });
        self.texts.push(text);
        self.facets.push(facet);
        self.slots.push(Arc::default());
        number
    }

    fn lower(&self, value: u32) -> &str {
        self.lower.get(value as usize)
    }

    fn compare(&self, value: u32, lower: &str, text: &str) -> Ordering {
        self.lower(value).cmp(lower).then_with(|| (**self.text(value)).cmp(text))
    }

    /// Says which slots, of `all` that there are, have a value; in order.
    pub(super) fn fill_slots(&mut self, value: u32, slots: Vec<u32>, all: usize) {
        *self.slots.get_mut(value as usize) = Arc::new(Slots::of(slots, all));
    }

    /// Says that a slot, of `all` that there are, has a value now.
    pub(super) fn insert(&mut self, value: u32, slot: u32, all: usize) {
        Arc::make_mut(self.slots.get_mut(value as usize)).insert(slot, all);
    }

    /// Says that a slot, of `all` that there are, has a value no more.
    pub(super) fn remove(&mut self, value: u32, slot: u32, all: usize) {
        Arc::make_mut(self.slots.get_mut(value as usize)).remove(slot, all);
    }

    /// The slots with any value that a pattern means.
    pub(super) fn matching(&self, facet: Facet, pattern: &Pattern, room: usize) -> Bits {
        let mut found = Bits::with_room(room);
        for value in self.range(facet, pattern) {
            if facet.matches(pattern, self.lower(*value)) {
                self.slots(*value).add_to(&mut found);
            }
        }
        found
    }

    /// The slots with exactly this value, in lower case.
    pub(super) fn of_text(&self, facet: Facet, text: &str, found: &mut Bits) {
        let order = &self.order[facet as usize];
        let begin = order.partition_point(|value| self.lower(*value) < text);
        for value in order[begin..].iter().take_while(|value| self.lower(**value) == text) {
            self.slots(*value).add_to(found);
        }
    }

    /// The values among which all that a pattern means are.
    fn range(&self, facet: Facet, pattern: &Pattern) -> &[u32] {
        let order = &self.order[facet as usize];
        let prefix = pattern.prefix();
        if !facet.is_plain() || prefix.is_empty() {
            return order;
        }
        let Range { start, end } = self.starting(facet, &prefix);
        &order[start..end]
    }

    fn starting(&self, facet: Facet, prefix: &str) -> Range<usize> {
        let order = &self.order[facet as usize];
        let begin = order.partition_point(|value| self.lower(*value) < prefix);
        let length = order[begin..].partition_point(|value| self.lower(*value).starts_with(prefix));
        begin..begin + length
    }
}
