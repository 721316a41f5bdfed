//! 和暦: years as Japan counts them, written and read.
//!
//! Five eras since 明治; each begins on its first day, and its first year is 元年. Dates before 明治6年 (1873), when the
//! calendar became the present one, are written as everywhere else.

use jiff::civil::{Date, date};
use mngntime_model::Language;

use super::times;

/// An era.
struct Era {
    /// First day; of 明治, the first one of the present calendar.
    first: Date,
    /// The year of the common era that is its first.
    began: i16,
    japanese: &'static str,
    english: &'static str,
    /// How forms and spreadsheets shorten it.
    letter: char,
}

const fn era(first: Date, began: i16, japanese: &'static str, english: &'static str, letter: char) -> Era {
    Era { first, began, japanese, english, letter }
}

/// The newest first.
const ERAS: [Era; 5] = [
    era(date(2019, 5, 1), 2019, "令和", "Reiwa", 'R'),
    era(date(1989, 1, 8), 1989, "平成", "Heisei", 'H'),
    era(date(1926, 12, 25), 1926, "昭和", "Shōwa", 'S'),
    era(date(1912, 7, 30), 1912, "大正", "Taishō", 'T'),
    era(date(1873, 1, 1), 1868, "明治", "Meiji", 'M'),
];

fn of(date: Date) -> Option<&'static Era> {
    ERAS.iter().find(|era| era.first <= date)
}

/// The date in a text that people or spreadsheets have written, narrow already: `2026-06-01`, `2026/6/1`, `R8.6.1`,
/// `令和8年6月1日`. `None` when it is none: a date that no calendar has, or of another era than the one named.
#[must_use]
pub fn read(text: &str) -> Option<Date> {
    let named = ERAS.iter().find_map(|era| {
        let rest = text.strip_prefix(era.japanese).or_else(|| text.strip_prefix(era.letter))?;
        Some((era, rest))
    });
    let rest = named.map_or(text, |(_, rest)| rest);
    let plain = rest.strip_suffix('日').unwrap_or(rest);
    let digits = |part: &str| {
        let part = if part == "元" { "1" } else { part };
        let all = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i16>().ok().filter(|_| all)
    };
    let parts: Option<Vec<i16>> = plain.split(['-', '/', '.', '年', '月']).map(digits).collect();
    let [year, month, day] = parts?.try_into().ok()?;
    let year = match named {
        Some((era, _)) => year.checked_add(era.began)?.checked_sub(1)?,
        None => year,
    };
    let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let right = named.is_none_or(|(era, _)| of(date).is_some_and(|found| found.first == era.first));
    Some(date).filter(|date| right && (1900..=9990).contains(&date.year()))
}

/// `令和8年11月25日（水）`, `Wed 25 November 2026 (Reiwa 8)`
#[must_use]
pub fn long_date(date: Date, language: Language) -> String {
    in_era(times::long_date(date, language), date, language)
}

/// `令和8年11月`, `November 2026 (Reiwa 8)`; of a month in which an era begins, by its last day.
#[must_use]
pub fn long_month(month: Date, language: Language) -> String {
    in_era(times::long_month(month, language), month.last_of_month(), language)
}

fn in_era(common: String, date: Date, language: Language) -> String {
    let Some(era) = of(date) else { return common };
    let year = date.year() - era.began + 1;
    match language {
        Language::Japanese => {
            let year = if year == 1 { "元".to_owned() } else { year.to_string() };
            let rest = common.split_once('年').map_or(common.as_str(), |(_, rest)| rest);
            format!("{}{year}年{rest}", era.japanese)
        }
        Language::English => format!("{common} ({} {year})", era.english),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_era_begins_on_its_day() {
        let days = [
            (date(2026, 11, 25), "令和8年11月25日（水）"),
            (date(2019, 5, 1), "令和元年5月1日（水）"),
            (date(2019, 4, 30), "平成31年4月30日（火）"),
            (date(1989, 1, 8), "平成元年1月8日（日）"),
            (date(1989, 1, 7), "昭和64年1月7日（土）"),
            (date(1926, 12, 25), "昭和元年12月25日（土）"),
            (date(1926, 12, 24), "大正15年12月24日（金）"),
            (date(1912, 7, 30), "大正元年7月30日（火）"),
            (date(1912, 7, 29), "明治45年7月29日（月）"),
            (date(1873, 1, 1), "明治6年1月1日（水）"),
            (date(1872, 12, 31), "1872年12月31日（火）"),
        ];
        for (day, text) in days {
            assert_eq!(long_date(day, Language::Japanese), text);
        }
        assert_eq!(long_month(date(2019, 5, 1), Language::Japanese), "令和元年5月");
        assert_eq!(long_month(date(2026, 11, 1), Language::English), "November 2026 (Reiwa 8)");
        assert_eq!(long_date(date(2026, 11, 25), Language::English), "Wed 25 November 2026 (Reiwa 8)");
    }

    #[test]
    fn dates_are_whole_or_refused_and_eras_are_read() {
        for rubbish in [
            "",
            "2026-x-11-01",
            "2026--11-01",
            "-2026-11-01",
            "+2026-11-1",
            "2026-11",
            "20260617",
            "2026-02-30",
            "300/1/1/1",
            "R0.11.1",
            "H40.1.1",
            "R1.4.30",
            "X1.4.30",
            "1899-12-31",
            "10000-01-01",
            "2026-06-17T00:00",
        ] {
            assert_eq!(read(rubbish), None, "{rubbish}");
        }
        for text in ["2026-11-01", "2026/11/1", "R8.11.1", "令和8/11/1", "令和8年11月1日", "2026年11月1日"]
        {
            assert_eq!(read(text), Some(date(2026, 11, 1)), "{text}");
        }
        assert_eq!(read("H31.4.30"), Some(date(2019, 4, 30)));
        assert_eq!(read("令和元年5月1日"), Some(date(2019, 5, 1)));
        assert_eq!(read("S64.1.7"), Some(date(1989, 1, 7)));
        assert_eq!(read("T15.12.24"), Some(date(1926, 12, 24)));
        assert_eq!(read("M45.7.29"), Some(date(1912, 7, 29)));
    }
}
