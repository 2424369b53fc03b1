#!/usr/bin/env python3
"""A small application on psycopg2: what a Python program does with a database, and what it sees of errors."""
import datetime
import decimal
import io
import json
import os
import sys
import threading
import unittest
import uuid

try:
    import psycopg2
    import psycopg2.errorcodes
    import psycopg2.extensions
    import psycopg2.extras
    from psycopg2 import errors, sql
except ImportError:
    # Debian's module belongs to Debian's Python; this one may be another.
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print("psycopg2 is not installed: skipped")
    sys.exit(77)

from wire_case import NodeCase  # its folder of helpers comes first
from certificates import Authority, install  # noqa: E402


class Psycopg2Test(NodeCase):
    @classmethod
    def prepare(cls):
        cls.authority = Authority(cls.cluster.folder / "authority")
        certificate, key = cls.authority.issue("server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1")
        install(certificate, cls.node.data / "server.crt", cls.node.data / "postgresql.conf")
        install(key, cls.node.data / "server.key", cls.node.data / "postgresql.conf")
        cls.node.configure(ssl="on")
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n")

    @classmethod
    def fill(cls):
        cls.node.sql("CREATE ROLE app LOGIN PASSWORD 'secret'; CREATE SCHEMA app AUTHORIZATION app")

    def connect(self, **more):
        settings = {"host": "localhost", "hostaddr": "127.0.0.1", "port": self.node.port, "user": "app", "password": "secret",
                    "dbname": "postgres", "sslmode": "verify-full", "sslrootcert": str(self.authority.certificate),
                    "application_name": "wire", "options": "-c search_path=app,public", **more}
        connection = psycopg2.connect(**settings)
        self.addCleanup(connection.close)
        return connection

    def setUp(self):
        self.connection = self.connect()
        self.cursor = self.connection.cursor()
        self.cursor.execute("""
            CREATE TEMP TABLE person (id serial PRIMARY KEY, name text NOT NULL UNIQUE, age int CHECK (age >= 0), born date,
                                      seen timestamptz DEFAULT now(), balance numeric(12,2), tags text[], extra jsonb, photo bytea)""")
        self.connection.commit()

    def one(self, query, parameters=None):
        self.cursor.execute(query, parameters)
        return self.cursor.fetchone()[0]

    def test_connection(self):
        self.assertTrue(self.connection.info.ssl_in_use)
        self.assertEqual(self.connection.info.ssl_attribute("protocol"), "TLSv1.3")
        self.assertEqual(self.connection.server_version // 10000, 15)
        self.assertEqual(self.connection.encoding, "UTF8")
        self.assertEqual(self.connection.get_parameter_status("application_name"), "wire")
        self.assertEqual(self.one("SELECT current_user"), "app")
        with self.assertRaisesRegex(psycopg2.OperationalError, "password authentication failed"):
            self.connect(password="wrong")

    def test_types_there_and_back(self):
        values = {
            "bool": True, "int8": -2 ** 63, "float8": 1.25, "numeric": decimal.Decimal("12345678901234567890.123456789"),
            "text": "quote ' back \\ é 漢字 \U0001f600", "date": datetime.date(1582, 10, 4), "time": datetime.time(23, 59, 59, 999999),
            "timestamp": datetime.datetime(2024, 2, 29, 12, 34, 56, 789), "interval": datetime.timedelta(days=3, seconds=7),
            "int4[]": [1, None, 3], "text[]": ["a,b", 'c"d', "", None, "{}"], "date[]": [datetime.date(2020, 1, 1)],
        }
        for kind, value in values.items():
            with self.subTest(kind):
                self.assertEqual(self.one(f"SELECT CAST(%s AS {kind})", (value,)), value)
        stamp = datetime.datetime(2024, 7, 1, 12, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
        self.assertEqual(self.one("SELECT %s", (stamp,)), stamp)
        data = bytes(range(256))
        self.assertEqual(bytes(self.one("SELECT %s::bytea", (psycopg2.Binary(data),))), data)
        psycopg2.extras.register_uuid()
        identity = uuid.uuid4()
        self.assertEqual(self.one("SELECT %s", (identity,)), identity)
        self.assertEqual(self.one("SELECT 'nan'::float8") != self.one("SELECT 'nan'::float8"), True)
        self.assertIsNone(self.one("SELECT %s", (None,)))

    def test_json(self):
        document = {"a": [1, 2.5, None, True], "é": {"b": "c"}}
        self.cursor.execute("INSERT INTO person (name, extra) VALUES ('j', %s)", (psycopg2.extras.Json(document),))
        self.assertEqual(self.one("SELECT extra FROM person"), document)
        self.assertEqual(self.one("SELECT extra -> 'a' ->> 1 FROM person"), "2.5")
        self.assertEqual(json.loads(self.one("SELECT %s::json::text", (json.dumps(document),))), document)

    def test_transactions_and_savepoints(self):
        with self.connection:
            self.cursor.execute("INSERT INTO person (name) VALUES ('kept')")
        with self.assertRaises(ZeroDivisionError):
            with self.connection:
                self.cursor.execute("INSERT INTO person (name) VALUES ('lost')")
                raise ZeroDivisionError
        self.assertEqual(self.one("SELECT array_agg(name) FROM person"), ["kept"])
        self.cursor.execute("SAVEPOINT a")
        self.cursor.execute("INSERT INTO person (name) VALUES ('x')")
        with self.assertRaises(errors.UniqueViolation):
            self.cursor.execute("INSERT INTO person (name) VALUES ('x')")
        self.assertEqual(self.connection.info.transaction_status, psycopg2.extensions.TRANSACTION_STATUS_INERROR)
        with self.assertRaises(errors.InFailedSqlTransaction):
            self.cursor.execute("SELECT 1")
        self.cursor.execute("ROLLBACK TO a")
        self.assertEqual(self.one("SELECT count(*) FROM person"), 1)
        self.cursor.execute("RELEASE a")
        self.connection.commit()

    def test_isolation_and_read_only(self):
        self.connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        self.assertEqual(self.one("SHOW transaction_isolation"), "repeatable read")
        with self.assertRaises(errors.ReadOnlySqlTransaction):
            self.cursor.execute("CREATE TABLE app.forbidden (a int)")
        self.connection.rollback()

    def test_autocommit(self):
        self.connection.autocommit = True
        self.cursor.execute("INSERT INTO person (name) VALUES ('auto')")
        self.connection.rollback()
        self.assertEqual(self.one("SELECT count(*) FROM person"), 1)
        self.cursor.execute("VACUUM person")

    def test_server_side_cursors(self):
        named = self.connection.cursor("numbers")
        named.itersize = 100
        named.execute("SELECT i FROM generate_series(1, 1050) i")
        self.assertEqual([row[0] for row in named], list(range(1, 1051)))
        named.close()
        scroll = self.connection.cursor("back", scrollable=True, withhold=True)
        scroll.execute("SELECT i FROM generate_series(1, 10) i")
        self.connection.commit()
        scroll.scroll(5)
        self.assertEqual(scroll.fetchone(), (6,))
        scroll.scroll(-3)
        self.assertEqual(scroll.fetchmany(2), [(4,), (5,)])
        scroll.close()

    def test_copy(self):
        rows = "".join(f"{i}\tperson {i}\t\\N\n" for i in range(1000))
        self.cursor.copy_expert("COPY person (id, name, age) FROM STDIN", io.StringIO(rows))
        self.assertEqual(self.cursor.rowcount, 1000)
        out = io.StringIO()
        self.cursor.copy_expert("COPY (SELECT id, name, age FROM person ORDER BY id) TO STDOUT", out)
        self.assertEqual(out.getvalue(), rows)
        out = io.StringIO()
        self.cursor.copy_expert("COPY (SELECT 1 AS a, 'x,\"y' AS b, NULL AS c) TO STDOUT (FORMAT csv, HEADER)", out)
        self.assertEqual(out.getvalue(), 'a,b,c\n1,"x,""y",\n')
        self.cursor.copy_from(io.StringIO("5000\tfive\n"), "person", columns=("id", "name"))
        with self.assertRaises(errors.BadCopyFileFormat) as caught:
            self.cursor.copy_expert("COPY person (id, name) FROM STDIN", io.StringIO("1\n"))
        self.assertEqual(caught.exception.diag.context, 'COPY person, line 1: "1"')

        class Failing(io.StringIO):
            def read(self, *_):
                raise RuntimeError("disk is on fire")
        self.connection.rollback()
        with self.assertRaises(psycopg2.Error):
            self.cursor.copy_expert("COPY person (name) FROM STDIN", Failing())
        self.connection.rollback()
        self.assertEqual(self.one("SELECT count(*) FROM person"), 0)

    def test_errors_and_their_fields(self):
        with self.assertRaises(errors.UniqueViolation) as caught:
            self.cursor.execute("INSERT INTO person (name) VALUES ('a'), ('a')")
        diag = caught.exception.diag
        self.assertEqual((caught.exception.pgcode, diag.severity, diag.table_name, diag.constraint_name, diag.message_detail),
                         ("23505", "ERROR", "person", "person_name_key", "Key (name)=(a) already exists."))
        self.connection.rollback()
        with self.assertRaises(errors.NotNullViolation) as caught:
            self.cursor.execute("INSERT INTO person (age) VALUES (1)")
        self.assertEqual((caught.exception.diag.column_name, caught.exception.diag.table_name), ("name", "person"))
        self.connection.rollback()
        with self.assertRaises(errors.CheckViolation) as caught:
            self.cursor.execute("INSERT INTO person (name, age) VALUES ('a', -1)")
        self.assertEqual(caught.exception.diag.constraint_name, "person_age_check")
        self.connection.rollback()
        with self.assertRaises(errors.UndefinedColumn) as caught:
            self.cursor.execute("SELECT nmae FROM person")
        self.assertEqual((caught.exception.diag.statement_position, caught.exception.diag.message_hint),
                         ("8", 'Perhaps you meant to reference the column "person.name".'))
        self.connection.rollback()
        with self.assertRaises(errors.SyntaxError) as caught:
            self.cursor.execute("SELEC 1")
        self.assertEqual(caught.exception.diag.statement_position, "1")
        self.connection.rollback()
        for statement, error in (("SELECT 1/0", errors.DivisionByZero), ("SELECT 'x'::int", errors.InvalidTextRepresentation),
                                 ("SELECT 2147483647 + 1", errors.NumericValueOutOfRange), ("TABLE nowhere", errors.UndefinedTable),
                                 ("DROP TABLE pg_catalog.pg_class", errors.InsufficientPrivilege)):
            with self.subTest(statement), self.assertRaises(error):
                self.cursor.execute(statement)
            self.connection.rollback()

    def test_notices(self):
        self.cursor.execute("DROP TABLE IF EXISTS nothing")
        self.assertEqual(self.connection.notices[-1], 'NOTICE:  table "nothing" does not exist, skipping\n')
        self.cursor.execute("SET client_min_messages = warning; DROP TABLE IF EXISTS nothing_else")
        self.assertEqual(len(self.connection.notices), 1)

    def test_many(self):
        people = [(f"p{i}", i, decimal.Decimal(i) / 4) for i in range(500)]
        self.cursor.executemany("INSERT INTO person (name, age, balance) VALUES (%s, %s, %s)", people[:100])
        psycopg2.extras.execute_values(self.cursor, "INSERT INTO person (name, age, balance) VALUES %s", people[100:300], page_size=50)
        psycopg2.extras.execute_batch(self.cursor, "INSERT INTO person (name, age, balance) VALUES (%s, %s, %s)", people[300:])
        self.assertEqual(self.one("SELECT sum(age) FROM person"), sum(p[1] for p in people))
        returned = psycopg2.extras.execute_values(self.cursor, "INSERT INTO person (name) VALUES %s RETURNING id, name",
                                                  [("x",), ("y",)], fetch=True)
        self.assertEqual([row[1] for row in returned], ["x", "y"])
        self.cursor.execute("UPDATE person SET age = age + 1 WHERE age < 10")
        self.assertEqual(self.cursor.rowcount, 10)
        self.cursor.execute("DELETE FROM person RETURNING name")
        self.assertEqual(len(self.cursor.fetchall()), 502)

    def test_rows_as_dictionaries(self):
        cursor = self.connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        cursor.execute("SELECT 1 AS one, 'two' AS two")
        self.assertEqual(dict(cursor.fetchone()), {"one": 1, "two": "two"})
        self.assertEqual([(d.name, d.type_code) for d in cursor.description], [("one", 23), ("two", 25)])
        cursor.execute(sql.SQL("SELECT {} FROM {} WHERE name = %s").format(sql.Identifier("id"), sql.Identifier("person")), ("q",))
        self.assertEqual(cursor.fetchall(), [])

    def test_cancel(self):
        timer = threading.Timer(0.2, self.connection.cancel)
        timer.start()
        with self.assertRaises(errors.QueryCanceled):
            self.cursor.execute("SELECT pg_sleep(60)")
        timer.join()
        self.connection.rollback()
        self.assertEqual(self.one("SELECT 1"), 1)

    def test_reset_and_encodings(self):
        self.cursor.execute("SET work_mem = '1MB'")
        self.connection.commit()
        self.connection.reset()
        self.assertEqual(self.one("SHOW work_mem"), "4MB")
        self.connection.rollback()
        self.connection.set_client_encoding("LATIN1")
        self.assertEqual(self.one("SELECT %s", ("café",)), "café")
        self.assertEqual(self.one("SELECT length('é')"), 1)

    def test_a_snapshot_of_before_set_not_null(self):
        """It still sees the nulls: what is declared since says nothing of old versions."""
        other = self.connect()
        other.autocommit = True
        alter = other.cursor()
        alter.execute("CREATE TABLE app.declared (a int NOT NULL, b int, c int NOT NULL, d text)")
        alter.execute("INSERT INTO app.declared SELECT i, null, i + 1, 'x' FROM generate_series(1, 300) i")
        self.cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class LIMIT 1")
        alter.execute("UPDATE app.declared SET b = 2")
        alter.execute("ALTER TABLE app.declared ALTER b SET NOT NULL")
        self.cursor.execute("SELECT count(*), count(b), sum(c), min(d) FROM app.declared")
        self.assertEqual(self.cursor.fetchone(), (300, 0, 300 * 301 // 2 + 300, "x"))
        self.cursor.execute("SELECT a, b, c, d FROM app.declared WHERE c = 3")
        self.assertEqual(self.cursor.fetchall(), [(2, None, 3, "x")])
        self.connection.rollback()
        alter.execute("DROP TABLE app.declared")

    def test_two_sessions(self):
        other = self.connect()
        second = other.cursor()
        self.cursor.execute("CREATE TABLE app.shared (id int PRIMARY KEY, n int)")
        self.cursor.execute("INSERT INTO app.shared VALUES (1, 0)")
        self.connection.commit()
        self.cursor.execute("UPDATE app.shared SET n = 1 WHERE id = 1")
        second.execute("SELECT n FROM app.shared")
        self.assertEqual(second.fetchone(), (0,))
        second.execute("SET lock_timeout = '50ms'")
        with self.assertRaises(errors.LockNotAvailable):
            second.execute("UPDATE app.shared SET n = 2 WHERE id = 1")
        other.rollback()
        self.connection.commit()
        second.execute("SELECT n FROM app.shared FOR UPDATE SKIP LOCKED")
        self.assertEqual(second.fetchone(), (1,))
        other.rollback()
        self.cursor.execute("DROP TABLE app.shared")
        self.connection.commit()

    def test_killed_session_is_noticed(self):
        victim = self.connect()
        pid = victim.info.backend_pid
        self.node.sql(f"SELECT pg_terminate_backend({pid})")
        with self.assertRaises((psycopg2.OperationalError, psycopg2.InterfaceError)):
            for _ in range(100):
                victim.cursor().execute("SELECT pg_sleep(0.05)")
        self.assertNotEqual(victim.closed, 0)


if __name__ == "__main__":
    unittest.main(verbosity=1)
