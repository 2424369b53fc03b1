-- COPY in binary format, by way of a file of the server.
SELECT current_setting('data_directory') || '/copy_test.bin' AS file \gset
CREATE TABLE c (a int, b text, d numeric, t timestamptz, x int[]);
INSERT INTO c VALUES (1, 'one', 1.50, '2024-01-02 03:04:05+00', '{1,2}'), (NULL, '', NULL, NULL, NULL), (-3, E'tab\there', 1e20, 'infinity', '{}');
COPY c TO :'file' (FORMAT binary);
CREATE TABLE c2 (LIKE c);
COPY c2 FROM :'file' WITH BINARY;
SELECT * FROM c2 ORDER BY a;
SELECT count(*) FROM (SELECT * FROM c EXCEPT SELECT * FROM c2) s;
CREATE TABLE c3 (a int);
COPY c3 FROM :'file' (FORMAT binary);
COPY c TO :'file';
COPY c2 FROM :'file' (FORMAT binary);
COPY c TO stdout (FORMAT binary, DELIMITER ',');
COPY c TO stdout (FORMAT binary, NULL 'x');
COPY (SELECT 1 AS one, 'x' AS two) TO stdout (FORMAT csv, HEADER);
