"""A mixed load with a record, outside the node, of what it acknowledged; and the checks of what must be true after any crash.

    load = Workload(node); load.create()
    clients = load.start(); ... the node dies ...; load.stop(clients)
    node.wait_accepting(); load.check("what was done to it")

Acknowledged transfers are there, others are all-or-nothing (balances follow from the transfers that are there), rolled back ones are not,
sequence values never repeat, indexes agree with their tables, heaps are sound, and every relation has its file and every file its relation.
"""
import base64
import contextlib
import pathlib
import random
import re
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "wire"))
from walden_node import wait_until  # noqa: E402
from wire_client import WireClient  # noqa: E402

ACCOUNTS = 20
TRANSFERS = 3000  # of one client in one run: more than it gets done
ROLLED_BACK = 100_000_000


def accounts_of(number: int):
    """(giver, taker) of a transfer; never the same account."""
    giver = number * 7 % ACCOUNTS
    return giver, (giver + 1 + number % (ACCOUNTS - 1)) % ACCOUNTS


def long_text(number: int) -> str:
    """Too long for a row, and does not compress."""
    return base64.b64encode(random.Random(number).randbytes(4500)).decode()


def transfer(number: int, client: int) -> str:
    giver, taker = accounts_of(number)
    low, high = sorted((giver, taker))  # locked in one order, so that transfers do not deadlock
    change = 1 if low == taker else -1
    note = long_text(number) if number % 12 == 0 else f"transfer {number}"
    lines = [f"BEGIN;\nUPDATE account SET n = n + ({change}) WHERE id = {low};\nUPDATE account SET n = n - ({change}) WHERE id = {high};\n"
             f"INSERT INTO transfer VALUES ({number}, {client}, '{note}');\nCOMMIT;\n\\echo done {number}"]
    if number % 5 == 0:
        lines.append("SELECT 'ticket ' || nextval('ticket');")
    if number % 7 == 0:
        lines.append(f"BEGIN;\nUPDATE account SET n = n + 1000 WHERE id = {low};\nINSERT INTO transfer VALUES ({number + ROLLED_BACK}, 0, 'no');\n"
                     "SAVEPOINT s;\nINSERT INTO transfer VALUES (-1, 0, 'no');\nROLLBACK TO s;\nROLLBACK;")
    return "\n".join(lines)


def churn(run: int, rounds: int) -> str:
    """Row versions of every kind, splits, deletions and VACUUM."""
    lines = []
    for i in range(run * 1000, run * 1000 + rounds):
        first = i * 150
        lines.append(f"""INSERT INTO busy SELECT n, n % 97, repeat('p', 60) FROM generate_series({first}, {first + 149}) n;
UPDATE busy SET k = k + 1 WHERE id % 11 = {i % 11} AND id > {first - 600};
UPDATE busy SET pad = 'hot' WHERE id = {first};
INSERT INTO busy VALUES ({first}, 0, '') ON CONFLICT (id) DO NOTHING;
INSERT INTO busy VALUES (-{i} - 1, 0, '') ON CONFLICT (id) DO NOTHING;
BEGIN; SELECT 1 FROM busy WHERE id = {first + 1} FOR SHARE; SAVEPOINT a; SELECT 1 FROM busy WHERE id = {first + 1} FOR UPDATE;
UPDATE busy SET k = 5 WHERE id = {first + 2}; COMMIT;
DELETE FROM busy WHERE id >= {first - 300} AND id < {first - 100};
CREATE TABLE IF NOT EXISTS tail (n int, pad text);
COPY tail FROM STDIN;
1\tcopied
2\tcopied
\\.
INSERT INTO tail SELECT n, repeat('t', 200) FROM generate_series(1, 300) n;
DELETE FROM tail WHERE n > 5;""")
        if i % 2 == 0:
            # With few rows here and there, then with none: the end of the table is empty.
            lines.append("VACUUM busy; VACUUM tail; DELETE FROM tail; VACUUM tail;")
    return "\n".join(lines)


def definitions(run: int, rounds: int) -> str:
    """Relations come, change and go; checkpoints, WAL switches, databases."""
    lines = ["\\set ON_ERROR_STOP on"]
    for i in range(run * 1000, run * 1000 + rounds):
        lines.append(f"""BEGIN; CREATE TABLE made_{i} (id int PRIMARY KEY, pad text);
INSERT INTO made_{i} SELECT n, repeat('d', 50) FROM generate_series(1, 300) n;
COMMIT;
\\echo made {i}
CREATE INDEX made_{i}_pad ON made_{i} (pad, id);
BEGIN; CREATE TABLE never_{i} (n int); INSERT INTO never_{i} VALUES (1); DROP TABLE made_{i}; ROLLBACK;
ALTER TABLE made_{i} ADD COLUMN extra int DEFAULT {i}; ALTER TABLE made_{i} ALTER COLUMN pad TYPE varchar(60);
\\echo altered {i}
BEGIN; TRUNCATE made_{i}; ALTER TABLE made_{i} RENAME COLUMN extra TO lost; ROLLBACK;
DROP INDEX made_{i}_pad;
TRUNCATE made_{i};
\\echo truncated {i}
DROP TABLE IF EXISTS made_{i - 1};
\\echo dropped {i - 1}
SELECT nextval('ticket2');
CHECKPOINT;
SELECT pg_switch_wal();""")
        if i % 4 == 1:
            lines.append(f"CREATE DATABASE other_{i}; DROP DATABASE other_{i};")
    return "\n".join(lines)


class Client:
    """A psql that works through a script until the node goes away; its output file is the record of what was acknowledged."""

    def __init__(self, node, folder: pathlib.Path, name: str, script: str):
        self.record = folder / f"record.{node.name}.{name}"
        path = folder / f"script.{node.name}.{name}"
        path.write_text(script + "\n")
        with open(path) as commands, open(self.record, "w") as record:
            self.process = subprocess.Popen(
                ["psql", "-X", "-q", "-A", "-t", "-h", str(node.cluster.folder), "-p", str(node.port), "-U", "postgres", "-d", "postgres"],
                stdin=commands, stdout=record, stderr=subprocess.DEVNULL)

    def numbers(self, word: str) -> list:
        return [int(number) for number in re.findall(rf"^{word} (\d+)\n", self.record.read_text(), re.MULTILINE)]


class Questions:
    """One session for all that a check asks: a psql for each question would cost more than the crash."""

    def __init__(self, node):
        self.wire = WireClient(node.port, path=str(node.cluster.folder))
        self.wire.socket.settimeout(120)
        if not hasattr(self.wire, "pid"):
            self.close()
            raise ConnectionError("the node takes no sessions")

    def rows(self, sql: str) -> list:
        messages = self.wire.query(sql)
        errors = [message.fields() for message in messages if message.kind == "E"]
        assert not errors, f"{sql}: {errors}"
        if not messages or messages[-1].kind != "Z":
            raise ConnectionError(f"the session ended: {sql}")
        return [tuple((value or b"").decode() for value in message.row()) for message in messages if message.kind == "D"]

    def close(self):
        self.wire.socket.close()


class Workload:
    def __init__(self, node, writers=2, transfers=TRANSFERS, rounds=300):
        """transfers of a writer and rounds of the others in one run: more than they get done before the crash."""
        self.node, self.writers, self.runs, self.transfers, self.rounds = node, writers, 0, transfers, rounds
        self.acknowledged, self.tickets, self.highest_page, self.questions = set(), [], (0, ""), None
        self.defined = {word: set() for word in ("made", "altered", "truncated", "dropped")}

    def create(self):
        self.node.psql("CREATE TABLE account (id int PRIMARY KEY, n int NOT NULL);"
                       "CREATE TABLE transfer (id int PRIMARY KEY, client int, note text); CREATE INDEX ON transfer (client);"
                       "CREATE SEQUENCE ticket; CREATE SEQUENCE ticket2; CREATE TABLE busy (id int PRIMARY KEY, k int, pad text);"
                       "CREATE INDEX ON busy (k); CREATE TABLE tail (n int, pad text);"
                       f"INSERT INTO account SELECT i, 0 FROM generate_series(0, {ACCOUNTS - 1}) i")

    def start(self) -> list:
        run, self.runs = self.runs, self.runs + 1
        folder = self.node.cluster.folder
        clients = []
        for i in range(self.writers):
            first = (run * self.writers + i) * TRANSFERS
            script = "\\set ON_ERROR_STOP on\n" + "\n".join(transfer(number, i) for number in range(first, first + self.transfers))
            clients.append(Client(self.node, folder, f"writer.{run}.{i}", script))
        clients.append(Client(self.node, folder, f"churn.{run}", churn(run, self.rounds)))
        clients.append(Client(self.node, folder, f"definitions.{run}", definitions(run, self.rounds)))
        return clients

    def stop(self, clients: list):
        for client in clients:
            if client.process.poll() is None:
                client.process.terminate()
            client.process.wait(timeout=30)
            self.acknowledged.update(client.numbers("done"))
            self.tickets += client.numbers("ticket")
            for word, numbers in self.defined.items():
                numbers.update(client.numbers(word))

    # --- the truth ----------------------------------------------------------------------------------------------------
    @contextlib.contextmanager
    def asking(self):
        """All that is asked within is asked in one session."""
        if self.questions is not None:
            yield self.questions
            return
        self.questions = Questions(self.node)
        try:
            yield self.questions
        finally:
            self.questions.close()
            self.questions = None

    def ask(self, sql: str) -> list:
        with self.asking() as questions:
            return questions.rows(sql)

    def ask_value(self, sql: str) -> str:
        (value,), = self.ask(sql)
        return value

    def check(self, what: str, indexes=True):
        with self.asking():
            self.check_pages(what)
            self.check_transfers(what)
            self.check_tickets(what)
            self.check_definitions(what)
            self.check_files(what)
            if indexes:
                self.check_indexes(what)

    def check_transfers(self, what: str):
        kept = {int(row[0]) for row in self.ask("SELECT id FROM transfer")}
        lost = self.acknowledged - kept
        assert not lost, f"{len(lost)} acknowledged commits lost after {what}: {sorted(lost)[:10]}"
        wrong = {number for number in kept if number < 0 or number >= ROLLED_BACK}
        assert not wrong, f"rolled back rows are there after {what}: {sorted(wrong)[:10]}"
        expected = [0] * ACCOUNTS
        for number in kept:
            giver, taker = accounts_of(number)
            expected[giver] -= 1
            expected[taker] += 1
        balances = [int(row[0]) for row in self.ask("SELECT n FROM account ORDER BY id")]
        assert balances == expected, f"balances differ from the transfers after {what}:\n{balances}\n{expected}"
        damaged = self.ask_value("SELECT count(*) FROM transfer WHERE length(note) <> CASE WHEN id % 12 = 0 THEN 6000 "
                                 "ELSE length('transfer ' || id) END")
        assert damaged == "0", f"{damaged} notes are damaged after {what}"

    def check_tickets(self, what: str):
        assert len(set(self.tickets)) == len(self.tickets), f"a sequence repeated itself before {what}"
        following = int(self.ask_value("SELECT nextval('ticket')"))
        assert following > max(self.tickets, default=0), f"the sequence fell back to {following} after {what}"
        self.tickets.append(following)

    def remember_pages(self):
        """Between the death of the node and its next start: how far the log must reach for the pages that are on disk (I7)."""
        self.highest_page = 0, ""
        for path in (self.node.data / "base").glob("*/*"):
            if re.fullmatch(r"\d+(_vm)?(\.\d+)?", path.name):
                data = memoryview(path.read_bytes())
                lsns = struct.iter_unpack("<Q8184x", data[:len(data) // 8192 * 8192])
                self.highest_page = max(self.highest_page, (max(lsns, default=(0,))[0], str(path)))

    def check_pages(self, what: str):
        """No page that was on disk had been changed by a record that was not in the log."""
        lsn, path = self.highest_page
        self.highest_page = 0, ""
        if lsn == 0:
            return
        self.ask_value("SELECT 1")  # it has recovered
        high, low = re.findall(r"redo done at (\w+)/(\w+)", self.node.log_text())[-1]
        end = int(high, 16) << 32 | int(low, 16)
        assert lsn <= end, f"a page of {path} was at {lsn:X}, the log ended at {end:X} after {what}"

    def check_definitions(self, what: str):
        """Each step of a table's life that was acknowledged has happened, the one after it has or has not, nothing else."""
        made, altered, truncated, dropped = (self.defined[word] for word in ("made", "altered", "truncated", "dropped"))
        there = dict(self.ask("SELECT substr(relname, 6), string_agg(attname, ',' ORDER BY attnum) FROM pg_class c JOIN pg_attribute a ON "
                              "a.attrelid = c.oid AND attnum > 0 WHERE relkind = 'r' AND relname LIKE 'made\\_%' GROUP BY 1"))
        there = {int(number): columns for number, columns in there.items()}
        assert self.ask_value("SELECT count(*) FROM pg_class WHERE relname LIKE 'never%'") == "0", f"rolled back tables are there after {what}"
        assert not dropped & set(there), f"dropped tables are back after {what}: {dropped & set(there)}"
        lost = {number for number in made - dropped - set(there) if number + 1 not in truncated}
        assert not lost, f"tables are lost after {what}: {lost}"
        for number in made & set(there):
            columns = {"id,pad,extra"} if number in altered else {"id,pad,extra", "id,pad"}
            assert there[number] in columns, f"made_{number} has columns {there[number]} after {what}"
            if number not in truncated or number == max(truncated):
                count = self.ask_value(f"SELECT count(*) FROM made_{number}")
                assert count in {"0"} | ({"300"} if number not in truncated else set()) and (count == "300" or number in altered), \
                    f"made_{number} has {count} rows after {what}"

    def check_files(self, what: str):
        """When nobody creates or drops relations any more. A checkpoint before: until then the first file of a dropped relation stays (some
        client may have come after the recovery). What a crash leaves behind no checkpoint removes."""
        wait_until(lambda: self.ask_value("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")
                   == "0", "the clients' sessions to end")
        self.ask("CHECKPOINT")
        database = self.ask_value("SELECT oid FROM pg_database WHERE datname = current_database()")
        owned = {row[0] for row in self.ask("SELECT CASE WHEN relfilenode = 0 THEN oid ELSE relfilenode END FROM pg_class "
                                           "WHERE relkind IN ('r', 'i', 't', 'S', 'm') AND NOT relisshared AND relpersistence <> 't'")}
        there = {re.split("[_.]", name)[0] for name in (path.name for path in (self.node.data / "base" / database).iterdir())
                 if re.match(r"\d+([_.]\w+)*$", name)}
        assert not owned - there, f"relations without a file after {what}: {owned - there}"
        assert not there - owned, f"files without a relation after {what}: {there - owned}"
        databases = {row[0] for row in self.ask("SELECT oid FROM pg_database")}
        folders = {path.name for path in (self.node.data / "base").iterdir() if path.name.isdigit()}
        assert databases == folders, f"databases {databases} have directories {folders} after {what}"

    def check_indexes(self, what: str):
        try:
            self.ask("SELECT bt_index_check(i.indexrelid::regclass, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
                     "WHERE i.indisvalid AND c.relam = 403 AND c.relpersistence <> 't'")
        except AssertionError as damage:
            raise AssertionError(f"an index is damaged after {what}") from damage
        defects = self.ask("SELECT c.relname, v.* FROM pg_class c, LATERAL verify_heapam(c.oid::regclass) v WHERE c.relkind IN ('r', 't')")
        assert not defects, f"damaged heaps after {what}: {defects[:5]}"
