//! Connections.

use std::collections::BTreeSet;

use crate::change::{Class, Dependent, Fix, FixEdit, ResourceKind};
use crate::compare::Cx;
use crate::release::{Body, Key, NodeRef};
use crate::{rules, whole};

/// A connection that is new, changed or gone.
pub(crate) fn classify(cx: &mut Cx<'_>, key: &Key) {
    let settings = |body: Option<&Body>| match body {
        Some(Body::Connection(settings)) => Some(settings.clone()),
        _ => None,
    };
    let old = settings(cx.before.get(key).map(|d| &d.body));
    let new = settings(cx.after.get(key).map(|d| &d.body));
    let users = users(cx, key);
    let mut change = match (old, new) {
        (None, Some(_)) => cx.change(
            key,
            rules::CREATE_CONNECTION,
            Class::Create,
            "nothing connects before something uses it",
        ),
        (Some(_), None) if !users.is_empty() => {
            let reason = format!("{} still connects through it", whole::people(&users));
            let mut change = cx.change(key, rules::DELETE_CONNECTION, Class::Refuse, reason);
            change.fix = Some(Fix {
                title: format!(
                    "bring `{}` back, or name another connection in {}",
                    key.name,
                    whole::people(&users)
                ),
                path: change.path.clone(),
                text: String::new(),
                edit: FixEdit::Manual,
            });
            change
        }
        (Some(_), None) => cx.change(
            key,
            rules::DELETE_CONNECTION,
            Class::Delete,
            "nothing uses it; its credentials are gone",
        ),
        (Some(old), Some(new)) if old != new => {
            let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
            // Values may be secrets: names only.
            let changed = names.into_iter().filter(|n| old.get(n) != new.get(n));
            let reason =
                format!("{}: what uses it connects anew; rows already here stay", whole::list(changed));
            cx.change(key, rules::CHANGE_CONNECTION, Class::Metadata, reason)
        }
        _ => return,
    };
    change.kind = ResourceKind::Connection;
    change.dependents = users;
    cx.changes.push(change);
}

fn users(cx: &Cx<'_>, key: &Key) -> Vec<Dependent> {
    let mut out = Vec::new();
    for (other, entry) in cx.after.who_may_name(key) {
        let Some(definition) = entry.definition() else { continue };
        match &definition.body {
            Body::Table(table) => {
                let uses =
                    |(name, value): (&&str, &String)| name.ends_with("CONNECTION_NAME") && *value == key.name;
                if table.connector.iter().any(uses) {
                    out.push(Dependent {
                        resource: other.name.clone(),
                        kind: ResourceKind::Datasource,
                        node: None,
                    });
                }
            }
            Body::Pipe(pipe) => {
                for (index, node) in pipe.nodes.iter().enumerate() {
                    if node.job.get("EXPORT_CONNECTION_NAME") == Some(&key.name) {
                        out.push(cx.dependent(&NodeRef { pipe: other.clone(), index }));
                    }
                }
            }
            Body::Connection(_) => {}
        }
    }
    out
}
