-- Cumulative statistics: what queries count, transactions and savepoints, resets, snapshots.
CREATE TABLE counted (a int PRIMARY KEY, b text) WITH (autovacuum_enabled = off);
INSERT INTO counted SELECT g, 'row ' || g FROM generate_series(1, 100) g;
SELECT pg_stat_force_next_flush();
SELECT n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_dead_tup, n_mod_since_analyze, n_ins_since_vacuum
FROM pg_stat_user_tables WHERE relname = 'counted';

UPDATE counted SET b = 'changed' WHERE a <= 10;
DELETE FROM counted WHERE a > 95;
SELECT pg_stat_force_next_flush();
SELECT n_tup_ins, n_tup_upd, n_tup_del, n_live_tup, n_dead_tup, n_mod_since_analyze, n_ins_since_vacuum
FROM pg_stat_user_tables WHERE relname = 'counted';

-- What is rolled back was done, and leaves dead rows.
BEGIN;
INSERT INTO counted SELECT g, 'undone' FROM generate_series(201, 220) g;
SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables WHERE relname = 'counted';
ROLLBACK;
SELECT pg_stat_force_next_flush();
SELECT n_tup_ins, n_live_tup, n_dead_tup, n_mod_since_analyze FROM pg_stat_user_tables WHERE relname = 'counted';
BEGIN;
INSERT INTO counted VALUES (301, 'kept');
SAVEPOINT s;
INSERT INTO counted VALUES (302, 'undone'), (303, 'undone');
DELETE FROM counted WHERE a = 1;
ROLLBACK TO s;
SAVEPOINT t;
DELETE FROM counted WHERE a = 2;
RELEASE t;
COMMIT;
SELECT pg_stat_force_next_flush();
SELECT n_tup_ins, n_tup_del, n_live_tup, n_dead_tup FROM pg_stat_user_tables WHERE relname = 'counted';

-- Scans.
SELECT pg_stat_reset_single_table_counters('counted'::regclass);
SELECT pg_stat_reset_single_table_counters('counted_pkey'::regclass);
SELECT count(*) FROM counted;
SELECT count(*) FROM counted;
SET enable_seqscan = off;
SELECT b FROM counted WHERE a = 20;
SELECT b FROM counted WHERE a = 21;
SELECT b FROM counted WHERE a = 100000;
RESET enable_seqscan;
SELECT pg_stat_force_next_flush();
SELECT seq_scan, seq_tup_read, idx_scan, idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'counted';
SELECT relname, indexrelname, idx_scan, idx_tup_read, idx_tup_fetch FROM pg_stat_user_indexes WHERE relname = 'counted';
SELECT heap_blks_read + heap_blks_hit > 0 AS heap, idx_blks_read + idx_blks_hit > 0 AS idx FROM pg_statio_user_tables WHERE relname = 'counted';

-- VACUUM and ANALYZE tell what they found.
VACUUM counted;
SELECT n_live_tup, n_dead_tup, n_ins_since_vacuum, vacuum_count, autovacuum_count, analyze_count, last_vacuum IS NOT NULL AS vacuumed
FROM pg_stat_user_tables WHERE relname = 'counted';
ANALYZE counted;
SELECT n_live_tup, n_mod_since_analyze, analyze_count, last_analyze IS NOT NULL AS analyzed, last_autoanalyze
FROM pg_stat_user_tables WHERE relname = 'counted';
SELECT attname, null_frac, n_distinct, correlation FROM pg_stats WHERE tablename = 'counted' AND attname = 'a';
TRUNCATE counted;
SELECT pg_stat_force_next_flush();
SELECT n_live_tup, n_dead_tup, n_ins_since_vacuum FROM pg_stat_user_tables WHERE relname = 'counted';

-- A transaction sees the same numbers each time it looks.
BEGIN;
SELECT n_tup_ins > 0 AS any FROM pg_stat_user_tables WHERE relname = 'counted';
SELECT pg_stat_get_snapshot_timestamp() IS NULL AS none;
SET LOCAL stats_fetch_consistency = snapshot;
SELECT pg_stat_clear_snapshot();
SELECT count(*) FROM pg_stat_user_tables WHERE relname = 'counted';
SELECT pg_stat_get_snapshot_timestamp() IS NULL AS none;
COMMIT;

-- Objects take their statistics with them.
SELECT 'counted'::regclass::oid AS counted_oid \gset
SELECT pg_stat_have_stats('relation', (SELECT oid FROM pg_database WHERE datname = current_database()), :counted_oid);
BEGIN;
DROP TABLE counted;
ROLLBACK;
SELECT pg_stat_have_stats('relation', (SELECT oid FROM pg_database WHERE datname = current_database()), :counted_oid);
DROP TABLE counted;
SELECT pg_stat_have_stats('relation', (SELECT oid FROM pg_database WHERE datname = current_database()), :counted_oid);
SELECT pg_stat_get_tuples_inserted(:counted_oid);

-- The database and the node.
SELECT datname = current_database() AS this, numbackends, xact_commit > 0 AS commits, xact_rollback > 0 AS rollbacks, tup_inserted > 0 AS inserted,
       sessions, deadlocks, temp_files, conflicts FROM pg_stat_database WHERE datname = current_database();
SELECT pg_stat_reset();
SELECT stats_reset IS NOT NULL AS reset, deadlocks FROM pg_stat_database WHERE datname = current_database();
SELECT wal_records > 0 AS records, wal_bytes > 0 AS bytes, stats_reset IS NOT NULL AS reset FROM pg_stat_wal;
SELECT checkpoints_req >= 0 AS requested, buffers_alloc > 0 AS allocated FROM pg_stat_bgwriter;
SELECT archived_count, last_archived_wal, failed_count FROM pg_stat_archiver;
SELECT pg_stat_reset_shared('nonsense');
SELECT pg_stat_reset_shared('bgwriter');
SELECT count(*) FROM pg_stat_progress_vacuum;
SELECT count(*) FROM pg_stat_progress_copy;
SELECT count(*) FROM pg_stat_get_progress_info('NONSENSE');

-- Activity.
SELECT datname = current_database() AS this, usename, state, backend_type, client_addr, client_port, query, xact_start = query_start AS same_start
FROM pg_stat_activity WHERE pid = pg_backend_pid();
CREATE ROLE statistics_reader;
SET ROLE statistics_reader;
SELECT query, state FROM pg_stat_activity WHERE pid = pg_backend_pid();
SELECT count(*) FROM pg_shmem_allocations;
RESET ROLE;
DROP ROLE statistics_reader;

-- VACUUM's options.
CREATE TABLE swept (a int) WITH (autovacuum_enabled = off);
VACUUM (BOGUS) swept;
VACUUM (PARALLEL -1) swept;
VACUUM (PARALLEL) swept;
VACUUM (INDEX_CLEANUP foo) swept;
VACUUM (INDEX_CLEANUP auto, TRUNCATE off, PROCESS_TOAST off, PARALLEL 2) swept;
VACUUM swept (a);
VACUUM (FULL, PARALLEL 2) swept;
VACUUM (FULL, DISABLE_PAGE_SKIPPING) swept;
VACUUM (FULL, PROCESS_TOAST off) swept;
ANALYZE (FREEZE) swept;
INSERT INTO swept SELECT generate_series(1, 10);
ANALYZE VERBOSE swept;
ALTER TABLE swept SET (autovacuum_vacuum_cost_limit = 0);
ALTER TABLE swept SET (autovacuum_vacuum_insert_threshold = 5, autovacuum_vacuum_cost_delay = 1.5, log_autovacuum_min_duration = 0);
SELECT reloptions FROM pg_class WHERE relname = 'swept';
DROP TABLE swept;

-- inet and cidr.
SELECT '10.1.2.3'::inet, '10.1.2.3/8'::inet, '10.1/16'::inet, '::1'::inet, 'fe80::1/64'::inet;
SELECT '10.1'::inet;
SELECT '10.1'::cidr, '192.168.1'::cidr, '10.0.0.0/8'::cidr, '::/0'::cidr;
SELECT '10.1.2.3/8'::cidr;
SELECT host('10.1.2.3/8'::inet), text('10.1.2.3'::inet), family('::1'::inet), masklen('10.1.2.3/8'::inet), network('10.1.2.3/8'::inet),
       broadcast('10.1.2.3/8'::inet), netmask('10.1.2.3/8'::inet), hostmask('10.1.2.3/8'::inet), set_masklen('10.1.2.3'::inet, 16);
SELECT '10.1.2.3'::inet << '10.0.0.0/8'::inet AS sub, '10.0.0.0/8'::inet >>= '10.0.0.0/8'::inet AS sup, '10.0.0.0/8'::inet && '11.0.0.0/8'::inet AS overlap;
SELECT v::inet FROM (VALUES ('::1'), ('10.0.0.2'), ('10.0.0.1'), ('10.0.0.0/8'), ('9.255.255.255')) x(v) ORDER BY v::inet;
SELECT set_masklen('10.1.2.3'::inet, 33);

-- VACUUM cuts the empty end off, and says how long the table is now.
CREATE TABLE shrinks (a int PRIMARY KEY, b text);
INSERT INTO shrinks SELECT g, repeat('x', 100) FROM generate_series(1, 20000) g;
DELETE FROM shrinks WHERE a > 5000;
VACUUM shrinks;
SELECT relpages = pg_relation_size(oid) / 8192 AS agrees, relpages BETWEEN 50 AND 120 AS cut, reltuples FROM pg_class WHERE relname = 'shrinks';
DROP TABLE shrinks;
