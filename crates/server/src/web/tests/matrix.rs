//! Every role at every route, by real requests; and every route with another contract's ids.
//!
//! The routes come from the tables of pages and API, so a new one fails here until it has a [`sample`]. What is
//! expected comes from `access`, whose page (`docs/access.md`) is what people review.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use data_encoding::BASE64;
use jiff::civil::date;
use mngntime_model::UtcMillis;
use mngntime_store::{
    AccountFilter, AccountId, Act, AdministratorId, ContractId, DepartmentId, EmployeeChoice, EmployeeId,
    HoldId, KeyHash, LinkRequest, NewAdministrator, NewDepartment, NewEmployee, NewEnrollmentKey, NewHold,
    NewRemark, RemarkId, Role, StagedFile,
};
use mngntime_wire::SecretKey;

use super::{Answer, NOW, Site, contract, passwords, times};
use crate::access::matrix::{Entry, entries};
use crate::access::{Action, Reach, Subject, reach};
use crate::app::{self, App};
use crate::passwords::hash_new;
use crate::settings::Settings;
use crate::web::assets;

/// A package of the agent; it belongs to no contract.
const PACKAGE: &str = "mngntime-agent_0.1.0_amd64.deb";

const PASSWORD: &str = "correct horse";

/// A contract with one of everything; `mark` stands in every name of it and is never typed.
struct Side {
    mark: &'static str,
    contract: ContractId,
    terminal: String,
    /// Number of an enrolment key that, as the one before it, only this contract may have.
    key: u64,
    unlinked: AccountId,
    linked: AccountId,
    link: String,
    links: String,
    people: String,
    search: String,
    department: DepartmentId,
    employee: EmployeeId,
    person: AdministratorId,
    token: String,
    remark: RemarkId,
    hold: HoldId,
}

/// Makes enrolment keys, so many that the last numbers are nobody else's; returns the last.
async fn keys(site: &Site, contract: ContractId, code: &str, mark: &str) -> u64 {
    let mut key = 0;
    for number in 0..if code == "A-1" { 1 } else { 8 } {
        let hash = KeyHash::of(&format!("{code} {number}"));
        let new = NewEnrollmentKey { hash, label: mark.into(), expires_at: None, uses_max: None };
        key = site.store.make_enrollment_key(contract, new, Act::server(NOW)).await.unwrap();
    }
    key
}

async fn side(site: &Site, contract: ContractId, code: &'static str, mark: &'static str) -> Side {
    let (store, act) = (&site.store, || Act::server(NOW));
    let terminal = site.terminal(code, &format!("PC-{mark}"), code.len() as u8 + code.as_bytes()[0]).await;
    site.punches(contract, terminal, ("D", &format!("linked-{mark}")), 1..=2).await;
    site.punches(contract, terminal, ("D", &format!("waiting-{mark}")), 3..=4).await;
    let new = NewDepartment { code: "DEP".into(), name: format!("部 {mark}"), parent: None };
    let department = store.add_department(contract, new, act()).await.unwrap();
    let accounts = store.list_accounts(contract.into(), AccountFilter::All, 10).await.unwrap();
    let account = |name: &str| accounts.iter().find(|found| found.name.starts_with(name)).unwrap().id;
    let new = NewEmployee {
        department: Some(format!("部 {mark}")),
        ..NewEmployee::named("E-1", format!("氏名 {mark}"))
    };
    let request = LinkRequest {
        account: account("linked"),
        employee: EmployeeChoice::New(new),
        from: date(2026, 6, 1),
        to: None,
    };
    store.link_accounts(contract, vec![request], act()).await.unwrap();
    let linked = store.account(contract, account("linked")).await.unwrap().unwrap().links.remove(0);
    let person = NewAdministrator {
        display_name: format!("人 {mark}"),
        ..NewAdministrator::new(&format!("person-{code}"), Role::HumanResources, Some(contract))
    };
    let person = store.create_administrator(person, act()).await.unwrap();
    let invited = NewAdministrator::new(&format!("invited-{code}"), Role::Auditor, Some(contract));
    let invited = store.create_administrator(invited, act()).await.unwrap();
    let token = format!("token-{code}");
    store.start_setup(Some(contract), invited, KeyHash::of(&token), NOW.plus(1000), act()).await.unwrap();
    let key = keys(site, contract, code, mark).await;
    let remark = NewRemark {
        employee: linked.employee,
        date: date(2026, 6, 17),
        from_minutes: 540,
        to_minutes: 600,
        text: format!("申告 {mark}"),
    };
    let remark = store.add_remark(contract, None, remark, act()).await.unwrap();
    let hold = NewHold { employee: None, from: None, to: None, reason: format!("理由 {mark}") };
    let hold = store.set_hold(contract, hold, act()).await.unwrap();
    let staged = async |kind: &str, content: &str| {
        let file = StagedFile { kind: kind.into(), encoding: "UTF-8".into(), content: content.into() };
        store.stage_import(contract, person, file, NOW, UtcMillis(0)).await.unwrap().to_string()
    };
    let search = store.save_search(contract, person, "s".into(), String::new(), false, act()).await.unwrap();
    Side {
        links: staged("accounts", "user,社員コード,from\nnobody,E-1,2026-06-01").await,
        people: staged("employees", "社員コード,氏名\nE-9,n").await,
        search: search.to_string(),
        mark,
        contract,
        terminal: terminal.to_string(),
        key,
        unlinked: account("waiting"),
        linked: account("linked"),
        link: linked.id.to_string(),
        department,
        employee: linked.employee,
        person,
        token,
        remark,
        hold,
    }
}

/// The whole server with two contracts in it.
struct World {
    site: Site,
    ours: Side,
    theirs: Side,
}

async fn world() -> World {
    let mut site = Site::new().await;
    let packages = site.directory.path().join("packages");
    std::fs::create_dir(&packages).unwrap();
    std::fs::write(packages.join(PACKAGE), "package").unwrap();
    let settings = Settings::for_directory(site.directory.path()).unwrap();
    let settings = Settings { packages_dir: Some(packages), ..settings };
    let key = SecretKey::from_seed(&[42; 32]);
    let app = App::new(site.store.clone(), key, settings, passwords(), Arc::new(|| NOW));
    site.app = app::router(app);
    let other = contract(&site.store, "B-22").await;
    let ours = side(&site, site.contract, "A-1", "OURS").await;
    let theirs = side(&site, other, "B-22", "SECRET").await;
    World { site, ours, theirs }
}

/// Somebody who asks; nobody when absent.
struct Asker {
    name: String,
    person: Option<NewAdministrator>,
}

fn askers(ours: &Side) -> Vec<Asker> {
    let hash = hash_new(PASSWORD).unwrap();
    let person = |role: Role| {
        let contract = (role != Role::Operator).then_some(ours.contract);
        NewAdministrator {
            password_hash: Some(hash.clone()),
            department: (role == Role::Approver).then_some(ours.department),
            employee: (role == Role::Employee).then_some(ours.employee),
            ..NewAdministrator::new("asker", role, contract)
        }
    };
    let asker = |name: &str, person| Asker { name: name.to_owned(), person };
    let mut all: Vec<_> = Role::ALL.into_iter().map(|role| asker(role.name(), Some(person(role)))).collect();
    let over = NewAdministrator { valid_until: Some(date(2026, 6, 16)), ..person(Role::Auditor) };
    let early = NewAdministrator { valid_from: Some(date(2026, 6, 18)), ..person(Role::Administrator) };
    all.push(asker("an auditor whose time is over", Some(over)));
    all.push(asker("an administrator whose time has not come", Some(early)));
    all.push(asker("nobody", None));
    all
}

type Form = Vec<(&'static str, String)>;

/// Forms of keys, people, settings, contracts and one's own record.
fn administration(route: (&str, &str)) -> Form {
    let text = |text: &str| text.to_owned();
    match route {
        ("POST", "/terminals/keys/{number}/rotate") => vec![("overlap", text("7"))],
        ("POST", "/terminals/{terminal}/note") => vec![("note", text("n"))],
        ("POST", "/employees") => vec![("code", text("E-3")), ("name", text("n"))],
        ("POST", "/departments") => vec![("code", text("NEW")), ("name", text("n"))],
        ("POST", "/departments/{department}/rename") => vec![("code", text("R")), ("name", text("n"))],
        ("POST", "/departments/{department}/close") => vec![("last", text("2026-12-31"))],
        ("POST", "/settings") => vec![
            ("name", text("n")),
            ("day", text("05:00")),
            ("retention", text("5")),
            ("language", text("")),
            ("idle", text("60")),
        ],
        ("POST", "/settings/retention") => vec![("retires", text("1")), ("sure", text("1"))],
        ("POST", "/settings/retention/holds") => vec![("reason", text("r"))],
        ("POST", "/contracts") => vec![("code", text("NEW-1")), ("name", text("n"))],
        ("POST", "/contracts/quarantine") => vec![("last", text("0"))],
        ("POST", "/contracts/{contract}/administrator") => {
            vec![("login", text("first")), ("name", text("n"))]
        }
        ("POST", "/contracts/{contract}") => vec![("name", text("n")), ("option", text("1"))],
        ("POST", "/me/evidence" | "/employees/{employee}/evidence") => {
            vec![("from", text("2026-06-01")), ("to", text("2026-06-17"))]
        }
        ("POST", "/me/remarks") => vec![
            ("date", text("2026-06-17")),
            ("from", text("9:00")),
            ("to", text("9:10")),
            ("text", text("t")),
        ],
        other => panic!("{other:?} has no sample: add one"),
    }
}

/// Forms about signing in and what one signs in with.
fn sign_in_sample(entry: &Entry) -> Option<Form> {
    let text = |text: &str| text.to_owned();
    let form = match entry.path.as_str() {
        "/me/security/confirm" => vec![("password", text(PASSWORD))],
        "/me/security/password" => {
            vec![("password", text(PASSWORD)), ("new", text(PASSWORD)), ("again", text(PASSWORD))]
        }
        "/me/security/tokens" => vec![("name", text("t")), ("days", text("30"))],
        "/me/security/sessions/end" => vec![("session", text("none"))],
        "/login/second"
        | "/login/passkey/start"
        | "/login/passkey/finish"
        | "/session"
        | "/me/security/confirm/passkey"
        | "/me/security/provider/remove"
        | "/me/security/passkeys/start"
        | "/me/security/passkeys/finish"
        | "/me/security/passkeys/{id}/rename"
        | "/me/security/passkeys/{id}/remove"
        | "/me/security/totp/start"
        | "/me/security/totp"
        | "/me/security/totp/remove"
        | "/me/security/recovery-codes"
        | "/me/security/tokens/{id}/remove"
        | "/me/security/sessions/end-others"
        | "/administrators/second-factor"
        | "/administrators/{person}/reset-means"
        | "/administrators/{person}/end-sessions"
        | "/administrators/{person}/end-tokens" => Vec::new(),
        _ => return None,
    };
    Some(form).filter(|_| entry.method == "POST")
}

/// The route's path with the ids of `side`.
fn path_of(entry: &Entry, side: &Side) -> String {
    entry
        .path
        .replace("{terminal}", &side.terminal)
        .replace("{sequence}", "1")
        .replace("{number}/revoke", &format!("{}/revoke", side.key - 1))
        .replace("{number}", &side.key.to_string())
        .replace("{name}", PACKAGE)
        .replace("{import}", if entry.path.starts_with("/accounts") { &side.links } else { &side.people })
        .replace("{search}", &side.search)
        .replace("{account}", &side.linked.to_string())
        .replace("/employees/{employee}", &format!("/employees/{}", side.employee))
        .replace("{department}", &side.department.to_string())
        .replace("{person}", &side.person.to_string())
        .replace("{id}", "00000000-0000-7000-8000-000000000001")
        .replace("{contract}", &side.contract.0.to_string())
        .replace("{remark}", &side.remark.to_string())
        .replace("{hold}", &side.hold.to_string())
        .replace("{employee}", "E-1")
        .replace("{date}", "2026-06-17")
        .replace("{token}", &side.token)
}

fn employee_form(side: &Side) -> Form {
    vec![("code", "E-1".to_owned()), ("name", format!("氏名 {}", side.mark))]
}

/// A request of this route about things of `side` that whoever may do it can do, in the order of the table.
fn sample(entry: &Entry, side: &Side) -> (String, Form) {
    let text = |text: &str| text.to_owned();
    let path = path_of(entry, side);
    if let Some(form) = sign_in_sample(entry) {
        return (path, form);
    }
    let form: Form = match (entry.method.as_str(), entry.path.as_str()) {
        ("GET", "/assets/{digest}/{name}") => return (assets::address("app.css"), Vec::new()),
        ("GET", "/language") => return (text("/language?to=en"), Vec::new()),
        ("GET", "/accounts/link") => return (format!("{path}?account={}", side.unlinked), Vec::new()),
        ("GET", "/api/v1/days") => {
            return (format!("{path}?from=2026-06-01&to=2026-06-30&employee=E-1"), Vec::new());
        }
        ("GET", "/terminals/bulk") => {
            return (format!("{path}?do=block&terminal={}", side.terminal), Vec::new());
        }
        ("GET", "/employees/self-service") => {
            return (format!("{path}?employee={}", side.employee), Vec::new());
        }
        ("POST", "/employees/self-service") => vec![("employee", side.employee.to_string())],
        ("GET", "/employees/offered") => return (text("/employees/offered?q=E"), Vec::new()),
        ("GET", "/accounts/suggested") => return (text("/accounts/suggested?reason=code"), Vec::new()),
        ("GET", _) => Vec::new(),
        ("POST", "/login") => vec![("user", text("asker")), ("password", text(PASSWORD))],
        ("POST", "/setup/{token}") => vec![("password", text(PASSWORD)), ("again", text(PASSWORD))],
        ("POST", "/accounts/link") => vec![
            ("account", side.unlinked.to_string()),
            ("mode-0", text("new")),
            ("code-0", text("E-2")),
            ("name-0", text("n")),
            ("from-0", text("2026-06-01")),
            ("step", text("save")),
        ],
        ("POST", "/accounts/{account}/change") => vec![
            ("what", text("end")),
            ("link", side.link.clone()),
            ("to", text("2026-06-17")),
            ("step", text("save")),
        ],
        ("POST", "/accounts/import/{import}" | "/employees/import/{import}") => vec![("take", text("right"))],
        ("POST", "/punches/searches") => vec![("name", text("n")), ("query", text("errors=1"))],
        ("POST", "/employees/{employee}") => employee_form(side),
        ("POST", "/administrators") => {
            vec![("login", text("new")), ("name", text("n")), ("role", text("it"))]
        }
        ("POST", "/administrators/{person}") => {
            vec![("name", text("n")), ("role", text("auditor")), ("until", text("2026-07-31"))]
        }
        ("POST", "/terminals/bulk") => vec![("do", text("block")), ("terminal", side.terminal.clone())],
        other => without_fields(other).unwrap_or_else(|| administration(other)),
    };
    (path, form)
}

/// An empty form, for the routes that need nothing in it.
fn without_fields(route: (&str, &str)) -> Option<Form> {
    match route {
        (
            "POST",
            "/logout"
            | "/contracts/{contract}/suspend"
            | "/contracts/{contract}/resume"
            | "/me/remarks/{remark}/withdraw"
            | "/settings/retention/holds/{hold}/release"
            | "/days/remarks/{remark}/read"
            | "/accounts/import"
            | "/employees/import"
            | "/punches/columns"
            | "/punches/searches/{search}/delete"
            | "/departments/{department}/move"
            | "/administrators/{person}/disable"
            | "/administrators/{person}/enable"
            | "/administrators/{person}/setup-link"
            | "/terminals/{terminal}/block"
            | "/terminals/{terminal}/unblock"
            | "/terminals/{terminal}/retire"
            | "/terminals/{terminal}/unretire"
            | "/terminals/{terminal}/clear-conflict"
            | "/terminals/{terminal}/reenroll"
            | "/terminals/keys"
            | "/terminals/keys/{number}/revoke"
            | "/api/v1/events"
            | "/api/v1/terminals",
        ) => Some(Vec::new()),
        _ => None,
    }
}

/// Whether the request names something by its id.
fn names_an_id(entry: &Entry) -> bool {
    let named = [
        "{terminal}",
        "{number}",
        "{department}",
        "{person}",
        "{remark}",
        "{account}",
        "/employees/{employee}",
        "{import}",
        "/accounts/link",
        "/accounts/unlink",
        "/terminals/bulk",
        "/employees/self-service",
    ];
    !entry.action.is_public() && named.iter().any(|part| entry.path.contains(part))
}

impl World {
    /// Sends it with a session of its own, and with login and password for the API.
    async fn ask(&self, entry: &Entry, side: &Side, person: Option<AdministratorId>) -> Answer {
        let (address, form) = sample(entry, side);
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form.iter());
        let mut request = Request::builder()
            .method(entry.method.as_str())
            .uri(&address)
            .header(header::HOST, "time.example")
            .header("sec-fetch-site", "same-origin")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(person) = person {
            let basic = format!("Basic {}", BASE64.encode(format!("asker:{PASSWORD}").as_bytes()));
            request = request
                .header(header::COOKIE, self.site.session(person).await)
                .header(header::AUTHORIZATION, basic);
        }
        self.site.send(request.body(Body::from(body.finish())).unwrap()).await
    }
}

/// What a person gets to see of it: done, refused, sent to sign in, not there.
fn outcome(answer: &Answer) -> &'static str {
    let to = answer.header(header::LOCATION);
    match answer.status {
        StatusCode::OK | StatusCode::NO_CONTENT => "done",
        StatusCode::SEE_OTHER if to.starts_with("/login?next=") => "sign in",
        StatusCode::SEE_OTHER => "done",
        StatusCode::UNAUTHORIZED => "sign in",
        StatusCode::FORBIDDEN => "refused",
        StatusCode::NOT_FOUND => "not there",
        _ => "something else",
    }
}

/// What the decision says, in the same words.
fn expected(entry: &Entry, subject: Option<&Subject>) -> &'static str {
    let in_force = subject.filter(|subject| subject.in_force(date(2026, 6, 17)).is_ok());
    match (entry.action.is_public(), in_force) {
        (true, _) => "done",
        (false, None) => "sign in",
        (false, Some(subject)) => match reach(subject, entry.action, date(2026, 6, 17)) {
            Ok(_) => "done",
            Err(_) => "refused",
        },
    }
}

/// Routes for which an answer of another kind is right: a terminal's signature is missing, signing in is for those who
/// may, a form without a file comes back.
fn is_let_through(entry: &Entry, answer: &Answer, subject: Option<&Subject>) -> bool {
    let may_sign_in = subject.is_some_and(|subject| subject.in_force(date(2026, 6, 17)).is_ok());
    let signing_in = entry.action == Action::PublicSignIn && entry.method == "POST";
    // This server has no host name, so it has no passkeys; and a form is no answer of a passkey.
    let passkey = entry.path.starts_with("/login/passkey/") || entry.path.ends_with("/confirm/passkey");
    let no_passkeys = passkey && matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST);
    let unsigned = entry.action == Action::PublicIngest;
    // No file is sent: the form comes back.
    let empty_upload = entry.path.ends_with("/import")
        && answer.status == StatusCode::UNPROCESSABLE_ENTITY
        && expected(entry, subject) == "done";
    // What was sent is the password that it is: the form comes back.
    let same_password =
        entry.path == "/me/security/password" && answer.status == StatusCode::UNPROCESSABLE_ENTITY;
    no_passkeys
        || same_password
        || empty_upload
        || (unsigned && outcome(answer) == "something else" && answer.status.is_client_error())
        || (signing_in && !may_sign_in && answer.status == StatusCode::UNPROCESSABLE_ENTITY)
}

#[tokio::test]
async fn the_matrix_of_roles_and_routes_is_what_the_router_does() {
    let count = askers(&world().await.ours).len();
    let (mut cells, mut foreign) = (0, 0);
    for number in 0..count {
        let mut world = world().await;
        let asker = askers(&world.ours).remove(number);
        let subject_and_id = match asker.person {
            None => None,
            Some(new) => {
                let id = world.site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
                let person = world.site.store.administrator_by_id(id).await.unwrap().unwrap();
                Some((Subject::of(&person), id))
            }
        };
        let (subject, id) = (subject_and_id.as_ref().map(|(one, _)| one), subject_and_id.map(|(_, id)| id));
        if subject.is_some_and(|subject| subject.role == Role::Operator) {
            // Operators' people are operators.
            let new = NewAdministrator::new("colleague", Role::Operator, None);
            world.ours.person = world.site.store.create_administrator(new, Act::server(NOW)).await.unwrap();
        }
        for entry in entries() {
            let cell = format!("{} {} {}", asker.name, entry.method, entry.path);
            if names_an_id(&entry) {
                let answer = world.ask(&entry, &world.theirs, id).await;
                let refused = match expected(&entry, subject) {
                    "done" => "not there",
                    refused => refused,
                };
                assert_eq!(outcome(&answer), refused, "{cell}, theirs: {} {}", answer.status, answer.text);
                foreign += 1;
            }
            let answer = world.ask(&entry, &world.ours, id).await;
            let right = outcome(&answer) == expected(&entry, subject);
            let right = right || is_let_through(&entry, &answer, subject);
            assert!(right, "{cell}: {} {}", answer.status, answer.text);
            assert!(!answer.text.contains(world.theirs.mark), "{cell} tells of the other contract");
            cells += 1;
        }
        let changed = world.site.store.audit_log(Some(world.theirs.contract), None, 100).await.unwrap();
        assert!(
            changed.iter().all(|entry| entry.by == "server"),
            "{} changed the other contract",
            asker.name
        );
    }
    assert_eq!(cells, count * entries().len());
    assert!(foreign >= count * 10, "{foreign}");
}

#[tokio::test]
async fn an_approver_gets_only_what_is_linked_to_the_department() {
    let world = world().await;
    let site = &world.site;
    let approver = async |login: &str, department| {
        let new = NewAdministrator {
            department: Some(department),
            ..NewAdministrator::new(login, Role::Approver, Some(world.ours.contract))
        };
        site.somebody(new).await
    };
    let own = approver("own", world.ours.department).await;
    let new = NewDepartment { code: "X".into(), name: "x".into(), parent: None };
    let elsewhere = site.store.add_department(world.ours.contract, new, Act::server(NOW)).await.unwrap();
    let elsewhere = approver("elsewhere", elsewhere).await;
    let waiting = format!("waiting-{}", world.ours.mark);
    let list = site.get(&own, "/punches").await.text;
    assert_eq!(times(&list, "<!-- partial: punch row -->"), 2);
    assert!(list.contains("氏名 OURS") && !list.contains(&waiting));
    for gone in ["/accounts", "/terminals", "/departments", "/administrators"] {
        assert!(!list.contains(&format!("href=\"{gone}")), "{gone} is not offered");
    }
    let csv = site.get(&own, "/punches.csv").await.text;
    assert!(csv.contains("氏名 OURS") && !csv.contains(&waiting));
    let status = async |cookie: &str, number: u8| {
        site.get(cookie, &format!("/punches/{}/{number}", world.ours.terminal)).await.status
    };
    assert_eq!(status(&own, 1).await, StatusCode::OK);
    assert_eq!(status(&own, 3).await, StatusCode::NOT_FOUND, "linked to nobody");
    assert_eq!(status(&elsewhere, 1).await, StatusCode::NOT_FOUND);
    let open = format!("/punches?open={}.3", world.ours.terminal);
    assert!(!site.get(&own, &open).await.text.contains(&waiting), "nor in the drawer");
    let page = site.get(&own, &format!("/punches?account=D%5C{waiting}")).await.text;
    assert!(page.contains("role=\"alert\""), "the account does not exist for an approver");
    let by_terminal = format!("/punches?terminal=PC-{}", world.ours.mark);
    let page = site.get(&own, &by_terminal).await.text;
    assert_eq!(times(&page, "<!-- partial: punch row -->"), 2, "a PC of their people: {page}");
    let page = site.get(&elsewhere, &by_terminal).await.text;
    assert!(page.contains("は、閲覧できる社員の打刻にありません。"), "{page}");
    let by_id = format!("/punches?terminal={}", world.ours.terminal);
    assert!(site.get(&elsewhere, &by_id).await.text.contains("閲覧できる社員の打刻にありません"));
    assert!(site.get(&own, "/employees").await.text.contains("氏名 OURS"));
    for page in ["/punches", "/employees", "/punches.csv"] {
        assert!(!site.get(&elsewhere, page).await.text.contains("OURS"), "{page}");
    }
    assert!(times(&list, "strip__label") == 2, "no figures of the whole contract");
    assert!(matches!(
        reach(
            &Subject::of(&site.store.administrator("own").await.unwrap().unwrap()),
            Action::PunchesRead,
            date(2026, 6, 17)
        ),
        Ok(Reach::Departments(..))
    ));
}
