//! What a request passes: query strings, and the secrets of a project's environment files.

use std::collections::BTreeMap;

use headwater_analysis::decoded;
use headwater_template::{Parameters, Secret, Secrets};

/// Names and values, in order.
pub type Pairs = Vec<(String, String)>;

/// The parameters of a query string, decoded. What stands before the first `?` is a path and is cut (specification §16.1).
pub fn form(text: &str) -> Parameters {
    Parameters::from_pairs(form_text(text))
}

/// The pairs of a query string, decoded.
pub fn form_text(text: &str) -> Pairs {
    let text = text.trim();
    let query = text.split_once('?').map_or(text, |(_, query)| query);
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name).into_owned(), decoded(value).into_owned())
        })
        .collect()
}

/// The secrets of texts of `KEY=VALUE` lines, later ones over earlier ones; empty values are none (specification §24,
/// 38).
pub fn secrets<'t>(texts: impl IntoIterator<Item = &'t str>) -> Secrets {
    let mut out = Secrets::new();
    for (name, value) in secret_pairs(texts) {
        out.insert(name, Secret::new(value));
    }
    out
}

/// The same as names and values.
pub fn secret_pairs<'t>(texts: impl IntoIterator<Item = &'t str>) -> BTreeMap<&'t str, &'t str> {
    let mut out = BTreeMap::new();
    for line in texts.into_iter().flat_map(str::lines) {
        let line = line.trim();
        let line = line.strip_prefix("export ").unwrap_or(line);
        let Some((name, value)) = line.split_once('=').filter(|_| !line.starts_with('#')) else { continue };
        let value = value.trim();
        let value = match value.as_bytes() {
            [quote @ (b'\'' | b'"'), .., last] if quote == last && value.len() > 1 => {
                &value[1..value.len() - 1]
            }
            _ => value.split(" #").next().unwrap_or_default().trim_end(),
        };
        if !value.is_empty() {
            out.insert(name.trim(), value);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_strings_are_decoded() {
        let pairs = form_text("top.json?a=1&b=x%20y+z&c&d=%zz&e=a=b&n=%C3%A9");
        let expected = [("a", "1"), ("b", "x y z"), ("c", ""), ("d", "%zz"), ("e", "a=b"), ("n", "é")];
        assert_eq!(pairs, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
        assert!(form_text("").is_empty());
    }

    #[test]
    fn secrets_of_the_local_file_count() {
        let secrets = secrets(["A=1\n# B=2\nEMPTY=\n", "export A='two words'\nC=3 # why"]);
        let value = |name| secrets.get(name).map(Secret::reveal);
        assert_eq!(["A", "B", "C", "EMPTY"].map(value), [Some("two words"), None, Some("3"), None]);
    }
}
