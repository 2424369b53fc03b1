CREATE TABLE a (id int, x int);
CREATE TABLE b (id int, y int);
INSERT INTO a VALUES (1, 1), (2, 2), (3, 3);
INSERT INTO b VALUES (2, 20), (3, 30), (4, 40);
-- every row of both sides, each once
SELECT * FROM a FULL JOIN b ON a.id = b.id ORDER BY 1, 3;
SELECT * FROM a NATURAL FULL JOIN b ORDER BY id;
SELECT * FROM a RIGHT JOIN b ON a.id = b.id ORDER BY b.id;
-- a condition above the join on the side that may be null
SELECT a.id FROM a LEFT JOIN b ON b.id = a.id AND b.y > 20 WHERE b.id IS NULL ORDER BY 1;
SELECT a.id, b.y FROM a LEFT JOIN (b JOIN b c USING (id, y)) ON a.id = b.id WHERE c.y IS NULL OR c.y > 20 ORDER BY 1;
