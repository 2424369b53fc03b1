"""A client of the protocol that sends what it is told, message by message, and shows what comes back."""
import socket
import struct

PROTOCOL_3 = 3 << 16


def text(value) -> bytes:
    return (value if isinstance(value, bytes) else value.encode()) + b"\0"


def int16(*values) -> bytes:
    return struct.pack(f"!{len(values)}h", *values)


def int32(*values) -> bytes:
    return struct.pack(f"!{len(values)}i", *values)


class Message:
    def __init__(self, kind: str, body: bytes):
        self.kind, self.body = kind, body

    def __repr__(self):
        return f"{self.kind}:{self.body!r}"

    def fields(self) -> dict:
        """Of an error or notice: code letter -> text."""
        return {part[:1].decode(): part[1:].decode() for part in self.body.split(b"\0") if part}

    def row(self) -> list:
        (count,), at, values = struct.unpack_from("!h", self.body), 2, []
        for _ in range(count):
            (length,) = struct.unpack_from("!i", self.body, at)
            at += 4
            values.append(None if length < 0 else self.body[at:at + length])
            at += max(length, 0)
        return values

    def columns(self) -> list:
        """Of a RowDescription: (name, type, format)."""
        (count,), at, found = struct.unpack_from("!h", self.body), 2, []
        for _ in range(count):
            end = self.body.index(b"\0", at)
            name = self.body[at:end].decode()
            _, _, kind, _, _, form = struct.unpack_from("!ihihih", self.body, end + 1)
            found.append((name, kind, form))
            at = end + 19
        return found


class WireClient:
    """One connection. send_* only send; expect() reads the next message and checks its kind."""

    def __init__(self, port: int, start=True, host="127.0.0.1", path=None, **settings):
        if path is not None:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(20)
            self.socket.connect(f"{path}/.s.PGSQL.{port}")
        else:
            self.socket = socket.create_connection((host, port), timeout=20)
        self.buffer = b""
        self.parameters = {}
        if start:
            self.start(**settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def start(self, protocol=PROTOCOL_3, **settings):
        """Start-up to the first ReadyForQuery; returns the messages on the way."""
        self.send_startup(protocol, **settings)
        messages = self.until("Z")
        for message in messages:
            if message.kind == "S":
                name, value = message.body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode()
            if message.kind == "K":
                self.pid, self.key = struct.unpack("!ii", message.body)
        return messages

    def send_startup(self, protocol=PROTOCOL_3, **settings):
        given = {"user": "postgres", "database": "postgres", **settings}
        body = int32(protocol) + b"".join(text(name) + text(value) for name, value in given.items()) + b"\0"
        self.socket.sendall(int32(len(body) + 4) + body)

    def send(self, kind: str, body=b""):
        self.socket.sendall(kind.encode() + int32(len(body) + 4) + body)

    def parse(self, sql, name="", types=()):
        self.send("P", text(name) + text(sql) + int16(len(types)) + int32(*types))

    def bind(self, values=(), portal="", name="", formats=(), results=()):
        body = text(portal) + text(name) + int16(len(formats), *formats) + int16(len(values))
        for value in values:
            body += int32(-1) if value is None else int32(len(value)) + value
        self.send("B", body + int16(len(results), *results))

    def describe(self, kind, name=""):
        self.send("D", kind.encode() + text(name))

    def execute(self, rows=0, portal=""):
        self.send("E", text(portal) + int32(rows))

    def close(self, kind, name=""):
        self.send("C", kind.encode() + text(name))

    def flush(self):
        self.send("H")

    def sync(self):
        self.send("S")

    def read_exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise EOFError
            self.buffer += chunk
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def read(self) -> Message:
        kind = self.read_exactly(1).decode()
        (length,) = struct.unpack("!i", self.read_exactly(4))
        return Message(kind, self.read_exactly(length - 4))

    def until(self, kind: str) -> list:
        """Messages up to and with the next of this kind, or to the end of the connection."""
        messages = []
        while not messages or messages[-1].kind != kind:
            try:
                messages.append(self.read())
            except (EOFError, ConnectionResetError):
                break
        return messages

    def query(self, sql) -> list:
        self.send("Q", text(sql))
        return self.until("Z")

    def rows(self, sql) -> list:
        messages = self.query(sql)
        errors = [m.fields() for m in messages if m.kind == "E"]
        if errors:
            raise AssertionError(errors)
        return [m.row() for m in messages if m.kind == "D"]

    def at_end(self) -> bool:
        """The server has closed the connection and said nothing more."""
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def cancel(port: int, pid: int, key: int, host="127.0.0.1"):
    with socket.create_connection((host, port), timeout=20) as other:
        other.sendall(int32(16, 80877102, pid, key))
        assert other.recv(1) == b""
