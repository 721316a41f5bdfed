//! 和暦: years as Japan counts them.
//!
//! Five eras since 明治; each begins on its first day, and its first year is 元年. Dates before 明治6年 (1873), when the
//! calendar became the present one, are written as everywhere else.

use jiff::civil::{Date, date};
use mngntime_model::Language;

use super::times;

/// First day and names of each era, the newest first.
const ERAS: [(Date, &str, &str); 5] = [
    (date(2019, 5, 1), "令和", "Reiwa"),
    (date(1989, 1, 8), "平成", "Heisei"),
    (date(1926, 12, 25), "昭和", "Shōwa"),
    (date(1912, 7, 30), "大正", "Taishō"),
    (date(1873, 1, 1), "明治", "Meiji"),
];

/// Year before the first of each era: 明治 began in 1868, before its calendar.
fn year_of(date: Date) -> Option<(&'static str, &'static str, i16)> {
    let (first, japanese, english) = ERAS.iter().find(|(first, ..)| *first <= date)?;
    let began = if *japanese == "明治" { 1868 } else { first.year() };
    Some((japanese, english, date.year() - began + 1))
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
    let Some((japanese, english, year)) = year_of(date) else { return common };
    match language {
        Language::Japanese => {
            let year = if year == 1 { "元".to_owned() } else { year.to_string() };
            let rest = common.split_once('年').map_or(common.as_str(), |(_, rest)| rest);
            format!("{japanese}{year}年{rest}")
        }
        Language::English => format!("{common} ({english} {year})"),
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
}
