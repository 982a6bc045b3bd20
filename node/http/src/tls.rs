//! Certificate and key of a node, and the fingerprint people compare.
//!
//! Read from PEM files, or made at the first start and kept in a folder. The same material serves
//! the HTTP port and STARTTLS of the mail door.

use std::{
    fmt,
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use sha2::{Digest as _, Sha256};

/// Years for which a self-made certificate is valid; clients trust it by its fingerprint, so that
/// only its renewal would surprise them.
const SELF_SIGNED_YEARS: i32 = 10;

/// SHA-256 of a certificate (DER), as browsers and printers show it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// The fingerprint of a certificate in DER.
    #[must_use]
    pub fn of_certificate(der: &[u8]) -> Self {
        Self(Sha256::digest(der).into())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, octet) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(":")?;
            }
            write!(f, "{octet:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A text is no SHA-256 fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 fingerprint has 64 hexadecimal digits, with or without colons")]
pub struct FingerprintError;

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut octets = [0; 32];
        let mut digits = text.chars().filter(|c| *c != ':').map(|c| c.to_digit(16));
        for octet in &mut octets {
            let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
                return Err(FingerprintError);
            };
            *octet = u8::try_from(high << 4 | low).map_err(|_| FingerprintError)?;
        }
        if digits.next().is_some() { Err(FingerprintError) } else { Ok(Self(octets)) }
    }
}

/// What went wrong with certificate or key.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("could not read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file could not be written.
    #[error("could not write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The PEM text holds no certificate.
    #[error("there is no PEM certificate in {0}")]
    NoCertificate(String),
    /// The PEM text holds no private key.
    #[error("there is no PEM private key in {0}; an encrypted key must be decrypted first")]
    NoKey(String),
    /// One of the two files of a self-made certificate is missing.
    #[error("{} is missing although its partner is there; put it back or remove both files", missing.display())]
    HalfThere {
        /// The file that is not there.
        missing: PathBuf,
    },
    /// Certificate and key do not fit, or the key's kind is unknown.
    #[error("certificate and key cannot be used")]
    Unusable(#[source] rustls::Error),
    /// A certificate could not be made.
    #[error("could not make a self-signed certificate")]
    Make(#[source] rcgen::Error),
}

/// Certificate chain, key, and the settings made from them. Cheap to clone.
#[derive(Clone)]
pub struct TlsMaterial {
    web: Arc<ServerConfig>,
    plain: Arc<ServerConfig>,
    fingerprint: Fingerprint,
    self_signed: bool,
}

impl fmt::Debug for TlsMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsMaterial").field("fingerprint", &self.fingerprint).finish_non_exhaustive()
    }
}

/// The certificates in a PEM file, at least one.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn certificates_in(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    certificates_of(&read(path)?, &path.display().to_string())
}

fn certificates_of(pem: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or_else(|| TlsError::NoCertificate(name.into()))
}

impl TlsMaterial {
    /// Takes a certificate chain (leaf first) and its key from PEM texts.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        Self::from_named_pem(certificates, "the certificate text", key, "the key text")
    }

    /// Reads a certificate chain (leaf first) and its key from PEM files.
    pub fn from_pem_files(certificates: &Path, key: &Path) -> Result<Self, TlsError> {
        Self::from_named_pem(
            &read(certificates)?,
            &certificates.display().to_string(),
            &read(key)?,
            &key.display().to_string(),
        )
    }

    /// Uses `cert.pem` and `key.pem` in `folder`, or makes them for `names` (DNS names and IP
    /// addresses; the first is the subject) if neither is there. The key's file mode is 0600.
    pub fn load_or_self_signed(folder: &Path, names: &[String]) -> Result<Self, TlsError> {
        let (certificate_path, key_path) = (folder.join("cert.pem"), folder.join("key.pem"));
        match (certificate_path.exists(), key_path.exists()) {
            (true, true) => {}
            (true, false) => return Err(TlsError::HalfThere { missing: key_path }),
            (false, true) => {
                return Err(TlsError::HalfThere { missing: certificate_path });
            }
            (false, false) => {
                let (certificate, key) = make_self_signed(names)?;
                fs::create_dir_all(folder).map_err(|cause| TlsError::Write { path: folder.into(), cause })?;
                write_new(&key_path, key.as_bytes(), 0o600)?;
                write_new(&certificate_path, certificate.as_bytes(), 0o644)?;
            }
        }
        let mut material = Self::from_pem_files(&certificate_path, &key_path)?;
        material.self_signed = true;
        Ok(material)
    }

    /// Makes a certificate that lives only as long as this process; for tests and demonstrations.
    pub fn ephemeral(names: &[String]) -> Result<Self, TlsError> {
        let (certificate, key) = make_self_signed(names)?;
        let mut material = Self::from_pem(certificate.as_bytes(), key.as_bytes())?;
        material.self_signed = true;
        Ok(material)
    }

    fn from_named_pem(
        certificates: &[u8],
        certificates_name: &str,
        key: &[u8],
        key_name: &str,
    ) -> Result<Self, TlsError> {
        let chain = certificates_of(certificates, certificates_name)?;
        let leaf = chain.first().ok_or_else(|| TlsError::NoCertificate(certificates_name.into()))?;
        let fingerprint = Fingerprint::of_certificate(leaf);
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::NoKey(key_name.into()))?;
        let mut plain = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(TlsError::Unusable)?;
        // Sessions are resumed by tickets that we do not issue: printers and mail servers gain
        // little, and a server-side cache is memory per stranger.
        plain.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        plain.send_tls13_tickets = 0;
        let mut web = plain.clone();
        web.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { web: Arc::new(web), plain: Arc::new(plain), fingerprint, self_signed: false })
    }

    /// SHA-256 of the leaf certificate.
    #[must_use]
    pub const fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// Whether the certificate was made by ourselves.
    #[must_use]
    pub const fn is_self_signed(&self) -> bool {
        self.self_signed
    }

    /// Settings for a protocol without ALPN, such as SMTP.
    #[must_use]
    pub fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.plain)
    }

    /// Settings for HTTP, with "h2" and "http/1.1" offered by ALPN.
    #[must_use]
    pub fn http_server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.web)
    }
}

/// The ring provider, given by hand to every rustls configuration.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn make_self_signed(names: &[String]) -> Result<(String, String), TlsError> {
    let names = if names.is_empty() { vec!["localhost".to_owned()] } else { names.to_vec() };
    let subject = names[0].clone();
    let mut params = CertificateParams::new(names).map_err(TlsError::Make)?;
    params.distinguished_name.push(DnType::CommonName, subject);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let (year, month, day) = today();
    // The day before, for clients whose clock is a little behind.
    params.not_before = rcgen::date_time_ymd(year, month, day) - std::time::Duration::from_secs(86_400);
    params.not_after = rcgen::date_time_ymd(year + SELF_SIGNED_YEARS, month, day.min(28));
    let key = KeyPair::generate().map_err(TlsError::Make)?;
    let certificate = params.self_signed(&key).map_err(TlsError::Make)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Year, month and day now, in UTC (days to civil date, proleptic Gregorian).
fn today() -> (i32, u8, u8) {
    let days = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() / 86_400);
    civil_from_days(i64::try_from(days).unwrap_or(0))
}

fn civil_from_days(days: i64) -> (i32, u8, u8) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (i32::try_from(year).unwrap_or(1970), u8::try_from(month).unwrap_or(1), u8::try_from(day).unwrap_or(1))
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|cause| TlsError::Read { path: path.into(), cause })
}

/// Writes a file under another name first, so that a crash leaves no half file.
fn write_new(path: &Path, octets: &[u8], mode: u32) -> Result<(), TlsError> {
    let temporary = path.with_extension("new");
    let write = || {
        // A leftover of an earlier crash may have another mode.
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&temporary)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|cause| TlsError::Write { path: path.into(), cause })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn makes_a_certificate_once_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["print.example".to_owned(), "127.0.0.1".to_owned()];
        let first = TlsMaterial::load_or_self_signed(folder.path(), &names).unwrap();
        let second = TlsMaterial::load_or_self_signed(folder.path(), &names).unwrap();
        assert_eq!(first.fingerprint(), second.fingerprint());
        let mode = fs::metadata(folder.path().join("key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_missing_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        TlsMaterial::load_or_self_signed(folder.path(), &[]).unwrap();
        fs::remove_file(folder.path().join("key.pem")).unwrap();
        let error = TlsMaterial::load_or_self_signed(folder.path(), &[]).unwrap_err();
        assert!(error.to_string().contains("key.pem is missing"), "{error}");
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let (certificate, _) = make_self_signed(&[]).unwrap();
        let (_, key) = make_self_signed(&[]).unwrap();
        assert!(matches!(TlsMaterial::from_pem(certificate.as_bytes(), key.as_bytes()), Err(TlsError::Unusable(_))));
        assert!(matches!(TlsMaterial::from_pem(b"", key.as_bytes()), Err(TlsError::NoCertificate(_))));
        assert!(matches!(TlsMaterial::from_pem(certificate.as_bytes(), b""), Err(TlsError::NoKey(_))));
    }

    #[test]
    fn fingerprints_are_read_as_they_are_shown() {
        let fingerprint = Fingerprint::of_certificate(b"certificate");
        assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
        assert_eq!(fingerprint.to_string().replace(':', "").to_lowercase().parse(), Ok(fingerprint));
        assert_eq!("AB:CD".parse::<Fingerprint>(), Err(FingerprintError));
        assert_eq!(format!("{fingerprint}00").parse::<Fingerprint>(), Err(FingerprintError));
    }

    #[test]
    fn days_become_dates() {
        assert_eq!(civil_from_days(0), (1970, 1, 1));
        assert_eq!(civil_from_days(11_016), (2000, 2, 29));
        assert_eq!(civil_from_days(20_778), (2026, 11, 21));
    }
}
