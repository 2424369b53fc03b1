#!/usr/bin/env python3
"""A standby fed from an archive: it answers queries while it replays, refuses to write, cancels exactly those who are in
replay's way, and becomes a primary in a new term when it is promoted.
"""
import sys

from replica import (Cluster, Session, archive_now, archiving_node, copy_running, make_standby, wait_replayed,
                     wait_until)

READ_ONLY = (
    ("INSERT INTO t VALUES (99)", "25006"), ("UPDATE t SET n = 0", "25006"), ("DELETE FROM t", "25006"),
    ("CREATE TABLE x (a int)", "25006"), ("DROP TABLE t", "25006"), ("TRUNCATE t", "25006"),
    ("SELECT n FROM t FOR UPDATE", "25006"), ("SELECT nextval('s')", "25006"), ("VACUUM t", "25006"),
    ("ANALYZE t", "25006"), ("SELECT txid_current()", "25006"), ("LOCK TABLE t IN EXCLUSIVE MODE", "25006"),
    ("BEGIN READ WRITE", "0A000"), ("SELECT pg_switch_wal()", "55000"), ("SELECT pg_current_wal_lsn()", "55000"),
    ("SELECT pg_create_restore_point('x')", "55000"), ("CREATE ROLE r", "25006"), ("GRANT SELECT ON t TO PUBLIC", "25006"),
    ("COPY t FROM STDIN", "25006"), ("CREATE DATABASE d2", "25006"), ("REINDEX TABLE t", "25006"),
)


def follow(primary, archive, standby):
    """Everything that the primary has done is replayed."""
    lsn = primary.value("SELECT pg_current_wal_insert_lsn()")
    archive_now(primary, archive)
    wait_replayed(standby, lsn)


def conflicts(standby, column: str, database="postgres") -> int:
    return int(standby.value(f"SELECT {column} FROM pg_stat_database_conflicts WHERE datname = '{database}'"))


def check_read_only(standby):
    assert standby.value("SELECT pg_is_in_recovery()") == "t"
    assert standby.value("SHOW in_hot_standby") == "on"
    assert standby.value("SHOW transaction_read_only") == "on"
    wrong = [(sql, state, found) for sql, state in READ_ONLY if (found := standby.sqlstate(sql)) != state]
    assert not wrong, wrong
    message = standby.psql("VACUUM t", check=False).stderr
    assert "cannot execute VACUUM during recovery" in message, message
    for sql in ("BEGIN; DECLARE c CURSOR FOR SELECT n FROM t; FETCH c; COMMIT", "SELECT pg_advisory_lock(1)", "CHECKPOINT",
                "BEGIN; LOCK TABLE t IN ROW SHARE MODE; COMMIT", "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1; COMMIT"):
        assert standby.sqlstate(sql) == "00000", (sql, standby.sqlstate(sql))


def check_snapshot_conflict(primary, archive, standby):
    with Session(standby) as old, Session(standby) as other:
        assert old.run("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t") == "3"
        primary.sql("DELETE FROM t WHERE n = 3")
        primary.sql("VACUUM t")
        archive_now(primary, archive)
        assert other.run("SELECT count(*) FROM t") in ("2", "3")
        answer = ""
        def cancelled():
            nonlocal answer
            answer = old.run("SELECT count(*) FROM t")
            return answer != "3"
        wait_until(cancelled, "the old snapshot to be cancelled")
        assert "conflict with recovery" in answer and "40001" in answer, answer
        assert other.run("SELECT count(*) FROM t") == "2"


def check_pin_conflict(primary, archive, standby):
    """Replay wants a page alone to remove rows that no snapshot sees any more: whoever has it pinned is cancelled, nobody else."""
    primary.sql("CREATE TABLE pinned (n int, s text); INSERT INTO pinned SELECT n, repeat('x', n) FROM generate_series(1, 50) n;"
                "CREATE TABLE elsewhere AS SELECT * FROM pinned; DELETE FROM pinned WHERE n > 40")
    follow(primary, archive, standby)
    pins, snapshots = conflicts(standby, "confl_bufferpin"), conflicts(standby, "confl_snapshot")
    with Session(standby) as pinner, Session(standby) as bystander:
        assert pinner.run("BEGIN; DECLARE c CURSOR FOR SELECT n, s FROM pinned; FETCH 2 FROM c").splitlines()[-1] == "2\txx"
        assert bystander.run("BEGIN; DECLARE c CURSOR FOR SELECT n, s FROM elsewhere; FETCH 2 FROM c").splitlines()[-1] == "2\txx"
        primary.sql("VACUUM pinned")
        follow(primary, archive, standby)
        answer = pinner.run("FETCH 1 FROM c")
        assert "connection" in answer or "40001" in answer, answer
        assert bystander.run("FETCH 1 FROM c") == "3\txxx"
    wait_until(lambda: conflicts(standby, "confl_bufferpin") == pins + 1, "the conflict to be counted")
    assert conflicts(standby, "confl_snapshot") == snapshots


def check_lock_conflict(primary, archive, standby):
    """Only the holder of the lock is cancelled; one that holds another table's goes on."""
    with Session(standby) as holder, Session(standby) as bystander:
        holder.run("BEGIN; SELECT count(*) FROM t")
        bystander.run("BEGIN; SELECT count(*) FROM u")
        primary.sql("ALTER TABLE t ADD COLUMN more int")
        follow(primary, archive, standby)
        answer = holder.run("SELECT 1")
        assert "57P01" not in answer and ("connection" in answer or "40001" in answer), answer
        assert bystander.run("SELECT count(*) FROM u") == "1"
    assert standby.value("SELECT count(more) FROM t") == "0"
    assert "recovery still waiting after" in standby.log_text() and "recovery conflict on lock" in standby.log_text()


def check_database_conflict(primary, archive, standby):
    primary.sql("CREATE DATABASE gone")
    follow(primary, archive, standby)
    with Session(standby, "gone") as session, Session(standby) as bystander:
        assert session.run("SELECT 1") == "1" and bystander.run("SELECT 1") == "1"
        primary.sql("DROP DATABASE gone")
        follow(primary, archive, standby)
        assert session.run("SELECT 1") != "1"
        assert bystander.run("SELECT 1") == "1"


def check_pause(primary, archive, standby):
    standby.sql("SELECT pg_wal_replay_pause()")
    primary.sql("INSERT INTO t VALUES (50)")
    archive_now(primary, archive)
    wait_until(lambda: standby.value("SELECT pg_get_wal_replay_pause_state()") == "paused", "replay to pause")
    assert standby.value("SELECT count(*) FROM t WHERE n = 50") == "0"
    standby.sql("SELECT pg_wal_replay_resume()")
    wait_until(lambda: standby.value("SELECT count(*) FROM t WHERE n = 50") == "1", "replay to go on")


def main() -> int:
    with Cluster() as cluster:
        primary, archive = archiving_node(cluster, "primary")
        primary.sql("CREATE TABLE t (n int PRIMARY KEY); CREATE TABLE u (n int); CREATE SEQUENCE s;"
                    "INSERT INTO t VALUES (1), (2), (3); INSERT INTO u VALUES (1)")
        standby = cluster.node("standby")
        copy_running(primary, standby)
        make_standby(standby, restore_command=f"cp {archive}/%f %p", wal_retrieve_retry_interval="50ms", archive_mode="off",
                     max_standby_archive_delay="1s", log_recovery_conflict_waits="on", deadlock_timeout="20ms",
                     archive_cleanup_command=f"touch {archive}/cleaned.%r", promote_trigger_file=str(cluster.folder / "trigger"))
        archive_now(primary, archive)
        standby.start()
        follow(primary, archive, standby)
        check_read_only(standby)
        check_snapshot_conflict(primary, archive, standby)
        check_pin_conflict(primary, archive, standby)
        check_lock_conflict(primary, archive, standby)
        check_database_conflict(primary, archive, standby)
        check_pause(primary, archive, standby)
        primary.sql("CHECKPOINT")
        follow(primary, archive, standby)
        standby.sql("CHECKPOINT")
        assert list(archive.glob("cleaned.*")), "archive_cleanup_command was not run"
        term = int(standby.walden("controldata", "-D", standby.data).stdout.split("Replication term:")[1].split()[0])
        follow(primary, archive, standby)
        primary.stop()
        (cluster.folder / "trigger").write_text("")
        wait_until(lambda: standby.value("SELECT pg_is_in_recovery()") == "f", "the trigger file to promote")
        assert not (cluster.folder / "trigger").exists()
        assert standby.value("SELECT timeline_id FROM pg_control_checkpoint()") == "2"
        now = int(standby.walden("controldata", "-D", standby.data).stdout.split("Replication term:")[1].split()[0])
        assert now == term + 1, (term, now)
        standby.sql("INSERT INTO t VALUES (100)")
        assert standby.sqlstate("SELECT pg_promote()") == "55000"
        assert not (standby.data / "standby.signal").exists() and not (standby.data / "promote").exists()
        standby.restart()
        assert standby.value("SELECT count(*) FROM t WHERE n = 100") == "1"
        standby.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
