-- The database that shop.dump is a pg_dump of (made by a real PostgreSQL: see README.md).
CREATE SCHEMA shop AUTHORIZATION shop_owner;
COMMENT ON SCHEMA shop IS 'Where everything is';
CREATE SCHEMA "Odd Name";

CREATE SEQUENCE shop.ticket START 1000 INCREMENT 5 MINVALUE 10 MAXVALUE 100000 CACHE 3 CYCLE;
CREATE SEQUENCE shop.small AS smallint;

CREATE TABLE shop.customer (
  id serial PRIMARY KEY,
  name varchar(80) NOT NULL,
  email text UNIQUE,
  born date,
  joined timestamptz NOT NULL DEFAULT '2024-01-01 00:00:00+00',
  credit numeric(12,2) DEFAULT 0.00 CHECK (credit >= -1000),
  tags text[] DEFAULT '{}'::text[],
  details jsonb,
  photo bytea,
  code char(5),
  vip boolean DEFAULT false NOT NULL,
  CONSTRAINT named CHECK (name <> '' AND length(name) < 80)
);
ALTER TABLE shop.customer OWNER TO shop_owner;
COMMENT ON TABLE shop.customer IS 'People who buy';
COMMENT ON COLUMN shop.customer.email IS 'It''s unique';
COMMENT ON CONSTRAINT named ON shop.customer IS 'not empty';

CREATE TABLE shop.product (
  sku text COLLATE "C" PRIMARY KEY,
  title text NOT NULL,
  price numeric(10,2) NOT NULL,
  weight double precision,
  added timestamp DEFAULT '2020-02-29 12:00:00',
  life interval,
  uid uuid,
  flags smallint[],
  "Weird ""Column""" int DEFAULT 7
);
COMMENT ON COLUMN shop.product."Weird ""Column""" IS 'quoted';

CREATE TABLE shop.purchase (
  id bigint GENERATED ALWAYS AS IDENTITY (START WITH 100) PRIMARY KEY,
  customer_id int NOT NULL REFERENCES shop.customer ON DELETE CASCADE,
  ticket bigint DEFAULT nextval('shop.ticket'::regclass),
  placed timestamptz DEFAULT now(),
  paid boolean
);
CREATE TABLE shop.line (
  purchase_id bigint REFERENCES shop.purchase(id) ON UPDATE CASCADE ON DELETE RESTRICT,
  number int,
  sku text COLLATE "C" REFERENCES shop.product(sku) ON DELETE SET NULL,
  amount int NOT NULL DEFAULT 1,
  PRIMARY KEY (purchase_id, number)
);
CREATE UNIQUE INDEX product_title ON shop.product (lower(title));
CREATE INDEX purchase_unpaid ON shop.purchase (customer_id, placed DESC NULLS LAST) WHERE NOT paid;
CREATE INDEX line_sku ON shop.line (sku) INCLUDE (amount);
COMMENT ON INDEX shop.line_sku IS 'covering';

CREATE VIEW shop.totals AS
  SELECT c.name, count(DISTINCT p.id) AS purchases, COALESCE(sum(l.amount::numeric * r.price), 0) AS total
  FROM shop.customer c
       LEFT JOIN shop.purchase p ON p.customer_id = c.id
       LEFT JOIN shop.line l ON l.purchase_id = p.id
       LEFT JOIN shop.product r USING (sku)
  GROUP BY c.name;
ALTER VIEW shop.totals OWNER TO shop_owner;
COMMENT ON VIEW shop.totals IS 'What everybody spent';
CREATE VIEW shop.rich WITH (security_barrier = true) AS
  SELECT name, total FROM shop.totals WHERE total > (SELECT avg(total) FROM shop.totals) ORDER BY total DESC;
CREATE VIEW shop.cases AS
  SELECT id, CASE WHEN vip THEN 'vip' WHEN credit < 0 THEN 'debtor' ELSE 'normal' END AS kind,
         name || ' <' || COALESCE(email, '?') || '>' AS address, tags[1] AS first_tag, details ->> 'city' AS city
  FROM shop.customer WHERE name LIKE 'A%' OR id IN (SELECT customer_id FROM shop.purchase WHERE paid) OR born BETWEEN '1970-01-01' AND '1999-12-31';
CREATE VIEW shop.levels AS
  WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5)
  SELECT i, (SELECT max(s.sku) FROM shop.product s WHERE length(s.sku) > n.i) AS sku FROM n;

CREATE TABLE "Odd Name"."Table With Spaces" ("select" int, "UPPER" text);
CREATE TABLE public.empty ();
CREATE UNLOGGED TABLE public.cache (k text PRIMARY KEY, v text);
ALTER TABLE public.cache SET (fillfactor = 70);
ALTER TABLE shop.product ALTER COLUMN title SET STATISTICS 500;
ALTER TABLE shop.product ALTER COLUMN title SET STORAGE EXTERNAL;

GRANT SELECT ON ALL TABLES IN SCHEMA shop TO shop_owner;
GRANT USAGE ON SCHEMA shop TO shop_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA shop TO shop_reader;
GRANT INSERT, UPDATE (name, email) ON shop.customer TO shop_writer WITH GRANT OPTION;
GRANT USAGE ON SEQUENCE shop.ticket TO shop_writer;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CREATE, USAGE ON SCHEMA public TO shop_writer;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner IN SCHEMA shop GRANT SELECT ON TABLES TO shop_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE shop_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;

INSERT INTO shop.customer (name, email, born, credit, tags, details, photo, code, vip) VALUES
  ('Anna', 'anna@example.org', '1980-05-17', 100.50, '{a,"b c",NULL}', '{"city": "Rome", "n": [1, 2.50, null]}', '\x00ff10', 'AB', true),
  ('Bob ''the'' Builder', NULL, NULL, -5, NULL, NULL, NULL, NULL, false),
  (E'Tab\tand\nnewline\\', 'c@example.org', 'infinity', NULL, '{}', '"text"', '', 'abcde', false);
INSERT INTO shop.product (sku, title, price, weight, life, uid, flags) VALUES
  ('A-1', 'Äpfel', 1.20, 'NaN', '1 mon 2 days 03:04:05.6', '3f333df6-90a4-4fda-8dd3-9485d27cee36', '{1,2}'),
  ('B-22', 'Brot', 3.50, 1e-10, NULL, NULL, NULL), ('C-333', 'Çay', 0.00, '-Infinity', '-1 day', NULL, '{{1,2},{3,4}}');
INSERT INTO shop.purchase (customer_id, placed, paid) SELECT 1 + i % 3, '2024-03-01'::timestamptz + i * '1 hour'::interval, i % 2 = 0 FROM generate_series(1, 10) i;
INSERT INTO shop.line SELECT 100 + i % 10, i, (ARRAY['A-1','B-22','C-333',NULL])[1 + i % 4], i FROM generate_series(1, 30) i;
INSERT INTO "Odd Name"."Table With Spaces" VALUES (1, 'x');
INSERT INTO public.cache VALUES ('k', 'v');
SELECT nextval('shop.small'), nextval('shop.small');
