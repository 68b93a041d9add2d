"""The languages that one can ask for: those with most speakers, and those of Europe's north."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """A language: `code` is ISO 639-1's, `name` is English and what the model is told, `native` its own name."""

    code: str
    name: str
    native: str


LANGUAGES = tuple(
    Language(*line.split(", "))
    for line in (
        "ar, Arabic, العربية",
        "bn, Bengali, বাংলা",
        "zh, Chinese, 中文",
        "cs, Czech, Čeština",
        "da, Danish, Dansk",
        "nl, Dutch, Nederlands",
        "en, English, English",
        "fi, Finnish, Suomi",
        "fr, French, Français",
        "de, German, Deutsch",
        "el, Greek, Ελληνικά",
        "hi, Hindi, हिन्दी",
        "id, Indonesian, Bahasa Indonesia",
        "it, Italian, Italiano",
        "ja, Japanese, 日本語",
        "ko, Korean, 한국어",
        "no, Norwegian, Norsk",
        "fa, Persian, فارسی",
        "pl, Polish, Polski",
        "pt, Portuguese, Português",
        "ro, Romanian, Română",
        "ru, Russian, Русский",
        "es, Spanish, Español",
        "sv, Swedish, Svenska",
        "ta, Tamil, தமிழ்",
        "te, Telugu, తెలుగు",
        "th, Thai, ไทย",
        "tr, Turkish, Türkçe",
        "uk, Ukrainian, Українська",
        "ur, Urdu, اردو",
        "vi, Vietnamese, Tiếng Việt",
    )
)
_CALLED = {name.casefold(): language for language in LANGUAGES for name in (language.name, language.native)}


def language_called(name: str) -> Language | None:
    """The language of an English or native name, in any case."""
    return _CALLED.get(name.strip().casefold())


def is_language_of(name: str, tag: str) -> bool:
    """Whether a page whose language tag is `tag`, as "en-GB", is written in the language called `name`."""
    language = language_called(name)
    primary = tag.lower().replace("_", "-").partition("-")[0]
    return language is not None and (primary == language.code or (primary in ("nb", "nn") and language.code == "no"))
