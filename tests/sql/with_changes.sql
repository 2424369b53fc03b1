-- Data-modifying statements in WITH; IN and NOT IN by hashing; COPY FROM ... WHERE.
CREATE TABLE stock (id int PRIMARY KEY, amount int);
CREATE TABLE log (id int, what text);
INSERT INTO stock SELECT i, i * 10 FROM generate_series(1, 5) i;
WITH gone AS (DELETE FROM stock WHERE id > 3 RETURNING *) SELECT * FROM gone ORDER BY id;
SELECT * FROM stock ORDER BY id;
WITH moved AS (DELETE FROM stock WHERE id = 1 RETURNING id) INSERT INTO log SELECT id, 'deleted' FROM moved RETURNING *;
WITH a AS (INSERT INTO stock VALUES (10, 100), (11, 110) RETURNING id, amount), b AS (UPDATE stock SET amount = amount + 1 RETURNING id)
SELECT (SELECT count(*) FROM a) AS a, (SELECT sum(id) FROM b) AS b, (SELECT count(*) FROM stock) AS seen;
SELECT * FROM stock ORDER BY id;
-- runs although nothing reads it
WITH unread AS (INSERT INTO log VALUES (1, 'unread')) SELECT 1 AS one;
WITH half_read AS (INSERT INTO log SELECT i, 'half' FROM generate_series(1, 10) i RETURNING id) SELECT id FROM half_read LIMIT 1;
SELECT what, count(*) FROM log GROUP BY what ORDER BY what;
WITH up AS (UPDATE stock SET amount = 0 WHERE id = 10 RETURNING *), ins AS (INSERT INTO log SELECT id, 'zeroed' FROM up RETURNING *)
SELECT * FROM ins;
WITH d AS (DELETE FROM log WHERE what = 'half') UPDATE stock SET amount = -1 WHERE id = 11 RETURNING *;
SELECT count(*) FROM log;
BEGIN READ ONLY;
WITH d AS (DELETE FROM log RETURNING *) SELECT * FROM d;
ROLLBACK;
SELECT * FROM (WITH d AS (DELETE FROM log RETURNING *) SELECT * FROM d) s;
WITH d AS (DELETE FROM log) SELECT * FROM d;
EXPLAIN (COSTS OFF) WITH gone AS (DELETE FROM stock WHERE amount > 3 RETURNING *) SELECT * FROM gone;

CREATE TABLE probe (a int, b int);
INSERT INTO probe VALUES (1, 1), (2, 2), (3, NULL), (NULL, 4), (NULL, NULL), (5, 5);
CREATE TABLE hay (a int, b int);
SELECT a, a IN (SELECT a FROM hay) AS i, a NOT IN (SELECT a FROM hay) AS n FROM probe ORDER BY a, b;
INSERT INTO hay VALUES (1, 1), (2, 3), (2, 2);
SELECT a, a IN (SELECT a FROM hay) AS i, a NOT IN (SELECT a FROM hay) AS n FROM probe ORDER BY a, b;
SELECT a, b, (a, b) IN (SELECT a, b FROM hay) AS i FROM probe ORDER BY a, b;
INSERT INTO hay VALUES (NULL, 4), (5, NULL);
SELECT a, a IN (SELECT a FROM hay) AS i, a NOT IN (SELECT a FROM hay) AS n FROM probe ORDER BY a, b;
SELECT a, b, (a, b) IN (SELECT a, b FROM hay) AS i, (a, b) NOT IN (SELECT a, b FROM hay) AS n FROM probe ORDER BY a, b;
SELECT * FROM probe WHERE a NOT IN (SELECT a FROM hay WHERE a IS NOT NULL) ORDER BY a;
SELECT count(*) FROM generate_series(1, 10000) x WHERE x NOT IN (SELECT y * 2 FROM generate_series(1, 4000) y);
SET work_mem = '64kB';
SELECT count(*) FROM generate_series(1, 100) x WHERE x NOT IN (SELECT y * 2 FROM generate_series(1, 6000) y);
RESET work_mem;
EXPLAIN (COSTS OFF) SELECT * FROM probe WHERE a NOT IN (SELECT a FROM hay);
EXPLAIN (COSTS OFF) SELECT a IN (SELECT a FROM hay WHERE b = 1) FROM probe;

COPY probe FROM stdin WHERE a > 10 AND b IS NOT NULL;
9	1
11	2
12	\N
13	4
\.
SELECT * FROM probe WHERE a > 6 ORDER BY a;
COPY probe FROM stdin WHERE a > (SELECT 1);
