#!/usr/bin/env python3
"""The checker finds each planted anomaly, and nothing in histories that a correct node may produce."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from list_append import FAILED, OK, READ_COMMITTED, REPEATABLE_READ, UNKNOWN, Append, Read, Transaction, check  # noqa: E402

BOTH = (READ_COMMITTED, REPEATABLE_READ)


def txn(session, *operations, status=OK, ended=1.0, **more):
    begun = min([operation.begun for operation in operations if isinstance(operation, Read)], default=0.0)
    return Transaction(session, status, list(operations), begun, ended, **more)


def read(begun=0.0, **lists):
    return Read({int(key[1:]): tuple(values) for key, values in lists.items()}, begun)


class Checker(unittest.TestCase):
    def found(self, isolation, *history, final=None):
        return set(check(list(history), isolation, final))

    def finds(self, name, *history, levels=BOTH, final=None):
        for isolation in levels:
            self.assertIn(name, self.found(isolation, *history, final=final), isolation)

    def nothing(self, *history, levels=BOTH, final=None):
        for isolation in levels:
            self.assertEqual(set(), self.found(isolation, *history, final=final), isolation)

    def test_serial(self):
        self.nothing(txn(1, Append(1, 1), Append(2, 2)), txn(2, read(k1=[1], k2=[2]), Append(1, 3), read(k1=[1, 3])),
                     txn(1, read(k1=[1, 3], k2=[2])), final={1: [1, 3], 2: [2]})

    def test_write_skew_is_allowed(self):
        self.nothing(txn(1, read(k1=[], k2=[]), Append(1, 1)), txn(2, read(k1=[], k2=[]), Append(2, 2)), txn(3, read(k1=[1], k2=[2])))

    def test_a_transaction_of_unknown_outcome_is_there_or_not(self):
        self.nothing(txn(1, Append(1, 1), Append(2, 2), status=UNKNOWN), final={1: [1], 2: [2]})
        self.nothing(txn(1, Append(1, 1), Append(2, 2), status=UNKNOWN), final={1: [], 2: []})
        self.finds("fractured", txn(1, Append(1, 1), Append(2, 2), status=UNKNOWN), final={1: [1], 2: []})

    def test_garbage(self):
        self.finds("garbage read", txn(1, read(k1=[7])))
        self.finds("garbage read", txn(1, Append(1, 1)), txn(2, read(k1=[1, 1])))

    def test_aborted_read(self):
        self.finds("aborted read", txn(1, Append(1, 1), status=FAILED), txn(2, read(k1=[1])))

    def test_intermediate_read(self):
        self.finds("intermediate read", txn(1, Append(1, 1), Append(1, 2)), txn(2, read(k1=[1])), txn(3, read(k1=[1, 2])))

    def test_internal(self):
        self.finds("internal", txn(1, Append(1, 1), read(k1=[])))

    def test_dirty_write(self):
        self.finds("dirty write", txn(1, Append(1, 1), Append(2, 1)), txn(2, Append(1, 2), Append(2, 2)),
                   txn(3, read(k1=[1, 2], k2=[2, 1])))
        self.finds("dirty write", txn(1, Append(1, 1)), txn(2, Append(1, 2)), txn(3, read(k1=[1])), txn(4, read(k1=[2, 1])))

    def test_dirty_read(self):
        self.finds("dirty read", txn(1, Append(1, 1), read(k2=[2])), txn(2, Append(2, 2), read(k1=[1])), levels=[REPEATABLE_READ])

    def test_read_skew(self):
        both = txn(1, Append(1, 1), Append(2, 2)), txn(3, read(k1=[1], k2=[2]))
        self.finds("read skew, lost update", *both, txn(2, read(k1=[1], k2=[])))
        self.finds("read skew, lost update", *both, txn(2, read(k1=[1]), read(k2=[])), levels=[REPEATABLE_READ])
        self.nothing(*both, txn(2, read(k1=[]), read(k2=[2])), levels=[READ_COMMITTED])
        self.finds("read skew, lost update", txn(1, Append(1, 1)), txn(2, read(k1=[]), read(k1=[1])), levels=[REPEATABLE_READ])

    def test_lost_update(self):
        self.finds("read skew, lost update", txn(1, read(k1=[]), Append(1, 1)), txn(2, read(k1=[]), Append(1, 2)),
                   txn(3, read(k1=[1, 2])), levels=[REPEATABLE_READ])
        self.nothing(txn(1, read(k1=[]), Append(1, 1)), txn(2, read(k1=[]), Append(1, 2)), txn(3, read(k1=[1, 2])),
                     levels=[READ_COMMITTED])

    def test_long_fork(self):
        self.finds("long fork", txn(1, Append(1, 1)), txn(2, Append(2, 2)), txn(3, read(k1=[1], k2=[])), txn(4, read(k1=[], k2=[2])))

    def test_a_session_goes_back(self):
        self.finds("long fork", txn(1, Append(1, 1)), txn(2, read(k1=[1])), txn(2, read(k1=[])))

    def test_stale_read(self):
        self.finds("stale read", txn(1, Append(1, 1), ended=5.0), txn(2, read(6.0, k1=[])), txn(3, read(6.0, k1=[1])))
        self.nothing(txn(1, Append(1, 1), ended=5.0), txn(2, read(4.0, k1=[])), txn(3, read(6.0, k1=[1])))
        self.nothing(txn(1, Append(1, 1), ended=5.0), txn(2, read(6.0, k1=[]), may_be_stale=True), txn(3, read(6.0, k1=[1])))

    def test_lost_append(self):
        self.finds("lost append", txn(1, Append(1, 1)), final={1: []})


if __name__ == "__main__":
    unittest.main()
