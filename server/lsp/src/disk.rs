//! The thread that reads the disk, so that neither the owner nor a worker ever waits for one.

use std::sync::Arc;

use camino::Utf8PathBuf;
use crossbeam_channel::{Receiver, Sender};
use headwater_project::{
    Change, FileSystem, ProjectRoot, Scan, discover, read_changes, scan, workspace_roots,
};

use crate::owner::Event;

pub(crate) enum Task {
    /// Find and read every project of these workspace folders.
    Folders(Vec<Utf8PathBuf>),
    /// Find and read the project that holds this file, which is in none that is known.
    Around(Utf8PathBuf),
    /// Read these absolute paths for each project.
    Changes(Vec<(ProjectRoot, Vec<Utf8PathBuf>)>),
}

pub(crate) enum Read {
    Folders(Vec<Utf8PathBuf>, Vec<(ProjectRoot, Scan)>),
    Around(Utf8PathBuf, Option<(ProjectRoot, Scan)>),
    Changes(Vec<(Utf8PathBuf, Vec<Change>)>),
}

/// Starts the thread. It ends when the sender of `tasks` is dropped.
///
/// # Errors
/// When the system gives no more threads.
pub(crate) fn start(
    fs: Arc<dyn FileSystem>,
    tasks: Receiver<Task>,
    owner: Sender<Event>,
) -> std::io::Result<()> {
    std::thread::Builder::new().name("headwater-disk".into()).spawn(move || {
        for task in tasks {
            let fs = fs.as_ref();
            let read = match task {
                Task::Folders(folders) => {
                    let mut roots: Vec<_> =
                        folders.iter().flat_map(|folder| workspace_roots(fs, folder)).collect();
                    roots.sort_unstable();
                    roots.dedup();
                    let scanned = roots.into_iter().map(|root| {
                        let scan = scan(fs, &root);
                        (root, scan)
                    });
                    let scanned = scanned.collect();
                    Read::Folders(folders, scanned)
                }
                Task::Around(path) => {
                    let root = path.parent().and_then(|folder| discover(fs, folder));
                    let scanned = root.map(|root| {
                        let scan = scan(fs, &root);
                        (root, scan)
                    });
                    Read::Around(path, scanned)
                }
                Task::Changes(batches) => Read::Changes(
                    batches
                        .into_iter()
                        .map(|(root, paths)| {
                            let changes = read_changes(fs, &root, &paths);
                            (root.path, changes)
                        })
                        .collect(),
                ),
            };
            if owner.send(Event::Read(read)).is_err() {
                break;
            }
        }
    })?;
    Ok(())
}
