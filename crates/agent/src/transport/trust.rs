//! Whose certificates count: the OS's word, or the authorities in `ca_file`.
//!
//! Both are asked one by one rather than mixed into one list. So Windows' own engine stays in charge of
//! what it knows (corporate roots, distrust, revocation), and `ca_file` works the same everywhere.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// TLS as this PC and `ca_file` want it.
///
/// # Errors
/// When the file cannot be used, or the OS has no certificates; in words.
pub(super) fn client_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let extra = ca_file.map(|path| extra_authorities(path, &provider)).transpose()?;
    let system = match (Verifier::new(Arc::clone(&provider)), &extra) {
        (Ok(verifier), _) => Some(verifier),
        // A system without any certificates of its own is no reason not to trust the file.
        (Err(_), Some(_)) => None,
        (Err(error), None) => return Err(format!("the certificate authorities of this system: {error}")),
    };
    let verifier = Arc::new(Trust { system, extra, provider: Arc::clone(&provider) });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?;
    Ok(Arc::new(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()))
}

fn extra_authorities(
    path: &Path,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, String> {
    let name = path.display();
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| format!("ca_file {name}: {e}"))? {
        let certificate = certificate.map_err(|e| format!("ca_file {name}: {e}"))?;
        roots.add(certificate).map_err(|e| format!("ca_file {name}: {e}"))?;
    }
    if roots.is_empty() {
        return Err(format!("ca_file {name} holds no certificate"));
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|e| format!("ca_file {name}: {e}"))
}

/// The OS's verifier, and the file's.
#[derive(Debug)]
struct Trust {
    system: Option<Verifier>,
    extra: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        // The file first: it needs no network, while the OS may look for revocation lists.
        let by_file = self.extra.as_ref().map(|extra| {
            extra.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        });
        let by_system = |system: &Verifier| {
            system.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        match (by_file, &self.system) {
            (Some(Ok(verified)), _) => Ok(verified),
            // Where the system knows nothing of the authority, what the file's says is the news.
            (Some(Err(by_file)), Some(system)) => {
                by_system(system).map_err(|error| if is_unknown_authority(&error) { by_file } else { error })
            }
            (Some(Err(error)), None) => Err(error),
            (None, Some(system)) => by_system(system),
            (None, None) => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn is_unknown_authority(error: &Error) -> bool {
    matches!(error, Error::InvalidCertificate(CertificateError::UnknownIssuer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_no_certificate_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("ca.pem");
        assert!(client_config(Some(&path)).unwrap_err().contains("ca.pem"));
        std::fs::write(&path, "no certificate").unwrap();
        assert!(client_config(Some(&path)).unwrap_err().contains("holds no certificate"));
        std::fs::write(&path, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
        assert!(client_config(Some(&path)).unwrap_err().contains("ca_file"));
    }
}
