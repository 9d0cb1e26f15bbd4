//! Made-up rows: equal for equal seeds, of the shape that the data source ingests, and with values that fit names, types and
//! keys.
//!
//! Every column has dice of its own, seeded by its name: a new column changes no other one. Identifiers come from a pool that
//! depends on the name alone, so that `user_id` of one data source finds its partner in another.

mod value;
mod words;

use std::fmt;

use fastrand::Rng;
use headwater_catalog::Type;
use headwater_plan::Table;

use crate::compile::Clock;
use crate::ingest::{Path, Schema};
use crate::json::quote;
use value::{Maker, Role};

/// What rows are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MockOptions {
    /// How many.
    pub rows: u64,
    /// Equal seeds make equal rows.
    pub seed: u64,
    /// Times lie in the thirty days before.
    pub now: Clock,
}

/// Why there are no rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MockError(pub String);

impl fmt::Display for MockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for MockError {}

/// Rows for a data source, one JSON object a line, handed over one by one.
///
/// # Errors
/// When the data source takes no rows from outside, or a column's type is not understood.
pub fn mock(
    name: &str,
    table: &Table,
    options: MockOptions,
    mut emit: impl FnMut(&str),
) -> Result<(), MockError> {
    let schema =
        Schema::new(table).map_err(|(column, error)| MockError(format!("column `{column}`: {error}")))?;
    let mut makers = Vec::new();
    for (column, described) in table.columns.iter().zip(schema.columns()) {
        let Some(path) = &described.path else { continue };
        let Some(ty) = &described.ty else {
            return Err(MockError(format!(
                "the type of `{}`, {}, is not understood",
                column.name, column.ty
            )));
        };
        if matches!(ty, Type::AggregateFunction(_)) {
            return Err(MockError(format!(
                "`{name}` holds states of aggregates (`{}`), which only a view or a copy fills: make up rows for what it reads",
                column.name
            )));
        }
        if matches!(ty, Type::Nested(_)) {
            return Err(MockError(format!(
                "`{}` of `{name}` is `Nested`, which the engine stores as a column for each part: declare these, such as `{}.a` Array(String)",
                column.name, column.name
            )));
        }
        let maker = Maker::new(&column.name, ty, role(table, &column.name), options);
        makers.push((path.clone(), maker));
    }
    if makers.is_empty() {
        return Err(MockError(format!(
            "`{name}` has no column that rows fill: its columns have no JSONPath"
        )));
    }
    let sign = makers.iter().position(|(_, maker)| maker.role() == Role::Sign);
    // Rows that no other one has cancelled yet.
    let mut open: Vec<Vec<String>> = Vec::new();
    let mut dice = Rng::with_seed(options.seed ^ 0x5eed);
    for n in 0..options.rows {
        let cancelled = match sign {
            Some(_) if !open.is_empty() && dice.u8(0..10) < 2 => {
                Some(open.swap_remove(dice.usize(0..open.len())))
            }
            _ => None,
        };
        let values: Vec<String> = match (cancelled, sign) {
            (Some(mut values), Some(sign)) => {
                values[sign] = "-1".to_owned();
                values
            }
            _ => {
                let lists = ListLengths::new(options.seed, n);
                let values: Vec<String> =
                    makers.iter_mut().map(|(path, maker)| maker.make(n, lists.of(path))).collect();
                if sign.is_some() && open.len() < 100 {
                    open.push(values.clone());
                }
                values
            }
        };
        let mut row = Object::default();
        for ((path, _), value) in makers.iter().zip(values) {
            row.put(path, value);
        }
        emit(&row.text());
    }
    Ok(())
}

/// What a column is to its table.
fn role(table: &Table, column: &str) -> Role {
    let argument = |directive| table.engine.arguments.get(directive).is_some_and(|c| c == column);
    if argument("ENGINE_SIGN") {
        Role::Sign
    } else if argument("ENGINE_VER") || argument("ENGINE_VERSION") {
        Role::Version
    } else if argument("ENGINE_IS_DELETED") {
        Role::Deleted
    } else {
        Role::Plain
    }
}

/// How long the lists of a row are: columns below one `[:]` have equally many values.
struct ListLengths {
    seed: u64,
}

impl ListLengths {
    fn new(seed: u64, row: u64) -> Self {
        Self { seed: seed.wrapping_mul(0x9e37_79b9).wrapping_add(row) }
    }

    fn of(&self, path: &Path) -> usize {
        let (head, _) = path.halves();
        let mut rng = Rng::with_seed(self.seed ^ value::hash(&head.join(".")));
        rng.usize(0..4)
    }
}

/// A row on its way to JSON.
#[derive(Default)]
struct Object {
    fields: Vec<(String, Field)>,
}

enum Field {
    Value(String),
    Object(Object),
    List(Vec<Object>),
}

impl Object {
    /// Puts a value where a path leads. What is no object there is left alone.
    fn put(&mut self, path: &Path, value: String) {
        let (head, tail) = path.halves();
        if path.is_list() && !tail.is_empty() {
            let items = split(&value);
            if let Some(Field::List(objects)) =
                self.at(&head, || Field::List(items.iter().map(|_| Object::default()).collect()))
            {
                for (object, item) in objects.iter_mut().zip(items) {
                    object.at(&tail, || Field::Value(item));
                }
            }
            return;
        }
        if head.is_empty() {
            // The whole row is no part of itself.
            return;
        }
        self.at(&head, || Field::Value(value));
    }

    fn at(&mut self, keys: &[&str], make: impl FnOnce() -> Field) -> Option<&mut Field> {
        let (last, before) = keys.split_last()?;
        let mut object = self;
        for key in before {
            let found = object.fields.iter().position(|(k, _)| k == key);
            let at = found.unwrap_or_else(|| {
                object.fields.push(((*key).to_owned(), Field::Object(Object::default())));
                object.fields.len() - 1
            });
            match &mut object.fields[at].1 {
                Field::Object(inner) => object = inner,
                _ => return None,
            }
        }
        let at = match object.fields.iter().position(|(k, _)| k == last) {
            Some(at) => at,
            None => {
                object.fields.push(((*last).to_owned(), make()));
                object.fields.len() - 1
            }
        };
        Some(&mut object.fields[at].1)
    }

    fn text(&self) -> String {
        let fields: Vec<String> = self
            .fields
            .iter()
            .map(|(key, field)| {
                let value = match field {
                    Field::Value(text) => text.clone(),
                    Field::Object(object) => object.text(),
                    Field::List(items) => {
                        let items: Vec<String> = items.iter().map(Object::text).collect();
                        format!("[{}]", items.join(","))
                    }
                };
                format!("{}:{value}", quote(key))
            })
            .collect();
        format!("{{{}}}", fields.join(","))
    }
}

/// The items of a list in JSON.
fn split(list: &str) -> Vec<String> {
    match crate::json::Json::parse(list) {
        Ok(crate::json::Json::Array(_, items)) => items.iter().map(|i| i.raw().to_owned()).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use headwater_analysis::FileKind;
    use headwater_plan::definition;
    use headwater_test_fixture::Fixture;

    use super::*;

    fn made(schema: &str, rows: u64, seed: u64) -> (Table, Result<Vec<String>, MockError>) {
        let (db, project, _) = Fixture::parse(&format!("//- datasources/t.datasource\n{schema}")).load();
        let file =
            project.files(&db).iter().find(|f| f.kind(&db) == Some(FileKind::Datasource)).expect("a file");
        let definition = definition(&db, *file).clone().expect("a definition");
        let table = definition.table().expect("a table").clone();
        let options = MockOptions { rows, seed, now: "2025-01-31".parse().expect("a moment") };
        let mut out = Vec::new();
        let result = mock("t", &table, options, |row| out.push(row.to_owned()));
        (table, result.map(|()| out))
    }

    const ALL: &str = "\
SCHEMA >
    `id` UUID `json:$.id`,
    `user_id` String `json:$.user.id`,
    `email` Nullable(String) `json:$.user.email`,
    `country` LowCardinality(String) `json:$.country`,
    `ts` DateTime64(3) `json:$.ts`,
    `day` Date `json:$.day`,
    `price` Decimal(10, 2) `json:$.price`,
    `quantity` UInt8 `json:$.quantity`,
    `status_code` UInt16 `json:$.status_code`,
    `kind` Enum8('buy' = 1, 'view' = 2) `json:$.kind`,
    `is_bot` Bool `json:$.is_bot`,
    `tags` Array(String) `json:$.tags[:]`,
    `names` Array(String) `json:$.items[:].name`,
    `counts` Array(Int16) `json:$.items[:].count`,
    `attributes` Map(String, Int32) `json:$.attributes`,
    `payload` String `json:$.payload`,
    `ip` IPv4 `json:$.ip`,
    `point` Tuple(Float64, Float64) `json:$.point`,
    `code` FixedString(4) `json:$.code`,
    `top` SimpleAggregateFunction(max, UInt64) `json:$.top`,
    `big` Int256 `json:$.big`,
    `added` DateTime DEFAULT now()
";

    #[test]
    fn every_row_fits_its_data_source() {
        let (table, rows) = made(ALL, 500, 7);
        let rows = rows.expect("rows");
        let batch = Schema::new(&table).expect("a schema").ndjson(rows.join("\n").as_bytes());
        assert_eq!(batch.quarantined, []);
        assert_eq!(batch.starts.len(), 500);
        assert!(rows.iter().any(|r| r.contains("\"email\":null")) && rows[0].contains("\"user\":{\"id\":"));
        assert!(!rows[0].contains("added"));
    }

    #[test]
    fn equal_seeds_make_equal_rows_and_new_columns_change_no_others() {
        let (_, a) = made(ALL, 50, 7);
        assert_eq!(a, made(ALL, 50, 7).1);
        assert_ne!(a, made(ALL, 50, 8).1);
        let more = ALL.replace("    `ip`", "    `new` String `json:$.new`,\n    `ip`");
        let (_, b) = made(&more, 50, 7);
        let value = |row: &str| {
            row.split("\"price\":").nth(1).map(|r| r.split(',').next().unwrap_or_default().to_owned())
        };
        for (a, b) in a.expect("rows").iter().zip(b.expect("rows")) {
            assert_eq!(value(a), value(&b));
        }
    }

    #[test]
    fn signs_cancel_rows_that_are_there() {
        let (_, rows) = made(
            "SCHEMA >\n    `id` UInt32 `json:$.id`, `n` Int32 `json:$.n`, `sign` Int8 `json:$.sign`\nENGINE CollapsingMergeTree\nENGINE_SIGN sign\nENGINE_SORTING_KEY id\n",
            200,
            1,
        );
        let mut open: Vec<String> = Vec::new();
        let mut cancelled = 0;
        for row in rows.expect("rows") {
            if let Some(rest) = row.strip_suffix("\"sign\":-1}") {
                let at = open.iter().position(|o| o == rest).expect("the row that it cancels");
                open.swap_remove(at);
                cancelled += 1;
            } else {
                open.push(row.strip_suffix("\"sign\":1}").expect("a sign").to_owned());
            }
        }
        assert!(cancelled > 10);
    }

    #[test]
    fn what_takes_no_rows_says_so() {
        let (_, rows) = made("SCHEMA >\n    `a` AggregateFunction(sum, Int64)\n", 1, 1);
        assert!(rows.expect_err("states").0.contains("only a view or a copy fills"));
    }
}
