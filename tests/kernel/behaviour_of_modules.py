"""Amplifier's behavioural base classes on our modules. Run by test_modules.py once a kernel, with that kernel's path."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest_asyncio
from amplifier_browser.modules import context_window, hooks_panel, loop_streaming, provider_webllm
from amplifier_core import ChatResponse, ProviderInfo, TextBlock
from amplifier_core.testing import EventRecorder, MockContextManager, MockCoordinator, MockTool
from amplifier_core.validation.behavioral import (
    ContextBehaviorTests,
    HookBehaviorTests,
    OrchestratorBehaviorTests,
    ProviderBehaviorTests,
)


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


@pytest_asyncio.fixture
async def hook_cleanup(coordinator: Any) -> Any:
    return await hooks_panel.mount(coordinator, {})


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


class TestHook(HookBehaviorTests):
    pass
