//! What a statement does, by its first word. A server has no call that says it; its own `readonly` stands behind this.

use crate::request::Class;

/// The class of the first statement in `sql`; `None` when there is no word.
pub(super) fn class(sql: &str) -> Option<Class> {
    let word = first_word(sql)?.to_ascii_uppercase();
    Some(match word.as_str() {
        "SELECT" | "WITH" | "FROM" | "SHOW" | "DESCRIBE" | "DESC" | "EXPLAIN" | "EXISTS" | "CHECK"
        | "VALUES" => Class::Reads,
        "INSERT" | "CREATE" | "ALTER" | "DROP" | "TRUNCATE" | "RENAME" | "EXCHANGE" | "UPDATE" | "DELETE"
        | "OPTIMIZE" | "REPLACE" | "UNDROP" => Class::Changes,
        "SET" | "USE" | "ATTACH" | "DETACH" | "SYSTEM" | "BACKUP" | "RESTORE" | "KILL" | "BEGIN"
        | "COMMIT" | "ROLLBACK" | "GRANT" | "REVOKE" | "WATCH" | "EXECUTE" => Class::Control,
        _ => Class::Unknown,
    })
}

/// Behind blanks, comments and opening brackets.
fn first_word(sql: &str) -> Option<&str> {
    let mut rest = sql;
    loop {
        rest =
            rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(' || c == ';' || c == '\u{feff}');
        if let Some(comment) = rest.strip_prefix("/*") {
            rest = nested_comment(comment)?;
        } else if rest.starts_with("--") || rest.starts_with("#!") || rest.starts_with("# ") {
            rest = rest.split_once('\n')?.1;
        } else {
            break;
        }
    }
    let end = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    (!rest.is_empty()).then(|| &rest[..end])
}

/// What is behind a comment that has just begun. Comments nest.
fn nested_comment(mut rest: &str) -> Option<&str> {
    let mut depth = 1;
    while depth > 0 {
        let at = rest.find(['*', '/'])?;
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("*/") {
            depth -= 1;
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix("/*") {
            depth += 1;
            rest = behind;
        } else {
            rest = &rest[1..];
        }
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_says_it() {
        let cases = [
            ("SELECT 1", Some(Class::Reads)),
            ("  -- DROP\n/* a /* b */ INSERT */ ((select 1))", Some(Class::Reads)),
            ("with a as (select 1) select 1", Some(Class::Reads)),
            ("# x\nDrop table t", Some(Class::Changes)),
            ("insert into t values (1)", Some(Class::Changes)),
            ("SYSTEM SHUTDOWN", Some(Class::Control)),
            ("set a = 1", Some(Class::Control)),
            ("1 + 1", Some(Class::Unknown)),
            ("'SELECT'", Some(Class::Unknown)),
            ("", None),
            ("-- SELECT", None),
            ("/* SELECT", None),
            (" ; ( ", None),
        ];
        for (sql, expected) in cases {
            assert_eq!(class(sql), expected, "{sql}");
        }
    }
}
