//! Reading the columns from disk when a search is opened.

use std::collections::HashMap;

use tantivy::columnar::{Column, StrColumn};
use tantivy::{Searcher, SegmentReader};

use super::Error;
use super::columns::{Columns, Row};
use super::directory::invalid;
use super::schema::{AS_OF, FLAGS, NAME, UPDATED, VERSIONS, from_flags};
use super::segments::ids;
use super::values::{Facet, Values};
use super::versions::Versions;
use crate::package::Version;

/// The documents that are alive in one part, and the number of the first of them among all.
struct Part<'a> {
    reader: &'a SegmentReader,
    documents: Vec<u32>,
    first: usize,
}

/// Reads everything.
pub(super) fn load_columns(searcher: &Searcher) -> Result<Columns, Error> {
    let (mut parts, mut rows) = (vec![], vec![]);
    for reader in searcher.segment_readers() {
        let part = Part { reader, documents: reader.doc_ids_alive().collect(), first: rows.len() };
        read_numbers(&part, &mut rows)?;
        let names = texts(reader, NAME)?;
        names.each(&part, |row, ordinal| rows[row].name.clone_from(&names.dictionary[ordinal]));
        parts.push(part);
    }
    let mut values = Values::default();
    for facet in Facet::ALL {
        read_values(facet, &parts, &mut values, &mut rows)?;
    }
    let mut versions = Versions::default();
    read_versions(&parts, &mut versions, &mut rows)?;
    Columns::filled(rows, values, versions).ok_or_else(|| invalid("two documents are of one repository"))
}

fn read_numbers(part: &Part<'_>, rows: &mut Vec<Row>) -> Result<(), Error> {
    let ids = ids(part.reader)?;
    let columns = part.reader.fast_fields();
    let (updated, as_of, flags) = (columns.i64(UPDATED)?, columns.u64(AS_OF)?, columns.u64(FLAGS)?);
    for document in &part.documents {
        let (visibility, signed) = from_flags(first(&flags, *document)?);
        rows.push(Row {
            id: ids[*document as usize],
            updated: first(&updated, *document)?,
            visible_as_of: first(&as_of, *document)?,
            visibility,
            signed,
            name: String::new(),
            values: vec![],
            versions: vec![],
        });
    }
    Ok(())
}

fn first<T: PartialOrd + Copy + std::fmt::Debug + Send + Sync + 'static>(
    column: &Column<T>,
    document: u32,
) -> Result<T, Error> {
    column.first(document).ok_or_else(|| invalid("a document lacks a column"))
}

/// Reads the values of one facet.
fn read_values(facet: Facet, parts: &[Part<'_>], values: &mut Values, rows: &mut [Row]) -> Result<(), Error> {
    let (base, mut known) = (values.len(), Distinct::default());
    for part in parts {
        let column = texts(part.reader, facet.column())?;
        let numbers: Vec<u32> = column.dictionary.iter().map(|text| known.number(text, base)).collect();
        column.each(part, |row, ordinal| rows[row].values.push(numbers[ordinal]));
    }
    values.fill(facet, known.texts.into_iter());
    Ok(())
}

fn read_versions(parts: &[Part<'_>], versions: &mut Versions, rows: &mut [Row]) -> Result<(), Error> {
    let mut known = Distinct::default();
    for part in parts {
        let column = texts(part.reader, VERSIONS)?;
        let numbers: Vec<u32> = column.dictionary.iter().map(|text| known.number(text, 0)).collect();
        column.each(part, |row, ordinal| rows[row].versions.push(numbers[ordinal]));
    }
    let parsed: Result<Vec<Version>, _> = known.texts.iter().map(|text| text.parse()).collect();
    versions.fill(&parsed.map_err(|_| invalid("a version is none"))?);
    let ranks = versions.ranks();
    for row in rows {
        row.versions.sort_unstable_by_key(|number| std::cmp::Reverse(ranks[*number as usize]));
    }
    Ok(())
}

/// Texts with the order in which they were first seen.
#[derive(Default)]
struct Distinct {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Distinct {
    #[expect(clippy::cast_possible_truncation, reason = "memory ends before 2^32 texts")]
    fn number(&mut self, text: &str, base: usize) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = (base + self.texts.len()) as u32;
        self.numbers.insert(text.to_owned(), number);
        self.texts.push(text.to_owned());
        number
    }
}

/// A column of texts with all the texts it has.
struct Texts {
    column: Option<StrColumn>,
    dictionary: Vec<String>,
}

fn texts(reader: &SegmentReader, name: &str) -> Result<Texts, Error> {
    // A column in which no document has anything is not there.
    let Some(column) = reader.fast_fields().str(name)? else { return Ok(Texts { column: None, dictionary: vec![] }) };
    let mut dictionary = Vec::with_capacity(column.num_terms());
    let mut stream = column.dictionary().stream()?;
    while stream.advance() {
        let text = std::str::from_utf8(stream.key()).map_err(|_| invalid("a text is no UTF-8"))?;
        dictionary.push(text.to_owned());
    }
    drop(stream);
    Ok(Texts { column: Some(column), dictionary })
}

impl Texts {
    /// Tells of each text of each living document its row and the text's place in the dictionary.
    #[expect(clippy::cast_possible_truncation, reason = "the dictionary is in memory")]
    fn each(&self, part: &Part<'_>, mut tell: impl FnMut(usize, usize)) {
        let Some(column) = &self.column else { return };
        for (row, document) in (part.first..).zip(&part.documents) {
            column.term_ords(*document).for_each(|ordinal| tell(row, ordinal as usize));
        }
    }
}
