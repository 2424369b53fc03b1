"""Nodes for tests: creates, starts, stops, kills and questions `walden` servers in a temporary folder.

    with Cluster() as cluster:
        node = cluster.node("primary")
        node.init(); node.start()
        assert node.sql("SELECT 1") == [("1",)]

The server refuses to run as root, so under root everything runs as an unprivileged account from a copy of the binary.
Nothing sleeps for luck: wait_until polls a condition and fails with its description. stop() checks that the log has no line that the
test did not expect (ERRORs and PANICs are allowed one by one with node.allow_in_log).
"""
import contextlib
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
ACCOUNT = "nobody"


def find_binary() -> pathlib.Path:
    given = os.environ.get("WALDEN_BINARY")
    candidates = [pathlib.Path(given)] if given else [
        REPOSITORY / "build" / preset / "node" / "walden" for preset in ("release", "dev")]
    for candidate in candidates:
        if candidate.exists():
            return candidate
    sys.exit("no walden binary: build first, or set WALDEN_BINARY")


reservations = []  # held until this process ends


def reserve(port: int) -> bool:
    """Keeps other tests that run at the same time from taking the port before its node is started: by a name that leaves no file behind."""
    name = socket.socket(socket.AF_UNIX)
    try:
        name.bind(f"\0walden-test-port.{port}")
    except OSError:
        name.close()
        return False
    reservations.append(name)
    return True


REPLICATION_OFFSET = 10000             # replication_port, unless it is set
TEST_PORTS = range(12768, 22768)       # with the offset they stay below the ports of outgoing connections (32768 and up)


def free_port() -> int:
    """A port that is free and this process's from now on; its replication port is free too."""
    first = os.getpid() * 7 % len(TEST_PORTS)
    for candidate in (*TEST_PORTS[first:], *TEST_PORTS[:first]):
        try:
            for port in (candidate, candidate + REPLICATION_OFFSET):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        if reserve(candidate):
            return candidate
    raise RuntimeError("no free port")


def wait_until(condition, what: str, timeout_s: float = 60.0):
    """Polls until condition() is true (returned); raises AssertionError naming `what` at the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"timed out after {timeout_s:.0f} s waiting for {what}")
        time.sleep(0.02)


def put_request(path: pathlib.Path, text: str, owner_of: pathlib.Path):
    """A file that a node takes away as soon as it is there: it appears whole, and belongs to whom `owner_of` belongs."""
    whole = path.with_name(path.name + ".new")
    whole.write_text(text)
    os.chown(whole, os.stat(owner_of).st_uid, -1)
    whole.rename(path)


class Node:
    def __init__(self, cluster, name: str):
        self.cluster = cluster
        self.name = name
        self.data = cluster.folder / name
        self.port = cluster.take_port()
        self.metrics_port = cluster.take_port()
        self.allowed_log = []

    # --- commands -----------------------------------------------------------------------------------------------
    def walden(self, *arguments, check=True, timeout=120, input=None, env=None):
        """Runs `walden ARGUMENTS` as the server account; returns the CompletedProcess."""
        command = [str(self.cluster.binary), *map(str, arguments)]
        environment = {**os.environ, "HOME": str(self.cluster.folder), **(env or {})}
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, input=input,
                              cwd=self.cluster.folder, env=environment, **self.cluster.identity())
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)} exited {done.returncode}\n{done.stdout}{done.stderr}{self.log_tail()}")
        return done

    def init(self, *arguments):
        self.walden("init", "-D", self.data, "--auth-local", "trust", *arguments)
        self.configure(port=self.port, metrics_port=self.metrics_port, unix_socket_directories=str(self.cluster.folder),
                       listen_addresses="127.0.0.1", shared_buffers="16MB", log_min_messages="warning")
        return self

    def configure(self, **settings):
        with open(self.data / "postgresql.conf", "a") as conf:
            for key, value in settings.items():
                text = str(value).replace("'", "''")
                conf.write(f"{key} = '{text}'\n")
        return self

    def start(self, *arguments, **kwargs):
        self.walden("start", "-D", self.data, "-l", self.data / "server.log", *arguments, **kwargs)
        self.cluster.running.add(self)
        return self

    def stop(self, mode="fast", check_log=True):
        self.walden("stop", "-D", self.data, "-m", mode)
        self.cluster.running.discard(self)
        if check_log:
            self.check_log()

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    # --- processes ----------------------------------------------------------------------------------------------
    def postmaster_pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])

    def shared_memory(self) -> str:
        """The name of its region in /dev/shm."""
        return (self.data / "postmaster.pid").read_text().split("\n")[6] or "none"

    def children(self) -> dict:
        """pid -> title of every process below the postmaster: those too that are dead and that it has not noticed yet. Quick, as
        some of them do not live long."""
        postmaster = self.postmaster_pid()
        try:
            pids = pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        except OSError:  # the postmaster has gone, or the kernel does not list children
            pids = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True).stdout.split()
        found = {}
        for pid in pids:
            with contextlib.suppress(OSError):  # it has gone meanwhile
                title = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace")
                found[int(pid)] = title or "<defunct>"
        return found

    def child(self, title_part: str) -> int:
        """The pid of the child whose title contains `title_part`; waits for it."""
        def find():
            return next((pid for pid, title in self.children().items() if title_part in title), None)
        return wait_until(find, f"a process titled '{title_part}'")

    def kill_all(self):
        """kill -9 of the whole tree, as a power switch would."""
        postmaster = self.postmaster_pid()
        with contextlib.suppress(ProcessLookupError):
            os.kill(postmaster, signal.SIGSTOP)  # so that the list of its children stays as it is while it is read
        pids = [postmaster, *self.children()]
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_until(lambda: not any(is_alive(pid) for pid in pids), "killed processes to go")
        self.cluster.running.discard(self)

    # --- SQL ----------------------------------------------------------------------------------------------------
    def psql(self, sql: str, database="postgres", user="postgres", check=True, timeout=120, extra=()):
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose",
                   "-h", str(self.cluster.folder), "-p", str(self.port), "-U", user, "-d", database, *extra]
        done = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=timeout)
        if check and done.returncode != 0:
            raise AssertionError(f"psql failed on {self.name}: {done.stderr}{self.log_tail()}")
        return done

    def sql(self, sql: str, **kwargs) -> list:
        """Rows of the statement(s) as tuples of text."""
        return [tuple(line.split("\t")) for line in self.psql(sql, **kwargs).stdout.splitlines()]

    def value(self, sql: str, **kwargs) -> str:
        rows = self.sql(sql, **kwargs)
        assert len(rows) == 1 and len(rows[0]) == 1, rows
        return rows[0][0]

    def sqlstate(self, sql: str, **kwargs) -> str:
        """The SQLSTATE of the error that the statement raises; '00000' when it raises none."""
        done = self.psql(sql, check=False, **kwargs)
        match = re.search(r"(?:ERROR|FATAL):\s+([0-9A-Z]{5})", done.stderr)
        return match.group(1) if match else "00000" if done.returncode == 0 else done.stderr

    def accepts_connections(self) -> bool:
        try:
            return self.psql("SELECT 1", check=False, timeout=10).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def wait_accepting(self, timeout_s=60.0):
        wait_until(self.accepts_connections, f"{self.name} to accept connections", timeout_s)

    # --- logs ---------------------------------------------------------------------------------------------------
    def log_text(self) -> str:
        texts = [p.read_text(errors="replace") for p in [self.data / "server.log"] if p.exists()]
        texts += [p.read_text(errors="replace") for p in sorted((self.data / "log").glob("*.log"))] if (self.data / "log").is_dir() else []
        return "".join(texts)

    def log_tail(self, lines=30) -> str:
        return "\n--- log of %s ---\n%s\n" % (self.name, "\n".join(self.log_text().splitlines()[-lines:]))

    def allow_in_log(self, *patterns):
        self.allowed_log += patterns

    def check_log(self):
        """Fails on a PANIC, a failed check or a crash report that the test did not allow."""
        for line in self.log_text().splitlines():
            if re.search(r"\b(PANIC|check failed|Sanitizer)\b", line) and not any(re.search(p, line) for p in self.allowed_log):
                raise AssertionError(f"unexpected in the log of {self.name}: {line}{self.log_tail()}")


class Session:
    """A client that stays connected."""

    def __init__(self, node, user="postgres", database="postgres"):
        command = ["psql", "-X", "-q", "-A", "-t", "-v", "VERBOSITY=verbose", "-h", str(node.cluster.folder), "-p", str(node.port),
                   "-U", user, "-d", database]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.backend = int(self.ask("SELECT pg_backend_pid();") or 0)
        if self.backend == 0:
            raise AssertionError(f"could not connect: {self.process.communicate()[1]}")

    def ask(self, statements: str) -> str:
        """The first line that the statements return; '' when the connection is lost."""
        try:
            self.process.stdin.write(statements + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return ""
        return self.process.stdout.readline().strip()

    def end(self) -> str:
        """For a session that the server has ended: what psql has to say about that."""
        self.ask("SELECT 1;")
        return self.process.communicate(timeout=30)[1]

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


def process_state(pid: int) -> str:
    """The letter that ps shows: T for stopped."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def is_alive(pid: int) -> bool:
    try:
        return process_state(pid) != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Cluster:
    """A temporary folder with nodes; leaving the context stops and removes everything."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="walden-test-", dir="/tmp"))
        self.running = set()
        self.binary = self.folder / "walden"
        shutil.copy(find_binary(), self.binary)
        if os.getuid() == 0:
            account = pwd.getpwnam(ACCOUNT)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        os.chmod(self.folder, 0o755)

    def identity(self) -> dict:
        if os.getuid() != 0:
            return {}
        account = pwd.getpwnam(ACCOUNT)
        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}

    @staticmethod
    def take_port() -> int:
        return free_port()

    def node(self, name: str) -> Node:
        return Node(self, name)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        for node in list(self.running):
            try:
                memory = node.shared_memory()
                node.kill_all()
                pathlib.Path("/dev/shm", memory).unlink(missing_ok=True)  # no next start will remove it
            except (FileNotFoundError, ValueError, IndexError):
                pass
        if kind is not None:
            for log in self.folder.glob("*/server.log"):
                print(f"--- end of {log} ---\n" + "\n".join(log.read_text(errors="replace").splitlines()[-60:]))
        if kind is None or not os.environ.get("WALDEN_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)
