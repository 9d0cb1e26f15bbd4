//! Renames there, and back again.

use headwater_analysis::{Content, Database, Setter, diagnostics};
use headwater_test_fixture::Fixture;

use super::*;
use crate::change::apply;

struct World {
    db: Database,
    files: Vec<File>,
    file: File,
    offset: TextSize,
}

fn world(text: &str) -> World {
    let fixture = Fixture::parse(text);
    let (db, _, files) = fixture.load();
    let (index, offset) = fixture.cursor.expect("a cursor");
    World { file: files[index], db, files, offset }
}

impl World {
    fn errors(&self) -> usize {
        self.files.iter().map(|f| diagnostics(&self.db, *f).len()).sum()
    }

    fn make(&mut self, change: &Change) {
        for (file, edits) in &change.edits {
            let required: Vec<_> = edits
                .iter()
                .filter(|e| e.annotation.is_none_or(|n| !change.annotations[n].needs_confirmation))
                .cloned()
                .collect();
            let text = apply(&file.text(&self.db), &required);
            file.set_content(&mut self.db).to(Content::Text(text.into()));
        }
    }

    fn texts(&self) -> Vec<String> {
        self.files.iter().map(|f| f.text(&self.db).to_string()).collect()
    }
}

/// The project after the rename: it has no new faults, and the rename back undoes it.
fn renamed(text: &str, to: &str) -> Vec<String> {
    let mut world = world(text);
    let before = (world.texts(), world.errors());
    let Renamable { range, name: from, .. } =
        prepare_rename(&world.db, world.file, world.offset).expect("it can be renamed");
    assert_eq!(&world.file.text(&world.db)[range], from);
    let change = rename(&world.db, world.file, world.offset, to).unwrap_or_else(|r| panic!("{}", r.0));
    world.make(&change);
    let after = world.texts();
    assert_eq!(world.errors(), before.1, "{after:#?}");
    if change.renamed.is_empty() && !after.iter().any(|t| t.contains(&format!(" AS {to}\n"))) {
        // The cursor still stands on the name: nothing before it in its file got longer, or it moved with it.
        let text = world.file.text(&world.db);
        let start = usize::from(range.start()) as isize;
        let shift: isize = change
            .edits
            .iter()
            .filter(|(f, _)| *f == world.file)
            .flat_map(|(_, e)| e)
            .filter(|e| {
                e.range.end() <= range.start()
                    && e.annotation.is_none_or(|n| !change.annotations[n].needs_confirmation)
            })
            .map(|e| e.text.len() as isize - usize::from(e.range.len()) as isize)
            .sum();
        let at = TextSize::try_from(usize::try_from(start + shift).expect("inside")).expect("small");
        assert_eq!(&text[TextRange::at(at, TextSize::of(to))], to);
        let back = rename(&world.db, world.file, at, &from).unwrap_or_else(|r| panic!("back: {}", r.0));
        world.make(&back);
        assert_eq!(world.texts(), before.0, "there and back");
    }
    after
}

fn refused(text: &str, to: &str) -> String {
    let world = world(text);
    match rename(&world.db, world.file, world.offset, to) {
        Err(Refusal(why)) => why,
        Ok(change) => panic!("{change:?}"),
    }
}

const FLOW: &str = "//- tinybird.config.json\n{}\n\
//- datasources/events.datasource\nSCHEMA >\n    `ts` DateTime `json:$.ts`,\n    `who<1>` String `json:$.who`\n\nENGINE MergeTree\nENGINE_SORTING_KEY who, ts\n\
//- datasources/daily.datasource\nSCHEMA >\n    day Date,\n    who String,\n    n UInt64\n\nENGINE SummingMergeTree\nENGINE_SORTING_KEY day, who\n\
//- pipes/daily_mv.pipe\nNODE mv\nSQL >\n    SELECT toDate(ts) AS day, who, count() AS n<2> FROM events GROUP BY day, who\nTYPE materialized\nDATASOURCE daily\n\
//- pipes/top.pipe\nNODE base<3>\nSQL >\n    %\n    SELECT * FROM daily WHERE who = {{String(user<4>, 'x')}}\nNODE out\nSQL >\n    SELECT who<5>, sum(n) AS total<6> FROM base GROUP BY base.who ORDER BY total\nTYPE endpoint\n\
//- tests/top.yaml\n- name: a\n  parameters: user=b\n  expected_result: |\n    {\"who\":\"b\",\"total\":1}\n";

fn flow(mark: &str) -> String {
    let mut text = FLOW.replace(mark, "$0");
    for other in 1..=6 {
        text = text.replace(&format!("<{other}>"), "");
    }
    text
}

#[test]
fn a_column_is_renamed_through_the_whole_flow() {
    let all = renamed(&flow("<1>"), "person").join("\n");
    assert!(!all.replace("$.who", "").contains("who"), "{all}");
    assert!(all.contains("`person` String `json:$.who`"), "{all}");
    assert!(all.contains("{\"person\":\"b\""), "{all}");
    assert!(all.contains("GROUP BY base.person"), "{all}");
    // From the target of the view on, what is before it keeps its name.
    let all = renamed(&flow("<5>"), "person").join("\n");
    assert!(all.contains("who AS person, count()") && all.contains("ENGINE_SORTING_KEY who, ts"), "{all}");
    assert!(all.contains("{\"person\":\"b\"") && all.contains("ENGINE_SORTING_KEY day, person"), "{all}");
}

#[test]
fn an_alias_is_renamed_with_the_target_and_its_readers() {
    let all = renamed(&flow("<2>"), "hits").join("\n");
    assert!(
        all.contains("count() AS hits") && all.contains("hits UInt64") && all.contains("sum(hits) AS total"),
        "{all}"
    );
    let all = renamed(&flow("<6>"), "sum_all").join("\n");
    assert!(all.contains("ORDER BY sum_all") && all.contains("\"sum_all\":1"), "{all}");
}

#[test]
fn nodes_and_parameters_are_renamed() {
    let all = renamed(&flow("<3>"), "source").join("\n");
    assert!(
        all.contains("NODE source") && all.contains("FROM source") && all.contains("source.who"),
        "{all}"
    );
    let all = renamed(&flow("<4>"), "name").join("\n");
    assert!(all.contains("String(name, 'x')") && all.contains("parameters: name=b"), "{all}");
}

#[test]
fn resources_are_renamed_with_their_files() {
    let text = FLOW.replace("FROM daily", "FROM dai$0ly");
    let text = (1..=6).fold(text, |t, n| t.replace(&format!("<{n}>"), ""));
    let world = world(&text);
    let change = rename(&world.db, world.file, world.offset, "per_day").expect("it can be renamed");
    let moved: Vec<_> = change.renamed.iter().map(|(a, b)| format!("{a} {b}")).collect();
    assert_eq!(moved, ["datasources/daily.datasource datasources/per_day.datasource"]);
    let touched: Vec<_> =
        change.edits.iter().map(|(f, e)| format!("{} {}", f.path(&world.db), e.len())).collect();
    assert_eq!(touched, ["pipes/daily_mv.pipe 1", "pipes/top.pipe 1"]);
    let top =
        world.files.iter().find(|f| f.path(&world.db) == "pipes/top.pipe").copied().expect("it is there");
    let moved = will_rename(&world.db, &[(top, "pipes/best.pipe".into())]);
    assert!(moved.is_empty(), "nobody names the endpoint: {moved:?}");
}

#[test]
fn what_would_not_be_exact_is_refused() {
    assert!(refused(&flow("<1>"), "ts").contains("already"));
    assert!(refused(&flow("<1>"), "1x").contains("no name"));
    assert!(refused(&flow("<3>"), "daily").contains("reads the table"));
    let source = "//- a.datasource\nSCHEMA >\n    x$0 String\n//- b.datasource\nSCHEMA >\n    x String\n";
    assert!(
        refused(&format!("{source}//- p.pipe\nNODE n\nSQL >\n    SELECT 1 FROM a JOIN b USING x\n"), "y")
            .contains("USING")
    );
    assert!(
        refused(
            &format!("{source}//- p.pipe\nNODE n\nSQL >\n    %\n    SELECT {{{{column(c, 'x')}}}} FROM a\n"),
            "y"
        )
        .contains("template")
    );
    assert!(
        refused(&format!("{source}//- p.pipe\nNODE n\nSQL >\n    SELECT x FROM a WHERE (\n"), "y")
            .contains("parse")
    );
}

#[test]
fn what_would_mean_something_else_is_refused() {
    let source = "//- a.datasource\nSCHEMA >\n    x$0 String,\n    z String\n//- b.datasource\nSCHEMA >\n    y String, w String\n";
    let with = |query: &str| format!("{source}//- p.pipe\nNODE n\nSQL >\n    {query}\n");
    for (query, to, why) in [
        ("SELECT x FROM b JOIN a ON x = w", "y", "something else"),
        (
            "SELECT count(x) AS n FROM (SELECT x, upper(z) AS up FROM a) WHERE up != ''",
            "up",
            "something else",
        ),
        ("SELECT arrayMap(i -> i + x, [1]) FROM a", "i", "something else"),
        ("SELECT x FROM a", "from", "word of SQL"),
        ("SELECT c FROM a WHERE x = 1", "c", "mend it first"),
    ] {
        let said = refused(&with(query), to);
        assert!(said.contains(why), "{query}: {said}");
    }
    // An alias that says what the column is called then.
    let all = renamed(&with("SELECT x AS y FROM a WHERE y != ''"), "y").join("\n");
    assert!(all.contains("SELECT y AS y") || all.contains("SELECT y FROM"), "{all}");
}

#[test]
fn names_of_arms_are_one_name() {
    let text = "//- a.datasource\nSCHEMA >\n    at DateTime\n//- p.pipe\nNODE n\nSQL >\n    %\n    SELECT sum(c) AS s FROM (SELECT \
        {% if String(by, 'day') == 'day' %} toStartOfDay(at) AS bucket, {% else %} toStartOfHour(at) AS bucket, {% end %} \
        count() AS c FROM a GROUP BY buck$0et) AS t\nTYPE endpoint\n";
    let all = renamed(text, "slot").join("\n");
    assert!(!all.contains("bucket") && all.matches("slot").count() == 3, "{all}");
}

#[test]
fn queries_of_with_are_renamed_in_front_of_columns() {
    let text = "//- a.datasource\nSCHEMA >\n    x String\n//- p.pipe\nNODE n\nSQL >\n    WITH q$0 AS (SELECT x FROM a) SELECT q.x, q.* FROM q\n";
    let all = renamed(text, "part").join("\n");
    assert!(all.contains("WITH part AS (SELECT x FROM a) SELECT part.x, part.* FROM part"), "{all}");
}

#[test]
fn a_word_of_sql_stays_a_name_between_quotes() {
    let text = "//- a.datasource\nSCHEMA >\n    `fr$0om` String\n//- p.pipe\nNODE n\nSQL >\n    SELECT `from` FROM a\nTYPE endpoint\n";
    let all = renamed(text, "sender").join("\n");
    assert!(all.contains("`sender` String") && all.contains("SELECT `sender` FROM a"), "{all}");
}

#[test]
fn a_quoted_alias_is_the_columns_name() {
    let text = "//- a.datasource\nSCHEMA >\n    x String\n//- p.pipe\nNODE n\nSQL >\n    SELECT upper(x) AS \"up\" FROM a GROUP BY u$0p\nNODE o\nSQL >\n    SELECT up FROM n\nTYPE endpoint\n";
    let all = renamed(text, "high").join("\n");
    assert!(all.contains("AS \"high\" FROM a GROUP BY high") && all.contains("SELECT high FROM n"), "{all}");
}

#[test]
fn names_that_templates_make_are_followed_or_refused() {
    let with = |from: &str| {
        format!(
            "//- events.datasource\nSCHEMA >\n    x String\n//- p.pipe\nNODE n\nSQL >\n    %\n    SELECT x FROM {from}\nTYPE endpoint\n\
             //- q.pipe\nNODE m\nSQL >\n    SELECT x FROM ev$0ents\nTYPE endpoint\n"
        )
    };
    let world = world(&with("{{table(which, 'events')}}"));
    let change = rename(&world.db, world.file, world.offset, "visits").unwrap_or_else(|r| panic!("{}", r.0));
    let texts: Vec<_> = change.edits.iter().flat_map(|(_, e)| e).map(|e| e.text.as_str()).collect();
    assert_eq!(texts, ["visits", "visits"]);
    assert!(refused(&with("{% set t = 'events' %}{{table(t)}}"), "visits").contains("by hand"));
}

#[test]
fn live_rows_keep_their_values_when_that_is_agreed_to() {
    let world = world(&flow("<1>"));
    let change = rename(&world.db, world.file, world.offset, "person").expect("it can be renamed");
    let forward = change
        .edits
        .iter()
        .flat_map(|(_, e)| e)
        .find(|e| e.text.contains("FORWARD_QUERY"))
        .expect("an offer");
    assert_eq!(forward.text.trim(), "FORWARD_QUERY >\n    SELECT ts, who AS person");
    assert!(change.annotations[forward.annotation.expect("annotated")].needs_confirmation);
}

#[test]
fn words_of_sql_are_names_where_nothing_else_can_be_meant() {
    let text = |name: &str| {
        format!(
            "//- tinybird.config.json\n{{}}\n//- events.datasource\nSCHEMA >\n    `ts` DateTime\n\n\
             //- p.pipe\nNODE a\nSQL >\n    SELECT toStartOfHour(ts) AS {name}, count() as n FROM events GROUP BY {name} ORDER BY {name} DESC\nTYPE endpoint\n"
        )
    };
    let all = renamed(&text("slot").replacen("AS slot", "AS slo$0t", 1), "interval").join("\n");
    assert!(all.contains("AS interval, count()") && all.contains("ORDER BY interval DESC"), "{all}");
    // Where the word would be read as something else it is refused.
    let text = "//- events.datasource\nSCHEMA >\n    `ts$0` DateTime\n\n\
                //- p.pipe\nNODE a\nSQL >\n    SELECT ts, 1 AS n FROM events\nTYPE endpoint\n";
    let why = refused(text, "distinct");
    assert!(why.contains("is a word of SQL"), "{why}");
}

#[test]
fn a_keyword_is_no_mention_of_a_name_that_is_spelt_like_it() {
    let text = "//- tinybird.config.json\n{}\n//- events.datasource\nSCHEMA >\n    `asn` String\n\n\
                //- p.pipe\nNODE a\nSQL >\n    SELECT count() as n, concat('AS', asn) as `a$0s` FROM events GROUP BY asn\nTYPE endpoint\n";
    let all = renamed(text, "system").join("\n");
    assert!(all.contains("count() as n, concat('AS', asn) as `system`"), "{all}");
}

#[test]
fn units_of_intervals_are_no_names() {
    let text = "//- tinybird.config.json\n{}\n//- events.datasource\nSCHEMA >\n    `ts` DateTime\n\n\
                //- p.pipe\nNODE a\nSQL >\n    SELECT toDate(ts) AS da$0y, count() AS n FROM events WHERE ts > now() - interval 30 day GROUP BY day ORDER BY day\nTYPE endpoint\n";
    let all = renamed(text, "date").join("\n");
    assert!(all.contains("AS date, count()") && all.contains("interval 30 day GROUP BY date"), "{all}");
}

#[test]
fn names_in_variables_of_templates_are_refused() {
    let text = "//- tinybird.config.json\n{}\n//- logins.datasource\nSCHEMA >\n    `user` String,\n    `pass$0word` String\n\n\
                //- p.pipe\nNODE a\nSQL >\n    %\n    {% set what = 'user,password' %}\n    SELECT count() AS n, {{columns(what)}} FROM logins GROUP BY {{columns(what)}}\nTYPE endpoint\n";
    let why = refused(text, "secret");
    assert!(why.contains("writes the name `password`"), "{why}");
}

#[test]
fn an_alias_inside_that_hides_the_column_is_left_alone_or_refused() {
    let text = "//- tinybird.config.json\n{}\n//- counts.datasource\nSCHEMA >\n    `ts` DateTime,\n    `n_$0rows` AggregateFunction(count)\n\n\
                //- p.pipe\nNODE a\nSQL >\n    SELECT ts, sum(n_rows) AS total FROM (SELECT ts, countMerge(n_rows) AS n_rows FROM counts GROUP BY ts) GROUP BY ts\nTYPE endpoint\n";
    let world = world(text);
    if let Ok(change) = rename(&world.db, world.file, world.offset, "hits") {
        let all = renamed(text, "hits").join("\n");
        assert!(
            all.contains("sum(n_rows) AS total") && all.contains("countMerge(hits) AS n_rows"),
            "{change:?}"
        );
    }
}
