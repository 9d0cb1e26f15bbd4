//! Data projects of any size, with the size distribution of real ones: data sources p50/p90 0.5/2.5 KB, pipes
//! 1.1/3.9 KB, one pipe of 46 KB, half of the pipes templated. Deterministic.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

/// A small generator of numbers, so that a project is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below.max(1)
    }

    /// A size in bytes whose median is `p50` and whose 90th percentile is `p90`: log-normal, by the sum of rolls.
    fn size(&mut self, p50: f64, p90: f64) -> usize {
        let normal = (0..12).map(|_| self.roll(1_000_000) as f64 / 1e6).sum::<f64>() - 6.0;
        let sigma = (p90 / p50).ln() / 1.2816;
        (p50 * (sigma * normal).exp()) as usize
    }
}

/// The file of 46 KB.
pub(crate) const LARGE: &str = "endpoints/large.pipe";
/// A templated pipe of ordinary size that the measurements edit; it reads something that does not exist.
pub(crate) const EDITED: &str = "endpoints/edited.pipe";

/// A data source that many files read, directly and through nodes.
pub(crate) const ROOT: &str = "datasources/events_0.datasource";
/// How many files read [`ROOT`], at least.
const READERS: usize = 40;

/// Writes a project of `files` files below `dir`.
pub(crate) fn project(dir: &Path, files: usize) -> Result<()> {
    let mut dice = Dice(42);
    for folder in ["datasources", "endpoints", "materializations"] {
        std::fs::create_dir_all(dir.join(folder))?;
    }
    let sources = (files * 35 / 100).max(2);
    for n in 0..sources {
        let size = dice.size(500.0, 2_500.0).clamp(150, 20_000);
        std::fs::write(dir.join(format!("datasources/events_{n}.datasource")), datasource(n, size))?;
    }
    for n in 0..files.saturating_sub(sources + 2) {
        let size = dice.size(1_100.0, 3_900.0).clamp(200, 20_000);
        let first = if n < READERS { 0 } else { dice.roll(sources) };
        let text = pipe(&mut dice, n, first, sources, size, n % 2 == 0);
        std::fs::write(dir.join(format!("endpoints/report_{n}.pipe")), text)?;
    }
    std::fs::write(dir.join(LARGE), pipe(&mut dice, files, 1, sources, 46_000, true))?;
    let edited = pipe(&mut dice, files + 1, 1, sources, 1_100, true).replacen("TYPE endpoint", "", 1);
    let edited = format!("{edited}\nNODE broken\nSQL >\n    SELECT * FROM no_such_table\n\nTYPE endpoint\n");
    std::fs::write(dir.join(EDITED), edited)?;
    Ok(())
}

fn datasource(n: usize, size: usize) -> String {
    let mut text = format!(
        "DESCRIPTION Events of kind {n}\n\nSCHEMA >\n    `ts` DateTime `json:$.ts`,\n    `id` String `json:$.id`"
    );
    let types =
        ["String", "Nullable(Float64)", "LowCardinality(String)", "UInt64", "Array(String)", "DateTime64(3)"];
    let mut column = 0;
    while text.len() + 120 < size {
        let _ = write!(
            text,
            ",\n    `field_{column}` {} `json:$.payload.field_{column}`",
            types[column % types.len()]
        );
        column += 1;
    }
    text + "\n\nENGINE MergeTree\nENGINE_PARTITION_KEY toYYYYMM(ts)\nENGINE_SORTING_KEY id, ts\n"
}

/// A pipe whose first node reads the data source numbered `first`.
fn pipe(dice: &mut Dice, n: usize, first: usize, sources: usize, size: usize, templated: bool) -> String {
    let mut text = format!("DESCRIPTION Report {n}\nTOKEN \"reader\" READ\n");
    let mut node = 0;
    loop {
        let (from, time) = match node {
            0 => (format!("events_{first}"), "ts"),
            _ => (format!("step_{}", node - 1), "hour"),
        };
        let joined = dice.roll(sources);
        let _ = write!(text, "\nNODE step_{node}\nDESCRIPTION Step {node} of report {n}\nSQL >\n");
        if templated {
            text += "    %\n";
        }
        let _ = write!(
            text,
            "    SELECT\n        e.id AS id,\n        toStartOfHour(e.{time}) AS hour,\n        count() AS hits,\n        \
             uniqIf(e.id, e.id != '') AS visitors,\n        quantiles(0.5, 0.9)(length(e.id)) AS lengths\n    FROM {from} AS e\n    \
             LEFT JOIN events_{joined} AS j ON e.id = j.id\n    WHERE e.{time} > now() - INTERVAL 7 DAY\n"
        );
        if templated {
            let _ = write!(
                text,
                "    {{% if defined(country_{node}) %}}\n      AND e.id = {{{{ String(country_{node}, 'ES', description='code') }}}}\n    \
                 {{% else %}}\n      AND e.id NOT IN (SELECT id FROM events_{joined} WHERE ts < {{{{ DateTime(to, '2026-01-01 00:00:00') }}}})\n    {{% end %}}\n"
            );
        }
        text += "    GROUP BY id, hour\n    ORDER BY hits DESC\n    LIMIT 100\n";
        node += 1;
        if text.len() + 400 > size {
            return text + "\nTYPE endpoint\n";
        }
    }
}
