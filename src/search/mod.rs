//! The catalogue's words: finds packages by what they say of themselves, as far as a viewer may see, with exact totals
//! and facets. Derived from the index, so it can always be thrown away and filled again.
//!
//! [`Search`] holds one [`Document`] per repository. Whoever feeds it calls [`Search::apply`] with what changed, and
//! [`Search::set_visibilities`] and [`Search::set_standings`] with what may not wait for that.

mod answer;
mod document;
mod engine;
mod error;
mod request;
mod viewer;

pub use answer::{Answer, Found};
pub use document::{Change, Document, MAX_README_BYTES};
pub use engine::{Opened, Search};
pub use error::Error;
pub use request::Request;
pub use viewer::Viewer;
