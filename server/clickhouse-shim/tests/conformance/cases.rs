//! What everything that runs statements must do alike.

use std::time::Duration;

use headwater_warehouse::{Format, InputFormat, Limits};

/// A list of steps in one session.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [Step],
}

/// One of them.
#[derive(Debug)]
pub(crate) enum Step {
    /// Changes tables.
    Change(&'static str),
    /// Changes the session.
    Set(&'static str),
    /// Reads, with the answer as TSV.
    Ask(&'static str, &'static str),
    AskAs(Format, &'static str, &'static str),
    AskWith(&'static [(&'static str, &'static str)], &'static str, &'static str),
    Fails(&'static str, &'static str),
    FailsWithin(Small, &'static str, &'static str),
    /// Table, columns, format, rows, how many are written.
    Insert(&'static str, &'static [&'static str], InputFormat, &'static [u8], u64),
    /// CSV with settings.
    InsertWith(&'static str, &'static [&'static str], &'static [u8], &'static [(&'static str, &'static str)]),
    /// …, the error's name, and the row that it names.
    InsertFails(&'static str, &'static [&'static str], InputFormat, &'static [u8], &'static str, Option<u64>),
    /// So many rows of (a, s), with a bad one at the end or not.
    InsertMany(&'static str, u64, bool),
    /// An answer in pieces, of so many lines.
    Stream(&'static str, u64),
    StreamFails(&'static str, &'static str),
    /// Dropped after its first piece.
    StreamIsLeft(&'static str),
    /// Taken back at once, soon, and later.
    Cancel(&'static str),
    Reset,
}

/// A limit that is small.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Small {
    Time,
    Memory,
    Rows,
    Bytes,
}

impl Small {
    pub(crate) fn limits(self) -> Limits {
        let most = Limits { time: Duration::from_secs(20), ..Limits::default() };
        match self {
            Self::Time => Limits { time: Duration::from_millis(300), ..most },
            Self::Memory => Limits { memory: 20_000_000, ..most },
            Self::Rows => Limits { result_rows: 100, ..most },
            Self::Bytes => Limits { result_bytes: 100_000, ..most },
        }
    }
}

use Step::{
    Ask, AskAs, AskWith, Cancel, Change, Fails, FailsWithin, Insert, InsertFails, InsertMany, InsertWith,
    Reset, Set, Stream, StreamFails, StreamIsLeft,
};

const EVENTS: Step = Change("CREATE TABLE events (a Int64, s String) ENGINE = MergeTree ORDER BY a");

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "answers in each format",
        steps: &[
            Ask("SELECT 1, 'a\tb\n', NULL", "1\ta\\tb\\n\t\\N"),
            Ask("SELECT 1;", "1"),
            AskAs(Format::TsvRaw, "SELECT 'a\tb'", "a\tb"),
            AskAs(Format::TsvWithNamesAndTypes, "SELECT 1 AS a, 'x' AS b", "a\tb\nUInt8\tString\n1\tx"),
            AskAs(Format::JsonEachRow, "SELECT 18446744073709551615 AS n, nan AS f, 'é\"' AS s", r#"{"n":18446744073709551615,"f":null,"s":"é\""}"#),
            AskAs(
                Format::JsonCompactEachRowWithNamesAndTypes,
                "SELECT 1 AS a, [1, 2] AS b WHERE 0",
                "[\"a\", \"b\"]\n[\"UInt8\", \"Array(UInt8)\"]",
            ),
            // The statement's own clause counts.
            Ask("SELECT 1 AS a FORMAT JSONEachRow", r#"{"a":1}"#),
        ],
    },
    Case {
        name: "numbers, decimals, big ones",
        steps: &[
            Change("CREATE TABLE numbers_ (a Int8, b UInt64, c Int256, d Decimal(38, 10), e Float64, f Bool, g Nullable(Int32)) ENGINE = MergeTree ORDER BY a"),
            Insert(
                "numbers_",
                &["a", "b", "c", "d", "e", "f", "g"],
                InputFormat::JsonEachRow,
                b"{\"a\":-128,\"b\":18446744073709551615,\"c\":\"-57896044618658097711785492504343953926634992332820282019728792003956564819968\",\"d\":\"1234567890123456789012345678.0123456789\",\"e\":0.1,\"f\":true,\"g\":null}\n{\"a\":1,\"b\":0,\"c\":0,\"d\":-0.5,\"e\":-1e300,\"f\":false,\"g\":7}",
                2,
            ),
            Ask(
                "SELECT * FROM numbers_ ORDER BY a",
                "-128\t18446744073709551615\t-57896044618658097711785492504343953926634992332820282019728792003956564819968\t1234567890123456789012345678.0123456789\t0.1\ttrue\t\\N\n1\t0\t0\t-0.5\t-1e300\tfalse\t7",
            ),
        ],
    },
    Case {
        name: "texts, dates, nested values",
        steps: &[
            Change("CREATE TABLE values_ (s String, l LowCardinality(String), e Enum8('x' = 1, 'y' = 2), d Date, t DateTime64(3, 'UTC'), u UUID, i IPv6, a Array(Nullable(String)), m Map(String, Int64), p Tuple(n Int8, s String)) ENGINE = Memory"),
            Insert(
                "values_",
                &["s", "l", "e", "d", "t", "u", "i", "a", "m", "p"],
                InputFormat::JsonEachRow,
                b"{\"s\":\"\\u0000 \\ud83d\\ude00 \\\\ ' ;\",\"l\":\"l\",\"e\":\"y\",\"d\":\"2024-02-29\",\"t\":\"2024-02-29T12:34:56.789Z\",\"u\":\"61f0c404-5cb3-11e7-907b-a6006ad3dba0\",\"i\":\"::1\",\"a\":[\"x\",null],\"m\":{\"k\":-1},\"p\":{\"n\":1,\"s\":\"t\"}}",
                1,
            ),
            Ask(
                "SELECT * FROM values_",
                "\\0 😀 \\\\ \\' ;\tl\ty\t2024-02-29\t2024-02-29 12:34:56.789\t61f0c404-5cb3-11e7-907b-a6006ad3dba0\t::1\t['x',NULL]\t{'k':-1}\t(1,'t')",
            ),
        ],
    },
    Case {
        name: "defaults stand for columns that rows do not carry",
        steps: &[
            Change("CREATE TABLE defaults_ (a Int64, b Int64 DEFAULT a + 1, c String DEFAULT 'c', d Int64 MATERIALIZED a * 2) ENGINE = MergeTree ORDER BY a"),
            Insert("defaults_", &["a"], InputFormat::Csv, b"1\n2\n", 2),
            Insert("defaults_", &["c", "a"], InputFormat::Tsv, b"x\t5\n", 1),
            Ask("SELECT a, b, c, d FROM defaults_ ORDER BY a", "1\t2\tc\t2\n2\t3\tc\t4\n5\t6\tx\t10"),
        ],
    },
    Case {
        name: "rows are never text of a statement",
        steps: &[
            EVENTS,
            Insert("events", &["a", "s"], InputFormat::JsonEachRow, b"\n\n{\"a\":1,\"s\":\"x\\n\\nDROP TABLE events;\"}\r\n\n\n{\"a\":2,\"s\":\"'); DROP TABLE events; --\"}\n\n", 2),
            Insert("events", &["s"], InputFormat::LineAsString, b"SELECT 1;\n\nDROP TABLE events\n", 3),
            Insert("events", &["a", "s"], InputFormat::Csv, b"3,\"a;\n\nDROP TABLE events;\0\xff\"\n", 1),
            Ask("SELECT count(), countIf(s LIKE '%DROP TABLE events%') FROM events", "6\t4"),
            Ask("SELECT hex(s) FROM events WHERE a = 3", "613B0A0A44524F50205441424C45206576656E74733B00FF"),
        ],
    },
    Case {
        name: "names are names",
        steps: &[
            Change("CREATE TABLE `a;b``c` (`x y` Int8, `;--` String) ENGINE = Memory"),
            Insert("a;b`c", &["x y", ";--"], InputFormat::CsvWithNames, b"x y,;--\n1,a\n", 1),
            Ask("SELECT * FROM `a;b``c`", "1\ta"),
            Change("DROP TABLE `a;b``c`"),
        ],
    },
    Case {
        name: "an insert is whole or not there",
        steps: &[
            EVENTS,
            InsertFails("events", &["a", "s"], InputFormat::JsonEachRow, b"{\"a\":1,\"s\":\"x\"}\n{\"a\":\"no\",\"s\":\"x\"}\n", "CANNOT_PARSE_INPUT_ASSERTION_FAILED", Some(2)),
            InsertMany("events", 1_200_000, true),
            Ask("SELECT count() FROM events", "0"),
            InsertMany("events", 1_200_000, false),
            Ask("SELECT count(), sum(a), uniqExact(_part) FROM events", "1200000\t719999400000\t1"),
            Insert("events", &["a"], InputFormat::Csv, b"", 0),
        ],
    },
    Case {
        name: "inserts that cannot be say why",
        steps: &[
            EVENTS,
            InsertFails("nowhere", &["a"], InputFormat::Csv, b"1\n", "UNKNOWN_TABLE", None),
            InsertFails("events", &["nope"], InputFormat::Csv, b"1\n", "NO_SUCH_COLUMN_IN_TABLE", None),
            InsertFails("events", &[], InputFormat::Csv, b"1\n", "invalid", None),
            Ask("SELECT count() FROM events", "0"),
        ],
    },
    Case {
        name: "a token counts once",
        steps: &[
            Change("CREATE TABLE once (a Int64) ENGINE = MergeTree ORDER BY a SETTINGS non_replicated_deduplication_window = 100"),
            InsertWith("once", &["a"], b"1\n", &[("insert_deduplication_token", "t 1'")]),
            InsertWith("once", &["a"], b"1\n", &[("insert_deduplication_token", "t 1'")]),
            Ask("SELECT count() FROM once", "1"),
            InsertWith("once", &["a"], b"1\n", &[("insert_deduplication_token", "t 2")]),
            Ask("SELECT count() FROM once", "2"),
        ],
    },
    Case {
        name: "materialized views follow",
        steps: &[
            EVENTS,
            Change("CREATE TABLE sums (a Int64, n UInt64) ENGINE = SummingMergeTree ORDER BY a"),
            Change("CREATE MATERIALIZED VIEW to_sums TO sums AS SELECT a % 2 AS a, count() AS n FROM events GROUP BY a"),
            Insert("events", &["a"], InputFormat::Csv, b"1\n2\n3\n", 5),
            Ask("SELECT a, sum(n) FROM sums GROUP BY a ORDER BY a", "0\t1\n1\t2"),
            Change("DROP VIEW to_sums"),
        ],
    },
    Case {
        name: "parameters are values",
        steps: &[
            AskWith(&[("a", "x'); DROP TABLE t; --"), ("b", "3")], "SELECT {a:String}, {b:UInt8} + 1", "x\\'); DROP TABLE t; --\t4"),
            AskWith(&[("t", "one")], "SELECT count() FROM system.{t:Identifier}", "1"),
            AskWith(&[("a", "[1,2]"), ("c", "&=?#%+ é")], "SELECT {a:Array(UInt8)}, {c:String}", "[1,2]\t&=?#%+ é"),
            Fails("SELECT {a:String}", "UNKNOWN_QUERY_PARAMETER"),
        ],
    },
    Case {
        name: "errors have names",
        steps: &[
            Fails("SELECT a FROM system.one WHERE", "SYNTAX_ERROR"),
            Fails("SELECT nope", "UNKNOWN_IDENTIFIER"),
            Fails("SELECT * FROM nowhere", "UNKNOWN_TABLE"),
            Fails("SELECT throwIf(1, 'said so (here)')", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
            Fails("SELECT 1 SETTINGS no_such_setting = 1", "UNKNOWN_SETTING"),
            Fails("1 + 1", "SYNTAX_ERROR"),
        ],
    },
    Case {
        name: "one statement that only reads",
        steps: &[
            EVENTS,
            Fails("SELECT 1; SELECT 2", "several statements"),
            Fails("SELECT 1; DROP TABLE events", "several statements"),
            Fails("", "no statement"),
            Fails(" -- nothing\n", "no statement"),
            Fails("DROP TABLE events", "not allowed"),
            Fails("/* SELECT */ INSERT INTO events VALUES (1, '')", "not allowed"),
            Fails("SET max_threads = 1", "not allowed"),
            Fails("SYSTEM SHUTDOWN", "not allowed"),
            Ask("SELECT count() FROM events", "0"),
        ],
    },
    Case {
        name: "limits end a statement, with an error",
        steps: &[
            FailsWithin(Small::Time, "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))", "TIMEOUT_EXCEEDED"),
            FailsWithin(Small::Memory, "SELECT groupArray(number) FROM numbers(100000000)", "MEMORY_LIMIT_EXCEEDED"),
            FailsWithin(Small::Rows, "SELECT number FROM numbers(1000000)", "TOO_MANY_ROWS_OR_BYTES"),
            FailsWithin(Small::Bytes, "SELECT repeat('x', 1000 + number % 2) FROM numbers(900)", "TOO_MANY_ROWS_OR_BYTES"),
            // None of them stays behind.
            Ask("SELECT count() FROM (SELECT number FROM numbers(1000))", "1000"),
        ],
    },
    Case {
        name: "a session keeps what it is told",
        steps: &[
            Set("SET max_block_size = 7"),
            Ask("SELECT getSetting('max_block_size')", "7"),
            Set("CREATE TEMPORARY TABLE mine (a Int8) ENGINE = Memory"),
            Set("INSERT INTO mine VALUES (1), (2)"),
            Ask("SELECT sum(a) FROM mine", "3"),
            Reset,
            Ask("SELECT getSetting('max_block_size') != 7", "1"),
            Fails("SELECT * FROM mine", "UNKNOWN_TABLE"),
        ],
    },
    Case {
        name: "settings that answers depend on are pinned",
        steps: &[
            Ask("SELECT toDateTime(0), timezone()", "1970-01-01 00:00:00\tUTC"),
            Ask("SELECT getSetting('async_insert'), getSetting('mutations_sync'), getSetting('date_time_input_format')", "false\t2\tbest_effort"),
            EVENTS,
            Insert("events", &["a", "s"], InputFormat::Csv, b"1,x\n2,y\n", 2),
            Change("ALTER TABLE events UPDATE s = 'z' WHERE a = 1"),
            Ask("SELECT groupArray(s) FROM (SELECT s FROM events ORDER BY a)", "['z','y']"),
        ],
    },
    Case {
        name: "large answers come in pieces",
        steps: &[
            Stream("SELECT number, toString(number) FROM numbers(2000000)", 2_000_000),
            Stream("SELECT number FROM numbers(1)", 1),
            Stream("SELECT number FROM numbers(0)", 0),
            StreamFails("SELECT nope", "UNKNOWN_IDENTIFIER"),
            StreamFails("SELECT throwIf(number = 90000) FROM numbers(95000)", "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
            StreamFails("DROP TABLE x", "not allowed"),
            StreamFails("SELECT 1; SELECT 2", "several statements"),
            StreamIsLeft("SELECT number, repeat('x', 100) FROM numbers(90000)"),
            Ask("SELECT 1", "1"),
        ],
    },
];

/// On what has several connections.
pub(crate) const CANCEL: Case = Case {
    name: "statements are taken back",
    steps: &[Cancel("SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))")],
};
