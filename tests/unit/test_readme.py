"""What the README shows works as shown."""

from __future__ import annotations

import re
import sys
import textwrap
import types
from pathlib import Path

import pytest
from amplifier_browser import loader, sessions
from panel_harness import Panel

README = (Path(__file__).parents[2] / "README.md").read_text()


async def test_the_hook_of_the_readme_reaches_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.search(r"(?ms)^ +# python/amplifier_browser/modules/hooks_date\.py\n.*?(?=^\S)", README)
    assert code
    assert len(code[0].strip().splitlines()) < 20
    module = types.ModuleType("readme_hooks_date")
    exec(textwrap.dedent(code[0]), module.__dict__)
    monkeypatch.setitem(sys.modules, "readme_hooks_date", module)
    monkeypatch.setitem(loader.BUNDLED, "hooks-date", "readme_hooks_date")
    plan = sessions.mount_plan()
    monkeypatch.setattr(sessions, "mount_plan", lambda: {**plan, "hooks": [*plan["hooks"], {"module": "hooks-date"}]})
    panel = Panel()
    panel.connect()
    panel.send(type="prompt", id="q1", text="Hello?")
    await panel.settled()
    system, question = panel.requests[0]["messages"]
    assert "Today is" in system["content"]
    assert question == {"role": "user", "content": "Hello?"}
    await panel.close()


def test_the_commands_of_the_readme_exist() -> None:
    build = (Path(__file__).parents[2] / "build.py").read_text()
    for command in re.findall(r"python3 build\.py ([a-z][a-z-]+)", README):
        assert f'"{command}"' in build, command
