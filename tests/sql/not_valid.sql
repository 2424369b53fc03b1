-- NOT VALID means rows that are there already: a new table has none, and its constraints are valid.
CREATE TABLE p (id int PRIMARY KEY);
CREATE TABLE t (a int CHECK (a > 0), p int, CONSTRAINT fk FOREIGN KEY (p) REFERENCES p NOT VALID, CONSTRAINT b CHECK (a < 10) NOT VALID);
INSERT INTO t VALUES (10, NULL);
INSERT INTO t VALUES (1, 1);
INSERT INTO t VALUES (5, NULL);
ALTER TABLE t ADD CONSTRAINT c CHECK (a < 5);
ALTER TABLE t ADD CONSTRAINT c CHECK (a < 5) NOT VALID;
SELECT conname, convalidated FROM pg_constraint WHERE conrelid = 't'::regclass ORDER BY conname;
ALTER TABLE t VALIDATE CONSTRAINT c;
\d t
