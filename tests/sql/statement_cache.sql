-- Statements that come again, with the same and with other literals: every answer as if it were the first.
CREATE TABLE item (id int PRIMARY KEY, big bigint UNIQUE, name text, price numeric(8,2), made date);
INSERT INTO item SELECT i, i * 10000000000, 'item ' || i, i * 1.5, date '2024-01-01' + i FROM generate_series(1, 20) i;

-- the same text
SELECT name FROM item WHERE id = 3;
SELECT name FROM item WHERE id = 3;
SELECT name FROM item WHERE id = 3;

-- other values of one literal, by a unique key
SELECT name FROM item WHERE id = 4;
SELECT name FROM item WHERE id = 5;
SELECT name FROM item WHERE id = 500;
SELECT name FROM item WHERE id = -5;
SELECT name FROM item WHERE id = - 5;
SELECT name FROM item WHERE id = 6 -- a comment
;
SELECT   name   FROM item WHERE id = 7;

-- other classes of numbers: int8, numeric, and an error
SELECT name FROM item WHERE id = 3000000000;
SELECT name FROM item WHERE id = 4000000000;
SELECT name FROM item WHERE id = 3.0;
SELECT name FROM item WHERE id = 3.5;
SELECT name FROM item WHERE id = 99999999999999999999;
SELECT name FROM item WHERE id = 2147483647;
SELECT name FROM item WHERE id = 2147483648;
SELECT name FROM item WHERE id = -2147483648;
SELECT name FROM item WHERE big = 30000000000;
SELECT name FROM item WHERE big = 40000000000;
SELECT name FROM item WHERE big = 4;

-- strings: as text, as numbers, with quotes, and wrong ones
SELECT id FROM item WHERE name = 'item 3';
SELECT id FROM item WHERE name = 'item 4';
SELECT id FROM item WHERE name = 'it''em';
SELECT name FROM item WHERE id = '5';
SELECT name FROM item WHERE id = ' 6 ';
SELECT name FROM item WHERE id = '7';
SELECT name FROM item WHERE id = 'seven';
SELECT name FROM item WHERE id = '99999999999';
SELECT name FROM item WHERE id = E'\x38';
SELECT name FROM item WHERE id = E'\x39';
SELECT id FROM item WHERE made = '2024-01-05';
SELECT id FROM item WHERE made = '2024-01-06';
SELECT id FROM item WHERE made = '2024-01-07';
SELECT id FROM item WHERE made = '2024-13-07';
SELECT id FROM item WHERE made = date '2024-01-08';
SELECT id FROM item WHERE made = date '2024-01-09';
SELECT id FROM item WHERE made = date '2024-01-10';

-- the type of a result follows the literal
SELECT 1 AS a, pg_typeof(1);
SELECT 2 AS a, pg_typeof(2);
SELECT 3 AS a, pg_typeof(3);
SELECT 3000000000 AS a, pg_typeof(3000000000);
SELECT 1.5 AS a, pg_typeof(1.5);
SELECT 1.50 AS a, pg_typeof(1.50);
SELECT 1.500 AS a, pg_typeof(1.500);
SELECT 'x' AS a, pg_typeof('x');
SELECT 'yy' AS a, pg_typeof('yy');
SELECT 'zzz' AS a, pg_typeof('zzz');
SELECT NULL AS a, pg_typeof(NULL);
SELECT 'abcdef'::varchar(3), 'abc'::char(5) || '|', 12345.678::numeric(8,1);
SELECT 'xyzuvw'::varchar(3), 'x'::char(5) || '|', 99.99::numeric(8,1);
SELECT 'uvw'::varchar(3), 'xy'::char(5) || '|', 0.05::numeric(8,1);
SELECT 'uvw'::varchar(2), 'xy'::char(3) || '|', 0.05::numeric(8,2);
SELECT interval '1' day, interval '90' minute, '2 hours'::interval;
SELECT interval '2' day, interval '91' minute, '3 hours'::interval;
SELECT interval '3' day, interval '92' minute, '4 hours'::interval;
SELECT interval '3' month;

-- what analysis looks at
SELECT id, name FROM item ORDER BY 1 LIMIT 2;
SELECT id, name FROM item ORDER BY 1 LIMIT 3;
SELECT id, name FROM item ORDER BY 2 LIMIT 3;
SELECT id, name FROM item ORDER BY 2 DESC LIMIT 1 OFFSET 1;
SELECT id, name FROM item ORDER BY 3 LIMIT 1;
SELECT id % 2 AS odd, count(*) FROM item GROUP BY 1 ORDER BY 1;
SELECT id % 3 AS odd, count(*) FROM item GROUP BY 1 ORDER BY 1;
SELECT id % 2, count(*) FROM item GROUP BY id % 2 ORDER BY 2, 1;
SELECT id % 3, count(*) FROM item GROUP BY id % 3 ORDER BY 2, 1;
SELECT id % 2, count(*) FROM item GROUP BY id % 3 ORDER BY 2, 1;
SELECT id % 4, count(*) FROM item GROUP BY id % 4 ORDER BY 2, 1;
SELECT name || 'a' FROM item WHERE id < 3 ORDER BY name || 'a';
SELECT name || 'b' FROM item WHERE id < 3 ORDER BY name || 'b';
SELECT name || 'c' FROM item WHERE id < 3 ORDER BY name || 'd' DESC;
SELECT DISTINCT id % 2 FROM item ORDER BY id % 2;
SELECT DISTINCT id % 5 FROM item ORDER BY id % 5;
SELECT DISTINCT id % 5 FROM item ORDER BY id % 2;
SELECT count(*) FROM item HAVING count(*) > 5;
SELECT count(*) FROM item HAVING count(*) > 50;
SELECT count(*) FROM item HAVING count(*) > 6;

-- not by a unique key: plans for values first
SELECT count(*) FROM item WHERE price > 3;
SELECT count(*) FROM item WHERE price > 4;
SELECT count(*) FROM item WHERE price > 5;
SELECT count(*) FROM item WHERE price > 6;
SELECT count(*) FROM item WHERE price > 7;
SELECT count(*) FROM item WHERE price > 8;
SELECT count(*) FROM item WHERE price > 9;
SELECT count(*) FROM item WHERE price > 29;
SELECT count(*) FROM item WHERE price > 100;
SELECT id FROM item WHERE name LIKE 'item 1%' AND id IN (1, 11) ORDER BY id;
SELECT id FROM item WHERE name LIKE 'item 2%' AND id IN (2, 20) ORDER BY id;
SELECT id FROM item WHERE name LIKE '%3' AND id IN (3, 13) ORDER BY id;
SELECT id FROM item WHERE name LIKE '%3' AND id IN (3, 13, 14) ORDER BY id;

-- changes
INSERT INTO item (id, name) VALUES (101, 'a');
INSERT INTO item (id, name) VALUES (102, 'b');
INSERT INTO item (id, name) VALUES (103, NULL);
INSERT INTO item (id, name) VALUES (104, 'd');
INSERT INTO item (id, name) VALUES (104, 'e');
INSERT INTO item (id, name, price) VALUES (105, 'f', 1.234);
INSERT INTO item (id, name, price) VALUES (106, 'g', 5.678);
INSERT INTO item (id, name, price) VALUES (107, 'g', 123456789);
INSERT INTO item (id, name, price) VALUES (108, 'h', 9.999);
UPDATE item SET price = price + 10, name = 'new' WHERE id = 101;
UPDATE item SET price = price + 20, name = 'newer' WHERE id = 102;
UPDATE item SET price = price + -5, name = 'newest' WHERE id = 105;
UPDATE item SET price = price + -6, name = 'newest' WHERE id = 106;
DELETE FROM item WHERE id = 103;
DELETE FROM item WHERE id = 104;
DELETE FROM item WHERE id = 104;
SELECT id, name, price FROM item WHERE id > 100 ORDER BY id;
INSERT INTO item (id, name) VALUES (105, 'x') ON CONFLICT (id) DO UPDATE SET name = 'conflict 1';
INSERT INTO item (id, name) VALUES (106, 'x') ON CONFLICT (id) DO UPDATE SET name = 'conflict 2';
INSERT INTO item (id, name) VALUES (108, 'x') ON CONFLICT (id) DO UPDATE SET name = 'conflict 3' RETURNING id, name;
SELECT id, name FROM item WHERE id > 104 ORDER BY id;

-- DDL between executions
SELECT * FROM item WHERE id = 1;
SELECT * FROM item WHERE id = 2;
SELECT * FROM item WHERE id = 2;
ALTER TABLE item ADD COLUMN colour text DEFAULT 'red';
SELECT * FROM item WHERE id = 1;
SELECT * FROM item WHERE id = 2;
SELECT * FROM item WHERE id = 2;
ALTER TABLE item DROP COLUMN big;
SELECT * FROM item WHERE id = 1;
SELECT * FROM item WHERE id = 2;
ALTER TABLE item ALTER COLUMN id TYPE numeric;
SELECT * FROM item WHERE id = 1;
SELECT * FROM item WHERE id = 2;
SELECT * FROM item WHERE id = 2.0;
ALTER TABLE item RENAME COLUMN made TO created;
SELECT made FROM item WHERE id = 2;
SELECT created FROM item WHERE id = 2;
BEGIN;
SELECT name FROM item WHERE id = 1;
SELECT name FROM item WHERE id = 1;
ALTER TABLE item RENAME COLUMN name TO label;
SELECT name FROM item WHERE id = 1;
ROLLBACK;
SELECT name FROM item WHERE id = 1;
SELECT name FROM item WHERE id = 2;
BEGIN;
DROP TABLE item;
SELECT name FROM item WHERE id = 1;
ROLLBACK;
SELECT name FROM item WHERE id = 1;

-- temporary tables come first in the search path
SELECT name FROM item WHERE id = 3;
CREATE TEMP TABLE item (id int, name text);
INSERT INTO item VALUES (3, 'temporary');
SELECT name FROM item WHERE id = 3;
SELECT name FROM item WHERE id = 3;
SELECT name FROM item WHERE id = 4;
DROP TABLE item;
SELECT name FROM item WHERE id = 3;
SELECT name FROM item WHERE id = 4;

-- search_path
CREATE SCHEMA other;
CREATE TABLE other.item (id int PRIMARY KEY, name text);
INSERT INTO other.item VALUES (3, 'other');
SET search_path = other, public;
SELECT name FROM item WHERE id = 3;
SELECT name FROM item WHERE id = 4;
RESET search_path;
SELECT name FROM item WHERE id = 3;
BEGIN;
SET LOCAL search_path = other;
SELECT name FROM item WHERE id = 3;
SELECT name FROM item WHERE id = 3;
COMMIT;
SELECT name FROM item WHERE id = 3;

SELECT current_user = session_user, current_setting('work_mem') FROM item WHERE id = 3;
SET work_mem = '8MB';
SELECT current_user = session_user, current_setting('work_mem') FROM item WHERE id = 3;
SELECT current_user = session_user, current_setting('work_mem') FROM item WHERE id = 4;
RESET work_mem;

-- settings that literals are read under
CREATE TABLE moment (id int PRIMARY KEY, at timestamptz);
INSERT INTO moment VALUES (1, '2024-06-01 12:00+00'), (2, '2024-06-01 16:00+00');
SET TimeZone = 'UTC';
SELECT id FROM moment WHERE at = '2024-06-01 12:00';
SELECT id FROM moment WHERE at = '2024-06-01 12:00';
SELECT id FROM moment WHERE at = '2024-06-01 12:00';
SET TimeZone = 'America/New_York';
SELECT id FROM moment WHERE at = '2024-06-01 12:00';
SELECT id FROM moment WHERE at = '2024-06-01 12:00';
SELECT '01/02/2024'::date;
SELECT '01/02/2024'::date;
SET DateStyle = 'ISO, DMY';
SELECT '01/02/2024'::date;
SELECT '01/02/2024'::date;
RESET DateStyle;
RESET TimeZone;
SELECT 'now'::timestamptz = now(), 'today'::date = current_date;
SELECT 'now'::timestamptz = now(), 'today'::date = current_date;
SELECT 'now'::timestamptz = now(), 'today'::date = current_date;
SELECT 'now'::timestamptz = now(), 'today'::date = current_date FROM moment GROUP BY 2;
SELECT 'now'::timestamptz = now(), 'today'::date = current_date FROM moment GROUP BY 2;
SELECT 'now'::timestamptz = now(), 'today'::date = current_date FROM moment GROUP BY 2;
SELECT 'a\b';
SET standard_conforming_strings = off;
SET escape_string_warning = off;
SELECT 'a\\b' WHERE 1 = 1;
SELECT 'a\\b' WHERE 1 = 1;
SELECT 'a\'b' WHERE 1 = 1;
RESET standard_conforming_strings;
RESET escape_string_warning;
SELECT 'a\\b' WHERE 1 = 1;

-- volatile functions and sequences
CREATE SEQUENCE counter;
SELECT nextval('counter');
SELECT nextval('counter');
SELECT nextval('counter');
SELECT nextval('counter') + 10;
SELECT nextval('counter') + 20;
SELECT nextval('counter') + 30;
ALTER SEQUENCE counter RENAME TO tally;
SELECT nextval('counter') + 40;
SELECT nextval('tally') + 40;
SELECT nextval('tally') + 50;
SELECT nextval('tally') + 60;
SELECT random() < 2, 1 / 1;
SELECT random() < 2, 4 / 2;
SELECT random() < 2, 4 / 0;
SELECT random() < 2, 4 / 4;
SELECT CASE WHEN 1 = 1 THEN 'one' ELSE 'two' END;
SELECT CASE WHEN 1 = 2 THEN 'one' ELSE 'two' END;
SELECT CASE WHEN 2 = 2 THEN 'three' ELSE 'four' END;
SELECT 1 WHERE NULL IS NULL AND 'a' IN ('a', 'b');
SELECT 2 WHERE NULL IS NULL AND 'c' IN ('a', 'b');
SELECT 3 WHERE NULL IS NULL AND 'b' IN ('a', 'b');
SELECT $1;
SELECT $1 + 1;
SELECT 1 +;
SELECT 2 +;

-- failed transactions
BEGIN;
SELECT name FROM item WHERE id = 1;
SELECT nothing FROM item WHERE id = 1;
SELECT name FROM item WHERE id = 1;
COMMIT;
SELECT name FROM item WHERE id = 1;
BEGIN;
SAVEPOINT s;
SELECT 1 / 0;
ROLLBACK TO s;
SELECT name FROM item WHERE id = 1;
COMMIT;
BEGIN READ ONLY;
UPDATE item SET price = 1 WHERE id = 1;
ROLLBACK;
UPDATE item SET price = 1 WHERE id = 1;
UPDATE item SET price = 2 WHERE id = 1;
BEGIN READ ONLY;
UPDATE item SET price = 3 WHERE id = 1;
ROLLBACK;
SELECT price FROM item WHERE id = 1;

-- prepared statements: plans for values, then one for all
PREPARE by_price(numeric) AS SELECT count(*) FROM item WHERE price > $1;
EXECUTE by_price(1);
EXECUTE by_price(2);
EXECUTE by_price(3);
EXECUTE by_price(4);
EXECUTE by_price(5);
EXECUTE by_price(10);
EXECUTE by_price(20);
EXECUTE by_price(NULL);
EXECUTE by_price('x');
SET plan_cache_mode = force_custom_plan;
EXECUTE by_price(10);
SELECT name FROM item WHERE id = 6;
SELECT name FROM item WHERE id = 7;
SET plan_cache_mode = force_generic_plan;
EXECUTE by_price(10);
SELECT count(*) FROM item WHERE price > 11;
SELECT count(*) FROM item WHERE price > 12;
RESET plan_cache_mode;
ALTER TABLE item ALTER COLUMN price TYPE float8;
EXECUTE by_price(10);
EXECUTE by_price(10);
PREPARE by_id AS SELECT name FROM item WHERE id = $1 OR id = $2 ORDER BY id;
EXECUTE by_id(1, 2);
EXECUTE by_id(2, 3);
EXECUTE by_id(3, 4);
EXECUTE by_id(4, 5);
EXECUTE by_id(5, 6);
EXECUTE by_id(6, 7);
EXECUTE by_id(7, 8);
DEALLOCATE by_id;
DEALLOCATE by_price;

-- kept plans go when they are not wanted
DISCARD PLANS;
SELECT name FROM item WHERE id = 7;

DROP TABLE moment;
DROP SEQUENCE tally;
DROP TABLE other.item;
DROP SCHEMA other;
DROP TABLE item;
