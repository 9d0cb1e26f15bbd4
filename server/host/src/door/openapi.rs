//! What endpoints take and answer, as OpenAPI 3.1.

use headwater_analysis::syntax::template::Parameter;
use headwater_engine::compile::Endpoint;
use serde_json::{Map, Value, json};

/// A document of some endpoints.
pub(super) fn document(endpoints: &[Endpoint]) -> Value {
    let mut paths = Map::new();
    for endpoint in endpoints {
        paths.insert(format!("/v0/pipes/{}.json", endpoint.name), path(endpoint));
    }
    let error = json!({
        "type": "object", "required": ["error"],
        "properties": { "error": { "type": "string" }, "documentation": { "type": "string" } },
    });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Endpoints", "version": "1" },
        "paths": paths,
        "components": {
            "schemas": { "Error": error },
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "query": { "type": "apiKey", "in": "query", "name": "token" },
            },
        },
        "security": [{ "bearer": [] }, { "query": [] }],
    })
}

fn path(endpoint: &Endpoint) -> Value {
    let parameters: Vec<Value> = endpoint.parameters.iter().map(parameter).collect();
    let mut row = Map::new();
    for (name, ty) in &endpoint.columns {
        row.insert(name.clone(), ty.as_deref().map_or_else(|| json!({}), column));
    }
    let failure = |what: &str| {
        json!({
            "description": what,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
        })
    };
    let answer = json!({
        "type": "object",
        "required": ["meta", "data", "rows", "statistics"],
        "properties": {
            "meta": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": { "name": { "type": "string" }, "type": { "type": "string" } },
                },
            },
            "data": { "type": "array", "items": { "type": "object", "properties": row } },
            "rows": { "type": "integer" },
            "rows_before_limit_at_least": { "type": "integer" },
            "statistics": {
                "type": "object",
                "properties": {
                    "elapsed": { "type": "number" },
                    "rows_read": { "type": "integer" },
                    "bytes_read": { "type": "integer" },
                },
            },
        },
    });
    let mut get = json!({
        "operationId": endpoint.name,
        "parameters": parameters,
        "responses": {
            "200": { "description": "rows", "content": { "application/json": { "schema": answer } } },
            "400": failure("a parameter or the query is wrong"),
            "403": failure("the token may not ask this endpoint"),
            "404": failure("there is no such endpoint"),
            "408": failure("it took too long"),
            "429": failure("too many requests"),
        },
    });
    if let Some(description) = endpoint.description.as_deref().map(str::trim).filter(|d| !d.is_empty()) {
        get["description"] = description.into();
    }
    json!({ "get": get })
}

fn parameter(parameter: &Parameter) -> Value {
    let mut out = json!({
        "name": parameter.name, "in": "query", "required": parameter.required, "schema": schema(parameter),
    });
    if let Some(description) = &parameter.description {
        out["description"] = description.as_str().into();
    }
    if let Some(example) = &parameter.example {
        out["example"] = example.as_str().into();
    }
    out
}

/// A parameter as `GET /v0/pipes/NAME` lists it.
pub(super) fn parameter_metadata(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name, "type": parameter.ty.as_deref().unwrap_or("String"),
        "default": parameter.default.as_deref().map(|d| d.trim_matches(['\'', '"'])),
        "description": parameter.description, "required": parameter.required, "example": parameter.example,
        "enum": (!parameter.values.is_empty()).then_some(&parameter.values),
    })
}

fn schema(parameter: &Parameter) -> Value {
    let mut schema = type_of(parameter.ty.as_deref(), parameter.element.as_deref());
    let is_literal = |text: &&str| text.starts_with(['\'', '"']) || text.parse::<f64>().is_ok();
    if let Some(default) = parameter.default.as_deref().filter(is_literal) {
        schema["default"] = value(&schema, default.trim_matches(['\'', '"']));
    }
    // The interface takes any value: what is listed is what is meant.
    if !parameter.values.is_empty() {
        schema["examples"] = parameter.values.iter().map(|v| value(&schema, v)).collect();
    }
    schema
}

fn type_of(ty: Option<&str>, element: Option<&str>) -> Value {
    match ty.unwrap_or("String") {
        "Boolean" => json!({ "type": "boolean" }),
        "Date" => json!({ "type": "string", "format": "date" }),
        "DateTime" | "DateTime64" => json!({ "type": "string" }),
        "Array" => json!({ "type": "array", "items": type_of(Some(element.unwrap_or("String")), None) }),
        ty if ty.starts_with("Float") => json!({ "type": "number" }),
        ty if ty.contains("Int") => json!({ "type": "integer" }),
        _ => json!({ "type": "string" }),
    }
}

/// A value of a type, written as that type where it is one.
fn value(schema: &Value, text: &str) -> Value {
    match schema["type"].as_str() {
        Some("integer") => text.parse::<i64>().map_or_else(|_| text.into(), Into::into),
        Some("number") => {
            text.parse::<f64>().ok().filter(|n| n.is_finite()).map_or_else(|| text.into(), Into::into)
        }
        Some("boolean") => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => true.into(),
            "false" | "0" => false.into(),
            _ => text.into(),
        },
        Some("array") => text.split(',').map(|item| value(&schema["items"], item.trim())).collect(),
        _ => text.into(),
    }
}

/// A column of an answer.
fn column(ty: &str) -> Value {
    let (bare, is_nullable) = match ty.trim_start_matches("LowCardinality(").strip_prefix("Nullable(") {
        Some(inner) => (inner, true),
        None => (ty.trim_start_matches("LowCardinality("), false),
    };
    let name = match bare {
        _ if bare.starts_with("Array") => "array",
        _ if ["Map", "JSON", "Tuple"].iter().any(|t| bare.starts_with(t)) => "object",
        _ if bare.starts_with("Bool") => "boolean",
        _ if bare.starts_with("Int") || bare.starts_with("UInt") => "integer",
        _ if bare.starts_with("Float") || bare.starts_with("Decimal") => "number",
        _ => "string",
    };
    let kinds = if is_nullable { json!([name, "null"]) } else { json!(name) };
    json!({ "type": kinds, "description": ty })
}
