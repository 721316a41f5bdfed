//! Columns of the list, and what stands in them: the same for the page, the CSV file and the workbook.
//!
//! Time, user and error stand in every list; the others can be left out, by each person for themselves.

use mngntime_model::UtcMillis;
use mngntime_store::Punch;

use super::super::chrome::Chrome;
use super::super::times;
use super::row::{arrival_key, arrival_of, error, kind_key};

/// Columns that can be left out: name and key of the words.
pub const CHOICES: [(&str, &str); 7] = [
    ("received", "col-received"),
    ("kind", "col-kind"),
    ("domain", "col-domain"),
    ("employee", "col-employee"),
    ("terminal", "col-terminal"),
    ("res", "col-res"),
    ("how", "col-how"),
];

/// Columns of a file: key of the words, and the choice it belongs to (empty: always there).
const FILE: [(&str, &str); 19] = [
    ("col-at", ""),
    ("col-received", "received"),
    ("col-kind", "kind"),
    ("col-domain", "domain"),
    ("col-user", ""),
    ("col-code", "employee"),
    ("col-name", "employee"),
    ("col-terminal", "terminal"),
    ("col-error", ""),
    ("col-res", "res"),
    ("col-message", "res"),
    ("col-how", "how"),
    ("col-not-before", "how"),
    ("col-not-after", "how"),
    ("col-sequence", ""),
    ("how-unattended", "how"),
    ("col-present-from", "how"),
    ("col-present-not-after", "how"),
    ("col-stamped", "how"),
];

/// Which columns somebody wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns([bool; CHOICES.len()]);

impl Default for Columns {
    fn default() -> Self {
        Self([true; CHOICES.len()])
    }
}

/// Columns of a file that stand on paper: as many as a sheet is wide.
const PAPER: [&str; 10] = [
    "col-at",
    "col-kind",
    "col-domain",
    "col-user",
    "col-code",
    "col-name",
    "col-terminal",
    "col-error",
    "col-res",
    "col-how",
];

impl Columns {
    /// Reads the stored form; all of them when nothing is stored.
    #[must_use]
    pub fn parse(stored: Option<&str>) -> Self {
        match stored {
            None => Self::default(),
            Some(text) => Self::of(text.split(',')),
        }
    }

    /// The named ones; other names mean nothing.
    pub fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<&str> = names.collect();
        Self(CHOICES.map(|(name, _)| names.contains(&name)))
    }

    /// The stored form.
    #[must_use]
    pub fn stored(&self) -> String {
        let chosen = CHOICES.iter().filter(|(name, _)| self.has(name)).map(|(name, _)| *name);
        chosen.collect::<Vec<_>>().join(",")
    }

    /// Whether this column is shown. Those that cannot be left out are.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let place = CHOICES.iter().position(|(choice, _)| *choice == name);
        place.is_none_or(|place| self.0[place])
    }

    /// Columns of the table; `selecting` for whether there is the one for selecting.
    #[must_use]
    pub fn span(&self, selecting: &bool) -> usize {
        3 + usize::from(*selecting) + self.0.iter().filter(|shown| **shown).count()
    }

    /// First line of a file.
    #[must_use]
    pub fn head(&self, c: &Chrome) -> Vec<String> {
        FILE.iter().filter(|(_, choice)| self.has(choice)).map(|(key, _)| c.t(key)).collect()
    }

    /// Heads of the columns on paper.
    #[must_use]
    pub fn head_on_paper(&self, c: &Chrome) -> Vec<String> {
        FILE.iter().filter(|(key, choice)| self.is_on_paper(key, choice)).map(|(key, _)| c.t(key)).collect()
    }

    /// A punch as a line on paper.
    #[must_use]
    pub fn on_paper(&self, punch: &Punch, c: &Chrome) -> Vec<String> {
        let all = cells(punch, c).into_iter().zip(FILE);
        all.filter(|(_, (key, choice))| self.is_on_paper(key, choice)).map(|(cell, _)| cell.plain()).collect()
    }

    fn is_on_paper(&self, key: &str, choice: &str) -> bool {
        self.has(choice) && PAPER.contains(&key)
    }

    /// A punch as a line of a file.
    #[must_use]
    pub fn cells(&self, punch: &Punch, c: &Chrome) -> Vec<Cell> {
        let all = cells(punch, c).into_iter().zip(FILE);
        all.filter(|(_, (_, choice))| self.has(choice)).map(|(cell, _)| cell).collect()
    }
}

/// What stands in a cell of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A point of time.
    Time(UtcMillis),
    /// A number.
    Number(u64),
    /// Nothing.
    Empty,
}

impl Cell {
    fn text(text: Option<String>) -> Self {
        text.filter(|text| !text.is_empty()).map_or(Self::Empty, Self::Text)
    }

    fn time(time: Option<UtcMillis>) -> Self {
        time.map_or(Self::Empty, Self::Time)
    }

    /// The cell as text.
    #[must_use]
    pub fn plain(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Time(time) => times::full(*time),
            Self::Number(number) => number.to_string(),
            Self::Empty => String::new(),
        }
    }
}

/// All cells of a punch, in the order of [`FILE`].
fn cells(punch: &Punch, c: &Chrome) -> [Cell; FILE.len()] {
    let error = error(punch.result, c);
    let maru = |on: bool| Cell::text(on.then(|| "○".to_owned()));
    let present = punch.unattended.and_then(|found| found.present_bounds);
    [
        Cell::Time(punch.occurred_at),
        Cell::Time(punch.received_at),
        Cell::Text(c.t(kind_key(punch.kind))),
        Cell::text(Some(punch.domain.clone())),
        Cell::text(Some(punch.name.clone())),
        Cell::text(punch.employee_code.clone()),
        Cell::text(punch.employee_name.clone()),
        Cell::text(Some(punch.host_name.clone())),
        maru(error.is_some()),
        error.as_ref().map_or(Cell::Empty, |(res, _)| Cell::Number(u64::from(*res))),
        Cell::text(error.map(|(_, message)| message)),
        Cell::Text(c.t(arrival_key(arrival_of(punch)))),
        Cell::time(punch.bounds.map(|bounds| bounds.not_before)),
        Cell::time(punch.bounds.map(|bounds| bounds.not_after)),
        Cell::Number(punch.sequence),
        maru(punch.unattended.is_some()),
        Cell::time(punch.unattended.and_then(|found| found.present_from)),
        Cell::time(present.map(|bounds| bounds.not_after)),
        Cell::time(punch.stamped_at),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_survives_its_stored_form_and_unknown_names_mean_nothing() {
        let chosen = Columns::of(["res", "how", "password"].into_iter());
        assert_eq!(chosen.stored(), "res,how");
        assert_eq!(Columns::parse(Some("res,how")), chosen);
        assert!(chosen.has("res") && !chosen.has("kind") && chosen.has(""));
        assert_eq!(Columns::parse(None), Columns::default());
        assert_eq!((Columns::default().span(&true), Columns::parse(Some("")).span(&false)), (11, 3));
    }
}
