//! Signing in with another provider (OpenID Connect): authorisation code with PKCE, state and nonce.
//!
//! Signatures, issuer, audience, nonce and times of an id token are checked by `openidconnect`. Requests go to the
//! provider only, without following redirects, with a deadline and a bound on what is read.
//!
//! Anybody may begin a sign-in, and a provider may hang: at most [`ASKING_MAX`] threads wait for it, so that pages and
//! punches keep theirs; who comes beyond is told so at once. Its description and keys are kept for [`KEPT`] (keys that
//! have changed are read anew when a token does not fit), and that it could not be read for [`FAILED_FOR`]. Beginnings are
//! counted by address, so that no single one pushes out those of others.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreResponseType,
    CoreRevocableToken, CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, AuthenticationFlow, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet, EndpointSet, HttpRequest, HttpResponse,
    IdTokenClaims, IdTokenFields, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
    StandardErrorResponse, StandardTokenResponse, TokenResponse as _,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::limiter::Limiter;
use crate::seldom::{MINUTE, Seldom};
use crate::settings::ProviderSettings;

/// Longest answer of a provider, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// Deadline of one request to the provider.
const DEADLINE: Duration = Duration::from_secs(10);

/// Threads that may wait for the provider at the same time: a small part of those that also read the store.
pub const ASKING_MAX: usize = 16;

/// How long the provider's description and keys are kept.
const KEPT: Duration = Duration::from_secs(300);

/// How long it is not asked again for a description that could not be read.
const FAILED_FOR: Duration = Duration::from_secs(10);

/// Sign-ins begun from one address at once, refilled in [`crate::limiter::REFILL_MS`]: an office in the morning, and fewer
/// than are remembered at all.
pub const BEGUN_PER_ADDRESS: u32 = 1_000;

/// Claims beside the standard's.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct OtherClaims {
    #[serde(flatten)]
    all: HashMap<String, Value>,
}

impl AdditionalClaims for OtherClaims {}

type Tokens = StandardTokenResponse<
    IdTokenFields<
        OtherClaims,
        EmptyExtraTokenFields,
        CoreGenderClaim,
        CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm,
    >,
    CoreTokenType,
>;

type OurClient = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    Tokens,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// Why the provider told us of nobody.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// The file with the secret could not be read.
    #[error("could not read the provider's client secret (oidc_client_secret_file)")]
    Secret(#[source] io::Error),
    /// The provider did not answer, or not as the standard says.
    #[error("the provider's {what} cannot be used: {why}")]
    Answer {
        /// What was asked for.
        what: &'static str,
        /// Why not.
        why: String,
    },
    /// As many wait for it as may.
    #[error("the provider is being asked by too many at the same time")]
    Busy,
    /// It has just failed, and is not asked again yet.
    #[error("the provider has failed a moment ago and is not asked again yet")]
    FailedLately,
    /// There is no such sign-in here, or no more.
    #[error("the sign-in has ended or was begun elsewhere")]
    Ended,
}

fn unusable(what: &'static str) -> impl FnOnce(Box<dyn std::error::Error>) -> ProviderError {
    move |error| {
        let mut why = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            why = format!("{why}: {cause}");
            source = cause.source();
        }
        ProviderError::Answer { what, why }
    }
}

/// What is remembered while somebody is at the provider.
#[derive(Debug, Serialize, Deserialize)]
pub struct Away {
    verifier: String,
    nonce: String,
    state: String,
    next: String,
}

impl Away {
    /// Where somebody wanted to go who has come back with `state` without signing in.
    #[must_use]
    pub fn cancelled(self, state: &str) -> Option<String> {
        bool::from(self.state.as_bytes().ct_eq(state.as_bytes())).then_some(self.next)
    }
}

/// Somebody, as the provider knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The provider's name for them.
    pub subject: String,
    /// Their login here, when the configured claim says one that may be believed.
    pub login: Option<String>,
    /// Whether the provider has seen a second factor that counts here.
    pub second: bool,
    /// Where they wanted to go.
    pub next: String,
}

/// What was last read of the provider.
#[derive(Debug, Default)]
struct Found {
    description: Option<(Instant, CoreProviderMetadata)>,
    failed: Option<Instant>,
}

/// The provider.
#[derive(Debug)]
pub struct Provider {
    /// What the server is configured with.
    pub settings: ProviderSettings,
    /// Sign-ins begun, by address.
    pub begun: Limiter,
    /// When its failures are told in the log.
    pub told: Seldom,
    redirect: String,
    room: Arc<Semaphore>,
    found: Mutex<Found>,
}

impl Provider {
    /// The provider of `settings` for the server at `url`.
    #[must_use]
    pub fn new(settings: ProviderSettings, url: &str) -> Self {
        Self {
            settings,
            begun: Limiter::new(BEGUN_PER_ADDRESS),
            told: Seldom::new(MINUTE),
            redirect: format!("{url}/login/provider/back"),
            room: Arc::new(Semaphore::new(ASKING_MAX)),
            found: Mutex::default(),
        }
    }

    /// Runs what waits for the provider on a thread that may wait, as long as there is room.
    ///
    /// # Errors
    /// [`ProviderError`]; at once when too many wait already, or when it has just failed.
    pub async fn ask<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        self.check_failed()?;
        let room = self.room.clone().try_acquire_owned().map_err(|_| ProviderError::Busy)?;
        let provider = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _room = room;
            work(&provider)
        });
        done.await.map_err(|error| ProviderError::Answer { what: "answer", why: error.to_string() })?
    }

    /// Where to send the browser, and what is to be remembered meanwhile. Asks the provider: not for an async thread.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn begin(&self, next: &str) -> Result<(String, Away), ProviderError> {
        let client = self.client()?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let (address, state, nonce) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
        let away = Away {
            verifier: verifier.secret().clone(),
            nonce: nonce.secret().clone(),
            state: state.secret().clone(),
            next: next.to_owned(),
        };
        Ok((address.to_string(), away))
    }

    /// Who has come back with `code` and `state` from `away`. Asks the provider: not for an async thread.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn finish(&self, away: Option<Away>, code: &str, state: &str) -> Result<Known, ProviderError> {
        let away = away.ok_or(ProviderError::Ended)?;
        if !bool::from(away.state.as_bytes().ct_eq(state.as_bytes())) {
            return Err(ProviderError::Ended);
        }
        let client = self.client()?;
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|error| unusable("description")(error.into()))?;
        let agent = agent();
        let tokens = request
            .set_pkce_verifier(PkceCodeVerifier::new(away.verifier))
            .request(&|request: HttpRequest| send(&agent, request))
            .map_err(|error| unusable("answer to the code")(error.into()))?;
        let token = tokens.id_token();
        let token = token.ok_or_else(|| unusable("answer to the code")("it has no id token".into()))?;
        let nonce = Nonce::new(away.nonce);
        let claims = match token.claims(&client.id_token_verifier(), &nonce) {
            Ok(claims) => claims,
            // Its keys may have changed since they were read.
            Err(_) => {
                self.found().description = None;
                let claims = token.claims(&self.client()?.id_token_verifier(), &nonce);
                claims.map_err(|error| unusable("id token")(error.into()))?
            }
        };
        Ok(Known {
            subject: claims.subject().to_string(),
            login: self.login(claims),
            second: self.counts_as_second(claims),
            next: away.next,
        })
    }

    fn client(&self) -> Result<OurClient, ProviderError> {
        let secret = match &self.settings.client_secret_file {
            Some(file) => Some(std::fs::read_to_string(file).map_err(ProviderError::Secret)?),
            None => None,
        };
        let metadata = self.description()?;
        let redirect = RedirectUrl::new(self.redirect.clone());
        let redirect = redirect.map_err(|error| unusable("way back")(error.into()))?;
        let id = ClientId::new(self.settings.client_id.clone());
        let secret = secret.map(|secret| ClientSecret::new(secret.trim().to_owned()));
        Ok(OurClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(redirect))
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_failed(&self) -> Result<(), ProviderError> {
        match self.found().failed {
            Some(at) if at.elapsed() < FAILED_FOR => Err(ProviderError::FailedLately),
            Some(_) | None => Ok(()),
        }
    }

    /// The provider's description with its keys: kept, or read now.
    fn description(&self) -> Result<CoreProviderMetadata, ProviderError> {
        if let Some((at, description)) = &self.found().description
            && at.elapsed() < KEPT
        {
            return Ok(description.clone());
        }
        self.check_failed()?;
        let read = self.discover();
        let mut found = self.found();
        match &read {
            Ok(description) => {
                *found = Found { description: Some((Instant::now(), description.clone())), failed: None };
            }
            Err(_) => found.failed = Some(Instant::now()),
        }
        read
    }

    fn discover(&self) -> Result<CoreProviderMetadata, ProviderError> {
        let what = "description";
        let agent = agent();
        let issuer = IssuerUrl::new(self.settings.issuer.clone());
        let issuer = issuer.map_err(|error| unusable(what)(error.into()))?;
        let metadata = CoreProviderMetadata::discover(&issuer, &|request: HttpRequest| send(&agent, request));
        metadata.map_err(|error| unusable(what)(error.into()))
    }

    /// The login that the configured claim says. An e-mail address counts only when the provider has verified it.
    fn login(&self, claims: &IdTokenClaims<OtherClaims, CoreGenderClaim>) -> Option<String> {
        match self.settings.login_claim.as_deref()? {
            "email" if claims.email_verified() != Some(true) => None,
            "email" => claims.email().map(|email| email.to_string()),
            "preferred_username" => claims.preferred_username().map(|name| name.to_string()),
            other => claims.additional_claims().all.get(other)?.as_str().map(str::to_owned),
        }
    }

    /// Whether one of the configured words stands in `amr` or is the `acr`. None is configured by default.
    fn counts_as_second(&self, claims: &IdTokenClaims<OtherClaims, CoreGenderClaim>) -> bool {
        let counts = |word: &str| self.settings.second_factor.iter().any(|counted| counted == word);
        let methods = claims.auth_method_refs().into_iter().flatten();
        methods.into_iter().any(|method| counts(method))
            || claims.auth_context_ref().is_some_and(|context| counts(context))
    }
}

fn agent() -> ureq::Agent {
    let verifier = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
    ureq::Agent::config_builder()
        .tls_config(verifier)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(DEADLINE))
        .build()
        .into()
}

fn send(agent: &ureq::Agent, request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let (parts, mut body) = agent.run(request)?.into_parts();
    let bytes = body.with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
    Ok(HttpResponse::from_parts(parts, bytes))
}
