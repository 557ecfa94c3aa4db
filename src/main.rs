//! The `agent` command: a thin start of the library's `cli` room.

fn main() {}
