//! Times of a work day: minutes after midnight, written as they are said, beyond 24:00 on the next day.

use mngntime_store::typed::narrow;

/// `09:05`, `25:30`.
#[must_use]
pub fn text(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// The minutes that `text` means: `9:05`, `0905`, `２５：３０`; `None` for anything else and beyond 36:00.
#[must_use]
pub fn parse(text: &str) -> Option<u16> {
    let text = narrow(text);
    let text = text.trim();
    let (hours, minutes) = match text.split_once(':') {
        Some(parts) => parts,
        None if (3..=4).contains(&text.len()) && text.is_ascii() => text.split_at(text.len() - 2),
        None => return None,
    };
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit()) && (1..=2).contains(&part.len());
    if !digits(hours) || !digits(minutes) || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= mngntime_store::REMARK_MINUTES_MAX).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (written, minutes) in [
            ("9:05", 545),
            ("09:05", 545),
            ("0905", 545),
            ("905", 545),
            ("25:30", 1_530),
            ("２５：３０", 1_530),
            ("36:00", 2_160),
            ("0:00", 0),
        ] {
            assert_eq!(parse(written), Some(minutes), "{written}");
        }
        for bad in [
            "", "9", "9:5", "9:60", "36:01", "48:00", "49:00", "-1:00", "9時", "1:2:3", "99:99", "あい",
            "99999",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert_eq!((text(545), text(1_530)), ("09:05".to_owned(), "25:30".to_owned()));
    }
}
