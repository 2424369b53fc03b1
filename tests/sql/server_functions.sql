-- Functions and views about the server: files, objects, indexes, the log, page logs, what there is none of.
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relname IN ('pg_hba_file_rules', 'pg_ident_file_mappings', 'pg_available_extensions', 'pg_available_extension_versions',
                    'pg_prepared_xacts', 'pg_policies', 'pg_replication_origin_status', 'pg_stat_gssapi', 'pg_stat_progress_cluster', 'pg_stat_slru',
                    'pg_stat_subscription', 'pg_stat_user_functions', 'pg_stat_xact_user_functions')
  AND a.attnum > 0 ORDER BY c.relname COLLATE "C", a.attnum;
SELECT count(*) FROM pg_prepared_xacts;
SELECT count(*) FROM pg_policies;
SELECT count(*) FROM pg_replication_origin_status;
SELECT count(*) FROM pg_stat_progress_cluster;
SELECT count(*) FROM pg_stat_subscription;
SELECT count(*) FROM pg_stat_user_functions;
SELECT gss_authenticated, principal, encrypted FROM pg_stat_gssapi WHERE pid = pg_backend_pid();
SELECT pg_postmaster_start_time() < now(), pg_conf_load_time() >= pg_postmaster_start_time() - interval '1 second';
SELECT pg_typeof(pg_postmaster_start_time()), pg_typeof(inet_server_addr()), pg_typeof(inet_server_port());
SELECT inet_client_addr(), inet_client_port(), inet_server_addr(), inet_server_port();
SELECT pg_current_logfile('x');
-- files
CREATE ROLE regress_reader;
GRANT EXECUTE ON FUNCTION pg_read_file(text), pg_ls_dir(text), pg_stat_file(text) TO regress_reader;
SET ROLE regress_reader;
SELECT pg_read_file('/etc/passwd');
SELECT pg_read_file('../x');
SELECT pg_ls_dir('base/../../x');
SELECT pg_read_file('PG_VERSION');
SELECT pg_read_file('PG_VERSION', 0, 1);
SELECT pg_read_binary_file('PG_VERSION');
SELECT * FROM pg_ls_waldir();
SELECT * FROM pg_ls_logdir();
SELECT * FROM pg_hba_file_rules;
SELECT * FROM pg_hba_file_rules();
SELECT * FROM pg_ident_file_mappings;
SELECT count(*) FROM pg_prepared_xacts;
SELECT pg_rotate_logfile();
SELECT pg_stat_reset_slru('Xact');
RESET ROLE;
GRANT pg_read_server_files TO regress_reader;
SET ROLE regress_reader;
SELECT pg_read_file('/etc/passwd') <> '';
RESET ROLE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;
SELECT pg_read_file('PG_VERSION'), pg_read_file('PG_VERSION', 0, 1), pg_read_file('PG_VERSION', -3, 1), pg_read_file('PG_VERSION', 50, 1);
SELECT pg_read_binary_file('PG_VERSION', 1, 100), pg_read_binary_file('PG_VERSION'), pg_read_binary_file('PG_VERSION', 0, 2, true);
SELECT pg_read_file('nothere');
SELECT pg_read_file('nothere', 0, 1, true) IS NULL, pg_read_binary_file('nothere', 0, 1, true) IS NULL;
SELECT pg_read_file('PG_VERSION', 0, -1);
SELECT pg_read_file('base');
SELECT pg_read_file('/proc/self/stat') <> '';
SELECT pg_ls_dir('nothere');
SELECT * FROM pg_ls_dir('nothere', true, true);
SELECT count(*) FROM pg_ls_dir('base', false, true) d WHERE d IN ('.', '..');
SELECT count(*) FROM pg_ls_dir('base') d WHERE d IN ('.', '..', '1');
SELECT pg_stat_file('nothere');
SELECT pg_stat_file('nothere', true) IS NULL;
SELECT size, isdir, creation, access > now() - interval '1 year', change <= now() FROM pg_stat_file('PG_VERSION');
SELECT isdir FROM pg_stat_file('base', true);
SELECT count(*) > 0, max(size) >= 16777216 FROM pg_ls_waldir() WHERE length(name) = 24;
SELECT count(*) FROM pg_ls_tmpdir();
SELECT count(*) FROM pg_ls_tmpdir(1663);
SELECT * FROM pg_ls_tmpdir(99);
-- objects
SELECT pg_collation_for('x'::text), pg_collation_for('x' COLLATE "C"), pg_collation_for('x'::varchar || 'y'), pg_collation_for(NULL::text);
SELECT pg_collation_for('x');
SELECT pg_collation_for(1);
SELECT pg_describe_object('pg_class'::regclass, 'pg_class'::regclass, 1), pg_describe_object('pg_class'::regclass, 'pg_class'::regclass, 0),
       pg_describe_object('pg_type'::regclass, 'int4'::regtype, 0), pg_describe_object('pg_class'::regclass, 99999, 0), pg_describe_object(0, 0, 0);
CREATE SEQUENCE s START 5 INCREMENT 3 CYCLE;
SELECT * FROM pg_sequence_parameters('s'::regclass);
SELECT * FROM pg_sequence_parameters('pg_class'::regclass);
SELECT pg_filenode_relation(0, pg_relation_filenode('s')), pg_filenode_relation(1663, pg_relation_filenode('s')), pg_filenode_relation(0, 99999);
CREATE TABLE ri (a int PRIMARY KEY, b text);
CREATE INDEX ri_b ON ri (b DESC NULLS LAST) INCLUDE (a);
SELECT pg_get_replica_identity_index('ri'), pg_get_replica_identity_index('pg_class');
SELECT n, pg_index_column_has_property('ri_pkey', 1, n), pg_index_column_has_property('ri_b', 1, n), pg_index_column_has_property('ri_b', 2, n),
       pg_index_has_property('ri_pkey', n), pg_indexam_has_property(403, n)
FROM unnest('{asc,desc,nulls_first,nulls_last,orderable,distance_orderable,returnable,search_array,search_nulls,clusterable,index_scan,bitmap_scan,backward_scan,can_order,can_unique,can_multi_col,can_exclude,can_include,bogus}'::text[]) n;
SELECT pg_index_column_has_property('ri_pkey', 0, 'asc'), pg_index_column_has_property('ri_pkey', 2, 'asc'), pg_index_column_has_property('ri', 1, 'asc');
SELECT row_security_active('ri');
SELECT row_security_active('nothere');
SELECT pg_lsn(1234::numeric), pg_lsn(18446744073709551615);
SELECT pg_lsn(-1);
SELECT count(*) > 0 FROM pg_tablespace_databases(1663) d WHERE d = (SELECT oid FROM pg_database WHERE datname = 'postgres');
SELECT * FROM pg_tablespace_databases(1664);
SELECT * FROM pg_tablespace_databases(99);
SELECT rm_name FROM pg_get_wal_resource_managers() WHERE rm_builtin AND rm_name IN ('XLOG', 'Heap', 'Heap2', 'Btree', 'Transaction', 'CLOG') ORDER BY 1;
-- page logs: counted, and reset
INSERT INTO ri SELECT g, 'x' FROM generate_series(1, 10) g;
SELECT name, blks_zeroed >= 0, blks_read >= 0, blks_exists >= 0, truncates >= 0 FROM pg_stat_slru WHERE name IN ('MultiXactMember', 'MultiXactOffset', 'Xact') ORDER BY name COLLATE "C";
SELECT pg_stat_force_next_flush();
SELECT blks_hit > 0 FROM pg_stat_slru WHERE name = 'Xact';
CREATE TABLE former AS SELECT name, stats_reset FROM pg_stat_slru;
SELECT pg_stat_reset_slru('MultiXactMember');
SELECT name FROM pg_stat_slru s JOIN former f USING (name) WHERE s.stats_reset > f.stats_reset OR f.stats_reset IS NULL AND s.stats_reset IS NOT NULL;
SELECT pg_stat_reset_slru('nothere');
SELECT pg_stat_have_stats('slru', 0, 0);
SELECT name, unit FROM pg_settings WHERE name IN ('shared_buffers', 'work_mem', 'statement_timeout', 'port') ORDER BY name;
