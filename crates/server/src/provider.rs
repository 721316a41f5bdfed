//! Signing in with another provider (OpenID Connect): authorisation code with PKCE, state and nonce.
//!
//! Signatures, issuer, audience, nonce and times of an id token are checked by `openidconnect`. Requests go to the
//! provider only, without following redirects, with a deadline and a bound on what is read. They are few (two or
//! three for a sign-in), so the provider's description is read each time: its keys change when it wants.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use mngntime_model::UtcMillis;
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

use crate::second_factor::ceremony::Ceremonies;
use crate::settings::ProviderSettings;

/// Longest answer of a provider, in bytes.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;

/// Deadline of one request to the provider.
const DEADLINE: Duration = Duration::from_secs(10);

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
    /// There is no such sign-in here, or no more.
    #[error("the sign-in has ended or was begun elsewhere")]
    Ended,
    /// The OS gave no random bytes.
    #[error("no random bytes for a sign-in: {0}")]
    Random(getrandom::Error),
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
#[derive(Debug)]
struct Away {
    verifier: PkceCodeVerifier,
    nonce: Nonce,
    state: CsrfToken,
    next: String,
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

/// The provider.
#[derive(Debug)]
pub struct Provider {
    /// What the server is configured with.
    pub settings: ProviderSettings,
    redirect: String,
    away: Ceremonies<Away>,
}

impl Provider {
    /// The provider of `settings` for the server at `url`.
    #[must_use]
    pub fn new(settings: ProviderSettings, url: &str) -> Self {
        Self { settings, redirect: format!("{url}/login/provider/back"), away: Ceremonies::default() }
    }

    /// Where to send the browser, and the name of the sign-in for its cookie. Asks the provider: not for an async
    /// thread.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn begin(&self, next: &str, now: UtcMillis) -> Result<(String, String), ProviderError> {
        let client = self.client()?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
        let request = client.authorize_url(flow, CsrfToken::new_random, Nonce::new_random);
        let scopes = self.settings.scopes.iter().filter(|scope| *scope != "openid").cloned().map(Scope::new);
        let (address, state, nonce) = request.add_scopes(scopes).set_pkce_challenge(challenge).url();
        let away = Away { verifier, nonce, state, next: next.to_owned() };
        let name = self.away.begin(away, now).map_err(ProviderError::Random)?;
        Ok((address.to_string(), name))
    }

    /// Who has come back with `code` and `state` to the sign-in `name`. Asks the provider: not for an async thread.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn finish(
        &self,
        name: &str,
        code: &str,
        state: &str,
        now: UtcMillis,
    ) -> Result<Known, ProviderError> {
        let away = self.away.take(name, now).ok_or(ProviderError::Ended)?;
        if !bool::from(away.state.secret().as_bytes().ct_eq(state.as_bytes())) {
            return Err(ProviderError::Ended);
        }
        let client = self.client()?;
        let request = client.exchange_code(AuthorizationCode::new(code.to_owned()));
        let request = request.map_err(|error| unusable("description")(error.into()))?;
        let agent = agent();
        let tokens = request
            .set_pkce_verifier(away.verifier)
            .request(&|request: HttpRequest| send(&agent, request))
            .map_err(|error| unusable("answer to the code")(error.into()))?;
        let token = tokens.id_token();
        let token = token.ok_or_else(|| unusable("answer to the code")("it has no id token".into()))?;
        let claims = token.claims(&client.id_token_verifier(), &away.nonce);
        let claims = claims.map_err(|error| unusable("id token")(error.into()))?;
        Ok(Known {
            subject: claims.subject().to_string(),
            login: self.login(claims),
            second: self.counts_as_second(claims),
            next: away.next,
        })
    }

    fn client(&self) -> Result<OurClient, ProviderError> {
        let what = "description";
        let secret = match &self.settings.client_secret_file {
            Some(file) => Some(std::fs::read_to_string(file).map_err(ProviderError::Secret)?),
            None => None,
        };
        let agent = agent();
        let issuer = IssuerUrl::new(self.settings.issuer.clone());
        let issuer = issuer.map_err(|error| unusable(what)(error.into()))?;
        let metadata = CoreProviderMetadata::discover(&issuer, &|request: HttpRequest| send(&agent, request));
        let metadata = metadata.map_err(|error| unusable(what)(error.into()))?;
        let redirect = RedirectUrl::new(self.redirect.clone());
        let redirect = redirect.map_err(|error| unusable("way back")(error.into()))?;
        let id = ClientId::new(self.settings.client_id.clone());
        let secret = secret.map(|secret| ClientSecret::new(secret.trim().to_owned()));
        Ok(OurClient::from_provider_metadata(metadata, id, secret).set_redirect_uri(redirect))
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
