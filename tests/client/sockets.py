"""A server of raw bytes on a loopback port: what no well-behaved server sends."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType

Pieces = Sequence[bytes | float]
"""What goes out, one send each, and seconds to pause."""


class Raw:
    """Answers each request with what `handler(path, echo)` gives, on connections that stay open.

    `echo` is the header line by which a node names the request that it answers.
    """

    def __init__(self, handler: Callable[[str, str], Pieces]) -> None:
        self._handler = handler
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.asked: list[str] = []
        self._open: list[socket.socket] = []

    def __enter__(self) -> "Raw":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            for method, path, echo in _requests(connection):
                self.asked.append(f"{method} {path}")
                for piece in self._handler(path, echo):
                    if isinstance(piece, bytes):
                        connection.sendall(piece)
                    else:
                        time.sleep(piece)
        except OSError:  # the client is gone
            pass


def _requests(connection: socket.socket) -> Iterator[tuple[str, str, str]]:
    waiting = b""
    while True:
        while b"\r\n\r\n" not in waiting:
            got = connection.recv(65536)
            if not got:
                return
            waiting += got
        head, _, waiting = waiting.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        sizes = [int(line.partition(":")[2]) for line in lines if line.lower().startswith("content-length:")]
        while len(waiting) < sum(sizes):
            waiting += connection.recv(65536)
        waiting = waiting[sum(sizes) :]
        echo = next(line for line in lines if line.lower().startswith("hansa-request:"))
        yield first.split(" ")[0], first.split(" ")[1], echo


def response(status: int, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body
