#!/usr/bin/env python3
"""pgbench in pairs: Walden and a local PostgreSQL 15 in turn, same durable settings, Unix socket, trust.

Prints one table: transactions per second and server CPU per transaction of both, and their ratios (medians and spread).
Ratios are what counts: the pairs run one after the other, so a machine whose speed drifts moves both sides.

usage: bench.py --walden BINARY [--scale 10] [--seconds 10] [--rounds 3] [--clients 1,8,32] [--scripts select,tpcb] [--json FILE]
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import walden_node  # noqa: E402

POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
SETTINGS = {"shared_buffers": "2GB", "fsync": "on", "synchronous_commit": "on", "max_connections": "200",
            "max_wal_size": "8GB", "checkpoint_timeout": "30min", "autovacuum": "on"}
SCRIPTS = {"select": ["-S"], "simple-update": ["-N"], "tpcb": []}
TICKS = os.sysconf("SC_CLK_TCK")


class Postgres:
    """The reference server, made for this run."""

    def __init__(self, cluster):
        self.cluster, self.name = cluster, "PostgreSQL"
        self.data, self.port = cluster.folder / "postgres", cluster.take_port()

    def run(self, program, *arguments):
        subprocess.run([str(POSTGRES / program), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL,
                       cwd=self.cluster.folder, **self.cluster.identity())

    def create(self):
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-k")
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(f"port = {self.port}\nunix_socket_directories = '{self.cluster.folder}'\nlisten_addresses = ''\n")
            conf.writelines(f"{key} = '{value}'\n" for key, value in SETTINGS.items())

    def start(self):
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.cluster.folder / "postgres.log")

    def stop(self):
        self.run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data)

    def pid(self):
        return int((self.data / "postmaster.pid").read_text().split("\n")[0])


class Walden:
    def __init__(self, cluster):
        self.node, self.name = cluster.node("node"), "Walden"
        self.port = self.node.port

    def create(self):
        self.node.init()
        self.node.configure(**SETTINGS)

    def start(self):
        self.node.start()

    def stop(self):
        self.node.stop()

    def pid(self):
        return self.node.postmaster_pid()


def cpu_seconds(postmaster: int) -> float:
    """CPU of the server so far: the postmaster, its living children, and those it has reaped."""
    total = 0
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(entry.name) == postmaster:
            total += sum(int(fields[i]) for i in (11, 12, 13, 14))
        elif int(fields[1]) == postmaster:
            total += int(fields[11]) + int(fields[12])
    return total / TICKS


def pgbench(server, folder, *arguments) -> str:
    done = subprocess.run(["pgbench", "-h", str(folder), "-p", str(server.port), "-U", "postgres", *arguments, "postgres"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"pgbench {' '.join(arguments)} on {server.name}: {done.stderr[-2000:]}")
    return done.stdout


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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--walden", required=True)
    parser.add_argument("--scale", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", default="1,8,32")
    parser.add_argument("--modes", default="simple,extended,prepared")
    parser.add_argument("--scripts", default="select,tpcb")
    parser.add_argument("--json")
    options = parser.parse_args()
    if not (POSTGRES / "postgres").exists():
        print("bench: PostgreSQL 15 is not installed (postgresql-15): there is nothing to compare with; skipped")
        return 0
    os.environ["WALDEN_BINARY"] = options.walden
    results = []
    with walden_node.Cluster() as cluster:
        servers = [Walden(cluster), Postgres(cluster)]
        for server in servers:
            server.create()
            server.start()
            started = time.monotonic()
            pgbench(server, cluster.folder, "-i", "-q", "-s", str(options.scale))
            print(f"{server.name}: loaded scale {options.scale} in {time.monotonic() - started:.1f} s", flush=True)
        print(f"{'script':14}{'mode':10}{'clients':>8}  {'Walden tps':>26}{'PostgreSQL tps':>26}{'ratio':>7}"
              f"  {'CPU us/tx':>10}{'PG':>8}{'ratio':>7}")
        for script in options.scripts.split(","):
            for mode in options.modes.split(","):
                for clients in map(int, options.clients.split(",")):
                    runs = {server.name: [] for server in servers}
                    for _ in range(options.rounds):
                        for server in servers:
                            runs[server.name].append(measure(server, cluster.folder, script, mode, clients, options.seconds))
                    tps = {name: [r["tps"] for r in run] for name, run in runs.items()}
                    cpu = {name: statistics.median(r["cpu_us"] for r in run) for name, run in runs.items()}
                    speed = statistics.median(a / b for a, b in zip(tps["Walden"], tps["PostgreSQL"]))
                    print(f"{script:14}{mode:10}{clients:8}  {show(tps['Walden']):>26}{show(tps['PostgreSQL']):>26}{speed:7.2f}"
                          f"  {cpu['Walden']:10.1f}{cpu['PostgreSQL']:8.1f}{cpu['Walden'] / cpu['PostgreSQL']:7.2f}", flush=True)
                    results.append({"script": script, "mode": mode, "clients": clients, "runs": runs})
        for server in servers:
            server.stop()
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
