"""Writes MiniLM's network anew as two ONNX graphs over one file of weights: for the processor and for the graphics card.

python -m build_tools.embedding_graph WEIGHTS.onnx TOKENIZER.json OUT

The export with the int8 weights (384 wide, 6 layers) multiplies them out to floats, looks for NaN in every layer and leaves the
mean over the tokens to its caller. Both graphs here give the mean itself, `sentence_embedding`, [batch, 384] of any length:

- model_quantized.onnx, for the processor, multiplies bytes: activations are quantized as well, each token by its own largest
  value, so that a text's vector depends on nothing beside it in the batch. Nearly twice as fast as floats in wasm.
- model.onnx, for the graphics card, has the products in floats, which is what ONNX Runtime's WebGPU kernels are for. The weights
  are multiplied out when it is loaded.

check.json beside them holds two texts and the export's own vectors of them: both graphs must come near them here, and by them
the extension tells a graphics card that computes wrongly.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WEIGHTS = "weights.bin"
OUTPUT = "sentence_embedding"
LAYERS, HEADS, WIDTH = 6, 12, 384
VALUE = "attention.self.value"
ATTENTION = ("attention.self.query", "attention.self.key", VALUE)
MATRICES = (*ATTENTION, "attention.output", "intermediate", "output")  # in the order in which the export multiplies by them
EPSILON = 1e-12
GELU_LOWEST = 0.17  # GELU gives nothing below -0.17
MASKED = np.float32(-30000)  # its exponential is 0
SHORT = 1024  # bytes: what is smaller stays in the graph, where shapes are worked out from it
ALIGNMENT = 64
# The first is long enough for the kernels that long texts get, and padding makes up most of the second.
CHECK_TEXTS = (
    "A lighthouse stood at the end of the pier, and its keeper wrote down the weather four times a day: the height of the waves, "
    "the colour of the sky, the ships that passed and the birds that rested on the rail. In winter the entries grew short. In "
    "summer he drew the boats in the margin, with their numbers, and noted who had waved. When the lamp was changed to one that "
    "needed no keeper, the books were given to the school, where children still learn from them what a storm sounds like.",
    "Who looked after the light?",
)

Array = np.ndarray[Any, Any]


class Export:
    """The tensors of the export, by their places in the network."""

    def __init__(self, path: Path) -> None:
        graph = onnx.load(str(path)).graph
        self._tensors: dict[str, Array] = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
        names = [node.input[1] for node in graph.node if node.op_type == "MatMul" and f"{node.input[1]}_q" in self._tensors]
        if len(names) != LAYERS * len(MATRICES):
            raise ValueError(f"{path.name} has {len(names)} weight matrices; {LAYERS * len(MATRICES)} were expected")
        self._matrices = names

    def embedding(self, name: str) -> Array:
        """A tensor of the part before the layers."""
        return self._tensors[f"inner.embeddings.{name}"]

    def matrix(self, layer: int, name: str) -> tuple[Array, Array]:
        """Bytes [in, out], and the scale of each column [1, out]."""
        found = self._matrices[layer * len(MATRICES) + MATRICES.index(name)]
        return self._tensors[f"{found}_q"], self._tensors[f"{found}_scale"]

    def vector(self, layer: int, name: str) -> Array:
        """A bias, or a part of a normalization."""
        return self._tensors[f"inner.encoder.layer.{layer}.{name}"]


class Graph:
    """Nodes and constants; operations take and give names of values."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, Array] = {}

    def op(self, kind: str, *inputs: str, domain: str = "", **attributes: object) -> str:
        """One operation with one result."""
        result = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [result], result, domain=domain, **attributes))  # type: ignore[arg-type]
        return result

    def fused(self, kind: str, *inputs: str, **attributes: object) -> str:
        """One of ONNX Runtime's own operations, which take the place of several."""
        return self.op(kind, *inputs, domain="com.microsoft", **attributes)

    def constant(self, name: str, value: Array | np.float32 | np.uint8) -> str:
        """A constant, under a name of its own."""
        self.constants[name] = np.ascontiguousarray(value).reshape(np.shape(value))
        return name

    def whole(self, *numbers: int) -> str:
        """A list of whole numbers."""
        return self.constant(f"numbers_{'_'.join(map(str, numbers))}", np.array(numbers, np.int64))


class Floats:
    """Products in floats; attention in plain operations: the fused one is wrong past 32 tokens in ONNX Runtime 1.31 on WebGPU."""

    file = "model.onnx"
    least_cosine = 0.9999

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    def product(self, value: str, name: str, weights: Array, scale: Array, is_gelu: bool = False) -> str:
        """value [batch, tokens, in] times weights [in, out]."""
        graph = self._graph
        floats = graph.op("Cast", graph.constant(f"{name}.weights", weights), to=TensorProto.FLOAT)
        return graph.op("MatMul", value, graph.op("Mul", floats, graph.constant(f"{name}.scale", scale)))

    def mask(self) -> str:
        """What is added to the scores of tokens, [batch, 1, 1, tokens]: none may look at padding."""
        graph = self._graph
        padding = graph.op("Sub", graph.constant("one", np.float32(1)), graph.op("Cast", "attention_mask", to=TensorProto.FLOAT))
        return graph.op("Unsqueeze", graph.op("Mul", padding, graph.constant("masked", MASKED)), graph.whole(1, 2))

    def attention(self, parts: list[str], name: str, biases: list[Array], mask: str) -> str:
        """Of query, key and value, [batch, tokens, 384] without their biases."""
        graph, turns = self._graph, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
        heads: list[str] = []
        for at, (part, bias) in enumerate(zip(parts, biases, strict=True)):
            split = graph.op("Add", part, graph.constant(f"{name}.bias_{at}", bias))
            split = graph.op("Reshape", split, graph.whole(0, 0, HEADS, WIDTH // HEADS))
            heads.append(graph.op("Transpose", split, perm=turns[at]))
        query, key, value = heads
        query = graph.op("Mul", query, graph.constant("attention.scale", np.float32((WIDTH // HEADS) ** -0.5)))
        shares = graph.op("Softmax", graph.op("Add", graph.op("MatMul", query, key), mask), axis=-1)
        joined = graph.op("Transpose", graph.op("MatMul", shares, value), perm=[0, 2, 1, 3])
        return graph.op("Reshape", joined, graph.whole(0, 0, WIDTH))


class Bytes:
    """Products of bytes: each token's values are quantized to -127..127 about a zero of 128.

    Two thirds of what that loses is lost where attention takes its values from, so these products, 1/12 of all, stay in floats.
    """

    file = "model_quantized.onnx"
    least_cosine = 0.998

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._floats = Floats(graph)
        self._quantized: dict[str, tuple[str, str]] = {}

    def product(self, value: str, name: str, weights: Array, scale: Array, is_gelu: bool = False) -> str:
        """value [batch, tokens, in] times weights [in, out]; `is_gelu`: the value comes from GELU."""
        graph = self._graph
        if name.endswith(VALUE):
            return self._floats.product(value, name, weights, scale)
        quantized, unit = self._quantize_gelu(value) if is_gelu else self._quantize(value)
        zero = graph.constant("zero_of_gelu", np.uint8(0)) if is_gelu else graph.constant("zero_of_bytes", np.uint8(128))
        whole = graph.op("MatMulInteger", quantized, graph.constant(f"{name}.weights", weights), zero)
        product = graph.op("Mul", graph.op("Cast", whole, to=TensorProto.FLOAT), unit)
        product = graph.op("Mul", product, graph.constant(f"{name}.scale", scale))
        if not is_gelu:
            return product
        added = (GELU_LOWEST * weights.sum(axis=0, dtype=np.int64) * scale[0]).astype(np.float32)  # by raising the value
        return graph.op("Sub", product, graph.constant(f"{name}.added", added))

    def _quantize(self, value: str) -> tuple[str, str]:
        """Bytes and what one of them is worth, [batch, tokens, 1]; once for all the products that a value is in."""
        if value not in self._quantized:
            graph = self._graph
            largest = graph.op("ReduceMax", graph.op("Abs", value), graph.whole(-1), keepdims=1)
            unit = graph.op("Mul", largest, graph.constant("one_127th", np.float32(1 / 127)))
            self._quantized[value] = self._rounded(value, unit, "zero_and_half", 128.5), unit
        return self._quantized[value]

    def _quantize_gelu(self, value: str) -> tuple[str, str]:
        """Hardly any of it is below zero: raised until nothing is, it has twice as many steps."""
        graph = self._graph
        raised = graph.op("Add", value, graph.constant("gelu_lowest", np.float32(GELU_LOWEST)))
        largest = graph.op("ReduceMax", raised, graph.whole(-1), keepdims=1)
        unit = graph.op("Mul", largest, graph.constant("one_255th", np.float32(1 / 255)))
        return self._rounded(raised, unit, "half", 0.5), unit

    def _rounded(self, value: str, unit: str, name: str, added: float) -> str:
        graph = self._graph
        above_zero = graph.op("Add", graph.op("Div", value, unit), graph.constant(name, np.float32(added)))
        return graph.op("Cast", above_zero, to=TensorProto.UINT8)  # cuts off

    def mask(self) -> str:
        """1 for tokens, 0 for padding, [batch, tokens]."""
        return self._graph.op("Cast", "attention_mask", to=TensorProto.INT32)

    def attention(self, parts: list[str], name: str, biases: list[Array], mask: str) -> str:
        """Of query, key and value, [batch, tokens, 384] without their biases."""
        bias = self._graph.constant(f"{name}.bias", np.concatenate(biases))
        return self._graph.fused("MultiHeadAttention", *parts, bias, mask, num_heads=HEADS)


GRAPHS: tuple[type[Floats], type[Bytes]] = (Floats, Bytes)


class Network:
    """MiniLM with one of the two kinds of products."""

    def __init__(self, export: Export, kind: type[Floats] | type[Bytes]) -> None:
        self.graph = Graph()
        self._export = export
        self._kind = kind(self.graph)

    def build(self) -> Graph:
        """From `input_ids` and `attention_mask`, [batch, tokens], to `sentence_embedding`."""
        graph = self.graph
        value, mask = self._embedded(), self._kind.mask()
        for layer in range(LAYERS):
            value = self._layer(layer, value, mask)
        tokens = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
        summed = graph.op("MatMul", graph.op("Unsqueeze", tokens, graph.whole(1)), value)
        count = graph.op("ReduceSum", tokens, graph.whole(1), keepdims=1)
        graph.op("Div", graph.op("Squeeze", summed, graph.whole(1)), count)
        graph.nodes[-1].output[0] = OUTPUT
        return graph

    def _embedded(self) -> str:
        """Words are looked up as bytes: as floats the table would take 47 MB."""
        graph, export = self.graph, self._export
        words = graph.constant("words", export.embedding("word_embeddings.weight_q"))
        units = graph.constant("words.scale", export.embedding("word_embeddings.weight_scale"))
        rows = graph.op("Cast", graph.op("Gather", words, "input_ids"), to=TensorProto.FLOAT)
        value = graph.op("Mul", rows, graph.op("Gather", units, "input_ids"))
        places = export.embedding("position_embeddings.weight_q") * export.embedding("position_embeddings.weight_scale")
        places = (places + export.embedding("token_type_embeddings.weight")[:1]).astype(np.float32)  # one kind of token only
        tokens = graph.op("Shape", "input_ids", start=1, end=2)
        first = graph.op("Slice", graph.constant("places", places), graph.whole(0), tokens, graph.whole(0))
        value = graph.op("Add", value, first)
        return graph.op("LayerNormalization", value, *self._norm("embeddings", None, "LayerNorm"), axis=-1, epsilon=EPSILON)

    def _layer(self, layer: int, value: str, mask: str) -> str:
        parts = [self._product(value, layer, name) for name in ATTENTION]
        biases = [self._export.vector(layer, f"{name}.bias") for name in ATTENTION]
        attended = self._kind.attention(parts, f"{layer}.attention", biases, mask)
        value = self._added(attended, value, layer, "attention.output")
        inner = self._product(value, layer, "intermediate")
        return self._added(self.graph.fused("BiasGelu", inner, self._bias(layer, "intermediate")), value, layer, "output")

    def _added(self, inner: str, value: str, layer: int, name: str) -> str:
        """The product of `inner` is added to `value`, and the sum normalized."""
        product = self._product(inner, layer, name, is_gelu=name == "output")
        norm = self._norm(f"{layer}.{name}", layer, f"{name}.LayerNorm")
        return self.graph.fused("SkipLayerNormalization", product, value, *norm, self._bias(layer, name), epsilon=EPSILON)

    def _product(self, value: str, layer: int, name: str, is_gelu: bool = False) -> str:
        return self._kind.product(value, f"{layer}.{name}", *self._export.matrix(layer, name), is_gelu=is_gelu)

    def _bias(self, layer: int, name: str) -> str:
        return self.graph.constant(f"{layer}.{name}.bias", self._export.vector(layer, f"{name}.dense.bias"))

    def _norm(self, name: str, layer: int | None, source: str) -> tuple[str, str]:
        def find(part: str) -> Array:
            full = f"{source}.{part}"
            return self._export.embedding(full) if layer is None else self._export.vector(layer, full)

        return tuple(self.graph.constant(f"{name}.norm.{part}", find(part)) for part in ("weight", "bias"))  # type: ignore[return-value]


class WeightsFile:
    """Tensors one after the other; those with the same bytes are one."""

    def __init__(self) -> None:
        self.content = bytearray()
        self._offsets: dict[bytes, int] = {}

    def tensor(self, name: str, value: Array) -> onnx.TensorProto:
        """The tensor as a reference into this file, or whole if it is short."""
        tensor = numpy_helper.from_array(value, name)
        data = tensor.raw_data
        if len(data) < SHORT:
            return tensor
        if data not in self._offsets:
            self.content.extend(b"\0" * (-len(self.content) % ALIGNMENT))
            self._offsets[data] = len(self.content)
            self.content.extend(data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, told in (("location", WEIGHTS), ("offset", self._offsets[data]), ("length", len(data))):
            tensor.external_data.add(key=key, value=str(told))
        return tensor


def model(graph: Graph, weights: WeightsFile) -> bytes:
    """The graph as an ONNX file whose longer tensors are in `weights`."""
    names = ("input_ids", "attention_mask")
    ids = [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"]) for name in names]
    out = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["batch", WIDTH])
    tensors = [weights.tensor(name, value) for name, value in graph.constants.items()]
    versions = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    made = helper.make_model(helper.make_graph(graph.nodes, "minilm", ids, [out], tensors), opset_imports=versions, ir_version=10)
    return made.SerializeToString()


def vectors(path: Path, tokenizer: Path, texts: Sequence[str]) -> Array:
    """What a model, one of these or the export, gives for texts, each by itself: [texts, 384], of length 1."""
    import onnxruntime
    from tokenizers import Tokenizer

    words = Tokenizer.from_file(str(tokenizer))
    words.no_padding()  # its file says that texts have 128 tokens
    words.no_truncation()
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [given.name for given in session.get_inputs()]
    rows: list[Array] = []
    for text in texts:
        ids = np.array([words.encode(text).ids], np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        found = np.asarray(session.run(None, {name: given[name] for name in names})[0])
        rows.append(found.reshape(-1, WIDTH).mean(axis=0))  # the export gives a vector a token
    return np.array([row / np.linalg.norm(row) for row in rows])


def write(source: Path, tokenizer: Path, out: Path) -> None:
    """Both graphs, their weights and check.json into the folder `out`."""
    export, weights = Export(source), WeightsFile()
    for kind in GRAPHS:
        (out / kind.file).write_bytes(model(Network(export, kind).build(), weights))
    (out / WEIGHTS).write_bytes(weights.content)
    wanted = vectors(source, tokenizer, CHECK_TEXTS)
    for kind in GRAPHS:
        cosines = (vectors(out / kind.file, tokenizer, CHECK_TEXTS) * wanted).sum(axis=1)
        if not cosines.min() >= kind.least_cosine:
            raise ValueError(f"{kind.file} is not what {source.name} is: the cosines of its vectors are {cosines}")
    check = {"texts": CHECK_TEXTS, "vectors": [[round(float(value), 5) for value in row] for row in wanted]}
    (out / "check.json").write_text(json.dumps(check), encoding="utf-8")


if __name__ == "__main__":
    write(*(Path(argument) for argument in sys.argv[1:4]))
