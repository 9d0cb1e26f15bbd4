//! Rows kept by `headwater_pipeline`: a log, and consumers that fill the tables of the live release.

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use headwater_log::{AppendError, Disk};
use headwater_pipeline as pipeline;
use headwater_pipeline::{Format, IdempotencyKey, Limits, Parts, Payload, Release, Waited};

use crate::clock::{Clock, Entropy};
use crate::pipeline::{
    AcceptError, Accepted, ConsumerInfo, InstallError, Live, Pipeline, RowEffect, RowFormat, RowVerdict,
};
use crate::project::ProjectFiles;

/// See the module.
pub struct Piped {
    /// None once the host is ending.
    pipeline: RwLock<Option<Arc<pipeline::Pipeline>>>,
    live: RwLock<Option<Arc<Live>>>,
}

impl Piped {
    /// Opens the log in `folder`, and goes on where it was.
    ///
    /// # Errors
    ///
    /// Why it cannot be opened, for people.
    pub fn open(
        folder: &Path,
        engine: Arc<dyn pipeline::Tables>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, String> {
        let say = |why: String| format!("the rows below {} cannot be opened: {why}", folder.display());
        let disk = Disk::open(folder).map_err(|e| say(e.to_string()))?;
        let parts = Parts {
            disk: Arc::new(disk),
            engine,
            clock: Arc::new(Time(clock)),
            entropy: Arc::new(Chance(entropy)),
            limits: Limits::default(),
            probe: None,
        };
        let pipeline = pipeline::Pipeline::open(parts).map_err(|e| say(e.to_string()))?;
        let live = pipeline.release().map(|release| live(&release)).transpose().map_err(say)?;
        Ok(Self { pipeline: RwLock::new(Some(Arc::new(pipeline))), live: RwLock::new(live) })
    }

    fn open_pipeline(&self) -> Result<Arc<pipeline::Pipeline>, String> {
        let pipeline = self.pipeline.read().unwrap_or_else(PoisonError::into_inner);
        pipeline.clone().ok_or_else(|| "the host is ending".to_owned())
    }

    fn to_accept(&self) -> Result<Arc<pipeline::Pipeline>, AcceptError> {
        self.open_pipeline().map_err(AcceptError::Busy)
    }
}

/// A release as the door reads through it.
fn live(release: &Release) -> Result<Arc<Live>, String> {
    let files = ProjectFiles::new(release.files.clone())?;
    let layout = release.layout();
    Ok(Arc::new(Live {
        id: files.id(),
        files: Arc::new(files),
        database: layout.database,
        tables: layout.renamed,
    }))
}

impl Pipeline for Piped {
    fn live(&self) -> Option<Arc<Live>> {
        self.live.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn install(&self, files: Arc<ProjectFiles>) -> Result<Arc<Live>, InstallError> {
        let texts = files.iter().map(|(path, text)| (path.to_owned(), text.to_owned())).collect();
        let release = Release::compile(texts).map_err(|faults| InstallError::Failed(faults.to_string()))?;
        let made = live(&release).map_err(InstallError::Failed)?;
        self.open_pipeline().map_err(InstallError::Unavailable)?.install(release).map_err(
            |error| match error {
                pipeline::InstallError::Different(_) => InstallError::Refused(error.to_string()),
                pipeline::InstallError::Engine(_) => InstallError::Unavailable(error.to_string()),
                _ => InstallError::Failed(error.to_string()),
            },
        )?;
        *self.live.write().unwrap_or_else(PoisonError::into_inner) = Some(made.clone());
        Ok(made)
    }

    fn accept(
        &self,
        source: &str,
        bytes: Vec<u8>,
        format: RowFormat,
        key: Option<&str>,
    ) -> Result<Accepted, AcceptError> {
        let format = match format {
            RowFormat::Ndjson => Format::Ndjson,
            RowFormat::Csv => Format::Csv,
        };
        let key = key.map(|key| IdempotencyKey(key.as_bytes().into()));
        self.to_accept()?
            .accept(source, Payload { bytes, format }, key)
            .map(accepted)
            .map_err(|e| refused(&e))
    }

    fn effect(&self, source: &str, effect: RowEffect) -> Result<Accepted, AcceptError> {
        let effect = match effect {
            RowEffect::Truncate => pipeline::Effect::Truncate,
            RowEffect::Delete(condition) => pipeline::Effect::Delete { condition },
        };
        self.to_accept()?.effect(source, effect).map(accepted).map_err(|e| refused(&e))
    }

    fn wait(
        &self,
        source: &str,
        position: u64,
        at_most: Duration,
    ) -> Result<Vec<(String, Option<String>)>, AcceptError> {
        match self.to_accept()?.wait(position, source, at_most).map_err(|e| refused(&e))? {
            Waited::Applied => Ok(Vec::new()),
            Waited::Lagging(all) => Ok(all.into_iter().map(|l| (l.consumer, l.why)).collect()),
        }
    }

    fn consumers(&self) -> Vec<ConsumerInfo> {
        let pipeline = self.open_pipeline();
        pipeline.map(|pipeline| pipeline.status().into_iter().map(shown).collect()).unwrap_or_default()
    }

    fn skip(&self, consumer: &str, range: (u64, u64), reason: &str) -> Result<(), String> {
        self.open_pipeline()?.skip(consumer, range, reason).map_err(|error| error.to_string())
    }

    fn stop(&self) {
        // Its consumers end once nobody holds it.
        drop(self.pipeline.write().unwrap_or_else(PoisonError::into_inner).take());
    }
}

fn accepted(receipt: pipeline::Receipt) -> Accepted {
    let verdicts = receipt.verdicts.into_iter();
    Accepted {
        position: receipt.position,
        rows: receipt.rows,
        quarantined: receipt.quarantined,
        verdicts: verdicts.map(|v| RowVerdict { line: v.line, column: v.column, reason: v.reason }).collect(),
        repeated: receipt.repeated,
    }
}

fn refused(error: &pipeline::AcceptError) -> AcceptError {
    let words = error.to_string();
    match error {
        pipeline::AcceptError::NoRelease | pipeline::AcceptError::Unknown(_) => AcceptError::Missing(words),
        pipeline::AcceptError::Invalid(_) => AcceptError::Invalid(words),
        pipeline::AcceptError::Log(error) => match error {
            AppendError::TooLarge { .. } | AppendError::KeyReused { .. } => AcceptError::Invalid(words),
            error if error.kept_nothing() => AcceptError::Busy(words),
            _ => AcceptError::Unsure(words),
        },
    }
}

fn shown(status: pipeline::ConsumerStatus) -> ConsumerInfo {
    let kind = match status.kind {
        pipeline::Kind::Landing => "landing",
        pipeline::Kind::Quarantine => "quarantine",
        pipeline::Kind::View => "view",
    };
    let (state, error) = match status.state {
        pipeline::State::Idle => ("idle", None),
        pipeline::State::Working => ("working", None),
        pipeline::State::Failing { error, .. } => ("failing", Some(error)),
    };
    ConsumerInfo {
        consumer: status.consumer,
        datasource: status.datasource,
        fills: status.fills,
        kind: kind.to_owned(),
        position: status.position,
        lag_records: status.lag_records,
        lag_seconds: status.lag.as_secs(),
        next: status.next,
        state: state.to_owned(),
        error,
    }
}

/// The host's clock, as the pipeline wants it.
struct Time(Arc<dyn Clock>);

impl pipeline::Clock for Time {
    fn unix_millis(&self) -> u64 {
        u64::try_from(self.0.unix_millis()).unwrap_or_default()
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// The host's chance, likewise.
struct Chance(Arc<dyn Entropy>);

impl pipeline::Entropy for Chance {
    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        // Without chance of the system there is the moment: salts and seeds then differ, which is what they are for.
        if self.0.fill(&mut bytes).is_err() {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
            bytes = (now.as_nanos() as u64).to_le_bytes();
        }
        u64::from_le_bytes(bytes)
    }
}
