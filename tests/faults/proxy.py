"""A line to one server on a port of its own: watched, slowed, cut, or silent in either direction.

A proxy that is told how to read what passes splits it into frames and gives each a word ("update goals",
"answer to update goals", "publish", "confirm", …). A trap waits for one word and kills, from outside,
the process whose connection it is: the frame that sprang it does not pass, and what was sent before does.
"""

import asyncio
import contextlib
import os
import signal
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit, urlunsplit

_ARRIVES = 0.05
UP, DOWN = "up", "down"  # to the server, from the server
Ports = tuple[int, int]
"""Of the process that connected, and of the proxy."""


@dataclass
class Connection:
    """One that a process of the product opened."""

    ports: Ports
    writers: list[asyncio.StreamWriter]
    asked: dict[int, str] = field(default_factory=dict)
    """MongoDB's requests under way: what each of them is."""

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()


Frames = Callable[[str, asyncio.StreamReader, Connection], AsyncIterator[tuple[str, bytes]]]


@dataclass
class Trap:
    """Springs once, on the first frame with this word that holds `within`; kills whom `owns` finds."""

    word: str
    owns: Callable[[Ports], int | None]
    within: bytes = b""
    killed: int = 0
    sprung: threading.Event = field(default_factory=threading.Event)
    _closing: bool = False

    async def meets(self, word: str, frame: bytes, connection: Connection) -> bool:
        if self._closing or word != self.word or self.within not in frame:
            return False
        pid = self.owns(connection.ports)
        if pid is None:
            return False
        self._closing = True
        # What it said before, on this line or another, shall arrive: an ack that came too early, say.
        await asyncio.sleep(_ARRIVES)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            self._closing = False
            return False
        self.killed = pid
        self.sprung.set()
        return True


class Proxy:
    """`url` is the server's own, but through here."""

    def __init__(self, url: str, frames: "Frames | None" = None, **query: str) -> None:
        there = urlsplit(url)
        self.server = (there.hostname, there.port)
        self.accepts = True
        self.connections = 0
        """How many there have been."""
        self.trap: Trap | None = None
        self._frames = frames or chunks
        self._late = 0.0
        self._through = {UP: asyncio.Event(), DOWN: asyncio.Event()}
        self._open: list[Connection] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        login, at, _ = there.netloc.rpartition("@")
        here = there._replace(netloc=f"{login}{at}127.0.0.1:{self.port}")
        self.url = urlunsplit(here._replace(query=urlencode(query)) if query else here)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        self.speak()
        self._run(self._listen())
        return self

    def __exit__(self, *error: object) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Reset every connection."""
        self._run(self._cut())

    def delay(self, seconds: float) -> None:
        """Let everything take so much longer, either way; what is under way when it ends is cut."""
        if seconds < self._late:
            self.cut()
        self._late = seconds

    def silence(self, *directions: str) -> None:
        """Let nothing through this way, or either, and tell nobody: a network that swallows packets."""
        for direction in directions or (UP, DOWN):
            self._loop.call_soon_threadsafe(self._through[direction].clear)

    def speak(self) -> None:
        """Let all through again, what was held back first: TCP sends again what was not heard."""
        for through in self._through.values():
            self._loop.call_soon_threadsafe(through.set)

    def _run(self, work: "asyncio._CoroutineLike[None]") -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._meet, sock=self._listener)

    async def _close(self) -> None:
        self._server.close()
        await self._cut()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:  # type: ignore[arg-type]
            task.cancel()

    async def _cut(self) -> None:
        for connection in list(self._open):
            connection.abort()

    async def _meet(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        connection = Connection((back.get_extra_info("peername")[1], self.port), [back])
        try:
            if self.accepts:
                self.connections += 1
                far, there = await asyncio.open_connection(*self.server)
                connection.writers.append(there)
                self._open.append(connection)
                up = asyncio.create_task(self._pump(UP, near, there, connection))
                down = asyncio.create_task(self._pump(DOWN, far, back, connection))
                await asyncio.wait([up, down], return_when=asyncio.FIRST_COMPLETED)
                await asyncio.sleep(self._late)
        except OSError:
            pass
        finally:
            connection.abort()
            if connection in self._open:
                self._open.remove(connection)

    async def _pump(
        self,
        direction: str,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        connection: Connection,
    ) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            async for word, frame in self._frames(direction, source, connection):
                if (trap := self.trap) and await trap.meets(word, frame, connection):
                    return
                await self._through[direction].wait()
                if self._late:
                    self._loop.call_later(self._late, target.write, frame)
                else:
                    target.write(frame)
                    await target.drain()


async def chunks(
    direction: str, source: asyncio.StreamReader, connection: Connection
) -> AsyncIterator[tuple[str, bytes]]:
    while chunk := await source.read(65_536):
        yield "", chunk


async def mongo(
    direction: str, source: asyncio.StreamReader, connection: Connection
) -> AsyncIterator[tuple[str, bytes]]:
    """MongoDB's wire protocol: a header of four integers, then for OP_MSG flags, a kind and the command."""
    while True:
        head = await source.readexactly(16)
        length, request_id, answers, _ = struct.unpack("<iiii", head)
        frame = head + await source.readexactly(length - 16)
        if direction == DOWN:
            yield f"answer to {connection.asked.pop(answers, 'nothing')}", frame
        else:
            connection.asked[request_id] = word = _command(frame)
            yield word, frame


def _command(frame: bytes) -> str:
    """The first field of a command is its name, with the collection where it has one (type 2, a string)."""
    if frame[25] != 2:
        return "another"
    ends = frame.index(0, 26)
    length = struct.unpack_from("<i", frame, ends + 1)[0]
    name = "upsert" if _UPSERT in frame else frame[26:ends].decode()
    return f"{name} {frame[ends + 5 : ends + 4 + length].decode()}"


_UPSERT = b"\x08upsert\0\1"  # a field that is true (BSON, type 8)


_METHODS = {
    (UP, 60, 40): "publish",
    (UP, 60, 80): "ack",
    (DOWN, 60, 80): "confirm",
    (DOWN, 60, 60): "deliver",
}


async def amqp(
    direction: str, source: asyncio.StreamReader, connection: Connection
) -> AsyncIterator[tuple[str, bytes]]:
    """AMQP 0-9-1, 4.2.3: type, channel, size, payload, end; a method frame begins with class and method."""
    if direction == UP:
        yield "greeting", await source.readexactly(8)
    while True:
        head = await source.readexactly(7)
        kind, _, size = struct.unpack(">BHI", head)
        frame = head + await source.readexactly(size + 1)
        word = _METHODS.get((direction, *struct.unpack_from(">HH", frame, 7))) if kind == 1 else None
        yield word or "another", frame


def owner(ports: Ports, pids: Iterable[int]) -> int | None:
    """Which of these processes has the connection between these ports."""
    inode = _inode(ports)
    return next((pid for pid in pids if inode and inode in _sockets(pid)), None)


def _inode(ports: Ports) -> str | None:
    """proc(5), /proc/net/tcp: local and remote address in hexadecimal, …, the socket's inode in the tenth."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        # Both, since connections to several servers may come from one port.
        if tuple(int(address.rpartition(":")[2], 16) for address in columns[1:3]) == ports:
            return columns[9]
    return None


def _sockets(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                target = str(entry.readlink())
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found
