#!/usr/bin/env python3
"""Storms: a hundred sessions and more that lock rows, tables and numbers in every order, deadlock, time out, are cancelled and killed by
pg_terminate_backend. No session may hang, every error must be one that belongs here, what they count must be right, and afterwards nobody holds or
waits for any lock.

--minutes N and --sessions N: longer and wider.
"""
import collections
import pathlib
import random
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("support", "wire")]
from walden_node import Cluster, wait_until  # noqa: E402
from wire_client import WireClient, cancel, text  # noqa: E402

ROWS = 12
# deadlock, cancelled or timed out, lock not available, terminated, and what follows an error in a transaction
EXPECTED = {"40P01", "57014", "55P03", "57P01", "40001"}
STATEMENTS = {
    "row": "UPDATE counter SET n = n + 1 WHERE id = {row}",
    "share": "SELECT n FROM counter WHERE id = {row} FOR SHARE",
    "key share": "SELECT n FROM counter WHERE id = {row} FOR KEY SHARE",
    "update": "SELECT n FROM counter WHERE id = {row} FOR UPDATE",
    "nowait": "SELECT n FROM counter WHERE id = {row} FOR UPDATE NOWAIT",
    "skip": "SELECT n FROM counter WHERE id = {row} FOR NO KEY UPDATE SKIP LOCKED",
    "table": "LOCK TABLE {table} IN {mode} MODE",
    "number": "SELECT pg_advisory_xact_lock({row})",
    "session": "SELECT pg_advisory_lock(1000 + {row}), pg_advisory_unlock(1000 + {row})",
    "unique": "INSERT INTO once VALUES ({row}) ON CONFLICT DO NOTHING",
    "savepoint": "SAVEPOINT s; UPDATE counter SET n = n + 1000000 WHERE id = {row}; ROLLBACK TO s",
}
MODES = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE")


class Session(threading.Thread):
    def __init__(self, storm, number: int):
        super().__init__(daemon=True)
        self.storm, self.number, self.rng = storm, number, random.Random(f"{storm.seed}/{number}")
        self.states, self.failure, self.counted, self.wire, self.committed = collections.Counter(), None, [0] * ROWS, None, 0
        self.perhaps = [0] * ROWS

    def connect(self):
        settings = f"SET lock_timeout = {self.rng.choice((0, 0, 0, 300))}; SET statement_timeout = {self.rng.choice((0, 0, 0, 500))}"
        while True:
            self.wire = WireClient(self.storm.node.port, path=str(self.storm.node.cluster.folder))
            self.wire.socket.settimeout(60)
            try:
                answer = self.wire.query(settings)
            except BrokenPipeError:
                answer = []
            errors = [message.fields() for message in answer if message.kind == "E"]
            assert all(error["C"] in EXPECTED for error in errors), errors
            if answer and answer[-1].kind == "Z" and not errors:
                return
            self.wire.socket.close()  # already disturbed

    def run(self):
        try:
            self.connect()
            while not self.storm.stop.is_set():
                self.transaction()
            self.wire.socket.close()
        except Exception as failure:  # noqa: BLE001: shown by the main thread
            self.failure = repr(failure)

    def ask(self, sql: str) -> bool:
        """False: an error, and the transaction is rolled back; or the session is gone, and there is another."""
        try:
            self.wire.send("Q", text(sql))
        except BrokenPipeError:
            pass  # it was ended between two statements, and has said so
        messages = self.wire.until("Z")
        errors = [message.fields()["C"] for message in messages if message.kind == "E"]
        for state in errors:
            assert state in EXPECTED, [message.fields() for message in messages if message.kind == "E"]
            self.states[state] += 1
        if not messages or messages[-1].kind != "Z":
            assert not messages or "57P01" in errors, f"the session ended with {messages}"  # its last words may be lost
            self.wire.socket.close()
            self.connect()
            return False
        if errors:
            self.roll_back()
        return not errors

    def roll_back(self):
        """A late cancellation may meet the ROLLBACK too: then there is another."""
        while True:
            try:
                messages = self.wire.query("ROLLBACK")
            except BrokenPipeError:
                messages = []
            if not messages or messages[-1].kind != "Z":
                self.wire.socket.close()
                return self.connect()
            if messages[-1].body == b"I":
                return

    def transaction(self):
        rows = []
        if not self.ask(self.rng.choice(("BEGIN", "BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ"))):
            return
        for _ in range(self.rng.randint(1, 4)):
            kind = self.rng.choice(("row", "row", *STATEMENTS))
            row = self.rng.randrange(ROWS)
            sql = STATEMENTS[kind].format(row=row, table=self.rng.choice(("alpha", "beta")), mode=self.rng.choice(MODES))
            if not self.ask(sql):
                return
            rows += [row] if kind == "row" else []
        commits = self.rng.random() < 0.9
        counted = self.ask("COMMIT" if commits else "ROLLBACK")
        self.committed += counted
        for row in rows if commits else ():
            (self.counted if counted else self.perhaps)[row] += 1


class Storm:
    def __init__(self, node, sessions: int, seed: int):
        self.node, self.seed, self.stop = node, seed, threading.Event()
        self.sessions = [Session(self, number) for number in range(sessions)]

    def disturb(self, rng, admin):
        """Cancels a session, or ends it, wherever it is."""
        wire = rng.choice(self.sessions).wire
        if not hasattr(wire, "pid"):
            return
        if rng.random() < 0.7:
            cancel(self.node.port, wire.pid, wire.key)
        else:
            admin.rows(f"SELECT pg_terminate_backend({wire.pid})")

    def run(self, seconds: float):
        rng = random.Random(self.seed)
        admin = WireClient(self.node.port, path=str(self.node.cluster.folder))
        for session in self.sessions:
            session.start()
        deadline, most = time.monotonic() + seconds, 0
        while time.monotonic() < deadline:
            self.disturb(rng, admin)
            most = max(most, int(admin.rows("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0]))
            time.sleep(rng.uniform(0, 0.05))
        self.stop.set()
        for session in self.sessions:
            session.join(timeout=60)
        hung = [session.number for session in self.sessions if session.is_alive()]
        assert not hung, f"sessions {hung} hang: {admin.rows('SELECT pid, wait_event_type, wait_event, query FROM pg_stat_activity')}"
        failures = [session.failure for session in self.sessions if session.failure]
        assert not failures, failures[:3]
        self.check(admin, most)

    def check(self, admin, most: int):
        wait_until(lambda: admin.rows("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") == [[b"1"]], "the sessions to go")
        held = admin.rows("SELECT locktype, relation, mode, granted, pid FROM pg_locks WHERE pid <> pg_backend_pid()")
        assert not held, f"locks that nobody holds any more: {held}"
        for row in range(ROWS):
            n = int(admin.rows(f"SELECT n FROM counter WHERE id = {row}")[0][0])
            sure = sum(session.counted[row] for session in self.sessions)
            perhaps = sum(session.perhaps[row] for session in self.sessions)
            assert sure <= n <= sure + perhaps, f"counter {row} is {n}; {sure} updates committed, {perhaps} perhaps"
        for row in range(ROWS):  # every lock can be had
            admin.rows(f"SET lock_timeout = '1s'; BEGIN; LOCK TABLE alpha, beta; SELECT n FROM counter WHERE id = {row} FOR UPDATE NOWAIT;"
                       f"SELECT pg_advisory_xact_lock({row}), pg_advisory_xact_lock(1000 + {row}); COMMIT")
        states = sum((session.states for session in self.sessions), collections.Counter())
        print(f"{len(self.sessions)} sessions: {sum(session.committed for session in self.sessions)} committed, {dict(states)}, "
              f"up to {most} waiting at once", flush=True)
        assert states["40P01"] and states["57014"] and states["57P01"], f"too tame a storm: {states}"


def main() -> int:
    def given(name: str, default: float) -> float:
        return float(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    sessions, seconds = int(given("--sessions", 120)), 60 * given("--minutes", 0.1)
    with Cluster() as cluster:
        node = cluster.node("storm").init()
        node.configure(max_connections=str(sessions + 20), deadlock_timeout="50ms")
        node.start()
        node.psql("CREATE TABLE counter (id int PRIMARY KEY, n int); CREATE TABLE once (id int PRIMARY KEY);"
                  "CREATE TABLE alpha (n int); CREATE TABLE beta (n int);"
                  f"INSERT INTO counter SELECT i, 0 FROM generate_series(0, {ROWS - 1}) i")
        Storm(node, sessions, int(given("--seed", 1))).run(seconds)
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
