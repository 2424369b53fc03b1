#!/usr/bin/env python3
"""Every row of the table of process kinds: the process is there with its title, is killed with -9, and what I2 says happens.

A kind that shares memory: the others are stopped, shared memory is made anew, recovery runs, connections are accepted again without
help. An exempt kind is only started again. Every process dies with the postmaster; a second start refuses while a node runs and waits
while any process of the last one lives; after kill -9 of the whole tree the next start needs no cleaning.

The rows come from node/shm/process_kinds.def: a new kind is covered as soon as it is declared. A kind that only runs in some state of
the node names that state in STATES below; one that this file does not know is expected in a primary with everything switched on.
"""
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import REPOSITORY, Cluster, Session, is_alive, wait_until  # noqa: E402

# Where a kind runs; "primary" when it is not listed. None: no process of its own (a tool's own process), or only there while
# there is much to replay (parallel_redo_test.py kills it).
STATES = {"kStandalone": None, "kRedoWorker": None, "kStartup": "standby", "kWalReceiver": "standby"}
# Kinds whose title is not the table's, since each of its processes has a name of its own.
TITLES = {"kBackend": "postgres postgres [local]", "kBackgroundWorker": "checksum scrubber"}
# Autovacuum has something to do all the time, and takes long over it.
EVERYTHING_ON = {"autovacuum_vacuum_threshold": "0", "autovacuum_vacuum_scale_factor": "0", "autovacuum_vacuum_cost_delay": "100",
                 "autovacuum_vacuum_cost_limit": "1",
                 "archive_mode": "on", "archive_command": "true", "logging_collector": "on", "log_filename": "node.log",
                 "autovacuum_naptime": "1", "log_min_messages": "log", "max_wal_senders": "3"}


class Kind:
    def __init__(self, name: str, title: str, exempt: bool):
        self.name, self.title, self.exempt = name, title, exempt

    def pid_in(self, node) -> int:
        """The pid of a process of this kind, which is there or comes by itself."""
        if self.name == "kBackend":
            return node.session_pid
        if self.name == "kAutovacuumWorker":
            node.needs_vacuum.set()
        return node.child(f"walden: {self.title}")


def hold(node, kind: Kind) -> int:
    """Stops a process that would soon be gone by itself, so that it can be looked at and killed."""
    def stopped():
        pid = kind.pid_in(node)
        try:
            os.kill(pid, signal.SIGSTOP)
        except ProcessLookupError:
            return None
        return pid if node.children().get(pid, "").startswith(f"walden: {kind.title}") else None
    return wait_until(stopped, f"a process titled {kind.title!r} to be stopped")


def declared_kinds() -> list:
    text = (REPOSITORY / "node" / "shm" / "process_kinds.def").read_text()
    rows = re.findall(r'^X\((\w+), "[^"]*", "([^"]*)", .*, (\w+)\)', text, re.MULTILINE)
    assert len(rows) >= 15 and len(rows) == len(re.findall(r"^X\(", text, re.MULTILINE)), rows
    return [Kind(name, TITLES.get(name, title), policy == "kExempt") for name, title, policy in rows]


def check_title(node, kind: Kind, pid: int):
    tree = subprocess.run(["pstree", "-p", "-l", str(node.postmaster_pid())], capture_output=True, text=True, check=True).stdout
    assert f"{kind.title[:15]}({pid})" in tree, f"{kind.name} is not in pstree by its name {kind.title!r}:\n{tree}"
    assert node.children()[pid].startswith(f"walden: {kind.title}"), node.children()[pid]
    # It keeps the directory's lock: no second node can start while it lives.
    held = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    assert str(node.data) in held, f"{kind.name} does not hold the lock of the data directory"


def kill_exempt(node, kind: Kind, pid: int):
    others = set(node.children()) - {pid}
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid) and any(kind.title in title for title in node.children().values()), f"another {kind.title}")
    gone = {other for other in others if not is_alive(other)} - {node.session_pid}
    assert is_alive(node.session_pid), f"the death of the {kind.title} ended a session"
    assert not {other for other in gone if other in node.steady}, f"the death of the {kind.title} ended {gone}"


def kill_sharing(node, kind: Kind, pid: int):
    memory, others = node.shared_memory(), [p for p in node.steady if p != pid]
    recoveries = node.log_text().count("automatic recovery in progress")
    postmaster = node.postmaster_pid()
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(is_alive(other) for other in others), f"the others to be stopped after the death of the {kind.title}")
    node.wait_accepting()
    assert node.postmaster_pid() == postmaster and is_alive(postmaster), f"the postmaster died with the {kind.title}"
    assert node.shared_memory() != memory, f"shared memory was not made anew after the death of the {kind.title}"
    assert not os.path.exists(f"/dev/shm/{memory}"), f"shared memory {memory} was left behind"
    if kind.name != "kStartup" and STATES.get(kind.name) != "standby":
        wait_until(lambda: node.log_text().count("automatic recovery in progress") > recoveries, "recovery in the log")
    assert node.value("SELECT count(*) FROM kept") == "3"


def steady_children(node, kinds: list) -> set:
    """Processes that would stay for ever if nobody died: those that share memory and have a title of their own."""
    titles = [f"walden: {kind.title}" for kind in kinds
              if not kind.exempt and kind.name not in ("kBackend", "kAutovacuumWorker", "kBackgroundWorker", "kStandalone")]
    return {pid for pid, title in node.children().items() if title in titles}


def walk(node, kinds: list, state: str):
    for kind in kinds:
        if STATES.get(kind.name, "primary") != state:
            continue
        session = Session(node)
        try:
            node.session_pid = session.backend
            pid = hold(node, kind) if kind.name == "kAutovacuumWorker" else kind.pid_in(node)
            check_title(node, kind, pid)
            node.steady = steady_children(node, kinds)
            started = time.monotonic()
            (kill_exempt if kind.exempt else kill_sharing)(node, kind, pid)
            if kind.exempt:
                assert session.ask("SELECT 'still here';") == "still here"
            elif kind.name != "kBackend":
                again = kind.pid_in(node)
                assert again != pid, f"{kind.title} did not come back"
        finally:
            node.needs_vacuum.clear()
            session.close()
        print(f"{kind.title}: killed and back in {time.monotonic() - started:.1f} s", flush=True)


class Vacuumable(threading.Thread):
    """While node.needs_vacuum is set, keeps making dead rows, so that autovacuum has something to do."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.ended = node, False

    def run(self):
        while not self.ended:
            if self.node.needs_vacuum.wait(0.2):
                self.node.psql("UPDATE busy SET n = n + 1", check=False)


def without_main() -> set:
    """Kinds that nothing starts, since their entry point is not bound yet."""
    bound = set(re.findall(r"bind\(ProcessKind::(\w+)", (REPOSITORY / "node" / "server" / "process_mains.cpp").read_text()))
    return {"kAutovacuumWorker"} - bound


def check_primary(cluster, kinds: list):
    node = cluster.node("primary").init().configure(**EVERYTHING_ON).start()
    node.needs_vacuum = threading.Event()
    node.psql("CREATE TABLE kept (n int); INSERT INTO kept VALUES (1), (2), (3); CREATE TABLE busy (n int);"
              "INSERT INTO busy SELECT i FROM generate_series(1, 1000) i")
    writer = Vacuumable(node)
    writer.start()
    try:
        walk(node, kinds, "primary")
    finally:
        writer.ended = True
        writer.join()
    return node


def check_second_start(node):
    done = node.walden("start", "-D", node.data, check=False)
    assert done.returncode == 1 and "already running" in done.stderr, done
    done = node.walden("start", "-F", "-D", node.data, check=False)
    assert done.returncode == 1 and "is in use by another node" in done.stderr and "Is another postmaster" in done.stderr, done


def check_death_of_postmaster(node):
    """All die with the postmaster; a start waits for whoever still holds the directory's lock."""
    children = list(node.children())
    os.kill(node.postmaster_pid(), signal.SIGKILL)
    wait_until(lambda: not any(is_alive(pid) for pid in children), "every process to die with the postmaster", 10)
    with open_directory(node.data) as survivor:
        fcntl.flock(survivor.fd, fcntl.LOCK_EX)
        starting = threading.Thread(target=node.start)
        starting.start()
        time.sleep(0.5)  # not for luck: however long, it must not start
        assert not os.path.exists(f"/dev/shm/{node.shared_memory()}") or starting.is_alive()
        assert starting.is_alive(), "a node started while a process of the last one lives"
    starting.join(timeout=60)
    node.wait_accepting()


class open_directory:
    def __init__(self, path):
        self.path = path

    def __enter__(self):
        self.fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        return self

    def __exit__(self, *_):
        os.close(self.fd)


def check_kill_all(node):
    memory = node.shared_memory()
    node.kill_all()
    prefix = memory.rsplit(".", 1)[0]
    node.start()
    assert node.value("SELECT count(*) FROM kept") == "3"
    left = [name for name in os.listdir("/dev/shm") if name.startswith(prefix)]
    assert left == [node.shared_memory()], f"leftovers in /dev/shm: {left}"


def check_standby(node, kinds: list):
    """The same node as a standby that waits for WAL which never comes: its startup process stays."""
    node.stop()
    (node.data / "standby.signal").write_text("")
    os.chown(node.data / "standby.signal", os.stat(node.data).st_uid, os.stat(node.data).st_gid)
    node.configure(primary_conninfo=f"host=127.0.0.1 port={node.cluster.take_port()} user=postgres", restore_command="false")
    node.start()
    node.wait_accepting()
    walk(node, kinds, "standby")
    node.stop("immediate")


def check_postmaster(node):
    """I1: one thread, no socket of a replica's stream, no relation open."""
    pid = node.postmaster_pid()
    threads = list(pathlib.Path(f"/proc/{pid}/task").iterdir())
    assert len(threads) == 1, f"the postmaster has {len(threads)} threads"
    opened = [os.readlink(path) for path in pathlib.Path(f"/proc/{pid}/fd").iterdir()]
    assert not [path for path in opened if "/base/" in path or "/pg_wal/" in path], opened


def main() -> int:
    kinds = declared_kinds()
    for missing in without_main():
        print(f"SKIPPED: {missing} has no entry point", flush=True)
        STATES[missing] = None
    unknown = set(STATES) - {kind.name for kind in kinds}
    assert not unknown, f"STATES names kinds that are not declared: {unknown}"
    with Cluster() as cluster:
        node = check_primary(cluster, kinds)
        check_postmaster(node)
        check_second_start(node)
        check_death_of_postmaster(node)
        check_kill_all(node)
        check_standby(node, kinds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
