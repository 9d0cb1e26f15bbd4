//! Installing, from a registry that misbehaves.

use std::path::{Path, PathBuf};

use headwater_warehouse::setup::{Package, Pin, Registry, SetupError, Source, Step, install, verify};

use crate::registry::{Manner, Server};

/// An archive like npm's, with a library of noise in it.
fn archive(library: &[u8], names: &[&str]) -> Vec<u8> {
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for name in names {
        let mut header = tar::Header::new_gnu();
        header.set_size(library.len() as u64);
        header.set_mode(0o755);
        tar.append_data(&mut header, name, library).expect("it fits");
    }
    tar.into_inner().and_then(flate2::write::GzEncoder::finish).expect("it fits")
}

fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

fn sha256(bytes: &[u8]) -> &'static str {
    use sha2::Digest;
    let digits: Vec<_> = sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    digits.concat().leak()
}

struct Case {
    folder: tempfile::TempDir,
    library: Vec<u8>,
    archive: Vec<u8>,
    package: Package,
}

impl Case {
    fn new() -> Self {
        let library = noise(300_000);
        let archive = archive(&library, &["package/package.json", "package/libchdb.so", "package/other"]);
        let pin = Pin {
            archive_sha256: sha256(&archive),
            archive_bytes: archive.len() as u64,
            library_sha256: sha256(&library),
            library_bytes: library.len() as u64,
        };
        let package =
            Package { scope: "@test", name: "lib", version: "1.0.0", library: "libchdb.so", pin: Some(pin) };
        Self { folder: tempfile::tempdir().expect("a folder"), library, archive, package }
    }

    fn engines(&self) -> PathBuf {
        self.folder.path().join("engine")
    }

    fn partial(&self) -> PathBuf {
        self.engines().join("lib-1.0.0.tgz.partial")
    }

    fn from(&self, source: &Source) -> Result<PathBuf, SetupError> {
        install(&self.package, &self.engines(), source, &mut |_| {})
    }

    fn fetch(&self, manners: &[Manner]) -> (Result<PathBuf, SetupError>, Server) {
        let server = Server::start(self.archive.clone(), manners);
        let source = Source::Registry(Registry::at(&server.url));
        (self.from(&source), server)
    }

    /// The whole library, and nothing beside it.
    fn assert_installed(&self, path: &Path) {
        assert_eq!(path, self.engines().join("1.0.0/libchdb.so"));
        assert_eq!(std::fs::read(path).expect("readable"), self.library);
        let mut names: Vec<_> = std::fs::read_dir(self.engines())
            .expect("readable")
            .map(|e| e.expect("readable").file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        assert_eq!(names, [".lock", "1.0.0"]);
        assert_eq!(std::fs::read_dir(self.engines().join("1.0.0")).expect("readable").count(), 1);
    }
}

#[test]
fn a_package_is_fetched_once() {
    let case = Case::new();
    let (path, server) = case.fetch(&[Manner::Well]);
    case.assert_installed(&path.expect("installed"));
    assert_eq!(server.seen.lock().expect("not poisoned")[0].0, "/@test/lib/-/lib-1.0.0.tgz");
    let (path, server) = case.fetch(&[Manner::Status(500)]);
    case.assert_installed(&path.expect("there"));
    assert!(server.ranges().is_empty(), "nothing is asked for what is there");
    verify(&case.package, &case.engines().join("1.0.0/libchdb.so")).expect("whole");
    std::fs::write(case.engines().join("1.0.0/libchdb.so"), "changed").expect("a file");
    let changed = verify(&case.package, &case.engines().join("1.0.0/libchdb.so"));
    assert!(matches!(changed, Err(SetupError::Checksum { .. })));
}

#[test]
fn a_cut_connection_is_taken_up_again_where_it_broke() {
    let case = Case::new();
    let (path, server) = case.fetch(&[Manner::CutAfter(100_000), Manner::CutAfter(50_000), Manner::Well]);
    case.assert_installed(&path.expect("installed"));
    let ranges = server.ranges();
    assert_eq!(ranges.len(), 3);
    assert_eq!(ranges[0], None);
    assert_eq!(ranges[1].as_deref(), Some("bytes=100000-"));
    assert_eq!(ranges[2].as_deref(), Some("bytes=150000-"));
}

#[test]
fn the_next_run_goes_on_where_this_one_gave_up() {
    let case = Case::new();
    let (result, _) = case.fetch(&[Manner::CutAfter(100_000), Manner::Status(503)]);
    let Err(error @ SetupError::Network { kept: 100_000, .. }) = result else { panic!("{result:?}") };
    assert!(error.to_string().contains("Run it again"), "{error}");
    assert_eq!(case.partial().metadata().expect("kept").len(), 100_000);
    let (path, server) = case.fetch(&[Manner::Well]);
    case.assert_installed(&path.expect("installed"));
    assert_eq!(server.ranges(), [Some("bytes=100000-".to_owned())]);
}

#[test]
fn registries_without_ranges_start_again() {
    let case = Case::new();
    let (path, _) = case.fetch(&[Manner::CutAfter(100_000), Manner::NoRanges]);
    case.assert_installed(&path.expect("installed"));
    let case = Case::new();
    let (path, server) = case.fetch(&[Manner::CutAfter(100_000), Manner::WrongPart, Manner::Well]);
    case.assert_installed(&path.expect("installed"));
    assert_eq!(server.ranges().last(), Some(&None), "what it sent cannot be trusted to fit");
}

#[test]
fn another_file_is_not_installed() {
    let case = Case::new();
    let mut other = case.archive.clone();
    other[1000] ^= 1;
    let server = Server::start(other, &[Manner::Well]);
    let result = case.from(&Source::Registry(Registry::at(&server.url)));
    let Err(error @ SetupError::Checksum { removed: true, .. }) = result else { panic!("{result:?}") };
    assert!(error.to_string().contains("SHA-256"), "{error}");
    assert!(!case.partial().exists() && !case.engines().join("1.0.0").exists());
    // A left-over that is longer than the archive can be is not continued.
    std::fs::write(case.partial(), vec![0; case.archive.len() + 1]).expect("a file");
    let (path, server) = case.fetch(&[Manner::Well]);
    case.assert_installed(&path.expect("installed"));
    assert_eq!(server.ranges(), [None]);
}

#[test]
fn what_the_registry_does_not_have_is_said_at_once() {
    let case = Case::new();
    let (result, server) = case.fetch(&[Manner::Status(404)]);
    let Err(error @ SetupError::Refused { status: 404, .. }) = result else { panic!("{result:?}") };
    assert!(error.to_string().contains("npm pack @test/lib@1.0.0"), "{error}");
    assert_eq!(server.ranges().len(), 1);
    let mut case = Case::new();
    case.package.pin = None;
    let (result, server) = case.fetch(&[Manner::Well]);
    assert!(matches!(result, Err(SetupError::NotPinned(_))), "nothing unknown is downloaded: {result:?}");
    assert!(server.ranges().is_empty());
}

#[test]
fn a_file_is_as_good_as_a_registry() {
    let case = Case::new();
    let file = case.folder.path().join("brought.tgz");
    std::fs::write(&file, &case.archive).expect("a file");
    case.assert_installed(&case.from(&Source::File(file.clone())).expect("installed"));
    assert!(file.exists(), "it is the user's");
    // A damaged one is refused and left alone.
    let case = Case::new();
    let file = case.folder.path().join("brought.tgz");
    std::fs::write(&file, &case.archive[..1000]).expect("a file");
    let result = case.from(&Source::File(file.clone()));
    assert!(matches!(result, Err(SetupError::Checksum { removed: false, .. })), "{result:?}");
    assert!(file.exists());
    let none = case.from(&Source::File("/nowhere/x.tgz".into()));
    assert!(matches!(none, Err(SetupError::Io { .. })), "{none:?}");
}

#[test]
fn archives_that_nobody_knows_must_at_least_be_archives() {
    let mut case = Case::new();
    case.package.pin = None;
    let file = case.folder.path().join("brought.tgz");
    let check = |bytes: &[u8], what: &str| {
        std::fs::write(&file, bytes).expect("a file");
        let result = case.from(&Source::File(file.clone()));
        assert!(
            matches!(&result, Err(SetupError::NotAnArchive { detail, .. }) if detail.contains(what)),
            "{result:?}"
        );
        assert!(!case.engines().join("1.0.0").exists());
    };
    check(b"no archive", "gzip");
    check(&archive(b"x", &["package/other"]), "there is no package/libchdb.so");
    check(&archive(b"x", &["libchdb.so", "else/package/libchdb.so"]), "there is no package/libchdb.so");
    std::fs::write(&file, &case.archive).expect("a file");
    case.assert_installed(&case.from(&Source::File(file.clone())).expect("installed"));
}

#[test]
fn two_at_once_do_not_collide() {
    let case = Case::new();
    let server = Server::start(case.archive.clone(), &[Manner::Well]);
    let source = Source::Registry(Registry::at(&server.url));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| case.assert_path(&source));
        }
    });
    case.assert_installed(&case.engines().join("1.0.0/libchdb.so"));
    assert_eq!(server.ranges().len(), 1, "one fetches, the others find");
}

impl Case {
    fn assert_path(&self, source: &Source) {
        assert!(self.from(source).expect("installed").is_file());
    }
}

#[test]
fn progress_never_goes_back_and_ends_whole() {
    let case = Case::new();
    let server = Server::start(case.archive.clone(), &[Manner::CutAfter(100_000), Manner::Well]);
    let mut steps = Vec::new();
    let source = Source::Registry(Registry::at(&server.url));
    install(&case.package, &case.engines(), &source, &mut |step| steps.push(step)).expect("installed");
    let total = case.archive.len() as u64;
    let downloaded: Vec<_> = steps
        .iter()
        .filter_map(|s| if let Step::Downloading(n, t) = s { Some((*n, *t)) } else { None })
        .collect();
    assert!(downloaded.is_sorted() && downloaded.iter().all(|d| d.1 == total));
    assert_eq!(downloaded.last(), Some(&(total, total)));
    assert_eq!(steps.last(), Some(&Step::Unpacking(300_000, 300_000)));
}

#[test]
fn proxies_of_the_environment_are_used() {
    let case = Case::new();
    let proxy = Server::start(case.archive.clone(), &[Manner::Well]);
    let run = |no_proxy: &str| {
        let output = std::process::Command::new(std::env::current_exe().expect("a path"))
            .args(["--exact", "setup::helper_fetch_from_a_host_that_is_not_there", "--nocapture"])
            .env(crate::HELPER, case.folder.path())
            .env("HTTP_PROXY", &proxy.url)
            .env("http_proxy", &proxy.url)
            .env("NO_PROXY", no_proxy)
            .env("no_proxy", no_proxy)
            .output()
            .expect("it starts");
        output.status.success()
    };
    assert!(!run("registry.invalid"), "NO_PROXY goes straight to a host that is not there");
    assert!(proxy.ranges().is_empty());
    assert!(run(""));
    let seen = proxy.seen.lock().expect("not poisoned").clone();
    let asked: Vec<_> = seen.iter().map(|s| s.0.as_str()).collect();
    assert_eq!(asked, ["CONNECT registry.invalid:80 HTTP/1.1", "/@test/lib/-/lib-1.0.0.tgz"]);
}

/// Started by the test above; by itself it does nothing.
#[test]
fn helper_fetch_from_a_host_that_is_not_there() {
    let Some(folder) = std::env::var_os(crate::HELPER) else { return };
    let case = Case::new();
    let engines = Path::new(&folder).join("through-a-proxy");
    let source = Source::Registry(Registry::at("http://registry.invalid"));
    install(&case.package, &engines, &source, &mut |_| {}).expect("installed");
}
