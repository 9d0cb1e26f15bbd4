//! Queries as data: what each gives, what is wrong with it. `UPDATE_EXPECT=1` rewrites `queries.txt`; read the difference, and
//! ask the engine (`cargo xtask semantic-eval server/analysis/tests/queries.sql`).

use std::fmt::Write as _;
use std::sync::Arc;

use headwater_analysis::query::{Column, Relation, Tables, analyze};
use headwater_analysis::syntax::sql;
use headwater_analysis::{TextRange, syntax::schema};

struct Named(Vec<(String, Arc<Relation>)>);

impl Tables for Named {
    fn relation(&self, _: Option<&str>, name: &str) -> Option<Arc<Relation>> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, relation)| relation.clone())
    }
}

fn tables(text: &str) -> Named {
    let lines = text.lines().filter_map(|line| line.strip_prefix("-- table ")?.split_once(": "));
    let relation = |columns: &str| {
        // A name with a dot is written in quotes.
        let columns = schema::split_arguments(columns).into_iter().filter_map(|(_, column)| {
            let (name, ty) = column.trim().split_once(' ')?;
            Some(Column::new(name, headwater_catalog::Type::parse(ty).ok()))
        });
        Arc::new(Relation::of(columns.collect()))
    };
    Named(lines.map(|(name, columns)| (name.to_owned(), relation(columns))).collect())
}

#[test]
fn queries_mean_what_the_engine_says() {
    let text = include_str!("queries.sql");
    let tables = tables(text);
    let mut out = String::new();
    for query in text.lines().filter(|line| !line.is_empty() && !line.starts_with("--")) {
        let tree = sql::parse(query).expect("short");
        let facts = analyze(query, &tree, &tables);
        let _ = writeln!(out, "{query}");
        for column in &facts.columns {
            let name = column.name.as_deref().unwrap_or("?");
            let ty = column.ty.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
            let sources: Vec<_> = column
                .sources
                .iter()
                .map(|s| {
                    let base = &facts.bases[s.base];
                    format!("{}{}.{}", if s.is_copy { "=" } else { "" }, base.table, base.column)
                })
                .collect();
            let from = if sources.is_empty() { String::new() } else { format!(" <- {}", sources.join(" ")) };
            let _ = writeln!(out, "    {name}: {ty}{from}");
        }
        if !facts.complete {
            let _ = writeln!(out, "    …");
        }
        for fault in &facts.faults {
            let range: TextRange = fault.range;
            let _ = writeln!(out, "    ! {:?} at `{}`", fault.kind, &query[range]);
        }
    }
    expect_test::expect_file!["queries.txt"].assert_eq(&out);
}

#[test]
fn uses_say_what_for() {
    let query = "WITH c AS (SELECT k, x FROM a WHERE n > 1) SELECT count() FROM c JOIN b USING (k) WHERE c.x != '' GROUP BY y ORDER BY y";
    let tables = tables(include_str!("queries.sql"));
    let facts = analyze(query, &sql::parse(query).expect("short"), &tables);
    let mut out = String::new();
    for usage in &facts.uses {
        let base = &facts.bases[usage.base];
        let _ = writeln!(
            out,
            "{}: {}.{} {:?}{}",
            &query[usage.range],
            base.table,
            base.column,
            usage.kind,
            if usage.is_name { "" } else { " through another name" }
        );
    }
    expect_test::expect![[r#"
        k: a.k Value
        x: a.x Value
        n: a.n Filter
        k: a.k Join
        k: b.k Join
        c.x: a.x Filter
        y: b.y Group
        y: b.y Order
    "#]]
    .assert_eq(&out);
}

/// Hostile queries end, and say nothing that is not so.
#[test]
fn depth_and_width_are_bounded() {
    let tables = tables(include_str!("queries.sql"));
    let deep = 2_000;
    let stars = (0..40).map(|n| format!("a AS a{n}")).collect::<Vec<_>>().join(", ");
    let aliases = (1..500).map(|n| format!("c{n} + 1 AS c{}", n + 1)).collect::<Vec<_>>().join(", ");
    for query in [
        format!("SELECT {}1{}", "(".repeat(deep), ")".repeat(deep)),
        format!("SELECT {}k{} FROM a", "toString(".repeat(deep), ")".repeat(deep)),
        format!("SELECT * FROM {}a{}", "(SELECT * FROM ".repeat(200), ")".repeat(200)),
        format!("SELECT {} FROM a", vec!["k + 1"; deep].join(" + ")),
        format!("SELECT *, *, *, * FROM {stars}"),
        format!("SELECT k AS c1, {aliases} FROM a"),
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r".to_owned(),
        "SELECT a1 AS a2, a2 AS a1 FROM a".to_owned(),
    ] {
        if let Some(tree) = sql::parse(&query) {
            let facts = analyze(&query, &tree, &tables);
            assert!(facts.columns.len() <= 60_000);
        }
    }
}
