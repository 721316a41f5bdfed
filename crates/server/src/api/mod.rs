//! The HTTP API for programs, and its description.
//!
//! [`documented`] and [`undocumented`] are the tables of routes: each names its action, and there is no way to add a
//! route without one. [`guard`] refuses before a handler runs.

pub mod days;
mod guard;
pub mod health;
pub mod punches;

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, get};
use mngntime_wire::{Batch, EnrollmentAnswer, EnrollmentRequest, Receipt};
use utoipa::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use crate::access::Action;
use crate::access::matrix::Entry;
use crate::app::Shared;
use crate::ingest::{enrollment, events};
use crate::problem::Failure;

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
            .description(Some(
                "Login and password of somebody whose role may read attendance and who has no second factor.",
            ))
            .build();
        let token = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token made on the page /me/security: it reads and changes nothing."))
            .build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme("basic", SecurityScheme::Http(basic));
        components.add_security_scheme("token", SecurityScheme::Http(token));
    }
}

/// How many of a list are asked for at once.
fn limit(wanted: Option<usize>, default: usize, most: usize) -> Result<usize, Failure> {
    match wanted.unwrap_or(default) {
        limit if (1..=most).contains(&limit) => Ok(limit),
        _ => Err(Failure::bad_request("bad_query", format!("The parameter limit must be 1 to {most}."))),
    }
}

/// An answer of JSON lines, with what else its headers say.
fn json_lines(
    lines: String,
    headers: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<Response, Failure> {
    let mut response = ([(header::CONTENT_TYPE, "application/jsonl")], lines).into_response();
    for (name, value) in headers {
        let value = HeaderValue::from_str(&value).map_err(Failure::internal)?;
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
    Ok(response)
}

/// Routes that are part of the description.
fn documented() -> Vec<(Action, UtoipaMethodRouter<Shared>)> {
    vec![
        (Action::PublicIngest, routes!(events::receive)),
        (Action::PublicIngest, routes!(enrollment::enroll)),
        (Action::PunchesRead, routes!(punches::list)),
        (Action::PunchesRead, routes!(days::list)),
        (Action::PublicHealth, routes!(health::healthz)),
    ]
}

/// Routes that describe or measure the server itself; all of them answer GET.
fn undocumented() -> Vec<(Action, &'static str, MethodRouter<Shared>)> {
    vec![
        (Action::PublicDescription, "/api/openapi.json", get(description)),
        (Action::PublicMetrics, "/metrics", get(health::metrics)),
    ]
}

/// All routes, guarded.
pub fn router(app: &Shared) -> Router<Shared> {
    let documented = documented().into_iter().fold(OpenApiRouter::new(), |all, (action, route)| {
        let (schemas, paths, handlers) = route;
        all.routes((schemas, paths, guard::protect(app, action, handlers)))
    });
    let (documented, _) = documented.split_for_parts();
    undocumented().into_iter().fold(documented, |all, (action, path, handlers)| {
        all.route(path, guard::protect(app, action, handlers))
    })
}

/// Every route with its action.
#[must_use]
pub fn entries() -> Vec<Entry> {
    let undocumented = undocumented().into_iter().map(|(action, path, _)| Entry {
        path: path.to_owned(),
        method: "GET".to_owned(),
        action,
    });
    let documented = documented().into_iter().flat_map(|(action, (_, paths, _))| {
        paths.paths.into_iter().map(move |(path, item)| Entry {
            path,
            method: if item.get.is_some() { "GET" } else { "POST" }.to_owned(),
            action,
        })
    });
    undocumented.chain(documented).collect()
}

async fn description() -> ([(axum::http::HeaderName, &'static str); 1], String) {
    ([(axum::http::header::CONTENT_TYPE, "application/json")], openapi_json())
}

/// The description as JSON, as served and as kept in `docs/protocol/openapi.json`.
#[must_use]
pub fn openapi_json() -> String {
    let all = documented()
        .into_iter()
        .fold(OpenApiRouter::with_openapi(Description::openapi()), |all, (_, route)| all.routes(route));
    let (_, openapi) = all.split_for_parts();
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
