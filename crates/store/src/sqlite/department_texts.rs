//! Which department a typed text means.
//!
//! A contract's departments (a few thousand at most) are read once for everything that is looked up in one piece of
//! work; what a text means is then decided in memory, by the same code for one form and for ten thousand lines.

use std::collections::HashMap;

use crate::sql::{Connection, params};
use jiff::civil::Date;

use super::{Work, departments, rows};
use crate::ports::{
    Act, DEPARTMENTS_NAMED_MAX, DepartmentPlace, DepartmentProblem, NewDepartment, NewEmployee,
};
use crate::{ContractId, DepartmentId, Refusal, local_date, typed};

/// How like a text a code or name must be to be named as what may have been meant: 1 is the same.
const LIKE: f64 = 0.5;

/// Unknown texts for which the nearest departments are looked for. A file with more of them has the wrong column.
const NEAREST_MAX: usize = 100;

/// A department, as it is looked up.
struct Known {
    id: DepartmentId,
    code: String,
    name: String,
    parent: Option<DepartmentId>,
    closed_on: Option<Date>,
}

/// What a text means.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Meant {
    /// The department.
    id: DepartmentId,
    /// Its name, as employees show it.
    name: String,
}

/// The departments of a contract, to look up texts in.
pub(super) struct Tree {
    all: Vec<Known>,
    places: HashMap<DepartmentId, usize>,
    exact: HashMap<String, usize>,
    codes: HashMap<String, usize>,
    names: HashMap<String, Vec<usize>>,
    today: Date,
    nearest: HashMap<String, Vec<DepartmentPlace>>,
}

/// A text as it is compared: 全角 letters narrow, without spaces, in small letters.
fn folded(text: &str) -> String {
    typed::narrow(text).split_whitespace().collect::<String>().to_lowercase()
}

impl Tree {
    /// The departments as they are on `today`.
    pub(super) fn read(connection: &Connection, contract: ContractId, today: Date) -> Work<Self> {
        let sql = "SELECT id, code, name, parent_id, closed_on FROM departments WHERE contract_id = ?1 ORDER BY code";
        let all = rows::all(connection, sql, params![contract.0], |row| {
            Ok(Known {
                id: DepartmentId(rows::uuid(row, 0)?),
                code: row.get(1)?,
                name: row.get(2)?,
                parent: rows::uuid_or_none(row, 3)?.map(DepartmentId),
                closed_on: rows::date_or_none(row, 4)?,
            })
        })?;
        Ok(Self::of(all, today))
    }

    fn of(all: Vec<Known>, today: Date) -> Self {
        let mut tree = Self {
            all: Vec::with_capacity(all.len()),
            places: HashMap::new(),
            exact: HashMap::new(),
            codes: HashMap::new(),
            names: HashMap::new(),
            today,
            nearest: HashMap::new(),
        };
        all.into_iter().for_each(|known| tree.insert(known));
        tree
    }

    fn insert(&mut self, known: Known) {
        let place = self.all.len();
        self.places.insert(known.id, place);
        self.exact.insert(known.code.clone(), place);
        self.codes.entry(folded(&known.code)).or_insert(place);
        self.names.entry(folded(&known.name)).or_default().push(place);
        self.all.push(known);
    }

    /// The department that `text` means.
    fn meaning(&mut self, text: &str) -> Result<Meant, DepartmentProblem> {
        let by_code = self.exact.get(text).or_else(|| self.codes.get(&folded(text))).copied();
        let mut found: Vec<usize> = by_code.or_else(|| self.by_both(text)).into_iter().collect();
        if found.iter().all(|place| self.is_closed(*place)) {
            found.extend(self.by_name(text));
        }
        let open: Vec<usize> = found.iter().copied().filter(|place| !self.is_closed(*place)).collect();
        match (open.as_slice(), found.as_slice()) {
            ([one], _) => Ok(self.meant(*one)),
            ([], []) => Err(DepartmentProblem::Unknown(self.nearest(text))),
            ([], [closed, ..]) => {
                Err(DepartmentProblem::Closed(self.all[*closed].closed_on.unwrap_or(self.today)))
            }
            (several, _) => Err(DepartmentProblem::Several(
                several.iter().take(DEPARTMENTS_NAMED_MAX).map(|place| self.place(*place)).collect(),
            )),
        }
    }

    /// `line` with its department called by its name, and which that is. `now`: the text and the department of somebody
    /// who is known already.
    pub(super) fn placed(
        &mut self,
        line: &NewEmployee,
        now: Option<(Option<&str>, Option<DepartmentId>)>,
    ) -> Result<(NewEmployee, Option<DepartmentId>), DepartmentProblem> {
        let text = line.department.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let (known, id) = now.unwrap_or_default();
        // The same text is the same department, also where several have the name.
        if now.is_some() && known == text {
            return Ok((line.clone(), id));
        }
        let Some(text) = text else {
            return Ok((NewEmployee { department: None, ..line.clone() }, None));
        };
        let meant = match id.and_then(|id| self.stays(text, id)) {
            Some(meant) => meant,
            None => self.meaning(text)?,
        };
        Ok((NewEmployee { department: Some(meant.name), ..line.clone() }, Some(meant.id)))
    }

    /// What somebody's department is called, and that of `text` when it is the same one: whoever is in a closed
    /// department stays there as long as the text says nothing else.
    fn stays(&self, text: &str, now: DepartmentId) -> Option<Meant> {
        let place = *self.places.get(&now)?;
        let known = &self.all[place];
        let same = [&known.code, &known.name, &format!("{} {}", known.code, known.name)]
            .into_iter()
            .any(|one| folded(one) == folded(text));
        same.then(|| self.meant(place))
    }

    fn meant(&self, place: usize) -> Meant {
        Meant { id: self.all[place].id, name: self.all[place].name.clone() }
    }

    fn is_closed(&self, place: usize) -> bool {
        self.all[place].closed_on.is_some_and(|last| last < self.today)
    }

    /// `code name`, as forms and errors write it.
    fn by_both(&self, text: &str) -> Option<usize> {
        let code = text.split_whitespace().next()?;
        let place = *self.codes.get(&folded(code))?;
        let both = format!("{}{}", self.all[place].code, self.all[place].name);
        (folded(&both) == folded(text)).then_some(place)
    }

    fn by_name(&self, text: &str) -> Vec<usize> {
        self.names.get(&folded(text)).cloned().unwrap_or_default()
    }

    fn place(&self, place: usize) -> DepartmentPlace {
        let known = &self.all[place];
        let (mut above, mut next) = (Vec::new(), known.parent);
        while let Some(parent) = next.and_then(|id| self.places.get(&id)).map(|place| &self.all[*place]) {
            above.insert(0, parent.name.clone());
            // A ring, should one ever be stored, ends here.
            next = parent.parent.filter(|_| above.len() < self.all.len());
        }
        DepartmentPlace { code: known.code.clone(), name: known.name.clone(), above }
    }

    /// Open departments whose code or name is most like `text`, the best first.
    fn nearest(&mut self, text: &str) -> Vec<DepartmentPlace> {
        if let Some(found) = self.nearest.get(text) {
            return found.clone();
        }
        if self.nearest.len() >= NEAREST_MAX {
            return Vec::new();
        }
        let wanted = folded(text);
        let like = |known: &Known| {
            [&known.code, &known.name]
                .map(|one| likeness(&wanted, &folded(one)))
                .into_iter()
                .fold(0.0, f64::max)
        };
        let open = (0..self.all.len()).filter(|place| !self.is_closed(*place));
        let mut scored: Vec<(f64, usize)> =
            open.map(|place| (like(&self.all[place]), place)).filter(|(score, _)| *score >= LIKE).collect();
        scored.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        let found: Vec<DepartmentPlace> =
            scored.into_iter().take(DEPARTMENTS_NAMED_MAX).map(|(_, place)| self.place(place)).collect();
        self.nearest.insert(text.to_owned(), found.clone());
        found
    }

    /// Makes the department that `text` names, at the top of the tree, unless there is one by now. Says whether it did.
    pub(super) fn make(
        &mut self,
        tx: &Connection,
        contract: ContractId,
        text: &str,
        act: &Act,
    ) -> Work<bool> {
        let text = text.trim();
        if self.meaning(text).is_ok() {
            return Ok(false);
        }
        let new = NewDepartment { code: typed::narrow(text), name: text.to_owned(), parent: None };
        let id = departments::add(tx, contract, &new, act)?;
        self.insert(Known { id, code: new.code, name: new.name, parent: None, closed_on: None });
        Ok(true)
    }
}

/// How like two folded texts are, from 0 to 1. A text within the other is a shortened one.
fn likeness(one: &str, other: &str) -> f64 {
    let within = |part: &str, whole: &str| part.chars().count() > 1 && whole.contains(part);
    let like = strsim::normalized_damerau_levenshtein(one, other);
    if within(one, other) || within(other, one) { like.max(LIKE) } else { like }
}

/// What a form says of an employee, with the department that it means. `now` as in [`Tree::placed`].
pub(super) fn placed(
    connection: &Connection,
    contract: ContractId,
    data: &NewEmployee,
    now: Option<(Option<&str>, Option<DepartmentId>)>,
    act: &Act,
) -> Work<(NewEmployee, Option<DepartmentId>)> {
    if data.department.is_none() {
        return Ok((data.clone(), None));
    }
    let mut tree = Tree::read(connection, contract, local_date(act.at))?;
    tree.placed(data, now).map_err(|problem| {
        let text = data.department.clone().unwrap_or_default();
        Refusal::Department { text, problem }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use uuid::Uuid;

    const TODAY: Date = date(2026, 6, 17);

    fn id(n: u8) -> DepartmentId {
        DepartmentId(Uuid::from_bytes([n; 16]))
    }

    fn known(n: u8, code: &str, name: &str, parent: Option<u8>) -> Known {
        Known { id: id(n), code: code.into(), name: name.into(), parent: parent.map(id), closed_on: None }
    }

    fn tree() -> Tree {
        let closed = Known { closed_on: Some(date(2026, 3, 31)), ..known(6, "D9", "企画部", None) };
        Tree::of(
            vec![
                known(1, "D1", "営業部", None),
                known(2, "D11", "第一課", Some(1)),
                known(3, "D2", "開発部", None),
                known(4, "D21", "第一課", Some(3)),
                known(5, "開発部", "旧開発", None),
                closed,
            ],
            TODAY,
        )
    }

    fn codes(places: &[DepartmentPlace]) -> Vec<&str> {
        places.iter().map(|place| place.code.as_str()).collect()
    }

    #[test]
    fn a_code_goes_before_a_name_and_wide_letters_and_spaces_do_not_matter() {
        let mut tree = tree();
        for (text, meant) in [
            ("D1", 1),
            ("ｄ１", 1),
            ("営業部", 1),
            ("D1 営業部", 1),
            ("Ｄ１　営業部", 1),
            ("D21 第一課", 4),
            ("開発部", 5),
            ("D2", 3),
        ] {
            assert_eq!(tree.meaning(text).unwrap().id, id(meant), "{text}");
        }
    }

    #[test]
    fn a_name_of_several_lists_them_with_code_and_path() {
        let Err(DepartmentProblem::Several(found)) = tree().meaning("第一課") else { panic!() };
        assert_eq!(codes(&found), ["D11", "D21"]);
        assert_eq!(
            (found[0].above.as_slice(), found[1].above.as_slice()),
            (["営業部".to_owned()].as_slice(), ["開発部".to_owned()].as_slice())
        );
    }

    #[test]
    fn what_is_unknown_is_answered_with_the_nearest_and_never_with_closed_ones() {
        let mut tree = tree();
        let mut near = |text: &str| match tree.meaning(text) {
            Err(DepartmentProblem::Unknown(found)) => codes(&found).join(" "),
            other => panic!("{other:?}"),
        };
        assert_eq!(near("営業郡"), "D1");
        assert_eq!(near("第一営業部"), "D1");
        assert_eq!(near("総務部"), "");
        assert_eq!(near("企画"), "");
        assert!(near("D12").starts_with("D1 ") || near("D12").starts_with("D11 "), "{}", near("D12"));
    }

    #[test]
    fn a_closed_one_takes_nobody_in_and_keeps_who_is_there() {
        let mut tree = tree();
        assert_eq!(tree.meaning("企画部"), Err(DepartmentProblem::Closed(date(2026, 3, 31))));
        assert_eq!(tree.stays("D9 企画部", id(6)).unwrap().name, "企画部");
        assert_eq!(tree.stays("営業部", id(6)), None);
    }

    #[test]
    fn a_closed_namesake_does_not_make_a_name_ambiguous() {
        let closed = Known { closed_on: Some(date(2026, 3, 31)), ..known(8, "D0", "営業部", None) };
        let mut tree = Tree::of(vec![closed, known(1, "D1", "営業部", None)], TODAY);
        assert_eq!(tree.meaning("営業部").unwrap().id, id(1));
    }
}
