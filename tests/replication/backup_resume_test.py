#!/usr/bin/env python3
"""A base backup that breaks off goes on: in the same run when the connection or the node was away, in another run into the same
directory when the command was killed. What was copied stays; what cannot be gone on with is refused.
"""
import re
import signal
import subprocess
import sys

from replica import (Cluster, Proxy, assert_equal, own, streaming_primary, wait_caught_up, wait_streaming, wait_until)

JOURNAL = "basebackup.journal"


class Backup:
    """A running `walden basebackup -R` into the directory of `node`."""

    def __init__(self, cluster, node, port, *arguments, rate="16M"):
        self.node = node
        self.process = subprocess.Popen(
            [str(cluster.binary), "basebackup", "-D", str(node.data), "-c", "fast", "-R", "-v", *(["-r", rate] if rate else []),
             "-d", f"host=127.0.0.1 port={port} user=postgres application_name={node.name}", *arguments],
            stderr=subprocess.PIPE, text=True, cwd=cluster.folder, **cluster.identity())

    def wait_files(self, count):
        def there():
            assert self.process.poll() is None, self.process.stderr.read()
            journal = self.node.data / JOURNAL
            return journal.exists() and journal.read_text().count("\nfile ") >= count
        wait_until(there, f"{count} files of {self.node.name}")

    def end(self, code=0):
        errors = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == code, (self.process.returncode, errors)
        return errors


def files_there(errors):
    """How many files the command did not copy again."""
    return int(re.search(r"(\d+) files of \d+ MB are there already", errors).group(1))


def change(primary, round_number):
    """What may happen between two halves of a copy."""
    primary.sql(f"INSERT INTO t SELECT generate_series(1, 2000); DELETE FROM t WHERE n % 7 = {round_number}; VACUUM t;"
                f"CREATE TABLE new_{round_number} AS SELECT generate_series(1, 1000) n; DROP TABLE IF EXISTS old_{round_number};"
                "UPDATE wide SET b = b || 'x' WHERE a % 50 = 0; CHECKPOINT")


def check_replica(primary, replica):
    assert not (replica.data / JOURNAL).exists()
    replica.configure(port=replica.port, metrics_port=replica.metrics_port, wal_retrieve_retry_interval="100ms")
    replica.start()
    wait_streaming(primary, replica)
    wait_caught_up(primary, replica)
    assert_equal(primary, replica, ["t", "wide"])
    assert replica.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'old%'") == \
        primary.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'old%'")
    replica.stop()


def check_killed_command(cluster, primary, port):
    replica = cluster.node("killed")
    backup = Backup(cluster, replica, port, "-C", "-S", "s_killed")
    backup.wait_files(200)
    progress = primary.value("SELECT phase || (backup_streamed > 0 AND backup_total > backup_streamed)::text "
                             "FROM pg_stat_progress_basebackup")
    assert progress == "streaming database filestrue", progress
    backup.process.kill()
    backup.end(-signal.SIGKILL)
    assert "is not complete" in replica.walden("start", "-D", replica.data, check=False).stderr
    change(primary, 1)
    primary.restart()  # its hold outlives that
    second = Backup(cluster, replica, port, "-C", "-S", "s_killed")
    second.wait_files(300)
    second.process.kill()
    second.end(-signal.SIGKILL)
    # A file that the crash of a machine has spoiled is copied again.
    with open(replica.data / "base" / "1" / "PG_VERSION", "a", encoding="ascii") as file:
        file.write("x")
    change(primary, 2)
    errors = Backup(cluster, replica, port, "-C", "-S", "s_killed", rate="").end()
    assert files_there(errors) >= 299, errors
    assert primary.value("SELECT count(*) FROM pg_replication_slots") == "1", "the slot that held the WAL"
    check_replica(primary, replica)
    primary.sql("SELECT pg_drop_replication_slot('s_killed')")


def check_broken_connection(cluster, primary, port):
    """One run: the connection is cut, the node is killed and started again."""
    replica = cluster.node("broken")
    with Proxy(port) as proxy:
        backup = Backup(cluster, replica, proxy.port, rate="8M")
        backup.wait_files(100)
        proxy.refusing = True
        proxy.cut()
        phase = "SELECT coalesce(max(phase), '') FROM pg_stat_progress_basebackup"
        wait_until(lambda: primary.value(phase) == "", "the primary to notice it")
        change(primary, 3)
        proxy.refusing = False
        wait_until(lambda: primary.value(phase).startswith(("streaming", "transferring")), "the transfer to go on")
        primary.kill_all()
        primary.start()
        change(primary, 4)
        errors = backup.end()
    assert errors.count("the transfer goes on") >= 2, errors
    assert primary.value("SELECT count(*) FROM pg_replication_slots") == "0"
    auto_conf = replica.data / "postgresql.auto.conf"
    auto_conf.write_text(auto_conf.read_text().replace(f"port={proxy.port}", f"port={port}"))
    own(cluster, auto_conf)
    check_replica(primary, replica)


def check_end(cluster, primary, port):
    """Killed when all files are there and only WAL is missing."""
    replica = cluster.node("late")
    backup = Backup(cluster, replica, port, rate="30M")
    wait_until(lambda: (replica.data / JOURNAL).exists() and "global/pg_control" in (replica.data / JOURNAL).read_text(), "all files")
    backup.process.kill()
    backup.end(-signal.SIGKILL)
    change(primary, 5)
    Backup(cluster, replica, port, rate="").end()
    check_replica(primary, replica)


def check_refusals(cluster, primary, port):
    target = cluster.node("refused")
    backup = Backup(cluster, target, port)
    backup.wait_files(20)
    again = Backup(cluster, target, port).end(1)
    assert "another \"walden basebackup\" is filling" in again, again
    assert (target.data / JOURNAL).exists()
    backup.process.kill()
    backup.end(-signal.SIGKILL)
    hold = "SELECT slot_name FROM pg_replication_slots WHERE NOT active"
    wait_until(lambda: primary.value(hold).startswith("walden_basebackup_"), "the slot of the broken backup")
    primary.sql(f"SELECT pg_drop_replication_slot('{primary.value(hold)}')")
    errors = Backup(cluster, target, port).end(1)
    assert "the base backup cannot be resumed" in errors and (target.data / JOURNAL).exists(), errors
    # Given up by its user: nothing is left, here or there.
    other = cluster.node("stopped")
    stopped = Backup(cluster, other, port)
    stopped.wait_files(20)
    stopped.process.send_signal(signal.SIGINT)
    assert "interrupted" in stopped.end(1) and not other.data.exists()
    assert primary.value("SELECT count(*) FROM pg_replication_slots") == "0"
    kept = Backup(cluster, other, port, "-n")
    kept.wait_files(20)
    kept.process.send_signal(signal.SIGINT)
    assert "stays in" in kept.end(1) and (other.data / JOURNAL).exists()
    no_retry = Backup(cluster, other, port, "-t", "0")
    no_retry.wait_files(40)
    primary.kill_all()
    assert "stays in" in no_retry.end(1)
    primary.start()


def main() -> int:
    with Cluster() as cluster:
        primary = streaming_primary(cluster, "primary")
        primary.sql("CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 50000);"
                    "CREATE TABLE wide (a int PRIMARY KEY, b text); INSERT INTO wide SELECT g, repeat('w', 500) FROM generate_series(1, 20000) g;"
                    + "".join(f"CREATE TABLE old_{i} AS SELECT generate_series(1, 3000) n;" for i in range(1, 6)))
        port = primary.port + 10000
        check_killed_command(cluster, primary, port)
        check_broken_connection(cluster, primary, port)
        check_end(cluster, primary, port)
        check_refusals(cluster, primary, port)
        primary.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
