//! Templates and what they render to, as tables. The first is the format's own (specification §8.10).

use headwater_template::{
    ErrorKind, Limits, Mode, Origin, Parameters, Prepared, RenderError, Rendered, Request, Secret, Secrets,
    Value, render,
};
use num_bigint::BigInt;

/// Values as query strings pass them; those that begin with `=` are JSON.
fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    let mut out = Parameters::new();
    for (name, value) in pairs {
        match value.strip_prefix('=') {
            Some(json) => out.insert(*name, Value::from_json(json).expect("JSON")),
            None => out.insert(*name, *value),
        };
    }
    out
}

fn secrets() -> Secrets {
    let mut secrets = Secrets::new();
    for (name, value) in [("key", "s3cr3t"), ("my-key", "s3cr3t"), ("my_key", "s3cr3t")] {
        secrets.insert(name, Secret::new(value));
    }
    secrets
}

fn rendered(template: &str, pairs: &[(&str, &str)]) -> Result<Rendered, RenderError> {
    let (parameters, secrets) = (parameters(pairs), secrets());
    render(&format!("%{template}"), &Request::new(&parameters, &secrets))
}

/// A template, its parameters, and its SQL or `!` and part of the error's message.
type Row<'r> = (&'r str, &'r [(&'r str, &'r str)], &'r str);

#[track_caller]
fn check(rows: &[Row<'_>]) {
    let mut wrong = Vec::new();
    for (template, pairs, expected) in rows {
        let found = rendered(template, pairs);
        let holds = match (&found, expected.strip_prefix('!')) {
            (Ok(found), None) => found.sql == *expected,
            (Err(error), Some(part)) => {
                error.message.contains(part.trim_start())
                    && error.range.end() <= ((template.len() + 1) as u32).into()
            }
            _ => false,
        };
        if !holds {
            let found = found.map_or_else(|error| format!("! {error}"), |found| found.sql);
            wrong.push(format!("{template} with {pairs:?}\n  found    {found}\n  expected {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn golden_vectors_of_the_format() {
    check(&[
        ("{{String(a)}}", &[], "! the required parameter `a` is not defined"),
        ("{{String(a,'x')}}", &[("a", "")], "''"),
        ("{{Int32(a,5)}}", &[("a", "")], "! the value ''"),
        ("{{Int32(a,3)}}", &[], "toInt32('3')"),
        ("{{UInt8(a)}}", &[("a", "-1")], "! out of range"),
        ("{{Float32(a)}}", &[("a", "1e5")], "toFloat32('100000.0')"),
        ("{{Boolean(a)}}", &[("a", "FALSE")], "0"),
        ("{{Boolean(a)}}", &[("a", "0")], "0"),
        ("{{Boolean(a)}}", &[("a", "")], "0"),
        ("{{Boolean(a)}}", &[("a", "no")], "1"),
        ("{{DateTime(a)}}", &[("a", "2024-01-01 00:00")], "! not valid for DateTime"),
        ("{{DateTime(a)}}", &[("a", "2024-01-01 00:00:00.123")], "'2024-01-01 00:00:00.123'"),
        ("{{a}}", &[], "! evaluated to null"),
        ("{{a}}", &[("a", "=5")], "5"),
        ("{{a}}", &[("a", "=[1,\"x\"]")], "[1, 'x']"),
        // Python would write double quotes, between which the engine reads a name.
        ("{{a}}", &[("a", "=[1,\"it's\"]")], "[1, 'it\\'s']"),
        ("{{column(a)}}", &[("a", "a b; drop")], "`a b; drop`"),
        ("{{table(a)}}", &[("a", "a; drop table x")], "a; drop table x"),
        ("{{columns(a)}}", &[("a", "")], "``"),
        ("{{sql_and(a=String(b,'x'), c__gt=Int32(d,3))}}", &[], "a = 'x' and c > toInt32('3')"),
        ("{{sql_and(a__like=String(b,'x'))}}", &[], "! sql_and knows no `__like`"),
        (
            "{% for l,x in enumerate_with_last(split_to_array(a,'p,q')) %}{{column(x)}}{% if not l %},{% end %}{% end %}",
            &[],
            "`p`,`q`",
        ),
        ("{% if defined(a) %}1{% else %}2{% end %}", &[("a", "")], "1"),
        ("{{ x.upper() }}", &[("x", "a")], "! not .upper"),
        ("{% if x.upper() == 'A' %}1{% end %}", &[("x", "a")], "1"),
        ("{{ 1 / 2 }}", &[], "! not `/`"),
        ("{{ 3 * 2 - 1 }}", &[], "5"),
        ("{% if a %}1{% else if b %}2{% end %}", &[], "! write `elif`"),
        ("1{% end %}", &[], "! nothing is open here"),
        ("{% try %}{{error('x')}}{% except %}y{% end %}", &[], "y"),
        ("{{Int32(param-x,1)}}", &[], "! `-` does not work on None and None"),
    ]);
}

#[test]
fn type_functions() {
    check(&[
        ("{{String(a)}}", &[("a", "o'b")], "'o\\'b'"),
        ("{{String(a)}}", &[("a", "50%\t`\"\\\n\u{0}")], "'50\\%\\t\\`\\\"\\\\\\n\\0'"),
        ("{{String(a)}}", &[("a", "=5")], "'5'"),
        ("{{String(a, default='d', description='D', required=False, enum=['x'])}}", &[], "'d'"),
        ("{{String(a, required=False)}}", &[], "! required parameter `a`"),
        ("{{String(a, defined=False)}}", &[], "! cannot be printed"),
        ("{% if String(a, defined=False) is None %}n{% end %}", &[], "n"),
        ("{{String(a, None)}}", &[], "! required parameter `a`"),
        ("{{String(a, enum=['x', 'y'])}}", &[("a", "z")], "'z'"),
        ("{{String('v')}}", &[], "'v'"),
        ("{{String(a, wrong=1)}}", &[("a", "1")], "! knows no `wrong=`"),
        ("{{String()}}", &[], "! lacks the name of its parameter"),
        ("{{Int8(a)}}", &[("a", "-128")], "toInt8('-128')"),
        ("{{Int8(a)}}", &[("a", "128")], "! -128 to 127"),
        ("{{UInt64(a)}}", &[("a", "18446744073709551615")], "toUInt64('18446744073709551615')"),
        ("{{UInt64(a)}}", &[("a", "18446744073709551616")], "! out of range"),
        (
            "{{Int256(a)}}",
            &[("a", "-57896044618658097711785492504343953926634992332820282019728792003956564819968")],
            "toInt256('-57896044618658097711785492504343953926634992332820282019728792003956564819968')",
        ),
        (
            "{{Int256(a)}}",
            &[("a", "57896044618658097711785492504343953926634992332820282019728792003956564819968")],
            "! out of range",
        ),
        ("{{Int32(a)}}", &[("a", "+5")], "toInt32('5')"),
        ("{{Int32(a)}}", &[("a", "1_0")], "! whole number in digits"),
        ("{{Int32(a)}}", &[("a", "1.5")], "! whole number in digits"),
        ("{{Int32(a)}}", &[("a", "=7")], "toInt32('7')"),
        ("{{Int32(a, default='x')}}", &[], "! the value 'x' of parameter `a` is not valid for Int32"),
        ("{{Int(a)}} {{Integer(a)}}", &[("a", "7")], "7 7"),
        ("{{Float64(a)}}", &[("a", "1")], "toFloat64('1.0')"),
        ("{{Float32(a)}}", &[("a", "nan")], "toFloat32('nan')"),
        ("{{Float64(a)}}", &[("a", "1_0")], "! write a number"),
        ("{{Date(a)}}", &[("a", "2024-13-01")], "'2024-13-01'"),
        ("{{Date(a)}}", &[("a", "2024-1-1")], "! YYYY-MM-DD"),
        ("{{Date(a)}}", &[("a", "2024-01-01 00:00:00")], "! YYYY-MM-DD"),
        ("{{DateTime(a)}}", &[("a", "2024-01-01T00:00:00Z")], "'2024-01-01T00:00:00Z'"),
        ("{{DateTime(a)}}", &[("a", "2024-01-01")], "! not valid for DateTime"),
        ("{{DateTime64(a)}}", &[("a", "2024-01-01 00:00:00.123")], "'2024-01-01 00:00:00.123'"),
        ("{{DateTime64(a)}}", &[("a", "2024-01-01 00:00:00")], "! with a fraction"),
        ("{{Array(a,'String')}}", &[("a", "x,y z")], "['x','y z']"),
        ("{{Array(a)}}", &[("a", "o'b")], "['o\\'b']"),
        ("{{Array(a,'Int32')}}", &[("a", "1,2")], "[1,2]"),
        ("{{Array(a,'Int32')}}", &[("a", "=[3,\"4\"]")], "[3,4]"),
        ("{{Array(a,'Int32')}}", &[("a", "1,x")], "! element 1 of the array does not fit: the value 'x'"),
        ("{{Array(a,'Int32', default='8,9')}}", &[], "[8,9]"),
        ("{{Array(a,'Int32', '8,9')}}", &[], "[8,9]"),
        ("{{Array(a,'Float64')}}", &[("a", "1,2.5")], "[1.0,2.5]"),
        ("{{Array(a,'Nope')}}", &[("a", "1,x")], "['1','x']"),
        ("{{Array(String(a))}}", &[("a", "x,y")], "['x','y']"),
        ("{{Array(a)}}{{a}}", &[("a", "x,y")], "['x','y']['x', 'y']"),
        ("{% for c in Array(a, 'Int8') %}{{c}}{% end %}", &[("a", "1,2")], "'[''1'',''2'']'"),
        ("{{JSON(a).get('k')}}", &[("a", "{\"k\": \"v\"}")], "'v'"),
        ("{{JSON(a, '{\"k\": [1, 2]}')['k'][1]}}", &[], "2"),
        ("{{JSON(a)}}", &[("a", "{\"k\": [true, null]}")], "{'k': [True, None]}"),
        ("{{JSON(a)}}", &[("a", "{")], "! write JSON"),
        ("{{String(q)}}", &[("q", "1")], "! the API uses `q` itself"),
        ("{{Int32(format, 1)}}", &[], "! the API uses `format` itself"),
    ]);
}

#[test]
fn values_and_calculations() {
    check(&[
        ("{{a}}", &[("a", "5")], "'5'"),
        ("{{a}}", &[("a", "=1.5")], "1.5"),
        // Python would print the text in double quotes, which make a name of it in a query.
        ("{{a}}", &[("a", "={\"k\": \"it's\"}")], "{'k': 'it\\'s'}"),
        ("{{ Int32(p, 2) * Int32(s, 10) }}", &[], "20"),
        ("{{max((Int32(page, 1) - 1),0) * Int32(page_size, 10)}}", &[("page", "3")], "20"),
        ("{{max(Int32(a, 5), 3)}}", &[], "toInt32('5')"),
        ("{{ String(a, 'x') + 'b' }}", &[], "'xb'"),
        ("{{ 'a' if defined(a) else 'b' }}", &[], "'b'"),
        ("{{ -Int32(a, 5) }}", &[], "-5"),
        ("{{ not a }}", &[], "True"),
        ("{{ a.split(',')[0] }}", &[("a", "x,y")], "'x'"),
        ("{{ ','.join(['a', 'b']) }}", &[], "'a,b'"),
        ("{{ a.replace('x', 'y') }}", &[("a", "xx")], "'yy'"),
        ("{{ {'a': 1}['a'] }}", &[], "1"),
        ("{{ ['a', 1, None] }}", &[], "['a', 1, None]"),
        (
            "{{ len(a) }} {{ min(1, 2) }} {{ int('7') }} {{ float('1') }} {{ list('ab') }}",
            &[("a", "abc")],
            "3 1 7 1.0 ['a', 'b']",
        ),
        ("{{ str(1) }}", &[], "! templates have no function `str`"),
        ("{% set s = str(1) %}{{s}}", &[], "'1'"),
        ("{{ Sting(a) }}", &[], "! did you mean `String`"),
        ("{{ UUID(a) }}", &[], "! templates have no function `UUID`"),
        ("{{ a == 1 }}", &[], "! no comparison"),
        ("{{ a and b }}", &[], "! no `and`"),
        ("{{ a.b }}", &[], "! no attributes"),
        ("{{ [x for x in a] }}", &[], "! no comprehension"),
        ("{{ a % 2 }}", &[], "! not `%`"),
        ("{% if a.__class__ %}{% end %}", &[], "! a name of Python's own"),
        ("{% if (lambda: 1)() %}{% end %}", &[], "! only functions of templates can be called"),
        ("{% if x.nope() %}{% end %}", &[("x", "a")], "! str has no method .nope()"),
        ("{% if isinstance(x, 'a') %}{% end %}", &[], "! templates have no function `isinstance`"),
        (
            "{% if a > 3 %}{% end %}",
            &[("a", "5")],
            "! `>` does not compare str with int; a text is made a number by `Int32(name)`",
        ),
        ("{% if Int32(a) > 3 %}y{% end %}", &[("a", "5")], "y"),
        ("{% if a == '5' and a in ['5'] %}y{% end %}", &[("a", "5")], "y"),
        ("{% if not a %}y{% end %}", &[], "y"),
        ("{% if f'x' %}{% end %}", &[], "! join texts with `+`"),
    ]);
}

#[test]
fn statements() {
    check(&[
        ("a{# no {{x}} #}b{% comment {{ %}c", &[], "abc"),
        ("{{! {%! {#! x }}", &[], "{{ {% {# x }}"),
        ("{{{1}}}", &[], "{1}"),
        ("{'a':1} {% whitespace all %} ", &[], "{'a':1}  "),
        ("{% if a == '1' %}A{% elif a == '2' %}B{% else %}C{% end if %}", &[("a", "2")], "B"),
        ("{% set x = 1 %}{% set x += 2 %}{% set x *= x %}{{x}}", &[], "9"),
        ("{% set x = 7 %}{% set x //= 2 %}{% set x **= 2 %}{{x}}", &[], "9"),
        ("{% set a, b = 1, 'z' %}{{a}}{{b}}", &[], "1'z'"),
        ("{% set a, b = [1] %}", &[], "! 2 names need a list of 2 items"),
        ("{% set d = {} %}{% set d['k'] = [] %}{% set d['k'].append(4) %}{{d}}", &[], "{'k': [4]}"),
        ("{% set l = [] %}{% for x in [1,2] %}{% set l.append(x) %}{% end %}{{l}}", &[], "[1, 2]"),
        ("{% set a = [1] %}{% set b = a %}{% set b.append(2) %}{{a}}{{b}}", &[], "[1][1, 2]"),
        ("{% set l = [3, 1] %}{% set l.sort() %}{{l}}{% set x = l.pop() %}{{x}}{{l}}", &[], "[1, 3]3[1]"),
        (
            "{% set d = {'a': 1} %}{% set d.update({'b': 2}) %}{% set x = d.pop('a') %}{{d}}{{x}}",
            &[],
            "{'b': 2}1",
        ),
        ("{% set l[0] = 1 %}", &[], "! the parts of None cannot be set"),
        ("{% set days = Int32(days, 7) %}{{days}}", &[("days", "3")], "toInt32('3')"),
        ("{% for x in [1,2,3] %}{% if x == 2 %}{% continue %}{% end %}{{x}}{% else %}e{% end %}", &[], "13e"),
        ("{% for x in [1,2,3] %}{% if x == 2 %}{% break %}{% end %}{{x}}{% else %}e{% end %}", &[], "1"),
        ("{% for k, v in [['a', 1]] %}{{k}}{{v}}{% end %}", &[], "'a'1"),
        ("{% for c in 'ab' %}{{c}}{% end %}", &[], "'a''b'"),
        ("{% for k in {'a': 1} %}{{k}}{% end %}", &[], "'a'"),
        ("{% for x in n %}{% end %}", &[], "! nothing to loop over in None"),
        ("{% set n = 0 %}{% while n < 3 %}{{n}}{% set n += 1 %}{% else %}e{% end %}", &[], "012e"),
        ("{% for x in [1] %}{% for y in [1, 2] %}{% break %}{% end %}z{% end %}", &[], "z"),
        ("{% if a %}{% break %}{% end %}", &[], "! `break` stands in no loop"),
        ("{% for x in [1] %}{% else %}{% continue %}{% end %}", &[], "! `continue` stands in no loop"),
        ("{% try %}a{{error('x')}}b{% except %}c{% finally %}d{% end %}", &[], "acd"),
        ("{% try %}a{% except %}b{% else %}c{% finally %}d{% end %}", &[], "acd"),
        ("{% try %}{{error('x')}}{% except Exception as e %}{{e}}{% end %}", &[], "'x'"),
        (
            "{% try %}{% set x = int('a') %}{% except KeyError %}k{% except (ValueError, TypeError) %}v{% end %}",
            &[],
            "v",
        ),
        ("{% try %}{% set x = int('a') %}{% except KeyError %}k{% end %}", &[], "! 'a' is no whole number"),
        ("{% try %}{{String(a)}}{% except %}none{% end %}", &[], "none"),
        ("{% for x in [1,2] %}{% try %}{% break %}{% finally %}f{% end %}{% end %}.", &[], "f."),
        ("{% include 'x' %}", &[], "! `include` is switched off"),
        ("{% if a %}1{% endif %}", &[], "! Jinja"),
        ("{% if a %}1", &[], "! this `if` is never closed"),
        ("{{ a", &[], "! `{{` is never closed"),
        ("{% unless a %}{% end %}", &[], "! no statement of templates"),
        ("-- {{Int32(x)}}", &[], "! required parameter `x`"),
        ("{% if defined(a) %}SELECT 1{% end %}", &[], "! prints nothing"),
    ]);
}

#[test]
fn helpers() {
    check(&[
        ("{{column(a)}}", &[("a", "t.col")], "`t`.`col`"),
        ("{{column(a, 'd')}}", &[], "`d`"),
        ("{{column(a)}}", &[("a", "x`y\\z")], "`x\\`y\\\\z`"),
        ("{{columns(a)}}", &[("a", "x,y")], "`x`,`y`"),
        ("{{columns(a, 'x, y')}}", &[], "`x`,`y`"),
        ("{{columns(a, fn='sum')}}", &[("a", "x,y z")], "sum(`x`) as x,sum(`y z`) as `y z`"),
        ("{{columns(a, fn='sum(1) -- ')}}", &[("a", "x")], "! the name of a function"),
        ("{{symbol(a)}}", &[("a", "x`y")], "`x\\`y`"),
        ("{{symbol(a, quote='\"')}}", &[("a", "x\"y")], "\"x\\\"y\""),
        ("{{TABLE(a)}} {{table('b')}}", &[("a", "o'b")], "o\\'b b"),
        (
            "{{sql_and(a=String(x, defined=False), b__in=Array(i, 'Int32', '1,2'), c__not_in=['p'], d__lte=1, e__lt=2, f__gte='s')}}",
            &[],
            "b in [1,2] and c not in ['p'] and d <= 1 and e < 2 and f >= 's'",
        ),
        ("a{{sql_and(a=None)}}b", &[], "ab"),
        ("{{sql_and('a')}}", &[], "! by name only"),
        ("{{sql_unescape(String(a), '%')}}", &[("a", "50%_o'b")], "'50%_o\\'b'"),
        ("{{sql_unescape(String(a))}}", &[("a", "50%")], "'50\\%'"),
        ("{{sql_unescape(String(a), \"'\")}}", &[("a", "o'b")], "'o\\'b'"),
        ("{{sql_unescape(String(a), '%')}}", &[("a", "a\\%")], "'a\\\\%'"),
        ("{{split_to_array(a, separator='|')}}", &[("a", "x | y")], "['x', 'y']"),
        ("{{split_to_array(a, 'p,q')}} {{split_to_array(b)}}", &[], "['p', 'q'] ['']"),
        ("{{enumerate_with_last([1,2])}}", &[], "[(False, 1), (True, 2)]"),
        ("{{day_diff('2024-03-01', '2024-02-01')}}", &[], "29"),
        ("{{day_diff('2024-03-01 12:00:00', '2024-02-01 13:00:00')}}", &[], "28"),
        ("{{date_diff_in_hours('2024-01-01 00:00:00', '2024-01-02 01:30:00')}}", &[], "25"),
        ("{{date_diff_in_minutes('2024-01-01 00:00:00', '2024-01-02 01:30:59')}}", &[], "1530"),
        ("{{date_diff_in_seconds('2024-01-01', '2024-01-02', '%Y-%m-%d')}}", &[], "86400"),
        (
            "{{date_diff_in_days('2024-01-01', '2024-01-03 00:00:00', '%Y-%m-%d %H:%M:%S', '%Y-%m-%d')}}",
            &[],
            "2",
        ),
        ("{{date_diff_in_hours('x', '2024-01-02 00:00:00')}}", &[], "! cannot read 'x'"),
        ("{% if date_diff_in_hours('x', 'y', none_if_error=True) is None %}n{% end %}", &[], "n"),
        ("{% if date_diff_in_hours(s, e) > 1 %}n{% end %}", &[], "! needs two dates, and one is None"),
        ("{{error('no')}}", &[], "! no"),
        ("{{tb_secret('key')}} {{tb_var('key')}}", &[], "{key: String} {key: String}"),
        ("{{tb_secret('my-key')}} {{tb_secret('my_key')}}", &[], "{my_key: String} {my_key_: String}"),
        ("{{tb_secret('other', 'd')}}", &[], "'d'"),
        ("{{tb_secret('other')}}", &[], "! there is no secret 'other'"),
        ("{{max_threads(4)}}SELECT 1", &[], "-- max_threads 4\nSELECT 1"),
        ("{{max_threads(0)}}", &[], "! whole numbers above 0"),
        ("{{cache_ttl('5m')}}", &[], "-- cache_ttl 5m\n"),
        ("{{cache_ttl('2m')}}", &[], "! cache_ttl takes 5s, 1m, 5m, 30m, 1h, not '2m'"),
        (
            "{{backend_hint('a')}}{{activate('analyzer')}}{{disable('analyzer')}}",
            &[],
            "-- backend_hint a\n-- activate analyzer\n-- disable analyzer\n",
        ),
        ("{{activate('x')}}", &[], "! activate takes analyzer, parallel_replicas"),
        ("{{backend_hint(a)}}", &[("a", "x\nDROP")], "! one line of text"),
    ]);
}

/// What the specification says besides its vectors, sentence by sentence, where no other table here shows it.
#[test]
fn sentences_of_the_specification() {
    check(&[
        // §8.2
        ("{{{{1}}}}", &[], "{{1}}"),
        ("{{{%if True%}x{%end%}", &[], "! is never closed"),
        (" a  {{ 1 }}  b ", &[], " a  1  b "),
        ("{% comment {{String(a)}} %}x", &[], "x"),
        // §8.3
        ("{% extends 'x' %}", &[], "! `extends` is switched off"),
        ("{% import x %}", &[], "! `import` is switched off"),
        ("{% from x import y %}", &[], "! `from` is switched off"),
        ("{% block x %}{% end %}", &[], "! `block` is switched off"),
        ("{% apply x %}{% end %}", &[], "! `apply` is switched off"),
        ("{% autoescape x %}", &[], "! `autoescape` is switched off"),
        ("{% raw x %}", &[], "! `raw` is switched off"),
        ("{% module x() %}", &[], "! `module` is switched off"),
        ("{% for x in [1] %}a{% end for %}{% while False %}{% end while %}", &[], "a"),
        // §8.4
        ("{{ 'a' 'b' }}", &[], "'ab'"),
        ("{{ ('a', 1) }}", &[], "('a', 1)"),
        ("{{ ['a', 'b'][1] }}", &[], "'b'"),
        ("{{ {'k': 'v'}.get('x', 'd') }}", &[], "'d'"),
        ("{{ (lambda: 1)() }}", &[], "! no lambda"),
        ("{{ a in ['x'] }}", &[], "! no comparison"),
        ("{{ a or b }}", &[], "! no `or`"),
        ("{{ 7 // 2 }}", &[], "! not `//`"),
        ("{{ 2 ** 3 }}", &[], "! not `**`"),
        ("{% if 'b' in a and not a.startswith('x') or False %}y{% end %}", &[("a", "abc")], "y"),
        ("{% if 7 // 2 == 3 and 2 ** 3 > 7 and -7 % 3 == 2 %}y{% end %}", &[], "y"),
        // §8.5
        ("{{String(a, default=None)}}", &[], "! required parameter `a`"),
        ("{{Array(a, 'Int32', default=None)}}", &[], "! required parameter `a`"),
        ("{{Array(a, 'Int32', required=False)}}", &[], "! required parameter `a`"),
        ("{{Array(a)}}", &[("a", "=[\"x\",\"y\"]")], "['x','y']"),
        (
            "{{Array(a, 'Boolean')}} {{Array(b, 'Date')}}",
            &[("a", "no,0"), ("b", "2024-01-01")],
            "[1,0] ['2024-01-01']",
        ),
        ("{{Boolean(a)}}{{Boolean(b)}}{{Boolean(c, False)}}", &[("a", "False"), ("b", "2")], "010"),
        ("{{String(a)}}", &[("a", "\r\u{8}\u{1a}")], "'\\r\\b\\x1A'"),
        (
            "{{Float64(a)}} {{Float64(b)}}",
            &[("a", "inf"), ("b", "-1.50")],
            "toFloat64('inf') toFloat64('-1.5')",
        ),
        ("{{DateTime(a)}}", &[("a", "2024-01-01 00:00:00Z")], "'2024-01-01 00:00:00Z'"),
        ("{{DateTime64(a)}}", &[("a", "2024-01-01T00:00:00.123Z")], "'2024-01-01T00:00:00.123Z'"),
        ("{{JSON(a)['k']}}", &[("a", "{\"k\": 1.5}")], "1.5"),
        ("{{symbol('x')}} {{symbol(a)}}", &[("a", "t.c")], "`x` `t.c`"),
        ("{{columns(a, fn='sum')}}", &[("a", "x,y")], "sum(`x`) as x,sum(`y`) as y"),
        ("{{String(a, 'x', format='f', example='e', enum=['p'])}}", &[], "'x'"),
        // §8.6
        ("{% if defined('a') %}1{% end %}{% if not defined('b') %}2{% end %}", &[("a", "x")], "12"),
        ("{{sql_and(a=String(x), b=None)}}", &[("x", "v")], "a = 'v'"),
        ("WHERE {{sql_and(a=String(x, defined=False))}}", &[], "WHERE "),
        ("{{split_to_array(a)}}", &[("a", " x , y ")], "['x', 'y']"),
        ("{{sql_unescape(String(a), '%%')}}", &[("a", "50%% of 5%")], "'50%% of 5\\%'"),
        ("{{sql_unescape(a, '`')}}", &[("a", "`x`")], "'`x`'"),
        ("{{day_diff('2024-02-01', '2024-03-01')}}", &[], "29"),
        ("{{date_diff_in_days('2024-01-01 00:00:00', '2024-01-02 23:59:59')}}", &[], "1"),
        (
            "{{cache_ttl('5s')}}{{cache_ttl('1m')}}{{cache_ttl('30m')}}{{cache_ttl('1h')}}",
            &[],
            "-- cache_ttl 5s\n-- cache_ttl 1m\n-- cache_ttl 30m\n-- cache_ttl 1h\n",
        ),
        (
            "{{activate('parallel_replicas')}}{{activate('optimize_aggregation_in_order')}}",
            &[],
            "-- activate parallel_replicas\n-- activate optimize_aggregation_in_order\n",
        ),
        ("{{disable('parallel_replicas')}}", &[], "! disable takes analyzer"),
        // §8.7
        ("{{column(format)}}", &[("format", "x")], "! the API uses `format` itself"),
        ("{{String(job_timestamp)}}", &[("job_timestamp", "t")], "'t'"),
    ]);
}

/// Every width of §8.5: the ends of its range pass, what lies beyond does not.
#[test]
fn integers_of_every_width() {
    let two = |bits: u32| BigInt::from(2).pow(bits);
    for bits in [8, 16, 32, 64, 128, 256] {
        let ranges: [(String, BigInt, BigInt); 2] = [
            (format!("Int{bits}"), -two(bits - 1), two(bits - 1) - 1),
            (format!("UInt{bits}"), BigInt::ZERO, two(bits) - 1),
        ];
        for (ty, low, high) in ranges {
            let template = format!("{{{{{ty}(a)}}}}");
            for end in [&low, &high] {
                let text = end.to_string();
                let found = rendered(&template, &[("a", &text)]).expect("within the range").sql;
                assert_eq!(found, format!("to{ty}('{end}')"));
            }
            let beyond: [BigInt; 2] = [low - 1, high + 1];
            for text in beyond.map(|n| n.to_string()) {
                let error = rendered(&template, &[("a", &text)]).expect_err("out of range");
                assert!(error.message.contains("out of range"), "{ty} {text}: {error}");
            }
        }
    }
}

#[test]
fn test_mode_needs_no_request() {
    let render_test = |template: &str| {
        let (parameters, secrets) = (parameters(&[("a", "real")]), secrets());
        let mut request = Request::new(&parameters, &secrets);
        request.mode = Mode::Test;
        render(&format!("%{template}"), &request).map_or_else(|error| format!("! {error}"), |r| r.sql)
    };
    for (template, expected) in [
        ("{{String(a)}} {{a}}", "'__no_value__' '__no_value__'"),
        ("{{String(a, 'd')}} {{Int32(b, 4)}}", "'d' toInt32('4')"),
        ("{{Int32(a)}} {{Int(a)}} {{Float32(a)}} {{Boolean(a)}}", "toInt32('0') 0 toFloat32('0.0') 0"),
        (
            "{{Date(a)}} {{DateTime(a)}} {{DateTime64(a)}}",
            "'2019-01-01' '2019-01-01 00:00:00' '2019-01-01 00:00:00.000'",
        ),
        ("{{Array(a, 'Int32')}} {{Array(a)}}", "[0] ['__no_value__']"),
        ("{{Array(b)}}", "['__no_value__']"),
        ("{{column(a)}} {{columns(a)}} {{symbol(a)}}", "`__no_value__` `__no_value__` `__no_value__`"),
        ("{% if defined(a) %}1{% else %}2{% end %}{{error('x')}}{{custom_error({}, 404)}}", "2"),
        ("{{JSON(a).get('k', 'd')}}", "'d'"),
        ("{% for x in JSON(a, '[]') %}{{x}}{% end %}.", "."),
        ("{% if date_diff_in_hours(s, e) > 24 %}1{% else %}2{% end %}", "2"),
        ("{{tb_secret('none')}}", "'__no_value__'"),
        ("{{Int32(a) + 1}}", "1"),
        ("{{String(a, defined=False)}}", "'__no_value__'"),
    ] {
        assert_eq!(render_test(template), expected, "{template}");
    }
}

#[test]
fn errors_say_where_what_and_how_to_answer() {
    let error = |template: &str, pairs: &[(&str, &str)]| rendered(template, pairs).expect_err(template);
    let all =
        error(" {{Int32(a)}} {{String(b)}} {{a}} {% set c = Date(c) %} {% if x %}{{Int8(d)}}{% end %}", &[]);
    let missing = ["a", "b", "c"].map(str::to_owned).to_vec();
    assert_eq!((all.kind, all.status), (ErrorKind::MissingParameters(missing), 400));
    assert_eq!(
        all.message,
        "the required parameters `a`, `b`, `c` are not defined; pass them, or give them defaults in the template"
    );
    assert_eq!(all.range, headwater_syntax::range(10, 11));

    let custom = error("{{custom_error({'error': 'gone', 'ids': [1, 'x']}, 410)}}", &[]);
    let body = "{\"error\":\"gone\",\"ids\":[1,\"x\"]}".to_owned();
    assert_eq!((custom.kind, custom.status), (ErrorKind::Custom { body }, 410));
    assert!(error("{{custom_error({}, 4)}}", &[]).message.contains("an HTTP status"));

    let user = error("{% if not defined(a) %}{{error('pass a')}}{% end %}", &[]);
    assert_eq!((user.kind, user.message.as_str()), (ErrorKind::User, "pass a"));

    for (template, pairs, at, kind) in [
        (
            "SELECT {{Int8(a)}}",
            &[("a", "x")][..],
            "Int8(a)",
            ErrorKind::Validation { parameter: Some("a".into()) },
        ),
        ("x{% if 1 + (a + 'b') %}{% end %}", &[("a", "=1")], "(a + 'b')", ErrorKind::Evaluation),
        ("x{{ lower(a) }}", &[], "lower", ErrorKind::Forbidden),
        ("x{% if a %}", &[], "{% if a %}", ErrorKind::Syntax),
        ("x{{ a }}", &[], "a", ErrorKind::Null),
        ("x{{ tb_secret('s') }}", &[], "tb_secret('s')", ErrorKind::UnknownSecret { name: "s".into() }),
        ("{% if a %}x{% end %}", &[], "%{% if a %}x{% end %}", ErrorKind::Empty),
    ] {
        let found = error(template, pairs);
        assert_eq!((&format!("%{template}")[found.range], found.kind), (at, kind), "{template}");
    }
}

#[test]
fn what_a_render_used_comes_with_it() {
    let template = "SELECT {{Int32(a)}}, {{Int32(a)}}, {{String(b, 'x')}}, {{column(c, 'd')}} {% if e %}{% end %}{% if defined(f) %}{% end %}\
                    {{max_threads(2)}}{{cache_ttl('1h')}}{{backend_hint('h')}}{{activate('analyzer')}}{{activate('analyzer')}}{{disable('analyzer')}}{{tb_secret('key')}}";
    let found = rendered(template, &[("a", "5"), ("other", "1")]).expect("it renders");
    let used: Vec<_> = found
        .parameters
        .iter()
        .map(|p| (p.name.as_str(), p.ty.as_deref(), p.value.to_json(), p.origin))
        .collect();
    assert_eq!(
        used,
        [
            ("a", Some("Int32"), "5".to_owned(), Origin::Passed),
            ("a", Some("Int32"), "5".to_owned(), Origin::Passed),
            ("b", Some("String"), "\"x\"".to_owned(), Origin::Default),
            ("c", Some("column"), "\"d\"".to_owned(), Origin::Default),
            ("e", None, "null".to_owned(), Origin::Absent),
        ]
    );
    let settings = &found.settings;
    assert_eq!((settings.max_threads, settings.cache_ttl), (Some(2), Some(3600)));
    assert_eq!(
        (settings.backend_hint.as_deref(), settings.activate.as_slice()),
        (Some("h"), &["analyzer"][..])
    );
    assert_eq!(settings.disable, ["analyzer"]);
    let [secret] = found.secrets.as_slice() else { panic!("one secret") };
    assert_eq!(
        (secret.name.as_str(), secret.secret.as_str(), secret.value.reveal()),
        ("key", "key", "s3cr3t")
    );
    assert!(!format!("{found:?}").contains("s3cr3t"));
}

#[test]
fn secrets_are_in_no_error() {
    let (none, secrets) = (Parameters::new(), secrets());
    let request = Request::new(&none, &secrets);
    assert!(!format!("{request:?}").contains("s3cr3t"));
    for template in [
        "%{{error(tb_secret('key'))}}",
        "%{{custom_error({'k': tb_secret('key')})}}",
        "%{{Int32(tb_secret('key'))}}",
        "%{% set x = tb_secret('key') %}{{x['a']}}",
        "%{{tb_secret('key')}}{{tb_secret('s3')}}",
    ] {
        let error = render(template, &request).expect_err(template);
        assert!(!format!("{error:?} {error}").contains("s3cr3t"), "{template}");
    }
}

#[test]
fn requests_pass_values_in_three_ways() {
    let none = Secrets::new();
    let from_query = Parameters::from_pairs([("a", "1"), ("a", "2"), ("b", "x")]);
    let prepared = Prepared::new("%{{Array(a, 'Int32')}} {{b}}").expect("a template");
    assert_eq!(prepared.render(&Request::new(&from_query, &none)).expect("it renders").sql, "[1,2] 'x'");
    let body = parameters(&[("a", "=[1, 2]"), ("b", "=true")]);
    assert_eq!(prepared.render(&Request::new(&body, &none)).expect("it renders").sql, "[1,2] True");
    let null = parameters(&[("a", "=null")]);
    let error = prepared.render(&Request::new(&null, &none)).expect_err("null is nothing");
    assert_eq!(error.kind, ErrorKind::MissingParameters(vec!["a".to_owned()]));
}

#[test]
fn text_without_the_marker_is_itself() {
    let (none, secrets) = (Parameters::new(), Secrets::new());
    let mut request = Request::new(&none, &secrets);
    assert_eq!(render(" SELECT '{{x}}' % 2", &request).expect("plain").sql, " SELECT '{{x}}' % 2");
    assert_eq!(render("\n %\nSELECT 1", &request).expect("plain").sql, "\n \nSELECT 1");
    request.limits = Limits { output: 4, ..Limits::default() };
    assert!(matches!(render("SELECT 1", &request).expect_err("too long").kind, ErrorKind::Limit(_)));
}
