"""Fixtures of the unit tests."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

sys.path.insert(0, str(Path(__file__).parent))

from panel_harness import Panel


@pytest_asyncio.fixture
async def panel() -> AsyncIterator[Panel]:
    """A connected panel whose engine answers "All is well."."""
    made = Panel()
    made.connect()
    yield made
    await made.close()
