"""Approvals: the questions that a panel asks before a tool acts, and what the user granted for longer than one call."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .storage import Storage
from .tooling import visible

ALLOW_ONCE, ALLOW_ALWAYS, DENY = "Allow once", "Allow always", "Deny"  # what the kernel understands
LASTING = {"session": "For this session", "always": "Always"}
Grant = dict[str, Any]  # {id, tool, scope, title, detail, created}; created: epoch milliseconds


@dataclass
class Question:
    """A question of the panel. `outcome` is filled in when it is over: allowed, denied, unanswered or stopped."""

    title: str
    question: str
    tool: str = ""
    arguments: list[dict[str, str]] = field(default_factory=lambda: list[dict[str, str]]())
    sees: str = ""
    warning: str = ""
    scope: str = ""  # of the grant, if a lasting one is given
    scopes: tuple[str, ...] = ("once",)
    needs: dict[str, list[str]] = field(default_factory=lambda: dict[str, list[str]]())
    outcome: str = ""

    def card(self, approval_id: str, expires: int) -> dict[str, Any]:
        """What the view draws: Approval of sidepanel/types.js."""
        optional = {name: value for name, value in (("warning", self.warning), ("needs", self.needs)) if value}
        return {
            "id": approval_id,
            "tool": self.tool,
            "title": visible(self.title),
            "question": visible(self.question),
            "arguments": self.arguments,
            "sees": visible(self.sees),
            "scopes": list(self.scopes),
            "expires": expires,
            **optional,
        }


class Grants:
    """What the user granted for longer than one call: for this session in memory, for good in the extension's storage."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._session: list[Grant] = []

    async def list(self) -> list[Grant]:
        """All grants, the lasting ones first. Read anew each time: another window may have revoked one."""
        return [*await self._stored(), *self._session]

    async def covers(self, tool: str, scope: str) -> bool:
        """Whether calls of `tool` with this scope were granted."""
        return any(grant["tool"] == tool and grant["scope"] == scope for grant in await self.list())

    async def add(self, question: Question, lasts: str) -> None:
        """Grants what `question` asks; `lasts`: session or always."""
        grant = {
            "id": str(uuid.uuid4()),
            "tool": question.tool,
            "scope": question.scope,
            "title": question.title,
            "detail": f"{LASTING[lasts]}: {question.scope}" if question.scope else LASTING[lasts],
            "created": int(time.time() * 1000),
        }
        if lasts == "session":
            self._session.append(grant)
        else:
            await self._storage.update("grants", lambda stored: [*(stored or []), grant], [])

    async def revoke(self, grant_id: str) -> None:
        """Takes a grant back."""
        self._session = _without(self._session, grant_id)
        await self._storage.update("grants", lambda stored: _without(stored or [], grant_id), [])

    def end_session(self) -> None:
        """Forgets what was granted for the session."""
        self._session.clear()

    async def _stored(self) -> list[Grant]:
        return await self._storage.get("grants", []) or []


def _without(grants: list[Grant], grant_id: str) -> list[Grant]:
    return [grant for grant in grants if grant["id"] != grant_id]


class PanelApprovals:
    """Amplifier's ApprovalSystem: questions become cards of the panel, of which several may be open at once."""

    def __init__(self, emit: Callable[[dict[str, Any]], None], grants: Grants) -> None:
        self.grants = grants
        self._emit = emit
        self._described: dict[str, Question] = {}
        self._open: dict[str, tuple[Question, asyncio.Future[str]]] = {}

    def describe(self, prompt: str, question: Question) -> None:
        """Says beforehand what the card of `prompt` shows; the prompt must be one of its kind."""
        self._described[prompt] = question

    async def request_approval(self, prompt: str, options: list[str], timeout: float, default: str) -> str:
        """Asks the user for up to `timeout` seconds. What was not described shows the prompt alone, for one call."""
        question = self._described.pop(prompt, None) or Question(title="A module asks", question=prompt)
        approval_id = str(uuid.uuid4())
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._open[approval_id] = question, answer
        self._emit({"type": "approval", "approval": question.card(approval_id, int((time.time() + timeout) * 1000))})
        try:
            lasts = await asyncio.wait_for(answer, timeout)
        except TimeoutError:
            question.outcome = "unanswered"
            return default
        except asyncio.CancelledError:
            question.outcome = "stopped"
            raise
        finally:
            del self._open[approval_id]
            self._emit({"type": "approval-over", "id": approval_id})
        return await self._answered(question, lasts)

    async def _answered(self, question: Question, lasts: str) -> str:
        if lasts not in question.scopes:
            question.outcome = lasts if lasts == "stopped" else "denied"
            return DENY
        question.outcome = "allowed"
        if lasts not in LASTING:
            return ALLOW_ONCE
        try:
            await self.grants.add(question, lasts)
        except Exception as error:  # allowed it is, whether or not it can be kept
            self._emit({"type": "notice", "level": "warning", "text": f"Allowed once; it could not be remembered: {error}"})
        return ALLOW_ALWAYS

    def approve(self, approval_id: str, scope: str) -> None:
        """The user's yes: once, session or always. A scope that was not offered is a no."""
        self._answer(approval_id, scope)

    def deny(self, approval_id: str) -> None:
        """The user's no."""
        self._answer(approval_id, "denied")

    def deny_all(self) -> None:
        """The user stopped the turn: nothing that was asked is wanted any more."""
        for approval_id in list(self._open):
            self._answer(approval_id, "stopped")

    def _answer(self, approval_id: str, answer: str) -> None:
        _, waiting = self._open.get(approval_id, (None, None))
        if waiting and not waiting.done():
            waiting.set_result(answer)
