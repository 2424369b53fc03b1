#!/usr/bin/env python3
"""Runs node_pg_test.js against a node of its own. node-pg is Debian's, or what `./dev` unpacked of it (WALDEN_NODE_PATH)."""
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

from wire_case import REPOSITORY, SKIPPED, NodeCase

DEBIAN = "/usr/share/nodejs"
UNPACKED = REPOSITORY / "build" / "node_driver" / "usr" / "share" / "nodejs"
NODE_PATH = os.pathsep.join(filter(None, [os.environ.get("WALDEN_NODE_PATH", ""), str(UNPACKED), DEBIAN]))

if not shutil.which("node") or not any((pathlib.Path(folder) / "pg").is_dir() for folder in NODE_PATH.split(os.pathsep)):
    print("node or node-pg is not installed: skipped")
    sys.exit(SKIPPED)


class NodePgTest(NodeCase):
    @classmethod
    def prepare(cls):
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")

    def test_application(self):
        done = subprocess.run(["node", pathlib.Path(__file__).with_suffix(".js")], capture_output=True, text=True, timeout=120,
                              env={**os.environ, "NODE_PATH": NODE_PATH, "NODE_HOST": str(self.cluster.folder),
                                   "NODE_PORT": str(self.node.port)})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
