-- Merge joins of every kind, alone and with further conditions.
CREATE TABLE l (a int, x int);
CREATE TABLE r (a int, y int);
INSERT INTO l VALUES (1, 1), (1, 2), (2, 3), (4, 4), (NULL, 5), (7, 6), (7, 7);
INSERT INTO r VALUES (1, 10), (1, 20), (3, 30), (4, 40), (NULL, 50), (7, 70), (8, 80);
ANALYZE l;
ANALYZE r;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT * FROM l JOIN r USING (a) ORDER BY 1, 2, 3;
SELECT * FROM l LEFT JOIN r USING (a) ORDER BY 1, 2, 3;
SELECT * FROM l RIGHT JOIN r USING (a) ORDER BY 1, 2, 3;
SELECT * FROM l FULL JOIN r USING (a) ORDER BY 1, 2, 3;
SELECT * FROM l LEFT JOIN r ON l.a = r.a AND l.x + r.y > 20 ORDER BY 1, 2, 4;
SELECT * FROM l FULL JOIN r ON l.a = r.a AND l.x + r.y > 20 ORDER BY 1, 2, 4;
SELECT * FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.a = l.a AND r.y > 10) ORDER BY 1, 2;
SELECT * FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.a = l.a) ORDER BY 1, 2;
SELECT count(*), sum(i), sum(j) FROM generate_series(1, 5000) i JOIN generate_series(1, 5000, 3) j ON i % 100 = j % 100;
SET work_mem = '64kB';
SELECT count(*), sum(i), sum(j) FROM (SELECT i % 3 AS k, i FROM generate_series(1, 900) i) p FULL JOIN (SELECT j % 4 AS k, j FROM generate_series(1, 900) j) q USING (k);
RESET work_mem;
CREATE INDEX l_a ON l (a);
SELECT l.a, count(*) FROM l JOIN r ON l.a = r.a GROUP BY l.a ORDER BY l.a;

-- Rows that were spilled and read back, then computed anew for the next outer row.
SET work_mem = '64kB';
SELECT a, (SELECT sum(length(t)) FROM (SELECT g % 4 AS k FROM generate_series(1, 20 + a) g) l
           JOIN (SELECT g % 2 AS k, repeat('x', 100) AS t FROM generate_series(1, 3000) g) r USING (k))
  FROM generate_series(1, 3) a;
RESET enable_nestloop;
SET enable_mergejoin = off;
SET enable_hashjoin = off;
SELECT a, (SELECT count(*) FROM generate_series(1, 3) x, (SELECT b FROM generate_series(1, 5000 + a) b OFFSET 0) y
            WHERE b > x AND b < a * 5 + 3)
  FROM generate_series(1, 4) a;
WITH RECURSIVE r(n) AS (SELECT g FROM generate_series(1, 4000) g UNION ALL SELECT n + 4000 FROM r WHERE n <= 12000)
SELECT count(*), sum(n) FROM r;
RESET enable_mergejoin;
RESET enable_hashjoin;
RESET work_mem;
