#!/usr/bin/env python3
"""Under load everything is killed, and what no fsync had settled is lost in part, as by a power failure; then all that was promised holds.

Also: a failed fsync stops the node, which recovers; failed writes are errors of their statements; a full disk is an error and nothing more.
--long: many more rounds. --seed N: the choices of round one. --prove: without fsync, which must fail.
"""
import errno
import os
import random
import re
import subprocess
import sys
import time

import pathlib
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from power_loss import PowerLoss  # noqa: E402
from walden_node import Cluster, put_request, wait_until  # noqa: E402
from workload import Workload  # noqa: E402


class Journal:
    """The folder of the journal, beside the data directory."""

    def __init__(self, cluster, node):
        self.folder = cluster.folder / f"{node.name}.journal"
        self.folder.mkdir()
        os.chown(self.folder, os.stat(node.data).st_uid, -1)
        self.environment = {"WALDEN_UNSETTLED_JOURNAL": str(self.folder)}

    def fail(self, operation: str, error: int, path_part: str):
        request = self.folder / "fail"
        put_request(request, f"{operation} {error} {path_part}", self.folder)
        return lambda: not request.exists()


def power_failure(node, journal, load, seed: int):
    clients = load.start()
    rng = random.Random(seed)
    wanted = rng.randint(10, 60)
    wait_until(lambda: len(clients[0].numbers("done")) > wanted, "some work")
    node.kill_all()
    load.stop(clients)
    loss = PowerLoss(journal.folder, rng)
    loss.take_back()
    load.remember_pages()
    node.start(env=journal.environment)
    load.check(f"the power failure of seed {seed}")
    print(f"seed {seed}: {loss.sectors} sectors, {loss.lengths} lengths, {loss.entries} entries lost; "
          f"{len(load.acknowledged)} transfers acknowledged", flush=True)


def failed_sync(node, journal, load, path_part: str):
    """The kernel may have dropped the pages: only the log can bring them back."""
    mark = len(node.log_text())
    clients = load.start()
    gone = journal.fail("sync", errno.EIO, path_part)
    wait_until(gone, f"an fsync of {path_part}", 30)
    wait_until(lambda: "reinitializing" in node.log_text()[mark:], "the restart")
    load.stop(clients)
    assert re.search(r'PANIC:  could not fsync file "[^"]*' + path_part, node.log_text()[mark:]), node.log_tail()
    node.wait_accepting()
    load.check(f"a failed fsync of {path_part}")
    print(f"failed fsync of {path_part}: recovered", flush=True)


def failed_write(node, journal, load, error: int, path_part: str, panics: bool):
    mark = len(node.log_text())
    clients = load.start()
    gone = journal.fail("write", error, path_part)
    wait_until(gone, f"a write to {path_part}", 30)
    if panics:
        wait_until(lambda: "reinitializing" in node.log_text()[mark:], "the restart")
    else:
        wait_until(lambda: os.strerror(error) in node.log_text()[mark:], "the error in the log")
    load.stop(clients)
    node.wait_accepting()
    assert panics == ("PANIC" in node.log_text()[mark:]), node.log_tail()
    if not panics:
        node.psql("CHECKPOINT")
    load.check(f"{errno.errorcode[error]} at a write to {path_part}")
    print(f"{errno.errorcode[error]} at a write to {path_part}: {'recovered' if panics else 'reported'}", flush=True)


def full_disk(cluster):
    """A data directory on a small file system of its own: statements fail with 53100, nothing else happens, and space helps."""
    mount = cluster.folder / "small"
    mount.mkdir()
    os.chown(mount, cluster.identity()["user"], -1)
    if os.getuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m,mode=0777", "tmpfs", mount]).returncode != 0:
        print("SKIPPED: a full disk needs a mount, which needs root", flush=True)
        return
    try:
        node = cluster.node("small/full").init().configure(shared_buffers="2MB", max_wal_size="64MB", min_wal_size="32MB").start()
        node.psql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1); CREATE TABLE big (n int, pad text)")
        ballast = mount / "ballast"
        with open(ballast, "wb") as file:
            while os.statvfs(mount).f_bavail * os.statvfs(mount).f_frsize > 24 << 20:
                file.write(b"\0" * (1 << 20))
                file.flush()
        states = set()
        deadline = time.monotonic() + 40
        while "53100" not in states and time.monotonic() < deadline:
            states.add(node.sqlstate("INSERT INTO big SELECT n, repeat('x', 500) FROM generate_series(1, 5000) n"))
        assert "53100" in states, states
        node.wait_accepting()
        assert node.value("SELECT count(*) FROM kept") == "1"
        ballast.unlink()
        node.psql("INSERT INTO kept VALUES (2)")
        assert "PANIC" not in node.log_text(), node.log_tail()
        node.stop()
        print("full disk: 53100, and goes on with space", flush=True)
    finally:
        for running in list(cluster.running):
            if running.name == "small/full":
                running.kill_all()
        subprocess.run(["umount", "-l", mount])


def main() -> int:
    long = "--long" in sys.argv
    settings = {"fsync": "off"} if "--prove" in sys.argv else {}  # the test must fail then
    seed = int(sys.argv[sys.argv.index("--seed") + 1]) if "--seed" in sys.argv else 1
    with Cluster() as cluster:
        node = cluster.node("power").init()
        journal = Journal(cluster, node)
        node.configure(shared_buffers="2MB", min_wal_size="32MB", max_wal_size="64MB", bgwriter_delay="10ms", **settings)
        node.start(env=journal.environment)
        load = Workload(node)
        load.create()
        for number in range(60 if long else 5):
            power_failure(node, journal, load, seed + number)
        failed_sync(node, journal, load, "pg_wal/0")  # not of a segment that is being made: that is only reported
        failed_sync(node, journal, load, "base/")
        failed_write(node, journal, load, errno.EIO, "pg_wal/0", True)
        failed_write(node, journal, load, errno.EIO, "base/", False)
        failed_write(node, journal, load, errno.ENOSPC, "base/", False)
        node.stop(check_log=False)
        full_disk(cluster)
    return 0


if __name__ == "__main__":
    sys.exit(main())
