//! Bands: of everything that is said about the same minute of a stay, what counts.

use mngntime_model::UtcMillis;

use super::{EventId, Stay, Terminal};
use crate::completeness::{Part, State, Why};

/// What is known of a stretch of a stay; the later in this order covers the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Logged on, not locked, connected, and watched. Says nothing about a person.
    Active,
    /// The display was dark.
    DisplayOff,
    /// Locked.
    Locked,
    /// A logon without a person, until the first unlock.
    Unattended,
    /// The display was taken away: another user's turn, or a remote connection that ended.
    Disconnected,
    /// It was locked for a part of this; from when on is not known.
    Unclear,
    /// The PC slept.
    Asleep,
    /// The session was there, and nobody watched.
    Unwatched,
    /// 開始時検出: the session was there before the agent's start, since its own logon time.
    FoundAtStart,
    /// 推定: it began or ended somewhere in here.
    Estimated,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Active,
        Self::DisplayOff,
        Self::Locked,
        Self::Unattended,
        Self::Disconnected,
        Self::Unclear,
        Self::Asleep,
        Self::Unwatched,
        Self::FoundAtStart,
        Self::Estimated,
    ];

    /// The name in every format.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::DisplayOff => "display_off",
            Self::Locked => "locked",
            Self::Unattended => "unattended",
            Self::Disconnected => "disconnected",
            Self::Asleep => "asleep",
            Self::Unclear => "unclear",
            Self::Unwatched => "unwatched",
            Self::FoundAtStart => "found_at_start",
            Self::Estimated => "estimated",
        }
    }

    /// Whether nobody can say if the session was in use.
    #[must_use]
    pub fn is_unclear(self) -> bool {
        matches!(self, Self::Unclear | Self::Unwatched | Self::FoundAtStart | Self::Estimated)
    }
}

/// A stretch of a stay of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Its beginning.
    pub from: UtcMillis,
    /// Its end, not included.
    pub to: UtcMillis,
    /// What is known.
    pub kind: Kind,
    /// Why nobody watched.
    pub why: Option<Why>,
    /// The event at its beginning or, where it is cut off by midnight, the one before.
    pub begins: Option<EventId>,
    /// The event at its end or after it; none while it goes on.
    pub ends: Option<EventId>,
}

/// One statement about a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layer {
    pub(super) from: UtcMillis,
    pub(super) to: UtcMillis,
    pub(super) kind: Kind,
    pub(super) why: Option<Why>,
    pub(super) begins: Option<EventId>,
    pub(super) ends: Option<EventId>,
}

impl Layer {
    /// The part of it inside `span`.
    pub(super) fn within(self, span: (UtcMillis, UtcMillis)) -> Self {
        Self { from: self.from.max(span.0), to: self.to.min(span.1), ..self }
    }

    fn covers(&self, from: UtcMillis, to: UtcMillis) -> bool {
        self.from <= from && self.to >= to
    }
}

/// What is not watched of a terminal, with the events around it.
pub(super) fn unwatched(terminal: &Terminal<'_>, parts: &[Part]) -> Vec<Layer> {
    let unknown = parts.iter().filter(|part| part.why.state() != State::Observed);
    unknown.map(|part| around(terminal, part)).collect()
}

fn around(terminal: &Terminal<'_>, part: &Part) -> Layer {
    let id = |sequence| EventId { terminal: terminal.id, sequence };
    let events = || terminal.events.iter().map(|received| &received.event);
    let before = events().rfind(|event| event.recorded_at.wall <= part.from);
    let after = events().find(|event| event.recorded_at.wall >= part.to);
    Layer {
        from: part.from,
        to: part.to,
        kind: Kind::Unwatched,
        why: Some(part.why),
        begins: before.map(|event| id(event.sequence)),
        ends: after.map(|event| id(event.sequence)),
    }
}

/// The bands of `stay` from `from` to `to`.
pub(super) fn cut(
    stay: &Stay,
    unwatched: &[Layer],
    from: UtcMillis,
    to: UtcMillis,
    now: UtcMillis,
) -> Vec<Band> {
    let span = (stay.begin.at.max(from), stay.latest_end(now).min(to));
    let all = stay.layers.iter().chain(unwatched).map(|layer| layer.within(span));
    let layers: Vec<Layer> = all.filter(|layer| layer.from < layer.to).collect();
    let mut edges: Vec<UtcMillis> = layers.iter().flat_map(|layer| [layer.from, layer.to]).collect();
    edges.sort_unstable();
    edges.dedup();
    let mut bands: Vec<Band> = Vec::new();
    for (begin, end) in edges.iter().zip(edges.iter().skip(1)) {
        let covering = layers.iter().filter(|layer| layer.covers(*begin, *end));
        let Some(counts) = covering.max_by_key(|layer| layer.kind) else { continue };
        join(&mut bands, counts, *begin, *end);
    }
    name_edges(&mut bands, &stay.layers, unwatched);
    bands
}

fn join(bands: &mut Vec<Band>, counts: &Layer, begin: UtcMillis, end: UtcMillis) {
    let Layer { kind, why, begins, ends, .. } = *counts;
    match bands.last_mut() {
        Some(last) if last.to == begin && (last.kind, last.why) == (kind, why) => {
            last.to = end;
            last.ends = ends;
        }
        _ => bands.push(Band { from: begin, to: end, kind, why, begins, ends }),
    }
}

/// A band that begins or ends where another statement does, does so for that one's event.
fn name_edges(bands: &mut [Band], layers: &[Layer], unwatched: &[Layer]) {
    let at = |time: UtcMillis| {
        let all = || layers.iter().chain(unwatched).filter(|layer| layer.from < layer.to);
        let begins = all().filter(|layer| layer.from == time).filter_map(|layer| layer.begins);
        let ends = all().filter(|layer| layer.to == time).filter_map(|layer| layer.ends);
        begins.chain(ends).max()
    };
    for band in bands {
        band.begins = at(band.from).or(band.begins);
        band.ends = at(band.to).or(band.ends);
    }
}
