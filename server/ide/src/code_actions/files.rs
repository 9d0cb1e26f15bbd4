//! Files that should have another name or place, and those that are missing beside tables: connections, fragments.

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::{Diagnostic, FileKind, Remedy};

use super::{Actions, Context};
use crate::change::Change;

pub(super) fn fix(cx: &Context<'_>, diagnostic: &Diagnostic, actions: &mut Actions<'_>) {
    let path = cx.file.path(cx.db);
    match (diagnostic.code.name, &diagnostic.remedy) {
        (_, Some(Remedy::FileName(name))) => {
            let to = with_stem(path, name);
            if is_free(cx, &to) {
                let title = format!("Rename the file to `{}`", to.file_name().unwrap_or_default());
                actions.fix("rename-file", title, || {
                    // Whoever names the resource follows, as far as that can be done exactly.
                    let mut change = crate::rename::will_rename(cx.db, &[(cx.file, to.clone())]);
                    change.renamed.push((path.clone(), to));
                    Some(change)
                });
            }
        }
        ("duplicate-resource", _) => {
            let name = super::nodes::free_name(cx.db, cx.file, cx.file.stem(cx.db));
            let to = with_stem(path, &name);
            if cx.file.stem(cx.db) != name && is_free(cx, &to) {
                let title = format!("Rename this file to `{}`", to.file_name().unwrap_or_default());
                // Others keep the name: which of the files they mean is not for us to say.
                actions.fix("rename-file", title, || {
                    Some(Change { renamed: vec![(path.clone(), to)], ..Change::default() })
                });
            }
        }
        ("beyond-depth", _) => {
            let Some(to) = raised(path).filter(|to| is_free(cx, to)) else { return };
            actions.fix("move-up", format!("Move it to `{to}`"), || {
                Some(Change { renamed: vec![(path.clone(), to)], ..Change::default() })
            });
        }
        ("unknown-connection", Some(Remedy::Connection(service))) => {
            let name = cx.text[diagnostic.range].trim_matches(['"', '\'']).to_owned();
            let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let to = connections(cx).join(format!("{name}.connection"));
            if is_name && is_free(cx, &to) {
                actions.fix("create-connection", format!("Create the connection `{name}`"), || {
                    let text = connection(service, &name);
                    Some(Change { created: vec![(to, text)], ..Change::default() })
                });
            }
        }
        ("missing-include", _) => {
            let Some((_, to)) = super::classic::include_path(cx, diagnostic.range) else { return };
            let is_inside = !to.starts_with("..") && to.file_name().is_some();
            if is_inside && is_free(cx, &to) {
                actions.fix("create-include", format!("Create `{to}`"), || {
                    Some(Change { created: vec![(to, String::new())], ..Change::default() })
                });
            }
        }
        _ => {}
    }
}

fn with_stem(path: &Utf8Path, stem: &str) -> Utf8PathBuf {
    path.with_file_name(format!("{stem}.{}", path.extension().unwrap_or_default()))
}

fn is_free(cx: &Context<'_>, path: &Utf8Path) -> bool {
    cx.file.project(cx.db).files(cx.db).iter().all(|f| f.path(cx.db) != path)
}

/// The folder that the project keeps connections in.
fn connections(cx: &Context<'_>) -> Utf8PathBuf {
    let files = cx.file.project(cx.db).files(cx.db);
    let near = files.iter().find(|f| f.kind(cx.db) == Some(FileKind::Connection));
    near.and_then(|f| f.path(cx.db).parent()).map_or_else(|| "connections".into(), Into::into)
}

/// The path in the last folder that is scanned, without those between.
fn raised(path: &Utf8Path) -> Option<Utf8PathBuf> {
    const SCANNED: usize = 3;
    let folders: Vec<_> = path.parent()?.components().collect();
    let kept: Utf8PathBuf = folders.get(..SCANNED)?.iter().collect();
    Some(kept.join(path.file_name()?))
}

/// A connection of a service with the settings that it needs; what is secret is a secret's name.
fn connection(service: &str, name: &str) -> String {
    let secret = |what: &str| format!("{{{{ tb_secret(\"{name}_{what}\") }}}}");
    let lines = match service {
        "kafka" => vec![
            ("KAFKA_BOOTSTRAP_SERVERS", secret("servers")),
            ("KAFKA_SECURITY_PROTOCOL", "SASL_SSL".to_owned()),
            ("KAFKA_SASL_MECHANISM", "PLAIN".to_owned()),
            ("KAFKA_KEY", secret("key")),
            ("KAFKA_SECRET", secret("secret")),
        ],
        "postgres" => vec![
            ("PG_HOST", secret("host")),
            ("PG_PORT", "5432".to_owned()),
            ("PG_DATABASE", secret("database")),
            ("PG_USER", secret("username")),
            ("PG_PASSWORD", secret("password")),
        ],
        _ => Vec::new(),
    };
    let lines: String = lines.into_iter().map(|(key, value)| format!("{key} {value}\n")).collect();
    format!("TYPE {service}\n{lines}")
}
