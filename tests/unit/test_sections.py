"""Sections: nothing is lost, nothing is over the limit, and the cuts are where a reader would make them."""

from __future__ import annotations

import random
import re

import pytest
from amplifier_browser.sections import Block, Section, blocks, pack

ALPHABETS = ["abcdefghijklmnop", "あいうえお海山川味噌", "ابتثجحخدذرز", "กขคงจฉชซ", "abcдежз🦭é—"]
ENDS = [". ", "! ", "? ", "。", "؟ ", ", ", " ", "\n"]


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def count(text: str) -> int:
    """A stand-in for a tokenizer: a token for every three bytes of every word."""
    return sum((len(word.encode()) + 2) // 3 for word in text.split())


def sections_of(markdown: str, limit: int) -> list[Section]:
    parts = blocks(markdown)
    return pack(parts, [count(part.text) for part in parts], limit)


def some_words(source: random.Random, length: int) -> str:
    letters = source.choice(ALPHABETS)
    text = ""
    while len(text) < length:
        text += "".join(source.choices(letters, k=source.randint(1, 12))) + source.choice(ENDS)
    return text.strip()


def some_block(source: random.Random) -> str:
    kind = source.randrange(8)
    if kind == 0:
        return "#" * source.randint(1, 4) + " " + some_words(source, 20).replace("\n", " ")
    if kind == 1:
        return "\n".join(f"- {some_words(source, 30)}" for _ in range(source.randint(1, 8)))
    if kind == 2:
        return "| a | b |\n| --- | --- |\n" + "\n".join(f"| {n} | {n * n} |" for n in range(source.randint(1, 40)))
    if kind == 3:
        return "```python\nx = 1\n\n# no heading\ny = 2\n```"
    if kind == 4:
        return "".join(source.choices(source.choice(ALPHABETS), k=source.randint(1, 900)))
    return some_words(source, source.randint(5, 1500))


def prose(words: int, word: str = "seal") -> str:
    return " ".join([*[word] * (words - 1), word + "."])


def test_blocks_are_whole_and_know_their_headings() -> None:
    markdown = (
        "Lead in.\nSecond line.\n\n# Title\n\n## One\nText under one.\n\n- a\n- b\n\n### Deep #\n\n| x |\n| --- |\n| 1 |\n\n"
        "## Two\n\n````\n# not a heading\n\n```\n````\n\nEnd."
    )
    assert blocks(markdown) == [
        Block("Lead in.\nSecond line.", ()),
        Block("# Title", ("Title",), 1),
        Block("## One", ("Title", "One"), 2),
        Block("Text under one.", ("Title", "One")),
        Block("- a\n- b", ("Title", "One")),
        Block("### Deep #", ("Title", "One", "Deep"), 3),
        Block("| x |\n| --- |\n| 1 |", ("Title", "One", "Deep")),
        Block("## Two", ("Title", "Two"), 2),
        Block("````\n# not a heading\n\n```\n````", ("Title", "Two")),
        Block("End.", ("Title", "Two")),
    ]


def test_a_fence_that_never_ends_loses_nothing() -> None:
    assert [block.text for block in blocks("a\n\n```\nb\n\n# c\n")] == ["a", "```\nb\n\n# c"]


def test_ticks_within_a_line_open_no_fence() -> None:
    assert [block.text for block in blocks("```x``` is code.\n\n# c")] == ["```x``` is code.", "# c"]


@pytest.mark.parametrize("markdown", ["", "\n \n\t\n"])
def test_nothing_makes_no_sections(markdown: str) -> None:
    assert sections_of(markdown, 100) == []


@pytest.mark.parametrize("seed", range(150))
def test_nothing_is_lost_or_over_the_limit(seed: int) -> None:
    source = random.Random(seed)
    markdown = "\n\n".join(some_block(source) for _ in range(source.randint(1, 40)))
    limit = source.choice([20, 50, 120, 400, 3000])
    parts = blocks(markdown)
    sections = pack(parts, [count(part.text) for part in parts], limit)
    assert squeezed("".join(part.text for part in parts)) == squeezed(markdown)
    assert squeezed("".join(section.text for section in sections)) == squeezed(markdown)
    assert all(section.tokens <= limit for section in sections)
    assert all(section.text.strip() and section.title for section in sections)
    for part in parts:
        if count(part.text) <= limit:
            assert any(part.text in section.text for section in sections), "a block that fits stays whole"


@pytest.mark.parametrize("seed", range(50))
def test_the_stated_tokens_are_rather_too_high(seed: int) -> None:
    """For text that is of one kind throughout, as the blocks of a page mostly are."""
    source = random.Random(seed)
    letters = source.choice(ALPHABETS)
    long = " ".join("".join(source.choices(letters, k=source.randint(2, 9))) for _ in range(2000))
    for section in sections_of(f"# Long\n\n{long}", 200):
        assert count(section.text) <= section.tokens <= 200


@pytest.mark.parametrize("seed", range(50))
def test_the_number_of_sections_is_small(seed: int) -> None:
    source = random.Random(seed)
    markdown = "\n\n".join(some_block(source) for _ in range(30))
    parts = blocks(markdown)
    counts = [count(part.text) for part in parts]
    limit = max(400, *counts)
    sections = pack(parts, counts, limit)
    assert len(sections) <= 2 * (sum(counts) + len(counts)) / limit + 1


def test_a_page_that_fits_is_one_section() -> None:
    markdown = "\n\n".join(f"## H{n}\n\n{prose(5)}" for n in range(20))
    assert [section.title for section in sections_of(markdown, 400)] == ["H0"]
    assert sections_of(markdown, 400)[0].text == markdown


def test_large_sections_follow_the_headings() -> None:
    markdown = "# Title\n\n" + "\n\n".join(f"## H{n}\n\n{prose(20)}\n\n{prose(20)}" for n in range(5))
    sections = sections_of(markdown, 120)
    assert [section.title for section in sections] == ["Title", "H1", "H2", "H3", "H4"]
    assert all(section.text.startswith(f"## H{n}") for n, section in enumerate(sections) if n)


def test_small_neighbours_are_merged_at_headings() -> None:
    markdown = "\n\n".join(f"## H{n}\n\n{prose(20)}" for n in range(9))
    sections = sections_of(markdown, 150)
    assert [section.title for section in sections] == ["H0", "H3", "H6"]


def test_lower_headings_are_cut_at_before_text_is() -> None:
    markdown = f"## A\n\n{prose(10)}\n\n### B\n\n{prose(10)}\n\n{prose(10)}\n\n### C\n\n{prose(10)}\n\n{prose(10)}"
    assert [section.title for section in sections_of(markdown, 75)] == ["A", "C"]


def test_no_section_ends_in_a_heading() -> None:
    for size in range(10, 60):
        markdown = "\n\n".join(f"## H{n}\n\n{prose(size)}\n\n### I{n}\n\n{prose(size)}" for n in range(4))
        for section in sections_of(markdown, 150):
            assert not section.text.splitlines()[-1].startswith("#")


def test_the_last_section_is_not_tiny() -> None:
    markdown = "\n\n".join(prose(10) for _ in range(21))
    sizes = [section.tokens for section in sections_of(markdown, 420)]
    assert len(sizes) == 2 and min(sizes) > 0.8 * max(sizes)


def test_a_long_paragraph_is_cut_at_sentences_into_equal_parts() -> None:
    paragraph = " ".join(f"Sentence number {n} is about the grey seal." for n in range(60))
    sections = sections_of(f"## Seals\n\n{paragraph}", 400)
    assert [section.title for section in sections] == ["Seals", *(f"Seals ({n})" for n in range(2, len(sections) + 1))]
    assert all(section.text.rstrip().endswith("seal.") for section in sections)
    assert all(re.match(r"(## Seals\n\n)?Sentence", section.text) for section in sections)
    assert min(section.tokens for section in sections) > 0.6 * max(section.tokens for section in sections)


def test_japanese_is_cut_at_its_full_stops() -> None:
    sections = sections_of("味噌は大豆と塩と麹からつくる。" * 40, 120)
    assert len(sections) > 1 and all(section.text.endswith("。") for section in sections)


def test_a_long_table_is_cut_between_rows() -> None:
    table = "| n | square |\n| --- | --- |\n" + "\n".join(f"| {n} | {n * n} |" for n in range(200))
    sections = sections_of(table, 300)
    assert len(sections) > 1
    assert all(line.count("|") == 3 for section in sections for line in section.text.splitlines())


def test_a_word_without_end_is_cut_anywhere() -> None:
    sections = sections_of("x" * 5000, 100)
    assert "".join(section.text for section in sections) == "x" * 5000
    assert all(section.tokens <= 100 for section in sections)


def test_sections_without_headings_are_numbered() -> None:
    sections = sections_of("\n\n".join(prose(30) for _ in range(3)), 70)
    assert [section.title for section in sections] == ["Part 1", "Part 2", "Part 3"]


def test_wrong_input_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        pack([], [], 0)
    with pytest.raises(ValueError, match="zip"):
        pack([Block("a", ())], [], 10)
