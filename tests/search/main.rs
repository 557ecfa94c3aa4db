//! What a person would ask, put to a search over every real agent at hand; the outcome is a committed table.

#[path = "../support/corpus.rs"]
mod corpus;
mod documents;
mod questions;
mod table;
