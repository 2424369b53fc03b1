#!/usr/bin/env python3
"""A number of a sequence that no record of its own covers is not missed by a checkpoint that begins meanwhile.

The record of nextval says a value further on, and the numbers up to it are only on the page. Here that page is on disk already and
clean; a nextval stands still before it makes it dirty; a checkpoint begins, whose replay would not meet the earlier record. It must wait,
or it does not write the page: then a crash goes back to the state on disk, and the number that the client was told comes again.
"""
import os
import pathlib
import select
import signal
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in ("support", "wire")]
from walden_node import Cluster, process_state, wait_until  # noqa: E402
from wire_client import WireClient, text  # noqa: E402

FIRST = 0x1122334455667700  # its bytes are found on the page wherever they stand
PUSHING = [f"pushing{n}" for n in range(12)]  # twice the pool, but less than a quarter of it each: then no ring spares the rest
NEXTVAL = "SELECT nextval('numbers')"


def number(client) -> int:
    return int(client.rows(NEXTVAL)[0][0])


def clean_page(node, client):
    """Two numbers from one record, and their page is written: nothing but the need for buffers asks for that."""
    client.rows("CHECKPOINT")
    number(client)
    last = number(client)
    file = node.data / client.rows("SELECT pg_relation_filepath('numbers')")[0][0].decode()

    def written() -> bool:
        for table in PUSHING:
            client.rows(f"SELECT count(filler) FROM {table}")
        return struct.pack("<q", last) in file.read_bytes()
    wait_until(written, "the sequence's page to be written")
    return last


def main() -> int:
    with Cluster() as cluster:
        node = cluster.node("sequence").init()
        node.configure(shared_buffers="1MB", max_connections="10", bgwriter_delay="10ms", checkpoint_timeout="1h", autovacuum="off")
        node.start()
        client, admin, other = (WireClient(node.port, path=str(cluster.folder)) for _ in range(3))
        client.rows(f"CREATE SEQUENCE numbers START {FIRST}")
        for table in PUSHING:
            client.rows(f"CREATE TABLE {table} AS SELECT repeat('x', 1000) AS filler FROM generate_series(1, 140)")
        last = clean_page(node, client)

        client.rows("SET walden_fault_points = 'nextval-unlogged=stop'")
        client.send("Q", text(NEXTVAL))
        wait_until(lambda: process_state(client.pid) == "T", "nextval to stop")
        other.send("Q", text("CHECKPOINT"))
        wait_until(lambda: bool(select.select([other.socket], [], [], 0)[0]) or admin.rows(
            "SELECT wait_event = 'CheckpointStart' FROM pg_stat_activity WHERE backend_type = 'checkpointer'") == [[b"t"]],
            "the checkpoint to end or to wait")
        os.kill(client.pid, signal.SIGCONT)
        told = [int(message.row()[0]) for message in client.until("Z") if message.kind == "D"]
        assert told == [last + 1], told
        assert not [message for message in other.until("Z") if message.kind == "E"]

        node.kill_all()
        node.start()
        following = int(node.value(NEXTVAL))
        assert following > told[0], f"{told[0]} was told, and {following} after the crash"
        node.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
