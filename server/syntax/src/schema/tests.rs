use super::*;
use expect_test::{Expect, expect};

fn check(text: &str, expected: &Expect) {
    let schema = parse(text);
    let mut out = String::new();
    for c in &schema.columns {
        out += &c.name.value;
        for (label, part) in
            [("", &c.ty), (" json:", &c.jsonpath), (" default ", &c.default), (" codec ", &c.codec)]
        {
            if let Some(part) = part {
                assert_eq!(text[part.range].trim(), part.value.trim());
                out += &format!(" {label}{}", part.value);
            }
        }
        out.push('\n');
    }
    for e in &schema.errors {
        out += &format!("! {:?} {:?}\n", &text[e.range], e.kind);
    }
    expected.assert_eq(&out);
}

#[test]
fn columns_in_every_form() {
    check(
        "`id` String `json:$.id`,\n ts DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta, ZSTD(1)), -- note\n \
         tags Array(LowCardinality(String)) `json:$.tags[:]` DEFAULT [],\n x DEFAULT 'a, b',",
        &expect![[r#"
            id String  json:$.id
            ts DateTime64(3, 'UTC')  default now64(3)  codec Delta, ZSTD(1)
            tags Array(LowCardinality(String))  json:$.tags[:]  default []
            x  default 'a, b'
        "#]],
    );
}

#[test]
fn faults_are_named_where_they_stand() {
    check(
        "a Boolean, b DateTime64, c Int, d, e String NOT NULL, f Strin, g Array(Foo), h String # x\n, \
         i String DEFAULT, j String DEFAULT a || b, k Array(UInt8) DEFAULT [1,2], `l String",
        &expect![[r##"
            a Boolean
            b DateTime64
            c Int
            d
            e String
            f Strin
            g Array(Foo)
            h String
            i String
            j String  default a || b
            k Array(UInt8)  default [1,2]
            l String
            ! "Boolean" BooleanType
            ! "DateTime64" DateTime64Precision
            ! "Int" IntWidth("Int")
            ! "d" MissingType
            ! "NOT NULL" NullModifier { not: true }
            ! "Strin" UnknownType("Strin")
            ! "Foo" UnknownType("Foo")
            ! "# x" HashComment
            ! "DEFAULT" MissingValue("DEFAULT")
            ! "||" NotPortable("the vendor's parser refuses | outside quotes; write concat(a, b)")
            ! "," NotPortable("a comma inside [ ] splits the column in the vendor's parser; write array(1, 2)")
            ! "`l" UnclosedBacktick
        "##]],
    );
}

#[test]
fn one_fault_does_not_hide_the_next_column() {
    check(
        "`a` String\n`b` Int8 DEFAULT 1\n`c` Array(Int8\n, `d--e` String DEFAULT 'x -- y', \"f\" String, \
         g Tuple(a Boolean), h String COMMENT 'i, j', k String\nNODE top\nSQL >\n",
        &expect![[r#"
            a String
            b Int8  default 1
            c Array(Int8
            d--e String  default 'x -- y'
            g Tuple(a Boolean)
            h String
            k String
            ! "`b`" MissingComma
            ! "`c`" MissingComma
            ! "(" UnclosedParenthesis
            ! "--e" CommentInQuotes('`')
            ! "-- y" CommentInQuotes('\'')
            ! "\"" InvalidCharacter('"')
            ! "Boolean" BooleanType
            ! "COMMENT" UnexpectedItem("COMMENT")
            ! "NODE" UnexpectedItem("NODE")
        "#]],
    );
}

/// Found by fuzzing: the type's range reached over the blank in front of the comma.
#[test]
fn an_unclosed_type_ends_before_blanks() {
    let schema = super::parse("a a( ,");
    let column = &schema.columns[0];
    assert!(column.range.contains_range(column.ty.as_ref().expect("a type").range), "{column:?}");
}
