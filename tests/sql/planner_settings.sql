-- Settings of the planner: each is seen in the plan that it forbids or asks for.
CREATE TABLE tid_rows (a int);
INSERT INTO tid_rows SELECT g FROM generate_series(1, 1000) g;
ANALYZE tid_rows;
EXPLAIN (COSTS OFF) SELECT * FROM tid_rows WHERE ctid = '(0,1)';
EXPLAIN (COSTS OFF) SELECT * FROM tid_rows WHERE '(0,1)' = ctid AND a > 0;
EXPLAIN (COSTS OFF) SELECT * FROM tid_rows WHERE ctid = ANY ('{"(0,1)","(0,2)"}'::tid[]);
EXPLAIN (COSTS OFF) SELECT * FROM tid_rows WHERE ctid = '(0,1)' OR ctid = '(0,2)';
SELECT * FROM tid_rows WHERE ctid = '(0,2)' OR '(0,1)' = ctid OR ctid = ANY ('{"(0,2)","(0,3)"}'::tid[]);
SET enable_tidscan = off;
EXPLAIN (COSTS OFF) SELECT * FROM tid_rows WHERE ctid = '(0,1)';
SELECT * FROM tid_rows WHERE ctid = '(0,1)';
RESET enable_tidscan;
-- WHERE CURRENT OF finds its row by nothing else.
SET enable_tidscan = off;
BEGIN;
DECLARE c CURSOR FOR SELECT * FROM tid_rows ORDER BY a FOR UPDATE;
FETCH 1 FROM c;
UPDATE tid_rows SET a = 0 WHERE CURRENT OF c;
ROLLBACK;
RESET enable_tidscan;

-- constraint_exclusion
CREATE TABLE checked (a int CHECK (a >= 100 AND a < 200), b text CHECK (b IN ('x', 'y')), c int NOT NULL, d int,
                      CHECK (d > 0 OR d IS NULL));
INSERT INTO checked VALUES (100, 'x', 1, 1), (199, 'y', 2, NULL), (NULL, NULL, 3, NULL);
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a = 5;
SET constraint_exclusion = on;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a = 5;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a = 100;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a >= 200;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE 200 <= a;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a > 198;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a IN (1, 2, 300);
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a IN (1, 150);
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a = 5 OR a = 300;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE b = 'z';
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE b = 'x';
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE c IS NULL;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a IS NULL;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE d = -1;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a < 110 AND a > 120;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE d IS NULL AND d = 1;
EXPLAIN (COSTS OFF) UPDATE checked SET c = 4 WHERE a = 5;
EXPLAIN (COSTS OFF) SELECT * FROM checked WHERE a > 5::bigint AND a < 99::bigint;
SELECT * FROM checked WHERE a = 5;
SELECT * FROM checked WHERE a IS NULL;
SELECT * FROM checked WHERE a >= 199;
SELECT count(*), max(a) FROM checked WHERE a = 5;
SELECT l.c, r.c FROM checked l LEFT JOIN checked r ON r.c = l.c AND r.a = 5 ORDER BY l.c;
SELECT l.c, r.c FROM checked l JOIN checked r ON r.c = l.c WHERE r.a = 5;
SELECT c FROM checked WHERE EXISTS (SELECT FROM checked x WHERE x.a = 5 AND x.c = checked.c);
UPDATE checked SET c = 4 WHERE a = 5;
DELETE FROM checked WHERE b = 'z';
-- Not yet valid, it proves nothing.
ALTER TABLE checked ADD CONSTRAINT later CHECK (c < 3) NOT VALID;
SELECT c FROM checked WHERE c = 3;
RESET constraint_exclusion;

-- enable_material, enable_sort
CREATE TABLE outer_rows (a int);
CREATE TABLE inner_rows (b int);
INSERT INTO outer_rows SELECT g FROM generate_series(1, 100) g;
INSERT INTO inner_rows SELECT g FROM generate_series(1, 100) g;
ANALYZE outer_rows, inner_rows;
EXPLAIN (COSTS OFF) SELECT * FROM outer_rows, inner_rows WHERE a < b;
SET enable_material = off;
EXPLAIN (COSTS OFF) SELECT * FROM outer_rows, inner_rows WHERE a < b;
SELECT count(*) FROM outer_rows, inner_rows WHERE a < b;
RESET enable_material;
CREATE TABLE sorted_rows (a int PRIMARY KEY, b text);
INSERT INTO sorted_rows SELECT g * 7919 % 10007, repeat('x', 200) FROM generate_series(1, 10000) g;
ANALYZE sorted_rows;
EXPLAIN (COSTS OFF) SELECT * FROM sorted_rows ORDER BY a;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT * FROM sorted_rows ORDER BY a;
EXPLAIN (COSTS OFF) SELECT * FROM sorted_rows ORDER BY b;
RESET enable_sort;

-- cursor_tuple_fraction
EXPLAIN (COSTS OFF) DECLARE c CURSOR FOR SELECT * FROM sorted_rows ORDER BY a;
SET cursor_tuple_fraction = 1;
EXPLAIN (COSTS OFF) DECLARE c CURSOR FOR SELECT * FROM sorted_rows ORDER BY a;
RESET cursor_tuple_fraction;

-- join_collapse_limit, from_collapse_limit: the order written, though another is better.
CREATE TABLE big (id int PRIMARY KEY, x int);
CREATE TABLE medium (id int PRIMARY KEY, big_id int);
CREATE TABLE small (id int PRIMARY KEY, medium_id int);
INSERT INTO big SELECT g, g FROM generate_series(1, 20000) g;
INSERT INTO medium SELECT g, g FROM generate_series(1, 2000) g;
INSERT INTO small SELECT g, g FROM generate_series(1, 3) g;
ANALYZE big, medium, small;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT * FROM big JOIN medium ON big_id = big.id JOIN small ON medium_id = medium.id;
SET join_collapse_limit = 1;
EXPLAIN (COSTS OFF) SELECT * FROM big JOIN medium ON big_id = big.id JOIN small ON medium_id = medium.id;
SELECT * FROM big JOIN medium ON big_id = big.id JOIN small ON medium_id = medium.id ORDER BY 1;
RESET join_collapse_limit;
EXPLAIN (COSTS OFF)
  SELECT * FROM (SELECT medium.id, x FROM big, medium WHERE big_id = big.id) AS pair, small WHERE medium_id = pair.id;
SET from_collapse_limit = 1;
EXPLAIN (COSTS OFF)
  SELECT * FROM (SELECT medium.id, x FROM big, medium WHERE big_id = big.id) AS pair, small WHERE medium_id = pair.id;
SELECT * FROM (SELECT medium.id, x FROM big, medium WHERE big_id = big.id) AS pair, small WHERE medium_id = pair.id ORDER BY 1;
