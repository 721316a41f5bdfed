//! Style, script and drawings, inside the program.
//!
//! Addresses carry a digest of all files, so browsers may keep them for a year: another build has other
//! addresses. An address with an old digest is answered as well (a page may have been open during an
//! update), but not kept.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::errors::WebError;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Files;

static DIGEST: LazyLock<String> = LazyLock::new(|| {
    let mut mixed = [0_u8; 8];
    for name in Files::iter() {
        let hash = Files::get(&name).map(|file| file.metadata.sha256_hash()).unwrap_or_default();
        // Names come in a fixed order; rotating keeps two swapped files from cancelling out.
        mixed.rotate_left(3);
        mixed.iter_mut().zip(hash).for_each(|(mixed, byte)| *mixed ^= byte);
    }
    data_encoding::HEXLOWER.encode(&mixed)
});

/// Address of the file `name`.
#[must_use]
pub fn address(name: &str) -> String {
    format!("/assets/{}/{name}", *DIGEST)
}

/// `GET /assets/{digest}/{name}`
///
/// # Errors
/// [`WebError::NotFound`] for a name that is no asset.
pub async fn file(Path((digest, name)): Path<(String, String)>) -> Result<Response, WebError> {
    let kind = content_type(&name).ok_or(WebError::NotFound)?;
    let file = Files::get(&name).ok_or(WebError::NotFound)?;
    let keep = if digest == *DIGEST { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static(keep))];
    Ok((headers, file.data.into_owned()).into_response())
}

fn content_type(name: &str) -> Option<HeaderValue> {
    let kind = match name.rsplit_once('.')?.1 {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => return None,
    };
    Some(HeaderValue::from_static(kind))
}
