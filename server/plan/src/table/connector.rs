//! What a data source ingests from, and what only its creation looks at.

use std::collections::BTreeSet;

use crate::change::Class;
use crate::compare::Cx;
use crate::rules;

use super::Pair;

pub(super) fn classify(cx: &Cx<'_>, pair: &mut Pair<'_>) {
    if pair.old.backfill_skip != pair.new.backfill_skip {
        let reason = "it counts when a view's target is created, and this one is there";
        pair.push(cx, rules::CHANGE_BACKFILL, Class::None, None, reason);
    }
    let (old, new) = (&pair.old.connector, &pair.new.connector);
    let whole = match (old.is_empty(), new.is_empty()) {
        (true, false) => Some("it starts to ingest; rows that are there stay"),
        (false, true) => Some("nothing is ingested any more; rows that are there stay"),
        _ => None,
    };
    if let Some(reason) = whole {
        pair.push(cx, rules::CHANGE_CONNECTOR, Class::Metadata, None, reason);
        return;
    }
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    for name in names.into_iter().filter(|n| old.get(n) != new.get(n)) {
        let consequence = match name {
            "KAFKA_TOPIC" => "messages of the new topic are read; rows of the old one stay",
            "KAFKA_GROUP_ID" => {
                "a group that is new starts where KAFKA_AUTO_OFFSET_RESET says: messages may be read twice or not at all"
            }
            "KAFKA_AUTO_OFFSET_RESET" => "it counts for a group that is new",
            "KAFKA_CONNECTION_NAME" | "IMPORT_CONNECTION_NAME" | "PG_CONNECTION_NAME" => {
                "it connects elsewhere; rows that are there stay"
            }
            "IMPORT_BUCKET_URI" => "files under the new address are read; rows that are there stay",
            "IMPORT_SCHEDULE" => "files are looked for at other times",
            _ => "it counts for rows that come from now on",
        };
        let change = pair.push(cx, rules::CHANGE_CONNECTOR, Class::Metadata, Some(name), consequence);
        // Where a group starts cannot be undone: what was read is read.
        change.is_reversible = !matches!(name, "KAFKA_GROUP_ID");
    }
}
