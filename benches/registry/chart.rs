//! The chart: one bar a figure, how many times better than the program beside it, on a logarithmic scale.

use std::fmt::Write as _;

use crate::figure::{Aim, Figure};

const WIDTH: f64 = 880.0;
const ROW: f64 = 24.0;
const TOP: f64 = 70.0;
/// Where the bars begin, and how much room they have.
const LEFT: f64 = 400.0;
const SPAN: f64 = 380.0;
/// The least and the most that is drawn.
const RANGE: (f64, f64) = (0.4, 400.0);
const TICKS: [f64; 6] = [0.5, 1.0, 3.0, 10.0, 30.0, 100.0];
/// Its own colours on its own ground, so that it reads the same on a light and on a dark page.
pub(crate) const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#1f2328}.small{font-size:10px}.soft{fill:#59636e}.title{font-size:15px;\
font-weight:600}.ground{fill:#fff;stroke:#d1d9e0}.grid{stroke:#d1d9e0}.one{stroke:#59636e}.met{fill:#1a7f37}\
.missed{fill:#bc4c00}.free{fill:#6e7781}.aim{stroke:#1f2328;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.soft{fill:#9198a1}.ground{fill:#0d1117;stroke:#3d444d}\
.grid{stroke:#3d444d}.one{stroke:#9198a1}.met{fill:#3fb950}.missed{fill:#db6d28}.free{fill:#8b949e}.aim{stroke:#f0f6fc}}";

struct Bar {
    label: String,
    /// How many times better, and what it should be.
    times: f64,
    aim: Option<f64>,
    class: &'static str,
}

/// Draws every figure that has something beside it.
pub(crate) fn draw(figures: &[Figure]) -> String {
    let bars: Vec<Bar> = figures.iter().filter_map(bar).collect();
    let bottom = bars.iter().fold(TOP, |bottom, _| bottom + ROW);
    let height = bottom + 42.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>How many times better than other programs</title>\n<style>{STYLE}</style>\n\
         <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"6\"/>\n\
         <text class=\"title\" x=\"20\" y=\"30\">How many times better than other programs</text>\n\
         <text class=\"soft\" x=\"20\" y=\"50\">same machine, same run, same load; median of the rounds; \
         the mark is the aim; logarithmic</text>\n",
        WIDTH - 1.0,
        height - 1.0,
    );
    for tick in TICKS {
        let (x, class) = (place(tick), if tick > 0.9 && tick < 1.1 { "one" } else { "grid" });
        // Writing to a text cannot fail.
        let _ = writeln!(svg, "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>");
        let y = bottom + 18.0;
        let _ = writeln!(svg, "<text class=\"soft\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{tick} ×</text>");
    }
    let mut y = TOP;
    for bar in &bars {
        row(&mut svg, bar, y);
        y += ROW;
    }
    svg + "</svg>\n"
}

fn row(svg: &mut String, bar: &Bar, y: f64) {
    let (one, end) = (place(1.0), place(bar.times));
    let (x, width) = (one.min(end), (end - one).abs().max(1.0));
    let Bar { label, times, class, .. } = bar;
    let text = y + 16.0;
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{text}\" text-anchor=\"end\">{label}</text>", LEFT - 12.0);
    let _ =
        writeln!(svg, "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{}\" width=\"{width:.1}\" height=\"14\"/>", y + 5.0);
    let aim = bar.aim.map(place);
    if let Some(x) = aim {
        let (top, bottom) = (y + 2.0, y + ROW - 2.0);
        let _ = writeln!(svg, "<line class=\"aim\" x1=\"{x:.1}\" y1=\"{top}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>");
    }
    let after = end.max(one).max(aim.unwrap_or(end)) + 6.0;
    let times = if *times < 10.0 { format!("{times:.2}") } else { format!("{times:.0}") };
    let _ = writeln!(svg, "<text x=\"{after:.1}\" y=\"{text}\">{times}</text>");
}

/// Rates are better when they are higher, costs when they are lower.
fn bar(figure: &Figure) -> Option<Bar> {
    let ratio = figure.ratio()?.median;
    let (peer, _) = figure.peer.as_ref()?;
    let is_rate = figure.unit.ends_with("/s");
    let better = |ratio: f64| if is_rate { ratio } else { 1.0 / ratio };
    let aim = match figure.aim {
        Aim::AtLeastTimes(times) | Aim::AtMostTimes(times) => Some(better(times)),
        Aim::None | Aim::AtMost(_) | Aim::Within(_) => None,
    };
    let class = figure.is_met().map_or("free", |is_met| if is_met { "met" } else { "missed" });
    let label = format!("{} <tspan class=\"soft\">: {peer}</tspan>", figure.work);
    Some(Bar { label, times: better(ratio), aim, class })
}

fn place(times: f64) -> f64 {
    let (low, high) = (RANGE.0.ln(), RANGE.1.ln());
    LEFT + SPAN * ((times.clamp(RANGE.0, RANGE.1).ln() - low) / (high - low))
}
