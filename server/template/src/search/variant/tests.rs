use headwater_syntax::range;
use headwater_syntax::template::{expr, parse};

use super::super::facts::squeeze;
use super::*;
use expect_test::{Expect, expect};

fn check(text: &str, expected: &Expect) {
    let template = parse(text);
    let mut out = String::new();
    let facts = Facts::new(text, &template);
    for v in variants(text, &template).expect("few arms") {
        // The request does what the variant says.
        let request =
            |name: &str| v.witness.request().find(|(n, _)| *n == name).map(|(_, value)| value.to_owned());
        for (condition, holds) in v.conditions.iter().filter(|c| !v.witness.undecided.contains(c)) {
            let (expr, _) = expr::parse(condition, range(0, condition.len()));
            let value = facts.names.truth(&expr, &request);
            assert_eq!(value, Ok(*holds), "{condition} in {text}");
        }
        assert_eq!(v.text.len(), text.len());
        let request: Vec<_> = v.witness.request().map(|(name, value)| format!("{name}={value}")).collect();
        let line = format!("{} [{}] {}", squeeze(&v.text), request.join(", "), v.witness);
        out += &format!("{}\n", line.trim());
    }
    expected.assert_eq(&out);
}

#[test]
fn every_arm_is_taken_once_and_defined_has_one_truth() {
    check(
        "% a {% if defined(x) %}b{% else %}c{% end %} d {% if not defined(x) %}e{% else %}f{% end %}",
        &expect![[r#"
            a c d e []
            a b d f [x=value] when `x` is passed
        "#]],
    );
    check(
        "%{% if m == 'a' %}A{% elif m == 'b' %}B{% else %}C{% end %}{% if m == 'a' and defined(z) %}Z{% end %}",
        &expect![[r#"
            C []
            A Z [m=a, z=value] when `m` is 'a' and `z` is passed
            B [m=b] when `m` is 'b'
        "#]],
    );
}

#[test]
fn arms_that_continue_a_query_make_one_text() {
    let all = |text: &str| all_arms(text, &parse(text)).map(|t| squeeze(&t));
    assert_eq!(
        all("% FROM a {% if x %} AND b {% if y %}AND c{% end %}{% else %} {% end %} {% if z %}LIMIT 1{% end %}")
            .as_deref(),
        Some("FROM a AND b AND c LIMIT 1")
    );
    assert_eq!(all("FROM {% if x %} a {% else %} b {% end %}"), None);
    assert_eq!(all("FROM {% if x %} group_by_a {% else %} group_by_b {% end %}"), None);
    assert_eq!(all("FROM a {% if x %}, b {% end %}"), None);
    assert_eq!(all("FROM a {% if x %} JOIN b USING c {% end %}").as_deref(), Some("FROM a JOIN b USING c"));
}

#[test]
fn unreachable_arms_make_no_variant() {
    check(
        "{% if defined(a) %}{% if not defined(a) %}never{% end %}x{% end %}{{error('no')}}{% for i in l %}i{% end %}",
        &expect![[r#"
            i []
            x i [a=value] when `a` is passed
        "#]],
    );
}

#[test]
fn every_part_of_a_try_is_taken() {
    check(
        "FROM {% try %}{{x}} a{% except %}b{% end %}",
        &expect![[r#"
            FROM {{x}} a [x=value]
            FROM b []
        "#]],
    );
}

#[test]
fn many_independent_arms_need_two_variants() {
    let text: String = (0..50).map(|n| format!("{{% if defined(p{n}) %}}x{{% end %}}")).collect();
    assert_eq!(variants(&text, &parse(&text)).map(|v| v.len()), Some(2));
}

#[test]
fn values_are_found_that_decide() {
    for (condition, expected) in [
        ("x == 'a'", "[x=a] when `x` is 'a'"),
        ("'a' == x", "[x=a] when `x` is 'a'"),
        ("x != 'a'", "[] when `x` is not 'a'"),
        ("x", "[x=value] when `x` is 'value', for example"),
        ("not defined(x)", "[] when `x` is not passed"),
        ("defined('x')", "[x=value] when `x` is passed"),
        ("Int32(x, 5) > 10", "[x=11] when `x` is 11, for example"),
        ("int(x) > 10", "[x=11] when `x` is 11, for example"),
        ("int(x) >= 10", "[x=10] when `x` is 10, for example"),
        ("5 < int(x) < 7", "[x=6] when `x` is 6, for example"),
        ("float(x) > 1 and float(x) < 2", "[x=1.5] when `x` is 1.5, for example"),
        ("x in ['a', 'b']", "[x=a] when `x` is 'a', for example"),
        ("x in ('a', 'b') and x != 'a'", "[x=b] when `x` is 'b', for example"),
        ("x not in ['a', 'b'] and defined(x)", "[x=value] when `x` is not 'a' or 'b'"),
        ("defined(x) and defined(y)", "[x=value, y=value] when `x` is passed and `y` is passed"),
        ("defined(x) or defined(y)", "[x=value] when `x` is passed"),
        ("not (x == 'a' or y == 'b')", "[] when `x` is not 'a' and `y` is not 'b'"),
        ("x == 'a' and (y == 'b' or x == 'c')", "[x=a, y=b] when `x` is 'a' and `y` is 'b'"),
        ("Boolean(x, 0)", "[x=1] when `x` is 1, for example"),
        ("Boolean(x, 1) == False", "[x=0] when `x` is 0"),
        ("x.lower() == 'day'", "[x=day] when `x` is 'day'"),
        ("'a' in split_to_array(x, '')", "[x=a] when `x` is 'a', for example"),
        ("len(x) > 3", "[x=xxxx] when `x` is 'xxxx', for example"),
        ("x == y and defined(x)", "[x=value, y=value] when `x` is 'value' and `y` is 'value'"),
        ("tb_secret('k') == 'a'", "[] when `tb_secret('k') == 'a'` holds"),
        ("x is not None", "[x=value] when `x` is 'value', for example"),
        ("x is None", "[] when `x` is not passed"),
        ("String(x, 'a') == 'a'", "[] when `x` is not passed"),
        ("String(x, 'b') == 'a'", "[x=a] when `x` is 'a'"),
        ("Date(x, '2020-01-01') > '2021-01-01'", "[x=2026-01-01] when `x` is '2026-01-01', for example"),
        ("s == 'q'", "[p=q] when `p` is 'q'"),
    ] {
        let text = format!("%{{% set s = String(p, 'z') %}}{{% if {condition} %}}A{{% end %}}");
        let tree = parse(&text);
        let at = TextSize::try_from(text.find('A').expect("an arm")).expect("short");
        let found = witness_at(&text, &tree, at).map(|w| {
            let request: Vec<_> = w.request().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}] {w}", request.join(", "))
        });
        assert_eq!(found.as_deref(), Some(expected), "{condition}");
    }
}

#[test]
fn contradictions_are_unreachable() {
    for (condition, reachable) in [
        ("x == 'a' and x == 'b'", false),
        ("defined(x) and not defined(x)", false),
        ("x == 'a' and not defined(x)", false),
        ("x == 'a' and x in ['b', 'c']", false),
        ("int(x) > 5 and int(x) < 3", false),
        ("int(x) > 5 and int(x) < 6", false),
        ("float(x) > 5 and float(x) < 6", true),
        ("int(x) > 5 and int(x) == 7", true),
        ("int(x) % 7 == 5 and int(x) > 5", true),
        ("x == 'a' and y == 'b' and x == y", true),
        ("False", false),
        ("x.a == 'b' and x.a == 'c'", false),
    ] {
        let text = format!("{{% if {condition} %}}A{{% end %}}");
        let found = unreachable_arms(&text, &parse(&text)).expect("few arms");
        assert_eq!(found.is_empty(), reachable, "{condition}");
    }
}

#[test]
fn what_the_query_needs_is_passed_too() {
    check(
        "%{{Int32(n)}} {{Date(d, example='2024-02-03')}} {{String(s, 'x')}} {% if x == 'a' %}{{String(y)}}{% else %}{{String(x)}}{% end %}",
        &expect![[r#"
            {{Int32(n)}} {{Date(d, example='2024-02-03')}} {{String(s, 'x')}} {{String(x)}} [n=1, d=2024-02-03, x=value]
            {{Int32(n)}} {{Date(d, example='2024-02-03')}} {{String(s, 'x')}} {{String(y)}} [x=a, n=1, d=2024-02-03, y=value] when `x` is 'a'
        "#]],
    );
    check(
        "%{% if Int32(n) > 3 %}A{% elif Int32(n) == 2 %}B{% else %}C{% end %}{% for l in x %}{{l}}{% else %}E{% end %}",
        &expect![[r#"
            C {{l}} E [n=1]
            A {{l}} E [n=4] when `n` is 4, for example
            B {{l}} E [n=2] when `n` is 2
        "#]],
    );
}

#[test]
fn tags_out_of_place_are_no_sql() {
    let text = "{% end %}a{% else %}b{% elif c %}d{% except %}e";
    check(
        text,
        &expect![[r#"
            a b d e []
        "#]],
    );
    assert_eq!(all_arms(text, &parse(text)).map(|t| squeeze(&t)).as_deref(), Some("a b d e"));
}

#[test]
fn arms_without_number_are_given_up() {
    let of = |text: &str| variants(text, &parse(text)).map(|v| v.len());
    let chain = |n: usize| -> String {
        let arms: String = (0..n).map(|n| format!("{{% elif m == {n} %}}x")).collect();
        format!("{{% if m == 'a' %}}{arms}{{% end %}}")
    };
    assert_eq!(of(&chain(80)), Some(82));
    assert_eq!(of(&chain(2_000)), None);
    let exclusive: String = (0..20_000).map(|n| format!("{{% if m == {n} %}}x{{% end %}}")).collect();
    assert_eq!(of(&exclusive), None);
    let unreachable = "{% if False %}x{% end %}".repeat(20_000);
    assert_eq!(of(&unreachable), Some(1));
    let elses = format!("{{% if a %}}{}", "{% else %}".repeat(20_000));
    assert_eq!(of(&elses), None);
}

#[test]
fn values_are_found_in_long_chains() {
    let chain = |n: usize| -> String {
        let arms: String = (0..n).map(|n| format!("{{% elif x == 'v{n}' and int(y) > {n} %}}A{n}")).collect();
        format!("{{% if x == 'w' %}}W{arms}{{% else %}}Z{{% end %}}")
    };
    let text = chain(60);
    let found = variants(&text, &parse(&text)).expect("few arms");
    assert_eq!(found.len(), 62);
    assert!(found.iter().all(|v| v.witness.undecided.is_empty()));
    let text = chain(400);
    variants(&text, &parse(&text));
}
