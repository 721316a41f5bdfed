//! Every way to sign in, in real Chromium: `e2e/browser/sign-in.mjs` against a server with a host name and another
//! provider. Passkeys come from Chromium's virtual authenticator, the provider is npm's `oidc-provider` on loopback.
//! Screenshots are left in `target/screenshots/sign-in`.

use std::process::Command;

use anyhow::{Result, ensure};
use mngntime_e2e::bus::short_directory;
use mngntime_e2e::server::{CONTRACT, LOGIN, PASSWORD, Server};
use mngntime_e2e::vm::free_port;
use mngntime_e2e::{root, target_dir};

/// Login of somebody whose address the provider has verified.
const KNOWN: &str = "hanako@example.jp";
const SECRET: &str = "a secret between two programs on loopback";

#[test]
fn passkeys_codes_and_another_provider_sign_in_and_nothing_else_does() -> Result<()> {
    let (_directory, path) = short_directory()?;
    let mut server = Server::create(&path.join("server"), false)?;
    let words = ["admin", "create", "--login", KNOWN, "--contract", CONTRACT, "--password-stdin"];
    server.command(&words, Some(PASSWORD))?;
    let (port, secret_file) = (free_port()?, path.join("client-secret"));
    std::fs::write(&secret_file, SECRET)?;
    let url = format!("http://localhost:{}", server.port());
    server.configure(&[
        ("public_url", &url),
        ("oidc_issuer", &format!("http://127.0.0.1:{port}")),
        ("oidc_name", "Example ID"),
        ("oidc_client_id", "mngntime"),
        ("oidc_client_secret_file", &secret_file.display().to_string()),
        ("oidc_login_claim", "email"),
        ("oidc_contract", CONTRACT),
    ])?;
    server.start()?;
    let output = Command::new("node")
        .arg("sign-in.mjs")
        .current_dir(root().join("e2e/browser"))
        .env("MNGNTIME_URL", &url)
        .env("MNGNTIME_LOGIN", LOGIN)
        .env("MNGNTIME_PASSWORD", PASSWORD)
        .env("PROVIDER_PORT", port.to_string())
        .env("PROVIDER_SECRET", SECRET)
        .env("PROVIDER_LOGIN", KNOWN)
        .env("OUT", target_dir().join("screenshots/sign-in"))
        .output()?;
    let report = String::from_utf8_lossy(&output.stdout);
    println!("{report}");
    ensure!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    server.stop()
}
