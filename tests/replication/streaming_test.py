#!/usr/bin/env python3
"""A replica made by `walden basebackup` follows its primary, through kills of every process that takes part, and commits
wait for it as synchronous_commit and synchronous_standby_names ask.
"""
import os
import signal
import subprocess
import sys
import time

from replica import (Cluster, Session, assert_equal, content, reload_with, streaming_primary, take_basebackup, wait_caught_up,
                     wait_streaming, wait_until)

BENCH_TABLES = ("pgbench_accounts", "pgbench_tellers", "pgbench_branches", "pgbench_history")


def pgbench(node, *arguments):
    command = ["pgbench", "-h", str(node.cluster.folder), "-p", str(node.port), "-U", "postgres", *arguments, "postgres"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def check_views(primary, replica):
    row = primary.sql("SELECT usename, client_addr, state, sync_state, sent_lsn >= flush_lsn, write_lsn >= flush_lsn, "
                      "flush_lsn >= replay_lsn, reply_time IS NOT NULL FROM pg_stat_replication")
    assert row == [("postgres", "127.0.0.1", "streaming", "async", "t", "t", "t", "t")], row
    row = replica.sql("SELECT status, slot_name, sender_port, flushed_lsn = pg_last_wal_receive_lsn() FROM pg_stat_wal_receiver")
    assert row == [("streaming", "r1", str(primary.port + 10000), "t")], row
    row = primary.sql("SELECT slot_name, slot_type, active, wal_status FROM pg_replication_slots")
    assert row == [("r1", "physical", "t", "reserved")], row
    assert primary.sqlstate("SELECT pg_drop_replication_slot('r1')") == "55006"


def commits_at_once(node, level: str) -> bool:
    """Whether a commit at this level is answered while no standby can confirm it."""
    with Session(node) as session:
        session.run("SET synchronous_commit = " + level)
        session.send("INSERT INTO s VALUES (1)")
        try:
            session.finish(timeout_s=1.5)
            return True
        except Exception:  # queue.Empty: no answer
            return False


def check_synchronous_levels(primary, replica):
    primary.sql("CREATE TABLE s (n int)")
    reload_with(primary, synchronous_standby_names=replica.name)
    wait_until(lambda: primary.value("SELECT sync_state FROM pg_stat_replication") == "sync", "a synchronous standby")
    for number in range(5):  # visible there the moment that it is acknowledged here
        primary.sql(f"SET synchronous_commit = remote_apply; INSERT INTO s VALUES (100 + {number})")
        assert replica.value(f"SELECT count(*) FROM s WHERE n = 100 + {number}") == "1"
    replica.sql("SELECT pg_wal_replay_pause()")
    assert not commits_at_once(primary, "remote_apply")
    assert commits_at_once(primary, "on")
    replica.sql("SELECT pg_wal_replay_resume()")
    replica.stop()
    assert commits_at_once(primary, "local") and commits_at_once(primary, "off")
    for level in ("remote_write", "on"):
        assert not commits_at_once(primary, level), level
    with Session(primary) as waiting:
        waiting.send("INSERT INTO s VALUES (2)")
        replica.start()
        assert waiting.finish() == ""
    assert primary.sqlstate("ALTER SYSTEM SET synchronous_standby_names = 'ANY x (a)'") != "00000"
    reload_with(primary, synchronous_standby_names="ANY 1 (nobody, *)")
    wait_streaming(primary, replica)
    assert primary.value("SELECT sync_state FROM pg_stat_replication") == "quorum"
    reload_with(primary, synchronous_standby_names="FIRST 2 (nobody, somebody)")
    with Session(primary) as waiting:
        waiting.send("INSERT INTO s VALUES (3)")
        reload_with(primary, synchronous_standby_names="")
        assert waiting.finish() == ""


def await_spread_checkpoint(node):
    wait_until(lambda: node.value("SELECT wait_event FROM pg_stat_activity WHERE backend_type = 'checkpointer'") == "CheckpointWriteDelay",
               "a checkpoint that takes its time")


def check_synchronous_at_once(primary, replica):
    """Who sees the setting commits by it, whatever the process that applies it is busy with."""
    checkpointer = primary.child("checkpointer")
    os.kill(checkpointer, signal.SIGSTOP)
    try:
        reload_with(primary, synchronous_standby_names="nobody")
        assert not commits_at_once(primary, "on")
    finally:
        os.kill(checkpointer, signal.SIGCONT)
    assert not commits_at_once(primary, "on")
    reload_with(primary, synchronous_standby_names="", max_wal_size="32MB", checkpoint_timeout="1h")
    primary.sql("CREATE TABLE filler AS SELECT n, repeat('x', 500) FROM generate_series(1, 100000) n")
    await_spread_checkpoint(primary)
    reload_with(primary, synchronous_standby_names="nobody")
    with Session(primary) as waiting:
        waiting.send("INSERT INTO s VALUES (4)")
        assert not commits_at_once(primary, "on")
        reload_with(primary, synchronous_standby_names=replica.name)
        assert waiting.finish() == ""
    assert primary.value("SELECT sync_state FROM pg_stat_replication") == "sync"
    await_spread_checkpoint(primary)  # the same one: there is no other to come
    reload_with(primary, synchronous_standby_names="", max_wal_size="1GB")
    primary.sql("CHECKPOINT; DROP TABLE filler")


def check_kills(primary, replica):
    for node, victim in ((primary, "walsender"), (replica, "walreceiver"), (replica, "startup"), (replica, "redo worker"), (replica, None), (primary, None)):
        primary.sql("INSERT INTO s SELECT generate_series(1000, 1100)")
        if victim is None:
            node.kill_all()
            node.start()
        else:
            pid = node.child(victim)
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: pid not in node.children(), f"the postmaster to notice the death of the {victim}")
        node.wait_accepting()
        primary.sql("INSERT INTO s SELECT generate_series(2000, 2100)")
        wait_streaming(primary, replica)
        assert_equal(primary, replica, ["s"])
        print(f"killed {victim or 'everything'} of {node.name}", flush=True)


def check_replay_sleeps(primary, replica):
    """While a record has arrived in part only, replay waits for the rest; it does not read what is there again and again."""
    def received():
        return int(replica.value("SELECT pg_last_wal_receive_lsn() - '0/0'"))

    def reads():
        with open(f"/proc/{replica.child('startup')}/io") as counters:
            return int(dict(line.split(": ") for line in counters)["syscr"])
    sender = primary.child("walsender")
    for _ in range(20):
        wait_caught_up(primary, replica)
        before = received()
        os.kill(sender, signal.SIGSTOP)
        try:
            primary.sql("INSERT INTO t SELECT generate_series(1, 100000)")
            end = int(primary.value("SELECT pg_current_wal_flush_lsn() - '0/0'"))
            while received() == before:
                os.kill(sender, signal.SIGCONT)
                time.sleep(0.001)
                os.kill(sender, signal.SIGSTOP)
            time.sleep(0.5)  # for what was on its way
            if received() < end:
                first = reads()
                time.sleep(0.5)
                assert reads() - first < 20, f"{reads() - first} reads while nothing came"
                return
        finally:
            os.kill(sender, signal.SIGCONT)
    raise AssertionError("the walsender was never stopped in the middle")


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check_stuck_receiver(primary, replica):
    """A standby that takes nothing, with a message half-way, costs the walsender no CPU and is given up when its time is over."""
    reload_with(primary, wal_sender_timeout="10s")
    receiver, sender = replica.child("walreceiver"), primary.child("walsender")
    os.kill(receiver, signal.SIGSTOP)
    try:
        primary.sql("INSERT INTO t SELECT generate_series(1, 500000)")  # more than fits into buffers on the way
        assert primary.value("SELECT sent_lsn < pg_current_wal_flush_lsn() FROM pg_stat_replication") == "t"
        before = cpu_seconds(sender)
        wait_until(lambda: primary.value("SELECT count(*) FROM pg_stat_replication") == "0", "the standby to be given up")
        used = cpu_seconds(sender) - before
        assert used < 0.5, f"the walsender used {used:.2f} s of CPU while nothing could be sent"
    finally:
        os.kill(receiver, signal.SIGCONT)
    reload_with(primary, wal_sender_timeout="5s")
    wait_streaming(primary, replica)
    assert_equal(primary, replica, ["t"])


def main() -> int:
    with Cluster() as cluster:
        primary = streaming_primary(cluster, "primary")
        primary.sql("CREATE TABLE t (n int); INSERT INTO t VALUES (1)")
        replica = cluster.node("replica")
        take_basebackup(primary, replica, slot="r1")
        replica.configure(min_parallel_redo_size="0", max_parallel_redo_workers="2")  # their processes are killed, too
        replica.start()
        wait_streaming(primary, replica)
        wait_caught_up(primary, replica)
        assert content(replica, "t") == "1"
        check_views(primary, replica)
        pgbench(primary, "-i", "-s", "1", "-q")
        pgbench(primary, "-c", "4", "-T", "3")
        assert_equal(primary, replica, BENCH_TABLES)
        check_replay_sleeps(primary, replica)
        check_stuck_receiver(primary, replica)
        check_synchronous_levels(primary, replica)
        check_synchronous_at_once(primary, replica)
        check_kills(primary, replica)
        assert_equal(primary, replica, BENCH_TABLES)
        replica.stop()
        primary.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
