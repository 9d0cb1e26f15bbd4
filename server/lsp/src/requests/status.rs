//! `headwater/status`: what the server is doing, for people. Answered by the owner, so that it works also when every
//! worker is busy, which is when somebody asks.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::owner::Owner;

pub(crate) fn run(owner: &Owner) -> Value {
    let facts = owner.facts();
    let mut text = format!("# Headwater {}\n\n", env!("CARGO_PKG_VERSION"));
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "- **{name}**: {value}");
    };
    line("Client", if facts.client.is_empty() { "unnamed".into() } else { facts.client });
    line("Positions", facts.encoding.into());
    line("Diagnostics", if facts.push { "pushed".into() } else { "pulled by the client".into() });
    line("Open documents", facts.open_documents.to_string());
    line(
        "Requests",
        format!("{} running, {} queued, {} waiting for a change", facts.running, facts.queued, facts.parked),
    );
    if let Some(kilobytes) = resident_kilobytes() {
        line("Memory", format!("{:.1} MiB", kilobytes as f64 / 1024.0));
    }
    let trust = if facts.trusted { "yes" } else { "no" };
    line("Trusted folder", format!("{trust} (of a project that is not, no query is shown to the engine)"));
    line("Engine", facts.engine);
    line("Tests", facts.tests);
    line(
        "Log",
        "your editor's language server output; set `HEADWATER_LOG=info` for standard error too".into(),
    );
    if facts.loading {
        text.push_str("\nProjects are being read.\n");
    }
    for project in facts.projects {
        let _ = write!(text, "\n## {}\n\n- **Files**: {}\n", project.root, project.files);
        if let Some(dialect) = project.dialect {
            let _ = writeln!(text, "- **Dialect**: {dialect}");
        }
        let _ = writeln!(text, "- **Compared with**: {}", project.baseline);
        if let Some(opinions) = project.opinions {
            let _ = writeln!(text, "- **The engine's opinion**: {opinions}");
        }
        if project.truncated {
            text.push_str("- The folder is too large to be read whole: open the project's own folder.\n");
        }
    }
    json!({ "text": text })
}

/// Resident memory; only Linux says so without unsafe code.
fn resident_kilobytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}
