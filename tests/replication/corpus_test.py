#!/usr/bin/env python3
"""The SQL corpus through a replica: every page that WAL changes is the same there.

The files of tests/sql run on a primary with wal_consistency_checking = all, so that its records carry the pages as they were after the
change, and the replica compares while it replays (a difference is a PANIC). After each batch both checkpoint, and the files of their data
directories are compared page by page but for what is not logged: hints, command ids, free space, the hole of the page. Redo workers
take every record that is not the first after a pause. A third of the files; --long: all.
"""
import argparse
import pathlib
import re
import struct
import sys

from replica import Cluster, streaming_primary, take_basebackup, wait_caught_up, wait_streaming

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sql"))
import run_sql  # noqa: E402

PAGE, HEADER, BATCH = 8192, 32, 12
# Of node/storage/page.h and node/access/tuple.h.
HAS_FREE_LINES, FULL, ALL_VISIBLE = 1, 2, 4
XMIN_FROZEN, XMAX_HINTS, COMBO_CID, SPECULATIVE = 0x0300, 0x0C00, 0x0020, 0xFFFE
NORMAL, DEAD = 1, 3
BTREE_HINTS = 8 | 16  # incomplete split, garbage


def masked(page: bytes, block: int) -> bytes:
    """The page without what a replica may have otherwise."""
    page = bytearray(page)
    lower, upper, special = struct.unpack_from("<HHH", page, 14)
    if upper == 0:
        return bytes(page)
    page[0:12] = bytes(12)  # LSN (the image of a hint may come after the primary's checkpoint), checksum
    page[24:32] = bytes(8)  # prune xid
    flags = struct.unpack_from("<H", page, 12)[0] & ~(HAS_FREE_LINES | FULL | ALL_VISIBLE)
    struct.pack_into("<H", page, 12, flags)
    if HEADER <= lower < upper <= PAGE:
        page[lower:upper] = bytes(upper - lower)
    if lower == upper == PAGE:
        return bytes(page)  # a map
    heap = special == PAGE
    if not heap and PAGE - special == 32 and block > 0:
        hints = struct.unpack_from("<H", page, special + 12)[0] & ~BTREE_HINTS
        struct.pack_into("<H", page, special + 12, hints)
    for at in range(HEADER, lower, 4):
        word = struct.unpack_from("<I", page, at)[0]
        offset, state = word & 0x7FFF, word >> 15 & 3
        if not heap and state == DEAD:
            struct.pack_into("<I", page, at, word & ~(3 << 15) | NORMAL << 15)
        if not heap or state != NORMAL:
            continue
        infomask = struct.unpack_from("<H", page, offset + 28)[0]
        frozen = infomask & XMIN_FROZEN == XMIN_FROZEN
        struct.pack_into("<H", page, offset + 28, infomask & ~(XMAX_HINTS | COMBO_CID | (0 if frozen else XMIN_FROZEN)))
        page[offset + 16:offset + 20] = bytes(4)
        if struct.unpack_from("<H", page, offset + 24)[0] == SPECULATIVE:
            page[offset + 20:offset + 26] = bytes(6)
    return bytes(page)


def compare_file(name: str, left: bytes, right: bytes) -> int:
    both = min(len(left), len(right))
    # The primary adds pages in advance, which nobody has used yet.
    assert not any(left[both:]) and not any(right[both:]), f"{name}: {len(left)} bytes on the primary, {len(right)} on the replica"
    for at in range(0, both, PAGE):
        a, b = left[at:at + PAGE], right[at:at + PAGE]
        if a == b or masked(a, at // PAGE) == masked(b, at // PAGE):
            continue
        a, b = masked(a, at // PAGE), masked(b, at // PAGE)
        first = next(i for i in range(PAGE) if a[i] != b[i])
        raise AssertionError(f"{name} block {at // PAGE} differs at byte {first}: primary {a[first:first + 16].hex()}, "
                             f"replica {b[first:first + 16].hex()}")
    return len(left) // PAGE


def relation_files(node) -> dict:
    """Name -> path of what WAL protects: no temporary or unlogged relations, no free space maps."""
    found = {}
    for folder in ("base", "global"):
        names = {str(path.relative_to(node.data)): path for path in (node.data / folder).rglob("*") if path.is_file()}
        for name, path in names.items():
            if not re.search(r"/\d+(_vm)?(\.\d+)?$", name) or path.stat().st_size == 0:
                continue
            if re.sub(r"(/\d+)(_vm)?(\.\d+)?$", r"\1_init", name) not in names:
                found[name] = path
    return found


def sequences(primary) -> set:
    """Their values are logged ahead, so that a replica shows what a crash would bring back."""
    found = set()
    for database, in primary.sql("SELECT datname FROM pg_database WHERE datallowconn"):
        found |= {path for path, in primary.sql("SELECT pg_relation_filepath(oid) FROM pg_class WHERE relkind = 'S'", database=database)}
    return found


def compare_pages(primary, replica) -> int:
    primary.psql("CHECKPOINT")
    wait_caught_up(primary, replica)
    replica.psql("CHECKPOINT")
    left, right = relation_files(primary), relation_files(replica)
    assert left.keys() == right.keys(), f"different files: {sorted(left.keys() ^ right.keys())[:20]}"
    compared = sorted(left.keys() - sequences(primary))
    return sum(compare_file(name, left[name].read_bytes(), right[name].read_bytes()) for name in compared)


def run_corpus(primary, replica, files):
    pages = 0
    for start in range(0, len(files), BATCH):
        batch = files[start:start + BATCH]
        for path in batch:
            run_sql.run_file(path, str(primary.cluster.folder), str(primary.port), keep_database=True)
        pages += compare_pages(primary, replica)
        for path in batch:
            primary.psql(f'DROP DATABASE IF EXISTS "sql_{path.stem}"')
    print(f"{len(files)} files, {pages} pages as on the primary", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--long", action="store_true")
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    files = options.files or sorted(run_sql.FOLDER.glob("*.sql"))[::1 if options.long else 3]
    with Cluster() as cluster:
        primary = streaming_primary(cluster, "primary", wal_consistency_checking="all", autovacuum="off", checksum_scrub_interval="0",
                                    max_wal_size="4GB", min_parallel_redo_size="0", max_parallel_redo_workers="2")
        replica = cluster.node("replica")
        take_basebackup(primary, replica, slot="r1")
        replica.start()
        wait_streaming(primary, replica)
        run_corpus(primary, replica, files)
        replica.stop()
        primary.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
