//! A template that was read once and renders many times.

use std::borrow::Cow;

use headwater_syntax::template::{self, Template};

use crate::error::{ErrorKind, RenderError};
use crate::explain::explained;
use crate::rendered::Rendered;
use crate::request::Request;
use crate::rules::violations;

/// A query that is ready to be rendered. One without a leading `%` is no template, and renders to itself.
#[derive(Debug, Clone)]
pub struct Prepared<'t> {
    text: &'t str,
    tree: Cow<'t, Template>,
}

impl<'t> Prepared<'t> {
    /// Reads a query. Linear in its length.
    ///
    /// # Errors
    ///
    /// The first fault that no request can mend: a tag or expression that does not parse, a function or operator that
    /// templates do not have.
    pub fn new(text: &'t str) -> Result<Self, RenderError> {
        if !template::is_template(text) {
            return Ok(Self { text, tree: Cow::Owned(Template::default()) });
        }
        Self::checked(text, Cow::Owned(template::parse(text)))
    }

    /// The same for a template whose tree is there already.
    ///
    /// # Errors
    ///
    /// Those of [`Prepared::new`].
    pub fn of(text: &'t str, tree: &'t Template) -> Result<Self, RenderError> {
        Self::checked(text, Cow::Borrowed(tree))
    }

    fn checked(text: &'t str, tree: Cow<'t, Template>) -> Result<Self, RenderError> {
        if let Some(error) = tree.errors.first() {
            let (range, message) = explained(text, error);
            return Err(RenderError { range, kind: ErrorKind::Syntax, message, status: 400 });
        }
        if let Some(first) = violations(&tree).into_iter().next() {
            let (range, message) = (first.range, first.message);
            return Err(RenderError { range, kind: ErrorKind::Forbidden, message, status: 400 });
        }
        Ok(Self { text, tree })
    }

    /// The query for a request. All ranges are offsets into the text given to [`Prepared::new`].
    ///
    /// # Errors
    ///
    /// What keeps this request from becoming a query; see [`ErrorKind`].
    pub fn render(&self, request: &Request<'_>) -> Result<Rendered, RenderError> {
        crate::render::render(self.text, &self.tree, request)
    }
}

/// Reads a query and renders it.
///
/// # Errors
///
/// Those of [`Prepared::new`] and of [`Prepared::render`].
pub fn render(text: &str, request: &Request<'_>) -> Result<Rendered, RenderError> {
    Prepared::new(text)?.render(request)
}
