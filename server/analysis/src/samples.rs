//! What lies around the datafiles and is no datafile: samples of data, names of secrets. And the schema that a sample
//! suggests.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

/// Files beside the datafiles that say something about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Names of the secrets in `.env` and `.env.local`, sorted. Never their values.
    pub secrets: Vec<String>,
    /// Samples in `fixtures/`, by path.
    pub samples: Vec<Sample>,
}

/// A file of sample data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// From the project's root.
    pub path: Utf8PathBuf,
    /// Its first lines; the last may be cut off. Empty for formats that are no text.
    pub head: Arc<str>,
    /// Its columns, where the format says them itself.
    pub fields: Option<Arc<[SampleField]>>,
}

/// Bytes of a sample that are read: hundreds of rows, and no risk for anybody's memory.
pub const SAMPLE_BYTES: usize = 64 * 1024;

/// Rows of a sample that are looked at.
const MAX_ROWS: usize = 200;

/// Fields of one row that are looked at.
const MAX_FIELDS: usize = 1_000;

/// Nesting of objects that is looked into.
const MAX_DEPTH: usize = 8;

/// A field that rows of a sample have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleField {
    /// The name that a column for it would have.
    pub name: String,
    /// Its JSONPath; `None` in CSV, where columns go by position.
    pub path: Option<String>,
    /// The type that holds all values seen.
    pub ty: String,
}

impl Surroundings {
    /// The sample of a data source: `fixtures/<name>.ndjson`, or `.json`, `.csv`, `.parquet`.
    pub fn sample_of(&self, datasource: &str) -> Option<&Sample> {
        let is_it = |s: &&Sample| s.path.file_stem() == Some(datasource);
        self.samples.iter().find(is_it)
    }
}

/// Names of the variables in a file of `KEY=VALUE` lines. Values are not kept.
pub fn secret_names(text: &str) -> Vec<String> {
    let names = text.lines().filter_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let (name, _) = line.split_once('=')?;
        let name = name.trim();
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        (is_name && !line.starts_with('#')).then(|| name.to_owned())
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names.dedup();
    names
}

/// The fields of a sample, in the order in which they are first met. Empty when it cannot be read.
pub fn fields(sample: &Sample) -> Vec<SampleField> {
    sample.fields.as_ref().map_or_else(|| fields_of(&sample.path, &sample.head), |own| own.to_vec())
}

/// [`fields`] of a text; its extension says how it is written.
pub fn fields_of(path: &Utf8Path, text: &str) -> Vec<SampleField> {
    let mut seen: Vec<(String, Option<String>, Guess)> = Vec::new();
    match path.extension() {
        Some("csv") => csv(text, &mut seen),
        Some("ndjson" | "jsonl" | "json") => json(text, &mut seen),
        _ => {}
    }
    let mut out: Vec<SampleField> = Vec::new();
    for (name, path, guess) in seen {
        let mut unique = name.clone();
        let mut n = 2;
        while out.iter().any(|f| f.name == unique) {
            unique = format!("{name}_{n}");
            n += 1;
        }
        out.push(SampleField { name: unique, path, ty: guess.ty() });
    }
    out
}

/// What is known of a field's values.
#[derive(Debug, Clone, Default)]
struct Guess {
    kind: Option<Kind>,
    nullable: bool,
    array: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Integer,
    Unsigned,
    Float,
    Date,
    DateTime,
    DateTime64,
    Text,
}

impl Guess {
    fn add(&mut self, kind: Kind) {
        use Kind::{DateTime, DateTime64, Float, Integer, Text, Unsigned};
        self.kind = Some(match (self.kind, kind) {
            (None, kind) => kind,
            (Some(a), b) if a == b => a,
            (Some(Integer | Unsigned | Float), Float) | (Some(Float), Integer | Unsigned) => Float,
            (Some(Integer), Unsigned) | (Some(Unsigned), Integer) => Integer,
            (Some(DateTime), DateTime64) | (Some(DateTime64), DateTime) => DateTime64,
            _ => Text,
        });
    }

    fn ty(&self) -> String {
        let name = match self.kind {
            Some(Kind::Bool) => "Bool",
            Some(Kind::Integer) => "Int64",
            Some(Kind::Unsigned) => "UInt64",
            Some(Kind::Float) => "Float64",
            Some(Kind::Date) => "Date",
            Some(Kind::DateTime) => "DateTime",
            Some(Kind::DateTime64) => "DateTime64(3)",
            Some(Kind::Text) | None => "String",
        };
        match (self.array, self.nullable) {
            (true, _) => format!("Array({name})"),
            (false, true) => format!("Nullable({name})"),
            (false, false) => name.to_owned(),
        }
    }
}

/// The shape of a text value.
fn kind_of_text(text: &str) -> Kind {
    let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let shape = shape.trim_end_matches('Z').replace('T', " ");
    match shape.as_str() {
        "0000-00-00" => Kind::Date,
        "0000-00-00 00:00:00" | "0000-00-00 00:00" => Kind::DateTime,
        _ if shape
            .strip_prefix("0000-00-00 00:00:00.")
            .is_some_and(|f| !f.is_empty() && f.chars().all(|c| c == '0')) =>
        {
            Kind::DateTime64
        }
        _ => Kind::Text,
    }
}

type Seen = Vec<(String, Option<String>, Guess)>;

fn entry<'s>(seen: &'s mut Seen, name: &str, path: Option<String>) -> Option<&'s mut Guess> {
    let at = match seen.iter().position(|(n, p, _)| n == name && *p == path) {
        Some(at) => at,
        None if seen.len() < MAX_FIELDS => {
            seen.push((name.to_owned(), path, Guess::default()));
            seen.len() - 1
        }
        None => return None,
    };
    seen.get_mut(at).map(|s| &mut s.2)
}

/// A JSON value whose fields keep their order: columns should stand as the data does.
enum Json {
    Null,
    Bool,
    Integer,
    Unsigned,
    Float,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl<'de> serde::Deserialize<'de> for Json {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> serde::de::Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Bool)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Integer)
    }

    fn visit_u64<E>(self, n: u64) -> Result<Json, E> {
        Ok(if i64::try_from(n).is_ok() { Json::Integer } else { Json::Unsigned })
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Float)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut out = Vec::new();
        while let Some(item) = items.next_element()? {
            out.push(item);
        }
        Ok(Json::List(out))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut fields: A) -> Result<Json, A::Error> {
        let mut out = Vec::new();
        while let Some(field) = fields.next_entry()? {
            out.push(field);
        }
        Ok(Json::Object(out))
    }
}

fn json(text: &str, seen: &mut Seen) {
    // One document, a list of rows, or a row on each line.
    if let Ok(Json::List(rows)) = serde_json::from_str(text) {
        rows.iter().take(MAX_ROWS).for_each(|row| object(row, "", "$", 0, seen));
        return;
    }
    let mut any = false;
    for line in text.lines().take(MAX_ROWS) {
        if let Ok(row) = serde_json::from_str::<Json>(line) {
            any = true;
            object(&row, "", "$", 0, seen);
        }
    }
    if !any && let Ok(row) = serde_json::from_str::<Json>(text) {
        object(&row, "", "$", 0, seen);
    }
}

fn object(value: &Json, prefix: &str, path: &str, depth: usize, seen: &mut Seen) {
    let Json::Object(fields) = value else { return };
    for (key, value) in fields {
        let name = column_name(&if prefix.is_empty() { key.clone() } else { format!("{prefix}_{key}") });
        let path = path_of(path, key);
        match value {
            Json::Object(_) if depth < MAX_DEPTH => object(value, &name, &path, depth + 1, seen),
            Json::List(items) => {
                if let Some(guess) = entry(seen, &name, Some(format!("{path}[:]"))) {
                    guess.array = true;
                    items.iter().take(MAX_ROWS).for_each(|item| scalar(item, guess));
                }
            }
            one => {
                if let Some(guess) = entry(seen, &name, Some(path)) {
                    scalar(one, guess);
                }
            }
        }
    }
}

fn scalar(value: &Json, guess: &mut Guess) {
    match value {
        Json::Null => guess.nullable = true,
        Json::Bool => guess.add(Kind::Bool),
        Json::Integer => guess.add(Kind::Integer),
        Json::Unsigned => guess.add(Kind::Unsigned),
        Json::Float => guess.add(Kind::Float),
        Json::Text(text) => guess.add(kind_of_text(text)),
        Json::List(_) | Json::Object(_) => guess.add(Kind::Text),
    }
}

/// The first line names the columns. Where it holds values no column has a name, and nothing is said.
fn csv(text: &str, seen: &mut Seen) {
    let mut lines = text.lines();
    let Some(header) = lines.next() else { return };
    let is_value = |cell: &String| cell.parse::<f64>().is_ok() || kind_of_text(cell) != Kind::Text;
    if cells(header).iter().any(is_value) {
        return;
    }
    let names: Vec<String> = cells(header).iter().map(|c| column_name(c)).collect();
    for name in names.iter().take(MAX_FIELDS) {
        seen.push((name.clone(), None, Guess::default()));
    }
    for line in lines.take(MAX_ROWS) {
        let cells = cells(line);
        // The last line may be cut off.
        if cells.len() != names.len() {
            continue;
        }
        for ((_, _, guess), cell) in seen.iter_mut().zip(&cells) {
            match cell.as_str() {
                "" | "\\N" => guess.nullable |= cell == "\\N",
                "true" | "false" => guess.add(Kind::Bool),
                cell if cell.parse::<i64>().is_ok() => guess.add(Kind::Integer),
                cell if cell.parse::<f64>().is_ok() => guess.add(Kind::Float),
                cell => guess.add(kind_of_text(cell)),
            }
        }
    }
}

fn cells(line: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut cell = String::new();
    let mut in_quotes = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if in_quotes && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => in_quotes = !in_quotes,
            ',' if !in_quotes => out.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    out.push(cell);
    out
}

/// The JSONPath of a field below another.
pub fn path_of(path: &str, key: &str) -> String {
    let is_plain = key.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_plain { format!("{path}.{key}") } else { format!("{path}.['{key}']") }
}

/// A column's name from a field's: letters, digits and underscores, and no digit first.
pub fn column_name(key: &str) -> String {
    let mut name: String =
        key.trim().chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(path: &str, text: &str) -> String {
        let fields = fields_of(path.into(), text);
        let line = |f: &SampleField| format!("{} {} {}", f.name, f.ty, f.path.as_deref().unwrap_or("-"));
        fields.iter().map(line).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn rows_of_json_suggest_columns() {
        let text = "{\"id\": 1, \"at\": \"2024-01-01T10:00:00Z\", \"who\": {\"name\": null, \"tags\": [\"a\"]}}\n\
                    {\"id\": 2.5, \"at\": \"2024-01-01 10:00:00.123\", \"who\": {\"name\": \"x\"}, \"a-b\": true}\n{\"cut";
        assert_eq!(
            shown("fixtures/x.ndjson", text),
            "id Float64 $.id\nat DateTime64(3) $.at\nwho_name Nullable(String) $.who.name\n\
             who_tags Array(String) $.who.tags[:]\na_b Bool $.['a-b']"
        );
        assert_eq!(shown("x.json", "[{\"a\": 1}, {\"a\": 2}]"), "a Int64 $.a");
        assert_eq!(shown("x.json", "nonsense"), "");
    }

    #[test]
    fn csv_goes_by_its_header() {
        let text = "id,when,1st name\n1,2024-01-01,\"a, \"\"b\"\"\"\n2,2024-01-02,c\n3,20";
        assert_eq!(shown("x.csv", text), "id Int64 -\nwhen Date -\n_1st_name String -");
    }

    #[test]
    fn csv_without_a_header_names_nothing() {
        assert_eq!(shown("x.csv", "2024-01-01 10:00:00,sku_1,4\n2024-01-02 10:00:00,sku_2,5\n"), "");
    }

    #[test]
    fn only_names_of_secrets_are_read() {
        assert_eq!(secret_names("# no\nB=2\nexport A='x=y'\nnot a line\n"), ["A", "B"]);
    }
}
