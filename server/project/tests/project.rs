//! Reading projects: where they begin, what belongs to them, and how they follow the disk.

use camino::{Utf8Path, Utf8PathBuf};
use headwater_analysis::{Content, Database, ProjectFacts};
use headwater_project::{
    FileSystem, MemoryFileSystem, OsFileSystem, ProjectRoot, discover, discover_below, load, scan,
    workspace_roots,
};

fn fs(files: &[&str]) -> MemoryFileSystem {
    let fs = MemoryFileSystem::new();
    for file in files {
        fs.write(file, "DESCRIPTION x\n");
    }
    fs
}

fn root_of(fs: &MemoryFileSystem, start: &str) -> Option<String> {
    discover(fs, start.into()).map(|root| root.path.into_string())
}

fn paths(fs: &dyn FileSystem, root: &str) -> Vec<String> {
    scan(fs, &ProjectRoot::at(root)).files.into_iter().map(|file| file.path.into_string()).collect()
}

#[test]
fn the_nearest_marker_wins_over_folders_with_datafiles() {
    let fs = fs(&["/r/headwater.toml", "/r/pipes/deep/a.pipe", "/r/.git/HEAD"]);
    assert_eq!(root_of(&fs, "/r/pipes/deep").as_deref(), Some("/r"));
    assert_eq!(root_of(&fs, "/r").as_deref(), Some("/r"));
}

#[test]
fn datafile_folders_make_a_project_without_any_marker() {
    let fs = fs(&["/r/tb/pipes/a.pipe", "/r/src/main.ts", "/loose/a.pipe"]);
    assert_eq!(root_of(&fs, "/r/tb/pipes").as_deref(), Some("/r/tb"));
    assert_eq!(root_of(&fs, "/loose").as_deref(), Some("/loose"));
    assert_eq!(root_of(&fs, "/r/src"), None);
}

#[test]
fn tinyb_alone_is_no_project_and_git_ends_the_search() {
    let fs = fs(&["/home/.tinyb", "/home/work/.git/HEAD", "/home/work/x.txt", "/home/other/x.txt"]);
    assert_eq!(root_of(&fs, "/home/work"), None);
    fs.write("/home/headwater.toml", "");
    assert_eq!(root_of(&fs, "/home/work"), None);
    assert_eq!(root_of(&fs, "/home/other").as_deref(), Some("/home"));
}

#[test]
fn the_folder_key_is_followed_but_never_out_of_the_repository() {
    let fs = fs(&["/r/packages/tb/pipes/a.pipe", "/r/other/pipes/b.pipe", "/etc/pipes/c.pipe"]);
    fs.write("/r/tinybird.config.json", r#"{"folder": "packages/tb"}"#);
    let root = discover(&fs, "/r".into()).unwrap();
    assert_eq!(root.path, "/r/packages/tb");
    assert_eq!(root.config_path(), "/r/headwater.toml");
    assert!(scan(&fs, &root).facts.config_json);
    assert_eq!(root_of(&fs, "/r/other/pipes").as_deref(), Some("/r/other"));
    for outside in [r#"{"folder": "../etc"}"#, r#"{"folder": "/etc"}"#, "not json", "[]", r#"{"folder": 1}"#]
    {
        fs.write("/r/tinybird.config.json", outside);
        assert_eq!(root_of(&fs, "/r").as_deref(), Some("/r"), "{outside}");
    }
}

#[test]
fn a_monorepo_yields_every_project_once() {
    let fs = fs(&[
        "/m/.git/HEAD",
        "/m/packages/tinybird/pipes/a.pipe",
        "/m/packages/tinybird/datasources/b.datasource",
        "/m/apps/web/data/.tinyenv",
        "/m/apps/web/data/pipes/c.pipe",
        "/m/node_modules/x/pipes/d.pipe",
        "/m/.hidden/pipes/e.pipe",
        "/m/build/CACHEDIR.TAG",
        "/m/build/pipes2/f.pipe",
    ]);
    let below: Vec<_> = discover_below(&fs, "/m".into()).into_iter().map(|r| r.path).collect();
    assert_eq!(below, ["/m/apps/web/data", "/m/packages/tinybird"]);
    assert_eq!(workspace_roots(&fs, "/m".into()).len(), 2);
    let inside: Vec<_> = workspace_roots(&fs, "/m/packages/tinybird/pipes".into());
    assert_eq!(inside, [ProjectRoot::at("/m/packages/tinybird")]);
}

#[test]
fn a_nested_headwater_project_is_its_own() {
    let fs = fs(&["/m/headwater.toml", "/m/a.pipe", "/m/examples/x/headwater.toml", "/m/examples/x/b.pipe"]);
    assert_eq!(paths(&fs, "/m"), ["a.pipe"]);
    assert_eq!(root_of(&fs, "/m/examples/x").as_deref(), Some("/m/examples/x"));
}

#[test]
fn the_scan_follows_the_formats_rules() {
    let fs = fs(&[
        "/p/datasources/events.datasource",
        "/p/pipes/a.pipe",
        "/p/connections/k.connection",
        "/p/includes/x.incl",
        "/p/tokens/t.token",
        "/p/vendor/other/shared.datasource",
        "/p/a/b/c/three.pipe",
        "/p/a/b/c/d/four.pipe",
        "/p/.diff_tmp/a.pipe",
        "/p/pipes/.hidden.pipe",
        "/p/pipes/UPPER.PIPE",
        "/p/node_modules/m/a.pipe",
        "/p/tests/a.yaml",
        "/p/tests/deep/b.yml",
        "/p/fixtures/events.ndjson",
        "/p/datasources/fixtures/events.csv",
        "/p/.tinyenv",
    ]);
    let scan = scan(&fs, &ProjectRoot::at("/p"));
    let files: Vec<_> = scan.files.iter().map(|f| (f.path.as_str(), f.beyond_depth)).collect();
    assert_eq!(
        files,
        [
            ("a/b/c/d/four.pipe", true),
            ("a/b/c/three.pipe", false),
            ("connections/k.connection", false),
            ("datasources/events.datasource", false),
            ("fixtures/events.ndjson", false),
            ("includes/x.incl", false),
            ("pipes/a.pipe", false),
            ("tests/a.yaml", false),
            ("tests/deep/b.yml", false),
            ("tokens/t.token", false),
            ("vendor/other/shared.datasource", false),
        ]
    );
    assert_eq!(scan.fixtures, ["datasources/fixtures/events.csv", "fixtures/events.ndjson"]);
    assert!(scan.facts.tinyenv && !scan.facts.config_json && !scan.truncated);
}

#[test]
fn large_samples_are_passed_over() {
    let fs = fs(&["/p/fixtures/small.ndjson"]);
    fs.write("/p/fixtures/large.ndjson", "{}\n".repeat(200_000));
    let scan = scan(&fs, &ProjectRoot::at("/p"));
    let lengths: Vec<_> = scan
        .files
        .iter()
        .map(|f| match &f.content {
            Content::Text(text) => (f.path.as_str(), text.len()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(lengths[0], ("fixtures/large.ndjson", 0));
    assert_eq!(scan.fixtures, ["fixtures/large.ndjson", "fixtures/small.ndjson"]);
}

#[test]
fn link_loops_end_and_a_file_keeps_its_real_name() {
    let fs = fs(&["/p/pipes/a.pipe", "/shared/c.pipe"]);
    fs.link("/p/aaa", "/p/pipes").link("/p/pipes/loop", "/p").link("/p/up", "/").link("/p/out", "/shared");
    fs.link("/p/self", "/p/self").link("/p/gone.pipe", "/nowhere");
    assert_eq!(paths(&fs, "/p"), ["gone.pipe", "out/c.pipe", "pipes/a.pipe"]);
}

#[cfg(unix)]
#[test]
fn a_real_folder_with_loops_and_bad_files_is_read() {
    let dir = Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("real-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(dir.join("pipes")).unwrap();
    std::fs::write(dir.join("pipes/a.pipe"), "NODE a\n").unwrap();
    std::fs::write(dir.join("pipes/b.pipe"), b"NODE \xff").unwrap();
    std::os::unix::fs::symlink("..", dir.join("pipes/loop")).unwrap();
    std::os::unix::fs::symlink("nowhere", dir.join("pipes/dangling.pipe")).unwrap();
    let scan = scan(&OsFileSystem, &ProjectRoot::at(&dir));
    std::fs::remove_dir_all(&dir).unwrap();
    let content = |name: &str| &scan.files.iter().find(|f| f.path == name).unwrap().content;
    assert_eq!(scan.files.len(), 3);
    assert_eq!(*content("pipes/a.pipe"), Content::Text("NODE a\n".into()));
    assert!(matches!(content("pipes/b.pipe"), Content::Unreadable(reason) if reason.contains("0xFF")));
}

#[test]
fn many_files_are_read_in_order_by_two_threads() {
    let fs = MemoryFileSystem::new();
    for i in 0..500 {
        fs.write(format!("/p/pipes/p{i:03}.pipe"), format!("NODE n{i}\n"));
    }
    let scan = scan(&fs, &ProjectRoot::at("/p"));
    for (i, file) in scan.files.iter().enumerate() {
        assert_eq!(file.content, Content::Text(format!("NODE n{i}\n").into()), "{}", file.path);
    }
}

fn names(loaded: &headwater_project::Loaded, db: &Database) -> Vec<String> {
    loaded.project.files(db).iter().map(|file| file.path(db).to_string()).collect()
}

fn at(path: &str) -> Vec<Utf8PathBuf> {
    vec![Utf8Path::new("/p").join(path)]
}

#[test]
fn creation_change_and_deletion_follow_the_disk() {
    let fs = fs(&["/p/pipes/a.pipe"]);
    let mut db = Database::default();
    let mut loaded = load(&mut db, &fs, &ProjectRoot::at("/p"));
    assert_eq!(names(&loaded, &db), ["pipes/a.pipe"]);

    fs.write("/p/pipes/b.pipe", "NODE b\n");
    assert!(loaded.apply_changes(&mut db, &fs, &at("pipes/b.pipe")));
    assert!(!loaded.apply_changes(&mut db, &fs, &at("pipes/b.pipe")), "nothing changed the second time");
    assert_eq!(names(&loaded, &db), ["pipes/a.pipe", "pipes/b.pipe"]);
    let b = loaded.file(&db, "pipes/b.pipe".into()).unwrap();

    fs.remove("/p/pipes/b.pipe");
    assert!(loaded.apply_changes(&mut db, &fs, &at("pipes/b.pipe")));
    assert_eq!(names(&loaded, &db), ["pipes/a.pipe"]);
    assert_eq!(*b.content(&db), Content::Deleted);

    fs.write("/p/pipes/b.pipe", "NODE again\n");
    loaded.apply_changes(&mut db, &fs, &at("pipes/b.pipe"));
    assert_eq!(loaded.file(&db, "pipes/b.pipe".into()), Some(b), "a file that comes back keeps its input");

    fs.remove("/p/pipes");
    assert!(loaded.apply_changes(&mut db, &fs, &at("pipes")), "one event for a whole folder");
    assert!(loaded.is_empty(&db));

    fs.write("/p/moved/c.pipe", "NODE c\n");
    loaded.apply_changes(&mut db, &fs, &at("moved"));
    assert_eq!(names(&loaded, &db), ["moved/c.pipe"]);
}

#[test]
fn an_open_file_keeps_the_editors_text_until_it_is_closed() {
    let fs = fs(&["/p/a.pipe"]);
    let mut db = Database::default();
    let mut loaded = load(&mut db, &fs, &ProjectRoot::at("/p"));
    let file = loaded.set_open(&mut db, "a.pipe".into(), "NODE mine\n".into());

    fs.write("/p/a.pipe", "NODE theirs\n");
    assert!(!loaded.apply_changes(&mut db, &fs, &at("a.pipe")));
    loaded.reload(&mut db, &fs);
    assert_eq!(&*file.text(&db), "NODE mine\n");
    assert!(loaded.close(&mut db, "a.pipe".into()));
    assert_eq!(&*file.text(&db), "NODE theirs\n");

    loaded.set_open(&mut db, "new.pipe".into(), "NODE new\n".into());
    fs.remove("/p/a.pipe");
    loaded.reload(&mut db, &fs);
    assert_eq!(names(&loaded, &db), ["new.pipe"], "not on disk, but open");
    loaded.close(&mut db, "new.pipe".into());
    assert!(loaded.is_empty(&db));
}

#[test]
fn configuration_facts_and_tests_follow_the_disk() {
    let fs = fs(&["/p/a.pipe"]);
    let mut db = Database::default();
    let mut loaded = load(&mut db, &fs, &ProjectRoot::at("/p"));
    fs.write("/p/headwater.toml", "nonsense = 1\n").write("/p/.tinyenv", "").write("/p/tests/a.yaml", "");
    let paths: Vec<_> =
        ["headwater.toml", ".tinyenv", "tests/a.yaml"].iter().map(|p| Utf8Path::new("/p").join(p)).collect();
    assert!(loaded.apply_changes(&mut db, &fs, &paths));
    assert_eq!(loaded.config_problems.len(), 1);
    assert!(loaded.project.facts(&db).tinyenv);
    assert!(loaded.file(&db, Utf8Path::new("tests/a.yaml")).is_some());
    for path in ["/p/headwater.toml", "/p/.tinyenv", "/p/tests/a.yaml"] {
        fs.remove(path);
    }
    assert!(loaded.apply_changes(&mut db, &fs, &paths));
    assert!(loaded.config_problems.is_empty() && !loaded.project.facts(&db).tinyenv);
    assert!(loaded.file(&db, Utf8Path::new("tests/a.yaml")).is_none());
}

#[test]
fn a_marker_that_is_gone_says_nothing_any_more() {
    for marker in [".tinyenv", "tinybird.config.json"] {
        let fs = fs(&["/p/a.pipe"]);
        let path = Utf8Path::new("/p").join(marker);
        fs.write(&path, "{}");
        let mut db = Database::default();
        let mut loaded = load(&mut db, &fs, &discover(&fs, "/p".into()).unwrap());
        let facts = loaded.project.facts(&db);
        assert!(facts.tinyenv || facts.config_json, "{marker}");
        fs.remove(&path);
        assert!(loaded.apply_changes(&mut db, &fs, &[path]));
        assert_eq!(loaded.project.facts(&db), ProjectFacts::default(), "{marker}");
    }
}
