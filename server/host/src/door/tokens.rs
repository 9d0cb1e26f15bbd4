//! `/v0/tokens`: who may do what. Values are answered once, to whoever made them.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use headwater_engine::compile::RowFilter;
use serde_json::{Value, json};

use super::Door;
use super::failure::{Failure, json as answer};
use super::guard::must;
use super::input;
use crate::tokens::{Holder, Listed, Scope, Source, TokenError};

const SECTION: &str = "tokens";

/// The longest that a replaced token stays good: a week.
const LONGEST_GRACE: u64 = 7 * 24 * 3600;

pub(super) async fn list(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
) -> Result<Response, Failure> {
    managers(&holder)?;
    let tokens: Vec<Value> = door.tokens.list().iter().map(shown).collect();
    Ok(answer(StatusCode::OK, &json!({ "tokens": tokens })))
}

pub(super) async fn show(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    managers(&holder)?;
    let found = door.tokens.list().into_iter().find(|t| t.name == name);
    let found = found.ok_or_else(|| failure(&TokenError::Missing(name)))?;
    Ok(answer(StatusCode::OK, &shown(&found)))
}

pub(super) async fn create(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    request: Request,
) -> Result<Response, Failure> {
    managers(&holder)?;
    let (head, content) = request.into_parts();
    let (fields, _) = input::read(&door, &head, content, SECTION).await?;
    let name = fields.required("name", SECTION)?.to_owned();
    let scopes = fields.all("scope").map(Scope::parse).collect::<Result<Vec<_>, _>>().map_err(bad)?;
    for scope in &scopes {
        may_grant(&holder, scope)?;
        if let Some(filter) = scope.filter() {
            RowFilter::parse(filter).map_err(|why| bad(format!("the filter of `{scope}`: {why}")))?;
        }
    }
    // A name that a release mentions is granted that: whoever makes its value hands it out.
    for scope in door.tokens.access(&name).iter().flat_map(|access| access.scopes()) {
        may_grant(&holder, scope)?;
    }
    let now = door.clock.unix_millis();
    let expires = match (fields.number("ttl", SECTION)?, fields.number("expiration_time", SECTION)?) {
        (None, None) => None,
        (Some(seconds), None) => Some(now.saturating_add(millis(seconds))),
        (None, Some(moment)) => Some(millis(moment)),
        (Some(_), Some(_)) => return Err(bad("send `ttl` or `expiration_time`, not both".to_owned())),
    };
    if expires.is_some_and(|moment| moment <= now) {
        return Err(bad("the token would have ended already".to_owned()));
    }
    let value = door.tokens.create(&name, &scopes, expires, source(&door)).map_err(|e| failure(&e))?;
    door.audit(&holder, "token-created", &name);
    made(&door, &name, &value)
}

pub(super) async fn refresh(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    may_touch(&door, &holder, &name)?;
    let (head, content) = request.into_parts();
    let (fields, _) = input::read(&door, &head, content, SECTION).await?;
    let grace = fields.number("keep_old", SECTION)?.unwrap_or(0);
    if grace > LONGEST_GRACE {
        return Err(bad(format!("`keep_old` is at most {LONGEST_GRACE} seconds")));
    }
    let value =
        door.tokens.refresh(&name, Duration::from_secs(grace), source(&door)).map_err(|e| failure(&e))?;
    door.audit(&holder, "token-refreshed", &name);
    made(&door, &name, &value)
}

pub(super) async fn remove(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    may_touch(&door, &holder, &name)?;
    door.tokens.remove(&name).map_err(|e| failure(&e))?;
    door.audit(&holder, "token-removed", &name);
    Ok(answer(StatusCode::OK, &json!({ "ok": true })))
}

fn managers(holder: &Holder) -> Result<(), Failure> {
    must(holder, holder.access.may_manage_tokens(), "manage tokens", "TOKENS")
}

/// Whoever manages tokens must not take one over that may more.
fn may_touch(door: &Door, holder: &Holder, name: &str) -> Result<(), Failure> {
    managers(holder)?;
    door.tokens
        .access(name)
        .iter()
        .flat_map(|access| access.scopes())
        .try_for_each(|scope| may_grant(holder, scope))
}

fn may_grant(holder: &Holder, scope: &Scope) -> Result<(), Failure> {
    must(holder, holder.access.may_grant(scope), &format!("hand out {scope}"), "ADMIN")
}

fn made(door: &Door, name: &str, value: &str) -> Result<Response, Failure> {
    let listed = door.tokens.list().into_iter().find(|t| t.name == name);
    let mut shown = listed.map_or(Value::Null, |listed| shown(&listed));
    shown["token"] = value.into();
    Ok(answer(StatusCode::OK, &shown))
}

fn shown(token: &Listed) -> Value {
    let all = token.scopes.iter().map(|s| (s, false)).chain(token.declared.iter().map(|s| (s, true)));
    let scopes: Vec<Value> = all
        .filter_map(|(text, declared)| {
            let scope = Scope::parse(text).ok()?;
            Some(json!({
                "type": scope.kind(), "resource": scope.resource(), "filter": scope.filter(), "declared": declared,
            }))
        })
        .collect();
    json!({
        "name": token.name, "scopes": scopes, "has_value": token.has_value,
        "created_at": token.created, "expires_at": token.expires,
    })
}

fn source(door: &Door) -> Source<'_> {
    Source { clock: door.clock.as_ref(), entropy: door.entropy.as_ref() }
}

fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds.saturating_mul(1000)).unwrap_or(i64::MAX)
}

fn bad(why: String) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, SECTION, why)
}

fn failure(error: &TokenError) -> Failure {
    let status = match error {
        TokenError::Missing(_) => StatusCode::NOT_FOUND,
        TokenError::Exists(_) => StatusCode::CONFLICT,
        TokenError::Refused(_) => StatusCode::BAD_REQUEST,
        TokenError::Unknown | TokenError::Expired(_) => StatusCode::FORBIDDEN,
        TokenError::Storage(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    Failure::new(status, SECTION, error.to_string())
}
