use super::*;
use crate::range;

fn errors(text: &str) -> usize {
    parse(text, range(0, text.len())).1.len()
}

#[test]
fn the_python_of_templates_parses() {
    for text in [
        "String(a, 'x', description='d', required=False)",
        "a if defined(b) else 'c'",
        "x.split(',')[0]",
        "not defined(a) and b in ['x', 'y'] or c is not None",
        "{'error': 'bad', 'n': 1 + 2 * -3}",
        "l, x",
        "a not in b",
        "'one' 'two'",
        "x[-1:2]",
        "()",
        "sql_and(a=String(b), c__gt=Int32(d, 3))",
        "[x.strip() for x in a.split(',') if x != '']",
        "','.join(x for x in y)",
        "{k: v for k, v in d.items()}",
        "{'a', 'b'}",
        "sorted(a, key=lambda p: p[1])",
        "f(*a, **b)",
        "f'{a}' r'\\d'",
    ] {
        assert_eq!(errors(text), 0, "{text}");
    }
    for text in ["a b", "f(", "a.", "", "1 +", "a if b", "!x", "f(a b)"] {
        assert!(errors(text) > 0, "{text}");
    }
}

/// The tree in one line.
fn shape(e: &Expr) -> String {
    let all = |items: &[Expr]| items.iter().map(shape).collect::<Vec<_>>().join(" ");
    let inner = |head: &str| {
        format!("({head} {})", e.children().into_iter().map(shape).collect::<Vec<_>>().join(" "))
    };
    match &e.kind {
        ExprKind::Name(n) | ExprKind::Number(n) => n.clone(),
        ExprKind::Str(s) => format!("{s:?}"),
        ExprKind::Constant(c) => (*c).to_owned(),
        ExprKind::OddStr => "odd".to_owned(),
        ExprKind::Error => "error".to_owned(),
        ExprKind::Call { callee, args, keywords } => {
            let keywords = keywords.iter().map(|(k, v)| format!(" {}={}", k.value, shape(v)));
            format!("{}({}{})", shape(callee), all(args), keywords.collect::<String>())
        }
        ExprKind::Attribute(of, name) => format!("{}.{}", shape(of), name.value),
        ExprKind::Subscript(..) => inner("at"),
        ExprKind::Slice(parts) => {
            let part = |p: &Option<Box<Expr>>| p.as_ref().map_or_else(String::new, |p| shape(p));
            parts.iter().map(part).collect::<Vec<_>>().join(":")
        }
        ExprKind::Sequence(brackets, _) => inner(&format!("{brackets:?}")),
        ExprKind::Spread(stars, _) => inner(stars),
        ExprKind::Dict(_) => inner("Dict"),
        ExprKind::Not(_) => inner("not"),
        ExprKind::Sign(sign, _) => inner(sign),
        ExprKind::Bool { and, .. } => inner(if *and { "and" } else { "or" }),
        ExprKind::Compare(first, rest) => {
            let rest = rest.iter().map(|(op, e)| format!(" {op} {}", shape(e)));
            format!("({}{})", shape(first), rest.collect::<String>())
        }
        ExprKind::Binary(_, op, _) => inner(op),
        ExprKind::Conditional { .. } => inner("if"),
        ExprKind::Comprehension { .. } => inner("each"),
        ExprKind::Lambda { .. } => inner("lambda"),
    }
}

#[test]
fn trees_have_python_s_shape() {
    for (text, expected) in [
        ("-2 ** 2", "(- (** 2 2))"),
        ("2 ** -1 ** 2", "(** 2 (- (** 1 2)))"),
        ("- -a", "(- (- a))"),
        ("not a == b", "(not (a == b))"),
        ("1 < a <= 3", "(1 < a <= 3)"),
        ("a or b and not c", "(or a (and b (not c)))"),
        ("1 | 2 ^ 3 & 4 << 5", "(| 1 (^ 2 (& 3 (<< 4 5))))"),
        ("a - b - c", "(- (- a b) c)"),
        ("'%s' % a", r#"(% "%s" a)"#),
        ("a[1:]", "(at a 1::)"),
        ("a[:-1]", "(at a :(- 1):)"),
        ("a[::2]", "(at a ::2)"),
        ("a[1]", "(at a 1)"),
        ("a[1, 2]", "(at a (Tuple 1 2))"),
        ("[a]", "(List a)"),
        ("(a,)", "(Tuple a)"),
        ("a, b", "(Tuple a b)"),
        ("{a}", "(Set a)"),
        ("{}", "(Dict )"),
        ("f(*a, **b)", "f((* a) (** b))"),
        ("f(a, k=1)", "f(a k=1)"),
        ("[x for x in y if x]", "(List (each x y x))"),
        ("f(x for x in y)", "f((each x y))"),
        ("a if b else c", "(if a b c)"),
        (r#"'a' "b""#, r#""ab""#),
        (r"'\x41\u00e9\101\q\''", r#""Aé\u{41}\\q'""#),
        (r"r'\n'", r#""\\n""#),
        ("f'{a}'", "odd"),
        ("'a' f'{a}'", "odd"),
        ("b'a'", "odd"),
        ("u'a'", r#""a""#),
        ("'''a'b'''", r#""a'b""#),
        ("'a\\\nb'", r#""ab""#),
        ("1_000", "1_000"),
        ("1e-5", "1e-5"),
        ("1.5e+3 - 2", "(- 1.5e+3 2)"),
        (".5", ".5"),
        ("a is not None", "(a is not None)"),
        ("a not in (b, c)", "(a not in (Tuple b c))"),
        ("x.split(',')[0].strip()", r#"(at x.split(",") 0).strip()"#),
    ] {
        let (expr, errors) = parse(text, range(0, text.len()));
        assert_eq!(errors, [], "{text}");
        assert_eq!(shape(&expr), expected.replace(r"\u{41}", "A"), "{text}");
    }
}

#[test]
fn an_expression_reaches_to_the_operand_it_misses() {
    fn check(text: &str, expr: &Expr) {
        for child in expr.children() {
            assert!(expr.range.contains_range(child.range), "{text}: {child:?} in {expr:?}");
            check(text, child);
        }
    }
    for text in [
        "> ",
        "1 + ",
        "1 +  * 2",
        "a if  > b else ",
        "f(a,  *)",
        "not  ",
        "[ , ]",
        "{ : }",
        "-  ",
        "a[ : ",
        "a[ , ]",
    ] {
        let (expr, errors) = parse(text, range(0, text.len()));
        assert!(!errors.is_empty(), "{text}");
        assert!(usize::from(expr.range.end()) <= text.trim_end().len(), "{text}: {expr:?}");
        check(text, &expr);
    }
}

#[test]
fn deep_nesting_is_an_error_not_an_overflow() {
    let deep = format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000));
    assert!(errors(&deep) > 0);
    assert!(errors(&"not ".repeat(10_000)) > 0);
    assert!(errors(&"-".repeat(10_000)) > 0);
    assert!(errors(&"[x for x in ".repeat(10_000)) > 0);
    assert!(errors(&format!("a{}", ".a".repeat(100_000))) > 0);
    assert!(errors(&format!("a{}", " + a".repeat(100_000))) > 0);
}
