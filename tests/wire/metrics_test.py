#!/usr/bin/env python3
"""The metrics exporter of a real node: what it shows, and that it answers when nothing else does."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import REPOSITORY, Cluster, is_alive, wait_until  # noqa: E402

SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def get(node, path):
    """(status, body) of a request; (0, "") if nobody listens."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{node.metrics_port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def ask_over_ipv6(node, path) -> bytes:
    with socket.create_connection(("::1", node.metrics_port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


def scrape(node) -> dict:
    """name -> {labels as a frozenset of pairs: value}"""
    status, text = wait_until(lambda: (lambda a: a if a[0] == 200 else None)(get(node, "/metrics")), "a scrape")
    assert status == 200
    families = {}
    for line in text.splitlines():
        match = SAMPLE.match(line)
        if match:
            families.setdefault(match[1], {})[frozenset(LABEL.findall(match[2] or ""))] = float(match[3])
    return families


def value(families, metric, **labels):
    return families[metric][frozenset(labels.items())]


def declared_metrics() -> list:
    """Names of metrics.def; those of connected replicas need one."""
    text = (REPOSITORY / "node/stats/metrics.def").read_text()
    rows = re.findall(r'^METRIC\(\w+, "(\w+)", \w+, "([^"]*)"', text, re.M)
    assert rows
    return [name for name, labels in rows if "sender" not in labels.split(",")]


def declared_counters() -> list:
    text = (REPOSITORY / "node/stats/counter_rows.def").read_text()
    return re.findall(r'"(pg_\w+)"', text)


class Exporter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster().__enter__()
        cls.addClassCleanup(lambda: cls.cluster.__exit__(None, None, None))
        cls.node = cls.cluster.node("primary").init()
        cls.node.configure(max_connections=8, superuser_reserved_connections=1, metrics_max_relations=2)
        cls.node.start()

    def wait_metric(self, check, what):
        return wait_until(lambda: check(scrape(self.node)), what)

    def test_every_declared_metric_is_there(self):
        self.node.sql("CREATE TABLE IF NOT EXISTS declared (id int PRIMARY KEY); INSERT INTO declared VALUES (1)")
        wanted = set(declared_metrics() + declared_counters()) | {"pg_settings_max_connections", "pg_settings_shared_buffers_bytes"}
        self.wait_metric(lambda families: wanted <= set(families), "every declared metric")

    def test_promtool_is_content(self):
        promtool = shutil.which("promtool")
        if promtool is None:
            self.skipTest("promtool (Debian package prometheus) is not installed")
        text = get(self.node, "/metrics")[1]
        done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_values_move(self):
        before = scrape(self.node)
        labels = {"datid": self.node.value("SELECT oid FROM pg_database WHERE datname = 'postgres'"), "datname": "postgres"}
        commits = before.get("pg_stat_database_xact_commit", {}).get(frozenset(labels.items()), 0)
        for _ in range(3):
            self.node.sql("CREATE TABLE moved (n int); DROP TABLE moved")
        self.wait_metric(lambda families: value(families, "pg_stat_database_xact_commit", **labels) >= commits + 6, "commits")
        after = scrape(self.node)
        self.assertGreater(value(after, "walden_wal_insert_lsn_bytes"), value(before, "walden_wal_insert_lsn_bytes"))
        self.assertEqual(value(after, "pg_up"), 1)
        self.assertEqual(value(after, "pg_settings_max_connections"), 8)
        self.assertEqual(value(after, "pg_settings_shared_buffers_bytes"), 16 << 20)
        self.assertEqual(value(after, "pg_replication_is_replica"), 0)
        self.assertEqual(value(after, "walden_processes", backend_type="checkpointer"), 1)

    def test_labels_are_bounded(self):
        self.node.sql("".join(f"CREATE TABLE IF NOT EXISTS bounded{i} (n int); INSERT INTO bounded{i} VALUES (1);" for i in range(5)))
        self.wait_metric(lambda families: len(families.get("pg_stat_user_tables_n_tup_ins", {})) == 2, "two tables of many")

    def test_probes(self):
        self.assertEqual(get(self.node, "/livez")[0], 200)
        self.assertEqual(get(self.node, "/startupz")[0], 200)
        status, body = get(self.node, "/readyz")
        self.assertEqual(status, 200)
        self.assertIn('"role":"primary"', body)
        self.assertEqual(get(self.node, "/primary")[0], 200)
        self.assertEqual(get(self.node, "/replica")[0], 503)
        self.assertEqual(get(self.node, "/replica?lag=much")[0], 400)
        self.assertEqual(get(self.node, "/postgresql.conf")[0], 404)
        self.assertEqual(get(self.node, "/../postgresql.conf")[0], 404)

    def test_serves_when_all_connections_are_taken(self):
        sessions = [subprocess.Popen(["psql", "-X", "-q", "-h", str(self.cluster.folder), "-p", str(self.node.port), "-U", "postgres",
                                      "-d", "postgres"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(8)]
        try:
            for session in sessions:
                session.stdin.write("\\echo here\n")
                session.stdin.flush()
                self.assertEqual(session.stdout.readline(), "here\n")
            self.assertEqual(self.node.psql("SELECT 1", check=False).returncode, 2)
            families = scrape(self.node)
            self.assertEqual(value(families, "walden_connections"), 8)
            self.assertEqual(value(families, "walden_connections_max"), 8)
            self.assertEqual(value(families, "pg_stat_activity_count", datname="postgres", state="idle"), 8)
            self.assertEqual(get(self.node, "/livez")[0], 200)
            self.assertEqual(get(self.node, "/readyz")[0], 200)
        finally:
            for session in sessions:
                session.communicate("\\q\n")

    def test_slow_clients_do_not_stop_probes(self):
        slow = [socket.create_connection(("127.0.0.1", self.node.metrics_port)) for _ in range(4)]
        try:
            for connection in slow:
                connection.send(b"GET /metrics HTTP/1.1\r\n")
            self.assertEqual(get(self.node, "/livez")[0], 200)
        finally:
            for connection in slow:
                connection.close()

    def test_is_small(self):
        pid = self.node.child("metrics exporter")
        scrape(self.node)
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.assertLessEqual(int(re.search(r"Threads:\s+(\d+)", status)[1]), 4)

    def test_killed_exporter_is_restarted_and_the_node_lives_on(self):
        postmaster, session_backend = self.node.postmaster_pid(), self.node.child("checkpointer")
        pid = self.node.child("metrics exporter")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not is_alive(pid), "the exporter to die")
        families = scrape(self.node)
        self.assertNotEqual(self.node.child("metrics exporter"), pid)
        self.assertEqual(value(families, "walden_crash_restarts_total"), 0)
        self.assertEqual((self.node.postmaster_pid(), self.node.child("checkpointer")), (postmaster, session_backend))


class OtherNodes(unittest.TestCase):
    def test_crash_of_another_process(self):
        with Cluster() as cluster:
            node = cluster.node("crashes").init().start()
            scrape(node)
            os.kill(node.child("walwriter"), signal.SIGKILL)
            # Between the old shared memory and the new one there is nothing to count.
            counted = {"walden_crash_restarts_total": {frozenset(): 1.0}}
            wait_until(lambda: counted.items() <= scrape(node).items(), "the crash to be counted")
            wait_until(lambda: get(node, "/readyz")[0] == 200, "readiness after recovery")
            node.stop(check_log=False)

    def test_ipv6(self):
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            self.skipTest("this machine has no IPv6")
        with Cluster() as cluster:
            node = cluster.node("six").init()
            for addresses in ("*", "::1"):
                node.configure(metrics_listen_addresses=addresses).start()
                wait_until(lambda: self.ready_over_ipv6(node), "an answer over IPv6")
                self.assertIn(b"pg_up 1", ask_over_ipv6(node, "/metrics"))
                self.assertEqual(get(node, "/readyz")[0], 0 if addresses == "::1" else 200)
                self.outlive_hostile_clients(node)
                node.stop()

    @staticmethod
    def ready_over_ipv6(node) -> bool:
        try:
            return ask_over_ipv6(node, "/readyz").startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def outlive_hostile_clients(self, node):
        """Clients that say nothing, that go away, that talk rubbish: others are served, nothing stays open."""
        exporter = next(pid for pid, title in node.children().items() if "metrics" in title)
        before = len(os.listdir(f"/proc/{exporter}/fd"))
        silent = [socket.create_connection(("::1", node.metrics_port)) for _ in range(10)]
        for _ in range(50):
            with socket.create_connection(("::1", node.metrics_port)) as gone:
                gone.sendall(os.urandom(100))
        for idle in silent:
            idle.close()
        wait_until(lambda: self.ready_over_ipv6(node), "an answer after that")
        wait_until(lambda: len(os.listdir(f"/proc/{exporter}/fd")) <= before, "its descriptors to be closed")

    def test_port_taken_and_port_zero(self):
        with Cluster() as cluster:
            first = cluster.node("first").init().start()
            scrape(first)
            second = cluster.node("second").init()
            second.configure(metrics_port=first.metrics_port, metrics_listen_addresses="127.0.0.1")
            second.start()
            wait_until(lambda: "metrics exporter could not listen" in second.log_text(), "the complaint")
            self.assertEqual(second.value("SELECT 1"), "1")
            first.stop()
            second.metrics_port = first.metrics_port
            scrape(second)
            second.stop()
            second.configure(metrics_port=0)
            second.start()
            self.assertFalse([title for title in second.children().values() if "metrics" in title])
            second.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
