//! What people read in the zip, in Japanese and English.

use std::fmt::Write as _;

use mngntime_model::UtcMillis;

use crate::commands::status::rfc3339;
use crate::platform::{ByHand, ExportProblem, WindowsLog};

/// What to do when rights are missing.
pub const AS_ADMINISTRATOR: &str = "run it again as an administrator (Windows: 「管理者として実行」 a command prompt; Linux: sudo) / 管理者として実行してください";

const README: &str = "\
MngnTime サポート用ログ / logs for support
作成 / made: {now}  期間 / since: {since} (UTC)

■ 入っているもの
  versions.txt        エージェントとOSの版、起動時刻、時差
  status.txt          有効な設定とその出所、送信待ちの数(mngntime-agent status と同じ)
  doctor.txt          設定からサーバーとの試験通信までの点検結果(mngntime-agent doctor と同じ)
  fsck.txt            記録の連鎖の検査結果(mngntime-agent fsck と同じ)
  spool-summary.json  送信待ちの種類ごとの数、最後の受領証と生存確認の時刻
  Windows: Application.evtx / .txt  アプリケーションログのうち、ソースが MngnTime のもの
           System.evtx / .txt       システムログのうち、起動・終了・スリープ・時刻変更と、このサービスのもの
           LocaleMetaData           .evtx を他のPCで読むための文言(.evtx と同じフォルダーに置いてください)
  Linux:   journal.txt              識別子 MngnTime の行
           journal-boots.txt        起動の一覧
  problems.txt        取り出せなかったものと、手作業での取り出し方(すべて揃ったときはありません)
■ 入れていないもの
  登録キー、プロキシのパスワード、端末の秘密鍵。他のアプリケーションの記録。
  設定ファイルと記録そのもの(打刻の内容)。
■ ご注意
  イベントログの行には、打刻したWindowsユーザー名、シャットダウンしたユーザー名が含まれます。
■ 読み方
  .txt と .json は UTF-8 です。まず problems.txt、次に doctor.txt の WRONG の行をご覧ください。
  .txt のイベントログはイベントビューアーの出力と同じ列で、時刻はPCの現地時刻です。
  [res=番号] がある打刻失敗はサーバーが答えたもの、ないものはサーバーに届いていないものです。

* What is inside
  versions.txt        versions of agent and OS, time of boot, offset from UTC
  status.txt          configuration in force with its origins, what waits (as mngntime-agent status)
  doctor.txt          every stage from the configuration to a test exchange (as mngntime-agent doctor)
  fsck.txt            whether the chain of records is whole (as mngntime-agent fsck)
  spool-summary.json  what waits, by kind; time of the last receipt and the last sign of life
  Windows: Application.evtx / .txt  of the Application log, the events of the source MngnTime
           System.evtx / .txt       of the System log, starts, ends, sleep, clock changes and this service
           LocaleMetaData           the texts for reading .evtx on another PC; keep it beside the .evtx
  Linux:   journal.txt              the lines of the identifier MngnTime
           journal-boots.txt        the list of boots
  problems.txt        what could not be had and how to get it by hand (absent when nothing is missing)
* What is left out on purpose
  The enrolment key, the proxy's password, the terminal's private key. What other programs logged.
  The configuration file and the records themselves.
* Please note
  Lines of the event log name the accounts that were recorded, and who shut the PC down.
* How to read it
  .txt and .json are UTF-8. Begin with problems.txt, then look for WRONG in doctor.txt.
  The event logs in .txt have the columns of Event Viewer's export; times are the PC's local time.
  A failed punch with [res=number] was answered by the server; one without never reached it.
";

/// README.txt.
pub fn readme(now: UtcMillis, since: UtcMillis) -> String {
    README.replace("{now}", &rfc3339(now.0)).replace("{since}", &rfc3339(since.0))
}

/// problems.txt: each problem, then each way by hand once.
pub fn problems(problems: &[ExportProblem]) -> String {
    let mut text = String::from("取り出せなかったもの / what could not be had\n");
    for problem in problems {
        let _ = write!(text, "\n■ {}\n  {}\n", problem.part, problem.why);
    }
    let mut told: Vec<ByHand> = Vec::new();
    for way in problems.iter().map(|problem| problem.by_hand).filter(|way| *way != ByHand::Nothing) {
        if !told.contains(&way) {
            told.push(way);
            let _ = write!(text, "\n{}\n", by_hand(way));
        }
    }
    text
}

fn by_hand(way: ByHand) -> String {
    match way {
        ByHand::EventViewer(log) => event_viewer(log),
        ByHand::Journalctl => "\
手作業での取り出し方 / by hand (Linux):
  sudo journalctl --no-pager --output=short-iso-precise --identifier=MngnTime > journal.txt
  sudo journalctl --no-pager --list-boots > journal-boots.txt"
            .to_owned(),
        ByHand::Administrator => {
            format!("権限が足りないもの / where rights are missing:\n  {AS_ADMINISTRATOR}")
        }
        ByHand::Doctor => "\
エージェントの状態に関するもの / about the agent itself:
  管理者として mngntime-agent doctor を実行し、表示をお送りください。
  Run mngntime-agent doctor as an administrator and send what it prints."
            .to_owned(),
        ByHand::Nothing => String::new(),
    }
}

/// The steps of the support page.
fn event_viewer(log: WindowsLog) -> String {
    let (japanese, english) = match log {
        WindowsLog::Application => ("アプリケーション", "Application"),
        WindowsLog::System => ("システム", "System"),
    };
    format!(
        "\
[{japanese}] の手作業での取り出し方 / {english} by hand:
  1. [スタート]メニュー-[コントロール パネル]-[システムとメンテナンス]-[管理ツール]-[イベントビューアー]を起動します。
  2. 左側のペインから、[Windowsログ]-[{japanese}]を選択します。
  3. [操作]メニューの [イベントに名前を付けて保存]をクリックします。
  4. [ファイル名]ボックスに、任意のファイル名を入力します。
  5. [ファイルの種類]ボックスで、ファイル形式(*.txt 形式)をクリックし、[保存]をクリックします。
  1. Start Event Viewer (eventvwr.msc).
  2. On the left choose Windows Logs - {english}.
  3. In the menu Action choose Save All Events As.
  4. Give the file a name.
  5. As its type choose Text (*.txt), then Save."
    )
}
