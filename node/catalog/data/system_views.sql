-- Views of pg_catalog, made by `walden init` in this order; a marker line names each statement.
--view comment on public
COMMENT ON SCHEMA public IS 'standard public schema'
--view comment on pg_catalog
COMMENT ON SCHEMA pg_catalog IS 'system catalog schema'
--view comment on pg_toast
COMMENT ON SCHEMA pg_toast IS 'reserved schema for TOAST tables'
--view pg_roles
CREATE VIEW pg_catalog.pg_roles AS
  SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication,
         r.rolconnlimit, '********'::text AS rolpassword, r.rolvaliduntil, r.rolbypassrls, s.setconfig AS rolconfig, r.oid
  FROM pg_catalog.pg_authid r LEFT JOIN pg_catalog.pg_db_role_setting s ON r.oid = s.setrole AND s.setdatabase = 0
--view pg_shadow
CREATE VIEW pg_catalog.pg_shadow AS
  SELECT r.rolname AS usename, r.oid AS usesysid, r.rolcreatedb AS usecreatedb, r.rolsuper AS usesuper,
         r.rolreplication AS userepl, r.rolbypassrls AS usebypassrls, r.rolpassword AS passwd,
         r.rolvaliduntil AS valuntil, s.setconfig AS useconfig
  FROM pg_catalog.pg_authid r LEFT JOIN pg_catalog.pg_db_role_setting s ON r.oid = s.setrole AND s.setdatabase = 0
  WHERE r.rolcanlogin
--view pg_user
CREATE VIEW pg_catalog.pg_user AS
  SELECT usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, '********'::text AS passwd, valuntil, useconfig
  FROM pg_catalog.pg_shadow
--view pg_group
CREATE VIEW pg_catalog.pg_group AS
  SELECT r.rolname AS groname, r.oid AS grosysid,
         ARRAY(SELECT m.member FROM pg_catalog.pg_auth_members m WHERE m.roleid = r.oid) AS grolist
  FROM pg_catalog.pg_authid r WHERE NOT r.rolcanlogin
--view pg_tables
CREATE VIEW pg_catalog.pg_tables AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, pg_catalog.pg_get_userbyid(c.relowner) AS tableowner,
         t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relhasrules AS hasrules, c.relhastriggers AS hastriggers,
         c.relrowsecurity AS rowsecurity
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
  WHERE c.relkind IN ('r', 'p')
--view pg_views
CREATE VIEW pg_catalog.pg_views AS
  SELECT n.nspname AS schemaname, c.relname AS viewname, pg_catalog.pg_get_userbyid(c.relowner) AS viewowner,
         pg_catalog.pg_get_viewdef(c.oid) AS definition
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'v'
--view pg_matviews
CREATE VIEW pg_catalog.pg_matviews AS
  SELECT n.nspname AS schemaname, c.relname AS matviewname, pg_catalog.pg_get_userbyid(c.relowner) AS matviewowner,
         t.spcname AS tablespace, c.relhasindex AS hasindexes, c.relispopulated AS ispopulated,
         pg_catalog.pg_get_viewdef(c.oid) AS definition
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
  WHERE c.relkind = 'm'
--view pg_indexes
CREATE VIEW pg_catalog.pg_indexes AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, i.relname AS indexname, t.spcname AS tablespace,
         pg_catalog.pg_get_indexdef(i.oid) AS indexdef
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = i.reltablespace
  WHERE c.relkind IN ('r', 'm', 'p') AND i.relkind IN ('i', 'I')
--view pg_sequences
CREATE VIEW pg_catalog.pg_sequences AS
  SELECT n.nspname AS schemaname, c.relname AS sequencename, pg_catalog.pg_get_userbyid(c.relowner) AS sequenceowner,
         s.seqtypid::regtype AS data_type, s.seqstart AS start_value, s.seqmin AS min_value, s.seqmax AS max_value,
         s.seqincrement AS increment_by, s.seqcycle AS cycle, s.seqcache AS cache_size,
         pg_catalog.pg_sequence_last_value(c.oid) AS last_value
  FROM pg_catalog.pg_sequence s JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S'
--view pg_rules
CREATE VIEW pg_catalog.pg_rules AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, r.rulename, pg_catalog.pg_get_ruledef(r.oid) AS definition
  FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE r.rulename <> '_RETURN'
--view pg_settings
CREATE VIEW pg_catalog.pg_settings AS SELECT * FROM pg_catalog.pg_show_all_settings()
--view pg_file_settings
CREATE VIEW pg_catalog.pg_file_settings AS SELECT * FROM pg_catalog.pg_show_all_file_settings()
--view pg_locks
CREATE VIEW pg_catalog.pg_locks AS SELECT * FROM pg_catalog.pg_lock_status()
--view pg_user_mappings
CREATE VIEW pg_catalog.pg_user_mappings AS
  SELECT u.oid AS umid, s.oid AS srvid, s.srvname, u.umuser, CASE WHEN u.umuser = 0 THEN 'public' ELSE a.rolname END AS usename,
         CASE WHEN (u.umuser <> 0 AND a.rolname = current_user
                    AND (pg_catalog.pg_has_role(s.srvowner, 'USAGE')
                         OR EXISTS (SELECT 1 FROM pg_catalog.aclexplode(COALESCE(s.srvacl, pg_catalog.acldefault('S', s.srvowner))) x
                                    WHERE x.privilege_type = 'USAGE' AND (x.grantee = 0 OR pg_catalog.pg_has_role(x.grantee, 'USAGE')))))
                   OR (u.umuser = 0 AND pg_catalog.pg_has_role(s.srvowner, 'USAGE'))
                   OR (SELECT r.rolsuper FROM pg_catalog.pg_authid r WHERE r.rolname = current_user)
              THEN u.umoptions END AS umoptions
  FROM pg_catalog.pg_user_mapping u JOIN pg_catalog.pg_foreign_server s ON u.umserver = s.oid
       LEFT JOIN pg_catalog.pg_authid a ON a.oid = u.umuser
--view grants of pg_user_mappings
GRANT SELECT ON pg_catalog.pg_user_mappings TO PUBLIC
--view pg_seclabels
CREATE VIEW pg_catalog.pg_seclabels AS
  SELECT l.objoid, l.classoid, 0 AS objsubid, CASE o.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' END::text AS objtype, o.relnamespace AS objnamespace, o.oid::regclass::text AS objname, l.provider, l.label
  FROM pg_catalog.pg_seclabel l JOIN pg_catalog.pg_class o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_catalog.pg_class'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, l.objsubid AS objsubid, 'column'::text AS objtype, o.relnamespace AS objnamespace, o.oid::regclass::text || '.' || pg_catalog.quote_ident(a.attname::text) AS objname, l.provider, l.label
  FROM pg_catalog.pg_seclabel l JOIN pg_catalog.pg_class o ON o.oid = l.objoid JOIN pg_catalog.pg_attribute a ON a.attrelid = o.oid AND a.attnum = l.objsubid
  WHERE l.classoid = 'pg_catalog.pg_class'::regclass AND l.objsubid <> 0
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, CASE o.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END::text AS objtype, o.pronamespace AS objnamespace, o.oid::regprocedure::text AS objname, l.provider, l.label
  FROM pg_catalog.pg_seclabel l JOIN pg_catalog.pg_proc o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_catalog.pg_proc'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, CASE WHEN o.typtype = 'd' THEN 'domain' ELSE 'type' END::text AS objtype, o.typnamespace AS objnamespace, pg_catalog.format_type(o.oid, NULL) AS objname, l.provider, l.label
  FROM pg_catalog.pg_seclabel l JOIN pg_catalog.pg_type o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_catalog.pg_type'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, 'schema'::text AS objtype, o.oid AS objnamespace, pg_catalog.quote_ident(o.nspname::text) AS objname, l.provider, l.label
  FROM pg_catalog.pg_seclabel l JOIN pg_catalog.pg_namespace o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_catalog.pg_namespace'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, 'language'::text AS objtype, NULL::oid AS objnamespace, pg_catalog.quote_ident(o.lanname::text) AS objname, l.provider, l.label
  FROM pg_catalog.pg_seclabel l JOIN pg_catalog.pg_language o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_catalog.pg_language'::regclass AND l.objsubid = 0
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, 'database'::text AS objtype, NULL::oid AS objnamespace, pg_catalog.quote_ident(o.datname::text) AS objname, l.provider, l.label
  FROM pg_catalog.pg_shseclabel l JOIN pg_catalog.pg_database o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_catalog.pg_database'::regclass
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, 'role'::text AS objtype, NULL::oid AS objnamespace, pg_catalog.quote_ident(o.rolname::text) AS objname, l.provider, l.label
  FROM pg_catalog.pg_shseclabel l JOIN pg_catalog.pg_authid o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_catalog.pg_authid'::regclass
  UNION ALL
  SELECT l.objoid, l.classoid, 0 AS objsubid, 'tablespace'::text AS objtype, NULL::oid AS objnamespace, pg_catalog.quote_ident(o.spcname::text) AS objname, l.provider, l.label
  FROM pg_catalog.pg_shseclabel l JOIN pg_catalog.pg_tablespace o ON o.oid = l.objoid
  WHERE l.classoid = 'pg_catalog.pg_tablespace'::regclass
--view grants of pg_seclabels
GRANT SELECT ON pg_catalog.pg_seclabels TO PUBLIC
--view pg_prepared_statements
CREATE VIEW pg_catalog.pg_prepared_statements AS SELECT * FROM pg_catalog.pg_prepared_statement()
--view grants of pg_prepared_statements
GRANT SELECT ON pg_catalog.pg_prepared_statements TO PUBLIC
--view pg_cursors
CREATE VIEW pg_catalog.pg_cursors AS SELECT * FROM pg_catalog.pg_cursor()
--view grants of pg_cursors
GRANT SELECT ON pg_catalog.pg_cursors TO PUBLIC
--view pg_stat_ssl
CREATE VIEW pg_catalog.pg_stat_ssl AS
  SELECT s.pid, s.ssl, s.sslversion AS version, s.sslcipher AS cipher, s.sslbits AS bits, s.ssl_client_dn AS client_dn,
         s.ssl_client_serial AS client_serial, s.ssl_issuer_dn AS issuer_dn
  FROM pg_catalog.pg_stat_get_activity(NULL::integer) s
  WHERE s.client_port IS NOT NULL
--view grants of pg_stat_ssl
GRANT SELECT ON pg_catalog.pg_stat_ssl TO PUBLIC
--view pg_stat_activity
CREATE VIEW pg_catalog.pg_stat_activity AS
  SELECT s.datid, d.datname, s.pid, s.leader_pid, s.usesysid, u.rolname AS usename, s.application_name, s.client_addr,
         s.client_hostname, s.client_port, s.backend_start, s.xact_start, s.query_start, s.state_change, s.wait_event_type,
         s.wait_event, s.state, s.backend_xid, s.backend_xmin, s.query_id, s.query, s.backend_type
  FROM pg_catalog.pg_stat_get_activity(NULL::integer) s LEFT JOIN pg_catalog.pg_database d ON s.datid = d.oid
       LEFT JOIN pg_catalog.pg_authid u ON s.usesysid = u.oid
--view pg_replication_slots
CREATE VIEW pg_catalog.pg_replication_slots AS
  SELECT l.slot_name, l.plugin, l.slot_type, l.datoid, d.datname AS database, l.temporary, l.active, l.active_pid, l.xmin,
         l.catalog_xmin, l.restart_lsn, l.confirmed_flush_lsn, l.wal_status, l.safe_wal_size, l.two_phase
  FROM pg_catalog.pg_get_replication_slots() l LEFT JOIN pg_catalog.pg_database d ON l.datoid = d.oid
--view pg_stat_replication_slots
CREATE VIEW pg_catalog.pg_stat_replication_slots AS
  SELECT s.slot_name, s.spill_txns, s.spill_count, s.spill_bytes, s.stream_txns, s.stream_count, s.stream_bytes,
         s.total_txns, s.total_bytes, s.stats_reset
  FROM pg_catalog.pg_replication_slots r, LATERAL pg_catalog.pg_stat_get_replication_slot(r.slot_name::text) s
  WHERE r.datoid IS NOT NULL
--view pg_stat_replication
CREATE VIEW pg_catalog.pg_stat_replication AS
  SELECT s.pid, s.usesysid, u.rolname AS usename, s.application_name, s.client_addr, NULL::text AS client_hostname,
         s.client_port, s.backend_start, s.backend_xmin, s.state, s.sent_lsn, s.write_lsn, s.flush_lsn, s.replay_lsn,
         s.write_lag, s.flush_lag, s.replay_lag, s.sync_priority, s.sync_state, s.reply_time
  FROM pg_catalog.walden_stat_get_replicas() s LEFT JOIN pg_catalog.pg_authid u ON s.usesysid = u.oid
--view pg_stat_wal_receiver
CREATE VIEW pg_catalog.pg_stat_wal_receiver AS
  SELECT s.pid, s.status, s.receive_start_lsn, s.receive_start_tli, s.written_lsn, s.flushed_lsn, s.received_tli,
         s.last_msg_send_time, s.last_msg_receipt_time, s.latest_end_lsn, s.latest_end_time, s.slot_name, s.sender_host,
         s.sender_port, s.conninfo
  FROM pg_catalog.pg_stat_get_wal_receiver() s WHERE s.pid IS NOT NULL
--view grants
GRANT SELECT ON pg_catalog.pg_roles, pg_catalog.pg_user, pg_catalog.pg_group, pg_catalog.pg_tables, pg_catalog.pg_views,
  pg_catalog.pg_matviews, pg_catalog.pg_indexes TO PUBLIC
--view grants of optional views
GRANT SELECT ON pg_catalog.pg_sequences TO PUBLIC
--view grants of pg_rules
GRANT SELECT ON pg_catalog.pg_rules TO PUBLIC
--view grants of pg_settings
GRANT SELECT, UPDATE ON pg_catalog.pg_settings TO PUBLIC
--view grants of pg_locks
GRANT SELECT ON pg_catalog.pg_locks TO PUBLIC
--view grants of pg_stat_activity
GRANT SELECT ON pg_catalog.pg_stat_activity TO PUBLIC
--view grants of pg_replication_slots
GRANT SELECT ON pg_catalog.pg_replication_slots TO PUBLIC
--view grants of pg_stat_replication_slots
GRANT SELECT ON pg_catalog.pg_stat_replication_slots TO PUBLIC
--view grants of pg_stat_replication
GRANT SELECT ON pg_catalog.pg_stat_replication TO PUBLIC
--view grants of pg_stat_wal_receiver
GRANT SELECT ON pg_catalog.pg_stat_wal_receiver TO PUBLIC
--view pg_stat_all_tables
CREATE VIEW pg_catalog.pg_stat_all_tables AS
  SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
         pg_catalog.pg_stat_get_numscans(c.oid) AS seq_scan,
         pg_catalog.pg_stat_get_tuples_returned(c.oid) AS seq_tup_read,
         (SELECT sum(pg_catalog.pg_stat_get_numscans(i.indexrelid))::bigint FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid) AS idx_scan,
         (SELECT sum(pg_catalog.pg_stat_get_tuples_fetched(i.indexrelid))::bigint FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid) + pg_catalog.pg_stat_get_tuples_fetched(c.oid) AS idx_tup_fetch,
         pg_catalog.pg_stat_get_tuples_inserted(c.oid) AS n_tup_ins,
         pg_catalog.pg_stat_get_tuples_updated(c.oid) AS n_tup_upd,
         pg_catalog.pg_stat_get_tuples_deleted(c.oid) AS n_tup_del,
         pg_catalog.pg_stat_get_tuples_hot_updated(c.oid) AS n_tup_hot_upd,
         pg_catalog.pg_stat_get_live_tuples(c.oid) AS n_live_tup,
         pg_catalog.pg_stat_get_dead_tuples(c.oid) AS n_dead_tup,
         pg_catalog.pg_stat_get_mod_since_analyze(c.oid) AS n_mod_since_analyze,
         pg_catalog.pg_stat_get_ins_since_vacuum(c.oid) AS n_ins_since_vacuum,
         pg_catalog.pg_stat_get_last_vacuum_time(c.oid) AS last_vacuum,
         pg_catalog.pg_stat_get_last_autovacuum_time(c.oid) AS last_autovacuum,
         pg_catalog.pg_stat_get_last_analyze_time(c.oid) AS last_analyze,
         pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid) AS last_autoanalyze,
         pg_catalog.pg_stat_get_vacuum_count(c.oid) AS vacuum_count,
         pg_catalog.pg_stat_get_autovacuum_count(c.oid) AS autovacuum_count,
         pg_catalog.pg_stat_get_analyze_count(c.oid) AS analyze_count,
         pg_catalog.pg_stat_get_autoanalyze_count(c.oid) AS autoanalyze_count
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 't', 'm', 'p')
--view grants of pg_stat_all_tables
GRANT SELECT ON pg_catalog.pg_stat_all_tables TO PUBLIC
--view pg_stat_sys_tables
CREATE VIEW pg_catalog.pg_stat_sys_tables AS
  SELECT * FROM pg_catalog.pg_stat_all_tables
  WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
--view grants of pg_stat_sys_tables
GRANT SELECT ON pg_catalog.pg_stat_sys_tables TO PUBLIC
--view pg_stat_user_tables
CREATE VIEW pg_catalog.pg_stat_user_tables AS
  SELECT * FROM pg_catalog.pg_stat_all_tables
  WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
--view grants of pg_stat_user_tables
GRANT SELECT ON pg_catalog.pg_stat_user_tables TO PUBLIC
--view pg_stat_xact_all_tables
CREATE VIEW pg_catalog.pg_stat_xact_all_tables AS
  SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
         pg_catalog.pg_stat_get_xact_numscans(c.oid) AS seq_scan,
         pg_catalog.pg_stat_get_xact_tuples_returned(c.oid) AS seq_tup_read,
         (SELECT sum(pg_catalog.pg_stat_get_xact_numscans(i.indexrelid))::bigint FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid) AS idx_scan,
         (SELECT sum(pg_catalog.pg_stat_get_xact_tuples_fetched(i.indexrelid))::bigint FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid) + pg_catalog.pg_stat_get_xact_tuples_fetched(c.oid) AS idx_tup_fetch,
         pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) AS n_tup_ins,
         pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS n_tup_upd,
         pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS n_tup_del,
         pg_catalog.pg_stat_get_xact_tuples_hot_updated(c.oid) AS n_tup_hot_upd
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 't', 'm', 'p')
--view grants of pg_stat_xact_all_tables
GRANT SELECT ON pg_catalog.pg_stat_xact_all_tables TO PUBLIC
--view pg_stat_xact_sys_tables
CREATE VIEW pg_catalog.pg_stat_xact_sys_tables AS
  SELECT * FROM pg_catalog.pg_stat_xact_all_tables
  WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
--view grants of pg_stat_xact_sys_tables
GRANT SELECT ON pg_catalog.pg_stat_xact_sys_tables TO PUBLIC
--view pg_stat_xact_user_tables
CREATE VIEW pg_catalog.pg_stat_xact_user_tables AS
  SELECT * FROM pg_catalog.pg_stat_xact_all_tables
  WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
--view grants of pg_stat_xact_user_tables
GRANT SELECT ON pg_catalog.pg_stat_xact_user_tables TO PUBLIC
--view pg_statio_all_tables
CREATE VIEW pg_catalog.pg_statio_all_tables AS
  SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
         pg_catalog.pg_stat_get_blocks_fetched(c.oid) - pg_catalog.pg_stat_get_blocks_hit(c.oid) AS heap_blks_read,
         pg_catalog.pg_stat_get_blocks_hit(c.oid) AS heap_blks_hit,
         (SELECT sum(pg_catalog.pg_stat_get_blocks_fetched(i.indexrelid) - pg_catalog.pg_stat_get_blocks_hit(i.indexrelid))::bigint FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid) AS idx_blks_read,
         (SELECT sum(pg_catalog.pg_stat_get_blocks_hit(i.indexrelid))::bigint FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid) AS idx_blks_hit,
         CASE WHEN c.reltoastrelid <> 0 THEN pg_catalog.pg_stat_get_blocks_fetched(c.reltoastrelid) - pg_catalog.pg_stat_get_blocks_hit(c.reltoastrelid) END AS toast_blks_read,
         CASE WHEN c.reltoastrelid <> 0 THEN pg_catalog.pg_stat_get_blocks_hit(c.reltoastrelid) END AS toast_blks_hit,
         (SELECT sum(pg_catalog.pg_stat_get_blocks_fetched(i.indexrelid) - pg_catalog.pg_stat_get_blocks_hit(i.indexrelid))::bigint FROM pg_catalog.pg_index i WHERE i.indrelid = c.reltoastrelid) AS tidx_blks_read,
         (SELECT sum(pg_catalog.pg_stat_get_blocks_hit(i.indexrelid))::bigint FROM pg_catalog.pg_index i WHERE i.indrelid = c.reltoastrelid) AS tidx_blks_hit
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 't', 'm')
--view grants of pg_statio_all_tables
GRANT SELECT ON pg_catalog.pg_statio_all_tables TO PUBLIC
--view pg_statio_sys_tables
CREATE VIEW pg_catalog.pg_statio_sys_tables AS
  SELECT * FROM pg_catalog.pg_statio_all_tables
  WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
--view grants of pg_statio_sys_tables
GRANT SELECT ON pg_catalog.pg_statio_sys_tables TO PUBLIC
--view pg_statio_user_tables
CREATE VIEW pg_catalog.pg_statio_user_tables AS
  SELECT * FROM pg_catalog.pg_statio_all_tables
  WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
--view grants of pg_statio_user_tables
GRANT SELECT ON pg_catalog.pg_statio_user_tables TO PUBLIC
--view pg_stat_all_indexes
CREATE VIEW pg_catalog.pg_stat_all_indexes AS
  SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname,
         pg_catalog.pg_stat_get_numscans(i.oid) AS idx_scan, pg_catalog.pg_stat_get_tuples_returned(i.oid) AS idx_tup_read,
         pg_catalog.pg_stat_get_tuples_fetched(i.oid) AS idx_tup_fetch
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 't', 'm')
--view grants of pg_stat_all_indexes
GRANT SELECT ON pg_catalog.pg_stat_all_indexes TO PUBLIC
--view pg_stat_sys_indexes
CREATE VIEW pg_catalog.pg_stat_sys_indexes AS
  SELECT * FROM pg_catalog.pg_stat_all_indexes
  WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
--view grants of pg_stat_sys_indexes
GRANT SELECT ON pg_catalog.pg_stat_sys_indexes TO PUBLIC
--view pg_stat_user_indexes
CREATE VIEW pg_catalog.pg_stat_user_indexes AS
  SELECT * FROM pg_catalog.pg_stat_all_indexes
  WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
--view grants of pg_stat_user_indexes
GRANT SELECT ON pg_catalog.pg_stat_user_indexes TO PUBLIC
--view pg_statio_all_indexes
CREATE VIEW pg_catalog.pg_statio_all_indexes AS
  SELECT c.oid AS relid, i.oid AS indexrelid, n.nspname AS schemaname, c.relname, i.relname AS indexrelname,
         pg_catalog.pg_stat_get_blocks_fetched(i.oid) - pg_catalog.pg_stat_get_blocks_hit(i.oid) AS idx_blks_read,
         pg_catalog.pg_stat_get_blocks_hit(i.oid) AS idx_blks_hit
  FROM pg_catalog.pg_index x JOIN pg_catalog.pg_class c ON c.oid = x.indrelid JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 't', 'm')
--view grants of pg_statio_all_indexes
GRANT SELECT ON pg_catalog.pg_statio_all_indexes TO PUBLIC
--view pg_statio_sys_indexes
CREATE VIEW pg_catalog.pg_statio_sys_indexes AS
  SELECT * FROM pg_catalog.pg_statio_all_indexes
  WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
--view grants of pg_statio_sys_indexes
GRANT SELECT ON pg_catalog.pg_statio_sys_indexes TO PUBLIC
--view pg_statio_user_indexes
CREATE VIEW pg_catalog.pg_statio_user_indexes AS
  SELECT * FROM pg_catalog.pg_statio_all_indexes
  WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
--view grants of pg_statio_user_indexes
GRANT SELECT ON pg_catalog.pg_statio_user_indexes TO PUBLIC
--view pg_statio_all_sequences
CREATE VIEW pg_catalog.pg_statio_all_sequences AS
  SELECT c.oid AS relid, n.nspname AS schemaname, c.relname,
         pg_catalog.pg_stat_get_blocks_fetched(c.oid) - pg_catalog.pg_stat_get_blocks_hit(c.oid) AS blks_read,
         pg_catalog.pg_stat_get_blocks_hit(c.oid) AS blks_hit
  FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S'
--view grants of pg_statio_all_sequences
GRANT SELECT ON pg_catalog.pg_statio_all_sequences TO PUBLIC
--view pg_statio_sys_sequences
CREATE VIEW pg_catalog.pg_statio_sys_sequences AS
  SELECT * FROM pg_catalog.pg_statio_all_sequences
  WHERE schemaname IN ('pg_catalog', 'information_schema') OR schemaname ~ '^pg_toast'
--view grants of pg_statio_sys_sequences
GRANT SELECT ON pg_catalog.pg_statio_sys_sequences TO PUBLIC
--view pg_statio_user_sequences
CREATE VIEW pg_catalog.pg_statio_user_sequences AS
  SELECT * FROM pg_catalog.pg_statio_all_sequences
  WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND schemaname !~ '^pg_toast'
--view grants of pg_statio_user_sequences
GRANT SELECT ON pg_catalog.pg_statio_user_sequences TO PUBLIC
--view pg_stat_database
CREATE VIEW pg_catalog.pg_stat_database AS
  SELECT d.oid AS datid, d.datname,
         CASE WHEN d.oid = 0 THEN 0 ELSE pg_catalog.pg_stat_get_db_numbackends(d.oid) END AS numbackends,
         pg_catalog.pg_stat_get_db_xact_commit(d.oid) AS xact_commit,
         pg_catalog.pg_stat_get_db_xact_rollback(d.oid) AS xact_rollback,
         pg_catalog.pg_stat_get_db_blocks_fetched(d.oid) - pg_catalog.pg_stat_get_db_blocks_hit(d.oid) AS blks_read,
         pg_catalog.pg_stat_get_db_blocks_hit(d.oid) AS blks_hit,
         pg_catalog.pg_stat_get_db_tuples_returned(d.oid) AS tup_returned,
         pg_catalog.pg_stat_get_db_tuples_fetched(d.oid) AS tup_fetched,
         pg_catalog.pg_stat_get_db_tuples_inserted(d.oid) AS tup_inserted,
         pg_catalog.pg_stat_get_db_tuples_updated(d.oid) AS tup_updated,
         pg_catalog.pg_stat_get_db_tuples_deleted(d.oid) AS tup_deleted,
         pg_catalog.pg_stat_get_db_conflict_all(d.oid) AS conflicts,
         pg_catalog.pg_stat_get_db_temp_files(d.oid) AS temp_files,
         pg_catalog.pg_stat_get_db_temp_bytes(d.oid) AS temp_bytes,
         pg_catalog.pg_stat_get_db_deadlocks(d.oid) AS deadlocks,
         pg_catalog.pg_stat_get_db_checksum_failures(d.oid) AS checksum_failures,
         pg_catalog.pg_stat_get_db_checksum_last_failure(d.oid) AS checksum_last_failure,
         pg_catalog.pg_stat_get_db_blk_read_time(d.oid) AS blk_read_time,
         pg_catalog.pg_stat_get_db_blk_write_time(d.oid) AS blk_write_time,
         pg_catalog.pg_stat_get_db_session_time(d.oid) AS session_time,
         pg_catalog.pg_stat_get_db_active_time(d.oid) AS active_time,
         pg_catalog.pg_stat_get_db_idle_in_transaction_time(d.oid) AS idle_in_transaction_time,
         pg_catalog.pg_stat_get_db_sessions(d.oid) AS sessions,
         pg_catalog.pg_stat_get_db_sessions_abandoned(d.oid) AS sessions_abandoned,
         pg_catalog.pg_stat_get_db_sessions_fatal(d.oid) AS sessions_fatal,
         pg_catalog.pg_stat_get_db_sessions_killed(d.oid) AS sessions_killed,
         pg_catalog.pg_stat_get_db_stat_reset_time(d.oid) AS stats_reset
  FROM (SELECT 0::oid AS oid, NULL::name AS datname UNION ALL SELECT oid, datname FROM pg_catalog.pg_database) d
--view grants of pg_stat_database
GRANT SELECT ON pg_catalog.pg_stat_database TO PUBLIC
--view pg_stat_database_conflicts
CREATE VIEW pg_catalog.pg_stat_database_conflicts AS
  SELECT d.oid AS datid, d.datname,
         pg_catalog.pg_stat_get_db_conflict_tablespace(d.oid) AS confl_tablespace,
         pg_catalog.pg_stat_get_db_conflict_lock(d.oid) AS confl_lock,
         pg_catalog.pg_stat_get_db_conflict_snapshot(d.oid) AS confl_snapshot,
         pg_catalog.pg_stat_get_db_conflict_bufferpin(d.oid) AS confl_bufferpin,
         pg_catalog.pg_stat_get_db_conflict_startup_deadlock(d.oid) AS confl_deadlock
  FROM pg_catalog.pg_database d
--view grants of pg_stat_database_conflicts
GRANT SELECT ON pg_catalog.pg_stat_database_conflicts TO PUBLIC
--view pg_stat_bgwriter
CREATE VIEW pg_catalog.pg_stat_bgwriter AS
  SELECT pg_catalog.pg_stat_get_bgwriter_timed_checkpoints() AS checkpoints_timed,
         pg_catalog.pg_stat_get_bgwriter_requested_checkpoints() AS checkpoints_req,
         pg_catalog.pg_stat_get_checkpoint_write_time() AS checkpoint_write_time,
         pg_catalog.pg_stat_get_checkpoint_sync_time() AS checkpoint_sync_time,
         pg_catalog.pg_stat_get_bgwriter_buf_written_checkpoints() AS buffers_checkpoint,
         pg_catalog.pg_stat_get_bgwriter_buf_written_clean() AS buffers_clean,
         pg_catalog.pg_stat_get_bgwriter_maxwritten_clean() AS maxwritten_clean,
         pg_catalog.pg_stat_get_buf_written_backend() AS buffers_backend,
         pg_catalog.pg_stat_get_buf_fsync_backend() AS buffers_backend_fsync,
         pg_catalog.pg_stat_get_buf_alloc() AS buffers_alloc,
         pg_catalog.pg_stat_get_bgwriter_stat_reset_time() AS stats_reset
--view grants of pg_stat_bgwriter
GRANT SELECT ON pg_catalog.pg_stat_bgwriter TO PUBLIC
--view pg_stat_wal
CREATE VIEW pg_catalog.pg_stat_wal AS
  SELECT w.wal_records, w.wal_fpi, w.wal_bytes, w.wal_buffers_full, w.wal_write, w.wal_sync, w.wal_write_time, w.wal_sync_time,
         w.stats_reset
  FROM pg_catalog.pg_stat_get_wal() w
--view grants of pg_stat_wal
GRANT SELECT ON pg_catalog.pg_stat_wal TO PUBLIC
--view pg_stat_archiver
CREATE VIEW pg_catalog.pg_stat_archiver AS
  SELECT a.archived_count, a.last_archived_wal, a.last_archived_time, a.failed_count, a.last_failed_wal, a.last_failed_time,
         a.stats_reset
  FROM pg_catalog.pg_stat_get_archiver() a
--view grants of pg_stat_archiver
GRANT SELECT ON pg_catalog.pg_stat_archiver TO PUBLIC
--view pg_stat_progress_vacuum
CREATE VIEW pg_catalog.pg_stat_progress_vacuum AS
  SELECT s.pid, s.datid, d.datname, s.relid,
         CASE s.param1 WHEN 0 THEN 'initializing' WHEN 1 THEN 'scanning heap' WHEN 2 THEN 'vacuuming indexes' WHEN 3 THEN 'vacuuming heap' WHEN 4 THEN 'cleaning up indexes' WHEN 5 THEN 'truncating heap' WHEN 6 THEN 'performing final cleanup' END AS phase,
         s.param2 AS heap_blks_total, s.param3 AS heap_blks_scanned, s.param4 AS heap_blks_vacuumed,
         s.param5 AS index_vacuum_count, s.param6 AS max_dead_tuples, s.param7 AS num_dead_tuples
  FROM pg_catalog.pg_stat_get_progress_info('VACUUM') s LEFT JOIN pg_catalog.pg_database d ON s.datid = d.oid
--view grants of pg_stat_progress_vacuum
GRANT SELECT ON pg_catalog.pg_stat_progress_vacuum TO PUBLIC
--view pg_stat_progress_analyze
CREATE VIEW pg_catalog.pg_stat_progress_analyze AS
  SELECT s.pid, s.datid, d.datname, s.relid,
         CASE s.param1 WHEN 0 THEN 'initializing' WHEN 1 THEN 'acquiring sample rows' WHEN 2 THEN 'acquiring inherited sample rows' WHEN 3 THEN 'computing statistics' WHEN 4 THEN 'computing extended statistics' WHEN 5 THEN 'finalizing analyze' END AS phase,
         s.param2 AS sample_blks_total, s.param3 AS sample_blks_scanned, s.param4 AS ext_stats_total,
         s.param5 AS ext_stats_computed, s.param6 AS child_tables_total, s.param7 AS child_tables_done,
         s.param8::oid AS current_child_table_relid
  FROM pg_catalog.pg_stat_get_progress_info('ANALYZE') s LEFT JOIN pg_catalog.pg_database d ON s.datid = d.oid
--view grants of pg_stat_progress_analyze
GRANT SELECT ON pg_catalog.pg_stat_progress_analyze TO PUBLIC
--view pg_stat_progress_create_index
CREATE VIEW pg_catalog.pg_stat_progress_create_index AS
  SELECT s.pid, s.datid, d.datname, s.relid, s.param7::oid AS index_relid,
         CASE s.param1 WHEN 1 THEN 'CREATE INDEX' WHEN 2 THEN 'CREATE INDEX CONCURRENTLY' WHEN 3 THEN 'REINDEX' WHEN 4 THEN 'REINDEX CONCURRENTLY' END AS command,
         CASE s.param10 WHEN 0 THEN 'initializing' WHEN 1 THEN 'waiting for writers before build' WHEN 2 THEN 'building index' WHEN 3 THEN 'waiting for writers before validation' WHEN 4 THEN 'index validation: scanning index' WHEN 5 THEN 'index validation: sorting tuples' WHEN 6 THEN 'index validation: scanning table' WHEN 7 THEN 'waiting for old snapshots' WHEN 8 THEN 'waiting for readers before marking dead' WHEN 9 THEN 'waiting for readers before dropping' END AS phase,
         s.param4 AS lockers_total, s.param5 AS lockers_done, s.param6 AS current_locker_pid,
         s.param16 AS blocks_total, s.param17 AS blocks_done, s.param12 AS tuples_total, s.param13 AS tuples_done,
         s.param14 AS partitions_total, s.param15 AS partitions_done
  FROM pg_catalog.pg_stat_get_progress_info('CREATE INDEX') s LEFT JOIN pg_catalog.pg_database d ON s.datid = d.oid
--view grants of pg_stat_progress_create_index
GRANT SELECT ON pg_catalog.pg_stat_progress_create_index TO PUBLIC
--view pg_stat_progress_copy
CREATE VIEW pg_catalog.pg_stat_progress_copy AS
  SELECT s.pid, s.datid, d.datname, s.relid,
         CASE s.param5 WHEN 1 THEN 'COPY FROM' WHEN 2 THEN 'COPY TO' END AS command,
         CASE s.param6 WHEN 1 THEN 'FILE' WHEN 2 THEN 'PROGRAM' WHEN 3 THEN 'PIPE' WHEN 4 THEN 'CALLBACK' END AS type,
         s.param1 AS bytes_processed, s.param2 AS bytes_total, s.param3 AS tuples_processed, s.param4 AS tuples_excluded
  FROM pg_catalog.pg_stat_get_progress_info('COPY') s LEFT JOIN pg_catalog.pg_database d ON s.datid = d.oid
--view grants of pg_stat_progress_copy
GRANT SELECT ON pg_catalog.pg_stat_progress_copy TO PUBLIC
--view pg_stat_progress_basebackup
CREATE VIEW pg_catalog.pg_stat_progress_basebackup AS
  SELECT s.pid,
         CASE s.param1 WHEN 0 THEN 'initializing' WHEN 1 THEN 'waiting for checkpoint to finish' WHEN 2 THEN 'estimating backup size' WHEN 3 THEN 'streaming database files' WHEN 4 THEN 'waiting for wal archiving to finish' WHEN 5 THEN 'transferring wal files' END AS phase,
         CASE WHEN s.param2 >= 0 THEN s.param2 END AS backup_total, s.param3 AS backup_streamed,
         s.param4 AS tablespaces_total, s.param5 AS tablespaces_streamed
  FROM pg_catalog.pg_stat_get_progress_info('BASEBACKUP') s
--view grants of pg_stat_progress_basebackup
GRANT SELECT ON pg_catalog.pg_stat_progress_basebackup TO PUBLIC
--view pg_shmem_allocations
CREATE VIEW pg_catalog.pg_shmem_allocations AS
  SELECT * FROM pg_catalog.pg_get_shmem_allocations()
--view grants of pg_shmem_allocations
GRANT SELECT ON pg_catalog.pg_shmem_allocations TO pg_read_all_stats
--view pg_backend_memory_contexts
CREATE VIEW pg_catalog.pg_backend_memory_contexts AS
  SELECT * FROM pg_catalog.pg_get_backend_memory_contexts()
--view grants of pg_backend_memory_contexts
GRANT SELECT ON pg_catalog.pg_backend_memory_contexts TO pg_read_all_stats
--view pg_stats
CREATE VIEW pg_catalog.pg_stats AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, a.attname, s.stainherit AS inherited,
         s.stanullfrac AS null_frac, s.stawidth AS avg_width, s.stadistinct AS n_distinct,
         CASE WHEN s.stakind1 = 1 THEN s.stavalues1 WHEN s.stakind2 = 1 THEN s.stavalues2 WHEN s.stakind3 = 1 THEN s.stavalues3 WHEN s.stakind4 = 1 THEN s.stavalues4 WHEN s.stakind5 = 1 THEN s.stavalues5 END AS most_common_vals,
         CASE WHEN s.stakind1 = 1 THEN s.stanumbers1 WHEN s.stakind2 = 1 THEN s.stanumbers2 WHEN s.stakind3 = 1 THEN s.stanumbers3 WHEN s.stakind4 = 1 THEN s.stanumbers4 WHEN s.stakind5 = 1 THEN s.stanumbers5 END AS most_common_freqs,
         CASE WHEN s.stakind1 = 2 THEN s.stavalues1 WHEN s.stakind2 = 2 THEN s.stavalues2 WHEN s.stakind3 = 2 THEN s.stavalues3 WHEN s.stakind4 = 2 THEN s.stavalues4 WHEN s.stakind5 = 2 THEN s.stavalues5 END AS histogram_bounds,
         CASE WHEN s.stakind1 = 3 THEN s.stanumbers1[1] WHEN s.stakind2 = 3 THEN s.stanumbers2[1] WHEN s.stakind3 = 3 THEN s.stanumbers3[1] WHEN s.stakind4 = 3 THEN s.stanumbers4[1] WHEN s.stakind5 = 3 THEN s.stanumbers5[1] END AS correlation,
         CASE WHEN s.stakind1 = 4 THEN s.stavalues1 WHEN s.stakind2 = 4 THEN s.stavalues2 WHEN s.stakind3 = 4 THEN s.stavalues3 WHEN s.stakind4 = 4 THEN s.stavalues4 WHEN s.stakind5 = 4 THEN s.stavalues5 END AS most_common_elems,
         CASE WHEN s.stakind1 = 4 THEN s.stanumbers1 WHEN s.stakind2 = 4 THEN s.stanumbers2 WHEN s.stakind3 = 4 THEN s.stanumbers3 WHEN s.stakind4 = 4 THEN s.stanumbers4 WHEN s.stakind5 = 4 THEN s.stanumbers5 END AS most_common_elem_freqs,
         CASE WHEN s.stakind1 = 5 THEN s.stanumbers1 WHEN s.stakind2 = 5 THEN s.stanumbers2 WHEN s.stakind3 = 5 THEN s.stanumbers3 WHEN s.stakind4 = 5 THEN s.stanumbers4 WHEN s.stakind5 = 5 THEN s.stanumbers5 END AS elem_count_histogram
  FROM pg_catalog.pg_statistic s JOIN pg_catalog.pg_class c ON c.oid = s.starelid
       JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = s.staattnum
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE NOT a.attisdropped AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'select')
        AND (c.relrowsecurity = false OR NOT pg_catalog.row_security_active(c.oid))
--view grants of pg_stats
GRANT SELECT ON pg_catalog.pg_stats TO PUBLIC
--view pg_timezone_names
CREATE VIEW pg_catalog.pg_timezone_names AS
  SELECT * FROM pg_catalog.pg_timezone_names()
--view grants of pg_timezone_names
GRANT SELECT ON pg_catalog.pg_timezone_names TO PUBLIC
--view pg_timezone_abbrevs
CREATE VIEW pg_catalog.pg_timezone_abbrevs AS
  SELECT * FROM pg_catalog.pg_timezone_abbrevs()
--view grants of pg_timezone_abbrevs
GRANT SELECT ON pg_catalog.pg_timezone_abbrevs TO PUBLIC
--view pg_hba_file_rules
CREATE VIEW pg_catalog.pg_hba_file_rules AS SELECT * FROM pg_catalog.pg_hba_file_rules() a
--view pg_ident_file_mappings
CREATE VIEW pg_catalog.pg_ident_file_mappings AS SELECT * FROM pg_catalog.pg_ident_file_mappings() a
--view pg_available_extensions
CREATE VIEW pg_catalog.pg_available_extensions AS
  SELECT e.name, e.default_version, x.extversion AS installed_version, e.comment
  FROM pg_catalog.pg_available_extensions() e LEFT JOIN pg_catalog.pg_extension x ON e.name = x.extname
--view grants of pg_available_extensions
GRANT SELECT ON pg_catalog.pg_available_extensions TO PUBLIC
--view pg_available_extension_versions
CREATE VIEW pg_catalog.pg_available_extension_versions AS
  SELECT e.name, e.version, x.extname IS NOT NULL AS installed, e.superuser, e.trusted, e.relocatable, e.schema, e.requires, e.comment
  FROM pg_catalog.pg_available_extension_versions() e
       LEFT JOIN pg_catalog.pg_extension x ON e.name = x.extname AND e.version = x.extversion
--view grants of pg_available_extension_versions
GRANT SELECT ON pg_catalog.pg_available_extension_versions TO PUBLIC
--view pg_prepared_xacts
CREATE VIEW pg_catalog.pg_prepared_xacts AS
  SELECT p.transaction, p.gid, p.prepared, u.rolname AS owner, d.datname AS database
  FROM pg_catalog.pg_prepared_xact() p LEFT JOIN pg_catalog.pg_authid u ON p.ownerid = u.oid
       LEFT JOIN pg_catalog.pg_database d ON p.dbid = d.oid
--view grants of pg_prepared_xacts
GRANT SELECT ON pg_catalog.pg_prepared_xacts TO PUBLIC
--view pg_policies
CREATE VIEW pg_catalog.pg_policies AS
  SELECT n.nspname AS schemaname, c.relname AS tablename, p.polname AS policyname,
         CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END AS permissive,
         CASE WHEN p.polroles = '{0}' THEN pg_catalog.string_to_array('public', '')::name[]
              ELSE ARRAY(SELECT a.rolname FROM pg_catalog.pg_authid a WHERE a.oid = ANY (p.polroles) ORDER BY 1) END AS roles,
         CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                       WHEN '*' THEN 'ALL' END AS cmd,
         pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS qual, pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
  FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = p.polrelid
       LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
--view grants of pg_policies
GRANT SELECT ON pg_catalog.pg_policies TO PUBLIC
--view pg_replication_origin_status
CREATE VIEW pg_catalog.pg_replication_origin_status AS SELECT * FROM pg_catalog.pg_show_replication_origin_status()
--view pg_stat_gssapi
CREATE VIEW pg_catalog.pg_stat_gssapi AS
  SELECT s.pid, s.gss_auth AS gss_authenticated, s.gss_princ AS principal, s.gss_enc AS encrypted
  FROM pg_catalog.pg_stat_get_activity(NULL) s WHERE s.client_port IS NOT NULL
--view grants of pg_stat_gssapi
GRANT SELECT ON pg_catalog.pg_stat_gssapi TO PUBLIC
--view pg_stat_progress_cluster
CREATE VIEW pg_catalog.pg_stat_progress_cluster AS
  SELECT s.pid, s.datid, d.datname, s.relid,
         CASE s.param1 WHEN 1 THEN 'CLUSTER' WHEN 2 THEN 'VACUUM FULL' END AS command,
         CASE s.param2 WHEN 0 THEN 'initializing' WHEN 1 THEN 'seq scanning heap' WHEN 2 THEN 'index scanning heap' WHEN 3 THEN 'sorting tuples' WHEN 4 THEN 'writing new heap' WHEN 5 THEN 'swapping relation files' WHEN 6 THEN 'rebuilding index' WHEN 7 THEN 'performing final cleanup' END AS phase,
         s.param3::oid AS cluster_index_relid, s.param4 AS heap_tuples_scanned, s.param5 AS heap_tuples_written,
         s.param6 AS heap_blks_total, s.param7 AS heap_blks_scanned, s.param8 AS index_rebuild_count
  FROM pg_catalog.pg_stat_get_progress_info('CLUSTER') s LEFT JOIN pg_catalog.pg_database d ON s.datid = d.oid
--view grants of pg_stat_progress_cluster
GRANT SELECT ON pg_catalog.pg_stat_progress_cluster TO PUBLIC
--view pg_stat_slru
CREATE VIEW pg_catalog.pg_stat_slru AS SELECT * FROM pg_catalog.pg_stat_get_slru() s
--view grants of pg_stat_slru
GRANT SELECT ON pg_catalog.pg_stat_slru TO PUBLIC
--view pg_stat_subscription
CREATE VIEW pg_catalog.pg_stat_subscription AS
  SELECT u.oid AS subid, u.subname, s.pid, s.relid, s.received_lsn, s.last_msg_send_time, s.last_msg_receipt_time,
         s.latest_end_lsn, s.latest_end_time
  FROM pg_catalog.pg_subscription u LEFT JOIN pg_catalog.pg_stat_get_subscription(NULL) s ON s.subid = u.oid
--view grants of pg_stat_subscription
GRANT SELECT ON pg_catalog.pg_stat_subscription TO PUBLIC
--view pg_stat_user_functions
CREATE VIEW pg_catalog.pg_stat_user_functions AS
  SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname, pg_catalog.pg_stat_get_function_calls(p.oid) AS calls,
         pg_catalog.pg_stat_get_function_total_time(p.oid) AS total_time, pg_catalog.pg_stat_get_function_self_time(p.oid) AS self_time
  FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE p.prolang <> 12 AND pg_catalog.pg_stat_get_function_calls(p.oid) IS NOT NULL
--view grants of pg_stat_user_functions
GRANT SELECT ON pg_catalog.pg_stat_user_functions TO PUBLIC
--view pg_stat_xact_user_functions
CREATE VIEW pg_catalog.pg_stat_xact_user_functions AS
  SELECT p.oid AS funcid, n.nspname AS schemaname, p.proname AS funcname, pg_catalog.pg_stat_get_xact_function_calls(p.oid) AS calls,
         pg_catalog.pg_stat_get_xact_function_total_time(p.oid) AS total_time,
         pg_catalog.pg_stat_get_xact_function_self_time(p.oid) AS self_time
  FROM pg_catalog.pg_proc p LEFT JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
  WHERE p.prolang <> 12 AND pg_catalog.pg_stat_get_xact_function_calls(p.oid) IS NOT NULL
--view grants of pg_stat_xact_user_functions
GRANT SELECT ON pg_catalog.pg_stat_xact_user_functions TO PUBLIC
