"""The user's own modules: kept as sources, checked and run in sandboxes, each with what it was granted and nothing else."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import re
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from .module_capabilities import ModuleCapabilities
from .module_proxies import ModuleFault, MountedModule, Surroundings
from .sandbox import SandboxError, Sandboxes, SandboxTimeout
from .storage import Storage

NAME = "modules"
CHECK_SECONDS = 10.0
LOG_LINES = 200
LOG_SECONDS = 0.25  # between two looks of the panel at a log that grows
LONGEST_NAME = 60
LONGEST_SOURCE = 100_000
MOST_MODULES = 20
MOST_PROBLEMS = 50
HANGS = "It did not finish within {:g} s when it was loaded and mounted. Look for a loop that never ends."

Problem = dict[str, Any]  # {line: int | None, message}
Changed = Callable[[], object]


@dataclass(frozen=True)
class Report:
    """What the check of a source found."""

    kind: str = ""  # tool or hook
    wants: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    valid: bool = False
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class UserModule:
    """A module as it is kept. Without a report its source was not checked yet."""

    id: str
    name: str
    source: str
    enabled: bool = False
    granted: tuple[str, ...] = ()
    report: Report | None = None

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> UserModule:
        """As it was stored."""
        report = stored.get("report")
        granted = tuple(stored["granted"])
        return cls(
            stored["id"], stored["name"], stored["source"], stored["enabled"], granted, _report(report) if report else None
        )

    def to_json(self) -> dict[str, Any]:
        """What is stored."""
        report = vars(self.report) if self.report else None
        return {**vars(self), "report": report}

    @property
    def version(self) -> str:
        """Tells sources apart."""
        return hashlib.sha256(self.source.encode()).hexdigest()[:8]

    @property
    def capabilities(self) -> list[str]:
        """What it may ask for: granted, and still wanted."""
        return [name for name in self.granted if self.report and name in self.report.wants]


@dataclass
class Session:
    """A session and the modules that are mounted in it."""

    coordinator: Any
    mounted: dict[str, MountedModule] = field(default_factory=lambda: dict[str, MountedModule]())


class UserModules:
    """All of the user's modules."""

    def __init__(
        self,
        storage: Storage,
        sandboxes: Sandboxes,
        notify: Callable[[str, str], object],
        capabilities: ModuleCapabilities,
        builtin_tools: Callable[[], Iterable[str]] = tuple,
        on_change: Changed = lambda: None,
    ) -> None:
        """`notify` takes a level and a text for the user; `on_change` is called when what list() returns has changed;
        `builtin_tools` are the names that no module may take."""
        self._storage = storage
        self._sandboxes = sandboxes
        self._notify = notify
        self._capabilities = capabilities
        self._builtin_tools = builtin_tools
        self._on_change = on_change
        self._logs: dict[str, deque[dict[str, str]]] = {}
        self._log_timer: asyncio.TimerHandle | None = None
        self._checking: dict[str, int] = {}
        self._failures: dict[str, Problem] = {}  # why a module could not be mounted the last time
        self._sessions: list[Session] = []
        self._numbers = itertools.count(1)
        self._mounting = asyncio.Lock()

    # -- what the panel shows

    async def list(self) -> list[dict[str, Any]]:
        """The modules as `modules` of the panel's settings: UserModule in sidepanel/types.js."""
        return [self._shown(module) for module in await self._all()]

    def _shown(self, module: UserModule) -> dict[str, Any]:
        report = module.report or Report()
        failure = self._failures.get(module.id)
        return {
            "id": module.id,
            "name": module.name,
            "source": module.source,
            "kind": report.kind,
            "enabled": module.enabled,
            "state": self._state(module),
            "problems": [*([failure] if failure else []), *report.problems],
            "wants": list(report.wants),
            "granted": module.capabilities,
            "log": list(self._logs.get(module.id, ())),
        }

    def _state(self, module: UserModule) -> str:
        if module.id in self._checking:
            return "checking"
        if module.report is None:
            return "unchecked"
        if not module.report.valid:
            return "invalid"
        return "failed" if module.id in self._failures else "valid"

    def tools(self) -> dict[str, str]:
        """The name of each tool that is mounted in some session, with the name of the module that it is of."""
        return {
            tool: mounted.name
            for session in self._sessions
            for mounted in session.mounted.values()
            for tool in mounted.tool_names
        }

    # -- what the user does

    async def save(self, module_id: str | None, name: str, source: str) -> str | None:
        """Keeps a source, a new one's if there is no id, and checks it; returns its id, None if it cannot be kept."""
        if len(source) > LONGEST_SOURCE:
            self._notify("error", f"A module can have {LONGEST_SOURCE:,} characters, this one has {len(source):,}.")
            return None
        modules = await self._all()
        known = next((module for module in modules if module.id == module_id), None)
        if known is None and len(modules) >= MOST_MODULES:
            self._notify("error", f"There are {MOST_MODULES} modules already. Remove one first.")
            return None
        label = _label(name, {module.name for module in modules if module.id != module_id})
        if known is None:
            saved = UserModule(uuid.uuid4().hex[:12], label, source)
            await self._storage.update(NAME, lambda stored: [*stored, saved.to_json()], [])
        else:
            saved = known
            await self._update(known.id, lambda module: replace(module, name=label, source=source, report=None))
        await self.check(saved.id)
        return saved.id

    async def check(self, module_id: str) -> None:
        """Lets Amplifier's validators judge the source, in a sandbox that is made for it alone."""
        module = await self._get(module_id)
        if module is None:
            return
        self._failures.pop(module_id, None)
        with self._shown_as_checking(module_id):
            report = self._with_conflicts(await self._check_in_sandbox(module), await self._all(), module)
            await self._update(module_id, lambda now: _with_report(now, report) if now.source == module.source else now)

    @contextlib.contextmanager
    def _shown_as_checking(self, module_id: str) -> Generator[None]:
        self._checking[module_id] = self._checking.get(module_id, 0) + 1  # it may be saved again meanwhile
        self._on_change()
        try:
            yield
        finally:
            self._checking[module_id] -= 1
            if not self._checking[module_id]:
                del self._checking[module_id]
            self._on_change()

    async def enable(self, module_id: str, enabled: bool) -> None:
        """Switches a module on for new sessions, if it is valid; switched off, it leaves the running ones too."""
        module = await self._get(module_id)
        if module is None:
            return
        if enabled and module.report is None:
            await self.check(module_id)
            module = await self._get(module_id)
        if enabled and not (module and module.report and module.report.valid):
            self._notify("error", f"Your module “{module.name if module else ''}” has problems. Mend them first.")
        else:
            await self._update(module_id, lambda now: replace(now, enabled=enabled))
        if not enabled:
            await self._leave_sessions(module_id)
        self._on_change()

    async def grant(self, module_id: str, capability: str, granted: bool) -> None:
        """Lets a module ask for something that it wants, or no longer. A running one is mounted anew to see it."""

        def change(module: UserModule) -> UserModule:
            others = tuple(name for name in module.granted if name != capability)
            is_wanted = module.report is not None and capability in module.report.wants and capability in self._capabilities
            return replace(module, granted=(*others, capability) if granted and is_wanted else others)

        await self._update(module_id, change)
        if granted:
            await self._renew(module_id, only_where_mounted=True)
        self._on_change()

    async def reload(self, module_id: str) -> None:
        """Checks the source again and, if the module is switched on, mounts it anew in the running sessions as well."""
        with self._shown_as_checking(module_id):
            await self.check(module_id)
            await self._renew(module_id)

    async def remove(self, module_id: str) -> None:
        """Takes a module out of the running sessions and forgets it."""
        await self._storage.update(NAME, lambda stored: [each for each in stored if each["id"] != module_id], [])
        await self._leave_sessions(module_id)
        self._logs.pop(module_id, None)
        self._failures.pop(module_id, None)
        self._on_change()

    # -- sessions

    async def mount_into(self, coordinator: Any) -> Callable[[], Awaitable[None]]:
        """Mounts what is switched on into a new session and returns what takes it out again. What fails is left out, and the
        user told."""
        session = Session(coordinator)
        self._sessions.append(session)

        async def cleanup() -> None:
            if session in self._sessions:
                self._sessions.remove(session)
            mounted, session.mounted = list(session.mounted.values()), {}
            await asyncio.gather(*(module.stop() for module in mounted))

        try:
            for module in await self._enabled():
                if module.report is None:
                    await self.check(module.id)
            async with self._mounting:
                await self._mount(session, await self._enabled())
        except Exception as error:  # a session without the user's modules is better than none
            self._notify("error", f"Your modules could not be mounted: {error}")
        self._on_change()
        return cleanup

    async def _mount(self, session: Session, modules: Iterable[UserModule]) -> None:
        """Sandboxes start at the same time; tools are mounted in the modules' order, so that the first keeps its name."""
        wanted = list(modules)
        loaded = await asyncio.gather(*(self._load(module) for module in wanted))
        for module, outcome in zip(wanted, loaded, strict=True):
            if isinstance(outcome, MountedModule):
                outcome = await self._attach(session, module.id, outcome)
            if outcome:
                self._left_out(module, outcome)

    async def _attach(self, session: Session, module_id: str, mounted: MountedModule) -> ModuleFault | None:
        if session not in self._sessions:  # it was closed meanwhile
            await mounted.stop()
            return None
        try:
            await mounted.attach(session.coordinator)
        except ModuleFault as fault:
            await mounted.stop()
            return fault
        session.mounted[module_id] = mounted
        self._failures.pop(module_id, None)
        return None

    async def _load(self, module: UserModule) -> MountedModule | ModuleFault:
        if module.report and not module.report.valid:
            return ModuleFault("It has problems: see the settings")
        sandbox = self._sandboxes.get(f"module-{module.id}-{next(self._numbers)}", kernel=True)
        around = Surroundings(
            self._capabilities,
            granted=lambda: self._granted(module.id),
            log=lambda level, text: self._log(module.id, level, text),
            notify=self._notify,
        )
        mounted = MountedModule(module.name, module.version, module.source, sandbox, around)
        try:
            await mounted.load()
        except Exception as error:  # whatever keeps one module from running, the session goes on
            await mounted.stop()
            return error if isinstance(error, ModuleFault) else ModuleFault(str(error))
        return mounted

    def _left_out(self, module: UserModule, fault: ModuleFault) -> None:
        self._failures[module.id] = {"line": fault.line, "message": f"It could not be mounted: {fault}"}
        self._log(module.id, "error", f"It could not be mounted: {fault.text}")
        self._notify("error", f"Your module “{module.name}” was left out of this session: {fault.text}")

    async def _renew(self, module_id: str, only_where_mounted: bool = False) -> None:
        module = await self._get(module_id)
        if module is None or not module.enabled:
            return
        async with self._mounting:
            for session in list(self._sessions):
                mounted = session.mounted.pop(module_id, None)
                if mounted:
                    await mounted.stop()
                if mounted or not only_where_mounted:
                    await self._mount(session, [module])

    async def _leave_sessions(self, module_id: str) -> None:
        async with self._mounting:
            for session in self._sessions:
                if mounted := session.mounted.pop(module_id, None):
                    await mounted.stop()

    async def _granted(self, module_id: str) -> list[str]:
        """Read anew each time: it may have been taken back a moment ago, in another window too."""
        module = await self._get(module_id)
        return module.capabilities if module else []

    # -- checking

    async def _check_in_sandbox(self, module: UserModule) -> Report:
        sandbox = self._sandboxes.get(f"module-check-{next(self._numbers)}", kernel=True)
        sandbox.on_log = lambda level, text: self._log(module.id, level, text)
        known = [each["name"] for each in self._capabilities.listed()]
        try:
            said = await sandbox.call("module.check", CHECK_SECONDS, source=module.source, known=known)
        except SandboxTimeout:
            return _unchecked(HANGS.format(CHECK_SECONDS))
        except SandboxError as error:
            return _unchecked(f"It could not be checked: {error}")
        finally:
            await sandbox.end()
        try:
            return _report(said)
        except (KeyError, TypeError, ValueError, AttributeError):
            return _unchecked("It could not be checked: the sandbox answered something else than a report")

    def _with_conflicts(self, report: Report, modules: Iterable[UserModule], module: UserModule) -> Report:
        """Names of tools that are taken already."""
        taken = dict.fromkeys(self._builtin_tools(), "of Amplifier Browser’s")
        for other in modules:
            if other.id != module.id and other.report:
                taken |= dict.fromkeys(other.report.tools, f"of your module “{other.name}”")
        conflicts = [
            {"line": _line_of(module.source, tool), "message": f"{tool} is a tool {taken[tool]} already: choose another name"}
            for tool in report.tools
            if tool in taken
        ]
        return replace(report, valid=report.valid and not conflicts, problems=(*report.problems, *conflicts))

    # -- what is kept

    async def _all(self) -> list[UserModule]:
        return [UserModule.from_json(stored) for stored in await self._storage.get(NAME, []) or []]

    async def _enabled(self) -> list[UserModule]:
        return [module for module in await self._all() if module.enabled]

    async def _get(self, module_id: str) -> UserModule | None:
        return next((module for module in await self._all() if module.id == module_id), None)

    async def _update(self, module_id: str, change: Callable[[UserModule], UserModule]) -> None:
        def changed(stored: Any) -> list[dict[str, Any]]:
            modules = [UserModule.from_json(each) for each in stored]
            return [(change(module) if module.id == module_id else module).to_json() for module in modules]

        await self._storage.update(NAME, changed, [])

    def _log(self, module_id: str, level: str, text: str) -> None:
        time = datetime.now(UTC).isoformat(timespec="seconds")
        self._logs.setdefault(module_id, deque(maxlen=LOG_LINES)).append({"time": time, "level": level, "text": text})
        if self._log_timer is None:
            self._log_timer = asyncio.get_running_loop().call_later(LOG_SECONDS, self._log_grew)

    def _log_grew(self) -> None:
        self._log_timer = None
        self._on_change()


def _report(said: dict[str, Any]) -> Report:
    """A report as a sandbox or the storage has it; raises KeyError, TypeError, ValueError or AttributeError."""
    problems: list[Problem] = []
    for problem in list(said["problems"])[:MOST_PROBLEMS]:
        line = problem["line"]
        problems.append({"line": line if isinstance(line, int) else None, "message": str(problem["message"])[:1000]})
    kind = said["kind"] if said["kind"] in ("tool", "hook") else ""
    tools = tuple(_tool_name(tool) for tool in said["tools"])
    return Report(kind, tuple(str(name) for name in said["wants"]), tools, said["valid"] is True, tuple(problems))


def _unchecked(why: str) -> Report:
    return Report(problems=({"line": None, "message": why},))


def _tool_name(tool: Any) -> str:
    return str(cast("dict[str, Any]", tool)["name"] if isinstance(tool, dict) else tool)


def _with_report(module: UserModule, report: Report) -> UserModule:
    """What a source no longer wants is no longer granted. One that is not valid runs nowhere: that may be a slip."""
    granted = tuple(name for name in module.granted if name in report.wants) if report.valid else module.granted
    return replace(module, report=report, granted=granted)


def _label(name: str, taken: set[str]) -> str:
    """A name for people: one line, nothing that looks like something else, not that of another module."""
    label = " ".join(re.sub(r"[^\w .,()+'-]", " ", name).split())[:LONGEST_NAME].strip() or "My module"
    numbered = (f"{label} {number}" for number in itertools.count(2))
    return label if label not in taken else next(each for each in numbered if each not in taken)


def _line_of(source: str, tool: str) -> int | None:
    """Where a source names a tool."""
    quoted = re.compile(rf"""["']{re.escape(tool)}["']""")
    return next((number for number, line in enumerate(source.splitlines(), 1) if quoted.search(line)), None)
