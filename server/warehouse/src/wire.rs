//! What pool and worker say to each other: length-prefixed frames over pipes.
//!
//! Both ends are the same build, so there are no versions; lengths are checked all the same, because a worker that went
//! wrong must not be able to make its parent allocate at will.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::error::{EngineError, StatementError};
use crate::insert::{InputFormat, Insert, Work};
use crate::request::{Allow, Class, Format, Limits, Request, Stats};

/// No frame is longer, bytes. Limits of requests keep answers far below.
const MAX_FRAME: u32 = 1 << 30;

/// From the pool.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToWorker {
    /// The first frame: load this and open the engine.
    Start(Start),
    /// Do this. Work is done in the order in which it comes.
    Run(u64, Work),
    /// Stop this one if it is running, and do not start it if it is not.
    Cancel(u64),
    /// One more piece of this answer may come.
    More(u64),
    /// End, once what was sent before is done.
    Close,
}

/// How many pieces of an answer are on their way, or wait to be taken.
pub(crate) const WINDOW: u64 = 4;

/// Work has numbers that grow, and says by them on which connection of the process it is done.
pub(crate) const LANES: usize = 256;

/// The connection that does the work of this number.
pub(crate) fn lane(id: u64) -> usize {
    (id % LANES as u64) as usize
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// The engine's library.
    pub(crate) library: String,
    /// Statements run once, before anything else.
    pub(crate) prelude: Vec<String>,
    /// `name` or `name:N`: what goes wrong, and at which request of this process. For tests.
    pub(crate) fault: String,
    /// Where data is stored; empty for nowhere.
    pub(crate) path: String,
    /// The database that unqualified names mean.
    pub(crate) database: String,
    /// Connections that change data, in front of those that read.
    pub(crate) writers: u64,
    /// Connections that read.
    pub(crate) readers: u64,
    /// The system keeps the engine to its own folders.
    pub(crate) confine: bool,
}

/// From the worker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToPool {
    /// The engine runs; this is what the system does not keep it from, empty when it is confined as was asked.
    Ready(String),
    /// It does not, and why.
    NotReady(String),
    /// A piece of an answer.
    Piece(u64, Vec<u8>),
    /// What a request ended with.
    Done(u64, Result<Outcome, EngineError>),
}

/// What a statement came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) class: Class,
    pub(crate) body: Vec<u8>,
    pub(crate) stats: Stats,
}

/// Writes a frame; does not flush.
pub(crate) fn send(out: &mut impl Write, frame: &Frame) -> io::Result<()> {
    let tail = frame.tail.as_ref().map_or(&[][..], |t| t.as_slice());
    let length = u32::try_from(frame.bytes.len() + tail.len()).ok().filter(|l| *l <= MAX_FRAME);
    let length = length.ok_or_else(|| invalid("a frame is too long"))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&frame.bytes)?;
    out.write_all(tail)
}

/// Reads a frame; `None` at the end of the stream.
pub(crate) fn receive(input: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut length = [0; 4];
    match input.read_exact(&mut length) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u32::from_le_bytes(length);
    if length > MAX_FRAME {
        return Err(invalid("a frame is too long"));
    }
    // Grows with what really arrives, whatever the length claims.
    let mut bytes = Vec::with_capacity(length.min(1 << 16) as usize);
    input.take(u64::from(length)).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Ok(None);
    }
    Ok(Some(Frame { bytes, tail: None }))
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// The bytes of one message.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    bytes: Vec<u8>,
    /// What follows: rows that are sent and not copied. Of a frame that was received, all is in `bytes`.
    tail: Option<Arc<Vec<u8>>>,
}

impl Frame {
    fn tag(tag: u8) -> Self {
        Self { bytes: vec![tag], tail: None }
    }

    fn number(mut self, number: u64) -> Self {
        self.bytes.extend_from_slice(&number.to_le_bytes());
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self = self.number(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// For the pool to send.
    pub(crate) fn to_worker(message: &ToWorker) -> Self {
        match message {
            ToWorker::Start(start) => {
                let mut frame = Self::tag(0)
                    .text(&start.library)
                    .text(&start.fault)
                    .text(&start.path)
                    .text(&start.database)
                    .number(start.writers)
                    .number(start.readers)
                    .number(u64::from(start.confine));
                for statement in &start.prelude {
                    frame = frame.text(statement);
                }
                frame
            }
            ToWorker::Run(id, work) => Self::run(*id, work),
            ToWorker::Cancel(id) => Self::tag(2).number(*id),
            ToWorker::More(id) => Self::tag(5).number(*id),
            ToWorker::Close => Self::tag(6),
        }
    }

    /// [`ToWorker::Run`] without owning the work.
    pub(crate) fn run(id: u64, work: &Work) -> Self {
        match work {
            Work::Query(request) | Work::Stream(request) => {
                let mut frame = Self::tag(1)
                    .number(id)
                    .number(u64::from(matches!(work, Work::Stream(_))))
                    .number(request.format as u64)
                    .number(request.allow as u64)
                    .limits(request.limits)
                    .text(&request.sql);
                for (name, value) in &request.params {
                    frame = frame.text(name).text(value);
                }
                frame
            }
            Work::Reset => Self::tag(3).number(id),
            Work::Insert(insert) => {
                let mut frame = Self::tag(4)
                    .number(id)
                    .number(insert.format as u64)
                    .limits(insert.limits)
                    .text(&insert.table)
                    .number(u64::from(insert.database.is_some()))
                    .text(insert.database.as_deref().unwrap_or_default())
                    .number(insert.columns.len() as u64);
                for column in &insert.columns {
                    frame = frame.text(column);
                }
                frame = frame.number(insert.settings.len() as u64);
                for (name, value) in &insert.settings {
                    frame = frame.text(name).text(value);
                }
                frame.tail = Some(insert.data.clone());
                frame
            }
        }
    }

    fn limits(self, limits: Limits) -> Self {
        self.number(u64::try_from(limits.time.as_micros()).unwrap_or(u64::MAX))
            .number(limits.memory)
            .number(limits.result_rows)
            .number(limits.result_bytes)
    }

    /// For the worker to send.
    pub(crate) fn to_pool(message: &ToPool) -> Self {
        match message {
            ToPool::Ready(open) => Self::tag(0).text(open),
            ToPool::NotReady(why) => Self::tag(1).text(why),
            ToPool::Piece(id, bytes) => Self::tag(4).number(*id).bytes(bytes),
            ToPool::Done(id, Ok(Outcome { class, body, stats })) => Self::tag(2)
                .number(*id)
                .number(*class as u64)
                .number(u64::try_from(stats.elapsed.as_nanos()).unwrap_or(u64::MAX))
                .number(stats.result_rows)
                .number(stats.read_rows)
                .number(stats.read_bytes)
                .number(stats.written_rows)
                .number(stats.written_bytes)
                .bytes(body),
            ToPool::Done(id, Err(error)) => {
                let frame = Self::tag(3).number(*id);
                match error {
                    EngineError::Statement(e) => frame
                        .number(0)
                        .number(u64::from(e.code.cast_unsigned()))
                        .number(e.position.map_or(u64::MAX, u64::from))
                        .text(&e.name)
                        .text(&e.message),
                    EngineError::SeveralStatements(count) => frame.number(1).number(u64::from(*count)),
                    EngineError::NoStatement => frame.number(2),
                    EngineError::NotAllowed { class, allow } => {
                        frame.number(3).number(*class as u64).number(*allow as u64)
                    }
                    EngineError::TooLarge { bytes, limit } => frame.number(4).number(*bytes).number(*limit),
                    EngineError::Cancelled => frame.number(5),
                    EngineError::Invalid(why) => frame.number(7).text(why),
                    // These are the pool's own verdicts.
                    EngineError::TimedOut(_)
                    | EngineError::Crashed(_)
                    | EngineError::InsertTooLarge { .. }
                    | EngineError::SessionLost(_)
                    | EngineError::Unavailable(_) => frame.number(6).text(&error.to_string()),
                }
            }
        }
    }

    /// Reads what [`Frame::to_worker`] wrote.
    pub(crate) fn read_to_worker(&self) -> io::Result<ToWorker> {
        let (tag, mut rest) = self.open()?;
        Ok(match tag {
            0 => {
                let (library, fault) = (rest.text()?, rest.text()?);
                let (path, database) = (rest.text()?, rest.text()?);
                let (writers, readers) = (rest.number()?, rest.number()?);
                let confine = rest.number()? != 0;
                let mut prelude = Vec::new();
                while !rest.is_empty() {
                    prelude.push(rest.text()?);
                }
                ToWorker::Start(Start { library, prelude, fault, path, database, writers, readers, confine })
            }
            1 => {
                let id = rest.number()?;
                let is_stream = rest.number()? != 0;
                let format = pick(&Format::ALL, rest.number()?)?;
                let allow = pick(&ALLOW, rest.number()?)?;
                let limits = rest.limits()?;
                let sql = rest.text()?;
                let mut params = Vec::new();
                while !rest.is_empty() {
                    params.push((rest.text()?, rest.text()?));
                }
                let request = Request { sql, params, format, limits, allow };
                ToWorker::Run(id, if is_stream { Work::Stream(request) } else { Work::Query(request) })
            }
            2 => ToWorker::Cancel(rest.number()?),
            3 => ToWorker::Run(rest.number()?, Work::Reset),
            5 => ToWorker::More(rest.number()?),
            6 => ToWorker::Close,
            4 => {
                let id = rest.number()?;
                let format = pick(&InputFormat::ALL, rest.number()?)?;
                let limits = rest.limits()?;
                let table = rest.text()?;
                let database = (rest.number()?, rest.text()?);
                let database = (database.0 != 0).then_some(database.1);
                let mut columns = Vec::new();
                for _ in 0..rest.number()? {
                    columns.push(rest.text()?);
                }
                let mut settings = Vec::new();
                for _ in 0..rest.number()? {
                    settings.push((rest.text()?, rest.text()?));
                }
                let data = Arc::new(rest.0.to_vec());
                ToWorker::Run(
                    id,
                    Work::Insert(Insert { database, table, columns, format, settings, data, limits }),
                )
            }
            _ => return Err(invalid("an unknown frame")),
        })
    }

    /// Reads what [`Frame::to_pool`] wrote.
    pub(crate) fn read_to_pool(&self) -> io::Result<ToPool> {
        let (tag, mut rest) = self.open()?;
        Ok(match tag {
            0 => ToPool::Ready(rest.text()?),
            1 => ToPool::NotReady(rest.text()?),
            2 => {
                let id = rest.number()?;
                let class = pick(&CLASS, rest.number()?)?;
                let stats = Stats {
                    elapsed: Duration::from_nanos(rest.number()?),
                    result_rows: rest.number()?,
                    read_rows: rest.number()?,
                    read_bytes: rest.number()?,
                    written_rows: rest.number()?,
                    written_bytes: rest.number()?,
                };
                ToPool::Done(id, Ok(Outcome { class, body: rest.bytes()?.to_vec(), stats }))
            }
            3 => {
                let id = rest.number()?;
                let error = match rest.number()? {
                    0 => EngineError::Statement(StatementError {
                        code: (rest.number()? as u32).cast_signed(),
                        position: u32::try_from(rest.number()?).ok(),
                        name: rest.text()?,
                        message: rest.text()?,
                    }),
                    1 => EngineError::SeveralStatements(u32::try_from(rest.number()?).unwrap_or(u32::MAX)),
                    2 => EngineError::NoStatement,
                    3 => EngineError::NotAllowed {
                        class: pick(&CLASS, rest.number()?)?,
                        allow: pick(&ALLOW, rest.number()?)?,
                    },
                    4 => EngineError::TooLarge { bytes: rest.number()?, limit: rest.number()? },
                    5 => EngineError::Cancelled,
                    7 => EngineError::Invalid(rest.text()?),
                    _ => EngineError::Crashed(rest.text()?),
                };
                ToPool::Done(id, Err(error))
            }
            4 => ToPool::Piece(rest.number()?, rest.bytes()?.to_vec()),
            _ => return Err(invalid("an unknown frame")),
        })
    }

    fn open(&self) -> io::Result<(u8, Rest<'_>)> {
        let (tag, rest) = self.bytes.split_first().ok_or_else(|| invalid("an empty frame"))?;
        Ok((*tag, Rest(rest)))
    }
}

const ALLOW: [Allow; 4] = [Allow::Parse, Allow::Reads, Allow::Changes, Allow::Anything];
const CLASS: [Class; 5] =
    [Class::Reads, Class::Changes, Class::ChangesGlobals, Class::Control, Class::Unknown];

fn pick<T: Copy>(all: &[T], index: u64) -> io::Result<T> {
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    all.get(index).copied().ok_or_else(|| invalid("an unknown value"))
}

/// What of a frame is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn limits(&mut self) -> io::Result<Limits> {
        Ok(Limits {
            time: Duration::from_micros(self.number()?),
            memory: self.number()?,
            result_rows: self.number()?,
            result_bytes: self.number()?,
        })
    }

    fn number(&mut self) -> io::Result<u64> {
        let (number, rest) = self.0.split_first_chunk().ok_or_else(|| invalid("a short frame"))?;
        self.0 = rest;
        Ok(u64::from_le_bytes(*number))
    }

    fn bytes(&mut self) -> io::Result<&'a [u8]> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(|| invalid("a short frame"))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> io::Result<String> {
        String::from_utf8(self.bytes()?.to_vec()).map_err(|_| invalid("a text that is not UTF-8"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request() -> impl Strategy<Value = Request> {
        let limits = (any::<u32>(), any::<u64>(), any::<u64>(), any::<u64>()).prop_map(|(t, m, r, b)| {
            Limits { time: Duration::from_micros(u64::from(t)), memory: m, result_rows: r, result_bytes: b }
        });
        let params = proptest::collection::vec((".{0,9}", ".{0,9}"), 0..4);
        (".{0,60}", params, 0..Format::ALL.len(), limits, 0..ALLOW.len()).prop_map(
            |(sql, params, f, limits, a)| Request {
                sql,
                params,
                format: Format::ALL[f],
                limits,
                allow: ALLOW[a],
            },
        )
    }

    proptest! {
        #[test]
        fn requests_come_back(id in any::<u64>(), request in request(), is_stream in any::<bool>()) {
            let work = if is_stream { Work::Stream(request) } else { Work::Query(request) };
            let message = ToWorker::Run(id, work);
            let mut pipe = Vec::new();
            send(&mut pipe, &Frame::to_worker(&message)).expect("it fits");
            let frame = receive(&mut pipe.as_slice()).expect("readable").expect("one frame");
            prop_assert_eq!(frame.read_to_worker().expect("whole"), message);
        }

        #[test]
        fn rows_come_back(
            names in proptest::collection::vec(".{0,9}", 1..5),
            format in 0..InputFormat::ALL.len(),
            data in proptest::collection::vec(any::<u8>(), 0..90),
            database in proptest::option::of(".{0,9}"),
        ) {
            let mut insert = Insert::new(names[0].clone(), &names, InputFormat::ALL[format], data);
            insert.database = database;
            insert.settings = names.iter().map(|n| (n.clone(), "v".to_owned())).collect();
            let message = ToWorker::Run(3, Work::Insert(insert));
            let mut pipe = Vec::new();
            send(&mut pipe, &Frame::to_worker(&message)).expect("it fits");
            let frame = receive(&mut pipe.as_slice()).expect("readable").expect("one frame");
            prop_assert_eq!(frame.read_to_worker().expect("whole"), message);
        }

        /// A worker that went wrong must not take its parent with it.
        #[test]
        fn noise_is_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = receive(&mut bytes.as_slice());
            let frame = Frame { bytes, tail: None };
            let _ = frame.read_to_pool();
            let _ = frame.read_to_worker();
        }
    }

    #[test]
    fn answers_come_back() {
        let statement = StatementError { code: -7, name: "N".into(), message: "m".into(), position: Some(3) };
        let messages = [
            ToPool::Ready("no Landlock".into()),
            ToPool::NotReady("no".into()),
            ToPool::Done(
                1,
                Ok(Outcome {
                    class: Class::Control,
                    body: vec![0, 255],
                    stats: Stats {
                        elapsed: Duration::from_nanos(1),
                        result_rows: 2,
                        read_rows: 3,
                        read_bytes: 4,
                        written_rows: 5,
                        written_bytes: 6,
                    },
                }),
            ),
            ToPool::Done(
                2,
                Err(EngineError::Statement(StatementError { position: None, ..statement.clone() })),
            ),
            ToPool::Done(2, Err(EngineError::Statement(statement))),
            ToPool::Done(3, Err(EngineError::SeveralStatements(2))),
            ToPool::Done(4, Err(EngineError::NoStatement)),
            ToPool::Done(5, Err(EngineError::NotAllowed { class: Class::Changes, allow: Allow::Reads })),
            ToPool::Done(6, Err(EngineError::TooLarge { bytes: 9, limit: 8 })),
            ToPool::Done(7, Err(EngineError::Cancelled)),
            ToPool::Piece(9, vec![0, 1, 255]),
            ToPool::Done(8, Err(EngineError::Invalid("no".into()))),
        ];
        for message in messages {
            assert_eq!(Frame::to_pool(&message).read_to_pool().expect("whole"), message);
        }
    }

    #[test]
    fn what_a_worker_is_told_comes_back() {
        let start = Start {
            library: "l".into(),
            prelude: vec!["a".into(), String::new()],
            fault: "f:1".into(),
            path: "p".into(),
            database: "d".into(),
            writers: 2,
            readers: 3,
            confine: true,
        };
        for message in [
            ToWorker::Start(start),
            ToWorker::Cancel(1),
            ToWorker::More(2),
            ToWorker::Close,
            ToWorker::Run(3, Work::Reset),
        ] {
            assert_eq!(Frame::to_worker(&message).read_to_worker().expect("whole"), message);
        }
    }

    #[test]
    fn a_cut_frame_is_the_end() {
        let mut pipe = Vec::new();
        send(&mut pipe, &Frame::to_worker(&ToWorker::Cancel(1))).expect("it fits");
        assert!(receive(&mut &pipe[..pipe.len() - 1]).expect("no error").is_none());
        assert!(receive(&mut &pipe[..2]).expect("no error").is_none());
        assert!(receive(&mut u32::MAX.to_le_bytes().as_slice()).is_err());
    }
}
