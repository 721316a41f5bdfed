//! `/terminals/enroll`: how the PCs of a contract become terminals, one or five thousand.

use std::net::IpAddr;

use axum::extract::{Path, State};
use axum::http::{Uri, header};
use axum::response::{IntoResponse as _, Response};

use super::views::{self, render};
use crate::access::Action;
use crate::packages::{self, Package, PackagesError};
use crate::web::WebState;
use crate::web::chrome::{Chrome, Place};
use crate::web::errors::WebError;
use crate::web::session::Visit;

/// A package of the list.
#[derive(Debug, Clone)]
pub struct PackageRow {
    /// Its file's name.
    pub name: String,
    /// Where it is.
    pub href: String,
    /// Its size, in words.
    pub size: String,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// What goes where on the PCs, with this contract's values.
#[derive(Debug, Clone)]
pub struct Snippets {
    /// The server's address as PCs see it.
    pub url: String,
    /// 契約主コード.
    pub contract: String,
    /// The enrolment key, or words that stand for it.
    pub key: String,
    /// Name of the MSI file.
    pub msi: String,
    /// The group policy templates, where this server has them.
    pub policy: Option<PackageRow>,
    /// Whether that address leads other PCs to themselves.
    pub is_local: bool,
}

/// Whether an address means whatever host it is used on.
fn is_local(url: &str) -> bool {
    let authority = url.parse::<Uri>().ok().and_then(|url| url.authority().cloned());
    let Some(authority) = authority else { return false };
    let host = authority.host().trim_matches(['[', ']']);
    let address: Option<IpAddr> = host.parse().ok();
    let local = address.is_some_and(|address| address.is_loopback() || address.is_unspecified());
    local || host.eq_ignore_ascii_case("localhost")
}

impl Snippets {
    /// The snippets of a contract; `key` when it is known.
    #[must_use]
    pub fn new(state: &WebState, contract: &str, key: Option<&str>, c: &Chrome) -> Self {
        let language = if c.japanese() { "ja-JP" } else { "en-US" };
        Self {
            policy: None,
            url: state.public_url.clone(),
            is_local: is_local(&state.public_url),
            contract: contract.to_owned(),
            key: key.map_or_else(|| c.t("steps-key"), str::to_owned),
            msi: format!("MngnTime-{}-x64-{language}.msi", env!("CARGO_PKG_VERSION")),
        }
    }

    /// Names the MSI that is there, the newest in the page's language, else the newest of all; and the newest
    /// templates, which `xtask dist windows` calls so.
    pub(super) fn naming(mut self, packages: &[Package], c: &Chrome) -> Self {
        let language = if c.japanese() { "ja-JP" } else { "en-US" };
        let msi = |package: &&Package| package.name.to_ascii_lowercase().ends_with(".msi");
        let all: Vec<_> = packages.iter().filter(msi).collect();
        let ours = all.iter().rfind(|package| package.name.contains(language));
        if let Some(package) = ours.or(all.last()) {
            self.msi = package.name.clone();
        }
        let policy = packages.iter().rfind(|package| package.name.ends_with("-PolicyDefinitions.zip"));
        self.policy = policy.map(row);
        self
    }
}

/// `GET /terminals/enroll`
///
/// # Errors
/// [`WebError`] when the person may not see terminals.
pub async fn page(State(state): State<WebState>, visit: Visit) -> Result<Response, WebError> {
    visit.permit(Action::TerminalsRead)?;
    let listed = listed(&state).await;
    let unreadable = listed.is_none();
    let listed = listed.unwrap_or_default();
    let code = visit.contract_code();
    let may_make_keys = visit.may(Action::EnrolmentKeysChange);
    let c = visit.chrome.at(Place::Terminals);
    render(&views::Rollout {
        packages: listed.iter().map(row).collect(),
        unreadable,
        downloads: state.foot.downloads.clone(),
        snippets: Snippets::new(&state, &code, None, &c).naming(&listed, &c),
        may_make_keys,
        c,
    })
}

/// The packages; `None` when they cannot be read. Pages are of use without them; the operator has to hear of it.
pub(super) async fn listed(state: &WebState) -> Option<Vec<Package>> {
    let packages = state.packages.clone();
    let listed =
        tokio::task::spawn_blocking(move || packages.list()).await.unwrap_or_else(|_| Ok(Vec::new()));
    let report = |error: &PackagesError| {
        tracing::error!(error = crate::problem::chain(error), "the packages cannot be listed");
    };
    listed.inspect_err(report).ok()
}

fn row(package: &Package) -> PackageRow {
    PackageRow {
        name: package.name.clone(),
        href: format!("/terminals/packages/{}", package.name),
        size: size(package.bytes),
        sha256: package.sha256.clone(),
    }
}

/// `12.3 MB`, by thousands.
fn size(bytes: u64) -> String {
    match bytes {
        ..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// `GET /terminals/packages/{name}`
///
/// # Errors
/// [`WebError`] when the person may not see terminals, there is no such package, or it cannot be read.
pub async fn package(
    State(state): State<WebState>,
    visit: Visit,
    Path(name): Path<String>,
) -> Result<Response, WebError> {
    visit.permit(Action::TerminalsRead)?;
    let (packages, wanted) = (state.packages.clone(), name.clone());
    let opened = tokio::task::spawn_blocking(move || packages.open(&wanted)).await;
    let (file, bytes) = opened.unwrap_or(Ok(None))?.ok_or(WebError::NotFound)?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        // Names of packages are letters, digits and a few plain signs.
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
    ];
    Ok((headers, packages::body(file)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_means_every_host_is_known() {
        for local in ["http://127.0.0.1:8320", "https://LOCALHOST", "http://[::1]:8320/", "http://0.0.0.0:1"]
        {
            assert!(is_local(local), "{local}");
        }
        for other in
            ["https://time.example", "http://192.168.0.5:8320", "https://localhost.example", "", "x y"]
        {
            assert!(!is_local(other), "{other}");
        }
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!([999, 1_000, 999_949, 12_345_678].map(size), ["999 B", "1.0 kB", "999.9 kB", "12.3 MB"]);
    }
}
