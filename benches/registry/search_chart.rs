//! The chart of searches: for each kind of question a bar to what half of the answers take and a line to what 99 in 100
//! take, alone and beside pushes, on a logarithmic scale.

use std::fmt::Write as _;

use crate::chart::STYLE;
use crate::figure::{Aim, Figure, Spread};

const WIDTH: f64 = 880.0;
const ROW: f64 = 34.0;
const TOP: f64 = 70.0;
/// Where the bars begin, and how much room they have.
const LEFT: f64 = 300.0;
const SPAN: f64 = 460.0;
/// The least and the most that is drawn, in milliseconds.
const RANGE: (f64, f64) = (0.05, 50.0);
const TICKS: [f64; 6] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0];
/// How a search's figures are called; see [`name`].
const BEGINNING: &str = "search: ";
const BESIDE: &str = " beside pushes";

/// What a figure of a kind of question is called: `part` is `p50` or `p99`.
pub(crate) fn name(kind: &str, beside: bool, part: &str) -> String {
    format!("{BEGINNING}{kind}{}, {part}", if beside { BESIDE } else { "" })
}

/// One kind of question, alone or beside pushes: both figures, and whether both reach their aims.
struct Line {
    values: [f64; 2],
    aim: Option<f64>,
    class: &'static str,
}

/// Draws the questions among the figures; nothing where there are none.
pub(crate) fn draw(figures: &[Figure]) -> Option<String> {
    let kinds: Vec<&str> = figures.iter().filter_map(|figure| kind(&figure.work)).collect();
    if kinds.is_empty() {
        return None;
    }
    let bottom = kinds.iter().fold(TOP, |bottom, _| bottom + ROW);
    let (height, title) = (bottom + 42.0, "Searching a million versions of a hundred thousand packages");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"20\" y=\"30\">{title}</text>\n\
         <text class=\"soft\" x=\"20\" y=\"50\">milliseconds of whole requests: the bar is the median, the line goes to the \
         99th percentile, the mark is its aim; below each: beside 100 pushes a second</text>\n",
        WIDTH - 1.0,
        height - 1.0,
    );
    for tick in TICKS {
        let (x, y) = (place(tick), bottom + 18.0);
        // Writing to a text cannot fail.
        let _ = writeln!(svg, "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>");
        let _ = writeln!(svg, "<text class=\"soft\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{tick} ms</text>");
    }
    let mut y = TOP;
    for kind in kinds {
        let (x, middle) = (LEFT - 12.0, y + 20.0);
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{middle}\" text-anchor=\"end\">{kind}</text>");
        for (beside, offset) in [(false, 5.0), (true, 19.0)] {
            if let Some(line) = line(figures, kind, beside) {
                row(&mut svg, &line, y + offset);
            }
        }
        y += ROW;
    }
    Some(svg + "</svg>\n")
}

/// The kind of question that a figure is the first of.
fn kind(work: &str) -> Option<&str> {
    let kind = work.strip_prefix(BEGINNING)?.strip_suffix(", p50")?;
    (!kind.ends_with(BESIDE)).then_some(kind)
}

fn line(figures: &[Figure], kind: &str, beside: bool) -> Option<Line> {
    let find = |part| figures.iter().find(|figure| figure.work == name(kind, beside, part));
    let (half, most) = (find("p50")?, find("p99")?);
    let values = [half, most].map(|figure| Spread::of(&figure.ours).median);
    let aim = if let Aim::AtMost(most) = most.aim { Some(most) } else { None };
    let is_met = [half, most].iter().all(|figure| figure.is_met() != Some(false));
    Some(Line { values, aim, class: if is_met { "met" } else { "missed" } })
}

fn row(svg: &mut String, line: &Line, y: f64) {
    let Line { values: [half, most], aim, class } = line;
    let (start, end, last) = (place(RANGE.0), place(*half), place(*most));
    let (width, middle, text) = (end - start, y + 5.0, y + 9.0);
    let _ = writeln!(svg, "<rect class=\"{class}\" x=\"{start:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"10\"/>");
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{end:.1}\" y=\"{}\" width=\"{:.1}\" height=\"2\"/>",
        middle - 1.0,
        last - end
    );
    if let Some(x) = aim.map(place) {
        let _ = writeln!(svg, "<line class=\"aim\" x1=\"{x:.1}\" y1=\"{y}\" x2=\"{x:.1}\" y2=\"{}\"/>", y + 10.0);
    }
    let after = last.max(aim.map_or(last, place)) + 6.0;
    let _ = writeln!(svg, "<text class=\"small\" x=\"{after:.1}\" y=\"{text}\">{half:.2} / {most:.1}</text>");
}

fn place(milliseconds: f64) -> f64 {
    let (low, high) = (RANGE.0.ln(), RANGE.1.ln());
    LEFT + SPAN * ((milliseconds.clamp(RANGE.0, RANGE.1).ln() - low) / (high - low))
}
