//! What a request says: the fields of its query string and of its body.

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use serde_json::Value;

use super::failure::Failure;
use super::{Door, body};

/// Names and values, in order: of the query string first. The token, which the guard has read, is not among them.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Of a query string or form.
    pub(super) fn parse(text: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(text).map(|(n, v)| (n.into_owned(), v.into_owned()));
        Self(pairs.filter(|(name, _)| name != "token").collect())
    }

    /// Of the query string alone.
    pub(super) fn of_query(head: &Parts) -> Self {
        Self::parse(head.uri.query().unwrap_or_default().as_bytes())
    }

    /// All of them.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The last one of a name, as forms have it; `None` too when it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
    }

    /// All of a name.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Takes all of a name out and gives the last one.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let found = self.get(name).map(str::to_owned);
        self.0.retain(|(n, _)| n != name);
        found
    }

    /// One that has to be there.
    pub(super) fn required(&self, name: &str, section: &'static str) -> Result<&str, Failure> {
        self.get(name).ok_or_else(|| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                section,
                format!("`{name}` is missing: send it as a parameter"),
            )
        })
    }

    /// Whether one of a name says yes.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some_and(|v| matches!(v.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on"))
    }

    /// A number of seconds or the like.
    pub(super) fn number(&self, name: &str, section: &'static str) -> Result<Option<u64>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let number = text.parse().map_err(|_| {
            Failure::new(
                StatusCode::BAD_REQUEST,
                section,
                format!("`{name}` is a whole number, and not `{text}`"),
            )
        })?;
        Ok(Some(number))
    }

    fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}

/// What a body is, by its head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `application/json`.
    Json,
    /// `text/plain`, or nothing said.
    Text,
    /// Something else.
    Other,
}

/// The media type of a body.
pub(super) fn kind(headers: &HeaderMap) -> Kind {
    let text = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |v| v.as_bytes());
    let text = text.split(|b| *b == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    match text.as_slice() {
        b"application/x-www-form-urlencoded" => Kind::Form,
        b"application/json" => Kind::Json,
        b"" | b"text/plain" => Kind::Text,
        _ => Kind::Other,
    }
}

/// The fields of a request, and its body where that is a text.
pub(super) async fn read(
    door: &Door,
    head: &Parts,
    content: Body,
    section: &'static str,
) -> Result<(Fields, Option<Bytes>), Failure> {
    let mut fields = Fields::of_query(head);
    if head.method == Method::GET || head.method == Method::HEAD {
        return Ok((fields, None));
    }
    let bytes = body::read(&head.headers, content, door.limits.sql_bytes, door.limits.body).await?;
    if bytes.is_empty() {
        return Ok((fields, None));
    }
    match kind(&head.headers) {
        Kind::Form => fields.extend(Fields::parse(&bytes)),
        Kind::Json => fields.extend(object(&bytes, section)?),
        Kind::Text => return Ok((fields, Some(bytes))),
        Kind::Other => {
            let message =
                "send the body as application/x-www-form-urlencoded, application/json or text/plain";
            return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, section, message));
        }
    }
    Ok((fields, None))
}

/// The members of a JSON object as fields: lists repeat, objects stay JSON, nulls are not there.
fn object(bytes: &[u8], section: &'static str) -> Result<Fields, Failure> {
    let wrong = |why: String| {
        Failure::new(StatusCode::BAD_REQUEST, section, format!("the body is no JSON object: {why}"))
    };
    let value: Value = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
    let Value::Object(members) = value else { return Err(wrong("write {\"name\": value}".to_owned())) };
    let mut fields = Fields::default();
    for (name, value) in members {
        if name == "token" {
            continue;
        }
        let values = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        for value in values {
            match value {
                Value::Null => {}
                Value::String(text) => fields.0.push((name.clone(), text)),
                other => fields.0.push((name.clone(), other.to_string())),
            }
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_and_forms_say_the_same() {
        let json =
            object(br#"{"a": 1, "b": ["x", null, true], "c": {"d": 1}, "e": null, "token": "t"}"#, "x");
        let json = json.map_err(|_| "no object").expect("fields");
        let pairs: Vec<(&str, &str)> = json.pairs().iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("a", "1"), ("b", "x"), ("b", "true"), ("c", "{\"d\":1}")]);
        assert_eq!(
            Fields::parse(b"a=1&token=t&b=x%20y&b="),
            Fields(vec![
                ("a".to_owned(), "1".to_owned()),
                ("b".to_owned(), "x y".to_owned()),
                ("b".to_owned(), String::new()),
            ])
        );
        assert!(object(b"[1]", "x").is_err() && object(b"{", "x").is_err());
    }
}
