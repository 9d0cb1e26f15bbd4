//! What every request passes before anything answers it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Door;
use super::failure::Failure;
use crate::clock::hex;
use crate::log::Level;
use crate::tokens::{Holder, TokenError};

/// How a request came in; every connection's requests carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// Through the socket that only this user can open.
    Unix,
    /// From this address.
    Tcp(SocketAddr),
}

/// From where requests on TCP are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Names under which the host is known, without ports. Addresses and `localhost` always are: what a stranger's name
    /// leads here (DNS rebinding) is refused.
    pub hosts: Vec<String>,
    /// Origins of pages that may ask, such as `https://dash.example.com`. Others are refused, whatever token they have.
    pub origins: Vec<String>,
}

const REQUEST_ID: &str = "x-request-id";

/// The one way in.
pub(super) async fn guard(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let begun = door.clock.elapsed();
    let id = request_id(&door, request.headers());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let via = request.extensions().get::<Via>().copied();
    let running = door.activity.request();

    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut holder = None;
    let mut response = match admit(&door, via, &request) {
        Ok(Admitted::Preflight) => StatusCode::NO_CONTENT.into_response(),
        Ok(Admitted::Holder(found)) => {
            holder = Some(found.name.clone());
            request.extensions_mut().insert(found);
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    };
    if let Some(origin) = origin.filter(|o| door.rules.knows_origin(o)) {
        cors(response.headers_mut(), origin);
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    // Answers are about data of the moment, for the holder of one token.
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

    let took = door.clock.elapsed().saturating_sub(begun);
    let status = response.status().as_u16();
    door.metrics.answered(&method, &route, status, took);
    let level = if status >= 500 { Level::Error } else { Level::Info };
    door.log.event(
        level,
        "request",
        [
            ("id", id.into()),
            ("method", method.as_str().into()),
            ("route", route.into()),
            ("status", status.into()),
            ("ms", (took.as_micros() as f64 / 1000.0).into()),
            ("token", holder.into()),
            ("from", from(via).into()),
        ],
    );
    drop(running);
    response
}

enum Admitted {
    /// A browser asks whether it may ask; it cannot send a token with that.
    Preflight,
    Holder(Holder),
}

fn admit(door: &Door, via: Option<Via>, request: &Request) -> Result<Admitted, Failure> {
    let headers = request.headers();
    match via {
        Some(Via::Unix) => {}
        Some(Via::Tcp(_)) => {
            door.rules.host(request)?;
            door.rules.origin(headers)?;
        }
        None => {
            let message = "where this request comes from is not known";
            return Err(Failure::new(StatusCode::FORBIDDEN, "tokens", message));
        }
    }
    if request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return Ok(Admitted::Preflight);
    }
    let Some(token) = token(request)? else {
        let message = "a token is needed: send `Authorization: Bearer TOKEN`. On the host's machine the owner's is in the file `owner.token` of the data folder; commands take it from HEADWATER_TOKEN";
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "tokens", message));
    };
    let refuse = |e: TokenError| Failure::new(StatusCode::FORBIDDEN, "tokens", e.to_string());
    door.tokens.holder(&token, door.clock.unix_millis()).map(Admitted::Holder).map_err(refuse)
}

/// Refuses whoever may not do everything.
pub(super) fn admin(holder: &Holder) -> Result<(), Failure> {
    must(holder, holder.access.is_admin(), "do this", "ADMIN")
}

/// Refuses whoever may not, with the scope that it takes.
pub(super) fn must(holder: &Holder, may: bool, what: &str, scope: &str) -> Result<(), Failure> {
    if may {
        return Ok(());
    }
    let message = format!("the token `{}` may not {what}: that takes the scope {scope}", holder.name);
    Err(Failure::new(StatusCode::FORBIDDEN, "tokens", message))
}

/// The token of the header, or of the query string, as the format has it.
fn token(request: &Request) -> Result<Option<String>, Failure> {
    let mut values = request.headers().get_all(header::AUTHORIZATION).iter();
    if let Some(value) = values.next() {
        let wrong = |what: &str| {
            let message = format!("{what}; send one header `Authorization: Bearer TOKEN`");
            Failure::new(StatusCode::BAD_REQUEST, "tokens", message)
        };
        if values.next().is_some() {
            return Err(wrong("there are several Authorization headers"));
        }
        let text = value.to_str().map_err(|_| wrong("the Authorization header is no text"))?;
        let (scheme, token) = text.trim().split_once(' ').unwrap_or(("", ""));
        if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
            return Err(wrong("the Authorization header is of another kind"));
        }
        return Ok(Some(token.trim().to_owned()));
    }
    let query = request.uri().query().unwrap_or_default();
    let mut tokens = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "token");
    let token = tokens.next().map(|(_, value)| value.into_owned());
    if tokens.next().is_some() {
        let message = "there are several `token` parameters; send one";
        return Err(Failure::new(StatusCode::BAD_REQUEST, "tokens", message));
    }
    Ok(token.filter(|t| !t.is_empty()))
}

impl Rules {
    fn host(&self, request: &Request) -> Result<(), Failure> {
        let refuse =
            |message: String| Err(Failure::new(StatusCode::MISDIRECTED_REQUEST, "host-and-origin", message));
        let mut hosts = request.headers().get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            let message = "there must be exactly one Host header".to_owned();
            return Err(Failure::new(StatusCode::BAD_REQUEST, "host-and-origin", message));
        };
        let Some(name) = host.to_str().ok().and_then(|h| name_of(h)) else {
            return refuse("the Host header names no host".to_owned());
        };
        // A request in absolute form names its host twice; servers between could believe either.
        if request.uri().host().is_some_and(|h| !h.trim_matches(['[', ']']).eq_ignore_ascii_case(name)) {
            return refuse("the request line and the Host header name different hosts".to_owned());
        }
        let known = name.parse::<IpAddr>().is_ok()
            || name.eq_ignore_ascii_case("localhost")
            || self.hosts.iter().any(|h| h.eq_ignore_ascii_case(name));
        if known {
            return Ok(());
        }
        refuse(format!(
            "this host is not known as `{name}`. If it should be, start it with --allow-host {name}"
        ))
    }

    fn origin(&self, headers: &HeaderMap) -> Result<(), Failure> {
        let refuse = |message: String| Err(Failure::new(StatusCode::FORBIDDEN, "host-and-origin", message));
        match headers.get(header::ORIGIN) {
            Some(origin) if self.knows_origin(origin) => Ok(()),
            Some(origin) => {
                let shown: String =
                    origin.to_str().unwrap_or("?").chars().filter(|c| !c.is_control()).take(100).collect();
                refuse(format!(
                    "pages of `{shown}` may not ask this host. If they should, start it with --allow-origin {shown}"
                ))
            }
            // Browsers that send no Origin with a simple GET still say that another site caused it.
            None if headers.get("sec-fetch-site").is_some_and(|s| s == "cross-site")
                && self.origins.is_empty() =>
            {
                refuse("pages of other sites may not ask this host".to_owned())
            }
            None => Ok(()),
        }
    }

    fn knows_origin(&self, origin: &HeaderValue) -> bool {
        self.origins.iter().any(|o| o.as_bytes() == origin.as_bytes())
    }
}

/// The name of a `Host` header, without port and brackets.
fn name_of(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, behind) = rest.split_once(']')?;
            (name, behind)
        }
        None => match host.find(':') {
            Some(colon) => host.split_at(colon),
            None => (host, ""),
        },
    };
    let port_is_fine = match port.strip_prefix(':') {
        Some(port) => port.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    let name_is_fine = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'));
    (port_is_fine && name_is_fine).then_some(name)
}

fn cors(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static(
            "Authorization, Content-Type, Content-Encoding, Idempotency-Key, X-Request-Id",
        ),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(
            "X-Request-Id, X-DB-Statistics, X-Headwater-Unknown-Parameters, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After",
        ),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}

/// The client's id if it is one that can be printed anywhere, else a new one.
fn request_id(door: &Door, headers: &HeaderMap) -> String {
    let fine = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    if let Some(id) = headers.get(REQUEST_ID).and_then(|v| v.to_str().ok()).filter(fine) {
        return id.to_owned();
    }
    let mut bytes = [0; 8];
    match door.entropy.fill(&mut bytes) {
        Ok(()) => hex(&bytes),
        Err(_) => "unnamed".to_owned(),
    }
}

fn from(via: Option<Via>) -> String {
    match via {
        Some(Via::Unix) => "unix".to_owned(),
        Some(Via::Tcp(address)) => address.ip().to_string(),
        None => "unknown".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn hosts_have_a_name_and_perhaps_a_port() {
        for (host, name) in [
            ("localhost", Some("localhost")),
            ("a.b-c:80", Some("a.b-c")),
            ("[::1]:8181", Some("::1")),
            ("[::1]", Some("::1")),
            ("127.0.0.1:1", Some("127.0.0.1")),
            ("", None),
            (":80", None),
            ("a:b", None),
            ("a:99999", None),
            ("a b", None),
            ("[::1", None),
            ("[::1]x", None),
            ("a@b", None),
            ("a/b", None),
        ] {
            assert_eq!(name_of(host), name, "{host}");
        }
    }
}
