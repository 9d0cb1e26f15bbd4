//! `SETTINGS` of a query: names and values that the engine refuses.

use headwater_catalog as catalog;
use headwater_syntax::sql::ast::{self, AstNode, Node, SettingsClause};

use super::FaultKind;
use super::scope::Analyzer;
use super::typing;

/// Prefixes that a server's configuration may open for settings of its users' own.
const CUSTOM: &[&str] = &["custom_", "SQL_", "param_"];

/// Faults of one text beyond which no names are looked for.
const MAX_SUGGESTED: usize = 100;

impl<'t> Analyzer<'t> {
    /// Every setting of a text.
    pub(super) fn settings(&mut self, root: Node<'t>) {
        for setting in ast::descendants::<SettingsClause<'t>>(root).flat_map(SettingsClause::settings) {
            let Some(name) = setting.name() else { continue };
            let text = name.text(self.text);
            let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            if !is_plain || CUSTOM.iter().any(|prefix| text.starts_with(prefix)) {
                continue;
            }
            let range = name.range();
            match catalog::setting(text) {
                None => {
                    // Where so much is wrong, nobody waits for suggestions.
                    let names = catalog::settings().iter().map(|s| s.name);
                    let names = names.take(if self.fault_count() < MAX_SUGGESTED { usize::MAX } else { 0 });
                    let suggestion = typing::closest(text, names);
                    self.fault(range, FaultKind::UnknownSetting { name: text.to_owned(), suggestion });
                }
                Some(known) => {
                    let Some(value) = setting.value() else { continue };
                    let written = value.text(self.text);
                    if refuses(known.ty, written) {
                        let (name, value_text) = (text.to_owned(), written.to_owned());
                        let kind = FaultKind::SettingValue { name, value: value_text, ty: known.ty };
                        self.fault(value.range(), kind);
                    }
                }
            }
        }
    }
}

/// Whether no setting of a type takes the value, which is a literal as written.
pub(crate) fn refuses(ty: &str, value: &str) -> bool {
    let quoted = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\''));
    if quoted.is_some_and(|q| q.contains(['\'', '\\'])) {
        return false;
    }
    let number = value.parse::<f64>().ok();
    match ty {
        "Bool" => match (quoted, number) {
            (Some(text), _) => !super::comparison::BOOLEANS.iter().any(|w| w.eq_ignore_ascii_case(text)),
            (None, Some(number)) => number != 0.0 && number != 1.0,
            _ => false,
        },
        "UInt64" | "Int64" | "NonZeroUInt64" | "Seconds" | "Milliseconds" | "Float" | "Double" => {
            // `auto`, `inf` and the like are words that some of them know.
            quoted.is_some_and(|text| {
                !text.bytes().any(|b| b.is_ascii_digit())
                    && !["auto", "inf", "nan", "infinity"].iter().any(|w| w.eq_ignore_ascii_case(text))
            })
        }
        _ => false,
    }
}
