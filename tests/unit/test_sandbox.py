"""The client of the sandboxes against a page that plays the Workers, and what runs in a Worker, by itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from amplifier_browser import sandbox as client
from amplifier_browser.sandbox import SandboxError, Sandboxes, SandboxTimeout
from amplifier_sandbox import main, run_code
from amplifier_sandbox.figures import display_of, plot

SOON = 0.01  # seconds after which what never comes is given up
PATIENCE = 30.0  # only a hang takes so long

Message = dict[str, Any]


class FakePage:
    """Answers the host's calls; `answer` says what a Worker posts on what it gets."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Message]] = []
        self.alive: set[str] = set()
        self.on_start: Callable[[str], None] = lambda name: self.says(name, type="ready")
        self.answer: Callable[[str, Message], None] = lambda name, got: self.returns(name, got, got["args"])
        self.on_interrupt: Callable[[str], None] = lambda _name: None
        self.sandboxes = Sandboxes(self.call, grace_seconds=SOON, idle_seconds=PATIENCE)
        self.sandbox = self.sandboxes.get("s")

    async def call(self, name: str, /, **args: Any) -> None:
        """What Host.call does."""
        self.calls.append((name, args))
        if name == "sandbox.start":
            self.alive.add(args["name"])
            self.on_start(args["name"])
        elif name == "sandbox.end":
            self.alive.discard(args["name"])
        elif name == "sandbox.interrupt":
            self.on_interrupt(args["name"])
        elif name == "sandbox.post" and args["name"] in self.alive:
            self.answer(args["name"], json.loads(args["message"]))

    def says(self, worker: str, /, **message: Any) -> None:
        """A Worker posts a message."""
        self.sandboxes.receive({"type": "from-sandbox", "name": worker, "message": json.dumps(message)})

    def returns(self, name: str, got: Message, value: Any) -> None:
        """A Worker answers a call."""
        if got["type"] == "call":
            self.says(name, type="returned", id=got["id"], value=value)

    def gone(self, name: str, reason: str = "it broke") -> None:
        """A Worker is no more."""
        self.sandboxes.receive({"type": "sandbox-gone", "name": name, "reason": reason})

    def posted(self, kind: str) -> list[Message]:
        """The messages of one kind that Workers got."""
        messages = [json.loads(args["message"]) for name, args in self.calls if name == "sandbox.post"]
        return [message for message in messages if message["type"] == kind]

    def count(self, name: str) -> int:
        """How often the page was asked for something."""
        return [called for called, _ in self.calls].count(name)


@pytest_asyncio.fixture
async def page() -> AsyncIterator[FakePage]:
    """A page without Workers."""
    made = FakePage()
    yield made
    await made.sandbox.end()


def silent(_name: str, _got: Message) -> None:
    """A Worker that never answers."""


# -- calls


async def test_the_worker_starts_with_the_first_call_and_stays(page: FakePage) -> None:
    assert page.calls == []
    assert await page.sandbox.call("run", PATIENCE, code="1") == {"code": "1"}
    assert await page.sandbox.call("run", PATIENCE, code="2") == {"code": "2"}
    starts = [args for name, args in page.calls if name == "sandbox.start"]
    assert starts == [{"name": "s:1", "memory_mb": client.MEMORY_MB, "kernel": False}]
    assert page.sandbox.generation == 1


async def test_calls_at_a_time_start_one_worker_and_get_their_own_answers(page: FakePage) -> None:
    held: list[Message] = []
    page.answer = lambda _name, got: held.append(got)
    calls = [asyncio.ensure_future(page.sandbox.call("run", PATIENCE, n=n)) for n in range(3)]
    await until(lambda: len(held) == 3)
    for got in reversed(held):
        page.returns("s:1", got, got["args"]["n"])
    assert await asyncio.gather(*calls) == [0, 1, 2]
    assert page.count("sandbox.start") == 1


async def test_sandboxes_are_told_apart_by_name(page: FakePage) -> None:
    other = page.sandboxes.get("t", kernel=True)
    assert page.sandboxes.get("t") is other
    page.answer = lambda name, got: page.returns(name, got, name)
    assert (await page.sandbox.call("run", PATIENCE), await other.call("run", PATIENCE)) == ("s:1", "t:1")
    assert [args["kernel"] for name, args in page.calls if name == "sandbox.start"] == [False, True]
    await other.end()


async def test_what_is_raised_there_is_raised_here(page: FakePage) -> None:
    page.answer = lambda name, got: page.says(
        name, type="raised", id=got["id"], kind="ValueError", error="no", details={"line": 3}
    )
    with pytest.raises(SandboxError, match=r"^no$") as raised:
        await page.sandbox.call("run", PATIENCE)
    assert (raised.value.kind, raised.value.details) == ("ValueError", {"line": 3})


# -- time


async def test_code_that_heeds_the_interrupt_leaves_the_worker(page: FakePage) -> None:
    page.answer = lambda name, got: (
        got["type"] == "cancel" and page.says(name, type="raised", id=got["id"], kind="interrupted", error="", details={})
    )
    with pytest.raises(SandboxTimeout, match=r"longer than 0.01 s .* is still there") as raised:
        await page.sandbox.call("run", SOON)
    assert not raised.value.lost
    assert (page.count("sandbox.interrupt"), page.count("sandbox.end"), page.alive) == (1, 0, {"s:1"})


async def test_a_value_that_comes_after_the_interrupt_counts(page: FakePage) -> None:
    page.answer = lambda name, got: got["type"] == "cancel" and page.says(name, type="returned", id=got["id"], value="some")
    assert await page.sandbox.call("run", SOON) == "some"


async def test_code_that_heeds_nothing_is_ended_with_its_worker(page: FakePage) -> None:
    page.answer = silent
    with pytest.raises(SandboxTimeout, match="what it had defined is lost") as raised:
        await page.sandbox.call("run", SOON)
    assert raised.value.lost
    assert page.alive == set()
    page.answer = lambda name, got: page.returns(name, got, name)
    assert await page.sandbox.call("run", PATIENCE) == "s:2"
    assert page.sandbox.generation == 2


async def test_all_calls_of_an_ended_worker_fail(page: FakePage) -> None:
    page.answer = silent
    with pytest.raises(ExceptionGroup) as raised:
        async with asyncio.TaskGroup() as group:
            group.create_task(page.sandbox.call("run", SOON))
            await until(lambda: page.posted("call"))
            group.create_task(page.sandbox.call("run", SOON))
    assert {type(error) for error in raised.value.exceptions} <= {SandboxTimeout, SandboxError}
    assert page.alive == set()


async def test_stop_interrupts_and_the_next_call_waits_for_that(page: FakePage) -> None:
    page.answer = silent
    running = asyncio.ensure_future(page.sandbox.call("run", PATIENCE))
    await until(lambda: page.posted("call"))

    def heed(name: str, got: Message) -> None:
        if got["type"] == "cancel":
            assert len(page.posted("call")) == 1, "the next call came before the interrupt was over"
            page.says(name, type="raised", id=got["id"], kind="interrupted", error="", details={})
        else:
            page.returns(name, got, "next")

    page.answer = heed
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await page.sandbox.call("run", PATIENCE) == "next"
    assert (page.count("sandbox.interrupt"), page.sandbox.generation) == (1, 1)


async def test_time_in_which_the_session_answers_does_not_count(page: FakePage) -> None:
    def asking(name: str, got: Message) -> None:
        if got["type"] == "call":
            page.says(name, type="ask", id=1, name="slow", args={"of": 2})
        elif got["type"] == "told":
            page.says(name, type="returned", id=page.posted("call")[0]["id"], value=got["value"])

    async def slow(name: str, args: Message) -> Any:
        await asyncio.sleep(5 * SOON)
        return [name, args]

    page.answer, page.sandbox.on_ask = asking, slow
    assert await page.sandbox.call("run", SOON) == ["slow", {"of": 2}]


async def test_a_worker_that_does_not_rest_is_ended(page: FakePage) -> None:
    page.sandboxes.idle_seconds = SOON
    page.answer = lambda name, got: got["type"] == "call" and got["op"] != "ping" and page.returns(name, got, 1)
    logged: list[str] = []
    page.sandbox.on_log = lambda _level, text: logged.append(text)
    await page.sandbox.call("run", PATIENCE)
    await until(lambda: logged)
    assert "went on running" in logged[0]
    assert page.alive == set()


# -- ends and beginnings


async def test_a_worker_that_does_not_start_is_an_error(page: FakePage, monkeypatch: pytest.MonkeyPatch) -> None:
    page.on_start = lambda name: page.gone(name, "no memory")
    with pytest.raises(SandboxError, match="no memory"):
        await page.sandbox.call("run", PATIENCE)
    monkeypatch.setattr(client, "START_SECONDS", SOON)
    page.on_start = lambda _name: None
    with pytest.raises(SandboxError, match="did not start in time") as raised:
        await page.sandbox.call("run", PATIENCE)
    assert raised.value.kind == "start"
    page.on_start = lambda name: page.says(name, type="failed", reason="no wasm")
    with pytest.raises(SandboxError, match="no wasm"):
        await page.sandbox.call("run", PATIENCE)
    page.on_start = lambda name: page.says(name, type="ready")
    assert await page.sandbox.call("run", PATIENCE) == {}


async def test_a_page_that_starts_no_workers_is_an_error() -> None:
    async def refuse(_name: str, /, **_args: Any) -> None:
        raise RuntimeError("the panel has no such call")

    with pytest.raises((SandboxError, RuntimeError), match="no such call"):
        await Sandboxes(refuse).get("s").call("run", PATIENCE)


@pytest.mark.parametrize("how", ["gone", "fatal"])
async def test_a_worker_that_goes_fails_its_calls(page: FakePage, how: str) -> None:
    page.answer = lambda name, _got: page.gone(name) if how == "gone" else page.says(name, type="fatal")
    with pytest.raises(SandboxError, match="the sandbox is gone") as raised:
        await page.sandbox.call("run", PATIENCE)
    assert not isinstance(raised.value, SandboxTimeout)
    page.answer = lambda name, got: page.returns(name, got, name)
    assert await page.sandbox.call("run", PATIENCE) == "s:2"


async def test_what_an_ended_worker_still_says_reaches_nobody(page: FakePage) -> None:
    await page.sandbox.call("run", PATIENCE)
    await page.sandbox.end()
    asked: list[str] = []

    async def on_ask(name: str, _args: Message) -> None:
        asked.append(name)

    page.sandbox.on_ask = on_ask
    page.answer = silent
    running = asyncio.ensure_future(page.sandbox.call("run", PATIENCE))
    await until(lambda: len(page.posted("call")) == 2)
    page.says("s:1", type="returned", id=page.posted("call")[1]["id"], value="forged")
    page.says("s:1", type="ask", id=1, name="page.read", args={})
    page.gone("s:1")
    page.returns("s:2", page.posted("call")[1], "own")
    assert await running == "own"
    assert asked == []


async def test_ending_it_fails_what_runs(page: FakePage) -> None:
    page.answer = silent
    running = asyncio.ensure_future(page.sandbox.call("run", PATIENCE))
    await until(lambda: page.posted("call"))
    await page.sandbox.end()
    with pytest.raises(SandboxError, match="it was ended"):
        await running
    assert page.alive == set()


# -- what a sandbox asks and says


async def test_nothing_may_be_asked_unless_somebody_answers(page: FakePage) -> None:
    await page.sandbox.call("run", PATIENCE)
    page.says("s:1", type="ask", id=4, name="page.read", args={})
    await until(lambda: page.posted("told"))
    assert page.posted("told") == [{"type": "told", "id": 4, "error": "this code may not ask for page.read"}]


async def test_it_may_not_ask_for_much_at_a_time(page: FakePage) -> None:
    never = asyncio.Event()

    async def on_ask(_name: str, _args: Message) -> None:
        await never.wait()

    page.sandbox.on_ask = on_ask
    await page.sandbox.call("run", PATIENCE)
    for number in range(client.ASKS + 2):
        page.says("s:1", type="ask", id=number, name="x", args={})
    await until(lambda: len(page.posted("told")) == 2)
    assert {told["id"] for told in page.posted("told")} == {client.ASKS, client.ASKS + 1}


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "17",
        '"x"',
        "{}",
        '{"type": "returned"}',
        '{"type": "ask", "id": 1}',
        '{"type": "ask", "id": null, "name": 1, "args": 5}',
        '{"type": "returned", "id": [], "value": 1}',
        '{"type": "log"}',
        "[" * 100_000,
    ],
)
async def test_a_message_without_sense_is_logged(page: FakePage, text: str) -> None:
    logged: list[tuple[str, str]] = []
    page.sandbox.on_log = lambda level, words: logged.append((level, words))
    await page.sandbox.call("run", PATIENCE)
    page.sandboxes.receive({"type": "from-sandbox", "name": "s:1", "message": text})
    assert logged == [("error", "It sent a message that cannot be understood.")]
    assert await page.sandbox.call("run", PATIENCE) == {}


async def test_logs_are_shortened_and_have_one_of_two_levels(page: FakePage) -> None:
    logged: list[tuple[str, int]] = []
    page.sandbox.on_log = lambda level, words: logged.append((level, len(words)))
    await page.sandbox.call("run", PATIENCE)
    page.says("s:1", type="log", level="shout", text="x" * 10_000)
    page.says("s:1", type="log", level="error", text="x")
    assert logged == [("info", 2000), ("error", 1)]


async def until(condition: Callable[[], Any]) -> None:
    """Lets others run until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


# -- in the Worker: calls


class Session:
    """The session's side of amplifier_sandbox.main."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[Message] = []
        channel = main.Channel()
        channel.post = self._take
        monkeypatch.setattr(main, "_channel", channel)

    def _take(self, text: str) -> bool:
        self.messages.append(json.loads(text))
        return True

    async def call(self, function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, **args: Any) -> Message:
        """The answer to a call of a function."""
        monkeypatch.setattr(main, "_function", lambda _op: function)
        main.receive(json.dumps({"type": "call", "id": 5, "op": "x", "args": args}))
        await until(lambda: [each for each in self.messages if each.get("id") == 5])
        return self.messages[-1]


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    """A session that the Worker's part posts to."""
    return Session(monkeypatch)


async def test_functions_may_be_async_or_not(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    async def later(of: int) -> list[int]:
        return [of]

    assert await session.call(lambda of: of + 1, monkeypatch, of=1) == {"type": "returned", "id": 5, "value": 2}
    session.messages.clear()
    assert await session.call(later, monkeypatch, of=3) == {"type": "returned", "id": 5, "value": [3]}


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (ValueError("bad"), "ValueError", "bad"),
        (SystemExit(3), "SystemExit", "3"),
        (KeyboardInterrupt(), "interrupted", "it was interrupted"),
        (MemoryError(), "memory", "there was not enough memory"),
    ],
)
async def test_errors_are_answers(
    session: Session, monkeypatch: pytest.MonkeyPatch, error: BaseException, kind: str, words: str
) -> None:
    def fail() -> None:
        raise error

    answer = await session.call(fail, monkeypatch)
    assert answer == {"type": "raised", "id": 5, "kind": kind, "error": words, "details": {}}


async def test_what_is_no_json_is_an_error(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await session.call(object, monkeypatch))["kind"] == "TypeError"
    session.messages.clear()
    assert "too large" in (await session.call(lambda: "x" * main.LONGEST_VALUE, monkeypatch))["error"]


async def test_a_call_that_waits_can_be_cancelled(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    began = asyncio.Event()

    async def wait() -> None:
        began.set()
        await asyncio.Event().wait()

    answer = asyncio.ensure_future(session.call(wait, monkeypatch))
    await began.wait()
    main.receive(json.dumps({"type": "cancel", "id": 5}))
    assert (await answer)["kind"] == "interrupted"


async def test_it_asks_and_is_told(session: Session) -> None:
    asked = [asyncio.ensure_future(main.ask("page.read", tab=n)) for n in (1, 2)]
    await until(lambda: len(session.messages) == 2)
    first, second = session.messages
    assert (first["name"], first["args"]) == ("page.read", {"tab": 1})
    main.receive(json.dumps({"type": "told", "id": second["id"], "error": "not granted"}))
    main.receive(json.dumps({"type": "told", "id": first["id"], "value": "text"}))
    assert await asked[0] == "text"
    with pytest.raises(main.AskError, match="not granted"):
        await asked[1]


# -- in the Worker: code


@pytest.fixture(autouse=True)
def fresh_namespace() -> None:
    """What code defines does not pass from test to test."""
    run_code._namespace.clear()


async def test_the_last_expression_is_the_value() -> None:
    assert (await run_code.run("x = 2\nx + 1"))["value"] == "3"
    assert (await run_code.run("x"))["value"] == "2"
    assert (await run_code.run("y = x"))["value"] is None
    assert (await run_code.run("None"))["value"] is None
    assert (await run_code.run("'text'"))["value"] == "text"
    assert (await run_code.run(""))["value"] is None


async def test_await_may_stand_at_the_top() -> None:
    result = await run_code.run("import asyncio\nz = await asyncio.sleep(0, 7)\nz + 1")
    assert (result["value"], result["error"]) == ("8", None)
    assert (await run_code.run("z"))["value"] == "7"


async def test_output_is_kept_up_to_a_limit() -> None:
    result = await run_code.run("import sys\nprint('a' * 9_990)\nprint('b' * 20, file=sys.stderr)")
    assert result["printed"] == "a" * 9_990 + "\n" + "b" * 9
    assert result["cut"] == 12
    long = await run_code.run("'v' * 10_005")
    assert (len(long["value"]), long["value_cut"]) == (10_000, 5)


async def test_errors_tell_the_users_own_lines() -> None:
    result = await run_code.run("import json\ndef f(text):\n    return json.loads(text)\nprint('before')\nf('{')\n")
    error = result["error"]
    assert result["printed"] == "before\n"
    assert (error["kind"], error["line"]) == ("raised", 3)
    assert error["message"].startswith("json.decoder.JSONDecodeError: Expecting")
    assert "return json.loads(text)" in error["traceback"]
    assert "run_code" not in error["traceback"] and "decoder.py" not in error["traceback"]
    assert error["traceback"].count("File ") == 2


async def test_errors_that_led_to_an_error_are_told_where_they_are_the_users() -> None:
    own = await run_code.run("try:\n    1 / 0\nexcept ZeroDivisionError:\n    raise ValueError('other')")
    assert "division by zero" in own["error"]["traceback"]
    inside = await run_code.run("import urllib.request\nurllib.request.urlopen('http://127.0.0.1:1')")
    assert "URLError" in inside["error"]["message"]
    assert "During handling" not in inside["error"]["traceback"]


async def test_errors_of_syntax_have_a_line() -> None:
    error = (await run_code.run("a = 1\nb = = 2"))["error"]
    assert (error["line"], error["message"]) == (2, "SyntaxError: invalid syntax")


async def test_a_function_of_an_earlier_run_has_its_lines() -> None:
    await run_code.run("\ndef f():\n    return 1 / 0")
    error = (await run_code.run("f()"))["error"]
    assert (error["line"], error["message"]) == (3, "ZeroDivisionError: division by zero")
    assert "return 1 / 0" in error["traceback"]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("raise SystemExit", None),
        ("import sys\nsys.exit(2)", "the code ended itself with 2"),
        ("raise ValueError(17)", "ValueError: 17"),
        ("class E(Exception):\n    def __str__(self):\n        raise E\nraise E", "E: <exception str() failed>"),
        ("class B(BaseException): pass\nraise B", "B"),
        ("class R:\n    def __repr__(self):\n        raise ValueError('no repr')\nR()", "ValueError: no repr"),
    ],
)
async def test_endings(code: str, message: str | None) -> None:
    error = (await run_code.run(code))["error"]
    said = error and error["message"].replace("__main__.", "")
    assert said == message


@pytest.mark.parametrize(("code", "kind"), [("raise KeyboardInterrupt", "interrupted"), ("raise MemoryError", "memory")])
async def test_interrupts_and_want_of_memory_are_told_apart(code: str, kind: str) -> None:
    await run_code.run("kept = 1")
    result = await run_code.run(f"print('so far')\n{code}")
    assert (result["error"]["kind"], result["error"]["line"], result["printed"]) == (kind, 2, "so far\n")
    assert (await run_code.run("kept"))["value"] == "1"


async def test_tasks_end_with_their_run() -> None:
    await run_code.run("import asyncio\ntask = asyncio.ensure_future(asyncio.Event().wait())\nawait asyncio.sleep(0)")
    await until(lambda: run_code._namespace["task"].done())
    assert run_code._namespace["task"].cancelled()


# -- in the Worker: what is shown


@pytest.mark.parametrize(
    ("value", "columns", "rows"),
    [
        ([{"a": 1, "b": 2}, {"a": 3, "c": 4.123456789}], ["a", "b", "c"], [["1", "2", ""], ["3", "", "4.12346"]]),
        ([(1, "x"), (2, "y")], ["1", "2"], [["1", "x"], ["2", "y"]]),
        ({"n": [1, 2], "s": ["x", "y"]}, ["n", "s"], [["1", "x"], ["2", "y"]]),
    ],
)
def test_tables(value: Any, columns: list[str], rows: list[list[str]]) -> None:
    assert display_of(value) == {"type": "table", "columns": columns, "rows": rows, "more": 0}


def test_long_tables_are_cut() -> None:
    table = display_of([(n, "x" * 1000) for n in range(60)])
    assert table is not None
    assert (len(table["rows"]), table["more"], len(table["rows"][0][1])) == (50, 10, 201)


@pytest.mark.parametrize(
    "value", [[1, 2], [], {}, {"a": 1}, [[1], [1, 2]], [[]], "text", b"bytes", 5, [{}], {"a": [1], "b": [1, 2]}]
)
def test_what_is_no_table_or_picture(value: Any) -> None:
    assert display_of(value) is None


def test_pictures() -> None:
    png = b"\x89PNG\r\n\x1a\nrest"

    class Drawing:
        def _repr_png_(self) -> bytes:
            return png

    assert display_of(png) == display_of(Drawing()) == {"type": "image", "mime": "image/png", "data": "iVBORw0KGgpyZXN0"}
    assert display_of("<svg></svg>") == {"type": "svg", "text": "<svg></svg>"}
    assert (display_of("<svg>" + "x" * 2_000_000) or {})["type"] == "text"


def test_plots_are_svg() -> None:
    for kind in ("line", "points", "bars"):
        display = display_of(plot([1, 2, 3], [1, 4, 2], kind=kind, title="<T>"))
        assert display is not None and display["type"] == "svg"
        assert "&lt;T&gt;" in display["text"]
    assert display_of(plot([5])) is not None
    with pytest.raises(ValueError, match="as many xs as ys"):
        plot([1, 2], [1])


async def test_show_shows() -> None:
    result = await run_code.run("for n in range(20):\n    show(f'row {n}')\nshow([(1, 2)])\n[(1, 2)]")
    assert result["display"] == [{"type": "text", "text": f"row {n}"} for n in range(10)]
    result = await run_code.run("show([(1, 2)])\nplot([1, 2])")
    assert [each["type"] for each in result["display"]] == ["table", "svg"]
