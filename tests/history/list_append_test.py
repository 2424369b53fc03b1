#!/usr/bin/env python3
"""Clients append to lists and read them, under read committed and repeatable read, while backends and nodes are killed; the checker of
list_append.py then looks for what no isolation level allows.

Half of the readers read on the replica. --minutes N: for so long at each level (some seconds otherwise). --seed N.
"""
import functools
import os
import pathlib
import random
import signal
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("support", "wire", "replication")]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from list_append import FAILED, OK, READ_COMMITTED, REPEATABLE_READ, UNKNOWN, Append, Read, Transaction, check  # noqa: E402
from replica import Cluster, streaming_primary, take_basebackup, wait_caught_up, wait_streaming  # noqa: E402
from wire_client import WireClient  # noqa: E402

CLIENTS = 6
REPLICA_READERS = 2
KEYS_AT_ONCE = 5     # few, so that transactions meet
APPENDS_OF_A_KEY = 60  # then another takes its place
EXPECTED = {"40001", "40P01", "57P01", "57P02", "57P03", "08007", "25P02"}


class Keys:
    """The lists in use; one that has grown long makes place for another."""

    def __init__(self):
        self.lock, self.next_key, self.next_value = threading.Lock(), KEYS_AT_ONCE, 0
        self.current, self.appended = list(range(KEYS_AT_ONCE)), [0] * KEYS_AT_ONCE

    def pick(self, rng) -> int:
        return rng.choice(self.current)

    def append(self, rng) -> Append:
        with self.lock:
            at = rng.randrange(KEYS_AT_ONCE)
            key = self.current[at]
            self.appended[at] += 1
            if self.appended[at] == APPENDS_OF_A_KEY:
                self.current[at], self.appended[at] = self.next_key, 0
                self.next_key += 1
            self.next_value += 1
            return Append(key, self.next_value)


class Refused(Exception):
    pass


class Client(threading.Thread):
    def __init__(self, run, number: int, node, reads_only: bool):
        super().__init__(daemon=True)
        self.name_of_session, self.run_, self.node, self.reads_only = number, run, node, reads_only
        self.rng, self.wire, self.failure, self.connections = random.Random(f"{run.seed}/{number}"), None, None, 0

    def run(self):
        try:
            while not self.run_.stop.is_set():
                self.transaction()
        except Exception as failure:  # noqa: BLE001: shown by the main thread
            self.failure = failure

    def connected(self) -> bool:
        if self.wire is None:
            try:
                wire = WireClient(self.node.port, path=str(self.node.cluster.folder))
                self.wire = wire if hasattr(wire, "pid") else None
                self.connections += 1
            except OSError:
                pass
        if self.wire is None:
            time.sleep(0.05)
        return self.wire is not None

    def query(self, sql: str, kind="D") -> list:
        messages = self.wire.query(sql)
        if not messages or messages[-1].kind != "Z":
            raise EOFError
        errors = [message.fields() for message in messages if message.kind == "E"]
        if errors:
            expected = EXPECTED | ({"42P01"} if self.node is self.run_.replica else set())  # killed, it begins at an earlier moment
            assert errors[0]["C"] in expected, f"{self.node.name}, connection {self.connections}: {sql}: {errors}"
            raise Refused(errors[0]["C"])
        return [message for message in messages if message.kind == kind]

    def transaction(self):
        if not self.connected():
            return
        operations, status, committing, begun = [], UNKNOWN, False, time.monotonic()
        try:
            self.query(f"BEGIN ISOLATION LEVEL {self.run_.isolation}")
            for _ in range(self.rng.randint(1, 4)):
                self.operate(operations)
            if self.rng.random() < 0.1 and not self.reads_only:
                self.query("ROLLBACK")
                status = FAILED
            else:
                committing = True
                self.query("COMMIT")
                status = OK
        except Refused as refusal:
            ended = str(refusal).startswith(("57", "08"))  # the session; a commit on its way may have happened
            status = UNKNOWN if committing and ended else FAILED
            if ended or not self.rolled_back():
                self.drop()
        except (EOFError, OSError):
            status = UNKNOWN if committing else FAILED
            self.drop()
        # A replica that was killed may show an earlier moment when it is back: there every connection is a session of its own.
        session = (self.name_of_session, self.connections if self.node is self.run_.replica else 0)
        self.run_.record(Transaction(session, status, operations, begun, time.monotonic(), may_be_stale=self.reads_only))

    def rolled_back(self) -> bool:
        try:
            messages = self.wire.query("ROLLBACK")
            return bool(messages) and messages[-1].kind == "Z"
        except OSError:
            return False

    def drop(self):
        self.wire.socket.close()
        self.wire = None

    def operate(self, operations: list):
        keys = self.run_.keys
        if not self.reads_only and self.rng.random() < 0.55:
            append = keys.append(self.rng)
            operations.append(append)  # before it is sent: it may be there even if no answer comes
            savepoint = self.rng.random() < 0.15
            if savepoint:
                self.query(f"SAVEPOINT s; UPDATE {self.run_.table} SET v = v || -1 WHERE k = {append.key}; ROLLBACK TO s")
            self.append(append)
            return
        wanted = sorted({keys.pick(self.rng) for _ in range(self.rng.randint(1, 3))})
        begun = time.monotonic()
        rows = self.query(f"SELECT k, v FROM {self.run_.table} WHERE k IN ({', '.join(map(str, wanted))})")
        operations.append(Read({key: () for key in wanted} | lists_of(message.row() for message in rows), begun))

    def append(self, append: Append):
        """A list that nobody has begun has no row yet."""
        if self.rng.random() < 0.7:
            tag = self.query(f"UPDATE {self.run_.table} SET v = v || {append.value} WHERE k = {append.key}", "C")[-1]
            if tag.body == b"UPDATE 1\0":
                return
        self.query(f"INSERT INTO {self.run_.table} AS lists VALUES ({append.key}, '{{{append.value}}}') "
                   f"ON CONFLICT (k) DO UPDATE SET v = lists.v || {append.value}")


@functools.lru_cache(maxsize=1000)
def values_of(text: bytes) -> tuple:
    """A list that is read again is kept once: a history of minutes stays small."""
    return tuple(int(value) for value in text.strip(b"{}").split(b",") if value)


def lists_of(rows) -> dict:
    return {int(key): values_of(text) for key, text in rows}


class Run:
    def __init__(self, primary, replica, isolation: str, seed: int):
        # A table of its own: a replica that was killed may show a moment of the run before.
        self.table = f"lists_{isolation.replace(' ', '_').lower()}"
        self.primary, self.replica, self.isolation, self.seed = primary, replica, isolation, seed
        self.keys, self.stop, self.history, self.lock = Keys(), threading.Event(), [], threading.Lock()
        self.kills = []

    def record(self, transaction: Transaction):
        with self.lock:
            self.history.append(transaction)

    def kill_something(self, rng):
        what = rng.choice(("backend", "backend", "primary", "replica"))
        self.kills.append(what)
        if what == "backend":
            backends = [pid for pid, title in self.primary.children().items() if "[local]" in title]
            if backends:
                os.kill(rng.choice(backends), signal.SIGKILL)
            return
        node = self.primary if what == "primary" else self.replica
        node.kill_all()
        node.start()

    def go(self, seconds: float):
        self.primary.psql(f"CREATE TABLE {self.table} (k int PRIMARY KEY, v int[]) WITH (fillfactor = 50)")
        wait_streaming(self.primary, self.replica)
        wait_caught_up(self.primary, self.replica)
        clients = [Client(self, number, self.primary, number == 0) for number in range(CLIENTS)]
        clients += [Client(self, CLIENTS + number, self.replica, True) for number in range(REPLICA_READERS)]
        for client in clients:
            client.start()
        rng, deadline = random.Random(self.seed), time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(rng.uniform(0.5, 2.0))
            self.kill_something(rng)
            self.primary.wait_accepting()
        self.stop.set()
        for client in clients:
            client.join(timeout=60)
            assert not client.is_alive() and client.failure is None, client.failure or "a client hangs"
        self.primary.wait_accepting()  # the last kill may have been noticed only now
        rows = [(key.encode(), text.encode()) for key, text in self.primary.sql(f"SELECT k, v FROM {self.table}")]
        final = {key: () for key in range(self.keys.next_key)} | lists_of(rows)
        anomalies = check(self.history, self.isolation, final)
        if anomalies and os.environ.get("WALDEN_KEEP"):
            pathlib.Path("/tmp/walden_history.txt").write_text("\n".join(f"{n}: {t}" for n, t in enumerate(self.history)))
        assert not anomalies, "\n".join(f"{name}: {examples[:3]}" for name, examples in anomalies.items())
        states = [transaction.status for transaction in self.history]
        print(f"{self.isolation}: {states.count(OK)} committed, {states.count(FAILED)} failed, {states.count(UNKNOWN)} unknown, "
              f"{len(final)} lists, kills: {', '.join(self.kills)}", flush=True)


def main() -> int:
    def given(name: str, default: float) -> float:
        return float(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    seconds, seed = 60 * given("--minutes", 0.12), int(given("--seed", 1))
    with Cluster() as cluster:
        primary = streaming_primary(cluster, "primary", deadlock_timeout="20ms", min_wal_size="32MB", max_wal_size="64MB")
        replica = cluster.node("replica")
        take_basebackup(primary, replica)
        replica.start()
        for isolation in (READ_COMMITTED, REPEATABLE_READ):
            Run(primary, replica, isolation, seed).go(seconds)
        replica.stop()
        primary.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
