//! One-time codes: setting them up with a drawing and a first code, taking them away.
//!
//! The secret waits in the session, sealed, until a code proves that the authenticator has it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use super::super::WebState;
use super::super::errors::WebError;
use super::super::fields::Fields;
use super::super::once;
use super::super::session::Visit;
use super::super::views;
use super::{done, recovery, removed};
use crate::access::Action;
use crate::second_factor::{codes, totp};

/// Key of the secret that waits.
const WAITING: &str = "totp_waiting";

async fn waiting(state: &WebState, visit: &Visit) -> Result<Option<Vec<u8>>, WebError> {
    let sealed = visit.session().get::<Vec<u8>>(WAITING).await?;
    let owner = visit.person().id.to_string();
    Ok(sealed.map(|sealed| state.sealer.open(&owner, &sealed)).transpose()?)
}

/// `POST /me/security/totp/start`
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the session or the OS fails.
pub async fn start(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let sealed = state.sealer.seal(&visit.person().id.to_string(), &totp::draw_secret()?)?;
    visit.session().insert(WAITING, sealed).await?;
    Ok(Redirect::to("/me/security/totp").into_response())
}

/// `GET /me/security/totp`
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the session fails.
pub async fn page(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    match waiting(&state, &visit).await? {
        Some(secret) => show(&state, visit, &secret, String::new(), StatusCode::OK),
        None => Ok(Redirect::to("/me/security").into_response()),
    }
}

fn show(
    state: &WebState,
    visit: Visit,
    secret: &[u8],
    problem: String,
    status: StatusCode,
) -> Result<Response, WebError> {
    let login = &visit.person().data.login;
    let drawing = totp::drawing(secret, &state.display_name, login);
    let page = views::SecurityTotp {
        drawing: drawing.map_err(|error| WebError::Means(error.into()))?,
        secret: totp::secret_text(secret),
        problem,
        c: visit.chrome.reached_by("/me/security/totp"),
    };
    Ok((status, page.render_page()?).into_response())
}

/// `POST /me/security/totp`: the first code sets it up.
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the store, the session or the OS fails.
pub async fn set_up(
    State(state): State<WebState>,
    mut visit: Visit,
    fields: Fields,
) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let Some(secret) = waiting(&state, &visit).await? else {
        return Ok(Redirect::to("/me/security").into_response());
    };
    let code = codes::plain(fields.text("code"));
    let step = totp::step_of(&secret, &code, visit.chrome.now);
    let Some(step) = step.map_err(|error| WebError::Means(error.into()))? else {
        let problem = visit.chrome.t("totp-wrong");
        return show(&state, visit, &secret, problem, StatusCode::UNPROCESSABLE_ENTITY);
    };
    let id = visit.person().id;
    let sealed = state.sealer.seal(&id.to_string(), &secret)?;
    state.store.set_totp(id, sealed, step, visit.session_id(), visit.act()).await?;
    visit.session().remove_value(WAITING).await?;
    visit.renew(true).await?;
    if state.store.means(id).await?.recovery_codes == 0 {
        recovery::draw(&state, &visit, once::fresh(&state, &visit)?).await?;
        return Ok(Redirect::to(recovery::PAGE).into_response());
    }
    done(&visit, "totp-set-up").await
}

/// `POST /me/security/totp/remove`
///
/// # Errors
/// [`WebError::ConfirmFirst`], or when the store fails.
pub async fn remove(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::OwnSignInMeans)?;
    visit.check_fresh()?;
    let answer = state.store.remove_totp(visit.person().id, state.entrance(), visit.act()).await;
    removed(&state, visit, answer, "totp-removed").await
}
