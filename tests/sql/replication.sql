-- What a primary answers about replication, WAL positions, slots, backups and snapshots as values.
SELECT pg_is_in_recovery(), pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(), pg_last_xact_replay_timestamp();
SELECT pg_current_wal_insert_lsn() >= pg_current_wal_lsn(), pg_current_wal_lsn() >= pg_current_wal_flush_lsn();
SELECT pg_wal_lsn_diff('0/200', '0/100'), pg_wal_lsn_diff('0/100', 'A/0');
SELECT pg_walfile_name('0/3000000'), pg_walfile_name_offset('0/3000000'), pg_walfile_name_offset('1/ABCDEF12');
SELECT * FROM pg_walfile_name_offset('0/3000001');
SELECT (pg_walfile_name_offset('0/3000001')).file_offset;
-- control of recovery asks for a standby
SELECT pg_wal_replay_pause();
SELECT pg_wal_replay_resume();
SELECT pg_is_wal_replay_paused();
SELECT pg_get_wal_replay_pause_state();
SELECT pg_promote();
-- pg_lsn
SELECT '0/16'::pg_lsn + 5, '0/16'::pg_lsn - 5, 5 + '0/16'::pg_lsn, '0/20'::pg_lsn - '0/10'::pg_lsn;
SELECT 'FFFFFFFF/FFFFFFFF'::pg_lsn + 1;
SELECT '0/1'::pg_lsn - 2;
SELECT 'G/0'::pg_lsn;
SELECT '0/12345678'::pg_lsn < '1/0', '0/1'::pg_lsn = '0/1', max(x), min(x) FROM (VALUES ('0/5'::pg_lsn), ('0/9')) v(x);
-- slots
SELECT slot_name, lsn IS NULL FROM pg_create_physical_replication_slot('one');
SELECT slot_name, lsn > '0/0' FROM pg_create_physical_replication_slot('two', true);
SELECT slot_name, lsn IS NULL FROM pg_create_physical_replication_slot('three', false, true);
SELECT pg_create_physical_replication_slot('one');
SELECT pg_create_physical_replication_slot('');
SELECT pg_create_physical_replication_slot('Not good');
SELECT pg_create_physical_replication_slot('a234567890123456789012345678901234567890123456789012345678901234');
SELECT pg_copy_physical_replication_slot('two', 'four');
SELECT pg_copy_physical_replication_slot('one', 'five');
SELECT pg_copy_physical_replication_slot('none', 'five');
SELECT pg_copy_physical_replication_slot('two', 'four');
SELECT slot_name, plugin, slot_type, datoid, database, temporary, active, active_pid = pg_backend_pid() AS mine, xmin, catalog_xmin,
       restart_lsn IS NOT NULL AS reserves, confirmed_flush_lsn, wal_status, two_phase
  FROM pg_replication_slots ORDER BY 1;
SELECT pg_drop_replication_slot('none');
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots ORDER BY slot_name;
SELECT count(*) FROM pg_replication_slots;
SELECT * FROM pg_stat_replication_slots;
-- nobody replicates from here, and here from nobody
SELECT * FROM pg_stat_replication;
SELECT * FROM pg_stat_wal_receiver;
SELECT c.relname, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
 WHERE c.relname IN ('pg_stat_replication', 'pg_stat_wal_receiver', 'pg_replication_slots', 'pg_stat_replication_slots')
   AND c.relnamespace = 'pg_catalog'::regnamespace AND a.attnum > 0 ORDER BY 1, 2;
-- backups
SELECT * FROM pg_backup_stop();
SELECT pg_backup_start('mine', true) > '0/0';
SELECT pg_backup_start('again', true);
SELECT lsn > '0/0', split_part(labelfile, E'\n', 6), spcmapfile FROM pg_backup_stop(false);
SELECT pg_create_restore_point('here') > '0/0';
SELECT pg_create_restore_point(repeat('x', 64));
-- the control file
SELECT checkpoint_lsn >= redo_lsn, timeline_id, prev_timeline_id, full_page_writes FROM pg_control_checkpoint();
SELECT system_identifier > 0 FROM pg_control_system();
SELECT * FROM pg_control_recovery();
SELECT database_block_size, blocks_per_segment, bytes_per_wal_segment, max_identifier_length, max_index_columns FROM pg_control_init();
-- snapshots
SELECT '10:20:10,14,15'::pg_snapshot, '10:20:'::txid_snapshot, '10:20:14,14'::pg_snapshot;
SELECT pg_snapshot_xmin('10:20:10,14,15'), pg_snapshot_xmax('10:20:10,14,15');
SELECT * FROM pg_snapshot_xip('10:20:10,14,15') x;
SELECT x, pg_visible_in_snapshot(x::text::xid8, '10:20:10,14,15') FROM generate_series(9, 21) x;
SELECT txid_visible_in_snapshot(14, '10:20:10,14,15'), txid_snapshot_xmax('10:20:10,14,15');
SELECT '20:10:'::pg_snapshot;
SELECT '10:20:9'::pg_snapshot;
SELECT '10:20:15,14'::pg_snapshot;
SELECT pg_snapshot_xmin(pg_current_snapshot()) <= pg_snapshot_xmax(pg_current_snapshot());
SELECT pg_visible_in_snapshot(pg_current_xact_id(), pg_current_snapshot());
-- who may
CREATE ROLE repl_nobody LOGIN;
CREATE ROLE repl_role LOGIN REPLICATION;
\c - repl_nobody
SELECT pg_create_physical_replication_slot('x');
SELECT pg_drop_replication_slot('x');
SELECT pg_switch_wal();
SELECT pg_create_restore_point('x');
SELECT pg_backup_start('x', true);
\c - repl_role
SELECT pg_create_physical_replication_slot('x');
SELECT pg_drop_replication_slot('x');
\c - postgres
DROP ROLE repl_nobody;
DROP ROLE repl_role;
