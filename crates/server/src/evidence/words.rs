//! What went wrong with a pack, in the reader's language.
//!
//! The error types say the same in English for logs. What lies below them (the database, a font's parser) has one
//! language; it stands behind what was tried, so that nobody has to understand it to know what failed.

use std::io;
use std::path::Path;

use mngntime_evidence::words::{fault, seal_fault};
use mngntime_model::Language;
use mngntime_store::LogFault;

use super::lettering::FontError;
use super::pack::{CheckError, Contradiction, PackError};
use super::record::RecordError;
use crate::problem::chain;

/// The text of the language.
#[must_use]
pub fn pick(language: Language, japanese: impl Into<String>, english: impl Into<String>) -> String {
    match language {
        Language::Japanese => japanese.into(),
        Language::English => english.into(),
    }
}

/// Causes that people can do something about.
const REASONS: [(io::ErrorKind, &str); 7] = [
    (io::ErrorKind::NotFound, "ファイルまたはフォルダーがありません"),
    (io::ErrorKind::PermissionDenied, "権限がありません"),
    (io::ErrorKind::AlreadyExists, "その間に、同じ名前のファイルができました"),
    (io::ErrorKind::StorageFull, "ディスクの空き容量がありません"),
    (io::ErrorKind::IsADirectory, "フォルダーです"),
    (io::ErrorKind::NotADirectory, "途中にフォルダーでないものがあります"),
    (io::ErrorKind::ReadOnlyFilesystem, "読み取り専用のディスクです"),
];

/// What the operating system says; a cause that has no words here stays as it is.
#[must_use]
pub fn reason(error: &io::Error, language: Language) -> String {
    let japanese = REASONS.into_iter().find(|(kind, _)| *kind == error.kind());
    let japanese = japanese.map_or_else(|| error.to_string(), |(_, words)| words.to_owned());
    // The name was free when it was asked for: what the system calls it helps nobody.
    let english = match error.kind() == io::ErrorKind::AlreadyExists {
        true => "another file has got this name meanwhile".to_owned(),
        false => error.to_string(),
    };
    pick(language, japanese, english)
}

/// Why there is no pack.
#[must_use]
pub fn pack_error(error: &PackError, language: Language) -> String {
    match error {
        PackError::Write { path, source } => written(path, source, language),
        PackError::Record { path, source } => {
            let (path, why) = (path.display(), record_error(source, language));
            pick(
                language,
                format!("{path} の記録を作成できませんでした: {why}"),
                format!("could not write the record of {path}: {why}"),
            )
        }
        PackError::Summary(error) => {
            pick(language, format!("summary.pdf を作成できませんでした: {error}"), error.to_string())
        }
        PackError::Store(_) => {
            pick(language, format!("データベースの操作に失敗しました: {}", chain(error)), chain(error))
        }
        PackError::Gap(fault) => log_fault(fault, language),
        PackError::Contradicts { why, changed_meanwhile, .. } => {
            let why = match why {
                Contradiction::Unreadable(error) => check_error(error, language),
                Contradiction::Fault(found) => fault(found, language),
            };
            let (japanese, english) = if *changed_meanwhile {
                (
                    "作成中に紐付けまたは端末が変更されました。もう一度実行してください。",
                    "a link or a terminal was changed while the pack was made; try again",
                )
            } else {
                COMPARE
            };
            pick(
                language,
                format!("記録が、署名されたものと矛盾しています（{why}）。{japanese}"),
                format!("the record contradicts what was signed ({why}): {english}"),
            )
        }
        PackError::Seal { path, source } => {
            let path = path.display();
            pick(
                language,
                format!("{path} に封印できませんでした: {source}"),
                format!("could not seal {path}: {source}"),
            )
        }
    }
}

/// What to do when the database is not what was signed: in Japanese and English.
pub(crate) const COMPARE: (&str, &str) = (
    "データベースが書き換えられたか壊れています。サーバーを止め、データフォルダーの写しを残してから、バックアップ（mngntime backup --verify で確認）と比べてください。",
    "the database was changed or is damaged: stop the server, keep a copy of its data directory, and compare it with a backup that mngntime backup --verify accepts",
);

/// What is wrong with the log, and what to do about it.
#[must_use]
pub fn log_fault(fault: &LogFault, language: Language) -> String {
    let japanese = match fault {
        LogFault::ChangedEvent { terminal, sequence } => {
            format!("端末 {terminal} の番号{sequence}のイベントが、データベースで変更されています")
        }
        LogFault::ChangedEntry { number } => {
            format!("操作ログの記録{number}が、データベースで変更されています")
        }
        LogFault::MissingLeaf { leaf } => format!("ログの葉{leaf}がデータベースにありません"),
        LogFault::UnplacedEvent { terminal, sequence } => format!(
            "端末 {terminal} の番号{sequence}のイベントは保存されていますが、ログからなくなっています"
        ),
        LogFault::UnplacedEntry { number } => {
            format!("操作ログの記録{number}は保存されていますが、ログからなくなっています")
        }
        LogFault::LostEvent { terminal, sequence } => format!(
            "ログまたは受領証によれば端末 {terminal} の番号{sequence}のイベントを受け取っていますが、なくなっています"
        ),
        LogFault::MissingHead { size } => {
            format!("葉{size}個より後に署名されたログの先頭（head）がなくなっています")
        }
        LogFault::MissingHeads { month, told, there } => {
            format!("{month}のログの先頭（head）は{told}個署名されましたが、{there}個しかありません")
        }
        LogFault::ChangedHead { size } => {
            format!("葉{size}個のログの先頭（head）が、データベースで変更されています")
        }
        LogFault::ChangedRetirement { month } => {
            format!("{month}は保存期間の満了により削除されたことになっていますが、操作ログと一致しません")
        }
        LogFault::ChangedHashes { size } => {
            format!("ログのハッシュが、葉{size}個のときに署名された根と一致しません")
        }
    };
    let (compare, english) = COMPARE;
    pick(language, format!("{japanese}。{compare}"), format!("{fault}: {english}"))
}

/// A file that could not be written.
#[must_use]
pub fn written(path: &Path, source: &io::Error, language: Language) -> String {
    let (path, why) = (path.display(), reason(source, language));
    pick(language, format!("{path} に書き込めませんでした: {why}"), format!("could not write {path}: {why}"))
}

fn record_error(error: &RecordError, language: Language) -> String {
    match error {
        RecordError::NoEmployee(code) => no_employee(code, language),
        RecordError::Dates => pick(language, "この期間は使えません", "the dates cannot be used"),
        RecordError::Key => pick(language, "サーバーの公開鍵を読み取れません", error.to_string()),
        RecordError::Write(source) => reason(source, language),
        RecordError::RetiredMeanwhile => pick(
            language,
            "作成中に、保存期間の満了による削除がありました。もう一度作成してください",
            error.to_string(),
        ),
        RecordError::Event { terminal, sequence, .. } => pick(
            language,
            format!("端末 {terminal} の番号{sequence}のイベントを読み取れません"),
            chain(error),
        ),
        RecordError::Store(_) => {
            pick(language, format!("データベースの操作に失敗しました: {}", chain(error)), chain(error))
        }
        RecordError::Json(_) => pick(
            language,
            format!("保存された記録に読み取れないものがあります: {}", chain(error)),
            chain(error),
        ),
    }
}

/// Nobody has this code.
#[must_use]
pub fn no_employee(code: &str, language: Language) -> String {
    pick(
        language,
        format!("この契約主に社員 {code} はいません"),
        format!("there is no employee {code} in this contract"),
    )
}

/// Why a file was not checked to the end.
#[must_use]
pub fn check_error(error: &CheckError, language: Language) -> String {
    match error {
        CheckError::Seal(fault) => seal_fault(*fault, language).to_owned(),
        CheckError::NoPack => pick(
            language,
            "封印はありますが、証拠ファイルではありません。record.jsonl、summary.pdf、README.txt の3つが必要です。",
            error.to_string(),
        ),
        CheckError::LongLine => pick(language, "記録に4 MiBを超える行があります。", format!("{error}.")),
        CheckError::Record(source) => {
            pick(language, format!("記録を読み取れません: {source}"), format!("{error}: {source}"))
        }
    }
}

/// Why there are no letters for the summary.
#[must_use]
pub fn font_error(error: &FontError, language: Language) -> String {
    let japanese = match error {
        FontError::NoFont => "summary.pdf に使う日本語フォントが見つかりません。インストールするか（Debian: apt install fonts-noto-cjk）、--font で .ttf、.otf、.ttc ファイルを指定してください。".to_owned(),
        FontError::Unreadable { path, source } => {
            format!("フォント {} を読み取れません: {}", path.display(), reason(source, language))
        }
        FontError::Unusable(path) => {
            format!("{} は、埋め込みできる日本語フォントではありません", path.display())
        }
    };
    pick(language, japanese, error.to_string())
}
