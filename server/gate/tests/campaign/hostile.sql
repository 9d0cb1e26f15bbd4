-- Statements that must not pass: `rule: statement`, one a line. @FILE is a file with a secret, @OUT one that does not exist, @PORT a
-- port that nobody may connect to; ⏎ is a line break. Tables of the project are events, users and lookup; hidden and
-- hidden_lookup stand beside them in the same database and hold the secret.

-- Files, by functions
function: SELECT file('@FILE')
function: SELECT file('@FILE', 'nothing')
function: SELECT `file`('@FILE')
function: SELECT "file"('@FILE')
function: SELECT file ( '@FILE' )
function: SELECT file/* ( */('@FILE')
function: SELECT file -- x⏎('@FILE')
function: SELECT `f\x69le`('@FILE')
function: SELECT "f\x69le"('@FILE')
function: SELECT `fil\e`('@FILE')
function: SELECT 1 AS a, toString(file('@FILE'))
function: SELECT a FROM events WHERE s = file('@FILE')
function: SELECT a FROM events WHERE a IN (SELECT length(file('@FILE')))
function: SELECT a FROM events ORDER BY file('@FILE')
function: SELECT a FROM events GROUP BY a, file('@FILE')
function: SELECT count() FROM events GROUP BY a HAVING file('@FILE') != ''
function: SELECT a FROM events PREWHERE file('@FILE') != ''
function: SELECT a FROM events LIMIT length(file('@FILE'))
function: SELECT a FROM events LIMIT 1 OFFSET length(file('@FILE'))
function: SELECT a FROM events LIMIT 1 BY file('@FILE')
function: SELECT a FROM events JOIN users ON file('@FILE') = users.name
function: SELECT sum(a) OVER (PARTITION BY file('@FILE')) FROM events
function: SELECT sum(a) FILTER (WHERE file('@FILE') != '') FROM events
function: SELECT a FROM events ARRAY JOIN [file('@FILE')] AS f
function: WITH file('@FILE') AS f SELECT f
function: WITH f AS (SELECT file('@FILE') AS x) SELECT x FROM f
function: WITH x -> file(x) AS f SELECT f('@FILE')
function: WITH x -> file(x) AS f SELECT arrayMap(f, ['@FILE'])
function: SELECT arrayMap(x -> file(x), ['@FILE'])
function: SELECT arrayMap(file, ['@FILE'])
function: SELECT arrayMap((file), ['@FILE'])
function: SELECT arrayMap(file AS f, ['@FILE'])
function: SELECT arrayMap(`file`, ['@FILE'])
function: SELECT arrayMap("f\x69le", ['@FILE'])
function: SELECT arrayFilter(file, ['@FILE'])
function: SELECT arrayFold(file, ['@FILE'], '')
function: SELECT arraySort(file, ['@FILE'])
function: SELECT arrayFirst(file, ['@FILE'])
function: SELECT arrayMap(file, ['@FILE'])('x')
function: SELECT arrayMap(file)(['@FILE'])
function: WITH (f, x) -> arrayMap(f, x) AS g SELECT g(file, ['@FILE'])
function: SELECT joinGet('lookup')('hidden_lookup', 'secret', toUInt8(1))
function: SELECT joinGet('hidden_lookup', 'secret', toUInt8(1))('lookup')
function: SELECT mapApply((k, v) -> (k, arrayMap(file, v)), map('a', ['@FILE']))
function: SELECT * APPLY(file) FROM (SELECT '@FILE')
function: SELECT * APPLY file FROM (SELECT '@FILE')
function: SELECT * APPLY(`file`) FROM (SELECT '@FILE')
function: SELECT * APPLY(x -> file(x)) FROM (SELECT '@FILE')
function: SELECT * APPLY x -> file(x) FROM (SELECT '@FILE')
function: SELECT COLUMNS('s') APPLY(file) FROM events
function: SELECT events.* APPLY(file) FROM events
function: SELECT * REPLACE(file('@FILE') AS s) FROM events
function: SELECT COLUMNS(file) APPLY file FROM (SELECT '@FILE' AS file)
syntax: SELECT {'a': file('@FILE')}['a']
function: SELECT [file('@FILE')]
function: SELECT (file('@FILE'), 1).1
function: SELECT file('@FILE')::String
function: SELECT CAST(file('@FILE') AS String)
function: SELECT CASE WHEN file('@FILE') = '' THEN 1 END
function: SELECT if(1, file('@FILE'), '')
function: SELECT 1 ? file('@FILE') : ''
function: SELECT a BETWEEN length(file('@FILE')) AND 5 FROM events
function: SELECT file('@FILE') LIKE '%'
function: SELECT NOT length(file('@FILE'))
function: SELECT -length(file('@FILE'))
function: SELECT file('@FILE') IS NULL
function: SELECT file('@FILE') || 'x'
function: SELECT 1 UNION ALL SELECT length(file('@FILE'))
function: SELECT 1 EXCEPT SELECT length(file('@FILE'))
function: SELECT 1 INTERSECT (SELECT length(file('@FILE')))
function: EXPLAIN SELECT file('@FILE')
function: EXPLAIN SYNTAX SELECT file('@FILE')
function: EXPLAIN AST SELECT file('@FILE')
function: EXPLAIN QUERY TREE SELECT file('@FILE')
function: EXPLAIN PIPELINE SELECT file('@FILE')
function: EXPLAIN ESTIMATE SELECT file('@FILE')
function: DESCRIBE (SELECT file('@FILE'))
function: DESCRIBE TABLE view(SELECT file('@FILE') AS x)
function: SELECT * FROM view(SELECT file('@FILE') AS x)
function: SELECT * FROM numbers(length(file('@FILE')))
function: SELECT * FROM (VALUES (file('@FILE')))
function: SELECT * FROM values('x String', file('@FILE'))
function: SELECT a FROM events ORDER BY a WITH FILL FROM length(file('@FILE')) TO 10
function: SELECT a, s FROM events ORDER BY a WITH FILL INTERPOLATE (s AS file('@FILE'))
function: SELECT a FROM events WINDOW w AS (PARTITION BY file('@FILE'))
function: SELECT a FROM events QUALIFY file('@FILE') != ''
function: SELECT extract(file('@FILE'), '.*')
function: SELECT TRIM(BOTH file('@FILE') FROM 'x')
function: SELECT SUBSTRING(file('@FILE') FROM 1)
function: SELECT position('C' IN file('@FILE'))
function: SELECT INTERVAL length(file('@FILE')) DAY
function: SELECT catboostEvaluate('@FILE', 1)
function: SELECT naiveBayesClassifier('@FILE', 'x')
function: SELECT regionToName(1)
function: SELECT showCertificate()
function: SELECT fileIf('@FILE', 1)
function: SELECT fileOrNull('@FILE')
function: SELECT FILE('@FILE')
function: SELECT system.file('@FILE')

-- Files, by tables
table-function: SELECT * FROM file('@FILE', 'RawBLOB', 'x String')
table-function: SELECT * FROM `file`('@FILE', 'RawBLOB', 'x String')
table-function: SELECT * FROM fileCluster('default', '@FILE', 'RawBLOB', 'x String')
table-function: SELECT * FROM filesystem('@FILE')
table-function: SELECT a FROM events WHERE a IN (SELECT 1 FROM file('@FILE', 'RawBLOB', 'x String'))
table-function: SELECT a FROM events JOIN file('@FILE', 'RawBLOB', 'x String') AS f ON f.x = s
table-function: SELECT a FROM events, file('@FILE', 'RawBLOB', 'x String') AS f
table-function: DESCRIBE file('@FILE', 'RawBLOB')
table-function: DESCRIBE TABLE file('@FILE', 'RawBLOB', 'x String')
table-function: WITH f AS (SELECT * FROM file('@FILE', 'RawBLOB', 'x String')) SELECT * FROM f
table-function: SELECT * FROM view(SELECT * FROM file('@FILE', 'RawBLOB', 'x String'))
table-function: SELECT * FROM sqlite('@FILE', 't')
table-function: SELECT * FROM executable('cat', 'TSV', 'x String')
table-function: SELECT * FROM icebergLocal('@FILE')
table-function: SELECT * FROM deltaLakeLocal('@FILE')
table: SELECT * FROM '@FILE'
table: SELECT * FROM `@FILE`
table: SELECT * FROM "@FILE"
table: SELECT * FROM default.`@FILE`
table: DESCRIBE '@FILE'
construct: SELECT 'x' INTO OUTFILE '@OUT'
construct: SELECT 'x' INTO OUTFILE '@OUT' FORMAT CSV
construct: SELECT 'x' INTO OUTFILE '@OUT' TRUNCATE FORMAT CSV
construct: SELECT 'x' UNION ALL SELECT 'y' INTO OUTFILE '@OUT'
construct: SELECT * FROM events INTO OUTFILE '@OUT' APPEND FORMAT TSV
construct: (SELECT 1) INTO OUTFILE '@OUT'
construct: EXPLAIN SELECT 1 INTO OUTFILE '@OUT'
table-function: SELECT * FROM format(JSONEachRow, 'a Int8, b String DEFAULT file(\'@FILE\')', '{"a":1}')
table-function: SELECT * FROM format('JSONEachRow', 'a Int8, b String default file(\'@FILE\')', '{"a":1}')
table-function: SELECT * FROM format(JSONEachRow, 'a Int8, b String DEFAULT/**/file(\'@FILE\')', $$ {"a":1} $$)
table-function: SELECT * FROM format(JSONEachRow, concat('a Int8, b String DEF', 'AULT file(\'@FILE\')'), '{"a":1}')
table-function: SELECT * FROM format(JSONEachRow, 'a Int8, b DEFAULT file(\'@FILE\')', '{"a":1}')
table-function: SELECT b FROM generateRandom('a Int8, b String ALIAS file(\'@FILE\')') LIMIT 1
table-function: SELECT b FROM null('a Int8, b String ALIAS file(\'@FILE\')')
table-function: SELECT * FROM values('a Int8, b String DEFAULT file(\'@FILE\')', (1, 'x'))
table-function: SELECT * FROM format(Template, 'a String', 'x')
table-function: SELECT * FROM format(Protobuf, 'a String', 'x')
table-function: SELECT * FROM format(JSONEachRow, (SELECT 'a Int8'), '{"a":1}')
setting: SELECT 1 SETTINGS format_schema = '@FILE:x'
setting: SELECT 1 SETTINGS format_template_resultset = '@FILE'
setting: SELECT * FROM format(CSV, 'a String', 'x') SETTINGS format_schema = '@FILE'
function: SELECT formatRow('Template', 1)
function: SELECT formatRow(concat('CS', 'V'), 1)

-- The network
table-function: SELECT * FROM url('http://127.0.0.1:@PORT/', 'RawBLOB', 'x String')
table-function: SELECT * FROM urlCluster('default', 'http://127.0.0.1:@PORT/', 'RawBLOB', 'x String')
table-function: SELECT * FROM s3('http://127.0.0.1:@PORT/b/k', 'CSV', 'x String')
table-function: SELECT * FROM s3Cluster('default', 'http://127.0.0.1:@PORT/b/k', 'CSV', 'x String')
table-function: SELECT * FROM gcs('http://127.0.0.1:@PORT/b/k', 'CSV', 'x String')
table-function: SELECT * FROM remote('127.0.0.1:@PORT', system.one)
table-function: SELECT * FROM remote('127.0.0.1:@PORT', 'system', 'one')
table-function: SELECT * FROM remoteSecure('127.0.0.1:@PORT', system.one)
table-function: SELECT * FROM mysql('127.0.0.1:@PORT', 'd', 't', 'u', 'p')
table-function: SELECT * FROM postgresql('127.0.0.1:@PORT', 'd', 't', 'u', 'p')
table-function: SELECT * FROM mongodb('127.0.0.1:@PORT', 'd', 't', 'u', 'p', 'x String')
table-function: SELECT * FROM redis('127.0.0.1:@PORT', 'k', 'k String, v String')
table-function: SELECT * FROM jdbc('jdbc:x', 't')
table-function: SELECT * FROM odbc('DSN=x', 't')
table-function: SELECT * FROM hdfs('hdfs://127.0.0.1:@PORT/f', 'CSV', 'x String')
table-function: SELECT * FROM azureBlobStorage('http://127.0.0.1:@PORT/', 'c', 'b')
table-function: SELECT * FROM deltaLake('http://127.0.0.1:@PORT/b')
table-function: SELECT * FROM iceberg('http://127.0.0.1:@PORT/b')
table-function: SELECT * FROM hudi('http://127.0.0.1:@PORT/b')
table-function: SELECT * FROM ytsaurus('http://127.0.0.1:@PORT', '//t', 't')
table-function: SELECT * FROM cluster('default', system.one)
table-function: SELECT * FROM clusterAllReplicas('default', system.one)
function: SELECT aiGenerate('http://127.0.0.1:@PORT', 'x')
function: SELECT aiEmbed('x')
setting: SELECT 1 SETTINGS proxy_http = 'http://127.0.0.1:@PORT'

-- Tables of others, and their names
table: SELECT * FROM hidden
table: SELECT * FROM work.hidden
table: SELECT * FROM `work`.`hidden`
table: SELECT * FROM "hidden"
table: SELECT * FROM `hid\x64en`
table: SELECT * FROM events JOIN hidden ON 1
table: SELECT * FROM events, hidden
table: SELECT * FROM events PASTE JOIN hidden
table: SELECT * FROM (events JOIN hidden ON 1)
table: SELECT * FROM events AS hidden, hidden AS h
table: SELECT (SELECT secret FROM hidden)
table: SELECT exists(SELECT secret FROM hidden)
table: SELECT 1 WHERE EXISTS (SELECT 1 FROM hidden)
table: SELECT a FROM events WHERE s = (SELECT secret FROM hidden)
table: SELECT a FROM events WHERE s = ANY(SELECT secret FROM hidden)
table: SELECT a FROM events WHERE s IN (SELECT secret FROM hidden)
table: SELECT 'x' IN hidden
table: SELECT 'x' IN (hidden)
table: SELECT 'x' IN ((hidden))
table: SELECT 'x' NOT IN hidden
table: SELECT 'x' GLOBAL IN hidden
table: SELECT 'x' GLOBAL NOT IN hidden
table: SELECT 'x' IN work.hidden
table: SELECT 'x' IN `work`.`hidden`
table: SELECT 'x' IN (hidden AS h)
table: SELECT arrayMap(x -> x IN hidden, ['y'])
table: SELECT ('x', 1) IN hidden
table: SELECT 'x' IN `hid\x64en`
function: SELECT in('x', hidden)
function: SELECT notIn('x', hidden)
function: SELECT globalIn('x', hidden)
function: SELECT nullIn('x', work.hidden)
function: SELECT arrayMap(x -> in(x, hidden), ['y'])
table: SELECT (WITH hidden AS (SELECT 1 AS secret) SELECT 5), secret FROM hidden
table: (WITH hidden AS (SELECT 1 AS x) SELECT x FROM hidden) UNION ALL SELECT 1 FROM hidden
table: SELECT '' UNION ALL (WITH hidden AS (SELECT 'h' AS secret) SELECT secret FROM hidden) UNION ALL SELECT secret FROM hidden
table: SELECT '' UNION ALL WITH hidden AS (SELECT 'h' AS secret) SELECT secret FROM hidden UNION ALL SELECT secret FROM hidden
table: SELECT * FROM view(WITH hidden AS (SELECT 1 AS x) SELECT 5) AS v, hidden
table: SELECT * FROM (WITH hidden AS (SELECT 1 AS x) SELECT x FROM hidden) AS v, hidden
table: WITH hidden AS (SELECT secret FROM hidden) SELECT secret FROM hidden
table: WITH a AS (SELECT secret FROM hidden) SELECT * FROM a
table: WITH 1 AS hidden SELECT * FROM hidden
table: SELECT 1 AS hidden FROM hidden
table: WITH a AS (WITH hidden AS (SELECT 1) SELECT 2) SELECT * FROM hidden
table: SELECT (SELECT 1 AS hidden), 'x' IN hidden
table: SELECT joinGet('hidden_lookup', 'secret', toUInt8(1))
table: SELECT joinGet('work.hidden_lookup', 'secret', toUInt8(1))
table: SELECT joinGetOrNull('hidden_lookup', 'secret', toUInt8(1))
function: SELECT joinGet(concat('hidden_', 'lookup'), 'secret', toUInt8(1))
function: SELECT joinGet(hidden_lookup, 'secret', toUInt8(1))
function: SELECT joinGet(work.hidden_lookup, 'secret', toUInt8(1))
table: SELECT joinGet('h\x69dden_lookup', 'secret', toUInt8(1))
table: SELECT joinGet($$hidden_lookup$$, 'secret', toUInt8(1))
function: SELECT arrayMap(joinGet, ['hidden_lookup'], ['secret'], [toUInt8(1)])
table: SELECT dictGet('hidden', 'secret', 1)
table: SELECT dictGetOrDefault('hidden', 'secret', 1, 'x')
table: SELECT dictHas('hidden', 1)
function: SELECT dictGet(concat('hid', 'den'), 'secret', 1)
function: SELECT dictGetString(name, 'secret', 1) FROM users
function: SELECT hasColumnInTable('work', 'hidden', 'secret')
table-function: SELECT * FROM merge('work', '.*')
table-function: SELECT * FROM merge('hid.*')
table-function: SELECT * FROM loop(hidden)
table-function: SELECT * FROM loop(work, hidden)
table-function: SELECT * FROM dictionary('hidden')
table-function: SELECT * FROM mergeTreeIndex(work, hidden)
table-function: SELECT * FROM mergeTreeProjection(work, hidden, p)
syntax: SELECT * FROM viewIfPermitted(SELECT * FROM hidden ELSE null('x String'))
table-function: SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM hidden))
table-function: SELECT * FROM eval('SELECT * FROM hidden')
table-function: SELECT * FROM fuzzQuery('SELECT * FROM hidden')
table-function: SELECT * FROM input('x String')
table-function: SELECT * FROM hidden(a = 1)
table: SELECT * FROM system.tables
table: SELECT name FROM system.columns
table: SELECT * FROM system.processes
table: SELECT * FROM system.settings
table: SELECT * FROM system.parts
table: SELECT * FROM system.query_log
table: SELECT * FROM `system`.`users`
table: SELECT * FROM system.one JOIN system.tables ON 1
table: SELECT 'hidden' IN system.tables
table: SELECT * FROM INFORMATION_SCHEMA.TABLES
table: SELECT * FROM information_schema.columns
table: SELECT * FROM default.anything
table: DESCRIBE TABLE hidden
table: DESCRIBE work.hidden
table: DESCRIBE (SELECT * FROM hidden)
table: EXPLAIN SELECT * FROM hidden
table: EXPLAIN ESTIMATE SELECT * FROM hidden
table: EXPLAIN indexes = 1 SELECT * FROM hidden
table: EXPLAIN SYNTAX SELECT * FROM hidden
table: EXPLAIN EXPLAIN SELECT * FROM hidden
table: SELECT * FROM {name:Identifier}
table: SELECT * FROM work.{name:Identifier}
construct: SELECT 'x' IN {name:Identifier}
construct: SELECT {name:Identifier}
construct: SELECT 'x' IN {name:`Identifier`}
setting: SELECT * FROM events SETTINGS additional_table_filters = {'events': 'file(\'@FILE\') != \'\''}
setting: SELECT * FROM (SELECT * FROM events SETTINGS additional_table_filters = {'events': '1'})
setting: SELECT * FROM events SETTINGS additional_result_filter = 'file(\'@FILE\') != \'\''
setting: SELECT * FROM events SETTINGS table_function_remote_max_addresses = 5

-- The server and what it is set up with
function: SELECT getSetting('max_threads')
function: SELECT getSettingOrDefault('x', 1)
function: SELECT getServerSetting('max_connections')
function: SELECT getMacro('x')
function: SELECT hostName()
function: SELECT hostname()
function: SELECT FQDN()
function: SELECT fullHostName()
function: SELECT serverUUID()
function: SELECT currentUser()
function: SELECT user()
function: SELECT currentDatabase()
function: SELECT DATABASE()
function: SELECT queryID()
function: SELECT tcpPort()
function: SELECT getServerPort('tcp_port')
function: SELECT buildId()
function: SELECT uptime()
function: SELECT filesystemAvailable()
function: SELECT getOSKernelVersion()
function: SELECT addressToLine(1)
function: SELECT demangle('x')
function: SELECT addressToSymbol(1)
function: SELECT arrayMap(hostName, [1])
function: SELECT flameGraph(1)
construct: SELECT @@version
construct: SELECT @@max_allowed_packet
function: SELECT globalVariable('version')
construct: EXPLAIN CURRENT TRANSACTION

-- What holds or harms the server
function: SELECT sleep(3)
function: SELECT sleepEachRow(1) FROM numbers(10)
function: SELECT SLEEP(1)
function: SELECT generateSerialID('x')
function: SELECT logTrace('x')
function: SELECT aggThrow(0.5)(a) FROM events
function: SELECT arrayReduce('aggThrow(0.9)', [1])
function: SELECT arrayReduce('aggThrowIf', [1], [1])
function: SELECT initializeAggregation('flameGraph', 1)
function: SELECT arrayReduce(concat('su', 'm'), [1])
function: SELECT arrayReduce('file', ['@FILE'])
table-function: SELECT * FROM generateRandom('a Array(String)', 1, 100000000, 100000000)
setting: SELECT 1 SETTINGS max_threads = 100000
setting: SELECT 1 SETTINGS max_execution_time = 0
setting: SELECT 1 SETTINGS max_memory_usage = 0
setting: SELECT 1 SETTINGS readonly = 0
setting: SELECT 1 SETTINGS enable_analyzer = 0
setting: SELECT 1 SETTINGS allow_experimental_analyzer = 0
setting: SELECT 1 SETTINGS allow_introspection_functions = 1
setting: SELECT 1 SETTINGS timeout_overflow_mode = 'break'
setting: SELECT 1 SETTINGS allow_experimental_eval_table_function = 1
setting: SELECT 1 SETTINGS session_timezone = 'No/Where'
setting: SELECT 1 SETTINGS custom_x = 1
setting: SELECT 1 SETTINGS query_plan_max_optimizations_to_apply = 1
setting: SELECT 1 SETTINGS max_threads = {p:UInt8}
setting: SELECT (SELECT 1 SETTINGS max_execution_time = 0)
setting: SELECT * FROM view(SELECT 1 SETTINGS readonly = 0)
setting: SELECT 1 UNION ALL SELECT 2 SETTINGS allow_ddl = 1
setting: EXPLAIN file = 1 SELECT 1
setting: SELECT 1 SETTINGS `max\x5fthreads` = 4

-- Other statements, and several
statement: SELECT 1; SELECT 2
statement: SELECT 1; DROP TABLE events
statement: SELECT 1;;SELECT 2
statement: SELECT 1 PARALLEL WITH SELECT 2
statement: INSERT INTO events SELECT 1, 'x'
statement: INSERT INTO FUNCTION file('@OUT', 'CSV', 'x String') SELECT 'x'
statement: INSERT INTO events VALUES (1, 'x')
statement: DROP TABLE events
statement: TRUNCATE TABLE events
statement: ALTER TABLE events DELETE WHERE 1
statement: CREATE TABLE x (a Int8) ENGINE = Memory
statement: CREATE TABLE x ENGINE = Memory AS SELECT 1
statement: CREATE VIEW x AS SELECT 1
statement: CREATE FUNCTION f AS x -> x
statement: RENAME TABLE events TO x
statement: EXCHANGE TABLES events AND hidden
statement: ATTACH TABLE x
statement: DETACH TABLE events
statement: OPTIMIZE TABLE events
statement: SYSTEM SHUTDOWN
statement: SYSTEM KILL
statement: SYSTEM FLUSH LOGS
statement: KILL QUERY WHERE 1
statement: SET max_threads = 1
statement: USE system
statement: SHOW TABLES
statement: SHOW CREATE TABLE hidden
statement: SHOW PROCESSLIST
statement: EXISTS TABLE hidden
statement: CHECK TABLE events
statement: GRANT ALL ON *.* TO default
statement: CREATE USER x
statement: BACKUP TABLE events TO File('@OUT')
statement: BEGIN TRANSACTION
construct: EXPLAIN INSERT INTO events SELECT 1, 'x'
construct: EXPLAIN AST DROP TABLE events
syntax: SELECT
syntax: SELECT (1
syntax: SELECT 'open
syntax: SELECT 1 /* open
syntax: SELECT `open
syntax: SELECT $$open
syntax: SELECT 1 FROM events WHERE
syntax: SELECT 1 FORMAT JSON UNION ALL SELECT 2
syntax: SELECT (SELECT 1 FORMAT JSON)
syntax: SELECT * FROM (SELECT 1 INTO OUTFILE '@OUT')
format: SELECT 1 FORMAT Template
format: SELECT 1 FORMAT Protobuf
format: SELECT 1 FORMAT `CS\x56`
format: SELECT 1 FORMAT MySQLWire
construct: SELECT {{x}}
construct: SELECT 1 {% if a %} , 2 {% end %}
syntax: a UInt8, b String
syntax: 1 + 1
