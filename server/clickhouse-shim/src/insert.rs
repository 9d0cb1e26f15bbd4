//! `INSERT INTO … (…) FORMAT …` as the warehouse's client writes it: every name in backticks.

use headwater_warehouse::{InputFormat, Insert};

/// The insert that `sql` begins, without its rows; `None` when it is written otherwise.
pub(super) fn parse(sql: &str) -> Option<Insert> {
    let mut rest = sql.strip_prefix("INSERT INTO ")?;
    let mut table = name(&mut rest)?;
    let mut database = None;
    if let Some(behind) = rest.strip_prefix('.') {
        rest = behind;
        database = Some(std::mem::replace(&mut table, name(&mut rest)?));
    }
    rest = rest.strip_prefix(" (")?;
    let mut columns = vec![name(&mut rest)?];
    while let Some(behind) = rest.strip_prefix(", ") {
        rest = behind;
        columns.push(name(&mut rest)?);
    }
    let format = rest.strip_prefix(") FORMAT ")?;
    let format = InputFormat::ALL.into_iter().find(|f| f.name() == format)?;
    let mut insert = Insert::new(table, columns, format, Vec::new());
    insert.database = database;
    Some(insert)
}

/// A name in backticks.
fn name(rest: &mut &str) -> Option<String> {
    let mut name = String::new();
    let mut chars = rest.strip_prefix('`')?.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '`' => {
                *rest = &rest[at + 2..];
                return Some(name);
            }
            '\\' => name.push(chars.next()?.1),
            c => name.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_client_writes_is_read() {
        let insert = parse("INSERT INTO `d`.`a\\`b\\\\` (`x`, `é ,`) FORMAT CSV").expect("whole");
        assert_eq!((insert.database.as_deref(), insert.table.as_str()), (Some("d"), "a`b\\"));
        assert_eq!(
            (insert.columns, insert.format),
            (vec!["x".to_owned(), "é ,".to_owned()], InputFormat::Csv)
        );
        for other in [
            "INSERT INTO t (a) FORMAT CSV",
            "INSERT INTO `t` (`a`) VALUES (1)",
            "INSERT INTO `t",
            "INSERT INTO `t` (`a`) FORMAT X",
        ] {
            assert!(parse(other).is_none(), "{other}");
        }
    }
}
