"""Each sentence of a summary is laid beside the passage of the page that says it, or marked as said by none."""

from __future__ import annotations

import pytest
from amplifier_browser.citations import LONGEST_QUOTE, Origin, cite, cite_sources, passages, quotable, without_marks

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


@pytest.mark.parametrize("text", ["", "Yes.", "```\npups = born(ice, february)\n```\n", "## Pups born on ice in February\n"])
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


def test_numbers_that_a_page_had_are_no_citations() -> None:
    text, (citation,) = cite("Pups are born on ice in February.[12] Yes [3].", passages(PAGE))
    assert text == "Pups are born on ice in February. [1] Yes."
    assert citation.quote == "Pups are born on ice in February."


def test_code_is_told_from_what_stands_beside_it() -> None:
    code = "```\npups = ice[1]\n\nborn.[2]\n```\n"
    text, _ = cite(f"Pups are born on ice in February.\n\n{code}They weigh twelve kilograms.", passages(PAGE))
    assert text == f"Pups are born on ice in February. [1]\n\n{code}They weigh twelve kilograms. [2]"


# ---- answers, whose sources have numbers

SEALS = "Grey seals eat sand eels. Their pups are born with a white coat."
OWLS = "Owls hunt at night and swallow mice whole."
DOCUMENTS = [Origin(1, SEALS), Origin(2, OWLS)]
PAGES = [Origin(1, SEALS, quotable(SEALS)), Origin(1, "They sleep on rocks.", quotable("They sleep on rocks.")), Origin(2, OWLS)]


@pytest.mark.parametrize(
    ("answer", "cited", "numbers"),
    [
        ("They eat eels [1].", "They eat eels. [1]", [1]),
        ("They eat eels. [1] Owls do not. [2]", "They eat eels. [1] Owls do not. [2]", [1, 2]),
        ("They eat eels.[1][2] Owls do not.\n", "They eat eels. [1] [2] Owls do not.\n", [1, 2]),
        ("- Eels [1]\n- Mice [2]\n", "- Eels [1]\n- Mice [2]\n", [1, 2]),
        ("Eels [1], mice [2].", "Eels, mice. [1] [2]", [1, 2]),
        ("Both [1, 2]. Again [2;1]. All [1-2] [1–2].", "Both. [1] [2] Again. [2] [1] All. [1] [2]", [1, 2]),
        ("Made up [3] and [0], half [2, 9].", "Made up and, half. [2]", [2]),
        ("Chess is a fine game [7].", "Chess is a fine game.", []),
        ("A link [1](https://example.com) and `a[1]` here.", "A link [1](https://example.com) and `a[1]` here.", []),
        ("```\ngrey seals eat sand eels [7]\n```\n", "```\ngrey seals eat sand eels [7]\n```\n", []),
        ("No numbers [a] [] [ ] [1", "No numbers [a] [] [ ] [1", []),
        ("[9-1] [1-99]", " [1] [2]", [1, 2]),
        ("", "", []),
    ],
)
def test_what_the_model_cites_itself(answer: str, cited: str, numbers: list[int]) -> None:
    text, citations = cite_sources(answer, DOCUMENTS)
    assert text == cited
    assert [(each.number, each.source, each.quote) for each in citations] == [(n, n, [SEALS, OWLS][n - 1]) for n in numbers]


def test_sentences_get_the_source_that_says_them() -> None:
    answer = "Grey seals eat sand eels. Owls swallow mice whole at night! I like chess and tennis a lot.\n"
    text, citations = cite_sources(answer, DOCUMENTS)
    assert text == "Grey seals eat sand eels. [1] Owls swallow mice whole at night! [2] I like chess and tennis a lot.\n"
    assert [each.number for each in citations] == [1, 2]
    assert cite_sources(answer, []) == (answer, [])


def test_a_source_that_has_only_the_words_of_the_question_is_none() -> None:
    """A summary's sentence need share three words with a passage; here each passage shares what was asked for."""
    answer = "Grey seals eat forty kilograms of octopus on Mondays."
    assert cite_sources(answer, DOCUMENTS) == (answer, [])
    assert cite(answer, [SEALS, OWLS])[0].endswith("[1]")


def test_a_model_that_was_not_told_of_numbers_cites_none() -> None:
    text, citations = cite_sources("Grey seals eat sand eels [2].", DOCUMENTS, numbered=False)
    assert (text, [each.number for each in citations]) == ("Grey seals eat sand eels. [1]", [1])


def test_each_passage_of_a_page_has_a_number_and_the_first_that_of_its_source() -> None:
    answer = "They sleep on rocks [1]. Grey seals eat sand eels. The pups have a white coat [1]. Owls hunt [2]. Rocks [1]."
    text, citations = cite_sources(answer, PAGES)
    assert text == (
        "They sleep on rocks. [1] Grey seals eat sand eels. [3] The pups have a white coat. [4] Owls hunt. [2] Rocks. [1]"
    )
    assert [(each.number, each.source, each.quote) for each in citations] == [
        (1, 1, "They sleep on rocks."),
        (2, 2, OWLS),
        (3, 1, "Grey seals eat sand eels."),
        (4, 1, "Their pups are born with a white coat."),
    ]


def test_code_of_a_page_is_quoted_by_its_lines() -> None:
    assert quotable("```python\nseals = count(ice)\n```") == ("seals = count(ice)",)
    assert quotable(PAGE)[:1] == ("The grey seal was hunted in the Baltic Sea until 1974.",)
