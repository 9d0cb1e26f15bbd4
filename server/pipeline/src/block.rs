//! Blocks: the rows of a range on the engine, and what views make of them. Made once and shared by the consumers that are in
//! step; made again, the same, for those that are not.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crossbeam_channel::Sender;
use headwater_engine::ingest::{Batch, Schema};
use headwater_engine::json::Json;
use headwater_log::{Audience, Body, Log, Range, Record, Storage};
use headwater_warehouse::{Format, InputFormat, Insert};

use crate::chain::{Chain, Output, Running};
use crate::fault::{Fault, Planted};
use crate::hot::Hot;
use crate::payload::{Context, RULES, read};
use crate::pipeline::Probe;
use crate::quarantine::Misfit;
use crate::release::volatile::{AT, POSITION, ROW_BITS, SEED};
use crate::release::{PLACE, Source};
use crate::spool::{self, Kept};
use crate::sql::{BLOCKS, Sql, Trouble, list, query_settings, table};

/// A table in memory with rows. It goes when nobody holds it.
pub(crate) struct Block {
    /// Its quoted name.
    pub(crate) table: String,
    goes: Sender<String>,
    /// So many rows.
    pub(crate) rows: u64,
}

impl Drop for Block {
    fn drop(&mut self) {
        let _ = self.goes.send(std::mem::take(&mut self.table));
    }
}

/// The rows of a range.
pub(crate) struct Root {
    /// None when no row fits.
    pub(crate) block: Option<Block>,
    /// Rows that do not fit, those that the engine refused included.
    pub(crate) misfits: Vec<Misfit>,
    /// When its last record was accepted, and that one's random number.
    moment: (u64, u64),
}

/// What a view made of a range.
pub(crate) struct Made {
    /// None when it made no row.
    pub(crate) block: Option<Block>,
}

/// A range's rows and all that is made of them, as far as somebody asked for it.
pub(crate) struct BlockSet {
    pub(crate) range: Range,
    root: Slot<Root>,
    made: Vec<Slot<Made>>,
}

/// Something that is made by whoever asks first; others wait.
struct Slot<T>(Mutex<Option<Arc<T>>>);

impl<T> Slot<T> {
    fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, make: impl FnOnce() -> Result<T, Trouble>) -> Result<Arc<T>, Trouble> {
        let mut slot = self.lock();
        if let Some(made) = &*slot {
            return Ok(made.clone());
        }
        let made = Arc::new(make()?);
        *slot = Some(made.clone());
        Ok(made)
    }
}

/// The ranges of one data source whose rows are on the engine: those that consumers in step still need.
#[derive(Default)]
pub(crate) struct BlockSets(Mutex<VecDeque<Arc<BlockSet>>>);

impl BlockSets {
    /// So many ranges: consumers in step are seldom further apart.
    const KEPT: usize = 3;

    /// The range's, which may be empty.
    pub(crate) fn of(&self, range: Range, chain: &Chain) -> Arc<BlockSet> {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = sets.iter().find(|set| set.range == range) {
            return set.clone();
        }
        let made = chain.outputs.iter().map(|_| Slot::new()).collect();
        let set = Arc::new(BlockSet { range, root: Slot::new(), made });
        sets.push_back(set.clone());
        // What somebody is at stays: two makers of one range would each run its views, and keep what the other did not see.
        while sets.len() > Self::KEPT {
            let unused = sets.iter().enumerate().filter(|(_, set)| Arc::strong_count(set) == 1);
            let oldest = unused.min_by_key(|(_, set)| set.range.to).map(|(at, _)| at);
            if oldest.and_then(|at| sets.remove(at)).is_none() {
                break;
            }
        }
        set
    }

    /// The range is over for everybody.
    pub(crate) fn let_go(&self, up_to: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|set| set.range.to > up_to);
    }
}

impl BlockSet {
    /// Forgets what is on the engine: it was started anew.
    pub(crate) fn forget(&self) {
        *self.root.lock() = None;
        for slot in &self.made {
            *slot.lock() = None;
        }
    }
}

/// Makes blocks.
pub(crate) struct Maker {
    pub(crate) sql: Sql,
    pub(crate) log: Arc<Log>,
    pub(crate) hot: Hot,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) probe: Probe,
    pub(crate) goes: Sender<String>,
    /// What names begin with: no two lives of this program have the same.
    pub(crate) life: u64,
    pub(crate) names: AtomicU64,
    /// The columns that views give, by the outputs' names: asked once.
    pub(crate) columns: Mutex<Vec<(String, Arc<Vec<String>>)>>,
    pub(crate) settings: OnceLock<String>,
    pub(crate) fault: Planted,
}

impl Maker {
    /// A range's rows.
    pub(crate) fn root(&self, running: &Running, source: &str, set: &BlockSet) -> Result<Arc<Root>, Trouble> {
        set.root.get(|| {
            self.probe.at("block.before");
            let root = self.make_root(running, source, &set.range)?;
            self.probe.at("block.after");
            Ok(root)
        })
    }

    /// What a view makes of a range.
    pub(crate) fn made(
        &self,
        running: &Running,
        source: &str,
        set: &BlockSet,
        nth: usize,
    ) -> Result<Arc<Made>, Trouble> {
        let output = &running.chains[source].outputs[nth];
        set.made[nth].get(|| {
            self.probe.at("view.before");
            let kept = running.view(output).kept.is_some() && !self.fault.is(Fault::NotKept);
            let made = if kept {
                self.kept(running, source, set, output)?
            } else {
                self.run(running, source, set, output)?.0
            };
            self.probe.at("view.after");
            Ok(made)
        })
    }

    /// The records of a range, in order.
    pub(crate) fn records(&self, source: &str, range: &Range) -> Result<Vec<Record>, Trouble> {
        let mut reader = self.log.read(source, range.from);
        let mut records = Vec::new();
        while let Some(record) = reader.next().map_err(|error| Trouble::Own(error.to_string()))? {
            if record.position > range.to {
                break;
            }
            let is_rows = matches!(record.draft.body, Body::Rows { .. });
            if record.draft.audience == Audience::Live && is_rows != range.effect {
                records.push(record);
            }
        }
        Ok(records)
    }

    /// The rows of a record, as the release under which it was accepted reads them.
    pub(crate) fn rows(&self, schema: &Schema, record: &Record) -> Result<(Context, Arc<Batch>), Trouble> {
        let context: Context = postcard::from_bytes(&record.draft.context).map_err(|error| {
            Trouble::Own(format!("record {} is not understood: {error}", record.position))
        })?;
        if context.rules != RULES {
            return Err(Trouble::Own(format!(
                "record {} was accepted by rules {}, which this version does not have; use a newer one",
                record.position, context.rules
            )));
        }
        let batch = self
            .hot
            .take(context.seed)
            .unwrap_or_else(|| Arc::new(read(schema, context.format, &record.draft.payload)));
        Ok((context, batch))
    }

    fn make_root(&self, running: &Running, source: &str, range: &Range) -> Result<Root, Trouble> {
        let (definition, schema) = (&running.release.sources[source], &running.schemas[source]);
        let is_hidden = definition.has_position || definition.is_volatile;
        let mut rows = Rows::default();
        let mut misfits = Vec::new();
        let mut moment = (0, 0);
        for record in self.records(source, range)? {
            let (context, batch) = self.rows(schema, &record)?;
            rows.add(&record, context.seed, &batch, is_hidden);
            moment = (record.draft.accepted_at, context.seed);
            misfits.extend(batch.quarantined.iter().map(|row| Misfit {
                at: record.draft.accepted_at,
                position: record.position,
                row: row.clone(),
            }));
        }
        if rows.starts.is_empty() {
            return Ok(Root { block: None, misfits, moment });
        }
        let mut columns: Vec<String> = definition.columns.iter().map(|column| column.name.clone()).collect();
        if is_hidden {
            columns.extend([AT, SEED, POSITION].map(str::to_owned));
        }
        let (mut block, name) = self.create(&definition.block, "Memory")?;
        self.probe.at("block.inside");
        match self.fill(&name, &columns, rows.text.clone()) {
            Ok(()) => {
                block.rows = rows.starts.len() as u64;
                return Ok(Root { block: Some(block), misfits, moment });
            }
            Err(trouble) if trouble.may_be_a_row() => {}
            Err(trouble) => return Err(trouble),
        }
        // A row is at fault: a table that keeps nothing takes them part by part.
        let (check, check_name) = self.create(&definition.block, "Null")?;
        let mut refused = Vec::new();
        self.sift(&check_name, &columns, &rows, 0..rows.starts.len(), &mut refused)?;
        drop(check);
        block.rows = (rows.starts.len() - refused.len()) as u64;
        let (kept, bad) = rows.without(refused, schema);
        misfits.extend(bad);
        if kept.is_empty() {
            return Ok(Root { block: None, misfits, moment });
        }
        self.fill(&name, &columns, kept)?;
        Ok(Root { block: Some(block), misfits, moment })
    }

    /// Finds the rows of a range that the engine refuses, by halves. Takes a logarithm of statements for each of them.
    fn sift(
        &self,
        check: &str,
        columns: &[String],
        rows: &Rows,
        part: std::ops::Range<usize>,
        refused: &mut Vec<(usize, String)>,
    ) -> Result<(), Trouble> {
        if part.is_empty() {
            return Ok(());
        }
        match self.fill(check, columns, rows.part(&part).to_vec()) {
            Ok(()) => Ok(()),
            Err(Trouble::Refused(said))
                if part.len() == 1 && Trouble::Refused(said.clone()).may_be_a_row() =>
            {
                refused.push((part.start, plain(&said.to_string())));
                Ok(())
            }
            Err(trouble) if trouble.may_be_a_row() => {
                let middle = part.start + part.len() / 2;
                self.sift(check, columns, rows, part.start..middle, refused)?;
                self.sift(check, columns, rows, middle..part.end, refused)
            }
            Err(trouble) => Err(trouble),
        }
    }

    fn fill(&self, name: &str, columns: &[String], rows: Vec<u8>) -> Result<(), Trouble> {
        let insert = Insert::new(name, columns.iter(), InputFormat::JsonEachRow, rows)
            .database(BLOCKS)
            .setting("insert_allow_materialized_columns", "1")
            .setting("input_format_defaults_for_omitted_fields", "1");
        self.sql.insert(insert).map(drop).map_err(lost)
    }

    /// A new table; quoted with its database, and its bare name.
    fn create(&self, columns: &str, engine: &str) -> Result<(Block, String), Trouble> {
        let name = format!("b{:016x}_{}", self.life, self.names.fetch_add(1, Ordering::Relaxed));
        let quoted = table(BLOCKS, &name);
        let create = format!("CREATE TABLE {quoted}\n(\n    {columns}\n)\nENGINE = {engine}");
        let made = self.sql.run(&create);
        if let Err(Trouble::Refused(said)) = &made
            && said.name == "UNKNOWN_DATABASE"
        {
            self.sql.make_blocks()?;
            self.sql.run(create)?;
        } else {
            made?;
        }
        Ok((Block { table: quoted, rows: 0, goes: self.goes.clone() }, name))
    }

    /// What a view makes of its block; how many rows.
    fn run(
        &self,
        running: &Running,
        source: &str,
        set: &BlockSet,
        output: &Output,
    ) -> Result<(Made, u64), Trouble> {
        let root = self.root(running, source, set)?;
        let parent;
        let from = match output.parent {
            None => root.block.as_ref(),
            Some(nth) => {
                parent = self.made(running, source, set, nth)?;
                parent.block.as_ref()
            }
        };
        let Some(from) = from else { return Ok((Made { block: None }, 0)) };
        let view = running.view(output);
        let target = &running.release.sources[&view.target];
        let query = view.sql.replace(PLACE, &from.table);
        let columns = self.view_columns(output, &query, target)?;
        let (mut block, _) = self.create(&target.block, "Memory")?;
        let shared = list(columns.iter().map(String::as_str));
        let settings = self.settings.get_or_init(query_settings);
        // What a row that was sent has of its record, one that a view made has of the range.
        let (names, values) = if target.has_position || target.is_volatile {
            let (at, seed) = root.moment;
            // Two views of one block that fill one table must not make the same chance for their rows.
            let seed = seed ^ u64::from_str_radix(output.id.get(..16).unwrap_or_default(), 16).unwrap_or(0);
            let place = set.range.to << ROW_BITS;
            (
                format!("{shared}, {AT}, {SEED}, {POSITION}"),
                format!("{shared}, {at}, {seed}, {place} + rowNumberInAllBlocks()"),
            )
        } else {
            (shared.clone(), shared)
        };
        let insert = format!(
            "INSERT INTO {} ({names}) SETTINGS {settings}, insert_allow_materialized_columns = 1 SELECT {values} FROM (\n{query}\n)",
            block.table
        );
        self.sql.run(insert).map_err(lost)?;
        let rows =
            self.sql.ask(format!("SELECT count() FROM {}", block.table), Format::TsvRaw).map_err(lost)?;
        let rows = String::from_utf8_lossy(&rows).trim().parse().unwrap_or(0);
        block.rows = rows;
        Ok((Made { block: (rows > 0).then_some(block) }, rows))
    }

    /// The same for a view that depends on more than its block: run once, and kept before anybody sees it.
    fn kept(
        &self,
        running: &Running,
        source: &str,
        set: &BlockSet,
        output: &Output,
    ) -> Result<Made, Trouble> {
        let own = |error: std::io::Error| Trouble::Own(error.to_string());
        let target = &running.release.sources[&running.view(output).target];
        let columns = target.stored();
        if let Some(kept) = spool::find(&*self.storage, &output.id, &set.range).map_err(own)? {
            if kept.rows == 0 {
                return Ok(Made { block: None });
            }
            let (mut block, name) = self.create(&target.block, "Memory")?;
            block.rows = kept.rows;
            let insert = Insert::new(name, columns, InputFormat::Native, kept.bytes)
                .database(BLOCKS)
                .setting("insert_allow_materialized_columns", "1");
            self.sql.insert(insert).map_err(lost)?;
            return Ok(Made { block: Some(block) });
        }
        let (made, rows) = self.run(running, source, set, output)?;
        self.probe.at("spool.before");
        let bytes = match &made.block {
            None => Vec::new(),
            Some(block) => {
                let query = format!("SELECT {} FROM {} FORMAT Native", list(columns), block.table);
                self.sql.ask(query, Format::TsvRaw).map_err(lost)?
            }
        };
        let inside = || self.probe.at("spool.inside");
        spool::keep(&*self.storage, &output.id, &set.range, &Kept { rows, bytes }, &inside).map_err(own)?;
        self.probe.at("spool.after");
        Ok(made)
    }

    /// The columns that a view gives and its target has.
    fn view_columns(
        &self,
        output: &Output,
        query: &str,
        target: &Source,
    ) -> Result<Arc<Vec<String>>, Trouble> {
        let known = || self.columns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, columns)) = known().iter().find(|(id, _)| *id == output.id) {
            return Ok(columns.clone());
        }
        let columns = given(&self.sql, query).map_err(lost)?;
        let columns: Vec<String> =
            columns.into_iter().filter(|name| target.columns.iter().any(|c| c.name == *name)).collect();
        if columns.is_empty() {
            return Err(Trouble::Own("the view gives no column of its target".to_owned()));
        }
        let columns = Arc::new(columns);
        known().push((output.id.clone(), columns.clone()));
        Ok(columns)
    }
}

/// The columns that a query gives, in order.
pub(crate) fn given(sql: &Sql, query: &str) -> Result<Vec<String>, Trouble> {
    let settings = query_settings();
    let described =
        sql.ask(format!("DESCRIBE TABLE (\n{query}\n) SETTINGS {settings}"), Format::JsonEachRow)?;
    let text = String::from_utf8_lossy(&described);
    let rows = Json::parse_many(&text).unwrap_or_default();
    Ok(rows.iter().filter_map(|row| Some(row.get("name")?.said().into_owned())).collect())
}

/// A block that is no table any more was lost with the engine's process.
pub(crate) fn lost(trouble: Trouble) -> Trouble {
    match trouble {
        Trouble::Refused(said)
            if matches!(said.name.as_str(), "UNKNOWN_TABLE" | "UNKNOWN_DATABASE")
                && said.message.contains(BLOCKS) =>
        {
            Trouble::Lost
        }
        other => other,
    }
}

/// The engine's words without where in its pipeline they were said, and without the row: there is one.
fn plain(message: &str) -> String {
    let (line, name) = match message.rsplit_once(" (") {
        Some((line, name)) if name.ends_with(')') => (line, format!(" ({name}")),
        _ => (message, String::new()),
    };
    let line = line.lines().next().unwrap_or_default();
    let line = line.strip_suffix(": (at row 1)").unwrap_or(line);
    let line = line.strip_suffix("(at row 1)").unwrap_or(line).trim_end_matches([' ', ':']);
    format!("{line}{name}")
}

/// The rows of several records, as lines of JSON.
#[derive(Default)]
struct Rows {
    text: Vec<u8>,
    /// Where each row starts, its record and when that was accepted, and its line there.
    starts: Vec<(usize, u64, u64, usize)>,
}

impl Rows {
    fn add(&mut self, record: &Record, seed: u64, batch: &Batch, is_hidden: bool) {
        let at = record.draft.accepted_at;
        if !is_hidden {
            let before = self.text.len();
            self.text.extend_from_slice(&batch.rows);
            let starts =
                batch.starts.iter().map(|(start, line)| (before + start, record.position, at, *line));
            self.starts.extend(starts);
            return;
        }
        for (nth, (start, line)) in batch.starts.iter().enumerate() {
            let end = batch.starts.get(nth + 1).map_or(batch.rows.len(), |(start, _)| *start);
            let place = record.position << ROW_BITS | nth as u64;
            self.starts.push((self.text.len(), record.position, at, *line));
            let hidden = format!("{{\"{AT}\":{at},\"{SEED}\":{seed},\"{POSITION}\":{place}");
            self.text.extend_from_slice(hidden.as_bytes());
            let rest = &batch.rows[start + 1..end];
            if rest.first() != Some(&b'}') {
                self.text.push(b',');
            }
            self.text.extend_from_slice(rest);
        }
    }

    fn part(&self, part: &std::ops::Range<usize>) -> &[u8] {
        let end = self.starts.get(part.end).map_or(self.text.len(), |start| start.0);
        &self.text[self.starts[part.start].0..end]
    }

    /// The text without some rows, and these as rows of the quarantine.
    fn without(&self, refused: Vec<(usize, String)>, schema: &Schema) -> (Vec<u8>, Vec<Misfit>) {
        let mut kept = Vec::with_capacity(self.text.len());
        let mut bad = Vec::new();
        let mut refused = refused.into_iter().peekable();
        for (nth, (_, position, at, line)) in self.starts.iter().enumerate() {
            let text = self.part(&(nth..nth + 1));
            match refused.next_if(|(row, _)| *row == nth) {
                None => kept.extend_from_slice(text),
                Some((_, why)) => {
                    let text = String::from_utf8_lossy(text);
                    let row = schema.refused(*line, text.trim_end(), why);
                    bad.push(Misfit { at: *at, position: *position, row });
                }
            }
        }
        (kept, bad)
    }
}

#[cfg(test)]
mod tests {
    use headwater_log::ReleaseId;

    use super::*;

    #[test]
    fn a_range_that_somebody_is_at_is_made_once() {
        let chain = Chain { outputs: Vec::new(), consumers: Vec::new() };
        let range = |to| Range { from: to, to, release: ReleaseId::default(), effect: false };
        let sets = BlockSets::default();
        for to in 10..14 {
            drop(sets.of(range(to), &chain));
        }
        // Two consumers far behind the others come to one range.
        let first = sets.of(range(1), &chain);
        for to in 14..20 {
            drop(sets.of(range(to), &chain));
        }
        assert!(Arc::ptr_eq(&first, &sets.of(range(1), &chain)));
        drop(first);
        drop(sets.of(range(20), &chain));
        assert_eq!(sets.0.lock().expect("whole").len(), BlockSets::KEPT, "and goes when nobody is");
        sets.let_go(19);
        assert_eq!(sets.0.lock().expect("whole").len(), 1);
    }
}
