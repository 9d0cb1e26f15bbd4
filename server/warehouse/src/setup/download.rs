//! Fetches an archive into a `.partial` file, and goes on where an earlier attempt stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use super::package::{Package, Pin};
use super::registry::Registry;
use super::{SetupError, Step};

/// Attempts in a row that bring not one byte.
const ATTEMPTS: u32 = 4;
const CONNECT: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(60);
/// One response may take this long; then the next attempt asks for the rest. It is how a silent connection is noticed.
const BODY: Duration = Duration::from_secs(300);

/// Proxies come from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`; trusted certificates from the system, with
/// `SSL_CERT_FILE`.
fn agent() -> Agent {
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    Agent::config_builder()
        .tls_config(tls)
        .http_status_as_error(false)
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(ANSWER))
        .timeout_recv_body(Some(BODY))
        .user_agent(concat!("headwater/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// Returns when `partial` has as many bytes as the archive; what they are is not looked at.
pub(super) fn download(
    registry: &Registry,
    package: &Package,
    pin: &Pin,
    partial: &Path,
    progress: &mut dyn FnMut(Step),
) -> Result<(), SetupError> {
    let at = |error| SetupError::Io { path: partial.to_owned(), error };
    let total = pin.archive_bytes;
    let agent = agent();
    let mut fruitless = 0;
    loop {
        let mut have = fs::metadata(partial).map_or(0, |m| m.len());
        if have > total {
            // Left by another version of the archive, or by somebody else.
            File::create(partial).map_err(at)?;
            have = 0;
        }
        progress(Step::Downloading(have, total));
        if have == total {
            return Ok(());
        }
        let result = attempt(&agent, registry, package, have, total, partial, progress);
        let now = fs::metadata(partial).map_or(0, |m| m.len());
        fruitless = if now > have { 0 } else { fruitless + 1 };
        match result {
            Ok(()) => {}
            Err(Attempt::Refused(status)) => {
                return Err(SetupError::Refused { spec: package.spec(), status });
            }
            Err(Attempt::Disk(error)) => return Err(at(error)),
            Err(Attempt::Again(detail)) if fruitless >= ATTEMPTS => {
                return Err(SetupError::Network { detail, kept: now });
            }
            Err(Attempt::Again(_)) => std::thread::sleep(Duration::from_millis(250) * fruitless),
        }
    }
}

enum Attempt {
    /// The registry says no, and will say it again.
    Refused(u16),
    /// This machine's disk does.
    Disk(io::Error),
    /// The network, or a registry that has too much to do.
    Again(String),
}

fn attempt(
    agent: &Agent,
    registry: &Registry,
    package: &Package,
    have: u64,
    total: u64,
    partial: &Path,
    progress: &mut dyn FnMut(Step),
) -> Result<(), Attempt> {
    let mut request = agent.get(registry.archive_url(package)).header("accept-encoding", "identity");
    if let Some(authorization) = registry.authorization() {
        request = request.header("authorization", authorization);
    }
    if have > 0 {
        request = request.header("range", format!("bytes={have}-"));
    }
    let response = request.call().map_err(|e| Attempt::Again(e.to_string()))?;
    let start = match response.status().as_u16() {
        // Without ranges, or with another file there: from the beginning.
        200 => 0,
        206 if range_start(response.headers().get("content-range")) == Some(have) => have,
        206 | 416 => {
            File::create(partial).map_err(Attempt::Disk)?;
            return Err(Attempt::Again("the registry sent another part than was asked for".to_owned()));
        }
        status @ (408 | 425 | 429 | 500..) => {
            return Err(Attempt::Again(format!("the registry answered {status}")));
        }
        status => return Err(Attempt::Refused(status)),
    };
    let open = || -> io::Result<File> {
        let mut file = OpenOptions::new().create(true).truncate(false).write(true).open(partial)?;
        file.set_len(start)?;
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    };
    let mut file = open().map_err(Attempt::Disk)?;
    let mut body = response.into_body().into_reader().take(total - start);
    let mut buffer = vec![0; 1 << 16];
    let mut here = start;
    while here < total {
        match body.read(&mut buffer) {
            Ok(0) => return Err(Attempt::Again("the connection was closed early".to_owned())),
            Ok(length) => file.write_all(&buffer[..length]).map_err(Attempt::Disk)?,
            Err(error) => return Err(Attempt::Again(error.to_string())),
        }
        here = file.stream_position().map_err(Attempt::Disk)?;
        progress(Step::Downloading(here, total));
    }
    file.sync_all().map_err(Attempt::Disk)
}

/// The first byte of `bytes 100-199/200`.
fn range_start(header: Option<&ureq::http::HeaderValue>) -> Option<u64> {
    header?.to_str().ok()?.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}
