//! The results: a table to read, JSON to compare, a chart to show.

use std::fs;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::chart;
use crate::figure::Figure;
use crate::machine::Machine;
use crate::search_chart;

/// Prints the table. The files are only written by a run of all works, or they would lose figures.
pub(crate) fn write(bench: &Bench, machine: &Machine) -> Result<()> {
    table(&bench.figures);
    if !bench.options.only.is_empty() {
        println!("\nA part of the works: nothing is written to benches/results.");
        return Ok(());
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/results");
    fs::create_dir_all(&folder)?;
    let figures: Vec<Value> = bench.figures.iter().map(Figure::json).collect();
    let found = json!({ "machine": machine.json(), "rounds": bench.options.rounds, "figures": figures });
    fs::write(folder.join("latest.json"), format!("{found:#}\n"))?;
    fs::write(folder.join("latest.svg"), chart::draw(&bench.figures))?;
    if let Some(chart) = search_chart::draw(&bench.figures) {
        fs::write(folder.join("search.svg"), chart)?;
    }
    println!("\nWritten to {}.", folder.display());
    Ok(())
}

fn table(figures: &[Figure]) {
    println!("\n| work | ours | beside it | ratio | aim | |\n|---|---|---|---|---|---|");
    for figure in figures {
        println!("| {} |", figure.cells().join(" | "));
    }
    println!("\nMedian [least–most] of the rounds; a ratio is that of two neighbours in one round.");
    for figure in figures.iter().filter(|figure| figure.is_met() == Some(false)) {
        println!("missed: {figure}");
    }
}
