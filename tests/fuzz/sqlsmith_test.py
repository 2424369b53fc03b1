#!/usr/bin/env python3
"""sqlsmith (Debian's package of that name) writes statements at random over the tables and catalogs that the SQL files leave behind.

usage: sqlsmith_test.py [--minutes 10] [--seed 1]

No process dies, no statement outlives its timeout, no error is an internal one (XX000), and afterwards nothing is left behind: no
session, lock, temporary file or descriptor, and no memory of the processes that stay.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent / "support"), str(FOLDER.parent / "sql")]
import run_sql  # noqa: E402
from walden_node import Cluster, is_alive, wait_until  # noqa: E402

CLIENTS = 2
STATEMENT_TIMEOUT_S = 5
CANCEL_GRACE_S = 20  # a debug build on a loaded machine plans for seconds
BACKEND_LIMIT_MB = 400
GROWTH_MB = 32
# PostgreSQL has an internal error here too: an expression, not a literal, of the type unknown; acldefault of another letter.
AS_POSTGRESQL = ("failed to find conversion function from unknown to", "unrecognized objtype abbreviation")
CRASH = re.compile(r".*(?:was terminated by signal|exited with exit code [2-9]|reinitializing).*")
LINE = re.compile(r"(?m)^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+ )")


def load_tables(node):
    """What the SQL files make, as far as they do not drop it, in one database."""
    for path in sorted(run_sql.FOLDER.glob("*.sql")):
        node.psql(path.read_text(), check=False, extra=("-v", "ON_ERROR_STOP=0"))
    # The files leave views that refer to themselves: every statement over them is refused.
    looping = [name for (name,) in node.sql("SELECT oid::regclass FROM pg_class WHERE relkind = 'v' AND relnamespace = 2200")
               if node.sqlstate(f"EXPLAIN SELECT * FROM {name}") == "42P17"]
    for name in looping:
        node.psql(f"DROP VIEW IF EXISTS {name} CASCADE")


def memory_mb(pid: int) -> float:
    return int(re.search(r"^RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1)) / 1024


def standing(node) -> dict:
    """The processes that live as long as the node."""
    found = {pid: title for pid, title in node.children().items()
             if not re.search("backend|postgres|autovacuum worker", title)}
    return {**found, node.postmaster_pid(): "postmaster"}


class Smiths:
    """The sqlsmith processes; one that the server has sent away is started again with the next seed."""

    def __init__(self, node, seed: int):
        self.target = f"host={node.cluster.folder} port={node.port} user=postgres dbname=postgres"
        self.log = node.cluster.folder
        self.next_seed = seed
        self.running = {}
        self.restarts = -CLIENTS

    def keep_running(self):
        for seed, process in list(self.running.items()):
            if process.poll() is not None:
                del self.running[seed]
        while len(self.running) < CLIENTS:
            with open(self.log / f"sqlsmith.{self.next_seed}", "w") as log:
                self.running[self.next_seed] = subprocess.Popen(
                    ["sqlsmith", f"--target={self.target}", f"--seed={self.next_seed}", "--verbose"],
                    stdout=subprocess.DEVNULL, stderr=log)
            self.next_seed += 1
            self.restarts += 1

    def stop(self):
        for process in self.running.values():
            process.kill()
            process.wait()

    def counts(self) -> dict:
        """One character a statement: '.' for an answer, else what kind of error."""
        lines = "".join(line for path in self.log.glob("sqlsmith.*") for line in path.read_text(errors="replace").splitlines()
                        if re.fullmatch(r"[.etCSi]+", line))
        return {kind: lines.count(kind) for kind in sorted(set(lines))}


def internal_errors(log: str) -> dict:
    """message -> the shortest statement that led to it"""
    entries = LINE.split(log)
    found = {}
    for at, entry in enumerate(entries):
        message = re.search(r"\[(\d+)\] (?:(?:ERROR|FATAL):  XX\w{3}|PANIC): .*", entry)
        if message is None or any(words in entry for words in AS_POSTGRESQL):
            continue
        statement = next((other.split("STATEMENT:", 1)[1].strip() for other in entries[at + 1:at + 20]
                          if f"[{message.group(1)}] STATEMENT:" in other), "")
        text = message.group(0).split("] ", 1)[1]
        if text not in found or len(statement) < len(found[text]):
            found[text] = statement
    return found


def check_nothing_hangs(node):
    late = node.sql(f"SELECT pid, translate(query, E'\\n\\t', '  ') FROM pg_stat_activity WHERE backend_type = 'client backend' AND state = 'active' AND "
                    f"query_start < clock_timestamp() - interval '{STATEMENT_TIMEOUT_S + CANCEL_GRACE_S} s'")
    assert not late, f"cannot be cancelled: {late}"


def check_nothing_is_left(node, processes: dict, before: dict):
    wait_until(lambda: node.value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") == "1",
               "the sessions to end")
    assert node.value("SELECT count(*) FROM pg_locks WHERE pid <> pg_backend_pid()") == "0", "locks are left"
    temporary = node.data / "base" / "pgsql_tmp"
    assert not temporary.is_dir() or not list(temporary.iterdir()), "temporary files are left"
    for pid, title in processes.items():
        if not is_alive(pid):  # pg_terminate_backend has met the launcher of autovacuum or a background worker
            print(f"{title}: ended by a statement")
            continue
        memory, descriptors = before[pid]
        print(f"{title}: {memory:.1f} -> {memory_mb(pid):.1f} MB, {descriptors} -> {len(os.listdir(f'/proc/{pid}/fd'))} descriptors")
        assert memory_mb(pid) < memory + GROWTH_MB, f"{title} grew"
        assert len(os.listdir(f"/proc/{pid}/fd")) < descriptors + 40, f"{title} keeps descriptors"


def run(node, minutes: float, seed: int):
    processes = standing(node)
    before = {pid: (memory_mb(pid), len(os.listdir(f"/proc/{pid}/fd"))) for pid in processes}
    smiths, log_start = Smiths(node, seed), len(node.log_text())
    deadline = time.monotonic() + 60 * minutes
    try:
        while time.monotonic() < deadline:
            smiths.keep_running()
            time.sleep(1)
            errors = internal_errors(node.log_text()[log_start:])
            assert not errors, "".join(f"\n{message}\n{statement}" for message, statement in errors.items())
            check_nothing_hangs(node)
            large = {pid: memory_mb(pid) for pid, title in node.children().items()
                     if "postgres" in title and memory_mb(pid) > BACKEND_LIMIT_MB}
            assert not large, f"backends grew: {large}"
            crashes = CRASH.findall(node.log_text()[log_start:])
            assert not crashes, crashes
    finally:
        smiths.stop()
        print(f"statements: {smiths.counts()}, {smiths.restarts} restarts", flush=True)
    check_nothing_is_left(node, processes, before)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    if shutil.which("sqlsmith") is None:
        sys.exit("sqlsmith is not installed (Debian's package of that name)")
    with Cluster() as cluster:
        node = cluster.node("smith").init()
        node.configure(statement_timeout=f"{STATEMENT_TIMEOUT_S}s", log_error_verbosity="verbose", log_min_error_statement="error",
                       lock_timeout="1s", max_slot_wal_keep_size="64MB", track_activity_query_size="128kB")
        node.start()
        load_tables(node)
        run(node, arguments.minutes, arguments.seed)
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
