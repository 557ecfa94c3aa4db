//! One figure of the table: what we took, what another program took, and what we aim at.

use std::fmt;

use serde_json::{Value, json};

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aim {
    /// Only to know it.
    None,
    /// At least this many times the peer.
    AtLeastTimes(f64),
    /// At most this many times the peer.
    AtMostTimes(f64),
    /// The peer's, give or take this part of it.
    Within(f64),
    /// At most this, in the figure's unit.
    AtMost(f64),
}

/// Median, least and most of some values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one value.
    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |place: usize| sorted.get(place).copied().unwrap_or(f64::NAN);
        let (middle, last) = (sorted.len() / 2, sorted.len().saturating_sub(1));
        let median =
            if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) };
        Self { median, min: at(0), max: at(last) }
    }

    fn json(self) -> Value {
        json!({ "median": self.median, "min": self.min, "max": self.max })
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{} [{}–{}]", short(self.median), short(self.min), short(self.max)))
    }
}

/// A measured work.
pub(crate) struct Figure {
    pub(crate) work: String,
    pub(crate) unit: &'static str,
    /// One value a round.
    pub(crate) ours: Vec<f64>,
    /// The program beside ours, and its values in the same rounds.
    pub(crate) peer: Option<(&'static str, Vec<f64>)>,
    pub(crate) aim: Aim,
}

impl Figure {
    /// Ours to the peer's, round by round, since the machine is not the same in every round.
    pub(crate) fn ratio(&self) -> Option<Spread> {
        let (_, peer) = self.peer.as_ref()?;
        let ratios: Vec<f64> = self.ours.iter().zip(peer).map(|(ours, peer)| ours / peer).collect();
        Some(Spread::of(&ratios))
    }

    /// Whether the aim is reached, by the median; `None` without one.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let ratio = self.ratio().map_or(f64::NAN, |ratio| ratio.median);
        match self.aim {
            Aim::None => None,
            Aim::AtLeastTimes(times) => Some(ratio >= times),
            Aim::AtMostTimes(times) => Some(ratio <= times),
            Aim::Within(part) => Some((ratio - 1.0).abs() <= part),
            Aim::AtMost(most) => Some(Spread::of(&self.ours).median <= most),
        }
    }

    /// The cells of the table: work, ours, peer, ratio, aim, verdict.
    pub(crate) fn cells(&self) -> [String; 6] {
        let peer =
            self.peer.as_ref().map_or_else(String::new, |(name, values)| format!("{name} {}", Spread::of(values)));
        let ratio = self.ratio().map_or_else(String::new, |ratio| format!("{ratio} ×"));
        let aim = match self.aim {
            Aim::None => String::new(),
            Aim::AtLeastTimes(times) => format!("≥ {times} ×"),
            Aim::AtMostTimes(times) => format!("≤ {times} ×"),
            Aim::Within(part) => format!("1 × ± {part}"),
            Aim::AtMost(most) => format!("≤ {most} {}", self.unit),
        };
        let verdict = self.is_met().map_or("", |is_met| if is_met { "reached" } else { "MISSED" });
        [self.work.clone(), format!("{} {}", Spread::of(&self.ours), self.unit), peer, ratio, aim, verdict.to_owned()]
    }

    pub(crate) fn json(&self) -> Value {
        let (aim, value) = match self.aim {
            Aim::None => (None, None),
            Aim::AtLeastTimes(times) => (Some("at least times the peer"), Some(times)),
            Aim::AtMostTimes(times) => (Some("at most times the peer"), Some(times)),
            Aim::Within(part) => (Some("the peer's, give or take this part"), Some(part)),
            Aim::AtMost(most) => (Some("at most"), Some(most)),
        };
        json!({
            "work": self.work,
            "unit": self.unit,
            "ours": Spread::of(&self.ours).json(),
            "peer": self.peer.as_ref().map(|(name, values)| json!({ "name": name, "values": Spread::of(values).json() })),
            "ratio": self.ratio().map(Spread::json),
            "aim": aim.map(|kind| json!({ "kind": kind, "value": value })),
            "reached": self.is_met(),
        })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [work, ours, peer, ratio, aim, verdict] = self.cells();
        write!(f, "{work:<52} {ours:<34} {peer:<38} {ratio:<24} {aim:<12} {verdict}")
    }
}

/// Three digits that matter, or all before the point.
fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    }
}
