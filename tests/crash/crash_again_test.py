#!/usr/bin/env python3
"""Crashes before the checkpoint that follows a crash recovery has been made.

A recovery ends with a record in the log, and clients are served while the checkpointer works. Here it is stopped before it begins:
every recovery starts at the same redo point, replays the ends of those before it too, and mends what was torn meanwhile of any page
that has changed since that point, since the log has its image. Balances must agree with the history, and indexes with their tables.
"""
import os
import pathlib
import random
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from parallel_redo_test import Foreground, kill_for_good, redo_point, tear_pages, waldump  # noqa: E402
from pgbench_kills_test import check, pgbench  # noqa: E402
from walden_node import Cluster, process_state, wait_until  # noqa: E402


def history(node) -> int:
    return int(node.value("SELECT count(*) FROM pgbench_history"))


def check_images(dump: str, file: str, blocks: int):
    """Of each page that was there at the checkpoint the log has an image before anything else."""
    seen = set()
    for block, image in re.findall(rf"rel \d+/\d+/{file} blk (\d+)( FPW)?", dump):
        assert image or block in seen or int(block) >= blocks, f"block {block} was changed, and its image was not logged"
        seen.add(block)
    assert len(seen) > 100, f"only {len(seen)} pages were changed"


def work_and_die(node, kill):
    before = history(node)
    load = pgbench(node, "-c", 4, "-j", 2, "-T", 60, "-n")
    wait_until(lambda: history(node) > before + 200, "some work")
    kill()
    load.communicate()


def recover_without_checkpoint(node) -> Foreground:
    """Serves clients, and its checkpointer sleeps for ever: stopped while the startup process stands where replay has ended."""
    faults = node.data / "fault.conf"
    faults.write_text("walden_fault_points = 'recovery-replayed=stop'\n")
    run = Foreground(node)

    def child(title: str, state: str):
        return next((pid for pid, name in run.children().items() if title in name and process_state(pid) == state), None)
    startup = wait_until(lambda: child("startup", "T"), "the end of replay")
    checkpointer = wait_until(lambda: child("checkpointer", "S"), "the checkpointer to wait")
    faults.unlink()
    os.kill(checkpointer, signal.SIGSTOP)
    os.kill(startup, signal.SIGCONT)
    node.wait_accepting()
    return run


def main() -> int:
    chance = random.Random(8)
    with Cluster() as cluster:
        node = cluster.node("again").init()
        node.configure(shared_buffers="2MB", checkpoint_timeout="1h", max_wal_size="4GB", log_min_messages="log", bgwriter_delay="10ms",
                       autovacuum_naptime="1s", include_if_exists="fault.conf")
        node.start()
        loaded = pgbench(node, "-i", "-q", "-s", 1)
        assert "done" in loaded.communicate()[0], "pgbench -i"
        node.psql("CHECKPOINT")
        redo = redo_point(node)
        file, blocks = node.sql("SELECT relfilenode, relpages FROM pg_class WHERE relname = 'pgbench_accounts'")[0]
        work_and_die(node, lambda: kill_for_good(node))
        for number in range(3):
            dump = waldump(node)
            check_images(dump, file, int(blocks))
            assert tear_pages(node, dump, 30, chance) > 0, "no page to tear"
            run = recover_without_checkpoint(node)
            check(node, f"recovery {number}")
            work_and_die(node, run.kill)
            assert redo_point(node) == redo, "a checkpoint was made"
        dump = waldump(node)
        check_images(dump, file, int(blocks))
        ends = dump.count("END_OF_RECOVERY")
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
