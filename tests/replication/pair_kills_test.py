#!/usr/bin/env python3
"""A primary and its replica under pgbench in all modes, on both, while processes of every kind are killed, the replica is promoted and
the old primary comes back by a base backup. After each round the balances agree, and the replica equals the primary row by row; after
a promotion of a synchronous replica nothing that pgbench was told is missing.

--minutes N: how long (default 0.5). --rate N: transactions a second of each pgbench, 0 for no limit (default 100).
"""
import argparse
import contextlib
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

from replica import Cluster, streaming_primary, take_basebackup, wait_caught_up, wait_streaming, wait_until

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from pgbench_kills_test import check, pgbench  # noqa: E402
from process_kinds_test import declared_kinds  # noqa: E402

SETTINGS = {"shared_buffers": "64MB", "max_wal_size": "256MB", "checkpoint_timeout": "30s", "archive_mode": "on", "archive_command": "true",
            "logging_collector": "on", "log_filename": "node.log", "autovacuum_naptime": "1s", "deadlock_timeout": "200ms",
            "autovacuum_vacuum_threshold": "0", "autovacuum_vacuum_scale_factor": "0", "wal_keep_size": "128MB",
            "max_parallel_redo_workers": "2", "min_parallel_redo_size": "0"}
# Kinds that have nothing to do on a node of that role.
ABSENT = {"primary": {"startup", "redo worker", "walreceiver"},
          "replica": {"archiver", "autovacuum launcher", "autovacuum worker", "walwriter", "walsender"}}
# Clients, mode, script; the last one runs on the replica.
ON_PRIMARY = ((4, "simple", "tpcb-like"), (3, "extended", "tpcb-like"), (3, "prepared", "tpcb-like"), (2, "prepared", "simple-update"),
              (2, "extended", "select-only"))
ON_REPLICA = ((4, "prepared", "select-only"),)
ROUND_S = 8
TABLES = ("pgbench_accounts", "pgbench_tellers", "pgbench_branches", "pgbench_history")
# What a client may meet when processes die; anything else fails the round.
EXPECTED = re.compile(
    r"terminating connection|server closed the connection|connection to server|could not (send|receive)|send failed|the database system is|"
    r"conflict with recovery|Connection refused|connection .*lost|User was holding|User transaction|Run was aborted|aborted while|"
    r"might have committed|This probably means|before or while processing|perhaps|no connection to the server|canceling statement|"
    r"canceling the wait for synchronous replication|The transaction has already committed locally|Is the server running|"
    r"read-only transaction|Success|query failed|Query was|terminating walsender|HINT|DETAIL|server process exited|shared memory")


class Pair:
    def __init__(self, cluster):
        self.cluster = cluster
        self.primary = streaming_primary(cluster, "first", **SETTINGS)
        self.replica = cluster.node("second")
        self.promotions = 0
        bench = pgbench(self.primary, "-i", "-q", "-s", "2")
        assert bench.wait(timeout=300) == 0, bench.communicate()[0]
        self.attach()

    def attach(self):
        """Makes the replica anew from the primary."""
        shutil.rmtree(self.replica.data, ignore_errors=True)
        take_basebackup(self.primary, self.replica)
        self.replica.start()
        wait_streaming(self.primary, self.replica)

    def be_synchronous(self, level: str):
        """level: a synchronous_commit that waits for the replica, or 'asynchronous'."""
        waits = level != "asynchronous"
        self.set_on(self.primary, synchronous_standby_names=self.replica.name if waits else "",
                    synchronous_commit=level if waits else "on")

    @staticmethod
    def set_on(node, **settings):
        with open(node.data / "postgresql.auto.conf", "a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        node.walden("reload", "-D", node.data)
        for name, value in settings.items():
            wait_until(lambda: node.value(f"SHOW {name}") == value, f"{name} = '{value}' on {node.name}")

    def promote(self, kill_first: bool):
        """The replica takes over; the old primary, dead or stopped, comes back as its replica."""
        if kill_first:
            self.primary.kill_all()
        else:
            self.primary.stop()
        self.replica.walden("promote", "-D", self.replica.data)
        self.primary, self.replica = self.replica, self.primary
        self.promotions += 1
        self.set_on(self.primary, synchronous_standby_names="", synchronous_commit="on")

    def assert_equal(self):
        wait_caught_up(self.primary, self.replica)
        for table in TABLES:
            ours, theirs = digest(self.primary, table), digest(self.replica, table)
            assert ours == theirs, f"{table} differs on {self.replica.name}: {ours} {theirs}"


def digest(node, table: str) -> str:
    command = (f"psql -X -q -h {node.cluster.folder} -p {node.port} -U postgres -d postgres -c 'COPY {table} TO STDOUT' | sort | md5sum")
    return subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout.split()[0]


def start_load(pair, rate: int) -> list:
    def start(node, clients, mode, script):
        limit = ["-R", rate] if rate else []
        return script, pgbench(node, "-n", "-M", mode, "-b", script, "-c", clients, "-T", ROUND_S, *limit)
    return [start(pair.primary, *row) for row in ON_PRIMARY] + [start(pair.replica, *row) for row in ON_REPLICA]


def finish_load(load: list, what: str) -> tuple:
    """(transactions, those of them that left a row in history), as pgbench was told."""
    all_of_them = with_history = 0
    for script, bench in load:
        output = bench.communicate(timeout=180)[0]
        done = re.search(r"transactions actually processed: (\d+)", output)
        count = int(done.group(1)) if done else 0
        all_of_them += count
        with_history += 0 if script == "select-only" else count
        for line in output.splitlines():
            if re.search(r"error|ERROR|FATAL|PANIC|aborted|WARNING", line):
                assert EXPECTED.search(line), f"{what}: pgbench says {line}"
    return all_of_them, with_history


def kill_one(node, title: str, rng):
    prefix = "walden: postgres postgres" if title.startswith("postgres postgres") else f"walden: {title}"
    pids = wait_until(lambda: [pid for pid, text in node.children().items() if text.startswith(prefix)], f"a {title} on {node.name}")
    with contextlib.suppress(ProcessLookupError):
        os.kill(rng.choice(pids), signal.SIGKILL)


class Rounds:
    def __init__(self, pair, rate: int):
        self.pair, self.rate, self.rng = pair, rate, random.Random(os.getpid())
        self.titles = [kind.title for kind in declared_kinds() if kind.name != "kStandalone"]
        self.deck, self.deaths = [], {}
        self.transactions = 0

    def next_event(self) -> tuple:
        """Every kind of death on each node comes once before any comes again."""
        if not self.deck:
            self.deck = [(where, title) for where in ABSENT for title in self.titles + ["everything"] if title not in ABSENT[where]]
            self.deck += [("pair", "promotion after kill -9"), ("pair", "promotion after a stop")] * 3
            self.rng.shuffle(self.deck)
        return self.deck.pop()

    def strike(self, where: str, what: str):
        node = getattr(self.pair, where, None)
        if where == "pair":
            self.pair.promote(kill_first="kill" in what)
        elif what == "everything":
            node.kill_all()
            node.start()
        else:
            kill_one(node, what, self.rng)

    def run(self):
        where, what = self.next_event()
        level = self.rng.choice(("asynchronous", "on", "remote_write", "remote_apply"))
        self.pair.be_synchronous(level)
        before = int(self.pair.primary.value("SELECT count(*) FROM pgbench_history"))
        load = start_load(self.pair, self.rate)
        time.sleep(self.rng.uniform(1, ROUND_S - 2))
        self.strike(where, what)
        told = f"{where}: {what}, {level}"
        transactions, acknowledged = finish_load(load, told)
        for node in (self.pair.primary,) if where == "pair" else (self.pair.primary, self.pair.replica):
            node.wait_accepting()
        check(self.pair.primary, told)
        after = int(self.pair.primary.value("SELECT count(*) FROM pgbench_history"))
        if where != "pair" or level != "asynchronous" or "stop" in what:
            assert after - before >= acknowledged, f"{told}: {acknowledged} acknowledged, {after - before} there"
        if where == "pair":
            self.pair.attach()
        else:
            wait_streaming(self.pair.primary, self.pair.replica)
        self.pair.assert_equal()
        self.transactions += transactions
        self.deaths[f"{where}: {what}"] = self.deaths.get(f"{where}: {what}", 0) + 1
        print(f"{time.strftime('%H:%M:%S')} {told}: {transactions} transactions", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--rate", type=int, default=100)
    arguments = parser.parse_args()
    with Cluster() as cluster:
        pair = Pair(cluster)
        rounds = Rounds(pair, arguments.rate)
        end = time.monotonic() + arguments.minutes * 60
        while time.monotonic() < end:
            rounds.run()
        print(f"{sum(rounds.deaths.values())} rounds, {rounds.transactions} transactions, {pair.promotions} promotions", flush=True)
        for death, count in sorted(rounds.deaths.items()):
            print(f"  {count:4} {death}")
        pair.replica.stop()
        pair.primary.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
