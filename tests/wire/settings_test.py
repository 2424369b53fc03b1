#!/usr/bin/env python3
"""pg_settings against PostgreSQL's: unit, context, type, bounds, values and default of every setting that both have. A difference needs a
reason where the setting is declared (node/config/settings.def: a comment "Differs: ..." at its row), and a reason needs a difference.

usage: settings_test.py [--write SOCKET_FOLDER:PORT]     (records what PostgreSQL says, in settings/postgresql.tsv)
"""
import pathlib
import re
import subprocess
import sys
import unittest

from wire_case import REPOSITORY, NodeCase

RECORD = pathlib.Path(__file__).resolve().parent / "settings" / "postgresql.tsv"
COLUMNS = ("name", "unit", "context", "vartype", "min_val", "max_val", "enumvals", "boot_val")
QUERY = ("SELECT name, coalesce(unit, ''), context, vartype, coalesce(min_val, ''), coalesce(max_val, ''), "
         "coalesce(array_to_string(enumvals, ','), ''), coalesce(boot_val, '') FROM pg_settings ORDER BY name COLLATE \"C\"")
ROW = re.compile(r'^(// Differs: .+\n)?(?:BOOL|INT|REAL|STRING|ENUM)\(k\w+, "([^"]+)".*?(// Differs: .+)?$', re.M)


def by_name(rows):
    return {row[0]: dict(zip(COLUMNS, row)) for row in rows}


def record(server: str):
    host, port = server.rsplit(":", 1)
    done = subprocess.run(["psql", "-X", "-A", "-t", "-F", "\t", "-h", host, "-p", port, "-U", "postgres", "-d", "postgres", "-c", QUERY],
                          capture_output=True, text=True, check=True, timeout=60)
    RECORD.parent.mkdir(exist_ok=True)
    RECORD.write_text(done.stdout)


class SettingsTest(NodeCase):
    @classmethod
    def prepare(cls):
        pass  # its own node, as it comes

    def test_as_in_postgresql_or_with_a_reason(self):
        theirs = by_name(line.split("\t") for line in RECORD.read_text().splitlines())
        ours = by_name(self.node.sql(QUERY))
        declared = (REPOSITORY / "node/config/settings.def").read_text()
        reasons = {name for above, name, behind in ROW.findall(declared) if above or behind}
        self.assertGreater(len(set(theirs) & set(ours)), 200)
        del theirs["debug_assertions"]  # a fact of the build
        different = {name: [column for column in COLUMNS if ours[name][column] != theirs[name][column]]
                     for name in set(theirs) & set(ours) if ours[name] != theirs[name]}
        without_reason = [f"{name} {column}: {ours[name][column]!r}, PostgreSQL {theirs[name][column]!r}"
                          for name in sorted(set(different) - reasons) for column in different[name]]
        self.assertEqual(without_reason, [], "differences without a reason")
        self.assertEqual(sorted(reasons - set(different)), [], "reasons without a difference")


if __name__ == "__main__":
    if "--write" in sys.argv:
        record(sys.argv[sys.argv.index("--write") + 1])
    else:
        unittest.main()
