//! Formats that may be named.

/// Formats that answers may be written in: those that the product's own interfaces take, and the engine's plain texts.
const OUTPUT: [&str; 33] = [
    "CSV",
    "CSVWithNames",
    "CSVWithNamesAndTypes",
    "JSON",
    "JSONCompact",
    "JSONCompactEachRow",
    "JSONCompactEachRowWithNames",
    "JSONCompactEachRowWithNamesAndTypes",
    "JSONEachRow",
    "JSONLines",
    "JSONStrings",
    "JSONStringsEachRowWithProgress",
    "Markdown",
    "NDJSON",
    "Native",
    "Null",
    "ODBCDriver2",
    "Parquet",
    "Pretty",
    "PrettyCompact",
    "Prometheus",
    "RowBinary",
    "RowBinaryWithNamesAndTypes",
    "TSKV",
    "TSV",
    "TSVRaw",
    "TSVWithNames",
    "TSVWithNamesAndTypes",
    "TabSeparated",
    "TabSeparatedWithNames",
    "TabSeparatedWithNamesAndTypes",
    "Values",
    "Vertical",
];

/// Formats of text that rows may be read from: none of them reads a file of its own (a schema, a template).
const INPUT: [&str; 20] = [
    "CSV",
    "CSVWithNames",
    "CSVWithNamesAndTypes",
    "JSON",
    "JSONAsString",
    "JSONCompact",
    "JSONCompactEachRow",
    "JSONCompactEachRowWithNames",
    "JSONCompactEachRowWithNamesAndTypes",
    "JSONEachRow",
    "JSONLines",
    "JSONStringsEachRow",
    "LineAsString",
    "NDJSON",
    "TSKV",
    "TSV",
    "TSVWithNames",
    "TSVWithNamesAndTypes",
    "TabSeparated",
    "Values",
];

/// Whether answers may be written in the format. The engine reads names of formats in any case.
pub fn is_output(name: &str) -> bool {
    OUTPUT.iter().any(|format| format.eq_ignore_ascii_case(name))
}

/// Whether rows of a text may be read in the format.
pub fn is_input(name: &str) -> bool {
    INPUT.iter().any(|format| format.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_has_them() {
        let formats = headwater_catalog::formats();
        for name in OUTPUT {
            assert!(formats.iter().any(|f| f.name == name && f.is_output), "{name}");
        }
        for name in INPUT {
            assert!(formats.iter().any(|f| f.name == name && f.is_input), "{name}");
        }
    }
}
