#!/usr/bin/env python3
"""A node under TPC-B, bulk loads, long readers and autovacuum for a long time: nothing grows that is not explained, no error in the log.

Sampled all the while: size of every table, files, WAL, memory of every process that is none else's, open files, shared memory. After a first third
in which caches and tables find their size, growth is bounded: pgbench_history by its rows, the other tables by the row versions that a long
reader keeps, WAL by max_wal_size, private memory and open files by a constant.

usage: soak_test.py [--minutes N] [--rate TPS]
"""
import pathlib
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import Cluster, Session  # noqa: E402

MEGABYTE = 1 << 20
MAX_WAL_MB = 256
BULK_ROWS = 40_000
READER_S = 15
TABLES = ("pgbench_accounts", "pgbench_tellers", "pgbench_branches", "pgbench_history", "bulk")


def private_bytes(pid: int) -> int:
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(kb) for kb in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE)) * 1024


def open_files(pid: int) -> int:
    try:
        return len(list(pathlib.Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        return 0


def folder_bytes(folder: pathlib.Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_blocks * 512 if path.is_file() else 0
        except OSError:
            pass
    return total


class Soak:
    def __init__(self, node, seconds: float, rate: int):
        self.node, self.seconds, self.rate = node, seconds, rate
        self.stop, self.failures, self.samples = threading.Event(), [], []
        self.loads = self.readings = 0

    def guarded(self, work):
        try:
            work()
        except BaseException as failure:  # noqa: BLE001: raised by the main thread
            self.failures.append(failure)
            self.stop.set()

    def pgbench(self):
        command = ["pgbench", "-h", str(self.node.cluster.folder), "-p", str(self.node.port), "-U", "postgres", "-n", "-c", "4", "-M", "prepared",
                   "-R", str(self.rate), "-T", str(int(self.seconds)), "postgres"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=self.seconds + 120)
        assert done.returncode == 0 and "number of failed transactions: 0 " in done.stdout, done.stdout + done.stderr
        self.transactions = int(re.search(r"actually processed: (\d+)", done.stdout).group(1))
        self.stop.set()

    def bulk(self):
        while not self.stop.is_set():
            self.node.psql("DELETE FROM bulk; "
                           f"INSERT INTO bulk SELECT n, md5(n::text), repeat('x', 200) FROM generate_series(1, {BULK_ROWS}) n; "
                           f"COPY bulk TO '{self.node.cluster.folder}/bulk.copy'; CREATE TEMP TABLE t AS SELECT * FROM bulk ORDER BY b")
            self.loads += 1
            self.stop.wait(5)

    def reader(self):
        session = Session(self.node)
        while not self.stop.is_set():
            first = session.ask("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT sum(abalance) || ' ' || count(*) FROM pgbench_accounts;")
            self.stop.wait(READER_S)
            second = session.ask("SELECT sum(abalance) || ' ' || count(*) FROM pgbench_accounts;")
            assert first == second and first, f"a snapshot changed: {first}, then {second}"
            session.ask("COMMIT; SELECT 1;")
            self.readings += 1
        session.close()

    def sample(self) -> dict:
        kinds = {}
        for pid, title in {**self.node.children(), self.node.postmaster_pid(): "postmaster"}.items():
            kind = re.sub(r"^walden: ", "", title).split(" streaming")[0]
            kind = "client backend" if "[local]" in kind else "spare backend" if "waiting for a client" in kind else kind
            memory, files = private_bytes(pid), open_files(pid)
            most = kinds.get(kind, (0, 0))
            kinds[kind] = max(most[0], memory), max(most[1], files)
        sizes = dict(self.node.sql("SELECT relname, pg_total_relation_size(oid) FROM pg_class WHERE relname IN ('" + "','".join(TABLES) + "')"))
        return {"at": time.monotonic(), "kinds": kinds, "tables": {name: int(size) for name, size in sizes.items()},
                "wal": folder_bytes(self.node.data / "pg_wal"), "files": sum(1 for path in (self.node.data / "base").rglob("*") if path.is_file()),
                "data": folder_bytes(self.node.data),
                "catalog": int(self.node.value("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = 11 AND relkind = 'r'"))}

    def run(self):
        threads = [threading.Thread(target=self.guarded, args=(work,)) for work in (self.pgbench, self.bulk, self.reader)]
        for thread in threads:
            thread.start()
        while not self.stop.wait(max(1.0, self.seconds / 60)):
            self.samples.append(self.sample())
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    # --- what grew ----------------------------------------------------------------------------------------------------
    def check(self):
        settled = self.samples[len(self.samples) // 3]
        later = self.samples[len(self.samples) // 3:]
        most = later[-1]
        rows = []

        def bound(what: str, first: float, last: float, allowed: float, why: str):
            rows.append((what, first / MEGABYTE, last / MEGABYTE, allowed / MEGABYTE, why))

        history = int(self.node.value("SELECT count(*) FROM pgbench_history")) * 64 + MEGABYTE
        for table in TABLES:
            first, last = settled["tables"][table], max(sample["tables"][table] for sample in later)
            kept = history if table == "pgbench_history" else first * 0.5 + 8 * MEGABYTE
            bound(table, first, last, kept if table == "pgbench_history" else first + kept,
                  "its rows" if table == "pgbench_history" else "versions that a long reader keeps")
        bound("catalogs", settled["catalog"], most["catalog"], settled["catalog"] * 1.3 + 2 * MEGABYTE, "temporary tables come and go")
        bound("WAL", settled["wal"], max(sample["wal"] for sample in later), (MAX_WAL_MB * 1.5 + 64) * MEGABYTE, "max_wal_size and a checkpoint's while")
        # Pages of shared memory that nobody else maps count too, and come and go: the highest of each half is compared.
        halves = later[:len(later) // 2], later[len(later) // 2:]
        for kind in sorted(settled["kinds"]):
            first, last = (max(sample["kinds"].get(kind, (0, 0))[0] for sample in half) for half in halves)
            bound(f"memory of {kind}", first, last, first * 1.2 + 6 * MEGABYTE, "caches, and pages of shared memory")
        files = [sample["files"] for sample in later]
        descriptors = {kind: (settled["kinds"][kind][1], most["kinds"][kind][1]) for kind in settled["kinds"] if kind in most["kinds"]}
        for row in rows:
            print("%-40s %8.1f -> %8.1f MB, bound %8.1f (%s)" % row)
        print(f"files below base: {files[0]} -> {files[-1]}; open files: {descriptors}")
        print(f"{self.transactions} transactions, {self.loads} loads of {BULK_ROWS} rows, {self.readings} long readings", flush=True)
        grown = [row for row in rows if row[2] > row[3]]
        for kind in [row[0].removeprefix("memory of ") for row in grown if row[0].startswith("memory")]:
            print(f"{kind}, MB:", *(round(sample["kinds"].get(kind, (0, 0))[0] / MEGABYTE, 1) for sample in self.samples), flush=True)
        assert not grown, f"grew beyond what explains it: {grown}"
        assert files[-1] <= files[0] + 40, f"files: {files}"
        assert all(last <= first + 40 for first, last in descriptors.values()), f"open files: {descriptors}"
        assert not list((self.node.data / "base").glob("pgsql_tmp/*")), "temporary files are left"
        # A load that wants its table alone ends an autovacuum of it, as PostgreSQL's would.
        errors = [line for line in self.node.log_text().splitlines()
                  if re.search(r" (ERROR|FATAL|PANIC|WARNING): ", line) and not line.endswith("ERROR:  canceling autovacuum task")]
        assert not errors, errors[:5]


def main() -> int:
    def given(name: str, default: float) -> float:
        return float(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else default
    with Cluster() as cluster:
        node = cluster.node("soak").init()
        node.configure(shared_buffers="64MB", max_wal_size=f"{MAX_WAL_MB}MB", min_wal_size="64MB", checkpoint_timeout="1min", autovacuum_naptime="2s")
        node.start()
        subprocess.run(["pgbench", "-i", "-q", "-s", "3", "-h", str(cluster.folder), "-p", str(node.port), "-U", "postgres", "postgres"],
                       check=True, capture_output=True, timeout=300)
        node.psql("CREATE TABLE bulk (a int, b text, c text); CREATE INDEX ON bulk (a); CREATE INDEX ON bulk (b)")
        soak = Soak(node, 60 * given("--minutes", 30), int(given("--rate", 150)))
        soak.run()
        soak.check()
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
