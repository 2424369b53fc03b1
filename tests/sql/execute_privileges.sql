\set VERBOSITY verbose
-- EXECUTE is needed for what an operator, an aggregate, a window function calls, too.
CREATE ROLE sql_caller LOGIN;
CREATE TABLE numbers (a int, b text);
INSERT INTO numbers VALUES (1, 'x'), (2, 'y');
GRANT SELECT ON numbers TO sql_caller;
REVOKE EXECUTE ON FUNCTION sum(int), int4pl(int, int), row_number(), texteq(text, text), int4eq(int, int), abs(int) FROM PUBLIC;
\c - sql_caller
SELECT sum(a) FROM numbers;
SELECT sum(a) OVER () FROM numbers;
SELECT row_number() OVER () FROM numbers;
SELECT a + a FROM numbers;
SELECT abs(a) FROM numbers;
SELECT b IS DISTINCT FROM 'x' FROM numbers;
SELECT NULLIF(b, 'x') FROM numbers;
SELECT b = ANY (ARRAY['x', b]) FROM numbers;
SELECT max(a), count(*) FROM numbers WHERE b < 'z';
\c - postgres
GRANT EXECUTE ON FUNCTION sum(int), int4pl(int, int), row_number(), texteq(text, text), int4eq(int, int), abs(int) TO PUBLIC;
\c - sql_caller
SELECT sum(a) FROM numbers;
SELECT a + a FROM numbers;
\c - postgres
REVOKE ALL ON numbers FROM sql_caller;
DROP ROLE sql_caller;
