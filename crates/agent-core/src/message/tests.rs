//! The lines are the seed's, and the table keeps its own rules.

use super::*;
use std::collections::BTreeSet;

fn punch(kind: EventKind) -> Punch {
    let account =
        AccountIdentity { key: "S-1".into(), domain: "EXAMPLE".into(), name: "hanako".into(), upn: None };
    Punch { kind, account }
}

fn every_cause() -> Vec<FailureCause> {
    let results = PunchResult::ALL.into_iter().filter(|result| *result != PunchResult::Accepted);
    let mut causes: Vec<_> = results.map(FailureCause::Result).collect();
    causes.extend([
        FailureCause::UnknownResult(42),
        FailureCause::ServerInternal { http_status: 500 },
        FailureCause::NotConnected,
        FailureCause::LocalNetworkOnly,
        FailureCause::Network { http_status: Some(407), detail: "100%2 proxy".into() },
        FailureCause::Network { http_status: None, detail: "refused".into() },
    ]);
    causes
}

fn res_of(cause: &FailureCause) -> String {
    cause.res().map(|number| format!("[res={number}] ")).unwrap_or_default()
}

#[test]
fn numbers_are_unique_ordered_and_of_their_level() {
    let numbers: Vec<u16> = MessageId::ALL.iter().map(|id| id.number()).collect();
    assert!(numbers.is_sorted() && numbers.iter().collect::<BTreeSet<_>>().len() == numbers.len());
    for id in MessageId::ALL {
        let hundreds = match id.level() {
            NoticeLevel::Information => 1,
            NoticeLevel::Warning => 2,
            NoticeLevel::Error => 3,
        };
        assert_eq!(id.number() / 100, hundreds, "{id:?}");
    }
}

#[test]
fn both_languages_use_the_same_inserts_and_nothing_that_breaks_an_export() {
    let inserts = |text: &str| -> BTreeSet<char> {
        text.split('%').skip(1).map(|rest| rest.chars().next().unwrap_or('!')).collect()
    };
    for id in MessageId::ALL {
        let (japanese, english) = (id.template(Language::Japanese), id.template(Language::English));
        assert_eq!(inserts(japanese), inserts(english), "{id:?}");
        assert!(inserts(english).iter().all(|digit| ('2'..='9').contains(digit)), "{id:?}");
        assert!(![japanese, english].iter().any(|text| text.contains(['\t', '\n', '!'])), "{id:?}");
    }
}

#[test]
fn the_start_up_lines_are_the_seeds() {
    let text = |id| Message::new(id, vec![]).text(Language::Japanese);
    assert_eq!(text(MessageId::MonitoringStarted), "LOGON/LOGOFF監視を開始しました。");
    assert_eq!(text(MessageId::NobodyLoggedOn), "LOGON[-]:現在ログオン中のユーザーはいません。");
}

#[test]
fn a_failure_is_worded_as_its_cause_and_shows_res_only_when_answered() {
    for cause in every_cause() {
        for (language, word) in [(Language::Japanese, "打刻失敗"), (Language::English, "Punch failed")] {
            let text = Message::failed(&punch(EventKind::Logoff), "ABC", &cause).text(language);
            let (res, cause_text) = (res_of(&cause), cause.text(language, "ABC"));
            assert_eq!(text, format!("LOGOFF[EXAMPLE\\hanako]:{word} {res}{cause_text}"));
            assert_eq!(text.contains("[res="), cause.res().is_some());
        }
    }
}

#[test]
fn a_failed_enrolment_is_worded_as_its_cause() {
    for cause in every_cause() {
        let text = |language| Message::cannot_enroll("ABC", &cause, None).text(language);
        let res = res_of(&cause);
        let (japanese, english) =
            (cause.text(Language::Japanese, "ABC"), cause.text(Language::English, "ABC"));
        assert_eq!(text(Language::Japanese), format!("端末を登録できません。{res}{japanese}"));
        assert_eq!(text(Language::English), format!("The terminal cannot be enrolled. {res}{english}"));
    }
}

#[test]
fn a_refused_enrolment_says_what_the_administrator_does() {
    let cause = FailureCause::Result(PunchResult::TerminalUnusable);
    for reason in EnrollmentRefusal::ALL {
        let text = |language| Message::cannot_enroll("ABC", &cause, Some(reason)).text(language);
        for (language, begins) in [
            (Language::Japanese, "端末を登録できません。"),
            (Language::English, "The terminal cannot be enrolled. "),
        ] {
            let said = PunchResult::TerminalUnusable.message(language);
            assert_eq!(text(language), format!("{begins}[res=6] {said} {}", reason.text(language)));
        }
    }
}

#[test]
fn success_says_whether_it_was_sent_again() {
    let text = |resent| Message::completed(&punch(EventKind::Logon), resent).text(Language::Japanese);
    assert_eq!(text(false), "LOGON[EXAMPLE\\hanako]:打刻完了");
    assert!(text(true).contains("再送"));
}

/// Windows' own viewer puts the inserts into the text of its message file.
#[test]
fn a_viewer_that_fills_the_text_with_the_inserts_shows_the_whole_line() {
    let message = Message::lost(17, 23);
    assert_eq!(message.inserts(), ["17", "23"]);
    for language in [Language::Japanese, Language::English] {
        let inserts = message.inserts().iter().enumerate();
        let shown = inserts.fold(message.id().template(language).to_owned(), |text, (at, insert)| {
            text.replace(&format!("%{}", at + 2), insert)
        });
        assert_eq!(shown, message.text(language));
    }
}
