-- COPY FROM: rows are stored many at a time; errors are as if each had been stored by itself.
CREATE TABLE t (a int PRIMARY KEY, b text);
COPY t FROM STDIN;
1	x
2	y
1	z
\.
COPY t FROM STDIN;
1	x
2	y
x	z
\.
SELECT count(*) FROM t;
CREATE TABLE u (a int PRIMARY KEY, b text NOT NULL, c int UNIQUE, CHECK (c < 100));
CREATE INDEX ON u (b DESC NULLS FIRST, c);
COPY u FROM STDIN;
1	x	1
2	y	1
1	z	5
\.
COPY u FROM STDIN;
1	x	1
1	y	2
2	\N	3
\.
COPY u FROM STDIN;
1	x	1
2	y	200
\.
COPY u FROM STDIN;
3	m	1
2	y	\N
1	z	7
5	a	\N
4	\\a\tb	9
\.
SELECT * FROM u ORDER BY a;
SET enable_seqscan = off;
SELECT b, c FROM u ORDER BY b DESC NULLS FIRST, c;
RESET enable_seqscan;
-- A default or condition that could look at the table: row by row.
CREATE TABLE v (a int UNIQUE, r double precision DEFAULT random(), s serial);
COPY v (a) FROM STDIN;
1
2
1
\.
COPY t (a) FROM STDIN WHERE random() < 2;
77
77
\.
ALTER TABLE v DROP COLUMN r;
COPY v (a) FROM STDIN;
1
2
1
\.
COPY v (a) FROM STDIN;
7
8
\.
SELECT a, s > 0 AS numbered FROM v ORDER BY a;
-- FREEZE
COPY t FROM STDIN (FREEZE);
5	x
\.
BEGIN;
TRUNCATE t;
COPY t FROM STDIN (FREEZE);
5	x
6	y
\.
SELECT * FROM t ORDER BY a;
SAVEPOINT s;
COPY t FROM STDIN (FREEZE);
7	x
\.
ROLLBACK TO s;
DECLARE c CURSOR FOR SELECT 1;
COPY t FROM STDIN (FREEZE);
7	x
\.
ROLLBACK;
SELECT count(*) FROM t;
BEGIN;
TRUNCATE t;
COPY t FROM STDIN (FREEZE);
5	x
6	y
\.
COMMIT;
DELETE FROM t WHERE a = 5;
UPDATE t SET b = 'z' WHERE a = 6;
SELECT * FROM t ORDER BY a;
-- End markers and escapes (line ends: tests/unit/session_copy_reader_test.cpp).
COPY t FROM STDIN;
11	a\.
\.
COPY t FROM STDIN;
11	\x41\102\e\N
12	\q\
more\
13	 
14	\\N
15	\N
\.
COPY t FROM STDIN (FORMAT csv);
21,"b
c"
z,k
\.
COPY t FROM STDIN (FORMAT csv, QUOTE '''', ESCAPE '!');
21,'a!'b!!c,d'
22,''
23,
24,x'y'z
\.
COPY t FROM STDIN (FORMAT csv, NULL 'n', FORCE_NULL (b));
31,"n"
32,n
33,"m"
\.
COPY t FROM STDIN (DELIMITER '|', NULL '');
41|
42|a
43|b|c
\.
COPY t FROM STDIN (DELIMITER '|', NULL '');
41|
42|a\|b
\.
COPY t FROM STDIN;
51
\.
COPY t FROM STDIN;
51	\377
\.
SELECT a, b, b IS NULL AS is_null FROM t ORDER BY a;
COPY (SELECT a, b || E'\t\\\r\n\b\f\v|é' FROM t WHERE a < 20 ORDER BY a) TO STDOUT;
COPY (SELECT a, b || '|' FROM t WHERE a < 20 ORDER BY a) TO STDOUT (DELIMITER '|');
-- Many rows, values out of line, several batches.
CREATE TABLE w (a int, b text, c numeric) WITH (fillfactor = 70);
CREATE INDEX w_c ON w (c);
CREATE UNIQUE INDEX w_a ON w (a);
INSERT INTO w SELECT i, CASE WHEN i % 500 = 0 THEN (SELECT string_agg(md5((i * k)::text), '') FROM generate_series(1, 300) k) ELSE i::text END, (i * 7919) % 1000 FROM generate_series(1, 5000) i;
SELECT count(*), sum(a), sum(length(b)), min(c), max(c) FROM w;
SET enable_seqscan = off;
SELECT count(*), sum(a) FROM w WHERE c = 500;
SELECT count(*), sum(a) FROM w WHERE a BETWEEN 100 AND 4000;
RESET enable_seqscan;
INSERT INTO w SELECT i, 'x', 1 FROM generate_series(5990, 4990, -1) i;
INSERT INTO w SELECT i, 'x', 1 / (i - 5100) FROM generate_series(5001, 5200) i;
CREATE TABLE w2 AS SELECT * FROM w ORDER BY a DESC;
SELECT count(*), sum(a), sum(length(b)) FROM w2;
ALTER TABLE w ALTER COLUMN a TYPE bigint;
SELECT count(*), sum(a), sum(length(b)), min(c), max(c) FROM w;
SET enable_seqscan = off;
SELECT count(*), sum(a) FROM w WHERE c = 500;
UPDATE w SET c = c + 1;
UPDATE w SET c = c + 1;
SELECT count(*), sum(a) FROM w WHERE c = 502;
DELETE FROM w WHERE a % 3 = 0;
VACUUM w;
SELECT count(*), sum(a) FROM w WHERE c = 502;
INSERT INTO w SELECT i, 'n', 502 FROM generate_series(3, 5000, 3) i;
SELECT count(*), sum(a) FROM w WHERE c = 502;
SELECT count(*), sum(a) FROM w WHERE a BETWEEN 100 AND 4000;
-- Rows lie in the order in which they came.
CREATE TABLE placed (a int, b text);
INSERT INTO placed SELECT i, repeat('x', 100) FROM generate_series(1, 4000) i;
INSERT INTO placed SELECT i, repeat('x', 100) FROM generate_series(4001, 6000) i;
SELECT count(*), count(*) FILTER (WHERE a <> place) AS elsewhere FROM (SELECT a, row_number() OVER (ORDER BY ctid) AS place FROM placed) AS rows;
-- Loads too, wherever batches, pages and buffers of the client end.
CREATE TABLE loaded (a int, b text);
\copy loaded (a) FROM PROGRAM 'seq 1 3000'
\copy loaded FROM PROGRAM 'seq -f "%.0f	some text" 3001 5000'
SELECT count(*), count(*) FILTER (WHERE a <> place) AS elsewhere FROM (SELECT a, row_number() OVER (ORDER BY ctid) AS place FROM loaded) AS rows;
TRUNCATE loaded;
CREATE INDEX ON loaded (a);
\copy loaded FROM PROGRAM 'seq -f "%.0f	a text that is rather longer than those before it" 1 2000'
INSERT INTO loaded SELECT i, repeat('x', 100) FROM generate_series(2001, 3500) i;
SELECT count(*), count(*) FILTER (WHERE a <> place) AS elsewhere FROM (SELECT a, row_number() OVER (ORDER BY ctid) AS place FROM loaded) AS rows;
CREATE TABLE loaded2 AS SELECT * FROM loaded ORDER BY a;
SELECT count(*), count(*) FILTER (WHERE a <> place) AS elsewhere FROM (SELECT a, row_number() OVER (ORDER BY ctid) AS place FROM loaded2) AS rows;
DROP TABLE loaded, loaded2;
-- An index over keys that come in order, that do not, and over both.
CREATE UNIQUE INDEX placed_a ON placed (a);
CREATE INDEX placed_down ON placed (a DESC);
UPDATE placed SET a = -a WHERE a % 10 = 3;
DROP INDEX placed_a;
CREATE UNIQUE INDEX placed_a ON placed (a);
SET enable_seqscan = off;
SELECT count(*), sum(a) FROM placed WHERE a BETWEEN -100 AND 100;
SELECT a FROM placed WHERE a > 5990 ORDER BY a DESC;
SELECT a FROM placed WHERE a < -5900 ORDER BY a;
RESET enable_seqscan;
-- A primary key needs values, and different ones; rows that are gone do not count.
INSERT INTO placed VALUES (NULL, 'no key');
ALTER TABLE placed ADD PRIMARY KEY (a);
SELECT attnotnull FROM pg_attribute WHERE attrelid = 'placed'::regclass AND attname = 'a';
DELETE FROM placed WHERE a IS NULL;
BEGIN;
INSERT INTO placed VALUES (NULL, 'mine');
ALTER TABLE placed ADD PRIMARY KEY (a);
ROLLBACK;
INSERT INTO placed VALUES (1, 'twice');
DROP INDEX placed_a;
INSERT INTO placed VALUES (1, 'twice');
ALTER TABLE placed ADD PRIMARY KEY (a);
DELETE FROM placed WHERE b = 'twice';
ALTER TABLE placed ADD PRIMARY KEY (a, b);
SELECT attname, attnotnull FROM pg_attribute WHERE attrelid = 'placed'::regclass AND attnum > 0 ORDER BY attnum;
INSERT INTO placed VALUES (1, NULL);
DROP TABLE placed;
-- What needs a backslash or quotes, wherever it is in a long value.
CREATE TABLE marks (n int, mark text);
INSERT INTO marks SELECT n, repeat('x', n) || c || repeat('y', 20 - n % 7) FROM generate_series(0, 33) n, unnest(ARRAY[E'\b', E'\t', E'\n', E'\x0b', E'\f', E'\r', '\', '|', '"', ',', 'é', E'\x07', E'\x0e', E'\x7f']) c;
COPY (SELECT md5(string_agg(n || mark, '' ORDER BY n, mark)) FROM marks) TO STDOUT;
COPY (SELECT * FROM marks WHERE n IN (0, 5, 15, 16, 17, 31, 33) ORDER BY n, mark) TO STDOUT;
COPY (SELECT * FROM marks WHERE n IN (0, 5, 15, 16, 17, 31, 33) ORDER BY n, mark) TO STDOUT (DELIMITER '|');
COPY (SELECT * FROM marks WHERE n IN (0, 5, 15, 16, 17, 31, 33) ORDER BY n, mark) TO STDOUT (FORMAT csv);
COPY (SELECT * FROM marks WHERE n IN (0, 15, 16) ORDER BY n, mark) TO STDOUT (FORMAT csv, DELIMITER '|', QUOTE '''', ESCAPE '\');
