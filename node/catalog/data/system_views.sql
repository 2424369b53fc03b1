-- Views of pg_catalog, made by `walden init` in this order; a marker line names each statement.
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
--view pg_locks
CREATE VIEW pg_catalog.pg_locks AS SELECT * FROM pg_catalog.pg_lock_status()
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
