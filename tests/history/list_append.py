"""Finds what no serial order of snapshots explains in a history of transactions that append to lists and read them.

Every append adds a value that nobody else appends, so a read of a list shows in which order its writers committed, and which of
them the reader saw. From that: who depends on whom, and cycles that isolation forbids.

    anomalies = check(history, READ_COMMITTED, final)     # {} when all is well

| name | what was found |
|---|---|
| garbage read | a value that nobody appended, or one twice |
| aborted read | a value whose transaction was rolled back (G1a) |
| intermediate read | some, not all, of one transaction's appends to a list (G1b) |
| internal | a transaction does not see its own appends |
| dirty write | lists disagree about the order of two writers (G0), or two reads about the order of one list |
| dirty read | a cycle of who wrote after or read from whom (G1c) |
| read skew, lost update | a cycle with one anti-dependency (G-single) |
| long fork | two readers saw two commits in different orders: a cycle without two anti-dependencies in a row |
| stale read | a commit that was acknowledged before the read began is missing from it |
| lost append, fractured | an acknowledged append is missing at the end; a transaction is there in part |

Under repeatable read a transaction has one snapshot. Under read committed every statement has one of its own: then each read is a
reader by itself. Either way, the position of snapshots and commits in one order excludes every cycle in which a dependency
(write-write, write-read, order within a session) is followed by at most one anti-dependency (read-write), and only those are anomalies: write skew
is not.
"""
import collections
from typing import NamedTuple

READ_COMMITTED, REPEATABLE_READ = "read committed", "repeatable read"
OK, FAILED, UNKNOWN = "ok", "failed", "unknown"


class Append(NamedTuple):
    key: int
    value: int


class Read(NamedTuple):
    """One statement: key -> the list that it saw."""
    lists: dict
    begun: float = 0.0


class Transaction(NamedTuple):
    session: object          # its transactions are in the order of the history
    status: str
    operations: list
    begun: float = 0.0       # before its first statement
    ended: float = 0.0       # when OK was known
    may_be_stale: bool = False  # read on a replica


class Reader:
    """A node of the graph: what one snapshot saw, without the values of its own transaction."""

    def __init__(self, transaction: int, stale_after):
        self.transaction, self.stale_after, self.seen = transaction, stale_after, {}


class Checker:
    def __init__(self, history, isolation):
        self.history, self.isolation = history, isolation
        self.found = collections.defaultdict(list)
        self.writer, self.batch = {}, {}  # (key, value) -> transaction; (transaction, key) -> its values in order
        for number, transaction in enumerate(history):
            for operation in transaction.operations:
                if isinstance(operation, Append):
                    self.writer[operation.key, operation.value] = number
                    self.batch.setdefault((number, operation.key), []).append(operation.value)
        self.readers, self.chains = [], collections.defaultdict(list)  # session -> its nodes, in order
        self.orders = {}  # key -> the longest list

    def run(self, final) -> dict:
        for number, transaction in enumerate(self.history):
            self.collect(number, transaction)
        if final is not None:
            last = Reader(None, float("inf"))
            last.seen = {key: tuple(values) for key, values in final.items()}
            self.readers.append(last)
        self.find_orders()
        for reader in self.readers:
            self.check_reader(reader)
        self.check_stale()
        if final is not None:
            self.check_final(final)
        self.check_cycles()
        return dict(self.found)

    # --- what was read ------------------------------------------------------------------------------------------------
    def collect(self, number: int, transaction: Transaction):
        own, reader = collections.defaultdict(list), None
        for operation in transaction.operations:
            if isinstance(operation, Append):
                own[operation.key].append(operation.value)
                continue
            if reader is None or self.isolation == READ_COMMITTED:
                begun = operation.begun if self.isolation == READ_COMMITTED else transaction.begun
                reader = Reader(number, None if transaction.may_be_stale else begun)
                self.readers.append(reader)
                self.chains[transaction.session].append(reader)
            for key, values in operation.lists.items():
                mine = own[key]
                if list(values[len(values) - len(mine):]) != mine:
                    self.found["internal"].append((number, key, values, mine))
                seen = tuple(value for value in values if value not in mine)
                if reader.seen.setdefault(key, seen) != seen:
                    self.found["read skew, lost update"].append((number, key, reader.seen[key], seen))
        self.chains[transaction.session].append(number)

    def find_orders(self):
        for reader in self.readers:
            for key, values in reader.seen.items():
                self.orders[key] = max(self.orders.get(key, ()), values, key=len)
        self.position = {(key, value): at for key, values in self.orders.items() for at, value in enumerate(values)}

    def check_reader(self, reader: Reader):
        for key, values in reader.seen.items():
            if len(set(values)) != len(values):
                self.found["garbage read"].append((reader.transaction, key, values))
            if self.orders[key][:len(values)] != values:
                self.found["dirty write"].append((key, values, self.orders[key]))
            for value in values:
                writer = self.writer.get((key, value))
                if writer is None:
                    self.found["garbage read"].append((reader.transaction, key, value))
                elif self.history[writer].status == FAILED:
                    self.found["aborted read"].append((reader.transaction, key, value))
            if values and (key, values[-1]) in self.writer:
                batch = self.batch[self.writer[key, values[-1]], key]
                if batch[-1] != values[-1] or list(values[-len(batch):]) != batch:
                    self.found["intermediate read"].append((reader.transaction, key, values[-1], batch))

    def check_stale(self):
        for key, values in self.orders.items():
            earliest, known = float("inf"), {len(values): float("inf")}  # length read -> when a missing value was acknowledged
            for at in range(len(values) - 1, -1, -1):
                writer = self.writer.get((key, values[at]))
                if writer is not None and self.history[writer].status == OK:
                    earliest = min(earliest, self.history[writer].ended)
                known[at] = earliest
            for reader in self.readers:
                if reader.stale_after is not None and key in reader.seen and known[min(len(reader.seen[key]), len(values))] < reader.stale_after:
                    if reader.transaction is not None:  # of the end: lost append
                        self.found["stale read"].append((reader.transaction, key, reader.seen[key][-3:], known[len(reader.seen[key])]))

    def check_final(self, final):
        there = {(key, value) for key, values in final.items() for value in values}
        for number, transaction in enumerate(self.history):
            appends = [(o.key, o.value) for o in transaction.operations if isinstance(o, Append)]
            kept = [append for append in appends if append in there]
            if transaction.status == OK and len(kept) < len(appends):
                self.found["lost append"].append((number, sorted(set(appends) - set(kept))))
            elif kept and len(kept) < len(appends):
                self.found["fractured"].append((number, kept, appends))

    # --- who depends on whom ------------------------------------------------------------------------------------------
    def check_cycles(self):
        write, read, anti = set(), set(), set()
        for key, values in self.orders.items():
            for before, after in zip(values, values[1:]):
                self.edge(write, self.writer.get((key, before)), self.writer.get((key, after)))
        for reader in self.readers:
            node = self.node(reader)
            for key, values in reader.seen.items():
                if values:
                    self.edge(read, self.writer.get((key, values[-1])), node)
                if len(values) < len(self.orders[key]):
                    self.edge(anti, node, self.writer.get((key, self.orders[key][len(values)])))
        sessions = set()
        for chain in self.chains.values():
            nodes = [self.node(part) if isinstance(part, Reader) else part for part in chain]
            for before, after in zip(nodes, nodes[1:]):
                self.edge(sessions, before, after)
        self.report("dirty write", write)
        self.report("dirty read", write | read)
        direct = write | read | sessions
        followers = collections.defaultdict(set)
        for reader, later in anti:
            followers[reader].add(later)
        composed = {(a, c) for a, b in direct for c in followers[b]}
        loops = {(a, c) for a, c in composed if a == c}
        for a, _ in loops:
            self.found["read skew, lost update"].append(("cycle", a))
        self.report("long fork", direct | (composed - loops))

    def node(self, reader: Reader):
        if self.isolation == REPEATABLE_READ and reader.transaction is not None:
            return reader.transaction
        return id(reader), reader.transaction

    @staticmethod
    def edge(edges: set, before, after):
        if before is not None and after is not None and before != after:
            edges.add((before, after))

    def report(self, name: str, edges: set):
        for component in strongly_connected(edges):
            self.found[name].append(("cycle", sorted(map(str, component))[:8]))


def strongly_connected(edges) -> list:
    """Components of more than one node (Tarjan, without recursion)."""
    after = collections.defaultdict(list)
    for a, b in edges:
        after[a].append(b)
    index, low, on_stack, stack, components = {}, {}, set(), [], []
    for root in list(after):
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(after[root]))]
        while work:
            node, following = work[-1]
            step = next(following, None)
            if step is not None:
                if step not in index:
                    index[step] = low[step] = len(index)
                    stack.append(step)
                    on_stack.add(step)
                    work.append((step, iter(after[step])))
                elif step in on_stack:
                    low[node] = min(low[node], index[step])
                continue
            work.pop()
            if work:
                low[work[-1][0]] = min(low[work[-1][0]], low[node])
            if low[node] == index[node]:
                component = []
                while not component or component[-1] != node:
                    component.append(stack.pop())
                    on_stack.discard(component[-1])
                if len(component) > 1:
                    components.append(component)
    return components


def check(history, isolation, final=None) -> dict:
    """Anomaly -> examples. `final`: the lists after everything ended."""
    return Checker(history, isolation).run(final)
