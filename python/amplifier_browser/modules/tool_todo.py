"""Tool `todo`: the assistant's own list of steps, so that it does not lose its way in a long task.

As upstream's tool-todo: the list lies on the coordinator as `todo_state`, for as long as the session lasts, and create and
update both replace it as a whole. The module hooks-todo-reminder tells the model of it.
"""

from __future__ import annotations

from typing import Any, ClassVar

from amplifier_core import ToolResult

from ..tooling import Arguments, Permission, Traits, failed

__amplifier_module_type__ = "tool"

Todo = dict[str, str]
MARKS = {"completed": "✓", "in_progress": "→", "pending": "☐"}
MOST_TODOS = 20  # every request to the model carries the list
LONGEST_TODO = 200  # characters


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> None:
    """Mounts the tool with an empty list."""
    coordinator.todo_state = []
    tool = TodoTool(coordinator)
    await coordinator.mount("tools", tool, name=tool.name)


def todos_of(coordinator: Any) -> list[Todo]:
    """The session's list; empty if there is none."""
    return list(getattr(coordinator, "todo_state", None) or [])


def in_words(todo: Todo) -> str:
    """One line: its mark, and what is done or to be done."""
    doing = todo.get("activeForm") if todo["status"] == "in_progress" else None
    return f"{MARKS[todo['status']]} {doing or todo['content']}"


def _permission(_arguments: Arguments) -> Permission:
    return Permission(sees="Only the assistant's own list of steps, until this session ends.", free=True)


class TodoTool:
    """Amplifier's Tool."""

    name = "todo"
    description = "Keeps your list of steps for a long task."
    input_schema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "action": {"type": "string", "enum": ["create", "update", "list"], "description": "create, update: replace the list"},
            "todos": {
                "type": "array",
                "description": "The whole list",
                "items": {
                    "type": "object",
                    "properties": {
                        "content": {"type": "string", "description": "What to do"},
                        "status": {"type": "string", "enum": ["pending", "in_progress", "completed"]},
                        "activeForm": {"type": "string", "description": "What is being done"},
                    },
                    "required": ["content", "status"],
                },
            },
        },
        "required": ["action"],
    }
    traits = Traits(
        title="Keep a to-do list",
        asked_by=(r"\bto-?do list\b",),
        instruction="Write the steps of this as a to-do list.",
        answer_prefix="Your list has",
        is_trusted=True,
        permission=_permission,
    )

    def __init__(self, coordinator: Any) -> None:
        self._coordinator = coordinator

    async def execute(self, input: dict[str, Any]) -> ToolResult:
        """Replaces or returns the list. The output is upstream's {status, count, todos}, with what is shown of it."""
        action = input.get("action")
        if action == "list":
            return _result("listed", todos_of(self._coordinator))
        if action not in ("create", "update"):
            return failed(f"Unknown action: {action}. Valid actions: create, update, list")
        todos = input.get("todos") or []
        if wrong := _what_is_wrong(todos):
            return failed(wrong)
        self._coordinator.todo_state = [_stored(todo) for todo in todos]
        return _result("created" if action == "create" else "updated", self._coordinator.todo_state)


def _what_is_wrong(todos: Any) -> str | None:
    if not isinstance(todos, list):
        return "todos must be a list"
    if len(todos) > MOST_TODOS:
        return f"There are {len(todos)} todos; a list may have {MOST_TODOS}. Put steps together."
    for number, todo in enumerate(todos, 1):
        if not isinstance(todo, dict) or "content" not in todo or "status" not in todo:
            return f"Todo {number} lacks a field: each needs content and status"
        if todo["status"] not in MARKS:
            return f"Todo {number} has the invalid status {todo['status']}. Valid: pending, in_progress, completed"
        if not str(todo["content"]).strip():
            return f"Todo {number} is empty"
    return None


def _stored(todo: dict[str, Any]) -> Todo:
    content = _one_line(todo["content"])
    return {"content": content, "status": todo["status"], "activeForm": _one_line(todo.get("activeForm") or content)}


def _one_line(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_TODO else f"{line[: LONGEST_TODO - 1]}…"


def _result(status: str, todos: list[Todo]) -> ToolResult:
    lines = "\n".join(map(in_words, todos)) or "The list is empty."
    shown = [{"type": "text", "text": lines}]
    text = lines if status == "listed" else _counted(todos)
    return ToolResult(output={"status": status, "count": len(todos), "todos": todos, "text": text, "display": shown})


def _counted(todos: list[Todo]) -> str:
    """How far the list is; the reminder tells the rest."""
    done = sum(todo["status"] == "completed" for todo in todos)
    steps = "1 step" if len(todos) == 1 else f"{len(todos)} steps"
    return f"{steps}, {done} done" if todos else "The list is empty."
