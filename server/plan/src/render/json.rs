//! JSON, as `docs/reference/cli.md` promises it.

use serde_json::{Map, Value, json};

use crate::change::{Change, Class, Plan};

/// One object, without a line break at its end.
pub fn json(plan: &Plan) -> Value {
    let changes: Vec<Value> = plan.changes.iter().map(change).collect();
    let counts: Map<String, Value> = Class::ALL
        .iter()
        .filter(|c| **c != Class::Hide)
        .map(|class| {
            let count = plan.changes.iter().filter(|c| c.class.contract_name() == class.name()).count();
            (class.name().to_owned(), count.into())
        })
        .collect();
    let mut summary = Map::new();
    summary.insert("changes".to_owned(), plan.changes.len().into());
    summary.insert("classes".to_owned(), Value::Object(counts));
    summary.insert("breaking".to_owned(), plan.changes.iter().filter(|c| c.is_breaking).count().into());
    let destructive = plan.changes.iter().filter(|c| c.class.is_destructive());
    let mut names: Vec<&str> = destructive.map(|c| c.resource.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    summary.insert("destructive".to_owned(), json!(names));
    json!({ "hash": plan.hash, "changes": changes, "summary": summary })
}

fn change(change: &Change) -> Value {
    json!({
        "resource": change.resource,
        "kind": change.kind.name(),
        "path": change.path,
        "class": change.class.contract_name(),
        "hidden_first": change.class == Class::Hide,
        "subject": change.subject,
        "reason": change.reason,
        "rule": change.rule.name,
        "sql": change.sql,
        "estimate": change.estimate,
        "dependents": change.dependents,
        "reversible": change.is_reversible,
        "breaking": change.is_breaking,
        "part_of": change.part_of,
        "fix": change.fix,
    })
}
