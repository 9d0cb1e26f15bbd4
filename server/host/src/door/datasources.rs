//! `/v0/datasources`: what data sources there are, and how much is in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use headwater_analysis::{FileKind, interface, resource_name};
use headwater_engine::compile::{Compiler, TableId};
use headwater_warehouse::{Format, Limits, Request};
use serde_json::{Value, json};

use super::Door;
use super::answer::compile;
use super::failure::{Failure, json as answer};
use super::guard::must;
use crate::tokens::{Access, Holder, Rows};

const SECTION: &str = "datasources";

/// A data source as it is listed, and what its tables are called.
struct Described {
    value: Value,
    table: String,
    quarantine: String,
    /// Whether numbers of rows are for this token.
    counts: bool,
}

pub(super) async fn list(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
) -> Result<Response, Failure> {
    let access = holder.access.clone();
    let all = compile(&door, &holder.access, move |compiler, _| {
        let mut names: Vec<String> = sources(compiler).filter(|name| may_see(&access, name)).collect();
        names.sort();
        Ok(names.iter().filter_map(|name| described(compiler, name, &access)).collect::<Vec<_>>())
    });
    let all = counted(&door, all.await?).await;
    Ok(answer(StatusCode::OK, &json!({ "datasources": all })))
}

pub(super) async fn show(
    State(door): State<Arc<Door>>,
    Extension(holder): Extension<Holder>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    must(&holder, may_see(&holder.access, &name), "see this data source", "DATASOURCES:READ:NAME")?;
    let access = holder.access.clone();
    let found = compile(&door, &holder.access, move |compiler, _| {
        described(compiler, &name, &access).ok_or_else(|| no_source(&name))
    });
    let mut all = counted(&door, vec![found.await?]).await;
    Ok(answer(StatusCode::OK, &all.remove(0)))
}

/// What is said where there is none of a name.
pub(super) fn no_source(name: &str) -> Failure {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(100).collect();
    Failure::new(StatusCode::NOT_FOUND, SECTION, format!("there is no data source `{shown}`"))
}

fn may_see(access: &Access, name: &str) -> bool {
    access.rows(name).is_some() || access.may_append(name) || access.may_look()
}

fn sources<'c>(compiler: &'c Compiler<'_>) -> impl Iterator<Item = String> + 'c {
    let db = compiler.db();
    let files = compiler.project().files(db).iter();
    files
        .filter(move |f| f.kind(db) == Some(FileKind::Datasource))
        .map(move |f| resource_name(db, *f).clone())
}

fn described(compiler: &Compiler<'_>, name: &str, access: &Access) -> Option<Described> {
    let file = compiler.source(name)?;
    let db = compiler.db();
    let face = interface(db, file).as_ref()?;
    let table = compiler.table(file).ok()?;
    let columns: Vec<Value> = table
        .columns
        .iter()
        .map(|c| {
            json!({
                "name": c.name, "type": c.ty, "jsonpath": c.jsonpath, "default_value": c.default,
                "nullable": c.ty.contains("Nullable("),
            })
        })
        .collect();
    let engine = json!({
        "engine": table.engine.name,
        "sorting_key": table.engine.sorting_key.join(", "),
        "partition_key": table.engine.partition_key.join(", "),
        "ttl": table.engine.ttl,
    });
    let connector =
        face.connection.as_ref().map(|name| json!({ "connection": name, "status": "not run by this host" }));
    let layout = &compiler.options().layout;
    Some(Described {
        value: json!({
            "id": name, "name": name, "description": face.description, "columns": columns, "engine": engine,
            "quarantine": format!("{name}_quarantine"), "connector": connector,
        }),
        table: layout.bare(db, &TableId::Source(file)),
        quarantine: layout.bare(db, &TableId::Quarantine(file)),
        counts: access.rows(name) == Some(Rows::All) || access.may_look(),
    })
}

/// With numbers of rows and bytes, as far as the engine says them: a listing is no reason to fail.
async fn counted(door: &Arc<Door>, all: Vec<Described>) -> Vec<Value> {
    let names: Vec<&str> =
        all.iter().filter(|d| d.counts).flat_map(|d| [d.table.as_str(), d.quarantine.as_str()]).collect();
    let sizes =
        if names.is_empty() || door.pipeline.live().is_none() { BTreeMap::new() } else { sizes(door).await };
    let size = |table: &str| sizes.get(table).copied().unwrap_or_default();
    all.into_iter()
        .map(|mut one| {
            if one.counts && sizes.contains_key(&one.table) {
                let ((rows, bytes), (quarantined, _)) = (size(&one.table), size(&one.quarantine));
                one.value["statistics"] =
                    json!({ "row_count": rows, "bytes": bytes, "rows_quarantine": quarantined });
            }
            one.value
        })
        .collect()
}

/// Rows and bytes of tables.
async fn sizes(door: &Arc<Door>) -> BTreeMap<String, (u64, u64)> {
    let sql = "SELECT name, total_rows, total_bytes FROM system.tables WHERE database = {database:String}";
    let database = door.workspace().database().to_owned();
    let request =
        Request::new(sql).format(Format::JsonEachRow).limits(Limits::default()).param("database", database);
    let Ok(found) = door.engine.submit(request).answer().await else { return BTreeMap::new() };
    let rows =
        found.text().lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).collect::<Vec<_>>();
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    rows.iter()
        .filter_map(|row| {
            Some((
                row["name"].as_str()?.to_owned(),
                (number(&row["total_rows"]), number(&row["total_bytes"])),
            ))
        })
        .collect()
}
