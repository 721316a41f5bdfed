//! Failures in the reader's language: what happened, and what to do. Pure.
//!
//! The line lands in an event log that is exported as delimited text, so nothing here contains a tab or a
//! line break, and nothing needs a comma to be understood. A library's own text stands at the end in
//! parentheses.

use mngntime_model::Language;

use super::trouble::{Certificate, Connect, Given, Kind, Peer, Trouble};

/// The whole text of a failure.
#[must_use]
pub fn text(trouble: &Trouble, language: Language) -> String {
    let said = match language {
        Language::Japanese => japanese(&trouble.kind),
        Language::English => english(&trouble.kind),
    };
    let library = one_line(&trouble.library);
    if library.is_empty() { said } else { format!("{said} ({library})") }
}

/// Several failures of one exchange, the one that matters first.
#[must_use]
pub fn joined(troubles: &[Trouble], language: Language) -> String {
    let texts: Vec<String> = troubles.iter().map(|trouble| text(trouble, language)).collect();
    texts.join(match language {
        Language::Japanese => " 次の経路: ",
        Language::English => " Next route: ",
    })
}

/// Text from outside on one line: controls become blanks.
#[must_use]
pub fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().to_owned()
}

fn japanese(kind: &Kind) -> String {
    match kind {
        Kind::NoServerUrl => "設定 server_url がないか誤っているため送信できません。設定ファイルを確認してください。".to_owned(),
        Kind::Setting(problem) => format!("設定に誤りがあります。{problem}"),
        Kind::NoConnection(peer, how) => japanese_connection(peer, *how),
        Kind::Certificate(reason) => japanese_certificate(reason),
        Kind::Tls => "サーバーとのTLS(暗号化)接続を確立できません。設定 server_url の https とポート番号、途中の機器の通信検査を確認してください。".to_owned(),
        Kind::ProxyLogin { proxy, schemes, given } => japanese_login(proxy, schemes, *given),
        Kind::ProxyRefused { proxy, status } => format!("プロキシ {proxy} がサーバーへの接続を拒否しました(HTTP {status})。プロキシの管理者に、打刻サーバーへの接続の許可を依頼してください。"),
        Kind::ProxySilent { proxy } => format!("プロキシ {proxy} が正しい応答を返さずに切断しました。プロキシのアドレスとポート番号を確認してください。"),
        Kind::NoAnswer => "接続後、制限時間内に応答がありませんでした。混雑または途中の機器が原因の可能性があります。続く場合はネットワークの管理者に連絡してください。".to_owned(),
        Kind::HungUp => "応答の前に接続が切断されました。途中の機器(ファイアウォール、プロキシ)の記録を確認してください。".to_owned(),
        Kind::Cut { bytes, .. } => format!("応答が {bytes} バイトで途切れました。受信できた分は使用しません。続く場合は回線と途中の機器を確認してください。"),
        Kind::TooLong { bytes_max, .. } => format!("予期しない応答: 上限 {bytes_max} バイトを超えています。打刻サーバーの応答ではありません。"),
        Kind::Redirect { host, .. } => format!("予期しない応答: 別のアドレス {host} へ転送されました。ネットワークのログインページの可能性があります。ブラウザーでログインするか、設定 server_url を確認してください。"),
        Kind::Page { content_type, digest, beginning, .. } => format!("予期しない応答: 打刻サーバー以外からの応答です。ログインページまたは遮断ページの可能性があります。ブラウザーで確認してください。種類 {} SHA-256 {digest} 先頭 {beginning}", or_none(content_type, "なし")),
        Kind::NotOurReceipt { .. } => "予期しない応答: この要求に対する打刻サーバーの受領証として確認できません。記録は端末に残ります。".to_owned(),
        Kind::NoProxyFound => "設定 proxy からプロキシを取得できません。スクリプト(PAC)のアドレスまたはプロキシの指定を確認してください。".to_owned(),
        Kind::Other => "通信に失敗しました。".to_owned(),
    }
}

fn japanese_connection(peer: &Peer, how: Connect) -> String {
    let (who, check) = match peer {
        Peer::Server(name) => (format!("サーバー {name}"), "設定 server_url "),
        Peer::Proxy(name) => (format!("プロキシ {name}"), "プロキシの設定"),
    };
    match how {
        Connect::NameUnknown => format!(
            "{who} の名前をDNSで解決できません。{check}の綴りと、この端末のDNS設定を確認してください。"
        ),
        Connect::Refused => format!(
            "{who} に接続を拒否されました。{check}のポート番号と、相手が稼働していることを確認してください。"
        ),
        Connect::TimedOut => format!(
            "{who} から応答がありません(接続の時間切れ)。{check}とファイアウォールを確認してください。"
        ),
        Connect::Unreachable => {
            format!("{who} に接続できません。{check}とネットワークの経路を確認してください。")
        }
    }
}

fn japanese_certificate(reason: &Certificate) -> String {
    match reason {
        Certificate::UnknownAuthority => "サーバー証明書の発行元がこの端末で信頼されていません。社内の認証局の場合は、そのルート証明書をOSに登録するか、設定 ca_file に指定してください。".to_owned(),
        Certificate::Expired { now, not_after } => format!("サーバー証明書の有効期限が切れています。この端末の時計が正しいか確認してください。端末の時刻 {now} 証明書の期限 {}", not_after.as_deref().unwrap_or("不明")),
        Certificate::NotYetValid { now, not_before } => format!("サーバー証明書の有効期間がまだ始まっていません。この端末の時計が正しいか確認してください。端末の時刻 {now} 証明書の開始 {}", not_before.as_deref().unwrap_or("不明")),
        Certificate::WrongName { presented } => format!("サーバー証明書が接続先の名前と一致しません。設定 server_url のサーバー名を確認してください。証明書の名前 {}", or_none(&presented.join(" "), "不明")),
        Certificate::Revoked => "サーバー証明書が失効しています。サーバーの管理者に連絡してください。".to_owned(),
        Certificate::Other => "サーバー証明書を検証できません。サーバーの管理者に連絡してください。".to_owned(),
    }
}

fn japanese_login(proxy: &str, schemes: &[String], given: Given) -> String {
    let offered = schemes_or_none(schemes, "不明");
    let has_basic = schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
    let cure = match given {
        Given::Refused => {
            "この認証情報では認証できませんでした。設定 proxy のユーザー名とパスワード、またはこの端末のコンピューターアカウントの許可を確認してください。"
        }
        Given::Withheld => {
            "このプロキシは管理者が指定したものではないため、この端末のコンピューターアカウントでは認証しません。設定 proxy にこのプロキシを指定してください。"
        }
        Given::Nothing if has_basic => "設定 proxy にユーザー名とパスワードを指定してください。",
        Given::Nothing => {
            "この方式の認証はこの端末では行えません。プロキシの管理者に、打刻サーバーへの認証なしの接続を依頼してください。"
        }
    };
    format!("プロキシ {proxy} が認証を要求しています(HTTP 407)。提示された方式は {offered} です。{cure}")
}

fn english(kind: &Kind) -> String {
    match kind {
        Kind::NoServerUrl => "server_url is missing or wrong and nothing can be sent. Check the configuration file.".to_owned(),
        Kind::Setting(problem) => format!("A setting cannot be used: {problem}"),
        Kind::NoConnection(peer, how) => english_connection(peer, *how),
        Kind::Certificate(reason) => english_certificate(reason),
        Kind::Tls => "No TLS connection with the server comes about. Check the https and the port in server_url and whether a device on the way inspects traffic.".to_owned(),
        Kind::ProxyLogin { proxy, schemes, given } => english_login(proxy, schemes, *given),
        Kind::ProxyRefused { proxy, status } => format!("The proxy {proxy} refuses the way to the server (HTTP {status}). Ask its administrator to allow the server."),
        Kind::ProxySilent { proxy } => format!("The proxy {proxy} hung up without a proper answer. Check its address and port."),
        Kind::NoAnswer => "There was a connection but no answer in time. If it goes on, tell the network's administrator.".to_owned(),
        Kind::HungUp => "The connection was closed before the answer. Look into the logs of firewall and proxy.".to_owned(),
        Kind::Cut { bytes, .. } => format!("The answer broke off after {bytes} bytes and does not count. If it goes on, check the line and the devices on the way."),
        Kind::TooLong { bytes_max, .. } => format!("Unexpected answer: it is longer than {bytes_max} bytes and so not our server's."),
        Kind::Redirect { host, .. } => format!("Unexpected answer: it redirects to {host}. It may be a network's login page. Log in with a browser or check server_url."),
        Kind::Page { content_type, digest, beginning, .. } => format!("Unexpected answer: it is not our server's. It may be a login page or a block page. Look with a browser. Type {} SHA-256 {digest} Beginning {beginning}", or_none(content_type, "none")),
        Kind::NotOurReceipt { .. } => "Unexpected answer: it is not our server's receipt for this request. The records stay on this PC.".to_owned(),
        Kind::NoProxyFound => "The setting proxy leads to no proxy. Check the script's (PAC) address or the proxy named.".to_owned(),
        Kind::Other => "The exchange failed.".to_owned(),
    }
}

fn english_connection(peer: &Peer, how: Connect) -> String {
    let (who, check) = match peer {
        Peer::Server(name) => (format!("server {name}"), "server_url"),
        Peer::Proxy(name) => (format!("proxy {name}"), "the proxy setting"),
    };
    match how {
        Connect::NameUnknown => {
            format!("DNS does not know the {who}. Check the spelling in {check} and this PC's DNS settings.")
        }
        Connect::Refused => {
            format!("The {who} refused the connection. Check the port in {check} and that it is running.")
        }
        Connect::TimedOut => {
            format!("The {who} does not answer (connecting timed out). Check {check} and the firewall.")
        }
        Connect::Unreachable => format!("The {who} cannot be reached. Check {check} and the network route."),
    }
}

fn english_certificate(reason: &Certificate) -> String {
    match reason {
        Certificate::UnknownAuthority => "This PC does not trust the authority of the server's certificate. If it is the company's own, add its root certificate to the OS or name it in ca_file.".to_owned(),
        Certificate::Expired { now, not_after } => format!("The server's certificate has expired. Check this PC's clock. PC's time {now} Certificate ends {}", not_after.as_deref().unwrap_or("unknown")),
        Certificate::NotYetValid { now, not_before } => format!("The server's certificate is not valid yet. Check this PC's clock. PC's time {now} Certificate begins {}", not_before.as_deref().unwrap_or("unknown")),
        Certificate::WrongName { presented } => format!("The server's certificate is for another name. Check the name in server_url. Names in it {}", or_none(&presented.join(" "), "unknown")),
        Certificate::Revoked => "The server's certificate was revoked. Tell the server's administrator.".to_owned(),
        Certificate::Other => "The server's certificate cannot be verified. Tell the server's administrator.".to_owned(),
    }
}

fn english_login(proxy: &str, schemes: &[String], given: Given) -> String {
    let offered = schemes_or_none(schemes, "unknown");
    let has_basic = schemes.iter().any(|scheme| scheme.eq_ignore_ascii_case("basic"));
    let cure = match given {
        Given::Refused => {
            "It did not take our login. Check user name and password in proxy or the rights of this PC's account."
        }
        Given::Withheld => {
            "No administrator named this proxy, so it does not get this PC's account. Name it in proxy."
        }
        Given::Nothing if has_basic => "Give user name and password in proxy.",
        Given::Nothing => {
            "This PC cannot log in that way. Ask the proxy's administrator to let it through to the server without a login."
        }
    };
    format!("The proxy {proxy} wants a login (HTTP 407). It offers {offered}. {cure}")
}

fn schemes_or_none(schemes: &[String], none: &str) -> String {
    or_none(&schemes.join(" "), none).to_owned()
}

fn or_none<'a>(text: &'a str, none: &'a str) -> &'a str {
    if text.is_empty() { none } else { text }
}

#[cfg(test)]
mod tests;
