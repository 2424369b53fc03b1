#!/usr/bin/env python3
"""Dumps: one of a real PostgreSQL restores; pg_dump of the node says the same again; a dump of the node restores into it."""
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

from wire_case import SKIPPED, NodeCase

HERE = pathlib.Path(__file__).resolve().parent / "dump"
ROLES = "CREATE ROLE shop_owner; CREATE ROLE shop_reader; CREATE ROLE shop_writer"


def find(tool: str) -> str:
    found = shutil.which(tool) or next(map(str, pathlib.Path("/usr/lib/postgresql").glob(f"15/bin/{tool}")), None)
    if found is None:
        print(f"{tool} is not installed: skipped")
        sys.exit(SKIPPED)
    return found


PG_DUMP, PG_DUMPALL, PG_RESTORE = find("pg_dump"), find("pg_dumpall"), find("pg_restore")


def statements(dump: str) -> str:
    """A dump without what names versions and random tokens."""
    return "\n".join(line for line in dump.splitlines() if not re.match(r"-- Dumped |\\(un)?restrict ", line)).strip()


class PgDumpTest(NodeCase):
    maxDiff = 4000

    @classmethod
    def fill(cls):
        cls.node.sql(ROLES)

    def run_tool(self, tool, *arguments, input=None):
        done = subprocess.run([tool, "-h", str(self.cluster.folder), "-p", str(self.node.port), "-U", "postgres", *arguments],
                              input=input, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def restore(self, database: str, dump: str):
        self.node.sql(f"CREATE DATABASE {database}")
        self.node.psql(dump, database=database)

    def dump(self, database: str, *options) -> str:
        done = self.run_tool(PG_DUMP, *options, database)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def test_dump_of_postgresql_comes_back_the_same(self):
        given = (HERE / "shop.dump").read_text()
        self.restore("shop", given)
        self.assertEqual(statements(self.dump("shop")), statements(given))
        self.restore("shop_again", self.dump("shop"))
        self.assertEqual(statements(self.dump("shop_again")), statements(given))
        self.values("shop")
        self.values("shop_again")

    def test_script_and_dump_make_the_same_database(self):
        self.restore("scripted", (HERE / "shop.sql").read_text())
        self.assertEqual(statements(self.dump("scripted", "--schema-only")),
                         statements(self.schema_only((HERE / "shop.dump").read_text())))

    def schema_only(self, dump: str) -> str:
        self.restore("reference", dump)
        return self.dump("reference", "--schema-only")

    def values(self, database):
        def ask(query):
            return self.node.sql(query, database=database)
        self.assertEqual(ask("SELECT left(name, 3), purchases, total FROM shop.totals ORDER BY name"),
                         [("Ann", "3", "162.60"), ("Bob", "4", "221.70"), ("Tab", "3", "170.10")])
        self.assertEqual(ask("SELECT count(*), sum(amount) FROM shop.line"), [("30", "465")])
        self.assertEqual(ask("SELECT nextval('shop.ticket'), nextval('shop.small'), nextval('shop.customer_id_seq')"), [("1060", "3", "4")])
        self.assertEqual(ask("INSERT INTO shop.purchase (customer_id) VALUES (1) RETURNING id"), [("110",)])
        self.assertEqual(self.node.sqlstate("INSERT INTO shop.line VALUES (1, 1)", database=database), "23503")
        self.assertEqual(self.node.sqlstate("INSERT INTO shop.customer (name) VALUES ('')", database=database), "23514")
        self.assertEqual(self.node.sqlstate("INSERT INTO shop.product (sku, title, price) VALUES ('x', 'BROT', 1)", database=database), "23505")
        self.assertEqual(self.node.sqlstate("SET ROLE shop_reader; DELETE FROM shop.line", database=database), "42501")
        self.assertEqual(self.node.sqlstate("SET ROLE shop_reader; SELECT * FROM shop.totals", database=database), "00000")

    def test_other_formats(self):
        self.restore("formats", (HERE / "shop.dump").read_text())
        expected = statements(self.dump("formats"))
        folder = self.cluster.folder / "dumps"
        folder.mkdir()
        for form, options in (("custom", []), ("directory", ["-j", "3"]), ("tar", [])):
            with self.subTest(form):
                target = folder / form
                self.run_tool(PG_DUMP, "-F", form, *options, "-f", str(target), "formats")
                self.node.sql(f"CREATE DATABASE from_{form}")
                jobs = [] if form == "tar" else ["-j", "2"]
                self.run_tool(PG_RESTORE, "-F", form, *jobs, "-d", f"from_{form}", str(target))
                self.assertEqual(statements(self.dump(f"from_{form}")), expected)
        inserts = self.dump("formats", "--inserts", "--column-inserts", "--data-only", "-t", "shop.line")
        self.assertEqual(inserts.count("INSERT INTO shop.line"), 30)

    def test_globals(self):
        self.node.sql("""CREATE ROLE chief LOGIN CREATEDB PASSWORD 'secret' VALID UNTIL '2100-01-01'; GRANT shop_reader TO chief WITH ADMIN OPTION;
                         ALTER ROLE chief SET work_mem = '7MB'""")
        dump = self.run_tool(PG_DUMPALL, "--globals-only").stdout
        self.assertIn("CREATE ROLE chief;", dump)
        self.assertRegex(dump, r"ALTER ROLE chief WITH NOSUPERUSER INHERIT NOCREATEROLE CREATEDB LOGIN NOREPLICATION NOBYPASSRLS "
                               r"PASSWORD 'SCRAM-SHA-256\$4096:[^']*' VALID UNTIL '2100-01-01 00:00:00\+00';")
        self.assertIn("GRANT shop_reader TO chief WITH ADMIN OPTION GRANTED BY postgres;", dump)
        self.assertIn("ALTER ROLE chief SET work_mem TO '7MB';", dump)


if __name__ == "__main__":
    unittest.main(verbosity=1)
