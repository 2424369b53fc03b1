\set VERBOSITY verbose
CREATE TABLE goods (id int, label text DEFAULT 'new');
CREATE VIEW positive AS SELECT id, label FROM goods WHERE id > 0;
CREATE VIEW small_positive AS SELECT * FROM positive WHERE id < 50 WITH CHECK OPTION;
INSERT INTO small_positive VALUES (10);
INSERT INTO small_positive VALUES (100);
INSERT INTO small_positive VALUES (-100);
UPDATE small_positive SET id = id + 60;
ALTER VIEW small_positive SET (check_option = local);
INSERT INTO small_positive VALUES (-1);
INSERT INTO small_positive VALUES (51);
SELECT * FROM goods ORDER BY id;
ALTER VIEW small_positive SET (check_option = sometimes);
-- A view without a condition makes those below cascade.
CREATE VIEW plain AS SELECT * FROM positive;
ALTER VIEW plain SET (check_option = cascaded);
INSERT INTO plain VALUES (-2);
INSERT INTO plain VALUES (2) RETURNING *;
CREATE OR REPLACE VIEW plain AS SELECT * FROM positive WITH LOCAL CHECK OPTION;
INSERT INTO plain VALUES (-3) RETURNING *;
CREATE VIEW each_once AS SELECT DISTINCT id FROM goods WITH CHECK OPTION;
SELECT table_name.reloptions FROM pg_class table_name WHERE relname IN ('plain', 'small_positive') ORDER BY relname;
-- Views that come back to themselves.
CREATE OR REPLACE VIEW positive AS SELECT id, label FROM plain;
SELECT * FROM positive;
SELECT relname, pg_relation_is_updatable(oid, false), pg_column_is_updatable(oid, 1::int2, false) FROM pg_class
 WHERE relname IN ('plain', 'positive', 'small_positive') ORDER BY relname;
DROP TABLE goods CASCADE;
-- A check may name tableoid, and no other system column.
CREATE TABLE towns (city text, is_capital bool, CHECK (NOT (is_capital AND tableoid::regclass::text = 'towns')));
INSERT INTO towns VALUES ('Seattle', false);
INSERT INTO towns VALUES ('Olympia', true);
CREATE TABLE wrong (city text, CHECK (ctid IS NULL));
DROP TABLE towns;
