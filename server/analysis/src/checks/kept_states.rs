//! Columns that keep states of an aggregate function: whether the function takes what the type says (code `schema-type`).

use headwater_catalog::{Argument, Call, Inference, Type, infer};
use headwater_syntax::{Directive, schema};

use super::query::fault_text;
use super::{Context, Sink};
use crate::codes;
use crate::query::FaultKind;

pub(super) fn check(cx: &Context<'_>, sink: &mut Sink<'_>) {
    let Some(entry) = cx.file.last(Directive::Schema) else { return };
    let body = entry.entry.body(cx.text(entry));
    for column in schema::parse(&body.text).columns {
        let Some(written) = column.ty.filter(|ty| ty.value.contains("AggregateFunction")) else { continue };
        let Ok(Type::AggregateFunction(kept)) = Type::parse(&written.value) else { continue };
        let arguments: Vec<Argument> = kept
            .arguments
            .iter()
            .map(|ty| Argument { ty: Some(ty.clone()), ..Argument::default() })
            .collect();
        let call = Call { name: &kept.function, parameters: &kept.parameters, arguments: &arguments };
        if let Inference::Fault(fault) = infer(&call) {
            let fault = FaultKind::Call { function: kept.function.to_string(), fault };
            let message = format!("no state of this type can be kept: {}", fault_text(&fault));
            sink.in_body(entry, &body, &codes::SCHEMA_TYPE, written.range, message);
        }
    }
}
