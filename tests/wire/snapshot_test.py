#!/usr/bin/env python3
"""One transaction's snapshot in others: pg_export_snapshot and SET TRANSACTION SNAPSHOT. What commands show while they run."""
import unittest

from wire_case import NodeCase, wait_until
from wire_client import WireClient


class SnapshotTest(NodeCase):
    @classmethod
    def prepare(cls):
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhost all all all trust\n")

    def client(self, **settings):
        client = WireClient(self.node.port, **settings)
        self.addCleanup(client.socket.close)
        return client

    def value(self, client, query):
        return client.rows(query)[0][0].decode()

    def error(self, client, query):
        return next((message.fields()["C"] for message in client.query(query) if message.kind == "E"), None)

    def importing(self, name, **settings):
        client = self.client(**settings)
        client.query("BEGIN ISOLATION LEVEL REPEATABLE READ")
        return client, self.error(client, f"SET TRANSACTION SNAPSHOT '{name}'")

    def test_others_see_the_same(self):
        self.node.sql("CREATE TABLE seen (a int); INSERT INTO seen VALUES (1)")
        exporter = self.client()
        exporter.query("BEGIN ISOLATION LEVEL REPEATABLE READ")
        exporter.query("INSERT INTO seen VALUES (2)")
        name = self.value(exporter, "SELECT pg_export_snapshot()")
        self.node.sql("INSERT INTO seen VALUES (3)")
        self.node.sql("UPDATE seen SET a = 10 WHERE a = 1")
        importer, error = self.importing(name)
        self.assertIsNone(error)
        self.assertEqual(importer.rows("SELECT a FROM seen"), [[b"1"]])
        # The exporter goes; the importer holds the snapshot for itself.
        exporter.query("COMMIT")
        self.node.sql("VACUUM seen")
        self.assertEqual(importer.rows("SELECT a FROM seen"), [[b"1"]])
        late, error = self.importing(name)
        self.assertEqual(error, "22023")
        importer.query("COMMIT")
        self.assertEqual(importer.rows("SELECT a FROM seen ORDER BY a"), [[b"2"], [b"3"], [b"10"]])

    def test_a_read_committed_transaction_exports_too(self):
        self.node.sql("CREATE TABLE counted (a int)")
        exporter = self.client()
        exporter.query("BEGIN")
        name = self.value(exporter, "SELECT pg_export_snapshot()")
        self.node.sql("INSERT INTO counted VALUES (1)")
        self.assertEqual(self.value(exporter, "SELECT count(*) FROM counted"), "1")
        importer, error = self.importing(name)
        self.assertIsNone(error)
        self.assertEqual(self.value(importer, "SELECT count(*) FROM counted"), "0")

    def test_refusals(self):
        exporter = self.client()
        exporter.query("BEGIN")
        name = self.value(exporter, "SELECT pg_export_snapshot()")
        self.node.sql("CREATE DATABASE elsewhere")
        self.assertEqual(self.importing(name, database="elsewhere")[1], "0A000")
        self.assertEqual(self.importing("00000001-00000001-FFFFFFFFFFFFFFFF")[1], "22023")
        self.assertEqual(self.importing("zzz")[1], "22023")
        exporter.query("ROLLBACK")
        self.assertEqual(self.importing(name)[1], "22023")

    def test_progress_of_copy(self):
        self.node.sql("CREATE TABLE copied (a int)")
        client = self.client()
        pid = client.pid
        client.send("Q", b"COPY copied FROM STDIN WHERE a > 1\0")
        client.until("G")
        client.send("d", b"1\n2\n3\n")
        client.send("d", b"4\n")
        shown = f"SELECT command, type, bytes_processed, tuples_processed, tuples_excluded, relid::regclass FROM pg_stat_progress_copy WHERE pid = {pid}"
        wait_until(lambda: self.node.sql(shown) == [("COPY FROM", "PIPE", "8", "3", "1", "copied")], "the progress of COPY", 10)
        client.send("c")
        client.until("Z")
        self.assertEqual(self.node.sql(shown), [])


if __name__ == "__main__":
    unittest.main(verbosity=1)
