-- Answers that were once wrong.
-- rows of rows expand to values, not to columns of the result
CREATE TABLE pairs (a int, b int);
INSERT INTO pairs VALUES (1, 2);
SELECT * FROM (SELECT 1 AS b, ROW(x.*) AS z, 2 AS c FROM pairs x) q;
SELECT row_to_json(q) FROM (SELECT ROW(x.*, 7) AS z, 1 AS bbb, ARRAY[ROW(x.*)] AS c FROM pairs x) q;
-- roots are rounded as the exact root would be
SELECT sqrt(1.000000000000003::numeric), sqrt(1.000000000000004::numeric), sqrt(8015491789940783531003294973900306::numeric),
       sqrt(8015491789940783531003294973900307::numeric), sqrt(0.25::numeric), sqrt(2::numeric), sqrt(0::numeric), sqrt(1e-30::numeric);
SELECT stddev(x), stddev_pop(x) FROM (VALUES (1::numeric), (2), (4), (8.5)) v(x);
-- signs of zones are those of ISO 8601
SET timezone = 'UTC';
SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, '+2'), make_timestamptz(2014, 12, 10, 10, 10, 10, '-2:30');
SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, '+1:2:3'), make_timestamptz(2014, 12, 10, 10, 10, 10, '-0130'), make_timestamptz(2014, 12, 10, 10, 10, 10, '+123');
SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, 'Europe/Paris'), make_timestamptz(2014, 12, 10, 10, 10, 10, '+');
SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, '+013015');
SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, '+1:60');
SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, '+16');
SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, '2');
SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, '+x');
SELECT make_timestamptz(2014, 12, 10, 10, 10, 10, '');
-- a time in a zone whose offset depends on the date, without a date
SELECT '15:36:39 America/New_York'::timetz;
SELECT '15:36:39 America/New_York'::time;
SELECT '2003-07-07 15:36:39 America/New_York'::timetz, '2003-07-07 15:36:39 America/New_York'::time, '15:36:39 EST'::timetz;
SELECT '23:59:60.01'::time;
SELECT '23:59:60.01 PDT'::timetz;
SELECT '24:00:00'::time, '23:59:60'::time, '24:00 UTC'::timetz;
-- statements of one text share a transaction
SELECT 1\; VACUUM;
VACUUM\; SELECT 1;
SELECT 1\; COMMIT\; CREATE DATABASE not_made;
VACUUM pairs;
-- conditions of COPY do not see generated columns
CREATE TABLE made (a int, b int GENERATED ALWAYS AS (a * 2) STORED);
COPY made FROM stdin WHERE b <> 10;
COPY made FROM stdin WHERE made IS NULL;
COPY made FROM stdin WHERE a > 1;
1
2
\.
SELECT * FROM made;
-- what a view groups by rests on the key
CREATE TABLE keyed (a int PRIMARY KEY, b int);
CREATE VIEW grouped AS SELECT a, b, count(*) FROM keyed GROUP BY a;
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey;
ALTER TABLE keyed DROP CONSTRAINT keyed_pkey CASCADE;
SELECT * FROM grouped;
-- groups without aggregates, by sorting
CREATE TABLE grouped_rows AS SELECT g, g % 3 AS three, g % 2 AS two FROM generate_series(1, 12) g;
SET enable_hashagg = off;
SELECT three FROM grouped_rows GROUP BY three ORDER BY three;
SELECT three, grouping(three) FROM grouped_rows GROUP BY three HAVING grouping(three) >= 0 ORDER BY 2, 1;
SELECT three, two FROM grouped_rows GROUP BY three, two HAVING two = 0 ORDER BY 1;
SELECT 1 FROM grouped_rows HAVING true;
RESET enable_hashagg;
-- grouping sets: direct arguments, columns that a key determines, constants of subqueries
SELECT grouping(a), a, array_agg(b ORDER BY b), rank(a) WITHIN GROUP (ORDER BY b NULLS FIRST), rank(a) WITHIN GROUP (ORDER BY b NULLS LAST)
FROM (VALUES (1, 1), (1, 4), (1, 5), (3, 1), (3, 2)) v(a, b) GROUP BY ROLLUP (a) ORDER BY a;
CREATE TABLE determined (a int PRIMARY KEY, b int, c int, d int);
INSERT INTO determined VALUES (1, 1, 1, 10), (2, 2, 2, 20);
SELECT a, d, grouping(a, b, c) FROM determined GROUP BY GROUPING SETS ((a, b), (a, c)) ORDER BY 3, 1;
SELECT a, d, grouping(a, b, c), string_agg(c::text, ',' ORDER BY c) FROM determined GROUP BY GROUPING SETS ((a, b), (a, c)) ORDER BY 3, 1;
SELECT two, x FROM (SELECT two, 'foo'::text AS x FROM grouped_rows) t GROUP BY GROUPING SETS (two, x) HAVING x = 'foo';
SELECT two, x || 'x' FROM (SELECT two, three, 'foo'::text AS x FROM grouped_rows) t GROUP BY GROUPING SETS (two, x) ORDER BY two;
SELECT s, p, count(*) FROM (SELECT two + 1 AS s, three AS p FROM grouped_rows) t GROUP BY CUBE (s, p) ORDER BY 1, 2;
-- volatile expressions of one row are computed before those of the next
CREATE SEQUENCE seq START 4;
CREATE TABLE numbered (x int DEFAULT nextval('seq'), y text, z int DEFAULT -1 * currval('seq'), CHECK (x + z = 0));
INSERT INTO numbered (y) SELECT 'y' || g FROM generate_series(1, 3) g;
SELECT * FROM numbered;
SELECT nextval('seq') || '/' || currval('seq') FROM generate_series(1, 3);
SELECT nextval('seq'), lastval() FROM generate_series(1, 3) g WHERE g > 1;
-- what was prepared keeps its result
CREATE TABLE reshaped (a int, b text);
INSERT INTO reshaped VALUES (1, 'x');
PREPARE all_columns AS SELECT * FROM reshaped;
PREPARE some_columns(int) AS SELECT * FROM reshaped WHERE a = $1;
EXECUTE all_columns;
EXECUTE some_columns(1);
ALTER TABLE reshaped ADD COLUMN c int;
EXECUTE all_columns;
EXECUTE some_columns(1);
ALTER TABLE reshaped DROP COLUMN c;
EXECUTE all_columns;
EXECUTE some_columns(1);
ALTER TABLE reshaped ALTER COLUMN a TYPE bigint;
EXECUTE all_columns;
SELECT pg_size_pretty(x), pg_size_pretty(-x) FROM (VALUES (11528652096115048447::numeric), (11528652096115048448), (10240.5), (10239.5), (1e30)) v(x);
-- privileges
CREATE ROLE regress_mended_a;
CREATE ROLE regress_mended_b;
GRANT pg_database_owner TO regress_mended_a;
GRANT regress_mended_a TO pg_database_owner;
GRANT SELECT ON reshaped TO regress_mended_a GRANTED BY regress_mended_b;
GRANT SELECT ON reshaped TO regress_mended_a GRANTED BY CURRENT_USER;
GRANT INSERT ON made TO regress_mended_a;
GRANT SELECT ON made TO regress_mended_b WITH GRANT OPTION;
SELECT has_column_privilege('reshaped', 2::int2, 'select'), has_column_privilege('reshaped', 3::int2, 'select'), has_column_privilege('reshaped', 9::int2, 'select');
SELECT has_sequence_privilege('regress_mended_a', 'reshaped', 'SELECT');
SELECT has_sequence_privilege('regress_mended_a', 'seq', 'SELECT');
SET ROLE regress_mended_a;
GRANT SELECT ON reshaped TO regress_mended_b;
BEGIN;
LOCK TABLE made IN ACCESS SHARE MODE;
ROLLBACK;
BEGIN;
LOCK TABLE made IN ROW SHARE MODE;
ROLLBACK;
BEGIN;
LOCK TABLE made IN ROW EXCLUSIVE MODE;
LOCK TABLE reshaped IN ACCESS SHARE MODE;
LOCK TABLE made IN ACCESS EXCLUSIVE MODE;
ROLLBACK;
SET ROLE regress_mended_b;
GRANT ALL ON made TO regress_mended_a;
GRANT SELECT, INSERT ON made TO regress_mended_a;
RESET ROLE;
DROP OWNED BY regress_mended_a, regress_mended_b;
DROP ROLE regress_mended_a, regress_mended_b;
-- numbers as text
CREATE TABLE numbers (n numeric);
INSERT INTO numbers VALUES (0), (-34338492.215397047), (4.31), (7799461.4119), (-83028485), (74881), (0.5), (-0.25), (100);
SELECT to_char(n, '9G999G999G999D999G999'), to_char(n, 'FM9G999G999G999D999G999'), to_char(n, 'FMS9999999999.999'), to_char(n, 'FM9999999999.999THPR'),
       to_char(n, 'FM9999999999.990'), to_char(n, 'FMS 9 9 9 9 9 9 9 9 9 . 9 9 9'), to_char(n, 'FM9999999999.'), to_char(n, '9999999999.'), to_char(n, 'FM099999999.9')
FROM numbers;
SELECT n, to_char(n, '9.999EEEE'), to_char(n, 'MI99.99'), to_char(n, 'MI9999999999.99'), to_char(n, 'MIFM9999999999.99'), to_char(n, 'S9999999999.9')
FROM (VALUES ('0'::numeric), ('-4.2'), ('4.2e9'), ('1.2e-5'), ('inf'), ('-inf'), ('nan')) v(n);
SELECT to_char('100'::numeric, 'f\"oo999'), to_char('100'::numeric, 'f\\"oo999'), to_char('100'::numeric, 'f"ool\"999'), to_char('100'::numeric, 'FM999.');
SELECT to_char('12345678901'::float8, 'FM9999999999D9999900000000000000000'), to_char(4200000000::float4, 'MI9999999999.99'), to_char(1.5::float8, '9.99999999999999999999'),
       to_char(0.1::float4, '9.9999999999'), to_char(123.456::float4, '9999.999999'), to_char(123456.789::float8, 'FM999999999.999999999999'), to_char(5::float8, '9.');
-- abbreviations whose offset has changed
SELECT t, (t || ' MSK')::timestamptz AS msk, t::timestamp AT TIME ZONE 'MSK' AS at_msk, (t || ' VET')::timestamptz AS vet, t::timestamp AT TIME ZONE 'KRAT' AS krat
FROM unnest('{1900-01-01 00:00:00,1985-07-01 12:00:00,2009-07-01 12:00:00,2010-01-01 12:00:00,2011-03-27 01:59:59,2011-03-27 02:00:00,2011-03-27 04:00:00,2012-01-01 00:00:00,2014-10-26 00:00:00,2014-10-26 01:00:01,2014-10-26 03:00:00,2030-07-01 00:00:00}'::text[]) t;
SELECT t AT TIME ZONE 'MSK', t AT TIME ZONE 'msd' FROM unnest('{2011-03-26 22:59:59+00,2011-03-26 23:00:00+00,2014-10-25 21:59:59+00,2014-10-25 22:00:00+00,2020-06-01 00:00:00+00}'::timestamptz[]) t;
SELECT make_timestamptz(2014, 10, 26, 0, 0, 0, 'MSK'), make_timestamptz(2014, 10, 26, 3, 0, 0, 'MSK'), extract(timezone FROM '15:36:39 MSK'::timetz);
-- a savepoint's READ ONLY ends with it
BEGIN;
SAVEPOINT y;
SET TRANSACTION READ ONLY;
SHOW transaction_read_only;
RELEASE SAVEPOINT y;
SHOW transaction_read_only;
INSERT INTO numbers VALUES (1);
SAVEPOINT z;
SET TRANSACTION READ ONLY;
INSERT INTO numbers VALUES (1);
ROLLBACK TO z;
SHOW transaction_read_only;
ROLLBACK;
-- names of columns that a query gives to a table
CREATE TABLE of_system_column AS SELECT ctid, relname FROM pg_class;
CREATE TABLE of_system_column (a, xmin) AS SELECT 1, 2;
CREATE TABLE of_system_column AS SELECT ctid AS place FROM pg_class LIMIT 0;
select 1.0 ^ 1e400 as one, '-1'::numeric ^ 1e400 as even, 1e400 ^ (-1e400) as none;
select '00:00:00.0000005'::time, '00:00:00.0000015'::time, '2000-01-01 00:00:00.0000025'::timestamp, '2000-01-01 00:00:59.9999995'::timestamp;
