#!/usr/bin/env python3
"""Kills the node at every fault point, and at every kind of WAL record, under load; then everything that was promised must be true.

Points and record kinds come from their tables (node/base/fault_points.def, node/wal/record_kinds.def): a new row is covered, or fails
because the load never passes it. --long: more rounds with other odds, and recovery killed again and again at every kind of record.
"""
import pathlib
import random
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from walden_node import REPOSITORY, Cluster, put_request, wait_until  # noqa: E402
from workload import Workload  # noqa: E402

# Passed so often that the first time would come before any work is done.
FREQUENT = {"before-commit-record", "commit-reserved", "after-commit-record", "record-changed", "record-reserved", "record-inserted", "wal-written",
            "page-before-write", "page-written", "file-extended", "file-created", "file-before-sync", "file-truncated",
            "nextval-unlogged"}
# Passed while transactions are only looked at: tests/unit/txn_* stop there, a crash has nothing to show.
READING = {"snapshot-read", "snapshot-announced", "horizon-floor-published"}
# Passed by slots, promotion and fencing: tests/replication.
REPLICATION = re.compile("slot-|term-|promotion-|node-fenced")
RECOVERY = {"redo-record", "redo-applied", "recovery-replayed", "recovery-wal-opened", "recovery-in-production"}
BY_KIND = {"record-changed", "record-inserted"}
# Records that this load does not write, and where they are tested instead.
OTHER_LOADS = {
    "Transaction/COMMIT": "before-commit-record and after-commit-record", "XLOG/SWITCH": "reserved in a way of its own",
    "XLOG/CHECKPOINT_SHUTDOWN": "a stopped node", "XLOG/NOOP": "nothing writes it", "XLOG/BACKUP_END": "backups",
    "XLOG/PARAMETER_CHANGE": "a start with other settings", "XLOG/RESTORE_POINT": "no redo", "XLOG/END_OF_RECOVERY": "promotion and crash_again_test.py",
    "XLOG/FPI_FOR_HINT": "a hint after a checkpoint, by chance", "CLOG/TRUNCATE": "unit tests", "MultiXact/TRUNCATE_ID": "unit tests",
    "Standby/LOCK": "standbys", "Heap2/LOCK_UPDATED": "concurrent lockers", "Btree/REUSE_PAGE": "standbys",
    "XLOG/NEXTOID": "every 8192 OIDs", "Heap2/SETTLE": "old transactions", "Transaction/RESERVE": "every 8192 transactions", "Standby/RUNNING_XACTS": "standbys",
}
# The kinds of record that every run kills at; --long takes all.
OFTEN = {"Btree/SPLIT", "Heap2/MULTI_INSERT", "Btree/INSERT_UPPER", "Btree/INSERT_MANY", "Btree/DEDUP", "Btree/UNLINK_PAGE", "Heap2/PRUNE", "Heap2/VACUUM", "Storage/TRUNCATE", "Database/DROP"}

# What the load comes to by itself only when it has written much.
PROMPTED = {"wal-segment-recycling": "SELECT pg_switch_wal(); CHECKPOINT"}


def rows(path: str, pattern: str) -> list:
    found = re.findall(pattern, (REPOSITORY / path).read_text(), re.MULTILINE)
    assert found, path
    return found


def points() -> list:
    return rows("node/base/fault_points.def", r'^X\(\w+, "([^"]+)"\)')


def kinds() -> list:
    return [f"{family}/{name}" for family, name in rows("node/wal/record_kinds.def", r'^X\(\w+, 0x\w+, "([^"]+)", "([^"]+)"')]


class Killer:
    def __init__(self, node, load):
        self.node, self.load = node, load
        self.once = node.data / "fault_point.once"

    def arm(self, specification: str):
        (self.node.data / "fault.conf").write_text(f"walden_fault_points = '{specification}'\n")
        if not self.once.exists():
            put_request(self.once, "", self.node.data)

    def fired(self) -> bool:
        return not self.once.exists()

    def round(self, point: str, odds: float, deadline_s: float, indexes: bool) -> bool:
        """One death at the point under load; False if the load did not pass it in time."""
        self.arm(f"{point}=kill-once:{odds}")
        mark = len(self.node.log_text())
        self.node.walden("reload", "-D", self.node.data)
        clients = self.load.start()
        deadline = time.monotonic() + deadline_s
        while not self.fired() and time.monotonic() < deadline:
            if point in PROMPTED:
                self.node.psql(PROMPTED[point], check=False)
            time.sleep(0.01)
        died = self.fired()
        if died:
            wait_until(lambda: "all server processes terminated; reinitializing" in self.node.log_text()[mark:], f"the restart after {point}")
        self.load.stop(clients)
        self.node.wait_accepting()
        if died:
            self.load.check(point, indexes)
        return died

    def recovery_round(self, point: str, odds: float, times: int):
        """Recovery itself is killed, again and again, before it may end."""
        clients = self.load.start()
        wait_until(lambda: len(clients[0].numbers("done")) > 10, "some work")
        self.node.kill_all()
        self.load.stop(clients)
        for _ in range(times):
            self.arm(f"{point}=kill-once:{odds}")
            self.node.walden("start", "-D", self.node.data, "-l", self.node.data / "server.log", "-c", "restart_after_crash=off", check=False)
            if not self.fired():  # it recovered before the odds struck
                self.node.kill_all()
        self.arm("")
        self.node.start()
        self.load.check(f"{times} deaths at {point}")


def scheduled(long: bool) -> list:
    """(point, odds): the named points, then the record kinds."""
    wanted = [(point, 0.05 if point in FREQUENT else 1) for point in points()
              if point not in READING | RECOVERY and not REPLICATION.match(point)]
    for kind in kinds():
        if kind not in OTHER_LOADS and (long or kind in OFTEN):
            odds = 1 if kind.startswith("Database") else 0.5
            wanted += [(f"{point}@{kind}", odds) for point in (sorted(BY_KIND) if long else ["record-changed"])]
    return wanted * 2 if long else wanted


def main() -> int:
    long = "--long" in sys.argv
    only = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    rng = random.Random(4711)
    missed = []
    with Cluster() as cluster:
        node = cluster.node("faults").init()
        node.configure(shared_buffers="2MB", log_min_messages="log", wal_keep_size="0", min_wal_size="32MB", max_wal_size="64MB",
                       checkpoint_timeout="30s", bgwriter_delay="10ms", include_if_exists="fault.conf")
        node.start()
        load = Workload(node)
        load.create()
        killer = Killer(node, load)
        for number, (point, odds) in enumerate(scheduled(long)):
            if only and not any(part in point for part in only):
                continue
            started = time.monotonic()
            indexes = long or number % 4 == 0
            if not killer.round(point, rng.uniform(odds / 2, odds) if long else odds, 60, indexes):
                missed.append(point)
            print(f"{point}: {time.monotonic() - started:.1f} s{'' if point not in missed else ' NOT PASSED'}", flush=True)
        for point in sorted(RECOVERY) + ([f"redo-record@{kind}" for kind in kinds()] if long else []):
            if only and not any(part in point for part in only):
                continue
            started = time.monotonic()
            killer.recovery_round(point, 0.002 if point.startswith("redo") else 1, 5 if long else 2)
            print(f"{point}: {time.monotonic() - started:.1f} s", flush=True)
        load.check("everything")
        assert only or "removing orphaned file" in node.log_text(), "no crash left a file behind: is the load too tame?"
        node.stop(check_log=False)
    assert not missed, f"the load never passes {missed}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
