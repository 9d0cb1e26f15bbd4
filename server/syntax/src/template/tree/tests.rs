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

/// The tree in lines.
fn outline(text: &str) -> String {
    let mut out = String::new();
    parse(text).walk(&mut |piece| {
        let parts = |parts: &[Arm]| {
            let part = |arm: &Arm| format!("{:?}={:?}", arm.part, &text[arm.body_range]);
            parts.iter().map(part).collect::<Vec<_>>().join(" ")
        };
        out += &match piece {
            Piece::Output { expr, .. } => format!("output {}", &text[expr.range]),
            Piece::If { arms, .. } => format!("if {}", parts(arms)),
            Piece::Loop { names, subject, parts: arms, .. } => {
                let names: Vec<_> = names.iter().map(|n| n.value.as_str()).collect();
                format!("loop [{}] {} {}", names.join(" "), &text[subject.range], parts(arms))
            }
            Piece::Try { parts: arms, .. } => format!("try {}", parts(arms)),
            Piece::Set { target, operator, value, .. } => {
                let target = target.as_ref().map_or("", |t| &text[t.range]);
                format!("set {target} {}= {}", operator.as_deref().unwrap_or_default(), &text[value.range])
            }
            Piece::Escape(range) => format!("escape {}", &text[*range]),
            Piece::Jump { breaks, .. } => format!("jump {breaks}"),
            Piece::Silent(range) => format!("silent {}", &text[*range]),
        };
        out += "\n";
    });
    out
}

#[test]
fn every_statement_has_its_piece() {
    for (text, expected) in [
        ("{{ a }}{{{b}}}", "output a\noutput b\n"),
        ("{{! {%! {#! {{a}}", "escape {{!\nescape {%!\nescape {#!\noutput a\n"),
        (
            "{# {{a}} #}{% comment b %}{% whitespace all %}",
            "silent {# {{a}} #}\nsilent {% comment b %}\nsilent {% whitespace all %}\n",
        ),
        ("{% if a %}1{% elif b %}2{% else %}3{% end if %}", "if First=\"1\" Elif=\"2\" Else=\"3\"\n"),
        ("{% for a, b in c %}1{% else %}2{% end %}", "loop [a b] c First=\"1\" Else=\"2\"\n"),
        (
            "{% while a %}{% break %}{% continue %}{% end %}",
            "loop [] a First=\"{% break %}{% continue %}\"\njump true\njump false\n",
        ),
        (
            "{% try %}1{% except ValueError as e %}2{% else %}3{% finally %}4{% end %}",
            "try First=\"1\" Except=\"2\" Else=\"3\" Finally=\"4\"\n",
        ),
        ("{% set a = b %}{% set a += 1 %}{% set a //= 2 %}", "set a = b\nset a += 1\nset a //= 2\n"),
        (
            "{% set d['k'] = 1 %}{% set (a, b) = c %}{% set f(x=1) %}",
            "set d['k'] = 1\nset (a, b) = c\nset  = f(x=1)\n",
        ),
    ] {
        assert_eq!(outline(text), expected, "{text}");
    }
}
