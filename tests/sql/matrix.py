#!/usr/bin/env python3
"""Runs the SQL files under other configurations than the usual one; the expected output stays the same.

usage: matrix.py [--quick | --list | CONFIGURATION ...] [--file NAME.sql ...]      (all configurations without arguments)

Rows of a statement without a top-level ORDER BY may come in any order and are compared sorted. A file whose output shows what a
configuration changes (plans, buffer counts) is excepted by name, with the reason, in EXCEPTED. Counts at the end say what ran.
"""
import argparse
import dataclasses
import difflib
import pathlib
import re
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "support"), str(FOLDER.parent / "replication")]
import run_sql  # noqa: E402
from replica import streaming_primary, take_basebackup, wait_caught_up, wait_streaming  # noqa: E402
from walden_node import Cluster  # noqa: E402


@dataclasses.dataclass
class Configuration:
    name: str
    settings: dict
    kind: str = "plain"  # what happens between files or statements: a key of RUNNERS
    quick: bool = False  # part of `./dev test`
    changes: tuple = ()  # keys of EXCEPTED: what files show that differs here


def method_off(name: str) -> Configuration:
    return Configuration(f"{name}_off", {f"enable_{name}": "off"}, changes=("plans",))


CONFIGURATIONS = [
    Configuration("tiny_pool", {"shared_buffers": 16}, changes=("buffers",)),
    Configuration("tiny_batches_and_spill", {"walden_batch_rows": 1, "walden_force_spill": "on", "walden_clobber_freed_memory": "on"}, quick=True,
                  changes=("spill",)),
    Configuration("clobbered_memory", {"walden_clobber_freed_memory": "on"}),
    Configuration("batch_of_one", {"walden_batch_rows": 1}),
    Configuration("small_work_mem", {"work_mem": "64kB"}, changes=("plans", "spill", "work_mem")),
    Configuration("forced_spill", {"walden_force_spill": "on"}, changes=("spill",)),
    Configuration("restarts", {}, kind="restarts", changes=("restarted",)),
    Configuration("kill_and_recover", {"wal_consistency_checking": "all", "full_page_writes": "on"}, kind="kills", changes=("recovered",)),
    Configuration("kill_and_recover_tiny_pool", {"shared_buffers": 16}, kind="kills",
                  changes=("buffers", "recovered")),
    Configuration("replica", {"wal_consistency_checking": "all"}, kind="replica", quick=True, changes=("replicated",)),
    *map(method_off, ("bitmapscan", "hashagg", "hashjoin", "indexonlyscan", "indexscan", "material", "mergejoin",
                      "nestloop", "seqscan", "sort", "tidscan")),
    Configuration("only_merge_joins", {"enable_hashjoin": "off", "enable_nestloop": "off"}, changes=("plans",)),
    Configuration("only_nested_loops", {"enable_hashjoin": "off", "enable_mergejoin": "off"}, changes=("plans",)),
    Configuration("only_index_scans", {"enable_seqscan": "off", "enable_bitmapscan": "off"}, changes=("plans",)),
    Configuration("only_bitmap_scans", {"enable_seqscan": "off", "enable_indexscan": "off", "enable_indexonlyscan": "off"},
                  changes=("plans",)),
]

# what a configuration changes -> file -> why its output differs
EXCEPTED = {
    "plans": {
        "explain.sql": "shows plans",
        "bitmap_scans.sql": "shows plans",
        "current_of.sql": "shows a plan",
        "grouping_sets.sql": "shows a plan",
        "windows.sql": "shows plans",
        "with_changes.sql": "shows plans",
        "merge_joins.sql": "shows plans",
        "statistics.sql": "counts scans by method",
        "condition_order.sql": "shows plans",
        "explain_triggers.sql": "shows plans",
        "exists_queries.sql": "shows plans",
        "relations_in_use.sql": "an index is in use if the plan reads it",
        "planner_settings.sql": "shows plans",
        "settings_values.sql": "shows the planner's settings",
    },
    "buffers": {"statistics.sql": "counts buffer hits"},
    "restarted": {"statistics.sql": "counts sessions"},
    "recovered": {"replication.sql": "a node that has recovered from a crash names the last position that it replayed"},
    "replicated": {"replication.sql": "shows that there is no replica", "settings_values.sql": "shows settings that the pair is given"},
    "work_mem": {name: "shows work_mem" for name in ("sessions.sql", "settings_values.sql", "statement_cache.sql", "transactions.sql")},
    "spill": {"statistics.sql": "counts temporary files", "explain.sql": "shows what is spilled"},
}

SESSION_STATE = re.compile(
    r"^\s*(SET|RESET|DISCARD|PREPARE|DECLARE|LISTEN|LOAD|CREATE\s+(LOCAL\s+)?TEMP|SELECT\s+.*(set_config|advisory|nextval|setval|"
    r"currval|lastval|pg_stat|pg_temp|pg_export|setseed|random|pg_backend)|.*\\g|EXECUTE)", re.I)
# A setting of the session by itself, which can be made again; the group is its name.
SETTING = re.compile(r"^\s*(?:SET|RESET)\s+(?!LOCAL\b|TRANSACTION\b|CONSTRAINTS\b|SESSION\s+CHARACTERISTICS\b)"
                     r"(?:SESSION\s+(?!AUTHORIZATION\b))?(\w+)[^;]*;\s*$", re.I)
SHOWS = re.compile(r"^\s*SHOW\b", re.I)
AGAIN = " -- again after the restart"
BEGINS = re.compile(r"^\s*(BEGIN|START\s+TRANSACTION)\b", re.I)
ENDS = re.compile(r"\b(COMMIT|ROLLBACK|END|ABORT)\b(?!\s+(TO|PREPARED))[^;]*;\s*$", re.I)


# --- comparison --------------------------------------------------------------------------------------------------------

def top_level_order(statement: str) -> bool:
    """Whether the text has an ORDER BY outside parentheses."""
    previous = None
    while previous != statement:
        previous, statement = statement, re.sub(r"\([^()]*\)", " ", statement)
    return re.search(r"\border\s+by\b", statement, re.I) is not None


def normalised(output: str) -> list:
    """The lines, with the rows of every table sorted that no top-level ORDER BY has put in order."""
    lines, result, statement = output.splitlines(), [], []
    at = 0
    while at < len(lines):
        result.append(lines[at])
        if at > 0 and re.fullmatch(r"-+(\+-+)*", lines[at]):
            end = next((i for i in range(at + 1, len(lines)) if re.fullmatch(r"\(\d+ rows?\)", lines[i])), None)
            if end is not None:
                rows = lines[at + 1:end]
                result += rows if top_level_order("\n".join(statement)) else sorted(rows)
                result.append(lines[end])
                statement, at = [], end
        else:
            statement.append(lines[at])
        at += 1
    return result


def same(path: pathlib.Path, got: str) -> bool:
    expected, got_lines = normalised(path.with_suffix(".out").read_text()), normalised(got)
    if expected == got_lines:
        return True
    print(f"FAILED  {path.name}")
    for line in difflib.unified_diff(expected, got_lines, "expected", "this run", n=6, lineterm=""):
        print(line)
    return False


# --- contents ----------------------------------------------------------------------------------------------------------

def databases(node) -> list:
    return [row[0] for row in node.sql("SELECT datname FROM pg_database WHERE datname LIKE 'sql\\_%' ORDER BY 1")]


def contents(node, database: str) -> dict:
    """name -> rows of every permanent table of the database."""
    tables = node.sql("SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                      "WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
                      "ORDER BY 1", database=database)
    names = [row[0] for row in tables]
    catalogs = ["pg_class", "pg_attribute", "pg_index", "pg_constraint", "pg_attrdef", "pg_sequence", "pg_depend", "pg_authid"]
    script = "".join(f"\\echo <{name}>\nCOPY (SELECT * FROM {name}) TO STDOUT;\n" for name in names + catalogs)
    found, lines = {}, None
    for line in node.psql(script, database=database).stdout.splitlines():
        if re.fullmatch(r"<.*>", line) and line[1:-1] in names + catalogs:
            lines = found.setdefault(line[1:-1], [])
        else:
            lines.append(line)
    return {name: sorted(rows) for name, rows in found.items()}


def assert_same_contents(before: dict, after: dict, what: str):
    assert before.keys() == after.keys(), f"{what}: other tables: {before.keys() ^ after.keys()}"
    for name, rows in before.items():
        if rows != after[name]:
            difference = "\n".join(difflib.unified_diff(rows, after[name], "before", "after", n=0, lineterm=""))
            raise AssertionError(f"{what}: {name} differs\n{difference[:4000]}")


def check_structures(node, database: str):
    """Every B-tree agrees with its table, every row is well formed."""
    node.sql("SELECT bt_index_check(i.indexrelid::regclass, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
             "WHERE c.relpersistence = 'p'", database=database)
    damage = node.sql("SELECT c.oid::regclass, v.* FROM pg_class c, LATERAL verify_heapam(c.oid::regclass) v "
                      "WHERE c.relkind = 'r' AND c.relpersistence = 'p'", database=database)
    assert damage == [], damage


# --- what happens between files ------------------------------------------------------------------------------------------

class Runner:
    """One node under a configuration; subclasses do something between files."""

    def __init__(self, cluster: Cluster, configuration: Configuration):
        self.cluster = cluster
        self.settings = configuration.settings
        self.node = self.start()

    def start(self):
        return self.cluster.node("sql").init().configure(**self.settings).start()

    def run(self, path: pathlib.Path) -> str:
        return run_sql.run_file(path, str(self.cluster.folder), str(self.node.port), before_drop=self.between)

    def between(self, database: str):
        """After a file, before its database is dropped."""

    def finish(self):
        self.node.stop()


class Kills(Runner):
    """kill -9 of all processes after every file: recovery brings back the same rows and sound indexes."""

    def between(self, database: str):
        before = contents(self.node, database)
        self.node.kill_all()
        self.node.start()
        assert_same_contents(before, contents(self.node, database), f"after kill -9 and recovery, {database}")
        check_structures(self.node, database)


class Replica(Runner):
    """Everything is streamed to a replica, which compares each replayed page and then each table."""

    def start(self):
        primary = streaming_primary(self.cluster, "sql", **self.settings)
        self.replica = self.cluster.node("replica")
        take_basebackup(primary, self.replica)
        self.replica.start()
        wait_streaming(primary, self.replica)
        return primary

    def between(self, database: str):
        wait_caught_up(self.node, self.replica)
        assert_same_contents(contents(self.node, database), contents(self.replica, database), f"replica, {database}")
        check_structures(self.replica, database)

    def finish(self):
        self.replica.stop()
        self.node.stop()


class Restarts(Runner):
    """A restart after each statement up to the first that leaves more in the session than settings, which are made again."""

    def run(self, path: pathlib.Path) -> str:
        script = self.cluster.folder / "restart.sh"
        script.write_text("#!/bin/sh\n" + self.restart_command())
        script.chmod(0o755)
        injected = [f"\\! {script}", "\\c"]
        text = with_injections(path.read_text(), path.with_suffix(".out").read_text(), injected)
        output = run_sql.run_file(path, str(self.cluster.folder), str(self.node.port), script=text)
        return "".join(line + "\n" for line in output.splitlines() if line not in injected and not line.endswith(AGAIN))

    def restart_command(self) -> str:
        identity = self.cluster.identity()
        account = f"setpriv --reuid {identity['user']} --regid {identity['group']} --clear-groups " if identity else ""
        return (f"cd {self.cluster.folder} && {account}env HOME={self.cluster.folder} {self.cluster.binary} restart -m fast "
                f"-D {self.node.data} -l {self.node.data}/server.log >/dev/null 2>&1 || echo restart failed\n")


RUNNERS = {"plain": Runner, "kills": Kills, "replica": Replica, "restarts": Restarts}


def with_injections(text: str, expected: str, injected: list) -> str:
    """The script with `injected` after each statement that ends outside a transaction and before any session state but settings."""
    result, in_transaction, in_copy, pending, settings = [], False, False, "", {}
    lines = text.split("\n")
    for number, line in enumerate(lines):
        result.append(line)
        if in_copy:
            in_copy = line != "\\."
            continue
        if line.startswith("\\c"):
            settings.clear()  # another session
        if not pending and (line.startswith("--") or line.startswith("\\") or not line.strip()):
            continue
        pending += line + "\n"
        setting = None if in_transaction else SETTING.match(pending)
        if SESSION_STATE.search(pending) and setting is None:
            return "\n".join(result + lines[number + 1:])
        if not line.rstrip().endswith(";") or pending.count("$$") % 2 or pending.count("'") % 2:
            continue
        statement, pending = pending, ""
        if setting is not None:
            remember_setting(settings, setting[1].lower(), statement.rstrip(), expected)
            continue
        if SHOWS.match(statement):
            continue
        in_copy = re.search(r"^\s*COPY\b.*\bFROM\s+STDIN", statement, re.I | re.S) is not None
        if BEGINS.search(statement):
            in_transaction = True
        if ENDS.search(statement):
            in_transaction = re.search(r"\bAND\s+CHAIN\b", statement, re.I) is not None
        if not in_transaction and not in_copy:
            result += [*injected, *(made + AGAIN for made in settings.values())]
    return "\n".join(result)


def remember_setting(settings: dict, name: str, statement: str, expected: str):
    """What a new session needs to be as this one after the statement."""
    if f"{statement}\nERROR" in expected:
        return
    if name == "all":  # of RESET; it leaves the role
        for other in [other for other in settings if other not in ("role", "session")]:
            del settings[other]
        return
    settings.pop(name, None)
    if not statement.upper().startswith("RESET"):
        settings[name] = statement


# --- driver --------------------------------------------------------------------------------------------------------------

def excepted(configuration: Configuration, path: pathlib.Path) -> str:
    return next((EXCEPTED[what][path.name] for what in configuration.changes if path.name in EXCEPTED[what]), "")


def run_configuration(configuration: Configuration, files: list) -> int:
    """How many files failed."""
    started, failed, left_out, ran = time.monotonic(), 0, 0, 0
    print(f"== {configuration.name} {configuration.settings}", flush=True)
    with Cluster() as cluster:
        runner = RUNNERS[configuration.kind](cluster, configuration)
        for path in files:
            reason = excepted(configuration, path)
            if reason:
                print(f"left out {path.name}: {reason}")
                left_out += 1
                continue
            ran += 1
            failed += not same(path, runner.run(path))
        runner.finish()
    print(f"== {configuration.name}: {ran} files, {failed} failed, {left_out} left out, "
          f"{time.monotonic() - started:.0f} s", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("configurations", nargs="*")
    parser.add_argument("--quick", action="store_true", help="those of ./dev test")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--file", action="append", help="only this file; may be repeated")
    arguments = parser.parse_args()
    by_name = {configuration.name: configuration for configuration in CONFIGURATIONS}
    if arguments.list:
        for configuration in CONFIGURATIONS:
            print(f"{configuration.name:28} {'quick' if configuration.quick else 'long ':6} {configuration.settings}")
        return 0
    unknown = [name for name in arguments.configurations if name not in by_name]
    if unknown:
        parser.error(f"no such configuration: {', '.join(unknown)} (--list)")
    chosen = [by_name[name] for name in arguments.configurations] or [
        configuration for configuration in CONFIGURATIONS if configuration.quick or not arguments.quick]
    files = [FOLDER / name for name in arguments.file] if arguments.file else sorted(FOLDER.glob("*.sql"))
    return 1 if sum(run_configuration(configuration, files) for configuration in chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
