//! Secrets that a form makes, so that sending the form twice makes the same one.
//!
//! The secret is drawn when the form is shown and travels in it, sealed for whoever sees the form. A reload, a second
//! click, or a try after a failed answer sends the same secret again, which the store knows; so there is neither a
//! second key nor one that nobody has seen.

use data_encoding::BASE64URL_NOPAD;

use super::WebState;
use super::errors::WebError;
use super::fields::Fields;
use super::session::Visit;
use crate::secrets::new_secret;

/// The field of the form.
pub const FIELD: &str = "once";

/// For whom and for what the secret of a form is sealed.
fn owner(visit: &Visit) -> String {
    format!("{} form", visit.person().id)
}

/// A fresh secret, sealed, for a form.
///
/// # Errors
/// [`WebError`] when the OS gives no random numbers.
pub fn fresh(state: &WebState, visit: &Visit) -> Result<String, WebError> {
    let sealed = state.sealer.seal(&owner(visit), new_secret()?.as_bytes())?;
    Ok(BASE64URL_NOPAD.encode(&sealed))
}

/// The sealed secret that a form brought, or a fresh one when it brought none that can be opened.
///
/// # Errors
/// [`WebError`] when the OS gives no random numbers.
pub fn again(state: &WebState, visit: &Visit, fields: &Fields) -> Result<String, WebError> {
    let brought = fields.text(FIELD);
    if opened(state, visit, brought).is_some() { Ok(brought.to_owned()) } else { fresh(state, visit) }
}

/// The secret of a form; a fresh one when it brought none that can be opened.
///
/// # Errors
/// [`WebError`] when the OS gives no random numbers.
pub fn secret(state: &WebState, visit: &Visit, fields: &Fields) -> Result<String, WebError> {
    match opened(state, visit, fields.text(FIELD)) {
        Some(secret) => Ok(secret),
        None => Ok(new_secret()?),
    }
}

/// The secret that is sealed in `text` for whoever sees the form; absent when it is no such one.
pub(super) fn opened(state: &WebState, visit: &Visit, text: &str) -> Option<String> {
    let sealed = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    String::from_utf8(state.sealer.open(&owner(visit), &sealed).ok()?).ok()
}
