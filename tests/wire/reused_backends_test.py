#!/usr/bin/env python3
"""Backends serve one client after the other: nothing of a session may be found by the next, and what others changed meanwhile must be."""
import os
import time
import unittest

from wire_case import NodeCase, wait_until
from wire_client import WireClient, cancel

# What a session can see of itself.
FINGERPRINT = [
    "SELECT name, setting, source, reset_val FROM pg_settings ORDER BY name",
    "SELECT name FROM pg_prepared_statements",
    "SELECT name FROM pg_cursors",
    "SELECT current_user, session_user, current_database(), current_schemas(true)::text, pg_my_temp_schema()",
    "SELECT now()::text ~ '\\+00$', current_setting('my.variable', true)",
    "SELECT locktype, mode FROM pg_locks WHERE locktype = 'advisory'",
    "SELECT usename, application_name, query_id FROM pg_stat_activity WHERE pid = pg_backend_pid()",
    "SELECT lastval()",
    "EXECUTE kept",
    "FETCH held",
]


class ReusedCase(NodeCase):
    @classmethod
    def prepare(cls):
        cls.node.configure(max_connections=40)
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhost all all all trust\n")

    @classmethod
    def fill(cls):
        cls.node.sql("CREATE ROLE other LOGIN; CREATE DATABASE second; CREATE SEQUENCE numbers; CREATE TABLE t (a int)")
        cls.node.sql("CREATE TABLE t (a text, b text)", database="second")

    def client(self, **settings):
        client = WireClient(self.node.port, **settings)
        self.addCleanup(client.socket.close)
        return client

    def leave(self, client):
        client.send("X")
        self.assertTrue(client.at_end())
        client.socket.close()

    def client_of(self, pid, **settings):
        """A session of this very process, which has come back or will at once."""
        until = time.monotonic() + 20
        while time.monotonic() < until:
            # Those that wait before it in the pool are kept busy meanwhile.
            clients = []
            while len(clients) < 12 and (not clients or clients[-1].pid != pid):
                clients.append(self.client(**settings))
            found = clients.pop() if clients[-1].pid == pid else None
            for client in clients:
                self.leave(client)
            if found:
                return found
        self.fail(f"process {pid} serves nobody again")

    def fingerprint(self, client):
        return [[(m.kind, m.fields() if m.kind == "E" else m.body) for m in client.query(sql) if m.kind in "DEC"] for sql in FINGERPRINT]


class FreshTest(ReusedCase):
    def test_a_session_is_as_if_the_process_were_new(self):
        first = self.client()
        fresh, parameters, pid, key = self.fingerprint(first), first.parameters, first.pid, first.key
        self.leave(first)
        second = self.client_of(pid, options="-c work_mem=77kB -c my.variable=1", client_encoding="LATIN1", application_name="dirty")
        self.assertNotEqual(second.key, key)
        for sql in ["SET search_path = pg_catalog", "SET TIME ZONE 'Asia/Tokyo'", "SET datestyle = 'German'", "SET my.variable = 'x'",
                    "SET enable_seqscan = off", "SET statement_timeout = '1h'", "SET log_min_messages = 'debug5'", "SET lock_timeout = '1h'",
                    "SET temp_file_limit = '1MB'",
                    "PREPARE kept AS SELECT 1", "SELECT setseed(0.5)", "SELECT pg_advisory_lock(1)", "SELECT nextval('public.numbers')",
                    "BEGIN", "DECLARE held CURSOR WITH HOLD FOR SELECT 1", "COMMIT",
                    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET ROLE other"]:
            self.assertNotIn("E", [m.kind for m in second.query(sql)], sql)
        self.assertNotEqual(self.fingerprint(second), fresh)
        self.leave(second)
        third = self.client_of(pid)
        self.assertEqual(self.fingerprint(third), fresh)
        self.assertEqual(third.parameters, parameters)
        self.leave(third)

    def test_a_transaction_left_open_is_rolled_back(self):
        client = self.client()
        client.query("BEGIN; INSERT INTO t VALUES (99); LOCK TABLE t")
        self.leave(client)
        again = self.client_of(client.pid)
        self.assertEqual(again.rows("SELECT count(*) FROM t WHERE a = 99"), [[b"0"]])
        self.leave(again)

    def test_random_numbers_do_not_go_on(self):
        client = self.client()
        client.query("SELECT setseed(0.25)")
        client.rows("SELECT random()")
        pid = client.pid
        self.leave(client)
        again = self.client_of(pid)
        after = again.rows("SELECT random()")
        again.query("SELECT setseed(0.25)")
        self.assertNotEqual(again.rows("SELECT random(), random()")[0][1], after[0][0])
        self.leave(again)

    def test_settings_of_roles_and_databases_are_those_of_the_session(self):
        client = self.client()
        pid = client.pid
        self.leave(client)
        self.node.sql("ALTER ROLE other SET work_mem = '123kB'; ALTER DATABASE second SET work_mem = '321kB'")
        for settings, work_mem in [({"user": "other"}, b"123kB"), ({"database": "second"}, b"321kB"), ({}, b"4MB")]:
            client = self.client_of(pid, **settings)
            self.assertEqual(client.rows("SHOW work_mem"), [[work_mem]])
            self.leave(client)

    def test_an_old_cancel_key_is_worthless(self):
        client = self.client()
        pid, key = client.pid, client.key
        self.leave(client)
        again = self.client_of(pid)
        cancel(self.node.port, pid, key)
        self.assertEqual(again.rows("SELECT 1"), [[b"1"]])
        self.leave(again)


class ChangedMeanwhileTest(ReusedCase):
    def test_other_sessions_changes_are_seen(self):
        client = self.client()
        self.assertEqual(len(client.rows("SELECT * FROM t LIMIT 0")), 0)
        pid = client.pid
        self.leave(client)
        self.node.sql("ALTER TABLE t ADD COLUMN added int DEFAULT 7; INSERT INTO t VALUES (1)")
        again = self.client_of(pid)
        self.assertEqual(again.rows("SELECT * FROM t WHERE a = 1"), [[b"1", b"7"]])
        self.leave(again)

    def test_databases_are_not_mixed_up(self):
        client = self.client()
        pid, here = client.pid, client.rows("SELECT a FROM t WHERE a = -1")
        self.leave(client)
        for _ in range(2):
            client = self.client_of(pid, database="second")
            columns = [c[0] for m in client.query("SELECT * FROM t") if m.kind == "T" for c in m.columns()]
            self.assertEqual(columns, ["a", "b"])
            self.leave(client)
            client = self.client_of(pid)
            self.assertEqual(client.rows("SELECT a FROM t WHERE a = -1"), here)
            self.leave(client)

    def test_a_database_that_nobody_uses_any_more_can_be_dropped(self):
        self.node.sql("CREATE DATABASE passing")
        client = self.client(database="passing")
        client.rows("SELECT 1")
        self.leave(client)
        wait_until(lambda: self.node.sqlstate("DROP DATABASE passing") == "00000", "the session's end")

    def test_a_reload_replaces_them(self):
        client = self.client()
        pid = client.pid
        self.leave(client)
        self.node.configure(work_mem="88kB")
        self.reload()
        client = self.client()
        self.assertEqual(client.rows("SHOW work_mem"), [[b"88kB"]])
        self.assertNotEqual(client.pid, pid)
        self.node.configure(work_mem="4MB")
        self.reload()
        self.leave(client)  # forked before the reload
        client = self.client()
        self.assertEqual(client.rows("SHOW work_mem"), [[b"4MB"]])
        self.leave(client)


class RetiredTest(ReusedCase):
    def gone(self, pid):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    def test_temporary_objects_go_with_their_process(self):
        client = self.client()
        client.query("CREATE TEMP TABLE passing (a int)")
        self.leave(client)
        wait_until(lambda: self.gone(client.pid), "the process's end")
        again = self.client()
        self.assertEqual(again.rows("SELECT count(*) FROM pg_class WHERE relname = 'passing'"), [[b"0"]])
        self.leave(again)

    def test_few_wait(self):
        clients = [self.client() for _ in range(30)]
        for client in clients:
            self.leave(client)
        wait_until(lambda: sum(not self.gone(c.pid) for c in clients) <= 14, "the others' end")

    def test_a_terminated_session_ends_its_process(self):
        client = self.client()
        self.node.sql(f"SELECT pg_terminate_backend({client.pid})")
        wait_until(lambda: self.gone(client.pid), "the process's end")


if __name__ == "__main__":
    unittest.main()
