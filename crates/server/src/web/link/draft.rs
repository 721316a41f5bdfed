//! What a person typed for one account.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use jiff::civil::Date;
use mngntime_store::{
    Account, AccountId, Employee, EmployeeChoice, Link, LinkInFull, LinkRequest, NewEmployee,
};

use super::super::accounts::period;
use super::super::chrome::Chrome;
use super::super::fields::{Fields, date_of};
use super::super::flaws;
use super::super::lookup::{self, Alike, Found};
use super::super::punches::cause;

/// One account's part of the form, with what is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Place in the form.
    pub n: usize,
    /// The account's id.
    pub account: String,
    /// `DOMAIN\name`.
    pub name: String,
    /// Whether the employee is to be made.
    pub new: bool,
    /// Code or name of an existing employee.
    pub employee: String,
    /// Code of a new employee.
    pub code: String,
    /// Name of a new employee.
    pub new_name: String,
    /// First date.
    pub from: String,
    /// Last date.
    pub to: String,
    /// 今回は登録しない
    pub skip: bool,
    /// Why the employee was filled in; empty when the person did it.
    pub reason: String,
    /// Employees to choose from, as the field takes them and as they are shown; empty where one is named.
    pub choices: Vec<(String, String)>,
    /// How many more there are.
    pub more: u64,
    /// Whether a draft above makes the same employee.
    pub again: bool,
    /// What is wrong with the existing employee.
    pub employee_error: String,
    /// What is wrong with the code.
    pub code_error: String,
    /// What is wrong with the name.
    pub name_error: String,
    /// What is wrong with the dates.
    pub date_error: String,
    /// To whom the account is linked on some of these dates; empty for nobody.
    pub taken: String,
    /// Where it is handed over instead; empty where nothing stands in the way.
    pub hand_over: String,
    /// Whose link gives way to this, and what stays of it, in words; empty for nobody.
    pub ends: String,
}

/// Whom the form means for its `n`th account: whoever was chosen of several, else what was typed.
#[must_use]
pub fn whom(n: usize, fields: &Fields) -> &str {
    let chosen = fields.filled(&format!("choose-{n}"));
    chosen.unwrap_or_else(|| fields.text(&format!("employee-{n}")))
}

impl Draft {
    /// The part of `fields` for the `n`th account; for a first visit, what a link should begin with.
    #[must_use]
    pub fn read(n: usize, account: &Account, links: &[LinkInFull], fields: &Fields, today: Date) -> Self {
        let text = |name: &str| fields.text(&format!("{name}-{n}")).to_owned();
        let first_visit = fields.iter().all(|(name, _)| name != &format!("mode-{n}"));
        let since = account.waits_from().unwrap_or(today);
        let (since, until) = cause::free(since, links);
        Self {
            n,
            account: account.id.to_string(),
            name: format!("{}\\{}", account.domain, account.name),
            new: text("mode") == "new",
            employee: whom(n, fields).to_owned(),
            code: fields.code(&format!("code-{n}")),
            new_name: text("name"),
            from: if first_visit { since.to_string() } else { text("from") },
            to: until.filter(|_| first_visit).map_or_else(|| text("to"), |to| to.to_string()),
            skip: text("skip") == "1",
            ..Self::default()
        }
    }

    /// Offers those that the text may mean, where it named nobody in particular.
    pub fn offer(&mut self, alike: &Alike, c: &Chrome) {
        self.employee_error = alike.says(&self.employee, c);
        self.choices = alike.choices();
        self.more = alike.more;
    }

    /// Whether a text is there that named nobody in particular.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        !self.new && !self.employee.is_empty() && !self.employee_error.is_empty()
    }

    /// Notes whose the account is on some of the dates, and where it is handed over instead.
    pub fn look_for_others(&mut self, account: AccountId, links: &[LinkInFull], c: &Chrome) {
        let Ok(Some(from)) = date_of(&self.from) else { return };
        let to = date_of(&self.to).ok().flatten();
        let is_chosen = |full: &LinkInFull| {
            let code = self.employee.split_whitespace().next();
            !self.new && code == Some(full.link.employee_code.as_str())
        };
        let gives_way = cause::gives_way(links, (from, to)).filter(|(full, _)| !is_chosen(full));
        if let Some((full, rest)) = gives_way {
            self.ends = cause::stays(&cause::who(full), rest, c);
        } else if let Some(full) = links.iter().find(|full| cause::overlaps(full, (from, to))) {
            let (who, span) = (cause::who(full), period(full.link.from, full.link.to));
            self.taken = c.words().with("link-taken", &[("who", &who), ("period", &span)]);
            let employee = if self.new { "" } else { self.employee.as_str() };
            self.hand_over = cause::hand_over(account, employee, (from, to));
        }
    }

    /// The wanted link, or messages.
    pub fn check(&mut self, account: AccountId, employees: &[Employee], c: &Chrome) -> Option<LinkRequest> {
        if self.skip {
            return None;
        }
        let employee =
            if self.new { self.check_new(employees, c) } else { self.check_existing(employees, c) };
        let dates = self.check_dates(c);
        let (employee, (from, to)) = employee.zip(dates)?;
        Some(LinkRequest { account, employee, from, to })
    }

    fn check_existing(&mut self, employees: &[Employee], c: &Chrome) -> Option<EmployeeChoice> {
        if self.employee.is_empty() {
            self.employee_error = c.t("link-choose-employee");
            return None;
        }
        match lookup::employee(employees, &self.employee) {
            Found::One(employee) => return Some(EmployeeChoice::Existing(employee.id)),
            Found::Nothing | Found::Several => {
                self.employee_error = c.v("filter-no-employee", "text", &self.employee);
            }
        }
        None
    }

    fn check_new(&mut self, employees: &[Employee], c: &Chrome) -> Option<EmployeeChoice> {
        self.code_error = flaws::code_error(&self.code, "employee-code-missing", c);
        self.name_error = flaws::name_error(&self.new_name, "employee-name-missing", c);
        if let Some(taken) = employees.iter().find(|employee| employee.data.code == self.code) {
            let values = [("code", self.code.as_str()), ("name", taken.data.name.as_str())];
            self.code_error = c.words().with("link-code-taken", &values);
        }
        let fine = self.code_error.is_empty() && self.name_error.is_empty();
        fine.then(|| EmployeeChoice::New(NewEmployee::named(self.code.clone(), self.new_name.clone())))
    }

    /// Whether the new employee is nobody else than the one a draft above makes under the same code: `made` has their
    /// names by code.
    pub fn meets(&mut self, made: &mut HashMap<String, String>, c: &Chrome) -> bool {
        if !self.new {
            return true;
        }
        let first = made.entry(self.code.clone());
        self.again = matches!(first, Entry::Occupied(_));
        let first = first.or_insert_with(|| self.new_name.clone());
        if *first == self.new_name {
            return true;
        }
        let values = [("code", self.code.as_str()), ("name", first.as_str())];
        self.code_error = c.words().with("link-code-twice", &values);
        false
    }

    fn check_dates(&mut self, c: &Chrome) -> Option<(Date, Option<Date>)> {
        let read = |text: &str| date_of(text).map_err(|text| c.v("filter-bad-date", "text", text));
        match (read(&self.from), read(&self.to)) {
            (Err(error), _) | (_, Err(error)) => self.date_error = error,
            (Ok(None), _) => self.date_error = c.t("link-no-start"),
            (Ok(Some(from)), Ok(Some(to))) if to < from => self.date_error = c.t("filter-dates-reversed"),
            (Ok(Some(from)), Ok(to)) => return Some((from, to)),
        }
        None
    }

    /// The dates of a draft that has been checked.
    #[must_use]
    pub fn dates(&self) -> Option<(Date, Option<Date>)> {
        let read = |text: &str| date_of(text).ok().flatten();
        Some((read(&self.from).filter(|_| !self.skip)?, read(&self.to)))
    }

    /// Whether one of `links` is what this asks for.
    #[must_use]
    pub fn is_among(&self, links: &[Link], employees: &[Employee]) -> bool {
        let Some(((from, to), (code, name))) = self.dates().zip(self.employee_of(employees)) else {
            return false;
        };
        let same = |link: &Link| link.employee_code == code && (!self.new || link.employee_name == name);
        links.iter().any(|link| (link.from, link.to) == (from, to) && same(link))
    }

    /// Code and name of the employee, existing or new.
    #[must_use]
    pub fn employee_of(&self, employees: &[Employee]) -> Option<(String, String)> {
        if self.skip {
            return None;
        }
        if self.new {
            return Some((self.code.clone(), self.new_name.clone()));
        }
        match lookup::employee(employees, &self.employee) {
            Found::One(employee) => Some((employee.data.code.clone(), employee.data.name.clone())),
            Found::Nothing | Found::Several => None,
        }
    }

    /// Whether anything is wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.errors().into_iter().any(|(_, _, error)| !error.is_empty())
    }

    /// Address and words for each problem, for the message above the form.
    #[must_use]
    pub fn problems(&self, c: &Chrome) -> Vec<(String, String)> {
        let wrong = self.errors().into_iter().filter(|(_, _, error)| !error.is_empty());
        wrong
            .map(|(id, key, _)| (format!("#{id}-{}", self.n), format!("{}: {}", self.name, c.t(key))))
            .collect()
    }

    fn errors(&self) -> [(&'static str, &'static str, &str); 4] {
        [
            ("e", "link-field-employee", &self.employee_error),
            ("c", "col-code", &self.code_error),
            ("n", "col-name", &self.name_error),
            ("f", "link-period", &self.date_error),
        ]
    }
}
