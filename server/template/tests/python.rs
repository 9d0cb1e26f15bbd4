//! Expressions of control tags against Python: `data/python.tsv` holds what Python itself made of them.

use std::fmt::Write as _;

use headwater_template::{Parameters, Request, Secrets, render};

const CLASSES: &[&str] = &[
    "TypeError",
    "ValueError",
    "IndexError",
    "KeyError",
    "ZeroDivisionError",
    "OverflowError",
    "AttributeError",
];

/// What a list with the value in it prints, or the class that catches the error.
fn computed(expression: &str) -> String {
    let mut template = format!("%{{% try %}}{{% set r = [{expression}] %}}{{{{ r }}}}");
    for class in CLASSES {
        write!(template, "{{% except {class} %}}! {class}").expect("a String");
    }
    template += "{% end %}";
    match render(&template, &Request::new(&Parameters::new(), &Secrets::new())) {
        Ok(rendered) if rendered.sql.starts_with('[') => rendered.sql[1..rendered.sql.len() - 1].to_owned(),
        Ok(rendered) => rendered.sql,
        Err(error) => format!("error: {error}"),
    }
}

/// A text as a query has it: Python writes double quotes around one with `'` in it, which the engine takes for a name.
fn for_query(expected: &str) -> String {
    match expected.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) if !inner.contains('"') => format!("'{}'", inner.replace('\'', "\\'")),
        _ => expected.to_owned(),
    }
}

#[test]
fn expressions_are_worth_what_python_says() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("data/python.tsv").lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (expression, expected) = line.split_once('\t').expect("a tab");
        count += 1;
        let found = computed(expression);
        if found != for_query(expected) {
            wrong.push(format!("{expression}\n  here:   {found}\n  Python: {expected}"));
        }
    }
    assert!(count > 300, "{count} expressions");
    assert!(wrong.is_empty(), "{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
}
