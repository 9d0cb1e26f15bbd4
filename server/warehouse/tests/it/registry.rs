//! A package registry on this machine that misbehaves on demand.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What the server does with one request, in order; the last one is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Answers well, ranges too.
    Well,
    /// Closes the connection after this many bytes of the body.
    CutAfter(usize),
    /// Answers with the whole file whatever is asked for.
    NoRanges,
    /// Answers a request for a part with another part.
    WrongPart,
    /// Answers with a status and nothing else.
    Status(u16),
}

pub(crate) struct Server {
    pub(crate) url: String,
    /// Path, range and authorization of each request.
    pub(crate) seen: Arc<Mutex<Vec<(String, Option<String>, Option<String>)>>>,
}

impl Server {
    pub(crate) fn start(body: Vec<u8>, manners: &[Manner]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (manners, log) = (manners.to_vec(), seen.clone());
        // Ends with the test's process.
        std::thread::spawn(move || {
            for (n, stream) in listener.incoming().flatten().enumerate() {
                let manner = manners.get(n).or(manners.last()).copied().unwrap_or(Manner::Well);
                // A client that hangs up is what some tests are about.
                let _ = serve(stream, &body, manner, &log);
            }
        });
        Self { url, seen }
    }

    pub(crate) fn ranges(&self) -> Vec<Option<String>> {
        self.seen.lock().expect("not poisoned").iter().map(|s| s.1.clone()).collect()
    }
}

type Log = Mutex<Vec<(String, Option<String>, Option<String>)>>;

fn serve(mut stream: TcpStream, body: &[u8], manner: Manner, log: &Log) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut first = lines.next().transpose()?.unwrap_or_default();
    if first.starts_with("CONNECT ") {
        // As a proxy: what is asked through the tunnel is answered here.
        log.lock().expect("not poisoned").push((first, None, None));
        while lines.next().transpose()?.is_some_and(|l| !l.is_empty()) {}
        write!(stream, "HTTP/1.1 200 Connected\r\n\r\n")?;
        first = lines.next().transpose()?.unwrap_or_default();
    }
    let (mut range, mut authorization) = (None, None);
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("range") => range = Some(value.to_owned()),
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                authorization = Some(value.to_owned());
            }
            _ if line.is_empty() => break,
            _ => {}
        }
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().expect("not poisoned").push((path, range.clone(), authorization));
    let asked: usize =
        range.and_then(|r| r.strip_prefix("bytes=")?.trim_end_matches('-').parse().ok()).unwrap_or(0);
    let end = "connection: close\r\n\r\n";
    if let Manner::Status(status) = manner {
        return write!(stream, "HTTP/1.1 {status} No\r\ncontent-length: 0\r\n{end}");
    }
    let start = match manner {
        Manner::NoRanges => 0,
        Manner::WrongPart if asked > 0 => asked - 1,
        _ => asked,
    };
    let rest = &body[start.min(body.len())..];
    if start > 0 {
        let last = body.len() - 1;
        write!(stream, "HTTP/1.1 206 Partial\r\ncontent-range: bytes {start}-{last}/{}\r\n", body.len())?;
    } else {
        write!(stream, "HTTP/1.1 200 OK\r\n")?;
    }
    write!(stream, "content-length: {}\r\n{end}", rest.len())?;
    let cut = if let Manner::CutAfter(bytes) = manner { bytes.min(rest.len()) } else { rest.len() };
    stream.write_all(&rest[..cut])
}
