#!/usr/bin/env python3
"""The life of a node: starting, the three ways of stopping, reloading, refusing to start, logs, limits, containers.

Messages and exit codes are PostgreSQL 15's where it has the case (taken from a real one).
"""
import contextlib
import csv
import json
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import REPLICATION_OFFSET, Cluster, Session, wait_until  # noqa: E402

CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def expect(text: str, *wanted: str):
    for part in wanted:
        assert part in text, f"missing: {part!r}\nin:\n{text}"


def start_fails(node, *wanted: str, arguments=(), kinds=("foreground", "background")):
    """Both forms of start exit with 1 and say why; in the background from the log."""
    forms = {"foreground": ["start", "-F"], "background": ["start", "-l", node.data.parent / f"{node.name}.log"]}
    for kind in kinds:
        done = node.walden(*forms[kind], "-D", node.data, *arguments, check=False)
        assert done.returncode == 1, done
        expect(done.stderr, *wanted)


# --- stopping ---------------------------------------------------------------------------------------------------------
@check
def smart_stop_waits_for_sessions(cluster, node):
    session = Session(node)
    stopping = subprocess.Popen([cluster.binary, "stop", "-D", node.data, "-m", "smart"], stdout=subprocess.PIPE, text=True,
                                **cluster.identity())
    wait_until(lambda: "the database system is shutting down" in node.psql("SELECT 1", check=False).stderr, "new sessions to be refused")
    assert session.ask("SELECT 42;") == "42" and stopping.poll() is None
    expect(node.walden("status", "-D", node.data).stdout, "status: stopping")
    session.close()
    assert stopping.wait(timeout=30) == 0
    assert stopping.communicate()[0].endswith("done\nserver stopped\n")
    node.start()


@check
def smart_stop_can_give_up(cluster, node):
    session = Session(node)
    done = node.walden("stop", "-D", node.data, "-m", "smart", "-t", "1", check=False)
    assert done.returncode == 1, done
    expect(done.stderr, "server does not shut down", 'HINT: The "-m fast" option')
    node.stop("fast")  # what asks for more wins
    session.close()
    node.start()


@check
def fast_stop_ends_sessions_and_needs_no_recovery(cluster, node):
    session = Session(node)
    session.ask("CREATE TABLE fast (n int); BEGIN; INSERT INTO fast VALUES (1); SELECT 1;")
    mark = len(node.log_text())
    node.stop("fast")
    expect(session.end(), "57P01", "terminating connection due to administrator command")
    node.start()
    expect(node.log_text()[mark:], "received fast shutdown request", "aborting any active transactions", "shutting down",
           "database system is shut down", "database system was shut down at")
    assert "recovery in progress" not in node.log_text()[mark:]
    assert node.value("SELECT count(*) FROM fast") == "0"


@check
def immediate_stop_recovers_at_the_next_start(cluster, node):
    node.psql("CREATE TABLE immediate (n int); INSERT INTO immediate VALUES (1)")
    session = Session(node)
    session.ask("BEGIN; INSERT INTO immediate VALUES (2); SELECT 1;")
    mark = len(node.log_text())
    started = time.monotonic()
    node.stop("immediate")
    assert time.monotonic() - started < 5
    session.end()
    node.start()
    expect(node.log_text()[mark:], "received immediate shutdown request", "database system was interrupted; last known up at",
           "automatic recovery in progress", "redo starts at", "redo done at")
    assert node.sql("SELECT n FROM immediate") == [("1",)]


@check
def restart_and_exit_codes(cluster, node):
    pid = node.postmaster_pid()
    assert "server started" in node.walden("restart", "-D", node.data, "-l", node.data / "server.log").stdout
    assert node.postmaster_pid() != pid
    running = node.walden("status", "-D", node.data)
    expect(running.stdout, f"server is running (PID: {node.postmaster_pid()})", "status: ready", f"port: {node.port}")
    assert node.walden("start", "-D", node.data, check=False).returncode == 1
    node.stop()
    assert node.walden("status", "-D", node.data, check=False).returncode == 3
    assert node.walden("status", "-D", "/nonexistent", check=False).returncode == 4
    for command in ("stop", "reload", "promote"):
        done = node.walden(command, "-D", node.data, check=False)
        assert done.returncode == 1 and "Is server running?" in done.stderr, done
    assert node.walden("stop", "-D", node.data, "-m", "soon", check=False).returncode == 1
    node.start()


# --- configuration ----------------------------------------------------------------------------------------------------
class changed_conf:
    """postgresql.conf with further lines, loaded; afterwards it is as before. `log` is what the reload logged."""

    def __init__(self, node, **settings):
        self.node, self.path = node, node.data / "postgresql.conf"
        self.before = self.path.read_text()
        self.lines = "".join(f"{name} = {value}\n" for name, value in settings.items())

    def reload(self, text: str, result: str) -> str:
        mark = len(self.node.log_text())
        self.path.write_text(text)
        self.node.walden("reload", "-D", self.node.data)
        wait_until(lambda: re.search(result, self.node.log_text()[mark:]), "the reload")
        time.sleep(0.2)  # whoever would repeat the complaints had the time for it
        return self.node.log_text()[mark:]

    def __enter__(self):
        self.log = self.reload(self.before + self.lines, "contains errors|changed to")
        return self

    def __exit__(self, *_):
        self.reload(self.before, "received SIGHUP")


def shown(node, setting: str) -> str:
    return node.value(f"SHOW {setting}")


@check
def reload_applies_what_is_right(cluster, node):
    with changed_conf(node, maintenance_work_mem="33MB") as conf:
        expect(conf.log, 'parameter "maintenance_work_mem" changed to "33MB"')
        assert shown(node, "maintenance_work_mem") == "33MB"
    bad = {"work_mem": "abc", "enable_sort": "maybe", "log_statement": "foo", "maintenance_work_mem": "35MB", "port": "3"}
    with changed_conf(node, **bad) as conf:
        expect(conf.log, 'LOG:  invalid value for parameter "work_mem": "abc"', 'LOG:  parameter "enable_sort" requires a Boolean value',
               'LOG:  invalid value for parameter "log_statement": "foo"', "HINT:  Available values: none, ddl, mod, all.",
               'parameter "port" cannot be changed without restarting the server',
               f'LOG:  configuration file "{node.data}/postgresql.conf" contains errors; unaffected changes were applied')
        assert conf.log.count('"work_mem": "abc"') == 1, "every process repeats what is wrong with the file"
        assert shown(node, "maintenance_work_mem") == "35MB" and shown(node, "work_mem") == "4MB"


@check
def reload_refuses_a_file_that_it_cannot_read(cluster, node):
    with changed_conf(node, nosuch_setting="4", maintenance_work_mem="36MB") as conf:
        expect(conf.log, f'LOG:  unrecognized configuration parameter "nosuch_setting" in file "{node.data}/postgresql.conf" line ',
               "contains errors; no changes were applied")
        assert shown(node, "maintenance_work_mem") == "64MB"
    with changed_conf(node, maintenance_work_mem="'37MB") as conf:
        expect(conf.log, f'LOG:  syntax error in file "{node.data}/postgresql.conf" line ', "contains errors; no changes were applied")
        assert shown(node, "maintenance_work_mem") == "64MB"


@check
def start_refuses_a_bad_configuration(cluster, node):
    node.stop()
    for line, message in (("work_mem = abc", 'invalid value for parameter "work_mem": "abc"'),
                          ("nosuch_setting = 1", 'unrecognized configuration parameter "nosuch_setting" in file'),
                          ("work_mem = '3MB", "syntax error in file"),
                          ("maintenance_work_mem = 1kB", "1 kB is outside the valid range for parameter "
                           '"maintenance_work_mem" (1024 .. 2147483647)')):
        conf = node.data / "postgresql.conf"
        before = conf.read_text()
        conf.write_text(before + line + "\n")
        start_fails(node, message, kinds=("background",))
        conf.write_text(before)
    node.start()


# --- refusals ---------------------------------------------------------------------------------------------------------
@check
def several_nodes_and_ports_in_use(cluster, node):
    other = cluster.node("other").init().start()
    assert other.value("SELECT 1") == node.value("SELECT 1") == "1"
    other.stop()
    other.configure(port=node.port)
    start_fails(other, 'could not bind IPv4 address "127.0.0.1": Address already in use',
                f"Is another postmaster already running on port {node.port}? If not, wait a few seconds and retry.", "FATAL:")
    other.configure(listen_addresses="")
    start_fails(other, f'lock file "{cluster.folder}/.s.PGSQL.{node.port}.lock" already exists', "Is another postmaster using socket file")
    assert node.value("SELECT 1") == "1"


@check
def start_returns_when_replicas_are_served(cluster, node):
    port = node.port + REPLICATION_OFFSET
    for _ in range(3):
        node.stop()
        node.start()
        socket.create_connection(("127.0.0.1", port), timeout=10).close()
    node.stop()
    with socket.create_server(("127.0.0.1", port)):  # a port that stays shut keeps nobody waiting
        node.start()
        expect(node.log_text(), f"could not listen on replication port {port}")
    node.stop()
    node.start()


@check
def data_directory_is_checked(cluster, node):
    bad = cluster.node("bad").init()
    os.chmod(bad.data, 0o755)
    start_fails(bad, f'data directory "{bad.data}" has invalid permissions', "Permissions should be u=rwx (0700) or u=rwx,g=rx (0750).")
    os.chmod(bad.data, 0o750)
    bad.start().stop()
    os.chmod(bad.data, 0o700)
    if os.getuid() == 0:
        os.chown(bad.data, 0, -1)
        os.chmod(bad.data, 0o755)
        start_fails(bad, f'data directory "{bad.data}" has wrong ownership', "started by the user that owns the data directory")
        os.chmod(bad.data, 0o700)
        os.chown(bad.data, os.stat(bad.data / "base").st_uid, -1)
        done = subprocess.run([cluster.binary, "start", "-F", "-D", bad.data], capture_output=True, text=True)
        assert done.returncode == 1 and '"root" execution of the Walden server is not permitted' in done.stderr, done
    version = (bad.data / "PG_VERSION").read_text()
    (bad.data / "PG_VERSION").write_text("14\n")
    start_fails(bad, "database files are incompatible with server", "initialized by version 14", "pg_dumpall")
    (bad.data / "PG_VERSION").write_text(version)
    control = (bad.data / "global" / "pg_control").read_bytes()
    (bad.data / "global" / "pg_control").write_bytes(bytes([control[0] ^ 1]) + control[1:])
    start_fails(bad, "FATAL:", "pg_control", kinds=("foreground",))
    (bad.data / "global" / "pg_control").write_bytes(control)
    (bad.data / "PG_VERSION").unlink()
    start_fails(bad, "is not a valid data directory", 'PG_VERSION" is missing', "walden init -D")


CONTROL_SIZE = 304  # of the struct in global/pg_control, with 4 bytes of CRC and 4 unused at its end


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


@check
def other_formats_are_refused_with_the_way_to_move(cluster, node):
    bad = cluster.node("format").init()
    path = bad.data / "global" / "pg_control"
    control = bytearray(path.read_bytes())
    control[12] ^= 0x40  # the data format's version
    path.write_bytes(control)
    start_fails(bad, "database files are incompatible with server", "format version", "walden init", kinds=("foreground",))
    # The same format, but other catalogs: a whole control file that says so.
    control[12] ^= 0x40
    path.write_bytes(control)
    version = int(re.search(r"Catalog version number: *(\d+)", bad.walden("controldata", "-D", bad.data).stdout)[1])
    at, size = control.index(struct.pack("<I", version)), CONTROL_SIZE
    control[at] ^= 1
    control[size - 8:size - 4] = struct.pack("<I", crc32c(control[:size - 8]))
    path.write_bytes(control)
    start_fails(bad, "database files are incompatible with server", f"catalog version {version ^ 1}", "walden init", kinds=("foreground",))


# --- limits -----------------------------------------------------------------------------------------------------------
@check
def files_of_nobody_go_at_the_end_of_recovery(cluster, node):
    """What no row of pg_class owns, whatever its number: tables of information_schema have small ones."""
    owned = cluster.node("owned").init().start()
    folder = owned.data / "base" / owned.value("SELECT oid FROM pg_database WHERE datname = 'postgres'")
    owned.sql("CREATE TABLE t (n int PRIMARY KEY, x text); INSERT INTO t VALUES (1); CHECKPOINT")
    small = owned.value("SELECT n FROM generate_series(16383, 1, -1) AS n WHERE NOT EXISTS (SELECT FROM pg_class"
                        " WHERE n IN (oid, relfilenode)) LIMIT 1")
    before = {path.name for path in folder.iterdir()}
    owned.kill_all()
    for name in (small, f"{small}_fsm", "99999", "99999.1", "99999_vm", "99999_init"):
        assert name not in before
        (folder / name).write_bytes(bytes(8192))
        os.chown(folder / name, os.stat(owned.data).st_uid, -1)
    owned.start()
    after = {path.name for path in folder.iterdir()}
    assert before <= after and not any(name.startswith((small, "99999")) for name in after), after ^ before
    assert owned.value("SELECT count(*) FROM t") == "1"
    assert owned.value("SELECT count(*) > 0 FROM information_schema.tables") == "t"


@check
def connections_are_limited(cluster, node):
    node.psql("CREATE ROLE bob LOGIN")
    node.stop()
    node.start("-c", "max_connections=4", "-c", "superuser_reserved_connections=2")
    with contextlib.ExitStack() as open_sessions:
        for user in ("bob", "bob"):
            open_sessions.enter_context(contextlib.closing(Session(node, user)))
        refused = node.psql("SELECT 1", user="bob", check=False)
        expect(refused.stderr, "remaining connection slots are reserved for non-replication superuser connections")
        for _ in range(2):
            open_sessions.enter_context(contextlib.closing(Session(node)))
        refused = node.psql("SELECT 1", check=False)
        expect(refused.stderr, "sorry, too many clients already")
        assert "remaining" not in refused.stderr
    wait_until(node.accepts_connections, "a free connection again")
    node.restart()


# --- memory -----------------------------------------------------------------------------------------------------------
@check
def huge_pages(cluster, node):
    huge = cluster.node("huge").init()
    total = int(re.search(r"HugePages_Total:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text()).group(1))
    for mode in ("off", "try"):
        huge.start("-c", f"huge_pages={mode}")
        assert shown(huge, "huge_pages") == mode
        huge.stop()
    if total == 0:
        start_fails(huge, "could not reserve", "of shared memory in huge pages", "vm.nr_hugepages", arguments=["-c", "huge_pages=on"])


def in_namespace(cluster, flags: str, preparation: str, command: str) -> subprocess.CompletedProcess:
    """Runs a shell command as the server account in new name spaces, after `preparation` as their root."""
    become = f"setpriv --reuid={cluster.identity()['user']} --regid={cluster.identity()['group']} --clear-groups " \
        if os.getuid() == 0 else ""
    unshare = ["unshare", *flags.split()] if os.getuid() == 0 else ["unshare", "-Ur", *flags.split()]
    return subprocess.run([*unshare, "sh", "-c", f"{preparation} {become}sh -c '{command}'"], capture_output=True, text=True,
                          cwd=cluster.folder, timeout=60)


@check
def small_dev_shm(cluster, node):
    small = cluster.node("small").init()
    mount = "mount -t tmpfs -o size=64m,mode=1777 tmpfs /dev/shm &&"
    start = f"{cluster.binary} start -F -D {small.data} -c shared_buffers="
    refused = in_namespace(cluster, "-m", mount, start + "128MB")
    assert refused.returncode == 1, refused
    assert re.search(r"FATAL:  could not reserve shared memory: \d+ MB needed, \d+ MB free in /dev/shm", refused.stderr), refused.stderr
    expect(refused.stderr, "HINT:  Reduce shared_buffers or max_connections, or enlarge /dev/shm (docker run --shm-size")
    works = in_namespace(cluster, "-m", mount,
                         f"{cluster.binary} start -D {small.data} -c shared_buffers=16MB && {cluster.binary} stop -D {small.data}")
    assert works.returncode == 0, works


@check
def first_process_of_a_container(cluster, node):
    """As PID 1 the postmaster reaps orphans of commands, and stops in order when told to."""
    first = cluster.node("first").init().configure(archive_mode="on", archive_command="(sleep 0.2; true) & exit 0")
    flags = "-pf --mount-proc"
    script = (f"exec {cluster.binary} start -F -D {first.data}")
    become = ["setpriv", f"--reuid={cluster.identity()['user']}", f"--regid={cluster.identity()['group']}", "--clear-groups"] \
        if os.getuid() == 0 else []
    unshare = ["unshare", *flags.split()] if os.getuid() == 0 else ["unshare", "-Ur", *flags.split()]
    with open(first.data / "server.log", "w") as log:
        process = subprocess.Popen([*unshare, *become, "sh", "-c", script], stderr=log, cwd=cluster.folder)
    try:
        first.wait_accepting()
        assert first.postmaster_pid() == 1
        postmaster = int(subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()[0])
        for _ in range(3):
            first.psql("CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (1); SELECT pg_switch_wal()")
        status = first.data / "pg_wal" / "archive_status"
        wait_until(lambda: len(list(status.glob("*.done"))) >= 2, "segments to be archived by commands that leave an orphan")

        def children(state):
            shown = subprocess.run(["ps", "-o", "stat=,args=", "--ppid", str(postmaster)], capture_output=True, text=True).stdout
            return [line for line in shown.splitlines() if state in line.split()[0] or "sleep" in line]
        wait_until(lambda: not children("Z"), "orphans to be reaped")
        os.kill(postmaster, signal.SIGINT)
        assert process.wait(timeout=20) == 0, (first.data / "server.log").read_text()
    finally:
        if process.poll() is None:
            subprocess.run(["pkill", "-9", "-P", str(process.pid)])
    expect((first.data / "server.log").read_text(), "database system is shut down")


# --- archive and images ----------------------------------------------------------------------------------------------
@check
def built_in_archive(cluster, node):
    """archive_library = basic_archive copies segments, leaves equal ones, and never overwrites other ones."""
    archive = cluster.folder / "archive"
    archive.mkdir()
    os.chown(archive, os.stat(node.data).st_uid, -1)
    archived = cluster.node("archived").init().configure(archive_mode="on", archive_library="basic_archive",
                                                        **{"basic_archive.archive_directory": archive}).start()

    def switch():
        archived.psql("CREATE TABLE IF NOT EXISTS t (n int); INSERT INTO t VALUES (1); SELECT pg_switch_wal()")
    switch()
    wait_until(lambda: list(archive.glob("0*")), "a segment in the archive")
    first = sorted(path.name for path in archive.glob("0*"))[0]
    wait_until(lambda: (archived.data / "pg_wal" / "archive_status" / f"{first}.done").exists(), "its status")
    following = archive / f"{int(first, 16) + 1:024X}"
    following.write_text("somebody else's")
    switch()
    wait_until(lambda: f'archive file "{following}" already exists' in archived.log_text(), "the refusal")
    assert following.read_text() == "somebody else's"
    following.unlink()
    wait_until(lambda: following.exists() and following.stat().st_size > 1 << 20, "the segment once the name is free", 90)
    assert not list(archive.glob("archtemp*"))
    archived.stop()
    start_fails(archived, 'invalid value for parameter "archive_library": "nosuch"', arguments=["-c", "archive_library=nosuch"],
                kinds=("foreground",))


@check
def page_images_are_compressed(cluster, node):
    """wal_compression makes images smaller, and recovery reads them again (and says how far it is)."""
    node.psql("CREATE TABLE images (id int, pad text); INSERT INTO images SELECT n, repeat('abc', 100) FROM generate_series(1, 3000) n")
    sizes = {}
    for method in ("off", "lz4", "zstd"):
        node.psql("CHECKPOINT")
        first, last = (int(row[0]) for row in node.sql(
            f"SET wal_compression = {method}; SELECT pg_current_wal_insert_lsn() - '0/0'; "
            "UPDATE images SET pad = upper(pad) WHERE id % 25 = 0; SELECT pg_current_wal_insert_lsn() - '0/0'"))
        sizes[method] = last - first
    assert sizes["lz4"] < sizes["off"] * 0.8 and sizes["zstd"] < sizes["off"] * 0.8, sizes
    lengths = node.sql("SELECT id, length(pad) FROM images ORDER BY id, pad")
    node.psql("CREATE TABLE much AS SELECT n, repeat('abc', 100) AS pad FROM generate_series(1, 50000) n")
    node.kill_all()
    node.configure(log_startup_progress_interval="1ms")
    node.start()
    expect(node.log_text(), "redo in progress, elapsed time: ")
    assert node.sql("SELECT id, length(pad) FROM images ORDER BY id, pad") == lengths
    assert node.sqlstate("SET wal_compression = pglz") == "22023"


# --- logs -------------------------------------------------------------------------------------------------------------
LOG_SETTINGS = {"logging_collector": "on", "log_destination": "stderr,csvlog,jsonlog", "log_filename": "node-%H.log", "log_timezone": "UTC",
                "log_line_prefix": "%m|%a|%u|%d|%b|%c|%p|%l|%r|%h|%x|%e|%Q|%q%-10a|%10u> ", "log_connections": "on",
                "log_disconnections": "on", "log_rotation_size": "0", "log_min_messages": "warning"}
STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
SESSION_LINE = (rf"^{STAMP}\.\d{{3}} UTC\|psql\|postgres\|postgres\|client backend\|[0-9a-f]+\.[0-9a-f]+\|\d+\|\d+\|\[local\]\|\[local\]\|0"
                r"\|22012\|-?\d+\|psql      \|  postgres> ERROR:  division by zero$")


def log_files(node) -> dict:
    named = dict(line.split() for line in (node.data / "current_logfiles").read_text().splitlines())
    return {key: node.data / path for key, path in named.items()}


@check
def log_forms(cluster, node):
    logged = cluster.node("logged").init().configure(**LOG_SETTINGS).start()
    logged.psql("SELECT 1/0;", check=False)
    logged.psql("SELECT 'two\nlines', nosuch;", check=False)
    files = log_files(logged)
    assert sorted(files) == ["csvlog", "jsonlog", "stderr"], files
    wait_until(lambda: "nosuch" in files["jsonlog"].read_text() and "nosuch" in files["csvlog"].read_text(), "log lines")
    text = files["stderr"].read_text()
    assert re.search(SESSION_LINE, text, re.MULTILINE), text
    expect(text, "connection received: host=[local]", "connection authorized: user=postgres database=postgres application_name=psql",
           'STATEMENT:  SELECT \'two\n\tlines\', nosuch;', 'ERROR:  column "nosuch" does not exist at character 21',
           "disconnection: session time: 0:00:00.")
    check_csv(files["csvlog"])
    check_json(files["jsonlog"])
    check_rotation(logged)
    logged.stop()


def check_csv(path):
    rows = list(csv.reader(open(path, newline="")))
    assert all(len(row) == 26 for row in rows), [row for row in rows if len(row) != 26]
    row = next(row for row in rows if row[12] == "22012")
    assert re.fullmatch(STAMP + r"\.\d{3} UTC", row[0]) and row[1:3] == ["postgres", "postgres"] and row[4] == "[local]", row
    assert row[11:14] == ["ERROR", "22012", "division by zero"] and row[19] == "SELECT 1/0;", row
    assert row[22:24] == ["psql", "client backend"] and re.fullmatch(STAMP + " UTC", row[8]), row
    row = next(row for row in rows if row[12] == "42703")
    assert row[19:21] == ["SELECT 'two\nlines', nosuch;", "21"], row
    numbers = [int(row[6]) for row in rows if row[3] == rows[0][3]]
    assert numbers == list(range(1, len(numbers) + 1)), f"lines of a process are not counted from 1: {numbers}"


def check_json(path):
    entries = [json.loads(line) for line in path.read_text().splitlines()]
    entry = next(entry for entry in entries if entry.get("state_code") == "42703")
    for key in ("timestamp", "pid", "session_id", "line_num", "session_start", "txid", "query_id"):
        assert key in entry, (key, entry)
    wanted = {"user": "postgres", "dbname": "postgres", "remote_host": "[local]", "error_severity": "ERROR",
              "message": 'column "nosuch" does not exist', "statement": "SELECT 'two\nlines', nosuch;", "cursor_position": 21,
              "application_name": "psql", "backend_type": "client backend"}
    assert {key: entry.get(key) for key in wanted} == wanted, entry
    assert any(entry["backend_type"] == "postmaster" for entry in entries)


def check_rotation(node):
    path = log_files(node)["stderr"]
    inode = path.stat().st_ino
    path.rename(path.with_suffix(".old"))
    (node.data / "logrotate").write_text("")  # as pg_ctl logrotate asks
    os.kill(node.postmaster_pid(), signal.SIGUSR1)
    wait_until(lambda: path.exists() and path.stat().st_ino != inode, "a new log file")
    node.psql("SELECT 1")
    wait_until(lambda: "disconnection" in path.read_text(), "lines in the new file")
    conf = node.data / "postgresql.conf"
    conf.write_text(conf.read_text() + "log_filename = 'other.log'\nlog_destination = 'stderr'\n")
    node.walden("reload", "-D", node.data)
    wait_until(lambda: {key: file.name for key, file in log_files(node).items()} == {"stderr": "other.log"}, "the new name after a reload")
    conf.write_text(conf.read_text() + "log_filename = 'size-%M-%S.log'\nlog_rotation_size = '64kB'\n")
    node.walden("reload", "-D", node.data)
    wait_until(lambda: log_files(node)["stderr"].name.startswith("size-"), "the next name")
    first = log_files(node)["stderr"]
    big = "x" * 20000
    for _ in range(5):
        node.psql(f"SELECT '{big}', 1/0;", check=False)
    wait_until(lambda: first.stat().st_size >= 65536, "a full log file")

    def another():
        node.psql("SELECT 1/0", check=False)
        return log_files(node)["stderr"] != first
    wait_until(another, "another file once one is full")


def main() -> int:
    wanted = sys.argv[1:]
    with Cluster() as cluster:
        node = cluster.node("node").init().configure(log_min_messages="log").start()
        for function in CHECKS:
            if wanted and function.__name__ not in wanted:
                continue
            started = time.monotonic()
            function(cluster, node)
            print(f"{function.__name__}: {time.monotonic() - started:.1f} s", flush=True)
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
