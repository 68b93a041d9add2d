"""What the user prefers in all conversations: how pages are summarized, how the model answers, and how the panel looks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from . import saved_prompts
from .engine import AUTOMATIC
from .languages import LANGUAGES, language_called
from .prompts import SYSTEM
from .saved_prompts import Prompt
from .storage import Call
from .summary_styles import DEFAULT, STYLES, Choice
from .synced_values import SYNCHRONIZE, SyncedValues, Values, unsynced

STORED = "preferences"
SYNCED = ("summary_style", "language", "theme", "temperature", "saved_prompts")
THEMES = ("system", "light", "dark")
HOTTEST = 1.5
LEAST_ANSWER, MOST_ANSWER = 16, 8192  # tokens
MOST_SYSTEM = 2000  # characters: a model that takes 2048 tokens must still read a page besides
PLACES = (AUTOMATIC, "gpu", "cpu")  # what models run on
KEEP_MINUTES = (5, 15, 60, None)  # None: always


class Preferences:
    """What is stored, as it was when it was last read or set: what a menu shows is what is done."""

    def __init__(self, call: Call) -> None:
        """`call` asks the page."""
        self._stored = SyncedValues(call, STORED, SYNCED)
        self._values: Values = dict(DEFAULTS)
        self._unsynced: list[str] = []
        self.choice = Choice()

    async def load(self) -> None:
        """Reads what is stored; what makes no sense counts as not chosen."""
        self._take(await self._stored.load())

    async def set(self, name: str, value: Any) -> None:
        """Stores one preference. Raises ValueError, in words for people, for what there is not."""
        if name not in CHECKS:
            raise ValueError(f"There is no {name} “{value}”.")
        good = CHECKS[name](value)
        if name == SYNCHRONIZE:
            self._take(await self._stored.set_synchronized(good))
        else:
            self._take(await self._stored.update(name, lambda _before: good))

    async def save_prompt(self, id: str | None, title: str, text: str) -> None:
        """Adds a saved prompt, or changes that with this id. Raises ValueError."""
        self._take(
            await self._stored.update(
                "saved_prompts", lambda stored: saved_prompts.with_prompt(_usable("saved_prompts", stored), id, title, text)
            )
        )

    async def delete_prompt(self, id: str) -> None:
        """Forgets a saved prompt."""
        self._take(
            await self._stored.update(
                "saved_prompts", lambda stored: saved_prompts.without_prompt(_usable("saved_prompts", stored), id)
            )
        )

    async def reset(self) -> None:
        """Everything as it came, but for the saved prompts, which the user wrote."""
        self._take(await self._stored.keep_only(("saved_prompts",)))

    def _take(self, stored: Values) -> None:
        self._values = {name: _usable(name, stored[name]) if name in stored else DEFAULTS[name] for name in DEFAULTS}
        self._unsynced = [name for name in unsynced(stored) if name in SYNCED]
        self.choice = Choice(STYLES[self._values["summary_style"]], self._values["language"])

    @property
    def system_prompt(self) -> str:
        """The user's own; "" for Amplifier's."""
        return self._values["system_prompt"]

    @property
    def keep_minutes(self) -> int | None:
        """How long an unused model stays in memory; None: always."""
        return self._values["keep_minutes"]

    @property
    def run_on(self) -> str:
        """What models run on: auto, gpu or cpu."""
        return self._values["run_on"]

    def sampling(self) -> dict[str, Any]:
        """Fields of ChatRequest that the user wants other than they would be."""
        wanted = {"temperature": self._values["temperature"], "max_output_tokens": self._values["longest_answer"]}
        return {name: value for name, value in wanted.items() if value is not None}

    def chosen(self, style: str | None, language: str | None) -> Choice:
        """What is chosen where a request says no other."""
        return Choice(
            STYLES.get(style or "", self.choice.style),
            self.choice.language if language is None or not _is_language(language) else language,
        )

    def shown(self) -> dict[str, Any]:
        """What the view shows."""
        return {
            **self._values,
            "unsynced": self._unsynced,
            "default_system_prompt": SYSTEM,
            "languages": [{"name": language.name, "native": language.native} for language in LANGUAGES],
            "styles": [{"id": style.id, "name": style.name, "detail": style.detail} for style in STYLES.values()],
        }


def _style(value: Any) -> str:
    if not isinstance(value, str) or value not in STYLES:
        raise ValueError(f"There is no summary_style “{value}”.")
    return value


def _language(value: Any) -> str:
    if not _is_language(value):
        raise ValueError(f"There is no language “{value}”.")
    return value


def _is_language(name: Any) -> bool:
    """Whether it is the English name of one; "" leaves the language to the model."""
    return name == "" or (isinstance(name, str) and (known := language_called(name)) is not None and known.name == name)


def _theme(value: Any) -> str:
    if value not in THEMES:
        raise ValueError(f"There is no theme “{value}”.")
    return value


def _temperature(value: Any) -> float | None:
    if value is None:
        return None
    if not _is_number(value) or not 0 <= value <= HOTTEST:
        raise ValueError(f"The temperature can be 0 to {HOTTEST}, and not {value}.")
    return float(value)


def _answer(value: Any) -> int | None:
    if value is None:
        return None
    if not _is_number(value) or value != int(value) or not LEAST_ANSWER <= value <= MOST_ANSWER:
        raise ValueError(f"The longest answer can have {LEAST_ANSWER} to {MOST_ANSWER:,} tokens, and not {value}.")
    return int(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _system(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("The system prompt is a text.")
    text = value.strip()
    if len(text) > MOST_SYSTEM:
        raise ValueError(f"The system prompt can have {MOST_SYSTEM:,} characters, this one has {len(text):,}.")
    return "" if text == SYSTEM else text


def _keep(value: Any) -> int | None:
    if isinstance(value, bool) or value not in KEEP_MINUTES:
        raise ValueError(f"A model cannot be kept for {value} minutes: choose 5, 15, 60 or always.")
    return value


def _place(value: Any) -> str:
    if value not in PLACES:
        raise ValueError(f"Models cannot run on “{value}”: choose automatic, the graphics card or the processor.")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"It is on or off, and not {value}.")
    return value


CHECKS: dict[str, Callable[[Any], Any]] = {
    "summary_style": _style,
    "language": _language,
    "theme": _theme,
    "temperature": _temperature,
    "longest_answer": _answer,
    "system_prompt": _system,
    "keep_minutes": _keep,
    "run_on": _place,
    SYNCHRONIZE: _flag,
}
READERS: dict[str, Callable[[Any], Any]] = {**CHECKS, "saved_prompts": saved_prompts.checked}
DEFAULTS: Values = {
    "summary_style": DEFAULT.id,
    "language": "",
    "theme": "system",
    "temperature": None,
    "longest_answer": None,
    "system_prompt": "",
    "saved_prompts": list[Prompt](),
    "keep_minutes": 15,
    "run_on": AUTOMATIC,
    SYNCHRONIZE: False,
}


def _usable(name: str, stored: Any) -> Any:
    """A stored value, or what it is without."""
    try:
        return READERS[name](stored)
    except (ValueError, TypeError):
        return DEFAULTS[name]
