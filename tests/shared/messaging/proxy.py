"""A line to the broker that can be cut, or go silent."""

import contextlib
import socket
import threading
from typing import Any
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    def __init__(self, amqp_url: str) -> None:
        there = urlsplit(amqp_url)
        self._target = (there.hostname or "127.0.0.1", there.port or 5672)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        login = there.netloc.rpartition("@")[0]
        self.url = urlunsplit(there._replace(netloc=f"{login}@127.0.0.1:{port}"))
        self._open: list[socket.socket] = []
        self._through = threading.Event()
        self._through.set()
        self.accepts = True
        self.connections = 0

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._listener.close()
        self._through.set()
        self.cut()

    def cut(self) -> None:
        for one in self._open:
            # Shut down, not closed: a thread may be reading from it.
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def silence(self) -> None:
        """What is sent from now on is lost, and nobody is told."""
        self._through.clear()

    def speak(self) -> None:
        self._through.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self.accepts:
                near.close()
                continue
            self.connections += 1
            far = socket.create_connection(self._target)
            self._open += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if not self._through.is_set():
                    self._through.wait()
                    return
                target.sendall(data)
        except OSError:
            pass
        finally:
            for one in (source, target):
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
