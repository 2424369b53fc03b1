-- Many rows of one statement: index entries are gathered and added together.
CREATE TABLE many (id int PRIMARY KEY, g int, t text, n int UNIQUE, part int);
CREATE INDEX many_g ON many (g);
CREATE INDEX many_t ON many (t, g DESC) INCLUDE (id);
CREATE INDEX many_part ON many (part) WHERE part > 5;
INSERT INTO many SELECT i, i % 7, 'text ' || i % 50, i, i % 10 FROM generate_series(1, 3000) i;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
UPDATE many SET g = g + 1;
SELECT g, count(*) FROM many WHERE g >= 0 GROUP BY g ORDER BY g;
SELECT count(*), sum(id) FROM many WHERE id > 0;
SELECT count(*), sum(n) FROM many WHERE n > 0;
SELECT count(*), sum(id) FROM many WHERE t >= 'text 1' AND t < 'text 2';
SELECT count(*), sum(id) FROM many WHERE part > 5;
-- nulls, and back
UPDATE many SET g = NULL, t = NULL WHERE id % 3 = 0;
SELECT count(*), sum(id) FROM many WHERE g IS NULL;
SELECT count(*), sum(id) FROM many WHERE t IS NULL;
SELECT count(*), sum(id) FROM many WHERE id BETWEEN 100 AND 200;
-- undone: whole statement, and after a savepoint
BEGIN;
UPDATE many SET g = 100;
SELECT count(*) FROM many WHERE g = 100;
SAVEPOINT s;
UPDATE many SET g = 200 WHERE id <= 1500;
SELECT g, count(*) FROM many WHERE g >= 100 GROUP BY g ORDER BY g;
ROLLBACK TO s;
SELECT g, count(*) FROM many WHERE g >= 100 GROUP BY g ORDER BY g;
ROLLBACK;
SELECT count(*) FROM many WHERE g >= 100;
SELECT count(*) FROM many WHERE id > 0;
-- keys that stay are unique as before, keys that change are checked
UPDATE many SET g = 1;
\set VERBOSITY terse
INSERT INTO many VALUES (2999, 0, '', 9999, 0);
INSERT INTO many VALUES (9999, 0, '', 2999, 0);
UPDATE many SET n = 17 WHERE id > 2900;
UPDATE many SET id = 3001 - id;
UPDATE many SET id = id + 10000, g = 2;
SELECT count(*), min(id), max(id) FROM many WHERE id > 0;
SELECT count(*) FROM many WHERE g = 2;
-- some fail late
UPDATE many SET g = 3, n = CASE WHEN n = 3000 THEN 1 ELSE n END;
SELECT count(*) FROM many WHERE g = 3;
-- rows into a partial index and out of it
UPDATE many SET part = part + 3;
SELECT part, count(*) FROM many WHERE part > 5 GROUP BY part ORDER BY part;
-- the same through a bitmap: pages have more line pointers by now than versions fit on them
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SELECT part, count(*) FROM many WHERE part > 5 GROUP BY part ORDER BY part;
RESET enable_indexscan;
SET enable_bitmapscan = off;
-- rows returned, a few at a time
BEGIN;
PREPARE up AS UPDATE many SET g = 5 WHERE id <= 10050 RETURNING id, g;
EXECUTE up;
SELECT count(*) FROM many WHERE g = 5;
WITH changed AS (UPDATE many SET g = 6 WHERE id <= 12000 RETURNING g) SELECT g, count(*) FROM changed GROUP BY g;
SELECT count(*), sum(id) FROM many WHERE g = 6;
COMMIT;
-- twice in a transaction
BEGIN;
UPDATE many SET g = g + 1;
UPDATE many SET g = g + 1;
DELETE FROM many WHERE id % 2 = 0;
UPDATE many SET g = g + 1;
COMMIT;
SELECT g, count(*) FROM many WHERE g > 0 GROUP BY g ORDER BY g;
VACUUM many;
SELECT g, count(*) FROM many WHERE g > 0 GROUP BY g ORDER BY g;
SELECT count(*), sum(id) FROM many WHERE n > 0;
-- a key that others refer to
CREATE TABLE child (id int REFERENCES many (n) ON UPDATE CASCADE);
CREATE INDEX ON child (id);
INSERT INTO child SELECT n FROM many;
UPDATE many SET n = n + 100000;
SELECT count(*), min(id), max(id) FROM child WHERE id > 0;
DROP TABLE child, many;
