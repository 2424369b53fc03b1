"""The servers that are compared, how they are asked, and how their CPU is read."""
import os
import pathlib
import subprocess

POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
SETTINGS = {"shared_buffers": "2GB", "fsync": "on", "synchronous_commit": "on", "max_connections": "600",
            "max_wal_size": "8GB", "checkpoint_timeout": "30min", "autovacuum": "on"}
TICKS = os.sysconf("SC_CLK_TCK")


class Postgres:
    """The reference server, made for this run."""

    def __init__(self, cluster, folder="postgres"):
        self.cluster, self.name = cluster, "PostgreSQL"
        self.data, self.port = cluster.folder / folder, cluster.take_port()

    def run(self, program, *arguments):
        subprocess.run([str(POSTGRES / program), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, cwd=self.cluster.folder, **self.cluster.identity())

    def create(self, **settings):
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-k")
        self.configure(listen_addresses="127.0.0.1", **SETTINGS, **settings)
        with open(self.data / "pg_hba.conf", "w") as rules:
            rules.write("local all all trust\nhost replication all 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")

    def configure(self, **settings):
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.write(f"port = {self.port}\nunix_socket_directories = '{self.cluster.folder}'\n")
            conf.writelines(f"{key} = '{value}'\n" for key, value in settings.items())

    def start(self):
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", f"{self.data}.log")

    def stop(self):
        self.run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data)

    def kill(self):
        self.run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self.data)

    def pid(self):
        return int((self.data / "postmaster.pid").read_text().split("\n")[0])


class Walden:
    def __init__(self, cluster):
        self.node, self.name = cluster.node("node"), "Walden"
        self.port = self.node.port

    def create(self):
        self.node.init()
        self.node.configure(**SETTINGS)

    def start(self):
        self.node.start()

    def stop(self):
        self.node.stop()

    def kill(self):
        self.node.stop("immediate")

    def pid(self):
        return self.node.postmaster_pid()


def cpu_seconds(postmaster: int, title="") -> float:
    """CPU of the server so far: the postmaster, its living children, and those it has reaped; or of the living children whose
    title has the word."""
    total = 0
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            if int(entry.name) == postmaster and not title:
                total += sum(int(fields[i]) for i in (11, 12, 13, 14))
            elif int(fields[1]) == postmaster and title in (entry / "cmdline").read_text():
                total += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return total / TICKS


def pgbench(server, folder, *arguments) -> str:
    done = subprocess.run(["pgbench", "-h", str(folder), "-p", str(server.port), "-U", "postgres", *arguments, "postgres"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"pgbench {' '.join(arguments)} on {server.name}: {done.stderr[-2000:]}")
    return done.stdout


def psql(server, folder, sql, stdin=None) -> str:
    done = subprocess.run(["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-h", str(folder), "-p", str(server.port), "-U", "postgres",
                           "-c", sql, "postgres"], capture_output=True, text=True, stdin=stdin)
    if done.returncode != 0:
        raise RuntimeError(f"{sql} on {server.name}: {done.stderr[-2000:]}")
    return done.stdout
