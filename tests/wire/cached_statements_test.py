#!/usr/bin/env python3
"""Statements that come again in the extended protocol, and cancel requests that come in crowds."""
import pathlib
import socket
import struct
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import Cluster  # noqa: E402

INT4, TEXT = 23, 25


class Client:
    """One connection, spoken to message by message."""

    def __init__(self, node):
        self.path = str(node.cluster.folder / f".s.PGSQL.{node.port}")
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(self.path)
        body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        for kind, payload in self.answers():
            if kind == b"K":
                self.key = payload

    def receive(self, size):
        data = b""
        while len(data) < size:
            piece = self.socket.recv(size - len(data))
            if not piece:
                raise ConnectionError("closed")
            data += piece
        return data

    def answers(self):
        """Everything up to ReadyForQuery."""
        got = []
        while True:
            kind = self.receive(1)
            got.append((kind, self.receive(struct.unpack("!i", self.receive(4))[0] - 4)))
            if kind == b"Z":
                return got

    @staticmethod
    def message(kind, body):
        return kind + struct.pack("!i", len(body) + 4) + body

    @staticmethod
    def rows_of(answers):
        rows = []
        for kind, body in answers:
            if kind == b"E":
                fields = dict((f[:1], f[1:].decode()) for f in body.split(b"\0") if f)
                return fields[b"C"]
            if kind == b"D":
                at, row = 2, []
                for _ in range(struct.unpack("!h", body[:2])[0]):
                    size = struct.unpack("!i", body[at:at + 4])[0]
                    row.append(None if size < 0 else body[at + 4:at + 4 + size].decode())
                    at += 4 + max(size, 0)
                rows.append(tuple(row))
        return rows

    def simple(self, sql):
        self.socket.sendall(self.message(b"Q", sql.encode() + b"\0"))
        return self.rows_of(self.answers())

    def extended(self, sql, *values, types=()):
        """Parse, Bind, Describe, Execute, Sync with the unnamed statement and portal; rows, or the SQLSTATE of the error."""
        parse = b"\0" + sql.encode() + b"\0" + struct.pack("!h", len(types)) + b"".join(struct.pack("!i", t) for t in types)
        bind = b"\0\0" + struct.pack("!hh", 0, len(values))
        for value in values:
            bind += struct.pack("!i", -1) if value is None else struct.pack("!i", len(str(value))) + str(value).encode()
        self.socket.sendall(self.message(b"P", parse) + self.message(b"B", bind + struct.pack("!h", 0)) +
                            self.message(b"D", b"P\0") + self.message(b"E", b"\0" + struct.pack("!i", 0)) + self.message(b"S", b""))
        return self.rows_of(self.answers())

    def cancel(self):
        with socket.socket(socket.AF_UNIX) as request:
            request.settimeout(20)
            request.connect(self.path)
            request.sendall(struct.pack("!ii", 16, 80877102) + self.key)
            assert request.recv(1) == b""  # the server ends the connection, and says nothing


class CachedStatements(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = Cluster().__enter__()
        cls.node = cls.cluster.node("node")
        cls.node.init()
        cls.node.start()
        cls.node.allow_in_log("column .* does not exist", "canceling statement", "invalid input syntax", "operator does not exist")

    @classmethod
    def tearDownClass(cls):
        cls.node.stop()
        cls.cluster.__exit__(None, None, None)

    def connect(self):
        client = Client(self.node)
        self.addCleanup(client.socket.close)
        return client

    def setUp(self):
        self.client = self.connect()
        self.client.simple("DROP TABLE IF EXISTS thing")
        self.client.simple("CREATE TABLE thing (id int PRIMARY KEY, name text, made timestamptz)")
        self.client.simple("INSERT INTO thing SELECT i, 'n' || i, '2024-01-01 00:00+00'::timestamptz + i * interval '1h' FROM generate_series(1, 9) i")

    def test_the_same_text_with_other_values(self):
        for i in (1, 2, 3, 4, 5, 6, 7, None, 99):
            expected = [(f"n{i}",)] if i is not None and i < 10 else []
            self.assertEqual(self.client.extended("SELECT name FROM thing WHERE id = $1", i), expected)
        for i in range(1, 9):
            self.assertEqual(self.client.extended("SELECT count(*) FROM thing WHERE name > $1", f"n{i}"), [(str(9 - i),)])

    def test_declared_types_and_wrong_values(self):
        for _ in range(3):
            self.assertEqual(self.client.extended("SELECT pg_typeof($1), $1", 5, types=[INT4]), [("integer", "5")])
            self.assertEqual(self.client.extended("SELECT pg_typeof($1), $1", 5, types=[TEXT]), [("text", "5")])
            self.assertEqual(self.client.extended("SELECT pg_typeof($1), $1", "x", types=[INT4]), "22P02")

    def test_ddl_between_executions(self):
        read = "SELECT * FROM thing WHERE id = $1"
        for _ in range(3):
            self.assertEqual(len(self.client.extended(read, 1)[0]), 3)
        self.client.simple("ALTER TABLE thing ADD COLUMN more int DEFAULT 7")
        self.assertEqual(self.client.extended(read, 1)[0][3], "7")
        self.client.simple("ALTER TABLE thing ALTER COLUMN id TYPE text")
        self.assertEqual(self.client.extended(read, 1)[0][0], "1")
        self.client.simple("ALTER TABLE thing RENAME COLUMN id TO key")
        self.assertEqual(self.client.extended(read, 1), "42703")

    def test_settings_between_executions(self):
        read = "SELECT id FROM thing WHERE made = '2024-01-01 05:00' AND id > $1"
        self.client.simple("SET TimeZone = 'UTC'")
        for _ in range(3):
            self.assertEqual(self.client.extended(read, 0), [("5",)])
        self.client.simple("SET TimeZone = 'Europe/Berlin'")
        for _ in range(3):
            self.assertEqual(self.client.extended(read, 0), [("4",)])

    def test_cancel_requests_in_crowds(self):
        """Every request is served and ended, also by a backend that is gone before the postmaster hears of it."""
        served = []
        threads = [threading.Thread(target=lambda: [served.append(self.client.cancel()) for _ in range(25)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(len(served), 100)
        self.assertEqual(self.connect().simple("SELECT 1"), [("1",)])

    def test_a_statement_is_cancelled(self):
        got = []
        runner = threading.Thread(target=lambda: got.append(self.client.simple("SELECT pg_sleep(60)")))
        runner.start()
        watcher = self.connect()
        while not got:
            self.client.cancel()
            runner.join(0.05)
        self.assertEqual(got, ["57014"])
        self.assertEqual(watcher.simple("SELECT 1"), [("1",)])
        self.assertEqual(self.client.simple("SELECT 1"), [("1",)])


if __name__ == "__main__":
    unittest.main()
