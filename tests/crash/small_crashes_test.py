#!/usr/bin/env python3
"""Hundreds of small crashes of one data directory after another: each round works for a moment, then something dies, and all that was promised is
checked. What dies is chosen at random: one process, everything, everything with a power failure, whoever comes to a fault point,
recovery itself; some rounds meet a failing write or fsync.

usage: small_crashes_test.py [--crashes N] [--seed N] [--lanes N]; lanes are data directories that work at the same time.
"""
import errno
import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from fault_points_test import READING, RECOVERY, REPLICATION, points  # noqa: E402
from power_loss import PowerLoss  # noqa: E402
from power_loss_test import Journal  # noqa: E402
from walden_node import Cluster, put_request, wait_until  # noqa: E402
from workload import Workload  # noqa: E402

POINTS = [point for point in points() if point not in READING | RECOVERY and not REPLICATION.match(point)]
KINDS = ("everything", "everything", "power", "power", "process", "point", "point", "recovery", "io")
FORGET_AFTER = 40  # crashes; then another data directory, so that checks stay quick


class Lane:
    """One data directory and what is done to it."""

    def __init__(self, cluster, name: str, rng):
        self.cluster, self.rng, self.crashes = cluster, rng, 0
        self.node = cluster.node(name).init()
        self.journal = Journal(cluster, self.node)
        self.node.configure(shared_buffers=rng.choice(("1MB", "2MB", "16MB")), min_wal_size="32MB", max_wal_size="64MB", bgwriter_delay="10ms",
                            checkpoint_timeout="30s", log_min_messages="log", include_if_exists="fault.conf", autovacuum_naptime="1s",
                            wal_writer_delay=rng.choice(("10ms", "200ms")), max_connections="20")
        self.start()
        self.load = Workload(self.node, transfers=400, rounds=40)
        self.load.create()

    def start(self, **more):
        self.node.start(env=self.journal.environment, **more)

    def arm(self, specification: str):
        (self.node.data / "fault.conf").write_text(f"walden_fault_points = '{specification}'\n")
        self.once = self.node.data / "fault_point.once"
        put_request(self.once, "", self.node.data)

    def disarm(self):
        """Nobody dies any more of a point that was not passed in time."""
        (self.node.data / "fault.conf").write_text("")
        self.once.unlink(missing_ok=True)

    def crash(self):
        kind = self.rng.choice(KINDS)
        clients = self.load.start()
        wanted = self.rng.randint(1, 12)
        wait_until(lambda: len(clients[0].numbers("done")) >= wanted or clients[0].process.poll() is not None, "some work")
        what = getattr(self, f"crash_{kind}")(clients)
        wait_until(self.answers, f"an answer after {what}")
        self.crashes += 1
        self.load.check(what, indexes=self.crashes % 8 == 0)
        return kind

    def crash_everything(self, clients) -> str:
        self.node.kill_all()
        self.load.stop(clients)
        self.load.remember_pages()
        self.start()
        return "the kill of everything"

    def crash_power(self, clients) -> str:
        self.node.kill_all()
        self.load.stop(clients)
        PowerLoss(self.journal.folder, self.rng).take_back()
        self.load.remember_pages()
        self.start()
        return "a power failure"

    def answers(self) -> bool:
        try:
            return self.load.ask_value("SELECT 1") == "1"
        except (OSError, AssertionError):
            return False

    def restarted(self, mark: int):
        wait_until(lambda: "all server processes terminated; reinitializing" in self.node.log_text()[mark:], "the restart")

    def crash_process(self, clients) -> str:
        mark = len(self.node.log_text())
        victims = {pid: title for pid, title in self.node.children().items() if not any(
            word in title for word in ("metrics", "logger", "startup"))}
        pid = self.rng.choice(sorted(victims))
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return self.crash_everything(clients)
        self.restarted(mark)
        self.load.stop(clients)
        return f"the kill of {victims[pid]}"

    def crash_point(self, clients) -> str:
        point = self.rng.choice(POINTS)
        mark = len(self.node.log_text())
        self.arm(f"{point}=kill-once:{self.rng.choice((1, 0.2, 0.05))}")
        os.kill(self.node.postmaster_pid(), signal.SIGHUP)
        deadline = time.monotonic() + 2
        while self.once.exists() and time.monotonic() < deadline and clients[0].process.poll() is None:
            time.sleep(0.01)
        if self.once.exists():  # not passed in time
            self.disarm()
            what = self.crash_everything(clients)
        else:
            self.restarted(mark)
            self.load.stop(clients)
            what = f"a death at {point}"
        self.disarm()
        return what

    def crash_recovery(self, clients) -> str:
        self.node.kill_all()
        self.load.stop(clients)
        point = self.rng.choice(sorted(RECOVERY))
        self.arm(f"{point}=kill-once:{0.005 if point.startswith('redo') else 1}")
        self.node.walden("start", "-D", self.node.data, "-l", self.node.data / "server.log", "-c", "restart_after_crash=off", check=False,
                         env=self.journal.environment)
        if self.once.exists():  # it recovered before the odds struck
            self.node.kill_all()
        if self.rng.random() < 0.5:
            PowerLoss(self.journal.folder, self.rng).take_back()
        self.disarm()
        self.start()
        return f"a death of recovery at {point}"

    def crash_io(self, clients) -> str:
        operation, error, part = self.rng.choice((("sync", errno.EIO, "pg_wal/"), ("sync", errno.EIO, "base/"), ("write", errno.EIO, "base/"),
                                                  ("write", errno.ENOSPC, "base/"), ("write", errno.EIO, "pg_wal/0")))
        gone = self.journal.fail(operation, error, part)
        deadline = time.monotonic() + 2
        while not gone() and time.monotonic() < deadline and clients[0].process.poll() is None:
            time.sleep(0.01)
        (self.journal.folder / "fail").unlink(missing_ok=True)
        return self.crash_everything(clients) + f" with {errno.errorcode[error]} at {operation} of {part}"

    def remove(self):
        memory = self.node.shared_memory()
        self.node.kill_all()
        pathlib.Path("/dev/shm", memory).unlink(missing_ok=True)
        subprocess.run(["rm", "-rf", self.node.data, self.journal.folder], check=True)


class Run:
    def __init__(self, cluster, crashes: int, seed: int):
        self.cluster, self.left, self.seed, self.lock, self.failure = cluster, crashes, seed, threading.Lock(), None
        self.counts, self.started = {}, time.monotonic()

    def report(self):
        print(f"{sum(self.counts.values())} crashes in {time.monotonic() - self.started:.0f} s: {dict(sorted(self.counts.items()))}", flush=True)

    def take(self) -> bool:
        with self.lock:
            self.left -= 1
            return self.left >= 0 and self.failure is None

    def lane(self, number: int):
        lane = None
        try:
            rng = random.Random(f"{self.seed}/{number}")
            while self.take():
                if lane is None or lane.crashes == FORGET_AFTER:
                    if lane is not None:
                        lane.remove()
                    lane = Lane(self.cluster, f"lane{number}_{self.left}", rng)
                kind = lane.crash()
                with self.lock:
                    self.counts[kind] = self.counts.get(kind, 0) + 1
                    if sum(self.counts.values()) % 100 == 0:
                        self.report()
        except BaseException as failure:  # noqa: BLE001: raised by the main thread
            self.failure = failure


def main() -> int:
    def given(name: str, default: int) -> int:
        return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    with Cluster() as cluster:
        run = Run(cluster, given("--crashes", 150), given("--seed", 1))
        lanes = [threading.Thread(target=run.lane, args=(number,)) for number in range(given("--lanes", 2))]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        if run.failure is not None:
            raise run.failure
        run.report()
    return 0


if __name__ == "__main__":
    sys.exit(main())
