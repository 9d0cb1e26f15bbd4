//! A plan: what a deployment will do, change by change.

use serde::Serialize;

/// What a change costs and how it is carried out.
///
/// In order of weight: of several changes of one resource the heaviest says how the resource is deployed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Nothing is done.
    None,
    /// The pointer moves; no data is touched.
    Metadata,
    /// Something new, that holds nothing yet or is filled from history.
    Create,
    /// `ALTER` in place on the same physical table.
    Alter,
    /// No longer declared; physically gone when the rollback window ends. Destructive then.
    Hide,
    /// A new physical table from a clone, of which one column is rewritten.
    Mutate,
    /// The target's own rows are carried over; only new rows are made by the new query.
    Carry,
    /// The view runs again over all that its source holds.
    Recompute,
    /// A new physical table from a snapshot.
    Rewrite,
    /// Destructive: has to be allowed by name.
    Delete,
    /// Not deployed: the reason and the fix say why and what to write.
    Refuse,
}

impl Class {
    /// All of them, lightest first.
    pub const ALL: &'static [Self] = &[
        Self::None,
        Self::Metadata,
        Self::Create,
        Self::Alter,
        Self::Hide,
        Self::Mutate,
        Self::Carry,
        Self::Recompute,
        Self::Rewrite,
        Self::Delete,
        Self::Refuse,
    ];

    /// Its word in text and in documentation.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Metadata => "metadata",
            Self::Create => "create",
            Self::Alter => "alter",
            Self::Hide => "hide",
            Self::Mutate => "mutate",
            Self::Carry => "carry",
            Self::Recompute => "recompute",
            Self::Rewrite => "rewrite",
            Self::Delete => "delete",
            Self::Refuse => "refuse",
        }
    }

    /// Its word in JSON, where `hide` is a `delete` that takes effect later.
    pub fn contract_name(self) -> &'static str {
        if self == Self::Hide { Self::Delete.name() } else { self.name() }
    }

    /// Whether it makes a new physical table.
    pub fn moves_data(self) -> bool {
        matches!(self, Self::Mutate | Self::Carry | Self::Recompute | Self::Rewrite)
    }

    /// Whether rows or resources are gone in the end.
    pub fn is_destructive(self) -> bool {
        matches!(self, Self::Hide | Self::Delete)
    }
}

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ResourceKind {
    /// Credentials and an address.
    Connection,
    /// A table.
    Datasource,
    /// A pipe whose rows go into a data source, insert by insert.
    Materialized,
    /// A pipe that others read.
    Pipe,
    /// A pipe with an address.
    Endpoint,
    /// A job that fills a data source.
    Copy,
    /// A job that writes elsewhere.
    Sink,
    /// A static token.
    Token,
}

impl ResourceKind {
    /// For people.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Datasource => "data source",
            Self::Materialized => "materialized view",
            Self::Pipe => "pipe",
            Self::Endpoint => "endpoint",
            Self::Copy => "copy",
            Self::Sink => "sink",
            Self::Token => "token",
        }
    }

    /// In JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Datasource => "datasource",
            Self::Materialized => "materialized",
            other => other.noun(),
        }
    }
}

/// What a change is measured to cost. Absent where there are no measurements: never guessed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Rows read.
    pub rows: Option<u64>,
    /// Bytes on disk that are read or gone.
    pub bytes: Option<u64>,
    /// Time of the backfill.
    pub seconds: Option<f64>,
    /// Disk needed beside what is there.
    pub extra_bytes: Option<u64>,
    /// Time in which new rows wait to be seen.
    pub pause_ms: Option<u64>,
}

/// Something that reads or is fed by what changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Dependent {
    /// The resource.
    pub resource: String,
    /// What it is.
    pub kind: ResourceKind,
    /// The node, where it is not the whole resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// Text that mends a refusal, or saves work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What it does, for a menu.
    pub title: String,
    /// The file that it belongs into, from the project's root; empty for a text that stands for itself.
    pub path: String,
    /// What to write there.
    pub text: String,
    /// What it is, for an editor that applies it.
    #[serde(skip)]
    pub edit: FixEdit,
}

/// How a fix is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FixEdit {
    /// By hand.
    Manual,
    /// The text is a new file that fills the resource of that name out of one that is gone, which stays meanwhile.
    CopyInto {
        /// What is filled.
        target: String,
    },
    /// The text is the file's `FORWARD_QUERY` block, in the place of one that is there.
    ForwardQuery,
    /// The file's `FORWARD_QUERY` block goes away.
    DropForwardQuery,
    /// The text is a column definition that comes back into the schema, behind the named column or first.
    RestoreColumn {
        /// The column that it stood behind.
        after: Option<String>,
    },
    /// The text is `DEPLOYMENT_METHOD alter`, for the node of that name.
    DeploymentMethod {
        /// The node.
        node: String,
    },
    /// The text is the whole of the schema's columns.
    Schema,
}

/// One change and what becomes of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The resource.
    pub resource: String,
    /// What it is.
    pub kind: ResourceKind,
    /// Its file, from the project's root; the old one of what is gone.
    pub path: String,
    /// The rule that decided.
    pub rule: &'static Rule,
    /// What is done.
    pub class: Class,
    /// What of the resource changed: a column, an index, a parameter.
    pub subject: Option<String>,
    /// Why, in one sentence.
    pub reason: String,
    /// What the engine is told. Live tables go by their names, new ones carry the fingerprint that they will have.
    pub sql: Vec<String>,
    /// What depends on it: of a refusal, what would break.
    pub dependents: Vec<Dependent>,
    /// Whether a rollback brings back what was.
    pub is_reversible: bool,
    /// Whether somebody outside of the project notices.
    pub is_breaking: bool,
    /// What to write.
    pub fix: Option<Fix>,
    /// The rule of the change that this one is carried out with.
    pub part_of: Option<&'static str>,
    /// What it costs.
    pub estimate: Estimate,
}

/// A rule: a page in `docs/reference/plan` explains it and is its test.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name and that of its page.
    pub name: &'static str,
    /// The change, as a heading: `a column is added`.
    pub change: &'static str,
    /// Its page, with a project before and after for each case.
    pub page: &'static str,
}

impl Rule {
    /// What its page says before the cases: why the change is carried out as it is.
    pub fn explanation(&self) -> &'static str {
        let text = self.page.split_once('\n').map_or("", |(_, rest)| rest);
        text.split("\n## ").next().unwrap_or_default().trim()
    }
}

/// What a deployment will do.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Of both sides and of the engine's version: a plan is for these and no others.
    pub hash: String,
    /// What changes, upstream before downstream.
    pub changes: Vec<Change>,
}

impl Plan {
    /// How many changes there are of a class.
    pub fn count(&self, class: Class) -> usize {
        self.changes.iter().filter(|c| c.class == class).count()
    }

    /// The heaviest class of a resource's changes.
    pub fn class_of(&self, kind: ResourceKind, resource: &str) -> Class {
        let own = self.changes.iter().filter(|c| c.kind == kind && c.resource == resource);
        own.map(|c| c.class).max().unwrap_or(Class::None)
    }

    /// Whether it can be carried out, once what is destructive is allowed.
    pub fn is_refused(&self) -> bool {
        self.count(Class::Refuse) > 0
    }
}
