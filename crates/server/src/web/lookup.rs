//! Finding people and departments by what a person types.
//!
//! Whoever is meant is asked of the store (`find_employees` …), never looked for among everybody: these functions say
//! which of the few that it found it is.

use mngntime_store::{Department, Employee};

/// What a text leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// Exactly one.
    One(T),
    /// None.
    Nothing,
    /// More than one.
    Several,
}

impl<T> Found<T> {
    /// What these matches are.
    pub fn of(mut matches: impl Iterator<Item = T>) -> Self {
        match (matches.next(), matches.next()) {
            (Some(one), None) => Self::One(one),
            (None, _) => Self::Nothing,
            (Some(_), Some(_)) => Self::Several,
        }
    }
}

/// The employee meant by a code, a name, or `code name` as the suggestions write it.
#[must_use]
pub fn employee<'a>(all: &'a [Employee], text: &str) -> Found<&'a Employee> {
    let narrow = mngntime_store::typed::narrow(text);
    let first = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
    let exact = |employee: &&Employee| employee.data.code == text || employee.data.code == first(text);
    let alike = |employee: &&Employee| employee.data.code.eq_ignore_ascii_case(&first(&narrow));
    match all.iter().find(exact).or_else(|| all.iter().find(alike)) {
        Some(employee) => Found::One(employee),
        None => {
            Found::of(all.iter().filter(|employee| {
                [text, narrow.as_str()].map(squeeze).contains(&squeeze(&employee.data.name))
            }))
        }
    }
}

/// Names are typed with and without the space in the middle.
fn squeeze(name: &str) -> String {
    name.split_whitespace().collect()
}

/// The department meant by a code, a name, or `code name` as the suggestions write it.
#[must_use]
pub fn department<'a>(all: &'a [Department], text: &str) -> Found<&'a Department> {
    let exact = |found: &&Department| found.data.code == text || shown(found) == text;
    match all.iter().find(exact) {
        Some(found) => Found::One(found),
        None => Found::of(all.iter().filter(|found| squeeze(&found.data.name) == squeeze(text))),
    }
}

fn shown(department: &Department) -> String {
    super::departments::shown(&department.data.code, &department.data.name)
}
