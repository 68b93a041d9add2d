"""Serves a model's files as a weight host does, and fails in the ways in which those fail."""

from __future__ import annotations

import contextlib
import http.server
import re
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PIECE = 32 * 1024


@dataclass
class Fault:
    """What happens to requests for a file instead of its being served.

    `times`: how often, then all is well again. Bytes count from where the answer begins.
    """

    status: int = 0  # answered with this status
    cut_after: int | None = None  # the connection is dropped
    hold_after: int | None = None  # nothing more comes until release()
    seconds_a_piece: float = 0  # a slow network
    wrong_bytes: bool = False
    redirect: str = ""  # another host
    times: int = 10**9


@dataclass
class Served:
    """One answer: bytes `start` to `end` of a file were sent."""

    name: str
    start: int
    end: int
    status: int


@dataclass
class ModelServer:
    """A model under /NAME/resolve/main/, and its library as /NAME.wasm. Use as a context manager."""

    folder: Path
    library: Path
    has_ranges: bool = True
    faults: dict[str, Fault] = field(default_factory=dict[str, Fault])
    served: list[Served] = field(default_factory=list[Served])
    methods: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])  # names of files, whatever the answer was
    connections: int = 0
    port: int = 0

    def __enter__(self) -> ModelServer:
        self.released = threading.Event()
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _begin(self) -> None:
        owner = self

        class Handler(_Handler):
            server_of_model = owner

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self._server.on_connection = self._count
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def _count(self) -> None:
        self.connections += 1

    def stop(self) -> None:
        """The network is gone: what is open breaks off, and nobody answers any more."""
        self._server.shutdown()
        self._server.break_all()
        self._server.server_close()
        self.released.set()

    def drop_connections(self) -> None:
        """What is open breaks off; who asks again is answered."""
        self._server.break_all()
        self.release()

    def start_again(self) -> None:
        """The network is back, under the same address."""
        self.released = threading.Event()
        self._begin()

    def release(self) -> None:
        """What was held goes on."""
        self.faults.clear()
        self.released.set()

    def reset(self) -> None:
        """No faults, nothing served yet."""
        self.release()
        self.released = threading.Event()
        self.has_ranges = True
        self.served.clear()
        self.methods.clear()
        self.asked.clear()
        self.connections = 0

    @property
    def base(self) -> str:
        """The address of the model's files."""
        return f"http://127.0.0.1:{self.port}/{self.folder.name}/resolve/main/"

    @property
    def lib(self) -> str:
        """The address of the model's library."""
        return f"http://127.0.0.1:{self.port}/{self.folder.name}.wasm"

    def path(self, name: str) -> Path:
        """The file that is served under a name."""
        return self.library if name.endswith(".wasm") else self.folder / name

    def bytes_of(self, name: str) -> int:
        """How many bytes of a file were sent."""
        return sum(each.end - each.start for each in self.served if each.name == name)

    def starts_of(self, name: str) -> list[int]:
        """Where the answers for a file began."""
        return [each.start for each in self.served if each.name == name]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    on_connection: Callable[[], None]

    def __init__(self, *arguments: Any) -> None:
        self.open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        self.on_connection()
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that break are what this is for."""

    def break_all(self) -> None:
        for each in list(self.open):
            with contextlib.suppress(OSError):  # it has gone by itself
                each.shutdown(socket.SHUT_RDWR)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_of_model: ModelServer

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_OPTIONS(self) -> None:
        """Weight hosts answer no questions beforehand."""
        self.server_of_model.methods.append("OPTIONS")
        self._refuse(405)

    def do_GET(self) -> None:
        model = self.server_of_model
        model.methods.append("GET")
        name = self.path.rsplit("/", 1)[1]
        model.asked.append(name)
        fault = model.faults.get(name, Fault(times=0))
        if fault.times <= 0:
            fault = Fault()
        fault.times -= 1
        if fault.status or not model.path(name).is_file():
            self._refuse(fault.status or 404)
        elif fault.redirect:
            self._redirect(fault.redirect + self.path)
        else:
            self._serve(name, fault)

    def _refuse(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _redirect(self, address: str) -> None:
        self.send_response(302)
        self.send_header("Location", address)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _serve(self, name: str, fault: Fault) -> None:
        model = self.server_of_model
        content = model.path(name).read_bytes()
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and model.has_ranges else 0
        if start >= len(content):
            self._refuse(416)
            return
        status = 206 if asked and model.has_ranges else 200
        self.send_response(status)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Access-Control-Expose-Headers", "ETag, Content-Range")
        self.send_header("ETag", f'"{len(content)}"')
        self.send_header("Content-Length", str(len(content) - start))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.end_headers()
        answer = Served(name, start, start, status)
        model.served.append(answer)
        self._send(bytes(byte ^ 1 for byte in content[start:]) if fault.wrong_bytes else content[start:], fault, answer)

    def _send(self, body: bytes, fault: Fault, answer: Served) -> None:
        model = self.server_of_model
        stop = min(len(body), *(limit for limit in (fault.cut_after, fault.hold_after) if limit is not None), len(body))
        try:
            self._send_pieces(body, 0, stop, answer, fault.seconds_a_piece)
            if fault.hold_after is not None:
                model.released.wait(120)
                if not self._is_gone():
                    self._send_pieces(body, stop, len(body), answer)
        except OSError:
            self.close_connection = True
        if fault.cut_after is not None:
            self.close_connection = True

    def _is_gone(self) -> bool:
        """Whether the other side has hung up; a first write would not tell."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)

    def _send_pieces(self, body: bytes, begin: int, end: int, answer: Served, seconds: float = 0) -> None:
        for at in range(begin, end, PIECE):
            piece = body[at : min(at + PIECE, end)]
            time.sleep(seconds)
            self.wfile.write(piece)
            answer.end += len(piece)
