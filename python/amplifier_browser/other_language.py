"""Summaries in another language than the page's. Their words are none of the page's, so that only names and numbers can show
where a sentence is from; that no passage has its words says nothing against it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .citations import Citation
from .lexical import pieces, plain, words

FOREIGN = (
    0.3  # a text of which the page has a smaller share of the words is in another language: the page has the small words too
)
SHARED = 2  # names or numbers that a sentence and its passage must share
LONGEST_QUOTE = 300
_NAME = re.compile(r"[^\W\d_]\w+|\d[\d.,]*\d|\d{2,}")
_END = re.compile(r"(\s*)$")

SMALL_MODEL = (
    "This is a small model that knows little but English: what it writes in {language} may be wrong. Choose a larger one."
)
NOT_MATCHED = (
    "This summary is not in the page's language, so its sentences cannot be matched word for word: "
    "only those that share names or numbers with a passage have a mark."
)
KEPT_TO_THE_PAGE = "This was to be in {language}, but the model kept to the page's language. A larger model may do better."


def is_foreign(text: str, page: Sequence[str]) -> bool:
    """Whether a text is in another language than the page, by its words. `page`: its passages."""
    known = {word for passage in page for word in words(passage)}
    said = words(text)
    return bool(said) and sum(word in known for word in said) < FOREIGN * len(said)


def cite_names(text: str, page: Sequence[str]) -> tuple[str, list[Citation]]:
    """The text with a mark behind each sentence that shares names or numbers with a passage; sentences without stay unmarked."""
    named = [_names(passage) for passage in page]
    numbers: dict[int, int] = {}

    def marked(piece: str) -> str:
        said = _names(piece)
        shared = [len(said & names) for names in named]
        best = max(range(len(shared)), key=shared.__getitem__, default=0)
        if not shared or shared[best] < SHARED or piece.lstrip().startswith("#"):
            return piece
        return _END.sub(rf" [{numbers.setdefault(best, len(numbers) + 1)}]\1", piece, count=1)

    cited = "".join(marked(piece) for piece in pieces(text))
    return cited, [Citation(number, _quote(page[passage])) for passage, number in numbers.items()]


def _names(text: str) -> set[str]:
    """Numbers of two digits and more, as they are written with or without separators, and words with a capital."""
    found = _NAME.findall(text)
    return {re.sub(r"[.,]", "", plain(word)) for word in found if word[0].isdigit() or word[0] != word[0].lower()}


def _quote(passage: str) -> str:
    return passage if len(passage) <= LONGEST_QUOTE else passage[:LONGEST_QUOTE].rsplit(maxsplit=1)[0]
