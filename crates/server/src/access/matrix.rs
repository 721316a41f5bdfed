//! The decisions as a page for people: `docs/access.md`.
//!
//! Written from [`super::reach`] and the tables of routes, so that it cannot say anything else than what the
//! program does. A test compares the page in the repository with this one.

use std::fmt::Write as _;

use jiff::civil::Date;
use mngntime_store::{ContractId, DepartmentId, EmployeeId, Role};

use super::{Action, Reach, Subject, reach};

/// A route of the application.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its path, with placeholders.
    pub path: String,
    /// Its method.
    pub method: String,
    /// What it does.
    pub action: Action,
}

/// Every route of pages and API, by path.
#[must_use]
pub fn entries() -> Vec<Entry> {
    let mut all = crate::web::routes::entries();
    all.extend(crate::api::entries());
    all.sort();
    all
}

/// How far a member of `role` gets who is an employee, and, as an approver, has a department.
#[must_use]
pub fn typical(role: Role, action: Action) -> Option<Reach> {
    const SOME: &str = "00000000-0000-7000-8000-000000000001";
    let subject = Subject {
        role,
        contract: (role != Role::Operator).then_some(ContractId(1)),
        department: DepartmentId::parse(SOME),
        employee: EmployeeId::parse(SOME),
        valid: (None, None),
        disabled: false,
    };
    reach(&subject, action, Date::ZERO).ok()
}

fn word(reach: Option<Reach>) -> &'static str {
    match reach {
        None => "–",
        Some(Reach::Nothing) => "yes",
        Some(Reach::Own(..)) => "own",
        Some(Reach::Departments(..)) => "departments",
        Some(Reach::Contract(_)) => "contract",
        Some(Reach::Server) => "server",
    }
}

const HEAD: &str = "# Who may do what

Written by the program from `crates/server/src/access`; a test fails when this page differs. To write it anew:
`cargo run -p mngntime-server -- access > docs/access.md`.

Nothing is allowed by default. A cell says how far a role reaches:

| word | meaning |
|---|---|
| – | refused before anything is looked up |
| yes | allowed, touches nobody's data |
| own | the person's own record, for whoever is set down as an employee |
| departments | employees who are in one department, or in one below it, at the moment of the request, with all their days and what the PC tells of these; nothing else that is linked to nobody |
| contract | everything of the person's own contract |
| server | what belongs to no contract |

Everybody can have a first and a last date, outside of which they cannot sign in; an auditor's access is limited
this way. Departments of employees carry no dates: with a move, the whole record goes from the reach of one approver
into that of the other. The move itself stands in the audit log. Somebody disabled cannot sign in, and their sessions end at once. Another contract's objects do not exist
for anybody: their addresses answer 404.
";

/// The page.
#[must_use]
pub fn page() -> String {
    let routes = entries();
    let mut text = HEAD.to_owned();
    let (roles, actions) = (Role::ALL.len(), Action::ALL.len());
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "\n## Role × action\n\n{actions} actions × {roles} roles = {} cells.\n",
        actions * roles
    );
    head(&mut text, "action");
    for action in Action::ALL {
        row(&mut text, action.text(), *action);
    }
    let count = routes.len();
    let _ = writeln!(
        text,
        "\n## Role × route\n\n{count} routes × {roles} roles = {} cells, each tried by a real request of that role \
         (`the_matrix_of_roles_and_routes_is_what_the_router_does`), and again with the other contract's ids.\n",
        count * roles
    );
    head(&mut text, "route");
    for entry in &routes {
        row(&mut text, &format!("`{} {}`", entry.method, entry.path), entry.action);
    }
    text
}

fn head(text: &mut String, what: &str) {
    let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
    let _ = writeln!(text, "| {what} | {} |\n|---|{}", names.join(" | "), "---|".repeat(names.len()));
}

fn row(text: &mut String, what: &str, action: Action) {
    let cells: Vec<_> = Role::ALL.iter().map(|role| word(typical(*role, action))).collect();
    let _ = writeln!(text, "| {what} | {} |", cells.join(" | "));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_repository_is_what_the_program_decides() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/access.md");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == page(),
            "docs/access.md is out of date; run: cargo run -p mngntime-server -- access > docs/access.md"
        );
    }

    #[test]
    fn every_action_that_has_a_route_is_listed_once_per_method_and_path() {
        let all = entries();
        let mut seen = all.clone();
        seen.dedup_by(|one, other| (&one.path, &one.method) == (&other.path, &other.method));
        assert_eq!(all, seen);
    }
}
