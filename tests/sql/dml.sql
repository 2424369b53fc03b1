\set VERBOSITY verbose

CREATE TABLE t (k int PRIMARY KEY, v text, n int DEFAULT 5);

INSERT INTO t VALUES (1, 'a'), (2, 'b', NULL), (3, 'c', 8) RETURNING k, n;

INSERT INTO t (v, k) SELECT 'x' || i, i FROM generate_series(10, 13) i RETURNING *;

UPDATE t SET n = n + 1 WHERE k < 10 RETURNING k, n;

UPDATE t SET (v, n) = ('pair', 0) WHERE k = 10 RETURNING *;

UPDATE t SET v = s.w FROM (VALUES (11, 'eleven'), (12, 'twelve')) s (i, w) WHERE s.i = t.k RETURNING t.k, t.v;

DELETE FROM t WHERE k = 13 RETURNING v;

DELETE FROM t USING (SELECT 12 AS d) x WHERE t.k = x.d RETURNING t.k, x.d;

INSERT INTO t VALUES (1, 'dup') ON CONFLICT DO NOTHING RETURNING k;

INSERT INTO t VALUES (1, 'dup') ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v || '-' || t.v RETURNING *;

INSERT INTO t VALUES (2, 'dup') ON CONFLICT (k) DO UPDATE SET v = 'never' WHERE t.v = 'zzz' RETURNING *;

INSERT INTO t VALUES (20, 'p'), (20, 'q') ON CONFLICT (k) DO UPDATE SET v = EXCLUDED.v;

INSERT INTO t VALUES (21, 'x') ON CONFLICT (v) DO NOTHING;

INSERT INTO t VALUES (30, DEFAULT, DEFAULT) RETURNING *;

INSERT INTO t DEFAULT VALUES;

INSERT INTO t VALUES (1, 2, 3, 4);

INSERT INTO t (k, nope) VALUES (1, 2);

UPDATE t SET nope = 1;

UPDATE t SET k = 1 WHERE k = 2;

SELECT * FROM t ORDER BY k;

CREATE TABLE many (i int, s text);

INSERT INTO many SELECT i, repeat('x', i % 7) FROM generate_series(1, 5000) i;

UPDATE many SET s = s || 'y' WHERE i % 3 = 0;

DELETE FROM many WHERE i % 5 = 0;

SELECT count(*), sum(i), sum(length(s)) FROM many;

VACUUM many;

ANALYZE many;

SELECT count(*), sum(i), sum(length(s)) FROM many;

SELECT length(repeat('long', 50000)) AS l;

CREATE TABLE toasted (i int, s text);

INSERT INTO toasted SELECT i, string_agg(md5(j::text), '') FROM generate_series(1, 3) i, generate_series(1, 500) j GROUP BY i;

SELECT i, length(s), md5(s) FROM toasted ORDER BY i;

COPY t FROM STDIN;
100	tab\there	\N
101	back\\slash	4
\.

SELECT * FROM t WHERE k >= 100 ORDER BY k;

COPY t FROM STDIN WITH (FORMAT csv, NULL 'nil');
102,"quoted, ""x""",nil
103,plain,6
\.

SELECT * FROM t WHERE k >= 102 ORDER BY k;

COPY t FROM STDIN;
xyz	a	1
\.

COPY t FROM STDIN (DELIMITER '|');
105|pipe|1
\.

SELECT * FROM t WHERE k = 105;
-- RETURNING with subqueries over more relations than the statement has, and over columns of its others.
CREATE TABLE moved (id int, label text);
CREATE TABLE places (id int, place text);
CREATE VIEW both_places AS SELECT a.id, a.place, b.place AS again FROM places a JOIN places b USING (id) LEFT JOIN moved m ON m.id = -a.id;
INSERT INTO moved VALUES (1, 'one'), (2, 'two');
INSERT INTO places VALUES (1, 'here'), (2, 'there');
UPDATE moved SET label = label || '!' RETURNING id, (SELECT again FROM both_places b WHERE b.id = moved.id), label;
UPDATE moved SET label = upper(label) FROM places p WHERE p.id = moved.id
  RETURNING moved.id, (SELECT b.place || '/' || p.place FROM both_places b WHERE b.id = p.id), (SELECT max(x.id) FROM places x WHERE x.place >= p.place);
INSERT INTO moved VALUES (3, 'three') RETURNING (SELECT count(*) FROM both_places), (SELECT label FROM both_places WHERE id = 1);
DELETE FROM moved USING places p WHERE p.id = moved.id RETURNING p.place, (SELECT again FROM both_places b WHERE b.place <> p.place);
DROP TABLE moved, places CASCADE;
