"""How `build.py bench extraction` counts: what was kept, what is clutter, and what kept its form."""

from __future__ import annotations

import pytest
from build_tools.bench.extraction.document import Document, Part, from_json, row
from build_tools.bench.extraction.result import of_html, of_markdown
from build_tools.bench.extraction.score import figures, tokens

STORY = Document(
    "The mill",
    (
        Part("text", "The river rose in the night and stood in the mill.", links=("stood in the mill",)),
        Part("heading", "What it cost", 2),
        row("Door", "92 crowns"),
        row("Sill", "18 crowns"),
        Part("code", "gauge.read()\ngauge.close()"),
    ),
    allowed=("By A. Writer",),
)
MARKDOWN = """The river rose in the night and stood in the mill.

## 2. What it cost

| Door | 92 crowns |
| --- | --- |
| Sill | 18 crowns |

```python
gauge.read()
gauge.close()
```"""
HTML = """<h1>The mill</h1>The river rose in the <b>night</b> and stood in the mill.<h2>2. What it cost</h2>
<table><tr><td>Door</td><td><p>92 crowns</p></td></tr><tr><td>Sill</td><td>18 crowns</td></tr></table>
<pre>gauge.read()<br>gauge.close()</pre>"""


@pytest.mark.parametrize("result", [of_markdown(MARKDOWN), of_html(HTML)], ids=["markdown", "html"])
def test_what_is_whole_is_counted_as_whole(result: list[Part]) -> None:
    counted = figures(STORY, result)
    assert (counted.kept, counted.headings, counted.rows, counted.code, counted.links) == (1, (1, 1), (2, 2), (1, 1), (1, 1))
    assert counted.clutter == pytest.approx(
        1 / len([token for part in result for token in tokens(part.text)]), abs=0.02
    )  # the "2."
    assert counted.lost == ()


def test_words_that_stand_elsewhere_are_not_kept() -> None:
    scrambled = figures(STORY, [Part("text", "mill the in stood night the rose river the and in")])
    assert scrambled.kept == 0 and scrambled.clutter == 1 and scrambled.score == 0
    assert "the river rose in the night and stood in the mill" in scrambled.lost


def test_what_may_be_there_is_neither_kept_nor_clutter() -> None:
    story = STORY.parts[0]
    assert figures(STORY, [story, Part("text", "By A. Writer"), Part("heading", "The mill", 1)]).clutter == 0
    cluttered = figures(STORY, [story, Part("text", "Read more about mills")])
    assert cluttered.clutter == pytest.approx(4 / 15) and cluttered.extra == ("read more about mills",)


def test_form_that_was_lost_is_not_counted_though_the_words_came() -> None:
    flat = figures(STORY, [Part("text", part.text) for part in STORY.parts])
    assert flat.kept == 1
    assert (flat.headings, flat.rows, flat.code) == ((0, 1), (0, 2), (0, 1))
    code = Part("code", "gauge.read() gauge.close()")
    glued = figures(STORY, [row("Door 92", "crowns"), *[row("Sill", "18 crowns")] * 2, code])
    assert glued.rows == (1, 2) and glued.code == (0, 1)


def test_a_short_text_that_came_once_does_not_count_twice() -> None:
    twice = Document("", (row("yes", "a longer cell of words"), row("yes", "another longer cell here")))
    once = figures(twice, [row("yes", "a longer cell of words"), row("another longer cell here")])
    assert once.kept == pytest.approx(10 / 11) and once.rows == (1, 2)
    short = Document("", (Part("text", "yes"), Part("text", "yes")))
    assert figures(short, [Part("text", "yes")]).kept == 0.5


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    assert tokens("味噌のABC、작은 방") == [*"味噌の", "abc", *tokens("작은"), *tokens("방")]
    assert len(tokens("작은 방")) == 2
    assert tokens("Ça — naïve") == ["ca", "naive"]


def test_a_document_is_the_same_after_json() -> None:
    assert from_json(STORY.to_json()) == STORY


def test_code_whose_fence_is_never_closed_is_no_lost_text() -> None:
    assert of_markdown("```\ngauge.read()") == [Part("code", "gauge.read()")]
