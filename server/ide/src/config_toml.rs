//! `headwater.toml`: its keys as data, for completion, hovers and the JSON schema that editors take.

use headwater_analysis::{ALL_CODES, TextSize, syntax};

use crate::completion::{CompletionItem, CompletionKind};

/// A key.
#[derive(Debug, Clone, Copy)]
pub struct ConfigKey {
    /// The table it stands in; empty for the top.
    pub table: &'static str,
    /// Its name; empty for a table whose keys are free.
    pub name: &'static str,
    /// The words that it takes; empty for any text.
    pub values: &'static [&'static str],
    /// What it does.
    pub help: &'static str,
}

const HOST_URL: &str = "Where the host answers; its token goes into HEADWATER_TOKEN.";

const SEVERITIES: &[&str] = &["error", "warning", "info", "hint", "off"];

/// Every key that Headwater reads. The names of diagnostics are keys of `[diagnostics]` besides these.
pub const CONFIG_KEYS: &[ConfigKey] = &[
    ConfigKey {
        table: "",
        name: "dialect",
        values: &["forward", "classic"],
        help: "The generation of the format, when the project's files do not show it.",
    },
    ConfigKey {
        table: "impact",
        name: "baseline",
        values: &["HEAD", "off"],
        help: "The commit that edits are compared with: a branch, a tag, a commit, or `off`.",
    },
    ConfigKey {
        table: "hints",
        name: "impact",
        values: &["true", "false"],
        help: "Hints of what depends on a column.",
    },
    ConfigKey {
        table: "hints",
        name: "types",
        values: &["true", "false"],
        help: "Hints of the types of selected values.",
    },
    ConfigKey {
        table: "diagnostics",
        name: "",
        values: SEVERITIES,
        help: "How much each diagnostic matters.",
    },
    ConfigKey {
        table: "format",
        name: "width",
        values: &["100", "80", "120"],
        help: "How wide lines of SQL may be.",
    },
    ConfigKey { table: "format", name: "indent", values: &["4", "2"], help: "Spaces of one step." },
    ConfigKey {
        table: "format",
        name: "keywords",
        values: &["keep", "upper", "lower"],
        help: "How keywords are written.",
    },
    ConfigKey {
        table: "format",
        name: "align",
        values: &["true", "false"],
        help: "Whether the columns of a schema are aligned.",
    },
    ConfigKey { table: "hosts", name: "", values: &[], help: "Hosts by name: `[hosts.prod]` with `url`." },
];

/// Whether TOML has a value without quotes: numbers, `true`, `false`.
fn is_bare(word: &str) -> bool {
    matches!(word, "true" | "false") || word.bytes().all(|b| b.is_ascii_digit())
}

/// What may stand at a place of `headwater.toml`.
pub fn config_completion(text: &str, offset: TextSize) -> Vec<CompletionItem> {
    let at = usize::from(offset).min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |n| n + 1);
    let line = &before[line_start..];
    let table =
        before[..line_start].lines().rev().find_map(|l| l.trim().strip_prefix('[')?.split(']').next());
    let table = table.map_or("", str::trim);
    let mut out = Vec::new();
    let mut push = |label: String, insert: String, kind, help: &str, from: usize| {
        out.push(CompletionItem {
            filter: None,
            label,
            kind,
            detail: Some(help.to_owned()),
            origin: None,
            insert,
            is_snippet: false,
            replace: syntax::range(from, at),
            doc: None,
            relevance: 0,
            continues: false,
            is_deprecated: false,
        });
    };
    if let Some((key, value)) = line.split_once('=') {
        let key = key.trim();
        let known = CONFIG_KEYS.iter().find(|k| k.table == table && (k.name == key || k.name.is_empty()));
        let from = at - value.trim_start().len();
        for word in known.map_or(&[][..], |k| k.values) {
            let insert =
                if matches!(*word, "true" | "false") { (*word).to_owned() } else { format!("\"{word}\"") };
            push((*word).to_owned(), insert, CompletionKind::Value, "", from);
        }
        return out;
    }
    let from = line_start + line.len() - line.trim_start().len();
    if line.trim_start().starts_with('[') || table.is_empty() {
        let mut tables: Vec<&ConfigKey> = CONFIG_KEYS.iter().filter(|k| !k.table.is_empty()).collect();
        tables.dedup_by_key(|k| k.table);
        for key in tables {
            let name =
                if key.table == "hosts" { "[hosts.prod]".to_owned() } else { format!("[{}]", key.table) };
            push(name.clone(), name, CompletionKind::Key, key.help, from);
        }
    }
    if table.starts_with("hosts.") && !line.trim_start().starts_with('[') {
        push("url".to_owned(), "url = \"https://\"".to_owned(), CompletionKind::Key, HOST_URL, from);
    } else if !line.trim_start().starts_with('[') {
        let given = |name: &str| {
            before.lines().chain(text[at..].lines()).any(|l| l.trim_start().starts_with(&format!("{name} ")))
        };
        for key in CONFIG_KEYS.iter().filter(|k| k.table == table && !k.name.is_empty() && !given(k.name)) {
            push(key.name.to_owned(), format!("{} = ", key.name), CompletionKind::Key, key.help, from);
        }
        if table == "diagnostics" {
            for code in ALL_CODES.iter().filter(|c| !given(c.name)) {
                push(
                    code.name.to_owned(),
                    format!("{} = ", code.name),
                    CompletionKind::Key,
                    code.summary,
                    from,
                );
            }
        }
    }
    out
}

/// The JSON schema of `headwater.toml`, for editors that check TOML by one.
pub fn config_schema() -> String {
    let words = |values: &[&str]| values.iter().map(|v| format!("\"{v}\"")).collect::<Vec<_>>().join(", ");
    let diagnostics: Vec<String> = ALL_CODES
        .iter()
        .map(|code| {
            let help = code.summary.replace('"', "'");
            format!(
                "        \"{}\": {{ \"enum\": [{}], \"description\": \"{help}\" }}",
                code.name,
                words(SEVERITIES)
            )
        })
        .collect();
    let property = |key: &ConfigKey, indent: &str| {
        let ty = match key.values {
            ["true", "false"] => "\"type\": \"boolean\"".to_owned(),
            [first, ..] if is_bare(first) => "\"type\": \"integer\"".to_owned(),
            values if key.name == "baseline" => {
                format!("\"type\": \"string\", \"examples\": [{}]", words(values))
            }
            values => format!("\"enum\": [{}]", words(values)),
        };
        format!("{indent}\"{}\": {{ {ty}, \"description\": \"{}\" }}", key.name, key.help)
    };
    let of = |table: &str, indent: &str| {
        let keys = CONFIG_KEYS.iter().filter(|k| k.table == table && !k.name.is_empty());
        keys.map(|k| property(k, indent)).collect::<Vec<_>>().join(",\n")
    };
    format!(
        "{{\n  \"$schema\": \"http://json-schema.org/draft-07/schema#\",\n  \"title\": \"headwater.toml\",\n  \"type\": \"object\",\n  \
         \"additionalProperties\": false,\n  \"properties\": {{\n{},\n    \"impact\": {{ \"type\": \"object\", \"additionalProperties\": false, \"properties\": {{\n{}\n    }} }},\n    \
         \"format\": {{ \"type\": \"object\", \"additionalProperties\": false, \"properties\": {{\n{}\n    }} }},\n    \
         \"hints\": {{ \"type\": \"object\", \"additionalProperties\": false, \"properties\": {{\n{}\n    }} }},\n    \
         \"hosts\": {{ \"type\": \"object\", \"additionalProperties\": {{ \"type\": \"object\", \"additionalProperties\": false, \"required\": [\"url\"], \"properties\": {{\n        \"url\": {{ \"type\": \"string\", \"format\": \"uri\", \"description\": \"{HOST_URL}\" }}\n    }} }} }},\n    \"diagnostics\": {{ \"type\": \"object\", \"additionalProperties\": false, \"properties\": {{\n{}\n    }} }}\n  }}\n}}\n",
        of("", "    "),
        of("impact", "        "),
        of("format", "        "),
        of("hints", "        "),
        diagnostics.join(",\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(text: &str) -> Vec<String> {
        let at = text.find('|').expect("a cursor");
        let items = config_completion(&text.replacen('|', "", 1), TextSize::try_from(at).expect("small"));
        items.into_iter().map(|i| i.label).collect()
    }

    #[test]
    fn keys_and_values_of_the_table_are_offered() {
        assert_eq!(labels("dialect = |"), ["forward", "classic"]);
        assert_eq!(labels("[impact]\nbase|"), ["baseline"]);
        assert_eq!(labels("[hints]\nimpact = true\n|"), ["types"]);
        assert!(labels("[diagnostics]\n|").contains(&"cycle".to_owned()));
        assert_eq!(labels("[diagnostics]\ncycle = |").len(), 5);
        assert!(labels("|").contains(&"[impact]".to_owned()));
        assert_eq!(labels("[hosts.prod]\nu|"), ["url"]);
    }

    /// What is offered is what is read: a value of every key passes the reader.
    #[test]
    fn every_key_is_read() {
        for key in CONFIG_KEYS.iter().filter(|k| !k.name.is_empty()) {
            let value = key.values[0];
            let value = if is_bare(value) { value.to_owned() } else { format!("\"{value}\"") };
            let table = if key.table.is_empty() { String::new() } else { format!("[{}]\n", key.table) };
            let (_, problems) =
                headwater_analysis::Config::parse(&format!("{table}{} = {value}\n", key.name));
            assert!(problems.is_empty(), "{problems:?}");
        }
    }

    #[test]
    fn the_schema_in_the_docs_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/headwater.schema.json");
        let schema = config_schema();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(path, &schema).expect("the docs can be written");
        }
        assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), schema, "run with UPDATE_EXPECT=1");
    }
}
