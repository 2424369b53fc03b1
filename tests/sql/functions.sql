\set VERBOSITY verbose

SELECT 1 + 2 * 3 AS n, 7 / 2 AS d, -7 / 2 AS nd, 7 % 3 AS m, -7 % 3 AS nm, 2 ^ 10 AS p;

SELECT 0.1 + 0.2 AS n, 0.1::float8 + 0.2::float8 AS f, 1.0 / 3 AS t, 10::numeric / 4 AS q;

SELECT round(2.5), round(-2.5), round(2.5::float8), round(3.14159, 2), trunc(3.99), ceil(1.1), floor(-1.1);

SELECT abs(-3), sign(-2.0), sqrt(2.0), sqrt(2.0::float8), power(2, 0.5), exp(1.0), ln(10.0), log(100.0);

SELECT 123456789012345678901234567890 * 987654321 AS big, 1e400::numeric > 1 AS huge;

SELECT 'NaN'::numeric, 'Infinity'::float8, '-inf'::float4, 1e20::float4, 1.5e-10::float8;

SELECT 1 / 0;

SELECT 2147483647 + 1;

SELECT 9223372036854775807 + 1;

SELECT 32767::int2 + 1::int2;

SELECT 'x'::int;

SELECT '99999999999'::int;

SELECT sqrt(-1);

SELECT gcd(12, 18), lcm(4, 6), factorial(20), div(17, 5), mod(17, 5), width_bucket(5, 0, 10, 4);

SELECT 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4, -8 >> 1;

SELECT upper('abc'), lower('ABC'), initcap('hello world'), length('grün'), octet_length('grün'), char_length('abc');

SELECT substr('hello', 2, 3), substring('hello' FROM 2), substring('foobar' FROM 'o(.)b'), left('hello', -1), right('hello', 2);

SELECT position('l' IN 'hello'), strpos('hello', 'z'), replace('aXbX', 'X', '--'), translate('abc', 'ab', 'x'), reverse('abc');

SELECT trim('  a '), ltrim('xxa', 'x'), btrim('xyaxy', 'xy'), lpad('7', 3, '0'), rpad('a', 3, '.'), repeat('ab', 3);

SELECT split_part('a,b,c', ',', 2), split_part('a,b,c', ',', -1), concat('a', NULL, 1), concat_ws('-', 'a', NULL, 'b'), 'a' || 1;

SELECT format('%s %I %L %%', 'a', 'B c', 'it''s'), quote_ident('A'), quote_literal('x''y'), quote_nullable(NULL);

SELECT ascii('A'), chr(8364), md5('walden'), to_hex(255), encode('abc', 'hex'), encode('abc', 'base64'), decode('616263', 'hex');

SELECT sha256('abc'), '\x00ff'::bytea, length('\x00ff'::bytea);

SELECT regexp_replace('foobar', 'o+', '0'), regexp_match('ab12', '([a-z]+)([0-9]+)'), 'abc' ~* 'B', 'abc' SIMILAR TO '(a|b)%';

SELECT regexp_split_to_table('a1b2c', '[0-9]');

SELECT starts_with('hello', 'he'), 'a' < 'B', 'abc' LIKE 'a_c', 'a%c' LIKE 'a\%c', 'ABC' ILIKE 'abc';

SELECT 'abc'::char(5) || '|', 'abcdef'::varchar(3), length('a  '::char(5)), 'a '::char(3) = 'a'::char(1);

SELECT to_char(1234567.891, '9,999,999.99'), to_char(12, '0000'), to_char(-5, 'S99'), to_number('1,234.5', '9,999.9');

SELECT DATE '2024-02-29' + 1, DATE '2024-03-01' - DATE '2024-02-01', DATE '2024-01-31' + INTERVAL '1 month';

SELECT TIMESTAMP '2024-01-01 12:34:56.789' - TIMESTAMP '2023-12-25', TIMESTAMPTZ '2024-07-01 12:00:00+02';

SELECT extract(year FROM DATE '2024-05-06'), extract(dow FROM DATE '2024-05-06'), extract(epoch FROM TIMESTAMP '2000-01-01'), date_part('hour', TIME '13:14:15');

SELECT date_trunc('month', TIMESTAMP '2024-05-06 07:08:09'), date_trunc('hour', INTERVAL '3 days 2:34');

SELECT age(TIMESTAMP '2024-03-01', TIMESTAMP '2023-01-15'), justify_days(INTERVAL '40 days'), make_date(2024, 2, 3), make_interval(hours => 5);

SELECT INTERVAL '1 year 2 months 3 days 04:05:06.7', INTERVAL '90 minutes' * 2, -INTERVAL '1 day', INTERVAL 'P1Y2M';

SELECT to_char(TIMESTAMP '2024-05-06 17:08:09', 'YYYY-MM-DD HH12:MI:SS AM Day Mon'), to_date('06 May 2024', 'DD Mon YYYY'), to_timestamp(0);

SELECT TIMESTAMPTZ '2024-07-01 12:00:00+00' AT TIME ZONE 'Europe/Paris', TIMESTAMP '2024-01-01 00:00' AT TIME ZONE 'America/New_York';

SELECT DATE '2024-02-30';

SELECT 'infinity'::date, '-infinity'::timestamp, 'epoch'::timestamptz, '0044-03-15 BC'::date;

SELECT TIME '23:59:59' + INTERVAL '2 seconds', TIMETZ '12:00+03', (DATE '2024-01-01', DATE '2024-02-01') OVERLAPS (DATE '2024-01-15', DATE '2024-03-01');

SELECT ARRAY[1, 2, 3], '{1,NULL,3}'::int[], ARRAY[[1, 2], [3, 4]], '{"a b",c}'::text[], '[2:3]={7,8}'::int[];

SELECT (ARRAY[5, 6, 7])[2], (ARRAY[5, 6, 7])[2:3], (ARRAY[[1, 2], [3, 4]])[2][1], (ARRAY[1])[9];

SELECT ARRAY[1, 2] || 3, 0 || ARRAY[1], ARRAY[1] || ARRAY[2, 3], array_append(ARRAY[1], 2), array_cat(ARRAY['a'], ARRAY['b']);

SELECT array_length(ARRAY[1, 2, 3], 1), cardinality(ARRAY[[1], [2]]), array_ndims(ARRAY[[1]]), array_upper(ARRAY[1, 2], 1), array_dims(ARRAY[[1, 2]]);

SELECT 2 = ANY (ARRAY[1, 2]), 3 > ALL (ARRAY[1, 2]), ARRAY[1, 2] @> ARRAY[2], ARRAY[1] <@ ARRAY[1, 2], ARRAY[1] && ARRAY[2], ARRAY[1, 2] < ARRAY[1, 3];

SELECT array_to_string(ARRAY['a', NULL, 'c'], ',', '*'), string_to_array('a,b,,c', ','), array_position(ARRAY['x', 'y'], 'y'), array_remove(ARRAY[1, 2, 1], 1), array_replace(ARRAY[1, 2], 1, 9);

SELECT '{1,2'::int[];

SELECT '{"a": [1, 2, {"b": null}], "c": "d"}'::json, '{"b":1, "a":  2, "b":3}'::jsonb;

SELECT '{"a": {"b": [10, 20]}}'::jsonb -> 'a' -> 'b' -> 1, '{"a": "x"}'::jsonb ->> 'a', '{"a": {"b": 5}}'::json #>> '{a,b}';

SELECT '{"a": 1, "b": 2}'::jsonb @> '{"a": 1}', '{"a": 1}'::jsonb ? 'a', '{"a": 1}'::jsonb || '{"b": 2}', '{"a": 1, "b": 2}'::jsonb - 'a';

SELECT jsonb_array_length('[1, 2, 3]'), jsonb_typeof('{"a": 1}'), jsonb_build_object('k', 1, 'l', ARRAY[1, 2]), to_jsonb('x"y'::text);

SELECT * FROM jsonb_each('{"a": 1, "b": [2]}');

SELECT * FROM jsonb_array_elements_text('["x", 1, null]');

SELECT jsonb_set('{"a": {"b": 1}}', '{a,b}', '9'), jsonb_pretty('{"a": [1]}'), json_agg(g), jsonb_object_agg('k' || g, g) FROM generate_series(1, 3) g;

SELECT '{bad}'::json;

SELECT true AND NULL, false AND NULL, true OR NULL, NOT NULL::bool, NULL IS NULL, 1 IS DISTINCT FROM NULL, 'yes'::bool, true::int;

SELECT greatest(1, 3, 2), least('b', 'a'), nullif(1, 1), num_nulls(1, NULL), coalesce(NULL, 2);

SELECT '550e8400-e29b-41d4-a716-446655440000'::uuid, 'a0eebc999c0b4ef8bb6d6bb9bd380a11'::uuid, 'x'::uuid;

SELECT pg_typeof(1), pg_typeof(1.5), pg_typeof('x'), pg_typeof(ARRAY[1]), pg_typeof(now());

SELECT cast('12' AS int) + 1, '3' + 4, int '5', 12::text || 'x', 1.7::int, 2.5::int, 3.5::int, 'abc'::name;

SELECT nosuch(1);

SELECT 1 + 'a'::text;

SELECT sum(x), avg(x), min(x), max(x) FROM (VALUES (1.5), (2.25), (NULL)) v (x);

SELECT corr(y, x), regr_slope(y, x), covar_pop(y, x) FROM (VALUES (1, 2), (2, 4), (3, 7)) v (x, y);

SELECT U&'d\0061t\+000061', E'tab\tnl\\', $$dollar 'quoted'$$;

SELECT count(*) FROM generate_series(TIMESTAMP '2024-01-01', TIMESTAMP '2024-01-02', INTERVAL '1 hour');
-- Every type that a column has is there, also those that only the catalogs use.
SELECT attrelid::regclass, attname FROM pg_attribute a WHERE NOT attisdropped AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = a.atttypid);
SELECT stxdndistinct, stxddependencies, stxdmcv FROM pg_statistic_ext_data;
SELECT '1'::pg_ndistinct;
SELECT '1'::pg_mcv_list;
-- Values of polymorphic pseudo-types, which only nulls can be.
SELECT anyarray_out(cast(null AS anyarray)), anyelement_out(cast(null AS anyelement));
SELECT anycompatiblearray_out(cast(null AS anycompatiblearray));
SELECT anyrange_out(cast(null AS anyrange));
