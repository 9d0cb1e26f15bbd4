//! Why the engine could not be installed, and what to do.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::package::Package;

/// Why the engine could not be installed.
#[derive(Debug)]
pub enum SetupError {
    /// No npm registry is configured on this machine.
    NoRegistry,
    /// This build does not know what the package must be, so it does not fetch it.
    NotPinned(Package),
    /// The registry does not hand out the package.
    Refused {
        /// The package.
        spec: String,
        /// The HTTP status.
        status: u16,
    },
    /// The connection failed, again and again.
    Network {
        /// What happened last.
        detail: String,
        /// Bytes that are here: the next run continues behind them.
        kept: u64,
    },
    /// A file is not what it must be.
    Checksum {
        /// The file.
        file: PathBuf,
        /// The SHA-256 that it must have.
        expected: String,
        /// The one that it has.
        found: String,
        /// It came from the network and is removed, so that the next run fetches it anew.
        removed: bool,
    },
    /// The archive holds no library, or is no archive.
    NotAnArchive {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file or folder cannot be read or written.
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRegistry => f.write_str(
                "no npm registry is configured: install npm, or set npm_config_registry to the address of one, or bring the package's archive yourself with --from FILE.tgz",
            ),
            Self::NotPinned(package) => write!(
                f,
                "this version of headwater does not know the checksum of {}, so it does not download it: run `npm pack {}` and then `headwater setup --from` with the file that it makes",
                package.spec(),
                package.spec()
            ),
            Self::Refused { spec, status } => write!(
                f,
                "the npm registry answered {status} when asked for {spec}: is it a mirror that does not carry it? On a machine where `npm pack {spec}` works, make the archive and bring it with --from FILE.tgz"
            ),
            Self::Network { detail, kept } => {
                write!(f, "the download broke off: {detail}. Run it again")?;
                if *kept > 0 {
                    write!(f, ": it continues after {} MB", kept / 1_000_000)?;
                }
                f.write_str(". Behind a proxy set HTTPS_PROXY, and SSL_CERT_FILE when it has a certificate of its own")
            }
            Self::Checksum { file, expected, found, removed } => {
                write!(
                    f,
                    "{} is not the file that was published: its SHA-256 is {found}, it must be {expected}",
                    file.display()
                )?;
                f.write_str(if *removed {
                    ". It is removed: run it again. When that happens twice, something between here and the registry changes files"
                } else {
                    ". Get it again and run `headwater setup` anew"
                })
            }
            Self::NotAnArchive { file, detail } => {
                write!(f, "{} is no archive of the engine's npm package: {detail}", file.display())
            }
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for SetupError {}
