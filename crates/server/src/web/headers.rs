//! Headers that tell a browser what these pages never do.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use tower_http::set_header::SetResponseHeaderLayer;

use super::WebState;

/// Only our own style, script, drawings and forms; nothing inline; in nobody's frame.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; connect-src 'self'";

/// What no page of ours asks for, and nothing that gets into one may have.
const PERMISSIONS_POLICY: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
    magnetometer=(), microphone=(), midi=(), payment=(), usb=()";

/// One year, in seconds.
const A_YEAR: &str = "max-age=31536000";

/// An answer for programs, opened in a browser, is nothing but text.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";

/// Puts the headers on every answer of `pages`. Pages hold personal data and are not kept by browsers;
/// only assets say otherwise themselves.
///
/// `tls` is for a server that speaks TLS itself: a browser then never tries without again for a year. Behind a proxy
/// that is the proxy's to say.
pub fn protect(pages: Router<WebState>, tls: bool) -> Router<WebState> {
    let pages = if tls { pages.layer(set(header::STRICT_TRANSPORT_SECURITY, A_YEAR)) } else { pages };
    pages
        .layer(set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(set(header::REFERRER_POLICY, "same-origin"))
        .layer(set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"))
        .layer(set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
        .layer(set(HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY))
        .layer(set(header::CACHE_CONTROL, "no-store"))
}

/// Puts the few headers that matter on answers for programs, should a browser be made to open one.
pub fn protect_programs(programs: Router) -> Router {
    programs
        .layer(set(header::CONTENT_SECURITY_POLICY, NOTHING))
        .layer(set(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

fn set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}
