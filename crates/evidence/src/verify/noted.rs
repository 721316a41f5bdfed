//! What the audit log says of the links and keys that the pack shows.
//!
//! A link or a key is *backed* when the log says so from the beginning: the link was noted when it was made, the
//! enrolment stands in the log before the terminal's first event that is shown. Nothing in the log about it is no fault
//! (it is older than the audit log's leaves, or the entry is not shown); it is only the server's word then, and the
//! report counts it. Anything that says otherwise is a fault.

use std::collections::BTreeMap;

use mngntime_ledger::Digest;
use mngntime_ledger::audit::{
    AuditRecord, CHANGE_EMPLOYEE, ENROLL_TERMINAL, ENROLL_TERMINAL_AGAIN, EmployeeNoted, Enrolled,
    LINK_ACCOUNT, Linked, MonthRetired, NumberRange, NumbersRetired, RETIRE_MONTH, RETIRE_NUMBERS,
    UNLINK_ACCOUNT,
};
use mngntime_ledger::leaf::AuditLeaf;
use mngntime_ledger::log::check_inclusion;

use mngntime_model::UtcMillis;
use mngntime_wire::LogTree;

use super::{FaultKind, Tree, digests};
use crate::format::{self, AuditLine};
use crate::{japan, months};

/// Month and leaf: the order of the log.
pub type Position = (String, u64);

/// What the audit log tells of and the pack shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotedKind {
    /// A link of an account to an employee.
    Link,
    /// A terminal.
    Terminal,
    /// A month of the log that was retired.
    Month,
}

impl NotedKind {
    /// Its word in English.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Terminal => "terminal",
            Self::Month => "month",
        }
    }
}

/// An enrolment.
#[derive(Debug, Clone)]
struct Enrolment {
    position: Position,
    is_first: bool,
    at: i64,
    told: Enrolled,
}

/// A link that was made or ended.
#[derive(Debug, Clone)]
struct Change {
    number: u64,
    made: bool,
    act: (i64, String),
    told: Linked,
}

/// The entries so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    last: Option<(u64, Position)>,
    enrolments: BTreeMap<String, Vec<Enrolment>>,
    links: BTreeMap<String, Vec<Change>>,
    /// Number, code before, code afterwards.
    renamings: Vec<(u64, String, String)>,
    /// Months that were retired, each with the month of the entry, and when.
    months: BTreeMap<String, Vec<(String, i64, MonthRetired)>>,
    /// Numbers that were retired, by terminal: the month, when, and which.
    numbers: BTreeMap<String, Vec<(String, i64, NumberRange)>>,
}

/// What came of comparing the links.
#[derive(Debug, Default)]
pub(super) struct CheckedLinks {
    pub(super) unbacked: u64,
    pub(super) faults: Vec<FaultKind>,
}

impl Noted {
    /// The next entry: they ascend, in the order of the log.
    pub(super) fn take(
        &mut self,
        line: &AuditLine,
        pack: Option<&format::Pack>,
        trees: &BTreeMap<String, Tree>,
    ) -> Vec<FaultKind> {
        let record = record_of(line);
        let own = |record: &AuditRecord| record.v == 1 && pack.is_some_and(|p| p.contract == record.contract);
        let Some(record) = record.filter(own) else {
            return vec![FaultKind::WrongEntry];
        };
        let mut faults = Vec::new();
        let next = (record.number, (line.month.clone(), line.leaf));
        if self.last.as_ref().is_some_and(|last| last.0 >= next.0 || last.1 >= next.1) {
            faults.push(FaultKind::Misplaced);
        }
        self.last = Some(next);
        if in_log(&record, line, trees).is_none() {
            faults.push(FaultKind::EntryNotInLog { number: record.number });
        }
        if self.remember(&record, (line.month.clone(), line.leaf)).is_none() {
            faults.push(FaultKind::WrongEntry);
        }
        faults
    }

    /// Keeps what will be compared; `None` when the detail is not what the action needs.
    fn remember(&mut self, record: &AuditRecord, position: Position) -> Option<()> {
        match record.action.as_str() {
            ENROLL_TERMINAL | ENROLL_TERMINAL_AGAIN => {
                let told: Enrolled = record.told()?;
                let is_first = record.action == ENROLL_TERMINAL;
                let of_terminal = self.enrolments.entry(told.terminal.clone()).or_default();
                of_terminal.push(Enrolment { position, is_first, at: record.at, told });
            }
            LINK_ACCOUNT | UNLINK_ACCOUNT => {
                let told: Linked = record.told()?;
                let (number, made) = (record.number, record.action == LINK_ACCOUNT);
                let of_link = self.links.entry(told.link.clone()).or_default();
                of_link.push(Change { number, made, act: (record.at, record.by.clone()), told });
            }
            CHANGE_EMPLOYEE => {
                let told: EmployeeNoted = record.told()?;
                self.renamings.push((record.number, told.code_before?, told.code));
            }
            RETIRE_MONTH => {
                let told: MonthRetired = record.told()?;
                let dates = [&told.first_date, &told.last_date];
                let is_sound = months::is_month(&told.month)
                    && Digest::parse(&told.root).is_ok()
                    && dates.into_iter().all(|date| japan::is_date(date));
                is_sound.then_some(())?;
                self.months.entry(told.month.clone()).or_default().push((position.0, record.at, told));
            }
            RETIRE_NUMBERS => {
                let NumbersRetired { month, numbers } = record.told()?;
                let are_objects = record.told::<NumbersAsObjects>().is_some();
                (are_objects && months::is_month(&month)).then_some(())?;
                for range in numbers {
                    let of_terminal = self.numbers.entry(range.terminal.clone()).or_default();
                    of_terminal.push((month.clone(), record.at, range));
                }
            }
            _ => {}
        }
        Some(())
    }

    /// How many events of a month were retired.
    pub(super) fn retired_events(&self, month: &str) -> Option<u64> {
        self.months.get(month).and_then(|told| told.first()).map(|(_, _, told)| told.events)
    }

    /// The months that were retired, and when; a fault for each that was retired twice, in its own time, or as another tree
    /// than the one that is shown.
    pub(super) fn retired_months(&self, trees: &[LogTree]) -> (Vec<(String, i64)>, Vec<FaultKind>) {
        let (mut retired, mut faults) = (Vec::new(), Vec::new());
        for (month, told) in &self.months {
            retired.extend(told.first().map(|(_, at, _)| (month.clone(), *at)));
            let tree = trees.iter().find(|tree| tree.month == *month);
            let fits = |(noted_in, at, told): &(String, i64, MonthRetired)| {
                noted_in > month
                    && is_over(told, *at)
                    && told.events <= told.size
                    && tree.is_none_or(|tree| (tree.size, &tree.root) == (told.size, &told.root))
            };
            if told.len() != 1 || !told.iter().all(fits) {
                faults.push(contradicted(NotedKind::Month, month));
            }
        }
        (retired, faults)
    }

    /// Whether the audit log says that these numbers of a terminal were retired, with their month.
    pub(super) fn has_retired(&self, terminal: &str, line: &format::Retired) -> bool {
        let of_terminal = self.numbers.get(terminal).map_or(&[][..], Vec::as_slice);
        let is_it = |(month, at, range): &(String, i64, NumberRange)| {
            (month, *at) == (&line.month, line.retired_at)
                && (range.first, range.last) == (line.first, line.last)
                && [range.first_at, range.last_at] == line.happened
        };
        let when = |(_, at, _): &(String, i64, MonthRetired)| *at == line.retired_at;
        of_terminal.iter().any(is_it)
            && self.months.get(&line.month).is_some_and(|told| told.iter().any(when))
    }

    fn enrolments(&self, terminal: &str) -> &[Enrolment] {
        self.enrolments.get(terminal).map_or(&[], Vec::as_slice)
    }

    /// Whether every enrolment of the terminal was with the key that is shown, and the last one says what is shown.
    pub(super) fn agrees_with(&self, terminal: &format::Terminal) -> bool {
        let all = self.enrolments(&terminal.id);
        let same_key = all.iter().all(|enrolment| enrolment.told.public_key == terminal.public_key);
        let as_shown = all.last().is_none_or(|last| {
            last.told.key_class == terminal.key_class && last.told.host_name == terminal.host_name
        });
        // A terminal is enrolled for the first time once, and before everything else.
        let one_first = all.iter().skip(1).all(|enrolment| !enrolment.is_first);
        let began = all.first().is_none_or(|first| !first.is_first || first.at == terminal.enrolled_at);
        same_key && as_shown && one_first && began
    }

    /// Whether an enrolment stands in the log before the terminal's first event; `Err` when the first enrolment stands
    /// behind it.
    pub(super) fn backs_key(
        &self,
        terminal: &str,
        first_event: Option<&Position>,
    ) -> Result<bool, FaultKind> {
        let before = |enrolment: &Enrolment| first_event.is_none_or(|event| enrolment.position < *event);
        let all = self.enrolments(terminal);
        if all.iter().any(|enrolment| enrolment.is_first && !before(enrolment)) {
            return Err(contradicted(NotedKind::Terminal, terminal));
        }
        Ok(all.iter().any(before))
    }

    /// Compares every link with what was noted of it.
    pub(super) fn check_links(&self, links: &[format::Link]) -> CheckedLinks {
        let mut checked = CheckedLinks::default();
        let mut shown: BTreeMap<&str, u64> = BTreeMap::new();
        for link in links {
            *shown.entry(&link.id).or_default() += 1;
            let changes = self.links.get(&link.id).map_or(&[][..], Vec::as_slice);
            if !self.agrees_on(link, changes) {
                checked.faults.push(contradicted(NotedKind::Link, &link.id));
            }
            checked.unbacked += u64::from(!changes.iter().any(|change| change.made));
        }
        // Links are never removed, and none is shown twice.
        let twice = shown.iter().filter(|(_, count)| **count > 1).map(|(id, _)| *id);
        let hidden = self.links.keys().map(String::as_str).filter(|id| !shown.contains_key(id));
        checked.faults.extend(twice.chain(hidden).map(|id| contradicted(NotedKind::Link, id)));
        checked
    }

    fn agrees_on(&self, link: &format::Link, changes: &[Change]) -> bool {
        let Some((first, last)) = changes.first().zip(changes.last()) else { return true };
        let same = changes.iter().all(|Change { number, told, .. }| {
            told.account == link.account
                && told.from == link.dates.0
                && self.code_now(&told.employee, *number) == link.employee
        });
        let as_shown = last.told.to == link.dates.1 && last.told.void == link.void;
        // Made once and before everything else; the last end is the one that is shown.
        let made = changes.iter().skip(1).all(|change| !change.made)
            && (!first.made || (first.act == link.made && !first.told.void));
        let ended = if last.made { link.ended.is_none() } else { link.ended.as_ref() == Some(&last.act) };
        same && as_shown && made && ended
    }

    /// The code that who had `code` at entry `number` has now.
    fn code_now<'a>(&'a self, code: &'a str, number: u64) -> &'a str {
        let later = self.renamings.iter().filter(|(at, ..)| *at > number);
        later.fold(code, |code, (_, before, after)| if before == code { after } else { code })
    }
}

/// What of the links and terminals, with the place of each one's first event, contradicts the entries. These are all
/// entries of enrolments, links and employees, by ascending numbers, and all links and terminals that there are.
pub fn contradictions<'a>(
    entries: impl IntoIterator<Item = (&'a AuditRecord, Position)>,
    links: &[format::Link],
    terminals: &[(format::Terminal, Option<Position>)],
) -> Vec<FaultKind> {
    let (mut noted, mut faults) = (Noted::default(), Vec::new());
    for (record, position) in entries {
        if noted.remember(record, position).is_none() {
            faults.push(FaultKind::WrongEntry);
        }
    }
    faults.extend(noted.check_links(links).faults);
    for (terminal, first_event) in terminals {
        if !noted.agrees_with(terminal) {
            faults.push(contradicted(NotedKind::Terminal, &terminal.id));
        }
        faults.extend(noted.backs_key(&terminal.id, first_event.as_ref()).err());
    }
    faults
}

/// Whether the time of a month was over when it was retired: it is kept for three years at least, and these begin when two
/// more months have passed.
fn is_over(told: &MonthRetired, at: i64) -> bool {
    let months = |year: i64, month: i64| year * 12 + month;
    let kept = || {
        let (year, month) = told.month.split_once('-')?;
        Some(months(year.parse().ok()?, month.parse().ok()?) + 3 + 12 * i64::from(told.retention_years))
    };
    let at = japan::date_at(UtcMillis(at));
    let retired = months(at.year().into(), at.month().into());
    told.retention_years >= 3 && kept().is_some_and(|kept| retired >= kept)
}

/// Numbers that stand as objects: a reader of structures takes lists for them, too.
#[derive(serde::Deserialize)]
struct NumbersAsObjects {
    #[expect(dead_code, reason = "only its form is of interest")]
    numbers: Vec<BTreeMap<String, serde::de::IgnoredAny>>,
}

/// The entry of a line, if it is one. It is written in one way, but for what stands in its detail.
pub(super) fn record_of(line: &AuditLine) -> Option<AuditRecord> {
    let record: AuditRecord = serde_json::from_str(&line.json).ok()?;
    let has_detail = record.detail.get().starts_with('{');
    (has_detail && record.number > 0 && record.to_json().ok()? == line.json).then_some(record)
}

fn in_log(record: &AuditRecord, line: &AuditLine, trees: &BTreeMap<String, Tree>) -> Option<()> {
    let entry = Digest::of(line.json.as_bytes());
    let leaf = AuditLeaf::of(&record.contract, record.number, record.at, entry).hash().ok()?;
    let tree = trees.get(&line.month)?;
    check_inclusion(&digests(&line.proof)?, tree.size, tree.root, line.leaf, leaf).ok()
}

fn contradicted(kind: NotedKind, id: &str) -> FaultKind {
    FaultKind::NotAsNoted { kind, id: id.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "key";

    fn enrolment(leaf: u64, is_first: bool, key: &str) -> Enrolment {
        let told = Enrolled {
            terminal: "t".into(),
            public_key: key.into(),
            key_class: "file".into(),
            host_name: format!("PC-{leaf}"),
            os: String::new(),
            makeup: String::new(),
            agent_version: String::new(),
            enrollment_key: None,
        };
        Enrolment { position: ("2026-11".into(), leaf), is_first, at: 5, told }
    }

    fn noted(enrolments: Vec<Enrolment>) -> Noted {
        Noted { enrolments: [("t".to_owned(), enrolments)].into(), ..Noted::default() }
    }

    fn terminal(host_name: &str) -> format::Terminal {
        format::Terminal {
            id: "t".into(),
            host_name: host_name.into(),
            public_key: KEY.into(),
            key_class: "file".into(),
            enrolled_at: 5,
            last_contact_at: None,
            marks: None,
            numbers: format::Numbers { first: 1, last: 1 },
        }
    }

    #[test]
    fn an_enrolment_backs_a_key_from_its_place_on() {
        let event = |leaf| Some(("2026-11".to_owned(), leaf));
        let again = noted(vec![enrolment(7, false, KEY)]);
        assert_eq!(again.backs_key("t", event(8).as_ref()), Ok(true));
        // Older than the leaves of the audit log: what came before the entry is the server's word.
        assert_eq!(again.backs_key("t", event(6).as_ref()), Ok(false));
        assert_eq!(again.backs_key("u", event(8).as_ref()), Ok(false));
        assert_eq!(again.backs_key("t", event(7).as_ref()), Ok(false), "a place is of one thing");
        assert_eq!(again.backs_key("t", Some(&("2026-12".into(), 0))), Ok(true));
        // But nobody is enrolled for the first time after the first event.
        let first = noted(vec![enrolment(7, true, KEY)]);
        assert!(first.backs_key("t", event(6).as_ref()).is_err());
        assert_eq!(first.backs_key("t", event(8).as_ref()), Ok(true));
    }

    #[test]
    fn a_terminal_has_one_key_and_begins_once() {
        let twice = noted(vec![enrolment(1, true, KEY), enrolment(2, false, KEY)]);
        assert!(twice.agrees_with(&terminal("PC-2")), "as at its last enrolment");
        assert!(!twice.agrees_with(&terminal("PC-1")));
        let other = noted(vec![enrolment(1, true, "another"), enrolment(2, false, KEY)]);
        assert!(!other.agrees_with(&terminal("PC-2")));
        let begun_twice = noted(vec![enrolment(1, true, KEY), enrolment(2, true, KEY)]);
        assert!(!begun_twice.agrees_with(&terminal("PC-2")));
        let later = format::Terminal { enrolled_at: 6, ..terminal("PC-1") };
        assert!(!noted(vec![enrolment(1, true, KEY)]).agrees_with(&later));
        assert!(noted(vec![enrolment(1, false, KEY)]).agrees_with(&later));
    }

    fn change(number: u64, made: bool, to: Option<&str>) -> Change {
        let told = Linked {
            link: "l".into(),
            account: "S-1".into(),
            employee: "E1".into(),
            from: "2026-01-01".into(),
            to: to.map(str::to_owned),
            void: false,
            because: None,
            allowed_by: None,
        };
        let at = i64::try_from(number).unwrap();
        Change { number, made, act: (at, "kimura".into()), told }
    }

    fn link(employee: &str, to: Option<&str>, ended: Option<i64>) -> format::Link {
        format::Link {
            id: "l".into(),
            account: "S-1".into(),
            employee: employee.into(),
            dates: ("2026-01-01".into(), to.map(str::to_owned)),
            void: false,
            made: (1, "kimura".into()),
            ended: ended.map(|at| (at, "kimura".into())),
        }
    }

    #[test]
    fn a_link_is_as_its_last_change_left_it() {
        let changes = vec![
            change(1, true, None),
            change(2, false, Some("2026-05-01")),
            change(3, false, Some("2026-04-01")),
        ];
        let noted = |changes| Noted { links: [("l".to_owned(), changes)].into(), ..Noted::default() };
        let checked = |noted: &Noted, link| noted.check_links(&[link]);
        let all = noted(changes);
        let good = checked(&all, link("E1", Some("2026-04-01"), Some(3)));
        assert_eq!((good.unbacked, good.faults.len()), (0, 0));
        for wrong in [
            link("E1", Some("2026-05-01"), Some(2)),
            link("E1", Some("2026-04-01"), Some(2)),
            link("E1", Some("2026-04-01"), None),
            link("E1", None, None),
        ] {
            assert_eq!(checked(&all, wrong).faults, [contradicted(NotedKind::Link, "l")]);
        }
        // Made before the audit log had leaves: the end is backed, the beginning is not.
        let ended = noted(vec![change(2, false, Some("2026-05-01"))]);
        let checked = checked(&ended, link("E1", Some("2026-05-01"), Some(2)));
        assert_eq!((checked.unbacked, checked.faults.len()), (1, 0));
    }

    #[test]
    fn an_employee_whose_code_was_changed_is_the_same_employee() {
        let renaming = |number, before: &str, after: &str| (number, before.to_owned(), after.to_owned());
        let renamings = vec![renaming(2, "E1", "E2"), renaming(3, "E9", "E1"), renaming(4, "E2", "E3")];
        let links = [("l".to_owned(), vec![change(1, true, None)])].into();
        let noted = Noted { links, renamings, ..Noted::default() };
        assert_eq!(noted.check_links(&[link("E3", None, None)]).faults, []);
        for code in ["E1", "E2", "E9"] {
            assert_eq!(
                noted.check_links(&[link(code, None, None)]).faults,
                [contradicted(NotedKind::Link, "l")],
                "{code}"
            );
        }
    }

    fn entry(number: u64, action: &str, detail: &str) -> AuditRecord {
        let detail = serde_json::value::RawValue::from_string(detail.to_owned()).unwrap();
        let (contract, by, object) = ("demo".to_owned(), "kimura".to_owned(), String::new());
        AuditRecord { v: 1, contract, number, at: 5, by, action: action.to_owned(), object, detail }
    }

    #[test]
    fn entries_ascend_by_number_and_by_place() {
        let pack = include_str!("../../tests/record.jsonl").lines().next().unwrap();
        let format::Line::Pack(pack) = serde_json::from_str(pack).unwrap() else { panic!("{pack}") };
        let pack = format::Pack { contract: "demo".into(), ..pack };
        let misplaced = |first: (u64, u64), second: (u64, u64)| {
            let mut noted = Noted::default();
            let mut take = |(number, leaf)| {
                let json = serde_json::to_string(&entry(number, "sign_in", "{}")).unwrap();
                let line = AuditLine { json, month: "2026-11".into(), leaf, proof: vec![] };
                noted.take(&line, Some(&pack), &BTreeMap::new()).contains(&FaultKind::Misplaced)
            };
            (take(first), take(second))
        };
        assert_eq!(misplaced((4, 7), (5, 8)), (false, false));
        for second in [(5, 7), (5, 6), (4, 8), (3, 8)] {
            assert_eq!(misplaced((4, 7), second), (false, true), "{second:?}");
        }
    }

    #[test]
    fn an_employee_whose_code_the_log_says_was_changed_is_the_same_employee() {
        let told = |code: &str, before: Option<&str>| EmployeeNoted {
            code: code.to_owned(),
            code_before: before.map(str::to_owned),
            ..serde_json::from_str(r#"{"id":"1","code":"","name":""}"#).unwrap()
        };
        let mut noted = Noted::default();
        for (number, told) in [(2, told("E2", Some("E1"))), (3, told("E2", None))] {
            let detail = serde_json::to_string(&told).unwrap();
            noted.remember(&entry(number, CHANGE_EMPLOYEE, &detail), ("2026-11".into(), number));
        }
        assert_eq!(noted.code_now("E1", 1), "E2");
        assert_eq!(noted.code_now("E1", 2), "E1", "another one, who got the code afterwards");
    }

    /// 2030-02-01 00:00 in Japan: three years after two more months.
    const OVER: i64 = 1_896_102_000_000;

    fn retirement(month: &str, events: u64, years: u8) -> MonthRetired {
        MonthRetired {
            month: month.to_owned(),
            size: 10,
            root: "root".to_owned(),
            events,
            first_date: "2026-11-01".to_owned(),
            last_date: "2026-11-30".to_owned(),
            retention_years: years,
        }
    }

    #[test]
    fn the_time_of_a_month_is_over_after_its_years_and_two_more_months_to_the_millisecond() {
        let over = |month, years, at| is_over(&retirement(month, 1, years), at);
        assert!(!over("2026-11", 3, OVER - 1) && over("2026-11", 3, OVER) && over("2026-11", 3, OVER + 1));
        // 2031-02-01 00:00.
        assert!(!over("2026-11", 4, 1_927_638_000_000 - 1) && over("2026-11", 4, 1_927_638_000_000));
        assert!(!over("2026-11", 2, OVER) && !over("2026-11", 0, i64::from(u32::MAX) * 1_000));
        assert!(!over("2026-12", 3, OVER) && over("2026-10", 3, OVER));
        assert!(!over("2026", 3, OVER) && !over("2026-xx", 3, OVER));
        assert!(over("2026-11", 3, i64::MAX), "what lies after the calendar has its last date");
    }

    #[test]
    fn a_month_is_retired_once_later_than_itself_in_its_time_and_as_the_tree_that_is_shown() {
        let tree = |size, root: &str| LogTree { month: "2026-11".into(), size, root: root.into() };
        let checked = |told: Vec<(&str, i64, MonthRetired)>, trees: &[LogTree]| {
            let told: Vec<_> =
                told.into_iter().map(|(noted_in, at, it)| (noted_in.to_owned(), at, it)).collect();
            let noted = Noted { months: [("2026-11".to_owned(), told)].into(), ..Noted::default() };
            assert_eq!(
                (noted.retired_events("2026-11").is_some(), noted.retired_events("2026-12")),
                (true, None)
            );
            let (retired, faults) = noted.retired_months(trees);
            assert_eq!(retired, [("2026-11".to_owned(), OVER)], "the first of what is told");
            faults == [contradicted(NotedKind::Month, "2026-11")]
        };
        let it = || retirement("2026-11", 9, 3);
        let shown = [LogTree { month: "2026-12".into(), ..tree(3, "other") }, tree(10, "root")];
        let once = |noted_in| vec![(noted_in, OVER, it())];
        assert!(!checked(once("2030-02"), &shown) && !checked(once("2030-02"), &shown[..1]));
        assert!(checked(once("2026-11"), &shown) && !checked(once("2026-12"), &shown));
        assert!(checked(once("2030-02"), &[tree(11, "root")]) && checked(once("2030-02"), &[tree(10, "x")]));
        assert!(checked(vec![("2030-02", OVER, it()), ("2030-02", OVER + 1, it())], &shown), "twice");
        let with = |change: &dyn Fn(&mut MonthRetired)| {
            let mut told = it();
            change(&mut told);
            checked(vec![("2030-02", OVER, told)], &shown)
        };
        assert!(!with(&|told| told.events = 10) && with(&|told| told.events = 11), "of ten leaves");
        assert!(with(&|told| told.retention_years = 4), "not yet over");
    }

    #[test]
    fn numbers_are_retired_when_an_entry_names_exactly_them_and_the_month_went_then() {
        let range = NumberRange { terminal: "t".into(), first: 3, last: 5, first_at: 7, last_at: 9 };
        let noted = |retired_at| Noted {
            numbers: [("t".to_owned(), vec![("2026-11".to_owned(), OVER, range.clone())])].into(),
            months: [(
                "2026-11".to_owned(),
                vec![("2030-02".to_owned(), retired_at, retirement("2026-11", 9, 3))],
            )]
            .into(),
            ..Noted::default()
        };
        let line = || format::Retired {
            first: 3,
            last: 5,
            month: "2026-11".into(),
            retired_at: OVER,
            happened: [7, 9],
        };
        let has = |terminal, line| noted(OVER).has_retired(terminal, &line);
        assert!(has("t", line()) && !has("u", line()));
        assert!(!noted(OVER + 1).has_retired("t", &line()), "the month went at another time");
        assert!(
            !has("t", format::Retired { first: 4, ..line() })
                && !has("t", format::Retired { last: 4, ..line() })
        );
        assert!(!has("t", format::Retired { month: "2026-12".into(), ..line() }));
        assert!(!has("t", format::Retired { retired_at: OVER + 1, ..line() }));
        assert!(!has("t", format::Retired { happened: [8, 9], ..line() }));
        assert!(!has("t", format::Retired { happened: [7, 8], ..line() }));
    }
}
