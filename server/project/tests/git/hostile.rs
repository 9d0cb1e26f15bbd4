//! Repositories that somebody prepared, and repositories that a disk has damaged: nothing is started, nothing hangs,
//! nothing panics, and a baseline is whole or an error.

use headwater_project::{Found, GitRevisions, ProjectRoot, Revisions, Texts, scan_at};

use crate::{Repo, files, names, scan_root};

#[test]
fn nothing_a_repository_configures_is_obeyed() {
    let repo = Repo::new();
    let canary = repo.at("canary");
    let run = format!("touch {canary}");
    repo.write("a.pipe", "NODE a\n").write(".gitattributes", "*.pipe filter=evil diff=evil text eol=crlf\n");
    repo.commit("one");
    for key in [
        "core.fsmonitor",
        "core.sshCommand",
        "core.gitProxy",
        "core.pager",
        "core.editor",
        "core.alternateRefsCommand",
        "filter.evil.smudge",
        "filter.evil.clean",
        "filter.evil.process",
        "diff.evil.textconv",
        "alias.rev-parse",
        "credential.helper",
        "gpg.program",
        "uploadpack.packObjectsHook",
    ] {
        repo.git(&["config", key, &run]);
    }
    repo.write("included", format!("[extensions]\n\trefStorage = reftable\n[core]\n\tfsmonitor = {run}\n"));
    repo.git(&["config", "include.path", "../included"]);
    repo.git(&["config", "core.worktree", "/"]);
    for hook in ["post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"] {
        repo.write(&format!(".git/hooks/{hook}"), format!("#!/bin/sh\n{run}\n"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::Permissions::from_mode(0o755);
            std::fs::set_permissions(repo.at(&format!(".git/hooks/{hook}")), mode).unwrap();
        }
    }
    assert_eq!(repo.files()["a.pipe"], "NODE a\n");
    assert!(!canary.exists());
}

#[test]
fn replacements_do_not_change_what_a_commit_is() {
    let repo = Repo::new();
    repo.write("a.pipe", "NODE a\n").commit("one");
    repo.write("b.pipe", "NODE b\n").commit("two");
    repo.git(&["replace", "HEAD~1^{tree}", "HEAD^{tree}"]);
    repo.git(&["checkout", "--quiet", "HEAD~1"]);
    assert_eq!(names(&repo.scan("").unwrap()), ["a.pipe"]);
}

/// Ten names for the same folder, ten levels deep, and one for the same large file.
#[test]
fn folders_that_unfold_without_end_are_refused() {
    let repo = Repo::new();
    repo.write("seed.pipe", vec![b'\n'; 15 * 1024 * 1024]).commit("seed");
    let blob = repo.git(&["rev-parse", "HEAD:seed.pipe"]);
    let mktree = |lines: &str| {
        use std::io::Write;
        let mut child = std::process::Command::new("git")
            .arg("mktree")
            .current_dir(&repo.path)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success());
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    };
    let large: String = (0..60).map(|n| format!("100644 blob {blob}\tf{n}.pipe\n")).collect();
    let large = mktree(&large);
    let empty = repo.git(&["hash-object", "-w", "/dev/null"]);
    let mut deep = mktree(&(0..200).map(|n| format!("100644 blob {empty}\tf{n}.pipe\n")).collect::<String>());
    for _ in 0..10 {
        deep = mktree(&(0..10).map(|n| format!("040000 tree {deep}\td{n}\n")).collect::<String>());
    }
    for (tree, said) in [(large, "too large for a data project"), (deep, "no data project")] {
        let commit = repo.git(&["commit-tree", "-m", "bomb", &tree]);
        repo.git(&["update-ref", "refs/heads/main", &commit]);
        let error = repo.scan("").unwrap_err();
        assert!(error.0.contains(said), "{error}");
    }
}

/// A file where a folder is expected, the other way round, and names that climb.
#[test]
fn names_in_a_tree_do_not_lead_out_of_it() {
    let repo = Repo::new();
    repo.write("a.pipe", "NODE a\n").commit("one");
    let blob = repo.git(&["rev-parse", "HEAD:a.pipe"]);
    let mut raw = Vec::new();
    for name in ["../evil.pipe", ".", "..", "/etc/x.pipe", "a.pipe", "a.pipe"] {
        raw.extend(format!("100644 {name}\0").bytes());
        raw.extend((0..20).map(|at| u8::from_str_radix(&blob[at * 2..at * 2 + 2], 16).unwrap()));
    }
    raw.extend(b"100644 latin\xe9.pipe\0");
    raw.extend([7; 20]);
    repo.write("raw", raw);
    let tree = repo.git(&["hash-object", "-t", "tree", "--literally", "-w", "raw"]);
    let commit = repo.git(&["commit-tree", "-m", "x", &tree]);
    repo.git(&["update-ref", "refs/heads/main", &commit]);
    assert_eq!(names(&repo.scan("").unwrap()), ["a.pipe"]);
}

#[cfg(unix)]
#[test]
fn pipes_in_place_of_files_are_not_waited_for() {
    let make = |path: &str, remove: bool| {
        let repo = Repo::new();
        repo.write("a.pipe", "NODE a\n").commit("one");
        let at = repo.at(path);
        if remove {
            let _ = std::fs::remove_file(&at).or_else(|_| std::fs::remove_dir_all(&at));
        }
        assert!(std::process::Command::new("mkfifo").arg(&at).status().unwrap().success());
        repo
    };
    for path in [".git", ".git/HEAD", ".git/config", ".git/commondir", ".git/refs/heads/main"] {
        let repo = make(path, path != ".git/commondir");
        let error = repo.error("HEAD");
        assert!(error.contains("regular file") || error.contains("no HEAD"), "{path}: {error}");
    }
}

#[test]
fn broken_links_between_the_parts_are_said() {
    for (text, said) in [
        ("", "names no repository"),
        ("gitdir:", "names no repository"),
        ("nonsense", "names no repository"),
        ("gitdir: ../nowhere\n", "no whole git repository"),
        ("gitdir: .\n", "no whole git repository"),
    ] {
        let repo = Repo::without_git();
        repo.write("p/.git", text).write("p/a.pipe", "NODE a\n");
        let error = GitRevisions.find(&repo.at("p"), "HEAD").unwrap_err();
        assert!(error.0.contains(said), "{text:?}: {error}");
    }
    let repo = Repo::new();
    repo.write("a.pipe", "NODE a\n").commit("one");
    repo.write(".git/refs/heads/main", "ref: refs/heads/other\n");
    repo.write(".git/refs/heads/other", "ref: refs/heads/main\n");
    assert!(repo.error("HEAD").contains("leads nowhere"), "{}", repo.error("HEAD"));
    repo.write(".git/objects/info/alternates", format!("{}\n/nowhere\n", repo.at(".git/objects")));
    repo.write(".git/refs/heads/main", "not a hash\n");
    assert!(repo.find("HEAD").is_err());
}

/// Every file of a repository in turn, cut, emptied, gone or with flipped bytes: an answer is right or an error.
#[test]
fn damage_is_never_a_wrong_answer() {
    let repo = Repo::new();
    for file in 0..6 {
        repo.write(
            &format!("pipes/p{file}.pipe"),
            format!("NODE n{file}\n{}", "-- line\n".repeat(50 + file)),
        );
    }
    repo.commit("one");
    repo.write("pipes/p0.pipe", format!("NODE new\n{}", "-- line\n".repeat(51))).commit("two");
    let whole = repo.files();
    let Ok(Found::Commit(first)) = repo.find("HEAD~1") else { panic!("there are two commits") };
    let root = ProjectRoot::at(&repo.path);
    let earlier = files(&scan_at(&GitRevisions, &root, &first, &Texts::default()).unwrap());
    let loose = snapshot(&repo);
    repo.git(&["gc", "--quiet", "--prune=now"]);
    let packed = snapshot(&repo);
    let mut errors = 0;
    let mut answers = 0;
    for paths in [loose, packed] {
        // Put back what the other form has removed.
        for (path, bytes) in &paths {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let _ = std::fs::remove_file(path);
            std::fs::write(path, bytes).unwrap();
        }
        for (path, bytes) in &paths {
            for damage in 0..12 {
                let _ = std::fs::remove_file(path);
                let damaged = match damage {
                    0 => None,
                    1 => Some(Vec::new()),
                    2 => Some(bytes[..bytes.len() / 2].to_vec()),
                    3 => Some([&bytes[..], b"\0\xff rest"].concat()),
                    n => {
                        let mut bytes = bytes.clone();
                        let at = bytes.len() * (n - 4) / 8;
                        if let Some(byte) = bytes.get_mut(at) {
                            *byte ^= 0xff >> (n % 5);
                        }
                        Some(bytes)
                    }
                };
                if let Some(damaged) = damaged {
                    std::fs::write(path, damaged).unwrap();
                }
                match GitRevisions.find(&repo.path, "HEAD") {
                    Ok(Found::Commit(_)) => match scan_root(&root) {
                        Ok(scan) => {
                            // Without the loose reference the packed one counts, which may be older.
                            let files = files(&scan);
                            let known = files == whole || files == earlier;
                            assert!(known, "{} {damage}: {files:?}", path.display());
                            answers += 1;
                        }
                        Err(_) => errors += 1,
                    },
                    Ok(_) | Err(_) => errors += 1,
                }
                let _ = std::fs::remove_file(path);
                std::fs::write(path, bytes).unwrap();
            }
        }
        assert_eq!(repo.files(), whole);
    }
    assert!(errors > 50 && answers > 50, "{errors} errors, {answers} answers");
}

fn snapshot(repo: &Repo) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut out = Vec::new();
    let mut folders = vec![repo.at(".git").into_std_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                if !path.ends_with("hooks") && !path.ends_with("logs") {
                    folders.push(path);
                }
            } else {
                let bytes = std::fs::read(&path).unwrap();
                out.push((path, bytes));
            }
        }
    }
    out.sort();
    out
}
