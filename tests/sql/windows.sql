-- Window functions: ranking, neighbours, frames of every mode, aggregates over frames.
CREATE TABLE pay (id int, dept text, salary int, bonus numeric, since date);
INSERT INTO pay VALUES
  (1, 'a', 100, 1.5, '2020-01-01'), (2, 'a', 200, 2.25, '2020-03-01'), (3, 'a', 200, NULL, '2020-03-15'),
  (4, 'a', 300, 0.75, '2021-01-01'), (5, 'b', 50, 3, '2019-05-05'), (6, 'b', NULL, 4, '2020-02-02'),
  (7, 'b', 70, NULL, NULL), (8, 'c', 10, 10, '2022-12-31');

SELECT id, dept, row_number() OVER (PARTITION BY dept ORDER BY salary, id) FROM pay ORDER BY id;
SELECT id, salary, rank() OVER w, dense_rank() OVER w, percent_rank() OVER w, cume_dist() OVER w
FROM pay WINDOW w AS (ORDER BY salary NULLS FIRST) ORDER BY salary NULLS FIRST, id;
SELECT id, ntile(3) OVER (ORDER BY id), ntile(20) OVER (ORDER BY id), ntile(NULL) OVER (ORDER BY id) FROM pay ORDER BY id;
SELECT id, lag(id) OVER w, lag(id, 2) OVER w, lag(id, 2, -1) OVER w, lead(dept) OVER w, lead(salary, 1, 0) OVER w, lead(id, -1) OVER w
FROM pay WINDOW w AS (PARTITION BY dept ORDER BY id) ORDER BY id;
SELECT id, first_value(id) OVER w, last_value(id) OVER w, nth_value(id, 2) OVER w
FROM pay WINDOW w AS (PARTITION BY dept ORDER BY salary) ORDER BY id;
SELECT id, sum(salary) OVER (PARTITION BY dept) AS total, sum(salary) OVER (PARTITION BY dept ORDER BY id) AS running,
       count(*) OVER () AS n, avg(bonus) OVER (PARTITION BY dept) AS bonus FROM pay ORDER BY id;
SELECT id, sum(id) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS s,
       sum(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS p,
       sum(id) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS r,
       max(bonus) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS m,
       count(bonus) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS c FROM pay ORDER BY id;
SELECT id, salary, sum(id) OVER (ORDER BY salary RANGE BETWEEN 50 PRECEDING AND 50 FOLLOWING) AS near,
       count(*) OVER (ORDER BY salary DESC RANGE BETWEEN 100 PRECEDING AND CURRENT ROW) AS above,
       count(*) OVER (ORDER BY salary NULLS FIRST RANGE BETWEEN 10 PRECEDING AND 10 FOLLOWING) AS nf FROM pay ORDER BY id;
SELECT id, since, count(*) OVER (ORDER BY since RANGE BETWEEN '1 month' PRECEDING AND '2 months' FOLLOWING) FROM pay ORDER BY id;
SELECT id, salary, sum(id) OVER (ORDER BY salary GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS g,
       sum(id) OVER (ORDER BY salary GROUPS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS h FROM pay ORDER BY salary, id;
SELECT id, array_agg(id) OVER (w EXCLUDE CURRENT ROW) AS c, array_agg(id) OVER (w EXCLUDE GROUP) AS g, array_agg(id) OVER (w EXCLUDE TIES) AS t,
       first_value(id) OVER (w EXCLUDE CURRENT ROW) AS f, last_value(id) OVER (w EXCLUDE GROUP) AS l
FROM pay WINDOW w AS (ORDER BY salary ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY salary, id;
SELECT id, count(*) FILTER (WHERE salary > 100) OVER (PARTITION BY dept ORDER BY id) FROM pay ORDER BY id;
SELECT dept, sum(salary), rank() OVER (ORDER BY sum(salary) DESC), sum(sum(salary)) OVER () FROM pay GROUP BY dept ORDER BY dept;
SELECT * FROM (SELECT id, dept, row_number() OVER (PARTITION BY dept ORDER BY salary DESC NULLS LAST, id) AS place FROM pay) s WHERE place = 1 ORDER BY id;
SELECT id, row_number() OVER (ORDER BY id DESC) AS r FROM pay ORDER BY r LIMIT 3;
SELECT DISTINCT dept, count(*) OVER (PARTITION BY dept) FROM pay ORDER BY dept;
SELECT id, string_agg(dept, ',') OVER (ORDER BY id ROWS 1 PRECEDING) FROM pay ORDER BY id;
SELECT id, sum(bonus) OVER (ORDER BY id ROWS 1 PRECEDING), avg(salary::float8) OVER (ORDER BY id ROWS 1 PRECEDING) FROM pay ORDER BY id;
SELECT row_number() OVER (), id FROM pay WHERE false;
SELECT n, sum(n) OVER (ORDER BY n ROWS BETWEEN 3 PRECEDING AND CURRENT ROW), lag(n, 2) OVER (ORDER BY n)
FROM generate_series(1, 3000) n ORDER BY n DESC LIMIT 3;
SET work_mem = '64kB';
SELECT count(*), sum(total), sum(r), sum(first), sum(l) FROM (SELECT sum(n) OVER (PARTITION BY n % 3 ORDER BY n) AS total,
  row_number() OVER (PARTITION BY n % 3 ORDER BY n DESC) AS r, first_value(n) OVER (PARTITION BY n % 3 ORDER BY n) AS first,
  lead(n, 5) OVER (PARTITION BY n % 3 ORDER BY n) AS l FROM generate_series(1, 20000) n) s;
RESET work_mem;

-- errors
SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN -1 PRECEDING AND CURRENT ROW) FROM pay;
SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN NULL PRECEDING AND CURRENT ROW) FROM pay;
SELECT sum(id) OVER (ORDER BY id RANGE BETWEEN -1 PRECEDING AND CURRENT ROW) FROM pay;
SELECT ntile(0) OVER (ORDER BY id) FROM pay;
SELECT nth_value(id, 0) OVER (ORDER BY id) FROM pay;
SELECT id FROM pay WHERE row_number() OVER () = 1;
SELECT rank() FROM pay;
SELECT sum(row_number() OVER ()) FROM pay;

EXPLAIN (COSTS OFF) SELECT id, rank() OVER (PARTITION BY dept ORDER BY salary), sum(id) OVER (PARTITION BY dept) FROM pay;
EXPLAIN (COSTS OFF) SELECT id, rank() OVER (ORDER BY salary) FROM pay ORDER BY salary;
