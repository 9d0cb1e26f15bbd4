use super::*;
use expect_test::{Expect, expect};

fn errors(text: &str, expected: &Expect) {
    let template = parse(text);
    let lines: String =
        template.errors.iter().map(|e| format!("{:?} {:?}\n", &text[e.range], e.kind)).collect();
    expected.assert_eq(&lines);
}

#[test]
fn well_formed_templates_have_no_errors() {
    for text in [
        "SELECT {{Int32(a, 1)}} {% if defined(b) %}x{% elif c == 'd' %}y{% else %}z{% end if %}",
        "{% for l, x in enumerate_with_last(split_to_array(a)) %}{{column(x)}}{% if not l %},{% end %}{% end %}",
        "{% set x = String(a, 'b') %}{% set n += 1 %}{% try %}{{x}}{% except %}1{% end %}{# {{ #}{{!",
        "{'a': 1} {{{a}}}",
        "{% set d['k'] = 1 %}{% set (a, b) = c %}{% set f(x=1) %}{% set s = 'a=b' %}",
        "{% for x in\n [y for y in z] %}{{x}}{% end %}",
        "{% comment anything goes %}{% while x %}{% break %}{% end %}",
    ] {
        assert_eq!(parse(text).errors, [], "{text}");
    }
}

#[test]
fn malformed_tags_are_named() {
    errors(
        "{% if a %}{% endif %}{% if b %}{% else if c %}",
        &expect![[r#"
            "{% endif %}" JinjaEnd("endif")
            "{% if b %}" UnclosedBlock("if")
            "{% else if c %}" ElseIf
        "#]],
    );
    errors(
        "{% end %}{% include 'x' %}{% foo %}{{ }}{{ a b }}{% elif x %}{{",
        &expect![[r#"
            "{% end %}" ExtraEnd
            "{% include 'x' %}" ForbiddenStatement("include")
            "{% foo %}" UnknownStatement("foo")
            "{{ }}" Empty
            "b " BadExpression
            "{% elif x %}" Misplaced("elif")
            "{{" UnclosedTag("{{")
        "#]],
    );
}

#[test]
fn ten_thousand_blocks_deep_is_reported() {
    let n = 10_000;
    let text = format!("{}x{}", "{% if a %}".repeat(n), "{% end %}".repeat(n));
    assert!(parse(&text).errors.iter().any(|e| e.kind == TemplateErrorKind::TooDeep));
}
