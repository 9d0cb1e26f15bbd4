//! Which commit a revision names.

use headwater_project::{Found, GitRevisions, Revisions};

use crate::{Repo, git_in, id};

/// `main` with a merge of `side`, a light and an annotated tag.
fn history() -> Repo {
    let repo = Repo::new();
    repo.write("a.pipe", "NODE one\n").commit("one");
    repo.git(&["tag", "light"]);
    repo.git(&["tag", "-a", "-m", "x", "heavy"]);
    repo.git(&["tag", "-a", "-m", "x", "heavier", "heavy"]);
    repo.git(&["switch", "--quiet", "-c", "side/branch"]);
    repo.write("b.pipe", "NODE two\n").commit("two");
    repo.git(&["switch", "--quiet", "main"]);
    repo.write("c.pipe", "NODE three\n").commit("three");
    repo.git(&["merge", "--quiet", "--no-ff", "-m", "merge", "side/branch"]);
    repo
}

const NAMES: &[&str] = &[
    "HEAD",
    "@",
    "main",
    "refs/heads/main",
    "heads/main",
    "side/branch",
    "light",
    "heavy",
    "heavier",
    "HEAD~1",
    "HEAD^",
    "HEAD^2",
    "HEAD^2^",
    "HEAD~~",
    "@~2",
    "heavy^0",
    "HEAD^0",
    "main^2~1",
];

fn agrees_with_git(repo: &Repo, names: &[&str]) {
    for name in names {
        let expected = repo.git(&["rev-parse", &format!("{name}^{{commit}}")]);
        assert_eq!(repo.hash(name), expected, "{name}");
        // The hash itself, in full and as people shorten it.
        assert_eq!(repo.hash(&expected), expected, "{name}");
        assert_eq!(repo.hash(&expected[..12].to_uppercase()), expected, "{name}");
    }
}

#[test]
fn names_mean_what_git_says() {
    let repo = history();
    agrees_with_git(&repo, NAMES);
    repo.git(&["pack-refs", "--all"]);
    assert!(!repo.at(".git/refs/heads/main").exists(), "the references are packed");
    agrees_with_git(&repo, NAMES);
    repo.git(&["gc", "--quiet", "--aggressive", "--prune=now"]);
    agrees_with_git(&repo, NAMES);
    repo.git(&["repack", "--quiet", "-adk", "--write-midx"]);
    agrees_with_git(&repo, NAMES);
    repo.git(&["switch", "--quiet", "--detach", "heavy"]);
    agrees_with_git(&repo, &["HEAD", "main", "@"]);
}

#[test]
fn a_reference_moves_and_the_answer_with_it() {
    let repo = history();
    let first = repo.hash("HEAD");
    let second = repo.write("d.pipe", "NODE four\n").commit("four");
    assert_ne!(first, second);
    assert_eq!(repo.hash("HEAD"), second);
    repo.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    assert_eq!(repo.hash("HEAD"), first);
}

#[test]
fn remote_branches_have_their_short_names() {
    let origin = history();
    let clone = Repo::without_git();
    clone.git(&["clone", "--quiet", origin.path.as_str(), "."]);
    agrees_with_git(&clone, &["origin/main", "origin/side/branch", "origin", "refs/remotes/origin/main"]);
}

#[test]
fn what_does_not_exist_is_said() {
    let repo = history();
    for name in ["mian", "deadbeef", "refs/heads/none", "0000000000000000000000000000000000000000x"] {
        let error = repo.error(name);
        assert!(error.contains(&format!("no revision `{name}`")), "{error}");
    }
    let tree = repo.git(&["rev-parse", "HEAD^{tree}"]);
    assert!(repo.error(&tree).contains("is a tree and no commit"), "{}", repo.error(&tree));
    assert!(repo.error("0000000000000000000000000000000000000001").contains("not in the repository"));
    assert!(repo.error("HEAD~9").contains("no such parent"), "{}", repo.error("HEAD~9"));
    assert!(repo.error("HEAD^3").contains("no such parent"));
    assert!(repo.error("HEAD@{1}").contains("not understood"));
    for name in ["../../HEAD", "/etc/passwd", "refs/heads/../../config", "config", "."] {
        assert!(repo.find(name).is_err(), "{name}");
    }
}

#[test]
fn no_repository_and_no_commit_are_no_errors() {
    let bare_folder = Repo::without_git();
    assert_eq!(bare_folder.find("HEAD"), Ok(Found::NoRepository));
    assert_eq!(GitRevisions.find(&bare_folder.at("not/there"), "HEAD"), Ok(Found::NoRepository));
    assert!(GitRevisions.watches(&bare_folder.path).is_empty());
    let unborn = Repo::new();
    assert_eq!(unborn.find("HEAD"), Ok(Found::NoCommit));
    assert_eq!(unborn.find("HEAD~1"), Ok(Found::NoCommit));
    assert!(unborn.error("main").contains("no revision `main`"));
}

#[test]
fn a_linked_worktree_has_its_own_head() {
    let repo = history();
    let other = Repo::without_git();
    repo.git(&["worktree", "add", "--quiet", other.at("tree").as_str(), "side/branch"]);
    let tree = other.at("tree");
    assert!(tree.join(".git").is_file());
    assert_eq!(GitRevisions.find(&tree, "HEAD"), Ok(id(&repo.git(&["rev-parse", "side/branch"]))));
    assert_eq!(GitRevisions.find(&tree, "main"), Ok(id(&repo.hash("main"))));
    let head = git_in(&tree, &["rev-parse", "--absolute-git-dir"]);
    let watches = GitRevisions.watches(&tree);
    assert!(watches.iter().any(|watch| watch.folder == head && watch.glob == "HEAD"), "{watches:?}");
    // The repository it belongs to is gone.
    std::fs::remove_dir_all(repo.at(".git")).unwrap();
    assert!(GitRevisions.find(&tree, "HEAD").unwrap_err().0.contains("no whole git repository"));
}

#[test]
fn a_shallow_clone_says_where_it_ends() {
    let origin = history();
    let clone = Repo::without_git();
    clone.git(&["clone", "--quiet", "--depth=1", &format!("file://{}", origin.path), "."]);
    assert_eq!(clone.hash("HEAD"), origin.hash("HEAD"));
    assert_eq!(clone.files(), origin.files());
    assert!(clone.error("HEAD~1").contains("git fetch --unshallow"), "{}", clone.error("HEAD~1"));
}

#[test]
fn other_object_formats() {
    let repo = Repo::without_git();
    repo.git(&["init", "--quiet", "--object-format=sha256", "--initial-branch=main"]);
    let hash = repo.write("a.pipe", "NODE a\n").commit("one");
    assert_eq!(hash.len(), 64);
    assert_eq!(repo.hash("HEAD"), hash);
    assert_eq!(repo.hash(&hash[..8]), hash);
    assert_eq!(repo.files()["a.pipe"], "NODE a\n");
    repo.git(&["gc", "--quiet"]);
    assert_eq!(repo.files()["a.pipe"], "NODE a\n");

    let tables = Repo::without_git();
    tables.git(&["init", "--quiet", "--ref-format=reftable"]);
    tables.commit("one");
    assert!(tables.error("HEAD").contains("reftable"), "{}", tables.error("HEAD"));
}
