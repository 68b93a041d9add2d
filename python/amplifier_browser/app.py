"""The application: its parts, and who takes which command of the panel."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

from .approvals import Grants, PanelApprovals
from .conversation import Conversation
from .document_answers import room
from .documents.desk import Desk
from .documents.library import LibraryClient
from .documents.listing import Listing
from .documents.material import Resources
from .documents.temporary import TemporaryDocuments
from .engine import BUILT_IN, Engine, is_here
from .history.archive import Archive
from .history.keeper import Current, Keeper
from .history.session_list import SessionList
from .host import Host
from .images import can_see
from .models.memory import MemoryWatch
from .models.servers import host_of
from .models.shelf import Models
from .module_capabilities import ModuleCapabilities
from .problems import engine_problem, start_problem
from .sandbox import Sandboxes
from .sessions import Panel, Services
from .settings import Settings
from .storage import Storage
from .timeline import Timeline
from .transcript import Transcript
from .turn_runner import TurnRunner
from .user_modules import UserModules

Message = dict[str, Any]


class App:
    """What one panel shows and does."""

    def __init__(self, post: Callable[[str], object]) -> None:
        """`post` takes one JSON text for the page."""
        self._host = Host(post)
        self._timeline = Timeline(self._host.emit)
        self._host.on_event = self._timeline.saw
        self._engine = Engine(lambda message: self._host.emit({"type": "to-engine", "message": message}))
        self._engine.on_state = self._show_engine
        self._engine.on_gone = self._tell_gone
        self._services = self._make_services()
        self._desk = self._make_desk()
        self._listing = Listing(self._services.library)
        self._listing.tell(self._desk.listed, lambda: self._desk.is_indexing)
        self._engine.on_library = self._listing.library_changed
        self._models = Models(self._engine, self._services.storage, self._host.call, self._host.emit, self._spawn)
        self._engine.on_downloads = self._models.downloads_changed
        self._models.record = self._timeline.add
        self._memory = MemoryWatch(self._engine, self._host.call, self._timeline.add)
        self._settings = Settings(self._services, self._host.emit, lambda: self._runner.session, self._listing)
        self._listing.tell(lambda _documents: self._spawn(self._settings.show()), lambda: self._settings.is_open)
        self._model: str | None = None  # that the engine told of last
        self._asked = ""  # for which model the view asked last
        self._tasks: set[asyncio.Future[Any]] = set()
        self._keeper = self._make_keeper()
        transcript, preferences = Transcript(self._show), self._settings.preferences
        self._runner = TurnRunner(self._services, self._desk, transcript, preferences, self._host.emit)
        self._conversation = Conversation(
            self._runner, transcript, self._keeper, self._desk, preferences, self._timeline, self._host, self._spawn
        )
        self._kept = SessionList(Archive(self._host.call), self._keeper, self._conversation, self._host.call, self._host.emit)
        self._takers = self._make_takers()

    def _make_services(self) -> Services:
        call = self._host.call
        storage, sandboxes, display = Storage(call), Sandboxes(call), Panel(self._host.emit)
        grants, capabilities = Grants(storage), ModuleCapabilities(call, storage, self._engine)
        modules = UserModules(
            storage,
            sandboxes,
            notify=lambda level, text: display.show_message(text, level),
            capabilities=capabilities,
            builtin_tools=self._builtin_tools,
            on_change=lambda: self._spawn(self._settings.show()),
        )
        return Services(
            engine=self._engine,
            library=LibraryClient(self._engine.request),
            call=call,
            storage=storage,
            sandboxes=sandboxes,
            display=display,
            grants=grants,
            approvals=PanelApprovals(self._host.emit, grants),
            modules=modules,
            capabilities=capabilities,
            status=lambda: self._runner.status(),
        )

    def _make_desk(self) -> Desk:
        engine, library = self._engine, self._services.library
        resources = Resources(library, TemporaryDocuments(library), self._host.call, engine.count, lambda: room(engine))
        return Desk(resources, self._host.emit, self._spawn, lambda: self._models.blindness())

    def _make_keeper(self) -> Keeper:
        """It looks at the conversation, which is made after it."""
        current = Current(
            messages=lambda: self._conversation.shown(),
            memory=lambda: self._conversation.memory(),
            pages=lambda: self._conversation.pages(),
            model=lambda: str(self._engine.model_id or ""),
        )
        return Keeper(self._host.call, self._host.emit, current)

    def _builtin_tools(self) -> list[str]:
        session = self._runner.session
        tools = session.coordinator.get("tools") if session else {}
        return [name for name in tools if name not in self._services.modules.tools()]

    async def run(self) -> None:
        """Opens the conversation, then answers turn after turn, for as long as the panel is open."""
        try:
            await self._settings.preferences.load()
            self._engine.place = self._settings.preferences.run_on
            await self._conversation.open(self._kept.left_off)
        except Exception as error:  # without a session nothing works, and the user must know
            self._host.emit({"type": "fatal", "error": start_problem(str(error))})
            return
        self._host.emit({"type": "ready"})
        self._spawn(self._settings.show())
        watching = asyncio.ensure_future(self._memory.run())  # it ends with the panel, so nothing waits for it
        try:
            while True:
                await self._conversation.go_on()
        finally:
            for task in [watching, *self._tasks]:
                task.cancel()

    def receive(self, message: Message) -> None:
        """Takes one message from the page: a command of the view, the engine's word, or the answer to a call."""
        if take := self._takers.get(message["type"]):
            take(message)

    def _make_takers(self) -> dict[str, Callable[[Message], object]]:
        """Who takes which message: sidepanel/types.js has the commands."""
        approvals, sandboxes, spawn = self._services.approvals, self._services.sandboxes, self._spawn
        talk = self._conversation
        return {
            "from-engine": lambda message: self._engine.receive(message["message"]),
            "engine-gone": lambda message: self._engine.gone(message["reason"]),
            "returned": self._host.settle,
            "raised": self._host.settle,
            "from-sandbox": sandboxes.receive,
            "sandbox-gone": sandboxes.receive,
            "prompt": talk.prompt,
            "wish": talk.wish,
            "summarize": lambda message: talk.summarize(
                message.get("id") or _new_id(), message.get("style"), message.get("language")
            ),
            "stop": lambda _message: talk.stop(),
            "retry": lambda message: talk.again(message["id"], keep=False),
            "continue": lambda message: talk.again(message["id"], keep=True),
            "edit": lambda message: talk.edit(message["id"], message["text"]),
            "new-session": lambda message: talk.begin(bool(message.get("temporary"))),
            "session-taken": lambda message: talk.taken(message["id"]),
            "restarted": lambda message: self._timeline.go_on(message["entries"], message["reason"]),
            **dict.fromkeys(self._kept.takers, lambda message: spawn(self._kept.handle(message))),
            "choose-model": lambda message: self._choose_model(message["model"]),
            "built-in-progress": lambda message: self._models.built_in_progress(message["progress"]),
            "hide-models": lambda _message: self._models.close(),
            **dict.fromkeys(Models.COMMANDS, lambda message: spawn(self._models.handle(message))),
            "reload-engine": lambda _message: self._engine.load(),
            "show-citation": lambda message: spawn(talk.show_citation(message["id"], message["number"])),
            "approve": lambda message: approvals.approve(message["id"], message["scope"]),
            "deny": lambda message: approvals.deny(message["id"]),
            "attach-started": self._desk.started,
            "attach-image": lambda message: spawn(self._desk.attach_image(message)),
            "explain-images": lambda _message: spawn(self._desk.explain_blindness()),
            "attach-document": lambda message: spawn(self._desk.attach(message)),
            "ask-documents": lambda message: self._desk.collect(_new_id(), message["collection"]),
            "detach": lambda message: self._desk.detach(message["id"]),
            "mention-tab": self._desk.mention_tab,
            "mention-document": self._desk.mention_document,
            "follow-tab": lambda message: self._desk.followed.follow(message["value"]),
            "tab-changed": lambda message: self._desk.followed.tab_changed(message["tab"]),
            "permissions-changed": self._permissions_changed,
            **dict.fromkeys(Settings.COMMANDS, lambda message: spawn(self._change_settings(message))),
        }

    def _permissions_changed(self, message: Message) -> None:
        self._desk.followed.permissions_changed(message["permissions"])
        self._spawn(self._models.permissions_changed())

    async def _change_settings(self, command: Message) -> None:
        await self._settings.handle(command)
        is_system = command.get("name") == "system_prompt" or command["type"] == "reset-settings"
        if is_system or command["type"] == "enable-module":
            self._conversation.adopt_settings(is_system)

    def _show_engine(self, _state: Message) -> None:
        state, model = self._engine.seen(), self._engine.chosen
        shown = {
            "state": state["state"],
            "why": state.get("why"),
            "engine": state.get("engine"),
            "model": model and {name: model[name] for name in ("id", "name", "context_window")},
            "host": host_of(model),
            "blind": f"{model['name']} cannot see images" if model and not can_see(model) else "",
            "models": [{"id": each["id"], "name": each["name"]} for each in state["models"] if is_here(each)],
            "asked": self._asked,
            "progress": state["progress"],
            "text": state["text"],
            "error": engine_problem(state["error"], state["state"], state.get("engine"), host_of(model)),
        }
        self._host.emit({"type": "engine", "engine": shown})
        self._models.engine_changed()
        self._memory.engine_changed()
        self._runner.engine_changed()
        if self._engine.model_id != self._model:
            self._model = self._engine.model_id
            self._desk.model_changed()

    def _show(self, event: Message) -> None:
        """Shows a change of the messages, and has it written."""
        self._host.emit(event)
        self._keeper.saw(event)

    def _tell_gone(self, model: str) -> None:
        what = "Chrome’s built-in model" if model == BUILT_IN else "The model that you had chosen"
        self._host.emit({"type": "notice", "level": "warning", "text": f"{what} is not there any more. Amplifier’s own answers."})

    def _choose_model(self, model: str) -> None:
        self._asked = model
        self._engine.load(model)
        self._spawn(self._host.call("settings.set", model=model))

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Runs `work` beside what runs; asyncio itself would forget it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _new_id() -> str:
    return str(uuid.uuid4())
