-- Queries that pass, and that the engine takes over the same tables: one a line.
SELECT 1
SELECT count() FROM events
SELECT a, s FROM events WHERE a > 1 AND s LIKE '%x%' ORDER BY a DESC LIMIT 10
SELECT s, count() AS n, uniq(a), quantile(0.9)(a) FROM events GROUP BY s HAVING n > 0 ORDER BY n DESC
SELECT e.a, u.name FROM events AS e LEFT JOIN users AS u ON e.a = u.id
SELECT a FROM events WHERE a IN (1, 2, 3)
SELECT a FROM events WHERE a IN (SELECT id FROM users)
SELECT a FROM events WHERE (a, s) IN ((1, 'x'), (2, 'y'))
SELECT a FROM events WHERE a NOT IN (SELECT id FROM users WHERE name = 'x')
WITH big AS (SELECT * FROM events WHERE a > 1) SELECT count() FROM big
WITH big AS (SELECT a FROM events), small AS (SELECT a FROM big) SELECT * FROM small
WITH [1, 2] AS wanted SELECT a FROM events WHERE a IN wanted
WITH 5 AS k SELECT a + k FROM events
WITH x -> x + 1 AS next SELECT next(a) FROM events
WITH big AS (SELECT a FROM events) SELECT a FROM big UNION ALL SELECT a + 1 FROM big
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT sum(n) FROM r
SELECT a FROM (SELECT a FROM events UNION ALL SELECT id FROM users) ORDER BY a
SELECT a FROM events UNION DISTINCT SELECT id FROM users
SELECT a FROM events EXCEPT SELECT id FROM users
SELECT a FROM events INTERSECT SELECT id FROM users
SELECT * EXCEPT (s) FROM events
SELECT * REPLACE (a + 1 AS a) FROM events
SELECT COLUMNS('a|s') APPLY(toString) FROM events
SELECT * APPLY(x -> toString(x)) FROM events
SELECT arrayMap(x -> x * 2, arrayFilter(x -> x > 1, [1, 2, 3]))
SELECT arrayMap(toString, [1, 2])
SELECT arrayReduce('sum', [1, 2]), arrayReduce('quantile(0.5)', [1, 2])
SELECT arraySort((x, y) -> y, ['a', 'b'], [2, 1])
SELECT toStartOfHour(now()) AS h, today() - 7, toDate('2026-01-01') + INTERVAL 1 DAY
SELECT toDateTime('2026-01-01 00:00:00', 'Europe/Vienna')
SELECT CASE WHEN a > 1 THEN 'x' WHEN a = 1 THEN 'y' ELSE 'z' END FROM events
SELECT CASE a WHEN 1 THEN 'x' ELSE 'z' END FROM events
SELECT if(a > 1, 'x', 'y'), multiIf(a = 1, 'p', a = 2, 'q', 'r') FROM events
SELECT a::String, CAST(a AS Nullable(String)), CAST(a, 'Float64') FROM events
SELECT sum(a) OVER (PARTITION BY s ORDER BY a ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM events
SELECT row_number() OVER w FROM events WINDOW w AS (ORDER BY a)
SELECT sumIf(a, a > 1), countIf(s = 'x'), argMax(s, a) FROM events
SELECT count(DISTINCT a), sum(a) FILTER (WHERE a > 1) FROM events
SELECT JSONExtractString('{"a":"b"}', 'a'), simpleJSONExtractInt('{"a":1}', 'a')
SELECT extract('a=1', 'a=(\\d)'), replaceRegexpAll('abc', 'b', 'x'), splitByChar(',', 'a,b')
SELECT domain('http://x.y/z'), cutQueryString('http://x.y/z?a=1')
SELECT number FROM numbers(10)
SELECT number FROM numbers(5, 10) WHERE number % 2 = 0
SELECT * FROM generateSeries(1, 10, 2)
SELECT count() FROM zeros(10)
SELECT * FROM values('a UInt8, b String', (1, 'x'), (2, 'y'))
SELECT * FROM (VALUES (1, 'x'), (2, 'y'))
SELECT * FROM format(JSONEachRow, '{"a":1}')
SELECT * FROM format(JSONEachRow, 'a UInt8, b Array(String)', '{"a":1,"b":["x"]}')
SELECT * FROM format(CSV, 'a UInt8', '1')
SELECT * FROM null('a UInt8, b String')
SELECT * FROM view(SELECT a FROM events)
SELECT a FROM generateRandom('a UInt8, b String', 1, 10, 2) LIMIT 3
SELECT dummy FROM system.one
SELECT number FROM system.numbers LIMIT 3
SELECT name FROM system.functions LIMIT 1
SELECT joinGet('lookup', 'v', toUInt8(1))
SELECT id FROM users FINAL
SELECT a FROM events LIMIT 1 BY s
SELECT a FROM events ORDER BY a WITH FILL FROM 0 TO 5 STEP 1
SELECT a, s FROM events ORDER BY a WITH FILL FROM 0 TO 3 INTERPOLATE (s AS 'x')
SELECT a, x FROM events ARRAY JOIN [1, 2] AS x
SELECT a FROM events LEFT ARRAY JOIN [] AS x
SELECT s, sum(a) FROM events GROUP BY s WITH TOTALS
SELECT s, sum(a) FROM events GROUP BY ROLLUP(s)
SELECT s, a, count() FROM events GROUP BY GROUPING SETS ((s), (a))
SELECT a FROM events SETTINGS max_threads = 2
SELECT a FROM events LEFT JOIN users ON a = id SETTINGS join_use_nulls = 1
SELECT a FROM events SETTINGS final = 0, session_timezone = 'Europe/Vienna'
SELECT a FROM events FORMAT JSON
SELECT a FROM events LIMIT 5 OFFSET 2
SELECT DISTINCT s FROM events
SELECT DISTINCT ON (s) s, a FROM events
SELECT e.*, u.name FROM events e, users u WHERE e.a = u.id
SELECT e.a FROM events e ASOF JOIN users u ON e.s = u.name AND e.a >= u.id
SELECT a FROM events e WHERE EXISTS (SELECT 1 FROM users WHERE id = e.a)
SELECT (SELECT max(a) FROM events) AS m
SELECT a = ANY(SELECT id FROM users) FROM events
SELECT map('a', 1)['a'], [1, 2][1], (1, 2).1, tuple('x', 1).2
SELECT {p:UInt8} + 1
SELECT a FROM events WHERE s = {p:String}
SELECT EXTRACT(YEAR FROM toDate('2026-01-01')), TRIM(BOTH 'x' FROM 'xax'), position('a' IN s) FROM events
SELECT date_diff('day', toDate('2026-01-01'), toDate('2026-02-01')), dateAdd(DAY, 1, toDate('2026-01-01'))
SELECT DATE '2026-01-01', TIMESTAMP '2026-01-01 00:00:00'
SELECT 'it''s', 'a\'b', $$x'y$$, x'41', 0x1F, 1e5, -1, NULL, true, inf
SELECT "a", `s` FROM `events` AS "e"
SELECT a /* comment */, s -- another⏎FROM events # third⏎WHERE a > 0
FROM events SELECT a
EXPLAIN SELECT a FROM events
EXPLAIN AST SELECT a FROM events
EXPLAIN SYNTAX SELECT a FROM events
EXPLAIN QUERY TREE SELECT a FROM events
EXPLAIN PIPELINE SELECT a FROM events
EXPLAIN ESTIMATE SELECT a FROM events
EXPLAIN indexes = 1, actions = 1 SELECT a FROM events
EXPLAIN json = 1 SELECT a FROM events
DESCRIBE events
DESCRIBE TABLE events
DESC (SELECT a FROM events)
DESCRIBE numbers(3)
SELECT toTypeName(a), version(), timezone() FROM events
SELECT formatRow('CSV', a, s) FROM events
SELECT finalizeAggregation(initializeAggregation('sumState', a)) FROM events
SELECT uniqMerge(u) FROM (SELECT uniqState(a) AS u FROM events)
SELECT rand() < 0, length(toString(generateUUIDv4())) FROM events
SELECT throwIf(a > 100) FROM events
SELECT a ? 'x' : 'y' FROM events
SELECT a BETWEEN 1 AND 2, s ILIKE 'X%', s NOT LIKE 'y', a IS NOT NULL, NOT a FROM events
SELECT 1 AS a, a + 1 AS b, b * 2 AS c;
