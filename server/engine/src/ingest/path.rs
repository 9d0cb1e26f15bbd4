//! JSONPaths as the format has them (specification §4.3).

use std::fmt;

use crate::json::Json;

/// A path into a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    /// `[:]`
    Each,
}

/// Why a path cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError(pub String);

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PathError {}

/// What a path leads to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found<'j, 't> {
    /// The column has no path: rows do not fill it.
    Unfilled,
    /// The row has nothing there.
    Missing,
    /// A value, null included.
    One(&'j Json<'t>),
    /// The values of `[:]`, each `None` where an item lacks it.
    Many(Vec<Option<&'j Json<'t>>>),
}

impl Path {
    /// The path of a key at the top.
    pub fn key(name: &str) -> Self {
        Self { steps: vec![Step::Key(name.to_owned())] }
    }

    /// Reads `$`, `$.a.b`, `$.['a b']`, `$.items[:]`, `$.items[:].name`.
    ///
    /// # Errors
    /// What stands at the place where it is none of these.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let wrong =
            |rest: &str| PathError(format!("`{text}` is no JSONPath that is supported: see `{rest}`"));
        let mut rest = text.trim().strip_prefix('$').ok_or_else(|| wrong(text))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(behind) = rest.strip_prefix("[:]").or_else(|| rest.strip_prefix(".[:]")) {
                steps.push(Step::Each);
                rest = behind;
                continue;
            }
            let dotted = rest.strip_prefix('.');
            let inner = dotted.unwrap_or(rest);
            if let Some(quoted) = inner.strip_prefix('[') {
                let quote =
                    quoted.chars().next().filter(|c| matches!(c, '\'' | '"')).ok_or_else(|| wrong(rest))?;
                let end = quoted[1..].find(&format!("{quote}]")).ok_or_else(|| wrong(rest))?;
                steps.push(Step::Key(quoted[1..=end].to_owned()));
                rest = &quoted[end + 3..];
            } else {
                let name = dotted.ok_or_else(|| wrong(rest))?;
                let end = name.find(['.', '[']).unwrap_or(name.len());
                if end == 0 {
                    return Err(wrong(rest));
                }
                steps.push(Step::Key(name[..end].to_owned()));
                rest = &name[end..];
            }
        }
        if steps.iter().filter(|s| **s == Step::Each).count() > 1 {
            return Err(PathError(format!(
                "`{text}` has more than one `[:]`; one level of lists is supported"
            )));
        }
        Ok(Self { steps })
    }

    /// Keys of the path, when it has no `[:]` in it.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Each => None,
        })
    }

    /// Whether it leads to a list of values.
    pub fn is_list(&self) -> bool {
        self.steps.contains(&Step::Each)
    }

    /// Keys before and behind `[:]`.
    pub fn halves(&self) -> (Vec<&str>, Vec<&str>) {
        let at = self.steps.iter().position(|s| *s == Step::Each).unwrap_or(self.steps.len());
        let keys = |steps: &'_ [Step]| -> Vec<String> {
            steps.iter().filter_map(|s| if let Step::Key(k) = s { Some(k.clone()) } else { None }).collect()
        };
        let (head, tail) = (keys(&self.steps[..at]).len(), keys(&self.steps).len());
        let all: Vec<&str> = self.keys().collect();
        (all[..head].to_vec(), all[head..tail].to_vec())
    }

    pub(super) fn find<'j, 't>(&self, row: &'j Json<'t>) -> Found<'j, 't> {
        let mut at = row;
        for (n, step) in self.steps.iter().enumerate() {
            match (step, at) {
                (Step::Key(key), _) => match at.get(key) {
                    Some(value) => at = value,
                    // Nothing can be in what is null.
                    None if *at == Json::Null => return Found::One(at),
                    None => return Found::Missing,
                },
                (Step::Each, Json::Array(_, items)) => {
                    let rest = &self.steps[n + 1..];
                    let inner = |item: &'j Json<'t>| {
                        rest.iter().try_fold(item, |at, step| match step {
                            Step::Key(key) => at.get(key),
                            Step::Each => None,
                        })
                    };
                    return Found::Many(items.iter().map(inner).collect());
                }
                // A list in the words of a text, or what is none: the type decides.
                (Step::Each, _) => return Found::One(at),
            }
        }
        Found::One(at)
    }
}

impl Found<'_, '_> {
    /// The value as a text, for the quarantine.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Unfilled | Self::Missing | Self::One(Json::Null) => None,
            Self::One(json) => Some(json.said().into_owned()),
            Self::Many(items) => {
                let items: Vec<&str> = items.iter().map(|i| i.map_or("null", |json| json.raw())).collect();
                Some(format!("[{}]", items.join(",")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str, row: &str) -> Option<String> {
        let row = Json::parse(row).expect("JSON");
        Path::parse(path).expect("a path").find(&row).text()
    }

    #[test]
    fn paths_lead_into_rows() {
        let row = r#"{"a":{"b":1},"a.b":2,"l":[{"n":1},{"m":2},{"n":null}],"t":"x","z":null}"#;
        assert_eq!(find("$.a.b", row).as_deref(), Some("1"));
        assert_eq!(find("$.['a.b']", row).as_deref(), Some("2"));
        assert_eq!(find("$['a.b']", row).as_deref(), Some("2"));
        assert_eq!(find("$.l[:].n", row).as_deref(), Some("[1,null,null]"));
        assert_eq!(find("$.l[:]", row).as_deref(), Some(r#"[{"n":1},{"m":2},{"n":null}]"#));
        assert_eq!(find("$.t", row).as_deref(), Some("x"));
        assert_eq!(find("$.z.y", row), None);
        assert_eq!(find("$.nope", row), None);
        assert_eq!(find("$", r#"{"a":1}"#).as_deref(), Some(r#"{"a":1}"#));
    }

    #[test]
    fn other_paths_are_refused() {
        for path in ["a", "$a", "$.", "$.a[0]", "$.a[:].b[:]", "$.['a", "$..a"] {
            assert!(Path::parse(path).is_err(), "{path}");
        }
    }
}
