"""Entry in the browser: starts the application on Pyodide's event loop and returns what takes the page's messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from .app import App

_tasks: set[asyncio.Task[None]] = set()


def start(post: Callable[[str], object]) -> Callable[[str], None]:
    """Starts the session. `post` takes JSON texts for the page; the returned function takes JSON texts from it."""
    app = App(post)
    task = asyncio.ensure_future(app.run())
    _tasks.add(task)
    return lambda text: app.receive(json.loads(text))
