//! Facts in SQL.
