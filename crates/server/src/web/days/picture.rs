//! The drawings of a day: where each band and mark stands.
//!
//! Across, everything is in percents of the day; down, in pixels.

use mngntime_attendance::completeness::Part;
use mngntime_attendance::person_day::{Band, Kind, Lane, PersonDay};
use mngntime_model::{EventKind, UtcMillis};

use super::super::chrome::Chrome;
use super::super::terminals::days::why_key;
use super::Opens;
use super::words::{self, band_key, day_clock, day_clock_exact, event_key, range};

/// Height of the marks above the bands.
const MARKS: u32 = 14;
/// Height of a band.
const BAND: u32 = 24;
/// Between two bands.
const PAUSE: u32 = 4;
/// Height of the marks of the PC and of what was not watched, below the bands.
const FOOT: u32 = 20;

/// Height of a band in a month.
const SMALL_BAND: u32 = 12;

/// Width of a letter in percents of a picture on a desk and on a phone, where it is narrow.
const LETTER_WIDE: f64 = 0.95;
const LETTER_NARROW: f64 = 4.0;

/// From when to when a picture goes.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    from: UtcMillis,
    hours: i64,
}

impl Scale {
    /// A day that begins at `from`, with as many hours after midnight as `until` needs.
    #[must_use]
    pub fn new(from: UtcMillis, until: UtcMillis) -> Self {
        let hours = until.0.saturating_sub(from.0).saturating_add(3_599_999) / 3_600_000;
        Self { from, hours: hours.clamp(24, 48) }
    }

    /// The same scale on another day.
    #[must_use]
    pub fn at(self, from: UtcMillis) -> Self {
        Self { from, ..self }
    }

    fn percent(self, time: UtcMillis) -> f64 {
        let whole = (self.hours * 3_600_000) as f64;
        (time.0.saturating_sub(self.from.0) as f64 / whole * 100.0).clamp(0.0, 100.0)
    }

    fn x(self, time: UtcMillis) -> String {
        format!("{:.3}%", self.percent(time))
    }

    /// Left and width; what is too narrow to be seen is made a little wider.
    fn span(self, from: UtcMillis, to: UtcMillis) -> (String, String) {
        let (left, right) = (self.percent(from), self.percent(to));
        (format!("{left:.2}%"), format!("{:.2}%", (right - left).max(0.12)))
    }

    /// Lines of the hours, with the number at every third.
    #[must_use]
    pub fn hours(self) -> Vec<Hour> {
        let hour = |hour: i64| Hour {
            x: self.x(self.from.plus(hour * 3_600_000)),
            // Beside 24 there is room for a number from 27 on.
            text: if hour % 3 == 0 { hour.to_string() } else { String::new() },
            class: match hour {
                0 => "h6 h-first",
                hour if hour == self.hours => "h6 h-last",
                24 => "h6 h-24",
                hour if hour % 6 == 0 => "h6",
                hour if hour % 3 == 0 => "h3",
                _ => "h1",
            },
        };
        (0..=self.hours).map(hour).collect()
    }
}

/// A line of an hour.
#[derive(Debug, Clone)]
pub struct Hour {
    /// Where.
    pub x: String,
    /// Its number, where one is shown.
    pub text: String,
    /// How much it counts.
    pub class: &'static str,
}

/// A band.
#[derive(Debug, Clone)]
pub struct Shape {
    /// Left.
    pub x: String,
    /// Width.
    pub width: String,
    /// Top.
    pub y: u32,
    /// What it is, as a class.
    pub class: &'static str,
    /// Words inside, empty where they do not fit.
    pub label: String,
    /// `narrow` when the words fit on a phone, too.
    pub fits: &'static str,
    /// In words.
    pub title: String,
    /// Address of its row in the table; empty where it has none.
    pub href: String,
}

/// An event.
#[derive(Debug, Clone)]
pub struct Sign {
    /// Where.
    pub x: String,
    /// Top.
    pub y: u32,
    /// Its drawing.
    pub shape: &'static str,
    /// In words.
    pub title: String,
    /// Address of the event.
    pub href: String,
}

/// One PC.
#[derive(Debug, Clone)]
pub struct LaneView {
    /// PC name.
    pub host: String,
    /// Height of its drawing.
    pub height: u32,
    /// Bands.
    pub bands: Vec<Shape>,
    /// Events of the person.
    pub signs: Vec<Sign>,
    /// Where the bands end: events of the PC and what was not watched are below.
    pub foot: u32,
    /// What was not watched.
    pub unwatched: Vec<Shape>,
    /// Class and words of how well it was watched.
    pub state: (&'static str, String),
    /// Whether there is no stay on it.
    pub empty: bool,
    /// Where the present is, today.
    pub now: Option<String>,
}

/// The lanes of a day. Rows of the table are numbered as the bands are here.
#[must_use]
pub fn lanes(
    day: &PersonDay,
    scale: Scale,
    now: Option<UtcMillis>,
    (c, opens): (&Chrome, Opens<'_>),
    host: &dyn Fn(&Lane) -> String,
) -> Vec<LaneView> {
    let mut number = 0;
    let view = |lane: &Lane| {
        let foot = MARKS + u32::try_from(lane.tracks.max(1)).unwrap_or(1) * (BAND + PAUSE);
        let mut bands = Vec::new();
        for stay in &lane.stays {
            let y = MARKS + u32::try_from(stay.track).unwrap_or(0) * (BAND + PAUSE);
            for band in &stay.bands {
                number += 1;
                bands.push(shape(band, scale, y, number, c));
            }
        }
        LaneView {
            host: host(lane),
            height: foot + FOOT,
            bands,
            signs: signs(lane, scale, foot, (c, opens)),
            foot,
            unwatched: unwatched(lane, scale, foot + 12, c),
            state: words::watched(lane.state, c),
            empty: lane.stays.is_empty(),
            now: now.map(|now| scale.x(now)),
        }
    };
    day.lanes.iter().map(view).collect()
}

fn shape(band: &Band, scale: Scale, y: u32, number: usize, c: &Chrome) -> Shape {
    let (x, width) = scale.span(band.from, band.to);
    let words = c.t(band_key(band.kind));
    let from_to = format!("{}–{}", day_clock(band.from, scale.from), day_clock(band.to, scale.from));
    let letters = words.chars().map(|letter| if letter.is_ascii() { 0.6 } else { 1.0 }).sum::<f64>() + 0.6;
    let room = scale.percent(band.to) - scale.percent(band.from);
    Shape {
        x,
        width,
        y,
        class: class(band.kind),
        label: if room >= letters * LETTER_WIDE { words.clone() } else { String::new() },
        fits: if room >= letters * LETTER_NARROW { "" } else { "wide-label" },
        title: format!("{from_to} {words}"),
        href: if number <= super::day::ROWS_MAX { format!("#b-{number}") } else { String::new() },
    }
}

/// Class of a kind of band; its pattern is named after it.
#[must_use]
pub fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Active => "b-active",
        Kind::DisplayOff => "b-dark",
        Kind::Locked => "b-locked",
        Kind::Unattended => "b-unattended",
        Kind::Disconnected => "b-disconnected",
        Kind::Asleep => "b-asleep",
        Kind::Unclear => "b-unclear",
        Kind::Unwatched => "b-unwatched",
        Kind::FoundAtStart => "b-found",
        Kind::Estimated => "b-estimated",
    }
}

/// What was not watched of a PC, with the whole time of it in words, wherever the day cuts it off.
fn unwatched(lane: &Lane, scale: Scale, y: u32, c: &Chrome) -> Vec<Shape> {
    let shape = |(part, whole): (&Part, &Part)| {
        let words = c.t(why_key(part.why)?);
        let (x, width) = scale.span(part.from, part.to);
        let title = format!("{} {words}", range((whole.from, whole.to), scale.from));
        let (label, href) = (String::new(), String::new());
        Some(Shape { x, width, y, class: "b-unwatched", label, fits: "", title, href })
    };
    lane.parts.iter().zip(&lane.whole_parts).filter_map(shape).collect()
}

fn signs(lane: &Lane, scale: Scale, foot: u32, (c, opens): (&Chrome, Opens<'_>)) -> Vec<Sign> {
    let clock = |time| day_clock_exact(time, scale.from);
    let sign = |mark: &mngntime_attendance::person_day::Mark| Sign {
        x: scale.x(mark.at),
        y: if mark.account.is_some() { 0 } else { foot },
        shape: sign_of(mark.kind),
        title: format!("{} {}", clock(mark.at), c.t(event_key(mark.kind))),
        href: opens.event(mark.event),
    };
    lane.marks.iter().take(super::day::ROWS_MAX).map(sign).collect()
}

/// Name of the drawing of an event: filled where something begins or closes, open where it ends.
#[must_use]
pub fn sign_of(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Logon => "s-logon",
        EventKind::Logoff => "s-logoff",
        EventKind::Lock => "s-lock",
        EventKind::Unlock => "s-unlock",
        EventKind::Connect => "s-connect",
        EventKind::Disconnect => "s-disconnect",
        EventKind::Suspend | EventKind::DisplayOff => "s-suspend",
        EventKind::Resume | EventKind::DisplayOn => "s-resume",
        EventKind::Boot | EventKind::ServiceStart => "s-up",
        EventKind::Shutdown | EventKind::ServiceStop => "s-down",
        EventKind::TimeChange | EventKind::Gap => "s-note",
    }
}

/// A day in a month: bands of all PCs, one below the other.
#[derive(Debug, Clone)]
pub struct Small {
    /// Height.
    pub height: u32,
    /// Bands, and what was not watched where there is no band.
    pub bands: Vec<Shape>,
    /// Where the present is, today.
    pub now: Option<String>,
}

/// The small picture of a day.
#[must_use]
pub fn small(day: &PersonDay, scale: Scale, now: Option<UtcMillis>, c: &Chrome) -> Small {
    let (mut bands, mut y) = (Vec::new(), 0);
    for lane in &day.lanes {
        let height = u32::try_from(lane.tracks.max(1)).unwrap_or(1) * (SMALL_BAND + 2);
        bands.extend(unwatched(lane, scale, y, c));
        for stay in &lane.stays {
            let top = y + u32::try_from(stay.track).unwrap_or(0) * (SMALL_BAND + 2);
            bands.extend(stay.bands.iter().map(|band| shape(band, scale, top, 0, c)));
        }
        y += height;
    }
    Small { height: y.max(SMALL_BAND + 2) - 2, bands, now: now.map(|now| scale.x(now)) }
}
