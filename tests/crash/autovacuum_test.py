#!/usr/bin/env python3
"""Autovacuum: workers come by themselves, give way to whoever waits for their table, die without harm; statistics outlive restarts."""
import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import Cluster, wait_until  # noqa: E402

ROWS = 5000
SLOW = dict(autovacuum_vacuum_cost_delay="100ms", autovacuum_vacuum_cost_limit="1")
FULL_SPEED = dict(autovacuum_vacuum_cost_delay="0")


def numbers(node, columns: str, table: str) -> tuple:
    return node.sql(f"SELECT {columns} FROM pg_stat_user_tables WHERE relname = '{table}'")[0]


def check_thresholds(node):
    node.psql(f"""CREATE TABLE work (id int PRIMARY KEY, n int);
                  CREATE TABLE left_alone (id int) WITH (autovacuum_enabled = off);
                  INSERT INTO work SELECT g, 0 FROM generate_series(1, {ROWS}) g;
                  INSERT INTO left_alone SELECT g FROM generate_series(1, {ROWS}) g;
                  UPDATE work SET n = 1; UPDATE left_alone SET id = -id""")
    wait_until(lambda: all(int(n) > 0 for n in numbers(node, "autovacuum_count, autoanalyze_count", "work")), "autovacuum of the table")
    wait_until(lambda: numbers(node, "n_dead_tup", "work") == ("0",), "no dead rows")
    assert numbers(node, "last_autovacuum IS NOT NULL, last_autoanalyze IS NOT NULL, vacuum_count, analyze_count", "work") == ("t", "t", "0", "0")
    assert numbers(node, "autovacuum_count, autoanalyze_count", "left_alone") == ("0", "0")
    assert node.value("SELECT count(*) FROM pg_stats WHERE tablename = 'work'") == "2"


def check_growth(node):
    """A table that is updated over and over stays as large as a few generations of its rows."""
    node.psql("CREATE TABLE churn (id int PRIMARY KEY, filler text) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 100);"
              "CREATE INDEX ON churn (filler); INSERT INTO churn SELECT g, 'a' FROM generate_series(1, 1000) g")
    sizes = []
    for generation in range(12):
        node.psql(f"UPDATE churn SET filler = 'generation {generation}'")
        wait_until(lambda: int(numbers(node, "n_dead_tup", "churn")[0]) == 0, "dead rows to go")
        sizes.append(int(node.value("SELECT pg_relation_size('churn')")))
    assert sizes[-1] <= 3 * sizes[0], f"the table grows without bound: {sizes}"


def await_worker(node, table: str):
    """The pid of a worker that vacuums the table now."""
    def find():
        rows = node.sql(f"SELECT pid FROM pg_stat_progress_vacuum WHERE relid = '{table}'::regclass AND heap_blks_scanned > 1")
        return int(rows[0][0]) if rows else None
    return wait_until(find, f"a worker on {table}")


def check_gives_way(node):
    node.configure(**SLOW)
    node.walden("reload", "-D", node.data)
    node.psql(f"CREATE TABLE wanted (id int PRIMARY KEY, n int); INSERT INTO wanted SELECT g, 0 FROM generate_series(1, {ROWS}) g;"
              "UPDATE wanted SET n = 1")
    worker = await_worker(node, "wanted")
    title = node.children()[worker]
    assert title == "walden: autovacuum worker postgres", title
    row = node.sql(f"SELECT backend_type, state, query FROM pg_stat_activity WHERE pid = {worker}")
    assert row and row[0][0] == "autovacuum worker" and "public.wanted" in row[0][2], row
    node.psql("ALTER TABLE wanted ADD COLUMN m int", timeout=30)
    assert "canceling autovacuum task" in node.log_text()


def check_killed_worker(node):
    node.psql("UPDATE wanted SET n = 2")
    os.kill(await_worker(node, "wanted"), signal.SIGKILL)
    wait_until(lambda: "terminating any other active server processes" in node.log_text() or not node.accepts_connections(),
               "the node to notice")
    node.wait_accepting()
    assert node.sql("SELECT count(*), sum(n) FROM wanted") == [(str(ROWS), str(2 * ROWS))]
    node.configure(**FULL_SPEED)
    node.walden("reload", "-D", node.data)
    before = int(numbers(node, "autovacuum_count", "wanted")[0])
    node.psql("UPDATE wanted SET n = 3")
    wait_until(lambda: int(numbers(node, "autovacuum_count", "wanted")[0]) > before, "autovacuum after the crash")
    assert node.sql("SELECT count(*), sum(n) FROM wanted") == [(str(ROWS), str(3 * ROWS))]


def check_statistics_stay(node):
    node.psql("CREATE TABLE remembered (id int); INSERT INTO remembered SELECT generate_series(1, 7)")
    node.psql("SELECT pg_stat_force_next_flush()")
    before = numbers(node, "n_tup_ins, n_live_tup", "remembered")
    node.restart("fast")
    assert numbers(node, "n_tup_ins, n_live_tup", "remembered") == before == ("7", "7")
    node.kill_all()
    node.start()
    assert numbers(node, "n_tup_ins", "remembered") == ("7",)


def main() -> int:
    with Cluster() as cluster:
        node = cluster.node("primary").init()
        node.configure(autovacuum_naptime="1", autovacuum_vacuum_threshold="50", autovacuum_vacuum_cost_delay="0", deadlock_timeout="100ms",
                       log_autovacuum_min_duration="0")
        node.start()
        check_thresholds(node)
        check_growth(node)
        check_gives_way(node)
        check_killed_worker(node)
        check_statistics_stay(node)
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
