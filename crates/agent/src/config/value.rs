//! The value of one key: what its source holds, and what it must be.

use std::path::PathBuf;

use ureq::http::Uri;

use super::problem::Reason;
use crate::transport::is_loopback;

/// A value as its source holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Raw {
    /// A text (TOML string, `REG_SZ`).
    Text(String),
    /// A number (TOML integer, `REG_DWORD`).
    Number(i64),
    /// Yes or no (TOML boolean, `REG_DWORD` 0 or 1 of a key that is one).
    Boolean(bool),
    /// Something that no key takes, in words.
    Other(String),
}

impl Raw {
    /// What TOML holds.
    pub(super) fn from_toml(value: &toml::Value) -> Self {
        if let Some(text) = value.as_str() {
            Self::Text(text.to_owned())
        } else if let Some(number) = value.as_integer() {
            Self::Number(number)
        } else if let Some(yes) = value.as_bool() {
            Self::Boolean(yes)
        } else {
            Self::Other(value.to_string())
        }
    }

    /// The value for people, texts in quotes.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Number(number) => number.to_string(),
            Self::Boolean(yes) => yes.to_string(),
            Self::Other(words) => words.clone(),
        }
    }

    /// The text, or what it should have been.
    pub(super) fn text(&self) -> Result<&str, Reason> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Number(_) | Self::Boolean(_) | Self::Other(_) => Err(Reason::new(
                "引用符で囲んだ文字列で指定してください(レジストリではREG_SZ)。",
                "it must be a text, in quotes (in the registry REG_SZ)",
            )),
        }
    }

    /// Yes or no, or what it should have been.
    pub(super) fn boolean(&self) -> Result<bool, Reason> {
        match self {
            Self::Boolean(yes) => Ok(*yes),
            Self::Text(_) | Self::Number(_) | Self::Other(_) => Err(Reason::new(
                "引用符なしのtrueまたはfalseで指定してください(レジストリではREG_DWORDの1または0)。",
                "it must be true or false, without quotes (in the registry REG_DWORD 1 or 0)",
            )),
        }
    }

    /// Seconds, or what they should have been.
    pub(super) fn seconds(&self) -> Result<u32, Reason> {
        let number = if let Self::Number(number) = self { u32::try_from(*number).ok() } else { None };
        number.filter(|seconds| (1..=3600).contains(seconds)).ok_or_else(|| {
            Reason::new(
                "引用符なしの1から3600までの秒数で指定してください(レジストリではREG_DWORD)。",
                "it must be a number of seconds from 1 to 3600, without quotes (in the registry REG_DWORD)",
            )
        })
    }
}

pub(super) fn non_empty(text: &str) -> Result<&str, Reason> {
    if text.trim().is_empty() {
        Err(Reason::new("値が空です。", "it must not be empty"))
    } else {
        Ok(text)
    }
}

pub(super) fn absolute(path: &str) -> Result<PathBuf, Reason> {
    let path = PathBuf::from(non_empty(path)?);
    if path.is_absolute() {
        Ok(path)
    } else {
        Err(Reason::new("絶対パスで指定してください。", "it must be an absolute path"))
    }
}

pub(super) fn readable(path: &str) -> Result<PathBuf, Reason> {
    let path = absolute(path)?;
    std::fs::File::open(&path).map_err(|error| {
        Reason::new(format!("ファイルを読み取れません: {error}"), format!("the file cannot be read: {error}"))
    })?;
    Ok(path)
}

pub(super) fn server_url(text: &str, allow_plain_http: bool) -> Result<String, Reason> {
    let text = text.trim().trim_end_matches('/');
    let uri: Uri = text.parse().map_err(|_| {
        Reason::new(
            "https://mngntime.example.co.jp のようなアドレスで指定してください。",
            "it must be an address such as https://mngntime.example.co.jp",
        )
    })?;
    let host = uri
        .host()
        .ok_or_else(|| Reason::new("サーバーの名前がありません。", "the name of the server is missing"))?;
    match uri.scheme_str() {
        Some("https") => {}
        Some("http") if is_loopback(host) || allow_plain_http => {}
        Some("http") => {
            return Err(Reason::new(
                "暗号化しないhttpは、このPC自身に対してだけ使えます。httpsにするか、平文で送る場合は allow_plain_http = true を設定してください。",
                "plain http is only allowed to this PC itself; use https, or set allow_plain_http = true to send in the clear",
            ));
        }
        _ => return Err(Reason::new("https:// で始めてください。", "it must begin with https://")),
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err(Reason::new(
            "ユーザー名やパスワードは含められません。",
            "it must not hold a user name or a password",
        ));
    }
    if uri.query().is_some() {
        return Err(Reason::new("疑問符(?)は使えません。", "it must not hold a question mark"));
    }
    Ok(text.to_owned())
}
