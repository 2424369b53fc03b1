#!/usr/bin/env python3
"""The protocol message by message: start-up, the extended query sequence, pipelines, and what bad bytes do."""
import random
import socket
import struct
import threading
import unittest

from wire_case import NodeCase, wait_until
from wire_client import WireClient, cancel, int16, int32, text

INT4, TEXT = 23, 25


def kinds(messages) -> str:
    return "".join(message.kind for message in messages)


class ProtocolCase(NodeCase):
    @classmethod
    def prepare(cls):
        cls.node.configure(max_connections=12, superuser_reserved_connections=2)
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhost all secretive all scram-sha-256\n"
                                                   "host all plain all password\nhost all all all trust\n")

    @classmethod
    def fill(cls):
        cls.node.sql("CREATE ROLE secretive LOGIN PASSWORD 'pass'; CREATE ROLE plain LOGIN PASSWORD 'pass'; CREATE ROLE alice LOGIN")

    def client(self, **settings):
        client = WireClient(self.node.port, **settings)
        self.addCleanup(client.socket.close)
        return client

    def error_of(self, messages) -> dict:
        errors = [message.fields() for message in messages if message.kind == "E"]
        self.assertEqual(len(errors), 1, messages)
        return errors[0]

    def fatal(self, messages, sqlstate, message):
        error = self.error_of(messages)
        self.assertEqual((error["S"], error["V"], error["C"]), ("FATAL", "FATAL", sqlstate), error)
        self.assertIn(message, error["M"])
        return error


class StartTest(ProtocolCase):
    def refused(self, sqlstate, message, protocol=3 << 16, **settings):
        client = self.client(start=False)
        client.send_startup(protocol, **settings)
        messages = client.until("E")
        self.assertTrue(client.at_end())
        return self.fatal(messages, sqlstate, message)

    def test_parameters(self):
        client = self.client(application_name="wire test", DateStyle="SQL, DMY")
        self.assertEqual(client.parameters["server_encoding"], "UTF8")
        self.assertEqual(client.parameters["client_encoding"], "UTF8")
        self.assertEqual(client.parameters["application_name"], "wire test")
        self.assertEqual(client.parameters["DateStyle"], "SQL, DMY")
        self.assertEqual(client.parameters["is_superuser"], "on")
        self.assertEqual(client.parameters["session_authorization"], "postgres")
        self.assertEqual(set(client.parameters), {
            "application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby", "integer_datetimes",
            "IntervalStyle", "is_superuser", "server_encoding", "server_version", "session_authorization",
            "standard_conforming_strings", "TimeZone"})
        self.assertTrue(client.parameters["server_version"].startswith("15."))

    def test_changes_of_reported_settings_are_told(self):
        client = self.client()
        told = [m.body for m in client.query("SET TimeZone = 'Europe/Paris'") if m.kind == "S"]
        self.assertEqual(told, [b"TimeZone\0Europe/Paris\0"])
        client.query("SET ROLE alice")
        told = {m.body for m in client.query("RESET ROLE; SET SESSION AUTHORIZATION alice") if m.kind == "S"}
        self.assertIn(b"session_authorization\0alice\0", told)
        self.assertIn(b"is_superuser\0off\0", told)

    def test_options(self):
        client = self.client(options="-c statement_timeout=12345 --work-mem=7MB -c search_path=a\\ b")
        self.assertEqual(client.rows("SHOW statement_timeout"), [[b"12345ms"]])
        self.assertEqual(client.rows("SHOW work_mem"), [[b"7MB"]])

    def test_newer_minor_versions_and_options_are_negotiated_down(self):
        for minor, extra in ((2, {}), (99, {}), (0, {"_pq_.unknown": "1"}), (2, {"_pq_.one": "1", "_pq_.two": "2"})):
            client = self.client(start=False)
            messages = client.start((3 << 16) + minor, **extra)
            self.assertEqual(messages[0].kind, "v", (minor, messages))
            body = int32(3 << 16, len(extra)) + b"".join(text(name) for name in extra)
            self.assertEqual(messages[0].body, body)
            self.assertEqual(client.rows("SELECT 1"), [[b"1"]])

    def test_refusals(self):
        self.refused("0A000", "unsupported frontend protocol 2.0: server supports 3.0 to 3.0", protocol=2 << 16)
        self.refused("0A000", "unsupported frontend protocol 4.1: server supports 3.0 to 3.0", protocol=(4 << 16) + 1)
        self.refused("28000", "no PostgreSQL user name specified in startup packet", user="")
        self.refused("28000", 'role "nobody" does not exist', user="nobody")
        self.refused("3D000", 'database "nowhere" does not exist', database="nowhere")
        self.refused("42704", 'unrecognized configuration parameter "nonsense"', nonsense="1")
        self.refused("22023", "invalid value for parameter", DateStyle="nonsense")
        error = self.refused("0A000", "replication", replication="database")
        self.assertIn("walden basebackup", error["H"])

    def test_malformed_start_up(self):
        client = self.client(start=False)
        client.socket.sendall(int32(14, 3 << 16) + b"user\0x")
        self.fatal(client.until("E"), "08P01", "invalid startup packet layout: expected terminator as last byte")
        for packet in (int32(4, 0), int32(100000000, 3 << 16), b"GET / HTTP/1.1\r\n\r\n"):
            client = self.client(start=False)
            client.socket.sendall(packet)
            self.assertTrue(client.at_end(), packet)

    def test_passwords(self):
        client = self.client(start=False)
        client.send_startup(user="plain")
        self.assertEqual(client.read().body, int32(3))
        client.send("p", text("wrong"))
        self.fatal(client.until("E"), "28P01", 'password authentication failed for user "plain"')
        client = self.client(start=False)
        client.send_startup(user="plain")
        client.read()
        client.send("p", text("pass"))
        self.assertEqual(kinds(client.until("Z"))[-1], "Z")
        client = self.client(start=False)
        client.send_startup(user="secretive")
        self.assertEqual(client.read().body, int32(10) + b"SCRAM-SHA-256\0\0")
        client.send("Q", text("SELECT 1"))
        self.fatal(client.until("E"), "08P01", "expected SASL response, got message type 81")
        client = self.client(start=False)
        client.send_startup(user="secretive")
        client.read()
        client.send("p", text("SCRAM-SHA-999") + int32(0))
        self.fatal(client.until("E"), "08P01", "client selected an invalid SASL authentication mechanism")
        client = self.client(start=False)
        client.send_startup(user="secretive")
        client.read()
        client.send("p", text("SCRAM-SHA-256") + int32(3) + b"xyz")
        self.fatal(client.until("E"), "08P01", "malformed SCRAM message")

    def test_too_many_clients(self):
        wait_until(lambda: self.node.value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'") == "1",
                   "sessions of before to end")
        clients = []
        while len(clients) < 40:
            client = self.client(start=False)
            clients.append(client)
            client.send_startup(user="alice")
            messages = client.until("Z")
            if messages[-1].kind == "E":
                self.fatal(messages, "53300", "remaining connection slots are reserved for non-replication superuser connections")
                break
        for _ in range(5):  # two, or more when sessions of before have ended meanwhile
            clients.append(self.client(start=False))
            clients[-1].send_startup()
            messages = clients[-1].until("Z")
            if messages[-1].kind == "E":
                break
        self.fatal(messages, "53300", "sorry, too many clients already")
        for client in clients:
            client.socket.close()
        wait_until(self.node.accepts_connections, "room for clients")

    def test_limits_of_roles_and_databases(self):
        self.node.sql("CREATE ROLE few LOGIN CONNECTION LIMIT 1; CREATE DATABASE small CONNECTION LIMIT 1")
        with WireClient(self.node.port, user="few"):
            self.refused("53300", 'too many connections for role "few"', user="few")
        with WireClient(self.node.port, user="alice", database="small"):
            self.refused("53300", 'too many connections for database "small"', user="alice", database="small")

    def test_settings_of_roles_and_databases(self):
        self.node.sql("""CREATE ROLE set LOGIN; CREATE DATABASE setdb;
                         ALTER ROLE set SET work_mem = '5MB'; ALTER DATABASE setdb SET work_mem = '6MB';
                         ALTER ROLE set IN DATABASE setdb SET work_mem = '7MB'; ALTER DATABASE setdb SET custom.word = 'x y';
                         ALTER ROLE ALL SET log_temp_files = 77""")
        for user, database, expected in (("set", "postgres", b"5MB"), ("alice", "setdb", b"6MB"), ("set", "setdb", b"7MB")):
            client = self.client(user=user, database=database)
            self.assertEqual(client.rows("SHOW work_mem"), [[expected]])
            client.query("SET work_mem = '1MB'")
            client.query("RESET work_mem")
            self.assertEqual(client.rows("SHOW work_mem"), [[expected]])
        self.assertEqual(self.client(user="set", database="setdb", work_mem="9MB").rows("SHOW work_mem"), [[b"9MB"]])
        self.assertEqual(self.client(user="alice", database="setdb").rows("SELECT current_setting('custom.word')"), [[b"x y"]])
        self.node.sql("ALTER ROLE ALL RESET log_temp_files")


class ExtendedTest(ProtocolCase):
    def test_sequence(self):
        client = self.client()
        client.parse("SELECT $1::int4 + 1 AS next, $2 AS word", types=(0, TEXT))
        client.describe("S")
        client.bind((b"41", b"x"))
        client.describe("P")
        client.execute()
        client.sync()
        messages = client.until("Z")
        self.assertEqual(kinds(messages), "1tT2TDCZ")
        self.assertEqual(messages[1].body, int16(2) + int32(INT4, TEXT))
        self.assertEqual(messages[2].columns(), [("next", INT4, 0), ("word", TEXT, 0)])
        self.assertEqual(messages[5].row(), [b"42", b"x"])
        self.assertEqual(messages[6].body, b"SELECT 1\0")

    def test_binary_values(self):
        client = self.client()
        client.parse("SELECT $1::int4, $2::bytea, $3::int8[], $4::float8, $5::text, $6::timestamptz, $7::numeric")
        array = int32(1, 0, 20, 2, 1) + int32(8) + struct.pack("!q", 5) + int32(8) + struct.pack("!q", 6)
        values = (int32(7), b"\0\xff", array, struct.pack("!d", 1.5), "é".encode(), struct.pack("!q", 0), int16(2, 0, 0, 2, 1, 5000))
        client.bind(values, formats=(1,), results=(1,))
        client.execute()
        client.bind(values, formats=(1,) * 7, results=(0, 0, 0, 0, 1, 0, 0))
        client.execute()
        client.sync()
        rows = [m.row() for m in client.until("Z") if m.kind == "D"]
        self.assertEqual(tuple(rows[0]), values)
        self.assertEqual(rows[1][:5], [b"7", b"\\x00ff", b"{5,6}", b"1.5", "é".encode()])
        self.assertEqual(rows[1][6], b"1.50")

    def test_row_limits_suspend_a_portal(self):
        client = self.client()
        client.parse("SELECT i FROM generate_series(1, 5) i")
        client.bind(portal="p")
        client.execute(2, "p")
        client.execute(2, "p")
        client.execute(2, "p")
        client.sync()
        messages = client.until("Z")
        self.assertEqual(kinds(messages), "12DDsDDsDCZ")
        self.assertEqual(messages[-2].body, b"SELECT 1\0")

    def test_suspended_portal_lives_to_the_end_of_its_transaction(self):
        client = self.client()
        client.query("BEGIN")
        client.parse("SELECT i FROM generate_series(1, 3) i", "s")
        client.bind(portal="p", name="s")
        client.execute(1, "p")
        client.sync()
        self.assertEqual(kinds(client.until("Z")), "12DsZ")
        client.execute(0, "p")
        client.sync()
        self.assertEqual(kinds(client.until("Z")), "DDCZ")
        client.query("COMMIT")
        client.execute(0, "p")
        client.sync()
        self.assertEqual(self.error_of(client.until("Z"))["C"], "34000")

    def test_flush_sends_without_sync(self):
        client = self.client()
        client.parse("SELECT 1")
        client.flush()
        self.assertEqual(client.read().kind, "1")
        client.bind()
        client.flush()
        self.assertEqual(client.read().kind, "2")
        client.execute()
        client.flush()
        self.assertEqual([client.read().kind for _ in range(2)], ["D", "C"])
        client.sync()
        self.assertEqual(client.read().body, b"I")

    def test_close_and_missing_names(self):
        client = self.client()
        client.parse("SELECT 1", "s")
        client.close("S", "s")
        client.close("S", "never")
        client.close("P", "never")
        client.sync()
        self.assertEqual(kinds(client.until("Z")), "1333Z")
        client.bind(name="s")
        client.sync()
        error = self.error_of(client.until("Z"))
        self.assertEqual((error["C"], error["M"]), ("26000", 'prepared statement "s" does not exist'))
        client.describe("P", "none")
        client.sync()
        error = self.error_of(client.until("Z"))
        self.assertEqual((error["C"], error["M"]), ("34000", 'portal "none" does not exist'))
        client.parse("SELECT 1", "twice")
        client.parse("SELECT 1", "twice")
        client.sync()
        self.assertEqual(self.error_of(client.until("Z"))["C"], "42P05")

    def test_empty_query(self):
        client = self.client()
        self.assertEqual(kinds(client.query("")), "IZ")
        client.parse("")
        client.bind()
        client.describe("P")
        client.execute()
        client.sync()
        self.assertEqual(kinds(client.until("Z")), "12nIZ")

    def test_statements_without_rows(self):
        client = self.client()
        client.parse("CREATE TEMP TABLE t (a int)")
        client.describe("S")
        client.bind()
        client.execute()
        client.sync()
        messages = client.until("Z")
        self.assertEqual(kinds(messages), "1tn2CZ")
        self.assertEqual(messages[4].body, b"CREATE TABLE\0")

    def test_wrong_parameter_counts(self):
        client = self.client()
        client.parse("SELECT $1::int")
        client.bind((b"1", b"2"))
        client.sync()
        error = self.error_of(client.until("Z"))
        self.assertEqual((error["C"], error["M"]),
                         ("08P01", 'bind message supplies 2 parameters, but prepared statement "" requires 1'))
        client.parse("SELECT $1::int")
        client.bind((b"1",), formats=(0, 0))
        client.sync()
        self.assertEqual(self.error_of(client.until("Z"))["M"], "bind message has 2 parameter formats but 1 parameters")

    def test_bad_parameter_values(self):
        client = self.client()
        client.parse("SELECT $1::int")
        client.bind((b"x",))
        client.sync()
        error = self.error_of(client.until("Z"))
        self.assertEqual((error["C"], error["M"]), ("22P02", 'invalid input syntax for type integer: "x"'))
        client.parse("SELECT $1::int")
        client.bind((b"123",), formats=(1,))
        client.sync()
        self.assertIn(self.error_of(client.until("Z"))["C"], ("08P01", "22P03"))

    def test_transaction_status(self):
        client = self.client()
        self.assertEqual(client.query("BEGIN")[-1].body, b"T")
        self.assertEqual(client.query("SELECT 1/0")[-1].body, b"E")
        error = self.error_of(client.query("SELECT 1"))
        self.assertEqual((error["C"], error["M"]),
                         ("25P02", "current transaction is aborted, commands ignored until end of transaction block"))
        self.assertEqual(client.query("ROLLBACK")[-1].body, b"I")


class PipelineTest(ProtocolCase):
    def test_many_statements_before_one_sync(self):
        client = self.client()
        client.query("CREATE TABLE p (a int PRIMARY KEY)")
        for i in range(200):
            client.parse("INSERT INTO p VALUES ($1)", types=(INT4,))
            client.bind((str(i).encode(),))
            client.execute()
        client.sync()
        self.assertEqual(kinds(client.until("Z")), "12C" * 200 + "Z")
        self.assertEqual(client.rows("SELECT count(*) FROM p"), [[b"200"]])

    def test_error_skips_to_sync_and_undoes_the_sequence(self):
        client = self.client()
        client.query("CREATE TABLE q (a int PRIMARY KEY)")
        for value in (b"1", b"2", b"1", b"3"):
            client.parse("INSERT INTO q VALUES ($1)", types=(INT4,))
            client.bind((value,))
            client.execute()
        client.sync()
        client.parse("INSERT INTO q VALUES (9)")
        client.bind()
        client.execute()
        client.sync()
        messages = client.until("Z")
        self.assertEqual(kinds(messages), "12C12C12EZ")
        self.assertEqual(self.error_of(messages)["C"], "23505")
        self.assertEqual(kinds(client.until("Z")), "12CZ")
        self.assertEqual(client.rows("SELECT a FROM q"), [[b"9"]])

    def test_each_sync_is_a_transaction(self):
        client = self.client()
        client.query("CREATE TABLE r (a int PRIMARY KEY)")
        for value in (b"1", b"1", b"2"):
            client.parse("INSERT INTO r VALUES ($1)", types=(INT4,))
            client.bind((value,))
            client.execute()
            client.sync()
        self.assertEqual([kinds(client.until("Z")) for _ in range(3)], ["12CZ", "12EZ", "12CZ"])
        self.assertEqual(client.rows("SELECT a FROM r ORDER BY a"), [[b"1"], [b"2"]])

    def test_simple_queries_in_a_row(self):
        client = self.client()
        for i in range(50):
            client.send("Q", text(f"SELECT {i}"))
        for i in range(50):
            self.assertEqual([m.row() for m in client.until("Z") if m.kind == "D"], [[str(i).encode()]])

    def test_several_statements_in_one_query_are_one_transaction(self):
        client = self.client()
        messages = client.query("CREATE TABLE one (a int); INSERT INTO one VALUES (1); SELECT 1/0; SELECT 2")
        self.assertEqual(kinds(messages), "CCEZ")
        self.assertEqual(self.error_of(client.query("SELECT * FROM one"))["C"], "42P01")

    def test_large_pipeline_does_not_block_both_sides(self):
        client = self.client()
        amount, wide = 400, "x" * 20000

        def write():
            for _ in range(amount):
                client.send("Q", text(f"SELECT '{wide}'"))
        writer = threading.Thread(target=write)
        writer.start()
        for _ in range(amount):
            self.assertEqual(kinds(client.until("Z")), "TDCZ")
        writer.join()


class BadBytesTest(ProtocolCase):
    """That connection ends (or only the statement fails); the node and others do not notice."""

    def setUp(self):
        self.witness = self.client()

    def tearDown(self):
        self.assertEqual(self.witness.rows("SELECT 1"), [[b"1"]])

    def test_unknown_message_types(self):
        for kind in (b"z", b"\0", b"\xff"):
            client = self.client()
            client.socket.sendall(kind + int32(4))
            self.fatal(client.until("E"), "08P01", f"invalid frontend message type {kind[0]}")
            self.assertTrue(client.at_end())

    def test_wrong_lengths(self):
        for length in (0, 3, -1, 0x7fffffff):
            client = self.client()
            client.socket.sendall(b"Q" + int32(length) + b"SELECT 1\0")
            client.until("E")
            self.assertTrue(client.at_end(), length)

    def test_message_that_ends_too_early(self):
        for kind, body in (("Q", b"SELECT 1"), ("P", b"x"), ("B", b"\0\0" + int16(5)), ("E", b"\0"), ("D", b"S"),
                           ("B", b"\0\0" + int16(0, 1) + int32(1000) + b"x")):
            client = self.client()
            client.send(kind, body)
            client.sync()
            error = self.error_of(client.until("Z"))
            self.assertEqual(error["C"], "08P01", (kind, body, error))

    def test_half_a_message_then_silence(self):
        client = self.client()
        client.socket.sendall(b"Q" + int32(100) + b"SELECT")
        client.socket.shutdown(socket.SHUT_WR)
        self.assertTrue(client.at_end())

    def test_invalid_utf8(self):
        client = self.client()
        for query in (b"SELECT '\xff'", b"SELECT '\xc3'", b"SELECT '\xed\xa0\x80'", b"SELECT '\xf5\x80\x80\x80'"):
            error = self.error_of(client.query(query))
            self.assertEqual(error["C"], "22021")
            self.assertIn('invalid byte sequence for encoding "UTF8": 0x', error["M"])
        client.parse("SELECT $1::text")
        client.bind((b"\xff",))
        client.sync()
        self.assertEqual(self.error_of(client.until("Z"))["C"], "22021")
        client.parse("SELECT $1::text")
        client.bind((b"\xff",), formats=(1,))
        client.sync()
        self.assertEqual(self.error_of(client.until("Z"))["C"], "22021")
        self.assertEqual(self.error_of(client.query(b"SELECT '" + "é".encode()[:1] + b"'"))["C"], "22021")

    def test_nul_in_values(self):
        client = self.client()
        client.parse("SELECT $1::text")
        client.bind((b"a\0b",), formats=(1,))
        client.sync()
        self.assertEqual(self.error_of(client.until("Z"))["C"], "22021")

    def test_random_bytes(self):
        import random
        generator = random.Random(4711)
        for _ in range(60):
            client = self.client()
            client.socket.sendall(bytes(generator.randrange(256) for _ in range(generator.randrange(1, 300))))
            client.socket.shutdown(socket.SHUT_WR)
            try:
                while client.socket.recv(65536):
                    pass
            except ConnectionResetError:
                pass

    def test_mutated_sequences(self):
        import random
        generator = random.Random(815)
        body = text("") + text("SELECT $1::int, $2::text") + int16(2) + int32(23, 25)
        bind = text("") * 2 + int16(0, 2) + int32(1) + b"5" + int32(1) + b"x" + int16(0)
        good = b"".join(k + int32(len(b) + 4) + b for k, b in (
            (b"P", body), (b"B", bind), (b"D", b"P\0"), (b"E", b"\0" + int32(0)), (b"S", b"")))
        for _ in range(150):
            bad = bytearray(good)
            for _ in range(generator.randrange(1, 4)):
                bad[generator.randrange(len(bad))] = generator.randrange(256)
            client = self.client()
            client.socket.sendall(bytes(bad))
            client.socket.shutdown(socket.SHUT_WR)
            try:
                while client.socket.recv(65536):
                    pass
            except ConnectionResetError:
                pass

    def test_messages_that_do_not_belong_here(self):
        client = self.client()
        client.send("d", b"copy data")
        client.send("c")
        client.send("f", text("no"))
        self.assertEqual(client.rows("SELECT 1"), [[b"1"]])
        client.send("p", text("password"))
        self.fatal(client.until("E"), "08P01", "invalid frontend message type 112")


class CancelTest(ProtocolCase):
    def test_cancel_stops_a_statement(self):
        client = self.client()
        client.send("Q", text("SELECT pg_sleep(60)"))
        wait_until(lambda: "SELECT" in str(self.node.children()) or "active" in str(self.node.children()), "the statement to run")
        cancel(self.node.port, client.pid, client.key)
        error = self.error_of(client.until("Z"))
        self.assertEqual((error["C"], error["M"]), ("57014", "canceling statement due to user request"))
        self.assertEqual(client.rows("SELECT 1"), [[b"1"]])

    def test_wrong_key_and_idle_session(self):
        client = self.client()
        cancel(self.node.port, client.pid, client.key ^ 1)
        cancel(self.node.port, 1, 1)
        cancel(self.node.port, client.pid, client.key)
        self.assertEqual(client.rows("SELECT pg_sleep(0.05), 1"), [[b"", b"1"]])

    def test_functions(self):
        client = self.client()
        client.send("Q", text("SELECT pg_sleep(60)"))
        other = self.client()
        wait_until(lambda: "active" in str(self.node.children()), "the statement to run")
        self.assertEqual(other.rows(f"SELECT pg_cancel_backend({client.pid})"), [[b"t"]])
        self.assertEqual(self.error_of(client.until("Z"))["C"], "57014")
        self.assertEqual(other.rows(f"SELECT pg_terminate_backend({client.pid})"), [[b"t"]])
        self.fatal(client.until("E"), "57P01", "terminating connection due to administrator command")
        self.assertTrue(client.at_end())


class CopyTest(ProtocolCase):
    def setUp(self):
        self.table = self.client()
        self.table.query("CREATE TEMP TABLE c (a int, b text)")

    def test_in_and_out(self):
        client = self.table
        client.send("Q", text("COPY c FROM STDIN"))
        self.assertEqual(client.read().body, b"\0" + int16(2, 0, 0))
        client.send("d", b"1\to")
        client.send("d", b"ne\n2\ttwo\n\\.\n")
        client.send("c")
        self.assertEqual(kinds(client.until("Z")), "CZ")
        messages = client.query("COPY c TO STDOUT")
        self.assertEqual(kinds(messages), "HddcCZ")
        self.assertEqual(b"".join(m.body for m in messages if m.kind == "d"), b"1\tone\n2\ttwo\n")

    def test_rows_in_messages_of_any_size(self):
        """Where messages end and how they arrive means nothing: a row each, many rows, parts of rows, none."""
        chance = random.Random(7)
        rows = [f"{i}\t{'x' * chance.choice((0, 1, 30, 2000))}{i}\n".encode() for i in range(600)]
        data = b"".join(rows)
        pieces = list(rows)
        for most in (3, 200, 1500, 20000):
            at = 0
            while at < len(data) and len(pieces) < 3000:
                size = chance.randrange(most + 1)
                pieces.append(data[at:at + size])
                at += size
            pieces.append(data[at:])
        stream = b""
        for piece in pieces:
            stream += b"d" + int32(len(piece) + 4) + piece
            if chance.random() < 0.01:
                stream += b"H" + int32(4)
        client = self.table
        for step in (len(stream), 4099):
            client.query("TRUNCATE c")
            client.send("Q", text("COPY c FROM STDIN"))
            client.read()
            for at in range(0, len(stream), step):
                client.socket.sendall(stream[at:at + step])
            client.send("c")
            self.assertEqual(kinds(client.until("Z")), "CZ")
            self.assertEqual(client.rows("SELECT count(*), count(DISTINCT a), sum(length(b)) FROM c"),
                             [[b"3000", b"600", str(5 * (len(data) - sum(row.index(b"\t") + 2 for row in rows))).encode()]])

    def test_client_fails(self):
        client = self.table
        client.send("Q", text("COPY c FROM STDIN"))
        client.read()
        client.send("d", b"1\tone\n")
        client.send("f", text("changed my mind"))
        error = self.error_of(client.until("Z"))
        self.assertEqual((error["C"], error["M"]), ("57014", "COPY from stdin failed: changed my mind"))
        self.assertEqual(client.rows("SELECT count(*) FROM c"), [[b"0"]])

    def test_bad_data_fails_and_the_rest_is_skipped(self):
        client = self.table
        client.send("Q", text("COPY c FROM STDIN"))
        client.read()
        client.send("d", b"x\tone\n")
        client.send("d", b"2\ttwo\n")
        client.send("c")
        error = self.error_of(client.until("Z"))
        self.assertEqual(error["C"], "22P02")
        self.assertIn('COPY c, line 1, column a: "x"', error["W"])
        self.assertEqual(client.rows("SELECT count(*) FROM c"), [[b"0"]])

    def test_wrong_message_during_copy(self):
        client = self.table
        client.send("Q", text("COPY c FROM STDIN"))
        client.read()
        client.send("Q", text("SELECT 1"))
        error = client.until("E")[-1].fields()
        self.assertEqual(error["C"], "08P01")
        self.assertIn("unexpected message type 0x51 during COPY from stdin", error["M"])


class TimeoutTest(ProtocolCase):
    def test_idle_sessions(self):
        client = self.client()
        client.query("SET idle_session_timeout = 50")
        self.fatal(client.until("E"), "57P05", "terminating connection due to idle-session timeout")
        self.assertTrue(client.at_end())
        client = self.client()
        client.query("SET idle_in_transaction_session_timeout = 50; BEGIN")
        self.fatal(client.until("E"), "25P03", "terminating connection due to idle-in-transaction timeout")

    def test_statement(self):
        client = self.client()
        client.query("SET statement_timeout = 50")
        error = self.error_of(client.query("SELECT pg_sleep(30)"))
        self.assertEqual((error["C"], error["M"]), ("57014", "canceling statement due to statement timeout"))
        self.assertEqual(client.rows("SELECT 1"), [[b"1"]])

    def test_lock(self):
        holder, waiter = self.client(), self.client()
        holder.query("CREATE TABLE locked (a int)")
        holder.query("BEGIN; LOCK TABLE locked")
        waiter.query("SET lock_timeout = 50")
        error = self.error_of(waiter.query("SELECT * FROM locked"))
        self.assertEqual((error["C"], error["M"]), ("55P03", "canceling statement due to lock timeout"))
        holder.query("COMMIT")

    def test_client_that_has_gone(self):
        client = self.client()
        client.query("SET client_connection_check_interval = 50")
        client.send("Q", text("SELECT pg_sleep(60)"))
        wait_until(lambda: any(pid == client.pid and "active" in title for pid, title in self.node.children().items()), "the statement to run")
        client.socket.close()
        wait_until(lambda: client.pid not in self.node.children(), "the session to end", 20)
        self.assertIn("connection to client lost", self.node.log_text())

    def test_authentication(self):
        self.node.sql("ALTER SYSTEM SET authentication_timeout = 1")
        self.reload()
        client = self.client(start=False)
        client.send_startup(user="plain")
        client.read()
        self.fatal(client.until("E"), "57014", "canceling authentication due to timeout")
        self.node.sql("ALTER SYSTEM RESET ALL")
        self.reload()


COPY_BINARY = b"PGCOPY\n\xff\r\n\0" + int32(0, 0)


class EncodingTest(ProtocolCase):
    def test_latin1(self):
        client = self.client(client_encoding="LATIN1")
        self.assertEqual(client.parameters["client_encoding"], "LATIN1")
        self.assertEqual(client.rows(b"SELECT '\xe9', length('\xe9')"), [[b"\xe9", b"1"]])
        error = self.error_of(client.query("SELECT chr(8364)"))
        self.assertEqual(error["C"], "22P05")
        self.assertIn('character with byte sequence 0xe2 0x82 0xac in encoding "UTF8" has no equivalent in encoding "LATIN1"', error["M"])
        self.assertIn(b"\xe9\0", client.query(b"SELECT 1 AS \xe9")[0].body)
        client.query("SET client_encoding = UTF8")
        self.assertEqual(client.rows("SELECT 'é'"), [["é".encode()]])

    def test_sql_ascii_and_unknown(self):
        client = self.client(client_encoding="SQL_ASCII")
        self.assertEqual(client.rows("SELECT 'é'"), [["é".encode()]])
        error = self.error_of(client.query("SET client_encoding = 'nonsense'"))
        self.assertEqual((error["C"], error["M"]), ("22023", 'invalid value for parameter "client_encoding": "nonsense"'))

    def test_binary_values(self):
        """The text within values in binary form is the client's as well: parameters, results, and what send functions make."""
        client = self.client(client_encoding="LATIN1")
        array = int32(1, 0, 25, 1, 1) + int32(1) + b"\xe9"
        values = (b"\xe9", array, b'\x01{"\xe9": 1}', b'"\xe9"', b"\xe9 ", b"\xe9")
        client.parse("SELECT $1::text, $2::text[], $3::jsonb, $4::json, $5::bpchar, $6::name, length($1), length($5::text), row($1)")
        client.bind(values, formats=(1,), results=(1,))
        client.execute()
        client.sync()
        row = next(m.row() for m in client.until("Z") if m.kind == "D")
        self.assertEqual(row[:6], list(values))
        self.assertEqual(row[6:8], [int32(1), int32(1)])
        self.assertEqual(row[8], int32(1, 25, 1) + b"\xe9")
        self.assertEqual(client.rows(b"SELECT textsend('\xe9'), jsonb_send('\"\xe9\"')"), [[b"\\xe9", b"\\x0122e922"]])
        client.parse("SELECT chr(8364)")
        client.bind(results=(1,))
        client.execute()
        client.sync()
        self.assertEqual(self.error_of(client.until("Z"))["C"], "22P05")
        client.query("SET client_encoding = SJIS")
        client.parse("SELECT $1::text")
        client.bind((b"\x83\xff",), formats=(1,))
        client.sync()
        error = self.error_of(client.until("Z"))
        self.assertEqual((error["C"], error["M"]), ("22021", 'invalid byte sequence for encoding "SJIS": 0x83 0xff'))

    def copy_in(self, client, statement, *parts):
        client.send("Q", text(statement))
        client.until("G")
        for part in parts:
            client.send("d", part)
        client.send("c")
        return client.until("Z")

    def test_copy(self):
        """COPY speaks the client's encoding, or that of its option, in files too; characters may lie across messages."""
        client = self.client(client_encoding="SJIS")
        client.query("CREATE TABLE copied (a text, b int)")
        self.copy_in(client, "COPY copied FROM STDIN", b"\x83\x4e\t1\n\x83", b"\x4e\x83\x4e\t2\n")
        self.copy_in(client, "COPY copied FROM STDIN (ENCODING 'LATIN1')", b"\xe9\t3\n")
        self.copy_in(client, "COPY copied FROM STDIN (FORMAT binary)", COPY_BINARY + int16(2) + int32(2) + b"\x83\x4e" + int32(4, 4) + int16(-1))
        error = self.error_of(self.copy_in(client, "COPY copied FROM STDIN", b"\x83\x4e\t5\n\x83"))
        self.assertEqual(error["C"], "22021")
        client.query("SET client_encoding = UTF8")
        self.assertEqual(client.rows("SELECT a, b FROM copied ORDER BY b"),
                         [["ク".encode(), b"1"], ["クク".encode(), b"2"], ["é".encode(), b"3"], ["ク".encode(), b"4"]])
        out = client.query("COPY (SELECT a FROM copied WHERE b < 3) TO STDOUT (ENCODING 'SJIS')")
        self.assertEqual(b"".join(m.body for m in out if m.kind == "d"), b"\x83\x4e\n\x83\x4e\x83\x4e\n")
        file = self.node.data / "copied"
        client.query("SET client_encoding = SJIS")
        client.query(f"COPY (SELECT a FROM copied WHERE b = 2) TO '{file}'")
        self.assertEqual(file.read_bytes(), b"\x83\x4e\x83\x4e\n")
        client.query(f"COPY copied (a) FROM '{file}'")
        client.query("SET client_encoding = UTF8")
        self.assertEqual(client.rows("SELECT a FROM copied WHERE b IS NULL"), [["クク".encode()]])
        file.unlink()
        error = self.error_of(client.query("COPY (SELECT 'é') TO STDOUT (ENCODING 'SJIS')"))
        self.assertEqual(error["C"], "22P05")
        client.query("DROP TABLE copied")


if __name__ == "__main__":
    unittest.main(verbosity=1)
