#!/usr/bin/env python3
"""Crashes before the checkpoint that follows a crash recovery has been made.

A recovery ends with a record in the log, and clients are served while the checkpointer works. A fault point keeps it from beginning:
every recovery starts at the same redo point, replays the ends of those before it too, and mends what was torn meanwhile of any page
that has changed since that point. Balances must agree with the history, and indexes with their tables.
"""
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from parallel_redo_test import kill_for_good, redo_point, tear_pages, waldump  # noqa: E402
from pgbench_kills_test import check, pgbench  # noqa: E402
from walden_node import Cluster, wait_until  # noqa: E402

NO_CHECKPOINT = "walden_fault_points=checkpoint-redo-fixed=stop"


def history(node) -> int:
    return int(node.value("SELECT count(*) FROM pgbench_history"))


def work_and_die(node):
    before = history(node)
    load = pgbench(node, "-c", 4, "-j", 2, "-T", 60, "-n")
    wait_until(lambda: history(node) > before + 200, "some work")
    kill_for_good(node)
    load.communicate()


def main() -> int:
    chance = random.Random(8)
    with Cluster() as cluster:
        node = cluster.node("again").init()
        node.configure(shared_buffers="2MB", checkpoint_timeout="1h", max_wal_size="4GB", log_min_messages="log", bgwriter_delay="10ms",
                       autovacuum_naptime="1s")
        node.start()
        loaded = pgbench(node, "-i", "-q", "-s", 1)
        assert "done" in loaded.communicate()[0], "pgbench -i"
        node.psql("CHECKPOINT")
        redo = redo_point(node)
        work_and_die(node)
        for number in range(3):
            torn = tear_pages(node, waldump(node), 30, chance)
            assert torn > 0, "no page to tear"
            node.start("-c", NO_CHECKPOINT)
            check(node, f"recovery {number}")
            work_and_die(node)
            assert redo_point(node) == redo, "a checkpoint was made"
        ends = node.walden("waldump", "-p", node.data / "pg_wal", "-s", redo, check=False).stdout.count("END_OF_RECOVERY")
        assert ends == 3, f"{ends} ends of recoveries in the log"
        node.start()
        check(node, "the last recovery")
        node.psql("SELECT bt_index_check(oid::regclass, true) FROM pg_class WHERE relname LIKE 'pgbench%pkey'")
        wait_until(lambda: redo_point(node) != redo, "the checkpoint after recovery")
        node.stop()
    print("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
