//! What has no effect on data: descriptions, tags, tokens, sharing.

use crate::change::Class;
use crate::compare::Cx;
use crate::release::Key;
use crate::{rules, whole};

/// Compares what both definitions say beside their data.
pub(crate) fn classify(cx: &mut Cx<'_>, key: &Key) {
    let (Some(old), Some(new)) = (cx.before.get(key), cx.after.get(key)) else { return };
    let (old, new) = (old.meta.clone(), new.meta.clone());
    for (token, permission) in new.tokens.difference(&old.tokens) {
        let reason = format!("`{token}` may {} it", verb(permission));
        let mut change = cx.change(key, rules::CHANGE_TOKEN, Class::Metadata, reason);
        change.subject = Some(token.clone());
        cx.changes.push(change);
    }
    for (token, permission) in old.tokens.difference(&new.tokens) {
        let reason =
            format!("`{token}` may not {} it any more: whoever uses the token is refused", verb(permission));
        let mut change = cx.change(key, rules::CHANGE_TOKEN, Class::Metadata, reason);
        change.subject = Some(token.clone());
        change.is_breaking = true;
        cx.changes.push(change);
    }
    let mut what = Vec::new();
    if old.descriptions != new.descriptions {
        what.push("its description".to_owned());
    }
    if old.tags != new.tags {
        what.push("its tags".to_owned());
    }
    let came: Vec<_> = new.shared_with.difference(&old.shared_with).map(String::as_str).collect();
    let gone: Vec<_> = old.shared_with.difference(&new.shared_with).map(String::as_str).collect();
    if !came.is_empty() {
        what.push(format!("it is shared with {}", whole::list(came.into_iter())));
    }
    if !gone.is_empty() {
        what.push(format!("it is no longer shared with {}", whole::list(gone.iter().copied())));
    }
    if what.is_empty() {
        return;
    }
    let reason = format!("{}: no data is touched", what.join(", "));
    let mut change = cx.change(key, rules::CHANGE_DESCRIPTION, Class::Metadata, reason);
    change.is_breaking = !gone.is_empty();
    cx.changes.push(change);
}

fn verb(permission: &str) -> &'static str {
    if permission == "APPEND" { "append to" } else { "read" }
}
