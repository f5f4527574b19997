"""A cable between two ports of this machine that can be cut, as a network between a service and its database can."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

_HOST = "127.0.0.1"
_PIECE = 65_536


class Outage(Enum):
    REFUSING = "every connection is reset, those that stand and those that are tried"
    SILENT = "what is sent arrives nowhere, and nothing comes back"


class NetworkProxy:
    """Listens on a port of its own from the start."""

    def __init__(self, port: Callable[[], int]) -> None:
        """``port``: where it leads, asked at each connection."""
        self._listening = socket.create_server((_HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        self._target = port
        self._outage: Outage | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    @contextmanager
    def cut(self, outage: Outage) -> Iterator[None]:
        """For the block. Afterwards, connections from before are reset: what they did not carry is lost."""
        self._outage = outage
        if outage is Outage.REFUSING:
            self._reset_all()
        try:
            yield
        finally:
            self._outage = None
            self._reset_all()

    def close(self) -> None:
        self._listening.close()
        self._reset_all()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        if self._outage is Outage.REFUSING:
            _reset(near)
            return
        try:
            far = socket.create_connection((_HOST, self._target()))
        except OSError:
            _reset(near)
            return
        with self._lock:
            self._open |= {near, far}
        back = threading.Thread(target=self._carry, args=(far, near), daemon=True)
        back.start()
        self._carry(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}
        near.close()
        far.close()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                if self._outage is None:
                    sink.sendall(piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def _reset_all(self) -> None:
        with self._lock:
            for connection in self._open:
                _reset(connection)


def _reset(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # No lingering: the other side is told at once (RFC 9293 §3.5.2).
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
