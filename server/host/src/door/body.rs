//! Bodies of requests, within a number of bytes and a time.

use std::io::Read;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

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

/// Reads a body whole and unpacks it. `limit` is of what is sent, `unpacked` of what becomes of it.
pub(super) async fn read_packed(
    headers: &HeaderMap,
    body: Body,
    limit: usize,
    unpacked: usize,
    time: Duration,
) -> Result<Vec<u8>, Failure> {
    let Some(packing) = packing(headers) else {
        let message = "this Content-Encoding is not read here: send gzip, zstd, or the body as it is";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "limits", message));
    };
    let mut plain = headers.clone();
    plain.remove(header::CONTENT_ENCODING);
    let bytes = read(&plain, body, limit, time).await?;
    if packing == Packing::None {
        return Ok(bytes.into());
    }
    let done = tokio::task::spawn_blocking(move || unpack(packing, &bytes, unpacked)).await;
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
            let decoder = ruzstd::decoding::StreamingDecoder::new(bytes).map_err(|e| broken(&e))?;
            decoder.take(most_read).read_to_end(&mut out).map_err(|e| broken(&e))?;
        }
    }
    if out.len() > most {
        let message = format!("the body is longer than {most} bytes when it is unpacked");
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "limits", message));
    }
    Ok(out)
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
