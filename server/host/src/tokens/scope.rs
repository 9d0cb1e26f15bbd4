//! What tokens may do, in the format's words: `TYPE`, `TYPE:RESOURCE`, `DATASOURCES:READ:RESOURCE:FILTER`.

use std::fmt;

/// One thing that a token may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Admin,
    /// Make, list and take away tokens; never one that may more than the one who asks.
    Tokens,
    /// Read every data source and every endpoint.
    ReadAll,
    /// Deploy, and read what a deployment says about itself.
    Deploy,
    /// Read a data source; with a filter, only the rows that it holds for.
    Read {
        /// The data source.
        source: String,
        /// An expression over its columns.
        filter: Option<String>,
    },
    /// Add rows to a data source.
    Append(String),
    /// Take rows of a data source away: replace, delete, truncate.
    Drop(String),
    /// Ask an endpoint, and run a query over its answer. What it reads need not be readable otherwise.
    Pipe(String),
}

impl Scope {
    /// Reads the format's words for a scope.
    ///
    /// # Errors
    ///
    /// What is wrong with them, and which there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = text.trim().splitn(3, ':');
        let first = parts.next().unwrap_or_default();
        let second = parts.next().unwrap_or_default();
        let rest = parts.next();
        let kind = (first.to_ascii_uppercase(), second.to_ascii_uppercase());
        let resource = || {
            let name = rest.unwrap_or_default();
            if is_name(name) {
                return Ok(name.to_owned());
            }
            Err(format!("`{text}` names no resource: write {}:{}:NAME", kind.0, kind.1))
        };
        let nothing_behind = |scope: Self| match rest {
            None => Ok(scope),
            Some(_) => Err(format!("`{text}` has more in it than {scope}")),
        };
        match (kind.0.as_str(), kind.1.as_str()) {
            ("ADMIN", "") => nothing_behind(Self::Admin),
            ("TOKENS", "") => nothing_behind(Self::Tokens),
            ("WORKSPACE", "READ_ALL") => nothing_behind(Self::ReadAll),
            ("WORKSPACE", "DEPLOY") => nothing_behind(Self::Deploy),
            ("DATASOURCES", "READ") => {
                let (name, filter) = match rest.unwrap_or_default().split_once(':') {
                    Some((name, filter)) => (name, Some(filter.trim()).filter(|f| !f.is_empty())),
                    None => (rest.unwrap_or_default(), None),
                };
                if !is_name(name) {
                    return Err(format!("`{text}` names no data source: write DATASOURCES:READ:NAME"));
                }
                Ok(Self::Read { source: name.to_owned(), filter: filter.map(str::to_owned) })
            }
            ("DATASOURCES", "APPEND") => resource().map(Self::Append),
            ("DATASOURCES", "DROP") => resource().map(Self::Drop),
            ("PIPES", "READ") => resource().map(Self::Pipe),
            ("DATASOURCES" | "PIPES", "CREATE") | ("PIPES", "DROP") => Err(format!(
                "`{text}`: resources come and go with deployments here: give the token WORKSPACE:DEPLOY"
            )),
            _ => Err(format!(
                "`{text}` is no scope; there are ADMIN, TOKENS, WORKSPACE:READ_ALL, WORKSPACE:DEPLOY, DATASOURCES:READ:NAME[:FILTER], \
                 DATASOURCES:APPEND:NAME, DATASOURCES:DROP:NAME, PIPES:READ:NAME"
            )),
        }
    }

    /// Its type, without the resource.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Tokens => "TOKENS",
            Self::ReadAll => "WORKSPACE:READ_ALL",
            Self::Deploy => "WORKSPACE:DEPLOY",
            Self::Read { .. } => "DATASOURCES:READ",
            Self::Append(_) => "DATASOURCES:APPEND",
            Self::Drop(_) => "DATASOURCES:DROP",
            Self::Pipe(_) => "PIPES:READ",
        }
    }

    /// The resource that it is about.
    pub fn resource(&self) -> Option<&str> {
        match self {
            Self::Read { source, .. } => Some(source),
            Self::Append(name) | Self::Drop(name) | Self::Pipe(name) => Some(name),
            _ => None,
        }
    }

    /// The rows that it is about.
    pub fn filter(&self) -> Option<&str> {
        match self {
            Self::Read { filter, .. } => filter.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        if let Some(resource) = self.resource() {
            write!(f, ":{resource}")?;
        }
        if let Some(filter) = self.filter() {
            write!(f, ":{filter}")?;
        }
        Ok(())
    }
}

/// Names of resources are names of files: letters, digits and `_`, with dots between those of other workspaces.
fn is_name(name: &str) -> bool {
    (1..=200).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        && name.bytes().any(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Which rows of a data source may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rows {
    /// All.
    All,
    /// Those for which one of the filters holds.
    Some(Vec<String>),
}

/// All that a token may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access(Vec<Scope>);

impl Access {
    /// These scopes.
    pub fn new(scopes: Vec<Scope>) -> Self {
        Self(scopes)
    }

    /// What it is made of.
    pub fn scopes(&self) -> &[Scope] {
        &self.0
    }

    fn has(&self, wanted: &Scope) -> bool {
        self.0.iter().any(|scope| scope == wanted)
    }

    /// Everything.
    pub fn is_admin(&self) -> bool {
        self.has(&Scope::Admin)
    }

    /// Deploy.
    pub fn may_deploy(&self) -> bool {
        self.is_admin() || self.has(&Scope::Deploy)
    }

    /// Make and take away tokens.
    pub fn may_manage_tokens(&self) -> bool {
        self.is_admin() || self.has(&Scope::Tokens)
    }

    /// Look at the host itself: status, metrics, lists of everything.
    pub fn may_look(&self) -> bool {
        self.may_deploy() || self.has(&Scope::ReadAll)
    }

    /// Read every data source and every endpoint.
    pub fn may_read_all(&self) -> bool {
        self.is_admin() || self.has(&Scope::ReadAll)
    }

    /// Which rows of a data source may be read; `None` for none.
    pub fn rows(&self, source: &str) -> Option<Rows> {
        if self.may_read_all() {
            return Some(Rows::All);
        }
        let mut filters = Vec::new();
        for scope in &self.0 {
            match scope {
                Scope::Read { source: name, filter } if name == source => match filter {
                    None => return Some(Rows::All),
                    Some(filter) => filters.push(filter.clone()),
                },
                _ => {}
            }
        }
        (!filters.is_empty()).then_some(Rows::Some(filters))
    }

    /// The filters of all data sources of which only some rows may be read.
    pub fn filters(&self) -> Vec<(String, Vec<String>)> {
        let mut out: Vec<(String, Vec<String>)> = Vec::new();
        for source in self.0.iter().filter(|s| s.filter().is_some()).filter_map(Scope::resource) {
            if out.iter().all(|(name, _)| name != source)
                && let Some(Rows::Some(filters)) = self.rows(source)
            {
                out.push((source.to_owned(), filters));
            }
        }
        out
    }

    /// Ask an endpoint.
    pub fn may_ask(&self, pipe: &str) -> bool {
        self.may_read_all() || self.has(&Scope::Pipe(pipe.to_owned()))
    }

    /// Add rows.
    pub fn may_append(&self, source: &str) -> bool {
        self.is_admin() || self.has(&Scope::Append(source.to_owned()))
    }

    /// Take rows away.
    pub fn may_drop(&self, source: &str) -> bool {
        self.is_admin() || self.has(&Scope::Drop(source.to_owned()))
    }

    /// Whether whoever holds this may hand `scope` out: nobody gives what they have not, and managers of tokens give
    /// everything but what makes more of themselves.
    pub fn may_grant(&self, scope: &Scope) -> bool {
        let plain = !matches!(scope, Scope::Admin | Scope::Tokens | Scope::Deploy);
        self.is_admin() || self.has(&Scope::Tokens) && plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_written_as_they_are_read() {
        for text in [
            "ADMIN",
            "TOKENS",
            "WORKSPACE:READ_ALL",
            "WORKSPACE:DEPLOY",
            "DATASOURCES:READ:events",
            "DATASOURCES:READ:events:org = 'a:b' AND x > 1",
            "DATASOURCES:APPEND:events",
            "DATASOURCES:DROP:events",
            "PIPES:READ:top_pages",
        ] {
            assert_eq!(Scope::parse(text).map(|s| s.to_string()).as_deref(), Ok(text));
        }
        assert_eq!(Scope::parse(" admin "), Ok(Scope::Admin));
        assert_eq!(
            Scope::parse("datasources:read:Events:").map(|s| s.to_string()).as_deref(),
            Ok("DATASOURCES:READ:Events")
        );
        for (text, part) in [
            ("", "is no scope"),
            ("READ", "is no scope"),
            ("ADMIN:x", "is no scope"),
            ("WORKSPACE:DEPLOY:x", "more in it"),
            ("DATASOURCES:APPEND", "names no resource"),
            ("DATASOURCES:APPEND:a b", "names no resource"),
            ("DATASOURCES:APPEND:../x", "names no resource"),
            ("DATASOURCES:READ", "names no data source"),
            ("DATASOURCES:READ::1", "names no data source"),
            ("DATASOURCES:CREATE", "come and go with deployments"),
            ("PIPES:DROP:x", "come and go with deployments"),
        ] {
            let why = Scope::parse(text).expect_err(text);
            assert!(why.contains(part), "{text}: {why}");
        }
    }

    #[test]
    fn the_widest_scope_counts() {
        let access = |texts: &[&str]| Access::new(texts.iter().map(|t| Scope::parse(t).expect(t)).collect());
        let some = access(&[
            "DATASOURCES:READ:events:a = 1",
            "DATASOURCES:READ:events:b = 2",
            "DATASOURCES:READ:other",
        ]);
        assert_eq!(some.rows("events"), Some(Rows::Some(vec!["a = 1".to_owned(), "b = 2".to_owned()])));
        assert_eq!((some.rows("other"), some.rows("third")), (Some(Rows::All), None));
        assert_eq!(some.filters().len(), 1);
        let all = access(&["DATASOURCES:READ:events:a = 1", "DATASOURCES:READ:events"]);
        assert_eq!((all.rows("events"), all.filters().len()), (Some(Rows::All), 0));
        assert!(access(&["DATASOURCES:READ:events:a = 1", "WORKSPACE:READ_ALL"]).filters().is_empty());
        let manager = access(&["TOKENS"]);
        assert!(manager.may_grant(&Scope::Append("x".to_owned())) && !manager.may_grant(&Scope::Admin));
        assert!(!manager.may_grant(&Scope::Tokens) && !manager.may_grant(&Scope::Deploy));
        assert!(!access(&["WORKSPACE:DEPLOY"]).may_grant(&Scope::Append("x".to_owned())));
    }
}
