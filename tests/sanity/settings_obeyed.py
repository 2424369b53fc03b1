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
    "jit": "allows compilation to machine code; nothing is compiled, as pg_jit_available() says",
    "max_parallel_workers": "a most; no plan is parallel",
    "max_parallel_workers_per_gather": "a most; no plan is parallel",
    "max_parallel_maintenance_workers": "a most; no command is parallel",
    "min_parallel_index_scan_size": "no plan is parallel",
    "min_parallel_table_scan_size": "no plan is parallel",
    "parallel_setup_cost": "no plan is parallel",
    "parallel_tuple_cost": "no plan is parallel",
    "parallel_leader_participation": "no plan is parallel",
    "track_functions": "counts calls of functions in SQL, C and other languages that users define; built-in ones are never counted",
}


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
        excused = name in NOTHING_TO_CHOOSE
        if enumerator in used and excused:
            problems.append(f"{name} is obeyed now: take it off the list in {pathlib.Path(__file__).name}")
        if enumerator not in used and not excused and not is_preset:
            problems.append(f"{name} acts on nothing: obey it, or remove its row")
    problems += [f"{name} is listed here and no longer declared" for name in NOTHING_TO_CHOOSE if name not in seen]
    print("\n".join(problems) or f"{len(seen)} settings, every one obeyed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
