"""The prediction of how fast models are: what it must do whatever the machine, and how near it comes to measured rates."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from amplifier_browser.models.speed import (
    MILLION,
    WRITING,
    Corrections,
    CpuForecast,
    GpuForecast,
    Measured,
    Probe,
    Rates,
    Size,
    likeliest,
    read_seconds,
    write_seconds,
)

LAPTOP = Probe(sync_seconds=3e-4, kernel_seconds=15e-6, weight_bytes_per_second=100e9, flops=1.5e12)
TINY, STARTER = Size(3, 2), Size(135, 30)
ONE_B, EIGHT_B = Size(1236, 16), Size(8030, 32)
NONE = Corrections()


def off(found: float, truth: float) -> float:
    """By which factor."""
    return math.exp(abs(math.log(found / truth)))


# -- the model of a token


def test_writing_is_weights_by_bandwidth_and_kernels_by_their_start() -> None:
    weights = 1236 * MILLION * 4.5 / 8 / 100e9
    starts = (16 * 10 + 8) * 15e-6 + 3e-4 + WRITING
    assert write_seconds(ONE_B, LAPTOP, NONE) == pytest.approx(weights + starts)
    assert write_seconds(ONE_B, LAPTOP, Corrections(2, 3)) == pytest.approx(2 * weights + 3 * starts)


def test_reading_is_multiplications_and_kernels_shared_by_a_chunk() -> None:
    work, starts = 2 * 1236 * MILLION / 1.5e12, (16 * 10 + 8) * 15e-6 + 3e-4
    chunk = (0.6 - starts) / work // 16 * 16
    assert read_seconds(ONE_B, LAPTOP, NONE, 1000) == pytest.approx(work + starts / chunk)
    assert read_seconds(ONE_B, LAPTOP, NONE, 32) == pytest.approx(work + starts / 32)


def test_a_slow_machine_reads_in_the_smallest_chunks() -> None:
    slow = replace(LAPTOP, flops=1e9)
    work, starts = 2 * 135 * MILLION / 1e9, (30 * 10 + 8) * 15e-6 + 3e-4
    assert read_seconds(STARTER, slow, NONE) == pytest.approx(work + starts / 16)


def test_unknown_layers_are_the_usual_number() -> None:
    assert Size(8030).kernels == EIGHT_B.kernels
    assert Size(70_000).kernels > Size(8030).kernels


@pytest.mark.parametrize("name", ["weight_bytes_per_second", "flops"])
def test_a_better_card_is_never_slower(name: str) -> None:
    better = replace(LAPTOP, **{name: 2 * getattr(LAPTOP, name)})
    for size in (TINY, STARTER, ONE_B, EIGHT_B):
        assert write_seconds(size, better, NONE) <= write_seconds(size, LAPTOP, NONE)
        assert read_seconds(size, better, NONE) <= read_seconds(size, LAPTOP, NONE)


def test_a_larger_model_is_slower() -> None:
    forecast = GpuForecast(LAPTOP, [])
    rates = [forecast.rates(Size(parameters, 28)) for parameters in (100, 400, 1600, 6400, 25600)]
    assert all(a.reads > b.reads and a.writes > b.writes for a, b in pairwise(rates))


# -- the corrections


def test_without_measurements_nothing_but_the_usual_is_corrected() -> None:
    assert likeliest([]) == NONE
    assert likeliest([], 0.5) == Corrections(0.5, 1)


@pytest.mark.parametrize(("work", "starts"), [(1.3, 1.0), (0.8, 1.6), (1.5, 2.5), (0.7, 0.6)])
def test_two_different_models_tell_both_corrections(work: float, starts: float) -> None:
    truth = Corrections(work, starts)
    sizes = (TINY, EIGHT_B)
    found = likeliest(
        [(lambda by, size=size: write_seconds(size, LAPTOP, by), write_seconds(size, LAPTOP, truth)) for size in sizes]
    )
    assert off(found.work, work) < 1.06 and off(found.starts, starts) < 1.06


def test_a_model_that_was_measured_is_predicted_as_it_was() -> None:
    forecast = GpuForecast(LAPTOP, [Measured(ONE_B, Rates(700, 60))])
    assert off(forecast.rates(ONE_B).writes, 60) < 1.1
    assert off(forecast.rates(ONE_B).reads, 700) < 1.1


def test_what_a_small_model_loses_is_not_laid_on_the_bandwidth() -> None:
    expected = GpuForecast(LAPTOP, []).rates(EIGHT_B).writes
    slowed = Rates(1000, GpuForecast(LAPTOP, []).rates(TINY).writes / 2)
    assert off(GpuForecast(LAPTOP, [Measured(TINY, slowed)]).rates(EIGHT_B).writes, expected) < 1.35


def test_what_a_large_model_loses_is_laid_on_the_bandwidth() -> None:
    expected = GpuForecast(LAPTOP, []).rates(Size(14_000, 40)).writes
    slowed = Rates(100, GpuForecast(LAPTOP, []).rates(EIGHT_B).writes / 2)
    found = GpuForecast(LAPTOP, [Measured(EIGHT_B, slowed)]).rates(Size(14_000, 40)).writes
    assert off(found, expected / 2) < 1.2


def test_the_reading_of_a_model_that_is_mostly_vocabulary_tells_nothing() -> None:
    fast = GpuForecast(LAPTOP, [Measured(TINY, Rates(100_000, 100))]).rates(EIGHT_B).reads
    assert fast == pytest.approx(GpuForecast(LAPTOP, []).rates(EIGHT_B).reads)


# -- measured in Chromium on SwiftShader, on two busy cores: the tiny model, then the starter


@pytest.mark.parametrize(
    ("probe", "tiny", "starter"),
    [
        (Probe(6e-4, 30e-6, 95e6, 0.7e9), Rates(3017, 55.1), Rates(6.5, 2.42)),
        (Probe(4e-4, 14e-6, 129e6, 0.8e9), Rates(1420, 19.0), Rates(4.0, 1.8)),
        (Probe(4e-4, 38e-6, 120e6, 0.8e9), Rates(710, 20.0), Rates(2.6, 2.2)),
    ],
)
def test_the_tiny_model_foretells_the_starter(probe: Probe, tiny: Rates, starter: Rates) -> None:
    found = GpuForecast(probe, [Measured(TINY, tiny)]).rates(STARTER)
    assert off(found.writes, starter.writes) < 1.6
    assert off(found.reads, starter.reads) < 2.6


# -- on the processor


def test_on_the_processor_the_rates_go_with_the_size() -> None:
    forecast = CpuForecast([Measured(TINY, Rates(900, 200)), Measured(STARTER, Rates(14, 12))])
    assert forecast.rates(STARTER) == Rates(14, 12)
    found = forecast.rates(Size(270, 30))
    assert (found.reads, found.writes) == (pytest.approx(7), pytest.approx(6))
