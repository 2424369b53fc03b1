#!/usr/bin/env python3
"""The primary is killed under load while a standby is synchronous: after `walden promote` nothing that was acknowledged is
missing. The old primary fences itself when it meets the new term, does not start again, and comes back as a replica by
a new base backup.
"""
import pathlib
import sys

from replica import (Cluster, assert_equal, streaming_primary, take_basebackup, wait_streaming, wait_until)

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from crash_test import ACCOUNTS, ENOUGH, TRANSFERS, Client, check  # noqa: E402

CLIENTS = 3


def acknowledged_until_the_kill(primary, folder) -> set:
    clients = [Client(primary, folder, number * TRANSFERS) for number in range(CLIENTS)]
    try:
        wait_until(lambda: all(len(client.acknowledged()) >= ENOUGH for client in clients), "transfers before the kill")
        primary.kill_all()
        for client in clients:
            client.process.wait(timeout=30)
    finally:
        for client in clients:
            client.process.kill()
    return set().union(*(client.acknowledged() for client in clients))


def term_of(node) -> int:
    return int(node.walden("controldata", "-D", node.data).stdout.split("Replication term:")[1].split()[0])


def follow(replica, primary):
    """Sends a running replica to another primary. What -R wrote stands in postgresql.auto.conf, which comes last."""
    with open(replica.data / "postgresql.auto.conf", "a") as conf:
        conf.write(f"primary_conninfo = 'host=127.0.0.1 port={primary.port + 10000} user=postgres application_name={replica.name}'\n")
    replica.walden("reload", "-D", replica.data)


def main() -> int:
    with Cluster() as cluster:
        first = streaming_primary(cluster, "first")
        first.psql("CREATE TABLE account (id int PRIMARY KEY, n int NOT NULL); CREATE TABLE transfer (id int PRIMARY KEY);"
                   f"INSERT INTO account SELECT i, 0 FROM generate_series(0, {ACCOUNTS - 1}) i")
        second = cluster.node("second")
        take_basebackup(first, second)
        second.start()
        wait_streaming(first, second)
        first.configure(synchronous_standby_names="second")
        first.restart()
        wait_streaming(first, second)
        acknowledged = acknowledged_until_the_kill(first, cluster.folder)
        second.configure(synchronous_standby_names="")
        second.walden("promote", "-D", second.data)
        check(second, acknowledged, "the primary (promotion)")
        assert term_of(second) == 2 and second.value("SELECT timeline_id FROM pg_control_checkpoint()") == "2"

        # A replica of the new primary that is sent to the old one shows it the new term.
        third = cluster.node("third")
        take_basebackup(second, third)
        third.start()
        wait_streaming(second, third)
        first.configure(synchronous_standby_names="")
        first.start()
        assert term_of(first) == 1 and first.value("SELECT pg_is_in_recovery()") == "f"
        follow(third, first)
        wait_until(lambda: not (first.data / "postmaster.pid").exists(), "the old primary to fence itself and stop")
        cluster.running.discard(first)
        start = first.walden("start", "-D", first.data, "-l", first.data / "server.log", check=False)
        assert start.returncode != 0 and "was fenced" in start.stderr and "walden basebackup" in start.stderr, start.stderr
        assert third.value("SELECT pg_is_in_recovery()") == "t"

        # Everybody follows the new primary.
        follow(third, second)
        again = cluster.node("again")
        take_basebackup(second, again)
        again.start()
        second.sql("INSERT INTO transfer VALUES (-1)")
        for replica in (third, again):
            wait_streaming(second, replica)
            assert_equal(second, replica, ["account", "transfer"])
        for node in (again, third, second):
            node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
