//! Settings of another provider (OpenID Connect) that people may sign in with.

use std::path::PathBuf;

use super::{SettingsError, Sources};

/// Another provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderSettings {
    /// Its address, exactly as it calls itself.
    pub issuer: String,
    /// What the button says after "sign in with".
    pub name: String,
    /// What the provider calls this server.
    pub client_id: String,
    /// File with the secret it has given; absent for public clients.
    pub client_secret_file: Option<PathBuf>,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// Claim that says the login of somebody who is not linked yet; absent: nobody is linked by signing in.
    pub login_claim: Option<String>,
    /// Code of the contract whose people may be linked.
    pub contract: String,
    /// Words of `amr` and `acr` that count as a second factor.
    pub second_factor: Vec<String>,
}

impl Sources {
    /// The provider, when there is one.
    ///
    /// # Errors
    /// [`SettingsError`] naming what is wrong or missing.
    pub(super) fn provider(&self) -> Result<Option<ProviderSettings>, SettingsError> {
        let text = |key| self.get(key).0.to_owned();
        let list = |key| words(self.get(key).0);
        let optional = |key| Some(text(key)).filter(|text| !text.is_empty());
        let issuer = self.value("oidc_issuer", issuer)?;
        let Some(issuer) = issuer else { return Ok(None) };
        for key in ["oidc_client_id", "oidc_contract", "public_url"] {
            if self.get(key).0.is_empty() {
                let rule = format!("oidc_issuer is set, so {key} has to be set, too");
                return Err(SettingsError::Contradiction(rule));
            }
        }
        Ok(Some(ProviderSettings {
            issuer,
            name: text("oidc_name"),
            client_id: text("oidc_client_id"),
            client_secret_file: optional("oidc_client_secret_file").map(PathBuf::from),
            scopes: list("oidc_scopes"),
            login_claim: optional("oidc_login_claim"),
            contract: text("oidc_contract"),
            second_factor: list("oidc_second_factor"),
        }))
    }
}

fn words(text: &str) -> Vec<String> {
    let parts = text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

/// Plain HTTP is for this machine only: the provider's keys come over it.
fn issuer(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = text.parse::<axum::http::Uri>().ok();
    let host = parsed.as_ref().and_then(axum::http::Uri::host).unwrap_or_default();
    let fits = match parsed.as_ref().and_then(axum::http::Uri::scheme_str) {
        Some("https") => !host.is_empty(),
        Some("http") => matches!(host, "localhost" | "127.0.0.1" | "[::1]"),
        _ => false,
    };
    if fits { Ok(Some(text.to_owned())) } else { Err("it must be an https:// address".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Option<ProviderSettings>, String> {
        let find = |name: &str| {
            let key = name.strip_prefix("MNGNTIME_")?.to_lowercase();
            pairs.iter().find(|(known, _)| *known == key).map(|(_, value)| (*value).to_owned())
        };
        let sources = Sources::defaults().with_environment(find).unwrap();
        sources.settle().map(|settings| settings.provider).map_err(|error| error.to_string())
    }

    const WHOLE: [(&str, &str); 4] = [
        ("oidc_issuer", "https://id.example"),
        ("oidc_client_id", "mngntime"),
        ("oidc_contract", "demo"),
        ("public_url", "https://time.example"),
    ];

    #[test]
    fn a_provider_is_whole_or_not_there() {
        assert_eq!(of(&[]).unwrap(), None);
        let provider = of(&WHOLE).unwrap().unwrap();
        assert_eq!(provider.scopes, ["openid", "email"]);
        assert_eq!((provider.login_claim, provider.second_factor.len()), (None, 0), "nobody by default");
        for left_out in 1..4 {
            let mut pairs = WHOLE.to_vec();
            let (key, _) = pairs.remove(left_out);
            assert!(of(&pairs).unwrap_err().contains(key), "{key}");
        }
    }

    #[test]
    fn its_keys_do_not_come_over_plain_http() {
        for (issuer, fits) in [
            ("http://id.example", false),
            ("http://localhost:3000", true),
            ("id.example", false),
            ("http://localhost.example", false),
        ] {
            let mut pairs = WHOLE.to_vec();
            pairs[0].1 = issuer;
            assert_eq!(of(&pairs).is_ok(), fits, "{issuer}");
        }
    }
}
