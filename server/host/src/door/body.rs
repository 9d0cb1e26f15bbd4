//! Bodies of requests, within a number of bytes and a time.

use std::io::{self, BufRead, Read};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::failure::Failure;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
    Zstd,
}

/// How the head says it is; `None` for a way that is not read here.
pub(super) fn packing(headers: &HeaderMap) -> Option<Packing> {
    let mut named = headers.get_all(header::CONTENT_ENCODING).iter();
    let (first, rest) = (named.next(), named.next());
    match (first.map(|v| v.as_bytes().trim_ascii().to_ascii_lowercase()).as_deref(), rest) {
        (None | Some(b"" | b"identity"), None) => Some(Packing::None),
        (Some(b"gzip" | b"x-gzip"), None) => Some(Packing::Gzip),
        (Some(b"zstd"), None) => Some(Packing::Zstd),
        _ => None,
    }
}

/// Reads a body whole and unpacks it. `limit` is of what is sent, `unpacked` of what becomes of it. `place` goes where the
/// bytes go: a thread unpacks them to the end when nobody waits for it any more.
pub(super) async fn read_packed<P: Send + 'static>(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    unpacked: usize,
    time: Duration,
    place: P,
) -> Result<(Vec<u8>, P), Failure> {
    let Some(packing) = packing(headers) else {
        let message = "this Content-Encoding is not read here: send gzip, zstd, or the body as it is";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "limits", message));
    };
    let mut plain = headers.clone();
    plain.remove(header::CONTENT_ENCODING);
    let bytes = read(&plain, body, limit, time).await?;
    if packing == Packing::None {
        return Ok((bytes.into(), place));
    }
    let done =
        tokio::task::spawn_blocking(move || unpack(packing, &bytes, unpacked).map(|out| (out, place))).await;
    done.unwrap_or_else(|_| {
        Err(Failure::new(StatusCode::BAD_REQUEST, "limits", "the body cannot be unpacked"))
    })
}

fn unpack(packing: Packing, bytes: &[u8], most: usize) -> Result<Vec<u8>, Failure> {
    let broken = |why: &dyn std::fmt::Display| {
        Failure::new(StatusCode::BAD_REQUEST, "limits", format!("the body cannot be unpacked: {why}"))
    };
    let mut out = Vec::new();
    let most_read = most as u64 + 1;
    match packing {
        Packing::None => out.extend_from_slice(bytes),
        Packing::Gzip => {
            flate2::read::MultiGzDecoder::new(bytes)
                .take(most_read)
                .read_to_end(&mut out)
                .map_err(|e| broken(&e))?;
        }
        Packing::Zstd => {
            Frames::new(bytes).take(most_read).read_to_end(&mut out).map_err(|e| broken(&e))?;
        }
    }
    if out.len() > most {
        let message = format!("the body is longer than {most} bytes when it is unpacked");
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "limits", message));
    }
    Ok(out)
}

/// What zstd packed, frame after frame: tools that pack in parallel, or append, write several, and some that hold no data
/// (RFC 8878, 3.1). A source without any frame is an error, as one that ends within a frame is.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    any: bool,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), any: false }
    }

    /// Goes to the next frame that holds data; `false` at the end.
    fn next(&mut self) -> io::Result<bool> {
        loop {
            if self.any && self.source.fill_buf()?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.any = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.source).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                    self.any = true;
                }
                Err(e) => return Err(io::Error::other(e)),
            }
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            while !self.decoder.is_finished() && self.decoder.can_collect() < buffer.len() {
                let more = BlockDecodingStrategy::UptoBytes(buffer.len() - self.decoder.can_collect());
                self.decoder.decode_blocks(&mut self.source, more).map_err(io::Error::other)?;
            }
            let got = self.decoder.read(buffer)?;
            if got > 0 || !self.next()? {
                return Ok(got);
            }
        }
    }
}

/// Reads a body whole.
pub(super) async fn read(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    time: Duration,
) -> Result<Bytes, Failure> {
    let plain =
        headers.get(header::CONTENT_ENCODING).is_none_or(|e| e.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !plain {
        let message = "compressed bodies are not read here: send it without Content-Encoding";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "sql", message));
    }
    match tokio::time::timeout(time, Limited::new(body, limit).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(e)) if e.is::<LengthLimitError>() => {
            let message = format!("the body is longer than {limit} bytes");
            Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "limits", message))
        }
        Ok(Err(e)) => {
            Err(Failure::new(StatusCode::BAD_REQUEST, "limits", format!("the body cannot be read: {e}")))
        }
        Err(_) => {
            let message = format!("the body did not arrive within {} s", time.as_secs_f64());
            Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "limits", message))
        }
    }
}

#[cfg(test)]
mod tests {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::*;

    #[test]
    fn every_frame_of_a_zstd_body_is_read() {
        let frame = |text: &str| compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
        let skipped = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
        let long = "{\"a\":1}\n".repeat(50_000);
        let body =
            [skipped.clone(), frame(&long), frame(""), skipped.clone(), frame("last\n"), skipped].concat();
        let unpack = |bytes: &[u8], most| unpack(Packing::Zstd, bytes, most).ok();
        let whole = format!("{long}last\n").into_bytes();
        assert!(unpack(&body, whole.len()).is_some_and(|out| out == whole));
        assert!(unpack(&body, whole.len() - 1).is_none());
        // Cut anywhere in the last frames it is no body, but between two of them.
        let ends = [body.len() - 11, body.len() - 11 - frame("last\n").len()];
        for cut in 1..frame("last\n").len() + 11 {
            let cut = body.len() - cut;
            assert_eq!(unpack(&body[..cut], whole.len()).is_some(), ends.contains(&cut), "{cut}");
        }
        assert!(unpack(b"", 10).is_none() && unpack(&[frame("a"), b"b".to_vec()].concat(), 10).is_none());
    }
}
