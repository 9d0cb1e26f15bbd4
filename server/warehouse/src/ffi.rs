//! The engine's C interface, as little of it as we use. The only file of the crate with `unsafe`.
//!
//! Facts that shape it, all measured: the library is never unloaded (its threads outlive any connection); it must not
//! be loaded in a process that forks; a connection runs one statement at a time, and two connections of one process run
//! in parallel; without `chdb_set_signal_handlers_enabled(0)` it takes over SEGV and ABRT.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::path::Path;
use std::ptr::{self, NonNull};
use std::time::{Duration, Instant};

use crate::request::{Class, Stats};

/// What `chdb_connection` points to.
type Connected = *mut c_void;
/// An answer of the engine.
type Reply = *mut c_void;
/// A streaming insert under way.
type InsertStream = *mut c_void;

/// `chdb_query_analysis_v1`.
#[repr(C)]
#[derive(Default)]
struct Analysis {
    struct_size: u32,
    statement_count: u32,
    flags: u32,
    query_class: u32,
}

/// The functions, found once.
#[derive(Clone, Copy)]
struct Functions {
    connect: unsafe extern "C" fn(c_int, *mut *mut c_char) -> *mut Connected,
    close: unsafe extern "C" fn(*mut Connected),
    query: unsafe extern "C" fn(Connected, *const c_char, usize, *const c_char, usize) -> Reply,
    query_with_params: unsafe extern "C" fn(
        Connected,
        *const c_char,
        usize,
        *const c_char,
        usize,
        *const *const c_char,
        *const usize,
        *const *const c_char,
        *const usize,
        usize,
    ) -> Reply,
    stream_with_params: unsafe extern "C" fn(
        Connected,
        *const c_char,
        usize,
        *const c_char,
        usize,
        *const *const c_char,
        *const usize,
        *const *const c_char,
        *const usize,
        usize,
    ) -> Reply,
    stream_fetch: unsafe extern "C" fn(Connected, Reply) -> Reply,
    stream_cancel: unsafe extern "C" fn(Connected, Reply),
    classify:
        unsafe extern "C" fn(Connected, *const c_char, usize, *const c_char, usize, *mut Analysis) -> c_int,
    buffer: unsafe extern "C" fn(Reply) -> *const u8,
    length: unsafe extern "C" fn(Reply) -> usize,
    error: unsafe extern "C" fn(Reply) -> *const c_char,
    elapsed: unsafe extern "C" fn(Reply) -> f64,
    result_rows: unsafe extern "C" fn(Reply) -> u64,
    read_rows: unsafe extern "C" fn(Reply) -> u64,
    read_bytes: unsafe extern "C" fn(Reply) -> u64,
    written_rows: unsafe extern "C" fn(Reply) -> u64,
    written_bytes: unsafe extern "C" fn(Reply) -> u64,
    destroy: unsafe extern "C" fn(Reply),
    insert: unsafe extern "C" fn(Connected, *const c_char, usize, *const c_char, usize) -> InsertStream,
    insert_append: unsafe extern "C" fn(InsertStream, *const c_void, usize) -> c_int,
    insert_done: unsafe extern "C" fn(InsertStream) -> Reply,
    insert_cancel: unsafe extern "C" fn(InsertStream),
    insert_error: unsafe extern "C" fn(InsertStream) -> *const c_char,
    insert_destroy: unsafe extern "C" fn(InsertStream),
    signal_handlers: unsafe extern "C" fn(c_int),
}

/// The engine, loaded into this process for good.
#[derive(Clone, Copy)]
pub(crate) struct Library(Functions);

/// What the engine's parser says about a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Classified {
    /// Statements in it; 0 when it is blank or not understood.
    pub(crate) statements: u32,
    pub(crate) class: Class,
}

impl Library {
    /// Loads `path`. The error says what is wrong with the file.
    pub(crate) fn load(path: &Path) -> Result<Self, String> {
        // SAFETY: runs the initialisers of a library that the user named or that was installed with its checksum
        // verified; this process is a worker that does nothing else and never forks.
        let library = unsafe { libloading::Library::new(path) }
            .map_err(|e| format!("{} does not load: {e}", path.display()))?;
        macro_rules! find {
            ($name:literal) => {
                // SAFETY: the type is the one that the engine's header declares for this symbol.
                *unsafe { library.get($name) }.map_err(|e| {
                    let name = String::from_utf8_lossy($name).into_owned();
                    format!(
                        "{} has no `{name}`, so it is not the engine version this needs: {e}",
                        path.display()
                    )
                })?
            };
        }
        let functions = Functions {
            connect: find!(b"chdb_connect"),
            close: find!(b"chdb_close_conn"),
            query: find!(b"chdb_query_n"),
            query_with_params: find!(b"chdb_query_with_params_n"),
            stream_with_params: find!(b"chdb_stream_query_with_params_n"),
            stream_fetch: find!(b"chdb_stream_fetch_result"),
            stream_cancel: find!(b"chdb_stream_cancel_query"),
            classify: find!(b"chdb_classify_query_n"),
            buffer: find!(b"chdb_result_buffer"),
            length: find!(b"chdb_result_length"),
            error: find!(b"chdb_result_error"),
            elapsed: find!(b"chdb_result_elapsed"),
            result_rows: find!(b"chdb_result_rows_read"),
            read_rows: find!(b"chdb_result_storage_rows_read"),
            read_bytes: find!(b"chdb_result_storage_bytes_read"),
            written_rows: find!(b"chdb_result_rows_written"),
            written_bytes: find!(b"chdb_result_bytes_written"),
            destroy: find!(b"chdb_destroy_query_result"),
            insert: find!(b"chdb_stream_insert_n"),
            insert_append: find!(b"chdb_stream_append"),
            insert_done: find!(b"chdb_stream_done"),
            insert_cancel: find!(b"chdb_stream_cancel_insert"),
            insert_error: find!(b"chdb_stream_insert_error"),
            insert_destroy: find!(b"chdb_destroy_insert_stream"),
            signal_handlers: find!(b"chdb_set_signal_handlers_enabled"),
        };
        // Never unloaded, so the functions above stay valid for the rest of the process.
        std::mem::forget(library);
        // SAFETY: the header allows it at any time before the first connection.
        unsafe { (functions.signal_handlers)(0) };
        Ok(Self(functions))
    }

    /// Opens a connection. The first one of a process starts the engine with `args`.
    pub(crate) fn connect(self, args: &[String]) -> Result<Connection, String> {
        let args: Vec<CString> = std::iter::once("clickhouse")
            .chain(args.iter().map(String::as_str))
            .map(|a| CString::new(a).map_err(|_| "an argument of the engine has a NUL in it".to_owned()))
            .collect::<Result<_, _>>()?;
        let mut argv: Vec<*mut c_char> = args.iter().map(|a| a.as_ptr().cast_mut()).collect();
        let argc = c_int::try_from(argv.len()).map_err(|_| "too many arguments".to_owned())?;
        // SAFETY: `argc` pointers to NUL-terminated texts that live until the call returns; the engine copies them.
        let raw = unsafe { (self.0.connect)(argc, argv.as_mut_ptr()) };
        let raw = NonNull::new(raw).ok_or("the engine did not start; its own words are above")?;
        // SAFETY: not null, and owned by us until `chdb_close_conn`.
        if unsafe { *raw.as_ptr() }.is_null() {
            return Err("the engine started without a connection".to_owned());
        }
        Ok(Connection { functions: self.0, raw })
    }
}

/// One session. Runs one statement at a time, which `&mut` makes sure of.
pub(crate) struct Connection {
    functions: Functions,
    raw: NonNull<Connected>,
}

// SAFETY: the engine ties a connection to no thread; two threads at once are excluded by `&mut`.
unsafe impl Send for Connection {}

impl Connection {
    fn connected(&self) -> Connected {
        // SAFETY: `raw` is valid until `drop`.
        unsafe { *self.raw.as_ptr() }
    }

    /// Runs `sql`, **all** statements in it: callers check that it is one.
    pub(crate) fn query(
        &mut self,
        sql: &str,
        params: &[(String, String)],
        format: &str,
    ) -> Result<(Vec<u8>, Stats), String> {
        let reply = if params.is_empty() {
            // SAFETY: both texts are given with their lengths and live until the call returns.
            unsafe {
                (self.functions.query)(
                    self.connected(),
                    sql.as_ptr().cast(),
                    sql.len(),
                    format.as_ptr().cast(),
                    format.len(),
                )
            }
        } else {
            let (names, name_lengths) = pointers(params.iter().map(|p| &p.0));
            let (values, value_lengths) = pointers(params.iter().map(|p| &p.1));
            // SAFETY: as above; the four arrays have `params.len()` elements each.
            unsafe {
                (self.functions.query_with_params)(
                    self.connected(),
                    sql.as_ptr().cast(),
                    sql.len(),
                    format.as_ptr().cast(),
                    format.len(),
                    names.as_ptr(),
                    name_lengths.as_ptr(),
                    values.as_ptr(),
                    value_lengths.as_ptr(),
                    params.len(),
                )
            }
        };
        self.take(reply)
    }

    /// Runs `sql`, which must read, and gives its answer piece by piece: each is one block of rows, written in `format` as
    /// if it were alone. `take` is asked to take each; at the first `false` the statement is taken back, and the answer is
    /// `None`. Statistics are the sums over the pieces.
    pub(crate) fn stream(
        &mut self,
        sql: &str,
        params: &[(String, String)],
        format: &str,
        mut take: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<Option<Stats>, String> {
        let (names, name_lengths) = pointers(params.iter().map(|p| &p.0));
        let (values, value_lengths) = pointers(params.iter().map(|p| &p.1));
        let start = Instant::now();
        // SAFETY: all texts are given with their lengths and live until the call returns; the four arrays have
        // `params.len()` elements each.
        let raw = unsafe {
            (self.functions.stream_with_params)(
                self.connected(),
                sql.as_ptr().cast(),
                sql.len(),
                format.as_ptr().cast(),
                format.len(),
                names.as_ptr(),
                name_lengths.as_ptr(),
                values.as_ptr(),
                value_lengths.as_ptr(),
                params.len(),
            )
        };
        if raw.is_null() {
            return Err("the engine opened no stream".to_owned());
        }
        // A stream that is freed while it is neither at its end nor cancelled spoils the connection.
        let mut stream =
            Streaming { functions: self.functions, connected: self.connected(), raw, is_open: true };
        // SAFETY: `raw` is a result that is not destroyed; its error lives as long, and is copied.
        let error = unsafe { (self.functions.error)(raw) };
        if !error.is_null() {
            stream.is_open = false;
            // SAFETY: not null, and NUL-terminated.
            return Err(unsafe { CStr::from_ptr(error) }.to_string_lossy().into_owned());
        }
        let mut sum = Stats::default();
        loop {
            // SAFETY: connection and stream are open, and used by this thread only.
            let reply = unsafe { (self.functions.stream_fetch)(self.connected(), raw) };
            match self.take(reply) {
                Err(error) => {
                    stream.is_open = false;
                    return Err(error);
                }
                Ok((bytes, _)) if bytes.is_empty() => {
                    stream.is_open = false;
                    return Ok(Some(Stats { elapsed: start.elapsed(), ..sum }));
                }
                Ok((bytes, stats)) => {
                    sum.result_rows += stats.result_rows;
                    sum.read_rows += stats.read_rows;
                    sum.read_bytes += stats.read_bytes;
                    if !take(bytes) {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Writes `data` through `statement`, an `INSERT` without `FORMAT` and without rows. `go_on` is asked between pieces:
    /// at the first `false` the insert is taken back, and the answer is `None`.
    pub(crate) fn insert(
        &mut self,
        statement: &str,
        format: &str,
        data: &[u8],
        mut go_on: impl FnMut() -> bool,
    ) -> Result<Option<Stats>, String> {
        /// Pieces are copied by the engine, and it can be told to stop between two of them.
        const PIECE: usize = 1 << 20;
        // SAFETY: both texts are given with their lengths and live until the call returns.
        let raw = unsafe {
            (self.functions.insert)(
                self.connected(),
                statement.as_ptr().cast(),
                statement.len(),
                format.as_ptr().cast(),
                format.len(),
            )
        };
        if raw.is_null() {
            return Err("the engine opened no insert".to_owned());
        }
        let stream = Inserting { functions: self.functions, raw };
        if let Some(error) = stream.error() {
            return Err(error);
        }
        for piece in data.chunks(PIECE) {
            if !go_on() {
                // SAFETY: the stream is open; cancelling it does not free it.
                unsafe { (self.functions.insert_cancel)(raw) };
                return Ok(None);
            }
            // SAFETY: the bytes live until the call returns; the engine copies them.
            if unsafe { (self.functions.insert_append)(raw, piece.as_ptr().cast(), piece.len()) } != 0 {
                return Err(stream.error().unwrap_or_else(|| "the engine took no more rows".to_owned()));
            }
        }
        // SAFETY: the stream is open and neither finished nor cancelled; its result is a reply like any other.
        let reply = unsafe { (self.functions.insert_done)(raw) };
        self.take(reply).map(|(_, stats)| Some(stats))
    }

    /// Copies what is in `reply`, and destroys it.
    fn take(&self, reply: Reply) -> Result<(Vec<u8>, Stats), String> {
        if reply.is_null() {
            return Err("the engine gave no answer".to_owned());
        }
        let f = self.functions;
        // SAFETY: `reply` is a result of this engine, not yet destroyed. Buffer and error live until `destroy`, and are
        // copied before it.
        unsafe {
            let error = (f.error)(reply);
            let result = if error.is_null() {
                let (data, length) = ((f.buffer)(reply), (f.length)(reply));
                let bytes = if data.is_null() { &[] } else { std::slice::from_raw_parts(data, length) };
                let stats = Stats {
                    elapsed: Duration::try_from_secs_f64((f.elapsed)(reply)).unwrap_or_default(),
                    result_rows: (f.result_rows)(reply),
                    read_rows: (f.read_rows)(reply),
                    read_bytes: (f.read_bytes)(reply),
                    written_rows: (f.written_rows)(reply),
                    written_bytes: (f.written_bytes)(reply),
                };
                Ok((bytes.to_vec(), stats))
            } else {
                Err(CStr::from_ptr(error).to_string_lossy().into_owned())
            };
            (f.destroy)(reply);
            result
        }
    }

    /// Parses `sql` with the engine's own parser and says what it is, without running it.
    pub(crate) fn classify(&mut self, sql: &str) -> Classified {
        let mut analysis = Analysis { struct_size: size_of::<Analysis>() as u32, ..Analysis::default() };
        // SAFETY: the text is given with its length; the struct says its own size.
        let state = unsafe {
            (self.functions.classify)(
                self.connected(),
                sql.as_ptr().cast(),
                sql.len(),
                ptr::null(),
                0,
                &raw mut analysis,
            )
        };
        let class = match (state, analysis.query_class) {
            (0, 0) => Class::Reads,
            (0, 1) => Class::Changes,
            (0, 2) => Class::ChangesGlobals,
            (0, 3) => Class::Control,
            _ => Class::Unknown,
        };
        Classified { statements: if state == 0 { analysis.statement_count } else { 0 }, class }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: opened by `chdb_connect`, closed once.
        unsafe { (self.functions.close)(self.raw.as_ptr()) }
    }
}

fn pointers<'t>(texts: impl Iterator<Item = &'t String>) -> (Vec<*const c_char>, Vec<usize>) {
    texts.map(|t| (t.as_ptr().cast::<c_char>(), t.len())).unzip()
}

/// An answer that is fetched piece by piece: cancelled unless it is at its end, and freed in every case.
struct Streaming {
    functions: Functions,
    connected: Connected,
    raw: Reply,
    is_open: bool,
}

impl Drop for Streaming {
    fn drop(&mut self) {
        // SAFETY: opened by `chdb_stream_query_with_params_n` on this connection, which outlives it; freed once.
        unsafe {
            if self.is_open {
                (self.functions.stream_cancel)(self.connected, self.raw);
            }
            (self.functions.destroy)(self.raw);
        }
    }
}

/// A streaming insert, freed in every case. Freeing one that was not finished takes it back.
struct Inserting {
    functions: Functions,
    raw: InsertStream,
}

impl Inserting {
    fn error(&self) -> Option<String> {
        // SAFETY: the stream is not freed; its error lives as long as it does, and is copied.
        unsafe {
            let error = (self.functions.insert_error)(self.raw);
            (!error.is_null()).then(|| CStr::from_ptr(error).to_string_lossy().into_owned())
        }
    }
}

impl Drop for Inserting {
    fn drop(&mut self) {
        // SAFETY: opened by `chdb_stream_insert_n`, freed once.
        unsafe { (self.functions.insert_destroy)(self.raw) }
    }
}
