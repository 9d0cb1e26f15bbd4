use super::*;
use crate::sql::parse;

/// The first item's expression of `SELECT …`.
fn with_value<R>(expression: &str, f: impl FnOnce(Expression<'_>, &str) -> R) -> R {
    let text = format!("SELECT {expression} FROM t");
    let tree = parse(&text).expect("short texts are parsed");
    let item = descendants::<SelectItem<'_>>(tree.root_node()).next().expect("an item");
    f(item.value().expect("a value"), &text)
}

#[test]
fn numbers_and_names_are_the_parser_s() {
    let language = tree_sitter::Language::from(headwater_grammar::SQL);
    let count = u16::try_from(language.node_kind_count()).expect("few kinds");
    for id in 0..count {
        let kind = Kind::of_id(id);
        if language.node_kind_is_named(id) && language.node_kind_is_visible(id) {
            assert_eq!(Some(kind.name()), language.node_kind_for_id(id));
        } else {
            assert_eq!(kind, Kind::Token);
        }
    }
    for (kind, name) in Kind::ALL {
        assert_eq!(kind.name(), *name);
    }
}

/// Expressions and what the engine calls a column that is computed so, as it was asked.
const NAMES: &[(&str, &str)] = &[
    ("a + b", "plus(a, b)"),
    ("a % b", "modulo(a, b)"),
    ("a mod b", "modulo(a, b)"),
    ("a DIV b", "intDiv(a, b)"),
    ("a <> b", "notEquals(a, b)"),
    ("a <=> b", "isNotDistinctFrom(a, b)"),
    ("a IS DISTINCT FROM b", "isDistinctFrom(a, b)"),
    ("a IS NOT DISTINCT FROM b", "isNotDistinctFrom(a, b)"),
    ("a AND b AND a", "and(a, b, a)"),
    ("(a AND b) AND a", "and(and(a, b), a)"),
    ("s || s || 'x'", "concat(s, s, 'x')"),
    ("NOT a", "not(a)"),
    ("-a", "negate(a)"),
    ("-1", "-1"),
    ("-(1)", "negate(1)"),
    ("s NOT LIKE 'x'", "notLike(s, 'x')"),
    ("s not ilike 'x'", "notILike(s, 'x')"),
    ("s REGEXP 'x'", "match(s, 'x')"),
    ("a IN (1,2)", "in(a, (1, 2))"),
    ("a IN (1)", "in(a, 1)"),
    ("a NOT IN (1,2)", "notIn(a, (1, 2))"),
    ("a GLOBAL NOT IN (1,2)", "globalNotIn(a, (1, 2))"),
    ("a BETWEEN 1 AND 2", "and(greaterOrEquals(a, 1), lessOrEquals(a, 2))"),
    ("a NOT BETWEEN 1 AND 2", "or(less(a, 1), greater(a, 2))"),
    ("a IS NULL", "isNull(a)"),
    ("a IS NOT NULL", "isNotNull(a)"),
    ("a ? b : 3", "if(a, b, 3)"),
    ("CASE WHEN a THEN b END", "multiIf(a, b, NULL)"),
    ("CASE a WHEN 1 THEN b WHEN 2 THEN 5 END", "caseWithExpression(a, 1, b, 2, 5, NULL)"),
    ("a::Int8", "CAST(a, 'Int8')"),
    ("CAST(a AS Int8)", "CAST(a, 'Int8')"),
    ("CAST(a, 'Int8')", "CAST(a, 'Int8')"),
    ("1::Int8", "CAST('1', 'Int8')"),
    ("arr[1] + 1", "plus(arrayElement(arr, 1), 1)"),
    ("tu.1", "tupleElement(tu, 1)"),
    ("(a, b)", "(a, b)"),
    ("(a,)", "(a)"),
    ("tuple(a, b)", "(a, b)"),
    ("[a, b]", "[a, b]"),
    ("INTERVAL 1 DAY", "toIntervalDay(1)"),
    ("INTERVAL '2 hours'", "toIntervalHour(2)"),
    ("INTERVAL '1' DAY", "toIntervalDay('1')"),
    ("INTERVAL (1 + 1) DAY", "toIntervalDay(plus(1, 1))"),
    ("EXTRACT(DAY FROM d)", "toDayOfMonth(d)"),
    ("EXTRACT(WEEK FROM d)", "toISOWeek(d)"),
    ("TRIM(LEADING 'x' FROM s)", "trimLeft(s, 'x')"),
    ("SUBSTRING(s FROM 1 FOR 2)", "substring(s, 1, 2)"),
    ("DATE '2020-01-01'", "toDate('2020-01-01')"),
    ("arrayMap((x, y) -> x + y, arr, arr)", "arrayMap(lambda(tuple(x, y), plus(x, y)), arr, arr)"),
    ("sum(a) OVER w", "sum(a) OVER w"),
    ("quantile(0.9)(a)", "quantile(0.9)(a)"),
    ("COUNT(*)", "COUNT()"),
    ("count(DISTINCT a, b)", "countDistinct(a, b)"),
    ("sum(a) FILTER (WHERE b)", "sumIf(a, b)"),
    ("DATEADD(DAY, 1, d)", "plus(d, toIntervalDay(1))"),
    ("date_sub(day, 1, d)", "minus(d, toIntervalDay(1))"),
    ("DATE_DIFF(DAY, d, d)", "dateDiff('day', d, d)"),
    ("SUM(a)", "SUM(a)"),
    ("`a`", "a"),
    ("'it''s'", r"'it\'s'"),
    ("x'41'", "'A'"),
    ("$$ab$$", "'ab'"),
    ("0xff", "255"),
    ("(a + b) * 2", "multiply(plus(a, b), 2)"),
    ("(a + b) AS c", "c"),
    ("f(a AS b)", "f(b)"),
];

#[test]
fn columns_are_called_as_the_engine_calls_them() {
    for (expression, expected) in NAMES {
        let text = format!("SELECT {expression} FROM t");
        let tree = parse(&text).expect("short texts are parsed");
        let item = descendants::<SelectItem<'_>>(tree.root_node()).next().expect("an item");
        assert_eq!(item.output_name(&text), OutputName::Known((*expected).to_owned()), "{expression}");
    }
}

#[test]
fn names_that_depend_on_more_than_the_text_are_not_guessed() {
    for (expression, expected) in [
        ("q.a", OutputName::Path(vec!["q".into(), "a".into()])),
        ("q.a + 1", OutputName::Unknown),
        ("*", OutputName::Many),
        ("t.*", OutputName::Many),
        ("{{x}}", OutputName::Unknown),
        ("f({{x}})", OutputName::Unknown),
        ("{{f}}(1)", OutputName::Unknown),
        ("(SELECT 1)", OutputName::Unknown),
        ("1e30", OutputName::Known("1e30".into())),
        ("a +", OutputName::Unknown),
    ] {
        let found = with_value(expression, |value, text| value.output_name(text));
        assert_eq!(found, expected, "{expression}");
    }
    let deep = format!("{}a{}", "f(".repeat(200), ")".repeat(200));
    assert_eq!(with_value(&deep, |value, text| value.output_name(text)), OutputName::Unknown);
}

#[test]
fn operators_have_a_place() {
    with_value("a   NOT IN (1)", |value, text| {
        let call = value.call(text).expect("a call");
        assert_eq!(&text[call.name_range], "NOT IN");
        assert!(matches!(&call.arguments[..], [Argument::Expression(_), Argument::Expression(_)]));
    });
    with_value("f(1)", |value, text| assert_eq!(&text[value.call(text).expect("a call").name_range], "f"));
}

#[test]
fn set_operations_are_flat() {
    let text = "SELECT 1 UNION ALL (SELECT 2 EXCEPT SELECT 3) UNION DISTINCT SELECT 4 INTERSECT SELECT 5";
    let tree = parse(text).expect("parsed");
    let query = descendants::<Query<'_>>(tree.root_node()).next().expect("a query");
    let found: Vec<_> =
        query.branches(text).into_iter().map(|b| (b.joined_by, b.select.text(text).trim())).collect();
    assert_eq!(
        found,
        [
            (None, "SELECT 1"),
            (Some(SetKind::Union), "SELECT 2"),
            (Some(SetKind::Except), "SELECT 3"),
            (Some(SetKind::Union), "SELECT 4"),
            (Some(SetKind::Intersect), "SELECT 5"),
        ]
    );
}

#[test]
fn sources_are_flat() {
    let text = "SELECT 1 FROM a AS x ANY LEFT JOIN (b JOIN c ON 1, d) ON 1, f(1), (SELECT 2) AS s";
    let tree = parse(text).expect("parsed");
    let select = descendants::<SelectQuery<'_>>(tree.root_node()).next().expect("a query");
    let found: Vec<_> = select
        .sources()
        .into_iter()
        .map(|source| {
            let how = match source.place {
                Place::First => "first".to_owned(),
                Place::Comma => "comma".to_owned(),
                Place::Join(join) => format!("join {}", join.modifiers(text).join(" ")),
            };
            (source.table.text(text).to_owned(), how)
        })
        .collect();
    let found: Vec<_> = found.iter().map(|(table, how)| (table.trim(), how.trim())).collect();
    assert_eq!(
        found,
        [
            ("a AS x", "first"),
            ("b", "join ANY LEFT"),
            ("c", "join"),
            ("d", "comma"),
            ("f(1)", "comma"),
            ("(SELECT 2) AS s", "comma"),
        ]
    );
}

#[test]
fn definitions_are_those_in_scope() {
    for (text, expected) in [
        ("WITH a AS (SELECT 1), b AS (SELECT 2) SELECT ^", "b a"),
        ("WITH a AS (SELECT 1), b AS (SELECT ^ FROM a) SELECT 1", "a"),
        ("WITH a AS (SELECT ^) SELECT 1", ""),
        ("WITH RECURSIVE a AS (SELECT ^) SELECT 1", "a"),
        ("WITH 1 AS x SELECT (WITH y AS (SELECT 2) SELECT ^ FROM y)", "y x"),
        ("WITH a AS (SELECT 1) SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT ^", "a"),
        ("(WITH a AS (SELECT 1) SELECT 1) UNION ALL SELECT ^", ""),
        ("SELECT 1 UNION ALL WITH a AS (SELECT 1) SELECT ^", "a"),
    ] {
        let at = text.find('^').expect("a mark");
        let text = text.replace('^', "z");
        let tree = parse(&text).expect("parsed");
        let offset = text_size::TextSize::try_from(at).expect("short");
        let found: Vec<_> = definitions_at(tree.root_node(), offset, &text)
            .into_iter()
            .filter_map(|d| Some(d.plain_name(&text)?.value))
            .collect();
        assert_eq!(found.join(" "), expected, "{text}");
    }
}

#[test]
fn depth_costs_no_stack() {
    let n = 10_000;
    with_value(&format!("{}a{}", "(".repeat(n), ")".repeat(n)), |value, text| {
        assert_eq!(value.peeled().text(text), "a");
        value.call(text);
        value.output_name(text);
    });
    with_value(&format!("1{}", " AND 1".repeat(n)), |value, text| {
        assert_eq!(value.call(text).expect("a call").arguments.len(), n + 1);
    });
    for text in [
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(n)),
        format!("{}SELECT 1{}", "(".repeat(n), ")".repeat(n)),
    ] {
        let tree = parse(&text).expect("parsed");
        for query in descendants::<Query<'_>>(tree.root_node()).take(3) {
            query.peeled();
            query.branches(&text);
        }
        definitions_at(tree.root_node(), text_size::TextSize::of(&text[..text.len() / 2]), &text);
    }
}
