#!/usr/bin/env python3
"""What the server log says of sessions and statements."""
import re
import socket
import unittest

from wire_case import NodeCase, wait_until
from wire_client import WireClient, text


class LogTest(NodeCase):
    @classmethod
    def prepare(cls):
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhost all all all trust\n")
        cls.node.configure(log_line_prefix="<%p|%u|%d|%a|%r|%h|%i|%e|%l|%x|%%|%v|%Q|%q%b> ", log_connections="on", log_disconnections="on")

    def client(self, **settings):
        client = WireClient(self.node.port, **settings)
        self.addCleanup(client.socket.close)
        return client

    def lines(self, client):
        """Lines of this session, without the prefix; continuation lines joined by a tab."""
        text = self.node.log_text()
        return re.findall(rf"^<{client.pid}\|[^>]*> (.*(?:\n\t.*)*)$", text, re.MULTILINE)

    def wait_for(self, client, line):
        wait_until(lambda: any(re.fullmatch(line, each) for each in self.lines(client)), f"{line!r} in {self.lines(client)}", 10)

    def test_prefix_and_connections(self):
        client = self.client(application_name="app")
        client.query("SELECT 1/0")
        self.wait_for(client, "LOG:  connection authorized: user=postgres database=postgres application_name=app")
        prefix = re.search(rf"^<({client.pid}\|[^>]*)> ERROR:  division by zero$", self.node.log_text(), re.MULTILINE).group(1).split("|")
        port = client.socket.getsockname()[1]
        self.assertEqual(prefix[1:6], ["postgres", "postgres", "app", f"127.0.0.1({port})", "127.0.0.1"])
        self.assertEqual((prefix[6], prefix[7], prefix[10], prefix[13]), ("SELECT", "22012", "%", "client backend"))
        self.wait_for(client, "STATEMENT:  SELECT 1/0")
        client.send("X")
        self.wait_for(client, r"LOG:  disconnection: session time: 0:00:\d\d\.\d{3} user=postgres database=postgres host=127.0.0.1 port=\d+")

    def test_query_id_and_virtual_transaction_in_prefix(self):
        client = self.client()
        for statement in ("SET compute_query_id = on", "SET log_min_duration_statement = 0", "SELECT 1", "SELECT 2", "SELECT 'x'"):
            client.query(statement)
        found = re.findall(rf"^<{client.pid}\|[^>]*\|(\d+/\d+)\|(-?\d+)\|client backend> LOG:  duration: [\d.]+ ms  statement: (.*)$",
                           self.node.log_text(), re.MULTILINE)
        ids = {statement: number for _, number, statement in found}
        self.assertEqual(ids["SELECT 1"], ids["SELECT 2"])
        self.assertNotEqual(ids["SELECT 1"], ids["SELECT 'x'"])
        self.assertNotEqual(ids["SELECT 1"], "0")

    def test_statement_of_the_error_that_ends_a_session(self):
        for extended in (False, True):
            client = self.client()
            statement = f"SELECT pg_sleep(60), 'a text of some length, extended: {extended}'"
            if extended:
                client.parse(statement)
                client.bind()
                client.execute()
                client.sync()
            else:
                client.send("Q", text(statement))
            wait_until(lambda: self.node.value(f"SELECT wait_event FROM pg_stat_activity WHERE pid = {client.pid}") == "PgSleep", "the statement to run")
            self.node.sql(f"SELECT pg_terminate_backend({client.pid})")
            self.wait_for(client, "FATAL:  terminating connection due to administrator command")
            self.wait_for(client, re.escape(f"STATEMENT:  {statement}"))

    def test_host_names(self):
        name = socket.getnameinfo(("127.0.0.1", 0), 0)[0]
        self.node.sql("ALTER SYSTEM SET log_hostname = on")
        self.node.sql("SELECT pg_reload_conf()")
        shown = "SELECT client_hostname FROM pg_stat_activity WHERE pid = pg_backend_pid()"
        expected = [None] if name == "127.0.0.1" else [name.encode()]
        wait_until(lambda: self.client().rows(shown) == [expected], "the name of the host", 10)
        client = self.client()
        port = client.socket.getsockname()[1]
        self.wait_for(client, rf"LOG:  connection received: host={re.escape(name)} port={port}")
        self.node.sql("ALTER SYSTEM RESET log_hostname")
        self.node.sql("SELECT pg_reload_conf()")
        wait_until(lambda: self.client().rows(shown) == [[None]], "no name of the host", 10)

    def test_wal_writer_flushes_after_so_much(self):
        self.node.sql("CREATE TABLE flushed (t text)")
        self.node.sql("ALTER SYSTEM SET wal_writer_delay = '10s'")
        self.node.sql("ALTER SYSTEM SET wal_writer_flush_after = 0")
        self.node.sql("SELECT pg_reload_conf()")
        client = self.client(options="-c synchronous_commit=off")
        wait_until(lambda: client.rows("SHOW wal_writer_flush_after") == [[b"0"]], "the reload", 10)
        client.query("INSERT INTO flushed SELECT 'x' FROM generate_series(1, 10)")
        written = client.rows("SELECT pg_current_wal_insert_lsn()")[0][0].decode()

        def flushed():
            # What is written later by others waits for the next commit.
            client.query("INSERT INTO flushed VALUES ('y')")
            return client.rows(f"SELECT pg_current_wal_flush_lsn() >= '{written}'") == [[b"t"]]
        wait_until(flushed, "the WAL writer to flush", 5)
        for name in ("wal_writer_delay", "wal_writer_flush_after"):
            self.node.sql(f"ALTER SYSTEM RESET {name}")
        self.node.sql("SELECT pg_reload_conf()")

    def test_statements_by_kind(self):
        for level, logged in (("none", []), ("ddl", ["CREATE TEMP TABLE t (a int)"]),
                              ("mod", ["CREATE TEMP TABLE t (a int)", "INSERT INTO t VALUES (1)"]),
                              ("all", ["CREATE TEMP TABLE t (a int)", "INSERT INTO t VALUES (1)", "SELECT 1", "SHOW port", "BEGIN", "COMMIT"])):
            client = self.client()
            client.query(f"SET log_statement = '{level}'")
            for statement in ("CREATE TEMP TABLE t (a int)", "INSERT INTO t VALUES (1)", "SELECT 1", "SHOW port", "BEGIN", "COMMIT", "nonsense"):
                client.query(statement)
            said = [line.removeprefix("LOG:  statement: ") for line in self.lines(client) if "statement: " in line]
            self.assertEqual(said, logged, level)

    def test_extended_statements_with_parameters(self):
        client = self.client()
        client.query("SET log_statement = 'all'")
        client.parse("SELECT $1::int, $2::text, $3::text", "s")
        client.bind((b"7", b"it's", None), "p", "s")
        client.execute(0, "p")
        client.sync()
        client.until("Z")
        self.assertIn("LOG:  execute s/p: SELECT $1::int, $2::text, $3::text", self.lines(client))
        self.assertIn("DETAIL:  parameters: $1 = '7', $2 = 'it''s', $3 = NULL", self.lines(client))
        client.query("SET log_parameter_max_length = 2; SET log_parameter_max_length_on_error = -1")
        client.parse("SELECT $1::text, 1 / $2::int")
        client.bind((b"abcdef", b"0"))
        client.execute()
        client.sync()
        client.until("Z")
        self.assertIn("DETAIL:  parameters: $1 = 'ab...', $2 = '0'", self.lines(client))
        self.assertTrue(any("unnamed portal with parameters: $1 = 'abcdef', $2 = '0'" in line for line in self.lines(client)), self.lines(client))

    def test_durations(self):
        client = self.client()
        client.query("SET log_min_duration_statement = 30")
        client.query("SELECT 2")
        client.query("SELECT pg_sleep(0.05)")
        client.query("SET log_min_duration_statement = -1; SET log_duration = on")
        client.query("SELECT 3")
        said = [re.sub(r"\d+\.\d{3}", "N", line) for line in self.lines(client) if "duration" in line and "SET" not in line]
        self.assertEqual(said[0], "LOG:  duration: N ms  statement: SELECT pg_sleep(0.05)")
        self.assertEqual(said[-1], "LOG:  duration: N ms")
        client = self.client()
        client.query("SET log_transaction_sample_rate = 1")
        client.query("SELECT 4")
        self.assertTrue(any(re.fullmatch(r"LOG:  duration: [\d.]+ ms  statement: SELECT 4", line) for line in self.lines(client)))

    def test_settings_reach_sessions_on_reload(self):
        client = self.client()
        self.assertEqual(client.rows("SHOW work_mem"), [[b"4MB"]])
        self.node.sql("ALTER SYSTEM SET work_mem = '6MB'")
        self.node.sql("SELECT pg_reload_conf()")
        wait_until(lambda: client.rows("SHOW work_mem") == [[b"6MB"]], "the session to obey")
        client.query("SET work_mem = '7MB'")
        self.node.sql("ALTER SYSTEM RESET work_mem")
        self.node.sql("SELECT pg_reload_conf()")
        fresh = self.client()
        wait_until(lambda: fresh.rows("SHOW work_mem") == [[b"4MB"]], "the reload")
        self.assertEqual(client.rows("SHOW work_mem"), [[b"7MB"]])
        client.query("RESET work_mem")
        self.assertEqual(client.rows("SHOW work_mem"), [[b"4MB"]])
        self.assertEqual(self.node.sqlstate("SET ROLE pg_monitor; ALTER SYSTEM SET work_mem = '6MB'"), "42501")
        self.assertEqual(self.node.sqlstate("BEGIN; ALTER SYSTEM SET work_mem = '6MB'"), "25001")
        self.assertEqual(self.node.sqlstate("ALTER SYSTEM SET work_mem = 'nonsense'"), "22023")
        self.assertEqual(self.node.sqlstate("ALTER SYSTEM SET nonsense = 1"), "42704")
        self.assertEqual(self.node.sqlstate("ALTER SYSTEM SET data_directory = '/'"), "55P02")


if __name__ == "__main__":
    unittest.main(verbosity=1)
