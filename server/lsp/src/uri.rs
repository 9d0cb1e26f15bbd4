//! `file:` URIs and paths. Clients spell one file's URI in several ways (`%3A`, lower-case drive letters), so files are
//! compared by path and an open file is answered with the URI its client used.

use camino::{Utf8Path, Utf8PathBuf};
use headwater_project::path_of;

/// The path a `file:` URI names; `None` for other schemes and for bytes that are not Unicode.
pub(crate) fn to_path(uri: &str) -> Option<Utf8PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let path = &rest[rest.find('/')?..];
    let path = decode(path.split(['?', '#']).next()?)?;
    let path = if cfg!(windows) { path.trim_start_matches('/').to_owned() } else { path };
    Some(path_of(Utf8Path::new(&path)))
}

/// The URI of a path.
pub(crate) fn from_path(path: &Utf8Path) -> String {
    let mut uri = String::from("file://");
    if !path.as_str().starts_with('/') {
        uri.push('/');
    }
    for byte in path.as_str().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(byte as char);
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// A part of an address with everything that is special in one escaped.
pub(crate) fn encoded(text: &str) -> String {
    from_path(Utf8Path::new(&format!("/{text}"))).trim_start_matches("file:///").to_owned()
}

/// A part of an address as it is meant; as it is, when it is escaped wrongly.
pub(crate) fn decoded(text: &str) -> String {
    decode(text).unwrap_or_else(|| text.to_owned())
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let hex = |i: usize| tail.get(i).and_then(|b| char::from(*b).to_digit(16));
        match (byte, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).ok()?);
                rest = &tail[2..];
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn paths_survive_the_way_there_and_back() {
        for path in ["/a/b.pipe", "/with space/é😀#?%.pipe"] {
            assert_eq!(to_path(&from_path(path.into())).unwrap(), path);
        }
        assert_eq!(to_path("file:///a/%C3%A9%3A.pipe").unwrap(), "/a/é:.pipe");
        assert_eq!(to_path("file://host/a/./b/../c").unwrap(), "/a/c");
        assert_eq!(to_path("file:///100%").unwrap(), "/100%");
        for other in ["untitled:Untitled-1", "file:", "file://", "", "file:///%FF"] {
            assert_eq!(to_path(other), None, "{other}");
        }
    }
}
