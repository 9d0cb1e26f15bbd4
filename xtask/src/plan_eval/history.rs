//! Pairs of a project's states: from git histories, near and far, forwards and back, and with single files carried over.

use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::Content;
use headwater_project::{
    CommitId, GitRevisions, ProjectRoot, Revisions, Scan, ScannedFile, Texts, is_datafile, scan_at,
    workspace_roots,
};

use crate::catalog::Random;

/// A project before and after.
pub(super) struct Pair {
    /// Where it comes from, for people.
    pub(super) place: String,
    pub(super) root: ProjectRoot,
    pub(super) before: Scan,
    pub(super) after: Scan,
}

/// A commit, its first parent, and the datafiles that differ.
pub(super) struct Step {
    commit: String,
    parent: String,
    files: Vec<Utf8PathBuf>,
}

/// The commits of a repository that touch datafiles, newest first.
pub(super) fn history(dir: &Utf8Path) -> Result<Vec<Step>> {
    let output = Command::new("git")
        .args([
            "log",
            "--first-parent",
            "-m",
            "--name-only",
            "--format=@%H %P",
            "--",
            "*.datasource",
            "*.pipe",
            "*.connection",
            "*.incl",
        ])
        .current_dir(dir)
        .output()
        .context("git cannot be started")?;
    ensure!(output.status.success(), "git log failed: {}", String::from_utf8_lossy(&output.stderr));
    let mut steps: Vec<Step> = Vec::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        if let Some(hashes) = line.strip_prefix('@') {
            let mut hashes = hashes.split(' ');
            let (commit, parent) = (hashes.next().unwrap_or_default(), hashes.next().unwrap_or_default());
            steps.push(Step { commit: commit.to_owned(), parent: parent.to_owned(), files: Vec::new() });
        } else if let Some(step) = steps.last_mut()
            && is_datafile(Utf8Path::new(line))
        {
            step.files.push(line.into());
        }
    }
    // The first commit of all has nothing before it.
    steps.retain(|s| !s.parent.is_empty() && !s.files.is_empty());
    Ok(steps)
}

/// Each commit against its parent; the other way round with `reverse`.
pub(super) fn adjacent(dir: &Utf8Path, step: &Step, reverse: bool) -> Vec<Pair> {
    let (from, to) = if reverse { (&step.commit, &step.parent) } else { (&step.parent, &step.commit) };
    between(dir, from, to, &step.files, if reverse { "back from" } else { "" })
}

/// A pair of states with commits between them, either way round.
pub(super) fn distant(dir: &Utf8Path, steps: &[Step], random: &mut Random) -> Vec<Pair> {
    if steps.len() < 3 {
        return Vec::new();
    }
    let (a, b) = (random.below(steps.len()), random.below(steps.len()));
    if a == b {
        return Vec::new();
    }
    let files: Vec<_> = steps[a.min(b)..=a.max(b)].iter().flat_map(|s| s.files.iter().cloned()).collect();
    between(dir, &steps[a].commit, &steps[b].commit, &files, &format!("{} commits to", a.abs_diff(b)))
}

fn between(dir: &Utf8Path, from: &str, to: &str, files: &[Utf8PathBuf], how: &str) -> Vec<Pair> {
    let (from, to) = (CommitId::new(from), CommitId::new(to));
    let mut out = Vec::new();
    for root in roots(dir, &[&to, &from], files) {
        let scan = |commit| scan_at(&GitRevisions, &root, commit, &Texts::default());
        let (Ok(before), Ok(after)) = (scan(&from), scan(&to)) else { continue };
        let place = format!("{} {how} {}", root.path, to.short());
        out.push(Pair { place, root, before, after });
    }
    out
}

/// The projects that hold one of these files at one of these commits.
fn roots(dir: &Utf8Path, commits: &[&CommitId], files: &[Utf8PathBuf]) -> Vec<ProjectRoot> {
    let mut roots: Vec<ProjectRoot> = Vec::new();
    for commit in commits {
        let Ok(there) = GitRevisions.open(dir, commit) else { continue };
        for root in workspace_roots(&*there, dir) {
            let holds = files.iter().any(|f| dir.join(f).starts_with(&root.path));
            if holds && roots.iter().all(|r| r.path != root.path) {
                roots.push(root);
            }
        }
    }
    roots
}

/// A state, and the same state with one file as it is at another commit.
pub(super) fn transplanted(dir: &Utf8Path, steps: &[Step], random: &mut Random) -> Option<Pair> {
    let here = &steps[random.below(steps.len())];
    let there = &steps[random.below(steps.len())];
    let file = dir.join(&there.files[random.below(there.files.len())]);
    let (here, there) = (CommitId::new(here.commit.as_str()), CommitId::new(there.commit.as_str()));
    let there_now = GitRevisions.open(dir, &here).ok()?;
    let root = workspace_roots(&*there_now, dir).into_iter().find(|r| file.starts_with(&r.path))?;
    let scan = |commit| scan_at(&GitRevisions, &root, commit, &Texts::default()).ok();
    let before = scan(&here)?;
    let path = file.strip_prefix(&root.path).ok()?.to_owned();
    let donor = scan(&there)?.files.into_iter().find(|f| f.path == path)?;
    let after = with_file(&before, donor);
    let place = format!("{} {} with {path} of {}", root.path, here.short(), there.short());
    Some(Pair { place, root, before, after })
}

/// A scan in which one file is other, or new.
pub(super) fn with_file(scan: &Scan, file: ScannedFile) -> Scan {
    let mut out = scan.clone();
    match out.files.binary_search_by(|f| f.path.cmp(&file.path)) {
        Ok(at) => out.files[at] = file,
        Err(at) => out.files.insert(at, file),
    }
    out
}

/// A scan in which the text of a file is other.
pub(super) fn with_text(scan: &Scan, path: &Utf8Path, text: &str) -> Scan {
    let content = Content::Text(Arc::from(text));
    with_file(scan, ScannedFile { path: path.to_owned(), content, beyond_depth: false })
}
