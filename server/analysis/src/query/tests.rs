use super::columns_of_key;

#[test]
fn a_key_s_columns_are_those_it_names() {
    for (key, expected) in [
        ("site, ts", &["site", "ts"][..]),
        ("(site, toDate(ts))", &["site", "ts"]),
        ("\"tuple(site)\"", &["site"]),
        ("tuple()", &[]),
        ("", &[]),
    ] {
        assert_eq!(columns_of_key(key), expected, "{key}");
    }
}
