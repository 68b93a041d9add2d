"""The catalogue made of WebLLM's list, and libraries that are put into the package by their hash."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from amplifier_browser.models.catalogue import Catalogue
from amplifier_browser.models.shape import NoShape, shape
from build_tools.model_catalogue import FILE, catalogue, read_configuration, readable, write
from build_tools.model_families import family, parameters
from build_tools.model_vendor import Vendor
from build_tools.paths import NODE_MODULES
from build_tools.steps import BuildError

LLAMA = "Llama-3.2-1B-Instruct-q4f16_1-MLC"
LIBRARY = "Llama-3.2-1B-Instruct-q4f16_1_cs1k-webgpu.wasm"
WASM = b"\0asm\1\0\0\0"
CONFIG = {
    "model_type": "llama",
    "quantization": "q4f16_1",
    "model_config": {
        "hidden_size": 2048,
        "rope_theta": 500000,
        "context_window_size": 131072,
        "rope_scaling": {"b": 1, "a": 32.0},
    },
}


@pytest.fixture(scope="module")
def configuration() -> Any:
    if not (NODE_MODULES / "@mlc-ai" / "web-llm").exists():
        pytest.fail("npm packages are missing: run the tests with python3 build.py test")
    return read_configuration()


@pytest.fixture(scope="module")
def made(configuration: Any) -> Any:
    return catalogue(configuration, {})


def entry(made: Any, name: str) -> Any:
    return next(each for each in made["models"] if each["id"] == name)


SEED = ["Phi-3.5-mini-instruct", "Llama-3.2-1B-Instruct", "Qwen2.5-1.5B-Instruct"]
BETTER_OF_THEIR_SIZE = ["Phi-4-mini-instruct", "Qwen3-4B", "gemma3-1b-it", "Qwen3-1.7B", "Qwen3.5-2B", "Llama-3.2-3B-Instruct"]


@pytest.mark.parametrize("name", [*SEED, *BETTER_OF_THEIR_SIZE])
def test_the_seeds_models_and_todays_better_ones_are_in_it(made: Any, name: str) -> None:
    found = entry(made, name)
    assert found["publisher"] != "unknown" and found["licence"] != "unknown" and found["good_for"]
    assert found["parameters"] >= 1000
    assert any(each["quantization"] == "q4f16_1" and "shader-f16" in each["needs"] for each in found["variants"])


@pytest.mark.parametrize("name", SEED)
def test_the_seeds_models_run_without_half_precision_too(made: Any, name: str) -> None:
    full = [each for each in entry(made, name)["variants"] if each["quantization"] == "q4f32_1"]
    assert full and all(each["needs"] == [] for each in full)


def test_it_holds_text_models_of_four_bits_only(made: Any, configuration: Any) -> None:
    variants = [each for found in made["models"] for each in found["variants"]]
    assert len(variants) > 100 and len(made["models"]) > 50
    assert all(each["quantization"].startswith("q4f") for each in variants)
    assert not any("embed" in each["id"] for each in variants)
    assert len({each["id"] for each in variants}) == len(variants)
    assert all(
        each["base"].startswith("https://huggingface.co/") and each["base"].endswith("/resolve/main/") for each in variants
    )
    assert all(each["size_bytes"] < each["vram_bytes"] for each in variants)


def test_every_model_has_its_size_in_the_table_or_in_its_name(made: Any) -> None:
    assert [each["id"] for each in made["models"] if not each["parameters"]] == []
    assert [each["id"] for each in made["models"] if each["publisher"] == "unknown"] == []


def test_what_a_model_can_do_is_told(made: Any) -> None:
    assert [each["id"] for each in made["models"] if each["is_vision"]] == ["Phi-3.5-vision-instruct"]
    assert entry(made, "Hermes-3-Llama-3.1-8B")["calls_functions"]
    assert not entry(made, "Llama-3.2-1B-Instruct")["calls_functions"]
    assert entry(made, "Qwen3-4B")["thinks"] and not entry(made, "Qwen2.5-1.5B-Instruct")["thinks"]
    assert entry(made, "gemma-4-E2B-it")["variants"][0]["buffer_bytes"] == 201326592


def test_nothing_is_taken_for_known_without_a_hash(made: Any, configuration: Any) -> None:
    assert all(each["lib_sha256"] is None for found in made["models"] for each in found["variants"])
    known = catalogue(configuration, {LIBRARY: {"sha256": "ab" * 32, "shape": "llama"}})
    with_hash = [each["id"] for found in known["models"] for each in found["variants"] if each["lib_sha256"]]
    assert with_hash == [LLAMA]
    assert known["libraries"][-1]["shape"] == "llama" and known["libraries"][-1]["parameters"] == 1236


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Llama-3.2-1B-Instruct", "Llama 3.2 1B"),
        ("Qwen2.5-Coder-3B-Instruct", "Qwen 2.5 Coder 3B"),
        ("gemma3-1b-it", "Gemma 3 1B"),
        ("Phi-3.5-mini-instruct", "Phi 3.5 mini"),
        ("stablelm-2-zephyr-1_6b", "Stablelm 2 zephyr 1.6B"),
    ],
)
def test_names_are_for_people(name: str, shown: str) -> None:
    assert readable(name) == shown


def test_what_nobody_knows_is_said_to_be_unknown() -> None:
    assert family("Zebra-9B").licence == "unknown"
    assert parameters("Zebra-9B-Instruct") == 9000 and parameters("Zebra") == 0


def test_models_of_one_shape_are_told_by_what_is_compiled() -> None:
    other = json.loads(json.dumps(CONFIG))
    other["model_config"] |= {"context_window_size": 4096, "rope_theta": 500000.0, "rope_scaling": {"a": 32, "b": 1}}
    assert shape(other) == shape(CONFIG)
    assert shape({**CONFIG, "quantization": "q4f32_1"}) != shape(CONFIG)
    other["model_config"]["hidden_size"] = 4096
    assert shape(other) != shape(CONFIG)
    for wrong in (None, [], {}, {"model_config": 1}, {"model_config": {}, "model_type": "x"}):
        with pytest.raises(NoShape):
            shape(wrong)


# -- libraries in the package


class Mirror(http.server.BaseHTTPRequestHandler):
    """Serves one library and its model's configuration under the paths that WebLLM names."""

    files: dict[str, bytes]
    asked: list[str]

    def do_GET(self) -> None:
        """One file, or 404."""
        self.asked.append(self.path)
        found = self.files.get(self.path.rsplit("/", 1)[-1])
        self.send_response(200 if found is not None else 404)
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def mirror() -> Iterator[Any]:
    Mirror.files = {LIBRARY: WASM, "mlc-chat-config.json": json.dumps(CONFIG).encode()}
    Mirror.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.address = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
    yield server
    server.shutdown()
    server.server_close()


def vendor(mirror: Any, folder: Path) -> Vendor:
    return Vendor(mirror.address, folder / "cache", folder / "known.json")


def test_a_library_is_fetched_once_recorded_and_put_into_the_package(
    mirror: Any, tmp_path: Path, configuration: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vendor(mirror, tmp_path).vendor([LLAMA]) == [LIBRARY]
    known = json.loads((tmp_path / "known.json").read_text())
    digest = hashlib.sha256(WASM).hexdigest()
    assert known == {LIBRARY: {"sha256": digest, "bytes": len(WASM), "shape": shape(CONFIG)}}
    asked = list(Mirror.asked)
    assert any(each.endswith(f"/v0_2_86/base/{LIBRARY}") for each in asked)
    assert vendor(mirror, tmp_path).vendor([LLAMA]) == [LIBRARY]
    assert Mirror.asked == asked

    out = tmp_path / "models"
    out.mkdir()
    vendor(mirror, tmp_path).copy([LIBRARY], out)
    monkeypatch.setattr("build_tools.model_catalogue.KNOWN_LIBRARIES", tmp_path / "known.json")
    write(out, [LIBRARY])
    assert (out / "lib" / LIBRARY).read_bytes() == WASM
    found = Catalogue(json.loads((out / FILE).read_text())).find(LLAMA)
    assert found and (found[1].lib, found[1].lib_sha256) == (f"models/lib/{LIBRARY}", digest)


def test_a_model_is_named_by_its_id_with_both_its_libraries(mirror: Any, tmp_path: Path, configuration: Any) -> None:
    full = LIBRARY.replace("q4f16", "q4f32")
    Mirror.files[full] = WASM + b"32"
    assert sorted(vendor(mirror, tmp_path).vendor(["Llama-3.2-1B-Instruct"])) == [LIBRARY, full]


def test_changed_bytes_are_refused(mirror: Any, tmp_path: Path, configuration: Any) -> None:
    vendor(mirror, tmp_path).vendor([LLAMA])
    (tmp_path / "cache" / LIBRARY).unlink()
    Mirror.files[LIBRARY] = WASM + b"changed"
    with pytest.raises(BuildError, match="recorded"):
        vendor(mirror, tmp_path).vendor([LLAMA])
    assert not (tmp_path / "cache" / LIBRARY).exists()


@pytest.mark.parametrize(
    ("files", "words"),
    [({}, "could not be fetched"), ({LIBRARY: b"<html>Sign in</html>"}, "no WebAssembly")],
)
def test_what_is_no_library_is_refused_with_a_next_step(
    mirror: Any, tmp_path: Path, configuration: Any, files: dict[str, bytes], words: str
) -> None:
    Mirror.files = files
    with pytest.raises(BuildError, match=words):
        vendor(mirror, tmp_path).vendor([LLAMA])
    assert not (tmp_path / "known.json").exists()


def test_an_unknown_model_is_refused_with_the_names_of_the_others(tmp_path: Path, configuration: Any) -> None:
    with pytest.raises(BuildError, match="Phi-4-mini-instruct"):
        Vendor(None, tmp_path, tmp_path / "known.json").vendor(["Zebra-9B"])


def test_a_library_without_a_readable_configuration_is_kept_without_a_shape(
    mirror: Any, tmp_path: Path, configuration: Any
) -> None:
    del Mirror.files["mlc-chat-config.json"]
    vendor(mirror, tmp_path).vendor([LLAMA])
    assert json.loads((tmp_path / "known.json").read_text())[LIBRARY]["shape"] is None
