use super::*;
use crate::range;

#[test]
fn conditions_are_computed() {
    let request = |name: &str| match name {
        "n" => Some("11".to_owned()),
        "s" => Some("Day".to_owned()),
        "l" => Some("a, b".to_owned()),
        "e" => Some(String::new()),
        _ => None,
    };
    let known: &[(&str, Result<bool, Stop>)] = &[
        ("defined(n) and not defined(x)", Ok(true)),
        ("defined('s')", Ok(true)),
        ("defined(e)", Ok(true)),
        ("e", Ok(false)),
        ("int(n) > 10", Ok(true)),
        ("5 < Int32(n) <= 11", Ok(true)),
        ("Int32(x, 3) == 3", Ok(true)),
        ("Int32(x, default=3) == 3", Ok(true)),
        ("Int32(x)", Err(Stop::Error)),
        ("Int32(x, defined=False) is None", Ok(true)),
        ("Int8(s) == 1", Err(Stop::Error)),
        ("UInt8(n) - 12 == -1", Ok(true)),
        ("int(x) > 1", Err(Stop::Error)),
        ("x == 'a'", Ok(false)),
        ("x is None", Ok(true)),
        ("n == 11 and n == '11'", Ok(true)),
        ("n > 10", Ok(true)),
        ("s.lower() == 'day'", Ok(true)),
        ("s in ['Day', 'Week']", Ok(true)),
        ("s not in ('day',)", Ok(true)),
        ("'b' in split_to_array(l, '')", Ok(true)),
        ("len(split_to_array(l)) == 2", Ok(true)),
        ("l.split(',')[0] == 'a'", Ok(true)),
        ("l.split(',')[5] == 'a'", Err(Stop::Error)),
        ("String(x, 'a') + 'b' == 'ab'", Ok(true)),
        ("('a' if defined(x) else 'b') == 'b'", Ok(true)),
        ("Boolean(n)", Ok(true)),
        ("Boolean(x, 'FALSE')", Ok(false)),
        ("7 // 2 == 3 and 7 % 2 == 1 and 7 / 2 == 3.5", Ok(true)),
        ("1 // 0", Err(Stop::Error)),
        ("tb_secret('x')", Err(Stop::Unknown)),
        ("Array(l, 'String')", Err(Stop::Unknown)),
        ("[y for y in l]", Err(Stop::Unknown)),
        ("n == True", Err(Stop::Unknown)),
    ];
    for (text, expected) in known {
        let (expr, errors) = super::super::expr::parse(text, range(0, text.len()));
        assert_eq!(errors, [], "{text}");
        let names = Names { sets: FxHashMap::default(), fuel: Cell::new(1000) };
        assert_eq!(names.value(&expr, &request).map(|v| truth(&v)), *expected, "{text}");
    }
}
