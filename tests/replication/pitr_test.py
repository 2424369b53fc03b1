#!/usr/bin/env python3
"""A base backup and the archive restore a node to a moment: by time, by LSN, by name, immediately; what came later is gone."""
import shutil
import sys

from replica import Cluster, archive_now, archiving_node, copy_running, own, wait_until


def restore(cluster, backup, archive, name: str, **target):
    """A copy of the backup, recovered to the target and writable."""
    node = cluster.node(name)
    shutil.copytree(backup.data, node.data)
    node.data.chmod(0o700)
    (node.data / "recovery.signal").write_text("")
    own(cluster, node.data)
    node.configure(port=node.port, metrics_port=node.metrics_port, archive_mode="off",
                   restore_command=f"cp {archive}/%f %p", recovery_target_action="promote", **target)
    node.start()
    wait_until(lambda: node.value("SELECT pg_is_in_recovery()") == "f", "the end of recovery", timeout_s=20)
    return node


def rows(node) -> list:
    return [int(row[0]) for row in node.sql("SELECT n FROM t ORDER BY n")]


def main() -> int:
    with Cluster() as cluster:
        primary, archive = archiving_node(cluster, "primary")
        primary.sql("CREATE TABLE t (n int PRIMARY KEY); INSERT INTO t VALUES (1)")
        backup = cluster.node("backup")
        copy_running(primary, backup)
        primary.sql("INSERT INTO t VALUES (2)")
        moment = primary.value("SELECT clock_timestamp()")
        primary.sql("SELECT pg_sleep(0.01); INSERT INTO t VALUES (3)")
        lsn = primary.value("SELECT pg_current_wal_insert_lsn()")
        primary.sql("INSERT INTO t VALUES (4)")
        primary.sql("SELECT pg_create_restore_point('here')")
        primary.sql("DROP TABLE t")
        archive_now(primary, archive)
        history = wait_until(lambda: list(archive.glob("*.backup")), "the backup's history file in the archive")
        assert "LABEL: test\n" in history[0].read_text()
        primary.stop()

        by_time = restore(cluster, backup, archive, "by_time", recovery_target_time=moment)
        assert rows(by_time) == [1, 2], rows(by_time)
        by_time.sql("INSERT INTO t VALUES (100)")  # it is a node like any other
        assert by_time.value("SELECT timeline_id FROM pg_control_checkpoint()") == "2"
        by_time.stop()
        # The position is the start of the next record: that record is the last one that is applied.
        by_lsn = restore(cluster, backup, archive, "by_lsn", recovery_target_lsn=lsn, recovery_target_inclusive="off")
        assert rows(by_lsn) == [1, 2, 3], rows(by_lsn)
        by_lsn.stop()
        by_name = restore(cluster, backup, archive, "by_name", recovery_target_name="here")
        assert rows(by_name) == [1, 2, 3, 4], rows(by_name)
        by_name.stop()
        at_once = restore(cluster, backup, archive, "at_once", recovery_target="immediate")
        assert rows(at_once) == [1], rows(at_once)
        at_once.stop()

        missed = cluster.node("missed")
        try:
            restore(cluster, backup, archive, "missed", recovery_target_name="never")
            raise SystemExit("a target that is not there was reached")
        except AssertionError as error:
            assert "recovery ended before configured recovery target was reached" in str(error), error
        del missed
    return 0


if __name__ == "__main__":
    sys.exit(main())
