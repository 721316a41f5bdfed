//! The HTTP API for programs, and its description.

pub mod health;
pub mod punches;

use axum::Router;
use axum::routing::get;
use mngntime_wire::{Batch, EnrollmentAnswer, EnrollmentRequest, Receipt};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::Shared;
use crate::ingest::{enrollment, events};

/// The head of the description; paths come from the routes themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "MngnTime server",
        version = "1",
        description = "What agents send, and what programs may ask. Everything signed travels as its exact \
bytes: a Signed envelope carries the payload verbatim, and the Ed25519 signature is over the purpose, a zero \
byte and those bytes. Every answer of this server carries the header MngnTime-Server: 1.",
    ),
    components(schemas(Batch, Receipt, EnrollmentRequest, EnrollmentAnswer)),
    modifiers(&BasicAuthentication)
)]
struct Description;

struct BasicAuthentication;

impl utoipa::Modify for BasicAuthentication {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let basic = HttpBuilder::new()
            .scheme(HttpAuthScheme::Basic)
            .description(Some("Login and password of an administrator whose role may read attendance."))
            .build();
        openapi.components.get_or_insert_default().add_security_scheme("basic", SecurityScheme::Http(basic));
    }
}

/// Routes that are part of the description.
pub fn documented_routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(events::receive))
        .routes(routes!(enrollment::enroll))
        .routes(routes!(punches::list))
        .routes(routes!(health::healthz))
}

/// Routes that describe or measure the server itself.
pub fn undocumented_routes() -> Router<Shared> {
    Router::new().route("/api/openapi.json", get(description)).route("/metrics", get(health::metrics))
}

async fn description() -> ([(axum::http::HeaderName, &'static str); 1], String) {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], openapi_json())
}

/// The description as JSON, as served and as kept in `docs/protocol/openapi.json`.
#[must_use]
pub fn openapi_json() -> String {
    let (_, openapi) = documented_routes().split_for_parts();
    let mut text = openapi.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_in_the_repository_is_the_one_that_is_served() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/protocol/openapi.json");
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == openapi_json(),
            "docs/protocol/openapi.json is out of date; run: cargo run -p mngntime-server -- openapi > docs/protocol/openapi.json"
        );
    }
}
