//! What may stand at a place of a query, from the words before it.
//!
//! Keywords of this language are not reserved, and a tree of unfinished text may put a word anywhere; the words before
//! the cursor are the part that is finished. Time is linear in them.

use headwater_analysis::{TextRange, TextSize};

use crate::tokens::{Token, TokenKind, tokens};

/// What is wanted at the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The first word of a query.
    Statement,
    /// A value.
    Operand,
    /// A part of what these names say: `t.`, `database.t.`.
    Member(Vec<String>),
    /// Something behind a value: an operator, the next clause.
    AfterOperand,
    /// A table.
    Table,
    /// A table of this database.
    TableOf(String),
    /// Something behind a table: an alias, a join, the next clause.
    AfterTable,
    /// The columns of `USING`.
    Using,
    /// A type.
    Type,
    /// The name of a setting.
    Setting,
    /// The value of a setting.
    SettingValue(String),
    /// A format.
    Format,
    /// The inside of a text.
    Text,
    /// A new name: nothing that exists.
    NewName,
    /// A number, a comment.
    Nothing,
}

/// The part of a `SELECT` that a place is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clause {
    /// Before the first word, or in the parentheses of a call.
    None,
    With,
    Select,
    From,
    On,
    Using,
    ArrayJoin,
    /// `WHERE`, `PREWHERE`, `HAVING`, `QUALIFY`.
    Filter,
    GroupBy,
    OrderBy,
    Limit,
    Settings,
    Format,
    Window,
}

/// A call whose parentheses are open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OpenCall {
    /// Its name.
    pub(crate) name: TextRange,
    /// Behind its parenthesis.
    pub(crate) open: TextSize,
    /// Which argument the place is in, from 0.
    pub(crate) argument: usize,
    /// The parentheses before these: `quantile(0.9)(`.
    pub(crate) parameters: Option<TextRange>,
}

/// What is known of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) wanted: Wanted,
    pub(crate) clause: Clause,
    /// Calls around it, outer before inner.
    pub(crate) calls: Vec<OpenCall>,
    /// Where the word or the text begins that the place is in.
    pub(crate) start: TextSize,
}

#[derive(Clone)]
struct Frame {
    call: Option<OpenCall>,
    clause: Clause,
    /// In `FROM`: whether a table was named since the last comma or join.
    has_table: bool,
    commas: usize,
    /// Whether a value is open behind `BETWEEN`, whose `AND` is no new condition.
    saw_as: bool,
}

impl Frame {
    fn new(call: Option<OpenCall>) -> Self {
        Self { call, clause: Clause::None, has_table: false, commas: 0, saw_as: false }
    }
}

/// What is wanted at `at`; `text` is SQL or a template's, and ends anywhere.
pub(crate) fn context(text: &str, at: TextSize) -> Context {
    let before = &text[..usize::from(at)];
    let all: Vec<Token> =
        tokens(before).into_iter().filter(|t| t.kind != TokenKind::Control || !t.closed).collect();
    let mut context = Context { wanted: Wanted::Nothing, clause: Clause::None, calls: Vec::new(), start: at };
    // What reaches to the place is being typed.
    let (done, open) = match all.split_last() {
        Some((last, done)) if last.range.end() == at => match last.kind {
            TokenKind::Word => (done, Some(*last)),
            TokenKind::Number => return context,
            TokenKind::Comment if before[last.range].starts_with("--") || !last.closed => return context,
            TokenKind::Text | TokenKind::Quoted if !last.closed => (done, Some(*last)),
            TokenKind::Output | TokenKind::Control if !last.closed => return context,
            _ => (&all[..], None),
        },
        _ => (&all[..], None),
    };
    let significant: Vec<Token> = done.iter().copied().filter(|t| t.kind != TokenKind::Comment).collect();
    let frames = frames(before, &significant);
    context.calls = frames.iter().filter_map(|f| f.call).collect();
    let frame = frames.last().cloned().unwrap_or_else(|| Frame::new(None));
    context.clause =
        frames.iter().rev().find(|f| f.clause != Clause::None).map_or(Clause::None, |f| f.clause);
    context.start = open.map_or(at, |t| t.range.start());
    context.wanted = if open.is_some_and(|t| t.kind == TokenKind::Text) {
        Wanted::Text
    } else {
        wanted(before, &significant, &frame)
    };
    context
}

fn frames(text: &str, tokens: &[Token]) -> Vec<Frame> {
    let mut frames = vec![Frame::new(None)];
    let mut closed: Option<(TextRange, Option<OpenCall>)> = None;
    for (n, token) in tokens.iter().enumerate() {
        let previous = n.checked_sub(1).map(|n| tokens[n]);
        let word =
            if token.kind == TokenKind::Word { token.text(text).to_ascii_uppercase() } else { String::new() };
        if token.is_sign(text, "(") || token.is_sign(text, "[") {
            let of_call = previous.filter(|_| token.is_sign(text, "(")).and_then(|p| match p.kind {
                TokenKind::Word if !is_structural(p.text(text)) || is_function_word(p.text(text)) => {
                    Some((p.range, None))
                }
                TokenKind::Sign if p.text(text) == ")" => {
                    // `quantile(0.9)(x)`: the second parentheses are of the same call.
                    let (range, call) = closed.filter(|(range, _)| range.end() == p.range.end())?;
                    Some((call?.name, Some(range)))
                }
                _ => None,
            });
            let call = of_call.map(|(name, parameters)| OpenCall {
                name,
                open: token.range.end(),
                argument: 0,
                parameters,
            });
            if let Some(last) = frames.last_mut() {
                last.has_table = true;
            }
            frames.push(Frame::new(call));
            continue;
        }
        if token.is_sign(text, ")") || token.is_sign(text, "]") {
            if frames.len() > 1 {
                let call = frames.pop().and_then(|f| f.call);
                let start = call.map_or(token.range.start(), |c| c.open - TextSize::from(1));
                closed = Some((TextRange::new(start, token.range.end()), call));
            }
            continue;
        }
        let Some(frame) = frames.last_mut() else { continue };
        if token.is_sign(text, ",") {
            frame.commas += 1;
            frame.has_table = false;
            frame.saw_as = false;
            if let Some(call) = &mut frame.call {
                call.argument = frame.commas;
            }
            continue;
        }
        // A keyword behind a dot is a name.
        if previous.is_some_and(|p| p.is_sign(text, ".")) {
            continue;
        }
        let next_clause = match word.as_str() {
            "WITH" if matches!(frame.clause, Clause::None) => Some(Clause::With),
            "SELECT" => Some(Clause::Select),
            "FROM" if frame.call.is_none() || frame.clause != Clause::None => Some(Clause::From),
            "JOIN" if previous.is_some_and(|p| p.is(text, "ARRAY")) => Some(Clause::ArrayJoin),
            "JOIN" => Some(Clause::From),
            "ON" if frame.clause == Clause::From => Some(Clause::On),
            "USING" if frame.clause == Clause::From => Some(Clause::Using),
            "WHERE" | "PREWHERE" | "HAVING" | "QUALIFY" => Some(Clause::Filter),
            "GROUP" => Some(Clause::GroupBy),
            "ORDER" => Some(Clause::OrderBy),
            "PARTITION" => Some(Clause::GroupBy),
            "LIMIT" | "OFFSET" => Some(Clause::Limit),
            "SETTINGS" => Some(Clause::Settings),
            "FORMAT" if frame.clause != Clause::Select && frame.call.is_none() => Some(Clause::Format),
            "WINDOW" => Some(Clause::Window),
            "UNION" | "EXCEPT" | "INTERSECT" if frame.clause != Clause::Select || word != "EXCEPT" => {
                Some(Clause::None)
            }
            _ => None,
        };
        match next_clause {
            Some(clause) => {
                frame.clause = clause;
                frame.has_table = false;
                frame.saw_as = false;
                if clause != Clause::None {
                    frame.commas = 0;
                }
            }
            None => {
                frame.saw_as = word == "AS";
                if frame.clause == Clause::From && token.ends_operand(text) {
                    frame.has_table = true;
                }
            }
        }
    }
    frames
}

fn wanted(text: &str, tokens: &[Token], frame: &Frame) -> Wanted {
    let Some(last) = tokens.last() else { return Wanted::Statement };
    // `%` in front of a template is no operator.
    if tokens.len() == 1 && last.is_sign(text, "%") {
        return Wanted::Statement;
    }
    let word = last.text(text).to_ascii_uppercase();
    if last.is_sign(text, ".") {
        let path = path_before(text, &tokens[..tokens.len() - 1]);
        return match (path.is_empty(), frame.clause == Clause::From && !frame.has_table_before(text, tokens))
        {
            (true, _) => Wanted::Nothing,
            (false, true) => Wanted::TableOf(path.join(".")),
            (false, false) => Wanted::Member(path),
        };
    }
    if last.is_sign(text, "::") {
        return Wanted::Type;
    }
    if last.is(text, "AS") {
        let in_cast = frame.call.is_some_and(|c| text[c.name].eq_ignore_ascii_case("CAST"));
        return if in_cast { Wanted::Type } else { Wanted::NewName };
    }
    if frame.clause == Clause::Settings {
        let behind = &tokens[tokens.len().saturating_sub(2)..];
        return match behind {
            [name, eq] if eq.is_sign(text, "=") => Wanted::SettingValue(name.text(text).to_owned()),
            [_, last] if last.is(text, "SETTINGS") || last.is_sign(text, ",") => Wanted::Setting,
            _ => Wanted::AfterOperand,
        };
    }
    if frame.clause == Clause::Format {
        return if word == "FORMAT" { Wanted::Format } else { Wanted::AfterOperand };
    }
    let in_type = types_open(text, tokens);
    if in_type {
        return Wanted::Type;
    }
    if frame.clause == Clause::Using && (word == "USING" || last.is_sign(text, ",")) {
        return Wanted::Using;
    }
    let is_keyword = last.kind == TokenKind::Word
        && is_structural(&word)
        && !tokens.get(tokens.len().wrapping_sub(2)).is_some_and(|t| t.is_sign(text, "."));
    if matches!(frame.clause, Clause::From) {
        if !frame.has_table {
            return Wanted::Table;
        }
        return Wanted::AfterTable;
    }
    if word == "IN" && is_keyword
        || last.is_sign(text, "(") && frame.clause == Clause::None && frame.call.is_none()
    {
        return Wanted::Operand;
    }
    // A star is an operator behind a value, and all columns behind what begins an item.
    let begins_item = |n: usize| {
        tokens.get(n).is_some_and(|t| {
            t.is_sign(text, ",") || t.is_sign(text, ".") || t.is(text, "SELECT") || t.is(text, "DISTINCT")
        })
    };
    if last.is_sign(text, "*") && frame.clause == Clause::Select && begins_item(tokens.len().wrapping_sub(2))
    {
        return Wanted::AfterOperand;
    }
    match (is_keyword, last.ends_operand(text)) {
        (true, _) if matches!(word.as_str(), "END" | "NULL" | "TRUE" | "FALSE" | "ASC" | "DESC") => {
            Wanted::AfterOperand
        }
        (true, _)
            if matches!(word.as_str(), "UNION" | "EXCEPT" | "INTERSECT" | "ALL")
                && frame.clause == Clause::None =>
        {
            Wanted::Statement
        }
        (true, _) if matches!(word.as_str(), "GROUP" | "ORDER" | "PARTITION") => Wanted::AfterOperand,
        (true, _) if word == "WINDOW" => Wanted::NewName,
        (false, true) => Wanted::AfterOperand,
        _ => Wanted::Operand,
    }
}

impl Frame {
    /// Whether the name with dots at the end is an alias' part rather than the table itself.
    fn has_table_before(&self, text: &str, tokens: &[Token]) -> bool {
        let path = path_length(text, &tokens[..tokens.len().saturating_sub(1)]);
        let before = tokens.len().checked_sub(path + 2).map(|n| tokens[n]);
        !before.is_some_and(|t| t.is(text, "FROM") || t.is(text, "JOIN") || t.is_sign(text, ","))
    }
}

/// Whether the last tokens are inside the parentheses of a type: `::Array(`, `CAST(x AS Nullable(`.
fn types_open(text: &str, tokens: &[Token]) -> bool {
    let mut depth = 0;
    for n in (0..tokens.len()).rev() {
        let token = tokens[n];
        if token.is_sign(text, ")") {
            depth += 1;
        } else if token.is_sign(text, "(") {
            if depth > 0 {
                depth -= 1;
                continue;
            }
            // The word before is a type when what is before that says so.
            let Some(before) = n.checked_sub(2).map(|n| tokens[n]) else { return false };
            if before.is_sign(text, "::") {
                return true;
            }
            if before.is(text, "AS") && n >= 4 && tokens[..n].iter().rev().any(|t| t.is(text, "CAST")) {
                return true;
            }
        }
    }
    false
}

fn path_length(text: &str, tokens: &[Token]) -> usize {
    let mut taken = 0;
    let mut wants_name = true;
    for token in tokens.iter().rev() {
        let fits = match token.kind {
            TokenKind::Word | TokenKind::Quoted => wants_name,
            TokenKind::Sign => !wants_name && token.text(text) == ".",
            _ => false,
        };
        if !fits {
            break;
        }
        wants_name = !wants_name;
        taken += 1;
    }
    taken
}

/// The names before the last dot, unquoted.
fn path_before(text: &str, tokens: &[Token]) -> Vec<String> {
    let taken = path_length(text, tokens);
    tokens[tokens.len() - taken..]
        .iter()
        .filter(|t| t.kind != TokenKind::Sign)
        .map(|t| t.text(text).trim_matches(['`', '"']).to_owned())
        .collect()
}

/// Words that shape a query wherever they stand bare.
pub(crate) fn is_structural(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "SELECT",
        "DISTINCT",
        "FROM",
        "WHERE",
        "PREWHERE",
        "HAVING",
        "QUALIFY",
        "GROUP",
        "ORDER",
        "BY",
        "LIMIT",
        "OFFSET",
        "WITH",
        "AS",
        "ON",
        "USING",
        "JOIN",
        "ARRAY",
        "LEFT",
        "RIGHT",
        "INNER",
        "OUTER",
        "FULL",
        "CROSS",
        "ANY",
        "ALL",
        "ASOF",
        "SEMI",
        "ANTI",
        "GLOBAL",
        "UNION",
        "EXCEPT",
        "INTERSECT",
        "SETTINGS",
        "FORMAT",
        "AND",
        "OR",
        "NOT",
        "IN",
        "LIKE",
        "ILIKE",
        "BETWEEN",
        "IS",
        "NULL",
        "CASE",
        "WHEN",
        "THEN",
        "ELSE",
        "END",
        "ASC",
        "DESC",
        "FINAL",
        "SAMPLE",
        "INTERVAL",
        "OVER",
        "PARTITION",
        "WINDOW",
        "ROWS",
        "RANGE",
        "TRUE",
        "FALSE",
        "FILTER",
        "FILL",
        "STEP",
        "TO",
        "EXISTS",
        "TOTALS",
        "ROLLUP",
        "CUBE",
        "DIV",
        "MOD",
        "NULLS",
        "FIRST",
        "LAST",
        "PASTE",
        "REPLACE",
        "APPLY",
    ];
    WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Structural words that are functions when a parenthesis follows.
fn is_function_word(word: &str) -> bool {
    const WORDS: &[&str] =
        &["LEFT", "RIGHT", "ANY", "REPLACE", "FORMAT", "MOD", "RANGE", "NOT", "LIKE", "ILIKE"];
    WORDS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> (Wanted, Clause) {
        let place = text.find('|').expect("a cursor");
        let whole = text.replacen('|', "", 1);
        let found = context(&whole, TextSize::try_from(place).expect("small"));
        (found.wanted, found.clause)
    }

    #[test]
    fn the_words_before_say_what_is_wanted() {
        let member = |names: &[&str]| Wanted::Member(names.iter().map(|n| (*n).to_owned()).collect());
        let cases: Vec<(&str, Wanted, Clause)> = vec![
            ("|", Wanted::Statement, Clause::None),
            ("% |", Wanted::Statement, Clause::None),
            ("SELECT |", Wanted::Operand, Clause::Select),
            ("SELECT a, su|", Wanted::Operand, Clause::Select),
            ("SELECT a |", Wanted::AfterOperand, Clause::Select),
            ("SELECT a AS |", Wanted::NewName, Clause::Select),
            ("SELECT * |", Wanted::AfterOperand, Clause::Select),
            ("SELECT a, t.* |", Wanted::AfterOperand, Clause::Select),
            ("SELECT 2 * |", Wanted::Operand, Clause::Select),
            ("SELECT a FROM |", Wanted::Table, Clause::From),
            ("SELECT a FROM ev|", Wanted::Table, Clause::From),
            ("SELECT a FROM events |", Wanted::AfterTable, Clause::From),
            ("SELECT a FROM events e, |", Wanted::Table, Clause::From),
            ("SELECT a FROM events JOIN |", Wanted::Table, Clause::From),
            ("SELECT a FROM events JOIN t ON |", Wanted::Operand, Clause::On),
            ("SELECT a FROM events JOIN t USING |", Wanted::Using, Clause::Using),
            ("SELECT a FROM events e WHERE e.|", member(&["e"]), Clause::Filter),
            ("SELECT a FROM events e WHERE x = 1 AND |", Wanted::Operand, Clause::Filter),
            ("SELECT a FROM events GROUP BY |", Wanted::Operand, Clause::GroupBy),
            ("SELECT a FROM tinybird.|", Wanted::TableOf("tinybird".into()), Clause::From),
            ("SELECT a::|", Wanted::Type, Clause::Select),
            ("SELECT CAST(a AS |", Wanted::Type, Clause::Select),
            ("SELECT CAST(a AS Nullable(|", Wanted::Type, Clause::Select),
            ("SELECT sum(|", Wanted::Operand, Clause::Select),
            ("SELECT a FROM t SETTINGS |", Wanted::Setting, Clause::Settings),
            (
                "SELECT a FROM t SETTINGS max_threads = |",
                Wanted::SettingValue("max_threads".into()),
                Clause::Settings,
            ),
            ("SELECT a FROM t FORMAT |", Wanted::Format, Clause::Format),
            ("SELECT 'a|", Wanted::Text, Clause::Select),
            ("SELECT 1|", Wanted::Nothing, Clause::None),
            ("SELECT a -- no|", Wanted::Nothing, Clause::None),
            ("SELECT a FROM (SELECT |", Wanted::Operand, Clause::Select),
            ("SELECT a FROM (SELECT b FROM t) |", Wanted::AfterTable, Clause::From),
            ("SELECT {{Int32(x)}} |", Wanted::AfterOperand, Clause::Select),
            ("WITH x AS (SELECT |", Wanted::Operand, Clause::Select),
            ("SELECT a FROM t UNION ALL |", Wanted::Statement, Clause::None),
            ("SELECT a FROM t WHERE a IN (|", Wanted::Operand, Clause::Filter),
        ];
        for (text, wanted, clause) in cases {
            assert_eq!(at(text), (wanted, clause), "{text}");
        }
    }

    #[test]
    fn open_calls_are_known_with_their_argument() {
        let text = "SELECT quantile(0.9)(if(a, b, ";
        let found = context(text, TextSize::of(text));
        let calls: Vec<_> =
            found.calls.iter().map(|c| (&text[c.name], c.argument, c.parameters.is_some())).collect();
        assert_eq!(calls, [("quantile", 0, true), ("if", 2, false)]);
    }
}
