//! Templates: tags, their tree, expressions, variants.

use headwater_syntax::template::{self, Arm, Expr, ExprKind, Piece, Template, expr};
use headwater_syntax::{TextRange, TextSize, range};

use super::{inside, ordered, within};
use crate::trial::Trace;

pub(super) fn check(text: &str, trace: &mut Trace) {
    let tree = template::parse(text);
    assert_eq!(tree, template::parse(text), "parsing a template is deterministic");
    pieces(text, &tree.pieces, range(0, text.len()), trace);
    let mut before = TextSize::from(0);
    for error in &tree.errors {
        inside(text, error.range);
        assert!(error.range.start() >= before, "errors of a template are in order");
        before = error.range.start();
        trace.saw(std::mem::discriminant(&error.kind));
    }
    texts_made_of_it(text, &tree);
    for parameter in template::parameters(text, &tree) {
        inside(text, parameter.range);
        trace.saw((parameter.ty, parameter.default.is_some(), parameter.in_output));
    }
    for at in (0..text.len()).step_by(text.len() / 20 + 1) {
        let at = TextSize::from(u32::try_from(at).expect("texts are small"));
        if let Some(witness) = headwater_template::witness_at(text, &tree, at) {
            assert_eq!(witness.is_empty(), witness.to_string().is_empty());
            one_value(&witness);
        }
    }
    bare_expression(text, trace);
}

/// Variants keep every place where it was.
fn texts_made_of_it(text: &str, tree: &Template) {
    let variants = headwater_template::variants(text, tree);
    if let Some(variants) = &variants {
        let arms = count_arms(tree);
        assert!((1..=arms + 1).contains(&variants.len()), "{} variants of {arms} arms", variants.len());
    }
    variants.iter().flatten().for_each(|v| one_value(&v.witness));
    let whole = headwater_template::all_arms(text, tree);
    for made in variants.iter().flatten().map(|v| &v.text).chain(&whole) {
        assert_eq!(made.len(), text.len(), "offsets stay");
        let breaks = |t: &str| t.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(breaks(made), breaks(text), "lines stay");
        let kept = made.bytes().zip(text.bytes()).all(|(m, t)| m == t || m == b' ');
        assert!(kept, "a variant is the text with blanks in it");
    }
}

/// A request passes a parameter once.
fn one_value(witness: &headwater_template::Witness) {
    let mut names: Vec<_> = witness.parameters.iter().map(|(name, _)| name).collect();
    names.extend(witness.required.iter().map(|(name, _)| name));
    names.sort();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all, "a parameter has one value: {witness:?}");
}

fn count_arms(tree: &Template) -> usize {
    let mut count = 0;
    tree.walk(&mut |piece| match piece {
        Piece::If { arms, .. } | Piece::Try { parts: arms, .. } => count += arms.len(),
        _ => {}
    });
    count
}

fn pieces(text: &str, list: &[Piece], parent: TextRange, trace: &mut Trace) {
    ordered(list.iter().map(piece_range), "pieces");
    for piece in list {
        let at = piece_range(piece);
        inside(text, at);
        within(at, parent, "a piece");
        trace.saw(std::mem::discriminant(piece));
        match piece {
            Piece::Output { expr, .. } => expression(text, expr, at, trace),
            Piece::If { arms: list, .. } | Piece::Try { parts: list, .. } => arms(text, list, at, trace),
            Piece::Loop { names, subject, parts, .. } => {
                expression(text, subject, at, trace);
                names.iter().for_each(|n| within(n.range, at, "a loop's name"));
                arms(text, parts, at, trace);
            }
            Piece::Set { names, target, value, .. } => {
                target.iter().for_each(|target| expression(text, target, at, trace));
                expression(text, value, at, trace);
                names.iter().for_each(|n| within(n.range, at, "a name that is set"));
            }
            Piece::Escape(_) | Piece::Jump { .. } | Piece::Silent(_) => {}
        }
    }
}

fn arms(text: &str, list: &[Arm], parent: TextRange, trace: &mut Trace) {
    ordered(list.iter().flat_map(|a| [a.tag, a.body_range]), "arms");
    for arm in list {
        within(arm.tag, parent, "an arm's tag");
        within(arm.body_range, parent, "an arm");
        inside(text, arm.body_range);
        if let Some(condition) = &arm.condition {
            expression(text, condition, arm.tag, trace);
        }
        pieces(text, &arm.body, arm.body_range, trace);
    }
}

fn piece_range(piece: &Piece) -> TextRange {
    match piece {
        Piece::Output { range, .. }
        | Piece::If { range, .. }
        | Piece::Loop { range, .. }
        | Piece::Try { range, .. }
        | Piece::Set { range, .. }
        | Piece::Jump { range, .. }
        | Piece::Escape(range)
        | Piece::Silent(range) => *range,
    }
}

/// The whole text as one expression: tags are not the only place where one may be half typed.
fn bare_expression(text: &str, trace: &mut Trace) {
    let whole = range(0, text.len());
    let (tree, errors) = expr::parse(text, whole);
    assert_eq!((&tree, &errors), (&expr::parse(text, whole).0, &expr::parse(text, whole).1));
    expression(text, &tree, whole, trace);
    for error in errors {
        inside(text, error.range);
    }
}

fn expression(text: &str, e: &Expr, parent: TextRange, trace: &mut Trace) {
    inside(text, e.range);
    within(e.range, parent, "an expression");
    for name in bound_names(e) {
        within(name, e.range, "a name in an expression");
    }
    let children = e.children();
    let mut sorted: Vec<_> = children.iter().map(|c| c.range).collect();
    if let ExprKind::Call { .. } | ExprKind::Conditional { .. } = e.kind {
        // The order of evaluation, not of the text.
        sorted.sort_by_key(|r| (r.start(), r.end()));
    }
    ordered(sorted, "parts of an expression");
    for child in children {
        trace.saw((std::mem::discriminant(&e.kind), std::mem::discriminant(&child.kind)));
        expression(text, child, e.range, trace);
    }
}

fn bound_names(e: &Expr) -> Vec<TextRange> {
    match &e.kind {
        ExprKind::Comprehension { .. } | ExprKind::Lambda { .. } => {
            e.bound().into_iter().map(|n| n.range).collect()
        }
        ExprKind::Attribute(_, name) => vec![name.range],
        ExprKind::Call { keywords, .. } => keywords.iter().map(|(name, _)| name.range).collect(),
        _ => Vec::new(),
    }
}
