#!/usr/bin/env python3
"""Walden and a local PostgreSQL 15 in turn: same durable settings, Unix socket, trust.

Prints one table: throughput and server CPU of both and their ratios (medians and spread) for pgbench's scripts, connections (with
trust and with SCRAM-SHA-256), 500 idle ones beside the work, COPY, building a primary key, full updates with one and with three
indexes, VACUUM after each, recovery, the memory of an idle connection, and pairs that replicate. A ratio above 1 in the first
ratio column is Walden's advantage, below 1 in the CPU column too. The pairs run one after the other, so a machine whose
speed drifts moves both sides; believe CPU rather than time when others work on it.

usage: bench.py --walden BINARY [--scale 10] [--seconds 10] [--rounds 3] [--clients 1,8,32] [--scripts select,tpcb]
                [--figures pgbench,connect,scram,idle,memory,bulk,recovery,replication] [--bulk-rows 5000000]
                [--recovery-seconds 60] [--quick] [--json FILE]

--quick: fewer clients, modes, rounds and rows, in less than five minutes; for a look, not for a statement.
"""
import argparse
import json
import os
import pathlib
import re
import socket
import statistics
import struct
import subprocess
import sys
import time

from servers import POSTGRES, Postgres, Walden, cpu_seconds, pgbench, psql

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import replication_figures  # noqa: E402
import walden_node  # noqa: E402

SCRIPTS = {"select": ["-S"], "simple-update": ["-N"], "tpcb": []}


def measure(server, folder, script, mode, clients, seconds) -> dict:
    before = cpu_seconds(server.pid())
    out = pgbench(server, folder, *SCRIPTS[script], "-M", mode, "-c", str(clients), "-j", "2" if clients > 1 else "1",
                  "-T", str(seconds), "-n")
    used = cpu_seconds(server.pid()) - before
    transactions = int(re.search(r"number of transactions actually processed: (\d+)", out).group(1))
    tps = float(re.search(r"tps = ([\d.]+)", out).group(1))
    return {"tps": tps, "cpu_us": used / max(transactions, 1) * 1e6}


def show(values) -> str:
    return f"{statistics.median(values):9.1f} [{min(values):.0f}-{max(values):.0f}]"


class Table:
    """Figures of both servers, printed as they come."""

    def __init__(self):
        self.rows = []
        print(f"{'figure':34}{'unit':>6}  {'Walden':>26}{'PostgreSQL':>26}{'ratio':>7}  {'CPU us':>12}{'PG':>12}{'ratio':>7}")

    def add(self, figure, unit, runs, less_is_better=False):
        """runs: server name -> list of {"value", "cpu_us" (optional)}."""
        ours, theirs = ([r["value"] for r in runs[name]] for name in ("Walden", "PostgreSQL"))
        ratio = statistics.median((b / a if less_is_better else a / b) for a, b in zip(ours, theirs) if a > 0 and b > 0)
        line = f"{figure:34}{unit:>6}  {show(ours):>26}{show(theirs):>26}{ratio:7.2f}"
        row = {"figure": figure, "unit": unit, "runs": runs, "ratio": ratio}
        if "cpu_us" in runs["Walden"][0]:
            cpu = {name: statistics.median(r["cpu_us"] for r in run) for name, run in runs.items()}
            row["cpu_ratio"] = cpu["Walden"] / cpu["PostgreSQL"] if cpu["PostgreSQL"] else None
            line += f"  {cpu['Walden']:12.1f}{cpu['PostgreSQL']:12.1f}{row['cpu_ratio'] or 0:7.2f}"
        self.rows.append(row)
        print(line, flush=True)


def in_turn(servers, rounds, measure_one) -> dict:
    runs = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            runs[server.name].append(measure_one(server))
    return runs


def pgbench_figures(table, servers, folder, options):
    for script in options.scripts.split(","):
        for mode in options.modes.split(","):
            for clients in map(int, options.clients.split(",")):
                def one(server):
                    run = measure(server, folder, script, mode, clients, options.seconds)
                    return {"value": run["tps"], "cpu_us": run["cpu_us"]}
                table.add(f"{script} {mode}, {clients} clients", "tps", in_turn(servers, options.rounds, one))


def connect_figures(table, servers, folder, options):
    def one(server):
        before = cpu_seconds(server.pid())
        out = pgbench(server, folder, "-S", "-C", "-c", "1", "-T", str(options.seconds), "-n")
        count = int(re.search(r"number of transactions actually processed: (\d+)", out).group(1))
        used = cpu_seconds(server.pid()) - before
        return {"value": float(re.search(r"tps = ([\d.]+)", out).group(1)), "cpu_us": used / max(count, 1) * 1e6}
    table.add("connect, select, disconnect", "tps", in_turn(servers, options.rounds, one))


def scram_figures(table, servers, folder, options):
    """Connections over TCP that prove a password: what the exchange itself costs, 4096 rounds of SHA-256 on both sides."""
    for server in servers:
        psql(server, folder, "SET password_encryption = 'scram-sha-256'; CREATE ROLE bench_scram LOGIN PASSWORD 'bench'; "
                             "GRANT pg_read_all_data TO bench_scram")

    def one(server):
        environment = {**os.environ, "PGPASSWORD": "bench"}
        before = cpu_seconds(server.pid())
        done = subprocess.run(["pgbench", "-h", "127.0.0.1", "-p", str(server.port), "-U", "bench_scram", "-S", "-C", "-c", "1",
                               "-T", str(options.seconds), "-n", "postgres"], capture_output=True, text=True, env=environment)
        if done.returncode != 0:
            raise RuntimeError(f"SCRAM connections to {server.name}: {done.stderr[-2000:]}")
        count = int(re.search(r"number of transactions actually processed: (\d+)", done.stdout).group(1))
        used = cpu_seconds(server.pid()) - before
        return {"value": float(re.search(r"tps = ([\d.]+)", done.stdout).group(1)), "cpu_us": used / max(count, 1) * 1e6}
    table.add("the same with SCRAM over TCP", "tps", in_turn(servers, options.rounds, one))


def idle_figures(table, servers, folder, options):
    """Do 500 sessions that do nothing slow the others? The rate with them as a share of the rate without."""
    def one(server):
        alone = measure(server, folder, "select", "prepared", 8, options.seconds)
        opened = [open_session(folder, server.port) for _ in range(500)]
        try:
            crowded = measure(server, folder, "select", "prepared", 8, options.seconds)
        finally:
            for session in opened:
                session.close()
        return {"value": crowded["tps"] / alone["tps"] * 100}
    table.add("select among 500 idle sessions", "%", in_turn(servers, options.rounds, one))


def open_session(folder, port) -> socket.socket:
    """A session that has been told ReadyForQuery once, without the cost of a client program."""
    session = socket.socket(socket.AF_UNIX)
    session.connect(f"{folder}/.s.PGSQL.{port}")
    parameters = b"user\0postgres\0database\0postgres\0\0"
    session.sendall(struct.pack("!II", len(parameters) + 8, 196608) + parameters)
    answer = b""
    while not answer.endswith(b"Z\0\0\0\5I"):
        more = session.recv(4096)
        if not more:
            raise RuntimeError(f"a session on port {port} was refused: {answer!r}")
        answer += more
    return session


def memory_figures(table, servers, folder, options):
    """Private memory of a session after SELECT 1, among others: pages that all of them map count for none."""
    def one(server):
        command = ["psql", "-X", "-q", "-At", "-h", str(folder), "-p", str(server.port), "-U", "postgres", "postgres"]
        sessions = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(10)]
        sizes = []
        for session in sessions:
            session.stdin.write("SELECT 1; SELECT pg_backend_pid();\n")
            session.stdin.flush()
            pids = [session.stdout.readline() for _ in range(2)]
            sizes.append(int(pids[1]))
        kilobytes = []
        for pid in sizes:
            rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            kilobytes.append(sum(int(n) for n in re.findall(r"Private_(?:Clean|Dirty):\s+(\d+)", rollup)))
        for session in sessions:
            session.stdin.close()
            session.wait()
        return {"value": statistics.median(kilobytes)}
    table.add("idle connection", "kB", in_turn(servers, options.rounds, one), less_is_better=True)


def bulk_figures(table, servers, folder, options):
    data = pathlib.Path(folder) / "bulk.csv"
    with open(data, "w") as out:
        out.writelines(f"{i},{i % 100 + 1},0,{'x' * 84}\n" for i in range(options.bulk_rows))
    steps = [
        ("COPY FROM STDIN, csv", "COPY bulk FROM STDIN (FORMAT csv)"),
        ("build of a primary key", "ALTER TABLE bulk ADD PRIMARY KEY (aid)"),
        ("UPDATE of every row", "UPDATE bulk SET abalance = abalance + 1"),
        ("VACUUM after it", "VACUUM bulk"),
        ("count of every row", "SELECT count(*), sum(abalance) FROM bulk"),
        ("index on a column of few values", "CREATE INDEX ON bulk (bid)"),
        ("index on one of a single value", "CREATE INDEX ON bulk (abalance)"),
        ("UPDATE with three indexes", "UPDATE bulk SET abalance = abalance + 1"),
        ("VACUUM with three indexes", "VACUUM bulk"),
        ("COPY TO STDOUT", "COPY bulk TO STDOUT"),
    ]
    runs = {name: {server.name: [] for server in servers} for name, _ in steps}
    for _ in range(options.rounds):
        for server in servers:
            psql(server, folder, "DROP TABLE IF EXISTS bulk")
            psql(server, folder, "CHECKPOINT")
            psql(server, folder, "CREATE TABLE bulk (aid int, bid int, abalance int, filler char(84))")
            for name, sql in steps:
                with open(data) as rows:
                    before, start = cpu_seconds(server.pid()), time.monotonic()
                    if "STDOUT" in sql:
                        psql(server, folder, f"\\copy bulk to '{os.devnull}'")
                    else:
                        psql(server, folder, sql, stdin=rows if "STDIN" in sql else None)
                    seconds = time.monotonic() - start
                runs[name][server.name].append({"value": seconds, "cpu_us": (cpu_seconds(server.pid()) - before) * 1e6})
    for name, _ in steps:
        table.add(f"{name} ({options.bulk_rows} rows)", "s", runs[name], less_is_better=True)


def recovery_figures(table, servers, folder, options):
    def one(server):
        psql(server, folder, "CHECKPOINT")
        pgbench(server, folder, "-c", "8", "-j", "2", "-T", str(options.recovery_seconds), "-n")
        server.kill()
        start = time.monotonic()
        server.start()
        return {"value": time.monotonic() - start}
    table.add(f"recovery of {options.recovery_seconds} s of tpcb", "s", in_turn(servers, options.rounds, one), less_is_better=True)


def check_balances(servers, folder):
    sums = ["SELECT sum(abalance) FROM pgbench_accounts", "SELECT sum(tbalance) FROM pgbench_tellers",
            "SELECT sum(bbalance) FROM pgbench_branches", "SELECT coalesce(sum(delta), 0) FROM pgbench_history"]
    for server in servers:
        values = {psql(server, folder, sql).strip() for sql in sums}
        if len(values) != 1:
            raise RuntimeError(f"{server.name}: balances differ: {values}")


FIGURES = {"pgbench": pgbench_figures, "connect": connect_figures, "scram": scram_figures, "idle": idle_figures, "memory": memory_figures, "bulk": bulk_figures,
           "recovery": recovery_figures, "replication": replication_figures.measure_pairs}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--walden", required=True)
    parser.add_argument("--scale", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--modes", default="simple,extended,prepared")
    parser.add_argument("--scripts", default="select,tpcb")
    parser.add_argument("--figures", default=",".join(FIGURES))
    parser.add_argument("--bulk-rows", type=int, default=5000000)
    parser.add_argument("--recovery-seconds", type=int, default=60)
    parser.add_argument("--absence", type=int, default=300000, help="transactions that a standby misses")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json")
    options = parser.parse_args()
    if options.quick:
        options.scale, options.seconds, options.rounds, options.recovery_seconds = min(options.scale, 2), 2, 1, 10
        options.clients, options.modes, options.bulk_rows = "1,8", "simple,prepared", 200000
        options.absence = 20000
    if not (POSTGRES / "postgres").exists():
        print("bench: PostgreSQL 15 is not installed (postgresql-15): there is nothing to compare with; skipped")
        return 0
    os.environ["WALDEN_BINARY"] = options.walden
    with walden_node.Cluster() as cluster:
        servers = [Walden(cluster), Postgres(cluster)]
        for server in servers:
            server.create()
            server.start()
            started = time.monotonic()
            pgbench(server, cluster.folder, "-i", "-q", "-s", str(options.scale))
            print(f"{server.name}: loaded scale {options.scale} in {time.monotonic() - started:.1f} s", flush=True)
        table = Table()
        for figure in options.figures.split(","):
            FIGURES[figure](table, servers, cluster.folder, options)
        check_balances(servers, cluster.folder)
        for server in servers:
            server.stop()
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(table.rows, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
