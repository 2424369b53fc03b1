#!/usr/bin/env python3
"""Fails when a setting is declared that no code outside node/config/ looks at: it would be accepted and ignored. Presets (context
kInternal, or one possible value) only report.

usage: settings_obeyed.py REPOSITORY_ROOT
"""
import pathlib
import re
import sys

ROW = re.compile(r'^(?:BOOL|INT|REAL|STRING|ENUM)\((k\w+), "([^"]+)", C::(k\w+), (.*)\)$', re.M)

# Clients and pg_dump set these at every turn. What they choose about does not exist, so that every value is obeyed.
NOTHING_TO_CHOOSE = {
    "check_function_bodies": "there are no user-defined functions",
    "row_security": "there are no row security policies",
    "xmloption": "there is no xml type",
    "synchronize_seqscans": "allows scans to start in the middle of a table; none does",
    "max_parallel_workers": "a most; no plan is parallel",
    "max_parallel_workers_per_gather": "a most; no plan is parallel",
    "max_parallel_maintenance_workers": "a most; no command is parallel",
    "min_parallel_index_scan_size": "no plan is parallel",
    "min_parallel_table_scan_size": "no plan is parallel",
    "parallel_setup_cost": "no plan is parallel",
    "parallel_tuple_cost": "no plan is parallel",
    "parallel_leader_participation": "no plan is parallel",
}
# Known to act on nothing yet. The list only gets shorter.
NOT_OBEYED_YET = """
autovacuum_analyze_scale_factor autovacuum_analyze_threshold autovacuum_naptime autovacuum_vacuum_cost_delay
autovacuum_vacuum_cost_limit autovacuum_vacuum_insert_scale_factor autovacuum_vacuum_insert_threshold
autovacuum_vacuum_scale_factor autovacuum_vacuum_threshold client_encoding default_toast_compression password_encryption
client_connection_check_interval ssl_ciphers ssl_crl_dir ssl_crl_file ssl_dh_params_file ssl_ecdh_curve ssl_max_protocol_version
ssl_min_protocol_version ssl_prefer_server_ciphers role constraint_exclusion cursor_tuple_fraction from_collapse_limit
join_collapse_limit enable_material enable_sort enable_tidscan
log_autovacuum_min_duration log_duration log_hostname log_parameter_max_length log_parameter_max_length_on_error
log_statement log_min_duration_statement log_min_duration_sample log_startup_progress_interval
log_statement_sample_rate log_transaction_sample_rate maintenance_io_concurrency vacuum_cost_delay vacuum_cost_limit
vacuum_cost_page_dirty vacuum_cost_page_hit vacuum_cost_page_miss autovacuum_work_mem track_functions compute_query_id array_nulls
wal_writer_flush_after
""".split()


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    used = set()
    for top in ("node", "replication", "metrics"):
        for path in (root / top).rglob("*"):
            if path.suffix in (".cpp", ".h", ".def") and root / "node/config" not in path.parents:
                used.update(re.findall(r"Setting::(k\w+)", path.read_text(errors="replace")))
    problems, seen = [], set()
    for enumerator, name, context, rest in ROW.findall((root / "node/config/settings.def").read_text()):
        seen.add(name)
        bounds = re.search(r", (-?[\w.]+), (-?[\w.]+), \"[^\"]*\"$", rest)
        is_preset = context == "kInternal" or (bounds is not None and "U::" in rest and bounds[1] == bounds[2])
        excused = name in NOTHING_TO_CHOOSE or name in NOT_OBEYED_YET
        if enumerator in used and excused:
            print(f"note: {name} is obeyed now; take it off the list in {pathlib.Path(__file__).name}")
        if enumerator not in used and not excused and not is_preset:
            problems.append(f"{name} acts on nothing: obey it, or remove its row")
    problems += [f"{name} is listed here and no longer declared" for name in (*NOTHING_TO_CHOOSE, *NOT_OBEYED_YET) if name not in seen]
    print("\n".join(problems) or f"{len(seen)} settings, {len(NOT_OBEYED_YET)} not obeyed yet")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
