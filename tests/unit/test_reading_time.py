"""How long a summary still takes, from what was measured."""

from __future__ import annotations

from typing import Any

import pytest
from amplifier_browser.reading_time import Pace, Paces, ReadingTime, rounded
from amplifier_browser.storage import Storage

PACE = Pace(reads=100, writes=10)


def usage(reads: float = 100, writes: float = 10, written: int = 60, fresh: int = 500) -> dict[str, Any]:
    return {
        "input_tokens": fresh,
        "cache_read_tokens": 0,
        "output_tokens": written,
        "prefill_tokens_per_second": reads,
        "tokens_per_second": writes,
    }


class Kept:
    """The extension's storage."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    async def call(self, name: str, names: list[str] | None = None, **values: Any) -> Any:
        if name == "settings.set":
            self.values.update(values)
        return {each: self.values[each] for each in names or [] if each in self.values}


def test_nothing_is_told_before_anything_was_measured() -> None:
    assert ReadingTime(None, [1000, 1000], 50, 100).seconds_left is None


def test_all_that_is_left_counts() -> None:
    time = ReadingTime(PACE, [1000, 1000, 1000], writes=50, whole=100)
    # 3 x 1000 and 3 notes of 50 to read, 3 notes of 50 and a summary of 100 to write
    assert time.seconds_left == rounded(31.5 + 25)


def test_a_page_that_fits_has_nothing_to_sum_up() -> None:
    assert ReadingTime(PACE, [1000], writes=100).seconds_left == 20


def test_it_counts_down_while_the_model_reads_and_writes() -> None:
    time = ReadingTime(PACE, [1000], writes=200)
    told = [time.seconds_left]
    time.read(500, 1000, 5)
    told.append(time.seconds_left)
    for _ in range(100):
        time.wrote()
    told.append(time.seconds_left)
    assert told == [30, 20, 10]


def test_the_engine_s_own_word_on_the_prompt_at_hand_is_believed() -> None:
    time = ReadingTime(PACE, [1000, 1000], writes=0)
    time.read(500, 1000, 10)  # half of it took twice as long as it used to
    assert time.seconds_left == 30
    assert time.pace == Pace(reads=50, writes=10)


def test_answers_that_came_out_shorter_make_the_rest_shorter() -> None:
    time = ReadingTime(PACE, [100, 100, 100], writes=600)
    time.finished(usage(written=200))
    time.begin(1)
    assert time.seconds_left == rounded(2 + 40)


def test_the_summing_up_comes_last() -> None:
    time = ReadingTime(PACE, [1000, 1000], writes=500, whole=200)
    time.begin(2)
    assert time.seconds_left == 30
    time.finished(usage())
    assert time.seconds_left is None


def test_a_summary_that_is_gone_on_with_counts_what_is_left() -> None:
    assert ReadingTime(PACE, [1000, 1000, 1000], writes=100, done=2).seconds_left == 20


def test_an_answer_longer_than_expected_takes_no_negative_time() -> None:
    time = ReadingTime(PACE, [100, 1000], writes=10)
    for _ in range(50):
        time.wrote()
    assert time.seconds_left == 10


@pytest.mark.parametrize(
    ("seconds", "told"), [(None, None), (2, None), (7, 5), (17, 15), (44, 40), (88, 90), (100, 100), (110, 120), (400, 420)]
)
def test_a_number_is_as_coarse_as_the_estimate(seconds: float | None, told: float | None) -> None:
    assert rounded(seconds) == told
    assert rounded(told) == told


def test_a_prompt_from_the_cache_says_nothing_of_how_fast_the_model_reads() -> None:
    assert Pace.of(usage(fresh=3), None) is None
    assert Pace.of(usage(reads=1, fresh=3, writes=20), PACE) == Pace(reads=100, writes=15)
    assert Pace.of(usage(written=1, reads=200, writes=999), PACE) == Pace(reads=150, writes=10)


async def test_the_pace_of_each_model_is_kept() -> None:
    kept = Kept()
    await Paces(Storage(kept.call)).learn("small", usage(reads=300, writes=30))
    await Paces(Storage(kept.call)).learn("large", usage(reads=40, writes=4))
    again = Paces(Storage(kept.call))
    assert await again.of("small") == Pace(300, 30)
    assert await again.of("large") == Pace(40, 4)
    assert await again.of("other") is None


@pytest.mark.parametrize("stored", [None, "x", {"small": 3}, {"small": {"reads": 0, "writes": 1}}, {"small": {"reads": "?"}}])
async def test_a_pace_that_makes_no_sense_is_none(stored: Any) -> None:
    kept = Kept()
    kept.values["paces"] = stored
    paces = Paces(Storage(kept.call))
    assert await paces.of("small") is None
    await paces.learn("small", usage())
    assert await paces.of("small") == PACE


async def test_an_answer_that_tells_nothing_is_not_stored() -> None:
    kept = Kept()
    paces = Paces(Storage(kept.call))
    await paces.learn("small", usage(fresh=3))
    assert kept.values == {}
