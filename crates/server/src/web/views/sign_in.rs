//! The pages of signing in, and of what one signs in with.

use askama::Template;
use axum::response::Html;
use mngntime_store::SecondFactor;

use super::super::chrome::{Chrome, Place};
use super::super::errors::WebError;
use super::super::{WebState, security};
use crate::access::Action;
use crate::second_factor::totp::Drawing;

page!(Login, Second, Security, SecurityTotp, SecurityCodes, Setup, SetupGone);

/// サインイン
#[derive(Debug, Clone, Template)]
#[template(path = "login.html")]
pub struct Login {
    /// Surroundings.
    pub c: Chrome,
    /// Login as typed before.
    pub user: String,
    /// Where to go afterwards.
    pub next: String,
    /// Whether passkeys can be used.
    pub passkeys: bool,
    /// Name of another provider.
    pub provider: Option<String>,
    /// Where its button leads.
    pub away: String,
    /// Whether nobody can sign in yet.
    pub first_start: bool,
}

impl Login {
    /// The page, with the login as typed before.
    #[must_use]
    pub fn new(state: &WebState, c: Chrome, user: &str, next: &str) -> Self {
        let provider = state.provider.as_ref().map(|provider| provider.settings.name.clone());
        let mut query = form_urlencoded::Serializer::new(String::new());
        let away = format!("/login/provider?{}", query.append_pair("next", next).finish());
        Self {
            c,
            user: user.to_owned(),
            next: next.to_owned(),
            passkeys: state.passkeys.is_some(),
            provider,
            away,
            first_start: false,
        }
    }
}

/// The second step of signing in.
#[derive(Debug, Clone, Template)]
#[template(path = "second.html")]
pub struct Second {
    /// Surroundings.
    pub c: Chrome,
    /// Name of the person.
    pub name: String,
    /// Whether they have one-time codes.
    pub totp: bool,
    /// Whether they have recovery codes.
    pub recovery: bool,
    /// Whether they have passkeys that can be used.
    pub passkeys: bool,
    /// Where to go afterwards.
    pub next: String,
    /// What is wrong with the code, empty for nothing.
    pub problem: String,
}

/// 自分のサインイン
#[derive(Debug, Clone, Template)]
#[template(path = "security.html")]
pub struct Security {
    /// Surroundings.
    pub c: Chrome,
    /// Login.
    pub login: String,
    /// Whether there is a password.
    pub has_password: bool,
    /// Whether changes are taken without showing again who one is.
    pub fresh: bool,
    /// How that is shown.
    pub confirm: security::confirm::Ways,
    /// Sealed secret of new recovery codes.
    pub once: String,
    /// Whether the other provider is the only way in.
    pub provider_stays: bool,
    /// Whether a second factor is there and must be.
    pub second: SecondFactor,
    /// The same in words.
    pub second_text: String,
    /// Since when there are one-time codes.
    pub totp: Option<String>,
    /// Passkeys.
    pub passkeys: Vec<security::passkeys::PasskeyRow>,
    /// Other providers the person is linked to.
    pub providers: Vec<String>,
    /// Whether passkeys can be used.
    pub passkeys_possible: bool,
    /// Recovery codes that are left.
    pub recovery: u64,
    /// The same in words.
    pub recovery_text: String,
    /// Tokens of programs.
    pub tokens: Vec<security::TokenRow>,
    /// Where the person is signed in.
    pub sessions: Vec<security::sessions::SessionRow>,
    /// After how long without use they end, in words.
    pub idle: Option<String>,
    /// This sign-in and the one before.
    pub signed_in: Vec<security::signed_in::SignInRow>,
    /// What a password needs.
    pub password_hint: String,
    /// What is said about what was sent.
    pub told: security::Told,
}

/// Setting up one-time codes
#[derive(Debug, Clone, Template)]
#[template(path = "security-totp.html")]
pub struct SecurityTotp {
    /// Surroundings.
    pub c: Chrome,
    /// For the camera.
    pub drawing: Drawing,
    /// For typing.
    pub secret: String,
    /// What is wrong with the code, empty for nothing.
    pub problem: String,
}

/// New recovery codes, shown once
#[derive(Debug, Clone, Template)]
#[template(path = "security-codes.html")]
pub struct SecurityCodes {
    /// Surroundings.
    pub c: Chrome,
    /// Login.
    pub login: String,
    /// The codes.
    pub codes: Vec<String>,
    /// Whether earlier ones count no more.
    pub replaced: bool,
}

/// Choosing a password with a set-up link.
#[derive(Debug, Clone, Template)]
#[template(path = "setup.html")]
pub struct Setup {
    /// Surroundings.
    pub c: Chrome,
    /// Login.
    pub login: String,
    /// Name.
    pub name: String,
    /// What a password needs.
    pub hint: String,
    /// What is wrong, empty for nothing.
    pub problem: String,
}

/// A set-up link that does not count.
#[derive(Debug, Clone, Template)]
#[template(path = "setup-gone.html")]
pub struct SetupGone {
    /// Surroundings.
    pub c: Chrome,
}
