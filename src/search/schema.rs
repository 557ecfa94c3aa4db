//! What is on disk for each document: its words, and its columns as far as documents say them.

use tantivy::schema::{Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::{PreTokenizedString, RAW_TOKENIZER_NAME};
use tantivy::{TantivyDocument, Term};

use super::Document;
use super::columns::{MAX_VERSIONS, each_value, nanoseconds};
use super::indexed::Indexed;
use super::text::Stems;
use super::values::Facet;
use super::versions::plain;
use crate::auth::Visibility;

/// The format of all that is on disk, ways to cut and stem words included: another one is thrown away.
pub(super) const FORMAT: u32 = 1;

/// The repository's row.
pub(super) const ID: &str = "id";
/// The repository's name.
pub(super) const NAME: &str = "name";
/// When it was updated, in nanoseconds.
pub(super) const UPDATED: &str = "updated";
/// The event in whose view the document was read.
pub(super) const AS_OF: &str = "as_of";
/// Visibility and signature.
pub(super) const FLAGS: &str = "flags";
/// The versions, without build metadata.
pub(super) const VERSIONS: &str = "versions";

/// Set in [`FLAGS`] where there is a signature; below it is the visibility.
const SIGNED: u64 = 4;

/// The schema with its fields.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    pub(super) head: Field,
    pub(super) body: Field,
    id: Field,
    name: Field,
    updated: Field,
    as_of: Field,
    flags: Field,
    versions: Field,
    values: [Field; Facet::ALL.len()],
}

impl Fields {
    pub(super) fn new() -> Self {
        let mut schema = Schema::builder();
        let column = TextOptions::default().set_fast(RAW_TOKENIZER_NAME);
        let number = NumericOptions::default().set_fast();
        let words = |record| {
            let indexing = TextFieldIndexing::default().set_tokenizer(RAW_TOKENIZER_NAME).set_index_option(record);
            TextOptions::default().set_indexing_options(indexing)
        };
        Self {
            head: schema.add_text_field("head", words(IndexRecordOption::WithFreqs)),
            body: schema.add_text_field("body", words(IndexRecordOption::WithFreqsAndPositions)),
            id: schema.add_i64_field(ID, number.clone().set_indexed()),
            name: schema.add_text_field(NAME, column.clone()),
            updated: schema.add_i64_field(UPDATED, number.clone()),
            as_of: schema.add_u64_field(AS_OF, number.clone()),
            flags: schema.add_u64_field(FLAGS, number),
            versions: schema.add_text_field(VERSIONS, column.clone()),
            values: Facet::ALL.map(|facet| schema.add_text_field(facet.column(), column.clone())),
            schema: schema.build(),
        }
    }

    /// The term that finds a repository's document.
    pub(super) fn key(&self, id: i64) -> Term {
        Term::from_field_i64(self.id, id)
    }

    /// A document as the index takes it.
    pub(super) fn document(&self, document: &Document, stems: &mut Stems) -> TantivyDocument {
        let mut written = TantivyDocument::new();
        let Indexed { head, body } = Indexed::of(document, stems);
        for (field, tokens) in [(self.head, head), (self.body, body)] {
            written.add_pre_tokenized_text(field, PreTokenizedString { text: String::new(), tokens });
        }
        written.add_i64(self.id, document.repository_id);
        written.add_text(self.name, document.summary.repository.as_str());
        written.add_i64(self.updated, nanoseconds(&document.summary));
        written.add_u64(self.as_of, document.as_of);
        written.add_u64(self.flags, flags(document.visibility, document.signed));
        for version in document.versions.iter().take(MAX_VERSIONS) {
            written.add_text(self.versions, plain(version));
        }
        each_value(&document.summary, |facet, text| written.add_text(self.values[facet as usize], text));
        written
    }
}

fn flags(visibility: Visibility, signed: bool) -> u64 {
    let visibility = match visibility {
        Visibility::Private => 0,
        Visibility::Org => 1,
        Visibility::Public => 2,
    };
    visibility | if signed { SIGNED } else { 0 }
}

/// The visibility and signature; what is no visibility is private.
pub(super) fn from_flags(flags: u64) -> (Visibility, bool) {
    let visibility = match flags & !SIGNED {
        1 => Visibility::Org,
        2 => Visibility::Public,
        _ => Visibility::Private,
    };
    (visibility, flags & SIGNED != 0)
}

impl Facet {
    /// The name of its column.
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Capability => "capability",
            Self::Tag => "tag",
            Self::Model => "model",
            Self::Runtime => "runtime",
            Self::Author => "author",
            Self::License => "license",
            Self::Kind => "kind",
            Self::Namespace => "namespace",
        }
    }
}
