#!/usr/bin/env python3
"""Who waits for a row that many want to change: one wakes when it is free, and whoever finds that it is not his lets the next go on."""
import unittest

from wire_case import NodeCase, wait_until
from wire_client import WireClient, text


class RowQueueTest(NodeCase):
    @classmethod
    def prepare(cls):
        (cls.node.data / "pg_hba.conf").write_text("local all all trust\nhost all all all trust\n")

    @classmethod
    def fill(cls):
        cls.node.sql("CREATE TABLE t (id int PRIMARY KEY, n int, tag text)")

    def setUp(self):
        self.node.sql("DELETE FROM t; INSERT INTO t VALUES (1, 0, 'a'), (2, 0, 'a')")
        self.sessions = [WireClient(self.node.port) for _ in range(5)]
        for session in self.sessions:
            self.addCleanup(session.socket.close)
            session.rows("BEGIN")

    def waits_for(self, session):
        """The wait event of a session that waits for a lock, else ''."""
        return self.node.value(f"SELECT coalesce(max(wait_event), '') FROM pg_stat_activity WHERE pid = {session.pid} AND wait_event_type = 'Lock'")

    def send(self, session, sql):
        session.send("Q", text(sql))

    def queue_up(self, sessions, sql):
        for session in sessions:
            self.send(session, sql)
            wait_until(lambda: self.waits_for(session), f"session {session.pid} to wait")

    def done(self, session):
        messages = session.until("Z")
        self.assertEqual([m.fields() for m in messages if m.kind == "E"], [])
        return next(m.body[:-1].decode() for m in messages if m.kind == "C")

    def test_one_at_a_time_and_nothing_is_lost(self):
        update = "UPDATE t SET n = n + 1 WHERE id = 1"
        self.sessions[0].rows(update)
        self.queue_up(self.sessions[1:], update)
        self.assertEqual([self.waits_for(s) for s in self.sessions[1:]], ["transactionid", "tuple", "tuple", "tuple"])
        waiting = list(self.sessions)
        while len(waiting) > 1:
            waiting.pop(0).rows("COMMIT")
            # The head of the queue has the row; nobody behind it was woken to find that out.
            self.assertEqual(self.done(waiting[0]), "UPDATE 1")
            self.assertEqual([self.waits_for(s) for s in waiting[1:]], ["tuple"] * len(waiting[1:]))
        waiting[0].rows("COMMIT")
        self.assertEqual(self.node.value("SELECT n FROM t WHERE id = 1"), "5")

    def test_a_row_that_no_longer_matches_is_left_to_the_next(self):
        self.sessions[0].rows("UPDATE t SET tag = 'b' WHERE id = 1")
        self.queue_up(self.sessions[1:2], "UPDATE t SET n = 7 WHERE id = 1 AND tag = 'a'")
        self.queue_up(self.sessions[2:3], "UPDATE t SET n = 8 WHERE id = 1")
        self.sessions[0].rows("COMMIT")
        self.assertEqual(self.done(self.sessions[1]), "UPDATE 0")
        # PostgreSQL locks the newest version before it looks again, and so do we: the row stays locked, by its xid.
        self.sessions[1].rows("ROLLBACK")
        self.assertEqual(self.done(self.sessions[2]), "UPDATE 1")
        self.sessions[2].rows("COMMIT")
        self.assertEqual(self.node.value("SELECT n FROM t WHERE id = 1"), "8")

    def answers_after_update(self, sql):
        """The rows of `sql`, which waits for a transaction that sets n = 42 in row 1."""
        self.sessions[0].rows("UPDATE t SET n = 42 WHERE id = 1")
        self.queue_up(self.sessions[1:2], sql)
        self.sessions[0].rows("COMMIT")
        messages = self.sessions[1].until("Z")
        self.assertEqual([m.fields() for m in messages if m.kind == "E"], [])
        return [m.row() for m in messages if m.kind == "D"]

    def test_all_changed_rows_of_a_join_are_looked_at_again_together(self):
        for lock in ("FOR UPDATE", "FOR SHARE", "FOR UPDATE OF b, a"):
            sql = f"SELECT a.n, b.n FROM t a JOIN t b ON a.id = b.id WHERE a.id = 1 {lock}"
            self.assertEqual(self.answers_after_update(sql), [[b"42", b"42"]])
            for session in self.sessions[:2]:
                session.rows("ROLLBACK; BEGIN")
            self.node.sql("UPDATE t SET n = 0 WHERE id = 1")

    def test_the_newest_version_is_not_at_the_place_that_was_asked_for(self):
        place = self.node.value("SELECT ctid FROM t WHERE id = 1")
        self.assertEqual(self.answers_after_update(f"UPDATE t SET n = 0 WHERE ctid = '{place}' RETURNING n"), [])
        self.sessions[1].rows("COMMIT")
        self.assertEqual(self.node.value("SELECT n FROM t WHERE id = 1"), "42")

    def test_a_savepoint_gives_the_place_back(self):
        update = "UPDATE t SET n = n + 1 WHERE id = 1"
        self.sessions[0].rows(update)
        self.sessions[1].rows("SAVEPOINT s")
        self.queue_up(self.sessions[1:3], update)
        self.sessions[0].rows("COMMIT")
        self.assertEqual(self.done(self.sessions[1]), "UPDATE 1")
        self.sessions[1].rows("ROLLBACK TO s")
        self.assertEqual(self.done(self.sessions[2]), "UPDATE 1")
        self.sessions[2].rows("COMMIT")
        self.assertEqual(self.node.value("SELECT n FROM t WHERE id = 1"), "2")

    def test_cancelled_waiters_leave_the_queue(self):
        update = "UPDATE t SET n = n + 1 WHERE id = 1"
        self.sessions[0].rows(update)
        self.queue_up(self.sessions[1:4], update)
        for session in self.sessions[1:3]:
            self.node.sql(f"SELECT pg_cancel_backend({session.pid})")
            self.assertEqual([m.fields()["C"] for m in session.until("Z") if m.kind == "E"], ["57014"])
        self.sessions[0].rows("COMMIT")
        self.assertEqual(self.done(self.sessions[3]), "UPDATE 1")
        self.sessions[3].rows("COMMIT")
        self.assertEqual(self.node.value("SELECT n FROM t WHERE id = 1"), "2")

    def test_a_cycle_is_found(self):
        first, second, third = self.sessions[:3]
        third.rows("COMMIT")  # its update is a transaction of its own
        first.rows("UPDATE t SET n = 1 WHERE id = 1")
        self.queue_up([second], "UPDATE t SET n = 2 WHERE id = 1")
        self.queue_up([third], "UPDATE t SET n = 3 WHERE id = 1")
        first.rows("COMMIT")
        self.done(second)  # and keeps its place at the head of the first version's queue
        self.assertEqual(self.waits_for(third), "tuple")
        fourth = self.sessions[3]
        fourth.rows("UPDATE t SET n = 4 WHERE id = 2")
        self.send(second, "UPDATE t SET n = 2 WHERE id = 2")
        wait_until(lambda: self.waits_for(second), "the second to wait")
        self.send(fourth, "UPDATE t SET n = 4 WHERE id = 1")
        codes = set()
        for session in (fourth, second):
            codes.update(m.fields()["C"] for m in session.until("Z") if m.kind == "E")
            session.rows("ROLLBACK")
        self.assertEqual(codes, {"40P01"})
        self.assertEqual(self.done(third), "UPDATE 1")


if __name__ == "__main__":
    unittest.main()
