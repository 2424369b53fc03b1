-- The views of information_schema, as the SQL standard describes them, over pg_catalog. Columns have the base types of the standard's domains, which is
-- how the protocol shows them. Made by `walden init` in this order.
--view information_schema
CREATE SCHEMA information_schema
--view grant of information_schema
GRANT USAGE ON SCHEMA information_schema TO PUBLIC
--view information_schema.information_schema_catalog_name
CREATE VIEW information_schema.information_schema_catalog_name AS
  SELECT pg_catalog.current_database()::name AS catalog_name
--view grant of information_schema.information_schema_catalog_name
GRANT SELECT ON information_schema.information_schema_catalog_name TO PUBLIC
--view information_schema.enabled_roles
CREATE VIEW information_schema.enabled_roles AS
  SELECT a.rolname AS role_name FROM pg_catalog.pg_authid a WHERE pg_catalog.pg_has_role(a.oid, 'USAGE')
--view grant of information_schema.enabled_roles
GRANT SELECT ON information_schema.enabled_roles TO PUBLIC
--view information_schema.applicable_roles
CREATE VIEW information_schema.applicable_roles AS
  SELECT a.rolname AS grantee, b.rolname AS role_name, CASE WHEN m.admin_option THEN 'YES' ELSE 'NO' END::varchar(3) AS is_grantable
  FROM (SELECT member, roleid, admin_option FROM pg_catalog.pg_auth_members
        UNION SELECT d.datdba, r.oid, false FROM pg_catalog.pg_database d, pg_catalog.pg_authid r
        WHERE d.datname = pg_catalog.current_database() AND r.rolname = 'pg_database_owner') m
       JOIN pg_catalog.pg_authid a ON m.member = a.oid JOIN pg_catalog.pg_authid b ON m.roleid = b.oid
  WHERE pg_catalog.pg_has_role(a.oid, 'USAGE')
--view grant of information_schema.applicable_roles
GRANT SELECT ON information_schema.applicable_roles TO PUBLIC
--view information_schema.administrable_role_authorizations
CREATE VIEW information_schema.administrable_role_authorizations AS
  SELECT grantee, role_name, is_grantable FROM information_schema.applicable_roles WHERE is_grantable = 'YES'
--view grant of information_schema.administrable_role_authorizations
GRANT SELECT ON information_schema.administrable_role_authorizations TO PUBLIC
--view information_schema.schemata
CREATE VIEW information_schema.schemata AS
  SELECT pg_catalog.current_database()::name AS catalog_name, n.nspname AS schema_name, u.rolname AS schema_owner,
         NULL::name AS default_character_set_catalog, NULL::name AS default_character_set_schema,
         NULL::name AS default_character_set_name, NULL::varchar AS sql_path
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_authid u ON n.nspowner = u.oid
  WHERE pg_catalog.pg_has_role(n.nspowner, 'USAGE') OR pg_catalog.has_schema_privilege(n.oid, 'CREATE, USAGE')
--view grant of information_schema.schemata
GRANT SELECT ON information_schema.schemata TO PUBLIC
--view information_schema.tables
CREATE VIEW information_schema.tables AS
  SELECT pg_catalog.current_database()::name AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
         CASE WHEN n.oid = pg_catalog.pg_my_temp_schema() THEN 'LOCAL TEMPORARY' WHEN c.relkind IN ('r', 'p') THEN 'BASE TABLE'
              WHEN c.relkind = 'v' THEN 'VIEW' WHEN c.relkind = 'f' THEN 'FOREIGN' END::varchar AS table_type,
         NULL::name AS self_referencing_column_name, NULL::varchar AS reference_generation,
         CASE WHEN t.typname IS NOT NULL THEN pg_catalog.current_database() END::name AS user_defined_type_catalog,
         tn.nspname AS user_defined_type_schema, t.typname AS user_defined_type_name,
         CASE WHEN c.relkind IN ('r', 'p') OR (c.relkind IN ('v', 'f') AND pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8) THEN 'YES' ELSE 'NO' END::varchar(3) AS is_insertable_into,
         CASE WHEN t.typname IS NOT NULL THEN 'YES' ELSE 'NO' END::varchar(3) AS is_typed, NULL::varchar AS commit_action
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON n.oid = c.relnamespace
       LEFT JOIN (pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON t.typnamespace = tn.oid) ON c.reloftype = t.oid
  WHERE c.relkind IN ('r', 'v', 'f', 'p') AND NOT pg_catalog.pg_is_other_temp_schema(n.oid) AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
--view grant of information_schema.tables
GRANT SELECT ON information_schema.tables TO PUBLIC
--view information_schema.columns
CREATE VIEW information_schema.columns AS
  SELECT pg_catalog.current_database()::name AS table_catalog, x.nspname AS table_schema, x.relname AS table_name, x.attname AS column_name,
         x.attnum::integer AS ordinal_position,
         CASE WHEN x.attgenerated = '' THEN pg_catalog.pg_get_expr(x.adbin, x.adrelid) END::varchar AS column_default,
         CASE WHEN x.attnotnull OR (x.typtype = 'd' AND x.typnotnull) THEN 'NO' ELSE 'YES' END::varchar(3) AS is_nullable,
         CASE WHEN x.base_elem <> 0 AND x.base_len = -1 THEN 'ARRAY' WHEN x.base_nspname = 'pg_catalog' THEN pg_catalog.format_type(x.base_type, NULL)
              ELSE 'USER-DEFINED' END::varchar AS data_type,
         CASE WHEN x.base_type IN (1042, 1043) AND x.base_typmod <> -1 THEN x.base_typmod - 4 WHEN x.base_type IN (1560, 1562) AND x.base_typmod <> -1 THEN x.base_typmod END::integer AS character_maximum_length,
         CASE WHEN x.base_type IN (25, 1042, 1043) THEN CASE WHEN x.base_type = 25 OR x.base_typmod = -1 THEN 1073741824 ELSE (x.base_typmod - 4) * 4 END END::integer AS character_octet_length,
         CASE x.base_type WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
              WHEN 1700 THEN CASE WHEN x.base_typmod <> -1 THEN ((x.base_typmod - 4) >> 16) & 65535 END END::integer AS numeric_precision,
         CASE WHEN x.base_type IN (20, 21, 23, 700, 701) THEN 2 WHEN x.base_type = 1700 THEN 10 END::integer AS numeric_precision_radix,
         CASE WHEN x.base_type IN (20, 21, 23) THEN 0 WHEN x.base_type = 1700 AND x.base_typmod <> -1 THEN (x.base_typmod - 4) & 65535 END::integer AS numeric_scale,
         CASE WHEN x.base_type = 1082 THEN 0 WHEN x.base_type IN (1083, 1114, 1184, 1266) THEN CASE WHEN x.base_typmod < 0 THEN 6 ELSE x.base_typmod END
              WHEN x.base_type = 1186 THEN CASE WHEN x.base_typmod < 0 OR x.base_typmod & 65535 = 65535 THEN 6 ELSE x.base_typmod & 65535 END END::integer AS datetime_precision,
         CASE WHEN x.base_type = 1186 AND x.base_typmod >= 0 THEN pg_catalog.upper(substring(pg_catalog.format_type(x.base_type, x.base_typmod) FROM 'interval[()0-9]* ([a-z ]*)')) END::varchar AS interval_type,
         NULL::integer AS interval_precision,
         NULL::name AS character_set_catalog, NULL::name AS character_set_schema, NULL::name AS character_set_name,
         CASE WHEN x.collname IS NOT NULL THEN pg_catalog.current_database() END::name AS collation_catalog,
         x.coll_nspname AS collation_schema, x.collname AS collation_name,
         CASE WHEN x.typtype = 'd' THEN pg_catalog.current_database() END::name AS domain_catalog,
         CASE WHEN x.typtype = 'd' THEN x.type_nspname END::name AS domain_schema,
         CASE WHEN x.typtype = 'd' THEN x.typname END::name AS domain_name,
         pg_catalog.current_database()::name AS udt_catalog, x.base_nspname AS udt_schema, x.base_name AS udt_name,
         NULL::name AS scope_catalog, NULL::name AS scope_schema, NULL::name AS scope_name,
         NULL::integer AS maximum_cardinality, x.attnum::text::name AS dtd_identifier, 'NO'::varchar(3) AS is_self_referencing,
         CASE WHEN x.attidentity IN ('a', 'd') THEN 'YES' ELSE 'NO' END::varchar(3) AS is_identity,
         CASE x.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END::varchar AS identity_generation,
         s.seqstart::varchar AS identity_start, s.seqincrement::varchar AS identity_increment, s.seqmax::varchar AS identity_maximum,
         s.seqmin::varchar AS identity_minimum, CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END::varchar(3) AS identity_cycle,
         CASE WHEN x.attgenerated <> '' THEN 'ALWAYS' ELSE 'NEVER' END::varchar AS is_generated,
         CASE WHEN x.attgenerated <> '' THEN pg_catalog.pg_get_expr(x.adbin, x.adrelid) END::varchar AS generation_expression,
         CASE WHEN x.relkind IN ('r', 'p') OR (x.relkind IN ('v', 'f') AND pg_catalog.pg_column_is_updatable(x.relid, x.attnum, false)) THEN 'YES' ELSE 'NO' END::varchar(3) AS is_updatable
  FROM (SELECT n.nspname, c.relname, c.oid AS relid, c.relkind, a.attname, a.attnum, a.attnotnull, a.attidentity, a.attgenerated, ad.adbin, ad.adrelid,
               t.typtype, t.typnotnull, t.typname, tn.nspname AS type_nspname,
               COALESCE(b.oid, t.oid) AS base_type, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS base_typmod, COALESCE(b.typelem, t.typelem) AS base_elem,
               COALESCE(b.typlen, t.typlen) AS base_len, COALESCE(b.typname, t.typname) AS base_name,
               COALESCE(bn.nspname, tn.nspname) AS base_nspname, co.collname, cn.nspname AS coll_nspname
        FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON a.attrelid = c.oid
             JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid
             JOIN pg_catalog.pg_type t ON a.atttypid = t.oid JOIN pg_catalog.pg_namespace tn ON t.typnamespace = tn.oid
             LEFT JOIN pg_catalog.pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
             LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND t.typbasetype = b.oid
             LEFT JOIN pg_catalog.pg_namespace bn ON b.typnamespace = bn.oid
             LEFT JOIN pg_catalog.pg_collation co ON a.attcollation = co.oid AND co.collname <> 'default'
             LEFT JOIN pg_catalog.pg_namespace cn ON co.collnamespace = cn.oid
        WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p') AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
              AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))) x
       LEFT JOIN (pg_catalog.pg_depend d JOIN pg_catalog.pg_sequence s ON d.classid = 1259 AND d.objid = s.seqrelid AND d.deptype = 'i')
              ON d.refclassid = 1259 AND d.refobjid = x.relid AND d.refobjsubid = x.attnum AND x.attidentity <> ''
--view grant of information_schema.columns
GRANT SELECT ON information_schema.columns TO PUBLIC
--view information_schema.views
CREATE VIEW information_schema.views AS
  SELECT pg_catalog.current_database()::name AS table_catalog, n.nspname AS table_schema, c.relname AS table_name,
         CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE') THEN pg_catalog.pg_get_viewdef(c.oid) END::varchar AS view_definition,
         CASE WHEN 'check_option=cascaded' = ANY (c.reloptions) THEN 'CASCADED' WHEN 'check_option=local' = ANY (c.reloptions) THEN 'LOCAL'
              ELSE 'NONE' END::varchar AS check_option,
         CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 20 = 20 THEN 'YES' ELSE 'NO' END::varchar(3) AS is_updatable,
         CASE WHEN pg_catalog.pg_relation_is_updatable(c.oid, false) & 8 = 8 THEN 'YES' ELSE 'NO' END::varchar(3) AS is_insertable_into,
         CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 81 = 81) THEN 'YES' ELSE 'NO' END::varchar(3) AS is_trigger_updatable,
         CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 73 = 73) THEN 'YES' ELSE 'NO' END::varchar(3) AS is_trigger_deletable,
         CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid AND t.tgtype & 69 = 69) THEN 'YES' ELSE 'NO' END::varchar(3) AS is_trigger_insertable_into
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON n.oid = c.relnamespace
  WHERE c.relkind = 'v' AND NOT pg_catalog.pg_is_other_temp_schema(n.oid) AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
--view grant of information_schema.views
GRANT SELECT ON information_schema.views TO PUBLIC
--view information_schema.view_table_usage
CREATE VIEW information_schema.view_table_usage AS
  SELECT DISTINCT pg_catalog.current_database()::name AS view_catalog, nv.nspname AS view_schema, v.relname AS view_name,
         pg_catalog.current_database()::name AS table_catalog, nt.nspname AS table_schema, t.relname AS table_name
  FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace nv ON v.relnamespace = nv.oid
       JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid
       JOIN pg_catalog.pg_depend d ON d.classid = 2618 AND d.objid = r.oid AND d.refclassid = 1259 AND d.refobjid <> v.oid
       JOIN pg_catalog.pg_class t ON d.refobjid = t.oid JOIN pg_catalog.pg_namespace nt ON t.relnamespace = nt.oid
  WHERE v.relkind = 'v' AND t.relkind IN ('r', 'v', 'f', 'p') AND pg_catalog.pg_has_role(t.relowner, 'USAGE')
--view grant of information_schema.view_table_usage
GRANT SELECT ON information_schema.view_table_usage TO PUBLIC
--view information_schema.view_column_usage
CREATE VIEW information_schema.view_column_usage AS
  SELECT DISTINCT pg_catalog.current_database()::name AS view_catalog, nv.nspname AS view_schema, v.relname AS view_name,
         pg_catalog.current_database()::name AS table_catalog, nt.nspname AS table_schema, t.relname AS table_name, a.attname AS column_name
  FROM pg_catalog.pg_class v JOIN pg_catalog.pg_namespace nv ON v.relnamespace = nv.oid
       JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid
       JOIN pg_catalog.pg_depend d ON d.classid = 2618 AND d.objid = r.oid AND d.refclassid = 1259 AND d.refobjid <> v.oid
       JOIN pg_catalog.pg_class t ON d.refobjid = t.oid JOIN pg_catalog.pg_namespace nt ON t.relnamespace = nt.oid
       JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
  WHERE v.relkind = 'v' AND t.relkind IN ('r', 'v', 'f', 'p') AND pg_catalog.pg_has_role(t.relowner, 'USAGE')
--view grant of information_schema.view_column_usage
GRANT SELECT ON information_schema.view_column_usage TO PUBLIC
--view information_schema.table_constraints
CREATE VIEW information_schema.table_constraints AS
  SELECT pg_catalog.current_database()::name AS constraint_catalog, nc.nspname AS constraint_schema, c.conname AS constraint_name,
         pg_catalog.current_database()::name AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name,
         CASE c.contype WHEN 'c' THEN 'CHECK' WHEN 'f' THEN 'FOREIGN KEY' WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' END::varchar AS constraint_type,
         CASE WHEN c.condeferrable THEN 'YES' ELSE 'NO' END::varchar(3) AS is_deferrable, CASE WHEN c.condeferred THEN 'YES' ELSE 'NO' END::varchar(3) AS initially_deferred, 'YES'::varchar(3) AS enforced,
         CASE WHEN c.contype = 'u' THEN CASE WHEN NOT i.indnullsnotdistinct THEN 'YES' ELSE 'NO' END::varchar(3) END::varchar(3) AS nulls_distinct
  FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace
       JOIN pg_catalog.pg_class r ON c.conrelid = r.oid JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
       LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.conindid
  WHERE c.contype NOT IN ('t', 'x') AND r.relkind IN ('r', 'p') AND NOT pg_catalog.pg_is_other_temp_schema(nr.oid) AND (pg_catalog.pg_has_role(r.relowner, 'USAGE') OR pg_catalog.has_table_privilege(r.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR pg_catalog.has_any_column_privilege(r.oid, 'INSERT, UPDATE, REFERENCES'))
  UNION ALL
  SELECT pg_catalog.current_database()::name, nr.nspname, (nr.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name,
         pg_catalog.current_database()::name, nr.nspname, r.relname, 'CHECK'::varchar, 'NO'::varchar(3), 'NO'::varchar(3), 'YES'::varchar(3), NULL::varchar(3)
  FROM pg_catalog.pg_namespace nr JOIN pg_catalog.pg_class r ON nr.oid = r.relnamespace JOIN pg_catalog.pg_attribute a ON r.oid = a.attrelid
  WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p') AND NOT pg_catalog.pg_is_other_temp_schema(nr.oid)
        AND (pg_catalog.pg_has_role(r.relowner, 'USAGE') OR pg_catalog.has_table_privilege(r.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR pg_catalog.has_any_column_privilege(r.oid, 'INSERT, UPDATE, REFERENCES'))
--view grant of information_schema.table_constraints
GRANT SELECT ON information_schema.table_constraints TO PUBLIC
--view information_schema.key_column_usage
CREATE VIEW information_schema.key_column_usage AS
  SELECT pg_catalog.current_database()::name AS constraint_catalog, nc.nspname AS constraint_schema, c.conname AS constraint_name,
         pg_catalog.current_database()::name AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name, a.attname AS column_name, k.n::integer AS ordinal_position,
         CASE WHEN c.contype = 'f' THEN (SELECT f.n FROM pg_catalog.unnest(i.indkey::smallint[]) WITH ORDINALITY f(attnum, n) WHERE f.attnum = c.confkey[k.n]) END::integer
           AS position_in_unique_constraint
  FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace
       JOIN pg_catalog.pg_class r ON r.oid = c.conrelid JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
       LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.conindid
       CROSS JOIN LATERAL pg_catalog.unnest(c.conkey) WITH ORDINALITY k(attnum, n)
       JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = k.attnum
  WHERE c.contype IN ('p', 'u', 'f') AND r.relkind IN ('r', 'p') AND NOT a.attisdropped AND NOT pg_catalog.pg_is_other_temp_schema(nr.oid)
        AND (pg_catalog.pg_has_role(r.relowner, 'USAGE') OR pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT, INSERT, UPDATE, REFERENCES'))
--view grant of information_schema.key_column_usage
GRANT SELECT ON information_schema.key_column_usage TO PUBLIC
--view information_schema.constraint_column_usage
CREATE VIEW information_schema.constraint_column_usage AS
  SELECT DISTINCT pg_catalog.current_database()::name AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name, a.attname AS column_name,
         pg_catalog.current_database()::name AS constraint_catalog, nc.nspname AS constraint_schema, c.conname AS constraint_name
  FROM (SELECT c.oid, c.conname, c.connamespace, c.conrelid AS relid, pg_catalog.unnest(c.conkey) AS attnum
        FROM pg_catalog.pg_constraint c WHERE c.contype IN ('p', 'u', 'c')
        UNION ALL
        SELECT c.oid, c.conname, c.connamespace, c.confrelid, pg_catalog.unnest(c.confkey) FROM pg_catalog.pg_constraint c WHERE c.contype = 'f') c
       JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace
       JOIN pg_catalog.pg_class r ON r.oid = c.relid JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
       JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = c.attnum AND NOT a.attisdropped
  WHERE r.relkind IN ('r', 'p') AND pg_catalog.pg_has_role(r.relowner, 'USAGE')
--view grant of information_schema.constraint_column_usage
GRANT SELECT ON information_schema.constraint_column_usage TO PUBLIC
--view information_schema.constraint_table_usage
CREATE VIEW information_schema.constraint_table_usage AS
  SELECT pg_catalog.current_database()::name AS table_catalog, nr.nspname AS table_schema, r.relname AS table_name,
         pg_catalog.current_database()::name AS constraint_catalog, nc.nspname AS constraint_schema, c.conname AS constraint_name
  FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace
       JOIN pg_catalog.pg_class r ON r.oid = CASE WHEN c.contype = 'f' THEN c.confrelid ELSE c.conrelid END
       JOIN pg_catalog.pg_namespace nr ON nr.oid = r.relnamespace
  WHERE c.contype IN ('f', 'p', 'u') AND r.relkind IN ('r', 'p') AND pg_catalog.pg_has_role(r.relowner, 'USAGE')
--view grant of information_schema.constraint_table_usage
GRANT SELECT ON information_schema.constraint_table_usage TO PUBLIC
--view information_schema.referential_constraints
CREATE VIEW information_schema.referential_constraints AS
  SELECT pg_catalog.current_database()::name AS constraint_catalog, nc.nspname AS constraint_schema, c.conname AS constraint_name,
         CASE WHEN u.conname IS NOT NULL THEN pg_catalog.current_database() END::name AS unique_constraint_catalog,
         nu.nspname AS unique_constraint_schema, u.conname AS unique_constraint_name,
         CASE c.confmatchtype WHEN 'f' THEN 'FULL' WHEN 'p' THEN 'PARTIAL' WHEN 's' THEN 'NONE' END::varchar AS match_option,
         CASE c.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END::varchar AS update_rule, CASE c.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' WHEN 'r' THEN 'RESTRICT' WHEN 'a' THEN 'NO ACTION' END::varchar AS delete_rule
  FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace nc ON nc.oid = c.connamespace
       JOIN pg_catalog.pg_class r ON r.oid = c.conrelid
       LEFT JOIN pg_catalog.pg_constraint u ON u.conindid = c.conindid AND u.contype IN ('p', 'u') AND u.conrelid = c.confrelid
       LEFT JOIN pg_catalog.pg_namespace nu ON nu.oid = u.connamespace
  WHERE c.contype = 'f' AND (pg_catalog.pg_has_role(r.relowner, 'USAGE') OR pg_catalog.has_table_privilege(r.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR pg_catalog.has_any_column_privilege(r.oid, 'INSERT, UPDATE, REFERENCES'))
--view grant of information_schema.referential_constraints
GRANT SELECT ON information_schema.referential_constraints TO PUBLIC
--view information_schema.check_constraints
CREATE VIEW information_schema.check_constraints AS
  SELECT pg_catalog.current_database()::name AS constraint_catalog, n.nspname AS constraint_schema, c.conname AS constraint_name,
         pg_catalog.substr(pg_catalog.pg_get_constraintdef(c.oid), 7)::varchar AS check_clause
  FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
       LEFT JOIN pg_catalog.pg_class r ON r.oid = c.conrelid LEFT JOIN pg_catalog.pg_type t ON t.oid = c.contypid
  WHERE c.contype = 'c' AND pg_catalog.pg_has_role(COALESCE(r.relowner, t.typowner), 'USAGE')
  UNION ALL
  SELECT pg_catalog.current_database()::name, n.nspname, (n.oid::text || '_' || r.oid::text || '_' || a.attnum::text || '_not_null')::name, (a.attname || ' IS NOT NULL')::varchar
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid
  WHERE a.attnotnull AND a.attnum > 0 AND NOT a.attisdropped AND r.relkind IN ('r', 'p') AND pg_catalog.pg_has_role(r.relowner, 'USAGE')
--view grant of information_schema.check_constraints
GRANT SELECT ON information_schema.check_constraints TO PUBLIC
--view information_schema.sequences
CREATE VIEW information_schema.sequences AS
  SELECT pg_catalog.current_database()::name AS sequence_catalog, n.nspname AS sequence_schema, c.relname AS sequence_name,
         pg_catalog.format_type(s.seqtypid, NULL)::varchar AS data_type,
         CASE s.seqtypid WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 END::integer AS numeric_precision,
         2 AS numeric_precision_radix, 0 AS numeric_scale, s.seqstart::varchar AS start_value, s.seqmin::varchar AS minimum_value,
         s.seqmax::varchar AS maximum_value, s.seqincrement::varchar AS increment, CASE WHEN s.seqcycle THEN 'YES' ELSE 'NO' END::varchar(3) AS cycle_option
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
  WHERE c.relkind = 'S' AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'i')
        AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_sequence_privilege(c.oid, 'SELECT, UPDATE, USAGE'))
--view grant of information_schema.sequences
GRANT SELECT ON information_schema.sequences TO PUBLIC
--view information_schema.table_privileges
CREATE VIEW information_schema.table_privileges AS
  SELECT g.rolname AS grantor, COALESCE(e.rolname, 'PUBLIC')::name AS grantee, pg_catalog.current_database()::name AS table_catalog, n.nspname AS table_schema, p.relname AS table_name, p.privilege_type::varchar AS privilege_type,
         CASE WHEN p.is_grantable OR (p.grantee <> 0 AND pg_catalog.pg_has_role(p.grantee, p.relowner, 'USAGE')) THEN 'YES' ELSE 'NO' END::varchar(3) AS is_grantable, CASE WHEN p.privilege_type = 'SELECT' THEN 'YES' ELSE 'NO' END::varchar(3) AS with_hierarchy
  FROM (SELECT c.relname, c.relnamespace, c.relowner, a.grantor, a.grantee, a.privilege_type, a.is_grantable
        FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
        WHERE c.relkind IN ('r', 'v', 'f', 'p')) p
       JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace JOIN pg_catalog.pg_authid g ON g.oid = p.grantor LEFT JOIN pg_catalog.pg_authid e ON e.oid = p.grantee
  WHERE p.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER') AND (pg_catalog.pg_has_role(g.oid, 'USAGE') OR pg_catalog.pg_has_role(e.oid, 'USAGE') OR p.grantee = 0)
--view grant of information_schema.table_privileges
GRANT SELECT ON information_schema.table_privileges TO PUBLIC
--view information_schema.role_table_grants
CREATE VIEW information_schema.role_table_grants AS
  SELECT grantor, grantee, table_catalog, table_schema, table_name, privilege_type, is_grantable, with_hierarchy
  FROM information_schema.table_privileges
  WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles) OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
--view grant of information_schema.role_table_grants
GRANT SELECT ON information_schema.role_table_grants TO PUBLIC
--view information_schema.column_privileges
CREATE VIEW information_schema.column_privileges AS
  SELECT DISTINCT g.rolname AS grantor, COALESCE(e.rolname, 'PUBLIC')::name AS grantee, pg_catalog.current_database()::name AS table_catalog, n.nspname AS table_schema, p.relname AS table_name, p.attname AS column_name,
         p.privilege_type::varchar AS privilege_type, CASE WHEN p.is_grantable OR (p.grantee <> 0 AND pg_catalog.pg_has_role(p.grantee, p.relowner, 'USAGE')) THEN 'YES' ELSE 'NO' END::varchar(3) AS is_grantable
  FROM (SELECT c.relname, c.relnamespace, c.relowner, t.attname, a.grantor, a.grantee, a.privilege_type, a.is_grantable
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
             CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
        WHERE c.relkind IN ('r', 'v', 'f', 'p')
        UNION
        SELECT c.relname, c.relnamespace, c.relowner, t.attname, a.grantor, a.grantee, a.privilege_type, a.is_grantable
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute t ON t.attrelid = c.oid AND t.attnum > 0 AND NOT t.attisdropped
             CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) a
        WHERE c.relkind IN ('r', 'v', 'f', 'p')) p
       JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace JOIN pg_catalog.pg_authid g ON g.oid = p.grantor LEFT JOIN pg_catalog.pg_authid e ON e.oid = p.grantee
  WHERE p.privilege_type IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') AND (pg_catalog.pg_has_role(g.oid, 'USAGE') OR pg_catalog.pg_has_role(e.oid, 'USAGE') OR p.grantee = 0)
--view grant of information_schema.column_privileges
GRANT SELECT ON information_schema.column_privileges TO PUBLIC
--view information_schema.role_column_grants
CREATE VIEW information_schema.role_column_grants AS
  SELECT grantor, grantee, table_catalog, table_schema, table_name, column_name, privilege_type, is_grantable
  FROM information_schema.column_privileges
  WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles) OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
--view grant of information_schema.role_column_grants
GRANT SELECT ON information_schema.role_column_grants TO PUBLIC
--view information_schema.routines
CREATE VIEW information_schema.routines AS
  SELECT pg_catalog.current_database()::name AS specific_catalog, n.nspname AS specific_schema, pg_catalog.nameconcatoid(p.proname, p.oid) AS specific_name,
         pg_catalog.current_database()::name AS routine_catalog, n.nspname AS routine_schema, p.proname AS routine_name,
         CASE p.prokind WHEN 'f' THEN 'FUNCTION' WHEN 'p' THEN 'PROCEDURE' END::varchar AS routine_type,
         NULL::name AS module_catalog, NULL::name AS module_schema, NULL::name AS module_name, NULL::name AS udt_catalog, NULL::name AS udt_schema,
         NULL::name AS udt_name,
         CASE WHEN p.prokind = 'p' THEN NULL WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY'
              WHEN nt.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.oid, NULL) ELSE 'USER-DEFINED' END::varchar AS data_type,
         NULL::integer AS character_maximum_length, NULL::integer AS character_octet_length, NULL::name AS character_set_catalog,
         NULL::name AS character_set_schema, NULL::name AS character_set_name, NULL::name AS collation_catalog, NULL::name AS collation_schema,
         NULL::name AS collation_name, NULL::integer AS numeric_precision, NULL::integer AS numeric_precision_radix, NULL::integer AS numeric_scale,
         NULL::integer AS datetime_precision, NULL::varchar AS interval_type, NULL::integer AS interval_precision,
         CASE WHEN nt.nspname IS NOT NULL THEN pg_catalog.current_database() END::name AS type_udt_catalog, nt.nspname AS type_udt_schema,
         t.typname AS type_udt_name, NULL::name AS scope_catalog, NULL::name AS scope_schema, NULL::name AS scope_name,
         NULL::integer AS maximum_cardinality, CASE WHEN p.prokind <> 'p' THEN 0 END::text::name AS dtd_identifier,
         CASE WHEN l.lanname = 'sql' THEN 'SQL' ELSE 'EXTERNAL' END::varchar AS routine_body,
         CASE WHEN pg_catalog.pg_has_role(p.proowner, 'USAGE') THEN p.prosrc END::varchar AS routine_definition,
         CASE WHEN l.lanname = 'c' THEN p.prosrc END::varchar AS external_name, pg_catalog.upper(l.lanname::text)::varchar AS external_language,
         'GENERAL'::varchar AS parameter_style, CASE WHEN p.provolatile = 'i' THEN 'YES' ELSE 'NO' END::varchar(3) AS is_deterministic, 'MODIFIES'::varchar AS sql_data_access,
         CASE WHEN p.prokind <> 'p' THEN CASE WHEN p.proisstrict THEN 'YES' ELSE 'NO' END::varchar(3) END::varchar(3) AS is_null_call, NULL::varchar AS sql_path,
         'YES'::varchar(3) AS schema_level_routine, 0 AS max_dynamic_result_sets, NULL::varchar(3) AS is_user_defined_cast,
         NULL::varchar(3) AS is_implicitly_invocable, CASE WHEN p.prosecdef THEN 'DEFINER' ELSE 'INVOKER' END::varchar AS security_type,
         NULL::name AS to_sql_specific_catalog, NULL::name AS to_sql_specific_schema, NULL::name AS to_sql_specific_name,
         'NO'::varchar(3) AS as_locator, NULL::timestamp(2) with time zone AS created, NULL::timestamp(2) with time zone AS last_altered,
         NULL::varchar(3) AS new_savepoint_level, 'NO'::varchar(3) AS is_udt_dependent,
         NULL::varchar AS result_cast_from_data_type, NULL::varchar(3) AS result_cast_as_locator,
         NULL::integer AS result_cast_char_max_length, NULL::integer AS result_cast_char_octet_length,
         NULL::name AS result_cast_char_set_catalog, NULL::name AS result_cast_char_set_schema, NULL::name AS result_cast_char_set_name,
         NULL::name AS result_cast_collation_catalog, NULL::name AS result_cast_collation_schema, NULL::name AS result_cast_collation_name,
         NULL::integer AS result_cast_numeric_precision, NULL::integer AS result_cast_numeric_precision_radix, NULL::integer AS result_cast_numeric_scale,
         NULL::integer AS result_cast_datetime_precision, NULL::varchar AS result_cast_interval_type, NULL::integer AS result_cast_interval_precision,
         NULL::name AS result_cast_type_udt_catalog, NULL::name AS result_cast_type_udt_schema, NULL::name AS result_cast_type_udt_name,
         NULL::name AS result_cast_scope_catalog, NULL::name AS result_cast_scope_schema, NULL::name AS result_cast_scope_name,
         NULL::integer AS result_cast_maximum_cardinality, NULL::name AS result_cast_dtd_identifier
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_proc p ON n.oid = p.pronamespace JOIN pg_catalog.pg_language l ON p.prolang = l.oid
       LEFT JOIN (pg_catalog.pg_type t JOIN pg_catalog.pg_namespace nt ON t.typnamespace = nt.oid) ON p.prorettype = t.oid AND p.prokind <> 'p'
  WHERE pg_catalog.pg_has_role(p.proowner, 'USAGE') OR pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
--view grant of information_schema.routines
GRANT SELECT ON information_schema.routines TO PUBLIC
--view information_schema.parameters
CREATE VIEW information_schema.parameters AS
  SELECT pg_catalog.current_database()::name AS specific_catalog, n.nspname AS specific_schema, pg_catalog.nameconcatoid(p.proname, p.oid) AS specific_name,
         k.n::integer AS ordinal_position,
         CASE COALESCE(p.proargmodes[k.n], 'i') WHEN 'i' THEN 'IN' WHEN 'o' THEN 'OUT' WHEN 'b' THEN 'INOUT' WHEN 'v' THEN 'IN' WHEN 't' THEN 'OUT' END::varchar AS parameter_mode,
         'NO'::varchar(3) AS is_result, 'NO'::varchar(3) AS as_locator, NULLIF(p.proargnames[k.n], '')::name AS parameter_name,
         CASE WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'ARRAY' WHEN nt.nspname = 'pg_catalog' THEN pg_catalog.format_type(t.oid, NULL)
              ELSE 'USER-DEFINED' END::varchar AS data_type,
         NULL::integer AS character_maximum_length, NULL::integer AS character_octet_length, NULL::name AS character_set_catalog,
         NULL::name AS character_set_schema, NULL::name AS character_set_name, NULL::name AS collation_catalog, NULL::name AS collation_schema,
         NULL::name AS collation_name, NULL::integer AS numeric_precision, NULL::integer AS numeric_precision_radix, NULL::integer AS numeric_scale,
         NULL::integer AS datetime_precision, NULL::varchar AS interval_type, NULL::integer AS interval_precision,
         pg_catalog.current_database()::name AS udt_catalog, nt.nspname AS udt_schema, t.typname AS udt_name, NULL::name AS scope_catalog, NULL::name AS scope_schema,
         NULL::name AS scope_name, NULL::integer AS maximum_cardinality, k.n::text::name AS dtd_identifier,
         CASE WHEN pg_catalog.pg_has_role(p.proowner, 'USAGE') THEN pg_catalog.pg_get_function_arg_default(p.oid, k.n::integer) END::varchar AS parameter_default
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_proc p ON n.oid = p.pronamespace
       CROSS JOIN LATERAL pg_catalog.unnest(COALESCE(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY k(type, n)
       JOIN pg_catalog.pg_type t ON t.oid = k.type JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace
  WHERE pg_catalog.pg_has_role(p.proowner, 'USAGE') OR pg_catalog.has_function_privilege(p.oid, 'EXECUTE')
--view grant of information_schema.parameters
GRANT SELECT ON information_schema.parameters TO PUBLIC
--view information_schema.routine_privileges
CREATE VIEW information_schema.routine_privileges AS
  SELECT g.rolname AS grantor, COALESCE(e.rolname, 'PUBLIC')::name AS grantee, pg_catalog.current_database()::name AS specific_catalog, n.nspname AS specific_schema, pg_catalog.nameconcatoid(p.proname, p.oid) AS specific_name,
         pg_catalog.current_database()::name AS routine_catalog, n.nspname AS routine_schema, p.proname AS routine_name, 'EXECUTE'::varchar AS privilege_type,
         CASE WHEN p.is_grantable OR (p.grantee <> 0 AND pg_catalog.pg_has_role(p.grantee, p.proowner, 'USAGE')) THEN 'YES' ELSE 'NO' END::varchar(3) AS is_grantable
  FROM (SELECT f.oid, f.proname, f.pronamespace, f.proowner, a.grantor, a.grantee, a.privilege_type, a.is_grantable
        FROM pg_catalog.pg_proc f CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(f.proacl, pg_catalog.acldefault('f', f.proowner))) a) p
       JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN pg_catalog.pg_authid g ON g.oid = p.grantor LEFT JOIN pg_catalog.pg_authid e ON e.oid = p.grantee
  WHERE p.privilege_type = 'EXECUTE' AND (pg_catalog.pg_has_role(g.oid, 'USAGE') OR pg_catalog.pg_has_role(e.oid, 'USAGE') OR p.grantee = 0)
--view grant of information_schema.routine_privileges
GRANT SELECT ON information_schema.routine_privileges TO PUBLIC
--view information_schema.role_routine_grants
CREATE VIEW information_schema.role_routine_grants AS
  SELECT grantor, grantee, specific_catalog, specific_schema, specific_name, routine_catalog, routine_schema, routine_name, privilege_type, is_grantable
  FROM information_schema.routine_privileges
  WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles) OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
--view grant of information_schema.role_routine_grants
GRANT SELECT ON information_schema.role_routine_grants TO PUBLIC
--view information_schema.usage_privileges
CREATE VIEW information_schema.usage_privileges AS
  SELECT g.rolname AS grantor, 'PUBLIC'::name AS grantee, pg_catalog.current_database()::name AS object_catalog, n.nspname AS object_schema, c.collname AS object_name,
         'COLLATION'::varchar AS object_type, 'USAGE'::varchar AS privilege_type, 'NO'::varchar(3) AS is_grantable
  FROM pg_catalog.pg_authid g JOIN pg_catalog.pg_collation c ON c.collowner = g.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
  WHERE c.collencoding IN (-1, 6)
  UNION ALL
  SELECT g.rolname, COALESCE(e.rolname, 'PUBLIC')::name, pg_catalog.current_database()::name, n.nspname, p.relname, 'SEQUENCE'::varchar, p.privilege_type::varchar, CASE WHEN p.is_grantable OR (p.grantee <> 0 AND pg_catalog.pg_has_role(p.grantee, p.relowner, 'USAGE')) THEN 'YES' ELSE 'NO' END::varchar(3)
  FROM (SELECT c.relname, c.relnamespace, c.relowner, a.grantor, a.grantee, a.privilege_type, a.is_grantable
        FROM pg_catalog.pg_class c CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner))) a
        WHERE c.relkind = 'S') p
       JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace JOIN pg_catalog.pg_authid g ON g.oid = p.grantor LEFT JOIN pg_catalog.pg_authid e ON e.oid = p.grantee
  WHERE p.privilege_type = 'USAGE' AND (pg_catalog.pg_has_role(g.oid, 'USAGE') OR pg_catalog.pg_has_role(e.oid, 'USAGE') OR p.grantee = 0)
  UNION ALL
  SELECT g.rolname, COALESCE(e.rolname, 'PUBLIC')::name, pg_catalog.current_database()::name, n.nspname, p.typname, 'DOMAIN'::varchar, p.privilege_type::varchar, CASE WHEN p.is_grantable OR (p.grantee <> 0 AND pg_catalog.pg_has_role(p.grantee, p.typowner, 'USAGE')) THEN 'YES' ELSE 'NO' END::varchar(3)
  FROM (SELECT t.typname, t.typnamespace, t.typowner, a.grantor, a.grantee, a.privilege_type, a.is_grantable
        FROM pg_catalog.pg_type t CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner))) a
        WHERE t.typtype = 'd') p
       JOIN pg_catalog.pg_namespace n ON n.oid = p.typnamespace JOIN pg_catalog.pg_authid g ON g.oid = p.grantor LEFT JOIN pg_catalog.pg_authid e ON e.oid = p.grantee
  WHERE p.privilege_type = 'USAGE' AND (pg_catalog.pg_has_role(g.oid, 'USAGE') OR pg_catalog.pg_has_role(e.oid, 'USAGE') OR p.grantee = 0)
--view grant of information_schema.usage_privileges
GRANT SELECT ON information_schema.usage_privileges TO PUBLIC
--view information_schema.role_usage_grants
CREATE VIEW information_schema.role_usage_grants AS
  SELECT grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable
  FROM information_schema.usage_privileges
  WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles) OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
--view grant of information_schema.role_usage_grants
GRANT SELECT ON information_schema.role_usage_grants TO PUBLIC
--view information_schema.character_sets
CREATE VIEW information_schema.character_sets AS
  SELECT NULL::name AS character_set_catalog, NULL::name AS character_set_schema,
         pg_catalog.getdatabaseencoding() AS character_set_name, 'UCS'::name AS character_repertoire, pg_catalog.getdatabaseencoding() AS form_of_use,
         pg_catalog.current_database()::name AS default_collate_catalog, n.nspname AS default_collate_schema, c.collname AS default_collate_name
  FROM pg_catalog.pg_database d
       LEFT JOIN (pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON c.collnamespace = n.oid)
              ON d.datcollate = c.collcollate AND d.datctype = c.collctype
  WHERE d.datname = pg_catalog.current_database()
  ORDER BY pg_catalog.char_length(c.collname::text) DESC, c.collname ASC LIMIT 1
--view grant of information_schema.character_sets
GRANT SELECT ON information_schema.character_sets TO PUBLIC
--view information_schema.collations
CREATE VIEW information_schema.collations AS
  SELECT pg_catalog.current_database()::name AS collation_catalog, n.nspname AS collation_schema, c.collname AS collation_name, 'NO PAD'::varchar AS pad_attribute
  FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE c.collencoding IN (-1, 6)
--view grant of information_schema.collations
GRANT SELECT ON information_schema.collations TO PUBLIC
--view information_schema.collation_character_set_applicability
CREATE VIEW information_schema.collation_character_set_applicability AS
  SELECT pg_catalog.current_database()::name AS collation_catalog, n.nspname AS collation_schema, c.collname AS collation_name,
         NULL::name AS character_set_catalog, NULL::name AS character_set_schema, pg_catalog.getdatabaseencoding() AS character_set_name
  FROM pg_catalog.pg_collation c JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace WHERE c.collencoding IN (-1, 6)
--view grant of information_schema.collation_character_set_applicability
GRANT SELECT ON information_schema.collation_character_set_applicability TO PUBLIC
--view information_schema.column_udt_usage
CREATE VIEW information_schema.column_udt_usage AS
  SELECT pg_catalog.current_database()::name AS udt_catalog, nt.nspname AS udt_schema, t.typname AS udt_name, pg_catalog.current_database()::name AS table_catalog, n.nspname AS table_schema,
         c.relname AS table_name, a.attname AS column_name
  FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_type d ON d.oid = a.atttypid
       JOIN pg_catalog.pg_type t ON t.oid = CASE WHEN d.typtype = 'd' THEN d.typbasetype ELSE d.oid END
       JOIN pg_catalog.pg_namespace nt ON nt.oid = t.typnamespace
  WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'f', 'p') AND pg_catalog.pg_has_role(t.typowner, 'USAGE')
--view grant of information_schema.column_udt_usage
GRANT SELECT ON information_schema.column_udt_usage TO PUBLIC
--view information_schema.domains
CREATE VIEW information_schema.domains AS
  SELECT pg_catalog.current_database()::name AS domain_catalog, x.nspname AS domain_schema, x.typname AS domain_name,
         CASE WHEN x.base_elem <> 0 AND x.base_len = -1 THEN 'ARRAY' WHEN x.base_nspname = 'pg_catalog' THEN pg_catalog.format_type(x.base_type, NULL)
              ELSE 'USER-DEFINED' END::varchar AS data_type,
         CASE WHEN x.base_type IN (1042, 1043) AND x.base_typmod <> -1 THEN x.base_typmod - 4 WHEN x.base_type IN (1560, 1562) AND x.base_typmod <> -1 THEN x.base_typmod END::integer AS character_maximum_length,
         CASE WHEN x.base_type IN (25, 1042, 1043) THEN CASE WHEN x.base_type = 25 OR x.base_typmod = -1 THEN 1073741824 ELSE (x.base_typmod - 4) * 4 END END::integer AS character_octet_length,
         NULL::name AS character_set_catalog, NULL::name AS character_set_schema, NULL::name AS character_set_name,
         CASE WHEN x.collname IS NOT NULL THEN pg_catalog.current_database() END::name AS collation_catalog, x.coll_nspname AS collation_schema, x.collname AS collation_name,
         CASE x.base_type WHEN 21 THEN 16 WHEN 23 THEN 32 WHEN 20 THEN 64 WHEN 700 THEN 24 WHEN 701 THEN 53
              WHEN 1700 THEN CASE WHEN x.base_typmod <> -1 THEN ((x.base_typmod - 4) >> 16) & 65535 END END::integer AS numeric_precision,
         CASE WHEN x.base_type IN (20, 21, 23, 700, 701) THEN 2 WHEN x.base_type = 1700 THEN 10 END::integer AS numeric_precision_radix,
         CASE WHEN x.base_type IN (20, 21, 23) THEN 0 WHEN x.base_type = 1700 AND x.base_typmod <> -1 THEN (x.base_typmod - 4) & 65535 END::integer AS numeric_scale,
         CASE WHEN x.base_type = 1082 THEN 0 WHEN x.base_type IN (1083, 1114, 1184, 1266) THEN CASE WHEN x.base_typmod < 0 THEN 6 ELSE x.base_typmod END
              WHEN x.base_type = 1186 THEN CASE WHEN x.base_typmod < 0 OR x.base_typmod & 65535 = 65535 THEN 6 ELSE x.base_typmod & 65535 END END::integer AS datetime_precision,
         CASE WHEN x.base_type = 1186 AND x.base_typmod >= 0 THEN pg_catalog.upper(substring(pg_catalog.format_type(x.base_type, x.base_typmod) FROM 'interval[()0-9]* ([a-z ]*)')) END::varchar AS interval_type,
         NULL::integer AS interval_precision,
         x.typdefault::varchar AS domain_default, pg_catalog.current_database()::name AS udt_catalog, x.base_nspname AS udt_schema, x.base_name AS udt_name,
         NULL::name AS scope_catalog, NULL::name AS scope_schema, NULL::name AS scope_name, NULL::integer AS maximum_cardinality, '1'::name AS dtd_identifier
  FROM (SELECT n.nspname, t.typname, t.typdefault, b.oid AS base_type, t.typtypmod AS base_typmod, b.typelem AS base_elem, b.typlen AS base_len,
               b.typname AS base_name, bn.nspname AS base_nspname, co.collname, cn.nspname AS coll_nspname
        FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
             JOIN pg_catalog.pg_namespace bn ON bn.oid = b.typnamespace
             LEFT JOIN pg_catalog.pg_collation co ON t.typcollation = co.oid AND co.collname <> 'default'
             LEFT JOIN pg_catalog.pg_namespace cn ON co.collnamespace = cn.oid
        WHERE t.typtype = 'd' AND (pg_catalog.pg_has_role(t.typowner, 'USAGE') OR pg_catalog.has_type_privilege(t.oid, 'USAGE'))) x
--view grant of information_schema.domains
GRANT SELECT ON information_schema.domains TO PUBLIC
--view information_schema.domain_constraints
CREATE VIEW information_schema.domain_constraints AS
  SELECT pg_catalog.current_database()::name AS constraint_catalog, n.nspname AS constraint_schema, c.conname AS constraint_name, pg_catalog.current_database()::name AS domain_catalog,
         n.nspname AS domain_schema, t.typname AS domain_name, CASE WHEN c.condeferrable THEN 'YES' ELSE 'NO' END::varchar(3) AS is_deferrable, CASE WHEN c.condeferred THEN 'YES' ELSE 'NO' END::varchar(3) AS initially_deferred
  FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_type t ON t.oid = c.contypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE pg_catalog.pg_has_role(t.typowner, 'USAGE') OR pg_catalog.has_type_privilege(t.oid, 'USAGE')
--view grant of information_schema.domain_constraints
GRANT SELECT ON information_schema.domain_constraints TO PUBLIC
--view information_schema.triggers
CREATE VIEW information_schema.triggers AS
  SELECT pg_catalog.current_database()::name AS trigger_catalog, n.nspname AS trigger_schema, t.tgname AS trigger_name, em.text::varchar AS event_manipulation,
         pg_catalog.current_database()::name AS event_object_catalog, n.nspname AS event_object_schema, c.relname AS event_object_table,
         pg_catalog.rank() OVER (PARTITION BY n.oid, c.oid, em.num, t.tgtype & 1, t.tgtype & 66 ORDER BY t.tgname)::integer AS action_order,
         CASE WHEN pg_catalog.pg_has_role(c.relowner, 'USAGE')
              THEN (pg_catalog.regexp_match(pg_catalog.pg_get_triggerdef(t.oid), '.{35,} WHEN [(](.+)[)] EXECUTE FUNCTION'))[1] END::varchar AS action_condition,
         pg_catalog.substr(pg_catalog.pg_get_triggerdef(t.oid), pg_catalog.strpos(pg_catalog.substr(pg_catalog.pg_get_triggerdef(t.oid), 48), 'EXECUTE FUNCTION') + 47)::varchar AS action_statement,
         CASE WHEN t.tgtype & 1 = 1 THEN 'ROW' ELSE 'STATEMENT' END::varchar AS action_orientation,
         CASE t.tgtype & 66 WHEN 2 THEN 'BEFORE' WHEN 64 THEN 'INSTEAD OF' ELSE 'AFTER' END::varchar AS action_timing,
         t.tgoldtable AS action_reference_old_table, t.tgnewtable AS action_reference_new_table,
         NULL::name AS action_reference_old_row, NULL::name AS action_reference_new_row, NULL::timestamp(2) with time zone AS created
  FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON n.oid = c.relnamespace JOIN pg_catalog.pg_trigger t ON c.oid = t.tgrelid
       JOIN (VALUES (4, 'INSERT'), (8, 'DELETE'), (16, 'UPDATE')) AS em(num, text) ON t.tgtype & em.num <> 0
  WHERE NOT t.tgisinternal AND NOT pg_catalog.pg_is_other_temp_schema(n.oid) AND (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR pg_catalog.has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES'))
--view grant of information_schema.triggers
GRANT SELECT ON information_schema.triggers TO PUBLIC
--view information_schema.foreign_tables
CREATE VIEW information_schema.foreign_tables AS
  SELECT pg_catalog.current_database()::name AS foreign_table_catalog, n.nspname AS foreign_table_schema, c.relname AS foreign_table_name,
         pg_catalog.current_database()::name AS foreign_server_catalog, s.srvname AS foreign_server_name
  FROM pg_catalog.pg_foreign_table t JOIN pg_catalog.pg_class c ON c.oid = t.ftrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
  WHERE (pg_catalog.pg_has_role(c.relowner, 'USAGE') OR pg_catalog.has_table_privilege(c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
--view grant of information_schema.foreign_tables
GRANT SELECT ON information_schema.foreign_tables TO PUBLIC
--view information_schema.udt_privileges
CREATE VIEW information_schema.udt_privileges AS
  SELECT g.rolname AS grantor, COALESCE(e.rolname, 'PUBLIC')::name AS grantee, pg_catalog.current_database()::name AS udt_catalog, n.nspname AS udt_schema, p.typname AS udt_name, 'TYPE USAGE'::varchar AS privilege_type,
         CASE WHEN p.is_grantable OR (p.grantee <> 0 AND pg_catalog.pg_has_role(p.grantee, p.typowner, 'USAGE')) THEN 'YES' ELSE 'NO' END::varchar(3) AS is_grantable
  FROM (SELECT t.typname, t.typnamespace, t.typowner, a.grantor, a.grantee, a.privilege_type, a.is_grantable
        FROM pg_catalog.pg_type t CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner))) a
        WHERE t.typtype = 'c') p
       JOIN pg_catalog.pg_namespace n ON n.oid = p.typnamespace JOIN pg_catalog.pg_authid g ON g.oid = p.grantor LEFT JOIN pg_catalog.pg_authid e ON e.oid = p.grantee
  WHERE p.privilege_type = 'USAGE' AND (pg_catalog.pg_has_role(g.oid, 'USAGE') OR pg_catalog.pg_has_role(e.oid, 'USAGE') OR p.grantee = 0)
--view grant of information_schema.udt_privileges
GRANT SELECT ON information_schema.udt_privileges TO PUBLIC
--view information_schema.role_udt_grants
CREATE VIEW information_schema.role_udt_grants AS
  SELECT grantor, grantee, udt_catalog, udt_schema, udt_name, privilege_type, is_grantable FROM information_schema.udt_privileges
  WHERE grantor IN (SELECT role_name FROM information_schema.enabled_roles) OR grantee IN (SELECT role_name FROM information_schema.enabled_roles)
--view grant of information_schema.role_udt_grants
GRANT SELECT ON information_schema.role_udt_grants TO PUBLIC
