"""Hook: asks the user before a tool acts, by policy.

Free are calls that only look at what the user looks at, and calls that the user granted. Once a page's or a document's text
stands in the conversation, neither counts: it may be what leads to the call, so that each call asks, for itself alone.

Runs last of all handlers of tool:pre, so that what it shows are the arguments as other hooks left them. What it allowed it says
in its capability `approvals.verdict`, which the orchestrator must ask: the kernel loses changed arguments where a hook asks,
lets through what a failing handler did not check, and asks one question of several.

Capabilities it uses: `panel.approvals` (approvals.PanelApprovals), `browser.call`. It provides `approvals.verdict`,
`approvals.taint` (a function: text that anybody may have written comes into the session by another way than its messages),
`approvals.is_tainted` (async () -> bool) and `approvals.turn`; a child session is given its parent's two last ones.
Config: timeout (seconds, default 120), questions (a turn, default 5).
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from amplifier_core import HookResult

from ..approvals import ALLOW_ONCE, DENY, PanelApprovals, Question
from ..tooling import Arguments, Permission, Traits, ask_always, shown_arguments, traits_of

__amplifier_module_type__ = "hook"

NAME = "hooks-approval"
TIMEOUT = 120
QUESTIONS = 5
LAST = 2**31 - 1  # the highest number that the kernel takes: the lowest priority
TAINTED = (
    "Text from a page or document is in this conversation and may be what asks for this. Allow it only if you want it yourself."
)
OPTIONS = {"once": ALLOW_ONCE, "session": "Allow for this session", "always": "Allow always"}
REASONS = {
    "denied": "the user did not allow it",
    "unanswered": "the user did not answer",
    "stopped": "the user stopped this",
    "": "it was not approved",
}
ALREADY_DENIED = "the user did not allow it, and is not asked again"
TOO_MANY = "the user was asked too often in this turn"


@dataclass(frozen=True)
class Verdict:
    """Whether a call may run: with exactly these arguments, or not at all, and why."""

    arguments: Arguments | None = None
    reason: str = ""


@dataclass
class Turn:
    """What was asked since the user's last message, in the session and its children."""

    asked: dict[str, Question] = field(default_factory=lambda: dict[str, Question]())

    def clear(self) -> None:
        """The user said something new."""
        self.asked.clear()


@dataclass
class Checked:
    """A call as this hook saw it. Without a question it is free or granted."""

    tool: str
    origin: str
    arguments: Arguments
    reason: str = ""  # why it was refused without a question
    question: Question | None = None
    result: HookResult | None = None  # that asks the question


async def mount(coordinator: Any, config: dict[str, Any] | None = None) -> Callable[[], None]:
    """Registers the policy; returns what takes it away again."""
    return ApprovalPolicy(coordinator, config or {}).register()


class ApprovalPolicy:
    """Which calls may run in one session."""

    def __init__(self, coordinator: Any, config: dict[str, Any]) -> None:
        self._coordinator = coordinator
        self._timeout = float(config.get("timeout", TIMEOUT))
        self._most = int(config.get("questions", QUESTIONS))
        self._parent_is_tainted: Callable[[], Awaitable[bool]] | None = coordinator.get_capability("approvals.is_tainted")
        inherited = coordinator.get_capability("approvals.turn")
        self._turn: Turn = inherited if isinstance(inherited, Turn) else Turn()
        self._is_child = isinstance(inherited, Turn) or isinstance(coordinator.parent_id, str)
        self._checked: dict[str, Checked] = {}
        self._was_tainted = False

    def register(self) -> Callable[[], None]:
        """Registers handlers and capabilities; returns what takes the handlers away again."""
        hooks = self._coordinator.hooks
        undo = [
            hooks.register("tool:pre", self.before_tool, priority=LAST, name=f"{NAME}:tool:pre"),
            hooks.register("execution:start", self.start, priority=0, name=f"{NAME}:execution:start"),
        ]
        self._coordinator.register_capability("approvals.verdict", self.verdict)
        self._coordinator.register_capability("approvals.taint", self.taint)
        self._coordinator.register_capability("approvals.is_tainted", self.is_tainted)
        self._coordinator.register_capability("approvals.turn", self._turn)

        def unregister() -> None:
            for each in undo:
                if callable(each):
                    each()

        return unregister

    async def start(self, _event: str, _data: dict[str, Any]) -> HookResult:
        """A turn begins. A child's task is no word of the user, so it is the same turn."""
        self._checked.clear()
        if not self._is_child:
            self._turn.clear()
        return HookResult(action="continue")

    async def before_tool(self, _event: str, data: dict[str, Any]) -> HookResult:
        """Allows a call, refuses it, or asks."""
        try:
            return await self._check(data)
        except Exception as error:  # the kernel goes on without a handler that fails
            return HookResult(action="deny", reason=f"it could not be checked ({type(error).__name__}: {error})")

    async def verdict(self, facts: dict[str, Any], before: HookResult) -> Verdict:
        """Whether the call `facts` (tool_name, tool_call_id, origin), of which the kernel made `before`, may run."""
        checked = self._checked.pop(facts["tool_call_id"], None)
        if checked is None or (checked.tool, checked.origin) != (facts["tool_name"], _origin(facts)):
            return Verdict(reason=before.reason or REASONS[""])  # another hook refused it first, or disguised it
        if checked.reason:
            return Verdict(reason=checked.reason)
        if checked.question is None:
            return Verdict(reason=before.reason or REASONS[""]) if before.action == "deny" else Verdict(checked.arguments)
        await self._make_sure_it_was_asked(checked, before)
        if checked.question.outcome == "allowed" and checked.question.needs:
            await self._ask_what_shows_now(checked, facts)
        outcome = checked.question.outcome
        event = "approval:granted" if outcome == "allowed" else "approval:denied"
        await self._tell(event, {**facts, "tool_input": checked.arguments}, outcome=outcome)
        return Verdict(checked.arguments) if outcome == "allowed" else Verdict(reason=REASONS[outcome])

    def taint(self) -> None:
        """From now on every call asks: a user's hook, say, put a page's words into a request or a result."""
        self._was_tainted = True

    async def is_tainted(self) -> bool:
        """Whether a page's or a document's text stands in this conversation, or in the one that it serves."""
        if self._is_child and (self._parent_is_tainted is None or await self._parent_is_tainted()):
            return True  # the task was written by the parent's model, which may have read anything
        context = self._coordinator.get("context")
        messages: list[dict[str, Any]] = await context.get_messages() if context else []
        return self._was_tainted or any(_is_untrusted(message.get("metadata") or {}) for message in messages)

    # -- the policy

    async def _check(self, data: dict[str, Any]) -> HookResult:
        name, arguments = data["tool_name"], data.get("tool_input") or {}
        checked = self._checked[data["tool_call_id"]] = Checked(name, _origin(data), arguments)
        tool = (self._coordinator.get("tools") or {}).get(name)
        if tool is None:
            return _refused(checked, f"there is no tool named {name}")
        traits = traits_of(tool)
        permission = await _permission(traits, arguments)
        # What the user's own words spell out no page asked for; but a child's prompt is no user's.
        is_tainted = (checked.origin != "user" or self._is_child) and await self.is_tainted()
        if not is_tainted and (permission.free or await self._is_granted(name, permission)):
            return HookResult(action="continue")
        return await self._ask(checked, data, _question(traits, permission, checked, is_tainted))

    async def _is_granted(self, tool: str, permission: Permission) -> bool:
        """Whether the user granted it, and Chrome still does."""
        if self._approvals is None or not await self._approvals.grants.covers(tool, permission.scope):
            return False
        call = self._coordinator.get_capability("browser.call")
        return not permission.needs or bool(await call("permissions.has", **permission.needs))

    async def _ask(self, checked: Checked, data: dict[str, Any], question: Question) -> HookResult:
        key = json.dumps([checked.tool, checked.arguments], sort_keys=True)
        before = self._turn.asked.get(key)
        if before and before.outcome != "allowed":
            return _refused(checked, ALREADY_DENIED)
        if len(self._turn.asked) >= self._most and before is None:
            return _refused(checked, TOO_MANY)
        self._turn.asked[key] = checked.question = question
        await self._tell("approval:required", data)
        prompt = f"{question.question} [{data['tool_call_id']}]"
        if self._approvals:
            self._approvals.describe(prompt, question)
        checked.result = HookResult(
            action="ask_user",
            approval_prompt=prompt,
            approval_options=[*(OPTIONS[scope] for scope in question.scopes), DENY],
            approval_timeout=self._timeout,
            approval_default="deny",
        )
        return checked.result

    async def _make_sure_it_was_asked(self, checked: Checked, before: HookResult) -> None:
        """The kernel asks one question for all hooks; a yes to another's is none to ours."""
        question = checked.question
        if question is None or question.outcome:
            return
        if self._approvals is None:  # an ApprovalSystem that tells nothing of its outcomes
            question.outcome = "denied" if before.action == "deny" else "allowed"
        elif before.action == "deny":
            question.outcome = "denied"
        else:
            await self._coordinator.process_hook_result(checked.result, "tool:pre", NAME)

    async def _ask_what_shows_now(self, checked: Checked, facts: dict[str, Any]) -> None:
        """What Chrome has just granted may show what the call really needs, as the site of a tab: that is another question."""
        tool = (self._coordinator.get("tools") or {}).get(checked.tool)
        permission = await _permission(traits_of(tool), checked.arguments)
        asked = checked.question
        if permission.free or asked is None or permission.scope == asked.scope:
            return
        data = {**facts, "tool_input": checked.arguments}
        question = _question(traits_of(tool), permission, checked, is_tainted=bool(asked.warning))
        result = await self._ask(checked, data, question)
        if result.action == "ask_user":
            await self._coordinator.process_hook_result(result, "tool:pre", NAME)
        else:
            question.outcome = "denied"

    @property
    def _approvals(self) -> PanelApprovals | None:
        return self._coordinator.get_capability("panel.approvals")

    async def _tell(self, event: str, facts: dict[str, Any], **more: Any) -> None:
        named = {name: facts[name] for name in ("tool_name", "tool_call_id", "tool_input") if name in facts}
        await self._coordinator.hooks.emit(event, {**named, **more})


def _is_untrusted(metadata: dict[str, Any]) -> bool:
    """Marked so by the loop or the application, or put into the conversation by a hook, which the kernel marks."""
    return bool(metadata.get("untrusted")) or metadata.get("source") == "hook"


def _refused(checked: Checked, reason: str) -> HookResult:
    checked.reason = reason
    return HookResult(action="deny", reason=reason)


def _origin(facts: dict[str, Any]) -> str:
    return str(facts.get("origin", "model"))


async def _permission(traits: Traits, arguments: Arguments) -> Permission:
    try:
        permission: Any = traits.permission(arguments)
        return await permission if inspect.isawaitable(permission) else permission
    except Exception:  # what a tool cannot tell of odd arguments, the user shall decide
        return ask_always(arguments)


def _question(traits: Traits, permission: Permission, checked: Checked, is_tainted: bool) -> Question:
    asks_each_time = is_tainted or traits.permission is ask_always
    return Question(
        title=traits.title,
        question=f"{traits.title}?",
        tool=checked.tool,
        arguments=shown_arguments(traits, checked.arguments),
        sees=permission.sees,
        warning=TAINTED if is_tainted else "",
        scope=permission.scope,
        scopes=("once",) if asks_each_time else ("once", "session", "always"),
        needs=permission.needs,
    )
