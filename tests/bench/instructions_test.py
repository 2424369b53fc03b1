#!/usr/bin/env python3
"""Instructions of a backend per transaction, by callgrind: a guard on the paths that pgbench takes.

Two sessions, in processes of their own, run the same transactions different numbers of times; what one process executed more than the
other, divided by how many more it ran, is a transaction's price without start and end. Nothing here depends on the machine's load.
`instructions.json` has the prices by compiler flags; more than TOLERANCE above fails, as much below asks for the file to be written anew:

usage: instructions_test.py [--write]      (WALDEN_BINARY, WALDEN_FLAGS: the binary and the flags it was compiled with)
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
from walden_node import Cluster, wait_until  # noqa: E402
from wire_client import WireClient  # noqa: E402

SKIPPED = 77
TOLERANCE = 0.1  # runs of one binary differ by 1 %
FEW, MANY = 40, 140  # the first ones make plans
USED_BACKENDS = 8  # at most
PRICES = pathlib.Path(__file__).with_name("instructions.json")
TABLES = """
CREATE TABLE pgbench_branches (bid int PRIMARY KEY, bbalance int, filler char(88)) WITH (fillfactor = 100);
CREATE TABLE pgbench_tellers (tid int PRIMARY KEY, bid int, tbalance int, filler char(84)) WITH (fillfactor = 100);
CREATE TABLE pgbench_accounts (aid int PRIMARY KEY, bid int, abalance int, filler char(84)) WITH (fillfactor = 100);
CREATE TABLE pgbench_history (tid int, bid int, aid int, delta int, mtime timestamp, filler char(22));
INSERT INTO pgbench_branches SELECT i, 0 FROM generate_series(1, 8) i;
INSERT INTO pgbench_tellers SELECT i, 1, 0 FROM generate_series(1, 10) i;
INSERT INTO pgbench_accounts SELECT i, 1, 0, '' FROM generate_series(1, 2000) i;
VACUUM ANALYZE;
"""
SELECT = ["SELECT abalance FROM pgbench_accounts WHERE aid = {aid};"]
TPCB = ["BEGIN;", "UPDATE pgbench_accounts SET abalance = abalance + {delta} WHERE aid = {aid};",
        "SELECT abalance FROM pgbench_accounts WHERE aid = {aid};",
        "UPDATE pgbench_tellers SET tbalance = tbalance + {delta} WHERE tid = {tid};",
        "UPDATE pgbench_branches SET bbalance = bbalance + {delta} WHERE bid = {bid};",
        "INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES ({tid}, {bid}, {aid}, {delta}, CURRENT_TIMESTAMP);", "END;"]


def simple(client, statement, values):
    client.rows(statement.format(**values))


def parameters(statement, values):
    """The statement with $1, $2 ... as pgbench writes it, and the values."""
    found = []

    def number(match):
        found.append(str(values[match.group(1)]).encode())
        return f"${len(found)}"
    return re.sub(r"\{(\w+)\}", number, statement), found


def extended(client, statement, values):
    sql, given = parameters(statement, values)
    client.parse(sql)
    finish(client, "", given)


def prepared(client, statement, values):
    sql, given = parameters(statement, values)
    names = client.__dict__.setdefault("prepared", {})
    if sql not in names:
        names[sql] = f"P{len(names)}"
        client.parse(sql, name=names[sql])
        client.sync()
        client.until("Z")
    finish(client, names[sql], given)


def finish(client, name, given):
    client.bind(given, name=name)
    client.describe("P")
    client.execute()
    client.sync()
    errors = [m.fields() for m in client.until("Z") if m.kind == "E"]
    assert not errors, errors


PATHS = {"select simple": (SELECT, simple), "select extended": (SELECT, extended), "select prepared": (SELECT, prepared),
         "tpcb simple": (TPCB, simple), "tpcb prepared": (TPCB, prepared)}


def run(client, statements, send, count):
    for i in range(count):
        values = {"aid": i * 79 % 200 + 1, "tid": i % 10 + 1, "bid": i % 8 + 1, "delta": i % 100 - 50}
        for statement in statements:
            send(client, statement, values)


def start(cluster, node):
    """The node under callgrind; returns the valgrind process."""
    command = ["valgrind", "--tool=callgrind", "--trace-children=yes", f"--callgrind-out-file={cluster.folder}/calls.%p", str(cluster.binary),
               "start", "--foreground", "-D", str(node.data)]
    log = open(node.data / "server.log", "w")
    process = subprocess.Popen(command, stdout=log, stderr=log, cwd=cluster.folder, env={**os.environ, "HOME": str(cluster.folder)},
                               **cluster.identity())
    wait_until(lambda: (node.data / "postmaster.pid").exists(), "the postmaster", 120)
    cluster.running.add(node)
    node.wait_accepting(180)
    return process


def executed(cluster, pid):
    def total():
        try:
            return re.search(r"^totals: (\d+)", (cluster.folder / f"calls.{pid}").read_text(errors="replace"), re.M)
        except FileNotFoundError:
            return None
    return int(wait_until(total, f"callgrind's file of process {pid}", 120).group(1))


def measure(cluster, node):
    """Sessions stay until the node stops: each is a process of its own, which tells its count when it ends.

    Backends serve one client after the other: the first connections here get those that have served the harness already, and which
    differ in what they have cached. All later ones are alike."""
    idle = [WireClient(node.port, path=str(cluster.folder)) for _ in range(USED_BACKENDS)]
    warm = WireClient(node.port, path=str(cluster.folder))
    for statements, send in PATHS.values():
        run(warm, statements, send, FEW)
    sessions = {}
    for path, (statements, send) in PATHS.items():
        sessions[path] = [WireClient(node.port, path=str(cluster.folder)) for _ in range(2)]
        for client, count in zip(sessions[path], (FEW, MANY)):
            run(client, statements, send, count)
    node.stop("fast", check_log=False)
    for client in idle:
        client.socket.close()
    return {path: round((executed(cluster, many.pid) - executed(cluster, few.pid)) / (MANY - FEW)) for path, (few, many) in sessions.items()}


def main():
    flags = os.environ.get("WALDEN_FLAGS", "-O2 -g1").strip()
    known = json.loads(PRICES.read_text()) if PRICES.exists() else {}
    if shutil.which("valgrind") is None:
        print("skipped: valgrind is not installed")
        return SKIPPED
    if flags not in known and "--write" not in sys.argv:
        print(f"skipped: instructions.json has no prices for \"{flags}\"")
        return SKIPPED
    with Cluster() as cluster:
        node = cluster.node("node")
        node.init()
        node.configure(autovacuum="off", fsync="off", max_connections="30", metrics_port="0", max_wal_senders="0",
                       max_wal_size="1GB", checkpoint_timeout="1h", bgwriter_lru_maxpages="0")
        node.start()
        node.sql(TABLES)
        node.stop()
        process = start(cluster, node)
        prices = measure(cluster, node)
        process.wait(60)
    failed = False
    for path, price in prices.items():
        expected = known.get(flags, {}).get(path)
        change = 0 if expected is None else price / expected - 1
        verdict = "" if abs(change) <= TOLERANCE else "  DEARER" if change > 0 else "  cheaper: write the file anew"
        failed = failed or change > TOLERANCE
        print(f"{path:18}{price:>9} instructions, expected {expected} ({change:+.1%}){verdict}")
    if "--write" in sys.argv:
        known[flags] = prices
        PRICES.write_text(json.dumps(known, indent=2) + "\n")
        return 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
