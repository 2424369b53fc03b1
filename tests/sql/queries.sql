\set VERBOSITY verbose

CREATE TABLE a (id int, x text);

CREATE TABLE b (id int, a_id int, y int);

INSERT INTO a VALUES (1, 'one'), (2, 'two'), (3, 'three'), (4, NULL);

INSERT INTO b VALUES (10, 1, 5), (11, 1, 7), (12, 2, 9), (13, 8, 1), (14, NULL, 2);

SELECT a.id, b.y FROM a JOIN b ON b.a_id = a.id ORDER BY 1, 2;

SELECT a.id, b.y FROM a LEFT JOIN b ON b.a_id = a.id ORDER BY 1, 2;

SELECT a.id, b.y FROM a RIGHT JOIN b ON b.a_id = a.id ORDER BY b.id;

SELECT count(*) FROM a CROSS JOIN b;

SELECT * FROM a JOIN b USING (id);

SELECT a.id, l.m FROM a, LATERAL (SELECT max(y) AS m FROM b WHERE b.a_id = a.id) l ORDER BY 1;

SELECT a_id, count(*), sum(y), avg(y), min(y), max(y) FROM b GROUP BY a_id ORDER BY a_id;

SELECT a_id, count(*) FROM b GROUP BY a_id HAVING count(*) > 1;

SELECT count(*), count(a_id), count(DISTINCT a_id), sum(y) FILTER (WHERE y > 4) FROM b;

SELECT sum(y), count(*) FROM b WHERE false;

SELECT string_agg(x, ',' ORDER BY x DESC), array_agg(id ORDER BY id) FROM a;

SELECT bool_and(y > 1), bool_or(y > 8), stddev(y), variance(y) FROM b;

SELECT DISTINCT a_id FROM b ORDER BY a_id NULLS FIRST;

SELECT DISTINCT ON (a_id) a_id, y FROM b ORDER BY a_id, y DESC;

SELECT y FROM b ORDER BY y DESC LIMIT 2 OFFSET 1;

SELECT y FROM b ORDER BY y FETCH FIRST 2 ROWS ONLY;

SELECT id AS k, x FROM a ORDER BY x NULLS FIRST, k;

SELECT 1 AS n UNION SELECT 2 UNION ALL SELECT 2 ORDER BY n;

SELECT id FROM a INTERSECT SELECT a_id FROM b ORDER BY 1;

SELECT id FROM a EXCEPT SELECT a_id FROM b ORDER BY 1;

SELECT a_id FROM b EXCEPT ALL SELECT 1 ORDER BY 1;

VALUES (1, 'x'), (2, 'y') ORDER BY 1 DESC;

WITH c AS (SELECT id * 2 AS d FROM a) SELECT sum(d) FROM c;

WITH c AS MATERIALIZED (SELECT id FROM a) SELECT c1.id FROM c c1 JOIN c c2 USING (id) ORDER BY 1;

WITH RECURSIVE r (n, f) AS (SELECT 1, 1::numeric UNION ALL SELECT n + 1, f * (n + 1) FROM r WHERE n < 20) SELECT max(n), max(f) FROM r;

WITH RECURSIVE walk (i) AS (SELECT 1 UNION SELECT (i * 3) % 7 FROM walk) SELECT i FROM walk ORDER BY i;

SELECT id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.a_id = a.id) ORDER BY 1;

SELECT id FROM a WHERE id NOT IN (SELECT a_id FROM b WHERE a_id IS NOT NULL) ORDER BY 1;

SELECT id FROM a WHERE id NOT IN (SELECT a_id FROM b);

SELECT id, (SELECT sum(y) FROM b WHERE b.a_id = a.id) AS s FROM a ORDER BY 1;

SELECT (SELECT id FROM a);

SELECT id FROM a WHERE id > ALL (SELECT a_id FROM b WHERE a_id < 3) ORDER BY 1;

SELECT id FROM a WHERE (id, x) = (SELECT 2, 'two');

SELECT id FROM a WHERE (id, x) IN (VALUES (1, 'one'), (3, 'no'));

SELECT ARRAY(SELECT id FROM a ORDER BY id DESC);

SELECT CASE WHEN id > 2 THEN 'big' WHEN id = 2 THEN 'mid' ELSE 'small' END FROM a ORDER BY id;

SELECT coalesce(x, 'none'), nullif(id, 2) FROM a ORDER BY id;

SELECT id FROM a WHERE x LIKE 't%' OR x ~ 'ne$' ORDER BY id;

SELECT id FROM a WHERE id BETWEEN 2 AND 3 AND x IS NOT NULL ORDER BY id;

SELECT i, j FROM generate_series(1, 3) WITH ORDINALITY AS g (i, j);

SELECT unnest(ARRAY[3, 1, 2]) AS u ORDER BY u;

SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b', 'c']) AS u (p, q);

SELECT (a).x FROM a ORDER BY id;

SELECT x FROM a GROUP BY id;

SELECT nope FROM a;

SELECT id FROM a, b;

SELECT * FROM a WHERE count(*) > 1;

SELECT id + x FROM a;

SELEC 1;

SELECT sum(g.i) FROM generate_series(1, 20000) AS g (i) JOIN generate_series(1, 20000, 3) AS h (i) USING (i);

CREATE VIEW v AS SELECT a.id, x, y FROM a JOIN b ON b.a_id = a.id;

SELECT * FROM v ORDER BY id, y;

CREATE OR REPLACE VIEW v AS SELECT 1 AS other;

DROP TABLE a;

CREATE VIEW simple AS SELECT id, x FROM a WHERE id < 3;

UPDATE simple SET x = 'via view' WHERE id = 1 RETURNING *;

INSERT INTO v VALUES (1, 'x', 2);

DROP VIEW v;
-- What is never evaluated raises no error: branches not taken, values behind one that is not null, strict operators of a null.
CREATE TABLE few (a int, b int);
INSERT INTO few VALUES (2000000000, 2000000000), (1, 2);
SELECT COALESCE(count(*), 72 / 0) / 2 FROM few;
SELECT COALESCE(NULL, 3, 1 / 0), COALESCE(NULL::int), COALESCE(a, NULL, 7, 1 / 0) FROM few;
SELECT CASE 59 WHEN NULL::int THEN 16 / 0 ELSE NULL END, CASE 5 WHEN 4 THEN 1 / 0 WHEN 5 THEN count(*) ELSE 2 / 0 END FROM few;
SELECT CASE WHEN false THEN 1 / 0 WHEN a = 1 THEN b WHEN true THEN a ELSE 3 / 0 END FROM few;
SELECT CASE 7 WHEN a THEN 1 / (b - b + 1) WHEN b + 5 THEN 2 ELSE 3 END FROM few;
SELECT a FROM few WHERE NOT a * b NOT BETWEEN NULL AND NULL;
SELECT a FROM few WHERE (a * b > NULL) IS NULL ORDER BY a;
SELECT false AND 1 / 0 = 1, true OR 1 / 0 = 1, NOT (true OR 1 / 0 = 1);
SELECT CASE WHEN a > 0 THEN 1 / 0 ELSE 1 END FROM few;
SELECT 1 / 0 = 1 AND false;
SELECT CASE (CASE 1 WHEN 1 THEN 'x' END) WHEN 'x' THEN ARRAY[1, 2]::text[] WHEN 'y' THEN ARRAY[(1 / 0)::text] END;
EXPLAIN (COSTS OFF) SELECT a FROM few WHERE CASE 3 WHEN b THEN true WHEN 4 THEN false ELSE COALESCE(a, b, 5, a) > 1 END;
DROP TABLE few;
