//! The audit log in words: what was done, by whom, to what, and the details.
//!
//! An action, a field or an object that this program has no word for is shown as it is kept: a newer program may have
//! written it, and nothing of the log is to be hidden.

use mngntime_ledger::audit::DIRECTORY_SID;
use mngntime_model::{EventKind, Language, UtcMillis};
use mngntime_store::Role;
use serde_json::{Map, Value};

use super::super::chrome::{Chrome, role_key};
use super::super::days::words::event_key;
use super::super::punches::period::Period;
use super::super::{day_time, settings, times};
use crate::logins;

/// Every action that is noted, with the key of its words, in the order of the list to choose from.
pub const ACTIONS: [(&str, &str); 80] = [
    ("sign_in", "did-sign-in"),
    ("sign_out", "did-sign-out"),
    ("view_record", "did-view-record"),
    ("view_list", "did-view-list"),
    ("export_punches", "did-export-punches"),
    ("read_punches", "did-read-punches"),
    ("export_days", "did-export-days"),
    ("export_own_record", "did-export-own-record"),
    ("export_evidence", "did-export-evidence"),
    ("export_audit", "did-export-audit"),
    ("make_backup", "did-make-backup"),
    ("restored_from_backup", "did-restored-from-backup"),
    ("link_account", "did-link-account"),
    ("unlink_account", "did-unlink-account"),
    ("add_employee", "did-add-employee"),
    ("change_employee", "did-change-employee"),
    ("set_employee_department", "did-set-employee-department"),
    ("add_remark", "did-add-remark"),
    ("withdraw_remark", "did-withdraw-remark"),
    ("read_remark", "did-read-remark"),
    ("add_department", "did-add-department"),
    ("rename_department", "did-rename-department"),
    ("move_department", "did-move-department"),
    ("close_department", "did-close-department"),
    ("reopen_department", "did-reopen-department"),
    ("enroll_terminal", "did-enroll-terminal"),
    ("enroll_terminal_again", "did-enroll-terminal-again"),
    ("block_terminal", "did-block-terminal"),
    ("unblock_terminal", "did-unblock-terminal"),
    ("retire_terminal", "did-retire-terminal"),
    ("unretire_terminal", "did-unretire-terminal"),
    ("note_terminal", "did-note-terminal"),
    ("allow_reenrollment", "did-allow-reenrollment"),
    ("export_terminals", "did-export-terminals"),
    ("export_accounts", "did-export-accounts"),
    ("export_employees", "did-export-employees"),
    ("clear_conflict", "did-clear-conflict"),
    ("add_enrollment_key", "did-add-enrollment-key"),
    ("rotate_enrollment_key", "did-rotate-enrollment-key"),
    ("revoke_enrollment_key", "did-revoke-enrollment-key"),
    ("revoke_enrollment_keys", "did-revoke-enrollment-keys"),
    ("create_administrator", "did-create-administrator"),
    ("change_administrator", "did-change-administrator"),
    ("disable_administrator", "did-disable-administrator"),
    ("enable_administrator", "did-enable-administrator"),
    ("make_setup_link", "did-make-setup-link"),
    ("use_setup_link", "did-use-setup-link"),
    ("set_password", "did-set-password"),
    ("change_settings", "did-change-settings"),
    ("redate_nights", "did-redate-nights"),
    ("create_contract", "did-create-contract"),
    ("change_contract", "did-change-contract"),
    ("rename_contract", "did-rename-contract"),
    ("lock_out", "did-lock-out"),
    ("refuse_address", "did-refuse-address"),
    ("empty_quarantine", "did-empty-quarantine"),
    ("set_up_totp", "did-set-up-totp"),
    ("remove_totp", "did-remove-totp"),
    ("make_recovery_codes", "did-make-recovery-codes"),
    ("use_recovery_code", "did-use-recovery-code"),
    ("add_passkey", "did-add-passkey"),
    ("rename_passkey", "did-rename-passkey"),
    ("remove_passkey", "did-remove-passkey"),
    ("make_api_token", "did-make-api-token"),
    ("revoke_api_token", "did-revoke-api-token"),
    ("revoke_api_tokens", "did-revoke-api-tokens"),
    ("link_provider", "did-link-provider"),
    ("unlink_provider", "did-unlink-provider"),
    ("end_sessions", "did-end-sessions"),
    ("reset_second_factors", "did-reset-second-factors"),
    ("require_second_factor", "did-require-second-factor"),
    ("import_links", "did-import-links"),
    ("import_employees", "did-import-employees"),
    ("set_hold", "did-set-hold"),
    ("release_hold", "did-release-hold"),
    ("retire_month", "did-retire-month"),
    ("retire_numbers", "did-retire-numbers"),
    ("empty_month", "did-empty-month"),
    ("save_search", "did-save-search"),
    ("delete_search", "did-delete-search"),
];

/// Kinds of things that something is done to, with the key of their word: a name may be looked for as each of them.
const KINDS: [(&str, &str); 9] = [
    ("employee", "col-employee"),
    ("account", "col-account"),
    ("terminal", "col-terminal"),
    ("department", "col-department-name"),
    ("administrator", "audit-person"),
    ("contract", "audit-contract"),
    ("enrolment key", "steps-key"),
    ("month", "field-month"),
    ("address", "session-address"),
];

/// What has no name of its own, or none that anybody looks for.
const OTHERS: [(&str, &str); 8] = [
    ("search", "audit-search"),
    ("terminals", "audit-terminals"),
    ("punches", "nav-punches"),
    ("days", "nav-days"),
    ("employees", "nav-employees"),
    ("audit log", "nav-audit"),
    ("server", "by-server"),
    ("quarantine", "quarantine-title"),
];

/// What is asked for when something is looked for or exported, with the key of its word.
const CONDITIONS: [(&str, &str); 17] = [
    ("period", "filter-period"),
    ("from", "date-from"),
    ("to", "date-to"),
    ("month", "field-month"),
    ("employee", "col-employee"),
    ("account", "col-account"),
    ("terminal", "col-terminal"),
    ("kind", "col-kind"),
    ("errors", "filter-errors"),
    ("cause", "filter-cause"),
    ("show", "audit-show"),
    ("who", "audit-who"),
    ("by", "audit-who"),
    ("action", "audit-what"),
    ("object", "audit-object"),
    ("q", "search"),
    ("encoding", "field-form"),
];

/// Ways to show who one is, with the key of their word.
const WAYS: [(&str, &str); 5] = [
    ("password", "login-password"),
    ("totp", "totp-title"),
    ("recovery_code", "recovery-title"),
    ("passkey", "passkey-title"),
    ("provider", "provider-title"),
];

/// Fields of details with the key of their word. Ids that lead nowhere for a reader are left out of the page; the file
/// has them.
const FIELDS: [(&str, &str); 76] = [
    ("code", "field-code"),
    ("code_before", "field-code-before"),
    ("name", "field-name"),
    ("kana", "col-kana"),
    ("department", "col-department"),
    ("above", "col-parent"),
    ("employee", "col-employee"),
    ("account", "account-key"),
    ("active_from", "field-active-from"),
    ("active_to", "field-active-to"),
    ("upn", "col-upn"),
    ("sid", "account-key"),
    ("from", "date-from"),
    ("to", "date-to"),
    ("until", "date-to"),
    ("void", "field-void"),
    ("role", "person-role"),
    ("status", "col-state"),
    ("logon_punch_option", "settings-option"),
    ("day_begins_minutes", "settings-day"),
    ("japanese_years", "settings-years"),
    ("retention_years", "settings-retention"),
    ("retires", "settings-retires"),
    ("links_by_sid", "settings-links-by-sid"),
    ("reason", "field-reason"),
    ("because", "field-reason"),
    ("allowed_by", "field-allowed-by"),
    ("month", "field-month"),
    ("first_date", "field-first-date"),
    ("last_date", "field-last-date"),
    ("language", "settings-language"),
    ("idle_minutes", "settings-idle"),
    ("enrollment_key", "steps-key"),
    ("host_name", "col-terminal"),
    ("os", "field-os"),
    ("key_class", "col-key"),
    ("agent_version", "col-version"),
    ("revoked", "field-count"),
    ("date", "col-date"),
    ("from_minutes", "remark-from"),
    ("to_minutes", "remark-to"),
    ("text", "remark-text"),
    ("answer", "remark-answer"),
    ("page", "field-page"),
    ("place", "field-place"),
    ("events", "field-events"),
    ("backup_made_at", "field-backup-made-at"),
    ("conditions", "field-conditions"),
    ("form", "field-form"),
    ("number", "audit-number"),
    ("label", "key-label"),
    ("expires_at", "col-expires"),
    ("uses_max", "field-uses-max"),
    ("followed_by", "field-followed-by"),
    ("ends_at", "field-ends-at"),
    ("lines", "field-lines"),
    ("written", "field-written"),
    ("moved", "field-moved"),
    ("judged", "field-judged"),
    ("left_for_minutes", "field-left-for"),
    ("roles", "field-roles"),
    ("codes", "field-codes"),
    ("left", "field-left"),
    ("issuer", "field-issuer"),
    ("query", "field-conditions"),
    ("shared", "field-shared"),
    ("note", "col-note"),
    ("failures", "field-failures"),
    ("how", "field-how"),
    ("ended", "field-ended"),
    ("tokens", "field-tokens"),
    ("address", "session-address"),
    ("agent", "session-device"),
    ("tries", "field-tries"),
    ("entries", "field-count"),
    ("counted_only", "field-counted-only"),
];

/// Fields that only programs follow.
const HIDDEN: [&str; 12] = [
    "id",
    "link",
    "like",
    "remark",
    "terminal",
    "public_key",
    "makeup",
    "before",
    "hold",
    "root",
    "size",
    "numbers",
];

/// Words of an action; the action itself when there are none.
#[must_use]
pub fn action(action: &str, c: &Chrome) -> String {
    let key = ACTIONS.iter().find(|(known, _)| *known == action).map(|(_, key)| *key);
    key.map_or_else(|| action.replace('_', " "), |key| c.t(key))
}

/// What does something without anybody who signs in, as [`mngntime_store::AuditEntry::by`] has it, with the key of its
/// word and its drawing.
pub const OURS: [(&str, &str, &str); 2] =
    [("server", "by-server", "server"), ("command-line", "by-command-line", "command")];

/// Who, for reading. A login that reads as one of [`OURS`] is of before such were refused, and is told to be one.
#[must_use]
pub fn person(by: &str, c: &Chrome) -> String {
    match OURS.iter().find(|(ours, ..)| *ours == by) {
        Some((_, key, _)) => c.t(key),
        None => {
            let login = by.strip_prefix("administrator:").unwrap_or(by);
            if logins::is_reserved(login) { c.v("by-login", "login", login) } else { login.to_owned() }
        }
    }
}

/// The drawing beside what is not somebody who signs in; empty for people.
#[must_use]
pub fn drawing(by: &str) -> &'static str {
    OURS.iter().find(|(ours, ..)| *ours == by).map_or("", |(_, _, drawing)| drawing)
}

/// What [`mngntime_store::AuditEntry::by`] says of the login that a reader typed.
#[must_use]
pub fn by_of(login: &str) -> String {
    format!("administrator:{}", login.trim_start_matches("administrator:"))
}

/// The thing as the log may write it: as typed, or as one of the kinds with this name.
#[must_use]
pub fn objects_of(text: &str) -> Vec<String> {
    let kinds = KINDS.iter().map(|(kind, _)| format!("{kind} {text}"));
    std::iter::once(text.to_owned()).chain(kinds).collect()
}

/// The kind of a thing in words, and its name.
#[must_use]
pub fn object(object: &str, c: &Chrome) -> (String, String) {
    let lines = object.strip_prefix("file of ").and_then(|rest| rest.strip_suffix(" lines"));
    if let Some(lines) = lines.and_then(|lines| lines.parse::<u64>().ok()) {
        return (c.t("audit-file"), c.n("audit-lines", lines));
    }
    let name = |kind: &str| object.strip_prefix(kind).filter(|rest| rest.is_empty() || rest.starts_with(' '));
    let found = KINDS.iter().chain(&OTHERS).find_map(|(kind, key)| Some((key, name(kind)?)));
    match found {
        Some((key, name)) => (c.t(key), name.trim_start().to_owned()),
        None => (String::new(), object.to_owned()),
    }
}

/// The detail as pairs of a word and a value; what was before stands behind it.
#[must_use]
pub fn details(detail: &str, c: &Chrome) -> Vec<(String, String)> {
    let fields = match serde_json::from_str(detail) {
        Ok(Value::Object(fields)) => fields,
        // Of before the log had fields.
        _ if detail.is_empty() => return Vec::new(),
        _ => return vec![(String::new(), detail.to_owned())],
    };
    let shown = fields.iter().filter(|(name, value)| !HIDDEN.contains(&name.as_str()) && !is_empty(value));
    // A restore names the month of a tree, and no month that something was done to.
    let is_restore = fields.contains_key("backup_made_at");
    let word = |name: &str| match name {
        "month" if is_restore => c.t("field-log-month"),
        name => field(name, c),
    };
    let mut pairs: Vec<_> = shown.map(|(name, new)| (word(name), value(name, new, c))).collect();
    if let Some(Value::Object(before)) = fields.get("before") {
        pairs.extend(changed(before, &fields, c));
    }
    pairs
}

/// What was otherwise before.
fn changed(before: &Map<String, Value>, now: &Map<String, Value>, c: &Chrome) -> Vec<(String, String)> {
    let other = before.iter().filter(|(name, old)| now.get(*name) != Some(old));
    let pair =
        |(name, old): (&String, &Value)| (c.v("field-before", "what", field(name, c)), value(name, old, c));
    other.map(pair).collect()
}

fn is_empty(value: &Value) -> bool {
    matches!(value, Value::Null) || value.as_str() == Some("")
}

fn field(name: &str, c: &Chrome) -> String {
    let key = FIELDS.iter().find(|(known, _)| *known == name).map(|(_, key)| *key);
    key.map_or_else(|| name.replace('_', " "), |key| c.t(key))
}

fn value(name: &str, value: &Value, c: &Chrome) -> String {
    match (name, value) {
        (_, Value::Null) => c.t("none"),
        (_, Value::Bool(yes)) => c.t(if *yes { "yes" } else { "no" }),
        (_, Value::Array(all)) => {
            all.iter().map(|one| self::value(name, one, c)).collect::<Vec<_>>().join(&c.t("list-comma"))
        }
        (name, Value::String(text)) => text_value(name, text, c),
        (name, Value::Number(number)) => number_value(name, number, c),
        (_, other @ Value::Object(_)) => other.to_string(),
    }
}

fn text_value(name: &str, text: &str, c: &Chrome) -> String {
    match name {
        "page" => page_name(text, c),
        "role" | "roles" => Role::from_name(text).map_or(text.to_owned(), |role| c.t(role_key(role))),
        "language" => Language::from_tag(text).map_or(text.to_owned(), language_name),
        "status" => status_name(text, c),
        "because" if text == DIRECTORY_SID => c.t("reason-directory-sid"),
        "allowed_by" => person(text, c),
        "how" => text.split('+').map(|way| word_of(&WAYS, way, c)).collect::<Vec<_>>().join(" + "),
        "conditions" | "query" => conditions(text, c),
        _ => text.to_owned(),
    }
}

/// Times of a work day, points in time, and plain numbers. A point in time is a number of milliseconds; a date is kept
/// as text.
fn number_value(name: &str, number: &serde_json::Number, c: &Chrome) -> String {
    let minutes = || number.as_u64().and_then(|minutes| u16::try_from(minutes).ok());
    match name {
        "idle_minutes" => settings::idle_text(number.as_u64().unwrap_or_default(), c),
        name if name.ends_with("_minutes") => minutes().map_or_else(|| number.to_string(), day_time::text),
        name if name.ends_with("_at") || name == "until" => {
            number.as_i64().map_or_else(|| number.to_string(), |at| times::full(UtcMillis(at)))
        }
        "retention_years" => c.n("settings-retention-years", number.as_u64().unwrap_or_default()),
        _ => number.to_string(),
    }
}

fn word_of(words: &[(&str, &str)], name: &str, c: &Chrome) -> String {
    let key = words.iter().find(|(known, _)| *known == name).map(|(_, key)| *key);
    key.map_or_else(|| name.to_owned(), |key| c.t(key))
}

/// What was asked for, kept as a query: words and values. What an older program wrote in words stays as it is.
fn conditions(query: &str, c: &Chrome) -> String {
    if !query.contains('=') {
        return query.to_owned();
    }
    let told = form_urlencoded::parse(query.as_bytes()).map(|(name, value)| match (&*name, &*value) {
        ("errors", "1") => c.t("filter-errors"),
        ("how", "inferred") => c.t("filter-inferred"),
        ("kind", kind) => {
            EventKind::from_name(kind).map_or_else(|| kind.to_owned(), |kind| c.t(event_key(kind)))
        }
        ("period", name) => match Period::of_name(name) {
            Some(period) => c.t(period.key()),
            None => name.to_owned(),
        },
        ("by", by) => format!("{} {}", c.t("audit-who"), person(by, c)),
        ("action", did) => format!("{} {}", c.t("audit-what"), action(did, c)),
        (name, value) => format!("{} {value}", word_of(&CONDITIONS, name, c)),
    });
    told.collect::<Vec<_>>().join(&c.t("list-comma"))
}

fn page_name(page: &str, c: &Chrome) -> String {
    match page {
        "punches" => c.t("nav-punches"),
        "punch" => c.t("punch-title"),
        "event" => c.t("page-event"),
        "day" => c.t("page-day"),
        "month" => c.t("page-month"),
        "account" => c.t("page-account"),
        "employee" => c.t("page-employee"),
        page => page.to_owned(),
    }
}

/// A language in itself.
#[must_use]
pub fn language_name(language: Language) -> String {
    match language {
        Language::Japanese => "日本語".to_owned(),
        Language::English => "English".to_owned(),
    }
}

fn status_name(status: &str, c: &Chrome) -> String {
    match status {
        "active" => c.t("contract-active"),
        "suspended" => c.t("contract-suspended"),
        "blocked" => c.t("state-blocked"),
        "retired" => c.t("state-retired"),
        status => status.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words that stand as an action in the sources of the store and of this program.
    fn noted() -> Vec<String> {
        let mut found = Vec::new();
        for (_, text) in running() {
            for call in ["audit::note(", ".note(", ".note_with(", ".note_hourly("] {
                for part in text.split(call).skip(1) {
                    let call = part.split(';').next().unwrap();
                    let word = call.split('"').nth(1).filter(|word| word.contains('_'));
                    let plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                    found.extend(word.filter(plain).map(str::to_owned));
                }
            }
        }
        found
    }

    #[test]
    fn every_action_that_is_noted_has_words() {
        let noted = noted();
        assert!(noted.len() > 20, "{noted:?}");
        for action in noted {
            assert!(ACTIONS.iter().any(|(known, _)| *known == action), "{action} has no words");
        }
    }

    /// The parts of the sources that run, of the store and of this program.
    fn running() -> Vec<(std::path::PathBuf, String)> {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let (mut found, mut files) = (Vec::new(), vec![root.join("src"), root.join("../store/src/sqlite")]);
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
            } else if !path.components().any(|part| part.as_os_str() == "tests") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text.split("#[cfg(test)]").next().unwrap().to_owned()));
            }
        }
        found
    }

    fn of_the_store(path: &std::path::Path) -> bool {
        path.components().any(|part| part.as_os_str() == "sqlite")
    }

    /// The names of fields within the braces that `text` begins with.
    fn names_in(text: &str) -> Vec<String> {
        let (mut depth, mut end) = (0, text.len());
        for (at, letter) in text.char_indices() {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            if depth == 0 {
                end = at;
                break;
            }
        }
        let parts: Vec<_> = text[..end].split('"').collect();
        let is_name = |at: &usize| parts.get(at + 1).is_some_and(|after| after.trim_start().starts_with(':'));
        (1..parts.len()).step_by(2).filter(is_name).map(|at| parts[at].to_owned()).collect()
    }

    /// Every field that a detail has: in the JSON of the store's notes, in that of this program's, and in the forms
    /// that the evidence log knows.
    fn fields_noted() -> Vec<String> {
        let mut names = Vec::new();
        for (path, text) in running() {
            for (at, _) in text.match_indices("json!({") {
                let statement = text[..at].rsplit(';').next().unwrap();
                let noted = ["let detail", "object, detail)", "let conditions", "note_with("];
                if of_the_store(&path) || noted.iter().any(|words| statement.contains(words)) {
                    names.extend(names_in(&text[at + 6..]));
                }
            }
        }
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let forms = std::fs::read_to_string(root.join("../ledger/src/audit.rs")).unwrap();
        for form in ["Enrolled", "TerminalChanged", "Linked", "EmployeeNoted"] {
            let body = forms.split(&format!("pub struct {form} {{")).nth(1).expect(form);
            let lines = body.split("\n}").next().unwrap().lines();
            let fields = lines.filter_map(|line| line.trim().strip_prefix("pub "));
            names.extend(fields.map(|field| field.split(':').next().unwrap().to_owned()));
        }
        names
    }

    #[test]
    fn every_field_that_is_noted_has_words() {
        let names = fields_noted();
        assert!(names.len() > 60, "{names:?}");
        for name in names {
            let known = FIELDS.iter().any(|(known, _)| *known == name) || HIDDEN.contains(&&*name);
            assert!(known, "{name} has no words");
        }
    }

    #[test]
    fn every_thing_that_something_is_done_to_has_words() {
        let (c, mut seen) = (Chrome::bare(Language::English), 0);
        let noting = |text: &str| text.contains("audit::note(") || text.contains("fn object");
        for (path, text) in running().iter().filter(|(path, text)| of_the_store(path) && noting(text)) {
            // Objects are written as a kind and a name.
            for part in text.split("format!(\"").skip(1) {
                let Some((kind, _)) = part.split('"').next().unwrap().split_once(" {") else { continue };
                if kind.chars().all(|letter| letter.is_ascii_lowercase() || letter == ' ') {
                    let found = object(&format!("{kind} 1 lines"), &c).0;
                    assert!(!found.is_empty(), "{kind} in {}", path.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 10, "{seen}");
    }

    #[test]
    fn every_word_is_there_and_no_two_actions_have_the_same() {
        for language in [Language::Japanese, Language::English] {
            let c = Chrome::bare(language);
            let all =
                ACTIONS.iter().chain(&KINDS).chain(&OTHERS).chain(&FIELDS).chain(&CONDITIONS).chain(&WAYS);
            for (_, key) in all {
                assert_ne!(c.t(key), *key, "{key} has no text");
            }
            let mut texts: Vec<_> = ACTIONS.iter().map(|(_, key)| c.t(key)).collect();
            texts.sort_unstable();
            for pair in texts.windows(2) {
                assert_ne!(pair[0], pair[1], "two actions look the same in the list");
            }
        }
    }

    #[test]
    fn the_month_of_a_restore_is_that_of_the_signed_log() {
        let c = Chrome::bare(Language::English);
        let words = |detail: &str| details(detail, &c).into_iter().map(|pair| pair.0).collect::<Vec<_>>();
        let restored = r#"{"backup_made_at":1798297200000,"month":"2026-12","size":9,"root":"00"}"#;
        assert_eq!(words(restored), ["Backup made", "Month of the signed log"]);
        assert_eq!(words(r#"{"month":"2026-12","events":9}"#), ["Events", "Month"]);
    }

    #[test]
    fn values_are_told_in_the_readers_words() {
        let detail = r#"{"how":"password+recovery_code","expires_at":1798297200000,"until":1798297200000,
            "failures":10,"roles":["hr","auditor"],"query":"from=2026-11-01&kind=logon&errors=1&how=inferred","shared":true}"#;
        let told = details(detail, &Chrome::bare(Language::English));
        let text = told.iter().map(|(word, value)| format!("{word}: {value}")).collect::<Vec<_>>().join("\n");
        for part in [
            "Password + Recovery codes",
            "2026-12-27 00:00:00",
            "errors only",
            "estimated only",
            "2026-11-01",
            "Logon",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        for part in [
            "how:",
            "expires at",
            "until:",
            "1798297200000",
            "recovery_code",
            "errors=1",
            "how inferred",
            "failures:",
        ] {
            assert!(!text.contains(part), "{part}: {text}");
        }
        let japanese = details(detail, &Chrome::bare(Language::Japanese));
        let how =
            japanese.iter().any(|(word, value)| word == "確認の方法" && value == "パスワード + 回復コード");
        assert!(how, "{japanese:?}");
    }

    #[test]
    fn a_name_is_looked_for_as_every_kind_of_thing() {
        let objects = objects_of("E-1");
        assert!(objects.contains(&"employee E-1".to_owned()) && objects.contains(&"E-1".to_owned()));
        assert!(
            objects.contains(&"enrolment key E-1".to_owned()) && objects.len() <= 12,
            "as many as the store takes"
        );
    }
}
