//! What is reported: a failure with the smallest input that shows it.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::trial::Failure;

/// A failure and how to see it again.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The target's name.
    pub target: &'static str,
    /// The seed of the run.
    pub seed: u64,
    /// The number of the attempt.
    pub attempt: u64,
    /// Where and how it failed.
    pub failure: Failure,
    /// The shrunk input: a text, or a session as JSON.
    pub input: String,
    /// The call that fails, for the regression test.
    pub call: String,
    /// How many more attempts failed at the same place.
    pub repeats: u64,
}

impl Finding {
    /// A test that fails until the finding is fixed.
    pub fn regression(&self) -> String {
        let hashes = "#".repeat(longest_run_of_hashes(&self.input) + 1);
        // A raw string shows nothing of what cannot be seen.
        let visible =
            self.input.chars().all(|c| c == '\n' || !c.is_control() && !c.is_whitespace() || c == ' ');
        let literal = match visible && self.input.contains(['"', '\\', '\n']) {
            true => format!("r{hashes}\"{}\"{hashes}", self.input),
            false => format!("{:?}", self.input),
        };
        let name = format!("fuzz_{}_{}_{}", self.target, self.seed, self.attempt);
        format!("#[test]\nfn {name}() {{\n    {}(\n        {literal},\n    );\n}}\n", self.call)
    }

    /// Writes the input and the test into `folder`; returns the input's path.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf> {
        std::fs::create_dir_all(folder)?;
        let name = format!("{}-{}-{}", self.target, self.seed, self.attempt);
        let path = folder.join(format!("{name}.input"));
        std::fs::write(&path, &self.input)
            .with_context(|| format!("{} cannot be written", path.display()))?;
        std::fs::write(folder.join(format!("{name}.txt")), self.to_string())?;
        Ok(path)
    }
}

fn longest_run_of_hashes(text: &str) -> usize {
    text.split(|c| c != '#').map(str::len).max().unwrap_or(0)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { place, message } = &self.failure;
        writeln!(f, "{} --seed {}, attempt {}: {place}", self.target, self.seed, self.attempt)?;
        writeln!(f, "{message}\n")?;
        write!(f, "{}", self.regression())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_test() {
        let failure = Failure { place: "a.rs:1".into(), message: "no".into() };
        let (input, call) = ("say \"#\"\n".to_owned(), "check".to_owned());
        let finding = Finding { target: "ast", seed: 1, attempt: 2, failure, input, call, repeats: 0 };
        let expected = "#[test]\nfn fuzz_ast_1_2() {\n    check(\n        r##\"say \"#\"\n\"##,\n    );\n}\n";
        assert_eq!(finding.regression(), expected);
    }
}
