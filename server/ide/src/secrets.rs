//! Names of secrets that a file asks for.

use headwater_analysis::{Content, Db, File};

/// The names in `tb_secret("…")` and `tb_var("…")`, in order of position. Linear in the text.
pub(crate) fn used(db: &dyn Db, file: File) -> Vec<String> {
    match file.content(db) {
        Content::Text(text) => in_text(text).into_iter().map(|(name, _)| name.to_owned()).collect(),
        _ => Vec::new(),
    }
}

/// Names with the offset at which each stands.
pub(crate) fn in_text(text: &str) -> Vec<(&str, usize)> {
    let mut found = Vec::new();
    for function in ["tb_secret", "tb_var"] {
        for (at, _) in text.match_indices(function) {
            let rest = text[at + function.len()..].trim_start();
            let Some(rest) = rest.strip_prefix('(').map(str::trim_start) else { continue };
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else { continue };
            let Some(end) = rest[1..].find(quote) else { continue };
            let start = text.len() - rest.len() + 1;
            if end > 0 && !rest[1..=end].contains('\n') {
                found.push((&rest[1..=end], start));
            }
        }
    }
    found.sort_by_key(|(_, at)| *at);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_either_quotes() {
        let text = "KAFKA_KEY {{ tb_secret(\"key\") }} {{tb_var( 'other', 'x')}} {{tb_secret(name)}}";
        assert_eq!(in_text(text), [("key", 24), ("other", 44)]);
    }
}
