\set VERBOSITY verbose
CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE);
CREATE TABLE child (id serial, parent_id int REFERENCES parent ON DELETE CASCADE, amount int DEFAULT 5 CHECK (amount > 0),
  CONSTRAINT fits CHECK (amount < 1000 AND parent_id > 0));
COMMENT ON CONSTRAINT fits ON child IS 'small ones';
CREATE INDEX child_double ON child ((amount * 2));
CREATE INDEX child_part ON child (id) WHERE amount > 10;
COMMENT ON INDEX child_part IS 'large ones';
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child (parent_id, amount) VALUES (1, 7), (2, 20), (2, DEFAULT);
ALTER TABLE child ALTER COLUMN amount TYPE numeric(6, 2);
INSERT INTO child (parent_id) VALUES (1) RETURNING *;
INSERT INTO child (parent_id, amount) VALUES (1, 1000);
INSERT INTO child (parent_id, amount) VALUES (1, -1);
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'child'::regclass AND attnum > 0 ORDER BY attnum;
SELECT indexdef FROM pg_indexes WHERE tablename = 'child' ORDER BY 1;
SELECT conname, pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint') FROM pg_constraint
  WHERE conrelid = 'child'::regclass ORDER BY conname;
SELECT obj_description('child_part'::regclass);
ALTER TABLE parent ALTER COLUMN id TYPE bigint;
INSERT INTO child (parent_id) VALUES (3);
DELETE FROM parent WHERE id = 2;
SELECT id, parent_id, amount FROM child ORDER BY id;
ALTER TABLE child ALTER COLUMN parent_id TYPE bigint, ALTER COLUMN id TYPE bigint;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'child'::regclass AND attnum > 0 ORDER BY attnum;
SELECT indexdef FROM pg_indexes WHERE tablename = 'child' ORDER BY 1;
INSERT INTO child (parent_id) VALUES (1) RETURNING id;
ALTER TABLE child ALTER COLUMN amount TYPE text;
ALTER TABLE child ALTER COLUMN amount TYPE bool;
ALTER TABLE child ALTER COLUMN amount TYPE int USING amount::int * 1000;
CREATE TABLE defaults (a int DEFAULT 5, b text DEFAULT 'x', c timestamp DEFAULT now(), d int DEFAULT 3 + 4);
ALTER TABLE defaults ALTER a TYPE text, ALTER c TYPE timestamptz, ALTER d TYPE numeric;
SELECT a.attname, pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = adrelid AND a.attnum = adnum
  WHERE adrelid = 'defaults'::regclass ORDER BY 1;
ALTER TABLE defaults ALTER b TYPE int;
ALTER TABLE defaults ALTER b DROP DEFAULT, ALTER b TYPE int USING b::int;
CREATE VIEW over_defaults AS SELECT a FROM defaults;
ALTER TABLE defaults ALTER a TYPE varchar(10);
ALTER TABLE over_defaults ADD COLUMN x int;
ALTER TABLE over_defaults ALTER COLUMN a DROP NOT NULL;
ALTER TABLE over_defaults ALTER COLUMN a TYPE int;
ALTER TABLE over_defaults ADD CHECK (a > 0);
ALTER TABLE child_part ADD COLUMN x int;
DROP VIEW over_defaults;
DROP TABLE defaults, child, parent;
