//! Who may do what: decided here and nowhere else.
//!
//! # Promises
//! - Nothing is allowed by default. Every page and every action of the application is an [`Action`]; every action
//!   has a [`Rule`], and every rule says for each role what it gives. No match here has a wildcard, so a new action
//!   or role does not compile until somebody has decided.
//! - What somebody gets is a [`Reach`]: how far, not only whether. It is the only way from a request to a contract,
//!   and [`Reach::scope`] the only way to attendance; the store narrows every list and detail to it.
//! - No I/O, no clock: the person comes from the store with every request ([`Subject::of`]), the day is a parameter.
//!
//! # Shape
//! `web::routes` and `api` hold the tables of routes, each with its action, and refuse before a handler runs.
//! [`matrix`] writes all of it as `docs/access.md`; `web::tests::matrix` tries every role at every route.

pub mod matrix;

use jiff::civil::Date;
use mngntime_store::{Administrator, ContractId, DepartmentId, EmployeeId, Role, Scope, ScopedPeople};

macro_rules! actions {
    ($($name:ident, $rule:ident, $text:literal;)*) => {
        /// Every page and every action of the application. Those that begin with `Public` are for everybody.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Action {
            $(#[doc = $text] $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// What decides about it.
            #[must_use]
            pub fn rule(self) -> Rule {
                match self {
                    $(Self::$name => Rule::$rule,)*
                }
            }

            /// What it is, for reading.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

actions! {
    PublicSignIn, Public, "Sign in";
    PublicSetUp, Public, "Choose a password with a set-up link";
    PublicLanguage, Public, "Choose the language";
    PublicAssets, Public, "Styles, script and drawings";
    PublicIngest, Public, "Send events and enrol (signed by the terminal)";
    PublicHealth, Public, "Ask whether the server works";
    PublicMetrics, Public, "Figures without personal data";
    PublicDescription, Public, "Description of the API";
    Start, SignedIn, "Start page";
    SignOut, SignedIn, "Sign out";
    OwnSession, SignedIn, "Own session: how long it goes on, go on with it";
    OwnSignInMeans, SignedIn, "Own password, second factors and sessions";
    ServerKeyRead, SignedIn, "The server's public key: download";
    OwnRecordRead, OwnRecord, "Own record: see";
    OwnRecordExport, OwnRecord, "Own record: download";
    OwnRecordRemark, OwnRecord, "Own record: remark";
    PunchesRead, ReadPeople, "Punches: see";
    PunchesExport, ReadPeople, "Punches: download";
    SavedSearches, ReadPeople, "Own saved searches";
    DaysOfPerson, ReadPeople, "Days and months of a person";
    DaysExport, ReadPeople, "Days of people: download";
    RemarksRead, AnswerPeople, "Remarks: say that they have been read";
    EmployeesRead, ReadPeople, "Employees: see";
    EmployeesChange, ChangeAttendance, "Employees: add and change";
    DepartmentsRead, ReadContract, "Departments: see";
    DepartmentsChange, ChangeAttendance, "Departments: add, rename, move, close";
    AccountsRead, ReadContract, "Windows users: see";
    AccountsLink, ChangeAttendance, "Windows users: link to employees";
    AccountsUnlink, ChangeAttendance, "Windows users: end links";
    AccountsImport, ChangeAttendance, "Windows users: upload links";
    EvidenceExport, ReadContract, "Evidence packs: export";
    TerminalsRead, ReadTerminals, "Terminals: see, download the list and the packages";
    DaysOfTerminal, ReadTerminals, "Terminals: completeness of their days";
    TerminalsBlock, ChangeTerminals, "Terminals: block";
    TerminalsUnblock, ChangeTerminals, "Terminals: unblock";
    TerminalsReenrol, ChangeTerminals, "Terminals: enrol again";
    TerminalsRetire, ChangeTerminals, "Terminals: retire";
    TerminalsNote, ChangeTerminals, "Terminals: note, clear marks";
    EnrolmentKeysRead, ChangeTerminals, "Enrolment keys: see";
    EnrolmentKeysChange, ChangeTerminals, "Enrolment keys: make and revoke";
    AdministratorsRead, ReadSigners, "People who sign in: see";
    AdministratorsChange, ChangeSigners, "People who sign in: add, change, disable";
    SecondFactorsRequire, Administer, "People who sign in: require second factors";
    EmployeesLetIn, Administer, "Employees: let see their own records";
    SettingsRead, ReadAdministration, "Settings: see";
    SettingsChange, Administer, "Settings: change";
    AuditRead, ReadAudit, "Audit log: see";
    AuditExport, ReadAudit, "Audit log: download";
    HealthRead, ReadHealth, "Health: see";
    ContractsRead, Operate, "Contracts: see";
    ContractsChange, Operate, "Contracts: make, suspend";
    QuarantineRead, Operate, "Quarantine: see";
    QuarantineEmpty, Operate, "Quarantine: empty";
}

/// What decides about an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// For everybody, signed in or not.
    Public,
    /// For everybody who is signed in; reaches nothing but themselves.
    SignedIn,
    /// One's own record, for whoever is an employee.
    OwnRecord,
    /// Attendance of the people one is responsible for.
    ReadPeople,
    /// Answering what the people say for whom one is responsible.
    AnswerPeople,
    /// Attendance of the whole contract, what belongs to nobody included.
    ReadContract,
    /// Changing who is who, which changes results.
    ChangeAttendance,
    /// Terminals and their health.
    ReadTerminals,
    /// Blocking terminals and letting new ones in.
    ChangeTerminals,
    /// Who signs in: to a contract or, as an operator, to the server.
    ReadSigners,
    /// Changing these. Operators look after each other, and nobody else does.
    ChangeSigners,
    /// The settings of a contract.
    ReadAdministration,
    /// Changing these.
    Administer,
    /// What was done, by whom.
    ReadAudit,
    /// How the system is doing.
    ReadHealth,
    /// Contracts, and what came from none.
    Operate,
}

impl Action {
    /// Whether nobody has to be signed in for it.
    #[must_use]
    pub fn is_public(self) -> bool {
        self.rule() == Rule::Public
    }
}

/// What a rule gives to a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grant {
    No,
    Bare,
    Own,
    Departments,
    Contract,
    Server,
}

/// The decision itself.
fn grant(rule: Rule, role: Role) -> Grant {
    use Role::{Administrator, Approver, Auditor, Employee, HumanResources, InformationTechnology, Operator};
    match rule {
        Rule::Public | Rule::SignedIn => Grant::Bare,
        Rule::OwnRecord => match role {
            Administrator | HumanResources | InformationTechnology | Approver | Auditor | Employee => {
                Grant::Own
            }
            Operator => Grant::No,
        },
        Rule::ReadPeople => match role {
            Administrator | HumanResources | Auditor => Grant::Contract,
            Approver => Grant::Departments,
            InformationTechnology | Employee | Operator => Grant::No,
        },
        Rule::AnswerPeople => match role {
            Administrator | HumanResources => Grant::Contract,
            Approver => Grant::Departments,
            InformationTechnology | Auditor | Employee | Operator => Grant::No,
        },
        Rule::ReadContract => match role {
            Administrator | HumanResources | Auditor => Grant::Contract,
            InformationTechnology | Approver | Employee | Operator => Grant::No,
        },
        Rule::ChangeAttendance => match role {
            Administrator | HumanResources => Grant::Contract,
            InformationTechnology | Approver | Auditor | Employee | Operator => Grant::No,
        },
        Rule::ReadTerminals => match role {
            Administrator | HumanResources | InformationTechnology | Auditor => Grant::Contract,
            Approver | Employee | Operator => Grant::No,
        },
        Rule::ChangeTerminals => match role {
            Administrator | InformationTechnology => Grant::Contract,
            HumanResources | Approver | Auditor | Employee | Operator => Grant::No,
        },
        Rule::ChangeSigners => match role {
            Administrator => Grant::Contract,
            Operator => Grant::Server,
            HumanResources | InformationTechnology | Approver | Auditor | Employee => Grant::No,
        },
        Rule::ReadAdministration => match role {
            Administrator | Auditor => Grant::Contract,
            HumanResources | InformationTechnology | Approver | Employee | Operator => Grant::No,
        },
        Rule::Administer => match role {
            Administrator => Grant::Contract,
            HumanResources | InformationTechnology | Approver | Auditor | Employee | Operator => Grant::No,
        },
        Rule::ReadSigners | Rule::ReadAudit => match role {
            Administrator | Auditor => Grant::Contract,
            Operator => Grant::Server,
            HumanResources | InformationTechnology | Approver | Employee => Grant::No,
        },
        Rule::ReadHealth => match role {
            Administrator | InformationTechnology | Auditor => Grant::Contract,
            Operator => Grant::Server,
            HumanResources | Approver | Employee => Grant::No,
        },
        Rule::Operate => match role {
            Operator => Grant::Server,
            Administrator | HumanResources | InformationTechnology | Approver | Auditor | Employee => {
                Grant::No
            }
        },
    }
}

/// Somebody who signs in, as far as this module is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// As what.
    pub role: Role,
    /// Their contract; absent for operators.
    pub contract: Option<ContractId>,
    /// What an approver is responsible for.
    pub department: Option<DepartmentId>,
    /// Which employee they are.
    pub employee: Option<EmployeeId>,
    /// First and last date on which they may do anything; open when absent.
    pub valid: (Option<Date>, Option<Date>),
    /// Whether they may do nothing at all.
    pub disabled: bool,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// They have been disabled.
    #[error("the person has been disabled")]
    Disabled,
    /// Their first date has not come yet.
    #[error("the person's time has not come yet")]
    TooEarly,
    /// Their last date has passed.
    #[error("the person's time is over")]
    TooLate,
    /// Their role does not give it.
    #[error("the role does not allow this")]
    Role(Rule),
    /// They are no employee, so they have no record of their own.
    #[error("the person is no employee")]
    NoRecord,
    /// They may, but not as far as was asked for.
    #[error("the person does not reach that far")]
    TooFar,
}

/// How far somebody may go with an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// It may be done, and touches nobody's data.
    Nothing,
    /// One's own record.
    Own(ContractId, EmployeeId),
    /// The record of a department's people and of all below it.
    Departments(ContractId, DepartmentId),
    /// A contract.
    Contract(ContractId),
    /// What belongs to no contract.
    Server,
}

impl Subject {
    /// Who somebody is, as stored.
    #[must_use]
    pub fn of(person: &Administrator) -> Self {
        let data = &person.data;
        Self {
            role: data.role,
            contract: data.contract,
            department: data.department,
            employee: data.employee,
            valid: (data.valid_from, data.valid_until),
            disabled: person.disabled_at.is_some(),
        }
    }

    /// Whether they may sign in at all on this day.
    ///
    /// # Errors
    /// Why not.
    pub fn in_force(&self, today: Date) -> Result<(), Denied> {
        if self.disabled {
            Err(Denied::Disabled)
        } else if self.valid.0.is_some_and(|from| today < from) {
            Err(Denied::TooEarly)
        } else if self.valid.1.is_some_and(|until| until < today) {
            Err(Denied::TooLate)
        } else {
            Ok(())
        }
    }
}

/// How far `subject` may go with `action` on this day.
///
/// # Errors
/// Why they may not.
pub fn reach(subject: &Subject, action: Action, today: Date) -> Result<Reach, Denied> {
    let rule = action.rule();
    if rule == Rule::Public {
        return Ok(Reach::Nothing);
    }
    subject.in_force(today)?;
    let no = Denied::Role(rule);
    match grant(rule, subject.role) {
        Grant::No => Err(no),
        Grant::Bare => Ok(Reach::Nothing),
        Grant::Server => Ok(Reach::Server),
        Grant::Contract => subject.contract.map(Reach::Contract).ok_or(no),
        Grant::Departments => {
            let place = subject.contract.zip(subject.department).ok_or(no)?;
            Ok(Reach::Departments(place.0, place.1))
        }
        Grant::Own => {
            let own = subject.contract.zip(subject.employee).ok_or(Denied::NoRecord)?;
            Ok(Reach::Own(own.0, own.1))
        }
    }
}

impl Reach {
    /// Whose attendance may be asked for.
    ///
    /// # Errors
    /// [`Denied::TooFar`] when nobody's.
    pub fn scope(self) -> Result<Scope, Denied> {
        let (contract, people) = match self {
            Self::Own(contract, employee) => (contract, ScopedPeople::One(employee)),
            Self::Departments(contract, root) => (contract, ScopedPeople::Below(root)),
            Self::Contract(contract) => (contract, ScopedPeople::Everybody),
            Self::Nothing | Self::Server => return Err(Denied::TooFar),
        };
        Ok(Scope { contract, people })
    }

    /// The contract, when all of it may be asked for.
    ///
    /// # Errors
    /// [`Denied::TooFar`] when less.
    pub fn contract(self) -> Result<ContractId, Denied> {
        match self {
            Self::Contract(contract) => Ok(contract),
            Self::Nothing | Self::Own(..) | Self::Departments(..) | Self::Server => Err(Denied::TooFar),
        }
    }
}

impl Reach {
    /// The contract, when all of it may be asked for; nothing, when what belongs to no contract may be.
    ///
    /// # Errors
    /// [`Denied::TooFar`] when less.
    pub fn contract_or_server(self) -> Result<Option<ContractId>, Denied> {
        match self {
            Self::Server => Ok(None),
            Self::Contract(_) | Self::Nothing | Self::Own(..) | Self::Departments(..) => {
                self.contract().map(Some)
            }
        }
    }

    /// The person themselves.
    ///
    /// # Errors
    /// [`Denied::NoRecord`] when it is about somebody else or nobody.
    pub fn own(self) -> Result<(ContractId, EmployeeId), Denied> {
        match self {
            Self::Own(contract, employee) => Ok((contract, employee)),
            Self::Nothing | Self::Departments(..) | Self::Contract(_) | Self::Server => Err(Denied::NoRecord),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    const DAY: Date = date(2026, 6, 17);
    const HERE: ContractId = ContractId(7);

    fn department() -> DepartmentId {
        DepartmentId::parse("00000000-0000-7000-8000-000000000001").unwrap()
    }

    fn employee() -> EmployeeId {
        EmployeeId::parse("00000000-0000-7000-8000-000000000002").unwrap()
    }

    fn subject(role: Role) -> Subject {
        Subject {
            role,
            contract: (role != Role::Operator).then_some(HERE),
            department: (role == Role::Approver).then(department),
            employee: (role == Role::Employee).then(employee),
            valid: (None, None),
            disabled: false,
        }
    }

    #[test]
    fn the_time_box_holds_on_its_first_and_last_day_for_everything() {
        let auditor = Subject { valid: (Some(DAY), Some(date(2026, 6, 18))), ..subject(Role::Auditor) };
        let at = |day| reach(&auditor, Action::PunchesRead, day);
        assert_eq!(at(date(2026, 6, 16)), Err(Denied::TooEarly));
        assert_eq!(at(DAY), Ok(Reach::Contract(HERE)));
        assert_eq!(at(date(2026, 6, 18)), Ok(Reach::Contract(HERE)));
        assert_eq!(at(date(2026, 6, 19)), Err(Denied::TooLate));
        for action in Action::ALL.iter().filter(|action| !action.is_public()) {
            assert_eq!(reach(&auditor, *action, date(2026, 6, 19)), Err(Denied::TooLate), "{action:?}");
        }
    }

    #[test]
    fn somebody_disabled_may_do_what_everybody_may_and_nothing_else() {
        for role in Role::ALL {
            let disabled = Subject { disabled: true, ..subject(role) };
            for action in Action::ALL {
                let expected = if action.is_public() { Ok(Reach::Nothing) } else { Err(Denied::Disabled) };
                assert_eq!(reach(&disabled, *action, DAY), expected, "{role:?} {action:?}");
            }
        }
    }

    #[test]
    fn it_and_operators_reach_no_attendance_and_an_auditor_changes_nothing() {
        let attendance =
            |rule| matches!(rule, Rule::ReadPeople | Rule::ReadContract | Rule::ChangeAttendance);
        let changes = |rule| {
            let all = [Rule::ChangeAttendance, Rule::ChangeTerminals, Rule::Administer, Rule::ChangeSigners];
            all.contains(&rule)
        };
        for action in Action::ALL {
            let denied = |role| reach(&subject(role), *action, DAY).is_err();
            if attendance(action.rule()) {
                assert!(denied(Role::InformationTechnology) && denied(Role::Operator), "{action:?}");
            }
            assert!(!changes(action.rule()) || denied(Role::Auditor), "{action:?}");
            assert!(action.rule() != Rule::Operate || !denied(Role::Operator), "{action:?}");
        }
    }

    #[test]
    fn an_approver_reaches_the_department_and_never_the_contract() {
        for action in Action::ALL {
            match reach(&subject(Role::Approver), *action, DAY) {
                Ok(Reach::Departments(HERE, root)) => assert_eq!(root, department()),
                Ok(Reach::Nothing) | Err(_) => {}
                other => panic!("{action:?} {other:?}"),
            }
        }
        let lost = Subject { department: None, ..subject(Role::Approver) };
        assert_eq!(reach(&lost, Action::PunchesRead, DAY), Err(Denied::Role(Rule::ReadPeople)));
    }

    #[test]
    fn everybody_of_a_contract_who_is_an_employee_has_an_own_record() {
        let officer = Subject { employee: Some(employee()), ..subject(Role::HumanResources) };
        let own = reach(&officer, Action::OwnRecordRead, DAY);
        assert_eq!(own, Ok(Reach::Own(HERE, employee())));
        assert_eq!(own.unwrap().contract(), Err(Denied::TooFar));
        assert_eq!(own.unwrap().scope(), Ok(Scope { contract: HERE, people: ScopedPeople::One(employee()) }));
        let nobody = reach(&subject(Role::HumanResources), Action::OwnRecordRead, DAY);
        assert_eq!(nobody, Err(Denied::NoRecord));
    }

    #[test]
    fn an_administrator_may_all_that_hr_and_it_may() {
        for action in Action::ALL {
            for role in [Role::HumanResources, Role::InformationTechnology] {
                if let Ok(part) = reach(&subject(role), *action, DAY) {
                    assert_eq!(reach(&subject(Role::Administrator), *action, DAY), Ok(part), "{action:?}");
                }
            }
        }
    }

    #[test]
    fn nobody_without_a_contract_reaches_one() {
        for role in Role::ALL {
            let stray = Subject { contract: None, ..subject(role) };
            for action in Action::ALL {
                let found = reach(&stray, *action, DAY);
                assert!(
                    matches!(found, Err(_) | Ok(Reach::Nothing | Reach::Server)),
                    "{role:?} {action:?} {found:?}"
                );
            }
        }
    }
}
