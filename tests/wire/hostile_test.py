#!/usr/bin/env python3
"""Wrong, slow, half-open and flooding clients, and a scan of the three ports: each refusal is logged once, the node goes on, and nothing
is left behind: no process, descriptor, shared memory, temporary file, nor memory."""
import os
import pathlib
import random
import re
import socket
import struct
import time
import unittest

from wire_case import NodeCase, wait_until
from wire_client import WireClient, int32, text

CONNECTIONS = 12
WAITING, INITIALIZING = "walden: backend", "walden: initializing"
OWN_FILES = 4  # that a process may have come to hold open by itself: a segment of the log, relations' files
TOO_MANY = "sorry, too many clients already"
LINE = re.compile(r"^\d{4}-\d\d-\d\d .*?\] (LOG|ERROR|FATAL|PANIC|WARNING):\s+(.*)$", re.M)


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory_kb(pid: int) -> int:
    return int(re.search(r"^RssAnon:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1))


class Hostile(NodeCase):
    baseline, titles = {}, {}  # pid -> descriptors, title

    @classmethod
    def prepare(cls):
        cls.node.configure(max_connections=CONNECTIONS, superuser_reserved_connections=2, authentication_timeout="3s",
                           log_min_messages="log")
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 trust\n")

    def setUp(self):
        self.our_refusals = 0
        self.node.wait_accepting()
        if not self.baseline:  # before the first hostile client
            wait_until(self.no_client, "every process to have its title")
            self.baseline.update({pid: self.held(pid) for pid in self.standing()})
            self.titles.update(self.standing())
        self.settle()
        self.our_refusals = 0
        self.log_length = len(self.node.log_text())

    def tearDown(self):
        self.node.wait_accepting()
        self.settle()
        wait_until(lambda: self.standing() == self.titles, "the processes to be those of before: none died")
        for pid, title in self.titles.items():
            wait_until(lambda: self.held(pid) <= self.baseline[pid] + OWN_FILES, f"the descriptors of {title} to be closed")
        temporary = self.node.data / "base" / "pgsql_tmp"
        self.assertEqual(list(temporary.iterdir()) if temporary.is_dir() else [], [])
        self.assertEqual(len(list(pathlib.Path("/dev/shm").glob(self.node.shared_memory() + "*"))), 1)

    def standing(self) -> dict:
        """The processes that live as long as the node; a backend that waits for its client is as good as another."""
        found = {pid: title for pid, title in self.node.children().items() if title.startswith("walden: ")
                 and not any(part in title for part in (WAITING, INITIALIZING, "postgres", "autovacuum worker"))}
        return {**found, self.node.postmaster_pid(): "postmaster"}

    def no_client(self) -> bool:
        """Every child has its title, and no backend serves anybody."""
        titles = self.node.children().values()
        return all(title.startswith("walden: ") and INITIALIZING not in title and "postgres" not in title for title in titles)

    def held(self, pid: int) -> int:
        """Open descriptors, without the postmaster's ways to the backends that wait for clients."""
        waiting = sum(WAITING in title for title in self.node.children().values()) if pid == self.node.postmaster_pid() else 0
        return descriptors(pid) - waiting

    def settle(self):
        """No client is left: none before the door (the port is served in turn, ours comes last), none handed over and not yet taken (the
        postmaster holds it until then), none served. While they hold every place, ours is refused too; that is not one of theirs."""
        def alone():
            counted = self.node.psql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'", check=False,
                                     extra=("-h", "127.0.0.1"))
            self.our_refusals += TOO_MANY in counted.stderr
            return counted.stdout.strip() == "1"
        postmaster = self.node.postmaster_pid()
        wait_until(alone, "hostile sessions to end")
        wait_until(lambda: self.no_client() and self.held(postmaster) <= self.baseline[postmaster], "every client to have left")

    def logged(self) -> list:
        """What was said since setUp, without the refusals of our own sessions."""
        messages = [found.group(2) for found in LINE.finditer(self.node.log_text()[self.log_length:])]
        for _ in range(min(self.our_refusals, messages.count(TOO_MANY))):
            messages.remove(TOO_MANY)
        return messages

    def assert_logged_once(self, *messages):
        """These lines, and no other."""
        wait_until(lambda: len(self.logged()) >= len(messages), f"{messages} in the log", 20)
        self.assertEqual(sorted(self.logged()), sorted(messages))

    def raw(self, data=b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.node.port), timeout=20)
        client.sendall(data)
        return client

    def read_all(self, client) -> bytes:
        answer = b""
        try:
            while chunk := client.recv(65536):
                answer += chunk
        except ConnectionResetError:
            pass
        client.close()
        return answer

    # --- before a session ---------------------------------------------------------------------------------------------------
    def test_not_our_protocol(self):
        self.read_all(self.raw(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        self.assert_logged_once("invalid length of startup packet")

    def test_a_packet_of_two_gigabytes(self):
        self.read_all(self.raw(struct.pack("!II", 0x7FFFFFFF, 3 << 16)))
        self.assert_logged_once("invalid length of startup packet")

    def test_an_old_version(self):
        answer = self.read_all(self.raw(struct.pack("!II", 8, 2 << 16)))
        self.assertIn(b"unsupported frontend protocol 2.0", answer)
        self.assert_logged_once("unsupported frontend protocol 2.0: server supports 3.0 to 3.0")

    def test_half_a_packet(self):
        self.raw(struct.pack("!II", 60, 3 << 16) + b"user\0po").close()
        self.assert_logged_once("incomplete startup packet")

    def test_half_a_header(self):
        self.raw(b"\0\0").close()
        self.assert_logged_once("incomplete startup packet")

    def test_only_a_look_at_the_port(self):
        for _ in range(20):
            self.raw().close()
        self.settle()
        self.assertEqual(self.logged(), [])

    def test_says_nothing(self):
        clients = [self.raw(data) for data in (b"", b"\0", struct.pack("!II", 60, 3 << 16))]
        for client in clients:
            self.read_all(client)
        self.assert_logged_once(*["canceling authentication due to timeout"] * 3)

    def test_random_bytes(self):
        chance = random.Random(1)
        for _ in range(40):
            client = self.raw()
            try:
                client.sendall(chance.randbytes(chance.randrange(1, 300)))
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            self.read_all(client)
        self.settle()
        self.assertLessEqual(len(self.logged()), 40)

    def test_a_flood(self):
        clients = []
        for _ in range(200):
            try:
                clients.append(self.raw())
            except OSError:
                pass
        time.sleep(0.1)
        for client in clients:
            client.close()
        self.node.wait_accepting()

    def test_too_many_sessions(self):
        sessions, answer = [], []
        while len(sessions) <= CONNECTIONS and (not answer or answer[-1].kind == "Z"):
            sessions.append(WireClient(self.node.port, start=False))
            sessions[-1].send_startup()
            answer = sessions[-1].until("Z")
        self.assertEqual(answer[-1].fields()["C"], "53300")
        for client in sessions:
            client.socket.close()
        self.settle()
        self.assert_logged_once(TOO_MANY)

    # --- in a session -----------------------------------------------------------------------------------------------------
    def test_a_length_that_is_only_claimed(self):
        with WireClient(self.node.port) as client:
            client.socket.sendall(b"Q" + int32(0x3FFFFFFF) + b"SELECT 1")
            time.sleep(0.2)
            self.assertLess(memory_kb(client.pid), 40 * 1024)

    def test_lengths_below_their_own(self):
        with WireClient(self.node.port) as client:
            client.socket.sendall(b"Q" + int32(-1))
            self.assertEqual(client.until("Z")[-1].fields()["C"], "08P01")
        self.assert_logged_once("invalid message length")

    def test_leaves_within_a_message(self):
        with WireClient(self.node.port) as client:
            client.socket.sendall(b"Q" + int32(100) + b"SELECT")
        self.settle()

    def test_resets_the_connection(self):
        for statement in ("SELECT 1", "SELECT * FROM generate_series(1, 1000000)", "SELECT pg_sleep(0.1)", "BEGIN; CREATE TABLE gone (a int)"):
            client = WireClient(self.node.port)
            client.send("Q", text(statement))
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.socket.close()
        self.settle()
        self.assertEqual(self.node.value("SELECT count(*) FROM pg_class WHERE relname = 'gone'"), "0")

    def test_never_reads(self):
        client = WireClient(self.node.port)
        client.send("Q", text("SELECT repeat('x', 1000) FROM generate_series(1, 1000000)"))
        wait_until(lambda: self.node.value(f"SELECT wait_event = 'ClientWrite' FROM pg_stat_activity WHERE pid = {client.pid}") == "t",
                   "the session to wait for its client")
        self.assertLess(memory_kb(client.pid), 40 * 1024)
        client.socket.close()
        self.settle()

    def test_drip(self):
        with WireClient(self.node.port) as client:
            for byte in b"Q" + int32(4 + 9) + b"SELECT 7\0":
                client.socket.sendall(bytes([byte]))
                time.sleep(0.005)
            self.assertEqual([m.row() for m in client.until("Z") if m.kind == "D"], [[b"7"]])

    # --- the other ports ----------------------------------------------------------------------------------------------------
    def test_port_scan(self):
        probes = (b"", b"\0" * 64, b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 200,
                  b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 40, b"SSH-2.0-scan\r\n")
        for port in (self.node.port, self.node.port + 10000, self.node.metrics_port):
            for probe in probes:
                for linger in (False, True):
                    try:
                        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                            client.sendall(probe)
                            if linger:
                                client.settimeout(0.2)
                                client.recv(65536)
                    except OSError:
                        pass
        self.settle()
        self.assertLessEqual(len(self.logged()), 2 * len(probes))  # only the SQL port says something, once each

    def test_memory_stays(self):
        """The node's own processes do not grow with the number of clients that they had."""
        def rounds(count):
            for _ in range(count):
                self.raw(b"\0\0\0\x08\0\0\0\0").close()
                self.raw().close()
            self.settle()
        rounds(100)
        before = memory_kb(self.node.postmaster_pid())
        rounds(300)
        self.assertLess(memory_kb(self.node.postmaster_pid()) - before, 512)


if __name__ == "__main__":
    unittest.main()
