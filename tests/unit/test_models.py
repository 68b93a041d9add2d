"""The models section: what fits which machine, what is suggested, downloads in words, and models by address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from amplifier_browser.models.catalogue import Catalogue, Entry, Variant
from amplifier_browser.models.custom import NotAdded, repository
from amplifier_browser.models.downloads import POLICY, PROBLEMS, WAITS, line, problem
from amplifier_browser.models.fit import Adapter, Candidate, choose, fit, recommend, size
from amplifier_browser.models.shape import shape
from panel_harness import Panel

Message = dict[str, Any]

CONFIG: Message = {
    "model_type": "llama",
    "quantization": "q4f16_1",
    "model_config": {"hidden_size": 64},
    "context_window_size": 8192,
}
SHA = "ab" * 32


def variant(name: str, quantization: str = "q4f16_1", gigabytes: float = 1.0, **changes: Any) -> Message:
    lib = f"https://libs.example/{name}-{quantization}.wasm"
    return {
        "id": f"{name}-{quantization}-MLC",
        "quantization": quantization,
        "base": f"https://huggingface.co/mlc-ai/{name}-{quantization}-MLC/resolve/main/",
        "lib": lib,
        "lib_sha256": SHA,
        "context_window": 4096,
        "vram_bytes": int(gigabytes * 1e9),
        "buffer_bytes": None,
        "size_bytes": int(gigabytes * 7e8),
        "needs": ["shader-f16"] if "f16" in quantization else [],
        "overrides": {"context_window_size": 4096},
        **changes,
    }


def model(name: str, parameters: int, *variants: Message, **changes: Any) -> Message:
    return {
        "id": name,
        "name": name.replace("-", " "),
        "publisher": "Someone",
        "licence": "MIT",
        "good_for": "Chat",
        "rank": 5,
        "is_special": False,
        "thinks": False,
        "parameters": parameters,
        "is_vision": False,
        "is_embedding": False,
        "calls_functions": False,
        "variants": list(variants),
        **changes,
    }


SMALL = model("Small-0.5B", 500, variant("Small", gigabytes=0.5), variant("Small", "q4f32_1", 0.7))
MIDDLE = model("Middle-1B", 1236, variant("Middle", gigabytes=0.9), variant("Middle", "q4f32_1", 1.2))
LARGE = model("Large-3B", 3200, variant("Large", gigabytes=2.3), variant("Large", "q4f32_1", 3.0))
CODER = model("Coder-3B", 3200, variant("Coder", gigabytes=2.3), is_special=True, rank=9)
THINKER = model("Thinker-3B", 3200, variant("Thinker", gigabytes=2.3), thinks=True, rank=9)
HUGE = model("Huge-70B", 70000, variant("Huge", gigabytes=40))
LIBRARY = {
    "lib": "models/starter/library.wasm",
    "lib_sha256": SHA,
    "shape": shape(CONFIG),
    "parameters": 135,
    "vram_bytes": 200_000_000,
    "size_bytes": 90_000_000,
    "needs": [],
    "context_window": 2048,
}
CATALOGUE = {"models": [HUGE, CODER, THINKER, LARGE, SMALL, MIDDLE], "libraries": [LIBRARY]}
GOOD = {"description": "Test GPU", "f16": True, "max_buffer": 4 << 30, "max_storage_binding": 2 << 30, "memory": 8}


def adapter(**changes: Any) -> Adapter:
    return Adapter.of({**GOOD, **changes})


def entry(facts: Message) -> Entry:
    return Entry.of(facts)


def candidates(of: Adapter | None, facts: list[Message] | None = None) -> list[Candidate]:
    found = []
    for each in facts or CATALOGUE["models"]:
        chosen, fits = choose(entry(each), of)
        found.append(Candidate(entry(each), chosen, fits, chosen.lib_sha256 is not None))
    return found


# -- what fits


@pytest.mark.parametrize(
    ("changes", "gigabytes", "fits"),
    [
        ({"memory": 8}, 2.0, "yes"),
        ({"memory": 8}, 5.0, "tight"),
        ({"memory": 8}, 9.0, "unknown"),
        ({"memory": 4}, 1.5, "yes"),
        ({"memory": 4}, 2.5, "tight"),
        ({"memory": 4}, 5.0, "no"),
        ({"memory": 32}, 9.0, "yes"),
        ({"memory": None}, 1.0, "unknown"),
        ({"f16": False}, 1.0, "no"),
    ],
)
def test_a_model_fits_by_memory_and_features(changes: Message, gigabytes: float, fits: str) -> None:
    found = fit(entry(MIDDLE), Variant.of(variant("Middle", gigabytes=gigabytes)), adapter(**changes))
    assert found.fits == fits and found.why.endswith(".")


def test_each_refusal_says_what_is_missing() -> None:
    wide = Variant.of(variant("Wide", buffer_bytes=200 << 20))
    narrow = adapter(max_storage_binding=128 << 20)
    assert "buffers of 210 MB; this graphics card allows 134 MB" in fit(entry(MIDDLE), wide, narrow).why
    assert fit(entry(MIDDLE), wide, narrow).fits == "no"
    assert fit(entry(MIDDLE), wide, adapter()).fits == "yes"
    assert "graphics card only" in fit(entry(MIDDLE), wide, None).why
    assert "shader-f16" in fit(entry(MIDDLE), wide, adapter(f16=False)).why


def test_a_gpu_in_software_is_for_the_smallest_only() -> None:
    software = adapter(is_software=True)
    assert [choose(entry(each), software)[1].fits for each in (SMALL, MIDDLE)] == ["tight", "no"]


def test_half_precision_is_taken_where_it_is_there() -> None:
    assert choose(entry(MIDDLE), adapter())[0].quantization == "q4f16_1"
    assert choose(entry(MIDDLE), adapter(f16=False))[0].quantization == "q4f32_1"


def test_a_shorter_context_is_taken_only_where_the_long_one_does_not_fit() -> None:
    short = variant("Phi", gigabytes=2.5, id="Phi-1k", context_window=1024)
    phi = entry(model("Phi", 3800, variant("Phi", gigabytes=3.7), short))
    assert choose(phi, adapter(memory=16))[0].context_window == 4096
    assert choose(phi, adapter(memory=4))[0].context_window == 1024


# -- what is suggested


def test_the_best_general_model_that_fits_is_suggested() -> None:
    found = recommend(candidates(adapter()))
    assert found and found[0] == "Large-q4f16_1-MLC"
    assert found[1].startswith("The best general model that fits this computer well") and "2.3 GB" in found[1]


def test_a_small_machine_gets_a_small_one() -> None:
    found = recommend(candidates(adapter(memory=4)))
    assert found and found[0] == "Middle-q4f16_1-MLC"


def test_where_the_memory_is_not_known_the_safe_one_is_suggested() -> None:
    found = recommend(candidates(adapter(memory=None)))
    assert found and found[0] == "Middle-q4f16_1-MLC" and "does not tell" in found[1]


def test_models_under_a_billion_or_for_one_purpose_are_never_suggested() -> None:
    assert recommend(candidates(adapter(), [SMALL, CODER, THINKER])) is None
    assert recommend(candidates(None)) is None


def test_what_can_be_downloaded_is_suggested_before_what_cannot() -> None:
    refused = model("Large-3B", 3200, variant("Large", gigabytes=2.3, lib_sha256=None))
    found = recommend(candidates(adapter(), [refused, MIDDLE]))
    assert found and found[0] == "Middle-q4f16_1-MLC"


def test_what_a_model_is_bad_at_is_said() -> None:
    assert "too small for long pages" in entry(SMALL).about
    assert "thinks aloud" in entry(THINKER).about
    assert entry(MIDDLE).about == "Chat"


# -- in words


@pytest.mark.parametrize(
    ("download", "words"),
    [
        ({"state": "downloading", "bytes_per_second": 12e6, "seconds_left": 39.6}, "412 MB of 880 MB · 12 MB/s · 40 s left"),
        ({"state": "downloading", "bytes_per_second": 9e4, "seconds_left": 5200}, "412 MB of 880 MB · 90 kB/s · 1 h 27 min left"),
        ({"state": "downloading", "bytes_per_second": 1e6, "seconds_left": 468}, "412 MB of 880 MB · 1 MB/s · 8 min left"),
        ({"state": "downloading", "done": 0, "total": None}, "Starting"),
        ({"state": "downloading", "total": None}, "412 MB"),
        ({"state": "paused"}, "Paused · 412 MB of 880 MB"),
        ({"state": "downloading", "error": {"code": "stalled"}}, "412 MB of 880 MB · Nothing comes at the moment"),
        ({"state": "waiting"}, "No network; goes on by itself · 412 MB of 880 MB"),
        (
            {"state": "waiting", "error": {"code": "server"}},
            "The server has a problem; it is asked again by itself · 412 MB of 880 MB",
        ),
        (
            {"state": "waiting", "error": {"code": "stalled"}},
            "The server sends nothing; it is asked again by itself · 412 MB of 880 MB",
        ),
        ({"state": "partial"}, "Not complete · 412 MB of 880 MB"),
        ({"state": "complete", "done": 880e6}, "On this computer · 880 MB"),
        ({"state": "queued", "done": 0}, "Waits for its turn"),
        ({"state": "error", "done": 0}, "Stopped"),
    ],
)
def test_a_download_is_told_in_a_line(download: Message, words: str) -> None:
    whole = {"done": 412e6, "total": 880e6, "bytes_per_second": 0, "seconds_left": None, "error": None, **download}
    assert line(whole) == words


@pytest.mark.parametrize("code", [*PROBLEMS, "failed", "something new"])
def test_each_problem_has_a_next_step(code: str) -> None:
    found = problem(code, "from the server", "m")
    assert found["title"] and found["detail"].endswith((".", "--models m")) and found["technical"] == "from the server"
    assert "{" not in found["detail"]
    if "action" in found:
        assert found["action"]["command"] == {"type": "resume-download", "model": "m"}


def test_sizes_are_round() -> None:
    assert [size(each) for each in (0, 90_400, 999_600_000, 1_340_000_000)] == ["0 kB", "90 kB", "1.0 GB", "1.3 GB"]


# -- models by address


@pytest.mark.parametrize(
    "address",
    [
        "https://huggingface.co/owner/Name-q4f16_1-MLC",
        "huggingface.co/owner/Name-q4f16_1-MLC/tree/main",
        "  owner/Name-q4f16_1-MLC ",
        "https://huggingface.co/owner/Name-q4f16_1-MLC?x=1#y",
    ],
)
def test_the_address_of_a_repository(address: str) -> None:
    assert repository(address) == ("owner", "Name-q4f16_1-MLC")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "hello",
        "http://huggingface.co/owner/name",
        "https://huggingface.co.evil.example/owner/name",
        "https://user@huggingface.co/owner/name",
        "https://huggingface.co:8443/owner/name",
        "https://evil.example/huggingface.co/owner/name",
        "https://huggingface.co/owner",
        "https://huggingface.co/../name",
        "https://huggingface.co/owner/..%2Fname",
        "javascript:alert(1)",
    ],
)
def test_other_addresses_are_refused_with_a_reason(address: str) -> None:
    with pytest.raises(NotAdded) as refused:
        repository(address)
    assert refused.value.problem["title"] and refused.value.problem["detail"]


# -- through the application


@pytest.fixture
async def panel() -> AsyncIterator[Panel]:
    panel = Panel()
    stored: Message = {}
    panel.calls["settings.get"] = lambda asked: {name: stored[name] for name in asked["names"] if name in stored}
    panel.calls["settings.set"] = stored.update
    panel.calls["models.catalogue"] = CATALOGUE
    panel.calls["gpu.adapter"] = GOOD
    panel.calls["storage.sizes"] = {"usage": 500, "quota": 10_000, "documents": 3_000_000, "conversations": 2_000_000}
    panel.connect(bytes=90_000_000, licence="Apache-2.0", parameters=135)
    yield panel
    await panel.close()


def told(panel: Panel) -> Message:
    return next((event for event in reversed(panel.events) if event["type"] == "models"), {})


def item(panel: Panel, model_id: str) -> Message:
    return next((each for each in told(panel).get("models", []) if each["id"] == model_id), {})


def notices(panel: Panel) -> list[Message]:
    return [event for event in panel.events if event["type"] == "notice"]


async def opened(panel: Panel) -> Message:
    panel.send(type="show-models")
    await panel.until(lambda: told(panel))
    return told(panel)


def download(model_id: str, state: str, **changes: Any) -> Message:
    whole = {"model": model_id, "state": state, "done": 412_000_000, "total": 880_000_000}
    return {**whole, "bytes_per_second": 12e6, "seconds_left": 40, "error": None, **changes}


LARGE_ID = "Large-q4f16_1-MLC"


async def test_the_list_begins_with_the_packages_own_and_the_suggestion(panel: Panel) -> None:
    models = (await opened(panel))["models"]
    assert [each["id"] for each in models[:2]] == ["scripted", LARGE_ID]
    assert models[0]["is_bundled"] and models[0]["is_loaded"] and models[0]["state"] == "complete"
    assert models[0]["size_bytes"] == 90_000_000
    assert models[1]["is_recommended"] and models[1]["reason"]
    assert sum(each["is_recommended"] for each in models) == 1
    assert models[-1]["id"] == "Huge-q4f16_1-MLC" and models[-1]["fits"] == "unknown"
    assert len(models) == len(CATALOGUE["models"]) + 1


async def test_without_a_graphics_card_only_the_packages_own_fits(panel: Panel) -> None:
    panel.calls["gpu.adapter"] = None
    shown = await opened(panel)
    assert shown["adapter"] is None
    assert {each["fits"] for each in shown["models"] if not each["is_bundled"]} == {"no"}
    assert not any(each["is_recommended"] for each in shown["models"])


async def test_without_half_precision_the_other_variant_is_listed_and_downloaded(panel: Panel) -> None:
    panel.calls["gpu.adapter"] = {**GOOD, "f16": False}
    await opened(panel)
    panel.send(type="download-model", model="Large-q4f32_1-MLC")
    await panel.until(lambda: panel.models_asked)
    spec = panel.models_asked[0]["model"]
    assert (spec["id"], spec["needs"], spec["lib_sha256"]) == ("Large-q4f32_1-MLC", [], SHA)
    expected = {"id", "name", "base", "lib", "lib_sha256", "licence", "parameters", "context_window", "vram_bytes", "needs"}
    assert set(spec) == expected | {"overrides", "is_vision"}


async def test_a_model_without_a_known_program_is_refused_in_words(panel: Panel) -> None:
    refused = [model("Large-3B", 3200, variant("Large", gigabytes=2.3, lib_sha256=None))]
    panel.calls["models.catalogue"] = {"models": refused, "libraries": []}
    assert "build.py package --models" in (await opened(panel))["note"]
    panel.send(type="download-model", model=LARGE_ID)
    await panel.until(lambda: item(panel, LARGE_ID).get("problem"))
    assert f"python3 build.py package --models {LARGE_ID}" in item(panel, LARGE_ID)["problem"]["detail"]
    assert panel.models_asked == []


async def test_a_download_goes_from_line_to_line(panel: Panel) -> None:
    await opened(panel)
    panel.models_answer = lambda _request: None
    panel.send(type="download-model", model=LARGE_ID)
    await panel.until(lambda: panel.models_asked)
    panel.tell_downloads(download(LARGE_ID, "downloading"), models=412_000_000)
    await panel.until(lambda: item(panel, LARGE_ID).get("state") == "downloading")
    shown = item(panel, LARGE_ID)
    assert shown["detail"] == "412 MB of 880 MB · 12 MB/s · 40 s left" and 0.46 < shown["progress"] < 0.47
    assert shown["size_bytes"] == 880_000_000 and not shown["is_size_estimated"]
    panel.tell_downloads(download(LARGE_ID, "complete", done=880_000_000), models=880_000_000)
    await panel.until(lambda: item(panel, LARGE_ID).get("state") == "complete")
    assert notices(panel)[-1]["action"]["command"] == {"type": "choose-model", "model": LARGE_ID}


async def test_commands_reach_the_background(panel: Panel) -> None:
    await opened(panel)
    panel.tell_downloads(download(LARGE_ID, "downloading"))
    for command in ("pause-download", "cancel-download", "delete-model"):
        panel.send(type=command, model=LARGE_ID)
    await panel.until(lambda: len(panel.models_asked) == 3)
    assert [(each["type"], each["model"]) for each in panel.models_asked] == [
        ("models.pause", LARGE_ID),
        ("models.cancel", LARGE_ID),
        ("models.delete", LARGE_ID),
    ]
    panel.send(type="resume-download", model=LARGE_ID)
    await panel.until(lambda: len(panel.models_asked) == 4)
    assert panel.models_asked[-1]["type"] == "models.download" and panel.models_asked[-1]["model"]["id"] == LARGE_ID
    assert panel.models_asked[-1]["policy"] == POLICY


def test_what_is_tried_again_by_itself_has_words_and_waits_longer_each_time() -> None:
    assert set(POLICY["passing"]) == set(WAITS) <= set(PROBLEMS)
    waits = POLICY["waits"]
    assert waits == sorted(set(waits)) and 0 < waits[0] <= 1 and waits[-1] <= 60
    assert POLICY["quiet"] < POLICY["silence"] and POLICY["fetches"] >= 2


async def test_a_failed_download_says_why_and_what_to_do(panel: Panel) -> None:
    await opened(panel)
    panel.tell_downloads(download(LARGE_ID, "error", error={"code": "moved", "message": "cdn.example"}))
    await panel.until(lambda: item(panel, LARGE_ID).get("problem"))
    found = item(panel, LARGE_ID)["problem"]
    assert "another server" in found["title"] and found["technical"] == "cdn.example"


async def test_a_request_that_fails_without_a_broadcast_is_told_too(panel: Panel) -> None:
    await opened(panel)
    panel.models_answer = lambda _request: {"type": "error", "code": "no-space", "message": "needs 900 MB"}
    panel.send(type="download-model", model=LARGE_ID)
    await panel.until(lambda: item(panel, LARGE_ID).get("problem"))
    assert "not enough space" in item(panel, LARGE_ID)["problem"]["title"]
    panel.models_answer = lambda _request: None
    panel.send(type="resume-download", model=LARGE_ID)
    await panel.until(lambda: "problem" not in item(panel, LARGE_ID))


@pytest.mark.parametrize("code", ["paused", "cancelled"])
async def test_a_download_that_the_user_ended_is_no_problem(panel: Panel, code: str) -> None:
    await opened(panel)
    panel.models_answer = lambda _request: {"type": "error", "code": code, "message": ""}
    panel.send(type="download-model", model=LARGE_ID)
    await panel.until(lambda: panel.models_asked)
    panel.send(type="show-models")
    before = len(panel.events)
    await panel.until(lambda: any(event["type"] == "models" for event in panel.events[before:]))
    assert "problem" not in item(panel, LARGE_ID)


async def test_a_standstill_is_in_the_timeline_once_and_so_is_its_end(panel: Panel) -> None:
    await opened(panel)
    for state in ("downloading", "waiting", "checking", "waiting", "checking"):
        error = {"code": "server", "message": "503"} if state == "waiting" else None
        panel.tell_downloads(download(LARGE_ID, state, error=error))
    panel.tell_downloads(download(LARGE_ID, "downloading", done=500_000_000))
    panel.tell_downloads(download(LARGE_ID, "downloading", done=500_000_000, error={"code": "stalled", "message": ""}))
    await panel.until(lambda: len(timeline(panel)) == 3)
    assert timeline(panel) == [
        ("warning", "Large 3B: The server has a problem; it is asked again by itself"),
        ("info", "Large 3B: the download goes on"),
        ("warning", "Large 3B: Nothing comes at the moment"),
    ]


def timeline(panel: Panel) -> list[tuple[str, str]]:
    """What the timeline says of the large model."""
    entries = next((each["entries"] for each in reversed(panel.events) if each["type"] == "timeline"), [])
    return [(each["level"], each["text"]) for each in entries if each["text"].startswith("Large")]


async def test_a_download_that_fails_unseen_is_told_in_a_line(panel: Panel) -> None:
    await opened(panel)
    panel.send(type="hide-models")
    panel.tell_downloads(download(LARGE_ID, "downloading"))
    before = sum(event["type"] == "models" for event in panel.events)
    panel.tell_downloads(download(LARGE_ID, "error", error={"code": "disk-full", "message": "QuotaExceededError"}))
    await panel.until(lambda: notices(panel))
    assert "Large 3B: The disk is full." in notices(panel)[-1]["text"]
    assert sum(event["type"] == "models" for event in panel.events) == before


async def test_a_check_tells_what_is_missing_and_offers_to_complete_it(panel: Panel) -> None:
    await opened(panel)
    panel.models_answer = lambda _request: {"type": "models.verified", "missing": ["a.bin"], "wrong": ["b.bin"]}
    panel.send(type="check-model", model=LARGE_ID)
    await panel.until(lambda: notices(panel))
    assert "2 files are missing or damaged" in notices(panel)[-1]["text"]
    assert notices(panel)[-1]["action"]["command"] == {"type": "resume-download", "model": LARGE_ID}
    panel.models_answer = lambda _request: {"type": "models.verified", "missing": [], "wrong": []}
    panel.send(type="check-model", model=LARGE_ID)
    await panel.until(lambda: "all files are there" in notices(panel)[-1]["text"])


async def test_the_variant_that_is_downloaded_is_listed_whatever_suits_better(panel: Panel) -> None:
    await opened(panel)
    panel.tell_downloads(download("Large-q4f32_1-MLC", "partial"))
    await panel.until(lambda: item(panel, "Large-q4f32_1-MLC"))
    assert not item(panel, LARGE_ID)
    assert told(panel)["models"][1]["id"] == "Large-q4f32_1-MLC"


async def test_storage_is_told_by_what_it_is_for(panel: Panel) -> None:
    await opened(panel)
    panel.tell_downloads(usage=900_000_000, quota=60_000_000_000, models=880_000_000)
    await panel.until(lambda: told(panel)["storage"]["usage"] == 900_000_000)
    storage = told(panel)["storage"]
    assert [(each["label"], each["text"]) for each in storage["lines"]] == [
        ("Models", "880 MB"),
        ("Documents", "3 MB"),
        ("Conversations", "2 MB"),
        ("Indexes and the rest", "15 MB"),
    ]
    assert storage["text"] == "900 MB used; the browser allows 60.0 GB"


ADDRESS = "https://huggingface.co/owner/Fine-tuned-q4f16_1-MLC"
CUSTOM = "owner--Fine-tuned-q4f16_1-MLC"


async def test_a_model_by_address_runs_with_a_known_library_of_its_shape(panel: Panel) -> None:
    await opened(panel)
    asked: list[Message] = []
    panel.calls["models.config"] = lambda about: asked.append(about) or {"config": CONFIG}
    panel.send(type="add-model", address=ADDRESS)
    await panel.until(lambda: told(panel).get("added"))
    assert asked == [{"url": f"{ADDRESS}/resolve/main/mlc-chat-config.json"}]
    assert told(panel)["added"] == {"address": ADDRESS, "model": CUSTOM, "problem": None}
    shown = item(panel, CUSTOM)
    assert (shown["name"], shown["context_window"], shown["is_custom"]) == ("Fine tuned", 2048, True)
    panel.send(type="download-model", model=CUSTOM)
    await panel.until(lambda: panel.models_asked)
    spec = panel.models_asked[0]["model"]
    assert (spec["lib"], spec["lib_sha256"], spec["parameters"]) == ("models/starter/library.wasm", SHA, 135)

    other = Panel()
    other.calls = panel.calls
    other.connect()
    await opened(other)
    assert item(other, CUSTOM)["name"] == "Fine tuned"
    other.send(type="delete-model", model=CUSTOM)
    await other.until(lambda: not item(other, CUSTOM))
    await other.close()
    assert panel.calls["settings.get"]({"names": ["custom_models"]}) == {"custom_models": []}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"config": {**CONFIG, "quantization": "q3f16_1"}}, "No program for this kind of model"),
        ({"config": {"architectures": ["LlamaForCausalLM"]}}, "not one of MLC"),
        ({"error": "not-found", "detail": "404"}, "no model in MLC format"),
        ({"error": "offline", "detail": "TypeError"}, "No network"),
        ({"error": "server", "detail": "503"}, "could not be read"),
    ],
)
async def test_a_model_by_address_is_refused_with_a_reason(panel: Panel, answer: Message, words: str) -> None:
    await opened(panel)
    panel.calls["models.config"] = answer
    panel.send(type="add-model", address=ADDRESS)
    await panel.until(lambda: told(panel).get("added"))
    added = told(panel)["added"]
    assert added["model"] is None and words in added["problem"]["title"] and added["problem"]["detail"]
    assert not item(panel, CUSTOM)


async def test_a_model_of_the_list_is_not_added_twice(panel: Panel) -> None:
    await opened(panel)
    panel.send(type="add-model", address="mlc-ai/Large-q4f16_1-MLC")
    await panel.until(lambda: told(panel).get("added"))
    assert told(panel)["added"]["problem"]["title"] == "It is in the list already"


async def test_nothing_is_told_before_somebody_looks(panel: Panel) -> None:
    panel.tell_downloads(download(LARGE_ID, "downloading"))
    panel.send(type="prompt", id="u1", text="Hello")
    await panel.settled()
    await asyncio.sleep(0)
    assert not told(panel)


def test_an_empty_catalogue_is_one() -> None:
    assert Catalogue().entries == [] and Catalogue().find("x") is None


async def test_a_notice_has_the_models_name_though_nobody_has_looked_at_the_models(panel: Panel) -> None:
    panel.tell_downloads(download(LARGE_ID, "downloading"))
    panel.tell_downloads(download(LARGE_ID, "complete"))
    await panel.until(lambda: notices(panel))
    assert notices(panel)[-1]["text"] == "Large 3B is downloaded."
