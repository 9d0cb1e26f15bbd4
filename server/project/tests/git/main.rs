//! Projects at commits of real repositories, made with the `git` program. Without one these tests fail and say so:
//! nobody gets this source without git.

mod hostile;
mod read;
mod revisions;

use std::collections::BTreeMap;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::Content;
use headwater_project::{
    CommitId, Found, GitRevisions, ProjectRoot, RevisionError, Revisions, Scan, Texts, scan_at,
};

/// A repository in a folder that goes away with the test.
struct Repo {
    _dir: tempfile::TempDir,
    path: Utf8PathBuf,
}

impl Repo {
    fn new() -> Self {
        let repo = Self::without_git();
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo
    }

    fn without_git() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().canonicalize().unwrap()).unwrap();
        Self { _dir: dir, path }
    }

    fn at(&self, below: &str) -> Utf8PathBuf {
        self.path.join(below)
    }

    fn git(&self, args: &[&str]) -> String {
        git_in(&self.path, args)
    }

    fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
        self
    }

    /// Commits everything and returns the hash.
    fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    fn hash(&self, revision: &str) -> String {
        match self.find(revision) {
            Ok(Found::Commit(commit)) => commit.as_str().to_owned(),
            other => panic!("{revision}: {other:?}"),
        }
    }

    fn find(&self, revision: &str) -> Result<Found, RevisionError> {
        GitRevisions.find(&self.path, revision)
    }

    fn error(&self, revision: &str) -> String {
        self.find(revision).expect_err(revision).0
    }

    /// The files at HEAD of the project in the top folder.
    fn files(&self) -> BTreeMap<String, String> {
        files(&self.scan("").unwrap())
    }

    fn scan(&self, below: &str) -> Result<Scan, RevisionError> {
        let root = ProjectRoot::at(self.path.join(below));
        scan_root(&root)
    }
}

fn scan_root(root: &ProjectRoot) -> Result<Scan, RevisionError> {
    let Found::Commit(commit) = GitRevisions.find(&root.path, "HEAD")? else { panic!("there is a commit") };
    scan_at(&GitRevisions, root, &commit, &Texts::default())
}

/// Path and text, or the reason in angle brackets.
fn files(scan: &Scan) -> BTreeMap<String, String> {
    let text = |content: &Content| match content {
        Content::Text(text) => text.to_string(),
        Content::Unreadable(reason) => format!("<{reason}>"),
        Content::Deleted => "<deleted>".to_owned(),
    };
    scan.files.iter().map(|file| (file.path.to_string(), text(&file.content))).collect()
}

fn names(scan: &Scan) -> Vec<String> {
    files(scan).into_keys().collect()
}

fn git_in(dir: &Utf8Path, args: &[&str]) -> String {
    let out = Command::new("git")
        .args(["-c", "protocol.file.allow=always", "-c", "commit.gpgSign=false", "-c", "gc.auto=0"])
        .args(args)
        .current_dir(dir)
        .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
        .envs([("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com")])
        .envs([("GIT_COMMITTER_NAME", "a"), ("GIT_COMMITTER_EMAIL", "a@example.com")])
        .envs([("GIT_AUTHOR_DATE", "1700000000 +0000"), ("GIT_COMMITTER_DATE", "1700000000 +0000")])
        .output()
        .expect("these tests need the `git` program");
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim().to_owned()
}

fn id(hash: &str) -> Found {
    Found::Commit(CommitId::new(hash))
}
