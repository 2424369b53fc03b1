-- GROUPING SETS, ROLLUP, CUBE, GROUPING(); ordered-set and hypothetical-set aggregates.
CREATE TABLE sales (region text, item text, year int, amount numeric);
INSERT INTO sales VALUES ('n', 'x', 2020, 10), ('n', 'x', 2021, 20), ('n', 'y', 2020, 5), ('s', 'x', 2020, 7), ('s', 'y', 2021, 8),
  ('s', 'y', 2021, NULL), (NULL, 'x', 2020, 1);
SELECT region, item, sum(amount), count(*), grouping(region, item) FROM sales GROUP BY ROLLUP (region, item)
ORDER BY grouping(region, item), region, item;
SELECT region, year, sum(amount) FROM sales GROUP BY CUBE (region, year) ORDER BY grouping(region), grouping(year), 1, 2;
SELECT region, item, year, count(*) FROM sales GROUP BY GROUPING SETS ((region, item), (year), ()) ORDER BY 1, 2, 3;
SELECT region, item, year, count(*) FROM sales GROUP BY region, ROLLUP (item, year) ORDER BY 1, 2, 3;
SELECT region, item, count(*) FROM sales GROUP BY ROLLUP ((region, item)) ORDER BY 1, 2;
SELECT region, grouping(region) AS g, sum(amount) FROM sales GROUP BY GROUPING SETS (region, ()) HAVING grouping(region) = 1 OR sum(amount) > 10 ORDER BY 1;
SELECT region, count(DISTINCT item), string_agg(item, ',' ORDER BY item DESC) FROM sales GROUP BY ROLLUP (region) ORDER BY grouping(region), region;
SELECT region || '!' AS r, sum(amount) FROM sales GROUP BY ROLLUP (region || '!') ORDER BY grouping(region || '!'), 1;
SELECT count(*), sum(amount) FROM sales WHERE false GROUP BY GROUPING SETS ((), ());
SELECT region, count(*) FROM sales WHERE false GROUP BY GROUPING SETS (region, ());
SELECT DISTINCT region, item FROM sales GROUP BY DISTINCT ROLLUP (region, item), ROLLUP (region) ORDER BY 1, 2;
SELECT region, count(*) FROM sales GROUP BY DISTINCT ROLLUP (region), ROLLUP (region) ORDER BY 1, 2;
SELECT region, sum(amount), rank() OVER (ORDER BY sum(amount) DESC NULLS LAST) FROM sales GROUP BY ROLLUP (region) ORDER BY 3;
SELECT grouping(item) FROM sales GROUP BY region;

SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), percentile_disc(0.5) WITHIN GROUP (ORDER BY amount),
       mode() WITHIN GROUP (ORDER BY item) FROM sales;
SELECT region, percentile_cont(0.25) WITHIN GROUP (ORDER BY amount DESC), percentile_disc(0.9) WITHIN GROUP (ORDER BY item)
FROM sales GROUP BY region ORDER BY region;
SELECT percentile_cont(ARRAY[0, 0.25, NULL, 1]) WITHIN GROUP (ORDER BY year), percentile_disc(ARRAY[[0.1, 0.5], [0.9, 1]]) WITHIN GROUP (ORDER BY item) FROM sales;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY i) FROM (VALUES (interval '1 day'), ('3 days'), ('10 days 4 hours')) v(i);
SELECT percentile_cont(0.3) WITHIN GROUP (ORDER BY i) FROM (VALUES (interval '1 day'), ('2 days')) v(i);
SELECT rank(7) WITHIN GROUP (ORDER BY amount), dense_rank(7) WITHIN GROUP (ORDER BY amount), percent_rank(7) WITHIN GROUP (ORDER BY amount),
       cume_dist(7) WITHIN GROUP (ORDER BY amount) FROM sales;
SELECT rank('x', 2021) WITHIN GROUP (ORDER BY item, year DESC) FROM sales;
SELECT mode() WITHIN GROUP (ORDER BY amount) FILTER (WHERE region = 's') FROM sales;
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY amount) FROM sales WHERE false;
SELECT rank(1) WITHIN GROUP (ORDER BY amount) FROM sales WHERE false;
SELECT percentile_cont(1.5) WITHIN GROUP (ORDER BY amount) FROM sales;
SELECT percentile_disc(0.5) FROM sales;
EXPLAIN (COSTS OFF) SELECT region, item, grouping(region, item), sum(amount) FROM sales GROUP BY GROUPING SETS ((region), (item)) HAVING grouping(region) < 2 ORDER BY 3, 1, 2;
-- A column grouped by twice is null only where its own set does not have it.
SELECT * FROM (SELECT region AS a, region AS b, count(*) FROM sales GROUP BY a, ROLLUP (b)) s ORDER BY 1, 2, 3;
SELECT * FROM (SELECT year AS a, year AS b, year AS c, grouping(year), count(*) FROM sales GROUP BY ROLLUP (a, b, c)) s ORDER BY 1, 2, 3, 5;
SELECT * FROM (SELECT g % 2 AS a, g % 2 AS b, sum(g) FROM generate_series(1, 5) g GROUP BY CUBE (a, b)) s ORDER BY 1, 2, 3;
SELECT * FROM (SELECT region AS a, region AS b, string_agg(item, ',' ORDER BY item) FROM sales GROUP BY GROUPING SETS ((a), (b), ())) s ORDER BY 1, 2, 3;
SELECT * FROM (SELECT region AS a, region AS b, count(*) FROM sales GROUP BY GROUPING SETS ((a), (b)) HAVING region IS NOT NULL) s ORDER BY 1, 2, 3;
-- GROUPING in a subquery, of a query around it
SELECT (SELECT grouping(v1)) FROM (VALUES ((SELECT 1))) v(v1) GROUP BY v1;
SELECT (SELECT grouping(v1)) FROM (VALUES ((SELECT 1))) v(v1) GROUP BY CUBE (v1) ORDER BY 1;
SELECT e, (SELECT (SELECT grouping(e, f) FROM (VALUES (1)) v2(c)) FROM (VALUES (1, 2)) v1(a, b) GROUP BY (a, b))
FROM (VALUES (6, 7)) v3(e, f) GROUP BY ROLLUP (e, f) ORDER BY 1, 2;
SELECT (SELECT (SELECT grouping(a, b) FROM (VALUES (1)) v2(c)) FROM (VALUES (1, 2)) v1(a, b) GROUP BY (a, b))
FROM (VALUES (6, 7)) v3(e, f) GROUP BY CUBE ((e + 1), (f + 1)) ORDER BY (e + 1), (f + 1);
SELECT e, count(*), (SELECT max(x) + grouping(e) FROM generate_series(1, 3) x) FROM (VALUES (1), (1), (2)) v(e) GROUP BY ROLLUP (e) ORDER BY e;
