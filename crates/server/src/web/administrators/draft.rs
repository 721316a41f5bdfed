//! What somebody typed about a person who signs in.

use mngntime_store::{Administrator, AdministratorChange, DepartmentId, EmployeeId, NewAdministrator, Role};

use super::super::chrome::{Chrome, role_key};
use super::super::departments::shown;
use super::super::employees::DEPARTMENTS_OFFERED_MAX;
use super::super::fields::Fields;
use super::super::flaws::name_error;
use super::super::lookup::{self, Found};
use super::super::views::Choice;
use super::Names;
use crate::logins;

/// The fields, with what is wrong.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Login; only for somebody new.
    pub login: String,
    /// Name.
    pub name: String,
    /// Role, by its name at rest.
    pub role: String,
    /// Department, for approvers.
    pub department: String,
    /// Employee.
    pub employee: String,
    /// First date.
    pub from: String,
    /// Last date.
    pub until: String,
    /// What is wrong with the login.
    pub login_error: String,
    /// What is wrong with the name.
    pub name_error: String,
    /// What is wrong with the role.
    pub role_error: String,
    /// What is wrong with the department.
    pub department_error: String,
    /// What is wrong with the employee.
    pub employee_error: String,
    /// What is wrong with the dates.
    pub date_error: String,
}

/// What the fields offer.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Roles.
    pub roles: Vec<Choice>,
    /// Whether it is about an operator, who has no role, department or employee to choose.
    pub of_server: bool,
    /// Departments, as the field takes them.
    pub departments: Vec<String>,
    /// Employees who have been named, as the field takes them; the script asks for more while somebody types.
    pub employees: Vec<String>,
}

impl Draft {
    /// Somebody as they are.
    pub(super) fn of(person: &Administrator, names: &Names) -> Self {
        let data: &NewAdministrator = &person.data;
        let text = |date: Option<jiff::civil::Date>| date.map(|date| date.to_string()).unwrap_or_default();
        Self {
            login: data.login.clone(),
            name: data.display_name.clone(),
            role: data.role.name().to_owned(),
            department: department_text(names, data.department),
            employee: employee_text(names, data.employee),
            from: text(data.valid_from),
            until: text(data.valid_until),
            ..Self::default()
        }
    }

    /// The form, and the change when nothing is wrong with it.
    pub(super) fn check(fields: &Fields, names: &Names, c: &Chrome) -> (Self, Option<AdministratorChange>) {
        let [login, name, role, department, employee, from, until] =
            ["login", "name", "role", "department", "employee", "from", "until"]
                .map(|field| fields.text(field).to_owned());
        let mut draft = Self { login, name, role, department, employee, from, until, ..Self::default() };
        draft.name_error = name_error(&draft.name, "employee-name-missing", c);
        let role = draft.role_of(names, c);
        let department = draft.department_of(role, names, c);
        let employee = draft.employee_of(role, names, c);
        let dates = draft.dates_of(role, fields, c);
        let change = role.zip(dates).filter(|_| !draft.is_wrong());
        let change = change.map(|(role, (valid_from, valid_until))| AdministratorChange {
            display_name: draft.name.clone(),
            role,
            department,
            employee,
            valid_from,
            valid_until,
        });
        (draft, change)
    }

    /// Checks the login of somebody new.
    pub(super) fn check_login(&mut self, c: &Chrome) {
        self.login = logins::meant(&self.login);
        self.login_error = logins::error(&self.login, c.words());
    }

    fn is_wrong(&self) -> bool {
        let errors = [
            &self.name_error,
            &self.role_error,
            &self.department_error,
            &self.employee_error,
            &self.date_error,
        ];
        errors.into_iter().any(|text| !text.is_empty())
    }

    /// Operators have no other to choose from.
    fn role_of(&mut self, names: &Names, c: &Chrome) -> Option<Role> {
        let mut roles = super::roles(names.contract);
        let role = match names.contract {
            Some(_) => roles.find(|role| role.name() == self.role),
            None => roles.next(),
        };
        if role.is_none() {
            self.role_error = c.t("person-role-missing");
        }
        role
    }

    /// Approvers need one; for others the field does not count.
    fn department_of(&mut self, role: Option<Role>, names: &Names, c: &Chrome) -> Option<DepartmentId> {
        if role != Some(Role::Approver) {
            return None;
        }
        let text = self.department.as_str();
        if text.is_empty() {
            self.department_error = c.t("person-department-missing");
            return None;
        }
        match lookup::department(&names.departments, text) {
            Found::One(found) => return Some(found.id),
            Found::Nothing => self.department_error = c.v("department-unknown", "text", text),
            Found::Several => self.department_error = c.v("department-several", "text", text),
        }
        None
    }

    /// Employees need one, others may have one.
    fn employee_of(&mut self, role: Option<Role>, names: &Names, c: &Chrome) -> Option<EmployeeId> {
        let text = self.employee.as_str();
        if text.is_empty() || names.contract.is_none() {
            if role == Some(Role::Employee) {
                self.employee_error = c.t("person-employee-missing");
            }
            return None;
        }
        match lookup::employee(&names.employees, text) {
            Found::One(found) => return Some(found.id),
            Found::Nothing => self.employee_error = c.v("filter-no-employee", "text", text),
            Found::Several => self.employee_error = c.v("filter-employees", "text", text),
        }
        None
    }

    /// Whoever looks from outside looks for a time: an auditor's access ends on a date.
    fn dates_of(
        &mut self,
        role: Option<Role>,
        fields: &Fields,
        c: &Chrome,
    ) -> Option<(Option<jiff::civil::Date>, Option<jiff::civil::Date>)> {
        match (fields.date("from"), fields.date("until")) {
            (Err(text), _) | (_, Err(text)) => self.date_error = c.v("filter-bad-date", "text", text),
            (Ok(Some(from)), Ok(Some(until))) if until < from => {
                self.date_error = c.t("filter-dates-reversed");
            }
            (Ok(_), Ok(None)) if role == Some(Role::Auditor) => {
                self.date_error = c.t("person-auditor-until");
            }
            (Ok(from), Ok(until)) => return Some((from, until)),
        }
        None
    }

    /// What the fields offer.
    pub(super) fn choices(&self, names: &Names, c: &Chrome) -> Choices {
        let role = |role: Role| Choice::new(role.name(), c.t(role_key(role)), role.name() == self.role);
        let department =
            |(_, found): (usize, &mngntime_store::Department)| shown(&found.data.code, &found.data.name);
        Choices {
            roles: super::roles(names.contract).map(role).collect(),
            of_server: names.contract.is_none(),
            departments: super::super::departments::in_order(&names.departments)
                .into_iter()
                .filter(|(_, found)| !found.is_closed(c.today()))
                .map(department)
                .take(DEPARTMENTS_OFFERED_MAX)
                .collect(),
            employees: names
                .employees
                .iter()
                .map(|found| shown(&found.data.code, &found.data.name))
                .collect(),
        }
    }
}

/// A department as the field takes it; empty for none.
pub(super) fn department_text(names: &Names, id: Option<DepartmentId>) -> String {
    let found = names.departments.iter().find(|found| Some(found.id) == id);
    found.map(|found| shown(&found.data.code, &found.data.name)).unwrap_or_default()
}

/// An employee as the field takes it; empty for none.
pub(super) fn employee_text(names: &Names, id: Option<EmployeeId>) -> String {
    let found = names.employees.iter().find(|found| Some(found.id) == id);
    found.map(|found| shown(&found.data.code, &found.data.name)).unwrap_or_default()
}
