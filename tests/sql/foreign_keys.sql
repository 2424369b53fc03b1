\set VERBOSITY verbose
-- Foreign keys: checks of both sides, actions, MATCH FULL, self-references, keys of different integer types.
CREATE TABLE fk_p (id int PRIMARY KEY, name text);
CREATE TABLE fk_c (id int PRIMARY KEY, a int REFERENCES fk_p);
INSERT INTO fk_p VALUES (1, 'one'), (2, 'two'), (3, 'three');
INSERT INTO fk_c VALUES (1, 1), (2, NULL), (3, 3);
INSERT INTO fk_c VALUES (4, 9);
UPDATE fk_c SET a = 8 WHERE id = 1;
UPDATE fk_c SET a = 2 WHERE id = 1;
DELETE FROM fk_p WHERE id = 1;
DELETE FROM fk_p WHERE id = 2;
UPDATE fk_p SET id = 20 WHERE id = 2;
UPDATE fk_p SET name = 'TWO', id = 2 WHERE id = 2;
UPDATE fk_p SET id = 5 - id;
SELECT * FROM fk_p ORDER BY id;
SELECT * FROM fk_c ORDER BY id;
-- actions
CREATE TABLE fk_cascade (id int PRIMARY KEY, a bigint REFERENCES fk_p ON DELETE CASCADE ON UPDATE CASCADE);
CREATE TABLE fk_below (a int REFERENCES fk_cascade ON DELETE CASCADE);
CREATE INDEX ON fk_cascade (a);
CREATE TABLE fk_null (id int, a int REFERENCES fk_p ON DELETE SET NULL ON UPDATE SET NULL);
CREATE TABLE fk_default (id int, a int DEFAULT 10 REFERENCES fk_p ON DELETE SET DEFAULT);
INSERT INTO fk_p VALUES (10, 'ten'), (11, 'eleven'), (12, 'twelve');
INSERT INTO fk_cascade VALUES (1, 10), (2, 11), (3, 11);
INSERT INTO fk_below VALUES (1), (2), (2), (3);
INSERT INTO fk_null VALUES (1, 11), (2, 12);
INSERT INTO fk_default VALUES (1, 11), (2, 12);
UPDATE fk_p SET id = 111 WHERE id = 12;
UPDATE fk_default SET a = 11;
UPDATE fk_p SET id = 112 WHERE id = 12;
SELECT * FROM fk_null ORDER BY id;
DELETE FROM fk_p WHERE id = 11;
SELECT * FROM fk_cascade ORDER BY id;
SELECT * FROM fk_below ORDER BY a;
SELECT * FROM fk_null ORDER BY id;
SELECT * FROM fk_default ORDER BY id;
DELETE FROM fk_p WHERE id = 10;
UPDATE fk_cascade SET a = 9 WHERE id = 1;
-- a self-reference
CREATE TABLE fk_tree (id int PRIMARY KEY, parent int REFERENCES fk_tree ON DELETE CASCADE);
INSERT INTO fk_tree VALUES (3, 2), (2, 1), (1, NULL), (4, 4);
INSERT INTO fk_tree VALUES (5, 6);
DELETE FROM fk_tree WHERE id = 1;
SELECT * FROM fk_tree ORDER BY id;
DELETE FROM fk_tree;
-- two columns
CREATE TABLE fk_pair (a int, b text, UNIQUE (a, b));
CREATE TABLE fk_full (x int, y text, FOREIGN KEY (x, y) REFERENCES fk_pair (a, b) MATCH FULL ON UPDATE CASCADE);
CREATE TABLE fk_simple (x int, y text, CONSTRAINT pair FOREIGN KEY (y, x) REFERENCES fk_pair (b, a) ON DELETE RESTRICT);
INSERT INTO fk_pair VALUES (1, 'x'), (2, NULL);
INSERT INTO fk_full VALUES (1, 'x'), (NULL, NULL);
INSERT INTO fk_full VALUES (1, NULL);
INSERT INTO fk_full VALUES (1, 'y');
INSERT INTO fk_simple VALUES (1, NULL), (7, NULL), (NULL, 'z');
INSERT INTO fk_simple VALUES (1, 'z');
UPDATE fk_pair SET b = 'changed' WHERE a = 1;
SELECT * FROM fk_full ORDER BY x;
INSERT INTO fk_simple VALUES (1, 'changed');
DELETE FROM fk_pair WHERE a = 1;
DELETE FROM fk_pair WHERE a = 2;
-- a cascade that a constraint of the table forbids
CREATE TABLE fk_strict (a int NOT NULL REFERENCES fk_p ON DELETE SET NULL);
INSERT INTO fk_p VALUES (30);
INSERT INTO fk_strict VALUES (30);
DELETE FROM fk_p WHERE id = 30;
DROP TABLE fk_strict, fk_simple, fk_full, fk_pair, fk_tree, fk_default, fk_null, fk_below, fk_cascade, fk_c, fk_p;
