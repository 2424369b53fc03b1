#!/usr/bin/env python3
"""I7 where it is easiest to break: nothing but the background writer and a small pool make pages leave, while nobody asks for the log."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from walden_node import Cluster, Session, wait_until  # noqa: E402
from workload import Workload  # noqa: E402

ROUNDS = 3


def main() -> int:
    with Cluster() as cluster:
        node = cluster.node("ahead").init()
        node.configure(shared_buffers="1MB", wal_buffers="16MB", wal_writer_delay="10s", wal_writer_flush_after="1GB", bgwriter_delay="10ms",
                       bgwriter_lru_maxpages="1000", synchronous_commit="off", autovacuum="off", max_connections="10")
        node.start()
        load = Workload(node)
        node.psql("CREATE TABLE t (id int PRIMARY KEY, n int, pad text); INSERT INTO t SELECT i, 0, repeat('x', 500) FROM generate_series(1, 3000) i")
        node.psql("CHECKPOINT")
        for number in range(ROUNDS):
            load.remember_pages()
            before, _ = load.highest_page
            session = Session(node)  # open, so that no end of a session asks for a flush
            session.ask("UPDATE t SET n = n + 1; SELECT 1;")

            def written() -> bool:
                load.remember_pages()
                return load.highest_page[0] > before
            wait_until(written, "a changed page to be written")
            node.kill_all()
            session.close()
            load.remember_pages()
            node.start()
            load.check_pages("the kill of everything")
            counts = {row[0] for row in node.sql("SELECT n FROM t")}
            assert len(counts) == 1, f"a transaction is there in part: {counts}"
            print(f"round {number}: pages up to {before:X} before, the log covers them", flush=True)
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
