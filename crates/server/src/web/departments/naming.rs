//! Why a typed department is not taken, and where the way goes on.

use mngntime_store::{DepartmentPlace, DepartmentProblem};

use super::super::chrome::Chrome;
use super::shown;

/// What is wrong with a typed department, in words.
#[must_use]
pub fn in_words(text: &str, problem: &DepartmentProblem, c: &Chrome) -> String {
    let list = |places: &[DepartmentPlace]| places_in_words(places, c);
    let with = |key, name, value: &str| c.words().with(key, &[("text", text), (name, value)]);
    match problem {
        DepartmentProblem::Unknown(near) if near.is_empty() => c.v("department-unknown", "text", text),
        DepartmentProblem::Unknown(near) => with("department-unknown-near", "near", &list(near)),
        DepartmentProblem::Several(found) => with("department-several-these", "these", &list(found)),
        DepartmentProblem::Closed(last) => with("department-is-closed", "date", &last.to_string()),
    }
}

/// Departments with code and path, as a list in a sentence.
#[must_use]
pub fn places_in_words(places: &[DepartmentPlace], c: &Chrome) -> String {
    let all: Vec<String> = places.iter().map(|place| place_in_words(place, c)).collect();
    all.join(&c.t("list-comma"))
}

/// `D11 第一課（本社・営業部）`.
fn place_in_words(place: &DepartmentPlace, c: &Chrome) -> String {
    let name = shown(&place.code, &place.name);
    if place.above.is_empty() {
        return name;
    }
    let above = place.above.join(&c.t("department-path"));
    c.words().with("department-within", &[("name", &name), ("above", &above)])
}

/// Where an unknown department can be made, with its name filled in; empty for other problems, and for those who may
/// not.
#[must_use]
pub fn making(text: &str, problem: &DepartmentProblem, may: bool) -> String {
    if !may || !matches!(problem, DepartmentProblem::Unknown(_)) {
        return String::new();
    }
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("name", text).finish();
    format!("/departments?{query}#a-name")
}
