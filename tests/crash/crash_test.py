#!/usr/bin/env python3
"""Commits that were acknowledged before kill -9 are there afterwards, and money is neither made nor lost.

Several psql clients transfer between accounts; each writes the number of a transfer outside the node once COMMIT was answered. One
process (of each kind in turn) or the whole tree is killed meanwhile; after recovery the transfers are compared with that record.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import Cluster, wait_until  # noqa: E402

CLIENTS = 3
ACCOUNTS = 20
TRANSFERS = 4000  # more than a round needs: the kill comes first
ENOUGH = 40       # acknowledged transfers of each client before the kill
VICTIMS = ("background writer", "checkpointer", "walwriter", "client", None)  # None: the whole tree


def accounts_of(number: int):
    """(giver, taker) of a transfer; never the same account."""
    giver = number * 7 % ACCOUNTS
    return giver, (giver + 1 + number % (ACCOUNTS - 1)) % ACCOUNTS


def transfers_script(first: int) -> str:
    lines = ["\\set ON_ERROR_STOP on"]
    for number in range(first, first + TRANSFERS):
        giver, taker = accounts_of(number)
        low, high = sorted((giver, taker))  # locked in one order, so that transfers do not deadlock
        change = 1 if low == taker else -1
        lines.append(f"BEGIN;\nUPDATE account SET n = n + ({change}) WHERE id = {low};\n"
                     f"UPDATE account SET n = n - ({change}) WHERE id = {high};\n"
                     f"INSERT INTO transfer VALUES ({number});\nCOMMIT;\n\\echo done {number}")
    return "\n".join(lines) + "\n"


class Client:
    """A psql that transfers until the node goes away; its output file is the record of acknowledged commits."""

    def __init__(self, node, folder: pathlib.Path, first: int):
        self.record = folder / f"record.{first}"
        script = folder / f"script.{first}"
        script.write_text(transfers_script(first))
        with open(script) as commands, open(self.record, "w") as record:
            self.process = subprocess.Popen(
                ["psql", "-X", "-q", "-h", str(node.cluster.folder), "-p", str(node.port), "-U", "postgres", "-d", "postgres"],
                stdin=commands, stdout=record, stderr=subprocess.DEVNULL)

    def acknowledged(self) -> set:
        return {int(number) for number in re.findall(r"^done (\d+)\n", self.record.read_text(), re.MULTILINE)}


def kill_one(node, victim: str, before: dict):
    """Kills the process titled `victim`; "client" is one that was not there before the clients."""
    if victim == "client":
        pid = next(pid for pid, title in node.children().items() if pid not in before and "autovacuum" not in title)
    else:
        pid = node.child(victim)
    os.kill(pid, signal.SIGKILL)


def run_round(node, folder: pathlib.Path, number: int, victim) -> set:
    before = node.children()
    clients = [Client(node, folder, (number * CLIENTS + i) * TRANSFERS) for i in range(CLIENTS)]
    try:
        wait_until(lambda: all(len(client.acknowledged()) >= ENOUGH for client in clients), "transfers before the kill")
        if victim is None:
            node.kill_all()
        else:
            kill_one(node, victim, before)
        for client in clients:
            client.process.wait(timeout=30)
    finally:
        for client in clients:
            client.process.kill()
    if victim is None:
        node.start()
    node.wait_accepting()
    return set().union(*(client.acknowledged() for client in clients))


def check(node, acknowledged: set, what: str):
    kept = {int(row[0]) for row in node.sql("SELECT id FROM transfer")}
    lost = acknowledged - kept
    assert not lost, f"{len(lost)} acknowledged commits lost after the kill of {what}: {sorted(lost)[:10]}"
    expected = [0] * ACCOUNTS
    for number in kept:
        giver, taker = accounts_of(number)
        expected[giver] -= 1
        expected[taker] += 1
    balances = [int(row[0]) for row in node.sql("SELECT n FROM account ORDER BY id")]
    assert balances == expected, f"balances differ from the transfers after the kill of {what}:\n{balances}\n{expected}"
    print(f"killed {what}: {len(acknowledged)} acknowledged, {len(kept - acknowledged)} more committed", flush=True)


def main() -> int:
    with Cluster() as cluster:
        node = cluster.node("crash").init().start()
        node.psql("CREATE TABLE account (id int PRIMARY KEY, n int NOT NULL); CREATE TABLE transfer (id int PRIMARY KEY);"
                  f"INSERT INTO account SELECT i, 0 FROM generate_series(0, {ACCOUNTS - 1}) i")
        acknowledged = set()
        for number, victim in enumerate(VICTIMS):
            acknowledged |= run_round(node, cluster.folder, number, victim)
            check(node, acknowledged, victim or "everything")
        node.restart()
        check(node, acknowledged, "nothing (restart)")
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
