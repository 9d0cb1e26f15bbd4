//! Methods of texts.

use super::Value;
use super::format::braces;
use super::items::{list, tuple};
use crate::error::{Fault, Stop};
use crate::limits::Meter;

type Answer = Result<Value, Stop>;

/// Arguments of a method.
pub(super) struct Args<'a> {
    pub(super) method: &'a str,
    pub(super) args: &'a [Value],
    pub(super) keywords: &'a [(String, Value)],
}

impl Args<'_> {
    /// The argument at a place or of a name, where there is one.
    pub(super) fn get(&self, n: usize, name: &str) -> Option<&Value> {
        self.args.get(n).or_else(|| self.keywords.iter().find(|(k, _)| k == name).map(|(_, v)| v))
    }

    pub(super) fn need(&self, n: usize) -> Result<&Value, Stop> {
        self.args.get(n).ok_or_else(|| {
            let message = format!(".{}() needs {} arguments", self.method, n + 1);
            Fault::python("TypeError", message)
        })
    }

    fn text(&self, n: usize, name: &str) -> Result<Option<&str>, Stop> {
        match self.get(n, name) {
            None | Some(Value::None) => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or_else(|| self.not_a_text(value)),
        }
    }

    fn need_text(&self, n: usize) -> Result<&str, Stop> {
        let value = self.need(n)?;
        value.as_str().ok_or_else(|| self.not_a_text(value))
    }

    fn not_a_text(&self, value: &Value) -> Stop {
        let message = format!(".{}() takes a text, not {}", self.method, value.type_name());
        Fault::python("TypeError", message)
    }

    pub(super) fn int(&self, n: usize, name: &str) -> Result<Option<i64>, Stop> {
        match self.get(n, name) {
            None | Some(Value::None) => Ok(None),
            Some(value) => match value.as_int() {
                // Beyond these, nothing counts differently.
                Some(n) => Ok(Some(i64::try_from(&n).unwrap_or(if n.sign() == num_bigint::Sign::Minus {
                    i64::MIN / 2
                } else {
                    i64::MAX / 2
                }))),
                None => {
                    let message =
                        format!(".{}() takes a whole number, not {}", self.method, value.type_name());
                    Err(Fault::python("TypeError", message))
                }
            },
        }
    }

    /// One text, or a tuple of which any will do.
    fn affixes(&self) -> Result<Vec<&str>, Stop> {
        match self.need(0)? {
            Value::Tuple(items) => {
                items.iter().map(|item| item.as_str().ok_or_else(|| self.not_a_text(item))).collect()
            }
            _ => Ok(vec![self.need_text(0)?]),
        }
    }

    /// A character to fill with.
    fn fill(&self, n: usize) -> Result<char, Stop> {
        let fill = self.text(n, "fillchar")?.unwrap_or(" ");
        let mut chars = fill.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(c),
            _ => Err(Fault::python("TypeError", format!(".{}() fills with one character", self.method))),
        }
    }
}

/// Calls a method of a text; `None` when texts have none of that name.
pub(super) fn method(own: &str, args: &Args<'_>, meter: &Meter<'_>) -> Result<Option<Value>, Stop> {
    meter.text(own.len())?;
    let text = |text: String| {
        meter.text(text.len())?;
        Ok(Some(Value::text(text)))
    };
    let all = |test: fn(char) -> bool| Ok(Some(Value::Bool(!own.is_empty() && own.chars().all(test))));
    match args.method {
        "lower" | "casefold" => text(own.to_lowercase()),
        "upper" => text(own.to_uppercase()),
        "swapcase" => text(own.chars().flat_map(swapped).collect()),
        "capitalize" => {
            let mut chars = own.chars();
            let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
            text(first + &chars.as_str().to_lowercase())
        }
        "title" => text(title(own)),
        "strip" | "lstrip" | "rstrip" => {
            let (start, end) = (args.method != "rstrip", args.method != "lstrip");
            let set = args.text(0, "chars")?;
            let drop = |c: char| set.map_or(c.is_whitespace(), |set| set.contains(c));
            // Each character of the text is looked up in the set.
            meter.bytes(own.len().saturating_mul(set.map_or(1, str::len).div_ceil(16)))?;
            let kept = if start { own.trim_start_matches(drop) } else { own };
            text(if end { kept.trim_end_matches(drop) } else { kept }.to_owned())
        }
        "split" | "rsplit" => split(own, args, meter).map(Some),
        "splitlines" => {
            let lines: Vec<_> = lines(own).map(Value::text).collect();
            list(lines, meter).map(Some)
        }
        "partition" | "rpartition" => {
            let separator = separator(args.need_text(0)?)?;
            let found = if args.method == "partition" { own.find(separator) } else { own.rfind(separator) };
            let parts = match found {
                Some(at) => [&own[..at], separator, &own[at + separator.len()..]],
                None if args.method == "partition" => [own, "", ""],
                None => ["", "", own],
            };
            tuple(parts.map(Value::from).to_vec(), meter).map(Some)
        }
        "join" => {
            let parts = args
                .need(0)?
                .iterate(meter)?
                .ok_or_else(|| Fault::python("TypeError", ".join() takes a list of texts"))?;
            let mut out = String::new();
            for (n, part) in parts.iter().enumerate() {
                let part = part.as_str().ok_or_else(|| {
                    let message = format!(
                        ".join() takes texts, and item {n} is {}; make it one with `str(…)`",
                        part.type_name()
                    );
                    Fault::python("TypeError", message)
                })?;
                out.push_str(if n > 0 { own } else { "" });
                out.push_str(part);
                meter.text_so_far(out.len())?;
            }
            text(out)
        }
        "replace" => replace(own, args, meter).map(Some),
        "format" => braces(own, args.args, args.keywords, meter).map(|t| Some(Value::text(t))),
        "startswith" => Ok(Some(Value::Bool(args.affixes()?.iter().any(|a| own.starts_with(a))))),
        "endswith" => Ok(Some(Value::Bool(args.affixes()?.iter().any(|a| own.ends_with(a))))),
        "removeprefix" => {
            let prefix = args.need_text(0)?;
            text(own.strip_prefix(prefix).unwrap_or(own).to_owned())
        }
        "removesuffix" => {
            let suffix = args.need_text(0)?;
            text(own.strip_suffix(suffix).unwrap_or(own).to_owned())
        }
        "find" | "index" => find(own, args, own.find(args.need_text(0)?)).map(Some),
        "rfind" | "rindex" => find(own, args, own.rfind(args.need_text(0)?)).map(Some),
        "count" => {
            let part = args.need_text(0)?;
            let count = if part.is_empty() { own.chars().count() + 1 } else { own.matches(part).count() };
            Ok(Some(Value::count(count)))
        }
        // Digits of other scripts are none here, since `int(…)` does not read them either.
        "isdigit" | "isdecimal" => all(|c| c.is_ascii_digit()),
        "isnumeric" => all(char::is_numeric),
        "isalpha" => all(char::is_alphabetic),
        "isalnum" => all(char::is_alphanumeric),
        "isspace" => all(char::is_whitespace),
        "isascii" => Ok(Some(Value::Bool(own.is_ascii()))),
        "islower" => {
            Ok(Some(Value::Bool(own.chars().any(char::is_lowercase) && !own.chars().any(char::is_uppercase))))
        }
        "isupper" => {
            Ok(Some(Value::Bool(own.chars().any(char::is_uppercase) && !own.chars().any(char::is_lowercase))))
        }
        "istitle" => Ok(Some(Value::Bool(own.chars().any(char::is_alphabetic) && title(own) == own))),
        "isidentifier" => {
            let starts = own.starts_with(|c: char| c.is_alphabetic() || c == '_');
            Ok(Some(Value::Bool(starts && own.chars().all(|c| c.is_alphanumeric() || c == '_'))))
        }
        "zfill" | "ljust" | "rjust" | "center" => justified(own, args, meter).map(Some),
        _ => Ok(None),
    }
}

fn swapped(c: char) -> Vec<char> {
    if c.is_uppercase() { c.to_lowercase().collect() } else { c.to_uppercase().collect() }
}

fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = c.is_alphabetic();
    }
    out
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let without_last = text.strip_suffix('\n').or(text.strip_suffix('\r')).unwrap_or(text);
    let count = if text.is_empty() { 0 } else { usize::MAX };
    without_last.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line)).take(count)
}

fn separator(separator: &str) -> Result<&str, Stop> {
    if separator.is_empty() {
        return Err(Fault::python("ValueError", "a text cannot be split at an empty separator"));
    }
    Ok(separator)
}

fn split(own: &str, args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let most = args.int(1, "maxsplit")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    let from_right = args.method == "rsplit";
    let Some(separator_text) = args.text(0, "sep")? else {
        return words(own, most, from_right, meter);
    };
    let separator_text = separator(separator_text)?;
    let limit = most.saturating_add(1);
    let parts: Vec<_> = if from_right {
        let mut parts: Vec<_> = own.rsplitn(limit, separator_text).map(Value::from).collect();
        parts.reverse();
        parts
    } else {
        meter.room(own.matches(separator_text).take(limit).count())?;
        own.splitn(limit, separator_text).map(Value::from).collect()
    };
    list(parts, meter)
}

/// `.split()` at runs of white space.
fn words(own: &str, most: usize, from_right: bool, meter: &Meter<'_>) -> Answer {
    let mut rest = own.trim();
    let mut out = Vec::new();
    while !rest.is_empty() {
        meter.room(out.len())?;
        let at = if from_right { rest.rfind(char::is_whitespace) } else { rest.find(char::is_whitespace) };
        match at {
            Some(at) if out.len() < most && from_right => {
                let word = rest[at..].trim_start();
                out.push(Value::from(word));
                rest = rest[..at].trim_end();
            }
            Some(at) if out.len() < most => {
                out.push(Value::from(&rest[..at]));
                rest = rest[at..].trim_start();
            }
            _ => {
                out.push(Value::from(rest));
                rest = "";
            }
        }
    }
    if from_right {
        out.reverse();
    }
    list(out, meter)
}

fn replace(own: &str, args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let (from, to) = (args.need_text(0)?, args.need_text(1)?);
    let most = args.int(2, "count")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
    let places = if from.is_empty() { own.chars().count() + 1 } else { own.matches(from).count() };
    let places = places.min(most);
    meter.text(own.len().saturating_add(places.saturating_mul(to.len())))?;
    Ok(Value::text(own.replacen(from, to, places)))
}

fn find(own: &str, args: &Args<'_>, at: Option<usize>) -> Answer {
    if args.args.len() > 1 {
        let message =
            format!(".{}() takes one argument here; cut the text with `[start:]` first", args.method);
        return Err(Fault::python("TypeError", message));
    }
    match at {
        Some(at) => Ok(Value::count(own[..at].chars().count())),
        None if args.method.ends_with("find") => Ok(Value::int(-1)),
        None => Err(Fault::python("ValueError", "the text does not hold that part; ask with `in` first")),
    }
}

fn justified(own: &str, args: &Args<'_>, meter: &Meter<'_>) -> Answer {
    let width = args.int(0, "width")?.and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let missing = width.saturating_sub(own.chars().count());
    let fill = if args.method == "zfill" { '0' } else { args.fill(1)? };
    meter.text(own.len().saturating_add(missing.saturating_mul(fill.len_utf8())))?;
    let fill = |count: usize| fill.to_string().repeat(count);
    Ok(Value::text(match args.method {
        "ljust" => format!("{own}{}", fill(missing)),
        "rjust" => format!("{}{own}", fill(missing)),
        // Python puts the odd character to the left when the width is odd.
        "center" => {
            let left = missing / 2 + (missing & width & 1);
            format!("{}{own}{}", fill(left), fill(missing - left))
        }
        _ => match own.strip_prefix(['-', '+']) {
            Some(digits) => format!("{}{}{digits}", &own[..1], fill(missing)),
            None => format!("{}{own}", fill(missing)),
        },
    }))
}
