//! Every fix mends what it says, every assist does what its title says.

use headwater_analysis::{Content, Setter, TextSize};
use headwater_test_fixture::Fixture;

use super::*;
use crate::change::apply;

/// The titles offered at the cursor.
fn titles(text: &str) -> Vec<String> {
    let fixture = Fixture::parse(text);
    let (db, _, files) = fixture.load();
    let (index, offset) = fixture.cursor.expect("a cursor");
    code_actions(&db, files[index], TextRange::empty(offset)).into_iter().map(|a| a.title).collect()
}

/// The file with the cursor, or the created one, after the action whose title starts so. Fixes must mend: their diagnostic is gone.
fn after(text: &str, title: &str) -> String {
    let fixture = Fixture::parse(text);
    let (mut db, _, files) = fixture.load();
    let (index, offset) = fixture.cursor.expect("a cursor");
    let (file, range) = (files[index], TextRange::empty(offset));
    let offered = code_actions(&db, file, range);
    let action = offered.iter().find(|a| a.title.starts_with(title));
    let action = action
        .unwrap_or_else(|| panic!("{title} in {:?}", offered.iter().map(|a| &a.title).collect::<Vec<_>>()));
    let change =
        resolve_action(&db, file, range, &action.id).unwrap_or_else(|| panic!("{title} can be done"));
    if let Some((path, text)) = change.created.first() {
        return format!("{path}\n{text}");
    }
    let edits = change.edits.iter().find(|(f, _)| *f == file).map(|(_, e)| e.clone()).unwrap_or_default();
    let now = apply(&file.text(&db), &edits);
    if let Some((code, _)) = action.mends {
        let before = diagnostics(&db, file).iter().filter(|d| d.code.name == code).count();
        file.set_content(&mut db).to(Content::Text(now.as_str().into()));
        let after = diagnostics(&db, file).iter().filter(|d| d.code.name == code).count();
        assert!(after < before, "{title} mends {code}: {now}");
    }
    now
}

const EVENTS: &str = "//- events.datasource\nSCHEMA >\n    id String,\n    at DateTime\n\nENGINE MergeTree\nENGINE_SORTING_KEY id\n";

#[test]
fn close_names_are_offered() {
    let now = after(
        &format!("{EVENTS}//- p.pipe\nNODE n\nSQL >\n    SELECT * FROM ev$0nets\nTYPE endpoint\n"),
        "Change to `events`",
    );
    assert_eq!(now, "NODE n\nSQL >\n    SELECT * FROM events\nTYPE endpoint\n");
    let now = after(
        &format!("{EVENTS}//- p.pipe\nNODE n\nSQL >\n    SELECT e.idd$0 FROM events e\nTYPE endpoint\n"),
        "Change to `id`",
    );
    assert_eq!(now, "NODE n\nSQL >\n    SELECT e.id FROM events e\nTYPE endpoint\n");
    after(
        &format!(
            "{EVENTS}//- p.pipe\nNODE n\nSQL >\n    SELECT toStartOfHuor$0(at) FROM events\nTYPE endpoint\n"
        ),
        "Change to `toStartOfHour`",
    );
}

#[test]
fn lines_are_mended() {
    assert_eq!(
        after("//- p.pipe\nNODE n\nSQL$0>\n    SELECT 1\nTYPE endpoint\n", "Write `SQL >`"),
        "NODE n\nSQL >\n    SELECT 1\nTYPE endpoint\n"
    );
    assert_eq!(
        after(
            "//- tinybird.config.json\n{}\n//- p.pipe\nVER$0SION 1\nNODE n\nSQL >\n    SELECT 1\nTYPE endpoint\n",
            "Remove VERSION"
        ),
        "NODE n\nSQL >\n    SELECT 1\nTYPE endpoint\n"
    );
    assert_eq!(
        after("//- p.pipe\nNODE n\nSQL > SELECT$0 1\nTYPE endpoint\n", "Move the text"),
        "NODE n\nSQL >\n    SELECT 1\nTYPE endpoint\n"
    );
}

#[test]
fn templates_are_mended() {
    let now = after(
        "//- p.pipe\nNODE n\nSQL >\n    SELECT {{$0Int32(x, 1)}}\nTYPE endpoint\n",
        "Make the query a template",
    );
    assert_eq!(now, "NODE n\nSQL >\n    %\n    SELECT {{Int32(x, 1)}}\nTYPE endpoint\n");
    let now = after(
        "//- p.pipe\nNODE n\nSQL >\n    %\n    SELECT 1 {% if defined(x) %}+ 1{% end$0if %}\nTYPE endpoint\n",
        "Change to `{% end %}`",
    );
    assert_eq!(now, "NODE n\nSQL >\n    %\n    SELECT 1 {% if defined(x) %}+ 1{% end %}\nTYPE endpoint\n");
    let now = after(
        &format!(
            "{EVENTS}//- p.pipe\nNODE n\nSQL >\n    SELECT * FROM events WHERE id = 'a$0'\nTYPE endpoint\n"
        ),
        "Make `'a'` a parameter",
    );
    assert_eq!(
        now,
        "NODE n\nSQL >\n    %\n    SELECT * FROM events WHERE id = {{String(id, 'a')}}\nTYPE endpoint\n"
    );
}

#[test]
fn nodes_are_published_extracted_and_inlined() {
    let now = after(
        "//- tinybird.config.json\n{}\n//- endpoints/p.pipe\n$0NODE n\nSQL >\n    SELECT 1\n",
        "Publish the last node",
    );
    assert_eq!(now, "NODE n\nSQL >\n    SELECT 1\nTYPE endpoint\n");
    let now = after(
        &format!(
            "{EVENTS}//- p.pipe\nNODE n\nSQL >\n    SELECT id FROM (SELECT$0 id FROM events) AS x\nTYPE endpoint\n"
        ),
        "Extract into a node",
    );
    assert_eq!(
        now,
        "NODE extracted\nSQL >\n    SELECT id FROM events\n\nNODE n\nSQL >\n    SELECT id FROM extracted AS x\nTYPE endpoint\n"
    );
    let now = after(
        &format!(
            "{EVENTS}//- p.pipe\nNODE a$0\nSQL >\n    SELECT id FROM events\nNODE n\nSQL >\n    SELECT id FROM a\nTYPE endpoint\n"
        ),
        "Inline `a`",
    );
    assert_eq!(now, "NODE n\nSQL >\n    SELECT id FROM (SELECT id FROM events) AS a\nTYPE endpoint\n");
}

#[test]
fn missing_files_are_created_from_what_is_known() {
    let text = format!(
        "{EVENTS}//- v.pipe\nNODE n\nSQL >\n    SELECT toDate(at) AS day, countState() AS c FROM events GROUP BY day\nTYPE materialized\nDATASOURCE da$0ily\n"
    );
    let made = after(&text, "Create the data source `daily`");
    assert_eq!(
        made,
        "daily.datasource\nSCHEMA >\n    `day` Date,\n    `c` AggregateFunction(count)\n\nENGINE AggregatingMergeTree\nENGINE_SORTING_KEY day\n"
    );
    let made = after(
        "//- p.pipe\nNODE n\nSQL >\n    % SELECT {{Int32(days, 7)}}\nTYPE endpoint$0\n",
        "Create `tests/p.yaml`",
    );
    assert!(made.contains("parameters: 'days=7'"), "{made}");
}

#[test]
fn whoever_fills_a_table_says_what_it_holds() {
    let text = format!(
        "{EVENTS}//- v.pipe\nNODE n\nSQL >\n    SELECT toDate(at) AS day, id FROM events\nTYPE materialized\nDATASOURCE daily\n\
         //- p.pipe\nNODE m\nSQL >\n    SELECT day FROM dai$0ly\nTYPE endpoint\n"
    );
    let made = after(&text, "Create the data source `daily`");
    assert!(made.contains("`day` Date,\n    `id` String"), "{made}");
    assert!(!titles(&text).iter().any(|t| t.contains("endpoint `daily`")), "a view fills no endpoint");
    // Of a table that nobody fills, the readers say at least the names.
    let text = format!(
        "{EVENTS}//- p.pipe\nNODE m\nSQL >\n    SELECT g.city FROM events JOIN ge$0o AS g USING (id)\nTYPE endpoint\n"
    );
    let made = after(&text, "Create the endpoint `geo`");
    assert!(made.contains("AS id") && made.contains("AS city"), "{made}");
}

#[test]
fn an_aggregate_keeps_the_columns_name() {
    let text = format!(
        "{EVENTS}//- p.pipe\nNODE n\nSQL >\n    SELECT id$0, count() AS c FROM events\nTYPE endpoint\n"
    );
    assert!(after(&text, "Change to `any(id)").contains("SELECT any(id) AS id, count() AS c"));
    let said = text.replace("FROM events\nTYPE", "FROM events WHERE id != ''\nTYPE");
    assert!(!titles(&said).iter().any(|t| t.contains("any(")), "the filter would mean the aggregate");
}

#[test]
fn classic_targets_become_files() {
    let text = format!(
        "//- .tinyenv\n{EVENTS}//- p.pipe\nNODE n$0\nSQL >\n    SELECT toDate(at) AS day, countState() AS c FROM events GROUP BY day\n\
         TYPE materialized\nDATASOURCE daily\nENGINE AggregatingMergeTree\nENGINE_SORTING_KEY day\n"
    );
    let made = after(&text, "Convert this file to Forward");
    assert!(made.starts_with("daily.datasource\nSCHEMA >\n    `day` Date"), "{made}");
    assert!(made.ends_with("ENGINE AggregatingMergeTree\nENGINE_SORTING_KEY day\n"), "{made}");
}

#[test]
fn queries_are_mended() {
    let text = format!(
        "{EVENTS}//- p.pipe\nNODE n\nSQL >\n    SELECT id$0, count() AS c FROM events WHERE at > now()\nTYPE endpoint\n"
    );
    assert_eq!(
        after(&text, "Add `id` to GROUP BY"),
        "NODE n\nSQL >\n    SELECT id, count() AS c FROM events WHERE at > now() GROUP BY id\nTYPE endpoint\n"
    );
}

#[test]
fn arms_of_a_filter_stay_before_the_keys() {
    let text = format!(
        "{EVENTS}//- p.pipe\nNODE n\nSQL >\n    %\n    SELECT id$0, count() AS c FROM events WHERE 1 {{% if defined(x) %}} AND at > now() {{% end %}}\n    ORDER BY c\nTYPE endpoint\n"
    );
    let now = after(&text, "Add `id` to GROUP BY");
    assert!(now.contains("{% end %} GROUP BY id\n    ORDER BY c"), "{now}");
}

#[test]
fn parts_that_are_nothing_alone_stay() {
    let text = "//- p.pipe\nNODE n\nSQL >\n    %\n    {% set k = 2 %}\n    SELECT a FROM (SELECT$0 1 * {{k}} AS a) AS x\nTYPE endpoint\n";
    assert!(!titles(text).iter().any(|t| t.contains("Extract")));
    let scale = format!(
        "{EVENTS}//- p.pipe\nNODE n\nSQL >\n    SELECT toDateTime64(at, 3$0) FROM events\nTYPE endpoint\n"
    );
    assert!(!titles(&scale).iter().any(|t| t.contains("a parameter")));
}

#[test]
fn classic_files_are_converted() {
    let now = after(
        "//- .tinyenv\n//- p.pipe\nVERSION 3\nNODE n$0\nSQL >\n    SELECT 1\n",
        "Convert this file to Forward",
    );
    assert_eq!(now, "NODE n\nSQL >\n    SELECT 1\nTYPE endpoint\n");
}

#[test]
fn everything_safe_is_mended_at_once() {
    let text = "//- p.pipe\nNODE a\nSQL>\n    SELECT 1\nNODE n$0\nSQL >\n    SELECT {{Int32(x, 1)}} FROM a\nTYPE endpoint\n";
    let now = after(text, "Fix everything");
    assert_eq!(
        now,
        "NODE a\nSQL >\n    SELECT 1\nNODE n\nSQL >\n    %\n    SELECT {{Int32(x, 1)}} FROM a\nTYPE endpoint\n"
    );
}

#[test]
fn nothing_is_offered_where_nothing_is_to_do() {
    assert_eq!(titles("//- tests/x.yaml\n- name$0: a\n"), Vec::<String>::new());
    let _ = TextSize::from(0);
}

#[test]
fn classic_fragments_are_put_where_they_are_included() {
    let now = after(
        "//- .tinyenv\n//- pipes/includes/keys.incl\nTOKEN \"read\" READ\n//- pipes/p.pipe\nINCLUDE \"includes/keys.incl\"\nNODE n$0\nSQL >\n    SELECT 1 AS a\n\
         TYPE copy\nTARGET_DATASOURCE t\nCOPY_MODE append\n",
        "Convert this file to Forward",
    );
    assert_eq!(
        now,
        "TOKEN \"read\" READ\nNODE n\nSQL >\n    SELECT 1 AS a\nTYPE copy\nTARGET_DATASOURCE t\nCOPY_MODE append\n"
    );
}
