//! `headwater preview` and `headwater sql`: queries on the project's samples, in an engine of this run alone.

use std::io::{IsTerminal, Read};

use headwater_analysis::{Database, File, interface, resource_name};
use headwater_engine::compile::{Clock, Compiler};
use headwater_engine::preview::{
    Asker, Cancel, Column, Cost, Outcome, Profile, Question, QuestionError, Rows, Shape, What, layout,
    profile_steps,
};
use headwater_engine::run::{Bench, RunOptions};
use headwater_engine::world::World;
use headwater_project::{Loaded, OsFileSystem};
use headwater_template::Parameters;
use headwater_warehouse::{EngineError, Pool, Session};

use crate::args::{PreviewArgs, PreviewFormat, SampleArgs, SqlArgs};
use crate::project::load_one;
use crate::test::{Suite, pool_config};
use crate::{CannotRun, Verdict, print, print_bytes, write_whole};

/// A table on a terminal that does not say how wide it is.
const WIDTH: usize = 120;

/// Rows of a profile are measured this often; the best counts.
const ROUNDS: usize = 3;

pub(crate) fn run(args: &PreviewArgs) -> Result<Verdict, CannotRun> {
    let mut db = Database::default();
    let loaded = load_one(&mut db, args.samples.project.as_deref())?;
    let shop = Shop::new(&db, &loaded, &args.samples)?;
    shop.open(|world, session, cancel| {
        let (what, pipe, node) = wanted(world.compiler(), args)?;
        shop.show(world, session, cancel, &what, args.profile.then_some((pipe, node)), args.estimate)
    })
}

/// The query that is given, or standard input.
pub(crate) fn query_text(given: Option<&str>) -> Result<String, CannotRun> {
    match given {
        Some(sql) if sql != "-" => Ok(sql.to_owned()),
        _ => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|e| CannotRun(format!("standard input cannot be read: {e}")))?;
            Ok(text)
        }
    }
}

pub(crate) fn sql(args: &SqlArgs) -> Result<Verdict, CannotRun> {
    let sql = query_text(args.sql.as_deref())?;
    let mut db = Database::default();
    let loaded = load_one(&mut db, args.samples.project.as_deref())?;
    let shop = Shop::new(&db, &loaded, &args.samples)?;
    shop.open(|world, session, cancel| {
        let pipe = match &args.pipe {
            Some(name) => Some(world.compiler().pipe(name).ok_or_else(|| {
                CannotRun(format!("the project at {} has no pipe `{name}`", loaded.root.path))
            })?),
            None => None,
        };
        shop.show(world, session, cancel, &What::Sql(sql, pipe), None, args.estimate)
    })
}

/// The part of a pipe that is meant, and its node.
fn wanted(compiler: &Compiler<'_>, args: &PreviewArgs) -> Result<(What, File, usize), CannotRun> {
    let (pipe_name, node_name) = match args.target.split_once(':') {
        Some((pipe, node)) => (pipe, Some(node)),
        None => (args.target.as_str(), None),
    };
    let pipe = compiler.pipe(pipe_name).ok_or_else(|| {
        CannotRun(format!("the project has no pipe `{pipe_name}`; names are file names without extension"))
    })?;
    let face = interface(compiler.db(), pipe).as_ref();
    let nodes: Vec<&str> = face.iter().flat_map(|face| &face.nodes).map(|n| n.name.as_str()).collect();
    let node = match node_name {
        Some(name) => nodes.iter().position(|n| *n == name).ok_or_else(|| {
            CannotRun(format!("{pipe_name} has no node `{name}`; it has {}", nodes.join(", ")))
        })?,
        None => match compiler.output(pipe) {
            Some((node, _)) => node,
            None => return Err(CannotRun(format!("{pipe_name} has no node"))),
        },
    };
    let what = match &args.cte {
        Some(cte) => What::Cte(pipe, node, cte.clone()),
        None => What::Node(pipe, node),
    };
    Ok((what, pipe, node))
}

/// A project, and how it is asked.
struct Shop<'a> {
    db: &'a Database,
    args: &'a SampleArgs,
    bench: Bench,
    parameters: Parameters,
}

impl<'a> Shop<'a> {
    fn new(db: &'a Database, loaded: &Loaded, args: &'a SampleArgs) -> Result<Self, CannotRun> {
        let clock = match &args.now {
            Some(text) => Some(text.parse::<Clock>().map_err(|error| CannotRun(format!("--now: {error}")))?),
            None => None,
        };
        let pairs = args.params.iter().map(|pair| {
            pair.split_once('=').ok_or_else(|| CannotRun(format!("--param {pair}: write it as name=value")))
        });
        let pairs: Vec<(&str, &str)> = pairs.collect::<Result<_, _>>()?;
        if args.format == PreviewFormat::Parquet && args.output.is_none() && std::io::stdout().is_terminal() {
            return Err(CannotRun("Parquet is not for a terminal: name a file with --output".to_owned()));
        }
        let inputs = Suite::read(&OsFileSystem, loaded)?.inputs;
        let bench = Bench::new(db, loaded.project, inputs, RunOptions { clock, ..RunOptions::default() });
        Ok(Self { db, args, bench, parameters: Parameters::from_pairs(pairs) })
    }

    /// An engine of this command's own, with the project's tables as they are needed.
    fn open(
        &self,
        run: impl FnOnce(&mut World<'_>, &Session, &Cancel) -> Result<Verdict, CannotRun>,
    ) -> Result<Verdict, CannotRun> {
        let mut config = pool_config()?;
        config.workers = 1;
        let pool = Pool::new(config);
        let session = pool.session();
        let cancel = Cancel::new();
        crate::interrupt::on_interrupt({
            let cancel = cancel.clone();
            move || cancel.cancel()
        });
        let mut world = self.bench.world(&session, None);
        run(&mut world, &session, &cancel)
    }

    fn show(
        &self,
        world: &mut World<'_>,
        session: &Session,
        cancel: &Cancel,
        what: &What,
        profiled: Option<(File, usize)>,
        estimate: bool,
    ) -> Result<Verdict, CannotRun> {
        let question = match Question::new(world.compiler(), what, &self.parameters) {
            Ok(question) => question,
            Err(error) => return Ok(self.refused(what, &error)),
        };
        let prepared = world.prepare(&question.statement);
        for note in world.take_notes() {
            eprintln!("headwater: {}", note.0);
        }
        if cancel.is_cancelled() {
            return Err(CannotRun("cancelled".to_owned()));
        }
        if let Err(trouble) = prepared {
            eprintln!("headwater: {trouble}");
            return Ok(Verdict::Faults);
        }
        let asked = self.ask(session, cancel, &question, estimate);
        let asked = asked.and_then(|()| match profiled {
            Some((pipe, node)) => self.profile(world, session, cancel, pipe, node),
            None => Ok(()),
        });
        match asked {
            Ok(()) => Ok(Verdict::Fine),
            Err(EngineError::Cancelled) => Err(CannotRun("cancelled".to_owned())),
            Err(EngineError::Unavailable(why)) => Err(CannotRun(why)),
            Err(error) => {
                eprintln!("headwater: {}: {error}", question.title);
                Ok(Verdict::Faults)
            }
        }
    }

    fn ask(
        &self,
        session: &Session,
        cancel: &Cancel,
        question: &Question,
        estimate: bool,
    ) -> Result<(), EngineError> {
        let asker = Asker::new(session, cancel.clone());
        let SampleArgs { format, limit, .. } = self.args;
        if *format == PreviewFormat::Parquet && !estimate {
            return self.give(&asker.parquet(question, *limit)?);
        }
        let outcome = if estimate {
            Outcome::Rows(asker.estimate(question)?, Cost::default())
        } else {
            let shape = match format {
                PreviewFormat::Json => Shape::Json,
                PreviewFormat::Ndjson => Shape::Ndjson,
                _ => Shape::Cells,
            };
            asker.ask(question, *limit, shape)?
        };
        let text = match &outcome {
            Outcome::Text(text, ..) => text.clone(),
            Outcome::Rows(rows, _) => match format {
                PreviewFormat::Csv => layout::csv(rows),
                PreviewFormat::Markdown => layout::markdown(rows),
                _ => layout::table(rows, if self.args.output.is_some() { usize::MAX } else { width() }),
            },
        };
        self.give(text.as_bytes())?;
        if let Outcome::Rows(rows, cost) = &outcome
            && !estimate
        {
            let summary = summary(rows, cost);
            match (&self.args.output, format) {
                (Some(file), _) => eprintln!("headwater: {file}: {summary}"),
                (None, PreviewFormat::Table) => print(&format!("\n{summary}\n")),
                _ => {}
            }
        }
        Ok(())
    }

    /// Prints it, or writes it to the file that is named: as a whole or not at all.
    fn give(&self, bytes: &[u8]) -> Result<(), EngineError> {
        match &self.args.output {
            None => print_bytes(bytes),
            Some(file) => write_whole(file, bytes)
                .map_err(|e| EngineError::Invalid(format!("{file} cannot be written: {e}")))?,
        }
        Ok(())
    }

    fn profile(
        &self,
        world: &mut World<'_>,
        session: &Session,
        cancel: &Cancel,
        pipe: File,
        node: usize,
    ) -> Result<(), EngineError> {
        let steps = profile_steps(world.compiler(), pipe, node, &self.parameters)
            .map_err(|error| EngineError::Invalid(error.to_string()))?;
        for step in &steps {
            world.prepare(&step.question.statement).map_err(|t| EngineError::Invalid(t.to_string()))?;
        }
        let profile = Asker::new(session, cancel.clone()).profile(&steps, ROUNDS)?;
        eprint!("\n{}", profile_table(&profile));
        Ok(())
    }

    fn refused(&self, what: &What, error: &QuestionError) -> Verdict {
        match (what, error) {
            (What::Sql(sql, _), QuestionError::Refused(refusal, Some(at))) => {
                let before = &sql[..at.start];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                eprintln!("headwater: not run: {refusal} (line {line}, column {column})");
            }
            (
                What::Pipe(file) | What::Node(file, _) | What::Cte(file, ..) | What::Selection(file, ..),
                error,
            ) => {
                eprintln!("headwater: {}: {error}", resource_name(self.db, *file));
            }
            (_, error) => eprintln!("headwater: {error}"),
        }
        Verdict::Faults
    }
}

fn summary(rows: &Rows, cost: &Cost) -> String {
    let count = rows.rows.len() as u64;
    let more = if rows.more { ", and more (--limit)" } else { "" };
    let plural = if count == 1 { "row" } else { "rows" };
    format!(
        "{} {plural}{more}; {} in the engine, read {} rows, {}",
        layout::count(count),
        layout::time(cost.elapsed),
        layout::count(cost.rows_read),
        layout::bytes(cost.bytes_read)
    )
}

fn profile_table(profile: &[Profile]) -> String {
    let total: std::time::Duration = profile.iter().map(|p| p.own).sum();
    let column = |name: &str, ty: &str| Column { name: name.into(), ty: ty.into() };
    let rows = profile.iter().map(|p| {
        let share = if total.is_zero() { 0.0 } else { 100.0 * p.own.as_secs_f64() / total.as_secs_f64() };
        let cells = [
            p.name.clone(),
            layout::time(p.own),
            format!("{share:.0} %"),
            layout::count(p.rows),
            layout::count(p.cost.rows_read),
            layout::bytes(p.cost.bytes_read),
        ];
        cells.map(Some).to_vec()
    });
    let rows = Rows {
        columns: vec![
            column("node", "String"),
            column("own time", "Float64"),
            column("share", "Float64"),
            column("rows", "UInt64"),
            column("rows read", "UInt64"),
            column("bytes read", "UInt64"),
        ],
        rows: rows.collect(),
        ..Rows::default()
    };
    layout::plain_table(&rows, width())
}

fn width() -> usize {
    if !std::io::stdout().is_terminal() {
        return usize::MAX;
    }
    std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok()).filter(|c| *c >= 20).unwrap_or(WIDTH)
}
