//! The lines of the event log (`seed.txt`; spec: The agent, 1 and 2).

use mngntime_model::{AccountIdentity, EventKind, FailureCause, Language};

/// 「LOGON/LOGOFF監視を開始しました。」
pub(crate) fn watching(language: Language) -> String {
    match language {
        Language::Japanese => "LOGON/LOGOFF監視を開始しました。".to_owned(),
        Language::English => "LOGON/LOGOFF monitoring has started.".to_owned(),
    }
}

/// 「LOGON[-]:現在ログオン中のユーザーはいません。」
pub(crate) fn nobody_logged_on(language: Language) -> String {
    match language {
        Language::Japanese => "LOGON[-]:現在ログオン中のユーザーはいません。".to_owned(),
        Language::English => "LOGON[-]:No user is logged on.".to_owned(),
    }
}

/// `LOGON[DOMAIN\user]:打刻完了`, and for a punch that did not go through at once, that it was re-sent.
pub(crate) fn completed(language: Language, punch: &Punch, resent: bool) -> String {
    let text = match (language, resent) {
        (Language::Japanese, false) => "打刻完了",
        (Language::Japanese, true) => "打刻完了 (再送しました。)",
        (Language::English, false) => "Punch completed",
        (Language::English, true) => "Punch completed (it was sent again.)",
    };
    format!("{punch}:{text}")
}

/// `LOGON[DOMAIN\user]:打刻失敗 [res=N] …`; `[res=N]` if and only if the server answered with a result.
pub(crate) fn failed(language: Language, server: &str, punch: &Punch, cause: &FailureCause) -> String {
    let word = match language {
        Language::Japanese => "打刻失敗",
        Language::English => "Punch failed",
    };
    let res = cause.res().map(|number| format!("[res={number}] ")).unwrap_or_default();
    format!("{punch}:{word} {res}{}", cause.text(language, server))
}

/// The disk does not take records.
pub(crate) fn cannot_store(language: Language, detail: &str) -> String {
    match language {
        Language::Japanese => format!(
            "記録をディスクに保存できません。空き容量とフォルダーの権限を確認してください。保存できるまで記録はメモリに保持されます。詳細: {detail}"
        ),
        Language::English => format!(
            "Records cannot be written to disk. Check free space and folder permissions. They are kept in memory until they can. Details: {detail}"
        ),
    }
}

/// The disk takes records again.
pub(crate) fn can_store_again(language: Language) -> String {
    match language {
        Language::Japanese => "記録をディスクに保存できるようになりました。".to_owned(),
        Language::English => "Records can be written to disk again.".to_owned(),
    }
}

/// Records are missing, and we say so.
pub(crate) fn lost(language: Language, first: u64, last: u64) -> String {
    match language {
        Language::Japanese => format!("記録番号{first}から{last}を読み出せません。欠落として記録しました。"),
        Language::English => format!("Records {first} to {last} cannot be read. They are declared as a gap."),
    }
}

/// The OS's session list cannot be read.
pub(crate) fn no_session_list(language: Language, detail: &str) -> String {
    match language {
        Language::Japanese => {
            format!("ログオン中のユーザーの一覧を取得できません。再試行します。詳細: {detail}")
        }
        Language::English => format!("The list of sessions cannot be read. Trying again. Details: {detail}"),
    }
}

/// Enrolment failed; said once for each cause, for the case that nobody has punched.
pub(crate) fn cannot_enroll(language: Language, server: &str, cause: &FailureCause) -> String {
    let res = cause.res().map(|number| format!("[res={number}] ")).unwrap_or_default();
    let text = cause.text(language, server);
    match language {
        Language::Japanese => format!("端末を登録できません。{res}{text}"),
        Language::English => format!("The terminal cannot be enrolled. {res}{text}"),
    }
}

/// The terminal is enrolled.
pub(crate) fn enrolled(language: Language, server: &str) -> String {
    match language {
        Language::Japanese => format!("端末を{server}に登録しました。"),
        Language::English => format!("The terminal has been enrolled with {server}."),
    }
}

/// Whose punch a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Punch {
    pub(crate) kind: EventKind,
    pub(crate) account: AccountIdentity,
}

/// `LOGON[DOMAIN\user]` or `LOGOFF[DOMAIN\user]`.
impl std::fmt::Display for Punch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = if self.kind == EventKind::Logoff { "LOGOFF" } else { "LOGON" };
        write!(f, "{word}[{}]", self.account)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mngntime_model::PunchResult;

    fn punch(kind: EventKind) -> Punch {
        let account =
            AccountIdentity { key: "S-1".into(), domain: "EXAMPLE".into(), name: "hanako".into(), upn: None };
        Punch { kind, account }
    }

    #[test]
    fn the_start_up_lines_are_the_seeds() {
        assert_eq!(watching(Language::Japanese), "LOGON/LOGOFF監視を開始しました。");
        assert_eq!(nobody_logged_on(Language::Japanese), "LOGON[-]:現在ログオン中のユーザーはいません。");
    }

    #[test]
    fn a_line_starts_with_whom_it_is_about_and_shows_res_only_when_answered() {
        let answered = failed(
            Language::Japanese,
            "MINAGINE",
            &punch(EventKind::Logon),
            &FailureCause::Result(PunchResult::UserUnusable),
        );
        assert_eq!(
            answered,
            "LOGON[EXAMPLE\\hanako]:打刻失敗 [res=7] このユーザーは使えません。 MINAGINE側でユーザーの利用登録が完了していません。管理者へお問い合わせください。"
        );
        let unanswered =
            failed(Language::Japanese, "MINAGINE", &punch(EventKind::Logoff), &FailureCause::NotConnected);
        assert!(unanswered.starts_with("LOGOFF[EXAMPLE\\hanako]:打刻失敗 端末がネットワークに"));
        assert!(!unanswered.contains("res="));
    }

    #[test]
    fn success_says_whether_it_was_sent_again() {
        assert_eq!(
            completed(Language::Japanese, &punch(EventKind::Logon), false),
            "LOGON[EXAMPLE\\hanako]:打刻完了"
        );
        assert!(completed(Language::Japanese, &punch(EventKind::Logon), true).contains("再送"));
    }
}
