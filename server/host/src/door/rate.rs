//! How often somebody may ask: buckets of tokens that fill with time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};

use super::failure::Failure;

/// Buckets that are kept; above that the fullest ones go, which lose nothing by it.
const MOST: usize = 10_000;

/// So many a second, and as many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests a second.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

/// Buckets by what they are for.
#[derive(Debug, Default)]
pub struct Rates(Mutex<HashMap<String, Bucket>>);

#[derive(Debug, Clone, Copy)]
struct Bucket {
    left: f64,
    at: Duration,
}

/// What a bucket says about one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    limit: u32,
    remaining: u32,
    /// Seconds until it is full again.
    reset: u64,
    /// Seconds until it is worth asking again; 0 when this one may go on.
    retry: u64,
}

impl Rates {
    /// Takes one out of the bucket of a name at a moment.
    pub(super) fn take(&self, name: &str, rate: Rate, now: Duration) -> Taken {
        let (speed, size) = (f64::from(rate.per_second.max(1)), f64::from(rate.burst.max(1)));
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(name) {
            buckets.retain(|_, b| b.left + now.saturating_sub(b.at).as_secs_f64() * speed < size);
            if buckets.len() >= MOST {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(name.to_owned()).or_insert(Bucket { left: size, at: now });
        let gained = now.saturating_sub(bucket.at).as_secs_f64() * speed;
        bucket.left = (bucket.left + gained).min(size);
        bucket.at = now;
        let may = bucket.left >= 1.0;
        if may {
            bucket.left -= 1.0;
        }
        Taken {
            limit: rate.burst,
            remaining: bucket.left.floor() as u32,
            reset: ((size - bucket.left) / speed).ceil() as u64,
            retry: if may { 0 } else { (((1.0 - bucket.left) / speed).ceil() as u64).max(1) },
        }
    }
}

impl Taken {
    /// Writes what clients look at.
    pub(super) fn write(self, headers: &mut HeaderMap) {
        for (name, value) in self.headers() {
            headers.insert(name, value);
        }
    }

    fn headers(self) -> [(HeaderName, HeaderValue); 3] {
        [
            (HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(self.limit)),
            (HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(self.remaining)),
            (HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(self.reset)),
        ]
    }

    /// Refuses what is too much.
    pub(super) fn check(self, section: &'static str, what: &str) -> Result<(), Failure> {
        if self.retry == 0 {
            return Ok(());
        }
        let message = format!(
            "too many requests for {what}: at most {} at once; send fewer and larger ones, or wait {} s",
            self.limit, self.retry
        );
        let failure = Failure::new(StatusCode::TOO_MANY_REQUESTS, section, message)
            .header(header::RETRY_AFTER, HeaderValue::from(self.retry));
        Err(self.headers().into_iter().fold(failure, |failure, (name, value)| failure.header(name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_fill_with_time() {
        let rates = Rates::default();
        let rate = Rate { per_second: 2, burst: 3 };
        let take = |name: &str, millis| rates.take(name, rate, Duration::from_millis(millis));
        let left: Vec<_> = (0..4).map(|_| take("a", 0)).map(|t| (t.remaining, t.retry)).collect();
        assert_eq!(left, [(2, 0), (1, 0), (0, 0), (0, 1)]);
        assert_eq!(take("b", 0).retry, 0);
        assert_eq!((take("a", 400).retry, take("a", 500).retry, take("a", 600).retry), (1, 0, 1));
        assert_eq!(take("a", 10_000).remaining, 2);
        for n in 0..MOST + 10 {
            take(&n.to_string(), 20_000);
        }
        assert!(rates.0.lock().expect("not poisoned").len() <= MOST);
    }
}
