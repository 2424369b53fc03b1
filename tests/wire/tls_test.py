#!/usr/bin/env python3
"""TLS of client connections: certificates both ways, channel binding, pg_hba.conf rules about encryption, reload, refusals."""
import socket
import struct
import subprocess
import unittest

from wire_case import NodeCase, wait_until  # its folder of helpers comes first
from certificates import Authority, install, openssl

SSL_REQUEST = struct.pack("!II", 8, 80877103)


class TlsTest(NodeCase):
    @classmethod
    def prepare(cls):
        cls.authority = Authority(cls.cluster.folder / "authority")
        cls.stranger = Authority(cls.cluster.folder / "stranger", "stranger")
        cls.server = cls.authority.issue("server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1")
        cls.alice = cls.authority.issue("alice", "/O=Walden/CN=alice")
        cls.bob = cls.authority.issue("bob", "/CN=bob")
        cls.forged = cls.stranger.issue("alice", "/CN=alice")
        cls.use_certificate(cls.server)
        cls.put(cls.authority.certificate, "root.crt")
        cls.put(cls.authority.revoke(cls.bob[0]), "root.crl")
        cls.node.configure(ssl="on", ssl_ca_file="root.crt", ssl_crl_file="root.crl", log_connections="on")

    @classmethod
    def fill(cls):
        cls.node.sql("CREATE ROLE alice LOGIN PASSWORD 'secret'; CREATE ROLE bob LOGIN PASSWORD 'secret'; CREATE ROLE carol LOGIN")

    @classmethod
    def put(cls, source, name, mode=0o600):
        install(source, cls.node.data / name, cls.node.data / "postgresql.conf", mode)

    @classmethod
    def use_certificate(cls, pair):
        cls.put(pair[0], "server.crt")
        cls.put(pair[1], "server.key")

    def tearDown(self):
        self.use_certificate(self.server)
        self.hba("host all all 127.0.0.1/32 scram-sha-256")

    def conninfo(self, user="alice", mode="require", **more):
        settings = {"host": "127.0.0.1", "port": self.node.port, "user": user, "dbname": "postgres", "sslmode": mode,
                    "sslrootcert": self.authority.certificate, "sslcert": "none", "sslkey": "none", **more}
        return " ".join(f"{name}='{value}'" for name, value in settings.items())

    def as_client(self, pair):
        return {"sslcert": pair[0], "sslkey": pair[1]}

    def ask(self, sql="SELECT 1", password="secret", **kwargs):
        done = self.connect_psql(self.conninfo(**kwargs), sql, env={"PGPASSWORD": password})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def refusal(self, password="secret", **kwargs):
        done = self.connect_psql(self.conninfo(**kwargs), env={"PGPASSWORD": password})
        self.assertNotEqual(done.returncode, 0, "a connection that should be refused")
        return done.stderr

    def test_server_is_verified(self):
        self.hba("hostssl all all 127.0.0.1/32 scram-sha-256")
        row = self.ask("SELECT ssl, version, cipher <> '', bits >= 128, client_dn, client_serial, issuer_dn FROM pg_stat_ssl "
                       "WHERE pid = pg_backend_pid()", mode="verify-full")
        self.assertEqual(row, "t|TLSv1.3|t|t|||")
        self.assertRegex(self.ask("\\conninfo", mode="verify-full"), r"SSL connection \(protocol: TLSv1.3, cipher: ")
        self.assertIn("root certificate", self.refusal(mode="verify-ca", sslrootcert="/nonexistent"))
        self.assertIn("certificate verify failed", self.refusal(mode="verify-ca", sslrootcert=self.stranger.certificate))
        wait_until(lambda: "SSL enabled (protocol=TLSv1.3, cipher=" in self.node.log_text(), "the log line of the connection")
        self.assertRegex(self.node.log_text(), r'connection authenticated: identity="alice" method=scram-sha-256 \(.*pg_hba.conf:2\)')

    def test_channel_binding(self):
        self.hba("hostssl all all 127.0.0.1/32 scram-sha-256", "hostnossl all all 127.0.0.1/32 scram-sha-256")
        self.ask(channel_binding="require")
        self.ask(channel_binding="disable")
        self.assertIn("password authentication failed", self.refusal(password="wrong", channel_binding="require"))
        self.assertIn("channel binding", self.refusal(mode="disable", channel_binding="require"))
        for digest in ("sha384", "sha512", "sha1"):
            self.use_certificate(self.authority.issue(f"server-{digest}", "/CN=localhost", "DNS:localhost", digest))
            self.reload()
            self.ask(channel_binding="require")

    def test_rules_about_encryption(self):
        self.hba("hostssl all alice 127.0.0.1/32 scram-sha-256", "hostnossl all bob 127.0.0.1/32 scram-sha-256",
                 "host all carol 127.0.0.1/32 reject")
        self.ask(user="alice")
        self.ask(user="bob", mode="disable")
        self.assertIn('FATAL:  no pg_hba.conf entry for host "127.0.0.1", user "alice", database "postgres", no encryption',
                      self.refusal(user="alice", mode="disable"))
        self.assertIn('no pg_hba.conf entry for host "127.0.0.1", user "bob", database "postgres", SSL encryption',
                      self.refusal(user="bob"))
        self.assertIn('pg_hba.conf rejects connection for host "127.0.0.1", user "carol", database "postgres", SSL encryption',
                      self.refusal(user="carol"))

    def test_client_certificates(self):
        self.hba("hostssl all all 127.0.0.1/32 cert")
        row = self.ask("SELECT client_dn, client_serial > 0, issuer_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
                       **self.as_client(self.alice))
        self.assertEqual(row, "/O=Walden/CN=alice|t|/CN=authority")
        self.assertIn('FATAL:  certificate authentication failed for user "carol"',
                      self.refusal(user="carol", **self.as_client(self.alice)))
        self.assertIn("connection requires a valid client certificate", self.refusal())
        self.assertRegex(self.refusal(**self.as_client(self.forged)), "unknown ca|closed the connection")
        self.assertRegex(self.refusal(user="bob", **self.as_client(self.bob)), "revoked|closed the connection")
        wait_until(lambda: "Client certificate verification failed: certificate revoked." in self.node.log_text(), "the reason in the log")

    def test_client_certificate_with_password(self):
        self.hba("hostssl all alice 127.0.0.1/32 scram-sha-256 clientcert=verify-full",
                 "hostssl all carol 127.0.0.1/32 trust clientcert=verify-ca")
        self.ask(**self.as_client(self.alice))
        self.assertIn("password authentication failed", self.refusal(password="wrong", **self.as_client(self.alice)))
        self.ask(user="carol", **self.as_client(self.alice))
        self.assertIn("connection requires a valid client certificate", self.refusal(user="carol"))

    def test_user_maps(self):
        (self.node.data / "pg_ident.conf").write_text("names /^(.*)$ \\1\nnames alice carol\nwhole \"O=Walden,CN=alice\" carol\n"
                                                      "whole \"CN=alice,O=Walden\" carol\n")
        self.hba("hostssl postgres all 127.0.0.1/32 cert map=names", "hostssl template1 all 127.0.0.1/32 cert map=whole clientname=DN")
        self.ask(**self.as_client(self.alice))
        self.ask(user="carol", **self.as_client(self.alice))
        self.assertIn("certificate authentication failed", self.refusal(user="postgres", **self.as_client(self.alice)))
        self.ask(user="carol", dbname="template1", **self.as_client(self.alice))
        self.assertIn("certificate authentication failed", self.refusal(dbname="template1", **self.as_client(self.alice)))

    def test_cleartext_and_md5(self):
        self.node.sql("SET password_encryption = md5; ALTER ROLE bob PASSWORD 'old'")
        try:
            self.hba("hostssl all all 127.0.0.1/32 password", "hostnossl all all 127.0.0.1/32 md5")
            for user, password in (("alice", "secret"), ("bob", "old")):
                for mode in ("require", "disable"):
                    self.ask(user=user, password=password, mode=mode)
                    self.assertIn(f'FATAL:  password authentication failed for user "{user}"',
                                  self.refusal(user=user, password="wrong", mode=mode))
            for mode in ("require", "disable"):
                self.assertIn('password authentication failed for user "nobody"', self.refusal(user="nobody", mode=mode))
                self.assertIn('password authentication failed for user "carol"', self.refusal(user="carol", mode=mode))
        finally:
            self.node.sql("ALTER ROLE bob PASSWORD 'secret'")

    def test_reload_takes_what_is_good_and_keeps_the_rest(self):
        self.hba("hostssl all all 127.0.0.1/32 scram-sha-256")
        self.put(self.server[1], "server.key", 0o644)
        self.reload()
        self.ask(mode="verify-full")
        wait_until(lambda: "SSL configuration was not reloaded" in self.node.log_text(), "the refused reload")
        self.assertIn('private key file "server.key" has group or world access', self.node.log_text())
        self.use_certificate(self.stranger.issue("server", "/CN=localhost", "DNS:localhost"))
        self.reload()
        self.assertIn("certificate verify failed", self.refusal(mode="verify-ca"))
        self.ask(mode="verify-ca", sslrootcert=self.stranger.certificate)
        self.use_certificate(self.server)
        (self.node.data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 nonsense\n")
        self.reload()
        self.ask(mode="verify-ca")
        self.assertIn('invalid authentication method "nonsense"', self.node.log_text())

    def test_versions(self):
        self.hba("hostssl all all 127.0.0.1/32 scram-sha-256")
        self.assertIn("protocol: TLSv1.2", self.ask("\\conninfo", ssl_max_protocol_version="TLSv1.2"))
        self.node.sql("ALTER SYSTEM SET ssl_min_protocol_version = 'TLSv1.3'; SELECT pg_reload_conf()")
        wait_until(lambda: "alert" in self.refusal_or_nothing(ssl_max_protocol_version="TLSv1.2"), "the old version to be refused")
        self.node.sql("ALTER SYSTEM RESET ssl_min_protocol_version")
        self.reload()

    def refusal_or_nothing(self, **kwargs):
        return self.connect_psql(self.conninfo(**kwargs), env={"PGPASSWORD": "secret"}).stderr

    def test_unencrypted_data_behind_the_request_is_refused(self):
        with socket.create_connection(("127.0.0.1", self.node.port), timeout=10) as client:
            client.sendall(SSL_REQUEST + b"\0\0\0\x08\0\x03\0\0")
            answer = b""
            while chunk := client.recv(4096):
                answer += chunk
        self.assertTrue(answer.startswith(b"S"), answer)
        self.assertIn(b"received unencrypted data after SSL request", answer)

    def test_garbage_in_the_handshake_ends_that_connection_only(self):
        with socket.create_connection(("127.0.0.1", self.node.port), timeout=10) as client:
            client.sendall(SSL_REQUEST)
            self.assertEqual(client.recv(1), b"S")
            client.sendall(b"GET / HTTP/1.0\r\n\r\n")
            try:
                while client.recv(4096):
                    pass
            except ConnectionResetError:
                pass
        self.hba("hostssl all all 127.0.0.1/32 scram-sha-256")
        self.ask()
        self.assertIn("could not accept SSL connection: http request", self.node.log_text())

    def test_large_answers_and_copy(self):
        self.hba("hostssl all all 127.0.0.1/32 scram-sha-256")
        text = self.ask("SELECT string_agg(repeat(md5(i::text), 10), '') FROM generate_series(1, 5000) i")
        self.assertEqual(len(text), 5000 * 320)
        rows = subprocess.run(["psql", "-X", "-q", "-d", self.conninfo(), "-c", "CREATE TEMP TABLE t (a text)",
                               "-c", "COPY t FROM STDIN", "-c", "SELECT sum(length(a)) FROM t", "-At"],
                              input=text[:1000000] + "\n" + "x" * 100000 + "\n", capture_output=True, text=True, timeout=60,
                              env={"PGPASSWORD": "secret", "PATH": "/usr/bin:/bin"})
        self.assertEqual(rows.stdout.strip(), "1100000", rows.stderr)


class TlsStartTest(NodeCase):
    """What the postmaster says of files that it cannot use."""

    @classmethod
    def prepare(cls):
        cls.authority = Authority(cls.cluster.folder / "authority")
        cls.server = cls.authority.issue("server", "/CN=localhost")
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 trust\n")

    def refused(self, message, **settings):
        conf = self.node.data / "postgresql.conf"
        before = conf.read_text()
        try:
            self.node.configure(ssl="on", **settings)
            done = self.node.walden("start", "-D", self.node.data, "-l", self.node.data / "server.log", "--timeout", "20", check=False)
            self.assertNotEqual(done.returncode, 0, "a start that should fail")
            self.assertIn(message, self.node.log_text())
        finally:
            conf.write_text(before)

    def test_start(self):
        self.node.stop()
        install(self.server[0], self.node.data / "server.crt", self.node.data / "postgresql.conf")
        self.refused('could not load server certificate file "missing.crt": No such file or directory', ssl_cert_file="missing.crt")
        self.refused('could not access private key file "server.key": No such file or directory')
        install(self.server[1], self.node.data / "server.key", self.node.data / "postgresql.conf", 0o640)
        self.refused('private key file "server.key" has group or world access')
        (self.node.data / "server.key").chmod(0o600)
        self.refused('could not load root certificate file "missing.crt"', ssl_ca_file="missing.crt")
        self.refused("could not set SSL protocol version range", ssl_min_protocol_version="TLSv1.3", ssl_max_protocol_version="TLSv1.2")
        self.refused("could not set the cipher list", ssl_ciphers="nothing")
        self.refused("ECDH: unrecognized curve name: circle", ssl_ecdh_curve="circle")
        other = self.authority.issue("other", "/CN=other")
        install(other[1], self.node.data / "server.key", self.node.data / "postgresql.conf")
        self.refused("key values mismatch")
        self.node.start()

    def test_key_with_a_passphrase(self):
        self.node.stop()
        data, conf = self.node.data, self.node.data / "postgresql.conf"
        locked = self.authority.folder / "locked.key"
        openssl("pkey", "-in", self.server[1], "-aes256", "-passout", "pass:secret words", "-out", locked)
        install(self.server[0], data / "server.crt", conf)
        install(locked, data / "server.key", conf)
        asked = data / "asked"
        script = data / "passphrase.sh"
        script.write_text('echo "$1" >> asked\necho secret words\necho and more\n')
        self.refused('private key file "server.key" cannot be loaded because it requires a passphrase')
        self.refused('could not load private key file "server.key": bad decrypt', ssl_passphrase_command="echo wrong")
        self.refused('command "exit 3" failed', ssl_passphrase_command="exit 3")
        self.assertIn("child process exited with exit code 3", self.node.log_text())
        before = conf.read_text()
        try:
            self.node.configure(ssl="on", ssl_passphrase_command="sh passphrase.sh '%p'")
            self.node.start()
            self.node.allow_in_log("requires a passphrase")
            wait_until(lambda: "listening for replicas" in self.node.log_text(), "the replication port")
            self.assertEqual(asked.read_text(), "Enter PEM pass phrase:\n")  # once, for both ports
            self.assert_encrypted()
            self.reload()
            wait_until(lambda: "SSL configuration was not reloaded" in self.node.log_text(), "the refused reload")
            self.assert_encrypted()
            self.assertEqual(asked.read_text().count("\n"), 1)
            self.node.configure(ssl_passphrase_command_supports_reload="on")
            self.reload()
            wait_until(lambda: asked.read_text().count("\n") >= 3, "both ports to ask")
            self.assert_encrypted()
            self.assertEqual(self.node.log_text().count("SSL configuration was not reloaded"), 1)
        finally:
            self.node.stop()
            conf.write_text(before)
            (data / "server.crt").unlink()
            (data / "server.key").unlink()
            self.node.start()

    def assert_encrypted(self):
        done = self.connect_psql(f"host=127.0.0.1 port={self.node.port} user=postgres dbname=postgres sslmode=require",
                                 "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        self.assertEqual(done.stdout.strip(), "t", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
