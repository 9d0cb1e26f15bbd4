//! Which generation of the format a project is written in.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use headwater_syntax::{Dialect, FileKind};
use salsa::{Cancelled, Setter as _};

use crate::db::{Database, Db};
use crate::inputs::{File, Project};

/// The dialect and the reason, in words for the status page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialectFacts {
    /// The generation.
    pub dialect: Dialect,
    /// Why.
    pub why: String,
}

/// What a glance at one file's lines says, without parsing it: a cold start must know these things of every file
/// before it can answer for one. Small and stable: editing a body does not change it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    include: bool,
    /// There is a `VERSION n` line.
    pub(crate) version: bool,
    /// There is, or may be, a materialized node.
    pub(crate) materialized: bool,
    /// There is, or may be, a copy node.
    pub(crate) copy: bool,
    forward_only: bool,
    explicit_endpoint: bool,
    untyped_endpoint: bool,
    pipe: bool,
    typed: bool,
    fragment: bool,
    connection: bool,
}

impl Evidence {
    /// What either says.
    fn or(self, other: Self) -> Self {
        Self {
            include: self.include | other.include,
            version: self.version | other.version,
            materialized: self.materialized | other.materialized,
            copy: self.copy | other.copy,
            forward_only: self.forward_only | other.forward_only,
            explicit_endpoint: self.explicit_endpoint | other.explicit_endpoint,
            untyped_endpoint: self.untyped_endpoint | other.untyped_endpoint,
            pipe: self.pipe | other.pipe,
            typed: self.typed | other.typed,
            fragment: self.fragment | other.fragment,
            connection: self.connection | other.connection,
        }
    }
}

/// The dialect of a project. `headwater.toml` decides when it says so; otherwise the marks of both generations are
/// weighed (specification §24, trap 14), and Forward, the current product, wins a tie.
pub fn dialect(db: &dyn Db, project: Project) -> &DialectFacts {
    project.settled(db).as_deref().unwrap_or_else(|| judged(db, project))
}

/// Writes down the dialect that the files point to now. To be called by whoever changed the files of a project, right after
/// the write: then there is no other reader that this could wait for.
pub fn settle_dialect(db: &mut Database, project: Project) {
    let found = loop {
        // Should there be a reader that is cancelled while this waits for it, the next attempt does the reader's work.
        if let Ok(found) = Cancelled::catch(AssertUnwindSafe(|| judged(db, project).clone())) {
            break found;
        }
    };
    if project.settled(db).as_deref() != Some(&found) {
        project.set_settled(db).to(Some(Arc::new(found)));
    }
}

#[salsa::tracked]
fn judged(db: &dyn Db, project: Project) -> DialectFacts {
    if let Some(dialect) = project.config(db).dialect {
        return DialectFacts { dialect, why: "headwater.toml says so".to_owned() };
    }
    let facts = project.facts(db);
    let (mut classic, mut forward) = (Vec::new(), Vec::new());
    let vote = |yes: bool, side: &mut Vec<(u32, &'static str)>, weight, why| {
        if yes {
            side.push((weight, why));
        }
    };
    let all = (0..project.parts(db))
        .fold(Evidence::default(), |all, part| all.or(part_evidence(db, project, part)));
    vote(facts.tinyenv, &mut classic, 3, "a .tinyenv file");
    vote(all.fragment, &mut classic, 3, ".incl or .token files");
    vote(all.include, &mut classic, 3, "INCLUDE directives");
    vote(all.version, &mut classic, 1, "VERSION directives");
    vote(all.untyped_endpoint, &mut classic, 2, "endpoints without TYPE");
    // Forward publishes nothing without TYPE, so a project of which nothing is published is not written for it.
    vote(all.pipe && !all.typed, &mut classic, 2, "pipes, and no TYPE in any of them");
    vote(facts.config_json, &mut forward, 4, "a tinybird.config.json file");
    vote(all.connection, &mut forward, 3, ".connection files");
    vote(all.forward_only, &mut forward, 3, "directives that only Forward has");
    vote(all.explicit_endpoint, &mut forward, 1, "TYPE endpoint");
    let sum = |side: &[(u32, &'static str)]| side.iter().map(|(n, _)| n).sum::<u32>();
    let (dialect, marks) =
        if sum(&classic) > sum(&forward) { (Dialect::Classic, classic) } else { (Dialect::Forward, forward) };
    let marks: Vec<_> = marks.iter().map(|(_, why)| *why).collect();
    let why = if marks.is_empty() {
        "nothing in the project points to the older dialect".to_owned()
    } else {
        format!("the project has {}", marks.join(", "))
    };
    DialectFacts { dialect, why }
}

#[salsa::tracked(returns(copy))]
fn part_evidence(db: &dyn Db, project: Project, part: usize) -> Evidence {
    project.part(db, part).iter().fold(Evidence::default(), |all, file| all.or(evidence(db, *file)))
}

/// Looks over a file's lines. Linear, at the speed of memory.
#[salsa::tracked(returns(copy))]
pub(crate) fn evidence(db: &dyn Db, file: File) -> Evidence {
    let mut e = Evidence::default();
    let Some(kind) = file.kind(db) else { return e };
    for line in file.text(db).lines() {
        if line.trim_start().get(..4).is_some_and(|w| w.eq_ignore_ascii_case("type")) {
            let lower = line.to_ascii_lowercase();
            e.materialized |= lower.contains("materialized");
            e.copy |= lower.contains("copy");
        }
        // Only lines at column 0 can be directives wherever they stand; reading more would need the dialect.
        let mut words = line.split_whitespace();
        let Some(first) = words.next().filter(|_| !line.starts_with([' ', '\t'])) else { continue };
        match first.to_ascii_uppercase().as_str() {
            "INCLUDE" => e.include = true,
            "VERSION" => e.version = words.next().is_some_and(|v| v.parse::<u32>().is_ok()),
            "FORWARD_QUERY" | "BACKFILL" | "DEPLOYMENT_METHOD" => e.forward_only = true,
            "TYPE" => {
                e.typed = true;
                e.explicit_endpoint |= words.next().is_some_and(|w| w.eq_ignore_ascii_case("endpoint"));
            }
            _ => {}
        }
    }
    e.pipe = kind == FileKind::Pipe;
    e.fragment = matches!(kind, FileKind::Include | FileKind::Token);
    e.connection = kind == FileKind::Connection;
    let in_endpoints = file.path(db).parent().and_then(|p| p.file_name()) == Some("endpoints");
    e.untyped_endpoint =
        kind == FileKind::Pipe && in_endpoints && !e.typed && !file.text(db).trim().is_empty();
    e
}
