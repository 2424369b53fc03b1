#!/usr/bin/env python3
"""The checker finds each planted anomaly, and nothing in histories that a correct node may produce."""
import collections
import pathlib
import random
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


BOTH_SEEN = txn(1, Append(1, 1), Append(2, 2)), txn(3, read(k1=[1], k2=[2]))
# What is looked for, the smallest history that has it, the isolation levels that forbid it.
PLANTED = [
    ("garbage read", [txn(1, read(k1=[7]))], BOTH),
    ("garbage read", [txn(1, Append(1, 1)), txn(2, read(k1=[1, 1]))], BOTH),
    ("aborted read", [txn(1, Append(1, 1), status=FAILED), txn(2, read(k1=[1]))], BOTH),
    ("intermediate read", [txn(1, Append(1, 1), Append(1, 2)), txn(2, read(k1=[1])), txn(3, read(k1=[1, 2]))], BOTH),
    ("internal", [txn(1, Append(1, 1), read(k1=[]))], BOTH),
    ("dirty write", [txn(1, Append(1, 1), Append(2, 1)), txn(2, Append(1, 2), Append(2, 2)), txn(3, read(k1=[1, 2], k2=[2, 1]))], BOTH),
    ("dirty write", [txn(1, Append(1, 1)), txn(2, Append(1, 2)), txn(3, read(k1=[1])), txn(4, read(k1=[2, 1]))], BOTH),
    ("dirty read", [txn(1, Append(1, 1), read(k2=[2])), txn(2, Append(2, 2), read(k1=[1]))], [REPEATABLE_READ]),
    ("read skew, lost update", [*BOTH_SEEN, txn(2, read(k1=[1], k2=[]))], BOTH),
    ("read skew, lost update", [*BOTH_SEEN, txn(2, read(k1=[1]), read(k2=[]))], [REPEATABLE_READ]),
    ("read skew, lost update", [txn(1, Append(1, 1)), txn(2, read(k1=[]), read(k1=[1]))], [REPEATABLE_READ]),
    ("read skew, lost update", [txn(1, read(k1=[]), Append(1, 1)), txn(2, read(k1=[]), Append(1, 2)), txn(3, read(k1=[1, 2]))], [REPEATABLE_READ]),
    ("long fork", [txn(1, Append(1, 1)), txn(2, Append(2, 2)), txn(3, read(k1=[1], k2=[])), txn(4, read(k1=[], k2=[2]))], BOTH),
    ("long fork", [txn(1, Append(1, 1)), txn(2, read(k1=[1])), txn(2, read(k1=[]))], BOTH),
    ("stale read", [txn(1, Append(1, 1), ended=5.0), txn(2, read(6.0, k1=[])), txn(3, read(6.0, k1=[1]))], BOTH),
]


def sound(transactions: int, longest=60) -> tuple:
    """A long serial history as list_append_test.py makes them, and the lists at its end."""
    rng, lists, history, keys, values = random.Random(1), {}, [], list(range(5)), 0
    for number in range(transactions):
        operations = []
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(keys))
            if rng.random() < 0.5:
                operations.append(Read({key: lists.get(key, ()) for key in rng.choices(keys, k=3)}, float(number)))
                continue
            values += 1
            lists[keys[at]] = (*lists.get(keys[at], ()), values)
            operations.append(Append(keys[at], values))
            if len(lists[keys[at]]) == longest:
                keys[at] = max(keys) + 1
        history.append(Transaction(rng.randrange(8), OK, operations, float(number), number + 0.5))
    return history, lists


def moved(transaction: Transaction, by: int) -> Transaction:
    """With keys and a session of its own."""
    def operation_of(operation):
        if isinstance(operation, Append):
            return Append(operation.key + by, operation.value)
        return Read({key + by: values for key, values in operation.lists.items()}, operation.begun)
    return transaction._replace(session=("planted", transaction.session + by), operations=[operation_of(one) for one in transaction.operations])


def lines_run(work) -> int:
    """Lines of the checker that it executes."""
    count = 0

    def trace(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return trace
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


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

    def test_planted(self):
        for name, history, levels in PLANTED:
            with self.subTest(name, history=history):
                self.finds(name, *history, levels=levels)

    def test_what_snapshots_of_statements_allow(self):
        self.nothing(*BOTH_SEEN, txn(2, read(k1=[]), read(k2=[2])), levels=[READ_COMMITTED])
        self.nothing(txn(1, read(k1=[]), Append(1, 1)), txn(2, read(k1=[]), Append(1, 2)), txn(3, read(k1=[1, 2])),
                     levels=[READ_COMMITTED])

    def test_not_stale(self):
        self.nothing(txn(1, Append(1, 1), ended=5.0), txn(2, read(4.0, k1=[])), txn(3, read(6.0, k1=[1])))
        self.nothing(txn(1, Append(1, 1), ended=5.0), txn(2, read(6.0, k1=[]), may_be_stale=True), txn(3, read(6.0, k1=[1])))

    def test_planted_in_a_long_history(self):
        """Everything is found as often as in the small histories alone, and nothing else."""
        history, lists = sound(20000)
        for isolation in BOTH:
            self.assertEqual({}, check(history, isolation, lists))
            planted, expected = list(history), collections.Counter()
            for number, (_, transactions, _) in enumerate(PLANTED):
                expected.update({name: len(examples) for name, examples in check(transactions, isolation).items()})
                every = len(planted) // (len(transactions) + 1)
                for at, transaction in reversed(list(enumerate(transactions, 1))):
                    planted.insert(at * every, moved(transaction, 1000000 * (number + 1)))
            found = check(planted, isolation)
            self.assertEqual(dict(expected), {name: len(examples) for name, examples in found.items()})

    def test_it_takes_no_more_than_its_share(self):
        """Four times the history, four times the work: minutes of a loaded node can be checked."""
        for isolation in BOTH:
            histories = [sound(size, longest=6) for size in (1000, 4000)]
            short, long = (lines_run(lambda: check(history, isolation, lists)) for history, lists in histories)
            self.assertLess(long, 4.8 * short)

    def test_lost_append(self):
        self.finds("lost append", txn(1, Append(1, 1)), final={1: []})


if __name__ == "__main__":
    unittest.main()
