#!/usr/bin/env python3
"""Replay of single situations: SQL, kill -9 of everything, recovery, and then heaps, maps and indexes are sound.

For bugs that a mixed load meets once in a hundred crashes. Each case begins after a checkpoint, so that what `prepare` does is in the
log with page images, and what `then` does without.
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from walden_node import Cluster  # noqa: E402
from workload import Workload  # noqa: E402

# (name, prepare, then, query, its result)
CASES = (
    ("an update moves a row between two all-visible pages, whose bits are on one page of the map",
     "CREATE TABLE moved (id int, pad text); INSERT INTO moved SELECT n, repeat('x', 400) FROM generate_series(1, 36) n;"
     "DELETE FROM moved WHERE id BETWEEN 20 AND 34; VACUUM moved",
     "UPDATE moved SET pad = repeat('y', 1500) WHERE id = 3", "SELECT count(*), sum(length(pad)) FROM moved", [("21", "9500")]),
    ("the tail that was all-visible is cut off and grows again",
     "CREATE TABLE cut (id int, pad text); INSERT INTO cut SELECT n, repeat('x', 400) FROM generate_series(1, 100) n; VACUUM cut",
     "DELETE FROM cut WHERE id > 5; VACUUM cut; INSERT INTO cut SELECT n, repeat('z', 400) FROM generate_series(1, 60) n",
     "SELECT count(*) FROM cut", [("65",)]),
    ("a relation made, filled, truncated and dropped in one stretch of the log",
     "CREATE TABLE brief (id int PRIMARY KEY)",
     "INSERT INTO brief SELECT generate_series(1, 500); TRUNCATE brief; INSERT INTO brief VALUES (7); DROP TABLE brief;"
     "CREATE TABLE brief (id int PRIMARY KEY, t text); INSERT INTO brief VALUES (8, 'again')", "SELECT * FROM brief", [("8", "again")]),
)


def main() -> int:
    with Cluster() as cluster:
        node = cluster.node("replay").init().configure(autovacuum="off").start()
        load = Workload(node)
        for name, prepare, then, query, wanted in CASES:
            node.psql("CHECKPOINT")
            node.psql(prepare)
            node.psql(then)
            node.kill_all()
            node.start()
            found = node.sql(query)
            assert found == wanted, f"{name}: {found}"
            load.check_indexes(name)
            load.check_files(name)
            print(f"{name}: as before", flush=True)
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
