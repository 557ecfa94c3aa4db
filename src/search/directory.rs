//! The index of words on disk: opened if it is whole and of this format, thrown away otherwise.

use std::path::Path;
use std::sync::Arc;
use std::{fs, io};

use tantivy::directory::MmapDirectory;
use tantivy::{Index, IndexReader, ReloadPolicy};

use super::Error;
use super::columns::Columns;
use super::load::load_columns;
use super::popularity::Popularities;
use super::schema::Fields;
use super::segments::Segments;
use super::snapshot::Snapshot;
use super::writer::position;

/// Opens the index in a directory, or begins one where there is nothing.
pub(super) fn open(directory: &Path, fields: &Fields) -> Result<Index, Error> {
    fs::create_dir_all(directory)?;
    let files = MmapDirectory::open(directory).map_err(tantivy::TantivyError::from)?;
    let index = Index::open_or_create(files, fields.schema.clone())?;
    let damaged = index.validate_checksum()?;
    match damaged.iter().next() {
        None => Ok(index),
        Some(file) => Err(invalid(format!("{} is damaged", file.display()))),
    }
}

/// Deletes everything in a directory.
pub(super) fn clear(directory: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Reads what there is when told to.
pub(super) fn reader(index: &Index) -> Result<IndexReader, Error> {
    let builder = index.reader_builder().reload_policy(ReloadPolicy::Manual).doc_store_cache_num_blocks(0);
    Ok(builder.try_into()?)
}

/// Everything that the index holds.
pub(super) fn load(index: &Index, reader: &IndexReader, fields: Fields) -> Result<Snapshot, Error> {
    let position = match index.load_metas()?.payload {
        Some(payload) => position(&payload).ok_or_else(|| invalid("the search index is of another format"))?,
        None => 0,
    };
    let searcher = reader.searcher();
    let columns = if searcher.num_docs() == 0 { Columns::new() } else { load_columns(&searcher)? };
    let segments = Segments::of(searcher, &fields, &columns.slots, &Segments::default())?;
    Ok(Snapshot { columns, segments, fields: Arc::new(fields), popularities: Popularities::default(), position })
}

/// That what is on disk cannot be used.
pub(super) fn invalid(what: impl Into<String>) -> Error {
    Error::Directory(io::Error::new(io::ErrorKind::InvalidData, what.into()))
}
