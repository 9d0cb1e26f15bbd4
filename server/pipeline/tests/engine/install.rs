//! Releases: what is refused, and what is installed.

use headwater_pipeline::Release;

use crate::support::{World, files};

const SOURCE: &str = "\
//- datasources/events.datasource
SCHEMA >
    `id` UInt64 `json:$.id`,
    `value` Int64 `json:$.value`

ENGINE MergeTree
ENGINE_SORTING_KEY id
//- datasources/target.datasource
SCHEMA >
    `id` UInt64

ENGINE MergeTree
ENGINE_SORTING_KEY id
";

fn view(sql: &str) -> String {
    view_into("target", sql)
}

fn view_into(target: &str, sql: &str) -> String {
    format!(
        "{SOURCE}//- pipes/into.pipe\nNODE into\nSQL >\n    {sql}\nTYPE materialized\nDATASOURCE {target}\n"
    )
}

pub(crate) fn refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::open(folder.path(), 1, None);
    for (project, words) in [
        (view_into("nothing", "SELECT id FROM events"), "no target that the project defines"),
        (view("SELECT 1 AS id"), "starts from no data source"),
        (
            view("SELECT id, value FROM events"),
            "gives a column `value` that its target `target` does not have",
        ),
        (view("SELECT id FROM events FINAL"), "the engine refuses the view `into` of the pipe `into`"),
        (view("SELECT id FROM events SAMPLE 0.1"), "the engine refuses the view `into`"),
        (view("SELECT id FROM events PREWHERE id > 1"), "the engine refuses the view `into`"),
        (view("SELECT nope AS id FROM events"), "nope"),
        (view("SELECT id FROM events UNION ALL SELECT id FROM target"), "do not all start from `events`"),
        (view_into("events", "SELECT id, value FROM events"), "come back to it through views, for ever"),
        (view("SELECT id FROM events WHERE file('/etc/passwd') != ''"), "file"),
        (
            format!(
                "{SOURCE}//- datasources/bad.datasource\nSCHEMA >\n    `a` String DEFAULT randomString(3)\n"
            ),
            "`randomString`",
        ),
        (
            format!("{SOURCE}//- datasources/bad.datasource\nSCHEMA >\n    `a` String\n\nENGINE Join\n"),
            "keep no tokens",
        ),
        (
            format!("{SOURCE}//- datasources/bad.datasource\nSCHEMA >\n    `a` Strng\n\nENGINE MergeTree\n"),
            "Strng",
        ),
    ] {
        let why = world.install(&project).expect_err(&project);
        assert!(why.contains(words), "{project}\n{why}");
        assert!(world.pipeline.release().is_none());
    }
    assert!(world.try_send("events", "{\"id\":1}", None).is_err(), "nothing is live");
}

pub(crate) fn once() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(folder.path(), SOURCE);
    world.install(SOURCE).expect("it is live already");
    let before = world.pipeline.release().expect("live");
    // Queries of endpoints are no tables.
    let endpoint = format!(
        "{SOURCE}//- pipes/top.pipe\nTOKEN reading READ\nNODE top\nSQL >\n    SELECT count() AS c FROM events\nTYPE endpoint\n\
         //- pipes/one.pipe\nNODE one\nSQL >\n    %\n    SELECT id FROM events WHERE id = {{{{UInt64(id, 1)}}}}\nTYPE endpoint\n"
    );
    world.install(&endpoint).expect("no table is another one");
    let after = world.pipeline.release().expect("live");
    assert_ne!(before.id(), after.id());
    assert_eq!(before.sources, after.sources);
    assert_eq!((after.tokens[0].name.as_str(), after.tokens[0].resource.as_str()), ("reading", "top"));
    let receipt = world.send("events", "{\"id\":3,\"value\":1}");
    world.applied("events", &receipt);
    let sql = after.endpoints["top"].sql.clone().expect("no request makes it");
    assert_eq!(world.ask(&sql), "1");
    let one = &after.endpoints["one"];
    assert_eq!((one.sql.as_deref(), one.parameters.as_slice()), (None, &["id".to_owned()][..]));
    let changed =
        world.install(&SOURCE.replace("`value` Int64", "`value` Int32")).expect_err("a table is another one");
    assert!(changed.contains("`events`") && changed.contains("deployment"), "{changed}");
    let folder = world.close();
    let world = World::open(&folder, 2, None);
    assert_eq!(world.pipeline.release().expect("it was live").id(), after.id());
    world.install(&endpoint).expect("it is live already");
    // Another number of a deployment, other tables.
    let first = Release::compile(files(SOURCE)).expect("compiles");
    let second = Release::compile_as(files(SOURCE), 2).expect("compiles");
    assert_ne!(first.sources["events"].table, second.sources["events"].table);
    assert_eq!(first.id(), Release::compile(files(SOURCE)).expect("compiles").id());
}
