//! Parameters of a pipe: every use, in the order of the file.

use headwater_analysis::syntax::template;
use headwater_analysis::{Db, File, TextRange, TextSize, access, datafile};

use crate::Target;

/// One use, placed in the file: the name without quotes, and whether it has a type there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ParameterUse {
    pub(crate) name: String,
    pub(crate) range: TextRange,
    pub(crate) is_typed: bool,
}

/// Every use of a parameter in the nodes of a pipe.
pub(crate) fn all(db: &dyn Db, file: File) -> Vec<ParameterUse> {
    let parsed = datafile(db, file);
    let mut out = Vec::new();
    for node in parsed.datafile.nodes() {
        let Some((entry, sql)) = node.sql() else { continue };
        if entry.source != 0 || !template::is_template(&sql.text) {
            continue;
        }
        for parameter in template::parameters(&sql.text, &template::parse(&sql.text)) {
            let text = &sql.text[parameter.range];
            let one = TextSize::from(u32::from(text.starts_with(['\'', '"'])));
            let range = TextRange::new(parameter.range.start() + one, parameter.range.end() - one);
            out.push(ParameterUse {
                name: parameter.name,
                range: sql.to_source(range),
                is_typed: parameter.ty.is_some(),
            });
        }
    }
    out
}

/// Where a parameter gets its type, or where it is first used.
pub(crate) fn definition(db: &dyn Db, file: File, name: &str) -> Option<Target> {
    let uses: Vec<_> = all(db, file).into_iter().filter(|u| u.name == name).collect();
    let found = uses.iter().find(|u| u.is_typed).or(uses.first())?;
    Some(Target { file, range: found.range, focus: found.range })
}

/// Every use of a parameter: in the pipe, and in the requests of its tests.
pub(crate) fn uses(db: &dyn Db, file: File, name: &str) -> Vec<Target> {
    let own = all(db, file).into_iter().filter(|u| u.name == name);
    let mut out: Vec<Target> = own.map(|u| Target { file, range: u.range, focus: u.range }).collect();
    for test in access::test_files(db, file.project(db)).get(&file).into_iter().flatten() {
        let ranges = in_test(&test.text(db), name).into_iter();
        out.extend(ranges.map(|range| Target { file: *test, range, focus: range }));
    }
    out
}

/// Where a test file names a parameter in its requests.
pub(crate) fn in_test(text: &str, name: &str) -> Vec<TextRange> {
    let mut out = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some(at) = line.find("parameters:") {
            let value = &line[at + "parameters:".len()..];
            let base = start + at + "parameters:".len();
            let mut from = 0;
            for part in value.split_inclusive(['&', '?', ' ', '\'', '"', '\n']) {
                let key = part.split('=').next().unwrap_or_default();
                if key == name && part.contains('=') {
                    out.push(headwater_analysis::syntax::range(base + from, base + from + key.len()));
                }
                from += part.len();
            }
        }
        start += line.len();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_name_parameters_in_their_requests() {
        let text = "- name: a\n  parameters: who=x&days=1\n- name: b\n  parameters: 'days=2&who=days'\n";
        let found: Vec<_> =
            in_test(text, "days").into_iter().map(|r| (usize::from(r.start()), &text[r])).collect();
        assert_eq!(found, [(30, "days"), (62, "days")]);
    }
}
