//! One search, from the query to the page.

use super::cursor::Cursor;
use super::evaluate::Evaluation;
use super::facets::Counts;
use super::filter::{Filtered, filter};
use super::plan::{Plan, plan};
use super::popularity::FULL;
use super::snapshot::Snapshot;
use super::top::{Place, Top};
use super::weights::{Statistics, Weights};
use super::{Answer, Error, Found, Request};
use crate::api::Sort;

/// What packages score without any word, and what a glob in the name and elsewhere adds.
const BASE: u32 = 1_000;
const GLOB_IN_NAME: u32 = 20_000;
const GLOB: u32 = 10_000;
/// What full popularity adds to a score, in hundredths of it.
const POPULAR: u64 = 15;

/// A search under way.
pub(super) struct Run<'a> {
    snapshot: &'a Snapshot,
    request: &'a Request<'a>,
    cursor: Option<Cursor>,
}

/// What was found by one way of looking.
struct Collected {
    top: Top,
    counts: Option<Counts>,
    total: u64,
}

impl<'a> Run<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, request: &'a Request<'a>) -> Result<Self, Error> {
        let read = |text| Cursor::read(text, request.query, request.sort);
        Ok(Self { snapshot, request, cursor: request.after.map(read).transpose()? })
    }

    pub(super) fn answer(&self) -> Result<Answer, Error> {
        let columns = &self.snapshot.columns;
        let visible = self.request.viewer.sees(columns);
        let readings = self.cursor.as_ref().map(|cursor| cursor.readings.as_slice());
        let plan = plan(self.request.query, self.snapshot, &visible, readings)?;
        let filtered = filter(self.request.query, self.snapshot, &visible)?;
        let statistics = self.statistics(&plan)?;
        let popularity = self.cursor.as_ref().map_or(self.snapshot.popularities.current(), |it| it.popularity);
        let popularity = (popularity, self.snapshot.popularities.get(popularity));
        let looking =
            Looking { run: self, plan: &plan, filtered: &filtered, statistics: &statistics, popularity: popularity.1 };
        let (least, Collected { top, counts, total }) =
            looking.relax(self.cursor.as_ref().map(|cursor| cursor.least))?;
        let (found, is_more) = top.finish();
        let next = found.last().filter(|_| is_more).map(|(place, slot)| {
            let readings = plan.concepts.iter().map(|concept| concept.reading).collect();
            let name = columns.names.get(*slot).to_owned();
            let cursor = Cursor {
                key: place.key,
                name,
                least,
                popularity: popularity.0,
                statistics: statistics.clone(),
                readings,
            };
            cursor.write(self.request.query, self.request.sort)
        });
        Ok(Answer {
            found: found.iter().filter_map(|(_, slot)| self.found(*slot, &filtered)).collect(),
            next,
            total,
            relaxed: least > 0,
            facets: counts.map(|counts| counts.facets(&columns.values)),
            as_of: self.snapshot.position,
        })
    }

    /// Those of the first page.
    fn statistics(&self, plan: &Plan) -> Result<Statistics, Error> {
        match &self.cursor {
            Some(cursor) if cursor.readings.len() == plan.concepts.len() => Ok(cursor.statistics.clone()),
            Some(_) => Err(Error::Cursor),
            None => Statistics::of(self.snapshot, &plan.concepts),
        }
    }

    fn found(&self, slot: u32, filtered: &Filtered) -> Option<Found> {
        let columns = &self.snapshot.columns;
        let best = filtered.versions.as_ref().and_then(|among| columns.versions.best(slot, among));
        Some(Found {
            repository_id: *columns.ids.get(slot as usize),
            repository: columns.names.repository(slot)?,
            version: best.and_then(|number| columns.versions.version(number)),
        })
    }
}

/// What every document is looked at with.
struct Looking<'a> {
    run: &'a Run<'a>,
    plan: &'a Plan,
    filtered: &'a Filtered,
    statistics: &'a Statistics,
    popularity: &'a [u8],
}

impl Looking<'_> {
    /// Looks for all concepts, and if nothing has them, for as many as needed; `known` is what was needed for the first
    /// page. Says what was needed, 0 for all.
    fn relax(&self, known: Option<u8>) -> Result<(u8, Collected), Error> {
        let mut needed = known.unwrap_or(0);
        let mut collected = self.look(needed)?;
        if known.is_none() && self.plan.may_relax {
            for least in self.plan.least() {
                if collected.total == 0 {
                    needed = least;
                    collected = self.look(needed)?;
                }
            }
        }
        Ok((if collected.total == 0 { 0 } else { needed }, collected))
    }

    /// Looks for documents with at least so many concepts; 0 for all.
    fn look(&self, least: u8) -> Result<Collected, Error> {
        let (snapshot, request) = (self.run.snapshot, self.run.request);
        let begin = self
            .run
            .cursor
            .as_ref()
            .map(|cursor| Place { key: cursor.key, rank: snapshot.columns.names.place_after(&cursor.name) });
        let counts = request.facets.then(|| Counts::new(&snapshot.columns));
        let mut collected = Collected { top: Top::new(request.limit, begin), counts, total: 0 };
        if self.plan.is_hopeless {
            return Ok(collected);
        }
        if self.plan.concepts.is_empty() {
            self.filtered.documents.iter().for_each(|slot| self.take(&mut collected, slot, BASE));
            return Ok(collected);
        }
        let weights = (request.sort == Sort::Relevance).then(|| Weights::new(self.statistics));
        let (concepts, wanted) = (&self.plan.concepts, &self.filtered.documents);
        let frequencies = &self.statistics.frequencies;
        let evaluation = Evaluation::new(&snapshot.fields, concepts, frequencies, weights.as_ref(), wanted);
        for segment in snapshot.segments.iter() {
            let tell = |slot, score| self.take(&mut collected, slot, score);
            if least > 0 { evaluation.most(segment, least, tell)? } else { evaluation.all(segment, tell)? }
        }
        Ok(collected)
    }

    fn take(&self, collected: &mut Collected, slot: u32, score: u32) {
        let columns = &self.run.snapshot.columns;
        if self.filtered.versions.as_ref().is_some_and(|among| columns.versions.best(slot, among).is_none()) {
            return;
        }
        collected.total += 1;
        if let Some(counts) = &mut collected.counts {
            counts.add(columns, slot);
        }
        collected.top.take(Place { key: self.key(slot, score), rank: columns.names.rank(slot) }, slot);
    }

    /// The greater, the earlier.
    fn key(&self, slot: u32, score: u32) -> u64 {
        let columns = &self.run.snapshot.columns;
        match self.run.request.sort {
            Sort::Relevance => self.relevance(slot, score),
            // The sign turned, so that earlier is less.
            Sort::Updated => columns.updated.get(slot as usize).cast_unsigned() ^ (1 << 63),
            Sort::Downloads => columns.live.downloads(slot),
            Sort::Rating => rating(columns.live.rating(slot)),
            Sort::Name => 0,
        }
    }

    fn relevance(&self, slot: u32, score: u32) -> u64 {
        let glob = |named: &super::bits::Bits| if named.contains(slot) { GLOB_IN_NAME } else { GLOB };
        let score = u64::from(score) + self.filtered.named.iter().map(|named| u64::from(glob(named))).sum::<u64>();
        let popularity = u64::from(self.popularity.get(slot as usize).copied().unwrap_or_default());
        score * 100 * u64::from(FULL) + score * POPULAR * popularity
    }
}

/// The average to a thousandth, then how many think so.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 5,000")]
fn rating(rating: crate::api::Rating) -> u64 {
    let thousandths = (rating.average.unwrap_or_default().max(0.0) * 1_000.0).round() as u64;
    thousandths << 32 | rating.count.min(u64::from(u32::MAX))
}
