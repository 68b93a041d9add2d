"""Fusion, diversity, and the threshold below which nothing answers."""

from __future__ import annotations

from amplifier_browser.documents.chunks import Chunk
from amplifier_browser.documents.library import Found, Hit
from amplifier_browser.documents.ranking import Match, diverse, fuse, is_answerable, match_words

SEALS = "Grey seals eat sand eels in the North Sea."
OWLS = "Owls hunt at night and swallow mice whole."
TAXES = "Invoice INV-2041 is due on the third of May."


def hit(id: str, text: str, score: float, heading: str = "") -> Hit:
    return Hit(Chunk(id, "d", 0, text, heading), score)


def order(question: str, found: Found) -> list[str]:
    return [each.chunk.id for each in fuse(question, found)]


def test_words_decide_between_passages_of_like_meaning() -> None:
    found = Found(vectors=[hit("owls", OWLS, 0.52), hit("seals", SEALS, 0.5)], total=2)
    assert order("What do seals eat?", found) == ["seals", "owls"]


def test_meaning_decides_where_no_words_are_shared() -> None:
    found = Found(vectors=[hit("owls", OWLS, 0.6), hit("seals", SEALS, 0.3)], total=2)
    assert order("Which bird is awake after dark?", found) == ["owls", "seals"]


def test_a_passage_that_only_keywords_found_is_a_candidate() -> None:
    found = Found(keywords=[hit("taxes", TAXES, 9.0)], vectors=[hit("owls", OWLS, 0.2), hit("seals", SEALS, 0.1)], total=3)
    assert order("INV-2041", found)[0] == "taxes"


def test_each_passage_is_there_once() -> None:
    found = Found(keywords=[hit("owls", OWLS, 5.0)], vectors=[hit("owls", OWLS, 0.6)], total=1)
    ranked = fuse("owls", found)
    assert [(each.chunk.id, each.cosine) for each in ranked] == [("owls", 0.6)]


def test_headings_count_as_words() -> None:
    hours, prices = match_words("opening hours", ["Opening hours\nMonday to Friday, nine to five.", "Prices\nTwo for a pound."])
    assert hours.covered == 1
    assert prices.covered == prices.share == 0


def test_words_in_other_forms_are_the_same() -> None:
    package, parcel = match_words("installing packages", ["How a package is installed.", "How a parcel is sent."])
    assert package.covered == 1
    assert parcel.covered == 0


def test_shares_are_shares() -> None:
    assert match_words("", [SEALS]) == [Match(0.0, 0.0)]
    assert match_words("seals", []) == []
    often, once = match_words("seals mice", ["seals " * 500, "One of the seals."])
    assert 0 < once.share < often.share < 1
    assert once.covered == often.covered < 1


def test_what_says_the_same_is_taken_once() -> None:
    found = Found(
        vectors=[hit("a", SEALS, 0.9), hit("copy", f"{SEALS} Really.", 0.89), hit("b", OWLS, 0.4)],
        total=3,
    )
    assert [each.chunk.id for each in diverse(fuse("seals", found))] == ["a", "b"]


def test_the_likeness_of_passages_costs_them_their_place() -> None:
    alike = "Grey seals eat sand eels, and their pups drink milk for weeks."
    found = Found(vectors=[hit("a", SEALS, 0.6), hit("alike", alike, 0.55), hit("b", OWLS, 0.54)], total=3)
    ranked = fuse("zzz", found)
    assert [each.chunk.id for each in ranked] == ["a", "alike", "b"]
    assert [each.chunk.id for each in diverse(ranked)] == ["a", "b", "alike"]


def test_no_more_than_asked_for() -> None:
    found = Found(vectors=[hit(str(i), f"Number {i} {'abcdefghij'[i]}", 0.9 - i / 100) for i in range(10)], total=10)
    assert len(diverse(fuse("number", found), 3)) == 3
    assert diverse([], 3) == []


def test_nothing_near_is_no_answer() -> None:
    far = Found(vectors=[hit("owls", OWLS, 0.21), hit("seals", SEALS, 0.18)], total=2)
    assert not is_answerable(fuse("Who won the election in Peru?", far))
    assert not is_answerable([])


def test_near_by_meaning_or_by_words_is_an_answer() -> None:
    by_meaning = Found(vectors=[hit("owls", OWLS, 0.6)], total=1)
    assert is_answerable(fuse("Which bird is awake after dark?", by_meaning))
    without_vectors = Found(keywords=[hit("taxes", TAXES, 9.0), hit("owls", OWLS, 0.1)], total=2, pending=2)
    assert is_answerable(fuse("invoice INV-2041", without_vectors))
    assert not is_answerable(fuse("the election in Peru in May", without_vectors))
    by_name = Found(keywords=[hit("taxes", TAXES, 9.0)], vectors=[hit("owls", OWLS, 0.2)], total=2)
    assert is_answerable(fuse("INV-2041", by_name))
