//! `ENGINE_SETTINGS`: names and values that a table of the MergeTree family takes (specification §4.5).

use headwater_catalog as catalog;
use headwater_syntax::{Directive, range, schema};

use super::query::setting_values;
use super::values::literal;
use super::{Context, Remedy, Sink, nearest};
use crate::codes;
use crate::query::setting_refuses;

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(entry) = cx.file.last(Directive::EngineSettings).filter(|e| e.entry.valid_here) else { return };
    let engine = cx.file.last(Directive::Engine).and_then(|e| literal(cx, e));
    // Other engines have settings of their own, or none.
    let is_merge_tree = engine.is_none_or(|e| e.to_ascii_lowercase().contains("mergetree"));
    if !is_merge_tree || literal(cx, entry).is_none() {
        return;
    }
    let body = entry.entry.body(cx.text(entry));
    for (start, part) in schema::split_arguments(&body.text) {
        if sink.is_full() {
            return;
        }
        let Some((before, value)) = part.split_once('=') else { continue };
        let name = before.trim().trim_start_matches(['"', '\'']);
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let at = start + part.find(name).unwrap_or_default();
        let place = range(at, at + name.len());
        // A table takes settings of queries too.
        let Some(known) = catalog::merge_tree_setting(name).or_else(|| catalog::setting(name)) else {
            let near = nearest(name, catalog::merge_tree_settings().iter().map(|s| s.name));
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "remove it".to_owned(),
            };
            let message = format!("tables have no setting `{name}`; {hint}");
            sink.in_body(entry, &body, &codes::UNKNOWN_SETTING, place, message).meant(near);
            continue;
        };
        let value = value.trim().trim_end_matches('"');
        if setting_refuses(known.ty, value) {
            let message = format!(
                "`{name}` is a setting of type {}, and does not take {value}; {}",
                known.ty,
                setting_values(known.ty)
            );
            sink.in_body(entry, &body, &codes::SETTING_VALUE, place, message)
                .remedy(Remedy::SettingValue(known.default.clone()));
        }
    }
}
