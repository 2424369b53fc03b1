#!/usr/bin/env python3
"""Everybody sees commits in one order, on the primary and on its replica, and nobody sees one that is then lost (I4, I5, I8).

Writers count up, each in a row of its own. Readers on both nodes, at every level of synchronous_commit, take the whole vector of counts in
one snapshot, by different ways of reading. Any two vectors must be comparable (otherwise two readers saw two commits in different
orders: a long fork), vectors of one node must not go back in time, a count that was acknowledged before a read began is in it, and what the
replica shows the primary's clients may be told. Then the power fails (unsynced writes are lost in part), or the primary dies and the synchronous replica
is promoted: every vector that was read at a level which promises to survive it must have survived. First of all commits are stopped between
their place in the log and their publication, or before the commit log has them, which no load meets often enough.

--minutes N: for so long (three rounds otherwise).
"""
import os
import pathlib
import random
import select
import signal
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("support", "wire", "crash", "replication")]
from power_loss import PowerLoss  # noqa: E402
from power_loss_test import Journal  # noqa: E402
from replica import Cluster, streaming_primary, take_basebackup, wait_caught_up, wait_streaming, wait_until  # noqa: E402
from walden_node import process_state  # noqa: E402
from wire_client import WireClient, text  # noqa: E402

WRITERS = 4
LEVELS = ("off", "local", "remote_write", "on", "remote_apply")
# Each gives the counts in the order of ids, comma-separated.
WAYS = {
    "scan": "SELECT string_agg(n::text, ',' ORDER BY id) FROM counts",
    "index": "SELECT string_agg(n::text, ',') FROM (SELECT n FROM counts WHERE id > 0 ORDER BY id) x",
    "inserted": "SELECT string_agg(n::text, ',' ORDER BY id) FROM (SELECT c.id, count(s.id) AS n FROM counts c LEFT JOIN steps s ON s.writer = c.id "
                "GROUP BY c.id) x",
    "deleted": "SELECT string_agg(({total} - n)::text, ',' ORDER BY writer) FROM (SELECT writer, count(*) AS n FROM remaining GROUP BY writer) x",
}
VALUES = "SELECT string_agg(n::text, ',' ORDER BY id) FROM stopped"
TOTAL = 4000  # steps of a writer, of whom some are always left; then all begins anew


class Seen:
    def __init__(self, node, level, way, begun, ended, vector):
        self.node, self.level, self.way, self.begun, self.ended, self.vector = node, level, way, begun, ended, vector

    def __repr__(self):
        return f"{self.vector} ({self.way} at {self.level} on {self.node}, {self.begun:.4f} to {self.ended:.4f})"


def at_least(a: tuple, b: tuple) -> bool:
    return all(x >= y for x, y in zip(a, b))


class Round:
    """Writers and readers until the primary goes away."""

    def __init__(self, primary, replica, base: list, writer_level: str):
        self.primary, self.replica, self.base, self.writer_level = primary, replica, base, writer_level
        self.stop, self.seen, self.lock, self.failures = threading.Event(), [], threading.Lock(), []
        self.acknowledged = [[] for _ in range(WRITERS)]  # (when, count)
        self.threads = [threading.Thread(target=self.guarded, args=(self.write, i)) for i in range(WRITERS)]
        for node in (primary, replica):
            for number, level in enumerate(LEVELS):
                ways = list(WAYS)[number % len(WAYS):] + list(WAYS)[:number % len(WAYS)]
                self.threads.append(threading.Thread(target=self.guarded, args=(self.read, node, level, ways)))

    def guarded(self, work, *arguments):
        try:
            work(*arguments)
        except (EOFError, ConnectionError, TimeoutError, OSError):
            pass
        except Exception as failure:  # noqa: BLE001: shown by the main thread
            self.failures.append(repr(failure))

    def connect(self, node, level: str) -> WireClient:
        client = WireClient(node.port, path=str(node.cluster.folder))
        client.rows(f"SET synchronous_commit = {level}")
        return client

    def write(self, number: int):
        client, count = self.connect(self.primary, self.writer_level), self.base[number]
        while not self.stop.is_set() and count < TOTAL - 1:
            count += 1
            messages = client.query(f"BEGIN; UPDATE counts SET n = {count} WHERE id = {number + 1}; INSERT INTO steps VALUES ({number + 1}, {count}); "
                                    f"DELETE FROM remaining WHERE writer = {number + 1} AND id = {count}; COMMIT")
            errors = [message.fields() for message in messages if message.kind == "E"]
            if errors or not messages or messages[-1].kind != "Z":
                assert all(error["C"] in ("57P01", "57P02", "57P03", "08007") for error in errors), errors
                return
            self.acknowledged[number].append((time.monotonic(), count))

    def read(self, node, level: str, ways: list):
        client, at = self.connect(node, level), 0
        while not self.stop.is_set():
            way = ways[at % len(ways)]
            begun = time.monotonic()
            messages = client.query(WAYS[way].replace("{total}", str(TOTAL)))
            rows = [message.row() for message in messages if message.kind == "D"]
            if not rows:
                return
            vector = tuple(int(n) for n in rows[0][0].split(b","))
            with self.lock:
                self.seen.append(Seen(node.name, level, way, begun, time.monotonic(), vector))
            at += 1

    def run(self, seconds: float, end):
        for thread in self.threads:
            thread.start()
        time.sleep(seconds)
        end()
        self.stop.set()
        for thread in self.threads:
            thread.join(timeout=60)
            assert not thread.is_alive(), "a client hangs"
        assert not self.failures, self.failures

    # --- what must hold -----------------------------------------------------------------------------------------------
    def check_order(self):
        ordered = sorted(self.seen, key=lambda seen: seen.vector)
        for earlier, later in zip(ordered, ordered[1:]):
            assert at_least(later.vector, earlier.vector), f"a long fork:\n{earlier}\n{later}"

    def check_time(self):
        for node in (self.primary.name, self.replica.name):
            ended = sorted((seen for seen in self.seen if seen.node == node), key=lambda seen: seen.ended)
            highest, at = (0,) * WRITERS, 0
            for seen in sorted(ended, key=lambda seen: seen.begun):
                while at < len(ended) and ended[at].ended < seen.begun:
                    highest, at = max(highest, ended[at].vector), at + 1
                assert at_least(seen.vector, highest), f"{node} goes back in time: after {highest} came {seen}"

    def check_acknowledged(self, nodes):
        for number, acknowledged in enumerate(self.acknowledged):
            at, reads = 0, sorted((seen for seen in self.seen if seen.node in nodes), key=lambda seen: seen.begun)
            known = self.base[number]
            for seen in reads:
                while at < len(acknowledged) and acknowledged[at][0] < seen.begun:
                    known, at = acknowledged[at][1], at + 1
                assert seen.vector[number] >= known, f"writer {number + 1} was told {known} before {seen}"

    def check_survived(self, final: tuple, levels, nodes):
        """What was read on these nodes at these levels is there."""
        for seen in self.seen:
            if seen.node in nodes and seen.level in levels:
                assert at_least(final, seen.vector), f"read and then lost: {seen}, now {final}"

    def check_kept(self, final: tuple, levels):
        """So is what was acknowledged, if that promises it."""
        if self.writer_level in levels:
            for number, acknowledged in enumerate(self.acknowledged):
                assert not acknowledged or final[number] >= acknowledged[-1][1], f"writer {number + 1}: {acknowledged[-1]} lost, now {final}"


def vector_of(node) -> tuple:
    vectors = {way: tuple(int(n) for n in node.value(sql.replace("{total}", str(TOTAL))).split(",")) for way, sql in WAYS.items()}
    assert len(set(vectors.values())) == 1, vectors
    return vectors["scan"]


def create(primary):
    primary.psql("CREATE TABLE counts (id int PRIMARY KEY, n int); CREATE TABLE steps (writer int, id int, PRIMARY KEY (writer, id));"
                 "CREATE TABLE remaining (writer int, id int, PRIMARY KEY (writer, id));"
                 f"INSERT INTO counts SELECT i, 0 FROM generate_series(1, {WRITERS}) i;"
                 f"INSERT INTO remaining SELECT w, i FROM generate_series(1, {WRITERS}) w, generate_series(1, {TOTAL}) i;"
                 "CREATE TABLE stopped (id int PRIMARY KEY, n int); INSERT INTO stopped VALUES (1, 0), (2, 0); VACUUM ANALYZE")


def begin_anew(primary, replica):
    primary.psql("BEGIN; UPDATE counts SET n = 0; DELETE FROM steps; INSERT INTO remaining SELECT w, i FROM "
                 f"generate_series(1, {WRITERS}) w, generate_series(1, {TOTAL}) i ON CONFLICT DO NOTHING; COMMIT")
    wait_caught_up(primary, replica)


def power_round(primary, replica, journal, seed: int, seconds: float):
    rng = random.Random(seed)
    if max(vector_of(primary)) > TOTAL / 2:
        begin_anew(primary, replica)
    base = list(vector_of(primary))
    level = rng.choice(LEVELS)
    part = Round(primary, replica, base, level)
    part.run(seconds, primary.kill_all)
    PowerLoss(journal.folder, rng).take_back()
    primary.start(env=journal.environment)
    final = vector_of(primary)
    part.check_order()
    part.check_time()
    part.check_acknowledged({primary.name})
    part.check_kept(final, set(LEVELS) - {"off"})
    part.check_survived(final, set(LEVELS) - {"off"}, {primary.name})
    part.check_survived(final, set(LEVELS), {replica.name})  # a replica shows nothing that its primary could lose
    wait_streaming(primary, replica)
    wait_caught_up(primary, replica)
    assert vector_of(replica) == final, (vector_of(replica), final)
    lost = max((sum(seen.vector) for seen in part.seen), default=0) - sum(final)
    print(f"seed {seed}: {len(part.seen)} reads of {sum(map(len, part.acknowledged))} commits at {level}; {max(0, lost)} commits "
          "that only sessions at 'off' were told of were lost", flush=True)


def promotion_round(primary, replica, seconds: float):
    """The primary is killed for good; what was promised with a quorum is on the replica."""
    part = Round(primary, replica, list(vector_of(primary)), "on")
    part.run(seconds, primary.kill_all)
    replica.configure(synchronous_standby_names="")
    replica.walden("promote", "-D", replica.data)
    final = vector_of(replica)
    part.check_order()
    part.check_time()
    part.check_acknowledged({primary.name})
    part.check_kept(final, {"on"})
    part.check_survived(final, {"remote_write", "on", "remote_apply"}, {primary.name})
    part.check_survived(final, set(LEVELS), {replica.name})
    print(f"promotion: {len(part.seen)} reads of {sum(map(len, part.acknowledged))} commits", flush=True)


def applied_round(primary, replica, seconds: float):
    """remote_apply: who reads on the replica after the acknowledgement finds the commit there."""
    part = Round(primary, replica, list(vector_of(primary)), "remote_apply")
    part.run(seconds, part.stop.set)
    part.check_order()
    part.check_time()
    part.check_acknowledged({primary.name, replica.name})
    print(f"remote_apply: {len(part.seen)} reads of {sum(map(len, part.acknowledged))} commits", flush=True)


class StoppedCommit:
    """A transaction that stands still within its commit, at a fault point."""

    def __init__(self, node, point: str, *statements: str):
        self.client = WireClient(node.port, path=str(node.cluster.folder))
        for statement in ("SET synchronous_commit = off", f"SET walden_fault_points = '{point}=stop'", "BEGIN", *statements):
            self.client.rows(statement)
        self.client.send("Q", text("COMMIT"))
        wait_until(lambda: process_state(self.client.pid) == "T", f"the commit to stop at {point}")

    def go_on(self):
        os.kill(self.client.pid, signal.SIGCONT)
        assert not [message for message in self.client.until("Z") if message.kind == "E"]


def latch_round(primary):
    """A commit whose place in the log is fixed but which is not published yet: no later one is published before it, so
    that a snapshot taken meanwhile goes on seeing the same."""
    admin, later, reader = (WireClient(primary.port, path=str(primary.cluster.folder)) for _ in range(3))
    stopped = StoppedCommit(primary, "commit-reserved", "UPDATE stopped SET n = n + 1 WHERE id = 1")
    later.rows("SET synchronous_commit = off")
    later.send("Q", text("UPDATE stopped SET n = n + 1 WHERE id = 2"))

    def stands():
        return bool(select.select([later.socket], [], [], 0)[0]) or admin.rows(
            f"SELECT wait_event = 'Commit' FROM pg_stat_activity WHERE pid = {later.pid}") == [[b"t"]]
    wait_until(stands, "the later commit to come through or to wait")
    reader.rows("SET synchronous_commit = off")
    reader.rows("BEGIN ISOLATION LEVEL REPEATABLE READ")
    before = reader.rows(VALUES)
    assert not select.select([later.socket], [], [], 0)[0], "a commit was published before an earlier one"
    stopped.go_on()
    later.until("Z")
    assert reader.rows(VALUES) == before, f"a snapshot that changes: {before}, then {reader.rows(WAYS['scan'])}"
    reader.rows("COMMIT")
    print("a commit that is not published holds up later ones", flush=True)


def locks_round(primary):
    """A commit that is not published yet has all its locks: who gets one of them finds what it guarded."""
    asks = ("LOCK TABLE stopped IN SHARE ROW EXCLUSIVE MODE NOWAIT", "SELECT n FROM stopped WHERE id = 1 FOR UPDATE NOWAIT",
            "SELECT 1 / pg_try_advisory_xact_lock(4711)::int")
    for point in ("before-commit-record", "commit-reserved"):
        other = WireClient(primary.port, path=str(primary.cluster.folder))
        other.rows("SET synchronous_commit = off")
        stopped = StoppedCommit(primary, point, "SELECT pg_advisory_xact_lock(4711)", "UPDATE stopped SET n = n + 1 WHERE id = 1")
        for ask in asks:
            errors = [message.fields()["C"] for message in other.query(f"BEGIN; {ask}; ROLLBACK") if message.kind == "E"]
            other.query("ROLLBACK")
            assert errors in (["55P03"], ["22012"]), f"at {point}: {ask} gave {errors or 'the lock'}"
        stopped.go_on()
    print("a commit that is not published has its locks", flush=True)


def checkpoint_round(primary):
    """A commit that is in the log but not yet in the commit log: a checkpoint that begins after it waits, for replay would begin after it."""
    admin, other = (WireClient(primary.port, path=str(primary.cluster.folder)) for _ in range(2))
    stopped = StoppedCommit(primary, "after-commit-record", "UPDATE stopped SET n = n + 1 WHERE id = 1")
    other.send("Q", text("CHECKPOINT"))
    wait_until(lambda: bool(select.select([other.socket], [], [], 0)[0]) or admin.rows(
        "SELECT wait_event = 'CheckpointStart' FROM pg_stat_activity WHERE backend_type = 'checkpointer'") == [[b"t"]],
        "the checkpoint to end or to wait")
    assert not select.select([other.socket], [], [], 0)[0], "a checkpoint did not wait for a commit before its beginning"
    stopped.go_on()
    assert not [message for message in other.until("Z") if message.kind == "E"]
    print("a checkpoint waits for a commit that is half done", flush=True)


def main() -> int:
    minutes = float(sys.argv[sys.argv.index("--minutes") + 1]) if "--minutes" in sys.argv else 0
    with Cluster() as cluster:
        primary = streaming_primary(cluster, "primary", min_wal_size="32MB", max_wal_size="64MB", wal_writer_delay="200ms")
        primary.stop()
        journal = Journal(cluster, primary)
        primary.start(env=journal.environment)
        create(primary)
        replica = cluster.node("replica")
        take_basebackup(primary, replica)
        replica.start()
        wait_streaming(primary, replica)
        wait_caught_up(primary, replica)
        latch_round(primary)
        locks_round(primary)
        checkpoint_round(primary)
        seed, deadline = 1, time.monotonic() + 60 * minutes
        while seed <= 3 or time.monotonic() < deadline:
            power_round(primary, replica, journal, seed, 1.5)
            seed += 1
        primary.configure(synchronous_standby_names="replica")
        primary.walden("reload", "-D", primary.data)
        wait_until(lambda: primary.value("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1", "a synchronous replica")
        applied_round(primary, replica, 1.5)
        promotion_round(primary, replica, 1.5)
        replica.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
