//! Refuses before a handler runs: nobody without login and password, nobody whose role does not give the action.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::MethodRouter;
use data_encoding::BASE64;

use crate::access::Action;
use crate::app::{App, Shared};
use crate::problem::Failure;
use crate::sign_in::{Caller, SignInError, sign_in, with_token};
use crate::source_address::of_request;

/// Puts the guard of `action` in front of `handlers`. They find the [`Caller`] in the request's extensions.
pub fn protect(app: &Shared, action: Action, handlers: MethodRouter<Shared>) -> MethodRouter<Shared> {
    let check =
        move |State(app): State<Shared>, request: Request, next: Next| check(app, action, request, next);
    handlers.route_layer(middleware::from_fn_with_state(app.clone(), check))
}

async fn check(app: Shared, action: Action, mut request: Request, next: Next) -> Response {
    if action.is_public() {
        return next.run(request).await;
    }
    let address = of_request(request.extensions(), request.headers(), &app.settings.trusted_proxies);
    match admit(&app, action, request.method(), request.headers(), address).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    }
}

async fn admit(
    app: &App,
    action: Action,
    method: &Method,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Caller, Failure> {
    let caller = authenticate(app, method, headers, address).await?;
    caller.permit(action)?;
    Ok(caller)
}

async fn authenticate(
    app: &App,
    method: &Method,
    headers: &HeaderMap,
    address: Option<IpAddr>,
) -> Result<Caller, Failure> {
    let caller = match (bearer_token(headers), basic_credentials(headers)) {
        // A token reads and does nothing else.
        (Some(token), _) if *method == Method::GET => with_token(app, token).await,
        (None, Some((login, password))) => sign_in(app, &login, &password, address).await,
        (Some(_) | None, _) => return Err(unauthorized()),
    };
    caller.map_err(|error| match error {
        SignInError::Refused => unauthorized(),
        SignInError::SecondFactorFirst => second_factor_first(),
        SignInError::Wait(seconds) => too_many_failures(seconds),
        SignInError::Busy => Failure::overloaded(),
        SignInError::Store(error) => error.into(),
        SignInError::Password(error) => Failure::internal(error),
    })
}

fn unauthorized() -> Failure {
    let message = "Sign in with HTTP Basic (login and password), or read with a token: `Authorization: Bearer …`. \
        People with a second factor need a token; they make it on the page /me/security.";
    Failure::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}

fn second_factor_first() -> Failure {
    let message = "The role of whoever made this token must have a second factor, and they have none. \
        The token works again once they have set one up on the page /me/security.";
    Failure::new(StatusCode::FORBIDDEN, "second_factor_required", message)
}

fn too_many_failures(seconds: u32) -> Failure {
    let message = "Too many sign-ins with this login, or from this address, have failed. Wait, and check login and password.";
    Failure::new(StatusCode::TOO_MANY_REQUESTS, "too_many_failures", message).retry_after(seconds)
}

pub(super) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
    let (login, password) = text.split_once(':')?;
    Some((login.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_split_at_the_first_colon() {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", BASE64.encode(b"admin:pass:word"));
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        assert_eq!(basic_credentials(&headers), Some(("admin".into(), "pass:word".into())));
        assert_eq!(bearer_token(&headers), None);
        headers.insert(header::AUTHORIZATION, "bearer  x".parse().unwrap());
        assert_eq!(basic_credentials(&headers), None);
        assert_eq!(bearer_token(&headers), Some("x"));
    }
}
