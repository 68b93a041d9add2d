"""A stand-in for a server of OpenAI's interface, for faults and kinds that the real one has not: it answers as it is told."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import dataclass
from typing import Any


@dataclass
class Reply:
    """One answer; a `body` that is no text is sent as JSON. `breaks`: the connection is dropped after it."""

    body: Any = ""
    status: int = 200
    type: str = ""
    location: str = ""
    breaks: bool = False


MODELS = Reply({"object": "list", "data": [{"id": "some-7b", "object": "model"}]})


class StandIn:
    """Answers by path; what it has no reply for is a 404. Use as a context manager."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {}
        self.asked: list[tuple[str, dict[str, str], Any]] = []  # path, headers, body

    def __enter__(self) -> StandIn:
        stand_in = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stand_in.answer(self, None)

            def do_POST(self) -> None:
                stand_in.answer(self, json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serves(self, **replies: Reply) -> None:
        """From now on there is a model, and this reply to a chat, or these replies by the last part of their path."""
        self.asked.clear()
        self.replies = {"models": MODELS, **replies}

    def answer(self, handler: http.server.BaseHTTPRequestHandler, body: Any) -> None:
        """Answers one request."""
        self.asked.append((handler.path, dict(handler.headers), body))
        reply = self.replies.get(handler.path.rpartition("/")[2], Reply({"error": "not found"}, 404))
        is_text = isinstance(reply.body, str)
        sent = (reply.body if is_text else json.dumps(reply.body)).encode()
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.type or ("text/plain" if is_text else "application/json"))
        if reply.location:
            handler.send_header("Location", reply.location)
        handler.send_header("Content-Length", str(len(sent) + (100 if reply.breaks else 0)))
        handler.end_headers()
        handler.wfile.write(sent)


def events(*chunks: Any) -> Reply:
    """A stream of chunks, as OpenAI's interface sends it."""
    sent = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks)
    return Reply(f"{sent}data: [DONE]\n\n", type="text/event-stream")
