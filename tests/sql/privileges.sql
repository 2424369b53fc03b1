\set VERBOSITY verbose

CREATE ROLE sql_reader LOGIN;

CREATE ROLE sql_writer LOGIN;

CREATE ROLE sql_reader LOGIN;

CREATE TABLE t (a int, b int);

INSERT INTO t VALUES (1, 2);

GRANT SELECT ON t TO sql_reader;

\c - sql_reader
SELECT * FROM t;
INSERT INTO t VALUES (3, 4);
UPDATE t SET a = 1;
DELETE FROM t;
TRUNCATE t;
DROP TABLE t;
CREATE ROLE another;
SELECT current_user;
\c - postgres

\c - sql_writer
SELECT * FROM t;
\c - postgres

GRANT sql_reader TO sql_writer;

\c - sql_writer
SELECT * FROM t;
\c - postgres

GRANT INSERT, UPDATE (b) ON t TO sql_writer;

\c - sql_writer
INSERT INTO t VALUES (5, 6);
UPDATE t SET b = 0;
UPDATE t SET a = 0;
\c - postgres

SELECT has_table_privilege('sql_reader', 't', 'SELECT'), has_table_privilege('sql_reader', 't', 'INSERT');

SELECT relacl FROM pg_class WHERE relname = 't';

REVOKE SELECT ON t FROM sql_reader;

\c - sql_writer
SELECT * FROM t;
\c - postgres

CREATE VIEW v AS SELECT a FROM t;
GRANT SELECT ON v TO sql_reader;
\c - sql_reader
SELECT count(*) FROM v;
SELECT count(*) FROM t;
\c - postgres


ALTER TABLE t OWNER TO sql_writer;

\c - sql_writer
SELECT count(*) FROM t;
\c - postgres

REVOKE ALL ON t FROM sql_reader;
DROP VIEW v;
DROP TABLE t;

DROP ROLE sql_reader, sql_writer;
