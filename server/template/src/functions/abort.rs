//! `error` and `custom_error`: answers of the template's own.

use num_traits::ToPrimitive;

use super::Args;
use crate::error::{ErrorKind, Fault, Stop};
use crate::eval::Answer;
use crate::limits::Meter;
use crate::scope::Scope;
use crate::value::{Value, repr, str_of};

pub(super) fn call(args: &Args<'_>, scope: &mut dyn Scope, meter: &Meter<'_>) -> Answer {
    let (kind, message, status) = if args.function == "error" {
        let [message] = args.bind(["message"])?;
        (ErrorKind::User, str_of(&args.need(message, "message")?, meter)?, 400)
    } else {
        let [object, code] = args.bind(["object", "code"])?;
        let object = args.need(object, "object")?;
        let status = match code {
            None | Some(Value::None) => 400,
            Some(code) => status(&code)?,
        };
        // What shares parts may be long when written; printing it counts that.
        let message = repr(&object, meter)?;
        (ErrorKind::Custom { body: object.to_json() }, message, status)
    };
    // Where there is no request, there is nobody to answer.
    if scope.is_test() {
        return Ok(Value::sql(""));
    }
    let mut stop = Fault::new(kind, "Exception", message);
    if let Stop::Fault(fault) = &mut stop {
        fault.status = status;
    }
    Err(stop)
}

fn status(code: &Value) -> Result<u16, Stop> {
    let code = code.as_int().and_then(|n| n.to_u16()).filter(|n| (100..600).contains(n));
    code.ok_or_else(|| {
        Fault::python("ValueError", "the second argument of custom_error is an HTTP status, as 404")
    })
}
