"""What the README shows works as shown."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from amplifier_browser.module_examples import examples

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_the_tool_of_the_readme_is_the_one_that_is_tested() -> None:
    """tests/unit/test_user_modules.py and tests/browser/test_user_modules.py use it."""
    shown = re.search(r"(?ms)^    \"\"\"A tool: .*?(?=^\S)", README)
    assert shown
    code = textwrap.dedent(shown[0]).strip()
    assert code == examples()[0]["source"].strip()
    assert len(code.splitlines()) < 20


def test_the_commands_of_the_readme_exist() -> None:
    build = (ROOT / "build.py").read_text()
    for command in re.findall(r"python3 build\.py ([a-z][a-z-]+)", README):
        assert f'"{command}"' in build, command


def test_the_numbers_of_the_readme_are_true() -> None:
    cases = [path for path in (ROOT / "tests" / "hostile").iterdir() if path.suffix in (".html", ".md", ".txt", ".csv")]
    assert f"`tests/hostile` holds {len(cases)} pages and documents" in README
