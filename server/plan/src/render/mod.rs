//! A plan as text, JSON and Markdown. Pure: colours are asked for, nothing is printed.

mod excerpt;
mod json;
mod markdown;
#[cfg(test)]
mod tests;
mod text;

use crate::change::{Class, Estimate, Plan};

pub use excerpt::excerpt;
pub use json::json;
pub use markdown::{Lineage, markdown};
pub use text::{Colours, Style, text};

/// `1 rewrite, 2 alter`, heaviest first; `no changes` for an empty plan.
pub fn summary(plan: &Plan) -> String {
    let counts = Class::ALL.iter().rev().map(|class| (plan.count(*class), class.name()));
    let parts: Vec<_> = counts.filter(|(n, _)| *n > 0).map(|(n, name)| format!("{n} {name}")).collect();
    if parts.is_empty() { "no changes".to_owned() } else { parts.join(", ") }
}

/// `1.2 M rows, 3.4 GB, about 4 s`; nothing when nothing is known.
fn cost(estimate: &Estimate) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(rows) = estimate.rows {
        parts.push(format!("{} rows", scaled(rows as f64, 1_000.0, &["", " k", " M", " G"])));
    }
    if let Some(bytes) = estimate.bytes {
        parts.push(scaled(bytes as f64, 1_024.0, &[" B", " KiB", " MiB", " GiB", " TiB"]));
    }
    if let Some(seconds) = estimate.seconds {
        parts.push(format!("about {}", duration(seconds)));
    }
    if let Some(extra) = estimate.extra_bytes.filter(|n| *n > 0) {
        parts.push(format!(
            "{} more disk",
            scaled(extra as f64, 1_024.0, &[" B", " KiB", " MiB", " GiB", " TiB"])
        ));
    }
    if let Some(pause) = estimate.pause_ms {
        parts.push(format!("new rows wait {pause} ms"));
    }
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn scaled(mut value: f64, step: f64, units: &[&str]) -> String {
    let mut at = 0;
    while value >= step && at + 1 < units.len() {
        value /= step;
        at += 1;
    }
    if at == 0 { format!("{value:.0}{}", units[0]) } else { format!("{value:.1}{}", units[at]) }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 1.0 => format!("{:.0} ms", s * 1_000.0),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3_600.0),
    }
}
