#!/usr/bin/env python3
"""A standby replays much at once with redo workers while sessions read: where nobody reads replay goes ahead of what it shows, and
whoever comes then waits for a moment only. Every answer is one moment of the primary.
"""
import os
import subprocess
import sys
import threading

from replica import Cluster, Session, streaming_primary, take_basebackup, wait_replayed, wait_streaming, wait_until

ROWS = 400
# Rows that change again and again: pages are pruned, leaves split, VACUUM sets bits that index-only scans believe.
LOAD = f"""\\set x random(1, {ROWS})
UPDATE account SET n = n + CASE id WHEN :x THEN 1 ELSE -1 END WHERE id IN (:x, :x % {ROWS} + 1);
UPDATE entry SET v = v + {ROWS} WHERE id = :x;
"""
TRANSACTIONS = 2000
READS = (("SELECT sum(n), count(*) FROM account", f"0\t{ROWS}"),
         (f"SELECT count(*), count(DISTINCT v % {ROWS}) FROM entry WHERE v > 0", f"{ROWS}\t{ROWS}"))


def fill(primary):
    primary.sql("CREATE TABLE account (id int PRIMARY KEY, n int) WITH (fillfactor = 50)")
    primary.sql("CREATE TABLE entry (id int PRIMARY KEY, v int)")
    primary.sql("CREATE INDEX ON entry (v)")
    primary.sql(f"INSERT INTO account SELECT g, 0 FROM generate_series(1, {ROWS}) g")
    primary.sql(f"INSERT INTO entry SELECT g, g FROM generate_series(1, {ROWS}) g")


def change(primary):
    script = primary.cluster.folder / "load.sql"
    script.write_text(LOAD)
    load = subprocess.Popen(["pgbench", "-h", str(primary.cluster.folder), "-p", str(primary.port), "-U", "postgres", "-n", "-f", str(script),
                             "-t", str(TRANSACTIONS), "postgres"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "PGOPTIONS": "-c synchronous_commit=off"})
    with Session(primary) as vacuum:
        while load.poll() is None:
            for table in ("account", "entry"):
                answer = vacuum.run(f"VACUUM {table}")
                assert answer == "", answer
    assert load.returncode == 0, load.stderr.read()


def read(standby, stop, wrong, counts):
    with Session(standby) as session:
        session.run("SET enable_seqscan = off; SET enable_bitmapscan = off")
        while not stop.is_set():
            for sql, expected in READS:
                answer = session.run(sql)
                counts.append(1)
                if answer != expected:
                    wrong.append((sql, answer))


def catch_up(primary, standby, readers: int):
    standby.sql("SELECT pg_wal_replay_pause()")
    change(primary)
    end = primary.value("SELECT pg_current_wal_flush_lsn()")
    wait_until(lambda: standby.value(f"SELECT pg_last_wal_receive_lsn() >= '{end}'") == "t", f"the WAL up to {end}")
    stop, wrong, counts = threading.Event(), [], []
    threads = [threading.Thread(target=read, args=(standby, stop, wrong, counts)) for _ in range(readers)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(counts) >= readers, "the readers' first answers")
    standby.sql("SELECT pg_wal_replay_resume()")
    wait_replayed(standby, end)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong, (len(wrong), wrong[:3])
    assert [standby.sql(sql) for sql, _ in READS] == [primary.sql(sql) for sql, _ in READS]


def main() -> int:
    with Cluster() as cluster:
        primary = streaming_primary(cluster, "primary", wal_keep_size="1GB", autovacuum="off")
        fill(primary)
        standby = cluster.node("standby")
        take_basebackup(primary, standby)
        # Nobody is cancelled: who waits for whom must come to an end by itself.
        standby.configure(min_parallel_redo_size="0", max_parallel_redo_workers="3", max_standby_streaming_delay="-1",
                          max_standby_archive_delay="-1")
        standby.start()
        wait_streaming(primary, standby)
        for readers in (1, 3):
            catch_up(primary, standby, readers)
        standby.stop()
        primary.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
