"""Point 17: loading modules by entry point and folder, failures, several instances of one provider."""

from __future__ import annotations

import contextlib
import importlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from amplifier_core import AmplifierSession, ModuleLoader, _engine

from .observing import coordinator, done, outcome, untimed

_SOURCE = """
__amplifier_module_type__ = "{kind}"


class Module:
    def __init__(self, name, config):
        self.name, self.config = name, config
        self.description, self.input_schema = "scenario", {{}}

    async def execute(self, *args, **kwargs):
        return "executed"


async def mount(coordinator, config=None):
    config = config or {{}}
    if config.get("fail"):
        raise ValueError("mount failed")
    {mount}

    async def cleanup():
        config.setdefault("log", []).append("cleaned {name}")

    return cleanup


async def on_session_ready(coordinator):
    if {ready_fails}:
        raise ValueError("not ready")
"""


def _source(kind: str, name: str, ready_fails: bool = False) -> str:
    points = {"orchestrator": "orchestrator", "context": "context", "tool": "tools", "provider": "providers"}
    target = f'await coordinator.mount("{points[kind]}", Module("{name}", config), name="{name}")'
    record = 'coordinator.hooks.register("module:load_failed", config["record"]) if "record" in config else None'
    ready = 'coordinator.hooks.register("module:on_session_ready_failed", config["record"]) if "record" in config else None'
    return _SOURCE.format(kind=kind, name=name, mount=f"{target}\n    {record}\n    {ready}", ready_fails=ready_fails)


_MODULES = {
    "loop-scn": ("orchestrator", False), "context-scn": ("context", False), "provider-scn": ("provider", False),
    "tool-scn": ("tool", True),
}  # fmt: skip


@contextlib.contextmanager
def _installed() -> Iterator[None]:
    """A distribution with entry points for _MODULES on sys.path."""
    with tempfile.TemporaryDirectory(prefix="kernel-scenario-") as folder:
        info = Path(folder, "scn-1.0.dist-info")
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: scn\nVersion: 1.0\n")
        lines = ["[amplifier.modules]"]
        for module_id, (kind, ready_fails) in _MODULES.items():
            package = f"amplifier_module_{module_id.replace('-', '_')}"
            Path(folder, f"{package}.py").write_text(_source(kind, module_id.removeprefix("provider-"), ready_fails))
            lines.append(f"{module_id} = {package}:mount")
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield
        finally:
            sys.path.remove(folder)
            for module_id in _MODULES:
                sys.modules.pop(f"amplifier_module_{module_id.replace('-', '_')}", None)


def _plan(record: Any, **more: Any) -> dict[str, Any]:
    return {"session": {"orchestrator": {"module": "loop-scn", "config": {"record": record}}, "context": "context-scn"}, **more}


async def _loaded(plan: Any, events: list[Any]) -> Any:
    with _installed():
        session = AmplifierSession(plan, session_id="sid")
        result = await done(session.initialize)
        points = session.coordinator.mount_points
        providers = {name: untimed(module.config) for name, module in points["providers"].items()}
        mounted = [
            getattr(points["orchestrator"], "name", None),
            getattr(points["context"], "name", None),
            providers,
            list(points["tools"]),
        ]
        loader = type(session.coordinator.loader).__name__
        answer = await outcome(lambda: session.execute("p"))
        await session.cleanup()
        return result, mounted, loader, answer, list(events)


async def p17_entry_points() -> Any:
    events: list[Any] = []

    async def record(event: str, data: Any) -> None:
        events.append((event, untimed(data)))

    log: list[str] = []
    more = {
        "providers": [{"module": "provider-scn", "config": {"log": log}}],
        "tools": [{"module": "tool-scn"}, {"name": "no module"}],
    }
    return await _loaded(_plan(record, **more), events), log


async def p17_failures_are_events() -> Any:
    events: list[Any] = []

    async def record(event: str, data: Any) -> None:
        events.append((event, untimed(data)))

    more = {
        "providers": [{"module": "provider-missing"}, {"module": "provider-scn", "config": {"fail": True}, "instance_id": "one"}],
        "tools": [{"module": "tool-missing"}],
        "hooks": [{"module": "hook-missing"}],
    }
    return await _loaded(_plan(record, **more), events)


async def p17_required_modules_missing() -> Any:
    plans = (
        {"session": {"orchestrator": "loop-none", "context": "context-scn"}},
        {"session": {"orchestrator": "loop-scn", "context": "context-none"}},
    )
    return [await _loaded(plan, []) for plan in plans]


async def p17_several_instances_of_a_provider() -> Any:
    async def record(event: str, data: Any) -> None: ...

    def provider(number: int, **fields: Any) -> dict[str, Any]:
        return {"module": "provider-scn", "config": {"number": number}, **fields}

    lists = (
        [provider(1), provider(2, instance_id="two")],
        [provider(1, instance_id="one"), provider(2, instance_id="two")],
        [provider(1, instance_id="one"), provider(2)],
        [provider(1), provider(2)],
    )
    return [await _loaded(_plan(record, providers=providers), []) for providers in lists]


async def p17_a_source_resolver_and_the_validators() -> Any:
    with tempfile.TemporaryDirectory(prefix="kernel-scenario-") as folder:
        for name, source in (("good", _source("tool", "good")), ("bad", "mount = 5\n"), ("empty", None)):
            package = Path(folder, name, f"amplifier_module_scn_{name}")
            package.mkdir(parents=True)
            if source:
                (package / "__init__.py").write_text(source)
        made = coordinator()
        resolver = SimpleNamespace(
            resolve=lambda module_id, **hints: SimpleNamespace(resolve=lambda: Path(folder, module_id[4:]))
        )
        await made.mount("module-source-resolver", resolver)
        loader = ModuleLoader(coordinator=made)
        seen = []
        for name in ("good", "bad", "empty", "none"):

            async def load(name: str = name) -> str:
                await (await loader.load(f"scn_{name}", {"c": 1}, coordinator=made))(made)
                return "mounted"

            seen.append(await outcome(load))
        loader.cleanup()
        return seen, list(made.get("tools")), [entry for entry in sys.path if "kernel-scenario" in entry]


async def p17_resolving_folders() -> Any:
    manifests = (
        '[module]\ntype = "hook"\ntransport = "python"\n', '[module]\ntype = "tool"\n', '[module]\ntransport = "python"\n', "",
        '[module]\ntype = "bogus"\n', '[module]\ntype = "provider"\ntransport = "grpc"\n[grpc]\nendpoint = "localhost:1"\n',
        '[module]\ntype = "tool"\ntransport = "grpc"\n', '[module]\ntype = "tool"\ntransport = "rust"\n',
        '[module]\ntype = "tool"\ntransport = "rust"\ncrate = "c"\n', '[module]\ntype = "tool"\ntransport = "wasm"\n',
    )  # fmt: skip
    seen = []
    with tempfile.TemporaryDirectory(prefix="kernel-scenario-") as folder:
        for number, manifest in enumerate(manifests):
            path = Path(folder, f"my-module-{number}")
            path.mkdir()
            (path / "amplifier.toml").write_text(manifest)
            seen.append(await outcome(lambda path=path: _engine.resolve_module(str(path))))
        package = Path(folder, "outer", "a-package")
        package.mkdir(parents=True)
        for path in (package.parent, package):
            seen.append(await outcome(lambda path=path: _engine.resolve_module(str(path))))
        (package / "__init__.py").touch()
        for path in (package.parent, package, package / "__init__.py", Path(folder, "missing")):
            seen.append(await outcome(lambda path=path: _engine.resolve_module(str(path))))
    return seen, await outcome(lambda: _engine.resolve_module(Path("."))), await outcome(lambda: _engine.resolve_module(""))
