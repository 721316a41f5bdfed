//! A terminal's last days as two pictures: when it was heard of, and how far off its clock was.
//!
//! Both stretch with the page, so their words stand beside them in HTML. Nothing in them is told by colour alone: a
//! day without contact is a gap over a short line, a clock that is off stands beyond a dashed line and wears a
//! triangle. The table below says the same in figures. Days before the terminal was enrolled are none without contact: they
//! are an empty field in a dashed frame, and the table leaves them out.

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use mngntime_model::UtcMillis;
use mngntime_store::{CLOCK_OFF_MS, ContactDay};

use crate::web::chrome::Chrome;
use crate::web::times;

/// Days shown.
pub const DAYS: i32 = 30;

/// Width of a day in the pictures' units.
const DAY_WIDTH: i32 = 10;
/// Height of the pictures: four units an hour.
const HEIGHT: f64 = 96.0;
/// Offsets are drawn up to a year; beyond, a clock is as wrong as it can be.
const OFFSET_MAX_MS: i64 = 366 * 86_400_000;
/// The limit stands at least at this part of the half picture, so that its line is never at the edge.
const ROOM: f64 = 1.25;

/// A bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bar {
    /// Left.
    pub x: i32,
    /// Top.
    pub y: String,
    /// Height.
    pub height: String,
    /// Whether it is beyond a limit.
    pub off: bool,
}

/// When the terminal was heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactPicture {
    /// From first to last contact of each day.
    pub bars: Vec<Bar>,
    /// Left of days without contact.
    pub gaps: Vec<i32>,
    /// Left of Saturdays and Sundays.
    pub rest: Vec<i32>,
    /// Width of the days before it was enrolled, from the left; absent for none.
    pub before: Option<i32>,
    /// The picture in words.
    pub words: String,
    /// First, middle and last day.
    pub labels: [String; 3],
}

/// How far off the clock was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OffsetPicture {
    /// From the smallest to the largest offset of each day; up is ahead.
    pub bars: Vec<Bar>,
    /// Where the limits' lines are.
    pub limits: [String; 2],
    /// Outlines of the triangles over days beyond the limit.
    pub triangles: Vec<String>,
    /// The picture in words.
    pub words: String,
    /// What the height stands for.
    pub scale: String,
}

/// A day in figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayLine {
    /// The date in words.
    pub date: String,
    /// First to last contact; empty when there was none.
    pub span: String,
    /// Contacts.
    pub contacts: u64,
    /// Most events that waited.
    pub waiting: u64,
    /// Smallest to largest offset in seconds, ahead is positive.
    pub offset: String,
    /// Whether the clock was off.
    pub off: bool,
    /// Version of the agent.
    pub version: String,
}

/// The first day shown when `today` is the last.
#[must_use]
pub fn first_day(today: Date) -> Date {
    today.checked_sub((DAYS - 1).days()).unwrap_or(today)
}

fn all_days(today: Date) -> impl Iterator<Item = (i32, Date)> {
    (0..DAYS).zip(first_day(today).series(1.day()))
}

/// Draws the contacts of a terminal that was enrolled on `since`.
#[must_use]
pub fn contacts(days: &[ContactDay], since: Date, c: &Chrome) -> ContactPicture {
    let today = c.today();
    // One that was enrolled again may have been heard of before.
    let since = days.first().map_or(since, |day| since.min(day.day));
    let shown = move || all_days(today).filter(move |(_, date)| *date >= since);
    let before = all_days(today).filter(|(_, date)| *date < since).count();
    let heard = |date: Date| days.iter().find(|day| day.day == date);
    let bar = |(place, date): (i32, Date)| {
        let day = heard(date)?;
        let (top, bottom) = (of_day(day.first_at, date), of_day(day.last_at, date));
        let height = (bottom - top).max(2.0);
        let top = top.min(HEIGHT - height);
        Some(Bar { x: place * DAY_WIDTH + 1, y: short(top), height: short(height), off: false })
    };
    let left = |(place, _): (i32, Date)| place * DAY_WIDTH;
    let is_rest = |date: Date| matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday);
    let label = |date| times::short_date(date, today, c.language());
    let middle = today.checked_sub((DAYS / 2).days()).unwrap_or(today);
    let with = all_days(today).filter(|(_, date)| heard(*date).is_some()).count() as u64;
    let (words, of) = if before == 0 {
        ("contacts-words", DAYS.unsigned_abs().into())
    } else {
        ("contacts-words-since", shown().count() as u64)
    };
    ContactPicture {
        bars: all_days(today).filter_map(bar).collect(),
        gaps: shown().filter(|(_, date)| heard(*date).is_none()).map(left).collect(),
        rest: all_days(today).filter(|(_, date)| is_rest(*date)).map(left).collect(),
        before: i32::try_from(before).ok().filter(|before| *before > 0).map(|before| before * DAY_WIDTH),
        words: c.words().numbers(words, &[("days", of), ("heard", with)]),
        labels: [label(first_day(today)), label(middle), label(today)],
    }
}

/// How far down the picture of `date` a time is.
fn of_day(time: UtcMillis, date: Date) -> f64 {
    let start = times::start_of(date).unwrap_or(time);
    let hours = time.0.saturating_sub(start.0) as f64 / 3_600_000.0;
    (hours / 24.0 * HEIGHT).clamp(0.0, HEIGHT)
}

/// Draws the clock; `None` when the terminal has not been heard of in these days.
#[must_use]
pub fn offsets(days: &[ContactDay], c: &Chrome) -> Option<OffsetPicture> {
    let today = c.today();
    let shown: Vec<(i32, &ContactDay)> = all_days(today)
        .filter_map(|(place, date)| Some((place, days.iter().find(|day| day.day == date)?)))
        .collect();
    let most_ms = shown.iter().map(|(_, day)| farthest(day)).max()?;
    let most = (CLOCK_OFF_MS as f64 * ROOM).max(most_ms as f64);
    // Ahead is up, and the store keeps the server's clock less the terminal's.
    let height = |offset_ms: i64| HEIGHT / 2.0 + bounded(offset_ms) as f64 / most * (HEIGHT / 2.0 - 6.0);
    let bar = |(place, day): &(i32, &ContactDay)| {
        let (top, bottom) = (height(day.offset_min_ms), height(day.offset_max_ms));
        let thick = (bottom - top).max(2.0);
        let top = (f64::midpoint(top, bottom) - thick / 2.0).clamp(0.0, HEIGHT - thick);
        Bar { x: place * DAY_WIDTH + 2, y: short(top), height: short(thick), off: is_off(day) }
    };
    let off: Vec<_> = shown.iter().filter(|(_, day)| is_off(day)).collect();
    let triangle = |place: i32| format!("M{} 5l3-5 3 5z", place * DAY_WIDTH + 2);
    let farthest = shown.iter().flat_map(|(_, day)| [day.offset_min_ms, day.offset_max_ms]);
    let farthest = size(farthest.max_by_key(|offset_ms| offset_ms.unsigned_abs()).unwrap_or(0), c);
    let words = c.words().with("offsets-words", &[("most", &farthest), ("off", &off.len().to_string())]);
    Some(OffsetPicture {
        bars: shown.iter().map(bar).collect(),
        limits: [short(height(-CLOCK_OFF_MS)), short(height(CLOCK_OFF_MS))],
        triangles: off.iter().map(|(place, _)| triangle(*place)).collect(),
        words,
        scale: c.v("offsets-scale", "most", size(most as i64, c)),
    })
}

/// How far off, either way, with its unit.
fn size(offset_ms: i64, c: &Chrome) -> String {
    c.ahead(offset_ms).trim_start_matches(['+', '−']).to_owned()
}

fn bounded(offset_ms: i64) -> i64 {
    offset_ms.clamp(-OFFSET_MAX_MS, OFFSET_MAX_MS)
}

fn farthest(day: &ContactDay) -> i64 {
    bounded(day.offset_min_ms).abs().max(bounded(day.offset_max_ms).abs())
}

fn is_off(day: &ContactDay) -> bool {
    farthest(day) > CLOCK_OFF_MS
}

/// A length in the picture: a tenth of a unit is less than a dot.
fn short(length: f64) -> String {
    format!("{length:.1}")
}

/// The same days in figures, the newest first; those without contact are there too, those before it was enrolled are not.
#[must_use]
pub fn lines(days: &[ContactDay], since: Date, c: &Chrome) -> Vec<DayLine> {
    let since = days.first().map_or(since, |day| since.min(day.day));
    let all: Vec<_> = all_days(c.today()).filter(|(_, date)| *date >= since).collect();
    let line = |(_, date): &(i32, Date)| {
        let text = c.long_date(*date);
        let Some(day) = days.iter().find(|day| day.day == *date) else {
            let none = String::new();
            return DayLine {
                date: text,
                span: none.clone(),
                contacts: 0,
                waiting: 0,
                offset: none.clone(),
                off: false,
                version: none,
            };
        };
        DayLine {
            date: text,
            span: format!("{}〜{}", times::clock_short(day.first_at), times::clock_short(day.last_at)),
            contacts: day.contacts,
            waiting: day.waiting_max,
            offset: range(day),
            off: is_off(day),
            version: day.agent_version.clone(),
        }
    };
    all.iter().rev().map(line).collect()
}

fn range(day: &ContactDay) -> String {
    // The largest offset of the store is the farthest behind.
    let (from, to) = (times::seconds_ahead(day.offset_max_ms), times::seconds_ahead(day.offset_min_ms));
    if from == to { from } else { format!("{from} 〜 {to}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderMap, Uri};
    use jiff::civil::date;

    use crate::web::tests::{NOW, Site};

    async fn chrome() -> Chrome {
        let site = Site::new().await;
        Chrome::anonymous(&site.state, &Uri::from_static("/"), &HeaderMap::new())
    }

    fn day(date: Date, hours: (i64, i64), offsets: (i64, i64)) -> ContactDay {
        let start = times::start_of(date).unwrap();
        ContactDay {
            day: date,
            first_at: start.plus(hours.0 * 3_600_000),
            last_at: start.plus(hours.1 * 3_600_000),
            contacts: 2,
            waiting_max: 0,
            offset_min_ms: offsets.0,
            offset_max_ms: offsets.1,
            agent_version: "0.1.0".into(),
        }
    }

    #[tokio::test]
    async fn a_day_is_a_bar_from_its_first_to_its_last_contact() {
        let c = chrome().await;
        assert_eq!(times::tokyo(NOW).date(), date(2026, 6, 17));
        let days = [day(date(2026, 5, 19), (6, 18), (0, 0)), day(date(2026, 6, 17), (24, 24), (0, 0))];
        let picture = contacts(&days, date(2026, 5, 1), &c);
        let bars: Vec<_> =
            picture.bars.iter().map(|bar| (bar.x, bar.y.as_str(), bar.height.as_str())).collect();
        assert_eq!(bars, [(1, "24.0", "48.0"), (291, "94.0", "2.0")], "an instant is still seen");
        assert_eq!(picture.gaps.len(), 28);
        assert_eq!(picture.rest.len(), 8, "eight days of four weekends");
        assert_eq!((lines(&days, date(2026, 5, 1), &c).len(), picture.before), (30, None));
    }

    #[tokio::test]
    async fn days_before_the_terminal_was_enrolled_are_no_days_without_contact() {
        let c = chrome().await;
        let days = [day(date(2026, 6, 15), (6, 18), (0, 0)), day(date(2026, 6, 17), (8, 9), (0, 0))];
        let picture = contacts(&days, date(2026, 6, 15), &c);
        assert_eq!((picture.gaps, picture.before), (vec![280], Some(270)), "only the 16th is missing");
        assert!(picture.words.contains("登録からの3日のうち2日"), "{}", picture.words);
        assert_eq!(lines(&days, date(2026, 6, 15), &c).len(), 3);
        let again = contacts(&days, date(2026, 6, 17), &c);
        assert_eq!((again.gaps.len(), again.before), (1, Some(270)), "enrolled again: heard of before");
    }

    #[tokio::test]
    async fn a_clock_ahead_stands_above_and_one_that_is_off_wears_a_triangle() {
        let c = chrome().await;
        let days = [
            day(date(2026, 6, 16), (9, 10), (-30_000, -30_000)),
            day(date(2026, 6, 17), (9, 10), (90_000, 120_000)),
        ];
        let picture = offsets(&days, &c).unwrap();
        let top = |place: usize| picture.bars[place].y.parse::<f64>().unwrap();
        assert!(top(0) < HEIGHT / 2.0 && top(1) > HEIGHT / 2.0);
        assert_eq!(picture.bars.iter().map(|bar| bar.off).collect::<Vec<_>>(), [false, true]);
        assert_eq!(picture.triangles, ["M292 5l3-5 3 5z"]);
        assert_eq!(lines(&days, date(2026, 5, 1), &c)[0].offset, "−120.0 〜 −90.0");
        assert!(offsets(&[], &c).is_none());
    }

    #[tokio::test]
    async fn absurd_clocks_stay_in_the_picture() {
        let c = chrome().await;
        let picture = offsets(&[day(date(2026, 6, 17), (0, 1), (i64::MIN, i64::MAX))], &c).unwrap();
        assert!(picture.words.contains("106751991167 日"), "what is said is not cut off: {}", picture.words);
        assert!(picture.scale.contains("±366 日"), "{}", picture.scale);
        let bar = &picture.bars[0];
        let (top, height) = (bar.y.parse::<f64>().unwrap(), bar.height.parse::<f64>().unwrap());
        assert!(top >= 0.0 && top + height <= HEIGHT, "{bar:?}");
    }
}
