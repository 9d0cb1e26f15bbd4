//! What a campaign's project looks like.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// A project's shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// The campaign's number.
    pub(super) number: u16,
    /// Writers at the same time.
    pub(super) writers: u64,
    /// Views behind each other.
    pub(super) depth: u8,
    /// Partitions of the views' targets; none when 0.
    pub(super) partitions: u8,
    /// Some rows make one of the views throw.
    pub(super) poison: bool,
}

impl Shape {
    pub(super) fn of(number: u16, dice: &mut fastrand::Rng) -> Self {
        Self {
            number,
            writers: dice.u64(1..=8),
            // The first has everything, so that every point is reached.
            depth: if number == 1 { 3 } else { dice.u8(0..4) },
            partitions: [0, 2, 23][dice.usize(0..3)],
            poison: number % 2 == 1,
        }
    }

    /// One that has everything.
    pub(super) fn for_proof() -> Self {
        Self { number: 0, writers: 4, depth: 3, partitions: 7, poison: false }
    }

    /// The files.
    pub(super) fn project(&self) -> BTreeMap<String, String> {
        let partition = match self.partitions {
            0 => String::new(),
            n => format!("ENGINE_PARTITION_KEY id % {n}\n"),
        };
        let mut files = BTreeMap::new();
        let mut source = |name: &str, columns: &str, engine: &str| {
            files
                .insert(format!("datasources/{name}.datasource"), format!("SCHEMA >\n{columns}\n\n{engine}"));
        };
        source(
            "events",
            "    `id` UInt64 `json:$.id`,\n    `writer` UInt64 `json:$.writer`,\n    `kind` String `json:$.kind`,\n    `value` Int64 `json:$.value`,\n    `at` DateTime `json:$.at` DEFAULT now()",
            "ENGINE MergeTree\nENGINE_PARTITION_KEY id % 5\nENGINE_SORTING_KEY id\n",
        );
        let plain = format!("ENGINE MergeTree\n{partition}ENGINE_SORTING_KEY id\n");
        if self.depth > 0 {
            source("twice", "    `id` UInt64,\n    `kind` String,\n    `twice` Int64", &plain);
            source("chance", "    `id` UInt64,\n    `chance` UInt64", &plain);
            source("both", "    `id` UInt64,\n    `side` String", &plain);
            source("checked", "    `id` UInt64,\n    `ok` UInt8", &plain);
        }
        if self.depth > 1 {
            let columns = "    `kind` String,\n    `rows` SimpleAggregateFunction(sum, UInt64),\n    `total` SimpleAggregateFunction(sum, Int64)";
            source("sums", columns, "ENGINE AggregatingMergeTree\nENGINE_SORTING_KEY kind\n");
            source("behind", "    `id` UInt64,\n    `chance` UInt64", &plain);
        }
        if self.depth > 2 {
            let columns = "    `scope` String,\n    `rows` SimpleAggregateFunction(sum, UInt64),\n    `total` SimpleAggregateFunction(sum, Int64)";
            source("totals", columns, "ENGINE AggregatingMergeTree\nENGINE_SORTING_KEY scope\n");
        }
        let mut view = |name: &str, target: &str, sql: &str| {
            let text = format!("NODE {name}\nSQL >\n    {sql}\nTYPE materialized\nDATASOURCE {target}\n");
            files.insert(format!("pipes/{name}.pipe"), text);
        };
        if self.depth > 0 {
            view("to_twice", "twice", "SELECT id, kind, value * 2 AS twice FROM events");
            view("to_chance", "chance", "SELECT id, rand64() AS chance FROM events");
            view(
                "to_left",
                "both",
                "SELECT id, 'left' AS side FROM events UNION ALL SELECT id, 'third' AS side FROM events WHERE value > 0",
            );
            view("to_right", "both", "SELECT id, 'right' AS side FROM events");
            view("to_checked", "checked", "SELECT id, throwIf(value = 13, 'thirteen') AS ok FROM events");
        }
        if self.depth > 1 {
            view(
                "to_sums",
                "sums",
                "SELECT kind, toUInt64(count()) AS rows, sum(twice) AS total FROM twice GROUP BY kind",
            );
            view("to_behind", "behind", "SELECT id, chance FROM chance");
        }
        if self.depth > 2 {
            view(
                "to_totals",
                "totals",
                "SELECT 'all' AS scope, sum(rows) AS rows, sum(total) AS total FROM sums",
            );
        }
        files
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, writers, depth, partitions, poison } = self;
        write!(f, "{number}:{writers}:{depth}:{partitions}:{}", u8::from(*poison))
    }
}

impl FromStr for Shape {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let [number, writers, depth, partitions, poison] = parts[..] else {
            anyhow::bail!("no shape: {text}")
        };
        Ok(Self {
            number: number.parse()?,
            writers: writers.parse()?,
            depth: depth.parse()?,
            partitions: partitions.parse()?,
            poison: poison == "1",
        })
    }
}
