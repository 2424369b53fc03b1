#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets into corpus/. Those of the WAL are records that a node wrote: one of each kind.

usage: make_corpus.py      (needs a built walden: see tests/support/walden_node.py)
"""
import pathlib
import struct
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER.parent / "support"), str(FOLDER.parent / "sql")]
import run_sql  # noqa: E402
from walden_node import Cluster  # noqa: E402


def write(target: str, name: str, data: bytes):
    folder = FOLDER / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


# --- clients -------------------------------------------------------------------------------------------------------------

def packet(code: int, body: bytes) -> bytes:
    return struct.pack("!II", len(body) + 8, code) + body


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


def text(*values: str) -> bytes:
    return b"".join(value.encode() + b"\0" for value in values)


def query(sql: str) -> bytes:
    return message("Q", text(sql))


def startup_seeds():
    login = text("user", "postgres", "database", "template1") + b"\0"
    write("startup", "login", packet(3 << 16, login) + query("SELECT 1"))
    write("startup", "options", packet(3 << 16, text(
        "user", "postgres", "database", "template1", "options", "-c work_mem=1MB --search-path=a\\ b", "DateStyle", "German",
        "client_encoding", "LATIN1") + b"\0"))
    write("startup", "newer", packet((3 << 16) + 2, text("user", "a", "_pq_.x", "1") + b"\0"))
    write("startup", "version_2", packet(2 << 16, login))
    write("startup", "ssl", packet((1234 << 16) + 5679, b"") + packet(3 << 16, login))
    write("startup", "gss", packet((1234 << 16) + 5680, b"") + packet((1234 << 16) + 5679, b""))
    write("startup", "cancel", packet((1234 << 16) + 5678, struct.pack("!II", 4711, 42)))
    write("startup", "replication", packet(3 << 16, text("user", "a", "replication", "true") + b"\0"))
    write("startup", "short", struct.pack("!I", 4))
    write("startup", "http", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")


def protocol_seeds():
    parse = message("P", text("s", "SELECT $1::int4 + 1, $2::text") + struct.pack("!HI", 1, 23))
    bind = message("B", text("p", "s") + struct.pack("!HHHHIIi", 2, 1, 0, 2, 4, 7, 2) + b"ab" + struct.pack("!HH", 1, 1))
    sync, flush = message("S"), message("H")
    execute = message("E", text("p") + struct.pack("!I", 0))
    write("protocol", "simple", query("SELECT 1, 'a'; SELECT * FROM pg_class LIMIT 3"))
    write("protocol", "extended", parse + message("D", b"S" + text("s")) + bind + message("D", b"P" + text("p")) + execute + sync)
    write("protocol", "pipeline", (parse + bind + execute + message("C", b"S" + text("s"))) * 2 + sync)
    write("protocol", "error_then_sync", message("P", text("", "SELECT nothing") + b"\0\0") + execute + flush + sync + query("SELECT 2"))
    write("protocol", "portal_rows", message("P", text("", "SELECT generate_series(1, 9)") + b"\0\0") +
          message("B", text("", "") + b"\0\0\0\0\0\0") + message("E", text("") + struct.pack("!I", 3)) * 4 + sync)
    write("protocol", "copy_out", query("COPY (SELECT 1, 'x' UNION ALL SELECT 2, NULL) TO STDOUT"))
    write("protocol", "copy_binary", query("COPY (VALUES (1, 2.5, 'x')) TO STDOUT (FORMAT binary)"))
    write("protocol", "copy_in", query("CREATE TEMP TABLE t (a int, b text)") + query("COPY t FROM STDIN") +
          message("d", b"1\tone\n2\t\\N\n") + message("c") + query("SELECT * FROM t"))
    write("protocol", "copy_fail", query("CREATE TEMP TABLE t (a int); COPY t FROM STDIN (FORMAT csv)") + message("d", b'"1\n') +
          message("f", text("enough")))
    write("protocol", "transaction", query("BEGIN; SELECT 1/0") + query("SELECT 1") + query("ROLLBACK"))
    write("protocol", "function_call", message("F", struct.pack("!IHHH", 1, 0, 0, 0)))
    write("protocol", "stray", message("d", b"x") + message("c") + message("p", b"y\0") + sync + message("X"))
    write("protocol", "expressions", query("SELECT array_agg(x ORDER BY x DESC), max(x)::numeric / 3, to_char(now(), 'YYYY') > '' "
                                           "FROM generate_series(1, 5) x GROUP BY x % 2 HAVING count(*) > 1"))
    write("protocol", "json", query("""SELECT '{"a": [1, 2, {"b": null}]}'::jsonb -> 'a', '[1,2]'::json, '2001-02-03'::date + 1"""))


# --- COPY: options, piece size, data -------------------------------------------------------------------------------------

def copy_seeds():
    write("copy", "text", b"\0\3" + b"1\tone\t\\N\n2\tt\\two\\x41\\101\\\\\t\n\\.\n")
    write("copy", "text_crlf", b"\0\1" + b"1\tone\r\n2\ttwo\r\n")
    write("copy", "text_bar", b"\2\2" + b"1|a\\|b|\n2||x\n")
    write("copy", "csv", b"\1\3" + b'1,"a ""b"", c",\n2,"line\nbreak",""\n\\.\n')
    write("copy", "csv_escape", b"\5\4" + b'1,"a \\"b\\" \\\\"\n')
    write("copy", "csv_header", b"\x19\2" + b"a,b\n1,NULL\n")
    rows = struct.pack("!hi4si", 2, 4, b"\0\0\0\1", -1) + struct.pack("!hi0si3s", 2, 0, b"", 3, b"abc")
    write("copy", "binary", b"\x82\5" + b"PGCOPY\n\xff\r\n\0" + struct.pack("!II", 0, 0) + rows + struct.pack("!h", -1))
    write("copy", "binary_extension", b"\x81\1" + b"PGCOPY\n\xff\r\n\0" + struct.pack("!II4s", 0, 4, b"more") + struct.pack("!h", -1))


# --- settings ------------------------------------------------------------------------------------------------------------

def settings_seeds():
    write("settings", "conf", b"\0" + b"# comment\nshared_buffers = 128MB\nwork_mem 4096 # end\nlog_line_prefix = '%m ''x'' \\101 '\n"
          b"search_path = '\"$user\", public'\nautovacuum = off\nrandom_page_cost=1.5\nlog_min_messages = warning\nDateStyle = 'ISO, DMY'\n")
    write("settings", "conf_units", b"\0" + b"checkpoint_timeout = 5min\nwal_writer_delay = 200ms\ntemp_file_limit = -1\n"
          b"max_wal_size = 1.5GB\nbad.placeholder = 1\nTimeZone = 'Europe/Berlin'\n")
    write("settings", "hba", b"\1" + b"# TYPE DATABASE USER ADDRESS METHOD\nlocal all postgres peer map=m\n"
          b"host all,\"All\" +admins,bob 10.0.0.0/8 scram-sha-256\nhostssl sameuser all ::1/128 cert clientcert=verify-full\n"
          b"host replication all 127.0.0.1 255.255.255.255 reject\nhostnossl samerole all .example.com md5 \\\n\nhost all all samenet trust\n")
    write("settings", "ident", b"\2" + b"m alice bob\nm /^(.*)@example\\.com$ \\1\nm \"a b\" all\n")
    write("settings", "conninfo", b"\3" + b"host=a,b port=1,2 user='it''s' password='x\\'y' application_name=n sslmode=verify-full connect_timeout=3")
    write("settings", "conninfo_uri", b"\3" + b"postgresql://user:p%40ss@h1:1,[::1]:2/?application_name=x&sslmode=require")
    write("settings", "passfile", b"\3" + b"host=h user=u passfile=/x\nh:*:replication:u:se\\:cret\n")


# --- pages ---------------------------------------------------------------------------------------------------------------

def row(values: bytes, natts: int, nulls: bytes = b"", infomask: int = 0x0900, infomask2: int = 0, ctid=(0, 1)) -> bytes:
    hoff = (31 + len(nulls) + 7) // 8 * 8
    header = struct.pack("<QQIIHHHB", 700, 0, 0, ctid[0], ctid[1], natts | infomask2, infomask | (1 if nulls else 0), hoff)
    return (header + nulls).ljust(hoff, b"\0") + values


def short(value: bytes) -> bytes:
    return bytes([(len(value) + 1) << 1 | 1]) + value


def page(rows: list, extra_lines=()) -> bytes:
    """The input of the page target: size of the front, front, back."""
    lines, back = [], b""
    for item in rows:
        padded = item.ljust((len(item) + 7) // 8 * 8, b"\0")
        back = padded + back
        lines.append(8192 - len(back) | 1 << 15 | len(item) << 17)
    lines += extra_lines
    lower = 32 + 4 * len(lines)
    front = struct.pack("<QIHHHHB3xQ", 1, 0, 0, lower, 8192 - len(back), 8192, 1, 0)
    front += b"".join(struct.pack("<I", line) for line in lines)
    return struct.pack("<H", len(front)) + front + back


def page_seeds():
    full = struct.pack("<i", 7) + short(b"seven") + struct.pack("<q", 1 << 40) + short(b"") + struct.pack("<h", -1)
    long_text = struct.pack("<I", (4 + 200) << 2) + b"x" * 200
    compressed = struct.pack("<II", (8 + 6) << 2 | 2, 1 << 30 | 20) + b"\x1fa\x01\x00\x00a"
    write("page", "rows", page([row(full, 5), row(struct.pack("<i", 8) + short(b"eight"), 2)]))
    write("page", "nulls", page([row(struct.pack("<i", 1) + struct.pack("<h", 5), 5, b"\x11")]))
    write("page", "long", page([row(struct.pack("<i", 1) + long_text, 2), row(struct.pack("<i", 2) + compressed, 2)]))
    write("page", "external", page([row(struct.pack("<i", 1) + b"\1" + b"\1" * 17, 2)]))
    write("page", "chain", page([row(full, 5, infomask2=0x4000, ctid=(0, 2), infomask=0x0100), row(full, 5, infomask2=0x8000)],
                                (1 | 2 << 15, 3 << 15, 0)))


# --- other nodes ---------------------------------------------------------------------------------------------------------

def field(number: int, kind: int, value) -> bytes:
    key = bytes([number << 3 | kind])
    if kind == 0:
        encoded = b""
        while value >= 0x80:
            encoded += bytes([value & 0x7F | 0x80])
            value >>= 7
        return key + encoded + bytes([value])
    if kind == 1:
        return key + struct.pack("<Q", value)
    return key + field(0, 0, len(value))[1:] + value


START = 16 << 20
AT = field(1, 2, field(1, 1, 1) + field(2, 0, 1) + field(3, 0, 1) + field(4, 1, START))


def framed(*messages: bytes) -> bytes:
    """Each behind its length in units of four; an unknown field fills up."""
    out = b""
    for one in messages:
        while len(one) % 4:
            missing = 4 - len(one) % 4
            one += field(15, 0, 1) if missing == 2 else field(15, 2, b"") if missing == 4 else field(15, 2, b"x")
        out += bytes([len(one) // 4]) + one
    return out


def message_seeds():
    settled = field(2, 1, START) + field(3, 1, 5)
    wal = field(8, 2, field(1, 1, START) + field(2, 2, b"recordrecord"))
    end = field(7, 2, field(1, 0, 2) + field(2, 1, START + 12))
    write("messages", "receive", b"\0" + framed(AT + settled + field(5, 2, b""), AT + settled + wal,
                                                AT + settled + field(6, 2, field(1, 0, 1)), AT + settled + end))
    status = field(1, 1, START + 8) + field(2, 1, START + 8) + field(3, 1, START) + field(4, 1, START) + field(6, 0, 1)
    write("messages", "send", b"\1" + framed(AT + field(3, 2, status), AT + field(3, 2, status)))
    first = field(2, 2, b"rep") + field(3, 2, b"r1") + field(4, 2, b"n,,n=,r=abcdefgh")
    write("messages", "login", b"\2" + framed(AT + first, AT + field(4, 2, b"c=biws,r=abcdefgh,p=AAAA")))
    failure = field(2, 2, field(1, 2, b"28P01") + field(2, 2, b"no") + field(4, 2, b"hint"))
    started = field(4, 2, field(1, 1, START) + field(2, 0, 1) + field(3, 0, 100) + field(4, 0, 1))
    name = field(5, 2, field(1, 2, b"base/1/1259") + field(2, 0, 6))
    escaping = field(5, 2, field(1, 2, b"../escaped") + field(2, 0, 6))
    data = field(8, 2, field(2, 2, b"abcdef"))
    write("messages", "backup", b"\3" + framed(AT + field(3, 2, b""), AT + started, AT + name, AT + data, AT + field(6, 2, field(1, 0, 1))))
    write("messages", "backup_escape", b"\3" + framed(AT + started, AT + escaping, AT + data))
    end = field(2, 0, 0)
    whole = field(1, 2, field(1, 2, field(1, 2, b"base/1/1259")) + field(2, 0, 0) + field(3, 2, end))
    begun = field(1, 2, field(1, 2, field(1, 2, b"base/1/1249") + field(4, 0, 2000)) + field(2, 0, 2))
    batch = field(9, 2, whole + begun + field(3, 2, b"ab"))
    rest = field(9, 2, field(1, 2, field(2, 0, 3) + field(4, 0, 1000)) + field(3, 2, b"cde"))
    lie = field(9, 2, field(1, 2, field(2, 0, 300)) + field(3, 2, b"f") + field(2, 0, 40))
    outside = field(9, 2, field(1, 2, field(1, 2, field(1, 2, b"base/../../x"))))
    write("messages", "backup_batch", b"\3" + framed(started, batch, rest, data))
    write("messages", "backup_batch_lies", b"\3" + framed(started, batch, rest, lie))
    write("messages", "backup_batch_escape", b"\3" + framed(started, outside))
    for number, kind in ((4, "identify"), (5, "slot"), (6, "history")):
        write("messages", kind, bytes([number]) + AT + failure + field(3, 2, b"x"))


# --- WAL -----------------------------------------------------------------------------------------------------------------

def records(stream: bytes):
    """(kind, bytes) of each record, found by the lengths that agree."""
    at = 0
    while at + 24 <= len(stream):
        size, _, _, kind, pages, flags, data_size = struct.unpack_from("<IIQHBBI", stream, at)
        if not 24 <= size <= 1 << 20 or flags != 0 or pages > 32 or data_size > size:
            at += 8
            continue
        yield kind, stream[at:at + size].ljust((size + 7) // 8 * 8, b"\0")
        at += (size + 7) // 8 * 8


def wal_seeds():
    found = {}
    with Cluster() as cluster:
        node = cluster.node("wal").init().start()
        for name in ("dml", "ddl", "transactions", "sequences", "foreign_keys"):
            run_sql.run_file(FOLDER.parent / "sql" / f"{name}.sql", str(cluster.folder), str(node.port))
        node.psql("CREATE TABLE t (id int PRIMARY KEY, b text); INSERT INTO t SELECT i, i FROM generate_series(1, 900) i;"
                  "DELETE FROM t WHERE id < 500; ")
        node.psql("VACUUM t")
        node.psql("CHECKPOINT")
        node.stop()
        for segment in sorted((node.data / "pg_wal").glob("0*")):
            for kind, record in records(segment.read_bytes()[4096:]):
                if len(record) < len(found.get(kind, b"x" * 1200)):
                    found[kind] = record
    ordered = [found[kind] for kind in sorted(found)]
    for part in range(0, len(ordered), 6):
        write("wal", f"records_{part // 6}", b"\0" + b"".join(ordered[part:part + 6]))
    write("wal", "garbage", b"\1" + bytes(range(64)) * 2)


if __name__ == "__main__":
    for make in (startup_seeds, protocol_seeds, copy_seeds, settings_seeds, page_seeds, message_seeds, wal_seeds):
        make()
