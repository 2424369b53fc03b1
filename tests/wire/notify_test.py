#!/usr/bin/env python3
"""LISTEN and NOTIFY between sessions: who hears what, when, in which order, and what is left of it."""
import re
import subprocess
import unittest

from wire_case import Cluster, NodeCase, wait_until
from wire_client import WireClient


def notifications(messages) -> list:
    """(channel, payload) of those among the messages."""
    return [tuple(part.decode() for part in message.body[4:-1].split(b"\0")) for message in messages if message.kind == "A"]


class NotifyTest(NodeCase):
    @classmethod
    def fill(cls):
        cls.node.psql("CREATE DATABASE other")

    def session(self, database="postgres", *statements) -> WireClient:
        client = WireClient(self.node.port, path=str(self.cluster.folder), database=database)
        self.addCleanup(client.socket.close)
        for statement in statements:
            client.rows(statement)
        return client

    def heard(self, client, count: int) -> list:
        """The next `count`, which come without being asked for."""
        found = []
        while len(found) < count:
            message = client.read()
            self.assertEqual(message.kind, "A")
            found += notifications([message])
        return found

    def test_idle_listeners_hear_it_in_the_order_of_commits(self):
        first, second = self.session("postgres", "LISTEN news"), self.session("postgres", "LISTEN news", "LISTEN rest")
        sender, slow = self.session(), self.session()
        slow.rows("BEGIN")
        slow.rows("NOTIFY news, 'begun first'")
        sender.rows("NOTIFY news, 'one'; NOTIFY rest; NOTIFY news, 'two'; NOTIFY news, 'one'; NOTIFY nobody")
        slow.rows("COMMIT")
        self.assertEqual(self.heard(first, 3), [("news", "one"), ("news", "two"), ("news", "begun first")])
        self.assertEqual(self.heard(second, 4), [("news", "one"), ("rest", ""), ("news", "two"), ("news", "begun first")])

    def test_process_id_and_own_notifications(self):
        client = self.session("postgres", "LISTEN mine")
        messages = client.query("NOTIFY mine, 'x'")
        self.assertEqual([message.kind for message in messages], ["C", "A", "Z"])
        self.assertEqual(int.from_bytes(messages[1].body[:4], "big"), client.pid)
        self.assertEqual(notifications(messages), [("mine", "x")])

    def test_nothing_comes_within_a_transaction(self):
        client, sender = self.session("postgres", "LISTEN later"), self.session()
        client.rows("BEGIN")
        sender.rows("NOTIFY later, 'a'")
        self.assertEqual(notifications(client.query("SELECT 1")), [])
        self.assertEqual(notifications(client.query("SELECT 1 / 0")), [])
        sender.rows("NOTIFY later, 'b'")
        messages = client.query("ROLLBACK")
        self.assertEqual([message.kind for message in messages], ["C", "A", "A", "Z"])
        self.assertEqual(notifications(messages), [("later", "a"), ("later", "b")])

    def test_rolled_back_ones_are_never_heard(self):
        client, sender = self.session("postgres", "LISTEN c"), self.session()
        sender.query("BEGIN; NOTIFY c, 'no'; ROLLBACK")
        sender.query("BEGIN; NOTIFY c, 'no'; SELECT 1 / 0")
        sender.query("ROLLBACK")
        sender.query("BEGIN; NOTIFY c, 'yes'; SAVEPOINT s; NOTIFY c, 'no'; ROLLBACK TO s; NOTIFY c, 'too'; RELEASE s; COMMIT")
        sender.rows("CREATE TABLE d (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        failed = sender.query("BEGIN; NOTIFY c, 'no'; INSERT INTO d VALUES (1), (1); COMMIT")
        self.assertEqual([message.fields()["C"] for message in failed if message.kind == "E"], ["23505"])
        sender.query("NOTIFY c, 'last'")
        self.assertEqual(self.heard(client, 3), [("c", "yes"), ("c", "too"), ("c", "last")])

    def test_what_was_committed_before_listen_is_not_heard(self):
        sender, client = self.session(), self.session()
        client.rows("BEGIN")
        sender.rows("NOTIFY past, 'before'")
        client.rows("LISTEN past")
        messages = client.query("COMMIT")
        self.assertEqual(notifications(messages), [])
        sender.rows("NOTIFY past, 'after'")
        self.assertEqual(self.heard(client, 1), [("past", "after")])
        client.rows("UNLISTEN past")
        sender.rows("NOTIFY past, 'much later'")
        self.assertEqual(notifications(client.query("SELECT 1")), [])

    def test_databases_are_apart(self):
        client, stranger = self.session("postgres", "LISTEN c"), self.session("other", "LISTEN c")
        self.session("other").rows("NOTIFY c, 'there'")
        self.session().rows("NOTIFY c, 'here'")
        self.assertEqual((self.heard(client, 1), self.heard(stranger, 1)), ([("c", "here")], [("c", "there")]))

    def test_many_pages_and_a_listener_that_lags(self):
        lagging, sender = self.session("postgres", "LISTEN big"), self.session()
        lagging.rows("BEGIN")
        payloads = [f"{n:05}" + "x" * (n * 37 % 7990) for n in range(900)]  # 3.5 MB: far more than the queue has in memory
        for begin in range(0, len(payloads), 90):
            sender.rows("BEGIN")
            sender.rows(f"SELECT pg_notify('big', lpad(n::text, 5, '0') || repeat('x', n * 37 % 7990)) FROM generate_series({begin}, {begin + 89}) n")
            sender.rows("COMMIT")
        self.assertGreater(float(sender.rows("SELECT pg_notification_queue_usage()")[0][0]), 0)
        folder = self.node.data / "pg_notify"
        self.assertGreater(len(list(folder.iterdir())), 5)
        self.assertEqual(notifications(lagging.query("COMMIT")), [("big", payload) for payload in payloads])
        # The next sender finds that nobody needs them any more.
        sender.rows("NOTIFY big, 'end'")
        self.assertEqual(self.heard(lagging, 1), [("big", "end")])
        sender.rows("NOTIFY big, 'end'")
        wait_until(lambda: len(list(folder.iterdir())) <= 1, "the queue's files to go")
        self.assertEqual(sender.rows("SELECT pg_notification_queue_usage()"), [[b"0"]])

    def test_a_listener_elsewhere_does_not_keep_the_queue(self):
        self.session("other", "LISTEN nothing")
        sender = self.session()
        for _ in range(40):
            sender.rows("SELECT pg_notify('big', repeat('y', 7900) || n) FROM generate_series(1, 10) n")
        folder = self.node.data / "pg_notify"

        def given_back():
            sender.rows("NOTIFY big")
            return len(list(folder.iterdir())) <= 2
        wait_until(given_back, "the queue's files to go")

    def test_the_end_of_a_session_ends_its_listening(self):
        client = self.session("postgres", "LISTEN gone")
        client.send("X")
        self.assertTrue(client.at_end())
        # Its process serves another session, which hears nothing of it.
        others = [self.session() for _ in range(20)]
        self.assertEqual([other.rows("SELECT count(*) FROM pg_listening_channels()") for other in others], [[[b"0"]]] * len(others))
        self.session().rows("NOTIFY gone")
        self.assertEqual([notifications(other.query("SELECT 1")) for other in others], [[]] * len(others))

    def test_a_crash_empties_the_queue(self):
        with Cluster() as cluster:
            node = cluster.node("crash").init().start()
            listener, sender = (WireClient(node.port, path=str(cluster.folder)) for _ in range(2))
            listener.rows("LISTEN c")
            listener.rows("BEGIN")
            for _ in range(30):
                sender.rows("SELECT pg_notify('c', repeat('z', 7900) || n) FROM generate_series(1, 10) n")
            self.assertGreater(len(list((node.data / "pg_notify").iterdir())), 5)
            node.kill_all()
            node.start()
            self.assertEqual(list((node.data / "pg_notify").iterdir()), [])
            self.assertEqual(node.value("SELECT pg_notification_queue_usage()"), "0")
            fresh = WireClient(node.port, path=str(cluster.folder))
            fresh.rows("LISTEN c")
            self.assertEqual(notifications(fresh.query("NOTIFY c, 'again'")), [("c", "again")])
            fresh.socket.close()
            node.stop(check_log=False)

    def test_a_queue_that_fills_warns_its_senders(self):
        with Cluster() as cluster:
            node = cluster.node("small").init()
            node.configure(walden_notify_queue_pages=8)
            node.start()
            listener, sender = (WireClient(node.port, path=str(cluster.folder)) for _ in range(2))
            listener.rows("LISTEN c")
            listener.rows("BEGIN")
            send = "SELECT pg_notify('c', repeat('z', 7900))"  # a page
            for _ in range(4):
                self.assertNotIn("N", [message.kind for message in sender.query(send)])
            warnings = [message.fields() for message in sender.query(send) if message.kind == "N"]
            self.assertEqual([(w["S"], w["C"], w["M"], w["D"], w["H"]) for w in warnings], [(
                "WARNING", "01000", "NOTIFY queue is 50% full",
                f"The server process with PID {listener.pid} is among those with the oldest transactions.",
                "The NOTIFY queue cannot be emptied until that process ends its current transaction.")])
            self.assertIn("WARNING:  NOTIFY queue is 50% full", node.log_text())
            for _ in range(3):
                self.assertEqual([message.kind for message in sender.query(send)][-1], "Z")
            failed = [message.fields() for message in sender.query(send) if message.kind == "E"]
            self.assertEqual([(f["C"], f["M"]) for f in failed], [("54000", "too many notifications in the NOTIFY queue")])
            self.assertEqual(len(notifications(listener.query("COMMIT"))), 8)
            sender.rows(send)
            self.assertEqual(len(notifications([listener.read()])), 1)
            for client in (listener, sender):
                client.socket.close()
            node.stop(check_log=False)

    def test_psql_shows_them(self):
        done = subprocess.run(["psql", "-X", "-h", str(self.cluster.folder), "-p", str(self.node.port), "-U", "postgres", "-d", "postgres",
                               "-c", "LISTEN virtual", "-c", "NOTIFY virtual, 'seen'"], capture_output=True, text=True, check=True)
        self.assertRegex(done.stdout, re.escape('Asynchronous notification "virtual" with payload "seen" received from server process with PID ') + r"\d+\.")


if __name__ == "__main__":
    unittest.main()
