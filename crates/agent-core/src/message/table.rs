//! Every line: name, number, level, Japanese, English.
//!
//! Texts hold no tab and no line break: event logs are exported as delimited text (Windows documentation:
//! Event Logging, Logging Guidelines). A `%` is always the beginning of an insert.

use mngntime_model::Language;

use crate::command::NoticeLevel::{self, Error, Information, Warning};

/// What one line is made of.
struct Row {
    number: u16,
    level: NoticeLevel,
    japanese: &'static str,
    english: &'static str,
}

/// Makes the ids and their table in one order, so that they cannot disagree.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $level:ident, $japanese:literal, $english:literal;)*) => {
        /// Which line of the event log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum MessageId { $($(#[$doc])* $name,)* }

        impl MessageId {
            /// Every line, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            fn row(self) -> Row {
                match self {
                    $(Self::$name => Row {
                        number: $number,
                        level: $level,
                        japanese: $japanese,
                        english: $english,
                    },)*
                }
            }
        }
    };
}

messages! {
    /// The agent watches.
    MonitoringStarted = 100, Information,
        "LOGON/LOGOFF監視を開始しました。",
        "LOGON/LOGOFF monitoring has started.";
    /// At start, nobody was logged on.
    NobodyLoggedOn = 101, Information,
        "LOGON[-]:現在ログオン中のユーザーはいません。",
        "LOGON[-]:No user is logged on.";
    /// A punch went through.
    PunchCompleted = 102, Information,
        "%2:打刻完了",
        "%2:Punch completed";
    /// A punch went through after it had waited.
    PunchCompletedAfterResend = 103, Information,
        "%2:打刻完了 (再送しました。)",
        "%2:Punch completed (it was sent again.)";
    /// The terminal is enrolled.
    Enrolled = 104, Information,
        "端末を%2に登録しました。",
        "The terminal has been enrolled with %2.";
    /// The disk takes records again.
    CanStoreAgain = 105, Information,
        "記録をディスクに保存できるようになりました。",
        "Records can be written to disk again.";
    /// Lines that were kept back because there were too many of one kind.
    Repeated = 106, Information,
        "イベントID %2 と同じ内容のイベントが、この%4分間にほかに%3件ありました。記録は失われていません。",
        "%3 more events like event ID %2 occurred within the last %4 minutes. No record is lost.";

    /// The OS's session list cannot be read.
    NoSessionList = 200, Warning,
        "ログオン中のユーザーの一覧を取得できません。再試行します。詳細: %2",
        "The list of sessions cannot be read. Trying again. Details: %2";
    /// The service's registration was not as it should be and has been mended.
    RegistrationRepaired = 201, Warning,
        "サービス MngnTimeCliSvc の登録を修復しました: %2",
        "Repaired the registration of the service MngnTimeCliSvc: %2";
    /// A receipt could not be noted; its events are sent again, without effect.
    ReceiptNotKept = 202, Warning,
        "受領証をディスクに保存できません。同じ打刻を再送しますが、二重には登録されません。詳細: %2",
        "A receipt cannot be written to disk. The same punches are sent again and are not registered twice. Details: %2";
    /// How far the OS's logs are read could not be noted; they are read again, without effect.
    LogPositionNotKept = 203, Warning,
        "Windowsのイベントログをどこまで読んだかを保存できません。次回の起動時にもう一度読みますが、二重には記録されません。詳細: %2",
        "How far the Windows event logs have been read cannot be saved. They are read again at the next start and nothing is recorded twice. Details: %2";
    /// The service's registration is not as it should be and could not be mended.
    RegistrationNotRepaired = 204, Warning,
        "サービス MngnTimeCliSvc の登録に修復できない箇所があります。管理者として MngnTimeCliSvc.exe install を実行してください。詳細: %2",
        "The registration of the service MngnTimeCliSvc could not be repaired. Run MngnTimeCliSvc.exe install as administrator. Details: %2";
    /// A new key is kept in a lesser place than this PC might offer.
    KeyStoreUnavailable = 205, Warning,
        "端末の鍵を、より安全な保管場所に作成できませんでした。記録と送信は続きます。詳細: %2",
        "The terminal's key could not be made in a safer place. Recording and sending go on. Details: %2";

    /// The server has numbers that this PC does not remember having used.
    RolledBack = 206, Warning,
        "この端末の記録が過去の状態に戻されています。サーバーにある記録番号%2から%3をこの端末は知りません。記録は失われていません。続きは新しい番号で記録し、送信されます。",
        "The records of this PC have gone back to an earlier state: it does not know the records %2 to %3 that the server has. No record is lost. Recording goes on under new numbers and is sent.";
    /// The server lost what it had acknowledged; it is sent again.
    ServerMissesRecords = 207, Warning,
        "受領済みの記録%2件がサーバーにありません。この端末に残っている記録を再送します。二重には登録されません。",
        "The server does not have %2 records that it had acknowledged. They are sent again from this PC and are not registered twice.";
    /// The server misses numbers that are not here either.
    RecordsNotHeld = 208, Warning,
        "サーバーにない記録番号%2から%3は、この端末にも残っていません。欠落として記録しました。",
        "The server does not have the records %2 to %3, and neither does this PC. They are declared as a gap.";

    /// A punch: res=5.
    PunchContractUnusable = 305, Error,
        "%2:打刻失敗 [res=5] この契約主コードは使えません。 設定ファイルが間違っています。管理者へお問い合わせください。",
        "%2:Punch failed [res=5] This contract code cannot be used. The configuration file is wrong. Please ask your administrator.";
    /// A punch: res=6.
    PunchTerminalUnusable = 306, Error,
        "%2:打刻失敗 [res=6] この端末は使えません。 端末が登録されていないか、使用が停止されています。管理者へお問い合わせください。",
        "%2:Punch failed [res=6] This terminal cannot be used. The terminal is not enrolled or has been blocked. Please ask your administrator.";
    /// A punch: res=7.
    PunchUserUnusable = 307, Error,
        "%2:打刻失敗 [res=7] このユーザーは使えません。 %3側でユーザーの利用登録が完了していません。管理者へお問い合わせください。",
        "%2:Punch failed [res=7] This user cannot be used. The user is not registered with %3 yet. Please ask your administrator.";
    /// A punch: 接続しました。
    PunchReenrollmentRequired = 308, Error,
        "%2:打刻失敗 [res=8] 接続しました。 端末の構成を変更したなどにより発生することが考えられます。端末を登録し直してください。",
        "%2:Punch failed [res=8] Connected. The make-up of the terminal has changed. Enrol the terminal again.";
    /// A punch: res=9.
    PunchServerFailed = 309, Error,
        "%2:打刻失敗 [res=9] サーバーエラーです。 %3サーバー側でエラーが発生しました。自動的に再送されます。",
        "%2:Punch failed [res=9] Server error. An error occurred on the %3 server. The punch is sent again by itself.";
    /// A punch: a result this version does not know.
    PunchUnknownResult = 310, Error,
        "%2:打刻失敗 [res=%3] ステータスが不正です。",
        "%2:Punch failed [res=%3] The status is invalid.";
    /// A punch: our server answered with an HTTP error.
    PunchServerInternal = 311, Error,
        "%2:打刻失敗 %3サーバー内部エラーです。HTTPステータスコード:%4",
        "%2:Punch failed Internal error of the %3 server. HTTP status code: %4";
    /// A punch: no network interface.
    PunchNotConnected = 312, Error,
        "%2:打刻失敗 端末がネットワークに接続されていません。LANケーブルが抜けていないか、Wi-FiがOFFになっていないか確認してください。打刻処理は実行されていません。",
        "%2:Punch failed The terminal is not connected to a network. Check that the LAN cable is plugged in and that Wi-Fi is on. The punch has not been executed.";
    /// A punch: a local network only.
    PunchLocalNetworkOnly = 313, Error,
        "%2:打刻失敗 端末がローカルネットワークに接続されていますが、インターネットには接続されていません。ネットワークの経路状況を確認してください。",
        "%2:Punch failed The terminal is connected to a local network but not to the internet. Check the network route.";
    /// A punch: anything else between here and the server.
    PunchNetworkError = 314, Error,
        "%2:打刻失敗 ネットワークエラーです。HTTPステータスコード:%3 エラー詳細: %4",
        "%2:Punch failed Network error. HTTP status code: %3 Details: %4";

    /// Enrolment: res=5.
    EnrollContractUnusable = 325, Error,
        "端末を登録できません。[res=5] この契約主コードは使えません。 設定ファイルが間違っています。管理者へお問い合わせください。",
        "The terminal cannot be enrolled. [res=5] This contract code cannot be used. The configuration file is wrong. Please ask your administrator.";
    /// Enrolment: res=6.
    EnrollTerminalUnusable = 326, Error,
        "端末を登録できません。[res=6] この端末は使えません。 端末が登録されていないか、使用が停止されています。管理者へお問い合わせください。",
        "The terminal cannot be enrolled. [res=6] This terminal cannot be used. The terminal is not enrolled or has been blocked. Please ask your administrator.";
    /// Enrolment: res=7.
    EnrollUserUnusable = 327, Error,
        "端末を登録できません。[res=7] このユーザーは使えません。 %2側でユーザーの利用登録が完了していません。管理者へお問い合わせください。",
        "The terminal cannot be enrolled. [res=7] This user cannot be used. The user is not registered with %2 yet. Please ask your administrator.";
    /// Enrolment: 接続しました。
    EnrollReenrollmentRequired = 328, Error,
        "端末を登録できません。[res=8] 接続しました。 端末の構成を変更したなどにより発生することが考えられます。端末を登録し直してください。",
        "The terminal cannot be enrolled. [res=8] Connected. The make-up of the terminal has changed. Enrol the terminal again.";
    /// Enrolment: res=9.
    EnrollServerFailed = 329, Error,
        "端末を登録できません。[res=9] サーバーエラーです。 %2サーバー側でエラーが発生しました。自動的に再送されます。",
        "The terminal cannot be enrolled. [res=9] Server error. An error occurred on the %2 server. The punch is sent again by itself.";
    /// Enrolment: a result this version does not know.
    EnrollUnknownResult = 330, Error,
        "端末を登録できません。[res=%2] ステータスが不正です。",
        "The terminal cannot be enrolled. [res=%2] The status is invalid.";
    /// Enrolment: our server answered with an HTTP error.
    EnrollServerInternal = 331, Error,
        "端末を登録できません。%2サーバー内部エラーです。HTTPステータスコード:%3",
        "The terminal cannot be enrolled. Internal error of the %2 server. HTTP status code: %3";
    /// Enrolment: no network interface.
    EnrollNotConnected = 332, Error,
        "端末を登録できません。端末がネットワークに接続されていません。LANケーブルが抜けていないか、Wi-FiがOFFになっていないか確認してください。打刻処理は実行されていません。",
        "The terminal cannot be enrolled. The terminal is not connected to a network. Check that the LAN cable is plugged in and that Wi-Fi is on. The punch has not been executed.";
    /// Enrolment: a local network only.
    EnrollLocalNetworkOnly = 333, Error,
        "端末を登録できません。端末がローカルネットワークに接続されていますが、インターネットには接続されていません。ネットワークの経路状況を確認してください。",
        "The terminal cannot be enrolled. The terminal is connected to a local network but not to the internet. Check the network route.";
    /// Enrolment: anything else between here and the server.
    EnrollNetworkError = 334, Error,
        "端末を登録できません。ネットワークエラーです。HTTPステータスコード:%2 エラー詳細: %3",
        "The terminal cannot be enrolled. Network error. HTTP status code: %2 Details: %3";
    /// Enrolment: res=6, no such key.
    EnrollKeyUnknown = 335, Error,
        "端末を登録できません。[res=6] この端末は使えません。 登録キーが違います。設定の enrollment_key を、画面「端末」の「登録キー」で発行したキーと比べてください。",
        "The terminal cannot be enrolled. [res=6] This terminal cannot be used. The enrolment key is wrong. Compare enrollment_key in the configuration with the key made on the page Terminals, Enrolment keys.";
    /// Enrolment: res=6, the key's time is over.
    EnrollKeyExpired = 336, Error,
        "端末を登録できません。[res=6] この端末は使えません。 登録キーの有効期限が切れています。画面「端末」の「登録キー」で新しいキーを発行し、設定の enrollment_key に入れてください。",
        "The terminal cannot be enrolled. [res=6] This terminal cannot be used. The enrolment key has expired. Make a new one on the page Terminals, Enrolment keys, and put it into enrollment_key of the configuration.";
    /// Enrolment: res=6, the key has been used for all its PCs.
    EnrollKeyUsedUp = 337, Error,
        "端末を登録できません。[res=6] この端末は使えません。 登録キーは、決められた台数まで使用済みです。画面「端末」の「登録キー」で新しいキーを発行し、設定の enrollment_key に入れてください。",
        "The terminal cannot be enrolled. [res=6] This terminal cannot be used. The enrolment key has been used for as many PCs as it was made for. Make a new one on the page Terminals, Enrolment keys, and put it into enrollment_key of the configuration.";
    /// Enrolment: res=6, the key has been revoked.
    EnrollKeyRevoked = 338, Error,
        "端末を登録できません。[res=6] この端末は使えません。 登録キーは管理者が失効させています。画面「端末」の「登録キー」で有効なキーを確認し、設定の enrollment_key に入れてください。",
        "The terminal cannot be enrolled. [res=6] This terminal cannot be used. An administrator has revoked the enrolment key. Look for a valid one on the page Terminals, Enrolment keys, and put it into enrollment_key of the configuration.";
    /// Enrolment: res=6, this terminal is blocked or retired.
    EnrollTerminalBlocked = 339, Error,
        "端末を登録できません。[res=6] この端末は使えません。 この端末は停止または廃止されています。画面「端末」でこのPCを開き、使用を再開してください。",
        "The terminal cannot be enrolled. [res=6] This terminal cannot be used. This terminal is blocked or retired. Open this PC on the page Terminals and let it be used again.";

    /// The disk does not take records.
    CannotStore = 340, Error,
        "記録をディスクに保存できません。空き容量とフォルダーの権限を確認してください。保存できるまで記録はメモリに保持されます。詳細: %2",
        "Records cannot be written to disk. Check free space and folder permissions. They are kept in memory until they can. Details: %2";
    /// Records are missing.
    RecordsLost = 341, Error,
        "記録番号%2から%3を読み出せません。欠落として記録しました。",
        "Records %2 to %3 cannot be read. They are declared as a gap.";
    /// The disk does not give records back; recording and sending go on without them.
    RecordsNotRead = 342, Error,
        "記録のファイルを読み出せません。ディスクの状態を確認してください。ほかの記録の保存と送信は続きます。詳細: %2",
        "A file of records cannot be read. Check the disk. The other records are kept and sent. Details: %2";
    /// One key of the configuration is wrong.
    ConfigurationWrong = 350, Error,
        "設定に誤りがあります。%2",
        "The configuration is wrong. %2";
    /// The terminal's key cannot be read or made.
    KeyUnusable = 351, Error,
        "端末の鍵を使用できません。記録は保存されていますが、鍵を使用できるようになるまで送信されません。詳細: %2",
        "The terminal's key cannot be used. Records are kept and not sent until it can. Details: %2";
    /// The key that the terminal was enrolled with is not here any more.
    KeyMissing = 352, Error,
        "端末の鍵が見つかりません。登録時の device.key を戻すか、enroll を実行して新しい端末として登録してください。記録は保存されていますが、それまで送信されません。詳細: %2",
        "The terminal's key is missing. Restore the device.key of its enrolment, or run enroll, which makes this PC a new terminal. Records are kept and not sent until then. Details: %2";
    /// The service cannot run.
    ServiceFailed = 360, Error,
        "MngnTimeCliSvcを実行できません。原因を取り除くまで自動的に再起動を繰り返します。詳細: %2",
        "MngnTimeCliSvc cannot run. It is started again by itself until the cause is gone. Details: %2";
}

impl MessageId {
    /// The event id, 100 to 399. Never changes.
    #[must_use]
    pub fn number(self) -> u16 {
        self.row().number
    }

    /// Information, warning or error.
    #[must_use]
    pub fn level(self) -> NoticeLevel {
        self.row().level
    }

    /// The text with `%2`, `%3` … where the inserts go.
    #[must_use]
    pub fn template(self, language: Language) -> &'static str {
        match language {
            Language::Japanese => self.row().japanese,
            Language::English => self.row().english,
        }
    }
}
