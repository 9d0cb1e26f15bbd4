//! What calls give, as tables: each line is one that the engine answered so.

use expect_test::{Expect, expect};
use headwater_catalog::{
    Argument, Call, Constant, Conversion, Fault, Inference, Supertype, Type, conversion, find, infer,
    lambda_parameters, suggestions, supertype,
};

/// Parts between commas outside of parentheses, brackets and quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut out, mut depth, mut start, mut quoted) = (Vec::new(), 0, 0, false);
    for (at, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                out.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    let last = text[start..].trim();
    if !last.is_empty() {
        out.push(last);
    }
    out
}

fn constant(text: &str) -> Option<Constant> {
    match text {
        "NULL" => Some(Constant::Null),
        "true" => Some(Constant::Bool(true)),
        _ => {
            if let Some(inner) = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
                let elements = parts(inner).into_iter().map(constant).collect::<Option<Vec<_>>>()?;
                return Some(Constant::Array(elements.into()));
            }
            match text.strip_prefix('\'').and_then(|t| t.strip_suffix('\'')) {
                Some(inner) => Some(Constant::String(inner.into())),
                None => Constant::number(text),
            }
        }
    }
}

/// A type is a column, `?` is not known, `x -> T` a lambda with that body.
fn argument(text: &str) -> Argument {
    if text == "?" {
        return Argument::unknown();
    }
    if let Some((_, body)) = text.split_once("-> ") {
        return Argument::lambda(Type::parse(body).ok());
    }
    match constant(text) {
        Some(constant) => Argument::literal(constant),
        None => Argument::column(Type::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"))),
    }
}

/// `name(parameters)(arguments)` or `name(arguments)`.
fn ask(text: &str) -> Inference {
    let open = text.find('(').expect("a call");
    let (name, rest) = text.split_at(open);
    let mut depth = 0;
    let end = rest.char_indices().find_map(|(at, c)| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        (depth == 0).then_some(at)
    });
    let end = end.expect("a closing parenthesis");
    let (first, second) = (&rest[1..end], rest[end + 1..].strip_prefix('('));
    let (parameters, arguments) = match second {
        Some(second) => {
            (first, second.trim_end_matches(')').to_owned() + &")".repeat(second.matches('(').count()))
        }
        None => ("", first.to_owned()),
    };
    let parameters: Vec<Constant> = parts(parameters).into_iter().filter_map(constant).collect();
    let arguments: Vec<Argument> = parts(&arguments).into_iter().map(argument).collect();
    infer(&Call { name, parameters: &parameters, arguments: &arguments })
}

fn check(calls: &str, expected: &Expect) {
    let lines = calls.lines().map(str::trim).filter(|l| !l.is_empty()).map(|call| {
        let answer = match ask(call) {
            Inference::Type(ty) => ty.to_string(),
            Inference::Unknown => "?".to_owned(),
            Inference::Fault(fault) => format!("{fault:?}"),
        };
        format!("{call} = {answer}\n")
    });
    expected.assert_eq(&lines.collect::<String>());
}

#[test]
fn literals() {
    let lines = [
        "1",
        "-1",
        "256",
        "-129",
        "4294967296",
        "18446744073709551616",
        "-9223372036854775808",
        "0xFF",
        "1.5",
        "1e3",
        "'x'",
        "NULL",
        "true",
        "[1, 2]",
        "[1, -1]",
        "[1, NULL]",
        "[]",
        "['a', NULL]",
        "[[1], [2, 300]]",
        "[1, 1.5]",
    ]
    .map(|text| {
        let ty = constant(text).and_then(|c| c.ty()).map_or_else(|| "?".to_owned(), |t| t.to_string());
        format!("{text} = {ty}\n")
    });
    expect![[r#"
        1 = UInt8
        -1 = Int8
        256 = UInt16
        -129 = Int16
        4294967296 = UInt64
        18446744073709551616 = Float64
        -9223372036854775808 = Int64
        0xFF = UInt8
        1.5 = Float64
        1e3 = Float64
        'x' = String
        NULL = Nullable(Nothing)
        true = Bool
        [1, 2] = Array(UInt8)
        [1, -1] = Array(Int16)
        [1, NULL] = Array(Nullable(UInt8))
        [] = Array(Nothing)
        ['a', NULL] = Array(Nullable(String))
        [[1], [2, 300]] = Array(Array(UInt16))
        [1, 1.5] = Array(Float64)
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn common_types() {
    let lines = [
        "UInt8, Int8",
        "UInt64, Int8",
        "UInt64, Float64",
        "UInt32, Float32",
        "Bool, UInt8",
        "Date, DateTime64(3)",
        "DateTime('UTC'), DateTime('Asia/Tokyo')",
        "Decimal(9, 2), Int64",
        "Decimal(18, 5), Decimal(76, 3)",
        "LowCardinality(String), String",
        "LowCardinality(String), LowCardinality(Nullable(String))",
        "Nullable(UInt8), String",
        "Array(UInt8), Array(Nullable(Int8))",
        "Array(UInt8), Array(String)",
        "Tuple(a UInt8, b String), Tuple(a UInt16, b String)",
        "Tuple(a UInt8, b String), Tuple(UInt16, String)",
        "Enum8('a' = 1), String",
        "IntervalDay, IntervalMonth",
    ]
    .map(|text| {
        let types: Vec<Type> = parts(text).into_iter().filter_map(|t| Type::parse(t).ok()).collect();
        let common = match supertype(&types) {
            Supertype::Type(ty) => ty.to_string(),
            other => format!("{other:?}"),
        };
        format!("{text} = {common}\n")
    });
    expect![[r#"
        UInt8, Int8 = Int16
        UInt64, Int8 = Variant(Int8, UInt64)
        UInt64, Float64 = Variant(Float64, UInt64)
        UInt32, Float32 = Float64
        Bool, UInt8 = Bool
        Date, DateTime64(3) = DateTime64(3)
        DateTime('UTC'), DateTime('Asia/Tokyo') = DateTime('UTC')
        Decimal(9, 2), Int64 = Decimal(38, 2)
        Decimal(18, 5), Decimal(76, 3) = Decimal(76, 5)
        LowCardinality(String), String = String
        LowCardinality(String), LowCardinality(Nullable(String)) = LowCardinality(Nullable(String))
        Nullable(UInt8), String = Variant(String, UInt8)
        Array(UInt8), Array(Nullable(Int8)) = Array(Nullable(Int16))
        Array(UInt8), Array(String) = Variant(Array(String), Array(UInt8))
        Tuple(a UInt8, b String), Tuple(a UInt16, b String) = Tuple(a UInt16, b String)
        Tuple(a UInt8, b String), Tuple(UInt16, String) = Tuple(UInt16, String)
        Enum8('a' = 1), String = String
        IntervalDay, IntervalMonth = Unknown
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn conditions_and_null() {
    check(
        "if(Bool, UInt8, Int8)
        if(Bool, UInt8, 'a')
        if(Bool, UInt8, NULL)
        if(Nullable(UInt8), LowCardinality(String), LowCardinality(String))
        if(Bool, Int64, 4294967296)
        if(String, 1, 2)
        if(?, 1, 2)
        if(Bool, 1)
        if(Bool, Decimal(9, 2), Decimal(18, 5))
        multiIf(Bool, 1, Bool, 300, -1)
        multiIf(Bool, 1, 2, 3)
        coalesce(Nullable(UInt8), 1)
        coalesce(Nullable(UInt8), Nullable(Int16))
        coalesce(UInt8, String)
        coalesce(LowCardinality(Nullable(String)), 'a')
        ifNull(Nullable(UInt8), -1)
        ifNull(NULL, 1)
        nullIf(LowCardinality(String), 'a')
        and(Bool, UInt8)
        and(UInt8, Nullable(UInt8))
        or(String, 1)
        in(LowCardinality(Nullable(String)), ['a'])",
        &expect![[r#"
            if(Bool, UInt8, Int8) = Int16
            if(Bool, UInt8, 'a') = Variant(String, UInt8)
            if(Bool, UInt8, NULL) = Nullable(UInt8)
            if(Nullable(UInt8), LowCardinality(String), LowCardinality(String)) = String
            if(Bool, Int64, 4294967296) = Int64
            if(String, 1, 2) = ArgumentType { argument: 0, ty: String, accepted: Some("UInt8 or Bool") }
            if(?, 1, 2) = UInt8
            if(Bool, 1) = ArgumentCount { min: 3, max: Some(3) }
            if(Bool, Decimal(9, 2), Decimal(18, 5)) = ?
            multiIf(Bool, 1, Bool, 300, -1) = Int32
            multiIf(Bool, 1, 2, 3) = ArgumentCount { min: 3, max: None }
            coalesce(Nullable(UInt8), 1) = UInt8
            coalesce(Nullable(UInt8), Nullable(Int16)) = Nullable(Int16)
            coalesce(UInt8, String) = UInt8
            coalesce(LowCardinality(Nullable(String)), 'a') = LowCardinality(String)
            ifNull(Nullable(UInt8), -1) = Int16
            ifNull(NULL, 1) = UInt8
            nullIf(LowCardinality(String), 'a') = LowCardinality(Nullable(String))
            and(Bool, UInt8) = Bool
            and(UInt8, Nullable(UInt8)) = Nullable(UInt8)
            or(String, 1) = ArgumentType { argument: 0, ty: String, accepted: Some("a number or Bool") }
            in(LowCardinality(Nullable(String)), ['a']) = LowCardinality(Nullable(UInt8))
        "#]],
    );
}

#[test]
fn containers() {
    check(
        "array(UInt8, Nullable(Int8))
        array(LowCardinality(String), LowCardinality(String))
        array()
        tuple(LowCardinality(String), Bool)
        map('a', UInt8, 'b', 300)
        tupleElement(Tuple(a UInt8, b String), 'b')
        tupleElement(Tuple(a UInt8, b String), -1)
        tupleElement(Tuple(a UInt8, b String), 'c')
        tupleElement(Array(Tuple(a UInt8, b String)), 1)
        arrayConcat(Array(UInt8), Array(Nullable(Int8)))
        arrayPushBack(Array(UInt8), 300)
        arrayZip(Array(UInt8), Array(LowCardinality(String)))
        arrayJoin(Map(String, UInt8))
        arrayFlatten(Array(Array(Array(UInt8))))
        mapFromArrays(Array(String), Array(UInt8))
        concat(LowCardinality(String), 'a')
        concat(Nullable(String), UInt8, Date, String, String, String)
        concat(Array(UInt8), Array(UInt16))",
        &expect![[r#"
            array(UInt8, Nullable(Int8)) = Array(Nullable(Int16))
            array(LowCardinality(String), LowCardinality(String)) = Array(LowCardinality(String))
            array() = Array(Nothing)
            tuple(LowCardinality(String), Bool) = Tuple(LowCardinality(String), Bool)
            map('a', UInt8, 'b', 300) = Map(String, UInt16)
            tupleElement(Tuple(a UInt8, b String), 'b') = String
            tupleElement(Tuple(a UInt8, b String), -1) = String
            tupleElement(Tuple(a UInt8, b String), 'c') = ?
            tupleElement(Array(Tuple(a UInt8, b String)), 1) = Array(UInt8)
            arrayConcat(Array(UInt8), Array(Nullable(Int8))) = Array(Nullable(Int16))
            arrayPushBack(Array(UInt8), 300) = Array(UInt16)
            arrayZip(Array(UInt8), Array(LowCardinality(String))) = Array(Tuple(UInt8, String))
            arrayJoin(Map(String, UInt8)) = Tuple(keys String, `values` UInt8)
            arrayFlatten(Array(Array(Array(UInt8)))) = Array(UInt8)
            mapFromArrays(Array(String), Array(UInt8)) = Map(String, UInt8)
            concat(LowCardinality(String), 'a') = LowCardinality(String)
            concat(Nullable(String), UInt8, Date, String, String, String) = Nullable(String)
            concat(Array(UInt8), Array(UInt16)) = Array(UInt16)
        "#]],
    );
}

#[test]
fn named_by_a_text() {
    check(
        "CAST(String, 'Array(UInt8)')
        CAST(Nullable(String), 'UInt8')
        accurateCastOrNull(String, 'UInt8')
        JSONExtract(String, 'a', 'b', 'Array(String)')
        JSONExtract(Nullable(String), 'a', 'Int64')
        JSONExtract(String, 'a', ?)
        JSONExtractKeysAndValues(String, 'Int64')
        arrayReduce('quantiles(0.5)', Array(UInt8))
        arrayReduce('sumIf', Array(UInt8), Array(UInt8))
        initializeAggregation('sumState', UInt8)
        finalizeAggregation(AggregateFunction(argMax, String, DateTime))",
        &expect![[r#"
            CAST(String, 'Array(UInt8)') = Array(UInt8)
            CAST(Nullable(String), 'UInt8') = UInt8
            accurateCastOrNull(String, 'UInt8') = Nullable(UInt8)
            JSONExtract(String, 'a', 'b', 'Array(String)') = Array(String)
            JSONExtract(Nullable(String), 'a', 'Int64') = Nullable(Int64)
            JSONExtract(String, 'a', ?) = ?
            JSONExtractKeysAndValues(String, 'Int64') = Array(Tuple(String, Int64))
            arrayReduce('quantiles(0.5)', Array(UInt8)) = Array(Float64)
            arrayReduce('sumIf', Array(UInt8), Array(UInt8)) = UInt64
            initializeAggregation('sumState', UInt8) = AggregateFunction(sum, UInt8)
            finalizeAggregation(AggregateFunction(argMax, String, DateTime)) = String
        "#]],
    );
}

#[test]
fn lambdas() {
    check(
        "arrayMap(x -> UInt16, Array(UInt8))
        arrayMap(x -> LowCardinality(String), Array(UInt8))
        arrayMap(?, Array(UInt8))
        arrayFilter(x -> UInt8, Array(LowCardinality(String)))
        arrayFirst(x -> UInt8, Array(Nullable(Int8)))
        arrayFirstOrNull(x -> UInt8, Array(UInt8))
        arrayCount(x -> UInt8, Array(UInt8))
        arraySum(x -> Decimal(9, 2), Array(UInt8))
        arrayFold(x -> Int64, Array(UInt8), Int64)
        mapApply(x -> Tuple(String, UInt16), Map(String, UInt8))
        mapFilter(x -> UInt8, Map(String, UInt8))",
        &expect![[r#"
            arrayMap(x -> UInt16, Array(UInt8)) = Array(UInt16)
            arrayMap(x -> LowCardinality(String), Array(UInt8)) = Array(String)
            arrayMap(?, Array(UInt8)) = ?
            arrayFilter(x -> UInt8, Array(LowCardinality(String))) = Array(String)
            arrayFirst(x -> UInt8, Array(Nullable(Int8))) = Nullable(Int8)
            arrayFirstOrNull(x -> UInt8, Array(UInt8)) = Nullable(UInt8)
            arrayCount(x -> UInt8, Array(UInt8)) = UInt32
            arraySum(x -> Decimal(9, 2), Array(UInt8)) = Decimal(38, 2)
            arrayFold(x -> Int64, Array(UInt8), Int64) = Int64
            mapApply(x -> Tuple(String, UInt16), Map(String, UInt8)) = Map(String, UInt16)
            mapFilter(x -> UInt8, Map(String, UInt8)) = Map(String, UInt8)
        "#]],
    );
    let types =
        |text: &str| -> Vec<Option<Type>> { parts(text).into_iter().map(|t| Type::parse(t).ok()).collect() };
    let names = |p: Option<Vec<Option<Type>>>| {
        p.map(|p| {
            p.into_iter().map(|t| t.map_or_else(|| "?".to_owned(), |t| t.to_string())).collect::<Vec<_>>()
        })
    };
    let ask = |name, arguments, count| names(lambda_parameters(name, &types(arguments), count));
    assert_eq!(
        ask("arrayMap", "Array(LowCardinality(String)), Array(UInt8)", 2),
        Some(vec!["String".into(), "UInt8".into()])
    );
    assert_eq!(
        ask("arrayMap", "Array(Tuple(a UInt8, b String))", 2),
        Some(vec!["UInt8".into(), "String".into()])
    );
    assert_eq!(ask("arrayMap", "nonsense", 1), Some(vec!["?".into()]));
    assert_eq!(ask("arrayFold", "Array(UInt8), Int64", 2), Some(vec!["Int64".into(), "UInt8".into()]));
    assert_eq!(ask("mapFilter", "Map(String, UInt8)", 2), Some(vec!["String".into(), "UInt8".into()]));
    assert_eq!(ask("length", "String", 1), None);
}

#[test]
fn aggregates_and_combinators() {
    check(
        "count()
        count(?)
        sum(UInt8)
        sum(Nullable(Int8))
        sum(String)
        sum(UInt8, UInt8)
        sumIf(Nullable(UInt8), Bool)
        sumIf(UInt8, Nullable(UInt8))
        sumIf(UInt8, String)
        countIf(Bool)
        sumState(LowCardinality(UInt8))
        sumIfState(UInt8, Bool)
        sumStateIf(UInt8, Bool)
        countState(Nullable(UInt8))
        quantilesState(0.5, 0.9)(UInt8)
        sumMerge(AggregateFunction(sum, UInt8))
        uniqMerge(AggregateFunction(sum, UInt8))
        sumMerge(UInt8)
        uniqMergeState(AggregateFunction(uniq, String))
        sumSimpleState(UInt8)
        maxSimpleState(LowCardinality(String))
        sumOrNull(UInt8)
        groupArrayOrNull(UInt8)
        sumArray(Array(Nullable(Int8)))
        sumForEach(Array(UInt8))
        sumMap(Map(String, UInt8))
        sumMap(Array(String), Array(UInt8))
        sumMapState(Array(String), Array(UInt8))
        argMax(String, Nullable(Date))
        argMaxState(Nullable(String), DateTime)
        quantile(0.5)(UInt8)
        quantile(DateTime)
        quantiles(0.5, 0.9)(Decimal(9, 2))
        topK(10)(LowCardinality(String))
        groupArray(Nullable(String))
        groupUniqArray(Array(UInt8))
        uniq(String, UInt8, Date)
        windowFunnel(3600)(DateTime, Bool, Bool)
        avg(Decimal(9, 2))
        max(LowCardinality(String))
        any(Array(LowCardinality(String)))
        sum(0.5)(UInt8)
        row_number()
        lagInFrame(LowCardinality(String))",
        &expect![[r#"
            count() = UInt64
            count(?) = UInt64
            sum(UInt8) = UInt64
            sum(Nullable(Int8)) = Nullable(Int64)
            sum(String) = ArgumentType { argument: 0, ty: String, accepted: None }
            sum(UInt8, UInt8) = ArgumentCount { min: 1, max: Some(1) }
            sumIf(Nullable(UInt8), Bool) = Nullable(UInt64)
            sumIf(UInt8, Nullable(UInt8)) = UInt64
            sumIf(UInt8, String) = ArgumentType { argument: 1, ty: String, accepted: Some("UInt8 or Bool") }
            countIf(Bool) = UInt64
            sumState(LowCardinality(UInt8)) = AggregateFunction(sum, UInt8)
            sumIfState(UInt8, Bool) = AggregateFunction(sumIf, UInt8, Bool)
            sumStateIf(UInt8, Bool) = AggregateFunction(sum, UInt8)
            countState(Nullable(UInt8)) = AggregateFunction(count, Nullable(UInt8))
            quantilesState(0.5, 0.9)(UInt8) = AggregateFunction(quantiles(0.5, 0.9), UInt8)
            sumMerge(AggregateFunction(sum, UInt8)) = UInt64
            uniqMerge(AggregateFunction(sum, UInt8)) = OtherState { argument: 0, state_of: "sum", merged_by: "uniq" }
            sumMerge(UInt8) = ArgumentType { argument: 0, ty: UInt8, accepted: Some("AggregateFunction(sum, …)") }
            uniqMergeState(AggregateFunction(uniq, String)) = AggregateFunction(uniq, String)
            sumSimpleState(UInt8) = SimpleAggregateFunction(sum, UInt64)
            maxSimpleState(LowCardinality(String)) = SimpleAggregateFunction(max, String)
            sumOrNull(UInt8) = Nullable(UInt64)
            groupArrayOrNull(UInt8) = Array(UInt8)
            sumArray(Array(Nullable(Int8))) = Nullable(Int64)
            sumForEach(Array(UInt8)) = Array(UInt64)
            sumMap(Map(String, UInt8)) = Map(String, UInt64)
            sumMap(Array(String), Array(UInt8)) = Tuple(Array(String), Array(UInt64))
            sumMapState(Array(String), Array(UInt8)) = AggregateFunction(1, sumMap, Array(String), Array(UInt8))
            argMax(String, Nullable(Date)) = Nullable(String)
            argMaxState(Nullable(String), DateTime) = AggregateFunction(argMax, Nullable(String), DateTime)
            quantile(0.5)(UInt8) = Float64
            quantile(DateTime) = DateTime
            quantiles(0.5, 0.9)(Decimal(9, 2)) = Array(Decimal(9, 2))
            topK(10)(LowCardinality(String)) = Array(String)
            groupArray(Nullable(String)) = Array(String)
            groupUniqArray(Array(UInt8)) = Array(Array(UInt8))
            uniq(String, UInt8, Date) = UInt64
            windowFunnel(3600)(DateTime, Bool, Bool) = UInt8
            avg(Decimal(9, 2)) = Float64
            max(LowCardinality(String)) = String
            any(Array(LowCardinality(String))) = Array(String)
            sum(0.5)(UInt8) = ParameterCount { min: 0, max: Some(0) }
            row_number() = UInt64
            lagInFrame(LowCardinality(String)) = String
        "#]],
    );
}

#[test]
fn the_table() {
    check(
        "plus(UInt8, UInt16)
        plus(Decimal(10, 2), Decimal(7, 4))
        plus(DateTime('UTC'), IntervalDay)
        plus(Date, IntervalHour)
        plus(DateTime64(2, 'UTC'), IntervalMillisecond)
        plus(UInt8, String)
        minus(DateTime, DateTime)
        divide(UInt8, UInt8)
        multiply(Decimal(9, 2), Decimal(9, 3))
        equals(LowCardinality(String), 'a')
        equals(DateTime, '2024-01-01')
        equals(UInt8, String)
        toDateTime(String, 'Europe/Madrid')
        toDateTime64(String, 6, 'UTC')
        toDecimal64(Float64, 5)
        toFixedString(String, 12)
        toStartOfHour(DateTime('UTC'))
        toStartOfHour(Nullable(DateTime))
        toStartOfDay(DateTime64(3))
        toStartOfInterval(DateTime, IntervalDay)
        dateDiff('day', Date, DateTime)
        dateTrunc('month', DateTime('UTC'))
        formatDateTime(DateTime, '%Y')
        toUnixTimestamp64Milli(DateTime64(3))
        length(LowCardinality(String))
        length(UInt8)
        upper(Nullable(String))
        substring(LowCardinality(String), 1, 2)
        splitByChar(',', Nullable(String))
        arrayElement(Array(Nullable(Int8)), 1)
        arrayElement(Map(String, UInt8), 'a')
        arraySort(Array(LowCardinality(String)))
        arrayDistinct(Array(DateTime64(6, 'UTC')))
        has(Array(String), 'a')
        mapKeys(Map(LowCardinality(String), UInt8))
        mapValues(Map(String, Array(UInt8)))
        JSONExtractString(String, 'a', 'b', 'c', 'd', 'e', 'f')
        JSONExtractInt(LowCardinality(String), 'a')
        round(Float64, 2)
        cityHash64(String, UInt8, Date)
        isNull(?)
        toString(?)
        now64(3)
        greatest(UInt8, Int16)
        upper(String, String)
        uper(String)",
        &expect![[r#"
            plus(UInt8, UInt16) = UInt32
            plus(Decimal(10, 2), Decimal(7, 4)) = Decimal(18, 4)
            plus(DateTime('UTC'), IntervalDay) = DateTime('UTC')
            plus(Date, IntervalHour) = DateTime
            plus(DateTime64(2, 'UTC'), IntervalMillisecond) = DateTime64(3, 'UTC')
            plus(UInt8, String) = ArgumentTypes([UInt8, String])
            minus(DateTime, DateTime) = Int32
            divide(UInt8, UInt8) = Float64
            multiply(Decimal(9, 2), Decimal(9, 3)) = Decimal(9, 5)
            equals(LowCardinality(String), 'a') = LowCardinality(UInt8)
            equals(DateTime, '2024-01-01') = UInt8
            equals(UInt8, String) = UInt8
            toDateTime(String, 'Europe/Madrid') = DateTime('Europe/Madrid')
            toDateTime64(String, 6, 'UTC') = DateTime64(6, 'UTC')
            toDecimal64(Float64, 5) = Decimal(18, 5)
            toFixedString(String, 12) = FixedString(12)
            toStartOfHour(DateTime('UTC')) = DateTime('UTC')
            toStartOfHour(Nullable(DateTime)) = Nullable(DateTime)
            toStartOfDay(DateTime64(3)) = DateTime
            toStartOfInterval(DateTime, IntervalDay) = DateTime
            dateDiff('day', Date, DateTime) = Int64
            dateTrunc('month', DateTime('UTC')) = Date
            formatDateTime(DateTime, '%Y') = String
            toUnixTimestamp64Milli(DateTime64(3)) = Int64
            length(LowCardinality(String)) = LowCardinality(UInt64)
            length(UInt8) = ArgumentType { argument: 0, ty: UInt8, accepted: None }
            upper(Nullable(String)) = Nullable(String)
            substring(LowCardinality(String), 1, 2) = LowCardinality(String)
            splitByChar(',', Nullable(String)) = Array(String)
            arrayElement(Array(Nullable(Int8)), 1) = Nullable(Int8)
            arrayElement(Map(String, UInt8), 'a') = UInt8
            arraySort(Array(LowCardinality(String))) = Array(String)
            arrayDistinct(Array(DateTime64(6, 'UTC'))) = Array(DateTime64(6, 'UTC'))
            has(Array(String), 'a') = UInt8
            mapKeys(Map(LowCardinality(String), UInt8)) = Array(String)
            mapValues(Map(String, Array(UInt8))) = Array(Array(UInt8))
            JSONExtractString(String, 'a', 'b', 'c', 'd', 'e', 'f') = String
            JSONExtractInt(LowCardinality(String), 'a') = Int64
            round(Float64, 2) = Float64
            cityHash64(String, UInt8, Date) = UInt64
            isNull(?) = UInt8
            toString(?) = ?
            now64(3) = DateTime64(3)
            greatest(UInt8, Int16) = Int16
            upper(String, String) = ArgumentCount { min: 1, max: Some(1) }
            uper(String) = UnknownFunction { suggestions: ["upper", "user"] }
        "#]],
    );
}

#[test]
fn conversions() {
    let lines = [
        ("UInt32", "UInt64"),
        ("UInt64", "UInt32"),
        ("String", "LowCardinality(String)"),
        ("String", "Nullable(String)"),
        ("Nullable(String)", "String"),
        ("DateTime", "DateTime64(3)"),
        ("String", "UInt64"),
        ("UInt64", "Float64"),
        ("SimpleAggregateFunction(sum, UInt64)", "UInt64"),
        ("Array(UInt8)", "UInt8"),
        ("AggregateFunction(sum, UInt8)", "AggregateFunction(uniq, UInt8)"),
        ("AggregateFunction(sum, UInt8)", "UInt64"),
        ("UUID", "Date"),
    ]
    .map(|(a, b)| {
        let ty = |t: &str| Type::parse(t).unwrap_or_else(|e| panic!("{t}: {e}"));
        let answer: Conversion = conversion(&ty(a), &ty(b));
        format!("{a} -> {b}: {answer:?}\n")
    });
    expect![[r#"
        UInt32 -> UInt64: Lossless
        UInt64 -> UInt32: Lossy
        String -> LowCardinality(String): Same
        String -> Nullable(String): Lossless
        Nullable(String) -> String: Lossy
        DateTime -> DateTime64(3): Lossless
        String -> UInt64: Lossy
        UInt64 -> Float64: Lossy
        SimpleAggregateFunction(sum, UInt64) -> UInt64: Same
        Array(UInt8) -> UInt8: Lossy
        AggregateFunction(sum, UInt8) -> AggregateFunction(uniq, UInt8): Impossible
        AggregateFunction(sum, UInt8) -> UInt64: Lossy
        UUID -> Date: Lossy
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn names() {
    let canonical = |name: &str| find(name).map(|f| f.name());
    for (name, expected) in [
        ("SUM", Some("sum")),
        ("Sum", Some("sum")),
        ("SumIf", Some("sumIf")),
        ("sumIF", None),
        ("COUNTif", None),
        ("todate", None),
        ("LOWER", Some("lower")),
        ("first_value", Some("any")),
        ("array_concat_agg", Some("groupArrayArray")),
        ("array_concat_aggState", Some("groupArrayArrayState")),
        ("quantilesTimingIfMergeState", Some("quantilesTimingIfMergeState")),
        ("lowerIf", None),
        ("", None),
        ("If", Some("if")),
        ("IfIfIfIfIfIfIfIfIfIfIfIfIfIf", None),
    ] {
        assert_eq!(canonical(name).as_deref(), expected, "{name}");
    }
    assert_eq!(suggestions("toStartOfHours").first(), Some(&"toStartOfHour"));
    assert!(matches!(ask("nothing_like_it_at_all()"), Inference::Fault(Fault::UnknownFunction { .. })));
}

#[test]
fn documentation_is_there() {
    let text = find("sumIf").and_then(|f| f.documentation()).unwrap_or_default();
    assert!(text.contains("**-If**"), "{text}");
    for (topic, name) in [
        (headwater_catalog::Topic::TableEngine, "MergeTree"),
        (headwater_catalog::Topic::Setting, "max_threads"),
        (headwater_catalog::Topic::MergeTreeSetting, "index_granularity"),
        (headwater_catalog::Topic::Type, "LowCardinality"),
        (headwater_catalog::Topic::TableFunction, "numbers"),
        (headwater_catalog::Topic::Format, "JSONEachRow"),
        (headwater_catalog::Topic::Codec, "ZSTD"),
        (headwater_catalog::Topic::Combinator, "State"),
        (headwater_catalog::Topic::SkippingIndex, "minmax"),
    ] {
        assert!(
            headwater_catalog::documentation(topic, name).is_some_and(|d| d.len() > 20),
            "{topic:?} {name}"
        );
    }
}
