//! A consumer: the thread that fills one table.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use headwater_log::Range;
use headwater_warehouse::{Format, InputFormat, Insert};

use crate::block::{Block, BlockSet, lost};
use crate::effect::Effect;
use crate::fault::Fault;
use crate::pipeline::Inner;
use crate::quarantine;
use crate::release::{Source, WINDOW};
use crate::sql::{DATABASE, Trouble, insert_settings, list, table};
use crate::status::Kind;
use crate::stream::{ConsumerState, Failing, Stream};

/// The thread of a consumer.
pub(crate) fn run(inner: &Inner, stream: &Stream, consumer: &ConsumerState) {
    while !inner.stopping.load(Ordering::Relaxed) {
        let moves = inner.ledger.moves();
        if let Some(failing) = consumer.failing() {
            let now = inner.clock.elapsed();
            if now < failing.again_at {
                inner.ledger.wait(moves, (failing.again_at - now).min(Duration::from_millis(100)));
                continue;
            }
        }
        if inner.ledger.next(&consumer.planned.name).is_none() {
            inner.ledger.wait(moves, Duration::from_secs(1));
            continue;
        }
        let hand = consumer.hand.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have been skipped meanwhile.
        let Some(range) = inner.ledger.next(&consumer.planned.name) else { continue };
        consumer.is_busy.store(true, Ordering::Relaxed);
        let done = attempt(inner, stream, consumer, &range);
        consumer.is_busy.store(false, Ordering::Relaxed);
        drop(hand);
        match done {
            Ok(()) => {
                consumer.set_failing(None);
                inner.over(stream, &range);
            }
            Err(_) if inner.stopping.load(Ordering::Relaxed) => return,
            Err(trouble) => fail(inner, consumer, &trouble),
        }
    }
}

/// Notes what went wrong, and when it is tried again.
fn fail(inner: &Inner, consumer: &ConsumerState, trouble: &Trouble) {
    let attempts = consumer.failing().map_or(0, |failing| failing.attempts) + 1;
    // An engine that is started anew is there soon; what it refuses it will most likely refuse again.
    let (first, most) = if trouble.is_the_process() { (20, 2_000) } else { (100, 30_000) };
    let pause = Duration::from_millis((first << attempts.min(16).saturating_sub(1)).min(most));
    consumer.set_failing(Some(Failing {
        error: trouble.to_string(),
        attempts,
        again_at: inner.clock.elapsed() + pause,
    }));
}

/// Applies a declared range, and notes that it is applied.
fn attempt(inner: &Inner, stream: &Stream, consumer: &ConsumerState, range: &Range) -> Result<(), Trouble> {
    let set = stream.sets.of(*range, &stream.chain);
    if inner.maker.fault.is(Fault::AdvanceFirst) {
        let noted = inner.ledger.finish(&consumer.planned.name);
        noted.map_err(|error| Trouble::Own(error.to_string()))?;
        inner.maker.probe.at("advance.after");
        return apply(inner, stream, consumer, &set);
    }
    let done = match apply(inner, stream, consumer, &set) {
        Err(Trouble::Lost) if inner.maker.fault.is(Fault::LostIsEmpty) => Ok(()),
        // The engine was started anew between two statements: what was in its memory is made again.
        Err(Trouble::Lost) => {
            set.forget();
            apply(inner, stream, consumer, &set)
        }
        other => other,
    };
    if matches!(done, Err(Trouble::Lost)) {
        set.forget();
    }
    done?;
    inner.maker.probe.at("advance.before");
    let noted = inner.ledger.finish(&consumer.planned.name);
    noted.map_err(|error| Trouble::Own(format!("its progress cannot be noted: {error}")))?;
    inner.maker.probe.at("advance.after");
    Ok(())
}

fn apply(inner: &Inner, stream: &Stream, consumer: &ConsumerState, set: &BlockSet) -> Result<(), Trouble> {
    let range = &set.range;
    let running = inner.running(range.release).ok_or_else(|| {
        Trouble::Own("the release under which its rows were accepted is not known".to_owned())
    })?;
    let planned = &consumer.planned;
    let maker = &inner.maker;
    if range.effect {
        return match planned.kind {
            Kind::Landing => effect(inner, stream, &planned.table, range),
            // What views made of the rows stays, and so do rows that did not fit.
            Kind::Quarantine | Kind::View => Ok(()),
        };
    }
    let token = match maker.fault {
        fault if fault.is(Fault::NoToken) => format!("{}:{}", planned.table, inner.chance()),
        fault if fault.is(Fault::TokenWithoutRange) => planned.table.clone(),
        _ => range.token(&planned.table),
    };
    let definition = &running.release.sources[&planned.fills];
    let columns = definition.stored();
    match planned.kind {
        Kind::Landing => {
            let root = maker.root(&running, &stream.source, set)?;
            if definition.engine == "Null" {
                return Ok(());
            }
            let Some(block) = &root.block else { return Ok(()) };
            insert(inner, definition, &token, &columns, &[block])
        }
        Kind::View => {
            let mut made = Vec::new();
            for nth in &planned.outputs {
                made.push(maker.made(&running, &stream.source, set, *nth)?);
            }
            let blocks: Vec<&Block> = made.iter().filter_map(|made| made.block.as_ref()).collect();
            if blocks.is_empty() || definition.engine == "Null" {
                return Ok(());
            }
            insert(inner, definition, &token, &columns, &blocks)
        }
        Kind::Quarantine => {
            let root = maker.root(&running, &stream.source, set)?;
            if root.misfits.is_empty() || maker.fault.is(Fault::DropMisfits) {
                return Ok(());
            }
            maker.probe.at("quarantine.before");
            let rows = quarantine::lines(definition, &root.misfits);
            quarantine_insert(inner, &planned.table, definition, &token, rows)?;
            maker.probe.at("quarantine.after");
            Ok(())
        }
    }
}

/// Puts lines of a quarantine into its table, once for a token.
pub(crate) fn quarantine_insert(
    inner: &Inner,
    name: &str,
    source: &Source,
    token: &str,
    rows: Vec<u8>,
) -> Result<(), Trouble> {
    let insert = Insert::new(name, quarantine::columns(source), InputFormat::JsonEachRow, rows)
        .database(DATABASE)
        .token(token)
        .setting("deduplicate_insert", "enable");
    inner.maker.sql.insert(insert).map(drop)
}

/// Puts blocks into a table: as one insert with one token, so that whoever repeats it repeats what is missing.
fn insert(
    inner: &Inner,
    target: &Source,
    token: &str,
    columns: &[&str],
    blocks: &[&Block],
) -> Result<(), Trouble> {
    let probe = &inner.maker.probe;
    let names = list(columns.iter().copied());
    let selects: Vec<String> =
        blocks.iter().map(|block| format!("SELECT {names} FROM {}", block.table)).collect();
    let from = selects.join(" UNION ALL ");
    // Where there are few rows, there are few partitions.
    if blocks.iter().map(|block| block.rows).sum::<u64>() > WINDOW && !target.partition.is_empty() {
        refuse_many_partitions(inner, target, &from)?;
    }
    probe.at("insert.before");
    probe.at("insert.inside");
    let sql = format!(
        "INSERT INTO {} ({names}) SETTINGS {} {}",
        table(DATABASE, &target.table),
        insert_settings(token),
        from
    );
    inner.maker.sql.run(sql).map_err(lost)?;
    probe.at("insert.after");
    Ok(())
}

/// A table remembers tokens partition by partition, so many. Of a range with more, a repetition would find some forgotten, and
/// double their rows.
fn refuse_many_partitions(inner: &Inner, target: &Source, from: &str) -> Result<(), Trouble> {
    let key = target.partition.join(", ");
    let count = format!("SELECT uniqExact(tuple({key})) FROM ({from})");
    let answer = inner.maker.sql.ask(count, Format::TsvRaw).map_err(lost)?;
    let partitions: u64 = String::from_utf8_lossy(&answer).trim().parse().unwrap_or(0);
    if partitions > WINDOW {
        return Err(Trouble::Own(format!(
            "the rows lie in {partitions} partitions, and a table remembers {WINDOW} of an insert; choose a partition key with \
             fewer values, or skip the range"
        )));
    }
    Ok(())
}

fn effect(inner: &Inner, stream: &Stream, name: &str, range: &Range) -> Result<(), Trouble> {
    let probe = &inner.maker.probe;
    for record in inner.maker.records(&stream.source, range)? {
        let effect: Effect = postcard::from_bytes(&record.draft.payload).map_err(|error| {
            Trouble::Own(format!("the effect {} is not understood: {error}", record.position))
        })?;
        probe.at("effect.before");
        effect.apply(&inner.maker.sql, name)?;
        probe.at("effect.after");
    }
    Ok(())
}
