//! The catalogue's words: finds packages by what they say of themselves, as far as a viewer may see, with exact totals
//! and facets. Derived from the index, so it can always be thrown away and filled again.
//!
//! [`Search`] holds one [`Document`] per repository. Whoever feeds it calls [`Search::apply`] with what changed, and
//! [`Search::set_visibilities`] and [`Search::set_standings`] with what may not wait for that.

mod answer;
mod bits;
mod chunked;
mod columns;
mod concept;
mod cursor;
mod directory;
mod document;
mod engine;
#[cfg(test)]
mod engine_tests;
mod error;
mod evaluate;
mod facets;
mod filter;
mod globs;
mod indexed;
mod language;
mod live;
mod load;
#[cfg(test)]
mod model;
#[cfg(test)]
mod model_tests;
mod names;
mod plan;
mod popularity;
mod postings;
mod request;
mod run;
mod schema;
mod segments;
mod slot_map;
mod slots;
mod snapshot;
mod text;
mod top;
mod values;
mod versions;
mod viewer;
mod vocabulary;
mod weights;
mod writer;

pub use answer::{Answer, Found};
pub use document::{Change, Document, MAX_README_BYTES};
pub use engine::{Opened, Search};
pub use error::Error;
pub use request::Request;
pub use viewer::Viewer;
