"""Each sentence of a summary is laid beside the passage of the page that says it, or marked as said by none."""

from __future__ import annotations

import pytest
from amplifier_browser.citations import LONGEST_QUOTE, cite, passages, without_marks

PAGE = """# Seals of the north

The grey seal was hunted in the Baltic Sea until 1974. Today about 60,000 grey seals live there.

- Pups are born on ice in February.
- They weigh twelve kilograms at birth.

| Year | Grey seals counted |
| --- | --- |
| 1970 | about three thousand |

```
let seals = count(ice);
```
"""


def test_passages_are_sentences_as_they_can_be_seen() -> None:
    assert passages(PAGE) == [
        "The grey seal was hunted in the Baltic Sea until 1974.",
        "Today about 60,000 grey seals live there.",
        "Pups are born on ice in February.",
        "They weigh twelve kilograms at birth.",
        "Year",
        "Grey seals counted",
        "1970",
        "about three thousand",
    ]


def test_sentences_are_marked_with_what_they_are_from() -> None:
    text, citations = cite("Grey seals were hunted in the Baltic until 1974. Pups are born on the ice.", passages(PAGE))
    assert text == "Grey seals were hunted in the Baltic until 1974. [1] Pups are born on the ice. [2]"
    assert [each.quote for each in citations] == [
        "The grey seal was hunted in the Baltic Sea until 1974.",
        "Pups are born on ice in February.",
    ]


def test_a_loose_sentence_has_the_passage_that_shares_most_of_its_words() -> None:
    text, (citation,) = cite("This article tells the moving tale of grey seals, hunted for years in the Baltic.", passages(PAGE))
    assert text.endswith("[1]") and citation.quote.startswith("The grey seal was hunted")


def test_what_no_passage_says_is_marked_as_such() -> None:
    text, citations = cite("The president of Mars likes jazz music. About 60,000 grey seals live today.", passages(PAGE))
    assert text == "The president of Mars likes jazz music. [?] About 60,000 grey seals live today. [1]"
    assert len(citations) == 1


def test_a_passage_has_one_number() -> None:
    text, citations = cite("Pups are born on ice. In February, pups are born on ice.", passages(PAGE))
    assert text.count("[1]") == 2 and len(citations) == 1


def test_lists_and_lines_keep_their_shape() -> None:
    text, _ = cite("Points:\n\n- Pups are born on ice in February.\n- They weigh twelve kilograms.\n", passages(PAGE))
    assert text == "Points:\n\n- Pups are born on ice in February. [1]\n- They weigh twelve kilograms. [2]\n"


@pytest.mark.parametrize("text", ["", "Yes.", "```\ncode = 1\n```\nPups are born on ice in February."])
def test_what_cannot_be_cited_stays_as_it_is(text: str) -> None:
    assert cite(text, passages(PAGE)) == (text, [])


def test_a_page_without_words_cites_nothing() -> None:
    assert cite("Pups are born on ice in February.", passages("")) == ("Pups are born on ice in February.", [])


def test_marks_can_be_taken_away_again() -> None:
    text = "Grey seals were hunted in the Baltic until 1974. The president of Mars likes jazz.\n- Pups are born on the ice.\n"
    assert without_marks(cite(text, passages(PAGE))[0]) == text


def test_a_long_passage_is_quoted_up_to_a_word() -> None:
    passage = "pups " * 200 + "are born on ice in February"
    (citation,) = cite("Pups are born on ice in February.", [passage])[1]
    assert len(citation.quote) <= LONGEST_QUOTE and passage.startswith(citation.quote)
    assert citation.quote.endswith("pups")
