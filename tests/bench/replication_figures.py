"""Replication in pairs: a primary and its streaming standby of each server, one pair after the other. Base backup, lag and CPU of the
standby under TPC-B, CPU of the processes that carry WAL, catching up.
"""
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time

from servers import SETTINGS, Postgres, cpu_seconds

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "replication"))
import replica  # noqa: E402

PAIR_SETTINGS = dict(SETTINGS, wal_keep_size="8GB", hot_standby="on")
FLUSHED = "SELECT pg_current_wal_flush_lsn()"
REPLAYED = "SELECT coalesce(pg_last_wal_replay_lsn(), '0/0')"


class WaldenPair:
    name = "Walden"

    def __init__(self, cluster):
        self.primary = replica.streaming_primary(cluster, "pair_primary", **PAIR_SETTINGS)
        self.standby = cluster.node("pair_standby")

    def take_backup(self):
        self.standby.walden("basebackup", "-D", self.standby.data, "-R", "-c", "fast", "-d",
                            f"host=127.0.0.1 port={self.primary.port + 10000} user=postgres application_name=standby")

    def configure_standby(self):
        self.standby.configure(port=self.standby.port, metrics_port=self.standby.metrics_port)

    @staticmethod
    def pid(node) -> int:
        return node.postmaster_pid()


class PostgresPair:
    name = "PostgreSQL"

    def __init__(self, cluster):
        self.primary, self.standby = Postgres(cluster, "pg_primary"), Postgres(cluster, "pg_standby")
        self.primary.create(wal_keep_size=PAIR_SETTINGS["wal_keep_size"])
        self.primary.start()

    def take_backup(self):
        self.primary.run("pg_basebackup", "-D", self.standby.data, "-R", "-c", "fast", "-h", "127.0.0.1",
                         "-p", self.primary.port, "-U", "postgres")

    def configure_standby(self):
        self.standby.configure()

    @staticmethod
    def pid(node) -> int:
        return node.pid()


def lsn_number(text: str) -> int:
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def start_load(pair, *arguments, **environment):
    return subprocess.Popen(["pgbench", "-h", str(pair.primary.cluster.folder), "-p", str(pair.primary.port), "-U", "postgres",
                             *arguments, "postgres"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            env={**os.environ, **environment})


def start_tpcb(pair, options, clients=8):
    return start_load(pair, "-c", str(clients), "-j", str(min(clients, 2)), "-T", str(options.seconds), "-n", "-M", "prepared")


def start_long_absence(pair, options):
    """As many transactions for both servers, of which the primary need not wait for the disk."""
    return start_load(pair, "-c", "8", "-j", "2", "-t", str(options.absence // 8), "-n", "-M", "prepared",
                      PGOPTIONS="-c synchronous_commit=off")


def transactions(load) -> int:
    return int(re.search(r"number of transactions actually processed: (\d+)", load.communicate()[0]).group(1))


def wait_replayed(primary, standby):
    end = lsn_number(primary.run(FLUSHED))
    deadline = time.monotonic() + 300
    while lsn_number(standby.run(REPLAYED)) < end:
        if time.monotonic() > deadline:
            raise RuntimeError("the standby does not catch up")
        time.sleep(0.005)


def sample_lags(primary, standby, load) -> list:
    """Milliseconds until the standby shows what the primary had flushed, while the load runs."""
    lags = []
    while load.poll() is None:
        end = lsn_number(primary.run(FLUSHED))
        started = time.monotonic()
        while lsn_number(standby.run(REPLAYED)) < end:
            time.sleep(0.0005)
        lags.append((time.monotonic() - started) * 1000)
        time.sleep(0.01)
    return sorted(lags)


def back_up(pair) -> float:
    if pair.standby.data.exists():
        shutil.rmtree(pair.standby.data)
    started = time.monotonic()
    pair.take_backup()
    seconds = time.monotonic() - started
    pair.configure_standby()
    return seconds


def follow(pair, primary, standby, options, clients) -> dict:
    """CPU of a transaction on the standby, and of who carries it there, while nobody asks the standby anything."""
    primary_pid, standby_pid = pair.pid(pair.primary), pair.pid(pair.standby)

    def carried():
        return cpu_seconds(primary_pid, "walsender") + cpu_seconds(standby_pid, "walreceiver")
    who = "1 client" if clients == 1 else f"{clients} clients"
    wait_replayed(primary, standby)
    cpu, carry = cpu_seconds(standby_pid), carried()
    count = max(transactions(start_tpcb(pair, options, clients)), 1)
    wait_replayed(primary, standby)
    return {f"standby's CPU, {who}": {"value": (cpu_seconds(standby_pid) - cpu) / count * 1e6},
            f"sender and receiver, {who}": {"value": (carried() - carry) / count * 1e6}}


def run_under_load(pair, options) -> dict:
    with replica.Session(pair.primary) as primary, replica.Session(pair.standby) as standby:
        figures = {**follow(pair, primary, standby, options, 8), **follow(pair, primary, standby, options, 1)}
        load = start_tpcb(pair, options)
        lags = sample_lags(primary, standby, load)
        load.communicate()
    return {**figures, "lag, median": {"value": statistics.median(lags)},
            "lag, 99th percentile": {"value": lags[int(len(lags) * 0.99)]}}


def catch_up(pair, options, start_load_meanwhile) -> dict:
    """MB/s at which a standby that was down comes back to where the primary is, its start included."""
    with replica.Session(pair.primary) as primary, replica.Session(pair.standby) as standby:
        primary.run("CHECKPOINT")
        wait_replayed(primary, standby)
        standby.run("CHECKPOINT")
    pair.standby.stop()
    with replica.Session(pair.primary) as primary:
        first = lsn_number(primary.run(FLUSHED))
        count = max(transactions(start_load_meanwhile(pair, options)), 1)
        megabytes = (lsn_number(primary.run(FLUSHED)) - first) / 1e6
        started = time.monotonic()
        pair.standby.start()
        with replica.Session(pair.standby) as standby:
            wait_replayed(primary, standby)
    seconds = time.monotonic() - started
    return {"value": megabytes / seconds, "cpu_us": cpu_seconds(pair.pid(pair.standby)) / count * 1e6}


def measure_round(pair, options) -> dict:
    seconds = back_up(pair)
    pair.standby.start()
    figures = {"base backup": {"value": seconds}, **run_under_load(pair, options),
               "catching up": catch_up(pair, options, start_tpcb),
               "catching up, long away": catch_up(pair, options, start_long_absence)}
    pair.standby.stop()
    pair.primary.stop()
    return figures


UNITS = {"base backup": "s", "standby's CPU, 8 clients": "us/tx", "sender and receiver, 8 clients": "us/tx",
         "standby's CPU, 1 client": "us/tx", "sender and receiver, 1 client": "us/tx", "lag, median": "ms",
         "lag, 99th percentile": "ms", "catching up": "MB/s", "catching up, long away": "MB/s"}


def measure_pairs(table, servers, folder, options):
    cluster = servers[0].node.cluster
    runs = {figure: {} for figure in UNITS}
    pairs = [WaldenPair(cluster), PostgresPair(cluster)]
    for pair in pairs:
        start_load(pair, "-i", "-q", "-s", str(options.scale)).communicate()
        pair.primary.stop()
    for _ in range(options.rounds):
        for pair in pairs:
            pair.primary.start()
            for figure, run in measure_round(pair, options).items():
                runs[figure].setdefault(pair.name, []).append(run)
    for figure, unit in UNITS.items():
        table.add(figure, unit, runs[figure], less_is_better=not figure.startswith("catching up"))
