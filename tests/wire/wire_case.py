"""What the wire tests share: one node for a test class, started before its first test and checked and removed after its last."""
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import REPOSITORY, Cluster, wait_until  # noqa: E402

SKIPPED = 77  # for ctest


class NodeCase(unittest.TestCase):
    """`node` runs for all classes below the one that defines prepare() or fill(): started before their first test, checked and removed after the
    last one of the file. prepare() may configure it before it starts, fill() load it afterwards."""

    nodes = {}

    @classmethod
    def prepare(cls):
        pass

    @classmethod
    def fill(cls):
        pass

    @classmethod
    def setUpClass(cls):
        owner = next(c for c in cls.__mro__ if "prepare" in vars(c) or "fill" in vars(c))
        if owner not in NodeCase.nodes:
            NodeCase.nodes[owner] = owner.start_node()
        cls.cluster, cls.node = NodeCase.nodes[owner]

    @classmethod
    def start_node(cls):
        cls.cluster = Cluster()
        cls.node = cls.cluster.node("primary")
        try:
            cls.node.init()
            cls.prepare()
            cls.node.start()
            cls.fill()
        except BaseException:
            cls.cluster.__exit__(*sys.exc_info())
            raise
        unittest.addModuleCleanup(cls.stop_node, cls.cluster, cls.node)
        return cls.cluster, cls.node

    @staticmethod
    def stop_node(cluster, node):
        try:
            if node in cluster.running:
                node.stop()
        finally:
            cluster.__exit__(None, None, None)

    def hba(self, *lines):
        """Other access rules, in force for new connections when this returns."""
        (self.node.data / "pg_hba.conf").write_text("local all all trust\n" + "\n".join(lines) + "\n")
        self.reload()

    def reload(self):
        """Returns when clients that come now meet the files as they are now."""
        line = "reloading configuration files"
        before = self.node.log_text().count(line)
        self.node.walden("reload", "-D", self.node.data)
        wait_until(lambda: self.node.log_text().count(line) > before, "the reload")

    def connect_psql(self, conninfo: str, sql="SELECT 1", env=None, **kwargs):
        """psql with a connection string; the finished process."""
        return subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose", "-d", conninfo, "-c", sql], capture_output=True,
                              text=True, timeout=60, env={**os.environ, **(env or {})}, **kwargs)
