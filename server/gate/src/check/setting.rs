//! Settings of a query, and options of an `EXPLAIN`.

use headwater_syntax::sql::ast::{
    AstNode, BooleanLiteral, Kind, NegativeNumber, Node, Setting, SettingName, SettingValue, place,
};

use super::Check;
use crate::policy::settings;
use crate::{Refusal, Rule};

/// Options of `EXPLAIN`: each changes how much is said.
const EXPLAIN: [&str; 22] = [
    "actions",
    "column_structure",
    "compact",
    "description",
    "distributed",
    "dump_ast",
    "dump_passes",
    "dump_tree",
    "estimates",
    "graph",
    "header",
    "indexes",
    "input_headers",
    "json",
    "keep_logical_steps",
    "oneline",
    "optimize",
    "passes",
    "pretty",
    "projections",
    "run_passes",
    "sorting",
];

impl Check<'_> {
    pub(super) fn setting(&self, node: Node<'_>) -> Result<(), Refusal> {
        if self.gate.is_off_settings() {
            return Ok(());
        }
        let refuse =
            |reason: String, advice: String| Err(Refusal::new(Rule::Setting, place(node), reason, advice));
        let setting = Setting::cast(node);
        let Some(SettingName::Identifier(name)) = setting.and_then(Setting::name) else {
            return refuse("this is no setting of a query".to_owned(), "leave it out".to_owned());
        };
        self.refuse_escapes(Rule::Setting, name.node())?;
        let name = name.name(self.text);
        let value = match setting.and_then(Setting::value) {
            Some(value) => self.value_of(value),
            // A name alone switches it on.
            None => (node.children().count() == 1).then(|| "1".to_owned()),
        };
        let Some(value) = value else {
            return refuse(
                format!("the value of `{name}` has to be a number, a text, true or false"),
                "write it out".to_owned(),
            );
        };
        if node.parent().map(Kind::of) == Some(Kind::Explain) {
            if EXPLAIN.contains(&name.as_ref()) && value.parse::<i64>().is_ok() {
                return Ok(());
            }
            return refuse(format!("`{name}` is no option of EXPLAIN"), "leave it out".to_owned());
        }
        match settings::range(&name) {
            Some(range) if range.holds(&value) => Ok(()),
            Some(range) => refuse(
                format!("`{name}` may not be {value} in a query"),
                format!("it may be {}", range.describe()),
            ),
            None => refuse(format!("a query may not set `{name}`"), "leave it out".to_owned()),
        }
    }

    fn value_of(&self, value: SettingValue<'_>) -> Option<String> {
        Some(match value {
            SettingValue::NumberLiteral(number) => number.text(self.text).replace('_', ""),
            SettingValue::NegativeNumber(number) => {
                NegativeNumber::text(number, self.text).replace(['_', ' '], "")
            }
            SettingValue::BooleanLiteral(boolean) => BooleanLiteral::value(boolean, self.text).to_string(),
            SettingValue::StringLiteral(string) => string.string(self.text)?,
            _ => return None,
        })
    }
}
