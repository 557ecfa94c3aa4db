//! The command `agent`.

fn main() {}
