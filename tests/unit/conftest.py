"""Fixtures of the unit tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from panel_harness import Panel


@pytest_asyncio.fixture
async def panel() -> AsyncIterator[Panel]:
    """A connected panel whose engine answers "All is well."."""
    made = Panel()
    made.connect()
    yield made
    await made.close()
