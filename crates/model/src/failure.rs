//! Why a punch could not be completed, as the event log words it (`seed.txt`, メッセージ一覧).

use crate::{Language, PunchResult};

/// Cause of a failed attempt to punch. Two failures of the same punch with equal causes are "the same
/// reason" for the event log: the second one writes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureCause {
    /// The server answered with a result. Never [`PunchResult::Accepted`].
    Result(PunchResult),
    /// A well-formed answer with a result number this program does not know.
    UnknownResult(u8),
    /// Our server answered with an HTTP error and no result.
    ServerInternal {
        /// The HTTP status code.
        http_status: u16,
    },
    /// No usable network interface.
    NotConnected,
    /// A local network, but no way to the internet.
    LocalNetworkOnly,
    /// Anything else between here and the server.
    Network {
        /// HTTP status code, when something answered HTTP.
        http_status: Option<u16>,
        /// What happened, in one line, without personal data.
        detail: String,
    },
}

impl FailureCause {
    /// The `N` of `[res=N]`: present if and only if the server answered with a result.
    #[must_use]
    pub fn res(&self) -> Option<u8> {
        match self {
            Self::Result(result) => result.res(),
            Self::UnknownResult(number) => Some(*number),
            Self::ServerInternal { .. }
            | Self::NotConnected
            | Self::LocalNetworkOnly
            | Self::Network { .. } => None,
        }
    }

    /// Whether another failure counts as the same reason. The detail of a network error may differ from
    /// try to try (a port number, a duration) without being news.
    #[must_use]
    pub fn same_reason(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Network { http_status: a, .. }, Self::Network { http_status: b, .. }) => a == b,
            _ => self == other,
        }
    }

    /// The text after `打刻失敗`, with `server` as the server's display name.
    #[must_use]
    pub fn text(&self, language: Language, server: &str) -> String {
        match self {
            Self::Result(result) => {
                format!("{} {}", result.message(language), result.explanation(language, server))
            }
            Self::UnknownResult(_) => unknown_result(language).to_owned(),
            Self::ServerInternal { http_status } => server_internal(language, server, *http_status),
            Self::NotConnected => not_connected(language).to_owned(),
            Self::LocalNetworkOnly => local_network_only(language).to_owned(),
            Self::Network { http_status, detail } => network(language, *http_status, detail),
        }
    }
}

fn unknown_result(language: Language) -> &'static str {
    match language {
        Language::Japanese => "ステータスが不正です。",
        Language::English => "The status is invalid.",
    }
}

fn server_internal(language: Language, server: &str, http_status: u16) -> String {
    match language {
        Language::Japanese => format!("{server}サーバー内部エラーです。HTTPステータスコード:{http_status}"),
        Language::English => {
            format!("Internal error of the {server} server. HTTP status code: {http_status}")
        }
    }
}

fn not_connected(language: Language) -> &'static str {
    match language {
        Language::Japanese => {
            "端末がネットワークに接続されていません。LANケーブルが抜けていないか、Wi-FiがOFFになっていないか確認してください。打刻処理は実行されていません。"
        }
        Language::English => {
            "The terminal is not connected to a network. Check that the LAN cable is plugged in and that Wi-Fi is on. The punch has not been executed."
        }
    }
}

fn local_network_only(language: Language) -> &'static str {
    match language {
        Language::Japanese => {
            "端末がローカルネットワークに接続されていますが、インターネットには接続されていません。ネットワークの経路状況を確認してください。"
        }
        Language::English => {
            "The terminal is connected to a local network but not to the internet. Check the network route."
        }
    }
}

fn network(language: Language, http_status: Option<u16>, detail: &str) -> String {
    let status = http_status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    match language {
        Language::Japanese => {
            format!("ネットワークエラーです。HTTPステータスコード:{status} エラー詳細: {detail}")
        }
        Language::English => format!("Network error. HTTP status code: {status} Details: {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network_error(http_status: Option<u16>, detail: &str) -> FailureCause {
        FailureCause::Network { http_status, detail: detail.into() }
    }

    #[test]
    fn res_is_there_exactly_when_the_server_answered_with_a_result() {
        assert_eq!(FailureCause::Result(PunchResult::UserUnusable).res(), Some(7));
        assert_eq!(FailureCause::UnknownResult(42).res(), Some(42));
        assert_eq!(FailureCause::ServerInternal { http_status: 500 }.res(), None);
        assert_eq!(FailureCause::NotConnected.res(), None);
        assert_eq!(network_error(Some(502), "x").res(), None);
    }

    #[test]
    fn a_changed_detail_is_no_new_reason_but_a_changed_status_is() {
        assert!(network_error(None, "after 3 s").same_reason(&network_error(None, "after 4 s")));
        assert!(!network_error(Some(502), "x").same_reason(&network_error(Some(503), "x")));
        assert!(!FailureCause::NotConnected.same_reason(&FailureCause::LocalNetworkOnly));
    }

    #[test]
    fn texts_are_the_seeds() {
        let text = |cause: FailureCause| cause.text(Language::Japanese, "MINAGINE");
        assert_eq!(
            text(FailureCause::ServerInternal { http_status: 500 }),
            "MINAGINEサーバー内部エラーです。HTTPステータスコード:500"
        );
        assert_eq!(
            text(network_error(Some(407), "proxy")),
            "ネットワークエラーです。HTTPステータスコード:407 エラー詳細: proxy"
        );
        assert!(text(FailureCause::NotConnected).ends_with("打刻処理は実行されていません。"));
        assert!(
            text(FailureCause::Result(PunchResult::UserUnusable))
                .starts_with("このユーザーは使えません。 MINAGINE側で")
        );
    }
}
