//! Helix: its configuration made whole, and a session in a terminal, since Helix has no other way to be driven.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::install::Helix;
use super::session::{Folder, Input, copy};
use super::terminal::{Screen, Terminal};
use super::{Outcome, SessionResult, helix_queries, package, process};
use crate::fetch;

/// The language without a grammar of its own, and the one whose queries it takes.
const INHERITS: (&str, &str) = ("headwater_incl", "headwater_pipe");

/// What goes into the user's configuration folder, made whole in `to`: our `languages.toml`, and a `runtime` with the
/// compiled parsers and the queries of `grammar/` in Helix's words. Without a C compiler it has no parsers.
pub(crate) fn build_helix(to: &Path) -> Result<()> {
    let root = super::root()?;
    let _ = fs::remove_dir_all(to);
    copy(&root.join("editors/helix"), to)?;
    let queries = to.join("runtime/queries");
    let parsers = to.join("runtime/grammars");
    fs::create_dir_all(&parsers)?;
    let cc = fetch::on_path(&["cc", "gcc", "clang"]);
    for grammar in package::grammars(&root.join("grammar"))? {
        if let Some(cc) = &cc {
            fs::copy(package::parser(cc, &grammar)?, parsers.join(format!("{}.so", grammar.name)))?;
        }
        for entry in fs::read_dir(&grammar.queries)? {
            let file = entry?;
            let name = file.file_name().to_string_lossy().into_owned();
            let Some(text) = helix_queries::translate(&name, &fs::read_to_string(file.path())?) else {
                continue;
            };
            let mut of = vec![(grammar.name.as_str(), text)];
            if grammar.name == INHERITS.1 {
                of.push((INHERITS.0, format!("; inherits: {}\n", INHERITS.1)));
            }
            for (language, text) in of {
                fs::create_dir_all(queries.join(language))?;
                fs::write(queries.join(language).join(&name), text)?;
            }
        }
    }
    Ok(())
}

/// What `hx --health` says, and what a terminal shows.
pub(super) fn sessions(input: &Input<'_>) -> Vec<SessionResult> {
    let helix = match Helix::current() {
        Ok(helix) => helix,
        Err(e) => return vec![SessionResult::new("helix", "session", Outcome::of(Err(e)))],
    };
    let name = format!("helix-{}", helix.label);
    let mut results = Vec::new();
    let mut check =
        |what: &str, got: Result<()>| results.push(SessionResult::new(&name, what, Outcome::of(got)));
    match Session::new(&helix, input, &name) {
        Err(e) => check("session", Err(e)),
        Ok(session) => {
            check("health", session.health());
            match session.open() {
                Err(e) => check("opens", Err(e)),
                Ok(terminal) => {
                    check("datafile and SQL are highlighted", session.is_highlighted(&terminal));
                    check("diagnostic appears while typing and vanishes", session.diagnoses(&terminal));
                    check("quits", session.quit(&terminal));
                }
            }
        }
    }
    results
}

struct Session<'a> {
    helix: &'a Helix,
    input: &'a Input<'a>,
    folder: Folder,
    project: std::path::PathBuf,
    expect: Value,
    name: &'a str,
}

impl<'a> Session<'a> {
    /// A configuration folder with ours in it, and the tapped server as `headwater` on `PATH`.
    fn new(helix: &'a Helix, input: &'a Input<'a>, name: &'a str) -> Result<Self> {
        let folder = Folder::new()?;
        let project = folder.project(input.project)?;
        folder.tapped(input.server, &input.out.join(format!("{name}.jsonl")))?;
        let expect = fs::read_to_string(super::root()?.join("tests/editors/expectations.json"))?;
        let session = Self { helix, input, folder, project, expect: serde_json::from_str(&expect)?, name };
        let config = session.folder.path.join("config/helix");
        build_helix(&config)?;
        fs::write(config.join("config.toml"), "theme = \"headwater-test\"\n")?;
        fs::create_dir_all(config.join("themes"))?;
        // A theme that neither inherits nor has a palette is silently not taken.
        let mut theme = String::from("inherits = \"default\"\n");
        for (scope, [r, g, b]) in session.theme() {
            theme += &format!("\"{scope}\" = \"#{r:02x}{g:02x}{b:02x}\"\n");
        }
        fs::write(config.join("themes/headwater-test.toml"), theme)?;
        Ok(session)
    }

    /// Text and the scope that it has to be painted as.
    fn painted(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.expect["highlights"]["at"].as_array().into_iter().flatten();
        all.filter_map(|h| Some((h["shows"].as_str()?, h["helix"].as_str()?)))
    }

    /// A colour of its own for each scope that is expected.
    fn theme(&self) -> BTreeMap<&str, [u8; 3]> {
        let scopes: std::collections::BTreeSet<&str> = self.painted().map(|(_, scope)| scope).collect();
        scopes.into_iter().zip(1..).map(|(scope, n)| (scope, [0, 128, n])).collect()
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(&self.helix.program);
        let mut path = vec![self.folder.path.clone()];
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        command
            .env("HELIX_RUNTIME", &self.helix.runtime)
            .env("PATH", std::env::join_paths(path)?)
            .env("HOME", &self.folder.path)
            .env("XDG_CONFIG_HOME", self.folder.path.join("config"))
            .env("XDG_CACHE_HOME", self.folder.path.join("cache"))
            .current_dir(&self.project);
        Ok(command)
    }

    fn health(&self) -> Result<()> {
        for language in ["headwater_pipe", "headwater_datasource", "headwater_connection", "headwater_incl"] {
            let said = fetch::run(self.command()?.args(["--health", language]))?;
            let marks = said.matches('✓').count();
            // The server, the parser, highlights, indentation.
            ensure!(marks >= 4 && said.contains("headwater"), "{language}: {marks} marks in\n{said}");
        }
        Ok(())
    }

    fn open(&self) -> Result<Terminal> {
        let file = self.expect["highlights"]["file"].as_str().context("no file to open")?;
        let mut command = self.command()?;
        command.args(["-v", "--log"]).arg(self.input.out.join(format!("{}.log", self.name))).arg(file);
        Terminal::start(&command, &self.folder, 110, 40)
    }

    /// `--health` does not compile queries: one that Helix refuses only leaves text without colours.
    fn is_highlighted(&self, terminal: &Terminal) -> Result<()> {
        let theme = self.theme();
        let wrong = |screen: &Screen| {
            let of = |(text, scope): (&str, &str)| {
                let colours = screen.colours(text);
                let fine =
                    colours.as_ref().is_some_and(|c| c.iter().all(|c| *c == theme.get(scope).copied()));
                (!fine).then(|| format!("`{text}` is not painted as {scope} but {colours:?}"))
            };
            self.painted().filter_map(of).collect::<Vec<_>>()
        };
        ensure!(!theme.is_empty(), "nothing is expected");
        let mut last = self.until(terminal, |screen| wrong(screen).is_empty())?;
        if !wrong(&last).is_empty() {
            // Helix gives a text half a second to be parsed, and one that takes longer on a busy machine stays grey.
            terminal.text(":reload")?;
            terminal.key("Enter")?;
            last = self.until(terminal, |screen| wrong(screen).is_empty())?;
        }
        let wrong = wrong(&last);
        ensure!(wrong.is_empty(), "{}; see {}", wrong.join("; "), self.keep(terminal)?);
        Ok(())
    }

    fn diagnoses(&self, terminal: &Terminal) -> Result<()> {
        let text = |name: &str| self.expect["typing"][name].as_str().context("nothing to type");
        let (at, typed, message) = (text("at")?, text("text")?, text("message")?);
        let (before, _) = at.split_once('|').context("no cursor")?;
        // A search leaves the cursor at the end of what it found; an append there is an insertion behind it.
        terminal.text(&format!("/{before}"))?;
        terminal.key("Enter")?;
        terminal.text("a")?;
        terminal.text(typed)?;
        terminal.key("Escape")?;
        let told =
            |screen: &Screen| screen.shows(&format!("`{message}`")) || screen.shows(&format!("'{message}'"));
        let shown = self.until(terminal, told)?;
        ensure!(told(&shown), "no diagnostic about {message}; see {}", self.keep(terminal)?);
        terminal.text("u")?;
        let clean = self.until(terminal, |screen| !told(screen))?;
        ensure!(!told(&clean), "the diagnostic stays; see {}", self.keep(terminal)?);
        Ok(())
    }

    fn quit(&self, terminal: &Terminal) -> Result<()> {
        terminal.text(":quit!")?;
        terminal.key("Enter")?;
        // With its only window the terminal goes too.
        process::wait(Duration::from_secs(10), || Ok(terminal.capture().is_err()))
    }

    /// The first screen that `is` what is waited for, or the last.
    fn until(&self, terminal: &Terminal, is: impl Fn(&Screen) -> bool) -> Result<Screen> {
        let mut last = Screen::read(&terminal.capture()?);
        let found = process::wait(Duration::from_secs(15), || {
            last = Screen::read(&terminal.capture()?);
            Ok(is(&last))
        });
        if found.is_err() {
            // It may have ended.
            terminal.capture()?;
        }
        Ok(last)
    }

    /// Keeps the screen and says where.
    fn keep(&self, terminal: &Terminal) -> Result<String> {
        let path = self.input.out.join(format!("{}.ansi", self.name));
        fs::write(&path, terminal.capture()?)?;
        Ok(path.display().to_string())
    }
}
