//! What a commit's files are, and how they become a project.

use std::sync::Arc;

use camino::Utf8Path;
use headwater_analysis::{Content, Database, Dialect, diagnostics, dialect};
use headwater_project::{
    Against, GitRevisions, OsFileSystem, ProjectRoot, Revisions, discover, load, load_at,
};

use crate::{Repo, files, git_in, names, scan_root};

#[test]
fn the_commit_is_read_and_not_the_working_copy() {
    let repo = Repo::new();
    repo.write("pipes/a.pipe", "NODE old\n").write("datasources/b.datasource", "SCHEMA >\n `x` String\n");
    repo.write("README.md", "x").write("node_modules/m/c.pipe", "").write("tests/t.yaml", "- name: t\n");
    repo.write("pipes/.hidden.pipe", "").write("fixtures/b.ndjson", "{}");
    repo.commit("one");
    repo.write("pipes/a.pipe", "NODE new\n").write("pipes/untracked.pipe", "NODE x\n");
    repo.git(&["rm", "--quiet", "datasources/b.datasource"]);
    let scan = repo.scan("").unwrap();
    assert_eq!(
        names(&scan),
        ["datasources/b.datasource", "fixtures/b.ndjson", "pipes/a.pipe", "tests/t.yaml"]
    );
    assert_eq!(files(&scan)["pipes/a.pipe"], "NODE old\n");
    assert_eq!(scan.fixtures, ["fixtures/b.ndjson"]);
}

#[test]
fn a_project_in_a_subfolder_with_its_marker_above() {
    let repo = Repo::new();
    repo.write("tinybird.config.json", r#"{"folder": "packages/tb"}"#);
    repo.write("headwater.toml", "dialect = 'classic'\n");
    repo.write("packages/tb/pipes/a.pipe", "NODE a\n").write("other/pipes/b.pipe", "NODE b\n");
    repo.commit("one");
    std::fs::remove_file(repo.at("headwater.toml")).unwrap();
    let root = discover(&OsFileSystem, &repo.at("packages/tb/pipes")).unwrap();
    assert_eq!(root.path, repo.at("packages/tb"));
    let scan = scan_root(&root).unwrap();
    assert_eq!(names(&scan), ["pipes/a.pipe"]);
    assert_eq!(scan.config.as_deref(), Some("dialect = 'classic'\n"));
    assert!(scan.facts.config_json && !scan.facts.tinyenv);
    // A folder that the commit does not have is a project without files.
    std::fs::create_dir(repo.at("new")).unwrap();
    assert_eq!(names(&repo.scan("new").unwrap()), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_project_that_is_reached_over_a_link() {
    let repo = Repo::new();
    repo.write("deep/tb/pipes/a.pipe", "NODE a\n").commit("one");
    let elsewhere = Repo::without_git();
    for (name, target) in
        [("top", repo.path.clone()), ("inside", repo.at("deep/tb")), ("half", repo.at("deep"))]
    {
        std::os::unix::fs::symlink(target, elsewhere.at(name)).unwrap();
    }
    for below in ["top/deep/tb", "inside", "half/tb"] {
        let scan = scan_root(&ProjectRoot::at(elsewhere.at(below))).unwrap();
        assert_eq!(names(&scan), ["pipes/a.pipe"], "{below}");
    }
}

#[test]
fn texts_are_as_committed() {
    let repo = Repo::new();
    repo.git(&["config", "core.autocrlf", "true"]);
    repo.write(".gitattributes", "*.datasource -text\n*.incl text eol=crlf\n");
    repo.write("lf.pipe", "NODE a\n").write("crlf.datasource", "SCHEMA >\r\n `x` String\r\n");
    repo.write("normalised.incl", "SQL >\r\n");
    repo.write("latin.pipe", b"NODE \xe9\n")
        .write("binary.pipe", b"\0\0")
        .write("mark.pipe", "\u{FEFF}NODE a\n");
    repo.write("large.pipe", vec![b' '; 17 * 1024 * 1024]);
    repo.write("empty.pipe", "").write("café/à.pipe", "NODE é\n");
    repo.commit("one");
    let files = repo.files();
    let starts =
        |path: &str, start: &str| assert!(files[path].starts_with(start), "{path}: {:?}", files[path]);
    assert_eq!(files["lf.pipe"], "NODE a\n");
    assert_eq!(files["crlf.datasource"], "SCHEMA >\r\n `x` String\r\n");
    assert_eq!(files["normalised.incl"], "SQL >\n", "what git stores, not what it would check out");
    assert_eq!(files["mark.pipe"], "\u{FEFF}NODE a\n");
    assert_eq!(files["empty.pipe"], "");
    assert_eq!(files["café/à.pipe"], "NODE é\n");
    starts("latin.pipe", "<The file is not UTF-8");
    starts("binary.pipe", "<The file is binary");
    starts("large.pipe", "<The file has 17 MB");
}

#[cfg(unix)]
#[test]
fn links_and_submodules_are_not_part_of_a_commit() {
    let inner = Repo::new();
    inner.write("pipes/inner.pipe", "NODE i\n").commit("inner");
    let repo = Repo::new();
    repo.write("pipes/a.pipe", "NODE a\n").write("elsewhere/b.pipe", "NODE b\n");
    std::os::unix::fs::symlink("a.pipe", repo.at("pipes/link.pipe")).unwrap();
    std::os::unix::fs::symlink("elsewhere", repo.at("linked")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", repo.at("pipes/passwd.pipe")).unwrap();
    repo.git(&["submodule", "--quiet", "add", inner.path.as_str(), "sub"]);
    repo.commit("one");
    assert_eq!(names(&repo.scan("").unwrap()), ["elsewhere/b.pipe", "pipes/a.pipe"]);
    // Inside the submodule its own history counts.
    assert!(repo.at("sub/.git").is_file());
    assert_eq!(names(&repo.scan("sub").unwrap()), ["pipes/inner.pipe"]);
    assert_eq!(GitRevisions.find(&repo.at("sub"), "HEAD"), inner.find("HEAD"));
    std::fs::remove_dir_all(repo.at(".git/modules")).unwrap();
    assert!(
        repo.scan("sub").unwrap_err().0.contains("no whole git repository"),
        "the outer one does not answer"
    );
}

#[test]
fn packs_with_deltas_give_the_same_texts() {
    let repo = Repo::new();
    let text = |file: usize, version: usize| {
        let lines = (0..200).map(|line| format!("-- {file} {line} {}\n", line % 17));
        lines.chain([format!("NODE v{version}\n")]).collect::<String>()
    };
    for version in 0..12 {
        for file in 0..80 {
            repo.write(&format!("pipes/p{file}.pipe"), text(file, version));
        }
        repo.commit(&format!("{version}"));
    }
    let loose = repo.files();
    assert_eq!(loose["pipes/p7.pipe"], text(7, 11));
    for arguments in
        [&["gc", "--quiet", "--aggressive", "--prune=now"][..], &["repack", "-adfq", "--write-midx"]]
    {
        repo.git(arguments);
        assert_eq!(repo.files(), loose);
    }
    let mut db = Database::default();
    let working = load(&mut db, &OsFileSystem, &ProjectRoot::at(&repo.path));
    let (old, _) = load_at(&mut db, &GitRevisions, &working, "HEAD~9").unwrap();
    assert_eq!(&*old.file(&db, "pipes/p7.pipe".into()).unwrap().text(&db), text(7, 2));
}

#[test]
fn a_baseline_shares_what_is_equal_and_is_in_no_list() {
    let repo = Repo::new();
    repo.write("same.pipe", "NODE a\nSQL >\n    SELECT 1\n").write("changed.pipe", "NODE old\n");
    repo.write("broken.pipe", "NODE x\nSQL >\n    SELECT * FROM gone\n").commit("one");
    repo.write("changed.pipe", "NODE new\n").write("added.pipe", "NODE b\n");
    std::fs::remove_file(repo.at("broken.pipe")).unwrap();

    let mut db = Database::default();
    let mut working = load(&mut db, &OsFileSystem, &ProjectRoot::at(&repo.path));
    let before: Vec<_> = working.project.files(&db).to_vec();
    let open = "NODE typed\n";
    working.set_open(&mut db, "same.pipe".into(), open.into());
    let (baseline, commit) = load_at(&mut db, &GitRevisions, &working, "HEAD").unwrap();
    assert_eq!(commit.as_str(), repo.hash("HEAD"));
    assert!(working.set_baseline(&mut db, Some(baseline.project)));
    assert!(!working.set_baseline(&mut db, Some(baseline.project)), "once is enough");
    working.close(&mut db, "same.pipe".into());

    let text = |loaded: &headwater_project::Loaded, path: &str| match loaded
        .file(&db, Utf8Path::new(path))
        .unwrap()
        .content(&db)
    {
        Content::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    assert!(Arc::ptr_eq(&text(&working, "same.pipe"), &text(&baseline, "same.pipe")), "one string for both");
    assert_eq!(&*text(&baseline, "changed.pipe"), "NODE old\n");
    assert!(baseline.file(&db, "added.pipe".into()).is_none());

    assert_eq!(working.project.baseline(&db), Some(baseline.project));
    assert_eq!(baseline.project.baseline(&db), None);
    assert_eq!(**working.project.files(&db), before);
    let mine = |file: &headwater_analysis::File| file.project(&db) == working.project;
    assert!(before.iter().all(mine));
    let related = before.iter().flat_map(|file| diagnostics(&db, *file).iter()).flat_map(|d| &d.related);
    assert!(related.map(|related| related.file).all(|file| mine(&file)));
}

#[test]
fn against_a_revision_or_a_folder() {
    let repo = Repo::new();
    repo.write("tb/headwater.toml", "dialect = 'classic'\n").write("tb/a.pipe", "NODE old\n").commit("one");
    repo.write("tb/headwater.toml", "").write("tb/a.pipe", "NODE new\n").write("copy/a.pipe", "NODE copy\n");
    repo.write("copy/headwater.toml", "dialect = 'forward'\n");
    repo.write("many/x/pipes/a.pipe", "").write("many/y/pipes/a.pipe", "").write("none/readme.txt", "");
    let mut db = Database::default();
    let working = load(&mut db, &OsFileSystem, &ProjectRoot::at(repo.at("tb")));
    let mut run = |value: &str| {
        let against: Against = value.parse()?;
        let other = against.load(&mut db, &OsFileSystem, &GitRevisions, &working, &repo.path)?;
        let text = other.loaded.file(&db, "a.pipe".into()).unwrap().text(&db).to_string();
        Ok((text, dialect(&db, other.loaded.project).dialect, other.title))
    };
    let short = &repo.hash("HEAD")[..10];
    let committed = ("NODE old\n".to_owned(), Dialect::Classic, format!("HEAD ({short})"));
    assert_eq!(run("git:HEAD"), Ok(committed));
    assert_eq!(run("git: main ").unwrap().2, format!("main ({short})"));
    assert_eq!(run("copy"), Ok(("NODE copy\n".to_owned(), Dialect::Forward, repo.at("copy").to_string())));
    for (value, said) in [
        ("git:nope", "there is no revision `nope`"),
        ("git:", "`git:` needs a revision"),
        ("", "name a folder"),
        (
            "main",
            "`main` is no folder; name the folder that holds the other project, or a commit as `git:main`",
        ),
        ("none", "`none` holds no data project"),
        ("many", "several projects"),
        ("tb/a.pipe", "is no folder"),
    ] {
        let error: headwater_project::AgainstError = run(value).unwrap_err();
        assert!(error.0.contains(said), "{value}: {error}");
    }
    assert_eq!(git_in(&repo.path, &["status", "--porcelain", "tb"]), "M tb/a.pipe\n M tb/headwater.toml");
}
