#!/usr/bin/env python3
"""Sessions that create, index, alter and drop the same few objects at once, so that names change their meaning between look-up and lock.
No session may end, every error must be one that belongs here, and in the end catalogs and files agree.
"""
import collections
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("support", "crash")]
from walden_node import Cluster  # noqa: E402

SESSIONS, TURNS = 6, 25
TURN = """
DROP TABLE IF EXISTS st;
CREATE TABLE IF NOT EXISTS st (a int PRIMARY KEY, b text);
CREATE INDEX sti ON st (b);
INSERT INTO st SELECT g, 'x' FROM generate_series(1, 20) g;
DELETE FROM st WHERE a < 10;
DROP INDEX sti;
ALTER TABLE st ADD c int;
DROP VIEW sv;
CREATE VIEW sv AS SELECT * FROM st;
TRUNCATE st;
DROP TABLE st CASCADE;
"""
# Missing or there already, other objects depend on it, deadlock, and rows of the catalogs that another session changed first.
EXPECTED = {"42P01", "42P07", "42701", "42703", "42704", "42710", "23505", "2BP01", "40P01", "XX000"}
RACES = re.compile(r"ERROR: +XX000: (tuple concurrently (updated|deleted)|cache lookup failed for|could not open relation with OID)")
UNOWNED = """
SELECT 'index ' || indexrelid FROM pg_index WHERE indrelid NOT IN (SELECT oid FROM pg_class) OR indexrelid NOT IN (SELECT oid FROM pg_class)
UNION ALL SELECT 'column of ' || attrelid FROM pg_attribute WHERE attrelid NOT IN (SELECT oid FROM pg_class)
UNION ALL SELECT 'type ' || typname FROM pg_type WHERE typrelid <> 0 AND typrelid NOT IN (SELECT oid FROM pg_class)
UNION ALL SELECT 'constraint ' || conname FROM pg_constraint WHERE conrelid <> 0 AND conrelid NOT IN (SELECT oid FROM pg_class)
UNION ALL SELECT 'rule of ' || ev_class FROM pg_rewrite WHERE ev_class NOT IN (SELECT oid FROM pg_class)
UNION ALL SELECT 'dependency on ' || refobjid FROM pg_depend WHERE refclassid = 'pg_class'::regclass AND refobjid NOT IN (SELECT oid FROM pg_class)
"""


def main() -> int:
    with Cluster() as cluster:
        node = cluster.node("storm").init().configure(deadlock_timeout="100ms").start()
        command = ["psql", "-X", "-q", "-v", "VERBOSITY=verbose", "-h", str(cluster.folder), "-p", str(node.port), "-U", "postgres", "-d", "postgres"]
        sessions = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                    for _ in range(SESSIONS)]
        for session in sessions:
            session.stdin.write(TURN * TURNS + "SELECT 'to the end';\n")
            session.stdin.close()
        states = collections.Counter()
        for session in sessions:
            output = session.stdout.read()
            assert session.wait(timeout=60) == 0 and "to the end" in output, output[-500:]
            for line in re.findall(r"^(?:ERROR|FATAL|PANIC): .*$", output, re.M):
                state = line.split()[1].rstrip(":")
                assert state in EXPECTED and (state != "XX000" or RACES.match(line)), line
                states[state] += 1
        node.psql("DROP VIEW IF EXISTS sv; DROP TABLE IF EXISTS st")
        assert node.sql(UNOWNED) == [], node.sql(UNOWNED)
        print(f"{SESSIONS * TURNS} turns, errors {dict(states)}")
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
