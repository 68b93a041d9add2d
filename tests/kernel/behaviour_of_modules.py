"""Amplifier's behavioural base classes on our modules. Run by test_modules.py once a kernel, with that kernel's path."""

from __future__ import annotations

import importlib
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from amplifier_browser.loader import BUNDLED
from amplifier_browser.modules import context_window, loop_streaming, provider_webllm
from amplifier_core import ChatResponse, ProviderInfo, TextBlock
from amplifier_core.testing import EventRecorder, MockContextManager, MockCoordinator, MockTool
from amplifier_core.validation.behavioral import (
    ContextBehaviorTests,
    HookBehaviorTests,
    OrchestratorBehaviorTests,
    ProviderBehaviorTests,
    ToolBehaviorTests,
)


def modules_of(kind: str) -> list[str]:
    return [name for name, path in BUNDLED.items() if module_at(path).__amplifier_module_type__ == kind]


def module_at(path: str) -> ModuleType:
    return importlib.import_module(path)


@pytest_asyncio.fixture
async def coordinator() -> Any:
    return MockCoordinator()


@pytest_asyncio.fixture
async def provider_module(coordinator: Any) -> Any:
    await provider_webllm.mount(coordinator, {})
    return coordinator.mount_points["providers"]["webllm"]


@pytest_asyncio.fixture
async def orchestrator_module(coordinator: Any) -> Any:
    await loop_streaming.mount(coordinator, {})
    return coordinator.mount_points["orchestrator"]


@pytest_asyncio.fixture
async def context_module(coordinator: Any) -> Any:
    await context_window.mount(coordinator, {})
    return coordinator.mount_points["context"]


TOOL_NAMES = {  # a module may mount several; the test below holds this list to what they mount
    "tool-pages": ("read_page", "list_tabs", "find_in_page"),
    "tool-documents": ("search_documents",),
    "tool-python": ("python",),
    "tool-calculate": ("calculate",),
    "tool-time": ("current_time",),
    "tool-notes": ("remember", "recall"),
    "tool-todo": ("todo",),
    "tool-delegate": ("delegate",),
}
TOOLS = [(module, name) for module, names in TOOL_NAMES.items() for name in names]


@pytest_asyncio.fixture(params=TOOLS, ids=lambda param: param[1])
async def tool_module(request: pytest.FixtureRequest, coordinator: Any) -> Any:
    module, name = request.param
    await module_at(BUNDLED[module]).mount(coordinator, {})
    return coordinator.mount_points["tools"][name]


@pytest_asyncio.fixture(params=modules_of("hook"))
async def hook_cleanup(request: pytest.FixtureRequest, coordinator: Any) -> Any:
    return await module_at(BUNDLED[request.param]).mount(coordinator, {})


@pytest_asyncio.fixture
async def mock_deps() -> Any:
    async def complete(_request: Any, **_kwargs: Any) -> ChatResponse:
        return ChatResponse(content=[TextBlock(text="Fine.")])

    provider = SimpleNamespace(
        name="mock",
        get_info=lambda: ProviderInfo(id="mock", display_name="Mock"),
        complete=complete,
        parse_tool_calls=lambda response: response.tool_calls or [],
    )
    return MockContextManager(), {"default": provider}, {"echo": MockTool("echo", "Echo")}, EventRecorder()


class TestProvider(ProviderBehaviorTests):
    pass


class TestOrchestrator(OrchestratorBehaviorTests):
    pass


class TestContext(ContextBehaviorTests):
    pass


class TestTool(ToolBehaviorTests):
    pass


class TestHook(HookBehaviorTests):
    pass


@pytest.mark.asyncio
@pytest.mark.parametrize("module", modules_of("tool"))
async def test_every_tool_is_under_test(module: str, coordinator: Any) -> None:
    await module_at(BUNDLED[module]).mount(coordinator, {})
    assert tuple(coordinator.mount_points["tools"]) == TOOL_NAMES[module]
