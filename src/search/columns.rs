//! What is kept of every document in memory: by slots, in which two versions share what did not change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::Document;
use super::bits::Bits;
use super::chunked::{Chunked, Lists};
use super::live::Live;
use super::names::{Names, package};
use super::slot_map::SlotMap;
use super::text;
use super::values::{Facet, Values};
use super::versions::Versions;
use super::vocabulary::{Postings, Vocabulary};
use crate::auth::Visibility;
use crate::package::Summary;

/// Bytes of a value that count, in capabilities and the like; what follows is cut off.
pub(super) const MAX_VALUE_BYTES: usize = 512;
/// Capabilities that count, and tags; what follows is left out.
pub(super) const MAX_VALUES: usize = 256;
/// Versions of a package that count.
pub(super) const MAX_VERSIONS: usize = 100_000;

/// The columns. A slot is a document's place for as long as there is the document.
#[derive(Clone, Debug, Default)]
pub(super) struct Columns {
    pub(super) slots: SlotMap,
    /// The repository's row.
    pub(super) ids: Chunked<i64>,
    /// Nanoseconds since 1970.
    pub(super) updated: Chunked<i64>,
    pub(super) names: Names,
    pub(super) versions: Versions,
    pub(super) values: Values,
    /// The values of each slot.
    pub(super) having: Lists<u32>,
    pub(super) vocabulary: Vocabulary,
    pub(super) live: Live,
    pub(super) taken: Arc<Bits>,
    pub(super) signed: Arc<Bits>,
    pub(super) public: Arc<Bits>,
    /// What members of the organisation see.
    pub(super) internal: Arc<Bits>,
    /// The event that said who sees each.
    visible_as_of: Chunked<u64>,
    /// Slots without document, to be used again.
    free: Vec<u32>,
    /// Changes whenever somebody may see more or less; no two searches of a process share one.
    pub(super) sight: u64,
    /// Slots whose name is not in order yet.
    unsorted: Vec<u32>,
    is_unsorted: bool,
}

/// A document as it is read from disk.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) id: i64,
    pub(super) updated: i64,
    pub(super) visible_as_of: u64,
    pub(super) visibility: Visibility,
    pub(super) signed: bool,
    pub(super) name: String,
    /// In any order.
    pub(super) values: Vec<u32>,
    /// The highest first.
    pub(super) versions: Vec<u32>,
}

/// A number that was not used before in this process.
fn next_sight() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Columns {
    pub(super) fn new() -> Self {
        Self { sight: next_sight(), ..Self::default() }
    }

    /// The columns of rows, whose values and versions are known already; nothing where two are of one repository.
    pub(super) fn filled(rows: Vec<Row>, values: Values, versions: Versions) -> Option<Self> {
        let mut columns = Self { versions, values, ..Self::new() };
        let mut having = vec![vec![]; columns.values.len()];
        let (mut named, mut labelled) = (Postings::new(), Postings::new());
        let room = rows.len();
        for (slot, mut row) in (0u32..).zip(rows) {
            if columns.slots.get(row.id).is_some() {
                return None;
            }
            row.values.sort_unstable();
            row.values.dedup();
            row.values.iter().for_each(|value| having[*value as usize].push(slot));
            each_word(package(&row.name), |word| named.entry(word).or_default().push(slot));
            columns.push(slot, &row);
        }
        for (value, slots) in (0u32..).zip(having) {
            if matches!(columns.values.facet(value), Facet::Capability | Facet::Tag) {
                each_word(columns.values.text(value), |word| labelled.entry(word).or_default().push(value));
            }
            columns.values.fill_slots(value, slots, room);
        }
        columns.vocabulary = Vocabulary::filled(named, labelled, room);
        let all: Vec<u32> = columns.taken.iter().collect();
        columns.names.sort(&all, &columns.taken);
        Some(columns)
    }

    fn push(&mut self, slot: u32, row: &Row) {
        self.seat(row.id);
        *self.updated.get_mut(slot as usize) = row.updated;
        self.names.set(slot, &row.name);
        self.having.set(slot as usize, &row.values);
        self.versions.set_numbers(slot, &row.versions);
        Arc::make_mut(&mut self.signed).set(slot, row.signed);
        self.show(slot, row.visibility, row.visible_as_of);
    }

    /// Slots that there are, free ones included.
    pub(super) fn room(&self) -> usize {
        self.ids.len()
    }

    /// Takes a document in. [`Self::settle`] must follow.
    pub(super) fn put(&mut self, document: &Document) {
        let known = self.slots.get(document.repository_id);
        let slot = known.unwrap_or_else(|| self.seat(document.repository_id));
        let summary = &document.summary;
        self.rename(slot, summary.repository.as_str(), known.is_none());
        let values = self.numbers(summary);
        self.set_values(slot, &values);
        *self.updated.get_mut(slot as usize) = nanoseconds(summary);
        self.versions.set(slot, &document.versions);
        Arc::make_mut(&mut self.signed).set(slot, document.signed);
        if known.is_none() || *self.visible_as_of.get(slot as usize) <= document.as_of {
            self.show(slot, document.visibility, document.as_of);
        }
    }

    /// Takes a document out. [`Self::settle`] must follow.
    pub(super) fn remove(&mut self, id: i64) {
        let Some(slot) = self.slots.remove(id) else { return };
        self.rename(slot, "", false);
        self.set_values(slot, &[]);
        self.versions.set(slot, &[]);
        for bits in [&mut self.taken, &mut self.signed, &mut self.public, &mut self.internal] {
            Arc::make_mut(bits).remove(slot);
        }
        self.sight = next_sight();
        self.free.push(slot);
    }

    /// Brings names in order after changes.
    pub(super) fn settle(&mut self) {
        if std::mem::take(&mut self.is_unsorted) {
            self.names.sort(&std::mem::take(&mut self.unsorted), &self.taken);
        }
    }

    /// Says who sees a document, where nothing newer said so.
    pub(super) fn set_visibility(&mut self, id: i64, visibility: Visibility, as_of: u64) {
        if let Some(slot) = self.slots.get(id)
            && *self.visible_as_of.get(slot as usize) <= as_of
        {
            self.show(slot, visibility, as_of);
        }
    }

    /// Who sees a document, and the event that said so.
    pub(super) fn visibility(&self, id: i64) -> Option<(Visibility, u64)> {
        let slot = self.slots.get(id)?;
        let visibility = match (self.public.contains(slot), self.internal.contains(slot)) {
            (true, _) => Visibility::Public,
            (false, true) => Visibility::Org,
            (false, false) => Visibility::Private,
        };
        Some((visibility, *self.visible_as_of.get(slot as usize)))
    }

    fn show(&mut self, slot: u32, visibility: Visibility, as_of: u64) {
        *self.visible_as_of.get_mut(slot as usize) = as_of;
        let wanted = (visibility == Visibility::Public, visibility == Visibility::Org);
        if wanted != (self.public.contains(slot), self.internal.contains(slot)) {
            Arc::make_mut(&mut self.public).set(slot, wanted.0);
            Arc::make_mut(&mut self.internal).set(slot, wanted.1);
            self.sight = next_sight();
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "memory ends before 2^32 slots")]
    fn seat(&mut self, id: i64) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.ids.push(id);
            self.updated.push(0);
            self.names.grow();
            self.versions.grow();
            self.having.push(&[]);
            self.visible_as_of.push(0);
            self.live.grow(self.ids.len());
            (self.ids.len() - 1) as u32
        });
        *self.ids.get_mut(slot as usize) = id;
        self.live.set(slot, &crate::api::Standing::default());
        self.slots.insert(id, slot);
        Arc::make_mut(&mut self.taken).insert(slot);
        self.sight = next_sight();
        slot
    }

    fn rename(&mut self, slot: u32, name: &str, is_new: bool) {
        let before = self.names.get(slot).to_owned();
        if !is_new && before == name {
            return;
        }
        let all = self.room();
        let (old, new) = (self.name_words(&before), self.name_words(name));
        old.iter().filter(|word| !new.contains(word)).for_each(|word| self.vocabulary.remove(*word, slot, all));
        new.iter().filter(|word| !old.contains(word)).for_each(|word| self.vocabulary.insert(*word, slot, all));
        self.names.set(slot, name);
        self.unsorted.push(slot);
        self.is_unsorted = true;
    }

    fn name_words(&mut self, name: &str) -> Vec<u32> {
        let mut words = vec![];
        each_word(package(name), |word| words.push(self.vocabulary.number(&word)));
        words
    }

    fn set_values(&mut self, slot: u32, values: &[u32]) {
        let before = self.having.get(slot as usize).to_vec();
        if before == values {
            return;
        }
        let all = self.room();
        before.iter().filter(|value| !values.contains(value)).for_each(|value| self.values.remove(*value, slot, all));
        values.iter().filter(|value| !before.contains(value)).for_each(|value| self.values.insert(*value, slot, all));
        self.having.set(slot as usize, values);
    }

    /// The values of a summary, in order.
    fn numbers(&mut self, summary: &Summary) -> Vec<u32> {
        let mut numbers = vec![];
        each_value(summary, |facet, text| numbers.push(self.value(facet, text)));
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// The number of a value; the words of one not known before are taken in.
    fn value(&mut self, facet: Facet, text: &str) -> u32 {
        let known = self.values.len();
        let number = self.values.number(facet, text);
        if self.values.len() > known {
            self.learn(facet, number);
        }
        number
    }

    /// Takes in the words of a value.
    fn learn(&mut self, facet: Facet, value: u32) {
        if matches!(facet, Facet::Capability | Facet::Tag) {
            let text = Arc::clone(self.values.text(value));
            each_word(&text, |word| {
                let number = self.vocabulary.number(&word);
                self.vocabulary.label(number, value);
            });
        }
    }
}

/// The words of a name or value, each once.
fn each_word(text: &str, take: impl FnMut(String)) {
    let mut words = vec![];
    text::words(text, |word| words.push(word.to_owned()));
    words.sort_unstable();
    words.dedup();
    words.into_iter().for_each(take);
}

/// The values of a summary that is not empty there, cut where they are very long.
pub(super) fn each_value(summary: &Summary, mut take: impl FnMut(Facet, &str)) {
    let one = |text| std::slice::from_ref(text);
    let namespace = summary.repository.namespace().map(str::to_owned);
    let all: [(Facet, &[String]); 8] = [
        (Facet::Capability, &summary.capabilities),
        (Facet::Tag, &summary.tags),
        (Facet::Model, one(&summary.model)),
        (Facet::Runtime, one(&summary.runtime)),
        (Facet::Author, one(&summary.author)),
        (Facet::License, one(&summary.license)),
        (Facet::Kind, one(&summary.kind)),
        (Facet::Namespace, namespace.as_slice()),
    ];
    for (facet, values) in all {
        for value in values.iter().filter(|value| !value.is_empty()).take(MAX_VALUES) {
            take(facet, &value[..value.floor_char_boundary(MAX_VALUE_BYTES)]);
        }
    }
}

/// Times beyond the years that nanoseconds count to are the first or last of them.
pub(super) fn nanoseconds(summary: &Summary) -> i64 {
    let nanoseconds = summary.updated_at.as_nanosecond();
    i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
}
