//! `headwater.toml`.

use std::collections::BTreeMap;

use headwater_format::{KeywordCase, Options as FormatOptions};
use headwater_syntax::{Dialect, TextRange, range};
use serde::Deserialize;

use crate::codes::{self, Severity};

/// What a team chose for its project. Every key is optional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Config {
    /// `dialect = "forward" | "classic"`.
    pub dialect: Option<Dialect>,
    /// `[diagnostics] code = "error" | "warning" | "info" | "hint" | "off"`.
    pub severities: BTreeMap<String, Severity>,
    /// `[impact] baseline = "HEAD" | "off" | revision`.
    pub baseline: BaselineChoice,
    /// `[hints]`: kinds of inlay hints that are switched off.
    pub hidden_hints: Vec<HintKind>,
    /// `[format] width, indent, keywords, align`.
    pub format: FormatOptions,
    /// `[hosts.NAME] url`: where commands find hosts that are named with `--host`.
    pub hosts: BTreeMap<String, String>,
}

/// What inlay hints can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HintKind {
    /// What depends on a column: `impact`.
    Impact,
    /// The type of a selected value: `types`.
    Type,
}

/// What an edit is compared with before it is saved.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum BaselineChoice {
    /// Nothing.
    Off,
    /// The commit that this revision names; what that is, whoever reads repositories knows.
    Revision(String),
}

impl Default for BaselineChoice {
    fn default() -> Self {
        Self::Revision("HEAD".to_owned())
    }
}

/// Something in `headwater.toml` that has no effect, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    /// What is wrong and what to write instead.
    pub message: String,
    /// Where, if known.
    pub range: Option<TextRange>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    dialect: Option<toml::Spanned<String>>,
    diagnostics: BTreeMap<toml::Spanned<String>, toml::Spanned<String>>,
    hints: BTreeMap<toml::Spanned<String>, bool>,
    impact: RawImpact,
    format: RawFormat,
    hosts: BTreeMap<toml::Spanned<String>, RawHost>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHost {
    url: toml::Spanned<String>,
}

/// What is wrong with the name of a host, or its URL.
fn wrong_host(name: &str, url: &str) -> Option<String> {
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')) {
        return Some(format!("`{name}` is no name for a host; use letters, digits, `-` and `_`"));
    }
    let behind = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let authority = behind.map(|b| b.split(['/', '?', '#']).next().unwrap_or_default());
    match authority {
        None | Some("") => Some(format!("`{url}` is no URL of a host; write \"https://HOST\"")),
        Some(authority) if authority.contains('@') => {
            Some("the URL of a host holds no credentials; its token goes into HEADWATER_TOKEN".to_owned())
        }
        Some(_) => None,
    }
}

impl HintKind {
    /// The kind of that name in `headwater.toml`.
    fn named(name: &str) -> Option<Self> {
        match name {
            "impact" => Some(Self::Impact),
            "types" => Some(Self::Type),
            _ => None,
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct RawImpact {
    baseline: Option<toml::Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct RawFormat {
    width: Option<toml::Spanned<i64>>,
    indent: Option<toml::Spanned<i64>>,
    keywords: Option<toml::Spanned<String>>,
    align: Option<bool>,
}

impl RawFormat {
    fn read(self, problems: &mut Vec<ConfigProblem>) -> FormatOptions {
        let mut options = FormatOptions::default();
        let mut number = |value: Option<toml::Spanned<i64>>, bounds: std::ops::RangeInclusive<usize>| {
            let value = value?;
            let found = usize::try_from(*value.get_ref()).ok().filter(|n| bounds.contains(n));
            if found.is_none() {
                let message = format!("write a number from {} to {}", bounds.start(), bounds.end());
                problems.push(ConfigProblem { message, range: Some(span(&value)) });
            }
            found
        };
        options.width = number(self.width, FormatOptions::WIDTHS).unwrap_or(options.width);
        options.indent = number(self.indent, FormatOptions::INDENTS).unwrap_or(options.indent);
        options.align = self.align.unwrap_or(options.align);
        if let Some(keywords) = self.keywords {
            match keywords.get_ref().as_str() {
                "keep" => options.keywords = KeywordCase::Keep,
                "upper" => options.keywords = KeywordCase::Upper,
                "lower" => options.keywords = KeywordCase::Lower,
                other => {
                    let message = format!("`{other}` is no case; write \"keep\", \"upper\" or \"lower\"");
                    problems.push(ConfigProblem { message, range: Some(span(&keywords)) });
                }
            }
        }
        options
    }
}

impl Config {
    /// Whether hints of this kind are wanted. All are, unless `headwater.toml` says otherwise.
    pub fn shows(&self, kind: HintKind) -> bool {
        !self.hidden_hints.contains(&kind)
    }

    /// Reads the file's text. What cannot be used is reported and left out; the rest counts.
    pub fn parse(text: &str) -> (Self, Vec<ConfigProblem>) {
        let mut problems = Vec::new();
        let raw: Raw = match toml::from_str(text) {
            Ok(raw) => raw,
            Err(error) => {
                let place = error.span().map(|s| range(s.start, s.end));
                problems.push(ConfigProblem { message: error.message().to_owned(), range: place });
                return (Self::default(), problems);
            }
        };
        let mut config = Self::default();
        if let Some(dialect) = raw.dialect {
            config.dialect = match dialect.get_ref().as_str() {
                "forward" => Some(Dialect::Forward),
                "classic" => Some(Dialect::Classic),
                other => {
                    let message = format!("`{other}` is no dialect; write \"forward\" or \"classic\"");
                    problems.push(ConfigProblem { message, range: Some(span(&dialect)) });
                    None
                }
            };
        }
        for (name, shown) in raw.hints {
            match HintKind::named(name.get_ref()) {
                Some(kind) if !shown => config.hidden_hints.push(kind),
                Some(_) => {}
                None => {
                    let message =
                        format!("there are no hints `{}`; write `impact` or `types`", name.get_ref());
                    problems.push(ConfigProblem { message, range: Some(span(&name)) });
                }
            }
        }
        for (code, severity) in raw.diagnostics {
            if codes::find(code.get_ref()).is_none() {
                let message =
                    format!("there is no diagnostic `{}`; see docs/reference/diagnostics", code.get_ref());
                problems.push(ConfigProblem { message, range: Some(span(&code)) });
                continue;
            }
            match Severity::named(severity.get_ref()) {
                Some(level) => {
                    config.severities.insert(code.into_inner(), level);
                }
                None => {
                    let message = format!(
                        "`{}` is no severity; write \"error\", \"warning\", \"info\", \"hint\" or \"off\"",
                        severity.get_ref()
                    );
                    problems.push(ConfigProblem { message, range: Some(span(&severity)) });
                }
            }
        }
        if let Some(baseline) = raw.impact.baseline {
            match baseline.get_ref().trim() {
                "off" => config.baseline = BaselineChoice::Off,
                "" => {
                    let message = "write \"HEAD\", \"off\", or a branch, a tag or a commit".to_owned();
                    problems.push(ConfigProblem { message, range: Some(span(&baseline)) });
                }
                revision => config.baseline = BaselineChoice::Revision(revision.to_owned()),
            }
        }
        config.format = raw.format.read(&mut problems);
        for (name, host) in raw.hosts {
            match wrong_host(name.get_ref(), host.url.get_ref()) {
                None => {
                    config.hosts.insert(name.into_inner(), host.url.into_inner());
                }
                Some(message) => problems.push(ConfigProblem { message, range: Some(span(&host.url)) }),
            }
        }
        (config, problems)
    }
}

fn span<T>(value: &toml::Spanned<T>) -> TextRange {
    range(value.span().start, value.span().end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_entries_are_reported_and_the_rest_counts() {
        let (config, problems) = Config::parse(
            "dialect = 'classic'\n[diagnostics]\ncycle = 'off'\nnonsense = 'off'\nunknown-resource = 'loud'\n",
        );
        assert_eq!(config.dialect, Some(Dialect::Classic));
        assert_eq!(config.severities.get("cycle"), Some(&Severity::Off));
        assert_eq!(problems.len(), 2);
        assert_eq!(Config::parse("dialect = [").1.len(), 1);
    }

    #[test]
    fn the_baseline_is_head_unless_somebody_says_otherwise() {
        let revision = |name: &str| BaselineChoice::Revision(name.to_owned());
        for (text, choice, faults) in [
            ("", revision("HEAD"), 0),
            ("[impact]", revision("HEAD"), 0),
            ("[impact]\nbaseline = 'off'", BaselineChoice::Off, 0),
            ("[impact]\nbaseline = 'origin/main'", revision("origin/main"), 0),
            ("[impact]\nbaseline = ' '", revision("HEAD"), 1),
            ("[impact]\nbaseline = 1", revision("HEAD"), 1),
            ("[impact]\nbase = 'off'", revision("HEAD"), 1),
        ] {
            let (config, problems) = Config::parse(text);
            assert_eq!((config.baseline, problems.len()), (choice, faults), "{text}");
        }
    }

    #[test]
    fn hosts_have_names_and_urls() {
        let (config, problems) = Config::parse(
            "[hosts.prod]\nurl = 'https://data.example.com'\n[hosts.'a b']\nurl = 'https://x'\n[hosts.c]\nurl = 'data'\n\
             [hosts.d]\nurl = 'https://me:secret@x'\n",
        );
        assert_eq!(
            config.hosts.into_iter().collect::<Vec<_>>(),
            [("prod".to_owned(), "https://data.example.com".to_owned())]
        );
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(!problems.iter().any(|p| p.message.contains("secret")), "{problems:?}");
        // A token in a file that is committed is a mistake that is said.
        assert_eq!(Config::parse("[hosts.prod]\nurl = 'https://x'\ntoken = 't'\n").1.len(), 1);
    }

    #[test]
    fn layouts_are_chosen_within_bounds() {
        let text = "[format]\nwidth = 80\nindent = 2\nkeywords = 'upper'\nalign = false\n";
        let (config, problems) = Config::parse(text);
        let chosen = FormatOptions { width: 80, indent: 2, keywords: KeywordCase::Upper, align: false };
        assert_eq!((config.format, problems.len()), (chosen, 0));
        let (config, problems) = Config::parse("[format]\nwidth = 9\nindent = 0\nkeywords = 'loud'\n");
        assert_eq!((config.format, problems.len()), (FormatOptions::default(), 3));
    }
}
