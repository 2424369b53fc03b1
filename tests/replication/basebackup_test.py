#!/usr/bin/env python3
"""`walden basebackup` and the replication port: TLS, passwords, rights, refusals that leave nothing behind, slots, copies of
standbys, replicas of replicas across a promotion; and what a standby must not show.
"""
import shutil
import signal
import subprocess
import sys

from replica import (Cluster, assert_equal, content, own, reload_with, streaming_primary, take_basebackup, wait_caught_up,
                     wait_streaming, wait_until)


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def make_certificates(cluster):
    """A certificate authority, a certificate of this machine, and an authority that nobody trusts."""
    folder = cluster.folder / "tls"
    folder.mkdir()
    for name in ("ca", "stranger"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 30, "-subj", f"/CN={name}",
                "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", folder / "node.key",
            "-out", folder / "node.csr")
    (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", folder / "node.csr", "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key",
            "-CAcreateserial", "-days", 30, "-extfile", folder / "names", "-out", folder / "node.crt")
    (folder / "node.key").chmod(0o600)
    own(cluster, folder)
    return folder


def backup(cluster, target, conninfo: str, *arguments, check=True):
    return target.walden("basebackup", "-D", target.data, "-c", "fast", "-w", "-d", conninfo, *arguments, check=check)


def check_refusals(cluster, primary, tls):
    """Each says why, exits with 1 and leaves nothing."""
    target = cluster.node("refused")
    good = f"host=localhost port={primary.port + 10000} user=rep password=secret sslmode=verify-full sslrootcert={tls}/ca.crt"
    for change, message in (("password=wrong", 'password authentication failed for user "rep"'),
                            ("user=plain", "must be superuser or replication role"),
                            ("user=nobody_here", 'password authentication failed for user "nobody_here"'),
                            ("sslmode=disable", "could not connect"),
                            (f"sslrootcert={tls}/stranger.crt", "certificate verify failed"),
                            ("port=1", "could not connect"),
                            ("colour=blue", 'invalid connection option "colour"')):
        done = backup(cluster, target, f"{good} {change}", check=False)
        assert done.returncode == 1 and message in done.stderr, (change, done.stderr)
        assert not target.data.exists(), change
    target.data.mkdir()
    (target.data / "precious").write_text("")
    own(cluster, target.data)
    done = backup(cluster, target, good, check=False)
    assert done.returncode == 1 and "exists but is not empty" in done.stderr, done.stderr
    assert (target.data / "precious").exists()
    return good


def check_interrupt(cluster, primary, good):
    target = cluster.node("interrupted")
    process = subprocess.Popen([str(cluster.binary), "basebackup", "-D", str(target.data), "-c", "fast", "-r", "32", "-d", good],
                               stderr=subprocess.PIPE, text=True, cwd=cluster.folder, **cluster.identity())
    wait_until(lambda: primary.value("SELECT count(*) FROM pg_stat_replication WHERE state = 'backup'") == "1", "the backup to run")
    wait_until(lambda: (target.data / "backup_label").exists(), "the first file")
    process.send_signal(signal.SIGINT)
    assert "interrupted" in process.communicate(timeout=30)[1] and process.returncode == 1
    assert not target.data.exists()
    wait_until(lambda: primary.value("SELECT count(*) FROM pg_replication_slots") == "0", "its temporary slot to go")
    assert primary.value("SELECT count(*) FROM pg_stat_replication") == "0"


def check_other_proofs(cluster, primary, good, tls):
    """`cert`, `password` and clientcert lines of pg_hba.conf; a backup history file for each backup; a spread checkpoint."""
    hba = primary.data / "pg_hba.conf"
    before = hba.read_text()
    for name in ("rep", "other"):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/O=Test/CN={name}", "-keyout", tls / f"{name}.key", "-out", tls / f"{name}.csr")
        openssl("x509", "-req", "-in", tls / f"{name}.csr", "-CA", tls / "ca.crt", "-CAkey", tls / "ca.key", "-CAcreateserial",
                "-days", 30, "-out", tls / f"{name}.crt")
        (tls / f"{name}.key").chmod(0o600)
    own(cluster, tls)
    (primary.data / "pg_ident.conf").write_text("people other rep\n")
    primary.sql("SET password_encryption = 'md5'; CREATE ROLE hashed LOGIN REPLICATION PASSWORD 'md5 secret'")
    unproved = good.replace(" password=secret", "")

    def certificate(name):
        return f"{unproved} sslcert={tls}/{name}.crt sslkey={tls}/{name}.key"
    for line, conninfo, refusal in (
            ("cert", certificate("rep"), None),
            ("cert", certificate("other"), 'certificate authentication failed for user "rep"'),
            ("cert", unproved, "connection requires a valid client certificate"),
            ("cert map=people", certificate("other"), None),
            ("cert map=people", certificate("rep"), 'certificate authentication failed for user "rep"'),
            ("cert clientname=DN", certificate("rep"), 'certificate authentication failed for user "rep"'),
            ("scram-sha-256 clientcert=verify-ca", good, "connection requires a valid client certificate"),
            ("scram-sha-256 clientcert=verify-ca", certificate("other") + " password=secret", None),
            ("scram-sha-256 clientcert=verify-full", certificate("other") + " password=secret", "certificate authentication failed"),
            ("password", good, None),
            ("password", good.replace("user=rep", "user=hashed").replace("password=secret", "password='md5 secret'"), None),
            ("password", good.replace("password=secret", "password=wrong"), 'password authentication failed for user "rep"')):
        hba.write_text(f"hostssl replication all all {line}\n" + before)
        target = cluster.node("proof")
        # With a spread checkpoint, which on an idle node takes no longer than its few pages do.
        arguments = ["-X", "none", "-N"] + ([] if refusal else ["-c", "spread", "-R"])
        done = backup(cluster, target, conninfo, *arguments, check=False)
        assert (done.returncode == 0) == (refusal is None) and (refusal or "") in done.stderr, (line, conninfo, done.stderr)
        if refusal is None:  # the name that copying goes by is not the replica's
            assert "application_name" not in (target.data / "postgresql.auto.conf").read_text(), conninfo
        shutil.rmtree(target.data, ignore_errors=True)
    hba.write_text(before)
    history = sorted((primary.data / "pg_wal").glob("*.backup"))
    assert len(history) == 1, history  # those before it are of no use once archived, or without an archive
    text = history[0].read_text()
    for words in ("START WAL LOCATION: ", "STOP WAL LOCATION: ", "CHECKPOINT LOCATION: ", "BACKUP METHOD: streamed", "BACKUP FROM: primary",
                  "START TIME: ", "LABEL: walden basebackup", "START TIMELINE: 1", "STOP TIME: ", "STOP TIMELINE: 1"):
        assert f"\n{words}" in "\n" + text, (words, text)


def check_what_a_copy_holds(replica):
    assert (replica.data / "standby.signal").exists()
    assert "primary_conninfo" in (replica.data / "postgresql.auto.conf").read_text()
    assert not list((replica.data / "pg_csn").iterdir()) and not list((replica.data / "pg_replslot").iterdir())
    assert not (replica.data / "postmaster.pid").exists()


def check_unsettled_stays_hidden(primary, replica):
    """I8: commits that no quorum has are not shown on a replica, not even after its restart."""
    wait_caught_up(primary, replica)
    reload_with(primary, synchronous_standby_names="somebody_else")
    primary.sql("SET synchronous_commit = local; INSERT INTO t VALUES (77777)")
    received = primary.value("SELECT pg_current_wal_flush_lsn()")
    wait_until(lambda: replica.value(f"SELECT pg_last_wal_receive_lsn() >= '{received}'") == "t", "the replica to receive it")
    assert replica.value("SELECT count(*) FROM t WHERE n = 77777") == "0"
    replica.kill_all()
    replica.start()
    wait_streaming(primary, replica)
    assert replica.value("SELECT count(*) FROM t WHERE n = 77777") == "0"
    reload_with(primary, synchronous_standby_names="")
    wait_until(lambda: replica.value("SELECT count(*) FROM t WHERE n = 77777") == "1", "the settled commit to be shown")


def main() -> int:
    with Cluster() as cluster:
        tls = make_certificates(cluster)
        primary = streaming_primary(cluster, "primary")
        hba = primary.data / "pg_hba.conf"
        hba.write_text("host replication all all scram-sha-256\n" + hba.read_text().replace("127.0.0.1/32 trust", "127.0.0.9/32 trust"))
        own(cluster, hba)
        primary.configure(ssl="on", ssl_cert_file=tls / "node.crt", ssl_key_file=tls / "node.key", ssl_ca_file=tls / "ca.crt")
        primary.restart()
        primary.sql("CREATE ROLE rep LOGIN REPLICATION PASSWORD 'secret'; CREATE ROLE plain LOGIN PASSWORD 'secret';"
                    "CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 5000);"
                    "CREATE UNLOGGED TABLE u (n int); INSERT INTO u VALUES (1)")
        good = check_refusals(cluster, primary, tls)
        check_interrupt(cluster, primary, good)
        check_other_proofs(cluster, primary, good, tls)

        replica = cluster.node("replica")
        backup(cluster, replica, f"{good} application_name=replica", "-R", "-C", "-S", "r1", "-z", "-r", "500M")
        check_what_a_copy_holds(replica)
        # Its own replicas need no certificate: without TLS the port is open to this machine only.
        replica.configure(port=replica.port, metrics_port=replica.metrics_port, ssl="off", wal_receiver_status_interval="1s",
                          wal_retrieve_retry_interval="100ms")
        replica_hba = replica.data / "pg_hba.conf"
        replica_hba.write_text("host replication all 127.0.0.1/32 trust\n" + replica_hba.read_text())
        own(cluster, replica_hba)
        replica.start()
        wait_streaming(primary, replica)
        assert primary.value("SELECT active FROM pg_replication_slots WHERE slot_name = 'r1'") == "t"
        assert_equal(primary, replica, ["t"])
        assert replica.sqlstate("SELECT * FROM u") != "00000"
        check_unsettled_stays_hidden(primary, replica)

        # A replica of the replica, which goes on after the one in the middle is promoted.
        third = cluster.node("third")
        take_basebackup(replica, third)
        third.start()
        wait_streaming(replica, third)
        primary.sql("INSERT INTO t VALUES (100001)")
        wait_caught_up(primary, replica)
        wait_until(lambda: third.value("SELECT max(n) FROM t") == "100001", "the last row to pass through")
        primary.stop()
        replica.walden("promote", "-D", replica.data)
        replica.sql("INSERT INTO t VALUES (100002)")
        wait_until(lambda: third.value("SELECT max(n) FROM t") == "100002", "the new timeline to be followed")
        assert third.value("SELECT received_tli FROM pg_stat_wal_receiver") == "2"
        assert content(third, "t") == content(replica, "t")
        third.stop()
        replica.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
