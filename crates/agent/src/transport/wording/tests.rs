//! Every failure says, in both languages, what happened and what to do.

use super::*;

fn both(kind: Kind) -> (String, String) {
    let trouble = Trouble::new(kind);
    (text(&trouble, Language::Japanese), text(&trouble, Language::English))
}

/// Both texts hold all of `words`; the Japanese one also holds `japanese`, the English one `english`.
fn check(kind: Kind, words: &[&str], japanese: &str, english: &str) {
    let (ja, en) = both(kind);
    for word in words {
        assert!(ja.contains(word) && en.contains(word), "{word}: {ja} / {en}");
    }
    assert!(ja.contains(japanese), "{ja}");
    assert!(en.contains(english), "{en}");
    for said in [ja, en] {
        assert!(!said.contains(['\t', '\n', '\r']), "one field of an exported log: {said}");
    }
}

fn server() -> Peer {
    Peer::Server("time.example:443".into())
}

fn proxy() -> Peer {
    Peer::Proxy("proxy.example:8080".into())
}

#[test]
fn connections() {
    let words = ["time.example:443", "server_url", "DNS"];
    check(Kind::NoConnection(server(), Connect::NameUnknown), &words, "解決できません", "does not know");
    let words = ["time.example:443", "server_url"];
    check(Kind::NoConnection(server(), Connect::Refused), &words, "拒否", "refused");
    check(Kind::NoConnection(server(), Connect::TimedOut), &words, "時間切れ", "timed out");
    check(Kind::NoConnection(server(), Connect::Unreachable), &words, "経路", "route");
    for how in [Connect::NameUnknown, Connect::Refused, Connect::TimedOut, Connect::Unreachable] {
        check(
            Kind::NoConnection(proxy(), how),
            &["proxy.example:8080"],
            "プロキシの設定",
            "the proxy setting",
        );
    }
}

#[test]
fn certificates() {
    check(Kind::Certificate(Certificate::UnknownAuthority), &["ca_file"], "ルート証明書", "root certificate");
    let expired = Certificate::Expired { now: "2028-01-02".into(), not_after: Some("2027-01-02".into()) };
    check(Kind::Certificate(expired), &["2028-01-02", "2027-01-02"], "時計", "clock");
    let expired = Certificate::Expired { now: "2028-01-02".into(), not_after: None };
    check(Kind::Certificate(expired), &["2028-01-02"], "不明", "unknown");
    let early = Certificate::NotYetValid { now: "2020-01-02".into(), not_before: Some("2027-01-02".into()) };
    check(Kind::Certificate(early), &["2020-01-02", "2027-01-02"], "時計", "clock");
    let other = Certificate::WrongName { presented: vec!["other.example".into()] };
    check(Kind::Certificate(other), &["other.example", "server_url"], "一致しません", "another name");
    check(Kind::Certificate(Certificate::Revoked), &[], "失効", "revoked");
    check(Kind::Certificate(Certificate::Other), &[], "検証できません", "cannot be verified");
    check(Kind::Tls, &["TLS", "server_url"], "通信検査", "inspects");
}

#[test]
fn proxies() {
    let login = |schemes: &[&str], given| Kind::ProxyLogin {
        proxy: "proxy.example:8080".into(),
        schemes: schemes.iter().map(ToString::to_string).collect(),
        given,
    };
    let words = ["407", "proxy.example:8080", "Negotiate NTLM"];
    check(login(&["Negotiate", "NTLM"], Given::Nothing), &words, "管理者", "administrator");
    check(
        login(&["Negotiate", "NTLM"], Given::Withheld),
        &words,
        "設定 proxy にこのプロキシ",
        "Name it in proxy",
    );
    check(
        login(&["Basic"], Given::Nothing),
        &["407", "Basic"],
        "ユーザー名とパスワードを指定",
        "Give user name",
    );
    check(login(&["Basic"], Given::Refused), &["407", "Basic"], "認証できませんでした", "did not take");
    check(login(&[], Given::Nothing), &["407"], "不明", "unknown");
    let refused = Kind::ProxyRefused { proxy: "proxy.example:8080".into(), status: 403 };
    check(refused, &["403", "proxy.example:8080"], "許可", "allow");
    check(Kind::ProxySilent { proxy: "p:1".into() }, &["p:1"], "切断", "hung up");
}

#[test]
fn answers() {
    check(Kind::NoAnswer, &[], "応答がありません", "no answer");
    check(Kind::HungUp, &[], "切断", "closed");
    check(Kind::Cut { status: 200, bytes: 5 }, &["5"], "途切れ", "broke off");
    check(Kind::TooLong { status: 200, bytes_max: 9 }, &["9"], "予期しない応答", "Unexpected answer");
    let redirect = Kind::Redirect { status: 302, host: "login.example".into() };
    check(redirect, &["login.example"], "予期しない応答", "Unexpected answer");
    let page = Kind::Page {
        status: 200,
        content_type: "text/html".into(),
        digest: "0123456789ab".into(),
        beginning: "<html>Welcome".into(),
    };
    check(page, &["text/html", "0123456789ab", "<html>Welcome"], "予期しない応答", "Unexpected answer");
    check(Kind::NotOurReceipt { status: 200 }, &[], "予期しない応答", "Unexpected answer");
    check(Kind::NoServerUrl, &["server_url"], "設定ファイル", "configuration file");
    check(Kind::Setting("ca_file x".into()), &["ca_file x"], "設定", "setting");
    check(Kind::NoProxyFound, &["PAC", "proxy"], "取得できません", "no proxy");
    check(Kind::Other, &[], "失敗", "failed");
}

#[test]
fn a_librarys_text_stands_at_the_end_on_the_same_line() {
    let trouble = Trouble::with(Kind::NoAnswer, "timeout:\tglobal\n");
    assert!(text(&trouble, Language::Japanese).ends_with(" (timeout: global)"));
}

#[test]
fn several_routes_are_told_in_their_order() {
    let troubles = [
        Trouble::new(Kind::NoConnection(proxy(), Connect::TimedOut)),
        Trouble::new(Kind::NoConnection(server(), Connect::Refused)),
    ];
    let said = joined(&troubles, Language::Japanese);
    assert!(said.find("proxy.example").unwrap() < said.find("time.example").unwrap(), "{said}");
    assert!(said.contains("次の経路"), "{said}");
}
