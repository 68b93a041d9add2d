"""The table of faults: what a report of pytest becomes in it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from fault_table import Row, row, table


def report(*properties: tuple[str, Any], message: str = "") -> SimpleNamespace:
    crash = SimpleNamespace(reprcrash=SimpleNamespace(message=message)) if message else None
    return SimpleNamespace(user_properties=list(properties), longrepr=crash)


FAULT = ("fault", ("network gone", "it goes on"))


def test_a_fault_that_was_survived() -> None:
    assert row("passed", report(FAULT, ("seen", "it went on"))) == Row("network gone", "it goes on", "it went on", True)
    assert row("passed", report(FAULT)) == Row("network gone", "it goes on", "as expected", True)


def test_a_fault_that_was_not() -> None:
    failed = row("failed", report(FAULT, ("seen", "something"), message="assert 1 == 2\nmore"))
    assert failed == Row("network gone", "it goes on", "FAILED: assert 1 == 2", False)
    assert list(table([failed]))[-1] == "1 faults: NOT SURVIVED: network gone"


def test_other_tests_have_no_row() -> None:
    assert row("passed", report(("seen", "x"))) is None
    assert row("warnings", SimpleNamespace()) is None


def test_long_words_are_wrapped_in_their_column() -> None:
    lines = list(table([Row("a fault", "expected " * 20, "seen", True)]))
    assert max(map(len, lines)) <= 34 + 50 + 50 + 6
    assert sum("expected" in line for line in lines) > 2
    assert lines[-1] == "1 faults: all survived"
