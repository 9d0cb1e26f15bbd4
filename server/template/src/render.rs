//! The walk over a template that makes SQL of it.

use headwater_syntax::template::{Arm, Expr, ExprKind, Part, Piece, Template, is_template};
use headwater_syntax::{TextRange, TextSize, range};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::error::{ErrorKind, Fault, RenderError, Stop, quoted};
use crate::escape;
use crate::eval::{assign, bind, eval, items};
use crate::functions::print;
use crate::limits::Meter;
use crate::rendered::{Origin, QueryParameter, Rendered, Settings, UsedParameter};
use crate::request::{Mode, PLACEHOLDER, Request};
use crate::scope::{Scope, Setting, Use};
use crate::source_map::{Made, SourceMap};
use crate::value::{Value, binary};

/// What comes after a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Break,
    Continue,
}

/// Renders a tree without errors.
pub(crate) fn render(text: &str, tree: &Template, request: &Request<'_>) -> Result<Rendered, RenderError> {
    let whole = range(0, text.len());
    let meter = Meter::new(request.limits, request.expired);
    let mut render = Render {
        text,
        request,
        meter: &meter,
        variables: FxHashMap::default(),
        sql: String::new(),
        map: SourceMap::default(),
        used: Vec::new(),
        noted: FxHashSet::default(),
        settings: Settings::default(),
        secrets: Vec::new(),
        missing: Vec::new(),
        place: Place::Printing,
        in_try: 0,
    };
    let result = if is_template(text) {
        let marker = text.len() - text.trim_start().len();
        let behind = range(marker + 1, text.len());
        render.literal(range(0, marker)).and_then(|()| render.pieces(&tree.pieces, behind)).map(|_| ())
    } else {
        render.literal(whole)
    };
    // What went wrong with a placeholder's value is not worth telling.
    if let Some((_, at)) = render.missing.first() {
        let at = *at;
        return Err(render.lacking().at(at));
    }
    match result {
        Err(Stop::Fault(fault)) => return Err(fault.at(whole)),
        Err(Stop::Unknown) => return Err(unknown().at(whole)),
        Ok(()) => {}
    }
    if render.sql.trim().is_empty() {
        let message = "the template prints nothing for this request; write a query that is always there";
        let kind = ErrorKind::Empty;
        return Err(RenderError { range: whole, kind, message: message.to_owned(), status: 400 });
    }
    Ok(Rendered {
        sql: render.sql,
        map: render.map,
        parameters: render.used,
        settings: render.settings,
        secrets: render.secrets,
    })
}

/// Only the search for requests does not know a value; should a render, it is said.
fn unknown() -> Fault {
    match Fault::python("TypeError", "the value of this expression is not known") {
        Stop::Fault(fault) => *fault,
        Stop::Unknown => unreachable!("a fault is a fault"),
    }
}

/// What an expression is computed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// To be printed, or for its effect.
    Printing,
    /// To be remembered.
    Setting,
    /// To decide what is printed.
    Deciding,
}

struct Render<'r, 'm> {
    text: &'r str,
    request: &'r Request<'r>,
    meter: &'m Meter<'m>,
    variables: FxHashMap<String, Value>,
    sql: String,
    map: SourceMap,
    used: Vec<UsedParameter>,
    noted: FxHashSet<TextRange>,
    settings: Settings,
    secrets: Vec<QueryParameter>,
    /// Parameters that the request lacks, with their first use.
    missing: Vec<(String, TextRange)>,
    place: Place,
    in_try: usize,
}

impl Render<'_, '_> {
    fn emit(&mut self, text: &str, source: TextRange, made: Made) -> Result<(), Stop> {
        self.meter.output(self.sql.len() + text.len(), text.len()).map_err(|stop| stop.at(source))?;
        self.sql.push_str(text);
        self.map.push(text.len(), source, made);
        Ok(())
    }

    fn literal(&mut self, at: TextRange) -> Result<(), Stop> {
        let text = self.text;
        self.emit(&text[at], at, Made::Literal)
    }

    fn pieces(&mut self, pieces: &[Piece], body: TextRange) -> Result<Flow, Stop> {
        let mut at = body.start();
        for piece in pieces {
            let range = piece.range();
            self.literal(TextRange::new(at, range.start().max(at)))?;
            at = range.end().max(at);
            self.meter.step().map_err(|stop| stop.at(range))?;
            let flow = self.piece(piece).map_err(|stop| stop.at(range))?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        self.literal(TextRange::new(at, body.end().max(at)))?;
        Ok(Flow::Next)
    }

    fn piece(&mut self, piece: &Piece) -> Result<Flow, Stop> {
        match piece {
            Piece::Output { range, expr } => self.output(*range, expr)?,
            Piece::Set { names, target, operator, value, .. } => {
                let value = self.compute(value, Place::Setting)?;
                let Some(target) = target else { return Ok(Flow::Next) };
                let value = match operator {
                    Some(operator) => {
                        let old = self.compute(target, Place::Setting)?;
                        binary(&old, operator, &value, self.meter)?
                    }
                    None => value,
                };
                let meter = self.meter;
                assign(target, names, value, self, meter)?;
            }
            Piece::If { arms, .. } => {
                for arm in arms {
                    let taken = match &arm.condition {
                        Some(condition) => self.compute(condition, Place::Deciding)?.truth(),
                        None => true,
                    };
                    if taken {
                        return self.pieces(&arm.body, arm.body_range);
                    }
                }
            }
            Piece::Loop { names, subject, parts, .. } => return self.repeat(names, subject, parts),
            Piece::Try { parts, .. } => return self.attempt(parts),
            Piece::Escape(range) => {
                let text = self.text;
                let delimiter = TextRange::at(range.start(), TextSize::from(2));
                self.emit(&text[delimiter], *range, Made::Tag)?;
            }
            Piece::Jump { breaks, .. } => return Ok(if *breaks { Flow::Break } else { Flow::Continue }),
            Piece::Silent(_) => {}
        }
        Ok(Flow::Next)
    }

    fn compute(&mut self, expr: &Expr, place: Place) -> Result<Value, Stop> {
        if place == Place::Deciding {
            // What a placeholder would decide is nobody's request.
            self.stop_if_missing()?;
        }
        let outer = std::mem::replace(&mut self.place, place);
        let meter = self.meter;
        let value = eval(expr, self, meter);
        self.place = outer;
        value
    }

    fn stop_if_missing(&self) -> Result<(), Stop> {
        if self.missing.is_empty() { Ok(()) } else { Err(Stop::Fault(Box::new(self.lacking()))) }
    }

    /// Whether a parameter is known to be missing; that error is told once.
    fn lacks(&self, name: &str) -> bool {
        self.missing.iter().any(|(known, _)| known == name)
    }

    fn output(&mut self, range: TextRange, expr: &Expr) -> Result<(), Stop> {
        let value = self.compute(expr, Place::Printing)?;
        if matches!(value, Value::None) && matches!(&expr.kind, ExprKind::Name(name) if self.lacks(name)) {
            return Ok(());
        }
        let text = match (&value, &expr.kind) {
            (Value::None, ExprKind::Name(name)) => {
                let message = format!(
                    "`{name}` is evaluated to null, which cannot be printed: it is not passed; give it a type and a default, as in \
                     `String({name}, '')`, or print it inside of `{{% if defined({name}) %}}`"
                );
                return Err(Fault::new(ErrorKind::Null, "ValueError", message).at(expr.range));
            }
            _ => print(&value, self.meter).map_err(|stop| stop.at(expr.range))?,
        };
        self.emit(&text, range, Made::Value)
    }

    fn repeat(
        &mut self,
        names: &[headwater_syntax::Spanned<String>],
        subject: &Expr,
        parts: &[Arm],
    ) -> Result<Flow, Stop> {
        let Some((body, others)) = parts.split_first() else { return Ok(Flow::Next) };
        if names.is_empty() {
            while self.compute(subject, Place::Deciding)?.truth() {
                self.meter.round()?;
                if self.pieces(&body.body, body.body_range)? == Flow::Break {
                    return Ok(Flow::Next);
                }
            }
        } else {
            self.stop_if_missing()?;
            let outer = std::mem::replace(&mut self.place, Place::Deciding);
            let meter = self.meter;
            let found = items(subject, self, meter);
            self.place = outer;
            for item in found? {
                self.meter.round()?;
                bind(names, item, meter, &mut |name, value| self.put(name, value))
                    .map_err(|stop| stop.at(subject.range))?;
                if self.pieces(&body.body, body.body_range)? == Flow::Break {
                    return Ok(Flow::Next);
                }
            }
        }
        match others.iter().find(|part| part.part == Part::Else) {
            Some(part) => self.pieces(&part.body, part.body_range),
            None => Ok(Flow::Next),
        }
    }

    /// As in Python: what was printed before an error stays.
    fn attempt(&mut self, parts: &[Arm]) -> Result<Flow, Stop> {
        let mut result = Ok(Flow::Next);
        let of = |part: Part| parts.iter().filter(move |arm| arm.part == part);
        if let Some(first) = parts.first() {
            self.in_try += 1;
            result = self.pieces(&first.body, first.body_range);
            self.in_try -= 1;
        }
        match result {
            Ok(Flow::Next) => {
                if let Some(part) = of(Part::Else).next() {
                    result = self.pieces(&part.body, part.body_range);
                }
            }
            Err(Stop::Fault(fault)) => {
                let handler = of(Part::Except).find_map(|arm| {
                    let handler = Handler::read(&self.text[arm.tag]);
                    handler.classes.iter().any(|class| fault.is_a(class)).then_some((arm, handler))
                });
                result = match handler {
                    Some((arm, handler)) => {
                        if let Some(name) = handler.name {
                            self.put(name, Value::text(fault.message.as_str()))?;
                        }
                        self.pieces(&arm.body, arm.body_range)
                    }
                    None => Err(Stop::Fault(fault)),
                };
            }
            _ => {}
        }
        if let Some(part) = of(Part::Finally).next() {
            let flow = self.pieces(&part.body, part.body_range)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        result
    }

    /// The error for what is missing so far.
    fn lacking(&self) -> Fault {
        let names: Vec<String> = self.missing.iter().map(|(name, _)| name.clone()).collect();
        let shown: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        let message = match shown.as_slice() {
            [one] => format!(
                "the required parameter {one} is not defined; pass it, or give it a default in the template"
            ),
            several => format!(
                "the required parameters {} are not defined; pass them, or give them defaults in the template",
                several.join(", ")
            ),
        };
        let range = self.missing.first().map(|(_, at)| *at);
        let kind = ErrorKind::MissingParameters(names);
        Fault { kind, class: "ValueError", message, status: 400, range }
    }
}

/// `except ValueError as e`: the classes (one empty one for all) and the name.
struct Handler<'t> {
    classes: Vec<&'t str>,
    name: Option<&'t str>,
}

impl<'t> Handler<'t> {
    fn read(tag: &'t str) -> Self {
        let inner = tag.trim_start_matches("{%").trim_end_matches("%}").trim();
        let rest = inner.strip_prefix("except").unwrap_or(inner).trim();
        let (classes, name) = match rest.split_once(" as ") {
            Some((classes, name)) => (classes, Some(name.trim())),
            None => (rest, None),
        };
        let classes = classes.split([',', '(', ')']).map(str::trim).filter(|c| !c.is_empty());
        let mut classes: Vec<_> = classes.collect();
        if classes.is_empty() {
            classes.push("");
        }
        Self { classes, name: name.filter(|name| !name.is_empty()) }
    }
}

impl Scope for Render<'_, '_> {
    fn name(&mut self, name: &str, range: TextRange) -> Result<Value, Stop> {
        if let Some(value) = self.variables.get(name) {
            return Ok(value.clone());
        }
        let (value, origin) = match self.request.mode {
            Mode::Test => (Value::from(PLACEHOLDER), Origin::Placeholder),
            Mode::Request => match self.request.parameters.get(name) {
                Some(value) => (value.clone(), Origin::Passed),
                None => (Value::None, Origin::Absent),
            },
        };
        self.used(Use { name, ty: None, range, value: &value, origin });
        Ok(value)
    }

    fn argument(&mut self, name: &str) -> Result<Value, Stop> {
        if let Some(value) = self.variables.get(name) {
            return Ok(value.clone());
        }
        let passed = if self.is_test() { None } else { self.request.parameters.get(name) };
        Ok(passed.cloned().unwrap_or(Value::None))
    }

    fn is_defined(&mut self, name: &str) -> Result<bool, Stop> {
        if self.is_test() {
            return Ok(false);
        }
        Ok(match self.variables.get(name) {
            Some(value) => !matches!(value, Value::None),
            None => self.request.parameters.get(name).is_some(),
        })
    }

    fn take(&mut self, name: &str) -> Result<Value, Stop> {
        match self.variables.remove(name) {
            Some(value) => Ok(value),
            None => self.argument(name),
        }
    }

    fn put(&mut self, name: &str, value: Value) -> Result<(), Stop> {
        match self.variables.get_mut(name) {
            Some(variable) => *variable = value,
            None => {
                self.meter.room(self.variables.len() + 1)?;
                self.variables.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }

    fn local(&mut self, name: &str, value: Option<Value>) -> Option<Value> {
        match value {
            Some(value) => self.variables.insert(name.to_owned(), value),
            None => self.variables.remove(name),
        }
    }

    fn missing(
        &mut self,
        function: &str,
        parameter: Option<&str>,
        range: TextRange,
        placeholder: Value,
    ) -> Result<Value, Stop> {
        if self.is_test() {
            return Ok(placeholder);
        }
        let is_variable = parameter.is_some_and(|name| self.variables.contains_key(name));
        let Some(name) = parameter.filter(|_| !is_variable) else {
            let message = format!(
                "{function} gets None, and has no default; give it one, as in `{function}(…, default)`"
            );
            return Err(Fault::new(ErrorKind::Null, "ValueError", message).at(range));
        };
        if self.in_try > 0 {
            // A handler may have an answer to it.
            let kind = ErrorKind::MissingParameters(vec![name.to_owned()]);
            let message = format!("the required parameter {} is not defined", quoted(name));
            return Err(Fault::new(kind, "ValueError", message).at(range));
        }
        if !self.lacks(name) {
            self.missing.push((name.to_owned(), range));
        }
        if self.place == Place::Deciding {
            return Err(Stop::Fault(Box::new(self.lacking())));
        }
        Ok(placeholder)
    }

    fn used(&mut self, parameter: Use<'_>) {
        let Use { name, ty, range, value, origin } = parameter;
        if self.noted.insert(range) {
            let (name, ty, value) = (name.to_owned(), ty.map(str::to_owned), value.clone());
            self.used.push(UsedParameter { name, ty, value, origin, range });
        }
    }

    fn is_test(&self) -> bool {
        self.request.mode == Mode::Test
    }

    fn secret(&mut self, name: &str) -> Result<Option<String>, Stop> {
        let Some(value) = self.request.secrets.get(name) else { return Ok(None) };
        if let Some(known) = self.secrets.iter().find(|known| known.secret == name) {
            return Ok(Some(known.name.clone()));
        }
        let plain: String =
            name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
        let mut in_query = if escape::is_plain(&plain) { plain } else { format!("_{plain}") };
        // Two secrets may differ in what no name can have.
        while self.secrets.iter().any(|known| known.name == in_query) {
            in_query.push('_');
        }
        self.secrets.push(QueryParameter {
            name: in_query.clone(),
            secret: name.to_owned(),
            value: value.clone(),
        });
        Ok(Some(in_query))
    }

    fn set(&mut self, setting: Setting) -> Result<(), Stop> {
        let settings = &mut self.settings;
        match setting {
            Setting::MaxThreads(count) => settings.max_threads = Some(count),
            Setting::CacheTtl(seconds) => settings.cache_ttl = Some(seconds),
            Setting::BackendHint(hint) => settings.backend_hint = Some(hint),
            Setting::Activate(feature) if !settings.activate.contains(&feature) => {
                settings.activate.push(feature);
            }
            Setting::Disable(feature) if !settings.disable.contains(&feature) => {
                settings.disable.push(feature);
            }
            Setting::Activate(_) | Setting::Disable(_) => {}
        }
        Ok(())
    }
}
