#!/usr/bin/env python3
"""The container image without a registry: its script makes a root from Debian packages, and nodes run in it as Kubernetes runs them:
PID 1 of their own, an unprivileged account, a read-only root, 64 MB of /dev/shm, a volume for the data.

The script's build half is ./dev build, which the other tests stand on: the binary under test is put in place of its product;
--build runs it too. Packages are kept in build/image. Needs root, mmdebstrap and Debian's mirror, else the test counts as skipped.
"""
import functools
import gzip
import hashlib
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from walden_node import REPOSITORY, find_binary, free_port, is_alive, wait_until  # noqa: E402

CACHE = REPOSITORY / "build/image"
SKIPPED = 77
ACCOUNT = 999
PASSWORD = "it's a \\ secret"


class Unavailable(Exception):
    pass


def run(command, **kwargs):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **kwargs)


def debian_sources() -> list:
    """The apt source files of this machine that are Debian's own."""
    codename = "bookworm"
    files = [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]
    return [file for file in files if file.suffix in (".list", ".sources") and file.exists()
            and re.search(rf"(^Suites:(.*\s)?|^deb .*\s){codename}(\s|$)", file.read_text(), re.M)]


def make_base(target: pathlib.Path):
    """Debian's smallest system with apt, as the image's FROM line has it."""
    sources = debian_sources()
    if os.getuid() != 0 or shutil.which("mmdebstrap") is None or not sources:
        raise Unavailable("it needs root, mmdebstrap and Debian's apt sources")
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(f".{os.getpid()}.tar")
    done = run(["mmdebstrap", "--variant=apt", "--mode=root", "--quiet", "bookworm", temporary, *sources], timeout=200)
    if done.returncode != 0:
        temporary.unlink(missing_ok=True)
        raise Unavailable("mmdebstrap failed: " + done.stderr[-500:])
    temporary.rename(target)


def installed_packages() -> pathlib.Path:
    """Where a root with the packages that image.sh asks for is kept: the script then finds them installed."""
    script = (REPOSITORY / "helm/image/image.sh").read_bytes()
    return CACHE / f"packages-{hashlib.sha256(script).hexdigest()[:12]}.tar"


@functools.cache
def image_root() -> pathlib.Path:
    base = CACHE / "base.tar"
    if not base.exists():
        make_base(base)
    kept = installed_packages()
    if kept.exists():
        base = kept
    root = pathlib.Path(tempfile.mkdtemp(prefix="walden-image-", dir="/tmp"))
    root.chmod(0o755)
    subprocess.run(["tar", "-C", root, "-xf", base, "--exclude=./dev/*"], check=True)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    # What Kubernetes gives the chart's containers: names of the members, and the chart's scripts.
    (root / "etc/hosts").write_text("127.0.0.1 localhost db-1.members\n")
    shutil.rmtree(root / "etc/walden", ignore_errors=True)  # of the run that kept the packages
    shutil.copytree(REPOSITORY / "helm/walden/files", root / "etc/walden")
    shutil.copytree(REPOSITORY / "helm/image", root / "tmp/image")
    shutil.copy(find_binary(), root / "tmp/walden")
    archives = CACHE / "archives"
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    try:
        # The packages that apt gets stay here for the next run.
        done = run(["unshare", "--mount", "sh", "-ec", """
            mount --bind "$2" "$1/var/cache/apt/archives"
            mount -t proc proc "$1/proc"; mount -t tmpfs tmpfs "$1/dev"
            for name in null zero random urandom; do : >"$1/dev/$name"; mount --bind "/dev/$name" "$1/dev/$name"; done
            exec chroot "$1" /tmp/image/image.sh runtime /tmp/walden""", "sh", root, archives], timeout=250)
        if done.returncode != 0:
            raise AssertionError(f"image.sh runtime failed:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
        if not kept.exists():
            for old in CACHE.glob("packages-*.tar"):
                old.unlink()
            temporary = kept.with_suffix(f".{os.getpid()}")
            subprocess.run(["tar", "-C", root, "--exclude=./tmp/*", "-cf", temporary, "."], check=True)
            temporary.rename(kept)
    except BaseException:
        shutil.rmtree(root, ignore_errors=True)
        raise
    return root


class Container:
    """A started container. `volume` is what is mounted at /var/lib/walden."""

    ENTER = """
        root=$1 volume=$2 scripts=$3; shift 3
        mount --bind "$root" "$root"
        mount -t proc proc "$root/proc"
        mount -t tmpfs -o mode=755 tmpfs "$root/dev"
        for name in null zero random urandom; do : >"$root/dev/$name"; mount --bind "/dev/$name" "$root/dev/$name"; done
        ln -s /proc/self/fd "$root/dev/fd"; ln -s /proc/self/fd/2 "$root/dev/stderr"
        mkdir "$root/dev/shm"; mount -t tmpfs -o mode=1777,size=64m tmpfs "$root/dev/shm"
        mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
        mount -t tmpfs -o mode=3777 tmpfs "$root/run/postgresql"
        mount --bind "$volume" "$root/var/lib/walden"
        mount --bind "$scripts" "$root/docker-entrypoint-initdb.d"
        mount -o remount,bind,ro "$root"
        exec chroot "$root" setpriv --reuid 999 --regid 999 --clear-groups --no-new-privs --bounding-set=-all "$@" """

    def __init__(self, volume: pathlib.Path, port: int, log: pathlib.Path, scripts=None, entry=("walden-entrypoint",), **environment):
        self.port, self.log_path = port, log
        self.log_from = log.stat().st_size if log.exists() else 0
        scripts = scripts or empty_folder()
        variables = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "PGDATA": "/var/lib/walden/data", **environment}
        command = ["unshare", "--mount", "--pid", "--ipc", "--fork", "--propagation", "private",
                   "sh", "-ec", self.ENTER, "sh", image_root(), volume, scripts,
                   *entry, "-c", f"port={port}", "-c", f"metrics_port={port + 1}"]
        with open(log, "a") as output:
            self.process = subprocess.Popen([str(word) for word in command], env=variables, stdout=output, stderr=output)
        RUNNING.append(self)

    def log(self) -> str:
        return self.log_path.read_bytes()[self.log_from:].decode(errors="replace")

    def first_process(self) -> int:
        """PID 1 of the container, as the host numbers it."""
        def find():
            text = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
            return int(text.split()[0]) if text.split() else None
        return wait_until(find, "the container's first process")

    def wait_ready(self):
        def ready():
            assert self.process.poll() is None, f"the container ended:\n{self.log()}"
            return "ready to accept" in self.log() and self.psql("SELECT 1").returncode == 0
        wait_until(ready, f"the container to be ready:\n{self.log()}", 60)

    def psql(self, sql: str, user="alice", database="shop", password=PASSWORD):
        return run(["psql", "-X", "-q", "-A", "-t", "-h", "127.0.0.1", "-p", self.port, "-U", user, "-d", database, "-c", sql],
                   env={**os.environ, "PGPASSWORD": password}, timeout=30)

    def execute(self, *command):
        """As `kubectl exec` does: another process of the container's account in its namespaces."""
        return run(["nsenter", "--target", self.first_process(), "--mount", "--pid", "--ipc", "--root", "--wd", "--",
                    "setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--clear-groups",
                    "env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", "PGDATA=/var/lib/walden/data", *command], timeout=60)

    def kill(self):
        """With PID 1 everything in its namespace goes."""
        if self.process.poll() is None:
            os.kill(self.first_process(), signal.SIGKILL)
        self.process.wait()
        if self in RUNNING:
            RUNNING.remove(self)

    def wait_end(self, timeout_s=30) -> int:
        code = self.process.wait(timeout=timeout_s)
        RUNNING.remove(self)
        return code


RUNNING = []
FOLDERS = []


def empty_folder(owner=0) -> pathlib.Path:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="walden-volume-", dir="/tmp"))
    os.chown(folder, owner, owner)
    folder.chmod(0o755)
    FOLDERS.append(folder)
    return folder


def get(container: Container, path: str):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{container.port + 1}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def sender_metrics() -> list:
    """Metrics that only a primary with replicas has."""
    text = (REPOSITORY / "node/stats/metrics.def").read_text()
    rows = re.findall(r'^METRIC\(\w+, "(\w+)", \w+, "([^"]*)"', text, re.M)
    return [name for name, labels in rows if "sender" in labels.split(",")]


def init_scripts() -> pathlib.Path:
    folder = empty_folder()
    (folder / "1-first.sql").write_text("CREATE TABLE runs (script text);\nINSERT INTO runs VALUES ('sql');\n")
    (folder / "2-second.sql.gz").write_bytes(gzip.compress(b"INSERT INTO runs VALUES ('sql.gz');\n"))
    (folder / "3-third.sh").write_text("#!/bin/sh\nset -e\npsql -X -q -c \"INSERT INTO runs VALUES ('sh')\"\n")
    (folder / "3-third.sh").chmod(0o755)
    (folder / "4-fourth.sh").write_text("run_sql -c \"INSERT INTO runs VALUES ('sourced')\"\n")
    (folder / "README").write_text("not a script\n")
    return folder


class Image(unittest.TestCase):
    def setUp(self):
        self.volume = empty_folder(ACCOUNT)
        self.port = free_port()
        self.log_file = self.volume.parent / (self.volume.name + ".log")
        FOLDERS.append(self.log_file)

    def start(self, scripts=None, volume=None, port=None, entry=("walden-entrypoint",), **environment) -> Container:
        variables = {"POSTGRES_PASSWORD": PASSWORD, "POSTGRES_USER": "alice", "POSTGRES_DB": "shop", **environment}
        return Container(volume or self.volume, port or self.port, self.log_file, scripts, entry,
                         **{name: value for name, value in variables.items() if value is not None})

    def open_clients(self, container, count=10) -> list:
        clients = [subprocess.Popen(["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(container.port), "-U", "alice", "-d", "shop"],
                                    env={**os.environ, "PGPASSWORD": PASSWORD}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.DEVNULL, text=True) for _ in range(count)]
        for client in clients:  # each in a transaction of its own
            client.stdin.write("BEGIN; INSERT INTO runs VALUES ('open');\n\\echo open\n")
            client.stdin.flush()
            self.assertEqual(client.stdout.readline(), "open\n")
        return clients

    def close_clients(self, clients):
        for client in clients:
            client.kill()
            client.communicate()

    def test_life_of_a_container(self):
        secret = self.volume / "password"
        secret.write_text(PASSWORD)
        os.chown(secret, ACCOUNT, ACCOUNT)
        container = self.start(init_scripts(), POSTGRES_PASSWORD=None, POSTGRES_PASSWORD_FILE="/var/lib/walden/password",
                               POSTGRES_INITDB_ARGS="--data-checksums --encoding='UTF-8'")
        container.wait_ready()
        self.assertEqual(container.psql("SELECT string_agg(script, ',') FROM runs").stdout, "sql,sql.gz,sh,sourced\n")
        self.assertIn("ignoring /docker-entrypoint-initdb.d/README", container.log())
        self.assertNotEqual(container.psql("SELECT 1", password="wrong").returncode, 0)
        # The account, the root, PID 1.
        status = pathlib.Path(f"/proc/{container.first_process()}/status").read_text()
        self.assertRegex(status, rf"Uid:\s+{ACCOUNT}\s+{ACCOUNT}")
        self.assertRegex(status, r"CapEff:\s+0+\n")
        self.assertRegex(status, r"NSpid:\s+\d+\s+1\n")
        self.assertNotIn(PASSWORD.encode(), pathlib.Path(f"/proc/{container.first_process()}/environ").read_bytes())
        self.assertIn("Read-only", container.execute("sh", "-c", "echo >/usr/local/bin/new").stderr)
        self.check_orphans(container)
        self.check_stop(container, lambda: os.kill(container.first_process(), signal.SIGINT))  # STOPSIGNAL
        for stop in (lambda: self.pre_stop(container), lambda: os.kill(container.first_process(), signal.SIGTERM)):
            container = self.start(init_scripts())
            container.wait_ready()
            self.check_clean_start(container)
            if stop is not None and "pre_stop" in stop.__code__.co_names:
                self.check_stop(container, stop)
            else:  # smart: without clients it is as quick
                stop()
                self.assertEqual(container.wait_end(), 0)

    def pre_stop(self, container):
        done = container.execute("walden", "stop", "-m", "fast")
        # The end of PID 1 takes the hook with it, perhaps before it says so.
        self.assertIn(done.returncode, (0, -signal.SIGKILL), done.stdout + done.stderr)

    def check_stop(self, container, stop):
        clients = self.open_clients(container)
        began = time.monotonic()
        stop()
        self.assertEqual(container.wait_end(), 0, container.log())
        self.assertLess(time.monotonic() - began, 5)
        self.close_clients(clients)

    def check_clean_start(self, container):
        for sign in ("not properly shut down", "redo starts", "recovery"):
            self.assertNotIn(sign, container.log())
        self.assertEqual(container.psql("SELECT count(*) FROM runs").stdout, "4\n")

    def check_orphans(self, container):
        container.execute("sh", "-c", "(sleep 0.2; exit 3) & (true) & exit 0")
        first = container.first_process()

        def zombies():
            children = pathlib.Path(f"/proc/{first}/task/{first}/children").read_text().split()
            return [pid for pid in children if not is_alive(int(pid))]
        sleepers = lambda: run(["pgrep", "-P", first, "sleep"]).stdout.split()  # noqa: E731
        wait_until(lambda: not sleepers() and not zombies(), "PID 1 to reap the orphans")
        self.assertNotIn("terminating any other active server processes", container.log())

    def test_refuses_without_password(self):
        container = self.start(POSTGRES_PASSWORD=None)
        self.assertEqual(container.wait_end(), 1, container.log())
        self.assertIn("Database is uninitialized and superuser password is not specified", container.log())
        self.assertEqual(os.listdir(self.volume / "data"), [])

    def test_refuses_two_passwords(self):
        container = self.start(POSTGRES_PASSWORD_FILE="/etc/hostname")
        self.assertEqual(container.wait_end(), 1)
        self.assertIn("both POSTGRES_PASSWORD and POSTGRES_PASSWORD_FILE are set", container.log())

    def test_trust(self):
        container = self.start(POSTGRES_PASSWORD=None, POSTGRES_HOST_AUTH_METHOD="trust", POSTGRES_DB=None)
        wait_until(lambda: container.psql("SELECT 1", database="alice", password="").returncode == 0, "the container")
        container.kill()

    def test_killed_while_it_was_made(self):
        scripts = empty_folder()
        (scripts / "hang.sh").write_text("echo hangs; sleep 1000\n")
        container = self.start(scripts)
        wait_until(lambda: "hangs" in container.log(), "the script")
        container.kill()
        container = self.start(init_scripts())
        container.wait_ready()
        self.assertIn("was not completed: starting over", container.log())
        self.assertEqual(container.psql("SELECT count(*) FROM runs").stdout, "4\n")
        container.kill()

    def test_failing_script_ends_it(self):
        scripts = empty_folder()
        (scripts / "bad.sql").write_text("SELECT nosuch;\n")
        container = self.start(scripts)
        self.assertNotEqual(container.wait_end(), 0)
        self.assertIn("nosuch", container.log())

    def start_member(self, ordinal: int, volume=None, port=None, **environment) -> Container:
        """As the chart's StatefulSet does, but for TLS: on one machine replicas may do without."""
        scripts = empty_folder()
        shutil.copy(REPOSITORY / "helm/walden/files/replication.sh", scripts / "00-replication.sh")
        variables = {"POD_NAME": f"db-{ordinal}", "WALDEN_MEMBERS": "2", "WALDEN_PRIMARY_MEMBER": "0", "WALDEN_PRIMARY_HOST": "localhost",
                     "WALDEN_MEMBERS_SERVICE": "members", "WALDEN_REPLICATION_PORT": str(self.port + 10000),
                     "WALDEN_METRICS_PORT": str(self.port + 2), "WALDEN_REPLICATION_USER": "replicator",
                     "WALDEN_REPLICATION_PASSWORD": "copy me", "WALDEN_PRIMARY_TLS": "sslmode=disable", **environment}
        return self.start(scripts, volume, port, ("bash", "/etc/walden/start.sh"), **variables)

    def test_member_zero(self):
        member = self.start_member(0)
        member.wait_ready()
        self.assertEqual(member.psql("SELECT rolreplication FROM pg_roles WHERE rolname = 'replicator'").stdout, "t\n")
        member.kill()

    def test_member_zero_that_lost_its_volume_begins_no_second_history(self):
        with socket.create_server(("127.0.0.1", self.port + 2)):  # member 1 runs
            member = self.start_member(0)
            self.assertEqual(member.wait_end(), 1)
        self.assertIn("promote that one and set primary to 1", member.log())

    def test_replica(self):
        if "basebackup" not in run([find_binary(), "--help"]).stdout:
            self.skipTest("this binary has no walden basebackup")
        replica_port = next(port for port in iter(free_port, None) if not self.port < port <= self.port + 2)  # those serve metrics
        replica = self.start_member(1, empty_folder(ACCOUNT), replica_port)  # waits for the primary
        primary = self.start_member(0)
        primary.wait_ready()
        replica.wait_ready()
        self.assertEqual(primary.psql("CREATE TABLE copied AS SELECT 42 AS n").returncode, 0)
        wait_until(lambda: replica.psql("SELECT n FROM copied").stdout == "42\n", "the replica to follow")
        # What load balancers and Prometheus see of the pair.
        self.assertEqual([get(replica, path)[0] for path in ("/readyz", "/replica?lag=1min", "/primary")], [200, 200, 503])
        self.assertEqual([get(primary, path)[0] for path in ("/readyz", "/replica", "/primary")], [200, 503, 200])
        metrics = get(primary, "/metrics")[1]
        self.assertIn("\nwalden_replicas 1\n", metrics)
        for name in sender_metrics():
            self.assertIn(f"\n{name}{{application_name=\"db-1\"", metrics)
        self.assertIn("\npg_replication_is_replica 1\n", get(replica, "/metrics")[1])
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
        replica.kill()
        primary.kill()


def clean_up():
    for container in list(RUNNING):
        container.kill()
    for path in FOLDERS:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    if image_root.cache_info().currsize:
        shutil.rmtree(image_root(), ignore_errors=True)


def check_build_half():
    """image.sh build in a root with the build packages: minutes, and a gigabyte."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="walden-image-build-", dir="/tmp"))
    try:
        subprocess.run(["tar", "-C", root, "-xf", CACHE / "base.tar", "--exclude=./dev/*"], check=True)
        shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
        (root / "src").mkdir()
        archive = subprocess.Popen(["git", "-C", REPOSITORY, "archive", "HEAD"], stdout=subprocess.PIPE)
        subprocess.run(["tar", "-C", root / "src", "-x"], stdin=archive.stdout, check=True)
        subprocess.run(["unshare", "--mount", "sh", "-ec", """
            mount --bind "$2" "$1/var/cache/apt/archives"
            mount -t proc proc "$1/proc"; mount --rbind /dev "$1/dev"
            exec chroot "$1" /src/helm/image/image.sh build /src /out""", "sh", root, CACHE / "archives"], check=True)
        assert (root / "out/walden").exists()
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    build_too = "--build" in sys.argv
    try:
        image_root()
        if build_too:
            check_build_half()
        unittest.main(verbosity=2, argv=[word for word in sys.argv if word != "--build"], exit=True)
    except Unavailable as reason:
        print(f"skipped: {reason}")
        sys.exit(SKIPPED)
    finally:
        clean_up()
