#!/usr/bin/env python3
"""Parallel redo ends in the same files as serial redo, page by page and commit log byte by byte.

A load that writes nearly every kind of record dies by kill -9; pages whose image is in the log are torn on disk. Copies of the data
directory are recovered by the startup process alone, with redo workers, with workers and few buffers, and under kill -9 again and
again inside recovery (of the startup process, a worker, everything, and where a record of a kind is replayed). All must end in the
same bytes. --long: more rounds, longer loads.
"""
import argparse
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import Cluster, Node, is_alive, wait_until  # noqa: E402

PAGE, SEGMENT_BLOCKS = 8192, 131072
# What differs between two recoveries of the same directory without a page being different.
NOT_COMPARED = re.compile(r"global/pg_control|pg_internal\.init|\.tmp$")

SCHEMA = """
CREATE TABLE rows (id int PRIMARY KEY, owner int, amount numeric, pad text);
CREATE INDEX rows_owner ON rows (owner);
CREATE TABLE words (word text, n int);
CREATE INDEX words_word ON words (word);
CREATE TABLE big (id int, body text);
CREATE SEQUENCE numbers;
CREATE TABLE locked (id int PRIMARY KEY, v int);
INSERT INTO locked SELECT n, 0 FROM generate_series(1, 50) n;
INSERT INTO rows SELECT n, n % 100, n, repeat('p', 50) FROM generate_series(1, 3000) n;
INSERT INTO words SELECT 'word' || n % 7, n FROM generate_series(1, 2000) n;
"""
# One round of each; {r} is the round's number, {s} the session's.
STEPS = (
    "INSERT INTO rows SELECT n, n % 100, n, repeat('q', n % 300) FROM generate_series({r} * 400 + {s} * 1000000 + 10000, {r} * 400 + {s} * 1000000 + 10399) n;",
    "UPDATE rows SET amount = amount + 1 WHERE id % 17 = {r} % 17 AND id <= 3000;",
    "UPDATE rows SET owner = owner + 1, pad = repeat('z', 200) WHERE id % 53 = ({r} + {s}) % 53 AND id <= 3000;",
    "DELETE FROM rows WHERE id >= 10000 + {s} * 1000000 AND id < {s} * 1000000 + 1000000 AND id % 3 = 0;",
    "BEGIN; INSERT INTO words SELECT 'word' || n % 5, n FROM generate_series(1, 300) n; SAVEPOINT a; INSERT INTO words VALUES ('gone', {r});"
    " ROLLBACK TO a; SAVEPOINT b; INSERT INTO words VALUES ('stays', {r}); RELEASE b; COMMIT;",
    "BEGIN; DELETE FROM words WHERE n < 100; ROLLBACK;",
    "INSERT INTO big SELECT {r}, (SELECT string_agg(md5((n + {r} * 7919)::text), '') FROM generate_series(1, 200) n);",
    "DELETE FROM big WHERE id < {r} - 2;",
    "SELECT nextval('numbers');",
    "BEGIN; SELECT count(*) FROM (SELECT id FROM locked WHERE id = {r} % 50 + 1 FOR KEY SHARE) k; SELECT pg_sleep(0.02); UPDATE locked SET v = v + 1 WHERE id = {r} % 50 + 1; COMMIT;",
    "CREATE TABLE brief_{s}_{r} (id int PRIMARY KEY, t text); INSERT INTO brief_{s}_{r} SELECT n, 'x' FROM generate_series(1, 200) n;"
    " TRUNCATE brief_{s}_{r}; INSERT INTO brief_{s}_{r} VALUES (1, 'y');",
    "DROP TABLE IF EXISTS brief_{s}_{before};",
    "VACUUM rows;", "VACUUM words;", "VACUUM big;", "VACUUM locked;", "ANALYZE rows;",
)


class Load(threading.Thread):
    """A session that repeats the steps until the node is gone."""

    def __init__(self, node: Node, number: int, checkpoints: bool):
        super().__init__(daemon=True)
        self.node, self.number, self.checkpoints = node, number, checkpoints
        self.round = 0

    def run(self):
        for self.round in range(1, 1000000):
            steps = list(STEPS)
            random.Random(self.number * 1000 + self.round).shuffle(steps)
            script = "\n".join(steps).format(r=self.round, s=self.number, before=self.round - 1)
            if self.checkpoints and self.round % 7 == 6:
                script += f"\nCREATE DATABASE d{self.round}; DROP DATABASE IF EXISTS d{self.round - 7};"
            done = self.node.psql(script, check=False, extra=("-v", "ON_ERROR_STOP=0"))
            if "server closed the connection" in done.stderr or "could not connect" in done.stderr or done.returncode == 2:
                return


def write_and_die(cluster: Cluster, seconds: float) -> Node:
    node = cluster.node("dies").init().configure(autovacuum="off", wal_level="replica", max_wal_size="4GB", checkpoint_timeout="1h")
    node.start()
    node.psql(SCHEMA)
    node.psql("CHECKPOINT")
    loads = [Load(node, number, number == 1) for number in (1, 2, 3)]
    for load in loads:
        load.start()
    time.sleep(seconds)
    wait_until(lambda: all(load.round > 3 for load in loads), "a few rounds of the load", 120)
    kill_for_good(node)
    for load in loads:
        load.join(60)
    return node


def redo_point(node: Node) -> str:
    return re.search(r"Latest checkpoint's REDO location:\s+(\S+)", node.walden("controldata", "-D", node.data).stdout).group(1)


def waldump(node: Node) -> str:
    done = node.walden("waldump", "-p", node.data / "pg_wal", "-s", redo_point(node), check=False)
    assert "Heap/INSERT" in done.stdout or "INSERT" in done.stdout, done.stderr[-500:]
    return done.stdout


def tear_pages(node: Node, dump: str, most: int, chance: random.Random) -> int:
    """Spoils the second half of pages that the log has an image of before anything else of them."""
    seen, torn = set(), []
    for rel, fork, block, image in re.findall(r"rel (\d+/\d+/\d+) (?:fork (\w+) )?blk (\d+)( FPW)?", dump):
        key = (rel, fork, int(block))
        if key in seen:
            continue
        seen.add(key)
        if image and not fork:
            torn.append(key)
    chance.shuffle(torn)
    count = 0
    for rel, _, block in torn:
        tablespace, database, number = rel.split("/")
        path = node.data / ("global" if tablespace == "1664" else f"base/{database}") / number
        if count == most or not path.exists() or path.stat().st_size < (block + 1) * PAGE:
            continue
        with open(path, "r+b") as file:
            file.seek(block * PAGE + PAGE // 2)
            file.write(bytes(chance.randrange(256) for _ in range(PAGE // 2)))
        count += 1
    return count


def copy_of(cluster: Cluster, node: Node, name: str, **settings) -> Node:
    copy = cluster.node(name)
    subprocess.run(["cp", "-a", str(node.data), str(copy.data)], check=True)
    for leftover in ("postmaster.pid", "server.log"):
        (copy.data / leftover).unlink(missing_ok=True)
    copy.configure(port=copy.port, metrics_port=copy.metrics_port, log_min_messages="debug1", checksum_scrub_interval="0", **settings)
    return copy


def kill_for_good(node: Node):
    """kill -9 of the whole tree; no next start removes its shared memory."""
    memory = node.shared_memory()
    node.kill_all()
    pathlib.Path("/dev/shm", memory).unlink(missing_ok=True)


def recover(node: Node) -> str:
    """Recovers and dies: what the checkpoint after it wrote stays. Returns the log."""
    redo = redo_point(node)
    node.start()
    wait_until(lambda: redo_point(node) != redo, "the checkpoint after recovery")
    kill_for_good(node)
    return node.log_text()


def files_of(node: Node) -> dict:
    found = {}
    for folder in ("base", "global", "pg_xact", "pg_multixact"):
        for path in (node.data / folder).rglob("*"):
            name = str(path.relative_to(node.data))
            # Empty ones are what is left of dropped relations until a checkpoint.
            if path.is_file() and path.stat().st_size > 0 and not NOT_COMPARED.search(name):
                found[name] = path
    return found


def lsn_of(pages: bytes, at: int) -> int:
    return struct.unpack_from("<Q", pages, at)[0]


def compare(one: Node, other: Node):
    left, right = files_of(one), files_of(other)
    assert left.keys() == right.keys(), f"{one.name} and {other.name} have different files: {sorted(left.keys() ^ right.keys())}"
    for name in sorted(left):
        a, b = left[name].read_bytes(), right[name].read_bytes()
        assert len(a) == len(b), f"{name}: {len(a)} bytes in {one.name}, {len(b)} in {other.name}"
        for at in range(0, len(a) if a != b else 0, PAGE):
            if a[at:at + PAGE] == b[at:at + PAGE]:
                continue
            # A page of a catalog that was read after recovery, and had its hints logged, before the kill.
            if name.startswith(("base", "global")) and max(lsn_of(a, at), lsn_of(b, at)) > one.end_of_log:
                continue
            byte = next(i for i in range(PAGE) if a[at + i] != b[at + i])
            raise AssertionError(f"{name} differs between {one.name} and {other.name} in block {at // PAGE} at byte {byte}")


class Foreground:
    """A node whose start nobody waits for."""

    def __init__(self, node: Node):
        self.node = node
        self.log = open(node.data / "foreground.log", "a")
        self.process = subprocess.Popen([str(node.cluster.binary), "start", "-F", "-D", str(node.data)], cwd=node.cluster.folder,
                                        stdout=self.log, stderr=self.log, start_new_session=True, **node.cluster.identity())
        node.cluster.running.add(node)

    def children(self) -> dict:
        try:
            return self.node.children()
        except (FileNotFoundError, ValueError):
            return {}

    def kill(self):
        """The whole tree; or what is left of it."""
        try:
            memory = self.node.shared_memory()
        except (FileNotFoundError, IndexError):
            memory = "none"
        pids = [self.process.pid, *self.children()]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(30)
        wait_until(lambda: not any(is_alive(pid) for pid in pids), "killed processes to go")
        pathlib.Path("/dev/shm", memory).unlink(missing_ok=True)
        self.node.cluster.running.discard(self.node)
        self.log.close()


class Victim:
    """A copy whose recovery is killed again and again. One that got through all the same is compared, and there is a new one: later
    recoveries would have nothing to do."""

    def __init__(self, cluster: Cluster, died: Node, serial: Node, chance: random.Random, settings: dict):
        self.cluster, self.died, self.serial, self.chance, self.settings = cluster, died, serial, chance, settings
        self.copies, self.kills, self.titles = 0, 0, set()
        self.renew()

    def renew(self):
        self.copies += 1
        self.node = copy_of(self.cluster, self.died, f"killed{self.copies}", **self.settings)
        with open(self.node.data / "postgresql.conf", "a") as conf:
            conf.write("include_if_exists 'fault.conf'\n")

    def killed(self):
        self.kills += 1
        (self.node.data / "fault.conf").unlink(missing_ok=True)
        if redo_point(self.node) != redo_point(self.died):
            if files_of(self.node).keys() != files_of(self.serial).keys():
                recover(self.node)  # died after its checkpoint, among the files that no relation owns: the next start removes the rest
            compare(self.serial, self.node)
            self.renew()

    def kill_at_moment(self, recovery_s: float, one_first: bool):
        """At a random moment of recovery; or one process there, after which the node recovers by itself, and is killed then."""
        run = Foreground(self.node)
        end = time.monotonic() + self.chance.uniform(0.05, 0.9) * recovery_s
        replaying = {}
        while not replaying or time.monotonic() < end:
            found = {pid: title for pid, title in run.children().items() if title.startswith(("walden: redo worker", "walden: startup"))}
            replaying = found or replaying
            self.titles |= {title for title in found.values() if re.search(r"redo worker \d", title)}  # they tell their number at once
        if one_first:
            try:
                os.kill(self.chance.choice(sorted(replaying, key=replaying.get)), signal.SIGKILL)
            except ProcessLookupError:
                pass  # recovery is over
            wait_until(lambda: not any(is_alive(pid) for pid in replaying), "the death of one to end the others", 30)
            time.sleep(self.chance.uniform(0.0, 0.5) * recovery_s)
        run.kill()
        self.killed()

    def kill_at_record(self, kind: str):
        """Where a record of the kind is replayed, before or after it, in whichever process that is."""
        point = self.chance.choice(("redo-record", "redo-applied"))
        (self.node.data / "fault.conf").write_text(
            f"walden_fault_points = '{point}@{kind}=kill:{self.chance.choice((1, 0.3, 0.05))}'\nrestart_after_crash = off\n")
        if self.node.walden("start", "-D", self.node.data, "-l", self.node.data / "server.log", check=False).returncode == 0:
            kill_for_good(self.node)
        self.killed()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    print(f"--seed {options.seed}", flush=True)
    with Cluster() as cluster:
        died = write_and_die(cluster, options.seconds or (60 if options.long else 3))
        dump = waldump(died)
        kinds = sorted(set(re.findall(r"\b([A-Z]\w+/[A-Z_]+)\b", dump)))
        print(f"{len(dump.splitlines())} records of {len(kinds)} kinds: {' '.join(kinds)}", flush=True)
        print(f"{tear_pages(died, dump, 40, chance)} pages torn", flush=True)
        parallel = {"min_parallel_redo_size": "0", "max_parallel_redo_workers": "3"}
        serial = copy_of(cluster, died, "serial", max_parallel_redo_workers="0")
        started = time.monotonic()
        high, low = re.search(r"redo done at (\w+)/(\w+)", recover(serial)).groups()
        serial.end_of_log = int(high, 16) << 32 | int(low, 16)
        recovery_s = time.monotonic() - started
        for name, settings in (("parallel", parallel), ("few", {**parallel, "shared_buffers": "1MB", "max_parallel_redo_workers": "5"})):
            node = copy_of(cluster, died, name, **settings)
            log = recover(node)
            assert f"replaying with {settings['max_parallel_redo_workers']} redo workers" in log, node.log_tail()
            compare(serial, node)
            print(f"{name}: as serial redo", flush=True)
        victim = Victim(cluster, died, serial, chance, parallel)
        for number in range(60 if options.long else 6):
            victim.kill_at_moment(recovery_s, number % 2 == 0)
        assert victim.titles == {f"walden: redo worker {n}" for n in (1, 2, 3)}, victim.titles
        for kind in kinds if options.long else chance.sample(kinds, 4):
            victim.kill_at_record(kind)
        recover(victim.node)
        compare(serial, victim.node)
        print(f"killed {victim.kills} times inside recovery, {victim.copies} copies: as serial redo", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
