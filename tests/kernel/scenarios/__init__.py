"""Amplifier's kernel contract as scenarios: what one sees of a kernel from outside, in 18 points.

Every function called pNN_something is a scenario of point NN of the contract. It takes nothing and returns
observations: plain values, the same in every run and under every kernel that keeps the contract. Run under any kernel:

    python -m scenarios      # prints {"engine": its file's name, "scenarios": {scenario: observations}} as JSON
"""

from __future__ import annotations

import inspect
import json
import logging
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from amplifier_core import _engine

from . import coordinator, hook_actions, hooks, loading, models, session, validation
from .observing import tidy

_MODULES = (hooks, hook_actions, coordinator, session, models, loading, validation)
_NAME = re.compile(r"p(\d\d)_\w+")


def scenarios() -> dict[str, Callable[[], Any]]:
    """All scenarios by name, in the order of the points."""
    found = {name: value for module in _MODULES for name, value in vars(module).items() if _NAME.fullmatch(name)}
    return dict(sorted(found.items()))


async def observe() -> dict[str, Any]:
    """Run every scenario; one that raises is an observation too, so that the others are still seen."""
    logging.disable(logging.NOTSET)
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    observations: dict[str, Any] = {}
    for name, scenario in scenarios().items():
        try:
            result = scenario()
            observations[name] = tidy(await result if inspect.isawaitable(result) else result)
        except Exception as error:
            observations[name] = tidy(f"scenario failed: {type(error).__name__}: {error}")
    return observations


async def document() -> str:
    """observe() as JSON, with the engine that was observed."""
    engine = Path(_engine.__file__).name
    return json.dumps({"engine": engine, "scenarios": await observe()}, sort_keys=True)
