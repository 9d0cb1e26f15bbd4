//! Counters for `/metrics`, as OpenMetrics text.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use axum::http::Method;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::protocol::{PROTOCOL, Version};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pipe {
    pipe: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rows {
    datasource: String,
    outcome: &'static str,
}

/// What is counted.
pub struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    unknown_parameters: Family<Pipe, Counter>,
    rows: Family<Rows, Counter>,
    pub(super) connections: Gauge,
    running: Gauge,
    engine_up: Gauge,
    engine_starts: Gauge<u64, AtomicU64>,
    log_lost: Gauge<u64, AtomicU64>,
    uptime: Gauge<f64, AtomicU64>,
}

/// What is looked up when somebody asks.
pub(super) struct Now {
    pub(super) running: u64,
    pub(super) engine_up: bool,
    pub(super) engine_starts: u64,
    pub(super) log_lost: u64,
    pub(super) uptime: Duration,
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new(version: &Version) -> Self {
        let mut registry = Registry::with_prefix("headwater");
        let requests = Family::<Answered, Counter>::default();
        let make: fn() -> Histogram = || Histogram::new([0.001, 0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0]);
        let seconds = Family::<Route, Histogram, fn() -> Histogram>::new_with_constructor(make);
        let unknown_parameters = Family::<Pipe, Counter>::default();
        let rows = Family::<Rows, Counter>::default();
        let connections = Gauge::<i64, AtomicI64>::default();
        let running = Gauge::<i64, AtomicI64>::default();
        let engine_up = Gauge::<i64, AtomicI64>::default();
        let engine_starts = Gauge::<u64, AtomicU64>::default();
        let log_lost = Gauge::<u64, AtomicU64>::default();
        let uptime = Gauge::<f64, AtomicU64>::default();
        let build = Info::new([
            ("version".to_owned(), version.build.clone()),
            ("protocol".to_owned(), PROTOCOL.to_string()),
        ]);
        registry.register("build", "What runs", build);
        registry.register("http_requests", "Requests answered", requests.clone());
        registry.register("http_request_seconds", "Time to answer", seconds.clone());
        registry.register(
            "endpoint_unknown_parameters",
            "Parameters of requests that their endpoint does not have",
            unknown_parameters.clone(),
        );
        registry.register("ingested_rows", "Rows accepted for data sources", rows.clone());
        registry.register("http_connections", "Open connections", connections.clone());
        registry.register("http_requests_running", "Requests being answered", running.clone());
        registry.register("engine_up", "1 when the engine can be used", engine_up.clone());
        registry.register("engine_starts", "Engine processes started", engine_starts.clone());
        registry.register("log_lines_lost", "Lines of the log that could not be written", log_lost.clone());
        registry.register("uptime_seconds", "Since the door started", uptime.clone());
        Self {
            registry,
            requests,
            seconds,
            unknown_parameters,
            rows,
            connections,
            running,
            engine_up,
            engine_starts,
            log_lost,
            uptime,
        }
    }

    /// Counts parameters that nobody asked for. `pipe` is one of the live release's.
    pub(super) fn unknown_parameters(&self, pipe: &str, count: usize) {
        self.unknown_parameters.get_or_create(&Pipe { pipe: pipe.to_owned() }).inc_by(count as u64);
    }

    /// Counts an answer. `route` is one of the router's own, so that nobody can make series at will; methods too.
    pub(super) fn answered(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let method = match method.as_str() {
            known @ ("GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS") => known,
            _ => "other",
        };
        let labels = Answered { method: method.to_owned(), route: route.to_owned(), status };
        self.requests.get_or_create(&labels).inc();
        self.seconds.get_or_create(&Route { route: route.to_owned() }).observe(took.as_secs_f64());
    }

    /// Counts rows that were accepted. `datasource` is one of the live release's.
    pub(super) fn ingested(&self, datasource: &str, fit: u64, quarantined: u64) {
        for (outcome, count) in [("accepted", fit), ("quarantined", quarantined)] {
            self.rows.get_or_create(&Rows { datasource: datasource.to_owned(), outcome }).inc_by(count);
        }
    }

    pub(super) fn text(&self, now: &Now) -> Result<String, fmt::Error> {
        self.running.set(i64::try_from(now.running).unwrap_or(i64::MAX));
        self.engine_up.set(i64::from(now.engine_up));
        self.engine_starts.set(now.engine_starts);
        self.log_lost.set(now.log_lost);
        self.uptime.set(now.uptime.as_secs_f64());
        let mut out = String::new();
        text::encode(&mut out, &self.registry)?;
        Ok(out)
    }
}
