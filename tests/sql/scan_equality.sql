-- Sequential scans whose first condition is an integer equality: rows that fail it are passed over before anything else is asked of them.
CREATE TABLE e (a smallint, b int, c bigint, t text);
INSERT INTO e SELECT i % 5, i % 7, i, 'row ' || i FROM generate_series(1, 40) i;
INSERT INTO e VALUES (NULL, 3, 3, 'a is null'), (3, NULL, 3, 'b is null'), (3, 3, NULL, 'c is null'), (NULL, NULL, NULL, NULL);
INSERT INTO e VALUES (-1, -1, -1, 'minus'), (-32768, -2147483648, -9223372036854775808, 'least'),
  (32767, 2147483647, 9223372036854775807, 'greatest');
EXPLAIN (COSTS OFF) SELECT * FROM e WHERE b = 3;
SELECT * FROM e WHERE a = 3 ORDER BY c, t;
SELECT * FROM e WHERE b = 3 ORDER BY c, t;
SELECT * FROM e WHERE c = 3 ORDER BY t;
SELECT * FROM e WHERE a = 3::smallint AND b = 3 ORDER BY c;
SELECT * FROM e WHERE a = 3::bigint AND c = 3::smallint ORDER BY c;
SELECT t FROM e WHERE -1 = a;
SELECT t FROM e WHERE b = -2147483648;
SELECT t FROM e WHERE c = -9223372036854775808;
SELECT t FROM e WHERE a = 32767;
-- values that the column cannot hold
SELECT count(*) FROM e WHERE a = 32768;
SELECT count(*) FROM e WHERE a = 65539;
SELECT count(*) FROM e WHERE b = 4294967299;
SELECT count(*) FROM e WHERE b = NULL::int;
PREPARE by_b(bigint) AS SELECT count(*), min(t) FROM e WHERE b = $1;
EXECUTE by_b(3);
EXECUTE by_b(4);
EXECUTE by_b(NULL);
EXECUTE by_b(4294967299);
EXECUTE by_b(-1);
EXECUTE by_b(5);
EXECUTE by_b(6);
-- conditions behind it: errors as they are
SELECT count(*) FROM e WHERE b = 3 AND 10 / (c - 3) > 0 AND c IS NOT NULL AND t LIKE 'row%';
SELECT count(*) FROM e WHERE b = 3 AND 10 / nullif(c - 3, 0) > 0;
-- attributes that older rows do not have, and one that has gone
ALTER TABLE e ADD COLUMN d int DEFAULT 9, ADD COLUMN f int;
INSERT INTO e VALUES (1, 1, 100, 'new', 9, 8), (1, 1, 101, 'other', 8, 9);
SELECT count(*) FROM e WHERE d = 9;
SELECT count(*) FROM e WHERE d = 8;
SELECT count(*) FROM e WHERE f = 9;
SELECT attname, attmissingval FROM pg_attribute WHERE attrelid = 'e'::regclass AND atthasmissing;
ALTER TABLE e DROP COLUMN b;
SELECT c, t FROM e WHERE c = 100;
SELECT count(*) FROM e WHERE d = 9;
-- versions: one's own changes, savepoints, what a cursor began with
BEGIN;
UPDATE e SET a = 77 WHERE c = 10;
SELECT a, t FROM e WHERE a = 77;
SELECT a, t FROM e WHERE c = 10;
SAVEPOINT s;
UPDATE e SET a = 78 WHERE a = 77;
DELETE FROM e WHERE c = 11;
SELECT a, t FROM e WHERE a = 77;
SELECT a, t FROM e WHERE a = 78;
SELECT count(*) FROM e WHERE c = 11;
ROLLBACK TO s;
SELECT a, t FROM e WHERE a = 77;
SELECT count(*) FROM e WHERE c = 11;
DECLARE old CURSOR FOR SELECT a, c FROM e WHERE a = 77;
UPDATE e SET a = 79 WHERE a = 77;
FETCH ALL FROM old;
SELECT a, c FROM e WHERE a = 79;
ROLLBACK;
SELECT count(*) FROM e WHERE a = 77;
-- a chain of versions on one page
CREATE TABLE few (id int NOT NULL, n int, filler text);
INSERT INTO few VALUES (1, 0), (2, 0), (3, 0);
UPDATE few SET n = n + 1 WHERE id = 2;
UPDATE few SET n = n + 1 WHERE id = 2 RETURNING *;
SELECT * FROM few WHERE id = 2;
SELECT * FROM few WHERE n = 0 ORDER BY id;
VACUUM few;
SELECT * FROM few WHERE id = 2 FOR UPDATE;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT * FROM few WHERE id = 2;
-- a table of several pages, joined by a parameter
CREATE TABLE many (k int, v int, filler char(100));
INSERT INTO many SELECT i % 50, i FROM generate_series(1, 2000) i;
DELETE FROM many WHERE k = 7 AND v > 100;
SELECT count(*), sum(v) FROM many WHERE k = 7;
SELECT count(*), sum(v) FROM many WHERE k = 49;
SELECT few.id, (SELECT sum(v) FROM many WHERE k = few.id) FROM few ORDER BY 1;
SELECT v FROM many WHERE k = 10 ORDER BY v LIMIT 3;
SELECT count(*) FROM many WHERE k = 10 AND v = 60;
DROP TABLE e;
