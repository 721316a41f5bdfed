//! What `backup` and `restore` say to people, in both languages. The line for programs is not here.

use std::path::Path;

use mngntime_model::Language;

use crate::backup::BackupError;
use crate::backup::restore::RestoreError;
use crate::backup::verify::VerifyError;
use crate::evidence::words::pick;
use crate::server_key;

pub(super) fn keep_it_safe(path: &Path, language: Language) -> String {
    let path = path.display();
    pick(
        language,
        format!(
            "{path} にはサーバーの署名鍵が入っています。読める人は受領証を偽造できます。サーバーの運用者だけが読める、サーバーとは別の機器に保管してください。"
        ),
        format!(
            "{path} holds the server's signing key: whoever can read it can forge receipts. Keep it where only the server's \
             operators can read, and on another machine than the server."
        ),
    )
}

pub(super) fn in_postgresql(data: &Path, language: Language) -> String {
    let (data, key) = (data.display(), data.join(server_key::FILE));
    let key = key.display();
    pick(
        language,
        format!(
            "{data} のデータは PostgreSQL にあります。pg_basebackup か pg_dump でバックアップし、サーバーの鍵 {key} も一緒に保管してください"
        ),
        format!(
            "the data of {data} is in PostgreSQL: back that up with pg_basebackup or pg_dump, and with it the server's \
             key, {key}"
        ),
    )
}

pub(super) fn not_known_version(language: Language) -> String {
    pick(
        language,
        "データベースのバージョンが違うため、このバックアップをサーバーに知らせられません。",
        "The server does not know of this backup: its database is of another version.",
    )
}

pub(super) fn not_known(data: &Path, language: Language) -> String {
    let data = data.display();
    pick(
        language,
        format!(
            "このバックアップをサーバーに知らせられず、状態の画面では前回のバックアップが古いままになります。{data} のデータベースに書き込めません"
        ),
        format!(
            "The server does not know of this backup, and its page of health will call the last one older: could not \
             write to the database in {data}"
        ),
    )
}

pub(super) fn next_steps(data: &Path, made_at: &str, language: Language) -> String {
    let data = data.display();
    pick(
        language,
        format!(
            "次の手順:\n\
             1. 元のサーバーがもう動いていないことを確かめてください。同じ鍵のサーバーが2台あっても区別できません。\n\
             2. サーバー専用のアカウントで動かす場合は、フォルダーを渡してください: chown -R アカウント: {data}\n\
             3. data_dir = \"{data}\" を設定して起動してください: mngntime serve --config ファイル\n\
             4. `mngntime terminal list --data {data}` を確認してください。すべてが {made_at} の時点に戻っています。その後に変えた\
             アカウント、パスワード、紐付け、端末の停止は、もう一度変更が必要です。それより後に受領証を出した記録は、35日間 PC に\
             残っています。\n\
             署名済みのログはここで枝分かれします。各契約の監査ログの次の記録 restored_from_backup が、そのことを示します。"
        ),
        format!(
            "Next:\n\
             1. Make sure that the old server does not run any more: two servers with one key are not told apart.\n\
             2. If the server runs under an account of its own, give it the directory: chown -R ACCOUNT: {data}\n\
             3. Set data_dir = \"{data}\" and start: mngntime serve --config FILE\n\
             4. Look at `mngntime terminal list --data {data}`: everything is as it was at {made_at}. Accounts, passwords, \
             links and blocked terminals changed since then must be changed again. Events whose receipts were given \
             after that are on the PCs for 35 days.\n\
             The signed log forks here; the next entry of each contract's audit log, restored_from_backup, says so."
        ),
    )
}

pub(super) fn exposed(path: &Path, mode: u32, language: Language) -> String {
    let path = path.display();
    pick(
        language,
        format!("{path} の鍵をほかの人も読めます (モード {mode:o})。実行してください: chmod -R go= {path}"),
        format!("the key in {path} can be read by others (mode {mode:o}); run: chmod -R go= {path}"),
    )
}

/// What is put before the English text; `None` where that is the language.
fn japanese(language: Language, text: impl FnOnce() -> String) -> Option<String> {
    match language {
        Language::Japanese => Some(text()),
        Language::English => None,
    }
}

pub(super) fn backup_error(error: &BackupError, language: Language) -> Option<String> {
    japanese(language, || {
        match error {
        BackupError::Exists { path } => format!(
            "{} はすでにあります。バックアップは上書きしません。--out に別の場所を指定してください",
            path.display()
        ),
        BackupError::NoData { path } => format!(
            "{} はサーバーのデータフォルダーではありません。--data にサーバーの data_dir を指定してください",
            path.display()
        ),
        BackupError::Key(_) => "サーバーの鍵をバックアップに入れられませんでした".to_owned(),
        BackupError::Copy(_) | BackupError::File { .. } => {
            "バックアップを中止し、書きかけのものを削除しました".to_owned()
        }
        BackupError::NameNotSynced { path, .. } => format!(
            "バックアップ {} は完全ですが、置き場所のフォルダーをディスクに同期できませんでした。停電のあとに見えないことがあります",
            path.display()
        ),
        BackupError::Contradiction(_) => "データベースが検査に通らず、書いたものを削除しました。書き換えられたか壊れています。サーバーを止め、\
             データフォルダーの写しを保管し、`mngntime backup --verify` に通る最後のバックアップと比べてください"
            .to_owned(),
        BackupError::Wrong(_) => {
            "書いたものが検査に通らず、削除しました。バックアップ先のディスクは正常ですか".to_owned()
        }
    }
    })
}

pub(super) fn restore_error(error: &RestoreError, language: Language) -> Option<String> {
    japanese(language, || match error {
        RestoreError::NotEmpty { path } => format!(
            "{} は空ではありません。復元は何も上書きしません。--data に新しいフォルダーを指定するか、中身を移してください",
            path.display()
        ),
        RestoreError::Backup(_) => "このバックアップは復元できません".to_owned(),
        RestoreError::File { .. } => "復元を中止しました".to_owned(),
        RestoreError::NotNoted { path, .. } => format!(
            "復元を中止しました。{} の監査ログに復元したことを記録できません。記録なしに枝分かれしたログは、改ざんと区別できません",
            path.display()
        ),
        RestoreError::Wrong(_) => {
            "復元したものが検査に通らず、削除しました。データフォルダーのディスクは正常ですか".to_owned()
        }
    })
}

pub(super) fn verify_error(error: &VerifyError, language: Language) -> Option<String> {
    japanese(language, || match error {
        VerifyError::NoBackup { path } => format!(
            "{} はバックアップではありません。`mngntime backup` が表示したフォルダーを指定してください",
            path.display()
        ),
        VerifyError::Foreign { .. } => {
            "バックアップのものではないファイルがあります。誰が置いたか調べてください".to_owned()
        }
        VerifyError::Unreadable { .. } => "バックアップを読み取れませんでした".to_owned(),
        VerifyError::Newer { .. } => {
            "新しいバージョンで作られたバックアップです。作ったバージョンを使ってください".to_owned()
        }
        VerifyError::Altered { .. }
        | VerifyError::Manifest { .. }
        | VerifyError::OtherKey { .. }
        | VerifyError::Database(_)
        | VerifyError::Noted { .. }
        | VerifyError::Counts { .. } => {
            "このバックアップは書いたときのものではありません。別のバックアップを使ってください".to_owned()
        }
    })
}
