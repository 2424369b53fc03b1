#!/usr/bin/env python3
"""Nobody is told what is not durable at the level that he asked for (I5, I8).

Commits are made visible while their durability is held up: first the flush of the log (the process that flushes is stopped between
write and fsync), then the synchronous standby (its walreceiver is stopped). Then one session for each way of being told and each level of
synchronous_commit asks something whose answer rests on them: rows, absent rows, errors, command tags, catalogs, files on the server,
outcomes of transactions. Those whose level covers what is held up must hear nothing at all until it goes on; the others must
be answered at once, and so must everybody who asks for settled data. A second standby, which has all of the log, must show nothing of it.
Files that a commit removes, or VACUUM cuts, stay as long.
"""
import os
import pathlib
import re
import select
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "support"), str(ROOT / "wire"), str(ROOT / "replication")]
from replica import Cluster, reload_with, streaming_primary, take_basebackup, wait_caught_up, wait_streaming, wait_until  # noqa: E402
from walden_node import process_state  # noqa: E402
from wire_client import WireClient, text  # noqa: E402

LEVELS = ("off", "local", "remote_write", "on", "remote_apply")
QUIET_S = 1.0  # how long a session must say nothing; an answer that leaks takes a few milliseconds


class Way:
    """A way of being told. before: the settled state; dirty: what is committed while stalled; prepare: run by the asking session
    before; ask: its question; told: what the answer must contain, which the settled state alone would not give. held: what another
    session has done in a transaction before, which it commits while stalled; waits: the question is asked before, and waits for that.
    same: the settled state would give this answer too, so that it must come at once."""

    def __init__(self, name, before, dirty, ask, told, prepare=(), user=None, held="", waits=False, same=False):
        self.name, self.before, self.dirty, self.ask, self.told = name, before, dirty, ask, told
        self.prepare, self.user, self.held, self.waits, self.same = prepare, user, held, waits, same


# {t}: a table of this way and level alone.
ROW = "CREATE TABLE {t} (id int PRIMARY KEY, n int); INSERT INTO {t} SELECT i, 0 FROM generate_series(1, 20) i"
CHANGE = "UPDATE {t} SET n = 7 WHERE id = 3"
ADD = "UPDATE {t} SET n = n + 1 WHERE id = 3"
WAYS = [
    Way("row", ROW, CHANGE, "SELECT n FROM {t} WHERE id = 3", b"7"),
    Way("sequential scan", ROW, CHANGE, "SELECT sum(n) FROM {t}", b"7"),
    Way("new row", ROW, "INSERT INTO {t} VALUES (30, 1)", "SELECT n FROM {t} WHERE id = 30", b"SELECT 1"),
    Way("absent row", ROW, "DELETE FROM {t} WHERE id = 3", "SELECT n FROM {t} WHERE id = 3", b"SELECT 0"),
    Way("absent rows, counted", ROW, "DELETE FROM {t}", "SELECT 'left ' || count(*) FROM {t}", b"left 0"),
    Way("index-only scan", ROW + "; VACUUM {t}", "INSERT INTO {t} VALUES (30, 1); DELETE FROM {t} WHERE id = 4",
        "SELECT string_agg(id::text, ',') FROM (SELECT id FROM {t} WHERE id > 1 ORDER BY id) x", b"2,3,5,6,", prepare=("SET enable_seqscan = off",)),
    Way("pruned row", ROW, "DELETE FROM {t} WHERE id < 20; VACUUM {t}", "SELECT 'left ' || count(*) FROM {t}", b"left 1"),
    Way("unique violation", ROW, "INSERT INTO {t} VALUES (30, 1)", "INSERT INTO {t} VALUES (30, 2)", b"C23505"),
    Way("conflict", ROW, "INSERT INTO {t} VALUES (30, 1)", "INSERT INTO {t} VALUES (30, 2) ON CONFLICT DO NOTHING", b"INSERT 0 0"),
    Way("foreign key violation", ROW + "; CREATE TABLE {t}_child (id int REFERENCES {t})", "DELETE FROM {t} WHERE id = 3",
        "INSERT INTO {t}_child VALUES (3)", b"C23503"),
    Way("nothing to update", ROW, "DELETE FROM {t} WHERE id = 3", "UPDATE {t} SET n = 1 WHERE id = 3", b"UPDATE 0"),
    Way("serialization failure", ROW, CHANGE, "UPDATE {t} SET n = 8 WHERE id = 3", b"C40001",
        prepare=("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM {t}")),
    Way("division by zero", ROW, CHANGE, "SELECT 1 / (n - 7) FROM {t} WHERE id = 3", b"C22012"),
    Way("prepared statement", ROW, CHANGE, "EXECUTE p(3)", b"7", prepare=("PREPARE p(int) AS SELECT n FROM {t} WHERE id = $1", "EXECUTE p(3)")),
    Way("cursor", ROW, CHANGE, "DECLARE c CURSOR FOR SELECT n FROM {t} ORDER BY n DESC; FETCH 1 FROM c", b"7", prepare=("BEGIN",)),
    Way("copy to the client", ROW, CHANGE, "COPY {t} TO STDOUT", b"3\t7"),
    Way("copy to a file", ROW, CHANGE, "COPY {t} TO '{folder}/{t}.copy'", b"COPY 20"),
    Way("explained rows", ROW, "DELETE FROM {t}", "EXPLAIN (ANALYZE, TIMING OFF) SELECT n FROM {t}", b"rows=0"),
    Way("new table", "SELECT 1", "CREATE TABLE {t} (n int)", "SELECT count(n) FROM {t}", b"SELECT 1"),
    Way("new column", ROW, "ALTER TABLE {t} ADD COLUMN added int DEFAULT 5", "SELECT max(added) FROM {t}", b"5", prepare=("SELECT n FROM {t}",)),
    Way("lost column", ROW, "ALTER TABLE {t} DROP COLUMN n", "SELECT n FROM {t}", b"C42703", prepare=("SELECT n FROM {t}",)),
    Way("renamed table", ROW, "ALTER TABLE {t} RENAME TO {t}_renamed", "SELECT n FROM {t}", b"C42P01", prepare=("SELECT n FROM {t}",)),
    Way("privilege", ROW + "; GRANT SELECT ON {t} TO reader", "REVOKE SELECT ON {t} FROM reader", "SELECT n FROM {t}", b"C42501",
        prepare=("SELECT n FROM {t}",), user="reader"),
    Way("notification", ROW, "NOTIFY {t}, 'heard'", "SELECT 'one ' || 1", b"heard", prepare=("LISTEN {t}",)),
    Way("catalog", ROW, "COMMENT ON TABLE {t} IS 'told'", "SELECT obj_description('{t}'::regclass, 'pg_class')", b"told"),
    Way("view", ROW + "; CREATE VIEW {t}_v AS SELECT 1 AS one", "CREATE OR REPLACE VIEW {t}_v AS SELECT 9 AS one", "SELECT 'view ' || one FROM {t}_v",
        b"view 9", prepare=("SELECT one FROM {t}_v",)),
    Way("outcome", ROW, "", "SELECT txid_status({xid})", b"committed", held=CHANGE),
    Way("row after a lock wait", ROW, "", "UPDATE {t} SET n = 8 WHERE id = 3 AND n = 0", b"UPDATE 0", held=CHANGE, waits=True),
    Way("no row after a lock wait", ROW, "", "DELETE FROM {t} WHERE id = 3", b"DELETE 0", held="DELETE FROM {t} WHERE id = 3", waits=True),
    Way("no row to lock after a wait", ROW, "", "SELECT n FROM {t} WHERE id = 3 FOR KEY SHARE", b"SELECT 0",
        held="DELETE FROM {t} WHERE id = 3", waits=True),
    Way("violation after a wait", ROW, "", "INSERT INTO {t} VALUES (30, 2)", b"C23505", held="INSERT INTO {t} VALUES (30, 1)", waits=True),
    Way("failure after a wait", ROW, "", "UPDATE {t} SET n = 8 WHERE id = 3", b"C40001", held=CHANGE, waits=True,
        prepare=("BEGIN ISOLATION LEVEL REPEATABLE READ", "SELECT 1 FROM {t}")),
    Way("catalog after a wait", ROW, "", "SELECT n FROM {t}", b"C42P01", held="ALTER TABLE {t} RENAME TO {t}_renamed", waits=True,
        prepare=("SELECT n FROM {t}",)),
    Way("sequence", ROW + "; CREATE SEQUENCE {t}_s", "SELECT nextval('{t}_s')", "SELECT is_called FROM {t}_s", b"t"),
    Way("end of a sequence", ROW + "; CREATE SEQUENCE {t}_s MAXVALUE 2", "SELECT nextval('{t}_s'), nextval('{t}_s')", "SELECT nextval('{t}_s')", b"C2200H"),
    Way("last number", ROW + "; CREATE SEQUENCE {t}_s", "SELECT nextval('{t}_s')",
        "SELECT 'last ' || last_value FROM pg_sequences WHERE sequencename = '{t}_s'", b"last 1"),
    Way("count of an update", ROW, CHANGE, ADD, b"UPDATE 1", prepare=("BEGIN",), same=True),
    Way("count of an update by the whole table", ROW + "; ANALYZE {t}", CHANGE, ADD, b"UPDATE 1", prepare=("BEGIN",), same=True),
    Way("count of several changes", ROW, CHANGE + "; UPDATE {t} SET n = 9 WHERE id = 3; UPDATE {t} SET n = 7 WHERE id = 3", ADD, b"UPDATE 1",
        prepare=("BEGIN",), same=True),
    Way("count of an update after a lock wait", ROW, "", ADD, b"UPDATE 1", prepare=("BEGIN",), held=CHANGE, waits=True, same=True),
    Way("count and an insertion", ROW, CHANGE, ADD + "; INSERT INTO {t} VALUES (40, 1)", b"INSERT 0 1", prepare=("BEGIN",), same=True),
    Way("count taken back", ROW, CHANGE, ADD + "; ROLLBACK; SELECT 'ten ' || 10", b"ten 10", prepare=("BEGIN",), same=True),
    Way("returned row", ROW, CHANGE, ADD + " RETURNING n", b"8", prepare=("BEGIN",)),
    Way("row changed before", ROW, CHANGE, ADD + "; SELECT n FROM {t} WHERE id = 3", b"8", prepare=("BEGIN",)),
    Way("row changed before, copied", ROW, CHANGE, ADD + "; COPY {t} TO STDOUT", b"3\t8", prepare=("BEGIN",)),
    Way("row changed before, by its place", ROW, CHANGE, ADD + "; SELECT n FROM {t} WHERE ctid = '(0,22)'", b"8", prepare=("BEGIN",)),
    Way("row changed before, fetched", ROW, CHANGE, ADD + "; DECLARE c CURSOR FOR SELECT n FROM {t} WHERE ctid = '(0,22)'; FETCH c", b"8",
        prepare=("BEGIN",)),
    Way("error of a change", ROW, CHANGE, "UPDATE {t} SET n = 1 / (n - 7) WHERE id = 3", b"C22012", prepare=("BEGIN",)),
    Way("change that was an error", ROW, CHANGE, "UPDATE {t} SET n = 1 / n WHERE id = 3", b"UPDATE 1", prepare=("BEGIN",)),
    Way("change that was forbidden", ROW + "; ALTER TABLE {t} ADD CHECK (n <> 1)", CHANGE, ADD, b"UPDATE 1", prepare=("BEGIN",)),
    Way("change of a change", ROW, CHANGE, ADD + "; UPDATE {t} SET n = 1 / (n - 1) WHERE id = 3", b"UPDATE 1", prepare=("BEGIN",)),
    Way("count by another column", ROW, CHANGE, "UPDATE {t} SET n = 9 WHERE n = 7", b"UPDATE 1", prepare=("BEGIN",)),
    Way("count by key and another column", ROW, CHANGE, "UPDATE {t} SET n = 9 WHERE id = 3 AND n = 7", b"UPDATE 1", prepare=("BEGIN",)),
    Way("count of a new row", ROW, "INSERT INTO {t} VALUES (30, 1)", "UPDATE {t} SET n = 9 WHERE id = 30", b"UPDATE 1", prepare=("BEGIN",)),
    Way("count of a row of another key", ROW, "UPDATE {t} SET id = 30 WHERE id = 3", "UPDATE {t} SET n = 9 WHERE id = 30", b"UPDATE 1",
        prepare=("BEGIN",)),
    Way("change of a key", ROW, "UPDATE {t} SET id = 30 WHERE id = 3", "UPDATE {t} SET id = 3 WHERE id = 4", b"UPDATE 1", prepare=("BEGIN",)),
    Way("change by a name that is new", ROW, "CREATE TABLE {t}_3 (n int)", "UPDATE {t} SET n = (quote_ident('{t}_' || id)::regclass::oid > 0)::int WHERE id = 3",
        b"UPDATE 1", prepare=("BEGIN",)),
    Way("error of a change of a change", ROW, CHANGE, ADD + "; UPDATE {t} SET n = 1 / (n - 8) WHERE id = 3", b"C22012", prepare=("BEGIN",)),
    Way("next number", ROW + "; CREATE SEQUENCE {t}_s", CHANGE, "SELECT nextval('{t}_s')", b"1"),
]


def table_of(phase: str, way: Way, level: str) -> str:
    return "_".join([phase, *re.findall(r"\w+", way.name), level])


class Asker:
    """One session at one level, with one question."""

    def __init__(self, node, way: Way, level: str, phase: str, dirty_level: str):
        self.way, self.level = way, level
        self.table, self.xid = table_of(phase, way, level), ""
        self.folder = node.cluster.folder
        self.client = WireClient(node.port, path=str(self.folder), user=way.user or "postgres")
        for sql in (f"SET synchronous_commit = {level}", *way.prepare):
            self.client.rows(self.sql(sql))
        if way.held:
            self.holder = WireClient(node.port, path=str(self.folder))
            self.holder.rows(f"SET synchronous_commit = {dirty_level}; BEGIN; " + self.sql(way.held))
            self.xid = self.holder.rows("SELECT txid_current()")[0][0].decode()
        if way.waits:
            self.ask()

    def sql(self, pattern: str) -> str:
        return pattern.replace("{t}", self.table).replace("{folder}", str(self.folder)).replace("{xid}", self.xid)

    def commit(self, writer: WireClient):
        """What the answer will rest on."""
        if self.way.held:
            self.holder.rows("COMMIT")
        elif self.way.dirty:
            for statement in self.way.dirty.split("; "):
                writer.rows(self.sql(statement))

    def ask(self):
        self.client.send("Q", text(self.sql(self.way.ask)))

    def is_free(self, kind) -> bool:
        """Must be answered at once."""
        return self.way.same or self.level not in kind.waits

    def has_heard(self) -> bool:
        copied = self.folder / f"{self.table}.copy"
        return bool(select.select([self.client.socket], [], [], 0)[0]) or (copied.exists() and copied.stat().st_size > 0)

    def answer(self) -> bytes:
        return b"\n".join(message.kind.encode() + message.body for message in self.client.until("Z"))

    def __str__(self):
        return f"{self.way.name} at {self.level}"


class StalledFlush:
    """A backend is stopped between writing and flushing the log; it has the right to flush, so nobody can."""
    waits = set(LEVELS) - {"off"}
    dirty_level = "off"

    def __init__(self, primary, _):
        self.client = WireClient(primary.port, path=str(primary.cluster.folder))
        self.client.query("SET walden_fault_points = 'wal-written=stop'")

    def begin(self):
        self.client.send("Q", text("INSERT INTO trigger_row VALUES (1)"))
        wait_until(lambda: process_state(self.client.pid) == "T", "the process that flushes to stop")

    def end(self):
        os.kill(self.client.pid, signal.SIGCONT)


class StalledQuorum:
    """The walreceiver of the synchronous standby is stopped."""
    waits = {"remote_write", "on", "remote_apply"}
    dirty_level = "local"

    def __init__(self, _, standby):
        self.pid = standby.child("walreceiver")

    def begin(self):
        os.kill(self.pid, signal.SIGSTOP)

    def end(self):
        os.kill(self.pid, signal.SIGCONT)


class FilesKept:
    """A session that makes files shorter or removes them, whatever its level: they stay until what says so is durable here."""

    def __init__(self, primary, name: str, before: str, ask: str):
        self.question = ask
        self.client = WireClient(primary.port, path=str(primary.cluster.folder))
        for statement in before.split("; "):
            self.client.rows(statement)
        self.file = primary.data / self.client.rows(f"SELECT pg_relation_filepath('{name}')")[0][0].decode()
        self.size = self.file.stat().st_size
        self.client.rows("SET synchronous_commit = off")

    def ask(self):
        self.client.send("Q", text(self.question))

    def check_kept(self):
        assert self.file.exists() and self.file.stat().st_size == self.size, f"{self.question}: the file went before the flush"

    def check_gone(self):
        messages = self.client.until("Z")
        assert not [message for message in messages if message.kind == "E"], messages
        assert not self.file.exists() or self.file.stat().st_size < self.size, f"{self.question}: the file is still there"
        self.client.socket.close()


def files_kept(primary) -> list:
    rows = "CREATE TABLE {t} AS SELECT i FROM generate_series(1, 2000) i; CHECKPOINT"
    return [FilesKept(primary, name, rows.replace("{t}", name) + before, ask) for name, before, ask in (
        ("dropped", "", "DROP TABLE dropped"), ("emptied", "", "TRUNCATE emptied"),
        ("cut", "; DELETE FROM cut WHERE i > 10; CHECKPOINT", "VACUUM cut"))]


def check_stall(kind, phase: str, primary, standby, other):
    ways = [(way, level) for way in WAYS for level in LEVELS]
    files = files_kept(primary) if kind is StalledFlush else []  # first: after its checkpoints pages are logged whole
    admin = WireClient(primary.port, path=str(primary.cluster.folder))
    for way, level in ways:
        for statement in way.before.replace("{t}", table_of(phase, way, level)).split("; "):
            admin.rows(statement)
    admin.rows(f"CREATE ROLE {phase}_role LOGIN")
    askers = [Asker(primary, way, level, phase, kind.dirty_level) for way, level in ways]
    waiting = sum(asker.way.waits for asker in askers)
    wait_until(lambda: admin.rows("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == [[str(waiting).encode()]],
               f"{waiting} sessions to wait for locks")
    settled = {level: WireClient(primary.port, path=str(primary.cluster.folder)) for level in LEVELS}
    for level, client in settled.items():
        client.query(f"SET synchronous_commit = {level}")
    wait_caught_up(primary, standby)
    wait_caught_up(primary, other)
    writer = WireClient(primary.port, path=str(primary.cluster.folder))
    writer.query(f"SET synchronous_commit = {kind.dirty_level}")
    stall = kind(primary, standby)
    stall.begin()
    try:
        for asker in askers:
            asker.commit(writer)
        writer.rows(f"ALTER ROLE {phase}_role NOLOGIN")
        login = WireClient(primary.port, start=False, path=str(primary.cluster.folder))
        login.send_startup(user=f"{phase}_role")
        for asker in (*files, *(asker for asker in askers if not asker.way.waits)):
            asker.ask()
        free = [asker for asker in askers if asker.is_free(kind)]
        for asker in free:  # they are answered at once
            asker.said = asker.answer()
            assert asker.way.told in asker.said, f"{phase}: {asker} was told {asker.said}"
        for level, client in settled.items():
            assert client.rows("SELECT n FROM settled") == [[b"1"]], level
        time.sleep(QUIET_S)
        leaked = [str(asker) for asker in askers if not asker.is_free(kind) and asker.has_heard()]
        leaked += ["login"] if select.select([login.socket], [], [], 0)[0] else []
        assert not leaked, f"{phase}: told before it was durable: {leaked}"
        for file in files:
            file.check_kept()
        check_standbys(phase, ways, (standby, other))
    finally:
        stall.end()
    for asker in askers:
        if not asker.is_free(kind):
            said = asker.answer()
            assert asker.way.told in said, f"{phase}: {asker} was told {said}"
    for file in files:
        file.check_gone()
    assert login.until("E")[-1].fields()["C"] == "28000"
    print(f"{phase}: {len(free)} answered at once, {len(askers) - len(free)} when it went on", flush=True)
    for client in (*settled.values(), *(asker.client for asker in askers), writer, admin):
        client.socket.close()


def check_standbys(phase: str, ways: list, standbys):
    """What is not settled is not shown there, though one of them may have it all."""
    rows = [table_of(phase, way, level) for way, level in ways if CHANGE in (way.dirty, way.held)]
    for node in standbys:
        with WireClient(node.port, path=str(node.cluster.folder)) as client:
            for name in rows:
                assert client.rows(f"SELECT sum(n) FROM {name}") == [[b"0"]], f"{phase}: {name} on {node.name}"


def main() -> int:
    with Cluster() as cluster:
        primary = streaming_primary(cluster, "primary", max_connections="460", shared_buffers="16MB", autovacuum="off")
        primary.psql("CREATE TABLE settled (n int); INSERT INTO settled VALUES (1); CREATE TABLE trigger_row (n int); CREATE ROLE reader LOGIN")
        standby, other = cluster.node("standby"), cluster.node("other")
        for node in (standby, other):
            take_basebackup(primary, node)
            node.start()
            wait_streaming(primary, node)
        check_stall(StalledFlush, "flush", primary, standby, other)
        reload_with(primary, synchronous_standby_names="standby", wal_sender_timeout="1min")
        wait_until(lambda: primary.value("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1", "a synchronous standby")
        check_stall(StalledQuorum, "quorum", primary, standby, other)
        for node in (other, standby, primary):
            node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
