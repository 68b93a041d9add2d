"""Runs a piece of Python in a namespace that lasts as long as the Worker: what it printed, its last value, what it shows."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import contextvars
import inspect
import io
import itertools
import linecache
import traceback
import types
from collections.abc import Generator
from typing import Any

from .figures import Display, display_of, plot
from .main import INTERRUPTED, MEMORY, calls, release_spare

Result = dict[str, Any]

PRINTED = 10_000  # characters that are kept
VALUE = 10_000
MESSAGE = 500
FRAMES = 8
DISPLAYS = 10
NEEDED_BYTES = 8 << 20  # with less than this left, nothing sensible runs
LAST_VALUE = "__last_value__"

_runs = itertools.count(1)
_run: contextvars.ContextVar[object] = contextvars.ContextVar("run")
_namespace: dict[str, Any] = {}
_displays: list[Display] = []


def show(value: Any) -> None:
    """Shows a value to the user: a table, an SVG or PNG picture, or its text."""
    if len(_displays) < DISPLAYS:
        _displays.append(display_of(value) or {"type": "text", "text": _text(value)[:VALUE]})


class Printed(io.TextIOBase):
    """Keeps the beginning of what is printed, and counts the rest."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.room = PRINTED
        self.cut = 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str, /) -> int:
        """Takes some text."""
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - the caller is anybody
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.room:
            self.kept.append(text[: self.room])
        self.cut += max(0, len(text) - self.room)
        self.room = max(0, self.room - len(text))
        return len(text)


async def run(code: str) -> Result:
    """{printed, cut: characters not kept, value: text | None, value_cut, display, error}; the error, or None, is
    {kind: "raised" | "interrupted" | "memory", message, line: int | None, traceback, lost: bool}."""
    number = next(_runs)
    name = "<code>" if number == 1 else f"<code {number}>"
    printed = Printed()
    value: Any = None
    error: Result | None = None
    if not _namespace:
        _begin()
    _displays.clear()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), _tasks_ended():
            value = await _execute(code, name)
            text = None if value is None else _text(value)
            picture = None if value is None or len(_displays) >= DISPLAYS else display_of(value)
    except BaseException as raised:  # whatever the code raises is an answer
        error = _error_of(raised, name)
        text = picture = None
        del raised
    _namespace.pop(LAST_VALUE, None)
    if error and error["kind"] == MEMORY:
        error["lost"] = _forget_if_short()
    return {
        "printed": "".join(printed.kept),
        "cut": printed.cut,
        "value": text and text[:VALUE],
        "value_cut": max(0, len(text or "") - VALUE),
        "display": [*_displays, *([picture] if picture else [])],
        "error": error,
    }


def _begin() -> None:
    _namespace.update(__name__="__main__", show=show, plot=plot)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


async def _execute(code: str, name: str) -> Any:
    """The value of the last expression statement, or None."""
    linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
    tree = ast.parse(code, name)
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        target = ast.copy_location(ast.Name(LAST_VALUE, ast.Store()), last)
        tree.body[-1] = ast.copy_location(ast.Assign([target], last.value), last)
    compiled = compile(tree, name, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    if compiled.co_flags & inspect.CO_COROUTINE:
        await types.FunctionType(compiled, _namespace)()
    else:
        exec(compiled, _namespace)
    return _namespace.get(LAST_VALUE)


@contextlib.contextmanager
def _tasks_ended() -> Generator[None]:
    """Ends what the code left running: nothing of it goes on between two runs."""
    loop: Any = asyncio.get_running_loop()
    before = asyncio.all_tasks()
    token = _run.set(object())
    run = _run.get()
    handles: list[asyncio.Handle] = []
    later = loop.call_later

    def call_later(*args: Any, **named: Any) -> asyncio.Handle:
        handle: Any = later(*args, **named)
        if handle._context.get(_run, None) is run:  # not that of another call to this Worker
            handles.append(handle)
        return handle

    loop.call_later = call_later  # all of the loop's ways to call something later come to this one
    try:
        yield
    finally:
        loop.call_later = later
        _run.reset(token)
        for task in asyncio.all_tasks() - before - calls():
            task.cancel()
        for handle in handles:
            handle.cancel()


def _error_of(raised: BaseException, name: str) -> Result | None:
    if isinstance(raised, SystemExit):
        if raised.code in (None, 0):
            return None
        return _error("raised", f"the code ended itself with {raised.code!r}")
    if isinstance(raised, KeyboardInterrupt | asyncio.CancelledError):
        return _error(INTERRUPTED, "it was interrupted", _line_of(raised))
    if isinstance(raised, MemoryError):
        release_spare()
        return _error(MEMORY, "there was not enough memory", _line_of(raised))
    try:
        summary = traceback.TracebackException.from_exception(raised, limit=-20 * FRAMES, max_group_width=3, max_group_depth=2)
        _keep_own_frames(summary)
        lines = list(summary.format())
        message = "".join(summary.format_exception_only()).strip().splitlines()[-1]
    except Exception:  # an exception may say nothing sensible of itself
        lines, message = [], type(raised).__name__
    line = raised.lineno if isinstance(raised, SyntaxError) and raised.filename == name else _line_of(raised)
    return _error("raised", message[:MESSAGE], line, "".join(lines))


def _error(kind: str, message: str, line: int | None = None, text: str = "") -> Result:
    return {"kind": kind, "message": message, "line": line, "traceback": text[-PRINTED:], "lost": False}


def _is_own(filename: str) -> bool:
    return filename.startswith("<code")


def _line_of(raised: BaseException) -> int | None:
    """The line of the innermost frame that is the user's."""
    lines = [frame.lineno for frame in traceback.extract_tb(raised.__traceback__) if _is_own(frame.filename)]
    return lines[-1] if lines else None


def _keep_own_frames(summary: traceback.TracebackException) -> None:
    seen: set[int] = set()
    left: list[traceback.TracebackException | None] = [summary]
    while left:
        each = left.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        own = [frame for frame in each.stack if _is_own(frame.filename)]
        each.stack = traceback.StackSummary.from_list(own[-FRAMES:])
        for name in ("__cause__", "__context__"):  # an error inside a library led to the user's: not worth the words
            before = getattr(each, name)
            if before is not None and not any(_is_own(frame.filename) for frame in before.stack):
                setattr(each, name, None)
        left += [each.__cause__, each.__context__]


def _forget_if_short() -> bool:
    """Whether all that the code defined had to go, so that something can run again."""
    try:
        bytearray(NEEDED_BYTES)
    except MemoryError:
        _namespace.clear()
        return True
    return False
