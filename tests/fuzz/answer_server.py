"""A server that sends bytes as they are, whether they are HTTP or not."""

from __future__ import annotations

import contextlib
import socket
import threading

AFTERWARDS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
ASKED_AGAIN = 3
"""Connections that get the bytes; those behind them get an empty list, so that nobody asks for ever."""


class AnswerServer:
    """Give ``answer`` the bytes; each connection gets them behind its request, and is closed."""

    def __init__(self) -> None:
        self._answer, self._piece, self.asked = b"", 0, 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def answer(self, content: bytes, piece: int = 0) -> None:
        """What to send from now on, in pieces of so many bytes (0: at once)."""
        self._answer, self._piece, self.asked = content, piece, 0

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                self._send(connection)

    def _send(self, connection: socket.socket) -> None:
        connection.settimeout(10)
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65_536)
            if not part:
                return
            request += part
        self.asked += 1
        content = self._answer if self.asked <= ASKED_AGAIN else AFTERWARDS
        step = self._piece or len(content) or 1
        for at in range(0, len(content), step):
            connection.sendall(content[at : at + step])
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):  # so that what was sent is not thrown away by a reset
            pass
