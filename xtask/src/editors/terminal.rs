//! A terminal that nobody looks at: tmux holds it, keys go in, and what it shows comes out.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::install;
use super::session::Folder;
use crate::fetch;

/// One tmux server with one window. Dropping it ends both.
pub(super) struct Terminal {
    tmux: PathBuf,
    socket: PathBuf,
}

impl Terminal {
    /// Runs `command` in a terminal of `columns` × `rows` with 24-bit colours.
    pub(super) fn start(command: &Command, folder: &Folder, columns: u16, rows: u16) -> Result<Self> {
        let terminal = Self { tmux: install::tmux()?, socket: folder.path.join("tmux") };
        let size = ["-x".to_owned(), columns.to_string(), "-y".to_owned(), rows.to_string()];
        let mut start = terminal.command();
        start.args(["-f", "/dev/null", "new-session", "-d"]).args(size).arg(shell(command));
        start
            .env("LANG", "C.UTF-8")
            .env("LC_ALL", "C.UTF-8")
            .env("TERM", "xterm-256color")
            .env("COLORTERM", "truecolor");
        fetch::run(&mut start)?;
        // 24-bit colours reach the capture only when tmux believes that its own terminal has them.
        fetch::run(terminal.command().args(["set-option", "-s", "default-terminal", "tmux-256color"]))?;
        Ok(terminal)
    }

    /// What it shows, with colours as escape sequences.
    pub(super) fn capture(&self) -> Result<String> {
        fetch::run(self.command().args(["capture-pane", "-p", "-e"]))
    }

    /// Types `text`, letter by letter.
    pub(super) fn text(&self, text: &str) -> Result<()> {
        fetch::run(self.command().args(["send-keys", "-l", text])).map(drop)
    }

    /// Presses a key by its name in tmux: `Enter`, `Escape`.
    pub(super) fn key(&self, name: &str) -> Result<()> {
        fetch::run(self.command().args(["send-keys", name])).map(drop)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.tmux);
        command.arg("-S").arg(&self.socket);
        command
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = fetch::run(self.command().arg("kill-server"));
    }
}

/// `command` as a line for the shell that tmux runs.
fn shell(command: &Command) -> String {
    let quote = |text: &OsStr| format!("'{}'", text.to_string_lossy().replace('\'', r"'\''"));
    let mut line = String::new();
    if let Some(folder) = command.get_current_dir() {
        line += &format!("cd {} && ", quote(folder.as_os_str()));
    }
    line += "exec env";
    for (key, value) in command.get_envs().filter_map(|(k, v)| Some((k, v?))) {
        line += &format!(" {}={}", key.to_string_lossy(), quote(value));
    }
    for part in std::iter::once(command.get_program()).chain(command.get_args()) {
        line += &format!(" {}", quote(part));
    }
    line
}

/// What a captured screen shows: characters and the 24-bit colours they are drawn in.
pub(super) struct Screen(Vec<Vec<(char, Option<[u8; 3]>)>>);

impl Screen {
    /// Reads a capture. Other colours than 24-bit ones count as none.
    pub(super) fn read(capture: &str) -> Self {
        let mut rows = Vec::new();
        let mut colour = None;
        for line in capture.lines() {
            let mut row = Vec::new();
            let mut rest = line;
            while let Some(c) = rest.chars().next() {
                let sequence = rest.strip_prefix("\u{1b}[").and_then(|r| {
                    let end = r.find(|c: char| c.is_ascii_alphabetic())?;
                    Some((&r[..end], &r[end + 1..]))
                });
                if let Some((codes, behind)) = sequence {
                    apply(codes, &mut colour);
                    rest = behind;
                } else {
                    if !c.is_control() {
                        row.push((c, colour));
                    }
                    rest = &rest[c.len_utf8()..];
                }
            }
            rows.push(row);
        }
        Self(rows)
    }

    /// Whether some line holds `text`.
    pub(super) fn shows(&self, text: &str) -> bool {
        self.colours(text).is_some()
    }

    /// The colours of the first place that holds `text`, one per character; blanks have none of their own.
    pub(super) fn colours(&self, text: &str) -> Option<Vec<Option<[u8; 3]>>> {
        let wanted: Vec<char> = text.chars().collect();
        let same = |window: &[(char, Option<[u8; 3]>)]| window.iter().map(|(c, _)| c).eq(wanted.iter());
        let found = self.0.iter().find_map(|row| row.windows(wanted.len()).find(|w| same(w)))?;
        Some(found.iter().filter(|(c, _)| *c != ' ').map(|(_, colour)| *colour).collect())
    }
}

/// Applies one sequence of codes to the foreground colour.
fn apply(codes: &str, colour: &mut Option<[u8; 3]>) {
    let mut codes = codes.split([';', ':']).map(|c| c.parse::<u8>().unwrap_or(0));
    while let Some(code) = codes.next() {
        match code {
            38 | 48 | 58 => {
                let rgb = match codes.next() {
                    Some(2) => codes.next().zip(codes.next()).zip(codes.next()).map(|((r, g), b)| [r, g, b]),
                    Some(5) => codes.next().and(None),
                    _ => None,
                };
                if code == 38 {
                    *colour = rgb;
                }
            }
            0 | 30..=37 | 39 | 90..=97 => *colour = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_knows_the_colour_of_its_text() {
        let screen = Screen::read(
            "a \u{1b}[1;38;2;1;2;3mSEL\u{1b}[48;2;9;9;9mECT\u{1b}[39m b\n\u{1b}[38;5;7mc\u{1b}[38;2;4;5;6m\u{1b}[0md",
        );
        assert_eq!(screen.colours("SELECT"), Some(vec![Some([1, 2, 3]); 6]));
        assert_eq!(screen.colours("T b"), Some(vec![Some([1, 2, 3]), None]));
        assert_eq!(screen.colours("cd"), Some(vec![None, None]));
        assert!(screen.shows("a SELECT b") && !screen.shows("bc"));
    }
}
