//! No template takes a render's process along: not by hanging, not by its stack, not by memory. And escaping loses nothing.

use headwater_syntax::template;
use headwater_template::{
    ErrorKind, LimitKind, Limits, Made, Mode, Parameters, RenderError, Rendered, Request, Secrets, Value,
    literal, render, variants,
};
use proptest::prelude::*;

/// On a stack that is small for a thread of any program.
fn on_small_stack<T: Send>(run: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
        thread.spawn_scoped(scope, run).expect("a thread").join().expect("it does not panic")
    })
}

fn limited(text: &str, limits: Limits) -> Result<Rendered, RenderError> {
    let (parameters, secrets) = (Parameters::new(), Secrets::new());
    let mut request = Request::new(&parameters, &secrets);
    request.limits = limits;
    render(text, &request)
}

#[test]
fn hostile_templates_meet_a_limit() {
    use LimitKind as L;
    let nested = |open: &str, inner: &str, close: &str, n: usize| {
        format!("%{}{inner}{}", open.repeat(n), close.repeat(n))
    };
    for (name, text, limit) in [
        ("a loop without end", "%{% while True %}{% end %}".to_owned(), L::Rounds),
        ("a loop in a handler", "%{% try %}{% while 1 %}{% end %}{% except %}x{% end %}".to_owned(), L::Rounds),
        ("a loop in a loop", "%{% for a in range(1000) %}{% for b in range(1000) %}{% end %}{% end %}".to_owned(), L::Rounds),
        ("a long text", "%{% set a = 'a' * 10 ** 9 %}".to_owned(), L::Text),
        ("a text that doubles", "%{% set a = 'a' %}{% while 1 %}{% set a += a %}{% end %}".to_owned(), L::Text),
        ("a long list", "%{% set a = [0] * 10 ** 9 %}".to_owned(), L::Items),
        ("a long range", "%{% for x in range(10 ** 12) %}{% end %}".to_owned(), L::Items),
        ("a list that doubles", "%{% set a = [0] %}{% while 1 %}{% set a = a + a %}{% end %}".to_owned(), L::Items),
        ("a list that grows", "%{% set a = [] %}{% while 1 %}{% set a.append(a) %}{% end %}".to_owned(), L::Depth),
        ("a deep list", "%{% set a = [] %}{% while 1 %}{% set a = [a] %}{% end %}".to_owned(), L::Depth),
        ("a deep dict", "%{% set a = {} %}{% while 1 %}{% set b = {} %}{% set b['k'] = a %}{% set a = b %}{% end %}".to_owned(), L::Depth),
        ("a list of itself, printed", format!("%{{% set a = ['x'] %}}{}{{{{a}}}}", "{% set a = [a, a] %}".repeat(40)), L::Text),
        ("a list of itself, compared", format!("%{{% set a = ['x'] %}}{{% set b = ['x'] %}}{}{{% set c = a == b %}}", "{% set a = [a, a] %}{% set b = [b, b] %}".repeat(40)), L::Steps),
        ("a list of itself, as an error", format!("%{{% set a = ['x'] %}}{}{{{{custom_error(a)}}}}", "{% set a = [a, a] %}".repeat(40)), L::Text),
        ("a large number", "%{% set a = 9 ** 9 ** 9 %}".to_owned(), L::Integer),
        ("a number that squares", "%{% set a = 3 %}{% while 1 %}{% set a *= a %}{% end %}".to_owned(), L::Integer),
        ("a shift", "%{% set a = 1 << 10 ** 12 %}".to_owned(), L::Integer),
        ("a long literal", format!("%{{% set a = {} %}}", "9".repeat(100_000)), L::Integer),
        ("a long number to read", "%{% set a = int('9' * 100000) %}".to_owned(), L::Integer),
        ("a wide format", "%{% set a = '%1000000000d' % 1 %}".to_owned(), L::Text),
        ("a wide format by argument", "%{% set a = '%*d' % (10 ** 9, 1) %}".to_owned(), L::Text),
        ("a wide brace format", "%{% set a = '{:>1000000000}'.format('a') %}".to_owned(), L::Text),
        ("padding", "%{% set a = 'a'.zfill(10 ** 12) %}".to_owned(), L::Text),
        ("replacing with more", "%{% set a = ('a' * 10000).replace('a', 'b' * 10000) %}".to_owned(), L::Text),
        ("joining", "%{% set a = ('x' * 1000).join(list('a' * 10000)) %}".to_owned(), L::Text),
        ("much output", "%{% for x in range(50000) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% end %}".to_owned(), L::Output),
        ("quadratic work", "%{% set a = list('a' * 50000) %}{% for x in range(9999) %}{% set b = a + [] %}{% end %}".to_owned(), L::Steps),
        ("a copy for each round", "%{% set a = list('a' * 50000) %}{% for x in range(9999) %}{% set b = a %}{% set a.append(1) %}{% end %}".to_owned(), L::Steps),
        ("looking through lists", "%{% set a = list(range(50000)) %}{% for x in a %}{% if -1 in a %}{% end %}{% end %}".to_owned(), L::Steps),
        ("looking through texts", "%{% set a = 'a' * 900000 %}{% for x in range(9999) %}{% if 'b' in a %}{% end %}{% end %}".to_owned(), L::Steps),
        ("comprehensions in comprehensions", "%{% set a = [1 for a in range(999) for b in range(999) for c in range(999)] %}".to_owned(), L::Rounds),
        ("brackets", nested("{% if ", "", "", 1) + &"[".repeat(99) + &"]".repeat(99) + " %}{% end %}", L::Depth),
        ("many conditions in one", format!("%{{{{ {} 1 }}}}", "1 if 0 else ".repeat(99)), L::Depth),
    ] {
        let result = on_small_stack(|| limited(&text, Limits { depth: 50, ..Limits::default() }));
        match result {
            Err(RenderError { kind: ErrorKind::Limit(found), .. }) if found == limit => {}
            other => panic!("{name}: {:?}", other.map(|r| r.sql.len())),
        }
    }
}

#[test]
fn what_nests_deeply_is_followed_or_refused() {
    let nested = |open: &str, inner: &str, close: &str, n: usize| {
        format!("%{}{inner}{}", open.repeat(n), close.repeat(n))
    };
    for text in [
        nested("{% if 1 %}", "x", "{% end %}", 190),
        nested("{% try %}{% for x in [1] %}", "x", "{% end %}{% end %}", 90),
        format!("%{{{{ {}1 }}}}", "1 + ".repeat(900)),
        format!("%{{% set x = {}1 %}}{{{{x}}}}", "- ".repeat(900)),
        format!("%{{% if {}x %}}{{% end %}}y", "not ".repeat(900)),
        format!("%{{% set x = 'a'{} %}}{{{{x}}}}", ".upper()".repeat(400)),
        format!("%{{% set x = 1 if {}1 %}}{{{{x}}}}", "1 else 2 if ".repeat(80) + "1 else "),
    ] {
        let found = on_small_stack(|| limited(&text, Limits { depth: usize::MAX, ..Limits::default() }));
        assert!(found.is_ok(), "{}: {:?}", &text[..40], found.map(|r| r.sql));
    }
    for text in [
        nested("{% if 1 %}", "x", "{% end %}", 5000),
        nested("{{ ", "(", "", 5000) + " }}",
        format!("%{{{{ {}1{} }}}}", "[".repeat(5000), "]".repeat(5000)),
        format!("%{{{{ x{} }}}}", ".get('a')".repeat(5000)),
        format!("%{{{{ {}1 }}}}", "1 + ".repeat(5000)),
    ] {
        assert!(on_small_stack(|| limited(&text, Limits::default())).is_err());
    }
}

#[test]
fn json_cannot_nest_or_grow_beyond_the_limits() {
    let secrets = Secrets::new();
    let mut parameters = Parameters::new();
    for (json, ok) in [
        ("[".repeat(90) + &"]".repeat(90), true),
        ("[".repeat(120) + &"]".repeat(120), false),
        ("[".repeat(100_000), false),
        (format!("\"{}\"", "a".repeat(2_000_000)), false),
    ] {
        parameters.insert("a", json.as_str());
        let result = on_small_stack(|| render("%{{JSON(a)}}", &Request::new(&parameters, &secrets)));
        assert_eq!(result.is_ok(), ok, "{}", json.len());
    }
}

#[test]
fn the_callers_clock_is_asked() {
    let (parameters, secrets) = (Parameters::new(), Secrets::new());
    let calls = std::cell::Cell::new(0);
    let expired = || {
        calls.set(calls.get() + 1);
        calls.get() > 2
    };
    let mut request = Request::new(&parameters, &secrets);
    request.expired = Some(&expired);
    let error = render("%{% while 1 %}{% end %}", &request).expect_err("no time");
    assert_eq!((error.kind, error.status), (ErrorKind::Limit(LimitKind::Time), 408));
    assert_eq!(calls.get(), 3);
}

#[test]
fn limits_can_be_moved() {
    let small = Limits { rounds: 3, output: 8, text: 4, items: 2, depth: 20, integer_bits: 8, steps: 200 };
    for (text, limit) in [
        ("%{% for x in [1, 2] %}{% for y in [1, 2] %}{% end %}{% end %}", LimitKind::Rounds),
        ("%aaaaaaaaa", LimitKind::Output),
        ("%{{ 'aaaaa' }}", LimitKind::Text),
        ("%{{ [1, 2, 3] }}", LimitKind::Items),
        ("%{{ 16 * 16 }}", LimitKind::Integer),
    ] {
        let error = limited(text, small).expect_err(text);
        assert_eq!(error.kind, ErrorKind::Limit(limit), "{text}");
        assert!(error.message.contains("the limit can be raised"), "{error}");
    }
}

/// What ClickHouse makes of the inside of a literal (measured on the engine by `cargo xtask render-eval`).
fn unescaped(literal: &str) -> String {
    let inner = literal.strip_prefix('\'').and_then(|l| l.strip_suffix('\'')).expect("quotes");
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        assert_ne!(c, '\'', "a quote inside of {literal}");
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next().expect("no backslash before the end") {
            'b' => out.push('\u{8}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '0' => out.push('\0'),
            'x' => {
                let digits: String = chars.by_ref().take(2).collect();
                out.extend(char::from_u32(u32::from_str_radix(&digits, 16).expect("two digits")));
            }
            '%' => out.push_str("\\%"),
            other => out.push(other),
        }
    }
    out
}

/// Characters that quoting must mind, among others.
fn any_text() -> impl Strategy<Value = String> {
    let awkward = prop::sample::select(vec![
        '\'', '"', '\\', '`', '%', '\n', '\r', '\t', '\0', '\u{8}', '\u{1a}', 'b', 'n', 'x', '0', '🙂',
    ]);
    prop::collection::vec(prop_oneof![2 => awkward, 1 => any::<char>()], 0..40)
        .prop_map(|c| c.into_iter().collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_reads_what_was_passed(text in any_text()) {
        // A percent sign is escaped for LIKE, which the engine leaves as it is.
        prop_assert_eq!(unescaped(&literal(&text)), text.replace('%', "\\%"));
        let mut parameters = Parameters::new();
        parameters.insert("a", text.as_str());
        let secrets = Secrets::new();
        let request = Request::new(&parameters, &secrets);
        let sql = |template: &str| render(template, &request).map(|r| r.sql);
        prop_assert_eq!(sql("%{{String(a)}}"), Ok(literal(&text)));
        prop_assert_eq!(unescaped(&sql("%{{sql_unescape(String(a), '%')}}").expect("it renders")), text.clone());
        // An identifier ends where it should.
        let column = sql("%{{symbol(a)}}").expect("it renders");
        let inner = &column[1..column.len() - 1];
        prop_assert_eq!(inner.replace("\\\\", "").replace("\\`", "").contains(['`', '\\']), false);
        prop_assert_eq!(inner.replace("\\`", "`").replace("\\\\", "\\").len() <= inner.len(), true);
    }

    #[test]
    fn floats_are_read_back(x in any::<f64>()) {
        let mut parameters = Parameters::new();
        parameters.insert("a", format!("{x:?}").as_str());
        let secrets = Secrets::new();
        let sql = render("%{{Float64(a)}}", &Request::new(&parameters, &secrets)).expect("a float").sql;
        let inner = sql.strip_prefix("toFloat64('").and_then(|s| s.strip_suffix("')")).expect("a float");
        let back: f64 = inner.parse().expect("a float");
        prop_assert!(back == x || x.is_nan() && back.is_nan());
    }

    #[test]
    fn json_is_read_and_written(text in any_text(), n in any::<i64>()) {
        let json = format!("{{{}:[{n},null,{}]}}", Value::from(text.as_str()).to_json(), Value::from(text.as_str()).to_json());
        prop_assert_eq!(Value::from_json(&json).expect("JSON").to_json(), json);
    }

    #[test]
    fn any_soup_keeps_its_places(parts in prop::collection::vec(prop::sample::select(SOUP), 0..40)) {
        let text = format!("%{}", parts.concat());
        let tree = template::parse(&text);
        for variant in variants(&text, &tree).into_iter().flatten() {
            prop_assert_eq!(variant.text.len(), text.len(), "offsets stay");
            prop_assert_eq!(variant.text.matches('\n').count(), text.matches('\n').count(), "lines stay");
        }
        let (parameters, secrets) = (Parameters::from_pairs([("a", "1"), ("b", "x,y")]), Secrets::new());
        for mode in [Mode::Request, Mode::Test] {
            let mut request = Request::new(&parameters, &secrets);
            request.mode = mode;
            request.limits = Limits { steps: 20_000, ..Limits::default() };
            match render(&text, &request) {
                Ok(rendered) => {
                    let mut at = 0.into();
                    for segment in rendered.map.segments() {
                        prop_assert_eq!(segment.output.start(), at);
                        at = segment.output.end();
                        if segment.made == Made::Literal {
                            prop_assert_eq!(&rendered.sql[segment.output], &text[segment.source]);
                        }
                    }
                    prop_assert_eq!(usize::from(at), rendered.sql.len());
                }
                Err(error) => prop_assert!(text.get(std::ops::Range::<usize>::from(error.range)).is_some()),
            }
        }
    }
}

/// Pieces of templates.
const SOUP: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{!",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    "=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "<",
    "==",
    "'",
    "\"",
    "\\",
    "\n",
    " ",
    " ",
    "é",
    "🙂",
    "1",
    "2.5",
    "a",
    "b",
    "x",
    "if ",
    "elif ",
    "else ",
    "end ",
    "for ",
    " in ",
    "while ",
    "try ",
    "except ",
    "set ",
    "break ",
    "not ",
    " and ",
    " or ",
    "None",
    "True",
    "String(",
    "Int32(",
    "Array(",
    "defined(",
    "column(",
    "JSON(",
    "len(",
    "split_to_array(",
    ".upper()",
    ".split(",
    ".append(",
    "{% if a %}",
    "{% for x in a %}",
    "{% end %}",
    "{% else %}",
    "{{ a }}",
    "{{ String(a) }}",
    "{% set x = a %}",
    "{{ x }}",
    "SELECT ",
    "{% while a %}",
];
