#!/usr/bin/env python3
"""psql's backslash commands: those that show the same as PostgreSQL are compared with its output, all others answer without an error.

psql_test.py --write HOST PORT writes psql/commands.out by a real PostgreSQL 15.
"""
import difflib
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent / "psql"
# What the server has of its own is another set than PostgreSQL's: an answer is enough.
LISTS = r"""
\l
\l+
\d pg_class
\d pg_stat_activity
\dS
\dtS
\dtS+
\dvS
\diS
\dsS
\dnS+
\dn+
\du+
\df
\dfS
\df+ pg_catalog.lower
\dfn
\dfa
\dfw
\dfp
\dft
\doS
\doS+ =
\daS
\daS+
\dCS+
\dC int4
\dT integer
\dT+ int4
\dA+ btree
\dAf btree int4
\dAp btree integer_ops
\df lower
\dC
\dDS+
\dTS
\dTS+
\dOS
\dO+
\dxS
\dx
\dx+
\dLS
\dLS+
\dF
\dF+
\dFd
\dFd+
\dFp
\dFp+
\dFt
\dFt+
\dy+
\des+
\dew+
\deu+
\det+
\db
\db+
\ddS
\ddp+
\dA
\dA+
\dAc
\dAc+
\dAf
\dAf+
\dAo
\dAo+
\dAp
\dAp+
\dP+
\dPi
\dRp+
\dRs+
\dX+
\dconfig
\dconfig+ *
\drds
\dg+
\dp pg_catalog.pg_class
\z pg_catalog.*
\sf pg_catalog.lower(text)
\sv pg_catalog.pg_tables
\conninfo
\dl
\dl+
\c template1
\c - postgres
\dt *.*
\d+ *.pg_index
\timing
SELECT 1;
"""


def run_psql(arguments, script: str):
    done = subprocess.run(["psql", "-X", "-a", "-U", "postgres", "-d", "postgres", *arguments], input=script, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, cwd=HERE, env={"PATH": "/usr/bin:/bin", "PGTZ": "UTC", "LC_ALL": "C.UTF-8"})
    return "\n".join(line for line in done.stdout.splitlines() if not line.startswith("LOCATION:")) + "\n"


def commands(arguments) -> str:
    return run_psql(arguments, (HERE / "commands.sql").read_text())


if __name__ == "__main__" and sys.argv[1:2] == ["--write"]:
    (HERE / "commands.out").write_text(commands(["-h", sys.argv[2], "-p", sys.argv[3]]))
    sys.exit(0)

from wire_case import NodeCase  # noqa: E402


class PsqlTest(NodeCase):
    def address(self):
        return ["-h", str(self.cluster.folder), "-p", str(self.node.port)]

    def test_same_as_postgresql(self):
        expected = (HERE / "commands.out").read_text().splitlines()
        shown = commands(self.address()).splitlines()
        different = list(difflib.unified_diff(expected, shown, "PostgreSQL", "Walden", n=2, lineterm=""))
        self.assertFalse(different, "\n" + "\n".join(different[:200]))

    def test_every_command_answers(self):
        for command in filter(None, LISTS.splitlines()):
            with self.subTest(command):
                shown = run_psql([*self.address(), "-v", "ON_ERROR_STOP=1"], command + "\n")
                self.assertNotRegex(shown, "ERROR:|FATAL:|server closed the connection")


if __name__ == "__main__":
    unittest.main(verbosity=1)
