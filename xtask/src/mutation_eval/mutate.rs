//! Where a project can be broken, and how.

use headwater_analysis::syntax::sql::{self, ast};
use headwater_analysis::syntax::{Directive, MappedText, schema};
use headwater_analysis::{Database, File, FileKind, Project, TextRange, datafile};

use crate::catalog::Random;

/// One edit of one file.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    /// Where.
    pub(crate) file: File,
    /// What goes, in offsets of the file's text.
    range: std::ops::Range<usize>,
    /// What comes in its place.
    text: String,
    /// What it does, for reports.
    pub(crate) kind: &'static str,
}

impl Mutation {
    /// The file's text after it.
    pub(crate) fn apply(&self, text: &str) -> String {
        let mut text = text.to_owned();
        text.replace_range(self.range.clone(), &self.text);
        text
    }

    /// For reports: the file, the line, and the edit.
    pub(crate) fn describe(&self, db: &Database, text: &str) -> String {
        let line = text[..self.range.start].matches('\n').count() + 1;
        let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!(
            "{} in {}:{line}: `{}` → `{}`",
            self.kind,
            self.file.path(db),
            squeeze(&text[self.range.clone()]),
            squeeze(&self.text)
        )
    }

    /// Whether columns of a resource change, so that the baseline has something to say.
    pub(crate) fn is_about_columns(&self) -> bool {
        self.kind.ends_with("a column")
    }
}

/// A place that can be mutated, before a die says how.
pub(crate) struct Sites {
    file: File,
    sites: Vec<Site>,
}

struct Site {
    kind: &'static str,
    range: std::ops::Range<usize>,
    text: String,
}

/// Functions that take another's place: different counts, types, and classes.
const FUNCTIONS: &[&str] = &[
    "sum",
    "avg",
    "max",
    "count",
    "uniq",
    "toDate",
    "toDateTime",
    "lower",
    "length",
    "toStartOfHour",
    "toString",
    "toUInt64",
    "JSONExtractString",
    "dateDiff",
    "round",
    "arrayJoin",
    "countIf",
    "sumMerge",
    "uniqMerge",
    "toStartOfInterval",
    "splitByChar",
    "quantile",
    "coalesce",
    "concat",
    "multiIf",
    "addDays",
];

/// Types that take another's place.
const TYPES: &[&str] = &[
    "String",
    "UInt64",
    "Float64",
    "DateTime",
    "Date",
    "Array(String)",
    "UUID",
    "Map(String, String)",
    "AggregateFunction(uniq, String)",
    "AggregateFunction(sum, UInt64)",
];

/// Every file's sites.
pub(crate) fn sites(db: &Database, project: Project) -> Vec<Sites> {
    let files = project.files(db).iter().map(|file| {
        let mut found = Finder { sites: Vec::new() };
        match file.kind(db) {
            Some(FileKind::Datasource) => found.schema(db, *file),
            Some(FileKind::Pipe) => found.pipe(db, *file),
            _ => {}
        }
        Sites { file: *file, sites: found.sites }
    });
    files.filter(|s| !s.sites.is_empty()).collect()
}

impl Sites {
    /// The kinds of mutation that this file can have.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.sites.iter().map(|s| s.kind)
    }

    /// One of a kind, at random.
    pub(crate) fn pick(&self, kind: &str, random: &mut Random) -> Option<Mutation> {
        let of_kind: Vec<&Site> = self.sites.iter().filter(|s| s.kind == kind).collect();
        let site = of_kind.get(random.below(of_kind.len().max(1)))?;
        Some(Mutation {
            file: self.file,
            range: site.range.clone(),
            text: site.text.clone(),
            kind: site.kind,
        })
    }
}

struct Finder {
    sites: Vec<Site>,
}

impl Finder {
    fn push(&mut self, kind: &'static str, body: &MappedText, range: TextRange, text: impl Into<String>) {
        let whole = body.to_source(range);
        let range = std::ops::Range::<usize>::from(whole);
        self.sites.push(Site { kind, range, text: text.into() });
    }

    fn schema(&mut self, db: &Database, file: File) {
        let parsed = datafile(db, file);
        let Some(entry) = parsed.datafile.last(Directive::Schema).filter(|e| e.source == 0) else { return };
        let body = entry.entry.body(parsed.datafile.source_of(entry));
        let columns = schema::parse(&body.text).columns;
        for (n, column) in columns.iter().enumerate() {
            let name = &column.name.value;
            let range = match (columns.get(n + 1), n.checked_sub(1).map(|n| &columns[n])) {
                (Some(next), _) => Some(TextRange::new(column.range.start(), next.range.start())),
                (None, Some(before)) => Some(TextRange::new(before.range.end(), column.range.end())),
                (None, None) => None,
            };
            if let Some(range) = range {
                self.push("drop a column", &body, range, "");
            }
            let written = &body.text[column.name.range];
            let renamed = written.replace(name.as_str(), &format!("{name}_was"));
            self.push("rename a column", &body, column.name.range, renamed);
            let Some(ty) = &column.ty else { continue };
            for other in TYPES.iter().filter(|t| **t != ty.value) {
                self.push("retype a column", &body, ty.range, *other);
            }
            if let Some(rest) = ty.value.strip_prefix("AggregateFunction(") {
                let (function, rest) = rest.split_once(',').unwrap_or((rest, ")"));
                for other in ["avg", "uniq", "max", "sum", "count"].iter().filter(|f| **f != function.trim())
                {
                    self.push("break a state", &body, ty.range, format!("AggregateFunction({other},{rest}"));
                }
            }
        }
    }

    fn pipe(&mut self, db: &Database, file: File) {
        let parsed = datafile(db, file);
        for node in parsed.datafile.nodes() {
            let Some((entry, body)) = node.sql() else { continue };
            // Texts of fragments belong to other files.
            if entry.source == 0 {
                self.query(&body);
            }
        }
    }

    fn query(&mut self, body: &MappedText) {
        let text = body.text.as_ref();
        let Some(tree) = sql::parse(text) else { return };
        let root = tree.root_node();
        let place = |node: ast::Node<'_>| ast::place(node);
        let columns: Vec<ast::Node<'_>> = ast::nodes(root).filter(|n| n.kind() == "column_ref").collect();
        for (n, column) in columns.iter().enumerate() {
            let range = place(*column);
            let written = &text[range];
            self.push("misspell a column", body, range, misspelt(written));
            // Another column of the same query: its type decides what becomes of it.
            if let Some(other) = columns.get((n * 7 + 3) % columns.len()).map(|c| &text[place(*c)])
                && other != written
            {
                self.push("take another column", body, range, other);
            }
        }
        for call in ast::descendants::<ast::FunctionCall<'_>>(root) {
            use ast::AstNode as _;
            if let Some(name) = call.name() {
                self.function(body, ast::place(name.node()));
            }
            let list: Vec<TextRange> = call.values().map(|e| ast::place(e.node())).collect();
            if let [.., before, last] = list.as_slice() {
                self.push("drop an argument", body, TextRange::new(before.end(), last.end()), "");
            } else if let [only] = list.as_slice() {
                self.push("drop an argument", body, *only, "");
            }
            if let Some(last) = list.last() {
                self.push("add an argument", body, *last, format!("{0}, {0}", &text[*last]));
                self.push("take a text for an argument", body, *last, "'text'");
            }
        }
        for select in ast::descendants::<ast::SelectQuery<'_>>(root) {
            self.select(body, select);
        }
        for table in ast::descendants::<ast::TableRef<'_>>(root) {
            use ast::AstNode as _;
            if let Some(alias) = table.alias() {
                self.push("rename an alias", body, ast::place(alias.node()), "other_alias");
            }
        }
    }

    fn function(&mut self, body: &MappedText, range: TextRange) {
        let name = &body.text[range];
        self.push("misspell a function", body, range, format!("{name}z"));
        for other in FUNCTIONS.iter().filter(|f| !f.eq_ignore_ascii_case(name)) {
            self.push("swap a function", body, range, *other);
        }
        for suffix in ["Merge", "State"] {
            match name.strip_suffix(suffix) {
                Some(bare) => {
                    self.push("break a state", body, range, bare);
                    self.push("break a state", body, range, format!("quantile{suffix}"));
                }
                None if ["sum", "count", "uniq", "avg", "max", "min", "any", "uniqExact"].contains(&name) => {
                    self.push("break a state", body, range, format!("{name}{suffix}"));
                }
                None => {}
            }
        }
    }

    fn select(&mut self, body: &MappedText, select: ast::SelectQuery<'_>) {
        use ast::AstNode as _;
        let items: Vec<ast::SelectItem<'_>> = select.items().collect();
        for (n, item) in items.iter().enumerate() {
            let range = item.range();
            if let Some(next) = items.get(n + 1) {
                let range = TextRange::new(range.start(), next.range().start());
                self.push("drop a selected column", body, range, "");
            }
            if let Some(alias) = item.alias() {
                let range = ast::place(alias.node());
                self.push("rename a selected column", body, range, misspelt(&body.text[range]));
            }
        }
        if let Some(group) = select.group_by_clause() {
            let keys: Vec<TextRange> = group.expressions().map(|e| ast::place(e.node())).collect();
            for pair in keys.windows(2) {
                self.push("drop a key of GROUP BY", body, TextRange::new(pair[0].end(), pair[1].end()), "");
            }
            self.push("drop GROUP BY", body, ast::place(group.node()), "");
        }
        for filter in select.clauses().filter(|c| c.node().kind() == "where_clause") {
            let first = ast::nodes(filter.node()).find(|n| n.kind() == "column_ref");
            if let Some(column) = first.map(ast::place) {
                self.push("aggregate in WHERE", body, column, format!("max({})", &body.text[column]));
            }
        }
    }
}

fn misspelt(name: &str) -> String {
    match name.strip_suffix(['`', '"']) {
        Some(bare) => format!("{bare}_gone{}", &name[bare.len()..]),
        None => format!("{name}_gone"),
    }
}
