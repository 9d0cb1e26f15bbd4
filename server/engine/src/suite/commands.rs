//! Command lines of Classic fixture tests (specification §16.3). They are read and answered here: no shell, no other program
//! ever sees them.

use crate::compile::{Pairs, form_text};

/// A command that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// `tb pipe data NAME --parameter value … --format csv`, `tb endpoint data …`, `curl …/v0/pipes/NAME.csv?…`
    Data {
        /// The pipe.
        pipe: String,
        /// The request.
        parameters: Pairs,
        /// `--query`: a query over the answer, which is `_`.
        query: Option<String>,
        /// How the answer is printed.
        format: OutputFormat,
    },
    /// `tb sql "SELECT …" --format csv`
    Sql {
        /// The query.
        sql: String,
        /// `--rows_limit`
        limit: u64,
        /// How the answer is printed.
        format: OutputFormat,
    },
}

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// Names first, quoted.
    Csv,
    /// One object with meta, data and statistics.
    Json,
    /// An object on each line.
    Ndjson,
}

/// Why a command line is not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what is understood.
    pub message: String,
}

impl Command {
    /// The pipe that it asks.
    pub fn pipe(&self) -> Option<&str> {
        match self {
            Self::Data { pipe, .. } => Some(pipe),
            Self::Sql { .. } => None,
        }
    }

    /// How the answer is printed.
    pub fn format(&self) -> OutputFormat {
        match self {
            Self::Data { format, .. } | Self::Sql { format, .. } => *format,
        }
    }
}

/// The commands of a file, in order. Comments, blank lines and `set -e` are passed over.
///
/// # Errors
/// The first line that is not understood.
pub fn parse_commands(text: &str) -> Result<Vec<Command>, CommandError> {
    let mut out = Vec::new();
    for (line, words) in command_lines(text)? {
        let fail = |message: String| CommandError { line, message };
        let mut words = words.into_iter().peekable();
        // Variables before a command are for a service that is not asked here.
        while words.peek().is_some_and(|w| is_assignment(w)) {
            words.next();
        }
        let Some(program) = words.next() else { continue };
        let rest: Vec<String> = words.collect();
        let name = program.rsplit('/').next().unwrap_or_default();
        let command = match name {
            "set" | "cd" | ":" | "true" => continue,
            "tb" => tb(&rest),
            "curl" => curl(&rest),
            _ => Err(format!("`{program}` is not understood: {UNDERSTOOD}")),
        };
        out.push(command.map_err(fail)?);
    }
    if out.is_empty() {
        return Err(CommandError { line: 1, message: format!("there is no command here: {UNDERSTOOD}") });
    }
    Ok(out)
}

const UNDERSTOOD: &str = "no shell runs these files; `tb pipe data NAME [--parameter value]… [--format csv|json]`, \
                          `tb sql \"SELECT …\"` and `curl …/v0/pipes/NAME.csv?…` are read";

fn is_assignment(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    word.contains('=') && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// `--name value` and `--name=value`, and the words without dashes.
struct Options {
    named: Pairs,
    plain: Vec<String>,
}

/// Options that stand without a value.
const FLAGS: &[&str] = &["stats", "no-stats", "debug", "no-version-warning", "show-tokens", "local", "cloud"];

fn options(words: &[String]) -> Options {
    let mut out = Options { named: Vec::new(), plain: Vec::new() };
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        let Some(option) = word.strip_prefix("--").filter(|o| !o.is_empty()) else {
            out.plain.push(word.clone());
            continue;
        };
        if let Some((name, value)) = option.split_once('=') {
            out.named.push((name.to_owned(), value.to_owned()));
        } else if FLAGS.contains(&option) {
            out.named.push((option.to_owned(), String::new()));
        } else {
            out.named.push((option.to_owned(), words.get(at).cloned().unwrap_or_default()));
            at += 1;
        }
    }
    out
}

/// Options of the program itself, which say where the service is.
const OF_THE_SERVICE: &[&str] =
    &["host", "token", "semver", "gcp-provider", "workspace", "branch", "region", "output"];

fn tb(words: &[String]) -> Result<Command, String> {
    // What stands before the command itself: `tb --host … --token … pipe data`.
    let mut at = 0;
    while let Some(option) = words.get(at).and_then(|w| w.strip_prefix("--")) {
        at += if option.contains('=') || FLAGS.contains(&option) { 1 } else { 2 };
    }
    let words = words.get(at..).unwrap_or_default();
    let two: Vec<&str> = words.iter().take(2).map(String::as_str).collect();
    match two.as_slice() {
        ["pipe" | "endpoint", "data"] => data(options(&words[2..])),
        ["sql", ..] => sql(options(&words[1..])),
        _ => Err(format!("`tb {}` is not understood: {UNDERSTOOD}", two.join(" "))),
    }
}

fn format_of(name: &str) -> Result<OutputFormat, String> {
    match name.to_ascii_lowercase().as_str() {
        "csv" => Ok(OutputFormat::Csv),
        "json" => Ok(OutputFormat::Json),
        "ndjson" => Ok(OutputFormat::Ndjson),
        _ => Err(format!("`{name}` is no format that is understood: csv, json and ndjson are")),
    }
}

fn data(options: Options) -> Result<Command, String> {
    let mut plain = options.plain.into_iter();
    let pipe = plain.next().ok_or("`tb pipe data` needs the name of a pipe")?;
    let (mut parameters, mut query, mut format) = (Pairs::new(), None, OutputFormat::Json);
    for (name, value) in options.named {
        match name.as_str() {
            "format" => format = format_of(&value)?,
            "query" => query = Some(value),
            name if OF_THE_SERVICE.contains(&name) || FLAGS.contains(&name) => {}
            // `--param name=value` of the newer tool.
            "param" => parameters.extend(form_text(&value)),
            _ => parameters.push((name, value)),
        }
    }
    Ok(Command::Data { pipe, parameters, query, format })
}

fn sql(options: Options) -> Result<Command, String> {
    let sql = options.plain.into_iter().next().ok_or("`tb sql` needs a query in quotes")?;
    let (mut limit, mut format) = (100, OutputFormat::Json);
    for (name, value) in options.named {
        match name.as_str() {
            "format" => format = format_of(&value)?,
            "rows_limit" | "rows-limit" => {
                limit = value.parse().map_err(|_| format!("`{value}` is no number of rows"))?;
            }
            _ => {}
        }
    }
    Ok(Command::Sql { sql, limit, format })
}

/// Only the request's path is looked at: nothing is sent anywhere.
fn curl(words: &[String]) -> Result<Command, String> {
    let url = words.iter().find(|word| word.contains("/v0/pipes/"));
    let path = url.and_then(|url| url.split_once("/v0/pipes/")).map(|(_, path)| path);
    let path = path.ok_or_else(|| format!("this `curl` asks no pipe: {UNDERSTOOD}"))?;
    let (file, query) = path.split_once('?').unwrap_or((path, ""));
    let (pipe, format) = file.rsplit_once('.').unwrap_or((file, "json"));
    let mut parameters = form_text(query);
    let query = parameters.iter().position(|(name, _)| name == "q").map(|at| parameters.remove(at).1);
    parameters.retain(|(name, _)| name != "token");
    Ok(Command::Data { pipe: pipe.to_owned(), parameters, query, format: format_of(format)? })
}

/// Words of each command with its line. Quotes, escapes, comments, and lines that go on behind a backslash are heeded;
/// `$1` and other variables are empty. Anything that only a shell could do is refused.
fn command_lines(text: &str) -> Result<Vec<(usize, Vec<String>)>, CommandError> {
    let mut out = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let (mut line, mut start) = (1, 1);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if words.is_empty() && word.is_none() {
            start = line;
        }
        let at = line;
        let refuse = |what: &str| {
            let line = at;
            Err(CommandError {
                line,
                message: format!("{what} is for a shell, and none is started: {UNDERSTOOD}"),
            })
        };
        match c {
            '\n' | ';' => {
                words.extend(word.take());
                if !words.is_empty() {
                    out.push((start, std::mem::take(&mut words)));
                }
                line += usize::from(c == '\n');
            }
            ' ' | '\t' | '\r' => words.extend(word.take()),
            '#' if word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '\\' => match chars.next() {
                Some('\n') => line += 1,
                Some(c) => word.get_or_insert_default().push(c),
                None => {}
            },
            '\'' => {
                let inner = word.get_or_insert_default();
                for c in chars.by_ref().take_while(|c| *c != '\'') {
                    line += usize::from(c == '\n');
                    inner.push(c);
                }
            }
            '"' => {
                let inner = word.get_or_insert_default();
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    match c {
                        '\\' => match chars.next() {
                            Some(c @ ('"' | '\\' | '$' | '`')) => inner.push(c),
                            Some('\n') => line += 1,
                            Some(c) => inner.extend(['\\', c]),
                            None => {}
                        },
                        '$' if chars.peek() == Some(&'(') => return refuse("`$(…)`"),
                        '$' => variable(&mut chars),
                        '`' => return refuse("a back-tick"),
                        c => {
                            line += usize::from(c == '\n');
                            inner.push(c);
                        }
                    }
                }
            }
            '$' if chars.peek() == Some(&'(') => return refuse("`$(…)`"),
            '$' => variable(&mut chars),
            '|' | '&' | '>' | '<' | '`' | '(' | ')' => return refuse(&format!("`{c}`")),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if !words.is_empty() {
        out.push((start, words));
    }
    Ok(out)
}

/// Passes over the name of a variable.
fn variable(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if chars.next_if_eq(&'{').is_some() {
        for c in chars.by_ref() {
            if c == '}' {
                return;
            }
        }
        return;
    }
    if chars.next_if(|c| matches!(c, '@' | '*' | '#' | '?')).is_some() {
        return;
    }
    while chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_').is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn commands_are_read() {
        let text = "#!/bin/bash\nset -e\nTB_X=1 tb $1 --host \"$TB_HOST\" pipe data top --from '2020 01' --to=x \\\n  --format CSV # end\n\
                    curl -H \"Authorization: $T\" 'https://h/v0/pipes/top.csv?a=1%202&token=t'; tb sql \"SELECT \\\"a\\\"\" --rows_limit 5 --format json\n";
        let commands = parse_commands(text).expect("commands");
        assert_eq!(
            commands,
            [
                Command::Data {
                    pipe: "top".to_owned(),
                    parameters: vec![pair("from", "2020 01"), pair("to", "x")],
                    query: None,
                    format: OutputFormat::Csv
                },
                Command::Data {
                    pipe: "top".to_owned(),
                    parameters: vec![pair("a", "1 2")],
                    query: None,
                    format: OutputFormat::Csv
                },
                Command::Sql { sql: "SELECT \"a\"".to_owned(), limit: 5, format: OutputFormat::Json },
            ]
        );
    }

    #[test]
    fn what_only_a_shell_could_do_is_refused() {
        for (text, line) in [
            ("tb pipe data a | jq .", 1),
            ("\ntb pipe data $(cat x)", 2),
            ("rm -rf /", 1),
            ("tb pipe data a > /etc/x", 1),
            ("tb push --force", 1),
            ("echo `id`", 1),
            ("curl http://elsewhere", 1),
            ("tb pipe data a --format parquet", 1),
            ("# nothing\n", 1),
            ("tb sql \"`id`\"", 1),
        ] {
            assert_eq!(parse_commands(text).map_err(|e| e.line), Err(line), "{text}");
        }
    }
}
