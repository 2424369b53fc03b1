#!/usr/bin/env python3
"""pg_hba_file_rules and pg_ident_file_mappings: the files as they are, line by line, with what is wrong with them; PostgreSQL's answers are
beside the files in access/. The ends of a connection, as both sides see them."""
import pathlib
import shutil
import unittest

from wire_case import NodeCase

FOLDER = pathlib.Path(__file__).resolve().parent / "access"


class ClientAccessTest(NodeCase):
    @classmethod
    def prepare(cls):
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 trust\n")

    def shown(self, view):
        lines = self.node.psql(f"SELECT * FROM {view}", extra=("-F", "|", "-P", "null=NULL")).stdout.splitlines()
        return [line.replace(f"{self.node.data}/", "DIR/") for line in lines]

    def test_files_are_shown_line_by_line(self):
        for name, view in (("pg_hba", "pg_hba_file_rules"), ("pg_ident", "pg_ident_file_mappings")):
            shutil.copyfile(FOLDER / f"{name}.conf", self.node.data / f"{name}.conf")
            self.assertEqual(self.shown(view), (FOLDER / f"{name}.out").read_text().splitlines())

    def test_ends_of_the_connection(self):
        query = ("SELECT inet_client_addr(), inet_client_port() > 0, inet_server_addr(), inet_server_port(), "
                 "(SELECT client_port FROM pg_stat_activity WHERE pid = pg_backend_pid()) = inet_client_port()")
        done = self.connect_psql(f"host=127.0.0.1 port={self.node.port} user=postgres dbname=postgres", query)
        self.assertEqual(done.stdout.strip(), f"127.0.0.1|t|127.0.0.1|{self.node.port}|t", done.stderr)


if __name__ == "__main__":
    unittest.main()
