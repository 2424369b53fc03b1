#!/usr/bin/env python3
"""Runs SQL files over the wire by psql, each in a new database of one node, and compares with the .out file beside each.

usage: run_sql.py [--keep-results FOLDER] [FILE.sql ...]     (all of this folder without arguments)

The expected output is what PostgreSQL 15 prints (database in C.UTF-8); `--server HOST:PORT` runs the files there instead, which
is how an expected file is made: `run_sql.py --server /tmp:5432 --write new.sql`. It is never made from Walden's own output.
"""
import argparse
import difflib
import os
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent / "support"))
from walden_node import Cluster  # noqa: E402

FILE_TIMEOUT_S = 60
LONG_TIMEOUT_S = 1200  # with restarts between statements


def run_file(path: pathlib.Path, host: str, port: str, keep_database=False, script: str = "", before_drop=None) -> str:
    """The output of one file (or of `script` in its place) in a new database; source locations of errors are left out.

    before_drop(database) is called before the database is dropped.
    """
    environment = {**os.environ, "PGTZ": "UTC", "PGDATESTYLE": "ISO, MDY", "PGCLIENTENCODING": "UTF8", "LC_ALL": "C"}
    connection = ["psql", "-X", "-q", "-h", host, "-p", port, "-U", "postgres"]
    database = "sql_" + path.stem
    subprocess.run([*connection, "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", f'CREATE DATABASE "{database}" TEMPLATE template0'],
                   env=environment, check=True, timeout=FILE_TIMEOUT_S)
    done = subprocess.run([*connection, "-a", "-d", database], input=(script or path.read_text()).encode(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment, timeout=FILE_TIMEOUT_S if not script else LONG_TIMEOUT_S)
    if before_drop is not None:
        before_drop(database)
    if not keep_database:
        subprocess.run([*connection, "-d", "postgres", "-c", f'DROP DATABASE "{database}"'], env=environment, timeout=FILE_TIMEOUT_S)
    lines = done.stdout.decode(errors="replace").splitlines()
    return "".join(line + "\n" for line in lines if not line.startswith("LOCATION:"))


def compare(path: pathlib.Path, got: str) -> bool:
    expected_path = path.with_suffix(".out")
    expected = expected_path.read_text()
    if got == expected:
        print(f"ok      {path.name}")
        return True
    print(f"FAILED  {path.name}")
    sys.stdout.writelines(difflib.unified_diff(expected.splitlines(True), got.splitlines(True),
                                               str(expected_path), "this run", n=6))
    return False


def run_all(files, host: str, port: str, arguments) -> bool:
    good = True
    for path in files:
        got = run_file(path, host, port)
        if arguments.keep_results:
            (pathlib.Path(arguments.keep_results) / (path.stem + ".out")).write_text(got)
        if arguments.write:
            path.with_suffix(".out").write_text(got)
        else:
            good = compare(path, got) and good
    return good


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--server", help="HOST:PORT of a running server, instead of a new node")
    parser.add_argument("--write", action="store_true", help="write the expected files; only with --server")
    parser.add_argument("--keep-results", help="folder to put the output of every file")
    arguments = parser.parse_args()
    files = arguments.files or sorted(FOLDER.glob("*.sql"))
    if arguments.write and not arguments.server:
        parser.error("--write needs --server: expected output comes from PostgreSQL")
    if arguments.server:
        host, port = arguments.server.rsplit(":", 1)
        return 0 if run_all(files, host, port, arguments) else 1
    with Cluster() as cluster:
        node = cluster.node("sql").init().start()
        good = run_all(files, str(cluster.folder), str(node.port), arguments)
        node.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
