//! Which package holds the engine for which machine.

use std::path::{Path, PathBuf};

/// An npm package with the engine's library in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its scope, with the `@`.
    pub scope: &'static str,
    /// Its name behind the scope.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The library's file name inside.
    pub library: &'static str,
    /// What it must be, byte for byte. Without it nothing is downloaded.
    pub pin: Option<Pin>,
}

/// Checksums and sizes of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// SHA-256 of the archive, in hexadecimal digits.
    pub archive_sha256: &'static str,
    /// Size of the archive, bytes.
    pub archive_bytes: u64,
    /// SHA-256 of the library.
    pub library_sha256: &'static str,
    /// Size of the library, bytes.
    pub library_bytes: u64,
}

/// The engine that everything here is measured with. npm's `latest` tag is older.
const VERSION: &str = "26.7.3-stable.1";

const fn package(name: &'static str, pin: Option<Pin>) -> Package {
    Package { scope: "@chdb", name, version: VERSION, library: "libchdb.so", pin }
}

const LINUX_X64: Package = package(
    "lib-linux-x64-gnu",
    Some(Pin {
        archive_sha256: "c0d32b129e988f2b9a9a31c9141aecf5e1e2453f9a079efc4d36ab8e3f92b2ad",
        archive_bytes: 177_817_999,
        library_sha256: "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5",
        library_bytes: 566_330_096,
    }),
);
// Not pinned: `chdb` 3.4.0 names these beside the first, at the same version, but where that one was measured the registry
// answered 404 for them (November 2026). A pin is four lines from `npm pack` and `sha256sum`.
const LINUX_ARM64: Package = package("lib-linux-arm64-gnu", None);
const DARWIN_ARM64: Package = package("lib-darwin-arm64", None);
const DARWIN_X64: Package = package("lib-darwin-x64", None);

impl Package {
    /// The one for the machine that this program was built for.
    pub fn here() -> Option<&'static Self> {
        if cfg!(target_env = "musl") {
            return None;
        }
        Self::of(std::env::consts::OS, std::env::consts::ARCH)
    }

    /// The one for an operating system and an architecture, as Rust names them.
    pub fn of(os: &str, arch: &str) -> Option<&'static Self> {
        Some(match (os, arch) {
            ("linux", "x86_64") => &LINUX_X64,
            ("linux", "aarch64") => &LINUX_ARM64,
            ("macos", "aarch64") => &DARWIN_ARM64,
            ("macos", "x86_64") => &DARWIN_X64,
            _ => return None,
        })
    }

    /// `@scope/name@version`, as npm's command line takes it.
    pub fn spec(&self) -> String {
        format!("{}/{}@{}", self.scope, self.name, self.version)
    }

    /// The archive's file name, as registries name it.
    pub fn archive_name(&self) -> String {
        format!("{}-{}.tgz", self.name, self.version)
    }

    /// Where its library lies below the folder of all engines.
    pub fn library_below(&self, engines: &Path) -> PathBuf {
        engines.join(self.version).join(self.library)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_that_has_an_engine_has_one() {
        for (os, arch) in
            [("linux", "x86_64"), ("linux", "aarch64"), ("macos", "aarch64"), ("macos", "x86_64")]
        {
            let package = Package::of(os, arch).expect("a package");
            assert!(package.spec().ends_with("@26.7.3-stable.1"));
            if let Some(pin) = &package.pin {
                assert!(pin.archive_sha256.len() == 64 && pin.library_sha256.len() == 64);
            }
        }
        assert_eq!(Package::of("windows", "x86_64"), None);
    }
}
