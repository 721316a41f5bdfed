//! The server's answer to a punch.
//!
//! Numbers and texts are those of the troubleshooting page that customers of the original know
//! (`seed.txt`, メッセージ一覧). The page gives no number for 「接続しました。」; ours is 8, the free one
//! between 7 and 9, so that the rule "`[res=N]` if and only if the server answered with a result" holds
//! for it too.

use crate::Language;

/// What the server decided about a punch. The order of judging is [`PunchResult::ServerFailed`] first,
/// then 5, 6, 8, 7, accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PunchResult {
    /// 打刻完了: counts as a punch of an employee.
    Accepted,
    /// res=5: contract unknown, suspended, or without the logon-punch option.
    ContractUnusable,
    /// res=6: terminal unknown, blocked or wrongly signed.
    TerminalUnusable,
    /// res=7: account not linked to an active employee.
    UserUnusable,
    /// res=8: the terminal's registered make-up has changed; it must be enrolled again.
    ReenrollmentRequired,
    /// res=9: the server failed while handling the punch.
    ServerFailed,
}

/// Who can put a failure right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Nobody has to do anything.
    Nobody,
    /// The HR officer, on the punch-log screen.
    HumanResources,
    /// The IT administrator of the contract.
    ItAdministrator,
    /// Whoever runs the server.
    Operator,
}

impl PunchResult {
    /// Every result, in the order of their numbers.
    pub const ALL: [Self; 6] = [
        Self::Accepted,
        Self::ContractUnusable,
        Self::TerminalUnusable,
        Self::UserUnusable,
        Self::ReenrollmentRequired,
        Self::ServerFailed,
    ];

    /// The `res` number, or `None` for an accepted punch.
    #[must_use]
    pub fn res(self) -> Option<u8> {
        match self {
            Self::Accepted => None,
            Self::ContractUnusable => Some(5),
            Self::TerminalUnusable => Some(6),
            Self::UserUnusable => Some(7),
            Self::ReenrollmentRequired => Some(8),
            Self::ServerFailed => Some(9),
        }
    }

    /// The result with this `res` number; `None` when this program does not know the number.
    #[must_use]
    pub fn from_res(res: Option<u8>) -> Option<Self> {
        Self::ALL.into_iter().find(|result| result.res() == res)
    }

    /// The message, as the event log and the punch-log screen show it.
    #[must_use]
    pub fn message(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Accepted, Language::Japanese) => "打刻完了",
            (Self::Accepted, Language::English) => "Punch accepted",
            (Self::ContractUnusable, Language::Japanese) => "この契約主コードは使えません。",
            (Self::ContractUnusable, Language::English) => "This contract code cannot be used.",
            (Self::TerminalUnusable, Language::Japanese) => "この端末は使えません。",
            (Self::TerminalUnusable, Language::English) => "This terminal cannot be used.",
            (Self::UserUnusable, Language::Japanese) => "このユーザーは使えません。",
            (Self::UserUnusable, Language::English) => "This user cannot be used.",
            (Self::ReenrollmentRequired, Language::Japanese) => "接続しました。",
            (Self::ReenrollmentRequired, Language::English) => "Connected.",
            (Self::ServerFailed, Language::Japanese) => "サーバーエラーです。",
            (Self::ServerFailed, Language::English) => "Server error.",
        }
    }

    /// What the message means, with `server` as the server's display name.
    #[must_use]
    pub fn explanation(self, language: Language, server: &str) -> String {
        match (self, language) {
            (Self::Accepted, Language::Japanese) => "打刻が成功しています。".to_owned(),
            (Self::Accepted, Language::English) => "The punch succeeded.".to_owned(),
            (Self::ContractUnusable, Language::Japanese) => {
                "設定ファイルが間違っています。管理者へお問い合わせください。".to_owned()
            }
            (Self::ContractUnusable, Language::English) => {
                "The configuration file is wrong. Please ask your administrator.".to_owned()
            }
            (Self::TerminalUnusable, Language::Japanese) => {
                "端末が登録されていないか、使用が停止されています。管理者へお問い合わせください。".to_owned()
            }
            (Self::TerminalUnusable, Language::English) => {
                "The terminal is not enrolled or has been blocked. Please ask your administrator.".to_owned()
            }
            (Self::UserUnusable, Language::Japanese) => {
                format!("{server}側でユーザーの利用登録が完了していません。管理者へお問い合わせください。")
            }
            (Self::UserUnusable, Language::English) => {
                format!("The user is not registered with {server} yet. Please ask your administrator.")
            }
            (Self::ReenrollmentRequired, Language::Japanese) => {
                "端末の構成を変更したなどにより発生することが考えられます。端末を登録し直してください。"
                    .to_owned()
            }
            (Self::ReenrollmentRequired, Language::English) => {
                "The make-up of the terminal has changed. Enrol the terminal again.".to_owned()
            }
            (Self::ServerFailed, Language::Japanese) => {
                format!("{server}サーバー側でエラーが発生しました。自動的に再送されます。")
            }
            (Self::ServerFailed, Language::English) => {
                format!("An error occurred on the {server} server. The punch is sent again by itself.")
            }
        }
    }

    /// Who puts it right.
    #[must_use]
    pub fn actor(self) -> Actor {
        match self {
            Self::Accepted => Actor::Nobody,
            Self::ContractUnusable | Self::TerminalUnusable | Self::ReenrollmentRequired => {
                Actor::ItAdministrator
            }
            Self::UserUnusable => Actor::HumanResources,
            Self::ServerFailed => Actor::Operator,
        }
    }

    /// Whether the agent may drop the punch from its spool once it holds a valid receipt with this
    /// result. Everything else is kept and sent again (spec: The agent, 7).
    #[must_use]
    pub fn releases_spool(self) -> bool {
        match self {
            Self::Accepted | Self::UserUnusable => true,
            Self::ContractUnusable
            | Self::TerminalUnusable
            | Self::ReenrollmentRequired
            | Self::ServerFailed => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_the_seeds() {
        let seed = [
            (PunchResult::ContractUnusable, 5, "この契約主コードは使えません。"),
            (PunchResult::TerminalUnusable, 6, "この端末は使えません。"),
            (PunchResult::UserUnusable, 7, "このユーザーは使えません。"),
            (PunchResult::ServerFailed, 9, "サーバーエラーです。"),
        ];
        for (result, number, text) in seed {
            assert_eq!(result.res(), Some(number));
            assert_eq!(result.message(Language::Japanese), text);
        }
        assert_eq!(PunchResult::ReenrollmentRequired.message(Language::Japanese), "接続しました。");
        assert_eq!(PunchResult::Accepted.message(Language::Japanese), "打刻完了");
    }

    #[test]
    fn numbers_come_back_and_unknown_ones_do_not() {
        for result in PunchResult::ALL {
            assert_eq!(PunchResult::from_res(result.res()), Some(result));
        }
        assert_eq!(PunchResult::from_res(Some(1)), None);
        assert_eq!(PunchResult::from_res(Some(255)), None);
    }

    #[test]
    fn only_accepted_and_unlinked_punches_leave_the_spool() {
        let leaving: Vec<_> = PunchResult::ALL.into_iter().filter(|r| r.releases_spool()).collect();
        assert_eq!(leaving, [PunchResult::Accepted, PunchResult::UserUnusable]);
    }
}
