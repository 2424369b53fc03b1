#!/usr/bin/env python3
"""pgbench in all its modes with 1 to 64 clients, while processes of every kind are killed at random; balances agree after each run.

--minutes N: how long (default 2).
"""
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from process_kinds_test import declared_kinds  # noqa: E402
from walden_node import Cluster  # noqa: E402
from workload import Workload  # noqa: E402

MODES = ("simple", "extended", "prepared")
SCRIPTS = ("tpcb-like", "tpcb-like", "simple-update", "select-only")
CLIENTS = (1, 2, 8, 32, 64)
SECONDS = 6


def pgbench(node, *arguments):
    return subprocess.Popen(["pgbench", "-h", str(node.cluster.folder), "-p", str(node.port), "-U", "postgres", *map(str, arguments),
                             "postgres"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def kill_somebody(node, rng, kinds: list) -> str:
    """SIGKILL to a process of a random kind, to everything, or to nobody."""
    titles = [f"walden: {kind.title}" for kind in kinds]
    choice = rng.choice(titles + ["everything", "everything", "nobody", "nobody"])
    if choice == "everything":
        node.kill_all()
        node.start()
    elif choice != "nobody":
        prefix = "walden: postgres postgres" if choice.startswith("walden: postgres") else choice
        pids = [pid for pid, title in node.children().items() if title.startswith(prefix)]
        if not pids:
            return f"nobody ({choice} does not run)"
        try:
            os.kill(rng.choice(pids), signal.SIGKILL)
        except ProcessLookupError:
            return f"nobody ({choice} had ended)"
    return choice


def check(node, what: str):
    node.wait_accepting()
    accounts, tellers, branches, history = node.sql(
        "SELECT (SELECT sum(abalance) FROM pgbench_accounts), (SELECT sum(tbalance) FROM pgbench_tellers),"
        "(SELECT sum(bbalance) FROM pgbench_branches), (SELECT coalesce(sum(delta), 0) FROM pgbench_history)")[0]
    assert accounts == history and tellers == branches, f"balances after {what}: {accounts} {tellers} {branches} {history}"


def main() -> int:
    minutes = float(sys.argv[sys.argv.index("--minutes") + 1]) if "--minutes" in sys.argv else 2
    rng = random.Random(os.getpid())
    kinds = [kind for kind in declared_kinds() if kind.name not in ("kStandalone", "kStartup", "kWalReceiver")]
    deaths, transactions = {}, 0
    with Cluster() as cluster:
        node = cluster.node("bench").init().configure(shared_buffers="64MB", max_wal_size="256MB", archive_mode="on", archive_command="true",
                                                      logging_collector="on", log_filename="node.log", checkpoint_timeout="30s").start()
        initialise = pgbench(node, "-i", "-q", "-s", "5")
        assert initialise.wait(timeout=300) == 0, initialise.communicate()[0]
        load = Workload(node)
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end:
            mode, script, clients = rng.choice(MODES), rng.choice(SCRIPTS), rng.choice(CLIENTS)
            bench = pgbench(node, "-n", "-M", mode, "-b", script, "-c", clients, "-j", min(clients, 2), "-T", SECONDS)
            time.sleep(rng.uniform(1, SECONDS - 1))
            killed = kill_somebody(node, rng, kinds)
            output = bench.communicate(timeout=120)[0]
            done = re.search(r"transactions actually processed: (\d+)", output)
            transactions += int(done.group(1)) if done else 0
            deaths[killed] = deaths.get(killed, 0) + 1
            what = f"{script}, {mode}, {clients} clients, {killed} killed"
            check(node, what)
            errors = set(re.findall(r"ERROR:.*", output))
            print(f"{what}: {done.group(1) if done else '?'} transactions{' ' + str(errors) if errors else ''}", flush=True)
        load.check_indexes("everything")
        load.check_files("everything") if killed == "everything" else None
        print(f"{sum(deaths.values())} runs, {transactions} transactions reported; killed: {deaths}", flush=True)
        node.restart()
        check(node, "a restart")
        node.stop(check_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
