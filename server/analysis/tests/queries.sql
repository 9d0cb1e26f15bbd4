-- Queries, one a line, over these tables. `queries.rs` writes down what we say of each; `cargo xtask semantic-eval` on this
-- file asks the engine.
-- table a: k UInt32, x String, n Nullable(Int32), arr Array(UInt8), tup Tuple(p Int8, q String), ts DateTime, m Map(String, UInt8), nest.u Array(UInt8), nest.v Array(String)
-- table b: k UInt64, x String, y Float64

select k as x, x from a
select x as k, k+1 as z from a
select a.k, b.k from a join b on a.k=b.k
select * from a join b on a.k=b.k
select * from a join b using k
select * from a left join b using k
select k from a join b on a.k=b.k
select k, x from a join b using k
select x from a join b using k
select a.x, b.x from a join b using k
select b.k from a join b using k
select t.k from a as t
select a.k from a as t
select default.a.k from a
select k from (select k from a) s join b on s.k=b.k
select s.* from (select k, x from a) s
select s.k from (select a.k from a join b using k) s
select a.k from (select a.k, b.k from a join b using k)
select `a.k` from (select a.k, b.k from a join b on a.k=b.k)
select b.k from (select a.k, b.k from a join b on a.k=b.k)
select * from (select a.k, b.k from a join b on a.k=b.k)
select tup.p, tup.1, tup.zz from a
select tup.p, tup.1 from a
select nest.u, nest.v from a
select nest.zz from a
select nest from a
select m.keys, m.values, n.null, arr.size0 from a
select a.tup.p, a.nest.u from a
select a.tup.p from a join b using k
select * except (k) from b
select * except k from b
select * except (zz) from b
select * except strict (zz) from b
select * replace (y+1 as y) from b
select * replace (y+1 as zz) from b
select * apply(toString) from b
select columns('k|x') from b
select columns('zz') from b
select b.columns('k') from b
select count() c, k from a
select count() c, k+1 from a group by k
select k+1, k+1+2 from a group by k+1
select k*2 from a group by k+1
select x, sum(k) from a group by 1
select x, sum(k) as s from a where s > 1 group by x
select sum(sum(k)) from a
select sum(k) over () from a
select sum(sum(k)) over () from a group by x
select x from a group by k
select any(x) from a having k > 1
select k from a where sum(k) > 1
select y from a where exists (select 1 from b where b.k = a.k)
select k, (select y from b where b.k = a.k) from a
select k, (select max(y) from b) z from a
select (select 1, 'a') t
with 1 as one, (select max(k) from a) as mk select one, mk, k+mk from a
with k+1 as kk select kk from a
with c as (select k from a) select * from (select * from c)
with 1 as one select * from (select one)
select arrayMap(e -> e + k, arr) from a
select arrayMap((e, i) -> e + i, arr, arrayEnumerate(arr)) from a
select e from a array join arr as e
select arr from a array join arr
select arr, e from a array join arr as e
select nest.u, e from a array join nest.u as e
select nest.u, nest.v from a array join nest
select n2.u from a array join nest as n2
select zz from a array join zz
select 1 union all select 'a'
select 1 union all select null
select 1 as a, 2 as b union all select 3, 4, 5
select 1 as p union all select 2 as q
select k from a union all select y from b
select k from a where k in (select k, x from b)
select k in (1,'a') from a
select k from a where k = 'abc'
select k from a where x = 1
select k from a where ts > '2024-01-01'
select k from a where ts > 'garbage'
select k from a where ts > now() - interval 1 day
select k from a join b on a.x = b.k
select k from a where x in (1,2)
select a.k from a join b on a.k=b.k and a.x = b.zz
select k as kk from a where kk = 1 order by kk limit 1
select k from a order by zz
select zz.k from a
select k from a, b
select a.k, b.k from a, b
select count(*) , count(1), count(distinct k) from a
select k AS v, v + 1 AS w, w*2 from a
select v + 1 AS w, k as v from a
select k + 1 as k from a where k = 3
select if(k>1, 'a', null) i, multiIf(k>1, 1, 2.5) mi, coalesce(n, 0) co from a
select _zz from a
select x.size from a
select 1 as s, s as r from a group by all
select toStartOfHour(ts) as ts, count() from a group by ts
select toStartOfHour(ts) as h, count() from a group by h having h > now() order by h
select max(k) as k from a where k > 1
select max(k) as k, k+1 from a
select sum(k) as s, s / count() as avg_ from a
select k from a where (k, x) in (select k, x from b)
select distinct on (k) k, x from a
select k, row_number() over (partition by x order by k) rn from a qualify rn = 1
select k, sum(k) over w from a window w as (partition by x)
select k, sum(k) over w2 from a window w as (partition by x)
select k from a limit 1 by x
select k from a limit 1 by zz
select * from numbers(10)
select t1.k from a t1 asof join b t2 on t1.x = t2.x and t1.k >= t2.k
select t2.k from a t1 left join b t2 on t1.x = t2.x
select k from a t1 left semi join b t2 on t1.x = t2.x
select k from a global join b using (k)
select k from a join b using (zz)
select k from a join (select k as j from b) on k = j
select k from a join (select k as j, zz from b) on k = j
select b.k + 1, a.k+1, a.x || b.x, b.y*2 from a join b on a.k=b.k
select tup.p + 1, nest.u[1] from a
select tup.p + 1, a.tup.p from a
select a.k, b.k, c.k, k from a join b on a.k=b.k join b c on c.k = b.k
select x from a join b on a.k=b.k join b c on c.k = b.k
select y from a join b on a.k=b.k join b c on c.k = b.k
select y from a join b using k join b c using k
select * from a join b using k join b c using k
select k from a group by (k, x)
select k, x from a group by (k, x)
select k, count() from a group by grouping sets ((k), (x))
select k, x, count() from a group by k, x with rollup
with zz + 1 as unused select k from a
with unused as (select zz from a) select k from a
with unused as (select zz from nosuch) select k from a
select k from a where k in (select zz from b)
with c as (select k from a) select * from c c1 join c c2 on c1.k = c2.k
with c as (select k, x from a) select c.k from c as cc
with c(p, q) as (select k, x from a) select p, q from c
select * from (select k as a1, x from a) as s(c1, c2)
select a.* , b.y from a join b using k
select k from a as x1 join b as x2 on x1.k = x2.k where x1.x = 'a' and y > 1
select a.x from a as t join b on t.k=b.k
select 1 as k, k from a
select x as k, a.k from a
select max(k) as m from a having m > 1 order by m
select k as a1, a1 + 1 as a2, a2 from a where a2 > 3 group by k
select lower(x) as x, count() from a group by x
select lower(x) as xx, count() from a group by lower(x)
select x, count() from a group by lower(x) as x
select toDate(ts) d, count() from a group by d having d > today()
select toDate(ts) d, ts from a group by d
select arrayMap(z -> z + k, groupArray(n)) from a group by k
select arrayMap(z -> z + k, groupArray(n)) from a
select sum(k) filter (where x = 'a') f from a
select sumIf(k, x='a') / sum(k) as r from a
select countIf(x) from a
select sum(x) from a
select avg(ts), max(arr), quantile(0.5)(k), quantiles(0.5,0.9)(k), uniq(x,k), topK(3)(x), argMax(x, ts), groupArray(k), any(tup) from a
select nosuch(k) from a
select LOWER(x), tostring(k), toString(k), Sum(k), SUM(k), now64(), UPPER(x), dateDiff('day', ts, now()) from a
select toDateTime(x, 'UTC'), toDateTime64(ts, 3), toDecimal64(k, 2), toStartOfInterval(ts, interval 1 hour), toStartOfInterval(ts, interval 1 month), ts + interval 1 day, ts - ts, toDate(ts) + 1 from a
select substring(k, 1, 2) from a
select if(x, 1, 2) from a
select x + 1 from a
select k and x from a
select not x from a
select arr[1], arr['a'] from a
select m['a'], m[1] from a
select case when k > 1 then 'a' else x end c1, case k when 1 then 'a' end c2 from a
select cast(k as String), k::Float64, cast(k, 'Nullable(Int8)') from a
select row_number() from a
select lag(k) over (order by k), first_value(x) over (), rank() over (order by k), sum(n) over () from a
select x in ('a','b'), k in [1,2], k not in (1), x in (select x from b), k in b from a
select tuple(k, x).1, (k, x).2, tuple(k as z, x).z from a
select untuple(tup) from a
select untuple((k, x)) from a
select arrayJoin(arr) as e, e + 1 from a
select formatDateTime(ts, '%F'), toStartOfMonth(ts), toYYYYMM(ts), toHour(ts), toUnixTimestamp(ts), dateTrunc('day', ts), date_trunc('month', ts) from a
select k from a order by sum(k)
select x, sum(k) from a group by x order by k
select x, sum(k) from a group by x limit 1 by k
select x, sum(k) s from a group by x having s > 1 and x != '' order by s desc, x
select count() from a where k = 1 having count() > 1
select k from a qualify row_number() over (order by k) = 1
select k, count() from a group by k having x = 'a'
select exists(select 1 from a) e, (select 1) o, (select k from a limit 1) l
select k from a intersect select k from b
select k from a except select x from b
select * from a union all select * from b
select * from (select 1 as one) join (select 2 as two) on 1=1
select one from (select 1 as one) x1, (select 1 as one) x2
select x1.one, x2.one from (select 1 as one) x1, (select 1 as one) x2
select k from a prewhere x = 'a' where n is null
select k from a array join arr as e, [1,2] as f where e = f
select k from a left array join arr as e where e > 0
select k from a array join m.keys as mk, m.values as mv
select m from a array join mapKeys(m) as mk
select s.e from (select arr from a) s array join arr as e
select count(k, x) from a
select count(distinct x, k) from a
select uniqState(x) us, sumState(k) ss, countState() cs, avgState(k) av, argMaxState(x, ts) am, uniqIfState(x, k=1), quantilesState(0.5,0.9)(k), sumSimpleState(k), anySimpleState(x), maxSimpleState(k) from a
select sumMerge(ss), countMerge(cs), finalizeAggregation(ss) from (select sumState(k) ss, countState() cs from a)
select avgMerge(ss) from (select sumState(k) ss, countState() cs from a)
select sum(ss) from (select sumState(k) ss from a)
select LOWER(x), UPPER(x), COUNT(*), Sum(k), IF(1,2,3) from a group by x
select n in (1), k in (1), (k, n) in ((1,2)) from a
select k from a, b, b c
select x from a, b
select x from a cross join b
select y from a, b, b c
select k from a join b on k = y
select x1.k from (select k from a) x1 join (select k, 'z' as z from b) x2 using k where z = 'z'
select if(n, 1, 2), n + 1, n = 1, not n, n and 1, toString(n), n::String, ifNull(n,'a'), coalesce(n, 1.5), nullIf(k, 1), assumeNotNull(n), isNull(n) from a
select count() from a where z1 > 1
select s from (select sum(k) s from a) where s > 1
with (select max(k) from a) as m select x from a where k = m
with x as y1 select y1 from a
with 'a' as p1, k > 1 as cond select p1 from a where cond
select k from a where k = one
with 1 as one select k from a where k in (select one)
select k as one, x in (select x from b where k = one) from a
select k as one, x in (select x from b where y = one) from a
select * from (select k from a where ts > bb.y) t, b bb
select x from a where k in (select b.k from b where b.x = a.x)
select x, (select count() from b where b.x = x) from a
select k x2 from a union all select x2 from (select 1 as x2)
with c as (select 1 as q1) select q1 from c union all select q1 from c
select (select k from a), 1
select sum(k) as k, k + 1 from a
select k, sum(k) k2 from a group by k order by k2 with fill
select arrayMap(k -> k + 1, arr), k from a
select arrayMap(i -> (i as ii), arr), ii from a
select sum(k + 1 as kp), kp from a
select sum(k + 1 as kp), kp from a group by kp
select x from a order by 2
select x from a group by 2
select x, count() from a group by x order by 3
select tup.* from a
select a.* from a t
select z.* from a
select count(*) from a join b using k
select min(*) from b
select COLUMNS(k, x) from a
select toInt32('5') + k, toInt32('5') = k from a
select k from a limit toInt32('5') offset 1
select k, dense_rank() over (partition by zz) from a
select countIf(k > 1 and zz = 2) from a
select groupArray((k, x)) g, arrayMap(t -> t.1, g) p1, arrayMap(t -> t.2, g), arrayFilter(t -> t.2 = 'a', g) from a
select arrayMap((p, q2) -> p + q2, [(1,2)])
select arrayMap(t -> t.zz, groupArray(tup)) from a
select JSONExtractString(x, 'a'), JSONExtract(x, 'a', 'Array(String)'), JSONExtractInt(x,'b'), visitParamExtractString(x, 'c'), JSONExtractRaw(x,'a') from a
select bar(k, 0, 10), map('a', k), mapKeys(m), mapValues(m), arraySort(t -> -t, arr), arrayReduce('sum', arr), arrayElement(arr, 1), has(arr, 1) from a
select now() as n1, today() t1, yesterday(), now('UTC'), toTimeZone(ts, 'Europe/Madrid'), toDateTime('2024-01-01'), toDate('2024-01-01'), parseDateTimeBestEffort(x), fromUnixTimestamp64Milli(toInt64(k)) from a
select ts > '2024-01-01 00:00:00', toDate(ts) = '2024-01-01', ts between '2024-01-01' and '2024-02-01' from a
select k from a where toDate(ts) >= toDate(x)
select x = n from a
select ts = x from a
select arr = x from a
select ts > k from a
select k > y from a join b using k
select x > 'a', x like '%a', k like 'a' from a
select date_diff('day', ts, toDate(ts)) from a
select any_value(k), last_value(k), anyLast(k), first_value(x), argMin(x, ts), groupUniqArray(x), uniqExact(x), stddevPop(k), corr(k, k), sumMap(arr, arr), minMap(m), windowFunnel(10)(ts, x='a', x='b'), retention(k=1,k=2), sequenceMatch('(?1)(?2)')(ts, k=1, k=2), simpleLinearRegression(k, k), entropy(x), quantileTDigest(k), median(k) from a
select * from a array join arr as e
select * from a array join arr
select * from (select x, k from a) a1 join b using k
select (select arr from a) z1, (select tup from a) z2, (select m from a) z3, (select toLowCardinality(x) from a) z4
select (select toNullable(k) from a) z1, (select k, x from a) z2, (select sumState(k) from a) z3
select toTypeName(k in (select k from b)) from a limit 0
select arr in ([1,2]), tup in ((1,'a')), toLowCardinality(x) in ('a'), toLowCardinality(toNullable(x)) in ('a') from a
select exists(select 1)
select k from a union all select n from a
select toDate(ts) from a union all select ts from a
select ts from a union all select toDateTime64(ts, 3) from a
select x from a union all select toFixedString(x, 3) from a
select x from a union all select toLowCardinality(x) from a
select k from a union all select toInt8(k) from a
select toUInt64(k) from a union all select toInt8(k) from a
select toUInt64(k) from a union all select y from b
select arr from a union all select [1,2,300]
select arr from a union all select []
select x as p from a order by p, sum(k) over (partition by x)
select max(k) from a where k in (select max(k) from b)
select k from a where (select max(k) from b) > k
select lambda1 from a
select arrayMap(x -> x, arr) as x, x[1] from a
select k AS "quoted name", `quoted name` + 1 from a
select "k" from a
select K from a
select a.k k1, k1 k2, k2 + 1 from a
select max(k) mx, mx / count() from a having mx > 3
select sumIf(k, x = 'a') as s1, s1 / sum(k) s2, s2 * 100 s3 from a where s1 > 3
select k, x from a group by k, toString(x)
select concat(x, 'a'), upper(concat(x, 'a')) from a group by concat(x, 'a')
select k % 10 b1, count() from a group by b1 order by b1
select toStartOfDay(ts) d, sum(k), d + 1 from a group by toStartOfDay(ts)
select tup.p, count() from a group by tup
select tup, count() from a group by tup.p
select nest.u, count() from a group by nest.u
select if(k = 1, x, 'z') from a group by k, x
select count() from a group by 1+1
select 'a' as c, count() from a group by c
select x, count() from a group by x with totals having count() > 1
select x from a group by all
select x, y, count() from a join b using k group by x
select a.x from a join b using k group by x
select x from a join b using k group by a.x
select a.k from a join b using k group by k
select k from a join b using k group by a.k
select b.k from a join b using k group by k
select distinct x from a order by k
select grouping(x), x from a group by grouping sets ((x),(k))
select k from a where x global in (select x from b)
select k from a where k not in b
select k from a where k in nosuch
select k from a where k in x
select k from a where k in arr
select k in (select k, x from b) from a
select argMax(x, ts) as x, count() from a group by k having x != ''
select k, any(x) as x from a where x = 'a' group by k
select k, anyIf(x, x != '') as x from a group by k
select * from a, numbers(3)
select * from a cross join numbers(3)
select k, number from a, numbers(3), b c
select k from a, (select 1 as one)
select k from a join numbers(3) on number = k
select k from a join (select 1 as one) on one = k
select * from (select 1 as one) s2, numbers(3)
select e.ts from a as e join a as u on e.k = u.x
select x = 1 from a
select k = x, k < x from a
select n = x, x = n from a
select count() from a where x > 5
select countIf(x = 1) from a
select toString(k) = 1 from a
select toString(1) = k from a
select if(0, x = 1, 2) from a
select 1 from a where 0 and x = 1
select 1 from a where k = 1 and x = 1
select arrayFilter(v -> v = 1, [x]) from a
with c as (select '5' as x) select * from c where x = 5
select k = 'x', k = '5', k = '-5' from a
select n = 'x' from a
select k in ('1', 'x') from a
select k in ['x'] from a
select (k, x) in (('x', 1)) from a
select x in (1, 2) from a
select ts > 'yesterday', ts > '2026-01-01' from a
select if(1, 1, k in ('x')) from a
select x between 1 and 3 from a
select case when x = 1 then 1 else 2 end from a
select case x when 1 then 1 else 2 end from a
select 1 from a join (select x as k from b) c using k
select 1 from a join b on a.k = b.x
select 1 from a join b on a.arr = b.k
select k from a union all select x from b
select k from a union all select k from b
select ts from a union all select today() from b
select k from a settings max_thread = 1
select k from a settings join_use_nulls = 'x'
select k from a settings max_threads = 2, join_use_nulls = 1, max_execution_time = '10'
select arr in (1), arr in ([1]), arr in ([1], [2]) from a
select (k, x) in (1, 'a'), (k, x) in ((1, 'a'), (2, 'b')) from a
select toDate32(ts) = 1, toDate32(ts) = today() from a
select count() from a prewhere x = 1
select count() from a prewhere k in ('x')
select 1 from a join b on a.k = b.k and a.x = 1
select 1 from a where k in ('x') or 1
select k from (select k, x = 1 as y from a)
select k from (select k from a where x = 1)

-- What is the same in every row: a dictionary column beside it gives a dictionary, beside anything else it does not.
-- table c: l LowCardinality(String), ln LowCardinality(Nullable(String)), s String, n Nullable(Int64), d DateTime, st AggregateFunction(sum, Int64), dy Dynamic
select concat(l, 'x') as one, concat(l, s) as two, concat(l, upper('x')) as three from c
select concat(l, toString(now())) as one, concat(l, toString(rand())) as two from c
select concat(l, any(s)) as x from c group by l
select concat(l, x) as one from (select l, 'x' as x from c)
with 'x' as k select concat(l, k) as one, l = k as two from c
select concat(l, (select 'x')) as one from c
select (select 1, 2) as two, (select l, n from c) as pair, (select tuple(n) from c) as one
select count(*), countIf(*, l = 'a'), countState(*), uniq(*), count(distinct *) from c
select tuple(*) as all from c
select row_number() over (partition by l order by d) as r, lagInFrame(l) over () as before from c
select l from c order by st
select l, row_number() over (order by tuple(st)) as r from c
select l, row_number() over (partition by dy) as r from c
select distinct st from c limit 1 by st
select l from c limit 1 by dy

-- Lambdas with names, quantified comparisons, elements of tuples that ARRAY JOIN unfolds, one row of several columns.
-- table j: doc JSON, items Array(Tuple(sku String, n UInt32)), t Nullable(String), v Variant(String, UInt64)
with (p, q) -> p + q as f select f(k, 1) from a
select k from a where k = any(select k from b)
select i.sku, i.n * 2 as twice from j array join items as i
select i.nope from j array join items as i
with (select count() as c, max(x) as m from a) as t select t.1, t.c, t.m
select * replace (nope as zz) from b
select doc.a.:String, doc.b.:Int64 + 1, doc.c[].d, doc.^e, doc.l.:`Array(JSON)` from j
select arrayMap(i -> i.sku, items), items[1].sku from j
select JSONExtract(t, 'x', 'Array(String)') from j
select JSONExtractArrayRaw(t) from j
select runningDifference(k) from a
select v.String, variantType(v) from j
select k, count() c from a group by k order by k with fill interpolate (c as c + 1)
select toDateTime64OrNull(x, 6), timeSlots(toDateTime(ts), toUInt32(600)), tuplePlus((1, 2), (3, 4)), dotProduct((1, 2), (3, 4)) from a
with recursive t(n) as (select 1 union all select n + 1 from t where n < 10) select sum(n) from t
select dateadd(qq, 1, ts), dateadd(wk, 1, ts) from a
select (select max(k) from b) + k as f from a group by (select max(k) from b) + k order by f
