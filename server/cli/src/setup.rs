//! `headwater setup`: the SQL engine, on this machine, by this user's leave.

use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use headwater_warehouse::setup::{Package, Registry, Source, Step, install, verify};
use headwater_warehouse::{Found, LIBRARY_VARIABLE, Places, Pool, PoolConfig, Program, Request};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::args::SetupArgs;
use crate::{CannotRun, Verdict, print};

pub(crate) fn run(args: &SetupArgs) -> Result<Verdict, CannotRun> {
    let places = Places::from_env();
    if args.check {
        return check(&places);
    }
    let package = Package::here().ok_or_else(|| {
        CannotRun(format!(
            "there is no engine for this platform; on Windows use WSL, elsewhere set {LIBRARY_VARIABLE} to a library of your own"
        ))
    })?;
    let engines = places
        .engines()
        .ok_or_else(|| CannotRun("there is no folder for data: set HOME or XDG_DATA_HOME".to_owned()))?;
    let library = package.library_below(&engines);
    if library.is_file() {
        print(&format!("The engine is there: {}\n", library.display()));
        return Ok(Verdict::Fine);
    }
    let source = match &args.from {
        Some(file) => Source::File(file.into()),
        None => {
            let registry = Registry::configured(package);
            let registry = registry
                .ok_or_else(|| CannotRun(headwater_warehouse::setup::SetupError::NoRegistry.to_string()))?;
            if !args.yes {
                ask(package, &library)?;
            }
            Source::Registry(registry)
        }
    };
    let mut bar = Bar::default();
    let library = install(package, &engines, &source, &mut |step| bar.show(step))
        .map_err(|e| CannotRun(e.to_string()))?;
    bar.clear();
    let version = start(&library)?;
    print(&format!("Installed: {}\nThe engine runs: version {version}\n", library.display()));
    Ok(Verdict::Fine)
}

fn check(places: &Places) -> Result<Verdict, CannotRun> {
    let found = places.library().map_err(CannotRun)?;
    let (path, why) = match &found {
        Found::Named(path) => (path, format!("named by {LIBRARY_VARIABLE}, not verified")),
        Found::Installed(path) => {
            let package = Package::here().filter(|p| p.pin.is_some());
            if let Some(package) = package {
                verify(package, path).map_err(|e| {
                    CannotRun(format!("{e}. Remove {} first", path.parent().unwrap_or(path).display()))
                })?;
            }
            (path, if package.is_some() { "verified" } else { "its checksum is not known" }.to_owned())
        }
    };
    let version = start(path)?;
    print(&format!("{}\n{why}; it runs: version {version}\n", path.display()));
    Ok(Verdict::Fine)
}

/// That the file is there says little: only a statement shows that it runs on this system.
fn start(library: &Path) -> Result<String, CannotRun> {
    let program =
        Program::current().map_err(|e| CannotRun(format!("the path of this program is not known: {e}")))?;
    let answer = Pool::new(PoolConfig::new(program, library)).query(Request::new("SELECT version()"));
    answer
        .map(|a| a.text().trim().to_owned())
        .map_err(|e| CannotRun(format!("{} does not run here: {e}", library.display())))
}

fn ask(package: &Package, library: &Path) -> Result<(), CannotRun> {
    let megabytes = |bytes: u64| bytes.div_ceil(1_000_000);
    let (down, disk) =
        package.pin.as_ref().map_or((178, 566), |p| (megabytes(p.archive_bytes), megabytes(p.library_bytes)));
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(CannotRun(format!(
            "this downloads {down} MB (npm package {}), and nobody can be asked here: run `headwater setup --yes`",
            package.spec()
        )));
    }
    let folder: PathBuf = library.parent().unwrap_or(library).to_owned();
    eprint!(
        "Download {down} MB (npm package {}) into {}? It takes {disk} MB there. [y/N] ",
        package.spec(),
        folder.display()
    );
    let _ = std::io::stderr().flush();
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|e| CannotRun(format!("the answer cannot be read: {e}")))?;
    match line.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(CannotRun("nothing was downloaded".to_owned())),
    }
}

/// One bar on standard error, for whatever goes on; nothing when nobody looks.
#[derive(Default)]
struct Bar {
    bar: Option<(&'static str, ProgressBar)>,
}

impl Bar {
    fn show(&mut self, step: Step) {
        let (what, here, total) = match step {
            Step::Waiting => ("waiting for another setup", 0, 0),
            Step::Downloading(here, total) => ("downloading", here, total),
            Step::Verifying => ("verifying", 0, 0),
            Step::Unpacking(here, total) => ("unpacking", here, total),
        };
        if self.bar.as_ref().is_none_or(|(shown, _)| *shown != what) {
            self.clear();
            self.bar = Some((what, new_bar(what, here, total)));
        }
        if let Some((_, bar)) = &self.bar {
            bar.set_position(here);
        }
    }

    fn clear(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn new_bar(what: &'static str, here: u64, total: u64) -> ProgressBar {
    let (bar, template) = if total == 0 {
        (ProgressBar::new_spinner(), "{msg} {spinner}")
    } else {
        (ProgressBar::new(total), "{msg} [{bar:30}] {bytes}/{total_bytes} {binary_bytes_per_sec} {eta}")
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_message(what);
    // What an earlier run brought is no part of the speed.
    bar.set_position(here);
    bar.reset_eta();
    if total == 0 {
        bar.enable_steady_tick(Duration::from_millis(200));
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_follows_the_steps() {
        let mut bar = Bar::default();
        for step in [
            Step::Waiting,
            Step::Downloading(1, 2),
            Step::Downloading(2, 2),
            Step::Verifying,
            Step::Unpacking(1, 1),
        ] {
            bar.show(step);
            assert!(bar.bar.is_some());
        }
        bar.clear();
        assert!(bar.bar.is_none());
    }
}
