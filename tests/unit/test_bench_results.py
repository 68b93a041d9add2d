"""Benchmarks' results: what is printed, kept and judged."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from build_tools.bench import readme
from build_tools.bench.plots import Axis, Plot, draw, nice_step
from build_tools.bench.results import RESULTS, Result, Table, Target, keep, number
from build_tools.paths import ROOT

SVG = "{http://www.w3.org/2000/svg}"


def result(*targets: Target, plots: list[Plot] | None = None) -> Result:
    table = Table("Two ways", ["way", "ms"], [["ours", 12.34], ["the other's", 1234.5]])
    return Result("sample", [table], list(targets), plots or [], {"runs": [1, 2, 3]})


@pytest.mark.parametrize(
    ("value", "at_most", "kept"),
    [(0.6, True, True), (0.61, True, False), (0.6, False, True), (0.59, False, False), (float("nan"), True, False)],
)
def test_a_target_is_kept_up_to_its_limit(value: float, at_most: bool, kept: bool) -> None:
    assert Target("share", value, 0.6, at_most).kept is kept


def test_a_missed_target_is_printed_and_makes_the_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missed, kept = Target("longest task", 80, 50, unit="ms"), Target("rate", 0.99, 0.98, at_most=False)
    assert keep(result(missed, kept), "bench sample", folder=tmp_path) == 1
    printed = capsys.readouterr().out.splitlines()
    assert "MISSED  longest task: 80 ms (at most 50 ms)" in printed
    assert "kept    rate: 0.99 (at least 0.98)" in printed


def test_targets_that_are_kept_make_the_status_0(tmp_path: Path) -> None:
    assert keep(result(Target("a", 1, 2)), "bench sample", folder=tmp_path) == 0


def test_the_json_says_what_made_it(tmp_path: Path) -> None:
    keep(result(Target("a", 3, 2)), "bench sample", adapter="some card", folder=tmp_path)
    kept = json.loads((tmp_path / "sample.json").read_text())
    assert (kept["command"], kept["adapter"]) == ("bench sample", "some card")
    assert set(kept["machine"]) == {"cpu", "cores", "memory_gb", "system"}
    assert {"chromium", "web-llm", "pyodide", "transformers", "wllama", "amplifier-browser"} == set(kept["versions"])
    assert kept["versions"]["pyodide"].count(".") == 2
    assert kept["targets"] == [{"what": "a", "value": 3, "limit": 2, "at_most": True, "unit": "", "kept": False}]
    assert kept["tables"][0]["rows"][1] == ["the other's", 1234.5]
    assert kept["raw"] == {"runs": [1, 2, 3]}


def test_a_table_is_aligned() -> None:
    assert result().tables[0].lines() == [
        "Two ways",
        "  way             ms",
        "  ours          12.3",
        "  the other's  1,234",
    ]


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (5, "5"), (0.12345, "0.123"), (99.96, "100"), (12345.6, "12,346"), (0.00012, "1.2e-04")]
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_line_plot_draws_each_series_from_left_to_right(tmp_path: Path) -> None:
    plot = Plot("turns", "Rate & turns", "turn", "tokens/s", {"ours": [(1, 10), (2, 20)], "raw": [(1, 12), (2, 18)]})
    keep(result(plots=[plot]), "bench sample", folder=tmp_path)
    drawn = ElementTree.parse(tmp_path / "sample-turns.svg").getroot()
    lines = [[tuple(map(float, p.split(","))) for p in line.attrib["points"].split()] for line in drawn.iter(f"{SVG}polyline")]
    assert len(lines) == 2
    for (x1, y1), (x2, y2) in lines:
        assert x1 < x2
        assert y1 > y2  # up is less in SVG
    words = [text.text for text in drawn.iter(f"{SVG}text")]
    assert {"Rate & turns", "turn", "tokens/s", "ours", "raw"} <= set(words)


def test_bars_are_as_long_as_their_numbers() -> None:
    plot = Plot("parts", "Parts", "part", "MB", {"raw": [(0, 10), (1, 40)]}, "bar", ["weights", "Pyodide"])
    drawn = ElementTree.fromstring(draw(plot))
    short, long = [float(bar.attrib["width"]) for bar in drawn.iter(f"{SVG}rect")]
    assert long == pytest.approx(4 * short, rel=0.01)
    assert {"weights", "Pyodide", "10", "40"} <= {text.text for text in drawn.iter(f"{SVG}text")}


def test_a_logarithmic_axis_marks_powers_of_ten() -> None:
    axis = Axis(1_000, 100_000, 0, 200, log=True)
    assert axis.ticks() == [1_000, 10_000, 100_000]
    assert [axis.place(tick) for tick in axis.ticks()] == pytest.approx([0, 100, 200])


def test_steps_between_marks_are_round() -> None:
    assert [nice_step(each) for each in (0.13, 0.9, 3, 7, 41)] == pytest.approx([0.2, 1, 5, 10, 50])


def test_the_readme_has_every_target_of_the_results(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    targets = Target("bytes", 1234567, 2_000_000, unit="B"), Target("rate", 0.5, 0.98, at_most=False)
    keep(Result("size", [], list(targets)), "bench size", folder=tmp_path)
    readme.refresh(tmp_path / "README.md", tmp_path)
    text = (tmp_path / "README.md").read_text()
    assert "| size: bytes | 1,234,567 B | at most 2,000,000 B | kept |" in text
    assert "| size: rate | 0.5 | at least 0.98 | **missed** |" in text
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text


def test_the_readme_shows_the_results_that_are_kept() -> None:
    assert readme.table(RESULTS) in (ROOT / "README.md").read_text()
