"""What the replication tests share: sessions that stay open, backups by file copy, standbys fed from an archive."""
import pathlib
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import Cluster, Node, wait_until  # noqa: E402,F401


class Session:
    """A psql that stays connected; run() returns what a statement printed, errors included."""

    def __init__(self, node: Node, database="postgres"):
        self.process = subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "VERBOSITY=verbose", "-h", str(node.cluster.folder),
             "-p", str(node.port), "-U", "postgres", "-d", database],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1)
        self.lines = queue.Queue()
        self.number = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))
        self.lines.put(None)

    def send(self, sql: str):
        """Starts a statement; finish() collects its output."""
        self.number += 1
        self.process.stdin.write(f"{sql};\n\\echo <{self.number}>\n")
        self.process.stdin.flush()

    def finish(self, timeout_s=60.0) -> str:
        output, deadline = [], time.monotonic() + timeout_s
        while True:
            line = self.lines.get(timeout=max(0.01, deadline - time.monotonic()))
            if line is None or line == f"<{self.number}>":
                return "\n".join(output)
            output.append(line)

    def run(self, sql: str, timeout_s=60.0) -> str:
        self.send(sql)
        return self.finish(timeout_s)

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def own(cluster: Cluster, path: pathlib.Path):
    """Gives files that the test made to the account that runs the nodes."""
    identity = cluster.identity()
    if identity:
        subprocess.run(["chown", "-R", f"{identity['user']}:{identity['group']}", str(path)], check=True)


def archiving_node(cluster: Cluster, name: str) -> tuple:
    """A primary that archives into a folder; (node, folder)."""
    archive = cluster.folder / f"archive.{name}"
    archive.mkdir()
    own(cluster, archive)
    node = cluster.node(name).init()
    node.configure(archive_mode="on", archive_command=f"test ! -f {archive}/%f && cp %p {archive}/%f.part && mv {archive}/%f.part {archive}/%f")
    return node.start(), archive


def copy_running(primary: Node, copy: Node):
    """A base backup with pg_backup_start and a file copy, into the directory of `copy`."""
    with Session(primary) as session:
        session.run("SELECT pg_backup_start('test', true)")
        shutil.copytree(primary.data, copy.data, ignore=shutil.ignore_patterns(
            "postmaster.pid", "server.log", "pg_wal", "pg_replslot", "log"))
        label = session.run("SELECT labelfile FROM pg_backup_stop(false)")
    (copy.data / "pg_wal" / "archive_status").mkdir(parents=True)
    (copy.data / "pg_replslot").mkdir()
    (copy.data / "backup_label").write_text("\n".join(
        line for line in label.splitlines() if not line.startswith(("NOTICE", "LOCATION"))) + "\n")
    copy.data.chmod(0o700)
    own(copy.cluster, copy.data)
    copy.configure(port=copy.port, metrics_port=copy.metrics_port)


def make_standby(node: Node, **settings):
    (node.data / "standby.signal").write_text("")
    own(node.cluster, node.data)
    node.configure(**settings)


def archive_now(primary: Node, archive: pathlib.Path):
    """All WAL so far is in the archive when this returns."""
    name = primary.value("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")
    primary.sql("SELECT pg_switch_wal()")
    wait_until(lambda: (archive / name).exists(), f"{name} in the archive")


def wait_replayed(standby: Node, lsn: str):
    def reached():
        return standby.value(f"SELECT pg_last_wal_replay_lsn() >= '{lsn}'") == "t"
    wait_until(reached, f"{standby.name} to replay {lsn}")


# --- streaming ----------------------------------------------------------------------------------------------------

def streaming_primary(cluster: Cluster, name: str, **settings) -> Node:
    """A primary whose replicas log in from the same machine without a password."""
    node = cluster.node(name).init()
    hba = node.data / "pg_hba.conf"
    hba.write_text("host replication all 127.0.0.1/32 trust\n" + hba.read_text())
    own(cluster, hba)
    return node.configure(wal_sender_timeout="5s", **settings).start()


def take_basebackup(primary: Node, node: Node, slot: str = ""):
    """`walden basebackup -R` of the primary into the directory of `node`, which is then a standby ready to start."""
    arguments = ["basebackup", "-D", node.data, "-R", "-c", "fast", "-d",
                 f"host=127.0.0.1 port={primary.port + 10000} user=postgres application_name={node.name}"]
    if slot:
        arguments += ["-C", "-S", slot]
    node.walden(*arguments)
    node.configure(port=node.port, metrics_port=node.metrics_port, wal_retrieve_retry_interval="100ms",
                   wal_receiver_timeout="5s", wal_receiver_status_interval="1s")


def wait_streaming(primary: Node, replica: Node):
    def streams():
        return primary.value("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND "
                             f"application_name = '{replica.name}'") == "1"
    wait_until(streams, f"{replica.name} to stream from {primary.name}")


def wait_caught_up(primary: Node, replica: Node):
    wait_replayed(replica, primary.value("SELECT pg_current_wal_lsn()"))


def content(node: Node, table: str) -> str:
    """Everything in the table, in a comparable form."""
    return "\n".join(sorted(node.psql(f"COPY {table} TO STDOUT").stdout.splitlines()))


def assert_equal(primary: Node, replica: Node, tables):
    wait_caught_up(primary, replica)
    for table in tables:
        assert content(primary, table) == content(replica, table), f"{table} differs on {replica.name}"


def reload_with(node: Node, **settings):
    """Changes settings of a running node; returns when its sessions see them."""
    node.configure(**settings)
    node.walden("reload", "-D", node.data)
    for name, value in settings.items():
        wait_until(lambda: node.value(f"SHOW {name}") == str(value), f"{name} = {value} on {node.name}")


class Proxy:
    """A TCP port before another one of this machine, whose connections the test may cut."""

    def __init__(self, target_port: int):
        self.target_port = target_port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        self.refusing = False  # new connections
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                client.close()
                continue
            self.sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pass, args=(source, target), daemon=True).start()

    @staticmethod
    def _pass(source, target):
        try:
            while data := source.recv(1 << 16):
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        """Every connection there is breaks; new ones are accepted, unless they are refused."""
        for end in self.sockets:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        self.sockets.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.cut()
