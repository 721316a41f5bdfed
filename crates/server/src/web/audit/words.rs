//! The audit log in words: what was done, by whom, to what, and the details.
//!
//! An action, a field or an object that this program has no word for is shown as it is kept: a newer program may have
//! written it, and nothing of the log is to be hidden.

use mngntime_model::Language;
use mngntime_store::Role;
use serde_json::{Map, Value};

use super::super::chrome::{Chrome, role_key};
use super::super::day_time;

/// Every action that is noted, with the key of its words, in the order of the list to choose from.
pub const ACTIONS: [(&str, &str); 62] = [
    ("sign_in", "did-sign-in"),
    ("view_record", "did-view-record"),
    ("export_punches", "did-export-punches"),
    ("read_punches", "did-read-punches"),
    ("export_own_record", "did-export-own-record"),
    ("export_evidence", "did-export-evidence"),
    ("export_audit", "did-export-audit"),
    ("make_backup", "did-make-backup"),
    ("link_account", "did-link-account"),
    ("unlink_account", "did-unlink-account"),
    ("add_employee", "did-add-employee"),
    ("change_employee", "did-change-employee"),
    ("set_employee_department", "did-set-employee-department"),
    ("add_remark", "did-add-remark"),
    ("withdraw_remark", "did-withdraw-remark"),
    ("add_department", "did-add-department"),
    ("rename_department", "did-rename-department"),
    ("move_department", "did-move-department"),
    ("enroll_terminal", "did-enroll-terminal"),
    ("enroll_terminal_again", "did-enroll-terminal-again"),
    ("block_terminal", "did-block-terminal"),
    ("unblock_terminal", "did-unblock-terminal"),
    ("retire_terminal", "did-retire-terminal"),
    ("unretire_terminal", "did-unretire-terminal"),
    ("note_terminal", "did-note-terminal"),
    ("allow_reenrollment", "did-allow-reenrollment"),
    ("export_terminals", "did-export-terminals"),
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
    ("create_contract", "did-create-contract"),
    ("change_contract", "did-change-contract"),
    ("rename_contract", "did-rename-contract"),
    ("lock_out", "did-lock-out"),
    ("set_up_totp", "did-set-up-totp"),
    ("remove_totp", "did-remove-totp"),
    ("make_recovery_codes", "did-make-recovery-codes"),
    ("use_recovery_code", "did-use-recovery-code"),
    ("add_passkey", "did-add-passkey"),
    ("rename_passkey", "did-rename-passkey"),
    ("remove_passkey", "did-remove-passkey"),
    ("make_api_token", "did-make-api-token"),
    ("revoke_api_token", "did-revoke-api-token"),
    ("link_provider", "did-link-provider"),
    ("unlink_provider", "did-unlink-provider"),
    ("end_sessions", "did-end-sessions"),
    ("reset_second_factors", "did-reset-second-factors"),
    ("require_second_factor", "did-require-second-factor"),
    ("import_links", "did-import-links"),
    ("import_employees", "did-import-employees"),
    ("save_search", "did-save-search"),
    ("delete_search", "did-delete-search"),
];

/// Kinds of things that something is done to, with the key of their word.
const KINDS: [(&str, &str); 6] = [
    ("employee", "col-employee"),
    ("account", "col-account"),
    ("terminal", "col-terminal"),
    ("department", "col-department-name"),
    ("administrator", "audit-person"),
    ("contract", "audit-contract"),
];

/// Fields of details with the key of their word. Ids that lead nowhere for a reader are left out of the page; the file
/// has them.
const FIELDS: [(&str, &str); 36] = [
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
    ("language", "settings-language"),
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
    ("page", "field-page"),
    ("place", "field-place"),
    ("events", "field-events"),
    ("conditions", "field-conditions"),
    ("form", "field-form"),
];

/// Fields that only programs follow.
const HIDDEN: [&str; 7] = ["id", "link", "remark", "terminal", "public_key", "makeup", "before"];

/// Words of an action; the action itself when there are none.
#[must_use]
pub fn action(action: &str, c: &Chrome) -> String {
    let key = ACTIONS.iter().find(|(known, _)| *known == action).map(|(_, key)| *key);
    key.map_or_else(|| action.replace('_', " "), |key| c.t(key))
}

/// Who, for reading.
#[must_use]
pub fn person(by: &str, c: &Chrome) -> String {
    match by {
        "server" => c.t("by-server"),
        "command-line" => c.t("by-command-line"),
        by => by.strip_prefix("administrator:").unwrap_or(by).to_owned(),
    }
}

/// What [`mngntime_store::AuditEntry::by`] says of somebody a reader typed.
#[must_use]
pub fn by_of(text: &str, c: &Chrome) -> String {
    if text == "server" || text == c.t("by-server") {
        "server".to_owned()
    } else if text == "command-line" || text == c.t("by-command-line") {
        "command-line".to_owned()
    } else {
        format!("administrator:{}", text.trim_start_matches("administrator:"))
    }
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
    let (kind, name) = object.split_once(' ').unwrap_or((object, ""));
    match KINDS.iter().find(|(known, _)| *known == kind) {
        Some((_, key)) => (c.t(key), name.to_owned()),
        None if object == "server" => (c.t("by-server"), String::new()),
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
    let mut pairs: Vec<_> = shown.map(|(name, new)| (field(name, c), value(name, new, c))).collect();
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
        ("page", Value::String(page)) => page_name(page, c),
        ("role", Value::String(role)) => {
            Role::from_name(role).map_or(role.clone(), |role| c.t(role_key(role)))
        }
        ("language", Value::String(tag)) => Language::from_tag(tag).map_or(tag.clone(), language_name),
        ("status", Value::String(status)) => status_name(status, c),
        (name, Value::Number(number)) if name.ends_with("_minutes") => number
            .as_u64()
            .and_then(|minutes| u16::try_from(minutes).ok())
            .map_or_else(|| number.to_string(), day_time::text),
        (_, Value::String(text)) => text.clone(),
        (_, other) => other.to_string(),
    }
}

fn page_name(page: &str, c: &Chrome) -> String {
    match page {
        "punches" => c.t("nav-punches"),
        "punch" => c.t("punch-title"),
        "event" => c.t("page-event"),
        "day" => c.t("page-day"),
        "month" => c.t("page-month"),
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
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let (mut found, mut files) = (Vec::new(), vec![root.join("src"), root.join("../store/src/sqlite")]);
        while let Some(path) = files.pop() {
            if path.is_dir() {
                files.extend(std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            for call in ["audit::note(", ".note(", ".note_with("] {
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

    #[test]
    fn a_name_is_looked_for_as_every_kind_of_thing() {
        let objects = objects_of("E-1");
        assert!(objects.contains(&"employee E-1".to_owned()) && objects.contains(&"E-1".to_owned()));
        assert!(objects.len() <= 8, "as many as the store takes");
    }
}
