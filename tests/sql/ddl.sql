\set VERBOSITY verbose

CREATE TABLE dept (id int PRIMARY KEY, name text NOT NULL UNIQUE, budget numeric(10,2) DEFAULT 0 CHECK (budget >= 0));

CREATE TABLE emp (id serial PRIMARY KEY, dept int, name varchar(8), hired date DEFAULT '2020-01-01', CONSTRAINT named CHECK (name <> ''));

INSERT INTO dept VALUES (1, 'one', 10), (2, 'two', DEFAULT);

INSERT INTO dept VALUES (1, 'again', 1);

INSERT INTO dept VALUES (3, 'one', 1);

INSERT INTO dept VALUES (3, NULL, 1);

INSERT INTO dept VALUES (3, 'three', -1);

INSERT INTO dept VALUES (3, 'three', 123456789.5);

INSERT INTO emp (dept, name) VALUES (1, 'ann'), (2, 'bob'), (NULL, 'cid');

INSERT INTO emp (dept, name) VALUES (9, 'dan');

INSERT INTO emp (dept, name) VALUES (1, 'much too long');

INSERT INTO emp (dept, name) VALUES (1, '');

SELECT * FROM emp ORDER BY id;

DELETE FROM dept WHERE id = 2;

SELECT * FROM emp ORDER BY id;

ALTER TABLE emp ADD COLUMN pay int DEFAULT 7;

ALTER TABLE emp ADD COLUMN pay int;

ALTER TABLE emp ALTER COLUMN pay SET NOT NULL;

ALTER TABLE emp RENAME COLUMN pay TO wage;

SELECT name, wage FROM emp ORDER BY id;

ALTER TABLE emp DROP COLUMN hired;

SELECT * FROM emp ORDER BY id;

ALTER TABLE emp ALTER COLUMN wage TYPE numeric(6,1);

SELECT * FROM emp ORDER BY id;

ALTER TABLE emp ADD CONSTRAINT paid CHECK (wage > 1);

UPDATE emp SET wage = 0;

ALTER TABLE emp DROP CONSTRAINT paid;

UPDATE emp SET wage = 0;

CREATE INDEX emp_name ON emp (name);

CREATE UNIQUE INDEX emp_lower ON emp (lower(name));

DROP INDEX emp_lower;

DROP TABLE dept;

DROP TABLE nothing;

DROP TABLE IF EXISTS nothing;

CREATE TABLE dept (a int);

CREATE TABLE bad (a int, a int);

CREATE TABLE bad (a nosuchtype);

CREATE TABLE copy_of AS SELECT id, name FROM emp ORDER BY id;

SELECT * FROM copy_of ORDER BY id;

CREATE SCHEMA s;

CREATE TABLE s.t (a int);

INSERT INTO s.t VALUES (1);

SELECT a FROM s.t;

SELECT a FROM t;

SET search_path = s, public;

SELECT a FROM t;

RESET search_path;

DROP SCHEMA s;

DROP SCHEMA s CASCADE;

CREATE TEMP TABLE tt (a int) ON COMMIT DELETE ROWS;

INSERT INTO tt VALUES (1);

SELECT count(*) FROM tt;

TRUNCATE copy_of;

SELECT count(*) FROM copy_of;

ALTER TABLE copy_of RENAME TO copied;

SELECT * FROM copied;

COMMENT ON TABLE emp IS 'people';

SELECT obj_description('emp'::regclass);
