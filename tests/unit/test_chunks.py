"""Cutting documents into chunks: nothing lost, of about one size, with their headings and pages, ids by content."""

from __future__ import annotations

import itertools
import re
import string

import pytest
from amplifier_browser.documents.chunks import MOST, OVERLAP, TARGET, Block, Chunk, chunk_id, chunks, estimated_tokens

SENTENCES = [f"Sentence number {i} tells of whales and of their songs in the deep sea." for i in range(80)]
PROSE = " ".join(SENTENCES)


def texts(*blocks: Block) -> list[str]:
    return [chunk.text for chunk in chunks(blocks, "d")]


def test_short_blocks_under_one_heading_are_one_chunk() -> None:
    found = chunks([Block("## Seals"), Block("They eat eels."), Block("- one\n- two")], "d")
    assert [(chunk.heading, chunk.text, chunk.ordinal) for chunk in found] == [("Seals", "They eat eels.\n\n- one\n- two", 0)]


def test_headings_are_the_context_and_end_a_chunk() -> None:
    blocks = ["# Sea", "Wide.", "## Seals", "Grey.", "### Pups", "White.", "## Whales", "Blue.", "# Land", "Dry."]
    assert [(chunk.heading, chunk.text) for chunk in chunks([Block(text) for text in blocks], "d")] == [
        ("Sea", "Wide."),
        ("Sea > Seals", "Grey."),
        ("Sea > Seals > Pups", "White."),
        ("Sea > Whales", "Blue."),
        ("Land", "Dry."),
    ]


def test_a_parsers_heading_level_counts_without_marks() -> None:
    found = chunks([Block("Sea", heading_level=1), Block("Seals", heading_level=2), Block("Grey.")], "d")
    assert [(chunk.heading, chunk.text) for chunk in found] == [("Sea > Seals", "Grey.")]


def test_a_heading_with_nothing_under_it_is_not_lost() -> None:
    found = chunks([Block("# Sea"), Block("## Seals"), Block("## Whales"), Block("Blue."), Block("# Land")], "d")
    assert [(chunk.heading, chunk.text) for chunk in found] == [
        ("Sea > Seals", "Seals"),
        ("Sea > Whales", "Blue."),
        ("Land", "Land"),
    ]


def test_no_chunk_goes_over_a_page() -> None:
    found = chunks([Block("# Sea", page=1), Block("One.", page=1), Block("Two.", page=2), Block("Three.", page=2)], "d")
    assert [(chunk.page, chunk.text) for chunk in found] == [(1, "One."), (2, "Two.\n\nThree.")]


def test_paragraphs_are_cut_at_sentences_and_say_one_again() -> None:
    found = texts(Block(PROSE))
    assert len(found) > 3
    said = [re.findall(r"number (\d+) ", chunk) for chunk in found]
    for before, after in itertools.pairwise(said):
        assert after[0] == before[-1], "the last sentence is said again, and no other"
    assert [*said[0], *(number for numbers in said[1:] for number in numbers[1:])] == [str(i) for i in range(80)]
    assert all(chunk.endswith("sea.") for chunk in found)


def test_nothing_is_said_twice_where_no_paragraph_was_cut() -> None:
    found = texts(*[Block(" ".join(SENTENCES[at : at + 8])) for at in range(0, 80, 8)])
    assert re.findall(r"number (\d+) ", " ".join(found)) == [str(i) for i in range(80)]


def test_chunks_are_of_about_one_size() -> None:
    sizes = [estimated_tokens(text) for text in texts(Block(PROSE))]
    assert max(sizes) <= MOST + OVERLAP
    assert min(sizes) >= TARGET / 2


def test_tables_are_cut_by_rows_under_their_header() -> None:
    rows = [f"| row {i} | {i * 7} apples |" for i in range(120)]
    found = texts(Block("\n".join(["| name | stock |", "| --- | ---: |", *rows])))
    assert len(found) > 3
    assert all(chunk.startswith("| name | stock |\n| --- | ---: |\n| row ") for chunk in found)
    assert [row for chunk in found for row in chunk.splitlines()[2:]] == rows


def test_code_is_cut_at_blank_lines_within_fences() -> None:
    functions = [f"def f{i}(x):\n    y = x + {i}\n    return y * {i}" for i in range(40)]
    found = texts(Block("```python\n" + "\n\n".join(functions) + "\n```"))
    assert len(found) > 3
    assert all(chunk.startswith("```python\ndef f") and chunk.endswith("\n```") for chunk in found)
    code = "\n\n".join(chunk.removeprefix("```python\n").removesuffix("\n```") for chunk in found)
    assert [part.strip() for part in code.split("\n\n")] == functions


def test_lists_are_cut_between_items() -> None:
    items = [f"- item {i} is a good one\n  and has a second line" for i in range(60)]
    found = texts(Block("\n".join(items)))
    assert len(found) > 3
    assert all(chunk.startswith("- item ") for chunk in found)
    assert "\n".join(found) == "\n".join(items)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"w{i}" for i in range(1500)),
        " ".join(f"word{i}" for i in range(1500)),
        "".join(f"汉{i}字" for i in range(900)),
        "|" + "".join(f"cell {i}|" for i in range(1500)),
        "```\n" + "".join(f"x = {i}; " for i in range(1000)) + "\n```",
        "```\nnever closed\n" + "".join(f"line {i}\n" for i in range(900)),
        "| a | b |\n| --- | --- |\n| " + "".join(f"long cell {i} " for i in range(900)) + "| b |",
        "- " + "".join(f"endless item {i} " for i in range(900)),
        "".join(f"🙂{i}" for i in range(900)),
        "".join(f"Слово {i} идёт. " for i in range(900)),
    ],
)
def test_whatever_is_too_long_is_cut_and_kept(text: str) -> None:
    found = texts(Block(text))
    assert all(estimated_tokens(chunk) <= MOST + OVERLAP + 20 for chunk in found)
    joined = "".join(found)
    for character in set(text) - set(string.whitespace):
        assert joined.count(character) >= text.count(character), character


def test_a_passage_that_repeats_is_one_chunk() -> None:
    found = chunks([Block("All rights reserved.", page=page) for page in (1, 2, 3)], "d")
    assert [(chunk.page, chunk.ordinal) for chunk in found] == [(1, 0)]


def test_ids_follow_the_content_alone() -> None:
    before = chunks([Block("# A"), Block("One."), Block("# B"), Block("Two.")], "old")
    after = chunks([Block("# New"), Block("Zero."), Block("# A"), Block("One."), Block("# B"), Block("Two, changed.")], "new")
    assert before[0].id == after[1].id == chunk_id("A", "One.")
    assert before[1].id != after[2].id
    assert re.fullmatch("[0-9a-f]{24}", before[0].id)
    assert chunk_id("A", "B") != chunk_id("A B", "")


def test_messages_are_the_librarys() -> None:
    chunk = chunks([Block.of({"text": "# A", "page": 2}), Block.of({"text": "One.", "page": 2})], "d")[0]
    message = chunk.message()
    assert message == {"id": chunk.id, "document": "d", "ordinal": 0, "text": "One.", "heading": "A", "page": 2}
    assert Chunk.of(message) == chunk
    assert "page" not in chunks([Block("One.")], "d")[0].message()


def test_nothing_comes_of_nothing() -> None:
    assert chunks([], "d") == []
    assert chunks([Block("  \n ")], "d") == []
