//! The door as a whole process: takes the data folder, listens, answers until it is to stop, and leaves nothing behind.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::clock::{Clock, Entropy, System};
use crate::door::sql::Gate;
use crate::door::{About, Approvals, Bound, Door, HttpLimits, Metrics, Rates, Rules, accept, router};
use crate::idle::Activity;
use crate::log::{Level, Log};
use crate::owner::{DoorFile, Ownership};
use crate::pipeline::Pipeline;
use crate::places::{DataFolder, Places};
use crate::protocol::{PROTOCOL, Version};
use crate::secrets::{KeyPlace, SecretStore};
use crate::supervisor::Engine;
use crate::tokens::Tokens;
use crate::workspace::Workspaces;

/// What a host is to be.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// The data folder; made if it is not there.
    pub data: PathBuf,
    /// Where the socket goes.
    pub places: Places,
    /// The file with the key of secrets; among the user's keys when none is named.
    pub secrets_key: Option<PathBuf>,
    /// Addresses on TCP; none is the rule.
    pub listen: Vec<SocketAddr>,
    /// From where requests on TCP are taken.
    pub rules: Rules,
    /// Set for a host that a command started: the silence after which it ends.
    pub on_demand: Option<Duration>,
    /// The version of this program.
    pub build: String,
    /// What requests may cost.
    pub limits: HttpLimits,
    /// Whether the log goes to standard error too.
    pub log_to_stderr: bool,
}

/// A host that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// The data folder.
    pub data: PathBuf,
    /// The socket.
    pub socket: PathBuf,
    /// The addresses on TCP, with the ports that were chosen.
    pub listen: Vec<SocketAddr>,
    /// The file with the owner's token.
    pub token: PathBuf,
}

/// What is behind a door.
pub struct Backend {
    /// What runs statements.
    pub engine: Arc<dyn Engine>,
    /// Who keeps rows.
    pub pipeline: Arc<dyn Pipeline>,
}

/// How long a host waits for one before it to end: longer than that one lets requests finish.
const HANDOVER: Duration = Duration::from_secs(20);

/// Runs a host until it is told to stop, a signal ends it, or it was started on demand and is idle.
///
/// `engine` makes what runs statements and who keeps rows, `gate` decides about those of users, `announce` is told once clients can connect.
///
/// # Errors
///
/// Why it cannot start, with what to do. Once it runs, it ends well.
pub fn serve(
    config: &ServeConfig,
    engine: impl FnOnce(&DataFolder, Arc<Log>) -> Result<Backend, String>,
    gate: Arc<dyn Gate>,
    announce: impl FnOnce(&Ready),
) -> Result<(), String> {
    let folder = DataFolder::make(&config.data)?;
    if config.on_demand.is_some() {
        // Away from the terminal of the command that started it: its Ctrl-C is not for us.
        let _ = rustix::process::setsid();
    }
    let patience = if config.on_demand.is_some() { HANDOVER } else { Duration::from_secs(2) };
    let ownership = Ownership::take(&folder, patience)?;
    let system = Arc::new(System::new());
    let clock: Arc<dyn Clock> = system.clone();
    let entropy: Arc<dyn Entropy> = system.clone();
    let log = Arc::new(Log::open(&folder.logs(), clock.clone(), config.log_to_stderr)?);
    let tokens = Tokens::open(&folder, clock.as_ref(), entropy.as_ref())?;
    let key = config.secrets_key.clone().or_else(|| config.places.secrets_key(folder.path()));
    let secrets = SecretStore::open(folder.secrets(), key.map_or(KeyPlace::None, KeyPlace::File))?;
    let socket = config.places.socket(folder.path())?;
    std::fs::create_dir_all(folder.scratch())
        .map_err(|e| format!("{} cannot be made: {e}", folder.scratch().display()))?;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .thread_name("door")
        .build()
        .map_err(|e| format!("the host cannot start its threads: {e}"))?;
    let ended = runtime.block_on(async {
        let mut bound = Vec::new();
        for address in &config.listen {
            bound.push(Bound::tcp(*address).await?);
        }
        let listen: Vec<SocketAddr> = bound.iter().filter_map(Bound::address).collect();
        bound.push(Bound::unix(&socket)?);
        let Backend { engine, pipeline } = engine(&folder, log.clone())?;
        let activity = Activity::new(clock.clone());
        let version = Version {
            protocol: PROTOCOL,
            build: config.build.clone(),
            on_demand: config.on_demand.is_some(),
        };
        let about = About {
            version: version.clone(),
            started: clock.unix_millis(),
            started_elapsed: clock.elapsed(),
            data: folder.path().display().to_string(),
            listen: listen.iter().map(ToString::to_string).collect(),
            idle_exit: config.on_demand,
        };
        let (stop, stopping) = watch::channel(false);
        let door = Arc::new(Door {
            tokens,
            secrets,
            rules: config.rules.clone(),
            limits: config.limits,
            activity: activity.clone(),
            log: log.clone(),
            metrics: Metrics::new(&version),
            rates: Rates::default(),
            ingesting: Arc::new(Semaphore::new(config.limits.ingesting)),
            uploading: Arc::new(Semaphore::new((config.limits.ingesting / 4).max(1))),
            waiting: Arc::new(Semaphore::new(config.limits.waiting)),
            pipeline: pipeline.clone(),
            workspaces: Workspaces::default(),
            approvals: Approvals::default(),
            engine: engine.clone(),
            gate,
            clock: clock.clone(),
            entropy,
            about,
            stop,
        });
        // What the live release grants to tokens counts from the first request on.
        let opened = door.clone();
        let _ = tokio::task::spawn_blocking(move || opened.workspace()).await;
        let _held = (!listen.is_empty()).then(|| activity.hold("listener"));
        let mut signals = Signals::new()?;
        let router = router(door.clone());
        let mut listeners = JoinSet::new();
        for bound in bound {
            listeners.spawn(accept(door.clone(), router.clone(), bound, stopping.clone()));
        }
        let file = DoorFile { pid: std::process::id(), socket: socket.clone() };
        file.write(&folder)?;
        log.event(
            Level::Info,
            "started",
            [
                ("pid", std::process::id().into()),
                ("build", config.build.clone().into()),
                ("on_demand", config.on_demand.is_some().into()),
                ("listen", door.about.listen.clone().into()),
            ],
        );
        announce(&Ready {
            data: folder.path().to_owned(),
            socket: socket.clone(),
            listen,
            token: folder.owner_token(),
        });

        let why = until_stopped(&door, &folder, &file, config.on_demand, stopping, &mut signals).await;
        log.event(Level::Info, "stopping", [("why", why.into())]);
        // Nobody finds us any more; whoever has connected is answered.
        file.remove(&folder);
        remove_socket(&folder, &socket);
        let _ = door.stop.send(true);
        while listeners.join_next().await.is_some() {}
        Ok::<_, String>((engine, pipeline))
    });
    // What still waits for a statement is told that it was cancelled, before the threads go.
    let result = ended.map(|(engine, pipeline)| {
        pipeline.stop();
        engine.stop();
    });
    runtime.shutdown_timeout(Duration::from_secs(2));
    let _ = std::fs::remove_dir(folder.scratch());
    log.event(Level::Info, "stopped", []);
    drop(ownership);
    result
}

/// The signals that end a host.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self, String> {
        let open = |kind| signal(kind).map_err(|e| format!("signals cannot be received: {e}"));
        Ok(Self { terminate: open(SignalKind::terminate())?, interrupt: open(SignalKind::interrupt())? })
    }
}

/// Says why it is to end.
async fn until_stopped(
    door: &Door,
    folder: &DataFolder,
    file: &DoorFile,
    silence: Option<Duration>,
    mut stopping: watch::Receiver<bool>,
    signals: &mut Signals,
) -> &'static str {
    let pulse = silence
        .map_or(Duration::from_secs(5), |s| (s / 4).clamp(Duration::from_millis(50), Duration::from_secs(5)));
    let mut pulse = tokio::time::interval(pulse);
    loop {
        tokio::select! {
            _ = signals.terminate.recv() => return "SIGTERM",
            _ = signals.interrupt.recv() => return "SIGINT",
            _ = stopping.wait_for(|s| *s) => return "it was asked to",
            _ = pulse.tick() => {
                if silence.is_some_and(|s| door.activity.is_idle(s)) {
                    return "nobody asked anything for a while";
                }
                // Removed under our feet: no client can find us, and what we write is nobody's.
                if DoorFile::read(folder).as_ref() != Some(file) && DoorFile::read(folder).as_ref() != Some(file) {
                    return "the data folder is gone";
                }
            }
        }
    }
}

/// Takes the socket away, unless it is in the folder of a door that came after us.
fn remove_socket(folder: &DataFolder, socket: &Path) {
    if DoorFile::read(folder).is_none() {
        let _ = std::fs::remove_file(socket);
    }
}
