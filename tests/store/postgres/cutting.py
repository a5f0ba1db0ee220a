"""A proxy before PostgreSQL that cuts a connection around its COMMIT, or around another statement."""

from __future__ import annotations

import contextlib
import socket
import threading

__all__ = ["Cutter"]


class Cutter:
    """Passes bytes on. ``before``: the next COMMIT does not arrive; ``behind``: its answer does not come.

    ``words``: the same for a statement that has these words.
    """

    def __init__(self, port: int, *, words: bytes = b"COMMIT\0") -> None:
        self._port, self._words = port, words
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        #: What happens to the next COMMIT: "", "before" or "behind".
        self.cut = ""
        #: After that a statement with these words is cut off, too, once.
        self.then = b""
        #: How many connections there were.
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            try:
                server = socket.create_connection(("127.0.0.1", self._port))
            except OSError:
                client.close()
                continue
            silent = threading.Event()
            threading.Thread(target=self._forth, args=(client, server, silent), daemon=True).start()
            threading.Thread(target=self._back, args=(client, server, silent), daemon=True).start()

    def _forth(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        while data := _received(client):
            if self.cut and self._words in data:
                how, self.cut = self.cut, ""
                if how == "before":
                    break
                silent.set()
            elif not self.cut and self.then and self.then in data:
                self.then = b""
                break
            _send(server, data)
        _close(client, server)

    @staticmethod
    def _back(client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        while data := _received(server):
            if silent.is_set():
                break  # the database has answered, so it has obeyed
            _send(client, data)
        _close(client, server)


def _received(one: socket.socket) -> bytes:
    try:
        return one.recv(1 << 16)
    except OSError:
        return b""


def _send(one: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the other thread has closed it
        one.sendall(data)


def _close(*both: socket.socket) -> None:
    for one in both:
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
