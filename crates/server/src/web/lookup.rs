//! Finding people and departments by what a person types.
//!
//! Whoever is meant is asked of the store (`find_employees` …), never looked for among everybody: these functions say
//! which of the few that it found it is.

use mngntime_store::typed::{forms, narrow};
use mngntime_store::{Department, Employee, Scope, Store, StoreError};

use super::chrome::Chrome;

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
    let narrow = narrow(text);
    let first = |text: &str| text.split_whitespace().next().unwrap_or_default().to_owned();
    let exact = |employee: &&Employee| employee.data.code == text || employee.data.code == first(text);
    let alike = |employee: &&Employee| employee.data.code.eq_ignore_ascii_case(&first(&narrow));
    match all.iter().find(exact).or_else(|| all.iter().find(alike)) {
        Some(employee) => Found::One(employee),
        None => {
            let named = |names: &[String]| {
                Found::of(all.iter().filter(|employee| names.contains(&squeeze(&employee.data.name))))
            };
            // As it was typed before the other forms in which it may be kept.
            match named(&[text, narrow.as_str()].map(squeeze)) {
                Found::Nothing => named(&forms(text).iter().map(|form| squeeze(form)).collect::<Vec<_>>()),
                found @ (Found::One(_) | Found::Several) => found,
            }
        }
    }
}

/// Employees to choose from, where what was typed means several or only begins a name, a reading or a code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alike {
    /// Some of them, by code.
    pub people: Vec<Employee>,
    /// How many more there are.
    pub more: u64,
}

impl Alike {
    /// Those that `text` may mean.
    ///
    /// # Errors
    /// What the store says.
    pub async fn find(store: &dyn Store, scope: Scope, text: &str) -> Result<Self, StoreError> {
        let (people, all) = store.employees_alike(scope, text.to_owned()).await?;
        let more = all.saturating_sub(people.len() as u64);
        Ok(Self { people, more })
    }

    /// Each as a field takes them, with what tells people of one name apart: code and name, and their department.
    #[must_use]
    pub fn choices(&self) -> Vec<(String, String)> {
        self.people.iter().map(choice).collect()
    }

    /// What is said of `text`: that nobody is meant by it, or that somebody is to be chosen.
    #[must_use]
    pub fn says(&self, text: &str, c: &Chrome) -> String {
        if self.people.is_empty() {
            return c.v("filter-no-employee", "text", text);
        }
        let number = (self.people.len() as u64 + self.more).to_string();
        c.words().with("filter-alike", &[("text", text), ("n", &number)])
    }
}

/// An employee to be chosen: as a field takes them, and as a person tells them from others.
#[must_use]
pub fn choice(employee: &Employee) -> (String, String) {
    let typed = format!("{} {}", employee.data.code, employee.data.name);
    let shown = match &employee.data.department {
        Some(department) => format!("{typed}（{department}）"),
        None => typed.clone(),
    };
    (typed, shown)
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
