"""The embedding model's two graphs, as the build writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from build_tools import embedding_graph
from build_tools.embedding_graph import Bytes, Floats, Graph, WeightsFile
from build_tools.embedding_model import EMBEDDING_MODEL
from onnx import TensorProto, helper

FOLDER = EMBEDDING_MODEL / "onnx"
TEXTS = ("The seal rests on the ice.", "A bank raised its rate, and the prices of bread and of houses fell within a year.")


@pytest.fixture(params=embedding_graph.GRAPHS, ids=lambda kind: kind.__name__)
def path(request: pytest.FixtureRequest) -> Path:
    """One of the graphs."""
    if not (FOLDER / request.param.file).exists():
        pytest.fail("The embedding model is missing: run the tests with python3 build.py test")
    return FOLDER / request.param.file


def test_both_graphs_agree_on_texts_that_they_were_not_checked_with() -> None:
    one, other = (
        embedding_graph.vectors(FOLDER / kind.file, EMBEDDING_MODEL / "tokenizer.json", TEXTS) for kind in embedding_graph.GRAPHS
    )
    assert (one * other).sum(axis=1).min() > 0.998
    assert abs(one[0] @ other[1]) < 0.5


def test_the_check_has_the_vectors_of_its_texts(path: Path) -> None:
    check = json.loads((FOLDER / "check.json").read_text())
    found = embedding_graph.vectors(path, EMBEDDING_MODEL / "tokenizer.json", check["texts"])
    assert (found * np.array(check["vectors"])).sum(axis=1).min() > 0.998


def test_padding_and_neighbours_change_nothing(path: Path) -> None:
    short, long = [101, 7592, 2088, 102], [101, *range(3000, 3060), 102]
    ids, mask = np.zeros((2, len(long)), np.int64), np.zeros((2, len(long)), np.int64)
    for row, each in enumerate((short, long)):
        ids[row, : len(each)], mask[row, : len(each)] = each, 1
    session = onnxruntime.InferenceSession(str(path))
    together = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
    for row, each in enumerate((short, long)):
        given = np.array([each], np.int64)
        alone = session.run(None, {"input_ids": given, "attention_mask": np.ones_like(given)})[0]
        assert np.abs(together[row] - alone[0]).max() < 1e-4


def test_both_graphs_share_one_file_of_weights_which_is_hardly_larger_than_the_weights() -> None:
    used = {
        entry.value
        for kind in embedding_graph.GRAPHS
        for tensor in onnx.load(str(FOLDER / kind.file), load_external_data=False).graph.initializer
        for entry in tensor.external_data
        if entry.key == "location"
    }
    assert used == {embedding_graph.WEIGHTS}
    assert (FOLDER / embedding_graph.WEIGHTS).stat().st_size < 24_000_000


def test_there_are_no_operations_that_webgpu_is_wrong_in() -> None:
    kinds = {node.op_type for node in onnx.load(str(FOLDER / Floats.file), load_external_data=False).graph.node}
    assert "MatMul" in kinds
    assert not kinds & {"MultiHeadAttention", "Attention", "MatMulInteger", "IsNaN"}


@pytest.mark.parametrize("is_gelu", [False, True], ids=["any", "from GELU"])
def test_a_product_of_bytes_is_nearly_that_of_floats(is_gelu: bool, tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    value = random.normal(size=(2, 3, 64)).astype(np.float32)
    value[1, 2] *= 1000  # a token of another size makes the others no coarser
    value = np.maximum(value, -0.17) if is_gelu else value
    weights = random.integers(-127, 128, (64, 8)).astype(np.int8)
    scale = random.uniform(0.001, 0.01, (1, 8)).astype(np.float32)
    wanted = value @ (weights * scale)
    found = _product(value, weights, scale, is_gelu, tmp_path)
    error = np.linalg.norm(found - wanted, axis=-1) / np.linalg.norm(wanted, axis=-1)
    assert error.max() < 0.02


def _product(value: Any, weights: Any, scale: Any, is_gelu: bool, folder: Path) -> Any:
    graph = Graph()
    out = Bytes(graph).product("value", "0.output", weights, scale, is_gelu=is_gelu)
    file = WeightsFile()
    tensors = [file.tensor(name, constant) for name, constant in graph.constants.items()]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("value", out)]
    made = helper.make_model(
        helper.make_graph(graph.nodes, "product", ends[:1], ends[1:], tensors),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=10,
    )
    (folder / "model.onnx").write_bytes(made.SerializeToString())
    (folder / embedding_graph.WEIGHTS).write_bytes(file.content)
    return onnxruntime.InferenceSession(str(folder / "model.onnx")).run(None, {"value": value})[0]
