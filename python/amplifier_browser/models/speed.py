"""How fast a model reads and writes on this machine: predicted from what was measured of the machine and of other models.

Writing a token, a graphics card reads all weights once and starts some kernels for each layer; reading a prompt, it multiplies
by all weights for each token, and starts the same kernels for each part of the prompt. Two corrections, of the work and of the
starts, make that the measured rates of models that were loaded here: the likeliest pair, given how far off the two mostly are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Message = dict[str, Any]

MILLION = 1_000_000
KERNELS_A_LAYER, KERNELS_BESIDES = 10, 8  # of WebLLM's libraries, counted on a llama
BITS = 4.5  # of a parameter, in the weights that are read
# How background/engines/interruptible-prefill.js cuts a prompt.
CHUNK_STEP, SECONDS_A_CHUNK = 16, 0.6
PROMPT = 1000  # tokens; what a rate of reading is told of
WRITING = 0.004  # seconds that WebLLM takes on the processor to choose a token and tell of it
# The libraries' kernels are tuned, and the probe's are not: the share of the probe's time that they mostly take.
READ_WORK, WRITE_WORK = 0.5, 0.6
# Millions: smaller models are little but their vocabulary, which is not multiplied by while a prompt is read.
LEAST_READER = 50
# How far from that a model is, mostly, how far off its starts, and how far a measurement: logarithms.
SPREAD_WORK, SPREAD_STARTS, SPREAD_MEASURED = math.log(1.5), math.log(3), math.log(1.1)
USUAL_LAYERS, LARGE_LAYERS, LARGE = 32, 80, 20_000  # of models whose parameters, in millions, are all that is known of them


@dataclass(frozen=True)
class Probe:
    """The graphics card: Probe in background/protocol.js."""

    sync_seconds: float
    kernel_seconds: float
    weight_bytes_per_second: float
    flops: float

    @classmethod
    def of(cls, facts: Message) -> Probe:
        """From JSON."""
        return cls(**{name: float(facts[name]) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class Size:
    """What a model has to do for a token. `parameters`: millions, 0 if they are not known; `layers` likewise."""

    parameters: float
    layers: int = 0

    @property
    def bytes(self) -> float:
        """Of the weights that are read for each token."""
        return self.parameters * MILLION * BITS / 8

    @property
    def kernels(self) -> float:
        """That are started for each token."""
        layers = self.layers or (USUAL_LAYERS if self.parameters <= LARGE else LARGE_LAYERS)
        return layers * KERNELS_A_LAYER + KERNELS_BESIDES


@dataclass(frozen=True)
class Rates:
    """Tokens a second."""

    reads: float
    writes: float


@dataclass(frozen=True)
class Corrections:
    """Factors."""

    work: float = 1.0
    starts: float = 1.0


Seconds = Callable[[Corrections], float]


def write_seconds(size: Size, probe: Probe, by: Corrections) -> float:
    """For a token of an answer."""
    return by.work * size.bytes / probe.weight_bytes_per_second + by.starts * (_starts(size, probe) + WRITING)


def read_seconds(size: Size, probe: Probe, by: Corrections, prompt: int = PROMPT) -> float:
    """For a token of a prompt of so many."""
    work = by.work * 2 * size.parameters * MILLION / probe.flops
    starts = by.starts * _starts(size, probe)
    steps = max(0.0, SECONDS_A_CHUNK - starts) / work // CHUNK_STEP
    return work + starts / min(max(1, steps) * CHUNK_STEP, prompt)


def _starts(size: Size, probe: Probe) -> float:
    return size.kernels * probe.kernel_seconds + probe.sync_seconds


@dataclass(frozen=True)
class Measured:
    """What a model that was loaded came to."""

    size: Size
    rates: Rates


class GpuForecast:
    """For a graphics card that was probed."""

    def __init__(self, probe: Probe, measured: Iterable[Measured]) -> None:
        """`measured`: models that ran on it; without any the prediction is as rough as it can be."""
        self._probe = probe
        known = list(measured)
        readers = [each for each in known if each.size.parameters >= LEAST_READER]
        reading = [(_for(read_seconds, each.size, probe), 1 / each.rates.reads) for each in readers]
        writing = [(_for(write_seconds, each.size, probe), 1 / each.rates.writes) for each in known]
        self._reads, self._writes = likeliest(reading, READ_WORK), likeliest(writing, WRITE_WORK)

    def rates(self, size: Size) -> Rates:
        """Of any model."""
        reads, writes = read_seconds(size, self._probe, self._reads), write_seconds(size, self._probe, self._writes)
        return Rates(1 / reads, 1 / writes)


class CpuForecast:
    """For the processor, where the time goes with the weights alone."""

    def __init__(self, measured: Sequence[Measured]) -> None:
        """`measured`: at least one model."""
        self._measured = measured

    def rates(self, size: Size) -> Rates:
        """Of any model, by the one that was measured and is nearest to it in size."""
        nearest = min(self._measured, key=lambda each: abs(math.log(each.size.parameters / size.parameters)))
        share = nearest.size.parameters / size.parameters
        return Rates(nearest.rates.reads * share, nearest.rates.writes * share)


Forecast = GpuForecast | CpuForecast


def _for(seconds: Callable[[Size, Probe, Corrections], float], size: Size, probe: Probe) -> Seconds:
    return lambda by: seconds(size, probe, by)


def likeliest(measured: Sequence[tuple[Seconds, float]], usual_work: float = 1.0) -> Corrections:
    """The corrections that make predictions the seconds that were measured, and are themselves not far-fetched."""

    def unlikeliness(work: float, starts: float) -> float:
        by = Corrections(usual_work * math.exp(work), math.exp(starts))
        off = sum((math.log(seconds(by) / truth) / SPREAD_MEASURED) ** 2 for seconds, truth in measured)
        return off + (work / SPREAD_WORK) ** 2 + (starts / SPREAD_STARTS) ** 2

    at, reach = (0.0, 0.0), 3.0
    while reach > 0.01:  # a grid around the best, finer and finer
        steps = [reach * step / 8 for step in range(-8, 9)]
        at = min(((at[0] + x, at[1] + y) for x in steps for y in steps), key=lambda each: unlikeliness(*each))
        reach /= 4
    return Corrections(usual_work * math.exp(at[0]), math.exp(at[1]))
