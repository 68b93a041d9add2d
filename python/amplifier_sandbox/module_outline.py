"""What a module's source says without being run: where things stand in it, and which capabilities it wants."""

from __future__ import annotations

import ast
import warnings
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """What is wrong with a module, in words for its author. `line` counts from 1; None if no line is to blame."""

    message: str
    line: int | None = None
    is_error: bool = True  # else it is advice

    def as_json(self) -> dict[str, Any]:
        """The shape that the panel shows."""
        return {"line": self.line, "message": self.message}


class Unreadable(Exception):
    """The source is no Python; `problem` says where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Outline:
    """A module's source as a tree."""

    def __init__(self, source: str) -> None:
        """Raises Unreadable."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._tree = ast.parse(source)
                compile(source, "module", "exec", dont_inherit=True)  # finds what a tree alone does not show: a stray `return`
        except SyntaxError as error:
            raise Unreadable(Problem(f"Python cannot read this: {error.msg}", error.lineno)) from None
        except (ValueError, RecursionError, MemoryError) as error:
            raise Unreadable(Problem(f"Python cannot read this: {error}")) from None
        self.wants, self.problems = _capabilities(self._tree)

    def line_of(self, *path: str) -> int | None:
        """The line where a name is defined: ("mount",) at the top, ("WordCount", "execute") in a class; None if nowhere."""
        body = self._tree.body
        found: ast.stmt | None = None
        for name in path:
            found = next((statement for statement in reversed(body) if name in _defined_by(statement)), None)
            if found is None:
                return None
            body = found.body if isinstance(found, ast.ClassDef) else []
        return found.lineno if found else None

    def first_line_of(self, *paths: tuple[str, ...]) -> int | None:
        """The line of the first of these names that there is."""
        return next((line for path in paths if (line := self.line_of(*path)) is not None), None)


def _defined_by(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [statement.name]
    if isinstance(statement, ast.Assign):
        return [name.id for target in statement.targets for name in ast.walk(target) if isinstance(name, ast.Name)]
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id]
    return []


def _capabilities(tree: ast.Module) -> tuple[list[str], list[Problem]]:
    """The names in `CAPABILITIES = [...]`."""
    statement = next((each for each in reversed(tree.body) if "CAPABILITIES" in _defined_by(each)), None)
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return [], []
    try:
        value: Any = ast.literal_eval(statement.value)
    except ValueError:
        value = None
    if not isinstance(value, list | tuple) or not all(isinstance(name, str) for name in value):
        return [], [Problem('CAPABILITIES must be a plain list of names, as in ["page.read"]', statement.lineno)]
    return list(dict.fromkeys(str(name) for name in value)), []
