//! Globs among the words of a query: names, capabilities and tags are scanned for them, in memory.

use super::Error;
use super::bits::Bits;
use super::names::package;
use super::postings::each;
use super::snapshot::Snapshot;
use super::values::Facet;
use crate::api::Pattern;

/// Shortest beginning, in bytes, that is also looked for in descriptions and READMEs.
const MIN_BEGINNING: usize = 3;
/// Most words of descriptions and READMEs that one beginning finds.
const MAX_WORDS: usize = 64;

/// What a glob finds.
pub(super) struct Globbed {
    /// In the package's name, or in a word of it.
    pub(super) named: Bits,
    /// There, or in a capability or tag or a word of one, or as the beginning of any word.
    pub(super) any: Bits,
}

/// Looks for a glob among the visible documents.
pub(super) fn find(pattern: &Pattern, snapshot: &Snapshot, visible: &Bits) -> Result<Globbed, Error> {
    let columns = &snapshot.columns;
    let (mut named, mut labelled) = (Bits::with_room(columns.room()), Bits::with_room(columns.room()));
    let vocabulary = &columns.vocabulary;
    for word in vocabulary.starting(&pattern.prefix()) {
        if pattern.matches_lower(vocabulary.text(*word)) {
            vocabulary.named(*word).add_to(&mut named);
            vocabulary.add_labelled(*word, &columns.values, &mut labelled);
        }
    }
    if !is_within_word(pattern) {
        let mut whole = visible.clone();
        whole.and_not(&named);
        whole.retain(|slot| pattern.matches_lower(package(columns.names.get(slot))));
        named.or(&whole);
        for facet in [Facet::Capability, Facet::Tag] {
            labelled.or(&columns.values.matching(facet, pattern, columns.room()));
        }
    }
    named.and(visible);
    labelled.or(&named);
    let beginning = pattern.prefix();
    if pattern.is_prefix() && beginning.len() >= MIN_BEGINNING {
        for stem in snapshot.starting(&beginning, MAX_WORDS)? {
            for segment in snapshot.segments.iter() {
                each(segment, &snapshot.fields, &stem, |document, _| {
                    if let Some(slot) = segment.slot(document) {
                        labelled.insert(slot);
                    }
                })?;
            }
        }
    }
    Ok(Globbed { named, any: labelled })
}

/// Whether a name, capability or tag that matches has a word that matches: letters with `*` around them.
fn is_within_word(pattern: &Pattern) -> bool {
    pattern.core().is_some_and(|core| !core.is_empty() && core.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}
