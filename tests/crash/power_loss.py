"""What a power failure leaves of a data directory, from the journal of node/os/unsettled_file_system.h.

take_back(journal folder, rng) undoes a random choice of the changes that no fsync had settled: of every file, sectors of 512 bytes go
back to any content they had since they were last settled, a length may go back too; of every directory, a suffix of the changes of its
entries (made, removed, renamed) is undone.
"""
import collections
import mmap
import os
import pathlib
import struct

HEADER = struct.Struct("<2scbIQQQHHI")
MAGIC = b"UJ"
SIZE, SIZE_AT = struct.Struct("<I"), 4
SECTOR = 512


class Change:
    """One record; the paths and bytes of what turns out to be settled are never looked at."""

    def __init__(self, at, record: memoryview):
        self.at, self.record = at, record
        _, kind, _, _, self.inode, self.a, self.b, self.path_size, self.path2_size, _ = HEADER.unpack_from(record)
        self.kind = kind.decode()

    def part(self, begin: int, end=None) -> memoryview:
        return self.record[HEADER.size + begin:None if end is None else HEADER.size + end]

    @property
    def path(self) -> str:
        return str(self.part(0, self.path_size), "utf-8")

    @property
    def path2(self) -> str:
        return str(self.part(self.path_size, self.path_size + self.path2_size), "utf-8")

    @property
    def data(self) -> memoryview:
        return self.part(self.path_size + self.path2_size)


def size_at(data: mmap.mmap, at: int) -> int:
    return SIZE.unpack_from(data, at + SIZE_AT)[0]


def ends_well(data: mmap.mmap, at: int) -> bool:
    """Does the record end where another one begins, or the journal?"""
    end = at + size_at(data, at)
    return end == len(data) or at + HEADER.size <= end < len(data) and MAGIC.startswith(data[end:end + len(MAGIC)])


def next_whole(data: mmap.mmap, at: int) -> int:
    while (at := data.find(MAGIC, at)) >= 0 and at + HEADER.size <= len(data):
        if ends_well(data, at):
            return at
        at += len(MAGIC)
    return len(data)


def read_journal(path: pathlib.Path) -> list:
    if path.stat().st_size == 0:
        return []
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    whole, changes, at = memoryview(data), [], 0
    while at + HEADER.size <= len(data):
        assert data[at:at + len(MAGIC)] == MAGIC, at
        if not ends_well(data, at):
            # Its process died in the middle of it, and before it told anybody. Others went on behind what is there.
            at = next_whole(data, at + len(MAGIC))
            continue
        end = at + size_at(data, at)
        changes.append(Change(at, whole[at:end]))
        at = end
    return changes


def unsettled(changes: list, kinds: str, settled_by: str, key) -> dict:
    """key -> changes of these kinds since the key was last settled, oldest first."""
    settled = {}
    for change in changes:
        if change.kind == settled_by:
            settled[key(change)] = max(change.a, settled.get(key(change), 0))
    found = collections.defaultdict(list)
    for change in changes:
        if change.kind in kinds and change.at >= settled.get(key(change), 0):
            found[key(change)].append(change)
    return found


class PowerLoss:
    def __init__(self, folder: pathlib.Path, rng):
        self.folder, self.rng = folder, rng
        self.sectors = self.lengths = self.entries = 0

    def take_back(self):
        changes = read_journal(self.folder / "journal")
        for inode, of_file in unsettled(changes, "wt", "s", lambda change: change.inode).items():
            self.take_back_contents(inode, of_file)
        # Entries of a directory are settled by its path; a rename counts for the folder that it goes to.
        def folder_of(change):
            return change.path if change.kind == "d" else os.path.dirname(change.path2 or change.path)
        for of_folder in unsettled(changes, "cur", "d", folder_of).values():
            self.take_back_entries(of_folder)
        for kept in self.folder.iterdir():
            kept.unlink()

    def take_back_contents(self, inode: int, changes: list):
        path = self.folder / str(inode)
        if not path.exists():
            return
        mode = self.rng.choice(("all", "none", "some", "some", "some"))
        chance = {"all": 1.0, "none": 0.0, "some": self.rng.random()}[mode]
        stuck = set()  # sectors that reached the disk in the state they have now
        with open(path, "r+b") as opened:
            file = opened.fileno()
            for change in reversed(changes):
                if change.kind == "w":
                    self.undo_write(file, change, chance, stuck)
                elif self.rng.random() < chance:
                    self.undo_truncation(file, change)

    def undo_write(self, file: int, change: Change, chance: float, stuck: set):
        length, = struct.unpack_from("<Q", change.data)
        old, size, end = bytes(change.data[8:]), os.fstat(file).st_size, change.a + length
        first, last = change.a // SECTOR, (end - 1) // SECTOR
        for sector in range(first, last + 1):
            if sector in stuck or self.rng.random() >= chance:
                stuck.add(sector)
                continue
            begin, stop = max(change.a, sector * SECTOR), min(end, (sector + 1) * SECTOR, size)
            if begin < stop:
                os.pwrite(file, old[begin - change.a:stop - change.a].ljust(stop - begin, b"\0"), begin)  # beyond the old end: a hole
            self.sectors += 1
        if end > change.b and size <= end and not any(sector in stuck for sector in range(change.b // SECTOR, last + 1)):
            if self.rng.random() < chance:
                os.ftruncate(file, change.b)
                self.lengths += 1

    def undo_truncation(self, file: int, change: Change):
        if os.fstat(file).st_size != change.a:
            return
        os.ftruncate(file, change.b)
        os.pwrite(file, change.data[:max(0, change.b - change.a)], change.a)
        self.lengths += 1

    def take_back_entries(self, changes: list):
        for change in reversed(changes[self.rng.randint(0, len(changes)):]):
            self.entries += 1
            if change.kind == "c":
                self.remove(change.path)
            elif change.kind == "u":
                self.restore(change.inode, change.path)
            else:
                if os.path.lexists(change.path2):
                    os.rename(change.path2, change.path)
                self.restore(change.a, change.path2)

    def remove(self, path: str):
        try:
            os.rmdir(path) if os.path.isdir(path) else os.unlink(path)
        except OSError:
            pass  # a directory whose entries were settled, or something gone already

    def restore(self, inode: int, path: str):
        kept = self.folder / str(inode)
        if inode and kept.exists() and not os.path.lexists(path) and os.path.isdir(os.path.dirname(path)):
            os.link(kept, path)
