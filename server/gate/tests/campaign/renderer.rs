//! Values of a request in a query: whatever they are, the query keeps its shape, and a text comes back as it was.

use headwater_syntax::sql::ast::Kind;
use headwater_syntax::sql::parse;
use headwater_template::{Parameters, Request, Secrets, Value, render};
use headwater_warehouse::Format;

use crate::Failures;
use crate::canary::Canary;
use crate::statements::Statements;

/// A template over the parameter `x`, a harmless value for it, and whether the value comes back as the first column.
const TEMPLATES: [(&str, &str, bool); 50] = [
    ("%SELECT {{String(x)}}", "plain", true),
    ("%SELECT {{x}}", "plain", true),
    ("%SELECT {{String(y, x)}}", "plain", true),
    ("%SELECT {{sql_unescape(String(x), '%')}}", "plain", false),
    ("%SELECT {{sql_unescape(String(x), '_')}}", "plain", false),
    ("%SELECT a FROM events WHERE s = {{String(x)}} AND a > 0", "plain", false),
    ("%SELECT a FROM events WHERE s LIKE {{String(x)}}", "plain", false),
    ("%SELECT a FROM events WHERE {{sql_and(s=String(x), a__gt=UInt8(y, 1))}}", "plain", false),
    ("%SELECT a FROM events WHERE {{sql_and(s__in=Array(x))}}", "plain", false),
    ("%SELECT {{Boolean(x)}}", "1", false),
    ("%SELECT {{Int(x)}}", "7", false),
    ("%SELECT {{Integer(x)}}", "7", false),
    ("%SELECT {{Int8(x)}}", "7", false),
    ("%SELECT {{Int16(x)}}", "7", false),
    ("%SELECT {{Int32(x)}}", "7", false),
    ("%SELECT {{Int64(x)}}", "7", false),
    ("%SELECT {{Int128(x)}}", "7", false),
    ("%SELECT {{Int256(x)}}", "7", false),
    ("%SELECT {{UInt8(x)}}", "7", false),
    ("%SELECT {{UInt16(x)}}", "7", false),
    ("%SELECT {{UInt32(x)}}", "7", false),
    ("%SELECT {{UInt64(x)}}", "7", false),
    ("%SELECT {{UInt128(x)}}", "7", false),
    ("%SELECT {{UInt256(x)}}", "7", false),
    ("%SELECT {{Float32(x)}}", "1.5", false),
    ("%SELECT {{Float64(x)}}", "1.5", false),
    ("%SELECT {{Date(x)}}", "2026-01-01", false),
    ("%SELECT {{DateTime(x)}}", "2026-01-01 00:00:00", false),
    ("%SELECT {{DateTime64(x)}}", "2026-01-01 00:00:00.123", false),
    ("%SELECT {{Array(x)}}", "plain", false),
    ("%SELECT {{Array(x, 'String')}}", "plain", false),
    ("%SELECT {{Array(x, 'Int32')}}", "7", false),
    ("%SELECT {{Array(x, 'UInt64')}}", "7", false),
    ("%SELECT {{Array(x, 'Float64')}}", "1.5", false),
    ("%SELECT {{Array(x, 'Date')}}", "2026-01-01", false),
    ("%SELECT {{Array(x, 'DateTime')}}", "2026-01-01 00:00:00", false),
    ("%SELECT {{column(x)}} FROM events", "a", false),
    ("%SELECT {{columns(x)}} FROM events", "a", false),
    ("%SELECT {{columns(x, fn='sum')}} FROM events", "a", false),
    ("%SELECT {{symbol(x)}} FROM events", "a", false),
    ("%SELECT {{symbol(x, '\"')}} FROM events", "a", false),
    ("%SELECT a FROM events ORDER BY {{column(x)}}", "a", false),
    (
        "%SELECT {% for l, v in enumerate_with_last(split_to_array(x, '')) %}{{String(v)}}{% if not l %},{% end %}{% end %}",
        "plain",
        false,
    ),
    ("%SELECT {{JSON(x).get('a')}}", "{\"a\": \"plain\"}", false),
    ("%SELECT {{String(x)}} AS v {% if defined(x) %}, {{String(x)}}{% end %}", "plain", true),
    ("%SELECT {{x.replace('a', 'b')}}", "plain", false),
    ("%SELECT {{x.split(',')[0]}}", "plain", false),
    ("%SELECT {{String(x) + 'z'}}", "plain", false),
    ("%SELECT {{', '.join([x])}}", "plain", false),
    ("%SELECT {{tb_secret('s', x)}}", "plain", true),
];

/// What people try.
fn hostile() -> Vec<String> {
    let mut out: Vec<String> = [
        "",
        "'",
        "''",
        "\\",
        "\\'",
        "\\\\'",
        "' OR 1 = 1 --",
        "' UNION ALL SELECT file('@FILE') --",
        "x' /*",
        "*/",
        "--",
        "#",
        "/*",
        "%",
        "%%",
        "\\%",
        "_",
        "\0",
        "\r",
        "\n",
        "\t",
        "\u{8}",
        "\u{b}",
        "\u{1a}",
        "\u{7f}",
        "\u{a0}",
        "\u{2028}",
        "\u{feff}",
        "’",
        "＇",
        "\"",
        "\"\"",
        "`",
        "``",
        "`; DROP TABLE events; --",
        "a`b",
        "a\\`b",
        "$$",
        "$x$",
        "; SELECT 2",
        "{{String(y)}}",
        "{% if 1 %}",
        "{#",
        "{x:String}",
        "{name:Identifier}",
        "1 OR 1",
        "1; SELECT 2",
        "1) OR (1",
        "0x41",
        "1e5",
        "nan",
        "inf",
        "-inf",
        "-1",
        "+1",
        "1_000",
        "999999999999999999999999999999",
        "2026-01-01' OR '1",
        "2026-13-45",
        "2026-01-01 00:00:00'",
        "2026-01-01T00:00:00Z",
        "é",
        "日本",
        "😀",
        "a,b",
        "a','b",
        "a,b'",
        "['x']",
        "[1,2]",
        "1,2)",
        "[",
        "]",
        "a b",
        "a.b",
        "a`.`b",
        "a as b",
        "a) FROM hidden --",
        "a, secret",
        "file('@FILE')",
        "events; --",
        "hidden",
        "\\x27",
        "\\047",
        "\\u0027",
        "\\N",
        "NULL",
        "true",
        "x\\",
        "x\\\\",
        "{\"a\": \"' OR 1 --\"}",
        "{\"a\": \"\\\\' OR 1 --\"}",
        "{\"a\": 1}",
        "{\"a\": [\"'\", 1]}",
        "{\"a\": null}",
        "{}",
        "\u{202e}'",
        "x'41'",
        "b'1'",
        "' || 'x",
        "'\u{0}'",
        "\\0'",
        "a\\\nb",
        "\u{1b}[0m",
    ]
    .map(str::to_owned)
    .into();
    out.extend(out.clone().iter().map(|value| format!("plain{value}")));
    out.extend(out.clone().iter().take(12).map(|value| format!("{value}{value}'")));
    out
}

/// A query without the texts of its literals and names.
fn shape(sql: &str) -> Option<Vec<Kind>> {
    let tree = parse(sql)?;
    if tree.has_error() {
        return None;
    }
    let nodes = tree.root_node().descendants();
    // A minus belongs to a number.
    Some(nodes.map(Kind::of).collect())
}

/// The engine's tree without names and values. Texts of an array are one literal to it.
fn engine_shape(tree: &str) -> String {
    // A name with a line break goes on in the next line, where nothing stands before it.
    let lines =
        tree.lines().enumerate().filter(|(n, line)| *n == 0 || line.starts_with(' ')).map(|(_, line)| line);
    lines
        .map(|line| {
            let depth = line.len() - line.trim_start().len();
            let head = line.trim_start().split(' ').next().unwrap_or_default();
            let name =
                if head == "Function" { line.trim_start().split(' ').nth(1).unwrap_or_default() } else { "" };
            format!("{depth}{head}{name}\n")
        })
        .collect()
}

pub(crate) fn run(canary: &Canary, _: &Statements) -> (String, Failures) {
    let mut failures = Failures::new();
    let (mut rendered, mut refused, mut returned) = (0, 0, 0);
    for (template, benign, comes_back) in TEMPLATES {
        let Some(benign) = once(template, benign) else {
            failures.push(format!("does not render a harmless value: {template}"));
            continue;
        };
        let (Some(expected), tree) = (shape(&benign), tree(canary, std::slice::from_ref(&benign)).remove(0))
        else {
            failures.push(format!("does not parse: {benign}"));
            continue;
        };
        // Bare numbers have a sign of their own.
        let negative = benign.strip_suffix('7').and_then(|before| shape(&format!("{before}-7")));
        let cases: Vec<(String, String)> = hostile()
            .into_iter()
            .filter_map(|value| {
                let value = canary.fill(&value);
                let sql = once(template, &value);
                refused += usize::from(sql.is_none());
                Some((value, sql?))
            })
            .collect();
        rendered += cases.len();
        let texts: Vec<_> = cases.iter().map(|(_, sql)| sql.clone()).collect();
        for ((value, sql), theirs) in cases.iter().zip(self::tree(canary, &texts)) {
            // Lists have as many elements as the value has parts, dotted names as many parts.
            let is_list = ["Array", "columns", "split_to_array", "JSON", "column(", "symbol("]
                .iter()
                .any(|f| template.contains(f));
            let ours = shape(sql);
            let is_signed = ours.is_some() && ours == negative;
            let is_longer = is_list && ours.as_ref().is_some_and(|s| only_more(s, &expected, template));
            if ours.as_ref() != Some(&expected) && !is_signed && !is_longer {
                failures.push(format!("another shape: {template} with {value:?} is {sql:?}"));
            }
            // A name without a letter is none to the engine: by the format's rule it is rendered all the same.
            let has_no_name = sql.contains("``") || sql.contains("\"\"");
            let is_refused = has_no_name && theirs.starts_with("Syntax error");
            if theirs != tree && !is_refused && !(is_list && heads(&theirs) == heads(&tree)) {
                failures.push(format!(
                    "another shape to the engine: {template} with {value:?} is {sql:?}\n{theirs}\n{tree}"
                ));
            }
        }
        if comes_back {
            let requests = texts
                .iter()
                .map(|sql| Canary::request(sql).format(Format::JsonCompactEachRowWithNamesAndTypes));
            let answers = canary.ask(requests.collect());
            for ((value, sql), answer) in cases.iter().zip(answers) {
                // By the format's rule a percent sign comes back with the backslash that it is escaped with.
                let expected = value.replace('%', "\\%");
                let expected = if template.contains("tb_secret") { value.clone() } else { expected };
                match answer {
                    Ok(answer)
                        if first_cell(&answer.text())
                            .is_some_and(|cell| cell == expected || cell == value.replace('%', "\\%")) =>
                    {
                        returned += 1;
                    }
                    other => failures.push(format!("{value:?} does not come back of {sql:?}: {other:?}")),
                }
            }
        }
    }
    (
        format!(
            "{rendered} renderings keep their shape, {refused} values are refused, {returned} texts come back"
        ),
        failures,
    )
}

fn once(template: &str, value: &str) -> Option<String> {
    let mut parameters = Parameters::new();
    parameters.insert("x", Value::from(value));
    render(template, &Request::new(&parameters, &Secrets::new())).ok().map(|rendered| rendered.sql)
}

fn tree(canary: &Canary, texts: &[String]) -> Vec<String> {
    let requests =
        texts.iter().map(|sql| Canary::request(&format!("EXPLAIN AST {sql}")).format(Format::TsvRaw));
    let answers = canary.ask(requests.collect());
    answers.into_iter().map(|a| a.map_or_else(|e| format!("{e}"), |a| engine_shape(&a.text()))).collect()
}

/// Whether `shape` has other numbers of list elements than `expected` and is alike otherwise: the same kinds of nodes.
fn only_more(shape: &[Kind], expected: &[Kind], template: &str) -> bool {
    let values = [
        Kind::StringLiteral,
        Kind::NumberLiteral,
        Kind::NegativeNumber,
        Kind::UnaryExpression,
        Kind::NullLiteral,
        Kind::Identifier,
        Kind::ColumnRef,
        Kind::SelectItem,
        Kind::Token,
    ];
    // `sum(a) as a, sum(b) as b`
    let calls = [Kind::FunctionCall, Kind::ArgumentList];
    let is_listed = |kind: &Kind| {
        values.contains(kind)
            || template.contains("fn=") && calls.contains(kind)
            || template.contains("JSON") && *kind == Kind::ArrayLiteral
    };
    let others = |shape: &[Kind]| shape.iter().filter(|kind| !is_listed(kind)).copied().collect::<Vec<_>>();
    others(shape) == others(expected)
}

/// The kinds of nodes of the engine's tree, names of functions with them, but for values and names.
fn heads(shape: &str) -> std::collections::BTreeSet<&str> {
    let lines = shape.lines().map(|line| line.trim_start_matches(|c: char| c.is_ascii_digit()));
    lines.filter(|head| !["Literal", "Identifier"].contains(head)).collect()
}

/// The first cell of the first row, decoded.
fn first_cell(body: &str) -> Option<String> {
    let row = body.lines().nth(2)?;
    let text = row.strip_prefix("[\"")?;
    let mut out = String::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => return Some(out),
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                'r' => out.push('\r'),
                'b' => out.push('\u{8}'),
                'f' => out.push('\u{c}'),
                'u' => {
                    let code: String = chars.by_ref().take(4).collect();
                    out.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                }
                other => out.push(other),
            },
            other => out.push(other),
        }
    }
}
