//! The thread that reads repositories, so that a slow or hostile one costs the baseline and nothing else: files on disk
//! are read by another.

use std::sync::Arc;
use std::time::Duration;

use camino::Utf8PathBuf;
use crossbeam_channel::{Receiver, Sender};
use headwater_project::{
    CommitId, Found, ProjectRoot, RevisionError, Revisions, Scan, Texts, Watch, scan_at,
};

use crate::owner::Event;

pub(crate) enum Task {
    /// Which commits do these revisions name, for the projects in these folders?
    Find(Vec<(Utf8PathBuf, String)>),
    /// Read the project at this commit; with the texts it has now.
    Read(ProjectRoot, CommitId, Texts),
}

pub(crate) enum Learned {
    Found(Vec<Answer>),
    Read(Utf8PathBuf, CommitId, Result<Scan, RevisionError>),
}

pub(crate) struct Answer {
    pub(crate) folder: Utf8PathBuf,
    pub(crate) revision: String,
    pub(crate) found: Result<Found, RevisionError>,
    pub(crate) watches: Vec<Watch>,
}

/// Starts the thread. It ends when the sender of `tasks` is dropped.
///
/// `calm` is how long it waits before it reads: after a start the cores are busy with the first diagnostics, and after a
/// checkout the working copy changes for a while.
///
/// # Errors
/// When the system gives no more threads.
pub(crate) fn start(
    revisions: Arc<dyn Revisions>,
    calm: Duration,
    tasks: Receiver<Task>,
    owner: Sender<Event>,
) -> std::io::Result<()> {
    std::thread::Builder::new().name("headwater-history".into()).spawn(move || {
        for task in tasks {
            let revisions = revisions.as_ref();
            let learned = match task {
                Task::Find(questions) => {
                    let answer = |(folder, revision): (Utf8PathBuf, String)| {
                        let found = revisions.find(&folder, &revision);
                        let watches = revisions.watches(&folder);
                        Answer { folder, revision, found, watches }
                    };
                    Learned::Found(questions.into_iter().map(answer).collect())
                }
                Task::Read(root, commit, known) => {
                    std::thread::sleep(calm);
                    let scan = scan_at(revisions, &root, &commit, &known);
                    Learned::Read(root.path, commit, scan)
                }
            };
            if owner.send(Event::Learned(learned)).is_err() {
                break;
            }
        }
    })?;
    Ok(())
}
