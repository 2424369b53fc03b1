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

    def __init__(self, transaction: int, stale_after, node: int):
        self.transaction, self.stale_after, self.node, self.seen = transaction, stale_after, node, {}


class Checker:
    """What it does and keeps is proportional to what the history holds: the lists are checked as prefixes of each key's longest one, and
    edges that follow from others are not written down."""

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
        self.reads = collections.defaultdict(list)  # key -> its readers
        self.orders = {}  # key -> the longest list
        self.sound = {}   # key -> how many of its first values are distinct, appended by somebody, and not rolled back

    def run(self, final) -> dict:
        for number, transaction in enumerate(self.history):
            self.collect(number, transaction)
        if final is not None:
            last = self.new_reader(None, float("inf"))
            last.seen = {key: tuple(values) for key, values in final.items()}
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
                reader = self.new_reader(number, None if transaction.may_be_stale else begun)
                self.chains[transaction.session].append(reader.node)
            for key, values in operation.lists.items():
                mine = own[key]
                if list(values[len(values) - len(mine):]) != mine:
                    self.found["internal"].append((number, key, values, mine))
                seen = tuple(value for value in values if value not in mine) if mine else values
                if reader.seen.setdefault(key, seen) != seen:
                    self.found["read skew, lost update"].append((number, key, reader.seen[key], seen))
        self.chains[transaction.session].append(number)

    def new_reader(self, transaction, stale_after) -> Reader:
        """Under repeatable read a transaction is one node with what it read, otherwise each of its reads is a node."""
        one = self.isolation == REPEATABLE_READ and transaction is not None
        reader = Reader(transaction, stale_after, transaction if one else len(self.history) + len(self.readers))
        self.readers.append(reader)
        return reader

    def find_orders(self):
        for reader in self.readers:
            for key, values in reader.seen.items():
                self.reads[key].append(reader)
                self.orders[key] = max(self.orders.get(key, ()), values, key=len)
        for key, values in self.orders.items():
            met = set()
            for value in values:
                if value in met or self.fault_of(key, value):
                    break
                met.add(value)
            self.sound[key] = len(met)

    def fault_of(self, key, value) -> str:
        writer = self.writer.get((key, value))
        if writer is None:
            return "garbage read"
        return "aborted read" if self.history[writer].status == FAILED else ""

    def check_reader(self, reader: Reader):
        for key, values in reader.seen.items():
            ordered = self.orders[key][:len(values)] == values
            if not ordered:
                self.found["dirty write"].append((reader.transaction, key, values, self.orders[key]))
            if not ordered or len(values) > self.sound[key]:
                self.check_values(reader, key, values)
            if values and (key, values[-1]) in self.writer:
                batch = self.batch[self.writer[key, values[-1]], key]
                if batch[-1] != values[-1] or list(values[-len(batch):]) != batch:
                    self.found["intermediate read"].append((reader.transaction, key, values[-1], batch))

    def check_values(self, reader: Reader, key, values):
        if len(set(values)) != len(values):
            self.found["garbage read"].append((reader.transaction, key, values))
        for value in values:
            fault = self.fault_of(key, value)
            if fault:
                self.found[fault].append((reader.transaction, key, value))

    def check_stale(self):
        for key, values in self.orders.items():
            earliest, known = float("inf"), [float("inf")] * (len(values) + 1)  # by length read: when a missing value was acknowledged
            for at in range(len(values) - 1, -1, -1):
                writer = self.writer.get((key, values[at]))
                if writer is not None and self.history[writer].status == OK:
                    earliest = min(earliest, self.history[writer].ended)
                known[at] = earliest
            for reader in self.reads[key]:
                seen = reader.seen[key]
                if reader.transaction is None or reader.stale_after is None:  # of the end: lost append
                    continue
                if known[len(seen)] < reader.stale_after:
                    self.found["stale read"].append((reader.transaction, key, seen[-3:], known[len(seen)]))

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
        write, read, sessions, anti = (collections.defaultdict(list) for _ in range(4))  # node -> those that come after it
        for key, values in self.orders.items():
            for before, after in zip(values, values[1:]):
                self.edge(write, self.writer.get((key, before)), self.writer.get((key, after)))
        for reader in self.readers:
            for key, values in reader.seen.items():
                if values:
                    self.edge(read, self.writer.get((key, values[-1])), reader.node)
                if len(values) < len(self.orders[key]):
                    self.edge(anti, reader.node, self.writer.get((key, self.orders[key][len(values)])))
        for chain in self.chains.values():
            for before, after in zip(chain, chain[1:]):
                self.edge(sessions, before, after)
        nodes = {*write, *read, *sessions, *anti}

        def direct(node) -> set:
            return {after for kind in (write, read, sessions) for after in kind.get(node, ())}

        def with_one_anti(node) -> set:
            after = direct(node)
            return after | {last for between in after for last in anti.get(between, ()) if last != node}
        self.report("dirty write", nodes, lambda node: write.get(node, ()))
        self.report("dirty read", nodes, lambda node: (*write.get(node, ()), *read.get(node, ())))
        for node in nodes:
            if any(node in anti.get(after, ()) for after in direct(node)):
                self.found["read skew, lost update"].append(("cycle", node))
        self.report("long fork", nodes, with_one_anti)

    @staticmethod
    def edge(edges: dict, before, after):
        if before is not None and after is not None and before != after:
            edges[before].append(after)

    def report(self, name: str, nodes, followers):
        for component in strongly_connected(nodes, followers):
            self.found[name].append(("cycle", [self.name_of(node) for node in sorted(component)[:8]]))

    def name_of(self, node: int) -> str:
        read = node - len(self.history)
        return str(node) if read < 0 else f"a read of {self.readers[read].transaction}"


def strongly_connected(nodes, followers) -> list:
    """Components of more than one node (Tarjan, without recursion). followers: of a node; asked once for each."""
    index, low, on_stack, stack, components = {}, {}, set(), [], []
    for root in nodes:
        if root in index:
            continue
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        work = [(root, iter(followers(root)))]
        while work:
            node, following = work[-1]
            step = next(following, None)
            if step is not None:
                if step not in index:
                    index[step] = low[step] = len(index)
                    stack.append(step)
                    on_stack.add(step)
                    work.append((step, iter(followers(step))))
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
